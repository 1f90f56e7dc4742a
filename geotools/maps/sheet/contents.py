"""The texts of one sheet as blocks: title, areas, legend, norths, locator, sources and the turning-point table.

For what the column says; how it is set is in `column`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes

from geotools.maps.sheet import column as _column
from geotools.maps.sheet import frame as _frame
from geotools.maps.sheet.phrase import angle, clean, day, number, plain, square_metres, terms, word
from geotools.maps.sheet.scene import Swatch
from geotools.maps.sheet.task import Task
from geotools.model import figures
from geotools.model.provenance import now, version
from geotools.model.vocab import vocabulary
from geotools.space import crs as _crs

STATES = ("cleared", "reduced", "cancelled", "transferred", "corrected")  # what does not remain


def title(task: Task) -> list[_column.Block]:
    """Task, what is known of it, where, and as of when."""
    row, lang = task.row, task.lang
    words = [
        vocabulary(name).label(str(row[column]), lang)
        for name, column in (("classification", "classification"), ("hazard_status", "status"))
        if isinstance(row.get(column), str)
    ]
    threats = terms("contamination", row.get("contamination"), lang)
    where = " · ".join(clean(row.get(c)) for c in ("place", "admin2", "admin1") if clean(row.get(c)))
    as_of = getattr(task.coverage, "as_of", None) or task.survey.information_day
    blocks = [
        _column.title(f"{word('task_map', lang)} {clean(row['id'], 30)}"),
        _column.paragraph(" · ".join([*words, *threats]) or "–", size=8, after=0.6),
    ]
    if where:
        blocks.append(_column.paragraph(where, size=8, after=0.6))
    blocks.append(_column.paragraph(clean(task.survey.name, 70), size=7, color=_column.QUIET, after=0.6))
    dates = f"{word('as_of', lang)}: {day(as_of)} · {word('date_info', lang)}: {day(row.get('date_info'))}"
    return [*blocks, _column.paragraph(dates, size=6.5, color=_column.QUIET, after=1.4)]


def areas(task: Task) -> list[_column.Block]:
    """The ledger line of the task with its uncertainty; empty without a ledger."""
    if task.coverage is None:
        return []
    lang = task.lang
    match = task.coverage.table[task.coverage.table["id"] == task.row["id"]]
    if match.empty:
        return []
    row = match.iloc[0]
    total = float(row["area_m2"])
    share = figures.shares(total, {name: float(row[f"{name}_m2"]) for name in STATES})
    told = {**share, "processed": figures.tenths(float(row["processed_m2"]) / total) / 10} if share else {}

    def line(label: str, name: str) -> tuple[str, str, str]:
        return label, square_metres(row[f"{name}_m2"], lang, name), number(told.get(name), 1, lang)

    recorded = f"{square_metres(total, lang)} ± {square_metres(row['area_sigma_m2'], lang)}"
    rows = [(word("recorded", lang), recorded, "")]
    rows += [line(vocabulary("product").label(name, lang), name) for name in ("cleared", "reduced", "cancelled")]
    rows.append(line(word("remaining", lang), "remaining"))
    if row["processed_m2"] > 0:
        rows.append(line(word("processed", lang), "processed"))
    if row["outside_m2"] >= 1:
        rows.append((word("outside", lang), square_metres(row["outside_m2"], lang), ""))
    head = [("", word("m2", lang), "%")]
    note = _column.paragraph(word("area_note", lang), size=5.6, color=_column.QUIET, after=0.8)
    lines = _column.table([*head, *rows], (3.4, 2.4, 1), bold_first=True)
    return [
        _column.together(*_column.section(word("areas", lang), [*lines, note]))
    ]  # no figure parted from its heading


def legend(legend: dict[str, Swatch], lang: str) -> list[_column.Block]:
    """Swatches of what is really on the map."""
    rows = [_column.swatch_row(draw_it, label) for label, draw_it in legend.items()]
    return _column.section(word("legend", lang), [*_column.side_by_side(rows), _column.space(0.6)])


def locator(task: Task, bounds: tuple[float, float, float, float], *, height: float = 27.0) -> list[_column.Block]:
    """A small map of the whole survey with this sheet on it."""
    lonlat = _crs.to_wgs84(task.survey.hazards).geometry
    shapes = _crs.transform(lonlat[lonlat.notna()].array, _crs.WGS84, task.crs)
    points = shapely.get_coordinates(shapely.centroid(shapes[~shapely.is_empty(shapes)]))
    low = np.minimum(points.min(axis=0), bounds[:2])
    high = np.maximum(points.max(axis=0), bounds[2:])

    def draw_it(page: Axes, left: float, top: float, width: float) -> None:
        per_mm = max((high[0] - low[0]) / (width - 6), (high[1] - low[1]) / (height - 8), 1.0)
        shift = np.array([left + width / 2, top - height / 2 + 1]) - (low + high) / 2 / per_mm
        _column.box_around(page, (left, top - height + 2, width, height - 2), color=_column.QUIET, width=0.5)
        dots = points / per_mm + shift
        page.plot(
            dots[:, 0],
            dots[:, 1],
            linestyle="none",
            marker="s",
            markersize=1.6,
            color="#a63603",
            markeredgewidth=0,
            alpha=0.7,
        )
        x, y = (np.array(bounds[:2]) + np.array(bounds[2:])) / 2 / per_mm + shift
        page.plot(
            [x], [y], marker="o", markersize=7, markerfacecolor="none", markeredgecolor="black", markeredgewidth=1.1
        )

    return _column.section(word("locator", task.lang), [_column.Block(lambda _: height, draw_it)])


def references(task: Task, scale: int, step: float | None) -> list[_column.Block]:
    """Scale, grid, norths with numbers and date, contour step."""
    lang, norths = task.lang, task.norths
    square = _crs.to_mgrs(*task.lonlat, digits=0)
    rows = [
        (word("scale", lang), f"1:{number(scale, lang=lang)}"),
        (word("projection", lang), f"{task.crs.name}, {_crs.label(task.crs)}"),
        (word("mgrs", lang), str(square)),
        (word("scale_factor", lang), number(norths.scale_factor, 5, lang)),
        (word("convergence", lang), angle(norths.convergence, lang)),
        (word("declination", lang), f"{angle(norths.declination, lang)} WMM, {norths.day.isoformat()}"),
    ]
    figure = _column.Block(
        lambda _: 15.5,
        lambda page, left, top, width: _frame.north_figure(page, left + width / 2, top - 15.0, 9.5, norths, lang),
    )
    blocks = [figure, *_column.table(rows, (2, 1), size=6.2)]
    blocks.append(
        _column.paragraph(f"{word('magnetic_rule', lang)} ({angle(norths.grid_magnetic, lang)})", size=6.6, after=0.5)
    )
    if step:
        blocks.append(
            _column.paragraph(
                word("contours", lang, step=plain(step, 0 if step == int(step) else 1, lang)), size=6.6, after=0.5
            )
        )
    return _column.section(word("norths", lang), [*blocks, _column.space(1.0)])


def sources(task: Task, most: int = 4) -> list[_column.Block]:
    """The files that were read, the first so many by name, and the programme's own line."""
    lang = task.lang
    names = [item.name for item in task.survey.inputs]
    shown = ", ".join(clean(n, 40) for n in names[:most])
    shown += f" {word('more', lang, n=len(names) - most)}" if len(names) > most else ""
    footer = task.survey.programme.texts.get("footer", "")
    return [
        _column.heading(word("sources", lang)), _column.paragraph(f"{shown or '–'}", size=6, color=_column.QUIET, after=0.5),
        *([_column.paragraph(clean(footer, 160), size=6, color=_column.QUIET, after=0.5)] if footer else []),
    ]  # fmt: skip


