"""Layers as other programs leave them: names of ten letters, and a column Id of ArcGIS that nobody filled."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

import geotools as gt
from geotools.model.programme import Programme
from geotools.model.schema import KINDS
from geotools.model.schema.stated import whole_name

AREAS = [shapely.box(47 + n / 10, 39, 47.05 + n / 10, 39.05) for n in range(3)]


def shapefile(folder, name="hazards", **columns):
    path = folder / f"{name}.shp"
    gpd.GeoDataFrame(columns, geometry=AREAS, crs="EPSG:4326").to_file(path, engine="pyogrio")
    return path


def test_names_cut_to_ten_letters_are_understood(tmp_path):
    path = shapefile(
        tmp_path,
        hazard_loc=["H-1", "H-2", "H-3"],
        hazard_typ=["CHA", "SHA", "CHA"],
        contaminat=["AP mine", "UXO", None],
        survey_dat=["2023-03-01", "2024-12-31", None],
        organisati=["North", "North", "South"],
    )
    frame, issues = gt.read_with_issues(path)
    assert frame["id"].tolist() == ["H-1", "H-2", "H-3"]
    assert frame["classification"].tolist() == ["CHA", "SHA", "CHA"]
    assert frame["contamination"].tolist()[:2] == ["ap", "uxo"]
    assert frame["date_info"].dt.year.tolist()[:2] == [2023, 2024]
    assert frame["organisation"].tolist() == ["North", "North", "South"]
    assert issues["message"].str.contains("cut to ten letters").sum() == 5
    assert not (issues["check"] == "RD-15").any()


def test_a_whole_name_is_never_taken_for_a_cut_one():
    for schema in KINDS.values():
        for word in schema.by_spelling:
            assert whole_name(word.replace(" ", "_"), schema) == ("", "")
        assert whole_name("completion", schema) == ("", "")  # the whole first word of 'completion date'


def test_a_cut_name_does_not_push_aside_a_column_that_is_there(tmp_path):
    path = shapefile(tmp_path, id=["1", "2", "3"], hazard_typ=["a", "b", "c"], classif=["CHA", "SHA", "CHA"])
    frame = gt.read(path)
    assert frame["classification"].tolist() == ["CHA", "SHA", "CHA"]
    assert frame["hazard_typ"].tolist() == ["a", "b", "c"]


def test_what_a_programme_says_of_a_cut_name_holds(tmp_path):
    path = shapefile(tmp_path, id=["1", "2", "3"], hazard_typ=["a", "b", "c"])
    frame = gt.read(path, programme=Programme(columns={"hazards": {"hazard_typ": "note"}}))
    assert frame["note"].tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("key", ["IMSMA_ID", "hazard_loc", "code"])
@pytest.mark.parametrize("blank", [[0, 0, 0], [None, None, None], ["x", "x", "x"]])
def test_an_empty_id_gives_way_to_the_real_key(key, blank, tmp_path):
    path = shapefile(tmp_path, **{"Id": blank, "hazard_typ": ["CHA", "SHA", "CHA"], key: ["H-1", "H-2", "H-3"]})
    frame, issues = gt.read_with_issues(path)
    assert frame["id"].tolist() == ["H-1", "H-2", "H-3"]
    told = issues[issues["check"] == "RD-10"]
    assert told["severity"].tolist() == ["info"] and key in told["message"].iloc[0]
    assert "row_id" in frame.columns  # nothing is dropped


def test_an_id_that_says_anything_stays_the_key(tmp_path):
    path = shapefile(tmp_path, Id=[1, 2, 2], IMSMA_ID=["H-1", "H-2", "H-3"])
    frame, issues = gt.read_with_issues(path)
    assert frame["id"].tolist() == ["1", "2", "2~2"]
    assert (issues["check"] == "RD-10").sum() == 1
    doubled = shapefile(tmp_path, "more", Id=[0, 0, 0], IMSMA_ID=["H-1", "H-1", None])
    assert gt.read(doubled, "hazards")["id"].tolist() == ["0", "0~2", "0~3"]


def test_without_a_kind_the_key_is_found_as_well(tmp_path):
    frame = gt.read(shapefile(tmp_path, "Completion_Polygon", Id=[0, 0, 0], IMSMA_ID=["C-1", "C-2", "C-3"]))
    assert frame["id"].tolist() == ["C-1", "C-2", "C-3"]
