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
from geotools.maps.sheet import surroundings as _surroundings
from geotools.maps.sheet.phrase import clean, word
from geotools.maps.sheet.task import Choices, Task
from geotools.model.errors import MapError
from geotools.model.provenance import now, version

MM = 1 / 25.4
HEADING = 7.0  # mm that the heading of a locator takes
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
    """Pages of one task.

    Attributes
    ----------
    id, paper
        As asked for.
    scale
        Denominator of the map on the first page.
    figures
        Matplotlib figures of the paper's size, one per page.
    crs, bounds
        UTM zone of the map, and the ground it shows in metres of that zone.
    frame_mm
        Where the map is on the paper, in millimetres.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from geotools.survey import Survey
    >>> hazards = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs=4326)
    >>> survey = Survey("Sample (synthetic)", {"hazards": hazards})

    >>> sheet = draw(survey, "H-1", paper="A4")
    >>> sheet.paper, sheet.scale, len(sheet.figures), sheet.crs.to_epsg()
    ('A4', 1000, 1, 32638)
    """

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
    >>> import tempfile, geopandas as gpd, shapely
    >>> from geotools.survey import Survey
    >>> hazards = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs=4326)
    >>> survey = Survey("Sample (synthetic)", {"hazards": hazards})

    >>> draw(survey, "H-1", scale=1000).save(Path(tempfile.mkdtemp(), "H-1.png"), dpi=50).name
    'H-1.png'
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
    spot = _frame.bar_corner(place.frame, bounds, scale, task.hazard_ground(shapely.box(*bounds)))
    _frame.scale_bar(page, *spot, scale, lang=task.lang)
    alone = choices.get("points", True)  # else within a report, which has the areas and the points itself
    rows = _frame.point_table(points, task.norths, task.crs) if alone else []
    head = [*_contents.title(task), *(_contents.areas(task) if alone else [])]
    signs, norths = _contents.legend(legend, task.lang), _contents.references(task, scale, step)
    first, later = _parted(task, place, [*head, *signs, *norths], (bounds, rows))
    foot = _contents.closing(task, named=not later)
    rest: list[_column.Block] = []
    orders = ((head, signs, norths), (head, norths, signs)) if later and len(place.columns) > 2 else ()
    if not any(_column.apart(page, place.columns, parts, foot=foot) for parts in orders):
        rest = _column.flow(page, place.columns, first, foot=foot)
    figures = [figure]
    if rest or later:
        figures += _further(task, place, [*rest, *later], (bounds, scale))
    return Sheet(str(task.row["id"]), place.paper, scale, tuple(figures), task.crs, place.frame, bounds)


def _parted(
    task: Task, place: _paper.Layout, main: list[_column.Block], more: tuple[Any, Sequence[Any]]
) -> tuple[list[_column.Block], list[_column.Block]]:
    """What stands beside the map, and what goes on to a page of its own: all on one page if there is room for it.

    A sheet of one page has its locator; of two, the turning points over the width of the second, and the surroundings under them.
    """
    bounds, rows = more
    foot = _contents.closing(task)
    table = _contents.points(rows, task.lang) if rows else []
    for height in (27.0, 18.0):
        whole = [*main, *_contents.locator(task, bounds, height=height), *table]
        if _column.fits(place.columns, whole, foot=foot):
            return whole, []
    if not rows:  # a report has room for no second page: its map goes without the locator
        return main, []
    points = _frame.turning_points(task.shape)
    lines = _contents.point_list(task, points, rows)
    note = _column.paragraph(word("distances", task.lang), size=6.4, color=_column.QUIET, after=1.0)
    heading = _column.section(word("turning_points", task.lang), [_column.together(note, *lines[:2])])
    return main, [*heading, *lines[2:], _column.space(2.0), *_contents.sources(task, most=40), _column.space(2.0)]


def _further(task: Task, place: _paper.Layout, rest: list[_column.Block], seen: tuple[Any, int]) -> list[Figure]:
    """Pages of text over the whole width; what is free of the last one is filled by the surroundings of the task."""
    figures = []
    low, margin = _paper.MARGIN, _paper.MARGIN
    box = (margin, low, place.width - 2 * margin, place.height - 2 * margin)
    named = f"{clean(task.row['id'])} · {word('task_map', task.lang)} ({word('continued', task.lang)})"
    title = _column.paragraph(named, size=8, bold=True, after=2.0)
    while rest:
        extra, sheet = _page(place)
        taken = title.height(box[2]) + sum(block.height(box[2]) for block in rest)
        free = box[3] - taken - HEADING
        if free >= _surroundings.LEAST:
            rest = [*rest, _surroundings.surroundings(task, *seen, height=free)]
        before = len(rest)
        rest = _column.flow(sheet, (box,), [title, *rest])
        if len(rest) >= before:
            raise MapError("a block of text is higher than the page")
        figures.append(extra)
    return figures


def _page(place: _paper.Layout) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(place.width * MM, place.height * MM))
    page = figure.add_axes((0, 0, 1, 1), zorder=5)
    page.set_xlim(0, place.width)
    page.set_ylim(0, place.height)
    page.set_axis_off()
    return figure, page
