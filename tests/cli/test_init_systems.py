"""What `geotools init` says of reference systems that have no code: their title and what kind they are, never a riddle."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyproj
import pytest
import shapely
from click.testing import CliRunner

from geotools.cli.main import cli
from geotools.space import crs

KRASS = "+ellps=krass +towgs84=25,-141,-78.5,0,0,0,0"
OWN = {
    "tm": f"+proj=tmerc +lon_0=47 +x_0=500000 {KRASS} +units=m +no_defs",
    "feet": "+proj=tmerc +lat_0=39 +lon_0=47 +datum=WGS84 +units=us-ft",
    "degrees": f"+proj=longlat {KRASS} +no_defs",
    "equal": "+proj=laea +lat_0=39.5 +lon_0=47 +datum=WGS84 +units=m",
}
TITLE = "District grid 1974 of the land committee"


def titled(text: str) -> pyproj.CRS:
    return pyproj.CRS(pyproj.CRS(text).source_crs.to_wkt().replace('"unknown"', f'"{TITLE}"', 1))


def test_a_system_without_a_code_is_told_by_title_and_kind(tmp_path: Path) -> None:
    ground = gpd.GeoDataFrame(
        {"id": ["H-1"], "classification": ["SHA"]}, geometry=[shapely.box(47.1, 39.5, 47.101, 39.501)], crs=4326
    )
    for name, text in OWN.items():
        ground.to_crs(text).to_file(tmp_path / f"hazards_{name}.gpkg")
    ground.to_crs(titled(OWN["tm"])).to_file(tmp_path / "hazards_titled.gpkg")
    result = CliRunner().invoke(cli, ["init", str(tmp_path)])
    assert result.exit_code == 0, result.output
    table = (tmp_path / "survey.toml").read_text("utf-8")
    krass = pyproj.CRS(OWN["degrees"]).ellipsoid.name
    for said in (
        f"unnamed (Transverse Mercator, metre, {krass})",
        "unnamed (Transverse Mercator, US survey foot, World Geodetic System 1984)",
        f"unnamed (longitude and latitude, {krass})",
        "unnamed (Lambert Azimuthal Equal Area, metre, World Geodetic System 1984)",
        f"{TITLE} (Transverse Mercator, metre, {krass})",
    ):
        assert f"  {said}: hazards_" in result.stdout
        assert f"# crs: {said}, as the file says" in table
    for text in (result.stdout, table):
        assert "PROJCRS[" not in text and " unknown" not in text
    rows = [line for line in result.stdout.splitlines() if line.startswith("hazards_")]
    assert len({line.index("1  hazards") for line in rows}) == 1
    assert all("…" in line for line in rows), "a title that does not fit is seen to be cut"


@pytest.mark.parametrize("text", [v for k, v in OWN.items() if k != "equal"])
def test_no_other_system_is_called_an_equal_area_plane(text: str) -> None:
    assert "equal" not in crs.label(text) and crs.label(text).startswith("unnamed (")
    assert crs.label(OWN["equal"]) == "local equal-area plane (LAEA)"


@pytest.mark.parametrize(
    "text", ["EPSG:4978", "EPSG:7405", "EPSG:3395", 'LOCAL_CS["Site 3",UNIT["metre",1]]', "+proj=geocent +ellps=krass", "+proj=utm +zone=38 +ellps=krass +geoidgrids=@none.gtx +vunits=m", "+proj=ob_tran +o_proj=longlat +o_lat_p=40 +lon_0=0"],
)  # fmt: skip
def test_every_kind_of_system_has_words(text: str) -> None:
    said = crs.described(text)
    assert said.startswith("EPSG:") or (said.endswith(")") and "unknown" not in said.lower() and len(said) < 160)
    assert len(crs.described(pyproj.CRS(f'LOCAL_CS["{"x" * 900}",UNIT["metre",1]]'))) < 120
