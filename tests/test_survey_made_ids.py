"""Files without ids, joined in one layer: ids made from row numbers differ from file to file and are told once a file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import geotools as gt
from geotools.io.store.keys import with_own_ids
from geotools.model.errors import StoreError
from geotools.survey.made_ids import prefixes
from geotools.survey.sources import LayerSource


def _track(path: Path, rows: int, ids: list[str] | None = None) -> None:
    lines = [f"2026-05-04T06:{n // 60:02}:{n % 60:02}Z,{47.2 + n * 1e-6:.6f},39.6" for n in range(rows)]
    head = "time,lon,lat"
    if ids is not None:
        head, lines = f"id,{head}", [f"{key},{line}" for key, line in zip(ids, lines, strict=True)]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([head, *lines]) + "\n", "utf-8")


def test_two_track_files_without_ids_are_told_apart(tmp_path: Path) -> None:
    _track(tmp_path / "fixes_1.csv", 40)
    _track(tmp_path / "fixes_2.csv", 30)
    survey = gt.open_survey(tmp_path)
    assert len(survey.fixes) == 70 and survey.fixes["id"].is_unique
    assert {"fixes_1:row-2", "fixes_1:row-41", "fixes_2:row-2", "fixes_2:row-31"} <= set(survey.fixes["id"])
    told = survey.issues[survey.issues["check"] == "RD-10"]
    assert told["severity"].tolist() == ["info", "info"]
    assert [name in text for name, text in zip(["fixes_1.csv", "fixes_2.csv"], told["message"], strict=True)] == [
        True
    ] * 2
    with pytest.raises(StoreError) as refused:
        with_own_ids(survey.layers, survey.issues)
    assert len(refused.value.issues) == 70, "a store never takes such an id for a name of its own"


def test_a_layer_of_one_file_keeps_the_names_that_reading_gives(tmp_path: Path) -> None:
    _track(tmp_path / "fixes.csv", 3)
    assert gt.open_survey(tmp_path).fixes["id"].tolist() == ["row-2", "row-3", "row-4"]


def test_rows_without_an_id_in_files_that_have_them(tmp_path: Path) -> None:
    _track(tmp_path / "fixes_1.csv", 3, ["A", "", "C"])
    _track(tmp_path / "fixes_2.csv", 3, ["D", "", "A"])
    survey = gt.open_survey(tmp_path)
    assert set(survey.fixes["id"]) == {"A", "fixes_1:row-3", "C", "D", "fixes_2:row-3", "A~2"}
    told = survey.issues[survey.issues["check"] == "RD-10"]
    assert set(told.loc[told["severity"] == "warning", "id"]) == {"fixes_1:row-3", "fixes_2:row-3"}
    assert told["message"].str.contains("'fixes_2:row-3'", regex=False).sum() == 1
    assert (told["severity"] == "error").sum() == 1, "an id that people wrote twice stays an error"


def test_an_empty_id_column_is_told_once(tmp_path: Path) -> None:
    _track(tmp_path / "fixes.csv", 50, [""] * 50)
    _, issues = gt.read_with_issues(tmp_path / "fixes.csv")
    told = issues[issues["check"] == "RD-10"]
    assert told["severity"].tolist() == ["warning"] and "empty" in told["message"].iloc[0]


def test_files_of_one_name_get_prefixes_of_their_own() -> None:
    sources = [LayerSource(Path(folder, "track.csv")) for folder in ("a/x", "b/x", "c")]
    names = prefixes([*sources, LayerSource(Path("c/track.gpkg"), layer="track")])
    assert len(set(names)) == 4 and names[3] == "track:track"


def test_long_tracks_are_joined_fast(tmp_path: Path) -> None:
    from geotools.model.schema import Issue, issues_frame
    from geotools.survey.made_ids import told_apart

    _track(tmp_path / "fixes.csv", 2)
    frame = gt.read(tmp_path / "fixes.csv")
    frame = frame.take([0] * 200_000).reset_index(drop=True)
    frame["id"] = [f"row-{n}" for n in range(len(frame))]
    note = Issue("RD-10", "info", "fixes", "", "id", "the file has no id column: ids are made from row numbers")
    before = time.process_time()
    out, _ = told_apart(frame, issues_frame([note]), "fixes.csv", "fixes")
    assert time.process_time() - before < 2
    assert out["id"].iloc[-1] == "fixes:row-199999" and frame["id"].iloc[0] == "row-0"
