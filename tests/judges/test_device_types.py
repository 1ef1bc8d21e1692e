"""Device types: a category rests on cuffs only, and only on what the readings themselves say."""

import json

import pytest

import resources
from product import run, write

SNOMED = "http://snomed.info/sct"
DEVICE_CODE = "http://hl7.org/fhir/StructureDefinition/observation-deviceCode"
SETTING = "http://hl7.org/fhir/us/vitals/StructureDefinition/MeasurementSettingExt"
ARM_CUFF, ANEROID, FINGER_CUFF, INVASIVE = "466086009", "309641003", "466139008", "469801002"
HOME, CLINIC = "264362003", "257585005"
NO_CATEGORY = "not assessed: device type cuffless or unknown"


def concept(code, system=SNOMED):
    return {"coding": [{"system": system, "code": code}]}


def extensions(device=None, setting=None, system=SNOMED):
    found = [(DEVICE_CODE, device), (SETTING, setting)]
    return {"extension": [{"url": url, "valueCodeableConcept": concept(code, system)} for url, code in found if code]}


def contained(code):
    return {"contained": [{"resourceType": "Device", "id": "d", "type": concept(code)}], "device": {"reference": "#d"}}


NAMED = {"device": {"reference": "Device/7"}}


@pytest.mark.parametrize("said, device_type, setting", [
    ({}, None, None),
    (NAMED, "unknown", None),
    ({**NAMED, **extensions(ARM_CUFF, HOME)}, "cuff", "home"),
    (extensions(ANEROID, CLINIC), "cuff", "office"),
    ({**NAMED, **extensions(FINGER_CUFF)}, "unknown", None),
    (extensions(INVASIVE), "unknown", None),
    ({**NAMED, **extensions(ARM_CUFF, HOME, system="http://example.org/own")}, "unknown", None),
    (contained(ARM_CUFF), "cuff", None),
    (contained("1"), "unknown", None),
])
def test_type_and_setting_are_what_the_reading_says(lake, tmp_path, said, device_type, setting):
    lake.ingest(write(tmp_path / "a.json", resources.pressure(**said)), "--strict")
    (row,) = lake.read("silver.observation").to_pylist()
    assert (row["device_type"], row["setting"]) == (device_type, setting)


@pytest.mark.parametrize("said, category", [
    ({}, "AHA/ACC 2025 office: stage 1"),
    (NAMED, NO_CATEGORY),
    (extensions(INVASIVE), NO_CATEGORY),
    ({**NAMED, **extensions(ARM_CUFF, CLINIC)}, "AHA/ACC 2025 office: stage 1"),
    ({**NAMED, **extensions(ARM_CUFF, HOME)}, "AHA/ACC 2025 home: hypertension"),
])
def test_a_category_needs_a_cuff_and_names_the_setting(lake, tmp_path, said, category):
    readings = [resources.pressure(f"o{day}", 132, 84, time=f"2026-01-0{day}T08:00:00Z", **said) for day in (5, 6)]
    lake.ingest(write(tmp_path / "a.json", resources.bundle(resources.patient(), *readings)))
    assert lake.value("SELECT category FROM gold.patient_observations") == category


def test_the_generator_names_device_types_when_asked(lake, tmp_path):
    run("generate", "patients", 4, "--to", tmp_path / "p.ndjson")
    for name, flags in (("plain", ()), ("typed", ("--device-types",))):
        run("generate", "observations", 400, "--patients", tmp_path / "p.ndjson", "--to", tmp_path / f"{name}.ndjson", *flags)
    plain, typed = ((tmp_path / f"{name}.ndjson").read_text().splitlines() for name in ("plain", "typed"))
    for before, after in zip(plain, typed, strict=True):
        after = json.loads(after)
        assert ("device" in after) == (after.pop("extension", None) is not None)
        assert after == json.loads(before)
    lake.ingest(tmp_path / "p.ndjson", tmp_path / "typed.ndjson", "--strict")
    assert lake.issues() == []
    types = {(r["device"] is not None, r["device_type"], r["setting"]) for r in lake.read("silver.observation").to_pylist()}
    assert types == {(True, "cuff", "home"), (False, None, None)}
    categories = {row["category"] for row in lake.read("gold.patient_observations").to_pylist()}
    assert NO_CATEGORY not in categories and any(c.startswith("AHA/ACC 2025 ") for c in categories)
