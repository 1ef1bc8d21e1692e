"""Known resources with the outcome of each written down by hand: HL7's examples, the reference platform's
message, and the validator's valid, invalid and unreadable files."""

import json
import uuid

import pytest

from product import DATA, Lake, write

HL7 = DATA / "hl7-r4-examples"
VALIDATOR = DATA / "fhir-validator-cases"

# id: (systolic, diastolic) of the blood-pressure panels
HL7_PANELS = {"blood-pressure": (107.0, 60.0), "blood-pressure-dar": (107.0, None), "blood-pressure-cancel": (None, None)}
# id: (value as sent, unit as sent, value, unit) of the single vital signs; None where retracted or absent
HL7_VITALS = {
    "bmi": (16.2, "kg/m2", 16.2, "kg/m2"),
    "bmi-using-related": (16.2, "kg/m2", 16.2, "kg/m2"),
    "body-height": (66.89999999999999, "[in_i]", 66.89999999999999 * 2.54, "cm"),
    "body-length": (25.0, "cm", 25.0, "cm"),
    "body-temperature": (36.5, "Cel", 36.5, "Cel"),
    "example": (185.0, "[lb_av]", 185 * 0.45359237, "kg"),
    "head-circumference": (51.2, "cm", 51.2, "cm"),
    "heart-rate": (44.0, "/min", 44.0, "/min"),
    "mbp": (80.0, "mm[Hg]", 80.0, "mm[Hg]"),
    "respiratory-rate": (26.0, "/min", 26.0, "/min"),
    "satO2": (95.0, "%", 95.0, "%"),
    "map-sitting": (60.0, "mm[Hg]", 60.0, "mm[Hg]"),   # category laboratory, but a code on the list
    "f001": (6.3, "mmol/L", 6.3, "mmol/L"),            # glucose, no category
}
HL7_RETRACTED = {"blood-pressure-cancel": "cancelled", "f202": "entered-in-error", "unsat": "cancelled"}
# vital-signs by category, but only a list of other readings: nothing that could be a row
HL7_NO_VALUE = {"vitals-panel"}
# id: (family name, given names, gender, birth date)
HL7_PATIENTS = {
    "animal": (None, "Kenzi", "female", "2010-03-23"),
    "ch-example": (None, None, "male", "1974-12-25"),
    "dicom": ("MINT_TEST", None, "male", None),
    "example": ("Chalmers", "Peter James", "male", "1974-12-25"),
    "f001": ("van de Heuvel", "Pieter", "male", "1944-11-17"),
    "f201": ("Bor", "Roelof Olaf", "male", "1960-03-13"),
    "genetics-example1": ("Everywoman", "Eve", "female", "1973-05-31"),
    "glossy": ("Levin", "Henry", "male", "1932-09-24"),
    "ihe-pcd": ("BROOKS", "ALBERT", None, None),
    "infant-fetal": (None, None, "male", None),
    "infant-mom": ("Solo", "Leia", "female", "1995-10-12"),
    "infant-twin-1": ("Solo", "Jaina", "female", "2017-05-15"),
    "infant-twin-2": ("Solo", "Jacen", "male", "2017-05-15"),
    "mom": ("Everywoman", "Eve", "female", "1973-05-31"),
    "newborn": (None, None, "male", "2017-09-05"),
    "pat1": ("Donald", "Duck", "male", None),
    "pat2": ("Donald", "Duck D", "other", None),
    "pat3": ("Notsowell", "Simon", "male", "1982-01-23"),
    "pat4": ("Notsowell", "Sandy", "female", "1982-08-02"),
    "proband": (None, None, "female", "1966-04-04"),
    "xcda": ("Levin", "Henry", "male", "1932-09-24"),
    "xds": ("Doe", "John", "male", "1956-05-27"),
}


def outcome(row):
    """The one outcome of a file that holds one record."""
    (name,) = [o for o in ("written", "superseded", "duplicate", "quarantined", "out_of_scope") if row[o]]
    assert row["received"] == row[name] == 1, row
    return name


def outcomes(lake, prefix=""):
    """{file name without prefix and ending: outcome}."""
    return {row["range"].rsplit("/", 1)[-1].removeprefix(prefix).removesuffix(".json"): outcome(row) for row in lake.ledger()}


@pytest.fixture(scope="module")
def hl7(tmp_path_factory):
    lake = Lake(tmp_path_factory.mktemp("hl7") / "lake")
    lake.ingest(*sorted(HL7.glob("Patient-*.json")), *sorted(HL7.glob("Observation-*.json")))
    return lake


