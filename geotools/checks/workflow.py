"""Order of work, dates and links: WF-01…11. Not for what the links mean on the ground (see `relations.ground`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from geotools.checks.layers import POLYGONAL, Data, Layer
from geotools.checks.relations.ground import ids_of, linked_hazards, processed_only
from geotools.checks.rule import Check, Finding, listed, m2

REPORTS = ("completion_report", "handover_certificate")
CLOSED = ("closed", "released")
# Links as text: column → layer it points into.
LINKS = (
    ("hazard_id", "hazards"),
    ("activity_id", "activities"),
    ("parent_id", "hazards"),
    ("supersedes_id", "hazards"),
)


def _activities_of(data: Data) -> dict[str, list[int]]:
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
    work = _activities_of(data)
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


def stale_information(data: Data) -> Iterator[Finding]:
    """WF-02: a later record with the same or an earlier date than the one it follows."""
    for layer in data.each("hazards"):
        days, older = layer.days("date_info"), layer.text("supersedes_id")
        for row in range(len(layer)):
            before = layer.index.get(older[row] or "")
            if before is not None and not np.isnat(days[[row, before]]).any() and days[row] <= days[before]:
                words = {"other": layer.ids[before], "date": str(days[row]), "before": str(days[before])}
                yield Finding(
                    "hazards",
                    layer.ids[row],
                    "date_info",
                    words,
                    value=words["date"],
                    limit=words["before"],
                    geometry=layer.lonlat[row],
                )
    activities = data.layer("activities")
    types, ends = activities.text("type"), activities.days("end")
    for name, rows in sorted(_activities_of(data).items()):
        done = [r for r in rows if types[r] in REPORTS and not np.isnat(ends[r])]
        steps = [r for r in rows if types[r] == "progress_report" and not np.isnat(ends[r])]
        for report in sorted(set(done)):
            late = [r for r in steps if ends[r] > ends[report]]
            if late and types[report] == "completion_report":
                words = {
                    "other": listed(activities.ids[sorted(set(late))]),
                    "date": str(ends[report]),
                    "before": str(max(ends[late])),
                    "hazard": name,
                }
                yield Finding(
                    "activities",
                    activities.ids[report],
                    "end",
                    words,
                    variant="report",
                    value=words["date"],
                    limit=words["before"],
                )


# Dates in the order they must come, per kind.
ORDERS = {
    "hazards": (("date_info", "date_entry"),),
    "releases": (("date", "handover_date"),),
    "activities": (("start", "end"),),
    "tracks": (("start", "end"),),
}
EARLIEST = np.datetime64("1940-01-01")


def impossible_dates(data: Data) -> Iterator[Finding]:
    """WF-03: start after end, days to come, days before any record, release before its survey, find outside its task."""
    today = np.datetime64(data.today)
    for layer in data.each():
        if layer.schema is None or layer.kind == "fixes":
            continue
        for column in [c.name for c in layer.schema if c.kind == "date" and layer.has(c.name)]:
            days = layer.days(column)
            with np.errstate(invalid="ignore"):
                ahead, ancient = days > today, days < EARLIEST
            if layer.kind == "activities":
                ahead &= ~np.isin(layer.text("status").astype(str), ("planned", "ongoing", "suspended"))
            for row in np.flatnonzero(ahead | ancient):
                words = {"column": column, "date": str(days[row]), "today": str(today)}
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    column,
                    words,
                    variant="future" if ahead[row] else "ancient",
                    value=str(days[row]),
                    limit=str(today),
                    geometry=layer.lonlat[row],
                )
        for first, second in ORDERS.get(layer.kind, ()):
            a, b = layer.days(first), layer.days(second)
            for row in np.flatnonzero(a > b):
                words = {"first": first, "second": second, "a": str(a[row]), "b": str(b[row])}
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    first,
                    words,
                    value=str(a[row]),
                    limit=str(b[row]),
                    geometry=layer.lonlat[row],
                )
    yield from _before_survey(data)
    yield from _outside_task(data)


def _before_survey(data: Data) -> Iterator[Finding]:
    hazards = data.layer("hazards")
    known = hazards.days("date_info")
    for layer in data.each("releases"):
        days = layer.days("date")
        for row, links in enumerate(linked_hazards(data, layer)):
            for hazard in links:
                if not np.isnat(known[hazard]) and days[row] < known[hazard]:
                    words = {"hazard": hazards.ids[hazard], "a": str(days[row]), "b": str(known[hazard])}
                    yield Finding(
                        layer.kind,
                        layer.ids[row],
                        "date",
                        words,
                        variant="survey",
                        value=words["a"],
                        limit=words["b"],
                        geometry=layer.lonlat[row],
                    )


def _outside_task(data: Data) -> Iterator[Finding]:
    activities = data.layer("activities")
    start, end = activities.days("start"), activities.days("end")
    for layer in data.each("finds"):
        days = layer.days("date")
        for row, name in enumerate(layer.text("activity_id")):
            task = activities.index.get(name or "")
            if task is not None and (days[row] < start[task] or days[row] > end[task]):
                words = {"activity": name, "date": str(days[row]), "a": str(start[task]), "b": str(end[task])}
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "date",
                    words,
                    variant="task",
                    severity="warning",
                    value=words["date"],
                    limit=f"{words['a']}…{words['b']}",
                    geometry=layer.lonlat[row],
                )


_OUTCOME = ("completion_report", "progress_report")
# Which activities may yield a product; reports of outcome go with any search.
MAY = {
    "cancelled": ("nts", "cancellation_report"),
    "reduced": ("ts", *_OUTCOME),
    "cleared": ("clearance", "bac", "eod_spot_task", "road_clearance", *_OUTCOME),
}
METHODS = {
    "cancelled": ("nts",),
    "reduced": (
        "ts",
        "manual",
        "detector",
        "mdd",
        "mechanical",
        "mixed",
        "visual",
        "bac",
        "bac_surface",
        "bac_subsurface",
    ),
    "cleared": ("manual", "detector", "mdd", "mechanical", "mixed", "visual", "bac", "bac_surface", "bac_subsurface"),
}


def wrong_product(data: Data) -> Iterator[Finding]:
    """WF-04: a product that its activity or method cannot yield."""
    activities = data.layer("activities")
    types = activities.text("type")
    lenient = data.limit("reduction_in_clearance_allowed") > 0
    for layer in data.each("releases"):
        product, method, named = layer.text("product"), layer.text("method"), layer.text("activity_id")
        for row in range(len(layer)):
            allowed = MAY.get(product[row] or "")
            if allowed is None:
                continue
            if lenient and product[row] == "reduced":
                allowed = (*allowed, "clearance", "bac")
            sorts = [str(types[activities.index[a]]) for a in ids_of(named[row]) if a in activities.index]
            wrong = [s for s in sorts if s != "None" and s not in allowed]
            if wrong and not any(s in allowed for s in sorts):
                words = {"product": product[row], "activity": wrong[0]}
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "product",
                    words,
                    value=f"{product[row]} / {wrong[0]}",
                    limit=listed(allowed),
                    geometry=layer.lonlat[row],
                )
            elif method[row] and not any(m in METHODS[str(product[row])] for m in ids_of(method[row])):
                words = {"product": product[row], "method": method[row]}
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "method",
                    words,
                    variant="method",
                    value=f"{product[row]} / {method[row]}",
                    geometry=layer.lonlat[row],
                )


def wrong_evidence(data: Data) -> Iterator[Finding]:
    """WF-05: confirmed without direct evidence, suspected with nothing but direct evidence."""
    for layer in data.each("hazards"):
        if not layer.has("evidence"):
            continue
        sort, evidence = layer.text("classification"), layer.text("evidence")
        for row in range(len(layer)):
            if sort[row] == "CHA" and evidence[row] not in ("direct", "both"):
                yield Finding(
                    "hazards",
                    layer.ids[row],
                    "evidence",
                    {"evidence": evidence[row] or "-"},
                    value=evidence[row] or "",
                    limit="direct",
                    geometry=layer.lonlat[row],
                )
            elif sort[row] == "SHA" and evidence[row] == "direct":
                yield Finding(
                    "hazards",
                    layer.ids[row],
                    "evidence",
                    {},
                    variant="suspected",
                    value="direct",
                    geometry=layer.lonlat[row],
                )


def broken_links(data: Data) -> Iterator[Finding]:
    """WF-06: links to records that are not there, one-way links, circles, work that belongs to nothing."""
    for layer in data.each():
        for column, target in LINKS:
            if not layer.has(column) or target not in data.layers or (layer.kind == target and column == "hazard_id"):
                continue
            known = data.layer(target).index
            for row, text in enumerate(layer.text(column)):
                lost = [name for name in ids_of(text) if name not in known]
                if lost:
                    yield Finding(
                        layer.kind,
                        layer.ids[row],
                        column,
                        {"column": column, "values": listed(lost)},
                        value=listed(lost),
                        geometry=layer.lonlat[row],
                    )
    yield from _marks_without_owner(data)
    yield from _one_way(data)
    yield from _circles(data)
    yield from _orphans(data)


def _marks_without_owner(data: Data) -> Iterator[Finding]:
    owners = set(data.layer("hazards").index) | set(data.layer("releases").index) | set(data.layer("activities").index)
    for layer in data.each("marks", "legs") if "hazards" in data.layers else []:
        lost = {str(f): row for row, f in reversed(list(enumerate(layer.text("feature_id")))) if f and f not in owners}
        for name, row in sorted(lost.items()):
            yield Finding(
                layer.kind,
                name,
                "feature_id",
                {"column": "feature_id", "values": name},
                value=name,
                severity="info",  # a figure may be measured before its record is made
                geometry=layer.lonlat[row],
            )


def _one_way(data: Data) -> Iterator[Finding]:
    layers = [layer for layer in data.each() if layer.has("links")]
    said: dict[str, set[str]] = {}
    home: dict[str, tuple[Layer, int]] = {}
    for layer in layers:
        for row, text in enumerate(layer.text("links")):
            said[layer.ids[row]] = set(ids_of(text))
            home[layer.ids[row]] = (layer, row)
    everywhere = {name for layer in data.layers.values() for name in layer.index}
    for name, others in sorted(said.items()):
        layer, row = home[name]
        for other in sorted(others):
            if other not in everywhere:
                yield Finding(
                    layer.kind,
                    name,
                    "links",
                    {"column": "links", "values": other},
                    value=other,
                    geometry=layer.lonlat[row],
                )
            elif other in said and name not in said[other]:
                yield Finding(
                    layer.kind,
                    name,
                    "links",
                    {"other": other},
                    variant="one_way",
                    severity="warning",
                    value=other,
                    geometry=layer.lonlat[row],
                )


def _circles(data: Data) -> Iterator[Finding]:
    for layer in data.each("hazards"):
        for column in ("parent_id", "supersedes_id"):
            above = {name: t for name, t in zip(layer.ids, layer.text(column), strict=True) if t}
            told: set[str] = set()
            for name in sorted(above):
                chain, step = [name], above.get(name)
                while step and step not in chain:
                    chain.append(step)
                    step = above.get(step)
                if step == name and not told & set(chain):
                    told |= set(chain)
                    words = {"column": column, "chain": " → ".join([*chain[:6], name])}
                    yield Finding(
                        "hazards",
                        name,
                        column,
                        words,
                        variant="circle",
                        value=words["chain"],
                        geometry=layer.lonlat[layer.index[name]],
                    )


def _orphans(data: Data) -> Iterator[Finding]:
    if "hazards" not in data.layers:
        return
    used = {
        name
        for layer in data.layers.values()
        if layer.kind != "activities"
        for text in layer.text("activity_id")
        for name in ids_of(text)
    }
    for layer in data.each("activities"):
        hazard, task, links, sort = (layer.text(c) for c in ("hazard_id", "task_id", "links", "type"))
        for row in range(len(layer)):
            alone = not (hazard[row] or task[row] or links[row] or layer.ids[row] in used)
            if alone and sort[row] not in (
                "training",
                "nts",
                "stockpile_destruction",
                "road_assessment",
                "eod_spot_task",
            ):
                yield Finding(
                    "activities",
                    layer.ids[row],
                    "hazard_id",
                    {"type": sort[row] or "?"},
                    variant="orphan",
                    severity="warning",
                    geometry=layer.lonlat[row],
                )


def depth(data: Data) -> Iterator[Finding]:
    """WF-07: cleared without a depth, or less deep than the programme requires."""
    hazards = data.layer("hazards")
    kinds = hazards.text("contamination")
    required = data.programme.depth_cm
    for layer in data.each("releases"):
        product, depths = layer.text("product"), layer.numbers("depth_cm")
        links = linked_hazards(data, layer) if required else [[] for _ in range(len(layer))]
        for row in np.flatnonzero(product == "cleared"):
            if not depths[row] > 0:
                yield Finding(layer.kind, layer.ids[row], "depth_cm", {}, geometry=layer.lonlat[row])
                continue
            sorts = [s for h in links[row] for s in ids_of(kinds[h])]
            needed = max((float(required[s]) for s in (*sorts, "default") if s in required), default=0.0)
            if depths[row] < needed:
                words = {"depth": f"{depths[row]:g} cm", "limit": f"{needed:g} cm"}
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "depth_cm",
                    words,
                    variant="shallow",
                    value=float(depths[row]),
                    limit=needed,
                    geometry=layer.lonlat[row],
                )


def mechanical_only(data: Data) -> Iterator[Finding]:
    """WF-08: ground called cleared after a machine alone."""
    activities = data.layer("activities")
    methods = activities.text("method")
    for layer in data.each("releases"):
        product, method, follow = layer.text("product"), layer.text("method"), layer.text("follow_up")
        named = layer.text("activity_id")
        for row in np.flatnonzero(product == "cleared"):
            own = method[row] or next(
                (methods[activities.index[a]] for a in ids_of(named[row]) if a in activities.index), None
            )
            if own == "mechanical" and (not follow[row] or follow[row] in ("mechanical", "nts")):
                yield Finding(layer.kind, layer.ids[row], "method", {}, value="mechanical", geometry=layer.lonlat[row])


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
    processed = processed_only(releases)
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
                {"area": m2(left), "status": status[hazard]},
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
    from geotools.checks import overlay

    shapes = shapes[np.isin(shapely.get_type_id(shapes), POLYGONAL)]
    return overlay.difference(hazard, shapely.union_all(shapes)) if len(shapes) else hazard


RULES = (
    Check("WF-01", status_without_work, ("hazards", "activities", "releases"), "error", source="IMSMA wiki, workflows"),
    Check("WF-02", stale_information, ("hazards", "activities"), "warning", source="IMSMA wiki, information model"),
    Check("WF-03", impossible_dates, ("every layer",), "error"),
    Check(
        "WF-04",
        wrong_product,
        ("releases", "activities"),
        "warning",
        ("reduction_in_clearance_allowed",),
        "Lebanon NMAS 09.10",
    ),
    Check("WF-05", wrong_evidence, ("hazards",), "warning", source="IMSMA wiki, evidence"),
    Check("WF-06", broken_links, ("every layer",), "error", source="IMSMA Core, linking"),
    Check("WF-07", depth, ("releases", "hazards"), "error", source="GICHD minimum data, 2018"),
    Check("WF-08", mechanical_only, ("releases", "activities"), "error", source="Lebanon NMAS 09.50"),
    Check("WF-09", closed_with_fault, ("hazards", "samples"), "error"),
    Check("WF-10", closed_with_land, ("hazards", "releases"), "warning", ("overlap_m2", "overlap_share")),
    Check("WF-11", released_but_open, ("hazards", "releases"), "info", ("overlap_m2", "overlap_share")),
)
