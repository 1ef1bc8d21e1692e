"""Taking in over HTTP, from the interface's text: what is answered, what is then in the tables, restarts and kills, bad
clients, health and metrics."""

import concurrent.futures
import contextlib
import datetime
import gzip
import http.client
import json
import random
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

import resources
from http_client import FHIR, LINES, Answer, Http
from product import OUTCOMES, run


@pytest.fixture
def service(tmp_path):
    one = Http(tmp_path)
    try:
        yield one
    finally:
        one.end()


def counts(answer):
    assert answer.status == 202, answer.body
    told = answer.json()
    assert told["received"] == sum(told[o] for o in OUTCOMES), told
    return {name: told[name] for name in ("received", *OUTCOMES) if told[name]}


def issues(answer):
    told = answer.json()
    outcome = told if told.get("resourceType") == "OperationOutcome" else told["outcome"]
    assert outcome["resourceType"] == "OperationOutcome" and outcome["issue"]
    return outcome["issue"]


def test_what_is_answered_is_in_the_tables(service):
    service.start()
    one = service.post(resources.pressure("single", 121))
    assert counts(one) == {"received": 1, "written": 1}
    assert one.json()["position"] == "http/0/0" and one.json()["stream"] == "vitals"
    assert service.readings() == {"single": 121}
    many = [resources.pressure(f"b{i}", 100 + i) for i in range(20)]
    assert counts(service.post(resources.bundle(*many))) == {"received": 20, "written": 20}
    assert counts(service.post([*many, resources.pressure("array")])) == {"received": 21, "written": 1, "duplicate": 20}
    lines = "\n".join(json.dumps(resources.pressure(f"line{i}")) for i in range(3))
    assert counts(service.post(lines, LINES)) == {"received": 3, "written": 3}
    packed = gzip.compress(json.dumps(resources.pressure("packed")).encode())
    assert counts(service.post(packed, **{"Content-Encoding": "gzip"})) == {"received": 1, "written": 1}
    assert len(service.readings()) == 1 + 20 + 1 + 3 + 1
    for path, body in (("/fhir", resources.patient("p1")), ("/fhir/Patient", resources.patient("p2")),
                       ("/fhir/Observation", resources.pressure("alias")), ("/ingest/vitals", resources.pressure("named")),
                       ("/ingest?stream=vitals", resources.pressure("asked"))):
        assert counts(service.post(body, path=path)) == {"received": 1, "written": 1}, path
    older = resources.pressure("single", 90, meta={"lastUpdated": "2020-01-01T00:00:00Z"})
    newer = resources.pressure("single", 130, meta={"lastUpdated": "2026-02-01T00:00:00Z"})
    assert counts(service.post(newer)) == {"received": 1, "written": 1}
    assert counts(service.post(older)) == {"received": 1, "superseded": 1}
    assert counts(service.post({"resourceType": "Practitioner", "id": "dr"})) == {"received": 1, "out_of_scope": 1}
    assert service.readings()["single"] == 130
    assert sorted(row["offset"] for row in service.bronze()) == list(range(13))
    assert packed in [row["payload"] for row in service.bronze()]
    service.stop()
    assert service.lake.counts()["received"] == 1 + 20 + 21 + 3 + 1 + 5 + 3
    assert service.lake.value("SELECT count(*) AS n FROM gold.patient_observations WHERE readings > 0") >= 1


def test_a_retraction_under_a_code_that_is_out_of_scope(service):
    service.start()

    def haemoglobin(name, **more):
        return resources.vital(name, "718-7", 14, "g/dL", **{"status": "entered-in-error", "category": [], **more})
    service.post(resources.bundle(resources.pressure("panel"), resources.vital("pulse", "8867-4", 70, "/min"), resources.vital("stays", "8867-4", 71, "/min")))
    assert counts(service.post(haemoglobin("stays", status="final"))) == {"received": 1, "out_of_scope": 1}
    assert counts(service.post(haemoglobin("none"))) == {"received": 1, "out_of_scope": 1}
    known = resources.bundle(haemoglobin("panel"), haemoglobin("pulse"), haemoglobin("none"))
    assert counts(service.post(known)) == {"received": 3, "written": 2, "out_of_scope": 1}
    assert service.readings() == {"panel": None}  # it stays where it was, emptied
    rows = {row["id"]: row for row in service.lake.read("silver.vital_sign").to_pylist()}
    assert {key for key, row in rows.items() if row["value"] is not None} == {"stays"}
    assert {key for key, row in rows.items() if row["retracted_at"]} == {"panel", "pulse"}


