"""Typed coordinates: every usual notation gives the same place; what reads two ways is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.model.errors import NotationError
from geotools.model.programme import Programme
from geotools.space import crs
from geotools.space.notation import parse_position, parse_positions

AZ = Programme(extent=(44.5, 38.3, 51.0, 42.0))
HERE = (39.600972, 47.140028)  # latitude, longitude of the point written in many ways below

SAME = [
    "39.600972 N 47.140028 E", "47.140028E 39.600972N", "N39.600972 E47.140028", "39,600972 N; 47,140028 E", "39,600972 N 47,140028 E",
    "lat 39.600972 lon 47.140028", "lon=47.140028 lat=39.600972", "Latitude: 39.600972, Longitude: 47.140028",
    "39°36'03.5\"N 47°08'24.1\"E", "39°36′03,5″ N, 47°08′24,1″ E", "39º36’03.5” N 47º08’24.1” E", "39° 36' 03.5'' N 47° 08' 24.1'' E",
    "39 36 03.5 N 47 08 24.1 E", "39-36-03.5N 47-08-24.1E", "39:36:03.5N 47:08:24.1E", "39d36m03.5sN 47d08m24.1sE", "N 39° 36' 03.5\" E 47° 08' 24.1\"",
    "39°36'03.5\" K 47°08'24.1\" D", "39°36'03.5\" Ş 47°08'24.1\" Ş", "39°36'03.5\" С 47°08'24.1\" В", "39°36'03.5\" с.ш. 47°08'24.1\" в.д.",
    "39°36'03.5\" C 47°08'24.1\" B", "Север 39°36'03.5\", восток 47°08'24.1\"", "şimal 39°36'03.5\" şərq 47°08'24.1\"", "kuzey 39°36'03.5\" doğu 47°08'24.1\"",
    "393603.5N 0470824.1E", "39° 36.05833' N 47° 08.40168' E", "39 36.05833 N 47 08.40168 E", "\u200f39.600972 N\u00a047.140028 E\u202c",
    "38S 683738.89 4385658.38", "683738.89 E 4385658.38 N 38 north", "UTM 38N E 683738.89 N 4385658.38", "38 S 0683739 4385658", "38S 4385658 683739",
    "38S PJ 83739 85658", "38spj8373985658", "MGRS: 38SPJ 83739 85658",
]  # fmt: skip


@pytest.mark.parametrize("text", SAME)
def test_every_notation_gives_the_same_place(text):
    got = parse_position(text)
    assert crs.GEOD.inv(got.lon, got.lat, HERE[1], HERE[0])[2] < 1.0
    assert got.as_entered == text.strip()
    assert got.source_crs in ("EPSG:4326", "EPSG:32638")


@pytest.mark.parametrize(
    "text",
    [
        "39.6 47.14", "39.6;47.14", "39° 47°", "39,36,47,08", "39.6", "", "   ", "hello", "39°61' N 47° E", "39°36'61\" N 47° E", "-39.6 N 47.1 E",
        "39.6 N 47.1 N", "95 N 47 E", "39.5°36' N 47° E", "zone 38 683738 4385550", "38T 683738 3585550", "38 X 683738 4385550", "19S 683738 4385550", "61N 500000 4000000",
        "38S 99 4385550", "38SPJ837", "38SPJ", "=cmd|'/c calc'!A1", "<b>39.6 N</b> 47.1 E", "39.6 N", "683738 4385550", "39°36' K 47°08' W", "1e5 N 2e5 E", "nan nan", "39'36 N 47'08 E",
    ],
)  # fmt: skip
def test_what_cannot_be_read_or_reads_two_ways_is_refused(text):
    with pytest.raises(NotationError) as caught:
        parse_position(text)
    assert isinstance(caught.value, ValueError)
    assert caught.value.message


def test_the_programmes_extent_settles_what_reads_two_ways():
    for text in ("39.6 47.14", "47.14 39.6", "39,6001 47,1400"):
        assert parse_position(text, programme=AZ).lat == pytest.approx(39.6, abs=1e-3)
    assert parse_position("zone 38 683738 4385550", programme=AZ).lat == pytest.approx(39.6, abs=1e-3)
    with pytest.raises(NotationError, match="latitude"):
        parse_position("45.5 45.7", programme=Programme(extent=(45, 45, 46, 46)))


def test_order_is_the_callers_word():
    assert parse_position((39.6, 47.14), order="latlon").lat == 39.6
    assert parse_position((47.14, 39.6), order="xy").lat == 39.6
    assert parse_position((120.5, 39.6)).lat == 39.6  # only one order is possible
    with pytest.raises(NotationError, match="order"):
        parse_position((1, 2), order="sideways")


@pytest.mark.parametrize(
    ("pair", "system", "source"),
    [
        ((8683738, 4385550), "EPSG:28408", "EPSG:28408"), ((4385550, 8683738), "EPSG:28408", "EPSG:28408"), ((683738, 4385550), "EPSG:28408", "EPSG:2498"),
        ((4385550, 683738), "EPSG:2498", "EPSG:2498"), ((8683738, 4385550), "EPSG:2498", "EPSG:28408"), ((4385550, 8683738), "GK", "EPSG:28408"),
        (("4 385 550", "8 683 738"), "СК-42", "EPSG:28408"), ("X=4385550 Y=8683738", "gk", "EPSG:28408"), ((8683738, 4385550), "EPSG:4284", "EPSG:28408"),
        ("4385550; 8683738", "GK", "EPSG:28408"),
    ],
)  # fmt: skip
def test_gauss_kruger_with_and_without_zone_in_either_order(pair, system, source):
    got = parse_position(pair, crs=system)
    assert got.source_crs == source
    assert got.transform_op == "EPSG:15865 (4.5 m)"
    assert got.op_accuracy_m == 4.5
    assert (got.lon, got.lat) == pytest.approx((47.137403, 39.583428), abs=1e-6)


def test_zone_nine_lies_east_of_48():
    got = parse_position((9407000, 4475000), crs="GK")
    assert got.source_crs == "EPSG:28409"
    assert got.lon == pytest.approx(49.9, abs=0.01)


@pytest.mark.parametrize(
    ("pair", "system"),
    [
        ((683738, 4385550), "GK"),
        ((12345, 67890), "EPSG:28408"),
        ((47.14, 39.6), "EPSG:32638"),
        ((683738, 4385550), None),
        ((1, 2, 3), "GK"),
    ],
)
def test_metres_that_fit_nothing_are_refused(pair, system):
    with pytest.raises(NotationError):
        parse_position(pair, crs=system)


def test_accuracy_is_what_the_digits_allow():
    assert parse_position("38S PJ 837 855").h_acc_m == 50.0
    assert parse_position("38S PJ 8373 8555").h_acc_m == 5.0
    assert parse_position("39°36' N 47°08' E").h_acc_m == pytest.approx(928, abs=1)
    assert parse_position("39.60 N 47.14 E").h_acc_m == pytest.approx(557, abs=1)
    precise = parse_position("39.6009721 N 47.1400281 E")
    assert precise.h_acc_m is None  # seven typed decimals are no centimetre
    assert precise.rounding_m == pytest.approx(0.0056, abs=1e-3)
    assert parse_position("38S PJ 837 855", h_acc_m=3.0).h_acc_m == pytest.approx(np.hypot(50, 3))
    assert parse_position("39.6 N 47.140028 E").rounding_m < 0.1  # a spreadsheet dropped the zeros of one of the two


@given(st.floats(-89.9, 89.9), st.floats(-179.9, 179.9), st.integers(0, 2))
def test_writing_degrees_minutes_seconds_and_reading_them_is_the_identity(lat, lon, parts):
    def text(value, letters):
        seconds = round(abs(value) * 3600, 3)
        d, m, s = int(seconds // 3600), int(seconds // 60 % 60), seconds % 60
        letter = letters[value < 0]
        if parts == 0:
            return f"{abs(round(value, 7)):.7f}° {letter}"
        return f"{d}°{m:02d}'{s:06.3f}\" {letter}" if parts == 2 else f"{d}°{m + s / 60:09.6f}' {letter}"

    got = (
        parse_position(f"{text(lat, 'NS')} {text(lon, 'EW')}")
        if parts != 1
        else parse_position((text(lat, "NS"), text(lon, "EW")))
    )
    assert (got.lat, got.lon) == pytest.approx((lat, lon), abs=3e-7)


def test_many_positions_keep_their_rows_and_say_what_was_wrong():
    values = pd.Series(["39.6001 N 47.1400 E", "hello", None, "38S PJ 837 855", "39.6 47.1"], index=[5, 3, 9, 1, 0])
    got = parse_positions(values)
    assert got.index.tolist() == [5, 3, 9, 1, 0]
    assert got["error"].isna().tolist() == [True, False, False, True, False]
    assert got["source_coords"].tolist()[:2] == ["39.6001 N 47.1400 E", "hello"]
    assert got.loc[1, "h_acc_m"] == 50
    one = parse_position("39.6001 N 47.1400 E")
    assert got.loc[5, "lon"] == one.lon


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_cleanly(text):
    try:
        got = parse_position(text)
    except NotationError:
        return
    assert -90 <= got.lat <= 90
    assert -180 <= got.lon <= 180.1


@given(st.text(alphabet="0123456789 .,°'\"NSEWСВşŞKGDB-+;:/mMsdUTGKx", max_size=36))
def test_any_coordinate_like_text_is_read_or_refused_cleanly(text):
    for value, system in ((text, None), (text, "GK"), ((text[:10], text[10:]), "EPSG:32638")):
        try:
            got = parse_position(value, crs=system)
        except NotationError:
            continue
        assert np.isfinite([got.lon, got.lat, got.rounding_m]).all()
