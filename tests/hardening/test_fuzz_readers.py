"""Every reader on damaged and hostile files: rows that add up, or a refusal with a hint; never long, never much memory."""

from __future__ import annotations

import os
import random
import re
import resource
import time
import warnings
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest

from geotools import io
from geotools.model.errors import GeotoolsError, WriteError
from tests.damage import maxml, nmea, wounded

from .conftest import Tally
from .fuzz import mutated

CASES = int(os.environ.get("GEOTOOLS_FUZZ", "12"))
CAP_S = 10.0
MORE_BYTES = 600 << 20


def seeds(folder: Path, survey: Path) -> dict[str, tuple[Path, str | None]]:
    """One sound file for every format that is read, and for the sorts of content that CSV and JSON may hold."""
    hazards = io.read(survey / "hazards.gpkg")
    hazards["note"] = ["a", "Füzuli", '=1+"x"']
    fixes = io.read(survey / "fixes.csv", "fixes", crs="EPSG:4326").head(12)
    out: dict[str, tuple[Path, str | None]] = {}
    for f in io.formats().itertuples():
        if not f.write:
            continue
        for suffix in f.suffixes.split():
            path = folder / f"hazards{suffix}"
            kind = "hazards"
            frame: gpd.GeoDataFrame = hazards
            if f.name == "gpx":
                frame, kind = fixes, "fixes"
            try:
                io.write(frame, path, layer="hazards")
            except WriteError:
                continue
            out[suffix] = (path, kind)
    special = {
        "fixes.nmea": ("fixes", nmea(8)),
        "report.maxml": ("hazards", maxml(4)),
        "odk.csv": ("hazards", "id,boundary,status\nH-1,39.6 47.1 0 3;39.6 47.2 0 4;39.7 47.2 0 3;39.6 47.1 0 3,open\nH-2,39.6 47.3 0 3;39.6 47.4 0 4;39.7 47.4 0 3;39.6 47.3 0 3,closed\n"),
        "odk.json": ("finds", '{"results": [{"id": "F-1", "location": "39.6012345 47.1012345 100 4.5", "device": "x"}, {"id": "F-2", "location": "39.6112345 47.1212345 0 0", "device": null}]}'),
        "mgrs.csv": ("finds", "id,mgrs,date\nF-1,38SPJ8373885550,2024-05-01\nF-2,38S PJ 83739 85551,01.05.2024\n"),
        "dms.csv": ("finds", "id,coordinates,depth_cm\nF-1,\"39°36'03.6\"\"N 47°08'24.2\"\"E\",10\nF-2,39 36.06 N 47 08.4 E,\"12,5\"\n"),
        "gk.csv": ("finds", "id,easting,northing\nF-1,8511961,4385550\nF-2,8511971,4385560\n"),
        "vertices.csv": ("hazards", "hazard_id,point_no,lon,lat\nH-1,1,47.1,39.6\nH-1,2,47.2,39.6\nH-1,3,47.2,39.7\nH-2,1,47.3,39.6\nH-2,2,47.4,39.6\nH-2,3,47.4,39.7\n"),
        "wkt.csv": ("hazards", 'id,wkt\nH-1,"POLYGON ((47.1 39.6, 47.2 39.6, 47.2 39.7, 47.1 39.6))"\nH-2,\n'),
        "legs.csv": ("legs", "leg_id,feature_id,leg_no,from,to,bearing,unit,north,distance_m,date\n1,S,1,SP,TP1,92,deg,magnetic,118.4,2026-06-12\n2,S,2,TP1,TP2,N 45 E,quadrant,grid,76.2,\n"),
        "esri.json": ("hazards", '{"geometryType": "esriGeometryPolygon", "spatialReference": {"wkid": 102100, "latestWkid": 3857}, "fields": [{"name": "HAZARD_ID", "type": "esriFieldTypeString"}, {"name": "DATE_INFO", "type": "esriFieldTypeDate"}], "features": [{"attributes": {"HAZARD_ID": "H-1", "DATE_INFO": 1709251200000}, "geometry": {"rings": [[[5243000, 4807000], [5243000, 4807100], [5243100, 4807100], [5243000, 4807000]]]}}, {"attributes": {"HAZARD_ID": "H-2", "DATE_INFO": null}, "geometry": null}]}'),
        "shared.topojson": ("hazards", '{"type": "Topology", "objects": {"hazards": {"type": "GeometryCollection", "geometries": [{"type": "Polygon", "arcs": [[0, 1]], "properties": {"id": "H-1"}}, {"type": "Polygon", "arcs": [[-1, 2]], "properties": {"id": "H-2"}}]}}, "arcs": [[[47.1, 39.6], [47.1, 39.7]], [[47.1, 39.7], [47.2, 39.65], [47.1, 39.6]], [[47.1, 39.6], [47.0, 39.65], [47.1, 39.7]]]}'),
    }  # fmt: skip
    for name, (kind, content) in special.items():
        (folder / name).write_text(content, "utf-8")
        out[name] = (folder / name, kind)
    pyogrio.write_dataframe(
        hazards.loc[hazards.geometry.notna(), ["id", "geometry"]], folder / "table.mif", driver="MapInfo File"
    )
    out["table.mif"] = (folder / "table.mif", "hazards")
    return out


