"""What must not leave the office: PR-01, PR-02. It points at personal data and precise places; it removes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import shapely

from geotools.checks.attributes import BULK, _texts
from geotools.checks.layers import Data, Layer
from geotools.checks.rule import Check, Finding, listed
from geotools.model.vocab import fold

_PERSONAL = re.compile(
    r"\b(victim|survivor|casualty|patient|birth|born|dob|phone|telephone|mobile|e ?mail|passport|national id|address|"
    r"first name|last name|surname|full name|father name|zerer cekmis|dogum|telefon|unvan|adres|soyad|фамилия|телефон|адрес|рождения|паспорт)\b"
)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(\.[\w-]{2,24})+")
_PHONE = re.compile(r"(?<![\w.])\+\d{1,3}[\s(-]?\(?\d{2,3}\)?[\s-]?\d{3}[\s-]?\d{2}[\s-]?\d{2}(?!\d)")
_ALLOWED = frozenset({"name", "operator", "inspector"})


def personal_data(data: Data) -> Iterator[Finding]:
    """PR-01: columns or texts that name or reach a person."""
    for layer in data.each():
        known = set(layer.schema.names) if layer.schema else set()
        for column in map(str, layer.frame.columns):
            if (
                column in known | _ALLOWED
                or column == "geometry"
                or not _PERSONAL.search(fold(column).replace("_", " "))
            ):
                continue
            filled = sum(t is not None for t in layer.text(column))
            if filled:
                yield Finding(layer.kind, "", column, {"column": column, "count": filled}, value=filled)
        if layer.kind in BULK:
            continue
        for column in _texts(layer):
            for row, text in enumerate(layer.typed(column)):
                if text and (_MAIL.search(text) or _PHONE.search(text)):
                    yield Finding(
                        layer.kind,
                        layer.ids[row],
                        column,
                        {"column": column},
                        variant="text",
                        geometry=layer.lonlat[row],
                    )


def not_for_publication(data: Data) -> Iterator[Finding]:
    """PR-02: a place marked unsafe to publish, given to the metre."""
    for layer in data.each("accidents", "hazards"):
        if not layer.has("safe_to_publish"):
            continue
        flags = layer.flags("safe_to_publish")
        precise = _precise(layer)
        rows = [r for r in range(len(layer)) if flags[r] is False and precise[r]]
        for row in rows:
            yield Finding(
                layer.kind, layer.ids[row], "safe_to_publish", {"ids": layer.ids[row]}, geometry=layer.lonlat[row]
            )
        open_question = [r for r in range(len(layer)) if flags[r] is None and precise[r]]
        if open_question and layer.kind == "accidents":
            words = {"count": len(open_question), "ids": listed(layer.ids[open_question])}
            yield Finding(
                layer.kind, "", "safe_to_publish", words, variant="unknown", severity="info", value=len(open_question)
            )


def _precise(layer: Layer) -> np.ndarray:
    """Rows given more precisely than two decimals of a degree (about 1 km)."""
    box = shapely.bounds(layer.lonlat)[:, :2]
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(box * 100 - np.round(box * 100)) > 1e-6).any(axis=1))


RULES = (
    Check("PR-01", personal_data, ("every layer",), "error"),
    Check("PR-02", not_for_publication, ("accidents", "hazards"), "warning", source="Syria survey forms (GICHD)"),
)
