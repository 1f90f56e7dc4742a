"""Payload gt1: the published vector, round trips within 6 mm, rings and holes kept, determinism, refusals."""

from __future__ import annotations

import base64
import gzip
import math
import zlib
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.maps.webmap.payload import STEPS, decode, encode, pack, plain_values, varints
from geotools.model.errors import MapError

TRIANGLE = shapely.Polygon([(46.7, 39.8), (46.7001, 39.8), (46.7, 39.8001)])
SQUARE = shapely.Polygon(
    [(46.71, 39.8), (46.7104, 39.8), (46.7104, 39.8004), (46.71, 39.8004)],
    [[(46.7101, 39.8001), (46.7101, 39.8003), (46.7103, 39.8003)]],
)


def test_vector() -> None:
    made = encode([TRIANGLE, SQUARE], {"cls": ["CHA", "SHA"], "id": ["A-1", None]}, coded=("cls",))
    assert len(made.body) == 196
    assert zlib.crc32(made.body) == 0xAFFCF7F2
    assert made.body[:4] == bytes.fromhex("89000000")
    streams = made.body[141:]
    assert streams.hex() == (
        "010204050480ebaebd03d00fcf0f00c09a0cc03e00bf3e00d00f00a01f9f1f80fec7fb0200d00fcf0f0000c03e00bf3ed00fa01f009f1f"
    )  # fmt: skip


def test_gzip_is_what_everyone_else_reads() -> None:
    text = encode([TRIANGLE], {"id": ["A-1"]}).text
    packed = base64.b64decode(text)
    assert packed[:10].hex() == "1f8b08000000000000ff"
    assert gzip.decompress(packed) == encode([TRIANGLE], {"id": ["A-1"]}).body


def test_the_same_input_gives_the_same_bytes() -> None:
    assert pack(b"x" * 1000) == pack(b"x" * 1000)
    assert encode([SQUARE], {"id": [1]}).text == encode([SQUARE], {"id": [1]}).text


@st.composite
def polygons(draw: st.DrawFn) -> shapely.Geometry:
    """Star-shaped polygons with a hole now and then, of either ring order, anywhere on the map, single or multi."""

    def one(x: float, y: float, size: float) -> shapely.Polygon:
        n = draw(st.integers(4, 9))
        radii = draw(st.lists(st.floats(0.6, 1.0), min_size=n, max_size=n))
        ring = [
            (x + size * r * math.cos(2 * math.pi * k / n), y + size * r * math.sin(2 * math.pi * k / n))
            for k, r in enumerate(radii)
        ]
        if draw(st.booleans()):
            ring.reverse()
        hole = [(x + 0.2 * size * math.cos(a), y + 0.2 * size * math.sin(a)) for a in (0, 2, 4)]
        return shapely.Polygon(ring, [hole] if draw(st.booleans()) else [])

    x, y = draw(st.floats(-179.0, 179.0)), draw(st.floats(-80.0, 80.0))
    size = draw(st.sampled_from([1e-5, 1e-3, 0.5]))
    parts = [one(x, y, size)]
    if draw(st.booleans()):
        parts.append(one(x, y + 3 * size, size))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.none(), polygons()), min_size=0, max_size=6))
def test_round_trip(shapes: list[shapely.Geometry | None]) -> None:
    made = encode(np.array(shapes, dtype=object), {"id": [f"x{i}" for i in range(len(shapes))]})
    back = decode(made.text)
    assert back.columns["id"] == [f"x{i}" for i in range(len(shapes))]
    for before, after in zip(shapes, back.geometries, strict=True):
        if before is None:
            assert after is None
            continue
        assert len(shapely.get_parts(before)) == len(shapely.get_parts(after))
        old, new = shapely.get_rings(before), shapely.get_rings(after)
        assert [len(r.coords) for r in old] == [len(r.coords) for r in new]
        for a, b in zip(old, new, strict=True):
            near = np.asarray(b.coords)
            close = min(np.abs(np.asarray(a.coords) - near).max(), np.abs(np.asarray(a.coords)[::-1] - near).max())
            assert close <= 0.6e-7  # 0.5e-7 of rounding, and the last bit of the double
        assert all(p.exterior.is_ccw and not any(h.is_ccw for h in p.interiors) for p in shapely.get_parts(after))
    again = encode(np.array(back.geometries, dtype=object), {"id": back.columns["id"]})
    assert again.body == made.body  # a decoded layer encodes to the same integers


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 2**40)))
def test_varints_are_shortest_leb128(numbers: list[int]) -> None:
    expected = bytearray()
    for n in numbers:
        while n > 127:
            expected.append(n & 127 | 128)
            n >>= 7
        expected.append(n)
    assert varints(numbers) == bytes(expected)


@pytest.mark.parametrize("kind", ["polygon", "line", "point"])
def test_empty_layer_and_missing_columns(kind: str) -> None:
    back = decode(encode([], {"id": []}, kind=kind).text)
    assert back.geometries == []
    back = decode(
        encode([None, shapely.Point()], {"a": [None, float("nan")], "b": [float("inf"), pd.NaT]}, kind=kind).text
    )
    assert (back.geometries, back.columns) == ([None, None], {"a": [None, None], "b": [None, None]})


def test_both_sides_of_the_date_line_and_points_and_lines() -> None:
    points = [shapely.Point(179.9999999, -17), shapely.Point(-180, 17), shapely.MultiPoint([(0, 0), (1, 1)])]
    assert decode(encode(points, {}, kind="point").text).geometries == points
    lines = [
        shapely.LineString([(179.9, 1), (-179.9, 1)]),
        shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3), (4, 4)]]),
    ]
    assert decode(encode(lines, {}, kind="line").text).geometries == lines


def test_collapsed_rings_leave_the_feature_in_the_table() -> None:
    speck = shapely.box(46.7, 39.8, 46.7 + 1e-9, 39.8 + 1e-9)
    with np.errstate(invalid="ignore"):
        bad = shapely.Polygon([(46.7, 39.8), (46.8, 39.8), (46.8, float("nan")), (46.7, 39.8)])
    made = encode([speck, SQUARE, bad], {"id": ["tiny", "whole", "broken"]})
    assert made.dropped == (0, 2)
    assert [g is None for g in decode(made.text).geometries] == [True, False, True]


def test_values() -> None:
    assert plain_values([datetime(2024, 1, 25, 12, tzinfo=UTC), date(2024, 1, 25), 2**53 + 1, np.int64(3), np.float32(0.5), True, "x"]) == [
        "2024-01-25T12:00:00Z", "2024-01-25", str(2**53 + 1), 3, 0.5, True, "x",
    ]  # fmt: skip
    assert plain_values(pd.Series(pd.to_datetime(["2024-01-25 10:00"], utc=True))) == ["2024-01-25T10:00:00Z"]
    assert plain_values(pd.array([1, None], dtype="Int64")) == [1, None]
    with pytest.raises(MapError, match="list"):
        plain_values([[1, 2]], "parts")


def test_a_truth_value_is_not_the_number_one() -> None:
    back = decode(encode([None] * 8, {"a": [1, True, 1.0, "1"] * 2}).text)
    assert [type(v) for v in back.columns["a"]] == [int, bool, float, str] * 2


def test_broken_payloads_are_refused() -> None:
    body = encode([SQUARE], {"id": ["A"]}).body
    for bad in (body[:-1], body + b"\0"):
        with pytest.raises(MapError):
            decode(bad)
    assert STEPS == 10_000_000
