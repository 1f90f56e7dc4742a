"""The figures of a snapshot as tables: one row per hazard, one per release, groups, and totals that count nothing twice.

For arranging square metres; they are measured in `ledger`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyproj
import shapely

from geotools.analysis.release import entries as _e
from geotools.analysis.release import projection as _p
from geotools.analysis.release.ledger import SLIVER_M2, Ledger, Snapshot
from geotools.analysis.release.reopenings import Layer
from geotools.model.errors import ReleaseError
from geotools.model.figures import NOT_STATED
from geotools.model.methods import UNKNOWN
from geotools.space import crs as _crs

NO_PRODUCT = "its product is missing or not a known word"
PRODUCTS = ("cancelled", "reduced", "cleared")
EARTH_M2 = 5.2e14  # no reported area is larger than the Earth
ACTS = {name: _e.WORDS.index(name) for name in (*PRODUCTS, "processed", "transferred", "corrected")}
TOLD = ("name", "classification", "status", "organisation", "admin1", "admin2", "place")
BY_RELEASE = ("product", "method", "organisation", "team", "year", "month", "depth")
BY_HAZARD = ("admin1", "admin2", "place", "country", "classification", "status", "contamination")


def exact_sum(values: Sequence[float] | np.ndarray) -> float:
    """Sum that does not depend on the order of its terms."""
    return math.fsum(np.asarray(values, dtype=float).tolist())


def sums(group: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Sum of `values` per group number; pairs come in ledger order, so the bits do not depend on the input's order."""
    return np.bincount(group, weights=values, minlength=count)[:count].astype(float) if len(group) else np.zeros(count)


def hazard_table(book: Ledger, shot: Snapshot) -> pd.DataFrame:
    """One row per hazard known on the day, in order of id."""
    layer, rows = book.hazards, shot.hazard
    count = len(rows)
    data: dict[str, object] = {"id": layer.rows.id[rows]}
    for column in TOLD:
        if column in layer.rows.frame.columns:
            data[column] = layer.rows.text(column)[rows]
    data["date_info"] = pd.Series(layer.rows.day[rows].astype("datetime64[s]")).dt.as_unit("ms").to_numpy()
    by_act = {name: sums(*_pick(shot, code), count) for name, code in ACTS.items()}
    released = by_act["cancelled"] + by_act["reduced"] + by_act["cleared"]
    data["area_m2"] = shot.gross
    data.update({f"{name}_m2": by_act[name] for name in PRODUCTS})
    data["processed_m2"] = by_act["processed"]
    data["released_m2"] = released
    data["remaining_m2"] = shot.left
    with np.errstate(divide="ignore", invalid="ignore"):
        data["coverage"] = np.where(shot.gross > 0, np.clip(released / shot.gross, 0.0, 1.0), np.nan)
    data["outside_m2"] = sums(*outside_by_hazard(book, shot), count)
    releasing = shot.act[shot.pair_c] <= _e.CANCELLED
    doubled = np.where(releasing, np.maximum(shot.raw - shot.net, 0.0), 0.0)
    data["overlap_m2"] = sums(shot.pair_h, doubled, count)
    data["transferred_m2"], data["corrected_m2"] = by_act["transferred"], by_act["corrected"]
    data["shared_m2"] = np.maximum(shot.gross - shot.own_gross, 0.0)
    touches = (shot.raw > 0) & (shot.act[shot.pair_c] <= _e.CANCELLED)
    data["releases"] = np.bincount(shot.pair_h[touches], minlength=count)[:count]
    data.update(_uncertain(book, shot, released))
    reported = layer.rows.number("area_reported_m2")[rows]
    if np.isfinite(reported).any():
        data["area_reported_m2"] = reported
    if book.programme.crs:
        data["area_grid_m2"] = _grid_area(layer, rows, book.programme.crs)
    return pd.DataFrame(data)


def _pick(shot: Snapshot, code: int) -> tuple[np.ndarray, np.ndarray]:
    chosen = shot.act[shot.pair_c] == code
    return shot.pair_h[chosen], shot.net[chosen]


def _grid_area(layer: Layer, rows: np.ndarray, system: str) -> np.ndarray:
    flat = _crs.transform(layer.ground.places(rows), _crs.WGS84, system)
    unit = float(pyproj.CRS(_crs.parse(system)).axis_info[0].unit_conversion_factor)
    return shapely.area(flat) * unit**2


