"""The page writes areas and shares by the rule of `model.figures`, and its rows are reconciled with the total."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import geotools as gt
from geotools.model import figures
from tests.maps.conftest import Opened

pytestmark = pytest.mark.browser


@pytest.fixture
def overlapping(tmp_path: Path, make: Any) -> tuple[Path, Any]:
    hazards = make.frame(make.hazard("H-1", make.square(0, 0, 300)), make.hazard("H-2", make.square(250, 0, 300)))
    releases = make.frame(
        make.release("R-1", make.square(0, 0, 299)), make.release("R-2", make.square(0, 0, 120), product="reduced")
    )
    ledger = gt.coverage(hazards, releases)
    file = tmp_path / "map.html"
    gt.webmap.save(gt.map({"hazards": hazards, "releases": releases}, coverage=ledger), file)
    return file, ledger


def test_page_and_library_write_every_area_and_share_alike(
    overlapping: tuple[Path, Any], show: Callable[..., Opened]
) -> None:
    page = show(overlapping[0]).page
    rng = np.random.default_rng(3)
    areas = [0.0, 0.04, 0.4, 9.96, 812.4, 9999.0, 19_999.0, 20_001.0, 2_148_779.39, *(10 ** rng.uniform(0, 10, 60))]
    for toward, figure in (("down", "released"), ("up", "remaining"), ("nearest", "area")):
        shown = page.evaluate("([list, f]) => list.map(v => geotools.pages[0].area(v, f))", [areas, figure])
        assert [text.replace("\u00a0", " ") for text in shown] == [figures.hectares(v, toward) for v in areas]
    for _ in range(40):
        parts = dict(zip(("cleared", "reduced", "cancelled"), (10 ** rng.uniform(-1, 6, 3)).tolist(), strict=True))
        whole = sum(parts.values()) + float(rng.choice([0.0, 3.0, 1e5]))
        assert page.evaluate("([w, p]) => geotools.shares(w, p)", [whole, parts]) == figures.shares(whole, parts)
    for _ in range(40):  # more released than there is: never less than nothing remains
        parts = dict(zip(("cleared", "reduced", "cancelled"), (10 ** rng.uniform(-1, 6, 3)).tolist(), strict=True))
        whole = sum(parts.values()) * float(rng.choice([0.1, 0.5, 0.999, 1.0]))
        found = page.evaluate("([w, p]) => geotools.shares(w, p)", [whole, parts])
        assert found == figures.shares(whole, parts)
        assert min(found.values()) >= 0 and sum(round(10 * v) for v in found.values()) == 1000


def test_rows_that_count_shared_ground_twice_are_reconciled_with_the_total(
    overlapping: tuple[Path, Any], show: Callable[..., Opened]
) -> None:
    file, ledger = overlapping
    opened = show(file)
    said = opened.page.inner_text(".gt-once").replace("\u00a0", " ")
    rows = float(ledger.table["remaining_m2"].sum())
    assert figures.hectares(rows, "up") in said
    assert figures.hectares(float(ledger.totals["remaining_m2"]), "up") in said
    figure = opened.page.inner_text(".gt-figures").replace("\u00a0", " ")
    assert figures.hectares(float(ledger.totals["remaining_m2"]), "up") in figure
    assert figures.hectares(float(ledger.totals["cleared_m2"]), "down") in figure
    opened.page.evaluate("geotools.pages[0].goFeature(geotools.pages[0].layers.find(l => l.spec.id === 'hazards'), 0)")
    card = opened.page.inner_text(".gt-ledger").replace("\u00a0", " ")
    shares = [float(text) for text in re.findall(r"([\d.]+) %", card)]
    assert sum(shares) == pytest.approx(100.0) and min(shares[:1]) >= 0.1
    opened.quiet()


def test_whole_square_metres_are_those_of_the_figure_itself(overlapping: tuple[Path, Any]) -> None:
    from geotools.maps.webmap.layers import whole_stays

    values = pd.Series(
        [29897.456, 29897.54, 0.44, 2.46, 1e6 + 0.449, float("nan"), *np.random.default_rng(1).uniform(0, 1e6, 5000)]
    )
    short = whole_stays(values)
    assert (short - values).abs().max() < 0.15
    assert short.isna().sum() == 1
    known = values.notna()
    assert [f"{v:.0f}" for v in short[known]] == [f"{v:.0f}" for v in values[known]]
