"""Suitability: never workable without evidence; shares equal to brute force; tiles equal to the whole; access by flood fill."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

import geotools as gt
from geotools.analysis import suitability as su
from geotools.analysis import terrain
from geotools.analysis.suitability import access, limits
from geotools.analysis.suitability.cover import Cover, near_cover
from geotools.analysis.suitability.layers import Lattice
from geotools.analysis.suitability.zones import task_class
from geotools.model.errors import CRSError, ReadError, SchemaError, WriteError
from geotools.space.grid import Grid, Raster

UTM = "EPSG:32638"
X, Y = 683_000.0, 4_385_000.0
SOURCED = {"source": "SYNTHETIC", "as_of": "2026-05-01", "grade": "user"}


def figure(**values) -> su.Figure:
    return su.Figure(**{**SOURCED, **values})


FREE = {name: figure(any=True) for name in su.CRITERIA.values()}


def machine(**figures) -> su.Machine:
    """A machine that nothing limits but what is given; None takes a figure away."""
    own = {**FREE, "width_m": figure(value=1.7), **figures}
    return su.Machine("m", "Machine (synthetic)", figures={k: v for k, v in own.items() if v is not None})


def hills(rows=60, columns=80, cell=10.0, *, seed=0, holes=0) -> Raster:
    rng = np.random.default_rng(seed)
    r, c = np.indices((rows, columns))
    z = 300 + 25 * np.sin(c / 7) * np.cos(r / 9) + rng.normal(0, 0.2, (rows, columns))
    z[rng.integers(0, rows, holes), rng.integers(0, columns, holes)] = np.nan
    return Raster(z.astype("float32"), Grid(X, Y, cell, (rows, columns), UTM))


def plane(east: float, north: float, rows=12, columns=12) -> Raster:
    """A tilted plane with these rises per metre."""
    r, c = np.indices((rows, columns))
    return Raster(c * 10 * east - r * 10 * north, Grid(X, Y, 10, (rows, columns), UTM))


def frame(*shapes, crs=UTM, **columns) -> gpd.GeoDataFrame:
    moved = [affinity.translate(s, X, Y) for s in shapes]
    return gpd.GeoDataFrame({"id": [f"T-{i}" for i in range(len(shapes))], **columns}, geometry=moved, crs=crs)


def judged(dem: Raster, who: su.Machine, layers=None, **choices) -> su.Suitability:
    tasks = choices.pop("tasks", None)
    with terrain.gradients(dem) as slopes:
        return su.assess(slopes, who, layers, tasks=tasks, settings=su.Settings(**choices))


def save(path: Path, values: np.ndarray, *, where=None, crs=UTM, nodata=0, tags=None) -> Path:
    profile = {
        "driver": "GTiff",
        "height": values.shape[0],
        "width": values.shape[1],
        "count": 1,
        "dtype": values.dtype,
        "crs": crs,
        "nodata": nodata,
    }
    with rasterio.open(path, "w", transform=where or Affine(10, 0, X, 0, -10, Y), **profile) as out:
        out.write(values, 1)
        out.update_tags(**(tags or {}))
    return path


def blob(rng, radius: float, spike: float = 0.7) -> shapely.Polygon:
    angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 30)))
    reach = radius * rng.uniform(1 - spike, 1, len(angle))
    return shapely.Polygon(np.c_[reach * np.cos(angle), reach * np.sin(angle)]).buffer(0)


@pytest.mark.parametrize("seed", range(12))
def test_shares_of_cells_equal_brute_force_and_another_library(seed):
    exactextract = pytest.importorskip("exactextract")
    from exactextract.raster import NumPyRasterSource

    rng = np.random.default_rng(seed)
    shape, cell = (37, 53), float(rng.choice([1.0, 10.0, 0.7]))
    where = Affine(cell, 0, X, 0, -cell * rng.choice([1, 1.5]), Y)
    middle = where @ (rng.uniform(-5, 55), rng.uniform(-5, 40))
    polygon = affinity.translate(blob(rng, cell * rng.uniform(0.3, 30)), *middle)
    polygon = polygon.difference(affinity.translate(blob(rng, cell * 4), *middle))
    rows, columns, share = su.fractions(polygon, where, shape)
    got = np.zeros(shape)
    got[rows, columns] = share
    r, c = np.indices(shape)
    west, north = where @ (c, r)
    east, south = where @ (c + 1, r + 1)
    boxes = shapely.box(west, south, east, north)
    brute = shapely.area(shapely.intersection(boxes, polygon)) / shapely.area(boxes)
    assert np.abs(got - brute).max() < 1e-6
    (a, f), (b, d) = where @ (0, 0), where @ (shape[1], shape[0])
    source = NumPyRasterSource(np.arange(shape[0] * shape[1], dtype=float).reshape(shape), a, d, b, f)
    if polygon.is_empty or not polygon.intersects(shapely.box(a, d, b, f)):
        assert not len(share)
        return
    geojson = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(polygon)}
    other = exactextract.exact_extract(source, [geojson], ["values", "coverage"])[0]["properties"]
    theirs = np.zeros(shape)
    theirs.ravel()[np.asarray(other["values"], dtype=int)] = other["coverage"]
    assert np.abs(got - theirs).max() < 1e-5  # float32 there


def test_ground_of_tasks_equals_brute_force_and_adds_up():
    dem = hills(holes=5)
    tasks = frame(
        shapely.box(33, -333, 404.5, -77.7), affinity.translate(blob(np.random.default_rng(3), 150), 500, -300)
    )
    who = machine(slope_along_deg=figure(ok=6, max=9), slope_across_deg=figure(ok=4, max=12))
    got = judged(dem, who, tasks=tasks, bearing_deg=30)
    classes = got.classes()
    west, north = dem.grid.transform @ tuple(np.indices(dem.values.shape)[::-1])
    boxes = shapely.box(west, north - 10, west + 10, north)
    for shape, row in zip(tasks.geometry, got.tasks.to_dict("records"), strict=True):
        part = shapely.area(shapely.intersection(boxes, shape))
        for value, name in su.CLASSES.items():
            assert row[f"{name}_share"] == pytest.approx(part[classes == value].sum() / part.sum(), abs=1e-6)
            assert row[f"{name}_m2"] == pytest.approx(row[f"{name}_share"] * row["area_m2"])
        assert sum(row[f"{name}_m2"] for name in su.CLASSES.values()) == pytest.approx(row["area_m2"], rel=1e-12)
        why = got.limits[got.limits["task_id"] == row["id"]].set_index("criterion")
        for name in ("slope_along", "slope_across"):
            states = got.states(name)
            assert why.loc[name, "not_m2"] == pytest.approx(
                part[states == 3].sum() / part.sum() * row["area_m2"], abs=1e-6 * row["area_m2"]
            )
        only = (got.states("slope_along") == 3) & (got.states("slope_across") != 3)
        assert why.loc["slope_along", "only_not_m2"] == pytest.approx(
            part[only].sum() / part.sum() * row["area_m2"], abs=1e-6 * row["area_m2"]
        )
    patches = got.patches()
    assert patches.groupby("task_id")["area_m2"].sum().tolist() == pytest.approx(
        got.tasks["area_m2"].tolist(), rel=1e-6
    )
    for row in patches.to_dict("records"):
        own = got.tasks.set_index("id").loc[row["task_id"]]
        assert row["area_m2"] == pytest.approx(own[f"{row['class']}_m2"], rel=1e-5, abs=0.01)


def test_slopes_along_and_across_a_bearing_are_those_of_the_plane():
    along, across = math.tan(math.radians(11)), math.tan(math.radians(5))
    dem = plane(along, across)  # rises 11° to the east and 5° to the north
    for limit, expected in ((11.2, 0), (10.8, 3)):
        who = machine(slope_along_deg=figure(max=limit), slope_across_deg=figure(max=5.2))
        got = judged(dem, who, bearing_deg=91.3)  # east on the plane: grid north is 1.3° east of true north here
        assert got.states("slope_along")[5, 5] == expected
        assert got.states("slope_across")[5, 5] == 0
    steep = judged(dem, machine(slope_across_deg=figure(ok=3, max=5.5)), bearing_deg=91.3)
    assert steep.states("slope_across")[5, 5] == 1


@given(
    st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(1, 30), st.floats(1, 30), st.floats(0.3, 1.0),
)  # fmt: skip
@settings(max_examples=50, deadline=None, derandomize=True)
def test_without_a_bearing_every_direction_counts(east, north, along, across, ease):
    """Workable: all directions keep both limits; not: none does; brute force over 2,000 directions."""
    who = machine(
        slope_along_deg=figure(ok=along * ease, max=along), slope_across_deg=figure(ok=across * ease, max=across)
    )
    angle = np.linspace(0, np.pi, 2001)
    climb, lean = (
        np.abs(east * np.sin(angle) + north * np.cos(angle)),
        np.abs(east * np.cos(angle) - north * np.sin(angle)),
    )
    tan = [math.tan(math.radians(v)) for v in (along * ease, across * ease, along, across)]
    every = ((climb <= tan[0]) & (lean <= tan[1])).all()
    some = ((climb <= tan[2] * (1 + 1e-9)) & (lean <= tan[3] * (1 + 1e-9))).any()
    near = (
        abs(math.hypot(east, north) - math.hypot(tan[2], tan[3])) < 1e-3
        or min(abs(math.hypot(east, north) - t) for t in tan[:2]) < 1e-3
    )
    a, b = limits.slopes(np.array([[east]]), np.array([[north]]), who, None)
    worst = max(int(a[0, 0]), int(b[0, 0]))
    if not near:
        assert worst == (0 if every else 1 if some else 3)


def test_nothing_is_workable_without_a_limit_a_height_and_a_layer():
    dem = hills(holes=3)
    assert set(np.unique(judged(dem, machine()).classes())) == {1}  # nothing limits it: no height is needed
    known = machine(slope_along_deg=figure(max=60), slope_across_deg=figure(max=60))
    got = judged(dem, known)
    with terrain.gradients(dem) as slopes:
        missing = np.isnan(slopes.rise(0, 0, *dem.values.shape)[0])
    assert missing.sum() > 2 * sum(dem.values.shape)
    assert (got.classes()[missing] == 3).all()
    assert (got.classes()[~missing] == 1).all()
    for name, limit in su.CRITERIA.items():
        none = judged(dem, machine(**{limit: None}))
        assert (none.states(name) == 2).all(), name
        assert set(np.unique(none.classes())) == {3}, name
        assert limit in set(none.issues["column"]), name
    words = figure(words={"clay": "workable"})
    for name, limit in (
        ("soil", words),
        ("cover", words),
        ("vegetation", figure(max=10)),
        ("buildings", figure(value=10)),
        ("water", figure(value=5)),
        ("range", figure(max=500)),
        ("access", figure(max=20)),
    ):
        got = judged(dem, machine(**{su.CRITERIA[name]: limit}))
        assert set(np.unique(got.classes())) == {3}, name
        assert "SU-03" in set(got.issues["check"]), name


def test_press_figures_and_waivers_make_ground_conditional_at_best():
    dem = hills()
    press = su.Figure(max=60, source="press", grade="press")
    got = judged(dem, machine(slope_along_deg=press))
    assert set(np.unique(got.classes()[1:-1, 1:-1])) == {2}
    assert "SU-04" in set(got.issues["check"])
    waived = judged(dem, machine(stem_cm=None), waived={"vegetation": "cut last week, team leader"})
    assert set(np.unique(waived.classes())) == {2}
    assert "cut last week" in waived.issues["message"].str.cat()
    kept = judged(
        plane(0.5, 0),
        machine(slope_along_deg=figure(max=10), slope_across_deg=figure(max=10)),
        waived={"slope_along": "no"},
    )
    assert (kept.classes()[2:-2, 2:-2] == 4).all()  # what a limit excludes stays excluded
    with pytest.raises(SchemaError, match="reason"):
        su.Settings(waived={"soil": " "})
    with pytest.raises(SchemaError, match="no criterion"):
        su.Settings(waived={"mood": "x"})


def test_published_rows_never_give_workable_ground(tmp_path):
    """No published row has all limits, so nothing is workable until an authority gives its own."""
    dem = hills(20, 20)
    for name in su.machines()["machine"].unique():
        assert 1 not in np.unique(judged(dem, su.machine(name)).classes()), name
    mematt = su.machine("mematt")
    assert (mematt.value("width_m"), mematt.value("depth_cm"), mematt.value("remote_m")) == (1.7, 25, 500)
    assert mematt.value("rate_m2_h") == 1700
    assert (su.machine("mv-10").figure("slope_along_deg").max, su.machine("hydrema-910").value("width_m")) == (37, 3.5)


def layered(tmp_path: Path, *, cell=7.3, crs=UTM) -> su.Layers:
    """Land cover on another lattice, and layers of every sort."""
    rng = np.random.default_rng(1)
    codes = rng.choice(
        np.array([10, 20, 40, 50, 80, 99, 0], dtype="uint8"),
        (90, 120),
        p=[0.01, 0.02, 0.955, 0.005, 0.002, 0.004, 0.004],
    )
    where = Affine(cell, 0, X - 20.3, 0, -cell, Y + 13.1)
    if crs != UTM:
        corner = gpd.GeoSeries([shapely.Point(X - 20, Y + 13)], crs=UTM).to_crs(crs).iloc[0]
        where = Affine(1e-4, 0, corner.x, 0, -1e-4, corner.y)
    path = save(
        tmp_path / "cover.tif",
        codes,
        where=where,
        crs=crs,
        tags={"CLASSES": "10=trees, 20=shrub, 40=crop, 50=built, 80=water"},
    )
    lines = frame(shapely.LineString([(10, -50), (700, -420)]))
    return su.Layers(
        cover=path,
        soil=frame(shapely.box(-50, -700, 400, 50), shapely.box(400, -700, 900, -200), soil=["loam", "marsh"]),
        vegetation=frame(shapely.box(-50, -700, 900, 50), shapely.Point(300, -300).buffer(60), stem_cm=[2, 25]),
        rock=frame(shapely.box(-50, -700, 900, 50), rock_cm=[5]),
        obstacles=frame(shapely.Point(200, -200), shapely.LineString([(500, -100), (520, -300)])),
        roads=lines, stands=lines, buildings=frame(shapely.box(600, -150, 615, -140)),
    )  # fmt: skip


def limited() -> su.Machine:
    return machine(
        slope_along_deg=figure(ok=6, max=14), slope_across_deg=figure(ok=5, max=12), access_slope_deg=figure(max=13), remote_m=figure(max=400),
        cover=figure(words={"crop": "workable", "shrub": "conditional", "trees": "not", "built": "not", "water": "not"}),
        soil=figure(words={"loam": "workable", "marsh": "not"}), stem_cm=figure(ok=5, max=20), rock_cm=figure(max=10), obstacle_m=figure(value=15),
        building_m=figure(value=25), water_m=figure(value=8),
    )  # fmt: skip


@pytest.mark.parametrize("crs", [UTM, "EPSG:4326"])
def test_tiles_are_the_whole_bit_by_bit(tmp_path, monkeypatch, crs):
    from geotools.analysis.suitability import layers

    dem, all_layers = hills(holes=4), layered(tmp_path, crs=crs)
    whole = np.array(judged(dem, limited(), all_layers, tile=10_000, bearing_deg=40).codes)
    assert len(np.unique(limits.worst(whole))) == 4
    for tile in (7, 33, 64):
        assert np.array_equal(judged(dem, limited(), all_layers, tile=tile, bearing_deg=40).codes, whole), tile
    monkeypatch.setattr(access, "STRIP", 11)
    assert np.array_equal(judged(dem, limited(), all_layers, tile=25, bearing_deg=40).codes, whole)
    monkeypatch.setattr(layers, "BLOCK", 32)
    apart = np.array(judged(dem, limited(), all_layers, tile=64, bearing_deg=40).codes)
    assert (
        apart != whole
    ).mean() < 0.002  # another lattice of blocks may differ where an edge runs exactly along cells


def test_limits_exclude_what_they_should(tmp_path):
    dem, all_layers = hills(), layered(tmp_path)
    got = judged(dem, limited(), all_layers)
    west, north = dem.grid.transform @ tuple(np.indices(dem.values.shape)[::-1])
    boxes = shapely.box(west, north - 10, west + 10, north)

    def near(name, layer, distance):
        ground = shapely.union_all(layer.geometry.array)
        apart = shapely.distance(boxes, ground)
        state = got.states(name)
        assert (state[apart < distance - 1e-6] == 3).all(), name
        assert (state[apart > distance * 1.03 + 0.1] == 0).all(), name

    near("obstacles", all_layers.obstacles, 15)
    near("buildings", all_layers.buildings, 25)
    soil = got.states("soil")
    loam, marsh = all_layers.soil.geometry
    inner = marsh.buffer(-1e-6)
    assert (soil[shapely.intersects(boxes, inner)] == 3).all()
    assert (soil[shapely.covers(loam, boxes) & ~shapely.intersects(boxes, inner)] == 0).all()
    assert (
        soil[~shapely.covers(shapely.union_all([loam, marsh]).buffer(1e-6), boxes) & ~shapely.intersects(boxes, inner)]
        == 2
    ).all()
    stems = got.states("vegetation")
    assert (stems[shapely.intersects(boxes, all_layers.vegetation.geometry.iloc[1].buffer(-1e-6))] == 3).all()
    reach = got.states("range")
    far = (
        shapely.area(shapely.intersection(boxes, all_layers.stands.geometry.iloc[0].buffer(400, quad_segs=64))) < 99.999
    )
    assert (reach[far] == 3).all()
    assert (reach == 0).sum() > 1000


def test_cover_counts_every_cell_that_is_touched(tmp_path):
    """Against brute force: the worst state over all cover cells a cell overlaps, for finer, coarser and shifted covers."""
    rng = np.random.default_rng(2)
    state = {10: 3, 20: 1, 40: 0}
    for cell, shift in itertools.product((3.0, 10.0, 24.0), (0.0, -4.2)):
        codes = rng.choice(np.array([10, 20, 40, 77, 0], dtype="uint8"), (60, 60), p=[0.04, 0.1, 0.8, 0.03, 0.03])
        path = save(tmp_path / f"c{cell}{shift}.tif", codes, where=Affine(cell, 0, X + shift, 0, -cell, Y + shift))
        with terrain.gradients(hills(20, 30)) as slopes, rasterio.open(path) as source:
            cover = Cover(source, Lattice.of(slopes), {10: "trees", 20: "shrub", 40: "crop"})
            got = cover.states(lambda w: {"trees": 3, "shrub": 1, "crop": 0}.get(w, 2), 2, 3, 15, 20)
        for r, c in itertools.product(range(15), range(20)):
            west, north = X + 10 * (c + 3), Y - 10 * (r + 2)
            j = range(math.floor((west - X - shift) / cell + 1e-9), math.ceil((west + 10 - X - shift) / cell - 1e-9))
            i = range(math.floor((Y + shift - north) / cell + 1e-9), math.ceil((Y + shift - north + 10) / cell - 1e-9))
            inside = [state.get(int(codes[a, b]), 2) if 0 <= a < 60 and 0 <= b < 60 else 2 for a in i for b in j]
            assert got[r, c] == max(inside), (cell, shift, r, c)


@pytest.mark.parametrize("pixels", [3_000, 4_000_000])
@pytest.mark.parametrize(("rows", "columns", "finer"), [(2, 3, 150), (6, 5, 20), (12, 9, 0.4)])
def test_cover_in_another_system_misses_no_cell(tmp_path, monkeypatch, pixels, rows, columns, finer):
    """Every cover cell whose middle lies in a cell of ours counts, however fine the cover is; brute force by point in polygon."""
    from geotools.analysis.suitability import cover as room

    monkeypatch.setattr(room, "PIXELS", pixels)
    dem = hills(rows, columns, cell=30.0)
    box = gpd.GeoSeries([shapely.box(X - 9, Y - 30 * rows - 9, X + 30 * columns + 9, Y + 9)], crs=UTM).to_crs(4326)
    west, south, east, north = box.total_bounds
    size = 30 / finer / 111_320
    shape = (math.ceil((north - south) / size), math.ceil((east - west) / size))
    codes = np.full(shape, 40, dtype="uint8")
    rng = np.random.default_rng(3)
    r, c = rng.integers(0, shape[0], 8), rng.integers(0, shape[1], 8)
    codes[r, c] = [10, 10, 10, 20, 20, 20, 77, 77]
    path = save(tmp_path / "c.tif", codes, where=Affine(size, 0, west, 0, -size, north), crs="EPSG:4326")
    state = {10: 3, 20: 1, 77: 2}
    with terrain.gradients(dem) as slopes, rasterio.open(path) as source:
        lattice = Lattice.of(slopes)
        cover = Cover(source, lattice, {10: "trees", 20: "shrub", 40: "crop"})
        got = cover.states(lambda w: {"trees": 3, "shrub": 1, "crop": 0}.get(w, 2), 0, 0, rows, columns)
    middles = gpd.GeoSeries.from_xy(west + (c + 0.5) * size, north - (r + 0.5) * size, crs=4326).to_crs(UTM)
    seen = 0
    for place, code in zip(middles, codes[r, c], strict=True):
        i, j = int((Y - place.y) // 30), int((place.x - X) // 30)
        if 0 <= i < rows and 0 <= j < columns:
            assert got[i, j] >= state[int(code)], (i, j)
            seen += 1
    assert seen >= 3
    if rows * columns > 8 and finer > 10:
        assert (got == 0).sum() >= rows * columns - 14  # and what is far from them is not touched


def test_distance_from_built_cells_is_never_short(tmp_path):
    codes = np.full((30, 40), 40, dtype="uint8")
    codes[12, 17], codes[25, 3] = 50, 0
    path = save(tmp_path / "c.tif", codes)
    with terrain.gradients(hills(30, 40)) as slopes, rasterio.open(path) as source:
        cover = Cover(source, Lattice.of(slopes), {40: "crop", 50: "built"})
        got = near_cover(cover, "built", figure(value=34), (0, 0, 30, 40))
    r, c = np.indices((30, 40))
    for (row, column), state in (((12, 17), 3), ((25, 3), 2)):
        apart = np.hypot(np.maximum(np.abs(r - row) - 1, 0), np.maximum(np.abs(c - column) - 1, 0)) * 10
        assert (got[apart < 34] >= state).all()
        if state == 3:
            assert (got[apart > 34 + 10] != 3).all()


def flood(passable: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Brute force: from the seeds to side neighbours, over and over."""
    seen = seeds.copy()
    while True:
        grown = seen.copy()
        grown[1:] |= seen[:-1]
        grown[:-1] |= seen[1:]
        grown[:, 1:] |= seen[:, :-1]
        grown[:, :-1] |= seen[:, 1:]
        grown &= passable | seeds
        if (grown == seen).all():
            return seen
        seen = grown


