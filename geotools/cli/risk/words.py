"""Figures of the risk commands in words for a manager: rounded, with units, and errors on the cautious side.

For printing only; exact figures are in the JSON. Areas and shares of ground have the one rule of `model.figures`.
"""

from __future__ import annotations

from geotools.model.figures import hectares as area
from geotools.model.figures import percent

__all__ = ["about", "area", "items", "percent"]


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


def about(share: float) -> str:
    """A share as whole percent, for orientation.

    Examples
    --------
    >>> about(0.917), about(0.002)
    ('92 %', 'less than 1 %')
    """
    return "less than 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"
