"""Status against the work behind it: WF-01, 09, 10, 11. Not for dates (see `dates`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from geotools.checks import overlay
from geotools.checks.layers import POLYGONAL, Data
from geotools.checks.relations.ground import ids_of, linked_hazards, processed_only
from geotools.checks.rule import Check, Finding, listed, m2

REPORTS = ("completion_report", "handover_certificate")


CLOSED = ("closed", "released")


def activities_of(data: Data) -> dict[str, list[int]]:
    """Hazard id → rows of the activities linked to it, directly, or through a release of both."""
    activities, releases = data.layer("activities"), data.layer("releases")
    out: dict[str, list[int]] = {}
    for row, text in enumerate(activities.text("hazard_id")):
        for name in ids_of(text):
            out.setdefault(name, []).append(row)
    for hazard, activity in zip(releases.text("hazard_id"), releases.text("activity_id"), strict=True):
        for name in ids_of(hazard):
            for work in ids_of(activity):
                if work in activities.index:
                    out.setdefault(name, []).append(activities.index[work])
    links = activities.text("links")
    for row, text in enumerate(links):
        for name in ids_of(text):
            out.setdefault(name, []).append(row)
    return out


def status_without_work(data: Data) -> Iterator[Finding]:
    """WF-01."""
    activities, releases = data.layer("activities"), data.layer("releases")
    types = activities.text("type")
    work = activities_of(data)
    released = {name for text in releases.text("hazard_id") for name in ids_of(text)}
    for layer in data.each("hazards"):
        status = layer.text("status")
        closed = np.flatnonzero(np.isin(status.astype(str), CLOSED))
        if not len(activities) and not len(releases):
            if len(closed):
                yield Finding(
                    "hazards", "", "status", {"count": len(closed)}, variant="layer", severity="info", value=len(closed)
                )
            continue
        for row in closed:
            name = layer.ids[row]
            reported = any(types[a] in REPORTS for a in work.get(name, [])) if len(activities) else name in released
            if not reported:
                yield Finding(
                    "hazards", name, "status", {"status": status[row]}, value=status[row], geometry=layer.lonlat[row]
                )
        for row in np.flatnonzero(status == "worked_on") if len(activities) else []:
            if layer.ids[row] not in work:
                yield Finding(
                    "hazards",
                    layer.ids[row],
                    "status",
                    {},
                    variant="idle",
                    value="worked_on",
                    geometry=layer.lonlat[row],
                )


def closed_with_fault(data: Data) -> Iterator[Finding]:
    """WF-09: closed although an inspection found a critical fault and none later passed."""
    hazards = data.layer("hazards")
    status = hazards.text("status")
    for layer in data.each("samples"):
        result, severity, days = layer.text("result"), layer.text("nonconformity"), layer.days("date")
        by_hazard: dict[int, list[int]] = {}
        for row, links in enumerate(linked_hazards(data, layer)):
            for hazard in links:
                by_hazard.setdefault(hazard, []).append(row)
        for hazard, rows in sorted(by_hazard.items()):
            bad = [r for r in rows if result[r] == "failed" or severity[r] == "critical"]
            cured = [r for r in rows if result[r] == "passed" and severity[r] != "critical"]
            open_faults = [r for r in bad if not any(days[c] > days[r] for c in cured)]
            if status[hazard] in CLOSED and open_faults:
                words = {"samples": listed(layer.ids[open_faults])}
                yield Finding(
                    "hazards",
                    hazards.ids[hazard],
                    "status",
                    words,
                    value=words["samples"],
                    geometry=hazards.lonlat[hazard],
                )


def _released_ground(data: Data) -> dict[int, list[int]]:
    releases = data.layer("releases")
    out: dict[int, list[int]] = {}
    for row, links in enumerate(linked_hazards(data, releases)):
        for hazard in links:
            out.setdefault(hazard, []).append(row)
    return out


def closed_with_land(data: Data) -> Iterator[Finding]:
    """WF-10: closed while part of it is not released; WF-11 is its mirror."""
    yield from _remaining(data, closed=True)


def released_but_open(data: Data) -> Iterator[Finding]:
    """WF-11: all of it released, yet still open."""
    yield from _remaining(data, closed=False)


def _remaining(data: Data, *, closed: bool) -> Iterator[Finding]:
    if "releases" not in data.layers:
        return
    hazards, releases = data.layer("hazards"), data.layer("releases")
    status = hazards.text("status")
    ground = _released_ground(data)
    processed = processed_only(data, releases)
    for hazard in np.flatnonzero(np.nan_to_num(hazards.area) > 0).tolist():
        if (
            (status[hazard] in CLOSED) != closed
            or status[hazard] == "cancelled"
            or (not closed and status[hazard] not in ("open", "worked_on"))
        ):
            continue
        rows = [r for r in ground.get(hazard, []) if not processed[r]]
        if not rows and not closed:
            continue
        tolerance = max(data.limit("overlap_m2"), data.limit("overlap_share") * hazards.area[hazard])
        rest = _rest(hazards.plane[hazard], releases.plane[rows])
        left = float(shapely.area(rest))
        if closed and rows and left > tolerance:
            place = data.place(rest)
            yield Finding(
                "hazards",
                hazards.ids[hazard],
                "status",
                {"area": m2(left, "up"), "status": status[hazard]},
                value=round(left, 3),
                limit=round(tolerance, 3),
                geometry=place,
            )
        elif not closed and left <= tolerance:
            yield Finding(
                "hazards",
                hazards.ids[hazard],
                "status",
                {"status": status[hazard]},
                value=status[hazard],
                geometry=hazards.lonlat[hazard],
            )


def _rest(hazard: Any, shapes: np.ndarray) -> Any:
    shapes = shapes[np.isin(shapely.get_type_id(shapes), POLYGONAL)]
    return overlay.difference(hazard, shapely.union_all(shapes)) if len(shapes) else hazard


RULES = (
    Check("WF-01", status_without_work, ("hazards", "activities", "releases"), "error", source="IMSMA wiki, workflows"),
    Check("WF-09", closed_with_fault, ("hazards", "samples"), "error"),
    Check("WF-10", closed_with_land, ("hazards", "releases"), "error", ("overlap_m2", "overlap_share")),
    Check("WF-11", released_but_open, ("hazards", "releases"), "info", ("overlap_m2", "overlap_share")),
)
