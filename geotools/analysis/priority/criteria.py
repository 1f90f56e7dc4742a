"""Criteria: which indicator counts, in which direction, how much, and where its weight comes from.

For reading and checking them as rows of data; weights are decisions of an authority, those that come with the software are examples.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from geotools.analysis.priority.ahp import Ahp, ahp
from geotools.analysis.priority.promethee import Preference
from geotools.model.doors import check_fields, checked
from geotools.model.errors import SchemaError
from geotools.model.programme import load_toml

SCALES = ("linear", "log")
_KEYS = {
    "name",
    "indicator",
    "weight",
    "better",
    "scale",
    "worst",
    "best",
    "error",
    "unit",
    "preference",
    "q",
    "p",
    "s",
}


@dataclass(frozen=True)
class Criterion:
    """One criterion: what it measures, what is better, and its weight.

    Parameters
    ----------
    name
        As people read it.
    indicator
        Column of the indicators.
    weight
        How much it counts; weights are divided by their sum.
    better
        ``more``: a high figure makes a task urgent; ``less``: a low one.
    scale
        ``linear``, or ``log`` for figures that differ by orders of magnitude (``log(1 + x)``).
    worst, best
        Figures that score 0 and 1; None: the extremes among the tasks.
    error
        Relative standard deviation of a figure, for rank stability.
    unit
        Printed after the figure.
    preference
        Function of PROMETHEE, in units of the indicator; None: linear up to the spread of the middle half of the tasks.

    Raises
    ------
    SchemaError
        If a word is not known, a weight or error is negative, or ``worst`` and ``best`` are the same figure.

    Examples
    --------
    >>> cost = Criterion("Cost", "cost_per_m2", 0.2, better="less", worst=5.0, best=1.0, unit="per m²")
    >>> cost.scale, cost.error
    ('linear', 0.1)
    """

    name: str
    indicator: str
    weight: float
    better: str = "more"
    scale: str = "linear"
    worst: float | None = None
    best: float | None = None
    error: float = 0.1
    unit: str = ""
    preference: Preference | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.better not in ("more", "less") or self.scale not in SCALES:
            raise SchemaError(f"criterion '{self.name}': better is more or less, scale is linear or log")
        if not (np.isfinite(self.weight) and self.weight >= 0 and 0 <= self.error < 10):
            raise SchemaError(f"criterion '{self.name}': weight and error are not negative")
        if self.worst is not None and self.worst == self.best:
            raise SchemaError(f"criterion '{self.name}': worst and best are the same figure")


@dataclass(frozen=True)
class Criteria:
    """Criteria with weights that sum to 1, and what is known about where they come from.

    Parameters
    ----------
    rows
        At least one with a weight above 0; names are unique.
    title, source
        What these weights are, and who set them.
    verified
        Whether an authority has set them; if not, every list says so.
    judgements
        The pairwise comparisons the weights come from, see `ahp`.

    Raises
    ------
    SchemaError
        If no weight is above 0, or two criteria have the same name.

    Examples
    --------
    >>> both = Criteria((Criterion("People", "people", 3), Criterion("Roads", "road_m", 1)))
    >>> both.weights.tolist(), both.words
    ([0.75, 0.25], 'weights: own; UNVERIFIED, no authority has set them')
    """

    rows: tuple[Criterion, ...]
    title: str = ""
    source: str = ""
    verified: bool = False
    judgements: Ahp | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.rows or not sum(c.weight for c in self.rows) > 0:
            raise SchemaError("there is no criterion with a weight above 0")
        names = [c.name for c in self.rows]
        if len(set(names)) != len(names):
            raise SchemaError("two criteria have the same name")

    @property
    def weights(self) -> np.ndarray:
        """Weights in the order of the rows, sum 1."""
        given = np.array([c.weight for c in self.rows], dtype=float)
        return given / given.sum()

    @property
    def names(self) -> list[str]:
        """Names in the order of the rows."""
        return [c.name for c in self.rows]

    @property
    def words(self) -> str:
        """What to print beside every list made with these criteria."""
        said = f"weights: {self.title or 'own'}" + (f" ({self.source})" if self.source else "")
        if not self.verified:
            said += "; UNVERIFIED, no authority has set them"
        return said + (f"; {self.judgements.words}" if self.judgements is not None else "")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = [{"name": c.name, "indicator": c.indicator, "weight": float(w), "better": c.better, "scale": c.scale} for c, w in zip(self.rows, self.weights, strict=True)]  # fmt: skip
        judged = self.judgements.to_dict() if self.judgements is not None else None
        return {"title": self.title, "source": self.source, "verified": self.verified, "criteria": rows, "ahp": judged}


def presets() -> tuple[str, ...]:
    """Names of the sets of criteria that come with the software.

    Examples
    --------
    >>> presets()
    ('example', 'people')
    """
    return tuple(_shipped())


@checked
def criteria(source: str | Path | Mapping[str, Any] = "example", *, accept_inconsistent: bool = False) -> Criteria:
    """Criteria of a preset, a TOML file, or parsed TOML.

    Parameters
    ----------
    source
        Name of a preset, or a file with ``[[criterion]]`` rows; ``[ahp] judgements = [["A", "B", 3], …]`` replaces the weights.
    accept_inconsistent
        As for `ahp`.

    Raises
    ------
    ReadError
        If the file cannot be read.
    SchemaError
        If a row is wrong.
    StatisticsError
        If judgements contradict each other.

    Examples
    --------
    >>> round(float(criteria("example").weights.sum()), 9), criteria("example").verified
    (1.0, False)
    """
    if isinstance(source, Mapping):
        return _from(source, None, accept_inconsistent)
    shipped = _shipped()
    if str(source) in shipped:
        return _from(shipped[str(source)], None, accept_inconsistent)
    if Path(source).suffix.lower() != ".toml":
        raise SchemaError(f"there is no preset '{source}'", hint=f"presets: {', '.join(shipped)}; or give a .toml file")
    return _from(load_toml(source), source, accept_inconsistent)


def _shipped() -> dict[str, Any]:
    text = resources.files("geotools.analysis.priority").joinpath("presets.toml").read_text("utf-8")
    return {name: rows for name, rows in tomllib.loads(text).items() if "criterion" in rows}


def _from(data: Mapping[str, Any], file: object, accept: bool) -> Criteria:
    rows = data.get("criterion", [])
    try:
        if not isinstance(rows, list) or not rows:
            raise SchemaError("there is no [[criterion]] in it", hint="geotools plan priority --example shows a table")
        made = tuple(_row(row, number) for number, row in enumerate(rows, start=1))
        judged = None
        if "ahp" in data:
            judged = ahp(
                _pairs(data["ahp"]),
                random_index=str(data["ahp"].get("random_index", "saaty")),
                accept_inconsistent=accept,
            )
            made = _weighed(made, judged)
        return Criteria(
            made, str(data.get("title", "")), str(data.get("source", "")), data.get("verified") is True, judged
        )
    except SchemaError as error:
        error.file = error.file or (None if file is None else str(file))
        raise


def _row(row: Any, number: int) -> Criterion:
    if not isinstance(row, Mapping):
        raise SchemaError(f"[[criterion]] number {number} is not a table")
    unknown = sorted(set(row) - _KEYS)
    if unknown or "name" not in row or "indicator" not in row:
        what = f"an unknown entry '{unknown[0]}'" if unknown else "no name or no indicator"
        raise SchemaError(f"[[criterion]] number {number} has {what}", hint=f"entries are {', '.join(sorted(_KEYS))}")
    numbers: dict[str, Any] = {}
    for key in ("weight", "worst", "best", "error", "q", "p", "s"):
        if key in row:
            if isinstance(row[key], bool) or not isinstance(row[key], int | float):
                raise SchemaError(f"criterion '{row['name']}': {key} is '{row[key]}', not a number")
            numbers[key] = float(row[key])
    thresholds = {key: numbers.pop(key) for key in ("q", "p", "s") if key in numbers}
    preference = Preference(str(row["preference"]), **thresholds) if "preference" in row else None
    texts: dict[str, Any] = {key: str(row[key]) for key in ("better", "scale", "unit") if key in row}
    return Criterion(
        str(row["name"]), str(row["indicator"]), numbers.pop("weight", 1.0), **texts, **numbers, preference=preference
    )


def _pairs(table: Any) -> dict[tuple[str, str], float]:
    rows = table.get("judgements") if isinstance(table, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(r, list) and len(r) == 3 for r in rows):
        raise SchemaError("[ahp] needs judgements", hint='judgements = [["People", "Roads", 3], …]')
    out: dict[tuple[str, str], float] = {}
    for a, b, value in rows:
        if (str(a), str(b)) in out:
            raise SchemaError(f"the pair {a} / {b} is judged twice")
        out[str(a), str(b)] = value
    return out


def _weighed(rows: Iterable[Criterion], judged: Ahp) -> tuple[Criterion, ...]:
    from dataclasses import replace

    made = tuple(rows)
    names = {c.name for c in made}
    if names != set(judged.weights.index):
        odd = sorted(names ^ set(judged.weights.index))
        raise SchemaError(
            f"'{odd[0]}' is not both a criterion and judged", hint="judge each pair of criteria by their names"
        )
    return tuple(replace(c, weight=float(judged.weights[c.name])) for c in made)


def example_text() -> str:
    """The preset ``example`` as a table to start from.

    Examples
    --------
    >>> len(criteria(tomllib.loads(example_text())).rows)
    9
    """
    text = resources.files("geotools.analysis.priority").joinpath("presets.toml").read_text("utf-8")
    part = text[text.index("[example]") : text.index("# ---- end of example")]
    lines = [
        line.replace("[[example.criterion]]", "[[criterion]]") for line in part.splitlines() if line != "[example]"
    ]
    return (
        "# Criteria of priority: put in your authority's own. Weights are divided by their sum.\n"
        + "\n".join(lines).strip()
        + "\n"
    )
