"""`OfflineMap`, the folium map that `geotools.map` returns, and the page description it carries.

For putting layers, words, figures and pictures together; writing the file is in `offline`.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from branca.element import MacroElement
from jinja2 import Template
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geotools.maps.symbols import theme as _theme
from geotools.maps.webmap import basemaps as _basemaps
from geotools.maps.webmap import outlines as _outlines
from geotools.maps.webmap import sources as _sources
from geotools.maps.webmap import survey as _survey
from geotools.maps.webmap import words
from geotools.maps.webmap.layers import RasterLayer, VectorLayer, packed_json
from geotools.maps.webmap.series import FIGURES, Series, series
from geotools.model.errors import MapError
from geotools.model.provenance import version
from geotools.model.schema import Issue, issues_frame, join_issues
from geotools.model.schema.names import whole_text
from geotools.model.vocab import LANGUAGES, vocabulary

FILTERS = (
    "status",
    "classification",
    "organisation",
    "product",
    "method",
    "contamination",
    "admin1",
    "severity",
    "check",
)
INLINE_BYTES = 5_000_000
_WORDS_ALWAYS = {"severity"}


@dataclass(frozen=True)
class MapOptions:
    """Settings of a map.

    Parameters
    ----------
    title, subtitle
        As printed in the panel; empty: the programme's name.
    lang
        Language the page opens in: en, az, tr or ru; empty: the programme's first, else English. The reader can change it.
    theme
        A theme of `geotools.symbols`, or the path of an authority's own.
    layers
        Record kinds to show; empty: all but raw positions and training data.
    by
        Column that colours layers of no record kind: words by class, numbers in five steps.
    basemap
        True: the relief, land cover and ortho that the survey has; False: none; or one or several of ``hillshade``,
        ``landcover``, ``ortho`` and paths of rasters, MBTiles files or folders of z/x/y pictures, the first shown first.
    rasters
        Name → path or `geotools.grid.Raster` of pass counts and the like, as overlays.
    sensitive
        Also show records whose location is marked as not to be published; the page then says so.
    sensitivity
        Text of the sensitivity class, printed in the panel.
    max_mb
        Size the page should keep to: base maps are cut to what is left of it, with a note (`save` can refuse more).

    Raises
    ------
    MapError
        If the page does not speak the language.

    Examples
    --------
    >>> MapOptions.of({"title": "Sector F", "layers": "hazards, releases"}).layers
    ('hazards', 'releases')
    >>> MapOptions.of({"titel": "Sector F"})
    Traceback (most recent call last):
    geotools.model.errors.MapError: a map has no setting 'titel'
    """

    title: str = ""
    subtitle: str = ""
    lang: str = ""
    theme: str | Path = "safe"
    layers: tuple[str, ...] = ()
    by: str = ""
    basemap: Any = True
    rasters: Mapping[str, Any] = field(default_factory=dict)
    sensitive: bool = False
    sensitivity: str = ""
    max_mb: float = 40.0

    def __post_init__(self) -> None:
        if self.lang and self.lang not in LANGUAGES:
            raise MapError(f"the page speaks {', '.join(LANGUAGES)}, not '{self.lang}'")

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> MapOptions:
        """From keyword arguments.

        Raises
        ------
        MapError
            If one is unknown.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(settings) - known)
        if unknown:
            raise MapError(f"a map has no setting '{unknown[0]}'", hint=f"settings: {', '.join(sorted(known))}")
        values = dict(settings)
        if isinstance(values.get("layers"), str):
            values["layers"] = tuple(v.strip() for v in values["layers"].split(",") if v.strip())
        return cls(**{**values, "layers": tuple(values.get("layers") or ())})

    def spoken(self, programme: Any = None) -> MapOptions:
        """With a language: the first of the programme's that the page speaks, where none was asked for.

        Examples
        --------
        >>> MapOptions().spoken().lang, MapOptions(lang="ru").spoken().lang
        ('en', 'ru')
        """
        known = [name for name in getattr(programme, "languages", ()) if name in LANGUAGES]
        return replace(self, lang=self.lang or (known[0] if known else LANGUAGES[0]))


