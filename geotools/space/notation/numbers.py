"""Degrees, minutes and seconds in one piece of text, with the precision it was typed to.

For one angle; which of two is the latitude is settled in `positions`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from geotools.model.errors import NotationError

_MARKS = str.maketrans(
    {
        **dict.fromkeys("º˚ᵒ∘", "°"),
        **dict.fromkeys("′’‘ʹʼ`´‛", "'"),
        **dict.fromkeys("″”“ʺ„‟", '"'),
        **dict.fromkeys("−–—‒﹣－", "-"),
        **dict.fromkeys("\u00a0\u202f\u2009\u2007\t\r\n", " "),
    }
)
_UNIT_WORDS = {
    **dict.fromkeys(("d", "deg", "degree", "degrees", "gr", "град", "гр", "derece", "dərəcə"), "°"),
    **dict.fromkeys(("m", "min", "minute", "minutes", "мин", "м", "dk", "dakika", "dəq", "dəqiqə"), "'"),
    **dict.fromkeys(("s", "sec", "second", "seconds", "сек", "с", "sn", "saniye", "saniyə", "san"), '"'),
}
NUMBER = r"\d+(?:[.,]\d+)?"


def tidy(text: object) -> str:
    """Text with one kind of degree, minute, second and minus sign, and without invisible characters.

    Examples
    --------
    >>> tidy(" 39º36’03.5″ \\u200fN ")
    '39°36\\'03.5" N'
    """
    plain = unicodedata.normalize("NFKC", str(text).translate(_MARKS)).translate(_MARKS)
    plain = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Cc"))
    plain = plain.replace("''", '"')
    return " ".join(plain.split())


def unit_of(word: str) -> str | None:
    """The mark (°, ' or ") a word stands for, or None."""
    return _UNIT_WORDS.get(word.casefold().rstrip("."))


@dataclass(frozen=True)
class Angle:
    """Degrees, the unit of the last typed digit in degrees, and how it was written (decimal, dm, dms)."""

    degrees: float
    step: float
    style: str
    signed: bool = False


def step_of(number: str) -> float:
    """The value of one unit in the last typed digit.

    Examples
    --------
    >>> step_of("39.60"), step_of("7")
    (0.01, 1.0)
    """
    _, dot, decimals = number.partition(".")
    return 10.0 ** -len(decimals) if dot else 1.0


def compose(parts: list[str], *, negative: bool = False, signed: bool = False) -> Angle:
    """An angle from its typed parts: [degrees], [degrees, minutes] or [degrees, minutes, seconds].

    Raises
    ------
    NotationError
        If minutes or seconds reach 60, or a part before the last has decimals.
    """
    plain = [part.replace(",", ".") for part in parts]
    values = [float(part) for part in plain]
    if any("." in part for part in plain[:-1]):
        raise NotationError(
            f"only the last part of '{' '.join(parts)}' may have decimals",
            hint="write 39°36'00\" or 39°36.5' or 39.60833°",
        )
    for value, name in zip(values[1:], ("minutes", "seconds"), strict=False):
        if value >= 60:
            raise NotationError(
                f"{value:g} {name} are more than 59", hint="is it a decimal number typed with degree marks?"
            )
    scale = (1.0, 60.0, 3600.0)
    degrees = sum(value / size for value, size in zip(values, scale, strict=False))
    style = ("decimal", "dm", "dms")[len(values) - 1]
    return Angle(-degrees if negative else degrees, step_of(plain[-1]) / scale[len(values) - 1], style, signed)


def packed(number: str, axis: str) -> list[str] | None:
    """The parts of a packed value such as 393600 or 04708.40, or None if it has not that shape.

    Examples
    --------
    >>> packed("393603", "lat"), packed("04708.40", "lon"), packed("39.6", "lat") is None
    (['39', '36', '03'], ['047', '08.40'], True)
    """
    whole, dot, decimals = number.partition(".")
    head = 2 if axis == "lat" else 3
    tail = dot + decimals
    if len(whole) == head + 2:
        return [whole[:head], whole[head:] + tail]
    if len(whole) == head + 4:
        return [whole[:head], whole[head : head + 2], whole[head + 2 :] + tail]
    return None


def commas(text: str, *, single: bool = False) -> str:
    """Settle commas: a decimal comma becomes a point, a separating comma a semicolon.

    Raises
    ------
    NotationError
        If a comma can be either.

    Examples
    --------
    >>> commas("39,6 47,14"), commas("39.6,47.14"), commas("39,6, 47,14"), commas("39,6001,47,1400")
    ('39.6 47.14', '39.6;47.14', '39.6; 47.14', '39.6001;47.1400')
    """
    text = re.sub(r",(?=\s|$)", ";", text)
    if "," not in text:
        return text
    if "." in re.sub(r"[^\d.,]", "", text).strip(".,") and re.search(r"\d\.\d", text):
        return text.replace(",", ";")
    if single:
        return text.replace(",", ".")
    if re.fullmatch(r"[+-]?\d+,\d+,[+-]?\d+,\d+", text):
        a, b, c, d = text.split(",")
        if len(b) >= 3 and len(d) >= 3:
            return f"{a}.{b};{c}.{d}"
        raise NotationError(
            f"the commas in '{text}' can be decimal commas or separators",
            hint="write 39.6001 47.1400, or put a semicolon between the two",
        )
    if re.fullmatch(r"[+-]?\d+,[+-]?\d+", text):
        return text.replace(",", ";")  # two whole numbers
    if re.search(r"\d,\d+,", text):
        raise NotationError(
            f"the commas in '{text}' cannot be told apart", hint="put a semicolon between the two coordinates"
        )
    if re.search(r"""[°'"\w],\D""", text) or re.search(r"[^\d\s],", text):
        text = re.sub(r"(?<=[^\d\s]),|,(?=[^\d\s])", ";", text)
    return text.replace(",", ".")
