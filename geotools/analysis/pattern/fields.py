"""Rows of a mined area from its finds: where they run, their spacing, and the gaps to search first.

For planning clearance; a gap in a row is a reason to look there first, never a reason to leave other ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.pattern import lines
from geotools.model import arguments
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs
from geotools.space import geom

FEWEST_FOR_SPACING = 5
# No published distance fits here: doctrinal spacings are not collected, they are fitted from finds and records. These two limits are
# our own choice and only keep finds of different places apart. The row finder is tested with up to 5 m between mines and a fifth of
# them missing, where a gap of ten positions (50 m) has a chance below 1e-5; a straight row of more than 1 km is reported in parts.
LONGEST_GAP_M = 50.0
LONGEST_ROW_M = 1000.0
BEYOND = 2  # positions past each end of a row that are also searched first
LIMITS_SOURCE = "chosen by this software, not a doctrine: set them from the records of the national authority"


@dataclass(frozen=True)
class Pattern:
    """What the row finder found.

    Parameters
    ----------
    rows
        LineStrings in WGS 84: `id, points, length_m, bearing_deg` (grid north of the plane, 0 to 180), `log10_false` (log10 of the
        expected number of such rows in pure clutter), `spacing_m` (missing if irregular), `offset_m` (of the first position
        from the start), `jitter_m` (across the row).
    points
        The finds in WGS 84 with `row_id` (empty: in no row), `along_m` and `across_m`.
    gaps
        Search-here-first squares: `id, row_id, position` (``inside`` or ``beyond`` the end), `along_m`.
    false_rows
        Rows expected by chance alone.
    area_m2
        Reference ground of the test for chance.
    longest_gap_m, longest_row_m
        The limits in force.
    issues
        ISSUES rows.

    Examples
    --------
    >>> xy = np.column_stack([700000 + 3.0 * np.arange(20), np.full(20, 4380000.0)])
    >>> field = gpd.GeoDataFrame({"id": range(20)}, geometry=gpd.points_from_xy(*xy.T), crs="EPSG:32638").drop(index=7)
    >>> found = rows(field, area=gpd.GeoSeries([shapely.box(700000, 4379980, 700060, 4380020)], crs="EPSG:32638"))
    >>> found.gaps["position"].value_counts().to_dict(), found.to_dict()["in_rows"]
    ({'beyond': 4, 'inside': 1}, 19)
    """

    rows: gpd.GeoDataFrame
    points: gpd.GeoDataFrame
    gaps: gpd.GeoDataFrame
    false_rows: float
    area_m2: float
    longest_gap_m: float
    longest_row_m: float
    issues: gpd.GeoDataFrame

    def to_dict(self) -> dict[str, Any]:
        """Counts and rows as plain data."""
        table = pd.DataFrame(self.rows.drop(columns="geometry"))
        rows = [
            {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}
            for row in table.to_dict("records")
        ]
        return {
            "points": len(self.points), "rows": rows, "in_rows": int((self.points["row_id"] != "").sum()), "gaps": len(self.gaps),
            "expected_false_rows": self.false_rows, "area_m2": self.area_m2,
            "longest_gap_m": self.longest_gap_m, "longest_row_m": self.longest_row_m, "limits_source": LIMITS_SOURCE,
            "note": "Search the gaps first. Ground outside the rows keeps its status.",
        }  # fmt: skip


def rows(
    finds: gpd.GeoDataFrame,
    *,
    half_width_m: float = 0.5,
    false_rows: float = 1e-3,
    area: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    longest_gap_m: float = LONGEST_GAP_M,
    longest_row_m: float = LONGEST_ROW_M,
) -> Pattern:
    """Find straight rows among finds, with their spacing and their gaps.

    The row finder is a-contrario: in a field of pure clutter of even density it reports at most `false_rows` rows on average
    (NFA = (n(n−1)/2)·P(Bin(n−2, 2wL/A) ≥ k−2)). Spacing is the longest period whose periodogram power is near the best and
    significant at 1 %. Gaps are positions of the spacing without a find.

    Parameters
    ----------
    finds
        Points in any CRS; rows without geometry become issues (PT-01).
    half_width_m
        Half the width of a row: how far a find may lie from its axis.
    area
        The ground that was searched, in any CRS; default: the convex hull of the finds. Of either only the ground within
        `longest_gap_m` of a find counts: over a whole province with finds in a few places every four of them would look like a row.
        A single row and nothing else has no hull to compare with: give its ground.
    longest_gap_m
        Greatest distance between neighbours of one row. Our choice, no doctrine (see `LIMITS_SOURCE`).
    longest_row_m
        Greatest length of one row; what goes on beyond is reported as another. Our choice as well.

    Raises
    ------
    StatisticsError
        If a width or rate is not positive.

    Examples
    --------
    >>> xy = np.column_stack([700000 + 3.0 * np.arange(20), np.full(20, 4380000.0)])
    >>> field = gpd.GeoDataFrame({"id": range(20)}, geometry=gpd.points_from_xy(*xy.T), crs="EPSG:32638").drop(index=7)
    >>> found = rows(field, area=gpd.GeoSeries([shapely.box(700000, 4379980, 700060, 4380020)], crs="EPSG:32638"))
    >>> len(found.rows), round(float(found.rows.spacing_m.iloc[0]), 2), int((found.gaps.position == "inside").sum())
    (1, 3.0, 1)
    """
    half_width_m = arguments.number(half_width_m, "half_width_m", above=0, most=1e5)
    false_rows = arguments.positive(false_rows, "false_rows")
    limits = arguments.positive(longest_gap_m, "longest_gap_m"), arguments.positive(longest_row_m, "longest_row_m")
    arguments.layer(finds, "the finds")
    area = None if area is None else arguments.layer(area, "the searched ground")
    points, xy, plane, issues = _plane(finds)
    size = _area(xy, area, plane, (half_width_m, limits[0]))
    found = (
        lines.find(xy, half_width_m, size, false_rows=false_rows, longest_gap=limits[0], longest_row=limits[1])
        if len(xy) >= lines.LEAST
        else []
    )
    described = [_describe(xy[line.members]) for line in found]
    names = [f"ROW-{n + 1:02d}" for n in range(len(found))]
    points = points.assign(row_id="", along_m=np.nan, across_m=np.nan)
    for name, line, row in zip(names, found, described, strict=True):
        points.iloc[line.members, points.columns.get_indexer(["row_id", "along_m", "across_m"])] = list(
            zip([name] * len(line.members), row["along"], row["across"], strict=True)
        )
    gaps = [gap for name, row in zip(names, described, strict=True) for gap in _gaps(name, row, half_width_m)]
    return Pattern(
        _rows_frame(names, found, described, plane),
        points,
        _gaps_frame(gaps, plane),
        false_rows,
        size,
        *limits,
        issues_frame(issues),
    )


def _plane(finds: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, np.ndarray, Any, list[Issue]]:
    lonlat = _crs.to_wgs84(finds)
    there = arguments.placed(lonlat)
    named = (
        lonlat["id"].astype(str) if "id" in lonlat else pd.Series(range(len(lonlat)), index=lonlat.index).astype(str)
    )
    issues = [
        Issue("PT-01", "warning", "finds", str(i), message="no position: this find is in no row") for i in named[~there]
    ]
    points = lonlat[there].assign(id=named[there]).sort_values("id", kind="stable").reset_index(drop=True)
    plane = _crs.equal_area(tuple(points.total_bounds) if len(points) else (0.0, 0.0, 0.0, 0.0))
    xy = shapely.get_coordinates(shapely.centroid(_crs.transform(points.geometry.array, _crs.WGS84, plane)))
    return points, xy.reshape(-1, 2), plane, issues


def _area(
    xy: np.ndarray, area: gpd.GeoDataFrame | gpd.GeoSeries | None, plane: Any, size: tuple[float, float]
) -> float:
    """Reference ground in m²: where finds are, within the ground given or the hull. Less ground makes chance likelier, rows fewer."""
    if not len(xy):
        return 0.0
    width, gap = size
    ground: Any = shapely.convex_hull(shapely.multipoints(xy))
    if area is not None:
        shapes = geom.polygonal(geom.repair(_crs.transform(area.geometry.array, _crs.require(area), plane)))
        given = shapely.union_all([shape for shape in shapes if shape is not None])
        # finds that lie outside the stated ground make it useless as a reference: fall back on the finds themselves
        ground = given if shapely.intersects_xy(shapely.buffer(given, width), *xy.T).all() else ground
    near = shapely.union_all(shapely.buffer(shapely.points(xy), min(gap, 1e5), quad_segs=8))
    return float(max(shapely.intersection(ground, near).area, (2 * width) ** 2 * len(xy)))


def _describe(xy: np.ndarray) -> dict[str, Any]:
    start, unit = xy[0], xy[-1] - xy[0]
    centre = xy.mean(axis=0)
    _, _, turn = np.linalg.svd(xy - centre, full_matrices=False)
    unit = turn[0] * (1 if turn[0] @ unit >= 0 else -1)
    along = (xy - start) @ unit
    across = (xy - centre) @ np.array([-unit[1], unit[0]])
    origin = centre + unit * ((start - centre) @ unit)
    spacing, offset = _spacing(np.sort(along))
    return {"origin": origin, "unit": unit, "along": along, "across": across, "spacing": spacing, "offset": offset}


def _spacing(t: np.ndarray) -> tuple[float, float]:
    """Period and offset of positions along a row; NaN if they are not regular."""
    if len(t) < FEWEST_FOR_SPACING:
        return np.nan, np.nan
    typical = float(np.median(np.diff(t)))
    span = float(t[-1] - t[0])
    longest, shortest = min(3 * typical, span / 3), max(0.4 * typical, span / 400)
    if not 0 < shortest < longest:
        return np.nan, np.nan
    frequency = np.arange(1 / longest, 1 / shortest, 0.1 / span)
    power = np.abs(np.exp(2j * np.pi * np.outer(frequency, t)).sum(axis=1)) ** 2 / len(t)
    tried = max(1.0, (frequency[-1] - frequency[0]) * span)
    good = np.flatnonzero((power >= 0.85 * power.max()) & (tried * np.exp(-power) < 0.01))
    if not len(good):
        return np.nan, np.nan
    first = good[0]  # harmonics score as well: the longest period is the spacing
    peak = first + int(np.argmax(power[first : first + 12]))
    fine = np.linspace(frequency[max(peak - 1, 0)], frequency[min(peak + 1, len(frequency) - 1)], 201)
    phase = np.exp(2j * np.pi * np.outer(fine, t)).sum(axis=1)
    best = int(np.argmax(np.abs(phase)))
    spacing = 1 / fine[best]
    return float(spacing), float((np.angle(phase[best]) / (2 * np.pi) * spacing) % spacing)


def _gaps(name: str, row: dict[str, Any], width: float) -> list[dict[str, Any]]:
    spacing, offset = row["spacing"], row["offset"]
    if not np.isfinite(spacing):
        return []
    t = np.sort(row["along"])
    filled = set(np.round((t - offset) / spacing).astype(int))
    first, last = min(filled), max(filled)
    half = max(width, 0.35 * spacing)
    side = np.array([-row["unit"][1], row["unit"][0]])
    out = []
    for step in range(first - BEYOND, last + BEYOND + 1):
        if step in filled:
            continue
        along = offset + step * spacing
        centre = row["origin"] + row["unit"] * along
        corners = [
            centre + a * half * row["unit"] + b * max(width, half) * side
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        out.append(
            {
                "row_id": name,
                "position": "inside" if first < step < last else "beyond",
                "along_m": float(along),
                "geometry": shapely.Polygon(corners),
            }
        )
    return out


def _rows_frame(
    names: list[str], found: list[lines.Line], described: list[dict[str, Any]], plane: Any
) -> gpd.GeoDataFrame:
    shapes = []
    for row in described:
        ends = [row["origin"] + row["unit"] * t for t in (row["along"].min(), row["along"].max())]
        shapes.append(shapely.LineString(ends))
    data = {
        "id": names,
        "points": [len(line.members) for line in found],
        "length_m": [shape.length for shape in shapes],
        "bearing_deg": [float(np.degrees(np.arctan2(*row["unit"])) % 180) for row in described],
        "log10_false": [line.log10_nfa for line in found],
        "spacing_m": [row["spacing"] for row in described],
        "offset_m": [row["offset"] for row in described],
        "jitter_m": [float(np.std(row["across"])) for row in described],
    }
    geometry = gpd.GeoSeries(_crs.transform(np.array(shapes, dtype=object), plane, _crs.WGS84), crs=_crs.WGS84)
    return gpd.GeoDataFrame(data, geometry=geometry)


def _gaps_frame(gaps: list[dict[str, Any]], plane: Any) -> gpd.GeoDataFrame:
    data = {"id": [f"GAP-{n + 1:03d}" for n in range(len(gaps))]} | {
        name: [gap[name] for gap in gaps] for name in ("row_id", "position", "along_m")
    }
    shapes = _crs.transform(np.array([gap["geometry"] for gap in gaps], dtype=object), plane, _crs.WGS84)
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shapes, crs=_crs.WGS84))
