"""How finished parts of the work are kept on disk, so that a crash costs one part: plain arrays and text under the content of the part.

For work under an executor that was given a folder (`model.parallel.using`); nothing here is a pickle.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import pyproj
import shapely

from geotools.model.parallel import Codec
from geotools.model.provenance import version

T = TypeVar("T")
TEXT = "text"


def codec(room: str, *classes: type[Any], systems: tuple[pyproj.CRS, ...] = ()) -> Codec[Any, Any]:
    """How results are kept that are made of numbers, texts, arrays, shapes, and these data classes.

    Parameters
    ----------
    room
        Name of the work: the same item may be asked for different things.
    systems
        Reference systems that may occur in results; they are named by their place here, never written out.
    """
    by_name = {one.__name__: one for one in classes}

    def dump(result: Any) -> Mapping[str, np.ndarray]:
        arrays: list[np.ndarray] = []
        text = json.dumps(_flat(result, arrays, systems), ensure_ascii=True)
        return {TEXT: _bytes(text.encode()), **{f"a{n}": array for n, array in enumerate(arrays)}}

    def load(stored: Mapping[str, np.ndarray]) -> Any:
        return _full(json.loads(stored[TEXT].tobytes()), stored, (by_name, systems))

    return Codec(lambda item: f"{room}-{digest(item)}", dump, load)


def digest(item: Any) -> str:
    """A name for some content: the same content, the same name, in any process and on any day."""
    arrays: list[np.ndarray] = []
    text = json.dumps(_flat(item, arrays, None), ensure_ascii=True)
    found = hashlib.sha256(f"{version()} {text}".encode())
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data if array.size else b"")
    return found.hexdigest()


def _bytes(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8)


def _flat(value: Any, arrays: list[np.ndarray], systems: tuple[pyproj.CRS, ...] | None) -> Any:
    """A value as JSON, its arrays beside it. Without `systems` a reference system is written out, which only a name needs."""
    if value is None or isinstance(value, str | bool | int | float):
        return value

    def held(kind: str, array: np.ndarray, **more: Any) -> dict[str, Any]:
        arrays.append(array)
        return {"is": kind, "at": len(arrays) - 1, **more}

    if isinstance(value, np.generic):
        return held("number", np.asarray(value))
    if isinstance(value, bytes | memoryview):
        return held("bytes", _bytes(bytes(value)))
    if isinstance(value, np.ndarray):
        return _flat_array(value, held)
    if isinstance(value, shapely.Geometry):
        return held("shape", _bytes(shapely.to_wkb(value)))
    if isinstance(value, pyproj.CRS):
        return {"is": "crs", "as": [value.srs, value.to_wkt()] if systems is None else systems.index(value)}
    if dataclasses.is_dataclass(value):
        parts = {f.name: _flat(getattr(value, f.name), arrays, systems) for f in dataclasses.fields(value)}
        return {"is": "class", "as": type(value).__name__, "of": parts}
    if isinstance(value, Mapping):
        pairs = [[_flat(k, arrays, systems), _flat(v, arrays, systems)] for k, v in value.items()]
        return {"is": "table", "of": pairs}
    if isinstance(value, tuple | list):
        return {"is": type(value).__name__, "of": [_flat(one, arrays, systems) for one in value]}
    if isinstance(value, frozenset):
        return {"is": "frozenset", "of": sorted(value)}
    raise TypeError(f"{type(value).__name__} is not kept")


def _flat_array(value: np.ndarray, held: Callable[..., Any]) -> Any:
    if value.dtype != object:
        return held("array", value)
    if all(isinstance(one, str) for one in value.flat):
        return {"is": "texts", "of": value.tolist()}
    blocks = [b"" if one is None else one for one in shapely.to_wkb(value).tolist()]
    return held("shapes", _bytes(b"".join(blocks)), sizes=[len(one) for one in blocks])


def _full(
    value: Any, stored: Mapping[str, np.ndarray], known: tuple[Mapping[str, type], tuple[pyproj.CRS, ...]]
) -> Any:
    if not isinstance(value, dict):
        return value
    kind, array = value["is"], stored[f"a{value['at']}"] if "at" in value else np.zeros(0)

    def each() -> list[Any]:
        return [_full(one, stored, known) for one in value["of"]]

    simple: dict[str, Callable[[], Any]] = {
        "number": lambda: array[()], "bytes": array.tobytes, "array": lambda: array, "crs": lambda: known[1][value["as"]],
        "shape": lambda: shapely.from_wkb(array.tobytes()), "texts": lambda: np.array([*value["of"], None], dtype=object)[:-1],
        "shapes": lambda: _shapes(array.tobytes(), value["sizes"]), "tuple": lambda: tuple(each()), "list": each,
        "frozenset": lambda: frozenset(value["of"]),
        "table": lambda: {_full(k, stored, known): _full(v, stored, known) for k, v in value["of"]},
        "class": lambda: known[0][value["as"]](**{name: _full(v, stored, known) for name, v in value["of"].items()}),
    }  # fmt: skip
    return simple[kind]()


def _shapes(data: bytes, sizes: list[int]) -> np.ndarray:
    out = np.full(len(sizes), None, dtype=object)
    ends = np.cumsum(sizes)
    filled = np.flatnonzero(sizes)
    out[filled] = shapely.from_wkb(np.array([data[ends[n] - sizes[n] : ends[n]] for n in filled], dtype=object))
    return out
