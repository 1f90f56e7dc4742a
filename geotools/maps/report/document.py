"""`build` sets the facts of a task on numbered pages; `Report` holds them and saves one PDF with bookmarks.

For the order and form of the report; what it says is gathered in `facts`.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, Unpack

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from geotools.io.atomic import replacing
from geotools.maps.report.facts import Facts, word
from geotools.maps.sheet import column as _column
from geotools.maps.sheet import draw as draw_sheet
from geotools.maps.sheet import frame as _frame
from geotools.maps.sheet.compose import MM, RC
from geotools.maps.sheet.contents import areas as area_blocks
from geotools.maps.sheet.paper import Box
from geotools.maps.sheet.phrase import clean, day, number
from geotools.maps.sheet.phrase import word as sheet_word
from geotools.maps.sheet.task import Task
from geotools.model.errors import MapError, need
from geotools.model.provenance import Provenance, now, version
from geotools.model.vocab import vocabulary
from geotools.space import crs as _crs

PAGE = (210.0, 297.0)
BODY: Box = (18.0, 20.0, 174.0, 250.0)
ISSUES_SHOWN = 40


class Choices(TypedDict, total=False):
    """``lang``; ``issues`` an ISSUES table; ``certificate`` for a handover certificate; ``photos`` image files;
    ``swath`` lines of text about coverage by tracks; ``theme``; ``paper`` of the map page."""

    lang: str
    issues: Any
    certificate: bool
    photos: Sequence[str | Path]
    swath: Sequence[str]
    theme: str | Path
    paper: str


@dataclass(frozen=True)
class Report:
    """A finished report. `complete` is False if anything in the records speaks against completion; `reasons` says what."""

    id: str
    title: str
    complete: bool
    reasons: tuple[str, ...]
    manifest: dict[str, Any] = field(repr=False)
    chapters: tuple[tuple[str, tuple[Figure, ...]], ...] = field(repr=False, default=())

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, as printed and in the code on the last page."""
        return _digest(self.manifest)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the PDF with bookmarks; the same report gives the same bytes.

        Raises
        ------
        MapError
            If the ending is not .pdf.
        WriteError
            If it exists or cannot be written.
        """
        target = Path(path)
        if target.suffix.lower() != ".pdf":
            raise MapError("a report is written as .pdf", file=target)
        writer = need("pypdf", "report").PdfWriter()
        stream = io.BytesIO()
        about = {
            "Title": self.title,
            "Creator": f"geotools {version()}",
            "Producer": None,
            "CreationDate": now().replace(tzinfo=None),
        }
        starts: list[tuple[str, int]] = []
        with mpl.rc_context(RC), PdfPages(stream, metadata=about) as book:
            count = 0
            for title, figures in self.chapters:
                starts.append((title, count))
                for figure in figures:
                    book.savefig(figure)
                    count += 1
        writer.append(io.BytesIO(stream.getvalue()), import_outline=False)
        for title, page in starts:
            writer.add_outline_item(title=title, page_number=page)
        writer.add_metadata(
            {
                "/Title": self.title,
                "/Creator": f"geotools {version()}",
                "/Producer": "geotools",
                "/CreationDate": now().strftime("D:%Y%m%d%H%M%SZ"),
            }
        )
        with replacing(target, overwrite=overwrite) as temporary:
            writer.write(temporary)
        return target


def build(survey: Any, hazard_id: str, coverage: Any, **choices: Unpack[Choices]) -> Report:
    """The report of one task.

    It is titled a completion report only if nothing in the records speaks against completion: no ground remains, none is
    merely machine-processed, every cleared area has its depth, no critical non-conformity and no data error is open.

    Parameters
    ----------
    survey
        A Survey.
    hazard_id
        The hazard.
    coverage
        Its ledger (`geotools.coverage`).
    **choices
        See `Choices`.

    Raises
    ------
    MapError
        If the hazard is unknown or has no polygon.
    MissingLibraryError
        If the extra ``report`` is not installed.

    Examples
    --------
    >>> import geotools as gt  # doctest: +SKIP
    >>> gt.report.build(survey, "FZ-0097", coverage, lang="az").save("FZ-0097.pdf")  # doctest: +SKIP
    """
    lang = choices.get("lang") or survey.programme.languages[0]
    issues = choices.get("issues")
    facts = Facts.of(survey, hazard_id, coverage, coverage.issues if issues is None else issues)
    reasons = tuple(facts.reasons(lang, number))
    kind = "progress" if reasons else "handover" if choices.get("certificate") else "completion"
    title = f"{word(kind, lang)} {clean(hazard_id, 40)}"
    manifest = _manifest(survey, hazard_id, coverage)
    with mpl.rc_context(RC):
        sheet = draw_sheet(
            survey,
            hazard_id,
            coverage,
            lang=lang,
            paper=choices.get("paper", "A4"),
            theme=choices.get("theme", "safe"),
            points=False,
        )
        task = Task.of(survey, hazard_id, coverage, {"lang": lang})
        pages = _Pages(title, _digest(manifest), lang)
        chapters = [
            (word("summary", lang), pages.set([*_head(task, title, reasons, lang), *area_blocks(task), *_ledger(facts, lang), *_depths(facts, lang)])),
            (word("map", lang), tuple(sheet.figures)),
            (word("boundary", lang), pages.set(_boundary(task, lang))),
            (word("finds", lang), pages.set([*_finds(facts, lang), *_activities(facts, lang), *_swath(choices.get("swath") or (), lang), *_inspections(facts, lang)])),
            (word("issues", lang), pages.set(_issues(facts, lang))),
            *_photos(choices.get("photos") or (), pages, lang),
            (word("signatures", lang), pages.set([*_signatures(lang, certificate=bool(choices.get("certificate"))), *_provenance(survey, manifest, lang)])),
        ]  # fmt: skip
    return Report(hazard_id, title, not reasons, reasons, manifest, tuple(chapters))


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _manifest(survey: Any, hazard_id: str, coverage: Any) -> dict[str, Any]:
    line = coverage.table[coverage.table["id"] == hazard_id].iloc[0]
    figures = {c: round(float(line[c]), 3) for c in line.index if c.endswith("_m2") and pd.notna(line[c])}
    about = Provenance(
        "report", survey.inputs, {"hazard_id": hazard_id, "priority": coverage.priority}, coverage.as_of
    ).to_dict()
    return {**about, "figures": figures}


@dataclass
class _Pages:
    """A run of numbered pages with a running head and foot."""

    title: str
    digest: str
    lang: str
    count: int = 0

    def set(self, blocks: Sequence[_column.Block]) -> tuple[Figure, ...]:
        rest, figures = list(blocks), []
        while rest:
            figure, page = self.blank()
            before = len(rest)
            rest = _column.flow(page, (BODY,), rest)
            if len(rest) == before:
                raise MapError("a block of text is higher than the page")
            figures.append(figure)
        return tuple(figures)

    def blank(self) -> tuple[Figure, Axes]:
        self.count += 1
        figure = Figure(figsize=(PAGE[0] * MM, PAGE[1] * MM))
        page = figure.add_axes((0, 0, 1, 1))
        page.set_xlim(0, PAGE[0])
        page.set_ylim(0, PAGE[1])
        page.set_axis_off()
        left, bottom, width, height = BODY
        page.plot([left, left + width], [bottom + height + 7, bottom + height + 7], color=_column.INK, linewidth=0.4)
        page.plot([left, left + width], [bottom - 5, bottom - 5], color=_column.INK, linewidth=0.4)
        small: dict[str, Any] = {"fontsize": 6.5, "color": _column.QUIET, "parse_math": False}
        page.text(left, bottom + height + 8.5, self.title, ha="left", va="bottom", **small)
        page.text(
            left + width,
            bottom + height + 8.5,
            f"{sheet_word('page', self.lang)} {self.count}",
            ha="right",
            va="bottom",
            **small,
        )
        page.text(left, bottom - 6.5, word("statement", self.lang), ha="left", va="top", **{**small, "fontsize": 5.4})
        page.text(left, bottom - 10, f"SHA-256 {self.digest[:16]}…", ha="left", va="top", **{**small, "fontsize": 5.4})
        return figure, page


def _head(task: Task, title: str, reasons: Sequence[str], lang: str) -> list[_column.Block]:
    row = task.row
    named = [
        vocabulary(v).label(str(row[c]), lang)
        for v, c in (("classification", "classification"), ("hazard_status", "status"))
        if isinstance(row.get(c), str)
    ]
    threats = [vocabulary("contamination").label(k, lang) for k in str(row.get("contamination") or "").split(",") if k]
    where = " · ".join(clean(row.get(c)) for c in ("place", "admin2", "admin1", "country") if clean(row.get(c)))
    as_of = getattr(task.coverage, "as_of", None) or task.norths.day
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
) -> list[_column.Block]:
    if not rows:
        return _column.section(title, [_column.paragraph(word("none", lang), size=7.5, after=3)])
    lines = _column.ruled_table([head, *rows], shares)
    first = [_column.paragraph(note, size=6.4, color=_column.QUIET, after=1)] if note else []
    return [*_column.section(title, [_column.together(*first, *lines[:2])]), *lines[2:], _column.space(3)]


def _ledger(facts: Facts, lang: str) -> list[_column.Block]:
    rows = []
    for r in facts.releases.to_dict("records"):
        who = ", ".join(clean(r.get(c), 40) for c in ("organisation", "team") if clean(r.get(c)))
        depth = number(r.get("depth_cm"), 0, lang)
        counted = str(r.get("counted_as") or r["product"] or "")
        product = (
            vocabulary("product").label(counted, lang)
            if counted in vocabulary("product")
            else sheet_word("processed", lang)
            if counted == "processed"
            else clean(counted)
        )
        method = vocabulary("method").label(str(r.get("method") or ""), lang)
        rows.append(
            (clean(r["id"], 30), product, method, day(r.get("date")), who, depth, number(r["here_m2"], 0, lang))
        )
    if rows:
        rows.append((word("total", lang), "", "", "", "", "", number(float(facts.releases["here_m2"].sum()), 0, lang)))
    head = [
        word(k, lang)
        for k in ("col_release", "col_product", "col_method", "col_date", "col_org", "col_depth", "col_m2")
    ]
    return _table(
        word("ledger", lang), head, rows, (2.0, 2.0, 2.0, 1.6, 3.4, 1.3, 1.5), lang, note=word("ledger_note", lang)
    )


def _depths(facts: Facts, lang: str) -> list[_column.Block]:
    table = facts.depths()
    whole = float(table["m2"].sum())
    rows = []
    for r in table.to_dict("records") if whole > 0 else ():
        depth = number(r["depth_cm"], 0, lang) if pd.notna(r["depth_cm"]) else word("not_stated", lang)
        rows.append((depth, number(r["m2"], 0, lang), number(100 * r["m2"] / whole, 1, lang)))
    head = [word("col_depth", lang), sheet_word("m2", lang), word("col_share", lang)]
    return _table(word("depth", lang), head, rows, (2, 1, 1), lang)


def _boundary(task: Task, lang: str) -> list[_column.Block]:
    points = _frame.turning_points(task.shape)
    rows = _frame.point_table(points, task.norths, task.crs)
    lon, lat = _crs.transformer(task.crs.to_wkt(), "EPSG:4326").transform(points[:, 1], points[:, 2])
    squares = np.atleast_1d(_crs.to_mgrs(np.asarray(lon), np.asarray(lat)))
    lines = [
        (
            r[0],
            str(square),
            f"{r[1]:.1f}",
            f"{r[2]:.1f}",
            f"{y:.7f}",
            f"{x:.7f}",
            number(r[3], 1, lang),
            number(r[4], 1, lang),
            number(r[5], 1, lang),
        )
        for r, square, x, y in zip(rows, squares, lon, lat, strict=True)
    ]
    head = [
        sheet_word("col_point", lang),
        "MGRS",
        "E",
        "N",
        "lat",
        "lon",
        sheet_word("col_grid", lang),
        sheet_word("col_magnetic", lang),
        sheet_word("col_next", lang),
    ]
    norths = task.norths
    note = (
        f"{task.crs.name}, {_crs.label(task.crs)} · {sheet_word('convergence', lang)} {norths.convergence:+.2f}° · "
        f"{sheet_word('declination', lang)} {norths.declination:+.2f}° WMM {norths.day.isoformat()} · {sheet_word('scale_factor', lang)} {norths.scale_factor:.5f}"
    )
    table = _column.mono_table([head, *lines], left=2)
    first = _column.paragraph(note, size=6.4, color=_column.QUIET, after=1)
    return [
        *_column.section(word("boundary", lang), [_column.together(first, *table[:2])]),
        *table[2:],
        _column.space(3),
    ]


def _finds(facts: Facts, lang: str) -> list[_column.Block]:
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


def _activities(facts: Facts, lang: str) -> list[_column.Block]:
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


def _swath(lines: Sequence[str], lang: str) -> list[_column.Block]:
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


def _inspections(facts: Facts, lang: str) -> list[_column.Block]:
    rows = [
        (
            clean(r["id"], 24), day(r.get("date")), vocabulary("inspection_result").label(str(r.get("result") or ""), lang) or "–",
            vocabulary("nonconformity").label(str(r.get("nonconformity") or ""), lang) or "–", clean(r.get("inspector"), 40) or "–",
        )
        for r in facts.samples.to_dict("records")
    ]  # fmt: skip
    head = ["", *(word(k, lang) for k in ("col_date", "col_result", "col_nonconformity", "col_org"))]
    return _table(word("inspections", lang), head, rows, (1.5, 1.3, 1.3, 1.6, 2.2), lang)


def _issues(facts: Facts, lang: str) -> list[_column.Block]:
    table = facts.issues
    rows = [
        (vocabulary("severity").label(str(r.severity), lang), str(r.check), clean(r.id, 24), clean(r.message, 150))
        for r in table.head(ISSUES_SHOWN).itertuples()
    ]
    more = sheet_word("more", lang, n=len(table) - ISSUES_SHOWN) if len(table) > ISSUES_SHOWN else ""
    blocks = _column.text_table([("", "", "", ""), *rows] if rows else [], (1.2, 0.9, 1.6, 6.0))
    body = blocks[1:] or [_column.paragraph(word("none", lang), size=7.5, after=3)]
    return [
        *_column.section(word("issues", lang), body),
        *([_column.paragraph(more, size=7)] if more else []),
        _column.space(3),
    ]


def _photos(files: Sequence[str | Path], pages: _Pages, lang: str) -> list[tuple[str, tuple[Figure, ...]]]:
    if not files:
        return []
    from PIL import Image, UnidentifiedImageError

    figures = []
    for turn in range(0, len(files), 2):
        figure, page = pages.blank()
        for place, file in enumerate(files[turn : turn + 2]):
            try:
                with Image.open(file) as opened:
                    picture = opened.convert("RGB")
                    picture.thumbnail((1600, 1600))
            except (OSError, UnidentifiedImageError) as error:
                raise MapError("this photograph cannot be read", hint="give JPEG or PNG files", file=file) from error
            left, bottom, width, height = BODY
            low = bottom + (1 - place) * height / 2 + 8
            box = (left / PAGE[0], low / PAGE[1], width / PAGE[0], (height / 2 - 12) / PAGE[1])
            axes = figure.add_axes(box)
            axes.imshow(np.asarray(picture))
            axes.set_axis_off()
            page.text(left, low - 3, clean(Path(file).name, 90), fontsize=7, color=_column.QUIET, parse_math=False)
        figures.append(figure)
    return [(word("photos", lang), tuple(figures))]


def _signatures(lang: str, *, certificate: bool) -> list[_column.Block]:
    roles = ["sign_team", "sign_quality", "sign_authority", *(["sign_owner"] if certificate else [])]

    def block(role: str) -> _column.Block:
        def write(page: Axes, left: float, top: float, width: float) -> None:
            page.text(left, top - 2, word(role, lang), fontsize=8, fontweight="bold", va="top", color=_column.INK)
            page.plot([left, left + width * 0.75], [top - 19, top - 19], color=_column.INK, linewidth=0.5)
            page.text(left, top - 20, word("name_date", lang), fontsize=6, va="top", color=_column.QUIET)

        return _column.Block(lambda _: 27.0, write)

    return _column.section(word("signatures", lang), [block(role) for role in roles])


def _provenance(survey: Any, manifest: dict[str, Any], lang: str) -> list[_column.Block]:
    digest = _digest(manifest)
    rows = [
        (
            clean(item.name, 44),
            item.sha256[:32] + "…",
            f"{item.rows if item.rows is not None else ''}",
            clean(item.operation or item.crs, 30),
        )
        for item in survey.inputs
    ]
    files = _column.text_table([("", "", "", ""), *rows], (3, 3.4, 0.7, 1.8))[1:] if rows else []
    made = _column.paragraph(
        f"geotools {version()} · {manifest['created']} · {sheet_word('as_of', lang)}: {manifest['as_of'] or '–'}",
        size=7,
        after=1.5,
    )
    code = _column.Block(
        lambda _: 34.0, lambda page, left, top, width: _code(page, left, top - 32, 30.0, f"sha256:{digest}")
    )
    return [
        *_column.section(word("provenance", lang), [made, *files, _column.space(2)]),
        _column.together(code, _column.paragraph(f"{word('manifest', lang)}: {digest}", size=6)),
    ]


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
