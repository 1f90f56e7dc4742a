"""How the finished parts of a ledger are kept on disk, so that a crash costs one part: plain arrays under the content of the part.

For `engine.solve` under an executor that was given a folder; see `model.parallel.using`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geotools.model.parallel import Codec
from geotools.model.provenance import version
from geotools.space.shapes import Shapes

if TYPE_CHECKING:
    from geotools.analysis.release.engine import Job, Settled


def codec(engine: str, settled: type[Settled]) -> Codec[Job[Shapes], Settled]:
    """The codec of an engine's parts; `settled` is the class of their results."""

    def load(arrays: Mapping[str, np.ndarray]) -> Settled:
        rest = _shapes(arrays["bytes"], arrays["sizes"]) if "sizes" in arrays else None
        return settled(arrays["net"], arrays["raw"], arrays["left"], rest)

    return Codec(lambda part: _key(engine, part), _dump, load)


def _key(engine: str, part: Job[Shapes]) -> str:
    digest = hashlib.sha256(f"{version()} {engine} {part.kept} {part.geometry} {part.credit}".encode())
    for shapes in (part.containers, part.covers):
        digest.update(shapes.named() + b"||")
    for numbers in (part.container, part.cover):
        digest.update(np.ascontiguousarray(numbers, dtype="int64").tobytes())
    return digest.hexdigest()


def _dump(result: Settled) -> dict[str, Any]:
    arrays: dict[str, Any] = {"net": result.net, "raw": result.raw, "left": result.left}
    if result.rest is not None:
        blocks = shapely.to_wkb(result.rest)
        arrays["sizes"] = np.array([len(b) for b in blocks], dtype="int64")
        arrays["bytes"] = np.frombuffer(b"".join(blocks), dtype="uint8")
    return arrays


def _shapes(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    text, ends = data.tobytes(), np.cumsum(sizes)
    return shapely.from_wkb(np.array([text[b - n : b] for b, n in zip(ends, sizes, strict=True)], dtype=object))
