"""Rasters of a job worked from disk: how many passes went over each cell, and how sure it is that one did.

The same cells as `count` and `assurance` give in memory, block by block; only ground and figures are made in `tiled`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import rasterio.shutil
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath import counts, probability
from geotools.analysis.swath.counts import CELL_M, burn, grid_within
from geotools.analysis.swath.cover import plain
from geotools.analysis.swath.errormodel import group_of
from geotools.analysis.swath.kept import codec
from geotools.analysis.swath.laid import Shapes, Store, passes_of
from geotools.analysis.swath.rules import real
from geotools.analysis.swath.summary import figure
from geotools.analysis.swath.task import Task
from geotools.io.atomic import replacing
from geotools.model.errors import CoverageError, WriteError
from geotools.model.parallel import iter_ordered
from geotools.model.programme import DEFAULT_LIMITS
from geotools.model.progress import Progress, tracked
from geotools.space.grid import Grid

COUNTED, JUDGED = 100_000_000, 25_000_000  # cells of the rasters; a larger task gets larger cells
COARSEST_M = 0.25  # side of the cells of a probability, unless the task is large
NAMES = ("passes", "probability_searched")
COG = {"compress": "deflate", "blocksize": 256, "overview_resampling": "nearest"}


@dataclass(frozen=True)
class Cells:
    """Rasters wanted of a job worked from disk.

    Parameters
    ----------
    folder
        Where ``passes.tif`` and ``probability_searched.tif`` are written.
    resolution_m
        Size of the cells of pass counts, and the least of probabilities, which are as large as half the position error.
    sigma_m, tau_s
        As `assurance`.
    assumed_m
        Standard deviation per axis of passes that state none.

    Raises
    ------
    CoverageError
        If a size, time or accuracy is not positive.

    Examples
    --------
    >>> wanted = Cells(Path("out"), resolution_m=0.1, sigma_m=0.02)
    >>> wanted.resolution_m, wanted.tau_s
    (0.1, 300.0)
    """

    folder: Path
    resolution_m: float = CELL_M
    sigma_m: float | None = None
    tau_s: float = 300.0
    assumed_m: float = DEFAULT_LIMITS["h_acc_default_m"]

    def __post_init__(self) -> None:
        values = {name: getattr(self, name) for name in ("resolution_m", "tau_s", "assumed_m")}
        if min(real("cells", name, value) for name, value in values.items()) <= 0:
            raise CoverageError("cells, correlation times and accuracies are more than 0", hint="metres and seconds")
        if self.sigma_m is not None and real("cells", "sigma_m", self.sigma_m) < 0:
            raise CoverageError("sigma_m must be 0 or more", hint="metres")


@dataclass(frozen=True)
class Made:
    """Rasters that were written, and what they show.

    Attributes
    ----------
    files
        Path by name: ``passes``, ``probability_searched``.
    cell_m
        Size of the cells by name.
    sigma_least_m, sigma_m
        Least and greatest position error of an asset and day.
    expected_uncovered_m2
        Square metres of the task that no pass is expected to have reached, by the model alone: layouts were not drawn.
    """

    files: Mapping[str, Path]
    cell_m: Mapping[str, float]
    sigma_least_m: float
    sigma_m: float
    expected_uncovered_m2: float

    @property
    def sentences(self) -> list[str]:
        """What the rasters are, and what was not worked out."""
        counted, chance = (f"{name}.tif (cells of {self.cell_m[name]:g} m)" for name in NAMES)
        if np.isnan(self.sigma_m):
            return [f"{counted} and {chance} show no pass."]
        alike = self.sigma_m - self.sigma_least_m < 0.005
        error = f"{self.sigma_m:.2f} m" if alike else f"{self.sigma_least_m:.2f} to {self.sigma_m:.2f} m"
        what = (
            f"{counted} counts the passes over each cell; {chance} holds the probability that one went there, for position errors of "
            f"{error} per axis."
        )
        limits = (
            f"By that model {figure(self.expected_uncovered_m2)} m² of the task are expected to be uncovered. Layouts were not drawn: there is "
            "no interval, no assured ground, and where the error is larger than the tool the probability may be up to three points too high."
        )
        return [what, limits]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        figures = {n: plain(getattr(self, n)) for n in ("sigma_least_m", "sigma_m", "expected_uncovered_m2")}
        files = {name: path.name for name, path in self.files.items()}
        return {"files": files, "cell_m": dict(self.cell_m), **figures, "draws": 0}


@dataclass(frozen=True)
class Errors:
    """The errors of an asset and day, and which swaths are theirs."""

    sigma_m: float
    rho: float
    span: tuple[int, int]

    def own(self) -> float:
        """See `errormodel.Group`."""
        return self.sigma_m * float(np.sqrt(1 - self.rho))

    def common(self) -> float:
        """See `errormodel.Group`."""
        return self.sigma_m * float(np.sqrt(self.rho))


@dataclass(frozen=True)
class Day:
    """Passes of an asset and day for one worker, and how their errors are taken."""

    blocks: tuple[bytes, ...]
    plane: pyproj.CRS
    sigma_m: float | None
    tau_s: float
    assumed_m: float


@dataclass(frozen=True)
class Judged:
    """The errors of an asset and day, and its swaths."""

    sigma_m: float
    rho: float
    swaths: np.ndarray


DAYS = codec("day", Judged)


def judged(day: Day) -> Judged:
    """Errors and swaths of the passes of an asset and day."""
    passes = passes_of(day.blocks, day.plane)
    stated = passes["h_acc_m"].where(passes["h_acc_m"] > 0)
    group = group_of(passes.assign(h_acc_m=stated.fillna(day.assumed_m)), day.sigma_m, day.tau_s)
    return Judged(group.sigma_m, group.rho, group.shapes)


def targets(cells: Cells, stack: ExitStack, *, overwrite: bool) -> dict[str, Path]:
    """Where the rasters are made; they take their names when the stack is closed.

    Raises
    ------
    WriteError
        If a file exists and may not be overwritten, or its folder cannot be written.
    """
    files = {name: cells.folder / f"{name}.tif" for name in NAMES}
    return {name: stack.enter_context(replacing(path, overwrite=overwrite)) for name, path in files.items()}


def written(
    store: Store, task: Task, *, cells: Cells, places: dict[str, Path], drafts: Path, progress: Progress | None
) -> Made:
    """Both rasters made in `places`, from the passes that were put aside; `drafts` is a folder for what is half done.

    Raises
    ------
    WriteError
        If a file cannot be written.
    CoverageError
        If cells are too fine for the position error.
    """
    frame = gpd.GeoSeries(task.shapes, crs=task.home)
    grid = grid_within(frame, cells.resolution_m, COUNTED)
    sigma = cells.sigma_m if cells.sigma_m is not None else float(store.errors.fillna(cells.assumed_m).median())
    fine = min(COARSEST_M, max(cells.resolution_m, 0.0 if np.isnan(sigma) else sigma / 2))
    area = grid_within(frame, fine, JUDGED)
    _write(places[NAMES[0]], drafts, (grid, "uint8"), _counted(store.swaths, grid, progress))
    with Shapes(drafts / "judged") as swaths:
        groups = [*_groups(store, swaths, grid.crs, cells)]
        tally = _Tally(area, task.ground)
        blocks = tally.watching(_searched(swaths, area, groups, progress))
        _write(places[NAMES[1]], drafts, (area, "float32"), blocks)
    sizes = dict(zip(NAMES, (grid.cell, area.cell), strict=True))
    files = {name: cells.folder / f"{name}.tif" for name in NAMES}
    sigmas = [group.sigma_m for group in groups]
    nothing = float("nan")
    return Made(files, sizes, min(sigmas, default=nothing), max(sigmas, default=nothing), tally.expected_m2)


def _counted(swaths: Shapes, grid: Grid, progress: Progress | None) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """Pass counts, strip by strip."""
    strips = counts.strips(grid)
    given = (counts.Window(swaths.near(strip.bounds), strip) for strip in strips)
    found = iter_ordered(counts.counted_in, given, codec=counts.KEPT)
    row = 0
    for values in tracked(found, "counting passes", progress, total=len(strips)):
        yield (row, 0), values
        row += len(values)


def _groups(store: Store, swaths: Shapes, plane: pyproj.CRS, cells: Cells) -> Iterator[Errors]:
    """Errors of every asset and day; their swaths are put aside."""
    given = (Day(store.blocks(key), plane, cells.sigma_m, cells.tau_s, cells.assumed_m) for key in store.keys)
    for day in iter_ordered(judged, given, codec=DAYS):
        first = swaths.mark()
        swaths.add(day.swaths)
        yield Errors(day.sigma_m, day.rho, (first, swaths.mark()))


def _searched(
    swaths: Shapes, grid: Grid, groups: list[Errors], progress: Progress | None
) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """Probability that a pass went over each cell, block by block."""
    places = probability.corners(grid.shape)
    near = [(group, partial(swaths.near, span=group.span)) for group in groups]
    one = np.ones(1, dtype=np.float32)
    given = (probability.block_at(grid, row, column, near, one) for row, column in places)
    found = iter_ordered(probability.missed_in, given, codec=probability.KEPT)
    for place, missed in tracked(zip(places, found, strict=True), "position uncertainty", progress, total=len(places)):
        yield place, 1 - missed[0]


class _Tally:
    """Adds up what is expected to be uncovered while blocks go by."""

    def __init__(self, grid: Grid, ground: BaseGeometry) -> None:
        self._grid, self._ground = grid, ground
        self._cells, self._missed = 0, 0.0

    def watching(
        self, blocks: Iterable[tuple[tuple[int, int], np.ndarray]]
    ) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
        """The same blocks."""
        for (row, column), values in blocks:
            inside = burn([self._ground], self._grid.window(row, column, values.shape)).astype(bool)
            self._cells += int(inside.sum())
            self._missed += float((1 - values[inside].astype(float)).sum())
            yield (row, column), values

    @property
    def expected_m2(self) -> float:
        """Square metres of the task."""
        return self._missed / self._cells * float(self._ground.area) if self._cells else float("nan")


def _write(
    target: Path, drafts: Path, form: tuple[Grid, str], blocks: Iterable[tuple[tuple[int, int], np.ndarray]]
) -> None:
    """Blocks into a draft, and the draft into a compressed, tiled GeoTIFF with overviews (COG) that reads as it was given."""
    grid, kind = form
    draft = drafts / f"draft-{target.name}"
    profile: dict[str, Any] = {
        "driver": "GTiff", "width": grid.shape[1], "height": grid.shape[0], "count": 1, "dtype": kind, "transform": grid.transform,
        "crs": rasterio.CRS.from_wkt(grid.crs.to_wkt()), "tiled": True, "blockxsize": 256, "blockysize": 256, "bigtiff": "if_safer",
    }  # fmt: skip
    predictor = "standard" if kind.startswith("u") else "floating_point"
    with rasterio.open(draft, "w", **profile) as sheet:
        sheet.set_band_description(1, target.stem)
        for (row, column), values in blocks:
            sheet.write(values, 1, window=Window(column, row, values.shape[1], values.shape[0]))
    try:
        rasterio.shutil.copy(draft, target, driver="COG", predictor=predictor, **COG)
        whole = _alike(draft, target)
    except Exception as error:  # a full disk shows in many ways
        raise WriteError(
            "writing failed (the file could not be completed); nothing was changed", file=target
        ) from error
    if not whole:
        raise WriteError("writing failed: parts of it are missing; nothing was changed", file=target)
    draft.unlink()


def _alike(draft: Path, target: Path) -> bool:
    """Whether every cell reads as in the draft: not every error of closing is reported."""
    with rasterio.open(draft) as one, rasterio.open(target) as two:
        for top in range(0, one.height, 1024):
            window = Window(0, top, one.width, min(1024, one.height - top))
            if not np.array_equal(one.read(1, window=window), two.read(1, window=window)):
                return False
    return True
