"""Base maps: in their place to a source cell, counts and classes without loss, tiles cut to area and size, never silently."""

from __future__ import annotations

import io
import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine
from click.testing import CliRunner
from PIL import Image

import geotools as gt
from geotools.cli.main import cli
from geotools.maps.webmap import basemaps, outlines, rasters, tiles
from geotools.model.errors import MapError, ReadError

Show = Callable[..., Any]
CELL = 5.0
ORIGIN = (648_500.0, 4_409_900.0)
AREA = (46.74, 39.80, 46.78, 39.83)
BOX = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shapely.box(*AREA)], crs=4326)


def raster(path: Path, bands: np.ndarray, **profile: Any) -> Path:
    bands = bands if bands.ndim == 3 else bands[None]
    settings = {"driver": "GTiff", "count": bands.shape[0], "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype, "crs": "EPSG:32638", "transform": Affine(CELL, 0, ORIGIN[0], 0, -CELL, ORIGIN[1])}  # fmt: skip
    with rasterio.open(path, "w", **{**settings, **profile}) as file:
        file.write(bands)
    return path


def decoded(picture: Any) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGBA"))


BACK = pyproj.Transformer.from_crs(3857, 32638, always_xy=True)


def places(picture: Any, shape: tuple[int, ...], at: np.ndarray) -> np.ndarray:
    """Where the middles of pixels (row, column) are drawn, in the UTM of the source: corners are set in Web Mercator, as browsers do."""
    west, south, east, north = picture.bounds
    to = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform
    (x0, x1), (y0, y1) = to([west, east], [south, north])
    x, y = x0 + (at[:, 1] + 0.5) / shape[1] * (x1 - x0), y1 - (at[:, 0] + 0.5) / shape[0] * (y1 - y0)
    return np.column_stack(BACK.transform(x, y))


def crosses(seed: int, shape: tuple[int, int] = (420, 510)) -> list[tuple[int, int]]:
    rng = np.random.default_rng(seed)
    return [(int(r), int(c)) for r, c in zip(rng.integers(20, shape[0] - 20, 24), rng.integers(20, shape[1] - 20, 24), strict=True)]  # fmt: skip


@pytest.mark.parametrize("kind", ["counts", "classes", "photo"])
def test_a_picture_lies_within_a_cell_of_its_source(tmp_path: Path, kind: str) -> None:
    at = crosses(3)
    values = np.zeros((420, 510), dtype=np.uint8)
    for row, column in at:
        values[row - 1 : row + 2, column - 1 : column + 2] = 3 if kind != "photo" else 255
    path = raster(tmp_path / "a.tif", np.stack([values] * 3) if kind == "photo" else values)
    picture = rasters.image(path, kind=kind)
    pixels = decoded(picture).astype(int)
    if kind == "photo":
        marked = pixels[..., 0] > 128
    else:
        color = next(c for c, label in picture.legend if str(label).startswith("3"))
        marked = (pixels[..., :3] == [int(color[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=2)
    worst = 0.0
    drawn = places(picture, pixels.shape, np.argwhere(marked & (pixels[..., 3] > 0)))
    for row, column in at:
        true = ORIGIN[0] + (column + 0.5) * CELL, ORIGIN[1] - (row + 0.5) * CELL
        near = drawn[np.hypot(*(drawn - true).T) < 4 * CELL]
        assert len(near) >= 4, (kind, row, column)
        worst = max(worst, float(np.hypot(*(near.mean(axis=0) - true))))
    assert worst <= CELL, worst


def test_counts_keep_their_number_exactly(tmp_path: Path) -> None:
    values = np.random.default_rng(5).integers(0, 6, (60, 80)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    picture = rasters.image(raster(tmp_path / "n.tif", values), kind="counts")
    pixels = decoded(picture)
    colors = {tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)): int(str(t).rstrip("+")) for c, t in picture.legend}
    opaque = pixels[pixels[..., 3] > 0][:, :3]
    assert {tuple(p) for p in opaque.tolist()} == set(colors)  # no colour that is no count
    at = np.argwhere(pixels[..., 3] > 0)[::997]
    for (row, column), (x, y) in zip(at, places(picture, pixels.shape, at), strict=True):
        i, j = int((ORIGIN[1] - y) / CELL), int((x - ORIGIN[0]) / CELL)
        around = values[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2]
        assert colors[tuple(pixels[row, column, :3].tolist())] in around


def test_land_cover_has_the_words_and_colours_of_the_theme(tmp_path: Path) -> None:
    values = np.repeat([10, 20, 40, 80], 100).astype(np.uint8).reshape(20, 20)
    source = type("Survey", (), {"layers": {"hazards": BOX}, "rasters": {"landcover": raster(tmp_path / "lc.tif", values)}, "programme": None, "inputs": ()})()  # fmt: skip
    entry = gt.map(source).page.describe()["images"][0]
    assert [row["label"]["tr"] for row in entry["legend"]] == ["Ağaç örtüsü", "Çalılık", "Tarım arazisi", "Su"]
    assert (entry["id"], entry["overlay"], entry["pixelated"], entry["mime"]) == (
        "landcover",
        False,
        True,
        "image/webp",
    )


# ------------------------------------------------------------------------------------------------------------------ tiles


def png(color: tuple[int, int, int], size: int = 256, *, noise: int = 0) -> bytes:
    array = np.full((size, size, 3), color, dtype=np.uint8)
    if noise:
        array = np.random.default_rng(noise).integers(0, 255, (size, size, 3)).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def mbtiles(path: Path, levels: range, *, noise: bool = False, pad: float = 0.01, **facts: str) -> Path:
    """Every tile over the area has its own colour: level, x and y modulo 250."""
    base = sqlite3.connect(path)
    base.execute("create table metadata (name text, value text)")
    base.execute("create table tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)")
    base.executemany("insert into metadata values (?, ?)", [("format", "png"), ("name", "Sheets"), *facts.items()])
    for z in levels:
        x0, y0, x1, y1 = tiles.span((AREA[0] - pad, AREA[1] - pad, AREA[2] + pad, AREA[3] + pad), z)
        for x in range(x0, x1 + 1):
            for y in range(y0, y1 + 1):
                data = png((z * 10, x % 250, y % 250), 64 if noise else 256, noise=1 + x + y if noise else 0)
                base.execute("insert into tiles values (?, ?, ?, ?)", (z, x, 2**z - 1 - y, data))
    base.commit()
    base.close()
    return path


def test_tiles_are_cut_to_the_area_and_the_size(tmp_path: Path) -> None:
    path = mbtiles(tmp_path / "b.mbtiles", range(8, 17), noise=True, attribution="<b onmouseover=x>Mapping office</b>")
    source = tiles.open_tiles(path)
    assert source.levels == tuple(range(8, 17))
    assert source.attribution == "Mapping office"
    whole = tiles.choose(source, AREA, 10**9)
    x0, y0, x1, y1 = tiles.span((AREA[0] - 0.004, AREA[1] - 0.003, AREA[2] + 0.004, AREA[3] + 0.003), 16)
    assert sum(z == 16 for z, *_ in whole.index) == (x1 - x0 + 1) * (y1 - y0 + 1)
    assert not whole.left_out
    less = tiles.choose(source, AREA, 600_000)
    assert len(less.data) * 4 / 3 <= 600_000
    assert less.left_out[-1] == 16
    assert less.levels == whole.levels[: len(less.levels)]
    assert tiles.notes(less, 0.6)[0]["en"].count("left out") == 1
    for z, x, y, at, length, _ in less.index:
        assert less.data[at : at + length] == source.read((z, x, y))
    with pytest.raises(MapError, match="alone takes more") as caught:
        tiles.choose(source, AREA, 1000)
    assert "max-mb" in caught.value.hint
    with pytest.raises(MapError, match="no picture over this area"):
        tiles.choose(source, (10, 10, 10.1, 10.1), 10**8)


def test_what_is_no_picture_is_left_out_and_vector_tiles_are_refused(tmp_path: Path) -> None:
    path = mbtiles(tmp_path / "b.mbtiles", range(12, 13))
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("update tiles set tile_data = ? where rowid = 1", (b"<svg onload='x'>",))
    found = tiles.choose(tiles.open_tiles(path), (AREA[0] - 0.1, AREA[1] - 0.1, AREA[2] + 0.1, AREA[3] + 0.1), 10**8)
    assert b"<svg" not in found.data
    with pytest.raises(ReadError, match="vector tiles"):
        tiles.open_tiles(mbtiles(tmp_path / "v.mbtiles", range(3), format="pbf"))
    (tmp_path / "junk.mbtiles").write_bytes(b"no database")
    with pytest.raises(ReadError, match="not a readable"):
        tiles.open_tiles(tmp_path / "junk.mbtiles")
    with pytest.raises(ReadError):
        gt.map({"hazards": BOX}, basemap=tmp_path / "missing.tif")
    with pytest.raises(MapError, match="no raster for the base map 'ortho'"):
        gt.map({"hazards": BOX}, basemap="ortho")


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["mbtiles", pytest.param("folder", marks=pytest.mark.slow)])
def test_tiles_are_drawn_in_their_place(show: Show, tmp_path: Path, kind: str) -> None:
    path = mbtiles(tmp_path / "b.mbtiles", range(11, 16))
    if kind == "folder":
        source = tiles.open_tiles(path)
        for z, x, y, *_ in tiles.choose(source, AREA, 10**9).index:
            file = tmp_path / "xyz" / str(z) / str(x) / f"{y}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(source.read((z, x, y)) or b"")
        path = tmp_path / "xyz"
    made = gt.map({"hazards": BOX}, basemap=path)
    opened = show(gt.webmap.save(made, tmp_path / "map.html"))
    page = opened.page
    page.evaluate("() => { const p = geotools.pages[0]; p.layers.forEach(l => l.on = false); p.update(); p.map.setView([39.815, 46.76], 15, {animate: false}); }")  # fmt: skip
    opened.settle(0.6)
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    for px, py in ((500, 300), (700, 200), (900, 420)):
        lat, lon = page.evaluate("q => { const c = geotools.pages[0].map.containerPointToLatLng(q); return [c.lat, c.lng]; }", [px, py])  # fmt: skip
        x, y, *_ = tiles.span((lon, lat, lon, lat), 15)
        assert np.abs(shot[py, px].astype(int) - [150, x % 250, y % 250]).max() <= 1, (px, py)
    assert page.query_selector_all(".gt-bases input")[0].is_checked()
    opened.quiet()


def test_the_command_takes_tiles_and_says_what_was_left_out(tmp_path: Path) -> None:
    BOX.to_file(tmp_path / "hazards.gpkg")
    path = mbtiles(tmp_path / "b.mbtiles", range(10, 17), noise=True)
    out = tmp_path / "m.html"
    run = CliRunner().invoke(cli, ["map", str(tmp_path / "hazards.gpkg"), "-o", str(out), "--basemap", str(path), "--max-mb", "1"])  # fmt: skip
    assert run.exit_code == 0, run.output
    assert "left out to keep it within" in run.output
    assert out.stat().st_size <= 1_000_000
    bare = CliRunner().invoke(cli, ["map", str(tmp_path / "hazards.gpkg"), "-o", str(tmp_path / "n.html"), "--no-basemap"])  # fmt: skip
    assert bare.exit_code == 0, bare.output
    both = CliRunner().invoke(cli, ["map", str(tmp_path / "hazards.gpkg"), "-o", str(out), "--no-basemap", "--basemap", "none"])  # fmt: skip
    assert both.exit_code == 2


def test_an_ortho_too_big_is_made_coarser_with_a_note(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (3, 900, 900)).astype(np.uint8)
    path = raster(tmp_path / "ortho.tif", noise)
    made = gt.map({"hazards": BOX}, basemap=path, max_mb=0.7)
    picture = next(e for e in made._children.values() if isinstance(e, gt.webmap.RasterLayer)).image
    assert picture.coarser >= 2
    assert len(gt.webmap.render(made).encode()) <= 0.7e6
    assert any("coarser" in str(note) for note in made.page.base_notes)
    assert basemaps.chosen("none", {}) == []


# --------------------------------------------------------------------------------------------------------------- outlines


def test_outlines_are_lines_near_the_data_without_names() -> None:
    layer = outlines.layer((46.0, 39.0, 47.0, 40.0))
    assert layer is not None
    data = gt.webmap.payload.decode(layer.payload.body)
    assert set(data.columns) == {"cls"}
    assert set(data.columns["cls"]) == {"coast", "border"}
    assert layer.spec.max_zoom == outlines.MAX_ZOOM
    west, _, east, _ = shapely.total_bounds(np.array([g for g in data.geometries if g is not None], dtype=object))
    assert west >= 36.99
    assert east <= 56.01
    assert len(layer.payload.text) < 40_000
    caspian = shapely.union_all(np.array([g for g in data.geometries if g is not None], dtype=object))
    assert caspian.distance(shapely.Point(49.9, 40.35)) < 0.2  # the coast at Baku
    assert outlines.layer((-140.0, -40.0, -139.0, -39.0)) is None  # open ocean
    assert gt.webmap.render(gt.map({"hazards": BOX})).count("data-gt-layer") == gt.webmap.render(gt.map({"hazards": BOX}, basemap=False)).count("data-gt-layer") + 1  # fmt: skip
    assert math.isclose(outlines.STEP, 0.01)


@pytest.mark.browser
def test_land_cover_can_be_shaded(show: Show, tmp_path: Path, dem: Path) -> None:
    values = np.repeat([10, 20, 40, 80], 100).astype(np.uint8).reshape(20, 20)
    cover = raster(tmp_path / "lc.tif", values, transform=Affine(200, 0, ORIGIN[0], 0, -200, ORIGIN[1]))
    source = type("Survey", (), {"layers": {"hazards": BOX}, "rasters": {"dem": dem, "landcover": cover}, "programme": None, "inputs": ()})()  # fmt: skip
    opened = show(gt.webmap.save(gt.map(source), tmp_path / "both.html"), fragment="#b=both")
    page = opened.page
    assert page.evaluate("geotools.pages[0].images.map(r => [r.spec.id, !!r.shown])") == [
        ["relief", True],
        ["landcover", True],
    ]
    assert (
        page.evaluate("getComputedStyle(geotools.pages[0].map.getPane('gt-image-relief')).mixBlendMode") == "multiply"
    )
    assert page.locator(".gt-baseramp .gt-rampitem").count() == 4
    page.check(".gt-bases input[value=relief]")
    assert page.evaluate("geotools.pages[0].images.map(r => !!r.shown)") == [True, False]
    assert page.evaluate("getComputedStyle(geotools.pages[0].map.getPane('gt-image-relief')).mixBlendMode") == "normal"
    page.check(".gt-bases input[value=blank]")
    assert page.evaluate("geotools.pages[0].images.some(r => r.shown)") is False
    opened.quiet()
