"""`assess`: the suitability of every cell and every task for one machine.

For the computation, tile by tile; its result is in `result`, limits in `limits`, layers in `layers`.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.errors import RasterioIOError

from geotools.analysis.suitability import access, limits
from geotools.analysis.suitability.cover import Cover, legend_of, near_cover, word_of
from geotools.analysis.suitability.findings import findings
from geotools.analysis.suitability.layers import (
    Burnt,
    Lattice,
    Layers,
    Slopes,
    away,
    placed,
    reach,
    shapes_of,
    zones,
)
from geotools.analysis.suitability.limits import CONDITIONAL, CRITERIA, NOT, OK, PLACE, UNKNOWN, Settings
from geotools.analysis.suitability.machines import Machine
from geotools.analysis.suitability.result import Suitability
from geotools.analysis.suitability.zones import fractions, ground, table, task_class
from geotools.model.doors import checked
from geotools.model.errors import ReadError
from geotools.model.progress import Progress, tracked
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs
from geotools.space import geom, measure

Window = tuple[int, int, int, int]
Judge = Callable[[Window], "np.ndarray | int"]
STAND_INS = {"buildings": "built", "water": "water"}  # words of the land cover that stand for a layer
CROSSED = ("cover", "soil", "vegetation", "rock", "obstacles", "buildings", "water")
TASK_COLUMNS = (
    "id",
    "class",
    "area_m2",
    "workable_m2",
    "conditional_m2",
    "unknown_m2",
    "not_m2",
    "workable_share",
    "conditional_share",
    "unknown_share",
    "not_share",
)
LIMIT_COLUMNS = (
    "task_id",
    "criterion",
    "limit",
    "source",
    "as_of",
    "grade",
    "not_m2",
    "only_not_m2",
    "unknown_m2",
    "conditional_m2",
)
CACHE_MB = 128


@checked
def assess(
    slopes: Slopes, machine: Machine, layers: Layers | None = None, *, tasks: gpd.GeoDataFrame | gpd.GeoSeries | None = None, settings: Settings | None = None,
    progress: Progress | None = None,
) -> Suitability:  # fmt: skip
    """Judge where a machine, dog or team can work.

    Parameters
    ----------
    slopes
        The lattice and its slopes: `terrain.gradients`, or `Flat` where there are no heights (slope is unknown then).
    machine
        Its sourced limits; see `machine`.
    layers
        Land cover, soil, vegetation, obstacles, buildings, water, roads, stands; what is missing is unknown.
    tasks
        Polygons (``id``) to sum up, in any CRS; rows of the same id are one task, rows without one are called ``row 1``, ``row 2`` … by their place.
    settings
        Bearing of the lanes, waivers, shares.

    Returns
    -------
    Suitability
        Each cell has the worst of its criteria: ``not`` before ``unknown`` before ``conditional`` before ``workable``. A missing limit,
        layer or height is ``unknown``, never ``workable``.

    Raises
    ------
    ReadError, CRSError, SchemaError
        If a raster or layer cannot be used.

    Examples
    --------
    >>> import shapely
    >>> from geotools.analysis.suitability.layers import Flat
    >>> from geotools.analysis.suitability.machines import machine as row
    >>> from geotools.space.grid import Grid
    >>> task = gpd.GeoDataFrame({"id": ["T-1"]}, geometry=[shapely.box(683010, 4384910, 683090, 4384990)], crs="EPSG:32638")
    >>> done = assess(Flat(Grid(683000, 4385000, 10, (10, 10), "EPSG:32638")), row("mematt"), tasks=task)
    >>> done.tasks[["class", "unknown_share"]].values.tolist()
    [['unknown', 1.0]]
    """
    layers, settings = layers or Layers(), settings or Settings()
    lattice = Lattice.of(slopes)
    with tempfile.TemporaryFile() as place:  # gone from the disk with the last reader of the map
        if hasattr(os, "posix_fallocate"):  # room first: writing to a map beyond a full disk would end the process
            os.posix_fallocate(place.fileno(), 0, max(1, 4 * lattice.shape[0] * lattice.shape[1]))
        codes: Any = np.memmap(place, dtype=np.uint32, mode="w+", shape=lattice.shape)
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=CACHE_MB))
        cover = _cover(lattice, layers, stack)
        judges = _judges(lattice, machine, layers, cover)
        masks = _first(slopes, codes, (machine, settings, judges), progress)
    cells = _second(slopes, codes, (machine, settings, layers, lattice), masks, progress)
    table_, limits_, notes = _tasks(tasks, lattice, slopes, codes, (machine, settings))
    heights, legend = bool(np.isfinite(_sample(slopes)).any()), None if cover is None else cover.legend
    notes += findings(machine, layers, settings, heights=heights, legend=legend)
    return Suitability(codes, lattice, machine, settings, table_, limits_, cells, issues_frame(notes))


def _sample(slopes: Slopes) -> np.ndarray:
    """Slopes of a few windows, to see whether there are any."""
    rows, columns = slopes.shape
    parts = [
        slopes.rise(r, 0, 1, columns)[0].ravel() for r in np.unique(np.linspace(0, rows - 1, 9).astype(int)).tolist()
    ]
    return np.concatenate(parts)


def _judges(lattice: Lattice, machine: Machine, layers: Layers, cover: Cover | None) -> dict[str, Judge]:
    """For each criterion but slope and access, how to get the states of a window."""
    figure = {name: machine.figure(limit) for name, limit in CRITERIA.items()}

    def burnt(made: Burnt | int) -> Judge:
        return (lambda _: made) if isinstance(made, int) else (lambda window: made.window(*window))

    def near(name: str, frame: gpd.GeoDataFrame | None) -> Judge:
        own = figure[name]
        if (frame is None or not len(frame)) and cover is not None and own is not None and not own.any:
            return lambda window: near_cover(cover, STAND_INS[name], own, window)
        return burnt(away(lattice, frame, own))

    by_cover = figure["cover"]
    judges = {
        "cover": burnt(limits.word_state("" if by_cover is not None and by_cover.any else None, by_cover)),
        "soil": burnt(zones(lattice, layers.soil, "soil", figure["soil"])),
        "vegetation": burnt(zones(lattice, layers.vegetation, "stem_cm", figure["vegetation"])),
        "rock": burnt(zones(lattice, layers.rock, "rock_cm", figure["rock"])),
        "obstacles": burnt(away(lattice, layers.obstacles, figure["obstacles"])),
        "buildings": near("buildings", layers.buildings),
        "water": near("water", layers.water),
        "range": burnt(reach(lattice, layers.stands, figure["range"])),
    }
    if cover is not None and by_cover is not None and not by_cover.any:
        table = by_cover.words

        def known(name: str | None) -> str | None:
            """The name as it stands in the machine's table, else its word of the vocabulary."""
            return name if name in table else word_of(name)

        judges["cover"] = lambda window: cover.states(lambda name: limits.word_state(known(name), by_cover), *window)
    return judges


