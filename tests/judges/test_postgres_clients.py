"""Clients of other languages and databases, and the catalogue queries that tools send."""

import datetime
import json
import os
import pathlib
import subprocess

import adbc_driver_postgresql.dbapi
import duckdb
import duckdb_extension_postgres_scanner
import psycopg
import pytest
from py4j.protocol import Py4JJavaError

import jdbc
import postgres_tools
from postgres_service import real, service
from product import ROOT


# ---- npm's pg.

def test_node(service):
    done = subprocess.run(["node", ROOT / "tests/judges/node/client.cjs", str(service.port)], capture_output=True, text=True,
                          timeout=120, env={**os.environ, "NODE_PATH": str(ROOT / ".deps/node/node_modules")})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["values"] == {
        "i": 7, "t": "h\u00e9 'q'", "b": True, "f": 0.5, "z": "2026-11-22T17:00:00.123Z", "a": [1, None, 3],
        "s": ["a b", 'c"d', ""], "j": {"a": [1, None]}, "y": "00ff", "big": "9007199254740993", "n": "12.50", "nothing": None}
    assert told["arrays"] == [["1", "-1"], ["2", "-2"], ["3", "-3"]]
    assert told["fields"] == [["i", 20, "text"], ["m", 20, "text"]]
    assert told["named"] == [1, 2, 3] and told["several"] == [{"a": 1}, {"b": 2}]
    assert told["pieces"] == [300, 300, 300, 100] and told["found"] == 2
    assert told["error"] == ["42703", "8", "ERROR"] and told["missing"] == "42P01" and told["aborted"] == "25P02"
    assert told["timeout"] == "57014" and told["pool"] == list(range(20))


# ---- pgjdbc.

@pytest.fixture(scope="module")
def jvm():
    machine = jdbc.Jvm()
    yield machine
    machine.stop()


@pytest.fixture
def java(jvm, service):
    connection = jvm.connect(service.port)
    yield connection
    connection.close()


def test_jdbc_describes_the_lake(jvm, java, service):
    about = java.getMetaData()
    assert about.getDatabaseProductName() == "PostgreSQL" and about.getDatabaseMajorVersion() == 15
    assert about.getDefaultTransactionIsolation() == 2  # java.sql.Connection.TRANSACTION_READ_COMMITTED
    schemas = {row[0] for row in jdbc.rows(about.getSchemas(), "TABLE_SCHEM")}
    assert {"bronze", "silver", "gold", "ops", "public"} <= schemas
    tables = jdbc.rows(about.getTables(None, "silver", "%", jvm.strings("TABLE")), "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE")
    assert {name for _, name, _ in tables} == {name.split(".")[1] for name in service.lake.tables() if name.startswith("silver.")}
    assert {(schema, kind) for schema, _, kind in tables} == {("silver", "TABLE")}
    with service.connect() as client:
        views = client.execute("select viewname from pg_views where schemaname = 'public'").fetchall()
    assert sorted(jdbc.rows(about.getTables(None, "public", None, jvm.strings("VIEW")), "TABLE_NAME")) == sorted(views)
    columns = jdbc.rows(about.getColumns(None, "silver", "patient", "%"), "COLUMN_NAME", "TYPE_NAME", "DATA_TYPE", "NULLABLE",
                        "ORDINAL_POSITION")
    assert [column[0] for column in columns] == service.lake.read("silver.patient").column_names
    assert [int(column[4]) for column in columns] == list(range(1, len(columns) + 1))
    by_name = {column[0]: column[1:3] for column in columns}
    assert by_name["birth_date"] == ("date", "91") and by_name["deleted"] == ("bool", "-7")
    assert by_name["last_updated"] == ("timestamptz", "93") and by_name["id"] == ("text", "12")
    assert jdbc.rows(about.getPrimaryKeys(None, "silver", "patient")) == []
    assert jdbc.rows(about.getImportedKeys(None, "silver", "patient")) == []
    assert jdbc.rows(about.getExportedKeys(None, "silver", "patient")) == []
    assert jdbc.rows(about.getIndexInfo(None, "silver", "patient", False, True)) == []
    assert jdbc.rows(about.getBestRowIdentifier(None, "silver", "patient", 0, True)) == []
    types = {name: code for name, code in jdbc.rows(about.getTypeInfo(), "TYPE_NAME", "DATA_TYPE")}
    assert {"text": "12", "int4": "4", "int8": "-5", "timestamptz": "93", "bool": "-7", "numeric": "2"}.items() <= types.items()
    assert jdbc.rows(about.getCatalogs(), "TABLE_CAT") == [("lake",)]
    assert ("VIEW",) in jdbc.rows(about.getTableTypes(), "TABLE_TYPE")
    arguments = jdbc.rows(about.getFunctionColumns(None, "pg_catalog", "int4in", "%"), "COLUMN_TYPE", "TYPE_NAME")
    assert arguments == [("4", "int4"), ("1", "cstring")]  # what it returns, what it takes
    for nothing in (about.getFunctions(None, "public", "%"), about.getProcedures(None, "public", "%"),
                    about.getUDTs(None, "public", "%", None)):
        assert jdbc.rows(nothing) == []
    assert jdbc.rows(about.getTablePrivileges(None, "silver", "patient"), "PRIVILEGE") == [("SELECT",)]


