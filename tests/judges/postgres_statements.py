"""Statements that both PostgreSQL and the product answer: results, names, types and SQLSTATEs must be the same.

Those in DIFFERENT differ on purpose or for now, in the way that docs/sql.md tells; each must still be answered, or refused
with the SQLSTATE given there, so that the list stays true.
"""

SAME = r"""
select 1
select 1, 2 as two, 'three' as "Three"
select -1, +1, 2147483647, 2147483648, -9223372036854775808
select 1.5, -0.25, 100.00, .5
select 1e3::float8, 1.5e-7::float8, 123456789.125::float8, 1e22::float8, 1e15::float8, 1e14::float8
select 0.1::float8, 0.1::float4, 1.1::float4, 16777216::float4, 1e6::float4, 100000::float4, 3.4e38::float4
select 'NaN'::float8, 'Infinity'::float8, '-Infinity'::float8
select 'NaN'::float8 = 'NaN'::float8, 'NaN'::float8 > 1
select not true, true and null, false and null, true or null
select Max(X) as Most, MIN(X), X % 2 as "Odd" from (values (1), (2)) as T(X) group by 3 Order By "Odd"
select t.count, t.upper, t.int4, t.coalesce, t.i from (select count(*), upper('a'), '4'::int4, coalesce(null, 'x'), i::text from generate_series(1, 1) as g(i) group by i) t
select * from (select max(i), min(i), i % 2 as odd from (values (1), (2), (3), (4), (5)) as g(i) group by 3) t order by odd
with t as (select max(i), i % 2 as odd from (values (1), (2), (3), (4), (5)) as g(i) group by 2) select max, odd from t order by odd
select lower, n from (select lower('A'), 1 as n union all select 'b', 2) t order by n
select substring('abc12de' from '[0-9]+'), substring('abc12' from 'c([0-9])'), substring('abc' from 'z'), substring(null from 'z')
select substring('abcd' from 2 for 2), substring('abcd' from 3), substring('abcd' for 2), substring('abcd', 2)
select '{"a": {"b": [4, 5]}}'::json #>> array['a', 'b', '1'] as found, '{"a": 1}'::json #>> array['z'] as nothing
select array_fill(7, array[3]), array_fill('x'::text, array[2])
select s, s[2] from string_to_array('a,b', ',') s
select s[i] from generate_series(1, 2) as i, string_to_array('a,b', ',') s order by i
select 't'::bool, 'f'::bool, 'true'::boolean, '0'::boolean
select 'abc' as a, '' as empty, 'it''s' as quote, E'tab\there' as tab, $$dollar$$ as dollar
select 'héllo wörld ☃' as utf8, length('héllo'), upper('héllo')
select 7 / 2, -7 / 2, 7 % 3, -7 % 3
select 7.0 / 2 > 3.4
select 2 + 3 * 4, (2 + 3) * 4, 2 - 3 - 4
select 1::smallint, 1::int2, 1::integer, 1::int4, 1::bigint, 1::int8
select 1::smallint + 1::smallint, 1::int + 1::bigint
select 5::numeric(10,2), 1.005::numeric(10,2), -1.005::numeric(10,2), 12345.678::numeric(8,1)
select 1::float4, 1::float8, 1.5::real, 1.5::double precision
select '42'::int, '-7'::bigint, ' 5 '::int, '1.5'::float8, '2.50'::numeric(5,2)
select 42::text, 1.50::numeric(5,2)::text, true::text, null::text
select 1 = 1, 1 <> 2, 1 != 2, 1 < 2, 2 >= 2
select 1 is null, null is null, 1 is not null
select 1 is distinct from null, null is not distinct from null
select 3 between 1 and 5, 3 not between 1 and 2, 3 in (1, 2, 3), 4 not in (1, 2)
select null = null, 1 = null, null in (1, 2), 1 in (1, null), 2 in (1, null)
select coalesce(null, 2), coalesce(null, 'x'), nullif(1, 1), nullif(1, 2)
select greatest(1, 3, 2), least(1, 3, 2), greatest(1, null), least(null, 2)
select case when 1 = 1 then 'yes' else 'no' end, case 2 when 1 then 'one' when 2 then 'two' end
select case when false then 1 end
select abs(-5), abs(-5.5), ceil(1.2::float8), floor(-1.2::float8)
select round(2.567::numeric(10,3), 1), round(-2.55::numeric(10,2), 1)
select power(2::float8, 10), sqrt(16::float8), exp(0::float8), ln(1::float8)
select mod(7, 3), mod(-7, 3)
select 6 & 3, 6 | 3, 1 << 4, 16 >> 2, ~1
select 'a' || 'b', 'a' || 1, ('x' || null) is null
select concat('a', null, 'b', 1), concat_ws('-', 'a', null, 'b')
select upper('abc'), lower('ABC'), length('abc'), char_length('abc'), octet_length('héé')
select substring('abcdef' from 2 for 3), substring('abcdef', 3), substr('abcdef', 2, 2)
select left('abcdef', 2), right('abcdef', 2), left('abc', -1), right('abc', -1)
select trim('  x  '), ltrim('  x'), rtrim('x  '), trim(both 'x' from 'xxaxx'), btrim('xyaxy', 'xy')
select replace('banana', 'an', 'AN'), reverse('abc'), repeat('ab', 3)
select lpad('7', 3, '0'), rpad('7', 3, '.'), lpad('12345', 3, '0')
select lpad('7', 3), rpad('7', 3) || '|'
select strpos('abc', 'b'), strpos('abc', 'z')
select split_part('a,b,c', ',', 2), split_part('a,b,c', ',', 9)
select starts_with('abc', 'ab'), ascii('A'), chr(65)
select md5('abc')
select initcap('hello wORLD')
select 'abc' like 'a%', 'abc' like 'b%', 'abc' not like '%c', 'ABC' ilike 'abc'
select 'abc' ~ 'b', 'abc' ~ '^b', 'ABC' ~* 'b', 'abc' !~ 'z', 'ABC' !~* 'z'
select regexp_replace('abcabc', 'b', 'X'), regexp_replace('abcabc', 'b', 'X', 'g')
select 'a' < 'b', 'a' < 'B', 'Z' < 'a', 'abc' < 'abd'
select date '2026-11-22', '2026-02-28'::date, date '1969-07-20'
select date '2026-01-31' + 1, date '2026-03-01' - 1
select date '0044-03-15', date '9999-12-31'
select timestamp '2026-11-22 17:00:00', timestamp '2026-11-22 17:00:00.5', timestamp '2026-11-22 17:00:00.123456'
select timestamptz '2026-11-22 17:00:00+02', timestamptz '2026-11-22 17:00:00Z', timestamptz '2026-11-22 17:00:00.000001+00'
select 'infinity'::timestamp, '-infinity'::timestamp, 'infinity'::timestamptz, 'infinity'::date
select time '12:34:56', time '12:34:56.789', '00:00'::time
select interval '1 day', interval '2 hours 30 minutes', interval '1 year 2 months 3 days 04:05:06'
select interval '-1 day', interval '1 month' + interval '1 day', interval '90 minutes'
select timestamp '2026-01-31 10:00:00' + interval '1 month', timestamp '2026-01-01' - interval '1 second'
select timestamp '2026-01-02 03:04:05' - timestamp '2026-01-01'
select timestamptz '2026-01-02 00:00:00+00' - timestamptz '2026-01-01 12:00:00+00'
select date_trunc('day', timestamp '2026-11-22 17:31:12'), date_trunc('month', timestamp '2026-11-22 17:31:12')
select date_trunc('hour', timestamptz '2026-11-22 17:31:12+00')
select date '2026-11-22' < date '2026-11-23', timestamp '2026-01-01' = date '2026-01-01'
select timestamp '2026-11-22 17:00:00'::date, date '2026-11-22'::timestamp, timestamptz '2026-11-22 23:00:00+00'::date
select '2026-11-22T17:00:00Z'::timestamptz, '2026-11-22 17:00'::timestamp
select timestamptz '2026-11-22 17:00:00+00' at time zone 'Europe/Vienna'
select timestamp '2026-07-01 12:00:00' at time zone 'Europe/Vienna'
select to_char(timestamp '2026-11-02 07:08:09', 'YYYY-MM-DD HH24:MI:SS'), to_char(date '2026-11-02', 'DD.MM.YYYY')
select make_date(2026, 2, 28)
select to_timestamp(0), to_timestamp(1.5)
select '00112233-4455-6677-8899-aabbccddeeff'::uuid
select '\x00ff10'::bytea, ''::bytea
select '{"a": 1}'::json, '[1, 2]'::json
select '{"a": {"b": "c"}}'::json -> 'a' ->> 'b', '{"a": 1}'::json ->> 'a', '{"a": 1}'::json ->> 'z'
select array[1, 2, 3], array['a', 'b'], array[1.5::float8, null]
select (array[1, 2, 3])[2], (array['a', 'b'])[1], (array[1, 2])[5]
select '{1,2,3}'::int[], '{}'::int[], '{a,"b c",NULL}'::text[]
select array_length(array[1, 2, 3], 1), array_upper(array[1, 2], 1), cardinality(array[1, 2])
select 2 = any(array[1, 2]), 3 = any(array[1, 2]), 1 < all(array[2, 3])
select array_to_string(array['a', 'b'], '-'), string_to_array('a,b', ',')
select unnest(array[1, 2])
select * from unnest(array['x', 'y']) as t(v) order by v
select array[date '2026-01-01', null], array[true, false]
select row_number() over (order by x desc) as n, x from (values (1), (2), (3)) as t(x) order by n
select * from generate_series(1::bigint, 3) as g
select generate_series(1::bigint, 3)
select generate_series(1::bigint, 10, 4) + 1 as n
select x, generate_series(1::bigint, x) from generate_series(1::bigint, 3) as t(x)
select generate_series(timestamp '2026-01-01', timestamp '2026-01-03', interval '1 day')
select typname::text, typinput::text, typreceive::text from pg_type where oid in (16, 1007, 1184)
select oid, typarray, typelem, typlen, typtype, typcategory, typdelim from pg_type where typname in ('_int4', 'int4', 'jsonb')
select typname::text from pg_type where typinput = 'array_in'::regproc and typname in ('_text', 'text', 'int2vector')
select 1::oid, cast(2 as oid), 'r'::"char", null::oid[]
select * from generate_series(1::bigint, 10, 4) as g(n) order by n
select * from (values (1, 'a'), (2, null)) as t(id, name) order by id
select x from (values (1), (null), (2)) as t(x) order by x
select x from (values (1), (null), (2)) as t(x) order by x desc
select x from (values (1), (null), (2)) as t(x) order by x nulls first
select x from (values (1), (null), (2)) as t(x) order by x desc nulls last limit 2
select x from (values ('b'), ('A'), ('a'), ('B'), (null)) as t(x) order by x
select x from generate_series(1::bigint, 10) as t(x) order by x limit 3 offset 4
select x from generate_series(1::bigint, 10) as t(x) order by x desc fetch first 2 rows only
select x from generate_series(1::bigint, 3) as t(x) limit 0
select distinct x from (values (1), (1), (2)) as t(x) order by x
select distinct on (a) a, b from (values (1, 2), (1, 1), (2, 5)) as t(a, b) order by a, b
select count(*), count(x), count(distinct x) from (values (1), (1), (null)) as t(x)
select min(x), max(x) from (values (1), (3), (null)) as t(x)
select sum(x)::bigint, avg(x)::float8 from (values (1), (2), (4)) as t(x)
select sum(x) from (values (1.5::float8), (2)) as t(x)
select sum(x) is null, count(*) from (values (1)) as t(x) where false
select bool_and(x), bool_or(x) from (values (true), (false)) as t(x)
select string_agg(x, ',' order by x) from (values ('b'), ('a')) as t(x)
select array_agg(x order by x desc) from (values (1), (2)) as t(x)
select count(*) filter (where x > 1) from (values (1), (2), (3)) as t(x)
select a, count(*) from (values ('x'), ('y'), ('x')) as t(a) group by a order by a
select a, count(*) as n from (values ('x'), ('y'), ('x')) as t(a) group by 1 having count(*) > 1
select a, b, count(*) from (values (1, 1), (1, 2)) as t(a, b) group by rollup (a, b) order by a, b
select a, count(*) from (values (1), (2)) as t(a) group by grouping sets ((a), ()) order by a
select x, sum(x) over (order by x)::bigint as s, rank() over (order by x) as r from (values (1), (2), (2)) as t(x) order by x, s
select x, lag(x) over (order by x), lead(x) over (order by x) from (values (1), (2)) as t(x) order by x
select first_value(x) over (order by x) from (values (1), (2)) as t(x) order by 1
select stddev_samp(x::float8), var_pop(x::float8) from (values (1), (2), (3)) as t(x)
select 1 union select 2 order by 1
select 1 union all select 1
select 1 intersect select 1
select 1 except select 2
select 1.5 as a union select 2.5 order by a
with t as (select 1 as x) select * from t
with t(a, b) as (values (1, 2)) select a + b as c from t
with recursive t(n) as (select 1 union all select n + 1 from t where n < 4) select n from t order by n
select (select 1), (select max(x) from (values (1), (5)) as t(x))
select exists (select 1), not exists (select 1 where false)
select 1 where 2 in (select 2) and 3 not in (select 4)
select a.x, b.y from (values (1), (2)) as a(x) join (values (2), (3)) as b(y) on a.x = b.y
select a.x, b.y from (values (1), (2)) as a(x) left join (values (2)) as b(y) on a.x = b.y order by 1
select a.x, b.y from (values (1)) as a(x) full join (values (2)) as b(y) on a.x = b.y order by 1, 2
select a.x, b.y from (values (1), (2)) as a(x) cross join (values (3)) as b(y) order by 1
select * from (values (1)) as a(x) join (values (1)) as b(x) using (x)
select * from (values (1)) as a(x) natural join (values (1)) as b(x)
select t.x, l.y from (values (1), (2)) as t(x), lateral (select t.x * 10 as y) as l order by 1
select t.* from (values (1, 2)) as t(a, b)
select "a b" from (select 1 as "a b") as t
select a from (select 1 as A) as t
select 1 as "A", 2 as a
select current_date = now()::date, pg_typeof(1) is not null
select 1::int = 1.0::float8, 1::bigint = 1::smallint
select count(*) from silver.patient
select id, family_name, birth_date, active from silver.patient order by id limit 5
select id, last_updated, received_at > timestamptz '2020-01-01' as fresh from silver.patient order by id limit 3
select gender, count(*) from silver.patient group by gender order by gender
select p.id, count(o.id) as readings from silver.patient p left join silver.observation o on o.patient_id = p.id group by p.id order by p.id limit 5
select count(*), min(effective_time), max(effective_time) from silver.observation
select id, systolic_pressure_value, diastolic_pressure_value from silver.observation where systolic_pressure_value > 140 order by id limit 5
select id from silver.observation where systolic_pressure_value is null order by id limit 3
select date_trunc('day', effective_time) as day, count(*) from silver.observation group by 1 order by 1 limit 5
select upper(family_name), length(given_name) from silver.patient order by id limit 3
select max(systolic_pressure_value) as top from silver.observation where patient_id in (select id from silver.patient order by id limit 2)
select patient_id, rank() over (partition by patient_id order by effective_time desc) as r from silver.observation order by 1, 2 limit 5
select id from silver.patient where family_name like 'A%' order by id
select id from silver.patient where birth_date between date '1950-01-01' and date '1980-01-01' order by id limit 5
select 'abc' similar to 'a%', 'abc' similar to 'b', 'abc' similar to 'abc', 'abc' similar to 'a.c', 'abc' similar to '(a|x)bc', 'abc' similar to 'a_c'
select 'abc' not similar to 'a%', not 'abc' similar to 'b%', 'abc' ~ 'b', 'abc' !~ 'b', null similar to 'a'
select 'a%' similar to 'a\%', 'a.c' similar to '%[.]%', 'x^' similar to 'x^', 'aab' similar to 'a+b', 'abc' similar to '[[:alpha:]]{3}'
select count(*) from silver.patient where family_name similar to '(A|B)%' and gender not similar to 'x_%'
values (1, 'a'), (2, 'b')
select * from (values (1, 'a')) as t
select column1 + 1 as n from (values (1), (2)) as t order by column1
select substr('hello', -2, 5), substr('hello', 0, 2), substr('hello', -2), substr('hello', 2), substring('hello' from -1 for 4)
select format('%s is %I', 'a', 'B c'), format('%L %%', 'it''s'), format('%2$s %1$s', 'a', 2), format('%s|%L', null, null), format('plain')
select to_char(date '2026-03-05', 'FMDD Q IW MON Mon mon DY Dy'), to_char(date '2026-03-05', 'FMMonth FMDD, YYYY'), to_char(date '2026-03-05', 'Month|Day|DAY')
select to_char(timestamp '2026-03-05 17:08:09.012345', 'hh12:mi:ss AM MS US SSSS DDD D ID WW IYYY YY "at" TZ|')
select to_char((select max(effective_time) from silver.observation), 'YYYY-MM-DD"T"HH24:MI:SS.MS')
set local application_name = 'local'
show application_name
show server_encoding
show client_encoding
show standard_conforming_strings
show transaction isolation level
show timezone
set application_name = 'judge'
begin
select 1 as in_transaction
savepoint a
release savepoint a
commit
rollback
deallocate all
discard all
reset all
""".strip().splitlines()

