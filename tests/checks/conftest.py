"""The synthetic programme and the defects, as fixtures."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pyproj
import pytest


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"checks_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SYNTHETIC, DEFECTS = _load("synthetic"), _load("defects")
_FROM_PULKOVO = pyproj.Transformer.from_crs(4284, 4326, always_xy=True)
_UTM = pyproj.Transformer.from_crs(4326, 32638, always_xy=True)


def pulkovo_plotted_as_wgs84(xy: np.ndarray) -> np.ndarray:
    """Where UTM places would plot had their Pulkovo 1942 degrees been read as WGS 84."""
    lon, lat = _UTM.transform(xy[:, 0], xy[:, 1], direction="INVERSE")
    return np.column_stack(_UTM.transform(*_FROM_PULKOVO.transform(lon, lat, direction="INVERSE")))


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    return SYNTHETIC


@pytest.fixture(scope="session")
def defects() -> dict[str, Any]:
    return DEFECTS.DEFECTS


@pytest.fixture(scope="session")
def plant() -> Any:
    """plant(seed, names, cells, copies) → (frames, [(defect, code, kind, id)])."""

    def make(
        seed: int, names: list[str] | None = None, cells: int = 600, copies: int = 1
    ) -> tuple[Any, list[tuple[str, str, str, str]]]:
        world = SYNTHETIC.clean(seed, cells)
        tools = SimpleNamespace(lonlat=SYNTHETIC.lonlat, pulkovo_plotted_as_wgs84=pulkovo_plotted_as_wgs84)
        planter = DEFECTS.Planter(world, seed, tools)
        truth = []
        for name in names or list(DEFECTS.DEFECTS):
            for _ in range(copies):
                truth.append((name, *DEFECTS.DEFECTS[name](planter)))
        return SYNTHETIC.frames(world), truth

    return make
