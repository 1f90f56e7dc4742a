"""Coordinates and angles as people type them, read strictly: what reads two ways is refused, never guessed.

For text and cells of tables; not for files (see `io`) nor for finding out what is wrong with a whole layer (see `crs.diagnose`).
"""

from geotools.model.errors import NotationError
from geotools.space.notation.angles import ANGLE_UNITS, format_angle, parse_angle
from geotools.space.notation.positions import Position, parse_position, parse_positions

__all__ = [
    "ANGLE_UNITS",
    "NotationError",
    "Position",
    "format_angle",
    "parse_angle",
    "parse_position",
    "parse_positions",
]
