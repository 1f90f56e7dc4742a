"""Truth with time: what each layer shows on a day is the ground, and the square metres, of `gt.coverage(as_of=day)`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.maps.webmap import payload
from geotools.maps.webmap.layers import VectorLayer

FIGURES = {"remaining": "remaining_m2", "released": "net_m2", "processed": "net_m2", "outside": "outside_m2", "overlaps": "overlap_m2"}  # fmt: skip
PLANE = 32638


def layers(made: Any) -> dict[str, VectorLayer]:
    return {e.spec.id: e for e in made._children.values() if isinstance(e, VectorLayer)}


def shown(layer: VectorLayer, day: str | None) -> np.ndarray:
    """Rows that the page draws on a day (None: the last), by the rule of the page."""
    columns = payload.decode(layer.payload.body).columns
    when = columns.get(layer.spec.date) or [None] * layer.features
    since = columns.get("since") or [None] * layer.features
    late = [day is not None and (layer.spec.undated == "late" if d is None else d > day) for d in when]
    begun = [s is None or day is None or s <= day for s in since]
    return np.array([(a == layer.spec.inverse) and b for a, b in zip(late, begun, strict=True)], dtype=bool)


def ground(made: Any, name: str, day: str | None) -> tuple[shapely.Geometry, float]:
    """Union on a plane and sum of the areas of all that a layer and its twin show on a day."""
    shapes, m2 = [], 0.0
    for key, layer in layers(made).items():
        if key == name or layer.spec.twin == name:
            data, keep = payload.decode(layer.payload.body), shown(layer, day)
            shapes += [g for g, k in zip(data.geometries, keep, strict=True) if k and g is not None]
            m2 += sum(a for a, k in zip(data.columns["area_m2"], keep, strict=True) if k)
    return shapely.union_all(gpd.GeoSeries(shapes, crs=4326).to_crs(PLANE).make_valid().to_numpy()), m2


def total(state: Any, name: str) -> float:
    """What the rows of a layer add up to; ground that three releases claim is two claims too many, as in the totals."""
    return float(state.totals["overlap_m2"] if name == "overlaps" else getattr(state, name)[FIGURES[name]].sum())


def check(made: Any, whole: Any, days: list[date]) -> None:
    for day in days:
        state = whole.at(day)
        for name in FIGURES:
            frame = getattr(state, name)
            drawn, m2 = ground(made, name, day.isoformat())
            assert m2 == pytest.approx(total(state, name), abs=1.0), (day, name)
            truth = shapely.union_all(frame.to_crs(PLANE).geometry.make_valid().to_numpy())
            wrong = shapely.area(shapely.symmetric_difference(drawn, truth))
            assert wrong <= 0.5 + 0.012 * shapely.length(truth), (day, name)  # corners are kept to 6 mm


def tangled(seed: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Hazards that overlap, some recorded after the work on them; releases of every kind, some without a date; synthetic."""
    rng = np.random.default_rng(seed)

    def boxes(n: int, least: float, most: float) -> list[shapely.Polygon]:
        x, y = rng.uniform(0, 900, n), rng.uniform(0, 700, n)
        w, h = rng.uniform(least, most, n), rng.uniform(least, most, n)
        return [shapely.box(a, b, a + c, b + d) for a, b, c, d in zip(x + 651000, y + 4409000, w, h, strict=True)]

    def days(n: int, undated: float) -> pd.Series:
        when = pd.Series(np.datetime64("2020-01-01") + rng.integers(0, 900, n).astype("timedelta64[D]"))
        return when.mask(pd.Series(rng.random(n) < undated))

    hazards = gpd.GeoDataFrame(
        {"id": [f"H-{i:02d}" for i in range(14)], "classification": ["CHA", "SHA"] * 7, "date_info": days(14, 0.2)},
        geometry=boxes(14, 120, 260), crs=PLANE,
    )  # fmt: skip
    releases = gpd.GeoDataFrame(
        {
            "id": [f"R-{i:02d}" for i in range(36)],
            "product": rng.choice(["cleared", "reduced", "cancelled"], 36),
            "method": rng.choice(["manual", "mechanical", "mdd"], 36),
            "date": days(36, 0.15),
        },
        geometry=boxes(36, 60, 200), crs=PLANE,
    )  # fmt: skip
    return hazards, releases


def some_days(whole: Any, count: int, seed: int = 3) -> list[date]:
    book = whole._book
    days = np.unique(np.r_[book.hazards.rows.day, book.releases.rows.day])
    days = days[~np.isnat(days)].astype("datetime64[D]")
    steps = np.random.default_rng(seed).integers(0, int((days[-1] - days[0]).astype(int)), count)
    return [days[0].astype(object) + timedelta(int(s)) for s in steps]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_every_layer_is_true_on_any_day(seed: int) -> None:
    hazards, releases = tangled(seed)
    whole = gt.coverage(hazards, releases)
    made = gt.map({"hazards": hazards, "releases": releases}, whole)
    check(made, whole, some_days(whole, 20))
    for name in FIGURES:  # the last step is the coverage itself, undated records and all
        assert ground(made, name, None)[1] == pytest.approx(total(whole, name), abs=1.0), name


