"""`geotools plan teams`: who works where and when, done by when, and what one more buys. Figures come from `analysis.teams`."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from geotools.cli import options, plan_files, plan_pace, plan_tasks

CLEARANCE = ("manual", "detector", "mdd", "mechanical", "mixed", "bac", "bac_surface", "bac_subsurface")
RECENT_DAYS = 730  # teams without a report in this time are not taken from the records


def _example(context: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted:
        from geotools.analysis import teams

        click.echo(teams.example_text(), nl=False)
        context.exit()


@click.command(
    name="teams",
    epilog="Example: geotools plan teams sample_data/fuzuli --teams sample_data/fuzuli/teams.toml --first 10 --lot 30000 -o out/teams",
    short_help="Who works where and when, done by when.",
)
@options.survey_argument
@click.option(
    "--teams",
    "teams_file",
    type=click.Path(path_type=Path),
    help="TOML file of teams, machines and dogs with their rates. Default: crews and rates from the survey's own reports.",
)
@click.option(
    "--example",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_example,
    help="Print a table of teams to start from.",
)
@click.option("--start", type=options.Day(), help="First day of the plan (default: the day after the last record).")
@click.option(
    "--goal",
    type=click.Choice(["value", "finish"]),
    default="value",
    show_default=True,
    help="What is worth most first, or all done soonest.",
)
@click.option(
    "--priority",
    "values",
    type=click.Path(exists=True, path_type=Path),
    help="Table with id and score or value of tasks (priority.csv of plan priority). Without it every task is worth the same.",
)
@click.option(
    "--workable",
    type=click.Path(exists=True, path_type=Path),
    help="Table with id and workable_m2 (suitability_tasks.csv of plan suitability): a machine goes there first, a search follows.",
)
@click.option(
    "--task", "task_ids", multiple=True, help="Id of a hazard; repeat for several. Default: all with work left."
)
@click.option("--first", "first_tasks", type=click.IntRange(min=1), help="Only the so many tasks of the highest value.")
@click.option(
    "--skills",
    default="manual,mdd,mixed",
    show_default=True,
    help="Methods that can finish a task, with commas, the preferred first.",
)
@click.option(
    "--lot",
    "lot_m2",
    type=click.FloatRange(min=0, min_open=True),
    help="Cut tasks into lots of at most so many m², for several teams to share.",
)
@click.option("--horizon", type=click.IntRange(30, 7300), default=1095, show_default=True, help="Days to look ahead.")
@click.option(
    "--effort",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="How long to search, in the solver's own units.",
)
@click.option(
    "--draws", type=click.IntRange(10, 100_000), default=1000, show_default=True, help="Futures for P10, P50 and P90."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same futures.")
@click.option(
    "--one-more/--no-one-more", default=True, show_default=True, help="What one more team of each kind would buy."
)
@options.as_of
@plan_files.file_options
@options.output
@options.overwrite
@options.crs
@options.encoding
@options.as_json
@options.common
def command(survey: str, output: Path | None, as_of: date | None, **choices: Any) -> None:
    """Assign teams, machines and dogs to hazards with work left; say by when, how sure, and what one more team would buy.

    SURVEY is a survey or one file of polygons. OUTPUT is a folder: plan and rates as tables, a GeoPackage for the map, charts. The plan says which
    solver found it and how far from the best it may be. Ground a machine prepared counts as finished only after the search behind it.
    Tasks without a boundary are planned with their reported size: `geotools coverage` and `progress` count no such ground, and the plan says
    how its hectares follow from theirs, and how its pace compares with the pace on record.
    """
    from geotools.analysis import teams
    from geotools.survey import open_survey

    plan_files.check(output, overwrite=choices["overwrite"])
    crews = teams.load_teams(choices["teams_file"]) if choices["teams_file"] is not None else None
    bar = options.progress_bar(choices["progress"])
    opened = open_survey(survey, crs=choices["crs"], encoding=choices["encoding"], progress=bar)
    day = as_of or plan_tasks.last_day(opened)
    start = choices["start"] or day + timedelta(days=1)
    rates = None
    if crews is None:
        crews, rates = _from_records(opened, day)
    ledger = plan_tasks.ledger_of(opened, as_of)
    work, counted = _work(opened, survey, {**choices, "ledger": ledger})
    plan = teams.plan(
        work, crews, start=start, goal=choices["goal"], horizon_days=choices["horizon"], effort=choices["effort"]
    )
    futures = teams.simulate(plan, draws=choices["draws"], seed=choices["seed"])
    bought = _one_more(plan, rates, choices) if choices["one_more"] else None
    for row in plan.issues.head(20).itertuples():
        options.say(f"{row.severity}: {plan_files.shown(row.message)}")
    if len(plan.issues) > 20:
        options.say(f"… and {len(plan.issues) - 20} more")
    pace = plan_pace.compared(plan, ledger, _observed(opened, day, rates), as_of=day)
    told = plan_tasks.undated(opened, ledger)
    told |= {} if choices["task_ids"] else plan_tasks.closed_left_out(opened, ledger)
    said = [
        plan_tasks.stated(as_of),
        *(one["words"] for one in told.values()),
        *plan_pace.counted_words(counted),
        *plan_pace.words(pace),
    ]
    results = _results(
        opened, plan, futures, bought, (rates, {"as_of": as_of, "counted": counted, "pace": pace, **told})
    )
    if output is not None:
        plan_files.write(
            results,
            output,
            formats=choices["formats"],
            chart_format=choices["chart_format"],
            as_of=day,
            overwrite=choices["overwrite"],
        )
        options.say(f"written: {output}")
    if choices["as_json"]:
        options.print_json(plan_files.clean(results.document))
    else:
        click.echo("\n".join(_words(plan, futures, bought, said)))


def _from_records(opened: Any, day: date) -> tuple[tuple[Any, ...], Any]:
    """Crews with reports in the last two years, their rates calibrated from all their reports."""
    import pandas as pd

    from geotools.analysis import teams
    from geotools.model.errors import SchemaError

    sheets, issues = teams.day_sheets(_reports(opened, day), skills=CLEARANCE)
    if sheets.empty:
        why = f" ({issues['message'].iloc[0]})" if len(issues) else ""
        raise SchemaError(f"the records set no rate{why}", hint="write a table of teams: geotools plan teams --example > teams.toml; then --teams teams.toml")  # fmt: skip
    rates = teams.calibrate(sheets)
    ends = _reports(opened, day).set_index("id")["end"]
    last = pd.to_datetime(sheets["id"].map(ends)).groupby(sheets["crew"]).max()
    recent = sorted(last[last >= pd.Timestamp(day) - pd.Timedelta(days=RECENT_DAYS)].index)
    crews = []
    for crew in recent:
        rows = rates.table[(rates.table["crew"] == crew) & (rates.table["m2_per_day"] > 0)]
        own = {skill: rates.rate(skill, crew=crew) for skill in rows["skill"]}
        crews += [teams.Team(crew, own)] if own else []
    if not crews:
        raise SchemaError(
            "no crew has a usable report of the last two years",
            hint="write a table of teams: geotools plan teams --example > teams.toml",
        )
    options.say(f"note: {len(crews)} crews and their rates are taken from {len(sheets)} reports; Monday to Friday, no travel, no seasons. --teams gives your own.")  # fmt: skip
    return tuple(crews), rates


def _observed(opened: Any, day: date, rates: Any) -> Any:
    """Rates of day sheets on record: those the plan was made with, or for comparison with a table of teams; None if there are none."""
    from geotools.analysis import teams

    if rates is not None:
        return rates
    if not len(opened.activities):
        return None
    sheets, _ = teams.day_sheets(_reports(opened, day), skills=CLEARANCE)
    return None if sheets.empty else teams.calibrate(sheets)


def _reports(opened: Any, day: date) -> Any:
    """Activities up to the day; a method or team that only the releases of an activity state is taken from there."""
    import pandas as pd

    acts = opened.activities.copy()
    if not len(acts):
        return acts.reindex(columns=[*acts.columns, *(c for c in ("id", "end") if c not in acts)])
    if "end" in acts:
        acts = acts[~(pd.to_datetime(acts["end"], errors="coerce") > pd.Timestamp(day))]
    else:
        acts["end"] = pd.NaT
    if "type" in acts:
        acts = acts[acts["type"].isin(["clearance", "bac"])]
    releases = opened.releases
    for name in ("method", "team"):
        if "activity_id" in releases and name in releases:
            said = (
                releases.dropna(subset=["activity_id", name])
                .groupby("activity_id")[name]
                .agg(lambda v: v.mode().iloc[0])
            )
            found = acts["id"].map(said)
            acts[name] = acts[name].where(acts[name].notna(), found) if name in acts else found
    return acts


def _work(opened: Any, survey: str, choices: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The steps to plan, and what they count of what the ledger says remains."""
    from geotools.analysis import teams
    from geotools.model.errors import SchemaError

    tasks = plan_tasks.tasks_of(opened, choices["ledger"], wanted=choices["task_ids"], survey=survey)
    listed = tasks
    unsized = int(tasks["area_m2"].isna().sum())
    if unsized:
        options.say(f"warning: {unsized} tasks have neither ground nor a reported size and cannot be planned")
        tasks = tasks[tasks["area_m2"].notna()].reset_index(drop=True)
    tasks = tasks[[c for c in ("id", "area_m2", "earliest", "latest", "seasons") if c in tasks] + [tasks.geometry.name]]
    tasks = _with_figures(tasks, choices["values"], ("value", "score", "score_low"))
    tasks = _with_figures(tasks, choices["workable"], ("workable_m2",))
    if "judged_m2" in tasks:  # the share of the ground judged holds for what remains of it
        share = tasks["workable_m2"] / tasks["judged_m2"].where(tasks["judged_m2"] > 0)
        tasks["workable_m2"] = tasks["workable_m2"].where(share.isna(), share.clip(upper=1) * tasks["area_m2"])
    if "value" in tasks:
        least = float(tasks["value"].min(skipna=True)) if tasks["value"].notna().any() else 1.0
        tasks["value"] = tasks["value"] - min(0.0, least)  # net flows may be negative
        blank = int(tasks["value"].isna().sum())
        if blank:
            options.say(f"note: {blank} tasks are not in the table of values; they count as the median")
        tasks["value"] = tasks["value"].fillna(tasks["value"].median()).fillna(1.0)
    if choices["first_tasks"] is not None:
        order = tasks.assign(value=tasks.get("value", 1.0)).sort_values(["value", "id"], ascending=[False, True]).index
        tasks = tasks.loc[order[: choices["first_tasks"]]]
    skills = [s.strip() for s in choices["skills"].split(",") if s.strip()]
    if not skills:
        raise SchemaError("--skills names no method", hint="e.g. --skills manual,mdd")
    whole = not choices["task_ids"]
    return teams.steps(tasks, skills=skills, lot_m2=choices["lot_m2"]), plan_pace.counted(
        tasks, listed, choices["ledger"], whole=whole
    )


