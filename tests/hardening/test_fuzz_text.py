"""Every function that reads what people type: an answer that makes sense, or an error of the tree with a hint; soon."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import click
import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geotools as gt
from geotools.cli import options
from geotools.io import forms, registry, tables
from geotools.io import text as encodings
from geotools.io.raw import Source
from geotools.io.store import address, moments
from geotools.model import arguments, vocab
from geotools.model.errors import GeotoolsError
from geotools.model.programme import Programme
from geotools.model.schema import KINDS, kind_of
from geotools.model.schema.conform import as_text, conform, to_boolean, to_day, to_number
from geotools.model.vocab import fold, vocabulary
from geotools.space import crs
from geotools.space.notation import ANGLE_UNITS, parse_angle, parse_position, parse_positions

from .commands import commands
from .conftest import Tally
from .fuzz import TEXTS, value

CASES = int(os.environ.get("GEOTOOLS_FUZZ", "150"))
CAP_S = 2.0
SEEDS = (
    "39°36'03.6\"N 47°08'24.2\"E", "39.6, 47.14", "N39 36.06 E047 08.4", "393603N 0470824E", "38S 683000 4385000", "38SPJ8300085000", "8511961 4385550", "47,14; 39,6",
    "39 с.ш. 47 в.д.", "şimal 39.6 şərq 47.1", "K 39 36 03 D 47 08 24", "S 45 15 E", "92.5", "100g", "1600 mil", "12°30'", "2024-05-01", "01.05.2024", "1 May 2024", "5 mai 24", "20240501",
    "2024-05-01T10:00:00+04:00", "45413", "1 234,5", "12.500,25", "1e3", "12,5 cm", "yes", "hə", "да", "EPSG:32638", "+proj=utm +zone=38", "epsg 4326", "Pulkovo 1942", "H-1", "cleared",
    "təmizlənmiş", "очищено", "APM; UXO", "39.6 47.1 100 4.5", "39.6 47.1 0 3;39.6 47.2 0 4;39.7 47.2 0 3", "postgresql://a:b@h:5432/d?schema=x", "46,39,48,40", "55/59", "3", "product=cleared",
)  # fmt: skip
STRANGE = "0123456789.,;:/'\"°′″º’”NSEWnsewСЮВЗ+-−–eE \t\n\u00a0\u200f\u202e\x00ıİəğ٣１²½EPSG:=%[](){}<>|\\@#&?*~`^$_\ud800\U0001f9e8"


def typed(rng: random.Random) -> str:
    """Something sensible with a few slips, or something that makes no sense."""
    if rng.random() < 0.25:
        return rng.choice(TEXTS)
    out = list(rng.choice(SEEDS))
    for _ in range(rng.randint(0, 4)):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(5):
            case 0:
                out[at:at] = rng.choice(STRANGE)
            case 1:
                out[at : at + rng.randint(1, 3)] = []
            case 2:
                out[at : at + 1] = rng.choice(STRANGE)
            case 3:
                out[at:at] = out[at : at + 6] * rng.randint(1, 30)
            case _:
                out[at:at] = rng.choice(TEXTS)[:40]
    return "".join(out)


def position_is_on_earth(found: Any) -> bool:
    return -180 <= found.lon <= 180 and -90 <= found.lat <= 90


def anything(_found: Any) -> bool:
    return True


def positions(text: str) -> Any:
    """A column never raises: each row has a position or an error of its own."""
    return parse_positions(pd.Series([text, "39.6 N 47.14 E"], dtype=object))


def each_row_is_answered(found: pd.DataFrame) -> bool:
    good = found["lon"].between(-180, 180) & found["lat"].between(-90, 90)
    return len(found) == 2 and bool((good | found["error"].fillna("").astype(bool)).all()) and bool(good.iloc[1])


HAZARDS = gpd.GeoDataFrame(
    {"id": ["H"], "date_info": pd.to_datetime(["2020-01-01"])},
    geometry=gpd.points_from_xy([683_000], [4_385_000]).buffer(50),
    crs="EPSG:32638",
)
RELEASES = HAZARDS.assign(
    id="R", hazard_id="H", product="cleared", method="manual", depth_cm=20.0, date=pd.Timestamp("2022-01-01")
)

# name → (call, what an answer must be). Whatever else happens must be a GeotoolsError with a hint.
PARSERS: dict[str, tuple[Callable[[str], Any], Callable[[Any], bool]]] = {
    "position": (parse_position, position_is_on_earth),
    "position in metres": (lambda t: parse_position(t, crs="EPSG:32638"), position_is_on_earth),
    "position in GK": (lambda t: parse_position(t, crs="GK"), position_is_on_earth),
    "pair": (lambda t: parse_position((t, "47.14"), order="yx"), position_is_on_earth),
    "order": (lambda t: parse_position("39.6, 47.14", order=t), position_is_on_earth),
    "positions": (positions, each_row_is_answered),
    **{f"angle {unit}": ((lambda t, u=unit: parse_angle(t, u)), lambda a: math.isfinite(a) and 0 <= a <= 360) for unit in ANGLE_UNITS},
    "angle unit": (lambda t: parse_angle("92.5", t), anything),
    "mgrs": (crs.from_mgrs, anything),
    "crs": (crs.parse, lambda c: bool(c.name)),
    "operation": (lambda t: crs.shift(HAZARDS, "EPSG:28408", operation=t), anything),
    "number": (to_number, lambda n: n is None or math.isfinite(n)),
    "boolean": (to_boolean, lambda b: b in (True, False, None)),
    "day": (to_day, lambda d: d is None or isinstance(d, date)),
    "text": (as_text, lambda t: t is None or isinstance(t, str)),
    "fold": (fold, lambda t: isinstance(t, str)),
    "kind": (kind_of, lambda k: k is None or k in KINDS),
    "moment": (moments.moment, lambda m: isinstance(m, datetime) and m.tzinfo is not None),
    "address": (address.split, anything),
    "address label": (address.label, lambda t: isinstance(t, str)),
    "encoding": (encodings.known, lambda t: t is None or isinstance(t, str)),
    "mojibake": (encodings.mojibake, lambda t: t is None or isinstance(t, str)),
    "guard": (lambda t: (tables.unguard(tables.guard(t)), t), lambda pair: pair[0] == pair[1]),
    "as_of": (lambda t: gt.coverage(HAZARDS, RELEASES, as_of=t).totals, anything),
    "start": (lambda t: gt.traverse.solve(pd.DataFrame({"from_point": ["A", "B", "C"], "to_point": ["B", "C", "A"], "bearing": ["0", t, "240"], "distance_m": [100.0, 100.0, 100.0]}), (47.1, 39.6), north="true"), anything),
    "layer": (lambda t: gt.map({"hazards": HAZARDS}, layers=[t]), anything),
    "theme": (gt.symbols.theme, anything),
    "format": (registry.named, anything),
    "argument": (lambda t: arguments.number(t, "x"), anything),
    "machine": (gt.suitability.machine, anything),
}  # fmt: skip


def judge(call: Callable[[str], Any], sense: Callable[[Any], bool], text: str) -> None:
    begin = time.process_time()
    try:
        assert sense(call(text)), repr(text)[:300]
    except GeotoolsError as error:
        assert str(error).strip(), repr(text)[:300]
        assert error.hint.strip(), f"no hint for {text[:80]!r}: {error}"
    assert time.process_time() - begin < CAP_S, repr(text)[:300]


@pytest.mark.parametrize("name", list(PARSERS))
def test_an_answer_or_an_error_with_a_hint(name: str, tally: Tally) -> None:
    rng = random.Random(name)
    slow = name in ("as_of", "layer", "operation", "start")
    for _ in range(CASES // 10 if slow else CASES):
        judge(*PARSERS[name], typed(rng))
        tally.inputs += 1


@pytest.mark.parametrize(
    "name", ["position", "positions", "mgrs", "number", "day", "moment", "angle dms", "angle quadrant", "guard"]
)
def test_any_text_at_all(name: str, tally: Tally) -> None:
    @settings(max_examples=min(CASES, 50), deadline=None, derandomize=True, database=None)
    @given(st.text(max_size=40))
    def law(text: str) -> None:
        judge(*PARSERS[name], text)
        tally.inputs += 1

    law()


def test_words_of_every_vocabulary(tally: Tally) -> None:
    rng = random.Random(3)
    for name in vocab.names():
        words = vocabulary(name)
        for _ in range(CASES // 10):
            found = words.match(typed(rng))
            assert found is None or isinstance(found, str)
            tally.inputs += 1


@pytest.mark.parametrize("kind", list(KINDS))
def test_cells_of_every_kind_become_values_or_issues(kind: str, tally: Tally) -> None:
    """A cell that is not understood is an issue of its row; nothing is raised and no row is lost."""
    rng = random.Random(kind)
    schema = KINDS[kind]
    for _ in range(max(1, CASES // 50)):
        rows = [{column.name: value(rng) if rng.random() < 0.5 else typed(rng) for column in schema} for _ in range(6)]
        frame = pd.DataFrame(rows, dtype=object)
        table, issues = conform(frame, schema, numbers=list(range(1, 7)))
        assert len(table) == 6
        assert table["id"].is_unique
        assert all(issue.message for issue in issues)
        tally.inputs += len(rows) * len(frame.columns)


def test_positions_of_forms(tally: Tally) -> None:
    rng = random.Random(4)
    for _ in range(CASES):
        try:
            shape, accuracy = forms.shape(typed(rng))
            assert shape is None or not shape.is_empty
            assert isinstance(accuracy, list)
        except ValueError as error:  # its caller makes an issue of it
            assert str(error)
        tally.inputs += 1


def test_settings_of_a_programme(tally: Tally) -> None:
    """What TOML can hold, in every place of [programme]."""
    rng = random.Random(5)
    names = list(Programme().to_dict())
    for _ in range(CASES * 2):
        data = {rng.choice(names): value(rng) if rng.random() < 0.6 else {typed(rng): value(rng)}}
        try:
            made = Programme.from_dict(data)
            made.limit("area_min_m2")
            made.to_dict()
            conform(
                pd.DataFrame({"id": ["1"], "product": ["x"]}),
                KINDS["releases"],
                words=made.words,
                columns=made.columns.get("releases", {}),
            )
        except GeotoolsError as error:
            assert error.hint, (data, error)
        tally.inputs += 1


def test_values_of_options(tally: Tally) -> None:
    """Every option of every command: converted, or refused by click or an error of the tree."""
    rng = random.Random(6)
    for path, command in commands():
        context = click.Context(command, info_name=" ".join(path))
        for parameter in command.params:
            for _ in range(max(1, CASES // 50)):
                try:
                    parameter.type.convert(typed(rng).replace("\x00", "").replace("\ud800", ""), parameter, context)
                except (click.UsageError, GeotoolsError) as error:
                    assert str(error).strip()
                tally.inputs += 1


def test_days_and_bounds_of_options() -> None:
    for kind in (options.Day(), options.Bounds()):
        for text in (*TEXTS, *SEEDS):
            try:
                found = kind.convert(text, None, None)
                assert isinstance(found, date) or (len(found) == 4 and found[0] < found[2])
            except click.UsageError as error:
                assert str(error)


def test_a_source_names_its_file() -> None:
    from pathlib import Path

    assert "x.csv" in str(Source(Path("a") / "x.csv").refuse("nothing"))
