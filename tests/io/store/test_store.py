"""Save, load, history, diff, restore: the same laws on a GeoPackage and on PostGIS."""

from __future__ import annotations

import datetime as dt
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

import geotools as gt
from geotools.io import store as stores
from geotools.model.errors import ConflictError, StoreError
from geotools.model.programme import Programme
from geotools.model.provenance import InputFile

WHO = {"author": "B. Clerk (synthetic)"}


def _two(make):
    return make.frame(make.hazard("H-1"), make.hazard("H-2", make.square(300), note="ərazi № 2"))


def test_what_is_saved_is_loaded_and_every_former_state_stays(store, make, clock):
    clock("2024-01-10")
    first = store.save(_two(make), kind="hazards", note="weekly import", **WHO)
    assert (first.revision.number, first.added, first.revision.rows) == (1, 2, 2)
    clock("2024-02-10")
    edited = store.load("hazards")
    edited.loc[0, "status"] = "closed"
    second = store.save(edited, kind="hazards", note="closed after QC", base=1, **WHO)
    assert (second.changed, second.unchanged, second.added) == (1, 1, 0)
    assert store.load("hazards")["status"].tolist() == ["closed", "open"]
    for then in (1, dt.date(2024, 1, 10), "2024-02-09", dt.datetime(2024, 2, 1, tzinfo=dt.UTC), "1"):
        assert_geodataframe_equal(store.load("hazards", as_of=then), _two(make))
    with pytest.raises(StoreError, match="knew nothing then"):
        store.load("hazards", as_of="2020-01-01")
    with pytest.raises(StoreError, match="no revision 9"):
        store.load("hazards", as_of=9)
    with pytest.raises(StoreError, match="is not a moment"):
        store.load("hazards", as_of="last week")
    assert not len(store.verify())


def test_what_is_no_moment_is_refused_with_the_way_to_write_one(store, make):
    store.save(_two(make), kind="hazards", note="n", **WHO)
    texts = ("²", "٣", "9" * 5000, "1e3", "-1", "", " ", "2024-W01-", "2024-13-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x" * 100_000)  # fmt: skip
    for odd in (*texts, -1, 10**5000, 3.5, True, pd.NaT, b"1"):
        for call in (
            lambda odd=odd: store.load("hazards", as_of=odd),
            lambda odd=odd: store.restore(odd, note="", **WHO),
            lambda odd=odd: store.diff(odd),
        ):
            with pytest.raises(StoreError) as caught:
                call()
            assert caught.value.hint
            assert len(str(caught.value)) < 500
    assert store.head().number == 1


def test_a_day_means_what_was_known_at_its_end_in_utc(store, make, clock):
    for day, name in (("2024-03-01T23:30:00", "a"), ("2024-03-02T00:10:00", "b")):
        clock(day)
        store.save(make.frame(make.hazard(name=name)), kind="hazards", note=name, **WHO)
    assert store.load("hazards", as_of=dt.date(2024, 3, 1))["name"][0] == "a"
    assert store.load("hazards", as_of=dt.date(2024, 3, 2))["name"][0] == "b"
    late = dt.datetime(2024, 3, 2, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=4)))
    assert store.load("hazards", as_of=late)["name"][0] == "a", "04:05 in Baku is 00:05 UTC"


def test_saving_the_same_again_changes_nothing_not_even_from_another_column_order(store, make):
    store.save(_two(make), kind="hazards", note="n", **WHO)
    again = store.save(store.load("hazards")[::-1], kind="hazards", note="again", **WHO)
    assert (again.revision.number, again.unchanged, len(store.revisions())) == (1, 2, 2)
    assert store.save(_two(make).iloc[:, ::-1], kind="hazards", note="again", **WHO).revision.number == 1


def test_a_column_that_is_not_there_is_not_an_edit_and_geometry_neither(store, make):
    store.save(_two(make), kind="hazards", note="n", **WHO)
    done = store.save(pd.DataFrame({"id": ["H-2"], "status": ["suspended"]}), kind="hazards", note="phone call", **WHO)
    assert (done.changed, done.added) == (1, 0)
    now = store.load("hazards")
    assert now["status"].tolist() == ["open", "suspended"]
    assert_geodataframe_equal(now.drop(columns="status"), _two(make).drop(columns="status"))
    emptied = now.assign(note=None)
    assert store.save(emptied, kind="hazards", note="an empty cell is an edit", **WHO).changed == 1


