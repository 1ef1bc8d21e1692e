"""The PostgreSQL protocol: real clients, the bytes of bad ones, and a real PostgreSQL whose answers are the measure."""

import asyncio
import contextlib
import datetime
import decimal
import io
import json
import re
import uuid

import asyncpg
import pandas
import psycopg
import psycopg.pq
import pytest
import sqlalchemy

import postgres_statements
from postgres_service import PATIENTS, SLOW, client, real, service
from product import run

UTC = datetime.timezone.utc


# ---- The same as PostgreSQL.

def answer(connection, statement):
    """Names, type oids and values in text; or the SQLSTATE."""
    result = connection.pgconn.exec_params(statement.encode(), [])
    if result.status in (psycopg.pq.ExecStatus.TUPLES_OK, psycopg.pq.ExecStatus.COMMAND_OK):
        columns = range(result.nfields)
        rows = [tuple(value.decode() if (value := result.get_value(row, column)) is not None else None
                      for column in columns) for row in range(result.ntuples)]
        if "order by" not in statement:
            rows.sort(key=repr)
        return ([result.fname(column).decode() for column in columns], [result.ftype(column) for column in columns],
                rows, result.command_status.decode())
    return (result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b"?").decode()


@pytest.mark.parametrize("statements", [postgres_statements.SAME, postgres_statements.FAILING], ids=["same", "failing"])
def test_the_same_as_postgres(client, real, statements):
    others = []
    with psycopg.connect(real.address(), autocommit=True, options="-c default_transaction_read_only=on") as judge:
        for statement in statements:
            expected, found = answer(judge, statement), answer(client, statement)
            if found != expected:
                others.append(f"{statement}\n    PostgreSQL {expected}\n    found      {found}")
            for connection in (judge, client):
                if connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                    connection.pgconn.exec_(b"rollback")
    assert not others, f"{len(others)} of {len(statements)} differ:\n" + "\n".join(others)


def test_what_differs_is_answered_as_the_documentation_says(client):
    for statement, state in postgres_statements.DIFFERENT.items():
        found = answer(client, statement)
        assert (found if isinstance(found, str) else None) == state, (statement, found)


def test_errors_name_the_place(client, real):
    with psycopg.connect(real.address(), autocommit=True) as judge:
        for statement in ("select nope from silver.patient", "select id,\n  nope\nfrom silver.patient",
                          "select * from silver.nope", "select 'é', nope from silver.patient", "select 1::nope", "selec 1", "select 1 +", "SELECT 1 FROM FROM x",
                          "select 'é', 1 from from x", "select (1", "select 1;\nselec 2", "select 'x'::int", "select lower('É'), 'x'::int",
                          "select cast('nope' as date)", "select '25:00'::time", "fetch 1 from", "prepare p as selec 1", "explain selec 1",
                          "select * from (values (1)) as t(a) where nope = 1", "with t(a) as (values (1)) select nope from t"):
            places = []
            for connection in (judge, client):
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(statement)
                places.append(refused.value.diag.statement_position)
            assert places[0] == places[1], statement


def test_errors_of_prepared_statements_name_the_place(client, real):
    with psycopg.connect(real.address(), autocommit=True) as judge:
        for statement in ("select %s::int, nope from silver.patient", "SELECT Id from silver.patient where id = %s and nope = 1"):
            places = []
            for connection in (judge, client):
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(statement, ["1"])
                places.append(refused.value.diag.statement_position)
            assert places[0] == places[1], statement


def test_settings_follow_their_transaction(service, real):
    def shown(connection, name="application_name"):
        return connection.execute(f"show {name}").fetchone()[0]

    def talk(connection):
        told = []
        for script in (["begin", "set local application_name = 'a'", "commit"], ["begin", "set application_name = 'b'", "rollback"],
                       ["begin", "set application_name = 'c'", "set local application_name = 'd'", "commit"],
                       ["begin", "set application_name = 'e'", "savepoint s", "set application_name = 'f'", "rollback to s", "commit"],
                       ["begin", "savepoint s", "set application_name = 'g'", "release s", "commit"],
                       ["set local application_name = 'h'"], ["set application_name = 'i'; set local application_name = 'j'"],
                       ["begin", "set statement_timeout = '1s'", "reset application_name", "rollback"]):
            for statement in script:
                connection.execute(statement)
                told.append((statement, shown(connection), shown(connection, "statement_timeout"),
                             connection.pgconn.parameter_status(b"application_name")))
        for script in ("begin; set application_name = 'k'; select 1/0", "set application_name = 'l'; select 1/0"):
            with pytest.raises(psycopg.errors.DivisionByZero):
                connection.execute(script)
            connection.execute("rollback")
            told.append((script, shown(connection), connection.pgconn.parameter_status(b"application_name")))
        return told
    with psycopg.connect(real.address(), autocommit=True) as judge, service.connect() as client:
        assert talk(client) == talk(judge)


