"""An evaluation in sentences and as one figure: the baseline first, then what the models add, and how far scores can be believed.

For reports; no sentence here calls land anything but more or less urgent to survey.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.analysis.risk_surface.evaluation import NOTE, Surface
from geotools.analysis.risk_surface.models import BASELINE
from geotools.model import arguments

INK, BLUE, ORANGE, GREY = "#1f2933", "#0b5d8a", "#b3530a", "#9aa5b1"


def findings(surface: Surface) -> list[str]:
    """The result in sentences.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from geotools.analysis.risk_surface import Setup, evaluate
    >>> rng = np.random.default_rng(0)
    >>> xy = rng.uniform(0, 20000, (600, 2)) + (700000, 4380000)
    >>> near = np.hypot(*(xy - (705000, 4385000)).T)
    >>> frame = gpd.GeoDataFrame({"event_m": near, "eo": rng.random(600) < np.exp(-near / 3000)}, geometry=gpd.points_from_xy(*xy.T), crs="EPSG:32638")
    >>> findings(evaluate(frame, Setup("eo", "event_m")))[0].startswith("Distance to known evidence alone")
    True
    """
    arguments.instance(surface, "the surface", Surface, hint="the result of risk_surface.evaluate")
    rows = {str(row["model"]): row for row in surface.metrics.to_dict("records")}
    base = rows.pop(BASELINE)
    known = round(base["base_rate"] * len(surface.scores))
    chance = f"where chance alone gives {base['base_rate']:.3f} ({known:,} places with known ordnance among {len(surface.scores):,})"
    lines = [
        f"Distance to known evidence alone (the baseline): ROC-AUC {base['roc_auc']:.3f}, PR-AUC {base['pr_auc']:.3f}, {chance}."
    ]
    for name, row in rows.items():
        gain = row["pr_auc"] - base["pr_auc"]
        verb = "adds" if gain > 0 else "adds nothing, it changes PR-AUC by"
        used = "" if name in surface.better else " It is not better than the distance alone, so it raises no priority."
        lines.append(
            f"{name.capitalize()}: ROC-AUC {row['roc_auc']:.3f}, PR-AUC {row['pr_auc']:.3f}; beside the baseline it {verb} {gain:+.3f}.{used}"
        )
    best = rows.get(surface.best, base)
    off = f"off by {100 * best['calibration_error']:.1f} percentage points on average (Brier score {best['brier']:.4f})"
    lines.append(f"Scores of the {surface.best} are {off}.")
    lines.append(
        f"Judged on {surface.setup.folds} groups of blocks of {surface.setup.block_m:,.0f} m that the model had not seen; there is no random split."
    )
    if rows and not surface.better:
        lines.append(
            "No model is better than the distance alone: scores and priority are those of the distance to known evidence."
        )
    if not surface.beats_chance:
        lines.append("On unseen ground nothing here beats chance: these data support no order of survey.")
    return [*lines, NOTE]


def figure(surface: Surface) -> Any:
    """Precision against recall, and predicted against observed, of every model: a matplotlib Figure.

    Parameters
    ----------
    surface
        As from `evaluate`.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes, not shown and not written; shares from 0 to 1.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from geotools.analysis.risk_surface import Setup, evaluate
    >>> rng = np.random.default_rng(0)
    >>> xy = rng.uniform(0, 20000, (600, 2)) + (700000, 4380000)
    >>> near = np.hypot(*(xy - (705000, 4385000)).T)
    >>> frame = gpd.GeoDataFrame({"event_m": near, "eo": rng.random(600) < np.exp(-near / 3000)}, geometry=gpd.points_from_xy(*xy.T), crs="EPSG:32638")
    >>> [axes.get_xlabel() for axes in figure(evaluate(frame, Setup("eo", "event_m"))).axes]
    ['share of known places reached (recall)', 'predicted share']
    """
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(8.2, 3.8), layout="constrained")
    left, right = drawn.subplots(1, 2)
    colours = dict(zip(surface.metrics["model"], (GREY, BLUE, ORANGE), strict=False))
    for name, rows in surface.calibration.groupby("model", sort=False):
        spread = [rows["observed"] - rows["low"], rows["high"] - rows["observed"]]
        right.errorbar(
            rows["predicted"], rows["observed"], yerr=spread, fmt="o-", ms=4, lw=1, color=colours[name], label=name
        )
    top = max(0.05, float(surface.calibration[["predicted", "high"]].to_numpy().max()) * 1.05)
    right.plot([0, top], [0, top], color=INK, lw=0.7, ls=":")
    right.set(xlim=(0, top), ylim=(0, top), xlabel="predicted share", ylabel="observed share (95 % limits)")
    label = surface.label
    for name in surface.metrics["model"]:
        order = np.argsort(-surface.scores[name].to_numpy(), kind="stable")
        hits = np.cumsum(label[order])
        left.plot(hits / hits[-1], hits / np.arange(1, len(hits) + 1), color=colours[name], lw=1.2, label=name)
    left.axhline(float(label.mean()), color=INK, lw=0.7, ls=":")
    left.set(
        xlim=(0, 1),
        ylim=(0, 1.03),
        xlabel="share of known places reached (recall)",
        ylabel="share of places that are known (precision)",
    )
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK, labelsize=8)
        axes.xaxis.label.set_size(9)
        axes.yaxis.label.set_size(9)
    left.legend(fontsize=8, frameon=False)
    return drawn
