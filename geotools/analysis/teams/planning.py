"""Who works where and when: teams, machines and dogs assigned to the steps of tasks.

For advice to the person who decides; every plan says how it was found and how far from the best it may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.analysis.teams import sequence, solver
from geotools.analysis.teams.crews import Team
from geotools.analysis.teams.problem import NEVER, Problem, moment, problem_of
from geotools.analysis.teams.sequence import Orders
from geotools.analysis.teams.workdays import day
from geotools.model.doors import checked
from geotools.model.errors import MissingLibraryError, StatisticsError
from geotools.model.schema import Issue, issues_frame

GOALS = ("value", "finish")
TRIES = 2000  # plans looked at per unit of effort by the improvement without a solver


@dataclass(frozen=True)
class Plan:
    """A plan and how good it is.

    ``table``: one row per step, ``id task_id skill team start end work_days area_m2 value`` and geometry; no team, start or end where a
    step is not done within the horizon. ``teams``: one row per team, ``team steps area_m2 work_days idle_days first last``. ``method`` is ``cp-sat`` or ``greedy``; ``gap`` is the largest
    share by which a better plan could beat this one (0: none can); the solver looks at plans that end within half as long again.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from geotools.analysis.teams import EVERY_DAY, Calendar, Rate, steps
    >>> tasks = gpd.GeoDataFrame({"id": ["A", "B"], "area_m2": [400.0, 100.0]}, geometry=[shapely.Point(0, 0)] * 2, crs=4326)
    >>> team = Team("T", {"manual": Rate(100)}, calendar=Calendar(weekdays=EVERY_DAY))

    >>> done = plan(steps(tasks), [team], start=date(2026, 6, 1))
    >>> done.table[["id", "team", "work_days"]].values.tolist(), done.finish, done.optimal
    ([['A', 'T', 4.0], ['B', 'T', 1.0]], datetime.date(2026, 6, 5), True)
    """

    start: date
    goal: str
    horizon_days: int
    table: gpd.GeoDataFrame
    teams: pd.DataFrame
    issues: gpd.GeoDataFrame
    method: str
    optimal: bool
    objective: float
    bound: float
    words: str
    orders: Orders = field(repr=False, default_factory=list)
    problem: Problem | None = field(repr=False, default=None)
    crews: tuple[Team, ...] = field(repr=False, default=())
    work: gpd.GeoDataFrame | None = field(repr=False, default=None)

    @property
    def gap(self) -> float:
        """Largest share of the objective that a better plan could save."""
        return max(0.0, (self.objective - self.bound) / self.objective) if self.objective > 0 else 0.0

    @property
    def finish(self) -> date | None:
        """The last day of the plan; None if a step is left out."""
        return None if self.table["end"].isna().any() or self.table.empty else self.table["end"].max().date()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, dates as ISO text."""
        steps = pd.DataFrame(self.table.drop(columns=self.table.geometry.name))
        return {
            "start": self.start.isoformat(),
            "finish": self.finish.isoformat() if self.finish else None,
            "goal": self.goal,
            "method": self.method,
            "optimal": self.optimal,
            "gap": round(self.gap, 6),
            "objective": round(self.objective, 6),
            "words": self.words,
            "steps": _records(steps),
            "teams": _records(self.teams),
        }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _plain(v) for k, v in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value.date().isoformat() if isinstance(value, pd.Timestamp) else value


