"""The map of a package in the browser: what it says of its bounds is in the reader's language and the page's own forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import geotools as gt
from geotools.maps.webmap import words
from geotools.model.vocab import LANGUAGES
from tests.maps.conftest import PHONE, Opened

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("level", ["public", "partner"])
def test_the_foot_note_has_the_day_of_the_head_in_every_language(
    level: str, tmp_path: Path, make: Any, show: Callable[..., Opened]
) -> None:
    hazards = make.frame(
        make.hazard("H-1", make.square(0, 0, 300), date_info=pd.Timestamp("2026-05-20"), safe_to_publish=True),
        make.hazard("H-2", make.square(500, 0, 300), date_info=pd.Timestamp("2026-03-02"), safe_to_publish=True),
    )
    survey = gt.Survey("Synthetic", {"hazards": hazards})
    gt.field.package(survey, tmp_path / "p", redact=level, lang="tr", skip=("card", "forms"))
    opened = show(tmp_path / "p" / "map.html", size=PHONE)
    page, days = opened.page, set()
    for lang in LANGUAGES:
        page.select_option(".gt-lang", lang)
        day = page.text_content(".gt-sub time")
        notes = page.text_content(".gt-notes")
        assert day in notes and "2026-05" not in notes
        days.add(day)
    assert len(days) > 1, "months are words of the language"
    opened.quiet()
    sample = [date(1999, 12, 31) + timedelta(days=37 * n) for n in range(300)]
    for lang in LANGUAGES:
        shown = page.evaluate(
            "([list, lang]) => list.map(d => geotools.dayText(geotools.day(d), lang))",
            [[day.isoformat() for day in sample], lang],
        )
        assert shown == [words.text(words.day(day), lang) for day in sample]
