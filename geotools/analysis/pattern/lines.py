"""Find straight rows among points and control how often clutter is taken for a row.

Pure geometry on a plane; the meaning of rows, their spacing and gaps is in `pattern.fields`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

NEIGHBOURS = 96  # a row is first noticed within this many nearest points
LEAST = 4  # points a row has at least
FAR = 1024
FAR_SEEDS = 32
CELLS = 2_000_000  # numbers held at once
GROWTH = 12
FLANK = 8.0  # local density is looked up this many half-widths to each side


@dataclass(frozen=True)
class Line:
    """A row: ends, indices of its points in order along it, and log10 of its number of false alarms."""

    start: np.ndarray
    end: np.ndarray
    members: np.ndarray
    log10_nfa: float

    @property
    def length(self) -> float:
        """Metres from the first to the last point."""
        return float(np.hypot(*(self.end - self.start)))


@dataclass(frozen=True)
class _Reach:
    """Half-width of a row, reference area in m², greatest gap and greatest length in metres."""

    width: float
    area: float
    gap: float
    length: float


def log_tail(n: int, p: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Natural log of P(Bin(n, p) ≥ k); where that underflows, the Chernoff bound, which is never smaller.

    Examples
    --------
    >>> float(np.exp(log_tail(10, np.array([0.5]), np.array([10]))[0]).round(6))
    0.000977
    """
    from scipy.special import betainc

    k, p = np.broadcast_arrays(np.asarray(k, dtype=float), np.clip(np.asarray(p, dtype=float), 1e-300, 1.0))
    tail = np.where(k <= 0, 1.0, betainc(np.maximum(k, 1), np.maximum(n - k + 1, 1e-9), p))
    tail = np.where(k > n, 0.0, tail)
    share = np.clip(k / max(n, 1), 1e-300, 1 - 1e-12)
    q = np.minimum(p, 1 - 1e-12)
    bound = np.where(share > q, -n * (share * np.log(share / q) + (1 - share) * np.log((1 - share) / (1 - q))), 0.0)
    with np.errstate(divide="ignore"):
        return np.where(tail > 1e-280, np.log(np.maximum(tail, 1e-300)), bound)


def find(
    xy: np.ndarray,
    half_width: float,
    area: float,
    *,
    false_rows: float,
    longest_gap: float = np.inf,
    longest_row: float = np.inf,
) -> list[Line]:
    """Rows of points, most significant first, each point in at most one row.

    A segment between two points that holds k of n points within ± w is kept if
    NFA = (n(n−1)/2) · P(Bin(n−2, p) ≥ k−2) < `false_rows`, where p is the greater of 2wL/A and the share that the density on
    either side of the segment gives: a patch of dense clutter is not a row. Found rows are removed and the rest searched again.
    Only segments without a gap over `longest_gap` and not over `longest_row` are looked at: fewer tests than the bound counts, so it holds.

    Parameters
    ----------
    xy
        Shape (n, 2), metres.
    half_width
        w, metres.
    area
        A of the searched ground in m².
    false_rows
        Expected number of rows found in a field of pure clutter of even density, at most.
    longest_gap, longest_row
        Metres between neighbours of one row, and from its first to its last point, at most. What goes on beyond is another row.
    """
    reach = _Reach(half_width, area, longest_gap, longest_row)
    left = np.arange(len(xy))
    tests = np.log(max(len(xy) * (len(xy) - 1) / 2, 1))
    rows: list[Line] = []
    while len(left) >= LEAST:
        seeds = _seeds(xy[left], half_width, area, tests)
        taken = np.zeros(len(left), dtype=bool)
        found = 0
        failed: set[tuple[int, int]] = set()  # two points of a stretch that came to nothing lead to it again
        for a, b in seeds:
            if taken[a] or taken[b] or (min(a, b), max(a, b)) in failed:
                continue
            row = _grow(xy[left], (a, b), reach, taken)
            if row is None or row[0] + tests >= np.log(false_rows):
                failed |= set(combinations(sorted(row[1].tolist()), 2)) if row is not None else set()
                continue
            members = _close(xy[left], row[1], reach)
            taken[members] = True
            found += 1
            rows.append(
                Line(xy[left[members[0]]], xy[left[members[-1]]], left[members], float((row[0] + tests) / np.log(10)))
            )
        if not found:
            break
        left = left[~taken]
    return sorted(rows, key=lambda row: (row.log10_nfa, tuple(row.start)))


