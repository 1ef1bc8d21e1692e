"""Readings go out again: to a topic of a real broker, joined with the patient, none skipped."""

import hashlib
import hmac
import http.server
import json
import queue
import random
import threading
import time

import pytest
from confluent_kafka import Consumer

from resources import patient, pressure, vital
from streams import Service, by_patient, generate

REFERENCE_FIELDS = {  # what the reference platform sends on, by the names of its silver and gold columns
    "id", "status", "code", "patient_id", "effective_date", "practitioner", "systolic_pressure_value",
    "systolic_pressure_unit", "systolic_interpretation", "diastolic_pressure_value", "diastolic_pressure_unit",
    "diastolic_interpretation", "family_name", "given_name", "ingestion_date"}


class Outbound:
    """A service that publishes, and a reader of its topic."""

    def __init__(self, folder, broker, name, more=""):
        self.topics = [broker.create(name, 2), broker.create(f"{name}-out", 2)]
        self.broker = broker
        self.service = Service(folder, broker, name, f"""
outbound: {{kafka: {{brokers: "{broker.address}", observations: {name}-out}}{more}}}
""")
        self.consumer = Consumer({"bootstrap.servers": broker.address, "group.id": f"{name}-judge",
                                  "auto.offset.reset": "earliest"})
        self.consumer.subscribe([f"{name}-out"])
        self.messages = []

    def send(self, *records):
        self.broker.send(self.service.topic, [(0, record) for record in records])

    def read(self, enough, timeout=30):
        """Reads until `enough(messages)`; each message is (key, value, headers)."""
        deadline = time.monotonic() + timeout
        while not enough(self.messages):
            assert time.monotonic() < deadline, f"{self.messages}\n{self.service.text()}"
            message = self.consumer.poll(0.2)
            if message is None:
                continue
            assert message.error() is None, message.error()
            self.messages.append((message.key(), json.loads(message.value()), dict(message.headers())))
        return self.messages

    def next(self, name, change=None):
        """The next message about a resource."""
        seen = len(self.messages)
        self.read(lambda all: any(v["id"] == name and change in (None, v["change"]) for _, v, _ in all[seen:]))
        return self.messages[-1]

    def end(self):
        self.service.end()
        self.consumer.close()
        for topic in self.topics:
            self.broker.delete(topic)


@pytest.fixture
def outbound(tmp_path, broker, request):
    made = []

    def make(more=""):
        made.append(Outbound(tmp_path, broker, request.node.name, more))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_a_reading_with_its_patient(outbound):
    out = outbound()
    out.service.start()
    # Nobody knows the patient yet: the reading goes out at once, without a name.
    out.send(pressure("o1", 151, 97, performer=[{"reference": "Practitioner/doc"}]))
    key, value, headers = out.next("o1")
    assert key == b"p1"
    assert (value["patient_known"], value["family_name"], value["given_name"]) == (False, None, None)
    # Then the patient comes; the next reading has the name.
    out.send(patient("p1"))
    out.service.await_all()
    out.send(pressure("o2", 185, 100, time="2026-01-05T09:00:00+02:00"))
    key, value, headers = out.next("o2")
    assert key == b"p1"
    assert (value["patient_known"], value["family_name"], value["given_name"]) == (True, "Doe", "Jo")
    assert value["change"] == "insert" and value["status"] == "final"
    assert value["effective_time"] == "2026-01-05T07:00:00.000000Z" and value["effective_date"] == "2026-01-05"
    assert (value["systolic_pressure_value"], value["systolic_pressure_unit"]) == (185.0, "mm[Hg]")
    assert (value["diastolic_pressure_value"], value["diastolic_pressure_unit"]) == (100.0, "mm[Hg]")
    assert value["computed_interpretation_code"] == "HH"  # above 180
    assert value["quality"] == ""
    assert REFERENCE_FIELDS <= value.keys()
    # Which version of the table brought it, and how to read it.
    table, version = headers["position"].decode().split("/")
    assert table == "silver.observation"
    assert headers["schema-version"] == b"1"
    out.service.stop()
    assert int(version) <= out.service.lake.delta(table).version()


def test_corrections_retractions_and_other_vital_signs(outbound):
    out = outbound()
    out.service.start()
    out.send(patient("p1"), pressure("o1", 120, 80, meta={"versionId": "1"}))
    assert out.next("o1")[1]["version"] == "1"
    out.send(pressure("o1", 130, 80, meta={"versionId": "2"}, status="corrected"))
    value = out.next("o1", "update")[1]
    assert (value["version"], value["systolic_pressure_value"], value["status"]) == ("2", 130.0, "corrected")
    out.send(pressure("o1", 130, 80, meta={"versionId": "3"}, status="entered-in-error"))
    value = out.next("o1", "retract")[1]
    assert value["systolic_pressure_value"] is None and value["retracted_at"] is not None
    out.send(vital("h1", "8867-4", 72, "/min"))
    key, value, headers = out.next("h1")
    assert (key, value["code"], value["value"], value["unit"]) == (b"p1", "8867-4", 72.0, "/min")
    assert headers["position"].startswith(b"silver.vital_sign/")
    out.service.stop()
    # A blood pressure's parts are not sent a second time as values of their own.
    assert [v["id"] for _, v, _ in out.messages] == ["o1"] * 3 + ["h1"]


def test_names_are_left_out_on_request(outbound):
    out = outbound(", names: false")
    out.service.start()
    out.send(patient("p1"), pressure("o1"))
    value = out.next("o1")[1]
    assert (value["patient_known"], value["family_name"], value["given_name"]) == (True, None, None)
    assert "Doe" not in json.dumps(value)
    out.service.stop()


