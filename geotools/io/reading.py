"""`read` and `read_with_issues`: from a file name to a frame that follows its schema, with every row accounted for.

For choosing format, layer, kind and reference system; formats themselves are in one room per family.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geotools.io import calendar_text, epochs, imsma, registry, words
from geotools.io.accounting import TYPES, account
from geotools.io.raw import Finding, Raw, Source
from geotools.model.errors import CRSError, GeotoolsError, SchemaError
from geotools.model.programme import Programme
from geotools.model.schema import KINDS, Schema, issues_frame, kind_of
from geotools.space import crs as _crs


def read(
    path: str | Path,
    kind: str | None = None,
    *,
    layer: str | None = None,
    crs: Any = None,
    encoding: str | None = None,
    programme: Programme | None = None,
) -> gpd.GeoDataFrame:
    """Read one layer of records; see `read_with_issues`, which also says what was odd about them.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "finds.csv")
    >>> _ = file.write_text("id,lon,lat,category\\nF-1,47.2,39.6,AP mine\\n", "utf-8")
    >>> read(file).loc[0, "category"]
    'ap_mine'
    """
    return read_with_issues(path, kind, layer=layer, crs=crs, encoding=encoding, programme=programme)[0]


def read_with_issues(
    path: str | Path,
    kind: str | None = None,
    *,
    layer: str | None = None,
    crs: Any = None,
    encoding: str | None = None,
    programme: Programme | None = None,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Read one layer of records and account for every row of the file.

    Parameters
    ----------
    kind
        Record kind (see `geotools.schema.KINDS`); None: guessed from the layer or file name, else columns stay as they are.
    layer
        Where a file has several.
    crs
        For files that do not say, and for coordinates whose system is only the format's default.
    encoding
        Of text in shapefiles and tables, e.g. ``cp1251``; default: as the file says, else found out.
    programme
        Its words, columns and reference system.

    Returns
    -------
    frame, issues
        The frame has ``id`` (unique text), the columns of its kind, ``geometry`` (None where there is none) and the CRS
        of the file. The first issue is RD-00 with value ``rows=… kept=… repaired=… rejected=…``, where
        kept + repaired + rejected = rows of the file; RD-01 is a repaired row (value and limit: m² before and after; an
        error for a release whose area that changes by more than the limit `repair_area_share`), RD-02 a rejected one, RD-03 a row without geometry.

    Raises
    ------
    ReadError
        If the file is missing, damaged, of unknown format, or has several layers and none was named.
    CRSError
        If there are coordinates without a reference system, or they cannot be in the one that is said.
    SchemaError
        If `kind` is not a record kind.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "finds.csv")
    >>> _ = file.write_text("id,lon,lat,category\\nF-1,47.2,39.6,AP mine\\nF-2,,,UXO\\n", "utf-8")
    >>> frame, issues = read_with_issues(file)
    >>> frame["category"].tolist(), frame.crs.to_epsg()
    (['ap_mine', 'uxo'], 4326)
    >>> issues[["check", "severity", "id", "value"]].values.tolist()
    [['RD-00', 'info', '', 'rows=2 kept=2 repaired=0 rejected=0'], ['RD-03', 'warning', 'F-2', '']]
    """
    place = Path(path)
    if kind is not None and kind not in KINDS:
        raise SchemaError(f"'{kind}' is not a record kind", hint=f"kinds are {', '.join(KINDS)}", file=path)
    settings = programme or Programme()
    source = _source(place, layer, kind, encoding, crs, settings)
    raw = read_raw(source)
    _settle_crs(raw, source, settings)
    wanted = kind or _guess(raw, source)
    imsma.link(raw, wanted)
    epochs.settle(raw, wanted)
    calendar_text.settle(raw, wanted)
    frame, issues = account(raw, KINDS[wanted] if wanted else None, _label(raw, source), settings)
    return frame, issues_frame(issues)


