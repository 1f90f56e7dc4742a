"""Paper sizes, true scale and where the map frame and the columns lie, in millimetres.

For the geometry of the sheet; not for what is drawn on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geotools.model.errors import MapError

PAPERS = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
SCALES = (500, 1000, 2000, 2500, 5000, 10_000, 20_000, 25_000, 50_000)
MARGIN = 10.0  # mm of white at the edge of the paper
LABELS = 7.0  # mm around the frame for grid numbers
COLUMN = 70.0  # mm of text beside the map
GAP = 5.0

Box = tuple[float, float, float, float]  # left, bottom, width, height in mm from the lower left corner


@dataclass(frozen=True)
class Layout:
    """One sheet: paper in mm, the map frame, and the boxes that text flows through."""

    paper: str
    width: float
    height: float
    frame: Box
    columns: tuple[Box, ...]

    @property
    def landscape(self) -> bool:
        """Wider than high."""
        return self.width > self.height

    def extent(self, scale: int) -> tuple[float, float]:
        """Metres east–west and north–south that the frame holds at 1:`scale`."""
        return self.frame[2] / 1000 * scale, self.frame[3] / 1000 * scale


def layout(paper: str, *, landscape: bool = True) -> Layout:
    """The layout of a paper size.

    Raises
    ------
    MapError
        If the paper is unknown.

    Examples
    --------
    >>> [round(v) for v in layout("A4").extent(2500)]
    [470, 440]
    """
    if paper not in PAPERS:
        raise MapError(f"'{paper}' is not a paper size here", hint=f"use {' or '.join(PAPERS)}")
    long, short = PAPERS[paper]
    if landscape:
        left, bottom = MARGIN + LABELS, MARGIN + LABELS
        frame = (left, bottom, long - left - LABELS - GAP - COLUMN - MARGIN, short - bottom - MARGIN - LABELS)
        column = (long - MARGIN - COLUMN, MARGIN, COLUMN, short - 2 * MARGIN)
        return Layout(paper, long, short, frame, (column,))
    foot = 62.0 if paper == "A4" else 84.0
    left, bottom = MARGIN + LABELS, MARGIN + foot + GAP + LABELS
    frame = (left, bottom, short - 2 * left, long - bottom - MARGIN - LABELS)
    count = int((short - 2 * MARGIN + GAP) // (60 + GAP))
    width = (short - 2 * MARGIN - (count - 1) * GAP) / count
    columns = tuple((MARGIN + i * (width + GAP), MARGIN, width, foot) for i in range(count))
    return Layout(paper, short, long, frame, columns)


def page(paper: str, *, landscape: bool) -> Layout:
    """A continuation page: no map, only columns of text."""
    long, short = PAPERS[paper]
    width, height = (long, short) if landscape else (short, long)
    count = int((width - 2 * MARGIN + GAP) // (COLUMN + GAP))
    each = (width - 2 * MARGIN - (count - 1) * GAP) / count
    columns = tuple((MARGIN + i * (each + GAP), MARGIN, each, height - 2 * MARGIN) for i in range(count))
    return Layout(paper, width, height, (0, 0, 0, 0), columns)


def choose(bounds: tuple[float, float, float, float], paper: str, scale: int | None) -> tuple[Layout, int]:
    """The layout and scale that hold `bounds` (metres) with a margin: the largest scale, then the better direction.

    Raises
    ------
    MapError
        If the area does not fit: nothing is ever cut off.
    """
    west, south, east, north = bounds
    need = np.array([max(east - west, 20.0), max(north - south, 20.0)]) * 1.12
    for wanted in (scale,) if scale else SCALES:
        fitting = []
        for landscape in (True, False):
            place = layout(paper, landscape=landscape)
            spare = np.array(place.extent(wanted)) / need
            if (spare >= 1).all():
                fitting.append((float(spare.min()), place))
        if fitting:
            return max(fitting, key=lambda item: (round(item[0], 3), item[1].landscape))[1], wanted
    size = f"{need[0]:.0f} × {need[1]:.0f} m"
    raise MapError(
        f"{size} do not fit on {paper} at 1:{scale or SCALES[-1]:,}",
        hint="use a larger paper, a smaller scale, or an atlas by task",
    )


def nice(value: float) -> float:
    """The nearest 1, 2 or 5 times a power of ten, not above `value`.

    Examples
    --------
    >>> nice(37), nice(0.8)
    (20.0, 0.5)
    """
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(m * power for m in (5, 2, 1) if m * power <= value * (1 + 1e-9)))
