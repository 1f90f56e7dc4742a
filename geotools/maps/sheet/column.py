"""The text beside the map: blocks that flow through columns and, where they must, on to a further page.

For setting text, tables and legend in millimetres; what they say is decided by `compose`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextToPath

from geotools.maps.sheet.paper import Box

FONT = "DejaVu Sans"
MONO = "DejaVu Sans Mono"
INK = "#14212b"
QUIET = "#4a5a66"
_METRICS = TextToPath()
_FIGURE = re.compile(r"[+\-–−]?[\d\s.,]*(cm|°)?")
_BLANK = " \t\r\n"
_GAP = re.compile(f"[{_BLANK}]+")  # not at a fixed space: a number stays on one line
_VOWELS = frozenset("aeiouyəıöüâîаеёиоуыэюя")
PT = 25.4 / 72
SUM_GAP = 1.0  # mm between the line over a sum and the sum


@cache
def _advance(letter: str, bold: bool) -> float:
    """Width of one letter at 1 pt, in mm; kerning only makes a line shorter."""
    font = FontProperties(family=FONT, size=100, weight="bold" if bold else "normal")
    wide = _METRICS.get_text_width_height_descent(f"|{letter}|", font, ismath=False)[0]
    bars = _METRICS.get_text_width_height_descent("||", font, ismath=False)[0]
    return float(wide - bars) / 100 * PT


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in mm of a text in the sheet's typeface."""
    return sum(_advance(letter, bold) for letter in text) * size