def _seeds(points: np.ndarray, width: float, area: float, tests: float) -> list[tuple[int, int]]:
    """For each point, the few segments to a nearby or a more distant point that look least like chance; most striking first."""
    near = min(NEIGHBOURS, len(points) - 1)
    found = _scan(points, near, np.arange(near), (width, area, tests))
    far = min(FAR, len(points) - 1)
    if far > near:  # among much clutter a row shows only over a longer stretch
        found += _scan(points, far, np.unique(np.geomspace(near, far - 1, FAR_SEEDS).astype(int)), (width, area, tests))
    return [(a, b) for _, a, b in sorted(found)]


def _scan(
    points: np.ndarray, near: int, ends: np.ndarray, size: tuple[float, float, float]
) -> list[tuple[float, int, int]]:
    from scipy.spatial import cKDTree

    width, area, tests = size
    n = len(points)
    distance, index = cKDTree(points).query(points, near + 1)
    found: list[tuple[float, int, int]] = []
    chunk = max(1, CELLS // (near * len(ends)))
    for begin in range(0, n, chunk):
        rows = np.arange(begin, min(begin + chunk, n))
        offset = points[index[rows, 1:]] - points[rows, None]
        length = np.maximum(distance[rows, 1:], 1e-9)[:, ends]
        unit = offset[:, ends] / length[..., None]
        along = unit @ offset.transpose(0, 2, 1)
        across = np.abs(np.stack([-unit[..., 1], unit[..., 0]], axis=-1) @ offset.transpose(0, 2, 1))
        count = ((across <= width) & (along > 0) & (along <= length[:, :, None] + 1e-9)).sum(axis=2)
        value = log_tail(n - 2, np.minimum(2 * width * length / area, 1), count - 1)
        value[count < LEAST - 1] = 0.0
        for j in np.argsort(value, axis=1, kind="stable")[:, :2].T:
            best = value[np.arange(len(rows)), j]
            # a short stretch has little to show yet: let it grow if it is anywhere near
            for r in np.flatnonzero(best + tests < np.log(1e3)):
                found.append((float(best[r]), int(rows[r]), int(index[rows[r], ends[j[r]] + 1])))
    return found


def _grow(
    points: np.ndarray, seed: tuple[int, int], reach: _Reach, taken: np.ndarray
) -> tuple[float, np.ndarray] | None:
    """Refit and lengthen a seed until it no longer gains; its log tail probability and its points in order."""
    width = reach.width
    members = np.array(seed)
    free = np.flatnonzero(~taken)
    best: tuple[float, np.ndarray] | None = None
    for _ in range(GROWTH):
        centre, unit = _axis(points[members])
        along = (points[free] - centre) @ unit
        across = (points[free] - centre) @ np.array([-unit[1], unit[0]])
        span = np.ptp(along[np.isin(free, members)])
        ends = along[np.isin(free, members)]
        inside = (
            (np.abs(across) <= width)
            & (along >= ends.min() - span - 4 * width)
            & (along <= ends.max() + span + 4 * width)
        )
        candidate = _best_part(free[inside], along[inside], along, across, reach)
        if candidate is None or (best is not None and candidate[0] >= best[0] - 1e-9):
            break
        best, members = candidate, candidate[1]
    if best is None or len(best[1]) < LEAST:
        return None
    return _confirmed(points, best[1], free, width, reach.area)


def _axis(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centre = points.mean(axis=0)
    _, _, turn = np.linalg.svd(points - centre, full_matrices=False)
    unit = turn[0] if (turn[0][0], turn[0][1]) > (0, 0) else -turn[0]
    return centre, unit


def _best_part(
    ids: np.ndarray, t: np.ndarray, along: np.ndarray, across: np.ndarray, reach: _Reach
) -> tuple[float, np.ndarray] | None:
    """The stretch of a strip, from one of its points to another, that is least likely by chance."""
    width, area = reach.width, reach.area
    if len(ids) < LEAST:
        return None
    order = np.argsort(t, kind="stable")
    ids, t = ids[order], t[order]
    first, last = np.triu_indices(len(t), LEAST - 1)
    breaks = np.r_[0, np.cumsum(np.diff(t) > reach.gap)]
    whole = (breaks[first] == breaks[last]) & (t[last] - t[first] <= reach.length)
    if not whole.any():
        return None
    first, last = first[whole], last[whole]
    length = np.maximum(t[last] - t[first], 2 * width)
    count = last - first + 1
    value = log_tail(len(along) - 2, np.minimum(2 * width * length / area, 1), count - 2)
    for pick in np.argsort(value, kind="stable")[:3]:
        low, high = t[first[pick]], t[last[pick]]
        p = _share(along, across, (low, high), width, area)
        exact = float(log_tail(len(along) - 2, np.array([p]), np.array([count[pick] - 2]))[0])
        if exact < 0:
            return exact, ids[first[pick] : last[pick] + 1]
    return None


def _share(along: np.ndarray, across: np.ndarray, ends: tuple[float, float], width: float, area: float) -> float:
    """Chance of one clutter point falling into the strip: from the whole field, or from either side if that is denser."""
    length = max(ends[1] - ends[0], 2 * width)
    wide = FLANK * width
    beside = (
        (along >= ends[0] - width)
        & (along <= ends[1] + width)
        & (np.abs(across) > 1.5 * width)
        & (np.abs(across) <= wide)
    )
    ground = (length + 2 * width) * (wide - 1.5 * width)
    density = max((beside & (across > 0)).sum(), (beside & (across < 0)).sum()) / ground
    return float(min(1.0, max(2 * width * length / area, 2 * width * length * density / max(len(along), 1))))


def _close(points: np.ndarray, members: np.ndarray, reach: _Reach) -> np.ndarray:
    """Only the points that lie as near the axis as the row itself is straight; the others are clutter in the strip."""
    width = reach.width
    centre, unit = _axis(points[members])
    across = np.abs((points[members] - centre) @ np.array([-unit[1], unit[0]]))
    kept = members[across <= np.clip(3.5 * 1.4826 * np.median(across), width / 3, width)]
    broken = len(kept) > 1 and bool((np.diff((points[kept] - centre) @ unit) > reach.gap).any())
    return kept if len(kept) >= LEAST and not broken else members


def _confirmed(
    points: np.ndarray, members: np.ndarray, free: np.ndarray, width: float, area: float
) -> tuple[float, np.ndarray]:
    """The log tail probability by the definition itself, a strip through two points, at its best over pairs of outer points."""
    outer = [(a, b) for a in members[:3] for b in members[-3:] if a != b]
    best = 0.0
    for a, b in outer:
        step = points[b] - points[a]
        length = float(np.hypot(*step))
        if length <= 0:
            continue
        unit = step / length
        along = (points[free] - points[a]) @ unit
        across = (points[free] - points[a]) @ np.array([-unit[1], unit[0]])
        count = int(((np.abs(across) <= width) & (along >= -1e-9) & (along <= length + 1e-9)).sum())
        p = _share(along, across, (0.0, length), width, area)
        best = min(best, float(log_tail(len(free) - 2, np.array([p]), np.array([count - 2]))[0]))
    return best, members