@pytest.fixture(scope="module")
def sound(district: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str | None]]:
    return seeds(tmp_path_factory.mktemp("sound"), district / "survey")


def judge(target: Path, kind: str | None, tally: Tally, crs: str | None = None) -> str:
    """Read it; the law holds or it was refused as it should be."""
    from tests.io.conftest import account_holds

    tally.inputs += 1
    begin, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            frame, issues = io.read_with_issues(target, kind, crs=crs)
    except GeotoolsError as error:
        assert str(error).strip()
        assert error.hint.strip(), f"no hint: {error}"
        assert not re.search(r"Traceback|object at 0x", str(error)), error
        outcome = "refused"
    else:
        account_holds(frame, issues)
        outcome = "read"
    assert time.process_time() - begin < CAP_S
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MORE_BYTES
    return outcome


SYSTEMS = {"gk.csv": "EPSG:28408", "vertices.csv": "EPSG:4326", "wkt.csv": "EPSG:4326"}
NAMES = sorted(
    {s for f in io.formats().itertuples() if f.write for s in f.suffixes.split()} - {".tab", ".geoparquet", ".geojsons", ".ndjson", ".jsonl", ".txt", ".shz", ".json"}
    | {"fixes.nmea", "report.maxml", "odk.csv", "odk.json", "mgrs.csv", "dms.csv", "gk.csv", "vertices.csv", "wkt.csv", "legs.csv", "esri.json", "shared.topojson", "table.mif"}
)  # fmt: skip


def test_every_format_that_is_read_is_tried(sound: dict[str, tuple[Path, str | None]]) -> None:
    tried = {io.registry.of_path(path).name for path, _ in sound.values()}  # type: ignore[attr-defined]
    readers = set(io.formats().query("read")["name"]) - {"filegdb"}  # Esri's: no free writer; its reader is GDAL's
    assert readers <= tried
    for name, (path, kind) in sound.items():
        frame, _ = io.read_with_issues(path, kind, crs=SYSTEMS.get(name))
        assert len(frame) >= 1, path.name


@pytest.mark.parametrize("name", NAMES)
def test_rows_that_add_up_or_a_refusal_with_a_hint(
    name: str, sound: dict[str, tuple[Path, str | None]], tmp_path: Path, tally: Tally
) -> None:
    source, kind = sound[name]
    for number in range(CASES):
        target = tmp_path / source.name
        wounded(source, target, random.Random(f"{name}-{number}"), mutated)
        try:
            judge(target, kind, tally, SYSTEMS.get(name))
        except BaseException:
            print(f"case {name}-{number}: {target}")  # with the number it can be made again
            raise
