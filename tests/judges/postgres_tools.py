"""Catalogue queries of the kinds that drivers and tools send: (statement, whether it has rows here), by tool."""

QUERIES = {}

# A driver loads the types it may meet: bases, arrays by their function, ranges, domains, composites, enumerations.
QUERIES["npgsql"] = [
    ("select version()", True),
    ("""
     select space.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.item
     from (
       select one.oid, one.typnamespace, one.typname, one.typtype, one.typrelid, one.typnotnull, one.relkind,
              inner_type.oid as item, inner_type.typname as item_name, inner_class.relkind as item_relkind,
              case when inner_proc.proname = 'array_recv' then 'a' else inner_type.typtype end as item_kind
       from (
         select typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem as inner_oid,
                case when proc.proname = 'array_recv' then 'a' else typ.typtype end as typtype,
                case when proc.proname = 'array_recv' then typ.typelem
                     when typ.typtype = 'r' then rngsubtype
                     when typ.typtype = 'm' then (select rngtypid from pg_range where rngmultitypid = typ.oid)
                     when typ.typtype = 'd' then typ.typbasetype end as item_oid
         from pg_type as typ
         left join pg_class as cls on (cls.oid = typ.typrelid)
         left join pg_proc as proc on proc.oid = typ.typreceive
         left join pg_range on (pg_range.rngtypid = typ.oid)) as one
       left join pg_type as inner_type on inner_type.oid = item_oid
       left join pg_class as inner_class on (inner_class.oid = inner_type.typrelid)
       left join pg_proc as inner_proc on inner_proc.oid = inner_type.typreceive) as t
     join pg_namespace as space on (space.oid = typnamespace)
     where typtype in ('b', 'r', 'm', 'e', 'd')
        or (typtype = 'c' and relkind = 'c')
        or (typtype = 'p' and typname in ('record', 'void', 'unknown'))
        or (typtype = 'a' and (item_kind in ('b', 'r', 'm', 'e', 'd') or (item_kind = 'p' and item_name in ('record', 'void'))
            or (item_kind = 'c' and item_relkind = 'c')))
     order by case when typtype in ('b', 'e', 'p') then 0 when typtype = 'c' then 1 when typtype = 'r' then 2
              when typtype = 'd' then 4 when typtype = 'a' then 6 end""", True),
    ("""
     select typ.oid, att.attname, att.atttypid from pg_type as typ
     join pg_namespace as ns on (ns.oid = typ.typnamespace) join pg_class as cls on (cls.oid = typ.typrelid)
     join pg_attribute as att on (att.attrelid = typ.typrelid)
     where (typ.typtype = 'c' and cls.relkind = 'c') and attnum > 0 and not attisdropped order by typ.oid, att.attnum""", False),
    ("select pg_type.oid, enumlabel from pg_enum join pg_type on pg_type.oid = enumtypid order by oid, enumsortorder", False),
    ("select current_setting('max_index_keys'), current_setting('server_version_num')", True),
    ("""
     select table_catalog, table_schema, table_name, table_type from information_schema.tables
     where table_type in ('BASE TABLE', 'VIEW') and table_schema not in ('pg_catalog', 'information_schema')""", True),
    ("""
     select attr.attname, attr.attrelid, typ.oid, attr.atttypmod, attr.attnotnull, attr.attidentity, attr.attgenerated,
            case when atthasdef then (select pg_get_expr(adbin, cls.oid) from pg_attrdef
                                      where adrelid = cls.oid and adnum = attr.attnum) else null end as has_default,
            coalesce((select true from pg_index where pg_index.indrelid = cls.oid and pg_index.indisprimary
                      and attnum = any(indkey)), false) as in_key
     from pg_attribute as attr join pg_type as typ on attr.atttypid = typ.oid
     join pg_class as cls on cls.oid = attr.attrelid join pg_namespace as ns on ns.oid = cls.relnamespace
     left outer join pg_class as parent on parent.oid = cls.oid
     where attr.attnum > 0 and cls.relkind in ('r', 'v', 'm') and nspname = 'silver' and cls.relname = 'patient'
     order by attnum""", True),
    ("""
     select a.attname, a.attidentity <> '' as is_identity,
            (r.relkind = any(array['r'::"char", 'p'::"char"])
             or r.relkind = any(array['v'::"char", 'f'::"char"]) and pg_column_is_updatable(r.oid::regclass, a.attnum, false))
             and a.attidentity not in ('a') as may_change,
            exists (select * from pg_index x where x.indrelid = r.oid and x.indisunique and x.indnkeyatts = 1
                    and a.attnum = x.indkey[0]) as single
     from pg_attribute a join pg_class r on r.oid = a.attrelid join pg_namespace s on s.oid = r.relnamespace
     where s.nspname not in ('pg_catalog', 'information_schema') and r.relname = 'patient' and a.attnum in (1, 2)
     order by a.attnum""", True),
    ("""
     select d.datname, u.usename, pg_catalog.pg_encoding_to_char(d.encoding) from pg_catalog.pg_database d
     left join pg_catalog.pg_user u on u.usesysid = d.datdba""", True),
    ("""
     select c.column_name, c.udt_name, format_type(t.oid, null), c.character_octet_length, c.numeric_scale, c.collation_catalog
     from information_schema.columns c join pg_namespace s on s.nspname = c.udt_schema
     join pg_type t on t.typnamespace = s.oid and t.typname = c.udt_name
     where c.table_schema = 'silver' and c.table_name = 'observation'""", True),
    ("select schemaname, matviewname, matviewowner, hasindexes, ispopulated from pg_catalog.pg_matviews", False),
    ("""
     select s.nspname, k.conname, t.relname, kind, k.condeferrable, k.condeferred from pg_catalog.pg_constraint k
     join pg_catalog.pg_namespace s on s.oid = k.connamespace join pg_catalog.pg_class t on t.oid = k.conrelid
     join (select 'primary' as kind, 'p' as letter union all select 'foreign', 'f') kinds on kinds.letter = k.contype
     where s.nspname = 'silver'""", False),
    ("select array_fill(''::name, array[p.pronargs]) from pg_proc p where p.oid = 'int4in'::regproc", True),
    ("select pg_is_in_recovery()", True),
    ("show default_transaction_read_only", True),
]