@pytest.mark.parametrize("seed", range(8))
def test_reached_ground_is_that_of_a_flood(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(3, 60)), int(rng.integers(3, 60)))
    passable, seeds = rng.random(shape) < rng.choice([0.5, 0.6, 0.8]), rng.random(shape) < 0.01
    masks = []
    for values in (passable, seeds):
        mask = access.Mask(shape)
        mask.put(0, values)
        masks.append(mask)
    monkeypatch.setattr(access, "STRIP", int(rng.integers(1, 20)))
    assert np.array_equal(access.reached(*masks).rows(0, shape[0]), flood(passable, seeds))
    for cells in (1, 2, 3):
        fits = np.zeros(shape, dtype=bool)
        for r, c in itertools.product(range(shape[0] - cells + 1), range(shape[1] - cells + 1)):
            if passable[r : r + cells, c : c + cells].all():
                fits[r : r + cells, c : c + cells] = True
        assert np.array_equal(access.wide_enough(masks[0], cells).rows(0, shape[0]), fits), cells


def test_access_is_sure_perhaps_or_impossible(tmp_path):
    """A wall of trees cuts the ground in two; a gap in it has no data: beyond, access is unknown; behind a closed wall there is none."""
    codes = np.full((30, 40), 40, dtype="uint8")
    codes[:, 15] = 10
    codes[10, 15] = 0
    codes[:, 30] = 10
    path = save(tmp_path / "c.tif", codes, tags={"CLASSES": "10=trees, 40=crop"})
    road = frame(shapely.LineString([(25, -5), (25, -295)]))
    flat = Raster(np.zeros((30, 40)), Grid(X, Y, 10, (30, 40), UTM))
    words = figure(words={"crop": "workable", "trees": "not"})
    who = machine(cover=words, access_slope_deg=figure(max=15))
    got = judged(flat, who, su.Layers(cover=path, roads=road)).states("access")[1:-1, 1:-1]
    assert (got[:, :13] == 0).all()
    assert (got[:, 15:28] == 2).all()
    assert (got[:, 31:] == 3).all()
    wide = machine(cover=words, access_slope_deg=figure(max=15), width_m=figure(value=400))
    assert (judged(flat, wide, su.Layers(cover=path, roads=road)).states("access")[1:-1, 20:] == 3).all()
    none = machine(cover=words, access_slope_deg=figure(max=15), width_m=None)
    assert (judged(flat, none, su.Layers(cover=path, roads=road)).states("access") == 2).all()