def test_a_mixed_body_is_taken_in_and_says_what_was_not(service):
    service.start()
    body = "\n".join(["not JSON", json.dumps(resources.pressure("good")), json.dumps(resources.pressure("odd", 900)), "{}"])
    answer = service.post(body, LINES)
    assert counts(answer) == {"received": 4, "written": 1, "quarantined": 3}
    quarantined = service.lake.quarantine()
    assert len(quarantined) == len(issues(answer)) == 3
    told = " ".join(issue["diagnostics"] for issue in issues(answer))
    for row in quarantined:
        assert row["position"].startswith("http/0/0") and row["position"] in told
    assert any("Observation.component[0].valueQuantity.value" in issue.get("expression", []) for issue in issues(answer))
    assert list(service.readings()) == ["good"]


def test_what_cannot_be_taken_in_is_refused_and_leaves_nothing(service):
    service.start()
    good = json.dumps(resources.pressure("good"))
    for status, answer in (
            (400, service.post("{not JSON")), (400, service.post("")), (400, service.post("one\ntwo\n", LINES)),
            (400, service.post(good[:-20])), (400, service.post(good, **{"Content-Encoding": "gzip"})),
            (400, service.post(gzip.compress(good.encode())[:-20], **{"Content-Encoding": "gzip"})),
            (400, service.post(good, key="k" * 256)),
            (404, service.post(good, path="/ingest/other")), (404, service.post(good, path="/ingest?stream=other")),
            (405, service.ask("GET", "/ingest")), (405, service.ask("PUT", "/fhir/Patient", good)),
            (413, service.post("x" * (17 << 20))),
            (413, service.post(gzip.compress(b"[" + b" " * 80_000_000 + b"]"), **{"Content-Encoding": "gzip"})),
            (415, service.post(good, "text/html")), (415, service.post(good, "application/fhir+xml")),
            (415, service.post(good, f"{FHIR}; charset=latin1")), (415, service.post(good, **{"Content-Encoding": "br"})),
            (415, service.ask("POST", "/ingest", good, {}))):
        assert answer.status == status, (status, answer.status, answer.body)
        assert answer.headers["Content-Type"].startswith(FHIR)
        assert issues(answer)[0]["severity"] == "error" and issues(answer)[0]["diagnostics"]
        assert "Allow" in answer.headers or status != 405
    missing = service.ask("GET", "/nowhere")
    assert missing.status == 404 and missing.headers["Content-Type"] == "application/problem+json"
    assert missing.json()["status"] == 404
    assert counts(service.post(good, f'{FHIR}; charset="UTF-8"')) == {"received": 1, "written": 1}
    assert len(service.bronze()) == 1
    assert not service.lake.quarantine()


def test_a_broken_first_line_is_lost_alone(service):
    service.start()
    for number, first in enumerate(("{", "[", "{},", "one", "\0")):
        names = [f"{kind}{number}" for kind in "abc"]
        body = "\n".join([first, *(json.dumps(resources.pressure(name)) for name in names[:2])]).encode()
        assert counts(service.post(body, LINES)) == {"received": 3, "written": 2, "quarantined": 1}, first
        body = "\n".join([first, json.dumps(resources.pressure(names[2]))]).encode()
        packed = service.post(gzip.compress(body), LINES, **{"Content-Encoding": "gzip"})
        assert counts(packed) == {"received": 2, "written": 1, "quarantined": 1}, first
    assert len(service.readings()) == 15


def test_a_post_of_megabytes_is_taken_in_plain_and_packed(service):
    service.start()
    for size, name in ((1_200_000, "two"), (15_000_000, "fifteen")):
        body = json.dumps(resources.pressure(name, note=[{"text": "x" * size}]))
        assert counts(service.post(body)) == {"received": 1, "written": 1}, name
    chance = random.Random(1)
    body = json.dumps([resources.pressure(f"r{i}", note=[{"text": chance.randbytes(5_000).hex() * 100}]) for i in range(60)])
    packed = service.post(gzip.compress(body.encode()), **{"Content-Encoding": "gzip"})
    assert counts(packed) == {"received": 60, "written": 60}
    assert len(service.readings()) == 62


def test_a_key_is_taken_in_once_also_after_a_restart(service):
    service.start()
    body = json.dumps([resources.pressure("once"), {}])
    first = service.post(body, key="the key")
    assert counts(first) == {"received": 2, "written": 1, "quarantined": 1}
    plain = service.post(resources.pressure("plain"), key="another")
    assert "Idempotency-Replayed" not in first.headers
    for restarts in range(2):
        if restarts:
            service.stop()
            service.start()
        again = service.post(body, key="the key")
        assert again.status == 202 and again.json() == first.json() and again.headers["Idempotency-Replayed"] == "true"
        assert service.post(resources.pressure("plain"), key="another").json() == plain.json()
        assert service.post(resources.pressure("other"), key="the key").status == 422
    service.stop()
    assert set(service.readings()) == {"once", "plain"} and len(service.bronze()) == 2
    assert service.lake.counts()["received"] == 3


