"""What a stream must bear: messages that are no resources, clocks that lie, a disk and tables that go. The rest goes on."""

import gzip
import os
import shutil
import time
from datetime import datetime, timedelta, timezone

import pytest

import resources
from product import write
from streams import Service, assert_same, batch_lake, generate


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("readings"), patients=10, observations=200)[1]


@pytest.fixture
def run(tmp_path, broker, request):
    topic = broker.create(request.node.name)
    service = Service(tmp_path, broker, topic)
    yield service
    service.end()
    broker.delete(topic)


def test_a_gzip_bomb_is_quarantined(run, broker, readings, tmp_path):
    bomb = gzip.compress(b"0" * 300_000_000)
    assert len(bomb) < 1_000_000
    broker.send(run.topic, [(0, readings[0]), (0, bomb), (0, gzip.compress(readings[1].encode())), (0, readings[2])])
    run.run_to_end()
    (refused,) = run.lake.quarantine()
    assert refused["position"].split(":")[0] == f"{run.topic}/0/1" and refused["reason"] == "limit"
    assert_same(run.lake, batch_lake(tmp_path, readings[:3]))


def test_a_clock_ahead_ages_nobody_else(run, broker):
    """DOMAIN section 4: up to 26 hours ahead is kept with a remark, more is no time; others are judged as usual."""
    now = datetime.now(timezone.utc)
    broker.send(run.topic, [(0, resources.pressure(name, 190, 125, subject=f"Patient/{name}", time=(
        now + ahead).isoformat())) for name, ahead in (("years", timedelta(days=3653)), ("hours", timedelta(hours=20)),
                                                      ("usual", timedelta()))])
    run.run_to_end()
    assert {row["id"]: row["quality"] for row in run.lake.read("silver.observation").to_pylist()} == {
        "hours": "clock_ahead", "usual": ""}
    (refused,) = run.lake.quarantine()
    assert refused["position"].split(":")[0] == f"{run.topic}/0/0"
    assert {row["patient_id"] for row in run.lake.read("ops.alert").to_pylist()} >= {"hours", "usual"}


def test_a_crowd_of_messages_for_one_patient(run, broker, tmp_path):
    """All in, in bounded state: one patient may send what a ward does."""
    start = datetime(2026, 1, 5, tzinfo=timezone.utc)
    count = 20_000
    run.lake.ingest(write(tmp_path / "p1.json", resources.patient()))
    broker.send(run.topic, ((0, resources.pressure(f"o{i}", 110 + i % 20, 70 + i % 10, time=(
        start + timedelta(seconds=30 * i)).isoformat())) for i in range(count)))
    run.run_to_end(timeout=120)
    assert run.lake.counts()["written"] == count + 1
    (gold,) = run.lake.sql("select readings, avg_systolic_pressure from gold.patient_observations")
    assert gold == {"readings": count, "avg_systolic_pressure": 119.5}


def test_a_full_disk_while_it_runs(run, broker, readings, tmp_path, disk_faults):
    """It is told with the remedy; the stream keeps its place and goes on once there is room."""
    freed = tmp_path / "freed"
    run.start(environment={**os.environ, **disk_faults, "FAULT_SPACE": f"{run.lake.path}:300000", "FAULT_FREED": str(freed)})
    deadline = time.monotonic() + 60
    while "nothing is lost" not in run.text():
        assert time.monotonic() < deadline, run.text()
        broker.send(run.topic, [(0, line) for line in readings])
    assert "space" in run.text()
    freed.touch()
    run.await_all()
    run.stop()
    assert_same(run.lake, batch_lake(tmp_path, readings))


def test_a_table_deleted_while_it_runs(run, broker, readings, tmp_path):
    """It is told with its name and the stream stops there; a new run makes the table again from bronze."""
    broker.send(run.topic, [(0, line) for line in readings[:50]])
    run.start()
    run.await_all()
    shutil.rmtree(run.lake.folder("silver.vital_sign"))
    broker.send(run.topic, [(0, line) for line in readings[50:100]])
    run.await_text("silver.vital_sign")
    for process in list(run.processes):
        run.kill(process)
    run.run_to_end()
    assert_same(run.lake, batch_lake(tmp_path, readings[:100]))
