"""MapInfo tables (.tab with .dat, .map, .id) and interchange files (.mif with .mid), through GDAL.

For those that hold shapes; a .tab of text columns is read by `io.tables`. Not written.
"""

from __future__ import annotations

import re
from pathlib import Path

from geotools.io import ogr, shapefile, text
from geotools.io.raw import Finding, Raw, Source, choose_layer

_CHARSET = re.compile(rb'charset\s+"?([\w-]+)', re.IGNORECASE)
_TEXT_SIDE = {".tab": ".dat", ".mif": ".mid"}


def read(source: Source) -> Raw:
    """Read the one layer of a MapInfo table.

    Raises
    ------
    ReadError
        If parts of it are missing or damaged.
    """
    layer, findings = choose_layer(source, ogr.layers(source))
    encoding, said = _encoding(source)
    meta, table, blobs, heard = ogr.fetch(source, layer, encoding)
    shapes = None
    if blobs is not None:
        shapes, more = ogr.decode(blobs, source, layer)
        findings += more + ogr.measures(heard, shapes, source)
    return Raw(layer, table, shapes, ogr.as_crs(meta["crs"]), False, findings + said)


def _encoding(source: Source) -> tuple[str | None, list[Finding]]:
    """The code page of its text where its charset is neutral, and what is odd about it; None: GDAL knows the charset."""
    head = source.path.read_bytes()[:4096]
    stated = _CHARSET.search(head)
    if stated is not None and stated[1].lower() != b"neutral":
        return None, []
    side = _side(source.path)
    guess = text.suspect(_samples(side)) if side is not None else None
    if source.encoding is not None:
        name = text.known(source.encoding)
        if name is None:
            raise source.refuse(f"there is no text encoding '{source.encoding}'", "for example utf-8, cp1251, cp1254")
        return name, []
    if guess is None:
        return None, []
    note = f"{source.label}: its charset does not say the code page; it was read as {guess}. If letters look wrong, give encoding= (--encoding)"
    return guess, [Finding("RD-05", "warning", note, value=guess)]


def _samples(side: Path) -> list[bytes]:
    """Texts of a .dat, which is laid out as a .dbf is, or the lines of a .mid."""
    return shapefile.texts(side) if side.suffix.lower() == ".dat" else side.read_bytes().split(b"\n")


def _side(path: Path) -> Path | None:
    ending = _TEXT_SIDE[path.suffix.lower()]
    return next((p for p in (path.with_suffix(ending), path.with_suffix(ending.upper())) if p.is_file()), None)
