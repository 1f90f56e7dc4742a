"""Many tasks in one document: an index page with a locator map, then a sheet for each.

For printing a programme; one page at a time is held in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from geotools.io.atomic import replacing
from geotools.maps.sheet import column as _column
from geotools.maps.sheet import ground as _ground
from geotools.maps.sheet import paper as _paper
from geotools.maps.sheet.compose import RC, _page, draw
from geotools.maps.sheet.phrase import clean, number, word
from geotools.maps.sheet.task import Choices
from geotools.maps.symbols import theme
from geotools.model.errors import MapError
from geotools.model.progress import Progress, tracked
from geotools.model.provenance import now, version
from geotools.space import crs as _crs


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
    left, bottom, width, height = place.frame
    axes = figure.add_axes((left / place.width, bottom / place.height, width / place.width, height / place.height))
    shapes = _crs.to_wgs84(drawn).set_index("id").geometry
    centre = shapes.union_all().envelope.centroid
    system = _crs.utm(centre.x, centre.y)
    flat = dict(zip(shapes.index, _crs.transform(shapes.array, _crs.WGS84, system), strict=True))
    boxes = np.array([flat[n].bounds for n in flat])
    middle = (boxes[:, :2].min(axis=0) + boxes[:, 2:].max(axis=0)) / 2
    half = (boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)) / 2 * 1.08 + 50
    scale = float(max(half[0] / width, half[1] / height) * 2)
    axes.set_xlim(middle[0] - width * scale / 2, middle[0] + width * scale / 2)
    axes.set_ylim(middle[1] - height * scale / 2, middle[1] + height * scale / 2)
    axes.set_xticks([])
    axes.set_yticks([])
    look = theme(choices.get("theme", "safe"))
    kinds = drawn.set_index("id")
    for turn, name in enumerate(names, start=1):
        if name not in flat:
            continue
        kind, status = (kinds.loc[name].get(c) for c in ("classification", "status"))
        symbol = look.hazard(kind if isinstance(kind, str) else None, status if isinstance(status, str) else None)
        path = _ground.polygon_path(flat[name])
        axes.add_patch(mpl.patches.PathPatch(path, facecolor=symbol.solid, edgecolor=symbol.outline, linewidth=0.5))
        point = flat[name].representative_point()
        axes.annotate(
            str(turn), (point.x, point.y), (3, 3), textcoords="offset points", fontsize=5.5, annotation_clip=True
        )
    rows = [
        (str(turn), clean(name, 24), clean(kinds.loc[name].get("place"), 20))
        for turn, name in enumerate(names, start=1)
        if name in flat
    ]
    blocks = [
        _column.paragraph(word("index", lang), size=13, bold=True), _column.paragraph(clean(survey.name, 70), size=8),
        _column.paragraph(f"{word('made', lang)} {now().date().isoformat()}, geotools {version()} · {number(len(names), lang=lang)}", size=6.5, color=_column.QUIET),
        _column.paragraph(word("warning", lang), size=6.6, bold=True, color="#7a1f10", after=2.0), *_listing(rows),
    ]  # fmt: skip
    rest = _column.flow(page, place.columns, blocks)
    figures = [figure]
    while rest:
        further = _paper.page(place.paper, landscape=True)
        extra, sheet = _page(further)
        rest = _column.flow(sheet, further.columns, rest)
        figures.append(extra)
    return figures


def _listing(rows: Sequence[tuple[str, str, str]]) -> list[_column.Block]:
    def block(row: tuple[str, str, str]) -> _column.Block:
        def write(page: Any, left: float, top: float, width: float) -> None:
            for x, text in ((left, row[0]), (left + 9, row[1]), (left + width * 0.58, row[2])):
                page.text(x, top, text, fontsize=6.6, va="top", color=_column.INK, parse_math=False)

        return _column.Block(lambda _: 3.4, write)

    return [block(row) for row in rows]
