"""Fixes of a table on disk worked in parts: what one worker is handed, what it does, and what it gives back.

For tables larger than memory under any executor; which rows make a part is in `plan`, what comes of all parts in `stream` and `tiled`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyproj
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath import plan
from geotools.analysis.swath.findings import Found, Seen
from geotools.analysis.swath.fixes import Gate, Table
from geotools.analysis.swath.ground import Share, lengths
from geotools.analysis.swath.kept import codec, digest
from geotools.analysis.swath.laid import Laid
from geotools.analysis.swath.passes import widened
from geotools.analysis.swath.prepare import Piece, work
from geotools.analysis.swath.reading import Source
from geotools.analysis.swath.rows import Rows
from geotools.analysis.swath.spill import Cut, cuts
from geotools.analysis.swath.summary import Position
from geotools.model.errors import ReadError
from geotools.model.parallel import iter_ordered
from geotools.model.programme import DEFAULT_LIMITS
from geotools.model.progress import Progress
from geotools.space import crs as _crs


@dataclass(frozen=True)
class Recipe:
    """How fixes are worked.

    Attributes
    ----------
    gate
        What fixes are judged by.
    side_m
        Side of the tiles at whose borders swaths are cut; None leaves the passes whole and does nothing else.
    home
        System in which passes are to be written; None if they are not.
    assumed_m
        Accuracy taken where fixes state none, standard deviation per axis.
    is_laid
        Whether passes are put aside for rasters as well.
    ground
        The task on the plane of the gate; None where the passes are all that is wanted.
    """

    gate: Gate
    side_m: float | None = None
    home: pyproj.CRS | None = None
    assumed_m: float = DEFAULT_LIMITS["h_acc_default_m"]
    is_laid: bool = False
    ground: BaseGeometry | None = None


@dataclass(frozen=True)
class Part:
    """Some blocks of fixes for one worker: small, since whoever works it reads the rows from the file."""

    source: Source
    recipe: Recipe
    rows: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Block:
    """What one block of fixes gave. `cuts` are its swaths by tile; `piece.passes` are then as they are to be written."""

    piece: Piece
    seen: Seen
    found: Found = field(default_factory=Found)
    position: Position = field(default_factory=Position)
    passes: int = 0
    length_m: float = 0.0
    worked: dict[Share, np.ndarray] = field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()
    laid: Laid | None = None


def blocks(source: Source, recipe: Recipe, progress: Progress | None) -> Iterator[Block]:
    """Every block of a table worked, in the order of the table.

    Raises
    ------
    ReadError
        If the file is damaged, or a worker elsewhere cannot see it.
    CoverageError
        As `plan.blocks`.
    """
    given = (Part(source, recipe, rows) for rows in plan.parts(source, recipe.gate.rules, progress))
    known = (source.system, recipe.gate.plane, *([] if recipe.home is None else [recipe.home]))
    how = codec("fixes", Block, Piece, Rows, Seen, Found, Position, Cut, Laid, systems=known)
    for done in iter_ordered(worked, given, codec=replace(how, key=_key)):
        yield from done


def worked(part: Part) -> tuple[Block, ...]:
    """The blocks of a part, one after the other."""
    if not part.source.is_here:
        raise ReadError(
            "a worker cannot read the fixes, or sees another file there",
            hint="put the file in a folder that every worker sees under the same name, or use another executor",
            file=part.source.path,
        )
    return tuple(_block(table, part.recipe) for table in part.source.tables(part.rows))


def _block(table: Table, recipe: Recipe) -> Block:
    seen, piece = Seen.of(table, recipe.gate.tool), work(table, recipe.gate)
    if recipe.side_m is None:
        return Block(piece, seen)
    rows = piece.passes.ordered("id", "section")
    shapes = widened(rows.geometry, rows.numbers("width_m"))
    position = Position.of(rows, recipe.assumed_m)
    if recipe.ground is not None:
        position = Position.on(recipe.ground, rows, shapes, recipe.assumed_m)
    figures = Found.of(rows, recipe.gate.rules), position
    trips, length = len(pd.unique(rows.data["pass_id"])), float(rows.data["length_m"].sum())
    cut = tuple(cuts(rows, shapes, recipe.side_m))
    laid = Laid.of(rows) if recipe.is_laid else None
    lasting = rows.head(0) if recipe.home is None else _moved(rows, recipe.home)
    return Block(replace(piece, passes=lasting), seen, *figures, trips, length, lengths(rows), cut, laid)


def _moved(rows: Rows, home: pyproj.CRS) -> Rows:
    return Rows(rows.data, _crs.transform(rows.geometry, rows.crs, home), home)


def _key(part: Part) -> str:
    """The content of the file, not its name or date, and everything it is worked with."""
    table = part.source
    source = (table.content, table.place, table.system, table.meaning, table.stated, table.batch)
    return f"fixes-{digest((source, part.recipe, part.rows))}"
