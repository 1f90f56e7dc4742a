"""Spread a misclosure over the legs (Bowditch or least squares), and carry the errors of the legs to the points.

Every adjusted point is the start plus a weighted sum of leg vectors; the weights give the point and its covariance alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from geotools.model.errors import TraverseError
from geotools.space.traverse.network import Network


@dataclass(frozen=True)
class Loop:
    """A closed figure: the points in order, and the legs with the sign in which they are walked."""

    points: tuple[str, ...]
    walked: tuple[tuple[int, int], ...]
    dx: float
    dy: float
    length_m: float


def loops(network: Network) -> tuple[Loop, ...]:
    """One loop per closing leg, longest first."""
    found = [_loop(network, index) for index in network.closing]
    return tuple(sorted(found, key=lambda loop: (-len(loop.walked), loop.walked)))


def _loop(network: Network, index: int) -> Loop:
    leg = network.vectors[index].leg
    out, back = network.path(leg.start), network.path(leg.end)
    shared = 0
    while shared < min(len(out), len(back)) and out[shared] == back[shared]:
        shared += 1
    go, come = out[shared:], back[shared:][::-1]
    walked = (
        [network.tree[name][1:] for name in go]
        + [(index, 1)]
        + [(i, -sign) for i, sign in (network.tree[name][1:] for name in come)]
    )
    dx = sum(sign * network.vectors[i].dx for i, sign in walked)
    dy = sum(sign * network.vectors[i].dy for i, sign in walked)
    length = math.fsum(network.vectors[i].leg.distance_m for i, _ in walked)
    return Loop((out[shared - 1], *go, *come), tuple(walked), dx, dy, length)


def weights(network: Network, found: tuple[Loop, ...], method: str) -> np.ndarray:
    """Weights of shape (points, 2, vectors, 2): adjusted point = start + Σ weight · vector."""
    plain = np.array([network.combination(name) for name in network.names])
    if method == "least-squares" and found:
        return _least_squares(network)
    if method == "bowditch" and len(found) > 1:
        raise TraverseError(
            "the legs close more than one loop: the compass rule cannot share that out",
            hint="use adjust='least-squares'",
        )
    if method == "bowditch" and found:
        plain = plain + _bowditch(network, found[0])
    return np.einsum("pv,ij->pivj", plain, np.eye(2))


def _bowditch(network: Network, loop: Loop) -> np.ndarray:
    """−f · (length walked / whole length) for points of the loop, and the same for whatever hangs on them."""
    around = np.zeros(len(network.vectors))
    share: dict[str, float] = {}
    walked_m, closed = 0.0, False
    for name, (index, sign) in zip((*loop.points[1:], loop.points[0]), loop.walked, strict=True):
        around[index] += sign
        walked_m += network.vectors[index].leg.distance_m
        closed = closed or index in network.closing
        if name != loop.points[0]:
            # beyond the closing leg the raw point was reached from the other side, short of the whole misclosure
            share[name] = (1.0 if closed else 0.0) - walked_m / loop.length_m
    out = np.zeros((len(network.names), len(network.vectors)))
    for row, name in enumerate(network.names):
        held = next((point for point in reversed(network.path(name)) if point in share), None)
        if held is not None:
            out[row] = share[held] * around
    return out


def _least_squares(network: Network) -> np.ndarray:
    """Weights of the least-squares solution: vectors weighted by the inverse of their covariance, the start held."""
    column = {name: i for i, name in enumerate(network.names[1:])}
    count, legs = len(column), len(network.vectors)
    design = np.zeros((legs, count))
    for row, vector in enumerate(network.vectors):
        if vector.leg.end in column:
            design[row, column[vector.leg.end]] += 1.0
        if vector.leg.start in column:
            design[row, column[vector.leg.start]] -= 1.0
    inverse = np.linalg.inv(np.array([vector.covariance for vector in network.vectors]))
    normal = np.einsum("vp,vij,vq->piqj", design, inverse, design).reshape(2 * count, 2 * count)
    right = np.einsum("vp,vij->pivj", design, inverse).reshape(2 * count, 2 * legs)
    solved = np.linalg.solve(normal, right).reshape(count, 2, legs, 2)
    return np.concatenate([np.zeros((1, 2, legs, 2)), solved])


def adjusted(network: Network, weight: np.ndarray) -> np.ndarray:
    """Adjusted grid coordinates, one row per point."""
    vectors = np.array([(vector.dx, vector.dy) for vector in network.vectors])
    return network.xy[0] + np.einsum("pivj,vj->pi", weight, vectors)


def covariance(network: Network, weight: np.ndarray, xy: np.ndarray, start_sigma_m: float) -> np.ndarray:
    """Covariance of all points, shape (points, 2, points, 2): legs, the common error of north, and the start."""
    each = np.array([vector.covariance for vector in network.vectors])
    out = np.einsum("pivj,vjk,qlvk->piql", weight, each, weight)
    arm = xy - xy[0]
    turned = np.column_stack([arm[:, 1], -arm[:, 0]]) * math.radians(network.sigma_north_deg)
    out = out + np.einsum("pi,ql->piql", turned, turned)
    return out + start_sigma_m**2 * np.eye(2)[None, :, None, :]


def ellipse(block: np.ndarray) -> tuple[float, float, float, float]:
    """Semi-axes (1 sigma, metres), bearing of the major axis (0–180°), and the mean deviation per axis."""
    values, directions = np.linalg.eigh(block)
    minor, major = np.sqrt(np.clip(values, 0.0, None))
    bearing = math.degrees(math.atan2(directions[0, 1], directions[1, 1])) % 180.0
    return (
        float(major),
        float(minor),
        bearing if major - minor > 1e-9 else 0.0,
        math.sqrt(max(0.0, float(np.trace(block)) / 2)),
    )


def area_sigma(covariances: np.ndarray, xy: np.ndarray, rows: list[int]) -> float:
    """Standard deviation in m² of the area of a polygon over some points, their errors correlated as computed."""
    ring = xy[rows]
    ahead, behind = np.roll(ring, -1, axis=0), np.roll(ring, 1, axis=0)
    slope = 0.5 * np.column_stack([ahead[:, 1] - behind[:, 1], behind[:, 0] - ahead[:, 0]])
    block = covariances[np.ix_(rows, (0, 1), rows, (0, 1))]
    return math.sqrt(max(0.0, float(np.einsum("pi,piql,ql->", slope, block, slope))))
