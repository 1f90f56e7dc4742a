"""A process that has imported everything and forks a child for each call: a fault costs milliseconds, not an import.

Run by `conftest.Server`, one JSON line per request. The child may give up its rights, its room on the disk or its life at the
n-th change of a file. Not for anything but tests.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
from typing import Any

CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink", "tempfile.mkdtemp", "tempfile.mkstemp", "sqlite3.connect", "shutil.move", "shutil.rmtree"}  # fmt: skip


def warm() -> None:
    """Import all that commands import, so that children do not."""
    import geotools

    for found in pkgutil.walk_packages(geotools.__path__, "geotools."):
        if ".assets" not in found.name:
            importlib.import_module(found.name)
    for name in ("openpyxl", "pypdf", "segno", "matplotlib.pyplot", "matplotlib.backends.backend_pdf", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "folium.plugins", "sklearn.ensemble", "sklearn.linear_model", "ortools.sat.python.cp_model", "pyxform", "PIL.Image", "pyogrio._io", "rasterio.features", "rasterio.warp", "scipy.spatial", "scipy.ndimage", "scipy.stats", "pyarrow.parquet", "numba", "nbformat"):  # fmt: skip
        try:
            importlib.import_module(name)
        except ImportError:
            continue


SEEN: list[str] = []


def watch(folder: str, number: int, what: str) -> None:
    """At the n-th change of a file below `folder`: die (`kill`), or fail as a full or a failing disk does (`ENOSPC`, `EIO`)."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
                return
            places = [path]
        elif event in CHANGES:
            places = list(args)
        else:
            return
        texts = [os.fsdecode(p) for p in places if isinstance(p, str | bytes | os.PathLike)]
        if not any(t.startswith(folder) for t in texts):
            return
        SEEN.append(event)
        if len(SEEN) == number:
            if what == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(getattr(errno, what), os.strerror(getattr(errno, what)))

    sys.addaudithook(hook)


def drop_rights() -> None:
    """Root without capabilities: modes of files hold as for anybody. (For others there is nothing to drop.)"""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    if libc.capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)())):
        raise OSError(ctypes.get_errno(), "capset")


def child(request: dict[str, Any]) -> int:
    """Carry out one call; its exit code."""
    os.setsid()
    for number, name in ((1, "stdout"), (2, "stderr")):
        place = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(place, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    os.environ.update(request.get("env", {}))
    if request.get("cwd"):
        os.chdir(request["cwd"])
    if "bytes" in request:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["bytes"], request["bytes"]))
    if "memory" in request:
        resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
    if request.get("no_rights"):
        drop_rights()
    if "fault" in request:
        watch(*request["fault"])
    from geotools.cli.main import main

    code = 0
    try:
        main(request["words"])
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    if "fault" in request:
        print(f"changes={len(SEEN)}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def serve() -> None:
    """Answer requests until the input ends: start → process id; wait → how it ended."""
    warm()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status, used = os.wait4(request["wait"], 0)
            answer = {
                "code": os.waitstatus_to_exitcode(status),
                "cpu": used.ru_utime + used.ru_stime,
                "rss": used.ru_maxrss * 1024,
            }
        else:
            sys.stdout.flush()
            pid = os.fork()
            if pid == 0:
                code = 70
                try:
                    code = child(request)
                except BaseException:
                    import traceback

                    traceback.print_exc()
                finally:
                    os._exit(code)
            answer = {"pid": pid}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
