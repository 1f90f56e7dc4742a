"""Seeded tracks with known truth: strokes, lanes, position errors, dropouts, spikes, planted omissions.

Independent of the engine: truth is boxes and strips made here, errors come from three families (Ornstein-Uhlenbeck, a
random-walk bias with heavy tails, white noise). All data are synthetic.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

LOCAL = pyproj.CRS.from_proj4("+proj=laea +lat_0=39.6 +lon_0=47.15 +datum=WGS84 +units=m +no_defs")
DAY = pd.Timestamp("2026-05-04T06:00:00Z")


def along(line, *, speed=0.7, hz=10.0):
    """Positions at constant speed along a polyline, both ends included: shape (n, 2)."""
    line = np.asarray(line, dtype=float)
    step = np.hypot(*np.diff(line, axis=0).T)
    gone = np.r_[0.0, np.cumsum(step)]
    at = np.arange(0.0, gone[-1], speed / hz)
    if gone[-1] - at[-1] < 1e-9:
        at = at[:-1]
    at = np.r_[at, gone[-1]]
    return np.column_stack([np.interp(at, gone, line[:, 0]), np.interp(at, gone, line[:, 1])])


def arc(centre, radius, begin_deg, end_deg, *, step_deg=0.05):
    """Points of a circular arc, counter-clockwise if end > begin."""
    angle = np.radians(np.linspace(begin_deg, end_deg, int(abs(end_deg - begin_deg) / step_deg) + 2))
    return np.column_stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)])


@dataclass
class Log:
    """A recording: strokes with the tool on, travel with the tool off in between."""

    hz: float = 10.0
    speed: float = 0.7
    asset: str = "D-1"
    start: pd.Timestamp = DAY
    rows: list = field(default_factory=list)

    @property
    def clock(self):
        return self.rows[-1][0][-1] + 1 / self.hz if self.rows else 0.0

    def stroke(self, line, *, on=True, **columns):
        xy = along(line, speed=self.speed, hz=self.hz)
        t = self.clock + np.arange(len(xy)) / self.hz
        self.rows.append((t, xy, on, columns))
        return self

    def wait(self, seconds):
        t, xy, _, columns = self.rows[-1]
        self.rows.append((np.array([t[-1] + seconds - 1 / self.hz]), xy[-1:], False, columns))
        return self

    def frame(self, crs=LOCAL, **columns):
        parts = []
        for t, xy, on, own in self.rows:
            part = pd.DataFrame({"t": t, "x": xy[:, 0], "y": xy[:, 1], "is_on": on})
            for name, value in own.items():
                part[name] = value
            parts.append(part)
        table = pd.concat(parts, ignore_index=True)
        return as_fixes(
            table["t"],
            table[["x", "y"]].to_numpy(),
            crs=crs,
            start=self.start,
            asset=self.asset,
            **{**table.drop(columns=["t", "x", "y"]).to_dict("series"), **columns},
        )


def as_fixes(t, xy, *, crs=LOCAL, start=DAY, asset="D-1", **columns):
    """A frame of fixes; x and y are metres on LOCAL, delivered in `crs`."""
    time = start + pd.to_timedelta(np.round(np.asarray(t, dtype=float) * 1000).astype("int64"), unit="ms")
    data = {"id": [f"{asset}-{i}" for i in range(len(xy))], "asset_id": asset, "time": time, **columns}
    frame = gpd.GeoDataFrame(data, geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=LOCAL)
    return frame if crs == LOCAL else frame.to_crs(crs)


def task(*shapes, crs=LOCAL):
    frame = gpd.GeoDataFrame({"id": [f"T-{i}" for i in range(len(shapes))]}, geometry=list(shapes), crs=LOCAL)
    return frame if crs == LOCAL else frame.to_crs(crs)


def ou(t, sigma, tau, rng):
    """Ornstein-Uhlenbeck error at times t: shape (n, 2), standard deviation sigma per axis."""
    t = np.asarray(t, dtype=float)
    keep = np.exp(-np.diff(t) / tau)
    kick = rng.normal(size=(len(t), 2)) * sigma
    out = np.empty((len(t), 2))
    out[0] = kick[0]
    scale = np.sqrt(1 - keep**2)
    for i in range(1, len(t)):
        out[i] = keep[i - 1] * out[i - 1] + scale[i - 1] * kick[i]
    return out


def walk(t, sigma, tau, rng):
    """A foreign family: random-walk bias pulled back by a soft wall, jumps with heavy tails; its size is sigma per axis."""
    t = np.asarray(t, dtype=float)
    dt = np.r_[0.0, np.diff(t)]
    kick = rng.standard_t(3, size=(len(t), 2)) / np.sqrt(3.0)
    out = np.empty((len(t), 2))
    at = rng.normal(size=2) * sigma
    for i in range(len(t)):
        at = at + kick[i] * sigma * np.sqrt(2 * dt[i] / tau)
        at = at - np.sign(at) * np.maximum(np.abs(at) - 1.5 * sigma, 0) * min(1.0, dt[i] / tau * 4)
        out[i] = at
    return out


def lanes(count, length, spacing, *, pause=10.0, hz=1.0, speed=0.7, skip=(), seed=0, asset="D-1", start=DAY):
    """Parallel lanes up and down; `skip` leaves lanes out. Returns the log and the kept centrelines."""
    log = Log(hz=hz, speed=speed, asset=asset, start=start)
    kept = []
    for i in range(count):
        if i in skip:
            continue
        x = (i + 0.5) * spacing
        line = [(x, 0.0), (x, length)] if i % 2 == 0 else [(x, length), (x, 0.0)]
        if kept:
            log.wait(pause)
        log.stroke(line)
        kept.append(line)
    return log, kept


@dataclass(frozen=True)
class Site:
    """What was recorded and what is true."""

    fixes: gpd.GeoDataFrame
    task: gpd.GeoDataFrame
    truth: object  # true swept ground, shapely
    planted: tuple = ()


def marked_lanes(
    *, width=0.5, count=20, length=40.0, overlap=0.15, gaps=12, sigma=0.02, tau=120.0, hz=5.0, family=ou, seed=0
):
    """True lanes are regular (marked with tape); what the receiver records is wrong by `family`. Omissions are planted between lanes."""
    rng = np.random.default_rng(seed)
    spacing = width - overlap
    log = Log(hz=hz)
    true, planted = [], []
    lane_of = rng.choice(np.arange(1, count - 1), size=gaps, replace=gaps > count - 2)
    at = {}
    for lane in sorted(lane_of):
        size = rng.uniform(max(0.25 / (2 * spacing - width + 1e-9), 1.5), 6.0)
        begin = rng.uniform(1.0, length - size - 1.0)
        at.setdefault(int(lane), []).append((begin, begin + size))
    for i in range(count):
        x = (i + 0.5) * spacing
        cuts = _merge(at.get(i, []))
        edges = [0.0, *[e for cut in cuts for e in cut], length]
        bits = [(edges[j], edges[j + 1]) for j in range(0, len(edges), 2)]
        up = i % 2 == 0
        for a, b in bits if up else [(b, a) for a, b in reversed(bits)]:
            if log.rows:
                log.wait(8.0)
            log.stroke([(x, a), (x, b)])
            true.append(shapely.box(x - width / 2, min(a, b), x + width / 2, max(a, b)))
    truth = shapely.union_all(true)
    ground = shapely.box(0, 0, count * spacing, length)
    planted = [p for p in shapely.get_parts(shapely.difference(ground, truth)) if p.area >= 0.2]
    frame = log.frame(width_m=width)
    t = (frame["time"] - DAY).dt.total_seconds().to_numpy()
    xy = np.column_stack([frame.geometry.x, frame.geometry.y])
    seen = xy + (family(t, sigma, tau, rng) if sigma else 0)
    return Site(
        frame.set_geometry(gpd.GeoSeries(gpd.points_from_xy(*seen.T), crs=LOCAL, index=frame.index)),
        task(ground),
        truth,
        tuple(planted),
    )


def _merge(spans):
    out = []
    for a, b in sorted(spans):
        if out and a <= out[-1][1] + 0.5:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out


def steered(*, width=1.0, count=16, length=60.0, spacing=0.85, hz=1.0, speed=0.7, pause=150.0, skip=()):
    """A machine steered by its own display: the recorded lanes are regular, the true ones are recorded minus error."""
    log, kept = lanes(count, length, spacing, pause=pause, hz=hz, speed=speed, skip=skip)
    return log.frame(width_m=width), task(shapely.box(0, 0, count * spacing, length)), kept


def true_ground(frame, error, width):
    """Ground truly swept when every recorded working position was wrong by `error`: strips between true positions."""
    xy = np.column_stack([frame.geometry.x, frame.geometry.y]) - error
    on = frame["is_on"].to_numpy(dtype=bool)
    t = frame["time"].astype("int64").to_numpy()
    edges = np.flatnonzero(on[1:] & on[:-1] & (np.diff(xy[:, 0]) ** 2 + np.diff(xy[:, 1]) ** 2 < 9) & (np.diff(t) > 0))
    run = np.r_[0, np.cumsum(np.diff(edges) != 1)]
    strips = []
    for r in np.unique(run):
        part = edges[run == r]
        line = shapely.LineString(xy[part[0] : part[-1] + 2])
        strips.append(line.buffer(width / 2, cap_style="flat", join_style="mitre", mitre_limit=1.2))
    return shapely.union_all(strips)


def messy(frame, *, seed=0, drop=0.02, spikes=20, repeats=50):
    """The same log as a careless receiver writes it: shuffled rows, dropouts, spikes of tens of metres, repeated rows."""
    rng = np.random.default_rng(seed)
    out = frame[rng.random(len(frame)) > drop].reset_index(drop=True)
    xy = np.column_stack([out.geometry.x, out.geometry.y])
    at = rng.choice(np.arange(10, len(out) - 10, 7), size=spikes, replace=False)
    xy[at] += rng.choice([-1, 1], size=(spikes, 2)) * rng.uniform(10, 60, size=(spikes, 2))
    out = out.set_geometry(gpd.GeoSeries(gpd.points_from_xy(*xy.T), crs=out.crs))
    again = out.iloc[rng.choice(len(out), size=repeats, replace=False)]
    whole = pd.concat([out, again], ignore_index=True)
    return whole.iloc[rng.permutation(len(whole))].reset_index(drop=True)


def write_parquet(
    path,
    count,
    *,
    hz=10.0,
    width=1.0,
    spacing=0.9,
    lane_m=100.0,
    assets=2,
    speed=1.0,
    sigma=0.01,
    chunk=200_000,
    seed=0,
):
    """A Parquet table of fixes with x and y on LOCAL, assets alternating in blocks, made in bounded memory; returns the task."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    per_lane = int(lane_m / speed * hz) + 1
    per_asset = count // assets
    fields = [
        ("id", pa.string()),
        ("asset_id", pa.string()),
        ("time", pa.timestamp("ms", tz="UTC")),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("width_m", pa.float64()),
        ("is_on", pa.bool_()),
    ]
    top = right = 0.0
    with pq.ParquetWriter(path, pa.schema(fields)) as target:
        for begin in range(0, per_asset, chunk):
            i = np.arange(begin, min(begin + chunk, per_asset))
            lane, along_m = i // per_lane, (i % per_lane) * speed / hz
            strip, column = lane // 400, lane % 400
            for asset in range(assets):
                x = (column + 0.5) * spacing + asset * 401 * spacing
                y = np.where(lane % 2 == 0, along_m, lane_m - along_m) + strip * (lane_m - 0.5)
                noise = rng.normal(size=(len(i), 2)) * sigma
                ms = (i * 1000 / hz + lane * 8000).astype("int64") + DAY.value // 1_000_000
                columns = {
                    "id": pa.array([f"{asset}-{n}" for n in i]), "asset_id": pa.array([f"M-{asset}"] * len(i)), "time": pa.array(ms, pa.timestamp("ms", tz="UTC")),
                    "x": pa.array(x + noise[:, 0]), "y": pa.array(y + noise[:, 1]), "width_m": pa.array(np.full(len(i), width)),
                    "is_on": pa.array(np.ones(len(i), dtype=bool)),
                }  # fmt: skip
                target.write_table(pa.table(columns, schema=pa.schema(fields)))
                top, right = max(top, float(y.max())), max(right, float(x.max()))
    return task(shapely.box(0, 0, right, top))
