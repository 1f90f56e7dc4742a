"""From smoothed tracks to passes: centrelines with one width each, split at turns and where width, depth or speed class change.

For the shapes that everything else measures; a pass is one trip of the tool over the ground, the unit of pass counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.swath import path
from geotools.analysis.swath.fixes import Fixes, Table, require_single
from geotools.analysis.swath.rows import Rows, joined
from geotools.analysis.swath.rules import Rules, Section, Tool
from geotools.model.errors import CoverageError, SchemaError
from geotools.model.programme import DEFAULT_LIMITS

WIDTH_STEP_M = 0.005
STILL_M = 1e-3
NUMBERS = ("width_m", "length_m", "speed_mps", "heading_deg", "heading_sd_deg", "depth_cm", "h_acc_m")
TEXTS = ("id", "pass_id", "asset_id", "run_id", "section", "organisation", "operator")
COLUMNS = (*TEXTS, "start", "end", "day", *NUMBERS, "is_deep", "is_fast", "fixes", "geometry")


@dataclass(frozen=True)
class Nodes:
    """Vertices of thinned pieces: `fix` is the position of the vertex in the working fixes, `piece` its piece."""

    x: np.ndarray
    y: np.ndarray
    fix: np.ndarray
    piece: np.ndarray


def empty_passes() -> Rows:
    """No passes."""
    kinds = {"start": "datetime64[us]", "end": "datetime64[us]", "is_deep": bool, "is_fast": bool, "fixes": "int64"}
    kinds |= dict.fromkeys(NUMBERS, "float64")
    data = {name: np.zeros(0, dtype=kinds.get(name, object)) for name in COLUMNS if name != "geometry"}
    return Rows(data, np.zeros(0, dtype=object))


def require_passes(passes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The frame, if it has the columns every measure of this room needs.

    Raises
    ------
    SchemaError
        If a column is missing.
    CoverageError
        If it is no layer, a column occurs twice, a width is not a positive number, or a centreline is missing or not a line.
    """
    if not isinstance(passes, gpd.GeoDataFrame):
        raise CoverageError("the passes are not a layer of lines", hint="make passes with geotools.swath.passes(fixes)")
    needed = {"id", "pass_id", "width_m", "geometry"}
    missing = sorted(needed - set(passes.columns))
    if missing:
        raise SchemaError(
            f"the passes lack the column '{missing[0]}'", hint="make passes with geotools.swath.passes(fixes)"
        )
    require_single(passes)
    width = (
        pd.to_numeric(passes["width_m"], errors="coerce")
        if pd.api.types.is_numeric_dtype(passes["width_m"].dtype)
        else None
    )
    if len(passes) and (width is None or not ((width > 0) & (width < np.inf)).all()):
        raise CoverageError(
            "every pass needs a positive number as width_m", hint="make passes with geotools.swath.passes(fixes)"
        )
    lines = np.asarray(passes.geometry.array, dtype=object)
    drawn = np.isin(shapely.get_type_id(lines), (1, 2, 5)) & ~shapely.is_empty(lines)
    if not (drawn.all() and np.isfinite(shapely.get_coordinates(lines)).all()):
        raise CoverageError(
            "every pass needs a line as its centreline", hint="make passes with geotools.swath.passes(fixes)"
        )
    return passes


@dataclass(frozen=True)
class Parts:
    """Vertices of the final parts: `part` is the future row, `trip` the pass it belongs to."""

    x: np.ndarray
    y: np.ndarray
    fix: np.ndarray
    part: np.ndarray
    trip: np.ndarray


