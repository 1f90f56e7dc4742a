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
    """A file or layer cannot be read."""

    usual_hint = "look at the file, or export it again from where it came from"


class WriteError(GeotoolsError, OSError):
    """A file cannot be written; the old one, if any, is untouched."""

    usual_hint = "choose another name or folder"


class SchemaError(GeotoolsError, ValueError):
    """A frame lacks what its schema requires. `.issues` lists every finding."""

    usual_hint = "geotools info FILE lists what is in it; geotools.schema.KINDS lists what each kind has"

    issues: Any = None


class CRSError(GeotoolsError, ValueError):
    """Coordinates have no reference system, or one that cannot be used here."""

    usual_hint = "name the system, for example EPSG:32638"


class NotationError(GeotoolsError, ValueError):
    """A typed coordinate, grid reference or angle cannot be read, or reads two ways."""

    usual_hint = "write it with its letters and units, for example 39.6012 N 47.1401 E, 38SPJ8373885550, or 92.5"


class TraverseError(GeotoolsError, ValueError):
    """Bearings and distances that do not make a figure. `.issues` lists the legs at fault, if they are known."""

    usual_hint = "compare the sheet with an example: geotools traverse template sheet.csv"

    issues: Any = None


class ReleaseError(GeotoolsError, ValueError):
    """Input that breaks a rule of land release."""

    usual_hint = "correct the record named here; geotools check explains the rules"


class CoverageError(GeotoolsError, ValueError):
    """Fixes, passes or a task that cannot be evaluated."""

    usual_hint = "geotools info lists the fixes and tasks that were read"


class StatisticsError(GeotoolsError, ValueError):
    """Counts, sizes or probabilities outside their range."""

    usual_hint = "look at the counts and shares that were given"


class MapError(GeotoolsError, ValueError):
    """A map that would not be self-contained or safe to open."""

    usual_hint = "geotools map --help lists what a map takes"


class StoreError(GeotoolsError, RuntimeError):
    """A store refuses an operation; nothing was changed. `.issues` lists the rows at fault, if it is about rows."""

    usual_hint = "geotools store history STORE shows its state"

    issues: Any = None


class ConflictError(StoreError):
    """Rows were changed by someone else since they were loaded; nothing was changed. `.issues` lists both values."""


class MissingLibraryError(GeotoolsError, ImportError):
    """An optional library is needed; the hint names the extra to install."""


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
