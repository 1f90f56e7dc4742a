"""Latitude and longitude from one piece of text or two cells, in decimal degrees, DM, DMS or packed form.

For degrees; metres are read in `grids`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from geotools.model.errors import NotationError
from geotools.space.notation.letters import axis_word, hemispheres, is_letter
from geotools.space.notation.numbers import Angle, commas, compose, packed, tidy, unit_of

_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<mark>[°'\"])|(?P<sign>[+-])|(?P<split>[;/|])|(?P<word>[^\W\d_]+(?:\.[^\W\d_]+)*\.?)|(?P<skip>[\s:=()*,_\[\].])"
)
_ORDER = {"°": 0, "'": 1, '"': 2}
LIMIT = {"lat": 90.0, "lon": 180.0}


@dataclass
class Half:
    """The pieces of one coordinate: typed numbers, their marks, sign, letter and axis."""

    numbers: list[str] = field(default_factory=list)
    marks: list[str | None] = field(default_factory=list)
    sign: str = ""
    letter: str = ""
    axis: str = ""
    direction: int = 0


def read_text(text: str) -> tuple[Angle, Angle, bool]:
    """Two angles from one text: (latitude, longitude, True) if it says which is which, else (first, second, False).

    Raises
    ------
    NotationError
        If it is not two angles, or can be cut in more than one way.

    Examples
    --------
    >>> lat, lon, told = read_text("39°36'03.5\\" N 47°08.4' E")
    >>> round(lat.degrees, 6), lon.degrees, told
    (39.600972, 47.14, True)
    """
    tokens = _tokens(commas(tidy(text)), text)
    one, two = _split(tokens, text)
    return _settle(_half(one, text), _half(two, text), text)


def read_cells(first: str, second: str) -> tuple[Angle, Angle, bool]:
    """As `read_text`, from two cells."""
    whole = f"{first} / {second}"
    halves = [_half(_tokens(commas(tidy(cell), single=True), str(cell)), str(cell)) for cell in (first, second)]
    return _settle(halves[0], halves[1], whole)


def _tokens(text: str, typed: str) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise NotationError(
                f"'{typed}' holds '{text[position]}', which belongs to no coordinate", hint="write 39.6001 N 47.1400 E"
            )
        position = match.end()
        kind = str(match.lastgroup)
        if kind == "word":
            out.extend(_word(match["word"], out, text[position:], typed))
        elif kind != "skip":
            out.append((kind, match[kind]))
    return out


def _word(word: str, before: list[tuple[str, str]], after: str, typed: str) -> list[tuple[str, str]]:
    bare = word.rstrip(".")
    follows_number = bool(before) and before[-1][0] == "number"
    if (
        len(bare) == 2
        and follows_number
        and bare[0].islower()
        and bare[1].isupper()
        and unit_of(bare[0])
        and is_letter(bare[1])
    ):
        return [("mark", str(unit_of(bare[0]))), ("letter", bare[1])]
    unit = unit_of(bare)
    if unit and follows_number and _is_unit(bare, unit, before, after):
        return [("mark", unit)]
    if len(bare) == 1 and is_letter(bare):
        return [("letter", bare)]
    if axis_word(bare):
        return [("axis", bare)]
    if bare.casefold() in ("enliyi", "uzunluğu", "широты", "долготы", "enlem", "boylam"):
        return []
    raise NotationError(f"'{typed}': the word '{bare}' belongs to no coordinate", hint="write 39.6001 N 47.1400 E")


def _is_unit(bare: str, unit: str, before: list[tuple[str, str]], after: str) -> bool:
    if len(bare) > 1:
        return True
    marked = {value for kind, value in before if kind == "mark"}
    if unit == '"':  # 's' is seconds only after minutes, and never a capital: S is south, С is север
        return bare.islower() and "'" in marked
    if unit == "°" and bare.isupper():
        return bool(re.match(r"\s*\d", after)) and not re.match(r"\s*\d+(\.\d+)?\s*°", after)
    return bare.islower()


def _split(tokens: list[tuple[str, str]], typed: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    cut = _cut(tokens)
    if cut is not None:
        one, two = tokens[:cut], tokens[cut:]
        if any(kind == "number" for kind, _ in one) and any(kind == "number" for kind, _ in two):
            return [t for t in one if t[0] != "split"], [t for t in two if t[0] != "split"]
    raise NotationError(f"'{typed}' is not a pair of coordinates", hint="write 39.6001 N 47.1400 E")


def _cut(tokens: list[tuple[str, str]]) -> int | None:
    where = {
        kind: [i for i, token in enumerate(tokens) if token[0] == kind]
        for kind in ("split", "axis", "letter", "number", "sign")
    }
    inner = [i for i in where["split"] if 0 < i < len(tokens) - 1]
    if inner:
        return inner[0] if len(inner) == 1 else None
    labels = sorted(where["axis"] + where["letter"])
    if len(labels) >= 2 and labels[0] == 0:
        later = [
            i
            for i in labels[1:]
            if any(kind == "number" for kind, _ in tokens[:i]) and any(kind == "number" for kind, _ in tokens[i:])
        ]
        return later[0] if later else None
    if len(labels) >= 2:
        return labels[0] + 1
    degrees = [i for i in where["number"] if tokens[i + 1 : i + 2] == [("mark", "°")]]
    if len(degrees) == 2:
        return degrees[1] - (tokens[degrees[1] - 1][0] == "sign")
    signs = [i for i in where["sign"] if i > where["number"][0]] if where["number"] else []
    if len(signs) == 1:
        return signs[0]
    count = len(where["number"])
    if count in (2, 4, 6) and not degrees and not signs:
        return where["number"][count // 2]
    return None


def _half(tokens: list[tuple[str, str]], typed: str) -> Half:
    half = Half()
    for kind, value in tokens:
        if kind == "number":
            half.numbers.append(value if not value.startswith(".") else f"0{value}")
            half.marks.append(None)
        elif kind == "mark" and half.marks and half.marks[-1] is None:
            half.marks[-1] = value
        elif kind == "sign" and not half.numbers and not half.sign:
            half.sign = value
        elif kind == "sign" and value == "-" and half.numbers:
            continue  # 39-36-03: a hyphen between parts
        elif kind == "letter" and not half.letter:
            half.letter = value
        elif kind == "axis":
            axis, direction = axis_word(value) or ("", 0)
            if half.axis and half.axis != axis:
                raise NotationError(f"'{typed}' calls one number both latitude and longitude")
            half.axis, half.direction = axis, half.direction or direction
        else:
            raise NotationError(f"'{typed}' is not a coordinate", hint="write 39.6001 N 47.1400 E")
    if not 1 <= len(half.numbers) <= 3:
        raise NotationError(f"'{typed}' is not a coordinate", hint="degrees, minutes and seconds: 39°36'03\"")
    expected = [mark for mark in half.marks if mark is not None]
    if any(_ORDER[mark] != place for place, mark in enumerate(half.marks) if mark is not None) or (
        len(expected) < len(half.marks) - 1 and expected
    ):
        raise NotationError(
            f"the degree, minute and second marks of '{typed}' are not in order", hint="write 39°36'03\""
        )
    return half


def _settle(one: Half, two: Half, typed: str) -> tuple[Angle, Angle, bool]:
    _name(one, two, typed)
    first, second = _angle(one, typed), _angle(two, typed)
    if not one.axis:
        return first, second, False
    return (first, second, True) if one.axis == "lat" else (second, first, True)


def _name(one: Half, two: Half, typed: str) -> None:
    if one.letter and two.letter:
        readings = hemispheres(one.letter, two.letter)
    elif one.letter or two.letter:
        lone, other = (one, two) if one.letter else (two, one)
        if not other.axis:
            raise NotationError(
                f"only one part of '{typed}' has a direction letter", hint="give both, e.g. 39.6 N 47.1 E"
            )
        said = hemispheres(lone.letter, None)[0]
        readings = (said, None) if lone is one else (None, said)  # type: ignore[assignment]
    else:
        readings = (None, None)  # type: ignore[assignment]
    for half, reading in zip((one, two), readings, strict=True):
        if reading is None:
            continue
        if half.axis and half.axis != reading[0]:
            raise NotationError(f"'{typed}' calls one number both latitude and longitude")
        half.axis, half.direction = reading
    if bool(one.axis) != bool(two.axis):
        named, bare = (one, two) if one.axis else (two, one)
        bare.axis = "lon" if named.axis == "lat" else "lat"
    if one.axis and one.axis == two.axis:
        raise NotationError(f"'{typed}' gives two {'latitudes' if one.axis == 'lat' else 'longitudes'}")


def _angle(half: Half, typed: str) -> Angle:
    if half.direction and half.sign == "-":
        raise NotationError(f"'{typed}' has a minus sign and a direction letter", hint="use one of them")
    parts, limit = half.numbers, LIMIT.get(half.axis, 180.0)
    if len(parts) == 1 and half.axis and half.direction and half.marks[0] is None and float(parts[0]) > limit:
        parts = packed(parts[0], half.axis) or parts
    angle = compose(parts, negative=half.sign == "-" or half.direction < 0, signed=bool(half.sign))
    if abs(angle.degrees) > limit:
        name = {"lat": "a latitude", "lon": "a longitude"}.get(half.axis, "a coordinate in degrees")
        raise NotationError(
            f"{abs(angle.degrees):g}° in '{typed}' is more than {name} can be",
            hint="metres need their reference system: crs=…",
        )
    return angle
