"""The small picture: drawn for any geometry, harmless, and small."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geotools.space.sketch import sketch


def test_every_kind_of_geometry_is_drawn_and_the_svg_is_well_formed(make: Any) -> None:
    shapes = gpd.GeoSeries(
        [
            make.square(),
            make.square().boundary,
            make.square().centroid,
            None,
            shapely.Polygon(),
            shapely.Point(np.inf, 0),
        ],
        crs=make.utm,
    )
    text = sketch([(shapes, "#a63603")])
    root = ET.fromstring(text)
    assert sorted(child.tag.split("}")[1] for child in root) == ["circle", "path", "path"]
    assert "nan" not in text
    assert "inf" not in text


def test_a_large_layer_stays_small(make: Any) -> None:
    rng = np.random.default_rng(0)
    shapes = gpd.GeoSeries(
        [shapely.Point(*p).buffer(300, 64) for p in rng.uniform(0, 50_000, (500, 2)) + make.origin], crs=make.utm
    )
    assert len(sketch([(shapes, "#00664a")])) < 400_000


@pytest.mark.parametrize(
    "layers", [[], [(gpd.GeoSeries([], crs=4326), "#000000")], [(gpd.GeoSeries([None], crs=4326), "#000000")]]
)
def test_nothing_to_draw_is_an_empty_text(layers: Any) -> None:
    assert sketch(layers) == ""
