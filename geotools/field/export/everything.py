"""One GeoPackage of every layer and every result, each with a title and a description, read back before it counts.

For analysts who open it in a GIS; a field team's files are in `team`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import geopandas as gpd

from geotools import io
from geotools.field.export.inputs import CoverageLike, SurveyLike, layer_of
from geotools.io import verification
from geotools.io.atomic import replacing
from geotools.model.errors import WriteError
from geotools.model.schema import KINDS, issues_frame

RESULTS = {
    "result_coverage": "One row per hazard: recorded, released and remaining m² on the WGS 84 ellipsoid",
    "result_remaining": "Ground of hazards that no act has released",
    "result_released": "Released ground, each m² once, for the act that released it first",
    "result_processed": "Ground worked by machine without a search after it; not released",
    "result_outside": "Released ground outside every recorded hazard",
    "result_overlaps": "Ground that two releases claim",
    "issues": "Everything found in the data: code, severity, record, what it says",
}


def survey_gpkg(
    survey: SurveyLike,
    coverage: CoverageLike,
    path: str | Path,
    *,
    issues: gpd.GeoDataFrame | None = None,
    overwrite: bool = False,
) -> Path:
    """Write every layer and every result into one GeoPackage, each layer with a title and a description.

    Parameters
    ----------
    issues
        The ISSUES table to include; default: that of the coverage.

    Returns
    -------
    Path
        The file: record layers under their kind (`hazards`, `releases`, …), results as ``result_…``, and ``issues``. Opening it
        as a survey gives the record layers only.

    Raises
    ------
    WriteError
        If it exists and `overwrite` is false, or cannot be written.

    Examples
    --------
    >>> sorted(RESULTS)[:2]
    ['issues', 'result_coverage']
    """
    target = Path(path)
    results = _results(survey, coverage, coverage.issues if issues is None else issues)
    frames = {**{name: frame for name, frame in survey.layers.items() if len(frame)}, **results}
    with replacing(target, overwrite=overwrite) as temporary:
        io.write_layers(frames, temporary)  # read back there
        try:
            _describe(temporary, {name: _description(name) for name in frames})
        except sqlite3.Error as error:
            raise WriteError(
                "writing failed: the file is not whole; nothing was changed", hint=verification.HINT, file=target
            ) from error
    return target


def _results(survey: SurveyLike, coverage: CoverageLike, issues: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    hazards = layer_of(survey, "hazards")
    shapes = gpd.GeoSeries(hazards.geometry.array, index=hazards["id"], crs=hazards.crs).reindex(coverage.table["id"])
    table = gpd.GeoDataFrame(
        coverage.table.reset_index(drop=True), geometry=gpd.GeoSeries(shapes.array, crs=hazards.crs)
    )
    frames = {
        "result_coverage": table, "result_remaining": coverage.remaining, "result_released": coverage.released,
        "result_processed": coverage.processed, "result_outside": coverage.outside, "result_overlaps": coverage.overlaps,
        "issues": issues if len(issues) else issues_frame(),
    }  # fmt: skip
    return {name: frame for name, frame in frames.items() if len(frame)}


def _description(name: str) -> tuple[str, str]:
    """Title and description of a layer."""
    if name in RESULTS:
        return name.removeprefix("result_").capitalize() + (" (result)" if name != "issues" else ""), RESULTS[name]
    title = KINDS[name].title if name in KINDS else name
    return title, f"{title}, as recorded" if name in KINDS else f"Records of '{name}', kind not known"


def _describe(path: Path, descriptions: Mapping[str, tuple[str, str]]) -> None:
    """Titles and descriptions into the contents table of a GeoPackage."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "UPDATE gpkg_contents SET identifier = ?, description = ? WHERE table_name = ?",
            [(title, text, name) for name, (title, text) in descriptions.items()],
        )
