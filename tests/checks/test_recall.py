"""Clean data raise no alarm; planted defects are found, each by the rule that is meant for it."""

from __future__ import annotations

import pytest

import geotools as gt


def programme(synthetic):
    return gt.Programme(extent=synthetic.EXTENT, depth_cm={"default": 15.0})


def found_in(frames, synthetic, **options):
    issues = gt.check(frames, programme=programme(synthetic), **options)
    return issues, set(zip(issues["check"], issues["kind"], issues["id"], strict=True))


@pytest.mark.parametrize("seed", [0, *[pytest.param(s, marks=pytest.mark.slow) for s in range(1, 10)]])
def test_clean_data_raise_no_alarm(seed, synthetic):
    world = synthetic.clean(seed, 172)
    assert sum(map(len, world.values())) >= 2000
    issues, _ = found_in(synthetic.frames(world), synthetic)
    assert issues.empty, issues[["check", "kind", "id", "message"]].head(10).to_string()


def test_there_are_enough_defect_classes(defects):
    assert len(defects) >= 60


@pytest.mark.parametrize("seed", [0, *[pytest.param(s, marks=pytest.mark.slow) for s in range(1, 10)]])
def test_planted_defects_are_found(seed, plant, synthetic):
    frames, truth = plant(seed)
    issues, found = found_in(frames, synthetic)
    missed = [t for t in truth if (t[1], t[2], t[3]) not in found]
    assert not (issues["check"] == "CK-00").any(), issues.loc[issues["check"] == "CK-00", "message"].tolist()
    assert len(missed) <= 0.01 * len(truth), missed


@pytest.mark.slow
def test_each_defect_alone_is_found_with_few_other_words(plant, synthetic, defects):
    """A defect planted alone is named by its rule, and raises at most a handful of others."""
    for name in defects:
        frames, truth = plant(3, [name], cells=40)
        issues, found = found_in(frames, synthetic)
        _, code, kind, record = truth[0]
        assert (code, kind, record) in found, (name, sorted(found))
        assert len(issues) <= 9, (name, sorted(found))