def test_deleting_leaves_a_tombstone_and_an_id_may_come_back(store, make):
    store.save(_two(make), kind="hazards", note="n", **WHO)
    gone = store.save({}, note="double entry", deleted={"hazards": ["H-2", "H-9"]}, **WHO)
    assert gone.deleted == 1
    assert gone.issues["check"].tolist() == ["ST-05"]
    assert store.load("hazards")["id"].tolist() == ["H-1"]
    assert store.load("hazards", as_of=1)["id"].tolist() == ["H-1", "H-2"]
    whole = store.save(make.frame(make.hazard("H-2", name="again")), kind="hazards", note="x", whole=True, **WHO)
    assert (whole.added, whole.deleted) == (1, 1)
    told = store.history("H-2")
    assert told["action"].tolist() == ["added", "deleted", "added"]
    assert told["revision"].tolist() == [1, 2, 3]
    assert not len(store.verify())


def test_a_whole_layer_that_is_empty_deletes_nothing(store, make):
    store.save(_two(make), kind="hazards", note="n", **WHO)
    with pytest.raises(StoreError, match="all 2 rows in the store would be deleted"):
        store.save(_two(make)[:0], kind="hazards", note="a cut-off file", whole=True, **WHO)
    assert len(store.load("hazards")) == 2


def test_rows_without_an_id_or_with_the_same_are_refused_one_by_one_and_nothing_is_saved(store, make):
    frame = make.frame(*(make.hazard(i) for i in ("H-1", "H-1", None, "", "H-3", 7, "x" * 500, "a\x00b")))
    with pytest.raises(StoreError, match="cannot be saved") as caught:
        store.save(
            {"finds": make.frame({"id": "F", "geometry": shapely.Point(1, 2)}), "hazards": frame}, note="n", **WHO
        )
    issues = caught.value.issues
    assert issues["check"].tolist() == ["ST-02", *["ST-01"] * 5]
    assert "rows 1 and 2" in issues["message"][0]
    assert store.head().number == 0
    assert store.kinds() == []


def test_the_second_of_two_writers_on_one_base_is_told_row_by_row(store, place, make):
    store.save(_two(make), kind="hazards", note="n", **WHO)
    base = store.head().number
    with stores.open(place) as other:
        other.save(other.load("hazards").assign(status="closed"), kind="hazards", note="o", base=base, author="C")
    mine = store.load("hazards", as_of=base)
    mine.loc[0, "status"] = "suspended"
    new = pd.concat([mine, make.frame(make.hazard("H-3"))], ignore_index=True)
    with pytest.raises(ConflictError, match="1 rows were changed by someone else since revision 1") as caught:
        store.save(new, kind="hazards", note="m", base=base, **WHO)
    assert caught.value.issues[["check", "severity", "id", "value"]].to_numpy().tolist() == [
        ["ST-03", "error", "H-1", "revision 2"]
    ]
    assert store.load("hazards")["id"].tolist() == ["H-1", "H-2"], "nothing applied half"
    merged, conflicts = gt.field.merge(store.load("hazards", as_of=base), new, store.load("hazards"), kind="hazards")
    assert len(conflicts) == 1
    done = store.save(merged, kind="hazards", note="merged", base=store.head().number, **WHO)
    assert (done.added, done.changed) == (1, 1)


def test_two_writers_who_come_to_the_same_value_are_a_conflict_too(store, place, make):
    store.save(make.frame(make.hazard("H-1", name="7")), kind="hazards", note="n", **WHO)
    eight = store.load("hazards").assign(name="8")
    with stores.open(place) as other:
        other.save(eight, kind="hazards", note="one more", base=1, author="C")
    with pytest.raises(ConflictError) as caught:
        store.save(eight, kind="hazards", note="one more", base=1, **WHO)
    assert "to the same as here" in caught.value.issues["message"][0]
    assert store.save(eight, kind="hazards", note="sent twice", **WHO).unchanged == 1, "without a base it is no edit"


