"""Open a programme's records: which files there are, what each holds, and how their rows come together.

For bringing files together with every row accounted for; not for judging or computing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geotools import io
from geotools.io.store import is_store
from geotools.model.errors import ReadError
from geotools.model.programme import Programme, load_toml
from geotools.model.progress import Progress, tracked
from geotools.model.provenance import InputFile
from geotools.model.schema import KINDS, Issue, issues_frame, join_issues, kind_of, kind_of_content
from geotools.space import crs as _crs
from geotools.survey.record import Survey
from geotools.survey.remembered import from_store

RASTERS = {
    "dem": ("dem", "elevation", "dtm", "srtm"),
    "landcover": ("landcover", "land_cover", "lulc"),
    "ortho": ("ortho", "orthophoto", "aerial"),
}
PRODUCTS = ("result_", "issues")  # layers of our own GeoPackages that are outcomes, not records
TABLE_NAMES = ("survey.toml", "geotools.toml")


@dataclass(frozen=True)
class LayerSource:
    """One file (or one layer of it) that feeds a record kind."""

    path: Path
    kind: str | None = None
    layer: str | None = None
    crs: str | None = None
    encoding: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """File name, with the layer where there are several."""
        return f"{self.path.name}:{self.layer}" if self.layer else self.path.name


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
    >>> open_survey("sample_data/fuzuli").name  # doctest: +SKIP
    'Fuzuli (synthetic)'
    """
    if isinstance(source, Survey):
        return source
    if is_store(source):
        return from_store(source, _on_wgs84, as_of=as_of, progress=progress)
    if as_of is not None:
        raise ReadError(
            "only a store remembers what was known at an earlier time", hint="geotools store --help", file=source
        )
    path = Path(source)
    if not path.exists():
        raise ReadError(
            "no such file or folder", hint="give a folder, a .gpkg, a survey.toml or one file of records", file=source
        )
    programme, sources, rasters = _plan(path, crs, encoding)
    if kind is not None:
        sources = _of_kind(sources, kind, path)
    parts: dict[str, list[tuple[LayerSource, gpd.GeoDataFrame]]] = {}
    found: list[gpd.GeoDataFrame] = []
    inputs: list[InputFile] = []
    for item in tracked(sources, "reading files", progress):
        item, frame, issues = _read(item, programme)
        system = _crs.label(frame.crs) if frame.crs is not None else ""
        frame, shifted, done = _on_wgs84(frame, programme)
        name = item.kind or kind_of(item.layer or item.path.stem) or item.layer or item.path.stem
        parts.setdefault(name, []).append((item, frame))
        found += [issues, *([shifted] if shifted is not None else [])]
        known = (
            {}
            if done is None
            else {"operation": done.operation.code or done.operation.name, "operation_accuracy_m": done.accuracy_m}
        )
        inputs.append(InputFile.of(item.path, rows=len(frame), crs=system, **known))
    layers: dict[str, gpd.GeoDataFrame] = {}
    for found_kind in sorted(parts, key=_order):
        layers[found_kind], more = _join(found_kind, parts[found_kind])
        found.append(issues_frame(more))
    name = (
        programme.name
        if programme.name != Programme().name
        else (path.parent if path.name in TABLE_NAMES else path).stem
    )
    return Survey(name, layers, programme, join_issues(*found), _merged(inputs), rasters)


def _of_kind(sources: list[LayerSource], kind: str, path: Path) -> list[LayerSource]:
    if kind not in KINDS:
        raise ReadError(f"'{kind}' is not a record kind", hint=f"kinds are {', '.join(KINDS)}", file=path)
    if len(sources) != 1:
        raise ReadError(
            f"the kind '{kind}' was given, but there are {len(sources)} layers",
            hint="give one file, or name the kinds in a survey.toml",
            file=path,
        )
    return [replace(sources[0], kind=kind)]


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


def _plan(path: Path, crs: str | None, encoding: str | None) -> tuple[Programme, list[LayerSource], dict[str, Path]]:
    table = (
        path if path.suffix.lower() == ".toml" else next((path / n for n in TABLE_NAMES if (path / n).is_file()), None)
    )
    if table is not None:
        data = load_toml(table)
        programme = Programme.from_dict(data.get("programme", {}), file=table)
        if "layer" in data:
            return programme, _from_table(data, table, crs, encoding), _table_rasters(data, table)
        folder = table.parent
    else:
        programme, folder = Programme(), path
    files = sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else [folder]
    sources = [
        s for p in files for s in _layers_of(p, crs or programme.crs or None, encoding, lone=not folder.is_dir())
    ]
    if not sources:
        raise ReadError(
            "there is nothing here that can be read", hint="geotools convert --formats lists the formats", file=path
        )
    return programme, sources, _guess_rasters(files)