def closing(task: Task, *, named: bool = True) -> list[_column.Block]:
    """Sources (if `named`), maker and the warning: what stands at the foot of every first page."""
    lang = task.lang
    made = f"{word('made', lang)} {now().date().isoformat()}, geotools {version()}"
    if task.numbered:
        made = f"{word('sheet', lang)} {task.numbered[0]} {word('of', lang)} {task.numbered[1]} · {made}"
    return [
        *(sources(task) if named else []),
        _column.paragraph(made, size=6, color=_column.QUIET, after=1.0),
        _column.paragraph(word("warning", lang), size=6.6, bold=True, color="#7a1f10", after=1.6),
    ]  # fmt: skip


def point_list(task: Task, points: np.ndarray, rows: Sequence[Any]) -> list[_column.Block]:
    """The turning points over the width of a page: MGRS, grid, degrees, bearings and ground distances, a block a row."""
    lang = task.lang
    lon, lat = _crs.transformer(task.crs.to_wkt(), "EPSG:4326").transform(points[:, 1], points[:, 2])
    squares = np.atleast_1d(_crs.to_mgrs(np.asarray(lon), np.asarray(lat)))
    lines = [
        (
            r[0], str(square), plain(r[1], 1, lang), plain(r[2], 1, lang), plain(y, 7, lang), plain(x, 7, lang),
            number(r[3], 1, lang), number(r[4], 1, lang), number(r[5], 1, lang),
        )
        for r, square, x, y in zip(rows, squares, lon, lat, strict=True)
    ]  # fmt: skip
    head = [word("col_point", lang), "MGRS", "E", "N", "lat", "lon"]
    head += [word(name, lang) for name in ("col_grid", "col_magnetic", "col_next")]
    return _column.mono_table([head, *lines], left=2)


def points(rows: Sequence[tuple[str, float, float, float, float, float]], lang: str) -> list[_column.Block]:
    """The turning-point table; it may go on over several pages."""
    head = (
        word("col_point", lang),
        "E",
        "N",
        word("col_grid", lang),
        word("col_magnetic", lang),
        word("col_next", lang),
    )
    cells = [
        head,
        *((r[0], plain(r[1], 1, lang), plain(r[2], 1, lang), *(number(v, 1, lang) for v in r[3:6])) for r in rows),
    ]
    note = _column.paragraph(word("distances", lang), size=5.6, color=_column.QUIET, after=1.0)
    lines = _column.table(cells, (8.4, 11.4, 12.6, 8.3, 7.8, 11.5), size=5.8, bold_first=True)
    return _column.section(word("turning_points", lang), [_column.together(note, lines[0]), *lines[1:]])
