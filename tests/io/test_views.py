"""Views in a GeoPackage: rows of a layer are not records a second time."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import geopandas as gpd
import pytest
import shapely

import geotools as gt


def database(folder, base="hazards"):
    path = folder / "programme.gpkg"
    frame = gpd.GeoDataFrame(
        {"id": ["H-1", "H-2"], "status": ["open", "closed"]},
        geometry=[shapely.box(47, 39, 47.1, 39.1), shapely.box(48, 39, 48.1, 39.1)],
        crs="EPSG:4326",
    )
    frame.to_file(path, layer=base, engine="pyogrio")
    return path


def view(path, name, sql):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f'CREATE VIEW "{name}" AS {sql}')
        connection.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, 'features', ?, 4326)",
            (name, name),
        )
        connection.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POLYGON', 4326, 0, 0)", (name,))
        connection.commit()


@pytest.mark.parametrize("source", ['"hazards"', "hazards h", "[hazards]", "main.hazards"])
def test_a_view_of_a_layer_is_not_read_beside_it(source, tmp_path):
    path = database(tmp_path)
    view(path, "open hazards", f"SELECT * FROM {source} WHERE status = 'open'")
    survey = gt.open_survey(path)
    assert survey.hazards["id"].tolist() == ["H-1", "H-2"]
    assert not (survey.issues["check"] == "RD-10").any()
    assert gt.read(path, layer="open hazards")["id"].tolist() == ["H-1"]  # who names it gets it


def test_a_view_of_tables_that_are_no_layers_is_read(tmp_path):
    path = database(tmp_path, "raw_data")
    with closing(sqlite3.connect(path)) as connection:
        for table in ("gpkg_contents", "gpkg_geometry_columns"):
            connection.execute(f"DELETE FROM {table} WHERE table_name = 'raw_data'")
        connection.commit()
    view(path, "hazards", "SELECT * FROM raw_data")
    assert gt.open_survey(path).hazards["id"].tolist() == ["H-1", "H-2"]
