"""A service killed again and again while a broker feeds it, at every place that has a name and at random moments, alone
and beside another; two that share or contend; and one that runs on for a while. After each kill every table holds exactly what the position it states
says; in the end tables and alerts are those of plain Python, and row for row those of a service that nobody disturbed.

`make test` does a little of it, `make torture` a lot: TORTURE_KILLS kills, TORTURE_ROLLING and TORTURE_SOAK seconds.
"""

import collections
import os
import pathlib
import random
import re
import signal
import time

import deltalake
import pytest
from confluent_kafka import Consumer, TopicPartition

import resources
from product import keyed_rows, write
from stream_oracle import (PARTITIONS, PATIENTS, Feed, assert_numbered, assert_tables_match_their_positions, published_steps,
                           values_of)
from streams import SILVER, Service, rows

# Reached while messages come in, and those that wait for the partition to leave.
ON_THE_WAY = ("bronze-file", "bronze-commit", "silver-file", "silver-commit", "action-commit", "alert-commit", "alert-publish",
              "gold-commit", "compaction-commit")
AT_THE_END = ("ledger-commit", "offset-commit", "snapshot")
POINTS = [f"{when} {kind}" for kind in (*ON_THE_WAY, *AT_THE_END) for when in ("before", "after")]
KILLS = max(int(os.environ.get("TORTURE_KILLS", 0)), len(POINTS))
ROLLING = float(os.environ.get("TORTURE_ROLLING", 10))
SOAK = float(os.environ.get("TORTURE_SOAK", 6))
CONFIG = """
{outbound}
maintain: {{small_files: 6}}
serve: {{http: off}}
"""
ALERTS_OUT = 'outbound: {{kafka: {{brokers: "{broker}", alerts: {topic}-alerts}}}}'


class Tortured(Service):
    """A service over PARTITIONS partitions of messages that `feed` sends."""

    def __init__(self, folder, broker, topic, outbound, group):
        super().__init__(folder, broker, topic, CONFIG.format(outbound=outbound),
                         f'kafka: {{brokers: "{broker.address}", topic: {topic}, group: {group}}}')
        self.tables = {}
        patients = (resources.patient(name) for name in PATIENTS)
        self.lake.ingest(write(folder / "patients.json", resources.bundle(*patients)))

    def has_in(self, table):
        """How many messages the table has passed over."""
        if table not in self.tables:
            self.tables[table] = self.lake.delta(table)
        known = self.tables[table]
        try:
            known.update_incremental()
        except deltalake.exceptions.DeltaError as error:
            # It lists a log that grows meanwhile, and may see a version's checksum but not yet its commit.
            if "is newer than log segment version" not in str(error):
                raise
        return sum(known.transaction_version(f"vitals/{self.topic}/{partition}/0") or 0 for partition in range(PARTITIONS))

    def await_bronze(self, feed, process, timeout=60):
        """Until bronze has every message sent, or the process ended."""
        deadline = time.monotonic() + timeout
        while process.poll() is None and self.has_in("bronze.observation_stream") < len(feed):
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.01)

    def finish(self, feed):
        """Takes in what is left and drains. With messages of its own, so that it is the owner of every partition: one that
        has none writes no alerts for those that a killed process had."""
        feed.send(20)
        self.read_all(feed)

    def read_all(self, feed):
        self.await_bronze(feed, self.start(), timeout=300)
        self.stop()

    def ended(self, process):
        """Takes the process, which has ended, off the list: whether it was killed."""
        self.processes.remove(process)
        assert process.returncode in (0, -signal.SIGKILL), self.text()
        return process.returncode != 0


@pytest.fixture
def service(tmp_path, broker, request):
    topic = broker.create(re.sub(r"\W+", "-", request.node.name), PARTITIONS)
    broker.create(f"{topic}-alerts")
    run = Tortured(tmp_path, broker, topic, ALERTS_OUT.format(broker=broker.address, topic=topic), topic)
    yield run
    run.end()
    broker.delete(topic)
    broker.delete(f"{topic}-alerts")


@pytest.fixture
def feed_of(service, broker):
    return lambda seed: Feed(seed, broker, service.topic)


@pytest.fixture
def undisturbed(tmp_path, broker, service):
    """Reads the same topic into a lake of its own."""
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    run = Tortured(folder, broker, service.topic, "", f"{service.topic}-undisturbed")
    yield run
    run.end()