@given(st.floats(0.5, 1.0), st.floats(0, 30), st.floats(0, 30))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_tighter_limit_never_makes_ground_better(ease, along, across):
    dem = hills(20, 20)
    loose = machine(slope_along_deg=figure(max=along), slope_across_deg=figure(max=across))
    tight = machine(slope_along_deg=figure(max=along * ease), slope_across_deg=figure(max=across * ease))
    for bearing in (None, 33.0):
        assert (
            judged(dem, tight, bearing_deg=bearing).classes() >= judged(dem, loose, bearing_deg=bearing).classes()
        ).all()


@pytest.mark.parametrize(
    ("shares", "expected"),
    [((1, 0, 0, 0), "workable"), ((0.9, 0.1, 0, 0), "conditional"), ((0, 0, 0, 1), "not"), ((0.5, 0, 0, 0.5), "conditional"), ((0.94, 0, 0.06, 0), "unknown"), ((0.96, 0, 0.04, 0), "workable"), ((0, 0, 0.04, 0.96), "not"), ((0.2, 0.2, 0.01, 0.59), "conditional")],
)  # fmt: skip
def test_a_task_is_unknown_if_what_is_unknown_could_change_it(shares, expected):
    assert task_class(dict(zip(limits.STATES, shares, strict=True)), 0.95) == expected


