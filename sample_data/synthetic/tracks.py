"""GNSS fixes of one hand-detector task and two machine tasks, with strips that were really missed.

For positions of tools only. Truth is the nominal path; a fix is the path plus the receiver's error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import shapely

from synthetic.plane import area_m2, lonlat, placed, rng


@dataclass(frozen=True)
class Task:
    """A rectangular task: local frame with x along the lanes; width and overlap of the tool in metres."""

    id: str
    centre: tuple[float, float]
    angle: float
    length: float
    breadth: float
    width: float
    overlap: float
    speed: float

    def place(self, local):
        """Local geometry in UTM 38N (the local origin is the south-west corner)."""
        return placed(
            shapely.transform(local, lambda xy: xy - [self.length / 2, self.breadth / 2]), self.centre, self.angle
        )

    @property
    def ground(self):
        """The task polygon in UTM 38N."""
        return self.place(shapely.box(0, 0, self.length, self.breadth))


@dataclass
class Lane:
    """One straight pass: y of its centre, from x to x, and what went wrong on it."""

    y: float
    start: float
    end: float
    lifted: tuple[float, float] | None = None
    silent: tuple[float, float] | None = None
    run: int = 1
    extra: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Receiver:
    """How wrong positions are: sd per axis, correlation time, what the log says about it."""

    sigma: float
    tau: float
    quality: str
    h_acc: float


RTK = Receiver(0.02, 120.0, "RTK fixed", 0.02)
CONSUMER = Receiver(1.5, 120.0, "GPS", 3.0)

DETECTOR = Task("TASK-D1", (683_240.0, 4_385_180.0), 12.0, 40.0, 24.0, 1.0, 0.1, 0.15)
MACHINE_RTK = Task("TASK-M1", (684_320.0, 4_385_890.0), -8.0, 100.0, 50.0, 1.7, 0.2, 1000 / 3600)
MACHINE_CONSUMER = Task("TASK-M2", (684_470.0, 4_385_890.0), -8.0, 60.0, 40.0, 1.7, 0.2, 1000 / 3600)
TASKS = (DETECTOR, MACHINE_RTK, MACHINE_CONSUMER)


def lanes(task: Task, widened_after: int | None = None, by: float = 0.0) -> list[Lane]:
    """Passes across the task at width − overlap, optionally with one spacing too wide; ends 0.5 m beyond the task."""
    out, y, step = [], task.width / 2, task.width - task.overlap
    while True:
        out.append(Lane(round(y, 3), -0.5, task.length + 0.5))
        if y + task.width / 2 >= task.breadth - 1e-9:
            return out
        y += step + (by if len(out) - 1 == widened_after else 0.0)


def missed(task: Task, passes: list[Lane]) -> list[dict]:
    """Ground of the task that no pass covers with the tool on and logged: geometry in UTM 38N and area."""
    worked = []
    for lane in passes:
        cuts = sorted(c for c in (lane.lifted, lane.silent) if c)
        x = lane.start
        for low, high in [*cuts, (lane.end, None)]:
            if low > x:
                worked.append(shapely.box(x, lane.y - task.width / 2, low, lane.y + task.width / 2))
            x = high
    gap = shapely.box(0, 0, task.length, task.breadth).difference(shapely.union_all(worked))
    parts = [p for p in shapely.get_parts(gap) if p.area > 0.01]
    placed_parts = [task.place(p) for p in sorted(parts, key=lambda p: p.bounds)]
    return [{"ground": p, "area_m2": round(area_m2(p), 2)} for p in placed_parts]


def fixes(
    task: Task, passes: list[Lane], receiver: Receiver, *, asset: str, operator: str, begin: datetime, stream
) -> list[dict]:
    """Fixes at 1 Hz along the passes, back and forth, with turns of 20 s (tool off) outside the task."""
    rows, clock, run = [], begin, None
    error, keep = stream.normal(0, receiver.sigma, 2), np.exp(-1 / receiver.tau)
    for index, lane in enumerate(passes):
        if run is not None and lane.run != run:
            clock = begin + timedelta(days=lane.run - 1)
        run = lane.run
        for x, is_on in _along(lane, task.speed, forward=index % 2 == 0):
            error = keep * error + np.sqrt(1 - keep**2) * stream.normal(0, receiver.sigma, 2)
            clock += timedelta(seconds=1)
            if is_on is not None:
                rows.append({"asset_id": asset, "run_id": f"{asset}-{run}", "task_id": task.id, "time": clock, "x": x, "y": lane.y, "error": tuple(error),
                             "width_m": task.width, "is_on": is_on, "quality": receiver.quality, "h_acc_m": receiver.h_acc, "operator": operator})  # fmt: skip
        clock += timedelta(seconds=20)
    return rows


def _along(lane: Lane, speed: float, *, forward: bool):
    steps = int(np.ceil((lane.end - lane.start) / speed))
    for k in range(steps + 1):
        travelled = min(k * speed, lane.end - lane.start)
        x = lane.start + travelled if forward else lane.end - travelled
        if lane.silent and lane.silent[0] < x < lane.silent[1]:
            yield x, None
        else:
            yield x, not (lane.lifted and lane.lifted[0] < x < lane.lifted[1])


def position(task: Task, rows: list[dict]) -> None:
    """Replace local positions by UTM and WGS 84 ones."""
    points = task.place(shapely.MultiPoint([(r["x"], r["y"]) for r in rows]))
    for row, (x, y) in zip(rows, shapely.get_coordinates(points), strict=True):
        dx, dy = row.pop("error")
        row["x"], row["y"] = round(x + dx, 3), round(y + dy, 3)
        row["lon"], row["lat"] = lonlat(row["x"], row["y"])


def spoil(rows: list[dict], stream, *, spikes: int, null_island: int, repeated: int) -> dict:
    """Plant spikes (8 to 30 m), fixes at 0, 0 and repeated time stamps; say which rows."""
    free = list(stream.permutation(np.arange(5, len(rows) - 5)))
    truth: dict = {"spikes": [], "null_island": [], "repeated_time": []}
    for _ in range(spikes):
        row = rows[free.pop()]
        turn, far = stream.uniform(0, 2 * np.pi), stream.uniform(8, 30)
        row["x"], row["y"] = round(row["x"] + far * np.cos(turn), 3), round(row["y"] + far * np.sin(turn), 3)
        row["lon"], row["lat"] = lonlat(row["x"], row["y"])
        truth["spikes"].append(row["id"])
    for _ in range(null_island):
        row = rows[free.pop()]
        row["lon"] = row["lat"] = 0.0
        truth["null_island"].append(row["id"])
    for _ in range(repeated):
        index = free.pop()
        rows[index]["time"] = rows[index - 1]["time"]
        truth["repeated_time"].append(rows[index]["id"])
    return {key: sorted(ids) for key, ids in truth.items()}


def number(rows: list[dict], prefix: str) -> None:
    """Ids in order of time."""
    for index, row in enumerate(rows, start=1):
        row["id"] = f"{prefix}-{index:05d}"


def detector() -> tuple[list[dict], dict]:
    """The hand-detector task: operator OP-1 with an RTK pole, OP-2 with a consumer receiver; a lane never searched."""
    passes = lanes(DETECTOR)
    passes[5].end = 31.0
    skipped = passes.pop(9)
    half = len(passes) // 2
    stream = rng(11)
    first = fixes(DETECTOR, passes[:half], RTK, asset="DET-1", operator="OP-1", begin=_clock(4), stream=stream)
    second = fixes(DETECTOR, passes[half:], CONSUMER, asset="DET-2", operator="OP-2", begin=_clock(5), stream=stream)
    rows = first + second
    position(DETECTOR, rows)
    number(rows, "FD")
    spoiled = spoil(second, stream, spikes=3, null_island=6, repeated=2)
    return rows, _truth(
        DETECTOR, passes, spoiled, {"lane_skipped_y_m": skipped.y, "lane_short": {"y_m": passes[5].y, "ends_x_m": 31.0}}
    )


def machine_rtk() -> tuple[list[dict], dict]:
    """The machine task with RTK: one spacing 0.4 m too wide, a lift-out, a short pass and an outage of the log."""
    passes = lanes(MACHINE_RTK, widened_after=9, by=0.6)
    passes[15].lifted = (30.0, 44.0)
    passes[22].end = 93.0
    passes[28].silent = (50.0, 62.0)
    for lane in passes[17:]:
        lane.run = 2
    stream = rng(12)
    rows = fixes(MACHINE_RTK, passes, RTK, asset="MEMATT-1", operator="OP-3", begin=_clock(6), stream=stream)
    position(MACHINE_RTK, rows)
    number(rows, "FM")
    what = {
        "spacing_too_wide_m": 0.4,
        "lift_out_x_m": [30.0, 44.0],
        "short_pass_ends_x_m": 93.0,
        "outage_x_m": [50.0, 62.0],
    }
    return rows, _truth(MACHINE_RTK, passes, spoil(rows, stream, spikes=8, null_island=0, repeated=4), what)


def machine_consumer() -> tuple[list[dict], dict]:
    """The machine task with a consumer receiver: a pass left out; its tracks cannot show it."""
    passes = lanes(MACHINE_CONSUMER)
    skipped = passes.pop(12)
    stream = rng(13)
    rows = fixes(MACHINE_CONSUMER, passes, CONSUMER, asset="MEMATT-2", operator="OP-4", begin=_clock(8), stream=stream)
    position(MACHINE_CONSUMER, rows)
    number(rows, "FC")
    return rows, _truth(
        MACHINE_CONSUMER,
        passes,
        spoil(rows, stream, spikes=5, null_island=12, repeated=3),
        {"pass_skipped_y_m": skipped.y},
    )


def _clock(day: int) -> datetime:
    return datetime(2026, 5, day, 4, 0, 0, tzinfo=UTC)


def _truth(task: Task, passes: list[Lane], spoiled: dict, what: dict) -> dict:
    gaps = missed(task, passes)
    return {
        "task_id": task.id, "task_m2": area_m2(task.ground), "width_m": task.width, "overlap_m": task.overlap, "passes": len(passes),
        "planted": what, **spoiled, "missed": gaps, "missed_m2": round(sum(g["area_m2"] for g in gaps), 2),
    }  # fmt: skip
