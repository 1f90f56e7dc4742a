"""What `geotools swath` gives: layers, rasters, gap list, figures and a summary that a team leader can read. Not for working them out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from geotools.cli import options

SHOWN = 10
CELLS = 25_000_000  # of a raster of probabilities; a larger task gets larger cells
COUNTED = 100_000_000  # of a raster of pass counts
CANNOT = "These tracks cannot"


def assured(passes: Any, ground: Any, choices: dict[str, Any]) -> Any:
    """Assurance; where nobody has said how accurate the positions are, for a hand-held receiver. None without passes."""
    from geotools.analysis import swath

    if not len(passes):
        return None
    passes = _with_accuracy(passes, choices)
    sigma = choices["sigma"] if choices["sigma"] is not None else float(passes["h_acc_m"].median())
    grid = _grid(ground, min(0.25, max(choices["resolution"], sigma / 2)), CELLS)
    limits = swath.Draws(count=choices["draws"], seed=choices["seed"])
    return swath.assurance(passes, grid, sigma_m=choices["sigma"], tau_s=choices["tau"], task=ground, options=limits)


def _with_accuracy(passes: Any, choices: dict[str, Any]) -> Any:
    """The passes, those without an accuracy with the programme's for unknown receivers (`h_acc_default_m`): never exact."""
    from geotools.model.programme import Programme

    limit = (choices.get("programme") or Programme()).limit("h_acc_default_m")
    stated = passes["h_acc_m"].where(passes["h_acc_m"] > 0)
    return passes.assign(h_acc_m=stated.fillna(limit))


def overridden(passes: Any, sigma: float | None) -> str | None:
    """A warning where a position error was given although the fixes state or imply another."""
    import numpy as np

    stated = passes["h_acc_m"].to_numpy(dtype=float, na_value=np.nan) if "h_acc_m" in passes else np.zeros(0)
    if sigma is None:
        return None
    stated = stated[np.isfinite(stated) & (stated > 0) & ~np.isclose(stated, sigma)]
    if not len(stated):
        return None
    low, middle, high = np.quantile(stated, [0, 0.5, 1])
    span = f"{middle:.3g} m" if high - low < 0.001 else f"{middle:.3g} m (from {low:.3g} to {high:.3g} m)"
    less = "; it is smaller, so more ground counts than the fixes themselves would show" if sigma < middle else ""
    return (
        f"warning: --sigma {sigma:g} m is taken for all positions, in place of what the fixes of {len(stated):,} of {len(passes):,} passes say "
        f"of themselves: {span}{less}"
    )


