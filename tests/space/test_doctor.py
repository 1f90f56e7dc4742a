"""The doctor names the fault of every misread layer, the metres, and the option that reads it right."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geotools.model.errors import CRSError
from geotools.model.programme import Programme
from geotools.space import crs

AZ = (44.7, 38.3, 51.0, 41.95)
RNG = np.random.default_rng(3)
TRUE = np.column_stack([RNG.uniform(46.9, 47.4, 30), RNG.uniform(39.3, 39.8, 30)])
WIDE = np.column_stack([RNG.uniform(45, 50.9, 60), RNG.uniform(38.5, 41.8, 60)])


def layer(xy, system):
    return gpd.GeoDataFrame(
        {"id": [str(i) for i in range(len(xy))]}, geometry=gpd.points_from_xy(*np.asarray(xy).T), crs=system
    )


def said(system, points=TRUE):
    return shapely.get_coordinates(crs.shift(layer(points, 4326), system)[0].geometry.to_numpy())


REFERENCE = layer(TRUE, 4326)
UTM, GK, CUT = said("EPSG:32638"), said("EPSG:28408"), said("EPSG:2498")
EAST = said("EPSG:2499", TRUE + np.array([2.0, 0.0]))
MINUTES = np.floor(WIDE) + (WIDE % 1) * 0.6

# fault planted, layer as read, what the doctor says: fault, option, metres (about)
PLANTED = [
    ("axes exchanged", layer(TRUE[:, ::-1], 4326), "swapped", "--swap-xy", 1_038_000),
    ("UTM 38 read as 39", layer(UTM, 32639), "wrong-zone", "--crs EPSG:32638", 515_000),
    ("zone figure dropped", layer(CUT, 28408), "no-prefix", "--crs EPSG:2498", None),
    ("zone figure left on, read as UTM", layer(GK, 32638), "prefix", "--crs EPSG:28408", None),
    ("X is north in the table", layer(GK[:, ::-1], 28408), "xy-swapped", "--swap-xy", None),
    ("X is north, no zone figure", layer(CUT[:, ::-1], 2498), "xy-swapped", "--swap-xy", None),
    ("zone next door", layer(EAST, 2498), "wrong-zone", "--crs EPSG:2499", 515_000),
    ("degrees read as metres", layer(TRUE, 32638), "units", "--crs EPSG:4326", None),
    ("nothing said, zone figure", layer(GK, None), "prefix", "--crs EPSG:28408", None),
    ("nothing said, zone figure, X is north", layer(GK[:, ::-1], None), "prefix", "--crs EPSG:28408 --swap-xy", None),
    ("minutes as decimals", layer(MINUTES, 4326), "minutes", "--degrees-minutes", 29_000),
]


@pytest.mark.parametrize(("name", "frame", "fault", "option", "metres"), PLANTED, ids=[row[0] for row in PLANTED])
def test_every_planted_fault_is_named_against_an_extent(name, frame, fault, option, metres):
    found = crs.diagnose(frame, extent=AZ)
    assert (found.findings[0].fault, found.findings[0].option) == (fault, option)
    assert found.option == option
    assert not found.healthy
    assert not found.question
    if metres is not None:
        assert found.findings[0].metres == pytest.approx(metres, rel=0.02)
    assert set(found.issues["check"]) <= {"CR-01", "CR-02", "CR-03", "CR-04"}


AGAINST = [
    ("Pulkovo not shifted", layer(said("EPSG:4284"), 4326), "unshifted", "--crs EPSG:4284", 102),
    ("ED50 not shifted", layer(said("EPSG:4230"), 4326), "unshifted", "--crs EPSG:4230", 104),
    ("Gauss-Krüger read as UTM", layer(CUT, 32638), "gk-as-utm", "--crs EPSG:2498", 1_853),
    (
        "minutes as decimals, close together",
        layer(np.floor(TRUE) + (TRUE % 1) * 0.6, 4326),
        "minutes",
        "--degrees-minutes",
        29_000,
    ),
    ("shifted without need", layer(TRUE, 4284), "unshifted", "--crs EPSG:4326", 102),
]


@pytest.mark.parametrize(("name", "frame", "fault", "option", "metres"), AGAINST, ids=[row[0] for row in AGAINST])
@pytest.mark.parametrize("by_id", [True, False])
def test_small_faults_are_named_against_a_reference_layer(name, frame, fault, option, metres, by_id):
    reference = REFERENCE if by_id else gpd.GeoDataFrame(geometry=REFERENCE.geometry)
    found = crs.diagnose(frame, reference=reference)
    if fault == "minutes" and not by_id:
        return  # thirty kilometres away, the nearest mark says little
    assert (found.findings[0].fault, found.option) == (fault, option)
    assert found.findings[0].metres == pytest.approx(metres, rel=0.03)


@pytest.mark.parametrize("system", [4326, 32638, 28408, 4284])
def test_a_right_layer_is_healthy(system):
    frame = layer(said(f"EPSG:{system}"), system)
    assert crs.diagnose(frame, reference=REFERENCE).findings == ()
    assert crs.diagnose(frame, extent=AZ).healthy
    assert crs.diagnose(frame, programme=Programme(extent=AZ)).healthy


def test_two_readings_are_a_question_not_an_answer():
    found = crs.diagnose(layer(UTM, None), extent=AZ)
    assert found.choices == ("--crs EPSG:32638", "--crs EPSG:2498")
    assert "Ask who made the file" in found.question
    assert "1,85" in found.question
    assert found.option == ""
    assert (found.issues["check"] == "CR-03").any()
    settled = crs.diagnose(layer(UTM, None), reference=REFERENCE)
    assert settled.option == "--crs EPSG:32638"
    assert not settled.question


def test_what_an_extent_cannot_see_is_said():
    found = crs.diagnose(layer(said("EPSG:4284"), 4326), extent=AZ)
    assert found.healthy
    note = next(item for item in found.findings if item.option == "--crs EPSG:4284")
    assert note.severity == "info"
    assert "reference layer" in note.message
    assert note.metres == pytest.approx(102, abs=2)


def test_null_island_is_counted_and_the_rest_examined():
    points = TRUE[:, ::-1].copy()
    points[:3] = 0.0
    found = crs.diagnose(layer(points, 4326), extent=AZ)
    faults = {item.fault: item for item in found.findings}
    assert faults["null-island"].count == 3
    assert faults["null-island"].code == "CR-04"
    assert "swapped" in faults


def test_points_outside_are_counted_and_far_places_not_explained_away():
    points = np.vstack([TRUE, [[30.0, 10.0]]])
    found = crs.diagnose(layer(points, 4326), extent=AZ)
    assert found.findings[-1].fault == "outside" or found.findings[0].fault == "outside"
    lost = crs.diagnose(layer(TRUE + np.array([-100, -60]), 4326), extent=AZ)
    assert lost.findings[0].fault == "outside"
    assert lost.findings[0].option == ""


def test_the_order_of_rows_changes_nothing():
    for _, frame, *_ in PLANTED:
        assert crs.diagnose(frame, extent=AZ).to_dict() == crs.diagnose(frame.iloc[::-1], extent=AZ).to_dict()


def test_the_option_really_reads_it_right():
    """Every '--crs EPSG:n' with or without '--swap-xy' puts the points back within 10 m."""
    for name, frame, _, option, _ in [*PLANTED, *AGAINST]:
        if "degrees-minutes" in option or name == "zone next door":
            continue
        points = shapely.get_coordinates(frame.geometry.to_numpy())
        points = points[:, ::-1] if "--swap-xy" in option else points
        system = option.split("--crs ")[1].split()[0] if "--crs" in option else frame.crs
        out = shapely.get_coordinates(crs.shift(layer(points, system), 4326)[0].geometry.to_numpy())
        assert np.max(crs.GEOD.inv(*out.T, *TRUE.T)[2]) < 10, name


def test_an_array_and_an_empty_layer():
    assert crs.diagnose(TRUE[:, ::-1], crs=4326, extent=AZ).findings[0].fault == "swapped"
    with pytest.raises(CRSError, match="not a single coordinate"):
        crs.diagnose(gpd.GeoSeries([None, shapely.Point()], crs=4326))
