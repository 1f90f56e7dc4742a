"""The table of file formats: names, file endings, who reads and writes them.

One row per format, plus the entry-point group ``geotools.formats``; the reading itself is in one room per family.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from geotools.model.errors import GeotoolsError, ReadError, WriteError

GROUP = "geotools.formats"


@dataclass(frozen=True)
class Format:
    """One file format.

    Parameters
    ----------
    suffixes
        File endings, lower case, the usual one first.
    reader, writer, lister, streamer, verifier
        ``module:function`` of `read(Source) -> Raw`, `write(frame, path, layer) -> None`,
        `layers(Source) -> list[str]`, `chunks(Source, rows) -> Iterator[Raw]` and `verify(path, {layer: frame}) -> None`, which
        reads back what was written before it counts; empty where the format cannot do that or its writer needs no check.
    many
        Whether one file holds several layers and can be added to.
    crs
        What a written file says about its reference system: ``kept`` or ``WGS 84``.
    note
        What a reader of the table should know.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    reader: str = ""
    writer: str = ""
    lister: str = ""
    streamer: str = ""
    many: bool = False
    crs: str = "kept"
    note: str = ""
    verifier: str = ""

    def read(self) -> Callable[..., Any]:
        """The reader."""
        return _load(self.reader)

    def write(self) -> Callable[..., Any]:
        """The writer."""
        return _load(self.writer)

    def chunks(self) -> Callable[..., Any] | None:
        """The reader in parts, if the format can be read without holding all of it."""
        return _load(self.streamer) if self.streamer else None

    def verify(self) -> Callable[..., Any] | None:
        """The check of a file just written, where the library that writes it does not report everything."""
        return _load(self.verifier) if self.verifier else None

    def layers(self) -> Callable[..., Any] | None:
        """The function that lists layers, if the format has layers."""
        return _load(self.lister) if self.lister else None


