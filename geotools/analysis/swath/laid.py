"""Passes put aside on disk for rasters: whole swaths by number, and passes by asset and day.

For tables of fixes larger than memory; swaths cut at the borders of tiles are in `spill`, the rasters in `rasters`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely

from geotools.analysis.swath.counts import trip_shapes
from geotools.analysis.swath.rows import Rows, joined
from geotools.analysis.swath.spill import Pieces

TEXTS = ("id", "pass_id", "section", "asset_id", "day")
NUMBERS = ("width_m", "h_acc_m", "length_m")
MOMENTS = ("start", "end")
SCHEMA = pa.schema(
    [*((n, pa.large_string()) for n in TEXTS), *((n, pa.float64()) for n in NUMBERS), *((n, pa.int64()) for n in MOMENTS),
     ("geometry", pa.large_binary())]
)  # fmt: skip
Key = tuple[str, str]  # asset and day


@dataclass(frozen=True)
class Laid:
    """Passes of one block of fixes: swaths of whole passes, passes by asset and day, and the errors they state."""

    swaths: np.ndarray
    groups: tuple[tuple[Key, bytes], ...]
    errors: np.ndarray

    @classmethod
    def of(cls, rows: Rows) -> Laid:
        """From passes in the order of their ids."""
        shapes = trip_shapes(rows.frame()) if len(rows) else np.zeros(0, dtype=object)
        keys = [*zip(rows.words("asset_id").tolist(), rows.words("day").tolist(), strict=True)]
        named = {key: np.array([one == key for one in keys]) for key in sorted(set(keys))}
        groups = tuple((key, _packed(rows.take(mask))) for key, mask in named.items())
        return cls(shapes, groups, rows.numbers("h_acc_m"))


def _packed(rows: Rows) -> bytes:
    columns = [pa.array(rows.words(name), pa.large_string()) for name in TEXTS]
    columns += [pa.array(rows.numbers(name)) for name in NUMBERS]
    columns += [pa.array(rows.data[name].astype("datetime64[us]").astype(np.int64)) for name in MOMENTS]
    block = pa.record_batch([*columns, pa.array(shapely.to_wkb(rows.geometry), pa.large_binary())], schema=SCHEMA)
    return block.serialize().to_pybytes()


def passes_of(blocks: Sequence[bytes], plane: pyproj.CRS) -> gpd.GeoDataFrame:
    """Passes of one asset and day from blocks of bytes, in the order of their ids."""
    parts = []
    for data in blocks:
        block = pa.ipc.read_record_batch(pa.py_buffer(data), SCHEMA)
        columns = {name: np.asarray(block[name].to_pylist(), dtype=object) for name in TEXTS}
        columns |= {name: block[name].to_numpy(zero_copy_only=False) for name in NUMBERS}
        columns |= {name: block[name].to_numpy().astype("datetime64[us]") for name in MOMENTS}
        lines = shapely.from_wkb(np.asarray(block["geometry"].to_pylist(), dtype=object))
        parts.append(Rows(columns, np.asarray(lines), plane))
    return joined(parts).ordered("id", "section").frame()


class Shapes:
    """Swaths in a file, found by the bounds they may reach into."""

    def __init__(self, path: Path) -> None:
        self._pieces, self._bounds = Pieces(path), [np.zeros((0, 4))]

    def __enter__(self) -> Shapes:
        return self

    def __exit__(self, *_: object) -> None:
        self._pieces.__exit__()

    def add(self, swaths: np.ndarray) -> None:
        """Put swaths aside."""
        for data in shapely.to_wkb(swaths):
            self._pieces.add(data)
        self._bounds.append(shapely.bounds(swaths).reshape(-1, 4))

    def mark(self) -> int:
        """How many there are; the next one gets this number."""
        return sum(map(len, self._bounds))

    def near(self, bounds: tuple[float, float, float, float], span: tuple[int, int] | None = None) -> np.ndarray:
        """Swaths whose boxes meet these bounds, in order; only those with numbers from … to `span`."""
        if len(self._bounds) > 1:
            self._bounds = [np.concatenate(self._bounds)]
        first, last = span or (0, len(self._bounds[0]))
        box = self._bounds[0][first:last]
        west, south, east, north = bounds
        meets = (box[:, 0] <= east) & (box[:, 2] >= west) & (box[:, 1] <= north) & (box[:, 3] >= south)
        return np.array([*(self._pieces.get(int(n)) for n in np.flatnonzero(meets) + first), None], dtype=object)[:-1]


class Store:
    """Everything that blocks of fixes laid down, on disk."""

    def __init__(self, folder: Path) -> None:
        self.swaths, self._rows = Shapes(folder / "whole"), Pieces(folder / "passes")
        self._groups: dict[Key, list[int]] = {}
        self._errors: list[np.ndarray] = []

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.swaths.__exit__()
        self._rows.__exit__()

    def add(self, laid: Laid) -> None:
        """Put the passes of a block aside."""
        self.swaths.add(laid.swaths)
        self._errors.append(laid.errors)
        for key, data in laid.groups:
            self._groups.setdefault(key, []).append(self._rows.add(data))

    @property
    def keys(self) -> list[Key]:
        """Assets and days, in order."""
        return sorted(self._groups)

    def blocks(self, key: Key) -> tuple[bytes, ...]:
        """Passes of an asset and day, see `passes_of`."""
        return tuple(self._rows.data(number) for number in self._groups[key])

    @property
    def errors(self) -> pd.Series:
        """Stated standard deviations of all passes; missing where none is stated."""
        stated = pd.Series(np.concatenate([np.zeros(0), *self._errors]))
        return stated.where(stated > 0)
