"""The compiled part of the sweep engine: one scan line over one hazard and the releases that meet it.

For numbers only: coordinates and offsets in, areas and rings out; shapely stays in `sweep`. Needs numba (extra ``fast``).

Between two heights at which an edge ends or two edges cross, the edges keep their order from left to right. Walking along
that order and toggling "inside" per polygon (even-odd rule, so broken rings are no obstacle) tells for every gap who
covers it; gap × height is exact. The uncovered rest is traced on the way: a fragment runs up or down along an edge while
the state differs on its two sides, and at each height the fragment ends, sorted by x, pair up. Rings always close.
Source: plane sweep after Shamos and Hoey (1976), Bentley and Ottmann (1979), in the slab form.
"""

# mypy: ignore-errors
# (numba infers the types when it compiles)

from __future__ import annotations

import numpy as np

from geotools.space.simple import jit

SAME_M = 1e-9  # edges closer than this count as one when the rest is traced
SMALL_M2 = 1e-6  # rings smaller than this are not kept
MARGIN_M = 0.5  # crossings this far outside the box do not matter


@jit
def _grow(array):
    """Room for twice as many; copied one by one, since a slice put into a slice takes two seconds to compile."""
    out = np.empty(2 * array.size, array.dtype)
    for i in range(array.size):
        out[i] = array[i]
    return out


@jit
def _wider(array):
    """The same for an array of pairs."""
    out = np.empty((2 * array.shape[0], 2), np.float64)
    for i in range(array.shape[0]):
        out[i, 0], out[i, 1] = array[i, 0], array[i, 1]
    return out


@jit
def _collect(xy, last, start, stop, box, poly, edges, owner, count):
    """Append the sloping edges of one polygon that matter within `box`, shifted to its corner; lower end first."""
    left, low, right, high = box
    wide, tall = right - left, high - low
    for v in range(start, stop):
        if last[v]:
            continue
        xa, ya, xb, yb = xy[v, 0] - left, xy[v, 1] - low, xy[v + 1, 0] - left, xy[v + 1, 1] - low
        if ya == yb or (ya <= 0.0 and yb <= 0.0) or (ya >= tall and yb >= tall) or (xa > wide and xb > wide):
            continue
        if ya > yb:
            xa, ya, xb, yb = xb, yb, xa, ya
        if xa < 0.0 and xb < 0.0:  # wholly to the left: only its parity counts
            xa, xb = -1.0, -1.0
        edges[count, 0], edges[count, 1], edges[count, 2], edges[count, 3] = xa, ya, xb, yb
        owner[count] = poly
        count += 1
    return count


@jit
def _at(edges, e, y):
    """x of an edge at a height; exact at its ends, the same bits from wherever it is asked."""
    if y <= edges[e, 1]:
        return edges[e, 0]
    if y >= edges[e, 3]:
        return edges[e, 2]
    return edges[e, 0] + (y - edges[e, 1]) * ((edges[e, 2] - edges[e, 0]) / (edges[e, 3] - edges[e, 1]))


@jit
def _line(edges, e, y):
    """x of the edge's line at a height within it (may be clipped by the box)."""
    return edges[e, 0] + (y - edges[e, 1]) * ((edges[e, 2] - edges[e, 0]) / (edges[e, 3] - edges[e, 1]))


