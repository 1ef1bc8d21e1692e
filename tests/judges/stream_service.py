"""A stream with settings of the test's own, and what holds of its tables: one row a key, each offset in one range."""

import collections
import contextlib
import re
import time

import deltalake

import resources
from product import OUTCOMES
from streams import SILVER, Service


class Stream(Service):
    """A service with settings of the test's own; `{kafka}` in them stands for this topic's."""

    def __init__(self, folder, broker, topic, streams="- {{name: vitals, kafka: {kafka}, commit: {commit}}}", extra=""):
        super().__init__(folder, broker, topic)
        self.config.write_text(f"lake: {self.lake.path}\n" + ("streams:\n  " if streams else "") + streams.format(
            kafka=f'{{brokers: "{broker.address}", topic: {topic}, group: "{topic}"}}',
            commit="{every: 100ms}") + f"\n{extra}\n")
        self.environment = None

    def start(self, level="info"):
        return super().start(level, self.environment)

    def wait_for(self, condition, what, timeout=30):
        """Polls until `condition` holds, while the service lives."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"never came: {what}\n{self.text()}"
            assert all(p.poll() is None for p in self.processes), f"ended before: {what}\n{self.text()}"
            time.sleep(0.05)

    def count(self, table):
        try:
            return self.lake.read(table).num_rows
        except deltalake.exceptions.TableNotFoundError:
            return 0

    def send(self, messages, partition=0):
        self.broker.send(self.topic, [(partition, m) for m in messages])

    def through(self, messages, partition=0):
        """Sends them, and waits until bronze has them: `stop` has to drain the rest."""
        self.send(messages, partition)
        if not self.processes:
            self.start()
        self.await_bronze()

    def await_bronze(self):
        for partition, end in self.broker.end_offsets(self.topic).items():
            self.await_position("bronze.observation_stream", f"vitals/{self.topic}/{partition}/0", end)


@contextlib.contextmanager
def stream(folder, broker, topic, partitions=1, **settings):
    broker.create(topic, partitions)
    folder.mkdir(exist_ok=True)
    one = Stream(folder, broker, topic, **settings)
    try:
        yield one
    finally:
        one.end()
        broker.delete(topic)


def by_id(lake, table="silver.observation", key="id"):
    """Rows by id; fails where an id is there twice."""
    found = lake.read(table).to_pylist()
    twice = [k for k, n in collections.Counter((r["id_space"], r[key]) for r in found).items() if n > 1]
    assert not twice, f"{table} has more than one row of {twice}"
    return {r[key]: r for r in found}


def assert_sound(lake):
    """One row a key, in tables that verify."""
    for table in SILVER:
        names = [("id_space", "id")] if table != "silver.vital_sign" else [("id_space", "id", "component", "code")]
        keys = collections.Counter(tuple(r[n] for n in names[0]) for r in lake.read(table).to_pylist())
        assert not [k for k, n in keys.items() if n > 1], table
        lake.run("table", "verify", table)


def stream_ranges(lake):
    """(partition, first, last, ledger row) of each offset range, in order."""
    found = []
    for row in lake.ledger():
        match = re.fullmatch(r".+/(\d+)/(\d+)-(\d+)", row["range"])
        if match:
            found.append((*map(int, match.groups()), row))
    return sorted(found, key=lambda f: f[:3])


def assert_ranges_tile(lake, ends):
    """Every offset in exactly one range, every range balancing."""
    place = dict.fromkeys(ends, 0)
    for partition, first, last, row in stream_ranges(lake):
        assert first == place[partition] and last >= first, f"a gap or an overlap before {row}"
        place[partition] = last + 1
        assert row["received"] == sum(row[o] for o in OUTCOMES), row
    assert place == ends


def delete(target):
    return {"request": {"method": "DELETE", "url": target}}


def version(name, number, systolic, **more):
    return resources.pressure(name, systolic, meta={"versionId": str(number), "lastUpdated": f"2026-01-0{number}T00:00:00Z"}, **more)


def readings(prefix, count, patient, start=0):
    return [resources.pressure(f"{prefix}{i}", 100 + (i * 7) % 60, 60 + i % 30, subject=f"Patient/{patient}",
                               time=f"2026-01-{5 + i // 1440 % 20:02d}T{i // 60 % 24:02d}:{i % 60:02d}:00Z")
            for i in range(start, start + count)]


def own_topic(request):
    """Named after the test."""
    return re.sub(r"[^a-z0-9_]+", "-", request.node.name)
