"""The chapters of the report as blocks of text: head, ledger, boundary, finds, work, inspections, issues, sign-off, provenance.

For what each chapter says; the order of chapters and the pages are in `document`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from geotools.checks.messages import text
from geotools.maps.report.facts import Facts, word
from geotools.maps.sheet import column as _column
from geotools.maps.sheet import contents as _contents
from geotools.maps.sheet import frame as _frame
from geotools.maps.sheet.phrase import angle, clean, day, number, plain, square_metres, term, terms
from geotools.maps.sheet.phrase import word as sheet_word
from geotools.maps.sheet.task import Task
from geotools.model import figures
from geotools.model.errors import need
from geotools.model.provenance import version
from geotools.model.vocab import vocabulary
from geotools.space import crs as _crs

ISSUES_SHOWN = 40
WHOLE = 40  # lines of files that stand beside the code, so that no page holds the code alone


def head(task: Task, title: str, reasons: Sequence[str], lang: str) -> list[_column.Block]:
    """Title, what is known of the task, and first of all what speaks against completion."""
    row = task.row
    named = [
        vocabulary(v).label(str(row[c]), lang)
        for v, c in (("classification", "classification"), ("hazard_status", "status"))
        if isinstance(row.get(c), str)
    ]
    threats = terms("contamination", row.get("contamination"), lang)
    where = " · ".join(clean(row.get(c)) for c in ("place", "admin2", "admin1", "country") if clean(row.get(c)))
    as_of = getattr(task.coverage, "as_of", None) or task.survey.information_day
    blocks = [
        _column.paragraph(title, size=16, bold=True, after=1.5), _column.paragraph(" · ".join([*named, *threats]) or "–", size=9, after=0.8),
        *([_column.paragraph(where, size=9, after=0.8)] if where else []),
        _column.paragraph(f"{clean(task.survey.name, 90)} · {sheet_word('as_of', lang)}: {day(as_of)} · {sheet_word('date_info', lang)}: {day(row.get('date_info'))}", size=8, color=_column.QUIET, after=2.5),
    ]  # fmt: skip
    if reasons:
        lines = [_column.paragraph(f"– {text}", size=8.5, color="#7a1f10", after=0.4) for text in reasons]
        blocks += [*_column.section(word("why_not", lang), lines), _column.space(2.0)]
    return blocks


def _table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    shares: Sequence[float],
    lang: str,
    *,
    note: str = "",
    summed: bool = False,
) -> list[_column.Block]:
    if not rows:
        return _column.section(title, [_column.paragraph(word("none", lang), size=7.5, after=3)])
    lines = _column.ruled_table([head, *rows], shares, summed=summed)
    first = [_column.paragraph(note, size=6.4, color=_column.QUIET, after=1)] if note else []
    rest = _column.continued(word("continued", lang, title=title), lines[2:], lines[:1])
    return [*_column.section(title, [_column.together(*first, *lines[:2])]), *rest, _column.space(3)]


def ledger(facts: Facts, lang: str) -> list[_column.Block]:
    """Who released which ground of the task, with the m² each was first to release."""
    rows = []
    for r in facts.releases.to_dict("records"):
        who = ", ".join(clean(r.get(c), 40) for c in ("organisation", "team") if clean(r.get(c)))
        depth = number(r.get("depth_cm"), 0, lang)
        counted = next((c for c in (r.get("counted_as"), r["product"]) if isinstance(c, str) and c), "")
        product = (
            vocabulary("product").label(counted, lang)
            if counted in vocabulary("product")
            else sheet_word("processed", lang)
            if counted == "processed"
            else clean(counted) or word("not_stated", lang)
        )
        method = clean(term("method", r.get("method"), lang, word("not_stated", lang)), 40)
        rows.append(
            (
                clean(r["id"], 30),
                product,
                method,
                day(r.get("date")),
                who,
                depth,
                square_metres(r["here_m2"], lang, "released"),
            )
        )
    if rows:
        rows.append(
            (
                word("total", lang),
                "",
                "",
                "",
                "",
                "",
                square_metres(float(facts.releases["here_m2"].sum()), lang, "released"),
            )
        )
    head = [
        word(k, lang)
        for k in ("col_release", "col_product", "col_method", "col_date", "col_org", "col_depth", "col_m2")
    ]
    return _table(
        word("ledger", lang),
        head,
        rows,
        (2.0, 2.0, 2.0, 1.6, 3.2, 1.5, 1.5),
        lang,
        note=word("ledger_note", lang),
        summed=True,
    )


def tolerated(facts: Facts, lang: str) -> list[_column.Block]:
    """What remains by the figures and is let pass by the authority's stated tolerance; empty if nothing is."""
    if not facts.tolerated_m2:
        return []
    told = {"area": number(facts.tolerated_m2, 1, lang), "limit": number(facts.finished_m2, 1, lang)}
    return [_column.paragraph(word("tolerated", lang, **told), size=7.5, after=2.0)]