@jit
def _events(edges, count, order, wide, tall):
    """Heights at which an edge starts, ends or crosses another, within the box, sorted and once each."""
    events = np.empty(4 * count + 16, np.float64)
    n = 0
    active = np.empty(count, np.int64)
    live = 0
    for k in range(count):
        e = order[k]
        y1, y2 = max(edges[e, 1], 0.0), min(edges[e, 3], tall)
        if n + 2 > events.size:
            events = _grow(events)
        events[n], events[n + 1] = y1, y2
        n += 2
        lo, hi = min(edges[e, 0], edges[e, 2]), max(edges[e, 0], edges[e, 2])
        i = 0
        while i < live:
            a = active[i]
            if edges[a, 3] <= y1:
                live -= 1
                active[i] = active[live]
                continue
            i += 1
            if max(edges[a, 0], edges[a, 2]) < lo or min(edges[a, 0], edges[a, 2]) > hi:
                continue
            top = min(y2, edges[a, 3])
            if top <= y1:
                continue
            below, above = _at(edges, e, y1) - _at(edges, a, y1), _at(edges, e, top) - _at(edges, a, top)
            if (below < 0.0 and above > 0.0) or (below > 0.0 and above < 0.0):
                y = y1 + (top - y1) * (below / (below - above))
                x = _at(edges, e, y)
                if x > -MARGIN_M and x < wide + MARGIN_M and y > y1 and y < top:
                    if n + 1 > events.size:
                        events = _grow(events)
                    events[n] = y
                    n += 1
        active[live] = e
        live += 1
    events = np.sort(events[:n])
    kept = 0
    for i in range(n):
        if kept == 0 or events[i] > events[kept - 1]:
            events[kept] = events[i]
            kept += 1
    return events[:kept]


@jit
def _pair_up(ends_x, ends_node, ends_head, count, following):
    """Join the fragment ends of one height by horizontal pieces: sorted by x, each head to the tail beside it."""
    for i in range(1, count):
        x, node, head = ends_x[i], ends_node[i], ends_head[i]
        j = i - 1
        while j >= 0 and ends_x[j] > x:
            ends_x[j + 1], ends_node[j + 1], ends_head[j + 1] = ends_x[j], ends_node[j], ends_head[j]
            j -= 1
        ends_x[j + 1], ends_node[j + 1], ends_head[j + 1] = x, node, head
    for i in range(0, count - 1, 2):
        if ends_head[i] == ends_head[i + 1]:  # equal x in an unlucky order: bring the next opposite end here
            j = i + 2
            while j < count and ends_head[j] == ends_head[i]:
                j += 1
            if j == count:
                return False
            node, head = ends_node[j], ends_head[j]
            while j > i + 1:
                ends_x[j], ends_node[j], ends_head[j] = ends_x[j - 1], ends_node[j - 1], ends_head[j - 1]
                j -= 1
            ends_node[i + 1], ends_head[i + 1] = node, head
        if ends_head[i]:
            following[ends_node[i]] = ends_node[i + 1]
        else:
            following[ends_node[i + 1]] = ends_node[i]
    return True


