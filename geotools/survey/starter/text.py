"""A proposal as the text of a survey.toml, with comments for the person who reads it.

For writing it down; file and column names are hostile text: nothing in them can become a key, a table or a second line.
"""

from __future__ import annotations

import re

from geotools.model.schema import KINDS
from geotools.model.vocab import vocabulary
from geotools.space import crs as _crs
from geotools.survey.starter.proposal import Layer, Proposal, System

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_SHOWN = 12  # unknown columns that are named


def quoted(text: str) -> str:
    """A TOML basic string.

    Examples
    --------
    >>> print(quoted('a "b"' + chr(10)))
    "a \\"b\\"\\u000a"
    """
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"'
        + _UNSEEN.sub(lambda m: f"\\u{ord(m[0]):04x}" if not 0xD800 <= ord(m[0]) <= 0xDFFF else "\ufffd", plain)
        + '"'
    )


def key(text: str) -> str:
    """A TOML key: bare where that is allowed.

    Examples
    --------
    >>> key("VID"), key("Təhlükəli ərazi")
    ('VID', '"Təhlükəli ərazi"')
    """
    return text if _BARE.fullmatch(text) else quoted(text)


def remark(text: str) -> str:
    """Text that stays within one comment line."""
    return _UNSEEN.sub(" ", text)


def as_toml(proposal: Proposal) -> str:
    """The survey.toml of a proposal; what is asked stands behind ``# ?``.

    Returns
    -------
    str
        TOML that `geotools.open_survey` reads.
    """
    asked = proposal.questions
    lines = [
        "# What lies in this folder, as far as geotools could see. Read it, correct it: it is yours.",
        "# A line that begins with # is a comment. Questions begin with '# ?': answer by writing the line below and taking its # away.",
        "# Then: geotools info on this folder.",
        f"# {len(asked)} questions are open."
        if asked
        else "# No question is open; the guesses below still need your eye.",
        "",
        "[programme]",
        f"name = {quoted(proposal.folder.resolve().name)}",
    ]
    if proposal.extent is not None:
        box = ", ".join(f"{v:g}" for v in proposal.extent)
        lines.append(
            f"extent = [{box}]  # west, south, east, north in degrees: where coordinates are plausible. Correct it to your area"
        )
        metric = _metric(proposal.extent)
        lines.append(
            f"# crs = {quoted(metric)}  # metric system of products. Files that do not say their system would be read in it"
        )
    else:
        lines.append(
            "# extent = [46.8, 39.3, 48.3, 39.9]  # west, south, east, north in degrees: where coordinates are plausible"
        )
    lines += _operations(proposal)
    lines += _words(proposal)
    if proposal.rasters:
        lines += ["", "[rasters]"]
        lines += [
            f"{role} = {quoted(path.relative_to(proposal.folder).as_posix())}"
            for role, path in proposal.rasters.items()
        ]
    for layer in proposal.layers:
        lines += ["", *_layer(layer, proposal)]
    if proposal.aside:
        lines += ["", "# Not used:"]
        lines += [remark(f"#   {name}: {words}") for name, words in proposal.aside.items()]
    return "\n".join(lines) + "\n"


def _metric(extent: tuple[float, float, float, float]) -> str:
    west, south, east, north = extent
    return str(_crs.label(_crs.utm((west + east) / 2, (south + north) / 2)))


def _operations(proposal: Proposal) -> list[str]:
    """Other datums: the operation should be the programme's decision."""
    others = sorted(
        {
            one.system.crs
            for one in proposal.layers
            if one.system.crs.startswith("EPSG:") and not one.out and not _on_wgs84(one.system.crs)
        }
    )
    if not others:
        return []
    return [
        "# Records on another datum are shifted by the best operation known; to fix yours (geotools datum FILE --list-operations):",
        "# [programme.operations]",
        *[f'# {quoted(code)} = "EPSG:…"' for code in others],
    ]


def _words(proposal: Proposal) -> list[str]:
    """Words in columns of closed lists that nobody knows: which of the list they stand for is for a person to say."""
    lines = []
    for name, words in proposal.strange_words.items():
        known = vocabulary(name).keys
        lines += [
            "",
            remark(
                f"# ? Words in the files that {name} does not know. Take the # away and write what they stand for: {', '.join(known)}"
            ),
            f"# [programme.words.{name}]",
            *[
                remark(f"# {quoted(word)} = {quoted('…')}  # {count} rows")
                for word, count in list(words.items())[:_SHOWN]
            ],
        ]
        lines += [f"# and {len(words) - _SHOWN} more"] if len(words) > _SHOWN else []
    return lines


def _on_wgs84(code: str) -> bool:
    geodetic = _crs.parse(code).geodetic_crs
    return geodetic is None or bool(geodetic.equals(_crs.WGS84, ignore_axis_order=True))