def test_ground_beyond_the_heights_is_unknown_and_bad_tasks_are_named():
    tasks = frame(shapely.box(700, -300, 900, -100), shapely.box(5_000, 0, 5_100, 100), shapely.Point(0, 0))
    got = judged(hills(), machine(), tasks=tasks)
    first, second = got.tasks.to_dict("records")
    assert (first["workable_share"], first["unknown_share"]) == (
        pytest.approx(0.5, abs=1e-6),
        pytest.approx(0.5, abs=1e-6),
    )
    assert (second["class"], second["unknown_share"]) == ("unknown", 1.0)
    assert set(got.issues["check"]) >= {"SU-06", "SU-07"}
    assert got.patches().query("task_id == 'T-1'")["class"].tolist() == ["unknown"]
    order = judged(hills(), machine(), tasks=tasks.iloc[::-1])
    assert order.tasks["id"].tolist() == got.tasks["id"].tolist()
    twice = frame(shapely.box(0, -300, 100, -100), shapely.box(50, -300, 200, -100))
    twice["id"] = "T"
    assert judged(hills(), machine(), tasks=twice).tasks["area_m2"].tolist() == pytest.approx([40_000], rel=1e-3)


def test_gradients_give_the_slope_of_the_terrain_room():
    dem = hills(holes=3)
    with terrain.gradients(dem) as slopes:
        east, north = slopes.rise(0, 0, *dem.values.shape)
        part = slopes.rise(11, 23, 20, 17)
        assert np.array_equal(part[0], east[11:31, 23:40], equal_nan=True)
        assert slopes.area(3, 4, 2, 2) == pytest.approx(100, rel=1e-3)
    steep = terrain.slope(dem).values
    assert np.allclose(np.degrees(np.arctan(np.hypot(east, north))), steep, atol=1e-4, equal_nan=True)
    facing = terrain.aspect(dem).values
    assert np.allclose(np.degrees(np.arctan2(-east, -north)) % 360, facing, atol=1e-3, equal_nan=True)


