"""`geotools info --issues`: alike findings are one line; a base that is no base is refused by `field merge`."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner

from geotools.cli import options
from geotools.cli.main import cli
from geotools.model.schema import Issue, issues_frame


def run(*arguments):
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture
def table(tmp_path):
    ring = "POLYGON((47 39,47.1 39,47.1 39.1,47 39))"
    lines = ["id;classification;status;Alan (ha);wkt"]
    lines += [f'H-{n};SHA;{"Bilinmez" if n % 2 else "Dursun"};{n},5;"SRID=4326;{ring}"' for n in range(12)]
    (tmp_path / "hazards.csv").write_text("\n".join(lines), "utf-8")
    return tmp_path


def test_alike_issues_are_one_line_with_first_and_count(table):
    shown = run("info", table, "--issues").output
    told = [line for line in shown.splitlines() if "RD-11" in line]
    assert told == [
        "warning  RD-11  6 hazards (H-0 and 5 more): 'Dursun' is not a known word for status",
        "warning  RD-11  6 hazards (H-1 and 5 more): 'Bilinmez' is not a known word for status",
    ]
    assert "the heading 'Alan (ha)' states its unit: 12 values" in shown
    every = run("info", table, "--all").output
    assert sum("RD-11" in line for line in every.splitlines()) == 12


def test_groups_hold_every_row_once_whatever_numbers_their_messages_name():
    issues = issues_frame(
        [
            Issue(
                "RD-03", "warning", "hazards", f"H-{n}", message=f"a.csv row {n}: it has no geometry; the row is kept"
            )
            for n in range(7)
        ]
    )
    (group,) = options.alike(issues)
    assert group["id"].tolist() == [f"H-{n}" for n in range(7)]
    assert options.alike(issues_frame()) == []
    hostile = options.alike_lines(issues_frame([Issue("RD-07", "info", "hazards", "\x1b[2J", message="\u202eabc")]))
    assert all(line.isprintable() for line in hostile)


def test_a_survey_of_this_folder_has_the_name_of_the_folder(table, monkeypatch):
    monkeypatch.chdir(table)
    assert run("info", ".").output.splitlines()[0] == table.name


def layer(path, *ids, name="hazards"):
    box = [shapely.box(47, 39, 47.1, 39.1)] * len(ids)
    gpd.GeoDataFrame({"id": list(ids), "status": "open"}, geometry=box, crs=4326).to_file(path, layer=name)
    return path


@pytest.mark.parametrize("layered", [False, True])
def test_a_base_that_knows_none_of_the_return_stops_the_merge(tmp_path, layered):
    def write(name, *ids):
        path = layer(tmp_path / name, *ids)
        return layer(path, *(f"F-{i}" for i in ids), name="places") if layered else path

    wrong, ours, theirs = (
        write("wrong.gpkg", "X-1", "X-2"),
        write("ours.gpkg", "H-1", "H-2"),
        write("theirs.gpkg", "H-1"),
    )
    out = tmp_path / "out.gpkg"
    shown = run("field", "merge", wrong, ours, theirs, "-o", out)
    assert shown.exit_code == 3 or isinstance(shown.exception, Exception)
    said = f"{shown.output}{shown.exception}"
    assert "BASE (wrong.gpkg) is the wrong file" in said and "nothing was written" in said
    assert not out.exists()
    one = run("field", "merge", write("base.gpkg", "H-1"), ours, write("other.gpkg", "Z-9"), "-o", out)
    assert one.exit_code != 0 and "either it or BASE" in f"{one.output}{one.exception}"


def test_what_was_cut_from_the_base_and_what_is_new_are_no_strangers(tmp_path):
    base, ours = layer(tmp_path / "base.gpkg", "H-1"), layer(tmp_path / "ours.gpkg", "H-1")
    theirs = layer(tmp_path / "theirs.gpkg", "H-1-a", "H-1-b", "N-7")
    shown = run("field", "merge", base, ours, theirs, "-o", tmp_path / "out.gpkg")
    assert "wrong file" not in f"{shown.output}{shown.exception}"
    again = run("field", "merge", base, ours, layer(tmp_path / "b.gpkg", "H-1"), "-o", tmp_path / "o.gpkg")
    assert "1 row merged" in again.output and "0 conflicts" in again.output


def test_a_layer_without_geometry_has_no_system(tmp_path):
    (tmp_path / "accidents.csv").write_text("id,date\nA-1,2025-01-02\n", "utf-8")
    (tmp_path / "finds.csv").write_text("id,lon,lat\nF-1,47.2,39.6\n", "utf-8")
    lines = run("info", tmp_path).output.splitlines()
    (bare,) = [line for line in lines if line.startswith("accidents ")]
    assert "EPSG" not in bare and "–" in bare and bare.endswith("none")
    assert any(line.startswith("finds ") and "EPSG:4326" in line for line in lines)
