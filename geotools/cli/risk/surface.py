"""`geotools risk surface`: where survey should look first, as a raster and a report. It adds priority and removes no land."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options

MOST_CELLS = 4_000_000
UNKNOWN = 255  # no statement: outside the survey, or a feature is missing there


@click.command(
    "surface",
    epilog="Example: geotools risk surface sample_data/fuzuli --res 250 -o priority.tif --report priority.json",
)
@options.survey_argument
@click.option(
    "--split",
    type=options.Day(),
    help="Evidence before this day predicts finds from it on (YYYY-MM-DD; default: the middle date of the finds).",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Choice(["logistic", "boosted"]),
    help="Judged beside the distance baseline; repeat. Default: logistic, and boosted trees if scikit-learn is installed.",
)
@click.option(
    "--block",
    "block_m",
    type=click.FloatRange(min=0, min_open=True),
    default=2000.0,
    show_default=True,
    help="Side in metres of the blocks that are left out together.",
)
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True, help="Groups of blocks.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the groups of blocks.")
@click.option(
    "--within",
    "within_m",
    type=click.FloatRange(min=0, min_open=True),
    default=5000.0,
    show_default=True,
    help="Cells farther than this in metres from every record of the survey get no statement.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Also write the report: .json, or words as .txt; .png for its figure.",
)
@click.option(
    "--scores", type=click.Path(path_type=Path), help="Also write the score of the best model per cell (.tif)."
)
@options.bounds
@options.res
@options.output
@options.overwrite
@options.crs
@options.executor
@options.as_json
@options.common
def surface(survey: str, output: Path | None, **choices: Any) -> None:
    """Survey priority of every cell around the hazards of SURVEY, judged on ground that the model had not seen.

    Evidence known before --split (accidents, finds) predicts the cells with finds from that day on; cells searched since without a find
    are the others. OUTPUT is a .tif (COG): 1, 2 and 3 for the best 20, 10 and 5 % of the cells by the distance baseline or by the
    best model, whichever is higher (a model that is no better than the distance alone is not used); 0 adds nothing and says nothing; 255 where nothing is known. No value lowers a priority.
    """
    from geotools.analysis import risk_surface as room
    from geotools.survey import open_survey

    for path in (output, choices["scores"]):
        if path is not None and path.suffix.lower() not in (".tif", ".tiff"):
            raise click.BadParameter("a raster is a .tif file", param_hint="--output" if path == output else "--scores")
    if choices["report"] is not None and choices["report"].suffix.lower() not in (".json", ".txt", ".png"):
        raise click.BadParameter("a report is a .json, .txt or .png file", param_hint="--report")
    click.get_current_context().with_resource(options.executing(choices))
    opened = open_survey(survey, crs=choices["crs"])
    cells = cells_of(opened, choices)
    judged, setup = training(opened, cells, choices)
    result = room.evaluate(judged, setup)
    raster, scores = priority(opened, cells, result, choices["within_m"])
    lines = [*room.findings(result), *counted(raster)]
    if len(setup.models) and not result.better:
        options.say(
            "warning: no model is better than the distance to known evidence alone; none is used, and the raster is that of the distance"
        )
    if not result.beats_chance:
        options.say("warning: on unseen ground nothing beats chance; this raster orders survey no better than a draw")
    data = {**result.to_dict(), "split": choices["split"].isoformat(), "cell_m": cells["grid"].cell, **areas(raster)}
    _write(result, (raster, scores), (lines, data), output, choices)
    if choices["as_json"]:
        options.print_json(data)
    else:
        click.echo("\n".join(lines))


def cells_of(opened: Any, choices: dict[str, Any]) -> dict[str, Any]:
    """The cells to be given a priority: a grid around hazards and released land, and the features of each."""
    import geopandas as gpd
    import numpy as np
    import shapely

    from geotools.model.errors import SchemaError
    from geotools.space import crs as _crs
    from geotools.space.grid import Grid

    records = _records(opened)
    west, south, east, north = choices["bounds"] or _around(records)
    plane = _crs.equal_area((west, south, east, north))
    corners = shapely.box(west, south, east, north)
    box = _crs.transform(np.array([shapely.segmentize(corners, 0.05)], dtype=object), _crs.WGS84, plane)[0]
    cell = choices["res"] or 100.0
    bounds = box.bounds
    number = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]) / cell**2
    if number > MOST_CELLS:
        raise SchemaError(
            f"the ground has about {number:,.0f} cells of {cell:g} m",
            hint="choose a larger --res or --bounds of a part",
        )
    grid = Grid.around(bounds, cell, plane)
    x, y = (v.ravel() for v in np.meshgrid(*grid.centres))
    return {"grid": grid, "records": records, "places": gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=plane)}


def _around(records: Any) -> tuple[float, float, float, float]:
    """West, south, east, north of the records in degrees, with about a kilometre around."""
    west, south, east, north = records.total_bounds
    return float(west) - 0.01, float(south) - 0.01, float(east) + 0.01, float(north) + 0.01


def _records(opened: Any) -> Any:
    """Everything of the survey that has a place in the extent of the programme, in WGS 84."""
    import geopandas as gpd
    import shapely

    from geotools.model import arguments
    from geotools.model.errors import SchemaError
    from geotools.space import crs as _crs

    shapes: list[Any] = []
    for kind in ("hazards", "releases", "finds", "accidents"):
        frame = opened.layer(kind)
        there = frame[arguments.placed(frame)] if len(frame) else frame
        shapes += list(_crs.to_wgs84(there).geometry) if len(there) else []
    limits = opened.programme.extent
    frame_box = shapely.box(*limits) if limits else shapely.box(-180, -90, 180, 90)
    known = [shape for shape in shapes if shapely.intersects(frame_box, shape)]
    if not known:
        raise SchemaError("nothing in the survey has a place", hint="risk surface needs finds and hazards or releases")
    return gpd.GeoSeries(known, crs=_crs.WGS84)


def training(opened: Any, cells: dict[str, Any], choices: dict[str, Any]) -> tuple[Any, Any]:
    """The cells that were searched from the split on, whether something was found there, and what was known before."""
    import numpy as np
    import pandas as pd

    from geotools.analysis import risk_surface as room
    from geotools.model.errors import SchemaError

    finds, dates = _dated(opened.finds)
    if not len(finds):
        raise SchemaError("the survey has no finds with a place and a date", hint="they are what is predicted")
    choices["split"] = choices["split"] or dates.sort_values().iloc[len(dates) // 2].date()
    split = pd.Timestamp(choices["split"])
    grid, places = cells["grid"], cells["places"]
    late = finds[(dates >= split).to_numpy()]
    hit = np.zeros(len(places), dtype=bool)
    hit[_numbers(late, grid)] = True
    releases, days = _dated(opened.releases)
    later = releases[(days >= split).to_numpy()]
    searched = later[later["product"].isin(["cleared", "reduced"])] if "product" in later else later.iloc[:0]
    seen = hit | _inside(searched, grid)
    cells["features"] = _features(opened, cells)
    frame = places.assign(**cells["features"], eo=hit)
    known = room.distances(places, {"evidence": _evidence(opened, split)})
    frame = frame.assign(evidence_m=known["evidence_m"].to_numpy())[seen]
    columns = tuple(cells["features"])
    whole = frame[[*columns, "evidence_m"]].notna().all(axis=1)
    if not whole.all():
        options.say(
            f"warning: {int((~whole).sum())} of {len(frame)} searched cells have no feature values and are not used"
        )
    setup = room.Setup(
        "eo", "evidence_m", columns, block_m=choices["block_m"], folds=choices["folds"], seed=choices["seed"], models=_models(choices)
    )  # fmt: skip
    return frame[whole], setup


def _models(choices: dict[str, Any]) -> tuple[str, ...]:
    import importlib.util

    from geotools.analysis import risk_surface as room

    names = {"logistic": room.LOGISTIC, "boosted": room.BOOSTED}
    if choices["models"]:
        return tuple(names[name] for name in choices["models"])
    if importlib.util.find_spec("sklearn") is None:
        options.say("scikit-learn is not installed: no boosted trees (pip install 'geotools-demining[learning]')")
        return (room.LOGISTIC,)
    return (room.LOGISTIC, room.BOOSTED)


def _dated(frame: Any) -> tuple[Any, Any]:
    """Rows with a place and a date, and those dates."""
    import pandas as pd

    from geotools.model import arguments

    if not len(frame) or "date" not in frame:
        return frame.iloc[:0], pd.Series([], dtype="datetime64[ns]")
    days = pd.to_datetime(frame["date"], errors="coerce")
    there = arguments.placed(frame) & days.notna().to_numpy()
    return frame[there], days[there]


def _evidence(opened: Any, before: Any = None) -> Any:
    """Places of accidents and finds, those known before a day."""
    import geopandas as gpd
    import pandas as pd

    from geotools.space import crs as _crs

    parts = []
    for kind in ("accidents", "finds"):
        rows, days = _dated(opened.layer(kind))
        rows = rows if before is None else rows[(days < before).to_numpy()]
        parts.append(_crs.to_wgs84(rows).geometry if len(rows) else gpd.GeoSeries([], crs=_crs.WGS84))
    return gpd.GeoSeries(pd.concat(parts, ignore_index=True), crs=_crs.WGS84)


def _numbers(rows: Any, grid: Any) -> Any:
    """Numbers of the cells that hold the rows; rows outside the grid are left out."""
    import numpy as np
    import shapely

    from geotools.space import crs as _crs

    spots = shapely.centroid(_crs.transform(rows.geometry.array, _crs.require(rows), grid.crs))
    xy = shapely.get_coordinates(spots)
    column = np.floor((xy[:, 0] - grid.west) / grid.cell).astype(np.int64)
    row = np.floor((grid.north - xy[:, 1]) / grid.cell).astype(np.int64)
    held = (row >= 0) & (row < grid.shape[0]) & (column >= 0) & (column < grid.shape[1])
    return row[held] * grid.shape[1] + column[held]


def _inside(layer: Any, grid: Any) -> Any:
    """Whether each cell touches a polygon of the layer."""
    import numpy as np
    from rasterio.features import rasterize

    from geotools.space import crs as _crs
    from geotools.space import geom

    shapes: Any = []
    if len(layer):
        moved = geom.polygonal(geom.repair(_crs.transform(layer.geometry.array, _crs.require(layer), grid.crs)))
        shapes = [shape for shape in moved if shape is not None and not shape.is_empty]
    if not shapes:
        return np.zeros(grid.shape[0] * grid.shape[1], dtype=bool)
    return rasterize(shapes, grid.shape, fill=0, transform=grid.transform, all_touched=True, dtype="uint8").ravel() > 0


def _features(opened: Any, cells: dict[str, Any]) -> dict[str, Any]:
    """Distances to places, roads and other lines, and the ground of the height model."""
    from geotools.analysis import risk_surface as room
    from geotools.model import arguments
    from geotools.model.schema import KINDS

    layers: dict[str, Any] = {}
    kinds = ("places", "landuse", *sorted(set(opened.layers) - set(KINDS)))
    for name in kinds:
        frame = opened.layers.get(name)
        if frame is not None and len(frame) and arguments.placed(frame).any():
            frame = frame[arguments.placed(frame)]
            lines = frame[frame.geom_type.isin(["LineString", "MultiLineString"])]
            rest = frame[~frame.geom_type.isin(["LineString", "MultiLineString"])]
            layers |= {f"to_{name}": rest} if len(rest) else {}
            layers |= {f"to_{name}_lines": lines} if len(lines) else {}
    near = room.distances(cells["places"], layers)
    out: dict[str, Any] = {str(name): near[name].to_numpy() for name in near}
    return out | (_ground(opened.rasters["dem"], cells["places"]) if "dem" in opened.rasters else {})


def _ground(path: Path, places: Any) -> dict[str, Any]:
    """Height, slope and ruggedness at the middle of each cell; missing outside the model."""
    import numpy as np

    from geotools.analysis import terrain
    from geotools.io.rasters import read_raster

    dem = read_raster(path)
    xy = places.to_crs(dem.grid.crs).get_coordinates().to_numpy()
    column = np.floor((xy[:, 0] - dem.grid.west) / dem.grid.cell).astype(np.int64)
    row = np.floor((dem.grid.north - xy[:, 1]) / dem.grid.cell).astype(np.int64)
    held = (row >= 0) & (row < dem.grid.shape[0]) & (column >= 0) & (column < dem.grid.shape[1])
    out = {}
    for name, raster in (("height_m", dem), ("slope_deg", terrain.slope(dem)), ("ruggedness_m", terrain.tri(dem))):
        values = np.full(len(xy), np.nan)
        values[held] = raster.values[row[held], column[held]].astype(float)
        if raster.nodata is not None:
            values[values == raster.nodata] = np.nan
        out[name] = values
    return out


def priority(opened: Any, cells: dict[str, Any], result: Any, within_m: float) -> tuple[Any, Any]:
    """Priority classes and the score of the best model on the grid, from all evidence known now."""
    import numpy as np

    from geotools.analysis import risk_surface as room
    from geotools.space.grid import Raster

    grid = cells["grid"]
    near = room.distances(cells["places"], {"evidence": _evidence(opened)})["evidence_m"].to_numpy()
    frame = cells["places"].assign(**cells["features"], evidence_m=near)
    known = room.distances(cells["places"], {"record": cells["records"]})["record_m"].to_numpy() <= within_m
    base = np.where(known, result.predict(frame, room.BASELINE).to_numpy(), np.nan)
    best = np.where(known, result.predict(frame).to_numpy(), np.nan)
    value = room.classes(np.column_stack([base, best]))
    value[~np.isfinite(base)] = UNKNOWN
    return (
        Raster(value.reshape(grid.shape), grid, nodata=UNKNOWN, name="survey_priority"),
        Raster(best.reshape(grid.shape).astype("float32"), grid, nodata=float("nan"), name="survey_score"),
    )


def areas(raster: Any) -> dict[str, Any]:
    """Area per class in m²."""
    size = raster.grid.cell**2
    return {"priority_m2": {str(n): float((raster.values == n).sum() * size) for n in (0, 1, 2, 3)}}


def counted(raster: Any) -> list[str]:
    """Area per class in words."""
    from geotools.cli.risk import words

    each = areas(raster)["priority_m2"]
    parts = ", ".join(
        f"{name} {words.area(each[key])}" for key, name in (("3", "first"), ("2", "second"), ("1", "third"))
    )
    return [f"Survey priority added: {parts}; the other {words.area(each['0'])} keep the priority they have."]


def _write(
    result: Any, rasters: tuple[Any, Any], report: tuple[list[str], Any], output: Path | None, choices: dict[str, Any]
) -> None:
    import json

    from geotools.analysis import risk_surface as room
    from geotools.io.atomic import replacing, write_text
    from geotools.io.rasters import write_raster

    over = {"overwrite": choices["overwrite"]}
    for path, raster in ((output, rasters[0]), (choices["scores"], rasters[1])):
        if path is not None:
            write_raster(raster, path, **over)
            options.say(f"written: {path}")
    path = choices["report"]
    if path is None:
        return
    if path.suffix.lower() == ".png":
        with replacing(path, **over) as temporary:
            room.figure(result).savefig(temporary, format="png", dpi=150, metadata={"Software": None})
    elif path.suffix.lower() == ".json":
        write_text(path, json.dumps(report[1], ensure_ascii=False, indent=2, allow_nan=False) + "\n", **over)
    else:
        write_text(path, "\n".join(report[0]) + "\n", **over)
    options.say(f"written: {path}")
