"""Coordinate reference systems: which one, is it usable, how to reach WGS 84 or an equal-area plane, and what is wrong.

For choosing and applying systems; areas themselves are in `space.measure`, typed coordinates in `space.notation`.
"""

from geotools.model.errors import CRSError
from geotools.space.crs.doctor import Diagnosis, diagnose
from geotools.space.crs.finding import Finding
from geotools.space.crs.mgrs import MgrsSquare, from_mgrs, tidy_mgrs, to_mgrs, to_utm
from geotools.space.crs.operations import DatumShift, Operation, choose, operations, shift
from geotools.space.crs.planes import EDGE_M, densify, to_equal_area, to_wgs84, transform
from geotools.space.crs.systems import (
    GEOD,
    WGS84,
    code_or_wkt,
    described,
    equal_area,
    label,
    metric,
    on_wgs84,
    parse,
    require,
    transformer,
    utm,
    utm_zone,
)

__all__ = [
    "EDGE_M",
    "GEOD",
    "WGS84",
    "CRSError",
    "DatumShift",
    "Diagnosis",
    "Finding",
    "MgrsSquare",
    "Operation",
    "choose",
    "code_or_wkt",
    "densify",
    "described",
    "diagnose",
    "equal_area",
    "from_mgrs",
    "label",
    "metric",
    "on_wgs84",
    "operations",
    "parse",
    "require",
    "shift",
    "tidy_mgrs",
    "to_equal_area",
    "to_mgrs",
    "to_utm",
    "to_wgs84",
    "transform",
    "transformer",
    "utm",
    "utm_zone",
]
