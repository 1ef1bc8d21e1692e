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
-- Places before the first character count for the length.
CREATE MACRO pg_substring(value, first, length) AS CASE
  WHEN length < 0 THEN error('negative substring length not allowed')
  WHEN first < 1 THEN system.main.substring(value, 1, CASE WHEN first::BIGINT + length <= 1 THEN 0
                                                          ELSE first::BIGINT + length - 1 END)
  ELSE system.main.substring(value, first, length) END;
-- With a text behind FROM: the first match of that expression, or of the group in it.
CREATE MACRO substring(value, what) AS
    CASE WHEN typeof(what) <> 'VARCHAR' THEN
           CASE WHEN try_cast(what AS BIGINT) < 1 THEN value
                ELSE system.main.substring(value, try_cast(what AS BIGINT)) END
         WHEN regexp_matches(value, what::VARCHAR) THEN
           regexp_extract(value, CASE WHEN regexp_matches(what::VARCHAR, '(^|[^\\])\(([^?]|$)')
                                      THEN what::VARCHAR ELSE '(' || what::VARCHAR || ')' END, 1) END,
  (value, first, length) AS pg_substring(value, first, length);
CREATE MACRO substr(value, first) AS CASE WHEN first < 1 THEN value ELSE system.main.substring(value, first) END,
  (value, first, length) AS pg_substring(value, first, length);
CREATE MACRO btrim(value) AS trim(value), (value, characters) AS trim(value, characters);
CREATE MACRO initcap(value) AS array_to_string(list_transform(regexp_extract_all(lower(value), '[[:alnum:]]+|[^[:alnum:]]+'), lambda word: upper(word[1]) || word[2:]), '');
-- One pattern of to_char's format, "FMMonth", and text that is none. Names are in the case that the pattern is in.
CREATE MACRO pg_char_name(name, pattern) AS CASE
  WHEN regexp_matches(pattern, '^(?:FM)?[a-z]') THEN lower(name)
  WHEN regexp_matches(pattern, '^(?:FM)?[A-Z][a-z]') THEN name ELSE upper(name) END;
