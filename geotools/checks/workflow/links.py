"""Links as text: WF-06: broken, one-way, in a circle, missing. Not for what they mean on the ground (see `relations`)."""

from __future__ import annotations

from collections.abc import Iterator

from geotools.checks.layers import Data, Layer
from geotools.checks.relations.ground import ids_of
from geotools.checks.rule import Check, Finding, listed

# Links as text: column → layer it points into.
LINKS = (
    ("hazard_id", "hazards"),
    ("activity_id", "activities"),
    ("parent_id", "hazards"),
    ("supersedes_id", "hazards"),
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


RULES = (Check("WF-06", broken_links, ("every layer",), "error", source="IMSMA Core, linking"),)
