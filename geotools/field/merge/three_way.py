"""Three-way merge of what field teams bring back: by stable key, attribute by attribute, and geometry.

For combining frames that come from one base; nothing is written here and nothing is lost: whatever cannot be combined is
a row of ISSUES with both values.

An absent column is not an edit, a missing polygon is never an edit, and every deletion is listed.

Codes: MG-01 both changed a value · MG-02 deleted by one, changed by the other · MG-03 added twice with differences ·
MG-04 split or joined by one, redrawn by the other, or split by both in different ways · MG-05 key missing or repeated in a returned file (the row is kept) ·
MG-06 geometry redrawn by both, or missing in one · MG-07 deleted by one side (note).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.field.merge.pieces import Cuts, inherited, with_names_of_their_own
from geotools.field.merge.preference import Prefer, Rules, moment
from geotools.field.merge.result import frame, located
from geotools.field.merge.same import flat as _flat
from geotools.field.merge.same import same as _same
from geotools.field.merge.same import same_place as _same_place
from geotools.field.merge.same import shown as _shown
from geotools.field.merge.sides import PARENT, How, Row, Side
from geotools.model.errors import SchemaError
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs

EDITED = ("edited_at", "edited_by")  # what forms fill in by themselves


def merge(
    base: gpd.GeoDataFrame,
    ours: gpd.GeoDataFrame,
    theirs: gpd.GeoDataFrame,
    *,
    kind: str | None = None,
    key: str | None = None,
    prefer: Prefer = "ours",
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Combine two returned versions of one layer with the version both started from.

    Parameters
    ----------
    base, ours, theirs
        The layer as it left, as it is here, and as it came back; any CRS (the result has that of `base`).
    kind
        Record kind: undoes what apps do to columns (ten-character names, dates as text) before comparing.
    key
        Column that identifies a row for ever; default ``guid`` where every row has one, else ``id``. Row numbers
        are never used.
    prefer
        Whose value stands where both changed it: ``ours``, ``theirs``, ``newest`` (by ``edited_at``, where the clocks can be
        believed), or one per column, e.g. ``{"status": "theirs", "geometry": "ours"}``; a key (id, column) decides one cell, and
        (id, "") whether a row that one side deleted stays (see `decisions`). The other value is always in the conflicts,
        unless a person decided.

    Returns
    -------
    merged, conflicts
        The merged layer sorted by ``id``, and the ISSUES table of what a person should look at.

    Raises
    ------
    SchemaError
        If a layer has no key column, a returned layer is empty, or a side of `prefer` is unknown.

    Notes
    -----
    A row that is deleted by one side and unchanged by the other is deleted; if the other changed it, the change stays
    and is reported. Pieces of a split (rows whose ``parent_id`` names the old row) replace the old row: an edit that the
    other side made to an attribute of the whole goes to all pieces, or to none (reported) where a piece was edited itself;
    the old polygon never comes back.

    Returns of several teams are merged in turn, each against its base. Once each has been merged, merging any of them
    again, in any order, changes nothing, with ``ours`` or ``newest``; with ``theirs`` the last one sent stands.

    Examples
    --------
    >>> at = gpd.points_from_xy([47.0], [39.5])
    >>> base = gpd.GeoDataFrame({"id": ["a"], "name": ["x"], "note": ["n"]}, geometry=at, crs=4326)
    >>> merged, conflicts = merge(base, base.assign(name="y"), base.assign(note="m"))
    >>> merged.loc[0, ["name", "note"]].tolist(), len(conflicts)
    (['y', 'm'], 0)
    """
    rules = Rules(prefer)
    issues: list[Issue] = []
    for label, layer in (("base", base), ("ours", ours), ("theirs", theirs)):
        if not isinstance(layer, gpd.GeoDataFrame) or layer.active_geometry_name is None:
            raise SchemaError(f"{label} is not a layer with geometry", hint="read it with geotools.read")
        if layer.columns.has_duplicates:
            raise SchemaError(f"{label} has two columns of one name", hint="rename one of them")
        if len(base) and not len(layer):
            raise SchemaError(
                f"{label} is empty: a whole layer is not deleted by a merge",
                hint="is the returned file whole? delete rows one by one",
            )
    crs = _crs.require(base, "base layer")
    name = key or _key((base, ours, theirs))
    plain = [str(c) for c in base.columns if c != base.geometry.name]
    how = How(name, crs, kind or "", plain)
    sides = [
        Side.of(layer, label, how, issues) for layer, label in ((base, "base"), (ours, "ours"), (theirs, "theirs"))
    ]
    columns = list(dict.fromkeys(c for side in sides for c in side.columns))
    work = _Merge(sides[0], sides[1], sides[2], name, columns, rules, kind or "", issues)
    rows = work.rows()
    return frame(rows, columns, sides, crs), issues_frame(located(issues, crs))