def depths(facts: Facts, lang: str) -> list[_column.Block]:
    """Cleared m² by recorded depth."""
    table = facts.depths()
    whole = float(table["m2"].sum())
    rows = []
    share = _depth_shares(table, lang)
    for r in table.to_dict("records") if whole > 0 else ():
        depth = number(r["depth_cm"], 0, lang) if pd.notna(r["depth_cm"]) else word("not_stated", lang)
        rows.append((depth, square_metres(r["m2"], lang, "cleared"), number(share[depth], 1, lang)))
    head = [word("col_depth", lang), sheet_word("m2", lang), word("col_share", lang)]
    return _table(word("depth", lang), head, rows, (2, 1, 1), lang)


def _depth_shares(table: Any, lang: str) -> dict[str, float]:
    """Percent of the cleared ground by depth as it is printed; together 100.0."""
    said = [number(d, 0, lang) if pd.notna(d) else word("not_stated", lang) for d in table["depth_cm"]]
    sums: dict[str, float] = {}
    for name, area in zip(said, table["m2"], strict=True):
        sums[name] = sums.get(name, 0.0) + float(area)
    return figures.shares(float(table["m2"].sum()), sums)


def boundary(task: Task, lang: str) -> list[_column.Block]:
    """Turning points in MGRS, UTM and degrees, with bearings and ground distances."""
    points = _frame.turning_points(task.shape)
    table = _contents.point_list(task, points, _frame.point_table(points, task.norths, task.crs))
    norths = task.norths
    note = (
        f"{task.crs.name}, {_crs.label(task.crs)} · {sheet_word('convergence', lang)} {angle(norths.convergence, lang)} · "
        f"{sheet_word('declination', lang)} {angle(norths.declination, lang)} WMM {norths.day.isoformat()} · {sheet_word('scale_factor', lang)} {plain(norths.scale_factor, 5, lang)}"
    )
    first = _column.paragraph(note, size=6.4, color=_column.QUIET, after=1)
    return [
        *_column.section(word("boundary", lang), [_column.together(first, *table[:2])]),
        *_column.continued(word("continued", lang, title=word("boundary", lang)), table[2:], table[:1]),
        _column.space(3),
    ]


def finds(facts: Facts, lang: str) -> list[_column.Block]:
    """Explosive ordnance found, with depth and place."""
    if not len(facts.finds):
        return _column.section(word("finds", lang), [_column.paragraph(word("no_finds", lang), size=7.5, after=3)])
    category = vocabulary("find_category")
    rows = []
    counts: dict[str, int] = {}
    for r in facts.finds.to_dict("records"):
        key = str(r["category"]) if isinstance(r.get("category"), str) else "unknown"
        qty = 1 if pd.isna(r.get("qty")) else int(r["qty"])
        counts[key] = counts.get(key, 0) + qty
        place = str(_crs.to_mgrs(r["lon"], r["lat"])) if np.isfinite(r["lon"]) else "–"
        rows.append(
            (
                clean(r["id"], 28),
                category.label(key, lang),
                clean(r.get("model"), 24) or "–",
                str(qty),
                number(r.get("depth_cm"), 0, lang),
                day(r.get("date")),
                place,
            )
        )
    totals = " · ".join(f"{category.label(k, lang)}: {v}" for k, v in sorted(counts.items()))
    head = ["", *(word(k, lang) for k in ("col_category", "col_model", "col_qty", "col_depth", "col_date")), "MGRS"]
    return _table(word("finds", lang), head, rows, (1.6, 2.2, 1.6, 0.7, 1.1, 1.4, 2.2), lang, note=totals)


