"""`values` and `words` of a survey.toml are read as cells are: any case, blanks, dotless i, composed or not."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

import geotools as gt
from geotools.model.errors import GeotoolsError

RING = "POLYGON((47 39,47.01 39,47.01 39.01,47 39))"
SPELLINGS = [
    "Bizdelendi", " BİZDELENDİ", "bızdelendı ", unicodedata.normalize("NFD", "BİZDELENDİ"), "Bizdelendi\u200b", "Bizde\u00adlendi",
]  # fmt: skip


def survey(folder: Path, product: str, toml: str) -> gt.Survey:
    rows = f'id,product,method,date,wkt\nR-1,{product},manual,2024-05-01,"SRID=4326;{RING}"\n'
    (folder / "bitenler.csv").write_text(rows, "utf-8")
    (folder / "survey.toml").write_text(toml, "utf-8")
    return gt.open_survey(folder)


@pytest.mark.parametrize("typed", SPELLINGS)
@pytest.mark.parametrize("key", ["cleared", "Cleared"])
def test_a_word_of_the_programme_matches_however_it_is_typed(tmp_path: Path, typed: str, key: str) -> None:
    toml = f'[programme.words.product]\n"Bizdelendi" = "{key}"\n[[layer]]\nkind = "releases"\nfile = "bitenler.csv"\n'
    found = survey(tmp_path, typed, toml)
    assert found.releases["product"].tolist() == ["cleared"]
    assert not (found.issues["check"] == "RD-11").any()


@pytest.mark.parametrize("typed", SPELLINGS)
def test_a_value_given_for_a_whole_layer_is_read_as_a_cell_is(tmp_path: Path, typed: str) -> None:
    toml = (
        '[programme.words.product]\n"BİZDELENDİ" = "cleared"\n[[layer]]\nkind = "releases"\nfile = "bitenler.csv"\n'
        f'values = {{ product = "{typed}", depth_cm = "0,2 m", handover_date = "31.12.2024" }}\n'
    )
    releases = survey(tmp_path, "", toml).releases
    assert releases["product"].tolist() == ["cleared"] and releases["depth_cm"].tolist() == [20.0]
    assert releases["handover_date"].dt.strftime("%Y-%m-%d").tolist() == ["2024-12-31"]
    assert gt.open_survey(tmp_path).coverage().table["cleared_m2"].sum() == 0, "no hazard, no claim"


def test_a_value_that_is_no_word_is_told_and_left_out(tmp_path: Path) -> None:
    toml = '[[layer]]\nkind = "releases"\nfile = "bitenler.csv"\nvalues = { product = "Bitti" }\n'
    found = survey(tmp_path, "", toml)
    assert found.releases["product"].isna().all()
    (said,) = found.issues.loc[found.issues["check"] == "RD-11", "message"]
    assert said == "bitenler.csv: values in survey.toml: 'Bitti' is not a known word for product"


@pytest.mark.parametrize("several", ['["a", "b"]', '{ a = "b" }'])
def test_a_value_is_one_for_all_rows(tmp_path: Path, several: str) -> None:
    toml = f'[[layer]]\nkind = "releases"\nfile = "bitenler.csv"\nvalues = {{ tags = {several} }}\n'
    with pytest.raises(GeotoolsError, match="'tags'") as refused:
        survey(tmp_path, "cleared", toml)
    assert refused.value.hint
