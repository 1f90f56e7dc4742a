"""Rules about one geometry at a time: validity, vertices, order of points, size. Not for what lies beside it."""

from geotools.checks.geometry.order import RULES as ORDER
from geotools.checks.geometry.shape import RULES as SHAPE
from geotools.checks.geometry.validity import RULES as VALIDITY

RULES = (*VALIDITY, *SHAPE, *ORDER)
