"""A store of each sort, made fresh: every test that asks for `store` runs on the GeoPackage and on PostGIS."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from geotools.io import store as stores
from geotools.io.store import chain
from geotools.io.store.postgis import PostGIS
from tests.conftest import frame, hazard, release, square
from tests.postgis import cluster, new_postgis, postgis_url  # noqa: F401  (fixtures)

BACKENDS = [pytest.param("gpkg", id="gpkg"), pytest.param("postgis", id="postgis", marks=pytest.mark.postgis)]


@pytest.fixture(params=BACKENDS)
def place(request, tmp_path):
    """Where a store may be made."""
    if request.param == "gpkg":
        return str(tmp_path / "programme.gpkg")
    return request.getfixturevalue("postgis_url")


@pytest.fixture
def make():
    """The factories of the whole suite."""
    return SimpleNamespace(square=square, hazard=hazard, release=release, frame=frame)


@pytest.fixture
def store(place, clock):
    clock("2024-01-01")
    with stores.init(place, author="A. Officer (synthetic)", name="Test programme") as made:
        yield made


@pytest.fixture
def clock(monkeypatch):
    """Set the time of the next revisions, by this machine's clock and the server's, and the date of products."""

    def to(text):
        stamp = pd.Timestamp(text)
        stamp = (stamp.tz_localize("UTC") if stamp.tz is None else stamp).to_pydatetime()
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(stamp.timestamp())))
        monkeypatch.setattr(chain, "clock", lambda: stamp)
        monkeypatch.setattr(PostGIS, "now", lambda _: stamp)

    return to
