-- The standard's view of the same (postgres.info; statements say information_schema).
CREATE VIEW postgres.info.information_schema_catalog_name AS SELECT
  'lake'::VARCHAR AS catalog_name;
CREATE VIEW postgres.info.schemata AS SELECT
  'lake'::VARCHAR AS catalog_name, nspname::VARCHAR AS schema_name, 'lake'::VARCHAR AS schema_owner,
  NULL::VARCHAR AS default_character_set_catalog, NULL::VARCHAR AS default_character_set_schema,
  NULL::VARCHAR AS default_character_set_name, NULL::VARCHAR AS sql_path
FROM pg_namespace;
CREATE VIEW postgres.info.tables AS SELECT
  'lake'::VARCHAR AS table_catalog, pg_schema_shown(schema_name)::VARCHAR AS table_schema,
  relname::VARCHAR AS table_name, CASE relkind WHEN 'r' THEN 'BASE TABLE' ELSE 'VIEW' END::VARCHAR AS table_type,
  NULL::VARCHAR AS self_referencing_column_name, NULL::VARCHAR AS reference_generation,
  NULL::VARCHAR AS user_defined_type_catalog, NULL::VARCHAR AS user_defined_type_schema,
  NULL::VARCHAR AS user_defined_type_name, 'NO'::VARCHAR AS is_insertable_into, 'NO'::VARCHAR AS is_typed,
  NULL::VARCHAR AS commit_action
FROM pg_relation_row;
CREATE VIEW postgres.info.views AS SELECT
  'lake'::VARCHAR AS table_catalog, pg_schema_shown(schema_name)::VARCHAR AS table_schema,
  relname::VARCHAR AS table_name, sql::VARCHAR AS view_definition, 'NONE'::VARCHAR AS check_option,
  'NO'::VARCHAR AS is_updatable, 'NO'::VARCHAR AS is_insertable_into, 'NO'::VARCHAR AS is_trigger_updatable,
  'NO'::VARCHAR AS is_trigger_deletable, 'NO'::VARCHAR AS is_trigger_insertable_into
FROM pg_relation_row WHERE relkind = 'v';
CREATE VIEW postgres.info.columns AS SELECT
  'lake'::VARCHAR AS table_catalog, n.nspname::VARCHAR AS table_schema, c.relname::VARCHAR AS table_name,
  a.attname::VARCHAR AS column_name, a.attnum::INTEGER AS ordinal_position, NULL::VARCHAR AS column_default,
  CASE WHEN a.attnotnull THEN 'NO' ELSE 'YES' END::VARCHAR AS is_nullable,
  CASE WHEN t.typcategory = 'A' THEN 'ARRAY' ELSE format_type(a.atttypid, NULL) END::VARCHAR AS data_type,
  0 AS character_maximum_length,
  CASE t.typcategory WHEN 'S' THEN 1073741824 END::INTEGER AS character_octet_length,
  CASE t.typname WHEN 'int2' THEN 16 WHEN 'int4' THEN 32 WHEN 'int8' THEN 64 WHEN 'float4' THEN 24 WHEN 'float8' THEN 53
    WHEN 'numeric' THEN (a.atttypmod - 4) >> 16 END::INTEGER AS numeric_precision,
  CASE WHEN t.typname IN ('int2', 'int4', 'int8', 'float4', 'float8') THEN 2
    WHEN t.typname = 'numeric' THEN 10 END::INTEGER AS numeric_precision_radix,
  CASE WHEN t.typname IN ('int2', 'int4', 'int8') THEN 0
    WHEN t.typname = 'numeric' THEN (a.atttypmod - 4) & 65535 END::INTEGER AS numeric_scale,
  CASE WHEN t.typcategory IN ('D', 'T') THEN CASE t.typname WHEN 'date' THEN 0 ELSE 6 END END::INTEGER
    AS datetime_precision,
  NULL::VARCHAR AS interval_type, 0 AS interval_precision, NULL::VARCHAR AS character_set_catalog,
  NULL::VARCHAR AS character_set_schema, NULL::VARCHAR AS character_set_name, NULL::VARCHAR AS collation_catalog,
  NULL::VARCHAR AS collation_schema, NULL::VARCHAR AS collation_name, NULL::VARCHAR AS domain_catalog,
  NULL::VARCHAR AS domain_schema, NULL::VARCHAR AS domain_name, 'lake'::VARCHAR AS udt_catalog,
  'pg_catalog'::VARCHAR AS udt_schema, t.typname::VARCHAR AS udt_name, NULL::VARCHAR AS scope_catalog,
  NULL::VARCHAR AS scope_schema, NULL::VARCHAR AS scope_name, 0 AS maximum_cardinality,
  a.attnum::VARCHAR AS dtd_identifier, 'NO'::VARCHAR AS is_self_referencing, 'NO'::VARCHAR AS is_identity,
  NULL::VARCHAR AS identity_generation, NULL::VARCHAR AS identity_start, NULL::VARCHAR AS identity_increment,
  NULL::VARCHAR AS identity_maximum, NULL::VARCHAR AS identity_minimum, 'NO'::VARCHAR AS identity_cycle,
  'NEVER'::VARCHAR AS is_generated, NULL::VARCHAR AS generation_expression, 'NO'::VARCHAR AS is_updatable
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid;
CREATE VIEW postgres.info.table_privileges AS SELECT
  'lake'::VARCHAR AS grantor, 'lake'::VARCHAR AS grantee, table_catalog::VARCHAR AS table_catalog,
  table_schema::VARCHAR AS table_schema, table_name::VARCHAR AS table_name, 'SELECT'::VARCHAR AS privilege_type,
  'NO'::VARCHAR AS is_grantable, 'YES'::VARCHAR AS with_hierarchy
FROM postgres.info.tables;
CREATE VIEW postgres.info.column_privileges AS SELECT
  'lake'::VARCHAR AS grantor, 'lake'::VARCHAR AS grantee, table_catalog::VARCHAR AS table_catalog,
  table_schema::VARCHAR AS table_schema, table_name::VARCHAR AS table_name, column_name::VARCHAR AS column_name,
  'SELECT'::VARCHAR AS privilege_type, 'NO'::VARCHAR AS is_grantable
FROM postgres.info.columns;
CREATE VIEW postgres.info.role_table_grants AS FROM postgres.info.table_privileges;
CREATE VIEW postgres.info.role_column_grants AS FROM postgres.info.column_privileges;
CREATE VIEW postgres.info.character_sets AS SELECT
  NULL::VARCHAR AS character_set_catalog, NULL::VARCHAR AS character_set_schema, 'UTF8'::VARCHAR AS character_set_name,
  'UCS'::VARCHAR AS character_repertoire, 'UTF8'::VARCHAR AS form_of_use, 'lake'::VARCHAR AS default_collate_catalog,
  'pg_catalog'::VARCHAR AS default_collate_schema, 'C'::VARCHAR AS default_collate_name;
CREATE VIEW postgres.info.enabled_roles AS SELECT
  'lake'::VARCHAR AS role_name;
CREATE VIEW postgres.info.applicable_roles AS SELECT
  NULL::VARCHAR AS grantee, NULL::VARCHAR AS role_name, NULL::VARCHAR AS is_grantable
WHERE false;
CREATE MACRO postgres.info._pg_expandarray(list) AS
  unnest(list_transform(list, lambda x, n: {'x': x, 'n': n::INTEGER}));
