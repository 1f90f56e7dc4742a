"""What swaths did to some ground: covered, missed, outside, repeated, short, shallow, fast, processed; and who did it.

For one tile of a task or all of it, as polygons; the figures and words made of them are in `cover` and `tiled`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath import union
from geotools.analysis.swath.kept import codec
from geotools.analysis.swath.rows import Rows
from geotools.model.parallel import iter_ordered

KEYS = {"day": "day", "asset": "asset_id", "organisation": "organisation", "operator": "operator"}
MARKS = ("is_deep", "is_fast")
SHAPES = ("covered", "missed", "outside", "overlap", "short", "shallow", "fast", "processed")
JOINED = ("swept", "_inside", "_twice", *SHAPES[5:])  # what tiles are put together from
LATTICE_M = 1e-7
Share = tuple[str, str]


@dataclass(frozen=True)
class Asked:
    """What is wanted beside covered and missed ground."""

    passes: int = 1
    overlap: bool = True
    depth: bool = False
    machine: bool = False
    follow_up: np.ndarray | None = None


class Work:
    """Swaths on some ground. Every shape is worked out once, when somebody asks for it.

    Parameters
    ----------
    rows, shapes
        Passes in the order of their ids, and their swaths.
    ground
        The task, or the part of it in this tile.
    """

    def __init__(self, rows: Rows, shapes: np.ndarray, ground: BaseGeometry, asked: Asked) -> None:
        self.rows, self.shapes, self.ground, self.asked = rows, shapes, ground, asked

    def shape(self, name: str) -> BaseGeometry:
        """One of `SHAPES`."""
        made: BaseGeometry = getattr(self, name)
        return made

    @cached_property
    def by_day(self) -> dict[str, BaseGeometry]:
        """Union of the swaths of each day, in the order of days."""
        days = self.rows.words("day")
        names = sorted(set(days.tolist()))
        if len(names) == 1:
            return {names[0]: union.joined(self.shapes)}
        return {name: union.joined(self.shapes[days == name]) for name in names}

    @cached_property
    def swept(self) -> BaseGeometry:
        """Union of all swaths."""
        return union.joined(np.array([*self.by_day.values()], dtype=object))

    @cached_property
    def _inside(self) -> BaseGeometry:
        return union.polygons(shapely.intersection(self.swept, self.ground))

    @cached_property
    def _halves(self) -> tuple[BaseGeometry, BaseGeometry]:
        """Covered and missed ground; if rounding keeps them from adding up, both are made again on a fine lattice."""
        covered, ground = self._inside, self.ground
        missed = union.polygons(shapely.difference(ground, self.swept))
        if abs(covered.area + missed.area - ground.area) > 1e-10 * ground.area:
            covered = union.polygons(shapely.intersection(ground, self.swept, grid_size=LATTICE_M))
            missed = union.polygons(shapely.difference(ground, covered, grid_size=LATTICE_M))
        return covered, missed

    @property
    def covered(self) -> BaseGeometry:
        """Ground under at least one pass."""
        return self._halves[0]

    @property
    def missed(self) -> BaseGeometry:
        """The rest of the ground."""
        return self._halves[1]

    @cached_property
    def outside(self) -> BaseGeometry:
        """Swept, but not of the task."""
        return union.polygons(shapely.difference(self.swept, self.ground))

    @cached_property
    def _twice(self) -> BaseGeometry:
        if not self.asked.overlap:
            return union.EMPTY
        return union.overlaps(self.shapes, pd.factorize(self.rows.data["pass_id"])[0])

    @cached_property
    def overlap(self) -> BaseGeometry:
        """Ground under two or more passes."""
        return union.polygons(shapely.intersection(self._twice, self.ground))

    @cached_property
    def short(self) -> BaseGeometry:
        """Ground with fewer passes than it needs."""
        if self.asked.passes == 1:
            return self.missed
        return union.polygons(shapely.difference(self.ground, self.overlap))

    @cached_property
    def shallow(self) -> BaseGeometry:
        """Covered ground where no pass showed the required depth."""
        return self._without(self._marks("is_deep")) if self.asked.depth else union.EMPTY

    @cached_property
    def fast(self) -> BaseGeometry:
        """Covered ground where every pass was too fast."""
        return self._without(~self._marks("is_fast"))

    @cached_property
    def processed(self) -> BaseGeometry:
        """Ground of a machine that no search has followed."""
        if not self.asked.machine:
            return union.EMPTY
        after = self.asked.follow_up
        return self.covered if after is None else union.polygons(shapely.difference(self.covered, union.joined(after)))

    def _marks(self, name: str) -> np.ndarray:
        return (
            np.asarray(self.rows.data[name], dtype=bool) if name in self.rows else np.zeros(len(self.rows), dtype=bool)
        )

    def _without(self, good: np.ndarray) -> BaseGeometry:
        if good.all():
            return union.EMPTY
        return union.polygons(shapely.difference(self.covered, union.joined(self.shapes[good])))

    def shares(self) -> dict[Share, np.ndarray]:
        """By (kind of key, key): covered square metres, and for days new ones, which no earlier day had covered."""
        out: dict[Share, np.ndarray] = {}
        whole = float(self._inside.area)
        here = {name: union.polygons(shapely.intersection(shape, self.ground)) for name, shape in self.by_day.items()}
        again = _seen_before([*here.values()])
        for (name, shape), old in zip(here.items(), again, strict=True):
            if name:
                out["day", name] = np.array([shape.area, shape.area - old])
        for by, column in KEYS.items():
            keys = self.rows.words(column)
            for name in sorted(set(keys.tolist()) - {""}) if by != "day" else ():
                mine = keys == name
                ground = union.joined(self.shapes[mine]) if not mine.all() else None
                area = whole if ground is None else float(shapely.intersection(ground, self.ground).area)
                out[by, name] = np.array([area, np.nan])
        return out


def _seen_before(days: list[BaseGeometry]) -> list[float]:
    """Square metres of each day's ground that an earlier day had covered."""
    parts = [shapely.get_parts(day) for day in days]
    owner = np.repeat(np.arange(len(days)), [len(part) for part in parts])
    out = [0.0] * len(days)
    if len(days) < 2 or not len(owner):
        return out
    flat = np.concatenate(parts)
    new, old = shapely.STRtree(flat).query(flat, predicate="intersects")
    earlier = owner[old] < owner[new]
    new, old = new[earlier], old[earlier]
    for day in np.unique(owner[new]).tolist():
        mine = owner[new] == day
        before = shapely.union_all(flat[np.unique(old[mine])])
        out[day] = float(shapely.intersection(shapely.MultiPolygon(list(flat[np.unique(new[mine])])), before).area)
    return out