@jit
def _group(edges, owner, count, covers, kept, box, trace, net, raw):
    """Sweep one container: areas into `net` and `raw`; returns what is left and the nodes of its boundary."""
    wide, tall = box[2] - box[0], box[3] - box[1]
    order = np.argsort(edges[:count, 1], kind="mergesort")
    events = _events(edges, count, order, wide, tall)
    active = np.empty(count, np.int64)
    middle = np.empty(count, np.float64)
    inside = np.zeros(covers + 1, np.bool_)
    on = np.empty(covers + 1, np.int64)
    left = 0.0
    live, entering = 0, 0
    # tracing: fragments that run along edges (+1 region to the right, −1 to the left), their first node, and all nodes
    running = np.zeros(count, np.int8)
    wanted = np.zeros(count, np.int8)
    first = np.empty(count, np.int64)
    run, flips = np.empty(count, np.int64), np.empty(count, np.int64)
    runs = 0
    node_x, node_y, following = np.empty(64, np.float64), np.empty(64, np.float64), np.empty(64, np.int64)
    nodes = 0
    ends_x, ends_node, ends_head = (
        np.empty(2 * count, np.float64),
        np.empty(2 * count, np.int64),
        np.empty(2 * count, np.bool_),
    )
    good = True
    for s in range(events.size):
        y = events[s]
        flipped = 0
        if s + 1 < events.size:
            tall_slab = events[s + 1] - y
            mid = y + 0.5 * tall_slab
            n = 0
            for i in range(live):
                if edges[active[i], 3] > y:
                    active[n] = active[i]
                    n += 1
            live = n
            while entering < count and edges[order[entering], 1] <= y:
                e = order[entering]
                if edges[e, 3] > y:
                    active[live] = e
                    live += 1
                entering += 1
            for i in range(live):
                e = active[i]
                x = _line(edges, e, mid)
                j = i - 1
                while j >= 0 and middle[j] > x:
                    middle[j + 1], active[j + 1] = middle[j], active[j]
                    j -= 1
                middle[j + 1], active[j + 1] = x, e
            # walk from left to right
            for i in range(covers + 1):
                inside[i] = False
            alive, low = 0, covers + 1
            before, since = False, 0
            here = False
            for i in range(live):
                e = active[i]
                if i > 0 and inside[0] and middle[i] > middle[i - 1]:
                    area = (middle[i] - middle[i - 1]) * tall_slab
                    if low <= covers:
                        net[low - 1] += area
                    if low > kept:
                        left += area
                    for k in range(alive):
                        raw[on[k] - 1] += area
                if trace and i > since and middle[i] - middle[since] > SAME_M:
                    if here != before:
                        flips[flipped] = _carrier(active, since, i, running, 1 if here else -1)
                        wanted[flips[flipped]] = 1 if here else -1
                        flipped += 1
                    before, since = here, i
                p = owner[e]
                inside[p] = not inside[p]
                if p > 0:
                    if inside[p]:
                        on[alive] = p
                        alive += 1
                        low = min(low, p)
                    else:
                        for k in range(alive):
                            if on[k] == p:
                                alive -= 1
                                on[k] = on[alive]
                                break
                        if p == low:
                            low = covers + 1
                            for k in range(alive):
                                low = min(low, on[k])
                here = inside[0] and low > kept
            if trace and live > 0 and here != before:
                flips[flipped] = _carrier(active, since, live, running, 1 if here else -1)
                wanted[flips[flipped]] = 1 if here else -1
                flipped += 1
        if not trace:
            continue
        # fragments that end here, then those that begin here
        while nodes + runs + flipped >= node_x.size:
            node_x, node_y, following = _grow(node_x), _grow(node_y), _grow(following)
        ends, n = 0, 0
        for i in range(runs):
            e = run[i]
            if wanted[e] == running[e]:
                run[n] = e
                n += 1
                continue
            x = _at(edges, e, y)
            node_x[nodes], node_y[nodes] = x, y
            up = running[e] < 0
            if up:
                following[first[e]] = nodes
            else:
                following[nodes] = first[e]
            ends_x[ends], ends_node[ends], ends_head[ends] = x, nodes, up
            ends += 1
            nodes += 1
            running[e] = 0
        runs = n
        for i in range(flipped):
            e = flips[i]
            if running[e] == 0:
                x = _at(edges, e, y)
                node_x[nodes], node_y[nodes] = x, y
                running[e], first[e] = wanted[e], nodes
                run[runs] = e
                runs += 1
                ends_x[ends], ends_node[ends], ends_head[ends] = x, nodes, wanted[e] > 0
                ends += 1
                nodes += 1
            wanted[e] = 0
        good = _pair_up(ends_x, ends_node, ends_head, ends, following) and good
    return left, node_x[:nodes], node_y[:nodes], following[:nodes], good


@jit
def _carrier(active, start, stop, running, way):
    """Of edges that lie on each other, the one whose fragment can go on, else the first."""
    for i in range(start, stop):
        if running[active[i]] == way:
            return active[i]
    for i in range(start, stop):
        if running[active[i]] == 0:
            return active[i]
    return active[start]