def _uncertain(book: Ledger, shot: Snapshot, released: np.ndarray) -> dict[str, np.ndarray]:
    """± of each area from the position accuracy of its corners.

    Released ground takes the ± of its releases in proportion to the share that counted; what remains takes both.
    """
    count = len(shot.hazard)
    own = book.sigma[0][shot.hazard]
    each = np.r_[book.sigma[1], book.sigma[2]][shot.release]
    area = shot.cover.area
    share = np.divide(shot.net, area[shot.pair_c], out=np.zeros(len(shot.net)), where=area[shot.pair_c] > 0)
    counted = shot.act[shot.pair_c] <= _e.CANCELLED
    square = sums(shot.pair_h, np.where(counted, (each[shot.pair_c] * share) ** 2, 0.0), count)
    # ground released whole has the ± of the hazard itself: it cannot be less certain than its boundary
    part = np.divide(shot.left, shot.gross, out=np.zeros(count), where=shot.gross > 0)
    return {
        "area_sigma_m2": own,
        "released_sigma_m2": np.where(released > 0, np.sqrt(square), 0.0),
        "remaining_sigma_m2": np.where(shot.left > 0, np.sqrt(square + (own * part) ** 2), 0.0),
    }


def outside_by_hazard(book: Ledger, shot: Snapshot) -> tuple[np.ndarray, np.ndarray]:
    """Hazard position and m² of released ground outside all hazards: to the linked hazard, else to the one most touched."""
    target = outside_target(book, shot)
    known = (target >= 0) & (shot.outside > 0)
    return target[known], shot.outside[known]


def outside_target(book: Ledger, shot: Snapshot) -> np.ndarray:
    """Per act, the hazard its outside ground is listed under, −1 for none."""
    position = {book.hazards.rows.id[row]: n for n, row in enumerate(shot.hazard)}
    link = np.r_[book.releases.rows.text("hazard_id"), book.events.rows.text("hazard_id")][shot.release]
    target = np.array([position.get(text, -1) if text else -1 for text in link], dtype=int)
    order = np.lexsort((shot.pair_h, -shot.raw, shot.pair_c))
    first = np.r_[True, np.diff(shot.pair_c[order]) != 0] if len(order) else np.zeros(0, dtype=bool)
    most = np.full(len(shot.cover), -1)
    best = order[first]
    best = best[shot.raw[best] > 0]
    most[shot.pair_c[best]] = shot.pair_h[best]
    return np.where(target >= 0, target, most)


def credit_table(book: Ledger, shot: Snapshot) -> pd.DataFrame:
    """One row per release row of the input, in order of id: what it claimed, what counted, and why nothing did."""
    layer = book.releases
    count = len(layer)
    acts = len(shot.release)
    net, raw = sums(shot.own_c, shot.own_net, acts), sums(shot.own_c, shot.own_raw, acts)
    mine = shot.release < count
    spread = _spread(shot.release[mine], count)
    data: dict[str, object] = {"id": layer.rows.id}
    data["product"] = layer.rows.word("product", "product", book.programme)
    data["counted_as"] = np.array([_e.WORDS[code] for code in layer.rows.act], dtype=object)
    for column in ("hazard_id", "organisation", "team"):
        data[column] = layer.rows.text(column)
    data["method"] = _e.methods(layer.rows.frame, book.programme)
    data["date"] = pd.Series(layer.rows.day.astype("datetime64[s]")).dt.as_unit("ms").to_numpy()
    data["depth_cm"] = layer.rows.number("depth_cm")
    data["area_m2"] = layer.ground.area
    data["raw_m2"], data["net_m2"] = spread(raw[mine]), spread(net[mine])
    data["outside_m2"] = spread(shot.outside[mine])
    data["reopened_m2"] = spread(shot.reopened[mine])
    data["area_sigma_m2"] = book.sigma[1]
    data["why_zero"] = _why(book, shot, data)
    return pd.DataFrame(data)


def _spread(rows: np.ndarray, count: int):  # type: ignore[no-untyped-def]
    def spread(values: np.ndarray) -> np.ndarray:
        out = np.zeros(count)
        out[rows] = values
        return out

    return spread


