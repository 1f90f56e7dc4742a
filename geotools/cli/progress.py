"""`geotools progress`: tables for bulletins and annual reports, rates, and a forecast. Figures come from `analysis.progress`."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import click

from geotools.cli import options

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
QUIET_MONTHS = 2  # whole months without a release after which a forecast is questioned
SPLITS = ("organisation", "team", "method", "admin1", "admin2", "hazard_id")


@click.command(
    name="progress",
    epilog="Example: geotools progress sample_data/fuzuli --period year --by organisation",
    short_help="Released and found per period; done by when.",
)
@options.survey_argument
@click.option(
    "--period",
    type=click.Choice(["week", "month", "quarter", "year", "all"]),
    default="year",
    show_default=True,
    help="Length of a period.",
)
@click.option("--by", multiple=True, type=click.Choice(SPLITS), help="Split each period (may be repeated).")
@options.as_of
@click.option(
    "--forecast/--no-forecast", default=True, show_default=True, help="Forecast completion from the months observed."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the forecast.")
@click.option(
    "--bulletin",
    nargs=2,
    type=options.Day(),
    metavar="FROM TO",
    help="Also the table of a bulletin for these days, per organisation.",
)
@click.option(
    "--chart-format",
    type=click.Choice(["svg", "png", "pdf"]),
    default="svg",
    show_default=True,
    help="Format of the charts.",
)
@click.option("--charts", type=click.Path(path_type=Path), help="Folder for charts of the figures.")
@options.output
@options.crs
@options.encoding
@options.overwrite
@options.as_json
@options.common
def command(survey: str, output: Path | None, as_of: date | None, **choices: Any) -> None:
    """Square metres released and devices found per period, rates per activity, and done by when.

    Each square metre counts once, in the period of the act that released it first, so the periods add up to the ledger.
    With -o the tables go to one .xlsx (a sheet each), one .json, or a folder of .csv files. Tables for people (.xlsx, .csv) have a last
    row Total; the .json has the rows alone. Ground of hazards without a boundary is in no figure; `geotools plan teams` plans it as reported.
    """
    from geotools.analysis import progress, release
    from geotools.survey import open_survey

    bar = options.progress_bar(choices["progress"])
    opened = open_survey(survey, crs=choices["crs"], encoding=choices["encoding"], progress=bar)
    coverage = opened.coverage(as_of=as_of, progress=bar)
    credits = _until(_with_columns(coverage.credits, opened.releases, opened.hazards), as_of, "date")
    finds, activities = _until(opened.finds, as_of, "date"), _until(opened.activities, as_of, "end")
    tables = {
        "released": progress.released(credits, period=choices["period"], by=choices["by"]),
        "found": progress.found(finds, period=choices["period"], by=[b for b in choices["by"] if b in finds]),
        "annual": progress.annual(credits, finds),
        "balance": _balance(coverage, credits),
        "productivity": progress.productivity(activities, credits, finds),
    }
    scope = _scope(coverage)
    if early := release.early(coverage.credits, coverage.table):
        scope["words"].append(early)
    if choices["bulletin"]:
        tables["bulletin"] = progress.bulletin(credits, finds, start=choices["bulletin"][0], end=choices["bulletin"][1])
    cast = _forecast(credits, float(coverage.totals["remaining_m2"]), as_of, choices) if choices["forecast"] else None
    if cast is not None and (said := _quiet(credits, as_of)):
        options.say(f"warning: {said}")
    if output is not None:
        _write(tables, cast, output, overwrite=choices["overwrite"])
    if choices["charts"] is not None:
        _draw(tables, cast, credits, choices, opened)
    if choices["as_json"]:
        options.print_json({**_plain(tables, cast), "counted": scope["figures"]})
    else:
        click.echo(_words((opened.name, scope["words"]), tables, cast, reckoned=_reckoned(as_of, cast)))


def _with_columns(credits: Any, releases: Any, hazards: Any) -> Any:
    """Credits with the columns of their releases; where a release names no district, that of its hazard."""
    more = [c for c in ("product", "date", "activity_id", *SPLITS) if c in releases and c not in credits]
    joined = credits.merge(releases[["id", *more]], on="id", how="left")
    for name in ("admin1", "admin2"):
        if name in hazards and "hazard_id" in joined:
            of_hazard = joined["hazard_id"].map(hazards.set_index("id")[name])
            joined[name] = joined[name].where(joined[name].notna(), of_hazard) if name in joined else of_hazard
    return joined


def _until(frame: Any, day: date | None, column: str) -> Any:
    import pandas as pd

    if day is None or column not in frame or not len(frame):
        return frame
    return frame[~(pd.to_datetime(frame[column]) > pd.Timestamp(day))]


def _scope(coverage: Any) -> dict[str, Any]:
    """What the tables count and what they cannot, as figures and in words."""
    from geotools.model.figures import hectares

    totals = {name: float(coverage.totals[name]) for name in ("released_m2", "remaining_m2", "hazards_without_ground", "reported_without_ground_m2")}  # fmt: skip
    released, remaining = hectares(totals["released_m2"], "down"), hectares(totals["remaining_m2"], "up")
    words = [
        f"counted: ground inside hazards with a boundary, each square metre once: {released} released, {remaining} remaining, as in `geotools coverage`"
    ]
    bare = int(totals["hazards_without_ground"])
    if bare:
        told = totals["reported_without_ground_m2"]
        said = f"{hectares(told, 'up')} as reported" if told > 0 else "size not stated"
        words.append(f"not counted: {bare} hazards without a boundary ({said}); `geotools plan teams` plans those still open with their reported size")  # fmt: skip
    return {"figures": totals, "words": words}


def _balance(coverage: Any, credits: Any) -> Any:
    """The balance sheet of each year on record, and what came before and after; each row closes to the m²."""
    from itertools import pairwise

    import pandas as pd

    days = pd.to_datetime(credits["date"]).dropna()
    years = range(days.min().year, days.max().year + 1) if len(days) else range(0)
    edges: list[date | None] = [None, *(date(y - 1, 12, 31) for y in years), None]
    return pd.DataFrame([coverage.between(start, end).to_dict() for start, end in pairwise(edges)])


def _draw(tables: dict[str, Any], cast: Any, credits: Any, choices: dict[str, Any], opened: Any) -> None:
    from geotools.analysis import progress
    from geotools.maps import charts

    lang = opened.programme.languages[0]
    figures = {}
    if float(tables["released"]["released_m2"].sum()) > 0:
        figures["released"] = charts.released(tables["released"], lang=lang, subtitle=opened.name)
    if cast is not None:
        rates = progress.monthly_rates(credits, as_of=cast.as_of, months=1200)
        known = progress.counted(credits)
        undated = float(known.loc[known["date"].isna(), "net_m2"].sum())
        current = float(known["net_m2"].sum()) - undated - float(rates.sum())
        figures["forecast"] = charts.completion(
            rates, cast, lang=lang, subtitle=opened.name, undated_m2=undated, current_m2=current
        )
    for file in charts.save(figures, choices["charts"], format=choices["chart_format"], overwrite=choices["overwrite"]):
        options.say(f"written: {file}")


def _forecast(credits: Any, remaining: float, as_of: date | None, choices: dict[str, Any]) -> Any:
    import pandas as pd

    from geotools.analysis import progress
    from geotools.model.errors import StatisticsError

    last = pd.to_datetime(credits["date"]).max()
    if as_of is None and pd.isna(last):
        return None
    try:
        return progress.forecast(credits, remaining, as_of=as_of or last.date(), seed=choices["seed"])
    except StatisticsError as error:
        options.say(f"no forecast: {error}")
        return None


def _reckoned(as_of: date | None, cast: Any) -> str:
    """The day a forecast starts from, and why from that day."""
    if cast is None:
        return ""
    day = f"{cast.as_of.day} {MONTHS[cast.as_of.month - 1]} {cast.as_of.year}"
    return f"{day}, the last record" if as_of is None else f"{day}, as asked with --as-of"


def _quiet(credits: Any, as_of: date | None, *, today: date | None = None) -> str:
    """A warning where nothing was released for long before the day asked for, or before today; else empty."""
    import pandas as pd

    from geotools.analysis import progress

    known = progress.counted(credits)
    last = pd.to_datetime(known.loc[known["net_m2"] > 0, "date"]).max()
    if pd.isna(last):
        return ""
    day = as_of or today or date.today()  # noqa: DTZ011
    whole = (day.year - last.year) * 12 + day.month - last.month - (day.day < last.day)
    if whole <= QUIET_MONTHS:
        return ""
    if as_of is not None:
        return f"no release for {whole} months before {as_of}: the forecast counts them as months in which nothing was released"
    return (
        f"no release for {whole} months: the forecast is reckoned from the last record, so a day it names may have passed; "
        "give --as-of to reckon from another day"
    )


def _plain(tables: dict[str, Any], cast: Any) -> dict[str, Any]:
    import json

    data = {
        name: json.loads(table.to_json(orient="records", date_format="iso", double_precision=6))
        for name, table in tables.items()
    }
    return {**data, "forecast": None if cast is None else cast.to_dict()}


def _write(tables: dict[str, Any], cast: Any, output: Path, *, overwrite: bool) -> None:
    import json

    from geotools import io
    from geotools.analysis import progress
    from geotools.io.atomic import replacing, write_text
    from geotools.model.errors import WriteError

    if output.suffix.lower() == ".json":
        write_text(output, json.dumps(_plain(tables, cast), ensure_ascii=False, indent=2) + "\n", overwrite=overwrite)
        return
    tables = progress.readable(tables)
    if output.suffix.lower() == ".xlsx":
        from io import BytesIO

        import pandas as pd

        from geotools.io.excel import settled
        from geotools.io.excel_looks import dress
        from geotools.io.tables import guard
        from geotools.model.errors import need

        need("openpyxl", "excel")
        draft = BytesIO()
        with pd.ExcelWriter(draft, engine="openpyxl") as book:
            for name, table in tables.items():
                safe = table.map(lambda cell: guard(cell) if isinstance(cell, str) else cell)
                safe.to_excel(book, sheet_name=name, index=False)
            dress(book.book)
        with replacing(output, overwrite=overwrite) as temporary:
            temporary.write_bytes(settled(draft.getvalue()))
        return
    if output.is_dir() and any(f.suffix != ".csv" for f in output.iterdir()):
        raise WriteError(
            "this folder holds other things, it is not replaced", hint="choose an empty or new folder", file=output
        )
    with replacing(output, overwrite=overwrite) as folder:
        folder.mkdir()
        for name, table in tables.items():
            io.write(table, folder / f"{name}.csv")


def _words(about: tuple[str, list[str]], tables: dict[str, Any], cast: Any, *, reckoned: str) -> str:
    name, scope = about
    lines = [name, "", *_released_lines(tables), "", f"devices found: {_devices(tables)}"]
    rates = tables["productivity"]
    if len(rates):
        share = float(rates["nothing_found"].mean())
        pace = float(rates["m2_per_worker_day"].median())
        known = f"median {pace:,.1f}" if math.isfinite(pace) else "not known how many"
        lines.append(f"activities: {len(rates):,}, nothing found in {100 * share:.0f} %; {known} m² per worker and day")
    lines += ["", *scope]
    if "bulletin" in tables:
        from geotools.model.figures import square_metres

        lines += ["", f"{'bulletin':34}{'ha':>10}{'m²':>14}{'AP':>8}{'AV':>8}{'UXO':>8}"]
        for row in tables["bulletin"].to_dict("records"):
            lines.append(
                f"{row['organisation']!s:34.34}{row['hectares']:>10,.2f}{square_metres(row['released_m2'], toward='down'):>14}{row['ap_mines']:>8,}{row['av_mines']:>8,}{row['uxo']:>8,}"
            )
    if cast is not None:
        lines += ["", *_forecast_lines(cast, reckoned)]
    return "\n".join(lines)


def _keys(released: Any) -> list[str]:
    return [c for c in released.columns if not c.endswith(("_m2", "_ha")) and c != "releases"]


def _released_lines(tables: dict[str, Any]) -> list[str]:
    from geotools.analysis import progress
    from geotools.model.figures import in_hectares, square_metres

    released = progress.with_total(tables["released"]) if len(tables["released"]) else tables["released"]
    keys, products = _keys(released), ("cancelled_m2", "reduced_m2", "cleared_m2", "released_m2")
    heads = ("cancelled m²", "reduced m²", "cleared m²", "released m²", "released ha")
    lines = ["  ".join(f"{k:18}" for k in keys) + "".join(f"{c:>16}" for c in heads)]
    for row in released.to_dict("records"):
        figures = "".join(f"{square_metres(row[c], toward='down'):>16}" for c in products)
        lines.append(
            "  ".join(f"{row[k]!s:18.18}" for k in keys)
            + figures
            + f"{in_hectares(row['released_m2'], 'down'):>16,.2f}"
        )
    return lines


def _devices(tables: dict[str, Any]) -> str:
    from geotools.model.vocab import vocabulary

    found, keys = tables["found"], {*_keys(tables["released"]), "devices"}
    names = vocabulary("find_category")
    said = [f"{int(found[c].sum()):,} {names.label(str(c)).lower()}" for c in found if c not in keys and found[c].sum()]
    return ", ".join(said) or "none recorded"


def _forecast_lines(cast: Any, reckoned: str) -> list[str]:
    from geotools.model.figures import hectares

    ends = [
        f"{label} {end.isoformat() if end else 'beyond a century'}"
        for label, end in (("10 %", cast.p10), ("50 %", cast.p50), ("90 %", cast.p90))
    ]
    left, rate = hectares(cast.remaining_m2, "up"), hectares(cast.rate_m2_per_month, "down")
    return [
        f"forecast from {reckoned}, for {left} remaining at {rate} a month, the mean of the last {cast.months_observed} months: {', '.join(ends)}",
        f"({cast.note})",
    ]
