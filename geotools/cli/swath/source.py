"""What `geotools swath` works on: the polygon of a task, its fixes, and what reading found. Not for working on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANY = 2_000_000  # rows of a Parquet file above which it is streamed
SURVEYS = (".gpkg", ".toml", ".sqlite", ".db")  # files that hold a survey; others hold fixes


@dataclass(frozen=True)
class Source:
    """Task polygons, fixes (or the path of a table too large for memory), issues of reading, method, programme, fixes of other tasks."""

    ground: Any
    fixes: Any
    issues: Any = None
    method: str | None = None
    programme: Any = None
    elsewhere: int = 0

    @property
    def depth_cm(self) -> float | None:
        """Depth that the programme requires, where the fixes record one to hold against it."""
        depths = {} if self.programme is None else self.programme.depth_cm
        recorded = "depth_cm" in self.fixes and self.fixes["depth_cm"].notna().any()
        return float(depths["default"]) if recorded and "default" in depths else None


def load(survey: str, task: str, choices: dict[str, Any], bar: Any) -> Source:
    """Task and fixes from a survey or from two files."""
    from geotools import io
    from geotools.model.errors import CoverageError

    source, wanted = Path(survey), Path(task)
    if source.is_file() and source.suffix.lower() not in SURVEYS:
        if not wanted.is_file():
            raise CoverageError(
                "with one file of fixes, --task must be a file with the polygon",
                hint="for example --task task.geojson",
                file=survey,
            )
        return Source(io.read(wanted, crs=choices["crs"]), *_fixes_file(source, choices))
    from geotools.survey import open_survey

    opened = open_survey(survey, crs=choices["crs"], encoding=choices["encoding"], progress=bar)
    if not len(opened.fixes):
        raise CoverageError(
            "the survey has no fixes", hint="add a layer of kind 'fixes', or give the file of fixes itself", file=survey
        )
    fixes = opened.fixes
    if wanted.is_file():
        return Source(io.read(wanted), fixes, opened.issues, None, opened.programme)
    ground, method = task_of(opened, task, survey)
    if "task_id" in fixes and (fixes["task_id"] == task).any():
        fixes = fixes[fixes["task_id"] == task]
    return Source(ground, fixes, opened.issues, method, opened.programme, len(opened.fixes) - len(fixes))


def _fixes_file(source: Path, choices: dict[str, Any]) -> tuple[Any, Any]:
    from geotools import io

    if source.suffix.lower() in (".parquet", ".geoparquet") and _rows_of(source) > MANY:
        return source, None
    return io.read_with_issues(source, "fixes", crs=choices["crs"], encoding=choices["encoding"])


def _rows_of(path: Path) -> int:
    """Rows of a Parquet file; 0 if it cannot be told, so that reading says what is wrong."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError):
        return 0


def task_of(opened: Any, task: str, survey: str) -> tuple[Any, str | None]:
    """The polygons of a task of a survey, and the method of its work: a key, a word nobody knows as it was entered, or None if nothing is said."""
    from geotools.model.errors import CoverageError

    for kind in ("activities", "hazards"):
        layer = opened.layers.get(kind)
        if layer is None:
            continue
        same = (layer["id"] == task) | (layer["task_id"] == task) if "task_id" in layer else layer["id"] == task
        rows = layer[same & layer.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
        if len(rows):
            return rows, _method_of(rows, opened.programme.words.get("method"))
    raise CoverageError(
        f"there is no task '{task}' with a polygon",
        hint="give the id of an activity or hazard, or a file with the polygon",
        file=survey,
    )


def _method_of(rows: Any, aliases: Mapping[str, str] | None = None) -> str | None:
    """The method of all rows: a machine before a word nobody knows before a search, so that no ground passes for searched by mistake.

    A machine is recognised by the name of its asset as well.
    """
    from geotools.model.methods import MACHINE, UNKNOWN, method_key

    said = [
        str(value)
        for name in ("method", "method_as_entered")
        if name in rows
        for value in rows[name]
        if method_key(value, aliases)
    ]
    keys = [method_key(value, aliases) for value in said]
    names = [word for name in rows.get("asset", []) for word in (name, *str(name).split())]
    if MACHINE in keys or (not said and MACHINE in [method_key(word, aliases) for word in names]):
        return MACHINE
    return said[keys.index(UNKNOWN)] if UNKNOWN in keys else keys[0] if keys else None
