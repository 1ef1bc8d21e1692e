"""Messages of a stream, made up as they come in life, and what one thread of plain Python makes of them."""

import collections
import datetime
import json
import random
import time

from confluent_kafka import Consumer

import resources

PATIENTS = [f"t{i}" for i in range(400)]
PARTITIONS = 2


class Feed:
    """Readings of now, corrections, retractions, DELETEs, repeats, versions in any order and poison, sent to a topic.
    All messages of a patient lie in one partition."""

    def __init__(self, seed, broker, topic):
        self.chance = random.Random(seed)
        self.broker, self.topic = broker, topic
        self.readings = []  # (name, patient, time, first payload)
        self.messages = [[] for _ in range(PARTITIONS)]  # by partition, each at its offset
        self.known = 24  # patients of whom there may be readings

    def reading(self, name, patient, time, systolic, version, status="final"):
        return resources.pressure(name, systolic, 45 if systolic < 90 else 80, f"Patient/{patient}", status=status, time=time,
                                  meta={"versionId": str(version)})

    def next_reading(self, patient):
        """(partition, payload)"""
        name = f"r{len(self.readings)}"
        time = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        payload = self.reading(name, patient, time, self.chance.choice([112, 124, 133, 151, 166, 185, 204, 84]), 1)
        self.readings.append((name, patient, time, payload))
        return PATIENTS.index(patient) % PARTITIONS, payload

    def next(self):
        """(partition, payload)"""
        kind = self.chance.random()
        if kind < 0.02:
            return self.chance.randrange(PARTITIONS), self.chance.choice(["no JSON", '{"resourceType":"Observation"', "{}"])
        if self.readings and kind < 0.25:
            name, patient, time, payload = self.chance.choice(self.readings[-400:])
            version = self.chance.randint(1, 4)
            if kind < 0.06:
                payload = self.reading(name, patient, time, 120, version, "entered-in-error")
            elif kind < 0.08:
                payload = resources.bundle({"request": {"method": "DELETE", "url": f"Observation/{name}"}})
            elif kind < 0.2:
                payload = self.reading(name, patient, time, self.chance.randint(95, 210), version, "corrected")
            return PATIENTS.index(patient) % PARTITIONS, payload
        return self.next_reading(self.chance.choice(PATIENTS[:self.known]))

    def send(self, count, newcomer=False):
        """With a newcomer: one reading more, of a patient who had none yet."""
        batch = [self.next() for _ in range(count)]
        if newcomer:
            batch.append(self.next_reading(PATIENTS[self.known]))
            self.known += 1
        for partition, payload in batch:
            self.messages[partition].append(payload)
        self.broker.send(self.topic, batch)

    def __len__(self):
        return sum(map(len, self.messages))


def values_of(messages):
    """Reading -> (systolic, diastolic), or None when it is retracted, after these messages in their order."""
    rows = {}  # name -> rank, content, values
    for payload in messages:
        if isinstance(payload, str):
            continue
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
    return {name: values for name, (_, _, values) in rows.items()}


def assert_tables_match_their_positions(service, feed):
    """True at any moment, also of tables that a kill left behind: each holds what one thread makes of the messages before
    the position it states, no more and no less, and none is ahead of bronze."""
    apps = [f"vitals/{service.topic}/{partition}/0" for partition in range(PARTITIONS)]
    if not service.lake.folder("bronze.observation_stream").exists():
        return
    bronze = service.lake.delta("bronze.observation_stream")
    kept = collections.defaultdict(dict)
    for row in bronze.to_pyarrow_table(columns=["partition", "offset", "payload"]).to_pylist():
        assert row["offset"] not in kept[row["partition"]], "a message twice"
        kept[row["partition"]][row["offset"]] = row["payload"]
    for app, messages in zip(apps, feed.messages):
        end = bronze.transaction_version(app) or 0
        sent = [(m if isinstance(m, str) else json.dumps(m)).encode() for m in messages[:end]]
        assert [kept[app][offset] for offset in sorted(kept[app])] == sent, app
    for table in ("silver.observation", "silver.vital_sign", "ops.quarantine", "ops.issue", "ops.alert", "ops.ledger"):
        delta = service.lake.delta(table)
        for app in apps:
            assert (delta.transaction_version(app) or 0) <= (bronze.transaction_version(app) or 0), (table, app)
    silver = service.lake.delta("silver.observation")
    columns = ["id", "retracted_at", "systolic_pressure_value", "diastolic_pressure_value"]
    found = collections.Counter(
        (row["id"], None if row["retracted_at"] else (row["systolic_pressure_value"], row["diastolic_pressure_value"]))
        for row in silver.to_pyarrow_table(columns=columns).to_pylist())
    wanted = values_of(m for app, messages in zip(apps, feed.messages) for m in messages[:silver.transaction_version(app) or 0])
    assert found == collections.Counter(wanted.items())
    assert_numbered(service.lake.delta("ops.alert").to_pyarrow_table(columns=["source_partition", "sequence"]).to_pylist())


def assert_numbered(alerts):
    """Each partition's from 0 on without a gap, each once."""
    for partition in {row["source_partition"] for row in alerts}:
        numbers = sorted(row["sequence"] for row in alerts if row["source_partition"] == partition)
        assert numbers == list(range(len(numbers))), partition


def published_steps(broker, topic, at_least):
    """Steps of alerts on the topic: (alert_id, sequence) of each; some may be there twice."""
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": f"{topic}-judge", "auto.offset.reset": "earliest",
                         "enable.auto.commit": False})
    consumer.subscribe([topic])
    found, deadline = set(), time.monotonic() + 30
    while len(found) < at_least and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            step = json.loads(message.value())
            found.add((step["alert_id"], step["sequence"]))
    consumer.close()
    return found
