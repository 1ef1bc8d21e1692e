"""SQL over HTTP, and what there is to ask for: results equal those of another engine over the same tables."""

import concurrent.futures
import csv
import datetime
import decimal
import hashlib
import http.client
import io
import json
import pathlib
import socket
import time

import engines
import pyarrow.parquet
import pytest

import resources
from http_client import Http
from product import DATA, write

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service over a lake with the samples and a few odd readings, one of them in quarantine."""
    one = Http(tmp_path_factory.mktemp("sql"))
    more = [resources.patient("p1"), resources.pressure("r1", 131.5), resources.pressure("odd", 900),
            resources.vital("w1", "29463-7", 80.25, "kg"), {"resourceType": "Observation"}]
    one.lake.ingest(DATA / "seed-samples", write(one.lake.path.parent / "more.json", resources.bundle(*more)))
    one.start()
    yield one
    one.end()


def ask(service, query, parameters=None, format=None, limit=None, **headers):
    body = {"query": query} | {k: v for k, v in (("parameters", parameters), ("format", format), ("limit", limit)) if v is not None}
    return service.ask("POST", "/sql", json.dumps(body), {"Content-Type": "application/json", **headers})


def rows(answer):
    assert answer.status == 200, answer.body
    return json.loads(answer.body, parse_float=decimal.Decimal)["rows"]


def oracle(service, query):
    """The same statement in a DuckDB of the judges' own, over the Delta tables as its extension reads them."""
    connection = engines.connect()
    for table in service.lake.tables():
        schema, name = table.split(".")
        connection.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.sql(f"CREATE VIEW {table} AS SELECT * FROM delta_scan('{service.lake.folder(table)}')")
    return connection.sql(query).to_arrow_table()


QUERIES = [
    "SELECT id, gender, birth_date, active, family_name FROM silver.patient ORDER BY id",
    "SELECT id, systolic_pressure_value, diastolic_pressure_value, effective_time FROM silver.observation ORDER BY id",
    "SELECT code, count(*), avg(value), max(effective_time) FROM silver.vital_sign GROUP BY 1 ORDER BY 1",
    "SELECT p.id, count(o.id) FROM silver.patient p LEFT JOIN silver.observation o ON o.patient_id = p.id GROUP BY 1 ORDER BY 1",
    "SELECT run, received, written, quarantined, started_at FROM ops.ledger ORDER BY run, range",
    "WITH d AS (SELECT DISTINCT patient_id FROM silver.observation) SELECT count(*) AS n FROM d",
]


def plain(value):
    """A value of DuckDB's client as the interface writes it."""
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
        return text.rstrip("0").rstrip(".") + "Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return decimal.Decimal(repr(value)) if isinstance(value, float) else value


@pytest.mark.parametrize("query", QUERIES)
def test_json_rows_are_those_of_another_engine(service, query):
    expected = oracle(service, query)
    columns = expected.column_names
    answer = ask(service, query)
    assert [column["name"] for column in answer.json()["columns"]] == columns
    assert rows(answer) == [[plain(value) for value in row.values()] for row in expected.to_pylist()]
    assert answer.json()["row_count"] == len(rows(answer)) and answer.json()["truncated"] is False


def test_all_formats_hold_the_same_rows(service):
    query = QUERIES[1]
    as_json = rows(ask(service, query))
    assert as_json
    names = [column["name"] for column in ask(service, query).json()["columns"]]
    lines = ask(service, query, format="ndjson")
    assert lines.headers["Content-Type"].startswith("application/x-ndjson")
    found = [json.loads(line, parse_float=decimal.Decimal) for line in lines.body.splitlines()]
    assert [[row[name] for name in names] for row in found] == as_json
    text = ask(service, query, Accept="text/csv")
    assert text.headers["Content-Type"].startswith("text/csv")
    table = list(csv.reader(io.StringIO(text.body.decode())))
    assert table[0] == names and [row[0] for row in table[1:]] == [row[0] for row in as_json]
    packed = ask(service, query, format="parquet")
    assert packed.headers["Content-Type"] == "application/vnd.apache.parquet"
    arrow = pyarrow.parquet.read_table(io.BytesIO(packed.body))
    expected = oracle(service, query)
    assert engines.fingerprint(arrow) == engines.fingerprint(expected)