# The grid asks in capitals; the names of the columns it gets are in small letters all the same.
QUERIES["power query"] = [
    ("select TABLE_SCHEMA, TABLE_NAME as Name, TABLE_TYPE from INFORMATION_SCHEMA.TABLES where TABLE_SCHEMA = 'silver'", True),
    ("""
     select COLUMN_NAME, IS_NULLABLE, case when DATA_TYPE like '%unsigned%' then DATA_TYPE || '!' else DATA_TYPE end as DATA_TYPE
     from INFORMATION_SCHEMA.columns where TABLE_SCHEMA = 'silver' and TABLE_NAME = 'patient' order by ORDINAL_POSITION""", True),
    ("""
     select t.CONSTRAINT_SCHEMA || '/' || t.CONSTRAINT_NAME as KEY_NAME, k.COLUMN_NAME, k.ORDINAL_POSITION
     from INFORMATION_SCHEMA.table_constraints t join INFORMATION_SCHEMA.key_column_usage k
     on k.CONSTRAINT_SCHEMA = t.CONSTRAINT_SCHEMA and k.CONSTRAINT_NAME = t.CONSTRAINT_NAME
     where t.TABLE_SCHEMA = 'silver' and t.CONSTRAINT_TYPE in ('PRIMARY KEY', 'UNIQUE') order by 1, 3""", False),
    ("""
     select PARENT.COLUMN_NAME as PARENT_COLUMN, CHILD.TABLE_NAME as CHILD_TABLE, CHILD.ORDINAL_POSITION as ORDINAL
     from (select distinct constraint_schema, constraint_name, unique_constraint_schema, unique_constraint_name
           from INFORMATION_SCHEMA.referential_constraints) r
     join INFORMATION_SCHEMA.key_column_usage CHILD on CHILD.CONSTRAINT_NAME = r.CONSTRAINT_NAME
     join INFORMATION_SCHEMA.key_column_usage PARENT on PARENT.CONSTRAINT_NAME = r.UNIQUE_CONSTRAINT_NAME
     where PARENT.TABLE_SCHEMA = 'silver' and PARENT.ORDINAL_POSITION = CHILD.ORDINAL_POSITION""", False),
    ("select CHARACTER_SET_NAME from INFORMATION_SCHEMA.character_sets", True),
    ("""
     select "rows"."gender" as "Gender", count(1) as "a0" from
       (select "$Table"."gender" from "silver"."patient" "$Table" where "$Table"."gender" is not null) "rows"
     group by "gender" limit 4096""", True),
]

