"""IMSMA Core tables: the links of a feature as foreign keys.

For layers that carry ``imsma_links`` (ids of linked features, separated by commas); the key ``imsma_id`` is an alias of
``id`` in every schema.
"""

from __future__ import annotations

import re

import pandas as pd

from geotools.io.raw import Finding, Raw
from geotools.model.schema import KINDS
from geotools.model.schema.conform import as_text
from geotools.model.vocab import fold

TARGETS = {
    "hazard_id": ("hazard", "haz", "sha", "cha", "land"),
    "activity_id": ("activity", "act", "hazreduc", "task"),
    "task_id": ("task",),
}


def link(raw: Raw, kind: str | None) -> None:
    """Fill ``hazard_id`` and ``activity_id`` from the links where the layer has no such column; `raw` is changed."""
    column = next((c for c in raw.table.columns if fold(c) in ("imsma links", "links")), None)
    if column is None or kind is None:
        return
    links = [re.split(r"[,;\s]+", text) if (text := as_text(v)) else [] for v in raw.table[column]]
    for key in ("hazard_id", "activity_id"):
        if key not in KINDS[kind].names or key in raw.table or kind == key.removesuffix("_id") + "s":
            continue
        found = [
            [name for name in names if fold(name).split(" ")[0].rstrip("0123456789") in TARGETS[key]] for names in links
        ]
        if not any(found):
            continue
        raw.table = raw.table.assign(
            **{
                key: pd.Series(
                    [names[0] if len(names) == 1 else None for names in found], index=raw.table.index, dtype=object
                )
            }
        )
        for row, names in enumerate(found):
            if len(names) > 1:
                said = f"it is linked to {len(names)} features ({', '.join(names[:5])}): {key} is left empty"
                raw.findings.append(Finding("RD-07", "info", said, row, column=key, value=", ".join(names)[:200]))
