"""Careless and hostile records: they never make ground released, never vanish from the figure and never stop the ledger."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.analysis.release import explain
from geotools.model.errors import ReleaseError
from geotools.model.figures import square_metres

CRS = "EPSG:32638"


def box(west, south, east, north):
    return shapely.box(7e5 + west, 4.38e6 + south, 7e5 + east, 4.38e6 + north)


def frame(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


H = frame([box(0, 0, 100, 100)], id=["H1"])
R = frame([box(0, 0, 100, 100)], id=["R1"], product=["cleared"], date=["2024-05-01"], method=["manual"])


def told(found, check, severity=None):
    rows = found.issues[found.issues["check"] == check]
    return rows if severity is None else rows[rows["severity"] == severity]


@pytest.mark.parametrize(
    "word", ["mechanical flail", "Machine (Bozena 5)", "zzz", "['mechanical', 'x']", "механический трал"]
)
def test_a_method_that_proves_no_search_clears_nothing(word):
    found = gt.coverage(H, R.assign(method=word))
    assert found.totals["released_m2"] == 0
    assert found.totals["processed_m2"] == pytest.approx(found.totals["area_m2"])
    as_read = R.assign(method=None, method_as_entered=word)
    assert gt.coverage(H, as_read).totals["released_m2"] == 0


def test_an_unknown_method_is_named_in_plain_words():
    found = gt.coverage(H, R.assign(method="zzz"))
    assert "'zzz'" in told(found, "RL-19", "error")["message"].iloc[0]
    assert found.credits["method"].tolist() == ["unknown"]
    assert "method" in found.credits["why_zero"].iloc[0]
    assert found.by("method")["method"].tolist() == ["unknown"]
    for product in ("reduced", "cancelled"):
        kept = gt.coverage(H, R.assign(method="zzz", product=product))
        assert kept.totals["coverage"] == pytest.approx(1)
        assert len(told(kept, "RL-19", "warning")) == 1
    for product in ("cleared", "reduced", "cancelled"):
        assert gt.coverage(H, R.assign(method="mechanical", product=product)).totals["released_m2"] == 0


def test_a_follow_up_counts_as_typed_only_if_it_is_a_search():
    machine = R.assign(method="mechanical", follow_up=None)
    assert gt.coverage(H, machine.assign(follow_up_as_entered="dogs")).totals["coverage"] == pytest.approx(1)
    assert gt.coverage(H, machine.assign(follow_up_as_entered="zzz")).totals["released_m2"] == 0


@pytest.mark.parametrize("column", ["method", "product", "date", "id"])
def test_a_column_given_twice_is_refused_in_words(column):
    double = pd.concat([R, R[[column]]], axis=1)
    with pytest.raises(ReleaseError, match=f"more than one column '{column}'") as caught:
        gt.coverage(H, double)
    assert caught.value.hint


def test_a_hazard_without_ground_is_never_left_out_of_the_words():
    two = frame([box(0, 0, 100, 100), None], id=["H1", "H2"], area_reported_m2=[np.nan, 250_000.0])
    found = gt.coverage(two, R)
    assert found.totals["hazards_without_ground"] == 1
    assert found.totals["reported_without_ground_m2"] == 250_000
    assert told(found, "RL-01", "error")["id"].tolist() == ["H2"]
    for words in (found.summary(), found._repr_html_()):
        assert "1 hazard has no usable polygon (25.00 ha as reported)" in words
        assert "2 hazards: 1 with" in words
        assert "on the map; and 1 hazard without a polygon, 25.00 ha reported. On the map" in words
    plain = gt.coverage(H, R)
    assert plain.totals["hazards_without_ground"] == 0
    assert "no usable polygon" not in plain.summary()
    assert "on the map" not in plain.summary()
    assert gt.coverage(two, R).to_dict()["totals"]["hazards_without_ground"] == 1


def test_the_command_says_it_too(tmp_path):
    from click.testing import CliRunner

    from geotools.cli.main import cli

    two = frame([box(0, 0, 100, 100), shapely.Polygon()], id=["H1", "H2"], classification="CHA")
    two.to_file(tmp_path / "survey.gpkg", layer="hazards")
    R.to_file(tmp_path / "survey.gpkg", layer="releases")
    for more in ([], ["--by", "product"]):
        done = CliRunner().invoke(cli, ["coverage", str(tmp_path / "survey.gpkg"), *more])
        assert done.exit_code == 0, done.output
        assert "no usable polygon" in done.output
        row = next(line for line in done.output.splitlines() if line.startswith("TOTAL"))
        assert row.endswith("on the map; and 1 hazard without a polygon, size not stated")


def test_where_no_hazard_has_a_polygon_a_zero_says_what_it_leaves_out(tmp_path):
    """Only reported areas: wherever a 0 stands for ground that nobody could measure, the line says so."""
    from click.testing import CliRunner

    from geotools.cli.main import cli

    bare = frame([None] * 4, id=list("abcd"), classification="CHA", area_reported_m2=79_650.0)
    beside = "on the map; and 4 hazards without a polygon, 31.86 ha reported"
    bare.to_file(tmp_path / "hazards.gpkg", layer="hazards")
    for name in ("coverage", "run"):
        more = ["-o", str(tmp_path / "out"), "--skip", "map"] if name == "run" else []
        done = CliRunner().invoke(cli, [name, str(tmp_path / "hazards.gpkg"), *more])
        assert done.exit_code == 0, done.output
        lines = done.output.splitlines()
        starts = ("hazardous land recorded", "remaining") if name == "run" else ("Remaining", "TOTAL")
        for start in starts:
            assert all(beside in line for line in lines if line.startswith(start)), start
            assert any(line.startswith(start) for line in lines), start


def event(word, shape=None, hazard="H1", day="2024-06-01", **more):
    return frame([shape], id=["E1"], event=[word], hazard_id=[hazard], date=[day], **more)


@pytest.mark.parametrize(
    "word",
    [
        "reopened",
        "re-opened",
        "Reopen",
        "Reopened area",
        "RE-OPENING",
        "yenidən açıldı",
        "повторно открыт",
        "ropened",
        None,
    ],
)
@pytest.mark.parametrize("shape", [None, shapely.Polygon(), box(5000, 0, 5100, 100), shapely.Point(7e5, 4.38e6)])
def test_a_reopening_that_cannot_be_placed_opens_the_whole_hazard(word, shape):
    found = gt.coverage(H, R, events=event(word, shape))
    assert found.totals["released_m2"] == 0
    assert found.totals["remaining_m2"] == pytest.approx(found.totals["area_m2"])
    assert found.totals["reopened_m2"] == pytest.approx(found.totals["area_m2"], rel=1e-5)
    assert "all of that hazard" in told(found, "RL-16", "error")["message"].iloc[0]
    assert gt.coverage(H, R, events=event(word, shape), as_of="2024-05-20").totals["coverage"] == pytest.approx(1)
    sheet = found.between()
    assert sheet.closing_m2 == pytest.approx(found.totals["remaining_m2"], abs=1e-6)
    again = pd.concat([R, R.assign(id="R2", date="2024-07-01")])
    assert gt.coverage(H, again, events=event(word, shape)).totals["coverage"] == pytest.approx(1)


def test_a_placed_reopening_opens_its_ground_only():
    for word in ("re-opened", "ropened"):
        found = gt.coverage(H, R, events=event(word, box(0, 0, 50, 100)))
        assert found.totals["coverage"] == pytest.approx(0.5, rel=1e-5)
        assert len(told(found, "RL-16", "error")) == (word == "ropened")


def test_the_word_as_read_and_the_words_of_a_programme_count():
    read = event(None, event_as_entered=["ropened"])
    assert "'ropened'" in told(gt.coverage(H, R, events=read), "RL-16", "error")["message"].iloc[0]
    ours = gt.Programme(words={"event": {"handed to forestry": "transferred"}})
    found = gt.coverage(H, R.iloc[:0], events=event("Handed to Forestry", box(0, 0, 50, 100)), programme=ours)
    assert found.totals["transferred_m2"] == pytest.approx(found.totals["area_m2"] / 2, rel=1e-5)


def test_a_reopening_reaches_every_hazard_of_that_id_and_says_when_it_reaches_none():
    twice = frame([box(0, 0, 100, 100), box(200, 0, 300, 100)], id=["H1", "H1"])
    done = frame([box(0, 0, 300, 100)], id=["R1"], product=["cleared"], date=["2024-05-01"])
    for hazard in ("H1", "h1"):
        assert gt.coverage(twice, done, events=event("reopened", hazard=hazard)).totals["released_m2"] == 0
    lost = gt.coverage(H, R, events=event("reopened", hazard="H9"))
    assert "nothing could be reopened" in told(lost, "RL-16", "error")["message"].iloc[0]


@pytest.mark.parametrize("kind", ["gpkg", "csv"])
def test_the_commands_read_events_of_a_survey(tmp_path, kind):
    import json

    from click.testing import CliRunner

    from geotools.cli.main import cli

    folder = tmp_path / "survey"
    folder.mkdir()
    H.assign(classification="CHA").to_file(folder / "hazards.gpkg")
    R.to_file(folder / "releases.gpkg")
    back = event("re-opend", box(0, 0, 50, 100) if kind == "gpkg" else None)
    if kind == "gpkg":
        back.to_file(folder / "events.gpkg")
    else:
        pd.DataFrame(back.drop(columns="geometry")).to_csv(folder / "events.csv", index=False)
    share = pytest.approx(0.5 if kind == "gpkg" else 0.0, rel=1e-5)
    done = CliRunner().invoke(cli, ["coverage", str(folder), "--json"])
    assert json.loads(done.stdout)["totals"]["coverage"] == share, done.output
    made = CliRunner().invoke(cli, ["run", str(folder), "-o", str(tmp_path / "out")])
    assert made.exit_code == 0, made.output
    assert json.loads((tmp_path / "out" / "coverage.json").read_text("utf-8"))["totals"]["coverage"] == share


@pytest.mark.parametrize("ids", [["a", "a", "b"], [None, None, None], ["a", "a", None], [1, 1.0, np.nan]])
@pytest.mark.parametrize("cells", [["x", None, np.nan], [pd.NA, [1, 2], {"k": 1}], [1.5, pd.NaT, "y"]])
def test_repeated_or_missing_ids_with_missing_cells_are_ordered_by_what_they_say(ids, cells):
    shapes = [box(0, 0, 60, 60), box(0, 0, 60, 60), box(60, 60, 100, 100)]
    done = frame(
        shapes,
        id=pd.Series(ids, dtype=object),
        product="cleared",
        date="2024-05-01",
        note=pd.Series(cells, dtype=object),
    )
    if all(isinstance(cell, str | float) or cell is None for cell in cells):
        done["team"] = pd.Series(["t", None, np.nan])  # text column of its own dtype
    one, two = gt.coverage(H, done), gt.coverage(H, done.iloc[::-1])
    assert one.totals["released_m2"] == pytest.approx(0.52 * one.totals["area_m2"], rel=1e-5)
    assert one.totals.equals(two.totals)
    assert gt.coverage(done, R).totals["hazards"] == 3


@pytest.mark.parametrize("odd", [[2024, 5, 1], {"day": 1}, ("2024",), np.array([1, 2])])
def test_a_date_that_is_a_heap_of_things_is_an_issue(odd):
    cells = pd.Series([odd, "2024-05-01"], dtype=object)
    done = frame([box(0, 0, 50, 100), box(50, 0, 100, 100)], id=["a", "b"], product="cleared", date=cells)
    done["depth_cm"] = done["area_reported_m2"] = done["h_acc_m"] = cells
    found = gt.coverage(H, done)
    assert "cannot be read" in told(found, "RL-04").set_index("id").loc["a", "message"]
    assert gt.coverage(H, done, as_of="2025-01-01").totals["coverage"] == pytest.approx(0.5, rel=1e-5)


@pytest.mark.parametrize("odd", [pd.NaT, np.datetime64("NaT", "D"), float("nan"), [2024], pd.NA, ""])
def test_a_day_that_is_none_is_refused(odd):
    for call in ({"as_of": odd}, {"date": odd}):
        with pytest.raises(ReleaseError, match="is not a date"):
            gt.coverage(H, R, **call)


def test_a_hazard_that_supersedes_itself_stays_and_is_told():
    odd = H.assign(supersedes_id="H1", parent_id="H1", status="closed", date_info="2024-01-01")
    found = gt.coverage(odd, R.iloc[:0])
    assert found.totals["remaining_m2"] == pytest.approx(found.totals["area_m2"])
    assert told(found, "RL-20")["column"].tolist() == ["parent_id", "supersedes_id"]
    assert len(told(found, "RL-13")) == 1
    assert found.between().new_m2 == pytest.approx(found.totals["area_m2"])
    twice = frame([box(0, 0, 100, 100)] * 2, id=["H1", "H1"], supersedes_id=["H1", None])
    assert gt.coverage(twice, R).totals["coverage"] == pytest.approx(1)


def lonlat_box(lon, lat, size):
    return shapely.box(lon - size, lat - size, lon + size, lat + size)


@pytest.mark.parametrize("size", [1e-6, 0.01, 1.0, 20.0])
@pytest.mark.parametrize("offset", [(0, 0), (1e-7, 0), (0.005, 0.005), (5, 5)])
def test_one_record_on_the_other_side_of_the_earth_releases_nothing_here(size, offset):
    here = gpd.GeoDataFrame({"id": ["H1"]}, geometry=[lonlat_box(47.0, 39.5, 0.001)], crs="EPSG:4326")
    there = lonlat_box(47.0 - 180 + offset[0], -39.5 + offset[1], size)
    good = lonlat_box(47.0, 39.5, 0.0005)
    done = gpd.GeoDataFrame({"id": ["good", "far"], "product": "cleared"}, geometry=[good, there], crs="EPSG:4326")
    found = gt.coverage(here, done)
    assert found.totals["coverage"] == pytest.approx(0.25, rel=1e-3)
    assert told(found, "RL-02")["id"].tolist() == ["far"]
    both = gpd.GeoDataFrame({"id": ["H1", "H2", "H3"]}, geometry=[*here.geometry, good, there], crs="EPSG:4326")
    assert gt.coverage(both, done).totals["hazards_without_ground"] == 1


@pytest.mark.parametrize("far", [1e7, 1e8, 1e9, 1e12])
def test_one_record_out_of_the_world_does_not_stop_the_ledger(far):
    away = shapely.box(7e5 + far, 4.38e6, 7e5 + far + 100, 4.38e6 + 100)
    two = frame([box(0, 0, 100, 100), away], id=["H1", "H2"])
    done = frame([box(0, 0, 50, 100), away], id=["R1", "R2"], product="cleared")
    row = gt.coverage(two, done).table.set_index("id").loc["H1"]
    assert row["coverage"] == pytest.approx(0.5, rel=1e-4)
    last = gt.coverage(H, done)
    assert last.totals["coverage"] == pytest.approx(0.5, rel=1e-4)
    long = shapely.box(7e5, 4.38e6, 7e5 + far, 4.38e6 + 100)
    assert gt.coverage(H, frame([long], id=["R1"], product="cleared")).totals["coverage"] <= 1


def test_the_story_of_a_hazard_tells_of_a_reopening_without_ground():
    story = explain(gt.coverage(H, R, events=event("ropened")), "H1")
    assert "RL-16" in set(story.issues["check"])
    assert "it may be a reopening" in story.text()


@pytest.mark.parametrize("worked", [88.8713, 93.2107, 99.8506])
def test_ground_left_in_a_closed_hazard_is_told_raised(worked):
    done = frame([box(0, 0, worked, 100)], id=["R1"], product="cleared", date="2024-03-01")
    found = gt.coverage(H.assign(status="closed"), done)
    left = float(found.totals["remaining_m2"])
    message = told(found, "RL-13")["message"].tolist()
    assert len(message) == 1 and f"{square_metres(left, toward='up')} m² of it were never released" in message[0]