def test_execute_takes_the_declared_types(client, real):
    with psycopg.connect(real.address(), autocommit=True) as judge:
        for number, (declared, query, values) in enumerate([
                ("(int)", "select $1 + 1 as n", "1"), ("(date)", "select $1 + 1 as d, $1", "'2026-01-31'"),
                ("(timestamp(3) with time zone, text[])", "select $1, $2", "'2026-01-31 10:00:00+00', array['a', null]"),
                ("(bytea, double precision)", "select $1, $2", r"'\x00ff', 1.5"), ("(numeric(10,2), bool)", "select $1 > 1, $2", "1.50, true"),
                ("", "select $1::int + 1 as n", "41"), ("(int)", "select $1 is null as n", "null")]):
            rows = []
            for connection in (judge, client):
                connection.execute(f"prepare p{number}{declared} as {query}")
                with connection.execute(f"execute p{number}({values})") as done:
                    rows.append((done.fetchall(), [(column.name, column.type_code) for column in done.description]))
            assert rows[0] == rows[1], query
        for connection in (judge, client):
            with pytest.raises(psycopg.errors.UndefinedObject):
                connection.execute("prepare q(nope) as select $1")


# ---- psql.

def test_psql_lists_what_there_is(service):
    assert "silver | patient" in re.sub(" +", " ", service.psql("-c", r"\dt silver.*"))
    described = service.psql("-c", r"\d silver.patient")
    assert re.search(r"birth_date +\| date", described) and re.search(r"last_updated +\| timestamp with time zone", described)
    for command in (r"\d", r"\d+", r"\d+ silver.patient", r"\dn", r"\dn+", r"\dt+", r"\dv", r"\di", r"\df", r"\du", r"\l",
                    r"\l+", r"\dp", r"\dx", r"\ds", r"\dT", r"\db", r"\conninfo", r"\df+", r"\dL", r"\dC+", r"\dD+", r"\dd",
                    r"\des+", r"\det+", r"\dew+", r"\dAo", r"\dAp", r"\dl"):
        service.psql("-c", command)


def test_views_of_gold_are_views(client):
    views = [("bp_population",), ("critical_recent",)]
    for query in ("select relname::text from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'gold' and relkind = 'v'",
                  "select table_name from information_schema.tables where table_schema = 'gold' and table_type = 'VIEW'",
                  "select viewname from pg_views where schemaname = 'gold'",
                  "select table_name from information_schema.views where table_schema = 'gold'"):
        assert client.execute(f"{query} order by 1").fetchall() == views, query
    assert client.execute("select count(*) from pg_tables where schemaname = 'gold' and tablename = 'bp_population'").fetchone() == (0,)


def test_psql_gives_rows_and_errors(service):
    assert service.psql("-Atc", "select count(*) from silver.patient").strip() == str(PATIENTS)
    assert service.psql("-Atc", "select 1; select 'two'").split() == ["1", "two"]
    refused = service.psql("-c", "select nope from silver.patient", expect=1)
    assert "nope" in refused and "LINE 1: select nope from" in refused


def test_psql_copies(service, tmp_path):
    target = tmp_path / "patients.csv"
    service.psql("-c", rf"\copy (select id, birth_date from silver.patient order by id) to '{target}' csv header")
    lines = target.read_text().splitlines()
    assert lines[0] == "id,birth_date" and len(lines) == PATIENTS + 1


# ---- psycopg 3.

