"""Pictures of a plan: who works where and when, ground finished over time, and what one more team buys.

matplotlib figures without global state; names from files are shown as plain text, whatever they contain.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from geotools.analysis.teams.futures import Futures
from geotools.analysis.teams.planning import Plan
from geotools.model.doors import checked
from geotools.model.errors import MapError
from geotools.model.vocab import vocabulary

INK, SOFT, LINE, SHUT = "#14212b", "#5b6b77", "#d5dbe0", "#eef1f4"
COLOURS = {  # light enough for dark letters; each has a hatch of its own for those who do not see its colour
    "manual": ("#8fc0e3", ""),
    "mdd": ("#f2c879", "///"),
    "mechanical": ("#b9a3d6", "..."),
    "follow_up": ("#9ed6c0", "\\\\\\"),
    "bac": ("#e7a9a0", "xxx"),
}
OTHER = (("#c9d1d8", "---"), ("#d9c7b0", "++"), ("#b5c99a", "oo"))
ROW, MOST_ROWS = 0.42, 60


def plain(text: object, longest: int = 28) -> str:
    """Text without control and direction marks, cut to a length that fits."""
    clean = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in str(text))
    clean = re.sub(r"\s+", " ", clean).strip()
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


@checked
def gantt(plan: Plan, futures: Futures | None = None, *, title: str = "") -> Figure:
    """Bars per team and step, long breaks shaded, and from each team's last step a line to its P90 if `futures` are given.

    Parameters
    ----------
    plan
        As from `plan`.
    futures
        As from `simulate`, of the same plan.
    title
        Above the chart, instead of its own.

    Returns
    -------
    matplotlib.figure.Figure
        Not shown and not written.

    Raises
    ------
    MapError
        If no step is in the plan.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from datetime import date
    >>> from geotools.analysis.teams import Calendar, Rate, Team, EVERY_DAY, plan, steps
    >>> tasks = gpd.GeoDataFrame({"id": ["A", "B"], "area_m2": [400.0, 100.0]}, geometry=[shapely.Point(0, 0)] * 2, crs=4326)
    >>> team = Team("T", {"manual": Rate(100)}, calendar=Calendar(weekdays=EVERY_DAY))

    >>> chart = gantt(plan(steps(tasks), [team], start=date(2026, 6, 1)))
    >>> [label.get_text() for label in chart.axes[0].get_yticklabels()]
    ['T']
    """
    steps = plan.table[plan.table["end"].notna()].sort_values(["team", "start", "id"])
    if steps.empty:
        raise MapError("no step is in the plan: there is no chart to draw")
    teams = [t for t in plan.teams["team"] if (steps["team"] == t).any()][:MOST_ROWS]
    figure = Figure(figsize=(11.0, 2.1 + ROW * len(teams)), layout="constrained")
    axes = figure.add_subplot()
    late = _p90(steps, futures)
    right = max(steps["end"].max(), late.max() if late.notna().any() else steps["end"].max())
    first, last = pd.Timestamp(plan.start), right + pd.Timedelta(days=1)
    breaks = _shade(axes, plan, teams, (first, last))
    looks = _looks(steps["skill"])
    for row, team in enumerate(teams):
        mine = steps[steps["team"] == team]
        for step in mine.itertuples():
            _bar(axes, row, step, looks[step.skill], (last - first).days)
        _until(axes, row, mine["end"].max(), late.get(mine["end"].idxmax()))
    _frame(axes, teams, (first, last))
    handles: list[Any] = [Patch(facecolor=c, hatch=h, edgecolor=INK, linewidth=0.6, label=_skill_name(s)) for s, (c, h) in looks.items()]  # fmt: skip
    if breaks:
        handles.append(Patch(facecolor=SHUT, edgecolor=LINE, label="no work (stand-down, season)"))
    if futures is not None:
        handles.append(axes.plot([], [], color=INK, linewidth=1, marker="|", markersize=6, label="last step, P90")[0])
    figure.legend(handles=handles, loc="outside lower left", ncols=min(7, len(handles)), frameon=False, fontsize=8)
    _title(figure, title or "Plan of work", _subtitle(plan, futures))
    return figure


def _p90(steps: Any, futures: Futures | None) -> pd.Series:
    if futures is None:
        return pd.Series(pd.NaT, index=steps.index, dtype="datetime64[ns]")
    return pd.Series(steps["id"].map(futures.table.set_index("id")["p90"]).to_numpy(), index=steps.index)


def _bar(axes: Any, row: int, step: Any, look: tuple[str, str], days: int) -> None:
    left, width = mdates.date2num(step.start), (step.end - step.start).days + 1
    axes.barh(row, width, left=left, height=0.62, color=look[0], hatch=look[1], edgecolor="white", linewidth=0.8)
    axes.barh(row, width, left=left, height=0.62, color="none", edgecolor=INK, linewidth=0.6)
    room = int(width / max(days, 1) * 132)
    if room >= 4:
        lot = re.search(r" \d+/\d+$", str(step.id))
        text = plain(f"{step.task_id}{lot.group() if lot else ''}", room)
        axes.text(
            left + width / 2, row, text, ha="center", va="center", fontsize=7.5, color=INK, parse_math=False, clip_on=True,
            bbox={"boxstyle": "square,pad=0.15", "facecolor": look[0], "edgecolor": "none"},
        )  # fmt: skip


def _until(axes: Any, row: int, end: Any, late: Any) -> None:
    """A line from the end of a team's last step to the date by which nine tenths of the futures have it."""
    if late is None or pd.isna(late) or late <= end:
        return
    ends = [mdates.date2num(end) + 1, mdates.date2num(late) + 1]
    axes.plot(ends, [row, row], color=INK, linewidth=1, solid_capstyle="butt")
    axes.plot(ends[1:], [row], color=INK, marker="|", markersize=9)


