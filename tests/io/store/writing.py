"""One of several writers that count together; run by `test_store_crash` as processes of their own.

Each adds one to a shared row, and a row of its own, in one save on the revision it loaded; where someone was faster it loads
again. Prints how often it was refused.
"""

from __future__ import annotations

import sys

import geopandas as gpd
import shapely

from geotools.io import store as stores
from geotools.model.errors import ConflictError


def main() -> None:
    """Usage: writing.py URL NAME TIMES."""
    url, name, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    refused = 0
    with stores.open(url) as store:
        for turn in range(times):
            while True:
                base = store.head().number
                count = store.load("places", as_of=base, where={"id": "counter"})
                own = {"id": [f"{name}-{turn:04}"], "population": [turn]}
                mine = gpd.GeoDataFrame(own, geometry=[shapely.Point(turn, 0)], crs="EPSG:32638")
                try:
                    store.save(
                        {"places": count.assign(population=count["population"] + 1), "finds": mine}, note=f"{turn}", author=name, base=base
                    )  # fmt: skip
                    break
                except ConflictError:
                    refused += 1
    print(refused)


if __name__ == "__main__":
    main()