class Page(MacroElement):
    """The page around the map: what the panel, the slider and the tools show. One per map."""

    _template = Template(
        "{% macro html(this, kwargs) %}{{ this.block() }}{% endmacro %}"
        "{% macro script(this, kwargs) %}window.geotools.start({{ this._parent.get_name() }}, {{ this._parent.get_name()|tojson }});{% endmacro %}"
    )

    def __init__(self, options: MapOptions | None = None) -> None:
        super().__init__()
        self._name = "Page"
        self.options = (options or MapOptions()).spoken()
        self.as_of: date | None = None
        self.series: Series | None = None
        self.no_ground: dict[str, float] | None = None
        self.overlap_once = False
        self.overlap_sums = False
        self.notes: list[words.Label] = []
        self.base_notes: list[words.Label] = []
        self.restricted = False
        self.facts: list[tuple[str, str]] = []
        self.compare: dict[str, words.Label] | None = None
        self.title = self.options.title or "geotools"

    def describe(self) -> dict[str, Any]:
        """Everything the page needs beside the layers, as plain data."""
        parent = self._parent
        vectors = [e for e in _walk(parent) if isinstance(e, VectorLayer)]
        images = [e for e in _walk(parent) if isinstance(e, RasterLayer)]
        names = sorted({c["name"] for v in vectors for c in v.columns if not c.get("hidden")})
        colors = {k: _figure_color(self.options.theme, k) for k in (*FIGURES,)}
        out: dict[str, Any] = {
            "title": self.title, "subtitle": self.options.subtitle, "asOf": self.as_of.isoformat() if self.as_of else None,
            "lang": self.options.lang, "langs": list(LANGUAGES), "texts": words.interface(),
            "words": words.tables(_used(vectors)), "cols": {n: words.label("column", n) for n in names},
            "filters": [f for f in FILTERS if f in names], "images": [i.describe() for i in images], "colors": colors,
            "bounds": _bounds(vectors, images), "notes": [*self.notes, *self.base_notes], "facts": [*self.facts, ("software", f"geotools {version()}")],
        }  # fmt: skip
        start = _main_block(vectors)
        if start:
            out["start"] = start
        if self.series:
            s = self.series
            out["series"] = {"days": s.days, "m2": s.m2, "start": s.start, "undated": s.undated, "colors": colors}
        if self.no_ground:
            out["noGround"] = self.no_ground
        if self.overlap_once:
            out["overlapOnce"] = words.label("note", "overlap_once")
            out["overlapSums"] = self.overlap_sums
        if self.restricted:
            out["sensitivity"] = words.label("note", "restricted")
        elif self.options.sensitivity:
            out["sensitivity"] = self.options.sensitivity
        if self.compare:
            out["compare"] = self.compare
        return out

    def block(self) -> str:
        """The inert block that the page's script reads."""
        return f'<script type="application/octet-stream" id="gt-page">{packed_json(self.describe())}</script>'


class OfflineMap(folium.Map):
    """A `folium.Map` whose page is one self-contained file: no tiles, no content delivery networks, one security policy.

    Further layers are added with `add_to` or `add_child`: `AreaLayer`, `PointLayer`, `TrackLayer`, `RasterLayer`, and
    those stock folium objects that are safe offline (see `geotools.webmap.save`).

    Examples
    --------
    >>> from geotools.maps.webmap import AreaLayer
    >>> field = gpd.GeoDataFrame({"id": ["T-1"]}, geometry=[shapely.box(46.7, 39.8, 46.8, 39.9)], crs="EPSG:4326")
    >>> made = OfflineMap(MapOptions(title="Sector F"))
    >>> layer = AreaLayer(field, "Tasks", label="id").add_to(made)
    >>> made.page.title, layer.get_bounds()
    ('Sector F', [[39.8, 46.7], [39.9, 46.8]])
    """

    def __init__(self, options: MapOptions | None = None) -> None:
        super().__init__(
            location=[0, 0], zoom_start=2, tiles=None, zoom_control=False, attribution_control=False, prefer_canvas=False, control_scale=False,
            max_zoom=22, min_zoom=3, fade_animation=False, world_copy_jump=False,
        )  # fmt: skip
        self.default_js, self.default_css = [], []  # nothing is fetched: the page carries its own
        self.page = Page(options)
        self.add_child(self.page)

    def save(self, outfile: Any, close_file: bool = True, **kwargs: Any) -> None:
        """Write the offline page (as `geotools.webmap.save`, replacing an existing file as folium does)."""
        from geotools.maps.webmap.offline import render, save

        if hasattr(outfile, "write"):
            outfile.write(render(self).encode("utf-8"))
            if close_file:
                outfile.close()
            return
        save(self, outfile, overwrite=True)

    def _repr_html_(self, **kwargs: Any) -> str:
        from geotools.maps.webmap.offline import render

        page = render(self)
        if len(page.encode("utf-8")) > INLINE_BYTES:
            return self._too_big(len(page.encode("utf-8")))
        return (
            f'<iframe title="{html.escape(self.page.title, quote=True)}" srcdoc="{html.escape(page, quote=True)}" '
            'style="width:100%;height:640px;border:1px solid #d4dadf;border-radius:8px" sandbox="allow-scripts allow-downloads allow-modals"></iframe>'
        )

    def _too_big(self, size: int) -> str:
        from geotools.maps.webmap.preview import picture

        return (
            f'<div><img alt="Overview of the map" style="max-width:100%;border:1px solid #d4dadf" src="data:image/png;base64,{picture(self)}">'
            f"<p>This map has {size / 1e6:.1f} MB, too much for a notebook. Save it with "
            "<code>gt.webmap.save(map, 'map.html')</code> and open <a href=\"map.html\">map.html</a>.</p></div>"
        )