def _layers_of(path: Path, crs: str | None, encoding: str | None, *, lone: bool) -> list[LayerSource]:
    if not lone and not io.is_survey_file(path):
        return []
    names = io.layers(path)
    if len(names) <= 1:
        return [
            LayerSource(
                path, layer=names[0] if names and path.suffix.lower() == ".gpkg" else None, crs=crs, encoding=encoding
            )
        ]
    records = [n for n in names if not n.startswith(PRODUCTS)]
    return [LayerSource(path, layer=name, crs=crs, encoding=encoding) for name in records]


def _guess_rasters(files: list[Path]) -> dict[str, Path]:
    tiffs = [p for p in files if p.suffix.lower() in (".tif", ".tiff")]
    return {role: p for role, words in RASTERS.items() for p in tiffs if any(w in p.stem.lower() for w in words)}


def _table_rasters(data: Mapping[str, Any], table: Path) -> dict[str, Path]:
    rasters = {str(k): table.parent / str(v) for k, v in data.get("rasters", {}).items()}
    for role, file in rasters.items():
        if not file.is_file():
            raise ReadError(
                f"the raster '{role}' named in {table.name} is not there",
                hint=f"put it beside {table.name} or correct its name there", file=file,
            )  # fmt: skip
    return rasters


_KEYS = {"kind", "file", "layer", "crs", "encoding", "columns", "values"}


def _from_table(data: Mapping[str, Any], table: Path, crs: str | None, encoding: str | None) -> list[LayerSource]:
    rows = data["layer"]
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ReadError(
            "layers are written as [[layer]] tables",
            hint='[[layer]]\nkind = "hazards"\nfile = "hazards.gpkg"',
            file=table,
        )
    sources = []
    for number, row in enumerate(rows, start=1):
        unknown = sorted(set(row) - _KEYS)
        if unknown or "file" not in row:
            what = f"unknown key '{unknown[0]}'" if unknown else "no 'file'"
            raise ReadError(
                f"[[layer]] number {number} has {what}", hint=f"keys are {', '.join(sorted(_KEYS))}", file=table
            )
        if row.get("kind") is not None and row["kind"] not in KINDS:
            raise ReadError(
                f"[[layer]] number {number}: '{row['kind']}' is not a record kind",
                hint=f"kinds are {', '.join(KINDS)}",
                file=table,
            )
        file = table.parent / str(row["file"])
        if not file.exists():
            raise ReadError(
                f"named in {table.name}, but it is not there",
                hint=f"put it beside {table.name} or correct its name there", file=file,
            )  # fmt: skip
        for key in ("columns", "values"):
            if not isinstance(row.get(key, {}), Mapping):
                raise ReadError(
                    f"[[layer]] number {number}: '{key}' must be a table",
                    hint=f'{key} = {{ name = "value" }}',
                    file=table,
                )
        sources.append(
            LayerSource(
                file, row.get("kind"), row.get("layer"), row.get("crs") or crs, row.get("encoding") or encoding,
                dict(row.get("columns", {})), dict(row.get("values", {})),
            )
        )  # fmt: skip
    return sources


def _read(item: LayerSource, programme: Programme) -> tuple[LayerSource, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """The records of one source; `LayerSource.kind` of what comes back says how they were understood."""
    kind = item.kind or kind_of(item.layer or item.path.stem)
    if kind is not None:
        return item, *_records(item, kind, programme)
    frame, issues = _records(item, None, programme)
    told = kind_of_content(frame) if len(frame) else None
    if told is None:
        words = "its name does not say what it holds; it is kept as a layer of its own and not used in the ledger"
        note = Issue("RD-04", "info", message=f"{item.label}: {words}", value=item.label, limit=", ".join(KINDS))
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
    for name, value in item.values.items():
        filled = frame[name].where(frame[name].notna(), value) if name in frame else pd.Series(value, index=frame.index)
        frame = frame.assign(**{name: filled})
    return frame, issues


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
    target = typed[0].dtype if len({c.dtype for c in typed}) == 1 else object
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
    issues, out = [], []
    for key in frame["id"]:
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