def test_parameters_are_values_and_never_text(service):
    query = "SELECT id FROM silver.patient WHERE id = $1"
    assert rows(ask(service, query, ["p1"])) == [["p1"]]
    assert rows(ask(service, query, ["p1' OR '1'='1"])) == []
    assert rows(ask(service, "SELECT ?, ?, ?, ?, ?", [None, True, 7, 1.5, "é'\""])) == [
        [None, True, 7, decimal.Decimal("1.5"), "é'\""]]
    assert rows(ask(service, "SELECT sum(n) FROM range($1) t(n)", [4], format="json")) == [[6]]
    assert ask(service, "SELECT id FROM silver.patient WHERE id = ?", ["p1"], format="parquet").status == 200


def test_a_limit_says_what_it_left_out(service):
    answer = ask(service, "SELECT n FROM range(20) t(n) ORDER BY n", limit=3)
    assert rows(answer) == [[0], [1], [2]] and answer.json()["truncated"] is True
    assert ask(service, "SELECT n FROM range(3) t(n)", limit=3).json()["truncated"] is False
    lines = ask(service, "SELECT n FROM range(20) t(n)", limit=3, format="ndjson")
    assert len(lines.body.splitlines()) == 3 and lines.headers["Vitalake-Truncated"] == "true"
    assert ask(service, "SELECT n FROM range(20000) t(n)").json()["row_count"] == 10_000
    arrow = pyarrow.parquet.read_table(io.BytesIO(ask(service, "SELECT n FROM range(20) t(n)", limit=3, format="parquet").body))
    assert arrow.num_rows == 3


@pytest.mark.parametrize("body, status, words", [
    ({"query": "SELECT nothing FROM silver.patient"}, 400, "nothing"),
    ({"query": "SELECT 1\nFROM silver.pateint"}, 400, "LINE 2"),
    ({"query": "SELEC 1"}, 400, "SELEC"),
    ({"query": "DELETE FROM silver.patient"}, 400, "read"),
    ({"query": "SELECT 1; SELECT 2"}, 400, "one statement"),
    ({"query": "SELECT ?"}, 400, "1 parameters"),
    ({"query": "SELECT * FROM silver.patient AT (VERSION => 999)"}, 400, "999"),
    ({"query": "SELECT * FROM read_text('/etc/hostname')"}, 403, "read_text"),
    ({"query": "SELECT 1 FROM silver.patient AT (VERSION => (SELECT content FROM read_text('x')))"}, 400, "AT"),
    ({"query": "SELECT * FROM \"part-1\".\"parquet\""}, 400, "does not exist"),
    ({"query": "SELECT * FROM '/etc/hostname'"}, (400, 403), "hostname"),
    ({"query": "SELECT 1", "limit": 0}, 400, "limit"),
    ({"query": "SELECT 1", "format": "xml"}, 400, "json"),
    ({"query": "SELECT 1", "else": 1}, 400, "else"),
    ({"query": "SELECT 1", "parameters": [{}]}, 400, "parameters"),
    ({}, 400, "query"),
    ([], 400, "object"),
    ({"query": "SELECT len(range(4000000000))"}, 400, "too many items"),
    ({"query": "SELECT generate_series(TIMESTAMP '2000-01-01', TIMESTAMP '2030-01-01', INTERVAL 1 SECOND)"}, 400, "too many items"),
    ({"query": "SELECT repeat('x', 2000000000)"}, 400, "too many characters"),
])
def test_faults_are_problems_with_their_place(service, body, status, words):
    answer = service.ask("POST", "/sql", json.dumps(body), {"Content-Type": "application/json"})
    assert answer.status in (status if isinstance(status, tuple) else (status,)), answer.body
    assert answer.headers["Content-Type"] == PROBLEM
    assert words in answer.json()["detail"] and answer.json()["status"] == answer.status


def test_other_faults(service):
    assert service.ask("POST", "/sql", "SELECT 1", {"Content-Type": "text/plain"}).status == 415
    assert service.ask("POST", "/sql", "{", {"Content-Type": "application/json"}).status == 400
    assert service.ask("GET", "/sql").status == 405


