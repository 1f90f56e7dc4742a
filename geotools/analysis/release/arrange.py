"""The other compiled part of the sweep engine: areas alone, from the outlines of polygons that cross each other cleanly.

For polygons in general position only, and it knows whether they are: wherever two outlines come closer than `NEAR_M`
without crossing at a clear angle, the group is handed back and `scanline` takes it. Needs numba (extra ``fast``).

The area of any combination of polygons is the sum of ½(x₁y₂ − x₂y₁) over the pieces of outline on its boundary. Each
outline is walked once, crossing by crossing; which other polygons a piece lies in says to whose area it belongs. The sign
of each orientation is certified by the error bound of its products. Source: Green's theorem; static filter after
Shewchuk (1997).
"""

# mypy: ignore-errors
# (numba infers the types when it compiles)

from __future__ import annotations

import numpy as np

from geotools.space.simple import jit, meet

NEAR_M = 1e-6  # closer than this is not general position
MOST = 2_000  # polygons of one group
HEAVY = 4_000_000  # pairs of edges of two polygons


@jit
def _window(xy, last, start, stop, west, south, east, north, ox, oy, edge, found):
    """Edges of a polygon that reach into a window: their first vertex and their box, in local coordinates."""
    n = 0
    for v in range(start, stop):
        if last[v]:
            continue
        ax, ay, bx, by = xy[v, 0] - ox, xy[v, 1] - oy, xy[v + 1, 0] - ox, xy[v + 1, 1] - oy
        low, high = (ax, bx) if ax < bx else (bx, ax)
        if low > east or high < west:
            continue
        down, up = (ay, by) if ay < by else (by, ay)
        if down > north or up < south or (ax == bx and ay == by):
            continue
        found[n] = v
        edge[n, 0], edge[n, 1], edge[n, 2], edge[n, 3] = ax, ay, bx, by
        edge[n, 4], edge[n, 5], edge[n, 6], edge[n, 7] = low, down, high, up
        n += 1
    return n


@jit
def _inside(xy, last, start, stop, x, y):
    """Even-odd: whether a point lies in a polygon; it must not lie near its boundary."""
    odd = False
    for v in range(start, stop):
        if last[v]:
            continue
        ay, by = xy[v, 1], xy[v + 1, 1]
        if (ay > y) != (by > y):
            ax, bx = xy[v, 0], xy[v + 1, 0]
            turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            if (turn > 0) == (by > ay):
                odd = not odd
    return odd


@jit
def _same(xy, a0, a1, b0, b1):
    """Whether two polygons have the same vertices one by one."""
    if a1 - a0 != b1 - b0:
        return False
    for i in range(a1 - a0):  # noqa: SIM110
        if xy[a0 + i, 0] != xy[b0 + i, 0] or xy[a0 + i, 1] != xy[b0 + i, 1]:
            return False
    return True


@jit
def _wider(event, n):
    """Room for twice as many; copied one by one, since a slice put into a slice takes two seconds to compile."""
    wider = np.empty((2 * event.shape[0] + 2, 5), np.float64)
    for i in range(n):
        for j in range(5):
            wider[i, j] = event[i, j]
    return wider


