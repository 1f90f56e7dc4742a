"""The compiled tests of outlines, loaded by a command: the same answers, and no module stays hidden."""

import subprocess
import sys

import pytest

pytest.importorskip("numba")

FRESH = """
import sys
from geotools.space import compiled

compiled.load()
compiled.load()
print(sorted(name for name in sys.modules if name.startswith("scipy.linalg")))
import numpy as np
import shapely
from scipy.linalg import cython_blas
from geotools.space.outlines import Outlines

assert "dgemm" in cython_blas.__pyx_capi__
star = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
print(Outlines(np.array([shapely.box(0, 0, 1, 1), star])).clean.tolist())
import numba


@numba.njit
def product(a, b):
    return np.dot(a, b)


print(product(np.eye(2), np.ones((2, 2))).tolist())
"""


def test_loading_for_a_command_leaves_out_linear_algebra_and_nothing_else():
    done = subprocess.run([sys.executable, "-W", "error", "-c", FRESH], check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[:3] == ["[]", "[True, False]", "[[1.0, 1.0], [1.0, 1.0]]"]
    assert not done.stderr
