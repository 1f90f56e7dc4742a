"""`geotools map`: one offline HTML map of a survey, or of what changed between two.

For calling `geotools.map` and `geotools.webmap.save` with options; nothing is computed here.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from geotools.cli import options


@click.command(
    epilog="Example: geotools map sample_data/fuzuli -o map.html --lang az --as-of 2024-12-31     "
    "Compare: geotools map --compare old.gpkg new.gpkg -o changes.html"
)
@click.argument("survey", type=click.Path(path_type=str), required=False)
@options.output_required
@options.overwrite
@options.as_of
@options.known_on
@options.crs
@options.encoding
@click.option("--layers", help="Record kinds to show, with commas (default: all but raw positions and training data).")
@click.option(
    "--lang",
    type=click.Choice(["en", "az", "tr", "ru"]),
    help="Language the page opens in (default: the programme's first).",
)
@click.option("--theme", default="safe", show_default=True, help="safe, imsma, or a TOML file of symbols.")
@click.option(
    "--basemap",
    "basemaps",
    multiple=True,
    metavar="NAME|PATH",
    help="hillshade, landcover, ortho, none, or the path of a raster, an MBTiles file or a folder of z/x/y.png; may be given "
    "several times, the first is shown first (default: all that the survey has).",
)
@click.option("--no-basemap", is_flag=True, help="Nothing below the layers.")
@click.option("--title", default="", help="Title in the panel (default: the programme's).")
@click.option("--sensitive", is_flag=True, help="Also show records whose location is marked as not to be published.")
@click.option(
    "--issues/--no-issues",
    "with_issues",
    default=True,
    show_default=True,
    help="Carry the issues found in reading as a layer.",
)
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=str),
    metavar="OLD NEW",
    help="What changed between two surveys, or two days (YYYY-MM-DD) of SURVEY.",
)
@click.option(
    "--max-mb",
    type=click.FloatRange(min=0, min_open=True),
    default=40.0,
    show_default=True,
    help="Keep the file within this: base maps are cut to fit, with a note; if the records alone are larger, refuse.",
)
@click.option("--open", "open_", is_flag=True, help="Open the map in the browser.")
@options.common
def command(
    survey: str | None,
    output: Path,
    overwrite: bool,
    as_of: date | None,
    known_on: date | None,
    crs: str | None,
    encoding: str | None,
    layers: str | None,
    lang: str | None,
    theme: str,
    basemaps: tuple[str, ...],
    no_basemap: bool,
    title: str,
    sensitive: bool,
    with_issues: bool,
    compare: tuple[str, str] | None,
    max_mb: float,
    open_: bool,
    progress: bool | None,
) -> None:
    """Write SURVEY as one HTML map that works without internet.

    SURVEY is a folder, a survey.toml, a GeoPackage or one file. The file asks for nothing when it is opened; areas are
    union areas on the ellipsoid; the time slider shows the ledger on every day.
    """
    from geotools.maps import webmap
    from geotools.survey import open_survey

    if basemaps and no_basemap:
        raise click.UsageError("--basemap and --no-basemap exclude each other.")
    if (survey is None) and not (compare and not all(_is_day(c) for c in compare)):
        raise click.UsageError("Missing argument 'SURVEY'.")
    settings = {
        "layers": layers or "",
        "lang": lang or "",
        "theme": theme,
        "basemap": basemaps or not no_basemap,
        "max_mb": max_mb,
        "title": title,
        "sensitive": sensitive,
    }
    bar = options.progress_bar(progress)
    if compare:
        made = _compared(survey, compare, settings, crs=crs, encoding=encoding)
    else:
        known = options.knowledge(survey or "", as_of, known_on)
        opened = open_survey(survey or "", crs=crs, encoding=encoding, as_of=known, progress=bar)
        made = webmap.map_survey(opened, issues=opened.issues if with_issues else None, as_of=as_of, **settings)
    for note in made.page.base_notes:
        options.say(webmap.words.text(note))
    path = webmap.save(made, output, overwrite=overwrite, max_mb=max_mb)
    options.say(f"{path}: {path.stat().st_size / 1e6:.2f} MB, works without internet")
    click.echo(str(path))
    if open_:
        click.launch(str(path))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _compared(survey: str | None, compare: tuple[str, str], settings: dict[str, Any], **reading: str | None) -> Any:
    from geotools.maps import webmap
    from geotools.survey import open_survey

    if all(_is_day(c) for c in compare):
        opened = open_survey(survey or "", **reading)  # type: ignore[arg-type]
        days = (date.fromisoformat(compare[0]), date.fromisoformat(compare[1]))
        return webmap.compare(opened, opened, days=days, names=compare, **settings)
    old, new = (open_survey(c, **reading) for c in compare)  # type: ignore[arg-type]
    return webmap.compare(old, new, names=compare, **settings)