def _cover(lattice: Lattice, layers: Layers, stack: ExitStack) -> Cover | None:
    if layers.cover is None:
        return None
    try:
        source = stack.enter_context(rasterio.open(layers.cover))
    except RasterioIOError as error:
        raise ReadError(
            "not a raster that can be read", hint="give a GeoTIFF of land-cover codes", file=layers.cover
        ) from error
    return Cover(source, lattice, legend_of(source, layers.legend))


def _first(
    slopes: Slopes, codes: Any, how: tuple[Machine, Settings, dict[str, Judge]], progress: Progress | None
) -> tuple[access.Mask, access.Mask]:
    """Codes of all criteria but access, and where the machine can certainly, and perhaps, drive."""
    machine, settings, judges = how
    rows, columns = codes.shape
    sure, maybe = access.Mask(codes.shape), access.Mask(codes.shape)
    drive = machine.figure(CRITERIA["access"])
    for row in tracked(range(0, rows, settings.tile), "judging ground", progress):
        count = min(settings.tile, rows - row)
        firm, open_ = np.zeros((count, columns), dtype=bool), np.zeros((count, columns), dtype=bool)
        for column in range(0, columns, settings.tile):
            window = (row, column, count, min(settings.tile, columns - column))
            part = np.s_[:, column : column + window[3]]
            east, north = slopes.rise(*window)
            states: dict[str, Any] = {name: judge(window) for name, judge in judges.items()}
            states["slope_along"], states["slope_across"] = limits.slopes(east, north, machine, settings.bearing_deg)
            states["access"] = OK
            codes[row : row + count, column : column + window[3]] = limits.packed(states, settings.waived)
            if drive is not None and not drive.any:
                worst = limits.rated(np.sqrt(east * east + north * north), drive, tangent=True)
                for name in CROSSED:
                    worst = np.maximum(worst, np.asarray(states[name], dtype=np.uint8))
                firm[part], open_[part] = worst <= CONDITIONAL, worst != NOT
        sure.put(row, firm)
        maybe.put(row, open_)
    return sure, maybe


