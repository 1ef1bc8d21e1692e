-- Functions over the catalogue.
CREATE MACRO regclassin(name) AS coalesce(
  try_cast(name AS UINTEGER),
  (SELECT min(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE replace(name, '"', '') IN (c.relname, n.nspname || '.' || c.relname)),
  CASE WHEN replace(name, '"', '') LIKE 'pg\_%' ESCAPE '\' OR name LIKE 'pg\_catalog.%' ESCAPE '\'
       THEN (hash('pg_catalog.' || replace(replace(name, '"', ''), 'pg_catalog.', '')) % 10000 + 1000)::UINTEGER END,
  error('relation "' || name || '" does not exist'));
CREATE MACRO regclassout(relation) AS coalesce(
  (SELECT min(CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname)
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = try_cast(relation AS UINTEGER)), relation::VARCHAR);
CREATE MACRO to_regclass(name) AS
  (SELECT min(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE replace(name, '"', '') IN (c.relname, n.nspname || '.' || c.relname));
CREATE MACRO regtypein(name) AS coalesce(
  try_cast(name AS UINTEGER),
  (SELECT min(oid) FROM pg_type WHERE typname = replace(name, 'pg_catalog.', '')),
  (SELECT min(oid) FROM pg_type_row WHERE sql_name = name),
  error('type "' || name || '" does not exist'));
CREATE MACRO to_regtype(name) AS coalesce(
  (SELECT min(oid) FROM pg_type WHERE typname = replace(name, 'pg_catalog.', '')),
  (SELECT min(oid) FROM pg_type_row WHERE sql_name = name));
CREATE MACRO regtypeout(type_oid) AS format_type(type_oid, NULL);
CREATE MACRO regprocin(name) AS coalesce(
  try_cast(name AS UINTEGER),
  (SELECT min(oid) FROM pg_proc WHERE proname = replace(replace(name, 'pg_catalog.', ''), '"', '')),
  CASE name WHEN '-' THEN 0::UINTEGER END,
  error('function "' || name || '" does not exist'));
CREATE MACRO regprocout(procedure) AS coalesce(
  (SELECT min(proname) FROM pg_proc WHERE oid = try_cast(procedure AS UINTEGER)),
  CASE procedure::VARCHAR WHEN '0' THEN '-' ELSE procedure::VARCHAR END);
CREATE MACRO oidvectorout(oids) AS array_to_string(oids, ' ');
CREATE MACRO regnamespacein(name) AS coalesce(
  try_cast(name AS UINTEGER), (SELECT min(oid) FROM pg_namespace WHERE nspname = replace(name, '"', '')),
  error('schema "' || name || '" does not exist'));
CREATE MACRO regnamespaceout(namespace) AS
  coalesce((SELECT min(nspname) FROM pg_namespace WHERE oid = try_cast(namespace AS UINTEGER)), namespace::VARCHAR);
CREATE MACRO regrolein(name) AS 10::UINTEGER;
CREATE MACRO regroleout(role) AS 'lake';

CREATE MACRO pg_get_userbyid(role) AS 'lake';
CREATE MACRO pg_table_is_visible(relation) AS true;
CREATE MACRO pg_type_is_visible(type_oid) AS true;
CREATE MACRO pg_function_is_visible(function_oid) AS true;
CREATE MACRO pg_operator_is_visible(operator_oid) AS true;
CREATE MACRO pg_collation_is_visible(collation_oid) AS true;
CREATE MACRO pg_relation_is_publishable(relation) AS false;
CREATE MACRO pg_relation_size(relation) AS 0::BIGINT, (relation, fork) AS 0::BIGINT;
CREATE MACRO pg_table_size(relation) AS 0::BIGINT;
CREATE MACRO pg_total_relation_size(relation) AS 0::BIGINT;
CREATE MACRO pg_indexes_size(relation) AS 0::BIGINT;
CREATE MACRO pg_database_size(name) AS 0::BIGINT;
CREATE MACRO pg_tablespace_size(name) AS 0::BIGINT;
CREATE MACRO pg_statistics_obj_is_visible(object) AS true;
CREATE MACRO pg_opclass_is_visible(object) AS true;
CREATE MACRO pg_conversion_is_visible(object) AS true;
CREATE MACRO pg_stat_get_numscans(relation) AS 0::BIGINT;
CREATE MACRO pg_column_is_updatable(relation, number, include_triggers) AS false;
CREATE MACRO pg_relation_is_updatable(relation, include_triggers) AS 0;
CREATE MACRO pg_size_pretty(size) AS size || ' bytes';
CREATE MACRO pg_get_expr(expression, relation) AS NULL::VARCHAR, (expression, relation, pretty) AS NULL::VARCHAR;
CREATE MACRO pg_get_viewdef(relation) AS
    (SELECT min(r.sql) FROM pg_relation_row r WHERE r.oid = try_cast(relation AS UINTEGER)),
  (relation, pretty) AS
    (SELECT min(r.sql) FROM pg_relation_row r WHERE r.oid = try_cast(relation AS UINTEGER));
CREATE MACRO pg_get_constraintdef(c) AS NULL::VARCHAR, (c, pretty) AS NULL::VARCHAR;
CREATE MACRO pg_get_indexdef(i) AS NULL::VARCHAR, (i, c, pretty) AS NULL::VARCHAR;
CREATE MACRO pg_get_triggerdef(t) AS NULL::VARCHAR, (t, pretty) AS NULL::VARCHAR;
CREATE MACRO pg_get_ruledef(r) AS NULL::VARCHAR, (r, pretty) AS NULL::VARCHAR;
CREATE MACRO pg_get_functiondef(f) AS NULL::VARCHAR;
CREATE MACRO pg_get_function_result(f) AS NULL::VARCHAR;
CREATE MACRO pg_get_function_arguments(f) AS NULL::VARCHAR;
CREATE MACRO pg_get_function_identity_arguments(f) AS NULL::VARCHAR;
CREATE MACRO pg_get_function_sqlbody(f) AS NULL::VARCHAR;
CREATE MACRO pg_get_serial_sequence(t, c) AS NULL::VARCHAR;
CREATE MACRO pg_get_statisticsobjdef_columns(s) AS NULL::VARCHAR;
CREATE MACRO pg_get_partkeydef(relation) AS NULL::VARCHAR;
CREATE MACRO pg_get_partition_constraintdef(relation) AS NULL::VARCHAR;
CREATE MACRO obj_description(object) AS NULL::VARCHAR, (object, catalog) AS NULL::VARCHAR;
CREATE MACRO shobj_description(object, catalog) AS NULL::VARCHAR;
CREATE MACRO col_description(relation, number) AS NULL::VARCHAR;
CREATE MACRO pg_tablespace_location(t) AS '';
CREATE MACRO has_table_privilege(t, p) AS p ILIKE '%select%', (u, t, p) AS p ILIKE '%select%';
CREATE MACRO has_column_privilege(t, c, p) AS p ILIKE '%select%', (u, t, c, p) AS p ILIKE '%select%';
CREATE MACRO has_any_column_privilege(t, p) AS p ILIKE '%select%', (u, t, p) AS p ILIKE '%select%';
CREATE MACRO has_schema_privilege(s, p) AS p ILIKE '%usage%', (u, s, p) AS p ILIKE '%usage%';
CREATE MACRO has_database_privilege(d, p) AS p ILIKE '%connect%', (u, d, p) AS p ILIKE '%connect%';
CREATE MACRO has_function_privilege(f, p) AS true, (u, f, p) AS true;
CREATE MACRO has_sequence_privilege(s, p) AS false, (u, s, p) AS false;
CREATE MACRO has_type_privilege(t, p) AS true, (u, t, p) AS true;
CREATE MACRO pg_has_role(r, p) AS true, (u, r, p) AS true;
CREATE MACRO quote_ident(name) AS CASE
  WHEN regexp_full_match(name, '^[a-z_][a-z0-9_$]*$') THEN name
  ELSE '"' || replace(name, '"', '""') || '"' END;
CREATE MACRO parse_ident(name) AS list_transform(regexp_extract_all(name, '"(?:[^"]|"")*"|[^."]+'),
  lambda part: CASE WHEN starts_with(part, '"') THEN replace(part[2:-2], '""', '"') ELSE lower(trim(part)) END);
CREATE MACRO quote_literal(value) AS '''' || replace(value::VARCHAR, '''', '''''') || '''';
CREATE MACRO quote_nullable(value) AS coalesce('''' || replace(value::VARCHAR, '''', '''''') || '''', 'NULL');
CREATE MACRO pg_get_keywords() AS TABLE
  SELECT keyword_name AS word,
         CASE keyword_category WHEN 'reserved' THEN 'R' WHEN 'unreserved' THEN 'U'
              WHEN 'column_name' THEN 'C' ELSE 'T' END AS catcode,
         keyword_category AS catdesc
  FROM duckdb_keywords();
-- Every entry lets the one role read. In FROM it is a table, elsewhere it gives rows.
CREATE MACRO aclexplode(acl) AS TABLE SELECT
  10::UINTEGER AS grantor, 10::UINTEGER AS grantee, 'SELECT' AS privilege_type, false AS is_grantable FROM unnest(acl);
CREATE MACRO aclexplode(acl) AS unnest(list_transform(acl, lambda entry: {
  'grantor': 10::UINTEGER, 'grantee': 10::UINTEGER, 'privilege_type': 'SELECT', 'is_grantable': false}));
CREATE MACRO pg_options_to_table(options) AS TABLE
  SELECT '' AS option_name, '' AS option_value WHERE false;