def _used(vectors: list[VectorLayer]) -> dict[str, set[str]]:
    """Vocabulary → words that occur in the layers."""
    used: dict[str, set[str]] = {name: set(vocabulary(name).keys) for name in _WORDS_ALWAYS}
    for layer in vectors:
        for name, found in layer.vocabularies().items():
            used.setdefault(name, set()).update(found)
    return used


def _walk(element: Any) -> list[Any]:
    out = []
    for child in element._children.values():
        out += [child, *_walk(child)]
    return out


def _figure_color(name: str | Path, figure: str) -> str:
    theme = _theme(name)
    return theme.symbol("area", figure).solid


def _bounds(vectors: list[VectorLayer], images: list[RasterLayer]) -> list[float] | None:
    ground = [v.bounds for v in vectors if v.bounds and v.spec.group in ("areas", "released", "compare")]
    core = ground or [v.bounds for v in vectors if v.bounds and v.spec.group not in ("context", "issues")]
    boxes = core or [v.bounds for v in vectors if v.bounds] or [i.image.bounds for i in images]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]


def _main_block(vectors: list[VectorLayer]) -> list[float] | None:
    """Bounds of the block with most hazards, where the data lie in blocks far apart; None: one block."""
    layer = next((v for v in vectors if v.spec.id.endswith("hazards") and v.placed > 4), None)
    if layer is None:
        return None
    boxes = layer.boxes[~np.isnan(layer.boxes).any(axis=1)]
    whole = np.r_[boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)]
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    gap = 0.08 * max(whole[2] - whole[0], whole[3] - whole[1])
    points = np.asarray(shapely.points(middle), dtype=object)
    one, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=gap)
    _, group = connected_components(
        coo_matrix((np.ones(len(one)), (one, other)), shape=(len(boxes), len(boxes))), directed=False
    )
    main = np.bincount(group).argmax()
    mine = boxes[group == main]
    block = np.r_[mine[:, :2].min(axis=0), mine[:, 2:].max(axis=0)]
    wide = max(block[2] - block[0], block[3] - block[1]) < 0.4 * max(whole[2] - whole[0], whole[3] - whole[1])
    return [round(float(v), 6) for v in block] if wide and len(mine) >= 0.6 * len(boxes) else None


