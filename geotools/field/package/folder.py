"""`package`: one folder and one ZIP for a team, whole or not at all.

For putting the rooms of this folder in order: choose, redact, then write every file from what is left. Not for the files themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypedDict, Unpack

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools import io
from geotools.field.package import archive, forms, geopackage, gpx, kml, qfield, readme
from geotools.field.package.cargo import Cargo, placed
from geotools.field.package.chosen import Source, choose
from geotools.field.package.looks import Looks
from geotools.field.package.manifest import NAME, is_package, manifest
from geotools.field.package.phrases import Phrases
from geotools.field.package.points import Points, points_of
from geotools.field.package.redact import redact as redacted
from geotools.io.atomic import replacing
from geotools.model.errors import SchemaError, WriteError, need
from geotools.model.provenance import now
from geotools.model.vocab import LANGUAGES

PARTS = ("map", "card", "forms", "qfield")
CARDS = 20


class Choices(TypedDict, total=False):
    """What goes along and how: ``task`` id, or ``area`` (hazard id, file, geometry); ``redact`` internal, partner or public;
    ``lang`` en, az, tr or ru (default: the programme's first); ``zip`` (default True); ``skip`` some of map, card, forms, qfield;
    ``overwrite`` an earlier package; ``day`` of the declination (default today)."""

    task: str | None
    area: Any
    redact: str
    lang: str | None
    zip: bool
    skip: tuple[str, ...]
    overwrite: bool
    day: date | None


@dataclass(frozen=True)
class Package:
    """A package that was written.

    Parameters
    ----------
    folder, archive
        Where it is; `archive` is None without a ZIP.
    manifest
        What is in it (see `manifest.json`).
    """

    folder: Path
    archive: Path | None
    manifest: Mapping[str, Any] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        told = {k: v for k, v in self.manifest.items() if k not in ("files", "base")}
        return {
            "folder": str(self.folder),
            "zip": None if self.archive is None else str(self.archive),
            **told,
            "files": list(self.manifest["files"]),
        }


def package(survey: Source, folder: str | Path, **choices: Unpack[Choices]) -> Package:
    """Write what a team takes along: maps, tables, forms and files for phones, in one folder and one ZIP beside it.

    Parameters
    ----------
    survey
        A `geotools.Survey` (``layers``, ``programme``, ``pictures``). Without ``pictures`` there is no map, card or style.
    folder
        Written whole or not at all; ``folder.zip`` after it, likewise.
    **choices
        See `Choices`.

    Returns
    -------
    Package
        GeoJSON per layer, GPX, KML and KMZ, GeoPackage with QGIS project, forms, offline map, cards, turning points,
        ``not_on_map.csv``, ``README.txt`` and ``manifest.json``. A public package holds no forms, turning points or project for
        editing, and no vertex of unreleased ground finer than its grid squares.

    Raises
    ------
    SchemaError
        If a choice is unknown, or there is no such task or area.
    WriteError
        If the folder exists and `overwrite` is false, holds other things, or cannot be written.
    MissingLibraryError
        If forms or workbooks are wanted without openpyxl (extra ``field``).

    Examples
    --------
    >>> import tempfile, shapely
    >>> from geotools.survey import Survey
    >>> hazards = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs=4326)
    >>> made = package(Survey("Sample (synthetic)", {"hazards": hazards}), Path(tempfile.mkdtemp(), "team"), skip=("map", "card"))
    >>> "gps/boundaries.gpx" in made.manifest["files"], made.archive.name
    (True, 'team.zip')
    """
    target, skip = Path(folder), set(choices.get("skip") or ())
    if skip - set(PARTS):
        raise SchemaError(
            f"there is no part '{sorted(skip - set(PARTS))[0]}' to skip", hint=f"parts are {', '.join(PARTS)}"
        )
    _refuse_foreign(target)
    cargo = redacted(
        choose(survey, task=choices.get("task"), area=choices.get("area")), choices.get("redact") or "internal"
    )
    phrases = Phrases(
        choices.get("lang") or next((v for v in cargo.programme.languages if v in LANGUAGES), LANGUAGES[0])
    )
    if not cargo.public and "forms" not in skip:
        need("openpyxl", "field")
    looks: Looks | None = getattr(survey, "pictures", None)
    points = None if cargo.public else points_of(cargo, choices.get("day") or now().date())
    overwrite = bool(choices.get("overwrite"))
    zipped = target.with_name(target.name + ".zip") if choices.get("zip", True) else None
    if zipped is not None and zipped.exists() and not overwrite:
        raise WriteError(
            "it exists already", hint="choose another name or add --overwrite (overwrite=True)", file=zipped
        )
    with replacing(target, overwrite=overwrite) as temporary:
        temporary.mkdir()
        told = _fill(temporary, cargo, points, phrases, (looks, skip))
        if zipped is not None:  # whole before the folder takes its place; each of the two is complete in itself
            with replacing(zipped, overwrite=overwrite) as book:
                archive.packed_folder(temporary, book, target.name)
    return Package(target, zipped, told)


def _refuse_foreign(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise WriteError("a file of that name is in the way", hint="choose another folder", file=folder)
    if folder.is_dir() and any(folder.iterdir()) and not is_package(folder):
        raise WriteError(
            "this folder holds other things, it is not replaced", hint="choose an empty or new folder", file=folder
        )


def _fill(
    folder: Path, cargo: Cargo, points: Points | None, phrases: Phrases, look: tuple[Looks | None, set[str]]
) -> dict[str, Any]:
    looks, skip = look
    _geojson(folder / "geojson", cargo)
    _phones(folder / "gps", cargo, points, phrases, looks)
    if points is not None and len(points.table):
        _tables(folder / "points", points, workbook="forms" not in skip)
    listed = geopackage.tables(cargo, points)
    if "qfield" not in skip and listed:
        _qfield(folder / "qfield", cargo, listed, phrases, looks)
    if not cargo.public and "forms" not in skip:
        _forms(folder / "odk", cargo, phrases)
    absent = _absent(cargo)
    if len(absent):
        io.write(absent, folder / "not_on_map.csv")
    cards = _pictures(folder, cargo, phrases, looks, skip)
    (folder / "README.txt").write_bytes(
        readme.text(folder, cargo, points, phrases, (len(absent), cards)).encode("utf-8")
    )
    told = manifest(folder, cargo, listed if "qfield" not in skip else [], phrases.lang)
    (folder / NAME).write_bytes((json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))
    return told


def _geojson(folder: Path, cargo: Cargo) -> None:
    folder.mkdir()
    for name, frame in {**cargo.results, **cargo.layers}.items():
        if placed(frame).any():
            io.write(frame[placed(frame)], folder / f"{name}.geojson")


def _phones(folder: Path, cargo: Cargo, points: Points | None, phrases: Phrases, looks: Looks | None) -> None:
    folder.mkdir()
    (folder / "boundaries.gpx").write_bytes(gpx.document(cargo, points, phrases))
    document, icons = kml.document(cargo, points, phrases, looks)
    (folder / "map.kml").write_bytes(document)
    members = [("doc.kml", document), *((f"icons/{name}", data) for name, data in icons.items())]
    (folder / "map.kmz").write_bytes(archive.packed(members))
    if icons:
        (folder / "icons").mkdir()
        for name, data in icons.items():
            (folder / "icons" / name).write_bytes(data)


def _tables(folder: Path, points: Points, *, workbook: bool) -> None:
    folder.mkdir()
    plain = gpd.GeoDataFrame(points.table, geometry=gpd.GeoSeries([None] * len(points.table), crs="EPSG:4326"))
    io.write(plain, folder / "turning_points.csv")
    if workbook:
        io.write(plain, folder / "turning_points.xlsx")
        book = folder / "turning_points.xlsx"
        book.write_bytes(archive.repacked(book.read_bytes()))


def _qfield(folder: Path, cargo: Cargo, listed: list[geopackage.Table], phrases: Phrases, looks: Looks | None) -> None:
    folder.mkdir()
    geopackage.write(listed, folder / qfield.DATA)
    (folder / "project.qgs").write_bytes(qfield.project(cargo, listed, phrases, looks))
    if looks is not None:
        (folder / "styles").mkdir()
        for table in listed:
            (folder / "styles" / f"{table.name}.qml").write_bytes(looks.qml(table.kind, table.shape, phrases.lang))


def _forms(folder: Path, cargo: Cargo, phrases: Phrases) -> None:
    folder.mkdir()
    task = (
        cargo.title
        if "task_id" in cargo.layer("activities") and cargo.title in set(cargo.layer("activities")["task_id"].dropna())
        else ""
    )
    for kind in forms.FORMS:
        (folder / f"{kind}.xlsx").write_bytes(forms.form(kind, lang=phrases.lang, task=task))
    (folder / forms.ENTITIES).write_bytes(forms.entities(cargo).encode("utf-8"))


def _absent(cargo: Cargo) -> gpd.GeoDataFrame:
    """Records without a position, by what is known of them."""
    told = ("id", "name", "classification", "status", "hazard_id", "category", "date_info", "date", "place")
    parts = []
    for kind, frame in cargo.layers.items():
        rows = frame[~placed(frame)]
        if len(rows) and kind != "activities":
            texts = {
                c: [None if pd.isna(v) else str(v.date() if isinstance(v, pd.Timestamp) else v) for v in rows[c]]
                for c in told
                if c in rows
            }
            parts.append(pd.DataFrame({"layer": kind, **texts}))
    table = pd.concat(parts, ignore_index=True).astype(object) if parts else pd.DataFrame({"layer": []})
    table = table.where(table.notna(), None)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(np.full(len(table), None, dtype=object), crs="EPSG:4326"))


def _pictures(folder: Path, cargo: Cargo, phrases: Phrases, looks: Looks | None, skip: set[str]) -> int:
    """The map and the cards; returns how many cards there are."""
    if looks is None:
        return 0
    if "map" not in skip and (cargo.layers or cargo.results):
        looks.map(cargo, folder / "map.html", phrases.lang)
    names = [name for name in sorted(cargo.figures()) if name in set(cargo.hazards["id"].astype(str))]
    if cargo.public:
        shown = cargo.hazards[placed(cargo.hazards)]
        names = sorted(shown["id"].astype(str))
    if "card" in skip or not 0 < len(names) <= CARDS:
        return 0
    if len(names) == 1:
        return int(looks.card(cargo, names[0], folder / "card.pdf", phrases.lang))
    (folder / "cards").mkdir()
    return sum(
        looks.card(cargo, name, folder / "cards" / f"{_file_name(name, n)}.pdf", phrases.lang)
        for n, name in enumerate(names, start=1)
    )


def _file_name(text: str, number: int) -> str:
    """A name that is safe as a file on every system."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in text)[:40].strip("_")
    return plain if plain == text else f"{number:02d}_{plain or 'hazard'}"
