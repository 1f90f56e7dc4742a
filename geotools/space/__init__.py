"""Floor 1: coordinates, areas, geometry repair, grids, traverses and declination.

For geometry in any reference system; not for files or for what the ground means.
"""
