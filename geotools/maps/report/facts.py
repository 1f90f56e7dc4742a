"""What the records say about one task, gathered as plain tables for the report.

For choosing rows and adding them up; not for setting them on a page.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.maps.sheet.phrase import square_metres
from geotools.model.errors import MapError
from geotools.space import crs as _crs

SLIVERS = ("RL-13", "WF-10")  # closed with land remaining: not said of what is within the tolerance


@cache
def _words() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files("geotools.maps.report").joinpath("words.toml").read_text("utf-8"))


def word(key: str, lang: str = "en", **values: Any) -> str:
    """A fixed word of the report.

    Examples
    --------
    >>> word("finds", "tr")
    'Bulunan patlayıcı mühimmat'
    """
    text = _words()[key].get(lang) or _words()[key]["en"]
    return text.format(**values) if values else text


def words() -> dict[str, dict[str, str]]:
    """Every fixed word, by key and language."""
    return _words()


@dataclass(frozen=True)
class Facts:
    """Rows that concern one hazard: its ledger line, releases, finds, activities, inspections and issues."""

    row: pd.Series
    line: pd.Series
    releases: pd.DataFrame
    finds: pd.DataFrame
    activities: pd.DataFrame
    samples: pd.DataFrame
    accidents: pd.DataFrame
    issues: pd.DataFrame
    finished_m2: float

    @classmethod
    def of(cls, survey: Any, hazard_id: str, coverage: Any, issues: Any) -> Facts:
        """Gather them.

        Raises
        ------
        MapError
            If there is no such hazard or it has no polygon.
        """
        match = survey.hazards[survey.hazards["id"] == hazard_id]
        if match.empty:
            raise MapError(
                f"there is no hazard '{hazard_id}'",
                hint="geotools info lists the layers, geotools coverage the hazards",
            )
        shape = _crs.to_wgs84(match).geometry.iloc[0]
        if shape is None or shape.is_empty:
            raise MapError(
                f"hazard '{hazard_id}' has no polygon: nothing can be reported about its ground",
                hint="draw its boundary first; geotools coverage says what it reports",
            )
        releases = _releases(survey, hazard_id, shape, coverage)
        activities = _linked(
            survey.activities, hazard_id, set(releases["activity_id"].dropna()) if "activity_id" in releases else set()
        )
        owned = {hazard_id, *releases["id"], *activities.get("id", [])}
        finds = _within(survey.finds, shape, owned)
        accidents = _within(survey.accidents, shape, owned)
        samples = _within(survey.samples, shape, owned)
        return cls(
            match.iloc[0],
            coverage.table[coverage.table["id"] == hazard_id].iloc[0],
            releases,
            finds,
            activities,
            samples,
            accidents,
            _issues(issues, {*owned, *finds.get("id", []), *accidents.get("id", []), *samples.get("id", [])}),
            survey.programme.limit("finished_m2"),
        )

    @property
    def tolerated_m2(self) -> float:
        """Remaining ground that the authority's tolerance lets pass; 0 if there is none or too much."""
        left = float(self.line["remaining_m2"])
        return left if 0.5 <= left <= self.finished_m2 else 0.0

    def reasons(self, lang: str) -> list[str]:
        """Why the work cannot be called complete; empty if nothing in the records speaks against it."""
        out = []
        if self.line["remaining_m2"] > self.finished_m2:
            out.append(word("reason_remaining", lang, area=square_metres(self.line["remaining_m2"], lang, "remaining")))
        if self.line["processed_m2"] > self.finished_m2:
            out.append(word("reason_processed", lang, area=square_metres(self.line["processed_m2"], lang)))
        if len(self.accidents):
            out.insert(0, word("reason_accident", lang, n=len(self.accidents), ids=_listed(self.accidents["id"])))
        failed = self.failed()
        if len(failed):
            out.append(word("reason_failed", lang, n=len(failed), ids=_listed(failed["id"])))
        cleared = self.releases[(self.releases["product"] == "cleared") & (self.releases["here_m2"] > self.finished_m2)]
        shallow = int(cleared["depth_cm"].isna().sum()) if "depth_cm" in cleared else len(cleared)
        if shallow:
            out.append(word("reason_depth", lang, n=shallow))
        said = self.issues
        if float(self.line["remaining_m2"]) <= self.finished_m2:
            said = said[~(said["check"].isin(SLIVERS) & (said["id"] == self.row["id"]))]
        errors = int((said["severity"] == "error").sum())
        if errors:
            out.append(word("reason_errors", lang, n=errors))
        return out

    def failed(self) -> pd.DataFrame:
        """Inspections that were not passed, or that found a critical or major non-conformity."""
        if not len(self.samples):
            return self.samples
        nothing = pd.Series(None, index=self.samples.index, dtype=object)
        result = self.samples.get("result", nothing)
        severity = self.samples.get("nonconformity", nothing)
        return self.samples[(result == "failed") | severity.isin(["critical", "major"])]

    def depths(self) -> pd.DataFrame:
        """Cleared m² by depth: ``depth_cm`` (NaN: not stated) and ``m2``."""
        cleared = self.releases[(self.releases["product"] == "cleared") & (self.releases["here_m2"] > 0)]
        depth = cleared["depth_cm"] if "depth_cm" in cleared else pd.Series(np.nan, index=cleared.index)
        return (
            cleared.assign(depth_cm=depth).groupby("depth_cm", dropna=False)["here_m2"].sum().rename("m2").reset_index()
        )