def accidents(facts: Facts, lang: str) -> list[_column.Block]:
    """Accidents on the ground of the task or linked to it, whatever their date; empty where there are none."""
    rows = [
        (
            clean(r["id"], 28), day(r.get("date")), term("accident_cause", r.get("cause"), lang, vocabulary("accident_cause").label("unknown", lang)),
            number(r.get("killed"), 0, lang), number(r.get("injured"), 0, lang),
        )
        for r in facts.accidents.to_dict("records")
    ]  # fmt: skip
    if not rows:
        return []
    head = ["", *(word(k, lang) for k in ("col_date", "col_type", "col_killed", "col_injured"))]
    return _table(word("accidents", lang), head, rows, (1.6, 1.4, 2.4, 1.0, 1.0), lang)


def activities(facts: Facts, lang: str) -> list[_column.Block]:
    """Activities, assets, days, people and hours."""
    rows = []
    for r in facts.activities.to_dict("records"):
        who = ", ".join(clean(r.get(c), 36) for c in ("organisation", "team", "asset") if clean(r.get(c)))
        kind = " · ".join(
            vocabulary(v).label(str(r[c]), lang)
            for v, c in (("activity_type", "type"), ("method", "method"))
            if isinstance(r.get(c), str)
        )
        rows.append(
            (
                clean(r["id"], 24),
                kind,
                who,
                f"{day(r.get('start'))} – {day(r.get('end'))}",
                number(r.get("workers"), 0, lang),
                number(r.get("hours"), 0, lang),
            )
        )
    head = ["", *(word(k, lang) for k in ("col_type", "col_org", "col_days", "col_workers", "col_hours"))]
    return _table(word("activities", lang), head, rows, (1.5, 2.6, 2.6, 2.2, 0.9, 0.9), lang)


def swath(lines: Sequence[str], lang: str) -> list[_column.Block]:
    """What the tracks show, sentence by sentence."""
    return (
        [
            *_column.section(
                word("swath", lang), [_column.paragraph(clean(t, 400), size=7.5, after=0.8) for t in lines]
            ),
            _column.space(2),
        ]
        if lines
        else []
    )


def inspections(facts: Facts, lang: str) -> list[_column.Block]:
    """Quality inspections and their results."""
    rows = [
        (
            clean(r["id"], 24), day(r.get("date")), term("inspection_result", r.get("result"), lang),
            term("nonconformity", r.get("nonconformity"), lang), clean(r.get("inspector"), 40) or "–",
        )
        for r in facts.samples.to_dict("records")
    ]  # fmt: skip
    head = ["", *(word(k, lang) for k in ("col_date", "col_result", "col_nonconformity", "col_org"))]
    return _table(word("inspections", lang), head, rows, (1.5, 1.3, 1.3, 1.6, 2.2), lang)


def _said(code: str, message: Any, lang: str) -> str:
    """What an issue says, its title first: that is in the report's language even where the sentence is not."""
    title = text(code, "title", lang)
    return f"{title}: {clean(message, 400)}" if title else clean(message, 400)


