"""Grid references against values of GeographicLib's GeoConvert 2.1.2: 48° E, 32V, Svalbard, band edges, the poles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.model.errors import NotationError
from geotools.space import crs

# latitude, longitude, `GeoConvert -m -p 0`
PUBLISHED = [
    (39.6, 47.14, "38SPJ8373985550"), (39.9999, 47.9999, "38SQK5609132057"), (40.0001, 48.0001, "39TTE4390932079"),
    (40.0, 48.0, "39TTE4390032069"), (40.4093, 49.8671, "39TVE0387473803"), (60.0, 5.0, "32VKM7697958157"),
    (59.9, 2.99, "31VDG9944040274"), (56.0, 3.0, "32VJH2604922336"), (63.9999, 11.9999, "32VPS4669000455"),
    (64.0, 11.9999, "32WPS4669000466"), (78.0, 8.9999, "31XFG3902465496"), (78.0, 9.0, "33XUG6097365496"),
    (78.2232, 15.6267, "33XWG1427883355"), (78.0, 20.9999, "33XXG3902465496"), (78.0, 21.0, "35XLG6097365496"),
    (72.0, 33.0, "37XBV9336399233"), (71.9999, 33.1, "36WWE0344988924"), (83.9999, 10.0, "33XVP4172030613"),
    (84.5, 40.0, "ZFC9279531884"), (-80.5, 40.0, "BJW7945909748"), (-79.9999, -179.9999, "01CDM4186916926"),
    (0.0, 0.0, "31NAA6602100000"), (-0.0001, 0.0001, "31MAV6603299988"), (-33.9, 18.4, "34HBH5958345888"),
    (31.9999, 46.9, "38RPA7947942001"), (32.0, 46.9, "38SPA7947942013"),
]  # fmt: skip
# reference, `GeoConvert -g -p 3`: the middle of the square
CENTRES = [
    ("38SPJ8373885550", 39.60000068, 47.13999136), ("38SPJ837855", 39.59999371, 47.14012507), ("39TVE", 40.19890899, 50.41253711),
    ("39TVE0505", 39.79421389, 49.89623892), ("32VKM12345678", 59.94762447, 3.84750086), ("31VCJ00", 61.33009495, -0.64457437),
    ("33XVG1234567890", 78.05983460, 11.20220055), ("38SMB4488", 33.33423508, 44.40362785), ("ZAH0000000000", 89.99999363, 135.0),
    ("38TKK05", 40.19354035, 41.53458871),
]  # fmt: skip


@pytest.mark.parametrize(("lat", "lon", "text"), PUBLISHED)
def test_to_mgrs_gives_the_published_square_or_the_next_metre(lat, lon, text):
    """At most one metre off: a point within a millimetre of a square's edge may fall on either side."""
    got = crs.to_mgrs(lon, lat)
    assert got[:5] == text[:5]
    assert abs(int(got[-10:-5]) - int(text[-10:-5])) <= 1
    assert abs(int(got[-5:]) - int(text[-5:])) <= 1
    assert crs.to_mgrs(lon, lat, 3)[:5] == text[:5]


def test_nearly_all_published_values_are_met_to_the_letter():
    assert sum(crs.to_mgrs(lon, lat) == text for lat, lon, text in PUBLISHED) >= len(PUBLISHED) - 1


@pytest.mark.parametrize(("text", "lat", "lon"), CENTRES)
def test_from_mgrs_gives_the_middle_of_the_square(text, lat, lon):
    square = crs.from_mgrs(text)
    assert (square.lat, square.lon) == pytest.approx((lat, lon), abs=2e-8)
    digits = sum(c.isdigit() for c in text[3:])
    assert square.side_m == 10 ** (5 - digits // 2)
    assert square.h_acc_m == square.side_m / 2


@given(st.floats(-180, 180), st.floats(-89.9, 89.9), st.integers(1, 5))
def test_there_and_back_names_the_same_square_and_the_point_is_in_it(lon, lat, digits):
    text = crs.to_mgrs(lon, lat, digits)
    square = crs.from_mgrs(text)
    again = crs.to_mgrs(square.lon, square.lat, digits)
    assert again == text or again[:3] != text[:3]  # the middle may lie beyond the edge of the zone
    _, _, metres = crs.GEOD.inv(lon, lat, square.lon, square.lat)
    # UPS stretches by up to 0.6 %, and a square may lie across the zone's edge
    assert metres <= square.side_m * 0.7072 * 1.01 + 0.01


def test_arrays_are_read_and_written_at_once():
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(44, 51, 500), rng.uniform(38, 42, 500)
    texts = crs.to_mgrs(lon, lat)
    assert {t[:3] for t in texts} == {"38S", "38T", "39S", "39T"}
    squares = crs.from_mgrs(texts)
    assert squares.lon.shape == (500,)
    assert np.abs(crs.GEOD.inv(lon, lat, squares.lon, squares.lat)[2]).max() <= 0.72
    assert (crs.to_mgrs(squares.lon, squares.lat) == texts).all()
    assert crs.to_mgrs([47.0, np.nan], [40.0, 40.0])[1] is None


@pytest.mark.parametrize(
    "text", ["", "38SPJ123", "38SPJ12345678901234", "38IPJ1234", "38SPO1234", "61SPJ1234", "0SPJ12", "38SAJ1234", "SPJ1234", "A12", "38S PJ 12,34", "38CPJ1234", "ЗЗSPJ1234", None, "hello"]
)  # fmt: skip
def test_bad_references_are_refused(text):
    with pytest.raises(NotationError):
        crs.from_mgrs(str(text))
    with pytest.raises(ValueError):
        crs.from_mgrs(str(text))


@pytest.mark.parametrize(("lon", "lat"), [(181, 0), (0, 91), (float("nan"), 0), (0, float("inf"))])
def test_impossible_points_have_no_reference(lon, lat):
    with pytest.raises(NotationError):
        crs.to_mgrs(lon, lat)


def test_digits_are_cut_never_rounded():
    assert crs.to_mgrs(47.14, 39.6, 5) == "38SPJ8373985550"
    assert [crs.to_mgrs(47.14, 39.6, d) for d in (4, 3, 2, 1, 0)] == [
        "38SPJ83738555",
        "38SPJ837855",
        "38SPJ8385",
        "38SPJ88",
        "38SPJ",
    ]
    with pytest.raises(NotationError):
        crs.to_mgrs(47.14, 39.6, 6)


def test_utm_text():
    assert crs.to_utm(47.14, 39.6) == "38S 683739 4385550"
    assert crs.to_utm([47.9999, 48.0001], [39.9999, 40.0001]).tolist() == ["38S 756091 4432058", "39T 243909 4432080"]
    assert crs.to_utm(5.0, 60.0) == "32V 276980 6658157"
    assert crs.to_utm(18.4, -33.9) == "34H 259583 6245888"
    with pytest.raises(NotationError):
        crs.to_utm(0, 85)


@pytest.mark.parametrize("bad", [None, 5, float("nan"), [None], ["38SPJ", float("nan")], b"38SPJ"])
def test_what_is_no_text_is_refused_in_a_sentence(bad):
    with pytest.raises(NotationError):
        crs.from_mgrs(bad)