def test_heights_and_tasks_in_degrees():
    _, columns = np.indices((80, 90))
    dem = Raster(200 + columns * 0.9, Grid(47.1, 39.6, 1e-4, (80, 90), "EPSG:4326"))  # rises 0.9 m per 8.6 m: 6 degrees
    task = gpd.GeoDataFrame({"id": ["T"]}, geometry=[shapely.box(47.102, 39.594, 47.106, 39.598)], crs="EPSG:4326")
    got = judged(
        dem, machine(slope_along_deg=figure(max=5), slope_across_deg=figure(max=1)), tasks=task, bearing_deg=90
    )
    assert got.tasks["not_share"][0] == pytest.approx(1)
    across = judged(
        dem,
        machine(slope_along_deg=figure(max=1), slope_across_deg=figure(max=7)),
        tasks=task.to_crs(UTM),
        bearing_deg=0,
    )
    assert across.tasks["workable_share"][0] == pytest.approx(1)
    assert across.tasks["area_m2"][0] == pytest.approx(float(gt.measure.area(task).iloc[0]), rel=1e-6)


def test_a_file_of_ones_own(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        '[defaults]\nbuilding_m = { value = 30, source = "order 7", as_of = "2026-01-01", grade = "user" }\n'
        '[[machine]]\nid = "mematt"\nslope_along_deg = { ok = 10, max = 15, source = "order 7", grade = "user" }\n'
        '[[machine]]\nid = "new"\nkind = "dog"\nsoil = { any = true, source = "order 7", grade = "user" }\n',
        "utf-8",
    )
    mematt = su.machine("mematt", own)
    assert mematt.value("width_m") == 1.7
    assert mematt.figure("slope_along_deg").text == "10, conditional to 15"
    assert su.machine("bozena-4", own).value("building_m") == 30
    assert su.machine("new", own).figure("soil").any
    with pytest.raises(SchemaError, match="no machine 'memat'") as error:
        su.machine("memat")
    assert "did you mean 'mematt'" in error.value.hint
    for text, match in (
        ("width_m = 1.7", "no source"),
        ('width_m = { value = 1.7, source = "x", grade = "guess" }', "no source or grade"),
        ('slope_along_deg = { ok = 20, max = 10, source = "x", grade = "user" }', "not understood"),
        ('cover = { source = "x", grade = "user" }', "not understood"),
        ('width_m = { value = -1, source = "x", grade = "user" }', "not understood"),
        ("wheels = 4", "unknown figure"),
        ('kind = "horse"', "unknown kind"),
    ):
        own.write_text(f'[[machine]]\nid = "m"\n{text}\n', "utf-8")
        with pytest.raises(SchemaError, match=match):
            su.machine("m", own)
    own.write_text("[[machine]]\nname = 3\n", "utf-8")
    with pytest.raises(SchemaError, match="no id"):
        su.machine("m", own)


