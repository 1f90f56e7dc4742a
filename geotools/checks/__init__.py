"""Floor 3: find errors in the records, explain them in words a field officer understands, repair only what is safe.

For the data-quality officer's daily work; not for reading files (see `io`) or for the ledger (see `analysis.release`).
"""

from geotools.checks.compare import compare
from geotools.checks.registry import catalogue, check
from geotools.checks.repair import rejected, repair, repair_layers
from geotools.checks.rule import Check, Finding
from geotools.checks.together import together

__all__ = ["Check", "Finding", "catalogue", "check", "compare", "rejected", "repair", "repair_layers", "together"]
