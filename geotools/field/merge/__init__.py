"""What teams bring back, merged into what the office has: three ways, by a stable key, nothing lost.

`layers` pairs whole files, `three_way` combines, `pieces` knows what was cut from what, `sides` reads one version, `same` compares cells, `preference` says whose value stands. Nothing is written here.
"""

from geotools.field.merge.layers import computed, family, merge_layers
from geotools.field.merge.preference import carried, decisions, listing
from geotools.field.merge.same import same_place
from geotools.field.merge.strangers import strange
from geotools.field.merge.three_way import merge

__all__ = ["carried", "computed", "decisions", "family", "listing", "merge", "merge_layers", "same_place", "strange"]