# Errors: the SQLSTATE must be the same.
FAILING = r"""
selec 1
select 1 +
select sqrt(-1)
select ln(0)
select 1 limit -1
select 1 offset -1
select '25:00'::time
select 'xx'::time
select 123456::numeric(5,2)
select '123456'::numeric(5,2)
select 'a'::numeric(5,2)
select '99999999999'::int
select 'a' + 1
select interval 'nope'
select 1e400::float8
select substr('hello', 2, -1)
select format('%s %s', 'a')
select format('%I', null)
rollback to savepoint a
select 1 from
select 'open
select (1
select nope
select nope from silver.patient
select x.id from silver.patient p
select p.nope from silver.patient p
select * from nope
select * from silver.nope
select * from nope.patient
select nope(1)
select lower(1, 2)
select id from silver.patient a, silver.patient b
select id, count(*) from silver.patient
select id from silver.patient where count(*) > 1
select sum(count(*)) from silver.patient
select 1 / 0
select 1 % 0
select 1.5 / 0
select 'x'::int
select '2026-13-01'::date
select 'nope'::timestamp
select 'nope'::boolean
select 'nope'::uuid
select '{'::json
select 99999999999::int
select 100000::smallint
select 9223372036854775807 + 1
select 1::nope
select (select 1 union all select 2)
select 1 union select 1, 2
select 1 order by 5
insert into silver.patient (id) values ('x')
update silver.patient set id = 'x'
delete from silver.patient
create table silver.t (a int)
drop table silver.patient
truncate silver.patient
set no_such_setting = 1
show no_such_setting
deallocate no_such_statement
close no_such_cursor
fetch 1 from no_such_cursor
execute no_such_statement
declare c cursor for select 1
savepoint a
copy silver.patient from stdin
""".strip().splitlines()