def test_rows_of_a_whole_layer_that_the_writer_did_not_touch_are_not_set_back(store, place, make):
    store.save(_two(make), kind="hazards", note="n", **WHO)
    mine = store.load("hazards")
    with stores.open(place) as other:
        changed = make.frame(make.hazard("H-2", make.square(300), name="theirs"), make.hazard("H-9"))
        other.save(changed, kind="hazards", note="o", base=1, author="C")
    mine.loc[0, "name"] = "mine"
    done = store.save(mine, kind="hazards", note="m", base=1, whole=True, **WHO)
    assert (done.changed, done.outdated, done.deleted) == (1, 1, 0)
    assert store.load("hazards")["name"].dropna().tolist() == ["mine", "theirs"]
    with pytest.raises(ConflictError):
        store.save({}, deleted={"hazards": ["H-2"]}, note="x", base=1, **WHO)


def test_several_layers_are_one_revision_with_its_files_and_hashes(store, make, tmp_path):
    file = tmp_path / "week.csv"
    file.write_text("id\n", "utf-8")
    done = store.save({"hazards": _two(make), "releases": make.frame(make.release())}, note="week 1", sources=[file, InputFile("b.csv", 3, "ab" * 32)], **WHO)  # fmt: skip
    assert (done.revision.rows, store.kinds()) == (3, ["hazards", "releases"])
    row = store.revisions().iloc[-1]
    assert (row["author"], row["note"], row["sources"], row["rows"]) == (
        "B. Clerk (synthetic)",
        "week 1",
        "week.csv, b.csv",
        3,
    )
    assert store.head().sources[0]["sha256"] == InputFile.of(file).sha256
    json.dumps(done.to_dict(), allow_nan=False)


def test_diff_and_history_name_each_changed_column_with_both_values(store, make):
    store.save(_two(make), kind="hazards", note="n", **WHO)
    moved = make.hazard("H-1", make.square(5), status="closed", date_info=pd.Timestamp("2022-02-02"))
    store.save(make.frame(moved, make.hazard("H-3")), kind="hazards", note="m", deleted=["H-2"], **WHO)
    told = store.diff(1, 2)
    lines = told[["id", "change", "column"]].to_numpy().tolist()
    assert lines == [["H-1", "changed", "date_info"], ["H-1", "changed", "status"], ["H-1", "changed", "geometry"], ["H-2", "deleted", ""], ["H-3", "added", ""]]  # fmt: skip
    assert told.loc[1, ["before", "after"]].tolist() == ["open", "closed"]
    assert told.loc[0, ["before", "after"]].tolist() == ["2021-01-01", "2022-02-02"]
    assert "ərazi № 2" in told.loc[3, "before"]
    assert told.crs.to_epsg() == 4326
    back = store.diff(2, 1)
    assert back["change"].tolist().count("deleted") == 1
    assert store.history("H-1")["changed"].tolist() == ["", "date_info, status, geometry"]
    assert store.history("H-1").geometry.iloc[1].equals_exact(make.square(5), 0)
    assert not len(store.diff(2))
    with pytest.raises(StoreError, match="no record ever"):
        store.history("h-1")


def test_history_of_an_id_that_several_kinds_know_tells_all_of_them(store, make):
    place = gpd.GeoDataFrame({"id": ["1"], "name": ["x"], "kind": ["well"]}, geometry=[shapely.Point(47, 39.5)], crs=4326)  # fmt: skip
    store.save(place.to_crs(32638), kind="places", note="a", **WHO)
    store.save(place[["id", "geometry"]].assign(category="mine", depth_cm=5), kind="finds", note="b", **WHO)
    store.save(pd.DataFrame({"id": ["1"], "name": ["y"]}), kind="places", note="c", **WHO)
    store.save({}, deleted={"finds": ["1"]}, note="d", **WHO)
    told = store.history("1")
    assert told[["revision", "kind", "action"]].to_numpy().tolist() == [
        [1, "places", "added"], [2, "finds", "added"], [3, "places", "changed"], [4, "finds", "deleted"]
    ]  # fmt: skip
    assert told["changed"].tolist() == ["", "", "name", ""]
    assert told["name"].tolist()[::2] == ["x", "y"]
    assert told["kind_recorded"][0] == "well"
    assert (told["category"][1], told["depth_cm"][1]) == ("mine", 5)
    assert told.crs.to_epsg() == 4326
    assert shapely.distance(told.geometry.array[:3], shapely.Point(47, 39.5)).max() < 1e-8
    assert told.geometry.iloc[3] is None
    assert store.history("1", kind="places").crs.to_epsg() == 32638
    assert store.history("1", kind="places")["revision"].tolist() == [1, 3]
    json.loads(told.to_json(default=str))


