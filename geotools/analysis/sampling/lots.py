"""What the inspection found: accept, reject or finish a lot, and which ground must be inspected again.

For decisions by the plan's own rule; a lot that is accepted is not thereby shown to hold nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.sampling.plans import SamplePlan
from geotools.analysis.sampling.sizes import AcceptZero, worst_miss
from geotools.model import arguments
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs

BAD = frozenset({"critical", "major"})


@dataclass(frozen=True)
class LotDecision:
    """Outcome of one lot.

    Parameters
    ----------
    status
        ``rejected`` (something was found), ``incomplete`` (cells are missing) or ``accepted`` (by this plan's rule only).
    cells
        The plan's cells with `inspected`, `failed` and `sample_id`.
    again
        Ground to inspect (again), with `area_m2`: the whole lot if rejected, the missing cells if incomplete, else nothing.
    shown
        Confidence reached with the cells really inspected; None for rules that promise none.

    Examples
    --------
    >>> from geotools.analysis.sampling import AcceptZero, plan
    >>> lot = gpd.GeoSeries([shapely.box(700000, 4380000, 700010, 4380010)], crs="EPSG:32638")
    >>> drawn = plan(lot, AcceptZero(5, 0.9))
    >>> found = judge(drawn, drawn.cells[["id", "geometry"]].assign(result=["failed"] + ["passed"] * (drawn.sample - 1)))
    >>> found.status, found.to_dict()["failed"], round(found.to_dict()["again_m2"])
    ('rejected', 1, 100)
    """

    status: str
    reason: str
    cells: gpd.GeoDataFrame
    again: gpd.GeoDataFrame
    shown: float | None
    issues: gpd.GeoDataFrame

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "status": self.status, "reason": self.reason, "cells": len(self.cells), "inspected": int(self.cells["inspected"].sum()),
            "failed": int(self.cells["failed"].sum()), "again_m2": float(self.again["area_m2"].sum()), "confidence_shown": self.shown,
        }  # fmt: skip


def judge(plan: SamplePlan, samples: gpd.GeoDataFrame, *, required_depth_cm: float | None = None) -> LotDecision:
    """Apply the results of an inspection to its plan.

    A failed result, or a critical or major non-conformity, anywhere in the lot rejects the whole lot. A cell counts as inspected
    if it has a passed or failed result and, where `required_depth_cm` is given, was inspected at least that deep.

    Parameters
    ----------
    samples
        Kind ``samples``: `id` of a cell, or a geometry (any CRS) inside it; `result`, `nonconformity`, `depth_cm`.

    Examples
    --------
    >>> from geotools.analysis.sampling import AcceptZero, plan
    >>> lot = gpd.GeoSeries([shapely.box(700000, 4380000, 700010, 4380010)], crs="EPSG:32638")
    >>> drawn = plan(lot, AcceptZero(5, 0.9))
    >>> results = drawn.cells[["id", "geometry"]].assign(result="passed")
    >>> judge(drawn, results).status, judge(drawn, results.iloc[1:]).status
    ('accepted', 'incomplete')
    """
    arguments.instance(plan, "the plan", SamplePlan, hint="the result of sampling.plan")
    arguments.columns(samples, "the samples")
    if required_depth_cm is not None:
        required_depth_cm = arguments.number(required_depth_cm, "required_depth_cm", least=0)
    issues: list[Issue] = []
    rows = _rows(plan, samples)
    shallow = pd.Series(False, index=rows.index)
    if required_depth_cm is not None:
        shallow = ~(rows["depth_cm"] >= required_depth_cm)
        for row in rows[shallow & ~rows["failed"]].itertuples():
            issues.append(
                Issue(
                    "SM-02",
                    "warning",
                    "samples",
                    str(row.id),
                    "depth_cm",
                    "inspected less deep than required (or depth unknown): does not count",
                    row.depth_cm,
                    required_depth_cm,
                )
            )
    for row in rows[rows["cell"] == ""].itertuples():
        issues.append(
            Issue(
                "SM-01",
                "info",
                "samples",
                str(row.id),
                message="this inspection is in no cell of the plan: only a failure counts",
            )
        )
    done = set(rows.loc[rows["done"] & ~shallow, "cell"]) - {""}
    failed = set(rows.loc[rows["failed"], "cell"]) - {""}
    cells = plan.cells.copy()
    cells["inspected"] = cells["id"].isin(done | failed)
    cells["failed"] = cells["id"].isin(failed)
    first = rows[rows["cell"] != ""].drop_duplicates("cell").set_index("cell")["id"]
    cells["sample_id"] = [str(first.get(i, "")) for i in cells["id"]]
    status, reason, again = _verdict(plan, cells, int(rows["failed"].sum()))
    return LotDecision(status, reason, cells, again, _shown(plan, cells), issues_frame(issues))


def _rows(plan: SamplePlan, samples: gpd.GeoDataFrame) -> pd.DataFrame:
    def text(name: str) -> pd.Series:
        return (
            samples[name].astype(object).where(samples[name].notna(), "").astype(str)
            if name in samples
            else pd.Series("", index=samples.index)
        )

    depth = pd.to_numeric(samples["depth_cm"], errors="coerce") if "depth_cm" in samples else np.nan
    out = pd.DataFrame(
        {"id": text("id"), "result": text("result"), "nonconformity": text("nonconformity"), "depth_cm": depth},
        index=samples.index,
    )
    out["failed"] = (out["result"] == "failed") | out["nonconformity"].isin(BAD)
    out["cell"] = _cell_of(plan, samples, out["id"].tolist())
    out["done"] = out["result"].isin(["passed", "failed"])
    return out.sort_values(["failed", "id"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _cell_of(plan: SamplePlan, samples: gpd.GeoDataFrame, ids: list[str]) -> list[str]:
    known = set(plan.cells["id"])
    out = [i if i in known else "" for i in ids]
    if isinstance(samples, gpd.GeoDataFrame) and samples.active_geometry_name is not None and samples.crs is not None:
        shapes = np.asarray(samples.geometry.array, dtype=object).copy()
        shapes[~arguments.placed(samples)] = None
        places = _crs.transform(shapes, samples.crs, _crs.WGS84)
        tree = shapely.STRtree(plan.cells.geometry.array)
        for row, place in enumerate(places):
            if not out[row] and place is not None and not place.is_empty:
                hit = tree.query(shapely.point_on_surface(place), predicate="intersects")
                out[row] = str(plan.cells["id"].iloc[int(hit.min())]) if len(hit) else ""
    return out


def _verdict(plan: SamplePlan, cells: gpd.GeoDataFrame, failures: int) -> tuple[str, str, gpd.GeoDataFrame]:
    missing = cells[~cells["inspected"]]
    if failures:
        lot = gpd.GeoDataFrame({"id": ["lot"], "area_m2": [plan.area_m2]}, geometry=[plan.outline], crs=_crs.WGS84)
        return (
            "rejected",
            f"{failures} inspection(s) failed: the whole lot is to be searched again and inspected anew, with the cause found",
            lot,
        )
    if len(missing):
        return (
            "incomplete",
            f"{len(missing)} of {len(cells)} chosen cells are not inspected as required",
            missing[["id", "area_m2", "geometry"]].copy(),
        )
    text = "accepted under this plan's rule: nothing was found in the sample, which does not show that nothing remains"
    return "accepted", text, missing[["id", "area_m2", "geometry"]].copy()


def _shown(plan: SamplePlan, cells: gpd.GeoDataFrame) -> float | None:
    if not isinstance(plan.rule, AcceptZero) or plan.shown is None:
        return None
    counts = cells[cells["inspected"]].groupby("stratum").size()
    done = [int(counts.get(s, 0)) for s in plan.strata["stratum"]]
    if done == plan.strata["sample"].tolist():
        return plan.shown
    return 1 - worst_miss(
        plan.strata["units"].tolist(), done, min(plan.held, plan.units), sensitivity=plan.rule.sensitivity
    )
