"""Charts of progress: released land per period, the balance over time, and the forecast, as PNG, SVG or PDF.

For figures that come from `analysis.progress` and the ledger; colours and hatches are those of the one symbol table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from geotools.io.atomic import replacing
from geotools.maps.symbols import theme
from geotools.model.errors import MapError
from geotools.model.figures import grouped, in_hectares
from geotools.model.provenance import now
from geotools.model.vocab import LANGUAGES, vocabulary

PRODUCTS = ("cleared", "reduced", "cancelled")
PATTERN = {"cleared": "", "reduced": "\\\\\\", "cancelled": "..."}
RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "svg.hashsalt": "geotools",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "hatch.linewidth": 0.5,
}
WIDE = 14  # bars up to which the figure above each has decimals
INK = "#14212b"
GRID: dict[str, Any] = {"color": "#c9d1d8", "linewidth": 0.6}


TITLES = {
    "ha": ("ha", "ha", "ha", "га"),
    "released": ("Land released by period", "Dövrlər üzrə azad edilmiş torpaq", "Dönemlere göre serbest bırakılan arazi", "Высвобожденные земли по периодам"),
    "completion": ("Land released so far, and when the rest may be done", "İndiyədək azad edilmiş torpaq və qalanının mümkün bitmə vaxtı", "Şimdiye dek serbest bırakılan arazi ve kalanın olası bitişi", "Высвобождено на сегодня и возможный срок завершения"),
    "goal": ("released and remaining together", "azad edilmiş və qalan birlikdə", "serbest bırakılan ve kalan birlikte", "высвобождено и осталось вместе"),
    "futures": ("of simulated futures done by", "simulyasiyaların bitmə vaxtı", "simülasyonların bitiş tarihi", "сценариев завершено к"),
}  # fmt: skip


def _text(key: str, lang: str) -> str:
    return TITLES[key][LANGUAGES.index(lang) if lang in LANGUAGES else 0]


def released(table: pd.DataFrame, *, lang: str = "en", title: str = "", subtitle: str = "") -> Figure:
    """Stacked bars of hectares released per period; each product has its colour, hatch and label.

    Parameters
    ----------
    table
        As from `analysis.progress.released`: ``period`` and ``*_m2``; several rows of one period are added up.
    lang
        ``en``, ``az``, ``tr`` or ``ru``.
    title, subtitle
        What the chart is about (default: said in `lang`), and whose figures they are.

    Returns
    -------
    matplotlib.figure.Figure
        Hectares on the upright axis; not shown and not written (see `save`).

    Raises
    ------
    MapError
        If there is nothing to draw.

    Examples
    --------
    >>> table = pd.DataFrame({"period": ["2024-01", "2024-02"], "cleared_m2": [25000.0, 0], "reduced_m2": [0.0, 10000], "cancelled_m2": 0.0})
    >>> chart = released(table, subtitle="Synthetic figures")
    >>> [label.get_text() for label in chart.axes[0].get_xticklabels()], chart.axes[0].get_ylabel()
    (['2024-01', '2024-02'], 'ha')
    """
    exact = table.groupby("period")[[f"{p}_m2" for p in PRODUCTS]].sum().sort_index()
    sums = exact / 10_000
    if sums.empty or float(sums.to_numpy().sum()) == 0:
        raise MapError("nothing was released: there is no chart to draw")
    with mpl.rc_context(RC):
        figure, axes = _blank(title or _text("released", lang), subtitle)
        base = np.zeros(len(sums))
        look = theme()
        for product in PRODUCTS:
            symbol = look.symbol("area", product)
            values = sums[f"{product}_m2"].to_numpy()
            axes.bar(
                range(len(sums)), values, bottom=base, width=0.72, color=symbol.solid, hatch=PATTERN[product],
                edgecolor="white", linewidth=0.8, label=vocabulary("product").label(product, lang),
            )  # fmt: skip
            base += values
        decimals = 2 if len(sums) <= WIDE else 0
        for position, (value, area) in enumerate(zip(base, exact.sum(axis=1), strict=True)):
            axes.annotate(
                grouped(math.floor(area / 10_000 * 10**decimals + 1e-6) / 10**decimals, decimals, lang),
                (position, value),
                (0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=INK,
            )
        axes.set_xticks(
            range(len(sums)),
            list(sums.index),
            rotation=0 if len(sums) <= 8 else 60,
            ha="center" if len(sums) <= 8 else "right",
        )
        _hectare_axis(axes, lang)
        axes.legend(frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, 1.12))
    return figure


def completion(
    rates: pd.Series,
    cast: Any,
    *,
    lang: str = "en",
    title: str = "",
    subtitle: str = "",
    undated_m2: float = 0.0,
    current_m2: float = 0.0,
) -> Figure:
    """Land released so far and the months in which the rest may be done: 10, 50 and 90 % of simulated futures.

    Parameters
    ----------
    rates
        As from `analysis.progress.monthly_rates`.
    cast
        As from `analysis.progress.forecast`.
    lang
        ``en``, ``az``, ``tr`` or ``ru``.
    title, subtitle
        What the chart is about (default: said in `lang`), and whose figures they are.
    undated_m2, current_m2
        Released without a date (the curve begins with it), and since the last whole month (it ends with it), so that the
        last figure is all that was released.

    Returns
    -------
    matplotlib.figure.Figure
        Hectares on the upright axis; not shown and not written (see `save`).

    Examples
    --------
    >>> from geotools.analysis.progress import forecast, monthly_rates
    >>> credits = pd.DataFrame({"date": pd.date_range("2022-01-01", periods=24, freq="MS"), "net_m2": 10000.0})
    >>> cast = forecast(credits, 60000, as_of=date(2023, 12, 31))
    >>> chart = completion(monthly_rates(credits, as_of=cast.as_of), cast, subtitle="Synthetic figures")
    >>> [note.get_text() for note in chart.axes[0].texts][:2]
    ['30.00 ha, released and remaining together', '24.00 ha']
    """
    with mpl.rc_context(RC):
        figure, axes = _blank(title or _text("completion", lang), subtitle)
        days = list(pd.PeriodIndex(rates.index).to_timestamp(how="end"))
        done = (undated_m2 + rates.cumsum().to_numpy()) / 10_000
        if current_m2 > 0:
            days, done = [*days, pd.Timestamp(cast.as_of)], np.append(done, done[-1] + current_m2 / 10_000)
        axes.plot(days, done, color="#00664a", linewidth=2)
        axes.fill_between(days, done, color="#9ed6c0", alpha=0.6)
        goal = done[-1] + cast.remaining_m2 / 10_000
        axes.axhline(goal, color="#a63603", linewidth=1.2, linestyle=(0, (6, 3)))
        axes.annotate(
            f"{grouped(goal, 2, lang)} {_text('ha', lang)}, {_text('goal', lang)}", (days[0], goal), (0, 3), textcoords="offset points", color="#a63603", fontsize=8,
        )  # fmt: skip
        axes.annotate(
            f"{grouped(in_hectares(done[-1] * 10_000, 'down'), 2, lang)} {_text('ha', lang)}", (days[-1], done[-1]), (-4, 4), textcoords="offset points", color="#00664a",
            fontsize=8, ha="right",
        )  # fmt: skip
        for name, style in (("p10", ":"), ("p50", "-"), ("p90", ":")):
            end: date | None = getattr(cast, name)
            if end is None:
                continue
            axes.plot(
                [days[-1], pd.Timestamp(end)],
                [done[-1], goal],
                color="#4a5a66",
                linewidth=1.4 if name == "p50" else 1,
                linestyle=style,
            )
            axes.annotate(
                f"{name[1:]} %\n{end.isoformat()[:7]}", (pd.Timestamp(end), goal), (0, 12), textcoords="offset points", ha="center",
                fontsize=8, color=INK,
            )  # fmt: skip
        axes.text(
            0.99,
            0.985,
            _text("futures", lang),
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=7.5,
            color="#4a5a66",
        )
        axes.set_ylim(0, goal * 1.3)
        _hectare_axis(axes, lang)
    return figure


def _hectare_axis(axes: Any, lang: str) -> None:
    """The upright axis in hectares, its figures in the style of the language."""
    axes.set_ylabel(_text("ha", lang))

    def said(value: float, _: int | None) -> str:
        return grouped(value, next((d for d in range(4) if abs(round(value, d) - value) < 1e-9), 4), lang)

    axes.yaxis.set_major_formatter(said)


def _blank(title: str, subtitle: str = "") -> tuple[Figure, Any]:
    figure = Figure(figsize=(8.0, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.yaxis.grid(visible=True, **GRID)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=INK)
    if title:
        text = f"{title}\n" if subtitle else title
        figure.suptitle(text, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK, parse_math=False)
    if subtitle:
        y = 1 - 0.34 / figure.get_figheight()
        figure.text(0.01, y, subtitle, fontsize=8.5, color="#4a5a66", va="top", parse_math=False)
    return figure, axes


def save(
    charts: Mapping[str, Figure], folder: str | Path, *, format: str = "svg", overwrite: bool = False
) -> list[Path]:
    """Write charts as ``NAME.svg`` (or png, pdf) into a folder.

    The same figures give the same bytes; a pdf also holds the time it was made, which ``SOURCE_DATE_EPOCH`` fixes.

    Parameters
    ----------
    charts
        Name of the file without ending → figure.
    folder
        Made if it is not there.
    format
        ``svg``, ``png`` or ``pdf``.
    overwrite
        Replace existing files.

    Returns
    -------
    list of Path
        The files, in the order of `charts`.

    Raises
    ------
    MapError
        If the format is none of svg, png, pdf.
    WriteError
        If a file exists or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> table = pd.DataFrame({"period": ["2024"], "cleared_m2": [25000.0], "reduced_m2": [0.0], "cancelled_m2": [0.0]})
    >>> [file.name for file in save({"released": released(table)}, tempfile.mkdtemp())]
    ['released.svg']
    """
    if format not in ("svg", "png", "pdf"):
        raise MapError(f"a chart is written as svg, png or pdf, not '{format}'")
    about: dict[str, dict[str, Any]] = {
        "svg": {"Date": None},
        "png": {"Software": None},
        "pdf": {"CreationDate": now().replace(tzinfo=None)},
    }
    written = []
    for name, figure in charts.items():
        target = Path(folder) / f"{name}.{format}"
        with mpl.rc_context(RC), replacing(target, overwrite=overwrite) as temporary:
            FigureCanvasAgg(figure)
            figure.savefig(temporary, format=format, dpi=160, metadata=about[format])
        written.append(target)
    return written
