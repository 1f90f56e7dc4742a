"""Swath coverage under hostile input: a clear refusal or issue rows, an account that adds up, and nothing painted by mistake."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geotools.analysis import swath
from geotools.model.errors import CoverageError, CRSError, GeotoolsError, ReadError, SchemaError


def _simulator():
    name = "swath_simulator"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


sim = _simulator()
TASK = sim.task(shapely.box(-2, -2, 32, 3))
TRUTH = 60.0  # square metres that the frame below covers


def frame():
    log = sim.Log(hz=1).stroke([(0, 0), (30, 0)]).wait(20).stroke([(0, 1), (30, 1)])
    return log.frame(width_m=1.0, h_acc_m=0.02, operator="x", run_id="r")


N = len(frame())


def col(name, value):
    return lambda f: f.assign(**{name: value})


def geo(make):
    return lambda f: f.set_geometry(gpd.GeoSeries(make(f), index=f.index, crs=f.crs))


def objects(name, values):
    return lambda f: f.assign(
        **{name: pd.Series(np.resize(np.array(values, dtype=object), N), index=f.index, dtype=object)}
    )


def lists(name):
    return lambda f: f.assign(**{name: [["x"]] * N})


def half_naive(f):
    stamps = [t if i % 2 else t.tz_localize(None) for i, t in enumerate(f["time"])]
    return f.assign(time=pd.Series(stamps, index=f.index, dtype=object))


NOTHING = {
    "width nan": col("width_m", np.nan), "width inf": col("width_m", np.inf), "width text": col("width_m", "abc"), "width bool": col("width_m", True),
    "width complex": col("width_m", 1 + 2j), "width time": lambda f: f.assign(width_m=f["time"]), "width list": lists("width_m"),
    "same stamp": lambda f: f.assign(time=f["time"].iloc[0]), "no such day": col("time", "yesterday"), "NaT": col("time", pd.NaT),
    "timedelta": lambda f: f.assign(time=f["time"] - f["time"].iloc[0]), "year 1": col("time", "0001-01-01T00:00:00Z"), "one": lambda f: f.iloc[:1],
    "none": lambda f: f.iloc[:0], "nan xy": geo(lambda f: gpd.points_from_xy([np.nan] * N, [np.nan] * N)), "no xy": geo(lambda f: [None] * N),
    "inf xy": geo(lambda f: gpd.points_from_xy([np.inf] * N, [0] * N)), "huge xy": geo(lambda f: gpd.points_from_xy([1e300] * N, [1e300] * N)),
    "empty xy": geo(lambda f: [shapely.Point()] * N), "multi": geo(lambda f: [shapely.MultiPoint([(0, 0), (1, 1)])] * N),
    "elsewhere": lambda f: gpd.GeoDataFrame(f.drop(columns="geometry"), geometry=gpd.points_from_xy(-70 + np.arange(N) * 1e-5, [-30] * N), crs=4326),
    "swapped": lambda f: f.to_crs(4326).set_geometry(gpd.points_from_xy(f.to_crs(4326).geometry.y, f.to_crs(4326).geometry.x, crs=4326)),
    "still": geo(lambda f: [shapely.Point(1, 1)] * N), "flag text": col("is_on", "maybe"), "off": col("is_on", False), "quality number": col("fix_quality", 7),
    "quality list": lists("fix_quality"), "noise": geo(lambda f: gpd.points_from_xy(*np.random.default_rng(0).normal(size=(2, N)) * 50)),
}  # fmt: skip

WHOLE = {
    "accuracy negative": col("h_acc_m", -5.0), "accuracy inf": col("h_acc_m", np.inf), "accuracy text": col("h_acc_m", "bad"), "half naive": half_naive,
    "naive": lambda f: f.assign(time=f["time"].dt.tz_localize(None)), "text time": lambda f: f.assign(time=f["time"].astype(str)), "reversed": lambda f: f.iloc[::-1],
    "backwards": lambda f: f.assign(time=f["time"].iloc[::-1].to_numpy()), "another zone": lambda f: f.assign(time=f["time"].dt.tz_convert("Asia/Baku")),
    "3-D": geo(lambda f: shapely.force_3d(f.geometry.to_numpy(), z=5)), "categories": lambda f: f.assign(asset_id=pd.Categorical(["a"] * N)),
    "number as name": col("asset_id", 5), "mixed names": objects("asset_id", [1, "1", None, 2.5]), "list names": lists("asset_id"), "bytes": objects("asset_id", [b"\xff"]),
    "surrogates": objects("operator", ["\ud800"]), "control": col("asset_id", "a\x00\x07b"), "long": col("asset_id", "x" * 10_000),
    "one index": lambda f: f.set_index(np.zeros(N, dtype=int)), "two indices": lambda f: f.set_index([np.arange(N), np.arange(N)]),
    "no id": lambda f: f.drop(columns="id"), "one id": col("id", "same"), "renamed": lambda f: f.rename_geometry("shape"), "width objects": objects("width_m", [1.0]),
    "width category": lambda f: f.assign(width_m=pd.Categorical([1.0] * N)), "depth text": col("depth_cm", "deep"), "columns of numbers": lambda f: f.assign(**{"0": 1}).rename(columns={"0": 0}),
}  # fmt: skip


def worked(fixes):
    """Everything a caller may ask for, and the covered area."""
    made = swath.prepare(fixes, TASK)
    assert made.counts["read"] == made.counts.drop("read").sum() == len(fixes)
    result = swath.cover(made, TASK)
    result.layers(), result.to_dict(), result.sentences, result._repr_html_(), made.dropped, made.to_dict()
    total = result.totals
    assert total["covered_m2"] + total["missed_m2"] == pytest.approx(total["task_m2"], rel=1e-9)
    options = swath.Draws(count=1)
    grid = swath.grid_of(TASK, 0.5)
    swath.assurance(made.passes, grid, sigma_m=0.05, task=TASK, options=options).to_dict()
    swath.residual(made.passes, grid, pod=swath.Pod.from_trial(27, 30), task=TASK)
    swath.count(made.passes, grid)
    return total["covered_m2"], made


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_painted_and_the_reason_is_counted(name):
    covered, made = worked(NOTHING[name](frame()))
    assert covered == 0
    assert made.counts["used"] == 0
    assert "SW-09" in set(made.issues["check"])


@pytest.mark.parametrize("name", WHOLE)
def test_odd_columns_cost_no_ground(name):
    covered, _ = worked(WHOLE[name](frame()))
    assert covered == pytest.approx(TRUTH, rel=1e-6)


def test_a_place_without_a_width_ends_the_swath():
    fixes = frame()
    fixes.loc[10:12, "width_m"] = np.nan
    covered, made = worked(fixes)
    assert made.counts["no_width"] == 3
    assert covered == pytest.approx(TRUTH - 4 * 0.7, rel=1e-6)


@pytest.mark.slow
def test_a_million_fixes_of_one_tool_without_a_pause():
    count = 1_000_000
    lane, place = np.divmod(np.arange(count), 1000)
    xy = np.column_stack([0.5 * lane, np.where(lane % 2 == 0, place, 999 - place) * 0.1])
    fixes = sim.as_fixes(np.arange(count) * 0.1, xy, width_m=0.5).drop(columns="id")
    ground = sim.task(shapely.box(0, 0, 500, 100))
    made = swath.prepare(fixes, ground)
    assert made.counts["used"] == count
    assert swath.cover(made, ground, rules=swath.CoverRules(overlap=False)).covered_m2 > 0.99 * 50_000


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: f.assign(time=np.arange(N)), lambda f: f.assign(time=np.arange(N) * 1.0), lambda f: f.drop(columns="time"), lambda f: pd.DataFrame(f),
        geo(lambda f: [shapely.LineString([(0, 0), (1, 1)])] * N), geo(lambda f: [shapely.GeometryCollection()] * N),
        lambda f: f.set_crs(None, allow_override=True), lambda f: f.set_crs('LOCAL_CS["x",UNIT["m",1]]', allow_override=True),
    ],
)  # fmt: skip
def test_fixes_that_nobody_can_place_are_refused(spoil):
    with pytest.raises((CoverageError, CRSError)):
        swath.prepare(spoil(frame()), TASK)


def polygons(*shapes, crs=sim.LOCAL):
    return gpd.GeoDataFrame({"id": range(len(shapes))}, geometry=list(shapes), crs=crs)


SQUARE = shapely.box(-2, -2, 32, 3)


@pytest.mark.parametrize(
    "task",
    [
        polygons(None), polygons(shapely.Polygon()), polygons(shapely.LineString([(0, 0), (1, 1)])), polygons(shapely.Polygon([(0, 0), (30, 0), (0, 0)])),
        polygons(shapely.Polygon(SQUARE.exterior, [SQUARE.exterior])), polygons(shapely.box(-1e300, -1e300, 1e300, 1e300)), pd.DataFrame({"a": [1]}), SQUARE,
        polygons(shapely.box(-180, -90, 180, 90), crs=4326), polygons(shapely.box(0, 89, 1, 95), crs=4326), polygons(SQUARE, crs='LOCAL_CS["x",UNIT["m",1]]'),
    ],
)  # fmt: skip
def test_a_task_without_ground_is_refused(task):
    made = swath.prepare(frame(), TASK)
    for call in (
        lambda: swath.prepare(frame(), task),
        lambda: swath.cover(made, task),
        lambda: swath.grid_of(task, 1.0),
    ):
        with pytest.raises((CoverageError, CRSError)) as caught:
            call().totals  # what is lazy is asked for
        assert len(str(caught.value)) > 15


@pytest.mark.parametrize(
    "task",
    [polygons(None, SQUARE), polygons(shapely.Polygon(), SQUARE), polygons(shapely.force_3d(SQUARE, 5)), polygons(SQUARE).geometry,
     polygons(shapely.GeometryCollection([SQUARE, shapely.Point(0, 0)]))],
)  # fmt: skip
def test_the_ground_of_a_task_counts_whatever_lies_beside_it(task):
    assert swath.cover(swath.prepare(frame(), task), task).totals["covered_m2"] == pytest.approx(TRUTH, rel=1e-6)


BAD = ("5", float("nan"), [1], -1, object())


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize(
    "make",
    [
        *(lambda v, n=name: swath.Rules(**{n: v}) for name in ("outage_s", "smooth_s", "turn_deg", "depth_cm", "far_m", "width_max_m")),
        lambda v: swath.Tool(width_m=v), lambda v: swath.Tool(sections=v), lambda v: swath.Section("a", v), lambda v: swath.CoverRules(gap_area_m2=v),
        lambda v: swath.CoverRules(gap_width_m=v), lambda v: swath.CoverRules(tile_m=v), lambda v: swath.CoverRules(required_passes=v),
        lambda v: swath.Draws(count=v), lambda v: swath.Draws(seed=v), lambda v: swath.Draws(confidence=v), lambda v: swath.Pod.from_trial(v, 30),
        lambda v: swath.Pod.from_interval(v, 0.5, 0.9), lambda v: swath.grid_of(TASK, v),
    ],
)  # fmt: skip
def test_settings_that_are_no_numbers_are_refused(make, value):
    with pytest.raises(CoverageError):
        make(value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t.assign(x="a"), lambda t: t.drop(columns=["x", "y"]), lambda t: t.drop(columns=["x", "y"]).assign(geometry=b"abc"),
        lambda t: t.drop(columns=["x", "y"]).assign(geometry=1), lambda t: t.drop(columns="time"), lambda t: t.assign(asset="q"),
    ],
)  # fmt: skip
def test_tables_that_are_no_fixes_are_refused(tmp_path, spoil):
    fixes = frame()
    table = pd.DataFrame(fixes.drop(columns="geometry")).assign(x=fixes.geometry.x, y=fixes.geometry.y)
    spoil(table).to_parquet(tmp_path / "fixes.parquet")
    with pytest.raises((ReadError, CoverageError)):
        swath.cover_stream(tmp_path / "fixes.parquet", TASK, output=tmp_path / "o.gpkg", job=swath.Job(crs=sim.LOCAL))
    assert [p.name for p in tmp_path.iterdir()] == ["fixes.parquet"]


def test_a_damaged_table_is_said_as_such(tmp_path):
    fixes = frame()
    pd.DataFrame(fixes.drop(columns="geometry")).assign(x=fixes.geometry.x, y=fixes.geometry.y).to_parquet(
        tmp_path / "a.parquet"
    )
    raw = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(raw[:200] + b"\0" * 200 + raw[400:])
    (tmp_path / "c.parquet").write_bytes(b"PAR1abc")
    for name in ("b", "c"):
        with pytest.raises(ReadError):
            swath.cover_stream(
                tmp_path / f"{name}.parquet", TASK, output=tmp_path / "o.gpkg", job=swath.Job(crs=sim.LOCAL)
            )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: pd.DataFrame(p), lambda p: None, lambda p: p.set_crs(None, allow_override=True), lambda p: p.drop(columns="pass_id"),
        lambda p: p.set_geometry(gpd.GeoSeries([shapely.LineString()] * len(p), crs=p.crs)),
    ],
)  # fmt: skip
def test_what_is_no_pass_is_refused_everywhere(spoil):
    passes = spoil(swath.passes(frame(), TASK))
    grid = swath.grid_of(TASK, 0.5)
    for call in (
        lambda: swath.cover(passes, TASK), lambda: swath.count(passes, grid), lambda: swath.assurance(passes, grid, sigma_m=0.1),
        lambda: swath.research_area(passes, pd.DataFrame({"asset_id": ["a"], "date": ["2026-01-01"], "result": ["passed"]})),
    ):  # fmt: skip
        with pytest.raises((SchemaError, CoverageError, CRSError)):
            call()


def test_passes_of_odd_kinds_are_still_measured():
    passes = swath.passes(frame(), TASK)
    odd = [
        passes.assign(id=pd.Series(np.resize(np.array([1, "b"], dtype=object), len(passes)), dtype=object)), passes.assign(length_m="x"), passes.drop(columns="day"),
        passes.to_crs(4326), passes.assign(id="a"), passes.assign(h_acc_m="x"), passes.assign(day=None),
    ]  # fmt: skip
    for one in odd:
        result = swath.cover(one, TASK)
        assert result.totals["covered_m2"] == pytest.approx(TRUTH, rel=1e-3)
        result.to_dict()
    with pytest.raises(SchemaError):
        swath.assurance(passes.assign(start="x"), swath.grid_of(TASK, 0.5), sigma_m=0.1)


def test_errors_far_larger_than_the_cells_are_refused_before_memory_is_gone():
    passes = swath.passes(frame(), TASK)
    with pytest.raises(GeotoolsError, match="too fine"):
        swath.assurance(passes, swath.grid_of(TASK, 0.5), sigma_m=1e6, options=swath.Draws(count=0))