def resident(process):
    """Bytes of memory the process has."""
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def begin(service, query, **more):
    """A connection whose statement is under way, through a socket that takes little at once."""
    connection = service.connect()
    connection.connect()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    connection.request("POST", "/sql", json.dumps({"query": query, **more}), {"Content-Type": "application/json"})
    return connection, connection.getresponse()


def cut_answers(service):
    lines = service.ask("GET", "/metrics").body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith('vitalake_http_answers_cut_total{route="/sql"'))


def test_a_large_result_needs_little_memory(service):
    """More than 200 MB for a client that reads in steps, between which others are answered."""
    count, width = 210_000, 1000
    query = f"SELECT n, repeat('x', {width}) AS filler FROM range({count}) t(n)"
    assert ask(service, query, limit=2000).status == 200
    (process,) = service.processes
    before = most = resident(process)
    connection, response = begin(service, query, format="csv", limit=count)
    assert response.status == 200 and response.headers["Content-Length"] is None
    digest, size = hashlib.sha256(), 0
    while piece := response.read(8 << 20):
        digest.update(piece)
        size += len(piece)
        assert rows(ask(service, "SELECT 7")) == [[7]]
        most = max(most, resident(process))
    connection.close()
    expected = hashlib.sha256(b"n,filler\n")
    for n in range(count):
        expected.update(b"%d,%s\n" % (n, b"x" * width))
    assert size > 200_000_000 and digest.digest() == expected.digest()
    assert most - before < 100 << 20, f"{(most - before) >> 20} MiB more"


def test_an_error_in_the_middle_is_seen(service):
    before = cut_answers(service)
    query = "SELECT CASE WHEN n < 3000000 THEN n ELSE error('late') END FROM range(4000000) t(n)"
    connection, response = begin(service, query, format="ndjson", limit=4_000_000)
    assert response.status == 200
    with pytest.raises(http.client.IncompleteRead):
        response.read()
    connection.close()
    assert cut_answers(service) == before + 1
    service.await_text("cut off before its end")


def test_a_client_that_leaves_ends_its_statement(service):
    """More of them than there are places for large answers, one after the other."""
    before = cut_answers(service)
    for round in range(12):
        connection, response = begin(service, "SELECT n FROM range(100000000000) t(n)", limit=100_000_000_000)
        assert response.status == 200 and response.read(1 << 20)
        response.close()
        connection.close()
        deadline = time.monotonic() + 60
        while cut_answers(service) < before + round + 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_statements_wait_for_each_other_and_not_taking_in(service):
    """More of them than there are sessions: each is answered or refused; posts and probes go on meanwhile."""
    heavy = "SELECT count(*) FROM range(4000) a, range(4000) b WHERE hash(a.range, b.range) % 7 = 1"
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        running = [pool.submit(ask, service, heavy) for _ in range(30)]
        began = time.monotonic()
        assert service.ask("GET", "/livez").status == 200
        assert service.post(resources.pressure("meanwhile", 111)).status == 202
        assert time.monotonic() - began < 20
        answers = [one.result() for one in running]
    assert {answer.status for answer in answers} <= {200, 503, 504}
    refused = [answer for answer in answers if answer.status == 503]
    assert refused and all(answer.headers["Retry-After"] for answer in refused)
    assert rows(ask(service, "SELECT id FROM silver.observation WHERE id = 'meanwhile'")) == [["meanwhile"]]


def test_the_statement_of_a_client_that_goes_is_ended(service):
    """As many as work at once would go on for half a minute, and the next one wait for them."""
    endless = json.dumps({"query": "SELECT count(*) FROM range(100000000000000)"})
    gone = [service.connect() for _ in range(4)]
    for one in gone:
        one.request("POST", "/sql", endless, {"Content-Type": "application/json"})
    for one in gone:
        one.close()
    began = time.monotonic()
    assert rows(ask(service, "SELECT count(*) FROM silver.observation WHERE id = 'r1'")) == [[1]]
    assert time.monotonic() - began < 20


def listed_at_rest(service):
    """What /tables says, at a time when no table has another version before than after: gold goes on for a while."""
    deadline = time.monotonic() + 60
    while True:
        before = service.lake.versions()
        listed = {table["name"]: table for table in service.ask("GET", "/tables").json()["tables"]}
        if service.lake.versions() == before:
            return before, listed
        assert time.monotonic() < deadline, before


