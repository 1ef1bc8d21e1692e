"""What becomes of each message of a stream: its outcome, the ledger per range of offsets, quarantine, issues, bronze's bytes;
and that a file of the same records, gold computed anew and a replay give the same tables. From the interface's text alone."""

import collections
import gzip
import json
import re
import shutil

import pytest

import resources
from product import OUTCOMES, Lake, write
from stream_service import (Stream, assert_ranges_tile, assert_sound, by_id, delete, own_topic, readings, stream,
                            stream_ranges, version)
from streams import PLACE, SILVER, assert_same, rows

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


def test_restore_of_a_stream_table(hospital, tmp_path):
    """Refused where rows would not come again; with the positions taken back, too, bronze gives them again."""
    service = Stream(tmp_path, hospital.service.broker, "hospital")
    lake = service.lake
    shutil.copytree(hospital.lake.path, lake.path)
    before = rows(lake, "silver.observation"), lake.counts()
    earlier = lake.delta("silver.observation").version() // 2
    refused = lake.run("table", "restore", "silver.observation", "--version", earlier, expect=1).stderr
    assert "vitals/hospital/0/0" in refused and "--rewind" in refused
    assert rows(lake, "silver.observation") == before[0]
    lake.run("table", "restore", "silver.observation", "--version", earlier, "--rewind")
    assert lake.read("silver.observation").num_rows < len(before[0])
    service.config.write_text(service.config.read_text().replace(service.broker.address, "127.0.0.1:1"))
    try:
        service.start()
        for partition, end in hospital.ends.items():
            service.await_position("silver.observation", f"vitals/hospital/{partition}/0", end)
        service.stop()
    finally:
        service.end()
    assert (rows(lake, "silver.observation"), lake.counts()) == before


def test_the_consumer_group_has_the_name_given(hospital, broker):
    groups = broker.admin.list_consumer_groups().result()
    assert "hospital" in [g.group_id for g in groups.valid]


def test_the_log_holds_no_patient_data(hospital):
    text = hospital.service.log.read_text()
    assert "Doe" not in text and "1970-01-02" not in text and "hello world" not in text


@pytest.fixture
def service(tmp_path, broker, request):
    with stream(tmp_path, broker, own_topic(request)) as one:
        yield one


def test_messages_without_content(service):
    """No payload at all, or only blanks: the partition goes on, bronze has them, the ledger has their offsets."""
    service.through([b"", resources.pressure("a"), None, "  \n", "[]", resources.pressure("b")])
    service.stop()
    assert sorted(by_id(service.lake)) == ["a", "b"]
    assert len(service.lake.read("bronze.observation_stream")) == 6
    assert_ranges_tile(service.lake, {0: 6})
