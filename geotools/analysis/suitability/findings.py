"""What is not known, in sentences: heights, limits, layers, words of the land cover; press figures and waivers.

For the ISSUES rows of a whole assessment; those of single tasks are made where the tasks are summed up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from geotools.analysis.suitability.cover import word_of
from geotools.analysis.suitability.layers import Layers, placed
from geotools.analysis.suitability.limits import CRITERIA, Settings
from geotools.analysis.suitability.machines import Machine
from geotools.model.schema import Issue

NAMES = {
    "slope_along": "slope along the lanes", "slope_across": "slope across the lanes", "cover": "land cover", "soil": "soil", "vegetation": "vegetation (stems)",
    "rock": "stones", "obstacles": "distance from obstacles", "buildings": "distance from buildings", "water": "distance from water",
    "access": "access from a road", "range": "remote-control range",
}  # fmt: skip
SOURCES = {
    "cover": ("cover",), "soil": ("soil",), "vegetation": ("vegetation",), "rock": ("rock",), "obstacles": ("obstacles",), "buildings": ("buildings", "cover"),
    "water": ("water", "cover"), "access": ("roads",), "range": ("stands",),
}  # fmt: skip


def findings(
    machine: Machine, layers: Layers, settings: Settings, *, heights: bool, legend: Mapping[int, str] | None
) -> list[Issue]:
    """Everything that leaves ground unknown or conditional all over.

    Parameters
    ----------
    heights
        Whether any slope is known.
    legend
        Words of the land cover; None if there is none.
    """
    out = (
        []
        if heights
        else [_of("SU-01", machine, "", "there are no heights: every slope is unknown; put dem.tif beside the survey")]
    )
    for name, limit in CRITERIA.items():
        out += [_of(code, machine, limit, words) for code, words in _on(name, machine, layers, settings)]
    out += [_of(*said) for said in _unplaced(machine, layers)]
    drive = machine.figure("access_slope_deg")
    if machine.figure("width_m") is None and drive is not None and not drive.any:
        out.append(_of("SU-02", machine, "width_m", f"{machine.name} has no known width: access is unknown everywhere"))
    table = machine.figure("cover")
    if legend is not None and not legend:
        out.append(
            _of(
                "SU-08",
                machine,
                "cover",
                "the land cover does not say what its codes mean: all of it is unknown; give a legend",
            )
        )
    elif legend and table is not None and not table.any:
        strange = sorted(name for name in set(legend.values()) if not {name, word_of(name)} & set(table.words))
        if strange:
            out.append(
                _of(
                    "SU-08",
                    machine,
                    "cover",
                    f"the machine's table does not know the land cover {', '.join(strange)}: unknown there",
                )
            )
    out += [_of(*said) for said in _strange(machine, layers, legend or {})]
    return out


def _strange(machine: Machine, layers: Layers, legend: Mapping[int, str]) -> Iterator[tuple[str, Machine, str, str]]:
    """Names of the land cover under which what it stands for could lie."""
    names = sorted({name for name in legend.values() if word_of(name) is None})
    for what in ("buildings", "water") if names else ():
        layer, figure = getattr(layers, what), machine.figure(CRITERIA[what])
        if (layer is None or not len(layer)) and figure is not None and not figure.any:
            shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
            yield (
                "SU-10",
                machine,
                CRITERIA[what],
                f"it is not understood what the land cover calls {shown}: there could be {what}, so {NAMES[what]} is unknown there and near it; give a legend with known words or a layer of {what}",
            )


def _of(code: str, machine: Machine, column: str, words: str) -> Issue:
    figure = machine.figure(column)
    value, limit = ("", "") if figure is None else (figure.text, figure.source)
    return Issue(
        code, "info" if code in ("SU-04", "SU-05") else "warning", "machines", machine.id, column, words, value, limit
    )


def _on(name: str, machine: Machine, layers: Layers, settings: Settings) -> Iterator[tuple[str, str]]:
    figure, title = machine.figure(CRITERIA[name]), NAMES[name]
    if settings.waived.get(name):
        yield "SU-05", f"{title}: where unknown, ground is conditional because: {settings.waived[name]}"
    elif figure is None:
        yield (
            "SU-02",
            f"{machine.name} has no known limit for {title}: unknown everywhere; your authority's figure goes into a machines file",
        )
    elif not figure.any and name in SOURCES and not any(_there(getattr(layers, source)) for source in SOURCES[name]):
        yield "SU-03", f"no layer tells about {title}: unknown everywhere"
    if figure is not None and not figure.trusted:
        yield "SU-04", f"the limit for {title} is known from the press only: ground is conditional at best"


def _there(layer: Any) -> bool:
    return layer is not None and (not hasattr(layer, "geometry") or bool(placed(layer).any()))


def _unplaced(machine: Machine, layers: Layers) -> Iterator[tuple[str, Machine, str, str]]:
    """Rows that have no place on the map, by layer."""
    for name, sources in SOURCES.items():
        layer, figure = getattr(layers, sources[0]), machine.figure(CRITERIA[name])
        lost = 0 if name == "cover" or layer is None else int((~placed(layer)).sum())
        if lost:
            what = (
                "that does not limit this machine"
                if figure is not None and figure.any
                else f"they could lie anywhere, so {NAMES[name]} is unknown where nothing else excludes the ground; place or remove them"
            )
            rows = f"{lost} of {len(layer)} rows of the layer {sources[0]} have no place on the map"
            yield "SU-09", machine, CRITERIA[name], f"{rows}: {what}"
