"""Every command that writes, with words that work on the synthetic district, and how its output is known to be whole.

For the tests of faults; a test compares this table with the command line itself, so that no command is forgotten.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click
import pyogrio
import rasterio

from geotools.cli.main import cli

# What an output is called in the words: everything is written below one folder, which is the disk that fails.
OUT = "OUT/"


@dataclass(frozen=True)
class Writer:
    """One call that writes. `target` is the output; `in_place`: it changes the store that is there already."""

    words: str
    target: str
    in_place: bool = False
    overwrites: bool = True
    name: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """The command without its arguments."""
        words = self.words.split()
        return tuple(words[:2]) if words[0] in GROUPS else (words[0],)

    @property
    def label(self) -> str:
        return self.name or f"{' '.join(self.path)} {Path(self.target).suffix or 'folder'}"

    def arguments(self, district: Path, out: Path) -> list[str]:
        places = {"SURVEY": district / "survey", "MORE": district / "more", "OUT": out}
        return [self._placed(word, places) for word in self.words.split()]

    @staticmethod
    def _placed(word: str, places: dict[str, Path]) -> str:
        for name, place in places.items():
            if word == name or word.startswith(name + "/"):
                return str(place) + word[len(name) :]
            word = word.replace(f"={name}/", f"={place}/")
        return word


GROUPS = ("traverse", "trial", "risk", "plan", "store", "field")
WRITERS: tuple[Writer, ...] = (
    Writer("run SURVEY -o OUT/run --skip map", "run"),
    Writer("run SURVEY -o OUT/run2 --skip check --skip swath --skip field", "run2", name="run with map"),
    *(
        Writer(f"convert SURVEY/releases.geojson OUT/c.{ending}", f"c.{ending}")
        for ending in ("gpkg", "geojson", "geojsonl", "shp", "shp.zip", "fgb", "parquet", "kml", "kmz", "csv", "tsv", "xlsx")
    ),
    Writer("convert SURVEY/finds.csv OUT/c.gpx --crs EPSG:4326", "c.gpx"),
    *(Writer(f"check SURVEY -o OUT/i.{ending}", f"i.{ending}") for ending in ("csv", "json", "html", "gpkg", "geojson")),
    Writer("check SURVEY --repair OUT/repaired.gpkg", "repaired.gpkg", name="check --repair"),
    Writer("traverse solve MORE/legs.csv -o OUT/s.geojson --fixes MORE/marks.csv --points OUT/s-points.csv", "s.geojson"),
    Writer("traverse inverse SURVEY/hazards.gpkg --id H-1 --date 2026-11-20 -o OUT/w.csv", "w.csv"),
    Writer("traverse template OUT/t.csv", "t.csv"),
    Writer("traverse template OUT/t.xlsx", "t.xlsx"),
    Writer("datum SURVEY/releases.geojson -o OUT/d.gpkg --dst-crs EPSG:32638", "d.gpkg"),
    *(Writer(f"coverage SURVEY -o OUT/v.{ending}", f"v.{ending}") for ending in ("csv", "json", "gpkg")),
    Writer("coverage SURVEY --explain H-1 -o OUT/story.html", "story.html", name="coverage --explain"),
    Writer("progress SURVEY --period year -o OUT/p.csv --charts OUT/charts", "p.csv"),
    Writer("swath SURVEY --task TASK-1 -o OUT/swath", "swath"),
    Writer("terrain SURVEY/dem.tif -o OUT/terrain", "terrain"),
    Writer("trial design MORE/lanes.geojson --type A --depth 5 --halo 0.1 --head 0.1 --pod 0.6 -o OUT/trial", "trial", overwrites=False),
    Writer("trial freeze MORE/signals.csv --seal MORE/seal.json -o OUT/frozen.json", "frozen.json"),
    Writer("trial score MORE/targets.csv MORE/signals.csv --halo 0.2 --lanes MORE/lanes.geojson -o OUT/score.csv", "score.csv"),
    Writer("trial report MORE/targets.csv MORE/signals.csv --halo 0.2 -o OUT/trial.html", "trial.html"),
    Writer("trial report MORE/targets.csv MORE/signals.csv --halo 0.2 -o OUT/trial.pdf", "trial.pdf"),
    Writer("risk pattern SURVEY/finds.csv --crs EPSG:4326 -o OUT/rows.gpkg", "rows.gpkg"),
    Writer("risk residual SURVEY --task TASK-1 --lanes 55/59 --sigma 0.02 -o OUT/left.tif", "left.tif"),
    Writer("risk surface SURVEY --res 20 --block 40 --folds 2 -o OUT/surface.tif --report OUT/surface.json --scores OUT/scores.tif", "surface.tif"),
    Writer("plan lanes SURVEY --task TASK-1 --machine mematt --overlap 0.2 --speed 1 -o OUT/lanes", "lanes"),
    Writer("plan priority SURVEY --draws 10 -o OUT/priority", "priority"),
    Writer("plan sample SURVEY --lot R-1 --block 10 -o OUT/sample.gpkg", "sample.gpkg"),
    Writer("plan suitability SURVEY --machine mematt --machines MORE/machines.toml -o OUT/suitability", "suitability"),
    Writer("plan teams SURVEY --teams MORE/teams.toml --draws 10 -o OUT/teams", "teams"),
    Writer("map SURVEY -o OUT/map.html", "map.html"),
    Writer("map --compare MORE/base.gpkg MORE/theirs.gpkg -o OUT/changes.html", "changes.html", name="map --compare"),
    Writer("sheet SURVEY --task H-1 -o OUT/sheet.pdf", "sheet.pdf"),
    Writer("report SURVEY --task H-1 -o OUT/report.pdf", "report.pdf"),
    Writer("notebook SURVEY -o OUT/n.ipynb --no-open", "n.ipynb"),
    Writer("store init OUT/new.gpkg --author a", "new.gpkg", overwrites=False),
    Writer("store save OUT/store.gpkg SURVEY/releases.geojson --note n --author a", "store.gpkg", in_place=True),
    Writer("store restore OUT/store.gpkg 1 --note n --author a", "store.gpkg", in_place=True),
    Writer("store load MORE/store.gpkg hazards -o OUT/l.geojson", "l.geojson"),
    Writer("store load MORE/store.gpkg -o OUT/all.gpkg", "all.gpkg"),
    Writer("store diff MORE/store.gpkg 1 2 -o OUT/diff.csv", "diff.csv"),
    Writer("field merge MORE/base.gpkg MORE/ours.gpkg MORE/theirs.gpkg -o OUT/merged.gpkg", "merged.gpkg"),
    Writer("field package SURVEY --area H-1 -o OUT/team", "team"),
)  # fmt: skip


BIG = bool(os.environ.get("GEOTOOLS_BIG"))


def turn(n: int, every: int = 5) -> tuple[Writer, ...]:
    """The writers whose turn it is for the n-th of five faults, so that each meets one of them; all for all under GEOTOOLS_BIG."""
    return WRITERS if BIG else WRITERS[n::every]


def commands(
    command: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command of the command line with its path."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from commands(inner, (*path, name))
    else:
        yield path, command


# ------------------------------------------------------------------------------------------------ what is whole


def whole(path: Path) -> bool:
    """Whether a file, or each file of a folder, can be read to its end."""
    if path.is_dir():
        files = [p for p in path.rglob("*") if p.is_file()]
        return bool(files) and all(whole(p) for p in files)
    judge = JUDGES.get(path.suffix.lower())
    try:
        return True if judge is None else bool(judge(path))
    except Exception:
        return False


def _ends(*words: bytes) -> Callable[[Path], bool]:
    return lambda path: path.read_bytes().rstrip().endswith(words)


def _gpkg(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as file:
        sound = file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return sound and all(pyogrio.read_info(path, layer=name)["features"] >= 0 for name, _ in pyogrio.list_layers(path))


def _tif(path: Path) -> bool:
    with rasterio.open(path) as source:
        source.read()
    return True


def _table(path: Path) -> bool:
    return path.read_bytes().endswith(b"\n")


def _xml(path: Path) -> bool:
    from xml.etree import ElementTree as ET

    ET.fromstring(path.read_bytes())
    return True


JUDGES: dict[str, Callable[[Path], bool]] = {
    ".gpkg": _gpkg, ".tif": _tif, ".csv": _table, ".tsv": _table, ".pdf": _ends(b"%%EOF"), ".html": _ends(b"</html>"), ".svg": _xml, ".gpx": _xml,
    ".kml": _xml, ".qgs": _xml, ".json": lambda p: json.loads(p.read_text("utf-8")) is not None, ".geojson": lambda p: "features" in json.loads(p.read_text("utf-8")),
    ".geojsonl": lambda p: all(map(json.loads, p.read_text("utf-8").replace("\x1e", "").splitlines())), ".ipynb": lambda p: "cells" in json.loads(p.read_text("utf-8")),
    ".zip": lambda p: zipfile.ZipFile(p).testzip() is None, ".kmz": lambda p: zipfile.ZipFile(p).testzip() is None,
    ".xlsx": lambda p: zipfile.ZipFile(p).testzip() is None, ".parquet": lambda p: p.read_bytes()[-4:] == b"PAR1",
    ".fgb": lambda p: pyogrio.read_info(p)["features"] > 0, ".shp": lambda p: len(pyogrio.read_dataframe(p)) > 0, ".png": _ends(b"\xaeB`\x82"),
}  # fmt: skip


def tree(path: Path) -> dict[str, str]:
    """Hash of each visible file of a folder."""
    files = [
        p
        for p in sorted(path.rglob("*"))
        if p.is_file() and not any(part.startswith(".") for part in p.relative_to(path).parts)
    ]
    return {p.relative_to(path).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def hidden(path: Path) -> list[str]:
    """Temporary things a call left behind."""
    return [p.name for p in path.rglob(".geotools*")]


def emptied(path: Path) -> Path:
    """The folder, new and empty."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


