"""Ids that reading made because a file had none, or had one twice: no key for a store, which must know the row again.

For layers that were read from files; frames with ids of their own need nothing of this (see `saving` for what an id must be).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import geopandas as gpd
import pandas as pd

from geotools.model.errors import StoreError
from geotools.model.schema import Issue, issues_frame

MADE = re.compile(r"(.*:)?row-\d+(\.\d+)?(~\d+)?", re.DOTALL)  # with its file, where a layer has several


def with_own_ids(layers: Mapping[str, gpd.GeoDataFrame], issues: pd.DataFrame) -> dict[str, gpd.GeoDataFrame]:
    """The layers, each row under an id of its own: where a file had no id at all, its ``guid`` takes the place.

    Parameters
    ----------
    layers
        Kind → frame, as `geotools.open_survey` gives them.
    issues
        What was said when they were read: RD-10 tells which ids were made.

    Raises
    ------
    StoreError
        If ids were made from row numbers or changed because they were used twice; ``issues`` lists the rows (ST-01).
    """
    told = issues[issues["check"] == "RD-10"]
    out, refused = {}, []
    for kind, frame in layers.items():
        if "id" not in frame or not len(frame):
            out[kind] = frame
            continue
        mine = told[told["kind"].isin([kind, ""]) | told["kind"].isna()]
        named = set(mine["id"].dropna()) - {""}
        unnamed = bool((mine["id"].isna() | (mine["id"] == "")).any())  # a whole file without ids
        made = frame["id"].map(lambda i, n=named, u=unnamed: i in n or (u and bool(MADE.fullmatch(str(i)))))
        if made.all() and _whole(frame):
            out[kind] = frame.assign(id=frame["guid"])
            continue
        out[kind] = frame
        refused += [
            Issue(
                "ST-01", "error", kind, str(id_), "id", _why(str(id_), frame), value=str(id_), limit="an id that stays the same",
            )
            for id_ in frame["id"][made]
        ]  # fmt: skip
    if refused:
        error = StoreError(
            f"{len(refused)} rows have no id of their own: next time they could not be told apart; nothing was saved",
            hint="give every row another id, in a column 'id' (or named in survey.toml: columns = { \"its name\" = \"id\" }); where two rows have one id, correct or remove one",
        )  # fmt: skip
        error.issues = issues_frame(refused)
        raise error
    return out


def _why(id_: str, frame: gpd.GeoDataFrame) -> str:
    """Why an id is not the row's own, in words."""
    first, mark, number = id_.rpartition("~")
    if mark and number.isdigit() and (frame["id"] == first).any():
        return f"two rows have the id '{first}': this one was called '{id_}' when the file was read"
    return f"'{id_}' is not the row's own id: it was made when the file was read"


def _whole(frame: gpd.GeoDataFrame) -> bool:
    """Whether every row has a ``guid`` of its own."""
    if "guid" not in frame:
        return False
    texts = frame["guid"]
    return bool(texts.map(lambda v: isinstance(v, str) and bool(v.strip())).all() and texts.is_unique)
