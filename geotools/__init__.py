"""geotools: field-survey GIS for humanitarian demining.

Survey and clearance records go in; a ledger that adds up, a coverage figure that can be defended, and maps and files that
work without internet come out. Names below are loaded on first use.

Examples
--------
>>> import geotools as gt
>>> gt.declination.__name__
'geotools.space.declination'
"""

from __future__ import annotations

import importlib
from typing import Any

from geotools._exports import MODULES, VERBS

__all__ = sorted((*MODULES, *VERBS, "__version__"))  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in MODULES:
        value = importlib.import_module(MODULES[name])
    elif name in VERBS:
        module, attribute = VERBS[name].split(":")
        value = getattr(importlib.import_module(module), attribute)
    elif name == "__version__":
        value = importlib.import_module("geotools.model.provenance").version()
    else:
        raise AttributeError(f"module 'geotools' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