def _why(book: Ledger, shot: Snapshot, data: dict[str, object]) -> np.ndarray:
    """In words, why a release row counted 0 m²; empty where it counted."""
    layer = book.releases
    why = np.full(len(layer), "", dtype=object)
    net, raw, out = (np.asarray(data[name]) for name in ("net_m2", "raw_m2", "outside_m2"))
    act, state, day, method = layer.rows.act, layer.ground.state, layer.rows.day, data["method"]
    assert isinstance(method, np.ndarray)
    for row in np.flatnonzero((net <= SLIVER_M2) | (act == _e.PROCESSED)):
        if state[row] != _p.USABLE:
            why[row] = _p.REASONS[int(state[row])]
        elif act[row] == _e.NOTHING:
            why[row] = NO_PRODUCT
        elif shot.as_of is not None and np.isnat(day[row]):
            why[row] = f"it has no date, so it cannot be shown to be known on {shot.as_of}"
        elif shot.as_of is not None and day[row] > shot.as_of:
            why[row] = f"it is dated {day[row]}, after {shot.as_of}"
        elif act[row] == _e.PROCESSED and method[row] == UNKNOWN:
            why[row] = "its method is not a known word, so a search is not proved: it is not released"
        elif act[row] == _e.PROCESSED:
            why[row] = "the ground was processed by machine and no search followed: it is not released"
        elif raw[row] <= SLIVER_M2 < out[row]:
            why[row] = "it lies outside every recorded hazard"
        elif np.asarray(data["reopened_m2"])[row] > 0 and raw[row] <= SLIVER_M2:
            why[row] = "all of its ground was reopened"
        elif raw[row] > SLIVER_M2:
            why[row] = "all of its ground had been released before"
        else:
            why[row] = "its ground is covered by an earlier release outside every recorded hazard"
    return why


def totals(book: Ledger, shot: Snapshot) -> pd.Series:
    """National figures in m²: ground counted once, however many hazards or releases claim it."""
    act = shot.act[shot.own_c]
    each = {name: exact_sum(shot.own_net[act == code]) for name, code in ACTS.items()}
    area, left = exact_sum(shot.own_gross), exact_sum(shot.own_left)
    released = math.fsum(each[name] for name in PRODUCTS)
    releasing = act <= _e.CANCELLED
    doubled = exact_sum(np.maximum(shot.own_raw - shot.own_net, 0.0)[releasing])
    doubled_out = exact_sum(np.maximum(shot.outside_gross - shot.outside, 0.0))
    outside = exact_sum(shot.outside)
    reopened = exact_sum(shot.reopened[shot.act <= _e.CANCELLED])
    claimed = math.fsum((released, outside, doubled, doubled_out, reopened))
    rows = book.releases.rows.number("area_reported_m2")[shot.release[shot.release < len(book.releases)]]
    bare = shot.hazard[book.hazards.ground.state[shot.hazard] != _p.USABLE]
    bare_reported = book.hazards.rows.number("area_reported_m2")[bare]
    figures = {
        "area_m2": area,
        **{f"{name}_m2": each[name] for name in PRODUCTS},
        "processed_m2": each["processed"],
        "released_m2": released,
        "remaining_m2": left,
        "coverage": released / area if area > 0 else math.nan,
        "outside_m2": outside,
        "overlap_m2": doubled + doubled_out,
        "overlap_outside_m2": doubled_out,
        "transferred_m2": each["transferred"],
        "corrected_m2": each["corrected"],
        "reopened_m2": reopened,
        "claimed_m2": claimed,
        "union_m2": released + outside,
        "reported_m2": exact_sum(rows[np.abs(rows) < EARTH_M2]),
        "row_area_m2": exact_sum(shot.gross),
        "shared_m2": exact_sum(np.maximum(shot.gross - shot.own_gross, 0.0)),
        "area_sigma_m2": math.sqrt(exact_sum(book.sigma[0][shot.hazard] ** 2)),
        "hazards": float(len(shot.hazard)),
        "hazards_without_ground": float(len(bare)),
        "reported_without_ground_m2": exact_sum(bare_reported[np.abs(bare_reported) < EARTH_M2]),
        "releases": float((shot.release < len(book.releases)).sum()),
    }
    return pd.Series(figures, name="totals", dtype=float)


