"""Field-form submissions (ODK, KoBo) as JSON or tables. Not for GeoJSON."""

from __future__ import annotations

from typing import Any

from geotools.io.raw import Raw, Source


def from_json(data: Any, source: Source) -> Raw:
    """Rows from a JSON document that is not GeoJSON.

    Raises
    ------
    ReadError
        If there are no records in it.
    """
    raise source.refuse("it is JSON, but there are no GeoJSON features in it", "export it as GeoJSON")
