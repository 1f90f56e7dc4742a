"""What this machine has and lacks for the work: libraries, drivers, grids, fonts, room on disk; and a test of the arithmetic.

For `geotools doctor` and for questions of users; nothing else asks it.
"""

from __future__ import annotations

import importlib
import importlib.util
import locale
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from geotools.model.provenance import now, version
from geotools.space.declination import MODELS
from geotools.space.measure import area

GOOD, LACKING, WRONG = "good", "lacking", "wrong"
LIBRARIES = (
    "geopandas",
    "shapely",
    "pyogrio",
    "pyproj",
    "rasterio",
    "folium",
    "numpy",
    "pandas",
    "scipy",
    "matplotlib",
    "pyarrow",
)
EXTRAS = {
    "excel": (("openpyxl",), "workbooks (.xlsx)"),
    "report": (("pypdf", "segno"), "completion reports"),
    "fast": (("numba",), "the compiled ledger for large programmes"),
    "field": (("openpyxl", "pyxform"), "forms for phones"),
    "planning": (("ortools",), "best assignment of teams (without it: a good one)"),
    "learning": (("sklearn",), "gradient boosting for survey priority"),
    "postgis": (("psycopg",), "a shared store in PostgreSQL"),
    "dask": (("distributed",), "work on several machines"),
    "notebooks": (("jupyterlab", "nbclient"), "geotools notebook"),
}  # fmt: skip
VECTORS = ("GPKG", "GeoJSON", "ESRI Shapefile", "FlatGeobuf", "OpenFileGDB", "KML")
RASTERS = ("GTiff", "COG", "MBTiles", "PNG", "WEBP")
LETTERS = "əğşıçöüƏĞŞİÇÖÜАяЖё²±°"
ROOM_BYTES = 1 << 30
MODEL_YEARS = 5  # a World Magnetic Model is good for five years (NOAA NCEI)
SQUARE_M2 = 9_412_788_745.688965  # one degree square at 40° N, 47° E (GeographicLib 2.0, Karney 2013)


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its state (``good``, ``lacking``: something cannot be done, ``wrong``: results may be wrong)."""

    subject: str
    state: str
    found: str
    remedy: str = ""

    def to_dict(self) -> dict[str, str]:
        """Plain data for JSON."""
        return asdict(self)


def examine() -> list[Finding]:
    """Look at everything; nothing is changed, nothing leaves the machine.

    Returns
    -------
    list
        `Finding` in a fixed order: system, libraries, extras, drivers, reference systems, fonts, disk, arithmetic.

    Examples
    --------
    >>> {finding.state for finding in examine()} <= {"good", "lacking", "wrong"}
    True
    """
    out: list[Finding] = []
    for look in (_system, _libraries, _extras, _drivers, _systems, _fonts, _disk, _arithmetic):
        try:
            out += look()
        except Exception as error:  # a doctor never falls over the illness
            out.append(
                Finding(look.__name__.strip("_"), WRONG, f"could not be examined: {type(error).__name__}: {error}")
            )
    return out


def _system() -> Iterator[Finding]:
    yield Finding(
        "geotools", GOOD, f"{version()} in {Path(__file__).parents[1].name}, Python {platform.python_version()}"
    )
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Finding("machine", GOOD, f"{platform.system()} {platform.machine()}, {processors} processors{_memory()}")
    encoding = locale.getpreferredencoding(False)
    if sys.flags.utf8_mode or encoding.lower().replace("-", "") == "utf8":
        yield Finding("text", GOOD, f"{encoding}, stdout {sys.stdout.encoding}")
    else:
        yield Finding("text", LACKING, f"{encoding}: names in the terminal may look wrong", "set PYTHONUTF8=1")


def _memory() -> str:
    try:
        return f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
    except (ValueError, OSError, AttributeError):
        return ""


def _version_of(module: str) -> str:
    for name in (module, {"sklearn": "scikit-learn"}.get(module, module)):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "?"


def _libraries() -> Iterator[Finding]:
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except Exception as error:
            yield Finding(name, WRONG, f"cannot be loaded: {error}", f"pip install --force-reinstall {name}")
        else:
            yield Finding(name, GOOD, _version_of(name))
    import pyogrio
    import pyproj
    import rasterio
    import shapely

    yield Finding("GEOS", GOOD, shapely.geos_version_string)
    yield Finding(
        "GDAL", GOOD, f"{pyogrio.__gdal_version_string__} for layers, {rasterio.__gdal_version__} for rasters"
    )
    yield Finding("PROJ", GOOD, pyproj.proj_version_str)


def _extras() -> Iterator[Finding]:
    for extra, (modules, what) in EXTRAS.items():
        missing = [name for name in modules if importlib.util.find_spec(name) is None]
        if missing:
            remedy = f"pip install 'geotools-demining[{extra}]'"
            yield Finding(f"extra {extra}", LACKING, f"not installed: {what}", remedy)
        else:
            yield Finding(f"extra {extra}", GOOD, ", ".join(f"{name} {_version_of(name)}" for name in modules))


def _drivers() -> Iterator[Finding]:
    import pyogrio
    import rasterio

    layers = pyogrio.list_drivers()
    missing = [name for name in VECTORS if name not in layers]
    with rasterio.Env() as environment:
        known = environment.drivers()
    missing += [name for name in RASTERS if name not in known]
    if missing:
        yield Finding(
            "GDAL drivers", LACKING, f"missing: {', '.join(missing)}", "install the wheels from PyPI, they have them"
        )
    else:
        yield Finding("GDAL drivers", GOOD, ", ".join((*VECTORS, *RASTERS)))


def _systems() -> Iterator[Finding]:
    import pyproj.network
    from pyproj.transformer import TransformerGroup

    network: Any = pyproj.network
    if network.is_network_enabled():
        yield Finding("PROJ network", WRONG, "on: results may change with the connection", "set PROJ_NETWORK=OFF")
    else:
        yield Finding("PROJ network", GOOD, "off")
    pairs = {"Pulkovo 1942": "EPSG:4284", "Pulkovo 1995": "EPSG:4200", "ED50": "EPSG:4230"}
    for name, code in pairs.items():
        group = TransformerGroup(code, "EPSG:4326", always_xy=True, allow_ballpark=False)
        if group.transformers:
            best = min(
                (t.accuracy for t in group.transformers if t.accuracy is not None and t.accuracy >= 0),
                default=float("nan"),
            )
            lacking = len(group.unavailable_operations)
            more = f"; {lacking} more need grids that are not here" if lacking else ""
            yield Finding(name, GOOD, f"{len(group.transformers)} ways to WGS 84, best {best:g} m{more}")
        else:
            yield Finding(
                name, WRONG, "no way to WGS 84: the PROJ database is incomplete", "pip install --force-reinstall pyproj"
            )
    year = max(MODELS)
    if now().year >= year + MODEL_YEARS:
        yield Finding(
            "magnetic model", WRONG, f"WMM{year} ended with {year + MODEL_YEARS - 1}", "pip install --upgrade pygeomag"
        )
    else:
        yield Finding("magnetic model", GOOD, f"WMM{year}, good until the end of {year + MODEL_YEARS - 1}")


def _fonts() -> Iterator[Finding]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    file = findfont(FontProperties(family="DejaVu Sans"))
    letters = get_font(file).get_charmap()
    missing = [letter for letter in LETTERS if ord(letter) not in letters]
    if missing:
        yield Finding(
            "fonts", WRONG, f"{Path(file).name} lacks {''.join(missing)}", "pip install --force-reinstall matplotlib"
        )
    else:
        yield Finding("fonts", GOOD, f"{Path(file).name}: Latin, Azerbaijani, Turkish, Cyrillic")


def _disk() -> Iterator[Finding]:
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free
    room = f"{free / 2**30:.1f} GiB free for temporary files"
    if free < ROOM_BYTES:
        yield Finding("disk", LACKING, room, "free some room, or set TMPDIR to another disk")
    else:
        yield Finding("disk", GOOD, room)


def _arithmetic() -> Iterator[Finding]:
    """Known answers, so that a wrong build of a library shows before it is believed."""
    tests: dict[str, Callable[[], bool]] = {
        "area on the ellipsoid": _area, "polygons cut each other rightly": _cut, "what is written is read": _round_trip,
    }  # fmt: skip
    for name, test in tests.items():
        try:
            right = test()
            said = "as known" if right else "not as known"
        except Exception as error:
            right, said = False, f"failed: {type(error).__name__}: {error}"
        yield Finding(
            name, GOOD if right else WRONG, said, "" if right else "reinstall the libraries; trust no figure before"
        )


def _area() -> bool:
    import geopandas as gpd
    import shapely

    square = shapely.box(47, 40, 48, 41)  # edges are geodesics
    return abs(float(area(gpd.GeoSeries([square], crs="EPSG:4326")).iloc[0]) / SQUARE_M2 - 1) < 1e-9


def _cut() -> bool:
    import shapely

    star = shapely.Polygon([(0, 0), (10, 0), (10, 10), (0, 10)]).difference(shapely.Point(5, 5).buffer(2, quad_segs=1))
    return abs(star.area - 92.0) < 1e-9


def _round_trip() -> bool:
    import geopandas as gpd
    import pyogrio
    import shapely

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Şəki 1.gpkg"
        frame: Any = gpd.GeoDataFrame({"id": ["ə"]}, geometry=[shapely.box(47, 40, 48, 41)], crs="EPSG:4326")
        pyogrio.write_dataframe(frame, file)
        back = pyogrio.read_dataframe(file)
        return back["id"].tolist() == ["ə"] and bool(back.geometry.iloc[0].equals(frame.geometry.iloc[0]))
