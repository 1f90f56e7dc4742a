"""Whatever goes wrong, a person gets one sentence, a hint and the right exit code, and no file is left half-written.

Hostile runs of the whole command line. Exit codes: 2 usage, 3 cannot read or write, 4 a rule of land release is broken.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from geotools.cli.main import COMMANDS, main

UTM = "EPSG:32638"
X, Y = 683_000.0, 4_385_000.0


def square(x: float, side: float = 100.0) -> shapely.Polygon:
    return shapely.box(X + x, Y, X + x + side, Y + side)


@pytest.fixture
def hazards() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"id": ["H-1"], "classification": ["CHA"], "status": ["open"]}, geometry=[square(0)], crs=UTM
    )


@pytest.fixture
def releases() -> gpd.GeoDataFrame:
    table = {
        "id": ["R-1"],
        "hazard_id": ["H-1"],
        "product": ["cleared"],
        "method": ["manual"],
        "date": ["2024-05-01"],
        "depth_cm": [20],
    }
    return gpd.GeoDataFrame(table, geometry=[square(0, 50.0)], crs=UTM)


@pytest.fixture
def survey(tmp_path, hazards, releases) -> Path:
    """A good survey folder."""
    folder = tmp_path / "good"
    folder.mkdir()
    hazards.to_file(folder / "hazards.gpkg", layer="hazards")
    releases.to_file(folder / "releases.gpkg", layer="releases")
    return folder


@pytest.fixture
def refused(capsys) -> Callable[..., str]:
    """Run a command in this process; demand one error, one hint, no trace, nothing on stdout; return the words."""

    def run(*args: object, code: int = 3) -> str:
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in args])
        said = capsys.readouterr()
        return judge(stop.value.code, said.out, said.err, code)

    return run


def judge(got: object, out: str, err: str, code: int) -> str:
    assert got == code, (got, err)
    assert out == ""
    lines = [line for line in err.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error:")]
    assert len(errors) == 1, err
    assert 15 < len(errors[0]) < 400, err
    assert any(line.lower().startswith(("hint:", "try ")) for line in lines), err
    for word in (
        "Traceback",
        "site-packages",
        'File "',
        "pyogrio.",
        "GDAL",
        "sqlite3",
        "NoneType",
        "KeyError",
        "Errno",
    ):
        assert word not in err, err
    return err


def untouched(folder: Path) -> list[str]:
    """Names in a folder, hidden ones too: nothing temporary may stay."""
    return sorted(p.name for p in folder.iterdir())


def built(name: str) -> bool:
    """Whether a command of the table is there already."""
    return name in COMMANDS and importlib.util.find_spec(COMMANDS[name][0].split(":")[0]) is not None


READERS = (
    ("info", "IN"), ("coverage", "IN"), ("convert", "IN", "OUT.geojson"), ("run", "IN", "-o", "OUT"), ("map", "IN", "-o", "OUT.html"),
    ("check", "IN"), ("progress", "IN"), ("datum", "IN", "-o", "OUT.geojson"), ("sheet", "IN", "--task", "H-1", "-o", "OUT.pdf"),
    ("field", "merge", "IN", "IN", "IN", "-o", "OUT.gpkg"), ("traverse", "solve", "IN"), ("swath", "IN", "--task", "T-1"), ("trial", "score", "IN", "IN", "--halo", "0.2"), ("risk", "pattern", "IN"),
    ("plan", "sample", "IN"), ("report", "IN", "--task", "H-1", "-o", "OUT.pdf"),
)  # fmt: skip


def command(words: tuple[str, ...], source: object, folder: Path) -> list[str]:
    """The words of a command with its source in place and its output in `folder`."""
    return [str(source) if w == "IN" else str(folder / w) if w.startswith("OUT") else w for w in words]


READERS = tuple(words for words in READERS if built(words[0]))
READER_IDS = [words[0] for words in READERS]
available = pytest.mark.parametrize("words", READERS, ids=READER_IDS)


# ------------------------------------------------------------------------------------------------ reading


@available
def test_unknown_file(words, refused, tmp_path):
    said = refused(*command(words, tmp_path / "nowhere" / "hazards.gpkg", tmp_path))
    assert "no such file" in said
    assert "hazards.gpkg" in said
    assert untouched(tmp_path) == []


def _truncated(path: Path, hazards: gpd.GeoDataFrame) -> None:
    hazards.to_file(path, layer="hazards")
    path.write_bytes(path.read_bytes()[:9000])


def _noise(path: Path, _: gpd.GeoDataFrame) -> None:
    path.write_bytes(b"SQLite format 3\x00" + bytes(range(256)) * 60)


def _nothing(path: Path, _: gpd.GeoDataFrame) -> None:
    path.write_bytes(b"")


def _prose(path: Path, _: gpd.GeoDataFrame) -> None:
    path.write_text("Dear colleague, please find the hazards attached.", "utf-8")


def _folder(path: Path, _: gpd.GeoDataFrame) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    "damage", [_truncated, _noise, _nothing, _prose, _folder], ids=["truncated", "noise", "nothing", "prose", "folder"]
)
@pytest.mark.parametrize("words", READERS[:4], ids=READER_IDS[:4])
def test_unreadable_geopackage(words, damage, refused, tmp_path, hazards):
    bad = tmp_path / "in" / "hazards.gpkg"
    bad.parent.mkdir()
    damage(bad, hazards)
    said = refused(*command(words, bad, tmp_path))
    assert "hazards.gpkg" in said
    assert untouched(tmp_path) == ["in"]
    assert untouched(bad.parent) == ["hazards.gpkg"], "a reader leaves nothing beside the file it reads"


@pytest.mark.parametrize(
    "name",
    [
        "hazards.geojson",
        "hazards.csv",
        "hazards.kml",
        "hazards.parquet",
        "hazards.zip",
        "hazards.fgb",
        "hazards.shp",
    ],
)
def test_unreadable_other_formats(name, refused, tmp_path):
    (tmp_path / name).write_bytes(b"\x00\x01 not what the name says \xff\xfe{")
    said = refused("info", tmp_path / name)
    assert name in said


def test_a_folder_without_records(refused, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "note.txt").write_text("hello", "utf-8")
    said = refused("run", tmp_path / "letters", "-o", tmp_path / "out")
    assert "letters" in said
    assert untouched(tmp_path) == ["letters"]


def test_a_survey_table_that_is_wrong(refused, tmp_path):
    table = tmp_path / "survey.toml"
    for text, expected in (
        ("[[layer]\n", "TOML"),
        ('[[layer]]\nkind = "hazards"\nfile = "gone.gpkg"\n', "gone.gpkg"),
        ('[[layer]]\nkind = "minefields"\nfile = "a.gpkg"\n', "minefields"),
        ('[[layer]]\nkind = "hazards"\n', "no 'file'"),
        ('layer = "hazards.gpkg"\n', "[[layer]]"),
        ('[[layer]]\nfile = "survey.toml"\ncolumns = "x"\n', "columns"),
        ('[programme]\ncolour = "red"\n', "colour"),
        ('[rasters]\ndem = "gone.tif"\n[[layer]]\nfile = "survey.toml"\n', "gone.tif"),
    ):
        table.write_text(text, "utf-8")
        assert expected in refused("info", table)


# ------------------------------------------------------------------------------------------------ reference systems


def test_a_system_that_does_not_exist(refused, tmp_path, hazards):
    (tmp_path / "hazards.csv").write_text("id,classification,lon,lat\nH-1,CHA,47.1,39.6\n", "utf-8")
    said = refused("info", tmp_path / "hazards.csv", "--crs", "EPSG:999999")
    assert "EPSG:999999" in said


def test_coordinates_without_a_system(refused, tmp_path, hazards):
    """A GeoPackage and a shapefile that do not say are refused with a hint to --crs; with one they are read."""
    hazards.drop(columns="classification").to_file(tmp_path / "hazards.shp")
    (tmp_path / "hazards.prj").unlink()
    said = refused("coverage", tmp_path / "hazards.shp")
    assert "--crs" in said
    with pytest.raises(SystemExit) as stop:
        main(["info", str(tmp_path / "hazards.shp"), "--crs", UTM])
    assert stop.value.code == 0


def test_metres_given_as_degrees(refused, tmp_path, hazards):
    """UTM metres declared as longitude and latitude: refused, not drawn somewhere."""
    pyogrio.write_dataframe(
        hazards.set_crs("EPSG:4326", allow_override=True), tmp_path / "hazards.gpkg", layer="hazards"
    )
    for words in READERS[1:4]:
        refused(*command(words, tmp_path / "hazards.gpkg", tmp_path))
        assert untouched(tmp_path) == ["hazards.gpkg"]


def test_a_target_system_that_cannot_hold_the_data(refused, survey, tmp_path):
    said = refused("convert", survey / "hazards.gpkg", tmp_path / "out.gpkg", "--dst-crs", "EPSG:nonsense")
    assert "nonsense" in said
    assert untouched(tmp_path) == ["good"]


# ------------------------------------------------------------------------------------------------ empty and missing


def test_an_empty_layer(tmp_path, capsys, hazards):
    """No hazards is no error of reading, but no coverage may be claimed from it."""
    (tmp_path / "hazards.geojson").write_text('{"type": "FeatureCollection", "features": []}', "utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["coverage", str(tmp_path / "hazards.geojson"), "--json"])
    said = capsys.readouterr()
    if stop.value.code == 0:
        totals = json.loads(said.out)["totals"]
        assert not totals["released_m2"]
        assert totals["coverage"] is None
    else:
        judge(stop.value.code, said.out, said.err, 3)


def test_run_on_an_empty_layer_claims_nothing(tmp_path, capsys):
    (tmp_path / "hazards.geojson").write_text('{"type": "FeatureCollection", "features": []}', "utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["run", str(tmp_path / "hazards.geojson"), "-o", str(tmp_path / "out"), "--skip", "map"])
    said = capsys.readouterr()
    if stop.value.code == 0:
        assert "coverage cannot be stated" in said.out
        assert "100" not in said.out.split("coverage cannot")[0].split("ha")[-1]
    else:
        judge(stop.value.code, said.out, said.err, 3)
        assert untouched(tmp_path) == ["hazards.geojson"]


def test_a_missing_column_is_said_and_nothing_is_released_by_it(survey, releases, capsys):
    """Releases that do not say what they are: an issue names the column, and no ground counts as released."""
    (survey / "releases.gpkg").unlink()
    releases.drop(columns=["product", "method"]).to_file(survey / "releases.gpkg", layer="releases")
    with pytest.raises(SystemExit) as stop:
        main(["info", str(survey), "--issues"])
    assert stop.value.code == 0
    assert "no column 'product'" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["coverage", str(survey), "--json"])
    said = capsys.readouterr()
    assert stop.value.code in (0, 3, 4)
    if stop.value.code == 0:
        assert json.loads(said.out)["totals"]["released_m2"] == 0
    else:
        judge(stop.value.code, said.out, said.err, int(stop.value.code))


def test_a_file_without_hazards(refused, survey, tmp_path):
    """Coverage of releases alone is no coverage: zero of nothing, or a refusal, never a share."""
    with pytest.raises(SystemExit) as stop:
        main(["coverage", str(survey / "releases.gpkg"), "-q"])
    assert stop.value.code in (0, 3, 4)


def test_fail_on_gives_one(survey, releases, capsys):
    (survey / "releases.gpkg").unlink()
    releases.drop(columns=["product"]).to_file(survey / "releases.gpkg", layer="releases")
    with pytest.raises(SystemExit) as stop:
        main(["info", str(survey), "--fail-on", "warning"])
    assert stop.value.code == 1


# ------------------------------------------------------------------------------------------------ usage


@pytest.mark.parametrize(
    "args",
    [
        ["run"],
        ["run", "x"],
        ["nonsense"],
        ["info", "x", "--as-of", "May"],
        ["coverage", "x", "--as-of", "31.12.2024"],
        ["run", "x", "-o", "y", "--lang", "xx"],
    ],
    ids=" ".join,
)
def test_usage(args, capsys):
    with pytest.raises(SystemExit) as stop:
        main(args)
    said = capsys.readouterr()
    assert stop.value.code == 2
    assert said.out == ""
    assert "Traceback" not in said.err
    assert "rror" in said.err


# ------------------------------------------------------------------------------------------------ writing

WRITERS = (
    ("convert", "IN", "OUT.geojson"), ("convert", "IN", "OUT.gpkg"), ("run", "IN", "--skip", "map", "-o", "OUT"), ("map", "IN", "-o", "OUT.html"),
    ("coverage", "IN", "-o", "OUT.csv"), ("coverage", "IN", "-o", "OUT.gpkg"), ("check", "IN", "-o", "OUT.csv"), ("check", "IN", "-o", "OUT.gpkg"),
    ("check", "IN", "--repair", "OUT.gpkg"), ("progress", "IN", "-o", "OUT.csv"), ("datum", "IN", "-o", "OUT.geojson"), ("sheet", "IN", "--task", "H-1", "-o", "OUT.pdf"),
    ("field", "merge", "IN", "IN", "IN", "-o", "OUT.gpkg"),
)  # fmt: skip
WRITERS = tuple(words for words in WRITERS if built(words[0]))
WRITER_IDS = [" ".join(w for w in words if w not in ("IN", "-o", "--task", "H-1")) for words in WRITERS]
writers = pytest.mark.parametrize("words", WRITERS, ids=WRITER_IDS)


def _source(words: tuple[str, ...], survey: Path) -> Path:
    """One layer for the commands that take one, the whole survey for the others."""
    return survey / "hazards.gpkg" if words[0] in ("convert", "datum", "field") else survey


@writers
def test_a_file_where_the_folder_should_be(words, refused, survey, tmp_path):
    """Root may write anywhere; nobody can make a folder below a file."""
    (tmp_path / "wall").write_text("a file", "utf-8")
    before = untouched(tmp_path)
    refused(*command(words, _source(words, survey), tmp_path / "wall"))
    assert (tmp_path / "wall").read_text("utf-8") == "a file"
    assert untouched(tmp_path) == before


@writers
def test_an_output_that_exists(words, refused, survey, tmp_path):
    out = tmp_path / next(w for w in words if w.startswith("OUT"))
    out.write_text("an older result", "utf-8")
    said = refused(*command(words, _source(words, survey), tmp_path))
    assert out.read_text("utf-8") == "an older result"
    assert "--overwrite" in said or "another" in said or "damaged" in said
    assert untouched(tmp_path) == sorted(["good", out.name])


@writers
def test_a_folder_in_place_of_the_file(words, refused, survey, tmp_path):
    """A folder that holds someone's work is never replaced, with or without --overwrite."""
    out = tmp_path / next(w for w in words if w.startswith("OUT"))
    out.mkdir()
    (out / "thesis.txt").write_text("mine", "utf-8")
    for more in ((), ("--overwrite",)):
        refused(*command(words, _source(words, survey), tmp_path), *more)
        assert (out / "thesis.txt").read_text("utf-8") == "mine"
        assert untouched(tmp_path) == sorted(["good", out.name])


