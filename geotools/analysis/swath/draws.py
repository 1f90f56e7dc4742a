"""Monte Carlo over whole layouts: where the tool may truly have been, drawn many times, and the ground it then left out.

For figures that are signed off, with their interval; seeded, so that they can be made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath.errormodel import Group
from geotools.analysis.swath.kept import codec
from geotools.analysis.swath.passes import require_times
from geotools.model.parallel import iter_ordered
from geotools.model.progress import Progress, tracked

TOGETHER = 5  # draws for one worker at a time
STEPS_PER_TAU = 8  # nodes are no farther apart in time than this part of the correlation time


def uncovered(
    groups: Sequence[Group],
    ground: BaseGeometry,
    tau_s: float,
    *,
    count: int,
    seed: int,
    progress: Progress | None = None,
) -> np.ndarray:
    """Uncovered square metres of the task in each of `count` draws.

    True positions are the recorded ones minus an Ornstein-Uhlenbeck error along the time of each asset and day.
    """
    if count == 0:
        return np.zeros(0)
    if not groups:
        return np.full(count, ground.area)
    rng = np.random.default_rng(seed)
    laid = [_nodes(group, tau_s) for group in groups]
    errors = [
        _errors(times, group.sigma_m, tau_s, count, rng) for (_, times, _, _), group in zip(laid, groups, strict=True)
    ]
    lines = tuple((xy, line, half) for xy, _, line, half in laid)
    starts = range(0, count, TOGETHER)
    given = (Layouts(lines, tuple(error[at : at + TOGETHER] for error in errors), ground) for at in starts)
    found = iter_ordered(left_out, given, codec=KEPT)
    return np.concatenate([*tracked(found, "drawing layouts", progress, total=len(starts))])


@dataclass(frozen=True)
class Layouts:
    """Some draws for one worker: vertices, line of each and half width by group; errors by group (draws × vertices × 2); the task."""

    lines: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]
    errors: tuple[np.ndarray, ...]
    ground: BaseGeometry


KEPT = codec("draws")


def left_out(layouts: Layouts) -> np.ndarray:
    """Uncovered square metres in each of some draws."""
    count = len(layouts.errors[0])
    out = np.empty(count)
    for draw in range(count):
        shapes = []
        for (xy, line, half), error in zip(layouts.lines, layouts.errors, strict=True):
            lines = shapely.linestrings(xy - error[draw], indices=line)
            shapes.append(shapely.buffer(lines, half, cap_style="flat", join_style="bevel"))
        swept = shapely.union_all(np.concatenate(shapes))
        out[draw] = shapely.difference(layouts.ground, swept).area
    return out


def _nodes(group: Group, tau_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices close enough in time, their times in seconds, their line, and half the width of each line."""
    passes = group.passes
    require_times(passes)
    lines = np.asarray(passes.geometry.array, dtype=object)
    start, end = (
        passes[name].dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64) / 1e6 for name in ("start", "end")
    )
    length = shapely.length(lines)
    longest = np.maximum(length * (tau_s / STEPS_PER_TAU) / np.maximum(end - start, 1e-6), 0.05)
    dense = shapely.segmentize(lines, longest)
    xy, line = shapely.get_coordinates(dense, return_index=True)
    step = np.r_[0.0, np.hypot(*np.diff(xy, axis=0).T)]
    first = np.r_[True, line[1:] != line[:-1]]
    step[first] = 0.0
    gone = np.cumsum(step)
    gone -= gone[first][line]
    times = start[line] + (end - start)[line] * gone / np.maximum(length, 1e-9)[line]
    return xy, times, line, passes["width_m"].to_numpy(dtype=float) / 2


def _errors(times: np.ndarray, sigma: float, tau: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Ornstein-Uhlenbeck errors, shape (count, nodes, 2), in the order of the nodes."""
    out = np.zeros((count, len(times), 2))
    if sigma == 0 or not len(times):
        return out
    order = np.argsort(times, kind="stable")
    keep = np.r_[0.0, np.exp(-np.diff(times[order]) / tau)]
    scale = sigma * np.sqrt(1 - keep**2)
    at = np.zeros((count, 2))
    for position, node in enumerate(order):
        at = keep[position] * at + scale[position] * rng.standard_normal((count, 2))
        out[:, node] = at
    return out
