"""Layers in parts and the shelf: nothing lost, neighbours together, whole or not at all, open to other programs."""

from __future__ import annotations

import pickle

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geotools.io import parts
from geotools.io.shelf import Shelf, put
from geotools.model.errors import ReadError, WriteError


def layer(count, seed=0):
    rng = np.random.default_rng(seed)
    shapes = shapely.buffer(shapely.points(rng.uniform(45, 49, (count, 2))), rng.uniform(0.001, 0.01, count))
    shapes[::7] = None
    shapes[3::11] = shapely.Polygon()
    data = {
        "id": [f"№{n} ğ" for n in range(count)],
        "method": pd.Series(rng.choice(["manual", "mechanical", None], count), dtype=object),
        "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, count), unit="D"),
        "depth_cm": rng.choice([20.0, np.nan], count),
        "nothing": pd.Series([None] * count, dtype=object),
    }
    return gpd.GeoDataFrame(data, geometry=shapes, crs=4326)


def by_id(frame):
    return frame.sort_values("id").reset_index(drop=True)


def same(one, two):
    one, two = by_id(one), by_id(two)
    assert list(one["id"]) == list(two["id"])
    for name in ("method", "date", "depth_cm", "nothing"):
        left, right = one[name], two[name]
        assert (left.isna() == right.isna()).all(), name
        assert (left[left.notna()].astype(str) == right[right.notna()].astype(str)).all(), name
    blank = one.geometry.isna()
    assert (blank == two.geometry.isna()).all()
    assert (shapely.to_wkb(one.geometry[~blank].array) == shapely.to_wkb(two.geometry[~blank].array)).all()