@jit
def _crossings(xy, last, first, box, a, b, na, nb, origin, work, event, n):
    """Append the crossings of two outlines to `event`; −1 if they are not in general position.

    Per event: place along the outlines of the group, x, y, which polygon is entered or left, how sure the place is.
    """
    west, south = max(box[a, 0], box[b, 0]) - NEAR_M - origin[0], max(box[a, 1], box[b, 1]) - NEAR_M - origin[1]
    east, north = min(box[a, 2], box[b, 2]) + NEAR_M - origin[0], min(box[a, 3], box[b, 3]) + NEAR_M - origin[1]
    edge_a, edge_b, found_a, found_b, boxes = work
    m = _window(xy, last, first[a], first[a + 1], west, south, east, north, origin[0], origin[1], edge_a, found_a)
    if m == 0:
        return n, event
    o = _window(xy, last, first[b], first[b + 1], west, south, east, north, origin[0], origin[1], edge_b, found_b)
    if m * o > HEAVY:
        return -1, event
    west_b, south_b, east_b, north_b, hits = boxes
    for j in range(o):
        west_b[j], south_b[j] = edge_b[j, 4] - NEAR_M, edge_b[j, 5] - NEAR_M
        east_b[j], north_b[j] = edge_b[j, 6] + NEAR_M, edge_b[j, 7] + NEAR_M
    for i in range(m):
        low, down, high, up = edge_a[i, 4], edge_a[i, 5], edge_a[i, 6], edge_a[i, 7]
        some = 0
        for j in range(o):
            hits[some] = j
            some += (south_b[j] <= up) & (north_b[j] >= down) & (west_b[j] <= high) & (east_b[j] >= low)
        for h in range(some):
            j = hits[h]
            px, py, qx, qy = edge_a[i, 0], edge_a[i, 1], edge_a[i, 2], edge_a[i, 3]
            rx, ry, sx, sy = edge_b[j, 0], edge_b[j, 1], edge_b[j, 2], edge_b[j, 3]
            how = meet(px, py, qx, qy, rx, ry, sx, sy, NEAR_M)
            if how == 0:
                continue
            if how == 2:
                return -1, event
            if n + 2 > event.shape[0]:
                event = _wider(event, n)
            ux, uy, vx, vy = qx - px, qy - py, sx - rx, sy - ry
            one, two = vx * (py - ry) - vy * (px - rx), vx * (qy - ry) - vy * (qx - rx)
            three, four = ux * (ry - py) - uy * (rx - px), ux * (sy - py) - uy * (sx - px)
            t, s = one / (one - two), three / (three - four)
            x, y = px + t * ux, py + t * uy
            long_a, long_b = abs(ux) + abs(uy), abs(vx) + abs(vy)
            reach = long_a + long_b + abs(px - rx) + abs(py - ry)
            doubt = 1e-9 + 1e-14 * reach * long_a * long_b / abs(one - two)
            event[n, 0], event[n, 1], event[n, 2] = na + (found_a[i] - first[a]) + t, x, y
            event[n, 3], event[n, 4] = b, doubt / long_a
            event[n + 1, 0], event[n + 1, 1], event[n + 1, 2] = nb + (found_b[j] - first[b]) + s, x, y
            event[n + 1, 3], event[n + 1, 4] = a, doubt / long_b
            n += 2
    return n, event


@jit
def _walk(
    xy, last, ring_first, ring_sign, first, box, who, base, near, whole, event, order, here, origin, net, raw, alone
):
    """Walk the outline of one member of a group; each piece goes to the areas it bounds.

    Returns the next event, or −1 if what was entered was not left again.
    """
    member, at = here
    count = who.size
    p = who[member]
    inside = np.zeros(count, np.bool_)
    begun = np.zeros(count, np.bool_)
    stop = base[member] + (first[p + 1] - first[p])
    ring = ring_first[p]
    v = first[p]
    while v < first[p + 1]:
        sign = ring_sign[ring]
        start = v
        fx, fy = xy[v, 0] - origin[0], xy[v, 1] - origin[1]
        for q in range(count):
            inside[q] = False
            if q == member:
                continue
            if whole[q]:
                inside[q] = True
            elif near[member, q]:
                o = who[q]
                x, y = xy[v, 0], xy[v, 1]
                if x >= box[o, 0] and x <= box[o, 2] and y >= box[o, 1] and y <= box[o, 3]:
                    inside[q] = _inside(xy, last, first[o], first[o + 1], x, y)
            begun[q] = inside[q]
        x, y, area = fx, fy, 0.0
        while not last[v]:
            spot = base[member] + (v - first[p])
            while at < order.size and event[order[at], 0] < spot + 1 and event[order[at], 0] < stop:
                e = order[at]
                area += x * event[e, 2] - event[e, 1] * y
                x, y = event[e, 1], event[e, 2]
                _book(member, 0.5 * sign * area, inside, net, raw, alone)
                area = 0.0
                inside[int(event[e, 3])] = not inside[int(event[e, 3])]
                at += 1
            v += 1
            nx, ny = xy[v, 0] - origin[0], xy[v, 1] - origin[1]
            area += x * ny - nx * y
            x, y = nx, ny
        _book(member, 0.5 * sign * area, inside, net, raw, alone)
        for q in range(count):
            if inside[q] != begun[q]:
                return -1
        v += 1
        ring += 1
        if v == start:
            return -1
    return at


@jit
def _book(member, area, inside, net, raw, alone):
    """Give a piece of outline to the areas it bounds: member 0 is the container, the others are covers by priority."""
    count = inside.size
    if member == 0:
        if alone:
            for q in range(1, count):
                if inside[q]:
                    raw[q - 1] += area
            return
        lowest = 0
        for q in range(1, count):
            if inside[q]:
                raw[q - 1] += area
                if lowest == 0:
                    lowest = q
        if lowest:
            net[lowest - 1] += area
        return
    if not inside[0]:
        return
    raw[member - 1] += area
    if alone:
        return
    lowest = 0
    for q in range(1, count):
        if inside[q]:
            lowest = q
            break
    if lowest == 0:
        net[member - 1] += area
    elif lowest > member:
        net[member - 1] += area
        net[lowest - 1] -= area


