"""Swath coverage: what a detector or machine covered and missed, as its fixes show it, and how sure that is.

For tracks with times and widths; "covered" is where the tool went, never a statement that land is safe.
"""

from geotools.analysis.swath.account import Account, account
from geotools.analysis.swath.assurance import Assurance, Draws, assurance
from geotools.analysis.swath.counts import count, grid_of, grid_within
from geotools.analysis.swath.cover import CoverRules, SwathCoverage, cover
from geotools.analysis.swath.detection import Pod, Residual, residual
from geotools.analysis.swath.gaps import gap_list
from geotools.analysis.swath.passes import swaths
from geotools.analysis.swath.prepare import Prepared, passes, prepare
from geotools.analysis.swath.rasters import Cells
from geotools.analysis.swath.research import research_area, rework
from geotools.analysis.swath.rules import Rules, Section, Tool
from geotools.analysis.swath.stream import stream
from geotools.analysis.swath.tiled import Job, StreamedCoverage, cover_stream

__all__ = [
    "Account",
    "Assurance",
    "Cells",
    "CoverRules",
    "Draws",
    "Job",
    "Pod",
    "Prepared",
    "Residual",
    "Rules",
    "Section",
    "StreamedCoverage",
    "SwathCoverage",
    "Tool",
    "account",
    "assurance",
    "count",
    "cover",
    "cover_stream",
    "gap_list",
    "grid_of",
    "grid_within",
    "passes",
    "prepare",
    "research_area",
    "residual",
    "rework",
    "stream",
    "swaths",
]