def alert_log(lake):
    """Every row, in order. When a timer's step was made depends on when nothing else came, not what it says."""
    found = lake.read("ops.alert").drop_columns(["updated_at"]).to_pylist()
    return sorted(found, key=lambda row: (row["source_partition"], row["sequence"]))


def assert_sound(service, feed, broker, undisturbed):
    """Tables and alerts of all messages: those of plain Python, and of a service that nobody disturbed."""
    lake = service.lake
    assert_tables_match_their_positions(service, feed)
    assert service.has_in("ops.ledger") == len(feed)
    usable = sum(not isinstance(m, str) for messages in feed.messages for m in messages)
    counts = lake.counts()
    assert (counts["received"], counts["quarantined"]) == (len(feed) + len(PATIENTS), len(feed) - usable)
    # Gold of the same rows, by hand.
    readings = {row["id"]: row["readings"] for row in lake.read("gold.patient_observations").to_pylist()}
    owner = {name: patient for name, patient, *_ in feed.readings}
    wanted = values_of(m for messages in feed.messages for m in messages)
    of_whom = collections.Counter(owner[name] for name, values in wanted.items() if values)
    assert readings == {patient: of_whom[patient] for patient in PATIENTS}
    # Alerts: numbered without a gap, each beginning with its opening, and each step out on the topic. (More readings than
    # a monitor can put in order may open one anew: docs/monitoring.md.)
    alerts = alert_log(lake)
    assert_numbered(alerts)
    first = {row["alert_id"]: row["change"] for row in reversed(alerts)}
    assert set(first.values()) == {"opened"}
    steps = {(row["alert_id"], row["sequence"]) for row in alerts}
    assert steps and published_steps(broker, f"{service.topic}-alerts", len(steps)) == steps
    # Row for row.
    undisturbed.read_all(feed)
    for table in (*SILVER, "gold.patient_observations", "gold.bp_daily", "gold.latest_vital"):
        assert rows(lake, table) == rows(undisturbed.lake, table), table
    assert alerts == alert_log(undisturbed.lake)
    for table in ("ops.quarantine", "ops.issue"):
        without = {"id", "run", "received_at", "replayed_at"}
        assert keyed_rows(lake, table, without) == keyed_rows(undisturbed.lake, table, without), table
    for table in (*SILVER, "gold.patient_observations", "ops.alert"):
        lake.run("table", "verify", table, timeout=600)


def kill_at(service, feed, point, number, preload):
    """Feeds a service until it has died at the number-th occurrence of the point."""
    environment = {**os.environ, **preload, "KILL_AT": f"{point} {number}"}
    deadline = time.monotonic() + 120
    while True:
        process = service.start(environment=environment)
        while process.poll() is None:
            assert time.monotonic() < deadline, f"never came to {point} {number}\n{service.text()}"
            # What is known of a patient is recorded (ops.action) when they first come.
            feed.send(20, newcomer="action-commit" in point)
            service.await_bronze(feed, process)
            if point.split()[1] in AT_THE_END:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)
        if service.ended(process):
            return


def test_killed_at_every_point(service, feed_of, broker, kill_points, undisturbed, capsys):
    chance = random.Random(20261126)
    feed = feed_of(1)
    died = collections.Counter()
    points = POINTS + chance.choices([*POINTS, *[None] * 8], k=KILLS - len(POINTS))
    for point in points:
        if point:
            kill_at(service, feed, point, 1 if point.split()[1] in AT_THE_END else chance.choice([1, 1, 2, 3]), kill_points)
        else:
            feed.send(20)
            process = service.start()
            time.sleep(chance.uniform(0.1, 1.5))
            service.kill(process)
        died[point or "at a random moment"] += 1
        assert_tables_match_their_positions(service, feed)
    service.finish(feed)
    with capsys.disabled():
        print(f"\nkilled {died.total()} times over {len(feed)} messages")
        for point in [*POINTS, *died.keys() - set(POINTS)]:
            print(f"  {point:28}{died[point]}")
    assert not [point for point in POINTS if not died[point]]
    assert_sound(service, feed, broker, undisturbed)


