"""The same records give the same bytes whatever the machine's language, time zone, clock, hash seed, or names of files."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from .conftest import NOON, WORDS
from .locales import compiled

SURROUNDINGS = {
    "Turkish": {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "PYTHONUTF8": "0"},
    "Azerbaijani": {"LANG": "az_AZ.UTF-8", "LC_ALL": "az_AZ.UTF-8"},
    "ASCII only": {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii:backslashreplace"},
    "Kiritimati": {"TZ": "Pacific/Kiritimati"},
    "Los Angeles": {"TZ": "America/Los_Angeles", "PYTHONHASHSEED": "12345"},
    "no such zone": {"TZ": "Moon/Tycho", "PYTHONHASHSEED": "1"},
}


def tree(folder: Path) -> dict[str, str]:
    """Hash of every file whose bytes are promised to be the same."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix in (".csv", ".json", ".geojson", ".html")]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def expected(survey, geotools, tmp_path) -> dict[str, str]:
    geotools("run", survey, "-o", tmp_path / "plain", LC_ALL="C.UTF-8", TZ="UTC")
    return tree(tmp_path / "plain")


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SURROUNDINGS))
def test_language_zone_and_seed_change_nothing(name, survey, geotools, tmp_path, expected):
    geotools("run", survey, "-o", tmp_path / "out", **SURROUNDINGS[name])
    assert len(expected) > 5
    assert tree(tmp_path / "out") == expected


LOCAL = "import locale, sys; print(locale.setlocale(locale.LC_ALL, ''), locale.localeconv()['decimal_point'], file=sys.stderr); from geotools.cli import main; main()"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tr_TR", "az_AZ", "ru_RU", "de_DE"])
def test_a_program_that_set_its_locale_changes_nothing(name, survey, tmp_path, expected, tally):
    """As QGIS and desktop programs do: dotless i, decimal commas and other words for months in all of C's functions."""
    places = compiled(tmp_path)
    if not places:
        pytest.skip("there are no sources of locales on this machine: --benchmark-skip")
    language = f"{name}.UTF-8"
    environment = os.environ | places | {"LC_ALL": language, "LANG": language, "SOURCE_DATE_EPOCH": NOON}
    done = subprocess.run(
        [sys.executable, "-c", LOCAL, "run", str(survey), "-o", str(tmp_path / "out")], capture_output=True, text=True, env=environment, timeout=250
    )  # fmt: skip
    tally.faults += 1
    tally.no_trace(done.stderr)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"{language} ,"), done.stderr[:200]
    assert tree(tmp_path / "out") == expected


def test_dotless_i_is_understood_under_a_turkish_locale(survey, geotools):
    done = geotools("coverage", survey, "--json", **SURROUNDINGS["Turkish"])
    told = json.loads(done.stdout)
    assert told["totals"]["cleared_m2"] == pytest.approx(2500, rel=2e-3)
    assert told["totals"]["reduced_m2"] == pytest.approx(4900, rel=2e-3)
    assert sorted(row["id"] for row in told["hazards"]) == sorted(["İ-1", "ı-2"])


@pytest.mark.parametrize(
    "epoch", ["0", "1", "4102444800", "253402300799", "253402300800", "9" * 40, "²", "nonsense", "-5"]
)
def test_a_clock_that_jumps_stops_nothing(epoch, survey, geotools):
    done = geotools("coverage", survey, "--json", SOURCE_DATE_EPOCH=epoch)
    assert json.loads(done.stdout)["totals"]["cleared_m2"] > 0


def test_names_of_files_that_are_no_text_are_read_or_refused_in_a_sentence(survey, geotools, tmp_path):
    odd = os.fsencode(survey) + b"/hazards_\xff\xfe.gpkg"
    try:
        Path(os.fsdecode(odd)).write_bytes((survey / "hazards.gpkg").read_bytes())
    except OSError:
        pytest.skip("this disk takes no such names: --benchmark-skip")
    for words in (["info", survey], ["info", Path(os.fsdecode(odd))], ["coverage", survey, "--json"]):
        done = geotools(*words, code=None)
        assert done.returncode in (0, 3)


def test_a_very_long_path_is_written_or_refused_in_a_sentence(survey, geotools, tmp_path):
    deep = tmp_path.joinpath(*["d" * 60] * 5)
    deep.mkdir(parents=True)
    geotools("convert", survey / "releases.geojson", deep / "x.gpkg")
    assert len(gpd.read_file(deep / "x.gpkg")) == 2
    deeper = deep.joinpath(*["e" * 200] * 5)
    deeper.mkdir(parents=True)
    for target in (deeper / "x.gpkg", tmp_path / f"{'n' * 300}.geojson"):  # SQLite takes 512 bytes, a name has 255
        refused = geotools("convert", survey / "releases.geojson", target, code=3)
        assert refused.stderr.startswith(b"error:")
    assert not list(deeper.iterdir())
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".geotools")]


@pytest.mark.parametrize("target", ["/proc/nothing.geojson", "/dev/null/x.geojson", "/sys/x.geojson"])
def test_where_nothing_can_be_written_it_is_said(target, survey, geotools):
    done = geotools("convert", survey / "releases.geojson", target, code=3)
    assert done.stderr.count(b"error:") == 1


HOSTILE = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "|x", "％"]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_no_cell_of_an_export_is_a_formula(ending, survey, geotools, tmp_path):
    frame = gpd.read_file(survey / "releases.geojson")
    rows = gpd.GeoDataFrame(
        pd.concat([frame.iloc[[0]]] * len(HOSTILE), ignore_index=True).assign(
            id=[f"R-{n}" for n in range(len(HOSTILE))], note=HOSTILE
        ),
        crs=frame.crs,
    )
    rows.to_file(tmp_path / "releases.gpkg")
    geotools("convert", tmp_path / "releases.gpkg", tmp_path / f"out.{ending}")
    if ending == "csv":
        cells = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)["note"]
        assert not cells.str.strip("\t\r ").str.startswith(("=", "+", "-", "@")).any()
    else:
        import openpyxl

        sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
        kinds = {cell.data_type for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)}
        assert "f" not in kinds


@pytest.mark.slow
def test_runs_at_the_same_time_into_one_folder_leave_one_whole_result(survey, tmp_path):
    out = tmp_path / "out"
    words = [*WORDS, "run", str(survey), "-o", str(out), "--skip", "map", "--overwrite"]
    started = [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(4)]
    said = [p.communicate(timeout=200)[1] for p in started]
    assert all(b"Traceback" not in text for text in said)
    assert any(p.returncode == 0 for p in started)
    assert all(p.returncode in (0, 3) for p in started)
    names = {p.name for p in out.iterdir()}
    assert {"coverage.csv", "coverage.json", "provenance.json", "survey.gpkg", "field"} <= names
    json.loads((out / "provenance.json").read_text("utf-8"))
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
