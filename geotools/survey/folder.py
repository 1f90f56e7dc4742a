"""What lies in a folder: files of records, rasters, and what geotools cannot use, each with a plain word about it.

By names only: nothing is opened here (see `inventory` and `starter`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from geotools import io
from geotools.model.errors import ReadError
from geotools.survey.sources import TABLE_NAMES, is_at_rest

ENTRIES_MAX = 5000
DEPTH_MAX = 6
RASTER_ENDINGS = (".tif", ".tiff")
_SIDE = (".dbf", ".shx", ".prj", ".cpg", ".qpj", ".sbn", ".sbx", ".qix", ".fbn", ".fbx", ".ain", ".aih", ".atx", ".xml")
_BESIDE_MAPINFO = {".dat": ".tab", ".map": ".tab", ".id": ".tab", ".ind": ".tab", ".mid": ".mif"}
_BESIDE_RASTERS = (".tfw", ".ovr", ".aux", ".xml")
_WORDS = {
    ".xls": "an old Excel workbook: save it as .xlsx",
    ".ods": "a LibreOffice sheet: save it as .xlsx or .csv",
    ".doc .docx .odt .rtf": "a text document: coordinates in it must go into a table",
    ".pdf": "a PDF: ask for the data it was made from",
    ".jpg .jpeg .png .gif .bmp .heic .webp": "a picture",
    ".mp3 .mp4 .mov .avi .m4a": "a recording",
    ".dwg .dxf": "a drawing: in QGIS, save its layers as GeoPackage with their reference system",
    ".mdb .accdb": "an Access database: export its tables as .csv",
    ".mid .map .ind .id .dat": "part of a MapInfo table, but its .tab or .mif is not here: copy all its parts",
    ".rar .7z .tar .gz .tgz": "a packed archive: unpack it here",
    ".qgs .qgz .mxd .aprx .lyr .lyrx .qml .sld": "a map project or style, no records",
    ".sqlite .db": "a database: in QGIS, save its layers as GeoPackage",
    ".ecw .jp2 .img .asc .sid": "a raster: save it as GeoTIFF",
    ".txt": "a text: if it is a table, save it as .csv",
    ".log": "a log: if it holds NMEA sentences, name it .nmea",
    ".md .ini .toml .yaml .yml .py .ipynb .html .htm .css .js": "no records",
    ".gpx~ .bak .tmp .old .lock": "a backup or temporary file",
}
WORDS = {ending: words for endings, words in _WORDS.items() for ending in endings.split()}


@dataclass(frozen=True)
class Entry:
    """One file: ``records``, ``raster``, ``aside`` (not used, `words` say why) or ``folder`` (not looked into)."""

    path: Path
    what: str
    words: str = ""


def entries(folder: Path, *, deep: bool = True) -> list[Entry]:
    """The files of a folder and, if `deep`, of the folders in it; hidden ones and side files of shapefiles are left out.

    Raises
    ------
    ReadError
        If there are so many files that it cannot be a folder of records.
    """
    out: list[Entry] = []
    _walk(folder, folder, 0, deep, out)
    return out


def _walk(root: Path, folder: Path, depth: int, deep: bool, out: list[Entry]) -> None:
    try:
        paths = sorted(p for p in folder.iterdir() if not p.name.startswith((".", "~$")))
    except OSError:
        out.append(Entry(folder, "folder", "it may not be opened"))
        return
    names = {p.name.lower() for p in paths}
    for path in paths:
        if len(out) > ENTRIES_MAX:
            raise ReadError(
                f"there are more than {ENTRIES_MAX} files in it",
                hint="give the folder that holds the records",
                file=root,
            )
        if path.is_dir() and path.suffix.lower() != ".gdb":
            why = _not_entered(path, depth, deep)
            if why is None:
                _walk(root, path, depth + 1, deep, out)
            else:
                out.append(Entry(path, "folder", why))
        else:
            try:
                entry = _entry(path, names)
            except OSError:  # a link in a circle
                entry = Entry(path, "aside", "it cannot be opened")
            out += [entry] if entry is not None else []


def _not_entered(path: Path, depth: int, deep: bool) -> str | None:
    if path.is_symlink():
        return "a link to another folder: not followed"
    if (path / "provenance.json").is_file():
        return "results of geotools: not read as records"
    if not deep:
        count = sum(len(files) for _, _, files in os.walk(path)) if depth == 0 else 0
        return f"a folder with {count} files: read only if a survey.toml names them"
    return "too deep: give its files a place further up" if depth >= DEPTH_MAX else None


def _entry(path: Path, names: set[str]) -> Entry | None:
    suffix = path.suffix.lower()
    if path.name in TABLE_NAMES:
        return None
    if not path.exists():
        return Entry(path, "aside", "a link to a file that is not there")
    if not is_at_rest(path):
        return Entry(path, "aside", "a pipe or device, not a file")
    if suffix in RASTER_ENDINGS:
        return Entry(path, "raster")
    if io.is_survey_file(path) and not _is_side_xml(path, names):
        return Entry(path, "records")
    if suffix in _SIDE and suffix != ".xml":
        if _main(path) in names:
            return None
        return Entry(path, "aside", f"part of a shapefile, but {_main(path)} is not here: copy all its parts")
    if path.name.lower().removesuffix(suffix) + _BESIDE_MAPINFO.get(suffix, "/") in names:
        return None
    if suffix in _BESIDE_RASTERS or _is_side_xml(path, names):
        return None
    return Entry(path, "aside", WORDS.get(suffix, "not a file of records that is known"))


def _main(path: Path) -> str:
    return path.name.lower().removesuffix(path.suffix.lower()) + ".shp"


def _is_side_xml(path: Path, names: set[str]) -> bool:
    """Whether an .xml is the description of a file beside it (hazards.shp.xml, dem.tif.aux.xml)."""
    name = path.name.lower()
    stem = name.removesuffix(".xml").removesuffix(".aux")
    return name.endswith(".xml") and stem in names
