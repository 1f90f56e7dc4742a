"""`diagnose`: what is probably wrong with a layer's coordinates, by how many metres, and the option that reads it right.

For layers as a whole; it changes nothing, and where two readings fit it asks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geotools.model.arguments import array as numbers
from geotools.model.doors import checked
from geotools.model.errors import CRSError
from geotools.model.programme import Programme
from geotools.model.schema import Issue, issues_frame
from geotools.space.crs.finding import Finding, metres_text
from geotools.space.crs.readings import Reading, candidates
from geotools.space.crs.records import unshifted_records
from geotools.space.crs.systems import GEOD, WGS84, label, parse, require

Bounds = tuple[float, float, float, float]
_FIT = 0.9  # share of points that must fall where they should
_NEAR_M = 30.0  # closer to the reference layer than this is 'on it'


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor found.

    Parameters
    ----------
    findings
        Most serious first; empty if nothing is wrong as far as can be seen.
    question
        Set if two readings fit: what to ask the person who made the file.
    choices
        The options between which the question asks.
    checked
        What the coordinates could be held against, in words.
    points
        How many points were looked at.
    crs
        The system the layer says it has.
    issues
        The findings as an ISSUES table.

    Examples
    --------
    >>> swapped = gpd.GeoSeries(gpd.points_from_xy([39.60, 39.61], [47.14, 47.15]), crs=4326)
    >>> found = diagnose(swapped, extent=(44.7, 38.3, 51.0, 41.95))
    >>> found.healthy, found.points, found.option
    (False, 2, '--swap-xy')
    """

    findings: tuple[Finding, ...]
    question: str = ""
    choices: tuple[str, ...] = ()
    checked: str = ""
    points: int = 0
    crs: str = ""
    issues: Any = field(default_factory=issues_frame, compare=False, repr=False)

    @property
    def healthy(self) -> bool:
        """Whether nothing worse than a remark was found and there is nothing to ask."""
        return not self.question and all(item.severity == "info" for item in self.findings)

    @property
    def option(self) -> str:
        """The option that reads the layer right, if there is exactly one."""
        options = {item.option for item in self.findings if item.option and item.severity != "info"}
        return options.pop() if len(options) == 1 and not self.question else ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "crs": self.crs,
            "points": self.points,
            "healthy": self.healthy,
            "checked": self.checked,
            "findings": [item.to_dict() for item in self.findings],
            "question": self.question,
            "choices": list(self.choices),
            "option": self.option,
        }


@checked
def diagnose(
    data: Any,
    *,
    crs: Any = None,
    extent: Bounds | None = None,
    reference: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    programme: Programme | None = None,
) -> Diagnosis:
    """Look for the errors that misplace whole layers.

    Tested are: 0/0 coordinates; axes exchanged; a zone figure dropped from or left before Gauss-Krüger eastings;
    Gauss-Krüger read as UTM; the zone next door; degrees and minutes typed as decimals; degrees read as metres and the
    reverse; Pulkovo 1942 or ED50 read as WGS 84 (only against a reference layer: a hundred metres are not seen in an
    extent).

    Parameters
    ----------
    data
        A layer, or an array of (x, y).
    crs
        System of an array, or of a layer that has none.
    extent
        (west, south, east, north) in degrees WGS 84 where the data should lie; default: the programme's.
    reference
        A trusted layer of the same place, best with the same `id`; in any system.

    Raises
    ------
    CRSError
        If there is not a single coordinate.

    Examples
    --------
    >>> swapped = gpd.GeoSeries(gpd.points_from_xy([39.60, 39.61], [47.14, 47.15]), crs=4326)
    >>> found = diagnose(swapped, extent=(44.7, 38.3, 51.0, 41.95))
    >>> found.findings[0].fault, found.option
    ('swapped', '--swap-xy')
    """
    settings = programme or Programme()
    points, ids, stated = _points(data, crs)
    box = _frame_of(extent or settings.extent, reference)
    zero = (np.abs(points) < 1e-6).all(axis=1)
    findings: list[Finding] = []
    if zero.any():
        findings.append(_null_island(int(zero.sum()), len(points)))
    good = points[~zero]
    names = [ids[i] for i in np.flatnonzero(~zero)] if ids is not None else None
    question = ""
    choices: tuple[str, ...] = ()
    if len(good):
        context = _Context(good, names, stated, box, reference, settings)
        more, question, choices = _examine(context)
        findings += more
    if isinstance(data, gpd.GeoDataFrame) and reference is not None and stated is not None:
        findings += unshifted_records(data.set_crs(stated, allow_override=True), reference)
    order = {"error": 0, "warning": 1, "info": 2}
    findings.sort(key=lambda item: (order[item.severity], -(item.metres or 0.0)))
    issues = [Issue(item.code, item.severity, message=item.message, value=item.option, limit="") for item in findings]
    if question:
        issues.append(Issue("CR-03", "error", message=question, value=" | ".join(choices)))
    return Diagnosis(
        tuple(findings),
        question,
        choices,
        _checked(box, reference),
        len(points),
        label(stated) if stated is not None else "",
        issues_frame(issues),
    )