def test_killed_between_post_and_answer_the_retry_makes_one_row(service):
    expected = {}
    process = service.start()
    for turn, pause in enumerate((0.0, 0.04, 0.08, 0.15)):
        name = f"r{turn}"
        body = json.dumps(resources.pressure(name, 100 + turn))
        with contextlib.closing(service.connect()) as connection:
            connection.request("POST", "/ingest", body, {"Content-Type": FHIR, "Idempotency-Key": name})
            time.sleep(pause)  # kills at different places of the way; each must do
            service.kill(process)
        process = service.start()
        assert counts(service.post(body, key=name)) == {"received": 1, "written": 1}
        expected[name] = 100 + turn
        assert service.readings() == expected
        assert len(service.bronze()) == len(expected)
    service.stop()
    assert service.lake.counts() == {**dict.fromkeys(OUTCOMES, 0), "received": 4, "written": 4}


def test_a_thousand_posts_at_once_are_a_thousand_rows(service):
    service.start()
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda i: service.post(resources.pressure(f"r{i}", 100 + i % 50)), range(1000)))
    assert all(counts(answer) == {"received": 1, "written": 1} for answer in answers)
    assert {answer.json()["position"] for answer in answers} == {f"http/0/{i}" for i in range(1000)}
    assert service.readings() == {f"r{i}": 100 + i % 50 for i in range(1000)}
    # Many posts share a commit.
    assert service.lake.delta("silver.observation").version() < 100
    service.stop()
    assert service.lake.counts() == {**dict.fromkeys(OUTCOMES, 0), "received": 1000, "written": 1000}


def test_whatever_got_its_202_before_a_stop_is_in_the_tables(service):
    process = service.start()
    taken, refused = set(), set()

    def post(worker):
        for i in range(10_000):
            name = f"w{worker}-{i}"
            try:
                status = service.post(resources.pressure(name)).status
            except (OSError, http.client.HTTPException):
                return  # it does not listen any more
            (taken if status == 202 else refused).add((name, status))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        workers = [pool.submit(post, w) for w in range(8)]
        deadline = time.monotonic() + 30
        while len(taken) < 50 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, service.text()
        service.processes.remove(process)
        for worker in workers:
            worker.result()
    assert len(taken) >= 50 and {status for _, status in refused} <= {503}
    assert {name for name, _ in taken} <= set(service.readings())
    assert service.lake.counts()["received"] == len(service.bronze()) == len(service.readings())


def test_names_that_lead_here_from_elsewhere_are_not_served(service):
    service.start()
    port = service.host.split(":")[1]
    for host, status in (("localhost", 200), (f"127.0.0.1:{port}", 200), (f"[::1]:{port}", 200), (f"rebound.example:{port}", 421),
                         ("127.0.0.1.rebound.example", 421), ("10.0.0.1", 421)):
        answer = service.ask("GET", "/tables", None, {"Host": host})
        assert answer.status == status, host
    assert "localhost" in answer.json()["detail"]


