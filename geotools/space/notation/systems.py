"""`System`: what is asked of a stated reference system again and again, asked once.

For the readers of this folder; not for transforming layers (see `space.crs`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import pyproj

from geotools.model.errors import CRSError, NotationError
from geotools.space.crs import code_or_wkt, parse

Bounds = tuple[float, float, float, float]
GK_NAMES = ("gk", "gauss-kruger", "gauss-krüger", "gauss kruger", "pulkovo gk", "sk-42", "ск-42", "sk42", "ск42")


@dataclass(frozen=True, eq=False)
class System:
    """A reference system with its code or WKT, that of its datum, its area of use in degrees and its EPSG number."""

    crs: pyproj.CRS
    code: str
    base: str
    area: Bounds | None
    epsg: int

    @property
    def projected(self) -> bool:
        """Whether its coordinates are metres or feet."""
        return bool(self.crs.is_projected)

    @property
    def gauss_kruger(self) -> bool:
        """Whether it is Pulkovo 1942, geographic or Gauss-Krüger in six-degree zones."""
        return self.epsg == 4284 or 28402 <= self.epsg <= 28432 or 2494 <= self.epsg <= 2522

    @property
    def on_wgs84(self) -> bool:
        """Whether its datum is WGS 84."""
        return self.base == "EPSG:4326"


def system(crs: object) -> System | None:
    """The stated system; ``"GK"`` and its names mean Pulkovo 1942 with the zone in front of the easting.

    Raises
    ------
    NotationError
        If it is no system.
    """
    if crs is None or isinstance(crs, System):
        return crs
    if isinstance(crs, str) and crs.strip().casefold() in GK_NAMES:
        return facts("EPSG:4284")
    try:
        return facts(code_or_wkt(parse(crs)))
    except CRSError as error:
        raise NotationError(error.message, hint=error.hint) from error


@lru_cache(maxsize=128)
def facts(code: str) -> System:
    """A system by its code or WKT."""
    crs = parse(code)
    base, area = crs.geodetic_crs, crs.area_of_use
    return System(
        crs,
        code,
        code_or_wkt(base.to_2d()) if base is not None else "",
        None if area is None else area.bounds,
        crs.to_epsg(min_confidence=100) or 0,
    )


def gauss_kruger(east: float, code: int) -> tuple[str, str]:
    """The Pulkovo 1942 Gauss-Krüger system an easting belongs to, and a note if it is not the one named.

    Parameters
    ----------
    code
        EPSG number of the system named: 4284, 284xx (zone in front) or 24xx/25xx (without).

    Returns
    -------
    code, note
        An empty code if the easting fits none.

    Examples
    --------
    >>> gauss_kruger(8683738.0, 4284)[0], gauss_kruger(683738.0, 28408)[0]
    ('EPSG:28408', 'EPSG:2498')
    """
    zone, rest = divmod(east, 1_000_000.0)
    if 2 <= zone <= 32 and 100_000 <= rest <= 900_000:
        named = f"EPSG:{28400 + int(zone)}"
        same = code in (4284, 28400 + int(zone))
        return named, "" if same else f"the easting begins with zone {int(zone)}: read as {named}"
    if zone == 0 and 100_000 <= rest <= 900_000:
        if 28404 <= code <= 28432:
            return (
                f"EPSG:{code - 28400 + 2490}",
                f"the easting has no zone in front: read as EPSG:{code - 28400 + 2490}",
            )
        if 2494 <= code <= 2522:
            return f"EPSG:{code}", ""
    return "", ""
