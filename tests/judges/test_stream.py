"""Streams from a real broker: each message lands once, whatever happens on the way."""

import gzip
import json
import random
import shutil
import time

import deltalake
import pytest

from product import Lake, write
from streams import SILVER, Service, assert_same, batch_lake, by_patient, generate

POISON = [b"no JSON", b"\x00\x00\x00\x00\x05Avro", b'{"resourceType":"Observation"', b"{}", b"\xff\xfe{}",
          b'{"resourceType":7}', b"[1,2]", gzip.compress(b"not JSON either")]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    patients, observations = generate(folder)
    return patients, observations, batch_lake(folder, patients + observations)


@pytest.fixture
def service(tmp_path, broker, request):
    topics = []
    services = []

    def make(partitions=1, extra=""):
        name = request.node.name.replace("[", "-").replace("]", "")
        topics.append(broker.create(name, partitions))
        services.append(Service(tmp_path, broker, name, extra))
        return services[-1]

    yield make
    for one in services:
        one.end()
    for topic in topics:
        broker.delete(topic)


def test_equals_a_batch_of_the_same_records(service, broker, corpus):
    patients, observations, reference = corpus
    run = service(partitions=3)
    messages = by_patient(patients + observations, 3)
    poison = [(random.Random(3).randrange(len(messages)), i % 3, payload) for i, payload in enumerate(POISON)]
    for place, partition, payload in sorted(poison, key=lambda p: -p[0]):
        messages.insert(place, (partition, payload))
    broker.send(run.topic, messages)
    run.run_to_end()
    assert_same(run.lake, reference)

    counts = run.lake.counts()  # each ledger row balances
    # `[1,2]` is an array of two records; the others are one each.
    assert counts["received"] == len(messages) + 1
    offsets, bad = {0: 0, 1: 0, 2: 0}, set()
    sent = {}
    for partition, payload, *_ in messages:
        sent[f"vitals/{run.topic}/{partition}/0", offsets[partition]] = payload
        if payload in POISON:
            bad.add(f"{run.topic}/{partition}/{offsets[partition]}")
        offsets[partition] += 1
    quarantine = run.lake.quarantine()
    assert {row["position"].split(":")[0] for row in quarantine} == bad
    assert len(quarantine) == len(POISON) + 1 == counts["quarantined"]
    # Bronze has each message byte for byte, once.
    bronze = run.lake.read("bronze.observation_stream").to_pylist()
    assert len(bronze) == len(messages)
    for row in bronze:
        payload = sent[row["partition"], row["offset"]]
        assert row["payload"] == (payload if isinstance(payload, bytes) else payload.encode())
    # Gold followed.
    assert_same(run.lake, reference, ["gold.patient_observations", "gold.bp_daily"])


def test_shapes_of_messages(service, broker, tmp_path, corpus):
    """One resource, an array, a Bundle of 500, gzip: the same records."""
    _, observations, _ = corpus
    run = service()
    resources = [json.loads(line) for line in observations[:900]]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources[:500]]}
    array = json.dumps(resources[500:700])
    broker.send(run.topic, [(0, bundle), (0, array), (0, gzip.compress(json.dumps(resources[700]).encode())),
                            *[(0, r) for r in resources[701:]]])
    run.run_to_end()
    assert_same(run.lake, batch_lake(tmp_path, observations[:900]))
    assert run.lake.counts()["received"] == 900


def test_what_bronze_has_is_read_from_there_with_the_broker_down(tmp_path, service, broker, corpus):
    _, observations, _ = corpus
    run = service()
    broker.send(run.topic, [(0, line) for line in observations[:400]])
    run.run_to_end()
    before = {table: run.lake.read(table).num_rows for table in SILVER}
    # As if killed before any other table had the messages.
    for folder in ("silver", "ops", "gold", "_vitalake"):
        shutil.rmtree(run.lake.path / folder)
    run.config.write_text(run.config.read_text().replace(broker.address, "127.0.0.1:1"))
    run.start()
    run.await_position("ops.ledger", f"vitals/{run.topic}/0/0", 400)
    run.stop()
    assert {table: run.lake.read(table).num_rows for table in SILVER} == before
    assert_same(run.lake, batch_lake(tmp_path, observations[:400]))
    assert "no broker answers at 127.0.0.1:1" in run.text()


