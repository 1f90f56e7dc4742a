"""A small survey with everything in it, and a reader that turns a package inside out."""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geotools.model.programme import Programme
from geotools.survey import Survey

UTM = "EPSG:32638"
X, Y = 683_000.0, 4_385_000.0
HOSTILE = (
    "<b>x</b>",
    "=1+1",
    '"; DROP TABLE hazards; --',
    "a\x07b\x00c",
    "\u202eabc",
    "ə ğ ş İ ı Ж 地雷",
    "x" * 900,
    "${7*7}",
    "]]>&amp;",
)


def box(x: float, y: float, w: float, h: float) -> shapely.Polygon:
    return shapely.box(X + x, Y + y, X + x + w, Y + y + h)


def star(x: float, y: float, radius: float = 60.0, points: int = 7, seed: int = 0) -> shapely.Polygon:
    """A polygon none of whose vertices lies on a round coordinate."""
    random = np.random.default_rng(seed)
    angle = np.sort(random.uniform(0, 2 * np.pi, points)) + np.linspace(0, 0.01, points)
    r = radius * random.uniform(0.6, 1.0, points)
    return shapely.convex_hull(
        shapely.MultiPoint(np.column_stack([X + x + r * np.sin(angle), Y + y + r * np.cos(angle)]))
    )