@pytest.mark.parametrize("settings", [{}, {"preferQueryMode": "simple"}, {"prepareThreshold": "1", "binaryTransfer": "true"},
                                      {"prepareThreshold": "0"}], ids=["default", "simple", "binary", "unnamed"])
def test_jdbc_sends_and_gets_values(jvm, service, settings):
    connection = jvm.connect(service.port, **settings)
    statement = connection.prepareStatement(
        "select ?::int4 as i, ?::text as t, ?::int8 as l, ?::float8 as f, ?::bool as b, ?::numeric(10,2) as n, ?::date as d, "
        "array[1, 2] as a, timestamptz '2026-11-22 17:00:00.5+00' as z")
    types = jvm.gateway.jvm.java
    for i in range(7):  # with the sixth the driver prepares it at the server
        statement.setInt(1, i)
        statement.setString(2, "h\u00e9'")
        statement.setLong(3, 2**40)
        statement.setDouble(4, 0.5)
        statement.setBoolean(5, True)
        statement.setBigDecimal(6, types.math.BigDecimal("12.50"))
        statement.setDate(7, types.sql.Date.valueOf("2026-11-22"))
        result = statement.executeQuery()
        assert result.next()
        assert (result.getInt("i"), result.getString("t"), result.getLong("l")) == (i, "h\u00e9'", 2**40)
        assert result.getDouble("f") == 0.5 and result.getBoolean("b") is True
        assert str(result.getBigDecimal("n")) == "12.50"
        assert result.getDate("d").toString() == "2026-11-22" and list(result.getArray("a").getArray()) == [1, 2]
        assert result.getTimestamp("z").getTime() == 1795366800500
        assert not result.next()
    connection.close()


def test_jdbc_reads_in_pieces(java):
    java.setAutoCommit(False)
    statement = java.createStatement()
    statement.setFetchSize(100)
    result = statement.executeQuery("select i from generate_series(1, 1050) as t(i) order by i")
    assert [result.getInt(1) for _ in iter(result.next, False)] == list(range(1, 1051))
    java.commit()


def test_jdbc_errors_and_timeouts(java):
    statement = java.createStatement()
    with pytest.raises(Py4JJavaError) as refused:
        statement.executeQuery("select nope from silver.patient")
    assert refused.value.java_exception.getSQLState() == "42703"
    statement.setQueryTimeout(1)
    with pytest.raises(Py4JJavaError) as refused:
        statement.executeQuery("select count(*) from generate_series(1, 100000000000000)")
    assert refused.value.java_exception.getSQLState() == "57014"
    assert java.isValid(20)


# ---- ADBC and DuckDB: whole tables in binary.

def by_id(table):
    return table.sort_by("id").to_pylist()


def test_adbc(service):
    with adbc_driver_postgresql.dbapi.connect(f"postgresql://judge@127.0.0.1:{service.port}/lake", autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute("select 1 as a, 'x' as t, 1.5::numeric(10,2) as n, array[1, 2] as l, null::bool as b, 0.5::float8 as f, "
                           "timestamptz '2026-01-01 00:00:00+00' as z, date '2026-01-01' as d")
            (row,) = cursor.fetch_arrow_table().to_pylist()
            assert row == {"a": 1, "t": "x", "n": "1.50", "l": [1, 2], "b": None, "f": 0.5, "d": datetime.date(2026, 1, 1),
                           "z": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)}
            cursor.execute("select id, birth_date, last_updated, deleted from silver.patient")
            expected = service.lake.read("silver.patient").select(["id", "birth_date", "last_updated", "deleted"])
            assert by_id(cursor.fetch_arrow_table()) == by_id(expected)
            cursor.execute("select count(*) as n from silver.patient where birth_date > $1", parameters=[datetime.date(1990, 1, 1)])
            assert cursor.fetchall() == [
                (service.lake.value("select count(*) from silver.patient where birth_date > '1990-01-01'"),)]
        schema = connection.adbc_get_table_schema("patient", db_schema_filter="silver")
        assert schema.names == service.lake.read("silver.patient").column_names
        (catalog,) = [entry for entry in connection.adbc_get_objects(depth="tables").read_all().to_pylist()
                      if entry["catalog_name"] == "lake"]
        assert {"silver", "gold", "public"} <= {schema["db_schema_name"] for schema in catalog["catalog_db_schemas"]}


