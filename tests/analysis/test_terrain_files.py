"""Terrain from file to files: the same numbers as in memory, units and masks of the file, all or nothing, the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner

from geotools.analysis import terrain
from geotools.cli.main import cli
from geotools.io.rasters import read_raster
from geotools.model.errors import CRSError, ReadError, WriteError

BANDS = ("slope", "aspect", "tri", "curvature_profile", "curvature_plan", "drainage")
UTM_CELL = Affine(10, 0, 683_000, 0, -10, 4_385_000)


def heights(shape=(70, 90), seed=0) -> np.ndarray:
    rows, columns = np.indices(shape)
    return (500 + 40 * np.sin(columns / 9) * np.cos(rows / 7) + np.random.default_rng(seed).normal(0, 1, shape)).astype(
        "float32"
    )


def save(
    path: Path,
    values: np.ndarray,
    *,
    where: Affine = UTM_CELL,
    crs: str | None = "EPSG:32638",
    unit: str = "",
    scale: tuple[float, float] = (1.0, 0.0),
    **profile,
) -> Path:
    rows, columns = values.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=columns,
        height=rows,
        count=1,
        dtype=values.dtype,
        crs=crs,
        transform=where,
        **profile,
    ) as target:
        target.write(values, 1)
        if unit:
            target.set_band_unit(1, unit)
        if scale != (1.0, 0.0):
            target.scales, target.offsets = (scale[0],), (scale[1],)
    return path


def values(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read(1)


@pytest.mark.parametrize("tile", [13, 64, 512])
def test_files_hold_the_numbers_of_the_functions_for_any_tile(tmp_path, tile):
    z = heights()
    z[30, 40] = -9999
    path = save(tmp_path / "dem.tif", z, nodata=-9999)
    done = terrain.derive(path, tmp_path / "out", settings=terrain.Settings(tile=tile, drainage_m2=5000))
    dem = read_raster(path)
    expected = {
        "slope": terrain.slope(dem), "aspect": terrain.aspect(dem), "tri": terrain.tri(dem), "curvature_profile": terrain.curvature(dem),
        "curvature_plan": terrain.curvature(dem, kind="plan"), "drainage": terrain.drainage(dem, threshold_m2=5000),
    }  # fmt: skip
    assert tuple(done.files) == BANDS
    for name, raster in expected.items():
        assert values(done.files[name]).tobytes() == raster.values.tobytes(), name
        with rasterio.open(done.files[name]) as source:
            assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert source.dtypes == ("float32",)
            assert np.isnan(source.nodata)
            assert source.transform == UTM_CELL
            assert source.crs == rasterio.CRS.from_epsg(32638)
            assert source.descriptions[0]
            assert source.units[0]


def test_summary_adds_up_and_counts_the_unknown(tmp_path):
    path = save(tmp_path / "dem.tif", heights())
    done = terrain.derive(path, tmp_path / "out", products=["slope"])
    slope = values(done.files["slope"])
    assert done.cells == slope.size
    assert done.unknown_cells == np.isnan(slope).sum() == 2 * (70 + 90) - 4
    assert sum(done.share.values()) == pytest.approx(1)
    edges = [*terrain.CLASSES_DEG, 90]
    for name, low, high in zip(done.area_m2, edges, edges[1:], strict=False):
        cells = ((slope >= low) & (slope < high)).sum()
        assert done.area_m2[name] == pytest.approx(cells * 100, rel=2e-3), name  # UTM: the scale there is 0.9998
    data = json.loads((tmp_path / "out" / "terrain.json").read_text("utf-8"))
    assert data == done.to_dict()
    assert data["provenance"]["inputs"][0]["name"] == "dem.tif"
    assert [row["slope_deg"] for row in data["slope_classes"]][-2:] == ["over 35", "unknown"]


def test_unit_scale_and_offset_of_the_band_are_honoured(tmp_path):
    metres = heights().astype("float64")
    feet = save(tmp_path / "feet.tif", metres / 0.3048, unit="ft")
    packed = save(tmp_path / "packed.tif", np.round(metres * 100 - 30_000).astype("int16"), scale=(0.01, 300.0))
    plain = terrain.derive(save(tmp_path / "m.tif", metres), tmp_path / "m", products=["slope"])
    for path, tolerance in ((feet, 1e-4), (packed, 0.1)):
        got = terrain.derive(path, tmp_path / path.stem, products=["slope"])
        np.testing.assert_allclose(values(got.files["slope"]), values(plain.files["slope"]), atol=tolerance)
    told = terrain.derive(feet, tmp_path / "told", products="tri", settings=terrain.Settings(vertical_unit="m"))
    assert np.nanmedian(values(told.files["tri"])) > 2
    with pytest.raises(CRSError, match="fathom"):
        terrain.derive(save(tmp_path / "f.tif", metres, unit="fathom"), tmp_path / "f")


def test_oblong_cells_in_degrees(tmp_path):
    """Cells of global models are wider than high in the north; the ground is as steep as in square ones."""
    rows, columns = np.indices((40, 40))
    slopes = []
    for width in (1, 2):
        where = Affine(width / 3600, 0, 37, 0, -1 / 3600, 51)
        z = 200 + 3.0 * columns * width - 2.0 * rows
        done = terrain.derive(
            save(tmp_path / f"{width}.tif", z, where=where, crs="EPSG:4326"),
            tmp_path / str(width),
            products=["slope", "aspect"],
        )
        slopes.append([values(path)[20, 20] for path in done.files.values()])
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-5)


def test_a_mask_band_is_honoured(tmp_path):
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = save(tmp_path / "dem.tif", heights())
        with rasterio.open(path, "r+") as target:
            mask = np.full(target.shape, 255, dtype="uint8")
            mask[20:25, 20:25] = 0
            target.write_mask(mask)
    slope = values(terrain.derive(path, tmp_path / "out", products=["slope"]).files["slope"])
    assert np.isnan(slope[19:26, 19:26]).all()
    assert np.isfinite(slope[18, 18:27]).all()


def test_heights_no_land_has_are_missing_and_counted(tmp_path):
    z = heights()
    z[5, 5], z[5, 6], z[60, 13], z[0, 0] = -9999, 1e20, -32768, np.nan
    done = terrain.derive(
        save(tmp_path / "dem.tif", z), tmp_path / "out", products=["slope"], settings=terrain.Settings(tile=13)
    )
    assert done.impossible_cells == 3
    assert "3 cells have heights no land has" in "\n".join(done.sentences)
    assert done.to_dict()["impossible_cells"] == 3
    assert np.isnan(values(done.files["slope"])[4:7, 4:8]).all()


class Bar:
    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int]] = []

    def start(self, what: str, total: int | None = None) -> None:
        self.seen.append((what, total or 0, 0))

    def advance(self, steps: int = 1) -> None:
        what, total, done = self.seen[-1]
        self.seen[-1] = (what, total, done + steps)

    def finish(self) -> None:
        assert self.seen


def test_progress_is_told_to_the_end(tmp_path):
    bar = Bar()
    terrain.derive(
        save(tmp_path / "dem.tif", heights()), tmp_path / "out", settings=terrain.Settings(tile=32), progress=bar
    )
    assert [what for what, _, _ in bar.seen] == [
        "reading heights",
        "following the water",
        "computing terrain",
        "writing GeoTIFFs",
    ]
    assert all(total == done > 0 for _, total, done in bar.seen)


def test_all_or_nothing(tmp_path):
    path = save(tmp_path / "dem.tif", heights(), tiled=True, blockxsize=16, blockysize=16)
    out = tmp_path / "out"
    out.mkdir()
    (out / "tri.tif").write_text("mine")
    with pytest.raises(WriteError, match="exists already"):
        terrain.derive(path, out)
    assert [p.name for p in out.iterdir()] == ["tri.tif"]
    damaged = tmp_path / "damaged.tif"
    damaged.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ReadError):
        terrain.derive(damaged, out, overwrite=True)
    assert (out / "tri.tif").read_text() == "mine"
    assert [p.name for p in out.iterdir()] == ["tri.tif"]
    assert len(terrain.derive(path, out, overwrite=True).files) == 6
    assert sorted(p.name for p in out.iterdir()) == sorted([*(f"{name}.tif" for name in BANDS), "terrain.json"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["damaged.tif", "dem.tif", "out"]


def test_unusable_heights_are_refused_in_words(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        terrain.derive(tmp_path / "nowhere.tif", tmp_path / "out")
    (tmp_path / "text.tif").write_text("not a raster")
    with pytest.raises(ReadError, match="not a raster"):
        terrain.derive(tmp_path / "text.tif", tmp_path / "out")
    with pytest.raises(CRSError, match="no coordinate reference system"):
        terrain.derive(save(tmp_path / "nocrs.tif", heights(), crs=None), tmp_path / "out")
    turned = save(tmp_path / "turned.tif", heights(), where=Affine(9.8, 1.7, 683_000, 1.7, -9.8, 4_385_000))
    with pytest.raises(ReadError, match="rotated"):
        terrain.derive(turned, tmp_path / "out")
    for products in ([], ["slop"]):
        with pytest.raises(ValueError):
            terrain.derive(save(tmp_path / "dem.tif", heights()), tmp_path / "out", products=products)
    assert not (tmp_path / "out").exists()


# ------------------------------------------------------------------------------------------------ the command


def run(*words: object):
    return CliRunner().invoke(cli, ["terrain", *map(str, words)])


def test_command_on_a_file_and_on_a_survey(tmp_path):
    folder = tmp_path / "survey"
    folder.mkdir()
    save(folder / "dem.tif", heights())
    square = {
        "type": "Polygon",
        "coordinates": [[[47.13, 39.59], [47.131, 39.59], [47.131, 39.591], [47.13, 39.591], [47.13, 39.59]]],
    }
    feature = {
        "type": "Feature",
        "properties": {"id": "H-1", "classification": "CHA", "status": "open"},
        "geometry": square,
    }
    (folder / "hazards.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    words = run(folder / "dem.tif", "-o", tmp_path / "a", "--products", "slope,tri")
    assert words.exit_code == 0, words.output
    assert "Ground by slope" in words.stdout
    assert "written" in words.stderr
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["slope.tif", "terrain.json", "tri.tif"]
    told = run(folder, "-o", tmp_path / "b", "--products", "slope", "--json")
    assert told.exit_code == 0, told.output
    data = json.loads(told.stdout)
    assert sum(row["share"] for row in data["slope_classes"]) == pytest.approx(1, abs=1e-5)
    assert values(tmp_path / "a" / "slope.tif").tobytes() == values(tmp_path / "b" / "slope.tif").tobytes()
    (folder / "dem.tif").unlink()
    assert isinstance(run(folder, "-o", tmp_path / "c").exception, ReadError)


def test_command_refuses_wrong_words(tmp_path):
    path = save(tmp_path / "dem.tif", heights())
    for products in ("slope,magic", ","):
        assert run(path, "-o", tmp_path / "a", "--products", products).exit_code == 2
    assert isinstance(run(tmp_path / "none.tif", "-o", tmp_path / "a").exception, ReadError)
    assert not (tmp_path / "a").exists()