def left_behind(passes: Any, ground: Any, choices: dict[str, Any]) -> Any:
    """Residual miss probability, or None without a detection probability."""
    from geotools.analysis import swath

    if choices["pod"] is None or not len(passes):
        return None
    pod = (
        swath.Pod.from_trial(*choices["pod"]) if len(choices["pod"]) == 2 else swath.Pod.from_interval(*choices["pod"])
    )
    grid = _grid(ground, max(choices["resolution"], 0.1), CELLS // 4)
    passes = _with_accuracy(passes, choices)
    return swath.residual(passes, grid, pod=pod, sigma_m=choices["sigma"], tau_s=choices["tau"], task=ground)


def _grid(ground: Any, cell: float, most: int) -> Any:
    """A grid over the task with cells of that size, or as much larger as the task needs; that is said."""
    from geotools.analysis import swath

    grid = swath.grid_within(ground, cell, most)
    if grid.cell > cell:
        options.say(f"the task is large: cells of {grid.cell:g} m instead of {cell:g} m")
    return grid


def write_products(
    folder: Path, found: dict[str, Any], passes: Any, ground: Any, choices: dict[str, Any]
) -> list[Path]:
    """Layers, rasters, gap list, figures and summary into a folder."""
    from geotools import io
    from geotools.analysis import swath
    from geotools.io.rasters import write_raster

    over = {"overwrite": choices["overwrite"]}
    covered, sure, left = found["covered"], found["assurance"], found["residual"]
    layers = {f"result_{name}" if name != "issues" else name: frame for name, frame in covered.layers().items()}
    layers["issues"] = found["issues"]
    layers["result_swath_passes"] = passes.to_crs(covered.covered.crs)
    if sure is not None:
        layers |= {
            f"result_swath_{name}": getattr(sure, name) for name in ("assured", "possible") if len(getattr(sure, name))
        }
    out = [
        io.write_layers({name: frame for name, frame in layers.items() if len(frame)}, folder / "swath.gpkg", **over)
    ]
    rasters = [swath.count(passes, _grid(ground, choices["resolution"], COUNTED))] if len(passes) else []
    rasters += [] if sure is None else [sure.probability]
    rasters += [] if left is None else [left.independent, left.correlated]
    out += [write_raster(raster, folder / f"{raster.name}.tif", **over) for raster in rasters]
    return [*out, *write_words(folder, found, choices)]


def write_words(folder: Path, found: dict[str, Any], choices: dict[str, Any]) -> list[Path]:
    """Gap list, figures and summary into a folder."""
    import json

    from geotools import io
    from geotools.io.atomic import write_text

    over, gaps, out = {"overwrite": choices["overwrite"]}, found["covered"].gaps, []
    if len(gaps):
        out += [io.write(gaps.to_crs(4326), folder / f"gaps.{kind}", **over) for kind in ("gpx", "geojson")]
    data = json.dumps(as_data(found, choices.get("name", "")), ensure_ascii=False, indent=2, allow_nan=False)
    out.append(write_text(folder / "swath.json", data + "\n", **over))
    out.append(write_text(folder / "summary.txt", "\n".join(words(found)) + "\n", **over))
    return out


def as_data(found: dict[str, Any], task: str) -> dict[str, Any]:
    """Everything as plain data."""
    names = {"covered": "coverage", "assurance": "assurance", "residual": "residual", "account": "account"}
    parts = {name: found.get(key) for key, name in names.items()}
    return {"task": task, **{name: None if part is None else part.to_dict() for name, part in parts.items()}}


def words(found: dict[str, Any]) -> list[str]:
    """The result for a person: what was covered, how sure that is, where to go back to, and where every fix went."""
    covered, sure, left = found["covered"], found["assurance"], found["residual"]
    lines = list(covered.sentences)
    said = any(line.startswith(CANNOT) for line in lines)
    if sure is not None:
        told = [line for line in sure.sentences if not (said and line.startswith(CANNOT))]
        lines += ["", "How sure this is:", *told, *_if_wrong(sure.sensitivity)]
    if left is not None:
        lines += ["", "What may be left behind:", *left.sentences]
    made = getattr(covered, "rasters", None)
    if made is not None:
        lines += ["", "How sure this is:", *made.sentences]
    lines += _places(covered.gaps, int(covered.totals["gaps"]))
    lines += ["", "Account of the fixes:", *_account(found)]
    return lines


def _if_wrong(table: Any) -> list[str]:
    """Assured ground if the position error or its correlation time were other than given."""
    lines = [f"{'if the error were':18} {'assured m²':>11} {'expected uncovered m²':>22}"]
    for row in table.itertuples():
        known = math.isfinite(row.expected_uncovered_m2)
        uncovered = f"{row.expected_uncovered_m2:22,.1f}" if known else f"{'–':>22}"
        lines.append(f"{row.what:18} {row.assured_m2:11,.1f} {uncovered}")
    return lines


def _places(gaps: Any, count: int) -> list[str]:
    if not len(gaps):
        return []
    lines = ["", "Places to go back to, largest first (with -o all of them are in gaps.gpx and gaps.geojson):"]
    lines.append(f"{'gap':6} {'m²':>9} {'width m':>8}  middle (latitude, longitude)")
    for _, row in gaps.head(SHOWN).iterrows():
        place = f"{row['latitude']:.7f}, {row['longitude']:.7f}"
        lines.append(f"{row['id']:6} {row['area_m2']:9.2f} {row['width_m']:8.2f}  {place}")
    return [*lines, f"… and {count - SHOWN} more"] if count > SHOWN else lines


def _account(found: dict[str, Any]) -> list[str]:
    if found.get("account") is not None:
        return list(found["account"].sentences)
    figures = found["covered"].totals.filter(like="fixes_")
    return [
        "fixes: "
        + ", ".join(f"{name.removeprefix('fixes_').replace('_', ' ')} {value}" for name, value in figures.items())
    ]
