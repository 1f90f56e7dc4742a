"""Floor 2: files and stores in and out, every row accounted for. Not for judging what the records say (see `checks`).

Names are loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geotools.io.reading import is_survey_file, layers, read, read_with_issues, stream
    from geotools.io.registry import formats
    from geotools.io.writing import write, write_layers

__all__ = [
    "formats",
    "is_survey_file",
    "layers",
    "read",
    "read_with_issues",
    "stream",
    "write",
    "write_layers",
]

_PLACES = {
    "formats": "geotools.io.registry",
    "is_survey_file": "geotools.io.reading",
    "layers": "geotools.io.reading",
    "read": "geotools.io.reading",
    "read_with_issues": "geotools.io.reading",
    "stream": "geotools.io.reading",
    "write": "geotools.io.writing",
    "write_layers": "geotools.io.writing",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'geotools.io' has no attribute '{name}'")