def test_errors_name_the_file_as_it_would_be_called(refused, survey, tmp_path, monkeypatch):
    """Not the temporary one that is gone when the sentence is read."""
    from geotools import io
    from geotools.model.errors import WriteError

    def full(_frames, path, **_):
        raise WriteError("writing failed (no space left); nothing was changed", hint="make room", file=path)

    monkeypatch.setattr(io, "write_layers", full)
    said = refused("run", survey, "-o", tmp_path / "out")
    assert ".geotools-" not in said
    assert str(tmp_path / "out" / "survey.gpkg") in said
    assert untouched(tmp_path) == ["good"]


def test_a_format_that_does_not_exist(refused, survey, tmp_path):
    refused("convert", survey / "hazards.gpkg", tmp_path / "out.docx")
    refused("convert", survey / "hazards.gpkg", tmp_path / "out.gpkg", "-f", "Lotus 1-2-3")
    assert untouched(tmp_path) == ["good"]


def test_run_never_replaces_its_own_input(refused, survey, tmp_path):
    """The output is a folder; a file of that name stays, even with --overwrite, above all if it is the input."""
    before = (survey / "hazards.gpkg").read_bytes()
    for more in ((), ("--overwrite",)):
        refused("run", survey / "hazards.gpkg", "-o", survey / "hazards.gpkg", *more)
        refused("run", survey, "-o", survey, *more)
    assert (survey / "hazards.gpkg").read_bytes() == before
    assert untouched(survey) == ["hazards.gpkg", "releases.gpkg"]


