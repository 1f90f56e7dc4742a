"""Annotations tell the truth at run time: the main path on the sample district, every call of the package checked by typeguard.

The whole default suite is run the same way on request: pytest -n 2 --typeguard-packages=geotools
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[1] / "sample_data" / "fuzuli"
MAIN_PATH = """
import sys
from pathlib import Path
from traceback import extract_stack

import typeguard

told = set()

def tell(error, memo):
    place = [frame for frame in extract_stack() if "geotools" in frame.filename and "typeguard" not in frame.filename][-1]
    told.add(f"{place.filename}:{place.lineno}: {error}")

typeguard.config.collection_check_strategy = typeguard.CollectionCheckStrategy.ALL_ITEMS
typeguard.config.typecheck_fail_callback = tell
typeguard.install_import_hook(["geotools"])

import geotools as gt

source, folder = sys.argv[1], Path(sys.argv[2])
survey = gt.open_survey(source)
coverage = gt.coverage(survey.hazards, survey.releases, as_of="2025-06-30")
gt.check(survey)
gt.webmap.save(gt.map(survey, coverage=coverage), folder / "map.html")
for name in ("h.gpkg", "h.geojson", "h.fgb", "h.parquet"):
    gt.write(survey.hazards, folder / name)
    gt.read(folder / name)
print(*sorted(told), sep="\\n")
"""


@pytest.mark.slow
def test_the_main_path_keeps_every_annotation(tmp_path: Path) -> None:
    pytest.importorskip("typeguard")
    done = subprocess.run(
        [sys.executable, "-B", "-c", MAIN_PATH, SAMPLE, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stdout.strip(), done.stdout
    assert (tmp_path / "map.html").stat().st_size > 100_000
