"""Pictures of a ranking: what makes up each score, and how firm each rank is.

matplotlib figures without global state; names from files are shown as plain text, whatever they contain.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from geotools.analysis.priority.ranking import Ranking
from geotools.analysis.priority.stability import Stability
from geotools.model.doors import checked

INK, SOFT, LINE = "#14212b", "#5b6b77", "#d5dbe0"
FILLS = (
    ("#0b5d8a", ""), ("#f2c879", "///"), ("#00664a", ""), ("#b9a3d6", "..."), ("#e7a9a0", "\\\\\\"), ("#8fc0e3", "xxx"),
    ("#9ed6c0", "++"), ("#6b4f3a", ""), ("#c9d1d8", "---"), ("#d9c7b0", "oo"), ("#7a8792", ""), ("#b5c99a", "**"),
)  # fmt: skip


def plain(text: object, longest: int = 30) -> str:
    """Text without control and direction marks, cut to a length that fits."""
    clean = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in str(text))
    clean = re.sub(r"\s+", " ", clean).strip()
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


@checked
def contributions(ranking: Ranking, *, top: int = 20, title: str = "") -> Figure:
    """Bars of the first tasks, made up of what each criterion gives; a thin line shows where the score can lie.

    Parameters
    ----------
    ranking
        As from `rank`.
    top
        How many tasks, from the first.
    title
        Above the chart, instead of its own.

    Returns
    -------
    matplotlib.figure.Figure
        Not shown and not written; one row per task.

    Examples
    --------
    >>> import pandas as pd
    >>> from geotools.analysis.priority import Criteria, Criterion, Indicators, rank
    >>> figures = Indicators.of(pd.DataFrame({"people": [900.0, 10.0], "roads": [5.0, 6.0]}, index=["A", "B"]))
    >>> both = Criteria((Criterion("People", "people", 0.7), Criterion("Roads", "roads", 0.3)))

    >>> chart = contributions(rank(figures, both))
    >>> [label.get_text() for label in chart.axes[0].get_yticklabels()], chart.axes[0].get_xlabel()
    (['1. A', '2. B'], 'score (0 to 1)')
    """
    first = ranking.table.head(top)
    parts = (
        ranking.parts.set_axis(ranking.parts.index.astype(str)).loc[first["id"]].to_numpy() * ranking.criteria.weights
    )
    figure, axes = _blank(len(first), title or "What makes up the priority", ranking.unranked or ranking.criteria.words)
    rows = np.arange(len(first))
    values = ranking.indicators.value
    figures = values.set_axis(values.index.astype(str)).loc[first["id"]]
    right, left = np.zeros(len(first)), np.zeros(len(first))
    for k, name in enumerate(ranking.criteria.names):
        fill, hatch = FILLS[k % len(FILLS)]
        given = parts[:, k]
        known = np.isfinite(figures[ranking.criteria.rows[k].indicator].to_numpy(dtype=float))
        base = np.where(given >= 0, right, left)
        axes.barh(
            rows, np.where(known, given, 0), left=base, height=0.68, color=fill, hatch=hatch, edgecolor="white", linewidth=0.6, label=plain(name),
        )  # fmt: skip
        blank = ~known & (given != 0)
        axes.barh(
            rows[blank], given[blank], left=base[blank], height=0.68, color="white", edgecolor=SOFT, linewidth=0.6, linestyle=(0, (3, 2)),
        )  # fmt: skip
        right += np.maximum(given, 0)
        left += np.minimum(given, 0)
    axes.hlines(rows + 0.4, first["score_low"], first["score_high"], color=INK, linewidth=1.1)
    axes.plot(
        first["score"],
        rows + 0.4,
        linestyle="",
        marker="o",
        markersize=3.2,
        color=INK,
        label="score, and where it can lie",
    )
    if not np.isfinite(figures[[c.indicator for c in ranking.criteria.rows]].to_numpy(dtype=float)).all():
        axes.barh(
            [np.nan],
            [0],
            color="white",
            edgecolor=SOFT,
            linestyle=(0, (3, 2)),
            label="not known: as the others on average",
        )
    if ranking.method == "promethee":
        axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(
        rows, [plain(i if pd.isna(r) else f"{r}. {i}") for r, i in zip(first["rank"], first["id"], strict=True)]
    )
    axes.set_xlabel("score (0 to 1)" if ranking.method == "sum" else "net flow (−1 to 1)", fontsize=8.5, color=INK)
    figure.legend(loc="outside lower left", ncols=4, frameon=False, fontsize=8)
    return figure


@checked
def rank_intervals(found: Stability, *, top: int = 30, title: str = "") -> Figure:
    """Rank intervals of the first tasks and how often each is among the first.

    Parameters
    ----------
    found
        As from `stability`.
    top
        How many tasks, from the first.
    title
        Above the chart, instead of its own.

    Returns
    -------
    matplotlib.figure.Figure
        Not shown and not written; one row per task.

    Examples
    --------
    >>> import pandas as pd
    >>> from geotools.analysis.priority import Criteria, Criterion, Indicators, rank, stability
    >>> figures = Indicators.of(pd.DataFrame({"people": [900.0, 10.0], "roads": [5.0, 6.0]}, index=["A", "B"]))
    >>> both = Criteria((Criterion("People", "people", 0.7), Criterion("Roads", "roads", 0.3)))

    >>> chart = rank_intervals(stability(rank(figures, both), top=1, draws=100))
    >>> [label.get_text() for label in chart.axes[0].get_yticklabels()]
    ['A', 'B']
    """
    first = found.table.head(top)
    figure, axes = _blank(len(first), title or "How firm the ranks are", found.words)
    rows = np.arange(len(first))
    if first["rank"].isna().all():  # no order, so nothing to draw but the names; the line above says why
        axes.set_yticks(rows, [plain(i) for i in first["id"]])
        axes.set_xticks([])
        return figure
    axes.axvspan(0.5, found.top + 0.5, color="#eef1f4", zorder=0)
    axes.hlines(rows, first["rank_low"], first["rank_high"], color="#8fc0e3", linewidth=6)
    axes.plot(first["rank_median"], rows, linestyle="", marker="|", markersize=10, markeredgewidth=2, color="#0b5d8a")
    axes.plot(first["rank"], rows, linestyle="", marker="o", markersize=4, color=INK)
    far = float(first["rank_high"].max())
    for row, share in zip(rows, first["p_top"], strict=True):
        axes.annotate(
            f"{share:.0%}", (far, row), (10, 0), textcoords="offset points", va="center", fontsize=8, color=INK
        )
    axes.annotate(
        f"among first {found.top}", (far, -0.5), (10, 6), textcoords="offset points", fontsize=7.5, color=SOFT
    )
    axes.set_yticks(rows, [plain(i) for i in first["id"]])
    axes.set_xlim(0.3, far * 1.02 + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("rank: dot as listed, bar nine tenths of the draws, tick the median", fontsize=8.5, color=INK)
    return figure


def _blank(rows: int, title: str, below: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(9.0, 2.1 + 0.27 * rows), layout="constrained")
    axes = figure.add_subplot()
    axes.set_ylim(rows - 0.3, -0.8)
    axes.xaxis.grid(visible=True, color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, labelsize=8.5, colors=INK)
    figure.suptitle(
        plain(title, 90) + "\n", x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK, parse_math=False
    )
    figure.text(
        0.01, 1 - 0.36 / figure.get_figheight(), plain(below, 150), fontsize=8.5, color=SOFT, va="top", parse_math=False
    )
    return figure, axes
