"""Ids that reading made from row numbers, told apart where several files feed one layer: ``track_2:row-17``.

For the joining of files; ids that a file has of its own stay as they are, and so do those of a layer of one file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import geopandas as gpd

from geotools.survey.sources import LayerSource

FILE_WIDE = "made from row numbers"  # what RD-10 says once of a file without ids
ONE_ROW = "has no id: it is called"


def prefixes(sources: Sequence[LayerSource]) -> list[str]:
    """A short name for each of the files of a layer, no two alike.

    Examples
    --------
    >>> from pathlib import Path
    >>> prefixes([LayerSource(Path("a/track.csv")), LayerSource(Path("a/track.gpx")), LayerSource(Path("a/team_2.csv"))])
    ['track.csv', 'track.gpx', 'team_2']
    """
    ways = [
        [f"{s.path.stem}:{s.layer}" if s.layer else s.path.stem for s in sources],
        [s.label for s in sources],
        [f"{s.path.parent.name}/{s.label}" for s in sources],
    ]
    counts = [Counter(names) for names in ways]
    out: list[str] = []
    for n in range(len(sources)):
        free = (names[n] for names, count in zip(ways, counts, strict=True) if count[names[n]] == 1)
        name = next((name for name in free if name not in out), None)
        out.append(name or f"{ways[-1][n]}-{n + 1}")
    return out


def told_apart(
    frame: gpd.GeoDataFrame, issues: gpd.GeoDataFrame, label: str, prefix: str
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """The frame with `prefix` before the ids that reading made, and what was said of these rows under the same ids.

    Parameters
    ----------
    frame, issues
        As `geotools.read_with_issues` gives them; neither is changed.
    label
        The file as messages call it.
    """
    if "id" not in frame or not len(frame):
        return frame, issues
    told = issues["check"].eq("RD-10")
    whole = told & issues["message"].str.contains(FILE_WIDE, regex=False)
    single = told & issues["message"].str.contains(ONE_ROW, regex=False)
    if not (whole | single).any():
        return frame, issues
    out = issues.copy()
    if whole.any():
        ids = prefix + ":" + frame["id"].astype(object)
        named = issues["id"].fillna("").str.startswith("row-")
        said = f"{label}: {{}} ('{frame['id'].iloc[0]}' is '{ids.iloc[0]}')"
        out.loc[whole, "message"] = [said.format(text) for text in issues.loc[whole, "message"]]
    else:
        made = set(issues.loc[single, "id"])
        mine = frame["id"].isin(made)
        ids = frame["id"].astype(object).where(~mine, prefix + ":" + frame["id"].astype(object))
        named = issues["id"].isin(made)
        pairs = zip(issues.loc[single, "message"], issues.loc[single, "id"], strict=True)
        out.loc[single, "message"] = [_renamed(text, old, prefix, label) for text, old in pairs]
    out.loc[named, "id"] = prefix + ":" + issues.loc[named, "id"].astype(object)
    return frame.assign(id=ids), out


def _renamed(message: str, old: str, prefix: str, label: str) -> str:
    return f"{label}: " + message.replace(f"'{old}'", f"'{prefix}:{old}'")
