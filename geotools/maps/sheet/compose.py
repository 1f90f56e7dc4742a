"""One task on one sheet: `draw` puts the frame, the ground and the column together; `Sheet` holds and saves the pages.

For what a sheet says; how it is set is in `column`, `frame` and `ground`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from geotools.io.atomic import replacing
from geotools.maps.sheet import column as _column
from geotools.maps.sheet import contents as _contents
from geotools.maps.sheet import frame as _frame
from geotools.maps.sheet import paper as _paper
from geotools.maps.sheet import scene as _scene
from geotools.maps.sheet.phrase import clean, word
from geotools.maps.sheet.task import Choices, Task
from geotools.model.errors import MapError
from geotools.model.provenance import now, version

MM = 1 / 25.4
RC: Any = {
    "font.family": _column.FONT,
    "pdf.fonttype": 42,
    "pdf.compression": 6,
    "path.simplify": False,
    "mathtext.default": "regular",
    "text.hinting": "none",
}


@dataclass(frozen=True)
class Sheet:
    """Pages of one task. `figures` are matplotlib figures of the paper's size; `scale` is the denominator of page one."""

    id: str
    paper: str
    scale: int
    figures: tuple[Figure, ...] = field(repr=False)
    crs: Any = field(repr=False, default=None)
    frame_mm: _paper.Box = (0, 0, 0, 0)
    bounds: tuple[float, float, float, float] = (0, 0, 0, 0)

    def save(self, path: str | Path, *, overwrite: bool = False, dpi: int = 200) -> Path:
        """Write a PDF of all pages, or a PNG of the first.

        Raises
        ------
        MapError
            If the ending is neither .pdf nor .png.
        WriteError
            If the file exists or cannot be written.
        """
        return save_pages(self.figures, Path(path), overwrite=overwrite, dpi=dpi, title=self.id)


def save_pages(figures: Sequence[Figure], path: Path, *, overwrite: bool, dpi: int, title: str) -> Path:
    """Write figures as pages of one PDF, or the first as PNG; the bytes depend only on the content and the stated time."""
    ending = path.suffix.lower()
    if ending not in (".pdf", ".png"):
        raise MapError(f"a sheet is written as .pdf or .png, not '{ending}'", file=path)
    with replacing(path, overwrite=overwrite) as temporary, mpl.rc_context(RC):
        if ending == ".png":
            FigureCanvasAgg(figures[0]).print_figure(temporary, dpi=dpi, metadata={"Software": None, "Title": title})
        else:
            about = {
                "Title": title,
                "Creator": f"geotools {version()}",
                "Producer": None,
                "CreationDate": now().replace(tzinfo=None),
            }
            with PdfPages(temporary, metadata=about) as book:
                for figure in figures:
                    book.savefig(figure)
    return path


def draw(survey: Any, hazard_id: str, coverage: Any = None, **choices: Unpack[Choices]) -> Sheet:
    """The map sheet of one hazard or task.

    Parameters
    ----------
    survey
        A Survey (``layers, rasters, programme, inputs``).
    hazard_id
        Key of the hazard the sheet is for.
    coverage
        Its ledger (`geotools.coverage`); computed ground is drawn and printed only if given.
    **choices
        See `Choices`.

    Returns
    -------
    Sheet
        One page with the map, and further pages if the turning points do not fit beside it.

    Raises
    ------
    MapError
        If the hazard is unknown or has no polygon, or does not fit the paper at the scale asked for.

    Examples
    --------
    >>> import geotools as gt  # doctest: +SKIP
    >>> gt.sheet.draw(survey, "FZ-0097", gt.coverage(survey.hazards, survey.releases)).save("FZ-0097.pdf")  # doctest: +SKIP
    """
    task = Task.of(survey, hazard_id, coverage, choices)
    place, scale = _paper.choose(task.shape.bounds, choices.get("paper", "A4"), choices.get("scale"))
    with mpl.rc_context(RC):
        return _compose(task, place, scale, choices)


def _compose(task: Task, place: _paper.Layout, scale: int, choices: Choices) -> Sheet:
    figure, page = _page(place)
    left, bottom, width, height = place.frame
    axes = figure.add_axes((left / place.width, bottom / place.height, width / place.width, height / place.height))
    middle = np.mean(np.reshape(task.shape.bounds, (2, 2)), axis=0)
    half = np.array(place.extent(scale)) / 2
    bounds = (*(middle - half), *(middle + half))
    axes.set_xlim(bounds[0], bounds[2])
    axes.set_ylim(bounds[1], bounds[3])
    axes.set_autoscale_on(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor("#fbfaf6")
    legend: dict[str, _scene.Swatch] = {}
    step = _scene.draw_ground(axes, task, shapely.box(*bounds), scale, legend)
    _frame.grid(axes, bounds, scale)
    points = _frame.turning_points(task.shape)
    _frame.point_labels(axes, points, task.shape, scale)
    legend[word("turning_point", task.lang)] = _scene.dot_swatch()
    _frame.scale_bar(page, left + 5, bottom + 4, scale)
    rows = _frame.point_table(points, task.norths, task.crs) if choices.get("points", True) else []
    blocks = [
        *_contents.title(task), *_contents.areas(task), *_contents.legend(legend, task.lang),
        *_contents.references(task, scale, step), *_contents.locator(task, bounds), *(_contents.points(rows, task.lang) if rows else []),
    ]  # fmt: skip
    rest = _column.flow(page, place.columns, blocks, foot=_contents.closing(task))
    figures = [figure]
    while rest:
        further = _paper.page(place.paper, landscape=place.landscape)
        extra, sheet = _page(further)
        title = _column.paragraph(
            f"{clean(task.row['id'])} · {word('turning_points', task.lang)} ({word('continued', task.lang)})",
            size=8,
            bold=True,
        )
        before = len(rest)
        rest = _column.flow(sheet, further.columns, [title, *rest])
        if len(rest) >= before:
            raise MapError("a block of text is higher than the page")
        figures.append(extra)
    return Sheet(str(task.row["id"]), place.paper, scale, tuple(figures), task.crs, place.frame, bounds)


def _page(place: _paper.Layout) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(place.width * MM, place.height * MM))
    page = figure.add_axes((0, 0, 1, 1), zorder=5)
    page.set_xlim(0, place.width)
    page.set_ylim(0, place.height)
    page.set_axis_off()
    return figure, page