def test_duckdb_attaches(service):
    extension = pathlib.Path(duckdb_extension_postgres_scanner.__file__).parent.glob("extensions/*/postgres_scanner.duckdb_extension")
    with duckdb.connect() as judge:
        judge.execute(f"LOAD '{next(extension)}'; SET TimeZone = 'UTC'")
        judge.execute(f"ATTACH '{service.dsn()}' AS far (TYPE postgres, READ_ONLY)")
        tables = judge.execute("select table_schema || '.' || table_name from information_schema.tables where table_catalog = 'far'")
        assert {"silver.patient", "silver.observation", "gold.latest_vital"} <= {name for (name,) in tables.fetchall()}
        for table in ("silver.patient", "silver.observation"):
            names = [name for name in service.lake.read(table).column_names if name in ("id", "birth_date", "last_updated", "deleted",
                     "effective_time", "systolic_pressure_value")]
            found = judge.execute(f"select {', '.join(names)} from far.{table}").to_arrow_table()
            assert by_id(found) == by_id(service.lake.read(table).select(names)), table
        joined = "select count(*) from {0}silver.observation o join {0}silver.patient p on o.patient_id = p.id where p.gender = 'female'"
        assert judge.execute(joined.format("far.")).fetchone()[0] == service.lake.value(joined.format(""))


# ---- postgres_fdw: a PostgreSQL that reads the lake's tables as its own.

def test_a_postgres_reads_the_lake_as_its_own_tables(service, real):
    with psycopg.connect(real.address(), autocommit=True) as one:
        one.execute("create extension postgres_fdw")
        one.execute(f"create server lake foreign data wrapper postgres_fdw options (host '127.0.0.1', port '{service.port}', "
                    "dbname 'lake', use_remote_estimate 'false')")
        one.execute("create user mapping for judge server lake options (user 'judge')")
        one.execute("create schema far")
        one.execute("import foreign schema silver from server lake into far")
        imported = {row[0] for row in one.execute("select foreign_table_name from information_schema.foreign_tables")}
        assert imported == {name.split(".")[1] for name in service.lake.tables() if name.startswith("silver.")}
        def both(statement):
            far, near = (sorted(one.execute(statement.format(schema=schema)).fetchall(), key=repr) for schema in ("far", "silver"))
            assert far == near, statement
            return far
        assert both("select * from {schema}.patient") and both("select * from {schema}.observation")
        both("select id, birth_date from {schema}.patient where birth_date > '1980-01-01' and not deleted")
        both("select date_trunc('day', effective_time), count(*), max(systolic_pressure_value) from {schema}.observation group by 1")
        both("select p.id, count(*) from {schema}.patient p join {schema}.observation o on o.patient_id = p.id group by p.id")
        both("select id from {schema}.observation where systolic_pressure_value between 100 and 120 order by id limit 7")
        both("select id from {schema}.patient where id like '%1%' or birth_date is null")
        plan = "\n".join(row[0] for row in one.execute("explain (verbose) select count(*) from far.observation"))
        assert "Remote SQL: SELECT count(*) FROM silver.observation" in plan
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            one.execute("delete from far.patient")


# ---- What tools ask the catalogue.

def shape(connection, statement):
    """Names and types of the rows, and how many there are; or the SQLSTATE and the words."""
    try:
        with connection.execute(statement) as result:
            return [(column.name, column.type_code) for column in result.description], result.rowcount
    except psycopg.Error as error:
        return f"{error.sqlstate}: {error}"


# Of texts PostgreSQL has more types than there are here; arrays and names of catalogue entries likewise.
ALIKE = {19: 25, 1043: 25, 194: 25, 869: 25, 3220: 25, 2277: 25, 1042: 25, 1034: 1009, 1003: 1009, 1015: 1009, 22: 1005, 30: 1028,
         24: 26, 28: 26, 2205: 26, 2206: 26, 2211: 1028, 3802: 114, 3361: 25, 3402: 25, 5017: 25, 10028: 1009}


def alike(columns):
    return [(name, ALIKE.get(oid, oid)) for name, oid in columns]


def test_the_catalogue_has_the_columns_of_postgres(service, real):
    with psycopg.connect(real.address(), autocommit=True) as judge, service.connect() as client:
        names = [f"{schema}.{name}" for schema, name in judge.execute(
            "select nspname, relname from pg_class c join pg_namespace n on n.oid = relnamespace where relkind in ('r', 'v') "
            "and nspname in ('pg_catalog', 'information_schema') and relname !~ '^_pg_' order by 1, 2")]
        others, found = [], 0
        for name in names:
            here = shape(client, f"select * from {name} limit 0")
            if isinstance(here, str):
                others.append((name, here))
                continue
            found += 1
            there = shape(judge, f"select * from {name} limit 0")
            if alike(here[0]) != alike(there[0]):
                others.append((name, set(alike(here[0])) ^ set(alike(there[0]))))
    assert not others and found > 100, (found, others)


@pytest.mark.parametrize("tool", postgres_tools.QUERIES)
def test_a_tool_gets_its_answers(service, real, tool):
    others = []
    with psycopg.connect(real.address(), autocommit=True) as judge, service.connect() as client:
        for statement, rows in postgres_tools.QUERIES[tool]:
            here, there = shape(client, statement), shape(judge, statement)
            assert not isinstance(there, str), (statement, there)
            if isinstance(here, str) or [name for name, _ in here[0]] != [name for name, _ in there[0]]:
                others.append(f"{statement}\n    PostgreSQL {there}\n    found      {here}")
            elif rows and not here[1]:
                others.append(f"{statement}\n    has no rows")
    assert not others, f"{len(others)} differ:\n" + "\n".join(others)
