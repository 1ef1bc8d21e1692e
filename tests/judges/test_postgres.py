"""The PostgreSQL protocol: real clients, the bytes of bad ones, and a real PostgreSQL whose answers are the measure."""

import asyncio
import concurrent.futures
import contextlib
import datetime
import decimal
import io
import random
import re
import socket
import struct
import subprocess
import threading
import time
import uuid

import asyncpg
import psycopg
import psycopg.pq
import pytest

import postgres_statements
from postgres_cluster import Cluster
from product import Lake, run
from streams import Service

UTC = datetime.timezone.utc
PATIENTS, READINGS = 40, 600


class Postgres(Service):
    """A service that listens for PostgreSQL clients, at a port the system chooses."""

    def __init__(self, folder, address="127.0.0.1:0", serve=""):
        super().__init__(folder, None, "unused", source="http: {}",
                         extra=f'serve: {{http: "127.0.0.1:0", postgres: "{address}"{serve}}}\n')

    def start(self, level="info"):
        process = super().start(level)
        deadline = time.monotonic() + 30
        while not (found := re.search(r"postgres: listening at ([\d.]+):(\d+)", self.text())):
            assert time.monotonic() < deadline and process.poll() is None, self.text()
            time.sleep(0.02)
        self.port = int(found[2])
        return process

    def dsn(self, **more):
        settings = {"host": "127.0.0.1", "port": self.port, "dbname": "lake", "user": "judge", **more}
        return " ".join(f"{name}={value}" for name, value in settings.items())

    def connect(self, **more):
        return psycopg.connect(self.dsn(**more), autocommit=True)

    def psql(self, *arguments, expect=0, **settings):
        done = subprocess.run(["psql", "-X", "-v", "ON_ERROR_STOP=1", self.dsn(**settings), *arguments],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout if expect == 0 else done.stderr


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("postgres")
    run("generate", "patients", PATIENTS, "--to", folder / "patients.ndjson")
    run("generate", "observations", READINGS, "--patients", folder / "patients.ndjson", "--to", folder / "observations.ndjson")
    served = Postgres(folder)
    served.lake.ingest(folder / "patients.ndjson", folder / "observations.ndjson")
    served.start()
    yield served
    served.stop()


@pytest.fixture
def client(service):
    with service.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def real(service):
    """PostgreSQL with the lake's tables, taken over by COPY."""
    cluster = Cluster().start()
    with psycopg.connect(cluster.address(), autocommit=True) as target, service.connect() as source:
        target.execute("create schema silver")
        for table in ("patient", "observation"):
            with source.execute(f"select * from silver.{table} limit 0") as empty:
                columns = [(column.name, target.execute("select format_type(%s, null)", [column.type_code]).fetchone()[0])
                           for column in empty.description]
            target.execute(f"create table silver.{table} ({', '.join(f'{name} {type}' for name, type in columns)})")
            with (source.cursor().copy(f"copy silver.{table} to stdout (format csv)") as out,
                  target.cursor().copy(f"copy silver.{table} from stdin (format csv)") as into):
                for piece in out:
                    into.write(piece)
    yield cluster
    cluster.stop()


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
                          "select * from silver.nope", "select 'é', nope from silver.patient", "select 1::nope"):
            places = []
            for connection in (judge, client):
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(statement)
                places.append(refused.value.diag.statement_position)
            assert places[0] == places[1], statement


# ---- psql.

def test_psql_lists_what_there_is(service):
    assert "silver | patient" in re.sub(" +", " ", service.psql("-c", r"\dt silver.*"))
    described = service.psql("-c", r"\d silver.patient")
    assert re.search(r"birth_date +\| date", described) and re.search(r"last_updated +\| timestamp with time zone", described)
    for command in (r"\d", r"\d+", r"\d+ silver.patient", r"\dn", r"\dn+", r"\dt+", r"\dv", r"\di", r"\df", r"\du", r"\l",
                    r"\l+", r"\dp", r"\dx", r"\ds", r"\dT", r"\db", r"\conninfo"):
        service.psql("-c", command)


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

# ---- Ends, limits and bad clients.

SLOW = "select count(*) from generate_series(1, 100000) as a(x), generate_series(1, 100000) as b(y) where x * y % 7 = 3"


