"""Slope, aspect, ruggedness and curvature: closed forms, gdaldem, laws, tiles, units, missing heights."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pyproj
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.analysis import terrain
from geotools.analysis.terrain.ground import ground
from geotools.io.rasters import write_raster
from geotools.model.errors import CRSError, GeotoolsError
from geotools.space.grid import Grid, Raster

UTM = "EPSG:32638"
PLANE = 'ENGCRS["local",EDATUM["local"],CS[Cartesian,2],AXIS["(E)",east],AXIS["(N)",north],LENGTHUNIT["metre",1]]'
LOCAL = (terrain.slope, terrain.aspect, terrain.tri, terrain.curvature)
SIZES = [1, 7, 16, 33, 10_000]


def raster(
    values: np.ndarray, cell: float = 10.0, crs: object = PLANE, corner: tuple[float, float] = (0.0, 0.0)
) -> Raster:
    return Raster(np.asarray(values), Grid(*corner, cell, np.shape(values), crs), None, "heights")


def surface(function, shape=(41, 53), cell=10.0) -> tuple[Raster, np.ndarray, np.ndarray]:
    """A height function of (x east, y north) metres from the middle, and the places of the inner cells."""
    rows, columns = shape
    x, y = np.meshgrid((np.arange(columns) - columns // 2) * cell, (rows // 2 - np.arange(rows)) * cell)
    return raster(function(x, y), cell), x[1:-1, 1:-1], y[1:-1, 1:-1]


def rough(shape=(41, 53), seed=0, crs: object = UTM, corner=(683_000.0, 4_385_000.0), cell=10.0) -> Raster:
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    z = 500 + 40 * np.sin(columns / 9) * np.cos(rows / 7) + rng.normal(0, 2, shape)
    return raster((np.round(z * 64) / 64).astype("float32"), cell, crs, corner)  # sums are exact in 32 bits too


def inner(result: Raster) -> np.ndarray:
    assert result.values.dtype == np.float32
    edge = np.ones(result.values.shape, dtype=bool)
    edge[1:-1, 1:-1] = False
    assert np.isnan(result.values[edge]).all(), "a cell at the edge has neighbours nobody knows"
    return result.values[1:-1, 1:-1]


def turn(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Difference of two directions, degrees."""
    return np.abs((np.asarray(one, dtype=float) - other + 180) % 360 - 180)


# ------------------------------------------------------------------------------------------------ closed forms


@pytest.mark.parametrize(("east", "north"), [(0.3, 0.0), (0.0, -0.2), (-0.5, 0.7), (1.0, 1.0)])
def test_plane(east, north):
    dem, _, _ = surface(lambda x, y: 100 + east * x + north * y)
    assert inner(terrain.slope(dem)) == pytest.approx(np.degrees(np.arctan(np.hypot(east, north))), abs=1e-4)
    assert turn(inner(terrain.aspect(dem)), np.degrees(np.arctan2(-east, -north))).max() < 1e-3
    for kind in ("profile", "plan"):
        assert np.abs(inner(terrain.curvature(dem, kind=kind))).max() < 1e-9


def test_aspect_points_downhill_by_the_compass():
    for function, facing in [(lambda x, y: -y, 0), (lambda x, y: -x, 90), (lambda x, y: y, 180), (lambda x, y: x, 270)]:
        dem, _, _ = surface(function)
        assert inner(terrain.aspect(dem)) == pytest.approx(facing, abs=1e-4)


