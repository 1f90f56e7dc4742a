"""The pictures of a lane report: POD by group, POD against depth, working points, and where targets were missed.

matplotlib figures without global state; names from files are shown as plain text, whatever they contain.
"""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.trial.curves import froc
from geotools.analysis.trial.depth import depth_curve
from geotools.analysis.trial.groups import shrink
from geotools.analysis.trial.scoring import Score

INK, BLUE, ORANGE, GREY = "#1f2933", "#0b5d8a", "#b3530a", "#9aa5b1"
MOST_GROUPS = 24


def plain(text: object, longest: int = 32) -> str:
    """Text without control and direction marks, `$` not read as a formula, cut to a length that fits."""
    clean = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in str(text))
    clean = re.sub(r"\s+", " ", clean).strip()
    clean = clean if len(clean) <= longest else clean[: longest - 1] + "…"
    return clean.replace("$", r"\$")


def figures(scored: Score) -> dict[str, Any]:
    """All figures that the data allow: caption → matplotlib Figure.

    Parameters
    ----------
    scored
        As from `score`.

    Returns
    -------
    dict
        Not shown and not written; a chart by operator, depth and so on is there where the trial has at least two of them, the one of false
        alarms where the area of the lanes is known.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from geotools.analysis.trial import score
    >>> targets = gpd.GeoDataFrame({"id": ["t1", "t2"], "x_m": [0.0, 5], "y_m": [0.0, 0], "geometry": [None, None]}, geometry="geometry")
    >>> marks = gpd.GeoDataFrame({"id": ["m1"], "x_m": [0.1], "y_m": [0.0], "score": [0.8], "geometry": [None]}, geometry="geometry")

    >>> list(figures(score(targets, marks, halo_m=0.2)))
    ['Where targets were missed and false marks made']
    """
    out: dict[str, Any] = {}
    for factor, word in (
        ("operator", "operator"),
        ("detector", "detector"),
        ("target_type", "target type"),
        ("soil", "soil"),
    ):
        if scored.real[factor].nunique() > 1:
            out[f"Probability of detection by {word}"] = _groups(scored, factor, word)
    depths = scored.real.dropna(subset=["depth_cm"])
    if depths["depth_cm"].nunique() > 1:
        out["Probability of detection against depth"] = _depth(depths)
    if np.isfinite(scored.runs["area_m2"]).all() and len(scored.runs):
        out["Detection against false alarms"] = _froc(scored)
    out["Where targets were missed and false marks made"] = _places(scored)
    return out


def _figure(height: float = 3.4) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)
    return figure, axes


def _groups(scored: Score, factor: str, word: str) -> Any:
    table = scored.strata([factor]).head(MOST_GROUPS)
    names = table[factor].astype(str)
    shrunk = (
        shrink(pd.Series(table["k"].to_numpy(), index=names), pd.Series(table["n"].to_numpy(), index=names))
        .table["shrunk"]
        .reindex(names)
    )
    figure, axes = _figure(1.4 + 0.34 * len(table))
    y = np.arange(len(table))[::-1]
    axes.hlines(y, table["low"], table["high"], color=BLUE, lw=2)
    axes.plot(table["pod"], y, "o", color=BLUE, label="found / present, exact 95 % limits")
    axes.plot(shrunk.to_numpy(), y, "D", mfc="white", mec=ORANGE, ms=5, label="allowing for the number of targets")
    axes.set(
        xlim=(0, 1.18), ylim=(-0.7, len(table) - 0.3), xlabel="probability of detection", xticks=np.arange(0, 1.01, 0.2)
    )
    axes.set_yticks(y, [plain(n) or "(not stated)" for n in names])
    for spot, k, n in zip(y, table["k"], table["n"], strict=True):
        axes.text(1.03, spot, f"{k}/{n}", va="center", fontsize=9, color=INK)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8, frameon=False)
    axes.grid(axis="x", color="#e4e7eb")
    return figure


def _depth(rows: pd.DataFrame) -> Any:
    fit = depth_curve(rows["depth_cm"], rows["hit"])
    figure, axes = _figure()
    axes.fill_between(
        fit.curve["depth_cm"], fit.curve["low"], fit.curve["high"], color=BLUE, alpha=0.15, lw=0, label="95 % limits"
    )
    axes.plot(fit.curve["depth_cm"], fit.curve["pod"], color=BLUE, label="penalised logistic curve")
    seen = rows.groupby("depth_cm")["hit"].agg(["sum", "size"])
    axes.scatter(
        seen.index,
        seen["sum"] / seen["size"],
        s=12 + 3 * seen["size"],
        color=ORANGE,
        zorder=3,
        label="found / present (size: targets)",
    )
    axes.set(ylim=(-0.03, 1.05), xlabel="depth (cm)", ylabel="probability of detection")
    axes.legend(fontsize=8, frameon=False, loc="lower left")
    return figure


def _froc(scored: Score) -> Any:
    from matplotlib.patches import Rectangle

    table = froc(scored)
    figure, axes = _figure()
    last = table.iloc[-1]
    box = (last["far_low"], last["low"]), last["far_high"] - last["far_low"], last["high"] - last["low"]
    axes.add_patch(Rectangle(*box, color=BLUE, alpha=0.15, lw=0, label="95 % limits of all marks"))
    if len(table) > 1:
        axes.step(table["far_m2"], table["pod"], where="post", color=BLUE, label="threshold of the score")
    axes.plot(last["far_m2"], last["pod"], "o", color=ORANGE, label="all marks")
    axes.set(
        xlim=(0, float(last["far_high"]) * 1.1),
        ylim=(0, 1.05),
        xlabel="false alarms per m²",
        ylabel="probability of detection",
    )
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


def _places(scored: Score) -> Any:
    lanes = sorted(scored.real["lane_id"].unique())[:6]
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.9 + 1.25 * len(lanes)), layout="constrained")
    grid = figure.subplots(len(lanes), 1, squeeze=False)[:, 0]
    dots: Any = None
    for axes, lane in zip(grid, lanes, strict=True):
        aims = (
            scored.real[scored.real["lane_id"] == lane]
            .groupby("target_id")
            .agg(x=("x", "first"), y=("y", "first"), share=("hit", "mean"))
        )
        false = scored.marks[(scored.marks["lane_id"] == lane) & (scored.marks["verdict"] == "false")]
        turn = _turn(scored, lane)
        spots, marks = aims[["x", "y"]].to_numpy() @ turn, false[["x", "y"]].to_numpy(dtype=float) @ turn
        origin = spots.min(axis=0) if not len(marks) else np.minimum(spots.min(axis=0), marks.min(axis=0))
        axes.plot(*(marks - origin).T, "x", color=GREY, ms=4, mew=1)
        dots = axes.scatter(
            *(spots - origin).T, c=aims["share"], cmap="cividis", vmin=0, vmax=1, s=36, edgecolor=INK, lw=0.5, zorder=3
        )
        axes.set_title(f"lane {plain(lane)}", fontsize=9, loc="left", color=INK)
        axes.tick_params(labelsize=8)
        axes.set_ylabel("across (m)", fontsize=8)
    grid[-1].set_xlabel("along the lane (m);  ● target, × false mark", fontsize=9)
    figure.colorbar(dots, ax=list(grid), label="share of runs that found it", shrink=0.8)
    return figure


def _turn(scored: Score, lane: str) -> np.ndarray:
    angle = scored.direction(lane)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def svg(figure: Any) -> str:
    """The figure as an inline SVG element without dates, links or fonts; the same bytes for the same data."""
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "geotools", "svg.fonttype": "path"}), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sign no font has is drawn as a box
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1), count=1
    )
