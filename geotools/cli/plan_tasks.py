"""The tasks that `plan priority` and `plan teams` plan for: hazards still to be worked on, with the ground that remains of them.

For reading them from a survey or one file; what is planned stands in the files of the commands.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from geotools.cli import options, plan_files

STATUSES = ("open", "worked_on", "suspended")
LEAST_M2 = 1.0


def stated(as_of: date | None) -> str:
    """Of which day the records are taken, in words."""
    return "all records" if as_of is None else f"as of {as_of}"


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


def undated(opened: Any, ledger: Any) -> dict[str, Any]:
    """How many releases without a date release ground, or would if they counted, whether they do count, and that in words; empty if there are none."""
    if ledger is None:
        return {}
    credits = ledger.credits
    bare = credits[credits["counted_as"].isin(["cleared", "reduced", "cancelled"]) & credits["date"].isna()]
    counted = ledger.as_of is None
    count = (
        int((bare["net_m2"] > 0).sum()) if counted else _reaching(opened.releases, set(bare["id"]), ledger.remaining)
    )
    if not count:
        return {}
    what = f"{count} {'release has' if count == 1 else 'releases have'} no date"
    then = "counted as released, after all that are dated: with --as-of DAY they are left out"
    if not counted:
        then = f"left out: they cannot be shown to be known on {ledger.as_of}, so their ground is planned as work left"
    return {"undated_releases": {"count": count, "counted": counted, "words": f"{what}, {then}"}}


def _reaching(releases: Any, ids: set[Any], remaining: Any) -> int:
    """How many of these releases have ground in what remains."""
    import shapely

    from geotools.model.figures import NOISE_M2
    from geotools.space import crs, geom, measure

    rows = releases[releases["id"].isin(ids) & releases.geometry.notna()]
    if rows.empty or remaining.empty:
        return 0
    rows = crs.to_wgs84(rows) if rows.crs is not None else rows
    left = crs.to_wgs84(remaining).geometry
    whole = shapely.union_all(geom.repair(left[left.notna()].array))
    parts = shapely.intersection(geom.repair(rows.geometry.array), whole)
    return int((measure.area(rows.set_geometry(list(parts), crs=rows.crs)) > NOISE_M2).sum())


def closed_left_out(opened: Any, ledger: Any) -> dict[str, Any]:
    """Hazards on record as closed, released or cancelled of which ground remains: they are no tasks, and that is said; empty if there are none."""
    from geotools.model.figures import hectares
    from geotools.model.vocab import vocabulary

    hazards = opened.hazards
    if hazards.empty or "status" not in hazards:
        return {}
    hazards = hazards.drop_duplicates("id")
    ended = hazards[~_has_work(opened, hazards)]
    left = _left_of(ended, ledger)
    rows: list[dict[str, Any]] = [
        {"id": str(name), "status": str(status), "remaining_m2": float(left[name])}
        for name, status in zip(ended["id"], ended["status"], strict=True)
        if left.get(name, 0.0) >= LEAST_M2
    ]
    if not rows:
        return {}
    rows.sort(key=lambda row: row["id"])
    total = sum(row["remaining_m2"] for row in rows)
    named = vocabulary("hazard_status")
    said = " or ".join(plan_files.shown(named.label(key).lower()) for key in sorted({row["status"] for row in rows}))
    one = len(rows) == 1
    words = (
        f"{len(rows):,} {'hazard' if one else 'hazards'} ({hectares(total, 'up')} remaining) {'is' if one else 'are'} on record as {said} "
        f"and {'is' if one else 'are'} left out: see geotools check"
    )
    if ledger is not None and ledger.as_of is not None:
        words += f"; that is the status in the records, whatever it was on {ledger.as_of}"
    return {"closed_left_out": {"count": len(rows), "remaining_m2": total, "hazards": rows, "words": words}}


def _has_work(opened: Any, hazards: Any) -> Any:
    """Which hazards are not ended by their status, or were reopened since."""
    status = hazards["status"]
    return status.isna() | status.isin(STATUSES) | hazards["id"].isin(opened.events.get("hazard_id", []))


def _left_of(hazards: Any, ledger: Any) -> dict[Any, float]:
    """m² that remain of each hazard by the ledger; without one, all of its ground."""
    from geotools.space import crs, geom, measure

    if ledger is not None:
        left = ledger.table.drop_duplicates("id").set_index("id")["remaining_m2"]
        return {name: float(left[name]) for name in hazards["id"] if name in left.index}
    placed = crs.to_wgs84(hazards) if hazards.crs is not None else hazards
    areas = measure.area(placed.set_geometry(list(geom.repair(placed.geometry.array)), crs=placed.crs))
    return dict(zip(hazards["id"], areas.fillna(0.0).tolist(), strict=True))


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
            hazards = hazards[_has_work(opened, hazards)]
    unknown = sorted(set(wanted) - set(hazards["id"].astype(str)))
    if unknown:
        ended = closed_left_out(opened, ledger).get("closed_left_out", {"hazards": []})["hazards"]
        why = (
            "; ground of it remains, but it is on record as ended" if unknown[0] in {row["id"] for row in ended} else ""
        )
        raise SchemaError(
            f"there is no task '{unknown[0]}' with work left{why}",
            hint="see geotools coverage for what remains, and geotools check for status against ground",
            file=survey,
        )
    if wanted:
        hazards = hazards[hazards["id"].astype(str).isin(wanted)]
    tasks = _remaining(hazards, ledger)
    if tasks.empty:
        told = [] if wanted else [one["words"] for one in closed_left_out(opened, ledger).values()]
        raise SchemaError(
            "; ".join(["there is no hazard with work left", *told]),
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
