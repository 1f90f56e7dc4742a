"""Files made to harm their reader: XML that expands or fetches, archives that write elsewhere, links, and cells that run."""

from __future__ import annotations

import csv
import io as streams
import os
import re
import shutil
import stat
import tempfile
import time
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest

from geotools import io
from geotools.model.errors import GeotoolsError, ReadError

from .commands import WRITERS, Writer, emptied
from .conftest import Server, Tally

SECRET = "the secret of another file"

# ------------------------------------------------------------------------------------------------ XML

LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)) + "]>"
)
ATTACKS = {
    "billion laughs": (LAUGHS, "&a9;"),
    "one long entity": (f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>', "&a;" * 2_000),
    "a file": ('<!DOCTYPE x [<!ENTITY a SYSTEM "file://SECRET">]>', "&a;"),
    "an address": ('<!DOCTYPE x [<!ENTITY a SYSTEM "http://127.0.0.1:9/x">]>', "&a;"),
    "a DTD elsewhere": ('<!DOCTYPE x SYSTEM "file://SECRET">', "x"),
    "a parameter entity": ('<!DOCTYPE x [<!ENTITY % a SYSTEM "file://SECRET"> %a;]>', "x"),
    "after a long comment": (f"<!-- {'x' * 70_000} -->{LAUGHS}", "&a9;"),
}
BODIES = {
    "kml": '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>TEXT</name><Point><coordinates>47.1,39.6</coordinates></Point></Placemark></kml>',
    "gpx": '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1"><wpt lat="39.6" lon="47.1"><name>TEXT</name></wpt></gpx>',
    "maxml": "<MineActionFieldReport><FieldReport><Hazard><localID>TEXT</localID></Hazard></FieldReport></MineActionFieldReport>",
}


def attacked(body: str, name: str, secret: Path, encoding: str) -> bytes:
    before, text = ATTACKS[name]
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    return (declared + before.replace("SECRET", str(secret)) + body.replace("TEXT", text)).encode(encoding)


def refused_at_once(path: Path, kind: str, tally: Tally) -> None:
    tally.inputs += 1
    begin = time.process_time()
    with pytest.raises(ReadError) as caught:
        io.read(path, kind)
    assert time.process_time() - begin < 2
    assert SECRET not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", list(ATTACKS))
@pytest.mark.parametrize("ending", ["kml", "gpx", "maxml", "kmz", "zip"])
def test_xml_never_expands_nor_fetches(ending: str, name: str, encoding: str, tmp_path: Path, tally: Tally) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, "utf-8")
    inner = ending if ending in BODIES else "kml"
    data = attacked(BODIES[inner], name, secret, encoding)
    path = tmp_path / f"finds.{ending}"
    if ending in BODIES:
        path.write_bytes(data)
    else:
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("doc.kml", data)
    refused_at_once(path, "hazards" if ending == "maxml" else "finds", tally)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", list(ATTACKS))
@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "[Content_Types].xml", "docProps/core.xml"]
)
def test_a_workbook_never_expands_nor_fetches(
    part: str, name: str, encoding: str, tmp_path: Path, tally: Tally
) -> None:
    pytest.importorskip("openpyxl")
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, "utf-8")
    sound = gpd.GeoDataFrame({"id": ["F"]}, geometry=gpd.points_from_xy([47.1], [39.6]), crs=4326)
    io.write(sound, tmp_path / "sound.xlsx")
    with zipfile.ZipFile(tmp_path / "sound.xlsx") as old, zipfile.ZipFile(tmp_path / "finds.xlsx", "w") as new:
        for item in old.namelist():
            data = old.read(item)
            if item == part:
                body = re.sub(r"^<\?xml[^>]*\?>", "", data.decode("utf-8").lstrip("\ufeff"))
                data = attacked(body, name, secret, encoding)
            new.writestr(item, data)
    refused_at_once(tmp_path / "finds.xlsx", "finds", tally)


# ------------------------------------------------------------------------------------------------ archives

