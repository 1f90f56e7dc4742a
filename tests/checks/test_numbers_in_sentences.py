"""Amounts in the sentences of rules have the signs of the language: a point that groups is never read as a decimal point."""

from __future__ import annotations

import re
from dataclasses import replace

import geopandas as gpd
import pytest
import shapely

import geotools as gt
from geotools.model.programme import Programme


@pytest.mark.parametrize(
    ("lang", "whole", "share"), [("en", "1,", "."), ("az", "1.", ","), ("tr", "1.", ","), ("ru", "1\u00a0", ",")]
)
def test_an_area_and_a_share_are_written_as_the_language_does(lang: str, whole: str, share: str) -> None:
    one = shapely.box(680000, 4380000, 680100, 4380100)
    hazards = gpd.GeoDataFrame(
        {"id": ["H-1.5", "H-2"], "classification": "CHA"},
        geometry=[one, shapely.affinity.translate(one, 87.7, 0)],
        crs="EPSG:32638",
    )
    found = gt.check({"hazards": hazards}, programme=replace(Programme(), languages=(lang,)))
    said = found.loc[found["check"] == "TP-01", "message"].iloc[0]
    assert re.search(rf"(?<!\d){re.escape(whole)}2\d\d m²", said), said
    assert f"12{share}3" in said
    assert "H-1.5" in said or "H-2" in said
