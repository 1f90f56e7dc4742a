"""The house stands: layers, exports, laziness, no printing, no words that do not belong."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import geotools as gt
from geotools._exports import MODULES, VERBS
from geotools.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
PACKAGE = Path(gt.__file__).parent  # beside the tests, or installed elsewhere from a wheel
SOURCES = sorted(PACKAGE.rglob("*.py"))


def test_imports_go_downward_only() -> None:
    pytest.importorskip("importlinter")
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--config", "pyproject.toml", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_public_names_are_pinned_and_load() -> None:
    assert set(gt.__all__) == {*MODULES, *VERBS, "__version__"}
    for name in gt.__all__:
        assert getattr(gt, name) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'unknown'"):
        gt.unknown


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_loads_and_shows_help_with_an_example(name: str) -> None:
    from click.testing import CliRunner

    from geotools.cli.main import cli

    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    module, attribute = COMMANDS[name][0].split(":")
    command = getattr(importlib.import_module(module), attribute)
    epilogs = [command.epilog or ""]
    if hasattr(command, "commands"):
        assert command.commands, name
        epilogs = [sub.epilog or "" for sub in command.commands.values()]
    assert all("Example" in text for text in epilogs), f"{name}: every command shows an example"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv=['geotools','--help']\n"
        "from geotools.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy={'numpy','pandas','geopandas','shapely','rasterio','folium','matplotlib','scipy','pyproj','rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import time; assert time.process_time() < 0.3, time.process_time()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_import_of_the_package_is_light() -> None:
    code = "import sys, geotools; assert not {'numpy','geopandas'} & set(sys.modules); import geotools.model.errors"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_source_manners(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "a file's head says what it is for"
    assert path.stem not in {"utils", "helpers", "common"}
    library = "cli" not in path.relative_to(PACKAGE).parts
    for node in ast.walk(tree):
        names = {a.name.split(".")[0] for a in node.names} if isinstance(node, ast.Import) else set()
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {node.module.split(".")[0]}
        assert not names & {"pickle", "marshal", "requests", "urllib3", "socket"}, f"line {node.lineno}"
        if library:
            assert "click" not in names, f"line {node.lineno}: the library does not know the command line"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec"}, f"line {node.lineno}"
            if library:
                assert node.func.id != "print", f"line {node.lineno}: the library never prints"


def test_docstring_examples_run(pytestconfig: pytest.Config) -> None:
    """Every example in a docstring is executed; what this run says of warnings holds for them, too."""
    said = [word for rule in pytestconfig.getoption("pythonwarnings") or () for word in ("-W", rule)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "--doctest-modules", PACKAGE, "-q", "-p", "no:cacheprovider", "-o", "addopts=", *said, f"--ignore={PACKAGE}/maps/webmap/assets"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
