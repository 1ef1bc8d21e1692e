"""The PostgreSQL protocol under bad clients: ends, limits, what is refused, and logins."""

import asyncio
import concurrent.futures
import contextlib
import datetime
import json
import random
import re
import socket
import struct
import subprocess
import threading
import time
import urllib.request

import asyncpg
import psycopg
import psycopg.pq
import pytest

from postgres_service import ENDLESS, PATIENTS, SLOW, Postgres, client, service
from product import run


# None of them would end while anybody waits.
LONG = {
    "series": SLOW,
    "filter": f"select i from {ENDLESS} where i < 0",
    "product": "select count(*) from generate_series(1, 3000000) as a(x), generate_series(1, 3000000) as b(y) where x * y % 7 = 3",
    "recursion": "with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) from r",
    "groups": f"select i % 1000000, count(*), avg(i) from {ENDLESS} group by 1",
    "sort": f"select i from {ENDLESS} order by md5(i::text) limit 10 offset 1000",
    "distinct": f"select count(distinct i % 1000) from {ENDLESS}",
    "lists": "select count(*) from (select unnest(array[x, x, x]) from generate_series(1, 100000000000000) as t(x)) as u",
    "window": f"select max(s) from (select sum(i) over (partition by i % 3) as s from {ENDLESS}) as w",
    "tables": "select count(*) from silver.observation a, silver.observation b, silver.observation c, silver.observation d, "
              "silver.observation e where a.id < b.id and c.id > d.id and a.id <> e.id",
}
SOON = 30  # seconds: long after the end was asked for, but for a machine with other work


@pytest.mark.parametrize("shape", LONG)
def test_statement_timeout_ends_a_statement(service, shape):
    with service.connect(options="-cstatement_timeout=400") as one:
        began = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            one.execute(LONG[shape])
        assert time.monotonic() - began < SOON
        assert one.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("shape", LONG)
def test_cancel_ends_a_statement(service, shape):
    with service.connect() as one:
        ended = threading.Event()
        def cancel():  # what comes before the statement does is for nothing, as it should be
            while not ended.wait(0.2):
                one.cancel_safe()
        canceller = threading.Thread(target=cancel)
        canceller.start()
        began = time.monotonic()
        try:
            with pytest.raises(psycopg.errors.QueryCanceled, match="user request"):
                one.execute(LONG[shape])
        finally:
            ended.set()
            canceller.join()
        assert time.monotonic() - began < SOON
        assert one.execute("select 2").fetchone() == (2,)


def test_cancel_at_any_moment_leaves_a_session_that_works(service):
    """The end is asked for before, while and after short statements run: they are answered or ended, nothing else."""
    chance = random.Random(11)
    short = ["select count(*) from silver.patient", "select * from silver.observation", "select 1",
             "select i, md5(i::text) from generate_series(1, 20000) as t(i) order by 2"]
    with service.connect() as one:
        for i in range(60):
            timer = threading.Timer(chance.random() * 0.06, one.cancel_safe)
            timer.start()
            try:
                assert one.execute(chance.choice(short)).fetchone() is not None
            except psycopg.errors.QueryCanceled:
                pass
            timer.join()
            # A request that is late ends the next statement, as it would in PostgreSQL.
            with contextlib.suppress(psycopg.errors.QueryCanceled):
                assert one.execute("select %s::int", [i]).fetchone() == (i,)
        assert one.execute("select count(*) from silver.patient").fetchone()[0] >= PATIENTS