def _with_figures(tasks: Any, file: Path | None, names: tuple[str, ...]) -> Any:
    """The first of these columns of a table, under the first name; with ``area_m2`` there, that as ``judged_m2``."""
    import pandas as pd

    from geotools.model.errors import SchemaError

    if file is None:
        return tasks
    bare = tasks[["id"]]
    found, there = plan_tasks.extra_columns(bare, file, only=(*names, "area_m2"))
    name = next((n for n in names if n in there), None)
    if name is None:
        raise SchemaError(
            f"the table has no column '{names[0]}'", hint=f"one of {', '.join(names)}, beside id", file=file
        )
    out = tasks.copy()

    def figures(column: Any) -> Any:
        return pd.to_numeric(column, errors="coerce").replace([float("inf"), -float("inf")], float("nan")).to_numpy(dtype=float)  # fmt: skip

    out[names[0]] = figures(found[name])
    if names[0] == "workable_m2" and "area_m2" in there:
        out["judged_m2"] = figures(found["area_m2"])
    return out


def _one_more(plan: Any, rates: Any, choices: dict[str, Any]) -> Any:
    """One more of each kind of team; with rates from the records one more crew of the mean rate of each method."""
    from geotools.analysis import teams

    extras = None
    if rates is not None:
        known = rates.overall[rates.overall["m2_per_day"] > 0]["skill"]
        wanted = [s.strip() for s in choices["skills"].split(",")]
        if choices["workable"] is not None:
            wanted.append("mechanical")
        extras = [teams.Team(f"+1 {skill}", {skill: rates.rate(skill)}) for skill in wanted if skill in set(known)]
    return teams.marginal(
        plan, extras, effort=min(0.5, choices["effort"]), draws=min(500, choices["draws"]), seed=choices["seed"]
    )