# A desktop tool shows a tree: databases, schemas, relations, their columns, keys, and what depends on what.
QUERIES["dbeaver"] = [
    ("select db.oid, db.* from pg_catalog.pg_database db where datallowconn and not datistemplate order by db.datname", True),
    ("select current_schema(), session_user", True),
    ("""
     select n.oid, n.*, d.description from pg_catalog.pg_namespace n
     left outer join pg_catalog.pg_description d on d.objoid = n.oid and d.objsubid = 0 and d.classoid = 'pg_namespace'::regclass
     order by nspname""", True),
    ("""
     select t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description
     from pg_catalog.pg_type t left outer join pg_catalog.pg_class c on c.oid = t.typrelid
     left outer join pg_catalog.pg_description d on t.oid = d.objoid
     where t.typname is not null and (c.relkind is null or c.relkind = 'c')""", True),
    ("""
     select c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr,
            pg_catalog.pg_get_partkeydef(c.oid) as partition_key
     from pg_catalog.pg_class c
     left outer join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass
     where c.relnamespace = 'silver'::regnamespace::oid and c.relkind not in ('i', 'I', 'c')""", True),
    ("""
     select c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value, dsc.description, dep.objid
     from pg_catalog.pg_attribute a inner join pg_catalog.pg_class c on (a.attrelid = c.oid)
     left outer join pg_catalog.pg_attrdef ad on (a.attrelid = ad.adrelid and a.attnum = ad.adnum)
     left outer join pg_catalog.pg_description dsc on (c.oid = dsc.objoid and a.attnum = dsc.objsubid)
     left outer join pg_depend dep on dep.refobjid = a.attrelid and dep.deptype = 'i' and dep.refobjsubid = a.attnum
          and dep.classid = dep.refclassid
     where not a.attisdropped and a.attnum > 0 and c.oid = 'silver.patient'::regclass order by a.attnum""", True),
    ("""
     select c.oid, c.*, t.relname as tabrelname, rt.relnamespace as refnamespace, d.description,
            case when c.contype not in ('p', 'f') then pg_catalog.pg_get_constraintdef(c.oid, true) else '' end as definition
     from pg_catalog.pg_constraint c inner join pg_catalog.pg_class t on t.oid = c.conrelid
     left outer join pg_catalog.pg_class rt on rt.oid = c.confrelid
     left outer join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0
     where c.conrelid = 'silver.patient'::regclass order by c.oid""", False),
    ("""
     select i.*, i.indkey as keys, c.relname, c.relnamespace, c.relam, c.reltablespace, tc.relname as tabrelname,
            dsc.description, pg_catalog.pg_get_expr(i.indpred, i.indrelid) as pred_expr
     from pg_catalog.pg_index i inner join pg_catalog.pg_class c on c.oid = i.indexrelid
     inner join pg_catalog.pg_class tc on tc.oid = i.indrelid
     left outer join pg_catalog.pg_description dsc on i.indexrelid = dsc.objoid
     where i.indrelid = 'silver.patient'::regclass order by tabrelname, c.relname""", False),
    ("select oid, * from pg_catalog.pg_roles order by rolname", True),
    ("select e.oid, cfg.extname, e.extversion from pg_extension e join pg_extension cfg on e.oid = cfg.oid", False),
    ("select * from pg_catalog.pg_settings where name = 'standard_conforming_strings'", True),
    ("select p.oid, p.proname, p.* from pg_catalog.pg_proc p where p.pronamespace = 11 and p.proname = 'int4in' order by p.proname",
     True),
    ("select x.oid, x.*, c.description from pg_catalog.pg_trigger x left join pg_catalog.pg_description c on c.objoid = x.oid "
     "where x.tgrelid = 'silver.patient'::regclass and not x.tgisinternal", False),
    ("""
     select x.indkey as columns, pg_catalog.pg_get_expr(x.indexprs, x.indrelid, true) as of_what,
            pg_catalog.pg_relation_size(x.indexrelid) as bytes, pg_catalog.pg_stat_get_numscans(x.indexrelid) as scans
     from pg_catalog.pg_index x where x.indrelid = 'silver.patient'::regclass""", False),
    ("""
     select * from (select distinct c.relnamespace, c.relname, c.relkind, (aclexplode(c.relacl)).grantee as whom from pg_class c
                    where c.relacl is not null and c.relnamespace = 'silver'::regnamespace
                    union all
                    select n.oid, n.nspname, cast('C' as "char"), (aclexplode(n.nspacl)).grantee from pg_catalog.pg_namespace n
                    where n.nspacl is not null) given
     where given.relkind in ('S', 'm') and given.whom = 10""", False),
    ("select grantee, privilege_type from information_schema.routine_privileges where specific_schema = 'silver'", False),
    ("""
     select e.extname, held.names from pg_catalog.pg_extension e left join (
       select array_agg(s.nspname || '.' || c.relname) as names, one.extension
       from (select unnest(x.extconfig) as relation, x.oid as extension from pg_catalog.pg_extension x) one
       join pg_class c on c.oid = one.relation join pg_namespace s on s.oid = c.relnamespace group by one.extension) held
     on held.extension = e.oid where e.extname like 'no%'""", False),
    ("""
     select distinct d.deptype, d.objid, c.relkind::text || coalesce(d.objsubid::text, '')::text as what,
            pg_get_expr(f.adbin, f.adrelid) as filled, coalesce(c.relname, k.conname, t.tgname, y.typname, w.rulename) as named
     from pg_depend d left join pg_class c on c.oid = d.objid left join pg_constraint k on k.oid = d.objid
     left join pg_trigger t on t.oid = d.objid left join pg_type y on y.oid = d.objid
     left join pg_rewrite w on w.oid = d.objid left join pg_attrdef f on f.oid = d.objid
     where d.refobjid = 1 order by what""", False),
    ("""
     select c.oid, c.relname from pg_catalog.pg_class c where c.relkind in ('r', 'v', 'm', 'f', 'p')
       and (c.relname ilike '%pat%' or obj_description(c.oid, 'pg_class') ilike '%pat%'
            or (c.relkind = 'v' and pg_get_viewdef(c."oid") ilike '%pat%'))
       and c.relnamespace in ('silver'::regnamespace::oid) order by c.relname limit 100""", True),
    ("select l.pid, l.mode, l.granted, d.datname from pg_catalog.pg_locks l left join pg_catalog.pg_database d on d.oid = l.database "
     "where l.pid = -1", False),
    ("select setting from pg_catalog.pg_settings where name = 'default_transaction_isolation'", True),
]

