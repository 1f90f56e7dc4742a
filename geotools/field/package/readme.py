"""`README.txt` of a package in the team's language: what it is, what is in it, what stays behind. Not for records."""

from __future__ import annotations

from pathlib import Path

from geotools.field.package.cargo import Cargo
from geotools.field.package.phrases import Phrases
from geotools.field.package.points import Points
from geotools.model.provenance import now, version


def text(folder: Path, cargo: Cargo, points: Points | None, phrases: Phrases, counts: tuple[int, int]) -> str:
    """The text; `counts` are the records without a position and the cards."""
    absent, _cards = counts
    head = f"{phrases('title')}: {cargo.title or phrases('whole')}"
    lines = [head, "=" * len(head), "", phrases("warning"), phrases("supports"), ""]
    lines += [
        f"{phrases('programme')}: {cargo.name}",
        f"{phrases('level')}: {phrases(cargo.level)}",
        f"{phrases('written')}: {now():%Y-%m-%d %H:%M} UTC, geotools {version()}",
        phrases("datum"),
    ]
    if points is not None and len(points.table):
        lines.append(phrases("declination", day=points.day.isoformat()))
    if cargo.public:
        lines.append(phrases("squares_note", side=f"{cargo.precision_m:g}"))
    elif cargo.precision_m:
        lines.append(phrases("squares", side=f"{cargo.precision_m:g}"))
    if points is not None and points.crossing:
        lines += ["", phrases("crossing", names=", ".join(points.crossing))]
    if absent:
        lines += ["", phrases("no_place", count=absent)]
    lines += ["", *cargo.notes] if cargo.notes else []
    lines += ["", f"{phrases('files')}:"]
    lines += [f"  {phrases.kind(kind):36} {len(frame):>6} {phrases('rows')}" for kind, frame in cargo.layers.items()]
    lines += [
        "",
        *(
            f"  {p.relative_to(folder).as_posix()}"
            for p in sorted(folder.rglob("*"))
            if p.is_file() and p.parent.name != "icons"
        ),
    ]
    held = {kind: n for kind, n in sorted(cargo.withheld.items()) if n}
    if held:
        lines += [
            "",
            f"{phrases('withheld')}: {', '.join(f'{kind} {n}' for kind, n in held.items())}. {phrases('withheld_note')}",
        ]
    if not cargo.public:
        lines += ["", phrases("return")]
    return "\n".join(lines) + "\n"
