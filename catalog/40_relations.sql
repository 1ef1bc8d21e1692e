-- Schemas, tables and columns of the lake, as the session sees them now. Oids come from the names,
-- so that they stay while a table's snapshots change.
CREATE MACRO pg_lake_database() AS system.main.current_database();
CREATE MACRO pg_oid_of_schema(schema_name) AS CASE schema_name
  WHEN 'main' THEN 2200 WHEN 'pg_catalog' THEN 11 WHEN 'information_schema' THEN 13000
  ELSE hash(schema_name) % 1000000000 + 16384 END::BIGINT;
CREATE MACRO pg_oid_of_table(schema_name, table_name) AS
  (hash(schema_name || '.' || table_name) % 1000000000 + 16384)::BIGINT;
CREATE MACRO pg_schema_shown(schema_name) AS
  CASE schema_name WHEN 'main' THEN 'public' ELSE schema_name END;

CREATE VIEW pg_namespace AS
SELECT pg_oid_of_schema(schema_name)::pg_oid AS oid, pg_schema_shown(schema_name)::name AS nspname,
       10::BIGINT AS nspowner, NULL::VARCHAR[] AS nspacl
FROM duckdb_schemas()
WHERE database_name = pg_lake_database() AND (NOT internal OR schema_name = 'main')
  AND schema_name <> 'public'
UNION ALL SELECT 11, 'pg_catalog', 10, NULL
UNION ALL SELECT 13000, 'information_schema', 10, NULL;

-- Tables of the lake are views in the session's database; views of the lake have no schema.
CREATE VIEW pg_relation_row AS
SELECT pg_oid_of_table(schema_name, view_name) AS oid, view_name AS relname, schema_name,
       pg_oid_of_schema(schema_name) AS relnamespace,
       CASE schema_name WHEN 'main' THEN 'v' ELSE 'r' END AS relkind,
       column_count, comment, sql
FROM duckdb_views()
WHERE database_name = pg_lake_database() AND NOT internal AND NOT contains(view_name, '@')
  AND schema_name <> 'public';

CREATE VIEW pg_class AS
SELECT oid::pg_oid AS oid, relname::name AS relname, relnamespace::pg_oid AS relnamespace,
       0::BIGINT AS reltype, 0::BIGINT AS reloftype,
       10::BIGINT AS relowner, CASE relkind WHEN 'r' THEN 2 ELSE 0 END::BIGINT AS relam,
       0::BIGINT AS relfilenode, 0::BIGINT AS reltablespace, 0 AS relpages, (-1)::FLOAT AS reltuples,
       0 AS relallvisible, 0::BIGINT AS reltoastrelid, false AS relhasindex, false AS relisshared,
       'p'::pg_char AS relpersistence, relkind::pg_char AS relkind, column_count::SMALLINT AS relnatts, 0::SMALLINT AS relchecks,
       false AS relhasoids, false AS relhasrules, false AS relhastriggers, false AS relhassubclass,
       false AS relrowsecurity, false AS relforcerowsecurity, true AS relispopulated,
       'n'::pg_char AS relreplident, false AS relispartition, 0::BIGINT AS relrewrite,
       0::BIGINT AS relfrozenxid, 0::BIGINT AS relminmxid, NULL::VARCHAR[] AS relacl,
       NULL::VARCHAR[] AS reloptions, NULL::VARCHAR AS relpartbound
FROM pg_relation_row;

CREATE VIEW pg_attribute AS
SELECT pg_oid_of_table(c.schema_name, c.table_name) AS attrelid, c.column_name::name AS attname,
       pg_oid_of_type(c.data_type)::pg_oid AS atttypid, -1 AS attstattarget,
       coalesce(t.typlen, -1)::SMALLINT AS attlen, c.column_index::SMALLINT AS attnum,
       CASE WHEN ends_with(c.data_type, '[]') THEN 1 ELSE 0 END AS attndims, -1 AS attcacheoff,
       CASE WHEN starts_with(c.data_type, 'DECIMAL')
            THEN (c.numeric_precision << 16) + c.numeric_scale + 4 ELSE -1 END AS atttypmod,
       false AS attbyval, 'i' AS attalign, 'p' AS attstorage, '' AS attcompression,
       NOT c.is_nullable AS attnotnull, false AS atthasdef, false AS atthasmissing,
       ''::pg_char AS attidentity, ''::pg_char AS attgenerated, false AS attisdropped, true AS attislocal,
       0 AS attinhcount, CASE WHEN c.data_type = 'VARCHAR' THEN 100 ELSE 0 END::BIGINT AS attcollation,
       NULL::VARCHAR[] AS attacl, NULL::VARCHAR[] AS attoptions, NULL::VARCHAR[] AS attfdwoptions,
       NULL::VARCHAR AS attmissingval
