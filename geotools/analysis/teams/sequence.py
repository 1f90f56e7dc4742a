"""Orders of work without a solver: Smith's rule, greedy assignment, improvement by moving steps, and a lower bound.

For every plan: as its result where no solver is at hand, as its start where one is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from geotools.analysis.teams.problem import NEVER, Problem
from geotools.model.doors import checked
from geotools.model.errors import StatisticsError

Orders = list[list[int]]


@checked
def smith_order(value: Sequence[float], time: Sequence[float]) -> list[int]:
    """The order in which one team finishes the most value the soonest: descending value per time (Smith's rule).

    Raises
    ------
    StatisticsError
        If there are more values than times, or fewer.

    Examples
    --------
    >>> smith_order([5, 3, 8, 2, 6, 1], [4, 6, 3, 5, 2, 7])
    [4, 2, 0, 1, 3, 5]
    """
    if len(value) != len(time):
        raise StatisticsError("every task needs one value and one time", hint="give lists of the same length")
    ratio = [v / t if t > 0 else float("inf") for v, t in zip(value, time, strict=True)]
    return sorted(range(len(ratio)), key=lambda j: (-ratio[j], j))


def greedy(problem: Problem, goal: str) -> Orders:
    """Each step, the most valuable per day of work first, to the team that would end it soonest; the best of three orders."""
    least = np.array(
        [min((problem.need[j, i] for i in problem.able(j)), default=np.inf) for j in range(len(problem.jobs))]
    )
    worth, work = _chains(problem, least)
    ratio = np.array(smith_order(worth.tolist(), np.where(np.isfinite(work), work, 1e12).tolist()), dtype=int)
    rank = np.empty(len(ratio), dtype=int)
    rank[ratio] = np.arange(len(ratio))
    keys = [rank, -np.where(np.isfinite(least), least, 0), -problem.value]
    best, lowest = None, None
    for key in keys:
        orders = _append(problem, _sorted_with_order(problem, key))
        cost = problem.cost(problem.run(orders)[1], goal)
        if lowest is None or cost < lowest:
            best, lowest = orders, cost
    return best if best is not None else [[] for _ in problem.teams]


def _chains(problem: Problem, least: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value and least work of each step with all that follows it."""
    worth, work = problem.value.copy(), least.copy()
    for j in range(len(problem.jobs)):
        at = problem.before[j]
        while at >= 0:
            worth[at] += problem.value[j]
            work[at] += least[j]
            at = problem.before[at]
    return worth, work


def _sorted_with_order(problem: Problem, key: np.ndarray) -> list[int]:
    """Steps by key, each after what must come before it."""
    out: list[int] = []
    placed = set()
    for job in sorted(range(len(problem.jobs)), key=lambda j: (key[j], j)):
        chain, at = [], job
        while at >= 0 and at not in placed:
            chain.append(at)
            at = problem.before[at]
        for each in reversed(chain):
            placed.add(each)
            out.append(each)
    return out


def _append(problem: Problem, jobs: Sequence[int]) -> Orders:
    orders: Orders = [[] for _ in problem.teams]
    free, last = [0] * len(orders), [-1] * len(orders)
    ends = [NEVER] * len(problem.jobs)
    for job in jobs:
        first = problem.before[job]
        if first >= 0 and ends[first] == NEVER:
            continue
        choices = []
        for team in problem.able(job):
            gap = problem.move[team] if last[team] >= 0 and problem.tasks[last[team]] != problem.tasks[job] else 0
            soonest = max(free[team] + gap, problem.ready[job], ends[first] + 1 if first >= 0 else 0)
            end = problem.span(job, team, soonest)[1]
            if end != NEVER:
                choices.append((end, problem.need[job, team], team))
        if choices:
            end, _, team = min(choices)
            orders[team].append(job)
            ends[job], free[team], last[team] = end, end + 1, job
    return orders


def improve(problem: Problem, orders: Orders, goal: str, *, tries: int) -> Orders:
    """Move single steps to where the plan gets better, until none does or `tries` plans were looked at. Never worse."""
    best = [list(order) for order in orders]
    lowest = problem.cost(problem.run(best)[1], goal)
    left = tries
    better = True
    while better and left > 0:
        better = False
        for job in sorted(range(len(problem.jobs)), key=lambda j: (-problem.value[j], j)):
            found, lowest, left = _best_place(problem, best, job, goal, (lowest, left))
            if found is not None:
                best, better = found, True
            if left <= 0:
                break
    return best


def _best_place(
    problem: Problem, orders: Orders, job: int, goal: str, state: tuple[tuple[float, float], int]
) -> tuple[Orders | None, tuple[float, float], int]:
    lowest, left = state
    without = [[j for j in order if j != job] for order in orders]
    found = None
    for team in problem.able(job):
        for place in range(len(without[team]) + 1):
            if left <= 0:
                return found, lowest, left
            trial = [list(order) for order in without]
            trial[team].insert(place, job)
            left -= 1
            cost = problem.cost(problem.run(trial)[1], goal)
            if cost[0] < lowest[0] - 1e-9 or (cost[0] <= lowest[0] + 1e-9 and cost[1] < lowest[1] - 1e-9):
                found, lowest = trial, cost
    return found, lowest, left


def bound(problem: Problem, goal: str) -> float:
    """A figure no plan can go below: each step done as if alone, and all steps shared out freely over all teams at once.

    For the second part every team is taken to be as fast as its best, steps may be cut at will, and the most valuable ground per day
    goes first; a step still ends at least half its own time after its middle (Eastman, Even and Isaacs 1964, for teams of
    different speed and with calendars).
    """
    late = 2.0 * problem.horizon
    ends = [NEVER] * len(problem.jobs)
    for job in _sorted_with_order(problem, np.zeros(len(problem.jobs))):
        first = problem.before[job]
        if first >= 0 and ends[first] == NEVER:
            continue
        soonest = max(problem.ready[job], ends[first] + 1 if first >= 0 else 0)
        possible = [e for e in (problem.span(job, i, soonest)[1] for i in problem.able(job)) if e != NEVER]
        ends[job] = min(possible, default=NEVER)
    stuck = [j for j, end in enumerate(ends) if end == NEVER]
    doable = np.array([j for j, end in enumerate(ends) if end != NEVER], dtype=int)
    if goal == "finish":
        longest = late if stuck else max((end + 1.0 for end in ends), default=0.0)
        return late * len(stuck) + max(longest, _shared(problem, doable)[1])
    alone = {int(j): float(problem.value[j] * (ends[j] + 1.0)) for j in doable}
    valued = doable[problem.value[doable] > 0]
    shared = _shared(problem, valued)[0]
    behind = _behind_machine(problem, valued, alone)
    return float(problem.value[stuck].sum() * late) + max(sum(alone.values()), shared, behind)


def _behind_machine(problem: Problem, valued: np.ndarray, alone: dict[int, float]) -> float:
    """The same when what comes first is scarce: each step ends no sooner than the one before it, and its own time after."""
    chained = [int(j) for j in valued if problem.before[j] >= 0]
    moved = np.zeros(len(problem.jobs))
    after = 0.0
    for j in chained:
        moved[problem.before[j]] += problem.value[j]
        after += float(problem.value[j] * problem.need[j].min())
    first = np.flatnonzero(moved)
    shared = _shared(replace(problem, value=moved), first)[0]
    others = np.array([int(j) for j in valued if problem.before[j] < 0], dtype=int)
    rest = max(sum(alone[int(j)] for j in others), _shared(problem, others)[0])
    return shared + after + rest if shared > 0 else 0.0


def _shared(problem: Problem, jobs: np.ndarray) -> tuple[float, float]:
    """Weighted days, and days, if all teams worked on every step together."""
    if not len(jobs):
        return 0.0, 0.0
    need = problem.need[jobs]
    least = need.min(axis=1)
    speed = np.array([np.median((least / need[:, i])[np.isfinite(need[:, i])]) if np.isfinite(need[:, i]).any() else 0.0 for i in range(need.shape[1])])  # fmt: skip
    possible = np.isfinite(need)
    load = np.where(possible, np.where(possible, need, 0.0) * speed, np.inf).min(axis=1)
    capacity = np.r_[0.0, np.cumsum(speed @ problem.available)]
    capacity = np.r_[capacity, capacity[-1] + load.sum() + 1.0]  # what does not fit ends no sooner than the horizon
    value = problem.value[jobs]
    order = np.array(smith_order(value.tolist(), load.tolist()))
    edges = np.r_[0.0, np.cumsum(load[order])]
    middle = np.diff(_time_integral(capacity, edges)) / np.maximum(load[order], 1e-12)
    weighted = float((value[order] * (middle + least[order] / 2)).sum())
    return weighted, float(np.interp(edges[-1], *_rising(capacity)))


def _rising(capacity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Capacity used up and the time of it, days without work left out (each level at its earliest)."""
    keep = np.r_[True, np.diff(capacity) > 0]
    before = np.r_[keep[1:], False]  # the moment before work goes on after a pause
    days = np.minimum(
        np.arange(len(capacity), dtype=float), len(capacity) - 2.0
    )  # the last is what lies beyond the horizon
    level = np.r_[capacity[keep], capacity[before]]
    time = np.r_[days[keep], days[before]]
    order = np.lexsort((time, level))
    return level[order], time[order]


def _time_integral(capacity: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Integral, from 0, of the time at which a capacity is reached, up to each of `at`."""
    level, time = _rising(capacity)
    whole = np.r_[0.0, np.cumsum(np.diff(level) * (time[1:] + time[:-1]) / 2)]
    index = np.clip(np.searchsorted(level, at, side="right") - 1, 0, len(level) - 2)
    part = at - level[index]
    width = np.maximum(level[index + 1] - level[index], 1e-300)
    end = time[index] + (time[index + 1] - time[index]) * np.where(level[index + 1] > level[index], part / width, 0.0)
    out: np.ndarray = whole[index] + part * (time[index] + end) / 2
    return out