def test_two_processes_killed_in_turn(service, feed_of, broker, undisturbed, capsys):
    """Two that share the partitions; one is killed, which one and when is chance, and started again."""
    chance = random.Random(7)
    feed = feed_of(3)
    begin, kills = time.monotonic(), 0
    while kills < 12 or time.monotonic() - begin < ROLLING:
        while len(service.processes) < 2:
            service.start()
        feed.send(20)
        time.sleep(chance.uniform(0.05, 0.8))
        service.kill(chance.choice(service.processes))
        kills += 1
    for process in list(service.processes):
        service.kill(process)
    service.finish(feed)
    with capsys.disabled():
        print(f"\ntwo processes killed {kills} times over {len(feed)} messages")
    assert_sound(service, feed, broker, undisturbed)


def test_a_partition_moves_in_the_middle_of_a_batch(service, feed_of, broker, undisturbed):
    """A second process joins the group while the first has a batch open: that is committed before the partition moves."""
    feed = feed_of(4)
    text = service.config.read_text()
    service.config.write_text(text.replace("every: 100ms", "every: 10m, merge_every: 10m"))
    first = service.start()
    feed.send(200)
    seen = published_steps(broker, f"{service.topic}-alerts", 1)
    assert seen and service.has_in("bronze.observation_stream") == 0  # decoded and judged, not committed
    assert service.has_in("bronze.observation_stream") == 0
    service.start()
    service.await_text("goes to another process")
    service.await_bronze(feed, first)
    feed.send(200)
    service.stop()
    service.config.write_text(text)
    first, _ = service.start(), service.start()
    service.await_bronze(feed, first)
    service.stop()
    assert_sound(service, feed, broker, undisturbed)


def test_two_consumers_fight_over_the_same_partitions(service, feed_of, broker, undisturbed):
    """Both read all of it, each in a group of its own, and write to the same tables: no row is there twice, none is lost."""
    feed = feed_of(5)
    one = service.start()
    service.config.write_text(service.config.read_text().replace(f"group: {service.topic}", f"group: {service.topic}-rival"))
    service.start()
    service.await_text(f"reading {service.topic}/0 from", times=2)
    for _ in range(10):
        feed.send(20)
        service.await_bronze(feed, one)
    service.stop()
    service.finish(feed)
    assert_sound(service, feed, broker, undisturbed)


def open_files(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def resident_mb(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def waiting_messages(broker, group, topic):
    """What the broker says the group has not read yet."""
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": group})
    told = consumer.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], timeout=10)
    consumer.close()
    ends = broker.end_offsets(topic)
    return sum(ends[p.partition] - max(p.offset, 0) for p in told)


def test_soak(service, feed_of, broker, undisturbed, capsys):
    """On and on: nothing is lost, and neither memory nor open files nor the number of small files grows with time."""
    feed = feed_of(2)
    process = service.start()
    begin, memory, files = time.monotonic(), [], []
    while (passed := time.monotonic() - begin) < SOAK:
        feed.send(50)
        memory.append((passed, resident_mb(process)))
        files.append((passed, open_files(process)))
        time.sleep(0.1)  # the pace of the senders
    deadline = time.monotonic() + 60
    while waiting := waiting_messages(broker, service.topic, service.topic):
        assert time.monotonic() < deadline, f"{waiting} messages wait\n{service.text()}"
        time.sleep(0.2)
    feed.send(20)
    service.await_bronze(feed, process)
    service.stop()
    data_files = {table: len(service.lake.delta(table).file_uris()) for table in ("bronze.observation_stream", *SILVER, "ops.alert")}
    with capsys.disabled():
        print(f"\nsoaked for {SOAK:.0f} s: {len(feed)} messages, at most {max(m for _, m in memory):.0f} MB and "
              f"{max(n for _, n in files)} open files; data files {data_files}")
    assert_sound(service, feed, broker, undisturbed)
    assert max(m for _, m in memory) < 1500 and max(n for _, n in files) < 500
    assert max(data_files.values()) < 200, data_files
    if SOAK >= 600:
        def most(samples, first, last):
            return max(value for passed, value in samples if SOAK * first <= passed <= SOAK * last)

        assert most(memory, 0.9, 1) < most(memory, 0.33, 0.5) * 1.25 + 50, "memory grows"
        assert most(files, 0.9, 1) < most(files, 0.33, 0.5) * 1.25 + 20, "open files grow"
