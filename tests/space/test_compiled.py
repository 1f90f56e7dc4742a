"""The compiled tests of outlines, loaded by a command: the same answers, and no module stays hidden."""

import os
import subprocess
import sys

import pytest

from geotools.analysis.release import engine
from geotools.space import compiled

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


def test_what_was_compiled_is_known_where_numba_keeps_it(tmp_path, monkeypatch):
    code, users = tmp_path / "code", tmp_path / "users"
    code.mkdir()
    source = code / "outline.py"
    source.write_text("import numba\n\n\n@numba.njit(cache=True)\ndef outline(x):\n    return 2 * x\n")
    call = "import outline; outline.outline(1)"

    def compile_(**environment):
        surroundings = {**os.environ, "PYTHONPATH": str(code), "XDG_CACHE_HOME": str(users), **environment}
        subprocess.run([sys.executable, "-c", call], check=True, env=surroundings)

    for name, value in (("XDG_CACHE_HOME", users), ("HOME", tmp_path), ("LOCALAPPDATA", users)):
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    assert compiled.kept(source) is False
    compile_()
    assert compiled.kept(source) is True
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "named"))
    assert compiled.kept(source) is False
    compile_()
    assert compiled.kept(source) is True
    later = source.stat().st_mtime + 3600
    os.utime(source, (later, later))
    assert compiled.kept(source) is False  # of older code
    monkeypatch.setattr(compiled, "_writable", lambda folder: False)
    assert compiled.kept(source) is None


@pytest.mark.parametrize(("kept", "least"), [(True, 2_000), (False, 10_000), (None, 50_000)])
def test_compiling_is_only_done_where_it_pays(kept, least, monkeypatch):
    monkeypatch.setattr(engine, "_kept", lambda: kept)
    assert [engine.choose("auto", pairs) for pairs in (100, least - 1, least)] == ["geos", "geos", "sweep"]