def test_hl7_every_outcome(hl7):
    found = outcomes(hl7)
    written = set(HL7_PANELS) | set(HL7_VITALS) | set(HL7_RETRACTED)
    for file in HL7.glob("Patient-*.json"):
        assert found.pop(file.stem) == "written", file.name
    for file in HL7.glob("Observation-*.json"):
        name = file.stem.removeprefix("Observation-")
        wanted = "written" if name in written else "quarantined" if name in HL7_NO_VALUE else "out_of_scope"
        assert found.pop(file.stem) == wanted, name
    assert found == {}
    assert len(list(HL7.glob("Patient-*.json"))) == 22 and len(list(HL7.glob("Observation-*.json"))) == 64


def test_hl7_patients(hl7):
    rows = {r["id"]: (r["family_name"], r["given_name"], r["gender"], r["birth_date"] and str(r["birth_date"]))
            for r in hl7.read("silver.patient").to_pylist()}
    assert rows == HL7_PATIENTS


def test_hl7_one_patient_in_full(hl7):
    (row,) = [r for r in hl7.read("silver.patient").to_pylist() if r["id"] == "example"]
    wanted = {"resource_type": "Patient", "active": True, "birth_date_precision": "day", "work_phone": "(03) 5555 6473",
              "mobile_phone": "(03) 3410 5613", "line": "534 Erewhon St", "city": "PleasantVille", "district": "Rainbow",
              "state": "Vic", "postal_code": "3999", "deceased": False, "mrn": "12345",
              "mrn_system": "urn:oid:1.2.36.146.595.217.0.1", "retracted_at": None, "id_space": ""}
    assert {k: row[k] for k in wanted} == wanted
    (dead,) = [r for r in hl7.read("silver.patient").to_pylist() if r["id"] == "pat3"]
    assert dead["deceased"] is True and dead["deceased_time"].isoformat() == "2015-02-14T03:42:00+00:00"


def test_hl7_blood_pressure(hl7):
    rows = {r["id"]: r for r in hl7.read("silver.observation").to_pylist()}
    assert {k: (r["systolic_pressure_value"], r["diastolic_pressure_value"]) for k, r in rows.items()} == HL7_PANELS
    row = rows["blood-pressure"]
    assert (row["patient_id"], row["status"], row["code"], row["category_code"]) == ("example", "final", "85354-9", "vital-signs")
    assert (row["effective_time"], str(row["effective_date"]), row["effective_precision"]) == (None, "2012-09-17", "day")
    assert "time_imprecise" in row["quality"].split()
    assert (row["systolic_interpretation"], row["systolic_interpretation_code"]) == ("normal", "N")
    assert (row["diastolic_interpretation"], row["diastolic_interpretation_code"]) == ("low", "L")
    assert rows["blood-pressure-dar"]["diastolic_absent_reason"] == "not-performed"
    assert "partial" in rows["blood-pressure-dar"]["quality"].split()
    assert rows["blood-pressure-cancel"]["retracted_at"] is not None


def test_hl7_vital_signs(hl7):
    rows = [r for r in hl7.read("silver.vital_sign").to_pylist() if r["resource_id"] in HL7_VITALS]
    assert sorted(r["resource_id"] for r in rows) == sorted(HL7_VITALS)
    for row in rows:
        value_sent, unit_sent, value, unit = HL7_VITALS[row["resource_id"]]
        assert (float(row["value_sent"]), row["unit_sent"]) == (value_sent, unit_sent), row
        assert row["value"] == pytest.approx(value, rel=1e-12) and row["unit"] == unit, row


def test_hl7_retracted_rows_have_no_values(hl7):
    for table in ("silver.observation", "silver.vital_sign"):
        for row in hl7.read(table).to_pylist():
            assert (row["retracted_at"] is not None) == (row["resource_id"] in HL7_RETRACTED), row["resource_id"]
            if row["retracted_at"] is not None:
                assert row["status"] == HL7_RETRACTED[row["resource_id"]]
                assert all(row.get(c) is None for c in ("value", "systolic_pressure_value", "diastolic_pressure_value"))


BANDS = [(270, "A", "Abnormal"), (200, "HH", "Critical high"), (140, "H", "High"), (110, "N", "Normal"), (100, "L", "Low")]


def seed_message(number):
    """The reference platform's message with its placeholders filled: values as text, one constant resource id."""
    systolic, diastolic = 90 + number * 2, 50 + number
    code, words = next(((c, w) for limit, c, w in BANDS if systolic > limit), ("LL", "Critical Low"))
    values = {"{id}": str(uuid.UUID(int=number + 1)), "{patient_id}": f"patient_{number % 10 + 1:02d}_id",
              "{systolic_value}": str(systolic), "{diastolic_value}": str(diastolic), "{systolic_code}": code,
              "{systolic_interpretation}": words, "{diastolic_code}": "N", "{diastolic_interpretation}": "Normal"}
    text = (DATA / "seed-samples/observation-template.json").read_text()
    for place, value in values.items():
        text = text.replace(place, value)
    return json.loads(text), (values["{id}"], values["{patient_id}"], float(systolic), float(diastolic), code, words)


