"""A ledger of layers in parts: the same bits as from the same records in memory, whatever is wrong with them and however they are cut."""

from __future__ import annotations

import gc
import importlib.util
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from pandas.testing import assert_frame_equal, assert_series_equal

import geotools as gt
from geotools.analysis.release import filed
from geotools.io import parts, pieces
from geotools.model import parallel
from geotools.model.errors import CRSError, ReadError, SchemaError, WriteError

_spec = importlib.util.spec_from_file_location("national", Path(__file__).parents[1] / "benchmarks" / "national.py")
national = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(national)

DASK = pytest.param("dask", marks=[pytest.mark.slow, pytest.mark.dask, pytest.mark.filterwarnings("ignore")])


def records(n, seed, crs="EPSG:32638"):
    """A national set with everything that goes wrong: see `national`, and ids used twice or missing, holes in the columns, rows
    that are no areas, are far away or nowhere, and events of every sort."""
    rng = np.random.default_rng(seed)
    hazards, releases = national.national(n, seed, crs)
    for frame in (hazards, releases):
        ids = frame["id"].astype(object).to_numpy().copy()
        ids[rng.choice(len(ids), 5)] = None
        ids[rng.choice(len(ids), 4)] = ids[0]
        shapes = np.array(frame.geometry.array, dtype=object)
        odd = rng.choice(len(shapes), 5, replace=False)
        shapes[odd[0]] = shapely.Point(shapely.get_coordinates(shapes[odd[0]])[0]) if shapes[odd[0]] else None
        shapes[odd[1]] = shapely.Polygon()
        shapes[odd[2]] = shapely.box(9e9, 9e9, 9.1e9, 9.1e9)  # nowhere
        shapes[odd[3]] = shapely.affinity.scale(shapes[odd[3]], 400, 400) if shapes[odd[3]] else None  # long edges
        frame["id"], frame["geometry"] = ids, shapes
    releases.loc[rng.choice(n, n // 20), "date"] = pd.NaT
    old = rng.choice(len(hazards), 6, replace=False)
    hazards["supersedes_id"] = pd.Series([None] * len(hazards), dtype=object)
    hazards.loc[old[:3], "supersedes_id"] = hazards.loc[old[3:], "id"].to_numpy()
    some = rng.choice(len(hazards), 8, replace=False)
    events = hazards.iloc[some][["id", "geometry"]].rename(columns={"id": "hazard_id"}).reset_index(drop=True)
    events["event"] = [
        "reopened",
        "extended",
        "reopened",
        "transferred",
        "corrected_out",
        "corrected_in",
        "reopened",
        "new",
    ]
    events["date"] = [f"2022-0{m + 1}-11" for m in range(8)]
    events["id"] = [f"E-{m}" for m in range(8)]
    events["geometry"] = events.geometry.scale(0.7, 1.3)
    events.loc[2, "geometry"] = None
    return hazards, releases, events.set_crs(crs, allow_override=True)


def filed_as(folder, hazards, releases, rows):
    layers = {"hazards": hazards, "releases": releases}
    return [parts.write(frame, folder / f"{name}.parquet", name, rows=rows) for name, frame in layers.items()]


def assert_same(one, two, geometry=True):
    assert_series_equal(one.totals, two.totals, check_exact=True)
    assert_frame_equal(one.table, two.table, check_exact=True)
    assert_frame_equal(one.credits, two.credits, check_exact=True)
    for name in ("issues", "remaining", "released", "outside", "overlaps") if geometry else ("issues",):
        left, right = getattr(one, name), getattr(two, name)
        assert len(left) == len(right)
        assert_geodataframe_equal(left, right, check_less_precise=False)
        assert (shapely.to_wkb(left.geometry.array) == shapely.to_wkb(right.geometry.array)).all(), name


def sorted_by_parts(frame, folder):
    """The rows as the files hold them: made-up ids count rows of the input."""
    return parts.Parts.open(folder).read()


@pytest.mark.parametrize(
    ("engine", "seed", "crs"), [("geos", 1, "EPSG:32638"), ("sweep", 2, "EPSG:4326"), ("geos", 3, "EPSG:28408")]
)
def test_the_same_bits_as_in_memory(tmp_path, engine, seed, crs):
    if engine == "sweep":
        pytest.importorskip("numba")
    hazards, releases, events = records(200, seed, crs)
    one, two = filed_as(tmp_path, hazards, releases, rows=30)
    assert len(list(two.glob("*.parquet"))) == 7
    hazards, releases = sorted_by_parts(hazards, one), sorted_by_parts(releases, two)
    inside = gt.coverage(hazards, releases, events=events, engine=engine)
    beside = gt.coverage(one, two, events=events, engine=engine)
    assert inside.totals["released_m2"] > 0
    assert inside.totals["reopened_m2"] > 0
    assert_same(inside, beside)
    day = "2023-06-30"
    assert_same(inside.at(day), beside.at(day), geometry=False)
    assert_frame_equal(inside.by("organisation"), beside.by("organisation"), check_exact=True)
    assert inside.between("2020-12-31", "2024-12-31") == beside.between("2020-12-31", "2024-12-31")


def test_however_it_is_cut(tmp_path):
    hazards, releases, events = records(120, 4)
    releases["id"] = [f"R{n}" for n in range(len(releases))]  # made-up ids count rows, which differ here
    hazards["id"] = [f"H{n}" for n in range(len(hazards))]
    ways = [
        gt.coverage(*filed_as(tmp_path / str(rows), hazards, releases, rows), events=events) for rows in (7, 10_000)
    ]
    for other in ways[1:]:
        assert_same(ways[0], other)
    assert_same(ways[0], gt.coverage(hazards, releases, events=events))


@pytest.mark.parametrize("executor", ["serial", "threads", DASK])
def test_whatever_does_the_work(tmp_path, executor):
    hazards, releases, events = records(150, 5)
    folders = filed_as(tmp_path, hazards, releases, rows=40)
    with parallel.using("serial"):
        one = gt.coverage(*folders, events=events)
    with parallel.using(executor, workers=2, keep=tmp_path / "kept"):
        two = gt.coverage(*folders, events=events)
    assert_same(one, two)
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").iterdir()}
    assert any(file.suffix == ".wkb" for file in kept)
    half = sorted(file for file in kept if file.suffix == ".wkb")[0]
    half.write_bytes(half.read_bytes()[:-9])  # as after a crash without the rename
    with parallel.using(executor, workers=2, keep=tmp_path / "kept"):
        assert_same(one, gt.coverage(*folders, events=events))
    again = {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").iterdir()}
    done = {file for file, when in again.items() if kept.get(file) != when}
    assert half in done
    assert {file.stem for file in done} == {half.stem}  # one part was done again, nothing else


def test_the_shelf_goes_with_the_ledger(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    hazards, releases, _ = records(60, 6)
    folders = filed_as(tmp_path / "in", hazards, releases, rows=20)
    found = gt.coverage(*folders)
    assert len(list(tmp_path.glob("geotools-*"))) == 2
    assert len(found.remaining)
    del found
    gc.collect()
    assert not list(tmp_path.glob("geotools-*"))


def test_arguments_and_other_folders(tmp_path):
    hazards, releases, _ = records(60, 7)
    one, two = filed_as(tmp_path, hazards, releases.drop(columns=["product", "date"]), rows=20)
    done = gt.coverage(one, two, product="cleared", date="2024-05-01")
    assert done.totals["cleared_m2"] > 0
    assert_same(done, gt.coverage(one, sorted_by_parts(None, two), product="cleared", date="2024-05-01"))
    with pytest.raises(SchemaError, match="holds releases, not hazards"):
        gt.coverage(two, one)
    with pytest.raises(ReadError, match="no such folder"):
        gt.coverage(one, tmp_path / "none.parquet")
    (tmp_path / "plain.parquet").mkdir()
    gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326).to_parquet(
        tmp_path / "plain.parquet" / "a.parquet"
    )
    with pytest.raises(ReadError, match="not written as a layer in parts"):
        gt.coverage(tmp_path / "plain.parquet", two)


def test_no_rows_and_no_system(tmp_path):
    hazards, releases, _ = records(60, 9)
    one, two = filed_as(tmp_path, hazards, releases, rows=20)
    none = parts.write(releases.iloc[:0], tmp_path / "none.parquet", "releases")
    assert_same(gt.coverage(one, none), gt.coverage(sorted_by_parts(None, one), releases.iloc[:0]), geometry=False)
    assert (
        gt.coverage(parts.write(hazards.iloc[:0], tmp_path / "no.parquet", "hazards"), two).totals["released_m2"] == 0
    )
    bare = parts.write(releases.set_crs(None, allow_override=True), tmp_path / "bare.parquet", "releases")
    with pytest.raises(CRSError, match="no reference system"):
        gt.coverage(one, bare)


def test_rows_of_one_id_and_place_are_told_apart_by_all_they_say(tmp_path):
    hazards, releases, _ = records(40, 10)
    twin = releases[releases.area > 0].iloc[[0, 0]].copy()
    twin["id"], twin["date"], twin["product"] = "R", ["2024-01-01", "2020-01-01"], ["cleared", "cancelled"]
    twin["team_notes"] = ["a", "b"]
    for pair in (twin, twin.iloc[::-1]):
        one, two = filed_as(tmp_path / pair["team_notes"].iloc[0], hazards, pair, rows=1)
        assert_same(gt.coverage(one, two), gt.coverage(sorted_by_parts(None, one), pair), geometry=False)


def test_records_hold_no_geometry(tmp_path):
    _, releases, _ = records(60, 8)
    own = releases.assign(colour="red", id=[f"R{n}" for n in range(len(releases))])
    folder = parts.write(own, tmp_path / "releases.parquet", "releases", rows=25)
    found = filed.records(folder, "releases")
    assert found.frame.geometry.isna().all()
    assert "colour" not in found.frame
    assert "hazard_id" in found.frame


@pytest.mark.parametrize("seed", [3, 4])
def test_counted_findings_are_those_of_the_table(seed):
    """`marks` counts without putting findings into words: check by check as many as `issues` has rows."""
    hazards, releases, events = records(400, seed)
    for as_of in (None, "2022-06-30"):
        found = gt.coverage(hazards, releases, events=events, as_of=as_of)
        listed, counted = found.issues[["check", "severity"]], found.marks
        assert len(listed) > 50
        assert counted.value_counts().to_dict() == listed.value_counts().to_dict()


# The ground, written piece by piece.
GROUND = ("remaining", "released", "processed", "outside", "overlaps")


def contents(path):
    """Everything in a GeoPackage, polygons as bytes."""
    found = {}
    for name in pyogrio.list_layers(path)[:, 0]:
        meta, rows, shapes, columns = pyogrio.raw.read(path, layer=name, return_fids=True)
        told = {key: str(meta[key]) for key in ("crs", "fields", "dtypes", "geometry_type")}
        found[name] = told, rows.tolist(), shapes.tolist(), [list(map(str, column)) for column in columns]
    return found


@pytest.mark.parametrize(
    ("engine", "seed", "crs", "rows", "as_of"),
    [("geos", 1, "EPSG:32638", 25, None), ("sweep", 2, "EPSG:4326", 40, "2023-06-30"), ("geos", 3, "EPSG:28408", 5_000, None)],
)  # fmt: skip
def test_ground_written_in_pieces_is_that_of_memory(tmp_path, monkeypatch, engine, seed, crs, rows, as_of):
    if engine == "sweep":
        pytest.importorskip("numba")
    monkeypatch.setattr(pieces, "ROWS", rows)
    hazards, releases, events = records(150, seed, crs)
    folders = filed_as(tmp_path / "in", hazards, releases, rows=30)
    frames = [sorted_by_parts(None, folder) for folder in folders]
    how = {"events": events, "engine": engine, "as_of": as_of}
    inside, beside = (gt.coverage(*layers, **how, geometry=False) for layers in (frames, folders))
    whole = {f"result_{name}": getattr(inside, name) for name in GROUND}
    assert all(len(frame) for frame in whole.values())
    gt.io.write_layers(whole, tmp_path / "whole.gpkg")
    assert contents(beside.write_ground(tmp_path / "parts.gpkg")) == contents(tmp_path / "whole.gpkg")
    at_once = gt.coverage(*frames, **how)  # with all polygons from the first
    for name in GROUND:
        left, right = (shapely.to_wkb(getattr(found, name).geometry.array) for found in (inside, at_once))
        assert left.tolist() == right.tolist(), name


def test_no_ground_is_an_empty_layer(tmp_path):
    hazards, releases, _ = records(60, 9)
    found = gt.coverage(hazards, releases.iloc[:0])
    whole = {f"result_{name}": getattr(found, name) for name in GROUND}
    gt.io.write_layers(whole, tmp_path / "whole.gpkg")
    assert contents(found.write_ground(tmp_path / "parts.gpkg")) == contents(tmp_path / "whole.gpkg")
    with pytest.raises(WriteError, match="exists"):
        found.write_ground(tmp_path / "parts.gpkg")


@pytest.mark.parametrize("stop", [1, 9])
def test_a_killed_writer_leaves_the_file_that_was(tmp_path, stop):
    """Killed without a word while layers are worked out and written: the old file stays, to the byte."""
    hazards, releases, _ = records(120, 4)
    folders = filed_as(tmp_path / "in", hazards, releases, rows=30)
    out = tmp_path / "out" / "ground.gpkg"
    gt.coverage(*folders, as_of="2021-01-01").write_ground(out)
    before = out.read_bytes()
    code = (
        "import os, signal, sys\nimport geotools as gt\nfrom geotools.io import pieces\npieces.ROWS = 10\ndone = 0\n"
        "def put(*given, inner=pieces.put):\n    global done\n    done += 1\n"
        "    if done == int(sys.argv[4]): os.kill(os.getpid(), signal.SIGKILL)\n    return inner(*given)\n"
        "pieces.put = put\ngt.coverage(*sys.argv[1:3]).write_ground(sys.argv[3], overwrite=True)\n"
    )
    given = [sys.executable, "-c", code, *map(str, folders), str(out), str(stop)]
    assert subprocess.run(given, check=False).returncode == -9
    assert out.read_bytes() == before
    assert [file.name for file in out.parent.iterdir() if not file.name.startswith(".")] == ["ground.gpkg"]
