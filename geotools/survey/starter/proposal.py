"""The proposal for a folder: every layer looked at, held against the others, its reference system asked about.

For gathering; how it is written down is in `text`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from geotools import io
from geotools.model.errors import CRSError, GeotoolsError, ReadError
from geotools.model.progress import Progress, tracked
from geotools.model.schema import kind_of
from geotools.model.schema.names import whole_text
from geotools.model.vocab import fold
from geotools.space import crs as _crs
from geotools.survey import folder as _folder
from geotools.survey.extent import Bounds, extent_of
from geotools.survey.inventory import widened
from geotools.survey.sources import RASTERS, LayerSource, records_of
from geotools.survey.starter.layers import LEDGER, SAMPLE, Look, link, look, on_wgs84, same_records


@dataclass(frozen=True)
class System:
    """What is known of a layer's reference system.

    Parameters
    ----------
    state
        ``stated`` in the file, ``usual`` (degrees, as receivers give them), ``asked``: nobody knows, or ``none``: no coordinates.
    crs
        The system, where it is known.
    choices
        (code, title): systems in which the numbers would lie where they can, to be asked about.
    words
        What else there is to say: exchanged axes, points at 0, 0.
    """

    state: str
    crs: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """One ``[[layer]]``: written as it is, or with ``#`` before it and the reason in `out`."""

    look: Look
    system: System
    out: str = ""


@dataclass(frozen=True)
class Proposal:
    """What a starter survey.toml says.

    Parameters
    ----------
    layers
        In the order of the files.
    extent
        West, south, east, north in degrees with room around, of the layers whose system is known; None if there is none.
    rasters
        role → file.
    aside
        File → why it is not used, in words.
    """

    folder: Path
    layers: tuple[Layer, ...] = ()
    extent: Bounds | None = None
    rasters: Mapping[str, Path] = field(default_factory=dict)
    aside: Mapping[str, str] = field(default_factory=dict)

    @property
    def questions(self) -> tuple[str, ...]:
        """What a person must answer before the survey can be used as it stands, one sentence for each."""
        out = []
        for layer in self.layers:
            name = self.name(layer)
            if layer.out:
                continue
            if layer.system.state == "asked":
                out.append(f"{name}: in which reference system are its coordinates?")
            if not layer.look.kind:
                out.append(f"{name}: what does it hold?{_offered(layer.look)}")
                continue
            out += [f"{name}: column '{column}': {words}" for column, words in layer.look.open.items()]
        for vocabulary, words in self.strange_words.items():
            some = ", ".join(f"'{word}'" for word in list(words)[:4]) + (" …" if len(words) > 4 else "")
            out.append(f"what do these words stand for in {vocabulary}: {some}")
        return tuple(out)

    @property
    def strange_words(self) -> dict[str, dict[str, int]]:
        """Vocabulary → words in the files that it does not know, with their rows; of layers that are used, most rows first."""
        found: dict[str, Counter[str]] = {}
        typed: dict[tuple[str, str], str] = {}  # spellings that are read alike stand once, as they were met first
        for layer in self.layers:
            if not layer.out:
                for name, words in layer.look.strange_words.items():
                    for word, count in words.items():
                        found.setdefault(name, Counter())[typed.setdefault((name, fold(word)), word)] += count
        return {name: dict(words.most_common()) for name, words in sorted(found.items())}

    def name(self, layer: Layer) -> str:
        """A layer as people call it: its file, and the layer where there are several."""
        item = layer.look.item
        shown = whole_text(item.path.relative_to(self.folder).as_posix())
        return f"{shown}:{item.layer}" if item.layer and item.layer != item.path.stem else shown

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "layers": [
                {
                    "file": self.name(one), "kind": one.look.kind, "rows": one.look.rows, "crs": one.system.crs,
                    "crs_known": one.system.state != "asked", "crs_choices": [code for code, _ in one.system.choices],
                    "columns": {**one.look.columns, **{name: to for name, (to, _) in one.look.guesses.items()}},
                    "not_understood": [*one.look.open, *one.look.unknown], "left_out": one.out,
                }
                for one in self.layers
            ],
            "extent": list(self.extent) if self.extent else None,
            "rasters": {role: path.name for role, path in self.rasters.items()},
            "questions": list(self.questions),
            "aside": dict(self.aside),
        }  # fmt: skip


