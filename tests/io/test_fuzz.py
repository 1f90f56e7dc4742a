"""Random damage: bytes changed, cut out, put in or cut off. Only clean errors, never a hang, never an empty success."""

from __future__ import annotations

import random
import re
import time
import warnings
from pathlib import Path

import pytest

from geotools import io
from geotools.model.errors import GeotoolsError
from tests.damage import IN_PLACE, damaged, maxml, nmea, wounded

FORMATS = (
    "geojson",
    "geojsonl",
    "gpkg",
    "shp",
    "zip",
    "fgb",
    "parquet",
    "kml",
    "kmz",
    "gpx",
    "csv",
    "tsv",
    "xlsx",
    "nmea",
    "maxml",
)
CAP_S = 10.0
ROWS = 12


@pytest.fixture(scope="module")
def sound(make, tmp_path_factory) -> dict[str, tuple[Path, str]]:
    """One sound file of each format, with its kind."""
    folder = tmp_path_factory.mktemp("sound")
    hazards = make["hazards"]()
    many = hazards.iloc[[0, 2, 3] * 4].reset_index(drop=True).assign(id=[f"H-{i}" for i in range(ROWS)])
    out = {}
    for name in FORMATS:
        path = folder / f"hazards.{name}"
        kind = "hazards"
        if name == "nmea":
            path.write_text(nmea(ROWS), "utf-8")
            kind = "fixes"
        elif name == "maxml":
            path.write_text(maxml(ROWS), "utf-8")
        elif name == "gpx":
            io.write(many.set_geometry(many.geometry.representative_point()), path)
            kind = "finds"
        else:
            io.write(many, path)
        out[name] = (path, kind)
    return out


def wound(_suffix: str, data: bytes, rng: random.Random) -> bytes:
    """Every wound there is, also those that move nothing."""
    return damaged(data, rng, IN_PLACE)


def one_case(name: str, seed: int, sound, holds, folder: Path) -> str:
    """Read one damaged file; what came of it."""
    source, kind = sound[name]
    target = folder / f"hazards.{name}"
    if not wounded(source, target, random.Random(f"{name}-{seed}"), wound):
        return "unchanged"
    begin = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            frame, issues = io.read_with_issues(target, kind)
    except GeotoolsError as error:
        assert str(error).strip()
        assert not re.search(r"Traceback|object at 0x", str(error))
        outcome = "refused"
    else:
        said = holds(frame, issues)
        assert said["rows"] > 0 or _is_a_whole_header(target), "an empty success"
        outcome = "read"
    assert time.process_time() - begin < CAP_S
    return outcome


def _is_a_whole_header(path: Path) -> bool:
    """A table cut off exactly after its first line cannot be told from an empty one; it is read with a warning."""
    return path.suffix in (".csv", ".tsv") and len(path.read_bytes().splitlines()) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_damage_ends_in_rows_or_in_a_clean_error(name, sound, holds, tmp_path):
    outcomes = [one_case(name, seed, sound, holds, tmp_path) for seed in range(10)]
    assert "refused" in outcomes or "read" in outcomes


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_two_thousand_damaged_files(name, sound, holds, tmp_path):
    for seed in range(1000, 1000 + 2000 // len(FORMATS) + 1):
        one_case(name, seed, sound, holds, tmp_path)


def test_the_sound_files_are_read_whole(sound, holds):
    for path, kind in sound.values():
        assert holds(*io.read_with_issues(path, kind))["kept"] >= ROWS