def stream(
    path: str | Path,
    kind: str | None = None,
    *,
    rows: int = 100_000,
    layer: str | None = None,
    crs: Any = None,
    encoding: str | None = None,
    programme: Programme | None = None,
) -> Iterator[tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]]:
    """Read a long log part by part, each accounted for like a file of its own; memory stays that of one part.

    For CSV and NMEA logs of machines and receivers, and for GeoPackages. Copies and repeated ids are found within a part only, and corners are
    not joined to areas.

    Parameters
    ----------
    kind
        As in `read_with_issues`.
    rows
        Rows in one part.
    layer
        Where a file has several.
    crs, encoding, programme
        As in `read_with_issues`.

    Yields
    ------
    frame, issues
        As `read_with_issues`; ids made from row numbers are unique over the whole file.

    Raises
    ------
    ReadError
        As `read_with_issues`; also if the format can only be read whole.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "fixes.csv")
    >>> lines = [f"2026-05-04T06:00:0{second}Z,47.2,39.6" for second in range(5)]
    >>> _ = file.write_text("\\n".join(["time,lon,lat", *lines]), "utf-8")
    >>> for frame, issues in stream(file, "fixes", rows=2):
    ...     print(frame["id"].tolist(), issues["value"].iloc[0])
    ['row-2', 'row-3'] rows=2 kept=2 repaired=0 rejected=0
    ['row-4', 'row-5'] rows=2 kept=2 repaired=0 rejected=0
    ['row-6'] rows=1 kept=1 repaired=0 rejected=0
    """
    source = _source(Path(path), layer, kind, encoding, crs, programme or Programme())
    chunks = _format(source).chunks()
    if chunks is None:
        able = ", ".join(f.name for f in registry.table().values() if f.streamer)
        raise source.refuse("this format is only read whole", f"formats read in parts: {able}")
    for raw in chunks(source, rows):
        _settle_crs(raw, source, programme or Programme())
        wanted = kind or _guess(raw, source)
        epochs.settle(raw, wanted)
        frame, issues = account(raw, KINDS[wanted] if wanted else None, _label(raw, source), programme or Programme())
        yield frame, issues_frame(issues)


def read_raw(source: Source) -> Raw:
    """One layer as it stands in the file, by the reader of its format.

    Raises
    ------
    ReadError
        Whatever goes wrong inside a format's library.
    """
    reader = _format(source).read()
    try:
        raw: Raw = reader(source)
    except GeotoolsError as error:
        error.file = error.file or source.label
        raise
    except FileNotFoundError as error:
        raise source.refuse("no such file", "check the name and the folder") from error
    except PermissionError as error:
        raise source.refuse("it may not be read", "is it open in another program?") from error
    except MemoryError as error:
        raise source.refuse("it does not fit into memory", "split it, or read it on a larger computer") from error
    except Exception as error:  # a format library met a damaged file in a way nobody foresaw
        raise source.refuse(
            f"it is damaged or not what its name says{words.bracketed(words.said(error, {str(source.path): source.label}))}",
            words.AGAIN,
        ) from error
    return raw


def layers(path: str | Path) -> list[str]:
    """Names of the layers in a file; the file's own name where the format has no layers.

    Raises
    ------
    ReadError
        If the file is missing, damaged or of unknown format.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "finds.csv")
    >>> _ = file.write_text("id,lon,lat\\nF-1,47.2,39.6\\n", "utf-8")
    >>> layers(file)
    ['finds']
    """
    source = Source(Path(path))
    lister = _format(source).layers()
    if lister is None:
        return [source.path.stem]
    try:
        return [str(name) for name in lister(source)]
    except GeotoolsError:
        raise
    except Exception as error:
        why = words.said(error, {str(source.path): source.label})
        raise source.refuse(f"it is damaged or not what its name says{words.bracketed(why)}", words.AGAIN) from error


def is_survey_file(path: str | Path) -> bool:
    """Whether a file, by its name, holds records that can be read.

    Examples
    --------
    >>> is_survey_file("hazards.gpkg"), is_survey_file("dem.tif"), is_survey_file("hazards.dbf")
    (True, False, False)
    """
    place = Path(path)
    found = registry.of_path(place)
    if found is None or not found.reader or place.name.startswith((".", "~$")):
        return False
    return place.suffix.lower() not in (".txt", ".log") and place.name.lower() not in (
        "package.json",
        "manifest.json",
        "provenance.json",
    )


