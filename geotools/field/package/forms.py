"""Forms for ODK and KoBo as XLSForm, one per layer a team reports, and the entity list they choose from.

Built from the schema: choices, limits, required columns and four languages. Reading what comes back is `io.forms`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geotools.field.package.archive import repacked
from geotools.field.package.cargo import Cargo, placed
from geotools.field.package.phrases import ENGLISH_NAMES, Phrases, languages
from geotools.io.tables import guard
from geotools.model.errors import need
from geotools.model.provenance import now
from geotools.model.schema import KINDS, Column
from geotools.model.vocab import vocabulary

FORMS = ("hazards", "releases", "activities", "finds", "marks", "samples")
OFFICE = frozenset(  # filled in by the office, or by the software
    (
        "id", "guid", "source_crs", "source_coords", "transform_op", "links", "info_reliability", "source_reliability", "area_basis",
        "date_entry", "status_changed_date", "status_changed_reason", "parent_id", "supersedes_id", "country", "admin1", "admin2", "shape_id",
        "lot_id", "asset_id", "handover_date", "bearing_unit", "with_technical_asset", "devices_found",
    )
)  # fmt: skip
TYPES = {"text": "text", "id": "text", "number": "decimal", "integer": "integer", "date": "date", "time": "dateTime"}
PLACES = {
    "Point": ("geopoint", "where_point"),
    "LineString": ("geotrace", "where_line"),
    "Polygon": ("geoshape", "where_area"),
}
ENTITIES = "hazards.csv"


def header(lang: str) -> str:
    """How XLSForm names a language.

    Examples
    --------
    >>> header("az")
    'Azerbaijani (az)'
    """
    return f"{ENGLISH_NAMES[lang]} ({lang})"


def form(kind: str, *, lang: str = "en", task: str = "") -> bytes:
    """The XLSForm of a layer as a workbook.

    Parameters
    ----------
    kind
        One of `FORMS`.
    lang
        Language that the form opens in.
    task
        Filled in as ``task_id`` where the layer has it.

    Raises
    ------
    MissingLibraryError
        Without openpyxl (extra ``field``).

    Examples
    --------
    >>> form("finds")[:2]
    b'PK'
    """
    openpyxl = need("openpyxl", "field")
    spoken = languages(first=lang)
    book = openpyxl.Workbook(write_only=True)
    for name, rows in (
        ("survey", _survey(kind, spoken, task)),
        ("choices", _choices(kind, spoken)),
        ("settings", _settings(kind, lang)),
    ):
        sheet = book.create_sheet(name)
        columns = list(dict.fromkeys(c for row in rows for c in row))
        sheet.append(columns)
        for row in rows:
            sheet.append([row.get(c, "") for c in columns])
    book.properties.creator = "geotools"
    book.properties.created = book.properties.modified = now().replace(tzinfo=None)
    out = io.BytesIO()
    book.save(out)
    return repacked(out.getvalue())


def _said(prefix: str, key: str, spoken: Iterable[Phrases]) -> dict[str, str]:
    return {f"{prefix}::{header(p.lang)}": p(key) for p in spoken}


def _survey(kind: str, spoken: tuple[Phrases, ...], task: str) -> list[dict[str, str]]:
    schema = KINDS[kind]
    blank = {f"{p}::{header(s.lang)}": "" for p in ("label", "hint") for s in spoken}
    rows = [{"type": t, "name": f"form_{t}", **blank} for t in ("start", "end", "deviceid")]
    rows.append({"type": "calculate", "name": "id", "calculation": "once(uuid())"})
    sort, key = PLACES[schema.geometry[0]]
    rows.append(
        {
            "type": sort,
            "name": "geometry",
            **_said("label", key, spoken),
            **_said("hint", "where_hint", spoken),
            "required": "yes",
        }
    )
    for column in schema:
        if column.name in OFFICE:
            continue
        if column.name == "task_id" and task:
            rows.append({"type": "text", "name": "task_id", **_labels(column, spoken), "default": task})
            continue
        rows.append(_question(column, spoken))
    return rows


def _labels(column: Column, spoken: Iterable[Phrases]) -> dict[str, str]:
    return {f"label::{header(p.lang)}": p.column(column) for p in spoken}


def _question(column: Column, spoken: tuple[Phrases, ...]) -> dict[str, str]:
    row = {"type": TYPES.get(column.kind, "text"), "name": column.name, **_labels(column, spoken)}
    if column.kind in ("word", "words"):
        row["type"] = f"{'select_one' if column.kind == 'word' else 'select_multiple'} {column.words}"
    elif column.kind == "boolean":
        row["type"] = "select_one yes_no"
    elif column.name in ("hazard_id", "feature_id"):
        row["type"] = f"select_one_from_file {ENTITIES}"
        row["appearance"] = "autocomplete"
    if column.name == "note":
        row["appearance"] = "multiline"
    if column.required:
        row["required"] = "yes"
    limits = _limits(column)
    if limits:
        row["constraint"] = limits
        row |= _said("constraint_message", "in_future" if column.kind == "date" else "out_of_range", spoken)
    return row


def _limits(column: Column) -> str:
    if column.kind == "date":
        return ". <= today()" if column.name not in ("start", "end") else ""
    limits = [f". >= {column.minimum:g}"] if column.minimum is not None else []
    limits += [f". <= {column.maximum:g}"] if column.maximum is not None else []
    return " and ".join(limits)


def _choices(kind: str, spoken: tuple[Phrases, ...]) -> list[dict[str, str]]:
    rows = [
        {
            "list_name": "yes_no",
            "name": k,
            **{f"label::{header(p.lang)}": p("yes" if k == "true" else "no") for p in spoken},
        }
        for k in ("true", "false")
    ]
    for name in dict.fromkeys(c.words for c in KINDS[kind] if c.words and c.name not in OFFICE):
        words = vocabulary(name)
        rows += [
            {"list_name": name, "name": key, **{f"label::{header(p.lang)}": words.label(key, p.lang) for p in spoken}}
            for key in words.keys
        ]
    return rows


def _settings(kind: str, lang: str) -> list[dict[str, str]]:
    title = " / ".join(dict.fromkeys(p.kind(kind) for p in languages(first=lang)[:2]))
    return [
        {
            "form_title": title, "form_id": f"geotools_{kind}", "version": now().strftime("%Y%m%d%H%M%S"),
            "default_language": header(lang), "instance_name": "concat('" + kind + " ', today())",
        }
    ]  # fmt: skip


def entities(cargo: Cargo) -> str:
    """The list of hazards that forms choose from, as CSV: name, label, words and the boundary latitude first."""
    hazards = cargo.hazards
    lines = ["name,label,classification,status,geometry"]
    has = placed(hazards)
    for row, here in zip(hazards.to_dict("records"), has, strict=True):
        label = " ".join(
            str(v) for v in (row.get("classification"), row.get("id"), row.get("place")) if isinstance(v, str)
        )
        cells = [row["id"], label, row.get("classification"), row.get("status"), odk(row["geometry"]) if here else ""]
        lines.append(",".join(_cell(v) for v in cells))
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    text = "" if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) else str(value)
    text = guard(text)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def odk(shape: Any) -> str:
    """A geometry as ODK writes it: ``lat lon 0 0`` joined by semicolons, outer ring only, the largest part of several.

    Examples
    --------
    >>> odk(shapely.Point(47.1, 39.6))
    '39.6000000 47.1000000 0 0'
    """
    part = max(shapely.get_parts(shape), key=lambda p: (p.area, p.length))
    ring = part.exterior if part.geom_type == "Polygon" else part
    return "; ".join(f"{y:.7f} {x:.7f} 0 0" for x, y in shapely.get_coordinates(ring).tolist())
