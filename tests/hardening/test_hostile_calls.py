"""Careless callers: every public function that takes records or figures gives a result or one refusal with a hint, never a traceback.

Each argument of a sound call is replaced in turn (`calls.py`): no column, no rows, no geometry, no or the wrong reference system, words for
numbers, NaN, negative, infinite, none. Warnings are faults here too.
"""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.model.errors import GeotoolsError
from tests.hardening import calls

CASES = calls.cases()


def tried(case: tuple[str, str, str]) -> str:
    """What is wrong with the answer to a case; empty if nothing is."""
    try:
        calls.run(*case)
    except GeotoolsError as error:
        shown = str(error)
        readable = 10 < len(error.message) < 400 and " object at 0x" not in shown and "\x00" not in shown and error.hint
        return "" if readable else f"{case}: unreadable refusal {error!r}"
    except Exception as error:
        return f"{case}: {type(error).__name__}: {str(error)[:100]}"
    return ""


@pytest.mark.parametrize("name", calls.calls())
def test_the_sound_call_works(name: str) -> None:
    function, good = calls.calls()[name]
    assert set(good) <= set(inspect.signature(function).parameters) or name == "coverage"
    function(**good)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(CASES))
def test_a_careless_call_is_answered_or_refused(case: tuple[str, str, str]) -> None:
    assert not tried(case)


@pytest.mark.slow
def test_every_careless_call_is_answered_or_refused(record_property: pytest.FixtureRequest) -> None:
    wrong = [said for said in map(tried, CASES) if said]
    record_property("hardening:inputs", len(CASES))  # type: ignore[operator]
    assert not wrong, f"{len(wrong)} of {len(CASES)}:\n" + "\n".join(wrong)
