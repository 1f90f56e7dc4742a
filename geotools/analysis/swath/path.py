"""Time order, outages, spikes, smoothing and the place of an offset tool: arrays in, arrays out.

For what happens to fixes before they become passes; not for geometry or frames. Everything here is computed inside one block
of fixes (one asset and run, no outage), so that neither row order nor chunking can change a result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geotools.analysis.swath.fixes import UNIT_M, Fixes
from geotools.analysis.swath.rules import Rules

SECOND = 1_000_000
HOP = 0.45  # of the width: lesser hops stay within the swath, so they join no ground that was not worked
HOP_WINDOW, HOPS, HOP_PAD = (
    24,
    4,
    3,
)  # so many steps, hops to and fro among them that tell several tools, and fixes left out beside them
HOP_DETOUR = 1.25  # the way over six steps against its chord: one tool that advances in hops makes no detour
NOISE = 1.2533 / np.sqrt(6.0)  # mean absolute second difference to standard deviation of white noise


@dataclass(frozen=True)
class Break:
    """A place where the track is interrupted: positions of the last fix before and the first after in the sorted fixes."""

    before: np.ndarray
    after: np.ndarray
    why: np.ndarray


def copies(fixes: Fixes) -> tuple[Fixes, np.ndarray]:
    """Without fixes of one instant and place that stand in several runs, as when a file was read twice; and the rows left out.

    The first run keeps them, working only where all copies say so, no wider, deeper or more accurate than the least of them.
    """
    if not len(fixes) or not (fixes.group != fixes.group[0]).any():
        return fixes, fixes.row[:0]
    key = (
        fixes.t * 1_000_003 + fixes.x
    ) * 1_000_003 + fixes.y  # equal for copies; whoever shares it by chance is compared below
    ranked = np.sort(key)
    if not (ranked[1:] == ranked[:-1]).any():
        return fixes, fixes.row[:0]
    order = np.lexsort((fixes.group, fixes.y, fixes.x, fixes.t))
    at = fixes.take(order)
    same = (at.t[1:] == at.t[:-1]) & (at.x[1:] == at.x[:-1]) & (at.y[1:] == at.y[:-1])
    first = np.concatenate(([True], ~same))
    begin = np.flatnonzero(first)
    other = np.concatenate(([False], same)) & (at.group != at.group[begin][np.cumsum(first) - 1])
    if not other.any():
        return fixes, fixes.row[:0]
    on, width = np.logical_and.reduceat(at.on, begin, axis=0), np.fmin.reduceat(at.width, begin)
    depth, sigma = np.minimum.reduceat(at.depth, begin), np.fmax.reduceat(at.sigma, begin)
    which = np.cumsum(first) - 1
    kept = replace(at, on=on[which], width=width[which], depth=depth[which], sigma=sigma[which]).take(~other)
    back = np.argsort(kept.row, kind="stable")
    return kept.take(back), at.row[other]


def in_time_order(fixes: Fixes) -> tuple[Fixes, np.ndarray]:
    """Sorted by asset, run and time; and the rows that repeat a time already there."""
    same = fixes.group[1:] == fixes.group[:-1]
    if not ((fixes.group[1:] > fixes.group[:-1]) | (same & (fixes.t[1:] > fixes.t[:-1]))).all():
        keys = (*fixes.on.T[::-1], fixes.width, fixes.y, fixes.x, fixes.t, fixes.group)
        fixes = fixes.take(np.lexsort(keys))
        same = fixes.group[1:] == fixes.group[:-1]
    repeat = np.concatenate(([False], same & (fixes.t[1:] == fixes.t[:-1]))) if len(fixes) else np.zeros(0, dtype=bool)
    if not repeat.any():
        return fixes, fixes.row[:0]
    return fixes.take(~repeat), fixes.row[repeat]


def blocks(fixes: Fixes, rules: Rules) -> np.ndarray:
    """True at the first fix of every block: a new asset or run, or a pause longer than an outage."""
    if not len(fixes):
        return np.zeros(0, dtype=bool)
    pause = np.diff(fixes.t) > rules.outage_s * SECOND
    return np.concatenate(([True], pause | (np.diff(fixes.group) != 0)))


def spikes(fixes: Fixes, first: np.ndarray, rules: Rules) -> np.ndarray:
    """Mask of fixes farther than the limit from the median of the five around them, within their block."""
    count = len(fixes)
    out = np.zeros(count, dtype=bool)
    if count < 3:
        return out
    step = np.hypot(np.diff(fixes.x), np.diff(fixes.y)) * UNIT_M
    step[first[1:]] = 0
    wild = np.concatenate(([0.0], step)) > rules.spike_m / 3  # with all steps shorter than this no fix can be a spike
    if not wild.any():
        return out
    near = np.flatnonzero(wild)
    test = np.unique(np.clip((near[:, None] + np.arange(-3, 3)).ravel(), 0, count - 1))
    low, high = extent(first)
    around = np.clip(test[:, None] + np.arange(-2, 3), low[test][:, None], high[test][:, None])
    far = np.hypot(
        fixes.x[test] - np.median(fixes.x[around], axis=1), fixes.y[test] - np.median(fixes.y[around], axis=1)
    ) * UNIT_M > rules.spike_m  # fmt: skip
    out[test[far]] = True
    return out


def extent(first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every element the positions of the first and the last element of its part, given marks at firsts."""
    start = np.flatnonzero(first)
    size = np.diff(np.concatenate((start, [len(first)])))
    return np.repeat(start, size), np.repeat(start + size - 1, size)


