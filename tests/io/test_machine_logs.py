"""Logs of machines and receivers as they come: what says that the tool was not at work is never lost on the way."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
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
        ("implement_lifted", "0", "1"), ("pto", "1.0", "0.0"), ("work_state", "1", "0"), ("implement state", "lowered", "raised"),
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


def sentence(body: str) -> str:
    """A sentence with its checksum."""
    check = 0
    for letter in body:
        check ^= ord(letter)
    return f"${body}*{check:02X}"


def gga(clock: str, north: float = 0.0, quality: int = 4) -> str:
    return sentence(f"GPGGA,{clock},3936.{int(north * 1e5):06d},N,04712.0000000,E,{quality},12,0.7,120.0,M,-12.0,M,,")


def rmc(clock: str, day: str, north: float = 0.0, tail: str = "") -> str:
    return sentence(f"GPRMC,{clock},A,3936.{int(north * 1e5):06d},N,04712.0000000,E,1.00,90.0,{day},,{tail}")


def log(path: Path, *lines: str, end: str = "\r\n", encoding: str = "ascii") -> Path:
    """A log of sentences."""
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def epochs(first: str, last: str) -> list[str]:
    """Clock readings, one a second."""
    day = pd.Timestamp("2026-01-01")
    return [t.strftime("%H%M%S") for t in pd.date_range(day + pd.Timedelta(first), day + pd.Timedelta(last), freq="s")]


@pytest.mark.parametrize("dated_first", [True, False])
@pytest.mark.parametrize(
    ("pause", "day"),
    [("07:00:00", "050526"), ("17:00:00", "110526"), ("16:30:00", "050526"), ("23:00:00", "040526"), ("00:10:00", "050526"), ("15:59:00", "040627")],
)  # fmt: skip
def test_a_fix_after_a_pause_has_the_date_of_its_own_epoch(
    tmp_path: Path, pause: str, day: str, dated_first: bool
) -> None:
    lines = []
    for clocks, stated in ((epochs("16:00:00", "16:00:05"), "040526"), (epochs(pause, f"{pause[:6]}05"), day)):
        for clock in clocks:
            both = [rmc(clock, stated), gga(clock)]
            lines += both if dated_first else both[::-1]
    times = gt.read(log(tmp_path / "fixes.nmea", *lines), "fixes")["time"]
    assert times.dt.strftime("%d%m%y").tolist() == ["040526"] * 6 + [day] * 6
    assert times.dt.strftime("%H%M%S").tolist() == epochs("16:00:00", "16:00:05") + epochs(pause, f"{pause[:6]}05")


def test_midnight_is_passed_with_one_date_anywhere(tmp_path: Path) -> None:
    clocks = epochs("23:59:55", "23:59:59") + epochs("00:00:00", "00:00:04")
    for at in (0, 4, 5, 9):
        lines = [gga(clock) for clock in clocks]
        lines.insert(at, rmc(clocks[at], "311226" if at < 5 else "010127"))
        times = gt.read(log(tmp_path / "fixes.nmea", *lines), "fixes")["time"]
        assert times.tolist() == list(pd.date_range("2026-12-31T23:59:55Z", periods=10, freq="s"))


def test_a_day_that_must_be_guessed_is_said(tmp_path: Path) -> None:
    lines = [rmc("160000", "040526"), gga("160000"), gga("180000"), gga("070000")]
    fixes, issues = io.read_with_issues(log(tmp_path / "fixes.nmea", *lines), "fixes")
    assert fixes["time"].dt.strftime("%d %H").tolist() == ["04 16", "04 18", "05 07"]
    said = issues[issues["column"] == "time"]
    assert said["severity"].tolist() == ["warning"] and said["value"].tolist() == ["2"]


@pytest.mark.parametrize(
    ("end", "encoding"),
    [("", "ascii"), ("\r", "ascii"), ("\r\r\n", "ascii"), ("\r\n", "utf-16"), ("\n", "utf-16-be"), ("\x00\n", "ascii")],
)
def test_no_end_of_line_loses_a_fix(tmp_path: Path, end: str, encoding: str) -> None:
    lines = [part for second in range(30) for part in (rmc(f"0600{second:02d}", "040526"), gga(f"0600{second:02d}"))]
    fixes = gt.read(log(tmp_path / "fixes.nmea", *lines, end=end, encoding=encoding), "fixes")
    assert fixes["time"].tolist() == list(pd.date_range("2026-05-04T06:00Z", periods=30, freq="s"))


def test_a_cut_sentence_takes_none_with_it(tmp_path: Path) -> None:
    path = tmp_path / "fixes.nmea"
    text = f"{rmc('060000', '040526')}\r\n{gga('060000')}\r\n{gga('060001')[:30]}{gga('060002')}\r\n\xb5b\x01${gga('060003')}\r\n"
    path.write_bytes(text.encode("latin-1"))
    fixes, issues = io.read_with_issues(path, "fixes")
    assert fixes["time"].dt.second.tolist() == [0, 2, 3]
    assert issues["value"].iloc[0] == "rows=4 kept=3 repaired=0 rejected=1"


def test_sentences_other_than_gga_make_fixes_where_it_is_missing(tmp_path: Path) -> None:
    clocks = epochs("06:00:00", "06:00:29")
    lost = log(
        tmp_path / "fixes.nmea", rmc(clocks[0], "040526"), gga(clocks[0]), *(rmc(c, "040526") for c in clocks[1:])
    )
    fixes = gt.read(lost, "fixes")
    assert len(fixes) == 30 and fixes["fix_quality"].tolist() == ["rtk_fixed"] + ["autonomous"] * 29
    gns = [sentence(f"GNGNS,{c},3936.0000,N,04712.0000,E,RFN,12,0.7,120.0,-12.0,,") for c in clocks]
    fixes = gt.read(log(tmp_path / "gns.nmea", rmc(clocks[0], "040526"), *gns), "fixes")
    assert set(fixes["fix_quality"]) == {"rtk_float"} and fixes["time"].notna().all()
    gll = [sentence(f"GPGLL,3936.0000,N,04712.0000,E,{c},A,A") for c in clocks]
    day = sentence(f"GPZDA,{clocks[0]},04,05,2026,00,00")
    fixes = gt.read(log(tmp_path / "gll.nmea", day, *gll), "fixes")
    assert fixes["time"].tolist() == list(pd.date_range("2026-05-04T06:00Z", periods=30, freq="s"))


@pytest.mark.parametrize(
    ("mode", "quality"),
    [
        ("S", "simulated"),
        ("M", "manual"),
        ("E", "estimated"),
        ("N", "none"),
        ("A", "autonomous"),
        ("D", "differential"),
    ],
)
def test_the_mode_of_rmc_is_its_quality(tmp_path: Path, mode: str, quality: str) -> None:
    lines = [rmc(clock, "040526", tail=f",{mode}") for clock in epochs("06:00:00", "06:00:03")]
    assert set(gt.read(log(tmp_path / "fixes.nmea", *lines), "fixes")["fix_quality"]) == {quality}


@pytest.mark.parametrize("ending", ["txt", "csv", "log"])
def test_sentences_are_known_without_their_ending(tmp_path: Path, ending: str) -> None:
    path = log(tmp_path / f"fixes.{ending}", rmc("060000", "040526"), gga("060000"), gga("060001"))
    assert len(gt.read(path, "fixes")) == 2
    assert sum(len(part) for part, _ in io.stream(path, "fixes", rows=1)) == 2


def placed(path: Path, headings: str, *rows: str) -> list[tuple[float, float]]:
    """Where the fixes of a table lie, rounded to a centimetre."""
    path.write_text(
        "\n".join([f"time,{headings}", *(f"2026-05-04T06:00:{k:02d}Z,{row}" for k, row in enumerate(rows))]), "utf-8"
    )
    return [(round(p.x, 7), round(p.y, 7)) for p in gt.read(path, "fixes").geometry]


@pytest.mark.parametrize(
    ("headings", "row"),
    [
        ("lat,N/S,lon,E/W", "8.51,S,13.25,W"), ("latitude,latitude hemisphere,longitude,longitude hemisphere", "8.51,South,13.25,West"),
        ("lat,ns,lon,ew", "830.6,S,1315.0,W"), ("lat,lon", "0830.6000S,01315.0000W"), ("lat,lon", "S0830.6,W01315.0"),
        ("lat,ns,lon,ew", "-8.51,S,-13.25,W"),
    ],
)  # fmt: skip
def test_a_hemisphere_in_a_column_of_its_own_counts(tmp_path: Path, headings: str, row: str) -> None:
    assert placed(tmp_path / "log.csv", headings, row, row) == [(-13.25, -8.51)] * 2


def test_degrees_and_minutes_need_a_hemisphere_and_minutes_below_sixty(tmp_path: Path) -> None:
    assert placed(tmp_path / "log.csv", "lat,ns,lon,ew", "3936.0,N,4712.0,E", "3936.0006,N,4712.0006,E")[1] == (
        47.20001,
        39.60001,
    )
    for headings, row in (("lat,lon", "3936.0,4712.0"), ("lat,ns,lon,ew", "3966.0,N,4712.0,E")):
        with pytest.raises(gt.errors.CRSError):
            placed(tmp_path / "log.csv", headings, row, row)


def test_letters_that_are_no_hemisphere_move_nothing(tmp_path: Path) -> None:
    assert placed(tmp_path / "log.csv", "lat,ns,lon,ew", "39.6,X,47.2,2", "39.6,,47.2,") == [(47.2, 39.6)] * 2


def test_a_missing_letter_among_south_is_no_north(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "time,lat,ns,lon,ew\n2026-05-04T06:00:00Z,8.5,S,13.2,E\n2026-05-04T06:00:01Z,8.5,,13.2,E\n", "utf-8"
    )
    fixes, issues = io.read_with_issues(path, "fixes")
    assert fixes.geometry.y.tolist() == [-8.5] and (issues["check"] == "RD-02").sum() == 1


def test_a_large_table_that_tells_the_state_elsewhere_is_refused(tmp_path: Path) -> None:
    count = 40
    frame = pd.DataFrame(
        {
            "time": pd.date_range("2026-05-04T06:00Z", periods=count, freq="s"), "asset_id": "M1", "x": 688000 + 0.5 * np.arange(count),
            "y": 4385000.0, "Tool raised": [0] * 20 + [1] * 20,
        }
    )  # fmt: skip
    ground = gpd.GeoDataFrame({"id": ["T"]}, geometry=[shapely.box(687990, 4384990, 688090, 4385010)], crs="EPSG:32638")
    frame.to_parquet(tmp_path / "fixes.parquet")
    with pytest.raises(gt.errors.CoverageError, match="Tool raised"):
        gt.swath.stream(tmp_path / "fixes.parquet", ground, crs="EPSG:32638", tool=gt.swath.Tool(width_m=1))
    frame.assign(is_on=frame["Tool raised"] == 0).to_parquet(tmp_path / "fixes.parquet")
    made = gt.swath.stream(tmp_path / "fixes.parquet", ground, crs="EPSG:32638", tool=gt.swath.Tool(width_m=1))
    assert made.counts["used"] == 20


def test_a_logger_that_records_is_no_tool_that_works(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "\n".join([f"{HEAD},recording,tool raised", *(line(k, 1, int(k >= 20)) for k in range(40))]), "utf-8"
    )
    assert worked(path) == pytest.approx(9.5, abs=0.01)


def test_times_of_gpx_are_utc_stated_or_not(tmp_path: Path) -> None:
    points = []
    for second in range(4):
        stamp, lat, lon = line(second).split(",")
        points.append(f'<trkpt lat="{lat}" lon="{lon}"><time>{stamp if second % 2 else stamp[:-1]}</time></trkpt>')
    path = tmp_path / "log.gpx"
    body = f"<trk><trkseg>{''.join(points)}</trkseg></trk>"
    path.write_text(f'<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">{body}</gpx>', "utf-8")
    assert gt.read(path, "fixes")["time"].tolist() == list(pd.date_range("2026-05-04T06:00Z", periods=4, freq="s"))


@pytest.mark.parametrize("heading", ["Time (UTC)", "Time_UTC", "UTC timestamp", "Fix time"])
def test_usual_headings_of_time_and_machine(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\n".join([f"{heading},lat,lon,Machine ID", *(line(k, "M-1") for k in range(3))]), "utf-8")
    fixes = gt.read(path, "fixes")
    assert fixes["time"].notna().all() and set(fixes["asset_id"]) == {"M-1"}


@pytest.mark.parametrize("word", ["0.0", "No", "No position", "void", "V", "нет", "nofix"])
def test_no_position_in_other_words(tmp_path: Path, word: str) -> None:
    assert worked(table(tmp_path / "log.csv", "fix_quality", [word] * 40)) == 0
    fixes = gt.read(table(tmp_path / "log.csv", "fix_quality", ["4.0", "RTK Fix", "5.0"]), "fixes")
    assert fixes["fix_quality"].tolist() == ["rtk_fixed", "rtk_fixed", "rtk_float"]


def test_remarks_of_a_logger_before_the_names_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "\n".join(["# logger 1.2", "# serial 5, ok", "Time (UTC),Latitude (deg),Longitude (deg)", line(0), line(1)]),
        "utf-8",
    )
    fixes, issues = io.read_with_issues(path, "fixes")
    assert fixes["id"].tolist() == ["row-4", "row-5"] and fixes["time"].notna().all() and fixes.geometry.notna().all()
    assert issues["message"].str.contains("2 lines of remarks").any()
    path.write_text(f"#,{HEAD}\n1,{line(0)}\n", "utf-8")
    assert len(gt.read(path, "fixes")) == 1
    path.write_text(f"# one\n{line(0)}\n{line(1)}\n", "utf-8")
    assert not io.read_with_issues(path)[1]["message"].str.contains("remarks").any()


@pytest.mark.parametrize(
    ("dates", "first", "guessed"),
    [
        (["040526", "050526"], "2026-05-04", False),  # as receivers write it
        (["260504", "260505", "260506"], "2026-05-04", False),  # year first: as day first they would be years apart
        (["260504"], "2026-05-04", False),  # and a log of 2004 is none
        (["261531"], None, False),  # neither
        (["111213"], "2013-12-11", True),
    ],
)
def test_days_of_six_digits_are_read_in_one_order(dates, first, guessed, tmp_path):
    rows = "".join(f"{day},06:00:0{second},40.0,47.{second}\n" for second, day in enumerate(dates))
    path = tmp_path / "log.csv"
    path.write_text(f"Date,Time,lat,lon\n{rows}")
    fixes, issues = gt.read_with_issues(path, "fixes")
    assert fixes["time"].iloc[0] is pd.NaT if first is None else str(fixes["time"].iloc[0])[:10] == first
    assert issues["message"].str.contains("day first").any() == guessed
