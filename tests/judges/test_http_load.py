"""Many clients of the HTTP server at once: those that only hold a connection, those that ask, and a statement that takes long."""

import concurrent.futures
import http.client
import json
import resource
import socket
import threading
import time

import pytest

import resources
from http_client import Http

MOST = 1024  # connections, as docs/http.md says
HEAVY = "SELECT count(*) FROM range(6000) a, range(6000) b WHERE hash(a.range, b.range) % 7 = 1"
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Started with the usual limit of 1,024 files; its clients here have a file for each connection, too."""
    one = Http(tmp_path_factory.mktemp("load"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard > 2 * MOST, f"these tests need more open files than {hard}: raise the hard limit (ulimit -Hn)"
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        one.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        assert one.post([resources.patient("p1"), resources.pressure("r1", 131.5)]).status == 202
        yield one
    finally:
        one.end()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(service):
    host, port = service.host.split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def ask_live(one):
    """Whether the connection gets its answer."""
    one.sendall(LIVE)
    got = b""
    while not got.endswith(b"ok\n"):
        piece = one.recv(4096)
        if not piece:
            return False
        got += piece
    return True


def close_all(connections):
    for one in connections:
        one.close()


def test_idle_clients_are_no_burden_to_busy_ones(service):
    """200 that hold a connection, 50 that ask for all kinds of things over one each."""
    idle = [connect(service) for _ in range(200)]
    asked = [("GET", "/livez", None), ("GET", "/fhir/Observation?_count=5", None), ("GET", "/tables", None), ("GET", "/alerts", None),
             ("POST", "/sql", '{"query": "SELECT id FROM silver.observation"}'), ("GET", "/readyz", None)]

    def work(number):
        connection, statuses = service.connect(timeout=120), []
        for turn in range(12):
            method, path, body = asked[(number + turn) % len(asked)]
            while True:
                answer = service.ask(method, path, body, {"Content-Type": "application/json"} if body else {}, connection)
                if answer.status != 503 or path == "/readyz":
                    break
                time.sleep(float(answer.headers["Retry-After"]) / 10)
            statuses.append(answer.status)
        connection.close()
        return statuses

    try:
        assert all(ask_live(one) for one in idle)
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            for statuses in pool.map(work, range(50)):
                assert statuses == [200] * 12
        assert all(ask_live(one) for one in idle), "still there, with what they had before"
    finally:
        close_all(idle)


def test_a_thousand_connections_are_served_and_more_are_refused(service):
    held = [connect(service) for _ in range(1000)]
    try:
        assert all(ask_live(one) for one in held)
        refused = 0
        for _ in range(MOST - 1000 + 10):
            held.append(connect(service))
            held[-1].sendall(LIVE)
            refused += b" 503 " in held[-1].recv(4096)
        assert 1 <= refused <= 20, refused
        # Those that have one are still served.
        assert all(ask_live(one) for one in held[:100])
    finally:
        close_all(held)
    deadline = time.monotonic() + 30
    while service.ask("GET", "/livez").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_probes_answer_while_heavy_statements_run(service):
    ended = threading.Event()
    statuses = []

    def heavy():
        while not ended.is_set():
            try:
                statuses.append(service.ask("POST", "/sql", json.dumps({"query": HEAVY}), {"Content-Type": "application/json"}).status)
            except (OSError, http.client.HTTPException) as error:
                statuses.append(error)

    threads = [threading.Thread(target=heavy) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        seconds = []
        for path in ("/livez", "/metrics", "/readyz") * 40:
            begin = time.monotonic()
            assert service.ask("GET", path).status == 200, path
            seconds.append(time.monotonic() - begin)
        assert max(seconds) < 10 and sorted(seconds)[len(seconds) // 2] < 1, sorted(seconds)[-5:]
        assert service.post(resources.pressure("meanwhile", 118)).status == 202
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert statuses and set(statuses) <= {200, 503, 504}, statuses
