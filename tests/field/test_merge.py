"""Merging what teams bring back: algebraic laws on random edit histories, and the defects other tools have."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import hypothesis
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.field.merge import carried, decisions, listing, merge, same_place
from geotools.model.errors import SchemaError

CRS = "EPSG:32638"
COLUMNS = ("status", "note", "area_reported_m2")


def layer(rows: dict[str, dict[str, Any]]) -> gpd.GeoDataFrame:
    table = [{"id": key, "parent_id": None, **row} for key, row in sorted(rows.items())]
    data = {c: pd.Series([r.get(c) for r in table], dtype=object) for c in ("id", "parent_id", *COLUMNS)}
    shapes = np.array([r.get("geometry") for r in table], dtype=object)
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shapes, crs=CRS), crs=CRS)


def box(n: int) -> shapely.Polygon:
    return shapely.box(683_000 + 50 * n, 4_385_000, 683_040 + 50 * n, 4_385_040)


values = {
    "status": st.sampled_from(["open", "worked_on", "closed", None]),
    "note": st.sampled_from(["a", "b", "=1+1", "ə", None]),
    "area_reported_m2": st.sampled_from([1600.0, 900.5, None]),
}
base_rows = st.dictionaries(
    st.sampled_from([f"H{n}" for n in range(6)]), st.fixed_dictionaries(values), min_size=1, max_size=6
)


@st.composite
def edits(draw: st.DrawFn, base: dict[str, dict[str, Any]], team: str) -> dict[str, dict[str, Any]]:
    """What one team may do offline: edit, redraw, delete, add, split; rows come back in any order."""
    rows = {key: dict(row) for key, row in base.items()}
    for step in range(draw(st.integers(0, 5))):
        act = draw(st.sampled_from(["edit", "redraw", "delete", "add", "split"]))
        keys = sorted(rows)
        if act == "add" or not keys:
            rows[f"{team}{step}"] = {**draw(st.fixed_dictionaries(values)), "geometry": box(20 + step)}
            continue
        key = draw(st.sampled_from(keys))
        if act == "edit":
            column = draw(st.sampled_from(COLUMNS))
            rows[key][column] = draw(values[column])
        elif act == "redraw":
            rows[key]["geometry"] = shapely.affinity.translate(
                rows[key]["geometry"], draw(st.sampled_from([1.0, 2.5])), 0
            )
        elif act == "delete":
            del rows[key]
        elif key in base:
            west, south, east, north = rows[key]["geometry"].bounds
            middle = (west + east) / 2
            for n, part in enumerate(
                (shapely.box(west, south, middle, north), shapely.box(middle, south, east, north))
            ):
                rows[f"{team}{key}.{step}.{n}"] = {**rows[key], "geometry": part, "parent_id": key}
            del rows[key]
    return rows


@st.composite
def histories(draw: st.DrawFn) -> tuple[gpd.GeoDataFrame, ...]:
    base = {k: {**v, "geometry": box(int(k[1:]))} for k, v in draw(base_rows).items()}
    ours, theirs = draw(edits(base, "A")), draw(edits(base, "B"))
    hypothesis.assume(ours and theirs)  # an empty return is refused, see below
    return layer(base), layer(ours), layer(theirs)


def real(conflicts: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Conflicts without the notes that list deletions."""
    return conflicts[conflicts["severity"] != "info"]


def same(one: gpd.GeoDataFrame, two: gpd.GeoDataFrame) -> bool:
    if one["id"].tolist() != two["id"].tolist():
        return False
    cells = all(
        (pd.isna(a) and pd.isna(b)) or a == b
        for c in ("parent_id", *COLUMNS)
        for a, b in zip(one[c].astype(object), two[c].astype(object), strict=True)
    )
    return cells and all(same_place(a, b) for a, b in zip(one.geometry, two.geometry, strict=True))


