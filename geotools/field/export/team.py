"""What a team takes along: one GeoJSON per layer, a list of what cannot be drawn, and a README.

For writing layers and results that are computed already; not for forms or for merging what comes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools import io
from geotools.field.export.inputs import CoverageLike, SurveyLike, layer_of
from geotools.field.package import redact as _redact
from geotools.io.atomic import replacing, write_text
from geotools.model.errors import WriteError
from geotools.model.programme import Programme
from geotools.model.provenance import now, version
from geotools.model.publishing import publishable
from geotools.space import crs as _crs
from geotools.space import geom, measure

MARK = "geotools field files"
README = "README.txt"
NOT_ON_MAP = "not_on_map.csv"
STEPS = 10_000_000  # per degree: 7 decimals
WARNINGS = (
    "This is not a safe-route map. No record is not no contamination: where nothing is drawn, nothing is known.",
    "Bu, təhlükəsiz marşrut xəritəsi deyil. Qeydin olmaması çirklənmənin olmaması demək deyil.",
    "Bu bir güvenli güzergâh haritası değildir. Kayıt olmaması kirlilik olmadığı anlamına gelmez.",
    "Это не карта безопасных маршрутов. Отсутствие записи не означает отсутствия загрязнения.",
)


@dataclass(frozen=True)
class FieldLayer:
    """One file of the field package: its name, what it shows, and the only columns it carries."""

    name: str
    shows: str
    columns: tuple[str, ...]


LAYERS = (
    FieldLayer("hazards", "recorded hazardous areas; remaining_m2 is what nothing has released",
               ("id", "name", "classification", "status", "contamination", "date_info", "admin1", "place", "area_m2", "remaining_m2", "safe_to_publish")),
    FieldLayer("remaining", "the part of each hazard that no act has released; id is the hazard",
               ("id", "name", "classification", "status", "place", "remaining_m2", "processed_m2")),
    FieldLayer("released", "released ground, each m² once, for the act that released it first; id is the release",
               ("id", "hazard_id", "product", "method", "date", "depth_cm", "organisation", "team", "net_m2")),
    FieldLayer("processed", "worked by machine without a search after it: NOT released",
               ("id", "hazard_id", "method", "date", "depth_cm", "organisation", "net_m2")),
    FieldLayer("finds", "explosive ordnance found", ("id", "hazard_id", "category", "qty", "depth_cm", "date", "disposal", "h_acc_m")),
    FieldLayer("accidents", "accidents", ("id", "date", "cause", "killed", "injured", "h_acc_m", "safe_to_publish")),
    FieldLayer("places", "settlements and services", ("id", "name", "type", "population")),
    FieldLayer("marks", "landmarks, benchmarks, start and turning points", ("id", "feature_id", "point_no", "point_type", "h_acc_m")),
    FieldLayer("tasks", "areas of tasks", ("id", "task_id", "name", "type", "status", "organisation", "asset", "start", "end", "area_m2")),
    FieldLayer("roads", "roads", ("id", "name")),
)  # fmt: skip


def field_files(
    survey: SurveyLike,
    coverage: CoverageLike,
    folder: str | Path,
    *,
    layers: Iterable[str] | None = None,
    redact: str = "partner",
    overwrite: bool = False,
) -> list[Path]:
    """Write RFC 7946 GeoJSON for a field team, one file per layer that has anything to draw.

    Parameters
    ----------
    survey, coverage
        Records and their ledger. Every hazard is drawn, also one that became known after the day of the coverage.
    folder
        Written whole or not at all.
    layers
        Names from `LAYERS`; default: all.
    redact
        ``partner``: accidents that are not marked safe to publish stay behind, hazards marked unsafe are drawn in whole grid
        squares; ``internal``: everything. See `geotools.field.package` for files that may be published.
    overwrite
        Replace a folder of field files. A folder that holds anything else is never replaced.

    Returns
    -------
    list of Path
        The GeoJSON files (WGS 84, right-hand rule, 7 decimals, ids, no ``crs``; areas in m² on the ellipsoid, released ones
        rounded down and remaining ones up to 0.1 m²), ``not_on_map.csv`` with every record that has no position, and
        ``README.txt`` with datum, dates and what is not shown.

    Raises
    ------
    WriteError
        If the folder exists, holds other things, or cannot be written.
    CRSError
        If a layer has coordinates but no reference system.

    Examples
    --------
    >>> [layer.name for layer in LAYERS][:4]
    ['hazards', 'remaining', 'released', 'processed']
    """
    target = Path(folder)
    chosen = _chosen(layers)
    _refuse_foreign(target)
    frames = {entry.name: _for_team(entry, frame) for entry, frame in _team_frames(survey, coverage, chosen)}
    slim = {name: _drawable(frame) for name, frame in frames.items()}
    slim, held = _redacted(survey, slim) if redact != "internal" else (slim, {})
    drawn = {name: frame[_has_place(frame)] for name, frame in slim.items()}
    absent = {name: frame[~_has_place(frame)] for name, frame in slim.items()}
    absent = {name: frames[name].loc[frame.index] for name, frame in absent.items()}
    with replacing(target, overwrite=overwrite) as temporary:
        temporary.mkdir()
        names = [f"{name}.geojson" for name, frame in drawn.items() if len(frame)]
        for name in names:
            frame = drawn[name.removesuffix(".geojson")]
            io.write(frame, temporary / name)
        if any(len(frame) for frame in absent.values()):
            io.write(_absent_table(absent), temporary / NOT_ON_MAP)
            names.append(NOT_ON_MAP)
        write_text(temporary / README, _readme(survey, coverage, drawn, absent) + _withheld(held))
    return [target / name for name in (*names, README)]


def _redacted(
    survey: SurveyLike, frames: dict[str, gpd.GeoDataFrame]
) -> tuple[dict[str, gpd.GeoDataFrame], dict[str, int]]:
    """What may leave the house to a team of another organisation, and how many rows of each layer may not."""
    held: Counter[str] = Counter()
    out = dict(frames)
    if "accidents" in out:
        safe = publishable(out["accidents"], "accidents")
        held["accidents"] = int((~safe).sum())
        out["accidents"] = out["accidents"][safe]
    hazards = layer_of(survey, "hazards")
    if hazards.crs is not None and "safe_to_publish" in hazards:
        programme = getattr(survey, "programme", None) or Programme()
        located = {name: frame for name, frame in out.items() if frame.crs is not None}
        records = {kind: frame for kind, frame in survey.layers.items() if frame.crs is not None}
        shown, _ = _redact.shadowed(_crs.to_wgs84(hazards), located, programme, held, records=records)
        out.update(shown)
    return out, {name: count for name, count in held.items() if count}


def _withheld(held: Mapping[str, int]) -> str:
    if not held:
        return ""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(held.items()))
    return (
        f"\nSTAYS BEHIND: {counts}: their place is not marked safe to publish (safe_to_publish). They are on record; their absence\n"
        "here is not safety.\n"
    )


def _chosen(layers: Iterable[str] | None) -> tuple[FieldLayer, ...]:
    if layers is None:
        return LAYERS
    wanted = set(layers)
    unknown = sorted(wanted - {entry.name for entry in LAYERS})
    if unknown:
        raise WriteError(
            f"there is no field layer '{unknown[0]}'", hint=f"field layers are {', '.join(e.name for e in LAYERS)}"
        )
    return tuple(entry for entry in LAYERS if entry.name in wanted)


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise WriteError("a file of that name is in the way", hint="choose another folder", file=folder)
    readme = folder / README
    ours = readme.is_file() and readme.read_text("utf-8", errors="replace").startswith(MARK)
    if any(folder.iterdir()) and not ours:
        raise WriteError(
            "this folder holds other things, it is not replaced", hint="choose an empty or new folder", file=folder
        )


def _team_frames(
    survey: SurveyLike, coverage: CoverageLike, chosen: tuple[FieldLayer, ...]
) -> Iterable[tuple[FieldLayer, gpd.GeoDataFrame]]:
    for entry in chosen:
        if entry.name in ("remaining", "released", "processed"):
            yield entry, getattr(coverage, entry.name)
        elif entry.name == "hazards":
            yield entry, _with_areas(layer_of(survey, "hazards"), coverage.table)
        elif entry.name == "tasks":
            yield entry, _tasks(layer_of(survey, "activities"))
        elif entry.name == "roads":
            landuse = layer_of(survey, "landuse")
            yield entry, landuse[landuse["use"] == "road"] if "use" in landuse else landuse[:0]
        else:
            yield entry, layer_of(survey, entry.name)


def _with_areas(hazards: gpd.GeoDataFrame, table: pd.DataFrame) -> gpd.GeoDataFrame:
    """Hazards with the ledger's areas; one that the ledger does not know remains as a whole."""
    known = table.set_index("id")
    whole = measure.area(hazards) if hazards.crs is not None else pd.Series(np.nan, index=hazards.index)
    figures = known.reindex(hazards["id"])[["area_m2", "remaining_m2"]].set_axis(hazards.index)
    return hazards.assign(**{name: figures[name].where(figures[name].notna(), whole) for name in figures.columns})


