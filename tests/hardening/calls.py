"""One sound call of every public function that takes records or figures, and what careless callers make of its arguments.

For `test_hostile_calls.py`; not for judging what comes of it. All records are synthetic.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import geotools as gt
from geotools.analysis.swath import Tool
from geotools.space.grid import Grid, Raster
from tests.conftest import ORIGIN, UTM, fixes, frame, hazard, legs, release, square

Call = tuple[Callable[..., Any], dict[str, Any]]
DAY = date(2024, 6, 30)
EAST, NORTH = ORIGIN
WORDS = ("nonsense", "", "<b>\u202e=1+1")


def _points(count: int = 6, **values: Any) -> gpd.GeoDataFrame:
    places = gpd.points_from_xy([EAST + 7.0 * n for n in range(count)], [NORTH + 0.5 * n for n in range(count)])
    return gpd.GeoDataFrame({"id": [f"p{n}" for n in range(count)], **values}, geometry=places, crs=UTM)


def _table(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


def _swath() -> dict[str, Call]:
    track = fixes([(0.5 * n, 1.0) for n in range(30)])
    task = frame({"id": "T-1", "geometry": shapely.box(EAST, NORTH, EAST + 15, NORTH + 3)})
    made = gt.swath.passes(track, task)
    return {
        "swath.passes": (gt.swath.passes, {"fixes": track, "task": task, "tool": Tool(width_m=0.5)}),
        "swath.prepare": (gt.swath.prepare, {"fixes": track, "task": task}),
        "swath.cover": (gt.swath.cover, {"passes": made, "task": task, "method": "manual"}),
        "swath.swaths": (gt.swath.swaths, {"passes": made}),
        "swath.grid_of": (gt.swath.grid_of, {"task": task, "cell_m": 0.5, "margin_m": 1.0}),
        "swath.grid_within": (gt.swath.grid_within, {"task": task, "cell_m": 0.5, "most": 1000}),
    }  # fmt: skip


def _progress() -> dict[str, Call]:
    days = pd.date_range("2022-01-15", periods=24, freq="MS")
    credits = _table(
        id=[f"R{n}" for n in range(24)], product="cleared", counted_as="cleared", date=days, net_m2=1000.0, organisation="A",
        admin1="Fuzuli", activity_id="A-1", method="manual",
    )  # fmt: skip
    finds = _table(category=["ap_mine", None], qty=[3, 1], date=pd.to_datetime(["2024-01-09"] * 2), activity_id="A-1")
    days2 = {"start": pd.to_datetime(["2024-05-06"]), "end": pd.to_datetime(["2024-05-10"])}
    acts = _table(id=["A-1"], workers=[10], hours=[80.0], **days2)
    return {
        "progress.annual": (gt.progress.annual, {"credits": credits, "finds": finds, "by": "admin1"}),
        "progress.bulletin": (gt.progress.bulletin, {"credits": credits, "finds": finds, "start": date(2023, 3, 1), "end": date(2023, 3, 31)}),
        "progress.counted": (gt.progress.counted, {"credits": credits}),
        "progress.forecast": (gt.progress.forecast, {"credits": credits, "remaining_m2": 6000.0, "as_of": date(2023, 12, 31), "months": 36, "draws": 100, "seed": 1}),
        "progress.found": (gt.progress.found, {"finds": finds, "period": "month", "by": ("activity_id",)}),
        "progress.monthly_rates": (gt.progress.monthly_rates, {"credits": credits, "as_of": date(2023, 12, 31), "months": 12}),
        "progress.productivity": (gt.progress.productivity, {"activities": acts, "credits": credits, "finds": finds}),
        "progress.released": (gt.progress.released, {"credits": credits, "period": "month", "by": ("organisation",)}),
        "progress.with_total": (gt.progress.with_total, {"table": _table(period=["2024"], cleared_m2=[1.0])}),
    }  # fmt: skip


def _ledger() -> dict[str, Call]:
    hazards, releases = frame(hazard(), hazard("H-2", square(200))), frame(release())
    found = gt.coverage(hazards, releases)
    issues = gt.check({"hazards": hazards, "releases": releases})
    return {
        "coverage": (gt.coverage, {"hazards": hazards, "releases": releases, "as_of": DAY, "priority": "first", "engine": "geos", "product": "cleared", "date": DAY, "events": frame(release("E-1", event="reopened"))}),
        "coverage.by": (found.by, {"column": "product"}),
        "coverage.at": (found.at, {"as_of": DAY}),
        "coverage.between": (found.between, {"start": date(2022, 1, 1), "end": DAY}),
        "coverage.periods": (found.periods, {"unit": "year"}),
        "release.explain": (gt.release.explain, {"coverage": found, "hazard_id": "H-1"}),
        "release.known": (gt.release.known, {"table": found.table}),
        "release.spreadsheet": (gt.release.spreadsheet, {"table": found.table}),
        "release.totals_table": (gt.release.totals_table, {"table": found.table, "totals": found.totals}),
        "check": (lambda hazards, releases, only: gt.check({"hazards": hazards, "releases": releases}, only=only), {"hazards": hazards, "releases": releases, "only": "TP"}),
        "checks.repair": (gt.checks.repair, {"frame": hazards, "kind": "hazards"}),
        "checks.compare": (gt.checks.compare, {"old_issues": issues, "new_issues": issues}),
        "checks.catalogue": (gt.checks.catalogue, {"language": "en"}),
        "field.merge": (gt.field.merge, {"base": hazards, "ours": hazards, "theirs": hazards, "kind": "hazards", "key": "id", "prefer": "ours"}),
        "map": (lambda releases, as_of: gt.map({"hazards": hazards, "releases": releases}, as_of=as_of), {"releases": releases, "as_of": DAY}),
        "write": (lambda frame, format: gt.write(frame, _scratch() / "layer.out", format=format, overwrite=True), {"frame": hazards, "format": "GeoJSON"}),
        "write (KML)": (lambda frame: gt.write(frame, _scratch() / "layer.kml", overwrite=True), {"frame": hazards}),
        "write (GPX)": (lambda frame: gt.write(frame, _scratch() / "layer.gpx", overwrite=True), {"frame": _points()}),
        "write (CSV)": (lambda frame: gt.write(frame, _scratch() / "layer.csv", overwrite=True), {"frame": hazards}),
        "write (GPKG)": (lambda frame: gt.write(frame, _scratch() / "layer.gpkg", overwrite=True), {"frame": hazards}),
    }  # fmt: skip


def _space() -> dict[str, Call]:
    ground, line = frame(hazard(), hazard("H-2", square(200))), _points()
    sheet = legs(
        ("SP", "TP1", 92.0, 118.4), ("TP1", "TP2", 171.5, 76.2), ("TP2", "TP3", 244.0, 64.9), ("TP3", "SP", 278.5, 88.7)
    )
    start = gt.traverse.Start(EAST, NORTH, UTM)
    marks = {"A": (0.0, 0.0), "B": (10.0, 0.0)}
    return {
        "measure.area": (gt.measure.area, {"geometry": ground}),
        "measure.length": (gt.measure.length, {"geometry": ground}),
        "measure.area_sigma": (gt.measure.area_sigma, {"geometry": ground, "sigma_m": 3.0}),
        "geom.repair": (gt.geom.repair, {"geometry": ground.geometry}),
        "crs.parse": (gt.crs.parse, {"crs": UTM}),
        "crs.require": (gt.crs.require, {"frame": ground}),
        "crs.metric": (gt.crs.metric, {"frame": ground}),
        "crs.to_wgs84": (gt.crs.to_wgs84, {"frame": ground}),
        "crs.operations": (gt.crs.operations, {"frame": ground, "to": "EPSG:28408"}),
        "crs.shift": (gt.crs.shift, {"frame": ground, "to": "EPSG:28408", "operation": "EPSG:15865"}),
        "crs.diagnose": (gt.crs.diagnose, {"data": ground, "crs": UTM, "extent": (46.0, 39.0, 48.0, 40.0), "reference": line}),
        "crs.to_mgrs": (gt.crs.to_mgrs, {"lon": 47.14, "lat": 39.6, "digits": 5}),
        "crs.from_mgrs": (gt.crs.from_mgrs, {"text": "38SPJ8373885550"}),
        "crs.to_utm": (gt.crs.to_utm, {"lon": 47.14, "lat": 39.6, "decimals": 1}),
        "crs.utm": (gt.crs.utm, {"lon": 47.14, "lat": 39.6}),
        "crs.utm_zone": (gt.crs.utm_zone, {"lon": 47.14, "lat": 39.6}),
        "crs.equal_area": (gt.crs.equal_area, {"bounds": (46.0, 39.0, 48.0, 40.0)}),
        "crs.transform": (gt.crs.transform, {"geometries": ground.geometry.array, "source": UTM, "target": "EPSG:4326"}),
        "crs.densify": (gt.crs.densify, {"geometries": ground.to_crs(4326).geometry.array, "longest_m": 50.0}),
        "crs.label": (gt.crs.label, {"crs": UTM}),
        "declination.declination_deg": (gt.declination.declination_deg, {"lat": 39.6, "lon": 47.14, "date": DAY, "height_m": 200.0}),
        "declination.convergence_deg": (gt.declination.convergence_deg, {"lon": 47.14, "lat": 39.6, "crs": UTM}),
        "notation.parse_angle": (gt.notation.parse_angle, {"value": "92.5", "unit": "deg"}),
        "notation.format_angle": (gt.notation.format_angle, {"degrees": 92.5, "unit": "dms"}),
        "notation.parse_position": (gt.notation.parse_position, {"value": "39.6 47.14", "order": "yx", "h_acc_m": 3.0}),
        "notation.parse_positions": (gt.notation.parse_positions, {"values": ["39.6012 N 47.1401 E"], "crs": None, "h_acc_m": 3.0}),
        "traverse.solve": (gt.traverse.solve, {"legs": sheet, "start": start, "north": "grid", "date": DAY}),
        "traverse.solve_all": (gt.traverse.solve_all, {"legs": sheet, "start": start, "north": "magnetic", "date": DAY}),
        "traverse.read_legs": (gt.traverse.read_legs, {"legs": sheet, "north": "grid", "unit": "deg"}),
        "traverse.inverse": (gt.traverse.inverse, {"polygon": frame(hazard()), "crs": UTM, "date": DAY, "landmark": (47.13, 39.58), "direction": "clockwise"}),
        "traverse.fit_points": (gt.traverse.fit_points, {"computed": marks, "measured": marks}),
        "grid.Grid": (Grid, {"west": 0.0, "north": 0.0, "cell": 1.0, "shape": (2, 2), "crs": UTM}),
        "grid.Grid.around": (Grid.around, {"bounds": (0.0, 0.0, 5.0, 5.0), "cell": 1.0, "crs": UTM}),
        "schema.schema": (gt.schema.schema, {"kind": "hazards"}),
    }  # fmt: skip


def _terrain() -> dict[str, Call]:
    dem = Raster(np.add.outer(np.arange(8.0), np.arange(8.0)), Grid(EAST, NORTH + 80, 10.0, (8, 8), UTM))
    more = {"dem": dem, "vertical_unit": "m", "tile": 4}
    from geotools.analysis.suitability.layers import Flat

    flat, mematt = Flat(dem.grid), gt.suitability.machine("mematt")
    task = frame({"id": "T-1", "geometry": square(side=40)})
    return {
        "terrain.slope": (gt.terrain.slope, more),
        "terrain.aspect": (gt.terrain.aspect, {**more, "north": "grid"}),
        "terrain.tri": (gt.terrain.tri, {**more, "method": "riley"}),
        "terrain.curvature": (gt.terrain.curvature, {**more, "kind": "plan"}),
        "terrain.drainage": (gt.terrain.drainage, {"dem": dem, "threshold_m2": 500.0, "vertical_unit": "m"}),
        "suitability.assess": (gt.suitability.assess, {"slopes": flat, "machine": mematt, "tasks": task}),
        "suitability.machine": (gt.suitability.machine, {"name": "mematt"}),
    }


def _lanes() -> dict[str, Call]:
    task, tool = frame({"id": "T-1", "geometry": square(side=40)}), gt.lanes.Tool(2.0)
    made = gt.lanes.plan(task, tool)
    other = frame({"id": "X", "geometry": square(5, 5, side=5)})
    given = {
        "width_m": 2.0,
        "overlap_m": 0.1,
        "kind": "machine",
        "turn_radius_m": 3.0,
        "speed_kmh": 2.0,
        "turn_s": 10.0,
    }
    return {
        "lanes.Tool": (gt.lanes.Tool, given),
        "lanes.Settings": (gt.lanes.Settings, {"bearing_deg": 10.0, "headlands": 1, "passes": 1, "second": "perpendicular", "pattern": "auto", "setback_m": 1.0, "wind_from_deg": 90.0}),
        "lanes.plan": (gt.lanes.plan, {"task": task, "tool": tool, "exclusions": other, "start": _points(1)}),
        "lanes.compare": (gt.lanes.compare, {"lanes": made.lanes, "covered": other, "done_share": 0.9}),
        "lanes.bearing": (gt.lanes.bearing, {"ground": square()}),
        "lanes.crossings": (gt.lanes.crossings, {"ground": square(), "bearing_deg": 20.0, "width_m": 2.0}),
        "lanes.hours": (gt.lanes.hours, {"length_m": 100.0, "turns": 3, "tool": gt.lanes.Tool(**given)}),
        "lanes.order": (gt.lanes.order, {"count": 6, "pattern": "snake", "size": 2}),
        "lanes.passes": (gt.lanes.passes, {"width_m": 30.0, "tool": tool}),
        "lanes.turn_m": (gt.lanes.turn_m, {"distance_m": 3.0, "radius_m": 2.0}),
    }  # fmt: skip


def _priority() -> dict[str, Call]:
    tasks = frame({"id": "T-1", "geometry": square()}, {"id": "T-2", "geometry": square(400)})
    homes = _points(population=[10.0, 20, 30, 5, 0, 1], kind="settlement")
    figures = gt.priority.Indicators.of(pd.DataFrame({"people": [900.0, 10.0]}, index=["A", "B"]))
    rules = gt.priority.Criteria((gt.priority.Criterion("People", "people", 1.0),))
    ranking = gt.priority.rank(figures, rules)
    return {
        "priority.people_within": (gt.priority.people_within, {"tasks": tasks, "population": homes, "distances_m": (100.0, 500.0)}),
        "priority.indicators": (lambda tasks, places, accidents, as_of: gt.priority.indicators(tasks, {"places": places, "accidents": accidents}, as_of=as_of), {"tasks": tasks, "places": homes, "accidents": _points(date=pd.Timestamp("2024-01-01"), victims=1), "as_of": DAY}),
        "priority.Criterion": (gt.priority.Criterion, {"name": "People", "indicator": "people", "weight": 1.0, "better": "more", "scale": "linear", "worst": 0.0, "best": 9.0, "error": 0.1}),
        "priority.Indicators.of": (gt.priority.Indicators.of, {"table": pd.DataFrame({"people": [900.0, 10.0]}, index=["A", "B"]), "error": 0.1}),
        "priority.rank": (gt.priority.rank, {"indicators": figures, "criteria": rules, "method": "sum"}),
        "priority.stability": (gt.priority.stability, {"ranking": ranking, "top": 1, "draws": 20, "concentration": 50.0, "seed": 1}),
        "priority.swap": (gt.priority.swap, {"ranking": ranking, "above": "A", "below": "B"}),
        "priority.contributions": (gt.priority.contributions, {"ranking": ranking, "top": 2}),
        "priority.criteria": (gt.priority.criteria, {"source": "example"}),
        "priority.ahp": (gt.priority.ahp, {"judgements": {("a", "b"): 2.0}, "random_index": "saaty"}),
        "priority.Preference": (gt.priority.Preference, {"shape": "linear", "q": 0.0, "p": 1.0, "s": 0.0}),
        "priority.answers_from": (gt.priority.answers_from, {"indicators": figures, "contamination": pd.Series(["ap", None], index=["A", "B"])}),
    }  # fmt: skip


def _teams() -> dict[str, Call]:
    rate = gt.teams.Rate(500.0, cv=0.1)
    crew = gt.teams.Team("M-1", {"manual": rate})
    tasks = frame({"id": "T-1", "area_m2": 10_000.0, "value": 1.0, "geometry": square()})
    work = gt.teams.steps(tasks, skills=("manual",), behind_machine=())
    sheets = _table(
        task_id=["T", "T", "U"], crew=["M-1"] * 3, days=1.0, m2_per_day=[500.0, 600.0, 550.0], date=pd.date_range("2024-05-01", periods=3), m2=[500.0, 600.0, 550.0],
        hours=6.0, minutes=360.0, signals=[3, 5, 4], mines=[0, 1, 0], vegetation=1.0, skill="manual",
    )  # fmt: skip
    days = {"start": pd.to_datetime(["2024-05-06"]), "end": pd.to_datetime(["2024-05-10"])}
    acts = _table(id=["A"], team=["M-1"], method=["manual"], processed_m2=[500.0], workers=[10], hours=[80.0], **days)
    plan = gt.teams.plan(work, [crew], start=DAY, effort=0.0)
    return {
        "teams.Rate": (gt.teams.Rate, {"m2_per_day": 500.0, "cv": 0.1, "day_cv": 0.1, "days": 3.0}),
        "teams.Team": (gt.teams.Team, {"id": "M", "rates": {"manual": rate}, "base": (47.1, 39.6), "hours": 7.0, "speed_kmh": 30.0, "detour": 1.4, "move_days": 0.0}),
        "teams.Calendar": (gt.teams.Calendar, {"weekdays": ("mon",), "weather": 0.1}),
        "teams.steps": (gt.teams.steps, {"tasks": tasks, "skills": ("manual",), "lot_m2": 1000.0, "least_m2": 1.0}),
        "teams.plan": (gt.teams.plan, {"work": work, "teams": [crew], "start": DAY, "goal": "value", "horizon_days": 100, "effort": 0.0}),
        "teams.simulate": (gt.teams.simulate, {"plan": plan, "draws": 20, "seed": 1}),
        "teams.marginal": (gt.teams.marginal, {"plan": plan, "extras": [crew], "by": DAY, "effort": 0.0, "draws": 20}),
        "teams.finish": (gt.teams.finish, {"area_m2": 5000.0, "rates": rate, "start": DAY, "draws": 50, "seed": 1}),
        "teams.calibrate": (gt.teams.calibrate, {"sheets": sheets, "by": ("crew",), "level": 0.8}),
        "teams.day_sheets": (gt.teams.day_sheets, {"activities": acts, "skills": ("manual",)}),
        "teams.fit_lane_minutes": (gt.teams.fit_lane_minutes, {"sheets": sheets, "prior": gt.teams.LaneMinutes(1.0, 2.0, 0.1, 3.0, 30.0), "prior_days": 5.0, "draws": 10}),
        "teams.field_work": (gt.teams.field_work, {"length_m": 100.0, "breadth_m": 50.0, "width_m": 1.7, "speed_kmh": 1.0, "overlap_m": 0.2, "turn_s": 30.0}),
        "teams.machine_day": (gt.teams.machine_day, {"width_m": 1.7, "speed_kmh": 1.0, "efficiency": 0.8, "hours": 6.0, "availability": 0.9, "maintenance": 0.1}),
        "teams.passes": (gt.teams.passes, {"breadth_m": 50.0, "width_m": 1.7, "overlap_m": 0.2}),
        "teams.smith_order": (gt.teams.smith_order, {"value": [5.0, 3.0], "time": [4.0, 6.0]}),
        "teams.teams_from": (gt.teams.teams_from, {"data": {"team": [{"id": "M-1", "rates": {"manual": 100.0}}]}}),
    }  # fmt: skip


ROOMS = (_ledger, _space, _swath, _progress, _terrain, _lanes, _priority, _teams)


@cache
def calls() -> dict[str, Call]:
    """Every sound call by name."""
    return {name: call for room in ROOMS for name, call in room().items()}


@cache
def _scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="calls-"))


def careless(value: Any) -> Iterator[tuple[str, Any]]:
    """What a careless caller gives instead: (words, value)."""
    if isinstance(value, pd.DataFrame):
        yield from _frames(value)
    elif isinstance(value, bool):
        return
    elif isinstance(value, int | float):
        yield from (
            ("nan", np.nan),
            ("minus one", -1),
            ("zero", 0),
            ("text", "5"),
            ("words", "many"),
            ("infinite", np.inf),
            ("a list", [1.0]),
        )
        yield ("missing", pd.NA)
    elif isinstance(value, date):
        yield from (
            ("no date", "31.02.2024"),
            ("words", "yesterday"),
            ("a number", 20240630),
            ("not a time", pd.NaT),
            ("text", "2024-06-30"),
        )
    elif isinstance(value, str):
        yield from (*((f"words {word!r}", word) for word in WORDS), ("a number", 7), ("nan", np.nan))
    elif isinstance(value, tuple | list):
        yield from (
            ("empty", type(value)()),
            ("one number", 3.0),
            ("text", "abc"),
            ("nan", type(value)([np.nan])),
            ("words", type(value)(["x"])),
        )
    elif isinstance(value, Mapping):
        yield from (("empty", {}), ("words", {"x": "y"}), ("a list", [1]))
    elif isinstance(value, shapely.Geometry):
        yield from (
            ("empty", shapely.Polygon()),
            ("a point", shapely.Point(1, 2)),
            ("nan", shapely.Point(np.nan, 1)),
            ("text", "POINT (1 2)"),
        )
    elif isinstance(value, Raster):
        yield ("all missing", Raster(np.full(value.values.shape, np.nan), value.grid))
        yield ("geographic", Raster(value.values, Grid(47.0, 39.6, 0.001, value.grid.shape, "EPSG:4326")))
        yield ("words", Raster(value.values.astype(str), value.grid))
        yield ("an array", value.values)
    elif isinstance(value, Grid):
        yield ("geographic", Grid(47.0, 39.6, 0.001, value.shape, "EPSG:4326"))
        yield ("no cells", Grid(value.west, value.north, value.cell, (0, 0), value.crs))
    elif isinstance(value, pd.Series | np.ndarray):
        yield ("empty", value[:0])
    if not isinstance(value, bool):
        yield ("none", None)


def _frames(given: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    yield ("empty", given.iloc[:0])
    yield ("twice", pd.concat([given, given]))
    yield ("no columns", given.iloc[:, :0] if not isinstance(given, gpd.GeoDataFrame) else given[["geometry"]])
    for name in given.columns:
        if name == "geometry":
            continue
        column = given[name]
        yield (f"without {name}", given.drop(columns=name))
        yield (f"{name} missing", given.assign(**{name: None}))
        yield (f"{name} in words", given.assign(**{name: "many"}))
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            numbers = (("nan", np.nan), ("negative", -5), ("infinite", np.inf), ("as text", "5"))
            yield from ((f"{name} {words}", given.assign(**{name: number})) for words, number in numbers)
        else:
            yield (f"{name} a number", given.assign(**{name: 7.5}))
    if isinstance(given, gpd.GeoDataFrame):
        yield ("no reference system", given.set_crs(None, allow_override=True))
        yield ("geographic", given.to_crs(4326))
        yield ("wrong system", given.set_crs(4326, allow_override=True))
        shapes: dict[str, Any] = {
            "no geometry": None, "empty geometry": shapely.Polygon(), "points": shapely.Point(EAST, NORTH), "nan point": shapely.Point(np.nan, np.nan),
            "line": shapely.LineString([(EAST, NORTH), (EAST + 9, NORTH)]),
            "bow tie": shapely.Polygon([(EAST, NORTH), (EAST + 9, NORTH + 9), (EAST + 9, NORTH), (EAST, NORTH + 9)]),
            "collection": shapely.GeometryCollection([square(), shapely.Point(EAST, NORTH)]),
            "nowhere": shapely.Point(1e12, 1e12).buffer(1.0),
        }  # fmt: skip
        for words, shape in shapes.items():
            yield (words, given.set_geometry([shape] * len(given), crs=given.crs))
        first = np.array(given.geometry.array, dtype=object)
        first[:1] = None
        yield ("one without geometry", given.set_geometry(first, crs=given.crs))
        yield ("a plain table", pd.DataFrame(given.drop(columns="geometry")))
        yield ("a series", given.geometry)


@cache
def cases() -> tuple[tuple[str, str, str], ...]:
    """Every case by name: function, argument, what it is given instead."""
    return tuple(
        (name, argument, words)
        for name, (_, good) in calls().items()
        for argument, value in good.items()
        for words, _ in careless(value)
    )


def run(name: str, argument: str, words: str) -> Any:
    """The call of a case."""
    function, good = calls()[name]
    given = dict(careless(good[argument]))[words]
    return function(**{**good, argument: given})