def lost(
    base: gpd.GeoDataFrame, side: gpd.GeoDataFrame, merged: gpd.GeoDataFrame, conflicts: gpd.GeoDataFrame
) -> list[str]:
    """Every edit of `side` that is neither in the result nor in the conflicts."""
    old, new, out = (f.set_index("id") for f in (base, side, merged))
    told = " ".join((conflicts["message"] + " " + conflicts["value"] + " " + conflicts["limit"]).tolist())
    missing = []
    for key, row in new.iterrows():
        origin = (
            key if key in old.index else row["parent_id"]
        )  # a piece inherits: only what differs from its origin is an edit
        if origin in old.index:
            changed = [
                c
                for c in COLUMNS
                if not (pd.isna(row[c]) and pd.isna(old.loc[origin, c])) and row[c] != old.loc[origin, c]
            ]
            moved = not same_place(row.geometry, old.loc[origin].geometry)
        else:
            changed, moved = list(COLUMNS), True
        if not changed and not moved:
            continue
        if key in out.index:
            ok = all(
                (pd.isna(row[c]) and pd.isna(out.loc[key, c]))
                or row[c] == out.loc[key, c]
                or str(key) in set(conflicts["id"])
                for c in changed
            )
            ok &= not moved or same_place(row.geometry, out.loc[key].geometry) or str(key) in set(conflicts["id"])
        else:
            pieces = out[out["parent_id"] == key]
            ok = (
                all(
                    ((pieces[c].isna() & pd.isna(row[c])) | (pieces[c] == row[c])).all() or key in told for c in changed
                )
                and len(pieces) > 0
            )
            ok &= not moved or key in told
        if not ok:
            missing.append(str(key))
    return missing


LAWS = settings(max_examples=25)


@LAWS
@given(histories())
def test_merging_with_an_unchanged_side_changes_nothing(history: tuple[gpd.GeoDataFrame, ...]) -> None:
    base, ours, theirs = history
    for result, wanted in (
        (merge(base, ours, base), ours),
        (merge(base, base, theirs), theirs),
        (merge(base, base, base), base),
    ):
        assert same(result[0], wanted)
        assert real(result[1]).empty


@LAWS
@given(histories(), st.integers(0, 2**32 - 1))
def test_nothing_is_lost_and_nothing_comes_back(history: tuple[gpd.GeoDataFrame, ...], seed: int) -> None:
    base, ours, theirs = history
    shuffled = theirs.sample(frac=1, random_state=seed)
    merged, conflicts = merge(base, ours, shuffled)
    assert merged["id"].is_unique
    assert not lost(base, ours, merged, conflicts)
    assert not lost(base, theirs, merged, conflicts)
    for key in set(base["id"]) - set(ours["id"]) - set(theirs["id"]):
        assert key not in set(merged["id"]), "deleted by both, yet back"
    for side in (ours, theirs):
        for parent in set(side["parent_id"].dropna()) - set(side["id"]):
            assert parent not in set(merged["id"]), "a split polygon came back beside its pieces"
    assert set(merged["id"]) <= {*base["id"], *ours["id"], *theirs["id"]}


@LAWS
@given(histories())
def test_returning_the_same_file_twice_changes_nothing(history: tuple[gpd.GeoDataFrame, ...]) -> None:
    base, ours, theirs = history
    once, _ = merge(base, ours, theirs)
    again, _ = merge(base, once, theirs)
    assert same(once, again)


@LAWS
@given(histories())
def test_order_of_teams_does_not_matter_where_they_do_not_disagree(history: tuple[gpd.GeoDataFrame, ...]) -> None:
    base, ours, theirs = history
    one, conflicts = merge(base, ours, theirs)
    two, _ = merge(base, theirs, ours)
    if real(conflicts).empty:
        assert same(one, two)


@pytest.mark.slow
@settings(max_examples=600)
@given(histories())
def test_many_histories_lose_nothing(history: tuple[gpd.GeoDataFrame, ...]) -> None:
    base, ours, theirs = history
    merged, conflicts = merge(base, ours, theirs)
    assert not lost(base, ours, merged, conflicts)
    assert not lost(base, theirs, merged, conflicts)


def test_both_changed_shows_both_values_and_prefer_decides() -> None:
    base = layer({"H1": {"status": "open", "geometry": box(1)}})
    ours, theirs = base.assign(status="closed"), base.assign(status="worked_on")
    merged, conflicts = merge(base, ours, theirs)
    assert merged["status"].tolist() == ["closed"]
    assert conflicts[["check", "column", "value", "limit"]].values.tolist() == [
        ["MG-01", "status", "worked_on", "closed"]
    ]
    merged, conflicts = merge(base, ours, theirs, prefer={"status": "theirs"})
    assert merged["status"].tolist() == ["worked_on"]
    assert len(conflicts) == 1
    with pytest.raises(SchemaError, match="prefer is"):
        merge(base, ours, theirs, prefer="mine")


