"""Bad input: the run goes on, says what and where, keeps the record, and the ledger balances."""

import gzip
import json

import pytest

import resources
from product import Lake, write

GOOD = json.dumps(resources.patient("good"))


def ingest_beside_a_good_file(lake, tmp_path, name, content, **kwargs):
    """Ingests `content` and one good patient; checks that the good one is there and the ledger balances."""
    bad = write(tmp_path / "in" / name, content)
    good = write(tmp_path / "in" / "good.json", GOOD)
    done = lake.ingest(bad, good, **kwargs)
    assert "good" in {row["id"] for row in lake.read("silver.patient").to_pylist()}
    lake.counts()  # every row of it balances
    return done, next(row for row in lake.ledger() if row["range"].endswith(name))


def assert_quarantined(lake, place, *words, payload=None):
    """One record is in quarantine, at `place`, with a message that has the words and (a part of) its bytes."""
    (row,) = lake.quarantine()
    assert place in row["position"], row
    said = f"{row['reason']} {row['element_path']} {row['message']}".lower()
    for word in words:
        assert word.lower() in said, row
    assert row["payload"] and (payload is None or payload in row["payload"]), row
    return row


def one_bad_record(lake, tmp_path, name, content, place, *words, payload=None):
    done, ledger = ingest_beside_a_good_file(lake, tmp_path, name, content)
    assert (ledger["received"], ledger["quarantined"]) == (1, 1), ledger
    row = assert_quarantined(lake, place, *words, payload=payload)
    assert name in done.stderr + done.stdout, "the summary does not name the file"
    return row


def test_not_json(lake, tmp_path):
    one_bad_record(lake, tmp_path, "x.json", "hello world", "x.json", "json", payload="hello world")


def test_not_json_on_one_line(lake, tmp_path):
    lines = [json.dumps(resources.patient(f"p{i}")) for i in range(5)]
    lines[2] = "{nonsense"
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.ndjson", "\n".join(lines))
    assert (ledger["received"], ledger["written"], ledger["quarantined"]) == (5, 4, 1)
    assert_quarantined(lake, "x.ndjson:3", payload="{nonsense")


def test_cut_off_document(lake, tmp_path):
    one_bad_record(lake, tmp_path, "x.json", GOOD[:60], "x.json", payload=GOOD[:40])


def test_cut_off_last_line(lake, tmp_path):
    text = "\n".join([json.dumps(resources.patient("a")), json.dumps(resources.patient("b"))[:50]])
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.ndjson", text)
    assert (ledger["received"], ledger["written"], ledger["quarantined"]) == (2, 1, 1)
    assert_quarantined(lake, "x.ndjson:2")


def test_cut_off_gzip(lake, tmp_path):
    lines = "".join(json.dumps(resources.patient(f"p{i}", text={"status": "generated", "div": str(i) * 400})) + "\n" for i in range(3000))
    packed = gzip.compress(lines.encode())
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.ndjson.gz", packed[: len(packed) // 2])
    assert ledger["quarantined"] == 1 and 0 < ledger["written"] < 3000
    (row,) = lake.quarantine()
    assert "x.ndjson.gz" in row["position"]


def test_latin1_is_not_utf8(lake, tmp_path):
    one_bad_record(lake, tmp_path, "x.json", GOOD.replace("Doe", "M\u00fcller").encode("latin-1").replace(b"\\u00fc", b"\xfc"),
                   "x.json", "utf-8")


def test_utf16(lake, tmp_path):
    done, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.json", GOOD.replace("good", "wide").encode("utf-16"))
    assert ledger["received"] == ledger["quarantined"] == 1
    assert len(lake.quarantine()) == 1 and "x.json" in done.stderr + done.stdout


@pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a":', "}")])
def test_a_million_levels_deep(lake, tmp_path, opening, closing):
    deep = opening * 10**6 + "1" + closing * 10**6
    text = '{"resourceType":"Patient","id":"deep","extension":' + deep + "}"
    one_bad_record(lake, tmp_path, "deep.json", text, "deep.json", "deep")


def test_a_hundred_megabytes_in_one_resource(lake, tmp_path):
    big = resources.patient("big", text={"status": "generated", "div": "x" * 100_000_000})
    row = one_bad_record(lake, tmp_path, "big.json", big, "big.json")
    assert len(row["payload"]) <= 1 << 20
    assert any(word in row["message"].lower() for word in ("limit", "large", "mb", "bytes")), row["message"]


def test_gzip_bomb(lake, tmp_path):
    packed = gzip.compress(b'{"resourceType":"Patient","id":"' + b"0" * 400_000_000 + b'"}')
    assert len(packed) < 1_000_000
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "bomb.json.gz", packed)
    assert ledger["quarantined"] == 1 and ledger["written"] == 0