@jit
def arrange(
    xy, last, first, ring_first, ring_sign, box, sure, containers, pair_from, pair_cover, alone, net, raw, good
):
    """Areas of every group; groups that are not in general position are left for another way (`good` False).

    Parameters
    ----------
    xy, last, first, ring_first, ring_sign, box
        All polygons: vertices, which of them closes a ring, first vertex and first ring of each polygon, +1 or −1 for rings whose
        order of vertices is that of the area or against it, bounds.
    sure
        Polygons known to be valid.
    containers, pair_from, pair_cover
        The polygon of each group, its first pair, and the polygon of each pair in order of priority.
    alone
        Only `raw` is wanted.
    net, raw, good
        Filled in place; per pair, and per group.
    """
    event = np.empty((256, 5), np.float64)
    most = 0
    for p in range(first.size - 1):
        most = max(most, first[p + 1] - first[p])
    most += 1
    boxes = (np.empty(most), np.empty(most), np.empty(most), np.empty(most), np.empty(most, np.int64))
    work = (np.empty((most, 8)), np.empty((most, 8)), np.empty(most, np.int64), np.empty(most, np.int64), boxes)
    for g in range(containers.size):
        p0, p1 = pair_from[g], pair_from[g + 1]
        if p1 == p0:
            good[g] = True
            continue
        good[g], event = _group(
            xy,
            last,
            first,
            ring_first,
            ring_sign,
            box,
            sure,
            containers[g],
            pair_cover[p0:p1],
            alone,
            net[p0:p1],
            raw[p0:p1],
            work,
            event,
        )


@jit
def _group(xy, last, first, ring_first, ring_sign, box, sure, container, covers, alone, net, raw, work, event):
    count = covers.size + 1
    if count > MOST or not sure[container]:
        return False, event
    who, base = np.empty(count, np.int64), np.zeros(count, np.int64)
    who[0] = container
    for k in range(1, count):
        who[k] = covers[k - 1]
    near, whole = np.zeros((count, count), np.bool_), np.zeros(count, np.bool_)
    twin = np.zeros(count, np.int64)  # the earlier cover that has the same outline; 0: none
    size = 0
    for k in range(count):
        p = who[k]
        if not sure[p]:
            return False, event
        base[k] = size
        size += first[p + 1] - first[p]
        if k == 0:
            continue
        whole[k] = _same(xy, first[p], first[p + 1], first[container], first[container + 1])
        if whole[k] or alone:
            continue
        for i in range(1, k):
            if _same(xy, first[p], first[p + 1], first[who[i]], first[who[i] + 1]):
                twin[k] = i
                break
    origin = (box[container, 0], box[container, 1])
    n = np.int64(0)  # typed: a plain 0 would have what it is given to compiled twice
    for i in range(1 if alone else count):
        if whole[i] or twin[i]:
            continue
        for j in range(i + 1, count):
            if whole[j] or twin[j] or not _close(box, who[i], who[j], container):
                continue
            near[i, j] = near[j, i] = True
            was = n
            n, event = _crossings(xy, last, first, box, who[i], who[j], base[i], base[j], origin, work, event, n)
            if n < 0:
                return False, event
            for e in range(was, n, 2):
                event[e, 3], event[e + 1, 3] = j, i
    order = np.argsort(event[:n, 0])
    for k in range(n - 1):
        one, two = order[k], order[k + 1]
        if event[two, 0] - event[one, 0] <= event[one, 4] + event[two, 4]:
            return False, event
    at = np.int64(0)
    for k in range(count):
        if whole[k] or twin[k]:
            continue
        at = _walk(
            xy,
            last,
            ring_first,
            ring_sign,
            first,
            box,
            who,
            base,
            near,
            whole,
            event,
            order,
            (k, at),
            origin,
            net,
            raw,
            alone,
        )
        if at < 0:
            for q in range(count - 1):
                net[q], raw[q] = 0.0, 0.0
            return False, event
    for k in range(1, count):
        if twin[k]:
            raw[k - 1] = raw[twin[k] - 1]
    return True, event


@jit
def _close(box, a, b, container):
    """Whether the boxes of two polygons meet within that of the container."""
    west, south = max(box[a, 0], box[b, 0], box[container, 0]), max(box[a, 1], box[b, 1], box[container, 1])
    east, north = min(box[a, 2], box[b, 2], box[container, 2]), min(box[a, 3], box[b, 3], box[container, 3])
    return west <= east + NEAR_M and south <= north + NEAR_M