def map_survey(
    source: Any, coverage: Any = None, *, issues: gpd.GeoDataFrame | None = None, as_of: Any = None, **settings: Any
) -> OfflineMap:
    """An offline interactive map of a survey: hazards, released and remaining land, finds, accidents, places, issues.

    Parameters
    ----------
    source
        A `Survey`, one layer, or a mapping of record kind (or ``covered``, ``missed``, ``assured``, ``task``, or any name) → GeoDataFrame.
    coverage
        What `geotools.coverage` returned; None: computed where there are hazards and releases; False: records only.
    issues
        An ISSUES table, shown as a layer that can be switched on.
    as_of
        Only what was dated on or before this day.
    **settings
        See `MapOptions`: title, lang, theme, layers, basemap, rasters, sensitive, …

    Returns
    -------
    OfflineMap
        A `folium.Map`; shows inline in Jupyter, `geotools.webmap.save` writes it as one file.

    Raises
    ------
    MapError
        If a setting is unknown or a column cannot be shown.
    CRSError
        If a layer has no CRS.

    Examples
    --------
    >>> import shapely
    >>> frame = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shapely.box(46.7, 39.8, 46.71, 39.81)], crs="EPSG:4326")
    >>> isinstance(map_survey({"hazards": frame}, title="Sector F"), folium.Map)
    True
    """
    survey = None if isinstance(source, Mapping | pd.DataFrame) else source
    programme = getattr(survey, "programme", None)
    options = MapOptions.of(settings).spoken(programme)
    frames, lost = _sources.on_earth(_sources.frames_of(source))
    wanted = options.layers or (
        tuple(frames) if not survey else tuple(k for k in frames if k in _survey.SHOWN or k not in _raw_kinds())
    )
    unknown = [k for k in options.layers if k not in frames and k != "issues"]
    if unknown:
        raise MapError(f"there is no layer '{unknown[0]}' to show", hint=f"layers: {', '.join(frames)}")
    shown = {k: _in_order(_known_on(frames[k], as_of)) for k in wanted if k in frames}
    coverage = _ledger(frames, shown, coverage, as_of, programme)
    made = OfflineMap(options)
    found = _survey.content(
        shown,
        coverage=coverage,
        issues=_with(issues, [i for i in lost if i.kind in shown]),
        theme=_theme(options.theme),
        sensitive=options.sensitive,
        methods=programme.words.get("method") if programme is not None else None,
        day=as_of,
        by=options.by,
        veil=_survey.veiled(frames),
    )
    lost = [i for i in lost if i.kind in shown and not found.veil.hides(i.kind, i.id)]
    if options.by and not any(options.by in frame.columns for frame in shown.values()):
        raise MapError(
            f"no layer has a column '{options.by}' to draw by",
            hint="columns: " + ", ".join(sorted({str(c) for f in shown.values() for c in f.columns})[:20]),
        )
    page = made.page
    page.title = whole_text(
        options.title or (programme.texts.get("title", programme.name) if programme is not None else "geotools")
    )
    page.notes = [*_sources.notes(lost), *found.notes]
    page.restricted = found.restricted
    if programme is not None and programme.texts.get("footer"):
        page.notes.append(programme.texts["footer"])
    page.series = series(coverage) if coverage is not None and "hazards" in shown else None
    if page.series and page.series.undated:
        page.notes.append(words.label("note", "with_undated"))
    page.as_of = _information_day(shown, as_of)
    page.no_ground = _no_ground(shown.get("hazards"), coverage)
    page.overlap_once = _counted_once(coverage) if "hazards" in shown else False
    page.overlap_sums = "hazards" not in found.veil.closed  # with one withheld the rows are fewer than the total
    page.facts = _facts(survey)
    for layer in found.layers:
        made.add_child(layer)
    _pictures(made, survey, options)
    return made


def _with(issues: gpd.GeoDataFrame | None, more: list[Issue]) -> gpd.GeoDataFrame | None:
    if not more:
        return issues
    own = issues_frame(more)
    return own if issues is None else join_issues(issues, own)


def _raw_kinds() -> tuple[str, ...]:
    return ("fixes", "legs", "targets", "signals")


