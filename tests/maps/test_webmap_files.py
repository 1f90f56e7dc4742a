"""The written file: deterministic, self-contained, small; assets checksummed; languages complete; errors in plain words."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli
from geotools.maps.webmap import words
from geotools.maps.webmap.series import FIGURES, series
from geotools.model.errors import CRSError, MapError, WriteError
from geotools.model.vocab import LANGUAGES

FOLDER = resources.files("geotools.maps.webmap")


def test_assets_are_the_vendored_ones() -> None:
    folder = FOLDER.joinpath("assets")
    listed = dict(reversed(line.split("  ")) for line in folder.joinpath("SHA256SUMS").read_text("utf-8").splitlines())
    present = {f.name for f in folder.iterdir()} - {"SHA256SUMS", "README.md"}
    assert set(listed) == present
    for name, digest in listed.items():
        data = folder.joinpath(name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest, name
        assert b"\r\n" not in data or name.endswith(".png")
        assert b"sourceMappingURL" not in data


def test_languages_have_the_same_keys_and_places() -> None:
    texts = words.interface()
    keys = list(texts["en"])
    for lang in LANGUAGES:
        assert list(texts[lang]) == keys
        for key, text in texts[lang].items():
            assert text
            assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", texts["en"][key]), (lang, key)
    pages = "".join(f.read_text("utf-8") for f in FOLDER.joinpath("page").iterdir() if f.name.endswith(".js"))
    used = set(re.findall(r"\bt\(\"([a-z_0-9]+)\"\)", pages))
    assert used <= set(keys)
    labels = tomllib.loads(FOLDER.joinpath("i18n", "labels.toml").read_text("utf-8"))
    assert all(len(row) == len(LANGUAGES) and all(row) for table in labels.values() for row in table.values())


def test_the_same_input_gives_the_same_bytes_whatever_the_row_order(survey_frames: dict[str, gpd.GeoDataFrame]) -> None:
    once = gt.webmap.render(gt.map(survey_frames, title="x"))
    assert gt.webmap.render(gt.map(survey_frames, title="x")) == once
    shuffled = {kind: frame.sample(frac=1, random_state=5) for kind, frame in survey_frames.items()}
    assert gt.webmap.render(gt.map(shuffled, title="x")) == once
    made = gt.map(survey_frames, title="x")
    assert gt.webmap.render(made) == gt.webmap.render(made) == once


def test_small_page_is_small_and_asks_for_nothing(small_page: Path) -> None:
    text = small_page.read_text("utf-8")
    assert len(text.encode()) <= 350_000
    code = re.sub(r'<script type="[^"]+"[^>]*>.*?</script>', "", text, flags=re.DOTALL)
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//(?!leafletjs)""", code)
    assert "@import" not in code
    assert "jquery" not in code.lower()
    assert "No record is not no contamination" in code  # also without JavaScript


def test_records_that_must_not_be_published_are_not_in_the_file(survey_frames: dict[str, gpd.GeoDataFrame]) -> None:
    from geotools.maps.webmap.layers import VectorLayer

    def accidents(made: Any) -> list[Any]:
        layer = next(e for e in made._children.values() if isinstance(e, VectorLayer) and e.spec.id == "accidents")
        return gt.webmap.payload.decode(layer.payload.text).columns["id"]

    assert accidents(gt.map(survey_frames)) == ["A-1", "A-2"]
    assert any("withheld" in str(n) for n in gt.map(survey_frames).page.notes)
    made = gt.map(survey_frames, sensitive=True)
    assert accidents(made) == ["A-1", "A-2", "A-3"]
    assert made.page.describe()["sensitivity"]["en"].startswith("Restricted")