def test_paraboloid_is_exact():
    bend = 0.002
    dem, x, y = surface(lambda x, y: 500 - bend * (x * x + y * y))
    radius = np.hypot(x, y)
    steep = 2 * bend * radius
    assert inner(terrain.slope(dem)) == pytest.approx(np.degrees(np.arctan(steep)), abs=1e-4)
    top = radius == 0
    profile, plan = inner(terrain.curvature(dem)), inner(terrain.curvature(dem, kind="plan"))
    assert profile[~top] == pytest.approx(2 * bend / (1 + steep[~top] ** 2) ** 1.5, rel=1e-5)
    assert plan[~top] == pytest.approx(1 / radius[~top], rel=1e-5)
    facing = inner(terrain.aspect(dem))
    assert np.isnan([facing[top], profile[top], plan[top]]).all(), "level ground faces nowhere"
    assert turn(facing[~top], np.degrees(np.arctan2(x[~top], y[~top]))).max() < 1e-3


def test_sphere_cap_converges_with_the_square_of_the_cell():
    radius, errors = 2000.0, []
    for cell in (10.0, 5.0):
        dem, x, y = surface(lambda x, y: np.sqrt(radius**2 - x * x - y * y), shape=(61, 61), cell=cell)
        away = np.hypot(x, y)
        ring = (away > 50) & (away < 140)
        error = np.abs(inner(terrain.slope(dem)) - np.degrees(np.arcsin(away / radius)))[ring].max()
        errors.append(error)
        assert inner(terrain.curvature(dem))[ring] == pytest.approx(1 / radius, rel=2e-3)
        assert inner(terrain.curvature(dem, kind="plan"))[ring] == pytest.approx(1 / away[ring], rel=2e-3)
    assert errors[0] < 1e-3
    assert errors[1] < errors[0] / 3


def test_ruggedness_of_a_step_by_hand():
    z = np.zeros((3, 3))
    z[:, 2] = 4.0
    z[0, 0] = -3.0
    dem = raster(z)
    got = [terrain.tri(dem, method=method).values[1, 1] for method in ("riley", "wilson", "range")]
    assert got == pytest.approx([np.sqrt(3 * 16 + 9), (12 + 3) / 8, 7.0])


# ------------------------------------------------------------------------------------------------ another program


@pytest.fixture
def gdaldem(tmp_path):
    if shutil.which("gdaldem") is None:
        pytest.skip("gdaldem (Debian package gdal-bin) is not installed")

    def run(dem: Raster, *words: str) -> np.ndarray:
        with rasterio.open(
            tmp_path / "dem.tif", "w", driver="GTiff", width=dem.grid.shape[1], height=dem.grid.shape[0], count=1, dtype="float32",
            crs=rasterio.CRS.from_wkt(dem.grid.crs.to_wkt()), transform=dem.grid.transform, nodata=dem.nodata,
        ) as target:  # fmt: skip
            target.write(dem.values, 1)
        subprocess.run(
            ["gdaldem", words[0], "dem.tif", "out.tif", *words[1:], "-q"], cwd=tmp_path, check=True, capture_output=True
        )
        with rasterio.open(tmp_path / "out.tif") as source:
            return source.read(1, masked=True).astype("float64").filled(np.nan)

    return run


def test_slope_is_that_of_gdaldem_after_the_point_scale(gdaldem):
    dem = rough((60, 70))
    x, y = np.meshgrid(*dem.grid.centres)
    lonlat = pyproj.Transformer.from_crs(UTM, 4326, always_xy=True).transform(x, y)
    scale = pyproj.Proj(UTM).get_factors(*lonlat).meridional_scale
    theirs = np.degrees(np.arctan(np.tan(np.radians(gdaldem(dem, "slope"))) * scale))
    assert np.nanmax(np.abs(terrain.slope(dem).values - theirs)) < 2e-4
    assert (np.isnan(theirs) == np.isnan(terrain.slope(dem).values)).all()


def test_aspect_from_grid_north_is_that_of_gdaldem(gdaldem):
    dem = rough((60, 70))
    theirs = gdaldem(dem, "aspect")
    ours = terrain.aspect(dem, north="grid").values
    assert np.nanmax(turn(ours, theirs)) < 2e-3
    x, y = np.meshgrid(*dem.grid.centres)
    lonlat = pyproj.Transformer.from_crs(UTM, 4326, always_xy=True).transform(x, y)
    convergence = pyproj.Proj(UTM).get_factors(*lonlat).meridian_convergence
    assert np.abs(convergence).max() > 1
    assert np.nanmax(turn(terrain.aspect(dem).values, ours + convergence)) < 2e-4