@dataclass(frozen=True)
class _Context:
    points: np.ndarray
    ids: list[str] | None
    crs: pyproj.CRS | None
    box: Bounds | None
    reference: Any
    programme: Programme


def _points(data: Any, crs: Any) -> tuple[np.ndarray, list[str] | None, pyproj.CRS | None]:
    ids = None
    if isinstance(data, gpd.GeoDataFrame | gpd.GeoSeries):
        stated = data.crs if data.crs is not None else crs
        array = np.asarray(data.geometry.array, dtype=object)
        points, owner = shapely.get_coordinates(array, return_index=True)
        if isinstance(data, gpd.GeoDataFrame) and "id" in data.columns:
            keys = data["id"].astype(str).to_numpy()
            ids = [keys[i] for i in owner]
    else:
        points = numbers(data, "the data")
        if points.ndim > 2 or points.size % 2:
            raise CRSError("the data are no pairs of coordinates", hint="give a layer, or an array of shape (n, 2)")
        stated, points = crs, points.reshape(-1, 2)
    finite = np.isfinite(points).all(axis=1)
    points = points[finite]
    if not len(points):
        raise CRSError("there is not a single coordinate to examine")
    if ids is not None:
        ids = [ids[i] for i in np.flatnonzero(finite)]
    return points, ids, None if stated is None else parse(stated)


def _frame_of(extent: Bounds | None, reference: Any) -> Bounds | None:
    if extent is not None:
        return extent
    if reference is None or not len(reference):
        return None
    box = shapely.total_bounds(np.asarray(reference.geometry.to_crs(WGS84).array, dtype=object))
    west, south, east, north = (float(v) for v in box)
    pad = max(0.2, 0.5 * max(east - west, north - south))
    return west - pad, south - pad, east + pad, north + pad


def _checked(box: Bounds | None, reference: Any) -> str:
    if reference is not None:
        return "the reference layer"
    return (
        "the extent"
        if box is not None
        else "nothing but the coordinates themselves: give an extent or a reference layer"
    )


def _null_island(count: int, total: int) -> Finding:
    return Finding(
        "CR-04",
        "error",
        "null-island",
        f"{count} of {total} points lie at 0, 0 in the Atlantic: an empty cell was read as zero",
        None,
        "--drop-zero",
        count,
    )


def _inside(lonlat: np.ndarray, box: Bounds | None) -> float:
    good = np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat[:, 0]) <= 180) & (np.abs(lonlat[:, 1]) <= 90)
    if box is not None:
        good &= (
            (lonlat[:, 0] >= box[0]) & (lonlat[:, 0] <= box[2]) & (lonlat[:, 1] >= box[1]) & (lonlat[:, 1] <= box[3])
        )
    return float(good.mean())