def test_bad_clients_are_closed_and_pipelined_ones_served(service):
    service.start()
    host, port = service.host.split(":")
    slow = socket.create_connection((host, int(port)))
    slow.sendall(b"POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-")
    begin = time.monotonic()
    body = json.dumps(resources.pressure("first")).encode()
    post = b"POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection((host, int(port)), timeout=30) as piped:
        piped.sendall(post + body + b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" + post + body
                      + b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = b""
        while piece := piped.recv(65536):
            got += piece
    assert re.findall(rb"HTTP/1\.1 (\d+)", got) == [b"202", b"200", b"202", b"404"]
    with socket.create_connection((host, int(port)), timeout=30) as noise:
        noise.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\r\n\r\n")
        assert noise.recv(65536).startswith(b"HTTP/1.1 400 ") or not noise.recv(1)
    slow.settimeout(30)
    assert slow.recv(1) == b"" and time.monotonic() - begin < 20
    slow.close()
    assert service.ask("GET", "/livez").status == 200


def test_health_and_metrics(service):
    process = service.start()
    assert service.ask("GET", "/livez").status == 200
    ready = service.ask("GET", "/readyz").json()
    assert ready["ready"] and {check["name"] for check in ready["checks"]} >= {"lake", "engine", "stream vitals"}
    secret = "Xylophonist"
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    severe = 'stream="vitals",rule="severe-high",severity="critical"'
    service.post([{**resources.patient("p1"), "name": [{"family": secret}]}, resources.pressure("o1"), {"name": secret},
                  resources.pressure("o2", 205, 100, time=now)])
    wanted = {'vitalake_http_requests_total{route="/ingest",method="POST",status="202"} 1',
              'vitalake_stream_messages_total{stream="vitals"} 1', 'vitalake_stream_batches_total{stream="vitals"} 1',
              'vitalake_stream_records_total{stream="vitals",outcome="written"} 3',
              'vitalake_stream_records_total{stream="vitals",outcome="quarantined"} 1',
              'vitalake_stream_lag_messages{stream="vitals"} 0', 'vitalake_stream_lag_seconds{stream="vitals"} 0',
              'vitalake_stream_commit_duration_seconds_count{stream="vitals"} 1',
              f'vitalake_stream_alerts_total{{{severe},change="opened"}} 1', f'vitalake_stream_alerts_notified_total{{{severe}}} 1',
              *(f'vitalake_stream_detections_total{{stream="vitals",detector="{one}"}} 0' for one in ("spike", "shift", "drift"))}
    deadline = time.monotonic() + 10
    while True:  # numbers follow the answer by a moment, lags by two seconds
        metrics = service.ask("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        assert metrics.status == 200 and metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = gzip.decompress(metrics.body).decode()
        if wanted <= set(text.splitlines()):
            break
        assert time.monotonic() < deadline, wanted - set(text.splitlines())
        time.sleep(0.1)
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0 and not checked.stderr, checked.stderr + checked.stdout
    assert secret not in text and "o1" not in text
    assert 'vitalake_table_updated_timestamp_seconds{table="silver.observation"}' in text
    # Its lake is gone: not ready, and alive.
    shutil.move(service.lake.path / "silver/patient", service.lake.path / "patient")
    deadline = time.monotonic() + 20
    while (gone := service.ask("GET", "/readyz")).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert gone.status == 503 and [check["name"] for check in gone.json()["checks"] if not check["ok"]] == ["lake"]
    assert service.ask("GET", "/livez").status == 200
    service.kill(process)


def test_the_generator_goes_on_where_it_was(tmp_path):
    service = Http(tmp_path, source="generator: {patients: 20, rate: 200, seed: 5}")
    try:
        for turn in (1, 2):
            process = service.start()
            service.await_position("silver.observation", "vitals/generator/0/0", 150 * turn)
            service.kill(process)
        service.start()
        service.stop()
    finally:
        service.end()
    ids = [json.loads(row["payload"])["id"] for row in sorted(service.bronze(), key=lambda row: row["offset"])]
    assert [row for row in range(len(ids))] == sorted(row["offset"] for row in service.bronze())
    assert ids[:20] == [f"pat-{i:06d}" for i in range(20)] and len(set(ids)) == len(ids) >= 300
    assert service.lake.counts() == {**dict.fromkeys(OUTCOMES, 0), "received": len(ids), "written": len(ids)}


def test_generated_records_are_posted(service, tmp_path):
    service.start()
    target = f"{service.url}/ingest"
    for what, count, more in (("patients", 20, ()), ("observations", 300, ("--rate", 3000))):
        run("generate", what, count, "--to", tmp_path / f"{what}.ndjson")
        run("generate", what, count, "--to", target, *more)
    for table, file in (("silver.patient", "patients"), ("silver.observation", "observations")):
        sent = [json.loads(line)["id"] for line in (tmp_path / f"{file}.ndjson").read_text().splitlines()]
        assert sorted(service.lake.read(table)["id"].to_pylist()) == sorted(sent)
    missing = run("generate", "patients", 1, "--to", f"{service.url}/ingest/nothing", expect=1)
    assert "404" in missing.stderr and "http stream" in missing.stderr
    service.stop()
    gone = run("generate", "patients", 1, "--to", target, expect=1)
    assert target in gone.stderr and len(gone.stderr.splitlines()) <= 2, gone.stderr


def test_addresses_that_are_refused(service, tmp_path):
    service.start()
    for address, words in (("0.0.0.0:0", "not on loopback"), (service.host, "another port"), ("off", "is off")):
        other = Http(tmp_path, address=address)
        other.lake.path = tmp_path / "other"
        refused = run("run", "--config", other.config, expect=(1, 2), timeout=60)
        assert words in refused.stderr and len(refused.stderr.strip().splitlines()) <= 3, refused.stderr
    assert service.ask("GET", "/livez").status == 200
