"""What careless callers hand over: one layer, no layer, odd names, text no file can hold, places off the earth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.maps.webmap import payload
from geotools.model.errors import MapError

BROKEN = "\ud800"


def frame(**columns: Any) -> gpd.GeoDataFrame:
    boxes = [shapely.box(46.7 + 0.01 * n, 39.8, 46.705 + 0.01 * n, 39.805) for n in range(2)]
    return gpd.GeoDataFrame({"id": ["A-1", "A-2"], **columns}, geometry=boxes, crs=4326)


def layers(made: Any) -> dict[str, payload.Decoded]:
    return {
        e.spec.id: payload.decode(e.payload.body)
        for e in made._children.values()
        if getattr(e, "spec", None) and not e.spec.silent
    }


def doubled(rows: gpd.GeoDataFrame, column: Any, values: list[Any] | None = None) -> gpd.GeoDataFrame:
    more = rows[[column]] if values is None else pd.DataFrame({column: values})
    return pd.concat([rows, more], axis=1)


def test_half_a_surrogate_pair_is_replaced(tmp_path: Path) -> None:
    text = pd.Series([f"x{BROKEN}y", "plain"], dtype=object)
    rows = frame(name=text).assign(id=pd.Series([f"A{BROKEN}", "A-2"], dtype=object))
    made = gt.map({"hazards": rows, f"own{BROKEN}": rows}, title=f"Sector {BROKEN}", subtitle=BROKEN)
    page = gt.webmap.save(made, tmp_path / "map.html").read_text("utf-8")
    assert "<title>Sector \ufffd</title>" in page
    assert layers(made)["hazards"].columns["name"] == ["plain", "x\ufffdy"]
    own = gt.webmap.AreaLayer(frame(name=text), f"own {BROKEN}")
    assert payload.decode(own.payload.body).columns["name"] == ["x\ufffdy", "plain"]


@pytest.mark.parametrize(
    ("column", "layer"), [("classification", "hazards"), ("product", "released"), ("note", "layer-area")]
)
def test_one_layer_is_shown_as_what_it_is(column: str, layer: str) -> None:
    values = {"classification": "CHA", "product": "cleared", "note": "x"}
    assert set(layers(gt.map(frame(**{column: values[column]})))) == {layer}


def test_a_column_called_layers_is_a_column() -> None:
    assert "layers" in layers(gt.map(frame(layers=[1, 2], programme=["a", "b"])))["layer-area"].columns


@pytest.mark.parametrize("source", ["survey.gpkg", 7, None, [1]])
def test_what_is_no_survey_is_refused_in_words(source: Any) -> None:
    with pytest.raises(MapError, match="survey or of layers"):
        gt.map(source)


def test_missing_layers_and_tables_without_place() -> None:
    assert set(layers(gt.map({"hazards": frame(), "finds": None}))) == {"hazards"}
    found = layers(gt.map({"hazards": pd.DataFrame({"id": ["H-1"]})}))["hazards"]
    assert (found.columns["id"], found.geometries) == (["H-1"], [None])
    with pytest.raises(MapError, match="not a table of records"):
        gt.map({"hazards": "text"})


def test_doubled_and_numbered_columns() -> None:
    rows = doubled(
        doubled(frame(**{"classification": ["CHA", "SHA"], "7": "a"}).rename(columns={"7": 7}), "classification"),
        7,
        ["b", "c"],
    )
    found = layers(gt.map({"hazards": rows, "other": rows}))
    for name in ("hazards", "other-area"):
        assert found[name].columns["7"] == ["a", "a"]
        assert found[name].columns["7.2"] == ["b", "c"]
        assert "classification.2" not in found[name].columns
    with pytest.raises(MapError, match=r"more than one column 'classification'"):
        gt.map({"hazards": doubled(frame(classification=["CHA", "SHA"]), "classification", ["SHA", "CHA"])})


@pytest.mark.parametrize("crs", [4326, 32638])
def test_a_place_off_the_earth_costs_only_its_row(crs: int) -> None:
    inf = np.inf
    good = frame().to_crs(crs).geometry.iloc[0]
    shapes = [good, shapely.Polygon([(inf, 1), (2, 3), (4, 5), (inf, 1)]), shapely.box(1e12, 1e12, 1e12 + 1, 1e12 + 1)]
    rows = gpd.GeoDataFrame({"id": ["A-1", "A-inf", "A-far"], "product": "cleared"}, geometry=shapes, crs=crs)
    made = gt.map({"hazards": rows, "releases": rows, "own": rows})
    found = layers(made)
    placed = {
        i: g is not None for i, g in zip(found["hazards"].columns["id"], found["hazards"].geometries, strict=True)
    }
    assert placed == {"A-1": True, "A-far": False, "A-inf": False}
    said = made.page.notes[0]
    assert all(name in text for name in ("A-inf", "A-far") for text in said.values())
    issues = found["issues"].columns
    assert {i for i, kind in zip(issues["id"], issues["kind"], strict=True) if kind == "hazards"} == {"A-inf", "A-far"}
    assert made.page.describe()["noGround"]["n"] == 2
    gt.webmap.render(made)
