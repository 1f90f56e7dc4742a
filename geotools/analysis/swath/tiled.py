"""`cover_stream`: coverage from a table of fixes larger than memory, worked tile by tile from disk.

For tens of millions of fixes and more; the figures are those of `prepare` and `cover` on the same rows.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath import tiles, union
from geotools.analysis.swath.cover import CoverRules, Meant, assumed_m, figures, plain
from geotools.analysis.swath.findings import Found, Seen, fix_findings, interruptions, pass_findings
from geotools.analysis.swath.ground import SHAPES, Asked, Share, add_shares, share_table
from geotools.analysis.swath.laid import Store
from geotools.analysis.swath.layers import Layers
from geotools.analysis.swath.outages import Edges, empty_outages
from geotools.analysis.swath.parts import Recipe, blocks
from geotools.analysis.swath.prepare import LISTED, added, empty_dropped, gate_of
from geotools.analysis.swath.rasters import Cells, Made, targets, written
from geotools.analysis.swath.reading import Source
from geotools.analysis.swath.rows import Rows, joined
from geotools.analysis.swath.rules import Rules, Tool
from geotools.analysis.swath.seams import Seams
from geotools.analysis.swath.spill import Spill, Tile
from geotools.analysis.swath.stream import table_at
from geotools.analysis.swath.summary import Position, card, cover_findings, sentences
from geotools.analysis.swath.task import Task
from geotools.io.atomic import replacing
from geotools.model.errors import ReadError, WriteError
from geotools.model.parallel import iter_ordered
from geotools.model.progress import Progress, tracked
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs

HEAVY = 4_000  # swath parts in a tile above which it is halved
LEAST_M = 3.0  # side of a tile that is not halved any more


@dataclass(frozen=True)
class Job:
    """How a table larger than memory is to be worked.

    Parameters
    ----------
    crs
        System of the coordinates where the file does not say.
    tool, rules
        As `prepare`.
    limits, method
        As ``rules`` and ``method`` of `cover`.
    cells
        Rasters to write, see `Cells`.

    Examples
    --------
    >>> job = Job(crs="EPSG:32638", tool=Tool(width_m=1.7), limits=CoverRules(overlap=False))
    >>> job.tool.width_m, job.cells is None
    (1.7, True)
    """

    crs: Any = None
    tool: Tool = field(default_factory=Tool)
    rules: Rules = field(default_factory=Rules)
    limits: CoverRules = field(default_factory=CoverRules)
    method: str | None = None
    cells: Cells | None = None


@dataclass(frozen=True)
class StreamedCoverage:
    """Result of `cover_stream`: the figures of `SwathCoverage`; its ground is in `path`, tile by tile.

    Attributes
    ----------
    totals, shares, gaps, issues
        As of `SwathCoverage`; of the gaps the 10 000 largest.
    counts
        The account of fixes, as of `Prepared`.
    outages, dropped
        Interruptions and fixes left out, the first 10 000 of each; all are counted.
    path
        GeoPackage with the passes, the ground by tile (``result_swath_covered`` and so on), gaps and issues; None if not asked for.
    rasters
        Rasters that were written, and the position errors they are for; None if not asked for.

    Examples
    --------
    >>> import tempfile, geopandas as gpd, pandas as pd, shapely
    >>> table = pd.DataFrame({"x": [700000 + 0.5 * i for i in range(101)], "y": 4380000.0, "width_m": 1.0})
    >>> table["time"] = pd.date_range("2026-05-04T06:00Z", periods=101, freq="s")
    >>> file = Path(tempfile.mkdtemp()) / "fixes.parquet"
    >>> table.to_parquet(file)
    >>> task = gpd.GeoSeries([shapely.box(700000, 4379999, 700050, 4380001)], crs="EPSG:32638")
    >>> done = cover_stream(file, task, job=Job(crs="EPSG:32638"))
    >>> int(done.counts["used"]), round(float(done.totals["covered_m2"]), 1), done.path is None
    (101, 50.0, True)
    """

    totals: pd.Series
    shares: pd.DataFrame
    gaps: gpd.GeoDataFrame
    outages: gpd.GeoDataFrame
    dropped: gpd.GeoDataFrame
    counts: pd.Series
    issues: gpd.GeoDataFrame
    path: Path | None
    parameters: dict[str, Any]
    rasters: Made | None = None

    @property
    def sentences(self) -> list[str]:
        """The result in plain words."""
        return sentences(self)

    def to_dict(self) -> dict[str, Any]:
        """Totals, gaps and shares as plain data."""
        tables = {"gaps": pd.DataFrame(self.gaps.drop(columns="geometry")), "shares": self.shares}
        said = pd.DataFrame(self.issues.drop(columns="geometry")).to_dict("records")
        return {
            "totals": {name: plain(value) for name, value in self.totals.items()},
            **{
                name: [{k: plain(v) for k, v in row.items()} for row in t.to_dict("records")]
                for name, t in tables.items()
            },
            "issues": [{k: str(v) for k, v in row.items()} for row in said],
            "sentences": self.sentences,
            "parameters": self.parameters,
            "rasters": None if self.rasters is None else self.rasters.to_dict(),
        }

    def _repr_html_(self) -> str:
        return card(self)


def cover_stream(
    path: str | Path,
    task: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    output: str | Path | None = None,
    job: Job | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> StreamedCoverage:
    """Coverage of a task from a Parquet table of any length, in the same memory.

    Passes are cut at the borders of tiles and put aside on disk while the table is read; then tile after tile is joined, measured,
    written and forgotten. Gaps across tiles are put together again.

    Parameters
    ----------
    path
        As `stream`.
    task
        Polygons in any CRS.
    output
        GeoPackage to write; None gives figures only. Rasters are asked for in `job`. What is put aside lies beside it, else in the system's temporary folder:
        about 1 GB for 100 million fixes at 10 Hz.
    job
        System, tool, rules, limits and method.
    overwrite
        Whether an existing output may be replaced.

    Returns
    -------
    StreamedCoverage

    Raises
    ------
    ReadError, CoverageError, CRSError
        As `stream` and `cover`.
    WriteError
        If the output exists or cannot be written.

    Examples
    --------
    >>> import tempfile, geopandas as gpd, pandas as pd, shapely
    >>> table = pd.DataFrame({"x": [700000 + 0.5 * i for i in range(101)], "y": 4380000.0, "width_m": 1.0})
    >>> table["time"] = pd.date_range("2026-05-04T06:00Z", periods=101, freq="s")
    >>> file = Path(tempfile.mkdtemp()) / "fixes.parquet"
    >>> table.to_parquet(file)
    >>> task = gpd.GeoSeries([shapely.box(700000, 4379999, 700050, 4380001)], crs="EPSG:32638")
    >>> round(float(cover_stream(file, task, job=Job(crs="EPSG:32638")).totals["coverage"]), 3)
    0.5
    """
    job, ground = job or Job(), Task(task)
    table = table_at(path, job.crs, job.tool)  # what cannot be read is said before anything is written
    with _places(output, job.cells, overwrite) as (folder, target, rasters), ExitStack() as stack:
        store = None if job.cells is None else stack.enter_context(Store(folder))
        layers = Layers(target, ground)
        side = job.limits.tile_m or union.TILE_M
        with Spill(folder / "swaths", side) as spill:
            read = _read(table, ground, job, (spill, layers, store, progress))
            limits = {"area_m2": job.limits.gap_area_m2, "width_m": job.limits.gap_width_m}
            with Seams(folder / "missed", side, **limits) as seams:
                sums = _tiles(spill, seams, layers, (ground, job, read, progress))
                gaps = seams.gaps(ground.plane).to_crs(ground.home)
        result = _result(ground, job, read, (sums, seams, gaps))
        last = {"gaps": gaps, "outages": result.outages, "dropped": result.dropped, "task": sums.task_frame(ground)}
        layers.frames(last, result.issues)
        made = None
        if store is not None and job.cells is not None:
            made = written(store, ground, cells=job.cells, places=rasters, drafts=folder, progress=progress)
    return replace(result, path=None if output is None else Path(output), rasters=made)


@contextmanager
def _places(
    output: str | Path | None, cells: Cells | None, overwrite: bool
) -> Iterator[tuple[Path, Path | None, dict[str, Path]]]:
    """A folder for what is put aside, gone afterwards, the file to write, and rasters by name."""
    if output is not None and Path(output).suffix.lower() != ".gpkg":
        raise WriteError("the ground is written as a GeoPackage", hint="give a name that ends in .gpkg", file=output)
    unread: list[ReadError] = []
    try:
        with ExitStack() as stack:
            if output is None:
                aside = tempfile.TemporaryDirectory(prefix="geotools-", ignore_cleanup_errors=True)
                folder, target = Path(stack.enter_context(aside)), None
            else:
                target = stack.enter_context(replacing(output, overwrite=overwrite))
                folder = target.parent
            rasters = {} if cells is None else targets(cells, stack, overwrite=overwrite)
            try:
                yield folder, target, rasters
            except ReadError as error:  # else it would be taken for a failure of writing
                unread.append(error)
                raise RuntimeError from error
    except RuntimeError:
        if unread:
            raise unread[0] from None
        raise


@dataclass
class Read:
    """What reading the table gave, apart from the swaths put aside."""

    seen: Seen = field(default_factory=Seen)
    counts: dict[str, int] = field(default_factory=lambda: added([]))
    found: Found = field(default_factory=Found)
    position: Position = field(default_factory=Position)
    outages: list[Rows] = field(default_factory=list)
    dropped: list[Rows] = field(default_factory=list)
    open: int = 0
    bridged: int = 0
    passes: int = 0
    worked: dict[Share, np.ndarray] = field(default_factory=dict)
    length_m: float = 0.0


def _read(source: Source, ground: Task, job: Job, places: tuple[Spill, Layers, Store | None, Progress | None]) -> Read:
    gate = gate_of(ground, ground.plane, job.tool, job.rules)
    spill, layers, store, progress = places
    out, listed = Read(), 0
    known: Edges = {}
    recipe = Recipe(gate, spill.tile_m, layers.home, assumed_m(job.limits), store is not None, ground.ground)
    for block in blocks(source, recipe, progress):
        piece = block.piece.after(known)
        out.seen, out.counts = out.seen + block.seen, added([out.counts, piece.counts])
        out.found, out.position = out.found + block.found, out.position + block.position
        bridged = int(piece.outages.data["is_bridged"].astype(bool).sum())
        out.open, out.bridged = out.open + len(piece.outages) - bridged, out.bridged + bridged
        out.outages.append(piece.outages.head(max(0, LISTED - listed)))
        listed += len(out.outages[-1])
        out.passes, out.length_m = out.passes + block.passes, out.length_m + block.length_m
        room = LISTED - sum(map(len, out.dropped))
        out.dropped += [piece.dropped.head(room)] if room > 0 and len(piece.dropped) else []
        add_shares(out.worked, block.worked)
        layers.add_rows("passes", piece.passes)
        for cut in block.cuts:
            spill.put(cut)
        if store is not None and block.laid is not None:
            store.add(block.laid)
    return out


class Sums:
    """Areas of all tiles, added without loss."""

    def __init__(self) -> None:
        self._areas: dict[str, list[float]] = {name: [] for name in SHAPES}
        self.shares: dict[Share, np.ndarray] = {}
        self.places: dict[str, BaseGeometry] = {}

    def add(self, areas: Mapping[str, float], places: Mapping[str, BaseGeometry]) -> None:
        """Ground of one tile."""
        for name, area in areas.items():
            self._areas[name].append(area)
        self.places = {**places, **self.places}  # the first one stays

    def areas(self) -> dict[str, float]:
        """Sums by name."""
        return {name: math.fsum(values) for name, values in self._areas.items()}

    @staticmethod
    def task_frame(ground: Task) -> gpd.GeoDataFrame:
        """The task as one row."""
        shape = _crs.transform(np.array([ground.ground], dtype=object), ground.plane, ground.home)
        data = {"id": ["task"], "state": ["task"], "area_m2": [float(ground.ground.area)]}
        return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shape, crs=ground.home))


def _tiles(spill: Spill, seams: Seams, layers: Layers, given: tuple[Task, Job, Read, Progress | None]) -> Sums:
    """Every tile joined, measured, written and forgotten; then the ground that no tile reached."""
    ground, job, read, progress = given
    meant = _meant(job, read)
    sums, boxes, deepest = Sums(), [], 0
    work = _jobs(spill, ground, job, layers.home)
    done = iter_ordered(tiles.worked, work, codec=tiles.KEPT)
    for tile in tracked(done, "joining swaths", progress, total=len(spill.tiles())):
        sums.add(tile.areas, tile.places)
        for name, shape in tile.drawn.items():
            layers.add_shape(name, shape, (meant.state if name == "covered" else name, tile.tile, tile.areas[name]))
        add_shares(sums.shares, tile.shares)
        for piece in tile.missed:
            seams.put(piece)
        boxes.append(shapely.box(*spill.box(tile.tile)))
        deepest = max(deepest, tile.tile[0])
    reached = union.joined(np.array(boxes, dtype=object))
    rest = union.polygons(shapely.difference(ground.ground, reached))
    if not rest.is_empty:
        area = float(rest.area)
        sums.add({"missed": area, "short": area}, {"missed": shapely.point_on_surface(rest)})
        for shape in tiles.drawn({"missed": rest}, tiles.Drawing(ground.plane, layers.home)).values():
            layers.add_shape("missed", shape, ("missed", None, area))
        seams.add(rest, deepest)
    return sums


def _meant(job: Job, read: Read) -> Meant:
    """What the work proves, given how accurate its tracks are."""
    return replace(Meant.of(job.method, job.limits.programme), shown=read.position.shows)


def _jobs(spill: Spill, ground: Task, job: Job, home: Any) -> Iterator[tiles.Job]:
    """What is to be done on every tile; it is read from disk when its turn comes."""
    meant = Meant.of(job.method, job.limits.programme)
    asked = Asked(
        job.limits.required_passes, job.limits.overlap, job.rules.depth_cm is not None, meant.state == "processed"
    )
    how = tiles.Drawing(ground.plane, home)
    for tile in _light(spill):
        west, south, east, north = spill.box(tile)
        here = union.polygons(shapely.intersection(ground.ground, shapely.box(west, south, east, north)))
        side = spill.tile_m / 2 ** tile[0]
        yield tiles.Job(tile, side, spill.take(tile), here, asked, job.limits.gap_area_m2, how)


def _light(spill: Spill) -> Iterator[Tile]:
    """Tiles one by one; those with very many swaths in quarters."""
    todo = spill.tiles()[::-1]
    while todo:
        tile = todo.pop()
        west, _, east, _ = spill.box(tile)
        if spill.count(tile) > HEAVY and east - west >= 2 * LEAST_M:
            todo += spill.halve(tile)[::-1]
        else:
            yield tile


def _result(ground: Task, job: Job, read: Read, done: tuple[Sums, Seams, gpd.GeoDataFrame]) -> StreamedCoverage:
    sums, seams, gaps = done
    meant = _meant(job, read)
    found = {
        "gaps": seams.count, "gaps_m2": seams.area_m2, "widest_gap_m": seams.widest_m, "passes": read.passes, "length_m": read.length_m,
    }  # fmt: skip
    known = {"outages": read.open, "bridged": read.bridged, "fixes": read.counts}
    totals = figures(float(ground.ground.area), sums.areas(), found, meant, known)
    breaks = joined(read.outages).ordered("id") if read.outages else None
    unused = joined(read.dropped).ordered("reason", "id") if read.dropped else replace(empty_dropped(), crs=ground.home)

    def where(name: str) -> Any:
        place = sums.places.get(name)
        return None if place is None else _crs.transform(np.array([place], dtype=object), ground.plane, _crs.WGS84)[0]

    issues = [*fix_findings(read.seen, read.counts, job.tool), *([] if breaks is None else interruptions(breaks))]
    issues += [*pass_findings(read.found, job.rules), *ground.notes, *_left_off(read, seams)]
    issues += cover_findings(totals, read.position, where, (meant.key, meant.entered))
    limits = {name: value for name, value in vars(job.limits).items() if name != "programme"}
    return StreamedCoverage(
        pd.Series(totals, dtype=object), share_table(sums.shares, read.worked), gaps,
        (replace(empty_outages(), crs=ground.home) if breaks is None else breaks).frame().to_crs(ground.home),
        unused.frame().to_crs(ground.home), pd.Series(read.counts, dtype="int64"), issues_frame(issues), None,
        {**limits, "method": meant.key, "follow_up": False},
    )  # fmt: skip


def _left_off(read: Read, seams: Seams) -> list[Issue]:
    """What was counted but is not in the lists."""
    out = []
    if read.open + read.bridged > LISTED:
        text = f"of {read.open + read.bridged} interruptions the first {LISTED} are listed; all are counted"
        out.append(Issue("SW-23", "info", "fixes", message=text, value=read.open + read.bridged, limit=LISTED))
    if seams.count > LISTED:
        text = f"of {seams.count} gaps the {LISTED} largest are listed; all are counted and in the missed ground"
        out.append(Issue("SW-23", "info", "fixes", message=text, value=seams.count, limit=LISTED))
    if seams.undrawn:
        text = f"{seams.undrawn} gaps are too large to be drawn whole: the list shows one piece with the area of all; widths are of that piece"
        out.append(Issue("SW-23", "info", "fixes", message=text, value=seams.undrawn))
    return out
