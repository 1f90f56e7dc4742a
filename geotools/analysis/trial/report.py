"""The lane report: one self-contained HTML page or one PDF, with every figure beside its counts and limits.

For printing and filing; the figures come from `Score`. It ranks nobody: groups stand in the order of their names.
"""

from __future__ import annotations

import warnings
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.trial.charts import figures, plain, svg
from geotools.analysis.trial.groups import compare
from geotools.analysis.trial.intervals import further_targets, interval, zero_failure_n
from geotools.analysis.trial.scoring import FACTORS, Score
from geotools.io.atomic import replacing, write_text
from geotools.model import arguments
from geotools.model.provenance import now, version

WORDS = {
    "operator": "operator",
    "detector": "detector",
    "target_type": "target type",
    "depth_cm": "depth (cm)",
    "soil": "soil",
    "lane_id": "lane",
}
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1f2933;margin:0 auto;max-width:60rem;padding:1rem}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .4rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem}
th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #e4e7eb;white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:7rem;unicode-bidi:isolate}
svg{max-width:100%;height:auto;display:block}.note{color:#52606d;font-size:.92rem}
.big{font-size:1.2rem;margin:.6rem 0}figure{margin:0}@media print{body{max-width:none}h2{break-after:avoid}figure{break-inside:avoid}}
"""


def report_html(scored: Score, *, title: str = "Blind lane trial", pod: float = 0.90, confidence: float = 0.95) -> str:
    """The report as one HTML page without scripts, links or remote files.

    Parameters
    ----------
    scored
        From `score`.
    title
        Free text; shown as text whatever it contains.
    pod, confidence
        The criterion to be shown, e.g. 0.90 at 95 %.

    Returns
    -------
    str
        The page; write it with `write_report`.

    Raises
    ------
    StatisticsError
        If it is not given a scored trial, or the criterion is not between 0 and 1.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from geotools.analysis.trial import score
    >>> targets = gpd.GeoDataFrame({"id": ["t1", "t2"], "x_m": [0.0, 5], "y_m": [0.0, 0], "geometry": [None, None]}, geometry="geometry")
    >>> marks = gpd.GeoDataFrame({"id": ["m1"], "x_m": [0.1], "y_m": [0.0], "score": [0.8], "geometry": [None]}, geometry="geometry")

    >>> page = report_html(score(targets, marks, halo_m=0.2), title="Lane 3 <north>")
    >>> "Lane 3 &lt;north&gt;" in page, "<script" in page
    (True, False)
    """
    parts = [f"<h1>{escape(_clean(title))}</h1>", f'<p class="note">{escape(_origin(scored))}</p>']
    parts += [
        f'<p class="big">{escape(line)}</p>' if n == 0 else f"<p>{escape(line)}</p>"
        for n, line in enumerate(findings(scored, pod=pod, confidence=confidence))
    ]
    for heading, table in tables(scored).items():
        parts.append(f'<h2>{escape(heading)}</h2><div class="wide">{_html_table(table)}</div>')
    for caption, figure in figures(scored).items():
        parts.append(
            f'<h2>{escape(caption)}</h2><figure role="img" aria-label="{escape(caption)}">{svg(figure)}</figure>'
        )
    notes = "".join(f"<li>{escape(_clean(text, 300))}</li>" for text in dict.fromkeys(scored.issues["message"]))
    parts.append(f"<h2>Notes</h2><ul>{notes}<li>{escape(CAUTION)}</li></ul>")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(_clean(title))}</title><style>{STYLE}</style></head>\n'
        f"<body>{''.join(parts)}</body></html>\n"
    )


CAUTION = (
    "Runs over the same targets are not independent of each other: with few operators or few targets the true uncertainty is larger than the "
    "limits of the pooled figure. Figures hold for these targets, depths and soils only."
)


def write_report(
    scored: Score, path: str | Path, *, title: str = "Blind lane trial", pod: float = 0.90, overwrite: bool = False
) -> Path:
    """Write the report as .html or .pdf, by the ending of `path`.

    Parameters
    ----------
    scored
        As from `score`.
    path
        The file to write; any ending but ``.pdf`` gives HTML.
    title
        Free text.
    pod
        The detection to be shown at 95 %.
    overwrite
        Replace an existing file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    WriteError
        If the file exists and `overwrite` is false, or cannot be written.

    Examples
    --------
    >>> import tempfile, geopandas as gpd
    >>> from geotools.analysis.trial import score
    >>> targets = gpd.GeoDataFrame({"id": ["t1", "t2"], "x_m": [0.0, 5], "y_m": [0.0, 0], "geometry": [None, None]}, geometry="geometry")
    >>> marks = gpd.GeoDataFrame({"id": ["m1"], "x_m": [0.1], "y_m": [0.0], "score": [0.8], "geometry": [None]}, geometry="geometry")

    >>> write_report(score(targets, marks, halo_m=0.2), Path(tempfile.mkdtemp(), "trial.html")).name
    'trial.html'
    """
    target = Path(path)
    if target.suffix.lower() != ".pdf":
        return write_text(target, report_html(scored, title=title, pod=pod), overwrite=overwrite)
    from matplotlib.backends.backend_pdf import PdfPages

    with replacing(target, overwrite=overwrite) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sign no font has is drawn as a box
        with PdfPages(
            temporary, metadata={"Title": _clean(title), "CreationDate": None, "ModDate": None, "Producer": None}
        ) as pages:
            for page in [*_text_pages(scored, title, pod), *_chart_pages(scored)]:
                pages.savefig(page)
    return target


def findings(scored: Score, *, pod: float = 0.90, confidence: float = 0.95) -> list[str]:
    """The result in sentences: each figure with its counts, its limits, and what it does not show.

    Parameters
    ----------
    scored
        As from `score`.
    pod, confidence
        The criterion to be shown, e.g. 0.90 at 95 %.

    Returns
    -------
    list of str
        Sentences in English; distances in metres, false alarms per m².

    Raises
    ------
    StatisticsError
        If it is not given a scored trial, or the criterion is not between 0 and 1.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from geotools.analysis.trial import score
    >>> targets = gpd.GeoDataFrame({"id": ["t1", "t2"], "x_m": [0.0, 5], "y_m": [0.0, 0], "geometry": [None, None]}, geometry="geometry")
    >>> marks = gpd.GeoDataFrame({"id": ["m1"], "x_m": [0.1], "y_m": [0.0], "score": [0.8], "geometry": [None]}, geometry="geometry")

    >>> lines = findings(score(targets, marks, halo_m=0.2))
    >>> print(lines[0])
    1 of 2 targets were found: probability of detection 0.500, two-sided 95 % limits 0.013 to 0.987 (exact, Clopper-Pearson, 2.5 % on either side).
    >>> print(lines[1][:52])
    A detection of at least 90 % is not shown (one-sided
    """
    arguments.instance(scored, "the trial", Score, hint="the result of trial.score")
    pod = arguments.number(pod, "the POD to be shown", above=0, below=1)
    row = scored.strata(confidence=confidence).iloc[0]
    tail = f"{50 * (1 - confidence):g} % on either side"
    sides = f"one-sided {100 * confidence:g} % lower limit"
    one_side = "a claim of 'at least' has one side only, so this limit lies above the two-sided one"
    k, n = int(row["k"]), int(row["n"])
    places = scored.real[["lane_id", "target_id"]].drop_duplicates().shape[0]
    what = (
        f"{k} of {n} targets were found"
        if places == n
        else f"Targets were found {k} times out of {n} ({places} targets, {len(scored.runs)} runs)"
    )
    lines = [
        f"{what}: probability of detection {row['pod']:.3f}, two-sided {100 * confidence:g} % limits {row['low']:.3f} to {row['high']:.3f} (exact, Clopper-Pearson, {tail})."
    ]
    bound = interval(k, n, confidence=confidence, side="lower")[0]
    more = further_targets(k, n, pod=pod, confidence=confidence)
    if bound >= pod:
        lines.append(
            f"A detection of at least {100 * pod:g} % is shown at {100 * confidence:g} % confidence for these conditions ({sides} {bound:.3f}; {one_side})."
        )
    else:
        lines.append(
            f"A detection of at least {100 * pod:g} % is not shown ({sides} {bound:.3f}; {one_side}). {more} further targets, all found, would show it."
        )
    if np.isfinite(row["far_m2"]):
        lines.append(
            f"{int(row['false_alarms'])} false alarms on {row['area_m2']:.1f} m² outside all halos: {row['far_m2']:.3f} per m², limits {row['far_low']:.3f} to {row['far_high']:.3f}."
        )
    place = scored.location()
    if place["mean_m"] is not None:
        lines.append(
            f"Hits lay on average {place['mean_m']:.2f} m from the target (95 % within {place['p95_m']:.2f} m); bias {place['bias_along_m']:+.2f} m along and {place['bias_across_m']:+.2f} m across the lane."
        )
    lines.append(
        f"To show 99.6 % at 95 % confidence, {zero_failure_n(0.996, 0.95)} targets would have to be found without a miss."
    )
    return lines


def tables(scored: Score) -> dict[str, pd.DataFrame]:
    """Tables by heading, as text: one per factor with more than one level, and the pairs that differ."""
    out: dict[str, pd.DataFrame] = {}
    for factor in FACTORS:
        if factor in scored.real and scored.real[factor].nunique() > 1:
            out[f"By {WORDS[factor]}"] = _stratum_table(scored.strata([factor]), factor)
    for factor in ("operator", "detector"):
        table = scored.strata([factor])
        if 1 < len(table) <= 12:
            index = table[factor].astype(str)
            pairs = compare(
                pd.Series(table["k"].to_numpy(), index=index), pd.Series(table["n"].to_numpy(), index=index)
            )
            apart = pairs[pairs["different"]]
            rows = [
                [f"{_clean(r['first'])} and {_clean(r['second'])}", _p_text(float(r["p_adjusted"]))]
                for r in apart.to_dict("records")
            ] or [["no two differ at 95 % confidence", ""]]
            out[
                f"{WORDS[factor].capitalize()}s that differ (exact tests, adjusted for the number of pairs: {len(pairs)})"
            ] = pd.DataFrame(rows, columns=["pair", "adjusted p"])
    return out


def _p_text(p: float) -> str:
    return f"{p:.4f}" if p >= 1e-4 else "< 0.0001"


def _stratum_table(table: pd.DataFrame, factor: str) -> pd.DataFrame:
    rows = []
    for row in table.to_dict("records"):
        name = row[factor]
        text = f"{name:g}" if isinstance(name, float) and np.isfinite(name) else _clean(name)
        cells = [
            text or "(not stated)",
            f"{row['k']} of {row['n']}",
            f"{row['pod']:.3f}",
            f"{row['low']:.3f} – {row['high']:.3f}",
            str(row["further_95"]),
        ]
        if np.isfinite(row.get("far_m2", np.nan)):
            cells += [str(row["false_alarms"]), f"{row['far_m2']:.3f}", f"{row['far_low']:.3f} – {row['far_high']:.3f}"]
        rows.append(cells)
    names = [
        WORDS[factor],
        "found",
        "POD",
        "95 % limits",
        "more for 95/95",
        "false alarms",
        "per m²",
        "95 % limits of the rate",
    ]
    return pd.DataFrame(rows, columns=names[: len(rows[0])])


def _html_table(table: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(str(name))}</th>" for name in table.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in table.itertuples(index=False)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _clean(text: object, longest: int = 120) -> str:
    return plain(text, longest).replace(r"\$", "$")


def _origin(scored: Score) -> str:
    kind = (
        "Blind: layout sealed, marks frozen before scoring."
        if scored.blind
        else "Not shown to be blind: no seal and frozen marks were given."
    )
    return (
        f"{kind} Halo {scored.halo_m:g} m, {len(scored.runs)} runs. geotools {version()}, {now().date().isoformat()}."
    )


def _text_pages(scored: Score, title: str, pod: float) -> list[Any]:
    import textwrap

    from matplotlib.figure import Figure

    blocks: list[tuple[str, float, str]] = [(plain(title, 70), 15, "bold"), (_origin(scored), 8.5, "normal")]
    for line in findings(scored, pod=pod):
        blocks += [(part, 10, "normal") for part in textwrap.wrap(plain(line, 400), 98)]
    for heading, table in tables(scored).items():
        blocks += [("", 6, "normal"), (plain(heading, 90), 11, "bold")]
        widths = [max(len(str(v)) for v in [name, *table[name]]) for name in table.columns]
        widths[0] = min(widths[0], 34)
        for row in [list(table.columns), *table.to_numpy().tolist()]:
            cells = [
                plain(v, 34).ljust(w) if n == 0 else str(v).rjust(w)
                for n, (v, w) in enumerate(zip(row, widths, strict=True))
            ]
            blocks.append(("  ".join(cells), 7.5, "mono"))
    blocks += [("", 6, "normal"), *((part, 8.5, "normal") for part in textwrap.wrap(CAUTION, 112))]
    pages, y = [], 0.0
    for n, (text, size, style) in enumerate(blocks):
        kept = (
            blocks[n : n + 4] if style == "bold" else blocks[n : n + 1]
        )  # a heading goes with the first lines under it
        if y < 0.06 + sum(each[1] for each in kept[:-1]) * 1.55 / (11.69 * 72):
            pages.append(Figure(figsize=(8.27, 11.69)))
            y = 0.94
        family = "monospace" if style == "mono" else "sans-serif"
        pages[-1].text(
            0.07,
            y,
            text,
            fontsize=size,
            family=family,
            fontweight="bold" if style == "bold" else "normal",
            va="top",
            color="#1f2933",
        )
        y -= size * 1.55 / (11.69 * 72)
    return pages


def _chart_pages(scored: Score) -> list[Any]:
    pages = []
    for caption, figure in figures(scored).items():
        figure.suptitle(caption, fontsize=11, fontweight="bold", x=0.02, ha="left", color="#1f2933")
        figure.set_size_inches(11.69, 8.27)  # paper, like the pages of text
        pages.append(figure)
    return pages
