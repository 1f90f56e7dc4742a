"""Land release: the ledger of every square metre, clearance coverage on any day, the balance sheet, and why a figure is what it is.

For who released which ground of which hazard; not for checking single records (see `checks`) or drawing (see `maps`).
"""

from geotools.analysis.release.balance import Balance
from geotools.analysis.release.coverage import Coverage, coverage, records
from geotools.analysis.release.engine import warm
from geotools.analysis.release.explain import Explanation, explain
from geotools.analysis.release.figures import early, hectares, known, percent, spreadsheet, square_metres, totals_table

__all__ = [
    "Balance",
    "Coverage",
    "Explanation",
    "coverage",
    "early",
    "explain",
    "hectares",
    "known",
    "percent",
    "records",
    "spreadsheet",
    "square_metres",
    "totals_table",
    "warm",
]