def issues(facts: Facts, lang: str) -> list[_column.Block]:
    """Open issues of the data that concern the task."""
    table = facts.issues
    rows = [
        (
            vocabulary("severity").label(str(r.severity), lang),
            str(r.check),
            clean(r.id, 24),
            _said(str(r.check), r.message, lang),
        )
        for r in table.head(ISSUES_SHOWN).itertuples()
    ]
    more = sheet_word("more", lang, n=len(table) - ISSUES_SHOWN) if len(table) > ISSUES_SHOWN else ""
    blocks = _column.text_table([("", "", "", ""), *rows] if rows else [], (1.5, 0.85, 1.45, 6.0))
    body = blocks[1:] or [_column.paragraph(word("none", lang), size=7.5, after=3)]
    title = word("issues", lang)
    return [
        *_column.section(title, body[:1]),
        *_column.continued(word("continued", lang, title=title), body[1:]),
        *([_column.paragraph(more, size=7)] if more else []),
        _column.space(3),
    ]


def signatures(lang: str, *, certificate: bool) -> list[_column.Block]:
    """Places to sign."""
    roles = ["sign_team", "sign_quality", "sign_authority", *(["sign_owner"] if certificate else [])]

    def block(role: str) -> _column.Block:
        def write(page: Axes, left: float, top: float, width: float) -> None:
            page.text(left, top - 2, word(role, lang), fontsize=8, fontweight="bold", va="top", color=_column.INK)
            page.plot([left, left + width * 0.75], [top - 19, top - 19], color=_column.INK, linewidth=0.5)
            page.text(left, top - 20, word("name_date", lang), fontsize=6, va="top", color=_column.QUIET)

        return _column.Block(lambda _: 26.0, write)

    places = _column.side_by_side([block(role) for role in roles], gap=8.0, across=2 if certificate else 3)
    return [_column.together(*_column.section(word("signatures", lang), places))]


def provenance(survey: Any, manifest: dict[str, Any], digest: str, lang: str) -> list[_column.Block]:
    """Inputs with hashes, the manifest's hash and its code."""
    rows = [
        (
            clean(item.name, 44),
            item.sha256[:8] + "…",
            number(item.rows, 0, lang) if item.rows is not None else "",
            clean(" · ".join(part for part in (item.crs, item.operation) if part), 40),
        )
        for item in survey.inputs
    ]
    made = _column.paragraph(
        f"geotools {version()} · {manifest['created']} · {sheet_word('as_of', lang)}: {manifest['as_of'] or survey.information_day or '–'}",
        size=7,
        after=1.0,
    )
    said = _column.paragraph(f"{word('manifest', lang)}: {digest}", size=6, after=1.5)
    files = _column.side_by_side(_column.text_table(rows, (2.7, 1.6, 1.05, 1.7), size=5.6), gap=3.0)
    beside, more = files[:WHOLE], files[WHOLE:]
    right = _column.together(made, said, *beside)

    def seal(page: Axes, left: float, top: float, width: float) -> None:
        _code(page, left - 2.5, top - 29, 30.0, f"sha256:{digest}")
        right.draw(page, left + 32, top, width - 32)

    title = word("provenance", lang)
    block = _column.Block(lambda width: max(31.0, right.height(width - 32)) + 1.0, seal)
    return [*_column.section(title, [block]), *_column.continued(word("continued", lang, title=title), more)]


def _code(page: Axes, left: float, bottom: float, size: float, text: str) -> None:
    """A QR code drawn as filled cells, so that it stays sharp on paper."""
    matrix = [[bool(cell) for cell in row] for row in need("segno", "report").make(text, error="m", micro=False).matrix]
    cell = size / (len(matrix) + 8)
    for n, row in enumerate(matrix):
        start = None
        for m, dark in enumerate([*row, False]):
            if dark and start is None:
                start = m
            elif not dark and start is not None:
                page.add_patch(
                    Rectangle(
                        (left + (start + 4) * cell, bottom + size - (n + 5) * cell),
                        (m - start) * cell,
                        cell * 1.02,
                        facecolor="black",
                        edgecolor="none",
                    )
                )
                start = None