def grouped(book: Ledger, shot: Snapshot, by: str) -> pd.DataFrame:
    """Figures per word of a column; every m² is in one group, so each column adds up to the total.

    Raises
    ------
    ReleaseError
        If there is no such column.
    """
    by = "admin1" if by == "district" else by
    if by in BY_HAZARD:
        return _by_hazard(book, shot, by)
    if by not in BY_RELEASE:
        raise ReleaseError(
            f"the ledger cannot be grouped by '{by}'", hint=f"use one of {', '.join((*BY_RELEASE, *BY_HAZARD))}"
        )
    label = _release_labels(book, shot, by)
    names = sorted(set(label))
    group = np.array([names.index(text) for text in label], dtype=int)
    act, pair = shot.act[shot.own_c], group[shot.own_c] if len(group) else np.zeros(0, dtype=int)
    data: dict[str, object] = {by: names}
    for name in (*PRODUCTS, "processed"):
        chosen = act == ACTS[name]
        data[f"{name}_m2"] = sums(pair[chosen], shot.own_net[chosen], len(names))
    released = act <= _e.CANCELLED
    data["released_m2"] = sums(pair[released], shot.own_net[released], len(names))
    data["outside_m2"] = sums(group, shot.outside, len(names))
    doubled = np.where(released, np.maximum(shot.own_raw - shot.own_net, 0.0), 0.0)
    beyond = np.maximum(shot.outside_gross - shot.outside, 0.0)
    data["overlap_m2"] = sums(pair, doubled, len(names)) + sums(group, beyond, len(names))
    rows = group[shot.release < len(book.releases)]
    data["releases"] = np.bincount(rows, minlength=len(names)) if names else np.zeros(0, dtype=int)
    return pd.DataFrame(data)


def _release_labels(book: Ledger, shot: Snapshot, by: str) -> list[str]:
    layer = book.releases
    own = shot.release < len(layer)
    rows = shot.release[own]
    if by in ("year", "month"):
        unit = "Y" if by == "year" else "M"
        found = [None if np.isnat(day) else str(day.astype(f"datetime64[{unit}]")) for day in layer.rows.day[rows]]
    elif by == "depth":
        found = [None if np.isnan(value) else f"{value:g} cm" for value in layer.rows.number("depth_cm")[rows]]
    elif by == "product":
        found = list(layer.rows.word(by, by, book.programme)[rows])
    elif by == "method":
        found = list(_e.methods(layer.rows.frame, book.programme)[rows])
    else:
        found = list(layer.rows.text(by)[rows])
    events = iter(_e.WORDS[code] for code in shot.act[~own])
    labels = iter(found)
    return [(next(labels) or NOT_STATED) if mine else next(events) for mine in own]


def _by_hazard(book: Ledger, shot: Snapshot, by: str) -> pd.DataFrame:
    label = [text or NOT_STATED for text in book.hazards.rows.text(by)[shot.hazard]]
    names = sorted(set(label))
    target = outside_target(book, shot)
    beyond = np.maximum(shot.outside_gross - shot.outside, 0.0)
    some = target >= 0
    if exact_sum(shot.outside[~some]) + exact_sum(beyond[~some]) > 0 and NOT_STATED not in names:
        names = sorted([NOT_STATED, *names])  # of acts that lie in no hazard and name none
    group = np.array([names.index(text) for text in label], dtype=int)
    count = len(names)
    act, pair = shot.act[shot.own_c], group[shot.own_h] if len(group) else np.zeros(0, dtype=int)
    data: dict[str, object] = {
        by: names,
        "hazards": np.bincount(group, minlength=count) if count else np.zeros(0, dtype=int),
    }
    data["area_m2"] = sums(group, shot.own_gross, count)
    for name in (*PRODUCTS, "processed"):
        chosen = act == ACTS[name]
        data[f"{name}_m2"] = sums(pair[chosen], shot.own_net[chosen], count)
    released = act <= _e.CANCELLED
    data["released_m2"] = sums(pair[released], shot.own_net[released], count)
    data["remaining_m2"] = sums(group, shot.own_left, count)
    area, done = np.asarray(data["area_m2"]), np.asarray(data["released_m2"])
    data["coverage"] = np.divide(done, area, out=np.full(count, np.nan), where=area > 0)
    listed = np.full(len(target), names.index(NOT_STATED) if NOT_STATED in names else 0)
    listed[some] = group[target[some]]
    data["outside_m2"] = sums(listed, shot.outside, count)
    doubled = np.where(released, np.maximum(shot.own_raw - shot.own_net, 0.0), 0.0)
    data["overlap_m2"] = sums(pair, doubled, count) + sums(listed, beyond, count)
    return pd.DataFrame(data)