def test_a_topic_recreated_with_offsets_from_0(tmp_path, service, broker, corpus):
    """Shorter than our position, then longer: both open a new epoch and lose nothing."""
    _, observations, _ = corpus
    run = service()
    app = f"vitals/{run.topic}/0"
    parts = observations[:300], observations[300:400], observations[400:800]
    for epoch, part in enumerate(parts):
        if epoch:
            broker.delete(run.topic)
            broker.create(run.topic)
        broker.send(run.topic, [(0, line) for line in part])
        run.start()
        run.await_position("ops.ledger", f"{app}/{epoch}", len(part))
        run.stop()
    assert_same(run.lake, batch_lake(tmp_path, observations[:800]))
    assert "epoch 1 begins" in run.text() and "epoch 2 begins" in run.text()
    partitions = run.lake.read("bronze.observation_stream")["partition"].to_pylist()
    assert {p: partitions.count(p) for p in partitions} == {f"{app}/{i}": len(p) for i, p in enumerate(parts)}


def test_retention_passed(tmp_path, service, broker, corpus):
    """What the broker threw away before it was read is named; the rest goes on behind it."""
    _, observations, _ = corpus
    run = service()
    broker.send(run.topic, [(0, line) for line in observations[:100]])
    run.run_to_end()
    broker.send(run.topic, [(0, line) for line in observations[100:200]])
    broker.forget(run.topic, 0, 150)
    run.run_to_end()
    assert "offsets 100 to 149" in run.text() and "retention" in run.text()
    kept = observations[:100] + observations[150:200]
    assert_same(run.lake, batch_lake(tmp_path, kept))
    assert run.lake.counts()["received"] == len(kept) == len(run.lake.read("bronze.observation_stream"))


def test_the_broker_goes_and_comes_back(tmp_path, service, broker, corpus):
    _, observations, _ = corpus
    run = service()
    broker.send(run.topic, [(0, line) for line in observations[:200]])
    process = run.start()
    run.await_all()
    broker.stop()
    try:
        time.sleep(1)
        assert process.poll() is None, run.text()
    finally:
        broker.start()
    broker.send(run.topic, [(0, line) for line in observations[200:400]])
    run.await_all()
    run.stop()
    assert_same(run.lake, batch_lake(tmp_path, observations[:400]))


def test_a_landing_folder_beside_the_stream(tmp_path, service, broker, corpus):
    patients, observations, reference = corpus
    landing = tmp_path / "landing"
    run = service(extra=f"landing: {{path: {landing}, settle: 300ms}}")
    process = run.start()
    broker.send(run.topic, by_patient(observations, 1))
    growing = landing / "patients.ndjson"
    deadline = time.monotonic() + 30
    while not landing.exists():
        assert time.monotonic() < deadline and process.poll() is None, run.text()
        time.sleep(0.05)
    half = len(patients) // 2
    with open(growing, "w") as file:
        for line in patients:
            file.write(line + "\n")
            if half == 0:
                file.flush()
            half -= 1
    while not run.lake.folder("silver.patient").exists() or run.lake.read("silver.patient").num_rows < len(patients):
        assert time.monotonic() < deadline and process.poll() is None, run.text()
        time.sleep(0.1)
    run.await_all()
    run.stop()
    assert_same(run.lake, reference, [*SILVER, "gold.patient_observations"])
    # A restart does not take the file in again.
    run.start()
    run.await_all()
    run.stop()
    files = [row["range"] for row in run.lake.ledger() if row["sha256"]]
    assert files == [str(growing)]


def test_a_file_that_grows(tmp_path, corpus):
    _, observations, _ = corpus
    file = tmp_path / "feed.ndjson"
    run = Service(tmp_path, None, file.name, source=f"file: {{path: {file}}}")
    chance = random.Random(5)
    try:
        for part in range(0, 800, 100):
            text = "".join(line + "\n" for line in observations[part:part + 100])
            with open(file, "a") as out:
                cut = chance.randrange(len(text))
                process = run.start()
                out.write(text[:cut])
                out.flush()
                time.sleep(chance.uniform(0.1, 0.8))
                run.kill(process)
                out.write(text[cut:])
        run.start()
        last = file.stat().st_size - len(observations[799]) - 1
        run.await_position("ops.ledger", f"vitals/{file.name}/0/0", last + 1)
        run.stop()
    finally:
        run.end()
    assert_same(run.lake, batch_lake(tmp_path, observations[:800]))
    assert run.lake.counts()["received"] == 800


