"""Styles for other programs: every class from the one table, told apart the same way in KML, QGIS and words."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from geotools.maps import styles
from geotools.maps.symbols import theme
from geotools.model.vocab import vocabulary

KINDS = (
    "hazards",
    "remaining",
    "releases",
    "released",
    "processed",
    "activities",
    "finds",
    "accidents",
    "samples",
    "marks",
    "tracks",
    "places",
    "landuse",
    "events",
)
SHAPES = {"finds": "point", "accidents": "point", "marks": "point", "places": "point", "tracks": "line"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", ["area", "line", "point"])
def test_classes_are_named_once_and_the_last_takes_everything(kind: str, shape: str) -> None:
    listed = styles.classes(kind, shape)
    assert len({c.id for c in listed}) == len(listed)
    assert all(re.fullmatch(r"[A-Za-z0-9-]+", c.id) for c in listed)
    assert not listed[-1].tests
    assert all(c.tests for c in listed[:-1])
    assert styles.class_of({}, listed) == listed[-1]
    for entry in listed:
        assert styles.class_of(dict(entry.tests), listed) == entry, "each class is the first that fits its own record"


def test_hazards_look_as_on_our_own_maps() -> None:
    """Every classification in every status gets the symbol that the web map and the sheet draw."""
    look = theme()
    listed = styles.classes("hazards")
    for code in (*vocabulary("classification").keys, None, "nonsense"):
        for status in (*vocabulary("hazard_status").keys, None):
            found = styles.class_of({"classification": code, "status": status}, listed)
            assert found.symbol == look.hazard(code, status), (code, status)


def test_an_authoritys_own_theme_reaches_other_programs(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[hazard]\nCHA = { fill = "#123456", fill_alpha = 0.5, hatch = "grid", letter = "Z" }\n', "utf-8")
    look = theme(own)
    text = ET.tostring(styles.renderer("hazards", look=look), encoding="unicode")
    assert "18,52,86,128" in text
    assert "[Z]" in text
    style = styles.kml_style(
        "x", styles.class_of({"classification": "CHA"}, styles.classes("hazards", look=look)).symbol
    )
    assert style.findtext("PolyStyle/color") == "80563412"


def test_hatches_letters_and_icons() -> None:
    made = styles.renderer("hazards")
    patterns = [layer.get("class") for layer in made.iter("layer")]
    assert patterns.count("LinePatternFill") > 20
    assert "PointPatternFill" in patterns
    labels = ET.tostring(styles.labeling("hazards"), encoding="unicode")
    assert "'C'" in labels
    for kind in KINDS:
        for entry in styles.classes(kind, SHAPES.get(kind, "area")):
            for picture in (styles.icon(entry.symbol), styles.swatch(entry.symbol)):
                assert picture[:8] == b"\x89PNG\r\n\x1a\n"
        assert styles.qml(kind, SHAPES.get(kind, "area")) == styles.qml(kind, SHAPES.get(kind, "area"))


READER = """
import json, sys
from qgis.core import QgsApplication, QgsVectorLayer, QgsExpression, QgsFeature
app = QgsApplication([], False); app.initQgis()
out = {}
for file in sys.argv[1:]:
    kind, shape = file.rsplit("/", 1)[1][:-4].split("-")
    columns = "".join(f"&field={c}:string" for c in ("id", "name", "classification", "status", "product", "category", "result", "point_type", "type", "use"))
    layer = QgsVectorLayer({"area": "Polygon", "line": "LineString", "point": "Point"}[shape] + "?crs=EPSG:4326" + columns, kind, "memory")
    said, ok = layer.loadNamedStyle(file)
    r = layer.renderer()
    kept = r.categories()
    symbols = [c.symbol() for c in kept]
    out[kind + "-" + shape] = {"ok": ok, "said": said, "renderer": r.type(), "classes": [c.value() for c in kept],
        "layers": [[s.symbolLayer(i).layerType() for i in range(s.symbolLayerCount())] for s in symbols],
        "sub": all(s.symbolLayer(i).subSymbol() is not None for s in symbols for i in range(s.symbolLayerCount()) if "Pattern" in s.symbolLayer(i).layerType()),
        "expression": not QgsExpression(r.classAttribute()).hasParserError(), "labels": layer.labelsEnabled()}