def _tasks(activities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if "task_id" not in activities or activities.crs is None:
        return activities[:0]
    tasks = activities[activities["task_id"].notna() & _has_place(activities)]
    return tasks.assign(area_m2=measure.area(tasks))


def _has_place(frame: gpd.GeoDataFrame) -> pd.Series:
    return ~(frame.geometry.isna() | frame.geometry.is_empty)


def _for_team(entry: FieldLayer, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Only the columns of the layer, in order, areas rounded to the safe side, sorted by id."""
    data: dict[str, Any] = {
        name: frame[name] for name in entry.columns if name in frame and (name == "id" or frame[name].notna().any())
    }
    for name in [n for n in data if n.endswith("_m2")]:
        toward = np.ceil if name in ("area_m2", "remaining_m2") else np.floor
        data[name] = toward(data[name].astype("float64") * 10) / 10
    out = gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(frame.geometry.array, index=frame.index, crs=frame.crs))
    return out.sort_values("id", kind="stable", ignore_index=True)


def _drawable(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """In WGS 84 with 7 decimals; parts of areas thinner than that (about 1 cm), which no file could show, are gone."""
    if frame.crs is None:
        return frame
    lonlat = _crs.to_wgs84(frame)
    shapes = np.array(lonlat.geometry.array, dtype=object)
    areas = shapely.get_dimensions(shapes) == 2
    whole = geom.repair(shapely.transform(shapes[areas], lambda xy: xy * STEPS))
    shapes[areas] = [_wide_parts(shape) for shape in shapely.set_precision(whole, 1.0)]  # whole steps: exact arithmetic
    return lonlat.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=lonlat.crs))


def _wide_parts(shape: Any) -> Any:
    """The parts of an area in steps of 7 decimals that are somewhere wider than one step, in degrees."""
    parts = [p for p in shapely.get_parts(geom.polygonal([shape])[0]) if not p.buffer(-0.5).is_empty]
    joined = shapely.Polygon() if not parts else parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return shapely.transform(geom.orient([joined])[0], lambda xy: xy / STEPS)


def _absent_table(absent: Mapping[str, gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """One row per record that cannot be drawn: layer, why, and what is known of it."""
    told = ("id", "name", "classification", "status", "hazard_id", "category", "cause", "date_info", "date", "place")
    parts = []
    for name, frame in absent.items():
        if len(frame):
            columns = {c: frame[c].map(_text, na_action="ignore") for c in told if c in frame}
            why = _has_place(frame).map({False: "no position", True: "nowhere wider than 1 cm"})
            parts.append(pd.DataFrame({"layer": name, "why": why, **columns}))
    table = pd.concat(parts, ignore_index=True).astype(object)
    table = table.where(table.notna(), None)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries([None] * len(table), crs=_crs.WGS84))


def _text(value: Any) -> str:
    return value.date().isoformat() if isinstance(value, pd.Timestamp) else str(value)


def _readme(survey: SurveyLike, coverage: CoverageLike, drawn: Mapping[str, Any], absent: Mapping[str, Any]) -> str:
    shows = {entry.name: entry.shows for entry in LAYERS}
    lines = [MARK, "=" * len(MARK), "", *WARNINGS, ""]
    lines += [f"Programme:            {survey.name}", f"Date of information:  {_as_of(survey, coverage)}"]
    lines += [f"Written:              {now():%Y-%m-%d %H:%M} UTC by geotools {version()}", ""]
    lines += [
        "Datum: WGS 84 (EPSG:4326), longitude then latitude in degrees, 7 decimals (about 1 cm).",
        *_moved(survey),
    ]
    lines += ["Areas: square metres on the WGS 84 ellipsoid. Released areas are rounded down, remaining ones up.", ""]
    lines += ["Files"]
    lines += [f"  {name + '.geojson':20} {len(frame):>6}  {shows[name]}" for name, frame in drawn.items() if len(frame)]
    missing = {name: len(frame) for name, frame in absent.items() if len(frame)}
    if missing:
        counts = ", ".join(f"{count} {name}" for name, count in missing.items())
        lines += [
            "",
            f"NOT ON THE MAP: {counts}. They have no position, or none wider than 1 cm; {NOT_ON_MAP} lists them.",
            "A hazard without a position is still a hazard.",
        ]
    private = [
        name
        for name, frame in drawn.items()
        if "safe_to_publish" in frame
        and not publishable(frame, name)[frame["safe_to_publish"].notna().to_numpy()].all()
    ]
    if private:
        lines += [
            "",
            f"Not to be published or passed on: {', '.join(private)} hold records marked so (safe_to_publish = false).",
        ]
    lines += [
        "",
        "Cleared means cleared to the recorded depth. Results are evidence for a named person's decision; none declares land safe.",
    ]
    return "\n".join(lines) + "\n"


def _as_of(survey: SurveyLike, coverage: CoverageLike) -> str:
    if coverage.as_of is not None:
        return f"as of {coverage.as_of}"
    days = [
        survey.layers[kind][column].dropna()
        for kind, column in (("hazards", "date_info"), ("releases", "date"))
        if kind in survey.layers and column in survey.layers[kind]
    ]
    dated = [days_.max() for days_ in days if len(days_)]
    return f"all records in hand, the latest dated {max(dated):%Y-%m-%d}" if dated else "not known: no record is dated"


def _moved(survey: SurveyLike) -> list[str]:
    """Which input files were in another system."""
    others = sorted(
        {
            f"{item.name}: {item.crs}"
            for item in survey.inputs
            if item.crs and "4326" not in item.crs and not item.crs.startswith("WGS 84 (")
        }
    )
    return [f"Moved to it from other systems: {'; '.join(others)}."] if others else []