def test_series_equals_the_ledger_on_any_day(survey_frames: dict[str, gpd.GeoDataFrame]) -> None:
    whole = gt.coverage(survey_frames["hazards"], survey_frames["releases"])
    found = series(whole)
    assert found is not None
    assert found.undated
    rng = np.random.default_rng(7)
    for day in rng.integers(found.days[0], found.days[-2] + 1, 20):
        totals = gt.coverage(
            survey_frames["hazards"], survey_frames["releases"], as_of=date.fromordinal(int(day) + 719163)
        ).totals
        at = int(np.searchsorted(found.days, day, side="right")) - 1
        for name in FIGURES:
            assert found.m2[name][at] == pytest.approx(totals[f"{name}_m2"], abs=1.0), (day, name)
    assert [found.m2[n][-1] for n in FIGURES] == pytest.approx([whole.totals[f"{n}_m2"] for n in FIGURES], abs=1.0)


@pytest.mark.slow
def test_series_of_the_sample_equals_the_ledger() -> None:
    survey = gt.open_survey("sample_data/fuzuli")
    found = series(gt.coverage(survey.hazards, survey.releases, programme=survey.programme))
    assert found is not None
    for day in np.random.default_rng(1).integers(found.days[0], found.days[-2] + 1, 20):
        totals = gt.coverage(
            survey.hazards, survey.releases, as_of=date.fromordinal(int(day) + 719163), programme=survey.programme
        ).totals
        at = int(np.searchsorted(found.days, day, side="right")) - 1
        assert [found.m2[n][at] for n in FIGURES] == pytest.approx([totals[f"{n}_m2"] for n in FIGURES], abs=1.0)


def test_reopened_and_superseded_ground_is_asked_day_by_day(survey_frames: dict[str, gpd.GeoDataFrame]) -> None:
    hazards = survey_frames["hazards"].assign(supersedes_id=[None] * 11 + ["H-00"])
    releases = survey_frames["releases"]
    found = series(gt.coverage(hazards, releases))
    assert found is not None
    totals = gt.coverage(hazards, releases, as_of="2023-01-01").totals
    at = int(np.searchsorted(found.days, 19358, side="right")) - 1
    assert found.m2["remaining"][at] == pytest.approx(totals["remaining_m2"], abs=1.0)


def test_empty_and_odd_input() -> None:
    empty = gpd.GeoDataFrame({"id": []}, geometry=[], crs="EPSG:4326")
    assert "gt-page" in gt.webmap.render(gt.map({}))
    assert "gt-page" in gt.webmap.render(gt.map({"hazards": empty, "releases": empty}))
    lonely = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[None], crs="EPSG:4326")
    assert any("no place" in str(n) for n in gt.map({"hazards": lonely}).page.notes)
    line = gpd.GeoDataFrame({"id": ["x"]}, geometry=[shapely.LineString([(46, 39), (47, 40)])], crs="EPSG:4326")
    assert "gt-page" in gt.webmap.render(gt.map({"hazards": line, "roads of mine": line}))
    with pytest.raises(CRSError):
        gt.map({"hazards": gpd.GeoDataFrame({"id": ["H-1"]}, geometry=[shapely.box(0, 0, 1, 1)])})


@pytest.mark.parametrize(
    ("call", "words_"),
    [
        (lambda f: gt.map(f, colour="red"), "no setting 'colour'"),
        (lambda f: gt.map(f, lang="de"), "speaks"),
        (lambda f: gt.map(f, theme="rainbow"), "no theme"),
        (lambda f: gt.map(f, layers="hazards,moon"), "no layer 'moon'"),
        (lambda f: gt.webmap.AreaLayer(f["hazards"], "x", by="nothing"), "no column 'nothing'"),
        (lambda f: gt.webmap.AreaLayer(f["hazards"], "x", blink=True), "no setting 'blink'"),
        (lambda f: gt.webmap.AreaLayer(f["hazards"].assign(parts=[[1]] * 12), "x"), "list"),
    ],
)
def test_a_broken_call_says_what_is_wrong(survey_frames: dict[str, gpd.GeoDataFrame], call: Any, words_: str) -> None:
    with pytest.raises(MapError, match=words_) as caught:
        call(survey_frames)
    assert caught.value.hint or "speaks" in words_ or "list" in words_


