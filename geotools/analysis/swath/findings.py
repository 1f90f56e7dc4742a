"""What the preparation of fixes has to tell a person, as ISSUES rows SW-00 … SW-10.

For sentences; the numbers come from `prepare`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.swath import units
from geotools.analysis.swath.fixes import LIFTED, REASONS, Table, number
from geotools.analysis.swath.rows import Rows
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
    units: frozenset[str] = frozenset()

    @classmethod
    def of(cls, table: Table, tool: Tool | None = None) -> Seen:
        """Counts of one table."""
        frame = table.rows
        names = {section.is_on for section in tool.sections} if tool and tool.sections else {"is_on"}
        unreadable = [table.flag(name)[1] | _unread(frame, name) for name in sorted(names) if name in frame]
        flag, width = _given(frame, "is_on"), len(frame) - int(np.isnan(table.widths).sum())
        flag += int(_unread(frame, "is_on").sum()) if "is_on" in frame else 0
        systems = (
            frozenset(frame["source_crs"].dropna().astype(str).unique()[:8]) if "source_crs" in frame else frozenset()
        )
        return cls(
            len(frame),
            flag,
            width,
            systems,
            _zoneless(frame),
            int((table.codes("asset_id")[0] < 0).sum()),
            int((number(frame, "h_acc_m") <= 0).sum()),
            int(np.any(unreadable, axis=0).sum()) if unreadable else 0,
            frozenset(filter(None, (units.unit_of(column, "width") for column in frame.columns))) - {"m"}
            if width
            else frozenset(),
        )

    def __add__(self, other: Seen) -> Seen:
        return Seen(
            self.rows + other.rows, self.with_flag + other.with_flag, self.with_width + other.with_width, self.systems | other.systems,
            self.zoneless or other.zoneless, self.nameless + other.nameless,
            self.too_good + other.too_good, self.unreadable + other.unreadable, self.units | other.units,
        )  # fmt: skip


def _given(frame: pd.DataFrame, name: str) -> int:
    """How many rows have a value."""
    if name not in frame:
        return 0
    values = frame[name]
    if values.dtype == bool:
        return len(frame)
    if values.dtype == np.float64:
        return len(frame) - int(np.isnan(values.to_numpy()).sum())
    return int(values.notna().sum())


def _unread(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Rows whose flag could not be read as yes or no, and is kept beside it as it was typed."""
    typed = f"{name}_as_entered"
    if typed not in frame:
        return np.zeros(len(frame), dtype=bool)
    return (frame[name].isna() & frame[typed].notna()).to_numpy(dtype=bool)


def _zoneless(frame: pd.DataFrame) -> bool:
    """Whether the times, or the first of them where they are text, have no time zone."""
    if "time" not in frame:
        return False
    if pd.api.types.is_datetime64_any_dtype(frame["time"].dtype):
        return not isinstance(frame["time"].dtype, pd.DatetimeTZDtype)
    some = frame["time"].dropna().head(100)
    stamps = pd.to_datetime(some.astype(str), errors="coerce", format="ISO8601", utc=True).notna()
    return bool((stamps & ~some.astype(str).str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True)).any())


def fix_findings(seen: Seen, counts: dict[str, int], tool: Tool) -> list[Issue]:
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
    if seen.units:
        text = f"working widths were given in {', '.join(sorted(seen.units))} and turned into metres: check one of them"
        issues.append(
            Issue("SW-25", "info", "fixes", column="width_m", message=text, value=" ".join(sorted(seen.units)))
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


@dataclass(frozen=True)
class Found:
    """What the passes show, counted: chunks add up."""

    passes: int = 0
    fast_m: float = 0.0
    unsteady: int = 0
    wide: int = 0
    widest_m: float = 0.0
    shallow_m: float = 0.0
    no_depth_m: float = 0.0

    @classmethod
    def of(cls, made: Rows, rules: Rules) -> Found:
        """Figures of some passes."""
        length, width = made.data["length_m"], made.data["width_m"]
        return cls(
            len(made), float(length[made.data["is_fast"].astype(bool)].sum()),
            int(((made.data["heading_sd_deg"] > HEADING_SD_DEG) & (length >= LONG_PASS_M)).sum()),
            int((width > rules.width_warn_m).sum()), float(width.max()) if len(made) else 0.0,
            float(length[~made.data["is_deep"].astype(bool)].sum()), float(length[np.isnan(made.data["depth_cm"])].sum()),
        )  # fmt: skip

    def __add__(self, other: Found) -> Found:
        widest = max(self.widest_m, other.widest_m)
        sums = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in dataclasses.fields(self)}
        return Found(**{**sums, "widest_m": widest})


def pass_findings(found: Found, rules: Rules) -> list[Issue]:
    """Findings about passes: speed, unsteady heading, width, depth."""
    issues: list[Issue] = []

    def say(check: str, severity: str, column: str, message: str, figures: tuple[Any, Any]) -> None:
        issues.append(
            Issue(check, severity, "fixes", column=column, message=message, value=figures[0], limit=figures[1])
        )

    if found.fast_m:
        text = f"{found.fast_m:.0f} m were worked faster than {rules.speed_max_mps:g} m/s"
        say("SW-07", "warning", "speed_mps", text, (found.fast_m, rules.speed_max_mps))
    if found.unsteady:
        text = f"{found.unsteady} passes wander by more than {HEADING_SD_DEG:g}°"
        say("SW-08", "info", "heading_sd_deg", text, (found.unsteady, HEADING_SD_DEG))
    issues += wide_findings(found.wide, found.widest_m, rules.width_warn_m)
    if rules.depth_cm is not None and found.shallow_m:
        text = (
            f"{found.shallow_m:.0f} m of passes did not show the required depth of {rules.depth_cm:g} cm "
            f"({found.no_depth_m:.0f} m had no depth recorded)"
        )
        say("SW-10", "warning", "depth_cm", text, (found.shallow_m, rules.depth_cm))
    return issues


def wide_findings(count: int, widest_m: float, limit_m: float) -> list[Issue]:
    """A row if passes are wider than tools commonly are."""
    if not count:
        return []
    text = f"{count} passes are up to {widest_m:g} m wide, more than {limit_m:g} m: is the working width right, and in metres?"
    return [Issue("SW-19", "warning", "fixes", column="width_m", message=text, value=widest_m, limit=limit_m)]


def interruptions(rows: Rows) -> list[Issue]:
    """A row for every open interruption with its place, and one for all bridged pauses."""
    if not len(rows):
        return []
    bridged, seconds = rows.data["is_bridged"].astype(bool), rows.data["seconds"]
    open_ = rows.take(~bridged)
    lines = _crs.transform(open_.geometry, rows.crs, _crs.WGS84)
    issues = []
    columns = zip(*(open_.data[name] for name in ("why", "seconds", "length_m", "id")), lines, strict=True)
    for why, lasted, length, name, line in columns:
        what = "no fix for" if why == "outage" else "the position jumped within"
        message = f"{what} {lasted:.1f} s ({length:.1f} m apart): nothing is shown as covered between them"
        issues.append(
            Issue("SW-02", "warning", "fixes", str(name), message=message, value=float(lasted), geometry=line)
        )
    if bridged.any():
        message = (
            f"{int(bridged.sum())} short pauses in the fixes were bridged (the longest {seconds[bridged].max():.1f} s); "
            "they are listed with the outages"
        )
        issues.append(Issue("SW-03", "info", "fixes", message=message, value=int(bridged.sum())))
    return issues
