"""Readings that name their patient by a business identifier: whose they are once somebody holds it, in the tables, over FHIR
and to the monitor (FHIR R4, References: logical references; RESTful API: conditional references)."""

import datetime
import json
import time

import pytest

import resources
from fhir_service import FhirService
from http_client import Http
from product import write

MRN = {"system": "urn:mrn", "value": "77"}
NAMED = {"logical": {"identifier": MRN}, "conditional": {"reference": "Patient?identifier=urn:mrn|77"},
         "escaped": {"reference": "https://a.org/fhir/Patient?identifier=urn%3Amrn%7C77"},
         "of-any-system": {"reference": "Patient?identifier=77"}}
OTHERS = {"of-no-system": {"identifier": {"value": "77"}}, "of-a-device": {"type": "Device", "identifier": MRN},
          "of-more": {"reference": "Patient?identifier=77&birthdate=1970-01-02"}, "of-another": {"identifier": {"system": "urn:other", "value": "77"}}}


def readings(named):
    return [resources.pressure(name, 140, 90, time=f"2026-01-{5 + i:02}T08:00:00Z") | {"subject": subject}
            for i, (name, subject) in enumerate(named.items())]


def of_gold(lake):
    return {row["id"]: row["readings"] for row in lake.read("gold.patient_observations").to_pylist()}


def test_gold_counts_them_once_the_patient_is_there(lake, tmp_path):
    lake.ingest(write(tmp_path / "a.json", resources.bundle(*readings(NAMED | OTHERS))))
    kept = {row["id"]: (row["patient_id"], row["subject_identifier"]) for row in lake.read("silver.observation").to_pylist()}
    assert kept == {"logical": (None, "urn:mrn|77"), "conditional": (None, "urn:mrn|77"), "escaped": (None, "urn:mrn|77"),
                    "of-any-system": (None, "77"), "of-no-system": (None, "|77"), "of-another": (None, "urn:other|77"),
                    "of-a-device": (None, None), "of-more": (None, None)}
    assert of_gold(lake) == {}
    lake.ingest(write(tmp_path / "b.json", resources.patient(identifier=[MRN])))
    assert of_gold(lake) == {"p1": 4}
    assert {row["patient_id"] for row in lake.read("gold.latest_vital").to_pylist()} == {"p1"}
    # Two hold it: it is nobody's. Then the other one's alone.
    lake.ingest(write(tmp_path / "c.json", resources.patient("p2", identifier=[MRN])))
    assert of_gold(lake) == {"p1": 0, "p2": 0}
    lake.ingest(write(tmp_path / "d.json", resources.patient(meta={"versionId": "2"})))
    assert of_gold(lake) == {"p1": 0, "p2": 4}
    before = lake.read("gold.patient_observations").to_pylist()
    lake.run("gold", "--full")
    assert lake.read("gold.patient_observations").to_pylist() == before
    assert {row["patient_id"] for row in lake.read("silver.observation").to_pylist()} == {None}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    one = FhirService(tmp_path_factory.mktemp("named"), [
        resources.patient(identifier=[MRN]), resources.patient("p2"), *readings(NAMED | OTHERS),
        resources.pressure("literal", 120, 80, time="2026-01-01T08:00:00Z"),
        resources.pressure("of-p2", 120, 80, subject="Patient/p2")])
    yield one
    one.http.end()


def test_they_are_the_patients_over_fhir(service):
    wanted = sorted([*NAMED, "literal"])
    for path in ("Observation?patient=p1", "Observation?subject=Patient/p1&_sort=-date&_count=2", "Observation?patient=p1&code=85354-9",
                 "Patient/p1/$everything?_type=Observation"):
        assert sorted(service.ids(path)) == wanted, path
    assert service.get("Observation?patient=p1&_summary=count")["total"] == 5
    assert service.ids("Observation?patient=p2") == ["of-p2"]
    assert service.ids("Observation/$lastn?patient=p1&category=vital-signs") == ["of-any-system"]
    told = service.get("Observation/$stats?subject=Patient/p1&code=8480-6&system=http://loinc.org&statistic=count,maximum")
    values = [c["valueQuantity"]["value"] for p in told["parameter"] for c in p["resource"]["component"]]
    assert values == [5, 140]


def test_they_bring_their_patient_and_come_with_them(service):
    def resources_of(path):
        return sorted(f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in service.get(path)["entry"])
    for path in ("Observation?_id=logical&_include=Observation:subject", "Observation?date=2026-01-05&_id=logical&_include=Observation:patient",
                 "Observation?date=eq2026-01-05T08:00:00Z&patient=p1&_include=Observation:patient"):
        assert resources_of(path) == ["Observation/logical", "Patient/p1"], path
    assert resources_of("Patient?_id=p1&_revinclude=Observation:subject") == sorted(
        ["Patient/p1", *(f"Observation/{name}" for name in [*NAMED, "literal"])])
    # What is served stays as it was sent.
    assert service.get("Observation/logical")["subject"] == {"identifier": MRN}


def alerts(http):
    return {(a["patient_id"], a["rule"], a["state"]) for a in json.loads(http.ask("GET", "/alerts?limit=1000").body)}


def await_alerts(http, wanted):
    deadline = time.monotonic() + 30
    while not wanted <= (found := alerts(http)):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_alerts_on_them_are_the_patients(tmp_path):
    http = Http(tmp_path)
    http.lake.ingest(write(tmp_path / "p.json", resources.patient(identifier=[MRN])))
    http.start()
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    other = {"identifier": {"system": "urn:mrn", "value": "88"}}
    for name, subject in (("known", NAMED["logical"]), ("unknown", other)):
        assert http.post(resources.pressure(name, 186, 105, time=now) | {"subject": subject}).status == 202
    await_alerts(http, {("p1", "severe-high", "pending"), ("?identifier=urn:mrn|88", "operations", "open")})
    # When the other's patient comes, so do their alerts.
    assert http.post(resources.patient("p8", identifier=[other["identifier"]])).status == 202
    await_alerts(http, {("p8", "severe-high", "pending")})
    http.end()