def test_what_apps_do_to_columns_is_undone_before_comparing() -> None:
    base = gpd.GeoDataFrame(
        {
            "id": ["H1"],
            "classification": ["SHA"],
            "date_info": pd.to_datetime(["2024-03-05"]),
            "area_reported_m2": [10.0],
        },
        geometry=[box(1)],
        crs=CRS,
    )
    back = gpd.GeoDataFrame(
        {"id": ["H1"], "classif": ["suspected hazardous area"], "dateInfo": ["05.03.2024"], "areaRepM2": ["10"]},
        geometry=[box(1)],
        crs=CRS,
    ).to_crs(4326)
    merged, conflicts = merge(base, base, back, kind="hazards")
    assert conflicts.empty
    assert merged["classification"].tolist() == ["SHA"]
    assert merged["date_info"].dt.strftime("%Y-%m-%d").tolist() == ["2024-03-05"]
    assert set(merged.columns) == set(base.columns)


def test_rows_are_known_by_their_key_never_by_their_number() -> None:
    """The defect of row-number merging: cutting a polygon elsewhere shifts the rows and brings the old one back."""
    base = layer({f"H{n}": {"geometry": box(n)} for n in range(3)})
    ours = base[base["id"] != "H0"]
    theirs = base.iloc[::-1].assign(note=["x", None, None])
    merged, conflicts = merge(base, ours, theirs)
    assert merged["id"].tolist() == ["H1", "H2"]
    assert merged.set_index("id")["note"].to_dict()["H2"] == "x"
    assert conflicts["check"].tolist() == ["MG-07"]
    assert conflicts["id"].tolist() == ["H0"]


def test_a_repeated_or_missing_key_is_reported_and_an_exact_copy_is_not() -> None:
    base = layer({"H1": {"geometry": box(1)}})
    twice = pd.concat([base, base], ignore_index=True)
    merged, conflicts = merge(base, base, twice)
    assert len(merged) == 1
    assert conflicts.empty
    other = pd.concat([base, base.assign(note="different")], ignore_index=True)
    _, conflicts = merge(base, base, other)
    assert conflicts["check"].tolist() == ["MG-05"]
    with pytest.raises(SchemaError, match="no key in common"):
        merge(base.drop(columns="id"), base, base)


def test_a_missing_column_or_polygon_is_not_an_edit_and_deletions_are_listed() -> None:
    base = layer({f"H{n}": {"geometry": box(n), "status": "open", "note": "n"} for n in range(2)})
    merged, conflicts = merge(base, base, base.drop(columns="status"))
    assert merged["status"].tolist() == ["open", "open"]
    assert conflicts.empty
    lost = base.set_geometry(gpd.GeoSeries([None, base.geometry[1]], crs=CRS))
    merged, conflicts = merge(base, base, lost)
    assert merged.geometry.notna().all()
    assert conflicts[["check", "id"]].values.tolist() == [["MG-06", "H0"]]
    merged, conflicts = merge(base, base, base.iloc[:1])
    assert merged["id"].tolist() == ["H0"]
    assert conflicts[["check", "severity", "id"]].values.tolist() == [["MG-07", "info", "H1"]]
    with pytest.raises(SchemaError, match="theirs is empty"):
        merge(base, base, base.iloc[:0])


def test_categories_and_lists_in_cells_are_compared_by_what_they_say() -> None:
    base = layer({f"H{n}": {"geometry": box(n)} for n in range(2)}).assign(name=pd.Categorical(["x", "y"]))
    merged, conflicts = merge(base, base, base.assign(name=pd.Categorical(["x", "Q"])))
    assert merged["name"].tolist() == ["x", "Q"]
    assert conflicts.empty
    lists = base.assign(name=pd.Series([[1, 2], np.array([3])], dtype=object))
    assert len(merge(lists, lists, lists)[0]) == 2
    with pytest.raises(SchemaError, match="not a layer"):
        merge(gpd.GeoDataFrame(), base, base)


# --------------------------------------------------------------------------------------- several teams, one after the other