def test_restore_is_a_new_revision_and_takes_nothing_out_of_history(store, make):
    store.save(_two(make), kind="hazards", note="n", **WHO)
    store.save({"hazards": make.frame(make.hazard("H-1", status="closed"), make.hazard("H-4")), "finds": make.frame({"id": "F-1", "geometry": shapely.Point(1, 2)})}, note="wrong file", deleted={"hazards": ["H-2"]}, **WHO)  # fmt: skip
    done = store.restore(1, note="the wrong file was imported", **WHO)
    assert (done.added, done.changed, done.deleted) == (1, 1, 2)
    assert_geodataframe_equal(store.load("hazards"), _two(make))
    assert store.load("finds").empty
    assert len(store.load("hazards", as_of=2)) == 2
    assert store.revisions()["what"].tolist() == ["init", "save", "save", "restore"]
    assert store.restore(3, note="nothing to do", **WHO).revision.number == 3
    assert not len(store.verify())


def test_where_and_bbox_agree_with_filtering_everything(store, make):
    rows = [make.release(f"R-{i:03}", make.square(i * 100, side=90), hazard_id=f"H-{i % 3}", depth_cm=None if i % 4 else 20, organisation='O"rg ə' if i % 2 else None) for i in range(40)]  # fmt: skip
    store.save(make.frame(*rows), kind="releases", note="n", **WHO)
    store.save(make.frame(*rows[:7]).assign(geometry=None), kind="releases", note="m", **WHO)
    whole = store.load("releases")
    lonlat = whole.to_crs(4326)
    west, south, east, north = lonlat[10:20].total_bounds
    for as_of in (None, 1):
        state = store.load("releases", as_of=as_of)
        for where in ({"hazard_id": "H-1"}, {"organisation": 'O"rg ə', "depth_cm": 20}, {"organisation": None}, {"hazard_id": ["H-0", "H-2"], "depth_cm": [20, None]}, {"id": "R-005"}):  # fmt: skip
            keep = np.ones(len(state), bool)
            for column, wanted in where.items():
                values = wanted if isinstance(wanted, list) else [wanted]
                keep &= state[column].isin([v for v in values if v is not None]).to_numpy() | (
                    None in values and state[column].isna().to_numpy()
                )
            found = store.load("releases", as_of=as_of, where=where)
            assert found["id"].tolist() == state[keep]["id"].tolist(), where
        inside = store.load("releases", as_of=as_of, bbox=(west, south, east, north))
        assert set(lonlat[10:20]["id"]) <= set(inside["id"])
        assert len(inside) <= 13
    assert len(store.load("releases", bbox=(0, 0, 1, 1))) == 0
    with pytest.raises(StoreError, match="no column"):
        store.load("releases", where={"x; DROP TABLE history": "1"})
    assert len(store.load("releases", where={"organisation": "'; DROP TABLE history; --"})) == 0


def test_a_layer_in_another_system_is_refused_with_words_and_empty_layers_are_fine(store, make):
    store.save(_two(make), kind="hazards", note="n", **WHO)
    with pytest.raises(StoreError, match="keeps this layer in") as caught:
        store.save(_two(make).to_crs(4326), kind="hazards", note="n", **WHO)
    assert "shift" in caught.value.hint
    with pytest.raises(StoreError, match="no reference system"):
        store.save(make.frame(make.release(), crs=None), kind="releases", note="n", **WHO)
    with pytest.raises(StoreError, match="saved under a kind"):
        store.save(_two(make), note="n", **WHO)
    for kind in ("Hazards; --", "store_history", "gpkg_contents", ""):
        with pytest.raises(StoreError):
            store.save(_two(make), kind=kind, note="n", **WHO)
    with pytest.raises(StoreError, match="needs its author"):
        store.save(_two(make), kind="hazards", note="n", author=" ")
    with pytest.raises(StoreError, match="no layer 'antennas'"):
        store.load("antennas")
    assert store.load("tracks").empty
    assert "id" in store.load("tracks")
    assert store.save(_two(make)[:0], kind="places", note="an empty file", **WHO).added == 0


def test_the_programme_has_a_history_of_its_own(store, make):
    one = Programme.from_dict({"name": "A", "extent": [46, 39, 48, 40], "limits": {"overlap_m2": 2.0}})
    store.save(_two(make), kind="hazards", note="n", programme=one, **WHO)
    store.save({}, note="limits", programme=Programme(name="B"), **WHO)
    assert store.programme(as_of=1) == one
    assert store.programme() == Programme(name="B")
    assert store.programme(as_of=0) is None


