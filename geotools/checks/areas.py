"""Areas that must agree: AR-03, 05, 06, 07, 11, 12, 13 from geometry alone. Not the ledger: that is `analysis.release`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from geotools.checks import overlay
from geotools.checks.layers import POLYGONAL, Data, Layer
from geotools.checks.relations.ground import ids_of, linked_hazards, processed_only
from geotools.checks.rule import Check, Finding, m2
from geotools.space import measure

LEDGER = "analysis.release"


def _by_hazard(data: Data) -> dict[int, list[int]]:
    """Hazard row → its releases with a polygon; ground that a machine has only processed is no product."""
    releases = data.layer("releases")
    usable = np.isin(shapely.get_type_id(releases.plane), POLYGONAL) & ~processed_only(data, releases)
    out: dict[int, list[int]] = {}
    for row, links in enumerate(linked_hazards(data, releases)):
        for hazard in links if usable[row] else []:
            out.setdefault(hazard, []).append(row)
    return out


def two_products(data: Data) -> Iterator[Finding]:
    """AR-03: within a hazard, ground counted under two of cancelled, reduced and cleared."""
    hazards, releases = data.layer("hazards"), data.layer("releases")
    pairs = data.overlaps("releases")
    product = releases.text("product").astype(str)
    of: dict[int, set[int]] = {}
    for hazard, rows in _by_hazard(data).items():
        for row in rows:
            of.setdefault(row, set()).add(hazard)
    found: dict[int, list[int]] = {}
    for k in np.flatnonzero(product[pairs.a] != product[pairs.b]):
        for hazard in of.get(int(pairs.a[k]), set()) & of.get(int(pairs.b[k]), set()):
            found.setdefault(hazard, []).append(int(k))
    for hazard, ks in sorted(found.items()):
        twice = shapely.union_all(pairs.shape[ks])
        area, limit = (
            float(shapely.area(twice)),
            max(
                0.01,
                min(data.limit("overlap_m2"), data.limit("overlap_share") * float(np.nan_to_num(hazards.area[hazard]))),
            ),
        )
        if area > limit:
            yield Finding(
                "hazards",
                hazards.ids[hazard],
                "geometry",
                {"area": m2(area)},
                value=round(area, 3),
                limit=round(limit, 3),
                geometry=data.place(twice),
            )


def released_outside(data: Data) -> Iterator[Finding]:
    """AR-05: per hazard, all that is released beyond its boundary."""
    hazards, releases = data.layer("hazards"), data.layer("releases")
    links = linked_hazards(data, releases)
    for hazard, rows in sorted(_by_hazard(data).items()):
        if not hazards.area[hazard] > 0:
            continue
        shape = hazards.plane[hazard]
        rows = [r for r in rows if len(links[r]) == 1]
        spill = [
            r for r in rows if releases.area[r] - shapely.area(overlay.intersection(releases.plane[r], shape)) > 0.01
        ]
        if not spill:
            continue
        outside = overlay.difference(shapely.union_all(releases.plane[spill]), shape)
        area = float(shapely.area(outside))
        if area > data.limit("overlap_m2"):
            yield Finding(
                "hazards",
                hazards.ids[hazard],
                "geometry",
                {"area": m2(area)},
                value=round(area, 3),
                limit=data.limit("overlap_m2"),
                geometry=data.place(outside),
            )


def processed_less_than_cleared(data: Data) -> Iterator[Finding]:
    """AR-06: an activity reports less ground processed than was cleared in it."""
    releases = data.layer("releases")
    product = releases.text("product")
    cleared: dict[str, float] = {}
    for row, text in enumerate(releases.text("activity_id")):
        if product[row] == "cleared" and releases.area[row] > 0:
            for name in ids_of(text):
                cleared[name] = cleared.get(name, 0.0) + float(releases.area[row])
    for layer in data.each("activities"):
        processed = layer.numbers("processed_m2")
        for row, name in enumerate(layer.ids):
            done = cleared.get(name, 0.0)
            if processed[row] < done * (1 - data.limit("area_mismatch_share")) - data.limit("overlap_m2"):
                words = {"processed": m2(processed[row]), "cleared": m2(done, "down")}
                yield Finding(
                    layer.kind,
                    name,
                    "processed_m2",
                    words,
                    value=float(processed[row]),
                    limit=round(done, 1),
                    geometry=layer.lonlat[row],
                )


def progress_and_completion(data: Data) -> Iterator[Finding]:
    """AR-07: progress polygons of a hazard joined are not its completion polygon."""
    limit = data.limit("progress_mismatch_share")
    for layer in data.each("activities"):
        sort = layer.text("type")
        usable = np.isin(shapely.get_type_id(layer.plane), POLYGONAL)
        steps: dict[str, list[int]] = {}
        final: dict[str, list[int]] = {}
        for row, text in enumerate(layer.text("hazard_id")):
            for name in ids_of(text) if usable[row] else []:
                if sort[row] == "progress_report":
                    steps.setdefault(name, []).append(row)
                elif sort[row] == "completion_report":
                    final.setdefault(name, []).append(row)
        for name in sorted(set(steps) & set(final)):
            step, last = shapely.union_all(layer.plane[steps[name]]), shapely.union_all(layer.plane[final[name]])
            apart = shapely.symmetric_difference(step, last)
            share = float(shapely.area(apart) / shapely.area(last)) if shapely.area(last) else 1.0
            if share > limit and shapely.area(apart) > data.limit("overlap_m2"):
                words = {"hazard": name, "area": m2(shapely.area(apart)), "share": f"{100 * share:.1f}"}
                yield Finding(
                    layer.kind,
                    layer.ids[final[name][0]],
                    "geometry",
                    words,
                    value=round(share, 4),
                    limit=limit,
                    geometry=data.place(apart),
                )


# Factors that betray a slip of units: name of the unit meant, reported / true.
FACTORS = (("ha", 1e-4), ("km2", 1e-6), ("ha_twice", 1e4), ("km2_twice", 1e6), ("digit", 10.0), ("digit", 0.1), ("dunam", 1e-3), ("dunam_twice", 1e3))  # fmt: skip


def _compared(data: Data) -> Iterator[tuple[Layer, int, float, float, float, str]]:
    """(layer, row, reported, true, allowed share, factor name or "") for every reported area out of tolerance."""
    share = data.limit("area_mismatch_share")
    for layer in data.each("hazards", "releases"):
        reported = layer.numbers("area_reported_m2")
        rows = np.flatnonzero((reported > 0) & (np.nan_to_num(layer.area) > 0))
        if not len(rows):
            continue
        true = layer.area[rows]
        sigma = np.where(np.isnan(layer.accuracy[rows]), data.limit("h_acc_default_m"), layer.accuracy[rows])
        spread = measure.area_sigma(_series(data, layer.plane[rows]), sigma).to_numpy()
        allowed = np.maximum(share, 2 * spread / true)
        off = np.abs(reported[rows] - true) / true > allowed
        for k in np.flatnonzero(off):
            row = int(rows[k])
            yield (
                layer,
                row,
                float(reported[row]),
                float(true[k]),
                float(allowed[k]),
                _factor(data, layer, row, reported[row] / true[k]),
            )


def _series(data: Data, plane: np.ndarray) -> Any:
    import geopandas as gpd

    return gpd.GeoSeries(plane, crs=data.plane_crs)


def _factor(data: Data, layer: Layer, row: int, ratio: float) -> str:
    near = data.limit("area_factor_share")
    for name, factor in FACTORS:
        if abs(ratio / factor - 1) < near:
            return name
    lonlat = layer.lonlat[row]
    true = float(layer.area[row])
    degrees = float(shapely.area(lonlat)) if shapely.is_valid(lonlat) else 0.0
    if degrees and abs(ratio * true / degrees - 1) < near:
        return "degrees"
    lat = np.radians(float(shapely.centroid(lonlat).y))
    if abs(lat) > 0.2 and abs(ratio * np.cos(lat) ** 2 - 1) < min(near, 0.01):
        return "mercator"
    if degrees and abs(ratio * true / (degrees * 111_320.0**2) - 1) < 0.01:
        return "square_degrees"
    return ""


def reported_area(data: Data) -> Iterator[Finding]:
    """AR-11: reported and calculated area differ by more than the positions explain."""
    for layer, row, reported, true, allowed, factor in _compared(data):
        if not factor:
            words = {
                "reported": m2(reported),
                "area": m2(true),
                "share": f"{100 * (reported / true - 1):+.1f}",
                "limit": f"{100 * allowed:.1f}",
            }
            yield Finding(
                layer.kind,
                layer.ids[row],
                "area_reported_m2",
                words,
                value=reported,
                limit=round(true, 1),
                geometry=layer.lonlat[row],
            )


def unit_slip(data: Data) -> Iterator[Finding]:
    """AR-13: reported area is off by a factor that a unit explains."""
    for layer, row, reported, true, _, factor in _compared(data):
        if factor:
            words = {"reported": f"{reported:,.12g}", "area": m2(true)}
            yield Finding(
                layer.kind,
                layer.ids[row],
                "area_reported_m2",
                words,
                variant=factor,
                value=reported,
                limit=round(true, 1),
                geometry=layer.lonlat[row],
            )


def devices_do_not_add_up(data: Data) -> Iterator[Finding]:
    """AR-12: devices in the report are not the sum of its finds."""
    finds = data.layer("finds")
    quantity = finds.numbers("qty")
    quantity = np.where(np.isnan(quantity), 1.0, quantity)
    totals: dict[str, float] = {}
    for row, text in enumerate(finds.text("activity_id")):
        for name in ids_of(text):
            totals[name] = totals.get(name, 0.0) + float(quantity[row])
    if not len(finds):
        return
    for layer in data.each("activities"):
        said = layer.numbers("devices_found")
        for row in np.flatnonzero(np.isfinite(said)).tolist():
            listed_total = totals.get(layer.ids[row], 0.0)
            if said[row] != listed_total:
                words = {"said": f"{said[row]:g}", "listed": f"{listed_total:g}"}
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "devices_found",
                    words,
                    value=float(said[row]),
                    limit=listed_total,
                    geometry=layer.lonlat[row],
                )


AREAL = ("hazards", "releases")
PAIR = ("overlap_m2", "overlap_share")
RULES = (
    Check("AR-01", None, AREAL, "error", PAIR, evaluated_by=LEDGER),
    Check("AR-02", None, AREAL, "error", evaluated_by=LEDGER),
    Check("AR-03", two_products, AREAL, "error", PAIR),
    Check("AR-04", None, AREAL, "error", PAIR, evaluated_by=LEDGER),
    Check("AR-05", released_outside, AREAL, "warning", ("overlap_m2",)),
    Check(
        "AR-06",
        processed_less_than_cleared,
        ("activities", "releases"),
        "warning",
        ("area_mismatch_share", "overlap_m2"),
    ),
    Check("AR-07", progress_and_completion, ("activities",), "warning", ("progress_mismatch_share", "overlap_m2")),
    Check("AR-08", None, ("releases",), "error", evaluated_by=LEDGER),
    Check("AR-09", None, AREAL, "error", evaluated_by=LEDGER),
    Check("AR-10", None, AREAL, "warning", evaluated_by=LEDGER),
    Check("AR-11", reported_area, AREAL, "warning", ("area_mismatch_share", "h_acc_default_m")),
    Check("AR-12", devices_do_not_add_up, ("activities", "finds"), "error"),
    Check("AR-13", unit_slip, AREAL, "warning", ("area_factor_share", "area_mismatch_share")),
)
