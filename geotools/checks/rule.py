"""`Check` and `Finding`: a rule is a function with a code, severity, kinds, limits and source; a finding is what it says.

For writing rules, here and in plug-ins; the table of all rules is in `registry`, their words in `messages.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from geotools.checks.layers import Data
from geotools.model.figures import square_metres

GEOCHECK = "GICHD geocheck"
DOMAIN = "geotools"


@dataclass(frozen=True)
class Finding:
    """One finding of a rule, before it is put into words.

    Parameters
    ----------
    kind, id, column
        Layer, record and column concerned.
    words
        Values for the sentence of the rule, already formatted.
    variant
        Which sentence of the rule, where it has several.
    severity
        Over that of the rule.
    value, limit
        What was found and what was allowed.
    geometry
        Where, in WGS 84.

    Examples
    --------
    >>> thin = Finding("hazards", "H-1", words={"width": "0.3 m"}, value=0.3, limit=1.0)
    >>> thin.kind, thin.id, thin.limit
    ('hazards', 'H-1', 1.0)
    """

    kind: str
    id: str = ""
    column: str = ""
    words: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    severity: str = ""
    value: Any = ""
    limit: Any = ""
    geometry: Any = None


@dataclass(frozen=True)
class Check:
    """One rule: its code, what it looks at, its limits and its words.

    Parameters
    ----------
    code
        Its name in the ISSUES table, e.g. ``GC-01``.
    find
        Function of `Data` that yields findings; None for a rule that another room evaluates.
    kinds
        Layers it looks at.
    severity
        ``error``, ``warning`` or ``info``.
    limits
        Names of the programme limits it uses.
    source
        Where the rule comes from.
    texts
        For plug-ins: ``title``, ``message``, ``remedy`` and ``why``, each text or {language: text}; our own rules have
        theirs in ``messages.toml``.
    evaluated_by
        Name of the room that evaluates it, if not this one.

    Examples
    --------
    >>> rule = Check("XX-01", lambda data: [Finding("hazards", "H-1")], ("hazards",), "info", texts={"message": "a note"})
    >>> rule.code
    'XX-01'
    """

    code: str
    find: Callable[[Data], Iterable[Finding]] | None
    kinds: tuple[str, ...]
    severity: str
    limits: tuple[str, ...] = ()
    source: str = DOMAIN
    texts: Mapping[str, Any] = field(default_factory=dict)
    evaluated_by: str = "checks"


def m2(value: float, toward: str = "nearest") -> str:
    """An area for a sentence, as `figures.square_metres` writes it: released ground cut (``down``), what remains raised (``up``).

    Examples
    --------
    >>> m2(12.345), m2(1234.9, "down"), m2(0.003)
    ('12 m²', '1,234 m²', '< 0.1 m²')
    """
    return "< 0.1 m²" if 0 < abs(value) < 0.05 else f"{square_metres(value, toward=toward)} m²"


def metres(value: float) -> str:
    """A length for a sentence.

    Examples
    --------
    >>> metres(0.123), metres(7.0), metres(5321.4)
    ('0.12 m', '7.0 m', '5.3 km')
    """
    if abs(value) >= 1000:
        return f"{value / 1000:,.1f}".replace(",", "\u00a0") + " km"
    return f"{value:.2f} m" if abs(value) < 1 else f"{value:.1f} m" if abs(value) < 100 else f"{value:.0f} m"


def spot(point: Any) -> str:
    """Longitude and latitude of a place for a sentence, 6 decimals.

    Examples
    --------
    >>> import shapely
    >>> spot(shapely.Point(47.1234567, 39.5))
    '47.123457, 39.500000'
    """
    if point is None or point.is_empty:
        return "?"
    centre = point if point.geom_type == "Point" else point.representative_point()
    return f"{centre.x:.6f}, {centre.y:.6f}"


def listed(items: Iterable[object], most: int = 5) -> str:
    """A few items by name, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    'a, b (+1)'
    """
    names = [str(item) for item in items]
    return ", ".join(names[:most]) + (f" (+{len(names) - most})" if len(names) > most else "")
