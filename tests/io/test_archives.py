"""Archives as they are sent: folders inside, the same name twice, archives in archives; no file hides another."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

import geotools as gt
from geotools.io import reading
from geotools.model.errors import ReadError


def layer(key: str, west: float) -> bytes:
    """One synthetic hazard as GeoJSON."""
    ring = [[west, 39.6], [west + 0.01, 39.6], [west + 0.01, 39.61], [west, 39.6]]
    feature = {
        "type": "Feature",
        "properties": {"id": key, "classification": "CHA"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def packed(members: dict[str, bytes]) -> bytes:
    """A zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def put(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "export.zip"
    path.write_bytes(packed(members))
    return path


def test_two_files_of_one_name_are_both_read(tmp_path):
    path = put(tmp_path, {"2023/hazards.geojson": layer("H-1", 47.1), "2024/hazards.geojson": layer("H-2", 47.2)})
    assert reading.layers(path) == ["2023/hazards", "2024/hazards"]
    assert gt.read(path, layer="2024/hazards")["id"].tolist() == ["H-2"]
    assert sorted(gt.open_survey(tmp_path).hazards["id"]) == ["H-1", "H-2"]


def test_two_files_that_differ_in_their_ending_only_are_both_read(tmp_path):
    text = b'id,classification,wkt\nH-2,SHA,"SRID=4326;POLYGON((47.3 39.6,47.31 39.6,47.31 39.61,47.3 39.6))"\n'
    path = put(tmp_path, {"hazards.geojson": layer("H-1", 47.1), "hazards.csv": text})
    assert reading.layers(path) == ["hazards.csv", "hazards.geojson"]
    assert sorted(gt.open_survey(path).hazards["id"]) == ["H-1", "H-2"]


def test_archives_in_an_archive_are_read(tmp_path):
    inner = packed({"Şəhər 2024/hazards.geojson": layer("H-1", 47.1)})
    path = put(tmp_path, {"a/b/district.zip": inner, "readme.pdf": b"x"})
    assert gt.read(path)["id"].tolist() == ["H-1"]
    both = put(tmp_path, {"north.zip": inner, "south.zip": packed({"hazards.geojson": layer("H-2", 47.3)})})
    assert len(reading.layers(both)) == 2
    assert sorted(gt.open_survey(both).hazards["id"]) == ["H-1", "H-2"]


def test_archives_without_end_are_refused(tmp_path):
    content = layer("H-1", 47.1)
    for number in range(6):
        content = packed({f"{number}.zip" if number else "hazards.geojson": content})
    path = tmp_path / "export.zip"
    path.write_bytes(content)
    with pytest.raises(ReadError, match="archives in archives"):
        gt.read(path)


def test_limits_hold_for_all_archives_together(tmp_path, monkeypatch):
    """Each inner archive alone stays below the limits."""
    monkeypatch.setattr("geotools.io.archive.SMALL", 1 << 20)
    inner = packed({"hazards.geojson": layer("H-1", 47.1), "blank.pdf": b" " * (900 << 10)})
    gt.read(put(tmp_path, {"one.zip": inner}))
    with pytest.raises(ReadError, match="unpack to"):
        gt.read(put(tmp_path, {f"{n}.zip": inner for n in range(3)}))


def test_each_layer_of_a_zipped_database_is_a_layer(tmp_path):
    for key, name in (("H-1", "hazards"), ("R-1", "releases")):
        frame = gpd.GeoDataFrame({"id": [key]}, geometry=[shapely.box(47, 39, 48, 40)], crs="EPSG:4326")
        gt.write(frame, tmp_path / "national.gpkg", layer=name)
    content = (tmp_path / "national.gpkg").read_bytes()
    (tmp_path / "sent").mkdir()
    path = put(tmp_path / "sent", {"2024/national.gpkg": content})
    assert reading.layers(path) == ["hazards", "releases"]
    survey = gt.open_survey(path)
    assert (survey.hazards["id"].tolist(), survey.releases["id"].tolist()) == (["H-1"], ["R-1"])
    both = put(tmp_path / "sent", {"2023/national.gpkg": content, "2024/national.gpkg": content})
    assert reading.layers(both) == [
        f"{year}/national/{name}" for year in (2023, 2024) for name in ("hazards", "releases")
    ]
    assert gt.read(both, layer="2024/national/releases")["id"].tolist() == ["R-1"]