@pytest.mark.parametrize(
    ("method", "words"),
    [("riley", ["TRI", "-alg", "Riley"]), ("wilson", ["TRI", "-alg", "Wilson"]), ("range", ["roughness"])],
)
def test_ruggedness_is_that_of_gdaldem(gdaldem, method, words):
    dem = rough()
    assert terrain.tri(dem, method=method).values == pytest.approx(gdaldem(dem, *words), abs=2e-4, nan_ok=True)


def test_missing_heights_are_where_gdaldem_has_them(gdaldem):
    dem = rough()
    values = dem.values.copy()
    values[10, 20], values[30:33, 5:9] = -9999, -9999
    dem = Raster(values, dem.grid, -9999.0)
    assert (np.isnan(terrain.slope(dem).values) == np.isnan(gdaldem(dem, "slope"))).all()


# ------------------------------------------------------------------------------------------------ ground distances


@pytest.mark.parametrize("crs", ["EPSG:4326", UTM, "EPSG:3857", "EPSG:3035", "EPSG:2272", "EPSG:27572"])
def test_area_of_a_cell_is_the_geodesic_area(crs):
    system = pyproj.CRS(crs)
    lon, lat = {"EPSG:2272": (-77.0, 40.5), "EPSG:27572": (1.0, 52.0)}.get(crs, (47.2, 39.6))
    x, y = pyproj.Transformer.from_crs(system.geodetic_crs, system, always_xy=True).transform(lon, lat)
    cell = 0.0002 if system.is_geographic else 20.0
    where = Affine(cell, 0, x, 0, -cell, y)
    ours = ground(where, (300, 300), system).area(0, 0, (300, 300))
    back = pyproj.Transformer.from_crs(system, system.geodetic_crs, always_xy=True)
    unit = system.geodetic_crs.axis_info[0].unit_conversion_factor  # the French one is in gradians
    geod = pyproj.Geod(a=system.ellipsoid.semi_major_metre, b=system.ellipsoid.semi_minor_metre)
    for row, column in [(0, 0), (299, 299), (151, 20)]:
        corners = [(x + cell * (column + c), y - cell * (row + r)) for c, r in ((0, 0), (0, 1), (1, 1), (1, 0))]
        lonlat = np.degrees(np.array(back.transform(*zip(*corners, strict=True))) * unit)
        area = abs(geod.polygon_area_perimeter(*lonlat)[0])
        assert ours[row, column] == pytest.approx(area, rel=1e-5)


def tilted(crs: str, cell: float, shape=(9, 9), rise=0.1) -> Raster:
    """Ground that rises by `rise` per metre away from a place along geodesics to the true north-east."""
    system = pyproj.CRS(crs)
    x0, y0 = pyproj.Transformer.from_crs(4326, system, always_xy=True).transform(47.2, 39.6)
    grid = Grid(x0, y0, cell, shape, crs)
    lon, lat = pyproj.Transformer.from_crs(system, 4326, always_xy=True).transform(*np.meshgrid(*grid.centres))
    azimuth, _, distance = pyproj.Geod(ellps="WGS84").inv(np.full(shape, 47.2), np.full(shape, 39.6), lon, lat)
    return Raster(rise * distance * np.cos(np.radians(azimuth - 45)), grid)


