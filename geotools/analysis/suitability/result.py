"""`Suitability`: what `assess` found, as classes, tables, files and sentences.

For reading and writing the result; nothing is judged here.
"""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import rasterio.features
import rasterio.shutil
import shapely
from rasterio.windows import Window

from geotools import io
from geotools.analysis.suitability import limits
from geotools.analysis.suitability.findings import NAMES
from geotools.analysis.suitability.layers import Lattice
from geotools.analysis.suitability.limits import CLASSES, Settings
from geotools.analysis.suitability.machines import Machine
from geotools.io.atomic import replacing
from geotools.model.errors import WriteError
from geotools.model.figures import NOISE, NOISE_M2, percent, square_metres
from geotools.space import crs as _crs
from geotools.space import measure

COLOURS = {
    1: (0, 114, 178, 255),
    2: (240, 201, 66, 255),
    3: (150, 150, 150, 255),
    4: (190, 60, 20, 255),
}  # apart for colour-blind eyes
ROWS = 1024
FILES = ("suitability.tif", "suitability.gpkg", "suitability_tasks.csv", "suitability_limits.csv", "suitability.json")
SHOWN = 6


@dataclass(frozen=True)
class Suitability:
    """Result of `assess`.

    Attributes
    ----------
    codes
        State of every criterion of every cell, two bits each, on disk while the result lives; read them with `classes` and `states`.
    tasks
        One row per task: ``id class area_m2``, and ground and share of each class (``workable_m2``, ``workable_share`` and so on for
        conditional, unknown and not), exact to the edge.
    limits
        Per task and criterion (``task_id criterion``): ``limit`` with ``source as_of grade``, and the m² it excludes (``not_m2``), excludes
        alone (``only_not_m2``), leaves unknown (``unknown_m2``) or makes conditional (``conditional_m2``).
    ground_m2
        Ground of the whole raster by class.
    issues
        ISSUES rows, SU-01 to SU-10.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from geotools.analysis.suitability import assess, machine
    >>> from geotools.analysis.suitability.layers import Flat
    >>> from geotools.space.grid import Grid
    >>> task = gpd.GeoDataFrame({"id": ["T-1"]}, geometry=[shapely.box(683010, 4384910, 683090, 4384990)], crs="EPSG:32638")
    >>> done = assess(Flat(Grid(683000, 4385000, 10, (10, 10), "EPSG:32638")), machine("mematt"), tasks=task)
    >>> done.classes().shape, done.tasks["class"].tolist(), done.sentences[-1]
    ((10, 10), ['unknown'], 'Workable says that the machine can go there, not that the land is safe.')
    """

    codes: Any
    lattice: Lattice
    machine: Machine
    settings: Settings
    tasks: gpd.GeoDataFrame
    limits: pd.DataFrame
    ground_m2: dict[str, float]
    issues: gpd.GeoDataFrame

    def classes(self, row: int = 0, column: int = 0, rows: int | None = None, columns: int | None = None) -> np.ndarray:
        """Classes of a window as in `CLASSES`: 1 workable, 2 conditional, 3 unknown, 4 not."""
        part = self.codes[
            row : None if rows is None else row + rows, column : None if columns is None else column + columns
        ]
        return limits.worst(part) + np.uint8(1)

    def states(self, criterion: str) -> np.ndarray:
        """State of one criterion in every cell: 0 ok, 1 conditional, 2 unknown, 3 not."""
        return limits.state_of(self.codes, criterion)

    @property
    def sentences(self) -> list[str]:
        """The result in plain words."""
        out = []
        for row in self.tasks.drop(columns="geometry").to_dict("records"):
            parts = ", ".join(_part(row, name) for name in limits.STATES)
            out.append(f"{row['id']}: {row['class']} for {self.machine.name}: {parts}.")
            own = self.limits[self.limits["task_id"] == row["id"]]
            for what, column in (
                ("excluded by", "not_m2"),
                ("unknown for", "unknown_m2"),
                ("conditional on", "conditional_m2"),
            ):
                top = own[own[column] > 0.5].sort_values([column, "criterion"], ascending=[False, True])
                if len(top):
                    listed = "; ".join(
                        f"{NAMES[r['criterion']]} {square_metres(r[column], toward='up')} m²"
                        for r in top.head(SHOWN).to_dict("records")
                    )
                    more = f"; and {len(top) - SHOWN} more" if len(top) > SHOWN else ""
                    out.append(f"  {what}: {listed}{more}")
        return [*out, "Workable says that the machine can go there, not that the land is safe."]

    def patches(self) -> gpd.GeoDataFrame:
        """Ground of each class in each task as polygons: ``id task_id class area_m2 machine``, in the CRS of the tasks."""
        rows = []
        local = self.tasks.to_crs(self.lattice.crs)
        for name, shape in zip(local["id"], local.geometry.array, strict=True):
            rows += [
                {"id": f"{name}-{kind}", "task_id": name, "class": kind, "machine": self.machine.id, "geometry": part}
                for kind, part in self._cut(shape)
            ]
        frame = gpd.GeoDataFrame(
            rows, columns=["id", "task_id", "class", "machine", "geometry"], geometry="geometry", crs=self.lattice.crs
        ).to_crs(self.tasks.crs)
        frame.insert(3, "area_m2", measure.area(frame))
        return frame

    def _cut(self, shape: Any) -> list[tuple[str, Any]]:
        west, south, east, north = shape.bounds
        back = ~self.lattice.transform
        (left, top), (right, bottom) = back @ (west, north), back @ (east, south)
        row, column = max(int(np.floor(top)), 0), max(int(np.floor(left)), 0)
        rows, columns = (
            min(int(np.ceil(bottom)), self.lattice.shape[0]) - row,
            min(int(np.ceil(right)), self.lattice.shape[1]) - column,
        )
        found: dict[str, list[Any]] = {"unknown": []}
        covered = shapely.Polygon()
        if rows > 0 and columns > 0:
            covered = self.lattice.box(row, column, rows, columns)
            values = np.ascontiguousarray(self.classes(row, column, rows, columns))
            for piece, value in rasterio.features.shapes(values, transform=self.lattice.at(row, column)):
                found.setdefault(CLASSES[int(value)], []).append(shapely.geometry.shape(piece))
        found["unknown"].append(shapely.difference(shape, covered))
        made = [(kind, shapely.intersection(shapely.union_all(parts), shape)) for kind, parts in sorted(found.items())]
        return [(kind, part) for kind, part in made if part.area > 0]

    def layers(self) -> dict[str, gpd.GeoDataFrame]:
        """Layers to write or map, by name."""
        frames = {"suitability": self.patches(), "suitability_tasks": self.tasks, "issues": self.issues}
        return {name: frame for name, frame in frames.items() if len(frame)}

    def to_dict(self) -> dict[str, Any]:
        """Tasks, limits, totals, issues and how it was judged, as plain data."""
        return {
            "machine": {
                "id": self.machine.id,
                "name": self.machine.name,
                "figures": {k: vars(f) | {"words": dict(f.words)} for k, f in self.machine.figures.items()},
            },
            "settings": {
                "bearing_deg": self.settings.bearing_deg,
                "waived": dict(self.settings.waived),
                "task_share": self.settings.task_share,
            },
            "crs": _crs.label(self.lattice.crs),
            "ground_m2": self.ground_m2,
            "tasks": self.tasks.drop(columns="geometry").to_dict("records"),
            "limits": self.limits.to_dict("records"),
            "issues": pd.DataFrame(self.issues.drop(columns="geometry")).to_dict("records"),
            "sentences": self.sentences,
        }

    def write(
        self, folder: str | Path, *, overwrite: bool = False, provenance: dict[str, Any] | None = None
    ) -> dict[str, Path]:
        """Write the classes as a GeoTIFF (COG, with colours), the layers as a GeoPackage, both tables as CSV, and all figures as JSON.

        Parameters
        ----------
        provenance
            `Provenance.to_dict()` of the inputs; stands in the JSON file.

        Raises
        ------
        WriteError
            If a file exists and `overwrite` is false, or the folder cannot be written.
        """
        target = Path(folder)
        files = {name: target / name for name in FILES}
        for path in files.values():
            if path.exists() and not overwrite:
                raise WriteError(
                    "it exists already", hint="choose another folder or add --overwrite (overwrite=True)", file=path
                )
        with tempfile.TemporaryDirectory() as drafts:
            draft = Path(drafts) / "classes.tif"
            self._draft(draft)
            layers = self.layers()
            with ExitStack() as stack:
                places = {
                    name: stack.enter_context(replacing(path, overwrite=overwrite)) for name, path in files.items()
                }
                try:
                    rasterio.shutil.copy(
                        draft,
                        places["suitability.tif"],
                        driver="COG",
                        compress="deflate",
                        blocksize=256,
                        overview_resampling="nearest",
                    )
                except (rasterio.errors.RasterioError, OSError) as error:
                    raise WriteError(
                        "the raster could not be written", hint="is the disk full?", file=files["suitability.tif"]
                    ) from error
                figures = self.to_dict() | ({} if provenance is None else {"provenance": provenance})
                text = json.dumps(figures, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
                places["suitability.json"].write_bytes(text.encode("utf-8"))
                made = io.write_layers(layers, Path(drafts) / "layers.gpkg")
                shutil.copyfile(made, places["suitability.gpkg"])
                for name, frame in (
                    ("suitability_tasks.csv", self.tasks.drop(columns="geometry")),
                    ("suitability_limits.csv", self.limits),
                ):
                    shutil.copyfile(io.write(frame.round(4), Path(drafts) / name), places[name])
        return files

    def _draft(self, path: Path) -> None:
        rows, columns = self.lattice.shape
        profile = {
            "driver": "GTiff", "width": columns, "height": rows, "count": 1, "dtype": "uint8", "nodata": 0, "transform": self.lattice.transform,
            "crs": rasterio.CRS.from_wkt(self.lattice.crs.to_wkt()), "tiled": True, "blockxsize": 256, "blockysize": 256, "bigtiff": "if_safer",
        }  # fmt: skip
        with rasterio.open(path, "w", **profile) as out:
            out.write_colormap(1, COLOURS)
            out.set_band_description(
                1,
                f"suitability for {self.machine.name} (planned): " + ", ".join(f"{k}={v}" for k, v in CLASSES.items()),
            )
            out.update_tags(CLASSES=", ".join(f"{k}={v}" for k, v in CLASSES.items()), MACHINE=self.machine.id)
            for row in range(0, rows, ROWS):
                part = self.classes(row, 0, min(ROWS, rows - row), columns)
                out.write(part, 1, window=Window(0, row, columns, len(part)))


def _part(row: dict[str, Any], name: str) -> str:
    """Ground of one class in words: workable ground is cut and all other ground raised, so 100.0 % workable leaves nothing."""
    area, workable = row[f"{name}_m2"], name == "workable"
    rest = math.fsum(row[f"{other}_m2"] for other in limits.STATES if other != name)
    if area > NOISE_M2 >= rest:
        share = percent(1.0)
    elif workable:
        share = percent(row[f"{name}_share"])
    else:  # a little of it is never 0.0 %, and with a little of another class it is never 100.0 %
        tenths_left = math.ceil(row[f"{name}_share"] * 1000 - NOISE) if area > NOISE_M2 else 0
        share = f"{min(tenths_left, 999) / 10:.1f} %"
    return f"{square_metres(area, toward='down' if workable else 'up')} m² {name} ({share})"