def test_what_another_process_takes_in_goes_out_too(outbound, tmp_path):
    out = outbound()
    process = out.service.start()
    out.send(pressure("o1"))
    out.next("o1")
    file = tmp_path / "more.json"
    file.write_text(json.dumps(pressure("o2")))
    out.service.lake.ingest(file)
    assert process.poll() is None
    assert out.next("o2")[0] == b"p1"
    out.service.stop()


def test_killed_at_random_moments_nothing_is_skipped(outbound, tmp_path):
    """Every row that the change feed of silver tells of was sent, repeats recognisable by what they say."""
    out = outbound()
    patients, observations = generate(tmp_path, patients=20, observations=600)
    chance = random.Random(4)
    messages = by_patient(patients + observations, 2)
    size = len(messages) // 6 + 1
    for i in range(6):
        out.broker.send(out.service.topic, messages[i * size:(i + 1) * size])
        process = out.service.start()
        time.sleep(chance.uniform(0.3, 1.2))
        out.service.kill(process)
    out.service.start()
    out.service.await_all()
    out.service.stop()
    expected = set()
    for table, home in (("silver.observation", "true"), ("silver.vital_sign", "panel IS NULL")):
        feed = out.service.lake.rows("table", "changes", table, "--from", 0).to_pylist()
        for row in feed:
            if row["_change_type"] == "update_preimage" or (home != "true" and row["panel"] is not None):
                continue
            change = ("retract" if row["_change_type"] == "delete" or row["retracted_at"] is not None
                      else row["_change_type"].removesuffix("_postimage"))
            expected.add((f"{table}/{row['_commit_version']}", row["patient_id"], row["id"], row["version_id"], change))
    assert len(expected) > 500

    def told(messages):
        return {(h["position"].decode(), (k or b"").decode() or None, v["id"], v["version"], v["change"])
                for k, v, h in messages}
    out.read(lambda messages: len(told(messages)) >= len(expected))
    assert told(out.messages) == expected


class Receiver:
    """A web server that takes posts; the first ones it answers as told."""

    def __init__(self, first_answers):
        self.taken = queue.Queue()
        answers = list(first_answers)
        taken = self.taken

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = answers.pop(0) if answers else 204
                if status < 300:
                    taken.put((dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def test_alerts_go_to_a_topic_and_a_webhook(tmp_path, broker):
    """A severe reading opens an alert as pending at once; a second one confirms it (DOMAIN 5). Two answers of the
    receiver are failures: it is asked again."""
    receiver = Receiver([503, 429])
    topics = [broker.create("hook-in"), broker.create("hook-alerts")]
    service = Service(tmp_path, broker, "hook-in", f"""
outbound:
  kafka: {{brokers: "{broker.address}", alerts: hook-alerts}}
  webhook: {{url: "{receiver.url}", secret: "shared secret"}}
""")
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "hook", "auto.offset.reset": "earliest"})
    consumer.subscribe(["hook-alerts"])
    try:
        service.start()
        now = time.time()

        def at(seconds):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + seconds))
        broker.send("hook-in", [(0, patient("p1"))])
        service.await_all()
        broker.send("hook-in", [(0, pressure("o1", 190, 100, time=at(-120))), (0, pressure("o2", 192, 100, time=at(-1)))])
        posted = []
        while [p["state"] for p in posted if p["rule"] == "severe-high"][-1:] != ["open"]:
            headers, body = receiver.taken.get(timeout=30)
            signed = hmac.new(b"shared secret", headers["X-Vitalake-Timestamp"].encode() + b"." + body, hashlib.sha256)
            assert headers["X-Vitalake-Signature"] == "sha256=" + signed.hexdigest()
            assert headers["X-Vitalake-Position"].startswith("ops.alert/")
            posted.append(json.loads(body))
        severe = [p for p in posted if p["rule"] == "severe-high"]
        assert [p["state"] for p in severe] == ["pending", "open"]
        assert len({p["alert_id"] for p in severe}) == 1
        assert severe[0]["patient_id"] == "p1" and severe[0]["family_name"] == "Doe" and severe[0]["notify"] is True
        assert severe[0]["value"] == 190 and severe[0]["explanation"]
        # The topic has the same, keyed by the patient.
        found = []
        deadline = time.monotonic() + 30
        while len(found) < len(posted):
            assert time.monotonic() < deadline, service.text()
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                assert message.key() == b"p1"
                found.append(json.loads(message.value()))
        assert found[:len(posted)] == posted
        service.stop()
    finally:
        service.end()
        consumer.close()
        receiver.end()
        for topic in topics:
            broker.delete(topic)


def test_a_broker_that_is_away(tmp_path, tmp_path_factory):
    """Taking in goes on; what is missing is published once the broker is back."""
    from kafka_broker import Broker
    feed = tmp_path / "feed.ndjson"
    feed.write_text("")
    broker = Broker(tmp_path_factory.mktemp("away")).start()
    broker.create("away-out")
    service = Service(tmp_path, broker, "feed.ndjson", f"""
outbound: {{kafka: {{brokers: "{broker.address}", observations: away-out}}}}
""", source=f"file: {{path: {feed}}}")
    try:
        service.start()
        broker.stop()
        lines = [json.dumps(pressure(f"o{i}")) + "\n" for i in range(3)]
        feed.write_text("".join(lines))
        service.await_position("ops.ledger", "vitals/feed.ndjson/0/0", len(lines[0] + lines[1]) + 1)
        broker.start()
        consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "judge", "auto.offset.reset": "earliest"})
        consumer.subscribe(["away-out"])
        names = set()
        deadline = time.monotonic() + 40
        while names != {"o0", "o1", "o2"}:
            assert time.monotonic() < deadline, service.text()
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                names.add(json.loads(message.value())["id"])
        consumer.close()
        service.stop()
    finally:
        service.end()
        broker.stop()
