"""Zipped files: a shapefile with its side files, KMZ, or any other format in a .zip, opened without trusting the archive.

For unpacking into a temporary folder within limits; what is inside is read by its own room.
"""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

import geopandas as gpd

from geotools.io import kml, registry, shapefile
from geotools.io.raw import Raw, Source, choose_layer

BYTES_MAX = 4 << 30
RATIO_MAX = 200  # real shapefiles and KML compress up to about 40 times
FILES_MAX = 10_000
DEPTH_MAX = 3  # archives in one another
SMALL = 50 << 20  # below this size no ratio is suspicious


def read(source: Source) -> Raw:
    """Read the one layer in an archive, or the one that `layer` names.

    Raises
    ------
    ReadError
        If the archive is damaged, unsafe, or holds nothing that can be read.
    """
    with unpacked(source) as inside:
        chosen, findings = choose_layer(source, list(inside))
        path, layer = inside[chosen]
        found = registry.of_path(path)
        assert found is not None
        raw: Raw = found.read()(replace(source, path=path, layer=layer, name=f"{source.label}/{path.name}"))
        raw.findings[:0] = findings
        raw.layer = chosen if raw.layer in (path.stem, layer) else raw.layer
        return raw


def layers(source: Source) -> list[str]:
    """Names of the layers in the archive: files without their endings, layers of a database by their own names."""
    with unpacked(source) as inside:
        return list(inside)


def _named(found: list[Path], folder: Path, source: Source) -> dict[str, tuple[Path, str | None]]:
    """Each layer under a name of its own, so that none hides another; the doc.kml of a KMZ has the archive's name."""
    places = [(path, layer) for path in found for layer in _layers(path, source)]
    ways: tuple[Callable[[Path], str], ...] = (
        lambda path: source.path.stem if path.name == "doc.kml" else path.stem,
        lambda path: path.relative_to(folder).with_suffix("").as_posix(),
        lambda path: path.relative_to(folder).as_posix(),
    )
    tries = [[layer or ways[0](path) for path, layer in places]]
    tries += [[f"{way(path)}/{layer}" if layer else way(path) for path, layer in places] for way in ways]
    names = next((n for n in tries if len({name.casefold() for name in n}) == len(n)), tries[-1])
    return dict(zip(names, places, strict=True))


def _layers(path: Path, source: Source) -> list[str | None]:
    """The layers of a file that has several; None for the only one, and where they cannot be listed: reading says why."""
    known = registry.of_path(path)
    lister = known.layers() if known is not None else None
    try:
        names = [] if lister is None else lister(replace(source, path=path, layer=None, name=path.name))
    except Exception:
        names = []
    return list(names) if len(names) > 1 else [None]


@contextmanager
def unpacked(source: Source) -> Iterator[dict[str, tuple[Path, str | None]]]:
    """The layers in an archive by name, as file and layer, unpacked for as long as the block lasts; archives in it as well.

    Raises
    ------
    ReadError
        If it is no archive, is encrypted, names files outside itself, or unpacks to far more than it is.
    """
    with tempfile.TemporaryDirectory(prefix="geotools-") as folder:
        _unpack(source, Path(folder))
        yield _named(_data_files(Path(folder), source), Path(folder), source)