def _load(place: str) -> Callable[..., Any]:
    module, name = place.split(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return loaded


_IO = "geotools.io."
TABLE: tuple[Format, ...] = (
    Format(
        "geojson", "GeoJSON (RFC 7946)", (".geojson", ".json"), _IO + "geojson:read", _IO + "geojson:write", crs="WGS 84",
        note="reads Esri JSON too, as ArcGIS and IMSMA Core send it",
    ),
    Format("topojson", "TopoJSON", (".topojson",), _IO + "geojson:read", "", _IO + "geojson:layers"),
    Format(
        "geojsonseq", "GeoJSON text sequence", (".geojsonl", ".geojsons", ".ndjson", ".jsonl"),
        _IO + "geojson:read_sequence", _IO + "geojson:write_sequence", crs="WGS 84", note="one feature per line; '-' on the command line",
    ),
    Format(
        "gpkg", "GeoPackage", (".gpkg",), _IO + "ogr:read", _IO + "ogr:write_gpkg", _IO + "ogr:layers", _IO + "ogr:chunks", many=True,
        verifier=_IO + "verification:geopackage",
    ),
    Format(
        "shapefile", "Shapefile", (".shp",), _IO + "shapefile:read", _IO + "shapefile:write",
        note="names of at most 10 characters; one geometry type",
    ),
    Format(
        "zip", "Zipped shapefile (reads any zipped format)", (".zip", ".shz"), _IO + "archive:read", _IO + "archive:write", _IO + "archive:layers",
    ),
    Format("flatgeobuf", "FlatGeobuf", (".fgb",), _IO + "ogr:read", _IO + "ogr:write_flatgeobuf", verifier=_IO + "verification:flatgeobuf"),
    Format("geoparquet", "GeoParquet", (".parquet", ".geoparquet"), _IO + "parquet:read", _IO + "parquet:write"),
    Format("kml", "KML", (".kml",), _IO + "kml:read", _IO + "kml:write", crs="WGS 84"),
    Format("kmz", "KMZ (zipped KML)", (".kmz",), _IO + "archive:read", _IO + "archive:write_kmz", crs="WGS 84"),
    Format(
        "gpx", "GPX 1.0 and 1.1", (".gpx",), _IO + "gpx:read", _IO + "gpx:write", _IO + "gpx:layers", crs="WGS 84",
        note="waypoints, routes, tracks, fixes; areas are written as closed tracks",
    ),
    Format("csv", "CSV", (".csv",), _IO + "tables:read", _IO + "tables:write", streamer=_IO + "tables:chunks", note="points as lon/lat, else WKT; comma, UTF-8"),
    Format(
        "xlsx", "Excel workbook", (".xlsx",), _IO + "excel:read", _IO + "excel:write", _IO + "excel:layers",
        note="each sheet is a layer; needs the extra excel",
    ),
    Format(
        "nmea", "NMEA 0183 log", (".nmea", ".nme", ".ubx.txt", ".nma", ".log"), _IO + "nmea:read", streamer=_IO + "nmea:chunks",
        note="GGA, else GNS, RMC or GLL; dated by RMC and ZDA",
    ),
    Format("maxml", "IMSMA maXML field reports", (".maxml", ".xml"), _IO + "maxml:read", "", _IO + "maxml:layers"),
    Format("filegdb", "Esri file geodatabase", (".gdb",), _IO + "ogr:read", "", _IO + "ogr:layers"),
    Format("mapinfo", "MapInfo table and interchange file", (".mif",), _IO + "mapinfo:read", "", _IO + "ogr:layers", note=".tab too, with its .dat, .map and .id"),
    Format("tsv", "Tab-separated text", (".tsv", ".tab", ".txt"), _IO + "tables:read", _IO + "tables:write_tsv", streamer=_IO + "tables:chunks"),
)  # fmt: skip


@cache
def table() -> dict[str, Format]:
    """Format by name, plug-ins included; a plug-in never replaces a format of the table."""
    from importlib.metadata import entry_points

    found = {entry.name: entry for entry in TABLE}
    for plugin in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        made = plugin.load()
        for entry in [made] if isinstance(made, Format) else made:
            found.setdefault(entry.name, entry)
    return found


def formats() -> pd.DataFrame:
    """All formats: name, title, file endings, whether they are read and written, and the CRS a written file has.

    Returns
    -------
    DataFrame
        One row per format: ``name title suffixes`` (endings, separated by spaces), ``read``, ``write``, ``layers`` (whether a file holds
        several), ``crs`` of a written file and a ``note``.

    Examples
    --------
    >>> formats().set_index("name").loc["gpkg", "suffixes"]
    '.gpkg'
    """
    rows = [
        {
            "name": f.name, "title": f.title, "suffixes": " ".join(f.suffixes), "read": bool(f.reader), "write": bool(f.writer),
            "layers": f.many, "crs": f.crs if f.writer else "", "note": f.note,
        }
        for f in table().values()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def of_path(path: str | Path) -> Format | None:
    """The format that a file name stands for, or None.

    Examples
    --------
    >>> of_path("a/hazards.GeoJSON").name, of_path("photo.jpg")
    ('geojson', None)
    """
    name = Path(path).name.lower()
    if name.endswith(".tab") and Path(path).is_file() and is_mapinfo(Path(path)):
        return table()["mapinfo"]
    best = [(len(s), f) for f in table().values() for s in f.suffixes if name.endswith(s)]
    return max(best, key=lambda pair: pair[0])[1] if best else None


def is_mapinfo(path: Path) -> bool:
    """Whether a .tab is a table of MapInfo, which says so in its first line, and not tab-separated text."""
    try:
        with path.open("rb") as stream:
            return stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(b"!table")
    except OSError:
        return False


def named(name: str, error: type[GeotoolsError] = ReadError) -> Format:
    """The format of that name.

    Raises
    ------
    ReadError
        If there is none (or the error class given).
    """
    known = str(name).lower()
    found = table().get(known) or of_path("x." + known.lstrip("."))
    if found is None:
        raise error(f"'{name}' is not a format", hint=f"formats are {', '.join(table())}")
    return found


def to_write(path: Path, name: str | None) -> Format:
    """The format to write `path` in.

    Raises
    ------
    WriteError
        If the name says nothing or the format is only read.
    """
    found = named(name, WriteError) if name else of_path(path)
    if found is None:
        raise WriteError(
            f"the ending '{path.suffix}' is not a known format", hint="name one with format= or --format", file=path
        )
    if not found.writer:
        writers = ", ".join(f.name for f in table().values() if f.writer)
        raise WriteError(f"{found.title} is only read", hint=f"formats that are written: {writers}", file=path)
    return found