# Another result or type than PostgreSQL's, as docs/sql.md says; None: an answer, else its SQLSTATE.
DIFFERENT = {
    "select true": None,
    "select null": None,
    "select sum(x) from (values (1), (2)) as t(x)": None,
    "select avg(x) from (values (1), (2)) as t(x)": None,
    "select extract(year from date '2026-01-01')": None,
    "select date '2026-01-02' - date '2026-01-01'": None,
    "select sign(-3.0::float8)": None,
    "select position('c' in 'abc')": None,
    "select ntile(2) over (order by x) from (values (1)) as t(x)": None,
    "select * from generate_series(1, 3)": None,
    "select 1 union select 2.5": None,
    "select 1.5::numeric": None,
    "select 'a_c' like 'a\\_c'": None,
    "select 1 # 2": "42601",
    "select 1 where 1e309 > 1": "22003",
    "select 'a_c' similar to 'a!_c' escape '!'": "0A000",
    "select b'101'": "0A000",
    "select x'1F'": "0A000",
    "select round(2.5::float8)": None,
    "select regexp_matches('foobar', 'o+')": None,
    "select concat(1, true)": None,
    "select 1e308::float8 * 10": None,
    "select power(-1::float8, 0.5)": None,
    "select '1e3'::int": None,
    "select 1 as a where a = 1": None,
    "select '1' + 1": "22P02",
    "select": "42601",
    "select 'a'::varchar(1) || 'b'::char(3)": None,
    "select age(timestamp '2026-03-01', timestamp '2026-01-01')": None,
    "select row(1, 2)": None,
    "select array[[1, 2], [3, 4]]": None,
    "lock table silver.patient": "25006",
    "copy silver.patient to '/tmp/x'": "25006",
}
