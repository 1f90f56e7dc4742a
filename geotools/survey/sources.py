"""Which files and layers a survey is made of: as its survey.toml says, or as the folder lies there.

For naming sources; nothing of them is read but the names of their layers (see `opening`).
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from geotools import io
from geotools.io.store import is_store
from geotools.model.errors import GeotoolsError, ReadError
from geotools.model.programme import Programme, load_toml
from geotools.model.schema import KINDS, kind_of

RASTERS = {
    "dem": ("dem", "elevation", "dtm", "srtm"),
    "landcover": ("landcover", "land_cover", "lulc"),
    "ortho": ("ortho", "orthophoto", "aerial"),
}
PRODUCTS = ("result_", "issues")  # layers of our own GeoPackages that are outcomes, not records
STORE_BOOKS = "store_"  # tables of a store beside its records
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


Failed = Callable[[LayerSource, GeotoolsError], None]


@dataclass(frozen=True)
class Plan:
    """What is to be read: the programme's settings, its sources in order, its rasters, and the table that names them."""

    programme: Programme
    sources: tuple[LayerSource, ...]
    rasters: Mapping[str, Path]
    table: Path | None = None


def plan(path: Path, crs: str | None, encoding: str | None, *, failed: Failed | None = None) -> Plan:
    """The sources of a survey.

    Parameters
    ----------
    failed
        Told of each file whose layers cannot be listed, instead of stopping there.

    Raises
    ------
    ReadError
        If the survey.toml is wrong, and, without `failed`, if a file is damaged or there is nothing to read.
    """
    table = path if path.suffix.lower() == ".toml" else table_of(path)
    programme, folder = Programme(), path
    if table is not None:
        data = load_toml(table)
        programme = Programme.from_dict(data.get("programme", {}), file=table)
        if "layer" in data:
            named = _from_table(data, table, crs, encoding)
            sources = [s for item in named for s in _listed(item, beside, failed)]
            return Plan(programme, tuple(sources), _table_rasters(data, table), table)
        folder = table.parent
    lone = not folder.is_dir() or folder.suffix.lower() == ".gdb"  # a file geodatabase is a folder
    files = [folder] if lone else sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    wanted = [
        LayerSource(p, crs=crs or programme.crs or None, encoding=encoding)
        for p in files
        if lone or (io.is_survey_file(p) and is_at_rest(p))
    ]
    sources = [s for item in wanted for s in _listed(item, _layers_of, failed)]
    if not wanted and failed is None:
        raise ReadError(
            "there is nothing here that can be read", hint="geotools convert --formats lists the formats", file=path
        )
    return Plan(programme, tuple(sources), _guess_rasters(files), table)


def is_at_rest(path: Path) -> bool:
    """Whether a path is a file or folder, or nothing at all, and not a pipe or device that may never end."""
    try:
        return path.is_file() or path.is_dir() or not path.exists()
    except OSError:
        return True


def table_of(folder: Path) -> Path | None:
    """The survey.toml of a folder, if it has one."""
    return next((folder / name for name in TABLE_NAMES if (folder / name).is_file()), None)


def _listed(
    item: LayerSource, lister: Callable[[LayerSource], list[LayerSource]], failed: Failed | None
) -> list[LayerSource]:
    try:
        return lister(item)
    except GeotoolsError as error:
        if failed is None:
            raise
        failed(item, error)
        return []


def of_kind(sources: tuple[LayerSource, ...], kind: str, path: Path) -> tuple[LayerSource, ...]:
    """The sources of one file whose records are of the kind that the caller says.

    Raises
    ------
    ReadError
        If there is no such kind, or it is not clear which layer is meant.
    """
    if kind not in KINDS:
        raise ReadError(f"'{kind}' is not a record kind", hint=f"kinds are {', '.join(KINDS)}", file=path)
    if len(sources) == 1:
        return (replace(sources[0], kind=kind),)
    if len({item.path for item in sources}) == 1 and _is_gpx(path):
        return tuple(beside(replace(sources[0], layer=None, kind=kind)))
    raise ReadError(
        f"the kind '{kind}' was given, but there are {len(sources)} layers",
        hint="give one file, or name the kinds in a survey.toml",
        file=path,
    )


def _is_gpx(path: Path) -> bool:
    return path.suffix.lower() == ".gpx"


def _layers_of(item: LayerSource) -> list[LayerSource]:
    """A file as it lies in the folder: each layer of it that holds records."""
    names = io.layers(item.path)
    if len(names) <= 1:
        return [replace(item, layer=names[0] if names and item.path.suffix.lower() == ".gpkg" else None)]
    if _is_gpx(item.path) and (kind := kind_of(item.path.stem)) in _GPX_MAIN:
        return beside(replace(item, kind=kind))
    return [replace(item, layer=name) for name in records_of(item.path, names)]