def _second(
    slopes: Slopes, codes: Any, how: tuple[Machine, Settings, Layers, Lattice], masks: tuple[access.Mask, access.Mask], progress: Progress | None
) -> dict[str, float]:  # fmt: skip
    """Add the states of access; ground of the whole lattice by class."""
    machine, settings, layers, lattice = how
    figure, width = machine.figure(CRITERIA["access"]), machine.value("width_m")
    strips = [(first, min(access.STRIP, codes.shape[0] - first)) for first in range(0, codes.shape[0], access.STRIP)]
    parts: Any = None
    if figure is None or figure.any:
        fixed = limits.word_state("", figure) if figure is not None else UNKNOWN
        parts = ((first, fixed) for first, _ in strips)
    elif width is None or layers.roads is None or not placed(layers.roads).any():
        parts = ((first, UNKNOWN) for first, _ in strips)
    else:
        parts = _ways(masks, lattice, layers.roads, width)
    area = np.zeros(4)
    for (first, count), (_, state) in zip(tracked(strips, "finding access", progress), parts, strict=True):
        state = limits.doubted(state, figure) if isinstance(state, np.ndarray) else state
        if isinstance(state, np.ndarray) and not placed(layers.roads).all():
            state = np.where(state == NOT, np.uint8(UNKNOWN), state)  # a road that nobody placed could lead there
        block = codes[first : first + count]
        if "access" in settings.waived:
            state = np.where(np.asarray(state) == UNKNOWN, np.uint8(CONDITIONAL), state)
        block |= np.asarray(state).astype(np.uint32) << np.uint32(PLACE["access"])
        ground_m2 = slopes.area(first, 0, count, codes.shape[1])
        area += np.bincount(limits.worst(block).ravel(), weights=np.nan_to_num(ground_m2).ravel(), minlength=4)
    return dict(zip(limits.STATES, area.tolist(), strict=True))


def _ways(masks: tuple[access.Mask, access.Mask], lattice: Lattice, roads: gpd.GeoDataFrame, width_m: float) -> Any:
    seeds = access.Mask(lattice.shape)
    burnt = Burnt(lattice, [(1, shapes_of(roads, lattice.crs))])
    for first in range(0, lattice.shape[0], access.STRIP):
        seeds.put(first, burnt.window(first, 0, min(access.STRIP, lattice.shape[0] - first), lattice.shape[1]) > 0)
    cells = max(1, math.ceil(width_m / lattice.side_m - 1e-9))
    firm, open_ = (access.wide_enough(mask, cells) for mask in masks)
    sure = access.reached(firm, seeds)
    same = np.array_equal(firm.bytes, open_.bytes)
    return access.states(sure, sure if same else access.reached(open_, seeds))


