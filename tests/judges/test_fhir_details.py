"""What is easily got wrong of FHIR R4: requests and resources at the edges of the specification, each with the answer that it
gives. The answers are written down by hand."""

import pytest

import resources
from http_client import Http
from product import write

LOINC = "http://loinc.org"
STRICT = {"Prefer": "handling=strict"}


def person(key, *names, **more):
    return resources.patient(key, **more) | {"name": list(names)}


def pulse(name, subject, value=70, time="2026-01-05T08:00:00Z", **more):
    return resources.vital(name, "8867-4", value, "/min", subject=f"Patient/{subject}", time=time, **more)


class Service:
    def __init__(self, folder, sent):
        self.http = Http(folder)
        self.http.lake.ingest(write(folder / "sent.json", resources.bundle(*sent)))
        self.http.start()

    def get(self, path, expect=200, **headers):
        answer = self.http.ask("GET", f"/fhir/{path}", headers=headers)
        assert answer.status == expect, (path, answer.status, answer.body[:1000])
        return answer.json()

    def refused(self, path, **headers):
        """What a 400 says."""
        outcome = self.get(path, 400, **headers)
        assert outcome["resourceType"] == "OperationOutcome"
        return outcome["issue"][0]["diagnostics"]

    def post(self, resource):
        assert self.http.post(resource).status == 202

    def bundle(self, path):
        """A page: ids of its resources in their order, its links, its total."""
        told = self.get(path)
        ids = [e["resource"]["id"] for e in told.get("entry", [])]
        return ids, {link["relation"]: link["url"].split("/fhir/")[1] for link in told["link"]}, told.get("total")

    def ids(self, path):
        """Ids of the resources on all pages."""
        found = []
        while path:
            ids, links, _ = self.bundle(path)
            found += ids
            path = links.get("next")
        return found


SENT = []


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    one = Service(tmp_path_factory.mktemp("details"), SENT)
    yield one
    one.http.end()


SENT += [person("solo", {"family": "Solo"}), pulse("solo1", "solo"), pulse("solo2", "solo", time="2026-01-06T08:00:00Z")]


def test_json_has_more_than_one_name(service):
    for accept in ("application/json", "application/fhir+json", "text/html, application/json;q=0.9", "*/*"):
        assert service.get("Patient/solo", Accept=accept)["id"] == "solo"
    assert service.get("Patient/solo?_format=application/json")["id"] == "solo"
    service.get("Patient/solo", 406, Accept="application/fhir+xml")
