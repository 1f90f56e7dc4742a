"""Yes and no from cells: general words in several languages, and what logs write of a tool that works or rests.

For single values; not for columns (see `conform`) or for deciding what missing answers mean.
"""

from __future__ import annotations

from typing import Any

from geotools.model.vocab import fold

_YES = frozenset({"1", "true", "t", "yes", "y", "on", "x", "beli", "he", "evet", "da", "да"})
_NO = frozenset({"0", "false", "f", "no", "n", "off", "xeyr", "hayir", "yox", "net", "нет"})
_WORKS_SAID = (
    "engaged|enabled|active|working|work|works|in work|at work|running|down|lowered|in ground|acik|aciq|aktif|aktiv|var|calisiyor|"
    "isleyir|endirilib|indirildi|вкл|включен|включено|включена|работает|работа|в работе|опущен|опущено|опущена|есть"
)
_RESTS_SAID = (
    "disengaged|disabled|inactive|idle|not working|resting|stopped|up|raised|lifted|transport|travel|travelling|traveling|road|parked|"
    "neutral|kapali|bagli|pasif|passiv|yok|calismiyor|islemir|qaldirilib|kaldirildi|durdu|dayanib|выкл|выключен|выключено|выключена|"
    "не работает|поднят|поднято|поднята|стоп|стоит|транспорт"
)
_WORKS, _RESTS = frozenset(_WORKS_SAID.split("|")), frozenset(_RESTS_SAID.split("|"))


def to_boolean(value: Any) -> bool | None:
    """Yes or no from a cell, in words of several languages or as 1 and 0; None for anything else.

    Examples
    --------
    >>> to_boolean("Yes"), to_boolean(0.0), to_boolean("1.0"), to_boolean("да")
    (True, False, True, True)
    >>> to_boolean(0.5) is None, to_boolean("maybe") is None
    (True, True)
    """
    text = folded(value)
    if text in _YES or text in _NO:
        return text in _YES
    number = _number(value)
    return None if number not in (0.0, 1.0) else number == 1.0


def to_working(value: Any) -> bool | None:
    """Whether a tool was at work: yes and no, and words such as engaged, lowered, raised, transport.

    A number other than 1 and 0 (ISO 11783 writes 2 for an error and 3 for not available; others −1) says neither.

    Examples
    --------
    >>> to_working("Lowered"), to_working("çalışmıyor"), to_working("Вкл."), to_working("1.0")
    (True, False, True, True)
    >>> to_working("-1") is None, to_working(3) is None, to_working("maybe") is None
    (True, True, True)
    """
    text = folded(value)
    if text in _WORKS or text in _RESTS:
        return text in _WORKS
    return to_boolean(value) if _number(value) in (None, 0.0, 1.0) else None


def folded(value: Any) -> str:
    """A cell reduced to what its spellings have in common; empty where there is nothing in it.

    Examples
    --------
    >>> folded(" Açıq "), folded(1.0), folded("n/a")
    ('aciq', '1', '')
    """
    from geotools.model.schema.conform import as_text

    return fold(as_text(value) or "")


def _number(value: Any) -> float | None:
    try:
        return float(str(value).strip().replace(",", "."))
    except ValueError:
        return None
