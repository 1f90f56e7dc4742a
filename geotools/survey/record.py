"""`Survey`: the named layers of one programme, and what they say of themselves.

For holding a programme's records; reading them is in `opening`, judging and computing in the floors below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from geotools.model.programme import Programme
from geotools.model.provenance import InputFile
from geotools.model.schema import KINDS, issues_frame
from geotools.space import crs as _crs
from geotools.space.sketch import sketch
from geotools.survey.extent import Extent, extent_of

if TYPE_CHECKING:
    from geotools.analysis.release import Coverage


@dataclass(frozen=True)
class SurveySummary:
    """What a survey holds: rows per layer, accounting of the input, issues by severity, extent and dates.

    ``bounds`` are degrees on WGS 84, without rows that lie elsewhere by mistake; ``left_out`` counts those by reason.
    """

    name: str
    layers: Mapping[str, Mapping[str, Any]]
    files: tuple[Mapping[str, Any], ...]
    issues: Mapping[str, int]
    bounds: tuple[float, float, float, float] | None
    dates: tuple[str, str] | None
    left_out: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "layers": {k: dict(v) for k, v in self.layers.items()},
            "files": [dict(item) for item in self.files],
            "issues": dict(self.issues),
            "bounds": list(self.bounds) if self.bounds else None,
            "bounds_crs": "EPSG:4326",
            "left_out_of_bounds": dict(self.left_out),
            "dates": list(self.dates) if self.dates else None,
        }


@dataclass(frozen=True)
class Survey:
    """The layers of one programme.

    Parameters
    ----------
    layers
        Record kind → GeoDataFrame; kinds that the files do not have are absent here and empty as attributes.
        Files whose kind is not recognised stand under their own name.
    rasters
        ``dem`` and ``landcover`` files, if there are any.
    issues
        Everything that reading found, the ISSUES table.
    inputs
        Each file with its hash and rows.

    Examples
    --------
    >>> Survey("empty").hazards.empty
    True
    """

    name: str
    layers: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    programme: Programme = field(default_factory=Programme)
    issues: gpd.GeoDataFrame = field(default_factory=issues_frame)
    inputs: tuple[InputFile, ...] = ()
    rasters: Mapping[str, Path] = field(default_factory=dict)

    def __getattr__(self, name: str) -> gpd.GeoDataFrame:
        if name in KINDS:
            return self.layer(name)
        raise AttributeError(f"a Survey has no '{name}'; record kinds are {', '.join(KINDS)}")

    def layer(self, kind: str) -> gpd.GeoDataFrame:
        """The layer of a kind, or an empty frame with its columns."""
        if kind in self.layers:
            return self.layers[kind]
        names = KINDS[kind].names
        return gpd.GeoDataFrame(
            {name: pd.Series(dtype=object) for name in names}, geometry=gpd.GeoSeries([], crs=_crs.WGS84)
        )

    def coverage(self, **more: Any) -> Coverage:
        """The ledger of this survey: `geotools.coverage` with its hazards, releases, events and programme.

        Parameters
        ----------
        **more
            ``as_of``, ``priority``, ``engine``, ``progress`` and what else `geotools.coverage` takes.
        """
        from geotools.analysis.release import coverage

        events = self.layers.get("events")
        return coverage(self.hazards, self.releases, programme=self.programme, events=events, **more)

    @property
    def information_day(self) -> date | None:
        """The last day that hazards, releases, finds or accidents speak of: the state of the records. None if undated."""
        known = _dates(self.layers[k] for k in ("hazards", "releases", "finds", "accidents") if k in self.layers)
        return date.fromisoformat(known[1]) if known else None

    @property
    def pictures(self) -> Any:
        """Styles, map and card for field packages, which know no map room themselves (see `geotools.field.package`)."""
        from geotools.survey.pictures import Pictures

        return Pictures()

    def extent(self) -> Extent:
        """Where the records lie, and how many rows plainly lie elsewhere by mistake."""
        return extent_of(self.layers.values(), self.programme)

    def summary(self) -> SurveySummary:
        """Counts, extent and dates, for people and for ``geotools info --json``."""
        layers = {kind: _describe(frame) for kind, frame in self.layers.items()}
        extent = self.extent()
        return SurveySummary(
            name=self.name,
            layers=layers,
            files=tuple({k: v for k, v in vars(item).items() if v not in (None, "")} for item in self.inputs),
            issues={s: int((self.issues["severity"] == s).sum()) for s in ("error", "warning", "info")},
            bounds=extent.bounds,
            dates=_dates(self.layers.values()),
            left_out=extent.left_out,
        )

    def __repr__(self) -> str:
        rows = ", ".join(f"{kind} {len(frame)}" for kind, frame in self.layers.items())
        return f"<Survey {self.name}: {rows or 'no layers'}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(kind)}</th><td>{d['rows']}</td><td>{d['with_geometry']}</td><td>{escape(d['crs']) or '–'}</td></tr>"
            for kind, d in self.summary().layers.items()
        )
        counts = self.summary().issues
        picture = sketch([(self.hazards, "#a63603"), (self.releases, "#00664a"), (self.finds, "#111111")])
        return (
            f"<h4>{escape(self.name)}</h4><table><tr><th>layer</th><th>rows</th><th>with geometry</th><th>system</th></tr>{rows}</table>"
            f"<p>reading found {counts['error']} errors, {counts['warning']} warnings, {counts['info']} notes</p>{picture}"
        )


def _describe(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    has = ~(frame.geometry.isna() | frame.geometry.is_empty)
    types = sorted(set(frame.geometry[has].geom_type))
    return {
        "rows": len(frame),
        "with_geometry": int(has.sum()),
        "geometry": types,
        "crs": _crs.label(frame.crs) if frame.crs is not None and has.any() else "",
        "columns": [c for c in frame.columns if c != frame.geometry.name],
    }


def _dates(frames: Iterable[gpd.GeoDataFrame]) -> tuple[str, str] | None:
    days = [
        f[c].dropna()
        for f in frames
        for c in ("date_info", "date")
        if c in f and pd.api.types.is_datetime64_any_dtype(f[c])
    ]
    filled = [d for d in days if len(d)]
    if not filled:
        return None
    return min(d.min() for d in filled).date().isoformat(), max(d.max() for d in filled).date().isoformat()
