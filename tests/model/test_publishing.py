"""One meaning of "may be published" for maps, packages and team files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.field.export import field_files
from geotools.maps.webmap import payload
from geotools.model.publishing import publishable

NO = ("no", "false", "False", "0", 0, 0.0, False, "нет", "perhaps")
YES = ("yes", "true", "True", "1", 1, 1.0, True, "да")


def shown_on_map(survey: gt.Survey, kind: str) -> set[str]:
    made = gt.map(survey, coverage=False, basemap=False)
    found = [c for c in made._children.values() if getattr(getattr(c, "spec", None), "kind", "") == kind]
    return {i for layer in found for i in payload.decode(layer.payload.body).columns.get("id", [])}


def kept(survey: gt.Survey, kind: str, folder: Path) -> tuple[set[str], set[str]]:
    """Ids whose exact place is in the partner package, and in the team files."""
    out = []
    gt.field.package(survey, folder / "p", redact="partner", skip=("map", "card", "forms"))
    field_files(survey, gt.coverage(survey.hazards, survey.releases), folder / "t")
    for path in (folder / "p" / "geojson", folder / "t"):
        rows = gpd.read_file(path / f"{kind}.geojson") if (path / f"{kind}.geojson").exists() else None
        blurred = set() if rows is None or "precision_m" not in rows else set(rows["id"][rows["precision_m"].notna()])
        out.append(set() if rows is None else set(rows["id"]) - blurred)
    return out[0], out[1]


@pytest.mark.parametrize("kind", ["hazards", "accidents"])
def test_map_package_and_team_files_read_the_mark_alike(kind: str, tmp_path: Path) -> None:
    marks: list[Any] = [*NO, *YES, None, ""]
    ids = [f"REC-{n:02d}" for n in range(len(marks))]
    spots = [shapely.Point(47 + 0.05 * n, 39.5) for n in range(len(marks))]
    shapes = [s.buffer(0.001) for s in spots] if kind == "hazards" else spots
    columns: dict[str, Any] = {"id": ids, "safe_to_publish": pd.Series(marks, dtype=object)}
    columns |= {"classification": "CHA"} if kind == "hazards" else {"cause": "mine"}
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")
    far = gpd.GeoDataFrame({"id": ["H-far"], "classification": ["CHA"]}, geometry=[shapely.box(49, 40, 49.01, 40.01)], crs="EPSG:4326")  # fmt: skip
    survey = gt.Survey("s", {"hazards": far, kind: frame})
    expected = {i for i, mark in zip(ids, marks, strict=True) if mark in YES}
    expected |= set(ids[-2:]) if kind == "hazards" else set()
    assert {i for i, ok in zip(ids, publishable(frame, kind), strict=True) if ok} == expected
    assert shown_on_map(survey, kind) == expected
    package, team = kept(survey, kind, tmp_path)
    assert package == expected
    assert team == expected


def test_without_the_column_only_accidents_stay_behind() -> None:
    rows = pd.DataFrame({"id": ["1", "2"]})
    assert publishable(rows, "accidents").tolist() == [False, False]
    assert publishable(rows, "finds").tolist() == [True, True]
