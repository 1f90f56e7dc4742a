"""A PostGIS cluster of its own for tests: made in a temporary folder, reached over a socket in it, ended by its process id.

Use: `from tests.postgis import cluster, postgis_url` in a test file; the fixtures skip with a reason where PostgreSQL with
PostGIS is not installed (a failure under GEOTOOLS_REQUIRE=all). One cluster serves a whole session, each test gets a database.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/bin", "/usr/local/bin")
TEMPLATE = "postgis_template"
SETTINGS = (
    "listen_addresses=", "max_connections=60", "shared_buffers=256MB", "maintenance_work_mem=256MB", "work_mem=32MB",
    "max_wal_size=4GB", "checkpoint_timeout=15min", "log_min_messages=fatal", "wal_level=minimal", "max_wal_senders=0",
)  # fmt: skip


def binaries() -> Path | None:
    """Folder of the newest PostgreSQL server programs on this machine."""
    found = [p for place in PLACES for p in Path("/").glob(place.lstrip("/"))]
    whole = [p for p in found if all((p / name).is_file() for name in ("initdb", "postgres", "pg_isready"))]
    return max(whole, key=lambda p: float("".join(c for c in p.parent.name if c in "0123456789.") or 0), default=None)


def _as_nobody() -> tuple[list[str], int, int]:
    """PostgreSQL refuses to run as root: the words that step down, and the ids that own its folder."""
    if os.geteuid() != 0:
        return [], os.geteuid(), os.getegid()
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user.pw_uid, user.pw_gid


@dataclass
class Cluster:
    """A running server; `url(name)` reaches a database, `restart()` stops it at once, as a power cut would, and starts it again."""

    folder: Path
    bin: Path
    step_down: list[str]
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "postgres", user: str = "owner") -> str:
        """Connection URL over the socket."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = [word for text in (*SETTINGS, f"unix_socket_directories={self.folder}") for word in ("-c", text)]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*self.step_down, str(self.bin / "postgres"), "-D", str(self.folder / "data"), *settings],
                stdout=log, stderr=log, start_new_session=True, cwd=self.folder,
            )  # fmt: skip
        for _ in range(600):
            answered = subprocess.run(
                [str(self.bin / "pg_isready"), "-q", "-h", str(self.folder)], check=False, cwd=self.folder
            ).returncode
            if answered == 0:
                return
            if self._server.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError((self.folder / "log").read_text("utf-8", "replace")[-2000:])

    def stop(self, *, at_once: bool = False) -> None:
        """End the server by its own process id; `at_once` loses what is not on disk, as a power cut does."""
        if self._server.poll() is None:
            os.kill(self._server.pid, signal.SIGQUIT if at_once else signal.SIGINT)
            self._server.wait(timeout=60)

    def restart(self) -> None:
        """Stop at once and start again."""
        self.stop(at_once=True)
        self.start()

    def run(self, statement: str, database: str = "postgres") -> None:
        """One statement as the owner, outside a transaction."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)

    def database(self) -> str:
        """A new database with PostGIS; its name."""
        name = f"test{next(self.numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}')
        return name


def launch() -> Cluster:
    """Make and start a cluster.

    Raises
    ------
    RuntimeError
        If there is no server or no PostGIS on this machine; the text says which Debian package brings it.
    """
    programs = binaries()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed (Debian: postgresql-15-postgis-3)")
    folder = Path(tempfile.mkdtemp(prefix="gtpg", dir="/tmp"))
    words, user, group = _as_nobody()
    os.chown(folder, user, group)
    folder.chmod(0o755)
    cluster = Cluster(folder, programs, words)
    try:
        make = [*words, str(programs / "initdb"), "-D", str(folder / "data"), "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]  # fmt: skip
        done = subprocess.run(make, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            raise RuntimeError(done.stderr)
        cluster.start()
        cluster.run(f"CREATE DATABASE {TEMPLATE}")
        try:
            cluster.run("CREATE EXTENSION postgis", TEMPLATE)
        except Exception as error:
            raise RuntimeError(f"PostGIS is not installed (Debian: postgresql-15-postgis-3): {error}") from None
    except BaseException:
        if hasattr(cluster, "_server"):
            cluster.stop(at_once=True)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One server for all tests of a run."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    try:
        server = launch()
    except RuntimeError as error:
        pytest.skip(str(error)[-300:])
    yield server
    server.stop(at_once=True)
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def postgis_url(cluster: Cluster) -> Iterator[str]:
    """A fresh database with PostGIS, dropped afterwards."""
    name = cluster.database()
    yield cluster.url(name)
    cluster.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def new_postgis(cluster: Cluster) -> Iterator[Callable[[], str]]:
    """A maker of fresh databases, dropped afterwards."""
    made: list[str] = []

    def make() -> str:
        made.append(cluster.database())
        return cluster.url(made[-1])

    yield make
    for name in made:
        cluster.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
