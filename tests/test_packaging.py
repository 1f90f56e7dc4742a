"""What is shipped: the versions it says it runs with, how large it is, and what starting it costs."""

from __future__ import annotations

import functools
import io
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import Version

import geotools as gt

ROOT = Path(__file__).parents[1]
PACKAGE = Path(gt.__file__).parent
CONSTRAINTS = Path(__file__).parent / "constraints"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WHEEL_MB = 1.8
HEAVY = "numpy pandas geopandas shapely rasterio pyogrio pyproj folium matplotlib scipy pyarrow rich numba dask"


def _bounds() -> dict[str, Version]:
    """Lower bound of each library that users or tests need; the same in every extra."""
    extras = PROJECT["optional-dependencies"]
    texts = [
        *PROJECT["dependencies"],
        *(text for name in extras if name not in ("lint", "all") for text in extras[name]),
    ]
    bounds: dict[str, Version] = {}
    for required in map(Requirement, texts):
        (lower,) = [Specifier(str(s)) for s in required.specifier]
        assert lower.operator == ">=", f"{required}: a lower bound and nothing else"
        bound = Version(lower.version)
        assert bounds.setdefault(canonicalize_name(required.name), bound) == bound, f"{required}: two bounds"
    return bounds


def _pins(name: str) -> dict[str, Version]:
    lines = [line for line in (CONSTRAINTS / name).read_text("utf-8").splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line) for line in lines), (
        "names and versions, no options, no addresses"
    )
    assert len({line.split("==")[0] for line in lines}) == len(lines)
    return {line.split("==")[0]: Version(line.split("==")[1]) for line in lines}


def test_the_oldest_set_is_what_the_project_promises() -> None:
    assert _pins("oldest.txt") == _bounds()


def test_the_newest_set_is_whole_and_newer() -> None:
    newest, bounds = _pins("newest.txt"), _bounds()
    assert newest.keys() == bounds.keys()
    assert {name: str(pin) for name, pin in newest.items() if pin < bounds[name]} == {}


def test_no_file_of_the_release_names_a_package_index() -> None:
    """Constraints are pins and comments, nothing else; the other files give pip no place to look."""
    for path in CONSTRAINTS.iterdir():
        lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
        assert all(re.fullmatch(r"[\w.\[\],-]+==[\w.]+", line) for line in lines), path.name
    option = re.compile(r"--(extra-)?index|--find-links|--trusted-host", re.IGNORECASE)
    for path in (ROOT / "pyproject.toml", ROOT / "README.md"):
        assert not option.search(path.read_text("utf-8")), path.name


def test_extras_are_all_in_all() -> None:
    extras = PROJECT["optional-dependencies"]
    (whole,) = extras["all"]
    assert Requirement(whole).extras == set(extras) - {"test", "lint", "all"}


def test_a_wheel_stays_small() -> None:
    """As a wheel packs it; what a bad line delivers in the field."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path in sorted(PACKAGE.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                wheel.write(path, path.relative_to(PACKAGE.parent))
    assert len(stream.getvalue()) < WHEEL_MB * 1e6, f"{len(stream.getvalue()) / 1e6:.2f} MB"


@functools.cache
def _cost(code: str) -> tuple[int, float, set[str]]:
    """Modules loaded, CPU seconds (the best of three) and heavy libraries among them, of a fresh interpreter."""
    tail = f"\nimport sys, time; print(len(sys.modules), time.process_time(), *(set({HEAVY!r}.split()) & set(sys.modules)))"
    seen = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
        modules, seconds, *heavy = done.stdout.splitlines()[-1].split()
        seen.append((int(modules), float(seconds), set(heavy)))
    return min(seen, key=lambda row: row[1])


def _command(*words: str) -> str:
    return f"import sys; sys.argv = {['geotools', *words]!r}\nfrom geotools.cli import main\ntry: main()\nexcept SystemExit: pass"


ALL_COMMANDS = "import importlib\nfrom geotools.cli.main import COMMANDS\nfor row in COMMANDS.values(): importlib.import_module(row[0].split(':')[0])"


@pytest.mark.parametrize(
    ("code", "modules", "seconds"),
    [
        ("import geotools", 60, 0.15),  # beyond a bare interpreter: modules, CPU seconds
        (_command("--version"), 190, 0.3),
        (_command("--help"), 190, 0.3),
        (_command("coverage", "--help"), 150, 0.3),
        (ALL_COMMANDS, 220, 0.5),
    ],
    ids=["import", "version", "help", "help of a command", "all commands"],
)
def test_starting_costs_little(code: str, modules: int, seconds: float) -> None:
    bare, idle, _ = _cost("")
    loaded, spent, heavy = _cost(code)
    assert not heavy
    assert loaded - bare <= modules
    assert spent - idle < seconds


def test_the_ledger_loads_neither_maps_nor_extras() -> None:
    loaded, _, heavy = _cost("import geotools as gt; gt.open_survey, gt.read, gt.check, gt.coverage")
    assert not heavy & {"folium", "matplotlib", "scipy", "rasterio", "numba", "dask", "rich"}
    assert loaded < 1100
