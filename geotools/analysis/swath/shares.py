"""Who covered what, and when: covered ground per day, asset, organisation and operator, and what each day added.

For tables of work done; keys of one kind may overlap on the ground, only new ground adds up.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath import union

KEYS = {"day": "day", "asset": "asset_id", "organisation": "organisation", "operator": "operator"}


def shares(passes: gpd.GeoDataFrame, shapes: np.ndarray, ground: BaseGeometry) -> pd.DataFrame:
    """Covered area per key, inside the task.

    Parameters
    ----------
    passes
        Passes, row by row with `shapes`, their swaths.
    ground
        The task on the same plane.

    Returns
    -------
    DataFrame
        ``by`` (day, asset, organisation, operator), ``key``, ``covered_m2``, and for days ``new_m2``: ground no earlier day covered.
    """
    rows: list[tuple[str, str, float, float]] = []
    for by, column in KEYS.items():
        if column not in passes or not len(passes):
            continue
        keys = passes[column].astype(str).to_numpy(dtype=object)
        names = sorted(set(keys) - {""})
        if len(names) == 1 and by != "day" and rows and (keys == names[0]).all() and rows[0][0] == "day" and _single(rows):
            rows.append((by, names[0], rows[0][2], np.nan))  # the same ground as the only day
            continue
        before: BaseGeometry = union.EMPTY
        done = 0.0
        for name in names:
            swept = union.joined(shapes[keys == name])
            covered = float(shapely.intersection(swept, ground).area)
            new = np.nan
            if by == "day":
                before = swept if before.is_empty else union.joined(np.array([before, swept], dtype=object))
                total = covered if name == names[0] else float(shapely.intersection(before, ground).area)
                new, done = total - done, total
            rows.append((by, name, covered, new))
    return pd.DataFrame(rows, columns=["by", "key", "covered_m2", "new_m2"])


def _single(rows: list[tuple[str, str, float, float]]) -> bool:
    return sum(row[0] == "day" for row in rows) == 1
