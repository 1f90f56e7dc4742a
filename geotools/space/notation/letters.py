"""The letters and words that say north, south, east, west, latitude and longitude, in four languages.

For the readers of this folder; not for labels on products (see `model.vocab`).
"""

from __future__ import annotations

import unicodedata

from geotools.model.errors import NotationError

# language → letter → (axis, sign). Ş is both şimal (north) and şərq (east) in Azerbaijani: the other letter decides.
LETTERS: dict[str, dict[str, tuple[tuple[str, int], ...]]] = {
    "en": {"N": (("lat", 1),), "S": (("lat", -1),), "E": (("lon", 1),), "W": (("lon", -1),)},
    "tr": {"K": (("lat", 1),), "G": (("lat", -1),), "D": (("lon", 1),), "B": (("lon", -1),)},
    "az": {"Ş": (("lat", 1), ("lon", 1)), "C": (("lat", -1),), "Q": (("lon", -1),)},
    "ru": {"С": (("lat", 1),), "Ю": (("lat", -1),), "В": (("lon", 1),), "З": (("lon", -1),)},
}
# Latin letters typed for the Cyrillic ones they look like, and the other way round.
_LOOK_ALIKE = {
    "ru": {"C": "С", "B": "В", "3": "З"},
    "en": {"Ѕ": "S", "Е": "E"},
    "tr": {"К": "K", "В": "B"},
    "az": {"С": "C"},
}

_WORDS: dict[str, tuple[str, int]] = {}
for _axis, _sign, _names in (
    ("lat", 1, "north northing n.lat şimal şm simal ş.e şm.e şimal-enliyi kuzey север северная северной с.ш сш"),
    ("lat", -1, "south s.lat cənub cenub c.e güney guney юг южная южной ю.ш юш"),
    ("lon", 1, "east e.long şərq serq şərqi ş.u şrq doğu dogu восток восточная восточной в.д вд"),
    ("lon", -1, "west w.long qərb qerb q.u batı bati запад западная западной з.д зд"),
    ("lat", 0, "lat latitude enlik enliyi enlem φ широта широты шир"),
    ("lon", 0, "lon lng long longitude uzunluq uzunluğu boylam λ долгота долготы долг"),
):
    for _name in _names.split():
        _WORDS[_name.replace(".", "")] = (_axis, _sign)


def fold_word(text: str) -> str:
    """A word in small letters without dots, dotted İ and combining marks settled.

    Examples
    --------
    >>> fold_word("ŞİMAL"), fold_word("С.Ш.")
    ('şimal', 'сш')
    """
    plain = unicodedata.normalize("NFC", text.replace("İ", "i").casefold().replace("i̇", "i"))
    return plain.replace(".", "")


def axis_word(text: str) -> tuple[str, int] | None:
    """What a whole word says: axis and sign (0: the axis only), or None.

    Examples
    --------
    >>> axis_word("Latitude"), axis_word("şərq"), axis_word("mine") is None
    (('lat', 0), ('lon', 1), True)
    """
    return _WORDS.get(fold_word(text))


def is_letter(text: str) -> bool:
    """Whether a single letter can name a direction in any language."""
    upper = text.upper()
    return len(upper) == 1 and any(
        upper in letters or upper in _LOOK_ALIKE.get(language, {}) for language, letters in LETTERS.items()
    )


def hemispheres(first: str, second: str | None) -> tuple[tuple[str, int], tuple[str, int] | None]:
    """What one or two direction letters mean together: ((axis, sign), (axis, sign)).

    Both must belong to one language. Latin С/C and В/B look-alikes are understood if only one reading is left.

    Raises
    ------
    NotationError
        If there is no such reading, or more than one.

    Examples
    --------
    >>> hemispheres("Ş", "Ş"), hemispheres("С", "В"), hemispheres("K", "D")
    ((('lat', 1), ('lon', 1)), (('lat', 1), ('lon', 1)), (('lat', 1), ('lon', 1)))
    """
    for look_alike in (False, True):
        found = _pairs(first.upper(), None if second is None else second.upper(), look_alike)
        if len(found) == 1:
            return found.pop()
        if len(found) > 1:
            if first.upper() == second == "Ş" or (first.upper(), (second or "").upper()) == ("Ş", "Ş"):
                return ("lat", 1), ("lon", 1)  # şimal, şərq: latitude is written first
            break
    letters = first if second is None else f"{first} and {second}"
    raise NotationError(f"the direction letters {letters} do not tell latitude from longitude", hint="use N, S, E, W")


def _pairs(first: str, second: str | None, look_alike: bool) -> set[tuple[tuple[str, int], tuple[str, int] | None]]:
    found: set[tuple[tuple[str, int], tuple[str, int] | None]] = set()
    for language, letters in LETTERS.items():
        same = _LOOK_ALIKE.get(language, {}) if look_alike else {}
        ones = letters.get(same.get(first, first), ())
        if second is None:
            found.update((one, None) for one in ones)
            continue
        twos = letters.get(same.get(second, second), ())
        found.update((one, two) for one in ones for two in twos if one[0] != two[0])
    return found