def test_small_files_become_few_while_it_runs(tmp_path, corpus):
    _, observations, _ = corpus
    file = tmp_path / "feed.ndjson"
    run = Service(tmp_path, None, file.name, source=f"file: {{path: {file}}}", extra="maintain: {small_files: 4}")
    app, end = f"vitals/{file.name}/0/0", 0
    try:
        run.start()
        for line in observations[:20]:  # a commit each
            with open(file, "a") as out:
                out.write(line + "\n")
            run.await_position("bronze.observation_stream", app, end + 1)
            end += len(line) + 1
        table = deltalake.DeltaTable(str(run.lake.folder("bronze.observation_stream")))
        deadline = time.monotonic() + 30
        while not any(entry["operation"] == "OPTIMIZE" for entry in table.history()):
            assert time.monotonic() < deadline, run.text()
            time.sleep(0.2)
            table.update_incremental()
        run.stop()
    finally:
        run.end()
    table.update_incremental()
    assert len(table.file_uris()) < 20
    assert_same(run.lake, batch_lake(tmp_path, observations[:20]))


def test_a_message_over_1_mb_is_quarantined_and_the_rest_goes_on(tmp_path, corpus):
    _, observations, _ = corpus
    huge = json.dumps({"resourceType": "Observation", "note": [{"text": "x" * 1_100_000}]})
    file = write(tmp_path / "feed.ndjson", "\n".join([observations[0], huge, "[null]", observations[1]]) + "\n")
    run = Service(tmp_path, None, file.name, source=f"file: {{path: {file}}}")
    last = len(observations[0]) + len(huge) + len("[null]") + 3
    try:
        run.start()
        run.await_position("ops.ledger", f"vitals/{file.name}/0/0", last + 1)
        run.stop()
    finally:
        run.end()
    assert_same(run.lake, batch_lake(tmp_path, observations[:2]))
    refused = {row["position"].split(":")[0]: row for row in run.lake.quarantine()}
    assert set(refused) == {f"{file.name}/0/{len(observations[0]) + 1}", f"{file.name}/0/{len(observations[0]) + len(huge) + 2}"}
    over, null = (refused[f"{file.name}/0/{place}"] for place in (len(observations[0]) + 1, len(observations[0]) + len(huge) + 2))
    assert over["reason"] == "limit" and "1048576" in over["message"] and over["payload"].startswith(huge[:1000])
    assert null["payload"] == "null"


def test_wrong_settings_are_told_at_once(tmp_path, broker):
    lake = Lake(tmp_path / "lake")
    config = tmp_path / "v.yaml"

    def fault(streams):
        config.write_text(f"streams:\n  - {streams}\n")
        return lake.run("run", "--config", config, expect=2).stderr

    assert "`streams[0].kafka.topic` is missing" in fault('{name: a, kafka: {brokers: "b:1"}}')
    assert "did you mean `brokers`" in fault("{name: a, kafka: {broker: b, topic: t}}")
    assert "needs username and password" in fault(
        '{name: a, kafka: {brokers: "b:1", topic: t, security: {protocol: sasl_ssl}}}')
    assert "name is of a-z" in fault('{name: "A b", kafka: {brokers: "b:1", topic: t}}')


def test_an_unknown_topic_is_told_and_waited_for(tmp_path, broker):
    topic = "made-later"
    run = Service(tmp_path, broker, topic)
    try:
        run.start()
        deadline = time.monotonic() + 30
        while f"has no topic {topic}" not in run.text():
            assert time.monotonic() < deadline, run.text()
            time.sleep(0.1)
        broker.create(topic)
        broker.send(topic, [(0, "no JSON")])
        run.await_all()
        run.stop()
        assert [row["position"] for row in run.lake.quarantine()] == [f"{topic}/0/0"]
    finally:
        run.end()
        broker.delete(topic)
