"""What a plan of teams counts, beside what the ledger says remains; and its pace, beside the pace on record.

For saying it in words and in plan.json; the plan itself is made in `plan_teams`.
"""

from __future__ import annotations

from datetime import date
from typing import Any

MONTH = 365.25 / 12  # days
MONTHS = 36  # of the record that are looked at
FAST = 1.5  # times the pace on record from which a plan is called faster


def counted(tasks: Any, listed: Any, ledger: Any, *, whole: bool) -> dict[str, Any]:
    """Hectares of the plan from those of the ledger, in m².

    Parameters
    ----------
    tasks
        The tasks planned: ``area_m2`` and geometry, none where the size is as reported.
    listed
        All tasks found, before some were chosen.
    ledger
        The coverage they come from, or None.
    whole
        Whether `listed` are all tasks of the survey.
    """
    bare = tasks.geometry.isna() | tasks.geometry.is_empty
    out: dict[str, Any] = {
        "tasks": len(tasks), "planned_m2": float(tasks["area_m2"].sum()), "on_map_m2": float(tasks.loc[~bare, "area_m2"].sum()),
        "tasks_without_boundary": int(bare.sum()), "reported_m2": float(tasks.loc[bare, "area_m2"].sum()), "tasks_listed": len(listed),
    }  # fmt: skip
    if ledger is None or not whole:
        return out
    mapped = listed[~(listed.geometry.isna() | listed.geometry.is_empty)]
    rows, once = float(ledger.table["remaining_m2"].sum()), float(ledger.totals["remaining_m2"])
    here = float(mapped["area_m2"].sum())
    return {
        **out, "remaining_once_m2": once, "shared_m2": rows - once, "ended_m2": max(rows - here, 0.0), "remaining_of_tasks_m2": here,
    }  # fmt: skip


def counted_words(found: dict[str, Any]) -> list[str]:
    """The same in sentences."""
    from geotools.model.figures import hectares

    bare = ""
    if found["tasks_without_boundary"]:
        bare = f", and {hectares(found['reported_m2'], 'up')} as reported by {found['tasks_without_boundary']} without a boundary"
    out = [f"counted: {hectares(found['planned_m2'], 'up')} in {found['tasks']:,} tasks: {hectares(found['on_map_m2'], 'up')} on the map{bare}"]  # fmt: skip
    if "remaining_once_m2" in found:
        chosen = found["tasks_listed"] - found["tasks"]
        parts = [
            f"of {hectares(found['remaining_once_m2'], 'up')} remaining by the ledger (`geotools coverage`, `progress`: shared ground once, no hazard without boundary)",
            f"{hectares(found['shared_m2'])} more stand in the rows, since each task has all of its ground",
            f"{hectares(found['ended_m2'])} lie in hazards that are not open and are not planned",
        ]
        if chosen:
            left = found["remaining_of_tasks_m2"] - found["on_map_m2"]
            parts.append(f"{hectares(left)} on the map are in {chosen:,} tasks not chosen here")
        out.append("; ".join(parts))
    return out


def compared(plan: Any, ledger: Any, observed: Any, *, as_of: date) -> dict[str, Any]:
    """Pace of the plan at mean rates and of the record, m² a month; and the rate of a team by method, assumed and on record, m² a day."""
    import numpy as np

    from geotools.analysis import progress

    out: dict[str, Any] = {
        "plan_m2_per_month": None,
        "released_m2_per_month": None,
        "cleared_m2_per_month": None,
        "months": 0,
    }
    done = plan.table[plan.table["end"].notna()]
    done = done[done["value"] > 0] if (done["value"] > 0).any() else done
    if len(done):
        days = (done["end"].max().date() - plan.start).days + 1
        out["plan_m2_per_month"] = float(done["area_m2"].sum()) / days * MONTH
    if ledger is not None:
        credits = progress.counted(ledger.credits)
        rates = progress.monthly_rates(credits, as_of=as_of, months=MONTHS)
        if len(rates):
            cleared = credits[credits["product"] == "cleared"]
            own = progress.monthly_rates(cleared, as_of=as_of, months=len(rates)).sum() / len(rates)
            out |= {
                "released_m2_per_month": float(rates.mean()),
                "cleared_m2_per_month": float(own),
                "months": len(rates),
            }
    skills: dict[str, dict[str, float]] = {}
    for crew in plan.crews:
        for skill, rate in crew.rates.items():
            skills.setdefault(skill, {}).setdefault("sum", 0.0)
            skills[skill]["sum"] += rate.m2_per_day
            skills[skill]["teams"] = skills[skill].get("teams", 0.0) + 1
    known = (
        {} if observed is None else dict(zip(observed.overall["skill"], observed.overall["m2_per_day"], strict=True))
    )
    out["team_m2_per_day"] = {
        skill: {"teams": int(v["teams"]), "assumed": v["sum"] / v["teams"], "on_record": float(known[skill]) if np.isfinite(known.get(skill, np.nan)) else None}
        for skill, v in sorted(skills.items())
    }  # fmt: skip
    return out


def words(pace: dict[str, Any]) -> list[str]:
    """The comparison in sentences; a plan much faster than the record is warned of."""
    from geotools.model.figures import hectares
    from geotools.model.vocab import vocabulary

    out = []
    mine, record = pace["plan_m2_per_month"], pace["released_m2_per_month"]
    if mine is not None and record:
        faster = (
            f"; the plan goes {mine / record:.1f} times as fast: it holds only if these teams do"
            if mine > FAST * record
            else ""
        )
        out.append(
            f"pace: {hectares(mine)} a month in the plan; on record {hectares(record, 'down')} a month released in the last {pace['months']} months, of it {hectares(pace['cleared_m2_per_month'], 'down')} cleared{faster}"
        )
    named = vocabulary("method")
    rates = []
    for skill, rate in pace["team_m2_per_day"].items():
        seen = f"{rate['on_record']:,.0f}" if rate["on_record"] is not None else "none"
        name = named.label(skill).lower() if skill in named else plain(skill)
        rates.append(f"{name} {rate['assumed']:,.0f} (on record {seen})")
    return [*out, f"m² a day of one team, mean of the plan: {', '.join(rates)}"] if rates else out


def plain(skill: str) -> str:
    """A skill that is no method, as people say it."""
    return "search behind a machine" if skill == "follow_up" else skill