# A server of dashboards lists what may be read, then its columns with keys and comments.
QUERIES["metabase"] = [
    ("""
     select n.nspname as schema, c.relname as name, case c.relkind when 'r' then 'TABLE' when 'p' then 'PARTITIONED TABLE'
            when 'v' then 'VIEW' when 'f' then 'FOREIGN TABLE' when 'm' then 'MATERIALIZED VIEW' else null end as type,
            d.description as description, c.reltuples::bigint as estimated_row_count
     from pg_catalog.pg_class as c inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
     left join pg_catalog.pg_description as d on c.oid = d.objoid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass
     where c.relnamespace = n.oid and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and c.relkind in ('r', 'p', 'v', 'f', 'm') order by type, schema, name""", True),
    ("""
     select c.column_name as name,
            case when c.udt_schema in ('public', 'pg_catalog') then format('%s', c.udt_name)
                 else format('"%s"."%s"', c.udt_schema, c.udt_name) end as "database-type",
            c.ordinal_position - 1 as "database-position", c.table_schema as "table-schema", c.table_name as "table-name",
            pk.column_name is not null as "pk?",
            col_description(cast(cast(format('%I.%I', cast(c.table_schema as text), cast(c.table_name as text)) as regclass) as oid),
                            c.ordinal_position) as "field-comment",
            (column_default is null or lower(column_default) = 'null') and is_nullable = 'NO'
              and not (column_default is not null and column_default like '%nextval(%') and is_identity = 'NO'
              as "database-required"
     from information_schema.columns as c
     left join (select tc.table_schema, tc.table_name, kc.column_name from information_schema.table_constraints as tc
                inner join information_schema.key_column_usage as kc
                on tc.constraint_name = kc.constraint_name and tc.table_schema = kc.table_schema and tc.table_name = kc.table_name
                where tc.constraint_type = 'PRIMARY KEY') as pk
     on c.table_schema = pk.table_schema and c.table_name = pk.table_name and c.column_name = pk.column_name
     where c.table_schema !~ '^information_schema|catalog_history|pg_' and c.table_schema in ('silver')
     order by "table-schema", "table-name", "database-position" """, True),
    ("""
     select fk_ns.nspname as "fk-table-schema", fk_table.relname as "fk-table-name", fk_column.attname as "fk-column-name",
            pk_ns.nspname as "pk-table-schema", pk_table.relname as "pk-table-name", pk_column.attname as "pk-column-name"
     from pg_constraint as c inner join pg_class as fk_table on c.conrelid = fk_table.oid
     inner join pg_namespace as fk_ns on c.connamespace = fk_ns.oid
     inner join pg_attribute as fk_column on c.conrelid = fk_column.attrelid
     inner join pg_class as pk_table on c.confrelid = pk_table.oid inner join pg_namespace as pk_ns on pk_table.relnamespace = pk_ns.oid
     inner join pg_attribute as pk_column on c.confrelid = pk_column.attrelid
     where fk_ns.nspname !~ '^information_schema|catalog_history|pg_' and c.contype = 'f'
       and fk_column.attnum = any(c.conkey) and pk_column.attnum = any(c.confkey) order by 1, 2""", False),
    ("""
     with table_privileges as (
       select null as role, t.schemaname as schema, t.objectname as table,
              pg_catalog.has_any_column_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'update') as update,
              pg_catalog.has_any_column_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'select') as select,
              pg_catalog.has_table_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'delete') as delete
       from (select schemaname, tablename as objectname from pg_catalog.pg_tables
             union select schemaname, viewname as objectname from pg_views
             union select schemaname, matviewname as objectname from pg_matviews) t
       where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema'
         and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage'))
     select t.* from table_privileges t""", True),
    ("select nspname, typname from pg_type t join pg_namespace n on n.oid = t.typnamespace "
     "where t.oid in (select distinct e.enumtypid from pg_enum e)", False),
    ("show timezone", True),
    ("select to_char(current_timestamp, 'YYYY-MM-DD HH24:MI:SS.MS TZ') as now", True),
    ("select date_trunc('month', cast(effective_time as timestamp)) as m, count(*) as count from silver.observation "
     "group by date_trunc('month', cast(effective_time as timestamp)) order by 1", True),
    ("select cast(extract(dow from effective_time) as integer) as d from silver.observation limit 3", True),
    ("""
     select c.relname, live.n_live_tup from pg_catalog.pg_class c join pg_catalog.pg_namespace s on s.oid = c.relnamespace
     left join pg_stat_user_tables live on live.schemaname = s.nspname and live.relname = c.relname
     where s.nspname = 'silver' order by c.relname""", True),
    ("""
     select found.table_name, trim(both '"' from PG_CATALOG.PG_GET_INDEXDEF(found.index_oid, found.place, false)) as field
     from (select c.relname as table_name, x.indexrelid as index_oid, (information_schema._pg_expandarray(x.indkey)).n as place
           from pg_catalog.pg_index x join pg_catalog.pg_class c on c.oid = x.indrelid
           join pg_catalog.pg_namespace s on s.oid = c.relnamespace where s.nspname = 'silver') found
     where found.place = 1""", False),
    ("select substring(id from '[0-9]+') as digits from silver.patient limit 3", True),
    ("""select (json '{"a": {"b": [4, 5]}}' #>> array['a', 'b', '1']::text[])::bigint as n""", True),
    ("select percentile_cont(0.5) within group (order by systolic_pressure_value) as median from silver.observation", True),
]

