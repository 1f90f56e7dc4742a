"""All layers of three files merged: tables that a package splits by geometry are one kind, unknown layers are carried over.

For deciding which layer meets which; how rows are combined is in `three_way`, and files are read elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geotools.field.merge.preference import Prefer, Rules
from geotools.field.merge.same import plain, shown
from geotools.field.merge.three_way import merge
from geotools.model.errors import GeotoolsError
from geotools.model.schema import KINDS, Issue, issues_frame, join_issues, kind_of
from geotools.space import crs as _crs

ENDINGS = ("_areas", "_lines", "_points")  # a package splits a kind of mixed geometry into tables of these names
COMPUTED = (
    "remaining",
    "released",
    "processed",
    "turning_points",
    "approach",
)  # of a package; those of a run are 'result_…'
OUTCOME = "result_"
OUTCOMES = frozenset(
    ["coverage", "remaining", "released", "processed", "outside", "overlaps", "changes", "changes_before"]
)  # after 'result_'; those of tracks are 'result_swath_…', rows before a repair 'result_…_as_entered'
Frames = Mapping[str, Any]


def family(name: str) -> str | None:
    """The record kind that a table belongs to: its own name, or that of a part split off by geometry; else None.

    Examples
    --------
    >>> family("hazards"), family("hazards_points"), family("Releases"), family("wells"), family("turning_points")
    ('hazards', 'hazards', 'releases', None, None)
    """
    lowered = name.casefold()
    if lowered in KINDS:
        return lowered
    return next((lowered[: -len(e)] for e in ENDINGS if lowered.endswith(e) and lowered[: -len(e)] in KINDS), None)


def computed(name: str, frame: Any) -> bool:
    """Whether a layer was computed from records, so that it says nothing of what came back since.

    Examples
    --------
    >>> [computed(n, pd.DataFrame({"id": []})) for n in ("Remaining", "result_outside", "hazards", "issues", "remaining wells")]
    [True, True, False, False, False]
    """
    lowered = name.casefold()
    found = lowered == "issues" and {"check", "severity"} <= set(frame.columns)
    return found or lowered in COMPUTED or lowered.startswith("result_")


def made_by_us(name: str) -> bool:
    """Whether the name of a computed layer is one that results are written under, not one that only begins like them.

    Examples
    --------
    >>> [made_by_us(n) for n in ("remaining", "result_overlaps", "Result_swath_gaps", "result_hazards_as_entered", "result_sketch")]
    [True, True, True, True, False]
    """
    lowered = name.casefold()
    if not lowered.startswith(OUTCOME):
        return True
    rest = lowered.removeprefix(OUTCOME)
    whole = next((rest.removesuffix(e) for e in ENDINGS if rest.endswith(e)), rest)
    return bool({rest, whole} & OUTCOMES) or rest.startswith("swath_") or rest.endswith("_as_entered")


def merge_layers(
    base: Frames, ours: Frames, theirs: Frames, *, key: str | None = None, prefer: Callable[[str], Prefer] | None = None
) -> tuple[dict[str, Any], gpd.GeoDataFrame]:
    """Merge every layer that any of three files has.

    Parameters
    ----------
    base, ours, theirs
        Frames by name of the table, with geometry or without; ``hazards_points`` and the like are folded into their kind.
    key
        As in `merge`, for the layers that have that column.
    prefer
        What `merge` takes, for the name of a layer; (name of the layer, "") decides a layer that cannot be merged row by row.

    Returns
    -------
    merged, conflicts
        Frames by name, kinds of records under the name of the kind, and the ISSUES table. A layer that a file lacks is
        unchanged in it. A layer that was computed from records (`computed`) is left out and noted as MG-09, a warning where
        that of a side is not as it left, or only begins like one of ours: what was drawn in it, if anything, is not merged. A layer without a common key is that of the side that changed it; if both did, that of ours
        stands and an error MG-08 says so.

    Examples
    --------
    >>> wells = gpd.GeoDataFrame({"id": ["w"]}, geometry=gpd.points_from_xy([47.0], [39.5]), crs=4326)
    >>> merged, conflicts = merge_layers({}, {"wells": wells}, {"tracks": wells})
    >>> sorted(merged), len(conflicts)
    (['tracks', 'wells'], 0)
    """
    work = _Layers(key, prefer or (lambda name: "ours"))
    work.left_out((base, ours, theirs), {n: f for frames in (theirs, ours, base) for n, f in frames.items()})
    sides = [_grouped({n: f for n, f in frames.items() if not computed(n, f)}) for frames in (base, ours, theirs)]
    names: dict[str, str] = {}
    for side in sides:
        for group, tables in side.items():
            names.setdefault(group, group if group in KINDS else next(iter(tables)))
    merged = {}
    for group, name in names.items():
        parts = [side.get(group, {}) for side in sides]
        merged[name] = work.one(name, parts)
        if group not in KINDS and parts[2] and not parts[0] and not parts[1]:
            work.looks_like_records(name, {g for g in sides[0] if g in KINDS})
    return merged, join_issues(*work.found, issues_frame(work.issues))


def _grouped(frames: Frames) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for name, frame in frames.items():
        out.setdefault(family(name) or name.casefold(), {})[name] = frame
    return out


@dataclass
class _Layers:
    key: str | None
    prefer: Callable[[str], Prefer]
    issues: list[Issue] = field(default_factory=list)
    found: list[gpd.GeoDataFrame] = field(default_factory=list)

    def left_out(self, sides: Sequence[Frames], known: Frames) -> None:
        """Note the layers that were computed before these returns; what somebody may have drawn in one is a warning."""
        for name in sorted(n for n, frame in known.items() if computed(n, frame)):
            drawn = _drawn(name, sides)
            severity, text = ("warning" if drawn else "info"), _words_left_out(name, drawn)
            self.issues.append(Issue("MG-09", severity, name, name, message=text, value=f"{len(known[name])} rows"))

    def one(self, name: str, tables: list[dict[str, Any]]) -> Any:
        """One layer out of up to three versions of it."""
        if tables[0]:
            for n, label in ((1, "ours"), (2, "theirs")):
                tables[n] = self._returned(name, label, tables[0], tables[n])
        versions = [joined(list(parts.values())) if parts else None for parts in tables]
        there = [v for v in versions if v is not None]
        if len(there) == 1:
            return there[0]
        spatial = any(isinstance(v, gpd.GeoDataFrame) for v in there)
        base, ours, theirs = (None if v is None else _placed(v) for v in versions)
        ours, theirs = (base if v is None else v for v in (ours, theirs))
        out = self._merged(name, base, ours, theirs)
        return out if spatial else pd.DataFrame(out.drop(columns=out.geometry.name))

    def _returned(self, name: str, label: str, base: dict[str, Any], side: dict[str, Any]) -> dict[str, Any]:
        """A side with the tables that did not come back: a table that is missing is not a deletion of its rows."""
        here = {t.casefold() for t in side}
        ids = {str(v) for frame in side.values() if "id" in frame for v in frame["id"].dropna()}
        out = dict(side)
        for table, frame in base.items():
            absent = side and table.casefold() not in here and len(frame) and "id" in frame
            if absent and not ids & {str(v) for v in frame["id"].dropna()}:
                text = (
                    f"{label} has neither the table '{table}' nor any of its {len(frame)} rows: they count as unchanged"
                )
                self.issues.append(Issue("MG-08", "warning", name, name, message=f"{text}; delete rows one by one"))
                out[table] = frame
        return out

    def _merged(self, name: str, base: Any, ours: Any, theirs: Any) -> Any:
        start = ours.iloc[:0] if base is None else base
        key = self.key if self.key and all(self.key in f for f in (start, ours, theirs)) else None
        if name not in KINDS and not all(_told_apart(f, key) for f in (start, ours, theirs)):
            return self._whole(name, (base, ours, theirs), "its rows have no id, or one id twice")
        try:
            merged, found = merge(start, ours, theirs, kind=name, key=key, prefer=self.prefer(name))
        except GeotoolsError as error:
            return self._whole(name, (base, ours, theirs), str(getattr(error, "message", error)))
        self.found.append(found)
        return merged

    def _whole(self, name: str, versions: tuple[Any, Any, Any], why: str) -> Any:
        """A layer whose rows cannot be told from each other: that of the side that changed it."""
        base, ours, theirs = versions
        if alike(ours, theirs) or (base is not None and alike(theirs, base)):
            return ours
        if base is not None and alike(ours, base) and len(theirs):
            return theirs
        decided = Rules(self.prefer(name)).decided(name, "")
        if decided:
            return ours if decided == "ours" else theirs
        text = f"the layer '{name}' could not be merged ({why}): the layer of ours stands, that of theirs is in its own file only"
        self.issues.append(
            Issue("MG-08", "error", name, name, message=text, value=f"{len(theirs)} rows", limit=f"{len(ours)} rows")
        )
        return ours

    def looks_like_records(self, name: str, kinds: set[str]) -> None:
        """Report a layer that came back under a name of its own though it may hold records that left as a known kind."""
        kind = kind_of(name)
        if kind in kinds:
            text = f"the layer '{name}' of theirs may hold {kind} but is not named so: it is carried over, not merged"
            self.issues.append(
                Issue("MG-08", "error", name, name, message=f"{text}; rename it to '{kind}' and merge again")
            )


def _drawn(name: str, sides: Sequence[Frames]) -> dict[str, int]:
    """Sides whose version of a computed layer may hold what a person drew, with the number of its features.

    A layer of a package is as it left, or somebody changed it. Those of a run the office computes again between the returns.
    """
    base, ours, theirs = sides
    there = {label: side[name] for label, side in (("theirs", theirs), ("ours", ours), ("base", base)) if name in side}
    if made_by_us(name):
        there.pop("base", None)
        if name.casefold() not in COMPUTED:
            there.pop("ours", None)
        there = {n: f for n, f in there.items() if name not in base or not alike(base[name], f)}
    return {label: len(frame) for label, frame in there.items()}


def _words_left_out(name: str, drawn: Mapping[str, int]) -> str:
    text = f"the layer '{name}' was computed before these returns: it is left out, compute it again from the merged records"
    odd = "that of {} is not as it left: "
    if not made_by_us(name):
        text, odd = (
            f"the layer '{name}' is named like those that are computed from records: it is left out",
            "that of {}: ",
        )
    lost = [f"{odd.format(n)}what was drawn or written in it ({count} features) is not merged" for n, count in drawn.items() if count]  # fmt: skip
    keep = "to keep it, give the layer another name in that file (for example 'drawn') and merge again"
    return "; ".join([text, *lost, *([keep] if lost else [])])


def _told_apart(frame: Any, key: str | None) -> bool:
    """Whether the rows of a layer that the schema does not know can be told from each other; new ones may lack an id."""
    return any(name in frame and frame[name].dropna().is_unique for name in ((key,) if key else ("guid", "id")))


def _placed(frame: Any) -> gpd.GeoDataFrame:
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
        return frame
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([None] * len(frame), index=frame.index, crs=_crs.WGS84))


def joined(frames: list[Any]) -> Any:
    """The tables of one kind under each other, in the reference system of the first with rows; whole numbers stay whole.

    Examples
    --------
    >>> joined([pd.DataFrame({"id": ["a"], "n": [1]}), pd.DataFrame({"id": ["b"]})])["n"].tolist()
    [1, <NA>]
    """
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    if len(filled) == 1:
        return filled[0]
    placed = [_placed(frame) for frame in filled]
    crs = next((f.crs for f in placed if f.crs is not None), None)
    moved = [f if f.geometry.name == "geometry" else f.rename_geometry("geometry") for f in placed]
    shapes = [
        s for f in moved for s in (f.geometry.array if f.crs is None else _crs.transform(f.geometry.array, f.crs, crs))
    ]
    columns = list(dict.fromkeys(c for f in moved for c in f.columns if c != "geometry"))
    tables = [pd.DataFrame(f.drop(columns="geometry")).dropna(axis=1, how="all") for f in moved]
    whole = [{c: "Int64" for c in t if pd.api.types.is_integer_dtype(t[c].dtype)} for t in tables]
    table = pd.concat([t.astype(w) for t, w in zip(tables, whole, strict=True)], ignore_index=True)
    table = table.reindex(columns=columns)
    if not any(isinstance(frame, gpd.GeoDataFrame) for frame in filled):
        return table
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, crs=crs), crs=crs)


def alike(one: Any, two: Any) -> bool:
    """Whether two layers hold the same rows, in whatever order."""
    return _said(one) == _said(two)


def _said(frame: gpd.GeoDataFrame) -> Counter[tuple[Any, ...]]:
    if not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None:
        frame = _placed(frame)
    names = sorted(str(c) for c in frame.columns if c != frame.geometry.name)
    shapes = frame.geometry.array
    if frame.crs is not None:
        shapes = _crs.transform(shapes, frame.crs, _crs.WGS84)
    where = ["" if s is None else shapely.to_wkt(shapely.normalize(s), rounding_precision=9) for s in shapes]
    told = zip(*([shown(plain(v)) for v in frame[c]] for c in names), where, strict=True)
    return Counter((*names, *row) for row in told)
