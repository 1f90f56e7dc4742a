"""Which kind of records a table holds, judged by its columns and the words in them.

For files whose name does not say; a name that says it is taken at its word (see `kinds.kind_of`).
"""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geotools.model.schema.columns import Column, Schema
from geotools.model.schema.conform import reading
from geotools.model.schema.kinds import KINDS

KNOWN_SHARE = 0.8  # of the words in the telling column
LEAD = 2  # columns that a kind must match more than the next


def kind_of_content(frame: gpd.GeoDataFrame) -> tuple[str, str] | None:
    """The record kind of a table and the column that tells it, or None where that is not plain.

    A kind fits if its telling column (the first required column of words: ``product`` of releases, ``classification`` of
    hazards) is there, nearly all of its words are known ones, and the geometries are of its types. Of several kinds that fit,
    one must match clearly more columns than every other.

    Examples
    --------
    >>> import shapely
    >>> rows = {"Ref": ["R-1"], "Product": ["Təmizlənmiş"], "Method": ["manual"], "Depth cm": [13]}
    >>> kind_of_content(gpd.GeoDataFrame(rows, geometry=[shapely.box(0, 0, 1, 1)]))
    ('releases', 'Product')
    >>> kind_of_content(gpd.GeoDataFrame({"name": ["bridge"]}, geometry=[shapely.Point(0, 0)])) is None
    True
    """
    names = [str(c) for c in frame.columns if c != frame.geometry.name]
    types = set(frame.geometry[frame.geometry.notna()].geom_type)
    fits: list[tuple[int, str, str]] = []
    for kind, entry in KINDS.items():
        telling = _telling(entry)
        if telling is None or not types <= {*entry.geometry, "GeometryCollection"}:
            continue
        mapping = reading(names, entry)
        matched = {**{n: n for n in names if n in entry.names}, **mapping}
        source = next((n for n, target in matched.items() if target == telling.name), None)
        if source is not None and _speaks(frame[source], telling):
            fits.append((len(set(matched.values())), kind, source))
    fits.sort(key=lambda fit: -fit[0])
    if not fits or (len(fits) > 1 and fits[0][0] - fits[1][0] < LEAD):
        return None
    return fits[0][1], fits[0][2]


def _telling(entry: Schema) -> Column | None:
    return next((c for c in entry.columns if c.required and c.kind == "word"), None)


def _speaks(values: pd.Series, column: Column) -> bool:
    words = values.dropna().astype(str).str.strip()
    words = words[words != ""]
    known = column.vocabulary
    return (
        known is not None and len(words) > 0 and words.map(lambda w: known.match(w) is not None).mean() >= KNOWN_SHARE
    )
