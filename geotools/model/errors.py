"""The error tree: a broken call or an unusable file is an exception.

Not for bad *data*: that becomes rows of the ISSUES table (see `model.schema`).

    GeotoolsError            .hint .file .layer .row
    ├── ReadError            (OSError)      a file cannot be read
    ├── WriteError           (OSError)      a file cannot be written; nothing half-written is left
    ├── SchemaError          (ValueError)   a column is missing or of the wrong kind; .issues
    ├── CRSError             (ValueError)   coordinates without a usable reference system
    ├── NotationError        (ValueError)   a coordinate or angle that cannot be read, or reads two ways
    ├── TraverseError        (ValueError)   legs that do not make a figure
    ├── ReleaseError         (ValueError)   input that breaks a rule of land release
    ├── CoverageError        (ValueError)   swaths or fixes that cannot be evaluated
    ├── StatisticsError      (ValueError)   sampling or trial parameters out of range
    ├── MapError             (ValueError)   a map that would not be safe or self-contained
    ├── StoreError           (RuntimeError) a store refuses; nothing is changed; .issues
    │   └── ConflictError                   rows were changed by someone else since they were loaded
    └── MissingLibraryError  (ImportError)  an optional library is needed
"""

from __future__ import annotations

from typing import Any


class GeotoolsError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    message
        One sentence a person can act on.
    hint
        What to do next, in one sentence; without one, what usually helps with this sort of error.
    file, layer, row
        Where the trouble is, as far as it is known.

    Examples
    --------
    >>> str(GeotoolsError("no coordinates", hint="give crs=", file="a.csv"))
    'a.csv: no coordinates'
    """

    usual_hint = "geotools COMMAND --help shows the ways to call it"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        file: object = None,
        layer: str | None = None,
        row: int | str | None = None,
    ) -> None:
        self.message = message
        self.hint = hint or self.usual_hint
        self.file = None if file is None else str(file)
        self.layer = layer
        self.row = row
        super().__init__(message)

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        place += [f"layer {self.layer}"] if self.layer else []
        place += [f"row {self.row}"] if self.row is not None else []
        return f"{', '.join(place)}: {self.message}" if place else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.hint, self.file, self.layer, self.row))


def _rebuild(kind: type[GeotoolsError], message: str, hint: str, file: Any, layer: Any, row: Any) -> GeotoolsError:
    return kind(message, hint=hint, file=file, layer=layer, row=row)


class ReadError(GeotoolsError, OSError):
    """A file or layer cannot be read.

    Examples
    --------
    >>> import geotools as gt
    >>> try:
    ...     gt.read("missing.gpkg")
    ... except gt.errors.ReadError as error:
    ...     print(error, "|", error.hint)
    missing.gpkg: no such file | check the name and the folder
    """

    usual_hint = "look at the file, or export it again from where it came from"


class WriteError(GeotoolsError, OSError):
    """A file cannot be written; the old one, if any, is untouched.

    Examples
    --------
    >>> import geotools as gt
    >>> import geopandas as gpd
    >>> place = gpd.GeoDataFrame({"id": ["P-1"]}, geometry=gpd.points_from_xy([47.14], [39.6]), crs=4326)
    >>> try:
    ...     gt.write(place, "place.xyz")
    ... except gt.errors.WriteError as error:
    ...     print(error, "|", error.hint)
    place.xyz: the ending '.xyz' is not a known format | name one with format= or --format
    """

    usual_hint = "choose another name or folder"


class SchemaError(GeotoolsError, ValueError):
    """A frame lacks what its schema requires. `.issues` lists every finding.

    Examples
    --------
    >>> import geotools as gt
    >>> try:
    ...     gt.read("hazards.csv", "hazard")
    ... except gt.errors.SchemaError as error:
    ...     print(error, "|", error.hint)
    hazards.csv: 'hazard' is not a record kind | kinds are hazards, releases, events, activities, finds, accidents, fixes, tracks, marks, legs, samples, places, landuse, targets, signals
    """

    usual_hint = "geotools info FILE lists what is in it; geotools.schema.KINDS lists what each kind has"

    issues: Any = None


class CRSError(GeotoolsError, ValueError):
    """Coordinates have no reference system, or one that cannot be used here.

    Examples
    --------
    >>> import geotools as gt
    >>> try:
    ...     gt.crs.parse("EPSG:1")
    ... except gt.errors.CRSError as error:
    ...     print(error, "|", error.hint)
    'EPSG:1' is not a coordinate reference system | use an EPSG code such as EPSG:32638
    """

    usual_hint = "name the system, for example EPSG:32638"


class NotationError(GeotoolsError, ValueError):
    """A typed coordinate, grid reference or angle cannot be read, or reads two ways.

    Examples
    --------
    >>> import geotools as gt
    >>> try:
    ...     gt.notation.parse_angle("north-ish", "deg")
    ... except gt.errors.NotationError as error:
    ...     print(error, "|", error.hint)
    'north-ish' is not a bearing in this unit | is it degrees-minutes-seconds (dms) or 12-34 of 6000 (mil6000)?
    """

    usual_hint = "write it with its letters and units, for example 39.6012 N 47.1401 E, 38SPJ8373885550, or 92.5"


class TraverseError(GeotoolsError, ValueError):
    """Bearings and distances that do not make a figure. `.issues` lists the legs at fault, if they are known.

    Examples
    --------
    >>> import geotools as gt
    >>> try:
    ...     gt.declination.declination_deg(39.6, 47.14, date=1950)
    ... except gt.errors.TraverseError as error:
    ...     print(error, "|", error.hint)
    no magnetic model is at hand for 1950.0: they hold from 2010 to 2030 | give the declination of that time yourself (declination_deg=…, --declination)
    """

    usual_hint = "compare the sheet with an example: geotools traverse template sheet.csv"

    issues: Any = None


class ReleaseError(GeotoolsError, ValueError):
    """Input that breaks a rule of land release.

    Examples
    --------
    >>> import geotools as gt
    >>> import geopandas as gpd, shapely
    >>> field = gpd.GeoSeries([shapely.box(700000, 4380000, 700100, 4380100)], crs="EPSG:32638")
    >>> try:
    ...     gt.coverage(field, field, product="cleared", priority="largest")
    ... except gt.errors.ReleaseError as error:
    ...     print(error, "|", error.hint)
    there is no priority rule 'largest' | use one of first, strongest
    """

    usual_hint = "correct the record named here; geotools check explains the rules"


class CoverageError(GeotoolsError, ValueError):
    """Fixes, passes or a task that cannot be evaluated.

    Examples
    --------
    >>> import geotools as gt
    >>> try:
    ...     gt.swath.Rules(turn_deg=170)
    ... except gt.errors.CoverageError as error:
    ...     print(error, "|", error.hint)
    rules: turn_deg must be at most 120 | a pass must not run back over itself
    """

    usual_hint = "geotools info lists the fixes and tasks that were read"


class StatisticsError(GeotoolsError, ValueError):
    """Counts, sizes or probabilities outside their range.

    Examples
    --------
    >>> import geotools as gt
    >>> try:
    ...     gt.trial.interval(31, 30)
    ... except gt.errors.StatisticsError as error:
    ...     print(error, "|", error.hint)
    counts must be whole numbers with 0 ≤ k ≤ n | k is what was found, n what was there
    """

    usual_hint = "look at the counts and shares that were given"


class MapError(GeotoolsError, ValueError):
    """A map that would not be self-contained or safe to open.

    Examples
    --------
    >>> import geotools as gt
    >>> try:
    ...     gt.webmap.save("not a map", "map.html")
    ... except gt.errors.MapError as error:
    ...     print(error, "|", error.hint)
    only a folium map can be saved, not a str | geotools map --help lists what a map takes
    """

    usual_hint = "geotools map --help lists what a map takes"


class StoreError(GeotoolsError, RuntimeError):
    """A store refuses an operation; nothing was changed. `.issues` lists the rows at fault, if it is about rows.

    Examples
    --------
    >>> import geotools as gt
    >>> try:
    ...     gt.store.open("missing.gpkg")
    ... except gt.errors.StoreError as error:
    ...     print(error, "|", error.hint)
    missing.gpkg: no such file | geotools store init makes a store
    """

    usual_hint = "geotools store history STORE shows its state"

    issues: Any = None


class ConflictError(StoreError):
    """Rows were changed by someone else since they were loaded; nothing was changed.

    `.issues` lists the rows, with the revision that changed each (``value``) and the one the edit began on (``limit``).

    Examples
    --------
    >>> import tempfile, geopandas as gpd, geotools as gt
    >>> wells = gpd.GeoDataFrame({"id": ["P-1"], "name": ["x"]}, geometry=gpd.points_from_xy([47.0], [39.5]), crs=4326)
    >>> with gt.store.init(f"{tempfile.mkdtemp()}/programme.gpkg", author="A. Officer (synthetic)") as store:
    ...     first = store.save(wells, kind="places", note="first list", author="A").revision
    ...     second = store.save(wells.assign(name="y"), kind="places", note="corrected", author="B")
    ...     try:
    ...         store.save(wells.assign(name="z"), kind="places", note="corrected", author="C", base=first.number)
    ...     except gt.errors.ConflictError as error:
    ...         print(error.issues[["id", "value", "limit"]].values.tolist())
    [['P-1', 'revision 2', 'revision 1']]
    """


class MissingLibraryError(GeotoolsError, ImportError):
    """An optional library is needed; the hint names the extra to install.

    Examples
    --------
    >>> import geotools as gt
    >>> try:
    ...     gt.errors.need("a_library_that_is_not_here", "excel")
    ... except gt.errors.MissingLibraryError as error:
    ...     print(error, "|", error.hint)
    this needs the library 'a_library_that_is_not_here', which is not installed | pip install 'geotools-demining[excel]' (from a clone: pip install '.[excel]')
    """


def need(module: str, extra: str) -> Any:
    """Import an optional module, or raise `MissingLibraryError` naming the extra that brings it.

    Raises
    ------
    MissingLibraryError
        If the library is not installed; the hint says how to get it.

    Examples
    --------
    >>> need("math", "all").pi > 3
    True
    """
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibraryError(
            f"this needs the library '{module.split('.', maxsplit=1)[0]}', which is not installed",
            hint=f"pip install 'geotools-demining[{extra}]' (from a clone: pip install '.[{extra}]')",
        ) from error
