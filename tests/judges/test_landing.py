"""The landing folder that `run` watches."""

import gzip
import json
import os
import time

import deltalake
import pytest

import resources
from product import write
from stream_service import Stream, by_id


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


def test_a_file_that_fails_is_set_aside_with_its_reason(landing, disk_faults):
    landing.environment = {**os.environ, **disk_faults, "FAULT_DENY": "lost.json"}
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