@dataclass(frozen=True)
class Uncut:
    """A tile for one worker: the swaths that reach into its box, not yet cut, and the ground of the task in it."""

    rows: Rows
    shapes: np.ndarray
    box: BaseGeometry
    ground: BaseGeometry
    asked: Asked


@dataclass(frozen=True)
class Cut:
    """What a tile holds: shapes by name, and shares."""

    shapes: dict[str, BaseGeometry]
    shares: dict[Share, np.ndarray]


def cut(tile: Uncut) -> Cut:
    """Cut the swaths of a tile at its box, join and measure them."""
    work = Work(tile.rows, shapely.intersection(tile.shapes, tile.box), tile.ground, tile.asked)
    return Cut({name: work.shape(name) for name in JOINED}, work.shares())


class Tiles(Work):
    """The same, worked tile by tile and put together: for so many swaths that one union of all would take too long."""

    def __init__(self, whole: Work, boxes: Iterable[tuple[BaseGeometry, np.ndarray]]) -> None:
        super().__init__(whole.rows, whole.shapes, whole.ground, whole.asked)
        parts: dict[str, list[BaseGeometry]] = {name: [] for name in JOINED}
        self._shares: dict[Share, np.ndarray] = {}
        for tile in iter_ordered(cut, _uncut(whole, boxes), codec=codec("cover", Cut)):
            for name, shapes in parts.items():
                shapes.append(tile.shapes[name])
            add_shares(self._shares, tile.shares)
        for name, shapes in parts.items():
            setattr(self, name, union.joined(np.array(shapes, dtype=object)))  # in place of the lazy one

    def shares(self) -> dict[Share, np.ndarray]:
        """Sums over the tiles."""
        return self._shares


