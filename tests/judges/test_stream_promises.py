"""The promises about streams, from the interface's text alone: each message's outcome, the ledger per offset range,
quarantine, restarts, the landing folder, and what a wrong setting says."""

import collections
import contextlib
import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time

import deltalake
import pytest

import resources
from kafka_broker import Broker
from product import OUTCOMES, Lake, command, write
from streams import PLACE, SILVER, Service, assert_same, rows


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


@pytest.fixture
def service(tmp_path, broker, request):
    """One stream over one topic of one partition, with the settings of this file."""
    with stream(tmp_path, broker, re.sub(r"[^a-z0-9_]+", "-", request.node.name)) as one:
        yield one


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


# A day of a hospital's topic. Each message: (payload, {outcome: records}); `kept` = written or superseded, where the
# text leaves open which, as it depends on whether both versions lay in one commit.

GOOD_TEXT = json.dumps(resources.pressure("utf", note=[{"text": "QQQ"}])).encode()
POISON = {
    "not JSON": b"hello world",
    "cut off": b'{"resourceType": "Observation", "id": "cut',
    "Avro": b"\x00\x00\x00\x00\x05\x02abc",
    "bad UTF-8": GOOD_TEXT.replace(b"QQQ", b"Z\xff\xfeZ"),
    "65 deep": b'{"resourceType":"Patient","id":"deep","extension":' + b"[" * 65 + b"1" + b"]" * 65 + b"}",
    "deep": b'{"resourceType":"Patient","id":"deep","extension":' + b"[" * 5000 + b"1" + b"]" * 5000 + b"}",
    "bomb": gzip.compress(b'{"resourceType":"Patient","id":"' + b"0" * 60_000_000 + b'"}'),
    "cut gzip": gzip.compress(GOOD_TEXT)[:-20],
    "gzip of no JSON": gzip.compress(b"not JSON either"),
    "a number": b"5",
    "a string": b'"Observation"',
    "null": b"null",
    "no type": b"{}",
    "no value": json.dumps({k: v for k, v in resources.pressure("nv").items() if k != "component"}).encode(),
}
PARTITIONS = 3


def readings(prefix, count, patient, start=0):
    return [resources.pressure(f"{prefix}{i}", 100 + (i * 7) % 60, 60 + i % 30, subject=f"Patient/{patient}",
                               time=f"2026-01-{5 + i // 1440 % 20:02d}T{i // 60 % 24:02d}:{i % 60:02d}:00Z")
            for i in range(start, start + count)]


