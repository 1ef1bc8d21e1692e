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
]