def _uncut(whole: Work, boxes: Iterable[tuple[BaseGeometry, np.ndarray]]) -> Iterator[Uncut]:
    """Tiles with no more than a worker needs."""
    words = {name: whole.rows.words(name) for name in ("pass_id", *KEYS.values())}
    marks = {name: np.asarray(whole.rows.data[name], dtype=bool) for name in MARKS if name in whole.rows}
    after = whole.asked.follow_up
    tree = None if after is None else shapely.STRtree(after)
    for box, index in boxes:
        asked = whole.asked
        if tree is not None and after is not None:
            asked = replace(asked, follow_up=after[np.sort(tree.query(box))])
        here = union.polygons(shapely.intersection(whole.ground, box))
        part = Rows({name: values[index] for name, values in (words | marks).items()}, whole.shapes[index])
        yield Uncut(part, part.geometry, box, here, asked)


def work_of(rows: Rows, shapes: np.ndarray, ground: BaseGeometry, asked: Asked, tile_m: float | None) -> Work:
    """Work in one go, or tile by tile where there are many swaths or a tile size is given."""
    whole = Work(rows, shapes, ground, asked)
    boxes = union.tiles(shapes, tile_m or union.TILE_M, force=tile_m is not None)
    return whole if boxes is None else Tiles(whole, boxes)


def add_shares(total: dict[Share, np.ndarray], more: dict[Share, np.ndarray]) -> None:
    """Add areas of another tile."""
    for key, areas in more.items():
        total[key] = total[key] + areas if key in total else areas


def metres(rows: Rows) -> np.ndarray:
    """Length of each part, of its line where none is stated."""
    stated = rows.numbers("length_m")
    return np.where(np.isnan(stated), shapely.length(rows.geometry), stated)


def lengths(rows: Rows) -> dict[Share, np.ndarray]:
    """By (kind of key, key): number of passes and their length in metres."""
    out: dict[Share, np.ndarray] = {}
    trips = pd.factorize(rows.data["pass_id"])[0]
    length = metres(rows)
    for by, column in KEYS.items():
        code, names = pd.factorize(rows.words(column))
        counted = np.bincount(np.unique(np.column_stack([code, trips]), axis=0)[:, 0], minlength=len(names))
        total = np.bincount(code, weights=length, minlength=len(names))
        out |= {(by, str(name)): np.array([n, m]) for name, n, m in zip(names, counted, total, strict=True) if name}
    return out


def share_table(areas: dict[Share, np.ndarray], worked: dict[Share, np.ndarray]) -> pd.DataFrame:
    """Table ``by, key, passes, length_m, covered_m2, new_m2``; days first, then assets, organisations and operators."""
    order = {name: place for place, name in enumerate(KEYS)}
    keys = sorted(set(areas) | set(worked), key=lambda key: (order[key[0]], key[1]))
    rows = [
        (*key, *worked.get(key, (0, 0.0)), *areas.get(key, (0.0, 0.0 if key[0] == "day" else np.nan))) for key in keys
    ]
    table = pd.DataFrame(rows, columns=["by", "key", "passes", "length_m", "covered_m2", "new_m2"])
    return table.astype({"passes": "int64", "length_m": float, "covered_m2": float, "new_m2": float})
