"""`candidates`: every way a column of numbers is commonly misread, turned into WGS 84 points to compare.

For the doctor only; a new mistake is a new row here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyproj

from geotools.model.errors import CRSError
from geotools.space.crs.operations import choose, geodetic
from geotools.space.crs.systems import WGS84, code_or_wkt, label, parse, transformer

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Reading:
    """One reading of the numbers.

    Parameters
    ----------
    fault
        The mistake that would explain it; empty for the layer as stated.
    title
        The mistake in words.
    option
        What `geotools datum` is told to read it so.
    lonlat
        The points in WGS 84.
    rank
        Simpler explanations first.
    usual
        Whether the points lie where the system is meant to be used.
    """

    fault: str
    title: str
    option: str
    lonlat: np.ndarray
    rank: int = 1
    usual: bool = True


def candidates(points: np.ndarray, crs: pyproj.CRS | None, box: Bounds | None) -> list[Reading]:
    """All readings of the points, the stated one first if there is one."""
    swapped = points[:, ::-1]
    out: list[Reading] = []
    if crs is not None:
        out.append(_reading("", f"as stated, {crs.name}", "", points, crs, 0))
        out.extend(_exchanged(points, swapped, crs))
    degrees = bool((np.abs(points) <= 180).all())
    out.extend(_degrees(points, swapped, crs) if degrees else _metres(points, swapped, crs, box))
    return [item for item in out if np.isfinite(item.lonlat).any()]


def _exchanged(points: np.ndarray, swapped: np.ndarray, crs: pyproj.CRS) -> Iterator[Reading]:
    if crs.is_geographic:
        yield _reading("swapped", "latitude and longitude are exchanged", "--swap-xy", swapped, crs)
    else:
        yield _reading(
            "xy-swapped", "northing and easting are exchanged (in Russian tables X is north)", "--swap-xy", swapped, crs
        )


def _degrees(points: np.ndarray, swapped: np.ndarray, crs: pyproj.CRS | None) -> Iterator[Reading]:
    geographic = crs if crs is not None and crs.is_geographic else WGS84
    if crs is None or not crs.is_geographic:
        title = "these are degrees" if crs is None else f"these are degrees, not metres of {crs.name}"
        yield _reading("units", title, "--crs EPSG:4326", points, WGS84, 1)
        yield _reading("units", f"{title}, and latitude comes first", "--crs EPSG:4326 --swap-xy", swapped, WGS84, 2)
    for code, name in ((4284, "Pulkovo 1942"), (4230, "ED50")):
        if crs is None or label(crs) != f"EPSG:{code}":
            yield _reading(
                "unshifted",
                f"these are {name} degrees without their datum shift",
                f"--crs EPSG:{code}",
                points,
                parse(f"EPSG:{code}"),
                3,
            )
    if crs is not None and label(crs) in ("EPSG:4284", "EPSG:4230"):
        yield _reading(
            "unshifted",
            f"these are WGS 84 degrees already, not {crs.name}: they were shifted without need",
            "--crs EPSG:4326",
            points,
            WGS84,
            3,
        )
    fraction = np.abs(points) % 1.0
    if (fraction < 0.6 + 1e-9).all():
        minutes = np.sign(points) * (np.floor(np.abs(points)) + fraction / 0.6)
        title = "degrees and minutes were typed as decimals (39.45 for 39°45')"
        yield _reading("minutes", title, "--degrees-minutes", minutes, geographic, 2)
        yield _reading(
            "minutes",
            f"{title}, and the axes are exchanged",
            "--degrees-minutes --swap-xy",
            minutes[:, ::-1],
            geographic,
            4,
        )
    for signs, what in (
        ((-1, 1), "longitudes lack the minus sign of the west"),
        ((1, -1), "latitudes lack the minus sign of the south"),
    ):
        yield _reading("sign", what, "", points * signs, geographic, 4)


def _metres(points: np.ndarray, swapped: np.ndarray, crs: pyproj.CRS | None, box: Bounds | None) -> Iterator[Reading]:
    for order, xy in (("", points), (" --swap-xy", swapped)):
        extra = ", and northing comes first" if order else ""
        step = 2 if order else 0
        east = xy[:, 0]
        prefix = np.floor(east / 1e6)
        if len(np.unique(prefix)) == 1 and 2 <= prefix[0] <= 32 and (np.abs(east % 1e6 - 5e5) <= 4e5).all():
            yield from _with_prefix(xy, int(prefix[0]), crs, order, extra, step)
        elif ((east >= 1e5) & (east <= 9e5)).all():
            yield from _without_prefix(xy, crs, (box, order, extra, step))


def _with_prefix(
    xy: np.ndarray, zone: int, crs: pyproj.CRS | None, order: str, extra: str, step: int
) -> Iterator[Reading]:
    code = 28400 + zone
    if crs is not None and label(crs) == f"EPSG:{code}":
        return
    title = f"the eastings begin with the zone figure {zone}: Gauss-Krüger on Pulkovo 1942{extra}"
    yield _reading("prefix", title, f"--crs EPSG:{code}{order}", xy, parse(f"EPSG:{code}"), 1 + step)


def _without_prefix(
    xy: np.ndarray, crs: pyproj.CRS | None, how: tuple[Bounds | None, str, str, int]
) -> Iterator[Reading]:
    box, order, extra, step = how
    stated = label(crs) if crs is not None else ""
    for zone in _zones(box, crs):
        south = box is not None and box[3] <= 0
        for code, name, fault, rank in (
            ((32700 if south else 32600) + zone, f"WGS 84 / UTM zone {zone}", _utm_fault(crs), 1),
            (
                2490 + zone - 30,
                f"Pulkovo 1942 Gauss-Krüger zone {zone - 30} without its zone figure",
                _gk_fault(crs, zone),
                1,
            ),
            (23000 + zone, f"ED50 / UTM zone {zone}", "unshifted" if _is_utm(crs) else _utm_fault(crs), 3),
        ):
            if f"EPSG:{code}" == stated or not _exists(code):
                continue
            plain = fault in ("wrong-zone", "no-prefix") or (
                fault in ("gk-as-utm", "unshifted") and crs is not None and _zone_of(crs) == zone
            )
            order_of = rank if plain else rank + 1
            yield _reading(
                fault,
                f"{_say(fault, crs)}{name}{extra}",
                f"--crs EPSG:{code}{order}",
                xy,
                parse(f"EPSG:{code}"),
                order_of + step,
            )


def _say(fault: str, crs: pyproj.CRS | None) -> str:
    return {
        "wrong-zone": "the zone is wrong: these are ",
        "no-prefix": "the zone figure was dropped from the eastings: these are ",
        "gk-as-utm": "Gauss-Krüger was read as UTM: these are ",
        "unshifted": "the datum is wrong: these are ",
        "units": "these are metres, not degrees: ",
    }.get(fault, "these are " if crs is None else f"these are not {crs.name} but ")


def _utm_fault(crs: pyproj.CRS | None) -> str:
    if crs is not None and crs.is_geographic:
        return "units"
    return "wrong-zone" if _is_utm(crs) else "other-grid"


def _gk_fault(crs: pyproj.CRS | None, zone: int) -> str:
    if crs is None:
        return "other-grid"
    if crs.is_geographic:
        return "units"
    if _is_utm(crs):
        return "gk-as-utm"
    code = crs.to_epsg(min_confidence=100) or 0
    if 28402 <= code <= 28432:
        return "no-prefix" if _zone_of(crs) == zone else "other-grid"
    return "wrong-zone" if 2494 <= code <= 2522 else "other-grid"


def _is_utm(crs: pyproj.CRS | None) -> bool:
    return crs is not None and crs.utm_zone is not None


def _zone_of(crs: pyproj.CRS) -> int | None:
    """UTM number of a system's zone; zone 8 of Gauss-Krüger is 38."""
    if crs.utm_zone is not None:
        return int(crs.utm_zone[:-1])
    code = crs.to_epsg(min_confidence=100) or 0
    if 28402 <= code <= 28432:
        return code - 28400 + 30
    return code - 2490 + 30 if 2494 <= code <= 2522 else None