def _in_order(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows by id, so that the page does not depend on the order of the input."""
    if "id" not in frame:
        return frame
    return frame.iloc[frame["id"].astype(str).argsort(kind="stable").to_numpy()]


def _known_on(frame: gpd.GeoDataFrame, as_of: Any) -> gpd.GeoDataFrame:
    """Records dated on or before a day, or not dated."""
    if as_of is None:
        return frame
    try:
        day = pd.Timestamp(as_of)
    except (TypeError, ValueError) as error:
        raise MapError(f"{str(as_of)[:40]!r} is no day", hint="write as_of as YYYY-MM-DD") from error
    for column in ("date_info", "date", "start"):
        if column in frame and pd.api.types.is_datetime64_any_dtype(frame[column]):
            when = (
                frame[column].dt.tz_localize(None)
                if getattr(frame[column].dtype, "tz", None) is not None
                else frame[column]
            )
            return frame[~(when > day)]
    return frame


def _ledger(
    frames: Mapping[str, gpd.GeoDataFrame],
    shown: Mapping[str, gpd.GeoDataFrame],
    coverage: Any,
    as_of: Any,
    programme: Any,
) -> Any:
    if coverage is False:
        return None
    if coverage is not None:
        return coverage if as_of is None else coverage.at(as_of)
    if not {"hazards", "releases"} <= set(shown) or not len(frames["hazards"]) or not len(frames["releases"]):
        return None
    from geotools.analysis.release import coverage as compute

    return compute(frames["hazards"], frames["releases"], as_of=as_of, programme=programme, events=frames.get("events"))


def _information_day(frames: Mapping[str, gpd.GeoDataFrame], as_of: Any) -> date | None:
    if as_of is not None:
        return pd.Timestamp(as_of).date()
    days = [
        frame[column].max()
        for kind, frame in frames.items()
        for column in ("date_info", "date")
        if kind in ("hazards", "releases", "finds", "accidents")
        and column in frame
        and pd.api.types.is_datetime64_any_dtype(frame[column])
    ]
    known = [d for d in days if pd.notna(d)]
    return max(known).date() if known else None


def _recorded_late(bare: gpd.GeoDataFrame, reported: np.ndarray) -> list[list[float]]:
    """By day of record: hazards without a boundary, their reported area, and how many report none; undated ones are on every day."""
    if "date_info" not in bare or not pd.api.types.is_datetime64_any_dtype(bare["date_info"]):
        return []
    days = bare["date_info"].to_numpy().astype("datetime64[D]")
    table = pd.DataFrame({"day": days.astype("int64"), "n": 1, "m2": reported, "unstated": np.isnan(reported)})[
        ~np.isnat(days)
    ]
    return [
        [int(r.Index), int(r.n), round(float(r.m2), 1), int(r.unstated)]
        for r in table.groupby("day").sum().itertuples()
    ]


def _no_ground(hazards: gpd.GeoDataFrame | None, coverage: Any) -> dict[str, Any] | None:
    """Hazards that no figure of ground can count: how many, the area they report, and how many report none."""
    if hazards is None:
        return None
    with np.errstate(invalid="ignore"):
        bare = ~(shapely.area(np.asarray(hazards.geometry.array, dtype=object)) > 0)
    said = pd.to_numeric(hazards["area_reported_m2"], errors="coerce") if "area_reported_m2" in hazards else None
    reported = np.full(len(hazards), np.nan) if said is None else said.to_numpy(dtype=float, na_value=np.nan)
    known = reported[bare & np.isfinite(reported) & (reported > 0)]
    out: dict[str, Any] = {
        "n": int(bare.sum()),
        "m2": round(float(known.sum()), 1),
        "unstated": int(bare.sum()) - len(known),
    }
    if late := _recorded_late(hazards[bare], np.where(reported > 0, reported, np.nan)[bare]):
        out["late"] = late
    totals = coverage.totals if coverage is not None else {}
    if "hazards_without_ground" in totals and int(totals["hazards_without_ground"]) != out["n"]:
        out = {
            "n": int(totals["hazards_without_ground"]),
            "m2": float(totals["reported_without_ground_m2"]),
            "unstated": 0,
        }
    return out if out["n"] else None


def _counted_once(coverage: Any) -> bool:
    """Whether the rows of remaining ground add up to more than the total, because hazards overlap."""
    if coverage is None:
        return False
    return bool(float(coverage.table["remaining_m2"].sum()) - float(coverage.totals["remaining_m2"]) > 1.0)


def _facts(source: Any) -> list[tuple[str, str]]:
    inputs = list(getattr(source, "inputs", ()))
    return [("inputs", ", ".join(f"{i.name} ({i.sha256[:8]})" for i in inputs))] if inputs else []


def _pictures(made: OfflineMap, source: Any, options: MapOptions) -> None:
    """Overlays, base maps within what is left of the size, and outlines far out."""
    for name, raster in options.rasters.items():
        kind = "values" if name in ("assurance", "probability", "risk") else "counts"
        made.add_child(RasterLayer(raster, words.label("layer", name), kind=kind, id=name))
    asked = _basemaps.chosen(options.basemap, dict(getattr(source, "rasters", {})))
    vectors = [e for e in _walk(made) if isinstance(e, VectorLayer)]
    images = [e for e in _walk(made) if isinstance(e, RasterLayer)]
    used = sum(len(v.payload.text) for v in vectors) + sum(len(i.image.data) * 4 // 3 for i in images)
    bounds = _bounds(vectors, images)
    area = (bounds[0], bounds[1], bounds[2], bounds[3]) if bounds else None
    left = int(options.max_mb * 1e6) - used - _basemaps.PAGE_BYTES
    found, notes = _basemaps.pictures(asked, _theme(options.theme), area, left)
    for picture in found:
        made.add_child(picture)
    made.page.base_notes = notes
    lines = _outlines.layer(area) if area and options.basemap is not False else None
    if lines is not None:
        made.add_child(lines)
        made.page.facts.append(("outlines", _outlines.SOURCE))
