"""Layers of the map as folium elements: `AreaLayer`, `PointLayer`, `TrackLayer`, `RasterLayer`.

For turning a frame into classes, columns and a payload; not for choosing which layers a survey shows (see `survey`).
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from branca.element import Element, MacroElement
from jinja2 import Template

from geotools.maps.symbols import Symbol, theme
from geotools.maps.webmap import payload as _payload
from geotools.maps.webmap import rasters as _rasters
from geotools.maps.webmap import words
from geotools.maps.webmap.words import Label
from geotools.model.errors import MapError
from geotools.model.schema import KINDS
from geotools.model.schema.names import whole_text, with_single_names
from geotools.space import crs as _crs
from geotools.space import measure

GROUPS = ("areas", "released", "work", "finds", "compare", "issues", "other", "context")
LEFT_OUT = {
    "guid",
    "source_crs",
    "source_coords",
    "transform_op",
    "links",
    "area_basis",
    "safe_to_publish",
    "fid",
    "geometry",
}
MAX_CLASSES = 200


@dataclass(frozen=True)
class ClassRow:
    """One class of a layer: what the legend says and how it is drawn; `then` is the class before the status was known to hold.

    Parameters
    ----------
    key
        Value of the column that assigns the classes.
    label, long
        What the legend says, and what the popup says if it says more: text, or language → text.
    symbol
        How it is drawn.
    adds
        ``layer|class`` to whose row of the legend this ground is counted; it has no row of its own then.
    bare
        Drawn without its outline.
    then
        The class before the status was known to hold.

    Examples
    --------
    >>> row = ClassRow("open", {"en": "Open", "az": "Açıq"}, Symbol(fill="#d55e00"))
    >>> row.to_dict()["label"]["az"], row.to_dict()["symbol"]
    ('Açıq', {'fill': '#d55e00'})
    """

    key: str
    label: Label
    symbol: Symbol
    long: Label | None = None
    adds: str = ""
    bare: bool = False
    then: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the page."""
        out: dict[str, Any] = {"key": self.key, "label": self.label, "symbol": self.symbol.to_dict()}
        out.update(
            {k: v for k, v in (("long", self.long), ("adds", self.adds), ("bare", self.bare), ("then", self.then)) if v}
        )
        return out


