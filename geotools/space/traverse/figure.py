"""Which points are the corners of the polygon, in which order, and what is odd about it.

For the shape; positions come from `network` and `adjusting`.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import shapely

from geotools.model.schema import Issue
from geotools.space.geom import why_invalid
from geotools.space.traverse.adjusting import Loop
from geotools.space.traverse.legs import Leg, type_of
from geotools.space.traverse.network import Network

NOT_CORNERS = frozenset({"landmark", "reference", "benchmark", "evidence", "usage", "other"})
_SWAPS_UP_TO = 40  # vertices for which every swap is tried


def types(network: Network) -> dict[str, str]:
    """What each point is: as the legs say, else by its name, else an observer's place or a turning point."""
    out = {name: type_of(name) for name in network.names}
    for vector in network.vectors:
        if vector.leg.point_type:
            out[vector.leg.end] = vector.leg.point_type
    legs = [vector.leg for vector in network.vectors]
    for name in network.names:
        if not out[name] and _is_observer(name, legs):
            out[name] = "other"
    return {name: kind or "turning" for name, kind in out.items()}


def _is_observer(name: str, legs: list[Leg]) -> bool:
    """A place from which three or more points were sighted, and to which no leg leads."""
    return sum(leg.start == name for leg in legs) >= 3 and not any(leg.end == name for leg in legs)


def corners(network: Network, loop: Loop | None, kinds: dict[str, str]) -> list[str]:
    """Corner points in order, beginning with the start point of the figure."""
    seen: list[str] = []
    for vector in network.vectors:
        for name in (vector.leg.start, vector.leg.end):
            if name not in seen:
                seen.append(name)
    if loop is not None:
        typed = {vector.leg.end for vector in network.vectors if vector.leg.point_type} | {
            name for name in seen if type_of(name)
        }
        on = [name for name in seen if name in loop.points or name in typed]
    else:
        on = seen
    order = [name for name in on if kinds[name] not in NOT_CORNERS]
    first = next((i for i, name in enumerate(order) if kinds[name] == "start"), 0)
    return order[first:] + order[:first] if loop is not None else order[first:]


def without_intermediate(
    names: list[str], kinds: dict[str, str], xy: dict[str, np.ndarray], within_m: dict[str, float]
) -> list[str]:
    """Corners less the intermediate points that lie on the line between their neighbours within their accuracy."""
    keep = [name for name in names if kinds[name] != "intermediate"]
    if len(keep) < 3:
        return names
    out = []
    for i, name in enumerate(names):
        if kinds[name] == "intermediate":
            before = next(names[i - k] for k in range(1, len(names)) if names[i - k] in keep)
            after = next(
                names[(i + k) % len(names)] for k in range(1, len(names)) if names[(i + k) % len(names)] in keep
            )
            line = shapely.LineString([xy[before], xy[after]])
            if line.distance(shapely.Point(xy[name])) <= max(within_m[name], 0.5):
                continue
        out.append(name)
    return out


def shape_issues(names: list[str], xy: dict[str, np.ndarray], kinds: dict[str, str], gap_m: float) -> list[Issue]:
    """Long sides without an intermediate point (SV-05), too few corners (GC-02), and a boundary that crosses itself (GC-01)."""
    issues: list[Issue] = []
    if len({tuple(np.round(xy[name], 6)) for name in names}) < 3:
        return [
            Issue(
                "GC-02",
                "error",
                "legs",
                column="to_point",
                message=f"the legs give {len(names)} corner points: a polygon needs three",
                value=len(names),
                limit=3,
            )
        ]
    for a, b in itertools.pairwise([*names, names[0]]):
        length = float(math.dist(xy[a], xy[b]))
        if length > gap_m and "intermediate" not in (kinds[a], kinds[b]):
            issues.append(
                Issue(
                    "SV-05",
                    "info",
                    "legs",
                    f"{a}-{b}",
                    message=f"{a} and {b} are {length:.0f} m apart without an intermediate point",
                    value=f"{length:.1f} m",
                    limit=f"{gap_m:g} m",
                )
            )
    ring = shapely.Polygon([xy[name] for name in names])
    reason, where = why_invalid(ring)
    if reason:
        swap = _untangle(names, xy)
        advice = f"; exchanging {swap[0]} and {swap[1]} would mend it" if swap else "; check the order of the points"
        place = f" near {where.x:.1f}, {where.y:.1f}" if where is not None else ""
        issues.append(
            Issue("GC-01", "error", "legs", message=f"{reason}{place}{advice}", value=" ".join(swap) if swap else "")
        )
    return issues


def _untangle(names: list[str], xy: dict[str, np.ndarray]) -> tuple[str, str] | None:
    """The exchange of two points that makes the boundary simple, the shortest boundary winning, then the nearest neighbours."""
    if len(names) > _SWAPS_UP_TO:
        return None
    best: tuple[tuple[float, int], tuple[str, str]] | None = None
    for i, j in itertools.combinations(range(len(names)), 2):
        order = list(names)
        order[i], order[j] = order[j], order[i]
        ring = shapely.Polygon([xy[name] for name in order])
        rank = (round(ring.length, 6), j - i)
        if ring.is_valid and (best is None or rank < best[0]):
            best = (rank, (names[i], names[j]))
    return best[1] if best else None
