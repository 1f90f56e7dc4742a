"""Work to be done: tasks cut into steps (machine, then search behind it) and lots that several teams can share.

For saying what there is to do; not for who does it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.model.doors import checked
from geotools.model.errors import SchemaError
from geotools.space import crs as _crs

COLUMNS = ("id", "task_id", "skill", "area_m2", "value", "after", "earliest", "latest", "seasons")
MACHINE, FOLLOW_UP, SEARCH = "machine", "follow-up", "search"


@checked
def steps(
    tasks: gpd.GeoDataFrame,
    *,
    skills: Sequence[str] = ("manual", "mdd"),
    behind_machine: Sequence[str] = ("follow_up",),
    lot_m2: float | None = None,
    least_m2: float = 1.0,
) -> gpd.GeoDataFrame:
    """The steps of tasks, ready for `plan`.

    Parameters
    ----------
    tasks
        ``id, geometry`` and ``area_m2`` still to be done. Optional: ``workable_m2`` (ground a machine can prepare first), ``value``
        (what finishing it is worth; default 1), ``skill`` (methods, ``|`` between them; else `skills`), ``earliest``, ``latest`` (dates),
        ``seasons`` (``04-01/11-15``).
    skills
        Methods that can do a task, the preferred first.
    behind_machine
        Skills for the search behind a machine, tried before `skills`. Prepared ground is never released without that search.
    lot_m2
        Largest lot; a larger step is cut into equal lots, which several teams can share. None: no cut.
    least_m2
        A remaining area below this is not planned.

    Returns
    -------
    GeoDataFrame
        ``id task_id skill area_m2 value after earliest latest seasons`` and geometry (that of the task). A task's value is spread over its
        ground and counts when the ground has been searched.

    Raises
    ------
    SchemaError
        If ``id`` or ``area_m2`` is missing, ids repeat, or a lot size is not more than 0.

    Examples
    --------
    >>> import shapely
    >>> tasks = gpd.GeoDataFrame({"id": ["A"], "area_m2": [9000.0], "workable_m2": [6000.0]}, geometry=[shapely.Point(0, 0)], crs=4326)
    >>> work = steps(tasks)
    >>> work[["id", "skill", "area_m2", "after"]].values.tolist()[1:]
    [['A machine', 'mechanical', 6000.0, ''], ['A search', 'manual|mdd', 3000.0, '']]
    """
    _check(tasks, lot_m2)
    rows: list[dict[str, Any]] = []
    shapes: list[Any] = []
    for record, shape in zip(tasks.to_dict("records"), tasks.geometry, strict=True):
        area = _number(record["area_m2"], math.nan)
        if math.isinf(area):
            raise SchemaError(
                f"the area of task '{record['id']}' is infinite", hint="area_m2 is what is still to be done"
            )
        if not area >= least_m2:
            continue
        made = _steps_of(record, area, skills, behind_machine, lot_m2)
        rows += made
        shapes += [shape] * len(made)
    frame = gpd.GeoDataFrame(pd.DataFrame(rows, columns=list(COLUMNS)), geometry=gpd.GeoSeries(shapes, crs=tasks.crs))
    return frame.sort_values("id").reset_index(drop=True)


def _check(tasks: gpd.GeoDataFrame, lot_m2: float | None) -> None:
    for name in ("id", "area_m2"):
        if name not in tasks:
            raise SchemaError(f"tasks need a column '{name}'", hint="area_m2 is what is still to be done")
    if tasks["id"].astype(str).duplicated().any():
        twice = tasks["id"][tasks["id"].astype(str).duplicated()].iloc[0]
        raise SchemaError(f"the task '{twice}' is there twice", hint="one row per task")
    if lot_m2 is not None and not lot_m2 > 0:
        raise SchemaError("a lot must be larger than 0 m²")


def _steps_of(
    record: dict[Any, Any], area: float, skills: Sequence[str], behind: Sequence[str], lot_m2: float | None
) -> list[dict[str, Any]]:
    task = str(record["id"])
    own = _text(record.get("skill"))
    search = own or "|".join(skills)
    value = _number(record.get("value"), 1.0)
    workable = min(area, max(0.0, _number(record.get("workable_m2"), 0.0)))
    parts: list[tuple[str, str, float, float, bool]] = []
    if workable > 0:
        parts.append((MACHINE, "mechanical", workable, 0.0, False))
        parts.append((FOLLOW_UP, "|".join([*behind, search]), workable, value * workable / area, True))
    if area - workable > 1e-6:
        parts.append((SEARCH, search, area - workable, value * (area - workable) / area, False))
    shared = {k: record.get(k) for k in ("earliest", "latest")} | {"seasons": _text(record.get("seasons")) or ""}
    out = []
    for word, skill, ground, worth, follows in parts:
        lots = max(1, math.ceil(ground / lot_m2 - 1e-9)) if lot_m2 else 1
        for lot in range(1, lots + 1):
            number = f" {lot}/{lots}" if lots > 1 else ""
            name = f"{task}{'' if len(parts) == 1 else ' ' + word}{number}"
            after = f"{task} {MACHINE}{number}" if follows else ""
            out.append({"id": name, "task_id": task, "skill": skill, "area_m2": ground / lots, "value": worth / lots, "after": after, **shared})  # fmt: skip
    return out


def _text(value: Any) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value).strip()  # noqa: PLR0124


def _number(value: Any, otherwise: float) -> float:
    number = pd.to_numeric(value, errors="coerce")
    return otherwise if pd.isna(number) else float(number)


def places(work: gpd.GeoDataFrame) -> np.ndarray:
    """Longitude and latitude of a point in each step's ground; NaN where it has none.

    Examples
    --------
    >>> import shapely
    >>> places(gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.Point(47.0, 39.5)], crs=4326)).tolist()
    [[47.0, 39.5]]
    """
    out = np.full((len(work), 2), np.nan)
    if not isinstance(work, gpd.GeoDataFrame) or work.active_geometry_name is None:
        return out
    has = ~(work.geometry.isna() | work.geometry.is_empty).to_numpy()
    if has.any():
        points = _crs.to_wgs84(work.loc[has, [work.geometry.name]]).geometry.representative_point()
        out[has] = np.column_stack([points.x, points.y])
    return out
