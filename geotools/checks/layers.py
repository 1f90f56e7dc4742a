"""`Data` and `Layer`: the layers of a survey prepared for checking: ids, WGS 84, one equal-area plane, vertices, trees.

For the rules of this floor, which only read it; it judges nothing and changes no input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geotools.checks import overlay
from geotools.checks.vertices import Rings
from geotools.model import provenance
from geotools.model.arguments import columns
from geotools.model.errors import SchemaError
from geotools.model.programme import Programme
from geotools.model.schema import KINDS, Schema, kind_of
from geotools.model.schema.conform import as_text
from geotools.model.schema.names import with_single_names
from geotools.space import crs as _crs
from geotools.space import geom as _geom

POLYGONAL = (3, 6)
CLOSED_STATUS = ("closed", "released", "cancelled")


class Layer:
    """One layer, rows sorted by id.

    Attributes
    ----------
    kind, frame, schema
        Record kind, the rows, and their schema (None for a layer of unknown kind).
    ids
        Trimmed id of every row as text; rows without one are called ``row-<n>``.
    raw
        Geometries as they came, 2-D, in `crs` (None where missing).
    lonlat, plane
        The same in WGS 84 degrees, and repaired in the equal-area plane of `Data` (None where impossible).
    """

    def __init__(self, kind: str, frame: pd.DataFrame, project: Callable[[Any], Any]) -> None:
        self.kind = kind
        self.schema: Schema | None = KINDS.get(kind)
        given = list(map(str, frame.columns))
        frame = with_single_names(frame)  # the later of doubled columns get a number, and GC-17 names them
        rows = frame.reset_index(drop=True)
        ids = _ids(rows)
        order = np.argsort(ids.astype(str), kind="stable")
        self.frame = rows.iloc[order].reset_index(drop=True)
        self.ids: np.ndarray = ids[order]
        self.row_number: np.ndarray = order + 1
        self.crs = _frame_crs(frame)
        self.raw = _geometries(self.frame)
        self.given_name = dict(zip(frame.columns, given, strict=True))
        self._project = project
        self._texts: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def has(self, *columns: str) -> bool:
        """Whether all these columns are there."""
        return all(name in self.frame.columns for name in columns)

    def text(self, column: str) -> np.ndarray:
        """A column as trimmed text, None where missing or absent."""
        if column not in self._texts:
            self._texts[column] = self._cells(column, as_text)
        return self._texts[column]

    def _cells(self, column: str, read: Callable[[Any], str | None]) -> np.ndarray:
        if column not in self.frame.columns:
            return np.full(len(self), None, dtype=object)
        values = pd.DataFrame(self.frame[column]).iloc[:, 0]  # of a doubled column the first
        # None at the end keeps numpy from making anything but objects of them
        return np.array([*(read(v) for v in values.to_numpy(dtype=object)), None], dtype=object)[:-1]

    def typed(self, column: str) -> np.ndarray:
        """A text column exactly as typed (blanks kept); None where it is not text."""
        return self._cells(column, lambda v: v if isinstance(v, str) else None)

    def numbers(self, column: str) -> np.ndarray:
        """A column as floats, NaN where missing, absent or not a number."""
        if column not in self.frame.columns:
            return np.full(len(self), np.nan)
        values = pd.to_numeric(self.frame[column], errors="coerce")
        return np.array(values.to_numpy(dtype="float64", na_value=np.nan))  # a copy that may be written to

    def days(self, column: str) -> np.ndarray:
        """A column as days (datetime64[D]), NaT where missing, absent or not a date."""
        if column not in self.frame.columns:
            return np.full(len(self), np.datetime64("NaT", "D"), dtype="datetime64[D]")
        values = pd.to_datetime(self.frame[column], errors="coerce", utc=True, format="mixed")
        return values.dt.tz_localize(None).to_numpy().astype("datetime64[D]")

    def flags(self, column: str) -> np.ndarray:
        """A yes/no column as objects True, False or None."""
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        return np.array([words.get((t or "").casefold()) for t in self.text(column)] + [None], dtype=object)[:-1]

    @cached_property
    def index(self) -> dict[str, int]:
        """Id → row; of repeated ids the first."""
        rows: dict[str, int] = {}
        for row, text in enumerate(self.ids):
            rows.setdefault(text, row)
        return rows

    @cached_property
    def _located(self) -> tuple[np.ndarray, np.ndarray]:
        if self.crs is None:
            return np.full(len(self), None, dtype=object), np.zeros(len(self), dtype=bool)
        moved, lost = project(self.raw, self.crs, _crs.WGS84)
        return _within_the_world(moved, lost)

    @property
    def lonlat(self) -> np.ndarray:
        """Geometries in WGS 84 longitude and latitude."""
        return self._located[0]

    @property
    def impossible(self) -> np.ndarray:
        """Rows whose coordinates are no place on earth in the stated system."""
        return self._located[1]

    @cached_property
    def flat(self) -> np.ndarray:
        """Geometries in the plane, vertex by vertex as recorded, not repaired."""
        return np.asarray(self._project(self.lonlat))

    @cached_property
    def plane(self) -> np.ndarray:
        """Geometries in the plane, long edges along the geodesic, polygons repaired."""
        dense = _crs.densify(self.lonlat)
        out = self.flat.copy()
        longer = np.flatnonzero([a is not b for a, b in zip(dense, self.lonlat, strict=True)])
        if len(longer):
            out[longer] = self._project(dense[longer])
        return np.asarray(_geom.repair(out))

    @cached_property
    def is_area(self) -> np.ndarray:
        """Rows that are polygons."""
        return np.isin(shapely.get_type_id(self.raw), POLYGONAL)

    @cached_property
    def valid(self) -> np.ndarray:
        """Rows whose polygon, as recorded, is valid; other geometry counts as valid."""
        return ~self.is_area | shapely.is_valid(self.raw)

    @cached_property
    def area(self) -> np.ndarray:
        """Area in m² (equal-area plane), NaN where there is no polygon."""
        values = np.asarray(shapely.area(self.plane), dtype=float)
        values[~np.isin(shapely.get_type_id(self.plane), POLYGONAL)] = np.nan
        return values

    @cached_property
    def rings(self) -> Rings:
        """All polygon vertices, in degrees and on the plane."""
        usable = self.is_area & ~shapely.is_missing(self.lonlat) & ~shapely.is_missing(self.flat)
        return Rings.of(_only(self.lonlat, usable), _only(self.flat, usable))

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Spatial index over `plane`."""
        return shapely.STRtree(self.plane)

    @cached_property
    def accuracy(self) -> np.ndarray:
        """Horizontal accuracy in metres (1 sigma), NaN where not recorded."""
        values = self.numbers("h_acc_m")
        values[~(values > 0)] = np.nan
        return values


