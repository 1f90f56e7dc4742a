"""Nothing is lost: every cell of every type, missing in every way, and geometry to the bit."""

# ruff: noqa: DTZ001  (times without a zone are what is tested)

from __future__ import annotations

import datetime as dt
import json
import math
import string
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.io import store as stores
from geotools.io.store import cells
from geotools.model.errors import StoreError

WHO = {"note": "n", "author": "B. Clerk (synthetic)"}
BAKU = ZoneInfo("Asia/Baku")
OBJECTS = [
    None, float("nan"), pd.NA, pd.NaT, "", " ", "nan", "None", "[1, 2]", '{"$date": "2024-01-01"}', "Ağdərə № 7 日本 🚧", "a\tb\r\nc", "\x00", "\ud83d",
    0, -1, 2**70, True, False, 1.0, -0.0, 5e-324, 1e308, 0.1 + 0.2, float("inf"), float("-inf"),
    dt.date(2024, 2, 29), dt.time(23, 59, 59, 999999), dt.datetime(2024, 5, 1, 6), dt.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    dt.datetime(2024, 5, 1, 6, tzinfo=dt.timezone(dt.timedelta(hours=4, minutes=30))), pd.Timestamp("2024-05-01T06:00:00.123456789"),
    pd.Timestamp("2024-05-01", tz="Asia/Baku"), pd.Timestamp("2024-05-01", tz="UTC"), pd.Timedelta("1 days 00:00:01.5"), dt.timedelta(days=-1, microseconds=7),
    Decimal("1.10"), UUID(int=7), b"\x00\xff", ["a", None, 1.5, [dt.date(2024, 1, 1)]], ("x", 1), {"k": [1], "Ə": None}, {1: "one", "$x": 2}, {"a", "b"},
]  # fmt: skip