@checked(least={"horizon_days": 1, "effort": 0})
def plan(
    work: gpd.GeoDataFrame,
    teams: Sequence[Team],
    *,
    start: date,
    goal: str = "value",
    horizon_days: int = 1095,
    effort: float = 1.0,
) -> Plan:
    """Assign teams to steps of work.

    With the extra `planning` the solver CP-SAT searches from a greedy plan, always in the same way (one worker, fixed seed, a limit in
    counted work instead of seconds). Without it, or where the problem is too large for it, the greedy plan is improved by moving steps.

    Parameters
    ----------
    work
        As from `steps`: ``id, task_id, skill, area_m2, value, after, earliest, latest, seasons`` and geometry.
    teams
        Who there is.
    start
        First day of the plan.
    goal
        ``value``: finish what is worth most, soonest (sum of value × days). ``finish``: be done with everything soonest.
    horizon_days
        How far to look; what does not end within it is left out and said.
    effort
        How long to search, in the solver's own units of work (about seconds); 0 takes the greedy plan as it is.

    Returns
    -------
    Plan
        Dates are those of mean rates and mean weather; `simulate` says how sure they are.

    Raises
    ------
    SchemaError
        If the work cannot be understood.
    StatisticsError
        If there is no work, no team, or an unknown goal.

    Examples
    --------
    >>> import shapely
    >>> from geotools.analysis.teams import Calendar, Rate, Team, EVERY_DAY, steps
    >>> tasks = gpd.GeoDataFrame({"id": ["A", "B"], "area_m2": [400.0, 100.0]}, geometry=[shapely.Point(0, 0)] * 2, crs=4326)
    >>> team = Team("T", {"manual": Rate(100)}, calendar=Calendar(weekdays=EVERY_DAY))
    >>> done = plan(steps(tasks), [team], start=date(2026, 6, 1))
    >>> done.table[["id", "team"]].values.tolist(), done.finish, done.gap
    ([['A', 'T'], ['B', 'T']], datetime.date(2026, 6, 5), 0.0)
    """
    if goal not in GOALS:
        raise StatisticsError(f"'{goal}' is not a goal", hint=f"use one of {', '.join(GOALS)}")
    if work.empty or not len(teams):
        raise StatisticsError(
            "there is nothing to plan: no work" if work.empty else "there is no team to plan with",
            hint="give tasks with area left to do, and a table of teams",
        )
    problem, found = problem_of(work, teams, start=start, horizon_days=horizon_days)
    orders, how = search(problem, goal, effort=effort)
    return result(work, tuple(teams), problem, (orders, how, goal), found)


@dataclass(frozen=True)
class How:
    """How a plan was found: method, whether proven best, lower bound, and why there was no solver."""

    method: str
    optimal: bool
    bound: float
    why: str = ""


def search(problem: Problem, goal: str, *, effort: float, first: Orders | None = None) -> tuple[Orders, How]:
    """The best orders found for a problem. `first` is a plan to start from: the result is never worse than it."""
    orders = sequence.greedy(problem, goal)
    if first is not None and problem.cost(problem.run(first)[1], goal) <= problem.cost(problem.run(orders)[1], goal):
        orders = first
    orders = sequence.improve(problem, orders, goal, tries=int(TRIES * effort))
    lower = sequence.bound(problem, goal)
    cost = problem.cost(problem.run(orders)[1], goal)
    if effort <= 0 or cost[0] <= lower + 1e-9:
        return orders, How("greedy", cost[0] <= lower + 1e-9, lower)
    days = _days_to_search(problem, orders)
    if solver.too_large(problem, days):
        return orders, How("greedy", False, lower, "the problem is too large for the solver")
    try:
        solved = solver.solve(problem, orders, goal, days=days, effort=effort)
    except MissingLibraryError as error:
        return orders, How("greedy", False, lower, f"the solver is not installed ({error.hint})")
    if not solved.found:
        return orders, How("greedy", False, lower, solved.why)
    polished = sequence.improve(problem, solved.orders, goal, tries=int(TRIES * effort))
    better = problem.cost(problem.run(polished)[1], goal) < cost
    lower = max(lower, min(solved.bound, problem.cost(problem.run(polished if better else orders)[1], goal)[0]))
    return (polished if better else orders), How("cp-sat", solved.optimal, lower)


