"""TLS and users of the HTTP server, as programs and a browser meet them."""

import json
import shutil
import socket
import ssl
import subprocess
import time

import pytest

import resources
from browser import Tab, running_browser
from http_client import Http
from product import run, write

TOKEN, OTHER = "anna-0123456789abcdef", "metrics-fedcba9876543210"
OPEN = {("GET", "/"), ("GET", "/assets/{name}"), ("GET", "/livez"), ("GET", "/readyz"), ("POST", "/login"), ("POST", "/logout")}


def certificate(folder, name="localhost", days=30, *options):
    """Its files: certificate and key, signed by itself."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", files[0], "-keyout", files[1], *options],
                   check=True, capture_output=True)
    return files


def users(*tokens):
    return ", http_users: [" + ", ".join(f"{{name: user{i}, token: {token}}}" for i, token in enumerate(tokens)) + "]"


def tls_section(cert, key):
    return f", http_tls: {{certificate_file: {cert}, key_file: {key}}}"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A service with TLS and two users, on an address that is not loopback alone."""
    folder = tmp_path_factory.mktemp("secure")
    cert, key = certificate(folder)
    one = Http(folder, address="0.0.0.0:0", serve=users(TOKEN, OTHER) + tls_section(cert, key),
               tls=ssl.create_default_context(cafile=cert))
    one.start()
    yield one
    one.end()


@pytest.fixture
def secure(running):
    running.token = None
    return running


def test_every_route_but_the_named_ones_asks_who(secure):
    secure.token = TOKEN
    routes = [(method.upper(), path) for path, operations in secure.ask("GET", "/openapi.json").json()["paths"].items()
              for method in operations]
    secure.token = None
    assert len(routes) > 30 and OPEN <= set(routes)
    for method, path in routes:
        concrete = path.replace("{", "").replace("}", "")
        for headers in ({}, {"Authorization": "Bearer wrong-0123456789abcdef"}, {"Cookie": "vitalake_session=1.2"}):
            answer = secure.ask(method, concrete, headers=headers)
            if (method, path) in OPEN:
                assert answer.status != 401 or path == "/login", path
                continue
            assert answer.status == 401, (method, path, answer.status)
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="vitalake"'
            if path.startswith(("/fhir", "/ingest")):
                assert answer.json()["issue"][0]["code"] == "login"
            else:
                assert answer.headers["Content-Type"] == "application/problem+json" and answer.json()["status"] == 401


def test_a_body_is_not_read_of_who_may_not_ask(secure):
    before = len(secure.bronze()) if "bronze.observation_stream" in secure.lake.tables() else 0
    assert secure.post(resources.pressure("stranger"), Expect="100-continue").status == 401
    assert len(secure.bronze()) == before


def test_tokens_open_every_kind_of_route(secure):
    for token in (TOKEN, OTHER):
        secure.token = token
        assert secure.post(resources.pressure(f"r-{token}")).status == 202
        assert secure.ask("GET", "/metrics").status == secure.ask("GET", "/fhir/metadata").status == 200
        query = json.dumps({"query": "SELECT count(*) FROM silver.observation"})
        assert secure.ask("POST", "/sql", query, {"Content-Type": "application/json"}).status == 200
    assert f"r-{TOKEN}" in secure.readings()
    found = secure.ask("GET", "/fhir/Observation?_count=1").json()
    assert found["link"][0]["url"].startswith(f"https://{secure.host}/fhir/Observation")
    events = secure.connect()
    events.request("GET", "/events", headers={"Authorization": f"Bearer {TOKEN}"})
    assert events.getresponse().readline().startswith(b"event: ")
    events.close()


def test_why_a_service_is_not_ready_is_told_to_users_alone(tmp_path):
    service = Http(tmp_path, serve=users(TOKEN))
    service.token = TOKEN
    try:
        service.start()
        shutil.move(service.lake.path / "silver/patient", service.lake.path / "patient")
        deadline = time.monotonic() + 30
        while (told := service.ask("GET", "/readyz")).status == 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        service.token = None
        stranger = service.ask("GET", "/readyz")
        faults = [{check["name"]: check["fault"] for check in answer.json()["checks"] if not check["ok"]} for answer in (told, stranger)]
        assert faults[0].keys() == faults[1].keys() == {"lake"}
        assert "silver" in faults[0]["lake"] and stranger.status == 503
        assert "silver" not in faults[1]["lake"] and str(tmp_path) not in faults[1]["lake"]
    finally:
        service.token = TOKEN
        service.end()


def test_a_large_answer_over_tls(secure):
    secure.token = TOKEN
    query = {"query": "SELECT n, repeat('x', 1000) FROM range(20000) t(n)", "format": "csv", "limit": 20_000}
    answer = secure.ask("POST", "/sql", json.dumps(query), {"Content-Type": "application/json"})
    lines = answer.body.splitlines()
    assert len(lines) == 20_001 and lines[-1] == b"19999," + b"x" * 1000