def alike(a, b):
    """The same value of the same type, missing values and signs of zero included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if a is None or a is pd.NA or a is pd.NaT:
        return a is b
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dt.datetime):
        return a == b and str(a.tzinfo) == str(b.tzinfo) and a.fold == b.fold
    return a == b


def test_a_whole_number_comes_back_exact_whatever_is_saved_beside_it(place):
    """Beyond 2^53 a float skips whole numbers: a serial number would become another one."""
    cases = [(b, m) for b in (2**53 + 1, -(2**53) - 1, 2**53, 2**60, 2**63 - 1) for m in (1.5, None, "a word", 7)]
    with stores.init(place, author="a") as store:
        for turn, (big, mixed) in enumerate(cases):
            kind = f"notes_{turn}"
            store.save(pd.DataFrame({"id": ["a"], "n": [big]}), kind=kind, note="", author="a")
            other = pd.Series([mixed], dtype="Int64" if mixed is None else None)
            store.save(pd.DataFrame({"id": ["b"], "n": other}), kind=kind, note="", author="a")
            back = store.load(kind)
            assert int(back["n"][0]) == big
            assert not isinstance(back["n"][0], float)
            assert pd.isna(back["n"][1]) if mixed is None else back["n"][1] == mixed
            done = store.save(back, kind=kind, note="as it was", author="a")
            assert (done.changed, done.unchanged) == (0, 2)
            assert int(store.load(kind, where={"n": big})["n"].iloc[0]) == big


def test_every_sort_of_object_comes_back_as_what_it_was(store):
    shapes = gpd.GeoSeries([shapely.Point(i, 0) for i in range(len(OBJECTS))], crs=4326)
    frame = gpd.GeoDataFrame(
        {"id": [f"{i:03}" for i in range(len(OBJECTS))], "x": pd.Series(OBJECTS, dtype=object)}, geometry=shapes
    )
    store.save(frame, kind="places", **WHO)
    back = store.load("places")["x"]
    wrong = [(a, b) for a, b in zip(OBJECTS, back, strict=True) if not alike(a, b)]
    assert not wrong
    assert store.save(store.load("places"), kind="places", **WHO).revision.number == 1
    assert not len(store.verify())


def typed(crs="EPSG:32638"):
    stamps = ["2024-01-01", None, "1850-07-04T12:00:00.000001"]
    columns = {
        "id": ["a", "b", "c"],
        "float64": [1.5, np.nan, 3.0], "float32": pd.array([0.1, np.nan, 3], dtype="float32"), "whole": [1.0, 2.0, -0.0], "inf": [np.inf, -np.inf, np.nan],
        "int64": [1, -2, 2**62], "int8": pd.array([1, 2, 3], dtype="int8"), "uint64": pd.array([0, 1, 2**63 + 1], dtype="uint64"),
        "Int64": pd.array([1, None, 3], dtype="Int64"), "UInt8": pd.array([1, None, 255], dtype="UInt8"), "Float64": pd.array([1.5, None, 2], dtype="Float64"),
        "bool": [True, False, True], "boolean": pd.array([True, None, False], dtype="boolean"),
        "text": ["ə", None, "[1]"], "string": pd.array(["x", None, ""], dtype="string"), "object": pd.Series(["x", None, 3], dtype=object),
        "day": pd.to_datetime(pd.Series(stamps, dtype=object), format="ISO8601").astype("datetime64[us]"),
        "ms": pd.Series(["2024-01-01", None, "2024-01-01T00:00:00.001"], dtype="datetime64[ms]"),
        "utc": pd.Series(["2024-01-01", None, "2024-07-01T00:00:00.5"], dtype="datetime64[ns]").dt.tz_localize("UTC"),
        "baku": pd.Series(["2024-01-01", None, "2024-07-01"], dtype="datetime64[s]").dt.tz_localize("UTC").dt.tz_convert("Asia/Baku"),
        "span": pd.to_timedelta(["1s", None, "2 days"]), "words": pd.Categorical(["hi", None, "lo"], ["lo", "hi"], ordered=True),
        "Sütun; \"'": ["1", "2", "3"], "all missing": pd.Series([None] * 3, dtype=object), "only nan": [np.nan] * 3,
    }  # fmt: skip
    table = pd.DataFrame(columns)
    shapes = gpd.GeoSeries([shapely.Point(683_000, 4_385_000, 7), None, shapely.Polygon()], crs=crs)
    return gpd.GeoDataFrame(table, geometry=shapes)


def test_every_column_type_comes_back_and_saving_it_again_is_no_edit(store):
    frame = typed()
    before = frame.copy(deep=True)
    store.save(frame, kind="places", **WHO)
    assert_geodataframe_equal(frame, before)
    back = store.load("places")
    assert_geodataframe_equal(back, frame, check_dtype=True)
    assert math.copysign(1, back["whole"][2]) == -1
    assert store.save(back, kind="places", **WHO).revision.number == 1
    more = typed().assign(id=["d", "e", "f"])
    more["new column"] = [1, 2, 3]
    store.save(more, kind="places", **WHO)
    both = store.load("places")
    assert_geodataframe_equal(
        both[both["id"] > "c"].reset_index(drop=True)[list(frame.columns)], more[list(frame.columns)], check_dtype=True
    )
    assert both["new column"].dtype == "Int64"
    assert_geodataframe_equal(store.load("places", as_of=1), frame)


def test_a_column_whose_type_changes_keeps_every_value(store):
    one = gpd.GeoDataFrame(
        {"id": ["a", "b"], "x": [1.5, np.nan]}, geometry=gpd.points_from_xy([0, 1], [0, 1]), crs=4326
    )
    two = gpd.GeoDataFrame(
        {"id": ["c", "d"], "x": ["1.5", None]}, geometry=gpd.points_from_xy([0, 1], [0, 1]), crs=4326
    )
    store.save(one, kind="places", **WHO)
    store.save(two, kind="places", **WHO)
    assert store.load("places")["x"].tolist() == [1.5, None, "1.5", None]
    assert store.load("places", as_of=1)["x"].dtype == "float64"
    assert store.save(store.load("places"), kind="places", **WHO).unchanged == 4


def test_what_cannot_be_kept_is_refused_by_name_and_nothing_is_saved(store):
    frame = gpd.GeoDataFrame(
        {"id": ["a", "b"], "x": pd.Series(["ok", 1 + 2j], dtype=object)},
        geometry=gpd.points_from_xy([0, 1], [0, 1]),
        crs=4326,
    )
    with pytest.raises(StoreError, match="column 'x', row 2: a complex"):
        store.save(frame, kind="places", **WHO)
    assert store.head().number == 0


WKT = [
    "POINT EMPTY", "POINT Z EMPTY", "POLYGON EMPTY", "MULTIPOINT (EMPTY, (1 2))", "GEOMETRYCOLLECTION (POINT EMPTY, POLYGON EMPTY)", "GEOMETRYCOLLECTION EMPTY",
    "POINT ZM (1 2 3 4)", "POINT M (1 2 4)", "POINT Z (1 2 -0)", "LINESTRING EMPTY", "LINESTRING (0 0, 0 0)", "POLYGON ((0 0, 1 1, 0 0, 0 0))",
    "POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))", "POLYGON ((0 0, 9 0, 9 9, 0 0), (1 1, 2 1, 2 2, 1 1))", "MULTIPOLYGON (EMPTY, ((0 0, 1 0, 1 1, 0 0)))",
    "POLYGON Z ((0 0 nan, 1 1 2, 1 0 3, 0 0 nan))", "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
]  # fmt: skip


def test_geometry_comes_back_to_the_bit_whatever_it_is(store):
    shapes = [shapely.from_wkt(text) for text in WKT]
    shapes += [
        None,
        shapely.Point(math.nan, 1),
        shapely.Point(math.inf, 1),
        shapely.Point(-0.0, 5e-324),
        shapely.Point(0.1 + 0.2, 1e308),
    ]
    shapes += [shapely.box(683000.123456789, 4385000.1, 683100, 4385100).reverse()]
    frame = gpd.GeoDataFrame(
        {"id": [f"{i:03}" for i in range(len(shapes))]}, geometry=gpd.GeoSeries(shapes, crs="EPSG:32638")
    )
    frame = frame.rename_geometry("outline")
    store.save(frame, kind="hazards", **WHO)
    back = store.load("hazards")
    assert back.active_geometry_name == "outline"
    wanted = shapely.to_wkb(frame.geometry.array, output_dimension=4)
    assert shapely.to_wkb(back.geometry.array, output_dimension=4).tolist() == wanted.tolist()
    store.save(frame[:3].assign(outline=None).set_geometry("outline", crs="EPSG:32638"), kind="hazards", **WHO)
    assert shapely.to_wkb(store.load("hazards", as_of=1).geometry.array, output_dimension=4).tolist() == wanted.tolist()
    assert not len(store.verify())


finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
values = (
    json_like
    | st.dates()
    | st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))
    | st.decimals(allow_nan=False)
    | st.binary(max_size=6)
)


@given(values)
def test_a_cell_is_its_own_inverse(value):
    assert alike(cells.value_of(json.loads(cells.text_of(value))), value)


@given(values, values)
def test_different_cells_have_different_texts(a, b):
    assert (cells.text_of(a) == cells.text_of(b)) == alike(a, b)


@settings(max_examples=12)
@given(st.lists(st.tuples(values, finite, finite, st.sampled_from(string.ascii_lowercase)), min_size=1, max_size=6))
def test_any_frame_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("s") / "a.gpkg"
    frame = gpd.GeoDataFrame(
        {"id": [f"{n}{r[3]}" for n, r in enumerate(rows)], "v": pd.Series([r[0] for r in rows], dtype=object)},
        geometry=gpd.GeoSeries([shapely.Point(r[1], r[2]) for r in rows], crs=4326),
    )
    with stores.init(path, author="a") as store:
        store.save(frame, kind="places", **WHO)
        back = store.load("places")
        assert [alike(a, b) for a, b in zip(frame["v"], back["v"], strict=True)].count(False) == 0
        assert shapely.to_wkb(back.geometry.array).tolist() == shapely.to_wkb(frame.geometry.array).tolist()
        assert not len(store.verify())