def test_what_was_ended_works_no_more(service):
    """Ended statements leave their places: as many as may work at once are ended, and the next is answered."""
    with contextlib.ExitStack() as stack:
        ended = [stack.enter_context(service.connect(options="-cstatement_timeout=300")) for _ in range(4)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            refused = [pool.submit(one.execute, LONG["product"]) for one in ended]
            assert [type(one.exception()) for one in refused] == [psycopg.errors.QueryCanceled] * 4
        began = time.monotonic()
        assert ended[0].execute("select count(*) from silver.patient").fetchone()[0] >= PATIENTS
        assert time.monotonic() - began < SOON


@pytest.mark.parametrize("statement", ["select generate_series(1, 4000000000)", "select len(range(4000000000))",
                                       "select length(repeat('x', 2000000000))"])
def test_one_value_may_not_be_of_any_size(client, statement):
    began = time.monotonic()
    with pytest.raises(psycopg.errors.ProgramLimitExceeded):
        client.execute(statement)
    assert time.monotonic() - began < SOON


def test_a_cursor_is_cancelled_between_its_rows(service):
    with psycopg.connect(service.dsn(options="-cstatement_timeout=500")) as one:
        with one.cursor(name="c") as cursor:
            cursor.execute(f"select i from {ENDLESS} where i < 400000")
            assert cursor.fetchmany(10)
            with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
                cursor.fetchall()
        one.rollback()
        assert one.execute("select 1").fetchone() == (1,)


def test_sql_reads_no_files_of_the_lake_either(service, client):
    """By no spelling of their names: parts of one that the engine joins with points, what stands in AT."""
    lake = service.lake.path
    (lake / "_vitalake/hidden.json").write_text('{"word": "geheim"}')
    for statement in (f'select * from "{lake}/_vitalake/hidden"."json"', f'select * from "{lake}/_vitalake"."hidden"."json"',
                      f'select * from "{lake}/_vitalake/hidden.json"', f'select * from lake."{lake}/_vitalake/hidden"."json"',
                      f"select 1 from silver.patient at (version => (select content from read_text('{lake}/_vitalake/hidden.json')))",
                      f"select 1 from silver.patient at (timestamp => (select word from '{lake}/_vitalake/hidden.json'))",
                      "select 1 from silver.patient at (version => (select count(*) from glob('/*')))"):
        with pytest.raises(psycopg.Error) as error:
            client.execute(statement)
        assert "geheim" not in str(error.value), statement
    assert client.execute("select count(*) from silver.patient at (version => 1 + 0)").fetchone()[0] <= PATIENTS


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


def message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


def drain(one):
    told = b""
    with contextlib.suppress(OSError):
        while more := one.recv(65536):
            told += more
    return told


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


def test_what_names_itself_is_refused(service, client):
    """EXECUTE of what executes itself, FETCH from the portal that fetches or from what gives no rows, arrays in arrays."""
    def state(result):
        return (result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b"none").decode()

    connection = client.pgconn
    assert state(connection.exec_(b"prepare a as execute a")) == "42601"
    assert state(connection.prepare(b"again", b"execute again", [])) == "none"
    assert state(connection.exec_(b"execute again")) == "0A000"
    assert state(connection.exec_params(b'fetch 1 from ""', [])) in ("24000", "42601")
    array = b""
    for _ in range(100_000):
        array = struct.pack("!iiiiii", 1, 0, 1009, 1, 1, len(array)) + array if array else struct.pack("!iii", 0, 0, 1009)
    assert state(connection.exec_params(b"select $1", [array], [1009], [1])) == "0A000"
    with raw(service) as one:
        one.sendall(startup(user="judge", database="lake") + message(b"P", b"s\0set application_name to 'x'\0\0\0") +
                    message(b"B", b"c\0s\0" + bytes(6)) + message(b"P", b"f\0fetch 1 from c\0\0\0") + message(b"B", b"p\0f\0" + bytes(6)) +
                    message(b"E", b"p\0" + bytes(4)) + message(b"S", b"") + message(b"X", b""))
        assert b"C24000\0" in drain(one)
    assert client.execute("select 1").fetchone() == (1,)


def test_a_portal_sees_its_own_rows_whatever_is_planned_after_it(service, client):
    """What a statement's conditions leave of a table's files is nothing to another."""
    (count,) = client.execute("select count(*) from silver.observation").fetchone()
    with raw(service) as one:
        one.sendall(startup(user="judge", database="lake") + message(b"Q", b"begin\0") +
                    message(b"P", b"a\0select count(*) from silver.observation where effective_date >= $1::date\0\0\0") +
                    message(b"B", b"A\0a\0" + struct.pack("!hhi", 0, 1, 10) + b"1900-01-01" + struct.pack("!h", 0)) +
                    message(b"P", b"b\0select count(*) from silver.observation where patient_id > 'zzzz'\0\0\0") +
                    message(b"B", b"B\0b\0" + bytes(6)) + message(b"E", b"A\0" + bytes(4)) + message(b"E", b"B\0" + bytes(4)) +
                    message(b"S", b"") + message(b"X", b""))
        rows = [text.decode() for text in re.findall(rb"D\x00{3}.\x00\x01\x00{3}.(\d+)", drain(one), re.DOTALL)]
    assert rows == [str(count), "0"]


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
        # Before the login nobody is waited for long, nor sends much.
        begin = time.monotonic()
        with raw(served) as silent, raw(served) as loud:
            silent.settimeout(60)
            for one in (silent, loud):
                one.sendall(startup(user="anna", database="lake"))
                assert one.recv(1) == b"R"
            loud.sendall(b"p" + struct.pack("!i", 1 << 20) + bytes(5000))
            assert b"C08P01\0" in drain(loud) and time.monotonic() - begin < 10
            assert b"C57P05\0" in drain(silent) and 10 < time.monotonic() - begin < 40
    finally:
        served.stop()


def test_a_taken_port_asked_for_is_an_error(tmp_path, service):
    done = run("run", "--config", Postgres(tmp_path, address=f"127.0.0.1:{service.port}").config, expect=None, timeout=60)
    assert done.returncode != 0 and "cannot listen at" in done.stderr, done.stderr


def test_an_address_off_loopback_needs_tls_and_users_and_speaks_nothing_else(tmp_path):
    certificate(tmp_path)
    users = ", postgres_users: [{name: anna, password: geheim}]"
    tls = f", postgres_tls: {{certificate_file: {tmp_path}/cert.pem, key_file: {tmp_path}/key.pem}}"
    for serve, missing in (("", ("postgres_users", "postgres_tls")), (users, ("postgres_tls",)), (tls, ("postgres_users",))):
        done = run("run", "--config", Postgres(tmp_path, address="0.0.0.0:0", serve=serve).config, expect=2, timeout=60)
        assert all(name in done.stderr for name in missing), done.stderr
    served = Postgres(tmp_path, address="0.0.0.0:0", serve=users + tls)
    served.start()
    try:
        who = {"user": "anna", "password": "geheim"}
        with psycopg.connect(served.dsn(**who, sslmode="require")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="TLS"):
            psycopg.connect(served.dsn(**who, sslmode="disable"))
    finally:
        served.stop()


# ---- Metrics.

def metrics(service):
    url = json.loads((service.lake.path / "_vitalake/http.json").read_text())["url"]
    lines = urllib.request.urlopen(f"{url}/metrics", timeout=30).read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line.startswith("vitalake_postgres_"))}


