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
CREATE MACRO pg_setting_of(name) AS CASE lower(name)
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
    WHEN 'default_transaction_isolation' THEN 'read committed'
    WHEN 'transaction_read_only' THEN 'on'
    WHEN 'default_transaction_read_only' THEN 'on'
    WHEN 'in_hot_standby' THEN 'off'
    WHEN 'max_index_keys' THEN '32'
    WHEN 'max_identifier_length' THEN '63'
    WHEN 'max_function_args' THEN '100'
    WHEN 'block_size' THEN '8192'
    WHEN 'search_path' THEN '"$user", public'
    WHEN 'is_superuser' THEN 'off'
    WHEN 'jit' THEN 'off'
    WHEN 'default_table_access_method' THEN 'heap'
    WHEN 'default_tablespace' THEN ''
    WHEN 'lc_collate' THEN 'C'
    WHEN 'lc_ctype' THEN 'C'
    WHEN 'extra_float_digits' THEN '1'
    WHEN 'statement_timeout' THEN '0'
    WHEN 'ssl' THEN 'off'
    WHEN 'application_name' THEN ''
    WHEN 'client_min_messages' THEN 'notice'
    WHEN 'default_transaction_deferrable' THEN 'off'
    WHEN 'transaction_deferrable' THEN 'off'
    WHEN 'escape_string_warning' THEN 'on'
    WHEN 'idle_in_transaction_session_timeout' THEN '0'
    WHEN 'lc_messages' THEN 'C'
    WHEN 'lc_monetary' THEN 'C'
    WHEN 'lock_timeout' THEN '0'
    WHEN 'max_connections' THEN '256'
    WHEN 'row_security' THEN 'on'
    ELSE NULL END;
CREATE MACRO current_setting(name) AS
    coalesce(pg_setting_of(name), error('unrecognized configuration parameter "' || name || '"')),
  (name, missing_ok) AS coalesce(pg_setting_of(name), CASE WHEN NOT missing_ok
    THEN error('unrecognized configuration parameter "' || name || '"') END);
