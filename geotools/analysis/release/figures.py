"""Tables of the ledger as people open them: as spreadsheet text, with what is unknown left blank, and the totals beside.

For files of the ledger; how one figure is written is in `model.figures`, machines get full numbers from `Coverage.to_dict`.
"""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np
import pandas as pd

from geotools.io.tables import guard
from geotools.model.arguments import array
from geotools.model.doors import checked
from geotools.model.figures import NOISE_M2, direction, hectares, in_hectares, percent, square_metres

MEASURED = (
    "area_m2", "cancelled_m2", "reduced_m2", "cleared_m2", "processed_m2", "released_m2", "remaining_m2", "overlap_m2",
    "transferred_m2", "corrected_m2", "shared_m2", "area_sigma_m2", "released_sigma_m2", "remaining_sigma_m2", "area_grid_m2",
)  # fmt: skip
TOTALS = {
    "area_m2": "hazardous land recorded", "cancelled_m2": "cancelled", "reduced_m2": "reduced", "cleared_m2": "cleared",
    "released_m2": "released in all", "processed_m2": "worked by machine or by an unknown method only: part of what remains",
    "remaining_m2": "remaining", "transferred_m2": "transferred to another hazard", "corrected_m2": "taken out by a correction of the boundary",
    "overlap_m2": "released more than once, ground beside all hazards included", "outside_m2": "released outside every recorded hazard", "reopened_m2": "released, then reopened",
    "claimed_m2": "the release rows as claimed: released + more than once + outside + reopened",
    "reported_without_ground_m2": "reported by hazards without a usable boundary: in no other figure",
}  # fmt: skip
ONCE = "TOTAL (shared ground once)"
OF_FIGURE = ("total_m2", "sum_of_rows_m2")  # of the totals: the figure of the row says which way they are rounded


