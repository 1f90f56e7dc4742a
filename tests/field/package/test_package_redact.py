"""What may not leave does not leave: searched in every byte of every file, unpacked and decoded."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import geotools as gt
from geotools.field.package import squares
from geotools.model.errors import SchemaError
from geotools.space import crs

SECRET = "zq7secret"
QUICK = {"skip": ("map", "card", "forms")}


def lonlat(frame: gpd.GeoDataFrame) -> np.ndarray:
    return shapely.get_coordinates(crs.to_wgs84(frame).geometry.array)


def withheld_places(survey: Any, kinds: tuple[str, ...]) -> np.ndarray:
    return np.unique(np.concatenate([lonlat(survey.layers[kind]) for kind in kinds]), axis=0)


def assert_nowhere(kit: Any, folder: Path, places: np.ndarray, texts: tuple[str, ...]) -> None:
    """None of the texts and none of the places, in any notation, in any piece of the package."""
    watch = kit.watch(places)
    for name, data in kit.everything(folder):
        for text in texts:
            for encoding in ("utf-8", "utf-16-le"):
                assert text.encode(encoding) not in data, f"'{text}' in {name}"
        trace = watch.seen(data)
        assert trace is None, f"{trace!r} in {name}"


def test_the_watch_sees_every_notation(kit: Any) -> None:
    """A watch that sees nothing would prove nothing."""
    place = np.array([[47.123456789, 39.612345678], [48.2, 40.1]])
    watch = kit.watch(place)
    lon, lat = place[0]
    written = [
        f"{lon:.7f},{lat:.7f}", f"[{lon!r}, {lat!r}]", f'lat="{lat:.7f}" lon="{lon:.7f}"', "39 36.74074 47 07.40741", "39°36.7407' N 47°07.4074' E",
        "39°36'44.44\" 47°07'24.44\"", "39 36 44.444 47 7 24.444", str(crs.to_mgrs(lon, lat)), str(crs.to_utm(lon, lat)),
        str(crs.to_utm(lon, lat, decimals=2)).replace(" ", ";"),
    ]  # fmt: skip
    for text in written:
        assert watch.seen(b"before " + text.encode() + b" after") is not None, text
    for order in ("<f8", ">f8"):
        assert watch.seen(b"abc" + np.array([lon, lat], dtype=order).tobytes() + b"xyz123456") is not None
    assert watch.seen(shapely.to_wkb(shapely.LineString([(1, 2), (lon, lat)]))) is not None
    assert watch.seen(b"39.600001 47.1000001 38SPJ0000000000 600000 4300000") is None


PUBLIC_WITHHELD = ("hazards", "releases", "activities", "finds", "accidents", "samples", "marks", "tracks", "victims")


def test_a_public_package_tells_nothing_that_is_withheld(kit: Any, tmp_path: Path) -> None:
    """Every file, the card, the map and the archive."""
    survey = kit.survey(secret=SECRET)
    made = gt.field.package(survey, tmp_path / "pub", redact="public", area="H-1")
    assert {"map.html", "card.pdf", "gps/map.kmz", "qfield/team.gpkg"} <= set(made.manifest["files"])
    assert_nowhere(
        kit,
        tmp_path / "pub",
        withheld_places(survey, PUBLIC_WITHHELD),
        (SECRET, "7391.4", "ACC-81", "FND-81", "REL-81", "ACT-81", "TSK-81", "VIC-81", "MRK-81"),
    )
    gt.field.package(survey, tmp_path / "all", redact="public", skip=("map", "card"))
    assert_nowhere(kit, tmp_path / "all", withheld_places(survey, PUBLIC_WITHHELD), (SECRET, "7391.4", "H-2"))


WITHOUT_SHRINKING = (Phase.explicit, Phase.generate)  # a package takes a second


@settings(max_examples=4, phases=WITHOUT_SHRINKING)
@given(st.integers(0, 10_000), st.sampled_from([10.0, 100.0, 1000.0]), st.sampled_from([None, "TSK-81", "H-1"]))
def test_public_law(kit: Any, seed: int, side: float, area: str | None) -> None:
    check_public(kit, seed, side, area, ("map", "card"))


@pytest.mark.slow
@settings(max_examples=12, phases=WITHOUT_SHRINKING)
@given(st.integers(0, 10_000), st.sampled_from([10.0, 100.0, 1000.0]), st.sampled_from([None, "TSK-81", "H-1"]))
def test_public_law_with_map_and_card(kit: Any, seed: int, side: float, area: str | None) -> None:
    check_public(kit, seed, side, area, ())


def check_public(kit: Any, seed: int, side: float, area: str | None, skip: tuple[str, ...]) -> None:
    """No withheld place or value anywhere; every vertex of unreleased ground lies on the grid; the squares cover the ground."""
    survey = kit.survey(seed=seed, secret=SECRET, public_grid_m=side)
    asked = {"task": area} if area == "TSK-81" else {"area": area}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "p"
        gt.field.package(survey, folder, redact="public", skip=skip, **asked)
        assert_nowhere(kit, folder, withheld_places(survey, PUBLIC_WITHHELD), (SECRET, "7391.4"))
        shown = gpd.read_file(folder / "geojson" / "hazards.geojson")
        assert_on_grid(shown, side)
        assert_on_grid(pyogrio.read_dataframe(folder / "qfield" / "team.gpkg", layer="hazards"), side)
        left = gt.coverage(survey.hazards, survey.releases).remaining.to_crs(4326)
        for key, shape in zip(left["id"], left.geometry, strict=True):
            if key in set(shown["id"]):
                squared = shown.loc[shown["id"] == key].geometry.iloc[0]
                wide = gt.geom.repair(shape).buffer(
                    -5e-8
                )  # spikes thinner than a centimetre are noise of a change of system
                assert wide.is_empty or squared.contains(wide), key
        assert "H-2" not in set(shown["id"])


def assert_on_grid(frame: gpd.GeoDataFrame, side: float) -> None:
    for shape in frame.geometry:
        zone = crs.utm(*shape.centroid.coords[0])
        xy = shapely.get_coordinates(crs.transform([shape], "EPSG:4326", zone)[0])
        off = np.abs(xy / side - np.round(xy / side)) * side
        assert off.max() < 0.05, "a vertex off the grid"


def test_the_map_draws_squares_only(kit: Any, tmp_path: Path) -> None:
    """Coordinates as the page decodes them: the polygons of its payloads lie on the grid."""
    from geotools.maps.webmap import payload

    gt.field.package(kit.survey(secret=SECRET), tmp_path / "pub", redact="public")
    secrets = withheld_places(kit.survey(secret=SECRET), PUBLIC_WITHHELD)
    count = 0
    text = (tmp_path / "pub" / "map.html").read_text("utf-8")
    for block in re.findall(r'<script type="application/octet-stream"[^>]*>([^<]+)</script>', text):
        try:
            points = shapely.get_coordinates(np.asarray(payload.decode(block).geometries, dtype=object))
        except ValueError:
            continue  # a block that is no layer
        count += len(points)
        if len(points):
            near = np.abs(points[:, None, :] - secrets[None, :, :]).max(axis=2).min()
            assert near > 2e-7, "a withheld vertex in the map's data"
    assert count


@pytest.mark.parametrize("skip", [("map", "card"), pytest.param((), marks=pytest.mark.slow)])
def test_a_partner_gets_no_persons_and_no_unsafe_places(kit: Any, tmp_path: Path, skip: tuple[str, ...]) -> None:
    survey = kit.survey(secret=SECRET)
    gt.field.package(survey, tmp_path / "p", redact="partner", skip=skip)
    accidents = survey.layers["accidents"]
    unsafe = accidents[accidents["safe_to_publish"] != True]  # noqa: E712
    places = np.concatenate(
        [lonlat(unsafe), lonlat(survey.hazards[survey.hazards["id"] == "H-2"]), lonlat(survey.layers["victims"])]
    )
    personal = [f"{SECRET}0q{n:02d}" for n in (4, 5, 6, 17, 18, 19, 20, 21, 22, 29)]
    assert_nowhere(kit, tmp_path / "p", places, tuple(personal))
    shown = gpd.read_file(tmp_path / "p" / "geojson" / "hazards.geojson").set_index("id")
    assert shown.loc["H-2", "precision_m"] == 1000, "an unsafe hazard is drawn in squares, never hidden from a partner"
    assert shown.loc["H-2"].geometry.contains(survey.hazards.to_crs(4326).set_index("id").loc["H-2"].geometry)
    exact = survey.hazards.to_crs(4326).set_index("id").loc["H-1"].geometry
    assert shapely.hausdorff_distance(shown.loc["H-1"].geometry, exact) < 1e-6
    assert list(gpd.read_file(tmp_path / "p" / "geojson" / "accidents.geojson")["id"]) == ["ACC-82"]


def test_internal_keeps_everything_that_is_packed(kit: Any, tmp_path: Path) -> None:
    survey = kit.survey(secret=SECRET)
    made = gt.field.package(survey, tmp_path / "p", skip=("map", "card"))
    assert made.manifest["withheld"] == {"victims": 1}
    text = (tmp_path / "p" / "geojson" / "accidents.geojson").read_text("utf-8")
    assert len(json.loads(text)["features"]) == 3
    assert f"{SECRET}0q18" in text


def test_what_stays_behind_is_counted(kit: Any, tmp_path: Path) -> None:
    made = gt.field.package(kit.survey(), tmp_path / "p", redact="public", skip=("map", "card"), lang="ru")
    assert made.manifest["withheld"]["accidents"] == 3
    assert made.manifest["withheld"]["hazards"] >= 2
    text = (tmp_path / "p" / "README.txt").read_text("utf-8")
    assert "accidents 3" in text
    assert "квадратами 100 м" in text


def test_levels_and_sides_are_checked(kit: Any, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="not a level"):
        gt.field.package(kit.survey(), tmp_path / "p", redact="secret")
    with pytest.raises(SchemaError, match="not the side of an MGRS square"):
        gt.field.package(kit.survey(public_grid_m=250.0), tmp_path / "p", redact="public")
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------------------------------ the squares


@settings(max_examples=30)
@given(
    st.floats(44.0, 51.0),
    st.floats(38.5, 41.5),
    st.integers(0, 10_000),
    st.sampled_from([10.0, 100.0, 1000.0]),
    st.floats(5.0, 900.0),
)
def test_squares_cover_and_fill(lon: float, lat: float, seed: int, side: float, size: float) -> None:
    """Covering squares contain the shape, inner ones lie in it, both sides of 48° E; each is made of whole squares."""
    random = np.random.default_rng(seed)
    ring = np.array([lon, lat]) + random.uniform(-1, 1, (9, 2)) * size / 111_000
    shape = shapely.concave_hull(shapely.MultiPoint(ring), 0.4)
    if shape.geom_type != "Polygon":
        shape = shapely.MultiPoint(ring).convex_hull
    big, small = squares.covering([shape], side)[0], squares.inside([shape], side)[0]
    assert big.contains(shape)
    assert_on_grid(gpd.GeoDataFrame(geometry=[big], crs=4326), side)
    if small is not None:
        assert shape.contains(small)
        assert_on_grid(gpd.GeoDataFrame(geometry=[small], crs=4326), side)


def test_an_invalid_outline_is_covered_lines_and_all() -> None:
    bow = shapely.Polygon(
        [(47.1, 39.6), (47.104, 39.604), (47.104, 39.6), (47.1, 39.604), (47.1, 39.6), (47.12, 39.62), (47.1, 39.6)]
    )
    squared = squares.covering([bow], 100.0)[0]
    assert squared.contains(shapely.MultiPoint(shapely.get_coordinates(bow)))
    assert squared.contains(gt.geom.repair(bow))
    flat = shapely.Polygon([(47.1, 39.6), (47.11, 39.61), (47.1, 39.6)])
    assert squares.covering([flat], 100.0)[0].contains(shapely.Point(47.105, 39.605))
    assert squares.inside([flat], 100.0)[0] is None


def test_long_edges_points_lines_and_nothing() -> None:
    long = shapely.Polygon([(47.0, 39.5), (47.4, 39.5), (47.2, 39.8)])
    covered = squares.covering([long], 1000.0)[0]
    assert covered.contains(long)
    assert covered.contains(shapely.Polygon(shapely.get_coordinates(crs.densify([long], 50.0)[0])))
    spot, line, none, empty = squares.covering(
        [shapely.Point(47.1, 39.6), shapely.LineString([(47.1, 39.6), (47.11, 39.61)]), None, shapely.Polygon()], 100.0
    )
    assert spot.contains(shapely.Point(47.1, 39.6))
    assert line.contains(shapely.LineString([(47.1, 39.6), (47.11, 39.61)]))
    assert none is None
    assert empty is None
    assert squares.inside([shapely.box(47.1, 39.6, 47.1001, 39.6001)], 100.0)[0] is None


def test_the_same_search_finds_an_internal_package_out(kit: Any, tmp_path: Path) -> None:
    """The control: where nothing is withheld, the search finds it in each sort of file."""
    survey = kit.survey(secret=SECRET)
    gt.field.package(survey, tmp_path / "p", area="H-1", skip=("map", "card"))
    watch = kit.watch(withheld_places(survey, ("hazards", "finds")))
    traced = {
        Path(name.split("!")[0].split(":")[0].split("#")[0]).suffix
        for name, data in kit.everything(tmp_path / "p")
        if watch.seen(data)
    }
    assert {".geojson", ".gpx", ".kml", ".gpkg", ".csv"} <= traced, traced


def test_neighbours_of_an_unsafe_hazard_do_not_draw_its_edge(kit: Any, tmp_path: Path) -> None:
    """A safe hazard, a release, a mark and a field that share its boundary would give it away."""
    a, b = kit.box(0.37, 0.73, 200, 150), kit.box(200.37, 0.73, 120, 150)
    layers = {
        "hazards": kit.frame(
            {"id": "A", "classification": "CHA", "safe_to_publish": False, "geometry": a},
            {"id": "B", "classification": "SHA", "safe_to_publish": True, "note": SECRET, "geometry": b},
            {"id": "C", "classification": "SHA", "safe_to_publish": True, "geometry": kit.box(900.1, 900.3, 90, 90)},
        ),
        "releases": kit.frame({"id": "REL-81", "hazard_id": "A", "product": "cleared", "method": "manual", "date": pd.Timestamp("2024-01-01"), "geometry": kit.box(0.37, 0.73, 100, 150)}),
        "marks": kit.frame({"id": "MRK-81", "feature_id": "A", "point_type": "start", "geometry": shapely.Point(*a.exterior.coords[0])}),
        "landuse": kit.frame({"id": "L", "use": "arable", "geometry": shapely.union(a, b)}),
    }  # fmt: skip
    survey = gt.Survey("s", layers)
    places = np.concatenate([lonlat(layers[k].iloc[:2]) for k in ("hazards", "releases", "marks")])
    for level in ("partner", "public"):
        made = gt.field.package(survey, tmp_path / level, redact=level, skip=("map", "card", "forms"))
        assert_nowhere(kit, tmp_path / level, places, ("REL-81", "MRK-81"))
        shown = gpd.read_file(tmp_path / level / "geojson" / "hazards.geojson").set_index("id")
        assert shown.loc["B"].geometry.contains(layers["hazards"].to_crs(4326).geometry.iloc[1])
        assert ("A" in shown.index) == (level == "partner")
        assert made.manifest["withheld"]["marks"] == 1
        released = tmp_path / level / "geojson" / "released.geojson"
        assert not released.exists(), "what was released of it would show where it lies"


@pytest.mark.parametrize("side", [None, 10_000.0])
def test_links_to_an_unsafe_hazard_are_followed_through_other_records(
    kit: Any, tmp_path: Path, side: float | None
) -> None:
    """Work on it lies elsewhere; a find names only that work, a track only its task: all of them stay behind."""
    from geotools.field.export import field_files

    def spot(x: float, y: float) -> shapely.Point:
        return shapely.Point(*np.asarray(kit.box(x, y, 1, 1).exterior.coords[0]))

    layers = {
        "hazards": kit.frame(
            {"id": "HZ-A", "classification": "CHA", "safe_to_publish": False, "parent_id": None, "geometry": kit.box(0.37, 0.73, 200, 150)},
            {"id": "HZ-B", "classification": "SHA", "safe_to_publish": True, "parent_id": None, "note": "beside HZ-A zq7text", "geometry": kit.box(2500.3, 0.3, 120, 150)},
            {"id": "HZ-C", "classification": "SHA", "safe_to_publish": True, "parent_id": "HZ-A", "note": "zq7second", "geometry": kit.box(5000.1, 900.3, 90, 90)},
        ),
        "activities": kit.frame(
            {"id": "ACT-81", "type": "clearance", "task_id": "TSK-81", "hazard_id": "HZ-A", "geometry": kit.box(3000.7, 400.1, 40, 30)},
            {"id": "ACT-82", "type": "clearance", "task_id": "TSK-82", "hazard_id": "HZ-B", "geometry": kit.box(2510.7, 10.1, 40, 30)},
        ),
        "finds": kit.frame(
            {"id": "FND-81", "activity_id": "ACT-81", "hazard_id": None, "category": "ap_mine", "geometry": spot(3011.3, 411.7)},
            {"id": "FND-82", "activity_id": "ACT-82", "hazard_id": None, "category": "ap_mine", "geometry": spot(2520.3, 21.7)},
        ),
        "tracks": kit.frame(
            {"id": "TRK-81", "task_id": "TSK-81", "geometry": shapely.LineString([spot(3100.3, 400.1), spot(3120.9, 401.2)])},
            {"id": "TRK-82", "task_id": "TSK-82", "geometry": shapely.LineString([spot(2530.3, 30.1), spot(2540.9, 31.2)])},
        ),
    }  # fmt: skip
    limits = {} if side is None else {"unsafe_grid_m": side}
    survey = gt.Survey("s", layers, programme=gt.Programme(limits=limits))
    made = gt.field.package(survey, tmp_path / "p", redact="partner", skip=("map", "card", "forms"))
    places = np.concatenate([lonlat(frame.iloc[:1]) for frame in layers.values()])
    hidden = ("ACT-81", "FND-81", "TRK-81", "TSK-81", "zq7text", "zq7second")
    assert_nowhere(kit, tmp_path / "p", places, hidden)
    assert {k: made.manifest["withheld"][k] for k in ("activities", "finds", "tracks")} == {
        "activities": 1,
        "finds": 1,
        "tracks": 1,
    }
    field_files(survey, gt.coverage(survey.hazards, survey.releases), tmp_path / "t")
    assert_nowhere(kit, tmp_path / "t", places, ("FND-81", "TSK-81"))
    for folder in (tmp_path / "p" / "geojson", tmp_path / "t"):
        shown = gpd.read_file(folder / "hazards.geojson").set_index("id")
        assert_on_grid(shown.loc[["HZ-A"]], side or 1000.0)
        assert shown.loc["HZ-A"].geometry.contains(layers["hazards"].to_crs(4326).geometry.iloc[0])
        assert shapely.area(shown.loc["HZ-B"].geometry) < 1e-4
        assert list(gpd.read_file(folder / "finds.geojson")["id"]) == ["FND-82"]


def test_the_square_of_an_unsafe_hazard_is_not_released_with_its_neighbour(kit: Any, tmp_path: Path) -> None:
    """Ground cleared of another hazard in the same square of 1 km is not credited to the one that may be anywhere in it."""
    cleared = kit.box(600, 600, 100, 200)
    layers = {
        "hazards": kit.frame(
            {"id": "A", "classification": "CHA", "safe_to_publish": False, "geometry": kit.box(100, 100, 50, 50)},
            {"id": "B", "classification": "CHA", "safe_to_publish": True, "geometry": kit.box(600, 600, 200, 200)},
        ),
        "releases": kit.frame({"id": "R", "hazard_id": "B", "product": "cleared", "method": "manual", "date": pd.Timestamp("2024-01-01"), "geometry": cleared}),
    }  # fmt: skip
    gt.field.package(gt.Survey("s", layers), tmp_path / "p", redact="partner", skip=("map", "card", "forms"))
    left = gpd.read_file(tmp_path / "p" / "geojson" / "remaining.geojson").set_index("id")
    hazards = gpd.read_file(tmp_path / "p" / "geojson" / "hazards.geojson").set_index("id")
    assert shapely.symmetric_difference(left.loc["A"].geometry, hazards.loc["A"].geometry).area < 1e-12
    assert left.loc["A", "remaining_m2"] == left.loc["A", "area_m2"]
    assert left.loc["A", "coverage"] == 0
    assert left.loc["B", "coverage"] == pytest.approx(0.5, abs=1e-3)


def test_the_date_of_information_is_that_of_what_is_shown(kit: Any, tmp_path: Path) -> None:
    """Law: it is a function of what leaves. Dates of withheld records move nothing, shown ones do, and no public day is told."""

    def told(level: str, name: str, **dates: str) -> dict[str, Any]:
        survey = kit.survey(public_grid_m=10.0)
        layers = dict(survey.layers)
        for kind, column, row, day in ((*key.split("__"), day) for key, day in dates.items()):
            frame = layers[kind].copy()
            if column not in frame:
                frame[column] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]")
            frame.loc[frame["id"].str.replace("-", "_") == row, column] = pd.Timestamp(day)
            layers[kind] = frame
        made = gt.field.package(replace(survey, layers=layers), tmp_path / name, redact=level, **QUICK)
        said = (tmp_path / name / "README.txt").read_text("utf-8")
        assert (f"Information up to {made.manifest['information_up_to']}, for what is shown here." in said) is True
        return dict(made.manifest)

    withheld = {
        "hazards__date_info__H_2": "2031-01-09",
        "hazards__date_info__H_3": "2031-02-09",
        "finds__date__FND_81": "2031-03-09",
        "accidents__date__ACC_82": "2031-04-09",
    }
    assert told("public", "a")["information_up_to"] == "2024-05"
    assert told("public", "b", **withheld)["information_up_to"] == "2024-05", "of what stays behind nothing can be read"
    assert told("public", "c", releases__date__REL_82="2032-07-19")["information_up_to"] == "2032-07"
    assert told("public", "d", hazards__date_info__H_5="2033-08-19")["information_up_to"] == "2033-08"
    assert told("partner", "e")["information_up_to"] == "2024-05-02"
    assert told("partner", "f", accidents__date__ACC_81="2031-01-09")["information_up_to"] == "2024-05-02"
    assert told("internal", "g", accidents__date__ACC_81="2031-01-09")["information_up_to"] == "2031-01-09"


def test_a_public_map_tells_the_month_and_no_day(kit: Any, tmp_path: Path) -> None:
    gt.field.package(kit.survey(), tmp_path / "p", redact="public", skip=("card", "forms"))
    page = (tmp_path / "p" / "map.html").read_text("utf-8")
    assert "2024-05-02" not in page
    assert "2024-05-01" not in page.replace('"asOf": "2024-05-01"', "").replace('"asOf":"2024-05-01"', "")