def _results(opened: Any, plan: Any, futures: Any, bought: Any, found: tuple[Any, dict[str, Any]]) -> Any:
    import pandas as pd

    from geotools.analysis import teams

    dated = plan.table.merge(futures.table, on="id", validate="one_to_one")
    listed = pd.DataFrame(dated.drop(columns=dated.geometry.name)).sort_values(
        ["start", "team", "id"], ignore_index=True
    )
    tables = {"plan": listed, "teams": plan.teams, "finished": futures.by_day}
    rates, more = found
    document = {"inputs": plan_files.inputs_of(opened), **more, **plan.to_dict(), "futures": futures.finish.to_dict()}
    document["steps"] = listed.to_dict("records")
    figures = {}
    if plan.table["end"].notna().any():
        figures = {
            "gantt": teams.gantt(plan, futures, title=f"Plan of work: {opened.name}"),
            "finished": teams.finished(plan, futures, title=f"Ground finished by this plan: {opened.name}"),
        }
    if bought is not None:
        tables["one_more"] = bought
        document["one_more"] = bought.to_dict("records")
        if len(bought) > 1:
            figures["one_more"] = teams.bought(bought, title=f"What one more team would change: {opened.name}")
    if rates is not None:
        tables["rates"] = rates.table
        document["rates"] = rates.to_dict()
    if len(plan.issues):
        tables["issues"] = pd.DataFrame(plan.issues.drop(columns=plan.issues.geometry.name))
    document["issues"] = [
        {"check": row.check, "id": row.id, "message": row.message} for row in plan.issues.itertuples()
    ]
    return plan_files.Results("plan", tables, {"plan": dated}, document, figures)


