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


def times_of(path: Path, cells: list[str]) -> tuple[pd.Series, pd.DataFrame]:
    """The times of a log, and what was said about them."""
    rows = ["time;lat;lon", *(f"{cell};39.6;47.{second:06d}" for second, cell in enumerate(cells))]
    path.write_text("\n".join(rows), "utf-8")
    fixes, issues = io.read_with_issues(path, "fixes")
    return fixes["time"], issues[issues["check"] == "RD-13"]


@pytest.mark.parametrize(
    "cell",
    [
        "06:00:00", "06:00", "6:00:00 PM", "060000.00", "060000", "T06:00:00Z", "00:01.5", "108000.0", "0", "46146", "12.5", "4 May 06:00",
        "26-05-04 06:00:00", "May", "0001-01-01T06:00:00Z", "Monday 06:00",
    ],
)  # fmt: skip
def test_no_time_is_given_a_day_that_nobody_wrote(tmp_path: Path, cell: str) -> None:
    times, said = times_of(tmp_path / "log.csv", [cell, cell])
    assert times.isna().all()
    assert (said["severity"] == "warning").sum() == 2


@pytest.mark.parametrize(
    "cell",
    [
        "2026-05-04T06:00:00Z", "2026-05-04 06:00:00", "2026/05/04 06:00:00", "04.05.2026 06:00:00", "04.05.26 06:00:00", "4/5/2026 6:00",
        "1777874400", "1777874400.0", "1777874400000", "2026-05-04T10:00:00+04", "2026-05-04T10:00:00+04:00", "20260504T060000Z",
        "20260504060000", "04 May 2026 06:00:00", "2026-05-04 06:00:00 UTC", "04/05/2026 06:00:00 AM",
    ],
)  # fmt: skip
def test_times_in_usual_notations_are_one_instant(tmp_path: Path, cell: str) -> None:
    times, _ = times_of(tmp_path / "log.csv", [cell])
    assert times[0] == pd.Timestamp("2026-05-04T06:00:00Z")


def test_the_order_of_day_and_month_is_that_of_the_whole_column(tmp_path: Path) -> None:
    times, said = times_of(tmp_path / "log.csv", ["05/12/2026 23:59:59", "05/13/2026 00:00:00"])
    assert times.tolist() == [pd.Timestamp("2026-05-12T23:59:59Z"), pd.Timestamp("2026-05-13T00:00:00Z")]
    assert said["message"].str.contains("month first").any()
    times, said = times_of(tmp_path / "log.csv", ["05/06/2026 23:59:59"])
    assert times[0] == pd.Timestamp("2026-06-05T23:59:59Z") and said["message"].str.contains("day first").any()


def test_times_with_and_without_zone_in_one_column_are_not_mixed(tmp_path: Path) -> None:
    times, said = times_of(tmp_path / "log.csv", ["2026-05-04 10:00:00", "2026-05-04T06:00:01Z"])
    assert pd.isna(times[0]) and times[1] == pd.Timestamp("2026-05-04T06:00:01Z")
    assert said["severity"].tolist() == ["error"]


@pytest.mark.parametrize(
    ("heading", "on", "off"),
    [
        ("flail engaged", "1", "0"), ("flail_on", "yes", "no"), ("Tool down", "1", "0"), ("raised", "0", "1"), ("tool raised", "no", "yes"),
        ("implement_lifted", "0", "1"), ("pto", "1.0", "0.0"), ("work_state", "1", "0"), ("implement", "lowered", "raised"),
        ("tool status", "working", "transport"), ("status", "working", "idle"), ("mode", "work", "travel"), ("Engaged (0/1)", "1", "0"),
        ("tool raised", "lowered", "raised"), ("flail rpm", "900", "0"), ("rotor_rpm", "0.5", ""),
    ],
)  # fmt: skip
def test_the_state_of_the_tool_is_found_under_names_of_makers(tmp_path: Path, heading: str, on: str, off: str) -> None:
    path = table(tmp_path / "log.csv", heading, [on] * 20 + [off] * 20)
    fixes, issues = io.read_with_issues(path, "fixes")
    assert worked(path) == pytest.approx(9.5, abs=0.01)
    assert heading in fixes.columns, "the maker's own column stays"
    assert issues["message"].str.contains("at work").any()


