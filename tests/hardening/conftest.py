"""A small survey, a district with one of everything, the command line in processes of its own, and the tally of faults."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

import geotools as package

X, Y = 683_000.0, 4_385_000.0
UTM = "EPSG:32638"
NOON = "1780315200"  # 2026-06-01T12:00:00Z
WORDS = [sys.executable, "-c", "from geotools.cli import main; main()"]


def square(x: float, side: float = 100.0) -> shapely.Polygon:
    return shapely.box(X + x, Y, X + x + side, Y + side)


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    folder = tmp_path / "survey"
    folder.mkdir()
    hazards = gpd.GeoDataFrame(
        {"id": ["İ-1", "ı-2"], "classification": ["CHA", "SHA"], "status": ["open", "open"], "date_info": ["2021-03-04", "04.03.2021"]},
        geometry=[square(0), square(300)], crs=UTM,
    )  # fmt: skip
    releases = gpd.GeoDataFrame(
        {"id": ["R-1", "R-2"], "hazard_id": ["İ-1", "ı-2"], "product": ["Təmizlənmiş", "REDUCED"], "method": ["MANUAL", "nts"],
         "date": ["2024-05-01", "2024-06-01"], "depth_cm": [20, None]},
        geometry=[square(0, 50.0), square(300, 70.0)], crs=UTM,
    )  # fmt: skip
    hazards.to_file(folder / "hazards.gpkg", layer="hazards")
    releases.to_file(folder / "releases.geojson")
    heights(folder / "dem.tif")
    return folder


def heights(path: Path) -> None:
    from geotools.io.rasters import write_raster
    from geotools.space.grid import Grid, Raster

    values = np.add.outer(np.arange(60.0), np.arange(80.0)).astype("float32")
    write_raster(Raster(values, Grid(X - 200, Y + 400, 10, values.shape, UTM), name="height"), path)


@pytest.fixture
def geotools() -> Callable[..., subprocess.CompletedProcess]:
    def call(*arguments: object, code: int | None = 0, **surroundings: str) -> subprocess.CompletedProcess:
        """Run a command under other environment variables; no trace, whatever happens."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "SOURCE_DATE_EPOCH": NOON,
            **surroundings,
        }
        done = subprocess.run(
            [*WORDS, *(os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments)],
            capture_output=True, env=environment, timeout=120, check=False,
        )  # fmt: skip
        assert b"Traceback" not in done.stderr, done.stderr.decode("utf-8", "replace")
        assert code is None or done.returncode == code, done.stderr.decode("utf-8", "replace")
        return done

    return call


# ------------------------------------------------------------------------------------------------ the tally


@dataclass
class Tally:
    """What a test did to the software, for the line at the end of a run (see `tests/conftest.py`)."""

    faults: int = 0
    inputs: int = 0
    tracebacks: int = 0
    half_files: int = 0

    def no_trace(self, text: str) -> None:
        """Fail if a trace, or an error that nobody wrote a sentence for, reached the user."""
        if "Traceback" in text or UNPLANNED.search(text):
            self.tracebacks += 1
            raise AssertionError(text[-3000:])

    def is_whole(self, sound: bool, what: object = "") -> None:
        """Fail if something is half there."""
        if not sound:
            self.half_files += 1
            raise AssertionError(f"half a file: {what}")


# The last wall of the command line names the class of an exception that was not raised on purpose.
UNPLANNED = re.compile(r"^error: [A-Za-z_.]*(?:Error|Exception|Iteration|Interrupt|Warning)\b:", re.MULTILINE)


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Iterator[Tally]:
    made = Tally()
    yield made
    for name, count in vars(made).items():
        record_property(f"hardening:{name}", count)


# ------------------------------------------------------------------------------------------------ calls at little cost


@dataclass
class Ended:
    """How a call ended: exit code (negative: the signal), what it said, and what it cost."""

    code: int
    said: str
    cpu: float
    bytes: int


@dataclass
class Server:
    """Calls of the command line as forks of a process that has imported everything (`server.py`)."""

    folder: Path
    process: subprocess.Popen = field(init=False)
    numbers: int = 0

    def __post_init__(self) -> None:
        place = Path(__file__).with_name("server.py")
        said = self.folder / "server.err"
        with said.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                env=os.environ | {"SOURCE_DATE_EPOCH": NOON, "MPLBACKEND": "agg", "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(Path(package.__file__).parents[1])}, cwd=self.folder,
            )  # fmt: skip
        assert self.process.stdout
        assert "ready" in self.process.stdout.readline(), said.read_text("utf-8", "replace")[-3000:]

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def start(self, words: list[str], **how: Any) -> tuple[int, Path]:
        """Begin a call; its process id, and where its words on stderr go."""
        self.numbers += 1
        said = self.folder / f"{self.numbers}.err"
        answer = self._ask(words=words, stdout=str(said.with_suffix(".out")), stderr=str(said), **how)
        return answer["pid"], said

    def wait(self, started: tuple[int, Path]) -> Ended:
        """The end of a call."""
        answer = self._ask(wait=started[0])
        text = started[1].read_text("utf-8", "replace") if started[1].exists() else ""
        for file in (started[1], started[1].with_suffix(".out")):
            file.unlink(missing_ok=True)
        return Ended(answer["code"], text, answer["cpu"], answer["rss"])

    def call(self, words: list[str], **how: Any) -> Ended:
        """A call from beginning to end."""
        return self.wait(self.start(words, **how))

    def end(self) -> None:
        """Let it go."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("server"))
    yield made
    made.end()


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Survey and more, never written to."""
    from .district import build

    return build(tmp_path_factory.mktemp("district"))


@pytest.fixture(scope="session")
def other_district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same names with other records, for what was there before."""
    from .district import altered, build

    return altered(build(tmp_path_factory.mktemp("other")))


@dataclass
class Disk:
    """A folder on a disk of its own, whose size can be set; `limited` says whether that is so."""

    folder: Path
    limited: bool

    def resize(self, size: int, *, read_only: bool = False) -> None:
        """Room for `size` bytes."""
        if self.limited:
            words = f"remount,size={max(size, 4096)},{'ro' if read_only else 'rw'}"
            subprocess.run(["mount", "-o", words, str(self.folder)], check=True, capture_output=True)


@pytest.fixture(scope="session")
def disk() -> Iterator[Disk]:
    """A small disk in memory where the tests may mount one; else a folder, and the calls get a limit on the size of files."""
    folder = Path(tempfile.mkdtemp(prefix="geotools-disk-"))
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)], capture_output=True, check=False) if os.geteuid() == 0 else None  # fmt: skip
    mounted = done is not None and done.returncode == 0
    yield Disk(folder, mounted)
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def trials(
    server: Server, district: Path, other_district: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Any], Any]:
    """The trial of a command, its sound results made once."""
    from .faulty import Trial

    made: dict[str, Trial] = {}

    def of(writer: Any) -> Trial:
        if writer.label not in made:
            made[writer.label] = Trial(writer, server, (district, other_district), tmp_path_factory.mktemp("trial"))
        return made[writer.label]

    return of


@pytest.fixture
def trial(writer: Any, trials: Callable[[Any], Any]) -> Any:
    return trials(writer)
