"""Payload format `gt1`: one layer as columnar, delta-coded, gzipped, base64 text for an inert script tag.

For encoding and decoding layers; not for what their classes and columns mean (see `webmap.layers`).

body = u32 header length, JSON header, then varint streams: rings per feature, points per ring, longitude deltas, latitude
deltas (zigzag), in steps of 1e-7 degree. Exterior rings run counter-clockwise, holes clockwise.
"""

from __future__ import annotations

import base64
import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geotools.model.errors import MapError
from geotools.model.schema.names import whole_text

VERSION = 1
STEPS = 10_000_000  # steps per degree
KINDS = ("polygon", "line", "point")
_GZIP_HEAD = bytes.fromhex("1f8b08000000000000ff")
_SAFE_INT = 2**53


@dataclass(frozen=True)
class Payload:
    """An encoded layer: the uncompressed body, and the rows whose geometry could not be kept."""

    body: bytes
    features: int
    points: int
    dropped: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """Base64 of one gzip member (fixed header, level 6, no time stamp)."""
        return pack(self.body)


def pack(body: bytes) -> str:
    """Gzip and base64; the same bytes for the same body and zlib.

    Examples
    --------
    >>> zlib.decompress(base64.b64decode(pack(b"abc")), 31)
    b'abc'
    """
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = deflate.compress(body) + deflate.flush()
    tail = struct.pack("<II", zlib.crc32(body), len(body) & 0xFFFFFFFF)
    return base64.b64encode(_GZIP_HEAD + packed + tail).decode("ascii")


def encode(geometries: Any, columns: Mapping[str, Any], *, kind: str = "polygon", coded: Sequence[str] = ()) -> Payload:
    """Encode a layer.

    Parameters
    ----------
    geometries
        Array of shapely geometries in WGS 84 longitude and latitude, None and empty allowed.
    columns
        Column name → values, one per geometry: text, numbers, booleans, dates, times (UTC), or missing.
    kind
        ``polygon``, ``line`` or ``point``; parts of other types are left out and reported in `.dropped`.
    coded
        Columns always written as a dictionary with codes.

    Raises
    ------
    MapError
        If a value is of a type the page cannot show, or lengths differ.

    Examples
    --------
    >>> layer = encode([shapely.box(46.7, 39.8, 46.8, 39.9)], {"id": ["A-1"]})
    >>> layer.features, layer.points, layer.dropped
    (1, 5, ())
    """
    if kind not in KINDS:
        raise MapError(f"a payload holds {', '.join(KINDS)}, not '{kind}'")
    array = np.asarray(geometries, dtype=object)
    per_feature, per_ring, points, dropped = _STREAMS[kind](array)
    cols = {str(name): _column(name, values, len(array), name in coded) for name, values in columns.items()}
    head = {
        "v": VERSION,
        "kind": kind,
        "nf": len(array),
        "nr": len(per_ring),
        "np": len(points),
        "q": 1 / STEPS,
        "cols": cols,
    }
    header = whole_text(json.dumps(head, ensure_ascii=False, separators=(",", ":"), allow_nan=False)).encode("utf-8")
    deltas = np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    body = b"".join(
        (
            struct.pack("<I", len(header)),
            header,
            varints(per_feature),
            varints(per_ring),
            varints(_zigzag(deltas[:, 0])),
            varints(_zigzag(deltas[:, 1])),
        )
    )
    return Payload(body, len(array), len(points), tuple(int(i) for i in dropped))


# ---------------------------------------------------------------------------------------------------------------- geometry


def quantise(coordinates: np.ndarray) -> np.ndarray:
    """Degrees as whole steps of 1e-7, halves to even."""
    return np.rint(np.asarray(coordinates, dtype=float) * STEPS).astype(np.int64)


def _usable(array: np.ndarray) -> np.ndarray:
    """Geometries with missing for those with a coordinate that is not finite."""
    out = array.copy()
    coords, owner = shapely.get_coordinates(array, return_index=True)
    out[np.unique(owner[~np.isfinite(coords).all(axis=1)])] = None
    return out


