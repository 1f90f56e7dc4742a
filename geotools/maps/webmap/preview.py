"""A small picture of a map for notebooks where the page itself would be too big.

For recognising a map at a glance; not a product.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

from geotools.maps.webmap.layers import VectorLayer
from geotools.maps.webmap.payload import decode

MOST = 20_000


def picture(made: Any) -> str:
    """PNG as base64: outlines of the layers in their solid colours, the first 20,000 features of each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=100, facecolor="#eceee9")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for layer in made._children.values():
        if not isinstance(layer, VectorLayer) or not layer.spec.visible:
            continue
        data = decode(layer.payload.body)
        colors = {c.key: c.symbol.fill if c.symbol.marker else c.symbol.solid for c in layer.spec.classes}
        rings = np.split(data.steps / 1e7, np.cumsum(data.per_ring)[:-1]) if len(data.per_ring) else []
        owner = np.repeat(np.arange(len(data.per_feature)), data.per_feature)[:MOST]
        ink = [colors.get(data.columns["cls"][f], "#555555") for f in owner]
        if layer.shape == "point":
            points = np.array([ring[0] for ring in rings[:MOST]]) if rings else np.zeros((0, 2))
            axes.scatter(points[:, 0], points[:, 1], s=6, c=ink, linewidths=0)
        else:
            axes.add_collection(LineCollection(rings[:MOST], colors=ink, linewidths=0.8))
    box = made.page.describe()["bounds"]
    if box:
        axes.set_xlim(box[0], box[2])
        axes.set_ylim(box[1], box[3])
        axes.set_aspect(1 / np.cos(np.radians((box[1] + box[3]) / 2)), adjustable="datalim")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return base64.b64encode(stream.getvalue()).decode("ascii")
