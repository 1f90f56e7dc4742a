"""Rules about the order of work: status, dates, products, links: WF-01…11. Not for geometry."""

from geotools.checks.workflow.dates import RULES as DATES
from geotools.checks.workflow.links import RULES as LINKS
from geotools.checks.workflow.products import RULES as PRODUCTS
from geotools.checks.workflow.status import RULES as STATUS

RULES = (*STATUS, *DATES, *PRODUCTS, *LINKS)
