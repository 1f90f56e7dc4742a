"""The coverage of a task in plain words, as issues and as a card.

For people; every figure comes from `cover`.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath.rows import Rows
from geotools.model.methods import UNKNOWN
from geotools.model.programme import DEFAULT_LIMITS
from geotools.model.schema import Issue
from geotools.space import crs as _crs
from geotools.space.sketch import sketch

CONFIDENT = 2.4477  # radius of the circle that holds 95 % of a circular normal error, in standard deviations


def figure(value: float) -> str:
    """A number of square metres as people write it."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}"


def clipped(value: Any) -> str:
    """What somebody typed, short and without control or direction marks, to be shown in a sentence."""
    return "".join(c for c in str(value) if c.isprintable())[:80]


# What changes the meaning of the figures, so that nobody may read them without it.
SAID = ("SW-09", "SW-10", "SW-12", "SW-16", "SW-17", "SW-19", "SW-20", "SW-21")


def _sentence(message: Any) -> str:
    """A message with a capital letter and a full stop."""
    text = str(message).strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def sentences(result: Any) -> list[str]:
    """What was covered and missed, and what the figures do not say."""
    t = result.totals
    share = f"{np.floor(1e4 * t['coverage'] + 1e-9) / 100:.2f} %"  # never rounded up: 100 % is said of all of it only
    out = [
        f"The tracks cover {figure(t['covered_m2'])} of {figure(t['task_m2'])} m² of the task ({share}), and miss {figure(t['missed_m2'])} m²."
    ]
    if t["gaps"]:
        out.append(
            f"{t['gaps']} {'gap is' if t['gaps'] == 1 else 'gaps are'} worth walking to ({figure(t['gaps_m2'])} m² together, the widest {t['widest_gap_m']:.2f} m)."
        )
    if t["processed_m2"]:
        out.append(
            f"{figure(t['processed_m2'])} m² were processed by machine: this ground is not cleared until a search has followed."
        )
    if t.get("outages"):
        some = (
            "1 interruption of the tracks was"
            if t["outages"] == 1
            else f"{t['outages']} interruptions of the tracks were"
        )
        out.append(f"{some} left open: no ground is claimed across them.")
    said = zip(*(result.issues[name] for name in ("check", "severity", "message")), strict=True)
    out += [
        _sentence(message)
        for check, severity, message in said
        if check in SAID or (check == "SW-04" and severity == "warning")
    ]
    out.append(
        "Covered means that the tool went there as far as the positions show; it does not mean that the ground is safe."
    )
    return out


def cannot_show(sigma_m: float, width_m: float) -> bool:
    """Whether position errors are too large for the width: nothing of a pass is sure."""
    return bool(sigma_m * CONFIDENT >= width_m / 2)


@dataclass(frozen=True)
class Position:
    """How accurate the passes are for their width, counted: chunks add up.

    `worst_m` is the worst accuracy stated, `assumed_m` the one taken for passes that state none, `unstated_m` the length of those,
    `poor_m` the length where the error, stated or assumed, is too large for the width.
    """

    passes: int = 0
    stated: int = 0
    worst_m: float = 0.0
    width_m: float = np.inf
    length_m: float = 0.0
    poor_m: float = 0.0
    unstated_m: float = 0.0
    assumed_m: float = 0.0

    @classmethod
    def of(cls, rows: Rows, assumed_m: float = DEFAULT_LIMITS["h_acc_default_m"]) -> Position:
        """Figures of some passes; `assumed_m` is the standard deviation per axis where none is stated."""
        if not len(rows):
            return cls()
        sigma, width = rows.numbers("h_acc_m"), rows.numbers("width_m")
        sigma = np.where(sigma > 0, sigma, np.nan)
        length = rows.numbers("length_m")
        length = np.where(np.isnan(length), shapely.length(rows.geometry), length)
        known = ~np.isnan(sigma)
        poor = np.where(known, sigma, assumed_m) * CONFIDENT >= width / 2
        worst = float(sigma[known].max()) if known.any() else 0.0
        return cls(
            len(rows), int(known.sum()), worst, float(width.min()), float(length.sum()), float(length[poor].sum()),
            float(length[~known].sum()), assumed_m,
        )  # fmt: skip

    @classmethod
    def on(cls, ground: BaseGeometry, rows: Rows, shapes: np.ndarray, assumed_m: float) -> Position:
        """Figures of the passes whose swaths touch some ground; the others have no part in what is covered there."""
        shapely.prepare(ground)
        touching = shapely.intersects(shapes, ground)
        return cls.of(rows if touching.all() else rows.take(touching), assumed_m)

    @property
    def shows(self) -> bool:
        """Whether the tracks are accurate enough for their width to show where the tool went: all that were counted, since which ground is whose is not kept."""
        return not self.passes or self.poor_m <= self.length_m * 1e-9

    def __add__(self, other: Position) -> Position:
        return Position(
            self.passes + other.passes, self.stated + other.stated, max(self.worst_m, other.worst_m), min(self.width_m, other.width_m),
            self.length_m + other.length_m, self.poor_m + other.poor_m,
            self.unstated_m + other.unstated_m, max(self.assumed_m, other.assumed_m),
        )  # fmt: skip