def test_run_replaces_only_a_folder_of_its_own(refused, survey, tmp_path, capsys):
    words = ["run", str(survey), "-o", str(tmp_path / "out"), "--skip", "map", "--skip", "check"]
    for more in ([], ["--overwrite"]):
        with pytest.raises(SystemExit) as stop:
            main([*words, *more])
        assert stop.value.code == 0
    capsys.readouterr()
    (tmp_path / "out" / "minutes of the meeting.txt").write_text("mine", "utf-8")
    refused(*words, "--overwrite")
    assert (tmp_path / "out" / "minutes of the meeting.txt").read_text("utf-8") == "mine"
    assert untouched(tmp_path) == ["good", "out"]


def test_converting_a_file_onto_itself_keeps_its_rows(survey, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["convert", str(survey / "hazards.gpkg"), str(survey / "hazards.gpkg"), "--overwrite"])
    capsys.readouterr()
    assert stop.value.code in (0, 3)
    assert len(pyogrio.read_dataframe(survey / "hazards.gpkg")) == 1
    assert untouched(survey) == ["hazards.gpkg", "releases.gpkg"]


def test_a_pipe_or_device_is_not_replaced(refused, survey, tmp_path):
    os.mkfifo(tmp_path / "out.geojson")
    refused("convert", survey / "hazards.gpkg", tmp_path / "out.geojson", "--overwrite")
    assert (tmp_path / "out.geojson").is_fifo()


