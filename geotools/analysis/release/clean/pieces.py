"""Outlines cut where they cross: which polygons each piece lies in, the areas it bounds, and the rings of remaining ground.

For one `Scene`; whether the answer can be trusted is decided in the room itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geotools.analysis.release.clean.scene import Events, Scene, cross, spread, total
from geotools.analysis.release.rings import SMALL_M2, polygons

NONE = np.iinfo(np.int64).max


@dataclass
class Pieces:
    """Outlines cut at their crossings and at the first vertex of each ring.

    Attributes
    ----------
    member, ring
        Whose outline, and which ring (counted over all members).
    begin, end
        Event at which the piece begins and ends, −1 at the first vertex of its ring.
    area
        ½ Σ (x₁y₂ − x₂y₁) along it.
    first, last
        Vertex rows between its ends; none where `first` > `last`.
    """

    scene: Scene
    events: Events
    member: np.ndarray
    ring: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    first: np.ndarray
    last: np.ndarray
    area: np.ndarray
    ring_row: np.ndarray
    ring_member: np.ndarray

    @classmethod
    def cut(cls, scene: Scene, events: Events) -> Pieces:
        """Cut all outlines."""
        lines = scene.lines
        number, ring_member = spread(
            lines.ring_first[scene.poly], lines.ring_first[scene.poly + 1] - lines.ring_first[scene.poly]
        )
        offset = scene.row[ring_member] - lines.first[scene.poly[ring_member]]
        ring_row, ring_last = lines.ring[number] + offset, lines.ring[number + 1] - 1 + offset
        ring_of = np.searchsorted(ring_row, events.row, side="right") - 1
        per_ring = np.bincount(ring_of, minlength=len(ring_row))
        size = per_ring + 1
        start = np.cumsum(size) - size
        ring = np.repeat(np.arange(len(size)), size)
        place = np.arange(len(ring)) - start[ring]
        before = np.cumsum(per_ring) - per_ring
        begin = np.where(place > 0, before[ring] + place - 1, -1)
        end = np.where(place < per_ring[ring], before[ring] + place, -1)
        if len(events.row):
            first = np.where(begin >= 0, events.row[begin] + 1, ring_row[ring])
            last = np.where(end >= 0, events.row[end], ring_last[ring])
        else:
            first, last = ring_row[ring], ring_last[ring]
        crossed = np.r_[cross(scene.xy[:-1], scene.xy[1:]), 0.0]
        crossed[ring_last] = 0.0
        body = np.zeros(len(ring))
        some = np.flatnonzero(last > first)
        if len(some):
            bounds = np.column_stack([first[some], last[some]]).ravel()
            body[some] = np.add.reduceat(np.r_[crossed, 0.0], bounds)[::2]
        p, q = cls._ends(scene, events, (begin, end), (ring_row[ring], ring_last[ring]))
        head, tail = cross(p, scene.xy[np.minimum(first, len(scene.xy) - 1)]), cross(scene.xy[last], q)
        area = 0.5 * np.where(first <= last, head + body + tail, cross(p, q))
        return cls(scene, events, ring_member[ring], ring, begin, end, first, last, area, ring_row, ring_member)

    @staticmethod
    def _ends(
        scene: Scene, events: Events, at: tuple[np.ndarray, np.ndarray], ring: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        out = []
        for event, row in zip(at, ring, strict=True):
            point = scene.xy[row].copy()
            point[event >= 0] = events.point[event[event >= 0]]
            out.append(point)
        return out[0], out[1]

    def states(self, one: np.ndarray, two: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        """Which pieces lie in which members (piece, member), and the lowest cover of each piece that is not its own."""
        scene, events = self.scene, self.events
        count = len(scene.group)
        rings = np.bincount(self.ring_member, minlength=count)
        ring_first = np.cumsum(rings) - rings
        member, other = np.r_[one, two], np.r_[two, one]
        ring, which = spread(ring_first[member], rings[member])
        key = ring * count + other[which]
        order = np.argsort(key)
        key, ring, other = key[order], ring[order], other[which[order]]
        size = np.bincount(self.ring, minlength=len(self.ring_row))
        start = np.cumsum(size) - size
        piece, combo = spread(start[ring], size[ring])
        combo_start = np.cumsum(size[ring]) - size[ring]
        flips = np.zeros(len(piece) + 1, dtype=np.int64)
        event_ring = np.searchsorted(self.ring_row, events.row, side="right") - 1
        event_combo = np.searchsorted(key, event_ring * count + events.other)
        after = np.arange(len(events.row)) - (np.cumsum(size - 1) - (size - 1))[event_ring] + 1
        np.add.at(flips, combo_start[event_combo] + after, 1)
        turned = np.cumsum(flips[:-1])
        begun = self._at_start(ring, other)
        state = (turned - (turned[combo_start] - flips[combo_start])[combo] + begun[combo]) % 2 == 1
        odd = np.bincount(event_combo, minlength=len(key)) % 2 == 1
        scene.bad[scene.group[other[odd]]] = True
        inside = piece[state], other[combo[state]]
        low = np.full(len(self.ring), NONE)
        rank = scene.rank[inside[1]]
        cover = rank > 0
        np.minimum.at(low, inside[0][cover], rank[cover])
        return inside, low

    def _at_start(self, ring: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Whether the first vertex of a ring lies in another member (1 or 0), by the even-odd rule."""
        scene = self.scene
        point = scene.xy[self.ring_row[ring]]
        box = scene.lines.box[scene.poly[other]] - np.tile(scene.corner[scene.group[other]], 2)
        ask = np.flatnonzero((point >= box[:, :2]).all(axis=1) & (point <= box[:, 2:]).all(axis=1))
        first = scene.row[other[ask]]
        rows, which = spread(first, np.maximum(scene.row[other[ask] + 1] - first - 1, 0))
        y = point[ask[which], 1]
        keep = ((scene.xy[rows, 1] > y) != (scene.xy[rows + 1, 1] > y)) & ~scene.lines.last[scene.vertex[rows]]
        rows, which = rows[keep], which[keep]
        a, b, p = scene.xy[rows], scene.xy[rows + 1], point[ask[which]]
        right = (cross(b - a, p - a) > 0) == (b[:, 1] > a[:, 1])
        out = np.zeros(len(ring), dtype=np.int64)
        out[ask] = np.bincount(which[right], minlength=len(ask)) % 2
        return out

    def areas(self, inside: tuple[np.ndarray, np.ndarray], low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Net and raw area of each member."""
        scene, count = self.scene, len(self.scene.group)
        piece, other = inside
        rank = scene.rank[self.member]
        on_ground = rank[piece] == 0
        raw = total(other[on_ground], weights=self.area[piece[on_ground]], minlength=count)
        within = np.zeros(len(rank), dtype=bool)
        within[piece[scene.rank[other] == 0]] = True
        raw += total(self.member[within], weights=self.area[within], minlength=count)
        own = within & (low > rank)
        net = total(self.member[own], weights=self.area[own], minlength=count)
        lost = own & (low < NONE)
        gain = (rank == 0) & (low < NONE)
        start = scene.start[scene.group[self.member]]
        net -= total(start[lost] + low[lost], weights=self.area[lost], minlength=count)
        net += total(start[gain] + low[gain], weights=self.area[gain], minlength=count)
        return net, raw

    def rest(self, inside: tuple[np.ndarray, np.ndarray], low: np.ndarray) -> np.ndarray:
        """What no kept cover takes of each container."""
        scene = self.scene
        rank, group = scene.rank[self.member], scene.group[self.member]
        within = np.zeros(len(rank), dtype=bool)
        within[inside[0][scene.rank[inside[1]] == 0]] = True
        edge = (low > scene.kept[group]) & ((rank == 0) | within & (rank <= scene.kept[group])) & ~scene.bad[group]
        following = self._following(edge, rank)
        stray = edge & ((following < 0) | ~edge[following])
        scene.bad[group[stray]] = True
        edge &= ~scene.bad[group]
        xy, size, owner = self._rings(_chains(edge, following), rank, group)
        return polygons(xy, size, owner, len(scene.start))

    def _following(self, edge: np.ndarray, rank: np.ndarray) -> np.ndarray:
        """The piece that goes on where each ends: containers are followed forward, covers backward."""
        begun, ended = np.full(len(self.events.row), -1), np.full(len(self.events.row), -1)
        begun[self.begin[self.begin >= 0]] = np.flatnonzero(self.begin >= 0)
        ended[self.end[self.end >= 0]] = np.flatnonzero(self.end >= 0)
        size = np.bincount(self.ring, minlength=len(self.ring_row))
        first = (np.cumsum(size) - size)[self.ring]
        forward = rank == 0
        event = np.where(forward, self.end, self.begin)
        same = np.where(forward, np.arange(len(rank)) + 1, np.arange(len(rank)) - 1)
        out = np.where(forward, first, first + size[self.ring] - 1)  # round the ring
        some = np.flatnonzero(event >= 0)
        twin = self.events.twin[event[some]]
        to_ground = self.scene.rank[self.events.member[twin]] == 0
        over = np.where(to_ground, begun[twin], ended[twin])
        out[some] = np.where(edge[same[some]], same[some], over)
        return out

    def _rings(
        self, order: tuple[np.ndarray, np.ndarray], rank: np.ndarray, group: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Coordinates of the chained pieces, size and signed area of each ring, and whose it is."""
        piece, chain = order
        scene, events = self.scene, self.events
        forward = rank[piece] == 0
        event = np.where(forward, self.begin[piece], self.end[piece])
        whole = (self.end[piece] < 0).astype(int)  # the closing vertex is the first one of the ring
        low, high = self.first[piece], self.last[piece] - whole
        count = np.maximum(high - low + 1, 0)
        head = (event >= 0).astype(int)
        rows, which = spread(np.zeros(len(piece), dtype=int), count + head)
        at = rows - head[which]
        vertex = np.where(forward[which], low[which] + at, high[which] - at)
        global_ = scene.lines.xy[scene.vertex[np.clip(vertex, 0, len(scene.vertex) - 1)]]
        local = scene.xy[np.clip(vertex, 0, len(scene.vertex) - 1)].copy()
        mark = at < 0
        corner = scene.corner[group[piece[which]]]
        local[mark] = events.point[event[which[mark]]]
        global_[mark] = local[mark] + corner[mark]
        ring = chain[which]
        size = np.bincount(ring, minlength=int(chain[-1]) + 1 if len(chain) else 0)
        stop = np.cumsum(size)
        nxt = np.arange(1, len(ring) + 1)
        nxt[stop[size > 0] - 1] = (stop - size)[size > 0]
        area = 0.5 * total(ring, weights=cross(local, local[nxt]), minlength=len(size))
        keep = (size >= 3) & (np.abs(area) >= SMALL_M2)
        owner = np.zeros(len(size), dtype=np.int64)
        owner[chain] = group[piece]
        closed, _ = spread((stop - size)[keep], size[keep] + 1)
        last = np.cumsum(size[keep] + 1) - 1
        closed[last] = (stop - size)[keep]
        return global_[closed], np.column_stack([size[keep] + 1.0, area[keep]]), owner[keep]


def _chains(edge: np.ndarray, following: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pieces of each closed chain in order, chain by chain, and the number of the chain."""
    seen = (~edge).tolist()
    after = following.tolist()
    piece: list[int] = []
    chain: list[int] = []
    number = 0
    for start in np.flatnonzero(edge).tolist():
        if seen[start]:
            continue
        here = start
        while not seen[here]:
            seen[here] = True
            piece.append(here)
            chain.append(number)
            here = after[here]
        number += 1
    return np.array(piece, dtype=np.int64), np.array(chain, dtype=np.int64)
