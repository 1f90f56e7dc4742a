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

from geotools.io.atomic import replacing
from geotools.maps.report import chapters as _chapters
from geotools.maps.report.facts import Facts, word
from geotools.maps.sheet import column as _column
from geotools.maps.sheet import draw as draw_sheet
from geotools.maps.sheet.compose import MM, RC
from geotools.maps.sheet.contents import areas as area_blocks
from geotools.maps.sheet.paper import Box
from geotools.maps.sheet.phrase import clean, number
from geotools.maps.sheet.phrase import word as sheet_word
from geotools.maps.sheet.task import Task
from geotools.model.errors import MapError, need
from geotools.model.provenance import Provenance, now, version

PAGE = (210.0, 297.0)
BODY: Box = (18.0, 20.0, 174.0, 250.0)


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
    merely machine-processed, every cleared area has its depth, no accident is recorded on it, no inspection failed or found a
    critical or major non-conformity, and no data error is open.

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
            (word("summary", lang), pages.set([*_chapters.head(task, title, reasons, lang), *area_blocks(task), *_chapters.tolerated(facts, lang), *_chapters.ledger(facts, lang), *_chapters.depths(facts, lang)])),
            (word("map", lang), tuple(sheet.figures)),
            (word("boundary", lang), pages.set(_chapters.boundary(task, lang))),
            (word("finds", lang), pages.set([*_chapters.accidents(facts, lang), *_chapters.finds(facts, lang), *_chapters.activities(facts, lang), *_chapters.swath(choices.get("swath") or (), lang), *_chapters.inspections(facts, lang)])),
            (word("issues", lang), pages.set(_chapters.issues(facts, lang))),
            *_photos(choices.get("photos") or (), pages, lang),
            (word("signatures", lang), pages.set([*_chapters.signatures(lang, certificate=bool(choices.get("certificate"))), *_chapters.provenance(survey, manifest, _digest(manifest), lang)])),
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