def limited(args: list[str], limit: int, **more: object) -> subprocess.CompletedProcess:
    """The command in a process that cannot write a file beyond `limit` bytes, as on a full disk."""

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    words = [sys.executable, "-c", "from geotools.cli import main; main()", *args]
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        preexec_fn=little_room,
        timeout=120,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        **more,
    )


@writers
@pytest.mark.parametrize("old", [False, True], ids=["new", "replacing"])
@pytest.mark.slow
def test_a_full_disk(words, old, survey, tmp_path, hazards):
    """Writing stops in the middle: one sentence, code 3, the old file as it was, nothing temporary."""
    many = pd.concat(
        [hazards.assign(id=f"H-{i}", geometry=hazards.translate(i * 120.0)) for i in range(400)], ignore_index=True
    )
    (survey / "hazards.gpkg").unlink()
    many.to_file(survey / "hazards.gpkg", layer="hazards")
    before = _full_output(words, old, survey, tmp_path)
    more = ["--overwrite"] if old else []
    done = limited([*command(words, _source(words, survey), tmp_path), *more], 64)
    judge(done.returncode, done.stdout, done.stderr, 3)
    assert _contents(tmp_path) == before


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "fgb", "parquet", "shp.zip", "csv", "kml", "geojsonl"])
@pytest.mark.slow
def test_a_disk_that_fills_up_at_the_very_end(ending, survey, tmp_path, hazards):
    """The last two percent do not fit: refused, or the file is whole all the same."""
    many = pd.concat(
        [hazards.assign(id=f"H-{i}", geometry=hazards.translate(i * 120.0)) for i in range(400)], ignore_index=True
    )
    many.to_file(tmp_path / "many_hazards.gpkg", layer="hazards")
    out = tmp_path / f"out.{ending}"
    with pytest.raises(SystemExit) as stop:
        main(["convert", str(tmp_path / "many_hazards.gpkg"), str(out)])
    assert stop.value.code == 0
    size = out.stat().st_size
    out.unlink()
    done = limited(["convert", str(tmp_path / "many_hazards.gpkg"), str(out)], int(size * 0.98))
    judge(done.returncode, done.stdout, done.stderr, 3)
    assert untouched(tmp_path) == ["good", "many_hazards.gpkg"]


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.97, 0.9995])
def test_run_on_a_disk_that_fills_up(share, survey, tmp_path, capsys):
    """At whatever byte the largest product stops: code 3 and no folder."""
    words = ["run", str(survey), "-o", str(tmp_path / "out"), "--skip", "map", "--skip", "check"]
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 0
    capsys.readouterr()
    size = (tmp_path / "out" / "survey.gpkg").stat().st_size
    shutil.rmtree(tmp_path / "out")
    done = limited(words, int(size * share))
    assert done.returncode == 3, done.stderr
    assert "hint:" in done.stderr
    assert done.stdout == ""
    assert untouched(tmp_path) == ["good"]