def _leaves(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Single parts and the feature each belongs to; collections are opened as deep as they go."""
    owner = np.arange(len(array))
    while True:
        parts, index = shapely.get_parts(array, return_index=True)
        owner = owner[index]
        if not np.isin(shapely.get_type_id(parts), (4, 5, 6, 7)).any():
            return parts, owner
        array = parts


def _polygons(array: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    usable = _usable(array)
    parts, owner = _leaves(usable)
    keep = (shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)
    parts, owner = parts[keep], owner[keep]
    rings, polygon = shapely.get_rings(parts, return_index=True)
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    points = quantise(coords)
    lengths = np.bincount(ring, minlength=len(rings)).astype(np.int64)
    starts = (
        np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64) if len(rings) else np.zeros(0, dtype=np.int64)
    )
    area = _twice_area(points, starts, lengths)
    shell = np.r_[True, polygon[1:] != polygon[:-1]] if len(polygon) else np.zeros(0, dtype=bool)
    flat_shell = np.zeros(len(parts), dtype=bool)
    flat_shell[polygon[shell & (area == 0)]] = True
    kept = (area != 0) & ~flat_shell[polygon] if len(rings) else np.zeros(0, dtype=bool)
    turn = np.where(shell, area < 0, area > 0)
    order = _ring_order(starts, lengths, turn, kept)
    per_ring = lengths[kept]
    per_feature = (
        np.bincount(owner[polygon[kept]], minlength=len(array)) if len(rings) else np.zeros(len(array), dtype=np.int64)
    )
    lost = (per_feature == 0) & ~shapely.is_missing(array) & ~shapely.is_empty(array)
    return per_feature, per_ring, points[order], np.flatnonzero(lost)


def _twice_area(points: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Twice the signed area of each ring in steps², relative to its first vertex so that it stays exact."""
    if not len(starts):
        return np.zeros(0)
    near = (points - np.repeat(points[starts], lengths, axis=0)).astype(float)
    cross = np.zeros(len(points))
    cross[:-1] = near[:-1, 0] * near[1:, 1] - near[1:, 0] * near[:-1, 1]
    cross[starts + lengths - 1] = 0
    return np.add.reduceat(cross, starts)


def _ring_order(starts: np.ndarray, lengths: np.ndarray, turn: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Point indices of the kept rings, those to `turn` backwards."""
    starts, lengths, turn = starts[kept], lengths[kept], turn[kept]
    if not len(starts):
        return np.zeros(0, dtype=np.int64)
    begin = np.where(turn, starts + lengths - 1, starts)
    step = np.where(turn, -1, 1)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(begin, lengths) + np.repeat(step, lengths) * within


def _lines(array: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    parts, owner = _leaves(_usable(array))
    keep = np.isin(shapely.get_type_id(parts), (1, 2)) & ~shapely.is_empty(parts)
    parts, owner = parts[keep], owner[keep]
    coords, path = shapely.get_coordinates(parts, return_index=True)
    per_ring = np.bincount(path, minlength=len(parts)).astype(np.int64)
    per_feature = np.bincount(owner, minlength=len(array))
    lost = (per_feature == 0) & ~shapely.is_missing(array) & ~shapely.is_empty(array)
    return per_feature, per_ring, quantise(coords), np.flatnonzero(lost)


def _points(array: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    parts, owner = _leaves(_usable(array))
    keep = (shapely.get_type_id(parts) == 0) & ~shapely.is_empty(parts)
    parts, owner = parts[keep], owner[keep]
    counts = np.bincount(owner, minlength=len(array)).astype(np.int64)
    lost = (counts == 0) & ~shapely.is_missing(array) & ~shapely.is_empty(array)
    return (
        (counts > 0).astype(np.int64),
        counts[counts > 0],
        quantise(shapely.get_coordinates(parts)),
        np.flatnonzero(lost),
    )


_STREAMS = {"polygon": _polygons, "line": _lines, "point": _points}

# ----------------------------------------------------------------------------------------------------------------- varints


def _zigzag(values: np.ndarray) -> np.ndarray:
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def varints(values: Any) -> bytes:
    """Unsigned LEB128 of non-negative integers, shortest form.

    Examples
    --------
    >>> varints([0, 127, 128, 300]).hex()
    '007f8001ac02'
    """
    numbers = np.asarray(values).astype(np.uint64)
    if not len(numbers):
        return b""
    sizes = np.ones(len(numbers), dtype=np.int64)
    for group in range(1, 10):
        bigger = numbers >= np.uint64(1) << np.uint64(7 * group)
        if not bigger.any():
            break
        sizes += bigger
    ends = np.cumsum(sizes)
    out = np.empty(int(ends[-1]), dtype=np.uint8)
    starts = ends - sizes
    for group in range(int(sizes.max())):
        has = sizes > group
        low = (numbers[has] >> np.uint64(7 * group)) & np.uint64(127)
        more = (sizes[has] > group + 1).astype(np.uint8) << 7
        out[starts[has] + group] = low.astype(np.uint8) | more
    return out.tobytes()


def read_varints(data: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """`count` integers from the start of `data`, and how many bytes they took."""
    if not count:
        return np.zeros(0, dtype=np.uint64), 0
    ends = np.flatnonzero(data < 128)
    if len(ends) < count:
        raise MapError("the payload ends too early")
    ends = ends[:count]
    used = int(ends[-1]) + 1
    starts = np.r_[0, ends[:-1] + 1]
    within = np.arange(used) - np.repeat(starts, ends - starts + 1)
    parts = (data[:used] & 127).astype(np.uint64) << (7 * within).astype(np.uint64)
    return np.add.reduceat(parts, starts), used


# ----------------------------------------------------------------------------------------------------------------- columns


def _column(name: object, values: Any, features: int, coded: bool) -> dict[str, Any]:
    plain = plain_values(values, str(name))
    if len(plain) != features:
        raise MapError(f"column '{name}' has {len(plain)} values for {features} features")
    codes: dict[tuple[type, Any], int] = {}
    indices = [codes.setdefault((type(v), v), len(codes)) for v in plain]
    if coded or len(codes) < min(2000, features / 2 + 1):
        return {"dict": [v for _, v in codes], "codes": indices}
    return {"values": plain}


def plain_values(values: Any, name: str = "") -> list[Any]:
    """Values as text, number, boolean or None: missing, NaN and infinity are None, dates ISO text.

    Examples
    --------
    >>> plain_values(pd.Series(pd.to_datetime(["2024-01-25", None])))
    ['2024-01-25', None]
    >>> plain_values([1, float("nan"), True, 2**60])
    [1, None, True, '1152921504606846976']
    """
    series = values if isinstance(values, pd.Series) else pd.Series(list(values), dtype=object)
    kind = series.dtype.kind if isinstance(series.dtype, np.dtype) else ""
    if kind == "f":
        numbers = series.to_numpy()
        return [v if ok else None for v, ok in zip(numbers.tolist(), np.isfinite(numbers), strict=True)]
    if kind == "b":
        return series.tolist()
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return _times(series)
    return [_plain(v, name) for v in series.tolist()]


def _times(series: pd.Series) -> list[Any]:
    aware = getattr(series.dtype, "tz", None) is not None
    moment = series.dt.tz_convert("UTC").dt.tz_localize(None) if aware else series
    days = not aware and bool((moment.dropna() == moment.dropna().dt.normalize()).all())
    text = moment.dt.strftime("%Y-%m-%d" if days else "%Y-%m-%dT%H:%M:%S")
    return [
        None if missing else (t if days else t + ("Z" if aware else ""))
        for t, missing in zip(text, moment.isna(), strict=True)
    ]


def _plain(value: Any, name: str) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _SAFE_INT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.strftime("%Y-%m-%dT%H:%M:%S") + ("Z" if value.tzinfo else "")
    if isinstance(value, date):
        return value.isoformat()
    raise MapError(
        f"column '{name}' holds a value of type {type(value).__name__}, which a map cannot show",
        hint="turn it into text, a number, a date or a boolean first, or leave the column out",
    )


# ------------------------------------------------------------------------------------------------------------------ decode


@dataclass(frozen=True)
class Decoded:
    """A decoded layer: header, rings per feature, points per ring, quantised coordinates, columns."""

    header: Mapping[str, Any]
    per_feature: np.ndarray
    per_ring: np.ndarray
    steps: np.ndarray
    columns: Mapping[str, list[Any]]

    @property
    def geometries(self) -> list[Any]:
        """Shapely geometries in longitude and latitude; None where there is none."""
        ends = np.cumsum(self.per_ring)
        rings = np.split(self.steps / STEPS, ends[:-1]) if len(ends) else []
        out, at = [], 0
        for count in self.per_feature.tolist():
            out.append(_shape(rings[at : at + count], str(self.header["kind"])))
            at += count
        return out


def _shape(rings: Sequence[np.ndarray], kind: str) -> Any:
    if not rings:
        return None
    if kind == "point":
        return shapely.Point(rings[0][0]) if len(rings[0]) == 1 else shapely.MultiPoint(rings[0])
    if kind == "line":
        return shapely.LineString(rings[0]) if len(rings) == 1 else shapely.MultiLineString(list(rings))
    parts: list[list[np.ndarray]] = []
    for ring in rings:
        near = ring - ring[0]
        positive = float((near[:-1, 0] * near[1:, 1] - near[1:, 0] * near[:-1, 1]).sum()) > 0
        if positive or not parts:
            parts.append([ring])
        else:
            parts[-1].append(ring)
    polygons = [shapely.Polygon(part[0], part[1:]) for part in parts]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def decode(text: str | bytes) -> Decoded:
    """Decode a payload (base64 text, or a body as bytes), checking every count.

    Raises
    ------
    MapError
        If it is not a whole payload of this version.

    Examples
    --------
    >>> decode(encode([shapely.Point(46.7, 39.8)], {"id": ["F-1"]}, kind="point").text).geometries
    [<POINT (46.7 39.8)>]
    """
    body = zlib.decompress(base64.b64decode(text), 31) if isinstance(text, str) else text
    (length,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length].decode("utf-8"))
    if header.get("v") != VERSION:
        raise MapError(f"payload version {header.get('v')} is not known")
    data = np.frombuffer(body, dtype=np.uint8)[4 + length :]
    streams: list[np.ndarray] = []
    for count in (header["nf"], header["nr"], header["np"], header["np"]):
        values, used = read_varints(data, count)
        streams.append(values)
        data = data[used:]
    per_feature, per_ring = (s.astype(np.int64) for s in streams[:2])
    columns = {name: _values(col) for name, col in header["cols"].items()}
    whole = not len(data) and per_feature.sum() == header["nr"] and per_ring.sum() == header["np"]
    if not whole or any(len(v) != header["nf"] for v in columns.values()):
        raise MapError("the payload's counts do not agree")
    unzigzag = [(s >> np.uint64(1)).astype(np.int64) ^ -(s & np.uint64(1)).astype(np.int64) for s in streams[2:]]
    steps = np.column_stack([np.cumsum(s) for s in unzigzag]) if header["np"] else np.zeros((0, 2), dtype=np.int64)
    return Decoded(header, per_feature, per_ring, steps, columns)


def _values(column: Mapping[str, Any]) -> list[Any]:
    if "dict" in column:
        words: Iterable[Any] = column["codes"]
        return [column["dict"][code] for code in words]
    return list(column["values"])