def test_written_files_hold_the_result(tmp_path):
    tasks = frame(shapely.box(50, -300, 400, -50))
    tasks["id"] = "=HYPERLINK(1)"
    got = judged(hills(), machine(slope_along_deg=figure(ok=5, max=8)), tasks=tasks, bearing_deg=0)
    files = got.write(tmp_path / "out")
    with rasterio.open(files["suitability.tif"]) as source:
        assert np.array_equal(source.read(1), got.classes())
        assert source.colormap(1)[4] == (190, 60, 20, 255)
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert "not" in source.tags()["CLASSES"]
    assert len(gt.read(files["suitability.gpkg"], layer="suitability_tasks")) == 1
    assert set(gt.read(files["suitability.gpkg"], layer="suitability")["class"]) == set(got.patches()["class"])
    text = files["suitability_limits.csv"].read_text("utf-8-sig")
    assert len(text.splitlines()) == 1 + len(su.CRITERIA)
    assert "\n=HYPERLINK" not in text
    told = json.loads(files["suitability.json"].read_text("utf-8"))
    assert told["machine"]["figures"]["slope_along_deg"]["source"] == "SYNTHETIC"
    with pytest.raises(WriteError, match="exists already"):
        got.write(tmp_path / "out")
    assert got.write(tmp_path / "out", overwrite=True) == files
    assert got.to_dict()["tasks"][0]["area_m2"] > 0
    assert any("not that the land is safe" in line for line in got.sentences)


