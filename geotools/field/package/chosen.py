"""Which records a team takes: those of a task, of an area with what lies around it, or of the whole survey.

For choosing only; what may leave the house is decided in `redact`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools import io
from geotools.analysis import release
from geotools.field.package.cargo import PACKED, RESULTS, Cargo, placed
from geotools.model.errors import SchemaError
from geotools.model.programme import Programme
from geotools.model.schema import KINDS, conform
from geotools.space import crs as _crs
from geotools.space import geom
from geotools.space.withheld import distance

LINKS = ("hazard_id", "feature_id", "task_id")
ENDED = ("closed", "released", "cancelled")


class Source(Protocol):
    """What is needed of a survey (see `geotools.Survey`)."""

    @property
    def name(self) -> str:
        """As printed."""

    @property
    def layers(self) -> Mapping[str, gpd.GeoDataFrame]:
        """Record kind → frame."""


def choose(survey: Source, *, task: str | None = None, area: Any = None) -> Cargo:
    """The records of a task, an area, or all.

    Parameters
    ----------
    task
        A ``task_id`` or ``id`` of the activities.
    area
        A hazard's id, a file with polygons, a geometry in WGS 84, or a GeoDataFrame.

    Raises
    ------
    SchemaError
        If both are given, or there is no such task, hazard or file.
    CRSError
        If a layer has coordinates but no reference system.
    """
    if task is not None and area is not None:
        raise SchemaError(
            "give a task or an area, not both",
            hint="--task is a task_id of the activities, --area the id of a hazard or a file with polygons",
        )
    programme = getattr(survey, "programme", None) or Programme()
    layers = {kind: _lonlat(survey.layers[kind], kind) for kind in PACKED if kind in survey.layers}
    ground, named, title = _asked(layers, task, area)
    margin, elsewhere = 0.0, 0
    if title:
        margin = programme.limit("package_margin_m")
        layers, elsewhere = _without_far_ones(layers, ground, named, programme.limit("package_unplaced_m"))
        layers, targets = _around(layers, ground, named, margin)
    else:
        targets = tuple(_open(layers)) if "hazards" in layers else ()
    left = sorted(kind for kind in survey.layers if kind not in PACKED and len(survey.layers[kind]))
    cargo = Cargo(
        survey.name, title, layers=layers, targets=targets, ground=ground, programme=programme, margin_m=margin, elsewhere=elsewhere,
        rasters=getattr(survey, "rasters", {}), inputs=tuple(getattr(survey, "inputs", ())), withheld={kind: len(survey.layers[kind]) for kind in left},
    )  # fmt: skip
    return measured(cargo)


def measured(cargo: Cargo) -> Cargo:
    """The cargo with the ledger of its own records."""
    from dataclasses import replace

    hazards = cargo.hazards
    if not len(hazards):
        return replace(cargo, coverage=None, results={})
    coverage = release.coverage(hazards, cargo.releases, programme=cargo.programme, events=cargo.layers.get("events"))
    results = {name: _lonlat(getattr(coverage, name), name) for name in RESULTS}
    return replace(cargo, coverage=coverage, results={k: f for k, f in results.items() if len(f)})


def _lonlat(frame: gpd.GeoDataFrame, kind: str) -> gpd.GeoDataFrame:
    if frame.crs is None and not placed(frame).any():
        frame = frame.set_geometry(gpd.GeoSeries([None] * len(frame), index=frame.index, crs=_crs.WGS84))
    _crs.require(frame, f"layer '{kind}'")
    moved = _crs.to_wgs84(frame)
    out = moved if moved.geometry.name == "geometry" else moved.rename_geometry("geometry")
    if kind in KINDS and ("id" not in out or not all(isinstance(v, str) for v in out["id"])):
        table, _ = conform(pd.DataFrame(out.drop(columns="geometry")), KINDS[kind])
        out = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(out.geometry.array, index=table.index, crs=_crs.WGS84))
    return out.sort_values("id", kind="stable", ignore_index=True) if "id" in out else out.reset_index(drop=True)


def _asked(layers: Mapping[str, gpd.GeoDataFrame], task: str | None, area: Any) -> tuple[Any, set[str], str]:
    """The ground asked for in WGS 84 (or None), the keys that stand for it, and what it is called."""
    if task is not None:
        return _task(layers, str(task))
    if area is None:
        return None, set(), ""
    if isinstance(area, gpd.GeoDataFrame | gpd.GeoSeries):
        shapes = _crs.transform(area.geometry.array, _crs.require(area, "area"), _crs.WGS84)
        return _joined(shapes), set(), "area"
    if isinstance(area, shapely.Geometry):
        return _joined([area]), set(), "area"
    hazards = layers.get("hazards")
    if hazards is not None and str(area) in set(hazards["id"]):
        row = hazards[hazards["id"] == str(area)]
        return _joined(row.geometry.array), {str(area)}, str(area)
    if not Path(str(area)).is_file():
        raise SchemaError(
            f"there is no hazard and no file '{area}'", hint="give a hazard's id, or a GeoJSON file with the area"
        )
    frame = io.read(str(area))
    ground = _joined(_crs.transform(frame.geometry.array, _crs.require(frame, "area"), _crs.WGS84))
    if ground is None:
        raise SchemaError("the file holds no polygon", hint="draw the area as a polygon", file=area)
    return ground, set(), Path(str(area)).stem


def _task(layers: Mapping[str, gpd.GeoDataFrame], task: str) -> tuple[Any, set[str], str]:
    rows = {
        kind: frame[
            (frame["task_id"].astype(object) == task if "task_id" in frame else pd.Series(False, index=frame.index))
            | (frame["id"].astype(object) == task if kind == "activities" else pd.Series(False, index=frame.index))
        ]
        for kind, frame in layers.items()
        if "task_id" in frame or kind == "activities"
    }
    if not any(len(frame) for frame in rows.values()):
        known = sorted({str(v) for f in layers.values() if "task_id" in f for v in f["task_id"].dropna()})
        hint = f"tasks here are {', '.join(known[:5])}" if known else "no record names a task; use --area with a hazard"
        raise SchemaError(f"there is no task '{task}'", hint=hint)
    linked = {str(v) for f in rows.values() if "hazard_id" in f for v in f["hazard_id"].dropna()}
    own = rows.get("activities")
    ground = None if own is None else _joined(own.geometry.array)
    if ground is None and "hazards" in layers:
        hazards = layers["hazards"]
        ground = _joined(hazards[hazards["id"].isin(linked)].geometry.array)
    return ground, {task, *linked}, task


def _joined(shapes: Any) -> Any:
    areas = geom.polygonal([s if s is None else geom.repair(s) for s in shapes])
    filled = [s for s in areas if s is not None and not s.is_empty]
    return shapely.union_all(filled) if filled else None


def _open(layers: Mapping[str, gpd.GeoDataFrame]) -> list[str]:
    hazards = layers["hazards"]
    over = hazards["status"].isin(ENDED) if "status" in hazards else pd.Series(False, index=hazards.index)
    return [str(v) for v in hazards.loc[~over & placed(hazards), "id"]]


def _around(
    layers: Mapping[str, gpd.GeoDataFrame], ground: Any, named: set[str], margin_m: float
) -> tuple[dict[str, gpd.GeoDataFrame], tuple[str, ...]]:
    """What lies on the ground or within the margin of it, and what names it; hazards without a place always go along."""
    reach = _grown(ground, margin_m)
    hazards = layers.get("hazards")
    targets: list[str] = []
    if hazards is not None:
        targets = [str(v) for v in hazards.loc[_shares(hazards, ground) | hazards["id"].isin(named), "id"]]
        near = hazards[_meets(hazards, reach) | hazards["id"].isin(named) | ~placed(hazards)]
        around = _joined([reach, *near.geometry[placed(near)].array])
    else:
        near, around = None, reach
    keys = named | set(targets)
    out: dict[str, gpd.GeoDataFrame] = {}
    for kind, frame in layers.items():
        linked = pd.Series(False, index=frame.index)
        for column in (c for c in LINKS if c in frame):
            linked |= frame[column].astype(object).isin(keys)
        chosen = (
            near
            if kind == "hazards"
            else frame[linked | _meets(frame, around if kind in ("releases", "events") else reach)]
        )
        assert chosen is not None
        out[kind] = chosen.reset_index(drop=True)
    return out, tuple(targets)


def _without_far_ones(
    layers: dict[str, gpd.GeoDataFrame], ground: Any, named: set[str], far_m: float
) -> tuple[dict[str, gpd.GeoDataFrame], int]:
    """The layers without hazards of other areas that have no position, and how many those are.

    Such a hazard is of another area if the settlement that it names has a known position, by places or by hazards that name it
    too, and none of them is within `far_m` of the ground. Whatever is not known to be far stays.
    """
    hazards = layers.get("hazards")
    if hazards is None or ground is None or "place" not in hazards:
        return layers, 0
    also = [
        c for c in ("admin1", "admin2") if c in hazards and c in layers.get("places", hazards)
    ]  # settlements have namesakes
    near = _metres_to(hazards, ["place", *also], ground)
    if "places" in layers and "name" in layers["places"]:  # either position may be wrong: the nearer one counts
        for name, metres in _metres_to(layers["places"], ["name", *also], ground).items():
            near[name] = min(near.get(name, np.inf), metres)
    far = [near.get(name, 0.0) > far_m for name in _named(hazards, ["place", *also])]
    gone = ~placed(hazards) & pd.Series(far, index=hazards.index) & ~hazards["id"].isin(named)
    return {**layers, "hazards": hazards[~gone].reset_index(drop=True)}, int(gone.sum())


def _named(frame: gpd.GeoDataFrame, columns: list[str]) -> list[tuple[str, ...]]:
    """Settlement and districts of each row, as they are compared."""
    return [tuple(map(_settlement, row)) for row in frame[columns].itertuples(index=False, name=None)]


def _metres_to(frame: gpd.GeoDataFrame, columns: list[str], ground: Any) -> dict[tuple[str, ...], float]:
    """Settlement, with its districts → metres from the ground to the nearest position on record for it."""
    out: dict[tuple[str, ...], float] = {}
    metres = distance(np.array(frame.geometry.array, dtype=object), np.array([ground], dtype=object))
    for name, there, known in zip(_named(frame, columns), metres, placed(frame), strict=True):
        if name[0] and known:
            out[name] = min(out.get(name, np.inf), float(there))
    return out


def _settlement(name: Any) -> str:
    """A settlement as it is compared: without what stands in brackets after it."""
    return re.sub(r"\s*\([^)]*\)\s*$", "", name).strip().casefold() if isinstance(name, str) else ""


def _grown(ground: Any, margin_m: float) -> Any:
    if ground is None:
        return None
    middle = ground.centroid
    plane = _crs.utm(middle.x, middle.y)
    flat = _crs.transform(_crs.densify(np.array([ground], dtype=object)), _crs.WGS84, plane)[0]
    return _crs.transform([shapely.buffer(flat, margin_m)], plane, _crs.WGS84)[0]


def _meets(frame: gpd.GeoDataFrame, ground: Any) -> pd.Series:
    if ground is None:
        return pd.Series(False, index=frame.index)
    shapely.prepare(ground)
    return pd.Series(shapely.intersects(_sound(frame), ground), index=frame.index)


def _shares(frame: gpd.GeoDataFrame, ground: Any) -> pd.Series:
    """Whether each area has ground in common with another one, not only an edge."""
    if ground is None:
        return pd.Series(False, index=frame.index)
    common = shapely.area(shapely.intersection(_sound(frame), ground))
    spot = (shapely.get_dimensions(np.asarray(frame.geometry.array, dtype=object)) < 2) & _meets(
        frame, ground
    ).to_numpy()
    return pd.Series((common > 1e-10) | spot, index=frame.index)  # about 1 m² in square degrees


def _sound(frame: gpd.GeoDataFrame) -> np.ndarray:
    shapes = np.array(frame.geometry.array, dtype=object)
    bad = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    if bad.any():
        shapes[bad] = [geom.repair(s) if s.geom_type.endswith("Polygon") else s for s in shapes[bad]]
    return shapes
