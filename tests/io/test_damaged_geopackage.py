"""A GeoPackage cut off or overwritten anywhere: refused in plain words with what to do, or every row is there; no noise."""

from __future__ import annotations

import re
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geotools import io
from geotools.model.errors import CRSError, ReadError

INSIDE = re.compile(r"sqlite|\bsql|select|gpkg_|gdal|\bogr|pyogrio|errno|rtree|\(\)", re.IGNORECASE)
PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    x = 683_000.0 + 120.0 * np.arange(400)
    frame = gpd.GeoDataFrame(
        {"id": [f"H-{i}" for i in range(400)]}, geometry=shapely.box(x, 4_385_000, x + 100, 4_385_100), crs="EPSG:32638"
    )
    path = tmp_path_factory.mktemp("whole") / "hazards.gpkg"
    return io.write(frame, path).read_bytes()


def refused_or_complete(path) -> bool:
    """Whether it was refused; demands plain words."""
    refusals = 0
    for call in (io.layers, lambda p: io.read_with_issues(p, "hazards")):
        try:
            found = call(path)
        except (ReadError, CRSError) as error:  # the page that says the reference system may be the one
            assert not INSIDE.search(f"{error.message} {error.hint}"), error
            assert error.hint
            assert error.file == "hazards.gpkg"
            refusals += 1
        else:
            assert found == ["hazards"] or len(found[0]) == 400
    return refusals > 0


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_cut_off(share, whole, tmp_path):
    path = tmp_path / "hazards.gpkg"
    path.write_bytes(whole[: int(len(whole) * share)])
    assert refused_or_complete(path)
    assert [p.name for p in tmp_path.iterdir()] == ["hazards.gpkg"]


def test_any_page_overwritten(whole, tmp_path):
    path = tmp_path / "hazards.gpkg"
    refused = 0
    for number in range(len(whole) // PAGE):
        path.write_bytes(whole[: number * PAGE] + b"\xa5" * PAGE + whole[(number + 1) * PAGE :])
        refused += refused_or_complete(path)
    assert refused > 5


def test_nothing_else_is_printed(whole, tmp_path):
    """Warnings shown to people are of their files, not of libraries."""
    (tmp_path / "hazards.gpkg").write_bytes(whole[:9000])
    words = [
        sys.executable,
        "-W",
        "always::RuntimeWarning",
        "-c",
        "from geotools.cli import main; main()",
        "info",
        str(tmp_path / "hazards.gpkg"),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert [line.split(":")[0] for line in done.stderr.splitlines() if line.strip()] == ["error", "hint"], done.stderr
    assert not INSIDE.search(done.stderr.replace(str(tmp_path), ""))