def test_rasters_that_cannot_be_used_are_refused(tmp_path):
    dem = hills(10, 10)
    text = tmp_path / "x.tif"
    text.write_text("no raster", "utf-8")
    who = machine(cover=figure(words={"crop": "workable"}))
    with pytest.raises(ReadError, match="not a raster"):
        judged(dem, who, su.Layers(cover=text))
    path = save(tmp_path / "c.tif", np.full((5, 5), 40, dtype="uint8"), crs=None)
    with pytest.raises(CRSError, match="no coordinate reference system"):
        judged(dem, who, su.Layers(cover=path))
    with pytest.raises(SchemaError, match="no column 'soil'"):
        judged(dem, machine(soil=figure(words={"clay": "workable"})), su.Layers(soil=frame(shapely.box(0, -50, 50, 0))))


def test_codes_and_words_that_nobody_knows_are_named(tmp_path):
    dem, codes = hills(10, 10), np.full((10, 10), 90, dtype="uint8")
    who = machine(cover=figure(words={"crop": "workable"}))
    bare = judged(dem, who, su.Layers(cover=save(tmp_path / "a.tif", codes)))
    assert "does not say what its codes mean" in bare.issues["message"].str.cat()
    named = judged(dem, who, su.Layers(cover=save(tmp_path / "b.tif", codes), legend={90: "Wetland", 40: "Crop"}))
    assert "wetland" in named.issues["message"].str.cat()
    assert set(np.unique(bare.classes())) == set(np.unique(named.classes())) == {3}
    crop = judged(dem, who, su.Layers(cover=tmp_path / "b.tif", legend={90: " CROP "}))
    assert set(np.unique(crop.classes()[1:-1, 1:-1])) == {1}


def test_tasks_without_ids_are_numbered_and_told_apart():
    dem, shapes = hills(), frame(shapely.box(0, -300, 100, -100), shapely.box(200, -300, 400, -100))
    named = judged(dem, machine(), tasks=shapes).tasks
    for bare in (shapes.geometry, shapes.drop(columns="id"), shapes.assign(id=None), shapes.assign(id=["", " "])):
        got = judged(dem, machine(), tasks=bare).tasks
        assert got["id"].tolist() == ["row 1", "row 2"]
        assert got["area_m2"].tolist() == named["area_m2"].tolist()


@pytest.mark.parametrize("nowhere", [None, shapely.Point()])
@pytest.mark.parametrize(
    ("name", "limit"),
    [("obstacles", figure(value=15)), ("buildings", figure(value=15)), ("water", figure(value=15))],
)
def test_things_without_a_place_could_be_anywhere(tmp_path, nowhere, name, limit):
    """Never "nothing near": with any unplaced row no cell is free of them, also where land cover could stand for the layer."""
    dem, who = hills(20, 20), machine(**{su.CRITERIA[name]: limit})
    cover = save(tmp_path / "c.tif", np.full((20, 20), 40, dtype="uint8"), tags={"CLASSES": "40=crop"})
    lost = gpd.GeoDataFrame({"id": ["a"]}, geometry=[nowhere], crs=UTM)
    near = frame(shapely.Point(55, -55))
    both = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=[nowhere, near.geometry.iloc[0]], crs=UTM)
    for layer, states in ((lost, {2}), (both, {2, 3}), (near, {0, 3})):
        got = judged(dem, who, su.Layers(cover=cover, **{name: layer}))
        assert set(np.unique(got.states(name))) == states
        assert ("SU-09" in set(got.issues["check"])) is (layer is not near)
    placed_alone = judged(dem, who, su.Layers(**{name: near})).states(name)
    assert np.array_equal(judged(dem, who, su.Layers(**{name: both})).states(name) == 3, placed_alone == 3)
    free = judged(dem, machine(**{su.CRITERIA[name]: figure(any=True)}), su.Layers(**{name: lost}))
    assert set(np.unique(free.states(name))) == {0}


