"""An analyst's own frames: colours that differ, classes of a column, words and numbers; nothing lost, nothing guessed."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import geotools as gt
from geotools.maps.webmap import payload
from geotools.maps.webmap.layers import VectorLayer
from geotools.model.errors import MapError


def frame(**columns: Any) -> gpd.GeoDataFrame:
    n = len(next(iter(columns.values())))
    return gpd.GeoDataFrame(columns, geometry=[shapely.box(46 + i, 39, 46.5 + i, 39.5) for i in range(n)], crs=4326)


def drawn(made: Any) -> dict[str, VectorLayer]:
    return {e.spec.id: e for e in made._children.values() if isinstance(e, VectorLayer) and not e.spec.silent}


def test_layers_of_ones_own_differ_in_colour_and_stand_in_their_group() -> None:
    found = drawn(gt.map({"wells": frame(a=[1, 2]), "plots": frame(a=[1])}))
    assert {layer.spec.group for layer in found.values()} == {"other"}
    assert len({layer.spec.classes[0].symbol.fill for layer in found.values()}) == 2


def test_words_are_classes_the_rarest_together() -> None:
    words = [f"w{i % 15:02d}" for i in range(40)] + [None, ""]
    layer = drawn(gt.map(frame(what=words), by="what"))["layer-area"]
    codes = payload.decode(layer.payload.body).columns["cls"]
    assert len(layer.spec.classes) == 12  # ten words, the other ones, those without
    assert sum(c == "" for c in codes) == 2
    assert all(c == w for c, w in zip(codes, words, strict=True) if c not in ("", "\0other"))
    assert layer.spec.title == "what"


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(0, 4).map(float)), min_size=1, max_size=40))
def test_numbers_go_from_light_to_dark_in_order(values: list[float | None]) -> None:
    layer = drawn(gt.map(frame(n=np.array([np.nan if v is None else v for v in values])), by="n", basemap=False))[
        "layer-area"
    ]
    codes = payload.decode(layer.payload.body).columns["cls"]
    place = {row.key: i for i, row in enumerate(layer.spec.classes)}
    pairs = sorted((v, place[c]) for v, c in zip(values, codes, strict=True) if v is not None)
    assert [p for _, p in pairs] == sorted(p for _, p in pairs)
    assert all((c == "") == (v is None) for v, c in zip(values, codes, strict=True))


def test_a_column_that_is_not_there_is_said() -> None:
    with pytest.raises(MapError, match="no layer has a column 'height'") as caught:
        gt.map(frame(a=[1]), by="height")
    assert "columns: a" in caught.value.hint
