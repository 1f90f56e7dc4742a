"""The one symbol table: complete for the trade's words, never colour alone, danger never drawn weaker."""

from __future__ import annotations

from pathlib import Path

import pytest

import geotools as gt
from geotools.maps import symbols
from geotools.model.errors import MapError
from geotools.model.vocab import vocabulary


@pytest.mark.parametrize("name", symbols.themes())
def test_every_word_has_a_symbol(name: str) -> None:
    theme = gt.symbols.theme(name)
    for vocab, group in (
        ("product", "area"),
        ("find_category", "find"),
        ("place_type", "place"),
        ("severity", "issue"),
        ("point_type", "mark"),
        ("landuse", "landuse"),
    ):
        for word in vocabulary(vocab).keys:
            theme.symbol(group, word)
    for word in vocabulary("hazard_status").keys:
        assert isinstance(theme.ended(word), bool)


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("key", ["CHA", "SHA", "SPOT", "INDICATION"])
def test_outlines_stand_out_on_relief(key: str) -> None:
    """Outlines reach 3:1 (WCAG 2.2, 1.4.11) against the light relief."""
    relief, ink = _luminance("#e9e8dd"), _luminance(symbols.theme().symbol("hazard", key).outline)
    assert (relief + 0.05) / (ink + 0.05) >= 3


def test_classes_differ_by_more_than_colour() -> None:
    theme = symbols.theme()
    rows = [theme.hazard(c) for c in ("CHA", "SHA", "INDICATION", "SPOT", "STOCKPILE")]
    rows += [theme.symbol("area", k) for k in ("cleared", "reduced", "cancelled", "processed")]
    assert len({(s.hatch, s.dash) for s in rows}) >= len(rows) - 1
    assert len({s.letter for s in rows}) == len(rows)


def test_an_unknown_class_or_status_is_never_drawn_weaker() -> None:
    theme = symbols.theme()
    assert theme.hazard(None).fill_alpha >= theme.hazard("CHA").fill_alpha
    assert theme.hazard("CHA", "no such status") == theme.hazard("CHA", "unknown")
    assert not theme.ended(None)


def test_a_theme_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "authority.toml"
    path.write_text('title = "Authority"\n[area]\ncleared = { fill = "#00ff00", fill_alpha = 0.5 }\n', "utf-8")
    own = symbols.theme(path)
    assert own.symbol("area", "cleared").fill == "#00ff00"
    assert own.symbol("hazard", "CHA") == symbols.theme().symbol("hazard", "CHA")


@pytest.mark.parametrize("row", ['fill = "red"', 'hatch = "zigzag"', "colour = 1", 'marker = "skull"', 'width = "2"'])
def test_a_bad_theme_names_the_row(tmp_path: Path, row: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(f"[area]\ncleared = {{ {row} }}\n", "utf-8")
    with pytest.raises(MapError, match=r"area\.cleared"):
        symbols.theme(path)
    with pytest.raises(MapError, match="no theme"):
        symbols.theme("rainbow")
