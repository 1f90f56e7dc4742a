"""The store: a programme's records with who changed what, when and why; a GeoPackage for one office, PostGIS for a server.

For keeping and asking again; reading other files is `geotools.io`, combining what teams bring back is `geotools.field.merge`.
"""

from geotools.io.store.chain import Revision
from geotools.io.store.doors import init, is_store
from geotools.io.store.doors import open_store as open  # noqa: A004
from geotools.io.store.store import Saved, Store

__all__ = ["Revision", "Saved", "Store", "init", "is_store", "open"]
