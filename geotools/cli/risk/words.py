"""Figures of the risk commands in words for a manager: rounded, with units, and errors on the cautious side.

For printing only; exact figures are in the JSON.
"""

from __future__ import annotations


def items(number: float, *, noun: str = "") -> str:
    """A number of items, with the digits it deserves.

    Examples
    --------
    >>> items(0.004), items(0.26), items(3.14159), items(46.2), items(0)
    ('less than 0.1', '0.3', '3.1', '46', '0')
    """
    if number <= 0:
        text = "0"
    elif number < 0.05:
        text = "less than 0.1"
    else:
        text = f"{number:.1f}" if number < 10 else f"{number:,.0f}"
    return f"{text} {noun}".strip()


def area(square_metres: float) -> str:
    """An area in m², in hectares from 10 ha.

    Examples
    --------
    >>> area(1234.4), area(250000)
    ('1,234 m²', '25.0 ha')
    """
    return f"{square_metres:,.0f} m²" if square_metres < 100_000 else f"{square_metres / 10_000:,.1f} ha"


def percent(share: float) -> str:
    """A share that shall not look greater than it is, or complete when it is not.

    Examples
    --------
    >>> percent(0.99999), percent(1.0), percent(0.3333)
    ('99.9 %', '100 %', '33.3 %')
    """
    import math

    return f"{math.floor(round(share * 1000, 6)) / 10:g} %"


def about(share: float) -> str:
    """A share as whole percent, for orientation.

    Examples
    --------
    >>> about(0.917), about(0.002)
    ('92 %', 'less than 1 %')
    """
    return "less than 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"
