"""Nothing on a map gives a withheld hazard away: neither its own records, nor what lies on it, nor a link, nor a word."""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.maps.webmap import payload
from geotools.maps.webmap.layers import VectorLayer
from geotools.maps.webmap.offline import render
from geotools.model.schema import Issue, issues_frame

HIDDEN, OPEN = shapely.box(47.0, 39.5, 47.01, 39.51), shapely.box(47.2, 39.5, 47.21, 39.51)
INSIDE = shapely.Point(47.005, 39.505)
AWAY = shapely.Point(47.1, 39.55)
NAMES = ("H-SECRET", "GIVEAWAY")


def frame(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(list(rows), geometry="geometry", crs="EPSG:4326")


def layers() -> dict[str, gpd.GeoDataFrame]:
    """A withheld hazard, an open one, and of each kind one record that gives it away and one that does not."""
    day = pd.Timestamp("2024-01-01")
    return {
        "hazards": frame(
            {"id": "H-SECRET", "classification": "CHA", "status": "open", "safe_to_publish": False, "date_info": day, "geometry": HIDDEN},
            {"id": "H-2", "classification": "CHA", "status": "open", "safe_to_publish": True, "parent_id": "H-SECRET", "note": "as H-SECRET", "date_info": day, "geometry": OPEN},
        ),
        "releases": frame(
            {"id": "R-GIVEAWAY", "hazard_id": "H-SECRET", "product": "cleared", "method": "manual", "date": day, "geometry": HIDDEN.buffer(-0.001)},
            {"id": "R-GIVEAWAY-2", "hazard_id": None, "product": "cleared", "method": "manual", "date": day, "geometry": HIDDEN.buffer(-0.002)},
            {"id": "R-2", "hazard_id": "H-2", "product": "cleared", "method": "manual", "date": day, "geometry": OPEN.buffer(-0.002)},
        ),
        "activities": frame(
            {"id": "A-GIVEAWAY", "hazard_id": "H-SECRET", "task_id": "T-1", "type": "clearance", "start": day, "geometry": AWAY.buffer(0.001)},
            {"id": "A-2", "hazard_id": "H-2", "task_id": "T-1", "type": "clearance", "start": day, "geometry": OPEN},
        ),
        "finds": frame(
            {"id": "F-GIVEAWAY", "hazard_id": None, "activity_id": "A-GIVEAWAY", "category": "ap_mine", "geometry": AWAY},
            {"id": "F-GIVEAWAY-2", "hazard_id": None, "activity_id": None, "category": "ap_mine", "geometry": INSIDE},
            {"id": "F-2", "hazard_id": "H-2", "activity_id": "A-2", "category": "ap_mine", "geometry": OPEN.centroid},
        ),
        "tracks": frame(
            {"id": "K-GIVEAWAY", "task_id": "T-1", "geometry": shapely.LineString([AWAY, (47.11, 39.56)])},
            {"id": "K-2", "task_id": "T-2", "geometry": shapely.LineString([OPEN.centroid, (47.206, 39.506)])},
        ),
        "accidents": frame(
            {"id": "X-GIVEAWAY", "safe_to_publish": True, "killed": 1, "geometry": INSIDE},
            {"id": "X-2", "safe_to_publish": True, "killed": 1, "geometry": OPEN.centroid},
        ),
        "landuse": frame({"id": "L-GIVEAWAY", "use": "arable", "geometry": HIDDEN}, {"id": "L-2", "use": "arable", "geometry": OPEN}),
        "my own": frame({"id": "M-GIVEAWAY", "geometry": HIDDEN}, {"id": "M-2", "geometry": OPEN}),
    }  # fmt: skip


def told(made: Any) -> str:
    """Everything a reader of the page could get out of it as text."""
    page = render(made)
    out = [page]
    for block in re.findall(r"[A-Za-z0-9+/=]{80,}", page):
        for inflate in (gzip.decompress, zlib.decompress, lambda raw: zlib.decompress(raw, -15), bytes):
            try:
                out.append(inflate(base64.b64decode(block + "=" * (-len(block) % 4))).decode("utf-8", "replace"))
                break
            except Exception:  # not of this sort
                continue
    return "\n".join(out)


def drawn(made: Any) -> dict[str, Any]:
    return {c.spec.id: payload.decode(c.payload.body) for c in made._children.values() if isinstance(c, VectorLayer)}


def assert_hidden(made: Any) -> None:
    text = told(made)
    for name in NAMES:
        assert name not in text, name
    for layer, data in drawn(made).items():
        shapes = np.asarray(data.geometries, dtype=object)
        assert not (shapely.distance(shapes, HIDDEN) < 0.01).any(), layer
        assert not [i for i in data.columns.get("id", []) if any(name in str(i) for name in NAMES)], layer


def ids(made: Any) -> set[str]:
    return {str(i) for data in drawn(made).values() for i in data.columns.get("id", [])}


@pytest.mark.parametrize("coverage", [None, False])
def test_no_layer_popup_table_or_issue_gives_it_away(coverage: Any) -> None:
    issues = issues_frame(
        [
            Issue("GC-01", "error", "hazards", "H-SECRET", message="x"),
            Issue("RL-01", "error", "releases", "R-GIVEAWAY", message="x"),
            Issue("RL-02", "error", "hazards", "H-2", message="overlaps H-SECRET"),
            Issue("RL-03", "error", "hazards", "H-2", message="fine"),
        ]
    )
    survey = gt.Survey("s", layers())
    made = gt.map(survey, coverage, issues=issues, basemap=False)
    assert_hidden(made)
    assert {"H-2", "R-2", "A-2", "F-2", "K-2", "X-2", "L-2", "M-2"} <= ids(made)
    assert len(drawn(made)["issues"].geometries) == 1
    assert any("13 records are withheld" in str(note) for note in made.page.notes), made.page.notes
    everything = gt.map(survey, coverage, issues=issues, basemap=False, sensitive=True)
    assert "R-GIVEAWAY" in ids(everything)
    assert "H-SECRET" in ids(everything)
    assert all(name in told(everything) for name in NAMES), "the control: the search finds what is there"
    assert everything.page.restricted


def test_kinds_that_are_not_shown_still_withhold() -> None:
    """A map of finds alone, of an earlier day, or with a ledger from elsewhere knows what the survey withholds."""
    survey = gt.Survey("s", layers())
    ledger = gt.coverage(survey.hazards, survey.releases)
    assert_hidden(gt.map(survey, layers="finds", basemap=False))
    assert ids(gt.map(survey, layers="finds", basemap=False)) == {"F-2"}
    assert_hidden(gt.map(survey, as_of="2023-06-01", basemap=False))
    assert_hidden(gt.map({"hazards": survey.hazards}, ledger, basemap=False))


def test_overlaps_and_links_through_other_records() -> None:
    """A claim that overlaps a withheld one is not drawn with its name; rows without ids keep the whole ledger off the map."""
    parts = layers()
    both = parts["releases"].copy()
    both.loc[2, "geometry"] = shapely.union_all([OPEN.buffer(-0.002), AWAY.buffer(0.002)])
    both.loc[0, "geometry"] = AWAY.buffer(0.001)
    assert_hidden(gt.map({**parts, "releases": both}, basemap=False))
    nameless = {k: parts[k].drop(columns="id") for k in ("hazards",)}
    made = gt.map({**parts, **nameless}, basemap=False)
    for layer, data in drawn(made).items():
        shapes = np.asarray(data.geometries, dtype=object)
        assert not (shapely.distance(shapes, HIDDEN) < 0.01).any(), layer


@pytest.mark.parametrize("marked", ["both", "old", "new"])
def test_compare_withholds_what_either_state_withholds(marked: str) -> None:
    states = [layers(), layers()]
    for side, state in zip(("old", "new"), states, strict=True):
        if marked not in ("both", side):
            state["hazards"]["safe_to_publish"] = True
    states[1]["hazards"] = states[1]["hazards"].iloc[1:]
    if marked == "new":
        states[1]["hazards"] = pd.concat([layers()["hazards"].iloc[:1], states[1]["hazards"]])
    states[0]["releases"] = states[0]["releases"].iloc[1:]
    made = gt.webmap.compare(*states, basemap=False)
    assert_hidden(made)
    assert "H-2" in ids(made)