def test_save_refuses_to_replace_and_to_grow(tmp_path: Path, survey_frames: dict[str, gpd.GeoDataFrame]) -> None:
    made = gt.map(survey_frames)
    path = gt.webmap.save(made, tmp_path / "map.html")
    with pytest.raises(WriteError):
        gt.webmap.save(made, path)
    with pytest.raises(MapError, match="MB"):
        gt.webmap.save(made, tmp_path / "other.html", max_mb=0.1)
    assert not (tmp_path / "other.html").exists()
    made.save(str(path))  # folium's own way replaces, and writes the same page
    assert path.read_bytes() == gt.webmap.save(made, tmp_path / "third.html").read_bytes()


def test_a_map_too_big_for_a_notebook_is_a_picture(
    survey_frames: dict[str, gpd.GeoDataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    from geotools.maps.webmap import page

    made = gt.map(survey_frames)
    assert made._repr_html_().startswith("<iframe")
    monkeypatch.setattr(page, "INLINE_BYTES", 1000)
    html = made._repr_html_()
    assert "data:image/png;base64," in html
    assert "map.html" in html


def test_as_of_leaves_later_records_out(survey_frames: dict[str, gpd.GeoDataFrame]) -> None:
    made = gt.map(survey_frames, as_of="2022-01-01")
    assert made.page.as_of == date(2022, 1, 1)
    assert made.page.series is not None
    assert made.page.series.m2["remaining"][-1] == pytest.approx(
        gt.coverage(survey_frames["hazards"], survey_frames["releases"], as_of="2022-01-01").totals["remaining_m2"],
        abs=1,
    )


def test_machine_work_without_a_search_is_never_called_released(survey_frames: dict[str, gpd.GeoDataFrame]) -> None:
    layer = next(
        e
        for e in gt.map(survey_frames, coverage=False)._children.values()
        if getattr(getattr(e, "spec", None), "id", "") == "released"
    )
    data = gt.webmap.payload.decode(layer.payload.text)
    assert {c for c, m in zip(data.columns["cls"], data.columns["method"], strict=True) if m == "mechanical"} == {
        "processed"
    }


def test_command(tmp_path: Path, survey_frames: dict[str, gpd.GeoDataFrame]) -> None:
    source = tmp_path / "survey"
    source.mkdir()
    for kind in ("hazards", "releases"):
        survey_frames[kind].to_file(source / f"{kind}.gpkg")
    run = CliRunner().invoke(
        cli,
        [
            "map",
            str(source),
            "-o",
            str(tmp_path / "m.html"),
            "--lang",
            "az",
            "--as-of",
            "2023-01-01",
            "--title",
            "Sınaq",
        ],
        catch_exceptions=False,
    )
    assert run.exit_code == 0, run.output
    assert '<html lang="az"' in (tmp_path / "m.html").read_text("utf-8")
    run = CliRunner().invoke(
        cli,
        ["map", str(source), "--compare", "2022-01-01", "2024-01-01", "-o", str(tmp_path / "c.html")],
        catch_exceptions=False,
    )
    assert run.exit_code == 0, run.output
    one = CliRunner().invoke(
        cli, ["map", str(source / "hazards.gpkg"), "-o", str(tmp_path / "one.html")], catch_exceptions=False
    )
    assert one.exit_code == 0, one.output
    assert CliRunner().invoke(cli, ["map", "-o", str(tmp_path / "x.html")]).exit_code == 2


def test_hillshade_of_a_plane_is_even_and_of_a_slope_depends_on_its_side() -> None:
    from geotools.maps.webmap.rasters import hillshade

    x = np.mgrid[0:20, 0:20].astype(float)[1]
    assert np.ptp(hillshade(x * 0, 10.0)) == 0
    facing_west, facing_east = hillshade(x * 5, 10.0)[10, 10], hillshade(-x * 5, 10.0)[10, 10]
    assert facing_west > facing_east  # light from the north-west


def test_figures_of_a_page_are_json() -> None:
    assert json.loads(json.dumps(gt.map({}).page.describe()))["langs"] == list(LANGUAGES)
    assert pd.notna(1)
