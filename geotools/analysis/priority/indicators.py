"""What is measured about each task: people, settlements, land, roads, schools, water, accidents, evidence, cost.

For figures with what is not known about them; how much each counts is a matter of criteria.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.priority.people import DISTANCES_M, joined, on_plane, people_within, plane_of
from geotools.model.arguments import array, columns, number
from geotools.model.doors import checked
from geotools.model.errors import SchemaError
from geotools.space import geom

EVIDENCE = {"direct": 1.0, "indirect": 0.5, "none": 0.0}
RELIABILITY = {"1": 1.0, "2": 0.8, "3": 0.6, "4": 0.4, "5": 0.2}  # 6: not to be evaluated
FARMED = ("arable", "orchard")


@dataclass(frozen=True)
class Near:
    """How near counts, and how recent: metres, and years before the day of the ranking.

    Examples
    --------
    >>> Near(accident_years=3).accident_m, Near().victim_years
    (500.0, 2.0)
    """

    settlement_m: float = 1000.0
    school_m: float = 500.0
    water_m: float = 500.0
    road_m: float = 50.0
    accident_m: float = 500.0
    accident_years: float = 5.0
    victim_years: float = 2.0


@dataclass(frozen=True)
class Indicators:
    """Figures per task (index: id) and indicator (columns), with the least and the most they may be.

    Missing in all three frames: nothing is known. ``notes`` says how each was measured and what was missing.

    Parameters
    ----------
    value, low, high
        Figures and the ends of their intervals, all with the same index and columns.
    notes
        Indicator → how it was measured and what was missing.

    Raises
    ------
    SchemaError
        If the frames have different tasks or indicators, or a task is there twice.

    Examples
    --------
    >>> figures = Indicators.of(pd.DataFrame({"people": [10.0, None]}, index=["A", "B"]), error=2.0)
    >>> figures.to_frame().values.tolist()
    [['A', 10.0, 8.0, 12.0], ['B', nan, nan, nan]]
    """

    value: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for frame in (self.low, self.high):
            if not (frame.index.equals(self.value.index) and list(frame.columns) == list(self.value.columns)):
                raise SchemaError("value, low and high have the same tasks and indicators")
        if not self.value.index.is_unique:
            raise SchemaError(f"the task '{self.value.index[self.value.index.duplicated()][0]}' is there twice")

    @classmethod
    def of(cls, table: pd.DataFrame, *, error: pd.DataFrame | float = 0.0) -> Indicators:
        """From a plain table of figures, tasks as index; `error` is the half-width of each interval.

        Examples
        --------
        >>> Indicators.of(pd.DataFrame({"people": [10.0, None]}, index=["A", "B"])).high["people"].tolist()
        [10.0, nan]
        """
        columns(table, "the figures")
        value = pd.DataFrame({name: array(table[name], f"the figures of {name}") for name in table}, index=table.index)
        if not isinstance(error, pd.DataFrame):
            number(error, "the half-width of an interval", least=0)
        return cls(value, value - error, value + error)

    def to_frame(self) -> pd.DataFrame:
        """One wide table: ``id``, then each indicator with its ``_low`` and ``_high`` where they differ."""
        out: dict[str, Any] = {"id": self.value.index.astype(str)}
        for name in self.value.columns:
            out[name] = self.value[name].to_numpy()
            low, high = self.low[name].to_numpy(), self.high[name].to_numpy()
            if not (np.array_equal(low, out[name], equal_nan=True) and np.array_equal(high, out[name], equal_nan=True)):
                out[f"{name}_low"], out[f"{name}_high"] = low, high
        return pd.DataFrame(out)


@checked
def indicators(
    tasks: gpd.GeoDataFrame, layers: Mapping[str, gpd.GeoDataFrame], *, as_of: date, near: Near | None = None
) -> Indicators:
    """Measure every task.

    Parameters
    ----------
    tasks
        ``id`` and polygons of ground still hazardous, any CRS; ``evidence``, ``info_reliability``, ``contamination`` and ``cost_per_m2`` (with
        ``_low`` and ``_high``) where known.
    layers
        ``places``, ``landuse``, ``accidents`` (see the schema), as far as there are any. What a missing or empty layer would say is unknown.
    as_of
        Day of the ranking; later accidents do not count.
    near
        Distances and years.

    Returns
    -------
    Indicators
        ``people_100_m people_500_m people_1000_m settlements schools water arable_m2 pasture_m2 road_m accidents victims evidence
        cost_per_m2 area_m2``.

    Raises
    ------
    SchemaError
        If tasks have no ``id``.

    Examples
    --------
    >>> ground = gpd.GeoDataFrame({"id": ["A"], "evidence": ["direct"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs=4326)
    >>> found = indicators(ground, {}, as_of=date(2026, 6, 30))
    >>> float(found.value.loc["A", "evidence"]), bool(found.value["people_500_m"].isna().all())
    (1.0, True)
    """
    if "id" not in tasks:
        raise SchemaError("tasks need a column 'id'")
    near = near or Near()
    areas = joined(tasks)
    plane = plane_of(areas)
    shapes = on_plane(areas, plane)
    measured: dict[str, tuple[Any, Any, Any]] = {}
    notes: dict[str, str] = {}
    places = _filled(layers.get("places"))
    landuse = _filled(layers.get("landuse"))
    accidents = _filled(layers.get("accidents"))
    _people(areas, places, measured, notes)
    _places(shapes, places, plane, near, (measured, notes))
    _land(shapes, landuse, plane, near, (measured, notes))
    _accidents((areas, shapes), accidents, plane, (near, as_of), (measured, notes))
    of_task = tasks.assign(id=tasks["id"].astype(str)).drop_duplicates("id").set_index("id").reindex(areas["id"])
    _evidence(of_task, measured, notes)
    _cost(of_task, measured, notes)
    area = np.where(shapely.is_missing(shapes), np.nan, shapely.area(shapes))
    measured["area_m2"] = (area, area, area)
    index = pd.Index(areas["id"], name="id")
    frames = [
        pd.DataFrame({k: np.asarray(v[n], dtype=float) for k, v in measured.items()}, index=index) for n in range(3)
    ]
    return Indicators(frames[0], frames[1], frames[2], notes)


Sink = tuple[dict[str, tuple[Any, Any, Any]], dict[str, str]]


def _filled(layer: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    return None if layer is None or layer.empty else layer


def _unknown(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    blank = np.full(count, np.nan)
    return blank, blank, blank


def _people(
    areas: gpd.GeoDataFrame, places: gpd.GeoDataFrame | None, measured: dict[str, Any], notes: dict[str, str]
) -> None:
    names = [f"people_{d:g}_m" for d in DISTANCES_M]
    if places is None or "population" not in places:
        measured.update({name: _unknown(len(areas)) for name in names})
        notes.update(dict.fromkeys(names, "unknown: there are no places with population"))
        return
    found = people_within(areas, places)
    for name in names:
        measured[name] = tuple(found.table[f"{name}{end}"].to_numpy() for end in ("", "_low", "_high"))
        more = f"; {found.unknown} lived-in places have no population, they widen the figures" if found.unknown else ""
        together = f"{found.totals[name]:,.0f} near all tasks together"
        notes[name] = f"people of places within the distance of the ground, each once ({together}){more}"


def _places(shapes: np.ndarray, places: gpd.GeoDataFrame | None, plane: Any, near: Near, sink: Sink) -> None:
    measured, notes = sink
    for name, kinds, distance in (
        ("settlements", ("settlement", "camp"), near.settlement_m),
        ("schools", ("school", "clinic"), near.school_m),
        ("water", ("water",), near.water_m),
    ):
        known = places is not None and "type" in places and places["type"].isin(kinds).any()
        if not known or places is None:
            measured[name] = _unknown(len(shapes))
            notes[name] = f"unknown: the records hold no place of the kind {' or '.join(kinds)}"
            continue
        some = places[places["type"].isin(kinds)]
        task, _ = shapely.STRtree(on_plane(some, plane)).query(shapes, predicate="dwithin", distance=distance)
        measured[name] = _known(np.bincount(task, minlength=len(shapes)).astype(float), shapes)
        notes[name] = f"{' or '.join(kinds)} within {distance:g} m"


def _known(values: np.ndarray, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = np.where(shapely.is_missing(shapes), np.nan, values)
    return values, values, values


def _land(shapes: np.ndarray, landuse: gpd.GeoDataFrame | None, plane: Any, near: Near, sink: Sink) -> None:
    measured, notes = sink
    for name, kinds in (("arable_m2", FARMED), ("pasture_m2", ("pasture",)), ("road_m", ("road",))):
        some = None if landuse is None or "use" not in landuse else landuse[landuse["use"].isin(kinds)]
        if some is None or some.empty:
            measured[name] = _unknown(len(shapes))
            notes[name] = f"unknown: the land use holds no {' or '.join(kinds)}"
            continue
        ground = on_plane(some, plane)
        line = np.isin(shapely.get_type_id(ground), (1, 5))
        if name == "road_m":
            measured[name] = _known(_crossed(shapely.buffer(shapes, near.road_m), ground[line], shapely.length), shapes)
            notes[name] = f"metres of road in the ground or within {near.road_m:g} m"
        else:
            measured[name] = _known(_crossed(shapes, geom.repair(ground[~line]), shapely.area), shapes)
            notes[name] = f"{' and '.join(kinds)} inside the ground, m²; land that overlaps counts once"


def _crossed(shapes: np.ndarray, ground: np.ndarray, measure: Any) -> np.ndarray:
    """Area or length of the union of a layer inside each shape."""
    out = np.zeros(len(shapes))
    ground = ground[~shapely.is_missing(ground)]
    if not len(ground):
        return out
    task, piece = shapely.STRtree(ground).query(shapes, predicate="intersects")
    cut = shapely.intersection(shapes[task], ground[piece])
    alone = np.bincount(task, minlength=len(shapes)) == 1
    np.add.at(out, task[alone[task]], measure(cut[alone[task]]))
    for index in np.unique(task[~alone[task]]):
        out[index] = measure(shapely.union_all(cut[task == index]))
    return out


def _are_days(values: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_numeric_dtype(values)


def _accidents(ground: tuple[gpd.GeoDataFrame, np.ndarray], accidents: gpd.GeoDataFrame | None, plane: Any, when: tuple[Near, date], sink: Sink) -> None:  # fmt: skip
    (areas, shapes), (near, as_of), (measured, notes) = ground, when, sink
    if accidents is None:
        measured.update({name: _unknown(len(shapes)) for name in ("accidents", "victims")})
        notes.update(dict.fromkeys(("accidents", "victims"), "unknown: there are no records of accidents"))
        return
    points = on_plane(accidents, plane)
    task, event = shapely.STRtree(points).query(shapes, predicate="dwithin", distance=near.accident_m)
    links = accidents["hazard_id"].astype(object).to_numpy() if "hazard_id" in accidents else np.full(len(points), None)
    number = {name: place for place, name in enumerate(areas["id"])}
    linked = [(number[str(link)], e) for e, link in enumerate(links) if str(link) in number]
    pairs = sorted({*zip(task.tolist(), event.tolist(), strict=True), *linked})
    days = (
        pd.to_datetime(accidents["date"], errors="coerce", format=None if _are_days(accidents["date"]) else "ISO8601")
        if "date" in accidents
        else pd.Series(pd.NaT, index=accidents.index)
    )
    age = ((pd.Timestamp(as_of) - days).dt.days / 365.25).to_numpy(dtype=float)
    ones = np.ones(len(points))
    hurt = _victims(accidents)
    measured["accidents"] = _without_ground(
        shapes, _counted(pairs, len(shapes), age, near.accident_years, (ones, ones, ones))
    )
    measured["victims"] = _without_ground(shapes, _counted(pairs, len(shapes), age, near.victim_years, hurt))
    where = f"within {near.accident_m:g} m or linked"
    notes["accidents"] = f"accidents {where}, last {near.accident_years:g} years; undated ones may or may not count"
    notes["victims"] = (
        f"people killed or injured {where}, last {near.victim_years:g} years; unstated numbers are at least one"
    )


def _without_ground(shapes: np.ndarray, counts: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[Any, Any, Any]:
    """Where a task has no ground only linked accidents are known: at least those, at most as many as anywhere."""
    blank = shapely.is_missing(shapes)
    value, low, high = counts
    most = float(np.max(high, initial=1.0))
    return np.where(blank, np.nan, value), low, np.where(blank, most, high)


def _victims(accidents: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = [pd.to_numeric(accidents[n], errors="coerce").to_numpy(dtype=float, na_value=np.nan) if n in accidents else np.full(len(accidents), np.nan) for n in ("killed", "injured")]  # fmt: skip
    total = np.nansum(parts, axis=0)
    unstated = np.isnan(parts).any(axis=0)
    most = float(np.nanmax(total, initial=1.0))
    low = np.where(unstated, np.maximum(total, 1.0), total)
    return low, low, np.where(unstated, np.maximum(total, most), total)


def _counted(pairs: list[tuple[int, int]], count: int, age: np.ndarray, years: float, worth: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Sums per task: best guess, least (undated ones left out), most (undated ones in)."""
    inside = (age >= 0) & (age <= years)
    undated = np.isnan(age)
    out = []
    for values, take in zip(worth, (inside | undated, inside, inside | undated), strict=True):
        sums = np.zeros(count)
        for task, event in pairs:
            sums[task] += values[event] if take[event] else 0.0
        out.append(sums)
    return out[0], out[1], out[2]


def _evidence(of_task: pd.DataFrame, measured: dict[str, Any], notes: dict[str, str]) -> None:
    blank = pd.Series(np.nan, index=of_task.index)
    value = of_task["evidence"].map(EVIDENCE).astype(float) if "evidence" in of_task else blank
    if "info_reliability" in of_task:
        said = of_task["info_reliability"].astype(str).str.strip().str[:1].map(RELIABILITY).astype(float)
        value = value * said.fillna(1.0)
    figures = value.to_numpy()
    measured["evidence"] = (figures, figures, figures)
    missing = int(np.isnan(figures).sum())
    notes["evidence"] = (
        f"direct 1, indirect 0.5, none 0, times the reliability of the information where stated; not stated for {missing} tasks"
    )


def _cost(of_task: pd.DataFrame, measured: dict[str, Any], notes: dict[str, str]) -> None:
    found = [pd.to_numeric(of_task[n], errors="coerce").to_numpy(dtype=float) if n in of_task else None for n in ("cost_per_m2", "cost_per_m2_low", "cost_per_m2_high")]  # fmt: skip
    value = found[0] if found[0] is not None else np.full(len(of_task), np.nan)
    measured["cost_per_m2"] = (value, value if found[1] is None else found[1], value if found[2] is None else found[2])
    notes["cost_per_m2"] = "as stated in the table of tasks" if found[0] is not None else "unknown: no cost is stated"
