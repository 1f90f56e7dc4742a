"""A seeded, synthetic national data set: hazards in clusters along three lines, releases as lanes and patches in them.

n releases of 20–200 vertices on n/5 hazards; about 7 % of the releases are broken (crossing or collapsed boundaries, spikes,
repeated vertices, no geometry, exact duplicates), 4 % lie far from any hazard. Every record is invented.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

PLANE = "+proj=laea +lat_0=40 +lon_0=46.5 +datum=WGS84 +units=m +no_defs"
LINES = (((-160e3, -100e3), (-20e3, 10e3)), ((-60e3, 110e3), (60e3, -40e3)), ((20e3, 90e3), (170e3, -110e3)))
PRODUCTS, SHARES = ("cleared", "reduced", "cancelled"), (0.7, 0.2, 0.1)


def blob(rng, x, y, radius, corners):
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = radius * rng.uniform(0.55, 1.0, corners)
    return np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)])


def hazard(rng, x, y):
    radius = float(np.exp(rng.normal(np.log(140), 0.6)))
    shape = shapely.Polygon(blob(rng, x, y, radius, int(rng.integers(8, 61))))
    lot = rng.random()
    if lot < 0.02:
        shape = shape.difference(shapely.Polygon(blob(rng, x, y, 0.25 * radius, 12)))
    elif lot < 0.03:
        shape = shapely.MultiPolygon([shape, shapely.Polygon(blob(rng, x + 3 * radius, y, 0.5 * radius, 12))])
    return shape, radius


def lane(rng, x, south, north, width, steps):
    """A strip of stepped outline, a little wider than its share, so that neighbours overlap."""
    levels = np.linspace(south, north, steps + 1)
    west = x + rng.uniform(-0.12, 0.05, steps) * width
    east = x + width * (1 + rng.uniform(-0.05, 0.12, steps))
    left = np.column_stack([np.repeat(west, 2), np.repeat(levels, 2)[1:-1]])
    right = np.column_stack([np.repeat(east, 2), np.repeat(levels, 2)[1:-1]])
    return shapely.Polygon(np.vstack([right, left[::-1]]))


def broken(rng, shape):
    """The same outline, with one of the faults of real files."""
    points = shapely.get_coordinates(shape)[:-1]
    lot = rng.random()
    at = int(rng.integers(1, len(points) - 2))
    if lot < 0.35:  # two neighbours exchanged: the boundary crosses itself
        points[[at, at + 1]] = points[[at + 1, at]]
    elif lot < 0.55:  # a spike
        points = np.insert(points, at + 1, [points[at] + rng.normal(0, 60, 2), points[at]], axis=0)
    elif lot < 0.6:  # nearly nothing
        points = points[[0, 1, 0, 1]]
    elif lot < 0.95:  # repeated vertices
        points = np.repeat(points, 2, axis=0)
    else:
        return None
    return shapely.Polygon(points)


def national(n, seed=0, crs="EPSG:32638"):
    """Hazards and releases of a synthetic country.

    Returns
    -------
    (GeoDataFrame, GeoDataFrame)
        With ids, dates, products, methods and organisations; 8 % of the links are wrong, 12 % missing. Rows in random order.
    """
    rng = np.random.default_rng(seed)
    count = n // 5
    shapes, patches, owner = [], [], []
    towns = []
    for start, stop in LINES:
        for share in rng.uniform(0, 1, max(2, count // 240)):
            towns.append(np.array(start) + share * (np.array(stop) - np.array(start)) + rng.normal(0, 3000, 2))
    radii, centres = [], []
    for _ in range(count):
        town = towns[int(rng.integers(len(towns)))]
        x, y = town + rng.normal(0, 5000, 2)
        shape, radius = hazard(rng, x, y)
        shapes.append(shape)
        radii.append(radius)
        centres.append((x, y))
    worked = rng.permutation(count)[: max(1, int(0.72 * count))]
    load = rng.multinomial(int(0.96 * n), rng.dirichlet(np.full(len(worked), 1.5)))
    for h, lanes in zip(worked, load, strict=True):
        (x, y), radius = centres[h], radii[h]
        reach = rng.uniform(0.5, 1.0) * 1.6 * radius
        for k in range(lanes):
            if rng.random() < 0.7:
                width = reach / max(lanes, 3)
                tall = rng.uniform(0.3, 1.5) * radius
                south = y - tall / 2 + rng.normal(0, 0.2 * radius)
                patches.append(
                    lane(
                        rng,
                        x - radius * 0.7 + k * width,
                        south,
                        south + tall,
                        width,
                        int(np.clip(rng.lognormal(3.05, 0.5), 5, 50)),
                    )
                )
            else:
                patches.append(
                    shapely.Polygon(
                        blob(rng, *rng.normal((x, y), 0.4 * radius), 0.3 * radius, int(rng.integers(20, 160)))
                    )
                )
            owner.append(h)
    while len(patches) < n:
        patches.append(shapely.Polygon(blob(rng, *rng.uniform(-170e3, 170e3, 2), 80, int(rng.integers(20, 160)))))
        owner.append(-1)
    patches, owner = patches[:n], np.array(owner[:n])
    bad = rng.random(n)
    for k in np.flatnonzero(bad < 0.058):
        patches[k] = broken(rng, patches[k])
    for k in np.flatnonzero((bad > 0.988) & (np.arange(n) > 0)):
        patches[k] = patches[k - 1]
    return _frames(rng, shapes, patches, owner, crs)


def _frames(rng, shapes, patches, owner, crs):
    count, n = len(shapes), len(patches)
    ids = np.array([f"H-{k:06d}" for k in range(count)])
    link = np.where(owner >= 0, ids[np.maximum(owner, 0)], None).astype(object)
    wrong = rng.random(n)
    link[wrong < 0.08] = ids[rng.integers(0, count, int((wrong < 0.08).sum()))]
    link[wrong > 0.88] = None
    product = rng.choice(PRODUCTS, n, p=SHARES)
    method = np.select(
        [product == "cleared", product == "reduced"],
        [rng.choice(["manual", "mdd", "mechanical"], n, p=[0.7, 0.2, 0.1]), "ts"],
        "nts",
    )
    releases = gpd.GeoDataFrame(
        {
            "id": [f"R-{k:07d}" for k in range(n)],
            "hazard_id": link,
            "product": product,
            "method": method,
            "date": pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 2500, n), unit="D"),
            "organisation": rng.choice([f"Organisation {k}" for k in "ABCDE"], n),
        },
        geometry=gpd.GeoSeries(patches, crs=PLANE),
    )
    hazards = gpd.GeoDataFrame(
        {
            "id": ids,
            "classification": rng.choice(["CHA", "SHA"], count),
            "date_info": pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 300, count), unit="D"),
        },
        geometry=gpd.GeoSeries(shapes, crs=PLANE),
    )
    hazards = hazards.iloc[rng.permutation(count)].reset_index(drop=True)
    releases = releases.iloc[rng.permutation(n)].reset_index(drop=True)
    return (hazards, releases) if crs is None else (hazards.to_crs(crs), releases.to_crs(crs))
