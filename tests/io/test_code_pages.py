"""Text without a word about its code page, in the languages of programmes; every sentence is invented."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

import geotools as gt
from geotools.io import text

RUSSIAN = ["Минное поле у посёлка", "МИННОЕ ПОЛЕ", "Район подозрительный", "Агдам", "дорога на север, мост", "Закрыт"]
UKRAINIAN = ["Мінне поле біля села", "Ділянка закрита", "Підозріла територія"]
TURKISH = ["Şırnak mayınlı alanı", "köprü ağzı", "Ağdam", "güney sınırı"]
SOUTH_SLAVIC = [
    "Šumarija Županja",
    "sumnjivo područje",
    "Mine i neeksplodirana sredstva, Đakovo",
    "rijeka, općina Čapljina",
]
ARABIC = ["حقل ألغام قرب القرية", "منطقة خطرة مؤكدة", "الطريق إلى الجسر الشمالي"]
DARI = ["ساحه ماین گذاری شده", "نزدیک قریه پل خشتی", "بسته شده در سال"]
FRENCH = ["Rivière", "zone minée confirmée", "près de l'école", "dépôt détruit"]
SPANISH = ["área peligrosa", "vereda El Cañón", "sitio de búsqueda", "Ángel"]


@pytest.mark.parametrize(
    ("page", "texts"),
    [
        ("cp1251", RUSSIAN), ("cp1251", UKRAINIAN), ("cp866", RUSSIAN), ("koi8-r", RUSSIAN), ("cp1254", TURKISH),
        ("cp1250", SOUTH_SLAVIC), ("cp1256", ARABIC), ("cp1256", DARI), ("cp1252", FRENCH), ("cp1252", SPANISH),
    ],
)  # fmt: skip
def test_the_page_of_a_column_is_found(page, texts):
    found = text.suspect([t.encode(page, "ignore") for t in texts])
    for t in texts:
        assert t.encode(page, "ignore").decode(found) == t.encode(page, "ignore").decode(page)


@pytest.mark.parametrize(("page", "texts"), [("cp1251", RUSSIAN), ("cp1251", UKRAINIAN), ("cp1254", TURKISH)])
def test_new_pages_take_no_single_text_from_the_others(page, texts):
    """However short a text in the pages that programmes here use: it is not taken for Arabic or South Slavic."""
    for t in texts:
        assert text.suspect([t.encode(page)]) not in ("cp1250", "cp1256")


@pytest.mark.parametrize(("page", "words"), [("cp1250", SOUTH_SLAVIC[:2]), ("cp1256", ARABIC[:2])])
def test_a_shapefile_without_code_page_is_read(page, words, tmp_path):
    path = tmp_path / "hazards.shp"
    frame = gpd.GeoDataFrame(
        {"id": ["1", "2"], "name": words}, geometry=[shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)], crs="EPSG:4326"
    )
    frame.to_file(path, engine="pyogrio", encoding=page)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    data = bytearray(path.with_suffix(".dbf").read_bytes())
    data[29] = 0  # language driver
    path.with_suffix(".dbf").write_bytes(data)
    read, issues = gt.read_with_issues(path)
    assert read["name"].tolist() == words
    assert issues[issues["check"] == "RD-05"]["value"].tolist() == [page]
