"""Exact planning with CP-SAT (extra `planning`): one worker, a fixed seed and a limit in counted work, so that runs repeat.

For the same problem the greedy order solves; not for turning tables into problems.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from geotools.analysis.teams.problem import NEVER, Problem
from geotools.analysis.teams.sequence import Orders
from geotools.model.errors import need

LARGEST = 100_000  # steps × teams × days; above, the solver was measured to find nothing that moving steps does not
SCALE = 1_000_000


@dataclass(frozen=True)
class Solved:
    """What the solver found: orders, a proven lower bound of the first cost, whether the plan is proven best, and whether there is one."""

    orders: Orders
    bound: float
    optimal: bool
    found: bool = True
    why: str = "the solver found no plan within its limit; a higher effort gives it more"


def too_large(problem: Problem, days: int) -> bool:
    """Whether the problem is beyond what the solver is given."""
    return int(np.isfinite(problem.need).sum()) * days > LARGEST


def solve(problem: Problem, orders: Orders, goal: str, *, days: int, effort: float, seed: int = 0) -> Solved:
    """Improve a plan by CP-SAT over plans that end within `days`.

    Raises
    ------
    MissingLibraryError
        Without OR-tools.
    """
    cp_model = need("ortools.sat.python.cp_model", "planning")
    model = cp_model.CpModel()
    starts, ends = problem.run(orders)
    built = _build(cp_model, model, problem, days)
    scale = _objective(model, problem, built, goal, days)
    _hint(model, problem, built, (orders, starts, ends))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = effort
    try:
        status = solver.solve(model)
    except Exception as error:  # a fault within the solver's own library, of any class: the plan at hand stays
        said = f"the solver failed on it ({type(error).__name__}: {error})"
        return Solved(orders, -math.inf, False, found=False, why=said)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Solved(orders, -math.inf, False, found=False)
    found: list[list[tuple[int, int]]] = [[] for _ in problem.teams]
    for (job, team), here in built["here"].items():
        if solver.boolean_value(here):
            found[team].append((solver.value(built["start"][job]), job))
    lower = float(solver.best_objective_bound) / scale
    return Solved([[job for _, job in sorted(row)] for row in found], lower, status == cp_model.OPTIMAL)


def _build(cp_model: Any, model: Any, problem: Problem, days: int) -> dict[str, Any]:
    late = 2 * problem.horizon
    built: dict[str, Any] = {"here": {}, "start": [], "end": [], "done": [], "length": {}, "order": {}}
    per_team: list[list[tuple[int, Any]]] = [[] for _ in problem.teams]
    for job in range(len(problem.jobs)):
        start, end = model.new_int_var(0, days, f"s{job}"), model.new_int_var(0, late, f"e{job}")
        built["start"].append(start)
        built["end"].append(end)
        choices = []
        for team in problem.able(job):
            first, last = _table(problem, job, team, days)
            if not len(first):
                continue
            here = model.new_bool_var(f"x{job}_{team}")
            choices.append(here)
            built["here"][job, team] = here
            interval = _interval(cp_model, model, built, (job, team), (first, last))
            per_team[team].append((job, interval))
        done = model.new_bool_var(f"d{job}")
        built["done"].append(done)
        model.add(sum(choices) == done)
        model.add(end == late).only_enforce_if(~done)
    for job, prior in enumerate(problem.before):
        if prior >= 0:
            model.add(built["start"][job] >= built["end"][prior]).only_enforce_if(built["done"][job])
            model.add_implication(built["done"][job], built["done"][prior])
    for team, rows in enumerate(per_team):
        if len(rows) > 1:
            _one_at_a_time(model, problem, built, (team, rows))
    return built


def _table(problem: Problem, job: int, team: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Days on which the team can start the step, and the day after it would end."""
    sums = np.asarray(problem.sums(team, problem.window[job])[: days + 1])
    first = np.flatnonzero(np.diff(sums) > 1e-12)
    first = first[first >= problem.ready[job]]
    last = np.searchsorted(sums, sums[first] + problem.need[job, team] - 1e-9, side="left")
    inside = last < len(sums)
    return first[inside], np.maximum(last[inside], first[inside] + 1)