def _examine(context: _Context) -> tuple[list[Finding], str, tuple[str, ...]]:
    readings = candidates(context.points, context.crs, context.box)
    stated = next((item for item in readings if item.fault == ""), None)
    share = _inside(stated.lonlat, context.box) if stated is not None else 0.0
    if context.reference is not None:
        return _against(context, readings, stated)
    if stated is not None and share >= _FIT and context.box is not None:
        return _remarks(context, stated, share, readings)
    if context.box is None:
        return _alone(context, readings, stated, share)
    fitting = [item for item in readings if item.fault and _inside(item.lonlat, context.box) >= _FIT]
    return _choose(context, stated, share, _distinct(fitting))


def _remarks(
    context: _Context, stated: Reading, share: float, readings: list[Reading]
) -> tuple[list[Finding], str, tuple[str, ...]]:
    findings = []
    for item in readings:
        if (
            item.fault in ("gk-as-utm", "unshifted", "minutes")
            and item.usual
            and item.rank <= 3
            and _inside(item.lonlat, context.box) >= _FIT
        ):
            gap = _apart(stated.lonlat, item.lonlat)
            text = f"the extent cannot tell whether {_lower(item.title)} ({metres_text(gap)} away): a reference layer could"
            findings.append(Finding("CR-03", "info", item.fault, text, gap, item.option, len(context.points)))
    if share < 1:
        outside = round((1 - share) * len(context.points))
        findings.append(
            Finding(
                "CR-04",
                "warning",
                "outside",
                f"{outside} of {len(context.points)} points lie outside the extent",
                None,
                "",
                outside,
            )
        )
    minutes = _minutes(context.points, context.crs)
    if minutes is not None:
        findings = [item for item in findings if item.fault != "minutes"]
        return [*findings, minutes], "", ()
    return findings, "", ()


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _alone(
    context: _Context, readings: list[Reading], stated: Reading | None, share: float
) -> tuple[list[Finding], str, tuple[str, ...]]:
    """Without extent or reference: only what is impossible, or visible in the digits."""
    if stated is None:
        options = tuple(
            dict.fromkeys(item.option for item in readings if _inside(item.lonlat, None) >= _FIT and item.usual)
        )
        message = "the file does not say its reference system"
        only = options[0] if len(options) == 1 else ""
        message += f"; only {only} makes sense of it" if only else ""
        question = (
            f"which system are these coordinates in? {len(options)} readings are possible: {'; '.join(options)}"
            if len(options) > 1
            else ""
        )
        return (
            [Finding("CR-01", "error", "unknown-crs", message, None, only, len(context.points))],
            question,
            options if question else (),
        )
    usual = stated.usual and share >= _FIT
    if usual:
        minutes = _minutes(context.points, context.crs)
        return ([minutes] if minutes else []), "", ()
    fitting = [item for item in readings if item.fault and item.usual and _inside(item.lonlat, None) >= _FIT]
    return _choose(context, stated, share if stated.usual else 0.0, _distinct(fitting))


def _distinct(readings: list[Reading]) -> list[Reading]:
    """One reading per place: those within the accuracy of a datum operation of an earlier, simpler one are the same answer."""
    out: list[Reading] = []
    for item in readings:
        if all(_apart(item.lonlat, other.lonlat) > 1.0 for other in out):
            out.append(item)
    return out


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    good = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
    good &= (np.abs(one) <= [180, 90]).all(axis=1) & (np.abs(other) <= [180, 90]).all(axis=1)
    if not good.any():
        return math.inf
    _, _, gap = GEOD.inv(one[good, 0], one[good, 1], other[good, 0], other[good, 1])
    return float(np.median(gap))


