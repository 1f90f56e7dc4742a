"""Floor 5: what a field team takes along and brings back. Not for maps or figures."""

from geotools.field.merge import decisions, listing, merge
from geotools.field.package import package

__all__ = ["decisions", "listing", "merge", "package"]