# A panel finds tables with a time column, then asks for series between two moments.
QUERIES["grafana"] = [
    ("select current_setting('server_version_num')::int / 100 as version", True),
    ("""
     select case when table_schema = any(current_schemas(false)) then quote_ident(table_name)
            else quote_ident(table_schema) || '.' || quote_ident(table_name) end as "table"
     from information_schema.tables
     where quote_ident(table_schema) not in ('information_schema', 'pg_catalog', '_timescaledb_cache')
     order by 1""", True),
    ("""
     select quote_ident(column_name) as "column", data_type as "type" from information_schema.columns
     where case when array_length(parse_ident('silver.observation'), 1) = 2
                then quote_ident(table_schema) = (parse_ident('silver.observation'))[1]
                     and quote_ident(table_name) = (parse_ident('silver.observation'))[2]
                else quote_ident(table_name) = 'silver.observation' end""", True),
    ("select extversion from pg_extension where extname = 'timescaledb'", False),
    ("select schema_name as name from information_schema.schemata where schema_name not in ('pg_toast') order by schema_name", True),
    ("""
     select quote_ident(t.table_name) as "table" from information_schema.tables t
     where t.table_schema = 'silver' and quote_ident(t.table_schema) not in (
       select case when trim(part[n]) = '"$user"' then user else trim(part[n]) end
       from generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1),
                            array_upper(string_to_array(current_setting('search_path'), ','), 1)) as n,
            string_to_array(current_setting('search_path'), ',') part)""", True),
    ("""
     select quote_ident(table_name) as table_name,
            (select quote_ident(column_name) as column_name from information_schema.columns c
             where c.table_schema = t.table_schema and c.table_name = t.table_name and udt_name in ('float4', 'float8')
             order by ordinal_position limit 1) as value_column
     from information_schema.tables t
     where exists (select 1 from information_schema.columns c where c.table_schema = t.table_schema
                   and c.table_name = t.table_name and udt_name like 'timestamp%')
     order by 1 limit 1""", True),
    ("""
     select floor(extract(epoch from effective_time) / 60) * 60 as time, avg(systolic_pressure_value) as value
     from silver.observation where effective_time between '2020-01-01T00:00:00Z' and '2030-01-01T00:00:00Z'
     group by 1 order by 1""", True),
    ("select effective_time as \"time\", 'series' as metric, systolic_pressure_value as value from silver.observation "
     "where effective_time >= to_timestamp(0) order by 1 limit 5", True),
]