FROM duckdb_columns() c LEFT JOIN pg_type_row t ON t.oid = pg_oid_of_type(c.data_type)
WHERE c.database_name = pg_lake_database() AND NOT c.internal AND NOT contains(c.table_name, '@')
  AND c.schema_name <> 'public';

CREATE VIEW pg_tables AS
SELECT pg_schema_shown(schema_name) AS schemaname, relname AS tablename, 'lake' AS tableowner,
       NULL::VARCHAR AS tablespace, false AS hasindexes, false AS hasrules, false AS hastriggers,
       false AS rowsecurity
FROM pg_relation_row WHERE relkind = 'r';
CREATE VIEW pg_views AS
SELECT pg_schema_shown(schema_name) AS schemaname, relname AS viewname, 'lake' AS viewowner,
       sql AS definition
FROM pg_relation_row WHERE relkind = 'v';
CREATE VIEW pg_matviews AS SELECT
  '' AS schemaname, '' AS matviewname, '' AS matviewowner, NULL::VARCHAR AS tablespace,
  false AS hasindexes, true AS ispopulated, '' AS definition WHERE false;

-- What a lake does not have: nothing, in the right shape.
CREATE VIEW pg_index AS SELECT
  0::BIGINT AS indexrelid, 0::BIGINT AS indrelid, 0::SMALLINT AS indnatts, 0::SMALLINT AS indnkeyatts,
  false AS indisunique, false AS indnullsnotdistinct, false AS indisprimary, false AS indisexclusion,
  true AS indimmediate, false AS indisclustered, true AS indisvalid, false AS indcheckxmin,
  true AS indisready, true AS indislive, false AS indisreplident, NULL::SMALLINT[] AS indkey,
  NULL::BIGINT[] AS indcollation, NULL::BIGINT[] AS indclass, NULL::SMALLINT[] AS indoption,
  NULL::VARCHAR AS indexprs, NULL::VARCHAR AS indpred WHERE false;
CREATE VIEW pg_indexes AS SELECT
  '' AS schemaname, '' AS tablename, '' AS indexname, '' AS tablespace, '' AS indexdef WHERE false;
CREATE VIEW pg_constraint AS SELECT
  0::BIGINT AS oid, '' AS conname, 0::BIGINT AS connamespace, '' AS contype, false AS condeferrable,
  false AS condeferred, true AS convalidated, 0::BIGINT AS conrelid, 0::BIGINT AS contypid,
  0::BIGINT AS conindid, 0::BIGINT AS conparentid, 0::BIGINT AS confrelid, '' AS confupdtype,
  '' AS confdeltype, '' AS confmatchtype, true AS conislocal, 0 AS coninhcount,
  false AS connoinherit, NULL::SMALLINT[] AS conkey, NULL::SMALLINT[] AS confkey,
  NULL::BIGINT[] AS conpfeqop, NULL::BIGINT[] AS conppeqop, NULL::BIGINT[] AS conffeqop,
  NULL::SMALLINT[] AS confdelsetcols, NULL::BIGINT[] AS conexclop, NULL::VARCHAR AS conbin WHERE false;
CREATE VIEW pg_description AS SELECT
  0::BIGINT AS objoid, 0::BIGINT AS classoid, 0 AS objsubid, '' AS description WHERE false;
CREATE VIEW pg_shdescription AS SELECT
  0::BIGINT AS objoid, 0::BIGINT AS classoid, '' AS description WHERE false;
CREATE VIEW pg_attrdef AS SELECT
  0::BIGINT AS oid, 0::BIGINT AS adrelid, 0::SMALLINT AS adnum, NULL::VARCHAR AS adbin WHERE false;
CREATE VIEW pg_depend AS SELECT
  0::BIGINT AS classid, 0::BIGINT AS objid, 0 AS objsubid, 0::BIGINT AS refclassid,
  0::BIGINT AS refobjid, 0 AS refobjsubid, '' AS deptype WHERE false;
CREATE VIEW pg_inherits AS SELECT
  0::BIGINT AS inhrelid, 0::BIGINT AS inhparent, 0 AS inhseqno, false AS inhdetachpending WHERE false;
