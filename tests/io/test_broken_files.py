"""Files broken on purpose, one by one: each is read with every row accounted for, or refused with the place.

The list is described in tests/data/README.md. Nothing here may end in another exception, or in rows that vanish.
"""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from geotools import io
from geotools.model.errors import CRSError, GeotoolsError, ReadError

SQUARE = [[[47.1, 39.5], [47.2, 39.5], [47.2, 39.6], [47.1, 39.6], [47.1, 39.5]]]
BOW = [[[47.0, 39.0], [47.01, 39.01], [47.01, 39.0], [47.0, 39.01], [47.0, 39.0]]]


@dataclass(frozen=True)
class Case:
    """A broken file: how it is made, and what must come of it."""

    name: str
    make: Callable[[Path], Path]
    kind: str | None = "hazards"
    refused: str | None = None  # a pattern of the message, if the file is refused
    error: type[GeotoolsError] = ReadError
    counts: tuple[int, int, int, int] | None = None  # rows, kept, repaired, rejected
    codes: tuple[str, ...] = ()  # codes that must be among the issues
    says: str = ""  # words that must be among the messages
    options: dict[str, Any] = field(default_factory=dict)


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def polygon(rings: Any = SQUARE) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": rings}


def geojson(*features: Any, name: str = "hazards.geojson", **extra: Any) -> Callable[[Path], Path]:
    return text(name, json.dumps({"type": "FeatureCollection", **extra, "features": list(features)}))


def text(name: str, content: str | bytes, encoding: str = "utf-8") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return make


def frame(count: int = 3, crs: Any = "EPSG:4326", **columns: Any) -> gpd.GeoDataFrame:
    shapes = [shapely.box(47.1 + i, 39.5, 47.11 + i, 39.51) for i in range(count)]
    return gpd.GeoDataFrame({"id": [f"H-{i}" for i in range(count)], **columns}, geometry=shapes, crs=crs)


def written(
    name: str, change: Callable[[Path], None] | None = None, made: Callable[[], Any] = frame
) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = io.write(made(), folder / name)
        if change is not None:
            change(path)
        return path

    return make


def shapefile(
    change: Callable[[Path], None], encoding: str = "utf-8", names: tuple[str, ...] = ("a", "b", "c"), crs: Any = 4326
):
    def make(folder: Path) -> Path:
        path = folder / "hazards.shp"
        made = frame(3, crs=crs, name=list(names))
        pyogrio.write_dataframe(made, path, driver="ESRI Shapefile", encoding=encoding)
        change(path)
        return path

    return make


def cut(share: float) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return change


def drop(suffix: str) -> Callable[[Path], None]:
    return lambda path: path.with_suffix(suffix).unlink()


def cut_side(suffix: str, share: float) -> Callable[[Path], None]:
    return lambda path: cut(share)(path.with_suffix(suffix))


def zipped(members: dict[str, bytes], name: str = "hazards.zip") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return path

    return make


def bomb(folder: Path) -> Path:
    path = folder / "hazards.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("hazards.geojson", "w") as stream:
        for _ in range(100):
            stream.write(b" " * (1 << 20))
    return path


def lying(folder: Path) -> Path:
    """An archive whose directory says less than its member unpacks to."""
    path = zipped({"hazards.geojson": b" " * 5000})(folder)
    data = bytearray(path.read_bytes())
    for at in (data.find(b"PK\x03\x04") + 22, data.find(b"PK\x01\x02") + 24):
        data[at : at + 4] = struct.pack("<I", 100)
    path.write_bytes(bytes(data))
    return path


def workbook(rows: list[list[Any]], name: str = "finds.xlsx") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(folder / name)
        return folder / name

    return make


def gpkg_without_system(folder: Path) -> Path:
    path = folder / "hazards.gpkg"
    with pytest.warns(UserWarning, match="crs"):
        pyogrio.write_dataframe(frame(2, crs=None), path)
    return path