def _listed(ids: Any, most: int = 6) -> str:
    names = [str(name) for name in ids]
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def _releases(survey: Any, hazard_id: str, shape: Any, coverage: Any) -> pd.DataFrame:
    """Releases that are linked to the hazard or lie on it, with the m² each was first to release inside it."""
    here = _inside(coverage.released, shape)
    credits = coverage.credits
    linked = credits["hazard_id"] == hazard_id if "hazard_id" in credits else pd.Series(False, index=credits.index)
    rows = credits[linked | credits["id"].isin(here.index)].copy()
    rows["here_m2"] = rows["id"].map(here).fillna(0.0)
    more = [c for c in ("activity_id",) if c in survey.releases and c not in rows]
    rows = rows.merge(survey.releases[["id", *more]], on="id", how="left") if more else rows
    return rows.sort_values(["date", "id"], ignore_index=True)


def _inside(released: gpd.GeoDataFrame, shape: Any) -> pd.Series:
    """m² of each release inside a hazard (WGS 84), on an equal-area plane."""
    if not len(released):
        return pd.Series(dtype=float)
    plane = _crs.equal_area(shape.bounds)
    ground = _crs.to_equal_area(np.array([shape], dtype=object), _crs.WGS84, plane)[0]
    parts = _crs.to_equal_area(released.geometry.array, released.crs, plane)
    touching = shapely.intersects(parts, ground)
    areas = shapely.area(shapely.intersection(parts[touching], ground))
    return pd.Series(areas, index=released["id"].to_numpy()[touching]).groupby(level=0).sum()


def _linked(frame: Any, hazard_id: str, ids: set[Any]) -> pd.DataFrame:
    if not len(frame):
        return frame
    mine = frame["id"].isin(ids)
    if "hazard_id" in frame:
        mine |= frame["hazard_id"] == hazard_id
    return frame[mine].sort_values("id", ignore_index=True)


def _within(frame: Any, shape: Any, owned: set[Any]) -> pd.DataFrame:
    """Rows linked to the task or lying in it, with longitude and latitude."""
    if not len(frame):
        return frame
    mine = pd.Series(False, index=frame.index)
    for column in ("hazard_id", "activity_id"):
        if column in frame:
            mine |= frame[column].isin(owned)
    placed = _crs.to_wgs84(frame) if frame.crs is not None else frame
    mine |= placed.geometry.intersects(shape).fillna(False)
    rows = placed[mine].sort_values("id", ignore_index=True)
    centres = shapely.centroid(np.asarray(rows.geometry.array))
    return rows.assign(lon=shapely.get_x(centres), lat=shapely.get_y(centres))


def _issues(issues: Any, owned: set[Any]) -> pd.DataFrame:
    if issues is None or not len(issues):
        return pd.DataFrame(columns=["severity", "check", "id", "message"])
    rows = issues[issues["id"].isin(owned)]
    order = rows["severity"].map({"error": 0, "warning": 1, "info": 2})
    return rows.assign(order=order).sort_values(["order", "check", "id"], ignore_index=True)
