"""A package speaks the first language of its programme: words and numbers in its sentences; coordinates of files keep the point."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import geotools as gt
from geotools.field.package.phrases import Phrases

QUICK = {"skip": ("map", "card", "forms", "qfield"), "zip": False}


@pytest.mark.parametrize(
    ("languages", "lang", "sign"), [(("az",), "az", ","), (("fr", "ru"), "ru", ","), (("fr",), "en", ".")]
)
def test_sentences_of_a_gpx_file_have_the_signs_of_the_language(
    kit: Any, tmp_path: Path, languages: tuple[str, ...], lang: str, sign: str
) -> None:
    survey = kit.survey()
    spoken = gt.Survey(survey.name, survey.layers, replace(survey.programme, languages=languages), inputs=survey.inputs)
    gt.field.package(spoken, tmp_path / "p", area="H-1", **QUICK)
    text = (tmp_path / "p" / "gps" / "boundaries.gpx").read_text("utf-8")
    told = re.findall(r"<desc>[^<]*?: ([\d.,\u00a0]+) m, ([\d.,]+)°", text)
    assert told and all(number[-2] == sign for pair in told for number in pair)
    assert not re.search(r'lat="[^"]*,', text)
    assert (tmp_path / "p" / "README.txt").read_text("utf-8").lstrip("\ufeff").startswith(Phrases(lang)("title"))