def _choose(
    context: _Context, stated: Reading | None, share: float, fitting: list[Reading]
) -> tuple[list[Finding], str, tuple[str, ...]]:
    count = len(context.points)
    if not fitting:
        where = "outside the extent" if context.box is not None else "where the system is not used"
        if stated is None:
            return (
                [
                    Finding(
                        "CR-01",
                        "error",
                        "unknown-crs",
                        "the file does not say its reference system, and none that was tried fits",
                        None,
                        "",
                        count,
                    )
                ],
                "",
                (),
            )
        message = f"{round((1 - share) * count)} of {count} points lie {where}, and no usual mistake explains it"
        return [Finding("CR-04", "error", "outside", message, None, "", count)], "", ()
    best = min(item.rank for item in fitting)
    likely = [item for item in fitting if item.rank == best]
    findings = [_finding(item, stated, context) for item in likely]
    if len(likely) == 1:
        return findings, "", ()
    words = "; ".join(f"{item.option}: {item.title}" for item in likely)
    gap = max(_apart(likely[0].lonlat, item.lonlat) for item in likely[1:])
    question = f"these coordinates fit {len(likely)} readings, {metres_text(gap)} apart. Ask who made the file: {words}"
    return (
        [
            Finding("CR-03", "error", item.fault, item.message, item.metres, item.option, item.count)
            for item in findings
        ],
        question,
        tuple(i.option for i in likely),
    )


def _finding(item: Reading, stated: Reading | None, context: _Context) -> Finding:
    metres = None if stated is None else _apart(stated.lonlat, item.lonlat)
    metres = metres if metres is not None and math.isfinite(metres) else None
    away = "" if metres is None else f" As read, they lie {metres_text(metres)} from where they belong."
    code = "CR-01" if stated is None else "CR-04" if item.fault in ("swapped", "xy-swapped", "minutes") else "CR-01"
    unsaid = "the file does not say its reference system: " if stated is None else ""
    return Finding(code, "error", item.fault, f"{unsaid}{item.title}.{away}", metres, item.option, len(context.points))


def _minutes(points: np.ndarray, crs: pyproj.CRS | None) -> Finding | None:
    """Degrees and minutes typed as decimals: no fraction reaches .60, though the data are spread over more than that."""
    if crs is not None and not crs.is_geographic:
        return None
    distinct = np.unique(np.round(points, 7), axis=0)
    fraction = np.abs(distinct) % 1.0
    spread = np.ptp(distinct, axis=0) >= 1.0
    if len(distinct) < 12 or not spread.any() or (fraction[:, spread] >= 0.6).any():
        return None
    # a chance file: each fraction is below .60 with probability .6
    chance = 0.6 ** (len(distinct) * int(spread.sum()))
    if chance > 1e-3:
        return None
    message = "no decimal part reaches .60 in the whole file: degrees and minutes were probably typed as decimals (39.45 for 39°45')"
    metres = float(np.median(np.hypot(*((fraction / 0.6 - fraction) * [85_000.0, 111_000.0]).T)))
    return Finding(
        "CR-03",
        "warning",
        "minutes",
        f"{message}. Points would move by {metres_text(metres)}",
        metres,
        "--degrees-minutes",
        len(points),
    )


