"""One key, one conflict rule, whichever way and in whichever order the versions of a record come."""

import gzip
import json
import random

import pytest

import resources
from product import Lake, write
from stream_service import assert_sound, by_id, delete, own_topic, readings, stream, version
from streams import assert_same


@pytest.fixture
def service(tmp_path, broker, request):
    with stream(tmp_path, broker, own_topic(request)) as one:
        yield one


def test_two_streams_with_id_spaces_in_one_config(tmp_path, broker):
    broker.create("north")
    try:
        kafka = f'{{brokers: "{broker.address}", topic: north, group: north}}'
        two = ("- {{name: south, id_space: south, kafka: {kafka}, commit: {commit}}}\n"
               "  - {{name: north, id_space: north, kafka: %s, commit: {commit}}}" % kafka.replace("{", "{{").replace("}", "}}"))
        with stream(tmp_path, broker, "south", streams=two) as service:
            broker.send("south", [(0, m) for m in (resources.patient("1"), resources.pressure("o", 121, subject="Patient/1"))])
            broker.send("north", [(0, m) for m in (resources.patient("1", gender="male"), "hello",
                                                   resources.pressure("o", 122, subject="Patient/1"))])
            service.start()
            service.await_position("ops.ledger", "south/south/0/0", 2)
            service.await_position("ops.ledger", "north/north/0/0", 3)
            service.stop()
            lake = service.lake
            assert {(r["id_space"], r["id"], r["gender"], r["source"]) for r in lake.read("silver.patient").to_pylist()} == {
                ("south", "1", "female", "south"), ("north", "1", "male", "north")}
            assert {(r["id_space"], r["systolic_pressure_value"]) for r in lake.read("silver.observation").to_pylist()} == {
                ("south", 121.0), ("north", 122.0)}
            assert [(r["source"], r["position"]) for r in lake.quarantine()] == [("north", "north/0/1")]
            assert {r["source"] for r in lake.ledger()} == {"north", "south"} and lake.counts()["received"] == 5
            persons = lake.read("gold.patient_observations").to_pylist()
            assert sorted((r["last_systolic_pressure"], r["readings"]) for r in persons) == [(121.0, 1), (122.0, 1)]
    finally:
        broker.delete("north")


def uuid_reading(number, systolic):
    uuid = f"urn:uuid:00000000-0000-0000-0000-{number:012d}"
    return resources.pressure("blood-pressure", systolic, identifier=[{"system": "urn:ietf:rfc:3986", "value": uuid}])


@pytest.mark.parametrize("key, ids, outcomes", [
    ("identifier", [f"00000000-0000-0000-0000-{n:012d}" for n in range(20)], {"written": 20, "duplicate": 1}),
    ("id", ["blood-pressure"], {"written": 1, "duplicate": 1, "quarantined": 19}),
])
def test_a_sender_with_one_constant_resource_id(tmp_path, broker, key, ids, outcomes):
    sent = [uuid_reading(n, 100 + n) for n in range(20)] + [uuid_reading(0, 100)]
    with stream(tmp_path, broker, f"constant-{key}", streams="- {{name: vitals, key: %s, kafka: {kafka}, commit: {commit}}}" % key) as service:
        service.through(sent)
        service.stop()
        assert sorted(by_id(service.lake)) == ids
        total = service.lake.counts()
        assert {o: n for o, n in total.items() if n and o != "received"} == outcomes
        reasons = {r["reason"] for r in service.lake.quarantine()}
        assert reasons == ({"key-conflict"} if key == "id" else set())
        assert all("identifier" in r["message"] for r in service.lake.quarantine()), "the setting is not named"
        reference = Lake(tmp_path / "batch")
        reference.ingest(write(tmp_path / "all.json", sent), "--key", key)
        assert_same(service.lake, reference)


def test_the_same_new_reading_on_two_partitions(tmp_path, broker):
    with stream(tmp_path, broker, "both", partitions=2) as service:
        sent = readings("r", 300, "p1")
        broker.send("both", [(p, m) for m in sent for p in (0, 1)])
        service.start()
        service.await_bronze()
        service.stop()
        assert len(by_id(service.lake)) == 300
        total = service.lake.counts()
        assert (total["received"], total["written"], total["duplicate"]) == (600, 300, 300)
        assert_sound(service.lake)


def test_random_arrival_of_versions_inside_small_commits(service):
    """40 readings, 6 versions each, 10 of each sent twice, in any order and in any shape: version 6 wins."""
    chance = random.Random(41)
    records = [version(f"r{i}", v, 100 + 10 * v + i % 10) for i in range(40) for v in range(1, 7)]
    records += chance.sample(records, 60)
    chance.shuffle(records)
    messages = []
    while records:
        part = [records.pop() for _ in range(min(len(records), chance.choice([1, 1, 1, 2, 7])))]
        one = part[0] if len(part) == 1 else chance.choice([part, resources.bundle(*part)])
        messages.append(one if chance.random() < 0.7 else gzip.compress(json.dumps(one).encode()))
    third = len(messages) // 3
    for part in (messages[:third], messages[third:2 * third], messages[2 * third:]):
        service.through(part)
    service.stop()
    found = by_id(service.lake)
    assert {k: (r["version_id"], r["systolic_pressure_value"]) for k, r in found.items()} == {
        f"r{i}": ("6", 160.0 + i % 10) for i in range(40)}
    assert service.lake.counts()["received"] == 300
    assert_sound(service.lake)


def test_a_reading_that_changes_its_kind(service):
    """A panel that becomes a single value is one key still; then it is retracted."""
    panel = version("k", 1, 140)
    single = resources.vital("k", "8867-4", 71, "/min", meta={"versionId": "2", "lastUpdated": "2026-01-02T00:00:00Z"})
    service.through([panel])
    service.wait_for(lambda: service.count("silver.observation") == 1, "the panel")
    service.through([single])
    service.wait_for(lambda: service.count("silver.observation") == 0 and service.count("silver.vital_sign") == 1, "the single value alone")
    (row,) = service.lake.read("silver.vital_sign").to_pylist()
    assert row["value"] == 71.0
    service.through([{**single, "status": "entered-in-error", "meta": {"versionId": "3"}}, panel])
    service.stop()
    assert service.count("silver.observation") == 0
    (row,) = service.lake.read("silver.vital_sign").to_pylist()
    assert row["value"] is None and row["retracted_at"] is not None
    service.lake.counts()


def test_files_and_stream_into_one_lake_at_once(service, tmp_path):
    lines = readings("r", 900, "p1")
    service.start()
    service.send(lines[:600])
    service.lake.ingest(write(tmp_path / "some.ndjson", "".join(json.dumps(r) + "\n" for r in lines[300:])))
    service.await_bronze()
    service.wait_for(lambda: service.lake.value("SELECT count(*) FROM silver.observation") == 900, "all readings")
    service.stop()
    assert len(by_id(service.lake)) == 900
    total = service.lake.counts()
    assert (total["received"], total["written"], total["duplicate"]) == (1200, 900, 300)
    assert_sound(service.lake)


def test_a_deleted_patient_is_not_revived_by_a_late_original(service):
    service.through([resources.patient("p1"), resources.pressure("a"), resources.bundle(delete("Patient/p1"))])
    service.through([resources.patient("p1")])
    service.stop()
    row = by_id(service.lake, "silver.patient")["p1"]
    assert row["retracted_at"] is not None
    assert by_id(service.lake)["a"]["systolic_pressure_value"] == 120.0
