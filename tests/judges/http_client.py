"""A service that answers HTTP, and what asks it."""

import http.client
import json
import time

from streams import Service

FHIR = "application/fhir+json"
LINES = "application/fhir+ndjson"
JSON = {"Content-Type": "application/json"}


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Http(Service):
    """A service with one stream that takes posts, at a port the system chooses."""

    def __init__(self, folder, source="http: {}", address="127.0.0.1:0", extra="", serve="", tls=None):
        """`serve`: more of that section; `tls`: the context to speak it with."""
        super().__init__(folder, None, "http", source=source, extra=f'serve: {{http: "{address}"{serve}}}\n{extra}')
        self.tls, self.token = tls, None

    def start(self, level="info"):
        process = super().start(level)
        deadline = time.monotonic() + 30
        while not self.listens(process):
            assert time.monotonic() < deadline and process.poll() is None, self.text()
            time.sleep(0.02)
        self.await_ready()
        return process

    def listens(self, process):
        try:
            found = json.loads((self.lake.path / "_vitalake/http.json").read_text())
        except FileNotFoundError:
            return False
        self.url = found["url"]
        self.host = self.url.split("://")[1].replace("0.0.0.0", "127.0.0.1")
        return found["pid"] == process.pid

    def await_ready(self):
        deadline = time.monotonic() + 30
        while self.ask("GET", "/readyz").status != 200:
            assert time.monotonic() < deadline, self.ask("GET", "/readyz").body
            time.sleep(0.05)

    def connect(self, timeout=60):
        if self.tls:
            return http.client.HTTPSConnection(self.host, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection(self.host, timeout=timeout)

    def ask(self, method, path, body=None, headers=None, connection=None):
        one = connection or self.connect()
        login = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        one.request(method, path, body, login | (headers or {}))
        answer = Answer(one.getresponse())
        if connection is None:
            one.close()
        return answer

    def post(self, body, kind=FHIR, path="/ingest", key=None, connection=None, **headers):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        headers = {"Content-Type": kind, **({"Idempotency-Key": key} if key else {}), **headers}
        return self.ask("POST", path, body, headers, connection)

    def readings(self):
        """id -> systolic pressure, as delta-rs reads it."""
        found = self.lake.read("silver.observation").to_pylist()
        assert len({row["id"] for row in found}) == len(found)
        return {row["id"]: row["systolic_pressure_value"] for row in found}

    def bronze(self):
        return self.lake.read("bronze.observation_stream").to_pylist()
