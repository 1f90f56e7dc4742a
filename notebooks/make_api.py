"""Write `api.md`: every public name of geotools with its signature, first paragraph, results, errors and example.

Run `python notebooks/make_api.py` after a public name or its docstring changed; a test says when that is due.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from geotools._exports import MODULES, VERBS

PLACE = Path(__file__).with_name("api.md")
SECTIONS = (
    "Parameters",
    "Returns",
    "Yields",
    "Raises",
    "Attributes",
    "Notes",
    "Examples",
    "References",
    "See Also",
    "Warns",
)
HEAD = """# API reference

Made by `python notebooks/make_api.py` from the docstrings; do not edit. `import geotools as gt`; every name is loaded on first use.
Units are in the names (`area_m2`, `depth_cm`, `bearing_deg`); fractions are 0–1; coordinates are (x, y), regions
(west, south, east, north) in degrees WGS 84; frames are sorted by `id`; inputs are never changed. Every error derives from
`gt.errors.GeotoolsError` and carries a `.hint`.
"""


def names_of(module: Any) -> list[str]:
    """Public names: what a module lists, else the functions and classes that are its own."""
    listed = getattr(module, "__all__", None)
    if listed:
        return sorted(listed)
    own = [
        n for n, v in vars(module).items() if not n.startswith("_") and getattr(v, "__module__", "") == module.__name__
    ]
    return sorted(n for n in own if callable(getattr(module, n)))


def public() -> Iterator[tuple[str, str, Any]]:
    """(module or empty, name, object) of every public name."""
    for name, place in VERBS.items():
        module, attribute = place.split(":")
        yield "", name, getattr(importlib.import_module(module), attribute)
    for name, place in MODULES.items():
        module = importlib.import_module(place)
        for inner in names_of(module):
            yield name, inner, getattr(module, inner)


def parts_of(text: str) -> dict[str, str]:
    """The sections of a numpydoc text; what comes before them is under an empty name."""
    out: dict[str, list[str]] = {"": []}
    lines, current = inspect.cleandoc(text).splitlines(), ""
    for n, line in enumerate(lines):
        under = lines[n + 1] if n + 1 < len(lines) else ""
        if line.strip() in SECTIONS and set(under.strip()) == {"-"}:
            current = line.strip()
            out[current] = []
        elif not (line.strip() and set(line.strip()) == {"-"} and n and lines[n - 1].strip() == current):
            out[current].append(line)
    return {name: "\n".join(body).strip("\n") for name, body in out.items()}


def signature_of(name: str, thing: Any) -> str:
    """The call as it is written, without types."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return name
    plain = [
        p.replace(annotation=inspect.Parameter.empty, default=_Shown(p.default)) for p in found.parameters.values()
    ]
    return f"{name}{found.replace(parameters=plain, return_annotation=inspect.Signature.empty)}"


class _Shown:
    """A default as it is shown: the same on every machine and in every version of Python."""

    def __new__(cls, value: Any) -> Any:
        return inspect.Parameter.empty if value is inspect.Parameter.empty else super().__new__(cls)

    def __init__(self, value: Any) -> None:
        text = repr(value)
        self._text = "…" if " at 0x" in text or "<" in text or len(text) > 60 else text

    def __repr__(self) -> str:
        return self._text


def _text(body: str) -> str:
    """Docstring text as Markdown: double backticks become single ones."""
    return body.replace("``", "`").strip()


def _listed(body: str) -> str:
    """`Name` lines with indented words below them as a list."""
    out: list[str] = []
    for line in body.splitlines():
        if line and not line.startswith(" "):
            out.append(f"- **{_text(line)}**")
        elif line.strip():
            out[-1:] = [f"{out[-1]} {_text(line)}"] if out else [f"- {_text(line)}"]
    return "\n".join(out)


def entry(name: str, thing: Any) -> str:
    """One name as Markdown."""
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        shown = repr(thing)
        plain = len(shown) < 100 and isinstance(thing, str | int | float | tuple)
        return f"#### `{name}`\n\n{type(thing).__name__}" + (f": `{shown}`" if plain else "") + "\n"
    doc = inspect.getdoc(thing) or ""
    found = parts_of(doc)
    paragraphs = [_text(p) for p in found[""].split("\n\n") if p.strip()]
    out = [f"#### `{signature_of(name, thing)}`", "", "\n\n".join(paragraphs)]
    for section in ("Parameters", "Attributes", "Returns", "Yields", "Raises"):
        if found.get(section, "").strip():
            out += ["", f"*{section}*", "", _listed(found[section])]
    if found.get("Examples", "").strip():
        out += ["", "```python", found["Examples"].strip(), "```"]
    return "\n".join(out) + "\n"


def document() -> str:
    """The whole reference."""
    out = [HEAD, "## Verbs\n"]
    last = ""
    for group, name, thing in public():
        if group != last:
            about = parts_of(importlib.import_module(MODULES[group]).__doc__ or "")[""].split("\n\n")
            out.append(f"## gt.{group}\n\n{_text(about[0])}\n")
            last = group
        out.append(entry(f"gt.{group}.{name}" if group else f"gt.{name}", thing))
    return "\n".join(out).rstrip() + "\n"


def main() -> None:
    """Write the file, or with --check say whether it is current."""
    text = document()
    if "--check" in sys.argv:
        sys.exit(0 if PLACE.is_file() and PLACE.read_text("utf-8") == text else 1)
    PLACE.write_text(text, "utf-8", newline="\n")
    print(f"{PLACE}: {len(text.splitlines())} lines, {sum(1 for _ in public())} names")


if __name__ == "__main__":
    main()