def _key(frames: Sequence[gpd.GeoDataFrame]) -> str:
    """``guid`` or ``id``: whole where the rows are known from, present where they come back (a new row may lack it)."""
    base, ours, theirs = frames
    for name, whole in (("guid", (base, ours)), ("id", (base,))):
        some = [f for f in (ours, theirs) if len(f)]
        if (
            all(name in f for f in frames)
            and all(f[name].notna().all() for f in whole)
            and all(f[name].notna().any() for f in some)
        ):
            return name
    raise SchemaError("the layers have no key in common", hint="each needs an 'id' (or 'guid') in every row")


@dataclass
class _Merge:
    base: Side
    ours: Side
    theirs: Side
    key: str
    columns: list[str]
    rules: Rules
    kind: str
    issues: list[Issue] = field(default_factory=list)
    cuts: Cuts = field(init=False)

    def __post_init__(self) -> None:
        self.ours, self.theirs = (inherited(side, self.base, self.columns) for side in (self.ours, self.theirs))
        found = self._cuts()
        ours = with_names_of_their_own(self.ours, self.theirs, found, self.key)
        self.theirs = with_names_of_their_own(self.theirs, self.ours, found, self.key)
        self.ours = ours
        self.cuts = self._cuts()

    def _cuts(self) -> Cuts:
        return Cuts(self.base.rows, {"ours": self.ours.rows, "theirs": self.theirs.rows})

    def rows(self) -> list[Row]:
        """All rows of the result."""
        merged: dict[str, Row] = {}
        for name in dict.fromkeys((*self.base.rows, *self.ours.rows, *self.theirs.rows)):
            old, mine, other = self.base.rows.get(name), self.ours.rows.get(name), self.theirs.rows.get(name)
            twice = old is not None and self._cut_twice(name, old)
            if mine is not None and other is not None:
                merged[name] = self._both(name, old, mine, other)
            elif old is None:
                merged[name] = mine if mine is not None else other  # type: ignore[assignment]
            elif mine is None and other is None:
                if not twice:
                    self._gone(name, old)
            else:
                keeper, row = ("ours", mine) if mine is not None else ("theirs", other)
                assert row is not None
                kept = self._or_gone(name, old, (keeper, row))
                if kept is not None:
                    merged[name] = kept
        self._cut_again()
        for name in self.cuts.names():
            self._whole_edits(name, merged)
        return list(merged.values())

    def _or_gone(self, name: str, old: Row, held: tuple[str, Row]) -> Row | None:
        """A row that only one side still has: as it is where that side changed it, else None; what becomes of it is reported."""
        keeper, row = held
        gone = "theirs" if keeper == "ours" else "ours"
        said = self._complete(getattr(self, keeper), row, old)
        if self.cuts.pieces(gone, name):
            if not _same(old.get("geometry"), said.get("geometry"), "geometry"):
                text = f"'{name}' was split or joined by one side and redrawn by the other: the pieces stand, the redrawn shape is here"
                self._report("MG-04", "error", row, "geometry", text, said.get("geometry"))
            return None
        if all(_same(old.get(c), said.get(c), c) for c in (*self.columns, "geometry")):
            self._report("MG-07", "info", old, "", f"{gone} deleted this row; {keeper} had not changed it", old)
            return None
        decided, changes = self._decided(name, row, ""), _changes(old, said, self.columns)
        if decided == gone:
            self._report("MG-07", "info", row, "", f"{gone} deleted this; it was decided that it goes", changes)
            return None
        if decided != keeper:
            self._report("MG-02", "error", said, "", f"{gone} deleted this, {keeper} changed it: it is kept", changes)
        shape = self._said(getattr(self, keeper), row, "geometry", old.get("geometry"))
        return {**said, **({"guid": row.get("guid")} if "guid" in said else {}), "geometry": shape}

    def _complete(self, side: Side, row: Row, old: Row) -> Row:
        """A row with what its file does not say as it was: a column or a polygon that is missing is no edit."""
        said = {c: row.get(c) if c in side.columns else old.get(c) for c in self.columns}
        if said.get("guid") is None and "guid" in old:
            said["guid"] = old["guid"]  # nobody takes a permanent number away
        shape = row.get("geometry")
        return {**said, "geometry": old.get("geometry") if shape is None or shape.is_empty else shape}

    def _gone(self, name: str, old: Row) -> None:
        """A row that neither side has any more: deleted by both, or cut by one and deleted by the other."""
        mine, other = self.cuts.pieces("ours", name), self.cuts.pieces("theirs", name)
        if bool(mine) == bool(other):
            self._report("MG-07", "info", old, "", "both sides deleted this row", old)
            return
        gone, keeper, pieces = ("theirs", "ours", mine) if mine else ("ours", "theirs", other)
        text = f"{gone} deleted this, {keeper} split it into {_named(pieces)}: the pieces are kept"
        self._report("MG-02", "error", old, "", text, _named(pieces), old)

    def _cut_twice(self, name: str, old: Row) -> bool:
        """Whether both sides cut a row, each in pieces that the other does not have; it is reported with all of them."""
        mine, other = set(self.cuts.pieces("ours", name)), set(self.cuts.pieces("theirs", name))
        if mine <= other or other <= mine:
            return False
        text = (
            f"'{name}' was split or joined by both sides in different ways: the pieces of ours ({_named(mine)}) and "
            f"of theirs ({_named(other)}) are all kept and lie over each other; delete those that do not hold"
        )
        self._report("MG-04", "error", old, "geometry", text, _named(other), _named(mine))
        return True

    def _cut_again(self) -> None:
        """Report pieces that one side cut further: the base never had the piece, so it is not known to have gone."""
        for holder, cutter in (("ours", "theirs"), ("theirs", "ours")):
            rows, others = getattr(self, holder).rows, getattr(self, cutter).rows
            for name, pieces in sorted(self.cuts.again(cutter).items()):
                new = sorted(set(pieces) - set(rows))
                if name not in rows or name in others or not new:
                    continue
                text = (
                    f"{cutter} cut this piece further ({_named(new)}) and {holder} still has it: all are kept and lie over "
                    "each other; delete those that do not hold"
                )
                self._report("MG-04", "error", rows[name], "geometry", text, _named(new), name)

    def _whole_edits(self, name: str, merged: dict[str, Row]) -> None:
        """Carry what one side says of a whole row over to the pieces that the other made of it; a row that was cut does not come back.

        All pieces get it or none: where they no longer say what the base said, each keeps its value and the edit is reported,
        so that a return that comes again finds nothing to change.
        """
        for voice, cutter in (("ours", "theirs"), ("theirs", "ours")):
            pieces = [
                p for p in self.cuts.pieces(cutter, name) if p not in self.cuts.pieces(voice, name) and p in merged
            ]
            for column in (c for c in self.columns if c not in (self.key, "id", "guid", PARENT)):
                told = self.cuts.whole(voice, name, column) if column in getattr(self, voice).columns else None
                if not pieces or told is None:
                    continue
                wanted, old = told[0], self.base.rows[name].get(column)
                free = self.cuts.untouched(cutter, name, column) and all(
                    _same(merged[p].get(column), old, column) and self.cuts.agreed(voice, cutter, p, (column, wanted))
                    for p in pieces
                )
                for piece in pieces:
                    there = merged[piece]
                    if free or (
                        not _same(there.get(column), wanted, column) and self._decided(piece, there, column) == voice
                    ):
                        merged[piece] = {**there, column: wanted}
                    elif not (
                        self.cuts.pieces(voice, name)
                        or _same(there.get(column), wanted, column)
                        or self._decided(piece, there, column)
                    ):
                        text = f"'{name}' was split; {voice} changed {column} of the whole: the value of {cutter} stands in this piece"
                        self._report("MG-01", "error", there, column, text, wanted, there.get(column))

    def _decided(self, name: str, row: Row, column: str) -> str | None:
        """The side that a person chose for a cell of a row, which they know by its id, also where its key is a guid."""
        return self.rules.decided(self._known(name, row, column), column)

    def _known(self, name: str, row: Row, column: str) -> str:
        """What a decision calls a row."""
        return name if self.rules.decided(name, column) else str(row.get("id") or name)

    def _both(self, name: str, old: Row | None, mine: Row, other: Row) -> Row:
        """One row out of two; a piece that both sides have is compared with what it was cut from, its own shape aside."""
        out: Row = {}
        own, origin = old, self.cuts.origin(mine, other) if old is None else {}
        for column in (*self.columns, "geometry"):
            inherits = column in origin and column not in (self.key, "id", "guid", PARENT)
            old = origin if inherits else own
            before = old.get(column) if old is not None else None
            a = self._said(self.ours, mine, column, before)
            b = self._said(self.theirs, other, column, before)
            if column == "guid" and own is not None and mine.get("guid") is None and _same(b, before, column):
                out[column] = None  # a number that the package made so that rows can be told apart is no edit of anyone
                continue
            if _same(a, b, column) or (old is not None and _same(b, before, column)) or (old is None and b is None):
                out[column] = a
            elif (old is not None and _same(a, before, column)) or (old is None and a is None):
                out[column] = b
            else:
                if column in EDITED and not self._decided(name, mine, column):
                    out[column] = self._later(mine, other, column, (a, b))
                    continue
                side, doubt = self.rules.side(self._known(name, mine, column), column, (old, mine, other))
                raised = _only_raised(a, b, before) if column == "geometry" else ""
                if raised and not self._decided(name, mine, column):
                    side, doubt = (
                        ("theirs" if raised == "ours" else "ours"),
                        f"{raised} only adds heights to the old shape",
                    )
                out[column] = a if side == "ours" else b
                if self._decided(name, mine, column):
                    continue
                code = "MG-03" if old is None else "MG-06" if column == "geometry" else "MG-01"
                what = "added by both with different" if old is None else "both changed"
                self._report(
                    code,
                    "warning" if raised else "error",
                    mine,
                    column,
                    f"{what} {column}: the value of {side} stands" + (f"; {doubt}" if doubt else ""),
                    b if side == "ours" else a,
                    a if side == "ours" else b,
                )
        return out

    def _later(self, mine: Row, other: Row, column: str, values: tuple[Any, Any]) -> Any:
        """When and by whom a row was edited that both edited: the later edit stands, the earlier one is noted."""
        began, ended = (moment(row.get(EDITED[0])) for row in (mine, other))
        theirs = ended is not None and (began is None or ended > began)
        stands, rest = reversed(values) if theirs else values
        text = f"both edited this row: {column} is that of the later edit"
        self._report("MG-01", "info", mine, column, text, rest, stands)
        return stands

    def _said(self, side: Side, row: Row, column: str, before: Any) -> Any:
        """What a side says; a column it does not have, or a polygon it has lost, says nothing."""
        if column == "geometry":
            lost = row.get("geometry") is None or row["geometry"].is_empty
            if lost and before is not None and not before.is_empty:
                self._report(
                    "MG-06",
                    "error",
                    row,
                    "geometry",
                    f"{side.label} has no polygon for this row any more: the old one is kept",
                    before,
                )
                return before
            return self._with_heights(side, row, before)
        return row.get(column) if column in side.columns else before

    def _with_heights(self, side: Side, row: Row, before: Any) -> Any:
        """The shape of a row; heights that an app dropped are those from before, or, where it was redrawn, reported."""
        shape = row.get("geometry")
        if shape is None or shape.has_z or _flat(before):
            return shape
        if _same_plan(shape, before):
            return before
        text = f"{side.label} redrew this without heights: those from before are listed here"
        self._report("MG-06", "warning", row, "geometry", text, before)
        return shape

    def _report(
        self, check: str, severity: str, row: Row, column: str, message: str, value: Any, limit: Any = ""
    ) -> None:
        self.issues.append(
            Issue(check, severity, self.kind, str(row.get("id") or row.get(self.key) or ""), column, message, _shown(value), _shown(limit), value if isinstance(value, BaseGeometry) else row.get("geometry"))
        )  # fmt: skip


def _named(pieces: Iterable[str]) -> str:
    return ", ".join(sorted(pieces))


def _same_plan(a: Any, b: Any) -> bool:
    """Whether two shapes lie alike, heights aside."""
    return _same_place(shapely.force_2d(a), shapely.force_2d(b))


def _only_raised(a: Any, b: Any, before: Any) -> str:
    """The one side that only gave heights to a shape that had none, while the other redrew it; else nothing."""
    if before is None or a is None or b is None or not _flat(before):
        return ""
    raised = [label for label, shape in (("ours", a), ("theirs", b)) if _same_plan(shape, before)]
    return raised[0] if len(raised) == 1 else ""


def _changes(old: Row, new: Row, columns: Sequence[str]) -> str:
    return "; ".join(
        f"{c}: {_shown(old.get(c))} → {_shown(new.get(c))}"
        for c in (*columns, "geometry")
        if not _same(old.get(c), new.get(c), c)
    )
