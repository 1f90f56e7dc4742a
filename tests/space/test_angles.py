"""Bearings in every unit of the trade, and the unit named when a value cannot belong to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.model.errors import NotationError
from geotools.space.notation import ANGLE_UNITS, format_angle, parse_angle


@pytest.mark.parametrize(
    ("value", "unit", "degrees"),
    [
        ("92,5", "deg", 92.5), ("92.5°", "deg", 92.5), (360, "deg", 0.0), (0, "deg", 0.0), ("92°30'", "dms", 92.5), ("92-30-00", "dms", 92.5), ("92 30 36", "dms", 92.51),
        ("92:30", "dms", 92.5), ("92", "dms", 92.0), (100, "gon", 90.0), ("399.9", "grad", 359.91), ("0-01", "mil6000", 0.06), ("15-00", "mil6000", 90.0), ("1500", "mil6000", 90.0),
        (1500.0, "mil6000", 90.0), ("59-99", "6000", 359.94), (1600, "mil6400", 90.0), ("6400", "NATO mils", 0.0), ("N 45 E", "quadrant", 45.0), ("S45E", "quadrant", 135.0),
        ("S 30°30' W", "quadrant", 210.5), ("N 10 W", "quadrant", 350.0), ("СВ:45°", "quadrant", 45.0), ("ЮЗ 45", "румб", 225.0), ("K 45 D", "quadrant", 45.0), ("due E", "quadrant", 90.0),
        ("N", "quadrant", 0.0), ("S 90 W", "quadrant", 270.0),
    ],
)  # fmt: skip
def test_units(value, unit, degrees):
    assert parse_angle(value, unit) == pytest.approx(degrees, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "unit", "hint"),
    [
        (361, "deg", "gons"), (1500, "deg", "mil6000"), (6200, "deg", "mil6400"), (401, "gon", "mil6000"), (6001, "mil6000", "mil6400"), (6401, "mil6400", ""), ("-5", "deg", ""), ("92.30", "dms", "92°30'"),
        ("92-70", "dms", ""), ("12-34", "deg", "mil6000"), ("N 95 E", "quadrant", ""), ("E 45 N", "quadrant", ""), ("45", "quadrant", ""), ("", "deg", ""), (None, "deg", ""), (float("nan"), "deg", ""), ("north", "deg", ""), (5, "parsec", ""),
    ],
)  # fmt: skip
def test_what_is_no_bearing_is_refused_with_the_likely_unit(value, unit, hint):
    with pytest.raises(NotationError) as caught:
        parse_angle(value, unit)
    assert hint in caught.value.hint


@given(st.floats(0, 359.99), st.sampled_from(ANGLE_UNITS))
def test_written_and_read_again_it_is_the_same_bearing(degrees, unit):
    step = {"deg": 0.005, "dms": 0.5 / 3600, "gon": 0.00045, "mil6000": 0.03, "mil6400": 0.0282, "quadrant": 0.005}[
        unit
    ]
    back = parse_angle(format_angle(degrees, unit), unit)
    assert abs((back - degrees + 180) % 360 - 180) <= step + 1e-9