def _shade(axes: Any, plan: Plan, teams: list[str], span: tuple[Any, Any]) -> bool:
    """Stand-downs and closed seasons of a working week or more, per team; weekends would only be noise. Whether there is any."""
    first, last = span
    found = False
    days = (last - first).days
    for row, name in enumerate(teams):
        crew = next(c for c in plan.crews if c.id == name)
        shut = ~crew.calendar.open_days(first.date(), days)
        edges = np.flatnonzero(np.diff(np.r_[False, shut, False].astype(int)))
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            if end - begin >= 5:
                left = mdates.date2num(first + timedelta(days=int(begin)))
                axes.barh(row, int(end - begin), left=left, height=0.96, color=SHUT, edgecolor="none", zorder=0)
                found = True
    return found


def _looks(skills: pd.Series) -> dict[str, tuple[str, str]]:
    names = [s for s in COLOURS if s in set(skills)] + sorted(set(skills) - set(COLOURS))
    spare = iter([*OTHER] * 20)
    return {name: COLOURS.get(name) or next(spare) for name in names}


def _skill_name(skill: str) -> str:
    known = {"follow_up": "Search behind a machine"}
    return known.get(skill) or plain(vocabulary("method").label(skill))


def _frame(axes: Any, teams: list[str], span: tuple[Any, Any]) -> None:
    axes.set_yticks(range(len(teams)), [plain(t, 24) for t in teams], fontsize=9, color=INK)
    axes.set_ylim(len(teams) - 0.4, -0.6)
    axes.set_xlim(span[0], span[1])
    axes.xaxis_date()
    locator = mdates.AutoDateLocator(minticks=4, maxticks=14)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    axes.xaxis.grid(visible=True, color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
    axes.tick_params(length=0, labelsize=8.5, colors=INK)
    axes.xaxis.get_offset_text().set_fontsize(8.5)


def _title(figure: Figure, title: str, below: str) -> None:
    lines = below.count("\n") + 1 if below else 0
    text = plain(title, 90) + "\n" * lines
    figure.suptitle(text, x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK, parse_math=False)
    if below:
        figure.text(
            0.01, 1 - 0.36 / figure.get_figheight(), below, fontsize=8.5, color=SOFT, va="top", parse_math=False
        )


def _subtitle(plan: Plan, futures: Futures | None) -> str:
    dated = f"done by {plan.finish} at mean rates" if plan.finish else "some steps do not fit into the horizon"
    if futures is not None and futures.finish.p10 is not None:
        marks = [f"P{m[1:]} {getattr(futures.finish, m) or 'beyond the horizon'}" for m in ("p10", "p50", "p90")]
        dated += f"; {', '.join(marks)}"
    return f"{dated}\n{plan.words[0].upper()}{plan.words[1:]}."


@checked
def finished(plan: Plan, futures: Futures, *, title: str = "") -> Figure:
    """Hectares whose search is finished, over time: at mean rates, and between the tenth and ninetieth of the futures.

    Parameters
    ----------
    plan
        As from `plan`.
    futures
        As from `simulate`, of the same plan.
    title
        Above the chart, instead of its own.

    Returns
    -------
    matplotlib.figure.Figure
        Not shown and not written.

    Raises
    ------
    MapError
        If no step is in the plan.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from datetime import date
    >>> from geotools.analysis.teams import Calendar, Rate, Team, EVERY_DAY, plan, simulate, steps
    >>> tasks = gpd.GeoDataFrame({"id": ["A", "B"], "area_m2": [400.0, 100.0]}, geometry=[shapely.Point(0, 0)] * 2, crs=4326)
    >>> team = Team("T", {"manual": Rate(100)}, calendar=Calendar(weekdays=EVERY_DAY))

    >>> made = plan(steps(tasks), [team], start=date(2026, 6, 1))
    >>> finished(made, simulate(made, draws=100)).axes[0].get_ylabel()
    'ha finished'
    """
    table = futures.by_day
    if table.empty:
        raise MapError("no step is in the plan: there is no chart to draw")
    figure = Figure(figsize=(8.0, 4.2), layout="constrained")
    axes = figure.add_subplot()
    when = table["date"]
    axes.fill_between(when, table["low_m2"] / 1e4, table["high_m2"] / 1e4, step="post", color="#9ed6c0", alpha=0.55, linewidth=0, label="10 to 90 % of futures")  # fmt: skip
    axes.step(when, table["p50_m2"] / 1e4, where="post", color="#00664a", linewidth=1.8, label="half of futures")
    axes.step(when, table["expected_m2"] / 1e4, where="post", color=INK, linewidth=1.2, linestyle=(0, (5, 3)), label="at mean rates")  # fmt: skip
    axes.set_ylim(0, None)
    if futures.finish.p90 is not None:
        span = pd.Timestamp(futures.finish.p90) - pd.Timestamp(plan.start)
        axes.set_xlim(mdates.date2num(plan.start), mdates.date2num(pd.Timestamp(plan.start) + span * 1.08))
    axes.set_ylabel("ha finished", color=INK)
    locator = mdates.AutoDateLocator(minticks=4, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    axes.yaxis.grid(visible=True, color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, labelsize=8.5, colors=INK)
    axes.legend(frameon=False, fontsize=8.5, loc="upper left")
    _title(figure, title or "Ground finished", "machine-prepared ground counts when the search behind it is done")
    return figure


@checked
def bought(table: pd.DataFrame, *, title: str = "") -> Figure:
    """What one more team of each kind buys: days earlier, and hectares more by the day compared. For who decides on a further team.

    Parameters
    ----------
    table
        As from `marginal`.
    title
        Above the chart, instead of its own.

    Returns
    -------
    matplotlib.figure.Figure
        Not shown and not written.

    Raises
    ------
    MapError
        If there is no extra team in it.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from datetime import date
    >>> from geotools.analysis.teams import Calendar, Rate, Team, EVERY_DAY, marginal, plan, steps
    >>> tasks = gpd.GeoDataFrame({"id": ["A", "B"], "area_m2": [400.0, 100.0]}, geometry=[shapely.Point(0, 0)] * 2, crs=4326)
    >>> team = Team("T", {"manual": Rate(100)}, calendar=Calendar(weekdays=EVERY_DAY))

    >>> chart = bought(marginal(plan(steps(tasks), [team], start=date(2026, 6, 1)), draws=100))
    >>> [axes.get_xlabel() for axes in chart.axes]
    ['days by which the last step ends earlier', 'ha more finished by 2026-06-03']
    """
    extras = table.iloc[1:]
    if extras.empty:
        raise MapError("no extra team was tried: there is no chart to draw")
    figure = Figure(figsize=(9.0, 2.1 + 0.55 * len(extras)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    names = [f"{plain(row.extra, 30)}\n{plain(_skill_names(str(row.skills)), 44)}" for row in extras.itertuples()]
    idle = (extras["busy_days"] <= 0).to_numpy()
    days = pd.to_numeric(extras["days_earlier"], errors="coerce").astype(float).to_numpy()
    for axes, values, unit, colour in (
        (left, days, "days by which the last step ends earlier", "#8fc0e3"),
        (right, (extras["more_m2"] / 1e4).to_numpy(), f"ha more finished{_by(table)}", "#9ed6c0"),
    ):
        axes.barh(range(len(names)), np.nan_to_num(values), color=colour, edgecolor=INK, linewidth=0.6, height=0.6)
        axes.axvline(0, color=INK, linewidth=0.8)
        for row, value in enumerate(values):
            said = (
                "unknown" if not np.isfinite(value) else f"{value:.0f}" if unit.startswith("days") else f"{value:.2f}"
            )
            said += ": this plan has no work for it" if idle[row] and unit.startswith("days") else ""
            axes.annotate(said, (np.nan_to_num(value), row), (4, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK)  # fmt: skip
        axes.margins(x=0.15)
        axes.set_xlabel(unit, fontsize=8.5, color=INK)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0, labelsize=8.5, colors=INK)
    left.set_yticks(range(len(names)), names)
    left.invert_yaxis()
    _title(figure, title or "What one more team would change", _against(table))
    return figure


def _skill_names(skills: str) -> str:
    return ", ".join(_skill_name(skill.strip()).lower() for skill in skills.split(",") if skill.strip())


def _by(table: pd.DataFrame) -> str:
    """The day up to which finished ground is compared, where the table says it."""
    return f" by {pd.Timestamp(table['by'].iloc[0]).date()}" if "by" in table and pd.notna(table["by"].iloc[0]) else ""


def _against(table: pd.DataFrame) -> str:
    """What the bars are compared with."""
    base = table.iloc[0]
    end = (
        "with steps beyond the horizon"
        if pd.isna(base["finish"])
        else f"which ends {pd.Timestamp(base['finish']).date()}"
    )
    return f"Each bar: this plan with one team more, against the plan as it is, {end}, at mean rates.\nFor whoever decides on a further team, machine or dog set."