def _tasks(
    tasks: gpd.GeoDataFrame | gpd.GeoSeries | None,
    lattice: Lattice,
    slopes: Slopes,
    codes: Any,
    how: tuple[Machine, Settings],
) -> tuple[gpd.GeoDataFrame, Any, list[Issue]]:
    """Ground of each task by class and by limit."""
    machine, settings = how
    rows, reasons, shapes, notes = list[dict[str, Any]](), list[dict[str, Any]](), list[Any](), list[Issue]()
    home = lattice.crs if tasks is None else _crs.require(tasks.geometry, "tasks")
    for name, polygon in [] if tasks is None else _polygons(tasks):
        if polygon.area == 0:
            notes.append(
                Issue(
                    "SU-07",
                    "warning",
                    "tasks",
                    name,
                    "",
                    "this task has no area on the map, so nothing can be said of its ground",
                )
            )
            continue
        total = float(measure.area(gpd.GeoSeries([polygon], crs=home)).iloc[0])
        local = _on_lattice(polygon, home, lattice)
        where, weights, outside = _weights(local, lattice, slopes)
        figures, why = ground(codes[where[0], where[1]], weights, total, outside)
        shares = {key.removesuffix("_m2"): value / total if total else 0.0 for key, value in figures.items()}
        kind = task_class(shares, settings.task_share)
        rows.append(
            {"id": name, "class": kind, "area_m2": total, **figures, **{f"{k}_share": v for k, v in shares.items()}}
        )
        shapes.append(polygon)
        for reason in why:
            figure = machine.figure(CRITERIA[reason["criterion"]])
            facts = (
                {"limit": "", "source": "", "as_of": "", "grade": ""}
                if figure is None
                else {"limit": figure.text, "source": figure.source, "as_of": figure.as_of, "grade": figure.grade}
            )
            reasons.append({"task_id": name, **facts, **reason})
        if outside > 1e-6 * (weights.sum() + outside):
            beyond = outside / (weights.sum() + outside)
            notes.append(
                Issue(
                    "SU-06",
                    "warning",
                    "tasks",
                    name,
                    "",
                    f"{100 * beyond:.1f} % of this task lies beyond the raster and is unknown",
                    round(beyond, 6),
                )
            )
    frame = gpd.GeoDataFrame(table(rows, TASK_COLUMNS), geometry=gpd.GeoSeries(shapes, crs=home), crs=home)
    return frame, table(reasons, LIMIT_COLUMNS), notes


def _polygons(tasks: gpd.GeoDataFrame | gpd.GeoSeries) -> list[tuple[str, Any]]:
    """The ground of each task by id; rows of the same id are one task, one without ground is empty; rows without an id have their number."""
    own: dict[str, list[Any]] = {}
    given = tasks["id"] if isinstance(tasks, gpd.GeoDataFrame) and "id" in tasks else [None] * len(tasks)
    names = [f"row {n}" if pd.isna(name) or not str(name).strip() else str(name) for n, name in enumerate(given, 1)]
    for name, shape in zip(names, geom.repair(np.asarray(tasks.geometry.array)), strict=True):
        own.setdefault(name, []).extend([] if shape is None else [geom.polygonal([shape])[0]])
    return [(name, shapely.union_all(parts) if len(parts) != 1 else parts[0]) for name, parts in sorted(own.items())]


def _on_lattice(polygon: Any, home: Any, lattice: Lattice) -> Any:
    if _crs.parse(home) == lattice.crs:
        return polygon
    return geom.repair(_crs.to_equal_area([polygon], home, lattice.crs)[0])


def _weights(polygon: Any, lattice: Lattice, slopes: Slopes) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, float]:
    """Cells of a polygon, their m² inside it, and its m² beyond the lattice."""
    rows, columns, share = fractions(polygon, lattice.transform, lattice.shape)
    cell = abs(lattice.transform.a * lattice.transform.e)
    missing = max(polygon.area / cell - float(share.sum()), 0.0)
    missing = missing if missing > 1e-9 * polygon.area / cell else 0.0
    if not len(rows):
        return (rows, columns), share, missing * lattice.side_m**2
    top, left = int(rows.min()), int(columns.min())
    area = slopes.area(top, left, int(rows.max()) - top + 1, int(columns.max()) - left + 1)
    weights = share * np.nan_to_num(area[rows - top, columns - left])
    return (rows, columns), weights, missing * float(np.mean(weights) / np.mean(share))
