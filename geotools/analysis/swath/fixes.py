"""From a frame of fixes to plain arrays on a metric plane, with every unusable fix named.

For the gate at the door; not for time order, outages or smoothing (see `path`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely

from geotools.analysis.swath import units
from geotools.analysis.swath.rules import ASSUMED_SIGMA_M, Rules, Tool
from geotools.model.errors import CoverageError
from geotools.model.schema.answers import to_working
from geotools.space import crs as _crs

UNIT_M = 1e-5  # positions are whole multiples of 0.01 mm, so that sums do not depend on the order or size of chunks
FAR_ALONE_M = 50_000.0

# Why a fix is not used, in the order in which it is asked; each fix has one reason.
REASONS = {
    "no_geometry": "had no position",
    "null_island": "lay at zero longitude and latitude, where receivers without a position put themselves",
    "no_position_solution": "were marked as without a position, simulated or entered by hand",
    "far_away": "lay far from the task, or in a wrong zone",
    "no_time": "had no time",
    "no_width": "had no usable working width",
    "implausible_width": "stated a working width that no tool has (perhaps centimetres entered as metres)",
    "inaccurate": "stated an accuracy worse than the limit",
    "duplicate_time": "repeated the time of another fix of the same asset, or stood in another run as well",
    "spike": "jumped away from their neighbours",
    "mixed_tools": "jumped to and fro between places, as when several tools are logged as one",
    "alone": "had no working neighbour to make a swath with, or never moved",
    "no_heading": "belonged to stretches too short to tell where an offset tool was",
}
LIFTED = "tool_lifted"


@dataclass(frozen=True)
class Fixes:
    """Usable fixes as arrays, one element per fix; x and y in units of `UNIT_M` on the plane.

    `row` is the position in the frame, `group` the asset and run as a sorted code, `t` microseconds UTC,
    `on` has one column per section of the tool.
    """

    x: np.ndarray
    y: np.ndarray
    t: np.ndarray
    group: np.ndarray
    row: np.ndarray
    on: np.ndarray
    width: np.ndarray
    depth: np.ndarray
    sigma: np.ndarray

    def take(self, index: np.ndarray) -> Fixes:
        """The fixes at `index` (positions or a mask), in that order."""
        return Fixes(**{name: value[index] for name, value in vars(self).items()})

    def __len__(self) -> int:
        return len(self.x)


def plane_of_fixes(table: Table) -> pyproj.CRS:
    """Equal-area plane around the median of fixes, for use where no task says where the work was."""
    good = np.isfinite(table.xy).all(axis=1) & (table.xy != 0).any(axis=1)
    if not good.any():
        return _crs.equal_area((0.0, 0.0, 0.0, 0.0))
    change = way(table.crs, _crs.WGS84)
    lon, lat = change.transform(*np.median(table.xy[good], axis=0))
    if not np.isfinite([lon, lat]).all():
        raise _crs.CRSError(
            f"the fixes cannot be expressed in {table.crs.name}", hint="are the coordinates really in that system?"
        )
    return _crs.equal_area((lon, lat, lon, lat))


def coordinates(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> np.ndarray:
    """x and y of point geometry, shape (rows, 2); NaN where there is no point."""
    geometry = np.asarray(frame.geometry.array, dtype=object)
    kind = shapely.get_type_id(geometry)
    if (kind == 0).all():
        xy = shapely.get_coordinates(geometry)
        if len(xy) == len(geometry):  # no empty point among them
            return xy
    if not np.isin(kind, (-1, 0, 4)).all():
        raise CoverageError(
            "fixes must be points, one position each",
            hint="give the fixes layer; lines have lost their times and cannot show outages",
        )
    xy = np.full((len(geometry), 2), np.nan)
    single = (kind == 0) & ~shapely.is_empty(geometry)
    xy[single] = shapely.get_coordinates(geometry[single])
    return xy


def require_single(frame: pd.DataFrame) -> None:
    """Refuse a frame that has a column twice: nobody can say which of them counts.

    Raises
    ------
    CoverageError
        If a name occurs more than once.
    """
    if not frame.columns.is_unique:
        name = frame.columns[frame.columns.duplicated()][0]
        raise CoverageError(f"the column '{name}' occurs more than once", hint="keep one of them, or rename the other")


@dataclass(frozen=True)
class Table:
    """A table of fixes: attributes by the names of the schema, x and y of every row, and their system.

    `stated` names working flags that have a value somewhere in the file of which this is a part: where they are all missing
    here, the tool was not said to be at work.
    """

    rows: pd.DataFrame
    xy: np.ndarray
    crs: pyproj.CRS
    stated: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        require_single(self.rows)

    def __len__(self) -> int:
        return len(self.xy)

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame) -> Table:
        """From a frame of points in any CRS."""
        if not isinstance(frame, gpd.GeoDataFrame):
            raise CoverageError(
                "the fixes are not a layer with positions", hint="read them with geotools.read(path, 'fixes')"
            )
        crs = frame.crs
        crs = crs if isinstance(crs, pyproj.CRS) else _crs.require(frame, "fixes layer")
        require_single(frame)
        return cls(pd.DataFrame(frame), coordinates(frame), crs)

    @cached_property
    def _coded(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {}

    def codes(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Code of every row's text in sorted order and the texts; −1 where it is missing or blank."""
        if column not in self._coded:
            self._coded[column] = _codes(self.rows, column)
        return self._coded[column]

    def words(self, column: str, rows: np.ndarray) -> np.ndarray:
        """Text of a column at `rows`, empty where missing or absent."""
        if column not in self.rows:
            return np.full(len(rows), "", dtype=object)
        if column in self._coded:
            code, texts = self._coded[column]
            return np.asarray(texts[code[rows]])
        values = self.rows[column].array.take(rows)
        texts = np.where(pd.isna(values), "", np.asarray(values, dtype=object)).astype(str).astype(object)
        return texts if isinstance(values.dtype, pd.StringDtype) else np.array([*map(_readable, texts)], dtype=object)

    @cached_property
    def _flagged(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {}

    @cached_property
    def widths(self) -> np.ndarray:
        """Stated working widths in metres, NaN where there is none."""
        return lengths(self.rows, "width")

    def flag(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """See `flags`."""
        if column not in self._flagged:
            self._flagged[column] = flags(self.rows[column])
        return self._flagged[column]


def _readable(value: object) -> str:
    """Text that can be written to a file, whatever it was."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _codes(rows: pd.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    if column not in rows or not len(rows):
        return np.full(len(rows), -1), np.array([""], dtype=object)
    values = rows[column]
    if isinstance(values.dtype, pd.StringDtype):
        text = pa.array(values.array, type=pa.large_string())
        found = (text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text).dictionary_encode()
        known, place = np.unique(np.array(found.dictionary.to_pylist(), dtype=object), return_inverse=True)
        code = np.concatenate((place, [-1]))[found.indices.fill_null(len(place)).to_numpy(zero_copy_only=False)]
    else:
        if values.dtype == object:  # mixed kinds have no order
            values = values.where(values.notna(), None).map(_readable, na_action="ignore")
        code, names = pd.factorize(values, sort=True, use_na_sentinel=True)
        known = np.asarray(names, dtype=object)
    texts = np.array([*map(str, known), ""], dtype=object)
    blank = np.array([not text.strip() for text in texts], dtype=bool)
    return np.where(blank[code], -1, code) if blank[:-1].any() else code, texts


@dataclass(frozen=True)
class Gate:
    """What every chunk is judged by: plane, reach on it (west, south, east, north), tool and rules."""

    plane: pyproj.CRS
    reach: tuple[float, float, float, float]
    tool: Tool
    rules: Rules


def admitted(table: Table, gate: Gate) -> tuple[Fixes, np.ndarray]:
    """The fixes of a table with a place and time, and the reason code of every row (−1 usable, else position in `REASONS`).

    Fixes without a usable width are among them, as not working: nobody knows what the tool did there.
    """
    frame, raw, source, reach = table.rows, table.xy, table.crs, gate.reach
    count = len(frame)
    reason = np.full(count, -1, dtype=np.int8)

    def refuse(mask: np.ndarray, why: str) -> None:
        reason[mask & (reason < 0)] = list(REASONS).index(why)

    refuse(~np.isfinite(raw).all(axis=1), "no_geometry")
    x, y = _to_plane(raw, source, gate.plane)
    outside = ~((x >= reach[0]) & (y >= reach[1]) & (x <= reach[2]) & (y <= reach[3]))
    refuse(outside & (np.abs(raw) <= (0.01 if source.is_geographic else 1.0)).all(axis=1), "null_island")
    refuse(~_accepted(frame, gate.rules), "no_position_solution")
    refuse(outside, "far_away")
    t, timed = times(frame)
    refuse(~timed, "no_time")
    width = _widths(table, gate.tool)
    sigma = sigmas(frame)
    if gate.rules.h_acc_m is not None:
        sigma = np.where(np.isnan(sigma), gate.rules.h_acc_m, sigma)
    stated = number(frame, "h_acc_m")
    refuse(stated > gate.rules.h_acc_max_m, "inaccurate")
    placed = reason < 0
    refuse(~(width > 0), "no_width")
    refuse(width > gate.rules.width_max_m, "implausible_width")
    on = _flags(table, gate.tool) & (reason < 0)[:, None]  # a place without a width ends the swath before it
    good = np.flatnonzero(placed)
    arrays = Fixes(
        x=np.rint(x[good] / UNIT_M).astype(np.int64), y=np.rint(y[good] / UNIT_M).astype(np.int64), t=t[good], group=_groups(table)[good],
        row=good, on=on[good], width=width[good], depth=lengths(frame, "depth")[good], sigma=sigma[good],
    )  # fmt: skip
    return arrays, reason


def way(source: pyproj.CRS, target: pyproj.CRS) -> pyproj.Transformer:
    """The transformer between two systems.

    Raises
    ------
    CRSError
        If one of them is not a system of places on the earth.
    """
    try:
        return _crs.transformer(_crs.code_or_wkt(source), _crs.code_or_wkt(target))
    except pyproj.exceptions.ProjError as error:
        raise _crs.CRSError(
            f"coordinates in '{source.name}' cannot be placed on the earth",
            hint="say the system that they are in, for example EPSG:32638",
        ) from error


def _to_plane(raw: np.ndarray, source: pyproj.CRS, plane: pyproj.CRS) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates on the plane; NaN for those that have no image there."""
    if source == plane:
        return raw[:, 0], raw[:, 1]
    change = way(source, plane)
    usable = np.isfinite(raw).all(axis=1)
    if source.is_geographic:
        usable &= (np.abs(raw[:, 0]) <= 360) & (np.abs(raw[:, 1]) <= 90)
    if usable.all():
        x, y = change.transform(raw[:, 0], raw[:, 1])
    else:
        x, y = np.full(len(raw), np.nan), np.full(len(raw), np.nan)
        x[usable], y[usable] = change.transform(raw[usable, 0], raw[usable, 1])
    lost = ~(np.isfinite(x) & np.isfinite(y))
    if lost.any():
        x[lost], y[lost] = np.nan, np.nan
    return x, y


def _quality(frame: pd.DataFrame) -> pd.Series:
    words = frame["fix_quality"]
    return words.map(str, na_action="ignore") if words.dtype == object else words


def _accepted(frame: pd.DataFrame, rules: Rules) -> np.ndarray:
    if "fix_quality" not in frame:
        return np.ones(len(frame), dtype=bool)
    words = _quality(frame)
    return (words.isna() | words.isin(rules.accept)).to_numpy(dtype=bool)


def times(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds UTC of every row, and whether it has a time."""
    if "time" not in frame:
        raise CoverageError(
            "the fixes have no time, so outages and passes cannot be told",
            hint="export the track with times (column 'time', UTC)",
        )
    time = frame["time"]
    if not pd.api.types.is_datetime64_any_dtype(time.dtype):
        if pd.api.types.is_numeric_dtype(time.dtype):
            raise CoverageError(
                "the times of the fixes are numbers, and nobody says since when they count",
                hint="give dates and times, for example 2026-05-04T06:00:00Z",
            )
        time = pd.to_datetime(time, utc=True, errors="coerce", format="ISO8601")
    stamps = time.to_numpy(dtype="datetime64[us]")  # of times with a zone this is UTC
    return stamps.astype(np.int64), ~np.isnat(stamps)


def number(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column as floats, NaN where it is missing, absent or infinite."""
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    column_values = frame[column]
    if column_values.dtype != np.float64:
        column_values = pd.to_numeric(column_values, errors="coerce")
    values = column_values.to_numpy(dtype=float, na_value=np.nan)
    wild = np.isinf(values)
    return np.where(wild, np.nan, values) if wild.any() else values


def lengths(frame: pd.DataFrame, what: str) -> np.ndarray:
    """Widths in metres or depths in centimetres, from ``width_m`` or ``depth_cm`` or a column that names another unit."""
    column, unit = {"width": ("width_m", "m"), "depth": ("depth_cm", "cm")}[what]
    if column in frame and frame[column].dtype != np.float64:
        given = units.measured(frame[column], unit)
    else:
        given = number(frame, column)
    return units.filled(frame, what, given, unit)


def _widths(table: Table, tool: Tool) -> np.ndarray:
    if tool.sections:
        return np.full(len(table), max(section.width_m for section in tool.sections))
    width = table.widths
    if tool.width_m is not None:
        width = np.where(np.isnan(width), tool.width_m, width)
    return width


def sigmas(frame: pd.DataFrame) -> np.ndarray:
    """Standard deviation per axis in metres: as stated, else assumed from the fix quality and dilution (hdop), else NaN.

    Zero or less is what receivers write that do not know; it never means a perfect position.
    """
    sigma = number(frame, "h_acc_m")
    sigma = np.where(sigma > 0, sigma, np.nan)
    if "fix_quality" in frame:
        worse = np.fmax(number(frame, "hdop"), 1.0)  # the assumed values are for open sky, where it is about 1
        assumed = worse * _quality(frame).map(ASSUMED_SIGMA_M).to_numpy(dtype=float, na_value=np.nan)
        sigma = np.where(np.isnan(sigma), assumed, sigma)
    return sigma


def stated_sigma(passes: pd.DataFrame) -> np.ndarray:
    """Standard deviation that each pass states; NaN where it states none, or zero or less, which no receiver can know."""
    if "h_acc_m" not in passes:
        return np.full(len(passes), np.nan)
    stated = pd.to_numeric(passes["h_acc_m"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(stated) & (stated > 0), stated, np.nan)


def _flags(table: Table, tool: Tool) -> np.ndarray:
    """Working flags, one column per section; a missing flag is "not working" if the column has any."""
    names = [section.is_on for section in tool.sections] or ["is_on"]
    columns, frame = [], table.rows
    for name in names:
        if name not in frame and name != "is_on":
            raise CoverageError(
                f"the fixes have no column '{name}', which a section of the tool names",
                hint="name a column that exists",
            )
        if name not in frame or _silent(table, name):
            columns.append(np.full(len(frame), name == "is_on"))
        else:
            columns.append(table.flag(name)[0])
    return np.column_stack(columns)


def _silent(table: Table, name: str) -> bool:
    """Whether a flag says nothing anywhere; words that could not be read are not nothing."""
    values, typed = table.rows[name], f"{name}_as_entered"
    if name in table.stated or values.dtype == bool or not values.isna().all():
        return False
    return typed not in table.rows or bool(table.rows[typed].isna().all())


def flags(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Whether each value means yes, and whether it can be read neither as yes nor as no; what cannot be read is not yes."""
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.infer_dtype(column, skipna=True) == "boolean":
        return column.astype("boolean").fillna(False).to_numpy(dtype=bool), np.zeros(len(column), dtype=bool)
    missing = column.isna().to_numpy(dtype=bool)
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        return values == 1, ~missing & (values != 1) & (values != 0)
    words = column.astype(object).where(~missing, "").map(str)
    meant = {word: to_working(word) for word in words.unique()}
    found = [meant[word] for word in words]
    return np.array([value is True for value in found], dtype=bool), ~missing & np.array(
        [value is None for value in found], dtype=bool
    )


def _groups(table: Table) -> np.ndarray:
    """Code of (asset, run) in text order."""
    code = np.zeros(len(table), dtype=np.int64)
    for column in ("asset_id", "run_id"):
        if column in table.rows:
            part, known = table.codes(column)
            code = code * (len(known) + 1) + part + 1
    return code