# ------------------------------------------------------------------------------------------------ what is read

# Calls that together read a file through every option that takes one; the files are those that a mutation hits.
READS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("info SURVEY", ("survey/survey.toml", "survey/hazards.gpkg", "survey/releases.geojson", "survey/finds.csv", "survey/landuse.fgb")),
    ("coverage SURVEY --json", ("survey/survey.toml", "survey/hazards.gpkg", "survey/releases.geojson")),
    ("check SURVEY --since MORE/since.csv", ("more/since.csv", "survey/survey.toml", "survey/activities.csv", "survey/inspections.csv", "survey/releases.geojson")),
    ("progress SURVEY --period month", ("survey/releases.geojson", "survey/finds.csv", "survey/activities.csv")),
    ("traverse solve MORE/legs.csv -o OUT/s.geojson --fixes MORE/marks.csv", ("more/legs.csv", "more/marks.csv")),
    ("traverse inverse SURVEY/hazards.gpkg --id H-1 --date 2026-11-20", ("survey/hazards.gpkg",)),
    ("datum SURVEY/releases.geojson --explain --reference SURVEY/hazards.gpkg --programme SURVEY/survey.toml", ("survey/releases.geojson", "survey/hazards.gpkg", "survey/survey.toml")),
    ("swath SURVEY --task TASK-1 -o OUT/swath", ("survey/fixes.csv", "survey/tasks.geojson")),
    ("swath SURVEY/fixes.csv --crs EPSG:4326 --task MORE/zones.geojson --width 1.7 -o OUT/swath", ("survey/fixes.csv", "more/zones.geojson")),
    ("terrain SURVEY/dem.tif -o OUT/t", ("survey/dem.tif",)),
    ("trial design MORE/lanes.geojson --type A --depth 5 --halo 0.1 --head 0.1 --pod 0.6 -o OUT/t", ("more/lanes.geojson",)),
    ("trial freeze MORE/signals.csv --seal MORE/seal.json -o OUT/f.json", ("more/signals.csv", "more/seal.json")),
    ("trial score MORE/targets.csv MORE/signals.csv --halo 0.2 --lanes MORE/lanes.geojson --runs MORE/runs.csv --json", ("more/targets.csv", "more/signals.csv", "more/lanes.geojson", "more/runs.csv")),
    ("trial report MORE/targets.csv MORE/signals.csv --halo 0.2 --lanes MORE/lanes.geojson --runs MORE/runs.csv -o OUT/t.html", ("more/lanes.geojson", "more/runs.csv")),
    ("trial report MORE/targets.csv MORE/signals.csv --halo 0.2 --seal MORE/seal.json --frozen MORE/frozen.json --salt MORE/salt.txt -o OUT/t.html", ("more/seal.json", "more/frozen.json", "more/salt.txt")),
    ("trial score MORE/targets.csv MORE/signals.csv --halo 0.2 --seal MORE/seal.json --frozen MORE/frozen.json --salt MORE/salt.txt", ("more/seal.json", "more/frozen.json", "more/salt.txt")),
    ("risk pattern SURVEY/finds.csv --crs EPSG:4326 --area MORE/area.geojson --record MORE/record.csv", ("survey/finds.csv", "more/area.geojson", "more/record.csv")),
    ("risk pattern SURVEY/finds.csv --crs EPSG:4326 --searched MORE/searched.geojson --fadeout 10 --authority x", ("survey/finds.csv", "more/searched.geojson")),
    ("risk residual MORE/area.geojson --searched MORE/searched.geojson --lanes 55/59 --evidence SURVEY/accidents.geojson 2 20", ("more/area.geojson", "more/searched.geojson", "survey/accidents.geojson")),
    ("risk surface SURVEY --res 20 --block 40 --folds 2 --model logistic", ("survey/finds.csv", "survey/accidents.geojson", "survey/places.csv")),
    ("plan lanes SURVEY --task H-1 --machine mematt --overlap 0.2 --speed 1 --machines MORE/machines.toml --exclude MORE/zones.geojson --start MORE/searched.geojson -o OUT/l", ("survey/hazards.gpkg", "more/machines.toml", "more/zones.geojson", "more/searched.geojson")),
    ("plan lanes SURVEY --task H-1 --slope-along 20 --worked MORE/searched.geojson -o OUT/l", ("survey/dem.tif", "more/searched.geojson")),
    ("plan priority SURVEY --draws 10 --criteria MORE/criteria.toml --table MORE/costs.csv -o OUT/p", ("more/criteria.toml", "more/costs.csv", "survey/places.csv", "survey/landuse.fgb")),
    ("plan sample SURVEY --lot R-1 --block 10 --results SURVEY/inspections.csv --crs EPSG:4326 -o OUT/s.gpkg", ("survey/inspections.csv", "survey/releases.geojson")),
    ("plan suitability SURVEY --machine mematt --machines MORE/machines.toml --dem SURVEY/dem.tif --cover SURVEY/landcover.tif --layer-file obstacles=MORE/zones.geojson -o OUT/s", ("more/machines.toml", "survey/dem.tif", "survey/landcover.tif", "more/zones.geojson")),
    ("plan teams SURVEY --teams MORE/teams.toml --draws 10 --priority MORE/priority.csv --workable MORE/workable.csv -o OUT/t", ("more/teams.toml", "more/priority.csv", "more/workable.csv")),
    ("map SURVEY -o OUT/m.html --theme MORE/theme.toml --basemap MORE/tiles.mbtiles", ("more/theme.toml", "more/tiles.mbtiles", "survey/landcover.tif", "survey/finds.csv")),
    ("map --compare MORE/base.gpkg MORE/theirs.gpkg -o OUT/m.html", ("more/base.gpkg", "more/theirs.gpkg")),
    ("sheet SURVEY --task H-1 -o OUT/s.pdf --theme MORE/theme.toml", ("more/theme.toml", "survey/dem.tif", "survey/hazards.gpkg")),
    ("report SURVEY --task H-1 -o OUT/r.pdf --photo MORE/photo.jpg", ("more/photo.jpg", "survey/releases.geojson", "survey/inspections.csv")),
    ("store save OUT/store.gpkg SURVEY --note n --author a", ("survey/releases.geojson", "survey/survey.toml")),
    ("store load MORE/store.gpkg hazards -o OUT/l.geojson", ("more/store.gpkg",)),
    ("store diff MORE/store.gpkg 1 2", ("more/store.gpkg",)),
    ("store history MORE/store.gpkg H-1", ("more/store.gpkg",)),
    ("store verify MORE/store.gpkg", ("more/store.gpkg",)),
    ("store restore MORE/store.gpkg 1 --note n --author a", ("more/store.gpkg",)),
    ("field merge MORE/base.gpkg MORE/ours.gpkg MORE/theirs.gpkg -o OUT/m.gpkg --decisions MORE/decisions.csv", ("more/base.gpkg", "more/theirs.gpkg", "more/decisions.csv")),
    ("field package SURVEY --area MORE/area.geojson -o OUT/t --skip card --skip map", ("more/area.geojson", "survey/hazards.gpkg")),
)  # fmt: skip
