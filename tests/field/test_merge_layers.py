"""Merging whole files: tables of one kind are one layer, and no layer of any of the three files is lost."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geotools.field.merge import computed, decisions, family, listing, merge_layers
from geotools.model.schema import KINDS


def spots(rows: dict[str, str], *, shift: float = 0.0, **more: Any) -> gpd.GeoDataFrame:
    at = gpd.points_from_xy([47.0 + shift + n / 1000 for n in range(len(rows))], [39.5] * len(rows))
    return gpd.GeoDataFrame({"id": list(rows), "note": list(rows.values()), **more}, geometry=at, crs=4326)


def areas(rows: dict[str, str]) -> gpd.GeoDataFrame:
    shapes = [shapely.box(47 + n / 100, 39.5, 47.001 + n / 100, 39.501) for n in range(len(rows))]
    data = {"id": list(rows), "classification": ["CHA"] * len(rows), "note": list(rows.values())}
    return gpd.GeoDataFrame(data, geometry=shapes, crs=4326)


def notes(frame: Any) -> dict[str, str]:
    return dict(zip(frame["id"], frame["note"], strict=True))


def test_every_table_of_a_kind_is_that_kind_and_no_other_is() -> None:
    for kind in KINDS:
        assert {family(f"{kind}{e}") for e in ("", "_areas", "_lines", "_points")} == {kind}
    assert family("turning_points") is None
    assert family("hazards_theirs") is None


def test_edits_in_split_tables_reach_a_layer_that_is_whole() -> None:
    points = spots({"P1": "n", "P2": "n"}).assign(classification="SHA")
    base = {"hazards": areas({"A1": "n"}), "hazards_points": points}
    ours = {"hazards": pd.concat([areas({"A1": "office"}), points], ignore_index=True)}
    theirs = {"hazards": areas({"A1": "n"}), "hazards_points": points.assign(note=["team", "n"])}
    merged, conflicts = merge_layers(base, ours, theirs)
    assert list(merged) == ["hazards"]
    assert notes(merged["hazards"]) == {"A1": "office", "P1": "team", "P2": "n"}
    assert conflicts.empty
    gone, told = merge_layers(base, ours, {**theirs, "hazards_points": points.iloc[:1]})
    assert notes(gone["hazards"]) == {"A1": "office", "P1": "n"}
    assert told["check"].tolist() == ["MG-07"]


def test_a_table_that_did_not_come_back_deletes_nothing() -> None:
    points = spots({"P1": "n"}).assign(classification="SHA")
    base = {"hazards": areas({"A1": "n"}), "hazards_points": points}
    merged, conflicts = merge_layers(base, base, {"hazards": areas({"A1": "team"})})
    assert notes(merged["hazards"]) == {"A1": "team", "P1": "n"}
    assert conflicts[["check", "severity"]].values.tolist() == [["MG-08", "warning"]]


def test_layers_of_all_three_files_are_in_the_result() -> None:
    one = spots({"w": "n"})
    base = {"hazards": areas({"A1": "n"}), "camps": one}
    ours = {"hazards": areas({"A1": "n"}), "wells": one, "tracks": one}
    theirs = {"hazards": areas({"A1": "n"}), "tracks": spots({"new": "fresh"}), "Photos": pd.DataFrame({"file": ["a"]})}
    merged, conflicts = merge_layers(base, ours, theirs)
    assert set(merged) == {"hazards", "camps", "wells", "tracks", "Photos"}
    assert notes(merged["tracks"]) == {"new": "fresh", "w": "n"}
    assert merged["Photos"]["file"].tolist() == ["a"]
    assert conflicts.empty
    again, _ = merge_layers(base, merged, theirs)
    assert {n: len(f) for n, f in again.items()} == {n: len(f) for n, f in merged.items()}


def test_unknown_layers_with_an_id_are_merged_by_row() -> None:
    base = {"wells": spots({"a": "n", "b": "n"})}
    merged, conflicts = merge_layers(
        base, {"wells": spots({"a": "office", "b": "n"})}, {"WELLS": spots({"a": "n", "b": "team", "c": "new"})}
    )
    assert notes(merged["wells"]) == {"a": "office", "b": "team", "c": "new"}
    assert conflicts.empty
    _, conflicts = merge_layers(base, {"wells": spots({"a": "1", "b": "n"})}, {"wells": spots({"a": "2", "b": "n"})})
    assert conflicts[["check", "kind", "id"]].values.tolist() == [["MG-01", "wells", "a"]]


@pytest.mark.parametrize("repeated", [True, False])
def test_an_unknown_layer_without_an_id_is_that_of_the_side_that_changed_it(repeated: bool) -> None:
    def rows(*texts: str) -> Any:
        frame = spots({str(n): text for n, text in enumerate(texts)})
        return frame.assign(id="same") if repeated else pd.DataFrame(frame[["note"]])

    base = {"wells": rows("a", "b")}
    changed = {"wells": rows("a", "c")}
    for ours, theirs in ((base, changed), (changed, base), (changed, changed)):
        merged, conflicts = merge_layers(base, ours, theirs)
        assert merged["wells"]["note"].tolist() == ["a", "c"]
        assert isinstance(merged["wells"], gpd.GeoDataFrame) == repeated
        assert conflicts.empty
    merged, conflicts = merge_layers(base, changed, {"wells": rows("d", "b")})
    assert merged["wells"]["note"].tolist() == ["a", "c"]
    assert conflicts[["check", "severity", "id"]].values.tolist() == [["MG-08", "error", "wells"]]
    table = listing(conflicts).assign(decision="theirs")
    assert table["stands"].tolist() == ["ours"]
    merged, conflicts = merge_layers(
        base, changed, {"wells": rows("d", "b")}, prefer=lambda name: decisions(table, name)
    )
    assert merged["wells"]["note"].tolist() == ["d", "b"]
    assert conflicts.empty


def test_a_layer_that_came_back_empty_deletes_nothing_and_is_an_error() -> None:
    for name in ("hazards", "wells"):
        base = {name: areas({"A1": "n"})}
        merged, conflicts = merge_layers(base, base, {name: base[name].iloc[:0]})
        assert len(merged[name]) == 1
        assert conflicts[["check", "severity"]].values.tolist() == [["MG-08", "error"]]


def test_records_that_came_back_under_another_name_are_not_passed_over() -> None:
    base = {"hazards": areas({"A1": "n"}), "finds": spots({"F": "n"})}
    merged, conflicts = merge_layers(base, base, {"hazards copy": areas({"A1": "team"}), "finds": base["finds"]})
    assert set(merged) == {"hazards", "finds", "hazards copy"}
    assert conflicts[["check", "severity"]].values.tolist() == [["MG-08", "error"]]
    assert "rename it to 'hazards'" in conflicts["message"][0]


def test_what_was_computed_before_the_returns_is_never_in_the_result() -> None:
    """Remaining ground as it was in the morning would show land as open, or as released, that the returns speak of."""
    left = {"hazards": areas({"A1": "n"}), "remaining": areas({"A1": "n"}), "turning_points": spots({"TP01": "n"})}
    found = pd.DataFrame({"check": ["GE-01"], "severity": ["error"], "id": ["A1"]})
    office = {"hazards": areas({"A1": "n"}), "result_remaining": areas({"A1": "n"}), "issues": found}
    merged, conflicts = merge_layers(left, office, left)
    assert list(merged) == ["hazards"]
    assert set(conflicts["check"] + " " + conflicts["severity"]) == {"MG-09 info"}
    assert set(conflicts["id"]) == {"remaining", "turning_points", "result_remaining", "issues"}
    drawn = {**left, "remaining": areas({"A1": "n", "A2": "drawn into the wrong layer"})}
    _, conflicts = merge_layers(left, office, drawn)
    told = conflicts[conflicts["severity"] == "warning"]
    assert told["id"].tolist() == ["remaining"]
    assert "not merged" in told["message"].iloc[0]
    mine, _ = merge_layers(left, {**office, "issues": spots({"i": "a layer of our own"})}, left)
    assert "issues" in mine


def test_every_computed_table_of_a_package_is_known_as_such() -> None:
    from geotools.field.export.everything import RESULTS as OF_A_RUN
    from geotools.field.package.cargo import RESULTS as OF_A_PACKAGE

    empty = pd.DataFrame({"check": [], "severity": []})
    assert all(computed(name, empty) for name in (*OF_A_RUN, *OF_A_PACKAGE, "turning_points", "approach"))
    assert not any(computed(kind, empty) for kind in KINDS)


def test_what_a_team_drew_under_the_name_of_an_outcome_is_never_lost_silently() -> None:
    """A name that begins like ours is no proof that we computed it; one of ours may have been drawn in."""
    left = {"hazards": areas({"A1": "n"}), "remaining": areas({"A1": "n"})}
    sketch = spots({"s1": "new path", "s2": "here too"})
    for label, sides in (
        ("theirs", (left, left, {**left, "result_sketch": sketch})),
        ("ours", (left, {**left, "Result_of_the_day": sketch}, left)),
        ("base", ({**left, "result_sketch": sketch}, left, left)),
        ("ours", (left, {**left, "approach": sketch}, left)),
        ("ours", (left, {**left, "remaining": sketch}, left)),
        ("theirs", (left, left, {**left, "remaining": sketch})),
    ):
        merged, conflicts = merge_layers(*sides)
        assert list(merged) == ["hazards"]
        told = conflicts[conflicts["severity"] == "warning"]
        assert told["check"].tolist() == ["MG-09"]
        text = told["message"].iloc[0]
        assert f"'{told['id'].iloc[0]}'" in text and f"that of {label}" in text
        assert "(2 features) is not merged" in text and "another name" in text
    renamed, conflicts = merge_layers(left, left, {**left, "drawn": sketch})
    assert len(renamed["drawn"]) == 2 and set(conflicts["severity"]) == {"info"}
    _, conflicts = merge_layers(left, {**left, "result_remaining": sketch, "result_swath_gaps": sketch}, left)
    assert set(conflicts["severity"]) == {"info"}, "a run after the team left is nobody's drawing"


def test_the_names_of_outcomes_are_those_that_are_written() -> None:
    from geotools.checks.repair import repair_layers
    from geotools.field.export.everything import RESULTS as OF_A_RUN
    from geotools.field.merge.layers import made_by_us

    assert all(map(made_by_us, OF_A_RUN))
    assert all(map(made_by_us, repair_layers({"hazards": areas({"A1": "n"})})[0]))
    assert not made_by_us("result_") and not made_by_us("result_remaining_camps")
