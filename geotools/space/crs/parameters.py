"""A programme's own datum parameters as a PROJ pipeline.

For text in settings and on the command line; choosing among published operations is in `operations`.
"""

from __future__ import annotations

import re

import pyproj

from geotools.model.errors import CRSError


def stated(text: str) -> tuple[str, float | None]:
    """An operation's text and the accuracy in metres written at its end, if any.

    Examples
    --------
    >>> stated("+towgs84=1,2,3 accuracy=2")
    ('+towgs84=1,2,3', 2.0)
    """
    match = re.search(r"\s*[+,;]?\s*accuracy\s*=\s*([0-9.]+)\s*m?\s*$", text)
    return (text[: match.start()].strip(), float(match[1])) if match else (text, None)


def pipeline(text: str, first: pyproj.CRS, second: pyproj.CRS) -> str:
    """A PROJ pipeline on longitude and latitude in degrees from +towgs84, +proj=helmert or a pipeline as it is.

    Raises
    ------
    CRSError
        If it is none of these, or rotations come without their convention.
    """
    if "+proj=pipeline" in text:
        return text
    match = re.fullmatch(r"\+towgs84=([-+0-9.,eE\s]+)", text)
    if match:
        values = [float(v) for v in re.split(r"[,\s]+", match[1].strip(" ,")) if v]
        if len(values) not in (3, 7):
            raise CRSError(
                f"+towgs84 takes 3 or 7 numbers, not {len(values)}",
                hint="dx,dy,dz in metres, rx,ry,rz in arc seconds, scale in ppm",
            )
        names = ("x", "y", "z", "rx", "ry", "rz", "s")
        text = "+proj=helmert " + " ".join(f"+{name}={value!r}" for name, value in zip(names, values, strict=False))
        text += " +convention=position_vector" if len(values) == 7 else ""
    if not text.startswith("+proj=helmert"):
        raise CRSError(f"'{text}' is not an operation", hint="write +towgs84=…, +proj=helmert … or +proj=pipeline …")
    if "+convention" not in text and "+rx" in text:
        raise CRSError(
            "a Helmert operation with rotations must name its convention",
            hint="add +convention=position_vector or +convention=coordinate_frame",
        )
    return (
        f"+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=push +v_3 +step +proj=cart {_ellipsoid(first)} "
        f"+step {text} +step +inv +proj=cart {_ellipsoid(second)} +step +proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )


def _ellipsoid(crs: pyproj.CRS) -> str:
    shape = crs.ellipsoid
    if shape is None:
        raise CRSError(f"{crs.name} has no ellipsoid")
    return f"+a={shape.semi_major_metre!r} +rf={shape.inverse_flattening!r}"
