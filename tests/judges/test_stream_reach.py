"""A broker that does not answer: the service goes on, says so, and claims to know nothing of what waits there."""

import time

import pytest

import resources
from http_client import Http
from kafka_broker import Broker
from test_events import Events

LATEST = 60  # seconds


@pytest.fixture
def broker(tmp_path):
    one = Broker(tmp_path / "broker")
    yield one
    one.stop()


def lags(service):
    return [line for line in service.ask("GET", "/metrics").body.decode().splitlines() if line.startswith("vitalake_stream_lag")]


def check(service):
    answer = service.ask("GET", "/readyz")
    assert answer.status == 200, "posts and SQL go on"
    return next(one for one in answer.json()["checks"] if one["name"] == "stream vitals")


def until(condition):
    deadline = time.monotonic() + LATEST
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_while_the_broker_is_away(tmp_path, broker):
    away = f"no broker answers at {broker.address}"
    known = ['vitalake_stream_lag_messages{stream="vitals"} 0', 'vitalake_stream_lag_seconds{stream="vitals"} 0']
    service = Http(tmp_path, source=f'kafka: {{brokers: "{broker.address}", topic: t, group: g}}')
    try:
        # Never reached.
        service.start()
        until(lambda: check(service).get("remark") == away)
        assert lags(service) == []
        events = Events(service, "/events?readings=0")
        told = events.next("status")[1]["streams"][0]
        assert told == {"stream": "vitals", "running": True, "lag_messages": None, "lag_seconds": None, "remark": away}
        assert service.ask("POST", "/sql", '{"query": "SELECT 1"}', {"Content-Type": "application/json"}).status == 200
        # It comes, goes, and comes back.
        broker.start()
        broker.create("t")
        for name in ("o1", "o2"):
            broker.send("t", [(0, resources.pressure(name, 120, 80))])
            until(lambda: any(row["id"] == name for row in service.lake.read("silver.observation").to_pylist()))
            until(lambda: check(service) == {"name": "stream vitals", "ok": True} and lags(service) == known)
            events.next("status", lambda data: data["streams"][0]["remark"] is None and data["streams"][0]["lag_messages"] == 0)
            broker.stop()
            until(lambda: check(service).get("remark") == away and lags(service) == [])
            assert events.next("status", lambda data: data["streams"][0]["remark"])[1]["streams"][0]["lag_messages"] is None
            broker.start()
        service.stop()
    finally:
        service.end()
