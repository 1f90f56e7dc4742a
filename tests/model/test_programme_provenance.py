"""Settings and provenance."""

from __future__ import annotations

import hashlib
import pickle
import threading
import time
from pathlib import Path

import pytest

from geotools.model import errors, provenance
from geotools.model.errors import ReadError
from geotools.model.programme import DEFAULT_LIMITS, Programme
from geotools.model.provenance import InputFile, Provenance


def test_limits_fall_back_to_the_defaults_and_unknown_ones_are_refused() -> None:
    programme = Programme(limits={"area_min_m2": 9})
    assert programme.limit("area_min_m2") == 9.0
    assert programme.limit("edge_max_m") == DEFAULT_LIMITS["edge_max_m"]
    with pytest.raises(KeyError):
        programme.limit("nothing")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[programme]\nnonsense = 1", "unknown setting 'nonsense'"),
        ("[programme]\nextent = [50, 38, 44, 42]", "extent must be"),
        ("[programme]\nwords = 3", "must be a table"),
        ("= broken", "not a readable TOML"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "survey.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(errors.ReadError, match=message) as caught:
        Programme.load(file)
    assert "survey.toml" in str(caught.value)


def test_provenance_names_files_without_paths(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"abc")
    data = Provenance("x", (InputFile.of(file, rows=3),), {"engine": "geos"}).to_dict()
    assert data["inputs"] == [
        {
            "name": "a.csv",
            "bytes": 3,
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "rows": 3,
        }
    ]
    assert str(tmp_path) not in str(data)


def test_errors_derive_from_what_a_caller_expects_and_survive_another_process() -> None:
    assert issubclass(errors.ReadError, OSError)
    assert issubclass(errors.CRSError, ValueError)
    error = errors.ReadError("bad", hint="do this", file="a.gpkg", layer="x", row=7)
    assert str(error) == "a.gpkg, layer x, row 7: bad"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    with pytest.raises(errors.MissingLibraryError) as caught:
        errors.need("no_such_module_here", "fast")
    assert "geotools-demining[fast]" in caught.value.hint


def test_a_folder_that_is_one_data_set_has_one_hash(tmp_path: Path) -> None:
    folder = tmp_path / "a.gdb"
    folder.mkdir()
    (folder / "1").write_bytes(b"x")
    one = InputFile.of(folder)
    assert (one.name, one.bytes) == ("a.gdb", 1)
    (folder / "1").write_bytes(b"y")
    assert InputFile.of(folder).sha256 != one.sha256


def test_files_are_hashed_while_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "records.csv"
    file.write_bytes(b"id\n1\n")
    with provenance.hashing([file, file, tmp_path / "none.csv", tmp_path]):
        pass
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("it is read through once"))
    assert provenance.sha256(file) == hashlib.sha256(b"id\n1\n").hexdigest()


def test_nobody_waits_for_a_hash_when_reading_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, go = tmp_path / "large.csv", threading.Event()
    file.write_bytes(b"1")
    monkeypatch.setattr(provenance, "sha256", lambda path: go.wait(60))
    begin = time.monotonic()
    with pytest.raises(ReadError), provenance.hashing([file]):
        raise ReadError("it is cut short")
    assert time.monotonic() - begin < 30
    go.set()


@pytest.mark.parametrize(
    ("table", "hint"),
    [("words.status", "is hazard_status or activity_status meant?"), ("words.colour", "classification"), ("columns.hazard", "hazards, releases")],
)  # fmt: skip
def test_a_table_of_words_or_columns_that_nothing_reads_is_refused(table: str, hint: str) -> None:
    name, key = table.split(".")
    with pytest.raises(ReadError, match=f"unknown table .programme.{table}.") as caught:
        Programme.from_dict({name: {key: {"Açıq": "open"}}}, file="survey.toml")
    assert hint in caught.value.hint
