-- The server, its one database and its one role.
CREATE VIEW pg_settings AS SELECT
  name::VARCHAR AS name, setting::VARCHAR AS setting, NULL::VARCHAR AS unit, ''::VARCHAR AS category,
  ''::VARCHAR AS short_desc, NULL::VARCHAR AS extra_desc, 'user'::VARCHAR AS context, vartype::VARCHAR AS vartype,
  'default'::VARCHAR AS source, NULL::VARCHAR AS min_val, NULL::VARCHAR AS max_val, NULL::VARCHAR[] AS enumvals,
  setting::VARCHAR AS boot_val, setting::VARCHAR AS reset_val, NULL::VARCHAR AS sourcefile, 0 AS sourceline,
  false AS pending_restart
FROM (VALUES
  ('server_version', '15.0 (Vitalake)', 'string'), ('server_version_num', '150000', 'integer'),
  ('server_encoding', 'UTF8', 'string'), ('client_encoding', 'UTF8', 'string'),
  ('max_index_keys', '32', 'integer'), ('max_identifier_length', '63', 'integer'),
  ('standard_conforming_strings', 'on', 'bool'), ('TimeZone', 'UTC', 'string'),
  ('DateStyle', 'ISO, MDY', 'string'), ('lc_collate', 'C', 'string'), ('jit', 'off', 'bool'))
  AS s(name, setting, vartype);
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
