"""`manifest.json`: every file with its hash, and the base revision of every record that a team may edit.

For checking a package and merging what comes back; not for reading records.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import shapely

from geotools.field.package.cargo import Cargo
from geotools.field.package.geopackage import Table, arrow
from geotools.model.provenance import now, sha256, version

WHAT = "geotools field package"
NAME = "manifest.json"
LAYOUT = 1


def manifest(folder: Path, cargo: Cargo, listed: list[Table], lang: str) -> dict[str, Any]:
    """What is in a folder that is complete but for this file."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != NAME)
    base = {t.name: revisions(t) for t in listed if t.editable}
    head: dict[str, Any] = {
        "what": WHAT, "layout": LAYOUT, "software": f"geotools {version()}", "created": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "programme": cargo.name, "task": cargo.title or None, "level": cargo.level, "language": lang,
        "squares_m": cargo.precision_m or None, "information_up_to": cargo.information or None,
        "margin_m": cargo.margin_m or None, "hazards_elsewhere_without_position": cargo.elsewhere or None,
        "counts": {kind: len(frame) for kind, frame in sorted(cargo.layers.items())},
        "withheld": {kind: n for kind, n in sorted(cargo.withheld.items()) if n},
        "base": {"file": "qfield/team.gpkg", "revision": _digest(base), "rows": base} if base else None,
        "files": {
            p.relative_to(folder).as_posix(): {"bytes": p.stat().st_size, "sha256": sha256(p)} for p in files
        },
    }  # fmt: skip
    return {k: v for k, v in head.items() if v is not None}


def revisions(table: Table) -> dict[str, str]:
    """id → hash of what this record was when it left: attributes and geometry of the GeoPackage."""
    rows = arrow(table).to_pylist()
    out = {}
    for row in rows:
        blob = row.pop("geom")
        shape = None if blob is None else shapely.to_wkb(shapely.normalize(shapely.from_wkb(blob)), hex=True)
        out[str(row["id"])] = _digest({**{k: None if v is None else str(v) for k, v in row.items()}, "geom": shape})
    return out


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()


def is_package(folder: Path) -> bool:
    """Whether a folder is a package that we wrote."""
    try:
        return bool(json.loads((folder / NAME).read_text("utf-8")).get("what") == WHAT)
    except (OSError, ValueError, AttributeError):
        return False
