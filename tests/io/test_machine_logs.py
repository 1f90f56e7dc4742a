"""Logs of machines and receivers as they come: what says that the tool was not at work is never lost on the way."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyproj
import pytest
import shapely

import geotools as gt
from geotools import io

PLANE = pyproj.Transformer.from_crs(32638, 4326, always_xy=True)
HEAD = "time,lat,lon"


def line(second: int, *rest: object, east: float | None = None) -> str:
    """One fix a second, half a metre apart, from 688 000 E 4 385 000 N in zone 38."""
    lon, lat = PLANE.transform(688000 + (0.5 * second if east is None else east), 4385000)
    stamp = pd.Timestamp("2026-05-04T06:00:00Z") + pd.Timedelta(seconds=second)
    return ",".join(map(str, (stamp.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{lat:.9f}", f"{lon:.9f}", *rest)))


def table(path: Path, heading: str, cells: list[object]) -> Path:
    """A log with one more column."""
    rows = [f"{HEAD},{heading}", *(line(second, cell) for second, cell in enumerate(cells))]
    path.write_text("\n".join(rows), "utf-8")
    return path


def worked(path: Path) -> float:
    """Length of the way that counts as worked, for a tool one metre wide."""
    fixes = gt.read(path, "fixes")
    return float(gt.swath.passes(fixes, tool=gt.swath.Tool(width_m=1))["length_m"].sum())


@pytest.mark.parametrize(
    ("on", "off"),
    [
        ("1.0", "0.0"), ("1,0", "0,0"), ("up", "down"), ("ON ", "off"), ("açık", "kapalı"), ("açıq", "bağlı"), ("вкл", "Выкл."),
        ("Включено", "выключено"), ("engaged", "disengaged"), ("working", "idle"), ("lowered", "raised"), ("çalışıyor", "çalışmıyor"),
        ("işləyir", "işləmir"), ("работает", "не работает"), ("var", "yok"),
    ],
)  # fmt: skip
def test_words_for_at_work_are_understood(tmp_path: Path, on: str, off: str) -> None:
    if on == "up":
        on, off = off, on
    path = table(tmp_path / "log.csv", "is_on", [f'"{on}"'] * 20 + [f'"{off}"'] * 20)
    assert worked(path) == pytest.approx(9.5, abs=0.01)


@pytest.mark.parametrize("word", ["perhaps", "2", "3.0", "-1", "0.5", "?"])
def test_a_flag_that_nobody_can_read_is_not_work(tmp_path: Path, word: str) -> None:
    path = table(tmp_path / "log.csv", "is_on", [word] * 40)
    fixes, issues = io.read_with_issues(path, "fixes")
    assert fixes["is_on"].isna().all() and set(fixes["is_on_as_entered"]) == {word}
    assert (issues["check"] == "RD-14").sum() == 40
    made = gt.swath.prepare(fixes, tool=gt.swath.Tool(width_m=1))
    assert len(made.passes) == 0 and made.counts["tool_lifted"] == 40
    said = " ".join(made.issues.loc[made.issues["check"] == "SW-04", "message"])
    assert "not working" in said and "all movement" not in said


def test_a_flag_that_nobody_can_read_stays_so_in_every_file(tmp_path: Path) -> None:
    fixes = gt.read(table(tmp_path / "log.csv", "is_on", ["perhaps"] * 40), "fixes")
    for ending in ("gpkg", "parquet", "csv", "geojson"):
        copy = gt.write(fixes, tmp_path / f"fixes.{ending}")
        assert worked(copy) == 0, ending


def test_no_flag_at_all_still_counts_as_work(tmp_path: Path) -> None:
    assert worked(table(tmp_path / "log.csv", "is_on", [""] * 40)) == pytest.approx(19.5, abs=0.01)


@pytest.mark.parametrize("word", ["none", "None", "NONE", "No fix", "0"])
def test_none_is_a_word_of_receivers(tmp_path: Path, word: str) -> None:
    path = table(tmp_path / "log.csv", "fix_quality", [word] * 40)
    assert set(gt.read(path, "fixes")["fix_quality"]) == {"none"}
    assert worked(path) == 0


def test_gpx_points_without_a_position_solution_make_no_swath(tmp_path: Path) -> None:
    points = []
    for second in range(40):
        stamp, lat, lon = line(second).split(",")
        points.append(f'<trkpt lat="{lat}" lon="{lon}"><time>{stamp}</time><fix>none</fix></trkpt>')
    path = tmp_path / "log.gpx"
    body = f"<trk><trkseg>{''.join(points)}</trkseg></trk>"
    path.write_text(f'<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">{body}</gpx>', "utf-8")
    assert worked(path) == 0


def test_segments_and_tracks_of_one_name_are_not_joined(tmp_path: Path) -> None:
    def track(first: int, last: int) -> str:
        cells = (line(second, east=0.5 * second).split(",") for second in range(first, last))
        points = "".join(f'<trkpt lat="{y}" lon="{x}"><time>{t}</time></trkpt>' for t, y, x in cells)
        return f"<trk><name>ACTIVE LOG</name><trkseg>{points}</trkseg></trk>"

    path = tmp_path / "log.gpx"
    body = track(0, 20) + track(23, 43)
    path.write_text(f'<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">{body}</gpx>', "utf-8")
    fixes = gt.read(path, "fixes")
    assert fixes["run_id"].nunique() == 2
    assert worked(path) == pytest.approx(19.0, abs=0.01)
    assert shapely.length(gt.swath.passes(fixes, tool=gt.swath.Tool(width_m=1)).geometry).max() < 10