def day(partition):
    """The messages of one partition, in order."""
    p = f"p{partition}-"
    who = {"subject": f"Patient/{p}a"}
    sent = [(resources.patient(p + "a"), {"written": 1}), (resources.patient(p + "b"), {"written": 1})]
    singles = readings(p + "s", 500, p + "a")
    sent += [(r, {"written": 1}) for r in singles]
    sent += [(gzip.compress(json.dumps(r).encode()), {"written": 1}) for r in readings(p + "z", 50, p + "a")]
    # the same content: the same bytes, other formatting, other meta and text
    sent += [(r, {"duplicate": 1}) for r in singles[:40]]
    sent += [(json.dumps(r, indent=2), {"duplicate": 1}) for r in singles[40:50]]
    sent += [({**r, "meta": {"source": "#again"}, "text": {"status": "generated", "div": "<div>x</div>"}}, {"duplicate": 1})
             for r in singles[50:60]]
    # corrections in order, then backwards
    for i in range(10):
        sent += [(version(f"{p}up{i}", 1, 120, **who), {"kept": 1}), (version(f"{p}up{i}", 2, 150, **who), {"written": 1}),
                 (version(f"{p}down{i}", 2, 151, **who), {"written": 1}), (version(f"{p}down{i}", 1, 121, **who), {"superseded": 1})]
    # retractions behind and ahead of their originals
    for i in range(5):
        sent += [(resources.pressure(f"{p}gone{i}", **who), {"kept": 1}),
                 (resources.pressure(f"{p}gone{i}", status="entered-in-error", **who), {"written": 1}),
                 (resources.pressure(f"{p}never{i}", status="entered-in-error", **who), {"written": 1}),
                 (resources.pressure(f"{p}never{i}", **who), {"superseded": 1}),
                 (resources.pressure(f"{p}del{i}", **who), {"kept": 1}),
                 (resources.bundle(delete(f"Observation/{p}del{i}")), {"written": 1})]
    # out of scope: alone, and inside of what is not
    sent += [({"resourceType": "Practitioner", "id": p + "dr"}, {"out_of_scope": 1}),
             ({"resourceType": "Observation", "id": p + "hb", "status": "final", "subject": {"reference": "Patient/x"},
               "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}, "valueQuantity": {"value": 7}}, {"out_of_scope": 1}),
             ([resources.vital(p + "hr", "8867-4", 72, "/min", **who), {"resourceType": "Device", "id": p + "d"}, 7,
               resources.pressure(p + "impossible", 900, **who)], {"written": 1, "out_of_scope": 1, "quarantined": 2})]
    sent += [(payload, {"quarantined": 1}) for payload in POISON.values()]
    sent += [(resources.bundle(*readings(p + "bundle", 500, p + "b")), {"written": 500}),
             (json.dumps(readings(p + "array", 60, p + "b")), {"written": 60}),
             (gzip.compress(json.dumps(resources.bundle(*readings(p + "bundle", 20, p + "b"))).encode()), {"duplicate": 20})]
    # of use, with a remark
    sent += [(resources.pressure(p + "text", "131", "84", **who), {"written": 1})]
    return sent


def as_bytes(payload):
    return payload if isinstance(payload, bytes) else (payload if isinstance(payload, str) else json.dumps(payload)).encode()


class Day:
    def __init__(self, service, days):
        self.service, self.lake, self.days = service, service.lake, days
        self.ends = {p: len(messages) for p, messages in days.items()}

    def expected(self, partition, first, last):
        total = collections.Counter()
        for _, outcomes in self.days[partition][first:last + 1]:
            total.update(outcomes)
        return total


@pytest.fixture(scope="module")
def hospital(tmp_path_factory, broker):
    """Three partitions; the first part was there before the service, the rest comes while it runs."""
    days = {p: day(p) for p in range(PARTITIONS)}
    with stream(tmp_path_factory.mktemp("hospital"), broker, "hospital", PARTITIONS) as service:
        for step in range(4):
            broker.send("hospital", [(p, m) for p, messages in days.items()
                                     for m, _ in messages[step * len(messages) // 4:(step + 1) * len(messages) // 4]])
            if not step:
                service.start("trace")
            service.await_all()
        service.stop()
        yield Day(service, days)


def test_ledger_ranges_hold_every_offset_once_and_balance(hospital):
    assert sum(hospital.ends.values()) > 2000
    assert_ranges_tile(hospital.lake, hospital.ends)
    assert len(stream_ranges(hospital.lake)) >= 4
    for partition, first, last, row in stream_ranges(hospital.lake):
        assert row["source"] == "vitals" and row["finished_at"] >= row["started_at"]
        assert row["bytes"] > 0, row


def test_each_range_has_the_outcomes_of_its_messages(hospital):
    for partition, first, last, row in stream_ranges(hospital.lake):
        wanted = hospital.expected(partition, first, last)
        assert row["received"] == sum(wanted.values()), row
        for outcome in ("duplicate", "quarantined", "out_of_scope"):
            assert row[outcome] == wanted[outcome], (outcome, row)
        assert wanted["written"] <= row["written"] <= wanted["written"] + wanted["kept"], row
        assert row["superseded"] >= wanted["superseded"], row


def test_the_ledger_command_shows_the_same(hospital):
    shown = json.loads(hospital.lake.run("ledger", "--format", "json").stdout)
    total = hospital.lake.counts()
    for name, count in total.items():
        assert sum(r[name] for r in shown) == count, name


def test_quarantine_names_the_offset_and_keeps_the_payload(hospital):
    found = collections.defaultdict(list)
    for row in hospital.lake.quarantine():
        found[row["position"]].append(row)
    names = {payload: name for name, payload in POISON.items()}
    count = 0
    for partition, messages in hospital.days.items():
        for offset, (payload, outcomes) in enumerate(messages):
            place = f"hospital/{partition}/{offset}"
            if isinstance(payload, list) and "quarantined" in outcomes:
                assert [r["payload"] for r in found.pop(f"{place}:2")] == ["7"]
                (row,) = found.pop(f"{place}:3")
                assert json.loads(row["payload"]) == payload[3]
                assert row["element_path"] == "Observation.component[0].valueQuantity.value"
            elif isinstance(payload, bytes) and payload in names:
                (row,) = found.pop(place)
                count += 1
                assert row["payload"] and row["reason"] and row["message"], row
                if names[payload] in ("not JSON", "cut off", "65 deep", "deep", "no type", "no value", "a number", "null"):
                    assert row["payload"].encode() == payload, row
                for name, word in (("bad UTF-8", "utf-8"), ("deep", "deep"), ("65 deep", "64"), ("bomb", "gzip"), ("cut gzip", "gzip")):
                    assert names[payload] != name or word in row["message"].lower(), row
    assert count == PARTITIONS * len(POISON) and not found, dict(found)
    assert all(r["source"] == "vitals" and r["received_at"] and r["replayed_at"] is None for r in hospital.lake.quarantine())


def test_quarantine_show_gives_the_payload(hospital):
    row = next(r for r in hospital.lake.quarantine() if r["payload"] == "hello world")
    assert "hello world" in hospital.lake.run("quarantine", "show", row["id"]).stdout
    assert len(json.loads(hospital.lake.run("quarantine", "list", "--format", "json").stdout)) == len(hospital.lake.quarantine())


def test_delta_rs_reads_every_payload_from_bronze(hospital):
    found = {}
    for row in hospital.lake.read("bronze.observation_stream").to_pylist():
        place = int(re.fullmatch(r"vitals/hospital/(\d+)/0", row["partition"])[1]), row["offset"]
        assert place not in found and row["source"] == "vitals" and row["received_at"] is not None
        found[place] = row["payload"]
    assert found == {(p, i): as_bytes(m) for p, messages in hospital.days.items() for i, (m, _) in enumerate(messages)}


def test_every_table_states_how_far_it_is(hospital):
    for table in ("bronze.observation_stream", *SILVER, "ops.quarantine", "ops.ledger"):
        for partition, end in hospital.ends.items():
            assert hospital.service.position(table, f"vitals/hospital/{partition}/0") == end, table


def test_what_became_of_versions_and_retractions(hospital):
    assert_sound(hospital.lake)
    found = by_id(hospital.lake)
    for p in (f"p{i}-" for i in range(PARTITIONS)):
        for i in range(10):
            assert (found[f"{p}up{i}"]["systolic_pressure_value"], found[f"{p}up{i}"]["version_id"]) == (150.0, "2")
            assert (found[f"{p}down{i}"]["systolic_pressure_value"], found[f"{p}down{i}"]["version_id"]) == (151.0, "2")
        for i in range(5):
            for name in ("gone", "never", "del"):
                row = found[f"{p}{name}{i}"]
                assert row["retracted_at"] is not None, row
                assert row["systolic_pressure_value"] is None and row["diastolic_pressure_value"] is None, row
            assert found[f"{p}gone{i}"]["status"] == found[f"{p}never{i}"]["status"] == "entered-in-error"
        assert "text_number" in found[p + "text"]["quality"].split()
        assert len([n for n in found if n.startswith(p)]) == 500 + 50 + 20 + 15 + 500 + 60 + 1
    for row in hospital.lake.read("silver.vital_sign").to_pylist():
        assert row["retracted_at"] is None or row["value"] is None, row
    assert set(by_id(hospital.lake, "silver.patient")) == {f"p{i}-{n}" for i in range(PARTITIONS) for n in "ab"}


def test_rows_lead_back_to_their_message(hospital):
    for row in hospital.lake.read("silver.observation").to_pylist():
        partition = int(re.match(r"vitals/hospital/(\d+)/0", row["source_partition"])[1])
        payload = as_bytes(hospital.days[partition][row["source_offset"]][0])
        text = gzip.decompress(payload) if payload.startswith(b"\x1f\x8b") else payload
        assert row["id"].encode() in text, row
        assert row["source"] == "vitals"


def test_remarks_name_the_offset(hospital):
    places = {(i["position"], i["element_path"]) for i in hospital.lake.issues()}
    for partition, messages in hospital.days.items():
        place = f"hospital/{partition}/{len(messages) - 1}"
        assert (place, "Observation.component[0].valueQuantity.value") in places


def assert_alike(lake, reference):
    """The same rows; a retraction's time is when it was received, which differs."""
    for table in SILVER:
        one, other = ([{**{k: v for k, v in r.items() if k not in PLACE}, "retracted_at": r["retracted_at"] is not None}
                       for r in either.read(table).to_pylist()] for either in (lake, reference))
        assert sorted(map(repr, one)) == sorted(map(repr, other)), table


def test_a_stream_gives_what_the_same_records_as_a_file_give(hospital, tmp_path):
    def flat(payload):
        text = as_bytes(payload)
        parsed = json.loads(gzip.decompress(text) if text.startswith(b"\x1f\x8b") else text)
        return parsed if isinstance(parsed, list) else [parsed]
    lines = [json.dumps(one) for messages in hospital.days.values() for payload, _ in messages
             if payload not in POISON.values() for one in flat(payload)]
    reference = Lake(tmp_path / "batch")
    reference.ingest(write(tmp_path / "all.ndjson", "\n".join(lines) + "\n"))
    assert_alike(hospital.lake, reference)
    assert_same(hospital.lake, reference, ["gold.patient_observations", "gold.bp_daily", "gold.latest_vital", "gold.vital_daily"])
    # and the same records as a file into the stream's lake change no row
    lake = Lake(tmp_path / "copy")
    shutil.copytree(hospital.lake.path, lake.path)
    lake.ingest(tmp_path / "all.ndjson")
    assert_alike(lake, reference)
    row = next(r for r in lake.ledger() if r["range"].endswith("all.ndjson"))
    assert row["received"] == sum(row[o] for o in OUTCOMES) and row["duplicate"] > 3000, row


def test_gold_is_its_recomputation(hospital, tmp_path):
    lake = Lake(tmp_path / "copy")
    shutil.copytree(hospital.lake.path, lake.path)
    tables = ["gold.patient_observations", "gold.bp_daily", "gold.latest_vital", "gold.vital_daily"]
    before = {t: rows(lake, t) for t in tables}
    lake.run("gold", "--full")
    assert {t: rows(lake, t) for t in tables} == before


def test_a_replay_of_what_is_still_bad_changes_nothing(hospital, tmp_path):
    lake = Lake(tmp_path / "copy")
    shutil.copytree(hospital.lake.path, lake.path)
    lake.run("quarantine", "replay", expect=(0, 1, 3))
    assert_same(lake, hospital.lake)
    lake.counts()
    open_ones = collections.Counter(r["position"] for r in lake.quarantine() if r["replayed_at"] is None)
    assert open_ones == collections.Counter(r["position"] for r in hospital.lake.quarantine())


def test_a_stream_table_is_not_restored_behind_its_position(hospital, tmp_path):
    lake = Lake(tmp_path / "copy")
    shutil.copytree(hospital.lake.path, lake.path)
    count = lake.read("silver.observation").num_rows
    lake.run("table", "restore", "silver.observation", "--version", 0, expect=1)
    assert lake.read("silver.observation").num_rows == count


def test_the_consumer_group_has_the_name_given(hospital, broker):
    groups = broker.admin.list_consumer_groups().result()
    assert "hospital" in [g.group_id for g in groups.valid]


def test_the_log_holds_no_patient_data(hospital):
    text = hospital.service.log.read_text()
    assert "Doe" not in text and "1970-01-02" not in text and "hello world" not in text


# Restarts.

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


# One key, one rule.

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


def test_messages_without_content(service):
    """No payload at all, or only blanks: the partition goes on, bronze has them, the ledger has their offsets."""
    service.through([b"", resources.pressure("a"), None, "  \n", "[]", resources.pressure("b")])
    service.stop()
    assert sorted(by_id(service.lake)) == ["a", "b"]
    assert len(service.lake.read("bronze.observation_stream")) == 6
    assert_ranges_tile(service.lake, {0: 6})


def test_one_stream_in_trouble_does_not_hold_up_another(tmp_path, broker):
    two = ("- {{name: vitals, kafka: {kafka}, commit: {commit}}}\n"
           '  - {{name: lost, kafka: {{brokers: "127.0.0.1:1", topic: nowhere}}}}')
    with stream(tmp_path, broker, "healthy", streams=two) as service:
        service.through(readings("r", 20, "p1"))
        service.wait_for(lambda: "127.0.0.1:1" in service.text() and "lost" in service.text(), "a word about the other")
        service.stop()
        assert len(by_id(service.lake)) == 20


# Settings.

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


# The landing folder.

@pytest.fixture
def landing(tmp_path, broker):
    service = Stream(tmp_path, broker, "none", streams="", extra="landing: {path: landing, settle: 2s}")
    (tmp_path / "landing").mkdir()
    service.landing = tmp_path / "landing"
    yield service
    service.end()


def ledger_of(service, name):
    try:
        return [r for r in service.lake.ledger() if r["range"].endswith(name)]
    except deltalake.exceptions.TableNotFoundError:
        return []


def test_a_growing_file_is_left_until_it_rests(landing):
    landing.start()
    began = time.monotonic()
    lines = 0
    with open(landing.landing / "slow.ndjson", "w") as file:  # longer than settle, never at rest for as long as it
        while time.monotonic() - began < 5:
            file.write(json.dumps(resources.patient(f"p{lines}")) + "\n")
            file.flush()
            lines += 1
            assert not ledger_of(landing, "slow.ndjson"), "taken in while it grew"
            time.sleep(0.1)
    landing.wait_for(lambda: ledger_of(landing, "slow.ndjson"), "the file in the ledger")
    landing.stop()
    (row,) = ledger_of(landing, "slow.ndjson")
    assert (row["received"], row["written"], row["quarantined"]) == (lines, lines, 0)
    assert len(by_id(landing.lake, "silver.patient")) == lines


def test_the_same_file_again_and_bad_files_in_the_landing_folder(landing):
    text = "".join(json.dumps(resources.patient(f"p{i}")) + "\n" for i in range(30))
    write(landing.landing / "a.ndjson", text)
    (landing.landing / "bad.ndjson.gz").write_bytes(gzip.compress(b"{cut\n" + json.dumps(resources.pressure()).encode() + b"\n"))
    write(landing.landing / "notes.txt", "no FHIR")
    landing.start()
    landing.wait_for(lambda: ledger_of(landing, "a.ndjson") and ledger_of(landing, "bad.ndjson.gz"), "both files")
    write(landing.landing / "sub/again.ndjson", text)
    landing.wait_for(lambda: ledger_of(landing, "again.ndjson"), "the repeated file")
    landing.stop()
    (again,) = ledger_of(landing, "again.ndjson")
    assert (again["received"], again["duplicate"]) == (30, 30)
    (bad,) = ledger_of(landing, "bad.ndjson.gz")
    assert (bad["received"], bad["written"], bad["quarantined"]) == (2, 1, 1)
    assert len(by_id(landing.lake, "silver.patient")) == 30 and landing.lake.counts()["received"] == 62
    assert not ledger_of(landing, "notes.txt")
    (persons,) = landing.lake.sql("SELECT count(*) AS n, sum(readings) AS r FROM gold.patient_observations WHERE id LIKE 'p%'")
    assert (int(persons["n"]), int(persons["r"])) == (30, 1)
    # once more, and nothing is taken in again; what came in while nobody watched is
    write(landing.landing / "more.ndjson", json.dumps(resources.patient("more")))
    landing.start()
    landing.wait_for(lambda: ledger_of(landing, "more.ndjson"), "the new file")
    landing.stop()
    assert len(landing.lake.ledger()) == 4


def test_a_file_that_fails_is_set_aside_with_its_reason(landing, tmp_path):
    library = tmp_path / "disk_faults.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", __file__.replace("test_stream_promises.py", "disk_faults.c"), "-o", library, "-ldl"],
                   check=True)
    landing.environment = {**os.environ, "LD_PRELOAD": str(library), "FAULT_DENY": "lost.json"}
    write(landing.landing / "lost.json", resources.patient("lost"))
    landing.start()
    landing.wait_for(lambda: "set aside" in landing.text(), "lost.json set aside")
    write(landing.landing / "good.json", resources.patient("good"))
    landing.wait_for(lambda: ledger_of(landing, "good.json"), "the good file")
    landing.stop()
    said = [line for line in landing.text().splitlines() if "set aside" in line]
    assert len(said) == 1 and "lost.json" in said[0] and "ermission" in said[0], said
    assert any("ermission" in (r["message"] or "") for r in ledger_of(landing, "lost.json"))
    landing.lake.counts()
    # with the trouble gone, a restart takes it in
    landing.environment = None
    landing.start()
    landing.wait_for(lambda: "lost" in by_id(landing.lake, "silver.patient"), "lost.json in silver")
    landing.stop()
