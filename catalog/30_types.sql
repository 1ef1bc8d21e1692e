-- Types: what PostgreSQL calls them. Numbers are those of PostgreSQL 15's pg_type.
CREATE TYPE name AS VARCHAR;
CREATE TYPE bpchar AS VARCHAR;
-- Shown to clients as "char" and oid; plain in binary what they are made of would be longer.
CREATE TYPE pg_char AS VARCHAR;
CREATE TYPE pg_oid AS BIGINT;
CREATE TYPE xid AS BIGINT;
CREATE TYPE cid AS BIGINT;
CREATE TYPE tid AS VARCHAR;
CREATE TYPE int2vector AS SMALLINT[];
CREATE TYPE oidvector AS BIGINT[];
CREATE TYPE jsonb AS JSON;
CREATE TYPE citext AS VARCHAR;
CREATE TYPE aclitem AS VARCHAR;

CREATE TABLE pg_type_row AS
SELECT oid::BIGINT AS oid, typname, typlen::SMALLINT AS typlen, typcategory, typarray::BIGINT AS typarray,
       sql_name, typtype
FROM (VALUES
  (16, 'bool', 1, 'B', 1000, 'boolean', 'b'), (17, 'bytea', -1, 'U', 1001, 'bytea', 'b'),
  (18, 'char', 1, 'Z', 1002, '"char"', 'b'), (19, 'name', 64, 'S', 1003, 'name', 'b'),
  (20, 'int8', 8, 'N', 1016, 'bigint', 'b'), (21, 'int2', 2, 'N', 1005, 'smallint', 'b'),
  (22, 'int2vector', -1, 'A', 1006, 'int2vector', 'b'), (23, 'int4', 4, 'N', 1007, 'integer', 'b'),
  (24, 'regproc', 4, 'N', 1008, 'regproc', 'b'), (25, 'text', -1, 'S', 1009, 'text', 'b'),
  (26, 'oid', 4, 'N', 1028, 'oid', 'b'), (27, 'tid', 6, 'U', 1010, 'tid', 'b'),
  (28, 'xid', 4, 'U', 1011, 'xid', 'b'), (29, 'cid', 4, 'U', 1012, 'cid', 'b'),
  (30, 'oidvector', -1, 'A', 1013, 'oidvector', 'b'), (114, 'json', -1, 'U', 199, 'json', 'b'),
  (142, 'xml', -1, 'U', 143, 'xml', 'b'),
  (700, 'float4', 4, 'N', 1021, 'real', 'b'), (701, 'float8', 8, 'N', 1022, 'double precision', 'b'),
  (705, 'unknown', -2, 'X', 0, 'unknown', 'p'),
  (1042, 'bpchar', -1, 'S', 1014, 'character', 'b'),
  (1043, 'varchar', -1, 'S', 1015, 'character varying', 'b'), (1082, 'date', 4, 'D', 1182, 'date', 'b'),
  (1083, 'time', 8, 'D', 1183, 'time without time zone', 'b'),
  (1114, 'timestamp', 8, 'D', 1115, 'timestamp without time zone', 'b'),
  (1184, 'timestamptz', 8, 'D', 1185, 'timestamp with time zone', 'b'),
  (1186, 'interval', 16, 'T', 1187, 'interval', 'b'),
  (1266, 'timetz', 12, 'D', 1270, 'time with time zone', 'b'),
  (1700, 'numeric', -1, 'N', 1231, 'numeric', 'b'),
  (2205, 'regclass', 4, 'N', 2210, 'regclass', 'b'), (2206, 'regtype', 4, 'N', 2211, 'regtype', 'b'),
  (2249, 'record', -1, 'P', 2287, 'record', 'p'), (2276, 'any', 4, 'P', 0, '"any"', 'p'),
  (2278, 'void', 4, 'P', 0, 'void', 'p'),
  (2950, 'uuid', 16, 'U', 2951, 'uuid', 'b'), (3802, 'jsonb', -1, 'U', 3807, 'jsonb', 'b')
) AS t(oid, typname, typlen, typcategory, typarray, sql_name, typtype);

CREATE VIEW pg_type AS
WITH every AS (
  SELECT oid, typname, typlen, typcategory, typarray, typtype,
         CASE typname WHEN 'int2vector' THEN 21 WHEN 'oidvector' THEN 26 ELSE 0 END::BIGINT AS typelem,
         sql_name
  FROM pg_type_row
  UNION ALL
  SELECT typarray, '_' || typname, -1::SMALLINT, 'A', 0::BIGINT, 'b', oid, sql_name || '[]'
  FROM pg_type_row WHERE typarray <> 0)