CREATE VIEW pg_trigger AS SELECT
  0::BIGINT AS oid, 0::BIGINT AS tgrelid, 0::BIGINT AS tgparentid, '' AS tgname,
  0::BIGINT AS tgfoid, 0::SMALLINT AS tgtype, 'O' AS tgenabled, false AS tgisinternal,
  0::BIGINT AS tgconstrrelid, 0::BIGINT AS tgconstrindid, 0::BIGINT AS tgconstraint,
  false AS tgdeferrable, false AS tginitdeferred, 0::SMALLINT AS tgnargs WHERE false;
CREATE VIEW pg_rewrite AS SELECT
  0::BIGINT AS oid, '' AS rulename, 0::BIGINT AS ev_class, '' AS ev_type, 'O' AS ev_enabled,
  false AS is_instead WHERE false;
CREATE VIEW pg_policy AS SELECT
  0::BIGINT AS oid, '' AS polname, 0::BIGINT AS polrelid, '' AS polcmd, true AS polpermissive,
  NULL::BIGINT[] AS polroles, NULL::VARCHAR AS polqual, NULL::VARCHAR AS polwithcheck WHERE false;
CREATE VIEW pg_sequence AS SELECT
  0::BIGINT AS seqrelid, 0::BIGINT AS seqtypid, 0::BIGINT AS seqstart, 0::BIGINT AS seqincrement,
  0::BIGINT AS seqmax, 0::BIGINT AS seqmin, 0::BIGINT AS seqcache, false AS seqcycle WHERE false;
CREATE VIEW pg_sequences AS SELECT
  '' AS schemaname, '' AS sequencename, '' AS sequenceowner, '' AS data_type,
  0::BIGINT AS start_value, 0::BIGINT AS min_value, 0::BIGINT AS max_value,
  0::BIGINT AS increment_by, false AS cycle, 0::BIGINT AS cache_size,
  0::BIGINT AS last_value WHERE false;
CREATE VIEW pg_enum AS SELECT
  0::BIGINT AS oid, 0::BIGINT AS enumtypid, 0::FLOAT AS enumsortorder, '' AS enumlabel WHERE false;
CREATE VIEW pg_range AS SELECT
  0::BIGINT AS rngtypid, 0::BIGINT AS rngsubtype, 0::BIGINT AS rngmultitypid,
  0::BIGINT AS rngcollation, 0::BIGINT AS rngsubopc, '-' AS rngcanonical, '-' AS rngsubdiff WHERE false;
CREATE VIEW pg_proc AS SELECT
  0::BIGINT AS oid, '' AS proname, 11::BIGINT AS pronamespace, 10::BIGINT AS proowner,
  12::BIGINT AS prolang, 'f' AS prokind, false AS proretset, 0::BIGINT AS prorettype,
  0::SMALLINT AS pronargs, NULL::BIGINT[] AS proargtypes, NULL::BIGINT[] AS proallargtypes,
  NULL::VARCHAR[] AS proargmodes, NULL::VARCHAR[] AS proargnames, '' AS prosrc WHERE false;
CREATE VIEW pg_operator AS SELECT
  0::BIGINT AS oid, '' AS oprname, 11::BIGINT AS oprnamespace, 0::BIGINT AS oprowner,
  '' AS oprkind, 0::BIGINT AS oprleft, 0::BIGINT AS oprright, 0::BIGINT AS oprresult,
  0::BIGINT AS oprcode WHERE false;
CREATE VIEW pg_opclass AS SELECT
  0::BIGINT AS oid, 0::BIGINT AS opcmethod, '' AS opcname, 11::BIGINT AS opcnamespace,
  0::BIGINT AS opcfamily, 0::BIGINT AS opcintype, true AS opcdefault,
  0::BIGINT AS opckeytype WHERE false;
CREATE VIEW pg_opfamily AS SELECT
  0::BIGINT AS oid, 0::BIGINT AS opfmethod, '' AS opfname, 11::BIGINT AS opfnamespace WHERE false;
CREATE VIEW pg_ts_config AS SELECT
  0::BIGINT AS oid, '' AS cfgname, 11::BIGINT AS cfgnamespace WHERE false;
CREATE VIEW pg_collation AS SELECT
  100::BIGINT AS oid, 'default' AS collname, 11::BIGINT AS collnamespace, 10::BIGINT AS collowner,
  'd' AS collprovider, true AS collisdeterministic, -1 AS collencoding,
  NULL::VARCHAR AS collcollate, NULL::VARCHAR AS collctype, NULL::VARCHAR AS colliculocale,
  NULL::VARCHAR AS collversion
  UNION ALL SELECT 950, 'C', 11, 10, 'c', true, -1, 'C', 'C', NULL, NULL;
