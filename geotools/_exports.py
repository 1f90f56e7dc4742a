"""The public names: which module or verb lives where. Read by `geotools.__getattr__`, pinned by a test."""

MODULES = {
    "checks": "geotools.checks",
    "crs": "geotools.space.crs",
    "declination": "geotools.space.declination",
    "errors": "geotools.model.errors",
    "field": "geotools.field",
    "geom": "geotools.space.geom",
    "grid": "geotools.space.grid",
    "measure": "geotools.space.measure",
    "pattern": "geotools.analysis.pattern",
    "progress": "geotools.analysis.progress",
    "release": "geotools.analysis.release",
    "report": "geotools.maps.report",
    "residual": "geotools.analysis.residual",
    "sampling": "geotools.analysis.sampling",
    "schema": "geotools.model.schema",
    "sheet": "geotools.maps.sheet",
    "swath": "geotools.analysis.swath",
    "symbols": "geotools.maps.symbols",
    "traverse": "geotools.space.traverse",
    "trial": "geotools.analysis.trial",
    "vocab": "geotools.model.vocab",
    "webmap": "geotools.maps.webmap",
}

VERBS = {
    "Programme": "geotools.model.programme:Programme",
    "Survey": "geotools.survey:Survey",
    "check": "geotools.checks:check",
    "coverage": "geotools.analysis.release:coverage",
    "formats": "geotools.io:formats",
    "map": "geotools.maps.webmap:map_survey",
    "open_survey": "geotools.survey:open_survey",
    "read": "geotools.io:read",
    "read_with_issues": "geotools.io:read_with_issues",
    "write": "geotools.io:write",
}
