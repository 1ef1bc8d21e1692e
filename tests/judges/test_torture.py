"""A service killed again and again, at places that have a name and at random moments, while a broker feeds it; and one
that runs on for a while. In the end the tables are what plain Python makes of the same messages, one by one.

`make test` does a little of it, `make torture` a lot: TORTURE_KILLS kills, TORTURE_SOAK seconds.
"""

import collections
import json
import os
import pathlib
import random
import signal
import time

import pytest
from confluent_kafka import Consumer

import resources
from product import write
from streams import Service

KILLS = int(os.environ.get("TORTURE_KILLS", 25))
SOAK = float(os.environ.get("TORTURE_SOAK", 6))
PARTITIONS = 2
PATIENTS = [f"t{i}" for i in range(24)]
POINTS = [f"{when} {kind}" for kind in ("bronze-file", "bronze-commit", "silver-file", "silver-commit", "alert-commit",
                                        "alert-publish", "offset-commit", "ledger-commit", "gold-commit",
                                        "compaction-commit", "snapshot") for when in ("before", "after")]
CONFIG = """
outbound: {{kafka: {{brokers: "{broker}", alerts: {topic}-alerts}}}}
maintain: {{small_files: 6}}
serve: {{http: off}}
"""


class Messages:
    """Readings, corrections, retractions, DELETEs, repeats and poison; the same seed gives the same ones."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.sent = []
        self.number = 0

    def reading(self, name, patient, systolic, version, status="final"):
        return resources.pressure(name, systolic, 45 if systolic < 90 else 80, f"Patient/{patient}", status=status,
                                  time=f"2026-01-{1 + int(name[1:]) % 28:02d}T{int(name[1:]) % 24:02d}:00:00Z",
                                  meta={"versionId": str(version)})

    def next(self):
        """(partition, payload): all of a reading lie in one partition, so their order is that of the offsets."""
        kind = self.chance.random()
        if kind < 0.02:
            return self.chance.randrange(PARTITIONS), self.chance.choice(["no JSON", '{"resourceType":"Observation"', "{}"])
        if self.sent and kind < 0.25:
            name, patient, payload = self.chance.choice(self.sent[-400:])
            version = self.chance.randint(1, 4)
            if kind < 0.06:
                payload = self.reading(name, patient, 120, version, "entered-in-error")
            elif kind < 0.08:
                payload = resources.bundle({"request": {"method": "DELETE", "url": f"Observation/{name}"}})
            elif kind < 0.2:
                payload = self.reading(name, patient, self.chance.randint(95, 210), version, "corrected")
            return PATIENTS.index(patient) % PARTITIONS, payload
        self.number += 1
        name, patient = f"r{self.number}", self.chance.choice(PATIENTS)
        made = self.reading(name, patient, self.chance.choice([112, 124, 133, 151, 166, 185, 204, 84]), 1)
        self.sent.append((name, patient, made))
        return PATIENTS.index(patient) % PARTITIONS, made

    def take(self, count):
        return [self.next() for _ in range(count)]


def oracle(messages):
    """Reading -> (systolic, diastolic), or None when it is retracted; and how many messages can be used."""
    rows, usable = {}, 0
    for _, payload in messages:
        if isinstance(payload, str):
            continue
        usable += 1
        if payload["resourceType"] == "Bundle":
            name = payload["entry"][0]["request"]["url"].split("/")[1]
            rows[name] = (float("inf"), True), None, None  # without a version: for good
            continue
        rank = int(payload["meta"]["versionId"]), payload["status"] == "entered-in-error"
        content = {key: value for key, value in payload.items() if key != "meta"}
        values = None if rank[1] else tuple(part["valueQuantity"]["value"] for part in payload["component"])
        known = rows.get(payload["id"])
        if known and known[1] == content:  # a repeat; a higher version of it counts from now on
            rows[payload["id"]] = max(rank, known[0]), *known[1:]
        elif not known or rank >= known[0]:  # among equals the later
            rows[payload["id"]] = rank, content, values
    return {name: values for name, (_, _, values) in rows.items()}, usable


def assert_sound(service, messages, broker):
    """Tables against the messages: every one once, each reading as its highest version says."""
    lake = service.lake
    wanted, usable = oracle(messages)
    found = {row["id"]: None if row["retracted_at"] else (row["systolic_pressure_value"], row["diastolic_pressure_value"])
             for row in lake.read("silver.observation").to_pylist()}
    assert found == wanted
    sent = collections.defaultdict(list)
    for partition, payload in messages:
        sent[f"vitals/{service.topic}/{partition}/0"].append((payload if isinstance(payload, str) else json.dumps(payload)).encode())
    kept = collections.defaultdict(dict)
    for row in lake.read("bronze.observation_stream").to_pylist():
        assert row["offset"] not in kept[row["partition"]], "a message twice"
        kept[row["partition"]][row["offset"]] = row["payload"]
    assert {name: [rows[offset] for offset in sorted(rows)] for name, rows in kept.items()} == dict(sent)
    counts = lake.counts()
    assert (counts["received"], counts["quarantined"]) == (len(messages) + len(PATIENTS), len(messages) - usable)
    # Gold of the same rows, by hand.
    readings = {row["id"]: row["readings"] for row in lake.read("gold.patient_observations").to_pylist()}
    owner = {p["id"]: p["subject"]["reference"].split("/")[1] for _, p in messages if isinstance(p, dict) and "subject" in p}
    of_whom = collections.Counter(owner[name] for name, values in wanted.items() if values)
    assert readings == {patient: of_whom[patient] for patient in PATIENTS}
    # Alerts: numbered without a gap, opened once each, and every step of them out on the topic.
    alerts = lake.read("ops.alert").to_pylist()
    for partition in {row["source_partition"] for row in alerts}:
        numbers = sorted(row["sequence"] for row in alerts if row["source_partition"] == partition)
        assert numbers == list(range(len(numbers)))
    opened = [row["alert_id"] for row in alerts if row["change"] == "opened"]
    assert len(opened) == len(set(opened)) and {row["alert_id"] for row in alerts} == set(opened)
    steps = {(row["alert_id"], row["sequence"]) for row in alerts}
    assert published(broker, f"{service.topic}-alerts", len(steps)) == steps
    for table in ("silver.observation", "silver.vital_sign", "gold.patient_observations", "ops.alert"):
        lake.run("table", "verify", table, timeout=600)


def published(broker, topic, at_least):
    """Steps of alerts on the topic; some may be there twice."""
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": f"{topic}-judge", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    found, deadline = set(), time.monotonic() + 30
    while len(found) < at_least and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            step = json.loads(message.value())
            found.add((step["alert_id"], step["sequence"]))
    consumer.close()
    return found


@pytest.fixture
def service(tmp_path, broker, request):
    topic = broker.create(request.node.name, PARTITIONS)
    broker.create(f"{topic}-alerts")
    run = Service(tmp_path, broker, topic, CONFIG.format(broker=broker.address, topic=topic))
    run.lake.ingest(write(tmp_path / "patients.json", resources.bundle(*(resources.patient(name) for name in PATIENTS))))
    yield run
    run.end()
    broker.delete(topic)
    broker.delete(f"{topic}-alerts")


def test_killed_at_every_point(service, broker, kill_points, capsys):
    chance = random.Random(20261126)
    source, messages = Messages(1), []
    died = collections.Counter()
    for number in range(KILLS):
        # First every point that has a name, then any of them, or none.
        point = POINTS[number] if number < len(POINTS) else chance.choice([*POINTS, *[None] * 8])
        batch = source.take(60)
        messages += batch
        broker.send(service.topic, batch)
        environment = dict(os.environ)
        if point:
            environment |= {**kill_points, "KILL_AT": f"{point} {chance.choice([1, 1, 1, 2])}"}
        process = service.start(environment=environment)
        deadline = time.monotonic() + (chance.uniform(0.1, 1.5) if point is None else 6 if "compaction" in point else 4)
        if point and "snapshot" in point:  # they are written when a partition leaves
            time.sleep(1)
            process.send_signal(signal.SIGTERM)
            deadline += 10
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.poll() is None or process.returncode == 0:
            died["a random moment" if process.poll() is None else "the end"] += 1
        else:
            assert process.returncode == -signal.SIGKILL, service.text()
            died[point] += 1
        service.kill(process)
    service.start()
    service.await_all(timeout=120)
    service.stop()
    with capsys.disabled():
        print(f"\nkilled {died.total() - died['the end']} times over {len(messages)} messages: "
              + ", ".join(f"{name} {count}" for name, count in sorted(died.items(), key=str)))
    assert_sound(service, messages, broker)
    assert len(died.keys() - {"a random moment", "the end"}) >= min(5, KILLS // 5), died


def resident_mb(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def test_soak(service, broker, capsys):
    """On and on: nothing is lost, and neither memory nor the number of files grows with time."""
    source, messages = Messages(2), []
    process = service.start()
    begin, memory = time.monotonic(), []
    while (passed := time.monotonic() - begin) < SOAK:
        batch = source.take(50)
        messages += batch
        broker.send(service.topic, batch)
        memory.append((passed, resident_mb(process)))
        time.sleep(0.1)  # the pace of the senders
    service.await_all(timeout=120)
    service.stop()
    files = {table: len(service.lake.delta(table).file_uris()) for table in ("bronze.observation_stream", "silver.observation")}
    with capsys.disabled():
        print(f"\nsoaked for {SOAK:.0f} s: {len(messages)} messages, at most {max(m for _, m in memory):.0f} MB, files {files}")
    assert_sound(service, messages, broker)
    assert max(m for _, m in memory) < 1500
    if SOAK >= 600:
        middle = max(m for t, m in memory if SOAK / 3 < t < SOAK / 2)
        assert max(m for t, m in memory if t > SOAK * 0.9) < middle * 1.25 + 50, "memory grows"
        assert max(files.values()) < 200, files