@checked
def spreadsheet(table: pd.DataFrame) -> str:
    """A table as CSV text that a spreadsheet opens right: areas with two decimals, days as YYYY-MM-DD, marked as UTF-8.

    Shares have four decimals and are never rounded up; released areas are cut and what remains is raised (`model.figures.direction`);
    text that would run as a formula is guarded.

    Examples
    --------
    >>> spreadsheet(pd.DataFrame({"id": ["Füzuli"], "area_m2": [1e7 / 3], "coverage": [0.99999]}))
    '\\ufeffid,area_m2,coverage\\nFüzuli,3333333.33,0.9999\\n'
    >>> spreadsheet(pd.DataFrame({"cleared_m2": [1.119], "remaining_m2": [1.111], "area_m2": [2.23]}))
    '\\ufeffcleared_m2,remaining_m2,area_m2\\n1.11,1.12,2.23\\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([guard(str(name)) for name in table.columns])
    columns = [_cells(str(name), table) for name in table.columns]
    writer.writerows(zip(*columns, strict=True))
    return "\ufeff" + out.getvalue()


def _cells(name: str, table: pd.DataFrame) -> list[str]:
    values = table[name].tolist()
    if name in OF_FIGURE and "figure" in table:
        return [_cell(name, value, str(figure)) for value, figure in zip(values, table["figure"], strict=True)]
    return [_cell(name, value, name) for value in values]


def _cell(name: str, value: Any, figure: str) -> str:
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            return ""
        if name == "coverage":
            return f"{math.floor(value * 1e4 + 1e-9) / 1e4:.4f}"
        return f"{_hundredths(float(value), figure) + 0.0:.2f}" if name.endswith("_m2") else f"{value:.10g}"
    return guard(value.replace("\r", " ").replace("\n", " ")) if isinstance(value, str) else str(value)


def _hundredths(value_m2: float, figure: str) -> float:
    """m² with two decimals: a figure of two decimals like hectares, and rounded the same way."""
    return in_hectares(value_m2 * 10_000, direction(figure))


@checked
def known(table: pd.DataFrame) -> pd.DataFrame:
    """A table of hazards with what was measured left empty where no boundary is usable: that ground is unknown, not 0.

    Examples
    --------
    >>> known(pd.DataFrame({"id": ["H-1"], "area_m2": [0.0], "remaining_m2": [0.0], "coverage": [np.nan]}))["remaining_m2"].isna().tolist()
    [True]
    """
    if "coverage" not in table or "area_m2" not in table:
        return table
    bare = table["coverage"].isna().to_numpy() & ~(array(table["area_m2"], "area_m2") > 0)
    return table.assign(**{name: table[name].where(~bare) for name in MEASURED if name in table})


@checked
def totals_table(table: pd.DataFrame, totals: pd.Series) -> pd.DataFrame:
    """The national figures with ground that hazards share counted once, beside the sums of the rows per hazard.

    Parameters
    ----------
    table, totals
        As of `Coverage`.

    Returns
    -------
    DataFrame
        One row per figure: ``scope`` (in words, the same in every row), ``figure`` (its column), ``meaning``, ``total_m2``, ``total_ha``,
        ``sum_of_rows_m2`` (of the table) and ``counted_again_m2`` (ground of several hazards, in several rows: the sum less the total, and
        of overlaps less only that part of the total which lies in hazards). The last is missing where the rows hold less than that.

    Examples
    --------
    >>> rows = pd.DataFrame({"area_m2": [600.0, 600.0]})
    >>> totals_table(rows, pd.Series({"area_m2": 1000.0}))[["total_m2", "sum_of_rows_m2", "counted_again_m2"]].values.tolist()
    [[1000.0, 1200.0, 200.0]]

    Of 500 m² released more than once, 300 lie beside all hazards; the other 200 lie in two hazards and are in the rows of both:

    >>> rows, totals = pd.DataFrame({"id": ["H-1", "H-2"], "overlap_m2": 200.0}), {"overlap_m2": 500.0, "overlap_outside_m2": 300.0}
    >>> totals_table(rows, pd.Series(totals))[["total_m2", "sum_of_rows_m2", "counted_again_m2"]].values.tolist()
    [[500.0, 400.0, 200.0]]
    """
    names = [name for name in TOTALS if name in totals.index]
    once = np.array([float(totals[name]) for name in names])
    rows = np.array([math.fsum(array(table[name], name)) if name in table else math.nan for name in names])
    beside = (
        {"overlap_m2": float(totals.get("overlap_outside_m2", 0.0))} if "id" in table else {}
    )  # in no row of a hazard
    more = rows - (once - np.array([beside.get(name, 0.0) for name in names]))
    again = np.where(more < -NOISE_M2, math.nan, np.maximum(more, 0.0))
    return pd.DataFrame(
        {
            "scope": ONCE,
            "figure": names,
            "meaning": [TOTALS[name] for name in names],
            "total_m2": once,
            "total_ha": [in_hectares(value, direction(name)) for name, value in zip(names, once, strict=True)],
            "sum_of_rows_m2": rows,
            "counted_again_m2": again,
        }
    )


def early(credits_: pd.DataFrame, hazards: pd.DataFrame) -> str:
    """Why tables by period and the state on a day differ, in words; empty where no release is dated before its hazard was recorded.

    A square metre counts in the period of the act that released it, but a hazard is in the records from its own day on.

    Parameters
    ----------
    credits_
        ``hazard_id, date, net_m2``, as `Coverage.credits`.
    hazards
        ``id, date_info``, as `Coverage.table`.

    Examples
    --------
    >>> done = pd.DataFrame({"hazard_id": ["H-1"], "date": ["2023-05-01"], "net_m2": [500.4]})
    >>> print(early(done, pd.DataFrame({"id": ["H-1"], "date_info": ["2024-06-01"]})))
    releases dated before their hazard was recorded: 1 (500 m²). Here they count on their own day, with --as-of and in a balance from the day of the hazard on
    >>> early(done, pd.DataFrame({"id": ["H-1"], "date_info": ["2022-06-01"]}))
    ''
    """
    if not {"hazard_id", "date", "net_m2"} <= set(credits_.columns) or "date_info" not in hazards:
        return ""
    known = pd.to_datetime(credits_["hazard_id"].map(hazards.drop_duplicates("id").set_index("id")["date_info"]))
    rows = credits_[(pd.to_datetime(credits_["date"]) < known) & (credits_["net_m2"] > 0)]
    if not len(rows):
        return ""
    area = hectares(float(rows["net_m2"].sum()), "down")
    return (
        f"releases dated before their hazard was recorded: {len(rows):,} ({area}). Here they count on their own day, "
        "with --as-of and in a balance from the day of the hazard on"
    )


__all__ = ["early", "hectares", "known", "percent", "spreadsheet", "square_metres", "totals_table"]
