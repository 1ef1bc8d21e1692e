"""Settings of streams and of the landing folder: a wrong one is named at once, a secret is shown nowhere."""

import json
import os
import subprocess
import time

import pytest

from product import Lake, command, write
from streams import Service

GOOD_KAFKA = 'brokers: "127.0.0.1:1", topic: t'


@pytest.mark.parametrize("text, words", [
    ("streams:\n  - {name: a, kafka: {%s, topik: t}}" % GOOD_KAFKA, ("topik", "`topic`")),
    ("streams:\n  - {name: a, kafka: {%s}, comit: {every: 1s}}" % GOOD_KAFKA, ("comit", "`commit`")),
    ("streams:\n  - {name: a, kafka: {%s}, commit: {evry: 1s}}" % GOOD_KAFKA, ("evry", "`every`")),
    ("stream:\n  - {name: a, kafka: {%s}}" % GOOD_KAFKA, ("stream", "`streams`")),
    ("streams:\n  - {name: a, kafka: {topic: t}}", ("brokers", "missing")),
    ('streams:\n  - {name: a, kafka: {brokers: "b:1"}}', ("topic", "missing")),
    ("streams:\n  - {name: a}", ("streams[0]", "kafka")),
    ("streams:\n  - {kafka: {%s}}" % GOOD_KAFKA, ("name", "missing")),
    ("streams:\n  - {name: a, kafka: {%s, preset: eventhub}}" % GOOD_KAFKA, ("preset", "eventhub", "eventhubs")),
    ("streams:\n  - {name: a, key: idd, kafka: {%s}}" % GOOD_KAFKA, ("key", "identifier")),
    ("streams:\n  - {name: a, time: recieved, kafka: {%s}}" % GOOD_KAFKA, ("time", "received")),
    ("streams:\n  - {name: a, kafka: {%s}, commit: {every: fast}}" % GOOD_KAFKA, ("every", "fast")),
    ("streams:\n  - {name: a, kafka: {%s}}\n  - {name: a, kafka: {%s}}" % (GOOD_KAFKA, GOOD_KAFKA), ("two streams", "a")),
    ("streams:\n  - {name: a, kafka: {%s, preset: eventhubs}}" % GOOD_KAFKA, ("connection_string",)),
    ("streams:\n  - {name: a, kafka: {%s, security: {protocol: sasl_ssl, username: u, password: \"${env:NOT_SET_AT_ALL}\"}}}" % GOOD_KAFKA,
     ("NOT_SET_AT_ALL", "password")),
    ("landing: {settle: 1s}", ("landing.path", "missing")),
    ("landing: {path: l, setle: 1s}", ("setle", "`settle`")),
    ("landing: {path: l, settle: soon}", ("settle", "soon")),
])
def test_a_wrong_setting_ends_with_2_and_is_named(tmp_path, text, words):
    config = write(tmp_path / "v.yaml", text + "\n")
    for what in (("config", "check"), ("run",)):
        done = Lake(tmp_path / "lake").run(*what, "--config", config, expect=2, timeout=20)
        for word in words:
            assert word in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) <= 2, done.stderr
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("text, word", [
    ("streams:\n  - {name: a, kafka: {brokers: \"127.0.0.1:1\", topic: \"\"}}", "topic"),
    ("streams:\n  - {name: a, kafka: {brokers: \"\", topic: t}}", "brokers"),
])
def test_a_setting_that_cannot_work_is_refused_by_the_check(tmp_path, text, word):
    done = Lake(tmp_path / "lake").run("config", "check", "--config", write(tmp_path / "v.yaml", text + "\n"), expect=2)
    assert word in done.stderr


def test_nothing_to_run_is_told(tmp_path):
    done = Lake(tmp_path / "lake").run("run", "--config", write(tmp_path / "v.yaml", "memory: 1GB\n"), expect=2, timeout=20)
    assert "streams" in done.stderr and "landing" in done.stderr


def test_secrets_are_shown_nowhere(tmp_path, broker):
    secret = "Endpoint=sb://127.0.0.1/;SharedAccessKeyName=listen;SharedAccessKey=c2VjcmV0LXdvcmQ="
    config = (f'streams:\n  - {{name: a, kafka: {{brokers: "{broker.address}", topic: t, preset: eventhubs, '
              'security: {connection_string: "${env:HUB}"}}}\n')
    path = write(tmp_path / "v.yaml", config)
    environment = {"HUB": secret}
    lake = Lake(tmp_path / "lake")
    shown = lake.run("config", "print", "--config", path, env=environment)
    assert "c2VjcmV0LXdvcmQ" not in shown.stdout + shown.stderr and "connection_string" in shown.stdout
    service = Service(tmp_path, broker, "none")
    service.config.write_text(f"lake: {lake.path}\n" + config)
    with open(service.log, "wb") as out:
        process = subprocess.Popen(command("run", "--config", service.config, "--log-level", "trace"), stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=out, env={**os.environ, **environment})
    service.processes.append(process)
    deadline = time.monotonic() + 30
    while "warning stream a" not in service.text():
        assert time.monotonic() < deadline and process.poll() is None, service.text()
        time.sleep(0.05)
    service.stop()
    assert "c2VjcmV0LXdvcmQ" not in service.log.read_text()


@pytest.mark.parametrize("commit", ["{every: 200ms}", "{every: 1h, merge_every: 200ms}"])
def test_nothing_waits_longer_than_the_shorter_of_both_settings(tmp_path, commit):
    """A correction waits `merge_every` at most, however long a batch may stay open otherwise."""
    feed = tmp_path / "feed.ndjson"
    run = Service(tmp_path, None, feed.name, source=f"file: {{path: {feed}}}")
    run.config.write_text(run.config.read_text().replace("{every: 100ms}", commit))
    first, corrected = (json.dumps({"resourceType": "Patient", "id": "p", "meta": {"versionId": str(version)}, "gender": gender}) + "\n"
                        for version, gender in ((1, "other"), (2, "female")))
    feed.write_text(first)
    app = f"vitals/{feed.name}/0/0"
    try:
        run.start()
        run.await_position("silver.patient", app, 1)
        with feed.open("a") as more:
            more.write(corrected)
        run.await_position("silver.patient", app, len(first) + 1)
        assert run.lake.read("silver.patient")["gender"].to_pylist() == ["female"]
        run.stop()
    finally:
        run.end()
