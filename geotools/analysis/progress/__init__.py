"""Progress figures: what was released and found, per period and by whom, how productive, and done by when.

For tables and forecasts made from the ledger's credits; the credits themselves come from `analysis.release`.
"""

from geotools.analysis.progress.bulletins import annual, bulletin, readable, with_total
from geotools.analysis.progress.completion import HORIZON, Forecast, forecast, monthly_rates
from geotools.analysis.progress.periods import PERIODS, PRODUCTS, UNKNOWN, counted, found, released
from geotools.analysis.progress.rates import productivity

__all__ = [
    "HORIZON",
    "PERIODS",
    "PRODUCTS",
    "UNKNOWN",
    "Forecast",
    "annual",
    "bulletin",
    "counted",
    "forecast",
    "found",
    "monthly_rates",
    "productivity",
    "readable",
    "released",
    "with_total",
]
