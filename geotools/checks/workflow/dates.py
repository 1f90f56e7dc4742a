"""Days and their order: WF-02, WF-03. Not for what was done on them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geotools.checks.layers import Data
from geotools.checks.relations.ground import linked_hazards
from geotools.checks.rule import Check, Finding, listed
from geotools.checks.workflow.status import REPORTS, activities_of

# Dates in the order they must come, per kind.
ORDERS = {
    "hazards": (("date_info", "date_entry"),),
    "releases": (("date", "handover_date"),),
    "activities": (("start", "end"),),
    "tracks": (("start", "end"),),
}


EARLIEST = np.datetime64("1940-01-01")


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
    for name, rows in sorted(activities_of(data).items()):
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


RULES = (
    Check("WF-02", stale_information, ("hazards", "activities"), "warning", source="IMSMA wiki, information model"),
    Check("WF-03", impossible_dates, ("every layer",), "error"),
)