KML = BODIES["kml"].replace("TEXT", "x").encode()
NAMES = (
    "../out.kml",
    "../../../../tmp/geotools-out.kml",
    "/tmp/geotools-out.kml",
    "a/../../out.kml",
    "..\\out.kml",
    "C:\\out.kml",
    "C:/out.kml",
    "\\\\host\\x.kml",
    "a\x00b.kml",
)


@pytest.mark.parametrize("ending", ["zip", "kmz"])
@pytest.mark.parametrize("name", NAMES)
def test_archives_write_nowhere_else(
    name: str, ending: str, tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "room"
    (room / "temp").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(room / "temp"))
    path = room / f"finds.{ending}"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(name, KML)
    tally.inputs += 1
    try:
        io.read(path, "finds")
    except GeotoolsError as error:
        assert error.hint
    assert sorted(p.name for p in room.iterdir()) == [f"finds.{ending}", "temp"]
    assert list((room / "temp").iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["room"]
    assert not Path("/tmp/geotools-out.kml").exists()


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path, tally: Tally) -> None:
    (tmp_path / "secret.kml").write_bytes(BODIES["kml"].replace("TEXT", SECRET).encode())
    path = tmp_path / "finds.zip"
    link = zipfile.ZipInfo("finds.kml")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(link, str(tmp_path / "secret.kml"))
    refused_at_once(path, "finds", tally)


def test_archives_that_swell_are_refused(tmp_path: Path, tally: Tally) -> None:
    """A bomb, a lying size, thousands of members, and an archive of archives."""
    for name, parts in {
        "bomb": {"x.csv": b"0" * (300 << 20)},
        "many": {f"{n}.csv": b"id\n" for n in range(20_000)},
        "nested": {"a.zip": b"PK\x05\x06" + bytes(18)},
    }.items():
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for inside, data in parts.items():
                packed.writestr(inside, data)
        refused_at_once(path, "finds", tally)


# ------------------------------------------------------------------------------------------------ links


def test_links_among_the_inputs(server: Server, district: Path, tmp_path: Path, tally: Tally) -> None:
    """A link to a file is that file; one that leads nowhere or in a circle is refused in a sentence or passed over with a note."""
    folder = tmp_path / "survey"
    folder.mkdir()
    for name in ("hazards.gpkg", "releases.geojson"):
        (folder / name).symlink_to(district / "survey" / name)
    assert server.call(["coverage", str(folder), "-o", str(tmp_path / "c.csv")]).code == 0
    for name, target in (("gone.geojson", "nowhere"), ("round.geojson", "round.geojson"), ("self", ".")):
        (folder / name).symlink_to(target)
        for words in (["info", str(folder)], ["coverage", str(folder)], ["info", str(folder / name)]):
            ended = server.call(words)
            tally.faults += 1
            tally.no_trace(ended.said)
            assert ended.code in (0, 3), ended.said
        (folder / name).unlink()


@pytest.mark.slow
@pytest.mark.parametrize("sort", ["to a file", "to a folder", "to nowhere"])
def test_links_among_the_outputs(sort: str, server: Server, district: Path, tmp_path: Path, tally: Tally) -> None:
    """What a link points to is never replaced: the link is, or the call is refused; a folder may take files beside others."""
    for writer in WRITERS:
        if writer.in_place:
            continue
        out, elsewhere = emptied(tmp_path / "out"), emptied(tmp_path / "elsewhere")
        (elsewhere / "folder").mkdir()
        (elsewhere / "folder" / "thesis.txt").write_text("mine", "utf-8")
        (elsewhere / "file").write_text("mine", "utf-8")
        target = {
            "to a file": elsewhere / "file",
            "to a folder": elsewhere / "folder",
            "to nowhere": elsewhere / "new",
        }[sort]
        (out / writer.target).symlink_to(target)
        ended = server.call([*writer.arguments(district, out), *(["--overwrite"] if writer.overwrites else [])])
        tally.faults += 1
        tally.no_trace(ended.said)
        assert ended.code in (0, 1, 3), ended.said
        assert (elsewhere / "file").read_text("utf-8") == "mine", writer.label
        assert (elsewhere / "folder" / "thesis.txt").read_text("utf-8") == "mine", writer.label
        assert not (elsewhere / "new").exists(), writer.label