def gpkg_bad_blob(folder: Path) -> Path:
    import sqlite3

    path = io.write(frame(), folder / "hazards.gpkg")
    with closing(sqlite3.connect(path)) as base, base:
        for (trigger,) in base.execute("select name from sqlite_master where type='trigger'").fetchall():
            base.execute(f'drop trigger "{trigger}"')
        blob = base.execute("select geom from hazards where fid=2").fetchone()[0]
        base.execute("update hazards set geom=? where fid=2", (blob[:50],))
    return path


def parquet_plain(folder: Path) -> Path:
    path = folder / "hazards.parquet"
    pd.DataFrame({"id": ["a"], "note": ["no place"]}).to_parquet(path)
    return path


def gpx(body: str, name: str = "marks.gpx") -> Callable[[Path], Path]:
    return text(name, f'<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">{body}</gpx>')


def nmea(*bodies: str, damage: int | None = None) -> Callable[[Path], Path]:
    lines = []
    for number, body in enumerate(bodies):
        check = 0
        for byte in body.encode():
            check ^= byte
        lines.append(f"${body}*{(check ^ (number == damage)):02X}")
    return text("fixes.nmea", "\r\n".join(lines) + "\r\n")


GGA = "GPGGA,{clock},3930.000,N,04706.000,E,{quality},08,0.9,45.4,M,46.9,M,,"
RMC = "GPRMC,{clock},A,3930.000,N,04706.000,E,000.5,054.7,230525,003.1,W"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]>'
    "<kml><Placemark><name>&lol2;</name></Placemark></kml>"
)

