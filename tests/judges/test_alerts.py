"""Alerts from a real broker: what is raised, that it is raised once, and who hears of it when."""

import json
import queue
import random
import shutil
import signal
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest

from product import ROOT, command, write
from streams import Service

START = datetime.now(timezone.utc).replace(microsecond=0)  # of each test, anew
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"


def component(code, value):
    return {"code": {"coding": [{"system": LOINC, "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}}


def reading(id, seconds, systolic, diastolic, patient="p1", status="final", version=1):
    """A blood pressure taken so many seconds after START."""
    return {"resourceType": "Observation", "id": id, "meta": {"versionId": str(version)}, "status": status,
            "code": {"coding": [{"system": LOINC, "code": "85354-9"}]}, "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": (START + timedelta(seconds=seconds)).isoformat(),
            "component": [component("8480-6", systolic), component("8462-4", diastolic)]}


def patient(id, birth_date="1950-05-01"):
    return {"resourceType": "Patient", "id": id, "birthDate": birth_date}


def history(lake):
    """Rows of ops.alert in the order they were raised in each partition."""
    return sorted(lake.read("ops.alert").to_pylist(), key=lambda row: (row["source_partition"], row["sequence"]))


def await_history(service, enough, timeout=30):
    """Until `enough(rows)` is true of ops.alert; the rows."""
    deadline = time.monotonic() + timeout
    while True:
        rows = history(service.lake) if "ops.alert" in service.lake.tables() else []
        if enough(rows):
            return rows
        assert time.monotonic() < deadline, f"{[(r['change'], r['rule'], r['state']) for r in rows]}\n{service.text()}"
        time.sleep(0.05)


def steps(rows, alert_id=None):
    return [(r["change"], r["rule"], r["state"]) for r in rows if alert_id in (None, r["alert_id"])]


@pytest.fixture(autouse=True)
def start_now():
    """Readings are as fresh as the test, however long the tests before it took."""
    global START
    START = datetime.now(timezone.utc).replace(microsecond=0)


@pytest.fixture
def service(tmp_path, broker, request):
    topics, services = [], []

    def make(partitions=1, extra="", folder="one", known=("p1", "p2", "p3")):
        if not topics:
            topics.append(broker.create(request.node.name, partitions))
        group = f"{topics[0]}-{folder}"  # each lake reads all of the topic
        made = Service(tmp_path / folder, broker, topics[0], extra,
                       source=f'kafka: {{brokers: "{broker.address}", topic: {topics[0]}, group: "{group}"}}')
        if known:
            made.lake.ingest(write(tmp_path / folder / "patients.json", [patient(id) for id in known]))
        services.append(made)
        return made

    yield make
    for one in services:
        one.end()
    for topic in topics:
        broker.delete(topic)


# rules/aha-acc-2025.yaml: above 180 or 120 is severe, pending until a second reading; it ends 5 below its limit.
def test_the_life_of_an_alert(service, broker):
    run = service()
    run.start()
    broker.send(run.topic, [(0, reading("a", -240, 185, 100))])
    rows = await_history(run, lambda rows: rows)
    assert steps(rows) == [("opened", "severe-high", "pending")]
    (first,) = rows
    assert (first["patient_id"], first["vital"], first["severity"]) == ("p1", "85354-9", "high")
    assert (first["value"], first["diastolic"], json.loads(first["reading_ids"])) == (185, 100, ["a"])
    assert first["rule_version"] == "aha-acc-2025 2025.1" and first["notify"] and first["queue"] == "clinical"
    assert first["opened_at"] == START - timedelta(seconds=240)

    broker.send(run.topic, [(0, reading("b", -180, 190, 104))])
    rows = await_history(run, lambda rows: len(rows) >= 2)
    assert steps(rows)[1] == ("updated", "severe-high", "open")
    broker.send(run.topic, [(0, reading("c", -120, 124, 78))])
    rows = await_history(run, lambda rows: len(steps(rows, first["alert_id"])) >= 3)
    assert steps(rows, first["alert_id"])[2] == ("closed", "severe-high", "closed")

    # Another patient's, entered in error: withdrawn under its id.
    broker.send(run.topic, [(0, reading("x", -60, 186, 90, "p2"))])
    rows = await_history(run, lambda rows: any(r["patient_id"] == "p2" for r in rows))
    wrong = next(r["alert_id"] for r in rows if r["patient_id"] == "p2")
    broker.send(run.topic, [(0, reading("x", -60, 186, 90, "p2", "entered-in-error", 2))])
    rows = await_history(run, lambda rows: len(steps(rows, wrong)) >= 2)
    assert steps(rows, wrong) == [("opened", "severe-high", "pending"), ("withdrawn", "severe-high", "withdrawn")]

    current = {row["alert_id"]: row["state"] for row in json.loads(run.lake.run("alerts", "--format", "json").stdout)}
    assert current[first["alert_id"]] == "closed" and current[wrong] == "withdrawn"
    of_p2 = json.loads(run.lake.run("alerts", "--patient", "p2", "--format", "json").stdout)
    assert [row["alert_id"] for row in of_p2] == [wrong]
    run.stop()


def test_who_is_it(service, broker):
    """A critical value of an unknown patient is the operations queue's; then the patient arrives."""
    run = service(known=())
    run.start()
    broker.send(run.topic, [(0, reading("a", -60, 190, 100, "new"))])
    rows = await_history(run, lambda rows: rows)
    assert [(r["change"], r["rule"], r["queue"]) for r in rows] == [("opened", "operations", "operations")]
    run.lake.ingest(write(run.lake.path.parent / "new.json", patient("new")))
    rows = await_history(run, lambda rows: len(rows) >= 3)
    assert steps(rows)[1] == ("opened", "severe-high", "pending")
    assert (rows[2]["change"], rows[2]["rule"], rows[2]["alert_id"]) == ("closed", "operations", rows[0]["alert_id"])
    broker.send(run.topic, [(0, reading("b", -30, 190, 100, "new"))])
    rows = await_history(run, lambda rows: len(rows) >= 4)
    assert steps(rows)[3] == ("updated", "severe-high", "open")
    run.stop()


def test_follow_and_acknowledge(service, broker):
    run = service(extra="monitor: {late_after: 10m}")
    run.start()
    run.lake.run("init")
    follower = subprocess.Popen(command("--lake", run.lake.path, "alerts", "--follow", "--format", "ndjson"),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert follower.stderr.readline() == "following alerts\n"
    lines = queue.Queue()
    threading.Thread(target=lambda: [lines.put(line) for line in follower.stdout], daemon=True).start()
    waits = []
    for number, who in enumerate(("p1", "p2", "p3")):
        sent = time.monotonic()
        broker.send(run.topic, [(0, reading(f"r{number}", -60, 205, 100, who))])
        row = json.loads(lines.get(timeout=30))
        waits.append(time.monotonic() - sent)
        assert (row["change"], row["rule"], row["patient_id"]) == ("opened", "severe-high", who)
        assert row["state"] == "open"  # 200 and above waits for nothing
    assert min(waits) < 1, waits

    run.lake.run("alerts", "ack", row["alert_id"], "--actor", "nurse-7", "--reason", "called")
    answer = json.loads(lines.get(timeout=30))
    assert (answer["alert_id"], answer["acknowledged_by"]) == (row["alert_id"], "nurse-7")
    run.lake.run("alerts", "snooze", row["alert_id"], "--actor", "nurse-8", "--for", "2h")
    answer = json.loads(lines.get(timeout=30))
    assert answer["alert_id"] == row["alert_id"] and answer["snoozed_until"] is not None
    follower.send_signal(signal.SIGTERM)
    assert follower.wait(timeout=20) == 0
    run.stop()
    actions = run.lake.read("ops.action").to_pylist()
    (rules,) = [r for r in actions if r["action"] == "rules"]
    assert "aha-acc-2025 2025.1" in rules["target"] and rules["source_offset"] == 0
    settings = json.loads(rules["payload"])
    assert (settings["late_after_us"], settings["late_critical_within_us"]) == (600_000_000, 86_400_000_000)
    actions = [r for r in actions if r["actor"] == "nurse-7"]
    # What was asked for, and the row from which on it counts.
    asked = ("acknowledge", row["alert_id"], "called")
    assert [(r["action"], r["target"], r["reason"]) for r in actions] == [asked, asked]
    assert sorted(r["source_offset"] is not None for r in actions) == [False, True]

    gone = run.lake.run("alerts", "ack", "0" * 32, "--actor", "nurse-7", expect=1)
    assert "there is no alert" in gone.stderr
    assert "--for" in run.lake.run("alerts", "snooze", row["alert_id"], "--actor", "nurse-7", expect=2).stderr


def test_a_rule_file_with_an_error(service, broker, tmp_path):
    write(tmp_path / "mine/broken.yaml", "name: mine\nguideline: mine\nversion: '1'\neffective: someday\n")
    run = service(extra=f"monitor: {{rules: {tmp_path / 'mine'}}}", known=())
    process = run.start()
    assert process.wait(timeout=30) == 2
    run.processes.clear()
    assert f"{tmp_path / 'mine/broken.yaml'}:" in run.text()


def await_text(service, words, timeout=20):
    deadline = time.monotonic() + timeout
    while words not in service.log.read_text():
        assert time.monotonic() < deadline, service.text()
        time.sleep(0.05)


def activations(lake):
    rows = [row for row in lake.read("ops.action").to_pylist() if row["action"] == "rules"]
    return sorted(rows, key=lambda row: row["ordinal"])


def test_rules_are_read_anew_on_sighup(service, broker, tmp_path):
    """Recorded, then in force from there on; a file with an error changes nothing."""
    built_in = (ROOT / "rules/aha-acc-2025.yaml").read_text()
    rules = write(tmp_path / "rules/aha-acc-2025.yaml", built_in)
    run = service(extra=f"monitor: {{rules: {rules.parent}}}")
    process = run.start()
    broker.send(run.topic, [(0, reading("a", -300, 165, 80))])
    run.await_all()

    rules.write_text(built_in.replace("above: 180}, diastolic: {above: 120}}", "above: }", 1))
    process.send_signal(signal.SIGHUP)
    await_text(run, "rule files refused, the rules in force stay")
    refused = [line for line in run.log.read_text().splitlines() if "refused" in line]
    assert len(refused) == 1 and str(rules) in refused[0]
    assert len(activations(run.lake)) == 1 and process.poll() is None

    old, new = "severe: {systolic: {above: 180}", "severe: {systolic: {above: 160}"
    rules.write_text(built_in.replace(old, new).replace('version: "2025.1"', 'version: "2025.2"'))
    process.send_signal(signal.SIGHUP)
    await_text(run, "from offset 1 on it judges by")
    first, second = activations(run.lake)
    assert (first["source_offset"], second["source_offset"]) == (0, 1) and "aha-acc-2025 2025.2" in second["target"]
    assert "above: 160" in second["payload"]
    broker.send(run.topic, [(0, reading("b", -60, 166, 80, "p2"))])
    rows = await_history(run, lambda rows: rows)
    assert [(r["patient_id"], r["rule"], r["rule_version"]) for r in rows] == [("p2", "severe-high", "aha-acc-2025 2025.2")]
    run.stop()
    # Started anew, without snapshots: the same rules at the same places.
    shutil.rmtree(run.lake.path / "_vitalake/monitor")
    run.start()
    broker.send(run.topic, [(0, reading("c", -30, 167, 80, "p2"))])
    rows = await_history(run, lambda rows: len(rows) > 1)
    assert {r["patient_id"] for r in rows} == {"p2"} and len(activations(run.lake)) == 2


def test_a_stream_judged_by_arrival(service, broker):
    """A sender with one constant time: alerts go by receipt, silver keeps what was sent."""
    run = service()
    run.config.write_text(run.config.read_text().replace("  - name: vitals\n", "  - name: vitals\n    time: received\n"))
    run.start()
    for id, systolic in (("a", 185), ("b", 190)):
        sent = reading(id, 0, systolic, 90)
        sent["effectiveDateTime"] = "2012-09-17T08:00:00Z"
        broker.send(run.topic, [(0, sent)])
        time.sleep(1.1)  # two receipts in two seconds: a confirmation is of another moment
    rows = await_history(run, lambda rows: len(rows) >= 2)
    assert steps(rows)[:2] == [("opened", "severe-high", "pending"), ("updated", "severe-high", "open")]
    assert rows[0]["late_by"] is None and abs((rows[0]["opened_at"] - datetime.now(timezone.utc)).total_seconds()) < 60
    run.await_all()
    assert {row["effective_time"].year for row in run.lake.read("silver.observation").to_pylist()} == {2012}


def test_single_values_are_one_reading(service, broker):
    """8480-6 and 8462-4 as Observations of their own: one reading for the alert and for gold."""
    def single(id, code, seconds, value):
        record = reading(id, seconds, 120, 80)
        del record["component"]
        return record | {"code": component(code, 0)["code"], "valueQuantity": component(code, value)["valueQuantity"],
                         "device": {"reference": "Device/cuff"}}

    run = service()
    run.start()
    for n, (systolic, diastolic) in enumerate([(185, 75), (190, 125)]):
        broker.send(run.topic, [(0, single(f"d{n}", "8462-4", 300 * n - 600, diastolic)), (0, single(f"s{n}", "8480-6", 300 * n - 600, systolic))])
    rows = await_history(run, lambda rows: any(r["state"] == "open" for r in rows))
    run.await_all()
    run.stop()
    severe = [r for r in history(run.lake) if r["rule"] == "severe-high"]
    assert len({r["alert_id"] for r in severe}) == 1 and severe[-1]["state"] == "open"
    person = next(row for row in run.lake.read("gold.patient_observations").to_pylist() if row["id"] == "p1")
    assert (person["readings"], person["last_systolic_pressure"], person["last_diastolic_pressure"]) == (2, 190, 125)


def corpus(seed=20261122):
    """Messages of two partitions: severe, ordinary and normal readings, repeats, corrections, retractions, DELETEs."""
    chance = random.Random(seed)
    people = [f"q{i}" for i in range(12)] + ["nobody"]
    messages, sent = [], []
    for number in range(500):
        who = chance.choice(people)
        partition = people.index(who) % 2
        kind = chance.random()
        if sent and kind < 0.15:
            old, place, of = chance.choice(sent)
            status = chance.choice(["entered-in-error", "corrected", "final"])
            value = old["component"][0]["valueQuantity"]["value"] + (0 if status == "final" else 7)
            seconds = (datetime.fromisoformat(old["effectiveDateTime"]) - START).total_seconds()
            version = 1 if status == "final" else chance.randint(1, 3)
            messages.append((place, reading(old["id"], seconds, value, 95, of, status, version)))
        elif sent and kind < 0.18:
            old, place, _ = chance.choice(sent)
            messages.append((place, {"resourceType": "Bundle", "type": "transaction", "entry": [
                {"request": {"method": "DELETE", "url": f"Observation/{old['id']}"}}]}))
        else:
            systolic = chance.choice([118, 124, 131, 150, 163, 172, 184, 191, 205, 84, 66])
            diastolic = 45 if systolic < 90 else chance.choice([72, 80, 95])
            made = reading(f"n{number}", -500 + number // 2, systolic, diastolic, who)
            sent.append((made, partition, who))
            messages.append((partition, made))
    return messages


# Received times are the broker's, patients are known from the start and no timer falls due, so no column depends on
# when a process ran.
def test_killed_at_random_moments(service, broker):
    known = [f"q{i}" for i in range(12)]
    run = service(partitions=2, known=known)
    messages = corpus()
    chance = random.Random(7)
    kills = 6
    size = len(messages) // kills + 1
    for i in range(kills):
        broker.send(run.topic, messages[i * size:(i + 1) * size])
        process = run.start()
        time.sleep(chance.uniform(0.2, 1.2))
        run.kill(process)
    run.run_to_end()
    whole = service(folder="whole", known=known)
    whole.run_to_end()
    rows = history(run.lake)
    assert rows == history(whole.lake)
    seen = {(r["change"], r["rule"]) for r in rows}
    assert {("opened", "severe-high"), ("updated", "severe-high"), ("closed", "severe-high"),
            ("withdrawn", "severe-high"), ("opened", "severe-low"), ("opened", "operations")} <= seen, seen
    for partition in {r["source_partition"] for r in rows}:
        numbers = [r["sequence"] for r in rows if r["source_partition"] == partition]
        assert numbers == list(range(len(numbers)))
    assert run.lake.counts()["received"] == whole.lake.counts()["received"] == len(messages) + len(known)
    # What changed judgements is on record at the same places; when a clock ticked depends on when a process ran.
    facts = [sorted((r["action"], r["target"], r["source_partition"], r["source_offset"])
                    for r in one.lake.read("ops.action").to_pylist() if r["action"] != "tick") for one in (run, whole)]
    assert facts[0] == facts[1]
    for table in ("ops.alert", "ops.action"):
        run.lake.run("table", "verify", table)
