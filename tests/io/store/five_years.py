"""Five years of a programme, week by week: four organisations send what they have, with the faults that such files have.

A simulator for the long run (synthetic throughout); it knows nothing of the store. Every week brings per organisation a table
of releases, and now and then hazards, corrections, deletions and reopenings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

CRS = "EPSG:32638"
X, Y = 683_000.0, 4_385_000.0
SIDE, CELL = 120.0, 20.0
WEEKS = 260
START = pd.Timestamp("2021-01-03")  # a Sunday: weeks are known on their Sunday evening
ORGANISATIONS = ("Milli agentlik (sintetik)", "Unit 1 (synthetic)", "Birlik 2 (sentetik)", "НПО (синтетика)")
PRODUCTS = (
    ("cleared", "manual"),
    ("cleared", "mdd"),
    ("reduced", "ts"),
    ("cancelled", "nts"),
    ("cleared", "mechanical"),
)


def day(week):
    """The Sunday that ends a week."""
    return START + pd.Timedelta(weeks=week)


@dataclass
class Years:
    """The simulated world: what was released so far, and what waits to be sent again."""

    seed: int = 0
    hazards: int = 0
    sent: list[dict] = field(default_factory=list)
    waiting: list[list[dict]] = field(default_factory=lambda: [[] for _ in ORGANISATIONS])
    events: int = 0

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)

    def ground(self, hazard):
        """Outline of a hazard: squares in rows, some neighbours sharing ground."""
        x, y = X + hazard % 6 * SIDE * 0.98, Y + hazard // 6 * SIDE * 1.1
        return shapely.box(x, y, x + SIDE, y + SIDE)

    def new_hazards(self, week):
        """Hazards recorded in a week: many at first, few later."""
        count = 12 if week == 0 else int(self.rng.random() < 0.06)
        rows = []
        for _ in range(count):
            rows.append(
                {
                    "id": f"DG-{self.hazards:03}", "guid": f"{self.hazards:032x}", "classification": self.rng.choice(["SHA", "CHA"]), "status": "open",
                    "contamination": "ap", "date_info": day(week) - pd.Timedelta(days=int(self.rng.integers(0, 20))),
                    "organisation": ORGANISATIONS[self.hazards % 4], "name": f"Sahə {self.hazards}", "note": None, "geometry": self.ground(self.hazards),
                }
            )  # fmt: skip
            self.hazards += 1
        return _frame(rows) if rows else None

    def returns(self, week, organisation):
        """What an organisation sends in a week: releases in its own habit of system and dates, faults included."""
        rng = self.rng
        rows = self.waiting[organisation]
        self.waiting[organisation] = []
        for _ in range(int(rng.poisson(0.45))):
            rows.append(self._release(week, organisation))
        if self.sent and rng.random() < 0.10:  # the same file again, or a row under a second id
            again = dict(self.sent[int(rng.integers(len(self.sent)))])
            rows.append(again if rng.random() < 0.5 else {**again, "id": f"{again['id']}-bis"})
        if self.sent and rng.random() < 0.06:  # a correction: another day, another depth, a moved corner
            old = dict(self.sent[int(rng.integers(len(self.sent)))])
            moved = shapely.affinity.translate(old["geometry"], float(rng.normal(0, 1.5)), float(rng.normal(0, 1.5)))
            rows.append({**old, "depth_cm": 20.0, "date": old["date"] - pd.Timedelta(days=3), "geometry": moved})
        rows = list({row["id"]: row for row in rows}.values())
        for row in rows:
            if rng.random() < 0.02:
                self.waiting[organisation].append(dict(row))  # refused this week, sent again in the next with an id
                row["id"] = None
        return _frame(rows) if rows else None

    def _release(self, week, organisation):
        rng = self.rng
        hazard = int(rng.integers(max(1, self.hazards)))
        x, y, _, _ = self.ground(hazard).bounds
        column, row = rng.integers(-1, 6, 2)  # now and then over the edge of the hazard
        wide, high = rng.integers(1, 3, 2)
        shape = shapely.box(x + column * CELL, y + row * CELL, x + (column + wide) * CELL, y + (row + high) * CELL)
        if rng.random() < 0.03:  # a ring that crosses itself
            west, south, east, north = shape.bounds
            shape = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
        product, method = PRODUCTS[int(rng.choice(5, p=[0.4, 0.15, 0.2, 0.15, 0.1]))]
        number = len(self.sent)
        made = {
            "id": f"{'ABCD'[organisation]}-{number:04}", "guid": f"{1000 + number:032x}", "hazard_id": f"DG-{hazard:03}", "product": product, "method": method,
            "date": day(week) - pd.Timedelta(days=int(rng.integers(0, 6) if rng.random() < 0.8 else rng.integers(6, 60))),
            "depth_cm": None if rng.random() < 0.1 else 20.0, "organisation": ORGANISATIONS[organisation], "note": "ə" if rng.random() < 0.1 else None,
            "geometry": shape,
        }  # fmt: skip
        if rng.random() < 0.02:
            made["date"] = pd.NaT
        self.sent.append(made)
        return made

    def reopening(self, week):
        """A find on released ground makes part of a hazard hazardous again."""
        if self.rng.random() > 0.03 or week < 40:
            return None
        hazard = int(self.rng.integers(self.hazards))
        x, y, _, _ = self.ground(hazard).bounds
        self.events += 1
        shape = shapely.box(x + CELL, y + CELL, x + 3 * CELL, y + 3 * CELL)
        return _frame(
            [
                {
                    "id": f"E-{self.events:03}",
                    "event": "reopened",
                    "hazard_id": f"DG-{hazard:03}",
                    "date": day(week),
                    "geometry": shape,
                }
            ]
        )


def _frame(rows):
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)