def _zones(box: Bounds | None, crs: pyproj.CRS | None) -> list[int]:
    zones: set[int] = set()
    if box is not None and box[2] - box[0] <= 60:
        first, last = (math.floor((lon + 180) / 6) + 1 for lon in (box[0], box[2]))
        zones.update(range(max(1, first), min(60, last) + 1))
    own = _zone_of(crs) if crs is not None else None
    if own is not None:
        zones.update(z for z in (own - 1, own, own + 1) if 1 <= z <= 60)
    return sorted(zones, key=lambda zone: (zone != own, zone))


def _exists(code: int) -> bool:
    if 2480 <= code <= 2530:
        return 2494 <= code <= 2522
    if 23000 <= code <= 23100:
        return 23028 <= code <= 23038
    return 32601 <= code <= 32660 or 32701 <= code <= 32760


def _reading(fault: str, title: str, option: str, xy: np.ndarray, crs: pyproj.CRS, rank: int = 1) -> Reading:
    lonlat, usual = _to_wgs84(xy, crs)
    return Reading(fault, title, option, lonlat, rank, usual)


def _to_wgs84(xy: np.ndarray, crs: pyproj.CRS) -> tuple[np.ndarray, bool]:
    try:
        own = geodetic(xy, crs)
    except pyproj.exceptions.ProjError:
        return np.full(xy.shape, np.nan), False
    own = np.where((np.abs(own) <= [180.0, 90.0]).all(axis=1)[:, None], own, np.nan)
    good = np.isfinite(own).all(axis=1)
    if not good.any():
        return own, False
    try:
        operation, _, _ = choose(crs, WGS84, own[good])
        out = np.full(own.shape, np.nan)
        out[good] = np.column_stack(operation.apply(*own[good].T))
    except CRSError:
        out = np.column_stack(transformer(code_or_wkt(crs), "EPSG:4326").transform(*xy.T))
    return out, _within(own, crs)


def _within(lonlat: np.ndarray, crs: pyproj.CRS) -> bool:
    area = crs.area_of_use
    if area is None:
        return bool(np.isfinite(lonlat).all())
    west, south, east, north = area.bounds
    wide = (east - west) % 360.0 if east != west + 360 else 360.0
    x, y = lonlat[:, 0], lonlat[:, 1]
    inside = (y >= south - 1) & (y <= north + 1) & ((x - west + 1) % 360.0 <= min(360.0, wide + 2 if wide else 360.0))
    return bool(np.mean(inside) >= 0.9)
