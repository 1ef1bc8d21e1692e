"""Alerts and readings as they happen, over HTTP: streams of events, what people do with alerts, the webhook. From the
interface's text and server-sent events as WHATWG HTML defines them."""

import calendar
import http.client
import json
import queue
import re
import threading
import time
from urllib.parse import quote

import pytest

from http_client import JSON
from product import write
from test_alerts import patient, reading
from test_http import Http
from test_outbound import Receiver

LATEST = 60  # seconds that an event may take on a busy machine


class Events:
    """A client of server-sent events: (event, data, id) in the order they come."""

    def __init__(self, service, path, last_id=None):
        self.connection = http.client.HTTPConnection(service.host, timeout=60)
        self.connection.request("GET", path, headers={"Last-Event-ID": last_id} if last_id else {})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"
        self.events, self.ended = queue.Queue(), None
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        event, data, last = "message", [], None
        try:
            while line := self.response.readline():
                name, _, value = line.decode().rstrip("\n").partition(":")
                value = value.removeprefix(" ")
                if line == b"\n":
                    if data:
                        self.events.put((event, json.loads("\n".join(data)), last))
                    event, data = "message", []
                elif name == "event":
                    event = value
                elif name == "data":
                    data.append(value)
                elif name == "id":
                    last = value
            self.ended = "cleanly"
        except (OSError, http.client.HTTPException, AttributeError, ValueError):
            self.ended = "cut off"
        self.events.put(None)

    def next(self, kind="alert", fits=lambda data: True, timeout=LATEST):
        """The next event of a kind (others are passed over)."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.events.get(timeout=max(deadline - time.monotonic(), 0.01))
            assert found is not None, f"the stream ended {self.ended}"
            if found[0] == kind and fits(found[1]):
                return found

    def nothing(self, seconds=0.5):
        time.sleep(seconds)
        return self.events.empty()

    def close(self):
        self.connection.sock.shutdown(2)
        self.connection.close()


@pytest.fixture
def service(tmp_path):
    one = Http(tmp_path)
    one.lake.ingest(write(tmp_path / "patients.json", [patient(f"p{i}") for i in range(1, 10)]))
    try:
        one.start()
        yield one
    finally:
        one.end()


def critical(service, name, who, systolic=205):
    """At or above 200 acts at once: open from the first reading (docs/monitoring.md)."""
    assert service.post(reading(name, -5, systolic, 100, who)).status == 202


def plain(value):
    """Without zeros at the end of a fraction of a second."""
    return re.sub(r"(?<=:\d\d)(?:(\.\d*[1-9])0*|\.0*)?Z$", r"\1", value) if isinstance(value, str) else value


def act(service, alert, deed, **body):
    return service.ask("POST", f"/alerts/{alert['alert_id']}/{deed}", json.dumps(body), JSON)


def place(alert):
    return alert["source_partition"], alert["sequence"]


def problem(answer, status):
    assert answer.status == status, (answer.status, answer.body)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["status"] == status and answer.json()["detail"]


def test_an_alert_arrives(service):
    events = Events(service, "/alerts/stream")
    critical(service, "a", "p1")
    kind, alert, id = events.next()
    assert (alert["patient_id"], alert["state"], alert["change"], alert["severity"]) == ("p1", "open", "opened", "critical")
    assert alert["value"] == 205.0 and json.loads(alert["reading_ids"]) == ["a"] and id
    # The same as the table's row, column by column.
    deadline = time.monotonic() + LATEST
    while not (rows := service.lake.sql("SELECT * FROM ops.alert")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    row = next(r for r in rows if place(r) == place(alert))
    for name, value in alert.items():
        assert plain(row[name]) == plain(value), name
    assert set(alert) == set(row)
    # And as GET /alerts says, at once.
    (listed,) = service.ask("GET", "/alerts?state=on&patient=p1").json()
    assert listed == alert
    assert service.ask("GET", "/alerts?state=closed").json() == []
    assert service.ask("GET", "/alerts?severity=low").json() == []
    # SIGTERM ends the stream as a whole body.
    service.stop()
    while events.events.get(timeout=LATEST) is not None:
        pass
    assert events.ended == "cleanly"


def test_resumed_without_loss_or_repeat(service):
    events = Events(service, "/alerts/stream")
    critical(service, "a", "p1")
    seen = [events.next()]
    events.close()
    for i in range(2, 5):
        critical(service, f"a{i}", f"p{i}")
    events = Events(service, "/alerts/stream", seen[-1][2])
    seen += [events.next() for _ in range(2)]
    events.close()
    # Also by another process, whose partition is in its next epoch.
    service.stop()
    service.start()
    events = Events(service, "/alerts/stream", seen[-1][2])
    seen.append(events.next())
    critical(service, "a5", "p5")
    seen.append(events.next())
    assert events.nothing()
    assert [data["patient_id"] for _, data, _ in seen] == ["p1", "p2", "p3", "p4", "p5"]
    assert len({place(data) for _, data, _ in seen}) == 5
    # Its last position: nothing is left.
    events = Events(service, "/alerts/stream", seen[-1][2])
    assert events.nothing()
    # One of another lake: what was known is to be forgotten.
    other = Events(service, "/alerts/stream", "00000000.0.5")
    assert other.next("reset")[1] == {}
    assert sorted(other.next()[1]["patient_id"] for _ in range(5)) == ["p1", "p2", "p3", "p4", "p5"]


def test_alerts_that_are_on_come_first(service):
    critical(service, "a", "p1")
    critical(service, "b", "p2")
    closed = Events(service, "/alerts/stream")
    assert service.post(reading("b2", -1, 120, 80, "p2")).status == 202
    closed.next(fits=lambda data: data["state"] == "closed")
    service.stop()
    service.start()
    events = Events(service, "/alerts/stream")
    _, alert, id = events.next()
    assert (alert["patient_id"], alert["state"]) == ("p1", "open") and id
    assert events.nothing()
    critical(service, "c", "p3")
    assert events.next()[1]["patient_id"] == "p3"


def actions(service, deed):
    return [row for row in service.lake.read("ops.action").to_pylist() if row["action"] == deed]


def test_what_people_do_with_alerts(service):
    events = Events(service, "/alerts/stream")
    for name, who in (("a", "p1"), ("b", "p2")):
        critical(service, name, who)
    first, second = events.next()[1], events.next()[1]
    answer = act(service, first, "acknowledge", actor="nurse-7", reason="called")
    assert answer.status == 200, answer.body
    assert (answer.json()["acknowledged_by"], answer.json()["alert_id"]) == ("nurse-7", first["alert_id"])
    assert events.next()[1] == answer.json()
    # What was asked for, and the row from which on it counts.
    rows = actions(service, "acknowledge")
    assert [(r["actor"], r["target"], r["reason"]) for r in rows] == [("nurse-7", first["alert_id"], "called")] * 2
    assert sorted(r["source_offset"] is not None for r in rows) == [False, True]

    # Of an earlier run: its partition's epoch is over, its alerts go on.
    service.stop()
    service.start()
    events = Events(service, "/alerts/stream")
    assert {events.next()[1]["alert_id"] for _ in range(2)} == {first["alert_id"], second["alert_id"]}
    before = time.time()
    answer = act(service, second, "snooze", actor="nurse-8", minutes=30)
    assert answer.status == 200, answer.body
    snoozed = events.next()[1]
    assert snoozed["alert_id"] == second["alert_id"] and snoozed == answer.json()
    until = time.strptime(snoozed["snoozed_until"][:19] + "UTC", "%Y-%m-%dT%H:%M:%S%Z")
    assert before + 1799 <= calendar.timegm(until) <= time.time() + 1801
    assert len(actions(service, "snooze")) == 2
    assert act(service, second, "acknowledge", actor="nurse-8").json()["acknowledged_by"] == "nurse-8"

    # A closed one.
    assert service.post(reading("b2", -1, 120, 80, "p2")).status == 202
    events.next(fits=lambda data: data["state"] == "closed")
    problem(act(service, second, "acknowledge", actor="nurse-8"), 409)


def test_a_person_has_the_alerts_of_whom_counts_for_them(service):
    """Merged patients (`replaced-by`), and who is named by an identifier that the person holds; each keeps its patient_id."""
    def of(who):
        return {a["patient_id"] for a in service.ask("GET", f"/alerts?patient={quote(who)}").json()}

    def by_command(who):
        return {a["patient_id"] for a in json.loads(service.lake.run("alerts", "--patient", who, "--format", "json").stdout)}

    def until(wanted, who):
        deadline = time.monotonic() + LATEST
        while of(who) != wanted:
            assert time.monotonic() < deadline, (of(who), wanted)
            time.sleep(0.05)
    critical(service, "a", "p1")
    critical(service, "b", "p2")
    critical(service, "c", "p3")
    until({"p1"}, "p1")
    until({"p2"}, "p2")
    merged = patient("p1") | {"link": [{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}], "meta": {"versionId": "2"}}
    assert service.post(merged).status == 202
    until({"p1", "p2"}, "p2")
    assert of("p1") == {"p1"} and by_command("p2") == {"p1", "p2"} and by_command("p3") == {"p3"}
    # Taken back.
    assert service.post(patient("p1") | {"meta": {"versionId": "3"}}).status == 202
    until({"p2"}, "p2")
    # By an identifier that nobody held when the alert was raised.
    mrn, named = {"system": "urn:mrn", "value": "77"}, "?identifier=urn:mrn|77"
    assert service.post(reading("d", -5, 206, 100) | {"subject": {"identifier": mrn}}).status == 202
    until({named}, named)
    assert of("p4") == set()
    assert service.post(patient("p4") | {"identifier": [mrn], "meta": {"versionId": "2"}}).status == 202
    deadline = time.monotonic() + LATEST
    while named not in of("p4"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert named in by_command("p4") and of("p5") == set()


def test_bad_requests_get_problem_details(service):
    problem(act(service, {"alert_id": "0" * 32}, "acknowledge", actor="nurse-7"), 404)
    for body in ("", "[]", "{", '{"reason": "x"}', '{"actor": 7}', '{"actor": "a", "minutes": 1, "until": "2030-01-01"}',
                 '{"actor": "a", "minutes": 0}', '{"actor": "a", "until": "2020-01-01T00:00:00Z"}'):
        problem(service.ask("POST", f"/alerts/{'0' * 32}/snooze", body, JSON), 400)
    for query in ("state=sleepy", "severity=big", "limit=0", "limit=x", "colour=red"):
        problem(service.ask("GET", f"/alerts?{query}"), 400)
    problem(service.ask("GET", "/alerts/stream", headers={"Last-Event-ID": "no position"}), 400)
    problem(service.ask("GET", "/events?readings=many"), 400)
    problem(service.ask("DELETE", "/alerts"), 405)
    settings = "/patients/p1/settings"
    for body in ("{}", '{"actor": "a", "limits": {"85354-9": {"high": "x"}}}', '{"actor": "a", "oxygen_scale": 3}',
                 '{"actor": "a", "limits": {"1-1": {"high": 5}}}', '{"actor": "a", "device_type": "hand"}',
                 '{"actor": "a", "limits": {"8867-4": {"high": 50, "low": 60}}}',
                 '{"actor": "a", "from": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}'):
        problem(service.ask("PUT", settings, body, JSON), 400)
    # A mistyped member would be taken for an absent one, and what the last settings said would end.
    for method, path, body, said in (
            ("PUT", settings, '{"actor": "a", "pregnat": true}', "`pregnat` is not known; did you mean `pregnant`?"),
            ("PUT", settings, '{"actor": "a", "pregnant": true, "pregnant": false}', "`pregnant` is there twice"),
            ("PUT", settings, '{"actor": "a", "xyzzy": 1}', "`xyzzy` is not known; known are actor, reason, from"),
            ("PUT", settings, '{"actor": "a", "limits": {"2708-6": {"low": 101}}}', "`limits.2708-6.low` must be from 40 to 100 %"),
            ("PUT", settings, '{"actor": "a", "limits": {"8867-4": {"high": -5}}}', "`limits.8867-4.high` must be from 20 to 300 /min"),
            ("POST", f"/alerts/{'0' * 32}/snooze", '{"actor": "a", "minute": 30}', "did you mean `minutes`?"),
            ("POST", f"/alerts/{'0' * 32}/acknowledge", '{"actor": "a", "reasn": "x"}', "did you mean `reason`?"),
            ("POST", f"/alerts/{'0' * 32}/acknowledge", '{"actor": "a", "minutes": 30}', "`minutes` is not known")):
        answer = service.ask(method, path, body, JSON)
        problem(answer, 400)
        assert said in answer.json()["detail"], answer.body
    # Of any client: what a page of another origin can send changes nothing.
    for method, path in (("POST", f"/alerts/{'0' * 32}/acknowledge"), ("POST", f"/alerts/{'0' * 32}/snooze"), ("PUT", settings)):
        for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
            problem(service.ask(method, path, '{"actor": "nurse-7", "minutes": 1}', headers), 415)
    assert service.ask("GET", settings).json() == {"patient_id": "p1", "id_space": "", "settings": []}


def test_settings_of_a_patient(service):
    """160 is the ordinary limit; two readings within an hour alert."""
    events = Events(service, "/alerts/stream")

    def twice(who, systolic):
        for i in (1, 2):
            assert service.post(reading(f"{who}-{systolic}-{i}", i - 100, systolic, 80, who)).status == 202
    answer = service.ask("PUT", "/patients/p2/settings", json.dumps(
        {"actor": "dr-3", "reason": "asked for", "from": "2020-01-01T00:00:00Z", "limits": {"85354-9": {"high": 150}}}), JSON)
    assert answer.status == 200, answer.body
    (setting,) = answer.json()["settings"]
    assert setting["in_force"] and (setting["actor"], setting["limits"]) == ("dr-3", {"85354-9": {"high": 150.0}})
    assert service.ask("GET", "/patients/p2/settings").json() == answer.json()
    twice("p1", 155)
    twice("p2", 156)
    _, alert, _ = events.next()
    assert (alert["patient_id"], alert["rule"], alert["value"]) == ("p2", "high", 156.0)
    # They outlive the process, for a patient it meets later, too; those of the past do not count.
    for who, until in (("p3", None), ("p4", "2020-02-01T00:00:00Z")):
        body = {"actor": "dr-3", "from": "2020-01-01T00:00:00Z", "until": until, "limits": {"85354-9": {"high": 150}}}
        assert service.ask("PUT", f"/patients/{who}/settings", json.dumps(body), JSON).status == 200
    service.stop()
    service.start()
    events = Events(service, "/alerts/stream")
    assert events.next()[1]["patient_id"] == "p2"
    twice("p4", 157)
    twice("p3", 158)
    assert events.next()[1]["patient_id"] == "p3"
    assert {r["target"] for r in actions(service, "settings")} == {"p2", "p3", "p4"}


def test_live_events(service):
    events = Events(service, "/events?readings=5")
    status = events.next("status")[1]
    assert status["alerts"] == {"on": 0, "critical": 0, "told_milliseconds": None} and status["quarantined"] == 0
    assert status["streams"][0]["stream"] == "vitals" and status["streams"][0]["running"]
    assert [layer["layer"] for layer in status["layers"]][:2] == ["bronze", "silver"]
    critical(service, "a", "p1")
    _, seen, _ = events.next("reading")
    assert (seen["id"], seen["patient_id"], seen["vital"], seen["value"], seen["diastolic"]) == ("a", "p1", "85354-9", 205, 100)
    assert seen["level"] == "HH" and seen["alert"] is True and seen["source"] == "vitals"
    events = Events(service, "/events?patient=p2")
    critical(service, "b", "p3")
    critical(service, "c", "p2")
    assert events.next("alert")[1]["patient_id"] == "p2"
    status = events.next("status", lambda data: data["alerts"]["on"] == 3)[1]
    assert status["alerts"]["critical"] == 3 and status["alerts"]["told_milliseconds"]["p50"] > 0
    assert status["readings"] >= 3
    # More than the client wants: what it was not sent is counted.
    few = Events(service, "/events?readings=1")
    lines = "\n".join(json.dumps(reading(f"n{i}", i - 60, 120, 80, "p4")) for i in range(40))
    assert service.post(lines, kind="application/fhir+ndjson").status == 202
    assert few.next("dropped")[1]["sampled"] >= 30


def test_alerts_are_posted_at_once(tmp_path):
    """To a receiver that fails at first: it is asked again, and a run later gets nothing twice."""
    receiver = Receiver([503])
    one = Http(tmp_path, extra=f'outbound: {{webhook: {{url: "{receiver.url}"}}}}')
    one.lake.ingest(write(tmp_path / "patients.json", [patient("p1"), patient("p2")]))
    try:
        one.start()
        events = Events(one, "/alerts/stream")
        critical(one, "a", "p1")
        told = [events.next()[1]]
        posts = [receiver.taken.get(timeout=LATEST)]
        one.stop()
        one.start()
        events = Events(one, "/alerts/stream", "-")
        assert events.next()[1] == told[0]
        critical(one, "b", "p2")
        told.append(events.next()[1])
        posts.append(receiver.taken.get(timeout=LATEST))
        one.stop()
        assert receiver.taken.empty()
    finally:
        one.end()
        receiver.end()
    for alert, (headers, body) in zip(told, posts, strict=True):
        assert headers["X-Vitalake-Position"] == f"ops.alert/{alert['source_partition']}#{alert['sequence']}"
        posted = json.loads(body)
        assert posted["patient_known"] is True
        assert {name: posted[name] for name in alert} == alert
