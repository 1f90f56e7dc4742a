"""Bearing and distance sheets and survey marks.

For legs as a team writes them down; bearings are magnetic and rounded as on a compass.
"""

from __future__ import annotations

import numpy as np

from synthetic.plane import NOTE, lonlat, rng

DECLINATION, CONVERGENCE = 6.31, 1.364  # Fuzuli 2026.9, east positive
CORRECTION = round(DECLINATION - CONVERGENCE, 3)  # grid = magnetic + (D − γ)
START = (683_750.0, 4_385_600.0)
PUBLISHED = (
    ("SP", "TP1", 92.0, 118.40),
    ("TP1", "TP2", 171.5, 76.20),
    ("TP2", "TP3", 244.0, 64.90),
    ("TP3", "TP4", 278.5, 88.70),
    ("TP4", "SP", 8.0, 93.10),
)
FIGURES = {
    "SHEET-OPEN": [
        (685_210.0, 4_384_330.0),
        (685_322.0, 4_384_352.0),
        (685_341.0, 4_384_268.0),
        (685_265.0, 4_384_225.0),
        (685_198.0, 4_384_260.0),
    ],
    "SHEET-BLUNDER": [
        (686_120.0, 4_383_540.0),
        (686_215.0, 4_383_575.0),
        (686_262.0, 4_383_490.0),
        (686_190.0, 4_383_438.0),
        (686_125.0, 4_383_462.0),
    ],
    "SHEET-MILS": [
        (687_040.0, 4_382_610.0),
        (687_148.0, 4_382_598.0),
        (687_160.0, 4_382_520.0),
        (687_071.0, 4_382_488.0),
    ],
}


def sheets() -> tuple[dict[str, list[dict]], list[dict], dict]:
    """Sheet name → legs, survey marks, and truth (corners in UTM 38N, misclosure in the plane)."""
    stream = rng(31)
    legs = {
        "SHEET-72": [
            _leg("SHEET-72", i, a, b, f"{bearing:g}", "deg", length)
            for i, (a, b, bearing, length) in enumerate(PUBLISHED, start=1)
        ]
    }
    truth = {
        "SHEET-72": {
            "note": "test vector of the trade reference; start point exact",
            "start_utm": list(START),
            "closing_leg": True,
        }
    }
    for name, corners in FIGURES.items():
        legs[name], truth[name] = _measured(stream, name, corners)
    for name, rows in legs.items():
        truth[name] |= {"north": "magnetic", "correction_deg": CORRECTION, **_misclosure(rows)}
    marks = [
        m
        for name, corners in ({"SHEET-72": _published_corners()} | FIGURES).items()
        for m in _marks(stream, name, corners)
    ]
    return legs, marks, truth


def _measured(stream, name: str, corners: list) -> tuple[list[dict], dict]:
    """A sheet for known corners: 0.2° and 5 cm of noise; what is wrong with it is in its name."""
    names = ["SP", *[f"TP{i}" for i in range(1, len(corners))]]
    pairs = list(zip(range(len(corners)), [*range(1, len(corners)), 0], strict=True))
    if name == "SHEET-OPEN":
        pairs = pairs[:-1]
    rows = []
    for number, (i, j) in enumerate(pairs, start=1):
        east, north = np.subtract(corners[j], corners[i])
        magnetic = (np.degrees(np.arctan2(east, north)) - CORRECTION + stream.normal(0, 0.2)) % 360
        length = (
            float(np.hypot(east, north))
            + stream.normal(0, 0.05)
            + (12.0 if name == "SHEET-BLUNDER" and number == 3 else 0.0)
        )
        slope = 8.0 if name == "SHEET-MILS" and number == 2 else None
        if slope:
            length /= np.cos(np.radians(slope))
        unit = "mil6000" if name == "SHEET-MILS" else "deg"
        text = f"{magnetic / 0.06:.0f}" if unit == "mil6000" else f"{magnetic:.1f}"
        rows.append(_leg(name, number, names[i], names[j], text, unit, round(length, 2), slope))
    planted = {
        "SHEET-OPEN": "closing leg not measured",
        "SHEET-BLUNDER": "leg 3 is 12 m too long",
        "SHEET-MILS": "mils of 6000, leg 2 measured on a slope of 8 degrees",
    }[name]
    return rows, {"note": planted, "corners_utm": [list(c) for c in corners], "closing_leg": name != "SHEET-OPEN"}


def _leg(
    figure: str, number: int, start: str, end: str, bearing: str, unit: str, length: float, slope: float | None = None
) -> dict:
    return {"leg_id": f"{figure}-{number}", "feature_id": figure, "leg_no": number, "from": start, "to": end, "bearing": bearing, "unit": unit, "north": "magnetic",
            "distance_m": f"{length:.2f}", "slope_deg": "" if slope is None else slope, "date": "2026-06-12", "note": NOTE}  # fmt: skip


def _misclosure(rows: list[dict]) -> dict:
    east = north = total = 0.0
    for row in rows:
        angle = np.radians(float(row["bearing"]) * (0.06 if row["unit"] == "mil6000" else 1.0))
        length = float(row["distance_m"]) * np.cos(np.radians(row["slope_deg"] or 0.0))
        east, north, total = east + length * np.sin(angle), north + length * np.cos(angle), total + length
    if rows[-1]["to"] != "SP":
        return {"perimeter_m": round(total, 3), "misclosure_m": None}
    off = float(np.hypot(east, north))
    return {"perimeter_m": round(total, 3), "misclosure_m": round(off, 3), "ratio": round(total / off, 1)}


def _published_corners() -> list:
    """Adjusted corners of SHEET-72 with the correction of +4.95°, as published."""
    return [
        START,
        (683_868.529, 4_385_586.298),
        (683_873.891, 4_385_510.646),
        (683_813.869, 4_385_487.677),
        (683_728.351, 4_385_508.777),
    ]


def _marks(stream, figure: str, corners: list) -> list[dict]:
    """Landmark, benchmark, start and turning points, each with a GNSS position of stated accuracy."""
    out = []
    x, y = corners[0]
    points = [
        ("LM", "landmark", (x - 95.0, y + 60.0)),
        ("BM", "benchmark", (x - 22.0, y + 14.0)),
        ("SP", "start", corners[0]),
    ]
    points += [(f"TP{i}", "turning", corner) for i, corner in enumerate(corners[1:], start=1)]
    for number, (name, kind, (px, py)) in enumerate(points, start=1):
        sigma = 0.02 if figure == "SHEET-72" else 1.5
        lon, lat = lonlat(px + stream.normal(0, sigma), py + stream.normal(0, sigma))
        out.append({"point_id": f"{figure}-{name}", "feature_id": figure, "point_no": number, "point_type": kind, "lon": lon, "lat": lat,
                    "h_acc_m": sigma if sigma < 1 else 2.0, "source_crs": "EPSG:4326", "note": NOTE})  # fmt: skip
    return out
