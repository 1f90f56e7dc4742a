"""`Programme`: the settings of one national or organisational programme, passed explicitly, never global.

For limits, words, reference systems and texts an authority may set; not for file locations (see `survey`).
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from geotools.model import vocab
from geotools.model.errors import ReadError

Frozen = Mapping[str, Any]

DEFAULT_LIMITS: Mapping[str, float] = MappingProxyType(
    {
        # land-release arithmetic (A3, A11)
        "overlap_m2": 1.0,
        "overlap_share": 0.001,
        "area_mismatch_share": 0.02,
        "finished_m2": 1.0,  # slivers of digitising up to this do not keep a hazard open
        # geometry
        "edge_max_m": 5000.0,
        "area_min_m2": 1.0,
        "area_max_m2": 1.0e8,
        "vertex_repeat_deg": 1.0e-6,
        "part_overlap_percent": 0.9,
        "sliver_width_m": 0.5,
        "spike_angle_deg": 1.0,
        "vertex_near_m": 0.25,
        # relations between records
        "duplicate_share": 0.9,
        "contained_share": 0.99,
        "area_factor_share": 0.03,
        "progress_mismatch_share": 0.01,
        "place_distance_m": 30_000.0,
        "outlier_distance_m": 1_000_000.0,
        "reduction_in_clearance_allowed": 0.0,
        # repair
        "repair_area_share": 0.01,
        "repair_area_m2": 100.0,
        # survey
        "misclosure_warn_ratio": 100.0,
        "misclosure_error_ratio": 50.0,
        "misclosure_floor_m": 1.0,
        "rotation_warn_deg": 2.0,
        "turning_point_gap_m": 50.0,
        "h_acc_max_m": 10.0,
        "h_acc_default_m": 3.0,
        # datum
        "operation_spread_m": 1.0,
        "operation_accuracy_m": 10.0,
        # field packages
        "public_grid_m": 100.0,
        "unsafe_grid_m": 1000.0,  # hazards marked unsafe to publish, for partners (PR-02)
        "package_margin_m": 500.0,
        "package_unplaced_m": 5000.0,  # hazards without a position stay behind if their settlement is farther from the area
    }
)


@dataclass(frozen=True)
class Programme:
    """Everything an authority decides and the software only applies.

    Parameters
    ----------
    name, country
        As printed on products.
    crs
        The programme's own metric system (any pyproj text); empty: chosen from the data.
    extent
        (west, south, east, north) in degrees WGS 84 within which coordinates are plausible; None: unknown.
    limits
        Tolerances by name, over `DEFAULT_LIMITS`; units are in the names.
    words
        vocabulary name → {spelling in files: canonical key}.
    columns
        record kind → {column in files: canonical column}.
    operations
        source CRS → coordinate operation to use (EPSG code or PROJ string), over the automatic choice.
    depth_cm
        Depth required of cleared ground, by contamination type or ``default``.
    languages
        Languages of products, first is the main one.
    texts
        Free texts of maps and reports, e.g. ``title``, ``footer``, ``authority``, ``contact`` (whom teams ask).

    Examples
    --------
    >>> Programme(limits={"area_min_m2": 4.0}).limit("area_min_m2")
    4.0
    """

    name: str = "Unnamed programme"
    country: str = ""
    crs: str = ""
    extent: tuple[float, float, float, float] | None = None
    limits: Frozen = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    operations: Mapping[str, str] = field(default_factory=dict)
    depth_cm: Mapping[str, float] = field(default_factory=dict)
    languages: tuple[str, ...] = ("en",)
    texts: Mapping[str, str] = field(default_factory=dict)

    def limit(self, name: str) -> float:
        """A tolerance by name.

        Raises
        ------
        KeyError
            If neither the programme nor the defaults know it.
        """
        return float(self.limits.get(name, DEFAULT_LIMITS[name] if name in DEFAULT_LIMITS else self.limits[name]))

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain data."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, file: object = None) -> Programme:
        """Build from parsed TOML.

        Raises
        ------
        ReadError
            If a setting is unknown or has the wrong shape.
        """
        if not isinstance(data, Mapping):
            raise ReadError("[programme] must be a table", hint='[programme]\nname = "…"', file=file)
        known = {f.name for f in dataclasses.fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise ReadError(
                f"unknown setting '{unknown[0]}' in [programme]",
                hint=f"known settings: {', '.join(sorted(known))}",
                file=file,
            )
        values = dict(data)
        _check_values(values, file)
        for name in ("limits", "words", "columns", "operations", "depth_cm", "texts"):
            if name in values and not isinstance(values[name], Mapping):
                raise ReadError(
                    f"[programme.{name}] must be a table", hint='write it as  name = "value"  lines', file=file
                )
        if values.get("extent") is not None:
            extent = values["extent"]
            if (
                not isinstance(extent, list | tuple)
                or len(extent) != 4
                or not all(isinstance(v, int | float) for v in extent)
            ):
                raise ReadError("extent must be [west, south, east, north] in degrees", file=file)
            west, south, east, north = (float(v) for v in extent)
            if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
                raise ReadError(
                    "extent must be [west, south, east, north] in degrees, west < east, south < north", file=file
                )
            values["extent"] = (west, south, east, north)
        if "languages" in values:
            if not isinstance(values["languages"], list | tuple):
                raise ReadError("languages must be a list", hint='languages = ["en", "az"]', file=file)
            values["languages"] = tuple(str(v) for v in values["languages"])
        return cls(**values)

    @classmethod
    def load(cls, path: str | Path) -> Programme:
        """Read the ``[programme]`` table of a TOML file (or the whole file if it has none).

        Raises
        ------
        ReadError
            If the file is missing, is not TOML, or holds an unknown setting.
        """
        data = load_toml(path)
        return cls.from_dict(data.get("programme", data), file=path)


_TABLES = ("limits", "words", "columns", "operations", "depth_cm", "texts")


def _check_values(values: Mapping[str, Any], file: object) -> None:
    """Refuse values that are not what their setting is: text, numbers, or tables of them."""
    for name in ("name", "country", "crs"):
        if not isinstance(values.get(name, ""), str):
            raise ReadError(f"{name} must be text", hint=f'write it in quotation marks: {name} = "…"', file=file)
    for name in _TABLES:
        rows = values.get(name, {})
        if not isinstance(rows, Mapping):
            continue  # said below, with the way to write a table
        for key, value in rows.items():
            if name in ("limits", "depth_cm"):
                good, wanted = _is_number(value), "a number"
            elif name in ("words", "columns"):
                good = isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values())
                wanted = f'a table of texts, as in  [programme.{name}.{key}]  "as in files" = "word"'
            else:
                good, wanted = isinstance(value, str) or (name == "operations" and _is_number(value)), "text"
            if not good:
                raise ReadError(f"[programme.{name}]: '{key}' must be {wanted}", hint="see the survey.toml of sample_data", file=file)  # fmt: skip
    _check_tables(values, file)


def _check_tables(values: Mapping[str, Any], file: object) -> None:
    """Refuse words of no vocabulary and columns of no record kind: they would be passed over without a word."""
    from geotools.model.schema import KINDS

    for name, what, known in (("words", "vocabulary", vocab.names()), ("columns", "record kind", tuple(KINDS))):
        rows = values.get(name, {})
        unknown = [key for key in rows if key not in known] if isinstance(rows, Mapping) else []
        if unknown:
            meant = [word for word in known if word.endswith(f"_{unknown[0]}")]
            hint = f"is {' or '.join(meant)} meant? " if meant else ""
            raise ReadError(
                f"unknown table [programme.{name}.{unknown[0]}]: there is no {what} of that name",
                hint=f"{hint}known tables: {', '.join(known)}",
                file=file,
            )


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) < 1e15


def load_toml(path: str | Path) -> dict[str, Any]:
    """Parse a TOML file.

    Raises
    ------
    ReadError
        If the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text("utf-8-sig"))
    except FileNotFoundError as error:
        raise ReadError("no such file", file=path) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ReadError(
            f"not a readable TOML file ({error})", hint="see the survey.toml of sample_data", file=path
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return list(value) if isinstance(value, tuple) else value
