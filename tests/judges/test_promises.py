"""The batch path's promises, from the interface's text alone: counts per file and shape, quarantine and replay, keys, times, units."""

import concurrent.futures
import datetime
import gzip
import json

import pyarrow
import pytest

import resources
from product import OUTCOMES, Lake, run, write


def ndjson(*records):
    return "\n".join(r if isinstance(r, str) else json.dumps(r) for r in records) + "\n"


def zstd(path, text):
    return write(path, pyarrow.compress(text.encode(), codec="zstd", asbytes=True))


def row_of(lake, name, table="silver.observation"):
    (row,) = [r for r in lake.read(table).to_pylist() if r["id"] == name]
    return row


def by_file(lake):
    return {row["range"].rsplit("/", 1)[-1]: {k: row[k] for k in ("received", *OUTCOMES) if row[k]} for row in lake.ledger()}


def delete(target):
    return {"request": {"method": "DELETE", "url": target}}


def test_every_file_of_a_mixed_folder_balances_by_itself(lake, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.ndjson.gz").write_bytes(gzip.compress(ndjson(
        resources.patient("p1"), resources.pressure("a"), "{broken", resources.pressure("bad", 900)).encode()))
    zstd(folder / "b.ndjson.zst", ndjson(resources.pressure("a"), "", resources.pressure("b"), resources.vital("h", "8867-4", 70, "/min")))
    write(folder / "c.json", resources.bundle(resources.patient("p2"), resources.pressure("c"), delete("Observation/b"),
                                              {"resourceType": "Device", "id": "d"}))
    write(folder / "d.json", [resources.pressure("e"), resources.pressure("e"), 7])
    write(folder / "e.json", "")
    write(folder / "notes.txt", "not FHIR")
    lake.ingest(folder)
    files = by_file(lake)
    assert set(files) == {"a.ndjson.gz", "b.ndjson.zst", "c.json", "d.json", "e.json"}
    first, second = files["a.ndjson.gz"], files["b.ndjson.zst"]
    assert (first["received"], first["quarantined"], second["received"]) == (4, 2, 3)
    assert first.get("duplicate", 0) + second.get("duplicate", 0) == 1  # reading a, in both
    assert files["c.json"]["received"] == 4 and files["c.json"]["out_of_scope"] == 1
    assert files["d.json"] == {"received": 3, "written": 1, "duplicate": 1, "quarantined": 1}
    assert files["e.json"] == {}
    total = lake.counts()
    assert total["received"] == 14 and total["quarantined"] == len(lake.quarantine()) == 3
    assert row_of(lake, "b")["retracted_at"] is not None
    stored = len({r["id"] for t in ("silver.patient", "silver.observation") for r in lake.read(t).to_pylist()})
    assert stored == 2 + 4  # p1 p2; a b c e


def test_the_summary_the_ledger_and_the_exit_code_agree(lake, tmp_path):
    file = write(tmp_path / "a.ndjson", ndjson(resources.pressure("a"), "hello", resources.pressure("x", 0, 0)))
    done = lake.run("--json", "ingest", "--strict", file, expect=3)
    summary, (row,) = json.loads(done.stdout), lake.ledger()
    for name in ("received", *OUTCOMES):
        assert summary[name] == row[name], name
    assert (row["received"], row["written"], row["quarantined"]) == (3, 1, 2)
    assert row["run"] == summary["run"] and row["range"] == str(file)
    assert row["bytes"] == file.stat().st_size and row["finished_at"] >= row["started_at"]


def test_quarantine_keeps_payload_reason_path_and_position(lake, tmp_path):
    bad = resources.pressure("bad", 900)
    file = write(tmp_path / "a.ndjson", ndjson(resources.pressure("good"), bad, "{cut"))
    lake.ingest(file)
    faulty, cut = sorted(lake.quarantine(), key=lambda r: r["position"])
    assert (faulty["position"], cut["position"]) == (f"{file}:2", f"{file}:3")
    assert json.loads(faulty["payload"]) == bad and cut["payload"] == "{cut"
    assert faulty["element_path"] == "Observation.component[0].valueQuantity.value"
    assert faulty["reason"] and cut["reason"] and faulty["reason"] != cut["reason"]
    assert faulty["received_at"] is not None and faulty["replayed_at"] is None
    (run_id,) = {row["run"] for row in lake.ledger()}
    assert {faulty["run"], cut["run"]} == {run_id}


