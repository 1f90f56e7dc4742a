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


def nmea_line(body: str) -> str:
    check = 0
    for byte in body.encode():
        check ^= byte
    return f"${body}*{check:02X}\r\n"


def nmea() -> str:
    lines = [nmea_line("GPRMC,100000,A,3930.000,N,04706.000,E,000.5,054.7,230525,003.1,W")]
    lines += [nmea_line(f"GPGGA,1000{i:02d},3930.{i:03d},N,04706.000,E,4,08,0.9,45.4,M,46.9,M,,") for i in range(ROWS)]
    return "".join(lines)


def maxml() -> str:
    points = "".join(
        f"<GeoPoint><pointNo>{n}</pointNo><latitude>{lat}</latitude><longitude>{lon}</longitude></GeoPoint>"
        for n, (lon, lat) in enumerate([(47.1, 39.1), (47.2, 39.1), (47.2, 39.2)])
    )
    shape = f"<GeospatialInfo><shapeEnum>Polygon</shapeEnum>{points}</GeospatialInfo>"
    bodies = "".join(f"<Hazard><localID>H-{i}</localID>{shape}</Hazard>" for i in range(ROWS))
    return f"<MineActionFieldReport><FieldReport>{bodies}</FieldReport></MineActionFieldReport>"


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
            path.write_text(nmea(), "utf-8")
            kind = "fixes"
        elif name == "maxml":
            path.write_text(maxml(), "utf-8")
        elif name == "gpx":
            io.write(many.set_geometry(many.geometry.representative_point()), path)
            kind = "finds"
        else:
            io.write(many, path)
        out[name] = (path, kind)
    return out


def damaged(data: bytes, rng: random.Random) -> bytes:
    """One to three wounds."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(max(1, len(out)))
        match rng.randrange(6):
            case 0:
                del out[at:]
            case 1:
                del out[at : at + rng.randint(1, 64)]
            case 2:
                out[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 16)))
            case 3:
                for i in range(at, min(len(out), at + rng.randint(1, 32))):
                    out[i] = rng.randrange(256)
            case 4:
                out[at : at + 1] = bytes([rng.randrange(256)])
            case _:
                end = min(len(out), at + rng.randint(1, 200))
                out[at:at] = out[at:end]
    return bytes(out)


def wound(source: Path, target: Path, rng: random.Random) -> bool:
    """A damaged copy in `target`'s folder (of a shapefile, one of its parts is hit); whether anything changed."""
    if source.suffix == ".shp":
        parts = [
            p
            for p in sorted(source.parent.iterdir())
            if p.stem == source.stem and p.suffix in (".shp", ".dbf", ".shx", ".prj", ".cpg")
        ]
        hit = rng.choice(parts)
        for part in parts:
            data = part.read_bytes()
            target.with_suffix(part.suffix).write_bytes(damaged(data, rng) if part == hit else data)
        return True
    data = source.read_bytes()
    made = damaged(data, rng)
    target.write_bytes(made)
    return made != data


def one_case(name: str, seed: int, sound, holds, folder: Path) -> str:
    """Read one damaged file; what came of it."""
    source, kind = sound[name]
    target = folder / f"hazards.{name}"
    if not wound(source, target, random.Random(f"{name}-{seed}")):
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