def records_of(path: Path, names: list[str]) -> list[str]:
    """Layers of a file that hold records: without outcomes of geotools, the books of a store, and views of other layers."""
    database = path.suffix.lower() == ".gpkg"
    books = (STORE_BOOKS,) if database and is_store(path) else ()
    again = _views_of(path, names) if database else set()
    return [name for name in names if name not in again and not name.startswith((*PRODUCTS, *books))]


def _views_of(path: Path, names: list[str]) -> set[str]:
    """Views of other layers of the same kind, or of no kind of their own: their rows are there, and would count twice."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            views = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'").fetchall())
    except sqlite3.Error:  # whoever reads the layers says what is wrong
        return set()
    kinds = {name.casefold(): kind_of(name) for name in names if name not in views}
    of = {name: {kinds[word] for word in _words(views[name]) if word in kinds} for name in names if name in views}
    return {name for name, found in of.items() if kind_of(name) in found or (found and kind_of(name) is None)}


def _words(sql: str | None) -> list[str]:
    """What a statement selects from: names in any quotes, and bare words."""
    quoted = re.findall(r'"([^"]*)"|\[([^\]]*)\]|`([^`]*)`|(\w+)', str(sql or "").casefold().partition(" from ")[2])
    return [next(filter(None, parts), "") for parts in quoted]


_GPX_MAIN = {"fixes": "tracks", "tracks": "tracks"}  # which lines or points of a GPX file a kind is made of


def beside(item: LayerSource) -> list[LayerSource]:
    """A GPX file named without a layer is all that it holds: tracks as the kind said, waypoints beside them as points.

    Hand-helds write both into one file; what was marked on the way is as much a record as the way.
    """
    if item.layer is not None or not _is_gpx(item.path):
        return [item]
    names = io.layers(item.path)
    main = _GPX_MAIN.get(item.kind or "", "waypoints")
    if len(names) <= 1 or main not in names:
        return [item]
    first = replace(item, layer="fixes" if item.kind == "fixes" else main)
    return [first, *(replace(item, layer=name, kind=None, columns={}) for name in names if name != main)]


def _guess_rasters(files: list[Path]) -> dict[str, Path]:
    tiffs = [p for p in files if p.suffix.lower() in (".tif", ".tiff")]
    return {role: p for role, words in RASTERS.items() for p in tiffs if any(w in p.stem.lower() for w in words)}


def _table_rasters(data: Mapping[str, Any], table: Path) -> dict[str, Path]:
    named = data.get("rasters", {})
    if not isinstance(named, Mapping) or not all(isinstance(v, str) for v in named.values()):
        raise ReadError("[rasters] must be a table of file names", hint='dem = "dem.tif"', file=table)
    rasters = {str(k): table.parent / v for k, v in named.items()}
    for role, file in rasters.items():
        if not os.path.isfile(file):  # noqa: PTH113
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
        for key in ("file", "kind", "layer", "crs", "encoding"):
            if not isinstance(row.get(key, ""), str):
                raise ReadError(f"[[layer]] number {number}: '{key}' must be text", hint=f'{key} = "…"', file=table)
        if row.get("kind") is not None and row["kind"] not in KINDS:
            raise ReadError(
                f"[[layer]] number {number}: '{row['kind']}' is not a record kind",
                hint=f"kinds are {', '.join(KINDS)}",
                file=table,
            )
        file = table.parent / str(row["file"])
        if not os.path.exists(file):  # noqa: PTH110  (false, not an error, for names no disk can hold)
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
        if not all(isinstance(target, str) for target in row.get("columns", {}).values()):
            raise ReadError(
                f"[[layer]] number {number}: each of 'columns' must be text", hint='columns = { "in the file" = "column" }', file=table
            )  # fmt: skip
        for name, value in row.get("values", {}).items():
            if isinstance(value, (list, dict)):
                raise ReadError(
                    f"[[layer]] number {number}: '{name}' of 'values' must be one value for all rows, not several",
                    hint=f'values = {{ {name} = "one value" }}', file=table,
                )  # fmt: skip
        sources.append(
            LayerSource(
                file, row.get("kind"), row.get("layer"), row.get("crs") or crs, row.get("encoding") or encoding,
                dict(row.get("columns", {})), dict(row.get("values", {})),
            )
        )  # fmt: skip
    return sources
