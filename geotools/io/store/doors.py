"""The doors of a store: is there one, open it, make one.

For choosing between file and server; the work is in `store`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from geotools.io.atomic import replacing
from geotools.io.store import address, chain, geopackage
from geotools.io.store.asked import said
from geotools.io.store.chain import FORMAT, Revision, content_hash
from geotools.io.store.store import Store
from geotools.model.errors import StoreError
from geotools.model.provenance import version


def open_store(source: str | Path) -> Store:
    """Open a store.

    Parameters
    ----------
    source
        ``programme.gpkg``, or ``postgresql://user@host/database`` (``?schema=name`` for another schema than
        ``geotools``); passwords are best kept in a ``.pgpass`` file.

    Returns
    -------
    Store
        Open; close it, or use it in a ``with`` block.

    Raises
    ------
    StoreError
        If there is no store, it has another format, or it cannot be reached.
    MissingLibraryError
        If the address is a server's and the extra ``postgis`` is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import geotools as gt
    >>> file = Path(tempfile.mkdtemp()) / "programme.gpkg"
    >>> gt.store.init(file, author="A. Officer (synthetic)").close()
    >>> with gt.store.open(file) as store:
    ...     store.head().number, store.head().author, store.kinds()
    (0, 'A. Officer (synthetic)', [])
    """
    if address.is_url(source):
        from geotools.io.store.postgis import PostGIS

        return Store(PostGIS(str(source)))
    path = Path(source)
    if not path.is_file():
        raise StoreError("no such file", hint="geotools store init makes a store", file=path)
    if not geopackage.is_store(path):
        raise StoreError("this is not a geotools store", hint="geotools store init NEW.gpkg, then geotools store save NEW.gpkg THIS", file=path)  # fmt: skip
    return Store(geopackage.GeoPackage(path))


def is_store(source: object) -> bool:
    """Whether a source is a store: a server's address, or a GeoPackage with a history.

    Examples
    --------
    >>> is_store("postgresql://db/programme"), is_store("hazards.geojson")
    (True, False)
    """
    if address.is_url(source):
        return True
    path = Path(str(source))
    return path.suffix.lower() == ".gpkg" and path.is_file() and geopackage.is_store(path)


def init(source: str | Path, *, author: str, name: str = "", roles: bool = False) -> Store:
    """Make an empty store, or bring one of an older format up to date; one of today's format is opened as it is.

    Parameters
    ----------
    source
        As in `open_store`; a file must end in ``.gpkg``.
    author
        Who makes it: the first revision bears the name.
    name
        Name of the programme.
    roles
        On a server: also the roles ``<schema>_reader``, ``<schema>_team`` and ``<schema>_officer``.

    Returns
    -------
    Store
        Open; a new one has one revision and no layers.

    Raises
    ------
    StoreError
        If something else stands there, or the database refuses.

    Examples
    --------
    >>> import tempfile
    >>> with init(Path(tempfile.mkdtemp()) / "programme.gpkg", author="A. Officer (synthetic)", name="Sample") as store:
    ...     store.name, store.head().what, len(store.revisions())
    ('Sample', 'init', 1)
    """
    who, title = said(author, "author"), said(name, "name", empty=True)
    first = Revision(0, chain.clock(), who, title, what="init", content=content_hash((), ())).sealed()
    note = replace(first, note=f"brought to format {FORMAT} by geotools {version()}", what="migrate")
    if address.is_url(source):
        from geotools.io.store.postgis import PostGIS

        return Store(PostGIS.init(str(source), {"format": str(FORMAT), "name": title}, first, note=note, roles=roles))
    path = Path(source)
    if roles:
        raise StoreError("a GeoPackage has no roles", hint="roles are for a server: postgresql://…", file=path)
    if path.suffix.lower() != ".gpkg":
        raise StoreError("a store is a .gpkg file or a postgresql:// address", hint="geotools store init programme.gpkg", file=path)  # fmt: skip
    if path.exists():
        if not geopackage.is_store(path):
            raise StoreError("there is a file of this name that is not a store", hint="choose another name; nothing was changed", file=path)  # fmt: skip
        geopackage.bring_up_to_date(path, note)
        return open_store(path)
    with replacing(path) as temporary:
        geopackage.create(temporary, {"format": str(FORMAT), "name": title}, first)
    return open_store(path)
