-- The server, its one database and its one role.
CREATE VIEW pg_settings AS SELECT
  name::VARCHAR AS name, setting::VARCHAR AS setting, NULL::VARCHAR AS unit, ''::VARCHAR AS category,
  ''::VARCHAR AS short_desc, NULL::VARCHAR AS extra_desc, 'user'::VARCHAR AS context, vartype::VARCHAR AS vartype,
  'default'::VARCHAR AS source, NULL::VARCHAR AS min_val, NULL::VARCHAR AS max_val, NULL::VARCHAR[] AS enumvals,
  setting::VARCHAR AS boot_val, setting::VARCHAR AS reset_val, NULL::VARCHAR AS sourcefile, 0 AS sourceline,
  false AS pending_restart
FROM (SELECT name, pg_setting_of(name) AS setting, vartype FROM (VALUES
  ('DateStyle', 'string'), ('IntervalStyle', 'enum'), ('TimeZone', 'string'), ('application_name', 'string'),
  ('block_size', 'integer'), ('bytea_output', 'enum'), ('client_encoding', 'string'), ('client_min_messages', 'enum'),
  ('default_table_access_method', 'string'), ('default_tablespace', 'string'),
  ('default_transaction_deferrable', 'bool'), ('default_transaction_isolation', 'enum'),
  ('default_transaction_read_only', 'bool'), ('escape_string_warning', 'bool'), ('extra_float_digits', 'integer'),
  ('idle_in_transaction_session_timeout', 'integer'), ('in_hot_standby', 'bool'), ('integer_datetimes', 'bool'),
  ('jit', 'bool'), ('lc_collate', 'string'), ('lc_ctype', 'string'), ('lc_messages', 'string'),
  ('lc_monetary', 'string'), ('lock_timeout', 'integer'), ('max_connections', 'integer'),
  ('max_function_args', 'integer'), ('max_identifier_length', 'integer'), ('max_index_keys', 'integer'),
  ('row_security', 'bool'), ('search_path', 'string'), ('server_encoding', 'string'), ('server_version', 'string'),
  ('server_version_num', 'integer'), ('ssl', 'bool'), ('standard_conforming_strings', 'bool'),
  ('statement_timeout', 'integer'), ('transaction_deferrable', 'bool'), ('transaction_isolation', 'enum'),
  ('transaction_read_only', 'bool')) AS settings(name, vartype));
CREATE VIEW pg_database AS SELECT
  1::UINTEGER AS oid, 'lake'::VARCHAR AS datname, 10::UINTEGER AS datdba, 6::INTEGER AS encoding,
  'c'::pgchar AS datlocprovider, false AS datistemplate, true AS datallowconn,
  (-1)::INTEGER AS datconnlimit, 0::UINTEGER AS datfrozenxid, 1::UINTEGER AS datminmxid,
  1663::UINTEGER AS dattablespace, 'C'::VARCHAR AS datcollate, 'C'::VARCHAR AS datctype,
  NULL::VARCHAR AS daticulocale, NULL::VARCHAR AS datcollversion, NULL::VARCHAR[] AS datacl;
CREATE VIEW pg_authid AS SELECT
  10::UINTEGER AS oid, 'lake'::VARCHAR AS rolname, false AS rolsuper, true AS rolinherit,
  false AS rolcreaterole, false AS rolcreatedb, true AS rolcanlogin,
  false AS rolreplication, false AS rolbypassrls, (-1)::INTEGER AS rolconnlimit,
  NULL::VARCHAR AS rolpassword, NULL::TIMESTAMPTZ AS rolvaliduntil;
CREATE VIEW pg_roles AS SELECT
  'lake'::VARCHAR AS rolname, false AS rolsuper, true AS rolinherit,
  false AS rolcreaterole, false AS rolcreatedb, true AS rolcanlogin,
  false AS rolreplication, (-1)::INTEGER AS rolconnlimit, '********'::VARCHAR AS rolpassword,
  NULL::TIMESTAMPTZ AS rolvaliduntil, false AS rolbypassrls, NULL::VARCHAR[] AS rolconfig,
  10::UINTEGER AS oid;
CREATE VIEW pg_user AS SELECT
  'lake'::VARCHAR AS usename, 10::UINTEGER AS usesysid, false AS usecreatedb, false AS usesuper,
  false AS userepl, false AS usebypassrls, '********'::VARCHAR AS passwd,
  NULL::TIMESTAMPTZ AS valuntil, NULL::VARCHAR[] AS useconfig;
CREATE VIEW pg_shadow AS SELECT
  'lake'::VARCHAR AS usename, 10::UINTEGER AS usesysid, false AS usecreatedb, false AS usesuper,
  false AS userepl, false AS usebypassrls, NULL::VARCHAR AS passwd, NULL::TIMESTAMPTZ AS valuntil,
  NULL::VARCHAR[] AS useconfig;
CREATE VIEW pg_tablespace AS SELECT
  1663::UINTEGER AS oid, 'pg_default'::VARCHAR AS spcname, 10::UINTEGER AS spcowner, NULL::VARCHAR[] AS spcacl,
  NULL::VARCHAR[] AS spcoptions;
CREATE VIEW pg_am AS SELECT
  2::UINTEGER AS oid, 'heap'::VARCHAR AS amname, 3::UINTEGER AS amhandler, 't'::pgchar AS amtype;
CREATE VIEW pg_language AS SELECT
  14::UINTEGER AS oid, 'sql'::VARCHAR AS lanname, 10::UINTEGER AS lanowner, false AS lanispl,
  true AS lanpltrusted, 0::UINTEGER AS lanplcallfoid, 0::UINTEGER AS laninline, 0::UINTEGER AS lanvalidator,
  NULL::VARCHAR[] AS lanacl;
CREATE VIEW pg_collation AS SELECT
  oid::UINTEGER AS oid, collname::VARCHAR AS collname, 11::UINTEGER AS collnamespace, 10::UINTEGER AS collowner,
  provider::pgchar AS collprovider, true AS collisdeterministic, (-1)::INTEGER AS collencoding,
  locale::VARCHAR AS collcollate, locale::VARCHAR AS collctype, NULL::VARCHAR AS colliculocale,
  NULL::VARCHAR AS collversion
FROM (VALUES (100, 'default', 'd', NULL), (950, 'C', 'c', 'C'), (951, 'POSIX', 'c', 'POSIX'))
  AS collations(oid, collname, provider, locale);
CREATE VIEW pg_timezone_abbrevs AS SELECT
  'UTC'::VARCHAR AS abbrev, (INTERVAL 0 SECOND)::INTERVAL AS utc_offset, false AS is_dst;
CREATE VIEW pg_timezone_names AS SELECT
  'UTC'::VARCHAR AS name, 'UTC'::VARCHAR AS abbrev, (INTERVAL 0 SECOND)::INTERVAL AS utc_offset,
  false AS is_dst;
