"""The task card: one task on one A4 page that a team folds into a pocket, map above and facts below.

For field packages; sheets of any size and atlases are in `compose` and `atlas`. Nothing is cut: what finds no room is left out whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes

from geotools.maps.sheet import column as _column
from geotools.maps.sheet import contents as _contents
from geotools.maps.sheet import frame as _frame
from geotools.maps.sheet import paper as _paper
from geotools.maps.sheet import scene as _scene
from geotools.maps.sheet.compose import RC, Sheet, _page
from geotools.maps.sheet.phrase import word
from geotools.maps.sheet.task import Choices, Task
from geotools.model.errors import MapError

WIDTH, HEIGHT = 210.0, 297.0
FRAME = (17.0, 132.0, 176.0, 148.0)
COLUMNS = tuple((10.0 + n * 65.0, 10.0, 60.0, 109.0) for n in range(3))


def card(
    survey: Any, hazard_id: str, coverage: Any = None, *, elsewhere: str = "", **choices: Unpack[Choices]
) -> Sheet:
    """One page about one hazard or task: map at true scale, areas, legend, norths and the turning points.

    Parameters
    ----------
    survey, hazard_id, coverage
        As for `draw`.
    elsewhere
        What is said where the turning points find no room, e.g. in which file they are.
    **choices
        See `Choices`; the paper is always A4 upright.

    Returns
    -------
    Sheet
        One page.

    Raises
    ------
    MapError
        If the hazard is unknown, has no polygon, or is larger than the page holds at the smallest scale.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from geotools.survey import Survey
    >>> hazards = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs=4326)
    >>> survey = Survey("Sample (synthetic)", {"hazards": hazards})

    >>> made = card(survey, "H-1")
    >>> made.paper, len(made.figures)
    ('A4', 1)
    """
    task = Task.of(survey, hazard_id, coverage, choices)
    scale = _scale(task.shape.bounds, choices.get("scale"))
    with mpl.rc_context(RC):
        return _compose(task, scale, choices, elsewhere)


def _scale(bounds: tuple[float, float, float, float], wanted: int | None) -> int:
    """The largest scale that holds the task with a margin."""
    west, south, east, north = bounds
    need = np.array([max(east - west, 20.0), max(north - south, 20.0)]) * 1.15
    for scale in (wanted,) if wanted else _paper.SCALES:
        if (np.array(FRAME[2:]) / 1000 * scale >= need).all():
            return int(scale)
    raise MapError(f"{need[0]:.0f} × {need[1]:.0f} m do not fit on a card", hint="make a sheet on larger paper")


def _set(page: Axes, plan: Sequence[Sequence[_column.Block]], foot: Sequence[_column.Block]) -> bool:
    """Set the parts one after the other through the columns; False if they find no room."""
    whole = [block for part in plan for block in part]
    if not _column.fits(COLUMNS, whole, foot=foot):
        return False
    _column.flow(page, COLUMNS, whole, foot=foot)
    return True


def _compose(task: Task, scale: int, choices: Choices, elsewhere: str) -> Sheet:
    place = _paper.Layout("A4", WIDTH, HEIGHT, FRAME, COLUMNS)
    figure, page = _page(place)
    left, bottom, width, height = FRAME
    axes = figure.add_axes((left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT))
    middle = np.mean(np.reshape(task.shape.bounds, (2, 2)), axis=0)
    half = np.array(place.extent(scale)) / 2
    west, south, east, north = (float(v) for v in (*(middle - half), *(middle + half)))
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_autoscale_on(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor("#fbfaf6")
    legend: dict[str, _scene.Swatch] = {}
    step = _scene.draw_ground(axes, task, shapely.box(west, south, east, north), scale, legend)
    _frame.grid(axes, (west, south, east, north), scale)
    rows = []
    if choices.get("points", True):
        points = _frame.turning_points(task.shape)
        _frame.point_labels(axes, points, task.shape, scale)
        legend[word("turning_point", task.lang)] = _scene.dot_swatch()
        rows = _contents.points(_frame.point_table(points, task.norths, task.crs), task.lang)
    ground = task.hazard_ground(shapely.box(west, south, east, north))
    spot = _frame.bar_corner(FRAME, (west, south, east, north), scale, ground)
    _frame.scale_bar(page, *spot, scale, lang=task.lang)
    head = [*_contents.title(task), *_contents.areas(task)]
    signs, norths = _contents.legend(legend, task.lang), _contents.references(task, scale, step)
    note = [_column.paragraph(elsewhere, size=7)] if elsewhere and rows else []
    foot = _contents.closing(task)
    plans: tuple[tuple[Sequence[_column.Block], ...], ...] = (
        ([*head, *signs], norths, rows),
        (head, [*signs, *norths], rows),
        ([*head, *signs], norths, note),
        (head, norths, note),
        (head, norths, []),
    )
    if not any(_column.apart(page, COLUMNS, plan, foot=foot) for plan in plans[:2]) and not any(
        _set(page, plan, foot) for plan in plans
    ):
        raise MapError("the facts of this task do not fit on a card", hint="make a sheet, which may have several pages")
    return Sheet(str(task.row["id"]), "A4", scale, (figure,), task.crs, FRAME, (west, south, east, north))
