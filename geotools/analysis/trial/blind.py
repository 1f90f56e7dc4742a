"""Blindness: seal the layout before the trial, freeze the marks after it, and refuse to score anything edited between.

For commitments by salted hash; not for secrecy of files (keep the targets and the salt with the trial director).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geotools.model import arguments
from geotools.model.errors import StatisticsError
from geotools.model.provenance import now
from geotools.model.schema.conform import as_text
from geotools.space import crs as _crs

TARGET_COLUMNS = ("id", "lane_id", "target_type", "depth_cm", "soil")
SIGNAL_COLUMNS = ("id", "lane_id", "operator", "detector", "run_id", "score")
DEGREE_DIGITS = 7  # about 1 cm
METRE_DIGITS = 3


@dataclass(frozen=True)
class Blind:
    """What proves a blind trial: the published seal, the salt opened afterwards, and the record of the frozen marks.

    Parameters
    ----------
    seal
        As published before the trial, see `seal`.
    salt
        Opened by the trial director after the marks were frozen.
    frozen
        What `freeze` returned.

    Examples
    --------
    >>> targets = pd.DataFrame({"id": ["a"], "x_m": [1.0], "y_m": [2.0]})
    >>> sealed = seal(targets, "00")
    >>> proof = Blind(sealed, "00", freeze(pd.DataFrame({"id": ["m1"], "x_m": [1.1], "y_m": [2.0]}), sealed))
    >>> proof.frozen["count"], proof.frozen["seal"] == proof.seal
    (1, True)
    """

    seal: str
    salt: str
    frozen: Mapping[str, Any]


def new_salt() -> str:
    """A random salt of 128 bits as hex, to be kept with the targets until the marks are frozen.

    Examples
    --------
    >>> len(new_salt()), new_salt() == new_salt()
    (32, False)
    """
    return secrets.token_hex(16)


def seal(targets: pd.DataFrame, salt: str) -> str:
    """Salted SHA-256 of a target layout: independent of row order, file format and other columns.

    Parameters
    ----------
    targets
        Kind ``targets``: `id`, `lane_id`, `target_type`, `depth_cm`, `soil` and a position (geometry in any CRS, kept to
        1e-7°, or `x_m`/`y_m`, kept to 1 mm).

    Raises
    ------
    StatisticsError
        If there is no salt.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": ["a"], "x_m": [1.0], "y_m": [2.0]})
    >>> seal(frame, "00") == seal(frame.assign(note="x"), "00"), seal(frame, "00") == seal(frame, "01")
    (True, False)
    """
    arguments.columns(targets, "the targets")
    if not isinstance(salt, str) or not salt:
        raise StatisticsError("a seal needs a salt", hint="use geotools.trial.new_salt()")
    return _digest(targets, TARGET_COLUMNS, salt)


def freeze(signals: pd.DataFrame, sealed: str) -> dict[str, Any]:
    """Record of the marks as they are now, tied to the seal of the layout; after this they may not change.

    Parameters
    ----------
    signals
        Kind ``signals``: `id`, `lane_id`, `operator`, `detector`, `run_id`, `score` and a position (as for `seal`).
    sealed
        The seal of the layout, as from `seal`.

    Returns
    -------
    dict
        ``marks`` (hash), ``count``, ``seal`` and ``frozen_at`` (UTC), ready for JSON.

    Raises
    ------
    StatisticsError
        If there is no seal of the design.

    Examples
    --------
    >>> marks = pd.DataFrame({"id": ["m1"], "x_m": [1.1], "y_m": [2.0]})
    >>> record = freeze(marks, seal(pd.DataFrame({"id": ["a"], "x_m": [1.0], "y_m": [2.0]}), "00"))
    >>> sorted(record), record["count"]
    (['count', 'frozen_at', 'marks', 'seal'], 1)
    """
    arguments.columns(signals, "the signals")
    if not isinstance(sealed, str) or not sealed:
        raise StatisticsError("marks are frozen for one layout", hint="give the seal of the design")
    stamp = now().isoformat().replace("+00:00", "Z")
    return {
        "marks": _digest(signals, SIGNAL_COLUMNS, sealed),
        "count": len(signals),
        "seal": sealed,
        "frozen_at": stamp,
    }


def verify(targets: pd.DataFrame, signals: pd.DataFrame, blind: Blind) -> None:
    """Refuse to go on unless the layout is the sealed one and the marks are the frozen ones.

    Parameters
    ----------
    targets, signals
        The layout as opened, and the marks as they are now.
    blind
        The published seal, the salt, and the record made by `freeze`.

    Raises
    ------
    StatisticsError
        If marks were not frozen, were edited afterwards, or the layout or salt is not the sealed one.

    Examples
    --------
    >>> targets = pd.DataFrame({"id": ["a"], "x_m": [1.0], "y_m": [2.0]})
    >>> marks = pd.DataFrame({"id": ["m1"], "x_m": [1.1], "y_m": [2.0]})
    >>> sealed = seal(targets, "00")
    >>> proof = Blind(sealed, "00", freeze(marks, sealed))
    >>> verify(targets, marks, proof)
    >>> verify(targets, marks.assign(x_m=1.0), proof)
    Traceback (most recent call last):
    geotools.model.errors.StatisticsError: the marks were edited after they were frozen
    """
    if not blind.frozen.get("marks"):
        raise StatisticsError("the marks are not frozen yet", hint="freeze them first: geotools trial freeze SIGNALS")
    if blind.frozen.get("seal") != blind.seal:
        raise StatisticsError("the marks were frozen for another layout", hint="use the seal of this trial")
    if not hmac.compare_digest(_digest(signals, SIGNAL_COLUMNS, blind.seal), str(blind.frozen["marks"])):
        raise StatisticsError(
            "the marks were edited after they were frozen", hint="score the marks as they were frozen"
        )
    if not hmac.compare_digest(seal(targets, blind.salt), blind.seal):
        raise StatisticsError(
            "the targets (or the salt) are not those that were sealed", hint="use the files of the trial director"
        )


def _digest(frame: pd.DataFrame, columns: tuple[str, ...], salt: str) -> str:
    table = {name: [as_text(v) for v in frame[name]] if name in frame else [None] * len(frame) for name in columns}
    rows = sorted(zip(*table.values(), *_places(frame), strict=True), key=json.dumps)
    text = json.dumps([salt, columns, rows], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _places(frame: pd.DataFrame) -> list[list[str | None]]:
    x, y = _column(frame, "x_m"), _column(frame, "y_m")
    lon: list[str | None] = [None] * len(frame)
    lat: list[str | None] = [None] * len(frame)
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None and arguments.placed(frame).any():
        points = _crs.transform(frame.geometry.array, _crs.require(frame), _crs.WGS84)
        for row, point in enumerate(points):
            if point is not None and not point.is_empty:
                place = shapely.get_coordinates(shapely.centroid(point))[0]
                lon[row], lat[row] = (f"{value + 0.0:.{DEGREE_DIGITS}f}" for value in place)
    return [x, y, lon, lat]


def _column(frame: pd.DataFrame, name: str) -> list[str | None]:
    if name not in frame:
        return [None] * len(frame)
    values = pd.to_numeric(frame[name], errors="coerce")
    return [
        as_text(raw) if pd.isna(v) else f"{float(v) + 0.0:.{METRE_DIGITS}f}"
        for v, raw in zip(values, frame[name], strict=True)
    ]