CREATE MACRO pg_char_number(moment, pattern) AS CASE upper(pattern)
  WHEN 'YYYY' THEN strftime(moment, '%Y') WHEN 'YYY' THEN right(strftime(moment, '%Y'), 3)
  WHEN 'YY' THEN strftime(moment, '%y') WHEN 'Y' THEN right(strftime(moment, '%Y'), 1)
  WHEN 'IYYY' THEN strftime(moment, '%G') WHEN 'IW' THEN strftime(moment, '%V')
  WHEN 'WW' THEN right('0' || ((strftime(moment, '%j')::INTEGER - 1) // 7 + 1), 2)
  WHEN 'Q' THEN ((strftime(moment, '%m')::INTEGER + 2) // 3)::VARCHAR
  WHEN 'MM' THEN strftime(moment, '%m') WHEN 'DDD' THEN strftime(moment, '%j') WHEN 'DD' THEN strftime(moment, '%d')
  WHEN 'D' THEN (strftime(moment, '%w')::INTEGER + 1)::VARCHAR WHEN 'ID' THEN strftime(moment, '%u')
  WHEN 'HH24' THEN strftime(moment, '%H') WHEN 'HH12' THEN strftime(moment, '%I') WHEN 'HH' THEN strftime(moment, '%I')
  WHEN 'MI' THEN strftime(moment, '%M') WHEN 'SS' THEN strftime(moment, '%S') WHEN 'MS' THEN strftime(moment, '%g')
  WHEN 'US' THEN strftime(moment, '%f') WHEN 'SSSS' THEN (strftime(moment, '%H')::INTEGER * 3600 +
    strftime(moment, '%M')::INTEGER * 60 + strftime(moment, '%S')::INTEGER)::VARCHAR END;
CREATE MACRO pg_char_part(moment, pattern) AS CASE
  WHEN pattern[1] = '"' THEN trim(pattern, '"')
  WHEN regexp_matches(pattern, '^(FM)?(?i:month)$') THEN pg_char_name(CASE WHEN pattern[1:2] = 'FM'
    THEN strftime(moment, '%B') ELSE left(strftime(moment, '%B') || '         ', 9) END, pattern)
  WHEN regexp_matches(pattern, '^(FM)?(?i:day)$') THEN pg_char_name(CASE WHEN pattern[1:2] = 'FM'
    THEN strftime(moment, '%A') ELSE left(strftime(moment, '%A') || '         ', 9) END, pattern)
  WHEN regexp_matches(pattern, '^(FM)?(?i:mon)$') THEN pg_char_name(strftime(moment, '%b'), pattern)
  WHEN regexp_matches(pattern, '^(FM)?(?i:dy)$') THEN pg_char_name(strftime(moment, '%a'), pattern)
  WHEN regexp_matches(pattern, '^(?i:am|pm)$') THEN pg_char_name(strftime(moment, '%p'), pattern)
  WHEN upper(pattern) = 'TZ' THEN CASE WHEN typeof(moment) IN ('DATE', 'TIMESTAMP WITH TIME ZONE')
    THEN pg_char_name('UTC', pattern) ELSE '' END
  WHEN pattern[1:2] = 'FM' THEN coalesce(nullif(ltrim(pg_char_number(moment, pattern[3:]), '0'), ''), '0')
  ELSE coalesce(pg_char_number(moment, pattern), pattern) END;
-- The moment is computed once, and may be a subquery.
CREATE MACRO to_char(moment, format) AS list_transform([{'at': moment, 'parts': regexp_extract_all(format,
    '"[^"]*"|(?:FM)?(?i:month|mon|day|dy|HH24|HH12|HH|MI|SSSS|SS|MS|US|YYYY|YYY|YY|Y|IYYY|IW|WW|MM|DDD|DD|ID|D|Q)|(?i:am|pm|tz)|.',
    0, 's')}], lambda one: CASE WHEN one.at IS NOT NULL THEN
    array_to_string(list_transform(one.parts, lambda part: pg_char_part(one.at, part)), '') END)[1];
CREATE MACRO pg_format_item(items, number, kind) AS CASE
  WHEN number > len(items) THEN error('too few arguments for format()')
  WHEN number < 1 THEN error('format specifies argument 0, but arguments are numbered from 1')
  WHEN kind = 'I' THEN coalesce(quote_ident(items[number]), error('null values cannot be formatted as an SQL identifier'))
  WHEN kind = 'L' THEN quote_nullable(items[number])
  ELSE coalesce(items[number], '') END;
-- %s, %I, %L, each of the next value, or of that of its number: %2$s.
CREATE MACRO pg_format(template, items) AS list_transform([{'template': template, 'parts': regexp_extract_all(template,
    '%%|%(?:[0-9]+\$)?[sIL]|[^%]+|%', 0, 's'), 'items': items}], lambda one: CASE
  WHEN regexp_matches(one.template, '%[0-9]+\$') AND regexp_matches(one.template, '%[sIL]')
  THEN error('format() takes numbered values or others, not both')
  WHEN one.parts IS NOT NULL THEN array_to_string(list_transform(one.parts, lambda part, i: CASE
    WHEN part = '%%' THEN '%'
    WHEN part = '%' THEN error('unrecognized format() type specifier')
    WHEN part[1] <> '%' THEN part
    ELSE pg_format_item(one.items, coalesce(try_cast(part[2:-3] AS BIGINT),
      len(list_filter(one.parts[:i], lambda before: regexp_matches(before, '^%[sIL]$')))), part[-1]) END), '') END)[1];
CREATE MACRO format(a) AS pg_format(a, []::VARCHAR[]), (a, b) AS pg_format(a, [b::VARCHAR]),
  (a, b, c) AS pg_format(a, [b::VARCHAR, c::VARCHAR]),
  (a, b, c, d) AS pg_format(a, [b::VARCHAR, c::VARCHAR, d::VARCHAR]),
  (a, b, c, d, e) AS pg_format(a, [b::VARCHAR, c::VARCHAR, d::VARCHAR, e::VARCHAR]),
  (a, b, c, d, e, f) AS pg_format(a, [b::VARCHAR, c::VARCHAR, d::VARCHAR, e::VARCHAR, f::VARCHAR]),
  (a, b, c, d, e, f, g) AS pg_format(a, [b::VARCHAR, c::VARCHAR, d::VARCHAR, e::VARCHAR, f::VARCHAR, g::VARCHAR]),
  (a, b, c, d, e, f, g, h) AS pg_format(a,
    [b::VARCHAR, c::VARCHAR, d::VARCHAR, e::VARCHAR, f::VARCHAR, g::VARCHAR, h::VARCHAR]),
  (a, b, c, d, e, f, g, h, i) AS pg_format(a,
    [b::VARCHAR, c::VARCHAR, d::VARCHAR, e::VARCHAR, f::VARCHAR, g::VARCHAR, h::VARCHAR, i::VARCHAR]);
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