def test_of_several_states_all_must_say_work(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    states = [("1", "0"), ("1", "1"), ("0", "0"), ("1", "")]
    path.write_text("\n".join([f"{HEAD},pto,tool raised", *(line(k, *states[k // 10]) for k in range(40))]), "utf-8")
    fixes = gt.read(path, "fixes")
    assert fixes["is_on"].fillna(False).tolist() == [True] * 10 + [False] * 30


def test_a_figure_that_may_tell_of_work_is_named(tmp_path: Path) -> None:
    _, issues = io.read_with_issues(table(tmp_path / "log.csv", "flail pressure", ["120"] * 40), "fixes")
    assert issues["message"].str.contains("'flail pressure' may tell").sum() == 1


@pytest.mark.parametrize(
    "heading", ["operator state", "battery on", "engine rpm", "road", "state", "note up", "work order"]
)
def test_other_columns_say_nothing_of_the_tool(tmp_path: Path, heading: str) -> None:
    fixes = gt.read(table(tmp_path / "log.csv", heading, ["1", "0"] * 20), "fixes")
    assert "is_on" not in fixes


@pytest.mark.parametrize(
    ("headings", "cells"),
    [
        ("Date,Time", "2026-05-04,06:00:{:02d}"), ("date;time", "04.05.2026;06:00:{:02d}"), ("UTC date,UTC time", "040526,0600{:02d}.00"),
        ("Date,GPS time", "2026-05-04 00:00:00,6:00:{:02d} AM"), ("tarix;saat", "04.05.26;6:00:{:02d}"),
    ],
)  # fmt: skip
def test_date_and_time_of_day_are_put_together(tmp_path: Path, headings: str, cells: str) -> None:
    mark = ";" if ";" in headings else ","
    rows = [f"{headings}{mark}lat{mark}lon", *(mark.join((cells.format(s), "39.6", f"47.{s:06d}")) for s in range(3))]
    (tmp_path / "log.csv").write_text("\n".join(rows), "utf-8")
    times = gt.read(tmp_path / "log.csv", "fixes")["time"]
    assert times.tolist() == list(pd.date_range("2026-05-04T06:00Z", periods=3, freq="s"))


def test_weeks_of_gps_are_turned_into_utc(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("GPS week,TOW,lat,lon\n2417,108018.5,39.6,47.2\n369,108018,39.6,47.2\n", "utf-8")
    times = gt.read(path, "fixes")["time"]
    assert times[0] == pd.Timestamp("2026-05-04T06:00:00.5Z") and pd.isna(times[1])


@pytest.mark.parametrize(("heading", "bad"), [("valid", "0"), ("valid", "false"), ("gps valid", "V"), ("status", "V")])
def test_rows_that_are_not_valid_are_no_positions(tmp_path: Path, heading: str, bad: str) -> None:
    good = {"0": "1", "false": "true", "V": "A"}[bad]
    path = table(tmp_path / "log.csv", heading, [good] * 20 + [bad] * 20)
    assert worked(path) == pytest.approx(9.5, abs=0.01)


@pytest.mark.parametrize("code", ["2", "3", "4", "5", "6"])
def test_fix_types_of_makers_are_never_taken_for_rtk(tmp_path: Path, code: str) -> None:
    assert set(gt.read(table(tmp_path / "log.csv", "fixType", [code] * 3), "fixes")["fix_quality"]) == {"autonomous"}
    assert set(gt.read(table(tmp_path / "log.csv", "fixType", ["0", "1"]), "fixes")["fix_quality"]) == {"none"}
    assert set(gt.read(table(tmp_path / "log.csv", "GPS quality", ["4"]), "fixes")["fix_quality"]) == {"rtk_fixed"}


def test_deviations_north_and_east_are_an_accuracy(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{HEAD},sdn(m),sde(m)\n{line(0, 0.5, 12)}\n{line(1, 0.5, '')}\n", "utf-8")
    fixes = gt.read(path, "fixes")
    assert fixes["h_acc_m"][0] == 12 and pd.isna(fixes["h_acc_m"][1])


def test_a_programme_that_names_the_columns_is_followed(tmp_path: Path) -> None:
    path = table(tmp_path / "log.csv", "raised", ["1"] * 40)
    programme = gt.Programme(columns={"fixes": {"raised": "is_on"}})
    assert io.read(path, "fixes", programme=programme)["is_on"].all()
