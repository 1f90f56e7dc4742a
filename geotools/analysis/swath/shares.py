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


def shares(
    passes: gpd.GeoDataFrame, shapes: np.ndarray, ground: BaseGeometry
) -> tuple[pd.DataFrame, BaseGeometry, BaseGeometry]:
    """Covered area per key inside the task; and the union of all swaths, whole and inside the task, which the days build up anyway.

    Parameters
    ----------
    passes
        Passes, row by row with `shapes`, their swaths.
    ground
        The task on the same plane.

    Returns
    -------
    table, whole, inside
        ``by`` (day, asset, organisation, operator), ``key``, ``covered_m2``, and for days ``new_m2``: ground no earlier day covered.
    """
    days = (
        passes["day"].astype(str).to_numpy(dtype=object) if "day" in passes else np.full(len(passes), "", dtype=object)
    )
    rows: list[tuple[str, str, float, float]] = []
    whole: BaseGeometry = union.EMPTY
    inside: BaseGeometry = union.EMPTY
    done = 0.0
    for name in sorted(set(days)):
        swept = union.joined(shapes[days == name])
        here = union.polygons(shapely.intersection(swept, ground))
        whole, inside = (
            (swept, here)
            if whole.is_empty
            else (union.polygons(shapely.union(whole, swept)), union.polygons(shapely.union(inside, here)))
        )
        if name:
            rows.append(("day", name, float(here.area), float(inside.area) - done))
        done = float(inside.area)
    for by, column in KEYS.items():
        keys = (
            passes[column].astype(str).to_numpy(dtype=object)
            if column in passes and by != "day"
            else np.zeros(0, dtype=object)
        )
        for name in sorted(set(keys) - {""}):
            mine = keys == name
            covered = done if mine.all() else float(shapely.intersection(union.joined(shapes[mine]), ground).area)
            rows.append((by, name, covered, np.nan))
    return pd.DataFrame(rows, columns=["by", "key", "covered_m2", "new_m2"]), whole, inside