def _offered(seen: Look) -> str:
    """The kinds to choose from, in words."""
    if not seen.choices or seen.raw is None:
        return ""
    total = len(seen.raw.table.columns)
    return " Perhaps " + " or ".join(f"{kind} ({count} of {total} columns fit)" for kind, count in seen.choices)


def propose(folder: Path, *, kinds: Mapping[str, str] | None = None, progress: Progress | None = None) -> Proposal:
    """Look at every file of a folder, and of the folders in it.

    Parameters
    ----------
    kinds
        File (as the proposal names it) → record kind, where a person has answered already.

    Raises
    ------
    ReadError
        If it is no folder, holds nothing that could be records, or has no file of a name in `kinds`.
    """
    if not folder.is_dir():
        raise ReadError("it is no folder", hint="give the folder that holds your files", file=folder)
    listed = _folder.entries(folder)
    aside = {
        whole_text(e.path.relative_to(folder).as_posix()): e.words for e in listed if e.what in ("aside", "folder")
    }
    looks, outs, answers = [], {}, dict(kinds or {})
    files = [e for e in listed if e.what == "records"]
    twins = _twins([e.path for e in files])
    for entry in tracked(files, "looking at files", progress):
        twin = twins.get(entry.path)
        for item in _items(entry.path):
            item = _answered(item, folder, answers)
            one = Look(item) if twin else look(item)
            if twin:
                outs[id(one)] = f"the same bytes as {twin.relative_to(folder).as_posix()}: its rows would count twice"
            looks.append(one)
    if answers:
        raise ReadError(
            f"there is no file '{next(iter(answers))}' with records in it",
            hint="write it as the list names it, e.g. lists/2024.xlsx",
            file=folder,
        )
    link(looks)
    looks, outs = _sorted_out(looks, outs)
    if not looks and not aside:
        raise ReadError("there is nothing in it", hint="give the folder that holds your files", file=folder)
    known = [frame for one in looks if id(one) not in outs and (frame := on_wgs84(one)) is not None]
    box = extent_of(known).bounds
    around = widened(box) if box is not None else None
    layers = [Layer(one, system_of(one, around), outs.get(id(one), "")) for one in looks]
    tiffs = [e.path for e in listed if e.what == "raster"]
    rasters = {role: p for role, words in RASTERS.items() for p in tiffs if any(w in p.stem.lower() for w in words)}
    for path in tiffs:
        if path not in rasters.values():
            aside[path.relative_to(folder).as_posix()] = "a raster: dem, landcover or ortho? Name it under [rasters]"
    return Proposal(folder, tuple(layers), around, rasters, aside)


def _answered(item: LayerSource, folder: Path, answers: dict[str, str]) -> LayerSource:
    """The layer with the kind that a person said, which is then used up."""
    name = item.path.relative_to(folder).as_posix()
    found = next((key for key in (f"{name}:{item.layer}", name) if key in answers), None)
    return item if found is None else replace(item, kind=answers.pop(found))


def _twins(paths: list[Path]) -> dict[Path, Path]:
    """File → the one with the same bytes that stands for both: the one with the shortest name ("a.csv", not "a - Copy.csv")."""
    same: dict[str, list[Path]] = {}
    for path in paths:
        if (digest := _digest(path)) is not None:
            same.setdefault(digest, []).append(path)
    first = {id(group): min(group, key=lambda p: (len(p.name), len(p.parts), str(p))) for group in same.values()}
    return {path: first[id(group)] for group in same.values() for path in group if path != first[id(group)]}


def _digest(path: Path) -> str | None:
    """What the bytes of a file are known by; a shapefile is known by its .dbf as well. None where it cannot be read."""
    shape = path.suffix.lower() == ".shp"
    parts = [p for p in (path, path.with_suffix(".dbf"), path.with_suffix(".DBF")) if p.is_file()][: 2 if shape else 1]
    digest = hashlib.sha256(path.suffix.lower().encode())
    try:
        for part in parts:
            with part.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    except OSError:
        return None
    return digest.hexdigest() if path.is_file() and path.stat().st_size else None


def _items(path: Path) -> list[LayerSource]:
    """The layers of a file; one that cannot be listed stands for itself, and reading it will say why."""
    try:
        names = io.layers(path)
    except GeotoolsError:
        return [LayerSource(path)]
    records = records_of(path, names) or names
    if path.suffix.lower() == ".gpx":
        fixes = kind_of(path.stem) == "fixes"
        return [LayerSource(path, layer="fixes" if fixes and name == "tracks" else name) for name in names]
    if len(names) <= 1:
        return [LayerSource(path, layer=names[0] if names and path.suffix.lower() == ".gpkg" else None)]
    return [LayerSource(path, layer=name) for name in records]


