"""What leaves the house: `internal` everything, `partner` without persons and unsafe places, `public` in grid squares.

Withholding happens here once, before any file is written; what is not in the result cannot be in a file. Not for selection.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.field.package import squares
from geotools.field.package.cargo import LEVELS, PACKED, Cargo, placed
from geotools.field.package.chosen import ENDED, measured
from geotools.model.errors import SchemaError
from geotools.model.programme import Programme
from geotools.model.publishing import publishable
from geotools.model.schema import KINDS
from geotools.space import crs as _crs
from geotools.space.withheld import CONTEXT, FREE_TEXT, KIND_OF, NEAR_M, distance, revealing, unlinked

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(resources.files("geotools.field.package").joinpath("redact.toml").read_text("utf-8"))


def redact(cargo: Cargo, level: str) -> Cargo:
    """The cargo as it may leave at a level.

    Parameters
    ----------
    level
        ``internal``: all that was chosen. ``partner``: without accidents that are not marked safe to publish, without
        persons, and with hazards marked unsafe to publish in whole grid squares of ``unsafe_grid_m`` and nothing else about
        them. ``public``: unreleased ground in whole squares that cover it, released ground in squares wholly inside it, an allow list of
        columns, places and land use; nothing else. Squares have the side ``public_grid_m`` of the programme.

    Raises
    ------
    SchemaError
        If the level is unknown.
    """
    if level not in LEVELS:
        raise SchemaError(f"'{level}' is not a level of redaction", hint=f"use {', '.join(LEVELS)}")
    kept = {"internal": _internal, "partner": _partner, "public": _public}[level](cargo)
    return _printable(replace(kept, level=level))


def reasons(level: str, withheld: Mapping[str, int]) -> list[str]:
    """Why rows stayed behind, one sentence for each reason with the layers it holds for and their rows.

    For the person who packs: nothing of it goes into the package.

    Examples
    --------
    >>> reasons("public", {"finds": 6, "hazards": 2, "marks": 1})
    ['finds 6, marks 1: such records never leave at this level', 'hazards 2: marked unsafe to publish, or nothing unreleased of them can be drawn in squares']
    """
    words = _rules()["why"][level]
    found: dict[str, list[str]] = {}
    for kind, count in withheld.items():
        carried = words.get(kind, words["rest"]) if kind in PACKED else words["other"]
        found.setdefault(carried, []).append(f"{kind} {count:,}")
    return [f"{', '.join(kinds)}: {why}" for why, kinds in found.items()]


def _internal(cargo: Cargo) -> Cargo:
    return cargo


# --------------------------------------------------------------------------------------------------------------- partner


def _partner(cargo: Cargo) -> Cargo:
    held: Counter[str] = Counter(cargo.withheld)
    layers = {kind: _columns(frame, kind) for kind, frame in cargo.layers.items()}
    if "accidents" in cargo.layers:
        safe = publishable(cargo.layers["accidents"], "accidents")
        held["accidents"] += int((~safe).sum())
        layers["accidents"] = layers["accidents"][safe]
    layers, precision = shadowed(cargo.hazards, layers, cargo.programme, held) if len(cargo.hazards) else (layers, 0.0)
    kept = {kind: frame.reset_index(drop=True) for kind, frame in layers.items() if len(frame)}
    out = measured(replace(cargo, layers=kept, withheld=dict(held), precision_m=precision))
    if not precision:
        return out
    blurred = set(kept["hazards"].loc[kept["hazards"]["precision_m"].notna(), "id"].astype(str))
    results = {**out.results, **_uncredited(out.results, kept["hazards"], blurred)}
    return replace(out, results=results, ground=None, targets=tuple(t for t in out.targets if t not in blurred))


def _uncredited(
    results: Mapping[str, gpd.GeoDataFrame], hazards: gpd.GeoDataFrame, blurred: set[str]
) -> dict[str, gpd.GeoDataFrame]:
    """What remains, where squares are whole: ground released of a neighbour in the same square is not released of them."""
    if "remaining" not in results:
        return {}
    left = results["remaining"].copy()
    wide = left["id"].astype(str).isin(blurred).to_numpy()
    squared = dict(zip(hazards["id"].astype(str), hazards.geometry.array, strict=True))
    shapes = np.array(left.geometry.array, dtype=object)
    shapes[wide] = [*map(squared.get, left["id"].astype(str)[wide])]
    for column, value in (("remaining_m2", left["area_m2"]), ("processed_m2", 0.0), ("coverage", 0.0)):
        left[column] = left[column].mask(wide, value)
    return {"remaining": left.set_geometry(gpd.GeoSeries(shapes, index=left.index, crs=left.crs))}


def _columns(frame: gpd.GeoDataFrame, kind: str) -> gpd.GeoDataFrame:
    rules = _rules()["partner"]
    only = rules["only"].get(kind, KINDS[kind].names)
    names = [c for c in only if c in frame and c not in rules["never"]]
    return frame[[*names, "geometry"]]


def unsafe_side(programme: Programme) -> float:
    """Side in metres of the squares of hazards marked unsafe to publish: never finer than those of public ground."""
    return max(programme.limit("unsafe_grid_m"), programme.limit("public_grid_m"))


def shadowed(
    hazards: gpd.GeoDataFrame,
    layers: Mapping[str, gpd.GeoDataFrame],
    programme: Programme,
    held: Counter[str],
    *,
    records: Mapping[str, gpd.GeoDataFrame] | None = None,
) -> tuple[dict[str, gpd.GeoDataFrame], float]:
    """Hazards marked unsafe to publish become squares; whatever would give their place away stays behind.

    A record stays behind that lies in a square of ``public_grid_m`` on such a hazard, or that is linked to it, directly
    or through other records. A hazard that is linked to one goes along without the link and without its free text.

    Parameters
    ----------
    hazards
        All hazards with ``safe_to_publish``, in WGS 84.
    layers
        What would leave, in WGS 84; ``hazards`` and ``remaining`` with the same ids.
    programme
        Its ``unsafe_grid_m`` is the side of the squares that such hazards are drawn in.
    held
        Is added to: layer → rows that stay behind.
    records
        All records with all their links; default: `layers`.

    Returns
    -------
    layers, side
        What leaves, and the side of the squares; 0 where no hazard is marked unsafe.
    """
    unsafe = ~publishable(hazards, "hazards")
    if not unsafe.any():
        return dict(layers), 0.0
    side = unsafe_side(programme)
    shapes = np.array(hazards.geometry.array, dtype=object)
    touching = unsafe | (distance(shapes, shapes[unsafe]) <= NEAR_M)
    fine = squares.covering(shapes[touching], programme.limit("public_grid_m"))
    shadow = [s for s in fine if s is not None]
    closed = {"hazards": set(hazards.loc[touching, "id"].astype(str))}
    if records is not None:
        closed = _joined(closed, records, revealing(records, closed, shadow, edges=shapes[touching]))
    gone = revealing(layers, closed, shadow, edges=shapes[touching])
    closed = _joined(closed, layers, gone)
    out: dict[str, gpd.GeoDataFrame] = {}
    for kind, frame in layers.items():
        if kind == "hazards":
            which = frame["id"].astype(str).isin(closed["hazards"]).to_numpy()
            out[kind] = unlinked(_in_squares(_quiet(frame, closed), which, side), closed)
            continue
        held[kind] += int(gone[kind].sum())
        out[kind] = unlinked(frame[~gone[kind]], closed)
    return out, side


def _joined(
    closed: Mapping[str, set[str]], layers: Mapping[str, gpd.GeoDataFrame], gone: Mapping[str, np.ndarray]
) -> dict[str, set[str]]:
    """The withheld ids, with those of more rows."""
    out = dict(closed)
    for kind, rows in gone.items():
        if rows.any() and "id" in layers[kind] and kind not in KIND_OF:
            out[kind] = out.get(kind, set()) | set(layers[kind]["id"].astype(str)[rows])
    return out


def _quiet(hazards: gpd.GeoDataFrame, closed: Mapping[str, set[str]]) -> gpd.GeoDataFrame:
    """Hazards without the free text of those that are linked to a withheld one."""
    linked = revealing({"linked": hazards.drop(columns="id")}, closed, [])["linked"]
    told = {c: hazards[c].astype(object).where(~linked, None) for c in FREE_TEXT if c in hazards and linked.any()}
    return hazards.assign(**told) if told else hazards


def _in_squares(hazards: gpd.GeoDataFrame, which: np.ndarray, side: float) -> gpd.GeoDataFrame:
    """These rows in squares, with the public columns only."""
    allowed = set(_rules()["public"]["only"]["hazards"])
    shapes = np.array(hazards.geometry.array, dtype=object)
    shapes[which] = squares.covering(shapes[which], side)
    data = {
        name: hazards[name] if name in allowed else hazards[name].astype(object).where(~which, None)
        for name in hazards.columns
        if name != "geometry"
    }
    data["precision_m"] = pd.Series(np.where(which, side, np.nan), index=hazards.index)
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shapes, index=hazards.index, crs=_crs.WGS84))


# ---------------------------------------------------------------------------------------------------------------- public


def _public(cargo: Cargo) -> Cargo:
    side = cargo.programme.limit("public_grid_m")
    only = _rules()["public"]["only"]
    held: Counter[str] = Counter({"other": sum(cargo.withheld.values())} if cargo.withheld else {})
    secret = _secrets(cargo)
    layers: dict[str, gpd.GeoDataFrame] = {}
    for kind, frame in cargo.layers.items():
        if kind == "hazards":
            layers[kind] = _public_hazards(cargo, frame, side, held)
        elif kind in CONTEXT:
            near = distance(shapely.boundary(np.array(frame.geometry.array, dtype=object)), secret) <= NEAR_M
            spots = distance(np.array(frame.geometry.array, dtype=object), secret) <= NEAR_M
            near = near | (spots & (shapely.get_dimensions(np.array(frame.geometry.array, dtype=object)) == 0))
            held[kind] += int(near.sum())
            layers[kind] = frame.loc[~near, [*(c for c in only[kind] if c in frame), "geometry"]]
        else:  # the ground of releases is shown in whole squares, the records stay behind
            held[kind] += len(frame)
    kept = {kind: frame.reset_index(drop=True) for kind, frame in layers.items() if len(frame)}
    released = _public_released(cargo, side)
    titled = cargo.title if cargo.title in set(kept["hazards"]["id"] if "hazards" in kept else ()) else ""
    return replace(
        cargo, title=titled, layers=kept, results={"released": released} if len(released) else {}, targets=(), ground=None,
        precision_m=side, withheld={k: n for k, n in held.items() if n}, coverage=None, rasters={}, inputs=(),
        month=_month(cargo, kept, released),
    )  # fmt: skip


def _month(cargo: Cargo, kept: Mapping[str, gpd.GeoDataFrame], released: gpd.GeoDataFrame) -> str:
    """Month of the latest information on what is shown: of hazards in squares, and of acts whose ground lies in released squares.

    What stays behind has no part in it, so that its date cannot be read from outside; the day is withheld.
    """
    days = [kept["hazards"]["date_info"]] if "hazards" in kept and "date_info" in kept["hazards"] else []
    acts = cargo.results.get("released")
    if acts is not None and "date" in acts and len(released):
        unsafe = set(cargo.hazards["id"].astype(str)[~publishable(cargo.hazards, "hazards")])
        shown = shapely.union_all(np.array(released.geometry.array, dtype=object))
        common = shapely.area(shapely.intersection(np.array(acts.geometry.array, dtype=object), shown)) > 0
        linked = acts["hazard_id"].astype(str).isin(unsafe) if "hazard_id" in acts else False
        days.append(acts["date"][common & ~linked])
    known = [pd.to_datetime(d.astype(object), errors="coerce", format="mixed", utc=True).max() for d in days if len(d)]
    latest = [d for d in known if not pd.isna(d)]
    return f"{max(latest):%Y-%m}" if latest else ""


def _secrets(cargo: Cargo) -> np.ndarray:
    """Every withheld vertex, as points."""
    frames = [f for kind, f in cargo.layers.items() if kind not in CONTEXT]
    coordinates = [
        shapely.get_coordinates(np.array(f.geometry.array, dtype=object)) for f in (*frames, *cargo.results.values())
    ]
    return np.asarray(shapely.points(np.unique(np.concatenate([np.zeros((0, 2)), *coordinates]), axis=0)), dtype=object)


def _public_hazards(cargo: Cargo, frame: gpd.GeoDataFrame, side: float, held: Counter[str]) -> gpd.GeoDataFrame:
    safe = publishable(frame, "hazards")
    rest = cargo.results.get("remaining")
    known = (
        {}
        if cargo.coverage is None
        else dict(zip(cargo.coverage.table["id"].astype(str), cargo.coverage.table["area_m2"], strict=True))
    )
    left = {} if rest is None else dict(zip(rest["id"].astype(str), rest.geometry.array, strict=True))
    shapes = []
    for i, shape in zip(frame["id"].astype(str), frame.geometry.array, strict=True):
        counted = known.get(i, 0.0) > 0  # the ledger knows its ground: what is left of it is what is unreleased
        shapes.append(left.get(i) if counted else shape)
    told = frame[[c for c in _rules()["public"]["only"]["hazards"] if c in frame]].copy()
    if "status" in told:  # unreleased ground is never called closed
        told["status"] = told["status"].astype(object).where(~told["status"].isin(ENDED), None)
    shown = gpd.GeoDataFrame(
        told.assign(precision_m=side),
        geometry=gpd.GeoSeries(squares.covering(shapes, side), index=frame.index, crs=_crs.WGS84),
    )
    out = shown[safe & placed(shown).to_numpy()]
    held["hazards"] += len(frame) - len(out)
    return out


def _public_released(cargo: Cargo, side: float) -> gpd.GeoDataFrame:
    """Released ground by product, in squares that lie wholly inside it and touch no hazard that is marked unsafe."""
    rows = cargo.results.get("released")
    unsafe = cargo.hazards.geometry.array[~publishable(cargo.hazards, "hazards")]
    wide = squares.covering(unsafe, unsafe_side(cargo.programme))
    kept_off = shapely.union_all([s for s in wide if s is not None])
    if rows is None or not len(rows):
        return gpd.GeoDataFrame({"id": [], "product": []}, geometry=gpd.GeoSeries([], crs=_crs.WGS84))
    products = rows["counted_as"] if "counted_as" in rows else rows["product"]
    shapes = {
        str(product): squares.inside(
            [
                shapely.difference(
                    shapely.union_all(np.array(rows.geometry.array[(products == product).to_numpy()])), kept_off
                )
            ],
            side,
        )[0]
        for product in sorted(set(products.dropna()))
    }
    found = {product: shape for product, shape in shapes.items() if shape is not None}
    data = {"id": list(found), "product": list(found), "precision_m": [side] * len(found)}
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(list(found.values()), crs=_crs.WGS84))


# ------------------------------------------------------------------------------------------------------------------ text


def _printable(cargo: Cargo) -> Cargo:
    """Without characters that no XML file can hold; how many cells had some is said."""
    count = 0

    def clean(frames: Mapping[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
        nonlocal count
        out = {}
        for kind, frame in frames.items():
            changed = {}
            for name in frame.columns:
                if name == "geometry" or not (frame[name].dtype == object or pd.api.types.is_string_dtype(frame[name])):
                    continue
                dirty = [isinstance(v, str) and _ILLEGAL.search(v) is not None for v in frame[name]]
                if any(dirty):
                    count += sum(dirty)
                    changed[name] = pd.Series(
                        [plain(v) if isinstance(v, str) else v for v in frame[name]], index=frame.index, dtype=object
                    )
            named = {str(c): plain(str(c)) for c in frame.columns if plain(str(c)) != str(c)}
            out[kind] = frame.assign(**changed).rename(columns=named) if changed or named else frame
        return out

    layers, results = clean(cargo.layers), clean(cargo.results)
    note = (f"In {count} cells, control characters were taken out that files for phones cannot hold.",) if count else ()
    return replace(
        cargo,
        name=plain(cargo.name),
        title=plain(cargo.title),
        layers=layers,
        results=results,
        notes=(*cargo.notes, *note),
    )


def plain(text: str) -> str:
    """The text without characters that XML 1.0 cannot hold.

    Examples
    --------
    >>> plain("a\\x07b\\ud800\\tc")
    'ab\\tc'
    """
    return _ILLEGAL.sub("", text)
