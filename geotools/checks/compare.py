"""Two runs of the checks side by side: what is new, fixed and still open. For trends; it judges nothing."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geotools.model.arguments import columns
from geotools.model.schema import ISSUE_COLUMNS
from geotools.model.schema.issues import ISSUE_CRS

STATES = ("new", "open", "fixed")
KEY = ["check", "kind", "id", "column"]


def compare(old_issues: pd.DataFrame, new_issues: pd.DataFrame) -> gpd.GeoDataFrame:
    """Match the issues of two runs.

    Two issues are the same if rule, layer, record and column agree; where a record has several of one rule, the same
    message is matched first, then one by one: a figure that changed a little does not make an old fault a new one.

    Parameters
    ----------
    old_issues, new_issues
        ISSUES tables of the earlier and the later run.

    Returns
    -------
    GeoDataFrame
        All issues with a column ``state``: ``new`` and ``open`` (still open) as in the later run, ``fixed`` as in the
        earlier one; in this order. new + open = later run, fixed + open = earlier run.

    Examples
    --------
    >>> from geotools.model.schema import Issue, issues_frame
    >>> before = issues_frame([Issue("GC-01", "error", "hazards", "H-1"), Issue("GC-12", "error", "hazards", "H-2")])
    >>> after = issues_frame([Issue("GC-01", "error", "hazards", "H-1"), Issue("TP-01", "error", "hazards", "H-3")])
    >>> compare(before, after)[["state", "id"]].to_numpy().tolist()
    [['new', 'H-3'], ['open', 'H-1'], ['fixed', 'H-2']]
    """
    old, new = _prepared(old_issues), _prepared(new_issues)
    for extra in (["message"], []):
        left_old, left_new = old[~old["matched"]], new[~new["matched"]]
        columns = [*KEY, *extra]
        a, b = (_numbered(frame, columns) for frame in (left_old, left_new))
        both = set(a) & set(b)
        old.loc[left_old.index[[key in both for key in a]], "matched"] = True
        new.loc[left_new.index[[key in both for key in b]], "matched"] = True
    parts = [
        new[~new["matched"]].assign(state="new"),
        new[new["matched"]].assign(state="open"),
        old[~old["matched"]].assign(state="fixed"),
    ]
    columns = ["state", *ISSUE_COLUMNS, "geometry"]
    joined = pd.concat([part[columns] for part in parts], ignore_index=True)
    return gpd.GeoDataFrame(joined, geometry="geometry", crs=ISSUE_CRS)


def _numbered(frame: pd.DataFrame, columns: list[str]) -> list[tuple[str, ...]]:
    turn = frame.groupby(columns).cumcount().astype(str) if len(frame) else pd.Series(dtype=str)
    return [tuple(row) for row in frame[columns].assign(turn=turn).itertuples(index=False)]


def _prepared(issues: pd.DataFrame) -> gpd.GeoDataFrame:
    columns(issues, "the issues")
    frame = gpd.GeoDataFrame(issues).copy() if "geometry" in issues else gpd.GeoDataFrame(issues.assign(geometry=None))
    if frame.active_geometry_name is None:
        frame = frame.set_geometry(gpd.GeoSeries(frame["geometry"], index=frame.index))
    frame = frame.set_crs(ISSUE_CRS) if frame.crs is None else frame.to_crs(ISSUE_CRS)
    for column in ISSUE_COLUMNS:
        frame[column] = frame[column].fillna("").astype(str) if column in frame else ""
    frame = frame.sort_values([*KEY, "message"], kind="stable").reset_index(drop=True)
    return frame.assign(matched=False)
