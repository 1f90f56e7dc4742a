"""`geotools field merge` end to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli
from geotools.field import package
from geotools.field.merge import family
from geotools.survey import Survey


def test_merge_writes_the_layer_and_lists_conflicts(tmp_path: Path, make: Any) -> None:
    base = make.frame(make.hazard("H-1"), make.hazard("H-2", make.square(300)))
    gt.write(base, tmp_path / "hazards.gpkg")
    gt.write(base.assign(status=["closed", "open"]), tmp_path / "ours.gpkg")
    gt.write(base.assign(status=["worked_on", "open"], contamination=["ap", "av"]), tmp_path / "theirs.gpkg")
    files = [str(tmp_path / n) for n in ("hazards.gpkg", "ours.gpkg", "theirs.gpkg")]
    out = tmp_path / "merged.gpkg"
    result = CliRunner().invoke(cli, ["field", "merge", *files, "-o", str(out), "--json", "--fail-on", "error"])
    assert result.exit_code == 1, result.output
    data = json.loads(result.stdout)
    assert data["conflicts"] == 1
    assert data["conflict_rows"][0]["check"] == "MG-01"
    merged = gt.read(out, "hazards").set_index("id")
    assert merged["status"].to_dict() == {"H-1": "closed", "H-2": "open"}
    assert merged["contamination"].to_dict() == {"H-1": "ap", "H-2": "av"}
    assert (tmp_path / "merged_conflicts.csv").is_file()
    again = CliRunner().invoke(
        cli, ["field", "merge", *files, "-o", str(tmp_path / "b.gpkg"), "--prefer", "status=theirs"]
    )
    assert again.exit_code == 0, again.output
    assert gt.read(tmp_path / "b.gpkg", "hazards").set_index("id")["status"]["H-1"] == "worked_on"


def test_prefer_and_kind_are_checked(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["field", "merge", "a", "b", "c", "-o", str(tmp_path / "x.gpkg"), "--kind", "nonsense"]
    )
    assert result.exit_code == 2
    assert "record kind" in result.output


def run(*arguments: object) -> Any:
    return CliRunner().invoke(cli, ["field", *map(str, arguments)])


def sample(make: Any, folder: Path) -> Path:
    """A small survey as a GeoPackage: two hazards, one release, one find."""
    path = folder / "office.gpkg"
    gt.write(make.frame(make.hazard("H-1"), make.hazard("H-2", make.square(300))), path, layer="hazards")
    gt.write(make.frame(make.release("R-1")), path, layer="releases")
    find = {"id": "F-1", "hazard_id": "H-1", "category": "ap_mine", "qty": 1, "geometry": make.square().centroid}
    gt.write(make.frame(find), path, layer="finds")
    return path


def test_package_goes_out_and_comes_back(tmp_path: Path, make: Any) -> None:
    """Out as a package, edited as QField does, merged into an office that went on working."""
    office = sample(make, tmp_path)
    result = run(
        "package", office, "-o", tmp_path / "team", "--lang", "tr", "--skip", "map", "--skip", "card", "--json"
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["level"] == "internal"
    assert "qfield/team.gpkg" in told["files"]
    assert Path(told["zip"]).is_file()
    base = tmp_path / "team" / "qfield" / "team.gpkg"
    back = tmp_path / "geri gelen.gpkg"
    for layer in ("hazards", "releases", "finds"):
        rows = gpd.read_file(base, layer=layer)
        if layer == "hazards":
            rows.loc[rows["id"] == "H-1", ["status", "note"]] = ["worked_on", "sahada görüldü"]
            rows = rows[rows["id"] != "H-2"]
        if layer == "finds":
            rows = pd.concat([rows, rows.assign(id="team-1", guid=None, category="uxo", qty=2)])
        rows.iloc[::-1].to_file(back, layer=layer, driver="GPKG")
    changed = gt.read(office, "hazards", layer="hazards").assign(name=["office", None])
    gt.write(changed, office, layer="hazards", overwrite=True)
    result = run("merge", base, office, back, "-o", tmp_path / "merged.gpkg", "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["by_rule"] == {"MG-07": 1}
    hazards = gt.read(tmp_path / "merged.gpkg", "hazards", layer="hazards").set_index("id")
    assert hazards.index.tolist() == ["H-1"]
    assert hazards.loc["H-1", ["status", "note", "name"]].tolist() == ["worked_on", "sahada görüldü", "office"]
    assert gt.read(tmp_path / "merged.gpkg", "finds", layer="finds")["id"].tolist() == ["F-1", "team-1"]
    assert len(gt.read(tmp_path / "merged.gpkg", "releases", layer="releases")) == 1
    again = run("merge", base, tmp_path / "merged.gpkg", back, "-o", tmp_path / "again.gpkg", "--json")
    assert again.exit_code == 0, again.output
    twice = gt.read(tmp_path / "again.gpkg", "hazards", layer="hazards").set_index("id")
    assert twice.drop(columns="geometry").equals(hazards.drop(columns="geometry"))


def test_an_unchanged_return_changes_nothing(tmp_path: Path, make: Any) -> None:
    office = sample(make, tmp_path)
    assert run("package", office, "-o", tmp_path / "team", "--no-zip", "--skip", "map", "--skip", "card").exit_code == 0
    base = tmp_path / "team" / "qfield" / "team.gpkg"
    result = run("merge", base, office, base, "-o", tmp_path / "merged.gpkg", "--json", "--fail-on", "info")
    assert result.exit_code == 0, result.output
    one, two = (gt.read(p, "hazards", layer="hazards").set_index("id") for p in (office, tmp_path / "merged.gpkg"))
    for column in one.columns.drop("geometry"):
        assert (
            one[column].astype(object).where(one[column].notna(), None).tolist()
            == two[column].astype(object).where(two[column].notna(), None).tolist()
        ), column


def test_decisions_are_taken_from_the_edited_list(tmp_path: Path, make: Any) -> None:
    base = make.frame(make.hazard("H-1"), make.hazard("H-2", make.square(300)))
    gt.write(base, tmp_path / "hazards.gpkg")
    gt.write(base.assign(status=["closed", "closed"]), tmp_path / "ours.gpkg")
    gt.write(base.assign(status=["worked_on", "worked_on"]), tmp_path / "theirs.gpkg")
    files = [tmp_path / n for n in ("hazards.gpkg", "ours.gpkg", "theirs.gpkg")]
    result = run("merge", *files, "-o", tmp_path / "m.gpkg")
    assert "decision" in result.output
    table = pd.read_csv(tmp_path / "m_conflicts.csv", dtype=object)
    assert table[["id", "column", "stands", "value_that_stands", "other_value"]].values.tolist() == [
        ["H-1", "status", "ours", "closed", "worked_on"],
        ["H-2", "status", "ours", "closed", "worked_on"],
    ]
    table["decision"] = ["theirs", None]
    for name in ("decided.csv", "decided.xlsx"):
        table.to_csv(tmp_path / name, index=False) if name.endswith("csv") else table.to_excel(
            tmp_path / name, index=False
        )
        result = run(
            "merge", *files, "-o", tmp_path / "m.gpkg", "--overwrite", "--decisions", tmp_path / name, "--json"
        )
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["conflicts"] == 1
        assert gt.read(tmp_path / "m.gpkg", "hazards")["status"].tolist() == ["worked_on", "closed"]
    result = run("merge", *files, "-o", tmp_path / "n.gpkg", "--prefer", "theirs", "--prefer", "note=ours")
    assert result.exit_code == 0, result.output
    assert gt.read(tmp_path / "n.gpkg", "hazards")["status"].tolist() == ["worked_on", "worked_on"]
    result = run("merge", *files, "-o", tmp_path / "o.gpkg", "--prefer", "oldest")
    assert result.exit_code == 2


def test_package_refuses_in_words(tmp_path: Path, make: Any) -> None:
    office = sample(make, tmp_path)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from geotools.cli import main; main()",
            "field",
            "package",
            str(office),
            "--task",
            "T-9",
            "-o",
            str(tmp_path / "x"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.startswith("error: there is no task 'T-9'")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x").exists()
    result = run("package", office, "-o", tmp_path / "pub", "--redact", "public", "--skip", "map", "--skip", "card")
    assert "stays behind" in result.output
    assert not list((tmp_path / "pub").rglob("*.xlsx"))


def test_no_table_of_a_package_and_no_layer_of_the_office_is_dropped(tmp_path: Path, make: Any) -> None:
    office = tmp_path / "office.gpkg"
    hazards = make.frame(make.hazard("H-1"), make.hazard("H-P", make.square(300).centroid))
    gt.write(hazards, office, layer="hazards")
    package(Survey("Synthetic", {"hazards": hazards}), tmp_path / "team", skip=("map", "card", "forms"))
    base, back = tmp_path / "team" / "qfield" / "team.gpkg", tmp_path / "back.gpkg"
    tables = [str(name) for name, _ in pyogrio.list_layers(base)]
    assert "hazards_points" in tables
    for name in tables:
        rows = gpd.read_file(base, layer=name)
        (rows.assign(note="team") if name == "hazards_points" else rows).to_file(back, layer=name, driver="GPKG")
    line = [shapely.LineString([(47, 39.5), (47.1, 39.6)])]
    gpd.GeoDataFrame({"id": ["t"]}, geometry=line, crs=4326).to_file(back, layer="tracks", driver="GPKG")
    gpd.GeoDataFrame({"depth": [9]}, geometry=line, crs=4326).to_file(office, layer="wells", driver="GPKG")
    out = tmp_path / "merged.gpkg"
    result = run("merge", base, office, back, "-o", out, "--json", "--fail-on", "warning")
    assert result.exit_code == 0, result.output
    hazards = gpd.read_file(out, layer="hazards").set_index("id")
    assert hazards.geometry.geom_type.to_dict()["H-P"] == "Point", "a point of a danger stays where it is"
    assert hazards["note"].astype(object).where(hazards["note"].notna(), None).to_dict() == {"H-1": None, "H-P": "team"}
    written = {str(name) for name, _ in pyogrio.list_layers(out)}
    assert {"hazards", "tracks", "wells"} <= written
    assert {n for n in tables if family(n) == n} <= written, "every record kind"
    assert not {"remaining", "turning_points"} & written, "computed before the return"
    assert set(json.loads(result.stdout)["left_out"]) >= {"remaining", "turning_points"}
    one = run("merge", base, office, back, "-o", tmp_path / "one.gpkg", "--kind", "hazards", "--json")
    assert json.loads(one.stdout)["layers"] == {"hazards": 2}


def test_what_could_not_be_merged_is_an_error_whatever_fails(tmp_path: Path, make: Any) -> None:
    names = ("base", "ours", "theirs")
    for n, name in enumerate(names):
        gt.write(make.frame(make.hazard("H-1")), tmp_path / f"{name}.gpkg", layer="hazards")
        wells = gpd.GeoDataFrame({"depth": [n]}, geometry=[make.square().centroid], crs=4326)
        wells.to_file(tmp_path / f"{name}.gpkg", layer="wells", driver="GPKG")
    files = [tmp_path / f"{name}.gpkg" for name in names]
    result = run("merge", *files, "-o", tmp_path / "m.gpkg", "--json", "--fail-on", "never")
    assert result.exit_code == 1, result.output
    assert json.loads(result.stdout)["by_rule"] == {"MG-08": 1}
    assert gpd.read_file(tmp_path / "m.gpkg", layer="wells")["depth"].tolist() == [1]


def test_a_folder_is_merged_kind_by_kind(tmp_path: Path, make: Any) -> None:
    for name, note in (("base", "n"), ("ours", "n"), ("theirs", "team")):
        (tmp_path / name).mkdir()
        gt.write(make.frame(make.hazard("H-1")).assign(note=note), tmp_path / name / "hazards.geojson")
        gt.write(make.frame(make.release("R-1")), tmp_path / name / "releases.geojson")
    result = run("merge", *(tmp_path / n for n in ("base", "ours", "theirs")), "-o", tmp_path / "m.gpkg", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["layers"] == {"hazards": 1, "releases": 1}
    assert gt.read(tmp_path / "m.gpkg", "hazards", layer="hazards")["note"].tolist() == ["team"]


def test_a_shape_that_cannot_be_read_is_an_error(tmp_path: Path, make: Any) -> None:
    for name in ("hazards", "ours", "theirs"):
        point = make.square(300).centroid if name == "theirs" else make.square(300)
        make.frame(make.hazard("H-1"), make.hazard("H-P", point)).to_crs(4326).to_file(tmp_path / f"{name}.geojson")
    files = [tmp_path / f"{name}.geojson" for name in ("hazards", "ours", "theirs")]
    result = run("merge", *files, "-o", tmp_path / "m.gpkg", "--kind", "hazards", "--json")
    assert result.exit_code == 1, result.output
    assert "MG-08" in json.loads(result.stdout)["by_rule"]


def three(make: Any, folder: Path) -> list[Path]:
    """Two hazards of which both sides changed two columns each."""
    base = make.frame(make.hazard("H-1"), make.hazard("H-2", make.square(300)))
    files = [folder / f"{n}.gpkg" for n in ("hazards", "ours", "theirs")]
    for file, status, note in zip(files, ("open", "closed", "worked_on"), ("n", "=1+1", "t"), strict=True):
        gt.write(base.assign(status=status, note=note), file)
    return files


def cells(file: Path) -> pd.DataFrame:
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    return table.set_index(["id", "column"]).sort_index()


@pytest.mark.parametrize("named", [True, False])
def test_merging_again_keeps_every_decision(tmp_path: Path, make: Any, named: bool) -> None:
    files, out, listed = three(make, tmp_path), tmp_path / "m.gpkg", tmp_path / "m_conflicts.csv"
    assert run("merge", *files, "-o", out).exit_code == 0
    table = pd.read_csv(listed, dtype=str, keep_default_na=False).assign(asked="")
    assert len(table) == 4
    chosen = (table["id"] == "H-1") & (table["column"] == "note")
    table.loc[chosen, ["decision", "asked"]] = ["theirs", "K. on the radio"]
    table.loc[~chosen, "asked"] = "still to ask"
    table.to_csv(listed, index=False)
    for _ in range(3):
        result = run("merge", *files, "-o", out, "--overwrite", *(["--decisions", listed] if named else []))
        assert result.exit_code == 0, result.output
        assert ("kept but not applied" in result.output) is not named
        after = cells(listed)
        assert len(after) == 4
        assert after.loc[("H-1", "note"), ["decision", "asked", "value_that_stands"]].tolist() == [
            "theirs", "K. on the radio", cells(listed).loc[("H-2", "note"), "value_that_stands"],
        ]  # fmt: skip
        assert after["asked"].tolist().count("still to ask") == 3
        assert gt.read(out, "hazards")["note"].tolist() == ["t" if named else "=1+1", "=1+1"]


def test_all_decisions_for_one_record_count(tmp_path: Path, make: Any) -> None:
    files, out = three(make, tmp_path), tmp_path / "m.gpkg"
    assert run("merge", *files, "-o", out).exit_code == 0
    table = pd.read_csv(tmp_path / "m_conflicts.csv", dtype=str, keep_default_na=False).assign(decision="theirs")
    table.to_csv(tmp_path / "m_conflicts.csv", index=False)
    before = (tmp_path / "m_conflicts.csv").read_bytes()
    result = run("merge", *files, "-o", out, "--overwrite", "--decisions", tmp_path / "m_conflicts.csv", "--json")
    assert json.loads(result.stdout)["conflicts"] == 0
    assert gt.read(out, "hazards")[["status", "note"]].values.tolist() == [["worked_on", "t"]] * 2
    assert (tmp_path / "m_conflicts.csv").read_bytes() == before, "it says all: it is left alone"


def test_a_workbook_with_decisions_is_never_written_onto(tmp_path: Path, make: Any) -> None:
    files, out = three(make, tmp_path), tmp_path / "m.gpkg"
    assert run("merge", *files, "-o", out).exit_code == 0
    table = pd.read_csv(tmp_path / "m_conflicts.csv", dtype=str, keep_default_na=False)
    table.loc[0, "decision"] = "theirs"
    book = tmp_path / "asked.xlsx"
    table.to_excel(book, index=False)
    before = book.read_bytes()
    result = run("merge", *files, "-o", out, "--overwrite", "--decisions", book, "--conflicts", book)
    assert result.exit_code == 0, result.output
    assert book.read_bytes() == before
    assert cells(tmp_path / "asked_2.csv")["decision"].tolist().count("theirs") == 1
    assert "asked_2.csv" in result.output
    other = tmp_path / "survey.csv"
    other.write_text("id,name\n1,x\n", encoding="utf-8")
    result = run("merge", *files, "-o", out, "--overwrite", "--conflicts", other)
    assert result.exit_code != 0
    assert other.read_text(encoding="utf-8") == "id,name\n1,x\n", "what is no list of conflicts is not written over"


@pytest.mark.parametrize("folder", [False, True])
def test_a_drawing_named_like_an_outcome_is_warned_of_on_the_screen(tmp_path: Path, make: Any, folder: bool) -> None:
    files = [tmp_path / n / "all.gpkg" for n in ("base", "ours", "theirs")]
    drawn = make.frame(make.hazard("S-1"), make.hazard("S-2", make.square(300)))
    for file in files:
        file.parent.mkdir()
        gt.write(make.frame(make.hazard("H-1")), file, layer="hazards")
        gt.write(make.frame(make.release("R-1")), file, layer="releases")
    gt.write(drawn, files[2], layer="result_sketch")
    gt.write(drawn, files[2], layer="issues_of_the_day")
    asked = [file.parent if folder else file for file in files]
    result = run("merge", *asked, "-o", tmp_path / "m.gpkg")
    assert result.exit_code == 0, result.output
    assert "warning: the layer 'result_sketch'" in result.stderr
    assert "(2 features)" in result.stderr and "another name" in result.stderr
    written = {str(name) for name, _ in pyogrio.list_layers(tmp_path / "m.gpkg")}
    assert "issues_of_the_day" in written and "result_sketch" not in written


def test_why_rows_stay_behind_is_said(tmp_path):
    from geotools.field.package.redact import reasons

    assert reasons("partner", {"fixes": 9, "accidents": 1}) == [
        "fixes 9: no package carries such layers",
        "accidents 1: not marked safe to publish, or on or linked to a hazard that is marked unsafe to publish",
    ]
    assert reasons("internal", {"fixes": 2})[0].endswith("no package carries such layers")
    ring = "POLYGON((47 39,47.01 39,47.01 39.01,47 39))"
    (tmp_path / "hazards.csv").write_text(
        f'id,classification,safe_to_publish,wkt\nH-1,SHA,no,"SRID=4326;{ring}"\n', "utf-8"
    )
    result = CliRunner().invoke(
        cli,
        [
            "field",
            "package",
            str(tmp_path),
            "--redact",
            "public",
            "-o",
            str(tmp_path / "out" / "p"),
            "--skip",
            "map",
            "--skip",
            "card",
        ],
    )
    assert result.exit_code == 0, result.output
    assert "hazards 1: marked unsafe to publish" in result.output
    assert "no hazard is in this package" in result.output