def _full_output(words, old: bool, survey: Path, tmp_path: Path) -> dict[str, bytes]:
    if old:
        with pytest.raises(SystemExit) as stop:
            main(command(words, _source(words, survey), tmp_path))
        assert stop.value.code == 0
    return _contents(tmp_path)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() if p.is_file() else b""
        for p in sorted(folder.rglob("*"))
        if "good" not in p.parts
    }


@pytest.mark.slow
def test_killed_and_interrupted(survey, tmp_path):
    """Killed at any moment: no output. Interrupted: a word, code 130, nothing temporary."""
    args = [
        sys.executable,
        "-c",
        "from geotools.cli import main; main()",
        "run",
        str(survey),
        "-o",
        str(tmp_path / "out"),
        "--skip",
        "map",
    ]
    for wait in (0.3, 0.9, 1.5):
        process = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        out = tmp_path / "out"
        assert not out.exists() or (out / "provenance.json").is_file()
        shutil.rmtree(out, ignore_errors=True)


def test_json_on_stdout_is_json_alone(survey, tmp_path, capsys):
    for words in (
        ["info", str(survey), "--json"],
        ["coverage", str(survey), "--json"],
        ["run", str(survey), "-o", str(tmp_path / "out"), "--skip", "map", "--json"],
    ):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 0
        assert isinstance(json.loads(capsys.readouterr().out), dict)