def _interval(cp_model: Any, model: Any, built: dict[str, Any], key: tuple[int, int], table: tuple[Any, Any]) -> Any:
    job, team = key
    first, last = table
    here, start, end = built["here"][key], built["start"][job], built["end"][job]
    length = last - first
    domain = cp_model.Domain.from_values(first.tolist())
    model.add_linear_expression_in_domain(start, domain).only_enforce_if(here)
    if (length == length[0]).all():
        size: Any = int(length[0])
        model.add(end == start + size).only_enforce_if(here)
    else:
        size = model.new_int_var(int(length.min()), int(length.max()), f"n{job}_{team}")
        lookup = np.full(int(first.max()) + 1, int(length.max()))
        lookup[first] = length
        mine = model.new_int_var(0, int(first.max()), f"m{job}_{team}")
        model.add_element(mine, lookup.tolist(), size)
        built["length"][key] = (mine, size, lookup, int(first[0]))
        model.add(start == mine).only_enforce_if(here)
        model.add(end == start + size).only_enforce_if(here)
    return model.new_optional_interval_var(start, size, end, here, f"i{job}_{team}")


def _one_at_a_time(
    model: Any, problem: Problem, built: dict[str, Any], team_rows: tuple[int, list[tuple[int, Any]]]
) -> None:
    team, rows = team_rows
    model.add_no_overlap([interval for _, interval in rows])
    gap = problem.move[team]
    if not gap:
        return
    for place, (a, _) in enumerate(rows):  # a change of task costs days, whichever of the two comes first
        for b, _ in rows[place + 1 :]:
            if problem.tasks[a] == problem.tasks[b]:
                continue
            both = [built["here"][a, team], built["here"][b, team]]
            order = model.new_bool_var(f"o{team}_{a}_{b}")
            built["order"][team, a, b] = order
            model.add(built["start"][b] >= built["end"][a] + gap).only_enforce_if([*both, order])
            model.add(built["start"][a] >= built["end"][b] + gap).only_enforce_if([*both, ~order])


def _objective(model: Any, problem: Problem, built: dict[str, Any], goal: str, days: int) -> float:
    late = 2 * problem.horizon
    if goal == "finish":
        finish = model.new_int_var(0, late, "finish")
        for end in built["end"]:
            model.add(finish >= end)
        left_out = sum(1 - done for done in built["done"])
        model.minimize(finish + late * left_out)
        return 1.0
    top = float(problem.value.max()) if len(problem.value) else 0.0
    scale = SCALE / top if top > 0 else 1.0
    whole = [math.floor(v * scale) for v in problem.value]
    model.minimize(sum(w * end for w, end in zip(whole, built["end"], strict=True) if w))
    return scale


def _hint(model: Any, problem: Problem, built: dict[str, Any], known: tuple[Orders, list[int], list[int]]) -> None:
    orders, starts, ends = known
    at = {job: team for team, order in enumerate(orders) for job in order if ends[job] != NEVER}
    for (job, team), here in built["here"].items():
        model.add_hint(here, int(at.get(job) == team))
    for job in range(len(problem.jobs)):
        model.add_hint(built["done"][job], int(job in at))
        model.add_hint(built["start"][job], starts[job] if job in at else 0)
        model.add_hint(built["end"][job], ends[job] + 1 if job in at else 2 * problem.horizon)
    for (job, team), (mine, size, lookup, first) in built["length"].items():
        begin = starts[job] if at.get(job) == team else first
        model.add_hint(mine, begin)
        model.add_hint(size, int(lookup[begin]))
    for (_, a, b), order in built["order"].items():
        model.add_hint(order, int(starts[a] < starts[b]))