VALUES = {
    "boolean": True, "smallint": -7, "integer": 123456, "bigint": 2**40, "real": 1.5, "double precision": 0.1,
    "numeric(20,6)": decimal.Decimal("-12345.678900"), "text": "héllo 'quoted' \\ \n", "date": datetime.date(1969, 7, 20),
    "timestamp": datetime.datetime(2026, 11, 22, 17, 0, 0, 123456), "time": datetime.time(23, 59, 59, 999999),
    "timestamptz": datetime.datetime(2026, 11, 22, 17, 0, tzinfo=UTC), "interval": datetime.timedelta(days=3, seconds=7),
    "bytea": bytes(range(256)), "uuid": uuid.UUID(int=0x00112233445566778899AABBCCDDEEFF), "integer[]": [1, None, 3],
    "text[]": ["a", "b c", 'd"e', "", "null"],
}


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_psycopg_sends_and_gets_every_type(client, binary):
    mark = "%b" if binary else "%t"
    with client.cursor(binary=binary) as cursor:
        for name, value in VALUES.items():
            cursor.execute(f"select {mark}::{name} as v, null::{name}, {mark}", [value, value])
            row = cursor.fetchone()
            assert row[0] == value and row[1] is None, (name, row)


def test_psycopg_prepares_and_runs_again(client):
    for i in range(20):
        assert client.execute("select %s::int + 1 where %s = %s", [i, "x", "x"], prepare=True).fetchone() == (i + 1,)
    with client.pipeline():
        cursors = [client.execute("select %s::int", [i]) for i in range(50)]
        assert [cursor.fetchone()[0] for cursor in cursors] == list(range(50))


def test_a_prepared_statement_sees_new_rows(service, client, tmp_path):
    count = "select count(*) from ops.ledger where 1 = %s"
    before = client.execute(count, [1], prepare=True).fetchone()[0]
    run("generate", "patients", 1, "--seed", 99, "--to", tmp_path / "one.ndjson")
    service.lake.ingest(tmp_path / "one.ndjson", "--source", "other")
    assert client.execute(count, [1], prepare=True).fetchone()[0] > before


def test_a_prepared_look_up_sees_new_rows(service, client, tmp_path):
    run("generate", "patients", 1, "--seed", 98, "--to", tmp_path / "one.ndjson")
    resource = json.loads((tmp_path / "one.ndjson").read_text())
    patient = resource["id"] = "comes-later"
    (tmp_path / "one.ndjson").write_text(json.dumps(resource) + "\n")
    look_up = "SELECT id, gender FROM silver.patient WHERE id = %s"
    assert client.execute(look_up, [patient], prepare=True).fetchall() == []
    service.lake.ingest(tmp_path / "one.ndjson", "--source", "other")
    assert [i for (i, _) in client.execute(look_up, [patient], prepare=True)] == [patient]


ONE_PATIENT = "SELECT id, effective_time, systolic_pressure_value FROM silver.observation WHERE {} ORDER BY effective_time, id"


def readings_of(client):
    """The readings of each patient, by a statement that has to read them all."""
    rows = client.execute("SELECT patient_id, id, effective_time, systolic_pressure_value FROM silver.observation "
                          "ORDER BY effective_time, id").fetchall()
    found = {}
    for patient, *reading in rows:
        found.setdefault(patient, []).append(tuple(reading))
    return found


@pytest.mark.parametrize("threshold", [None, 0], ids=["unprepared", "prepared"])
def test_readings_of_one_patient_are_those_of_the_table(client, threshold):
    client.prepare_threshold = threshold
    expected = readings_of(client)
    assert len(expected) > 10
    for patient, rows in expected.items():
        assert client.execute(ONE_PATIENT.format("patient_id = %s"), [patient]).fetchall() == rows
        assert client.execute(ONE_PATIENT.format(f"patient_id = '{patient}'")).fetchall() == rows
        high = [row for row in rows if row[2] is not None and row[2] >= 130]
        assert client.execute(ONE_PATIENT.format("systolic_pressure_value >= %s AND patient_id = %s"), [130.0, patient]).fetchall() == high
        assert client.execute("SELECT count(*), '$1 $2' FROM silver.observation WHERE patient_id = %s AND id <> '$1'",
                              [patient]).fetchall() == [(len(rows), "$1 $2")]
        first = [row[0] for row in rows[:1]]
        assert [i for (i,) in client.execute("SELECT id FROM silver.observation o WHERE o.patient_id = %s ORDER BY effective_time, id "
                                             "LIMIT %s", [patient, 1])] == first
    assert client.execute(ONE_PATIENT.format("patient_id = %s"), ["nobody"]).fetchall() == []
    assert client.execute(ONE_PATIENT.format("patient_id = %s"), [None]).fetchall() == []
    explained = "\n".join(" ".join(map(str, row)) for row in client.execute("EXPLAIN " + ONE_PATIENT.format(f"patient_id = '{patient}'")))
    assert "ROW_BUFFER" in explained and "PARQUET" not in explained