def _words(plan: Any, futures: Any, bought: Any, said: list[str]) -> list[str]:
    import pandas as pd

    from geotools.model.figures import in_hectares

    done = futures.finish
    marks = ", ".join(f"{name.upper()} {getattr(done, name) or 'beyond the horizon'}" for name in ("p10", "p50", "p90"))
    first = f"from {plan.start}, {len(plan.table)} steps, {len(plan.crews)} teams: done by {done.p50 or 'no date within the horizon'} as likely as not ({marks})"
    mean = f"at mean rates, with no bad luck anywhere: {plan.finish or 'no date within the horizon'}"
    out = [
        first,
        mean,
        f"({plan.words}; {done.note})",
        *said,
        "",
        f"{'team':20}{'steps':>6}{'m²':>12}{'work days':>11}{'idle':>7}  {'first':12}{'last'}",
    ]
    for row in plan.teams.itertuples():
        days = ["" if pd.isna(value) else str(value)[:10] for value in (row.first, row.last)]
        out.append(
            f"{plan_files.shown(row.team):20.20}{row.steps:>6}{row.area_m2:>12,.0f}{row.work_days:>11.1f}{row.idle_days:>7.0f}  {days[0]:12}{days[1]}"
        )
    table = plan.teams
    out.append(
        f"{'Total':20}{table['steps'].sum():>6}{table['area_m2'].sum():>12,.0f}{table['work_days'].sum():>11,.1f}{table['idle_days'].sum():>7,.0f}"
    )
    if bought is not None and len(bought) > 1:
        by = bought["by"].iloc[0]
        out += [
            "",
            f"one more team of a kind buys, with the rest as it is (ground finished by {by:%Y-%m-%d} compared):",
        ]
        for row in bought.iloc[1:].itertuples():
            earlier = "an unknown number of" if pd.isna(row.days_earlier) else f"{row.days_earlier:.0f}"
            out.append(
                f"  {plan_files.shown(row.extra)} ({plan_files.shown(row.skills)}): last step {earlier} days earlier, {in_hectares(row.more_m2):,.2f} ha more{'' if row.busy_days > 0 else '; this plan has no work for it'}"
            )
    return out