def sequences(fixes: Fixes, rules: Rules) -> tuple[np.ndarray, Break]:
    """True at the first fix of every unbroken sequence; and the breaks and bridged pauses inside one asset and run."""
    if not len(fixes):
        empty = np.zeros(0, dtype=np.int64)
        return np.zeros(0, dtype=bool), Break(empty, empty, np.zeros(0, dtype=object))
    gap = np.diff(fixes.t)
    step = np.hypot(np.diff(fixes.x), np.diff(fixes.y)) * UNIT_M
    other = np.diff(fixes.group) != 0
    silent, jump = gap > rules.outage_s * SECOND, step > rules.step_m
    first = np.concatenate(([True], other | silent | jump))
    low, high = extent(first)
    mean = (fixes.t[high] - fixes.t[low])[1:] / np.maximum(1, (high - low)[1:])
    slow = ~first[1:] & (gap > 2.5 * mean) & (gap > 0.5 * SECOND)
    at = np.flatnonzero((first[1:] & ~other) | slow)
    why = np.where(slow[at], "bridged", np.where(silent[at], "outage", "jump")).astype(object)
    return first, Break(at, at + 1, why)


def mixed(fixes: Fixes, first: np.ndarray) -> np.ndarray:
    """Mask of fixes in stretches that jump to and fro, as when several tools are logged under one name.

    A hop is a step that leaves its neighbours' direction and whose end leaves it back again (the bends at both of its ends are
    wide and opposite), on a way with a detour. One hop is a glitch; many within a few steps are not the way of one tool. A tool
    swung from side to side with two or more fixes per swing has none: it bends the same way twice.
    """
    out = np.zeros(len(fixes), dtype=bool)
    if len(fixes) < 5:
        return out
    x, y, need = fixes.x * UNIT_M, fixes.y * UNIT_M, HOP * fixes.width
    step = np.where(first[1:], 0.0, np.hypot(np.diff(x), np.diff(y)))
    if not (step > need[1:]).any():
        return out
    low, high = extent(first)
    bx, by = _bends(x, fixes.t, low, high), _bends(y, fixes.t, low, high)
    wide = np.hypot(bx, by) >= need
    hop = np.concatenate((wide[:-1] & wide[1:] & ~first[1:] & (bx[:-1] * bx[1:] + by[:-1] * by[1:] < 0), [False]))
    at = np.flatnonzero(hop)
    onward = (x[at] - x[at - 1]) * (x[at + 2] - x[at + 1]) + (y[at] - y[at - 1]) * (
        y[at + 2] - y[at + 1]
    ) > 0  # not a turn into the next lane
    gone = np.concatenate(([0.0], np.cumsum(step)))
    back, ahead = np.maximum(low[at], at - 2), np.minimum(high[at], at + 4)
    detour = gone[ahead] - gone[back] >= HOP_DETOUR * np.hypot(x[ahead] - x[back], y[ahead] - y[back])
    at = at[onward & detour]
    enough = np.clip(-(-(high[at] - low[at] - 2) // 4), 2, HOPS)
    near = HOP_WINDOW // 2  # the ends of a run are too short to show a hop of their own
    begin = np.where(at - low[at] <= near, low[at], at - HOP_PAD)
    end = np.where(high[at] - at <= near, high[at], at + 1 + HOP_PAD)
    change = np.zeros(len(fixes) + 1, dtype=np.int64)
    for hops in range(2, HOPS + 1):  # every stretch from a hop to the last of those that are enough
        left = np.arange(len(at) - hops + 1)
        right = left + hops - 1
        close = (enough[left] == hops) & (at[right] - at[left] < HOP_WINDOW) & (low[at[right]] == low[at[left]])
        np.add.at(change, begin[left[close]], 1)
        np.add.at(change, end[right[close]] + 1, -1)
    return np.asarray(np.cumsum(change[:-1]) > 0)


def _bends(values: np.ndarray, t: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How far every fix lies from where steady motion between its two neighbours would put it; 0 at the ends of a run."""
    place = np.arange(len(values))
    before, after = np.maximum(low, place - 1), np.minimum(high, place + 1)
    share = (t - t[before]) / np.maximum(1, t[after] - t[before])
    bend = values - values[before] - share * (values[after] - values[before])
    return np.where((place > low) & (place < high), bend, 0.0)


def smoothed(fixes: Fixes, first: np.ndarray, rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    """Positions in metres after a moving average inside runs; ends stay, and no fix is moved by more than its noise explains.

    The window shrinks towards the ends of a run, and halves wherever it would move a fix by more than 1 cm + 4 times the noise
    of its run, which keeps corners and tight curves.
    """
    x, y = fixes.x, fixes.y
    if rules.smooth_s == 0 or len(fixes) < 3:
        return x * UNIT_M, y * UNIT_M
    low, high = extent(first)
    start = np.flatnonzero(first)
    size = np.diff(np.concatenate((start, [len(first)])))
    place = np.arange(len(x))
    span = np.maximum(1, fixes.t[start + size - 1] - fixes.t[start])
    wanted = np.floor(rules.smooth_s * SECOND / 2 * (size - 1) / span + 0.01).astype(np.int64)
    half = np.minimum(np.repeat(wanted, size), np.minimum(place - low, high - place))
    sums = np.cumsum(x), np.cumsum(y)

    def mean(index: np.ndarray, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        left, right, n = index - width - 1, index + width, 2 * width + 1
        back = np.maximum(left, 0)
        out = []
        for total in sums:
            before = np.where(left < 0, 0, total[back])
            out.append((total[right] - before) / n)
        return out[0], out[1]

    sx, sy = mean(place, half)
    limit = np.repeat(0.01 + 4 * _noise(x, y, start, size), size) / UNIT_M
    todo = np.flatnonzero((np.hypot(sx - x, sy - y) > limit) & (half > 0))
    while len(todo):
        half[todo] //= 2
        sx[todo], sy[todo] = mean(todo, half[todo])
        todo = todo[(np.hypot(sx[todo] - x[todo], sy[todo] - y[todo]) > limit[todo]) & (half[todo] > 0)]
    return sx * UNIT_M, sy * UNIT_M


def _noise(x: np.ndarray, y: np.ndarray, start: np.ndarray, size: np.ndarray) -> np.ndarray:
    """White noise per axis of each run, in metres, from second differences."""
    bend = np.zeros(len(x), dtype=np.int64)
    bend[1:-1] = np.abs(x[:-2] - 2 * x[1:-1] + x[2:]) + np.abs(y[:-2] - 2 * y[1:-1] + y[2:])
    bend[start] = 0
    bend[start + size - 1] = 0
    total = np.add.reduceat(bend, start)
    return NOISE * total / (2.0 * np.maximum(1, size - 2)) * UNIT_M


def headings(x: np.ndarray, y: np.ndarray, first: np.ndarray, chord_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Unit vector of travel at every fix, over a chord of the given length centred on it (one-sided at the ends of a run).

    NaN in runs shorter than the chord, or where the chord closes on itself.
    """
    low, high = extent(first)
    step = np.concatenate(([0.0], np.hypot(np.diff(x), np.diff(y))))
    step[first] = 0.0
    gone = np.cumsum(step)
    key = gone + np.cumsum(first) * (chord_m * 4)  # runs are kept apart, so that one search serves all
    begin, end = key[low], key[high]
    back = np.clip(key - chord_m / 2, begin, np.maximum(begin, end - chord_m))
    ahead = np.minimum(back + chord_m, end)
    back = np.maximum(begin, ahead - chord_m)
    dx = np.interp(ahead, key, x) - np.interp(back, key, x)
    dy = np.interp(ahead, key, y) - np.interp(back, key, y)
    length = np.hypot(dx, dy)
    unknown = (end - begin < chord_m) | (length < chord_m / 4)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(unknown, np.nan, dx / length), np.where(unknown, np.nan, dy / length)


def speeds(fixes: Fixes, x: np.ndarray, y: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Speed in m/s of every step to the next fix, over about two seconds inside the run; NaN after a run's last fix."""
    low, high = extent(first)
    start = np.flatnonzero(first)
    size = np.diff(np.concatenate((start, [len(first)])))
    span = np.maximum(1, fixes.t[start + size - 1] - fixes.t[start])
    half = np.repeat(np.floor(SECOND * (size - 1) / span).astype(np.int64), size)
    place = np.arange(len(x))
    back, ahead = np.maximum(low, place - half), np.minimum(high, place + 1 + half)
    seconds = np.maximum(1, fixes.t[ahead] - fixes.t[back]) / SECOND
    speed = np.hypot(x[ahead] - x[back], y[ahead] - y[back]) / seconds
    return np.where(place < high, speed, np.nan)
