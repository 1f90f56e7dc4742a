"""The tables, rules and roles of a store on a server, as statements: what the database itself refuses.

For `postgis` to run; nothing here connects. ``{s}`` is the schema, ``{reader}``, ``{team}``, ``{officer}`` are its roles.

The database enforces, whoever is connected: history only grows; a version follows the latest one of its row (no fork);
revisions are numbered without gaps and carry the hash of the one before; the current state is what history says, because
only the trigger writes it. Who may do what: reader loads; team also saves; officer also deletes and restores.
"""

from __future__ import annotations

TABLES = """
CREATE TABLE {s}.meta (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE {s}.revisions (number bigint PRIMARY KEY, at timestamptz NOT NULL, author text NOT NULL, note text NOT NULL, what text NOT NULL,
  account text NOT NULL, base bigint, sources text NOT NULL, rows bigint NOT NULL, content text NOT NULL, previous text NOT NULL, hash text NOT NULL);
CREATE INDEX revisions_at ON {s}.revisions (at);
CREATE TABLE {s}.layouts (revision bigint NOT NULL, kind text NOT NULL, layout text NOT NULL, PRIMARY KEY (kind, revision));
CREATE TABLE {s}.history (entry bigint PRIMARY KEY, revision bigint NOT NULL, kind text NOT NULL, id text NOT NULL, action text NOT NULL,
  attributes text NOT NULL, geom {g}.geometry, hash text NOT NULL);
CREATE UNIQUE INDEX history_record ON {s}.history (kind, id, revision);
CREATE INDEX history_revision ON {s}.history (revision);
CREATE INDEX history_geom ON {s}.history USING gist (geom);
CREATE TABLE {s}.current (kind text NOT NULL, id text NOT NULL, entry bigint NOT NULL, revision bigint NOT NULL, action text NOT NULL,
  hash text NOT NULL, PRIMARY KEY (kind, id))
"""

# What format 2 brought, also run when a store of format 1 is brought up to date.
RULES = """
CREATE UNIQUE INDEX history_previous ON {s}.history (previous) WHERE previous IS NOT NULL;
CREATE FUNCTION {s}.sealed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN RAISE EXCEPTION 'the history of a store is never changed: it can only grow' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER sealed BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.history FOR EACH STATEMENT EXECUTE FUNCTION {s}.sealed();
CREATE TRIGGER sealed BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.revisions FOR EACH STATEMENT EXECUTE FUNCTION {s}.sealed();
CREATE TRIGGER sealed BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.layouts FOR EACH STATEMENT EXECUTE FUNCTION {s}.sealed();
CREATE FUNCTION {s}.may(wanted text) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF to_regrole(wanted) IS NULL THEN RETURN true; END IF;
  RETURN pg_has_role(session_user, wanted, 'member') OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = {history}::regclass), 'member');
END $$;
CREATE FUNCTION {s}.next_revision() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE last record;
BEGIN
  SELECT number, hash, at INTO last FROM {s}.revisions ORDER BY number DESC LIMIT 1;
  IF NEW.number IS DISTINCT FROM coalesce(last.number + 1, 0) OR NEW.previous IS DISTINCT FROM coalesce(last.hash, '') OR NEW.at < last.at THEN
    RAISE EXCEPTION 'this revision does not follow the latest one' USING ERRCODE = 'serialization_failure';
  END IF;
  IF NEW.account IS DISTINCT FROM session_user::text THEN
    RAISE EXCEPTION 'a revision names the account that saves it' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NEW.what IN ('restore', 'migrate') AND NOT {s}.may({officer_name}) THEN
    RAISE EXCEPTION 'only an officer may restore a former state' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER next_revision BEFORE INSERT ON {s}.revisions FOR EACH ROW EXECUTE FUNCTION {s}.next_revision();
CREATE FUNCTION {s}.follow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM fresh WHERE action = 'delete') AND NOT {s}.may({officer_name}) THEN
    RAISE EXCEPTION 'only an officer may delete records' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF EXISTS (SELECT 1 FROM fresh WHERE revision IS DISTINCT FROM (SELECT max(number) FROM {s}.revisions)) THEN
    RAISE EXCEPTION 'rows belong to the latest revision' USING ERRCODE = 'serialization_failure';
  END IF;
  IF EXISTS (SELECT 1 FROM fresh f LEFT JOIN {s}.current c ON c.kind = f.kind AND c.id = f.id WHERE f.previous IS DISTINCT FROM c.entry) THEN
    RAISE EXCEPTION 'a row was changed by someone else since' USING ERRCODE = 'serialization_failure';
  END IF;
  INSERT INTO {s}.current AS c (kind, id, entry, revision, action, hash) SELECT kind, id, entry, revision, action, hash FROM fresh
    ON CONFLICT (kind, id) DO UPDATE SET entry = excluded.entry, revision = excluded.revision, action = excluded.action, hash = excluded.hash;
  RETURN NULL;
END $$;
CREATE TRIGGER follow AFTER INSERT ON {s}.history REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION {s}.follow()
"""

ROLES = """
REVOKE ALL ON SCHEMA {s} FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA {s} FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {s} FROM PUBLIC;
GRANT {reader} TO {team};
GRANT {team} TO {officer};
GRANT USAGE ON SCHEMA {s} TO {reader};
GRANT SELECT ON {s}.meta, {s}.revisions, {s}.layouts, {s}.history, {s}.current TO {reader};
GRANT INSERT ON {s}.revisions, {s}.layouts, {s}.history TO {team};
GRANT EXECUTE ON FUNCTION {s}.may(text) TO {team}
"""
NAMES = ("reader", "team", "officer")