def test_statements_are_counted(tmp_path):
    served = Postgres(tmp_path)
    process = served.start()
    try:
        with served.connect() as one, served.connect() as other:
            assert len(one.execute("select i from generate_series(1, 30) as t(i)").fetchall()) == 30
            assert one.execute("select %s::int", [1]).fetchone() == (1,)
            with one.cursor().copy("copy (select 1 union all select 2) to stdout") as out:
                assert len(list(out)) >= 1
            for refused in ("select nope", "select 1 +"):
                with pytest.raises(psycopg.Error):
                    other.execute(refused)
            other.execute("set statement_timeout = 200")
            with pytest.raises(psycopg.errors.QueryCanceled):
                other.execute(SLOW)
            found = metrics(served)
            ended = {outcome: found.get(f'vitalake_postgres_statements_total{{outcome="{outcome}"}}', 0)
                     for outcome in ("answered", "failed", "cancelled", "timed_out")}
            assert ended == {"answered": 4, "failed": 2, "cancelled": 0, "timed_out": 1}
            assert found["vitalake_postgres_rows_total"] == 33 and found["vitalake_postgres_sessions"] == 2
            assert found["vitalake_postgres_statement_duration_seconds_count"] == sum(ended.values())
            assert 0.2 <= found["vitalake_postgres_statement_duration_seconds_sum"] < SOON
        deadline = time.monotonic() + SOON
        while metrics(served)["vitalake_postgres_sessions"] != 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        served.stop(process)


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