def test_a_clock_that_was_set_back_does_not_turn_history_round(store, make, clock):
    clock("2024-05-01")
    store.save(_two(make), kind="hazards", note="n", **WHO)
    clock("2024-04-30T23:55")
    done = store.save(make.frame(make.hazard("H-5")), kind="hazards", note="m", **WHO)
    assert done.revision.at.isoformat() == "2024-05-01T00:00:00+00:00"
    assert not len(done.issues)
    assert not len(store.verify())


def test_a_revision_dated_in_the_future_is_said_plainly_at_every_save_and_by_verify(store, make, clock):
    """After one save under a wrong clock all later ones bear its date: nobody must find that out by a report."""
    clock("2034-12-18")
    bad = store.save(_two(make), kind="hazards", note="under a wrong clock", **WHO)
    assert not len(bad.issues)
    clock("2024-05-01")
    for call in (
        lambda: store.save(make.frame(make.hazard("H-5")), kind="hazards", note="m", **WHO),
        lambda: store.restore(1, note="r", **WHO),
    ):
        done = call()
        assert done.issues[["check", "severity"]].to_numpy().tolist() == [["ST-17", "warning"]]
        for words in ("2034-12-18", "2024-05-01", "clocks is wrong", "number of a revision"):
            assert words in done.issues["message"][0]
    found = store.verify()
    assert found[["check", "severity", "id"]].to_numpy().tolist() == [
        ["ST-17", "warning", f"revision {n}"] for n in (1, 2, 3)
    ]
    clock("2034-12-18T00:01")
    assert not len(store.verify())


def test_revisions_are_dated_by_the_clock_and_not_by_the_date_of_products(place, make, monkeypatch):
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    for epoch in ("1000000000", "2050000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        with stores.init(place, author="A. Officer (synthetic)") as store:
            store.save(_two(make).assign(name=epoch), kind="hazards", note=epoch, **WHO)
            assert store.load("hazards", as_of=dt.datetime.now(dt.UTC))["name"][0] == epoch
            assert store.revisions()["at"].between(begin, dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5)).all()
            assert not len(store.verify())


def test_attributes_are_hostile_text_and_stay_what_they_are(store, make):
    hostile = ["'; DROP TABLE history; --", '<img src=x onerror="alert(1)">', "=cmd|' /C calc'!A0", "a\u202eb", "\x07\x1b[2J", "%s %(a)s {s}", "\\", '{"$date":"2024-01-01"}', "\ud800 half", "nul \x00 here"]  # fmt: skip
    frame = make.frame(*(make.hazard(f"H-{i}; '\"") for i in range(len(hostile))))
    frame["note"] = frame["'; DROP TABLE x; --"] = pd.Series(hostile, dtype=object)
    store.save(frame, kind="hazards", note=hostile[0], author="O'Neil %s (synthetic)")
    back = store.load("hazards")
    assert back["note"].tolist() == hostile
    assert back["'; DROP TABLE x; --"].tolist() == hostile
    assert store.head().author == "O'Neil %s (synthetic)"
    assert store.load("hazards", where={"note": hostile[1]})["id"].tolist() == ["H-1; '\""]
    assert not len(store.verify())


def test_opening_what_is_no_store_is_explained(tmp_path, make):
    with pytest.raises(StoreError, match="no such file"):
        stores.open(tmp_path / "absent.gpkg")
    plain = tmp_path / "plain.gpkg"
    _two(make).to_file(plain, layer="hazards")
    for call in (stores.open, lambda p: stores.init(p, author="a")):
        with pytest.raises(StoreError, match=r"not a (geotools )?store") as caught:
            call(plain)
        assert caught.value.hint
    (tmp_path / "text.gpkg").write_text("no database", "utf-8")
    with pytest.raises(StoreError, match="not a geotools store"):
        stores.open(tmp_path / "text.gpkg")
    with pytest.raises(StoreError, match=r"a \.gpkg file or a postgresql"):
        stores.init(tmp_path / "store.sqlite", author="a")
    with pytest.raises(StoreError, match="no roles"):
        stores.init(tmp_path / "new.gpkg", author="a", roles=True)
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["plain.gpkg", "text.gpkg"]
    assert gpd.read_file(plain)["id"].tolist() == ["H-1", "H-2"]
