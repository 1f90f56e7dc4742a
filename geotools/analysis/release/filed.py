"""Layers whose geometry stays in files: brought to the plane part by part, and drawn from there when it is asked for.

For national layers in parts (`geotools.io.parts`); the same answers to the bit as from the same records in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geotools.analysis.release import entries as _e
from geotools.analysis.release import projection as _p
from geotools.analysis.release.ledger import Records
from geotools.analysis.release.projection import COLUMNS, Ground
from geotools.io.parts import Batch, Parts
from geotools.io.shelf import Shelf, put
from geotools.model.errors import CRSError, SchemaError
from geotools.model.parallel import Codec, map_ordered, room
from geotools.model.provenance import version
from geotools.model.schema import KINDS
from geotools.space.shapes import Shapes


def records(path: Path, what: str) -> Records:
    """The records of a layer in parts.

    Raises
    ------
    ReadError
        If it is none.
    SchemaError
        If it is another kind of layer.
    """
    parts = Parts.open(path)
    if parts.kind != what:
        raise SchemaError(f"{path} holds {parts.kind}, not {what}", hint=f"give the {what} here", file=path)
    if parts.crs is None and any((~shapely.is_missing(batch.shapes())).any() for batch in parts.batches):
        raise CRSError(f"the {what} have no reference system", hint="write them again with one", file=path)
    names = KINDS[what].names if what in KINDS else parts.columns
    given = pd.Series(_e.texts(parts.attributes(["id"]), "id"), dtype=object)
    wanted = None if given.duplicated().any() else [*names, *(f"{name}_as_entered" for name in names)]
    table = parts.attributes(wanted)  # rows that share an id are told apart by all they say
    return Records(gpd.GeoDataFrame(table, geometry=[None] * len(table)), Filed(parts))


@dataclass(frozen=True)
class Filed:
    """The geometries of a layer in parts."""

    parts: Parts

    @property
    def source(self) -> pyproj.CRS | None:
        """The reference system of the layer."""
        return self.parts.crs

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Some of the geometries in WGS 84."""
        found: np.ndarray = _p.taken(self.parts.draw(rows), self.source).located()[0]
        return found

    def centres(self) -> np.ndarray:
        """Longitude and latitude of the middle of each geometry's box, where there is one."""
        found = map_ordered(partial(_centres, self.source), self.parts.batches)
        return np.concatenate([np.zeros((0, 2)), *found])

    def settled(self, order: np.ndarray, plane: pyproj.CRS, *, exact: bool = False) -> Ground:
        """On the plane, in a given order; the polygons lie on a shelf, in a folder that goes with the ledger."""
        if not len(self.parts):
            return _p.taken(np.zeros(0, dtype=object), self.source).settled(order, plane, exact=exact)
        place, keeper = room()
        task = _Task(place, self.source, plane.to_wkt(), exact)
        items = [_Item(batch, _key(task, self.parts, batch)) for batch in self.parts.batches]
        found = map_ordered(partial(_settled, task), items, codec=_codec(task))
        shelf = Shelf([place / f"{item.key}.wkb" for item in items], [part["ends"] for part in found], keeper)
        columns = {
            name: np.concatenate([part[name] for part in found])[order]
            if found
            else np.zeros((0, 4) if name == "bounds" else 0)
            for name in (*COLUMNS, "bounds", "vertices")
        }
        one = np.zeros(len(order), dtype=np.int8)
        bounds, vertices = columns.pop("bounds"), columns.pop("vertices")
        return Ground(
            Shapes([_Given(self.parts, np.arange(len(order)))], one, order),
            Shapes([shelf], one, order, area=columns["area"], bounds=bounds, vertices=vertices),
            **columns, crs=self.source or pyproj.CRS.from_epsg(4326), plane_crs=plane,
        )  # fmt: skip


@dataclass(frozen=True)
class _Given:
    """A shelf of geometries as they are in the files."""

    parts: Parts
    rows: np.ndarray

    def draw(self, rows: np.ndarray) -> np.ndarray:
        found: np.ndarray = shapely.force_2d(self.parts.draw(self.rows[rows]))
        return found

    def only(self, rows: np.ndarray) -> _Given:
        return _Given(self.parts, self.rows[rows])

    def named(self, rows: np.ndarray) -> bytes:
        return self.parts.named(self.rows[rows])


@dataclass(frozen=True)
class _Task:
    room: Path
    source: pyproj.CRS | None
    plane: str
    exact: bool


@dataclass(frozen=True)
class _Item:
    batch: Batch
    key: str


def _centres(source: pyproj.CRS | None, batch: Batch) -> np.ndarray:
    found: np.ndarray = _p.centres(_p.taken(batch.shapes(), source))
    return found


def _settled(task: _Task, item: _Item) -> dict[str, np.ndarray]:
    """Put one batch on the shelf; what comes back are figures only."""
    ground = _p.settle(_p.taken(item.batch.shapes(), task.source), pyproj.CRS.from_wkt(task.plane), exact=task.exact)
    found = {name: getattr(ground, name) for name in COLUMNS}
    plane = np.asarray(ground.plane)
    found["bounds"], found["vertices"] = shapely.bounds(plane), shapely.get_num_coordinates(plane)
    found["ends"], found["key"] = put(plane, task.room / f"{item.key}.wkb"), np.array(item.key)
    return found


def _key(task: _Task, parts: Parts, batch: Batch) -> str:
    said = f"{version()} {parts.digests[batch.file]} {batch.groups} {task.plane} {task.source} {task.exact}"
    return hashlib.sha256(said.encode()).hexdigest()[:40]


def _codec(task: _Task) -> Codec[_Item, dict[str, np.ndarray]]:
    """Kept figures count only while the polygons are on the shelf."""

    def load(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = dict(arrays)
        file = task.room / f"{found['key']!s}.wkb"
        if file.stat().st_size != found["ends"][-1]:
            raise FileNotFoundError(file)
        return found

    return Codec(lambda item: item.key, lambda found: found, load)
