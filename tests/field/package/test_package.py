"""A package is whole or not there, the same every time, and complete: every record is in it or counted."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.model.errors import MissingLibraryError, SchemaError, WriteError

QUICK = {"skip": ("map", "card")}


def hashes(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


@pytest.mark.parametrize("skip", [("map", "card"), pytest.param((), marks=pytest.mark.slow)])
def test_the_same_records_give_the_same_bytes(kit: Any, tmp_path: Path, skip: tuple[str, ...]) -> None:
    survey = kit.survey()
    turned = gt.Survey(
        survey.name, {k: f.iloc[::-1] for k, f in survey.layers.items()}, survey.programme, inputs=survey.inputs
    )
    one = gt.field.package(survey, tmp_path / "a" / "p", area="H-1", skip=skip)
    two = gt.field.package(turned, tmp_path / "b" / "p", area="H-1", skip=skip)
    first, second = hashes(tmp_path / "a" / "p"), hashes(tmp_path / "b" / "p")
    assert [n for n in first if first[n] != second.get(n)] == []
    assert set(first) == set(second)
    assert one.archive.read_bytes() == two.archive.read_bytes()


def test_the_manifest_names_every_file_and_every_record(kit: Any, tmp_path: Path) -> None:
    made = gt.field.package(kit.survey(), tmp_path / "p", **QUICK)
    told = json.loads((tmp_path / "p" / "manifest.json").read_text("utf-8"))
    assert told == made.manifest
    found = hashes(tmp_path / "p")
    assert {n: e["sha256"] for n, e in told["files"].items()} == {
        n: h for n, h in found.items() if n != "manifest.json"
    }
    rows = told["base"]["rows"]
    for name, revisions in rows.items():
        assert set(revisions) == set(
            gpd.read_file(tmp_path / "p" / "qfield" / "team.gpkg", layer=name)["id"].astype(str)
        )
    with zipfile.ZipFile(made.archive) as book:
        assert book.testzip() is None
        assert {n.removeprefix("p/"): hashlib.sha256(book.read(n)).hexdigest() for n in book.namelist()} == found
    changed = kit.survey()
    changed.layers["hazards"].loc[0, "name"] = "other"
    again = gt.field.package(changed, tmp_path / "q", **QUICK).manifest["base"]["rows"]
    assert [k for k in rows["hazards"] if rows["hazards"][k] != again["hazards"][k]] == ["H-1"]


def test_every_record_is_in_it_or_counted(kit: Any, tmp_path: Path) -> None:
    survey = kit.survey()
    for level in ("internal", "partner", "public"):
        made = gt.field.package(survey, tmp_path / level, redact=level, **QUICK)
        total = sum(len(f) for f in survey.layers.values())
        assert sum(made.manifest["counts"].values()) + sum(made.manifest["withheld"].values()) == total, level
    listed = pd.read_csv(tmp_path / "internal" / "not_on_map.csv")
    assert listed[["layer", "id"]].to_numpy().tolist() == [["hazards", "H-3"]]


def test_task_area_and_their_surroundings(kit: Any, tmp_path: Path) -> None:
    survey = kit.survey()
    made = gt.field.package(survey, tmp_path / "t", task="TSK-81", **QUICK)
    assert set(gpd.read_file(tmp_path / "t" / "qfield" / "team.gpkg", layer="hazards")["id"]) == {
        "H-1",
        "H-3",
        "H-4",
    }, "500 m around, and those without a place"
    assert made.manifest["task"] == "TSK-81"
    file = tmp_path / "area.geojson"
    gt.write(kit.frame({"id": "a", "geometry": kit.box(84_950, 1100, 200, 200)}), file)
    gt.field.package(survey, tmp_path / "a", area=str(file), **QUICK)
    assert set(gpd.read_file(tmp_path / "a" / "qfield" / "team.gpkg", layer="hazards")["id"]) == {"H-5", "H-3"}
    text = (tmp_path / "a" / "points" / "turning_points.csv").read_text("utf-8")
    assert "39S" in text, "east of 48° E the zone is 39"
    for choices, words in (
        ({"task": "none"}, "no task 'none'"),
        ({"area": "none"}, "no hazard and no file"),
        ({"task": "TSK-81", "area": "H-1"}, "not both"),
        ({"lang": "xx"}, "not a language"),
        ({"skip": ("all",)}, "no part 'all'"),
    ):
        with pytest.raises(SchemaError, match=words):
            gt.field.package(survey, tmp_path / "x", **choices)
    assert not (tmp_path / "x").exists()


def test_a_task_outside_every_hazard_is_walked_itself(kit: Any, tmp_path: Path) -> None:
    survey = kit.survey()
    ground = kit.box(5000, 5000, 80, 60)
    activities = kit.frame({"id": "A", "type": "clearance", "task_id": "T", "geometry": ground})
    gt.field.package(gt.Survey("s", {**survey.layers, "activities": activities}), tmp_path / "p", task="T", **QUICK)
    assert len(pd.read_csv(tmp_path / "p" / "points" / "turning_points.csv")) == 4
    assert "Boundary T" in (tmp_path / "p" / "gps" / "boundaries.gpx").read_text("utf-8")


def test_nothing_and_hardly_anything(tmp_path: Path) -> None:
    made = gt.field.package(gt.Survey("empty"), tmp_path / "none")
    assert {"README.txt", "gps/boundaries.gpx"} <= set(made.manifest["files"])
    hazards = gpd.GeoDataFrame(
        {"id": ["a", "b"], "classification": ["CHA", None]}, geometry=gpd.GeoSeries([None, shapely.Polygon()], crs=4326)
    )
    for level in ("internal", "partner", "public"):
        gt.field.package(gt.Survey("s", {"hazards": hazards}), tmp_path / level, redact=level, skip=("forms",))
    assert len(pd.read_csv(tmp_path / "internal" / "not_on_map.csv")) == 2
    naked = hazards.set_crs(None, allow_override=True)
    gt.field.package(gt.Survey("s", {"hazards": naked}), tmp_path / "naked", **QUICK)


def test_careless_frames(kit: Any, tmp_path: Path) -> None:
    """Ids that are numbers or missing, text dates, another geometry column, two systems."""
    hazards = gpd.GeoDataFrame(
        {"ID": [7, 8], "date_info": ["2024-01-05", "soon"], "shape": [kit.star(0, 0), kit.star(300, 0)]},
        geometry="shape",
        crs=kit.utm,
    )
    finds = gpd.GeoDataFrame({"category": ["ap"]}, geometry=gpd.points_from_xy([47.13], [39.59]), crs=4326)
    survey = gt.Survey("s", {"hazards": hazards, "finds": finds})
    for level in ("internal", "partner", "public"):
        gt.field.package(survey, tmp_path / level, redact=level, area="7", skip=("card", "forms"))
    assert set(gpd.read_file(tmp_path / "internal" / "geojson" / "hazards.geojson")["id"]) == {"7", "8"}
    assert set(pd.read_csv(tmp_path / "internal" / "points" / "turning_points.csv")["feature"]) == {7}


@pytest.mark.parametrize("skip", [("map", "card"), pytest.param(("map",), marks=pytest.mark.slow)])
def test_hostile_text_stays_text(kit: Any, tmp_path: Path, skip: tuple[str, ...]) -> None:
    from xml.etree import ElementTree as ET

    rows = [
        {
            "id": f"{n}/{text[:30]}",
            "classification": "CHA",
            "name": text,
            "note": text,
            text.replace("\x00", "")[:40] or "c": text,
            "geometry": kit.star(300 * n, 0, seed=n),
        }
        for n, text in enumerate(kit.hostile)
    ]
    survey = gt.Survey("<script>\x01 & Ə", {"hazards": kit.frame(*rows)})
    for level in ("internal", "public"):
        gt.field.package(survey, tmp_path / level, redact=level, skip=skip)
        for file in [
            *(tmp_path / level).rglob("*.kml"),
            *(tmp_path / level).rglob("*.gpx"),
            *(tmp_path / level).rglob("*.qgs"),
            *(tmp_path / level).rglob("*.qml"),
        ]:
            ET.parse(file)
    assert "control characters were taken out" in (tmp_path / "internal" / "README.txt").read_text("utf-8")
    assert (tmp_path / "internal" / "cards").is_dir() is ("card" not in skip)
    ids = set(gpd.read_file(tmp_path / "internal" / "qfield" / "team.gpkg", layer="hazards")["name"])
    assert {t for t in kit.hostile if "\x07" not in t} <= ids


def test_refusals_leave_everything_as_it_was(kit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    survey = kit.survey()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(WriteError, match="holds other things"):
        gt.field.package(survey, tmp_path / "mine", overwrite=True)
    gt.field.package(survey, tmp_path / "p", **QUICK)
    before = hashes(tmp_path)
    with pytest.raises(WriteError, match="exists already"):
        gt.field.package(survey, tmp_path / "p", **QUICK)
    from geotools.field.package import folder

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder.archive, "packed_folder", refuse)
    with pytest.raises(WriteError):
        gt.field.package(survey, tmp_path / "p", overwrite=True, **QUICK)
    assert hashes(tmp_path) == before
    monkeypatch.setattr(
        folder, "need", lambda *_: (_ for _ in ()).throw(MissingLibraryError("openpyxl", hint="pip install"))
    )
    with pytest.raises(MissingLibraryError):
        gt.field.package(survey, tmp_path / "q", **QUICK)
    monkeypatch.undo()
    made = gt.field.package(survey, tmp_path / "q", skip=("map", "card", "forms"), zip=False)
    assert made.archive is None
    assert not list((tmp_path / "q").rglob("*.xlsx"))


def test_inputs_are_not_changed(kit: Any, tmp_path: Path) -> None:
    survey = kit.survey()
    before = {k: f.copy() for k, f in survey.layers.items()}
    for level in ("partner", "public"):
        gt.field.package(survey, tmp_path / level, redact=level, **QUICK)
    for kind, frame in before.items():
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(survey.layers[kind]))


SERVER = """
import os, sys
sys.path.insert(0, sys.argv[1])
import conftest
import geotools as gt
survey = conftest.survey()
import geotools.survey.pictures, openpyxl
gt.field.package(survey, sys.argv[2] + "/warm", skip=("map", "card"))
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.setsid()
        gt.field.package(survey, sys.argv[2] + "/p", overwrite=True, skip=("map", "card"))
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment_no_half_package_is_left(tmp_path: Path) -> None:
    """kill -9 at 55 random points of the work: the folder is absent or complete, and so is the ZIP."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(Path(__file__).parent), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin and server.stdout
    killed = 0
    random = np.random.default_rng(0)

    def start() -> int:
        server.stdin.write("go\n")
        server.stdin.flush()
        return int(server.stdout.readline())

    start()
    began = time.perf_counter()
    server.stdout.readline()
    lasts = time.perf_counter() - began
    try:
        for _ in range(150):
            if killed >= 55:
                break
            child = start()
            time.sleep(float(random.uniform(0, lasts)))
            try:
                os.kill(child, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass
            assert server.stdout.readline().strip() == "ended"
            for folder in (tmp_path / "p",):
                if folder.exists():
                    told = json.loads((folder / "manifest.json").read_text("utf-8"))
                    assert {n: e["sha256"] for n, e in told["files"].items()} == {
                        n: h for n, h in hashes(folder).items() if n != "manifest.json"
                    }
            if (tmp_path / "p.zip").exists():
                with zipfile.ZipFile(tmp_path / "p.zip") as book:
                    assert book.testzip() is None
                    assert "p/manifest.json" in book.namelist()
    finally:
        server.communicate(timeout=60)
    assert killed >= 50
    assert {p.name for p in tmp_path.iterdir()} - {"p", "p.zip", "warm", "warm.zip"} == {
        n.name for n in tmp_path.glob(".geotools-*")
    }


# ------------------------------------------------------------------------------------------------ bounds, dates and the guide


def test_neighbours_inside_the_margin_stay_and_hazards_of_other_areas_do_not(kit: Any, tmp_path: Path) -> None:
    """Without a position, only what is recorded at a settlement that is far by every known position is left out."""
    spot = kit.star(0, 0).representative_point()

    def at(east: float) -> Any:
        return shapely.affinity.translate(spot, east, 0)

    def hazard(name: str, place: str | None, shape: Any = None) -> dict[str, Any]:
        return {"id": name, "classification": "SHA", "status": "open", "place": place, "geometry": shape}

    rows = [
        hazard("AREA", "Near", kit.star(0, 0)), hazard("IN", "Far", kit.star(540, 0)), hazard("OUT", "Far", kit.star(1500, 0)),
        hazard("U-near", "Near"), hazard("U-far", "FAR  "), hazard("U-lost", "Nowhere"), hazard("U-none", None),
        hazard("U-two", "Two"), hazard("D", "Two", kit.star(3000, 0)), hazard("U-east", "East"),
    ]  # fmt: skip
    places = kit.frame(
        *(
            {"id": n, "name": f"{n} (synthetic)", "geometry": at(x)}
            for n, x in (("Near", 900), ("Two", 9000), ("East", 9000))
        )
    )
    survey = gt.Survey("S", {"hazards": kit.frame(*rows), "places": places})
    made = gt.field.package(survey, tmp_path / "p", area="AREA", **QUICK)
    there = set(gpd.read_file(tmp_path / "p" / "qfield" / "team.gpkg", layer="hazards")["id"])
    assert there == {"AREA", "IN", "U-near", "U-far", "U-lost", "U-none", "U-two"}, (
        "only East is far by all that is known"
    )
    assert made.manifest["hazards_elsewhere_without_position"] == 1
    assert made.manifest["margin_m"] == 500
    text = (tmp_path / "p" / "README.txt").read_text("utf-8")
    assert "AREA and what lies within 500 m of it" in text
    assert "1 hazards without a position are recorded at settlements more than 5 km away" in text
    assert "500 m" in (tmp_path / "p" / "qfield" / "project.qgs").read_text("utf-8")
    whole = gt.field.package(survey, tmp_path / "w", **QUICK)
    assert whole.manifest["counts"]["hazards"] == len(rows)
    assert "margin_m" not in whole.manifest


@pytest.mark.parametrize("lang", ["en", "az", "tr", "ru"])
def test_the_readme_is_a_guide_on_one_page_in_the_language_of_the_package(kit: Any, tmp_path: Path, lang: str) -> None:
    from geotools.field.package.phrases import Phrases

    say = Phrases(lang)
    survey = kit.survey()
    survey = replace(survey, programme=replace(survey.programme, texts={"contact": "Ops room\n\u202e+000 <b>1</b>"}))
    made = gt.field.package(survey, tmp_path / "p", task="TSK-81", lang=lang, **QUICK)
    text = (tmp_path / "p" / "README.txt").read_text("utf-8")
    assert len(text.splitlines()) <= 60
    assert all(c.isprintable() or c == "\n" for c in text)
    for key in ("rule_boundary", "rule_return", "warning", "supports"):
        assert say(key) in text
    assert say("rule_state", day="2024-05-02") in text, "the last day that the records speak of"
    assert say("ask", contact="Ops room +000 <b>1</b>") in text
    named = {line.split()[0] for line in text.splitlines() if line.startswith("  ")}
    parts = {p.relative_to(tmp_path / "p").parts[0] for p in (tmp_path / "p").rglob("*") if p.is_file()}
    assert parts - {n.split("/")[0] for n in named} == {"README.txt"}, "what is there is explained"
    assert all((tmp_path / "p" / n).exists() for n in named), "what is explained is there"
    if lang != "en":
        assert Phrases("en")("rule_boundary") not in text
    assert made.manifest["information_up_to"] == "2024-05-02"


def test_hostile_names_cannot_write_lines_of_their_own_into_the_guide(kit: Any, tmp_path: Path) -> None:
    bad = "A\nThree rules of safety:\n1. enter\u2028\u202ehere\x85"
    hazards = kit.frame({"id": "H", "place": bad, "geometry": kit.star(0, 0)})
    survey = gt.Survey(bad * 40, {"hazards": hazards, "x\ny": hazards})
    gt.field.package(survey, tmp_path / "p", **QUICK)
    lines = (tmp_path / "p" / "README.txt").read_text("utf-8").split("\n")
    assert sum("enter" in line and not line.startswith("1. The boundary") for line in lines) == 1
    assert [line for line in lines if line.startswith("Three rules")] == ["Three rules of safety:"]
    assert max(map(len, lines)) < 420