def test_many_sessions_keep_plans_of_look_ups(service, client):
    """Plans hold memory of their last run; where there is no more of it, tables are asked as they are."""
    patient, count = client.execute("select patient_id, count(*)::int from silver.observation where patient_id is not null "
                                    "group by 1 order by 2 desc, 1 limit 1").fetchone()
    statements = [f"select id, effective_time, code, status, quality, last_updated, {n} from silver.observation "
                  f"where patient_id = %s order by effective_time desc, id limit {limit}" for n, limit in enumerate(range(60, 68))]
    sessions = [service.connect() for _ in range(16)]
    try:
        for statement in statements:
            for session in sessions:
                found = session.execute(statement, [patient]).fetchall()
                times = [row[1] for row in found]
                assert len({row[0] for row in found}) == len(found) == min(count, 60) and times == sorted(times, reverse=True)
    finally:
        for session in sessions:
            session.close()


def test_cursors_of_several_patients_at_once(client):
    """What is read of one patient stays while another is asked for in between."""
    expected = {patient: rows for patient, rows in readings_of(client).items() if len(rows) >= 4}
    with client.transaction(), contextlib.ExitStack() as stack:
        cursors = {}
        for i, patient in enumerate(expected):
            cursors[patient] = stack.enter_context(client.cursor(f"c{i}"))
            cursors[patient].execute(ONE_PATIENT.format(f"patient_id = '{patient}'"))
        found = {patient: cursor.fetchmany(2) for patient, cursor in cursors.items()}
        for patient, cursor in reversed(cursors.items()):
            found[patient] += cursor.fetchall()
    assert found == expected


def test_cursors_are_read_in_pieces(service):
    with psycopg.connect(service.dsn()) as connection:
        with connection.cursor(name="c") as cursor:
            cursor.itersize = 1000
            cursor.execute("select * from generate_series(1, 10000) as t(i)")
            assert sum(row[0] for row in cursor) == 50005000
        # Another statement goes on while one is read.
        with connection.cursor(name="a") as one, connection.cursor(name="b") as two:
            one.execute("select i from generate_series(1, 5000) as t(i) order by i")
            two.execute("select -i from generate_series(1, 5000) as t(i) order by i")
            pairs = [(one.fetchone()[0], two.fetchone()[0]) for _ in range(10)]
            assert pairs == [(i, -i) for i in range(1, 11)]


def test_a_failed_transaction_must_be_rolled_back(service):
    with psycopg.connect(service.dsn()) as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("select * from nope")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("select 1")
        connection.rollback()
        assert connection.execute("select 1").fetchone() == (1,)


def test_copy_quotes_as_postgres_does(client, real):
    select = "select 1 as a, 'it''s \"q\"' as b, null::text as c, '' as d"
    with psycopg.connect(real.address(), autocommit=True) as judge:
        for options in ("(format csv, quote '''')", "(format csv, quote '''', escape '~')", "(format csv, force_quote (a, c), header)",
                        "(format csv, force_quote *, header)", "csv header force quote b, d", "(format csv, force_quote (nope))"):
            copied = []
            for connection in (judge, client):
                try:
                    with connection.cursor().copy(f"copy ({select}) to stdout {options}") as out:
                        copied.append(b"".join(out))
                except psycopg.Error as refused:
                    copied.append(refused.sqlstate)
            assert copied[0] == copied[1], options


def test_copy_in_all_formats(client):
    select = "select i, case when i % 2 = 0 then 'a,b\t\"c\"' end as t from generate_series(1, 4) as g(i) order by i"
    def copied(options):
        with client.cursor().copy(f"copy ({select}) to stdout {options}") as out:
            return b"".join(out)
    assert copied("").splitlines()[:2] == [b"1\t\\N", b'2\ta,b\\t"c"']
    assert copied("(format csv, header)").splitlines()[:3] == [b"i,t", b"1,", b'2,"a,b\t""c"""']
    with client.cursor().copy(f"copy (select i::int, t from ({select}) as s) to stdout (format binary)") as out:
        out.set_types(["int4", "text"])
        assert list(out.rows()) == [(1, None), (2, 'a,b\t"c"'), (3, None), (4, 'a,b\t"c"')]


def test_time_travel(service, client):
    latest = service.lake.delta("silver.patient").version()
    assert client.execute("select count(*) from silver.patient at (version => 0)").fetchone() == (0,)
    assert client.execute(f"select count(*) from silver.patient at (version => {latest})").fetchone()[0] >= PATIENTS
    with pytest.raises(psycopg.Error):
        client.execute("select count(*) from silver.patient at (version => 4711)")


