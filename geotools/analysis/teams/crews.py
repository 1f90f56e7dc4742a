"""Teams, machines and dogs as rows of data: what each can do, how fast, from where, and when.

For reading and checking them; what they shall do is planned elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from geotools.analysis.teams.rates import Rate
from geotools.analysis.teams.workdays import Calendar
from geotools.model.doors import check_fields, checked
from geotools.model.errors import SchemaError
from geotools.model.programme import load_toml


@dataclass(frozen=True)
class Team:
    """One team, machine with crew, or dog set.

    Parameters
    ----------
    id
        Its name, unique.
    rates
        Skill → `Rate`. Skills are the methods of the trade (``manual``, ``mdd``, ``mechanical``, ``bac`` …) or words of your own
        such as ``follow_up`` for the search behind a machine. What is not listed it cannot do.
    base
        (lon, lat) where it sets out each day; None: travel is not counted.
    hours
        Hours of a working day, travel included.
    speed_kmh, detour
        Travel speed, and how much longer roads are than the straight line.
    move_days
        Days without work each time it changes to another task.
    calendar
        Its working days.
    first, last
        When it is available; None: always.

    Examples
    --------
    >>> Team("M-1", {"mechanical": Rate(3000)}).skills
    ('mechanical',)
    """

    id: str
    rates: Mapping[str, Rate]
    base: tuple[float, float] | None = None
    hours: float = 7.0
    speed_kmh: float = 30.0
    detour: float = 1.4
    move_days: float = 0.0
    calendar: Calendar = field(default_factory=Calendar)
    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if not str(self.id).strip() or not self.rates:
            raise SchemaError(f"team '{self.id}' needs an id and at least one rate")
        if not (0 < self.hours <= 24 and self.speed_kmh > 0 and self.detour >= 1 and self.move_days >= 0):
            raise SchemaError(
                f"team {self.id}: hours, speed, detour or move days make no sense",
                hint="hours up to 24, speed above 0, detour at least 1, move days not negative",
            )

    @property
    def skills(self) -> tuple[str, ...]:
        """What it can do, in the order given."""
        return tuple(self.rates)


_TEAM_KEYS = {"id", "rates", "base", "hours", "speed_kmh", "detour", "move_days", "first", "last", "count"}
_CALENDAR_KEYS = {"weekdays", "holidays", "closed", "seasons", "weather"}
_RATE_KEYS = {"m2_per_day", "cv", "day_cv", "ground_cv", "basis"}


def load_teams(path: str | Path) -> tuple[Team, ...]:
    """Read teams from TOML: ``[calendar]`` for all, then ``[[team]]`` rows (see `example_text`).

    A row with ``count = 3`` stands for three equal teams ``ID-1`` to ``ID-3``. A row's own calendar entries replace those of all.

    Returns
    -------
    tuple of Team
        Rates in m² of one team on one working day.

    Raises
    ------
    ReadError
        If the file cannot be read.
    SchemaError
        If a row lacks what it needs, or says something unknown.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp(), "teams.toml")
    >>> _ = file.write_text('[[team]]\\nid = "Manual"\\ncount = 2\\nrates = { manual = { m2_per_day = 420 } }\\n', "utf-8")
    >>> [(team.id, team.rates["manual"].m2_per_day) for team in load_teams(file)]
    [('Manual-1', 420.0), ('Manual-2', 420.0)]
    """
    return teams_from(load_toml(path), file=path)


@checked
def teams_from(data: Mapping[str, Any], *, file: object = None) -> tuple[Team, ...]:
    """Teams from parsed TOML; see `load_teams`.

    Parameters
    ----------
    data
        What the TOML says.
    file
        Named in errors.

    Returns
    -------
    tuple of Team
        Rates in m² of one team on one working day.

    Raises
    ------
    SchemaError
        If there is no team in it, two bear one name, or a row lacks what it needs or says something unknown.

    Examples
    --------
    >>> row = {"id": "Dogs", "base": [47.15, 39.595], "rates": {"mdd": {"m2_per_day": 850, "cv": 0.3}}}
    >>> [(team.id, team.skills, team.base) for team in teams_from({"team": [row]})]
    [('Dogs', ('mdd',), (47.15, 39.595))]
    """
    rows = data.get("team", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise SchemaError("there is no [[team]] in it", hint="geotools plan teams --example shows one", file=file)
    try:
        common = _calendar_entries(data.get("calendar", {}), "[calendar]")
        teams = [team for row in rows for team in _teams_of(row, common)]
        seen: set[str] = set()
        for team in teams:
            if team.id in seen:
                raise SchemaError(f"two teams are called '{team.id}'")
            seen.add(team.id)
    except SchemaError as error:
        error.file = error.file or (None if file is None else str(file))
        raise
    return tuple(teams)


def _teams_of(row: Mapping[str, Any], common: dict[str, Any]) -> list[Team]:
    name = str(row.get("id", "")).strip()
    where = f"team '{name}'" if name else "a [[team]] without id"
    unknown = sorted(set(row) - _TEAM_KEYS - _CALENDAR_KEYS)
    if unknown:
        raise SchemaError(
            f"{where} has an unknown entry '{unknown[0]}'",
            hint=f"entries are {', '.join(sorted(_TEAM_KEYS | _CALENDAR_KEYS))}",
        )
    if not name or not isinstance(row.get("rates"), Mapping) or not row["rates"]:
        raise SchemaError(
            f"{where} needs an id and rates", hint="rates = { manual = { m2_per_day = 45, cv = 0.3, day_cv = 0.4 } }"
        )
    rates = {str(skill): _rate(value, f"{where}, {skill}") for skill, value in row["rates"].items()}
    own = {**common, **_calendar_entries({k: row[k] for k in _CALENDAR_KEYS if k in row}, where)}
    plain: dict[str, Any] = {
        key: _number(row[key], f"{where}, {key}") for key in ("hours", "speed_kmh", "detour", "move_days") if key in row
    }
    plain |= {key: _day(row[key], f"{where}, {key}") for key in ("first", "last") if key in row}
    base = _base(row["base"], where) if "base" in row else None
    count = row.get("count", 1)
    if not isinstance(count, int) or not 1 <= count <= 500:
        raise SchemaError(f"{where}: count is a whole number from 1 to 500")
    names = [name] if count == 1 else [f"{name}-{number}" for number in range(1, count + 1)]
    return [Team(each, rates, base=base, calendar=Calendar(**own), **plain) for each in names]


def _rate(value: Any, where: str) -> Rate:
    entries = value if isinstance(value, Mapping) else {"m2_per_day": value}
    unknown = sorted(set(entries) - _RATE_KEYS)
    if unknown or "m2_per_day" not in entries:
        raise SchemaError(
            f"{where}: {f'unknown entry {unknown[0]!r}' if unknown else 'm2_per_day is missing'}",
            hint=f"a rate has {', '.join(sorted(_RATE_KEYS))}",
        )
    numbers = {k: _number(v, f"{where}, {k}") for k, v in entries.items() if k != "basis"}
    try:
        return Rate(**numbers, basis=str(entries.get("basis", "stated in the table of teams")))
    except ValueError as error:
        raise SchemaError(f"{where}: {error}") from error


def _calendar_entries(entries: Any, where: str) -> dict[str, Any]:
    if not isinstance(entries, Mapping) or set(entries) - _CALENDAR_KEYS:
        raise SchemaError(f"{where}: a calendar has {', '.join(sorted(_CALENDAR_KEYS))}")
    out: dict[str, Any] = {}
    for key, value in entries.items():
        if key == "weather" and isinstance(value, int | float):
            out[key] = float(value)
            continue
        if not isinstance(value, list):
            raise SchemaError(f"{where}: {key} is a list")
        out[key] = tuple(_entry(key, item, where) for item in value)
    return out


def _entry(key: str, item: Any, where: str) -> Any:
    if key == "weekdays":
        return str(item).lower()[:3]
    if key == "holidays":
        return _day(item, f"{where}, {key}")
    if key == "weather":
        return _number(item, f"{where}, {key}")
    if not isinstance(item, list) or len(item) != 2:
        raise SchemaError(f"{where}: each entry of {key} is [from, to]")
    return tuple(_day(part, f"{where}, {key}") if key == "closed" else str(part) for part in item)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SchemaError(f"{where}: '{value}' is not a number")
    return float(value)


def _day(value: Any, where: str) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise SchemaError(f"{where}: '{value}' is not a date", hint="write YYYY-MM-DD") from error


def _base(value: Any, where: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise SchemaError(f"{where}: base is [lon, lat] in degrees")
    lon, lat = (_number(part, f"{where}, base") for part in value)
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise SchemaError(f"{where}: base is [lon, lat] in degrees", hint="longitude first")
    return lon, lat


def example_text() -> str:
    """A table of teams to start from; the teams and rates are invented.

    Examples
    --------
    >>> import tomllib
    >>> len(teams_from(tomllib.loads(example_text())))
    5
    """
    from importlib import resources

    return resources.files("geotools.analysis.teams").joinpath("example.toml").read_text("utf-8")
