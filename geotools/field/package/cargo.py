"""`Cargo`: the records that go into one package, in WGS 84, and what is known about them.

Every file of a package is made from a Cargo and from nothing else, so what a Cargo does not hold cannot leave.
Not for choosing (see `chosen`) or withholding (see `redact`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geotools.model.programme import Programme
from geotools.model.schema import KINDS, issues_frame
from geotools.space import crs as _crs

LEVELS = ("internal", "partner", "public")
PACKED = (
    "hazards", "releases", "events", "activities", "finds", "accidents", "samples", "marks", "tracks", "places", "landuse",
)  # fmt: skip
RESULTS = ("remaining", "released", "processed")


@dataclass(frozen=True)
class Cargo:
    """What goes along.

    Parameters
    ----------
    name
        Of the programme, as printed.
    title
        The task, hazard or area, as printed; empty for a whole survey.
    level
        One of `LEVELS`.
    layers
        Record kind → rows, in WGS 84.
    results
        ``remaining``, ``released`` and ``processed`` ground of the ledger.
    targets
        Hazards that the team works on.
    ground
        The ground of the task or area in WGS 84, where it was asked for and may leave.
    precision_m
        Side of the grid squares that ground was generalised to; 0 where nothing was.
    withheld
        Kind → rows that stay behind.
    margin_m
        How far around the area records go along; 0 for a whole survey.
    elsewhere
        Hazards without a position that are recorded at settlements far from the area, and so are left out.
    month
        Of a public cargo: month of the latest information on what is shown (``2024-05``), in place of the day.
    notes
        Sentences for the README.
    """

    name: str
    title: str = ""
    level: str = "internal"
    layers: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    results: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    ground: Any = None
    precision_m: float = 0.0
    withheld: Mapping[str, int] = field(default_factory=dict)
    margin_m: float = 0.0
    elsewhere: int = 0
    month: str = ""
    notes: tuple[str, ...] = ()
    coverage: Any = None
    programme: Programme = field(default_factory=Programme)
    rasters: Mapping[str, Path] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ()
    issues: gpd.GeoDataFrame = field(default_factory=issues_frame)

    def layer(self, kind: str) -> gpd.GeoDataFrame:
        """The rows of a kind, or an empty frame."""
        return self.layers[kind] if kind in self.layers else empty(kind)

    @property
    def hazards(self) -> gpd.GeoDataFrame:
        """Hazardous areas."""
        return self.layer("hazards")

    @property
    def releases(self) -> gpd.GeoDataFrame:
        """Released land."""
        return self.layer("releases")

    @property
    def information_day(self) -> date | None:
        """The last day that hazards, releases, finds or accidents in here speak of; None if undated.

        It is made from what leaves and nothing else. Of a public cargo it is the first day of `month`: never later than known.
        """
        if self.public:
            return date.fromisoformat(f"{self.month}-01") if self.month else None
        columns = [
            (self.layers[k], c)
            for k in ("hazards", "releases", "finds", "accidents")
            if k in self.layers
            for c in ("date_info", "date")
        ]
        days = [
            pd.to_datetime(f[c].astype(object), errors="coerce", format="mixed", utc=True).max()
            for f, c in columns
            if c in f and f[c].notna().any()
        ]
        known = [d for d in days if not pd.isna(d)]
        return max(known).date() if known else None

    @property
    def information(self) -> str:
        """The day, or of a public cargo the month, up to which it has information; empty if undated."""
        day = self.information_day
        return self.month if self.public or day is None else day.isoformat()

    def said(self, phrases: Any, *, day: str = "") -> list[str]:
        """What every product says of its bounds: up to when it knows (as `day` has it), and how far around the area it goes."""
        out = [phrases("information", day=day or self.information)] if self.information else []
        if self.margin_m:
            name = " ".join("".join(c if c.isprintable() else " " for c in self.title).split())[:60]
            out.append(phrases("scope", name=name or phrases("the_area"), margin=f"{self.margin_m:g}"))
        if self.elsewhere:
            far = self.programme.limit("package_unplaced_m") / 1000
            out.append(phrases("elsewhere", count=self.elsewhere, far=f"{far:g}"))
        return out

    def figures(self) -> dict[str, Any]:
        """Name → polygon of what the team walks around: its hazards, or the ground of the task where it has none.

        Ground in grid squares is no figure to walk.
        """
        hazards = self.hazards
        exact = hazards["precision_m"].isna() if "precision_m" in hazards else pd.Series(True, index=hazards.index)
        rows = hazards[hazards["id"].astype(str).isin(self.targets) & placed(hazards) & exact]
        rows = rows[rows.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
        found = dict(zip(rows["id"].astype(str), rows.geometry.array, strict=True))
        return found or ({self.title: self.ground} if self.ground is not None and self.title else {})

    @property
    def public(self) -> bool:
        """Whether anybody may read it."""
        return self.level == "public"


def empty(kind: str) -> gpd.GeoDataFrame:
    """No rows, with the columns of the kind.

    Examples
    --------
    >>> empty("places").columns[0], len(empty("places"))
    ('id', 0)
    """
    names = KINDS[kind].names if kind in KINDS else ("id",)
    columns = {name: pd.Series(dtype=object) for name in names}
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=_crs.WGS84))


def placed(frame: gpd.GeoDataFrame) -> pd.Series:
    """Whether each row has a geometry."""
    return ~(frame.geometry.isna() | frame.geometry.is_empty)
