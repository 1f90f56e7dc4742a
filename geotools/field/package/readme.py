"""`README.txt` of a package: one page in the team's language on what it is, the rules of safety, and what opens each file.

For people; every text from records is made one plain line. What machines need is in `manifest`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from geotools.field.package.cargo import Cargo
from geotools.field.package.phrases import Phrases
from geotools.field.package.points import Points
from geotools.model.provenance import now, version

LONGEST = 120
GUIDE = (
    ("map.html", "file_map"), ("card.pdf", "file_card"), ("cards", "file_card"), ("not_on_map.csv", "file_absent"),
    ("qfield", "file_qfield"), ("gps/boundaries.gpx", "file_gpx"), ("gps/map.kmz", "file_kml"), ("points", "file_points"),
    ("odk", "file_odk"), ("geojson", "file_geojson"), ("manifest.json", "file_manifest"),
)  # fmt: skip
WRITTEN_AFTER = ("manifest.json",)


def text(folder: Path, cargo: Cargo, points: Points | None, phrases: Phrases, counts: tuple[int, int]) -> str:
    """The text; `counts` are the records without a position and the cards."""
    absent, _cards = counts
    head = f"{phrases('title')}: {plain(cargo.title) or phrases('whole')}"
    parts = [
        [head, "=" * len(head)],
        [phrases("warning"), phrases("supports")],
        list(_about(cargo, points, phrases)),
        [phrases("crossing", names=", ".join(map(plain, points.crossing)))] if points and points.crossing else [],
        [phrases("no_place", count=absent)] if absent else [],
        [f"{phrases('rules')}:", *_rules(cargo, phrases)],
        [_asked(cargo, phrases)],
        [f"{phrases('files')}:", *_files(folder, cargo, phrases)],
        [f"{phrases('records')}: " + ", ".join(f"{phrases.kind(k)} {len(f)}" for k, f in cargo.layers.items())],
        [_withheld(cargo, phrases)] if any(cargo.withheld.values()) else [],
        [plain(note, 400) for note in cargo.notes],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def plain(value: str, longest: int = LONGEST) -> str:
    """Text of a record or programme as one line without control or direction marks, at most `longest` letters.

    Examples
    --------
    >>> plain("a\\n\u202eb  c"), len(plain("x" * 900))
    ('a b c', 120)
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _about(cargo: Cargo, points: Points | None, phrases: Phrases) -> Iterator[str]:
    yield f"{phrases('programme')}: {plain(cargo.name)}"
    yield f"{phrases('level')}: {phrases(cargo.level)}"
    yield f"{phrases('written')}: {now():%Y-%m-%d %H:%M} UTC, geotools {version()}"
    yield from cargo.said(phrases)
    yield phrases("datum")
    if points is not None and len(points.table):
        yield phrases("declination", day=points.day.isoformat())
    if cargo.public:
        yield phrases("squares_note", side=f"{cargo.precision_m:g}")
    elif cargo.precision_m:
        yield phrases("squares", side=f"{cargo.precision_m:g}")


def _rules(cargo: Cargo, phrases: Phrases) -> Iterator[str]:
    yield phrases("rule_boundary")
    yield phrases("rule_state", day=cargo.information) if cargo.information else phrases("rule_undated")
    yield phrases("rule_public" if cargo.public else "rule_return")


def _asked(cargo: Cargo, phrases: Phrases) -> str:
    told = cargo.programme.texts.get("authority" if cargo.public else "contact", "")  # a contact may be a person
    return phrases("ask", contact=plain(told, 200)) if plain(told) else phrases("ask_blank")


def _files(folder: Path, cargo: Cargo, phrases: Phrases) -> Iterator[str]:
    for name, word in GUIDE:
        there = folder / name
        if there.exists() or name in WRITTEN_AFTER:
            shown = name + ("/" if there.is_dir() else "")
            yield f"  {shown:20} {phrases('file_qfield_public' if cargo.public and word == 'file_qfield' else word)}"


def _withheld(cargo: Cargo, phrases: Phrases) -> str:
    held = ", ".join(f"{plain(kind)} {n}" for kind, n in sorted(cargo.withheld.items()) if n)
    return f"{phrases('withheld')}: {held}. {phrases('withheld_note')}"