def _against(
    context: _Context, readings: list[Reading], stated: Reading | None
) -> tuple[list[Finding], str, tuple[str, ...]]:
    """With a reference layer: the reading whose points lie on it."""
    target = _reference_points(context.reference)
    measured = [(item, _distance(item.lonlat, context.ids, target)) for item in readings]
    own = next((gap for item, gap in measured if item.fault == ""), math.inf)
    near = sorted(
        (pair for pair in measured if pair[1] <= max(_NEAR_M, 0.2 * own)), key=lambda pair: (pair[1], pair[0].rank)
    )
    if own <= _NEAR_M and (not near or near[0][0].fault == "" or near[0][1] > 0.2 * own or own < 5):
        return [], "", ()
    better = [(item, gap) for item, gap in near if item.fault and gap <= _NEAR_M]
    if not better:
        if math.isfinite(own) and stated is not None and _inside(stated.lonlat, context.box) >= _FIT:
            body = _to_body(stated.lonlat, context.reference)
            if body <= _NEAR_M:
                return [], "", ()
            note = f"the points lie {metres_text(body)} from the reference layer, and no usual mistake explains it: is it the same place?"
            return [Finding("CR-04", "warning", "outside", note, body, "", len(context.points))], "", ()
        fitting = [
            item
            for item in readings
            if item.fault and context.box is not None and _inside(item.lonlat, context.box) >= _FIT
        ]
        return _choose(context, stated, 0.0, _distinct(fitting))
    # readings within the accuracy of datum operations of the best one are equally good: the simplest is named
    best = better[0][1]
    likely = min((pair for pair in better if pair[1] <= best + 6.0), key=lambda pair: (pair[0].rank, pair[1]))
    found = _finding(likely[0], stated, context)
    before = f"{metres_text(own)} become " if math.isfinite(own) else "they then lie within "
    text = f"{found.message} Against the reference layer, {before}{likely[1]:.0f} m"
    return [Finding(found.code, "error", found.fault, text, found.metres, found.option, found.count)], "", ()


def _reference_points(reference: Any) -> tuple[np.ndarray, list[str] | None]:
    require(reference, "reference layer")
    moved = reference.geometry.to_crs(WGS84)
    points, owner = shapely.get_coordinates(np.asarray(moved.array, dtype=object), return_index=True)
    there = np.isfinite(points).all(axis=1)
    points, owner = points[there], owner[there]
    if not len(points):
        raise CRSError("the reference layer has no coordinates")
    if isinstance(reference, gpd.GeoDataFrame) and "id" in reference.columns:
        keys = reference["id"].astype(str).to_numpy()
        return points, [keys[i] for i in owner]
    return points, None


def _distance(lonlat: np.ndarray, ids: list[str] | None, target: tuple[np.ndarray, list[str] | None]) -> float:
    """Median distance in metres to the reference: by id where both have it, else to the nearest vertex."""
    good = np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat) <= [180, 90]).all(axis=1)
    if good.mean() < _FIT:
        return math.inf
    points, keys = target
    if ids is not None and keys is not None:
        here, there = _middles(lonlat, ids), _middles(points, keys)
        common = sorted(set(here) & set(there))
        if common:
            a, b = np.array([here[name] for name in common]), np.array([there[name] for name in common])
            return float(np.median(GEOD.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2]))
    from scipy.spatial import cKDTree

    middle = math.cos(math.radians(float(np.median(points[:, 1]))))
    tree = cKDTree(points * [middle, 1.0])
    nearest = tree.query(lonlat[good] * [middle, 1.0])[1]
    there_xy = points[nearest]
    return float(np.median(GEOD.inv(lonlat[good, 0], lonlat[good, 1], there_xy[:, 0], there_xy[:, 1])[2]))


def _to_body(lonlat: np.ndarray, reference: Any) -> float:
    """Median distance in metres to the reference as drawn: nothing inside an area of it."""
    good = lonlat[np.isfinite(lonlat).all(axis=1)]
    scale = np.array([math.cos(math.radians(float(np.median(good[:, 1])))), 1.0]) * 111_200.0
    bodies = np.asarray(reference.geometry.to_crs(WGS84).array, dtype=object)
    bodies = shapely.transform(bodies[~(shapely.is_missing(bodies) | shapely.is_empty(bodies))], lambda xy: xy * scale)
    _, metres = shapely.STRtree(bodies).query_nearest(
        shapely.points(good * scale), return_distance=True, all_matches=False
    )
    return float(np.median(metres))


def _middles(points: np.ndarray, ids: list[str]) -> dict[str, np.ndarray]:
    keys, owner = np.unique(np.asarray(ids, dtype=object).astype(str), return_inverse=True)
    count = np.bincount(owner)
    return {
        str(name): np.array([np.bincount(owner, points[:, k])[i] / count[i] for k in (0, 1)])
        for i, name in enumerate(keys)
    }