@pytest.mark.slow
def test_a_reader_that_goes_away(survey):
    """`geotools info … | head -1` ends quietly."""
    code = f"from geotools.cli import main; main(['info', {str(survey)!r}, '--json'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    with process.stderr:
        err = process.stderr.read()
    assert process.wait(60) in (0, 1)
    assert "Traceback" not in err


def test_links_in_a_circle(refused, tmp_path):
    (tmp_path / "hazards.gpkg").symlink_to(tmp_path / "hazards.gpkg")
    refused("info", tmp_path / "hazards.gpkg")


@pytest.mark.parametrize("name", ["hazards.geojson", "hazards.csv", "hazards.parquet", "hazards.shp", "hazards.kml"])
def test_an_empty_folder_with_the_name_of_a_file(name, refused, tmp_path):
    (tmp_path / name).mkdir()
    refused("info", tmp_path / name)


def test_a_hostile_name_is_printed_harmlessly(refused, tmp_path):
    """Control characters of a file name do not reach the terminal."""
    name = "haz\x1b[31mards\u202e.gpkg"
    said = refused("info", tmp_path / name)
    assert "\x1b" not in said


def test_trace_only_when_asked_for(tmp_path, capsys):
    from geotools.model.errors import ReadError

    with pytest.raises(ReadError):
        main(["info", str(tmp_path / "nowhere.gpkg"), "-vv"])
    capsys.readouterr()


def test_linear_algebra_starts_no_thread_that_only_waits():
    told = "import os; from geotools.cli.main import main; main(['--version'])"
    ask = f"import atexit, os; atexit.register(lambda: print(os.environ.get('OPENBLAS_NUM_THREADS'))); {told}"
    rest = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    for asked, found in (({}, "1"), ({"OPENBLAS_NUM_THREADS": "2"}, "2")):
        said = subprocess.run([sys.executable, "-c", ask], env=rest | asked, check=True, capture_output=True, text=True)
        assert said.stdout.split()[-1] == found
