"""The training camp: blind lanes with test targets, and the marks that anonymous operators left.

Targets are harmless test pieces. For lanes and marks only.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import shapely

from synthetic.plane import NOTE, lonlat, placed, rng

CAMP = (688_900.0, 4_381_300.0)
ANGLE, LENGTH, WIDTH, HALO = 25.0, 30.0, 1.5, 0.20
LANES = ("L1", "L2", "L3", "L4")
OPERATORS = {
    "OP-1": (0.96, 0.05),
    "OP-2": (0.92, 0.08),
    "OP-3": (0.90, 0.15),
    "OP-4": (0.85, 0.06),
    "OP-5": (0.75, 0.20),
    "OP-6": (0.60, 0.35),
}
PIECES = ("test piece, large metal content", "test piece, small metal content", "test piece, minimum metal content")


def _place(lane: int, x: float, y: float):
    return placed(shapely.Point(x, y + lane * 6.0), CAMP, ANGLE)


def lane_grounds() -> dict:
    """Lane id → polygon in UTM 38N."""
    return {name: placed(shapely.box(0, i * 6.0, LENGTH, i * 6.0 + WIDTH), CAMP, ANGLE) for i, name in enumerate(LANES)}


def targets() -> list[dict]:
    """12 test pieces per lane, at least 1.5 m apart, depth to the top of the piece 2 to 20 cm."""
    stream, out = rng(21), []
    for lane, name in enumerate(LANES):
        for slot in range(12):
            x, y = round(1.5 + slot * 2.4 + stream.uniform(0, 0.8), 2), round(stream.uniform(0.3, WIDTH - 0.3), 2)
            point = _place(lane, x, y)
            lon, lat = lonlat(point.x, point.y)
            out.append({"target_id": f"{name}-T{slot + 1:02d}", "lane_id": name, "target_type": PIECES[slot % 3], "depth_cm": int(stream.randint(1, 11) * 2),
                        "soil": "loam" if lane < 2 else "loam with metal scrap", "x_m": x, "y_m": y, "lon": lon, "lat": lat, "note": NOTE})  # fmt: skip
    return out


def signals(pieces: list[dict]) -> tuple[list[dict], dict]:
    """Marks of six operators in four lanes with two detectors; truth: who found which piece, false alarms, duplicates."""
    stream, out, truth = rng(22), [], {}
    for turn, (operator, (skill, false_rate)) in enumerate(OPERATORS.items()):
        hits, missed_ids, false_alarms, duplicates = [], [], 0, 0
        for lane, name in enumerate(LANES):
            clock = datetime(2026, 4, 14 + lane, 5, 0, tzinfo=UTC) + timedelta(hours=turn)
            detector = "Detector A (synthetic)" if (turn + lane) % 2 else "Detector B (synthetic)"
            marks = []
            for piece in (p for p in pieces if p["lane_id"] == name):
                chance = (
                    skill - 0.012 * max(piece["depth_cm"] - 8, 0) - (0.06 if piece["target_type"] == PIECES[2] else 0.0)
                )
                if stream.rand() >= chance:
                    missed_ids.append(piece["target_id"])
                    continue
                hits.append(piece["target_id"])
                repeats = 2 if stream.rand() < 0.03 else 1
                duplicates += repeats - 1
                marks += [(*_near(stream, piece), stream.uniform(0.45, 1.0)) for _ in range(repeats)]
            wanted = stream.poisson(false_rate * LENGTH * WIDTH)
            false = _false_marks(stream, [p for p in pieces if p["lane_id"] == name], wanted)
            false_alarms += len(false)
            marks += [(x, y, stream.uniform(0.1, 0.7)) for x, y in false]
            for x, y, score in sorted(marks):
                clock += timedelta(seconds=int(stream.randint(20, 90)))
                point = _place(lane, x, y)
                lon, lat = lonlat(point.x, point.y)
                out.append({"signal_id": f"S{len(out) + 1:04d}", "lane_id": name, "operator": operator, "detector": detector, "run_id": f"{operator}-{name}",
                            "score": round(score, 2), "time": clock.isoformat().replace("+00:00", "Z"), "x_m": x, "y_m": y, "lon": lon, "lat": lat, "note": NOTE})  # fmt: skip
        truth[operator] = {
            "targets": len(pieces),
            "hits": len(hits),
            "missed": sorted(missed_ids),
            "false_alarms": false_alarms,
            "duplicates": duplicates,
        }
    return out, truth


def _near(stream, piece: dict) -> tuple[float, float]:
    while True:
        dx, dy = stream.normal(0, 0.06, 2)
        if np.hypot(dx, dy) < HALO - 0.02:
            return round(piece["x_m"] + dx, 2), round(piece["y_m"] + dy, 2)


def _false_marks(stream, pieces: list[dict], wanted: int) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    while len(out) < wanted:
        x, y = round(stream.uniform(0, LENGTH), 2), round(stream.uniform(0, WIDTH), 2)
        if all(np.hypot(x - p["x_m"], y - p["y_m"]) > HALO + 0.15 for p in pieces):
            out.append((x, y))
    return out
