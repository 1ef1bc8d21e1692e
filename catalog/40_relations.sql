-- Schemas, tables and columns of the lake, as the session sees them now. Oids come from the names,
-- so that they stay while a table's snapshots change.
CREATE MACRO pg_lake_database() AS system.main.current_database();
CREATE MACRO pg_oid_of_schema(schema_name) AS CASE schema_name
  WHEN 'main' THEN 2200 WHEN 'pg_catalog' THEN 11 WHEN 'information_schema' THEN 13000
  ELSE hash(schema_name) % 1000000000 + 16384 END::UINTEGER;
CREATE MACRO pg_oid_of_table(schema_name, table_name) AS
  (hash(schema_name || '.' || table_name) % 1000000000 + 16384)::UINTEGER;
CREATE MACRO pg_schema_shown(schema_name) AS
  CASE schema_name WHEN 'main' THEN 'public' ELSE schema_name END;

CREATE VIEW pg_namespace AS
SELECT pg_oid_of_schema(schema_name)::UINTEGER AS oid, pg_schema_shown(schema_name) AS nspname,
       10::UINTEGER AS nspowner, NULL::VARCHAR[] AS nspacl
FROM duckdb_schemas()
WHERE database_name = pg_lake_database() AND (NOT internal OR schema_name = 'main')
  AND schema_name <> 'public'
UNION ALL SELECT 11::UINTEGER, 'pg_catalog', 10::UINTEGER, NULL
UNION ALL SELECT 13000::UINTEGER, 'information_schema', 10::UINTEGER, NULL;

-- Tables of the lake are views in the session's database; what is a view in the lake, too, has a comment that says so
-- (engine/sql_session.cc).
CREATE VIEW pg_relation_row AS
SELECT pg_oid_of_table(schema_name, view_name) AS oid, view_name AS relname, schema_name,
       pg_oid_of_schema(schema_name) AS relnamespace,
       CASE WHEN schema_name = 'main' OR comment = 'view' THEN 'v' ELSE 'r' END AS relkind,
       column_count, comment, sql
FROM duckdb_views()
WHERE database_name = pg_lake_database() AND NOT internal AND NOT contains(view_name, '@')
  AND schema_name <> 'public';

CREATE VIEW pg_class AS SELECT
  oid::UINTEGER AS oid, relname::VARCHAR AS relname, relnamespace::UINTEGER AS relnamespace, 0::UINTEGER AS reltype,
  0::UINTEGER AS reloftype, 10::UINTEGER AS relowner, CASE relkind WHEN 'r' THEN 2 ELSE 0 END::UINTEGER AS relam,
  0::UINTEGER AS relfilenode, 0::UINTEGER AS reltablespace, 0 AS relpages, (-1)::FLOAT AS reltuples,
  0 AS relallvisible, 0::UINTEGER AS reltoastrelid, false AS relhasindex,
  false AS relisshared, 'p'::pgchar AS relpersistence, relkind::pgchar AS relkind,
  column_count::SMALLINT AS relnatts, 0::SMALLINT AS relchecks, false AS relhasrules,
  false AS relhastriggers, false AS relhassubclass, false AS relrowsecurity,
  false AS relforcerowsecurity, true AS relispopulated, 'n'::pgchar AS relreplident,
  false AS relispartition, 0::UINTEGER AS relrewrite, 0::UINTEGER AS relfrozenxid, 0::UINTEGER AS relminmxid,
  ['lake=r/lake'] AS relacl, NULL::VARCHAR[] AS reloptions, NULL::VARCHAR AS relpartbound
FROM pg_relation_row;
CREATE VIEW pg_tables AS SELECT
  pg_schema_shown(schema_name)::VARCHAR AS schemaname, relname::VARCHAR AS tablename, 'lake'::VARCHAR AS tableowner,
  NULL::VARCHAR AS tablespace, false AS hasindexes, false AS hasrules,
  false AS hastriggers, false AS rowsecurity
FROM pg_relation_row WHERE relkind = 'r';
CREATE VIEW pg_views AS SELECT
  pg_schema_shown(schema_name)::VARCHAR AS schemaname, relname::VARCHAR AS viewname, 'lake'::VARCHAR AS viewowner,
  sql::VARCHAR AS definition
FROM pg_relation_row WHERE relkind = 'v';
CREATE VIEW pg_stat_user_tables AS SELECT
  oid::UINTEGER AS relid, pg_schema_shown(schema_name)::VARCHAR AS schemaname, relname::VARCHAR AS relname,
  0::BIGINT AS seq_scan, 0::BIGINT AS seq_tup_read, 0::BIGINT AS idx_scan, 0::BIGINT AS idx_tup_fetch,
  0::BIGINT AS n_tup_ins, 0::BIGINT AS n_tup_upd, 0::BIGINT AS n_tup_del, 0::BIGINT AS n_tup_hot_upd,
  0::BIGINT AS n_live_tup, 0::BIGINT AS n_dead_tup, 0::BIGINT AS n_mod_since_analyze, 0::BIGINT AS n_ins_since_vacuum,
  NULL::TIMESTAMPTZ AS last_vacuum, NULL::TIMESTAMPTZ AS last_autovacuum, NULL::TIMESTAMPTZ AS last_analyze,
  NULL::TIMESTAMPTZ AS last_autoanalyze, 0::BIGINT AS vacuum_count, 0::BIGINT AS autovacuum_count,
  0::BIGINT AS analyze_count, 0::BIGINT AS autoanalyze_count
FROM pg_relation_row WHERE relkind = 'r';
CREATE VIEW pg_attribute AS SELECT
  pg_oid_of_table(c.schema_name, c.table_name)::UINTEGER AS attrelid, c.column_name::VARCHAR AS attname,
  t.oid::UINTEGER AS atttypid, (-1)::INTEGER AS attstattarget, t.typlen::SMALLINT AS attlen,
  c.column_index::SMALLINT AS attnum, CASE t.typcategory WHEN 'A' THEN 1 ELSE 0 END::INTEGER AS attndims,
  (-1)::INTEGER AS attcacheoff,
  CASE WHEN t.typname = 'numeric' THEN (c.numeric_precision << 16) + c.numeric_scale + 4 ELSE -1 END::INTEGER AS atttypmod,
  t.typbyval::BOOLEAN AS attbyval, t.typalign::pgchar AS attalign, t.typstorage::pgchar AS attstorage,
  ''::pgchar AS attcompression, (NOT c.is_nullable)::BOOLEAN AS attnotnull, false AS atthasdef,
  false AS atthasmissing, ''::pgchar AS attidentity, ''::pgchar AS attgenerated,
  false AS attisdropped, true AS attislocal, 0 AS attinhcount,
  t.typcollation::UINTEGER AS attcollation, NULL::VARCHAR[] AS attacl, NULL::VARCHAR[] AS attoptions,
  NULL::VARCHAR[] AS attfdwoptions, NULL::VARCHAR AS attmissingval
FROM duckdb_columns() c JOIN pg_type t ON t.oid = pg_oid_of_type(c.data_type)
WHERE c.database_name = pg_lake_database() AND NOT c.internal AND NOT contains(c.table_name, '@')
  AND c.schema_name <> 'public';
