"""Why a figure is what it is: for one hazard, who released which ground when, what overlaps what, why a row counted 0.

For the officer who has to answer for a number; drawing it is done by `maps`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.release import entries as _e
from geotools.analysis.release import projection as _p
from geotools.analysis.release.coverage import Coverage, plain, records
from geotools.analysis.release.figures import hectares, known, percent, square_metres
from geotools.analysis.release.geos import overlay
from geotools.analysis.release.ledger import SLIVER_M2
from geotools.model.doors import checked
from geotools.model.errors import ReleaseError
from geotools.model.figures import UNKNOWN, direction

STATES = ("cancelled_m2", "reduced_m2", "cleared_m2", "transferred_m2", "corrected_m2", "remaining_m2")


@dataclass(frozen=True)
class Explanation:
    """The ledger of one hazard, act by act.

    Attributes
    ----------
    hazard
        Its row of `Coverage.table`; what was measured is None where it has no usable boundary.
    acts
        Acts that touch it, in order of priority: ``id``, ``counted_as``, ``date``, ``organisation``, ``raw_m2`` (touched), ``net_m2`` (credited),
        ``lost_m2`` and ``lost_to`` (already released by), ``outside_m2``.
    idle
        Rows that name this hazard but gave it nothing, with the reason.
    shared
        Other hazards that claim the same ground: ``id``, ``shared_m2``.
    issues
        Findings about the hazard and these rows.
    layers
        ``hazards``, ``records`` (the release rows that touch it, as recorded), ``releases`` (the ground each was credited
        with), ``remaining`` and ``overlaps``, for a map.

    Examples
    --------
    >>> from geotools.analysis.release import coverage
    >>> one = gpd.GeoDataFrame({"id": ["H-1"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs="EPSG:4326")
    >>> print(explain(coverage(one, one, product="cleared", date="2024-05-01"), "H-1").text().splitlines()[0])
    Hazard H-1, all records
    """

    hazard: dict[str, Any]
    acts: pd.DataFrame
    idle: pd.DataFrame
    shared: pd.DataFrame
    issues: gpd.GeoDataFrame = field(repr=False)
    layers: dict[str, gpd.GeoDataFrame] = field(repr=False)
    as_of: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        issues = self.issues.drop(columns="geometry")
        return {
            "what": "explanation", "as_of": self.as_of, "hazard": self.hazard, "acts": records(self.acts), "idle": records(self.idle),
            "shared": records(self.shared), "issues": records(pd.DataFrame(issues)),
        }  # fmt: skip

    def text(self) -> str:
        """The story in plain sentences."""
        h = self.hazard
        lines = [f"Hazard {h['id']}" + (f", as of {self.as_of}" if self.as_of else ", all records")]
        lines += [*(_unknown(h) if h["area_m2"] is None else _figures(h)), ""]
        lines.append("In order of credit:" if len(self.acts) else "No act touches it.")
        lines += [f"  {n}. {_sentence(row)}" for n, row in enumerate(records(self.acts), start=1)]
        for row in records(self.idle):
            lines.append(f"  –  {_clean(row['id'])} names this hazard and counts 0 m² in it: {row['why_zero']}")
        for row in records(self.shared):
            lines.append(
                f"  shares {square_metres(row['shared_m2'])} m² with {_clean(row['id'])}; national totals count it once"
            )
        if len(self.issues):
            lines += ["", "Findings:"]
            lines += [f"  {r.severity} {r.check} {_clean(r.id)}: {_clean(r.message)}" for r in self.issues.itertuples()]
        return "\n".join(lines)


def _figures(h: dict[str, Any]) -> list[str]:
    """The figures of a hazard with a boundary."""
    lines = [
        f"  area        {square_metres(h['area_m2']):>14} ± {square_metres(h['area_sigma_m2'])} m²   ({hectares(h['area_m2'])})"
    ]
    for name in STATES:
        if h[name] or name == "remaining_m2":
            lines.append(f"  {name[:-3]:11} {square_metres(h[name], toward=direction(name)):>14} m²")
    if h["processed_m2"]:
        lines.append(
            f"    of which without a proved search (worked by machine, or by an unknown method): {square_metres(h['processed_m2'])} m²"
        )
    share = percent(float("nan") if h["coverage"] is None else h["coverage"])
    return [*lines, f"  coverage    {share:>14}"]


def _unknown(h: dict[str, Any]) -> list[str]:
    """What can be said of a hazard without a usable boundary: nothing was measured, so nothing is 0."""
    told = h.get("area_reported_m2")
    reported = f"   ({hectares(told, 'up')} as reported)" if told else ""
    return [
        *(
            f"  {name:11} {UNKNOWN:>14}{reported if name == 'area' else ''}"
            for name in ("area", "remaining", "coverage")
        ),
        "  It has no usable boundary: no release can be shown to lie on it, and no total of ground includes it.",
    ]


def _sentence(row: dict[str, Any]) -> str:
    who = f" by {_clean(row['organisation'])}" if row["organisation"] else ""
    when = row["date"] or "no date"
    out = f"{when}  {_clean(row['id'])}{who}: {row['counted_as']} {square_metres(row['net_m2'], toward='down')} of the {square_metres(row['raw_m2'])} m² it covers here"
    if row["lost_m2"] > SLIVER_M2:
        how = "are released by" if row["counted_as"] == "processed" else "had been taken before by"
        out += f"; {square_metres(row['lost_m2'])} m² {how} {_clean(row['lost_to'])}"
    if row["outside_m2"] > 0.01:
        out += f"; {square_metres(row['outside_m2'])} m² of it lie outside every hazard"
    if row["reopened_m2"] > SLIVER_M2:
        out += f"; {square_metres(row['reopened_m2'])} m² of it were reopened"
    return out


def _clean(value: Any) -> str:
    """Text that cannot move the cursor or turn the line around."""
    return "".join(c if c.isprintable() else "·" for c in str(value))


@checked
def explain(coverage: Coverage, hazard_id: str) -> Explanation:
    """Explain the figures of one hazard.

    Raises
    ------
    ReleaseError
        If there is no such hazard on that day.

    Examples
    --------
    >>> from geotools.analysis.release import coverage
    >>> one = gpd.GeoDataFrame({"id": ["H-1"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs="EPSG:4326")
    >>> print(explain(coverage(one, one, product="cleared"), "H-1").acts["net_m2"].round(0).tolist())
    [9550.0]
    """
    book, shot = coverage._book, coverage._shot
    found = np.flatnonzero(coverage.table["id"].astype(str).to_numpy() == str(hazard_id))
    if not len(found):
        some = ", ".join(_clean(name) for name in coverage.table["id"].head(5))
        raise ReleaseError(
            f"there is no hazard '{_clean(hazard_id)}' in the ledger", hint=f"hazards are called, for example: {some}"
        )
    place = int(found[0])
    pairs = np.flatnonzero((shot.pair_h == place) & (shot.raw > SLIVER_M2))
    acts = _acts(coverage, place, pairs)
    names = coverage.credits["hazard_id"].astype(object).to_numpy() == coverage.table["id"].iloc[place]
    idle = coverage.credits[names & ~coverage.credits["id"].isin(acts["id"])][
        ["id", "product", "date", "why_zero"]
    ].copy()
    silent = idle["why_zero"] == ""
    idle.loc[silent, "why_zero"] = "its ground lies in other hazards"
    others = [(b if a == place else a, area) for a, b, area in shot.shared if place in (a, b)]
    ids = book.hazards.rows.id[shot.hazard]
    shared = pd.DataFrame(
        {"id": [ids[n] for n, _ in others], "shared_m2": [area * shot.factor[place] for _, area in others]}
    )
    about = {("hazards", str(hazard_id)), *(("releases", str(n)) for n in [*acts["id"], *idle["id"]])}
    events = book.events.rows
    about |= {
        ("events", str(n)) for n, link in zip(events.id, events.text("hazard_id"), strict=True) if link == hazard_id
    }
    issues = coverage.issues
    mine = [(kind, name) in about for kind, name in zip(issues["kind"], issues["id"], strict=True)]
    return Explanation(
        hazard=records(known(coverage.table.iloc[[place]]))[0],
        acts=acts,
        idle=idle.reset_index(drop=True),
        shared=shared,
        issues=issues[mine].reset_index(drop=True),
        layers=_drawn(coverage, place, pairs),
        as_of=plain(coverage.as_of.isoformat() if coverage.as_of else None),
    )


def _acts(coverage: Coverage, place: int, pairs: np.ndarray) -> pd.DataFrame:
    book, shot = coverage._book, coverage._shot
    count = len(book.releases)
    order = pairs[np.argsort(shot.pair_c[pairs])]
    act, row = shot.pair_c[order], shot.release[shot.pair_c[order]]
    ids = np.r_[book.releases.rows.id, book.events.rows.id]
    who = np.r_[book.releases.rows.text("organisation"), book.events.rows.text("organisation")]
    day = np.r_[book.releases.rows.day, book.events.rows.day]
    lost, to = _lost(coverage, place, act)
    return pd.DataFrame(
        {
            "id": ids[row],
            "counted_as": np.array([_e.WORDS[code] for code in shot.act[act]], dtype=object),
            "date": np.array([None if np.isnat(d) else str(d) for d in day[row]], dtype=object),
            "organisation": who[row],
            "kind": np.where(row < count, "release", "event"),
            "raw_m2": shot.raw[order],
            "net_m2": shot.net[order],
            "lost_m2": lost,
            "lost_to": to,
            "outside_m2": shot.outside[act],
            "reopened_m2": shot.reopened[act],
        }
    )


def _lost(coverage: Coverage, place: int, act: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much of each act others had taken before in this hazard, and their ids, most first."""
    book, shot = coverage._book, coverage._shot
    ids = np.r_[book.releases.rows.id, book.events.rows.id][shot.release[act]]
    inside = overlay(shapely.intersection, shot.cover[act], np.full(len(act), shot.ground[place], dtype=object))
    lost, to = np.zeros(len(act)), np.full(len(act), "", dtype=object)
    left = shot.ground[place]
    for n in range(len(act)):
        lost[n] = shapely.area(inside[n]) - shapely.area(shapely.intersection(left, inside[n]))
        areas = [(shapely.area(shapely.intersection(inside[n], inside[k])), ids[k]) for k in range(n)]
        to[n] = ", ".join(str(name) for area, name in sorted(areas, key=lambda pair: -pair[0]) if area > SLIVER_M2)
        left = shapely.difference(left, inside[n])
    return np.maximum(lost, 0.0) * shot.factor[place], to


def _drawn(coverage: Coverage, place: int, pairs: np.ndarray) -> dict[str, gpd.GeoDataFrame]:
    book, shot = coverage._book, coverage._shot
    name = coverage.table["id"].iloc[place]
    hazard = coverage.table.iloc[[place]].reset_index(drop=True)
    shape = _p.back(shot.ground[[place]], book.plane, book.crs)
    remaining = coverage.remaining
    touched = set(np.r_[book.releases.rows.id, book.events.rows.id][shot.release[shot.pair_c[pairs]]])
    released = coverage.released
    over = coverage.overlaps
    rows = np.unique(shot.release[shot.pair_c[pairs]])
    rows = rows[rows < len(book.releases)]
    told = pd.DataFrame(book.releases.rows.frame.drop(columns=book.releases.rows.frame.geometry.name)).iloc[rows]
    recorded = _p.back(book.releases.ground.plane[rows], book.plane, book.crs)
    told = told.assign(id=book.releases.rows.id[rows]).reset_index(drop=True)
    return {
        "records": gpd.GeoDataFrame(told, geometry=gpd.GeoSeries(recorded, crs=book.crs)),
        "hazards": gpd.GeoDataFrame(hazard, geometry=gpd.GeoSeries(shape, crs=book.crs)),
        "releases": released[released["id"].isin(touched)].reset_index(drop=True),
        "remaining": remaining[remaining["id"] == name].reset_index(drop=True),
        "overlaps": over[over["id"].isin(touched) & over["other_id"].isin(touched)].reset_index(drop=True),
    }


__all__ = ["Explanation", "explain"]
