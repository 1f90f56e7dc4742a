"""`solve`: legs and a known start to points, a polygon, its closure and its accuracy.

The way through the room; each step is its own file.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.model.doors import checked
from geotools.model.errors import TraverseError
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs
from geotools.space import declination as _north
from geotools.space import measure
from geotools.space.traverse import adjusting, figure, network
from geotools.space.traverse.fit import HelmertFit, fit_points
from geotools.space.traverse.legs import read_legs
from geotools.space.traverse.settings import Start, TraverseOptions, known_point, known_points


@dataclass(frozen=True)
class Misclosure:
    """How far the last leg misses the point it should reach.

    Parameters
    ----------
    measured
        Whether any leg closes a loop; if not, nothing checks the bearings and distances.
    dx_m, dy_m, distance_m
        Computed minus known, on the grid.
    length_m
        Length of the loop.

    Examples
    --------
    >>> missed = Misclosure(True, 0.3, -0.4, 0.5, 341.4)
    >>> round(missed.ratio), Misclosure(False).ratio is None
    (683, True)
    """

    measured: bool
    dx_m: float = 0.0
    dy_m: float = 0.0
    distance_m: float = 0.0
    length_m: float = 0.0

    @property
    def ratio(self) -> float | None:
        """Length over misclosure: 100 stands for 1:100; None if there is no closing leg or no misclosure."""
        return self.length_m / self.distance_m if self.measured and self.distance_m > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        ratio = self.ratio
        return {
            "measured": self.measured,
            "dx_m": round(self.dx_m, 3),
            "dy_m": round(self.dy_m, 3),
            "distance_m": round(self.distance_m, 3),
            "length_m": round(self.length_m, 2),
            "ratio": None if ratio is None else round(ratio),
        }


@dataclass(frozen=True)
class Traverse:
    """A computed traverse.

    Parameters
    ----------
    polygon
        Adjusted corners as a polygon in `crs`, or None if there are fewer than three.
    points
        Raw positions: ``id, point_type, x_m, y_m, geometry``.
    adjusted
        Adjusted positions: as `points`, with ``moved_m``, error ellipse ``sigma_major_m, sigma_minor_m, sigma_bearing_deg``
        (1 sigma) and ``h_acc_m`` (mean deviation per axis); relative to the start if its own accuracy is not known.
    corners
        Names of the polygon's points in order.
    area_m2, area_sigma_m2
        On the ellipsoid, and its standard deviation from the errors of the legs.
    correction_deg
        Added to magnetic bearings to reach the grid, on average; None if there were none.
    fit
        Onto independent GNSS fixes, where at least two were given.
    start_h_acc_m
        Accuracy assumed of a start that states none (the programme's default); already in `adjusted` otherwise, and then 0.
    issues
        ISSUES table (SV-02 closure, SV-03 fixes, SV-05 long sides, SV-06 accuracy, GC-01, GC-02 shape).

    Examples
    --------
    >>> sheet = pd.DataFrame({"from": ["SP", "TP1", "TP2"], "to": ["TP1", "TP2", "SP"], "bearing": [90, 180, 315],
    ...                       "distance": [100, 100, 141.42]})

    >>> done = solve(sheet, (45.0, 40.0), north="grid")
    >>> done.adjusted["id"].tolist(), round(done.area_m2), done.misclosure.measured
    (['SP', 'TP1', 'TP2'], 5000, True)
    >>> done.to_frame("H-1").crs.to_epsg()
    4326
    """

    polygon: Any
    points: gpd.GeoDataFrame
    adjusted: gpd.GeoDataFrame
    corners: tuple[str, ...]
    misclosure: Misclosure
    area_m2: float
    area_sigma_m2: float
    correction_deg: float | None
    method: str
    fit: HelmertFit | None
    issues: gpd.GeoDataFrame
    crs: Any
    start_h_acc_m: float = 0.0

    @property
    def plane_area_m2(self) -> float:
        """Area on the grid, for comparison with sheets computed by hand; report `area_m2`."""
        return 0.0 if self.polygon is None else float(self.polygon.area)

    @property
    def perimeter_m(self) -> float:
        """Length of the boundary on the grid."""
        return 0.0 if self.polygon is None else float(self.polygon.length)

    def to_frame(self, id: str = "traverse", *, fitted: bool = False) -> gpd.GeoDataFrame:
        """The polygon as one row in WGS 84, moved onto the GNSS fixes if `fitted`.

        Raises
        ------
        TraverseError
            If there is no polygon, or no fit.
        """
        if self.polygon is None:
            raise TraverseError("the legs give no polygon", hint="fewer than three corner points")
        shape = self.polygon
        if fitted:
            if self.fit is None:
                raise TraverseError(
                    "there are no fixes to fit to", hint="give at least two GNSS fixes on points of the traverse"
                )
            shape = shapely.transform(shape, self.fit.apply)
        moved = _crs.transform([shape], self.crs, _crs.WGS84)
        row = {
            "id": [id],
            "area_m2": [measure.area(moved[0])],
            "area_sigma_m2": [self.area_sigma_m2],
            "h_acc_m": [math.hypot(float(self.adjusted["h_acc_m"].max()), self.start_h_acc_m)],
            "misclosure_m": [self.misclosure.distance_m if self.misclosure.measured else np.nan],
            "source_crs": [_crs.label(self.crs)],
            "method": [self.method + (", fitted to GNSS fixes" if fitted else "")],
        }
        return gpd.GeoDataFrame(row, geometry=gpd.GeoSeries(moved, crs=_crs.WGS84))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "points": len(self.points),
            "corners": list(self.corners),
            "crs": _crs.label(self.crs),
            "method": self.method,
            "north_correction_deg": None if self.correction_deg is None else round(self.correction_deg, 4),
            "misclosure": self.misclosure.to_dict(),
            "area_m2": round(self.area_m2, 2),
            "area_sigma_m2": round(self.area_sigma_m2, 2),
            "perimeter_m": round(self.perimeter_m, 2),
            "fit": None if self.fit is None else self.fit.to_dict(),
            "issues": [
                {k: row[k] for k in ("check", "severity", "id", "message")} for row in self.issues.to_dict("records")
            ],
        }


@checked
def solve(
    legs: pd.DataFrame,
    start: Any,
    *,
    north: str | None = None,
    date: dt.date | None = None,
    fixes: Any = None,
    options: TraverseOptions | None = None,
) -> Traverse:
    """Compute a traverse from a known point.

    A wrong north still closes: so north must be declared, and only independent fixes on other points can check it.

    Parameters
    ----------
    legs
        Table of record kind *legs* (see `read_legs`); legs may be walked either way and branch to offset points.
    start
        (longitude, latitude), a shapely point, a `Position`, a one-row layer, or `Start`; the first leg starts there
        unless `Start` names another point.
    north
        ``true``, ``grid`` or ``magnetic``, where the legs do not say.
    date
        Day of the magnetic bearings, where the legs do not say.
    fixes
        Independent GNSS fixes: a layer whose ``id`` are point names, or {name: (longitude, latitude)}.

    Raises
    ------
    TraverseError
        If north is not declared, a leg cannot be used, or the legs hang on nothing.

    Examples
    --------
    >>> sheet = pd.DataFrame({"from": ["SP", "TP1", "TP2"], "to": ["TP1", "TP2", "SP"], "bearing": [90, 180, 315],
    ...                       "distance": [100, 100, 141.42]})
    >>> done = solve(sheet, (45.0, 40.0), north="grid")
    >>> round(done.area_m2), done.misclosure.distance_m < 0.01, done.corners
    (5000, True, ('SP', 'TP1', 'TP2'))
    """
    settings = options or TraverseOptions()
    read = read_legs(legs, north=north, unit=settings.unit)
    begin = known_point(start, settings.crs)
    if not begin.name:
        begin = replace(begin, name=read[0].start)
    plane = settings.plane(begin)
    turner = network.Turner(plane, settings, date)
    net = network.build(read, (begin.name, *_grid(begin, plane)), turner)
    found = adjusting.loops(net)
    weight = adjusting.weights(net, found, settings.adjust)
    xy = adjusting.adjusted(net, weight)
    spread = adjusting.covariance(net, weight, xy, begin.h_acc_m or 0.0)
    kinds = figure.types(net)
    frames = _frames(net, xy, spread, kinds, plane)
    place = dict(zip(net.names, xy, strict=True))
    named = figure.corners(net, found[0] if found else None, kinds)
    area_names = figure.without_intermediate(
        named, kinds, place, dict(zip(frames[1]["id"], frames[1]["h_acc_m"], strict=True))
    )
    issues = figure.shape_issues(named, place, kinds, settings.programme.limit("turning_point_gap_m"))
    solid = len(area_names) >= 3 and not any(issue.check == "GC-02" for issue in issues)
    polygon = shapely.Polygon([place[name] for name in area_names]) if solid else None
    closure = _closure(found)
    fit, fit_issues = _fit(begin, known_points(fixes, settings.crs), (net, place, plane), date, settings)
    issues = [
        *_closure_issues(closure, settings, net, found),
        *fit_issues,
        *_accuracy_issues(frames[1], begin, settings),
        *issues,
    ]
    rows = [net.names.index(name) for name in area_names]
    return Traverse(
        polygon=polygon,
        points=frames[0],
        adjusted=frames[1],
        corners=tuple(area_names) if solid else (),
        misclosure=closure,
        area_m2=0.0 if polygon is None else float(measure.area(_crs.transform([polygon], plane, _crs.WGS84)[0])),
        area_sigma_m2=adjusting.area_sigma(spread, xy, rows) if solid else 0.0,
        correction_deg=net.correction_deg,
        method=settings.adjust if found else "not adjusted: no closing leg",
        fit=fit,
        issues=issues_frame(issues),
        crs=plane,
        start_h_acc_m=settings.programme.limit("h_acc_default_m") if begin.h_acc_m is None else 0.0,
    )


def _grid(point: Start, plane: Any) -> tuple[float, float]:
    moved = _crs.transform([shapely.Point(point.x, point.y)], point.crs, plane)[0]
    return float(moved.x), float(moved.y)


def _frames(
    net: network.Network, xy: np.ndarray, spread: np.ndarray, kinds: dict[str, str], plane: Any
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    base = {"id": list(net.names), "point_type": [kinds[name] for name in net.names]}
    raw = gpd.GeoDataFrame(
        {**base, "x_m": net.xy[:, 0], "y_m": net.xy[:, 1]}, geometry=gpd.points_from_xy(*net.xy.T), crs=plane
    )
    shapes = np.array([adjusting.ellipse(spread[i, :, i, :]) for i in range(len(net.names))])
    done = gpd.GeoDataFrame(
        {
            **base,
            "x_m": xy[:, 0],
            "y_m": xy[:, 1],
            "moved_m": np.hypot(*(xy - net.xy).T),
            "sigma_major_m": shapes[:, 0],
            "sigma_minor_m": shapes[:, 1],
            "sigma_bearing_deg": shapes[:, 2],
            "h_acc_m": shapes[:, 3],
        },
        geometry=gpd.points_from_xy(*xy.T),
        crs=plane,
    )
    return raw, done


def _closure(found: tuple[adjusting.Loop, ...]) -> Misclosure:
    if not found:
        return Misclosure(False)
    loop = max(found, key=lambda item: math.hypot(item.dx, item.dy) / item.length_m)
    return Misclosure(True, float(loop.dx), float(loop.dy), math.hypot(loop.dx, loop.dy), loop.length_m)


def _closure_issues(
    closure: Misclosure, options: TraverseOptions, net: network.Network, found: tuple[adjusting.Loop, ...]
) -> list[Issue]:
    if not closure.measured:
        message = "the leg back to the start was not measured: nothing checks these bearings and distances"
        return [Issue("SV-02", "warning", "legs", message=message)]
    warn, error, floor = options.tolerances()
    ratio = closure.ratio
    if ratio is None or closure.distance_m <= floor or ratio >= warn:
        return []
    severity, limit = ("error", error) if ratio < error else ("warning", warn)
    message = f"the traverse misses its closing point by {closure.distance_m:.2f} m in {closure.length_m:.0f} m (1:{ratio:.0f}){_suspect(closure, net, found)}"
    return [Issue("SV-02", severity, "legs", message=message, value=f"1:{ratio:.0f}", limit=f"1:{limit:g}")]


def _suspect(closure: Misclosure, net: network.Network, found: tuple[adjusting.Loop, ...]) -> str:
    """The one leg along which the misclosure points: a distance misread there would explain it."""
    if len(found) != 1:
        return ""
    along = []
    for index, sign in found[0].walked:
        vector = net.vectors[index]
        length = math.hypot(vector.dx, vector.dy)
        part = sign * (vector.dx * closure.dx_m + vector.dy * closure.dy_m) / (length * closure.distance_m)
        if abs(part) > math.cos(math.radians(5.0)):
            along.append((vector.leg, math.copysign(closure.distance_m, part)))
    if len(along) != 1:
        return ""
    leg, excess = along[0]
    return f"; one distance {abs(excess):.0f} m too {'long' if excess > 0 else 'short'} in leg {leg.start} → {leg.end} would explain it: measure it again"


def _accuracy_issues(frame: gpd.GeoDataFrame, begin: Start, options: TraverseOptions) -> list[Issue]:
    limit = options.programme.limit("h_acc_max_m")
    if begin.h_acc_m is not None and begin.h_acc_m > limit:
        message = f"the start {begin.name} is only good to {begin.h_acc_m:.1f} m, and so is the whole figure"
        return [
            Issue("SV-06", "warning", "legs", begin.name, "h_acc_m", message, f"{begin.h_acc_m:.1f} m", f"{limit:g} m")
        ]
    return [
        Issue(
            "SV-06",
            "warning",
            "legs",
            row["id"],
            "h_acc_m",
            f"{row['id']} is only good to {row['h_acc_m']:.1f} m",
            f"{row['h_acc_m']:.1f} m",
            f"{limit:g} m",
        )
        for row in frame.to_dict("records")
        if row["h_acc_m"] > limit
    ]


def _fit(
    begin: Start,
    fixes: dict[str, Start],
    computed: tuple[network.Network, dict[str, np.ndarray], Any],
    date: dt.date | None,
    options: TraverseOptions,
) -> tuple[HelmertFit | None, list[Issue]]:
    net, place, plane = computed
    stray = sorted(set(fixes) - set(place))
    issues = [
        Issue(
            "SV-03",
            "warning",
            "legs",
            name,
            message=f"the fix '{name}' is on no point of the traverse: it was not used",
            value=name,
        )
        for name in stray
    ]
    measured = {name: _grid(point, plane) for name, point in {begin.name: begin, **fixes}.items() if name in place}
    if len(measured) < 2:
        message = "fewer than two independent fixes: a wrong north cannot be seen, since it does not change the closure"
        return None, [*issues, Issue("SV-03", "warning", "legs", message=message, value=len(measured), limit=2)]
    fit = fit_points({name: (float(xy[0]), float(xy[1])) for name, xy in place.items()}, measured)
    limit = options.programme.limit("rotation_warn_deg")
    if abs(fit.rotation_deg) > limit:
        why = _why(fit.rotation_deg, net, begin, plane, date or _first_date(net))
        message = f"the fixes turn the figure by {fit.rotation_deg:+.2f}°: {why}"
        issues.append(
            Issue("SV-03", "warning", "legs", message=message, value=f"{fit.rotation_deg:+.3f}°", limit=f"{limit:g}°")
        )
    if abs(fit.scale - 1) > 0.02:
        message = (
            f"the fixes stretch the figure by {fit.scale:.4f}: is the tape worn, or were slope distances not reduced?"
        )
        issues.append(Issue("SV-03", "warning", "legs", message=message, value=f"{fit.scale:.4f}", limit="0.98…1.02"))
    return fit, issues


def _first_date(net: network.Network) -> dt.date | None:
    return next((vector.leg.date for vector in net.vectors if vector.leg.date), None)


def _why(rotation: float, net: network.Network, begin: Start, plane: Any, date: dt.date | None) -> str:
    """What a rotation of this size probably comes from."""
    lon, lat = _crs.transformer(_crs.code_or_wkt(plane), "EPSG:4326").transform(*_grid(begin, plane))
    gamma = _north.convergence_deg(lon, lat, plane)
    norths = {vector.leg.north for vector in net.vectors}
    candidates: list[tuple[float, str]] = []
    try:
        declination = _north.declination_deg(lat, lon, date=date or dt.date(2026, 1, 1))
    except TraverseError:
        declination = math.nan
    if norths == {"magnetic"} and net.correction_deg is not None:
        candidates += [
            (
                -net.correction_deg,
                "the declination was probably applied twice: the bearings seem to be grid bearings already",
            )
        ]
        if abs(net.correction_deg - (declination - gamma)) > 0.5:
            candidates.append(
                (declination - gamma - net.correction_deg, "declination probably not applied, or a wrong one was")
            )
    elif norths == {"grid"}:
        candidates += [(declination - gamma, "declination probably not applied: the bearings seem to be magnetic")]
    elif norths == {"true"}:
        candidates += [(declination, "declination probably not applied: the bearings seem to be magnetic")]
    fitting = [(abs(rotation - value), text) for value, text in candidates if abs(rotation - value) <= 1.5]
    return min(fitting)[1] if fitting else "the north, the declination or the unit of the bearings is probably wrong"