def test_another_resource_type_is_out_of_scope(lake, tmp_path):
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.json", {"resourceType": "Practitioner", "id": "dr"})
    assert (ledger["received"], ledger["out_of_scope"]) == (1, 1)
    assert lake.quarantine() == []


@pytest.mark.parametrize("content", [{"id": "no-type"}, {"resourceType": 5, "id": "x"}, "[1, 2]", '"text"', "null"])
def test_no_resource_at_all(lake, tmp_path, content):
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.json", content)
    assert ledger["received"] == ledger["quarantined"] > 0
    assert all("x.json" in row["position"] for row in lake.quarantine())


def test_a_missing_id_is_replaced_and_noted(lake, tmp_path):
    patient = {k: v for k, v in resources.patient().items() if k != "id"}
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.json", patient)
    assert (ledger["received"], ledger["written"]) == (1, 1)
    (row,) = [r for r in lake.read("silver.patient").to_pylist() if r["id"] != "good"]
    assert row["id"] and row["resource_id"] is None and row["family_name"] == "Doe"
    assert any(i["element_path"] == "Patient.id" and "x.json" in i["position"] for i in lake.issues())
    # the same content again is the same patient
    lake.ingest(write(tmp_path / "again.json", {"meta": {"source": "#2"}, **patient}))
    assert lake.read("silver.patient").num_rows == 2


def test_duplicate_keys(lake, tmp_path):
    """Which of two values was meant cannot be known: nothing is guessed in silence."""
    text = GOOD.replace('"good"', '"twice"').replace('"gender"', '"birthDate": "1999-09-09", "gender"')
    assert text.count("birthDate") == 2
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.json", text)
    assert ledger["received"] == 1 and ledger["written"] + ledger["quarantined"] == 1
    noted = [r for r in lake.quarantine() + lake.issues() if "x.json" in r["position"]]
    assert any("birthDate" in r["element_path"] or "birthDate" in r["message"] for r in noted), noted


def test_numbers_as_strings_are_read_and_noted(lake, tmp_path):
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.json", resources.pressure("o", "217", "95"))
    assert ledger["written"] == 1
    (row,) = lake.read("silver.observation").to_pylist()
    assert (row["systolic_pressure_value"], row["diastolic_pressure_value"]) == (217.0, 95.0)
    assert "text_number" in row["quality"].split()
    assert any(i["element_path"] == "Observation.component[0].valueQuantity.value" for i in lake.issues())


@pytest.mark.parametrize("date", ["2021-13-45", "not a date", "1970-02-30", "70-01-01", ""])
def test_invalid_birth_date(lake, tmp_path, date):
    one_bad_record(lake, tmp_path, "x.json", resources.patient("p", birthDate=date), "x.json", "Patient.birthDate")


@pytest.mark.parametrize("time", ["2026-01-05 08:00", "2026-01-05T25:00:00Z", "yesterday"])
def test_invalid_effective_time(lake, tmp_path, time):
    one_bad_record(lake, tmp_path, "x.json", resources.pressure(time=time), "x.json", "Observation.effective")


def test_unknown_properties_are_kept_and_noted(lake, tmp_path):
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.json", resources.patient("p", shoeSize=43))
    assert ledger["written"] == 1
    (issue,) = [i for i in lake.issues() if "shoeSize" in i["element_path"]]
    assert "x.json" in issue["position"] and issue["severity"] in ("warning", "error")


@pytest.mark.parametrize("change, path", [
    ({"component": [resources.component("8480-6", -1), resources.component("8462-4", 80)]}, "component[0].valueQuantity.value"),
    ({"component": [resources.component("8480-6", 351), resources.component("8462-4", 80)]}, "component[0].valueQuantity.value"),
    ({"component": [resources.component("8480-6", 120), {**resources.component("8462-4", 80), "valueQuantity": resources.quantity(80, "furlong")}]}, "component[1].valueQuantity"),
    ({"subject": None}, "subject"),
    ({"status": "finished"}, "status"),
    ({"effectiveDateTime": "2199-01-01T00:00:00Z"}, "effective"),
    ({"component": []}, ""),
])
def test_readings_that_cannot_be_used(lake, tmp_path, change, path):
    reading = {k: v for k, v in {**resources.pressure(), **change}.items() if v is not None}
    row = one_bad_record(lake, tmp_path, "x.json", reading, "x.json")
    assert path in row["element_path"], row


@pytest.mark.parametrize("name", ["x.json", "x.ndjson", "blank.ndjson"])
def test_an_empty_file_has_a_ledger_row(lake, tmp_path, name):
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, name, "\n \r\n" if name.startswith("blank") else "")
    assert ledger["received"] == 0
    assert lake.quarantine() == []