def put(
    page: Axes,
    at: tuple[float, float],
    text: str,
    size: float,
    *,
    bold: bool = False,
    color: str = INK,
    side: str = "left",
) -> None:
    """One line of text whose ascender begins at (x, top) mm; accents do not move the line."""
    x, top = at
    weight = "bold" if bold else "normal"
    page.text(
        x,
        top - 0.76 * size * PT,
        text,
        fontsize=size,
        fontweight=weight,
        color=color,
        va="baseline",
        ha=side,
        parse_math=False,
    )


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines no wider than `width` mm, at spaces that are not fixed; a word too long for a line is parted.

    Examples
    --------
    >>> wrap("6\u00a0301 m² remain", 14, 7), wrap("Предупреждение", 14, 7)
    (['6\xa0301 m²', 'remain'], ['Предуп-', 'реждение'])
    """
    lines: list[str] = []
    line = ""
    for word in _GAP.split(text.strip(_BLANK)):
        for piece in _pieces(word, width, size, bold=bold):
            candidate = f"{line} {piece}" if line else piece
            if line and text_width(candidate, size, bold=bold) > width:
                lines.append(line)
                line = piece
            else:
                line = candidate
    return [*lines, line] if line else lines or [""]


def _pieces(word: str, width: float, size: float, *, bold: bool) -> list[str]:
    pieces = []
    while len(word) > 1 and (wide := text_width(word, size, bold=bold)) > width:
        keep = max(1, int(len(word) * width / wide) - 1)
        keep, mark = (_syllable(word, keep), "-") if word.isalpha() and keep > 3 else (keep, "")
        pieces.append(word[:keep] + mark)
        word = word[keep:]
    return [*pieces, word]


def _syllable(word: str, keep: int) -> int:
    """Where a word may be parted at or a little before a place: before a consonant that a vowel follows."""
    for at in range(keep, max(keep - 4, 2), -1):
        if len(word) - at > 2 and word[at].lower() not in _VOWELS and word[at + 1].lower() in _VOWELS:
            return at
    return keep


@dataclass(frozen=True)
class Block:
    """Something of a known height (mm) that draws itself at (page, left, top, width).

    ``again`` goes before it where it is the first of a column: the heading of what began in a column before.
    """

    height: Callable[[float], float]
    draw: Callable[[Axes, float, float, float], None]
    again: Block | None = None


def paragraph(text: str, *, size: float = 7.0, bold: bool = False, color: str = INK, after: float = 1.2) -> Block:
    """Wrapped text."""
    lead = size * PT * 1.28

    def draw(page: Axes, left: float, top: float, width: float) -> None:
        for index, row in enumerate(wrap(text, width, size, bold=bold)):
            put(page, (left, top - index * lead), row, size, bold=bold, color=color)

    return Block(lambda width: len(wrap(text, width, size, bold=bold)) * lead + after, draw)


def title(text: str, *, largest: float = 13.0, least: float = 10.5) -> Block:
    """A title in the largest type that keeps it on one line; in the largest of all where none does."""

    def set_in(width: float) -> Block:
        size = min(largest, 0.999 * width / text_width(text, 1.0, bold=True))
        return paragraph(text, size=size if size >= least else largest, bold=True, after=1.0)

    return Block(
        lambda width: set_in(width).height(width),
        lambda page, left, top, width: set_in(width).draw(page, left, top, width),
    )


def heading(text: str) -> Block:
    """A small heading with a rule."""

    def draw(page: Axes, left: float, top: float, width: float) -> None:
        put(page, (left, top - 1.4), text, 7.5, bold=True)
        page.plot([left, left + width], [top - 5.1, top - 5.1], color=INK, linewidth=0.5)

    return Block(lambda _: 6.2, draw)


def table(
    rows: Sequence[Sequence[str]],
    shares: Sequence[float],
    *,
    size: float = 6.6,
    bold_first: bool = False,
    last_bold: bool = False,
) -> list[Block]:
    """Rows of cells, first cell to the left and the others to the right; each row is a block, so a table may break.

    A bold head wraps in the width of its column, so that long words of one heading do not run into the next.
    """
    lead = size * PT * 1.42
    total = sum(shares)

    def row_block(cells: Sequence[str], *, bold: bool) -> Block:
        def lines(width: float) -> list[str]:
            return wrap(cells[0], width * shares[0] / total - 1, size, bold=bold)

        def draw(page: Axes, left: float, top: float, width: float) -> None:
            edge = left
            for index, (cell, share) in enumerate(zip(cells, shares, strict=True)):
                wide = width * share / total
                if index == 0:
                    for n, piece in enumerate(lines(width)):
                        put(page, (left, top - n * lead), piece, size, bold=bold)
                else:
                    put(page, (edge + wide, top), cell, size, bold=bold, side="right")
                edge += wide

        return Block(lambda width: len(lines(width)) * lead, draw)

    def head_block(cells: Sequence[str]) -> Block:
        def columns(width: float) -> list[list[str]]:
            each = zip(cells, shares, strict=True)
            return [wrap(cell, width * share / total - 0.8, size, bold=True) for cell, share in each]

        def draw(page: Axes, left: float, top: float, width: float) -> None:
            edge, deep = left, max(map(len, columns(width)))
            for index, (lines, share) in enumerate(zip(columns(width), shares, strict=True)):
                edge += width * share / total
                for n, piece in enumerate(lines, start=deep - len(lines)):
                    at, side = (left, "left") if index == 0 else (edge, "right")
                    put(page, (at, top - n * lead), piece, size, bold=True, side=side)

        return Block(lambda width: max(map(len, columns(width))) * lead, draw)

    return [
        head_block(cells) if bold_first and index == 0 else row_block(cells, bold=last_bold and index == len(rows) - 1)
        for index, cells in enumerate(rows)
    ]


def text_table(rows: Sequence[Sequence[str]], shares: Sequence[float], *, size: float = 7.0) -> list[Block]:
    """Rows whose cells are all to the left and wrap in their own width; each row is a block."""
    lead, total = size * PT * 1.35, sum(shares)

    def row_block(cells: Sequence[str]) -> Block:
        def lines(width: float) -> list[list[str]]:
            return [wrap(cell, width * share / total - 1.5, size) for cell, share in zip(cells, shares, strict=True)]

        def draw(page: Axes, left: float, top: float, width: float) -> None:
            for column, share in zip(lines(width), shares, strict=True):
                for turn, text in enumerate(column):
                    put(page, (left, top - turn * lead), text, size)
                left += width * share / total

        return Block(lambda width: max(map(len, lines(width))) * lead + 0.5, draw)

    return [row_block(cells) for cells in rows]


def mono_table(rows: Sequence[Sequence[str]], *, left: int = 1, widest: float = 7.4) -> list[Block]:
    """A long table of figures in fixed-width type: one line of text a row, the first `left` columns to the left.

    The type is as large as the width allows, at most `widest` points.
    """
    wide = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    texts = [
        "  ".join(c.ljust(w) if n < left else c.rjust(w) for n, (c, w) in enumerate(zip(row, wide, strict=True)))
        for row in rows
    ]

    def size(width: float) -> float:
        return min(widest, width / (len(texts[0]) * 0.6021 * PT))

    def row_block(text: str, *, head: bool) -> Block:
        def draw(page: Axes, left: float, top: float, width: float) -> None:
            points = size(width)
            page.text(
                left,
                top - 0.76 * points * PT,
                text,
                fontsize=points,
                family=MONO,
                fontweight="bold" if head else "normal",
                color=INK,
                va="baseline",
                parse_math=False,
            )
            if head:
                page.plot(
                    [left, left + width],
                    [top - points * PT * 1.25, top - points * PT * 1.25],
                    color=QUIET,
                    linewidth=0.4,
                )

        return Block(lambda width: size(width) * PT * 1.3 + (1.0 if head else 0.0), draw)

    return [row_block(text, head=index == 0) for index, text in enumerate(texts)]


def ruled_table(
    rows: Sequence[Sequence[str]], shares: Sequence[float], *, size: float = 7.0, summed: bool = False
) -> list[Block]:
    """A table with a bold head and a line under it; cells wrap, columns of figures stand to the right, a last row of a sum is bold."""
    lead, total = size * PT * 1.35, sum(shares)
    right = [_figures([row[n] for row in rows[1:]]) for n in range(len(shares))]
    gaps = [(3.5 if side and n + 1 < len(shares) else 0.0 if side else 1.5) for n, side in enumerate(right)]

    def row_block(cells: Sequence[str], *, head: bool, bold: bool = False) -> Block:
        def lines(width: float) -> list[list[str]]:
            return [
                wrap(cell, width * share / total - gap, size, bold=head or bold)
                for cell, share, gap in zip(cells, shares, gaps, strict=True)
            ]

        def draw(page: Axes, left: float, top: float, width: float) -> None:
            start = left
            if bold:
                page.plot([left, left + width], [top - 0.2, top - 0.2], color=QUIET, linewidth=0.4)
                top -= SUM_GAP
            for n, (column, share) in enumerate(zip(lines(width), shares, strict=True)):
                wide = width * share / total
                at, side = (left + wide - gaps[n], "right") if right[n] else (left, "left")
                for turn, text in enumerate(column):
                    put(page, (at, top - turn * lead), text, size, bold=head or bold, side=side)
                left += wide
            if head:
                under = top - max(map(len, lines(width))) * lead
                page.plot([start, start + width], [under, under], color=QUIET, linewidth=0.4)

        return Block(lambda width: max(map(len, lines(width))) * lead + (1.0 if head else 0.4 + SUM_GAP * bold), draw)

    last = len(rows) - 1 if summed else -1
    return [row_block(cells, head=index == 0, bold=index == last) for index, cells in enumerate(rows)]


def _figures(cells: Sequence[str]) -> bool:
    """Whether a column holds figures: nothing else, and one at least."""
    return all(_FIGURE.fullmatch(cell) for cell in cells) and any(c.isdigit() for cell in cells for c in cell)


def together(*blocks: Block) -> Block:
    """Blocks that are not parted: a heading never stands alone at the foot of a column."""

    def draw(page: Axes, left: float, top: float, width: float) -> None:
        for block in blocks:
            block.draw(page, left, top, width)
            top -= block.height(width)

    return Block(lambda width: sum(block.height(width) for block in blocks), draw)


def section(title: str, blocks: Sequence[Block]) -> list[Block]:
    """A heading, kept with the first block under it."""
    return [together(heading(title), *blocks[:1]), *blocks[1:]]


def continued(title: str, blocks: Sequence[Block], head: Sequence[Block] = ()) -> list[Block]:
    """Blocks of a section that say its title (and the head of its table) again where they go on in another column."""
    again = together(heading(title), *head)
    return [replace(block, again=again) for block in blocks]


def space(height: float) -> Block:
    """White."""
    return Block(lambda _: height, lambda *_: None)


def swatch_row(draw_swatch: Callable[[Axes, float, float, float, float], None], label: str) -> Block:
    """A legend row: a swatch of 9 × 4 mm and its label."""
    size, lead = 6.2, 6.2 * PT * 1.25

    def height(width: float) -> float:
        return max(4.9, len(wrap(label, width - 10, size)) * lead + 1.2)

    def draw(page: Axes, left: float, top: float, width: float) -> None:
        tall = height(width)
        draw_swatch(page, left, top - tall / 2 - 1.9, 8.0, 3.8)
        lines = wrap(label, width - 10, size)
        start = top - tall / 2 + len(lines) * lead / 2
        for index, row in enumerate(lines):
            put(page, (left + 10, start - index * lead), row, size)

    return Block(height, draw)


def box_around(page: Axes, box: Box, *, color: str = INK, width: float = 0.8) -> None:
    """A thin rectangle in mm."""
    page.add_patch(
        Rectangle((box[0], box[1]), box[2], box[3], facecolor="none", edgecolor=color, linewidth=width, zorder=95)
    )


def flow(page: Axes, columns: Sequence[Box], blocks: Sequence[Block], *, foot: Sequence[Block] = ()) -> list[Block]:
    """Draw blocks from the top of the first column on; returns those that found no room.

    A block is never cut; it goes whole to the next column. `foot` stands at the bottom of the last column whatever else.
    """
    left, bottom, width, height = columns[-1]
    reserved = sum(block.height(width) for block in foot)
    top = bottom + reserved
    for block in foot:
        block.draw(page, left, top, width)
        top -= block.height(width)
    rest = list(blocks)
    for index, (left, bottom, width, height) in enumerate(columns):
        floor = bottom + (reserved + 1.5 if foot and index == len(columns) - 1 else 0)
        top = bottom + height
        again = rest[0].again if rest else None
        if again is not None and again.height(width) + rest[0].height(width) <= top - floor + 0.05:
            again.draw(page, left, top, width)
            top -= again.height(width)
        while rest and top - rest[0].height(width) >= floor - 0.05:
            block = rest.pop(0)
            block.draw(page, left, top, width)
            top -= block.height(width)
        if not rest:
            break
    return rest


def fits(columns: Sequence[Box], blocks: Sequence[Block], *, foot: Sequence[Block] = ()) -> bool:
    """Whether blocks find room in the columns as `flow` would set them, none of them left over."""
    reserved = sum(block.height(columns[-1][2]) for block in foot) + 1.5 if foot else 0.0
    rest = list(blocks)
    for index, (_, _, width, height) in enumerate(columns):
        room = height - (reserved if index == len(columns) - 1 else 0.0)
        again = rest[0].again if rest else None
        if again is not None and again.height(width) + rest[0].height(width) <= room + 0.05:
            room -= again.height(width)
        while rest and rest[0].height(width) <= room + 0.05:
            room -= rest.pop(0).height(width)
    return not rest


def apart(page: Axes, columns: Sequence[Box], parts: Sequence[Sequence[Block]], *, foot: Sequence[Block] = ()) -> bool:
    """Set each part in a column of its own, `foot` at the bottom of the last; False, and nothing set, if one does not fit."""
    ends: list[Sequence[Block]] = [*[()] * (len(columns) - 1), foot]
    each = list(zip(columns, [*parts, *[[]] * (len(columns) - len(parts))], ends, strict=True))
    if not all(fits((column,), part, foot=end) for column, part, end in each):
        return False
    for column, part, end in each:
        flow(page, (column,), part, foot=end)
    return True


def side_by_side(blocks: Sequence[Block], gap: float = 3.0, *, across: int = 2) -> list[Block]:
    """Blocks two to a line, or as many as `across`."""

    def pair(both: Sequence[Block]) -> Block:
        def draw(page: Axes, left: float, top: float, width: float) -> None:
            each = (width - (across - 1) * gap) / across
            for turn, block in enumerate(both):
                block.draw(page, left + turn * (each + gap), top, each)

        return Block(lambda width: max(block.height((width - (across - 1) * gap) / across) for block in both), draw)

    return [pair(blocks[n : n + across]) for n in range(0, len(blocks), across)]
