"""The report that people sign: one task, its ledger, map, turning points, finds, inspections, issues and provenance, as PDF.

For the completion report and the handover certificate; figures come from the ledger. It never declares land safe.
"""

from geotools.maps.report.document import Report, build

__all__ = ["Report", "build"]