def frame(*rows: dict[str, Any], crs: Any = UTM) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(list(rows), geometry="geometry", crs=crs)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def survey(*, seed: int = 0, secret: str = "secret", **limits: float) -> Survey:
    """Every packed kind, secrets in every column that may not leave, hazards on both sides of 48° E."""

    def s(n: int) -> str:
        return f"{secret}{seed}q{n:02d}"

    hazards = frame(
        {"id": "H-1", "name": s(1), "classification": "CHA", "status": "worked_on", "contamination": "ap", "note": s(2), "date_info": day("2022-01-05"),
         "admin1": "District", "place": s(3), "source_coords": s(4), "area_reported_m2": 7391.4682, "safe_to_publish": True, "geometry": star(0, 0, seed=seed)},
        {"id": "H-2", "name": s(5), "classification": "SHA", "status": "open", "note": s(6), "safe_to_publish": False, "geometry": star(700, 300, seed=seed + 1)},
        {"id": "H-3", "classification": None, "status": "open", "note": s(7), "safe_to_publish": True, "geometry": None},
        {"id": "H-4", "classification": "CHA", "status": "closed", "note": s(8), "safe_to_publish": True, "geometry": star(300, -400, seed=seed + 2)},
        {"id": "H-5", "classification": "SHA", "status": "open", "note": s(9), "safe_to_publish": True, "geometry": star(85_000, 1200, seed=seed + 3)},
    )  # fmt: skip
    whole = star(0, 0, seed=seed)
    west, south, east, north = whole.bounds
    releases = frame(
        {"id": "REL-81", "hazard_id": "H-1", "product": "cleared", "method": "manual", "date": day("2024-05-01"), "depth_cm": 20.0, "team": s(10), "note": s(11),
         "organisation": s(12), "geometry": whole.intersection(shapely.box(west, south, (west + east) / 2, north))},
        {"id": "REL-82", "hazard_id": "H-4", "product": "cleared", "method": "manual", "date": day("2024-05-02"), "depth_cm": 20.0, "geometry": star(300, -400, seed=seed + 2)},
    )  # fmt: skip
    lm, bm, sp = (
        shapely.Point(X - 150, Y - 90),
        shapely.Point(X - 100, Y - 75),
        shapely.Point(*whole.exterior.coords[0]),
    )
    layers = {
        "hazards": hazards,
        "releases": releases,
        "activities": frame({"id": "ACT-81", "type": "clearance", "task_id": "TSK-81", "hazard_id": "H-1", "asset": s(13), "organisation": s(14), "geometry": whole.buffer(3)}),
        "finds": frame({"id": "FND-81", "hazard_id": "H-1", "category": "ap_mine", "model": s(15), "qty": 1, "note": s(16), "geometry": shapely.Point(X + 3.21, Y + 4.56)}),
        "accidents": frame(
            {"id": "ACC-81", "date": day("2023-02-02"), "cause": "mine", "killed": 1, "activity_at_time": s(17), "note": s(18), "safe_to_publish": False, "geometry": shapely.Point(X + 20.7, Y + 11.9)},
            {"id": "ACC-82", "date": day("2023-02-03"), "cause": "mine", "injured": 2, "activity_at_time": s(19), "note": s(20), "safe_to_publish": True, "geometry": shapely.Point(X - 333.3, Y - 222.2)},
            {"id": "ACC-83", "date": day("2023-02-04"), "cause": "uxo_axo", "injured": 2, "note": s(21), "safe_to_publish": None, "geometry": shapely.Point(X - 433.3, Y - 122.2)},
        ),
        "samples": frame({"id": "QCS-81", "hazard_id": "H-1", "result": "passed", "inspector": s(22), "inspected": s(23), "geometry": shapely.Point(X - 7.7, Y - 3.3)}),
        "marks": frame(*({"id": i, "feature_id": "H-1", "point_type": kind, "note": s(24), "geometry": at} for i, kind, at in (("MRK-81", "landmark", lm), ("MRK-82", "benchmark", bm), ("MRK-83", "start", sp)))),
        "places": frame({"id": "P-1", "name": "Nümunə kəndi", "type": "settlement", "population": 731, "note": s(25), "geometry": shapely.Point(X + 900, Y + 900)}),
        "landuse": frame({"id": "L-1", "use": "arable", "note": s(26), "geometry": box(-500, -800, 300, 300)},
                         {"id": "L-2", "use": "arable", "note": s(27), "geometry": shapely.union_all([star(700, 300, seed=seed + 1), box(690, 290, 200, 200)])}),
        "tracks": frame({"id": "TRK-81", "task_id": "TSK-81", "note": s(28), "geometry": shapely.LineString([(X + 1.37, Y + 2.73), (X + 31.7, Y + 22.9)])}),
        "victims": frame({"id": "VIC-81", "person": s(29), "geometry": shapely.Point(X + 21.7, Y + 12.9)}),
    }  # fmt: skip
    from geotools.model.provenance import InputFile

    return Survey(
        "Sample programme (synthetic)", layers, programme=Programme(name="Sample programme (synthetic)", limits=limits),
        inputs=(InputFile(name=f"{s(30)}.gpkg", bytes=1, sha256="0" * 64),),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ turning a package inside out

_BLOCK = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")


def pieces(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Every byte string that a reader could get out of a file: as it is, unzipped, inflated, decoded, page by page."""
    yield name, data
    if data[:2] == b"PK":
        yield f"{name}!tail", data[-66_000:]
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            yield (
                f"{name}!comment",
                book.comment + "".join(f"{i.filename}{i.comment}{i.extra}" for i in book.infolist()).encode(),
            )
            for member in book.namelist():
                yield from pieces(book.read(member), f"{name}/{member}")
    elif data[:2] == b"\x1f\x8b":
        yield f"{name}:gunzip", gzip.decompress(data)
    elif data[:4] == b"%PDF":
        import pypdf

        book = pypdf.PdfReader(io.BytesIO(data))
        yield f"{name}:text", "\n".join(page.extract_text() for page in book.pages).encode()
        yield f"{name}:about", repr(book.metadata).encode()
        for number in range(1, len(book.xref[0]) + 1):
            found = book.get_object(pypdf.generic.IndirectObject(number, 0, book))
            if isinstance(found, pypdf.generic.StreamObject):
                yield f"{name}:{number}", found.get_data()
    elif name.endswith((".html", ".js")):
        for number, block in enumerate(_BLOCK.findall(data)):
            raw = base64.b64decode(block + b"=" * (-len(block) % 4))
            yield from pieces(raw, f"{name}#{number}")


def everything(folder: Path) -> list[tuple[str, bytes]]:
    """All pieces of a package, its archive included."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    archive = folder.with_name(folder.name + ".zip")
    found = [
        piece
        for p in (*files, *([archive] if archive.exists() else []))
        for piece in pieces(p.read_bytes(), str(p.relative_to(folder.parent)))
    ]
    names = "\n".join(str(p.relative_to(folder.parent)) for p in files)
    return [*found, ("names", names.encode())]


_DECIMAL = re.compile(rb"\d{1,3}\.\d{6,}")
_MGRS = re.compile(rb"(\d{1,2}[C-X]) ?([A-Z]{2}) ?(\d{4,5}) ?(\d{4,5})(?!\d)")
_UTM = re.compile(rb"(?<!\d)(\d{6})(?:\.\d+)?[ ;,\t]+(\d{7})(?!\d)")
_DMS = re.compile(rb"(\d{1,3})(?: |\xc2\xb0 ?|d)(\d{1,2})(?:\.(\d{3,})|(?: |\xe2\x80\xb2 ?|' ?)(\d{1,2}\.\d{1,})?)")


class Watch:
    """Looks for positions in any notation: decimal degrees, degrees with minutes or seconds, MGRS, UTM, doubles of either byte order.

    Both coordinates of one place must stand together, within 2 cm: one alone is met by chance on any grid.
    """

    def __init__(self, places: np.ndarray) -> None:
        from scipy.spatial import cKDTree

        from geotools.space import crs

        self.tree = cKDTree(np.vstack([places, places[:, ::-1]]))
        lon, lat = places.T
        self.mgrs = {str(t).encode() for digits in (4, 5) for t in np.atleast_1d(crs.to_mgrs(lon, lat, digits=digits))}
        texts = [str(t).split()[1:] for t in np.atleast_1d(crs.to_utm(lon, lat, decimals=1))]
        self.utm = {
            (str(int(float(e)) + a).encode(), str(int(float(n)) + b).encode())
            for e, n in texts
            for a in (0, 1)
            for b in (0, 1)
        }

    def seen(self, data: bytes) -> object:
        """The first trace of a watched position, or None."""
        for hit in _MGRS.finditer(data):
            if hit[1] + hit[2] + hit[3] + hit[4] in self.mgrs:
                return hit[0]
        for hit in _UTM.finditer(data):
            if (hit[1], hit[2]) in self.utm:
                return hit[0]
        decimals = np.array([float(hit[0]) for hit in _DECIMAL.finditer(data)])
        found = [
            float(h[1]) + (float(h[2] + b"." + (h[3] or b"0")) + float(h[4] or 0) / 60) / 60
            for h in _DMS.finditer(data)
            if h[3] or h[4]
        ]
        for numbers, tolerance in ((decimals, 2e-7), (np.array(found), 3e-6)):
            trace = self.pairs(numbers, tolerance)
            if trace is not None:
                return trace
        for shift in range(8):
            body = data[shift : shift + (len(data) - shift) // 8 * 8]
            for order in ("<f8", ">f8"):
                with np.errstate(all="ignore"):
                    trace = self.pairs(np.frombuffer(body, dtype=order).astype(float), 2e-7)
                if trace is not None:
                    return trace
        return None

    def pairs(self, numbers: np.ndarray, tolerance: float) -> object:
        if len(numbers) < 2:
            return None
        both = np.column_stack([numbers[:-1], numbers[1:]])
        with np.errstate(all="ignore"):
            both = both[
                np.isfinite(both).all(axis=1) & (np.abs(both) < 181).all(axis=1) & (np.abs(both) > 1).all(axis=1)
            ]
        if not len(both):
            return None
        apart, _ = self.tree.query(both, distance_upper_bound=tolerance)
        return tuple(both[np.argmin(apart)].tolist()) if np.isfinite(apart).any() else None


@pytest.fixture(scope="session")
def kit() -> Any:
    """The makers above as one namespace."""
    return SimpleNamespace(
        survey=survey,
        everything=everything,
        watch=Watch,
        box=box,
        star=star,
        frame=frame,
        hostile=HOSTILE,
        x=X,
        y=Y,
        utm=UTM,
        pieces=pieces,
    )


@pytest.fixture(autouse=True)
def stated_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
