"""What only a file does: it opens in GDAL and QGIS as current layers, refuses edits past the store, and explains its locks."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from geotools.io import store as stores
from geotools.io.store import geopackage
from geotools.model.errors import StoreError

WHO = {"author": "B. Clerk (synthetic)"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "programme.gpkg"


@pytest.fixture
def filled(path, make):
    hazards = make.frame(
        make.hazard("H-1", name="Ağdərə", odd={"a": [1]}, safe_to_publish=True, h_acc_m=2.5),
        make.hazard(
            "H-2",
            shapely.MultiPolygon([make.square(300), make.square(500)]),
            date_entry=pd.Timestamp("2024-02-01T10:00"),
        ),
        {**make.hazard("H-3", classification=7), "geometry": None},
    )
    fixes = make.frame(
        {"id": "F-1", "time": pd.Timestamp("2024-05-01T06:00:00.5Z"), "geometry": shapely.Point(683_000, 4_385_000, 3)}
    )
    with stores.init(path, author="a") as store:
        store.save({"hazards": hazards, "fixes": fixes}, note="n", **WHO)
        store.save(make.frame(make.hazard("H-1", make.square(5))), kind="hazards", note="moved", **WHO)
    return path


def test_gdal_reads_the_current_state_as_plain_layers(filled, make):
    assert [n for n, _ in pyogrio.list_layers(filled)] == [
        "fixes",
        "hazards",
        "store_revisions",
        "store_history",
        "store_layouts",
    ]
    seen = gpd.read_file(filled, layer="hazards")
    assert sorted(seen["id"]) == ["H-1", "H-2", "H-3"]
    rows = seen.set_index("id")
    assert seen.crs.to_epsg() == 32638
    assert rows.loc["H-1"].geometry.equals(make.square(5))
    assert rows.loc["H-3"].geometry is None
    assert (rows.loc["H-1", "name"], rows.loc["H-1", "h_acc_m"], bool(rows.loc["H-1", "safe_to_publish"])) == (
        "Ağdərə",
        2.5,
        True,
    )
    assert rows.loc["H-1", "date_info"] == pd.Timestamp("2021-01-01")
    assert '{"a": [1]}' in rows.loc["H-1", "extra"], "what no column holds is in extra, as JSON"
    assert '"classification": 7' in rows.loc["H-3", "extra"]
    assert "date_entry" in rows.loc["H-2", "extra"], "a day with an hour is not cut to a day"
    assert rows.loc["H-1", "revision"] == 2
    fixes = gpd.read_file(filled, layer="fixes")
    assert fixes["time"][0] == pd.Timestamp("2024-05-01T06:00:00.5Z")
    assert fixes.geometry[0].z == 3
    box = make.square(290, side=20).bounds
    assert gpd.read_file(filled, layer="hazards", bbox=box)["id"].tolist() == ["H-2"], (
        "the spatial index is the file's own"
    )
    assert len(pyogrio.read_dataframe(filled, layer="store_revisions")) == 3
    info = pyogrio.read_info(filled, layer="hazards")
    assert info["geometry_type"] == "MultiPolygon"
    assert list(info["total_bounds"]) == pytest.approx(seen.total_bounds, rel=1e-6)


def test_ogrinfo_finds_nothing_to_complain_about(filled):
    ogrinfo = shutil.which("ogrinfo")
    if ogrinfo is None:
        pytest.skip("ogrinfo is not installed (Debian: gdal-bin)")
    done = subprocess.run([ogrinfo, "-ro", "-al", str(filled)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.strip() == "", done.stderr
    assert "Geometry: Multi Polygon" in done.stdout


@pytest.mark.slow
def test_the_file_keeps_the_rules_of_the_geopackage_standard(filled, make):
    """GDAL's own checker of the requirements of OGC 12-128."""
    with stores.open(filled) as store:
        store.save(
            {"finds": make.frame({"id": "F", "geometry": None}), "legs": pd.DataFrame({"id": ["L"]})}, note="n", **WHO
        )
        store.save(
            make.frame({"id": "F", "geometry": shapely.Point(683_000, 4_385_000)}), kind="finds", note="n", **WHO
        )
        store.save(make.frame(make.hazard("H-9", shapely.Point(683_000, 4_385_000))), kind="hazards", note="x", **WHO)
        assert not len(store.verify())
    checker = ["/usr/bin/python3", "-m", "osgeo_utils.samples.validate_gpkg", "-k", str(filled)]
    if subprocess.run(["/usr/bin/python3", "-c", "import osgeo_utils"], capture_output=True, check=False).returncode:
        pytest.skip("GDAL's checker is not installed (Debian: python3-gdal)")
    done = subprocess.run(checker, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Req" not in done.stdout, done.stdout


@pytest.mark.slow
def test_qgis_opens_the_layers(filled):
    script = (
        "import sys\nfrom qgis.core import QgsApplication, QgsVectorLayer\n"
        "app = QgsApplication([], False); app.initQgis()\n"
        "for name, count in (('hazards', 3), ('fixes', 1), ('store_revisions', 3)):\n"
        "    layer = QgsVectorLayer(f'{sys.argv[1]}|layername={name}', name, 'ogr')\n"
        "    assert layer.isValid() and layer.featureCount() == count, (name, layer.error().message())\n"
        "layer = QgsVectorLayer(f'{sys.argv[1]}|layername=hazards', 'h', 'ogr')\n"
        "assert layer.crs().authid() == 'EPSG:32638' and layer.geometryType() == 2\n"
        "layer.startEditing(); f = next(layer.getFeatures()); layer.changeAttributeValue(f.id(), layer.fields().indexOf('name'), 'x')\n"
        "assert not layer.commitChanges(), 'an edit past the store must fail'\n"
        "print('kept by a geotools store' in ' '.join(layer.commitErrors()))\n"
    )
    ready = (
        subprocess.run(["/usr/bin/python3", "-c", "import qgis.core"], capture_output=True, check=False).returncode == 0
    )
    if not ready:
        pytest.skip("PyQGIS is not installed (Debian: python3-qgis)")
    done = subprocess.run(
        ["/usr/bin/python3", "-c", script, str(filled)], capture_output=True, text=True, check=False, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with stores.open(filled) as store:
        assert not len(store.verify())


def test_another_program_cannot_write_the_layers_but_may_add_its_own(filled):
    with pytest.raises(Exception, match="kept by a geotools store"):
        pyogrio.write_dataframe(
            gpd.read_file(filled, layer="hazards")[["id", "geometry"]], filled, layer="hazards", append=True
        )
    with (
        closing(sqlite3.connect(filled)) as db,
        pytest.raises(sqlite3.IntegrityError, match="kept by a geotools store"),
    ):
        db.execute("DELETE FROM hazards")
    gpd.GeoDataFrame({"x": [1]}, geometry=gpd.points_from_xy([0], [0]), crs=4326).to_file(filled, layer="sketches")
    with stores.open(filled) as store:
        assert not len(store.verify())
        assert store.kinds() == ["hazards", "fixes"]


def test_a_layer_altered_all_the_same_shows_and_the_next_save_of_the_row_mends_it(filled, make):
    with closing(sqlite3.connect(filled)) as db, db:
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'hazards'"
        ).fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        db.execute("UPDATE hazards SET status = 'closed' WHERE id = 'H-2'")
    with stores.open(filled) as store:
        found = store.verify()
        assert found[["check", "kind", "id"]].to_numpy().tolist() == [["ST-13", "hazards", "H-2"]]
        assert store.load("hazards")["status"].tolist() == ["open"] * 3, "what is loaded comes from history"
        store.save(make.frame(make.hazard("H-2")), kind="hazards", note="x", **WHO)
        assert not len(store.verify())


def test_a_point_among_polygons_makes_the_layer_a_mixed_one(filled, make):
    with stores.open(filled) as store:
        store.save(make.frame(make.hazard("H-9", shapely.Point(683_000, 4_385_000))), kind="hazards", note="x", **WHO)
        assert not len(store.verify())
    assert pyogrio.read_info(filled, layer="hazards")["geometry_type"] == "Unknown"


def test_an_own_reference_system_and_an_own_kind_of_layer(path):
    system = "+proj=tmerc +lat_0=0 +lon_0=46.5 +k=1 +x_0=500000 +ellps=krass +units=m"
    frame = gpd.GeoDataFrame(
        {"id": ["a"], "height": [3]}, geometry=gpd.points_from_xy([500_000], [4_385_000]), crs=system
    )
    with stores.init(path, author="a") as store:
        store.save(frame, kind="antennas", note="n", **WHO)
        assert store.load("antennas").crs == frame.crs
        store.save(frame.assign(height=4), kind="antennas", note="n", **WHO)
        assert not len(store.verify())
    assert "Transverse" in gpd.read_file(path, layer="antennas").crs.to_wkt()


def test_locked_readonly_and_damaged_files_are_explained(filled, make, monkeypatch):
    monkeypatch.setattr(geopackage, "WAIT_S", 0.2)
    other = sqlite3.connect(filled, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with stores.open(filled) as store:
        assert len(store.load("hazards")) == 3, "reading goes on while another program writes"
        with pytest.raises(StoreError, match="another program is writing this store") as caught:
            store.save(make.frame(make.hazard("H-5")), kind="hazards", note="n", **WHO)
        assert "QGIS" in caught.value.hint
        other.execute("ROLLBACK")
        other.close()
        assert store.save(make.frame(make.hazard("H-5")), kind="hazards", note="n", **WHO).added == 1


def test_a_file_that_may_not_be_written_still_loads(filled, make):
    if os.geteuid() == 0:
        code = (
            "import os, sys\nfrom geotools.io import store\nfrom geotools.model.errors import StoreError\n"
            "store.open(sys.argv[1]).load('hazards'); os.setgid(65534); os.setuid(65534)\n"
            "with store.open(sys.argv[1]) as s:\n    assert len(s.load('hazards')) == 3\n"
            "    try: s.restore(1, note='n', author='a')\n    except StoreError as e: print(e.message)\n"
        )
        for folder in (*filled.parents,)[:-1]:
            folder.chmod(folder.stat().st_mode | stat.S_IROTH | stat.S_IXOTH)
        filled.chmod(0o444)
        done = subprocess.run([sys.executable, "-c", code, str(filled)], capture_output=True, text=True, check=False)
        assert "cannot be written here" in done.stdout, done.stdout + done.stderr
    else:
        filled.chmod(0o444)
        with stores.open(filled) as store, pytest.raises(StoreError, match="cannot be written here"):
            store.restore(1, note="n", author="a")


def test_a_file_whose_writer_was_killed_in_mid_commit_is_put_in_order_by_opening_it(filled, tmp_path):
    """A journal left behind is played back; the half-written pages are never seen."""
    code = (
        "import os, sqlite3, sys\ndb = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA cache_size = 1'); db.execute('PRAGMA cache_spill = 1'); db.execute('BEGIN IMMEDIATE')\n"
        "db.execute('CREATE TABLE waste AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i, randomblob(200) FROM n')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(filled)], check=False)
    assert done.returncode == -9
    journal = filled.with_name(filled.name + "-journal")
    assert journal.stat().st_size > 0, "the test must leave a journal behind"
    assert stores.is_store(filled)
    with stores.open(filled) as store:
        assert len(store.load("hazards")) == 3
        assert not len(store.verify())
    assert not journal.exists() or journal.stat().st_size == 0


def test_a_damaged_file_is_explained(filled):
    blob = bytearray(filled.read_bytes())
    blob[len(blob) // 3 : len(blob) // 3 + 40_000] = os.urandom(40_000)
    filled.write_bytes(bytes(blob))
    with pytest.raises(StoreError) as caught, stores.open(filled) as store:
        store.verify()
        store.load("hazards")
        raise StoreError("the damage hit nothing that was read")
    assert caught.value.message