def test_byte_order_mark_crlf_and_blank_lines(lake, tmp_path):
    lines = b"\xef\xbb\xbf" + b"\r\n\r\n".join(json.dumps(resources.patient(f"p{i}")).encode() for i in range(3)) + b"\r\n"
    _, ledger = ingest_beside_a_good_file(lake, tmp_path, "x.ndjson", lines)
    assert (ledger["received"], ledger["written"]) == (3, 3)


def test_a_folder_without_files(lake, tmp_path):
    (tmp_path / "nothing").mkdir()
    done = lake.ingest(tmp_path / "nothing")
    assert str(tmp_path / "nothing") in done.stderr and "nothing to take in" in done.stderr, done.stderr
    assert done.stdout == ""
    assert lake.ledger() == []


def test_a_path_that_is_not_there(lake, tmp_path):
    done = lake.ingest(tmp_path / "missing.json", expect=(1, 2))
    assert "missing.json" in done.stderr, done.stderr


@pytest.mark.parametrize("fault, words", [("FAULT_VANISH", ("no such file", "vanish", "removed", "not found", "gone")),
                                          ("FAULT_DENY", ("permission", "denied"))])
def test_a_file_that_cannot_be_opened(lake, tmp_path, disk_faults, fault, words):
    lost, good = write(tmp_path / "in/lost.json", GOOD.replace("good", "lost")), write(tmp_path / "in/good.json", GOOD)
    done = lake.ingest(lost, good, env={**disk_faults, fault: "lost.json"}, expect=(0, 1))
    said = [line.lower() for line in (done.stderr + done.stdout).splitlines() if "lost.json" in line]
    assert any(word in line for line in said for word in words), done.stderr
    assert {row["id"] for row in lake.read("silver.patient").to_pylist()} == {"good"}
    lake.counts()
    # once it can be read it comes in
    write(lost, GOOD.replace("good", "lost"))
    lake.ingest(lost)
    assert {row["id"] for row in lake.read("silver.patient").to_pylist()} == {"good", "lost"}


def test_a_full_disk(tmp_path, disk_faults):
    """Wherever the space ends, the run fails with a clear message, no table is partial, and a second run finishes."""
    file = write(tmp_path / "in/data.json", resources.bundle(resources.patient(), *(
        resources.pressure(f"o{i}", 100 + i % 50) for i in range(300))))
    whole = Lake(tmp_path / "whole")
    whole.ingest(file)
    size = sum(p.stat().st_size for p in whole.path.rglob("*") if p.is_file())
    failed = 0
    for step in range(12):
        lake = Lake(tmp_path / f"lake{step}")
        space = f"{lake.path}:{int(size * (step + 0.5) / 10)}"
        done = lake.ingest(file, env={**disk_faults, "FAULT_SPACE": space}, expect=(0, 1))
        if done.returncode == 1:
            failed += 1
            assert "space" in done.stderr.lower() and "Traceback" not in done.stderr, done.stderr
            for table in lake.tables():
                if lake.delta(table).version() >= 0:
                    lake.read(table)  # whatever was committed can be read
        lake.ingest(file)
        assert lake.read("silver.observation").num_rows == 300 and lake.counts()["written"] == 301
    assert failed >= 5, f"only {failed} of 12 runs ran out of space"


def test_strict_ends_with_3(lake, tmp_path):
    lake.ingest(write(tmp_path / "x.json", "hello"), "--strict", expect=3)
    lake.ingest(write(tmp_path / "good.json", GOOD), "--strict", expect=0)


def test_dry_run_writes_nothing(lake, tmp_path):
    lake.ingest(write(tmp_path / "x.json", GOOD), "--dry-run")
    assert not lake.path.exists() or lake.read("silver.patient").num_rows == 0


@pytest.mark.parametrize("arguments, word", [(("ingest", "--nonsense", "x"), "nonsense"), (("ingset",), "ingset"), (("ingest",), "")])
def test_usage_errors_end_with_2(lake, arguments, word):
    done = lake.run(*arguments, expect=2)
    assert word in done.stderr and done.stdout == ""


def test_replay_after_a_fix(lake, tmp_path):
    """A quarantined record is shown whole, and is not counted twice when replayed unchanged."""
    lake.ingest(write(tmp_path / "x.json", resources.pressure("bad", 500)))
    (row,) = lake.quarantine()
    shown = lake.run("quarantine", "show", row["id"]).stdout
    assert "bad" in shown and "500" in shown
    listed = json.loads(lake.run("quarantine", "list", "--format", "json").stdout)
    assert [r["id"] for r in listed] == [row["id"]]
    lake.run("quarantine", "replay")
    assert lake.read("silver.observation").num_rows == 0
    assert len([r for r in lake.quarantine() if r["replayed_at"] is None]) >= 1