CREATE VIEW pg_foreign_table AS SELECT
  0::BIGINT AS ftrelid, 0::BIGINT AS ftserver, NULL::VARCHAR[] AS ftoptions WHERE false;
CREATE VIEW pg_foreign_server AS SELECT
  0::BIGINT AS oid, '' AS srvname, 0::BIGINT AS srvowner, 0::BIGINT AS srvfdw,
  NULL::VARCHAR[] AS srvoptions WHERE false;
CREATE VIEW pg_foreign_data_wrapper AS SELECT
  0::BIGINT AS oid, '' AS fdwname, 0::BIGINT AS fdwowner, 0::BIGINT AS fdwhandler,
  0::BIGINT AS fdwvalidator WHERE false;
CREATE VIEW pg_partitioned_table AS SELECT
  0::BIGINT AS partrelid, '' AS partstrat, 0::SMALLINT AS partnatts, 0::BIGINT AS partdefid,
  NULL::SMALLINT[] AS partattrs WHERE false;
CREATE VIEW pg_statistic_ext AS SELECT
  0::BIGINT AS oid, 0::BIGINT AS stxrelid, '' AS stxname, 0::BIGINT AS stxnamespace,
  0::BIGINT AS stxowner, -1 AS stxstattarget, NULL::SMALLINT[] AS stxkeys,
  NULL::VARCHAR[] AS stxkind, NULL::VARCHAR AS stxexprs WHERE false;
CREATE VIEW pg_publication AS SELECT
  0::BIGINT AS oid, '' AS pubname, 0::BIGINT AS pubowner, false AS puballtables,
  false AS pubinsert, false AS pubupdate, false AS pubdelete, false AS pubtruncate,
  false AS pubviaroot WHERE false;
CREATE VIEW pg_publication_rel AS SELECT
  0::BIGINT AS oid, 0::BIGINT AS prpubid, 0::BIGINT AS prrelid, NULL::VARCHAR AS prqual,
  NULL::SMALLINT[] AS prattrs WHERE false;
CREATE VIEW pg_publication_namespace AS SELECT
  0::BIGINT AS oid, 0::BIGINT AS pnpubid, 0::BIGINT AS pnnspid WHERE false;
CREATE VIEW pg_event_trigger AS SELECT
  0::BIGINT AS oid, '' AS evtname, '' AS evtevent, 10::BIGINT AS evtowner,
  0::BIGINT AS evtfoid, '' AS evtenabled, NULL::VARCHAR[] AS evttags WHERE false;
CREATE VIEW pg_default_acl AS SELECT
  0::BIGINT AS oid, 0::BIGINT AS defaclrole, 0::BIGINT AS defaclnamespace, '' AS defaclobjtype,
  NULL::VARCHAR[] AS defaclacl WHERE false;
CREATE VIEW pg_conversion AS SELECT 0::BIGINT AS oid, '' AS conname, 0::BIGINT AS connamespace, 0::BIGINT AS conowner,
  0 AS conforencoding, 0 AS contoencoding, false AS condefault WHERE false;
CREATE VIEW pg_cast AS SELECT
  0::BIGINT AS oid, 0::BIGINT AS castsource, 0::BIGINT AS casttarget, 0::BIGINT AS castfunc,
  '' AS castcontext, '' AS castmethod WHERE false;
CREATE VIEW pg_db_role_setting AS SELECT
  0::BIGINT AS setdatabase, 0::BIGINT AS setrole, NULL::VARCHAR[] AS setconfig WHERE false;
CREATE VIEW pg_stat_activity AS SELECT
  1::BIGINT AS datid, 'lake' AS datname, 0 AS pid, 'lake' AS usename, '' AS application_name,
  'active' AS state, '' AS query WHERE false;
CREATE VIEW pg_stat_user_tables AS
SELECT oid AS relid, pg_schema_shown(schema_name) AS schemaname, relname, 0::BIGINT AS n_live_tup
FROM pg_relation_row WHERE relkind = 'r';
CREATE VIEW pg_prepared_statements AS SELECT '' AS name, '' AS statement WHERE false;
CREATE VIEW pg_cursors AS SELECT '' AS name, '' AS statement WHERE false;
CREATE VIEW pg_locks AS SELECT '' AS locktype, 0::BIGINT AS relation, 0 AS pid WHERE false;
