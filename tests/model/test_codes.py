"""Every code that any room writes into an ISSUES row has a title in four languages."""

from __future__ import annotations

import re
from pathlib import Path

import geotools
from geotools.checks.messages import table
from geotools.model.codes import title, titles
from geotools.model.vocab import LANGUAGES

CODE = re.compile(r'"([A-Z]{2}-\d{2})"')


def test_every_code_in_the_source_has_a_title():
    used = {
        code for file in Path(geotools.__file__).parent.rglob("*.py") for code in CODE.findall(file.read_text("utf-8"))
    }
    assert len(used) > 100
    assert sorted(used - set(table()) - {"XX-01", "XX-99"}) == []  # those two are examples in docstrings


def test_titles_stand_in_four_languages_and_no_two_codes_share_one():
    for code, row in titles().items():
        assert len(row) == len(LANGUAGES) and all(row), code
        assert title(code, "ru") == row[3] and title(code, "??") == row[0]
    english = [row[0] for row in titles().values()]
    assert len(english) == len(set(english))
