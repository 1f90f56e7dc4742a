"""`Task`: one hazard with its survey, ledger and norths, in the UTM zone it lies in.

For what every part of a sheet needs to know of its task; not for drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypedDict

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.maps.sheet import frame as _frame
from geotools.maps.symbols import Theme, theme
from geotools.model.errors import MapError
from geotools.model.provenance import now
from geotools.space import crs as _crs


class Choices(TypedDict, total=False):
    """How a sheet is made: ``paper`` A4 or A3, ``scale`` denominator (default: the largest that fits), ``lang``, ``theme``,
    ``day`` for declination (default: as-of date, else today), ``numbered`` e.g. ``(3, 12)`` in an atlas,
    ``points=False`` to leave the table of turning points out."""

    paper: str
    scale: int | None
    lang: str
    theme: str | Path
    day: date | None
    numbered: tuple[int, int] | None
    points: bool


@dataclass(frozen=True)
class Task:
    """What one sheet shows, in the UTM zone of the task."""

    survey: Any
    row: pd.Series
    shape: Any
    crs: Any
    coverage: Any
    theme: Theme
    lang: str
    norths: _frame.Norths
    lonlat: tuple[float, float]
    numbered: tuple[int, int] | None

    @classmethod
    def of(cls, survey: Any, hazard_id: str, coverage: Any, choices: Choices) -> Task:
        """Look the hazard up and bring it to its UTM zone."""
        hazards = survey.hazards
        match = hazards[hazards["id"] == hazard_id]
        if match.empty:
            raise MapError(
                f"there is no hazard '{hazard_id}'",
                hint=f"the first are {', '.join(hazards['id'].head(5))}"
                if len(hazards)
                else "the survey has no hazards",
            )
        shape = _crs.to_wgs84(match).geometry.iloc[0]
        if shape is None or shape.is_empty:
            raise MapError(
                f"hazard '{hazard_id}' has no polygon: there is nothing to draw",
                hint="add its boundary, then draw the sheet",
            )
        centre = shape.representative_point()
        system = _crs.utm(centre.x, centre.y)
        flat = _crs.transform(np.array([shape], dtype=object), _crs.WGS84, system)[0]
        when = choices.get("day") or getattr(coverage, "as_of", None) or now().date()
        lang = choices.get("lang") or survey.programme.languages[0]
        return cls(
            survey, match.iloc[0], shapely.force_2d(flat), system, coverage, theme(choices.get("theme", "safe")), lang,
            _frame.Norths.at(centre.x, centre.y, system, when), (centre.x, centre.y), choices.get("numbered"),
        )  # fmt: skip

    def near(self, frame: gpd.GeoDataFrame, box: Any) -> gpd.GeoDataFrame:
        """Rows of a layer inside the frame, in the sheet's system."""
        if frame is None or not len(frame) or frame.crs is None:
            return gpd.GeoDataFrame({"id": []}, geometry=gpd.GeoSeries([], crs=self.crs))
        present = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
        moved = present.set_geometry(
            gpd.GeoSeries(
                _crs.transform(present.geometry.array, frame.crs, self.crs), index=present.index, crs=self.crs
            )
        )
        return moved[moved.geometry.intersects(box)]

    def hazard_ground(self, box: Any) -> Any:
        """Shapes of the task and of every hazard inside the frame: what furniture of the map must not cover."""
        return np.array([self.shape, *self.layer("hazards", box).geometry], dtype=object)

    def layer(self, name: str, box: Any) -> gpd.GeoDataFrame:
        """A record layer of the survey inside the frame."""
        return self.near(self.survey.layers.get(name), box)