def cover_findings(
    totals: Any, position: Position, where: Callable[[str], Any], method: tuple[str | None, Any]
) -> list[Issue]:
    """ISSUES rows SW-11 … SW-16, SW-20 and SW-21 of a coverage; `where` gives a place of a shape, `method` is the key and what was entered."""
    issues: list[Issue] = []
    if not totals["passes"]:
        issues.append(
            Issue("SW-12", "error", "fixes", message="there are no passes: the whole task is shown as missed")
        )
    elif totals["covered_m2"] == 0:
        issues.append(
            Issue("SW-12", "error", "fixes", message="no pass lies in the task: the whole task is shown as missed")
        )
    if totals["outside_m2"] > 1.0:
        text = f"{figure(totals['outside_m2'])} m² were worked outside the task: they are not counted"
        issues.append(
            Issue("SW-11", "info", "fixes", message=text, value=float(totals["outside_m2"]), geometry=where("outside"))
        )
    if totals["gaps"]:
        text = f"{totals['gaps']} gaps, {figure(totals['gaps_m2'])} m² together, are inside the task"
        issues.append(
            Issue("SW-13", "warning", "fixes", message=text, value=float(totals["gaps_m2"]), geometry=where("missed"))
        )
    if method[0] == UNKNOWN:
        text = (
            f"the method '{clipped(method[1])}' is not a known word: covered ground is shown as worked, not as searched"
        )
        issues.append(Issue("SW-16", "warning", "fixes", column="method", message=text, value=clipped(method[1])))
    if method[0] is None and totals["covered_m2"] > 0:
        text = "the method of the work is not stated: covered ground is shown as worked, not as searched"
        issues.append(Issue("SW-16", "info", "fixes", column="method", message=text, value=float(totals["covered_m2"])))
    if totals["processed_m2"] > 0:
        text = "ground worked by a machine is processed, not cleared, until a search has followed"
        issues.append(Issue("SW-14", "info", "fixes", message=text, value=float(totals["processed_m2"])))
    return [*issues, *_position(position)]


def _position(position: Position) -> list[Issue]:
    if not position.passes:
        return []
    issues = []
    whole = max(position.length_m, 1e-9)
    if position.stated < position.passes:
        text = (
            f"on {100 * position.unstated_m / whole:.0f} % of the length of the passes that touch the task the fixes do not state how accurate they are: there the error of a "
            f"hand-held receiver is assumed, {position.assumed_m:g} m per axis. If the receiver is known, say its accuracy"
        )
        issues.append(
            Issue(
                "SW-21",
                "warning",
                "fixes",
                column="h_acc_m",
                message=text,
                value=position.unstated_m,
                limit=position.assumed_m,
            )
        )
    if not position.poor_m:
        return issues
    worst = max(position.worst_m, position.assumed_m if position.unstated_m else 0.0)
    text = (
        f"These tracks cannot show coverage: on {100 * position.poor_m / whole:.0f} % of their length the position error (up to {worst:.2f} m) is too large "
        f"for a tool {position.width_m:.2f} m wide. Use marked lanes or better positions."
    )
    if not position.shows:
        text += " The ground they lie on is shown as worked, not as searched."
    limit = position.width_m / 2 / CONFIDENT
    return [*issues, Issue("SW-20", "error", "fixes", column="h_acc_m", message=text, value=worst, limit=limit)]


def repaired_note(before: np.ndarray, after: np.ndarray, home: pyproj.CRS) -> list[Issue]:
    """A row if the outline of the task had to be repaired."""
    changed = ~shapely.is_valid(before)
    if not changed.any():
        return []
    place = _crs.transform(shapely.point_on_surface(after[changed][:1]), home, _crs.WGS84)[0]
    text = f"{int(changed.sum())} polygons of the task were not valid and were repaired: check the outline"
    return [
        Issue(
            "SW-15",
            "warning",
            "hazards",
            message=text,
            value=int(changed.sum()),
            geometry=None if place.is_empty else place,
        )
    ]


def card(result: Any) -> str:
    """The result as a small HTML table, safe to show whatever the names contain."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(str(name))}</th><td style='text-align:right'>{html.escape(_cell(value))}</td></tr>"
        for name, value in result.totals.items()
    )
    words = "".join(f"<li>{html.escape(line)}</li>" for line in result.sentences)
    picture = sketch([(result.covered, "#00664a"), (result.missed, "#a63603")])
    return f"<div><strong>Swath coverage</strong><ul>{words}</ul>{picture}<table>{rows}</table></div>"


def _cell(value: Any) -> str:
    return (
        f"{value:,.4g}"
        if isinstance(value, float) and abs(value) < 10
        else f"{value:,.1f}"
        if isinstance(value, float)
        else str(value)
    )