def test_positions_in_a_bundle_name_the_entry(lake, tmp_path):
    file = write(tmp_path / "a.json", resources.bundle(resources.pressure("good"), resources.pressure("bad", 900)))
    lake.ingest(file)
    (row,) = lake.quarantine()
    assert row["position"].startswith(f"{file}:") and row["position"] != f"{file}:"


def test_the_bronze_copy_and_offset_lead_back_to_the_record(lake, tmp_path):
    records = [resources.pressure("a"), resources.pressure("b", 131)]
    text = ndjson(*records)
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(text.encode()))
    lake.ingest(tmp_path / "a.ndjson.gz")
    row = row_of(lake, "b")
    copy = lake.path / row["source_partition"]
    assert copy.read_bytes() == (tmp_path / "a.ndjson.gz").read_bytes()
    assert gzip.decompress(copy.read_bytes())[row["source_offset"]:].splitlines()[0] == json.dumps(records[1]).encode()


@pytest.mark.parametrize("sent, precision, date, time, offset", [
    ("2026-01-05T08:00:30.123456+02:00", "fraction|microsecond|second|millisecond", "2026-01-05", "2026-01-05T06:00:30.123456", 120),
    ("2026-01-05T00:30:00+14:00", "second", "2026-01-05", "2026-01-04T10:30:00", 840),
    ("2026-01-05T08:00:00Z", "second", "2026-01-05", "2026-01-05T08:00:00", 0),
    ("2026-01-05", "day", "2026-01-05", None, None),
])
def test_times_keep_their_precision_and_offset(lake, tmp_path, sent, precision, date, time, offset):
    lake.ingest(write(tmp_path / "a.json", resources.pressure("a", time=sent)))
    row = row_of(lake, "a")
    assert row["effective_precision"] in precision.split("|")
    assert row["effective_date"] == datetime.date.fromisoformat(date)
    assert row["effective_offset_minutes"] == offset
    if time is None:
        assert row["effective_time"] is None and "time_imprecise" in row["quality"].split()
    else:
        assert row["effective_time"] == datetime.datetime.fromisoformat(time).replace(tzinfo=datetime.UTC)


def with_units(name, unit, systolic=120, diastolic=80):
    reading = resources.pressure(name, systolic, diastolic)
    for component in reading["component"]:
        quantity = component["valueQuantity"]
        for key in ("unit", "system", "code"):
            quantity.pop(key)
        quantity.update(unit)
    return reading


UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize("unit, values, systolic, quality", [
    ({"unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}, (120, 80), 120, set()),
    ({"unit": "kPa", "system": UCUM, "code": "kPa"}, (16, 10), 16 * 7.50062, {"converted"}),
    ({}, (120, 80), 120, {"unit_assumed"}),
])
def test_pressures_come_out_in_millimetres(lake, tmp_path, unit, values, systolic, quality):
    lake.ingest(write(tmp_path / "a.json", with_units("a", unit, *values)))
    row = row_of(lake, "a")
    assert row["systolic_pressure_value"] == pytest.approx(systolic, rel=1e-5)
    assert row["systolic_pressure_unit"] == row["diastolic_pressure_unit"] == "mm[Hg]"
    assert set((row["quality"] or "").split()) == quality
    sent = [r for r in lake.read("silver.vital_sign").to_pylist() if r["code"] == "8480-6"]
    assert [float(r["value_sent"]) for r in sent] == [values[0]]


@pytest.mark.parametrize("unit", [{"unit": "bananas"}, {"unit": "bar", "system": UCUM, "code": "bar"}, {"unit": "mg", "system": UCUM, "code": "mg"}])
def test_an_unknown_unit_is_quarantined_with_its_path(lake, tmp_path, unit):
    lake.ingest(write(tmp_path / "a.json", with_units("a", unit)))
    (row,) = lake.quarantine()
    assert row["element_path"].startswith("Observation.component[0].valueQuantity")
    assert lake.read("silver.observation").num_rows == 0


def test_a_missing_unit_is_never_assumed_for_a_temperature(lake, tmp_path):
    vital = resources.vital("t", "8310-5", 37, "Cel")
    vital["valueQuantity"] = {"value": 37}
    lake.ingest(write(tmp_path / "a.json", vital))
    assert len(lake.quarantine()) == 1


def test_a_retraction_without_version_is_final(lake, tmp_path):
    lake.ingest(write(tmp_path / "1.json", resources.pressure("a", meta={"versionId": "3"})))
    lake.ingest(write(tmp_path / "2.json", resources.pressure("a", status="entered-in-error")))
    lake.ingest(write(tmp_path / "3.json", resources.pressure("a", 125, meta={"versionId": "9"})))
    row = row_of(lake, "a")
    assert row["retracted_at"] is not None and row["systolic_pressure_value"] is None
    assert all(r["value"] is None for r in lake.read("silver.vital_sign").to_pylist() if r["id"] == "a")
    assert lake.counts()["superseded"] >= 1


def test_a_retraction_before_its_original_leaves_a_tombstone(lake, tmp_path):
    lake.ingest(write(tmp_path / "1.json", resources.bundle(delete("Observation/late"))))
    lake.ingest(write(tmp_path / "2.json", resources.pressure("late")))
    row = row_of(lake, "late")
    assert row["retracted_at"] is not None and row["systolic_pressure_value"] is None


def test_an_id_in_two_spaces_is_two_people_through_to_gold(lake, tmp_path):
    for space, systolic in (("a", 110), ("b", 150)):
        lake.ingest(write(tmp_path / f"{space}.json", resources.bundle(resources.patient(), resources.pressure("o", systolic))),
                    "--id-space", space)
    gold = {r["id_space"]: r["avg_systolic_pressure"] for r in lake.read("gold.patient_observations").to_pylist()}
    assert gold == {"a": 110.0, "b": 150.0}
    lake.ingest(write(tmp_path / "gone.json", resources.bundle(delete("Observation/o"))), "--id-space", "b")
    gold = {r["id_space"]: r["readings"] for r in lake.read("gold.patient_observations").to_pylist()}
    assert gold == {"a": 1, "b": 0}


def identified(number, systolic):
    uuid = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
    return resources.pressure("same", systolic, identifier=[{"system": "urn:ietf:rfc:3986", "value": uuid}])


def test_keyed_by_identifier_the_constant_id_does_not_matter(lake, tmp_path):
    lake.ingest(write(tmp_path / "a.ndjson", ndjson(*(identified(n, 110 + n) for n in range(5)))), "--key", "identifier")
    rows = lake.read("silver.observation").to_pylist()
    assert {r["id"]: r["systolic_pressure_value"] for r in rows} == {f"00000000-0000-4000-8000-{n:012d}": 110.0 + n for n in range(5)}
    assert {r["resource_id"] for r in rows} == {"same"}
    lake.ingest(write(tmp_path / "b.ndjson", ndjson(identified(3, 113))), "--key", "identifier")
    assert lake.read("silver.observation").num_rows == 5


def test_replaying_what_is_still_unusable_changes_nothing(lake, tmp_path):
    lake.ingest(write(tmp_path / "a.ndjson", ndjson(resources.pressure("good"), "{cut")))
    before = lake.quarantine()
    lake.run("quarantine", "replay", "--reason", before[0]["reason"])
    lake.run("quarantine", "replay", "--reason", "no-such-reason", expect=(0, 1, 2))
    assert lake.read("silver.observation").num_rows == 1
    assert {r["payload"] for r in lake.quarantine()} == {"{cut"}


def test_messages_name_file_and_line(lake, tmp_path):
    file = write(tmp_path / "a.ndjson", ndjson(resources.pressure("good"), resources.pressure("bad", 900), "{cut"))
    done = lake.ingest(file)
    for line in (2, 3):
        assert f"{file}:{line}" in done.stdout + done.stderr


def test_exit_codes(lake, tmp_path):
    lake.ingest(write(tmp_path / "good.json", resources.patient()), expect=0)
    lake.ingest(tmp_path / "missing.json", expect=(1, 2))
    assert run("--lake", tmp_path / "none", "table", "list", expect=1).stderr
    lake.ingest(tmp_path / "good.json", "--key", "nonsense", expect=2)
    assert "silver.observation" in lake.run("table", "read", "silver.observation", "--version", 99, expect=1).stderr


def test_comparators_absent_reasons_and_texts_are_kept(lake, tmp_path):
    over = resources.pressure("over", 300)
    over["component"][0]["valueQuantity"]["comparator"] = ">"
    half = resources.pressure("half")
    half["component"][1].pop("valueQuantity")
    half["component"][1]["dataAbsentReason"] = {"coding": [{"code": "not-performed"}]}
    lake.ingest(write(tmp_path / "a.json", resources.bundle(over, half)))
    row = row_of(lake, "over")
    assert row["systolic_comparator"] == ">" and "off_scale" in row["quality"].split()
    row = row_of(lake, "half")
    assert row["diastolic_pressure_value"] is None and row["diastolic_absent_reason"] == "not-performed"
    assert row["systolic_pressure_value"] == 120.0


@pytest.mark.parametrize("systolic, diastolic", [(35, 30), (120, 125), (120, 112), (310, 100), (120, 15)])
def test_implausible_readings_are_kept_out_of_averages(lake, tmp_path, systolic, diastolic):
    lake.ingest(write(tmp_path / "a.json", resources.bundle(resources.patient(), resources.pressure("odd", systolic, diastolic),
                                                            resources.pressure("even", 120, 80, time="2026-01-06T08:00:00Z"))))
    assert "implausible" in row_of(lake, "odd")["quality"].split()
    (gold,) = lake.read("gold.patient_observations").to_pylist()
    assert (gold["readings"], gold["readings_excluded"], gold["avg_systolic_pressure"]) == (1, 1, 120.0)


@pytest.mark.parametrize("systolic, diastolic", [(0, 80), (351, 80), (120, -1), (0, 0)])
def test_impossible_values_are_quarantined(lake, tmp_path, systolic, diastolic):
    lake.ingest(write(tmp_path / "a.json", resources.pressure("a", systolic, diastolic)))
    assert len(lake.quarantine()) == 1 and lake.read("silver.observation").num_rows == 0


@pytest.mark.parametrize("ahead, quarantined, token", [(datetime.timedelta(hours=1), False, "clock_ahead"), (datetime.timedelta(hours=30), True, None),
                                                       (datetime.timedelta(minutes=1), False, None)])
def test_times_ahead_of_the_clock(lake, tmp_path, ahead, quarantined, token):
    time = (datetime.datetime.now(datetime.UTC) + ahead).isoformat(timespec="seconds")
    lake.ingest(write(tmp_path / "a.json", resources.pressure("a", time=time)))
    assert len(lake.quarantine()) == int(quarantined)
    if not quarantined:
        assert ("clock_ahead" in (row_of(lake, "a")["quality"] or "").split()) == (token is not None)


def versioned(name, version, systolic, **more):
    return resources.pressure(name, systolic, meta={"versionId": str(version)}, **more)


def test_replay_under_another_key_rule_takes_conflicts_in(lake, tmp_path):
    """Two readings under one constant id: a key conflict, until the source is keyed by identifier."""
    lake.ingest(write(tmp_path / "a.ndjson", ndjson(identified(1, 111), identified(2, 112))))
    (conflict,) = lake.quarantine()
    assert conflict["reason"] == "key-conflict" and "identifier" in conflict["message"]
    assert lake.counts()["written"] == 1


def test_two_deletes_that_fit_one_record_retract_it_once(lake, tmp_path):
    lake.ingest(write(tmp_path / "1.json", resources.pressure("a")))
    lake.ingest(write(tmp_path / "2.json", resources.bundle(delete("Observation/a"), delete("Observation/a"))))
    lake.counts()
    assert lake.read("silver.observation").num_rows == 1 and row_of(lake, "a")["retracted_at"] is not None


def test_a_delete_that_fits_several_readings_is_ambiguous(lake, tmp_path):
    lake.ingest(write(tmp_path / "a.ndjson", ndjson(identified(1, 111), identified(2, 112))), "--key", "identifier")
    lake.ingest(write(tmp_path / "b.json", resources.bundle(delete("Observation/same"))), "--key", "identifier")
    (row,) = lake.quarantine()
    assert row["reason"] == "ambiguous-delete"
    assert [r["retracted_at"] for r in lake.read("silver.observation").to_pylist()] == [None, None]


def test_the_same_version_with_other_content_is_no_duplicate(lake, tmp_path):
    for number, systolic in enumerate((120, 130)):
        lake.ingest(write(tmp_path / f"{number}.json", versioned("a", 4, systolic)))
    assert row_of(lake, "a")["systolic_pressure_value"] == 130.0 and lake.counts()["duplicate"] == 0


def test_readings_of_a_deleted_patient_stay(lake, tmp_path):
    lake.ingest(write(tmp_path / "1.json", resources.bundle(resources.patient(), resources.pressure("a"))))
    lake.ingest(write(tmp_path / "2.json", resources.bundle(delete("Patient/p1"))))
    assert row_of(lake, "p1", "silver.patient")["retracted_at"] is not None
    assert row_of(lake, "a")["retracted_at"] is None and row_of(lake, "a")["systolic_pressure_value"] == 120.0
    assert lake.read("gold.patient_observations").num_rows == 0


@pytest.mark.parametrize("reference", ["Patient/p1", "https://example.org/fhir/Patient/p1", "Patient/p1/_history/2"])
def test_references_to_a_patient_resolve(lake, tmp_path, reference):
    lake.ingest(write(tmp_path / "a.json", resources.bundle(resources.patient(), resources.pressure("a", subject=reference))))
    assert row_of(lake, "a")["patient_id"] == "p1"


def test_a_bundles_own_names_resolve_through_full_urls(lake, tmp_path):
    uuid = "urn:uuid:11111111-1111-4111-8111-111111111111"
    lake.ingest(write(tmp_path / "a.json", resources.bundle({"fullUrl": uuid, "resource": resources.patient("p9")},
                                                            resources.pressure("a", subject=uuid))))
    assert row_of(lake, "a")["patient_id"] == "p9"


def test_single_systolic_and_diastolic_observations_pair_in_gold(lake, tmp_path):
    pair = [resources.vital(name, code, value, "mm[Hg]") for name, code, value in (("s", "8480-6", 140), ("d", "8462-4", 90))]
    lake.ingest(write(tmp_path / "a.json", resources.bundle(resources.patient(), *pair)))
    assert lake.read("silver.observation").num_rows == 0
    (gold,) = lake.read("gold.patient_observations").to_pylist()
    assert (gold["readings"], gold["avg_systolic_pressure"], gold["avg_diastolic_pressure"]) == (1, 140.0, 90.0)


def test_glucose_is_taken_in_whatever_its_category(lake, tmp_path):
    glucose = resources.vital("g", "2339-0", 95, "mg/dL")
    glucose.pop("category")
    other = resources.vital("x", "718-7", 13, "g/dL")
    other.pop("category")
    lake.ingest(write(tmp_path / "a.json", resources.bundle(glucose, other)))
    counts = lake.counts()
    assert (counts["written"], counts["out_of_scope"]) == (1, 1)


@pytest.mark.parametrize("name", ["a_b", "x" * 65])
def test_ids_with_an_underscore_pass_with_a_remark_and_too_long_ones_do_not(lake, tmp_path, name):
    lake.ingest(write(tmp_path / "a.json", resources.pressure(name)))
    if name == "a_b":
        assert row_of(lake, "a_b") and any("id" in (r["element_path"] or "") for r in lake.issues())
    else:
        assert len(lake.quarantine()) == 1


def test_a_folder_is_searched_whole_and_globs_work(lake, tmp_path):
    write(tmp_path / "in/deep/er/a.json", resources.patient("a"))
    write(tmp_path / "in/b.ndjson", ndjson(resources.patient("b")))
    write(tmp_path / "other-c.json", resources.patient("c"))
    lake.ingest(tmp_path / "in", f"{tmp_path}/other-*.json")
    assert {r["id"] for r in lake.read("silver.patient").to_pylist()} == {"a", "b", "c"}


def test_bronze_keeps_both_files_of_one_name(lake, tmp_path):
    for number in (1, 2):
        lake.ingest(write(tmp_path / str(number) / "same.json", resources.patient(f"p{number}")))
    copies = [p for p in (lake.path / "bronze/patient").rglob("*") if p.is_file()]
    assert sorted(p.read_bytes() for p in copies) == sorted((tmp_path / str(n) / "same.json").read_bytes() for n in (1, 2))
    lake.ingest(tmp_path / "1/same.json", "--source", "clinic")
    assert len([p for p in (lake.path / "bronze/clinic").rglob("*") if p.is_file()]) == 1


def test_two_runs_at_once_on_different_files_lose_nothing(tmp_path):
    lake = Lake(tmp_path / "lake")
    files = [write(tmp_path / f"{n}.ndjson", ndjson(*(resources.pressure(f"o{n}-{i}", 100 + i) for i in range(50)))) for n in range(4)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lake.ingest, files))
    assert lake.read("silver.observation").num_rows == 200 and lake.counts()["written"] == 200
