"""Product, method, evidence and depth: WF-04, 05, 07, 08. Not for areas (see `areas`)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geotools.checks.layers import Data
from geotools.checks.relations.ground import ids_of, linked_hazards
from geotools.checks.rule import Check, Finding, listed
from geotools.model import methods

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
    """WF-08: ground called cleared after a machine alone, or after work that nobody knows to be a search."""
    own_words = data.programme.words.get("method")
    activities = data.layer("activities")
    worked = methods.method_keys(activities.frame, "method", own_words)
    for layer in data.each("releases"):
        product = layer.text("product")
        method, follow = (methods.method_keys(layer.frame, c, own_words) for c in ("method", "follow_up"))
        named = layer.text("activity_id")
        for row in np.flatnonzero(product == "cleared"):
            own = method[row] or next(
                (worked[activities.index[a]] for a in ids_of(named[row]) if a in activities.index), None
            )
            if methods.only_processed(own, follow[row]):
                variant = "unknown" if own == methods.UNKNOWN else ""
                yield Finding(
                    layer.kind, layer.ids[row], "method", {}, variant=variant, value=own, geometry=layer.lonlat[row]
                )


LENIENT = ("reduction_in_clearance_allowed",)
RULES = (
    Check("WF-04", wrong_product, ("releases", "activities"), "warning", LENIENT, "Lebanon NMAS 09.10"),
    Check("WF-05", wrong_evidence, ("hazards",), "warning", source="IMSMA wiki, evidence"),
    Check("WF-07", depth, ("releases", "hazards"), "error", source="GICHD minimum data, 2018"),
    Check("WF-08", mechanical_only, ("releases", "activities"), "error", source="Lebanon NMAS 09.50"),
)
