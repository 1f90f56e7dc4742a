"""Open a programme's records: which files there are, what each holds, and how their rows come together.

For bringing files together with every row accounted for; not for judging or computing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools import io
from geotools.io.store import is_store
from geotools.model.errors import ReadError
from geotools.model.programme import Programme
from geotools.model.progress import Progress, tracked
from geotools.model.provenance import InputFile, hashing
from geotools.model.schema import KINDS, Issue, conform, issues_frame, join_issues, kind_of, kind_of_content
from geotools.space import crs as _crs
from geotools.survey.made_ids import prefixes, told_apart
from geotools.survey.record import Survey
from geotools.survey.remembered import from_store
from geotools.survey.sources import TABLE_NAMES, LayerSource, Plan, of_kind, plan


def open_survey(
    source: str | Path | Survey,
    *,
    kind: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
    as_of: Any = None,
    progress: Progress | None = None,
) -> Survey:
    """Open a programme's records.

    Parameters
    ----------
    source
        A folder of files, a ``survey.toml``, a GeoPackage, a store (`geotools.store`: ``programme.gpkg``,
        ``postgresql://…``), or one file of records. A folder with a ``survey.toml``
        is read as that file says; otherwise every readable file is taken and its kind known from its name, or from its
        columns where the name does not say (issue RD-04).
    kind
        What the records are, for one file whose name does not say, e.g. ``releases``.
    crs, encoding
        For files that do not say; a ``survey.toml`` wins.
    as_of
        For a store: day, time or number of a revision: what the store *knew* then (a day means its end, in UTC).
        What the records say about days is asked with ``geotools.coverage(..., as_of=)``.

    Returns
    -------
    Survey
        Layers in the CRS of their files (WGS 84 where files of one kind differ), sorted by ``id``.

    Raises
    ------
    ReadError
        If there is nothing to read or a file is damaged, or `kind` is given for more than one layer.
    CRSError
        If a file has coordinates but no reference system.
    StoreError
        If a store cannot be opened, or knew nothing then.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "finds.csv").write_text("id,lon,lat,category\\nF-1,47.2,39.6,AP mine\\n", "utf-8")
    >>> survey = open_survey(folder)
    >>> list(survey.layers), survey.finds["category"].tolist(), len(survey.hazards)
    (['finds'], ['ap_mine'], 0)
    """
    if isinstance(source, Survey):
        return source
    if is_store(source):
        return from_store(source, _on_wgs84, as_of=as_of, progress=progress)
    if as_of is not None:
        raise ReadError(
            "only a store remembers what was known at an earlier time", hint="geotools store --help", file=source
        )
    path = existing(source)
    planned = plan(path, crs, encoding)
    sources = planned.sources if kind is None else of_kind(planned.sources, kind, path)
    with hashing(item.path for item in sources):
        readings = [read_source(item, planned.programme) for item in tracked(sources, "reading files", progress)]
    return survey_of(path, planned, readings)


def existing(source: str | Path) -> Path:
    """The path, if something is there.

    Raises
    ------
    ReadError
        If there is nothing.
    """
    path = Path(source)
    if not path.exists():
        raise ReadError(
            "no such file or folder", hint="give a folder, a .gpkg, a survey.toml or one file of records", file=source
        )
    return path


@dataclass(frozen=True)
class Reading:
    """One source that was read: its rows on WGS 84, the system they came in, and the operation that moved them."""

    item: LayerSource
    frame: gpd.GeoDataFrame
    issues: gpd.GeoDataFrame
    system: str
    moved: Any = None

    @property
    def name(self) -> str:
        """The layer of the survey that these rows belong to."""
        item = self.item
        return item.kind or kind_of(item.layer or item.path.stem) or item.layer or item.path.stem


def read_source(item: LayerSource, programme: Programme) -> Reading:
    """Read one source; rows in another datum are shifted at once.

    Raises
    ------
    ReadError, CRSError
        As `geotools.io.read_with_issues`.
    """
    item, frame, issues = _read(item, programme)
    system = _crs.label(frame.crs) if frame.crs is not None else ""
    frame, shifted, done = _on_wgs84(frame, programme)
    return Reading(item, frame, issues if shifted is None else join_issues(issues, shifted), system, done)


def survey_of(path: Path, planned: Plan, readings: list[Reading]) -> Survey:
    """The survey that these sources make together."""
    programme = planned.programme
    readings = _with_made_ids_apart(readings)
    parts: dict[str, list[tuple[LayerSource, gpd.GeoDataFrame]]] = {}
    for one in readings:
        parts.setdefault(one.name, []).append((one.item, one.frame))
    found = [one.issues for one in readings]
    layers: dict[str, gpd.GeoDataFrame] = {}
    for found_kind in sorted(parts, key=_order):
        layers[found_kind], more = _join(found_kind, parts[found_kind])
        found.append(issues_frame(more))
    name = (
        programme.name
        if programme.name != Programme().name
        else (path.parent if path.name in TABLE_NAMES else path).resolve().stem
    )
    inputs = [_input(one) for one in readings]
    return Survey(name, layers, programme, join_issues(*found), _merged(inputs), planned.rasters)


def _with_made_ids_apart(readings: list[Reading]) -> list[Reading]:
    """The readings; where several feed one layer, the ids made from their row numbers differ from file to file."""
    together: dict[str, list[int]] = {}
    for n, one in enumerate(readings):
        together.setdefault(one.name, []).append(n)
    out = list(readings)
    for places in together.values():
        if len(places) == 1:
            continue
        for n, prefix in zip(places, prefixes([readings[n].item for n in places]), strict=True):
            one = readings[n]
            frame, issues = told_apart(one.frame, one.issues, one.item.label, prefix)
            out[n] = replace(one, frame=frame, issues=issues)
    return out


def _input(one: Reading) -> InputFile:
    done = one.moved
    known = (
        {}
        if done is None
        else {"operation": done.operation.code or done.operation.name, "operation_accuracy_m": done.accuracy_m}
    )
    return InputFile.of(one.item.path, rows=len(one.frame), crs=one.system, **known)


def _order(kind: str) -> tuple[int, str]:
    kinds = list(KINDS)
    return (kinds.index(kind) if kind in KINDS else len(kinds), kind)


def _merged(inputs: list[InputFile]) -> tuple[InputFile, ...]:
    by_name: dict[tuple[str, str], InputFile] = {}
    for item in inputs:
        known = by_name.get((item.name, item.sha256))
        rows = (known.rows or 0) + (item.rows or 0) if known else item.rows
        by_name[item.name, item.sha256] = replace(item, rows=rows)
    return tuple(by_name.values())


def _read(item: LayerSource, programme: Programme) -> tuple[LayerSource, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """The records of one source; `LayerSource.kind` of what comes back says how they were understood."""
    kind = item.kind or kind_of(item.layer or item.path.stem)
    if kind is not None:
        return item, *_records(item, kind, programme)
    frame, issues = _records(item, None, programme)
    told = kind_of_content(frame) if len(frame) else None
    if told is None:
        words = "its name does not say what it holds; it is kept as a layer of its own and not used in the ledger"
        severity = "info"
        if item.columns:
            words += f"; the columns named for it ({', '.join(item.columns)}) are not used: add its kind to survey.toml"
            severity = "warning"
        note = Issue("RD-04", severity, message=f"{item.label}: {words}", value=item.label, limit=", ".join(KINDS))
        return item, frame, join_issues(issues, issues_frame([note]))
    kind, column = told
    frame, issues = _records(item, kind, programme)
    words = f"its name does not say what it holds; taken as {kind}, from its column '{column}'"
    note = Issue("RD-04", "warning", kind, message=f"{item.label}: {words}", value=kind, limit=", ".join(KINDS))
    return replace(item, kind=kind), frame, join_issues(issues, issues_frame([note]))


def _records(item: LayerSource, kind: str | None, programme: Programme) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    settings = programme
    if item.columns and kind:
        own = {**programme.columns.get(kind, {}), **item.columns}
        settings = Programme(**{**vars(programme), "columns": {**programme.columns, kind: own}})
    frame, issues = io.read_with_issues(
        item.path, kind, layer=item.layer, crs=item.crs, encoding=item.encoding, programme=settings
    )
    values, odd = _given(item, kind, programme)
    for name, value in values.items():
        filled = frame[name].where(frame[name].notna(), value) if name in frame else pd.Series(value, index=frame.index)
        frame = frame.assign(**{name: filled})
    if odd:
        issues = join_issues(issues, issues_frame(odd))
    given = [name for name, value in values.items() if value is not None and value == value]  # noqa: PLR0124
    absent = (issues["check"] == "RD-15") & issues["column"].isin(given)  # survey.toml gives what the file lacks
    return frame, issues[~absent].reset_index(drop=True) if absent.any() else issues


def _given(item: LayerSource, kind: str | None, programme: Programme) -> tuple[dict[str, Any], list[Issue]]:
    """The `values` of a layer as its columns hold them: words matched, days and numbers read, by the same rules as cells.

    What cannot be read so is left out and told: it would stand in every row.
    """
    if kind not in KINDS or not item.values:
        return dict(item.values), []
    table = pd.DataFrame(
        {name: pd.Series([value], dtype=object) for name, value in item.values.items() if name != "id"}
    )
    told, issues = conform(table, KINDS[kind], words=programme.words)
    odd = [
        replace(issue, id="", message=f"{item.label}: values in survey.toml: {issue.message}")
        for issue in issues
        if issue.check not in ("RD-10", "RD-15")
    ]
    absent = {issue.column for issue in issues if issue.check == "RD-15"}
    out = {
        str(name): told[name].iloc[0]
        for name in told
        if name != "id" and name not in absent and not str(name).endswith("_as_entered")
    }
    return {name: value for name, value in out.items() if not pd.isna(value)}, odd


def _join(kind: str, parts: list[tuple[LayerSource, gpd.GeoDataFrame]]) -> tuple[gpd.GeoDataFrame, list[Issue]]:
    issues: list[Issue] = []
    systems = {_crs.parse(frame.crs) for _, frame in parts if frame.crs is not None}
    common = next(iter(systems)) if len(systems) == 1 else _crs.WGS84
    frames = []
    taken: dict[str, str] = {}
    for item, frame in parts:
        moved = _moved(frame, common)
        if "id" in moved:
            moved, renamed = _unique_ids(moved, kind, item.label, taken)
            issues += renamed
        frames.append(moved)
    if len(frames) == 1:
        joined = frames[0]
    else:
        filled = [f for f in frames if len(f)] or frames[:1]
        columns = list(dict.fromkeys(c for f in frames for c in f.columns if c != "geometry"))
        table = {
            c: _concat([f[c] if c in f else pd.Series([None] * len(f), dtype=object) for f in filled]) for c in columns
        }
        shapes = gpd.GeoSeries(
            pd.concat([f.geometry.reset_index(drop=True) for f in filled], ignore_index=True), crs=common
        )
        joined = gpd.GeoDataFrame(table, geometry=shapes, crs=common)
    if "id" in joined:
        joined = joined.sort_values("id", kind="stable", ignore_index=True)
    return joined, issues


def _concat(columns: list[pd.Series]) -> pd.Series:
    """Stack columns of several files; missing ones take the type of the others."""
    typed = [c for c in columns if c.notna().any()]
    if not typed:
        return pd.concat([c.reset_index(drop=True) for c in columns], ignore_index=True)
    target: Any = typed[0].dtype if len({c.dtype for c in typed}) == 1 else np.dtype(object)
    if len(typed) < len(columns) and target.kind in "iub":  # whole numbers and yes/no that other files do not have
        target = "boolean" if target.kind == "b" else "Int64"
    return pd.concat([c.reset_index(drop=True).astype(target) for c in columns], ignore_index=True)


def _on_wgs84(frame: gpd.GeoDataFrame, programme: Programme) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None, Any]:
    """Layers in another datum are shifted at once, by one recorded operation; those on WGS 84 stay as they are."""
    geodetic = None if frame.crs is None else _crs.parse(frame.crs).geodetic_crs
    if geodetic is None or geodetic.equals(_crs.WGS84, ignore_axis_order=True) or not frame.geometry.notna().any():
        return frame, None, None
    moved, done = _crs.shift(frame, _crs.WGS84, programme=programme)
    accuracy = "" if done.accuracy_m is None else f", {done.accuracy_m:g} m"
    note = f"{done.operation.code} {done.operation.name}{accuracy}".strip()
    for column, value in (("source_crs", _crs.label(frame.crs)), ("transform_op", note)):
        told = moved[column] if column in moved else pd.Series([None] * len(moved), index=moved.index, dtype=object)
        moved[column] = told.where(told.notna(), value)
    return moved, done.issues, done


def _moved(frame: gpd.GeoDataFrame, common: Any) -> gpd.GeoDataFrame:
    if frame.crs is None:
        return frame.set_crs(common)
    if _crs.parse(frame.crs) == common:
        return frame
    shapes = _crs.transform(frame.geometry.array, frame.crs, common)
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=common))


def _unique_ids(
    frame: gpd.GeoDataFrame, kind: str, label: str, taken: dict[str, str]
) -> tuple[gpd.GeoDataFrame, list[Issue]]:
    own = frame["id"].tolist()
    if frame["id"].is_unique and taken.keys().isdisjoint(own):
        taken.update(dict.fromkeys(own, label))
        return frame, []
    issues, out = [], []
    for key in own:
        name, turn = key, 1
        while name in taken:
            turn += 1
            name = f"{key}~{turn}"
        if name != key:
            issues.append(
                Issue(
                    "RD-10",
                    "error",
                    kind,
                    name,
                    "id",
                    f"id '{key}' is used in {taken[key]} and in {label}: the latter is kept as '{name}'",
                    value=key,
                )
            )
        taken[name] = label
        out.append(name)
    return frame.assign(id=pd.Series(out, index=frame.index, dtype=object)), issues