# ---- asyncpg.

async def by_asyncpg(service, **more):
    return await asyncpg.connect(host="127.0.0.1", port=service.port, database="lake", user="judge", **more)


ASYNCPG_VALUES = {
    **VALUES, "numeric[]": [decimal.Decimal("1.50"), None], "timestamptz[]": [datetime.datetime(2026, 11, 22, 17, 0, tzinfo=UTC)],
    "boolean[]": [True, False, None], "date[]": [datetime.date(2026, 11, 22)], "uuid[]": [uuid.UUID(int=7)], "bigint[]": [2**40],
    "double precision[]": [0.1, -2.5], "json": '{"a": [1, null]}', "jsonb": '{"a": [1, null]}', "name": "n", "oid": 4_000_000_000,
    "oid[]": [16, 25], "varchar": "v",
}


def test_asyncpg_sends_and_gets_every_type(service):
    async def talk():
        connection = await by_asyncpg(service)
        for name, value in ASYNCPG_VALUES.items():
            row = await connection.fetchrow(f"select $1::{name} as v, null::{name} as n", value)
            assert row["v"] == value and row["n"] is None, (name, row)
        await connection.close()
    asyncio.run(talk())


def test_asyncpg_asks_the_catalogue_for_types(service, real):
    """A client without its knowledge of types asks for them: the answer is PostgreSQL's."""
    async def asked(**address):
        connection = await asyncpg.connect(user="judge", **address)
        query = connection._intro_query if hasattr(connection, "_intro_query") else asyncpg.introspection.INTRO_LOOKUP_TYPES
        oids = [1000, 1005, 1007, 1016, 1009, 1185, 1231, 2951, 3807, 199, 1182, 1115, 1022, 16, 1184, 1700]
        rows = {tuple(row) for row in await connection.fetch(query, oids)}
        await connection.close()
        return rows
    here = asyncio.run(asked(host="127.0.0.1", port=service.port, database="lake"))
    there = asyncio.run(asked(host="127.0.0.1", port=real.port, database="postgres"))
    assert here == there


def test_asyncpg(service):
    async def talk():
        connection = await by_asyncpg(service)
        assert await connection.fetchval("select count(*) from silver.patient") >= PATIENTS
        rows = await connection.fetch("select x from generate_series(1, 5) as t(x) where x = any($1::int[]) order by x", [2, 4])
        assert [row["x"] for row in rows] == [2, 4]
        some = await connection.fetch("select id, birth_date, last_updated, deleted from silver.patient order by id limit 3")
        again = await connection.fetch("select id, last_updated from silver.patient where id = any($1) order by id",
                                       [row["id"] for row in some])
        assert [(row["id"], row["last_updated"]) for row in again] == [(row["id"], row["last_updated"]) for row in some]
        assert some[0]["last_updated"].tzinfo is not None
        statement = await connection.prepare("select $1::int + 1 as n, $2::text as t")
        assert [one.name for one in statement.get_parameters()] == ["int4", "text"]
        assert [(one.name, one.type.name) for one in statement.get_attributes()] == [("n", "int4"), ("t", "text")]
        for i in range(10):
            assert tuple(await statement.fetchrow(i, "x")) == (i + 1, "x")
        async with connection.transaction():
            assert [row["i"] async for row in connection.cursor("select i from generate_series(1, 200) as t(i) order by i")] == list(
                range(1, 201))
            cursor = await connection.cursor("select i from generate_series(1, 50) as t(i) order by i")
            assert [row["i"] for row in await cursor.fetch(20)] == list(range(1, 21))
            assert await cursor.forward(10) == 10 and (await cursor.fetchrow())["i"] == 31
        out = io.BytesIO()
        await connection.copy_from_query("select $1::int as a, 'x' as b", 1, output=out, format="csv", header=True)
        assert out.getvalue() == b"a,b\n1,x\n"
        table = io.BytesIO()
        await connection.copy_from_table("patient", schema_name="silver", columns=["id"], output=table, format="text")
        assert len(table.getvalue().splitlines()) >= PATIENTS
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.fetch("select * from nope")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("create table t (a int)")
        with pytest.raises(TimeoutError):
            await connection.fetchval(SLOW, timeout=0.5)
        assert await connection.fetchval("select 1") == 1
        await connection.reset()
        await connection.close()
        async with asyncpg.create_pool(host="127.0.0.1", port=service.port, database="lake", user="judge", min_size=2, max_size=8) as pool:
            assert await asyncio.gather(*(pool.fetchval("select $1::int", i) for i in range(40))) == list(range(40))
    asyncio.run(talk())