CASES = [
    # --- GeoJSON -----------------------------------------------------------------------------------------------------
    Case("geojson cut off", text("hazards.geojson", json.dumps({"type": "FeatureCollection", "features": [feature(polygon())] * 3})[:-90]), refused="cut off|not JSON at line"),
    Case("geojson with a comma too many", text("hazards.geojson", '{"type":"FeatureCollection",\n"features":[\n{},]}'), refused="line 3"),
    Case("geojson of zero bytes", text("hazards.geojson", b""), refused="empty"),
    Case("geojson without features", text("hazards.geojson", '{"type":"FeatureCollection"}'), refused="no list of features"),
    Case("json that is something else", text("hazards.json", '{"name": "package", "version": 3}'), refused="no GeoJSON features"),
    Case("geojson in UTF-16 with a mark", text("hazards.geojson", json.dumps({"type": "FeatureCollection", "features": [feature(polygon(), id="ə")]}, ensure_ascii=False), "utf-16"), counts=(1, 1, 0, 0)),
    Case("geojson with a byte-order mark", text("hazards.geojson", b"\xef\xbb\xbf" + json.dumps({"type": "FeatureCollection", "features": [feature(polygon(), id="a")]}).encode()), counts=(1, 1, 0, 0)),
    Case("geojson in cp1251", text("hazards.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"Минное поле"},"geometry":null}]}', "cp1251"), refused="cp1251"),
    Case("null feature", geojson(feature(polygon(), id="a"), None), counts=(2, 1, 0, 1), says="it is null"),
    Case("feature that is a number", geojson(feature(polygon(), id="a"), 7), counts=(2, 1, 0, 1), says="not a feature"),
    Case("geometry under a wrong key", geojson({"type": "Feature", "properties": {"id": "a"}, "geom": polygon()}), counts=(1, 1, 0, 0), codes=("RD-06",), says="called 'geom'"),
    Case("no geometry key", geojson({"type": "Feature", "properties": {"id": "a"}}), counts=(1, 1, 0, 0), codes=("RD-03",), says="no member 'geometry'"),
    Case("lower-case type", geojson(feature({"type": "polygon", "coordinates": SQUARE}, id="a")), counts=(1, 1, 0, 0), codes=("RD-06",)),
    Case("unknown type", geojson(feature({"type": "Circle", "coordinates": [47, 39]}, id="a")), counts=(1, 1, 0, 0), codes=("RD-03",), says="'Circle' does not exist"),
    Case("empty coordinates", geojson(feature({"type": "Polygon", "coordinates": []}, id="a")), counts=(1, 1, 0, 0), codes=("RD-03",), says="empty"),
    Case("coordinates are null", geojson(feature(polygon([[[47, 39], [None, 39], [47.1, 39.1], [47, 39]]]), id="a")), counts=(1, 1, 0, 0), codes=("RD-03",)),
    Case("coordinates are words", geojson(feature(polygon([[["a", "b"], [47, 39], [47.1, 39.1]]]), id="a")), counts=(1, 1, 0, 0), codes=("RD-03",), says="not a number"),
    Case("coordinates are numbers in quotes", geojson(feature(polygon([[["47", "39"], ["47.1", "39"], ["47.1", "39.1"], ["47", "39"]]]), id="a")), counts=(1, 1, 0, 0), codes=("RD-06",)),
    Case("ring of two points", geojson(feature(polygon([[[47, 39], [47.1, 39]]]), id="a")), counts=(1, 1, 0, 0), codes=("RD-03",), says="fewer than three"),
    Case("ring not closed", geojson(feature(polygon([[[47, 39], [47.1, 39], [47.1, 39.1]]]), id="a")), counts=(1, 1, 0, 0), codes=("RD-06",), says="closed"),
    Case("positions of four values", geojson(feature(polygon([[[47, 39, 1, 5], [47.1, 39, 1, 5], [47.1, 39.1, 1, 5], [47, 39, 1, 5]]]), id="a")), counts=(1, 1, 0, 0), codes=("RD-06",)),
    Case("positions nested too shallow", geojson(feature({"type": "Polygon", "coordinates": [[47, 39], [47.1, 39], [47.1, 39.1]]}, id="a")), counts=(1, 1, 0, 0), codes=("RD-03",)),
    Case("nested collection", geojson(feature({"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection", "geometries": [polygon()]}, {"type": "Point", "coordinates": [47, 39]}]}, id="a")), counts=(1, 0, 1, 0), codes=("RD-01",)),
    Case("a point among areas", geojson(feature(polygon(), id="a"), feature({"type": "Point", "coordinates": [47, 39]}, id="b")), counts=(2, 2, 0, 0), codes=("RD-03",), says="needs an area"),
    Case("crossing boundary", geojson(feature(polygon(BOW), id="a")), counts=(1, 0, 1, 0), codes=("RD-01",), says="crosses itself"),
    Case("area without ground", geojson(feature(polygon([[[47, 39], [47.1, 39], [47, 39], [47, 39]]]), id="a")), counts=(1, 1, 0, 0), codes=("RD-03",), says="nothing is left"),
    Case("null island", geojson(feature(polygon([[[0, 0], [47.1, 39], [47.1, 39.1], [0, 0]]]), id="a")), counts=(1, 1, 0, 0), codes=("RD-03",), says="0, 0"),
    Case("longitude of 447", geojson(feature(polygon([[[447, 39], [47.1, 39], [47.1, 39.1], [447, 39]]]), id="a"), feature(polygon(), id="b")), counts=(2, 2, 0, 0), codes=("RD-03",)),
    Case("not a number and infinite", text("hazards.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a"},"geometry":{"type":"Polygon","coordinates":[[[NaN,39],[47,39],[47,40],[Infinity,39]]]}}]}'), counts=(1, 1, 0, 0), codes=("RD-03",)),
    Case("metres without a system", geojson(feature(polygon([[[7e5, 4.38e6], [7.1e5, 4.38e6], [7.1e5, 4.39e6], [7e5, 4.38e6]]]), id="a")), refused="cannot be in WGS 84", error=CRSError),
    Case("unknown system", geojson(feature(polygon(), id="a"), crs={"type": "name", "properties": {"name": "EPSG:99999999"}}), refused="not known", error=CRSError),
    Case("exact copy", geojson(feature(polygon(), id="a"), feature(polygon(), id="b"), feature(polygon(), id="a")), counts=(3, 2, 0, 1), says="exact copy of row 1"),
    Case("same id, other content", geojson(feature(polygon(), id="a", note="1"), feature(polygon(), id="a", note="2")), counts=(2, 2, 0, 0), codes=("RD-10",)),
    Case("a name twice in one object", text("hazards.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a","note":"1","note":"2"},"geometry":null}]}'), counts=(1, 1, 0, 0), codes=("RD-07",)),
    Case("half a character", text("hazards.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a","name":"\\ud800x"},"geometry":null}]}'), counts=(1, 1, 0, 0), codes=("RD-05",)),
    Case("UTF-8 read as cp1252 somewhere", geojson(feature(polygon(), id="a", name="FÃ¼zuli")), counts=(1, 1, 0, 0), codes=("RD-05",), says="read as cp1252"),
    Case("nested beyond reason", text("hazards.geojson", "[" * 100_000 + "]" * 100_000), refused="usable JSON"),
    Case("empty layer", geojson(), counts=(0, 0, 0, 0), says="the layer is empty"),
    Case("damaged line in a sequence", text("hazards.geojsonl", json.dumps(feature(polygon(), id="a")) + "\n{oops\n" + json.dumps(feature(None, id="b")) + "\n"), counts=(3, 2, 0, 1), says="the line is not JSON"),
    Case("sequence of no JSON", text("hazards.geojsonl", "hello\nworld\n"), refused="no line of it is JSON"),
    # --- GeoPackage, FlatGeobuf, Parquet -----------------------------------------------------------------------------
    Case("geopackage that is text", text("hazards.gpkg", "not a database"), refused="damaged"),
    Case("geopackage cut off", written("hazards.gpkg", cut(0.6)), refused="damaged"),
    Case("geopackage without a system", gpkg_without_system, refused="no reference system", error=CRSError),
    Case("geopackage with a damaged geometry", gpkg_bad_blob, counts=(3, 3, 0, 0), codes=("RD-03",)),
    Case("no such layer", written("hazards.gpkg"), refused="has no layer 'x'", options={"layer": "x"}),
    Case("flatgeobuf cut off", written("hazards.fgb", cut(0.7)), refused="damaged"),
    Case("parquet cut off", written("hazards.parquet", cut(0.9)), refused="damaged"),
    Case("parquet without places", parquet_plain, counts=(1, 1, 0, 0), codes=("RD-03",), says="no coordinates"),
    # --- shapefiles --------------------------------------------------------------------------------------------------
    Case("missing .shx", shapefile(drop(".shx")), counts=(3, 3, 0, 0), codes=("RD-07",), says=".shx"),
    Case("missing .dbf", shapefile(drop(".dbf")), counts=(3, 3, 0, 0), codes=("RD-07",), says=".dbf"),
    Case("missing .prj", shapefile(drop(".prj")), refused="no reference system", error=CRSError),
    Case("missing .cpg, Russian text", shapefile(drop(".cpg"), "cp1251", ("Минное поле", "Агдам", "Физули")), counts=(3, 3, 0, 0), codes=("RD-05",), says="cp1251"),
    Case("wrong .cpg, Turkish text", shapefile(lambda p: p.with_suffix(".cpg").write_text("UTF-8"), "cp1254", ("Şırnak", "Iğdır", "Hakkâri")), counts=(3, 3, 0, 0), codes=("RD-05",), says="cp1254"),
    Case("cut .dbf", shapefile(cut_side(".dbf", 0.7)), refused="dbf is cut off: . of 3 rows"),
    Case("cut .shp", shapefile(cut(0.6)), refused="cut off"),
    Case("cut .shp without .shx", shapefile(lambda p: (drop(".shx")(p), cut(0.6)(p))), refused="cut off"),
    Case(".dbf of another file", shapefile(lambda p: shutil.copy(pyogrio_dbf(p.parent), p.with_suffix(".dbf"))), refused="do not belong together"),
    # --- tables ------------------------------------------------------------------------------------------------------
    Case("quote never closed", text("finds.csv", 'id,lon,lat,note\n1,47.1,39.5,"x\n2,47.1,39.5,y\n'), "finds", refused="line 2 is never closed"),
    Case("no header", text("finds.csv", "1,47.1,39.5\n2,47.2,39.5\n"), "finds", refused="numbers, not the names"),
    Case("zero bytes inside", text("finds.csv", b"id,lon,lat\n1,\x00\x00,3\n"), "finds", refused="zero bytes"),
    Case("only blank lines", text("finds.csv", "\n\n  \n"), "finds", refused="nothing in it"),
    Case("ragged lines", text("finds.csv", "id,lon,lat\n1,47.1,39.5,extra\n2,47.1\n"), "finds", counts=(2, 2, 0, 0), codes=("RD-07", "RD-03")),
    Case("column twice", text("finds.csv", "id,lon,lat,note,note\n1,47.1,39.5,a,b\n"), "finds", counts=(1, 1, 0, 0), codes=("RD-07",)),
    Case("decimal commas", text("finds.csv", "id;lon;lat\n1;47,1;39,5\n"), "finds", counts=(1, 1, 0, 0)),
    Case("coordinates missing and odd", text("finds.csv", "id,lon,lat\n1,47.1,\n2,,\n3,abc,39\n4,0,0\n5,200,39\n"), "finds", counts=(5, 5, 0, 0), codes=("RD-03",)),
    Case("the same for fixes", text("fixes.csv", "id,lon,lat,time\n1,47.1,,\n2,,,\n3,abc,39,\n4,0,0,\n5,47,39,\n"), "fixes", counts=(5, 2, 0, 3), codes=("RD-02", "RD-03")),
    Case("metres without a system in a table", text("finds.csv", "id,x,y\n1,700000,4380000\n"), "finds", refused="no reference system", error=CRSError),
    Case("degrees said to be metres", text("finds.csv", "id,x,y\n1,47.1,39.5\n"), "finds", refused="look like degrees", error=CRSError, options={"crs": "EPSG:32638"}),
    Case("broken WKT", text("hazards.csv", "id,wkt\n1,POLYGON((47 39\n2,\"POLYGON((47 39,47.1 39,47.1 39.1,47 39))\"\n"), counts=(2, 2, 0, 0), codes=("RD-03",), says="WKT cannot be read", options={"crs": 4326}),
    Case("two systems in one table", text("hazards.csv", "id,wkt\n1,SRID=4326;POINT(1 1)\n2,SRID=32638;POINT(1 1)\n"), refused="different systems", error=CRSError),
    Case("table in cp1251", text("finds.csv", "id,lon,lat,note\n1,47.1,39.5,Минное поле у дороги\n", "cp1251"), "finds", counts=(1, 1, 0, 0), codes=("RD-05",), says="cp1251"),
    Case("workbook with a title above", workbook([["Finds of the week"], [], ["id", "lon", "lat"], ["a", 47.1, 39.5]]), "finds", counts=(1, 1, 0, 0), codes=("RD-07",)),
    Case("workbook that is text", text("finds.xlsx", "not a workbook"), "finds", refused="not an .xlsx"),
    Case("corner that cannot be read", text("hazards.csv", "hazard_id,point_no,lon,lat\nA,1,47.1,39.1\nA,2,47.2,oops\nA,3,47.2,39.2\n"), counts=(1, 1, 0, 0), codes=("RD-03",), says="the corner in row 3"),
    # --- XML ---------------------------------------------------------------------------------------------------------
    Case("billion laughs", text("hazards.kml", LAUGHS), refused="document type declaration"),
    Case("external entity", text("marks.gpx", '<?xml version="1.0"?><!DOCTYPE g [<!ENTITY x SYSTEM "file:///etc/passwd">]><gpx>&x;</gpx>'), "marks", refused="document type declaration"),
    Case("maxml with a DTD", text("report.maxml", '<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><FieldReport/>'), None, refused="document type declaration"),
    Case("kml cut off", text("hazards.kml", "<kml><Document><Placemark><name>a</name>"), refused="cut off at line 1"),
    Case("kml that is html", text("hazards.kml", "<html><body>Not found</body></html>"), refused="not KML"),
    Case("kml with a coordinate that is none", text("hazards.kml", "<kml><Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>47,39 47.1,x 47.1,39.1 47,39</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"), counts=(1, 1, 0, 0), codes=("RD-03",)),
    Case("kml ring of one point", text("hazards.kml", "<kml><Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>47,39</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"), counts=(1, 1, 0, 0), codes=("RD-03",)),
    Case("kml of links only", text("hazards.kml", "<kml><Document><NetworkLink/></Document></kml>"), counts=(0, 0, 0, 0), says="NetworkLink"),
    Case("gpx that is kml", text("marks.gpx", "<kml/>"), "marks", refused="not GPX"),
    Case("gpx point without lon", gpx('<wpt lat="39.5"><name>A</name></wpt><wpt lat="39.5" lon="47"><name>B</name></wpt>'), "marks", counts=(2, 2, 0, 0), codes=("RD-03",)),
    Case("gpx of two layers", gpx('<wpt lat="39.5" lon="47"/><rte><rtept lat="39.5" lon="47"/></rte>', "stuff.gpx"), None, refused="2 layers"),
    Case("gpx track of one point", gpx('<trk><name>T</name><trkseg><trkpt lat="39.5" lon="47"/></trkseg></trk>', "tracks.gpx"), "tracks", counts=(1, 1, 0, 0), codes=("RD-03", "RD-06")),
    Case("maxml without reports", text("report.maxml", "<a><b/></a>"), None, refused="no IMSMA field report"),
    # --- archives ----------------------------------------------------------------------------------------------------
    Case("zip cut off", written("hazards.zip", cut(0.5)), refused="not a zip archive"),
    Case("zip that names a path outside", zipped({"../../hazards.geojson": b"{}"}), refused="outside itself"),
    Case("zip with an absolute path", zipped({"/etc/hazards.geojson": b"{}"}), refused="outside itself"),
    Case("zip bomb", bomb, refused="would unpack to"),
    Case("zip that lies about sizes", lying, refused="announces|damaged"),
    Case("zip of nothing readable", zipped({"readme.md": b"hello"}), refused="nothing in the archive"),
    Case("kmz that is text", text("hazards.kmz", "hello"), refused="not a zip archive"),
    # --- NMEA --------------------------------------------------------------------------------------------------------
    Case("nmea with a wrong checksum", nmea(RMC.format(clock="100000"), GGA.format(clock="100000", quality=4), GGA.format(clock="100001", quality=4), damage=2), "fixes", counts=(2, 1, 0, 1), says="checksum"),
    Case("nmea cut in a sentence", nmea(RMC.format(clock="100000"), GGA.format(clock="100000", quality=4), "GPGGA,1000"), "fixes", counts=(2, 1, 0, 1), says="cut off"),
    Case("nmea without a date", nmea(GGA.format(clock="100000", quality=1)), "fixes", counts=(1, 1, 0, 0), says="no date"),
    Case("nmea without positions", nmea("GPGSV,1,1,00"), "fixes", refused="no NMEA position"),
    # --- any ---------------------------------------------------------------------------------------------------------
    Case("no such file", lambda folder: folder / "none.gpkg", refused="no such file"),
    Case("unknown ending", text("hazards.docx", "x"), refused="not a known file ending"),
    Case("a folder with a file's name", lambda folder: (folder / "hazards.geojson").mkdir() or folder / "hazards.geojson", refused="damaged|folder"),
]  # fmt: skip


def pyogrio_dbf(folder: Path) -> Path:
    path = folder / "other.shp"
    pyogrio.write_dataframe(frame(5), path)
    return path.with_suffix(".dbf")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_file_is_accounted_for_or_refused(case, holds, tmp_path):
    path = case.make(tmp_path)
    if case.refused is not None:
        with pytest.raises(case.error, match=case.refused) as caught:
            io.read_with_issues(path, case.kind, **case.options)
        assert caught.value.file
        assert "Traceback" not in str(caught.value)
        return
    found, issues = io.read_with_issues(path, case.kind, **case.options)
    said = holds(found, issues)
    assert tuple(said.values()) == case.counts
    assert set(case.codes) <= set(issues["check"]), issues[["check", "message"]].to_string()
    assert case.says in " ".join(issues["message"])


def test_there_are_enough_of_them():
    assert len({case.name for case in CASES}) == len(CASES) >= 40


def test_every_case_is_described():
    readme = (Path(__file__).parents[1] / "data" / "README.md").read_text("utf-8")
    assert [case.name for case in CASES if case.name not in readme] == []