@jit
def _rings(node_x, node_y, following, box, out, sizes, used, rings):
    """Follow the nodes to rings; append those with area, without repeated points, in plane coordinates."""
    seen = np.zeros(node_x.size, np.bool_)
    for start in range(node_x.size):
        if seen[start]:
            continue
        begin, area = used, 0.0
        node = start
        while not seen[node]:
            seen[node] = True
            x, y = node_x[node], node_y[node]
            if used == begin or abs(out[used - 1, 0] - x) > SAME_M or abs(out[used - 1, 1] - y) > SAME_M:
                out[used, 0], out[used, 1] = x, y
                used += 1
            node = following[node]
        while (
            used - begin > 1
            and abs(out[used - 1, 0] - out[begin, 0]) <= SAME_M
            and abs(out[used - 1, 1] - out[begin, 1]) <= SAME_M
        ):
            used -= 1
        for i in range(begin, used):
            j = i + 1 if i + 1 < used else begin
            area += (out[i, 0] - out[begin, 0]) * (out[j, 1] - out[begin, 1]) - (out[j, 0] - out[begin, 0]) * (
                out[i, 1] - out[begin, 1]
            )
        if used - begin < 3 or abs(area) < 2.0 * SMALL_M2:
            used = begin
            continue
        for i in range(begin, used):
            out[i, 0] += box[0]
            out[i, 1] += box[1]
        out[used, 0], out[used, 1] = out[begin, 0], out[begin, 1]
        used += 1
        sizes[rings, 0], sizes[rings, 1] = used - begin, 0.5 * area
        rings += 1
    return used, rings


@jit
def sweep(
    ground,
    ground_last,
    ground_from,
    boxes,
    cover,
    cover_last,
    cover_from,
    pair_from,
    pair_cover,
    kept,
    trace,
    net,
    raw,
    left,
):
    """Sweep every container of a chunk.

    Parameters
    ----------
    ground, cover
        Coordinates (n, 2); ``*_last`` marks the closing vertex of each ring, ``*_from`` the first vertex of each polygon.
    pair_from, pair_cover
        First pair of each container; the cover of each pair, in order of priority.
    kept
        Per container: how many of its pairs take ground from the rest.
    net, raw, left
        Filled in place: m² per pair and per container.

    Returns
    -------
    xy, sizes, owner, good
        Ring coordinates one after the other, (length, signed area) and container of each ring, and per container
        whether its rings could be traced.
    """
    out, used = np.empty((1024, 2), np.float64), np.int64(0)
    sizes, ring_of, rings = np.empty((64, 2), np.float64), np.empty(64, np.int64), np.int64(0)
    good = np.ones(left.size, np.bool_)
    for g in range(left.size):
        p0, p1 = pair_from[g], pair_from[g + 1]
        most = ground_from[g + 1] - ground_from[g]
        for p in range(p0, p1):
            c = pair_cover[p]
            most += cover_from[c + 1] - cover_from[c]
        edges, owner = np.empty((most + 1, 4), np.float64), np.empty(most + 1, np.int64)
        box = (boxes[g, 0], boxes[g, 1], boxes[g, 2], boxes[g, 3])
        count = _collect(ground, ground_last, ground_from[g], ground_from[g + 1], box, 0, edges, owner, 0)
        for p in range(p0, p1):
            c = pair_cover[p]
            count = _collect(cover, cover_last, cover_from[c], cover_from[c + 1], box, p - p0 + 1, edges, owner, count)
        if count == 0:
            continue
        rest, node_x, node_y, following, fine = _group(
            edges, owner, count, p1 - p0, kept[g], box, trace[g], net[p0:p1], raw[p0:p1]
        )
        left[g], good[g] = rest, fine
        if not trace[g] or not fine or node_x.size == 0:
            continue
        while used + 2 * node_x.size + 2 > out.shape[0]:
            out = _wider(out)
        while rings + node_x.size // 2 + 2 > sizes.shape[0]:
            sizes, ring_of = _wider(sizes), _grow(ring_of)
        was = rings
        used, rings = _rings(node_x, node_y, following, box, out, sizes, used, rings)
        for ring in range(was, rings):
            ring_of[ring] = g
    return out[:used], sizes[:rings], ring_of[:rings], good
