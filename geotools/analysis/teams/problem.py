"""The planning problem as numbers: working days each step would take each team, days on which that can be, and what follows what.

For the solvers of this room; built once by `problem_of`, evaluated by `Problem.run`.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.analysis.teams.crews import Team
from geotools.analysis.teams.work import COLUMNS, places
from geotools.analysis.teams.workdays import EVERY_DAY, Calendar, seasons_of
from geotools.model.errors import SchemaError
from geotools.model.figures import NOT_STATED
from geotools.model.schema import Issue
from geotools.space import crs as _crs

TRAVEL_SHARE_MOST = 0.5  # a team that would spend more of its day on the road is not sent
NEVER = -1


@dataclass(frozen=True)
class Problem:
    """Steps × teams. Days are counted from `start` (day 0); `horizon` days are looked at.

    ``need`` is in working days of full availability, infinite where a team cannot do a step. ``available[team]`` and
    ``windows[step's window]`` multiply to the working share of each day.
    """

    start: date
    horizon: int
    jobs: tuple[str, ...]
    tasks: tuple[str, ...]
    teams: tuple[str, ...]
    need: np.ndarray
    skill: np.ndarray
    value: np.ndarray
    before: tuple[int, ...]
    ready: tuple[int, ...]
    window: tuple[int, ...]
    windows: np.ndarray
    available: np.ndarray
    move: tuple[int, ...]
    _sums: dict[tuple[int, int], list[float]] = field(default_factory=dict, repr=False, compare=False)

    def sums(self, team: int, window: int) -> list[float]:
        """Working share available to a team in a window up to each day (exclusive): ``horizon + 1`` values."""
        key = (team, window)
        if key not in self._sums:
            share = self.available[team] * self.windows[window]
            self._sums[key] = [0.0, *np.cumsum(share).tolist()]
        return self._sums[key]

    def span(self, job: int, team: int, soonest: int) -> tuple[int, int]:
        """First and last day of a step for a team that is free from day `soonest`; `NEVER` twice if not within the horizon."""
        sums = self.sums(team, self.window[job])
        if soonest >= self.horizon:
            return NEVER, NEVER
        first = bisect.bisect_right(sums, sums[soonest] + 1e-12, lo=soonest) - 1
        last = bisect.bisect_left(sums, sums[soonest] + self.need[job, team] - 1e-9, lo=soonest)
        if first >= self.horizon or last > self.horizon:
            return NEVER, NEVER
        return first, max(last - 1, first)

    def able(self, job: int) -> list[int]:
        """Teams that can do a step."""
        return [int(i) for i in np.flatnonzero(np.isfinite(self.need[job]))]

    def run(self, orders: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
        """First and last day of each step when each team does its steps in this order; `NEVER` where it does not happen.

        Steps wait for what must come before them. A step that cannot end within the horizon is left out, with what follows it.
        """
        starts, ends = [NEVER] * len(self.jobs), [NEVER] * len(self.jobs)
        settled = [False] * len(self.jobs)
        ordered = {job for order in orders for job in order}
        head, free, last = [0] * len(orders), [0] * len(orders), [-1] * len(orders)
        moving = True
        while moving:
            moving = False
            for team, order in enumerate(orders):
                while head[team] < len(order):
                    job = order[head[team]]
                    first = self.before[job]
                    if first >= 0 and not settled[first] and first in ordered:
                        break
                    head[team] += 1
                    settled[job] = moving = True
                    if first >= 0 and ends[first] == NEVER:
                        continue
                    soonest = free[team] + (
                        self.move[team] if last[team] >= 0 and self.tasks[last[team]] != self.tasks[job] else 0
                    )
                    soonest = max(soonest, self.ready[job], ends[first] + 1 if first >= 0 else 0)
                    starts[job], ends[job] = self.span(job, team, soonest)
                    if ends[job] != NEVER:
                        free[team], last[team] = ends[job] + 1, job
        return starts, ends

    def cost(self, ends: Sequence[int], goal: str) -> tuple[float, float]:
        """What to make small: (weighted days to completion, last day) for ``value``, the other way round for ``finish``.

        A step that is not done counts as done after twice the horizon.
        """
        late = 2 * self.horizon
        done = [end + 1 if end != NEVER else late for end in ends]
        weighted = float(np.dot(self.value, done))
        finish = float(sum(done[j] for j in range(len(done)) if ends[j] == NEVER) + max(done, default=0))
        return (weighted, finish) if goal == "value" else (finish, weighted)


def problem_of(
    work: gpd.GeoDataFrame, teams: Sequence[Team], *, start: date, horizon_days: int
) -> tuple[Problem, list[Issue]]:
    """Numbers from a table of work and teams, and what cannot be planned (TM-02 no team has the skill, TM-03 too far).

    Raises
    ------
    SchemaError
        If columns are missing, ids repeat, or the order of steps runs in a circle.
    """
    work = _tidy(work)
    points = places(work)
    need = np.full((len(work), len(teams)), math.inf)
    skill = np.full((len(work), len(teams)), "", dtype=object)
    far: list[list[str]] = [[] for _ in range(len(work))]
    for i, team in enumerate(teams):
        share = _field_share(team, points)
        for j, (words, area) in enumerate(zip(work["skill"], work["area_m2"], strict=True)):
            chosen = next((s for s in str(words).split("|") if s in team.rates), None)
            if chosen is None:
                continue
            if share[j] < 1 - TRAVEL_SHARE_MOST:
                far[j].append(team.id)
                continue
            need[j, i] = float(area) / (team.rates[chosen].m2_per_day * share[j])
            skill[j, i] = chosen
    issues = _unable(work, need, far)
    windows, index = _windows(work["seasons"], start, horizon_days)
    problem = Problem(
        start, horizon_days, tuple(work["id"]), tuple(work["task_id"]), tuple(t.id for t in teams), need, skill,
        work["value"].to_numpy(dtype=float), _before(work), tuple(_offset(v, start) for v in work["earliest"]),
        index, windows, _available(teams, start, horizon_days), tuple(math.ceil(t.move_days) for t in teams),
    )  # fmt: skip
    return problem, issues


def _tidy(work: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    for name in ("id", "skill", "area_m2"):
        if name not in work:
            raise SchemaError(f"work needs a column '{name}'", hint="make it with teams.steps(tasks)")
    out = work.copy()
    for name in COLUMNS:
        if name not in out:
            out[name] = (
                out["id"]
                if name == "task_id"
                else 1.0
                if name == "value"
                else None
                if name in ("earliest", "latest")
                else ""
            )
    out["id"], out["task_id"] = out["id"].astype(str), out["task_id"].astype(str)
    if out["id"].duplicated().any():
        raise SchemaError(
            f"the step '{out['id'][out['id'].duplicated()].iloc[0]}' is there twice", hint="ids are unique"
        )
    for name in ("area_m2", "value"):
        numbers = pd.to_numeric(out[name], errors="coerce")
        if not (np.isfinite(numbers) & (numbers >= 0)).all():
            raise SchemaError(
                f"'{name}' is missing or negative (or infinite) in step '{out.loc[~(np.isfinite(numbers) & (numbers >= 0)), 'id'].iloc[0]}'"
            )
        out[name] = numbers.astype(float)
    return out.sort_values("id", kind="stable").reset_index(drop=True)


def _field_share(team: Team, points: np.ndarray) -> np.ndarray:
    """Share of the working day left after travel from the base and back; 1 where either place is unknown."""
    share = np.ones(len(points))
    known = np.isfinite(points).all(axis=1)
    if team.base is None or not known.any():
        return share
    lon, lat = team.base
    count = int(known.sum())
    _, _, metres = _crs.GEOD.inv(np.full(count, lon), np.full(count, lat), points[known, 0], points[known, 1])
    hours = 2 * np.asarray(metres) / 1000 * team.detour / team.speed_kmh
    share[known] = 1 - hours / team.hours
    return share


def _unable(work: gpd.GeoDataFrame, need: np.ndarray, far: list[list[str]]) -> list[Issue]:
    out = []
    for j in np.flatnonzero(~np.isfinite(need).any(axis=1)):
        name, words = work["id"].iloc[j], str(work["skill"].iloc[j] or NOT_STATED).replace("|", ", ")
        if far[j]:
            said = f"'{name}' is too far for {', '.join(far[j])}: more than half of the day would be travel"
            out.append(Issue("TM-03", "warning", "work", name, "geometry", said, limit=f"{TRAVEL_SHARE_MOST:.0%}"))
        else:
            out.append(
                Issue("TM-02", "warning", "work", name, "skill", f"no team can do '{name}': it asks for {words}", words)
            )
    return out


def _windows(seasons: pd.Series, start: date, days: int) -> tuple[np.ndarray, tuple[int, ...]]:
    texts = [seasons_of(text) for text in seasons]
    kinds = sorted(set(texts))
    rows = [Calendar(weekdays=EVERY_DAY, seasons=kind).open_days(start, days).astype(float) for kind in kinds]
    stacked = np.array(rows) if rows else np.ones((1, days))
    return stacked, tuple(kinds.index(text) for text in texts)


def _available(teams: Sequence[Team], start: date, days: int) -> np.ndarray:
    out = np.zeros((len(teams), days))
    for i, team in enumerate(teams):
        out[i] = team.calendar.available(start, days)
        if team.first is not None:
            out[i, : max(0, (team.first - start).days)] = 0
        if team.last is not None:
            out[i, max(0, (team.last - start).days + 1) :] = 0
    return out


def _before(work: gpd.GeoDataFrame) -> tuple[int, ...]:
    index = {name: j for j, name in enumerate(work["id"])}
    out = []
    for name, first in zip(work["id"], work["after"], strict=True):
        wanted = "" if first is None or first != first else str(first)  # noqa: PLR0124
        if wanted and wanted not in index:
            raise SchemaError(f"step '{name}' comes after '{wanted}', which is not in the work")
        out.append(index[wanted] if wanted else -1)
    for j in range(len(out)):
        seen, at = set(), j
        while at >= 0:
            if at in seen:
                raise SchemaError(f"the order of steps runs in a circle at '{work['id'].iloc[j]}'")
            seen.add(at)
            at = out[at]
    return tuple(out)


def moment(value: Any) -> Any:
    """A day of the work as pandas has it, NaT where none is stated."""
    try:
        return pd.to_datetime(value)
    except (ValueError, TypeError) as error:
        raise SchemaError(
            f"{str(value)[:40]!r} is no day", hint="earliest and latest are written YYYY-MM-DD"
        ) from error


def _offset(value: Any, start: date) -> int:
    stamp = moment(value)
    return 0 if pd.isna(stamp) else max(0, (stamp.date() - start).days)