def test_unplaced_rows_of_other_layers_exclude_and_allow_nothing():
    dem, whole = hills(20, 20), shapely.box(-50, -300, 300, 50)
    base = frame(whole, whole, stem_cm=[2, 25])
    base.loc[1, "geometry"] = None
    who = machine(stem_cm=figure(ok=5, max=20))
    assert set(np.unique(judged(dem, who, su.Layers(vegetation=base)).states("vegetation"))) == {2}
    thin = base.assign(stem_cm=[2, 3])
    assert set(np.unique(judged(dem, who, su.Layers(vegetation=thin)).states("vegetation"))) == {0}
    thick = base.assign(stem_cm=[25, 30])
    assert set(np.unique(judged(dem, who, su.Layers(vegetation=thick)).states("vegetation"))) == {3}
    stands = frame(shapely.Point(5, -5), shapely.Point(0, 0))
    ranged = machine(remote_m=figure(max=50))
    assert set(np.unique(judged(dem, ranged, su.Layers(stands=stands)).states("range"))) == {0, 3}
    stands.loc[1, "geometry"] = None
    assert set(np.unique(judged(dem, ranged, su.Layers(stands=stands)).states("range"))) == {0, 2}
    drive = machine(access_slope_deg=figure(max=0.01))
    road = frame(shapely.LineString([(0, -95), (200, -95)]), shapely.Point(0, 0))
    assert 3 in judged(dem, drive, su.Layers(roads=road)).states("access")
    road.loc[1, "geometry"] = None
    got = judged(dem, drive, su.Layers(roads=road))
    assert set(np.unique(got.states("access"))) == {0, 2}
    assert "1 of 2 rows of the layer roads" in got.issues["message"].str.cat()
    alone = judged(dem, drive, su.Layers(roads=road.iloc[1:]))
    assert set(np.unique(alone.states("access"))) == {2}


SPELLINGS = {
    "built": ("Built area", "Built-up area", "BUILT_UP", "urban", "Tikili", "Застройка"),
    "water": ("Permanent water bodies", "Open water", "water bodies", "Su", "Вода"),
}


@pytest.mark.parametrize(("word", "name"), [(w, n) for w, names in SPELLINGS.items() for n in names])
def test_land_cover_stands_for_layers_under_any_spelling(tmp_path, word, name):
    codes = np.full((20, 20), 30, dtype="uint8")
    codes[10, 10] = 7
    path, criterion = save(tmp_path / "c.tif", codes), {"built": "buildings", "water": "water"}[word]
    who = machine(**{su.CRITERIA[criterion]: figure(value=20)})
    got = judged(hills(20, 20), who, su.Layers(cover=path, legend={30: "Grassland", 7: name})).states(criterion)
    assert got[10, 10] == got[12, 10] == 3
    assert got[5, 5] == 0


@pytest.mark.parametrize("name", ["zone 7", "other", "Прочее", ""])
def test_a_name_nobody_knows_is_never_taken_for_nothing_there(tmp_path, name):
    codes = np.full((20, 20), 30, dtype="uint8")
    codes[10, 10] = 7
    path = save(tmp_path / "c.tif", codes)
    who = machine(building_m=figure(value=20), water_m=figure(value=20))
    got = judged(hills(20, 20), who, su.Layers(cover=path, legend={30: "grass", 7: name}))
    for criterion in ("buildings", "water"):
        assert got.states(criterion)[10, 10] == got.states(criterion)[12, 10] == 2
        assert got.states(criterion)[5, 5] == 0
    assert got.issues["check"].tolist().count("SU-10") == 2
    strange = judged(hills(20, 20), who, su.Layers(cover=path, legend={30: "type A", 7: name}))
    assert set(np.unique(strange.classes())) == {3}
    far = frame(shapely.Point(5, -5))
    layers = su.Layers(cover=path, legend={30: "type A", 7: name}, buildings=far, water=far)
    assert "SU-10" not in set(judged(hills(20, 20), who, layers).issues["check"])


def test_the_machines_table_of_cover_understands_other_spellings(tmp_path):
    path = save(tmp_path / "c.tif", np.full((10, 10), 7, dtype="uint8"))
    who = machine(cover=figure(words={"crop": "workable", "water": "not", "maize": "conditional", "arable": "not"}))
    for name, state in (("Cropland", 0), ("open water", 3), ("maize", 1), ("arable", 3), ("zone 7", 2)):
        got = judged(hills(10, 10), who, su.Layers(cover=path, legend={7: name}))
        assert set(np.unique(got.states("cover"))) == {state}, name
        assert ("SU-08" in set(got.issues["check"])) is (state == 2)


@pytest.mark.parametrize(("other", "said"), [("unknown", "unknown"), ("not", "not"), ("conditional", "conditional")])
def test_words_never_call_all_of_a_task_workable_while_something_is_not(other, said):
    found = judged(plane(0, 0), machine(), tasks=frame(shapely.box(10, -110, 110, -10)))

    def words(rest: float) -> str:
        ground = {f"{name}_m2": 0.0 for name in ("workable", "conditional", "unknown", "not")}
        ground |= {"workable_m2": 10_000 - rest, f"{other}_m2": rest}
        figures = {**ground, **{name.replace("_m2", "_share"): value / 10_000 for name, value in ground.items()}}
        return dataclasses.replace(found, tasks=found.tasks.assign(**figures)).sentences[0]

    for rest in (0.02, 0.4, 3.0):
        told = words(rest)
        assert "9,99" in told and "workable (99.9 %)" in told
        assert f" 0 m² {said}" not in told and f"m² {said} (0.1 %)" in told
    assert "10,000 m² workable (100.0 %)" in words(0.0) and "10,000 m² workable (100.0 %)" in words(1e-7)
    assert f" 0 m² {said} (0.0 %)" in words(1e-7)
    assert "0.4 m² workable (0.0 %)" in words(9999.6) and f"10,000 m² {said} (99.9 %)" in words(9999.6)