def _unpack(source: Source, folder: Path, outer: int = 0, taken: int = 0, depth: int = 1) -> int:
    """All members into a folder; archives among them into folders of their own, down to `DEPTH_MAX` in one another.

    Limits hold for all of them together: `outer` is the size of the outermost archive, `taken` what was unpacked before.
    """
    try:
        archive = zipfile.ZipFile(source.path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise source.refuse(
            f"it is not a zip archive or is cut off ({error})", "copy it again from where it came from"
        ) from error
    with archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        check(members, source, outer, taken)
        for member in members:
            _extract(archive, member, folder, source)
    outer, taken = outer or source.path.stat().st_size, taken + sum(m.file_size for m in members)
    for inner in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() in (".zip", ".shz")):
        if any(part.startswith((".", "__MACOSX")) for part in inner.relative_to(folder).parts):
            continue
        if depth >= DEPTH_MAX:
            raise source.refuse(
                f"there are archives in archives in it, more than {DEPTH_MAX} deep",
                "unpack it by hand if it is trusted",
            )
        home = inner.with_name(inner.stem)
        while home.exists():
            home = home.with_name(f"{home.name}_")
        home.mkdir()
        inside = replace(source, path=inner, name=f"{source.label}/{inner.name}")
        taken = _unpack(inside, home, outer, taken, depth + 1)
        inner.unlink()
    return taken


def check(members: list[zipfile.ZipInfo], source: Source, outer: int = 0, taken: int = 0) -> None:
    """Refuse archives that are bombs, name files outside themselves, or are encrypted.

    Parameters
    ----------
    outer, taken
        For an archive in an archive: bytes of the outermost one, and bytes unpacked from it before.

    Raises
    ------
    ReadError
        With the member concerned.
    """
    if len(members) > FILES_MAX:
        raise source.refuse(
            f"the archive holds {len(members)} files; at most {FILES_MAX} are unpacked",
            "unpack it by hand if it is trusted",
        )
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        if (
            member.filename.startswith(("/", "\\"))
            or ".." in parts
            or (parts and ":" in parts[0])
            or "\x00" in member.filename
        ):
            raise source.refuse(
                f"the archive names a file outside itself ('{member.filename[:80]}')",
                "it may be an attack; do not unpack it by hand",
            )
        if member.flag_bits & 1:
            raise source.refuse("the archive is protected by a password", "unpack it first and give the files")
    total = taken + sum(m.file_size for m in members)
    packed = max(1, outer or source.path.stat().st_size)
    if total > BYTES_MAX or (total > SMALL and total / packed > RATIO_MAX):
        raise source.refuse(
            f"the archive would unpack to {total:,} bytes from {packed:,}",
            "it may be an attack; unpack it by hand if it is trusted",
        )


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, source: Source) -> None:
    """Unpack one member, never more bytes than it announces."""
    target = folder.joinpath(*PurePosixPath(member.filename.replace("\\", "/")).parts)
    left = member.file_size
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as packed, target.open("wb") as stream:
            while chunk := packed.read(min(1 << 20, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise source.refuse(
                        f"'{member.filename[:80]}' unpacks to more than it announces", "it may be an attack"
                    )
                stream.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise source.refuse(
            f"the archive is damaged at '{member.filename[:80]}' ({error})", "copy it again from where it came from"
        ) from error


def _data_files(folder: Path, source: Source) -> list[Path]:
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        known = registry.of_path(path)
        hidden = any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)
        if (
            known is not None
            and known.reader
            and known.name not in ("zip", "kmz")
            and not hidden
            and path.suffix.lower() not in (".txt", ".log")
        ):
            found.append(path)
    databases = sorted(p for p in folder.rglob("*.gdb") if p.is_dir() and (p / "gdb").is_file())
    found = databases + [p for p in found if not any(d in p.parents for d in databases)]
    if not found:
        raise source.refuse(
            "there is nothing in the archive that can be read",
            "it should hold a .shp with its side files, or another known format",
        )
    return found


def write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write a zipped shapefile; the same frame gives the same bytes."""
    with tempfile.TemporaryDirectory(prefix="geotools-") as folder:
        shapefile.write(frame, Path(folder, f"{layer}.shp"), layer)
        _pack(Path(folder), path)


def write_kmz(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write a zipped KML; the same frame gives the same bytes."""
    with tempfile.TemporaryDirectory(prefix="geotools-") as folder:
        kml.write(frame, Path(folder, "doc.kml"), layer)
        _pack(Path(folder), path)


def _pack(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for made in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(made.name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, made.read_bytes())
