"""Damaged input: bytes wounded anywhere, copies of files with one part hit, and small sound files of two formats we only read.

Each wound comes from a `random.Random`, so that a number names a case for ever. What is wrong by its structure (a cell, a
node, a field) is in `tests/hardening/fuzz.py`; not for judging what comes of any of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

Wound = Callable[[bytearray, int, random.Random], None]
Change = Callable[[str, bytes, random.Random], bytes]
EXTREMES = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")
PARTS = (".shp", ".dbf", ".shx", ".prj", ".cpg")


def cut_off(out: bytearray, at: int, rng: random.Random) -> None:
    del out[at:]


def cut_out(out: bytearray, at: int, rng: random.Random) -> None:
    del out[at : at + rng.randint(1, 64)]


def put_in(out: bytearray, at: int, rng: random.Random) -> None:
    out[at:at] = rng.randbytes(rng.randint(1, 16))


def replaced(out: bytearray, at: int, rng: random.Random) -> None:
    """A stretch by one of another length."""
    out[at : at + 32] = rng.randbytes(rng.randint(1, 32))


def one_byte(out: bytearray, at: int, rng: random.Random) -> None:
    out[at : at + 1] = bytes([rng.randrange(256)])


def extreme(out: bytearray, at: int, rng: random.Random) -> None:
    """Four bytes that are a count or a length gone mad."""
    out[at : at + 4] = rng.choice(EXTREMES)


def doubled(out: bytearray, at: int, rng: random.Random) -> None:
    out[at:at] = out[at : at + rng.randint(1, 200)]


def overwritten(out: bytearray, at: int, rng: random.Random) -> None:
    """A stretch by one of the same length: nothing behind it moves."""
    for place in range(at, min(len(out), at + rng.randint(1, 32))):
        out[place] = rng.randrange(256)


WOUNDS: tuple[Wound, ...] = (cut_off, cut_out, put_in, replaced, one_byte, extreme, doubled)
IN_PLACE: tuple[Wound, ...] = (*WOUNDS, overwritten)


def damaged(data: bytes, rng: random.Random, wounds: Sequence[Wound] = WOUNDS) -> bytes:
    """One to three wounds anywhere."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(max(1, len(out)))
        wounds[rng.randrange(len(wounds))](out, at, rng)
    return bytes(out)


def wounded(source: Path, target: Path, rng: random.Random, change: Change) -> bool:
    """A changed copy in `target`'s folder (of a shapefile one of its parts is hit); whether anything changed."""
    if source.suffix != ".shp":
        data = source.read_bytes()
        made = change(target.suffix.lower(), data, rng)
        target.write_bytes(made)
        return made != data
    parts = [p for p in sorted(source.parent.iterdir()) if p.stem == source.stem and p.suffix in PARTS]
    hit, same = rng.choice(parts), True
    for part in parts:
        data = part.read_bytes()
        made = change(part.suffix, data, rng) if part == hit else data
        target.with_suffix(part.suffix).write_bytes(made)
        same &= made == data
    return not same


def nmea_line(body: str) -> str:
    """A sentence with its check sum."""
    check = 0
    for byte in body.encode():
        check ^= byte
    return f"${body}*{check:02X}\r\n"


def nmea(rows: int) -> str:
    """Fixes of a receiver that knows the day."""
    lines = [nmea_line("GPRMC,100000,A,3930.000,N,04706.000,E,000.5,054.7,230525,003.1,W")]
    lines += [nmea_line(f"GPGGA,1000{i:02d},3930.{i:03d},N,04706.000,E,4,08,0.9,45.4,M,46.9,M,,") for i in range(rows)]
    return "".join(lines)


def maxml(rows: int) -> str:
    """A field report with so many hazards."""
    points = "".join(
        f"<GeoPoint><pointNo>{n}</pointNo><latitude>{lat}</latitude><longitude>{lon}</longitude></GeoPoint>"
        for n, (lon, lat) in enumerate([(47.1, 39.1), (47.2, 39.1), (47.2, 39.2)])
    )
    shape = f"<GeospatialInfo><shapeEnum>Polygon</shapeEnum>{points}</GeospatialInfo>"
    bodies = "".join(f"<Hazard><localID>H-{i}</localID>{shape}</Hazard>" for i in range(rows))
    return f"<MineActionFieldReport><FieldReport>{bodies}</FieldReport></MineActionFieldReport>"