@pytest.mark.parametrize(
    ("crs", "cell"),
    [
        ("EPSG:4326", 0.0003),
        (UTM, 30.0),
        ("EPSG:3857", 30.0),
        ("EPSG:3035", 30.0),
        ("EPSG:32637", 30.0),
        ("EPSG:6933", 30.0),
    ],
)
def test_the_same_ground_is_as_steep_and_faces_the_same_way_in_every_system(crs, cell):
    dem = tilted(crs, cell)
    assert inner(terrain.slope(dem)) == pytest.approx(np.degrees(np.arctan(0.1)), abs=2e-4)
    assert turn(inner(terrain.aspect(dem)), 225).max() < 0.02


def test_feet_are_honoured():
    metres = rough(crs=PLANE)
    feet = Raster(metres.values.astype(float) / 0.3048, metres.grid)
    for function in LOCAL:
        np.testing.assert_allclose(
            function(feet, vertical_unit="ft").values, function(metres).values, rtol=1e-4, atol=1e-6
        )
    survey = terrain.slope(Raster(feet.values, metres.grid), vertical_unit="us-ft").values
    ratio = np.tan(np.radians(survey)) / np.tan(np.radians(terrain.slope(feet, vertical_unit="ft").values))
    assert np.nanmedian(ratio) == pytest.approx((1200 / 3937) / 0.3048, rel=1e-6)
    with pytest.raises(CRSError, match="furlong"):
        terrain.slope(metres, vertical_unit="furlong")


def test_the_vertical_axis_of_the_system_is_honoured_unless_told():
    heights = rough(crs="EPSG:2272+6360", corner=(2_600_000.0, 300_000.0), cell=30.0)
    flat = Raster(heights.values, Grid(*[heights.grid.west, heights.grid.north, 30.0], heights.grid.shape, "EPSG:2272"))
    np.testing.assert_array_equal(terrain.slope(heights).values, terrain.slope(flat, vertical_unit="us-ft").values)
    np.testing.assert_array_equal(terrain.slope(heights, vertical_unit="m").values, terrain.slope(flat).values)


def test_heights_without_a_map_position_are_refused():
    with pytest.raises(CRSError, match="no map position"):
        terrain.slope(rough(crs="EPSG:4978"))


# ------------------------------------------------------------------------------------------------ missing heights


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.sampled_from([np.nan, -9999.0, 1e20, -32768.0]), st.sampled_from(LOCAL))
def test_a_cell_with_any_missing_neighbour_is_missing_and_no_other(seed, hole, function):
    rng = np.random.default_rng(seed)
    missing = rng.random((15, 17)) < 0.04
    z = rng.normal(500, 20, missing.shape)
    whole = function(raster(z)).values
    holed = function(raster(np.where(missing, hole, z))).values
    near = np.zeros_like(missing)
    for r, c in np.argwhere(missing):
        near[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2] = True
    assert np.isnan(holed[near]).all()
    np.testing.assert_array_equal(holed[~near], whole[~near])


def test_whole_numbers_with_a_nodata_value():
    dem = rough()
    z = dem.values.astype("int16")
    z[5, 5] = -500
    got = terrain.slope(Raster(z, dem.grid, -500)).values
    assert np.isnan(got[4:7, 4:7]).all()
    assert np.isnan(got).sum() == 2 * (41 + 53) - 4 + 9


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (3, 3)])
def test_models_too_small_have_nothing_to_say_beyond_their_middle(shape):
    for function in LOCAL:
        got = function(raster(np.arange(float(np.prod(shape))).reshape(shape), crs=UTM, corner=(5e5, 4.4e6))).values
        assert np.isfinite(got).sum() == (1 if shape == (3, 3) else 0)


# ------------------------------------------------------------------------------------------------ laws