def _layer(layer: Layer, proposal: Proposal) -> list[str]:
    seen, item = layer.look, layer.look.item
    lines = [remark(f"# {proposal.name(layer)}: {_about(layer)}")]
    body = ["[[layer]]"]
    if seen.kind:
        body.append(f"kind = {quoted(seen.kind)}  # by {remark(seen.why)}")
    elif not layer.out:
        likely = seen.kinds[0] if seen.kinds else "…"
        total = 0 if seen.raw is None else len(seen.raw.table.columns)
        fits = ", ".join(f"{kind} ({count} of {total} columns fit)" for kind, count in seen.choices)
        words = f" It might be {fits}." if fits else ""
        words += f" ({seen.why})" if seen.why else ""
        body.append(
            f"# ? What does it hold?{words} Without a kind it is kept as a layer of its own, outside the ledger."
        )
        body.append(f"#   Kinds: {' '.join(KINDS)}")
        body.append(f"# kind = {quoted(likely)}")
    if item.path.suffix.lower() == ".gpx" and item.layer == "tracks":
        body.append(
            '# For the ground that a tool covered (geotools swath), read its points instead: kind = "fixes", layer = "fixes"'
        )
    body.append(f"file = {quoted(item.path.relative_to(proposal.folder).as_posix())}")
    if item.layer:
        body.append(f"layer = {quoted(item.layer)}")
    if layer.out:
        return [*lines, remark(f"# left out: {layer.out}"), *(f"# {line}" for line in body)]
    if seen.error is not None and layer.system.state != "asked":
        words = "by its name it belongs to the ledger: mend it, or put # before its lines"
        lines.append(remark(f"# ! {'; '.join(layer.system.words)}; {words}"))
        return [*lines, *body]
    return [*lines, *body, *_system(layer.system, item.path.suffix.lower()), *_columns(layer)]


def _about(layer: Layer) -> str:
    seen = layer.look
    if seen.raw is None:
        return "not looked into" if seen.error is None else "could not be read"
    where = "no coordinates" if not seen.placed else ", ".join(sorted(set(seen.frame().geometry.dropna().geom_type)))
    return f"{seen.rows} rows, {where}"


def _system(system: System, ending: str) -> list[str]:
    lines = []
    if system.state == "stated":
        lines.append(remark(f"# crs: {system.crs}, as the file says"))
    elif system.state == "usual" and ending not in (".geojson", ".json", ".kml", ".kmz", ".gpx"):
        lines.append(
            f"crs = {quoted(system.crs)}  # longitude and latitude; if the receiver was set to another datum, say which"
        )
    elif system.state == "asked":
        lines.append(
            "# ? In which reference system are the coordinates? The file does not say. Ask who made it; a wrong one moves everything."
        )
        for code, title in system.choices:
            lines.append(remark(f"#   {code}: {title}" if title else f"#   {code}"))
        if not system.choices:
            lines.append("#   none of the usual ones fits: geotools datum --explain FILE")
        if len(system.choices) == 1:
            lines.append(
                "#   Only this one fits of those tried, but a datum some 100 m away cannot be told from numbers alone."
            )
        lines.append(f"# crs = {quoted(system.choices[0][0] if len(system.choices) == 1 else 'EPSG:…')}")
    lines += [remark(f"# ! {words}") for words in system.words]
    return lines


def _columns(layer: Layer) -> list[str]:
    seen = layer.look
    if seen.raw is not None and not seen.supposed:
        shown = ", ".join(quoted(str(name)) for name in list(seen.raw.table.columns)[:_SHOWN])
        return [remark(f"# its columns: {shown}")] if shown else []
    named = {source: target for source, target in seen.columns.items() if source != target}
    unknown = [quoted(name) for name in seen.unknown]
    lines = []
    if unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        lines.append(remark(f"# columns not understood, kept as they are: {', '.join(unknown[:_SHOWN])}{more}"))
    left = [] if seen.kind else [f"# {key(name)} = {quoted('…')}" for name in seen.unknown[:_SHOWN]]
    if not named and not seen.guesses and not seen.open and not left:
        return lines
    body = ["[layer.columns]"]
    body += [f"{key(source)} = {quoted(target)}" for source, target in named.items()]
    body += [
        f"{key(source)} = {quoted(target)}  # guess: {remark(why)}" for source, (target, why) in seen.guesses.items()
    ]
    for source, words in seen.open.items():
        target = re.search(r"fit (\w+)|days: (\w+)|(?:is it the )(id)|: (\w+)\?$", words)
        likely = next((g for g in target.groups() if g), "…") if target else "…"
        body.append(remark(f"# ? {source}: {words}"))
        body.append(remark(f"# {key(source)} = {quoted(likely)}"))
    if not seen.kind:
        lines.append(remark(f"#   columns that {seen.supposed} have: {' '.join(KINDS[seen.supposed].names)}"))
        lines.append(f"# If it is {seen.supposed}, its columns are perhaps (take the # away here too):")
        body += left
        body = [line if line.startswith("#") else f"# {line}" for line in body]
    return [*lines, *body]
