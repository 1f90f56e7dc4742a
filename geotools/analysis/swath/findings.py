"""What the preparation of fixes has to tell a person, as ISSUES rows SW-00 … SW-10.

For sentences; the numbers come from `prepare`.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.analysis.swath.fixes import LIFTED, REASONS, flags, number, text
from geotools.analysis.swath.rules import Rules, Tool
from geotools.model.schema import Issue
from geotools.space import crs as _crs

HEADING_SD_DEG = 20.0  # a pass whose heading scatters more than this was not held straight, or its positions are poor
LONG_PASS_M = 5.0


@dataclass(frozen=True)
class Seen:
    """What the table of fixes states, counted: chunks add up."""

    rows: int = 0
    with_flag: int = 0
    with_width: int = 0
    systems: frozenset[str] = frozenset()
    zoneless: bool = False
    nameless: int = 0
    too_good: int = 0
    unreadable: int = 0

    @classmethod
    def of(cls, frame: pd.DataFrame, tool: Tool | None = None) -> Seen:
        """Counts of one frame."""
        names = {section.is_on for section in tool.sections} if tool and tool.sections else {"is_on"}
        unreadable = [flags(frame[name])[1] for name in sorted(names) if name in frame]
        flag, width = (int(frame[name].notna().sum()) if name in frame else 0 for name in ("is_on", "width_m"))
        systems = (
            frozenset(frame["source_crs"].dropna().astype(str).unique()[:8]) if "source_crs" in frame else frozenset()
        )
        zoneless = (
            "time" in frame
            and pd.api.types.is_datetime64_any_dtype(frame["time"].dtype)
            and frame["time"].dt.tz is None
        )
        nameless = int((text(frame, "asset_id").str.strip() == "").sum())
        return cls(
            len(frame),
            flag,
            width,
            systems,
            bool(zoneless),
            nameless,
            int((number(frame, "h_acc_m") <= 0).sum()),
            int(np.any(unreadable, axis=0).sum()) if unreadable else 0,
        )

    def __add__(self, other: Seen) -> Seen:
        return Seen(
            self.rows + other.rows, self.with_flag + other.with_flag, self.with_width + other.with_width, self.systems | other.systems,
            self.zoneless or other.zoneless, self.nameless + other.nameless,
            self.too_good + other.too_good, self.unreadable + other.unreadable,
        )  # fmt: skip


def fix_findings(seen: Seen, counts: pd.Series, tool: Tool) -> list[Issue]:
    """Findings about the table of fixes itself: the account, dropped fixes, and what had to be assumed."""
    text = " ".join(f"{name}={value}" for name, value in counts.items() if value or name in ("read", "used"))
    issues = [
        Issue(
            "SW-00",
            "info",
            "fixes",
            message=f"{counts['used']} of {counts['read']} fixes made passes; {counts[LIFTED]} had the tool lifted",
            value=text,
        )
    ]
    for reason, words in REASONS.items():
        if counts[reason]:
            severity = "info" if reason in ("duplicate_time", "alone") else "warning"
            issues.append(
                Issue(
                    "SW-01",
                    severity,
                    "fixes",
                    column=reason,
                    message=f"{counts[reason]} fixes {words}: they are not used",
                    value=int(counts[reason]),
                )
            )
    if not counts["used"]:
        issues.append(
            Issue("SW-09", "error", "fixes", message="no fix can be used: nothing is shown as covered", value=0)
        )
    return [*issues, *_assumed(seen, tool)] if seen.rows else issues


def _assumed(seen: Seen, tool: Tool) -> list[Issue]:
    issues = []
    if not seen.with_flag and not tool.sections:
        issues.append(
            Issue(
                "SW-04",
                "warning",
                "fixes",
                column="is_on",
                message="the fixes do not say when the tool was working: all movement is taken as work",
            )
        )
    elif seen.with_flag and seen.with_flag < seen.rows:
        missing = seen.rows - seen.with_flag
        text = f"{missing} fixes do not say whether the tool was working: they are taken as not working"
        issues.append(Issue("SW-04", "info", "fixes", column="is_on", message=text, value=missing))
    if seen.unreadable:
        words = f"{seen.unreadable} fixes have a word or number that is neither yes nor no for whether the tool was working: they are taken as not working"
        issues.append(Issue("SW-04", "warning", "fixes", column="is_on", message=words, value=seen.unreadable))
    bare = seen.rows - seen.with_width
    if tool.width_m is not None and not tool.sections and bare:
        issues.append(
            Issue(
                "SW-05",
                "info",
                "fixes",
                column="width_m",
                message=f"{bare} fixes state no width: {tool.width_m:g} m was given",
                value=bare,
                limit=tool.width_m,
            )
        )
    if seen.nameless:
        words = f"{seen.nameless} fixes do not say which tool they belong to (asset_id): if several tools are among them, their ways cannot be told apart"
        issues.append(Issue("SW-17", "warning", "fixes", column="asset_id", message=words, value=seen.nameless))
    if seen.too_good:
        words = f"{seen.too_good} fixes state an accuracy of zero or less, as receivers do that do not know it: it is taken as unknown"
        issues.append(Issue("SW-18", "warning", "fixes", column="h_acc_m", message=words, value=seen.too_good))
    if len(seen.systems) > 1:
        text = f"the fixes were entered in several reference systems ({', '.join(sorted(seen.systems)[:4])}): check that all were converted"
        issues.append(Issue("SW-06", "warning", "fixes", column="source_crs", message=text))
    if seen.zoneless:
        issues.append(
            Issue(
                "SW-06", "warning", "fixes", column="time", message="the times have no time zone: they are taken as UTC"
            )
        )
    return issues


def pass_findings(made: gpd.GeoDataFrame, interruptions: gpd.GeoDataFrame, rules: Rules) -> list[Issue]:
    """Findings about passes and interruptions: outages with their place, speed, unsteady heading, depth."""
    issues = _interruptions(interruptions)
    if not len(made):
        return issues
    fast = made["is_fast"].to_numpy(dtype=bool)
    if fast.any():
        length = float(made["length_m"][fast].sum())
        issues.append(
            Issue(
                "SW-07",
                "warning",
                "fixes",
                column="speed_mps",
                message=f"{length:.0f} m were worked faster than {rules.speed_max_mps:g} m/s",
                value=length,
                limit=rules.speed_max_mps,
            )
        )
    unsteady = (made["heading_sd_deg"] > HEADING_SD_DEG) & (made["length_m"] >= LONG_PASS_M)
    if unsteady.any():
        issues.append(
            Issue(
                "SW-08",
                "info",
                "fixes",
                column="heading_sd_deg",
                message=f"{int(unsteady.sum())} passes wander by more than {HEADING_SD_DEG:g}°",
                value=int(unsteady.sum()),
                limit=HEADING_SD_DEG,
            )
        )
    issues += wide_findings(made, rules.width_warn_m)
    if rules.depth_cm is not None:
        shallow = ~made["is_deep"].to_numpy(dtype=bool)
        length, unknown = float(made["length_m"][shallow].sum()), float(made["length_m"][made["depth_cm"].isna()].sum())
        if shallow.any():
            text = f"{length:.0f} m of passes did not show the required depth of {rules.depth_cm:g} cm ({unknown:.0f} m of them had no depth recorded)"
            issues.append(
                Issue("SW-10", "warning", "fixes", column="depth_cm", message=text, value=length, limit=rules.depth_cm)
            )
    return issues


def wide_findings(made: gpd.GeoDataFrame, limit_m: float) -> list[Issue]:
    """A row if passes are wider than tools commonly are."""
    width = made["width_m"].to_numpy(dtype=float)
    wide = width > limit_m
    if not wide.any():
        return []
    text = f"{int(wide.sum())} passes are up to {width.max():g} m wide, more than {limit_m:g} m: is the working width right, and in metres?"
    return [Issue("SW-19", "warning", "fixes", column="width_m", message=text, value=float(width.max()), limit=limit_m)]


def _interruptions(frame: gpd.GeoDataFrame) -> list[Issue]:
    if not len(frame):
        return []
    lines = _crs.transform(frame.geometry.array, _crs.require(frame), _crs.WGS84)
    issues = []
    columns = zip(
        frame["is_bridged"], frame["why"], frame["seconds"], frame["length_m"], frame["id"], lines, strict=True
    )
    for is_bridged, why, seconds, length, name, line in columns:
        if is_bridged:
            continue
        what = "no fix for" if why == "outage" else "the position jumped within"
        message = f"{what} {seconds:.1f} s ({length:.1f} m apart): nothing is shown as covered between them"
        issues.append(
            Issue("SW-02", "warning", "fixes", str(name), message=message, value=float(seconds), geometry=line)
        )
    bridged = int(frame["is_bridged"].sum())
    if bridged:
        longest = float(frame.loc[frame["is_bridged"], "seconds"].max())
        issues.append(
            Issue(
                "SW-03",
                "info",
                "fixes",
                message=f"{bridged} short pauses in the fixes were bridged (the longest {longest:.1f} s); they are listed with the outages",
                value=bridged,
            )
        )
    return issues
