"""Writers of the sample files: the same input gives the same bytes as far as a format allows.

For plain files only. Text formats are written by hand with LF line ends; binary ones by GDAL with a fixed date.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import geopandas as gpd
import pyogrio
import shapely

from synthetic.plane import NOTE, WGS84

FIXED = "2026-06-30T00:00:00.000Z"
ZIP_DATE = (2026, 6, 30, 0, 0, 0)


def text(path: Path, content: str) -> None:
    """UTF-8 text with LF line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8"))


def table(path: Path, rows: list[dict], delimiter: str = ",", encoding: str = "utf-8") -> None:
    """A CSV of dictionaries; columns in the order of the first row."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(stream.getvalue().encode(encoding))


def geojson(path: Path, rows: list[dict]) -> None:
    """A GeoJSON of rows whose `geometry` is in WGS 84 (or None), one feature per line."""
    lines = []
    for row in rows:
        properties = {k: v for k, v in row.items() if k != "geometry"}
        shape = None if row["geometry"] is None else json.loads(shapely.to_geojson(row["geometry"]))
        lines.append(json.dumps({"type": "Feature", "properties": properties, "geometry": shape}, ensure_ascii=False))
    head = json.dumps({"description": f"{NOTE}: invented records"})[1:-1]
    text(path, '{"type": "FeatureCollection", ' + head + ', "features": [\n' + ",\n".join(lines) + "\n]}\n")


def kml(path: Path, rows: list[dict], name: str) -> None:
    """A KML with ExtendedData; a row without geometry is a placemark without one."""
    out = ['<?xml version="1.0" encoding="UTF-8"?>', '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>']
    out.append(
        f"<name>{escape(name)}</name><description>{NOTE}: invented records</description><Folder><name>{escape(name)}</name>"
    )
    for row in rows:
        data = "".join(
            f'<Data name="{escape(k)}"><value>{escape(str(v))}</value></Data>'
            for k, v in row.items()
            if k != "geometry" and v not in (None, "")
        )
        shape = "" if row["geometry"] is None else _kml_shape(row["geometry"])
        out.append(f"<Placemark><ExtendedData>{data}</ExtendedData>{shape}</Placemark>")
    out.append("</Folder></Document></kml>")
    text(path, "\n".join(out) + "\n")


def _kml_shape(geometry) -> str:
    def ring(coordinates) -> str:
        return (
            "<LinearRing><coordinates>"
            + " ".join(f"{x:.7f},{y:.7f}" for x, y in coordinates)
            + "</coordinates></LinearRing>"
        )

    parts = []
    for part in shapely.get_parts(geometry):
        holes = "".join(f"<innerBoundaryIs>{ring(h.coords)}</innerBoundaryIs>" for h in part.interiors)
        parts.append(f"<Polygon><outerBoundaryIs>{ring(part.exterior.coords)}</outerBoundaryIs>{holes}</Polygon>")
    return parts[0] if len(parts) == 1 else "<MultiGeometry>" + "".join(parts) + "</MultiGeometry>"


def frame(rows: list[dict], crs: str = WGS84) -> gpd.GeoDataFrame:
    """Rows as a frame."""
    return gpd.GeoDataFrame(
        [{k: v for k, v in r.items() if k != "geometry"} for r in rows], geometry=[r["geometry"] for r in rows], crs=crs
    )


def gdal(path: Path, data: gpd.GeoDataFrame, driver: str, **options) -> None:
    """A file by GDAL with a fixed date inside."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED})
    try:
        pyogrio.write_dataframe(data, path, driver=driver, **options)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def shapefile_zip(path: Path, data: gpd.GeoDataFrame, encoding: str) -> None:
    """A zipped shapefile as such files arrive: another code page and nothing that says which."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / f"{path.stem}.shp"
        pyogrio.write_dataframe(
            data, base, driver="ESRI Shapefile", encoding=encoding, layer_options={"DBF_DATE_LAST_UPDATE": FIXED[:10]}
        )
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for suffix in (".shp", ".shx", ".dbf", ".prj"):
                content = bytearray(base.with_suffix(suffix).read_bytes())
                if suffix == ".dbf":
                    content[29] = 0  # language driver: not stated
                archive.writestr(zipfile.ZipInfo(base.stem + suffix, ZIP_DATE), bytes(content), zipfile.ZIP_DEFLATED)