@st.composite
def campaigns(draw: st.DrawFn) -> tuple[gpd.GeoDataFrame, ...]:
    """A base, the office's own edits, and what two teams bring back, in any row order, some of it sent twice."""
    base = {k: {**v, "geometry": box(int(k[1:]))} for k, v in draw(base_rows).items()}
    sides = [draw(edits(base, name)) for name in "OAB"]
    hypothesis.assume(all(sides))
    frames = [layer(base), *(layer(side) for side in sides)]
    turn = draw(st.integers(0, 2**32 - 1))
    twice = [
        pd.concat([f, f.sample(frac=0.5, random_state=turn)]).sample(frac=1, random_state=turn) for f in frames[2:]
    ]
    return frames[0], frames[1], *(gpd.GeoDataFrame(f, geometry="geometry", crs=CRS) for f in twice)


def in_turn(
    base: gpd.GeoDataFrame, first: gpd.GeoDataFrame, *teams: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Each return merged against the base it left with."""
    found = []
    for team in teams:
        first, conflicts = merge(base, first, team)
        found.append(conflicts)
    return first, pd.concat(found, ignore_index=True)


def check_campaign(campaign: tuple[gpd.GeoDataFrame, ...]) -> None:
    base, ours, a, b = campaign
    merged, conflicts = in_turn(base, ours, a, b)
    assert merged["id"].is_unique
    for side in (ours, a.drop_duplicates("id"), b.drop_duplicates("id")):
        assert not lost(base, side, merged, conflicts)
        for parent in set(side["parent_id"].dropna()) - set(side["id"]):
            assert parent not in set(merged["id"]), "a split polygon came back beside its pieces"
    for key in set(base["id"]) - set(ours["id"]) - set(a["id"]) - set(b["id"]):
        assert key not in set(merged["id"])
    assert same(merged, merge(base, merged, b)[0]), "sending the same return again changes nothing"
    again, _ = in_turn(base, merged, a, b)
    assert same(merged, again), "nor does sending all of them"
    cut = [set(side["parent_id"].dropna()) for side in (ours, a, b)]
    for key in cut[0] & cut[1]:
        if not set(ours.loc[ours["parent_id"] == key, "id"]) & set(a.loc[a["parent_id"] == key, "id"]):
            assert ((conflicts["check"] == "MG-04") & (conflicts["id"] == key)).any(), (
                "cut by two teams, and nobody says so"
            )
    if real(conflicts).empty:
        other, told = in_turn(base, ours, b, a)
        assert same(merged, other) or not real(told).empty


@LAWS
@given(campaigns())
def test_two_teams_in_turn_lose_nothing_and_may_be_sent_again(campaign: tuple[gpd.GeoDataFrame, ...]) -> None:
    check_campaign(campaign)


@pytest.mark.slow
@settings(max_examples=600)
@given(campaigns())
def test_many_campaigns_lose_nothing(campaign: tuple[gpd.GeoDataFrame, ...]) -> None:
    check_campaign(campaign)


def test_a_row_made_of_two_is_closed_only_if_both_are() -> None:
    base = layer({name: {"status": "open", "geometry": box(n)} for n, name in enumerate("HJ")})
    joined = base.iloc[[0]].assign(id="HJ", parent_id="H, J", geometry=[shapely.union_all(base.geometry.array)])
    ours = gpd.GeoDataFrame(joined, geometry="geometry", crs=CRS)
    one, both = base.assign(status=["closed", "open"]), base.assign(status="closed")
    merged, conflicts = merge(base, ours, one)
    assert merged.set_index("id").loc["HJ", "status"] == "open"
    assert "MG-01" in set(conflicts["check"])
    merged, conflicts = merge(base, ours, both)
    assert merged.set_index("id").loc["HJ", "status"] == "closed"
    assert conflicts.empty


def test_a_polygon_cut_in_two_that_kept_its_id_keeps_both_pieces() -> None:
    """Some apps copy the id to both pieces of a cut."""
    base = layer({"H1": {"status": "open", "geometry": box(1)}})
    west, south, east, north = box(1).bounds
    halves = [shapely.box(west, south, west + 15, north), shapely.box(west + 15, south, east, north)]
    cut = gpd.GeoDataFrame(
        pd.concat([base.assign(geometry=[h]) for h in halves], ignore_index=True), geometry="geometry", crs=CRS
    )
    merged, conflicts = merge(base, base.assign(status="closed"), cut)
    assert merged["id"].tolist() == ["H1", "H1~2"]
    assert merged["parent_id"].tolist() == [None, "H1"]
    assert conflicts["check"].tolist() == ["MG-05"]
    assert merged.geometry.area.sum() == pytest.approx(box(1).area)
    again, _ = merge(base, merged, cut)
    assert same(merged, again)
    kind, _ = merge(base, base, cut, kind="hazards")
    assert kind["id"].tolist() == ["H1", "H1~2"]


def test_rows_without_a_key_are_kept_and_are_the_same_rows_again() -> None:
    base = layer({"H1": {"geometry": box(1)}})
    new = layer({"x": {"note": "new", "geometry": box(5)}, "y": {"note": "newer", "geometry": box(6)}}).assign(id=None)
    theirs = gpd.GeoDataFrame(pd.concat([base, new], ignore_index=True), geometry="geometry", crs=CRS)
    merged, conflicts = merge(base, base, theirs)
    assert len(merged) == 3
    assert conflicts["check"].tolist() == ["MG-05", "MG-05"]
    again, _ = merge(base, merged, theirs.iloc[::-1])
    assert same(merged, again)
    for kind in (None, "hazards"):
        assert set(merge(base, base, theirs, kind=kind)[0]["id"]) == set(merged["id"])


def test_type_drift_without_a_kind_is_no_edit() -> None:
    base = gpd.GeoDataFrame(
        {
            "id": ["a"],
            "date": pd.to_datetime(["2024-03-05"]),
            "n": [10.0],
            "flag": [True],
            "a_long_column_name": ["x"],
            "other": ["o"],
        },
        geometry=[box(1)],
        crs=CRS,
    )
    drifted = gpd.GeoDataFrame(
        {"id": ["a"], "date": ["2024-03-05"], "n": ["10"], "flag": [1], "a_long_col": ["y"], "other": ["o"]},
        geometry=[shapely.MultiPolygon([box(1)])],
        crs=CRS,
    )
    merged, conflicts = merge(base, base, drifted)
    assert conflicts.empty
    assert merged["a_long_column_name"].tolist() == ["y"]
    assert list(merged.columns) == list(base.columns)
    assert pd.api.types.is_datetime64_any_dtype(merged["date"])


TIMES = [
    "2026-05-01T08:00:00Z",
    "2026-05-01T09:00:00Z",
    "2026-05-01T09:04:00Z",
    "2031-01-01T00:00:00Z",
    "2020-01-01T00:00:00Z",
    None,
]


@pytest.mark.parametrize(
    ("mine", "other", "stands", "said"),
    [
        (0, 1, "theirs", ""),
        (1, 0, "ours", ""),
        (1, 2, "ours", "within ten minutes"),
        (0, 3, "ours", "ahead"),
        (0, 4, "ours", "behind"),
        (5, 0, "ours", "no edit times"),
    ],
)
def test_the_newer_edit_stands_where_clocks_can_be_believed(
    monkeypatch: pytest.MonkeyPatch, mine: int, other: int, stands: str, said: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    base = layer({"H1": {"status": "open", "geometry": box(1)}}).assign(edited_at="2026-04-30T00:00:00Z")
    ours, theirs = (
        base.assign(status="closed", edited_at=TIMES[mine]),
        base.assign(status="worked_on", edited_at=TIMES[other]),
    )
    merged, conflicts = merge(base, ours, theirs, prefer={"status": "newest"})
    assert merged["status"].tolist() == ["closed" if stands == "ours" else "worked_on"]
    row = conflicts[conflicts["column"] == "status"].iloc[0]
    assert row["value"] == ("worked_on" if stands == "ours" else "closed"), "the other value is always in the conflicts"
    assert said in row["message"]


def test_an_edited_conflicts_file_decides() -> None:
    base = layer({k: {"status": "open", "note": "n", "geometry": box(n)} for n, k in enumerate(("H1", "H2", "H3"))})
    ours = base.assign(status=["closed", "closed", "open"])
    theirs = base.assign(status=["worked_on", "worked_on", "open"])[lambda f: f["id"] != "H3"]
    ours.loc[2, "note"] = "changed"
    _, conflicts = merge(base, ours, theirs)
    table = listing(conflicts)
    assert list(zip(table["id"], table["column"], table["stands"], strict=True)) == [
        ("H1", "status", "ours"),
        ("H2", "status", "ours"),
        ("H3", "", "ours"),
    ]
    table.loc[0, "decision"], table.loc[1, "decision"], table.loc[2, "decision"] = "theirs", "ours", "THEIRS"
    merged, left = merge(base, ours, theirs, prefer=decisions(table))
    assert merged[["id", "status"]].values.tolist() == [["H1", "worked_on"], ["H2", "closed"]]
    assert real(left).empty, "what was decided is no conflict any more"
    assert left["check"].tolist() == ["MG-07"]
    with pytest.raises(SchemaError, match="decision for 'H1'"):
        decisions(table.assign(decision="perhaps"))
    with pytest.raises(SchemaError, match="no column 'decision'"):
        decisions(table.drop(columns="decision"))


# ----------------------------------------------------------------------------------------------- no edit is too small to count


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (5000000001, 5000000002),
        (5000000001.0, 5000000002.0),
        (9007199254740993, 9007199254740994),
        ("5000000001", 5000000002),
        ("9007199254740993", 9007199254740992),
        ("1,000", 1),
        (0.0, 1e-9),
        (47.1234567890, 47.1234567891),
    ],
)
def test_a_change_of_a_number_that_a_person_sees_is_an_edit(old: Any, new: Any) -> None:
    base = layer({"H1": {"geometry": box(1)}}).assign(serial=pd.Series([old], dtype=object))
    back = base.assign(serial=pd.Series([new], dtype=object))
    for merged in (merge(base, base, back)[0], merge(base, back, base)[0]):
        assert merged["serial"].tolist() == [new]
    _, conflicts = merge(base, base.assign(serial=7), back)
    assert conflicts["check"].tolist() == ["MG-01"]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_a_number_written_with_fifteen_digits_is_the_same_number(value: float) -> None:
    hypothesis.assume(value == 0 or abs(value) > 1e-6)
    base = layer({"H1": {"geometry": box(1)}}).assign(size=pd.Series([value], dtype=object))
    _, conflicts = merge(base, base.assign(size="changed"), base.assign(size=float(f"{value:.15g}")))
    assert conflicts.empty
    _, conflicts = merge(base, base.assign(size="changed"), base.assign(size=f"{value:.15g}"))
    assert conflicts.empty


def heights(rise: float | None, *, shift: float = 0.0) -> gpd.GeoDataFrame:
    shape = shapely.affinity.translate(box(1), shift)
    return layer({"H1": {"geometry": shape if rise is None else shapely.force_3d(shape, rise)}})


def test_a_changed_height_is_an_edit() -> None:
    merged, conflicts = merge(heights(1), heights(1), heights(9))
    assert set(shapely.get_coordinates(merged.geometry.array, include_z=True)[:, 2]) == {9.0}
    assert conflicts.empty
    _, conflicts = merge(heights(1), heights(5), heights(9))
    assert conflicts["check"].tolist() == ["MG-06"]
    turned = heights(9).set_geometry(heights(9).reverse())
    assert merge(heights(9), heights(9).assign(note="x"), turned)[1].empty
    merged, _ = merge(heights(None), heights(None), heights(9))
    assert merged.geometry.has_z.all()


def test_heights_that_an_app_drops_stay_and_a_redrawn_shape_says_so() -> None:
    merged, conflicts = merge(heights(9), heights(9), heights(None))
    assert same_place(merged.geometry[0], heights(9).geometry[0])
    assert conflicts.empty
    assert merge(heights(None), heights(None), heights(0))[1].empty, "apps write 0 where there is no height"
    merged, conflicts = merge(heights(9), heights(9), heights(None, shift=3))
    assert same_place(merged.geometry[0], heights(None, shift=3).geometry[0])
    assert conflicts[["check", "severity"]].values.tolist() == [["MG-06", "warning"]]
    for one, two in ((heights(9), heights(None, shift=3)), (heights(None, shift=3), heights(9))):
        merged, conflicts = merge(heights(None), one, two)
        assert same_place(merged.geometry[0], heights(None, shift=3).geometry[0]), "the redrawn shape stands"
        assert conflicts[["check", "severity"]].values.tolist() == [["MG-06", "warning"]]


# -------------------------------------------------------------------------------------------------- one polygon, cut twice


def pieces(name: str, share: float, *, keep: bool = False) -> gpd.GeoDataFrame:
    """H1 cut in two; one piece may keep the id of the whole."""
    west, south, east, north = box(1).bounds
    middle = west + share * (east - west)
    one, two = shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)
    first = {"H1": {"geometry": one}} if keep else {f"{name}1": {"geometry": one, "parent_id": "H1"}}
    return layer({**first, f"{name}2": {"geometry": two, "parent_id": "H1"}})


@pytest.mark.parametrize("keep", [(False, False), (True, False), (False, True), (True, True)])
def test_pieces_of_both_sides_are_named(keep: tuple[bool, bool]) -> None:
    base = layer({"H1": {"geometry": box(1)}})
    merged, conflicts = merge(base, pieces("o", 0.3, keep=keep[0]), pieces("t", 0.6, keep=keep[1]))
    found = conflicts[(conflicts["check"] == "MG-04") & (conflicts["id"] == "H1")]
    assert set(found["severity"]) == {"error"}
    told = " ".join(found["message"])
    for piece in {"o2", "t2"} | ({"o1"} if not keep[0] else set()) | ({"t1"} if not keep[1] else set()):
        assert piece in told
        assert piece in set(merged["id"])


def test_pieces_of_a_polygon_that_the_other_side_deleted_are_reported() -> None:
    base = layer({"H1": {"geometry": box(1)}, "H2": {"geometry": box(3)}})
    cut = gpd.GeoDataFrame(pd.concat([pieces("t", 0.5), base.iloc[1:]]), geometry="geometry", crs=CRS)
    for one, two in ((base.iloc[1:], cut), (cut, base.iloc[1:])):
        merged, conflicts = merge(base, one, two)
        assert merged["id"].tolist() == ["H2", "t1", "t2"]
        assert conflicts[["check", "severity", "id"]].values.tolist() == [["MG-02", "error", "H1"]]
        assert "t1, t2" in conflicts["message"][0]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["status", "note", ""]), st.sampled_from(["", "ours", "theirs"]),
                  st.sampled_from(["", " 007 ", "=1+1"])),
        unique_by=lambda row: row[:2],
    ),
    st.sets(st.tuples(st.sampled_from("abc"), st.sampled_from(["status", "note", ""]))),
)  # fmt: skip
def test_a_new_list_keeps_what_people_wrote(old: list[tuple[str, ...]], found: set[tuple[str, str]]) -> None:
    earlier = pd.DataFrame(old, columns=["id", "column", "decision", "comment"], dtype=object)
    new = pd.DataFrame(sorted(found), columns=["id", "column"], dtype=object).assign(decision="")
    out = carried(new, earlier)
    after = {(r["id"], r["column"]): (r["decision"], r.get("comment", "")) for r in out.to_dict("records")}
    assert len(after) == len(out)
    assert all(after[row[:2]] == row[2:] for row in old if row[2] or row[3])
    assert set(after) >= found
    assert decisions(out) == decisions(earlier)
    assert carried(new, out).equals(out)


def test_an_edit_of_the_whole_goes_to_all_pieces_or_to_none() -> None:
    base = layer({"H1": {"status": "open", "note": "n", "geometry": box(1)}})
    edited, one, two = base.assign(status="closed"), pieces("o", 0.3), pieces("t", 0.6)
    one, two = (f.assign(status="open", note="n") for f in (one, two))
    merged, told = in_turn(base, base, one, edited, two)
    assert merged["status"].tolist() == ["closed"] * 4, "the second team cut before it knew: its pieces get it too"
    assert same(merged, in_turn(base, merged, two, one, edited, one)[0])
    own = one.assign(status=["worked_on", "open"])
    merged, told = in_turn(base, base, own, edited)
    assert merged["status"].tolist() == ["worked_on", "open"], "the team told its pieces apart"
    asked = told[told["check"] == "MG-01"]
    assert asked[["id", "value", "limit"]].values.tolist() == [["o1", "closed", "worked_on"], ["o2", "closed", "open"]]
    table = listing(asked)
    table["decision"] = ["ours", "theirs"]
    merged, told = merge(base, merged, edited, prefer=decisions(table))
    assert merged["status"].tolist() == ["worked_on", "closed"]
    assert told.empty


def test_a_piece_that_kept_the_id_is_not_lost_where_another_team_cut_too() -> None:
    base = layer({"H1": {"status": "open", "geometry": box(1)}})
    kept, two = pieces("o", 0.3, keep=True).assign(status="open"), pieces("t", 0.6).assign(status="open")
    for first, second in ((kept, two), (two, kept)):
        merged, told = merge(base, first, second)
        assert merged["id"].tolist() == ["H1~1", "o2", "t1", "t2"]
        assert merged.loc[0, "parent_id"] == "H1"
        assert same_place(merged.geometry[0], kept.geometry[0])
        assert any("H1~1" in text for text in told["message"])
        assert same(merged, in_turn(base, merged, first, second, kept)[0])


def test_a_column_that_a_file_lacks_is_no_edit_of_a_piece_or_of_a_row_that_comes_back() -> None:
    base = layer({"H1": {"status": "open", "note": "n", "geometry": box(1)}, "H2": {"note": "n", "geometry": box(2)}})
    bare = gpd.GeoDataFrame(pd.concat([pieces("t", 0.5), base.iloc[1:]]), geometry="geometry", crs=CRS)
    merged, _ = merge(base, base, bare.drop(columns=["status", "note"]))
    assert merged.set_index("id")["note"].to_dict() == {"H2": "n", "t1": "n", "t2": "n"}
    back = base.assign(status="closed").drop(columns="note").set_geometry(gpd.GeoSeries([None, None], crs=CRS))
    merged, _ = merge(base, base.iloc[:1], back)
    assert merged["note"].tolist() == ["n", "n"]
    assert same_place(merged.geometry[1], box(2)), "nor is a polygon that it lost"


def test_pieces_of_pieces_are_reported() -> None:
    """A team returned twice and cut a piece of its own in between."""
    base = layer({"H1": {"geometry": box(1)}})
    first = pieces("t", 0.5)
    further = layer({"t1": {"parent_id": "H1", "geometry": box(1)}, "x": {"parent_id": "t2", "geometry": box(1)}})
    merged, told = in_turn(base, base, first, further)
    assert merged["id"].tolist() == ["t1", "t2", "x"]
    assert ((told["check"] == "MG-04") & (told["id"] == "t2") & told["message"].str.contains("further")).any()


def test_people_decide_by_id_also_where_the_key_is_a_permanent_number() -> None:
    base = layer({"H1": {"status": "open", "geometry": box(1)}, "H2": {"geometry": box(2)}}).assign(guid=["g-1", "g-2"])
    ours, theirs = base.assign(status="closed").iloc[:1], base.assign(status="worked_on")
    _, conflicts = merge(base, ours, theirs)
    table = listing(conflicts)
    assert table[["id", "column"]].values.tolist() == [["H1", "status"], ["H2", ""]]
    table["decision"] = ["theirs", "ours"]
    merged, left = merge(base, ours, theirs, prefer=decisions(table))
    assert merged[["id", "status"]].values.tolist() == [["H1", "worked_on"]]
    assert real(left).empty


def test_when_and_by_whom_is_no_question_for_a_person() -> None:
    base = layer({"H1": {"geometry": box(1)}}).assign(edited_at=None, edited_by=None)
    one = base.assign(status="closed", edited_at="2024-05-01T09:00:00Z", edited_by="A")
    two = base.assign(note="x", edited_at="2024-05-01T11:00:00Z", edited_by="B")
    for ours, theirs in ((one, two), (two, one)):
        merged, told = merge(base, ours, theirs)
        assert merged.loc[0, ["status", "note", "edited_by"]].tolist() == ["closed", "x", "B"]
        assert str(merged.loc[0, "edited_at"]).startswith("2024-05-01T11")
        assert real(told).empty
        assert set(told["column"]) == {"edited_at", "edited_by"}, "the earlier edit is noted"
        assert same(merged, merge(base, merged, theirs)[0])


def test_the_permanent_number_that_a_package_made_is_no_edit_of_the_office() -> None:
    office = layer({"H1": {"geometry": box(1)}, "H2": {"geometry": box(2)}})
    left = office.assign(guid=["g-1", "g-2"])
    merged, _ = merge(left, office, left.assign(note="x"))
    assert merged["note"].tolist() == ["x", "x"]
    assert merged["guid"].isna().all()
    new = layer({"N": {"geometry": box(5)}}).assign(guid="g-9")
    grown, _ = merge(left, office, gpd.GeoDataFrame(pd.concat([left, new]), geometry="geometry", crs=CRS))
    assert grown["guid"].astype(object).where(grown["guid"].notna(), None).tolist() == [None, None, "g-9"]
    merged, told = merge(left, grown, left.iloc[:1])
    assert merged["id"].tolist() == ["H1", "N"], "nor does it keep a row that a team deleted"
    assert told["check"].tolist() == ["MG-07"]
    merged, _ = merge(left, left, left)
    assert merged["guid"].tolist() == ["g-1", "g-2"]