def build(
    fixes: Fixes, first: np.ndarray, table: Table, tool: Tool, rules: Rules
) -> tuple[Rows, dict[str, np.ndarray]]:
    """Passes of working fixes, given marks at the first fix of every run of at least two; geometry has no CRS yet.

    Returns
    -------
    passes, refused
        ``refused`` holds rows of the table by reason: runs that never moved, and runs too short to tell a heading.
    """
    if not len(fixes):
        return empty_passes(), {}
    x, y = path.smoothed(fixes, first, rules)
    state = _states(fixes, x, y, first, rules)
    nodes = _thin(x, y, *_pieces(first, state), rules)
    low, _ = path.extent(first)
    starts = turns(
        nodes.x, nodes.y, low[nodes.fix], float(np.cos(np.radians(rules.turn_deg))), fixes.width[nodes.fix] / 2
    )
    refused = {"alone": fixes.row[_run_length(nodes, low, len(fixes))[low] < STILL_M]}
    if not tool.is_offset:
        return _table(_cut(nodes, starts), state, fixes, table, ("", fixes.t[nodes.fix[starts]])), refused
    hx, hy = path.headings(x, y, first, rules.chord_m)
    lost = np.isnan(hx)
    refused["no_heading"] = np.setdiff1d(fixes.row[lost], refused["alone"])
    trip = np.zeros(len(fixes), dtype=np.int64)
    trip[nodes.fix[starts]] = 1
    tables = []
    for column, section in enumerate(tool.sections or (Section("", 1.0, tool.right_m, tool.ahead_m),)):
        on = fixes.on[:, column] & ~lost
        placed = x + section.ahead_m * hx + section.right_m * hy, y + section.ahead_m * hy - section.right_m * hx
        width = np.full(len(fixes), section.width_m) if tool.sections else fixes.width
        parts = _placed(placed, on, first, state, trip, rules)
        tables.append(
            _table(parts, state, replace(fixes, width=width), table, (section.name, fixes.t[nodes.fix[starts]]))
        )
    return joined(tables), refused


def _placed(
    xy: tuple[np.ndarray, np.ndarray],
    on: np.ndarray,
    first: np.ndarray,
    state: np.ndarray,
    opens: np.ndarray,
    rules: Rules,
) -> Parts:
    """Parts of an offset tool: its own way, cut where the antenna's way was cut into trips."""
    trip = np.cumsum(opens) - 1
    steps = np.flatnonzero(~first[1:] & on[1:] & on[:-1])
    if not len(steps):
        return Parts(*(np.zeros(0),) * 2, *(np.zeros(0, dtype=np.int64),) * 3)
    key = np.column_stack([state[steps], trip[steps]])
    begins = np.concatenate(([True], (np.diff(steps) != 1) | (key[1:] != key[:-1]).any(axis=1)))
    at = np.flatnonzero(begins)
    size = np.diff(np.concatenate((at, [len(steps)]))) + 1
    piece = np.repeat(np.arange(len(at)), size)
    fix = steps[at][piece] + np.arange(len(piece)) - np.repeat(np.cumsum(size) - size, size)
    nodes = _thin(*xy, fix, piece, rules)
    return Parts(nodes.x, nodes.y, nodes.fix, nodes.piece, trip[steps[at]][nodes.piece])


def _states(fixes: Fixes, x: np.ndarray, y: np.ndarray, first: np.ndarray, rules: Rules) -> np.ndarray:
    """Class of every step from a fix to the next: width, deep enough, too fast. The lesser of both ends counts."""
    width = np.minimum(fixes.width, np.concatenate((fixes.width[1:], [np.inf])))
    code = np.floor(width / WIDTH_STEP_M + 1e-6).astype(np.int64) * 4
    if rules.depth_cm is not None:
        reached = fixes.depth >= rules.depth_cm
        code += 2 * (reached & np.concatenate((reached[1:], [False])))
    if rules.speed_max_mps is not None:
        with np.errstate(invalid="ignore"):
            code += path.speeds(fixes, x, y, first) > rules.speed_max_mps
    return code