@dataclass(frozen=True)
class LayerSpec:
    """How a layer is named, grouped, filtered and drawn.

    Parameters
    ----------
    id, kind
        Name of the layer in the page, and its record kind (or any text).
    title
        Text, or language → text.
    group
        One of `GROUPS`.
    classes, by
        Class rows, and the column (or function of the frame giving keys) that assigns them; no `by`: all in the first.
    columns
        Columns to carry, in order; None: all that are filled.
    date
        Column that says from when a feature is shown; `undated="late"`: without a date only on the last day.
    inverse
        Shown *until* its date instead of from it.
    label, rank, search
        Column written on the map, column that decides which name wins, columns that are searched.
    quiet
        Context: no popup, no figures.
    min_zoom, max_zoom
        Drawn from this zoom on, so that an overview stays calm (the panel says so), and up to this one (0: always).
    folded
        Whether the panel opens with the classes of this layer folded.
    told
        Columns that the class already tells, left out of the table.
    twin
        Name of the layer that this silent one is switched and counted with.
    book
        Movements of the ledger of each feature (see `history`), for figures of any day.

    Examples
    --------
    >>> spec = LayerSpec("wells", {"en": "Wells", "tr": "Kuyular"}, group="context", label="name")
    >>> spec.visible, spec.search
    (True, ('id', 'name', 'place'))
    """

    id: str
    title: Label
    kind: str = ""
    group: str = "work"
    classes: tuple[ClassRow, ...] = ()
    by: str | Callable[[gpd.GeoDataFrame], Iterable[Any]] | None = None
    columns: tuple[str, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    date: str = ""
    undated: str = ""
    inverse: bool = False
    label: str = ""
    rank: str = ""
    search: tuple[str, ...] = ("id", "name", "place")
    visible: bool = True
    quiet: bool = False
    cluster: bool = True
    ledger: bool = False
    silent: bool = False
    side: str = ""
    context: bool = False
    min_zoom: int = 0
    max_zoom: int = 0
    folded: bool = False
    told: tuple[str, ...] = ()
    twin: str = ""
    book: Mapping[str, Any] = field(default_factory=dict)


class VectorLayer(MacroElement):
    """Base of the three vector layers; use `AreaLayer`, `PointLayer` or `TrackLayer`."""

    shape = "polygon"
    _template = Template("{% macro html(this, kwargs) %}{{ this.blocks() }}{% endmacro %}")

    def __init__(
        self,
        frame: gpd.GeoDataFrame,
        title: Label,
        *,
        by: str | None = None,
        symbols: Mapping[str, Symbol] | None = None,
        spec: LayerSpec | None = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        self._name = type(self).__name__
        lonlat = _crs.to_wgs84(cast("gpd.GeoDataFrame", with_single_names(frame)))
        self.spec = spec or _own_spec(lonlat, title, by, symbols, self.shape, settings)
        classes, codes = _classes(lonlat, self.spec)
        self.spec = dataclasses.replace(self.spec, classes=classes)
        self.columns, table = _table(lonlat, self.spec, self.shape)
        self._words = _words_in(self.columns, table)
        self.bounds = _bounds(lonlat)
        self.boxes = shapely.bounds(lonlat.geometry.array)
        self.features = len(lonlat)
        self.placed = int((~(lonlat.geometry.isna() | lonlat.geometry.is_empty)).sum())
        self.payload = _payload.encode(lonlat.geometry.array, {"cls": codes, **table}, kind=self.shape, coded=("cls",))

    def get_bounds(self) -> list[list[float | None]]:
        """[[south, west], [north, east]], as folium asks for."""
        if self.bounds is None:
            return [[None, None], [None, None]]
        west, south, east, north = self.bounds
        return [[south, west], [north, east]]

    @property
    def dropped(self) -> int:
        """Features whose geometry could not be drawn; they are in the table all the same."""
        return len(self.payload.dropped)

    def vocabularies(self) -> dict[str, set[str]]:
        """Vocabulary → words in its columns."""
        return dict(self._words)

    def blocks(self) -> str:
        """The two inert script blocks: description and payload."""
        spec = self.spec
        data = f"{self.get_name()}_data"
        head: dict[str, Any] = {
            "id": spec.id, "data": data, "kind": spec.kind, "title": spec.title, "group": spec.group,
            "classes": [c.to_dict() for c in spec.classes], "cols": self.columns, "search": [s for s in spec.search if s],
            "visible": spec.visible, "cluster": spec.cluster, "quiet": spec.quiet, "ledger": spec.ledger, "silent": spec.silent,
        }  # fmt: skip
        rarer: tuple[tuple[str, Any], ...] = (
            ("date", spec.date),
            ("undated", spec.undated),
            ("inverse", spec.inverse),
            ("side", spec.side),
            ("context", spec.context),
            ("minZoom", spec.min_zoom),
            ("maxZoom", spec.max_zoom),
            ("folded", spec.folded),
            ("told", spec.told or ((spec.by,) if isinstance(spec.by, str) else ())),
            ("twin", spec.twin),
            ("book", dict(spec.book)),
        )
        head.update({k: v for k, v in rarer if v})
        if spec.label:
            head["label"] = {"column": spec.label, "rank": spec.rank}
        return (
            f'<script type="application/octet-stream" id="{self.get_name()}" data-gt-layer>{packed_json(head)}</script>\n'
            f'<script type="application/octet-stream" id="{data}">{self.payload.text}</script>'
        )


class AreaLayer(VectorLayer):
    """Polygons on canvas tiles, with hatches, level of detail and popups.

    Parameters
    ----------
    frame
        Any CRS; geometry may be missing (such rows are in the table only).
    title
        Name in the panel: text, or language → text.
    by
        Column whose values are the classes of the legend.
    symbols
        Value → `geotools.symbols.Symbol`; values without one get the theme's ``other``.
    **settings
        Fields of `LayerSpec`, e.g. ``group="work"``, ``visible=False``, ``date="date"``, ``label="id"``.

    Raises
    ------
    MapError
        If a column cannot be shown, there are more than 200 classes, or a setting is unknown.
    CRSError
        If the frame has no CRS.

    Examples
    --------
    >>> field = gpd.GeoDataFrame({"id": ["T-1"]}, geometry=[shapely.box(46.7, 39.8, 46.8, 39.9)], crs="EPSG:4326")
    >>> AreaLayer(field, "Tasks", label="id").features
    1
    """

    shape = "polygon"


class PointLayer(VectorLayer):
    """Points with trade symbols, clustered with counts; parameters as `AreaLayer`.

    Examples
    --------
    >>> wells = gpd.GeoDataFrame({"id": ["W-1"], "state": ["dry"]}, geometry=gpd.points_from_xy([46.7], [39.8]), crs="EPSG:4326")
    >>> PointLayer(wells, "Wells", by="state", symbols={"dry": Symbol(marker="circle")}).features
    1
    """

    shape = "point"


class TrackLayer(VectorLayer):
    """Lines; parameters as `AreaLayer`.

    Examples
    --------
    >>> road = gpd.GeoDataFrame({"id": ["R-1"]}, geometry=[shapely.LineString([(46.7, 39.8), (46.8, 39.9)])], crs="EPSG:4326")
    >>> TrackLayer(road, {"en": "Roads", "az": "Yollar"}).features
    1
    """

    shape = "line"


class RasterLayer(MacroElement):
    """A raster warped to the map: counts and classes without loss, relief as a picture.

    Parameters
    ----------
    raster
        Path of a GeoTIFF, or a `geotools.grid.Raster`.
    title
        Name in the panel.
    kind
        ``counts`` (whole numbers, e.g. passes), ``classes`` (codes), ``values`` (a colour ramp), ``relief`` or ``photo`` (three bands).
    labels
        Value → text, for the legend of counts and classes.
    **settings
        ``id``, ``visible``, ``opacity``, ``basemap=True`` (a choice of base map instead of an overlay), ``colors`` (in order, or
        value → colour), ``date`` (from when an overlay is shown; without one on the last day of the slider only), ``max_bytes``
        (relief and photos are made coarser until they fit).

    Raises
    ------
    MapError
        If a setting is unknown, or the raster cannot be shown that way.

    Examples
    --------
    >>> from geotools.space.grid import Grid, Raster
    >>> passes = Raster(np.array([[0, 1], [2, 2]], dtype=np.uint8), Grid.around((680000, 4380000, 680010, 4380010), 5.0, "EPSG:32638"))
    >>> layer = RasterLayer(passes, "Passes", visible=True)
    >>> [round(v, 3) for v in layer.describe()["bounds"]], [row["label"] for row in layer.describe()["legend"]]
    ([47.095, 39.551, 47.095, 39.551], ['0', '1', '2'])
    """

    _template = Template("{% macro html(this, kwargs) %}{{ this.blocks() }}{% endmacro %}")

    def __init__(
        self,
        raster: Any,
        title: Label,
        *,
        kind: str = "counts",
        labels: Mapping[int, Label] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        self._name = "RasterLayer"
        unknown = sorted(set(settings) - {"id", "visible", "opacity", "basemap", "colors", "date", "max_bytes"})
        if unknown:
            raise MapError(f"a raster layer has no setting '{unknown[0]}'")
        self.title = title
        self.image = _rasters.image(
            raster, kind=kind, colors=settings.get("colors"), labels=labels, max_bytes=settings.get("max_bytes")
        )
        self.settings = settings
        self.spec = None

    def describe(self) -> dict[str, Any]:
        """The entry of this image in the page's list."""
        s, image = self.settings, self.image
        day = {"date": pd.Timestamp(s["date"]).date().isoformat()} if s.get("date") is not None else {}
        return {
            "id": s.get("id", self.get_name()), "data": f"{self.get_name()}_data", "title": self.title, "mime": image.mime, "bounds": list(image.bounds),
            "overlay": not s.get("basemap", False), "visible": bool(s.get("visible", False)), "pixelated": image.pixelated,
            "opacity": float(s.get("opacity", 0.85 if image.pixelated else 1.0)), "legend": [{"color": c, "label": t} for c, t in image.legend], **day,
        }  # fmt: skip

    def blocks(self) -> str:
        """The inert block with the picture."""
        return f'<script type="application/octet-stream" id="{self.get_name()}_data">{self.image.base64}</script>'


def packed_json(data: Any) -> str:
    """JSON as gzipped base64 for an inert block: no text of the data stands in the page's source.

    Examples
    --------
    >>> "script" in packed_json("</script>")
    False
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _payload.pack(whole_text(text).encode("utf-8"))


def _words_in(columns: list[dict[str, Any]], table: Mapping[str, Any]) -> dict[str, set[str]]:
    used: dict[str, set[str]] = {}
    for column in columns:
        if "vocab" in column:
            cells = {v for v in table[column["name"]] if isinstance(v, str)}
            used.setdefault(column["vocab"], set()).update(w.strip() for v in cells for w in v.split(","))
    return used


def _own_spec(
    frame: gpd.GeoDataFrame,
    title: Label,
    by: str | None,
    symbols: Mapping[str, Symbol] | None,
    shape: str,
    settings: Mapping[str, Any],
) -> LayerSpec:
    known = {f.name for f in dataclasses.fields(LayerSpec)}
    unknown = sorted(set(settings) - known)
    if unknown:
        raise MapError(f"a layer has no setting '{unknown[0]}'", hint=f"settings: {', '.join(sorted(known))}")
    group = {"polygon": "area", "line": "line", "point": "point"}[shape]
    base = theme().symbol(group, "other")
    values = [""] if by is None else _distinct(frame, by)
    rows = tuple(
        ClassRow(v, title if by is None else (v or words.label("class", "unknown")), (symbols or {}).get(v, base))
        for v in values
    )
    plain = title if isinstance(title, str) else title.get("en", "layer")
    return LayerSpec(**{"id": plain, "title": title, "classes": rows, "by": by, **settings})


def _distinct(frame: gpd.GeoDataFrame, by: str) -> list[str]:
    if by not in frame:
        raise MapError(f"there is no column '{by}' to draw by", hint=f"columns: {', '.join(map(str, frame.columns))}")
    values = sorted({_text(v) for v in frame[by]})
    if len(values) > MAX_CLASSES:
        raise MapError(
            f"column '{by}' has {len(values)} different values; a legend holds {MAX_CLASSES}",
            hint="draw by a column with fewer values",
        )
    return values or [""]


def _text(value: Any) -> str:
    return (
        ""
        if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
        else str(value)
    )


def _classes(frame: gpd.GeoDataFrame, spec: LayerSpec) -> tuple[tuple[ClassRow, ...], list[str]]:
    """Class rows that occur, in the order given, and the class key of each row."""
    if spec.by is None:
        codes = [spec.classes[0].key] * len(frame) if spec.classes else [""] * len(frame)
    else:
        codes = [_text(v) for v in (spec.by(frame) if callable(spec.by) else frame[spec.by])]
    present = set(codes)
    wanted = present | {row.then for row in spec.classes if row.key in present}
    rows = tuple(row for row in spec.classes if row.key in wanted) or spec.classes[:1]
    missing = present - {row.key for row in spec.classes}
    if missing and len(frame):
        raise MapError(f"layer {spec.id}: no legend row for {sorted(missing)[0]!r}")
    if not rows:
        rows = (ClassRow("", spec.title, theme().symbol("area", "other")),)
    return rows, codes


def _table(frame: gpd.GeoDataFrame, spec: LayerSpec, shape: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Descriptions of the columns, and their values."""
    geometry = frame.geometry.name
    if spec.columns is not None:
        names = [c for c in spec.columns if c in frame]
    else:
        order = {c: n for n, c in enumerate(KINDS[spec.kind].names)} if spec.kind in KINDS else {}
        names = sorted(
            (
                c
                for c in map(str, frame.columns)
                if c != geometry and c not in LEFT_OUT and not c.endswith("_as_entered")
            ),
            key=lambda c: order.get(c, 999),
        )
    columns: list[dict[str, Any]] = []
    table: dict[str, Any] = {}
    for name in names:
        if name == "cls" or frame[name].isna().all():
            continue
        columns.append(_describe(name, frame[name], spec.kind))
        table[name] = _rounded(name, frame[name])
    if shape == "polygon" and not spec.quiet and "area_m2" not in table and "area_m2" not in spec.extra:
        area = _plain_area(measure.area(frame))
        if any(v is not None for v in area):
            columns.append({"name": "area_m2", "type": "area"})
            table["area_m2"] = area
    for name, values in spec.extra.items():
        columns.append({"name": name, "type": "area" if name.endswith("_m2") else "text", "hidden": True})
        table[name] = values
    if "id" in table:
        table["id"] = [_text(v) or None for v in table["id"]]
    return columns, table


def _plain_area(area: pd.Series) -> list[float | int | None]:
    """Areas to 0.1 m² up to 1000 m², to 1 m² above: finer than any position they come from."""
    return [None if math.isnan(v) else round(v) if v >= 1000 else round(v, 1) for v in area.tolist()]


def whole_stays(values: pd.Series) -> pd.Series:
    """m² to one decimal that round to the same whole m² as the figure itself, so that the page says what other outputs say.

    Examples
    --------
    >>> whole_stays(pd.Series([29897.456, 12.34])).tolist()
    [29897.4, 12.3]
    """
    short = values.round(1)
    away = short.round() - values.round()
    return (short - 0.1 * away).round(1)


def _describe(name: str, values: pd.Series, kind: str) -> dict[str, Any]:
    out: dict[str, Any] = {"name": name, "type": "text"}
    vocab = words.vocab_of(kind, name)
    if vocab:
        several = kind in KINDS and name in KINDS[kind].names and KINDS[kind].column(name).kind == "words"
        return {**out, "type": "words" if several else "word", "vocab": vocab}
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return {**out, "type": "date"} if getattr(values.dtype, "tz", None) is None else out
    if kind in KINDS and name in KINDS[kind].names and KINDS[kind].column(name).kind == "date":
        return {**out, "type": "date"}
    if name.endswith("_m2"):
        return {**out, "type": "area"}
    return {**out, "type": "share"} if name == "coverage" else out


def _rounded(name: str, values: pd.Series) -> Any:
    if pd.api.types.is_float_dtype(values.dtype):
        return whole_stays(values.astype(float)) if name.endswith("_m2") else values.astype(float).round(6)
    return (
        values.astype(object).where(values.notna(), None)
        if not pd.api.types.is_datetime64_any_dtype(values.dtype)
        else values
    )


def _bounds(frame: gpd.GeoDataFrame) -> tuple[float, float, float, float] | None:
    if not len(frame):
        return None
    box = shapely.total_bounds(frame.geometry.array)
    return tuple(float(v) for v in box) if np.isfinite(box).all() else None  # type: ignore[return-value]


def raw(text: str) -> Element:
    """A piece of page that we wrote ourselves."""
    return Element("{% raw %}" + text + "{% endraw %}")