# ---- SQLAlchemy and pandas.

def test_sqlalchemy_reflects(service):
    engine = sqlalchemy.create_engine(f"postgresql+psycopg://judge@127.0.0.1:{service.port}/lake")
    seen = sqlalchemy.inspect(engine)
    assert {"bronze", "silver", "gold", "ops", "public"} <= set(seen.get_schema_names())
    assert {f"silver.{name}" for name in seen.get_table_names("silver")} <= set(service.lake.tables())
    assert {"patient", "observation", "vital_sign"} <= set(seen.get_table_names("silver"))
    columns = seen.get_columns("patient", "silver")
    assert [column["name"] for column in columns] == service.lake.read("silver.patient").column_names
    types = {column["name"]: type(column["type"]) for column in columns}
    assert issubclass(types["birth_date"], sqlalchemy.Date) and issubclass(types["deleted"], sqlalchemy.Boolean)
    assert issubclass(types["last_updated"], sqlalchemy.DateTime) and issubclass(types["id"], sqlalchemy.String)
    assert seen.get_pk_constraint("patient", "silver")["constrained_columns"] == []
    for nothing in (seen.get_foreign_keys, seen.get_indexes, seen.get_unique_constraints, seen.get_check_constraints):
        assert nothing("patient", "silver") == []
    assert seen.get_table_comment("patient", "silver") == {"text": None}
    assert seen.has_table("patient", "silver") and not seen.has_table("nope", "silver")
    for view in seen.get_view_names():
        assert "SELECT" in seen.get_view_definition(view).upper() and seen.get_columns(view)
    whole = sqlalchemy.MetaData()
    whole.reflect(engine, schema="silver", views=True)
    assert {table.name for table in whole.tables.values()} >= {"patient", "observation", "vital_sign"}
    patient = sqlalchemy.Table("patient", sqlalchemy.MetaData(), schema="silver", autoload_with=engine)
    with engine.connect() as connection:
        after = sqlalchemy.select(sqlalchemy.func.count()).where(patient.c.birth_date > datetime.date(1800, 1, 1))
        assert connection.execute(after).scalar() >= PATIENTS
        ids = connection.execute(sqlalchemy.select(patient.c.id).order_by(patient.c.id).limit(3).offset(1)).scalars().all()
        found = connection.execute(sqlalchemy.select(patient.c.id).where(patient.c.id.in_(ids))).scalars().all()
        assert sorted(found) == ids
    engine.dispose()


def test_sqlalchemy_reads_through_asyncpg(service):
    from sqlalchemy.ext.asyncio import create_async_engine

    async def talk():
        engine = create_async_engine(f"postgresql+asyncpg://judge@127.0.0.1:{service.port}/lake")
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda one: sqlalchemy.inspect(one).get_table_names("silver"))
            assert {"patient", "observation"} <= set(names)
            assert (await connection.execute(sqlalchemy.text("select count(*) from silver.patient"))).scalar() >= PATIENTS
        await engine.dispose()
    asyncio.run(talk())


def test_pandas_reads(service):
    engine = sqlalchemy.create_engine(f"postgresql+psycopg://judge@127.0.0.1:{service.port}/lake")
    frame = pandas.read_sql_table("observation", engine, schema="silver")
    assert len(frame) == service.lake.value("select count(*) from silver.observation")
    assert str(frame["systolic_pressure_value"].dtype) == "float64" and "datetime64" in str(frame["effective_time"].dtype)
    expected = service.lake.select("select id, systolic_pressure_value from silver.observation order by id").to_pandas()
    found = pandas.read_sql("select id, systolic_pressure_value from silver.observation order by id", engine)
    pandas.testing.assert_frame_equal(found, expected, check_dtype=False)
    where = sqlalchemy.text("select id from silver.patient where birth_date < :day order by id")
    pieces = list(pandas.read_sql(where, engine, params={"day": datetime.date(1990, 1, 1)}, chunksize=5))
    assert sum(map(len, pieces)) == service.lake.value("select count(*) from silver.patient where birth_date < '1990-01-01'")
    engine.dispose()
