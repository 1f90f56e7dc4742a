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
from geotools.maps.sheet.phrase import clean
from geotools.maps.sheet.phrase import word as sheet_word
from geotools.maps.sheet.task import Task
from geotools.model.errors import MapError, need
from geotools.model.provenance import Provenance, now, version

PAGE = (210.0, 297.0)
BODY: Box = (18.0, 20.0, 174.0, 250.0)
PHOTO = 112.0  # mm, the highest


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
    """A finished report.

    Attributes
    ----------
    id, title
        The hazard, and what the report is called: completion, progress or handover.
    complete, reasons
        False if anything in the records speaks against completion, and what.
    manifest
        What `digest` seals.
    figures
        The pages.
    chapters
        Title of each and the page it begins on, from 0.

    Examples
    --------
    >>> import geotools as gt  # doctest: +SKIP
    >>> report = gt.report.build(survey, "FZ-0097", gt.coverage(survey.hazards, survey.releases))  # doctest: +SKIP
    >>> report.complete, report.reasons  # doctest: +SKIP
    """

    id: str
    title: str
    complete: bool
    reasons: tuple[str, ...]
    manifest: dict[str, Any] = field(repr=False)
    figures: tuple[Figure, ...] = field(repr=False, default=())
    chapters: tuple[tuple[str, int], ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, as printed and in the code on the last page."""
        return _digest(self.manifest)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the PDF with bookmarks; it holds the time it was made, which ``SOURCE_DATE_EPOCH`` fixes.

        Raises
        ------
        MapError
            If the ending is not .pdf.
        WriteError
            If it exists or cannot be written.
        """
        target = Path(path)
        if target.suffix.lower() != ".pdf":
            raise MapError("a report is written as .pdf", hint="give -o a name that ends in .pdf", file=target)
        writer = need("pypdf", "report").PdfWriter()
        stream = io.BytesIO()
        about = {
            "Title": self.title,
            "Creator": f"geotools {version()}",
            "Producer": None,
            "CreationDate": now().replace(tzinfo=None),
        }
        with mpl.rc_context(RC), PdfPages(stream, metadata=about) as book:
            for figure in self.figures:
                book.savefig(figure)
        writer.append(io.BytesIO(stream.getvalue()), import_outline=False)
        for title, page in self.chapters:
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
    reasons = tuple(facts.reasons(lang))
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
        certificate = bool(choices.get("certificate"))
        photos = _photos(choices.get("photos") or (), lang)
        text = [
            ("summary", [*_chapters.head(task, title, reasons, lang), *area_blocks(task), *_chapters.tolerated(facts, lang), *_chapters.ledger(facts, lang), *_chapters.depths(facts, lang)]),
            ("boundary", _chapters.boundary(task, lang)),
            ("finds", [*_chapters.accidents(facts, lang), *_chapters.finds(facts, lang), *_chapters.activities(facts, lang), *_chapters.swath(choices.get("swath") or (), lang), *_chapters.inspections(facts, lang)]),
            ("issues", _chapters.issues(facts, lang)),
            *([("photos", photos)] if photos else []),
            ("signatures", [*_chapters.signatures(lang, certificate=certificate), *_chapters.provenance(survey, manifest, _digest(manifest), lang)]),
        ]  # fmt: skip
        pages = _Pages(title, _digest(manifest), lang)
        starts = pages.set(text, sheet.figures)
    chapters = tuple((word(key, lang), starts[key]) for key in ("summary", "map", *(k for k, _ in text[1:])))
    return Report(hazard_id, title, not reasons, reasons, manifest, tuple(pages.figures), chapters)


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
    figures: list[Figure] = field(default_factory=list)

    def set(self, chapters: Sequence[tuple[str, Sequence[_column.Block]]], drawn: Sequence[Figure]) -> dict[str, int]:
        """Chapters one after the other, each page filled; the sheets `drawn` follow the page on which the first chapter ends.

        Returns the page each chapter begins on, and ``map`` that of the first sheet.
        """
        rest = [block for _, blocks in chapters for block in blocks]
        edges = np.cumsum([0, *(len(blocks) for _, blocks in chapters)])
        starts: dict[str, int] = {}
        done = 0
        while rest:
            page = self.blank()
            here, before = len(self.figures) - 1, len(rest)
            rest = _column.flow(page, (BODY,), rest)
            if len(rest) == before:
                raise MapError("a block of text is higher than the page")
            done += before - len(rest)
            for (key, _), first in zip(chapters, edges, strict=False):
                if first < done:
                    starts.setdefault(key, here)
            if done >= edges[1] and "map" not in starts:
                starts["map"] = len(self.figures)
                self.figures += drawn
        return starts

    def blank(self) -> Axes:
        """A new page in the run; its number is its place in the file."""
        figure = Figure(figsize=(PAGE[0] * MM, PAGE[1] * MM))
        self.figures.append(figure)
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
            f"{sheet_word('page', self.lang)} {len(self.figures)}",
            ha="right",
            va="bottom",
            **small,
        )
        page.text(left, bottom - 6.5, word("statement", self.lang), ha="left", va="top", **{**small, "fontsize": 5.4})
        page.text(left, bottom - 10, f"SHA-256 {self.digest[:16]}…", ha="left", va="top", **{**small, "fontsize": 5.4})
        return page


def _photos(files: Sequence[str | Path], lang: str) -> list[_column.Block]:
    """Photographs with their names, as wide as the text or as high as two of them fill a page."""
    if not files:
        return []
    blocks = [_photo(file) for file in files]
    return _column.section(word("photos", lang), blocks)


def _photo(file: str | Path) -> _column.Block:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
            picture.thumbnail((1600, 1600))
    except (OSError, UnidentifiedImageError) as error:
        raise MapError("this photograph cannot be read", hint="give JPEG or PNG files", file=file) from error
    pixels, ratio = np.asarray(picture), picture.height / picture.width

    def size(width: float) -> tuple[float, float]:
        high = min(width * ratio, PHOTO)
        return high / ratio, high

    def draw(page: Axes, left: float, top: float, width: float) -> None:
        wide, high = size(width)
        page.imshow(pixels, extent=(left, left + wide, top - high, top), aspect="auto", zorder=1)
        name = clean(Path(file).name, 90)
        page.text(left, top - high - 1.5, name, fontsize=7, va="top", color=_column.QUIET, parse_math=False)

    return _column.Block(lambda width: size(width)[1] + 7.0, draw)
