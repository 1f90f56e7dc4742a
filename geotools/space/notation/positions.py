"""`parse_position`: one typed position to WGS 84, keeping what was typed, its system and its precision.

For points; the shape of each notation is in `geographic`, `grids` and `crs.mgrs`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geotools.model.arguments import array
from geotools.model.doors import checked
from geotools.model.errors import GeotoolsError, NotationError
from geotools.model.programme import Programme
from geotools.space.crs import WGS84, choose, from_mgrs, label, tidy_mgrs, transformer
from geotools.space.crs.operations import geodetic
from geotools.space.notation.geographic import read_cells, read_text
from geotools.space.notation.grids import looks_utm, read_grid, read_utm
from geotools.space.notation.numbers import Angle, tidy
from geotools.space.notation.systems import System, facts, system

ORDERS = {
    **dict.fromkeys(("xy", "lonlat", "lon-lat", "easting-first", "en"), "xy"),
    **dict.fromkeys(("yx", "latlon", "lat-lon", "northing-first", "ne"), "yx"),
}
_HALF = re.compile("[\ud800-\udfff]")  # lone surrogates, which no file can hold
_METRES_PER_DEGREE = 111_320.0
COLUMNS = (
    "lon",
    "lat",
    "h_acc_m",
    "source_crs",
    "source_coords",
    "transform_op",
    "x",
    "y",
    "rounding_m",
    "notation",
    "note",
    "error",
)


@dataclass(frozen=True)
class Position:
    """One position as read.

    Parameters
    ----------
    lon, lat
        Degrees WGS 84.
    h_acc_m
        Accuracy: that of the instrument where it was given, widened by the rounding of the notation. Without an
        instrument it is the rounding itself if that is coarser than a hand-held receiver, else None: seven typed
        decimals do not make a position good to a centimetre.
    source_crs, as_entered
        System and text as typed.
    x, y
        Coordinates in the source system, (easting, northing) or (longitude, latitude).
    rounding_m
        Largest error per axis from the number of digits typed; half a square's side for MGRS.
    notation
        decimal, dm, dms, utm, mgrs or grid.
    transform_op, op_accuracy_m
        Datum operation used to reach WGS 84 and its stated accuracy; not included in `h_acc_m`.
    note
        What was understood beyond the letter of the text, e.g. a missing zone figure.

    Examples
    --------
    >>> found = parse_position("38S PJ 837 855")
    >>> found.notation, found.rounding_m, found.h_acc_m, round(found.lat, 4)
    ('mgrs', 50.0, 50.0, 39.6)
    """

    lon: float
    lat: float
    h_acc_m: float | None
    source_crs: str
    as_entered: str
    x: float
    y: float
    rounding_m: float
    notation: str
    transform_op: str = ""
    op_accuracy_m: float | None = None
    note: str = ""


@dataclass(frozen=True)
class _Reading:
    x: float
    y: float
    crs: str
    rounding_m: float
    notation: str
    typed: str
    note: str = ""


@checked
def parse_position(
    value: Any,
    *,
    crs: Any = None,
    order: str | None = None,
    h_acc_m: float | None = None,
    programme: Programme | None = None,
) -> Position:
    """Read a position from text or from a pair of cells.

    Understood: decimal degrees, degrees and minutes, degrees, minutes and seconds with any usual marks, decimal commas,
    direction letters and words in English, Azerbaijani, Turkish and Russian; packed ``393603N 0470824E``; UTM text;
    MGRS; metres of a stated system, Gauss-Krüger with or without the zone in front of the easting.

    Parameters
    ----------
    value
        Text, or a pair of texts or numbers.
    crs
        System of the numbers: geographic for degrees (default WGS 84), projected for metres; ``"GK"`` for Pulkovo 1942
        Gauss-Krüger whose eastings carry the zone.
    order
        ``"xy"`` (longitude or easting first) or ``"yx"`` (latitude or northing first), where the text does not tell.
    h_acc_m
        Accuracy of the instrument, 1 sigma per axis.
    programme
        Its extent settles what would else read two ways; its datum operations are used.

    Raises
    ------
    NotationError
        A ValueError: the text cannot be read, or reads two ways.

    Examples
    --------
    >>> p = parse_position("39°36'00\\" Ş, 47°08'24\\" Ş")
    >>> round(p.lat, 6), round(p.lon, 6), p.notation, round(p.h_acc_m)
    (39.6, 47.14, 'dms', 15)
    >>> parse_position("38S PJ 837 855").h_acc_m
    50.0
    >>> p = parse_position((4385550, 8683738), crs="GK")
    >>> p.source_crs, p.transform_op
    ('EPSG:28408', 'EPSG:15865 (4.5 m)')
    """
    settings = programme or Programme()
    reading = _read(value, system(crs), _order(order), settings)
    lon, lat, operation, accuracy = _to_wgs84(np.array([[reading.x, reading.y]]), reading.crs, settings)
    if not (math.isfinite(lon[0]) and math.isfinite(lat[0])):
        raise NotationError(
            f"'{reading.typed}' cannot be brought to WGS 84", hint="are they really in that reference system?"
        )
    return Position(
        float(lon[0]), float(lat[0]), _accuracy(reading.rounding_m, h_acc_m, settings), label(reading.crs), reading.typed,
        reading.x, reading.y, reading.rounding_m, reading.notation, operation, accuracy, reading.note,
    )  # fmt: skip


@checked
def parse_positions(
    values: Iterable[Any],
    *,
    crs: Any = None,
    order: str | None = None,
    h_acc_m: Any = None,
    programme: Programme | None = None,
) -> pd.DataFrame:
    """Many positions at once; what cannot be read is a row with a reason, not an exception.

    Returns
    -------
    DataFrame
        ``lon, lat, h_acc_m, source_crs, source_coords, transform_op, x, y, rounding_m, notation, note, error``, one row
        per value on the index of a Series given, else 0…n−1. Points of one system take one datum operation.

    Raises
    ------
    NotationError
        Only if `crs` or `order` is no such thing.

    Examples
    --------
    >>> parse_positions(["39.6 N 47.14 E", "hello"])[["lon", "error"]].notna().to_numpy().tolist()
    [[True, False], [False, True]]
    """
    settings, stated, wanted = programme or Programme(), system(crs), _order(order)
    index = values.index if isinstance(values, pd.Series) else None
    rows: list[dict[str, Any]] = []
    for value in values:
        try:
            read = _read(value, stated, wanted, settings)
        except GeotoolsError as error:
            hint = f" ({error.hint})" if error.hint else ""
            rows.append({"source_coords": _typed(value), "error": _HALF.sub("\ufffd", f"{error.message}{hint}")})
        else:
            rows.append(
                {
                    "x": read.x,
                    "y": read.y,
                    "_crs": read.crs,
                    "source_coords": read.typed,
                    "rounding_m": read.rounding_m,
                    "notation": read.notation,
                    "note": read.note,
                }
            )
    frame = pd.DataFrame(rows, index=index, columns=[*COLUMNS, "_crs"]).astype(
        {
            name: "float64" if name in ("lon", "lat", "x", "y", "rounding_m", "h_acc_m") else "object"
            for name in (*COLUMNS, "_crs")
        }
    )
    for code in [c for c in frame["_crs"].unique() if isinstance(c, str)]:
        here = (frame["_crs"] == code).to_numpy()
        lon, lat, operation, _ = _to_wgs84(frame.loc[here, ["x", "y"]].to_numpy(), code, settings)
        frame.loc[here, "lon"], frame.loc[here, "lat"] = lon, lat
        frame.loc[here, "source_crs"], frame.loc[here, "transform_op"] = label(code), operation
    stated_acc = np.broadcast_to(array(np.nan if h_acc_m is None else h_acc_m, "h_acc_m"), (len(frame),))
    rounding, coarse = frame["rounding_m"].to_numpy(), settings.limit("h_acc_default_m")
    frame["h_acc_m"] = np.where(
        np.isnan(stated_acc), np.where(rounding >= coarse, rounding, np.nan), np.hypot(stated_acc, rounding)
    )
    return frame[list(COLUMNS)]


def _order(order: str | None) -> str | None:
    if order is None:
        return None
    found = ORDERS.get(order.strip().casefold())
    if found is None:
        raise NotationError(
            f"'{order}' is not an order of coordinates",
            hint="use 'xy' (longitude or easting first) or 'yx' (latitude or northing first)",
        )
    return found


def _accuracy(rounding_m: float, instrument_m: float | None, programme: Programme) -> float | None:
    if instrument_m is not None and math.isfinite(instrument_m):
        return math.hypot(instrument_m, rounding_m)
    return rounding_m if rounding_m >= programme.limit("h_acc_default_m") else None


def _typed(value: Any) -> str:
    if isinstance(value, str):
        return value.strip() if value.isascii() else _HALF.sub("\ufffd", value).strip()
    if isinstance(value, list | tuple | np.ndarray):
        return " ".join(_cell(item) for item in value)
    return "" if value is None else str(value)


def _cell(item: Any) -> str:
    if isinstance(item, float | np.floating):
        return np.format_float_positional(float(item), trim="-") if math.isfinite(item) else ""
    return "" if item is None or item is pd.NA else str(item).strip()


def _read(value: Any, crs: System | None, order: str | None, programme: Programme) -> _Reading:
    typed = _typed(value)
    if not typed or (isinstance(value, float) and math.isnan(value)):
        raise NotationError("there is no coordinate", hint="the cell is empty")
    if not isinstance(value, str):
        cells = [_cell(item) for item in value] if isinstance(value, list | tuple | np.ndarray) else []
        if len(cells) != 2 or not all(cells):
            raise NotationError(f"'{typed}' is not a pair of coordinates", hint="give two cells, or one text")
        return _pair(cells, crs, order, programme, typed)
    plain = re.sub(r"(?i)^(mgrs|utmref|gps)\s*[:=]?\s*", "", tidy(value))
    if tidy_mgrs(plain) is not None and re.search(r"[A-Za-z]{3}|[A-Za-z]\s+[A-Za-z]{2}", plain):
        return _square(plain, crs, typed)
    if looks_utm(plain):
        point = read_utm(plain, crs, programme.extent)
        return _Reading(point.x, point.y, point.crs, point.step / 2, "utm", typed, point.note)
    pair = _two_numbers(plain)
    if pair is not None and (_is_metres(pair) or (crs is not None and crs.projected)):
        return _pair(pair, crs, order, programme, typed)
    if crs is not None and crs.projected:
        raise NotationError(
            f"'{typed}' is in degrees, but crs is {crs.crs.name}",
            hint=f"give the geographic system it belongs to, e.g. {label(crs.base)}",
        )
    return _geographic(read_text(value), crs, order, programme, typed)


def _square(plain: str, crs: System | None, typed: str) -> _Reading:
    if crs is not None and not crs.on_wgs84:
        raise NotationError(f"'{typed}' is a grid reference on WGS 84, but crs is {crs.crs.name}", hint="leave crs out")
    square = from_mgrs(plain)
    if square.side_m > 10_000:
        raise NotationError(f"'{typed}' names a square of {square.side_m / 1000:g} km, not a place", hint="add digits")
    return _Reading(square.lon, square.lat, "EPSG:4326", square.h_acc_m, "mgrs", typed)


def _two_numbers(plain: str) -> list[str] | None:
    """Two bare numbers, possibly named N/E or X/Y, northing or easting first."""
    name = r"(?:(?P<{0}>[NEXYСВ])\s*[:=]?\s*)?"
    number = r"[+-]?\d+(?:[.,]\d+)?"
    pattern = rf"{name.format('a')}(?P<one>{number})\s*(?:m|м)?[\s;,/]+{name.format('b')}(?P<two>{number})\s*(?:m|м)?"
    match = re.fullmatch(pattern, plain, flags=re.IGNORECASE)
    if match is None:
        return None
    cells = [match["one"], match["two"]]
    if (match["a"] or "").upper() == "E" and (match["b"] or "").upper() == "N":
        return [f"E{cells[0]}", f"N{cells[1]}"]
    if (match["a"] or "").upper() == "N" and (match["b"] or "").upper() == "E":
        return [f"N{cells[0]}", f"E{cells[1]}"]
    return cells


def _value(cell: str) -> float:
    try:
        return float(re.sub(r"[^\d.,+-]", "", cell).replace(",", "."))
    except ValueError:
        return 0.0


def _is_metres(cells: list[str]) -> bool:
    return all(re.fullmatch(r"[A-Za-zСВ]?[+-]?\d+(?:[.,]\d+)?", cell) for cell in cells) and all(
        abs(_value(cell)) > 1000 for cell in cells
    )


_GROUPED = re.compile(r"\d{1,3}(?:[\s']\d{3})+(?:[.,]\d+)?")


def _pair(cells: list[str], crs: System | None, order: str | None, programme: Programme, typed: str) -> _Reading:
    cells = [re.sub(r"[\s']", "", cell) if _GROUPED.fullmatch(tidy(cell)) else cell for cell in cells]  # 4 385 550
    projected = crs is not None and crs.projected
    if projected or (_is_metres(cells) and crs is not None and crs.gauss_kruger):
        assert crs is not None
        named = "".join(cell[0].upper() for cell in cells if cell[0].isalpha())
        point = read_grid(
            cells[0], cells[1], crs, order={"EN": "xy", "NE": "yx"}.get(named, order), extent=programme.extent
        )
        factor = facts(point.crs).crs.axis_info[0].unit_conversion_factor
        return _Reading(point.x, point.y, point.crs, point.step / 2 * factor, "grid", typed, point.note)
    if _is_metres(cells):
        hint = "give crs=, for example EPSG:32638 (UTM) or 'GK' (Pulkovo 1942 with the zone in front of the easting)"
        raise NotationError(f"'{typed}' is in metres of a system that is not stated", hint=hint)
    return _geographic(read_cells(*cells), crs, order, programme, typed)


def _geographic(
    read: tuple[Angle, Angle, bool], crs: System | None, order: str | None, programme: Programme, typed: str
) -> _Reading:
    first, second, told = read
    code = crs.code if crs is not None else "EPSG:4326"
    if told or order == "yx":
        readings = [(second, first)]
    elif order == "xy":
        readings = [(first, second)]
    else:
        readings = [(lon, lat) for lon, lat in ((first, second), (second, first)) if abs(lat.degrees) <= 90]
        extent = programme.extent
        if len(readings) == 2 and extent is not None:
            fits = [
                (lon, lat)
                for lon, lat in readings
                if extent[0] <= lon.degrees <= extent[2] and extent[1] <= lat.degrees <= extent[3]
            ]
            readings = fits or readings
    if len(readings) > 1:
        raise NotationError(
            f"'{typed}' does not say which is the latitude",
            hint="add letters (39.6 N 47.1 E) or give order='yx' (latitude first)",
        )
    lon, lat = readings[0]
    if abs(lat.degrees) > 90:
        raise NotationError(
            f"{abs(lat.degrees):g}° in '{typed}' is more than a latitude can be",
            hint="are latitude and longitude exchanged?",
        )
    step = min(lon.step, lat.step)  # a spreadsheet drops the last zeros of one of the two
    return _Reading(
        lon.degrees,
        lat.degrees,
        code,
        step / 2 * _METRES_PER_DEGREE,
        lat.style if lat.step <= lon.step else lon.style,
        typed,
    )


def _to_wgs84(points: np.ndarray, code: str, programme: Programme) -> tuple[np.ndarray, np.ndarray, str, float | None]:
    if code == "EPSG:4326":
        return points[:, 0], points[:, 1], "", None
    source = facts(code)
    if source.on_wgs84:
        lon, lat = transformer(code, "EPSG:4326").transform(points[:, 0], points[:, 1])
        return np.asarray(lon), np.asarray(lat), "", None
    lonlat = geodetic(points, source.crs)
    operation, _, _ = choose(source.crs, WGS84, lonlat, programme=programme)
    lon, lat = operation.apply(lonlat[:, 0], lonlat[:, 1])
    return lon, lat, str(operation), operation.accuracy_m
