"""Every file of a survey with its state: read, waiting for an answer, damaged, or left aside, and what to do next.

For looking at a folder as it comes; opening it for work is `open_survey`, which stops where this goes on.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geotools.io.store import is_store
from geotools.model.errors import CRSError, GeotoolsError, ReadError
from geotools.model.progress import Progress, tracked
from geotools.model.schema.names import whole_text
from geotools.survey import folder as _folder
from geotools.survey.extent import Bounds, Extent
from geotools.survey.opening import Reading, existing, open_survey, read_source, survey_of
from geotools.survey.record import Survey
from geotools.survey.sources import LayerSource, Plan, of_kind, plan

STATES = ("read", "question", "unreadable", "unnamed", "aside")


@dataclass(frozen=True)
class FileState:
    """One file or layer.

    Parameters
    ----------
    state
        ``read``; ``question``: its reference system must be said first; ``unreadable``; ``unnamed``: records that the
        survey.toml does not name, so they are not used; ``aside``: no records.
    message, hint
        What is the matter and what helps, in words.
    command
        The next thing to type, if there is one.
    """

    file: str
    state: str
    kind: str = ""
    rows: int | None = None
    crs: str = ""
    message: str = ""
    hint: str = ""
    command: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {name: value for name, value in vars(self).items() if value not in ("", None)}


@dataclass(frozen=True)
class Inventory:
    """What could be read, and the state of every file."""

    survey: Survey
    states: tuple[FileState, ...]
    commands: tuple[str, ...] = ()

    @property
    def unread(self) -> tuple[FileState, ...]:
        """Files of the survey whose rows are missing from it."""
        return tuple(item for item in self.states if item.state in ("question", "unreadable"))


def take_stock(
    source: str | Path,
    *,
    kind: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
    progress: Progress | None = None,
) -> Inventory:
    """Open what can be opened, and give the state of every file.

    Parameters
    ----------
    source, kind, crs, encoding
        As `open_survey`. One single file, or a store, is opened as it does, and refused as it does.

    Raises
    ------
    ReadError
        If there is nothing at all, or a survey.toml is wrong.
    """
    place = source if is_store(source) else existing(source)
    if is_store(source) or not (Path(place).is_dir() or Path(place).suffix.lower() == ".toml") or _is_one(Path(place)):
        opened = open_survey(source, kind=kind, crs=crs, encoding=encoding, progress=progress)
        return Inventory(opened, (), (f"geotools check {shlex.quote(str(source))}",))
    path = Path(place)
    failed: list[tuple[LayerSource, GeotoolsError]] = []
    planned = plan(path, crs, encoding, failed=lambda item, error: failed.append((item, error)))
    sources = planned.sources if kind is None else of_kind(planned.sources, kind, path)
    readings: list[Reading] = []
    for item in tracked(list(sources), "reading files", progress):
        try:
            readings.append(read_source(item, planned.programme))
        except GeotoolsError as error:
            failed.append((item, error))
    opened = survey_of(path, planned, readings)
    home = planned.table.parent if planned.table is not None else path
    states = [_read_state(one, home) for one in readings]
    extent = opened.extent()
    states += [_failed_state(item, error, home, planned, extent) for item, error in failed]
    states += _rest(home, planned, {_place(item.path) for item in (*planned.sources, *(f for f, _ in failed))})
    return Inventory(opened, tuple(states), _commands(path, planned, states))


def _is_one(path: Path) -> bool:
    """A folder that is one file of records: a file geodatabase, or one that only has the name of a file."""
    from geotools.io import registry

    return path.is_dir() and registry.of_path(path) is not None


def _read_state(one: Reading, home: Path) -> FileState:
    return FileState(_name(one.item, home), "read", one.name, len(one.frame), one.system)


def _name(item: LayerSource, home: Path) -> str:
    shown = _relative(item.path, home)
    return f"{shown}:{item.layer}" if item.layer and item.layer != item.path.stem else shown


def _relative(path: Path, home: Path) -> str:
    return whole_text(str(path.relative_to(home) if path.is_relative_to(home) else path))


def _failed_state(item: LayerSource, error: GeotoolsError, home: Path, planned: Plan, extent: Extent) -> FileState:
    state = "question" if isinstance(error, CRSError) else "unreadable"
    command = _explain(item, planned, extent.bounds) if state == "question" else ""
    return FileState(_name(item, home), state, item.kind or "", message=error.message, hint=error.hint, command=command)


def _explain(item: LayerSource, planned: Plan, bounds: Bounds | None) -> str:
    """The command that says in which system the coordinates of a file may be."""
    words = ["geotools", "datum", "--explain", shlex.quote(str(item.path))]
    if item.layer:
        words += ["--layer", shlex.quote(item.layer)]
    if item.encoding:
        words += ["--encoding", shlex.quote(item.encoding)]
    if planned.programme.extent is not None and planned.table is not None:
        words += ["--programme", shlex.quote(str(planned.table))]
    elif bounds is not None:
        west, south, east, north = widened(bounds)
        words += [f"--bounds={west:g},{south:g},{east:g},{north:g}"]
    return " ".join(words)


def widened(bounds: Bounds) -> Bounds:
    """A box around the box, in tenths of a degree: room for records that are not read yet.

    Examples
    --------
    >>> widened((47.11, 39.42, 47.29, 39.58))
    (46.9, 39.2, 47.5, 39.8)
    """
    west, south, east, north = bounds
    pad = max(0.25, 0.5 * max(east - west, north - south))
    low = (max(-180.0, west - pad), max(-90.0, south - pad))
    high = (min(180.0, east + pad), min(90.0, north + pad))
    return round(low[0], 1), round(low[1], 1), round(high[0], 1), round(high[1], 1)


def _place(path: Path) -> str:
    """One text for one place, without following links."""
    return os.path.normpath(path.absolute())


def _rest(home: Path, planned: Plan, taken: set[str]) -> list[FileState]:
    """Files that no source names."""
    named = planned.table is not None and bool(planned.sources)
    rasters = {_place(p) for p in planned.rasters.values()}
    out = []
    try:
        entries = _folder.entries(home, deep=named)
    except ReadError as error:
        return [FileState(str(home), "aside", message=f"{error.message}: those that no table names are not listed")]
    for entry in entries:
        shown = _relative(entry.path, home)
        if entry.what == "records" and _place(entry.path) not in taken:
            words = "not named in survey.toml: its records are not used"
            out.append(FileState(shown, "unnamed", message=words))
        elif entry.what == "raster" and _place(entry.path) not in rasters:
            out.append(FileState(shown, "aside", message="a raster whose role nobody named (dem, landcover, ortho)"))
        elif entry.what in ("aside", "folder"):
            out.append(FileState(shown, "aside", message=entry.words))
    return out


def _commands(path: Path, planned: Plan, states: list[FileState]) -> tuple[str, ...]:
    """What to type next, the most useful first."""
    here = shlex.quote(str(path))
    home = shlex.quote(str(planned.table.parent if planned.table is not None else path))
    out = list(dict.fromkeys(item.command for item in states if item.command))
    waits = any(item.state in ("question", "unreadable") for item in states)
    if planned.table is None and states:
        out.append(f"geotools init {home}")
    elif waits:
        out.append(f"geotools info {here}")
    if not waits and any(item.state == "read" for item in states):
        out.append(f"geotools check {here}")
    return tuple(out)


def counts(states: tuple[FileState, ...]) -> Mapping[str, int]:
    """Files by state, in the order of `STATES`; states that no file has are left out."""
    return {name: n for name in STATES if (n := sum(item.state == name for item in states))}
