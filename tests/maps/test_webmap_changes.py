"""What changed between two states: added, reopened, released, withdrawn are told apart and add up to the ledger."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.maps.webmap import payload

X, Y = 651_000, 4_409_000


def box(n: int, part: float = 1.0) -> shapely.Polygon:
    return shapely.box(X + 300 * n, Y, X + 300 * n + 200 * part, Y + 100)


def state(hazards: list[int], releases: dict[int, float]) -> dict[str, gpd.GeoDataFrame]:
    """Hazards by place; releases as place → cleared share."""
    return {
        "hazards": gpd.GeoDataFrame(
            {"id": [f"H-{n}" for n in hazards], "classification": "CHA"}, geometry=[box(n) for n in hazards], crs=32638
        ),
        "releases": gpd.GeoDataFrame(
            {"id": [f"R-{n}" for n in releases], "product": "cleared", "method": "manual", "date": pd.Timestamp("2023-01-01")},
            geometry=[box(n, part) for n, part in releases.items()], crs=32638,
        ),
    }  # fmt: skip


def areas(made: Any) -> dict[str, dict[str, float]]:
    out = {}
    for layer in made._children.values():
        name = getattr(getattr(layer, "spec", None), "id", "")
        if name in ("added", "reopened", "gone", "withdrawn"):
            data = payload.decode(layer.payload.body)
            out[name] = dict(zip(data.columns["id"], data.columns["area_m2"], strict=True))
    return out


def test_each_change_is_called_what_it_is() -> None:
    old = state([1, 2, 3, 4], {1: 1.0, 2: 0.5})
    new = state([1, 2, 3, 5], {1: 0.25, 2: 1.0, 3: 0.5})
    found = areas(gt.webmap.compare(old, new, names=("old.gpkg", "new.gpkg")))
    assert found["added"] == {"H-5": pytest.approx(20_000, rel=2e-3)}
    assert found["reopened"] == {"H-1": pytest.approx(15_000, rel=2e-3)}
    assert found["gone"] == {"H-2": pytest.approx(10_000, rel=2e-3), "H-3": pytest.approx(10_000, rel=2e-3)}
    assert found["withdrawn"] == {"H-4": pytest.approx(20_000, rel=2e-3)}  # never called released
    totals = [gt.coverage(s["hazards"], s["releases"]).totals["remaining_m2"] for s in (old, new)]
    grown = sum(sum(found[n].values()) for n in ("added", "reopened"))
    shrunk = sum(sum(found[n].values()) for n in ("gone", "withdrawn"))
    assert grown - shrunk == pytest.approx(totals[1] - totals[0], abs=5)


def test_nothing_changed_and_nothing_there() -> None:
    one = state([1, 2], {1: 0.5})
    assert areas(gt.webmap.compare(one, one)) == {}
    empty = state([], {})
    assert set(areas(gt.webmap.compare(empty, one))) == {"added"}
    assert set(areas(gt.webmap.compare(one, empty))) == {"withdrawn"}
    assert areas(gt.webmap.compare(empty, empty)) == {}


def test_withheld_hazards_are_in_no_change() -> None:
    old, new = state([1], {}), state([1, 2], {})
    new["hazards"]["safe_to_publish"] = [True, False]
    assert areas(gt.webmap.compare(old, new)) == {}
    assert set(areas(gt.webmap.compare(old, new, sensitive=True))) == {"added"}
