"""What damaged and hostile inputs once brought to light, one case each: it stays mended."""

from __future__ import annotations

import gc
import math
import sqlite3
import time
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import geotools as gt
from geotools import io, store
from geotools.cli.main import cli, main
from geotools.model.errors import GeotoolsError, MapError, ReadError, SchemaError, StoreError
from geotools.model.programme import Programme
from geotools.model.schema import KINDS
from geotools.model.schema.conform import as_text, conform, to_number
from geotools.space import geom

CORNERS = "hazard_id,point_no,lon,lat\nH-1,{},47.1,39.6\nH-1,2,47.2,39.6\nH-1,3,47.2,39.7\n"


def put(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


def test_what_is_odd_about_a_corner_is_said_of_its_area(tmp_path: Path) -> None:
    """A ragged line in the last corner was looked for among the areas, of which there are fewer."""
    path = put(tmp_path, "hazards.csv", CORNERS.format(1) + "H-2,1,47.3,39.6\nH-2,2,47.4,39.6\nH-2,3,47.4,39.7,more\n")
    frame, issues = io.read_with_issues(path, "hazards", crs="EPSG:4326")
    assert frame["id"].tolist() == ["H-1", "H-2"]
    assert issues.loc[issues["message"].str.contains("5 cells"), "id"].tolist() == ["H-2"]


@pytest.mark.parametrize("number", ["10000-01-01", "1e300", "9" * 400, "²", "100000000001"])
def test_numbers_of_corners_far_apart_take_neither_time_nor_memory(number: str, tmp_path: Path) -> None:
    begin = time.process_time()
    frame, _ = io.read_with_issues(put(tmp_path, "hazards.csv", CORNERS.format(number)), "hazards", crs="EPSG:4326")
    assert frame.geometry.is_valid.all()
    assert time.process_time() - begin < 3


def test_missing_corners_are_still_named(tmp_path: Path) -> None:
    _, issues = io.read_with_issues(put(tmp_path, "hazards.csv", CORNERS.format(20)), "hazards", crs="EPSG:4326")
    assert any("4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and more are missing" in m for m in issues["message"])


def test_repair_is_valid_where_the_first_mending_was_not() -> None:
    shape = shapely.Polygon([(47.1, 39.6), (47.2, 39.6), (47.2, 39.7), (47.1, 39.6), (2, 47.2), (47.2, 39.7)])
    mended = geom.repair(shape)
    assert mended.is_valid
    assert mended.area == pytest.approx(2.64)


def test_a_workbook_without_sheets_or_damaged_is_refused_and_closed(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    gt.write(
        gpd.GeoDataFrame({"id": ["F"]}, geometry=gpd.points_from_xy([47.1], [39.6]), crs=4326), tmp_path / "a.xlsx"
    )
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old, zipfile.ZipFile(tmp_path / "finds.xlsx", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(
                name,
                data.replace(b"<sheets>", b"<sheets/><x>").replace(b"</sheets>", b"</x>")
                if name == "xl/workbook.xml"
                else data,
            )
    with pytest.raises(ReadError):
        io.read(tmp_path / "finds.xlsx", "finds")
    gc.collect()  # an open file would be a ResourceWarning, which is an error here


def test_a_workbook_is_the_same_bytes_later(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    frame = gpd.GeoDataFrame({"id": ["F"]}, geometry=gpd.points_from_xy([47.1], [39.6]), crs=4326)
    one = io.write(frame, tmp_path / "a.xlsx", layer="finds").read_bytes()
    time.sleep(1.1)
    assert io.write(frame, tmp_path / "b.xlsx", layer="finds").read_bytes() == one


def test_a_form_cell_of_separators_costs_its_position_only(tmp_path: Path) -> None:
    path = put(
        tmp_path, "hazards.csv", "id,boundary\nH-1,39.6 47.1 0 3;39.6 47.2 0 4;39.7 47.2 0 3;39.6 47.1 0 3\nH-2,;;\n"
    )
    frame, issues = io.read_with_issues(path, "hazards")
    assert frame.geometry.notna().tolist() == [True, False]
    assert "RD-03" in set(issues.loc[issues["id"] == "H-2", "check"])


def test_numbers_beyond_every_range_are_missing_and_said() -> None:
    assert to_number(10**400) is None
    count = next(column.name for column in KINDS["finds"] if column.kind == "integer")
    table, issues = conform(pd.DataFrame({"id": ["1"], count: ["1e300"]}, dtype=object), KINDS["finds"])
    assert table[count].isna().all()
    assert any("larger than any count" in issue.message for issue in issues)


def test_half_characters_become_a_mark() -> None:
    assert as_text("a\ud800b") == "a\ufffdb"


@pytest.mark.parametrize(
    "text",
    [
        "name = 5", "words = 3", "words = { product = 3 }", "words = { product = { x = 3 } }", 'limits = { area_min_m2 = "x" }', "limits = { area_min_m2 = inf }",
        "depth_cm = { default = true }", "languages = 5", "operations = { a = [] }", "texts = { title = 5 }", 'extent = ["a", 1, 2, 3]', "crs = []",
    ],
)  # fmt: skip
def test_settings_that_are_not_what_they_should_be(text: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError) as caught:
        Programme.load(put(tmp_path, "survey.toml", f"[programme]\n{text}\n"))
    assert caught.value.hint


@pytest.mark.parametrize(
    "rows", ['kind = ["hazards"]', "layer = 5", "crs = [1]", "columns = { a = 5 }", "columns = 5", "encoding = 1.5"]
)
def test_layers_that_are_not_what_they_should_be(rows: str, tmp_path: Path) -> None:
    put(tmp_path, "hazards.geojson", '{"type": "FeatureCollection", "features": []}')
    put(tmp_path, "survey.toml", f'[[layer]]\nfile = "hazards.geojson"\n{rows}\n')
    with pytest.raises(ReadError) as caught:
        gt.open_survey(tmp_path)
    assert caught.value.hint


def test_tables_nested_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError):
        Programme.load(put(tmp_path, "survey.toml", "x = " + "[" * 100_000))


@pytest.mark.parametrize("text", ["hazard = 5", "[hazard]\nCHA = 5", 'hazard = "x"', "[unknown]\na = 1"])
def test_themes_that_are_not_what_they_should_be(text: str, tmp_path: Path) -> None:
    with pytest.raises(MapError) as caught:
        gt.symbols.theme(put(tmp_path, "own.toml", text))
    assert caught.value.hint


@pytest.mark.parametrize(
    "text", ["defaults = []", '[[machine]]\nid = "a"\ncover = { workable = true, source = "s", grade = "user" }']
)
def test_machine_tables_that_are_not_what_they_should_be(text: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaError) as caught:
        gt.suitability.machine("mematt", put(tmp_path, "own.toml", text))
    assert caught.value.hint


def test_a_record_without_positions_is_reconciled_to_nothing() -> None:
    finds = gpd.GeoDataFrame({"id": ["F"]}, geometry=gpd.points_from_xy([683_000], [4_385_000]), crs="EPSG:32638")
    record = finds.assign(geometry=gpd.GeoSeries([None], crs=finds.crs))
    record = pd.concat([record, finds.assign(id="R")], ignore_index=True)
    done = gt.pattern.reconcile(record.iloc[[1]].iloc[:1], finds, reach_m=1.0)
    assert done.to_dict()["recorded"] == 1
    empty = gt.pattern.reconcile(
        record.iloc[[0, 1]].assign(geometry=[None, shapely.Point(700_000, 4_000_000)]), finds, reach_m=1.0
    )
    assert empty.to_dict()["found"] == 0


def damaged_store(folder: Path, statement: str) -> Path:
    path = folder / "programme.gpkg"
    with store.init(path, author="a") as opened:
        frame = gpd.GeoDataFrame(
            {"id": ["H"], "status": ["open"]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:32638"
        )
        opened.save({"hazards": frame}, note="n", author="a")
        opened.save({"hazards": frame.assign(status="closed")}, note="n", author="a")
    with closing(sqlite3.connect(path)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f'DROP TRIGGER "{name}"')
        file.execute(statement)
        file.commit()
    return path


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE store_revisions ADD COLUMN x TEXT", "UPDATE store_revisions SET at = 'x'", "UPDATE store_revisions SET sources = '{'", "DELETE FROM store_layouts",
        "UPDATE store_layouts SET layout = '[]'", "UPDATE store_history SET attributes = '{'", "UPDATE store_history SET attributes = '5'", "UPDATE store_history SET wkb = x'0102'",
        "UPDATE store_history SET attributes = CAST(x'AE' AS TEXT)",
    ],
)  # fmt: skip
def test_a_store_that_makes_no_sense_is_refused_in_words(statement: str, tmp_path: Path) -> None:
    path = damaged_store(tmp_path, statement)
    calls: tuple[Any, ...] = (
        lambda s: s.load("hazards"),
        lambda s: s.history("H"),
        lambda s: s.diff(1, 2),
        lambda s: s.verify(),
        lambda s: s.revisions(),
    )
    for call in calls:
        try:
            with store.open(path) as opened:
                call(opened)
        except GeotoolsError as error:
            assert isinstance(error, StoreError | ReadError)
            assert error.hint


def test_a_salt_that_is_no_text(tmp_path: Path, district: Path) -> None:
    (tmp_path / "salt.txt").write_bytes(b"\xc9\xff")
    more = district / "more"
    words = ["trial", "score", str(more / "targets.csv"), str(more / "signals.csv"), "--halo", "0.2", "--seal", str(more / "seal.json"), "--frozen", str(more / "frozen.json"), "--salt", str(tmp_path / "salt.txt")]  # fmt: skip
    result = CliRunner().invoke(cli, words)
    assert isinstance(result.exception, ReadError), result.exception


def test_an_infinite_score_is_an_unknown_one(district: Path, tmp_path: Path) -> None:
    put(tmp_path, "scores.csv", "id,score\nH-1,0.8\nH-2,-1e309\nH-3,0.5\n")
    words = ["plan", "teams", str(district / "survey"), "--teams", str(district / "more" / "teams.toml"), "--draws", "10", "--priority", str(tmp_path / "scores.csv"), "-o", str(tmp_path / "out")]  # fmt: skip
    result = CliRunner().invoke(cli, words)
    assert result.exception is None or isinstance(result.exception, GeotoolsError | SystemExit), result.exception


@pytest.mark.parametrize(
    "error, words", [(OSError(28, "No space left on device", "x.tif"), "x.tif: No space left"), (MemoryError(), "not enough memory"), (OSError("odd"), "odd")]
)  # fmt: skip
def test_what_the_machine_refuses_is_said_in_words(
    error: BaseException, words: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(cli, "main", broken)
    with pytest.raises(SystemExit) as stop:
        main(["info", "x"])
    said = capsys.readouterr().err
    assert stop.value.code == 3
    assert words in said
    assert "Error:" not in said
    assert "hint:" in said


def test_every_error_has_a_hint() -> None:
    from geotools.model import errors

    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, GeotoolsError):
            assert kind("x").hint, name
            assert kind("x", hint="own").hint == "own"


def test_a_solver_that_fails_leaves_the_plan_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its native library has faults of its own, of any class."""
    cp_model = pytest.importorskip("ortools.sat.python.cp_model")

    def broken(*_: Any, **__: Any) -> None:
        raise IndexError("absl::btree_map::at")

    monkeypatch.setattr(cp_model.CpSolver, "solve", broken)
    from geotools.analysis.teams import solver

    monkeypatch.setattr(solver, "_build", lambda *_: {"here": {}, "start": []})
    monkeypatch.setattr(solver, "_objective", lambda *_: 1.0)
    monkeypatch.setattr(solver, "_hint", lambda *_: None)

    class Problem:
        def run(self, orders: Any) -> Any:
            return [], []

    done = solver.solve(Problem(), [[0]], "value", days=10, effort=1.0)  # type: ignore[arg-type]
    assert not done.found
    assert "failed" in done.why
    assert done.bound == -math.inf


def test_blanks_or_wide_signs_do_not_make_a_formula_harmless() -> None:
    from geotools.io.tables import guard, unguard

    for text in ("  =1+1", "\u00a0=1", "＝1+1", "=1", "\t=1"):
        assert guard(text).startswith("'")
        assert unguard(guard(text)) == text
    assert guard("-12.5") == "-12.5"


def test_a_table_of_legs_is_what_its_ending_says(district: Path, tmp_path: Path) -> None:
    """A name ending in .xlsx once held the text of a CSV."""
    pytest.importorskip("openpyxl")
    words = [
        "traverse",
        "inverse",
        str(district / "survey" / "hazards.gpkg"),
        "--id",
        "H-1",
        "--date",
        "2026-11-20",
        "-o",
    ]
    assert CliRunner().invoke(cli, [*words, str(tmp_path / "walk.xlsx")]).exit_code == 0
    assert zipfile.is_zipfile(tmp_path / "walk.xlsx")
    assert CliRunner().invoke(cli, [*words, str(tmp_path / "walk.docx")]).exit_code != 0
    assert not (tmp_path / "walk.docx").exists()
