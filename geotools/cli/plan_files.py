"""What the plans write into one folder: tables (CSV, workbook, JSON), a map layer, charts; the whole folder or nothing, the same bytes each time.

For `plan priority` and `plan teams`; not for reading.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
TABLES = ("csv", "xlsx", "json")
CHARTS = ("svg", "png", "pdf")
LONGEST = 32_000  # letters of one cell of a workbook


@dataclass(frozen=True)
class Results:
    """What a plan has to write: tables and layers by name, one JSON document, figures."""

    stem: str
    tables: Mapping[str, Any]
    layers: Mapping[str, Any]
    document: Mapping[str, Any]
    figures: Mapping[str, Any] = field(default_factory=dict)


def file_options(function: F) -> F:
    """-f and --chart-format, the same for all plans."""
    function = click.option(
        "--chart-format", type=click.Choice(CHARTS), default="svg", show_default=True, help="Format of the charts."
    )(function)
    return click.option(
        "-f",
        "--format",
        "formats",
        multiple=True,
        type=click.Choice(TABLES),
        default=("csv", "json"),
        show_default=True,
        help="Formats of the tables (may be repeated); xlsx needs the extra excel.",
    )(function)


def check(output: Path | None, *, overwrite: bool) -> None:
    """Say before the work that the folder is there already, or holds other things.

    Raises
    ------
    WriteError
        If it cannot be replaced.
    """
    from geotools.model.errors import WriteError

    if output is None or not output.exists():
        return
    if not output.is_dir():
        raise WriteError("there is a file of this name", hint="-o names a folder", file=output)
    if not any(output.iterdir()):
        return
    if not overwrite:
        raise WriteError("it exists already", hint="choose another folder or add --overwrite", file=output)
    known = {f".{ending}" for ending in (*TABLES, *CHARTS, "gpkg")}
    other = sorted(f.name for f in output.iterdir() if f.is_dir() or f.suffix.lower() not in known)
    if other:
        raise WriteError(f"this folder holds other things ('{other[0]}'), it is not replaced", hint="choose an empty or new folder", file=output)  # fmt: skip


def write(
    results: Results, output: Path, *, formats: tuple[str, ...], chart_format: str, as_of: date, overwrite: bool
) -> None:
    """Write everything into the folder, which takes the place of an older one."""
    from geotools import io
    from geotools.io.atomic import replacing, write_text

    empty = output.is_dir() and not any(output.iterdir())
    with replacing(output, overwrite=overwrite or empty) as folder:
        folder.mkdir()
        if "csv" in formats:
            for name, table in results.tables.items():
                io.write(_plain(table), folder / f"{name}.csv")
        if "xlsx" in formats:
            _workbook(results, folder / f"{results.stem}.xlsx", as_of)
        if "json" in formats:
            text = json.dumps(clean(results.document), ensure_ascii=False, indent=2, allow_nan=False)
            write_text(folder / f"{results.stem}.json", text + "\n")
        if results.layers:
            with _stated_time(as_of):
                io.write_layers(results.layers, folder / f"{results.stem}.gpkg")
        _charts(results.figures, folder, chart_format, as_of)


def clean(value: Any) -> Any:
    """Plain data that JSON can hold: dates as text, what is missing or infinite as null, figures to ten digits."""
    import numpy as np
    import pandas as pd

    if isinstance(value, Mapping):
        return {str(k): clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean(v) for v in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.10g}") if np.isfinite(value) else None
    return str(value)


def shown(text: Any) -> str:
    """A name from a file as a terminal may show it: nothing that moves the cursor or turns the writing round.

    Examples
    --------
    >>> shown("H-1\\x1b[2J")
    'H-1\ufffd[2J'
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in str(text))


def inputs_of(opened: Any) -> list[dict[str, Any]]:
    """Name, hash and rows of each file that was read."""
    return [{"name": item.name, "sha256": item.sha256, "rows": item.rows} for item in opened.inputs]


def _plain(table: Any) -> Any:
    import geopandas as gpd

    frame = table.drop(columns=table.geometry.name) if isinstance(table, gpd.GeoDataFrame) else table
    numbers = frame.select_dtypes("number").columns
    return frame.assign(**{name: frame[name].round(6) for name in numbers})


def _workbook(results: Results, path: Path, as_of: date) -> None:
    """One sheet per table; no text is ever a formula, no time of writing remains."""
    from io import BytesIO

    import pandas as pd

    from geotools.io.excel import settled
    from geotools.io.excel_looks import dress
    from geotools.io.tables import guard
    from geotools.model.errors import need

    need("openpyxl", "excel")
    draft = BytesIO()
    with pd.ExcelWriter(draft, engine="openpyxl") as book:
        for name, table in results.tables.items():
            sheet = _plain(table).map(lambda cell: guard(_legal(cell)) if isinstance(cell, str) else cell)
            sheet.to_excel(book, sheet_name=name[:31], index=False)
        dress(book.book)
    path.write_bytes(settled(draft.getvalue(), f"{as_of.isoformat()}T00:00:00Z"))


def _charts(figures: Mapping[str, Any], folder: Path, chart_format: str, as_of: date) -> None:
    """The charts; a PDF bears the day of the records, not the moment of writing."""
    from geotools.maps import charts

    if chart_format != "pdf":
        charts.save(figures, folder, format=chart_format)
        return
    import matplotlib as mpl

    for name, figure in figures.items():
        with mpl.rc_context(charts.RC):
            stamp = datetime(as_of.year, as_of.month, as_of.day)  # noqa: DTZ001
            figure.savefig(folder / f"{name}.pdf", format="pdf", metadata={"CreationDate": stamp})


def _legal(text: str) -> str:
    return "".join(c if c in "\t\n" or ord(c) >= 32 else "\ufffd" for c in text)[:LONGEST]


@contextmanager
def _stated_time(as_of: date) -> Iterator[None]:
    """GDAL writes a stated time into a GeoPackage, not that of the clock."""
    import pyogrio

    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{as_of.isoformat()}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
