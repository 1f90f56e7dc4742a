"""Many tasks in one document: an index page with a locator map, then a sheet for each.

For printing a programme; one page at a time is held in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from geotools.io.atomic import replacing
from geotools.maps.sheet import column as _column
from geotools.maps.sheet import frame as _frame
from geotools.maps.sheet import ground as _ground
from geotools.maps.sheet import paper as _paper
from geotools.maps.sheet import surroundings as _surroundings
from geotools.maps.sheet.compose import RC, _page, draw
from geotools.maps.sheet.phrase import clean, number, word
from geotools.maps.sheet.task import Choices
from geotools.maps.symbols import Theme, theme
from geotools.model.errors import MapError
from geotools.model.progress import Progress, tracked
from geotools.model.provenance import now, version
from geotools.model.vocab import vocabulary
from geotools.space import crs as _crs

FAR = 8  # times the median distance: a sheet so far off would make dots of the others

FOOT = 20.0  # mm of the index map for its scale bar and key


def atlas(
    survey: Any,
    path: str | Path,
    *,
    hazard_ids: Sequence[str] | None = None,
    coverage: Any = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **choices: Unpack[Choices],
) -> Path:
    """Write a PDF with an index page and one sheet per hazard.

    Parameters
    ----------
    survey
        A Survey (``layers, rasters, programme, inputs``).
    path
        The file to write, ending in ``.pdf``.
    hazard_ids
        Which hazards, default all with a polygon.
    coverage
        Its ledger, as for `draw`.
    overwrite
        Replace an existing file.
    progress
        Told of each sheet.
    **choices
        As for `draw`; the scale is chosen for each sheet unless given.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MapError
        If `path` does not end in ``.pdf``, no hazard has a polygon, or one does not fit.
    WriteError
        If the file exists or cannot be written; nothing half-written is left.

    Examples
    --------
    >>> import tempfile, geopandas as gpd, shapely
    >>> hazards = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs=4326)

    >>> from geotools.survey import Survey
    >>> atlas(Survey("Sample (synthetic)", {"hazards": hazards}), Path(tempfile.mkdtemp(), "atlas.pdf")).name
    'atlas.pdf'
    """
    target = Path(path)
    if target.suffix.lower() != ".pdf":
        raise MapError("an atlas is written as .pdf", file=target)
    hazards = survey.hazards
    drawn = hazards[hazards.geometry.notna() & ~hazards.geometry.is_empty]
    names = list(drawn["id"]) if hazard_ids is None else list(hazard_ids)
    if not names:
        raise MapError("no hazard has a polygon: there is nothing to draw")
    about = {
        "Title": survey.name,
        "Creator": f"geotools {version()}",
        "Producer": None,
        "CreationDate": now().replace(tzinfo=None),
    }
    with (
        replacing(target, overwrite=overwrite) as temporary,
        mpl.rc_context(RC),
        PdfPages(temporary, metadata=about) as book,
    ):
        for figure in _index(survey, drawn, names, choices):
            book.savefig(figure)
        for turn, name in enumerate(tracked(names, "drawing sheets", progress, len(names)), start=1):
            sheet = draw(survey, name, coverage, **_numbered(choices, turn, len(names)))
            for figure in sheet.figures:
                book.savefig(figure)
                figure.clear()
    return target


def _numbered(choices: Choices, turn: int, count: int) -> Choices:
    return Choices(**{**choices, "numbered": (turn, count)})  # type: ignore[typeddict-item]


def _index(survey: Any, drawn: Any, names: Sequence[str], choices: Choices) -> list[Figure]:
    """The index: a locator map with sheet numbers and a list of sheets, over as many pages as it needs."""
    lang = choices.get("lang") or survey.programme.languages[0]
    place = _paper.layout(choices.get("paper", "A4"))
    figure, page = _page(place)
    kinds = drawn.drop_duplicates("id").set_index("id")
    shapes = _crs.to_wgs84(kinds).geometry
    numbers = {name: turn for turn, name in enumerate(names, start=1) if name in shapes.index}
    named = shapes[list(numbers)]
    centre = named.union_all().envelope.centroid
    system = _crs.utm(centre.x, centre.y)
    flat = dict(zip(shapes.index, _crs.transform(shapes.array, _crs.WGS84, system), strict=True))
    far = _locator(figure, page, place, (flat, numbers, kinds), lang, theme(choices.get("theme", "safe")))
    rows = [
        (str(turn), clean(name, 24), clean(kinds.loc[name].get("place"), 20))
        for turn, name in enumerate(names, start=1)
        if name in flat
    ]
    blocks = [
        _column.paragraph(word("index", lang), size=13, bold=True), _column.paragraph(clean(survey.name, 70), size=8),
        _column.paragraph(f"{word('made', lang)} {now().date().isoformat()}, geotools {version()} · {number(len(names), lang=lang)}", size=6.5, color=_column.QUIET),
        _column.paragraph(word("warning", lang), size=6.6, bold=True, color="#7a1f10", after=2.0),
        *([_column.paragraph(word("off_map", lang, n=number(far, lang=lang)), size=6.6, after=2.0)] if far else []), *_listing(rows),
    ]  # fmt: skip
    rest = _column.flow(page, place.columns, blocks)
    figures = [figure]
    while rest:
        further = _paper.page(place.paper, landscape=True)
        extra, sheet = _page(further)
        rest = _column.flow(sheet, further.columns, rest)
        figures.append(extra)
    return figures


def _locator(
    figure: Figure,
    page: Axes,
    place: _paper.Layout,
    ground: tuple[dict[str, Any], dict[str, int], Any],
    lang: str,
    look: Theme,
) -> int:
    """All hazards where the sheets are, those that have a sheet in full colour and numbered; returns how many sheets lie off this map."""
    flat, numbers, kinds = ground
    left, bottom, width, height = place.frame
    axes = figure.add_axes((left / place.width, bottom / place.height, width / place.width, height / place.height))
    boxes = np.array([flat[n].bounds for n in numbers])
    here = _block(boxes)
    low, high = boxes[here, :2].min(axis=0), boxes[here, 2:].max(axis=0)
    room = np.array([width, height - FOOT])
    scale = float(max(((high - low) * 1.08 + 200) / room))  # metres in a millimetre
    middle, half = (low + high) / 2 - (0, FOOT * scale / 2), np.array([width, height]) * scale / 2
    bounds = (*(middle - half), *(middle + half))
    axes.set_xlim(bounds[0], bounds[2])
    axes.set_ylim(bounds[1], bounds[3])
    axes.set_xticks([])
    axes.set_yticks([])
    shown: dict[str, Any] = {}
    for name, shape in flat.items():
        row = kinds.loc[name]
        kind, status = (v if isinstance(v, str) else None for v in (row.get("classification"), row.get("status")))
        symbol = look.hazard(kind, status)
        strength = 1.0 if name in numbers else 0.4
        if "Polygon" in shape.geom_type:
            path = _ground.polygon_path(shape)
            axes.add_patch(
                PathPatch(path, facecolor=symbol.solid, edgecolor=symbol.outline, linewidth=0.5, alpha=strength)
            )
        else:
            xy = shapely.get_coordinates(shape)
            axes.plot(xy[:, 0], xy[:, 1], "s", color=symbol.solid, markersize=2.5, alpha=strength)
        shown[_named(kind, status, lang, look)] = symbol
        if name in numbers:
            at = shape.representative_point()
            style: dict[str, Any] = {"fontsize": 6.5, "fontweight": "bold", "annotation_clip": True}
            axes.annotate(str(numbers[name]), (at.x, at.y), (3, 3), textcoords="offset points", **style)
    _frame.grid(axes, bounds, scale * 1000)
    seen = np.array(list(flat.values()), dtype=object)
    _frame.scale_bar(page, *_frame.bar_corner(place.frame, bounds, scale * 1000, seen), scale * 1000, lang=lang)
    _surroundings.key(page, dict(sorted(shown.items())), left + width, bottom)
    return int((~here).sum())


def _named(kind: str | None, status: str | None, lang: str, look: Theme) -> str:
    if status is not None and look.ended(status):
        return word("closed_hazard", lang)
    return vocabulary("classification").label(kind, lang) if kind else word("unclassified", lang)


def _block(boxes: np.ndarray) -> np.ndarray:
    """Which of the sheets lie together: all, unless a few lie so far away that the others would be dots."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    away = np.abs(middle - np.median(middle, axis=0))
    near = (away <= FAR * np.maximum(np.median(away, axis=0), 1.0)).all(axis=1)
    reach = np.ptp(middle, axis=0).max()
    alone = 0.6 <= near.mean() < 1 and np.ptp(middle[near], axis=0).max() < 0.4 * reach
    return near if alone else np.ones(len(boxes), dtype=bool)


def _listing(rows: Sequence[tuple[str, str, str]]) -> list[_column.Block]:
    def block(row: tuple[str, str, str]) -> _column.Block:
        def write(page: Any, left: float, top: float, width: float) -> None:
            for x, text in ((left, row[0]), (left + 9, row[1]), (left + width * 0.58, row[2])):
                page.text(x, top, text, fontsize=6.6, va="top", color=_column.INK, parse_math=False)

        return _column.Block(lambda _: 3.4, write)

    return [block(row) for row in rows]
