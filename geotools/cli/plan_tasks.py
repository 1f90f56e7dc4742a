"""The tasks that `plan priority` and `plan teams` plan for: hazards still to be worked on, with the ground that remains of them.

For reading them from a survey or one file; what is planned stands in the files of the commands.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from geotools.cli import options

STATUSES = ("open", "worked_on", "suspended")
LEAST_M2 = 1.0


def last_day(opened: Any) -> date:
    """The last day on record of hazards, releases and accidents, so that the same records always give the same result."""
    import pandas as pd

    days = []
    for frame, column in ((opened.hazards, "date_info"), (opened.releases, "date"), (opened.accidents, "date")):
        if column in frame and len(frame):
            stamps = pd.to_datetime(frame[column], errors="coerce").dropna()
            days += [stamps.max()] if len(stamps) else []
    return max(days).date() if days else date.today()  # noqa: DTZ011


def ledger_of(opened: Any, as_of: date | None) -> Any:
    """What was released, as `geotools coverage` says for the same day: releases without a date count last, and not at all of a stated day.

    None where there are no hazards or no releases.
    """
    return opened.coverage(as_of=as_of) if len(opened.hazards) and len(opened.releases) else None


def undated(ledger: Any) -> dict[str, Any]:
    """How many releases have no date, whether they count as released, and that in words; empty if there are none."""
    if ledger is None:
        return {}
    releasing = ledger.credits["counted_as"].isin(["cleared", "reduced", "cancelled"])
    count = int(ledger.credits.loc[releasing, "date"].isna().sum())
    if not count:
        return {}
    counted = ledger.as_of is None
    what = f"{count} {'release has' if count == 1 else 'releases have'} no date"
    then = "counted as released, after all that are dated: with --as-of DAY they are left out"
    if not counted:
        then = f"left out: they cannot be shown to be known on {ledger.as_of}, so their ground is planned as work left"
    return {"undated_releases": {"count": count, "counted": counted, "words": f"{what}, {then}"}}


def tasks_of(opened: Any, ledger: Any, *, wanted: tuple[str, ...] = (), survey: str = "") -> Any:
    """Hazards with work left, one row per id, geometry what remains in the ledger, ``area_m2`` and the columns of the hazard.

    Hazards that ended, or of which less than a square metre remains, are left out; those without ground stay, with the reported area.
    A file that holds only polygons of another kind is taken as it is.
    """
    from geotools.model.errors import SchemaError

    hazards = opened.hazards
    if hazards.empty:
        hazards = _only_polygons(opened, survey)
    else:
        hazards = hazards.drop_duplicates("id")
        if "status" in hazards:
            status = hazards["status"]
            reopened = opened.events.get("hazard_id", [])
            hazards = hazards[status.isna() | status.isin(STATUSES) | hazards["id"].isin(reopened)]
    unknown = sorted(set(wanted) - set(hazards["id"].astype(str)))
    if unknown:
        raise SchemaError(
            f"there is no task '{unknown[0]}' with work left",
            hint="see geotools coverage for what remains",
            file=survey,
        )
    if wanted:
        hazards = hazards[hazards["id"].astype(str).isin(wanted)]
    tasks = _remaining(hazards, ledger)
    if tasks.empty:
        raise SchemaError(
            "there is no hazard with work left",
            hint="give a survey with open hazards, or a file of polygons",
            file=survey,
        )
    return tasks


def _only_polygons(opened: Any, survey: str) -> Any:
    from geotools.model.errors import SchemaError

    areas = [f for f in opened.layers.values() if len(f) and f.geom_type.isin(["Polygon", "MultiPolygon"]).any()]
    if len(areas) != 1 or "id" not in areas[0]:
        raise SchemaError("there are no hazards to plan for", hint="give a survey with hazards, or one file of polygons with ids", file=survey)  # fmt: skip
    return areas[0].drop_duplicates("id")


def _remaining(hazards: Any, ledger: Any) -> Any:
    import geopandas as gpd
    import pandas as pd

    from geotools.space import crs, geom, measure

    tasks = crs.to_wgs84(hazards) if hazards.crs is not None else hazards.copy()
    tasks["id"] = tasks["id"].astype(str)
    tasks = tasks.set_geometry(gpd.GeoSeries(geom.repair(tasks.geometry.array), index=tasks.index, crs=tasks.crs))
    tasks = tasks.set_index("id", drop=False)
    if ledger is not None:
        left = crs.to_wgs84(ledger.remaining)
        left = left.set_index(left["id"].astype(str)).geometry
        left = left[~left.index.duplicated()]
        mapped = tasks.geometry.notna() & ~tasks.geometry.is_empty
        shapes = [left.get(name) if has else None for name, has in zip(tasks.index, mapped, strict=True)]
        gone = [has and (shape is None or shape.is_empty) for has, shape in zip(mapped, shapes, strict=True)]
        tasks = tasks.set_geometry(gpd.GeoSeries(shapes, index=tasks.index, crs=tasks.crs))
        tasks = tasks[~pd.Series(gone, index=tasks.index)]
    area = measure.area(tasks) if len(tasks) else pd.Series(dtype=float)
    reported = pd.to_numeric(tasks.get("area_reported_m2"), errors="coerce") if "area_reported_m2" in tasks else None
    tasks["area_m2"] = area if reported is None else area.where(area.notna(), reported)
    blank = int(area.isna().sum())
    if blank:
        options.say(
            f"note: {blank} of {len(tasks)} tasks have no ground on the map; their size is as reported, all else unknown"
        )
    return tasks[~(tasks["area_m2"] < LEAST_M2)].sort_index().reset_index(drop=True)


def extra_columns(tasks: Any, file: Path | None, *, only: tuple[str, ...] = ()) -> tuple[Any, list[str]]:
    """Further columns of tasks (or some only) from a table with ``id``; values there go before those of the survey."""
    import pandas as pd

    from geotools import io
    from geotools.model.errors import SchemaError

    if file is None:
        return tasks, []
    table = pd.DataFrame(io.read(file))
    if "id" not in table:
        raise SchemaError("the table has no column 'id'", hint="one row per task, with the id of the survey", file=file)
    table = table.drop(columns=[c for c in ("geometry",) if c in table]).assign(id=table["id"].astype(str))
    strange = sorted(set(table["id"]) - set(tasks["id"]))
    if strange:
        options.say(f"note: {len(strange)} rows of {file.name} are not among the tasks, the first is '{strange[0]}'")
    if len(strange) == len(table):
        raise SchemaError(
            "no id in it is one of the tasks",
            hint="use the ids of the hazards (plan suitability --task ID …)",
            file=file,
        )
    names = [str(c) for c in table if c != "id" and (not only or c in only)]
    found = table.set_index("id").reindex(tasks["id"])
    out = tasks.copy()
    for name in names:
        given = found[name].to_numpy()
        out[name] = pd.Series(given, index=out.index).where(pd.notna(given), out[name]) if name in out else given
    return out, names