# ------------------------------------------------------------------------------------------------ cells that run

HOSTILE = (
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://x","y")',
    "  =1+1",
    "＝1+1",
)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?")
MORE = (
    Writer("progress SURVEY --period year -o OUT/p.xlsx", "p.xlsx"),
    Writer("progress SURVEY --period year --by organisation -o OUT/p2", "p2"),
    Writer("plan priority SURVEY --draws 10 -o OUT/priority -f xlsx -f csv --table MORE/costs.csv", "priority"),
    Writer("plan teams SURVEY --teams MORE/teams.toml --draws 10 -o OUT/teams -f xlsx -f csv", "teams"),
    Writer("coverage SURVEY --by organisation -o OUT/by.csv", "by.csv"),
    Writer("coverage SURVEY --by team -o OUT/team.csv", "team.csv"),
    Writer("convert SURVEY/hazards.gpkg OUT/h.xlsx", "h.xlsx"),
    Writer("convert SURVEY/hazards.gpkg OUT/h.csv", "h.csv"),
    Writer("convert SURVEY/places.csv OUT/pl.xlsx --crs EPSG:4326", "pl.xlsx"),
    Writer("store load OUT/store.gpkg hazards -o OUT/l.csv", "l.csv"),
    Writer("trial score MORE/targets.csv MORE/signals.csv --halo 0.2 --by operator -o OUT/by.csv", "by.csv"),
    Writer(
        "field merge MORE/base.gpkg MORE/ours.gpkg MORE/theirs.gpkg -o OUT/m.gpkg --conflicts OUT/conflicts.xlsx",
        "conflicts.xlsx",
    ),
    Writer("traverse inverse SURVEY/hazards.gpkg --id H-1 --date 2026-11-20 -o OUT/w.xlsx", "w.xlsx"),
)


