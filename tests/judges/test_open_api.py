"""GET /openapi.json: a valid document, whose every operation can be called and answers as it says."""

import datetime
import json
import time

import jsonschema
import openapi_spec_validator
import pytest

import resources
from http_client import FHIR, JSON, Http


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """With a patient, readings, an alert that is on, and a record in quarantine."""
    one = Http(tmp_path_factory.mktemp("api"))
    one.start()
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    for body in (resources.patient("p1"), resources.pressure("r1", 131.5), resources.pressure("high", 225, 130, time=now),
                 resources.vital("w1", "29463-7", 80.25, "kg"), [resources.pressure("r2", 120), {"name": "nothing"}]):
        assert one.post(body).status == 202, body
    yield one
    one.end()


@pytest.fixture(scope="module")
def document(service):
    return service.ask("GET", "/openapi.json").json()


def operations(document):
    return [(method.upper(), path, told) for path, entry in document["paths"].items() for method, told in entry.items()]


def first(service, path, name):
    deadline = time.monotonic() + 60
    while not (found := service.ask("GET", path).json()[name] if name else service.ask("GET", path).json()):
        assert time.monotonic() < deadline, path
        time.sleep(0.1)
    return found[0]


def calls(service):
    """(method, path as told) -> the path, and where one is sent the body and its headers, of a call that does well."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    post = (json.dumps(resources.pressure("again")), {"Content-Type": FHIR})
    quarantined = first(service, "/quarantine", "quarantine")["id"]
    alert = first(service, "/alerts?state=on", None)["alert_id"]
    found = {
        ("POST", "/sql"): ("/sql", '{"query": "SELECT 1 AS one, NULL"}', JSON),
        ("POST", "/login"): ("/login", '{"token": "any"}', JSON),
        ("POST", "/logout"): ("/logout", None, {}),
        ("POST", "/quarantine/replay"): ("/quarantine/replay", json.dumps({"id": quarantined}), JSON),
        ("GET", "/quarantine/{id}"): (f"/quarantine/{quarantined}",),
        ("GET", "/tables/{name}"): ("/tables/silver.patient?history=3",),
        ("GET", "/patients/{id}/settings"): ("/patients/p1/settings",),
        ("PUT", "/patients/{id}/settings"): ("/patients/p1/settings", json.dumps({
            "actor": "dr-3", "pregnant": True, "oxygen_scale": 1, "limits": {"85354-9": {"high": 150}}}), JSON),
        ("POST", "/alerts/{id}/acknowledge"): (f"/alerts/{alert}/acknowledge", '{"actor": "nurse-7"}', JSON),
        ("POST", "/alerts/{id}/snooze"): (f"/alerts/{alert}/snooze", '{"actor": "nurse-7", "minutes": 5}', JSON),
        ("POST", "/ingest/{stream}"): ("/ingest/vitals", *post),
        ("GET", "/fhir/Observation/$lastn"): ("/fhir/Observation/$lastn?patient=p1&category=vital-signs",),
        ("GET", "/fhir/Observation/$stats"): (
            "/fhir/Observation/$stats?subject=Patient/p1&code=29463-7&system=http://loinc.org&statistic=average&duration=1",),
        ("POST", "/fhir/Observation/$lastn"): ("/fhir/Observation/$lastn", "patient=p1&category=vital-signs", form),
        ("POST", "/fhir/Observation/$stats"): (
            "/fhir/Observation/$stats", "subject=Patient/p1&code=29463-7&system=http://loinc.org&statistic=average&duration=1", form),
        ("POST", "/fhir/Patient/{id}/$everything"): ("/fhir/Patient/p1/$everything", "_count=1", form),
        ("GET", "/assets/{name}"): (service.ask("GET", "/").body.decode().split('src="')[1].split('"')[0],),
    }
    for path in ("/ingest", "/fhir", "/fhir/Observation", "/fhir/Patient"):
        found["POST", path] = (path, *post)
    for kind, id in (("Patient", "p1"), ("Observation", "r1")):
        version = service.ask("GET", f"/fhir/{kind}/{id}").json()["meta"]["versionId"]
        found["POST", f"/fhir/{kind}/_search"] = (f"/fhir/{kind}/_search", "_count=1", form)
        found["GET", f"/raw/{kind}/{{id}}/{{version}}"] = (f"/raw/{kind}/{id}/{version}",)
        for more in ("", "/_history") + (("/$everything",) if kind == "Patient" else ()):
            found["GET", f"/fhir/{kind}/{{id}}{more}"] = (f"/fhir/{kind}/{id}{more}",)
        found["GET", f"/fhir/{kind}/{{id}}/_history/{{version}}"] = (f"/fhir/{kind}/{id}/_history/{version}",)
    return found


def test_the_document_is_valid(document):
    openapi_spec_validator.validate(document)
    assert document["openapi"].startswith("3.1.")


def test_every_operation_says_what_it_takes_and_gives(service, document):
    told = operations(document)
    assert {"/sql", "/tables", "/tables/{name}", "/ledger", "/quarantine", "/ingest", "/metrics", "/openapi.json", "/alerts",
            "/alerts/stream", "/events", "/patients/{id}/settings", "/login"} <= {path for _, path, _ in told}
    for method, path, operation in told:
        assert operation["summary"] and operation["parameters"] is not None and operation["security"] is not None, path
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path
        assert all(p["schema"]["type"] for p in operation["parameters"]), path
        assert ("requestBody" in operation) == (method != "GET" and path != "/logout"), (method, path)
        good, *others = (status for status in operation["responses"] if status != "default")
        assert good < "300", path
        bodies = [*(operation["responses"][status]["content"] for status in others),
                  operation["responses"]["default"]["content"], operation.get("requestBody", {"content": None})["content"],
                  None if good == "204" else operation["responses"][good]["content"]]
        for content in filter(None, bodies):
            assert content and all("schema" in media for media in content.values()), (method, path)
        allowed = service.ask("OPTIONS", path.replace("{", "").replace("}", "")).headers["Allow"]
        assert method in allowed.split(", "), (method, path)


def read_event(service, path):
    connection = service.connect()
    connection.request("GET", path)
    response = connection.getresponse()
    lines = [response.readline(), response.readline()]
    connection.close()
    return response, b"".join(lines)


def test_every_operation_answers_as_it_says(service, document):
    ready = calls(service)
    called = 0
    for method, path, operation in operations(document):
        where, body, headers = (*ready.get((method, path), (path,)), None, {})[:3]
        good = next(iter(operation["responses"]))
        content = operation["responses"][good].get("content", {})
        if "requestBody" in operation and body and headers == JSON:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            jsonschema.validate(json.loads(body), schema, jsonschema.Draft202012Validator)
        if list(content) == ["text/event-stream"]:
            response, text = read_event(service, where)
            assert response.status == 200 and response.headers["Content-Type"] == "text/event-stream" and text.strip(), path
        else:
            answer = service.ask(method, where, body, headers or {})
            assert answer.status == int(good), (method, where, answer.status, answer.body[:300])
            kind = (answer.headers["Content-Type"] or "").split(";")[0]
            assert kind in content or list(content) in ([], ["*/*"]), (path, kind)
            if kind.endswith("json"):
                jsonschema.validate(answer.json(), content[kind]["schema"], jsonschema.Draft202012Validator)
        called += 1
    assert called == sum(len(entry) for entry in document["paths"].values()) >= 35


def test_what_is_wrong_is_told_as_it_says(service, document):
    for path in ("/tables/silver.none", "/quarantine/none", "/fhir/Patient/none", "/alerts?limit=0", "/ledger?limit=x"):
        told = next(entry["get"] for one, entry in document["paths"].items()
                    if one.split("/{")[0] == path.split("?")[0] or (one.split("{")[0] == path.rsplit("/", 1)[0] + "/" and one.endswith("}")))
        answer = service.ask("GET", path)
        assert answer.status in (400, 404), path
        (media,) = told["responses"]["default"]["content"].values()
        jsonschema.validate(answer.json(), media["schema"], jsonschema.Draft202012Validator)
