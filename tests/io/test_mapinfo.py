"""MapInfo tables, which share the ending .tab with tab-separated text."""

from __future__ import annotations

import zipfile

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

import geotools as gt
from geotools.io import reading
from geotools.model.errors import GeotoolsError
from geotools.survey.folder import entries


def made(folder, ending="tab", crs="EPSG:32638", **options):
    """Two synthetic hazards in UTM."""
    frame = gpd.GeoDataFrame(
        {"hazard_id": ["H-1", "H-2"], "classification": ["CHA", "SHA"], "name": ["Минное поле", None], "date_info": pd.to_datetime(["2023-03-01", "2024-12-31"])},
        geometry=[shapely.box(688000, 4385000, 688100, 4385100), shapely.Point(689000, 4386000).buffer(50)],
        crs=crs,
    )  # fmt: skip
    path = folder / f"hazards.{ending}"
    pyogrio.write_dataframe(frame, path, driver="MapInfo File", encoding="CP1251", **options)
    return path, frame


@pytest.mark.parametrize("ending", ["tab", "mif"])
def test_a_mapinfo_table_is_read_with_its_ground(ending, tmp_path):
    path, frame = made(tmp_path, ending)
    read, issues = gt.read_with_issues(path)
    assert issues["value"].iloc[0] == "rows=2 kept=2 repaired=0 rejected=0"
    assert read["id"].tolist() == ["H-1", "H-2"] and read["name"].tolist()[0] == "Минное поле"
    assert read["date_info"].dt.strftime("%Y-%m-%d").tolist() == ["2023-03-01", "2024-12-31"]
    moved = read.to_crs(frame.crs).geometry
    assert all(a.hausdorff_distance(b) < 0.01 for a, b in zip(moved, frame.geometry, strict=True))


def test_a_lone_tab_is_no_list_of_rows(tmp_path):
    path, _ = made(tmp_path)
    for side in (".dat", ".map", ".id"):
        path.with_suffix(side).unlink(missing_ok=True)
    with pytest.raises(GeotoolsError):
        gt.read(path)


def test_tab_separated_text_is_still_text(tmp_path):
    path = tmp_path / "finds.tab"
    path.write_text("id\tlon\tlat\nF-1\t47.2\t39.6\n", "utf-8")
    assert gt.read(path)["id"].tolist() == ["F-1"]


def test_its_parts_are_not_told_apart(tmp_path):
    path, _ = made(tmp_path)
    assert [(e.path.name, e.what) for e in entries(tmp_path)] == [("hazards.tab", "records")]
    assert len(gt.open_survey(tmp_path).hazards) == 2
    packed = tmp_path / "sent" / "hazards.zip"
    packed.parent.mkdir()
    with zipfile.ZipFile(packed, "w") as archive:
        for part in tmp_path.glob("hazards.*"):
            archive.write(part, f"export/{part.name}")
    assert reading.layers(packed) == ["hazards"] and len(gt.read(packed)) == 2
    path.unlink()
    assert {e.what for e in entries(tmp_path, deep=False) if e.path.is_file()} == {"aside"}
