"""Detectors as rows of data with their source: what is published, and a unit's own table beside it.

For labels and reports; no figure here feeds a computation of coverage or detection.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import pandas as pd

from geotools.model.errors import SchemaError
from geotools.model.programme import load_toml

COLUMNS = ("id", "name", "tech", "coil", "mode", "head_mm", "mass_kg", "note", "source", "as_of", "grade")
GRADES = ("manual", "trial", "press", "user")


def detectors(own: str | Path | None = None) -> pd.DataFrame:
    """The catalogue of detectors, with a unit's own TOML table added; own rows replace rows of the same id.

    Returns
    -------
    DataFrame
        `id, name, tech, coil, mode, head_mm, mass_kg, note, source, as_of, grade`; unknown values are missing.

    Raises
    ------
    SchemaError
        If a row lacks id, name, source or a known grade: an unsourced figure is not taken.

    Examples
    --------
    >>> table = detectors()
    >>> bool(table["source"].notna().all()), bool(table["head_mm"].isna().all())
    (True, True)
    """
    text = resources.files("geotools.analysis.trial").joinpath("detectors.toml").read_text("utf-8")
    rows = {row["id"]: row for row in tomllib.loads(text)["detector"]}
    for row in load_toml(own).get("detector", []) if own is not None else []:
        missing = [name for name in ("id", "name", "source") if not row.get(name)]
        if missing or row.get("grade") not in GRADES:
            what = f"no {missing[0]}" if missing else f"grade '{row.get('grade')}'"
            raise SchemaError(
                f"a detector row has {what}",
                hint=f"every row needs id, name, source and a grade of {', '.join(GRADES)}",
                file=own,
            )
        rows[row["id"]] = row
    table = pd.DataFrame([{name: row.get(name) for name in COLUMNS} for row in rows.values()], columns=list(COLUMNS))
    for name in ("head_mm", "mass_kg"):
        table[name] = pd.to_numeric(table[name], errors="coerce")
    return table.sort_values("id").reset_index(drop=True)
