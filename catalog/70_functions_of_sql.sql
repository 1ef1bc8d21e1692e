-- Functions that PostgreSQL has under another name, with another type, or at all.
CREATE MACRO array_upper(list, dimension) AS CASE WHEN dimension = 1 AND len(list) > 0 THEN len(list) END::INTEGER;
CREATE MACRO array_lower(list, dimension) AS CASE WHEN dimension = 1 AND len(list) > 0 THEN 1 END;
CREATE MACRO array_length(list, dimension) AS CASE WHEN dimension = 1 AND len(list) > 0 THEN len(list) END::INTEGER;
CREATE MACRO array_ndims(list) AS CASE WHEN len(list) > 0 THEN 1 END;
CREATE MACRO cardinality(list) AS len(list)::INTEGER;
CREATE MACRO array_fill(value, sizes) AS list_resize([value], sizes[1], value);
CREATE MACRO string_to_array(value, delimiter) AS TABLE
  SELECT system.main.string_to_array(value, delimiter) AS string_to_array;
CREATE MACRO array_append(list, item) AS list_append(list, item);
CREATE MACRO generate_subscripts(list, dimension) AS unnest(system.main.generate_series(1, len(list)))::INTEGER;
-- In FROM it is a function of tables; here it gives rows, too (limits.main: engine/value_limits.h).
CREATE MACRO generate_series(first, last) AS unnest(limits.main.generate_series(first, last, 1)),
  (first, last, step) AS unnest(limits.main.generate_series(first, last, step));
CREATE MACRO json_build_object(a, b) AS json_object(a::VARCHAR, b),
  (a, b, c, d) AS json_object(a::VARCHAR, b, c::VARCHAR, d),
  (a, b, c, d, e, f) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f),
  (a, b, c, d, e, f, g, h) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h),
  (a, b, c, d, e, f, g, h, i, j) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j),
  (a, b, c, d, e, f, g, h, i, j, k, l) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j, k::VARCHAR, l),
  (a, b, c, d, e, f, g, h, i, j, k, l, m, n) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j, k::VARCHAR, l, m::VARCHAR, n),
  (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j, k::VARCHAR, l, m::VARCHAR, n, o::VARCHAR, p),
  (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j, k::VARCHAR, l, m::VARCHAR, n, o::VARCHAR, p, q::VARCHAR, r),
  (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j, k::VARCHAR, l, m::VARCHAR, n, o::VARCHAR, p, q::VARCHAR, r, s::VARCHAR, t);
CREATE MACRO jsonb_build_object(a, b) AS json_object(a::VARCHAR, b),
  (a, b, c, d) AS json_object(a::VARCHAR, b, c::VARCHAR, d),
  (a, b, c, d, e, f) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f),
  (a, b, c, d, e, f, g, h) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h),
  (a, b, c, d, e, f, g, h, i, j) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j),
  (a, b, c, d, e, f, g, h, i, j, k, l) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j, k::VARCHAR, l),
  (a, b, c, d, e, f, g, h, i, j, k, l, m, n) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j, k::VARCHAR, l, m::VARCHAR, n),
  (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j, k::VARCHAR, l, m::VARCHAR, n, o::VARCHAR, p),
  (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j, k::VARCHAR, l, m::VARCHAR, n, o::VARCHAR, p, q::VARCHAR, r),
  (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t) AS json_object(a::VARCHAR, b, c::VARCHAR, d, e::VARCHAR, f, g::VARCHAR, h, i::VARCHAR, j, k::VARCHAR, l, m::VARCHAR, n, o::VARCHAR, p, q::VARCHAR, r, s::VARCHAR, t);
CREATE MACRO length(value) AS system.main.length(value)::INTEGER;
CREATE MACRO char_length(value) AS system.main.length(value)::INTEGER;
CREATE MACRO character_length(value) AS system.main.length(value)::INTEGER;
CREATE MACRO octet_length(value) AS CASE WHEN typeof(value) = 'BLOB' THEN system.main.octet_length(value::BLOB) ELSE strlen(value::VARCHAR) END::INTEGER;
CREATE MACRO bit_length(value) AS strlen(value::VARCHAR)::INTEGER * 8;
CREATE MACRO strpos(text, part) AS system.main.strpos(text, part)::INTEGER;
CREATE MACRO "position"(text, part) AS system.main.strpos(text, part)::INTEGER;
-- With a text behind FROM: the first match of that expression, or of the group in it.
CREATE MACRO substring(value, what) AS
    CASE WHEN typeof(what) <> 'VARCHAR' THEN system.main.substring(value, try_cast(what AS BIGINT))
         WHEN regexp_matches(value, what::VARCHAR) THEN
           regexp_extract(value, CASE WHEN regexp_matches(what::VARCHAR, '(^|[^\\])\(([^?]|$)')
                                      THEN what::VARCHAR ELSE '(' || what::VARCHAR || ')' END, 1) END,
  (value, first, length) AS system.main.substring(value, first, length);
CREATE MACRO btrim(value) AS trim(value), (value, characters) AS trim(value, characters);
CREATE MACRO initcap(value) AS array_to_string(list_transform(regexp_extract_all(lower(value), '[[:alnum:]]+|[^[:alnum:]]+'), lambda word: upper(word[1]) || word[2:]), '');
CREATE MACRO to_char(moment, format) AS strftime(moment,
  replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(format,
    'YYYY', '%Y'), 'YY', '%y'), 'Month', '%B'), 'Mon', '%b'), 'MM', '%m'), 'DDD', '%j'), 'DD', '%d'), 'HH24', '%H'),
    'HH12', '%I'), 'HH', '%I'), 'MI', '%M'), 'SS', '%S'), 'MS', '%g'), 'US', '%f'), 'Day', '%A'), 'Dy', '%a'), 'AM', '%p'));
CREATE MACRO div(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE trunc(a / b) END;
CREATE MACRO mod(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a % b END;
CREATE MACRO num_nulls(a) AS (a IS NULL)::INTEGER, (a, b) AS (a IS NULL)::INTEGER + (b IS NULL)::INTEGER;
CREATE MACRO clock_timestamp() AS now();
CREATE MACRO statement_timestamp() AS now();
CREATE MACRO transaction_timestamp() AS now();
CREATE MACRO make_timestamptz(y, mo, d, h, mi, s) AS make_timestamp(y, mo, d, h, mi, s)::TIMESTAMPTZ;
CREATE MACRO isfinite(value) AS system.main.isfinite(value);
CREATE MACRO jsonb_typeof(value) AS lower(json_type(value));
CREATE MACRO to_jsonb(value) AS to_json(value);
