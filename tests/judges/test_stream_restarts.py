"""A stream that stops, is killed, or whose broker is not there: it goes on where it was, and nothing is there twice."""

import signal

import pytest

import resources
from kafka_broker import Broker
from product import OUTCOMES
from stream_service import Stream, assert_ranges_tile, by_id, delete, own_topic, readings, stream, version
from streams import SILVER, rows


@pytest.fixture
def service(tmp_path, broker, request):
    with stream(tmp_path, broker, own_topic(request)) as one:
        yield one


def test_versions_across_restarts(service):
    """Each part arrives in a run of its own: the highest still wins, a retraction stays, the same is a duplicate."""
    parts = [[version("b", 2, 142), resources.pressure("n", status="entered-in-error"), resources.pressure("d")],
             [version("b", 1, 131), resources.pressure("n"), resources.pressure("d"), resources.bundle(delete("Observation/late"))],
             [version("b", 3, 153), resources.pressure("late"), resources.pressure("d", 177)]]
    for part in parts:
        service.through(part)
        service.stop()
    found = by_id(service.lake)
    assert found["b"]["systolic_pressure_value"] == 153.0 and found["d"]["systolic_pressure_value"] == 177.0
    assert found["n"]["retracted_at"] and found["late"]["retracted_at"] and found["late"]["systolic_pressure_value"] is None
    total = service.lake.counts()
    assert {o: total[o] for o in ("received", *OUTCOMES)} == {
        "received": 10, "written": 6, "superseded": 3, "duplicate": 1, "quarantined": 0, "out_of_scope": 0}
    assert_ranges_tile(service.lake, {0: 10})
    assert found["b"]["update_date"] is not None and found["n"]["status"] == "entered-in-error"


def test_sigterm_under_load_drains_and_loses_nothing(service, tmp_path):
    lines = readings("r", 4000, "p1")
    service.send(lines)
    process = service.start()
    service.wait_for(lambda: service.count("bronze.observation_stream") > 0, "first rows in bronze")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) == 0, service.text()
    service.processes.remove(process)
    position = service.position("ops.ledger", f"vitals/{service.topic}/0/0")
    assert position == service.position("bronze.observation_stream", f"vitals/{service.topic}/0/0"), "not drained"
    assert_ranges_tile(service.lake, {0: position})
    service.start()
    service.await_bronze()
    service.stop()
    assert_ranges_tile(service.lake, {0: 4000})
    assert len(by_id(service.lake)) == 4000 == service.lake.counts()["written"]


def test_silver_catches_up_from_bronze_with_the_broker_down(service, tmp_path):
    """Killed with messages in bronze; without a broker the other tables come to where bronze is, and no further."""
    lines = readings("r", 6000, "p1")
    app = f"vitals/{service.topic}/0/0"
    service.send(lines)
    process = service.start()
    service.wait_for(lambda: service.count("bronze.observation_stream") > 0, "first rows in bronze")
    service.kill(process)
    durable = service.position("bronze.observation_stream", app)
    text = service.config.read_text()
    service.config.write_text(text.replace(service.broker.address, "127.0.0.1:1"))
    service.start()
    service.wait_for(lambda: service.position("ops.ledger", app) == durable, f"position {durable} in the ledger")
    service.stop()
    assert len(by_id(service.lake)) == service.count("bronze.observation_stream") == durable
    assert_ranges_tile(service.lake, {0: durable})
    assert "127.0.0.1:1" in service.text()
    service.config.write_text(text)
    service.start()
    service.await_bronze()
    service.stop()
    assert len(by_id(service.lake)) == 6000 == service.lake.counts()["received"]


def test_a_restart_without_messages_writes_no_rows(service):
    service.through([resources.patient(), resources.pressure("a"), "hello"])
    service.stop()
    before = {t: rows(service.lake, t) for t in (*SILVER, "gold.patient_observations", "ops.quarantine")}, service.lake.ledger()
    service.start()
    service.wait_for(lambda: service.text().count(f"reading {service.topic}/0 from") == 2, "the second run reads")
    service.stop()
    assert ({t: rows(service.lake, t) for t in before[0]}, service.lake.ledger()) == before


def test_a_broker_that_comes_up_later(tmp_path, tmp_path_factory):
    own = Broker(tmp_path_factory.mktemp("late-broker"))
    service = Stream(tmp_path, own, "late")
    try:
        service.start()
        service.wait_for(lambda: own.address in service.text() and "warning" in service.text(), "a word about the broker")
        own.start()
        own.create("late")
        service.through(readings("r", 50, "p1"))
        service.stop()
        assert len(by_id(service.lake)) == 50
    finally:
        service.end()
        own.stop()


def test_one_stream_in_trouble_does_not_hold_up_another(tmp_path, broker):
    two = ("- {{name: vitals, kafka: {kafka}, commit: {commit}}}\n"
           '  - {{name: lost, kafka: {{brokers: "127.0.0.1:1", topic: nowhere}}}}')
    with stream(tmp_path, broker, "healthy", streams=two) as service:
        service.through(readings("r", 20, "p1"))
        service.wait_for(lambda: "127.0.0.1:1" in service.text() and "lost" in service.text(), "a word about the other")
        service.stop()
        assert len(by_id(service.lake)) == 20
