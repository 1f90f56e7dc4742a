"""Returns that are sent again: once every return of a campaign was merged, no return changes anything, in any order."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from geotools.field.merge import merge, same_place

CRS = "EPSG:32638"
COLUMNS = ("status", "note")
WORDS = ["open", "worked_on", "closed", None]
HOURS = [pd.Timestamp("2024-05-01 08:00") + pd.Timedelta(minutes=m) for m in (0, 5, 12, 25, 600)]
Rows = dict[str, dict[str, Any]]


def box(n: int) -> shapely.Polygon:
    return shapely.box(683_000 + 50 * n, 4_385_000, 683_040 + 50 * n, 4_385_040)


def layer(rows: Rows, without: tuple[str, ...] = ()) -> gpd.GeoDataFrame:
    names = [c for c in ("id", "guid", "parent_id", *COLUMNS, "edited_at") if c not in without]
    data = {c: pd.Series([r.get(c, k if c == "id" else None) for k, r in rows.items()], dtype=object) for c in names}
    shapes = np.array([r.get("geometry") for r in rows.values()] or [], dtype=object)
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shapes, crs=CRS), crs=CRS)


def cut(rows: Rows, key: str, team: str, share: float, *, keep: bool = False) -> None:
    """A row in two pieces of names of the team; one may keep the id of the whole."""
    old = rows.pop(key)
    west, south, east, north = old["geometry"].bounds
    middle = west + share * (east - west)
    names = (key if keep else f"{team}{key}.0", f"{team}{key}.1")
    for name, shape in zip(
        names, (shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)), strict=True
    ):
        parent = {} if name == key else {"parent_id": key}
        rows[name] = {**{k: v for k, v in old.items() if k != "id"}, **parent, "geometry": shape}


@st.composite
def returned(draw: st.DrawFn, base: Rows, team: str) -> gpd.GeoDataFrame:
    """What one team does offline, all that apps do to files included."""
    rows = {key: dict(row) for key, row in base.items()}
    for step in range(draw(st.integers(1, 6))):
        whole = [k for k in sorted(rows) if k in base and rows[k].get("geometry") is not None]
        act = draw(
            st.sampled_from(["edit", "edit", "edit", "redraw", "delete", "add", "cut", "cut", "keep", "join", "lose"])
        )
        if act == "add" or not whole:
            rows[f"{team}{step}"] = {"status": draw(st.sampled_from(WORDS)), "geometry": box(20 + step)}
        elif act == "edit":
            row = rows[draw(st.sampled_from(sorted(rows)))]
            row[draw(st.sampled_from(COLUMNS))] = draw(st.sampled_from(WORDS))
            row["edited_at"] = draw(st.sampled_from(HOURS))
        elif act == "redraw":
            row = rows[draw(st.sampled_from(whole))]
            row["geometry"] = shapely.affinity.translate(row["geometry"], draw(st.sampled_from([1.0, 2.5])), 0)
        elif act == "join" and len(whole) > 1:
            one, two = draw(st.permutations(whole))[:2]
            shape = shapely.union(rows[one]["geometry"], rows[two]["geometry"])
            kept = rows.pop(one)
            rows[f"{team}{step}j"] = {**kept, "parent_id": f"{one},{two}", "geometry": shape}
            del rows[two]
        else:
            key = draw(st.sampled_from(whole))
            if act == "lose":
                rows[key]["geometry"] = None
            elif act == "delete":
                del rows[key]
            else:
                cut(rows, key, team, draw(st.sampled_from([0.3, 0.5])), keep=act == "keep")
    if not rows:
        rows = {key: dict(row) for key, row in base.items()}
    order = draw(st.permutations(sorted(rows)))
    return layer({k: rows[k] for k in order}, without=draw(st.sampled_from([(), (), (), ("note",), ("edited_at",)])))


def same(one: gpd.GeoDataFrame, two: gpd.GeoDataFrame) -> bool:
    if one["id"].tolist() != two["id"].tolist() or set(one.columns) != set(two.columns):
        return False
    cells = all(
        (pd.isna(a) and pd.isna(b)) or a == b
        for c in ("parent_id", *COLUMNS, "edited_at")
        for a, b in zip(one[c].astype(object), two[c].astype(object), strict=True)
    )
    return cells and all(same_place(a, b) for a, b in zip(one.geometry, two.geometry, strict=True))


class Campaign(RuleBasedStateMachine):
    """An office merges what its teams send, each file as often and in whatever order it comes."""

    @initialize(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, 4))
        values = st.fixed_dictionaries({"status": st.sampled_from(WORDS), "note": st.sampled_from(WORDS)})
        rows = {f"H{n}": {**data.draw(values), "edited_at": HOURS[0], "geometry": box(n)} for n in range(count)}
        self.base = layer(rows)
        self.office = data.draw(returned(rows, "O"))
        self.office = self.office.reindex(columns=self.base.columns)
        self.returns = [data.draw(returned(rows, name)) for name in "ABCD"[: data.draw(st.integers(2, 4))]]
        self.prefer = data.draw(st.sampled_from(["ours", "newest", {"status": "newest"}]))
        self.left = set(range(len(self.returns)))
        self.settled: gpd.GeoDataFrame | None = None
        self.told = ""

    def merge(self, number: int) -> None:
        self.office, found = merge(self.base, self.office, self.returns[number], prefer=self.prefer)
        self.told += " ".join(
            (found["message"] + " " + found["value"] + " " + found["limit"] + " " + found["id"]).tolist()
        )
        self.left.discard(number)

    @precondition(lambda self: self.left)
    @rule(data=st.data())
    def first(self, data: st.DataObject) -> None:
        self.merge(data.draw(st.sampled_from(sorted(self.left))))
        if not self.left:
            self.settled = self.office

    @precondition(lambda self: len(self.left) < len(self.returns))
    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        self.merge(data.draw(st.sampled_from(sorted(set(range(len(self.returns))) - self.left))))

    @invariant()
    def nothing_changes_any_more(self) -> None:
        assert self.office["id"].is_unique
        assert self.settled is None or same(self.settled, self.office)

    def teardown(self) -> None:
        if not hasattr(self, "left"):
            return
        for number in sorted(self.left):
            self.merge(number)
        self.settled = self.settled if self.settled is not None else self.office
        for number in (*range(len(self.returns)), *reversed(range(len(self.returns)))):
            self.merge(number)
            self.nothing_changes_any_more()
        for side in self.returns:  # and every row that a team made is there, every value in a cell or in the list
            for row in side.to_dict("records"):
                if row["id"] in set(self.base["id"]):
                    continue
                there = self.office.loc[self.office["id"] == row["id"]]
                assert len(there) == 1, f"{row['id']} was lost"
                for column in (c for c in COLUMNS if c in row):
                    if not pd.isna(row[column]) and there[column].iloc[0] != row[column]:
                        assert row["id"] in self.told or row["parent_id"] is not None


Campaign.TestCase.settings = settings(
    max_examples=10, stateful_step_count=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
test_once_all_returns_are_merged_none_changes_anything = Campaign.TestCase


class Long(Campaign):
    """The same, many times."""


Long.TestCase.settings = settings(
    max_examples=120, stateful_step_count=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
test_many_campaigns_settle = pytest.mark.slow(Long.TestCase)