def _sorted_out(looks: list[Look], outs: dict[int, str]) -> tuple[list[Look], dict[int, str]]:
    """Which layers are proposed but not used: unreadable ones, empty ones, and the same records a second time."""
    kept: list[Look] = []
    for one in looks:
        if id(one) in outs:
            continue
        if not str(one.item.path).isprintable() and any("\ud800" <= c <= "\udfff" for c in str(one.item.path)):
            outs[id(one)] = "its name cannot be written in a text: rename the file"
            continue
        if one.error is not None and not isinstance(
            one.error, CRSError
        ):  # a ledger file stays: without it figures change
            if one.kind not in LEDGER:
                outs[id(one)] = f"NOT UNDERSTOOD: {_said(one.error)}"
            continue
        twin = next((other for other in kept if same_records(one, other)), None)
        if twin is not None:
            outs[id(one)] = f"drawn row by row like {twin.item.label}: its rows would count twice"
        else:
            kept.append(one)
    return looks, outs


def _said(error: Exception) -> str:
    return error.message if isinstance(error, GeotoolsError) else str(error)


def system_of(one: Look, box: Bounds | None) -> System:
    """What is known of the reference system of a layer, held against the place of the others."""
    if one.raw is None:
        return System(
            "asked" if isinstance(one.error, CRSError) else "none", words=(_said(one.error),) if one.error else ()
        )
    if not one.placed:
        return System("none")
    points = _points(one)
    words = []
    zero = int((np.abs(points) < 1e-6).all(axis=1).sum())
    if zero:
        words.append(f"{zero} coordinates are 0, 0: an empty cell was read as zero")
    points = points[(np.abs(points) >= 1e-6).any(axis=1)]
    if one.raw.crs is not None and on_wgs84(one) is not None:
        return _stated(one.raw.crs, one.raw.implied, points, box, words)
    if one.raw.crs is not None:
        words.append(
            f"its numbers cannot be in {_crs.described(one.raw.crs)}, which {'is usual' if one.raw.implied else 'it says'}"
        )
    choices, more = _choices(points, box)
    return System("asked", choices=choices, words=(*words, *more))


def _points(one: Look) -> np.ndarray:
    assert one.raw is not None
    points = shapely.get_coordinates(one.raw.geometry)
    points = points[np.isfinite(points).all(axis=1)]
    step = max(1, len(points) // SAMPLE)
    return np.asarray(points[::step])


def _stated(crs: pyproj.CRS, implied: bool, points: np.ndarray, box: Bounds | None, words: list[str]) -> System:
    """A system that the file says, or that its degrees imply; a file that then lies apart from the others is spoken of."""
    if len(points) and box is not None:
        found = _crs.diagnose(points, crs=crs, extent=box)
        worst = next((item for item in found.findings if item.severity == "error"), None)
        if worst is not None:
            words.append(
                f"apart from the other files: {worst.message}{' ' + worst.option if worst.option else ''}".strip()
            )
    state = "usual" if implied else "stated"
    return System(state, _crs.described(crs), words=tuple(words))


def _choices(points: np.ndarray, box: Bounds | None) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Systems that would put the points where they can lie; readings that need more than a system are told in words."""
    if not len(points):
        return (), ()
    found = _crs.diagnose(points, extent=box)
    options: dict[str, str] = {item.option: item.message for item in found.findings if item.option}
    for option in found.choices:
        options.setdefault(option, "")
    choices, words = [], []
    for option, message in options.items():
        parts = option.split()
        title = message.removeprefix("the file does not say its reference system: ").split(". ")[0].rstrip(".")
        if len(parts) == 2 and parts[0] == "--crs":
            choices.append((parts[1], title or _title(parts[1])))
        elif "--swap-xy" in parts or "--degrees-minutes" in parts:
            words.append(
                f"or, with `geotools datum FILE {option} -o NEW`: {title or 'another order or notation of the numbers'}"
            )
    return tuple(choices), tuple(words[:2])


def _title(code: str) -> str:
    try:
        return str(_crs.parse(code).name)
    except ValueError:
        return ""