def test_sql_reads_no_files_and_writes_nothing(client, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nsecret\n")
    for statement in (f"select * from read_csv('{secret}')", f"select * from '{secret}'", f"select * from read_text('{secret}')",
                      "select * from glob('/*')", "select * from query('select 1')", f"copy (select 1) to '{tmp_path}/out'",
                      f"attach '{tmp_path}/x.db'", "install httpfs", "load httpfs", "pragma database_list",
                      "select * from duckdb_secrets()", "create table t (a int)", "call pragma_version()",
                      "select * from parquet_metadata('x')", "with x as (insert into t values (1)) select 1",
                      "export database '/tmp/x'", "select * from duckdb_settings()", "checkpoint", "vacuum"):
        with pytest.raises(psycopg.Error):
            client.execute(statement)
    assert not (tmp_path / "out").exists()


def raw(service):
    one = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    one.settimeout(20)
    return one


def startup(**settings):
    body = struct.pack("!i", 196608) + b"".join(f"{k}\0{v}\0".encode() for k, v in settings.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def drain(one):
    with contextlib.suppress(OSError):
        while one.recv(65536):
            pass


def test_bad_clients_harm_nobody(service, client):
    noise = random.Random(7)
    begins = [b"", b"\0", b"\0\0\0\7", b"\xff" * 8, b"GET / HTTP/1.1\r\n\r\n", struct.pack("!ii", 2**31 - 1, 196608),
              struct.pack("!ii", 8, 80877102), struct.pack("!iiii", 16, 80877102, 1, 1), struct.pack("!ii", 8, 131072),
              struct.pack("!ii", 8, 80877103) + startup(user="x"), startup(), startup(user="judge", database="nope")]
    begins += [noise.randbytes(noise.randrange(1, 200)) for _ in range(30)]
    logged_in = [b"Q", b"Q\0\0\0\3", b"Q\xff\xff\xff\xff", b"Q\x7f\xff\xff\xffselect", b"Q\0\0\0\5x", b"Z\0\0\0\4",
                 b"P\0\0\0\6\0\0", b"P\0\0\0\12a\0b\0\x7f\xff", b"B\0\0\0\4", b"B\0\0\0\14\0\0\0\0\xff\xff\0\0", b"E\0\0\0\5x",
                 b"D\0\0\0\6Qx\0", b"C\0\0\0\6Sx\0" + b"S\0\0\0\4", b"F\0\0\0\4", b"d\0\0\0\4", b"p\0\0\0\4"]
    logged_in += [noise.choice(b"QPBEDCSH").to_bytes(1, "big") + struct.pack("!i", noise.randrange(4, 60)) + noise.randbytes(80)
                  for _ in range(30)]
    for bytes_sent in [*begins, *(startup(user="judge", database="lake") + more for more in logged_in)]:
        with raw(service) as one:
            one.sendall(bytes_sent)
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_WR)
            drain(one)
        assert client.execute("select 1").fetchone() == (1,), bytes_sent


def test_a_client_that_reads_nothing_holds_up_nobody(service, client):
    with raw(service) as slow:
        query = b"select repeat('x', 1000) from generate_series(1, 1000000)\0"
        slow.sendall(startup(user="judge", database="lake") + b"Q" + struct.pack("!i", len(query) + 4) + query)
        time.sleep(0.5)
        for _ in range(20):
            assert client.execute("select count(*) from silver.patient").fetchone()[0] >= PATIENTS


def test_many_clients(service):
    idle = [service.connect() for _ in range(150)]
    try:
        def work(i):
            with service.connect() as one:
                return [one.execute("select %s::int + count(*) from silver.patient", [i]).fetchone()[0] for _ in range(3)]
        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            for i, counts in enumerate(pool.map(work, range(30))):
                assert min(counts) >= PATIENTS + i
        assert idle[0].execute("select 1").fetchone() == (1,)
    finally:
        for one in idle:
            one.close()


# ---- Logging in.

def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)


def test_users_log_in_with_a_password_and_tls(tmp_path):
    certificate(tmp_path)
    served = Postgres(tmp_path, serve=f", postgres_users: [{{name: anna, password: geheim}}], postgres_tls: {{"
                                      f"certificate_file: {tmp_path}/cert.pem, key_file: {tmp_path}/key.pem}}")
    served.start()
    try:
        with psycopg.connect(served.dsn(user="anna", password="geheim", sslmode="require")) as connection:
            assert connection.pgconn.ssl_in_use and connection.execute("select 1").fetchone() == (1,)
        with psycopg.connect(served.dsn(user="anna", password="geheim", sslmode="disable")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        for wrong in ({"user": "anna", "password": "falsch"}, {"user": "nobody", "password": "geheim"}):
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(served.dsn(**wrong))
        async def talk():
            connection = await asyncpg.connect(host="127.0.0.1", port=served.port, database="lake", user="anna", password="geheim")
            assert await connection.fetchval("select 2") == 2
            await connection.close()
        asyncio.run(talk())
    finally:
        served.stop()


def test_a_taken_port_asked_for_is_an_error_and_a_foreign_address_needs_users(tmp_path, service):
    for address, words in ((f"127.0.0.1:{service.port}", "cannot listen at"), ("0.0.0.0:0", "postgres_users")):
        other = Postgres(tmp_path, address=address)
        done = run("run", "--config", other.config, expect=None, timeout=60)
        assert done.returncode != 0 and words in done.stderr, done.stderr


def test_a_stop_ends_sessions(tmp_path):
    served = Postgres(tmp_path)
    process = served.start()
    with served.connect() as idle, served.connect() as busy:
        failed = []
        def wait():
            try:
                busy.execute(SLOW)
            except psycopg.Error as error:
                failed.append(error)
        waiter = threading.Thread(target=wait)
        waiter.start()
        time.sleep(0.3)
        served.stop(process)
        waiter.join(30)
        assert failed
        with pytest.raises(psycopg.OperationalError):
            idle.execute("select 1")
