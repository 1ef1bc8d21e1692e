-- The standard's view of the same (postgres.info; statements say information_schema).
CREATE VIEW postgres.info.schemata AS
SELECT 'lake' AS catalog_name, nspname AS schema_name, 'lake' AS schema_owner,
       NULL::VARCHAR AS default_character_set_catalog, NULL::VARCHAR AS default_character_set_schema,
       NULL::VARCHAR AS default_character_set_name, NULL::VARCHAR AS sql_path
FROM pg_namespace;
CREATE VIEW postgres.info.tables AS
SELECT 'lake' AS table_catalog, pg_schema_shown(schema_name) AS table_schema, relname AS table_name,
       CASE relkind WHEN 'r' THEN 'BASE TABLE' ELSE 'VIEW' END AS table_type,
       NULL::VARCHAR AS self_referencing_column_name, NULL::VARCHAR AS reference_generation,
       NULL::VARCHAR AS user_defined_type_catalog, NULL::VARCHAR AS user_defined_type_schema,
       NULL::VARCHAR AS user_defined_type_name, 'NO' AS is_insertable_into, 'NO' AS is_typed,
       NULL::VARCHAR AS commit_action
FROM pg_relation_row;
CREATE VIEW postgres.info.views AS
SELECT 'lake' AS table_catalog, pg_schema_shown(schema_name) AS table_schema, relname AS table_name,
       sql AS view_definition, 'NONE' AS check_option, 'NO' AS is_updatable,
       'NO' AS is_insertable_into, 'NO' AS is_trigger_updatable, 'NO' AS is_trigger_deletable,
       'NO' AS is_trigger_insertable_into
FROM pg_relation_row WHERE relkind = 'v';
CREATE VIEW postgres.info.columns AS
SELECT 'lake' AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
       a.attname AS column_name, a.attnum::INTEGER AS ordinal_position,
       NULL::VARCHAR AS column_default, CASE WHEN a.attnotnull THEN 'NO' ELSE 'YES' END AS is_nullable,
       CASE WHEN t.typelem <> 0 THEN 'ARRAY' ELSE format_type(a.atttypid, NULL) END AS data_type,
       NULL::INTEGER AS character_maximum_length,
       CASE t.typcategory WHEN 'S' THEN 1073741824 END::INTEGER AS character_octet_length,
       CASE t.typname WHEN 'int2' THEN 16 WHEN 'int4' THEN 32 WHEN 'int8' THEN 64
            WHEN 'float4' THEN 24 WHEN 'float8' THEN 53
            WHEN 'numeric' THEN (a.atttypmod - 4) >> 16 END::INTEGER AS numeric_precision,
       CASE WHEN t.typname IN ('int2', 'int4', 'int8', 'float4', 'float8') THEN 2
            WHEN t.typname = 'numeric' THEN 10 END AS numeric_precision_radix,
       CASE WHEN t.typname IN ('int2', 'int4', 'int8') THEN 0
            WHEN t.typname = 'numeric' THEN (a.atttypmod - 4) & 65535 END::INTEGER AS numeric_scale,
       CASE WHEN t.typcategory IN ('D', 'T') THEN CASE t.typname WHEN 'date' THEN 0 ELSE 6 END END
         AS datetime_precision,
       NULL::VARCHAR AS interval_type, NULL::INTEGER AS interval_precision,
       NULL::VARCHAR AS character_set_catalog, NULL::VARCHAR AS character_set_schema,
       NULL::VARCHAR AS character_set_name, NULL::VARCHAR AS collation_catalog,
       NULL::VARCHAR AS collation_schema, NULL::VARCHAR AS collation_name,
       NULL::VARCHAR AS domain_catalog, NULL::VARCHAR AS domain_schema, NULL::VARCHAR AS domain_name,
       'lake' AS udt_catalog, 'pg_catalog' AS udt_schema, t.typname AS udt_name,
       NULL::VARCHAR AS scope_catalog, NULL::VARCHAR AS scope_schema, NULL::VARCHAR AS scope_name,
       NULL::INTEGER AS maximum_cardinality, a.attnum::VARCHAR AS dtd_identifier,
       'NO' AS is_self_referencing, 'NO' AS is_identity, NULL::VARCHAR AS identity_generation,
       NULL::VARCHAR AS identity_start, NULL::VARCHAR AS identity_increment,
       NULL::VARCHAR AS identity_maximum, NULL::VARCHAR AS identity_minimum, 'NO' AS identity_cycle,
       'NEVER' AS is_generated, NULL::VARCHAR AS generation_expression, 'NO' AS is_updatable
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid;
CREATE VIEW postgres.info.table_constraints AS SELECT
  '' AS constraint_catalog, '' AS constraint_schema, '' AS constraint_name, '' AS table_catalog,
  '' AS table_schema, '' AS table_name, '' AS constraint_type, '' AS is_deferrable,
  '' AS initially_deferred, '' AS enforced WHERE false;
CREATE VIEW postgres.info.key_column_usage AS SELECT
  '' AS constraint_catalog, '' AS constraint_schema, '' AS constraint_name, '' AS table_catalog,
  '' AS table_schema, '' AS table_name, '' AS column_name, 0 AS ordinal_position,
  0 AS position_in_unique_constraint WHERE false;
CREATE VIEW postgres.info.referential_constraints AS SELECT
  '' AS constraint_catalog, '' AS constraint_schema, '' AS constraint_name,
  '' AS unique_constraint_catalog, '' AS unique_constraint_schema, '' AS unique_constraint_name,
  '' AS match_option, '' AS update_rule, '' AS delete_rule WHERE false;
CREATE VIEW postgres.info.constraint_column_usage AS SELECT
  '' AS table_catalog, '' AS table_schema, '' AS table_name, '' AS column_name,
  '' AS constraint_catalog, '' AS constraint_schema, '' AS constraint_name WHERE false;
CREATE VIEW postgres.info.routines AS SELECT
  '' AS specific_catalog, '' AS specific_schema, '' AS specific_name, '' AS routine_catalog,
  '' AS routine_schema, '' AS routine_name, '' AS routine_type, '' AS data_type WHERE false;
CREATE VIEW postgres.info.sequences AS SELECT
  '' AS sequence_catalog, '' AS sequence_schema, '' AS sequence_name, '' AS data_type WHERE false;
CREATE VIEW postgres.info.table_privileges AS
SELECT 'lake' AS grantor, 'lake' AS grantee, table_catalog, table_schema, table_name,
       'SELECT' AS privilege_type, 'NO' AS is_grantable, 'YES' AS with_hierarchy
FROM postgres.info.tables;
