"""Statements that make the tables of a store in a GeoPackage (OGC 12-128, with the tables of the store beside them).

For `geopackage`; the feature tables of layers are made in `features`, the guards against other writers in `migrations`.
"""

from __future__ import annotations

TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name), CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
  scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE store_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE store_revisions (number INTEGER PRIMARY KEY, at TEXT NOT NULL, author TEXT NOT NULL, note TEXT NOT NULL, what TEXT NOT NULL,
  account TEXT NOT NULL, base INTEGER, sources TEXT NOT NULL, rows INTEGER NOT NULL, content TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX store_revisions_at ON store_revisions (at);
CREATE TABLE store_layouts (entry INTEGER PRIMARY KEY, revision INTEGER NOT NULL, kind TEXT NOT NULL, layout TEXT NOT NULL, UNIQUE (kind, revision));
CREATE TABLE store_history (entry INTEGER PRIMARY KEY, revision INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, action TEXT NOT NULL,
  previous INTEGER, attributes TEXT NOT NULL, wkb BLOB, hash TEXT NOT NULL, UNIQUE (kind, id, revision));
CREATE INDEX store_history_revision ON store_history (revision);
CREATE TABLE store_current (kind TEXT NOT NULL, id TEXT NOT NULL, entry INTEGER NOT NULL, revision INTEGER NOT NULL, action TEXT NOT NULL,
  hash TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
"""  # fmt: skip
SYSTEMS = (
    ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", None),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", None),
)