sys.stdout.write("RESULT" + json.dumps(out)); sys.stdout.flush()
import os; os._exit(0)
"""


@pytest.mark.slow
def test_qgis_reads_every_style_file(tmp_path: Path) -> None:
    python = "/usr/bin/python3"
    environment: dict[str, Any] = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(tmp_path),
        "HOME": str(tmp_path),
        "PYTHONPATH": "",
    }
    if (
        not Path(python).exists()
        or subprocess.run(
            [python, "-c", "import qgis.core"], capture_output=True, env=environment, check=False
        ).returncode
    ):
        pytest.skip("PyQGIS (Debian python3-qgis) is needed to read the styles")
    files = []
    for kind in KINDS:
        shape = SHAPES.get(kind, "area")
        file = tmp_path / f"{kind}-{shape}.qml"
        file.write_bytes(styles.qml(kind, shape, lang="ru"))
        files.append(str(file))
    done = subprocess.run(
        [python, "-c", READER, *files], capture_output=True, text=True, env=environment, timeout=200, check=False
    )
    assert "RESULT" in done.stdout, done.stderr[-1500:]
    said = json.loads(done.stdout.rpartition("RESULT")[2])
    for name, found in said.items():
        kind, shape = name.split("-")
        assert found["ok"], found["said"]
        assert found["renderer"] == "categorizedSymbol"
        assert found["classes"] == [c.id for c in styles.classes(kind, shape)]
        assert found["expression"]
        assert found["sub"]
        assert found["labels"]
        for entry, layers in zip(styles.classes(kind, shape), found["layers"], strict=True):
            hatched = any("Pattern" in layer for layer in layers)
            assert hatched == (shape == "area" and entry.symbol.hatch != "none"), (kind, entry.id)


ROWS = [
    ({"product": "cleared", "method": "manual"}, "cleared"),
    ({"product": "cleared", "method": "mechanical"}, "processed"),
    ({"product": "reduced", "method": "mechanical", "follow_up": "nts"}, "processed"),
    ({"product": "cleared", "method": "mechanical", "follow_up": "mdd"}, "cleared"),
    ({"product": "cleared", "method": "zzz"}, "processed"),
    ({"product": "cleared", "method": None, "method_as_entered": "zzz"}, "processed"),
    ({"product": "cancelled", "method": None}, "cancelled"),
    ({"product": "cleared", "method": ""}, "cleared"),
    ({"product": "cleared", "method": "manual", "counted_as": "processed"}, "processed"),
    ({"product": "cleared", "method": "mechanical", "counted_as": "reduced"}, "reduced"),
    ({"product": "cleared"}, "cleared"),
    ({"product": "nonsense", "method": "manual"}, "other"),
    ({}, "other"),
]
COUNTING = """
import json, sys
from qgis.core import QgsApplication, QgsExpression, QgsExpressionContext, QgsExpressionContextUtils, QgsFeature, QgsField, QgsFields
from qgis.PyQt.QtCore import QVariant
app = QgsApplication([], False); app.initQgis()
text, rows, out = sys.argv[1], json.loads(sys.argv[2]), []
for row in rows:
    fields = QgsFields()
    for name in row: fields.append(QgsField(name, QVariant.String))
    feature = QgsFeature(fields)
    for name, value in row.items():
        if value is not None: feature.setAttribute(name, value)
    context = QgsExpressionContext(); context.setFeature(feature); context.setFields(fields)
    said = QgsExpression(text); value = said.evaluate(context)
    out.append(said.evalErrorString() or said.parserErrorString() or value)
sys.stdout.write("RESULT" + json.dumps(out)); sys.stdout.flush()
import os; os._exit(0)
"""


@pytest.mark.parametrize("kind", ["releases", "released"])
@pytest.mark.parametrize(("row", "expected"), ROWS)
def test_ground_worked_by_machine_is_never_called_cleared(kind: str, row: dict[str, Any], expected: str) -> None:
    from geotools.survey.pictures import Pictures

    assert styles.class_of(row, styles.classes(kind)).id == expected
    style, letter, said = Pictures().style(kind, "area", row)
    assert style == f"{kind}-area-{expected}"
    if expected == "processed":
        assert (letter, said) == ("P", "Machine-processed, not released")
        assert Pictures().picture(style)


@pytest.mark.slow
def test_qgis_counts_releases_as_we_do(tmp_path: Path) -> None:
    python = "/usr/bin/python3"
    environment: dict[str, Any] = {
        **os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": "",
    }  # fmt: skip
    if (
        not Path(python).exists()
        or subprocess.run(
            [python, "-c", "import qgis.core"], capture_output=True, env=environment, check=False
        ).returncode
    ):
        pytest.skip("PyQGIS (Debian python3-qgis) is needed to read the styles")
    text = styles.renderer("releases").get("attr")
    assert text
    done = subprocess.run(
        [python, "-c", COUNTING, text, json.dumps([row for row, _ in ROWS])],
        capture_output=True, text=True, env=environment, timeout=200, check=False,
    )  # fmt: skip
    assert "RESULT" in done.stdout, done.stderr[-1500:]
    assert json.loads(done.stdout.rpartition("RESULT")[2]) == [expected for _, expected in ROWS]