def _pieces(first: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the vertices of maximal stretches of one state inside a run, and the piece of each."""
    steps = np.flatnonzero(~first[1:])
    begins = (
        first[steps] | np.concatenate(([True], state[steps[1:]] != state[steps[:-1]]))
        if len(steps)
        else np.zeros(0, dtype=bool)
    )
    at = np.flatnonzero(begins)
    size = np.diff(np.concatenate((at, [len(steps)]))) + 1
    piece = np.repeat(np.arange(len(at)), size)
    within = np.arange(len(piece)) - np.repeat(np.cumsum(size) - size, size)
    return steps[at][piece] + within if len(at) else steps, piece


def _thin(x: np.ndarray, y: np.ndarray, fix: np.ndarray, piece: np.ndarray, rules: Rules) -> Nodes:
    if not len(fix):
        nothing = np.zeros(0)
        return Nodes(nothing, nothing, fix, piece)
    lines = shapely.linestrings(np.column_stack([x[fix], y[fix], fix]), indices=piece)
    thin = shapely.simplify(lines, rules.thin_m, preserve_topology=False)
    xyz, owner = shapely.get_coordinates(thin, include_z=True, return_index=True)
    return Nodes(xyz[:, 0], xyz[:, 1], xyz[:, 2].astype(np.int64), owner)


def _run_length(nodes: Nodes, low: np.ndarray, count: int) -> np.ndarray:
    """Length of each run, at the position of its first fix."""
    total = np.zeros(count)
    if len(nodes.x) > 1:
        step = np.hypot(np.diff(nodes.x), np.diff(nodes.y))
        inside = nodes.piece[1:] == nodes.piece[:-1]
        np.add.at(total, low[nodes.fix[1:]][inside], step[inside])
    return total


def turns(x: np.ndarray, y: np.ndarray, run: np.ndarray, cosine: float, confirm: np.ndarray) -> np.ndarray:
    """Mark the nodes where a new pass begins: where the way leaves the direction of the pass so far, for good.

    A deviation counts once it is longer than `confirm` (half the tool's width), so that a wobble does not end a pass.
    """
    begins = np.zeros(len(x), dtype=bool)
    if not len(x):
        return begins
    begins[0] = True
    begins[1:] = run[1:] != run[:-1]
    dx, dy = np.diff(x).tolist(), np.diff(y).tolist()
    length = np.hypot(np.diff(x), np.diff(y)).tolist()
    new_run, need = begins.tolist(), confirm.tolist()
    rx = ry = cx = cy = aside = 0.0
    candidate = -1
    for j, size in enumerate(length):
        if new_run[j + 1]:
            rx = ry = 0.0
            candidate = -1
            continue
        if size == 0.0:
            continue
        ex, ey = dx[j], dy[j]
        along = ex * rx + ey * ry
        leaves = along < cosine * size * (rx * rx + ry * ry) ** 0.5
        if not leaves:
            if candidate >= 0:
                rx, ry, candidate = rx + cx, ry + cy, -1
            rx, ry = rx + ex, ry + ey
            continue
        if candidate < 0:
            candidate, cx, cy, aside = j, 0.0, 0.0, 0.0
        cx, cy, aside = cx + ex, cy + ey, aside + size
        if aside >= need[j]:
            begins[candidate] = True
            rx, ry, candidate = cx, cy, -1
    return begins


def _cut(nodes: Nodes, starts: np.ndarray) -> Parts:
    """Cut pieces where a trip begins; the node there closes one part and opens the next."""
    change = np.concatenate(([False], nodes.piece[1:] != nodes.piece[:-1]))
    part, trip = np.cumsum(starts | change) - 1, np.cumsum(starts) - 1
    part -= part[0] if len(part) else 0
    shared = np.flatnonzero(np.concatenate(([False], (part[1:] != part[:-1]))) & ~change)
    order = np.insert(np.arange(len(part)), shared, shared)
    return Parts(
        nodes.x[order], nodes.y[order], nodes.fix[order],
        np.insert(part, shared, part[shared - 1]), np.insert(trip, shared, trip[shared - 1]),
    )  # fmt: skip


def _table(parts: Parts, state: np.ndarray, fixes: Fixes, table: Table, named: tuple[str, np.ndarray]) -> Rows:
    """One row per part with its figures; parts that do not move are left out. `named` is the section and the start of each trip."""
    if not len(parts.part):
        return empty_passes()
    change = np.concatenate(([True], parts.part[1:] != parts.part[:-1]))
    head = np.flatnonzero(change)
    tail = np.concatenate((head[1:], [len(change)])) - 1
    figures = _figures(parts, head)
    keep = (tail > head) & (figures["length_m"] >= STILL_M)
    if not keep.any():
        return empty_passes()
    row = np.cumsum(change) - 1
    vertex = keep[row]
    lines = shapely.linestrings(np.column_stack([parts.x, parts.y])[vertex], indices=(np.cumsum(keep) - 1)[row[vertex]])
    a, b, trip = parts.fix[head][keep], parts.fix[tail][keep], parts.trip[head][keep]
    data = _words(table, fixes.row[a], (fixes.t[a], named[1][trip]), named[0])
    start, end = (fixes.t[i].astype("datetime64[us]") for i in (a, b))
    between = np.column_stack([a, b + 1]).ravel()
    data |= {"start": start, "end": end, "day": np.datetime_as_string(start, unit="D").astype(object)}
    data |= {name: values[keep] for name, values in figures.items()}
    data["speed_mps"] = data["length_m"] * path.SECOND / np.maximum(fixes.t[b] - fixes.t[a], 1)
    data |= {"width_m": _within(np.fmin, fixes.width, between), "depth_cm": _within(np.fmin, fixes.depth, between)}
    worst, every = (_within(take, fixes.sigma, between) for take in (np.fmax, np.maximum))
    poor = np.isnan(every) & (
        worst > DEFAULT_LIMITS["h_acc_default_m"]
    )  # a fix that states nothing makes no pass better
    data |= {"h_acc_m": np.where(poor, worst, every), "fixes": b - a + 1}
    data |= {"is_deep": state[a] % 4 >= 2, "is_fast": state[a] % 2 == 1}
    return Rows({name: data[name] for name in COLUMNS if name != "geometry"}, lines)


def _figures(parts: Parts, head: np.ndarray) -> dict[str, np.ndarray]:
    """Length, mean heading and spread of heading of each part."""
    dx, dy = np.concatenate((np.diff(parts.x), [0.0])), np.concatenate((np.diff(parts.y), [0.0]))
    last = np.concatenate((parts.part[1:] != parts.part[:-1], [True]))
    dx[last] = dy[last] = 0.0
    length, ex, ey = (np.add.reduceat(values, head) for values in (np.hypot(dx, dy), dx, dy))
    with np.errstate(invalid="ignore", divide="ignore"):
        straight = np.clip(np.hypot(ex, ey) / length, 1e-12, 1.0)
    return {
        "length_m": length,
        "heading_deg": np.degrees(np.arctan2(ex, ey)) % 360,
        "heading_sd_deg": np.degrees(np.sqrt(-2 * np.log(straight))),
    }


def _words(table: Table, rows: np.ndarray, times: tuple[np.ndarray, np.ndarray], section: str) -> dict[str, np.ndarray]:
    """Names of parts and passes: asset, run, and start time (of part and of pass), which do not depend on what else is in the data."""
    words = {name: table.words(name, rows) for name in ("asset_id", "run_id", "organisation", "operator")}
    who = [":".join(filter(None, key)) for key in zip(words["asset_id"], words["run_id"], strict=True)]
    for name, began, tail in (("id", times[0], f"/{section}" if section else ""), ("pass_id", times[1], "")):
        stamps = np.datetime_as_string(began.astype("datetime64[us]"), unit="ms").tolist()
        words[name] = np.array([f"{key}@{stamp}Z{tail}" for key, stamp in zip(who, stamps, strict=True)], dtype=object)
    words["section"] = np.full(len(who), section, dtype=object)
    return words


def _within(reduce: np.ufunc, values: np.ndarray, between: np.ndarray) -> np.ndarray:
    """Reduce `values` over fix positions a…b of each part; `between` is a0, b0 + 1, a1, b1 + 1, …"""
    padded = np.concatenate((values, [np.nan]))
    return reduce.reduceat(padded, between)[::2]


def swaths(passes: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """The ground that each pass worked: its centreline widened by half the width, flat at both ends.

    Corners are bevelled on the outside, never rounded or pointed, so that no ground is claimed beyond the tool.

    Parameters
    ----------
    passes
        As made by `passes`, in a metric CRS.

    Returns
    -------
    GeoSeries
        Polygons on the index of the input.

    Raises
    ------
    SchemaError
        If a column of passes is missing.
    CoverageError
        If it is no layer, a column occurs twice, a width is not a positive number, or a centreline is missing or not a line.

    Examples
    --------
    >>> lines = [shapely.LineString([(0, 0), (10, 0)])]
    >>> passes = gpd.GeoDataFrame({"id": ["a"], "pass_id": ["a"], "width_m": [1.7]}, geometry=lines, crs="EPSG:32638")
    >>> swaths(passes).area.round(2).tolist()
    [17.0]
    """
    require_passes(passes)
    lines = np.asarray(passes.geometry.array, dtype=object)
    return gpd.GeoSeries(widened(lines, passes["width_m"].to_numpy(dtype=float)), index=passes.index, crs=passes.crs)


def require_times(passes: gpd.GeoDataFrame) -> None:
    """Refuse passes whose beginning and end are not times.

    Raises
    ------
    SchemaError
        If they are missing or of another kind.
    """
    for name in ("start", "end"):
        if name not in passes or not pd.api.types.is_datetime64_any_dtype(passes[name].dtype):
            raise SchemaError(
                "this needs the times of the passes (start, end)",
                hint="make passes with geotools.swath.passes(fixes)",
            )


def widened(lines: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Flat-ended polygons of centrelines."""
    return np.asarray(shapely.buffer(lines, width / 2, cap_style="flat", join_style="bevel"))
