"""kill -9 while a return is merged: the merged file is absent, the old one, or the new one, never half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest

import geotools as gt

SERVER = """
import os, sys
from geotools.cli.main import cli
from click.testing import CliRunner
arguments = ["field", "merge", *sys.argv[1:4], "-o", sys.argv[4], "--overwrite"]
done = CliRunner().invoke(cli, [*arguments[:-2], sys.argv[4] + ".warm.gpkg"])
assert done.exit_code == 0, done.output
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        CliRunner().invoke(cli, arguments)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_while_merging(tmp_path: Path, make: Any) -> None:
    rows = [make.hazard(f"H-{n:03d}", make.square(120 * n)) for n in range(150)]
    base = make.frame(*rows)
    files = [tmp_path / f"{name}.gpkg" for name in ("base", "ours", "theirs")]
    for file, frame in zip(files, (base, base.assign(status="closed"), base.assign(contamination="av")), strict=True):
        gt.write(frame, file, layer="hazards")
        gt.write(make.frame(make.release("R-1")), file, layer="releases")
    out = tmp_path / "merged.gpkg"
    random, killed, seen = np.random.default_rng(1), 0, set()
    command = [sys.executable, "-c", SERVER, *map(str, files), str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout

        def start() -> int:
            server.stdin.write("go\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        start()
        began = time.perf_counter()
        server.stdout.readline()
        lasts = time.perf_counter() - began
        for _ in range(100):
            if killed >= 50:
                break
            if random.random() < 0.3:
                out.unlink(missing_ok=True)
            child = start()
            time.sleep(float(random.uniform(0.2, 1.0)) * lasts)
            try:
                os.kill(child, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass
            assert server.stdout.readline().strip() == "ended"
            seen.add(out.exists())
            if out.exists():
                assert sorted(name for name, _ in pyogrio.list_layers(out)) == ["hazards", "releases"]
                assert len(gt.read(out, "hazards", layer="hazards")) == 150
        server.communicate(timeout=60)
    assert killed >= 50
    assert True in seen