def test_a_client_that_leaves_over_tls_is_noticed(secure):
    secure.token = TOKEN

    def cut():
        lines = secure.ask("GET", "/metrics").body.decode().splitlines()
        return [line for line in lines if line.startswith('vitalake_http_answers_cut_total{route="/sql"')]

    before = cut()
    connection = secure.connect()
    query = {"query": "SELECT n FROM range(100000000000) t(n)", "limit": 100_000_000_000}
    connection.request("POST", "/sql", json.dumps(query), {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"})
    assert connection.getresponse().read(1 << 20)
    connection.close()
    deadline = time.monotonic() + 60
    while cut() == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_many_connections_are_kept_and_pipelined_over_tls(secure):
    host, port = secure.host.split(":")
    request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with secure.tls.wrap_socket(socket.create_connection((host, int(port)), timeout=30), server_hostname="localhost") as one:
        for _ in range(3):
            one.sendall(request * 3)
            got = b""
            while got.count(b"\r\n\r\nok\n") < 3:
                piece = one.recv(65536)
                assert piece, got
                got += piece
        one.sendall(request.replace(b"Host", b"Connection: close\r\nHost"))
        got = b""
        while piece := one.recv(65536):
            got += piece
        assert got.endswith(b"ok\n")


def test_only_tls_of_today_is_spoken(secure):
    host, port = secure.host.split(":")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        with context.wrap_socket(socket.create_connection((host, int(port)), timeout=30)) as one:
            assert one.version() == version.name.replace("_", ".")
    old = subprocess.run(["openssl", "s_client", "-connect", secure.host, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert "Cipher is (NONE)" in old.stdout, old.stdout
    with socket.create_connection((host, int(port)), timeout=30) as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = b""
        while piece := plain.recv(65536):
            got += piece
    assert got.startswith(b"HTTP/1.1 400 ") and b"https://" in got
    with socket.create_connection((host, int(port)), timeout=30) as noise:
        noise.sendall(bytes(range(256)))
        assert b"HTTP/1.1 2" not in noise.recv(65536)
    assert secure.ask("GET", "/livez").status == 200


def test_a_browser_logs_in_once(tmp_path):
    served = Http(tmp_path, serve=users(TOKEN))
    served.start()
    try:
        wrong = served.ask("POST", "/login", '{"token": "guess-0123456789abcdef"}', {"Content-Type": "application/json"})
        assert wrong.status == 401 and "Set-Cookie" not in wrong.headers
        right = served.ask("POST", "/login", json.dumps({"token": TOKEN}), {"Content-Type": "application/json"})
        assert right.status == 204
        flags = right.headers["Set-Cookie"].split("; ")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(flags) and TOKEN not in flags[0]
        assert served.ask("GET", "/tables", headers={"Cookie": flags[0]}).status == 200
        with running_browser() as browser:
            tab = Tab(browser, f"http://{served.host}")
            page = tab.page
            page.goto(tab.url)
            page.fill("#token", "guess-0123456789abcdef")
            page.click("button:has-text('Log in')")
            page.wait_for_selector("[role=alert]:has-text('token')")
            page.fill("#token", TOKEN)
            page.click("button:has-text('Log in')")
            tab.settle()
            tab.open("sql")
            assert not page.query_selector("#token")
            assert page.evaluate("document.cookie") == ""
            tab.close()
    finally:
        served.end()


@pytest.mark.parametrize("case, words", [
    ("nothing", ("http_tls", "http_users")), ("users only", ("http_tls",)), ("tls only", ("http_users",)),
    ("short token", ("16 to 512", "openssl rand")), ("no file", ("gone.pem", "cannot read")),
    ("no certificate", ("text.pem", "BEGIN CERTIFICATE")), ("other key", ("other.key", "localhost.pem")),
    ("passphrase", ("locked.key", "passphrase")), ("no key", ("key_file",)),
])
def test_what_cannot_be_served_safely_is_refused_with_a_remedy(tmp_path, case, words):
    cert, key = certificate(tmp_path)
    text = write(tmp_path / "text.pem", "no certificate")
    other = certificate(tmp_path, "other")[1]
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", locked], check=True)
    serve = {"nothing": "", "users only": users(TOKEN), "tls only": tls_section(cert, key),
             "short token": users("short") + tls_section(cert, key),
             "no file": users(TOKEN) + tls_section(tmp_path / "gone.pem", key),
             "no certificate": users(TOKEN) + tls_section(text, key), "other key": users(TOKEN) + tls_section(cert, other),
             "passphrase": users(TOKEN) + tls_section(cert, locked),
             "no key": users(TOKEN) + f", http_tls: {{certificate_file: {cert}}}"}[case]
    one = Http(tmp_path, address="0.0.0.0:0", serve=serve)
    refused = run("run", "--config", one.config, expect=(1, 2), timeout=60)
    assert all(word in refused.stderr for word in words), refused.stderr
    assert TOKEN not in refused.stderr and len(refused.stderr.strip().splitlines()) <= 3


def test_doctor_looks_at_the_certificate(tmp_path):
    def finding(days, expect):
        cert, key = certificate(tmp_path, "localhost", days)
        one = Http(tmp_path, address="0.0.0.0:8443", serve=users(TOKEN) + tls_section(cert, key))
        done = run("--config", one.config, "doctor", "--format", "json", expect=expect)
        (row,) = [row for row in json.loads(done.stdout) if row["check"] == "http"]
        assert TOKEN not in done.stdout + done.stderr
        return row

    good = finding(300, 0)
    assert good["result"] == "ok" and "https://0.0.0.0:8443 for 1 users" in good["detail"]
    assert finding(3, 0)["result"] != "ok" and "renew" in finding(3, 0)["advice"]
