"""`geotools plan priority`: which land first, and how firm that order is. Figures come from `analysis.priority`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from geotools.cli import options, plan_files, plan_tasks

SHOWN = 15


def _example(context: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted:
        from geotools.analysis import priority

        click.echo(priority.example_text(), nl=False)
        context.exit()


@click.command(
    name="priority",
    epilog="Example: geotools plan priority sample_data/fuzuli --criteria criteria.toml --top 10 -o out/priority",
    short_help="Which land first, and how firm that is.",
)
@options.survey_argument
@click.option(
    "--criteria",
    "criteria_of",
    default="example",
    show_default=True,
    help="Name of a preset (example, people) or a TOML file of your authority's own.",
)
@click.option(
    "--example",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_example,
    help="Print a table of criteria to start from.",
)
@click.option(
    "--method",
    type=click.Choice(["sum", "promethee", "lis"]),
    default="sum",
    show_default=True,
    help="Weighted sum, PROMETHEE II, or the score of an impact survey (recalled weights, unverified).",
)
@click.option(
    "--task", "task_ids", multiple=True, help="Id of a hazard; repeat for several. Default: all with work left."
)
@click.option(
    "--table",
    "extra",
    type=click.Path(exists=True, path_type=Path),
    help="Table with id and further figures of tasks, e.g. cost_per_m2; each column can be a criterion's indicator.",
)
@click.option(
    "--accept-inconsistent",
    is_flag=True,
    help="Use pairwise judgements with a consistency ratio above 0.1 all the same.",
)
@click.option(
    "--top", type=click.IntRange(min=1), default=10, show_default=True, help="How many first places to watch."
)
@click.option(
    "--draws", type=click.IntRange(10, 100_000), default=1000, show_default=True, help="Draws of weights and figures."
)
@click.option(
    "--concentration",
    type=click.FloatRange(min=0, min_open=True),
    default=50.0,
    show_default=True,
    help="How firmly weights are held; at 50 a weight of 0.2 varies by ±0.056.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same draws.")
@options.as_of
@plan_files.file_options
@options.output
@options.overwrite
@options.crs
@options.encoding
@options.as_json
@options.common
def command(survey: str, output: Path | None, as_of: date | None, **choices: Any) -> None:
    """Rank hazards with work left by stated criteria, say in words why, and show how firm the order is.

    SURVEY is a survey or one file of polygons. OUTPUT is a folder: the list with reasons, indicators and the changes of weight that swap neighbours as
    tables, a GeoPackage for the map, and two charts. Nobody is counted twice; what is not known stays unknown and widens the score. The weights
    that come with the software are examples: an authority sets its own. What is released is what geotools coverage says: releases without a
    date count, and with --as-of they do not.
    """
    from geotools.analysis import priority
    from geotools.survey import open_survey

    plan_files.check(output, overwrite=choices["overwrite"])
    rules = None if choices["method"] == "lis" else _rules(choices)
    bar = options.progress_bar(choices["progress"])
    opened = open_survey(survey, crs=choices["crs"], encoding=choices["encoding"], progress=bar)
    day = as_of or plan_tasks.last_day(opened)
    ledger = plan_tasks.ledger_of(opened, as_of)
    tasks = plan_tasks.tasks_of(opened, ledger, wanted=choices["task_ids"], survey=survey)
    told = plan_tasks.undated(opened, ledger)
    told |= {} if choices["task_ids"] else plan_tasks.closed_left_out(opened, ledger)
    tasks, names = plan_tasks.extra_columns(tasks, choices["extra"])
    figures = _with_columns(priority.indicators(tasks, opened.layers, as_of=day), tasks, names)
    if rules is None:
        results, words = _impact(figures, tasks, day)
    else:
        ranking = priority.rank(figures, rules, method=choices["method"])
        options.say(f"note: {rules.words}")
        firm = priority.stability(
            ranking, top=min(choices["top"], len(tasks)), draws=choices["draws"], concentration=choices["concentration"], seed=choices["seed"], progress=bar,
        )  # fmt: skip
        results, words = _listed(ranking, firm, tasks)
    document = {
        "as_of": as_of,
        "accidents_counted_back_from": day,
        "inputs": plan_files.inputs_of(opened),
        **told,
        **results.document,
    }
    if output is not None:
        final = plan_files.Results(results.stem, results.tables, results.layers, document, results.figures)
        plan_files.write(
            final,
            output,
            formats=choices["formats"],
            chart_format=choices["chart_format"],
            as_of=day,
            overwrite=choices["overwrite"],
        )
        options.say(f"written: {output}")
    if choices["as_json"]:
        options.print_json(plan_files.clean(document))
    else:
        click.echo("\n".join([plan_tasks.stated(as_of), *(one["words"] for one in told.values()), *words]))


def _rules(choices: dict[str, Any]) -> Any:
    from geotools.analysis import priority

    return priority.criteria(choices["criteria_of"], accept_inconsistent=choices["accept_inconsistent"])


def _with_columns(figures: Any, tasks: Any, names: list[str]) -> Any:
    """Columns of the user's table become indicators; NAME_low and NAME_high give an interval."""
    import pandas as pd

    from geotools.analysis import priority

    by_id = tasks.set_index("id").reindex(figures.value.index)
    frames = {"": figures.value.copy(), "_low": figures.low.copy(), "_high": figures.high.copy()}
    notes = dict(figures.notes)
    for name in names:
        if name.endswith(("_low", "_high")) and name.rsplit("_", 1)[0] in names:
            continue
        value = pd.to_numeric(by_id[name], errors="coerce").astype(float)
        if name in ("evidence", "contamination", "info_reliability") or value.isna().all():
            continue
        for ending, frame in frames.items():
            own = f"{name}{ending}"
            frame[name] = pd.to_numeric(by_id[own], errors="coerce").astype(float) if own in names else value
        notes[name] = "as stated in the table of tasks"
    return priority.Indicators(frames[""], frames["_low"], frames["_high"], notes)