@pytest.mark.slow
def test_every_layer_of_the_sample_is_true_on_any_day() -> None:
    survey = gt.open_survey("sample_data/fuzuli")
    whole = gt.coverage(survey.hazards, survey.releases, programme=survey.programme)
    check(gt.map(survey, whole), whole, some_days(whole, 20))


def test_ground_that_comes_back_is_asked_day_by_day() -> None:
    hazards, releases = tangled(5)
    events = gpd.GeoDataFrame(
        {"id": ["E-1", "E-2"], "event": ["reopened", "extended"], "hazard_id": ["H-01", "H-02"],
         "date": pd.to_datetime(["2021-09-01", "2022-02-01"])},
        geometry=[hazards.geometry[1].buffer(-20), shapely.affinity.translate(hazards.geometry[2], 60, 0)], crs=PLANE,
    )  # fmt: skip
    whole = gt.coverage(hazards, releases, events=events)
    check(gt.map({"hazards": hazards, "releases": releases}, whole), whole, some_days(whole, 4))


def test_a_ledger_with_too_many_days_to_ask_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from geotools.maps.webmap import history

    monkeypatch.setattr(history, "MOST_DAYS", 3)
    hazards, releases = tangled(5)
    made = gt.map({"hazards": hazards, "releases": releases}, gt.coverage(hazards, releases, priority="strongest"))
    assert any("only the figures follow" in str(note) for note in made.page.notes)


@pytest.mark.parametrize("seed", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_movements_add_up_to_the_ledger_line_of_any_day(seed: int) -> None:
    hazards, releases = tangled(seed)
    whole = gt.coverage(hazards, releases)
    spec = layers(gt.map({"hazards": hazards, "releases": releases}, whole))["hazards"].spec
    book = pd.DataFrame({k: v for k, v in spec.book.items() if k != "figures"})
    for day in [*some_days(whole, 10), None]:
        state = whole if day is None else whole.at(day)
        number = None if day is None else (day - date(1970, 1, 1)).days
        counts = [d == "first" or number is None or (d != "last" and d <= number) for d in book["d"]]
        sums = book[counts].groupby(["f", "k"])["m2"].sum()
        table = state.table.set_index("id")
        for row, name in enumerate(hazards["id"]):
            for k, figure in enumerate(spec.book["figures"]):
                truth = float(table.loc[name, f"{figure}_m2"]) if name in table.index else 0.0
                assert sums.get((row, k), 0.0) == pytest.approx(truth, abs=0.5), (day, name, figure)


def test_swaths_and_tracks_appear_from_their_day_undated_last() -> None:
    hazards, releases = tangled(1)
    swept = gpd.GeoDataFrame(
        {"task_id": ["T-1", "T-2"], "end": pd.to_datetime(["2020-06-01", None])},
        geometry=list(hazards.geometry[:2]), crs=PLANE,
    )  # fmt: skip
    line = gpd.GeoDataFrame(
        {"id": ["W-1"], "start": pd.to_datetime(["2020-05-01"]), "end": pd.to_datetime(["2020-05-03"])},
        geometry=[shapely.LineString([(651000, 4409000), (651100, 4409100)])], crs=PLANE,
    )  # fmt: skip
    made = gt.map({"hazards": hazards, "releases": releases, "covered": swept, "missed": swept.drop(columns="end"), "tracks": line})  # fmt: skip
    found = layers(made)
    assert shown(found["covered"], "2020-05-31").tolist() == [False, False]
    assert shown(found["covered"], "2020-06-01").tolist() == [True, False]
    assert shown(found["covered"], None).tolist() == [True, True]
    assert not shown(found["missed"], "2022-01-01").any()
    assert shown(found["missed"], None).all()
    assert not shown(found["tracks"], "2020-05-02").any()  # not before the work was done


def test_withheld_places_are_in_no_layer_and_no_issue() -> None:
    from geotools.model.schema import Issue, issues_frame

    hazards, releases = tangled(2)
    hazards["safe_to_publish"] = [False, *[True] * 13]
    issues = issues_frame([Issue("GC-01", "error", "hazards", "H-00", message="x")])
    made = gt.map({"hazards": hazards, "releases": releases}, issues=issues)
    ground_of = hazards.geometry[0].difference(shapely.union_all(hazards.geometry[1:].to_numpy()))
    for name, layer in layers(made).items():
        data = payload.decode(layer.payload.body)
        if name in ("hazards", "remaining", "remaining-then"):
            assert "H-00" not in data.columns.get("id", [])
            there = (
                gpd.GeoSeries(data.geometries, crs=4326).to_crs(PLANE).make_valid().intersection(ground_of).area.sum()
            )
            assert there < 0.1, name
        if name == "issues":
            assert data.geometries == [None]