@pytest.fixture
def seed_file(tmp_path):
    return write(tmp_path / "messages.ndjson", "\n".join(json.dumps(seed_message(n)[0]) for n in range(100)))


def test_seed_samples_keyed_by_identifier(lake, seed_file):
    lake.ingest(seed_file, "--key", "identifier")
    lake.ingest(*sorted((DATA / "seed-samples").glob("patient-*.json")))
    rows = lake.read("silver.observation").to_pylist()
    assert sorted((r["id"], r["patient_id"], r["systolic_pressure_value"], r["diastolic_pressure_value"],
                   r["systolic_interpretation_code"], r["systolic_interpretation"]) for r in rows) == sorted(
        seed_message(n)[1] for n in range(100))
    for row in rows:
        assert {"text_number", "time_imprecise"} <= set(row["quality"].split())
        assert row["resource_id"] == "blood-pressure" and row["effective_time"] is None
        assert row["systolic_pressure_unit"] == "mm[Hg]" and row["body_site"]
    assert lake.read("silver.vital_sign").num_rows == 200
    assert {r["id"] for r in lake.read("silver.patient").to_pylist()} == {f"patient_0{n}_id" for n in (1, 2, 3)}
    counts = lake.counts()
    assert (counts["received"], counts["written"]) == (103, 103)
    assert any(i["element_path"] == "Patient.id" for i in lake.issues()), "the _ in the ids is not remarked"


def test_seed_samples_keyed_by_id_conflict(lake, seed_file):
    """One constant resource id for 100 readings: not merged into one, and not lost."""
    lake.ingest(seed_file)
    counts = lake.counts()
    assert (counts["received"], counts["written"], counts["quarantined"]) == (100, 1, 99)
    for row in lake.quarantine():
        assert row["reason"] == "key-conflict" and "identifier" in row["message"], row


def test_validator_unreadable_files(lake):
    files = sorted((VALIDATOR / "syntax").iterdir())
    assert len(files) == 4
    lake.ingest(*files)
    assert set(outcomes(lake).values()) == {"quarantined"} and len(lake.quarantine()) == 4


# file: outcome and, for those with a fault that is looked for here, its path. Out of reach are faults that need a
# terminology server or a profile: obs-de, obs-sct, obs-loinc-other, obs-temp-code2, supplement-*, ai6, patient-ig-bad,
# pat-example-ext, scoring-test, obs-vs-2.
VALIDATOR_FAULTS = {
    "Observation-ex-pain": ("out_of_scope", None),     # no code: no table it belongs to
    "ai4": ("quarantined", "Patient.birthDate"),
    "ai6": ("written", None),
    "json-comments": ("written", "Patient.fhir_comments"),
    "obs-de": ("written", None),
    "obs-loinc-other": ("out_of_scope", None),
    "obs-quantity": ("out_of_scope", None),
    "obs-sct": ("out_of_scope", None),
    "obs-temp-code2": ("written", None),
    "obs-vs-2": ("written", "Observation.text.div"),
    "pat-example-ext": ("written", None),
    "pat-security-bad-xhtml": ("written", "Patient.text.div"),
    "patient-id-bad-2": ("quarantined", "Patient.id"),
    "patient-ig-bad": ("written", None),
    "scoring-test": ("written", None),
    "supplement-obs": ("out_of_scope", None),
    "supplement-obs-1a": ("out_of_scope", None),
}


@pytest.mark.parametrize("name", sorted(p.stem for p in (VALIDATOR / "err").glob("*.json")))
def test_validator_faulty_file(lake, name):
    wanted, path = VALIDATOR_FAULTS[name]
    lake.ingest(VALIDATOR / "err" / f"{name}.json")
    assert outcomes(lake) == {name: wanted}
    if path:
        said = lake.quarantine() if wanted == "quarantined" else lake.issues()
        assert path in {row["element_path"] for row in said}, said


def test_validator_valid_files_are_accepted(lake):
    """Each in an id space of its own: many share an id."""
    files = sorted((VALIDATOR / "ok").glob("*.json"))
    assert len(files) == 39
    for file in files:
        lake.ingest(file, "--id-space", file.stem)
    found = outcomes(lake)
    assert set(found) == {f.stem for f in files}
    assert set(found.values()) <= {"written", "out_of_scope"}, {k: v for k, v in found.items() if v == "quarantined"}
    patients = {f.stem for f in files if json.loads(f.read_text())["resourceType"] == "Patient"}
    assert {k for k in patients if found[k] != "written"} == set()