def _days_to_search(problem: Problem, orders: Orders) -> int:
    """Half as long again as the plan at hand, or the whole horizon where it leaves steps out."""
    ends = problem.run(orders)[1]
    longest = max(ends, default=0)
    return problem.horizon if NEVER in ends else min(problem.horizon, longest + longest // 2 + 30)


def result(
    work: gpd.GeoDataFrame,
    teams: tuple[Team, ...],
    problem: Problem,
    found: tuple[Orders, How, str],
    issues: list[Issue],
) -> Plan:
    """The plan that goes with orders found by `search`."""
    orders, how, goal = found
    starts, ends = problem.run(orders)
    table = _table(work, problem, orders, (starts, ends))
    objective = problem.cost(ends, goal)[0]
    bound = min(how.bound, objective)
    issues = [*issues, *_late(table, work, problem)]
    optimal = how.optimal or objective - bound <= 1e-9 * max(1.0, objective)
    words = _words(how, optimal, objective, bound, table)
    return Plan(
        problem.start, goal, problem.horizon, table, _per_team(table, problem), issues_frame(issues), how.method, optimal, objective,
        objective if optimal else bound, words, orders, problem, teams, work,
    )  # fmt: skip


def _table(
    work: gpd.GeoDataFrame, problem: Problem, orders: Orders, spans: tuple[list[int], list[int]]
) -> gpd.GeoDataFrame:
    starts, ends = spans
    at = {job: team for team, order in enumerate(orders) for job in order if ends[job] != NEVER}
    index = work.set_index(work["id"].astype(str)).loc[list(problem.jobs)]
    area = pd.to_numeric(index["area_m2"]).to_numpy(dtype=float)
    jobs = range(len(problem.jobs))
    data = {
        "id": list(problem.jobs),
        "task_id": list(problem.tasks),
        "skill": [problem.skill[j, at[j]] if j in at else None for j in jobs],
        "team": [problem.teams[at[j]] if j in at else None for j in jobs],
        "start": _dates([day(problem.start, starts[j]) if j in at else None for j in jobs]),
        "end": _dates([day(problem.start, ends[j]) if j in at else None for j in jobs]),
        "work_days": [float(problem.need[j, at[j]]) if j in at else np.nan for j in jobs],
        "area_m2": area,
        "value": problem.value,
    }
    shapes = (
        index.geometry.array if isinstance(work, gpd.GeoDataFrame) and work.active_geometry_name else [None] * len(jobs)
    )
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shapes, crs=getattr(work, "crs", None)))


def _dates(days: list[date | None]) -> pd.Series:
    return pd.to_datetime(pd.Series(days, dtype=object))


def _per_team(table: gpd.GeoDataFrame, problem: Problem) -> pd.DataFrame:
    rows = []
    for i, name in enumerate(problem.teams):
        mine = table[table["team"] == name]
        last = None if mine.empty else mine["end"].max()
        until = 0 if last is None else (last.date() - problem.start).days + 1
        possible = float(problem.available[i, :until].sum())
        rows.append({
            "team": name, "steps": len(mine), "area_m2": float(mine["area_m2"].sum()), "work_days": float(mine["work_days"].sum()),
            "idle_days": max(0.0, possible - float(mine["work_days"].sum())), "first": None if mine.empty else mine["start"].min(), "last": last,
        })  # fmt: skip
    out = pd.DataFrame(rows)
    for name in ("first", "last"):
        out[name] = pd.to_datetime(out[name])
    return out


def _late(table: gpd.GeoDataFrame, work: gpd.GeoDataFrame, problem: Problem) -> list[Issue]:
    out = []
    latest = (
        work.set_index(work["id"].astype(str))["latest"].map(moment) if "latest" in work else pd.Series(dtype=object)
    )
    for j, (name, end) in enumerate(zip(table["id"], table["end"], strict=True)):
        due = latest.get(name)
        if pd.isna(end) and problem.able(j):
            said = f"'{name}' does not end within {problem.horizon} days and is left out of the plan"
            out.append(Issue("TM-04", "warning", "work", name, "end", said, limit=problem.horizon))
        elif due is not None and pd.notna(due) and pd.notna(end) and end > due:
            said = f"'{name}' ends on {end.date()}, {(end - due).days} days later than asked for"
            out.append(Issue("TM-05", "warning", "work", name, "latest", said, end.date(), due.date()))
    return out


def _words(how: How, optimal: bool, objective: float, bound: float, table: gpd.GeoDataFrame) -> str:
    name = "the solver CP-SAT" if how.method == "cp-sat" else "greedy assignment and moving of steps"
    if optimal:
        said = f"found by {name}; proven best for these figures"
    else:
        gap = (objective - bound) / objective if objective > 0 else 0.0
        said = f"found by {name}; no plan can be better by more than {gap:.1%}"
    said += f"; {how.why}" if how.why else ""
    left = int(table["end"].isna().sum())
    return said + (
        f"; {left} of {len(table)} steps are not in the plan (a longer horizon, more teams or other skills)"
        if left
        else ""
    )
