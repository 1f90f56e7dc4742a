"""Words, schemas and conforming: laws and examples."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.model import vocab
from geotools.model.schema import KINDS, conform, issues_frame, join_issues, kind_of, schema
from geotools.model.schema.conform import to_day, to_number


@pytest.mark.parametrize("name", vocab.names())
def test_every_label_in_every_language_finds_its_key(name: str) -> None:
    words = vocab.vocabulary(name)
    for word in words:
        assert set(word.labels) == set(vocab.LANGUAGES), f"{name}.{word.key} lacks a language"
        for spelling in (word.key, *word.labels.values(), *word.aliases):
            for variant in (spelling, spelling.upper(), f"  {spelling} ", spelling.replace(" ", "_")):
                assert words.match(variant) == word.key, (name, variant)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert vocab.fold(vocab.fold(text)) == vocab.fold(text)


def test_every_column_with_words_names_a_vocabulary_and_short_names_fit_a_shapefile() -> None:
    for kind in KINDS.values():
        assert kind.names[0] == "id"
        assert len(set(kind.names)) == len(kind.names)
        shorts = [c.short or c.name for c in kind]
        assert len({s.lower() for s in shorts}) == len(shorts), kind.kind
        assert all(len(s) <= 10 for s in shorts), [s for s in shorts if len(s) > 10]
        for column in kind:
            assert (column.vocabulary is not None) == (column.kind in ("word", "words")), column


rows = st.lists(
    st.fixed_dictionaries(
        {
            "ID": st.one_of(st.none(), st.sampled_from(["a", "b", " a", 1, 1.0, ""])),
            "Type": st.one_of(st.none(), st.sampled_from(["SHA", "confirmed", "şübhəli təhlükəli ərazi", "nonsense"])),
            "Area": st.one_of(st.none(), st.floats(allow_nan=True), st.sampled_from(["1 000,5", "x", "-3"])),
            "date": st.one_of(st.none(), st.sampled_from(["2024-01-02", "02.01.2024", "31.02.2024", "45000", "?"])),
        }
    ),
    max_size=8,
)


@given(rows)
def test_conform_keeps_every_row_and_makes_ids_unique(data: list[dict[str, object]]) -> None:
    raw = pd.DataFrame(data, columns=["ID", "Type", "Area", "date"], dtype=object)
    before = raw.copy()
    out, issues = conform(raw, schema("hazards"))
    pd.testing.assert_frame_equal(raw, before)
    assert len(out) == len(raw)
    assert out["id"].is_unique
    assert out["id"].notna().all()
    strange = raw["Type"] == "nonsense"
    if strange.any():
        assert (out.loc[strange.to_numpy(), "classification_as_entered"] == "nonsense").all()
    assert sum(i.check == "RD-11" for i in issues) == int(strange.sum())
    again, _ = conform(out, schema("hazards"))
    pd.testing.assert_frame_equal(again[out.columns], out, check_dtype=False)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.5", 1.5), ("1,5", 1.5), ("1 234,5", 1234.5), ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("1,234,567", 1234567.0), ("−3", -3.0), ("3 m", None), ("", None), ("inf", None)],
)  # fmt: skip
def test_numbers(text: str, number: float | None) -> None:
    assert to_number(text) == number


@pytest.mark.parametrize(
    ("text", "day"),
    [("2024-02-29", "2024-02-29"), ("29.02.2024", "2024-02-29"), ("2/3/2024", "2024-03-02"), ("12/25/2024", "2024-12-25"), ("20240229", "2024-02-29"), ("30.02.2024", None), ("soon", None)],
)  # fmt: skip
def test_days_are_read_day_first(text: str, day: str | None) -> None:
    found = to_day(text)
    assert (found.isoformat() if found else None) == day


def test_kinds_are_recognised_from_names_people_use() -> None:
    assert kind_of("SHA_CHA_fuzuli") == "hazards"
    assert kind_of("clearance 2024") == "releases"
    assert kind_of("QC-samples") == "samples"
    assert kind_of("marks2") == "marks"
    assert kind_of("2024hazards_v3") == "hazards"
    assert kind_of("IMG_2210") is None


def test_joined_issues_keep_all_rows_and_the_columns_of_the_contract() -> None:
    from geotools.model.schema import Issue

    one = issues_frame([Issue("GC-01", "error", "hazards", "H", message="m", value=3.25)])
    both = join_issues(one, None, one)
    assert list(both.columns) == ["check", "severity", "kind", "id", "column", "message", "value", "limit", "geometry"]
    assert list(both["value"]) == ["3.25", "3.25"]
    with pytest.raises(ValueError, match="severity"):
        Issue("X", "fatal")


@pytest.mark.parametrize("text", ["2024-1-123", "2024-05-019999", "2024-05-01x"])
def test_a_day_with_something_after_it_is_not_a_day(text: str) -> None:
    assert to_day(text) is None


def test_the_day_is_the_one_written_whatever_carries_it() -> None:
    text = "2024-05-01T23:30:00-05:00"
    assert to_day(text) == to_day(pd.Timestamp(text)) == to_day("2024-05-01")


def test_a_comma_that_may_group_thousands_and_an_infinite_number_are_reported() -> None:
    out, issues = conform(
        pd.DataFrame({"id": ["a", "b"], "classification": "SHA", "area_reported_m2": ["12,500", "12,5"]}),
        schema("hazards"),
    )
    assert out["area_reported_m2"].tolist() == [12.5, 12.5]
    assert [(i.check, i.id) for i in issues] == [("RD-12", "a")]
    out, issues = conform(
        pd.DataFrame({"id": ["a"], "classification": "SHA", "area_reported_m2": [float("inf")]}), schema("hazards")
    )
    assert out["area_reported_m2"].isna().all()
    assert [i.check for i in issues] == ["RD-12"]


@pytest.mark.parametrize(
    ("typed", "metres"),
    [
        ("5 ft", 1.524), ("5ft.", 1.524), ("1,2 m", 1.2), ("120cm", 1.2), ("120 см", 1.2), ("1200 mm", 1.2), ("66 in", 1.6764), ("5'", 1.524),
        ("5′6″", 1.6764), ("5 ft 6 in", 1.6764), ("1.7", 1.7), ("1,7", 1.7), ("12.345 m", 12.345), ("0.3 km", 300.0), (2, 2.0), ("1 yd", 0.9144),
    ],
)  # fmt: skip
def test_lengths_with_units_are_converted_and_said(typed, metres):
    out, issues = conform(pd.DataFrame({"id": ["a"], "width": [typed]}), schema("tracks"))
    assert out.loc[0, "width_m"] == pytest.approx(metres, rel=1e-12)
    assert [i.severity for i in issues] == (["info"] if isinstance(typed, str) and not typed[-1].isdigit() else [])


@pytest.mark.parametrize(
    "typed",
    [
        "1,200 m",
        "5 kg",
        "5-6 m",
        "about 5 m",
        "5 m2",
        "1.5 m (5 ft)",
        "5 m 3",
        "5 ft 14 in",
        "m",
        "wide",
        "5 M/s",
        "5°",
        "1.2.3 m",
        "½ m",
    ],
)
def test_what_is_no_length_or_two_is_missing_and_said_with_its_text(typed):
    out, issues = conform(pd.DataFrame({"id": ["a"], "width": [typed]}), schema("tracks"))
    assert pd.isna(out.loc[0, "width_m"])
    assert [(i.check, i.severity, i.id, i.value) for i in issues] == [("RD-12", "warning", "a", typed)]


def test_many_widths_with_units_are_one_note_and_other_columns_keep_their_rules():
    rows = {
        "id": range(50),
        "width": ["5 ft"] * 49 + ["2"],
        "depth": ["0,2 m"] * 50,
        "heading": ["5 m"] * 50,
        "time": ["2024-01-01T00:00Z"] * 50,
    }
    out, issues = conform(pd.DataFrame(rows), schema("fixes"))
    assert out["width_m"].tolist() == pytest.approx([1.524] * 49 + [2.0])
    assert out["depth_cm"].tolist() == pytest.approx([20.0] * 50)
    assert out["heading_deg"].isna().all()
    notes = [i for i in issues if i.severity == "info"]
    assert sorted((i.column, i.message.split()[0]) for i in notes) == [("depth_cm", "50"), ("width_m", "49")]


@pytest.mark.parametrize(
    ("typed", "square_metres"),
    [("2,5 ha", 25_000), ("6400 m²", 6400), ("0.5 km2", 500_000), ("120 sq m", 120), ("5 га", 50_000)],
)
def test_areas_with_units(typed, square_metres):
    out, _ = conform(pd.DataFrame({"id": ["a"], "area": [typed]}), schema("hazards"))
    assert out.loc[0, "area_reported_m2"] == pytest.approx(square_metres)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.floats(0.001, 1e5),
    st.sampled_from(["m", "cm", "mm", "ft", "in", "yd", "km"]),
    st.sampled_from(["", " ", "\u00a0"]),
)
def test_a_length_written_with_its_unit_reads_back(value, unit, gap):
    from geotools.model.units import KM, METRES, quantity

    si = round(value, 6) * {**METRES, **KM}[unit]
    for text in (f"{value:.6f}{gap}{unit}", f"{value:.6f}{gap}{unit}".replace(".", ",")):
        assert quantity(text, "m") == pytest.approx(si, rel=1e-9, abs=1e-9)


def test_a_form_of_hundreds_of_questions_is_taken_whole():
    wide = pd.DataFrame([[str(n) for n in range(400)]] * 2, columns=[f"question {n}" for n in range(400)])
    out, _ = conform(wide, schema("finds"))
    assert [c for c in out.columns if c.startswith("question")] == list(wide.columns)
    assert out[list(wide.columns)].equals(wide)


@pytest.mark.parametrize(
    ("words", "key", "typed"),
    [
        ("product", "cleared", "Təmizləndi|Təmizlənib|TEMİZLENDİ|Разминировано|Очищена"),
        ("product", "reduced", "Azaldıldı|Azaldılıb|Azaltıldı|Сокращён"),
        ("product", "cancelled", "Ləğv edildi|Ləğv edilib|İptal edildi|Отменено|Исключена"),
        ("method", "mechanical", "Mexaniki emal|mexaniki təmizləmə|Mekanik temizleme|Механическая обработка"),
        ("method", "manual", "Əllə təmizləmə|Elle temizleme|Ручное разминирование"),
        ("method", "bac", "BAC|BAC (battle area clearance)"),
        (
            "product",
            None,
            "Mexaniki emal|Mekanik temizleme|Təmizlənir|Temizleniyor|Təmizləmə|Очищается|Снято|Təmizlənməyib|BAC",
        ),
    ],
)
def test_everyday_words_are_known_and_work_that_is_not_finished_is_no_product(
    words: str, key: str | None, typed: str
) -> None:
    assert {word: vocab.vocabulary(words).match(word) for word in typed.split("|")} == dict.fromkeys(
        typed.split("|"), key
    )
