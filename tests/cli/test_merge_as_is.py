"""What `geotools field merge` passes through, and what it merges, keeps every cell: asked of SQLite, not of our reader."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio
import pytest
import shapely
from click.testing import CliRunner

from geotools.cli.main import cli

DAY, OLD = dt.date(2024, 3, 1), dt.date(1650, 1, 1)  # before 1677 a day has no place in nanoseconds
TOLD = dt.datetime(2024, 3, 5, 10, 11, 12, 345000, tzinfo=dt.timezone.utc)  # noqa: UP017
MIDNIGHT = dt.datetime(2024, 3, 6, tzinfo=dt.timezone.utc)  # noqa: UP017
BIG = 2**53 + 1  # the first whole number that a float does not hold
CELLS: dict[str, tuple[Any, list[Any]]] = {
    "day": (pa.date32(), [DAY, None, DAY]),
    "old": (pa.date32(), [OLD, None, OLD]),
    "told_at": (pa.timestamp("ms", "UTC"), [TOLD, None, MIDNIGHT]),
    "midnight": (pa.timestamp("ms", "UTC"), [MIDNIGHT, None, MIDNIGHT]),
    "local": (pa.timestamp("ms", "+04:00"), [MIDNIGHT, None, TOLD]),  # written with its zone
    "unzoned": (pa.timestamp("ms"), [TOLD.replace(tzinfo=None), None, MIDNIGHT.replace(tzinfo=None)]),
    "small": (pa.int16(), [3, None, -3]),
    "whole": (pa.int32(), [5, None, 0]),
    "serial": (pa.int64(), [BIG, None, -BIG]),
    "seen": (pa.bool_(), [True, None, False]),
    "depth": (pa.float64(), [0.1, None, 1e300]),
    "list": (pa.string(), ['["x", "y"]', None, '{"a": [1, 2]}']),
    "text": (pa.string(), ["", None, "007"]),
    "photo": (pa.binary(), [b"\x00\x01\xff", None, b"\x89PNG"]),
}


def packed(path: Path, layers: dict[str, list[str] | None], **changed: list[Any]) -> Path:
    """A GeoPackage of these layers, one row per id of CELLS or without ids; `changed` columns go before CELLS."""
    for number, (name, ids) in enumerate(layers.items()):
        rows = 3 if ids is None else len(ids)
        data = {c: pa.array((changed.get(c, cells) * rows)[:rows], type=t) for c, (t, cells) in CELLS.items()}
        if ids is not None:
            data = {"id": pa.array(ids, type=pa.string()), **data}
        data["geom"] = pa.array([shapely.to_wkb(shapely.Point(47 + n, 39.5)) for n in range(rows)], type=pa.binary())
        pyogrio.write_arrow(
            pa.table(data), path, layer=name, driver="GPKG", geometry_name="geom", geometry_type="Point",
            crs="EPSG:4326", append=number > 0,
        )  # fmt: skip
    return path


def cells(path: Path, layer: str) -> list[tuple[Any, ...]]:
    """Every cell of a table as SQLite keeps it, with the type it is kept in."""
    asked = ", ".join(f'"{c}", typeof("{c}")' for c in CELLS)
    with closing(sqlite3.connect(path)) as file:
        return sorted(file.execute(f'SELECT {asked} FROM "{layer}"').fetchall(), key=repr)


def merge(folder: Path, *files: Path) -> Path:
    out = folder / "merged.gpkg"
    done = CliRunner().invoke(cli, ["field", "merge", *map(str, files), "-o", str(out), "--overwrite"])
    assert done.exit_code == 0, done.output
    return out


@pytest.mark.parametrize("ids", [["a", "b", "c"], None], ids=["with an id", "without"])
def test_no_cell_changes_in_a_layer_that_nobody_changed(tmp_path: Path, ids: list[str] | None) -> None:
    files = [packed(tmp_path / f"{n}.gpkg", {"camps": ids, "wells": ids}) for n in ("base", "ours", "theirs")]
    out = merge(tmp_path, *files)
    for layer in ("camps", "wells"):
        assert cells(out, layer) == cells(files[0], layer)


def test_no_cell_changes_in_a_layer_that_only_one_side_has(tmp_path: Path) -> None:
    base = packed(tmp_path / "base.gpkg", {"camps": ["a"]})
    theirs = packed(tmp_path / "theirs.gpkg", {"camps": ["a"], "fresh": ["a", "b", "c"], "plain": None})
    out = merge(tmp_path, base, base, theirs)
    for layer in ("fresh", "plain"):
        assert cells(out, layer) == cells(theirs, layer)


def test_what_a_new_row_does_not_say_is_not_made_up(tmp_path: Path) -> None:
    """A column without gaps is of a type without room for one: an unknown truth value must not become a no."""
    full = {c: [values[0]] for c, (_, values) in CELLS.items()}
    base = packed(tmp_path / "base.gpkg", {"camps": ["a"], "wells": ["a"]}, **full)
    gap = {c: [values[0], None] for c, (_, values) in CELLS.items()}
    theirs = packed(tmp_path / "theirs.gpkg", {"camps": ["a", "b"], "wells": ["a"]}, **gap)
    assert cells(merge(tmp_path, base, base, theirs), "camps") == cells(theirs, "camps")


def test_a_shape_that_cannot_be_decoded_is_an_error_and_its_row_stays(tmp_path: Path) -> None:
    base = packed(tmp_path / "base.gpkg", {"camps": ["a", "b"], "wells": ["a"]})
    theirs = packed(tmp_path / "theirs.gpkg", {"camps": ["a", "b"], "wells": ["a"]})
    with closing(sqlite3.connect(theirs)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f'DROP TRIGGER "{name}"')
        whole = file.execute("SELECT geom FROM camps WHERE id = 'b'").fetchone()[0]
        file.execute("UPDATE camps SET geom = ? WHERE id = 'b'", (whole[:-17] + b"\xff" * 4,))
        file.commit()
    out = tmp_path / "merged.gpkg"
    asked = ["field", "merge", str(base), str(base), str(theirs), "-o", str(out), "--json"]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)["conflict_rows"]
    lost = {(row["kind"], row["id"]) for row in told if (row["check"], row["severity"]) == ("MG-08", "error")}
    assert lost == {("camps", "b")}
    assert cells(out, "camps") == cells(base, "camps")
    assert len(pyogrio.read_dataframe(out, layer="camps", columns=["id"]).geometry.dropna()) == 2