@pytest.fixture(scope="module")
def poisoned(district: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The district with a formula in every text of people: notes, names, organisations, and ids but the first."""
    import geopandas as gpd

    folder = tmp_path_factory.mktemp("poisoned") / "district"
    shutil.copytree(district, folder)
    turn = 0

    def bad() -> str:
        nonlocal turn
        turn += 1
        return HOSTILE[turn % len(HOSTILE)].strip("\r\t") if turn % 2 else HOSTILE[turn % len(HOSTILE)]

    for path in sorted(folder.rglob("*.csv")):
        rows = list(csv.reader(streams.StringIO(path.read_text("utf-8"), newline="")))
        for row in rows[1:]:
            row.extend([bad(), bad()])
            for n, name in enumerate(rows[0]):
                if name in ("team", "name", "operator", "detector", "organisation", "asset"):
                    row[n] = bad()
        rows[0].extend(["note", "organisation"] if "note" not in rows[0] else ["remark", "organisation_2"])
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
    for path in (
        folder / "survey" / "hazards.gpkg",
        folder / "more" / "base.gpkg",
        folder / "more" / "ours.gpkg",
        folder / "more" / "theirs.gpkg",
    ):
        frame = gpd.read_file(path, layer="hazards")
        ids = [frame["id"].iloc[0], *(f"={name}" for name in frame["id"].iloc[1:])]
        frame = frame.assign(
            id=ids, name=[bad() for _ in ids], note=[bad() for _ in ids], organisation=[bad() for _ in ids]
        )
        path.unlink()
        frame.to_file(path, layer="hazards")
    path = folder / "survey" / "releases.geojson"
    frame = gpd.read_file(path)
    frame = frame.assign(
        organisation=[bad() for _ in range(len(frame))],
        team=[bad() for _ in range(len(frame))],
        note=[bad() for _ in range(len(frame))],
    )
    path.unlink()
    frame.to_file(path)
    from geotools import store

    (folder / "more" / "store.gpkg").unlink()
    with store.init(folder / "more" / "store.gpkg", author=HOSTILE[0]) as opened:
        hazards = io.read(folder / "more" / "base.gpkg", "hazards", layer="hazards")
        opened.save({"hazards": hazards}, note=HOSTILE[1], author=HOSTILE[2])
        opened.save({"hazards": hazards.assign(note=HOSTILE[3], status="closed")}, note=HOSTILE[1], author=HOSTILE[2])
    return folder


def dangerous(text: str) -> bool:
    """Whether a spreadsheet would run it."""
    return (
        text.lstrip("\t\r\n \ufeff").startswith(("=", "+", "-", "@", "＝"))
        and not NUMBER.fullmatch(text.strip().replace(",", ""))
    ) or text.startswith(("\t", "\r"))


def cells(name: str, data: bytes) -> list[str]:
    """Texts of a table that a spreadsheet may take for a formula."""
    if name.endswith(".xlsx"):
        import openpyxl

        book = openpyxl.load_workbook(streams.BytesIO(data))
        return [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    text = data.decode("utf-8-sig")
    return [
        c
        for row in csv.reader(streams.StringIO(text, newline=""), delimiter="\t" if name.endswith(".tsv") else ",")
        for c in row
        if dangerous(c)
    ]


def tables_in(folder: Path) -> list[tuple[str, bytes]]:
    """Every table a call wrote, those in archives included."""
    found = [(p.relative_to(folder).as_posix(), p.read_bytes()) for p in sorted(folder.rglob("*")) if p.is_file()]
    for name, data in list(found):
        if name.endswith(".zip"):
            with zipfile.ZipFile(streams.BytesIO(data)) as packed:
                found += [(f"{name}/{inside}", packed.read(inside)) for inside in packed.namelist()]
    return [(name, data) for name, data in found if name.endswith((".csv", ".tsv", ".xlsx"))]


@pytest.mark.slow
def test_no_cell_of_any_export_is_a_formula(server: Server, poisoned: Path, tmp_path: Path, tally: Tally) -> None:
    """All tables that any command writes are looked at, found by their endings in what was written."""
    seen: set[str] = set()
    for n, writer in enumerate((*WRITERS, *MORE)):
        out = emptied(tmp_path / f"out{n}")
        shutil.copy(poisoned / "more" / "store.gpkg", out / "store.gpkg")
        ended = server.call(writer.arguments(poisoned, out))
        tally.no_trace(ended.said)
        tally.inputs += 1
        for name, data in tables_in(out):
            seen.add(Path(name).name)
            assert not cells(name, data), (writer.words, name, cells(name, data)[:3])
        shutil.rmtree(out)
    expected = {
        "c.csv",
        "c.tsv",
        "c.xlsx",
        "i.csv",
        "v.csv",
        "score.csv",
        "diff.csv",
        "coverage.csv",
        "issues.csv",
        "p.xlsx",
        "priority.csv",
        "priority.xlsx",
        "h.csv",
        "h.xlsx",
        "l.csv",
        "conflicts.xlsx",
    }
    assert expected <= seen, expected - seen


def test_what_is_dangerous_is_known() -> None:
    assert all(dangerous(text) for text in HOSTILE)
    assert not any(dangerous(text) for text in ("-12.5", "+3", "H-1", "a=b", "", "-1e5"))


def test_no_temporary_folder_remains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally) -> None:
    """Readers that unpack clean up, whatever they find."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for data in (b"", b"PK\x03\x04", os.urandom(100)):
        (tmp_path / "x.zip").write_bytes(data)
        with pytest.raises(ReadError):
            io.read(tmp_path / "x.zip", "hazards")
        tally.inputs += 1
    assert [p.name for p in tmp_path.iterdir()] == ["x.zip"]
