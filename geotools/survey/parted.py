"""A national survey whose layers are in parts: its ledger, without ever holding its polygons.

For folders that `geotools convert --parts` made; every other survey, and every other question, goes through `opening`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.model.programme import Programme, load_toml
from geotools.model.schema import kind_of
from geotools.space.crs import on_wgs84
from geotools.survey import sources

if TYPE_CHECKING:
    from geotools.analysis.release import Coverage

LAYERS = ("hazards", "releases", "events")


@dataclass(frozen=True)
class Parted:
    """Where the layers of a survey in parts are, and the programme they belong to."""

    layers: dict[str, Path]
    programme: Programme

    def coverage(self, **how: Any) -> Coverage:
        """The ledger of the survey; arguments as of `geotools.coverage`."""
        from geotools.analysis.release import coverage
        from geotools.io.parts import Parts

        events = self.layers.get("events")
        return coverage(
            self.layers["hazards"], self.layers["releases"], programme=self.programme,
            events=None if events is None else Parts.open(events).read(), **how,
        )  # fmt: skip


def layers_in_parts(source: str | Path) -> Parted | None:
    """The layers of a folder that holds hazards and releases in parts; None for any other source.

    A ``survey.toml`` in the folder may say what the programme is. If it lists layers or words of its own, if a layer is on another
    datum, or if other files of records lie beside the layers, the folder is read whole like any other.

    Examples
    --------
    >>> layers_in_parts("no such folder") is None
    True
    """
    folder = Path(source)
    if not all((folder / f"{name}.parquet").is_dir() for name in LAYERS[:2]):
        return None
    from geotools.io.parts import Parts, is_parts

    layers = {name: folder / f"{name}.parquet" for name in LAYERS if is_parts(folder / f"{name}.parquet")}
    if not {"hazards", "releases"} <= set(layers):
        return None
    table = sources.table_of(folder)
    said = {} if table is None else load_toml(table)
    programme = Programme() if table is None else Programme.from_dict(said.get("programme", {}), file=table)
    if "layer" in said or programme.words or programme.columns:
        return None
    if not all(crs is None or on_wgs84(crs) for crs in (Parts.open(path).crs for path in layers.values())):
        return None  # one datum operation, the programme's, must serve all of it
    for item in sources.plan(folder, None, None).sources:
        if item.path not in layers.values() and kind_of(item.layer or item.path.stem) in (*LAYERS, None):
            return None  # more of the ledger lies beside them
    return Parted(layers, programme)