def _source(
    path: Path, layer: str | None, kind: str | None, encoding: str | None, crs: Any, programme: Programme
) -> Source:
    columns = programme.columns.get(kind or kind_of(layer or "") or kind_of(path.stem) or "", {})
    return Source(path, layer, kind, encoding, None if crs is None else _crs.parse(crs), columns=columns)


def _format(source: Source) -> registry.Format:
    if not source.path.exists():
        raise source.refuse("no such file", "check the name and the folder")
    found = registry.of_path(source.path)
    if found is None:
        known = ", ".join(sorted({s for f in registry.table().values() for s in f.suffixes if f.reader}))
        raise source.refuse(
            f"'{source.path.suffix or source.path.name}' is not a known file ending", f"known endings: {known}"
        )
    if not found.reader:
        raise source.refuse(f"{found.title} is only written, not read", "give the file it was made from")
    if source.path.is_file() and source.path.stat().st_size == 0:
        raise source.refuse("the file is empty (0 bytes)", "copy it again from where it came from")
    return found


def _label(raw: Raw, source: Source) -> str:
    return source.label if raw.layer in ("", source.path.stem) else f"{source.label}, {raw.layer}"


def _guess(raw: Raw, source: Source) -> str | None:
    """The kind that the name says, unless no geometry at all fits it."""
    kind = kind_of(raw.layer) or kind_of(source.path.stem)
    if kind is None or raw.geometry is None:
        return kind
    present = raw.geometry[~shapely.is_missing(raw.geometry)]
    present = present[~shapely.is_empty(present)]
    if len(present) and not _fits(present, KINDS[kind]):
        if source.layer is not None and kind_of(raw.layer) is None:
            return None  # the file's name speaks of its other layers
        note = f"{source.label}: the name says {kind}, but no geometry in it fits; read as a plain layer"
        raw.findings.append(Finding("RD-07", "warning", note, value=kind))
        return None
    return kind


def _fits(shapes: np.ndarray, schema: Schema) -> bool:
    names = {TYPES[i] for i in np.unique(shapely.get_type_id(shapes))}
    return not schema.geometry or bool(names & {*schema.geometry, "GeometryCollection"})


def _settle_crs(raw: Raw, source: Source, programme: Programme) -> None:
    """Give `raw` its reference system: the file's, else the caller's, else the programme's; never a guess."""
    if raw.settled:
        return
    if raw.geometry is None or shapely.is_missing(raw.geometry).all():
        raw.crs = raw.crs or source.crs
        return
    said, given = raw.crs, source.crs
    if said is not None and given is not None and said != given:
        if raw.implied and (given.is_geographic or not _in_degrees(raw.geometry)):
            raw.crs = given
            note = f"{source.label}: coordinates taken as {given.name}, as asked"
            raw.findings.append(Finding("RD-08", "info", note, value=_crs.label(given)))
        elif not raw.implied:
            note = f"{source.label}: the file says {said.name}, which was used; the system asked for, {given.name}, was not"
            raw.findings.append(Finding("RD-08", "warning", note, value=_crs.label(said), limit=_crs.label(given)))
        return
    if said is not None:
        return
    if given is not None:
        raw.crs = given
    elif programme.crs:
        raw.crs = _crs.parse(programme.crs)
        note = f"{source.label}: the file does not say its reference system; the programme's was used ({raw.crs.name})"
        raw.findings.append(Finding("RD-08", "warning", note, value=_crs.label(raw.crs)))
    else:
        raise CRSError(
            "the coordinates have no reference system",
            hint="say which: crs='EPSG:32638', --crs EPSG:32638, or crs = \"…\" in survey.toml; geotools datum --explain helps to find out", file=source.label,
        )  # fmt: skip


def _in_degrees(shapes: np.ndarray) -> bool:
    points = shapely.get_coordinates(shapes)
    points = points[np.isfinite(points).all(axis=1)]
    return not len(points) or bool((np.abs(points) <= (180, 90)).all(axis=1).mean() > 0.5)