@pytest.mark.parametrize("crs", ["EPSG:4326", UTM, "EPSG:3857"])
@pytest.mark.parametrize("function", LOCAL)
def test_tiles_are_the_whole_bit_by_bit(function, crs):
    place = {
        "EPSG:4326": ((47.0, 39.9), 0.01),
        UTM: ((683_000.0, 4_385_000.0), 900.0),
        "EPSG:3857": ((5.2e6, 4.8e6), 900.0),
    }[crs]
    dem = rough((41, 53), crs=crs, corner=place[0], cell=place[1])
    dem.values[13, 21] = np.nan
    whole = function(dem, tile=10_000).values
    for tile in SIZES:
        assert function(dem, tile=tile).values.tobytes() == whole.tobytes(), tile


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.integers(1, 3))
def test_turning_the_model_turns_the_aspect(seed, quarters):
    z = np.random.default_rng(seed).normal(500, 5, (13, 13))
    for function in (terrain.slope, terrain.tri, terrain.curvature):
        np.testing.assert_allclose(
            function(raster(np.rot90(z, quarters))).values,
            np.rot90(function(raster(z)).values, quarters),
            rtol=1e-4,
            atol=1e-7,
        )
    turned = terrain.aspect(raster(np.rot90(z, quarters))).values
    assert np.nanmax(turn(turned, np.rot90(terrain.aspect(raster(z)).values, quarters) - 90 * quarters)) < 1e-3


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.integers(-400, 4000))
def test_a_constant_changes_nothing(seed, constant):
    z = np.random.default_rng(seed).integers(0, 4000, (13, 15)) / 4
    for function in LOCAL:
        np.testing.assert_array_equal(function(raster(z)).values, function(raster(z + constant)).values)


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.floats(0.1, 5))
def test_heights_times_k_are_k_times_as_steep(seed, factor):
    z = np.random.default_rng(seed).normal(500, 5, (13, 15))
    one, other = raster(z), raster(z * factor)
    steep = [np.tan(np.radians(terrain.slope(dem).values.astype(float))) for dem in (one, other)]
    np.testing.assert_allclose(steep[1], factor * steep[0], rtol=1e-4, atol=1e-7)
    assert np.nanmax(turn(terrain.aspect(other).values, terrain.aspect(one).values)) < 1e-2
    np.testing.assert_allclose(terrain.tri(other).values, factor * terrain.tri(one).values, rtol=1e-4)


def test_nothing_given_is_changed_and_wrong_words_are_refused():
    dem = rough()
    before = dem.values.copy()
    for function in LOCAL:
        function(dem)
    np.testing.assert_array_equal(dem.values, before)
    for call in (
        lambda: terrain.aspect(dem, north="magnetic"),
        lambda: terrain.tri(dem, method="best"),
        lambda: terrain.curvature(dem, kind="x"),
        lambda: terrain.slope(dem, tile=0),
    ):
        with pytest.raises(ValueError):
            call()


def test_a_result_can_be_written_as_it_is(tmp_path):
    result = terrain.slope(rough())
    with rasterio.open(write_raster(result, tmp_path / "slope.tif")) as source:
        np.testing.assert_array_equal(source.read(1), result.values)
        assert np.isnan(source.nodata)


@pytest.mark.parametrize(
    "call",
    [
        lambda dem: terrain.aspect(dem, north="magnetic"), lambda dem: terrain.aspect(dem, north=None), lambda dem: terrain.tri(dem, method=3),
        lambda dem: terrain.curvature(dem, kind="x"), lambda dem: terrain.slope(dem, tile="big"), lambda dem: terrain.slope(dem.values),
        lambda dem: terrain.slope(Raster(dem.values.astype(str), dem.grid)), lambda dem: terrain.slope(dem, vertical_unit="cubits"),
        lambda dem: terrain.drainage(dem, threshold_m2="much"), lambda dem: terrain.drainage(dem, threshold_m2=float("nan")),
        lambda dem: terrain.derive("dem.tif", "out", products=["height"]), lambda dem: terrain.derive("dem.tif", "out", products=[]),
    ],
)  # fmt: skip
def test_what_terrain_cannot_do_is_refused_with_a_hint(call):
    with pytest.raises(GeotoolsError) as error:
        call(rough())
    assert error.value.hint and 15 < len(error.value.message) < 200