def _only(geometries: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    out = geometries.copy()
    out[~wanted] = None
    return out


def _frame_crs(frame: pd.DataFrame) -> pyproj.CRS | None:
    crs = getattr(frame, "crs", None) if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name else None
    return None if crs is None else pyproj.CRS(crs)


def _geometries(frame: pd.DataFrame) -> np.ndarray:
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.active_geometry_name:
        return np.full(len(frame), None, dtype=object)
    with np.errstate(invalid="ignore"):  # a corner may be no number
        return np.asarray(shapely.force_2d(np.asarray(frame.geometry.array, dtype=object)))


def _ids(frame: pd.DataFrame) -> np.ndarray:
    texts = [as_text(v) for v in frame["id"]] if "id" in frame.columns else [None] * len(frame)
    return np.array([t or f"row-{n}" for n, t in enumerate(texts, start=1)] + [""], dtype=object)[:-1]


def project(geometries: np.ndarray, source: pyproj.CRS, target: pyproj.CRS) -> tuple[np.ndarray, np.ndarray]:
    """Geometries in another system, and which rows have no image there (they become None)."""
    out = np.asarray(geometries, dtype=object).copy()
    coords, owner = shapely.get_coordinates(out, return_index=True)
    moved = coords
    if source != target and len(coords):
        change = _crs.transformer(source.to_wkt(), target.to_wkt())
        moved = np.column_stack(change.transform(coords[:, 0], coords[:, 1]))
    finite = np.isfinite(moved).all(axis=1) & np.isfinite(coords).all(axis=1)
    lost = np.zeros(len(out), dtype=bool)
    lost[owner[~finite]] = True
    out[lost] = None
    if moved is not coords and len(coords):
        keep = moved[~lost[owner]]
        out = np.asarray(shapely.transform(out, lambda _: keep))
    return out, lost


def _within_the_world(lonlat: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    box = shapely.bounds(lonlat)
    with np.errstate(invalid="ignore"):
        outside = (box[:, 0] < -180.000001) | (box[:, 2] > 360) | (box[:, 1] < -90.000001) | (box[:, 3] > 90.000001)
    out = lonlat.copy()
    out[outside] = None
    return out, lost | outside


@dataclass(frozen=True)
class Overlaps:
    """Pairs of polygons of one layer with common ground: rows `a` < `b`, the ground, its area and shares."""

    a: np.ndarray
    b: np.ndarray
    shape: np.ndarray
    area: np.ndarray
    union_share: np.ndarray
    smaller_share: np.ndarray

    def __len__(self) -> int:
        return len(self.a)


class Data:
    """Everything a rule may look at.

    Parameters
    ----------
    frames
        Record kind → rows, in any reference system.
    programme
        Limits, extent, words.
    """

    def __init__(self, frames: Mapping[str, pd.DataFrame], programme: Programme) -> None:
        self.programme = programme
        self.today: date = provenance.now().date()
        self.layers: dict[str, Layer] = {
            kind: Layer(kind, frame, self.to_plane)
            for kind, frame in sorted(frames.items())
            if len(columns(frame, f"the layer {kind}"))
        }
        self._overlaps: dict[str, Overlaps] = {}
        self.links: dict[str, list[list[int]]] = {}  # filled by relations.ground, per kind

    @classmethod
    def of(cls, survey: Any, programme: Programme | None = None) -> Data:
        """Prepare a `Survey`, or a mapping of kind to frame.

        Raises
        ------
        SchemaError
            If it is neither.
        """
        layers = getattr(survey, "layers", survey)
        if isinstance(layers, pd.DataFrame) or not isinstance(layers, Mapping):
            raise SchemaError("the layers have no names", hint='give them by kind, for example {"hazards": frame}')
        frames: dict[str, pd.DataFrame] = {}
        for name, frame in layers.items():
            kind = str(name) if name in KINDS else (kind_of(str(name)) or str(name))
            frames[kind if kind not in frames else str(name)] = frame
        return cls(frames, programme or getattr(survey, "programme", None) or Programme())

    def limit(self, name: str) -> float:
        """A tolerance of the programme."""
        return self.programme.limit(name)

    def layer(self, kind: str) -> Layer:
        """The layer of that kind, or an empty one."""
        found = self.layers.get(kind)
        return found if found is not None else Layer(kind, pd.DataFrame({"id": []}), self.to_plane)

    def each(self, *kinds: str) -> list[Layer]:
        """The layers present among `kinds`, or all of them."""
        return [layer for kind, layer in self.layers.items() if not kinds or kind in kinds]

    @cached_property
    def centre(self) -> tuple[float, float]:
        """Median longitude and latitude of all records, unmoved by a few wild coordinates."""
        boxes = [shapely.bounds(layer.lonlat) for layer in self.layers.values()]
        points = [(b[:, :2] + b[:, 2:]) / 2 for b in boxes]
        middle = np.concatenate(points) if points else np.empty((0, 2))
        middle = middle[np.isfinite(middle).all(axis=1) & (np.abs(middle) > 1e-9).any(axis=1)]
        lon, lat = np.median(middle, axis=0) if len(middle) else (0.0, 0.0)
        return float(lon), float(lat)

    @cached_property
    def plane_crs(self) -> pyproj.CRS:
        """The equal-area plane that all layers share."""
        lon, lat = self.centre
        return _crs.equal_area((lon, lat, lon, lat))

    def to_plane(self, lonlat: Any) -> np.ndarray:
        """WGS 84 geometries on the plane; None where there is no image."""
        return project(np.asarray(lonlat, dtype=object), _crs.WGS84, self.plane_crs)[0]

    def to_lonlat(self, plane: Any) -> np.ndarray:
        """Geometries of the plane in WGS 84."""
        return project(np.asarray(plane, dtype=object), self.plane_crs, _crs.WGS84)[0]

    def place(self, plane: Any) -> Any:
        """One geometry of the plane in WGS 84, None for None."""
        return self.to_lonlat(np.array([plane], dtype=object))[0]

    def is_open(self, layer: Layer) -> np.ndarray:
        """Hazards that are not closed, released or cancelled (an unknown status counts as open)."""
        return ~np.isin(layer.text("status").astype(str), CLOSED_STATUS)

    def overlaps(self, kind: str) -> Overlaps:
        """Pairs of polygons of a layer that share ground, found once by spatial index."""
        if kind not in self._overlaps:
            self._overlaps[kind] = _pairs(self.layer(kind))
        return self._overlaps[kind]


def _pairs(layer: Layer) -> Overlaps:
    empty = np.empty(0, dtype=int)
    if len(layer) < 2:
        return Overlaps(empty, empty, np.empty(0, dtype=object), *(np.empty(0) for _ in range(3)))
    areas = np.isin(shapely.get_type_id(layer.plane), POLYGONAL)
    rows = np.flatnonzero(areas)
    a, b = layer.tree.query(layer.plane[rows], predicate="intersects")
    a = rows[a]
    keep = (a < b) & areas[b]
    a, b = a[keep], b[keep]
    order = np.lexsort((b, a))
    a, b = a[order], b[order]
    shape = overlay.intersection(layer.plane[a], layer.plane[b])
    area = shapely.area(shape)
    keep = area > 0
    a, b, shape, area = a[keep], b[keep], shape[keep], area[keep]
    smaller = np.minimum(layer.area[a], layer.area[b])
    union = layer.area[a] + layer.area[b] - area
    return Overlaps(a, b, shape, area, area / union, area / smaller)