def test_tables_are_told(service):
    versions, listed = listed_at_rest(service)
    for name, version in versions.items():
        table = service.lake.delta(name)
        table.load_as_version(version)
        assert listed[name]["kind"] == "table" and listed[name]["layer"] == name.split(".")[0]
        assert listed[name]["version"] == version, name
        assert listed[name]["files"] == len(table.file_uris())
        assert listed[name]["rows"] == table.to_pyarrow_table().num_rows
    assert {table["layer"] for table in listed.values()} >= {"bronze", "silver", "gold", "ops"}
    one = service.ask("GET", "/tables/silver.patient?history=2").json()
    patients = service.lake.read("silver.patient")
    assert [column["name"] for column in one["columns"]] == patients.column_names
    by_name = {column["name"]: column for column in one["columns"]}
    ids = sorted(patients.column("id").to_pylist())
    assert (by_name["id"]["min"], by_name["id"]["max"]) == (ids[0], ids[-1]) and by_name["id"]["nulls"] == 0
    assert one["properties"]["delta.enableChangeDataFeed"] == "true"
    history = service.lake.delta("silver.patient").history(2)
    assert [entry["version"] for entry in one["history"]] == [entry["version"] for entry in history]
    assert [entry["operation"] for entry in one["history"]] == [entry["operation"] for entry in history]
    assert service.ask("GET", "/tables/silver.none").status == 404
    assert service.ask("GET", "/tables/silver.patient?history=x").status == 400
    views = [name for name, table in listed.items() if table["kind"] == "view"]
    for name in views:
        shown = service.ask("GET", f"/tables/{name}").json()
        assert shown["columns"] and "SELECT" in shown["sql"].upper()


def pages(service, path, name):
    """All rows of a list, page by page."""
    found = []
    while path:
        answer = service.ask("GET", path)
        assert answer.status == 200, answer.body
        found += answer.json()[name]
        path = answer.json()["next"]
    return found


def settled_ledger(service):
    """The rows of ops.ledger once every post that was answered is in it."""
    deadline = time.monotonic() + 30
    while True:
        rows = service.lake.read("ops.ledger").to_pylist()
        posted = sum(row["received"] for row in rows if row["source"] == "vitals")
        if posted >= service.lake.read("bronze.observation_stream").num_rows:
            return rows
        assert time.monotonic() < deadline, rows
        time.sleep(0.05)


def test_ledger_page_by_page(service):
    expected = settled_ledger(service)
    whole = pages(service, "/ledger?limit=1000", "ledger")
    assert len(whole) == len(expected) > 2
    assert pages(service, "/ledger?limit=1", "ledger") == whole
    assert [row["started_at"] for row in whole] == sorted((row["started_at"] for row in whole), reverse=True)
    assert sum(row["received"] for row in whole) == sum(row["received"] for row in expected)
    run = whole[0]["run"]
    assert all(row["run"] == run for row in pages(service, f"/ledger?run={run}", "ledger"))
    assert service.ask("GET", "/ledger?before=nonsense").status == 400


def test_quarantine_and_replay(service):
    before = service.ask("GET", "/quarantine?limit=1").json()
    listed = pages(service, "/quarantine?limit=1", "quarantine")
    expected = service.lake.quarantine()
    assert {row["id"] for row in listed} == {row["id"] for row in expected} and listed
    assert {r["reason"]: r["waiting"] for r in before["reasons"]} == {
        reason: sum(row["reason"] == reason for row in expected) for reason in {row["reason"] for row in expected}}
    one = service.ask("GET", f"/quarantine/{listed[0]['id']}").json()
    assert one["payload"] == next(row["payload"] for row in expected if row["id"] == listed[0]["id"])
    assert service.ask("GET", "/quarantine/none").status == 404
    headers = {"Content-Type": "application/json"}
    done = service.ask("POST", "/quarantine/replay", json.dumps({"reason": listed[0]["reason"]}), headers)
    assert done.status == 200, done.body
    assert done.json()["selected"] == done.json()["still_refused"] >= 1
    assert service.ask("POST", "/quarantine/replay", '{"what": 1}', headers).status == 400
    assert service.ask("POST", "/quarantine/replay", "{}", {"Content-Type": "text/plain"}).status == 415
