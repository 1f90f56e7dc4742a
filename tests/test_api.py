"""The API reference is current, and every public name says what DESIGN asks: units, results, errors and an example."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from geotools.model import errors

ROOT = Path(__file__).parents[1]
_spec = importlib.util.spec_from_file_location("make_api", ROOT / "notebooks" / "make_api.py")
assert _spec
assert _spec.loader
api = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(api)

ERRORS = {name for name in vars(errors) if name.endswith("Error")}
FUNCTIONS = sorted(
    {f"{group}.{name}".lstrip("."): thing for group, name, thing in api.public() if inspect.isfunction(thing) and thing.__module__.startswith("geotools")}.items(),
    key=lambda pair: pair[0],
)  # fmt: skip
OURS = sorted(
    {f"{g}.{n}".lstrip("."): t for g, n, t in api.public() if (inspect.isclass(t) or inspect.isfunction(t)) and t.__module__.startswith("geotools")}.items(),
    key=lambda pair: pair[0],
)  # fmt: skip
# Examples that are not run: they need the extra `report`.
NOT_RUN = frozenset(["report.Report", "report.build"])
# A unit, or a word that says there is none to say.
QUANTITY = re.compile(
    r"(?:^|_)(?:area|length|distance|width|depth|bearing|angle|height|duration|speed|radius|reach|spread|weight)$"
)
UNIT = re.compile(
    r"\b(?:m²|m2|metres?|m|cm|km|ha|degrees?|°|gon|mil|seconds?|s|days?|hours?|h|years?|percent|%|km/h|share|0[–-]1|0 to 1)\b|[²°%]"
)


def test_the_reference_is_current() -> None:
    """After a change of a public name or docstring: python notebooks/make_api.py"""
    written = (ROOT / "notebooks" / "api.md").read_text("utf-8")
    assert written == api.document(), "run: python notebooks/make_api.py"


def test_it_is_the_same_each_time_and_names_no_place() -> None:
    text = api.document()
    assert text == api.document()
    assert " at 0x" not in text
    assert str(ROOT) not in text


@pytest.mark.parametrize("name, thing", OURS, ids=[n for n, _ in OURS])
def test_every_public_name_says_what_it_is(name: str, thing: Any) -> None:
    first = api.parts_of(inspect.getdoc(thing) or "")[""].split("\n\n")[0]
    assert len(first.split()) >= 3, "a first paragraph that says something"
    assert first.rstrip().endswith((".", ":", "…")), first


@pytest.mark.parametrize("name, thing", FUNCTIONS, ids=[n for n, _ in FUNCTIONS])
def test_errors_that_are_raised_are_documented(name: str, thing: Any) -> None:
    """Errors of the tree raised in the body of a public function have their section."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    raised = {
        n.exc.func.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call) and isinstance(n.exc.func, ast.Name)
    }
    if raised & ERRORS:
        assert api.parts_of(inspect.getdoc(thing) or "").get("Raises"), f"{name} raises {raised & ERRORS}"


def test_every_public_name_has_an_example() -> None:
    """Functions, classes and errors alike; that the examples run is tested with the house."""
    shown = {f"{g}.{n}".lstrip("."): api.parts_of(inspect.getdoc(t) or "").get("Examples", "") for g, n, t in api.public() if inspect.isclass(t) or inspect.isroutine(t)}  # fmt: skip
    bare = sorted(name for name, example in shown.items() if ">>> " not in example)
    assert not bare, f"an example is missing: {bare}"


def test_examples_are_run_unless_they_need_an_extra() -> None:
    """An example that nothing runs shows what nobody has seen."""
    skipped = {f"{g}.{n}".lstrip(".") for g, n, t in api.public() if "+SKIP" in (inspect.getdoc(t) or "")}
    assert skipped <= NOT_RUN, f"make these run: {sorted(skipped - NOT_RUN)}"
    assert skipped >= NOT_RUN, f"take these off the list: {sorted(NOT_RUN - skipped)}"


@pytest.mark.parametrize("name, thing", FUNCTIONS, ids=[n for n, _ in FUNCTIONS])
def test_quantities_have_units(name: str, thing: Any) -> None:
    """A number whose name is a quantity bears its unit in the name, or its words do."""
    text = inspect.getdoc(thing) or ""
    for parameter in inspect.signature(thing).parameters.values():
        numeric = isinstance(parameter.default, int | float) and not isinstance(parameter.default, bool)
        if numeric and QUANTITY.search(parameter.name):
            assert UNIT.search(text), f"{name}: the unit of '{parameter.name}'"