@pytest.mark.parametrize("rows", [1, 7, 60, 1000])
def test_nothing_is_lost(tmp_path, rows):
    frame = layer(60)
    folder = parts.write(frame, tmp_path / "releases.parquet", "releases", rows=rows)
    found = parts.Parts.open(folder)
    assert (len(found), found.kind, found.crs.to_epsg()) == (60, "releases", 4326)
    same(found.read(), frame)
    same(gpd.read_parquet(folder), frame)  # a program that knows nothing of us
    assert len(list(folder.iterdir())) == -(-60 // rows)


def test_frames_come_one_at_a_time(tmp_path):
    frame = layer(90)
    alive = []

    def some():
        for start in range(0, 90, 20):
            alive.append(start)
            yield frame.iloc[start : start + 20]

    folder = parts.write(some(), tmp_path / "releases.parquet", "releases", rows=25)
    whole = parts.write(frame, tmp_path / "whole.parquet", "releases", rows=25)
    assert alive == [0, 20, 40, 60, 80]
    for one, two in zip(sorted(folder.iterdir()), sorted(whole.iterdir()), strict=True):
        same(gpd.read_parquet(one), gpd.read_parquet(two))
    assert list(parts.Parts.open(folder).read()["id"]) == list(parts.Parts.open(whole).read()["id"])


def test_neighbours_are_together(tmp_path):
    frame = layer(4_000, 3)
    frame = frame[np.isfinite(frame.bounds.to_numpy()).all(axis=1)]
    folder = parts.write(frame, tmp_path / "releases.parquet", "releases", rows=100)
    spread = [np.prod(np.diff(np.reshape(gpd.read_parquet(f).total_bounds, (2, 2)), axis=0)) for f in folder.iterdir()]
    assert np.median(spread) < 0.08 * np.prod(np.diff(np.reshape(frame.total_bounds, (2, 2)), axis=0))


def test_rows_are_drawn_from_anywhere(tmp_path):
    folder = parts.write(layer(60), tmp_path / "releases.parquet", "releases", rows=13)
    found = parts.Parts.open(folder)
    whole = found.read().geometry.array
    rows = np.random.default_rng(1).integers(0, 60, 40)
    assert all(a is b or a.equals_exact(b, 0) for a, b in zip(found.draw(rows), whole[rows], strict=True))
    assert found.named(rows) != found.named(rows[::-1])


def test_whole_or_not_at_all(tmp_path):
    def failing():
        yield layer(20)
        raise OSError(28, "No space left on device")

    target = tmp_path / "releases.parquet"
    with pytest.raises(WriteError):
        parts.write(failing(), target, "releases")
    assert not list(tmp_path.iterdir())
    parts.write(layer(20), target, "releases")
    with pytest.raises(WriteError, match="exists already"):
        parts.write(layer(20), target, "releases")
    parts.write(layer(5), target, "releases", overwrite=True)
    assert len(parts.Parts.open(target)) == 5
    with pytest.raises(WriteError, match="different reference systems"):
        parts.write([layer(5), layer(5).to_crs(32638)], tmp_path / "other.parquet", "releases")
    with pytest.raises(WriteError, match="at least one row"):
        parts.write(layer(5), tmp_path / "other.parquet", "releases", rows=0)
    assert {p.name for p in tmp_path.iterdir()} == {"releases.parquet"}


def test_two_local_grids_without_a_title_are_not_one_system(tmp_path):
    one, two = (layer(5).to_crs(f"+proj=tmerc +lon_0={lon} +datum=WGS84 +units=m") for lon in (46.9, 47.1))
    with pytest.raises(WriteError, match="different reference systems"):
        parts.write([one, two], tmp_path / "other.parquet", "releases")
    parts.write([one, one.assign(id=[f"b{n}" for n in range(5)])], tmp_path / "same.parquet", "releases")
    assert len(parts.Parts.open(tmp_path / "same.parquet")) == 10


def test_a_folder_of_other_things_is_never_replaced(tmp_path):
    survey = tmp_path / "survey"
    survey.mkdir()
    (survey / "a.gpkg").write_bytes(b"years of work")
    with pytest.raises(WriteError, match="other things"):
        parts.write(layer(5), survey, "releases", overwrite=True)
    assert (survey / "a.gpkg").read_bytes() == b"years of work"


def test_no_rows_at_all(tmp_path):
    folder = parts.write(layer(20).iloc[:0], tmp_path / "releases.parquet", "releases")
    found = parts.Parts.open(folder)
    assert len(found) == 0
    assert len(found.read()) == 0
    assert found.crs.to_epsg() == 4326


def test_damaged_and_foreign_folders(tmp_path):
    folder = parts.write(layer(20), tmp_path / "releases.parquet", "releases", rows=10)
    assert parts.is_parts(folder)
    file = next(folder.iterdir())
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(ReadError, match="damaged"):
        parts.Parts.open(folder)
    file.write_bytes(data)
    parts.write(layer(5), tmp_path / "hazards.parquet", "hazards")
    (folder / "z.parquet").write_bytes(next((tmp_path / "hazards.parquet").iterdir()).read_bytes())
    with pytest.raises(ReadError, match="different layers"):
        parts.Parts.open(folder)
    (tmp_path / "text.parquet").mkdir()
    (tmp_path / "text.parquet" / "a.parquet").write_text("no")
    assert not parts.is_parts(tmp_path / "text.parquet")
    assert not parts.is_parts(file)


def test_a_shelf_gives_what_was_put(tmp_path):
    rng = np.random.default_rng(2)
    shapes = [shapely.buffer(shapely.points(rng.uniform(0, 9, (n, 2))), 1) for n in (30, 0, 50)]
    shapes[2][4] = shapely.Polygon()
    files = [tmp_path / f"{n}.wkb" for n in range(3)]
    shelf = Shelf(files, [put(some, file) for some, file in zip(shapes, files, strict=True)])
    whole = np.concatenate(shapes)
    assert len(shelf) == 80
    for rows in (rng.permutation(80), rng.integers(0, 80, 200), np.zeros(0, dtype=int), np.array([79])):
        for found in (shelf.draw(rows), pickle.loads(pickle.dumps(shelf.only(rows))).draw(np.arange(len(rows)))):
            assert (shapely.to_wkb(found) == shapely.to_wkb(whole[rows])).all()
    assert shelf.named(np.arange(80)) != shelf.named(np.arange(79))
    files[0].write_bytes(files[0].read_bytes()[:-50])
    with pytest.raises(OSError, match="shorter than it was"):
        shelf.draw(np.array([29]))
