"""What a team takes along: one folder and one ZIP with maps, tables, forms and files for phones, redacted to a level.

`folder` puts the rooms in order; `redact` decides what leaves. Merging what comes back is `field.merge`.
"""

from geotools.field.package.cargo import LEVELS
from geotools.field.package.folder import PARTS, Choices, Package, package

__all__ = ["LEVELS", "PARTS", "Choices", "Package", "package"]
