-- Types: what PostgreSQL calls them. Numbers are those of PostgreSQL 15's pg_type. Aliases do not outlive a cast:
-- to clients an unsigned integer is oid, and an enumeration of single characters is "char".
CREATE TYPE u32 AS UINTEGER;
CREATE TYPE pgchar AS ENUM (
  '', '!', '"', '#', '$', '%', '&', '''', '(', ')', '*', '+', ',', '-', '.', '/', '0', '1', '2', '3', '4', '5', '6',
  '7', '8', '9', ':', ';', '<', '=', '>', '?', '@', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M',
  'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', '[', '\', ']', '^', '_', '`', 'a', 'b', 'c', 'd',
  'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '{',
  '|', '}', '~');
CREATE TYPE name AS VARCHAR;
CREATE TYPE bpchar AS VARCHAR;
CREATE TYPE xid AS UINTEGER;
CREATE TYPE cid AS UINTEGER;
CREATE TYPE tid AS VARCHAR;
CREATE TYPE int2vector AS SMALLINT[];
CREATE TYPE oidvector AS UINTEGER[];
CREATE TYPE jsonb AS JSON;
CREATE TYPE citext AS VARCHAR;
CREATE TYPE aclitem AS VARCHAR;

-- `io_mark` stands in the names of the functions that read and write the type: date_in, but int4in.
CREATE TABLE pg_type_row AS
SELECT * FROM (VALUES
  (16, 'bool', 1, 'b', 'B', true, 1000, 'c', 'p', 'boolean', 0, 0, 1242, 1243, 2436, 2437, ''),
  (17, 'bytea', -1, 'b', 'U', false, 1001, 'i', 'x', 'bytea', 0, 0, 1244, 31, 2412, 2413, ''),
  (18, 'char', 1, 'b', 'Z', false, 1002, 'c', 'p', '"char"', 0, 0, 1245, 33, 2434, 2435, ''),
  (19, 'name', 64, 'b', 'S', false, 1003, 'c', 'p', 'name', 18, 950, 34, 35, 2422, 2423, ''),
  (20, 'int8', 8, 'b', 'N', false, 1016, 'd', 'p', 'bigint', 0, 0, 460, 461, 2408, 2409, ''),
  (21, 'int2', 2, 'b', 'N', false, 1005, 's', 'p', 'smallint', 0, 0, 38, 39, 2404, 2405, ''),
  (22, 'int2vector', -1, 'b', 'A', false, 1006, 'i', 'p', 'int2vector', 21, 0, 40, 41, 2410, 2411, ''),
  (23, 'int4', 4, 'b', 'N', false, 1007, 'i', 'p', 'integer', 0, 0, 42, 43, 2406, 2407, ''),
  (24, 'regproc', 4, 'b', 'N', false, 1008, 'i', 'p', 'regproc', 0, 0, 44, 45, 2444, 2445, ''),
  (25, 'text', -1, 'b', 'S', true, 1009, 'i', 'x', 'text', 0, 100, 46, 47, 2414, 2415, ''),
  (26, 'oid', 4, 'b', 'N', true, 1028, 'i', 'p', 'oid', 0, 0, 1798, 1799, 2418, 2419, ''),
  (27, 'tid', 6, 'b', 'U', false, 1010, 's', 'p', 'tid', 0, 0, 48, 49, 2438, 2439, ''),
  (28, 'xid', 4, 'b', 'U', false, 1011, 'i', 'p', 'xid', 0, 0, 50, 51, 2440, 2441, ''),
  (29, 'cid', 4, 'b', 'U', false, 1012, 'i', 'p', 'cid', 0, 0, 52, 53, 2442, 2443, ''),
  (30, 'oidvector', -1, 'b', 'A', false, 1013, 'i', 'p', 'oidvector', 26, 0, 54, 55, 2420, 2421, ''),
  (114, 'json', -1, 'b', 'U', false, 199, 'i', 'x', 'json', 0, 0, 321, 322, 323, 324, '_'),
  (142, 'xml', -1, 'b', 'U', false, 143, 'i', 'x', 'xml', 0, 0, 2893, 2894, 2898, 2899, '_'),
  (194, 'pg_node_tree', -1, 'b', 'Z', false, 0, 'i', 'x', 'pg_node_tree', 0, 100, 195, 196, 197, 198, '_'),
  (700, 'float4', 4, 'b', 'N', false, 1021, 'i', 'p', 'real', 0, 0, 200, 201, 2424, 2425, ''),
  (701, 'float8', 8, 'b', 'N', true, 1022, 'd', 'p', 'double precision', 0, 0, 214, 215, 2426, 2427, ''),
  (705, 'unknown', -2, 'p', 'X', false, 0, 'c', 'p', 'unknown', 0, 0, 109, 110, 2416, 2417, ''),
  (869, 'inet', -1, 'b', 'I', true, 1041, 'i', 'm', 'inet', 0, 0, 910, 911, 2496, 2497, '_'),
  (1033, 'aclitem', 12, 'b', 'U', false, 1034, 'i', 'p', 'aclitem', 0, 0, 1031, 1032, 0, 0, ''),
  (1042, 'bpchar', -1, 'b', 'S', false, 1014, 'i', 'x', 'character', 0, 100, 1044, 1045, 2430, 2431, ''),
  (1043, 'varchar', -1, 'b', 'S', false, 1015, 'i', 'x', 'character varying', 0, 100, 1046, 1047, 2432, 2433, ''),
  (1082, 'date', 4, 'b', 'D', false, 1182, 'i', 'p', 'date', 0, 0, 1084, 1085, 2468, 2469, '_'),
  (1083, 'time', 8, 'b', 'D', false, 1183, 'd', 'p', 'time without time zone', 0, 0, 1143, 1144, 2470, 2471, '_'),
  (1114, 'timestamp', 8, 'b', 'D', false, 1115, 'd', 'p', 'timestamp without time zone', 0, 0, 1312, 1313, 2474, 2475, '_'),
  (1184, 'timestamptz', 8, 'b', 'D', true, 1185, 'd', 'p', 'timestamp with time zone', 0, 0, 1150, 1151, 2476, 2477, '_'),
  (1186, 'interval', 16, 'b', 'T', true, 1187, 'd', 'p', 'interval', 0, 0, 1160, 1161, 2478, 2479, '_'),
  (1266, 'timetz', 12, 'b', 'D', false, 1270, 'd', 'p', 'time with time zone', 0, 0, 1350, 1351, 2472, 2473, '_'),
  (1700, 'numeric', -1, 'b', 'N', false, 1231, 'i', 'm', 'numeric', 0, 0, 1701, 1702, 2460, 2461, '_'),
  (2202, 'regprocedure', 4, 'b', 'N', false, 2207, 'i', 'p', 'regprocedure', 0, 0, 2212, 2213, 2446, 2447, ''),
  (2203, 'regoper', 4, 'b', 'N', false, 2208, 'i', 'p', 'regoper', 0, 0, 2214, 2215, 2448, 2449, ''),
  (2205, 'regclass', 4, 'b', 'N', false, 2210, 'i', 'p', 'regclass', 0, 0, 2218, 2219, 2452, 2453, ''),
  (2206, 'regtype', 4, 'b', 'N', false, 2211, 'i', 'p', 'regtype', 0, 0, 2220, 2221, 2454, 2455, ''),
  (2249, 'record', -1, 'p', 'P', false, 2287, 'd', 'x', 'record', 0, 0, 2290, 2291, 2402, 2403, '_'),
  (2275, 'cstring', -2, 'p', 'P', false, 1263, 'c', 'p', 'cstring', 0, 0, 2292, 2293, 2500, 2501, '_'),
  (2276, 'any', 4, 'p', 'P', false, 0, 'i', 'p', '"any"', 0, 0, 2294, 2295, 0, 0, '_'),
  (2277, 'anyarray', -1, 'p', 'P', false, 0, 'd', 'x', 'anyarray', 0, 0, 2296, 2297, 2502, 2503, '_'),
  (2278, 'void', 4, 'p', 'P', false, 0, 'i', 'p', 'void', 0, 0, 2298, 2299, 3120, 3121, '_'),
  (2281, 'internal', 8, 'p', 'P', false, 0, 'd', 'p', 'internal', 0, 0, 2304, 2305, 0, 0, '_'),
  (2950, 'uuid', 16, 'b', 'U', false, 2951, 'c', 'p', 'uuid', 0, 0, 2952, 2953, 2961, 2962, '_'),
  (3802, 'jsonb', -1, 'b', 'U', false, 3807, 'i', 'x', 'jsonb', 0, 0, 3806, 3804, 3805, 3803, '_'),
  (4089, 'regnamespace', 4, 'b', 'N', false, 4090, 'i', 'p', 'regnamespace', 0, 0, 4084, 4085, 4087, 4088, ''),
  (4096, 'regrole', 4, 'b', 'N', false, 4097, 'i', 'p', 'regrole', 0, 0, 4098, 4092, 4094, 4095, '')
) AS types(oid, typname, typlen, typtype, typcategory, typispreferred, typarray, typalign, typstorage, sql_name,
           typelem, typcollation, input, output, receive, send, io_mark);

CREATE TABLE pg_type AS SELECT
  oid::UINTEGER AS oid, typname::VARCHAR AS typname, 11::UINTEGER AS typnamespace, 10::UINTEGER AS typowner,
  typlen::SMALLINT AS typlen, (typlen IN (1, 2, 4, 8))::BOOLEAN AS typbyval, typtype::pgchar AS typtype,
  typcategory::pgchar AS typcategory, typispreferred::BOOLEAN AS typispreferred, true AS typisdefined,
  ','::pgchar AS typdelim, 0::UINTEGER AS typrelid, typsubscript::UINTEGER AS typsubscript,
  typelem::UINTEGER AS typelem, typarray::UINTEGER AS typarray, input::UINTEGER AS typinput,
  output::UINTEGER AS typoutput, receive::UINTEGER AS typreceive, send::UINTEGER AS typsend, 0::UINTEGER AS typmodin,
  0::UINTEGER AS typmodout, 0::UINTEGER AS typanalyze, typalign::pgchar AS typalign, typstorage::pgchar AS typstorage,
  false AS typnotnull, 0::UINTEGER AS typbasetype, (-1)::INTEGER AS typtypmod, 0 AS typndims,
  typcollation::UINTEGER AS typcollation, NULL::VARCHAR AS typdefaultbin, NULL::VARCHAR AS typdefault,
  NULL::VARCHAR[] AS typacl
FROM (
  SELECT *, CASE WHEN typcategory = 'A' THEN 6179 ELSE 0 END AS typsubscript FROM pg_type_row
  UNION ALL
  SELECT typarray, '_' || typname, -1, typtype, 'A', false, 0, CASE typalign WHEN 'd' THEN 'd' ELSE 'i' END, 'x',
         sql_name || '[]', oid, typcollation, 750, 751, 2400, 2401, '', 6179
  FROM pg_type_row WHERE typarray <> 0);

-- Of functions, those that read and write the types: by them clients tell arrays from others.
CREATE TABLE pg_proc AS SELECT
  oid::UINTEGER AS oid, proname::VARCHAR AS proname, 11::UINTEGER AS pronamespace, 10::UINTEGER AS proowner,
  12::UINTEGER AS prolang, 1::FLOAT AS procost, 0::FLOAT AS prorows, 0::UINTEGER AS provariadic,
  0::UINTEGER AS prosupport, 'f'::pgchar AS prokind, false AS prosecdef, false AS proleakproof,
  true AS proisstrict, false AS proretset, 'i'::pgchar AS provolatile, 's'::pgchar AS proparallel,
  1::SMALLINT AS pronargs, 0::SMALLINT AS pronargdefaults, result::UINTEGER AS prorettype,
  ([argument])::UINTEGER[] AS proargtypes, NULL::UINTEGER[] AS proallargtypes, NULL::pgchar[] AS proargmodes,
  NULL::VARCHAR[] AS proargnames, NULL::VARCHAR AS proargdefaults, NULL::UINTEGER[] AS protrftypes,
  proname::VARCHAR AS prosrc, NULL::VARCHAR AS probin, NULL::VARCHAR AS prosqlbody, NULL::VARCHAR[] AS proconfig,
  NULL::VARCHAR[] AS proacl
FROM (
  SELECT input AS oid, typname || io_mark || 'in' AS proname, oid AS result, 2275 AS argument FROM pg_type_row
  UNION ALL SELECT output, typname || io_mark || 'out', 2275, oid FROM pg_type_row
  UNION ALL SELECT receive, typname || io_mark || 'recv', oid, 2281 FROM pg_type_row WHERE receive <> 0
  UNION ALL SELECT send, typname || io_mark || 'send', 17, oid FROM pg_type_row WHERE send <> 0
  UNION ALL VALUES (750, 'array_in', 2277, 2275), (751, 'array_out', 2275, 2277), (2400, 'array_recv', 2277, 2281),
    (2401, 'array_send', 17, 2277), (6179, 'array_subscript_handler', 2281, 2281));

-- The oid of one of the engine's types, as columns have them.
CREATE MACRO pg_oid_of_type(data_type) AS CASE
  WHEN ends_with(data_type, ']') THEN CASE left(data_type, -2)
    WHEN 'BOOLEAN' THEN 1000 WHEN 'BLOB' THEN 1001 WHEN 'SMALLINT' THEN 1005 WHEN 'INTEGER' THEN 1007
    WHEN 'VARCHAR' THEN 1009 WHEN 'BIGINT' THEN 1016 WHEN 'FLOAT' THEN 1021 WHEN 'DOUBLE' THEN 1022
    WHEN 'TIMESTAMP' THEN 1115 WHEN 'DATE' THEN 1182 WHEN 'TIME' THEN 1183
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN 1185 WHEN 'INTERVAL' THEN 1187 WHEN 'JSON' THEN 199
    WHEN 'UUID' THEN 2951
    ELSE CASE WHEN regexp_matches(data_type, '^DECIMAL\([0-9,]*\)\[\]$') THEN 1231 ELSE 114 END END
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

CREATE MACRO format_type(type_oid, type_modifier) AS CASE WHEN type_oid = 0 THEN '-' WHEN type_oid IS NOT NULL THEN (
  SELECT coalesce(max(CASE
    WHEN t.typelem <> 0 AND t.typname LIKE '\_%' ESCAPE '\' THEN (SELECT max(r.sql_name) FROM pg_type_row r WHERE r.oid = t.typelem) || '[]'
    WHEN type_oid::BIGINT = 1700 AND type_modifier > 0
    THEN 'numeric(' || ((type_modifier - 4) >> 16) || ',' || ((type_modifier - 4) & 65535) || ')'
    WHEN type_oid::BIGINT IN (1042, 1043) AND type_modifier > 0
    THEN (SELECT max(r.sql_name) FROM pg_type_row r WHERE r.oid = t.oid) || '(' || (type_modifier - 4) || ')'
    ELSE (SELECT max(r.sql_name) FROM pg_type_row r WHERE r.oid = t.oid) END), '???')
  FROM pg_type t WHERE t.oid = type_oid::BIGINT) END;