def _listed(ranking: Any, firm: Any, tasks: Any) -> tuple[Any, list[str]]:
    from geotools.analysis import priority

    held = firm.table[["id", "p_top", "rank_low", "rank_median", "rank_high"]]
    listed = ranking.table.merge(held, on="id", validate="one_to_one")
    order = [
        "id",
        "rank",
        "score",
        "score_low",
        "score_high",
        "unknown_weight",
        "p_top",
        "rank_low",
        "rank_median",
        "rank_high",
        "words",
    ]
    listed = listed[order]
    document = {"method": ranking.method, **ranking.to_dict(), "stability": firm.to_dict()}
    tables = {"priority": listed, "indicators": ranking.indicators.to_frame(), "swaps": firm.swaps}
    layers = {"priority": _mapped(tasks, listed)}
    more = len(listed) - SHOWN
    rest = [f"… and {more} more"] if more > 0 else []
    if ranking.unranked:
        document["not_a_ranking"] = ranking.unranked
        names = [f"     {plan_files.shown(name)}" for name in listed["id"].head(SHOWN)]
        return plan_files.Results("priority", tables, layers, document), [ranking.unranked, "", *names, *rest]
    figures = {"contributions": priority.contributions(ranking), "ranks": priority.rank_intervals(firm)}
    words = [firm.words, ""] if firm.words else []
    for row in listed.head(SHOWN).to_dict("records"):
        often = f", among the first {firm.top} in {row['p_top']:.0%}" if firm.words else ""
        words.append(f"{row['rank']:>3}. {plan_files.shown(row['id']):<14} {row['score']:.2f} ({row['score_low']:.2f} to {row['score_high']:.2f}){often}")  # fmt: skip
        words.append(f"     {row['words'].split(': ', 1)[1]}")
    return plan_files.Results("priority", tables, layers, document, figures), [*words, *rest]


def _impact(figures: Any, tasks: Any, day: date) -> tuple[Any, list[str]]:
    import pandas as pd

    from geotools.analysis import priority

    empty = pd.Series(None, index=tasks["id"], dtype=object)
    contamination = tasks.set_index("id")["contamination"] if "contamination" in tasks else empty
    scored = priority.lis(priority.answers_from(figures, contamination))
    listed = scored.reset_index().sort_values(
        ["score_low", "score_high", "id"], ascending=[False, False, True], ignore_index=True
    )
    note = str(listed["note"].iloc[0])
    options.say(f"warning: {note}")
    document = {"method": "lis", "words": note, "tasks": listed.to_dict("records")}
    tables = {"priority": listed, "indicators": figures.to_frame()}
    words = [
        f"{plan_files.shown(row.id):<14} {row.score_low:g} to {row.score_high:g}: {row.class_low} to {row.class_high}"
        for row in listed.head(2 * SHOWN).itertuples()
    ]
    return plan_files.Results("priority", tables, {"priority": _mapped(tasks, listed)}, document), [note, "", *words]


def _mapped(tasks: Any, listed: Any) -> Any:
    names = [c for c in ("id", "name", "classification", "status", "admin1", "place", "area_m2") if c in tasks]
    return tasks[[*names, tasks.geometry.name]].merge(listed, on="id", validate="one_to_one")
