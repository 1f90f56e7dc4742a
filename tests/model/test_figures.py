"""How figures are written: shares of one whole always make the whole, and nothing released is ever rounded up."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from geotools.model import figures

AREAS = st.floats(0, 1e8, allow_nan=False)


@given(AREAS, AREAS, AREAS, AREAS)
def test_shares_make_the_whole_and_never_claim_more_than_the_evidence(
    a: float, b: float, c: float, left: float
) -> None:
    whole = math.fsum((a, b, c, left))
    found = figures.shares(whole, {"cleared": a, "reduced": b, "cancelled": c})
    if whole == 0:
        assert found == {}
        return
    assert sum(round(10 * value) for value in found.values()) == 1000
    released = (round(10 * found["cleared"]) + round(10 * found["reduced"]) + round(10 * found["cancelled"])) / 1000
    evidence = math.fsum((a, b, c)) / whole
    assert evidence - 0.001 - 1e-9 <= released <= evidence + 1e-9
    assert f"{100 * released:.1f} %" == figures.percent(evidence), "the parts add up to the share said elsewhere"
    for name, value in (("cleared", a), ("reduced", b), ("cancelled", c)):
        assert abs(found[name] - 100 * value / whole) < 0.1 + 1e-6


@given(st.floats(1e-3, 1e8), st.lists(st.floats(-1e3, 1e9) | st.just(math.nan), min_size=1, max_size=5))
def test_no_share_is_ever_below_nothing_whatever_was_released(whole: float, parts: list[float]) -> None:
    found = figures.shares(whole, {str(n): value for n, value in enumerate(parts)})
    assert min(found.values()) >= 0
    assert max(found.values()) <= 100
    assert sum(round(10 * value) for value in found.values()) == 1000
    done = math.fsum(value for value in parts if value > 0)
    assert found["remaining"] >= 100 * (1 - done / whole) - 1e-6
    assert done < whole or found["remaining"] == 0


@given(st.floats(1e-4, 1e6), st.floats(1.0, 1e9))
def test_what_is_left_is_never_said_to_be_nothing(left: float, done: float) -> None:
    whole = left + done
    if left / whole < 1e-8:
        return
    found = figures.shares(whole, {"cleared": done})
    assert found["remaining"] >= 0.1
    assert found["cleared"] < 100.0
    assert figures.percent(done / whole) != "100.0 %"


@given(st.floats(0, 1e10))
def test_hectares_are_cut_for_released_and_raised_for_remaining_ground(area: float) -> None:
    down, up = figures.in_hectares(area, "down"), figures.in_hectares(area, "up")
    assert down <= area / 10_000 + 1e-6 and up >= area / 10_000 - 1e-6
    assert up - down < 0.01 + 1e-6
    assert down - 1e-6 <= figures.in_hectares(area) <= up + 1e-6
    assert [figures.direction(f"{name}_m2") for name in ("released", "remaining", "outside")] == [
        "down",
        "up",
        "nearest",
    ]


def test_the_languages_have_the_separators_of_the_map() -> None:
    from geotools.maps.webmap.words import interface

    texts = interface()
    assert {lang: (texts[lang]["thousands"], texts[lang]["decimal"]) for lang in texts} == figures.MARKS


def test_counts_of_issues_have_one_form() -> None:
    assert figures.issue_counts(1, 0, 1200) == "1,201 issues: 1 errors, 0 warnings, 1,200 notes"
