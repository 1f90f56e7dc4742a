"""The table of rules, how they are chosen and run, and what happens when one of them fails."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

import geotools as gt
from geotools.checks import registry
from geotools.checks.messages import LANGUAGES, table
from geotools.checks.rule import Check, Finding
from geotools.model.errors import SchemaError
from geotools.model.programme import DEFAULT_LIMITS


@pytest.fixture
def bow(make):
    x, y = make.origin
    ring = shapely.Polygon([(x, y), (x + 90, y + 90), (x + 90, y), (x, y + 90), (x - 30, y + 40)])
    return {"hazards": make.frame(make.hazard("H-1", ring))}


def test_codes_are_unique_and_every_rule_is_explained_in_four_languages():
    codes = [rule.code for rule in registry.CHECKS]
    assert len(codes) == len(set(codes))
    for rule in registry.CHECKS:
        entry = table()[rule.code]
        assert entry["why"], rule.code
        assert all(name in DEFAULT_LIMITS for name in rule.limits), rule.code
        for key in ("title", "remedy"):
            assert len(entry[key]) == len(LANGUAGES) and all(entry[key]), (rule.code, key)
        said = [k for k in entry if k.startswith("message")]
        if rule.evaluated_by == "checks":
            assert said, rule.code
        for key in said:
            assert len(entry[key]) == len(LANGUAGES) and all(entry[key]), (rule.code, key)


def test_every_rule_of_the_catalogue_is_there():
    listed = gt.checks.catalogue().set_index("code")
    wanted = (
        [f"GC-{n:02}" for n in range(1, 18)]
        + [f"TP-{n:02}" for n in range(1, 11)]
        + [f"SV-{n:02}" for n in range(1, 7)]
    )
    wanted += (
        [f"CR-{n:02}" for n in range(1, 5)] + [f"WF-{n:02}" for n in range(1, 9)] + [f"AR-{n:02}" for n in range(1, 14)]
    )
    wanted += ["PR-01", "PR-02", "RP-01"]
    assert set(wanted) <= set(listed.index)
    assert (listed["explanation"] != "").all() and (listed["remedy"] != "").all()
    assert set(listed["severity"]) <= {"error", "warning", "info"}


def test_catalogue_shows_the_limits_of_the_programme():
    own = gt.checks.catalogue(programme=gt.Programme(limits={"edge_max_m": 800.0}), language="ru").set_index("code")
    assert own.loc["GC-14", "parameters"] == "edge_max_m = 800"
    assert "точки" in own.loc["GC-14", "title"]


def test_only_and_exclude_choose_by_code_or_beginning(bow):
    assert set(gt.check(bow, only="GC")["check"]) == {"GC-01"}
    assert set(gt.check(bow, only=["GC-01", "TP-13"])["check"]) == {"GC-01", "TP-13"}
    assert "GC-01" not in set(gt.check(bow, exclude="GC,TP-13")["check"])
    with pytest.raises(SchemaError, match="no check 'ZZ'"):
        gt.check(bow, only="ZZ")


def test_layers_without_names_are_refused(bow):
    with pytest.raises(SchemaError, match="names"):
        gt.check(bow["hazards"])


def test_a_rule_that_raises_is_an_issue_and_the_others_go_on(bow, monkeypatch):
    def broken(data):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(registry, "CHECKS", (Check("XX-01", broken, ("hazards",), "info"), *registry.CHECKS))
    issues = gt.check(bow)
    assert {"CK-00", "GC-01"} <= set(issues["check"])
    assert "XX-01" in issues.loc[issues["check"] == "CK-00", "message"].iloc[0]


def test_plugins_join_by_entry_point_and_a_broken_one_is_named(bow, monkeypatch):
    mine = Check("MY-01", lambda data: [Finding("hazards", "H-1", words={"what": "{odd}"})], ("hazards",), "info",
                 texts={"title": "Mine", "message": "my own rule says {what}", "remedy": "Do this.", "why": "because"})  # fmt: skip

    def fail():
        raise ImportError("no such thing")

    def entries(group):
        assert group == "geotools.checks"
        return [SimpleNamespace(name="mine", load=lambda: mine), SimpleNamespace(name="sad", load=fail)]

    monkeypatch.setattr(registry, "entry_points", entries)
    issues = gt.check(bow)
    own = issues[issues["check"] == "MY-01"]
    assert own["message"].tolist() == ["Hazard H-1: my own rule says {odd}. Do this."]
    assert issues.loc[issues["check"] == "CK-00", "id"].tolist() == ["sad"]
    assert "MY-01" in set(gt.checks.catalogue()["code"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_speak_the_first_language_of_the_programme(bow, language):
    issues = gt.check(bow, programme=gt.Programme(languages=(language,)), only="GC-01")
    said = issues["message"].iloc[0]
    assert said.startswith(table()["kinds"]["hazards"][LANGUAGES.index(language)])
    assert "?" not in said


def test_inputs_are_not_changed_and_row_order_does_not_matter(bow, make):
    rows = [make.hazard(f"H-{n}", make.square(n * 60.0)) for n in range(6)]
    frame = make.frame(*rows)
    before = frame.copy(deep=True)
    first = gt.check({"hazards": frame})
    assert_geodataframe_equal(frame, before)
    second = gt.check({"hazards": frame.iloc[[3, 1, 5, 0, 2, 4]]})
    assert_geodataframe_equal(first, second)
    assert (first["check"] == "TP-01").sum() == 5


def test_issues_are_a_frame_in_wgs84_even_when_empty():
    issues = gt.check({})
    assert len(issues) == 0 and issues.crs.to_epsg() == 4326
