-- What a client asks about the server and itself.
CREATE MACRO version() AS 'PostgreSQL 15.0 (Vitalake)';
CREATE MACRO current_database() AS 'lake';
CREATE MACRO current_catalog() AS 'lake';
CREATE MACRO current_user() AS 'lake';
CREATE MACRO session_user() AS 'lake';
CREATE MACRO "user"() AS 'lake';
CREATE MACRO current_role() AS 'lake';
CREATE MACRO current_schema() AS 'public';
CREATE MACRO current_schemas(implicit) AS
  CASE WHEN implicit THEN ['pg_catalog', 'public'] ELSE ['public'] END;
CREATE MACRO pg_backend_pid() AS 0;
CREATE MACRO pg_is_in_recovery() AS false;
CREATE MACRO pg_postmaster_start_time() AS now();
CREATE MACRO pg_conf_load_time() AS now();
CREATE MACRO txid_current() AS 1::BIGINT;
CREATE MACRO pg_current_xact_id() AS 1::BIGINT;
CREATE MACRO inet_server_addr() AS NULL::VARCHAR;
CREATE MACRO inet_client_addr() AS NULL::VARCHAR;
CREATE MACRO pg_encoding_to_char(encoding) AS 'UTF8';
CREATE MACRO pg_char_to_encoding(name) AS 6;
CREATE MACRO getdatabaseencoding() AS 'UTF8';
CREATE MACRO pg_client_encoding() AS 'UTF8';
CREATE MACRO pg_advisory_unlock_all() AS NULL::VARCHAR;
CREATE MACRO pg_sleep(seconds) AS NULL::VARCHAR;
CREATE MACRO set_config(name, value, is_local) AS value;
CREATE MACRO current_setting(name) AS CASE lower(name)
    WHEN 'server_version' THEN '15.0 (Vitalake)'
    WHEN 'server_version_num' THEN '150000'
    WHEN 'server_encoding' THEN 'UTF8'
    WHEN 'client_encoding' THEN 'UTF8'
    WHEN 'standard_conforming_strings' THEN 'on'
    WHEN 'timezone' THEN 'UTC'
    WHEN 'datestyle' THEN 'ISO, MDY'
    WHEN 'intervalstyle' THEN 'postgres'
    WHEN 'integer_datetimes' THEN 'on'
    WHEN 'bytea_output' THEN 'hex'
    WHEN 'transaction_isolation' THEN 'read committed'
    WHEN 'transaction_read_only' THEN 'on'
    WHEN 'default_transaction_read_only' THEN 'on'
    WHEN 'max_index_keys' THEN '32'
    WHEN 'max_identifier_length' THEN '63'
    WHEN 'search_path' THEN '"$user", public'
    WHEN 'is_superuser' THEN 'off'
    WHEN 'jit' THEN 'off'
    ELSE error('unrecognized configuration parameter "' || name || '"') END,
  (name, missing_ok) AS CASE lower(name)
    WHEN 'server_version' THEN '15.0 (Vitalake)'
    WHEN 'server_version_num' THEN '150000'
    WHEN 'timezone' THEN 'UTC'
    WHEN 'jit' THEN 'off'
    ELSE NULL END;
CREATE VIEW pg_settings AS SELECT * FROM (VALUES
  ('server_version', '15.0 (Vitalake)', 'string'), ('server_version_num', '150000', 'integer'),
  ('server_encoding', 'UTF8', 'string'), ('client_encoding', 'UTF8', 'string'),
  ('max_index_keys', '32', 'integer'), ('max_identifier_length', '63', 'integer'),
  ('standard_conforming_strings', 'on', 'bool'), ('TimeZone', 'UTC', 'string'),
  ('DateStyle', 'ISO, MDY', 'string'), ('lc_collate', 'C', 'string'), ('jit', 'off', 'bool')
) AS s(name, setting, vartype), (SELECT 'default' AS source, 'user' AS context, NULL::VARCHAR AS unit,
  '' AS category, '' AS short_desc);
CREATE VIEW pg_database AS SELECT
  1::BIGINT AS oid, 'lake' AS datname, 10::BIGINT AS datdba, 6 AS encoding, 'c' AS datlocprovider,
  false AS datistemplate, true AS datallowconn, -1 AS datconnlimit, 0::BIGINT AS datfrozenxid,
  1::BIGINT AS datminmxid, 1663::BIGINT AS dattablespace, 'C' AS datcollate, 'C' AS datctype,
  NULL::VARCHAR AS daticulocale, NULL::VARCHAR AS datcollversion, NULL::VARCHAR[] AS datacl;
CREATE VIEW pg_roles AS SELECT
  10::BIGINT AS oid, 'lake' AS rolname, false AS rolsuper, true AS rolinherit,
  false AS rolcreaterole, false AS rolcreatedb, true AS rolcanlogin, false AS rolreplication,
  -1 AS rolconnlimit, '********' AS rolpassword, NULL::TIMESTAMPTZ AS rolvaliduntil,
  false AS rolbypassrls, NULL::VARCHAR[] AS rolconfig;
CREATE VIEW pg_authid AS SELECT * FROM pg_roles;
CREATE VIEW pg_user AS SELECT
  'lake' AS usename, 10::BIGINT AS usesysid, false AS usecreatedb, false AS usesuper,
  false AS userepl, false AS usebypassrls, '********' AS passwd, NULL::TIMESTAMPTZ AS valuntil,
  NULL::VARCHAR[] AS useconfig;
CREATE VIEW pg_auth_members AS
  SELECT 0::BIGINT AS roleid, 0::BIGINT AS member, 0::BIGINT AS grantor, false AS admin_option
  WHERE false;
CREATE VIEW pg_tablespace AS SELECT
  1663::BIGINT AS oid, 'pg_default' AS spcname, 10::BIGINT AS spcowner, NULL::VARCHAR[] AS spcacl,
  NULL::VARCHAR[] AS spcoptions;
CREATE VIEW pg_am AS
  SELECT 2::BIGINT AS oid, 'heap' AS amname, 'heap_tableam_handler' AS amhandler, 't' AS amtype;
CREATE VIEW pg_extension AS SELECT
  0::BIGINT AS oid, '' AS extname, 10::BIGINT AS extowner, 0::BIGINT AS extnamespace,
  false AS extrelocatable, '' AS extversion, NULL::BIGINT[] AS extconfig,
  NULL::VARCHAR[] AS extcondition WHERE false;
CREATE VIEW pg_language AS SELECT
  14::BIGINT AS oid, 'sql' AS lanname, 10::BIGINT AS lanowner, false AS lanispl,
  true AS lanpltrusted;
CREATE VIEW pg_timezone_abbrevs AS
  SELECT 'UTC' AS abbrev, INTERVAL 0 SECOND AS utc_offset, false AS is_dst;
