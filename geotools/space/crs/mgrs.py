"""Military grid references and UTM text, out and in, each with the size of the square it means.

For points in WGS 84; not for parsing whatever people type (see `space.notation`).
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from geotools.model.arguments import array
from geotools.model.doors import checked
from geotools.model.errors import NotationError
from geotools.space.crs.systems import transformer, utm_zone

BANDS = "CDEFGHJKLMNPQRSTUVWX"
_SHAPE = re.compile(r"(\d{1,2})?([A-HJ-NP-Z])([A-HJ-NP-Z]{2})(\d*)")


@dataclass(frozen=True)
class MgrsSquare:
    """What a grid reference says: a square, not a point. Numbers, or arrays of one length.

    Parameters
    ----------
    lon, lat
        Middle of the square, degrees WGS 84.
    side_m
        Side of the square in metres: 1 for ten digits, 10 for eight, 100 for six.
    h_acc_m
        Half the side: the largest error per axis, on the safe side of one standard deviation (side/√12).

    Examples
    --------
    >>> square = from_mgrs("38SPJ837855")
    >>> round(float(square.lon), 4), round(float(square.lat), 4), square.side_m, square.h_acc_m
    (47.1401, 39.6, 100.0, 50.0)
    """

    lon: Any
    lat: Any
    side_m: Any
    h_acc_m: Any


@lru_cache(maxsize=1)
def _library() -> Any:
    import mgrs

    return mgrs.MGRS()


@checked
def to_mgrs(lon: Any, lat: Any, digits: int = 5) -> Any:
    """Military grid reference of points in WGS 84.

    Parameters
    ----------
    lon, lat
        Degrees; numbers or arrays of one length.
    digits
        Digits per axis: 5 = 1 m, 4 = 10 m, 3 = 100 m, 2 = 1 km, 1 = 10 km, 0 = 100 km. The reference names the square
        that holds the point: digits are cut, never rounded.

    Returns
    -------
    str, or array of str
        Without spaces; None for a missing point of an array.

    Raises
    ------
    NotationError
        If a coordinate is out of range, or `digits` is not 0 to 5.

    Examples
    --------
    >>> to_mgrs(47.14, 39.6), to_mgrs(47.14, 39.6, 3)
    ('38SPJ8373985550', '38SPJ837855')
    """
    if digits not in range(6):
        raise NotationError(f"a grid reference has 0 to 5 digits per axis, not {digits}")
    x, y = np.broadcast_arrays(array(lon, "longitude"), array(lat, "latitude"))
    single = x.ndim == 0
    flat_x, flat_y = x.ravel(), y.ravel()
    known = np.isfinite(flat_x) & np.isfinite(flat_y)
    if (np.abs(flat_y[known]) > 90).any() or (np.abs(flat_x[known]) > 180).any() or (single and not known.all()):
        raise NotationError(
            "a grid reference needs a longitude of -180 to 180° and a latitude of -90 to 90°",
            hint="longitude comes first",
        )
    convert = _library().toMGRS
    out = np.full(flat_x.shape, None, dtype=object)
    out[known] = [
        convert(b, a, MGRSPrecision=digits) for a, b in zip(flat_x[known].tolist(), flat_y[known].tolist(), strict=True)
    ]
    return out[0] if single else out.reshape(x.shape)


def from_mgrs(text: Any) -> MgrsSquare:
    """The squares that military grid references name.

    Parameters
    ----------
    text
        One reference, or a sequence; spaces and small letters are allowed.

    Raises
    ------
    NotationError
        If a reference is malformed: an odd number of digits, a letter that is not used there, a 100 km square that does
        not exist in its zone, or a band in which that square does not lie.

    Examples
    --------
    >>> square = from_mgrs("38S PJ 837 855")
    >>> square.side_m, square.h_acc_m, to_mgrs(square.lon, square.lat, 3)
    (100.0, 50.0, '38SPJ837855')
    """
    single = isinstance(text, str)
    if not single and (text is None or not hasattr(text, "__iter__")):
        raise NotationError(f"{text!r} is not a military grid reference", hint="write it like 38SPJ8373885550")
    texts = [text] if single else list(text)
    corners = [_corner(item) for item in texts]
    side = np.array([corner[3] for corner in corners], dtype=float)
    east = np.array([corner[1] for corner in corners], dtype=float)
    north = np.array([corner[2] for corner in corners], dtype=float)
    codes = np.array([corner[0] for corner in corners], dtype=int)
    lon, lat = _inverse(codes, east + side / 2, north + side / 2)
    _check_bands(texts, corners, codes)
    if single:
        return MgrsSquare(float(lon[0]), float(lat[0]), float(side[0]), float(side[0]) / 2)
    return MgrsSquare(lon, lat, side, side / 2)


def tidy_mgrs(text: str) -> str | None:
    """A reference in capitals without spaces, or None if the text has not the shape of one.

    Examples
    --------
    >>> tidy_mgrs("38s pj 83738 85550"), tidy_mgrs("39.6 N") is None
    ('38SPJ8373885550', True)
    """
    plain = re.sub(r"[\s\-]+", "", str(text)).upper()
    match = _SHAPE.fullmatch(plain)
    if match is None or len(match[4]) > 10 or bool(match[1]) != (match[2] in BANDS):
        return None
    return plain


def _corner(text: str) -> tuple[int, float, float, float, str]:
    plain = tidy_mgrs(text)
    if plain is None:
        raise NotationError(f"'{text}' is not a military grid reference", hint="write it as 38S PJ 83738 85550")
    match = _SHAPE.fullmatch(plain)
    assert match is not None
    digits = match[4]
    if len(digits) % 2:
        raise NotationError(
            f"'{text}' has an odd number of digits ({len(digits)})", hint="half of them are easting, half northing"
        )
    if match[1]:
        plain = f"{int(match[1]):02d}{plain[len(match[1]) :]}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the band is checked below, for the whole square
            code, east, north = _zoned(plain) if match[1] else _polar(plain)
    except Exception as error:
        raise NotationError(
            f"'{text}' names no grid square that exists", hint="check the zone and the two square letters"
        ) from error
    side = 10.0 ** (5 - len(digits) // 2)
    # the library's answer may be the corner or the middle, by its version: cut back to the corner
    corner = (float(np.floor((value + 1e-3) / side) * side) for value in (east, north))
    return code, *corner, side, match[2] if match[1] else ""  # type: ignore[return-value]


def _zoned(plain: str) -> tuple[int, float, float]:
    zone, hemisphere, east, north = _library().MGRSToUTM(plain)
    return (32600 if str(hemisphere).upper().startswith("N") else 32700) + int(zone), float(east), float(north)


def _polar(plain: str) -> tuple[int, float, float]:
    code = 32661 if plain[0] in "YZ" else 32761
    lat, lon = _library().toLatLon(plain)
    east, north = transformer("EPSG:4326", f"EPSG:{code}").transform(lon, lat)
    return code, float(east), float(north)


def _inverse(codes: np.ndarray, east: np.ndarray, north: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = np.empty(len(codes)), np.empty(len(codes))
    for code in np.unique(codes):
        here = codes == code
        lon[here], lat[here] = transformer(f"EPSG:{code}", "EPSG:4326").transform(east[here], north[here])
    return lon, lat


def _check_bands(texts: list[str], corners: list[Any], codes: np.ndarray) -> None:
    """The 100 km square must touch the band, as GeographicLib asks: a band letter one off near its edge is harmless."""
    side = 100_000.0
    east = np.floor(np.array([corner[1] for corner in corners], dtype=float) / side) * side
    north = np.floor(np.array([corner[2] for corner in corners], dtype=float) / side) * side
    ends = np.array([_inverse(codes, east + a * side, north + b * side)[1] for a in (0, 0.5, 1) for b in (0, 1)])
    for text, corner, low, high in zip(texts, corners, ends.min(axis=0), ends.max(axis=0), strict=True):
        if not corner[4]:
            continue
        south = -80 + 8 * BANDS.index(corner[4])
        top = 84 if corner[4] == "X" else south + 8
        if high < south - 1e-7 or low > top + 1e-7:
            raise NotationError(
                f"'{text}': the square does not lie in latitude band {corner[4]}",
                hint="check the band letter and the square letters",
            )


@checked(least={"decimals": 0})
def to_utm(lon: Any, lat: Any, *, decimals: int = 0) -> Any:
    """UTM text as hand-held receivers write it: zone, latitude band (not N/S for a hemisphere), easting, northing.

    Raises
    ------
    NotationError
        If a point lies beyond 80° S or 84° N.

    Examples
    --------
    >>> to_utm(47.14, 39.6), to_utm(48.0, 40.0, decimals=1)
    ('38S 683739 4385550', '39T 243900.4 4432069.1')
    """
    x, y = np.broadcast_arrays(array(lon, "longitude"), array(lat, "latitude"))
    flat_x, flat_y = x.ravel(), y.ravel()
    if not (np.isfinite(flat_x) & (np.abs(flat_x) <= 180) & (flat_y >= -80) & (flat_y <= 84)).all():
        raise NotationError("UTM reaches from 80° S to 84° N", hint="longitude comes first")
    zone, south = utm_zone(flat_x, flat_y), flat_y < 0
    out = np.empty(flat_x.shape, dtype=object)
    for number, under in {(int(a), bool(b)) for a, b in zip(zone, south, strict=True)}:
        here = np.flatnonzero((zone == number) & (south == under))
        east, north = transformer("EPSG:4326", f"EPSG:{(32700 if under else 32600) + number}").transform(
            flat_x[here], flat_y[here]
        )
        bands = [BANDS[min(19, int((value + 80) // 8))] for value in flat_y[here]]
        out[here] = [
            f"{number}{band} {e:.{decimals}f} {n:.{decimals}f}" for band, e, n in zip(bands, east, north, strict=True)
        ]
    return out[0] if x.ndim == 0 else out.reshape(x.shape)