# An office suite asks through a driver; it wants keys, and types by name.
QUERIES["libreoffice base"] = [
    ("""
     select n.nspname as table_schem, c.relname as table_name, a.attname as column_name, pg_catalog.format_type(a.atttypid, null) as t,
            a.attnotnull, a.atttypmod, a.attnum, t.typname, t.typtype, null as remarks, pg_description.description
     from pg_class c inner join pg_namespace n on c.relnamespace = n.oid inner join pg_attribute a on a.attrelid = c.oid
     inner join pg_type t on t.oid = a.atttypid left join pg_attrdef on a.attrelid = pg_attrdef.adrelid and a.attnum = pg_attrdef.adnum
     left join pg_description on a.attrelid = pg_description.objoid and a.attnum = pg_description.objsubid
     where a.attisdropped is false and a.attnum > 0 and n.nspname like 'silver' and c.relname like 'pat%'
     order by n.nspname, c.relname, a.attnum""", True),
    ("""
     select c.conname, c.contype, c.conkey, t.relname, n.nspname from pg_constraint c
     inner join pg_class t on c.conrelid = t.oid inner join pg_namespace n on t.relnamespace = n.oid
     where c.contype = 'p' order by n.nspname, t.relname, c.conname""", False),
    ("select typname, typtype, typlen, typnotnull from pg_type where typtype in ('b', 'p') order by typname", True),
    ("select relname, relacl, relowner from pg_class where relkind = 'r' and relname like 'patient'", True),
    ("""
     with KEYS as (select oid, conname, contype, conrelid, confrelid, generate_subscripts(conkey, 1) as PLACE,
                          unnest(conkey) as MINE, unnest(confkey) as OTHERS from pg_catalog.pg_constraint)
     select null::text as PKTABLE_CAT, p.relname as PKTABLE_NAME, k.PLACE as KEY_SEQ, k.conname as FK_NAME
     from KEYS k, pg_catalog.pg_class p, pg_catalog.pg_attribute a, pg_catalog.pg_depend d
     where p.oid = k.confrelid and a.attrelid = p.oid and a.attnum = k.OTHERS and k.contype = 'f' and d.objid = k.oid
       and d.classid = 'pg_constraint'::regclass::oid and d.refclassid = 'pg_class'::regclass::oid""", False),
    ("""
     select given.TABLE_NAME, r.rolname as GRANTEE, given.PRIVILEGE
     from (select table_schema as TABLE_SCHEM, table_name, grantee, privilege_type as PRIVILEGE
           from information_schema.table_privileges) given,
          (select oid, rolname from pg_catalog.pg_roles union all values (0, 'PUBLIC')) r
     where given.TABLE_SCHEM like 'silver' and given.grantee <> 'PUBLIC' and r.oid = 10
       and pg_has_role(r.oid, given.grantee, 'USAGE')""", True),
    ("""
     select s.nspname, t.relname, i.relname, x.indisclustered, x.indisunique, x.indisprimary, x.indkey from pg_index x
     join pg_class t on t.oid = x.indrelid join pg_namespace s on s.oid = t.relnamespace
     join pg_class i on i.oid = x.indexrelid where s.nspname = 'silver'""", False),
    ("""
     select distinct on (s.nspname, relname) s.nspname, relname, relkind, d.description
     from pg_namespace s, pg_class left join pg_description d on d.objoid = pg_class.oid
     where relnamespace = s.oid and (relkind = 'r' or relkind = 'v') and s.nspname like 'silver' and relname like '%'""", True),
    ("""
     select distinct on (s.nspname, relname) s.nspname, relname, pg_get_viewdef(ev_class) from pg_namespace s, pg_class, pg_rewrite
     where s.oid = relnamespace and pg_class.oid = ev_class and relkind = 'v'""", False),
    ("""
     select conname, confupdtype, confdeltype, other.relname, away.nspname, conkey, confkey from pg_constraint
     join pg_class on pg_class.oid = conrelid join pg_namespace on pg_namespace.oid = pg_class.relnamespace
     left join pg_class other on other.oid = confrelid left join pg_namespace away on away.oid = other.relnamespace
     where pg_class.relname = 'patient' and pg_namespace.nspname = 'silver'""", False),
]