SELECT oid::pg_oid AS oid, typname::name AS typname, 11::pg_oid AS typnamespace, 10::BIGINT AS typowner, typlen,
       typlen BETWEEN 1 AND 8 AS typbyval, typtype::pg_char AS typtype,
       typcategory::pg_char AS typcategory,
       typname IN ('bool', 'text', 'float8', 'oid', 'timestamptz', 'interval') AS typispreferred,
       true AS typisdefined, ','::pg_char AS typdelim, 0::pg_oid AS typrelid,
       CASE WHEN typcategory = 'A' THEN 'array_subscript_handler' ELSE '-' END AS typsubscript,
       typelem::pg_oid AS typelem, typarray::pg_oid AS typarray,
       CASE WHEN typcategory = 'A' AND typname LIKE '\_%' ESCAPE '\' THEN 'array_in'
            WHEN typname IN ('date', 'time', 'timestamp', 'timestamptz', 'interval', 'numeric', 'uuid', 'json', 'jsonb')
            THEN typname || '_in' ELSE typname || 'in' END AS typinput,
       CASE WHEN typcategory = 'A' AND typname LIKE '\_%' ESCAPE '\' THEN 'array_out'
            WHEN typname IN ('date', 'time', 'timestamp', 'timestamptz', 'interval', 'numeric', 'uuid', 'json', 'jsonb')
            THEN typname || '_out' ELSE typname || 'out' END AS typoutput,
       CASE WHEN typcategory = 'A' AND typname LIKE '\_%' ESCAPE '\' THEN 'array_recv'
            WHEN typname IN ('date', 'time', 'timestamp', 'timestamptz', 'interval', 'numeric', 'uuid', 'json', 'jsonb')
            THEN typname || '_recv' ELSE typname || 'recv' END AS typreceive,
       CASE WHEN typcategory = 'A' AND typname LIKE '\_%' ESCAPE '\' THEN 'array_send'
            WHEN typname IN ('date', 'time', 'timestamp', 'timestamptz', 'interval', 'numeric', 'uuid', 'json', 'jsonb')
            THEN typname || '_send' ELSE typname || 'send' END AS typsend,
       '-' AS typmodin, '-' AS typmodout, '-' AS typanalyze, 'i' AS typalign,
       CASE WHEN typlen = -1 THEN 'x' ELSE 'p' END AS typstorage, false AS typnotnull,
       0::BIGINT AS typbasetype, -1 AS typtypmod, 0 AS typndims,
       CASE WHEN typcategory = 'S' THEN 100 ELSE 0 END::BIGINT AS typcollation,
       NULL::VARCHAR AS typdefaultbin, NULL::VARCHAR AS typdefault, NULL::VARCHAR[] AS typacl
FROM every;

-- The oid of one of the engine's types, as columns have them.
CREATE MACRO pg_oid_of_type(data_type) AS CASE
  WHEN ends_with(data_type, '[]') THEN CASE replace(data_type, '[]', '')
    WHEN 'BOOLEAN' THEN 1000 WHEN 'SMALLINT' THEN 1005 WHEN 'INTEGER' THEN 1007
    WHEN 'BIGINT' THEN 1016 WHEN 'FLOAT' THEN 1021 WHEN 'DOUBLE' THEN 1022 WHEN 'DATE' THEN 1182
    WHEN 'TIMESTAMP' THEN 1115 WHEN 'TIMESTAMP WITH TIME ZONE' THEN 1185 WHEN 'UUID' THEN 2951
    WHEN 'VARCHAR' THEN 1009 ELSE 114 END
  WHEN starts_with(data_type, 'DECIMAL') THEN 1700
  WHEN starts_with(data_type, 'STRUCT') OR starts_with(data_type, 'MAP') THEN 114
  ELSE CASE data_type
    WHEN 'BOOLEAN' THEN 16 WHEN 'TINYINT' THEN 21 WHEN 'UTINYINT' THEN 21 WHEN 'SMALLINT' THEN 21
    WHEN 'USMALLINT' THEN 23 WHEN 'INTEGER' THEN 23 WHEN 'UINTEGER' THEN 20 WHEN 'BIGINT' THEN 20
    WHEN 'UBIGINT' THEN 1700 WHEN 'HUGEINT' THEN 1700 WHEN 'FLOAT' THEN 700 WHEN 'DOUBLE' THEN 701
    WHEN 'DATE' THEN 1082 WHEN 'TIME' THEN 1083 WHEN 'TIMESTAMP' THEN 1114
    WHEN 'TIMESTAMP_S' THEN 1114 WHEN 'TIMESTAMP_MS' THEN 1114 WHEN 'TIMESTAMP_NS' THEN 1114
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN 1184 WHEN 'INTERVAL' THEN 1186 WHEN 'UUID' THEN 2950
    WHEN 'BLOB' THEN 17 WHEN 'JSON' THEN 114 ELSE 25 END
  END::BIGINT;

CREATE MACRO format_type(type_oid, type_modifier) AS (
  SELECT coalesce(max(CASE
    WHEN t.typelem <> 0 AND t.typname LIKE '\_%' ESCAPE '\' THEN (SELECT max(r.sql_name) FROM pg_type_row r WHERE r.oid = t.typelem) || '[]'
    WHEN type_oid::BIGINT = 1700 AND type_modifier > 0
    THEN 'numeric(' || ((type_modifier - 4) >> 16) || ',' || ((type_modifier - 4) & 65535) || ')'
    WHEN type_oid::BIGINT IN (1042, 1043) AND type_modifier > 0
    THEN (SELECT max(r.sql_name) FROM pg_type_row r WHERE r.oid = t.oid) || '(' || (type_modifier - 4) || ')'
    ELSE (SELECT max(r.sql_name) FROM pg_type_row r WHERE r.oid = t.oid) END), '???')
  FROM pg_type t WHERE t.oid = type_oid::BIGINT);
