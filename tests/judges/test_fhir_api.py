"""The FHIR read API against resources that were taken in: reads, versions, every search parameter with its modifiers over
all pages, operations, errors; the CapabilityStatement line by line."""

import json
import statistics
import urllib.parse

import pytest

import fhir_search
import resources
from http_client import FHIR, Http
from product import DATA, write

def person(key, *names, **more):
    return resources.patient(key, **more) | {"name": list(names)}


ODD = [
    person("zoe", {"use": "official", "family": "Müller-Lüdenscheidt", "given": ["Zoë", "Anna"]},
           birthDate="1985-02", active=True, identifier=[{"system": "urn:x", "value": "a,b|c"}]),
    person("yan", {"family": "van der Berg", "given": ["Yan"]}, birthDate="1985-02-28", gender="other",
           deceasedDateTime="2020-05-01T10:00:00Z", active=False,
           telecom=[{"system": "phone", "use": "work", "value": "555-1"}, {"system": "email", "value": "y@x.org"}]),
    {"resourceType": "Patient", "id": "bare", "gender": "unknown"},
    resources.pressure("bp1", 131.5, 85, subject="Patient/zoe", time="2026-01-05T08:00:00Z"),
    resources.pressure("bp2", 120, 80, subject="Patient/zoe", time="2026-01-05T10:00:00+02:00",
                       encounter={"reference": "Encounter/e1"}, device={"reference": "Device/d1"}),
    resources.pressure("bp3", "118", 79, subject="Patient/yan", time="2026-02-01"),
    resources.pressure("wrong", 140, 90, subject="Patient/zoe", status="entered-in-error"),
    resources.vital("w1", "29463-7", 80.25, "kg", subject="Patient/zoe", time="2026-01-05T08:00:00.250Z"),
    resources.vital("w2", "29463-7", 180, "[lb_av]", subject="Patient/yan", time="2026-01-06T08:00:00Z"),
    resources.vital("h1", "8867-4", 72, "/min", subject="Patient/zoe", time="2026-01-05T08:00:00Z"),
    resources.vital("h2", "8867-4", 64, "/min", subject="Patient/zoe", time="2026-01-07T08:00:00Z"),
    resources.vital("h3", "8867-4", 65, "/min", subject="Patient/zoe", time="2026-01-07T08:00:00Z"),
]
# Taken in under an id_space of its own.
OTHER = [person("zoe", {"family": "Other"}), resources.vital("h1", "8867-4", 99, "/min", subject="Patient/zoe")]


def resolved(document):
    """The resources of a file, the references of a Bundle followed."""
    if document["resourceType"] != "Bundle":
        return [document]
    named = {e["fullUrl"]: f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in document["entry"] if "fullUrl" in e}

    def follow(value):
        if isinstance(value, dict):
            return {k: named.get(v, v) if k == "reference" else follow(v) for k, v in value.items()}
        return [follow(v) for v in value] if isinstance(value, list) else value
    return [follow(e["resource"]) for e in document["entry"]]


class Corpus:
    """A service over resources of three sources, and these resources as they were sent."""

    def __init__(self, folder, bundles):
        self.http = Http(folder)
        lake = self.http.lake
        examples = sorted((DATA / "hl7-r4-examples").glob("*-*.json"))
        lake.ingest(*examples, write(folder / "odd.json", resources.bundle(*ODD)), *bundles, expect=None, timeout=300)
        lake.run("ingest", write(folder / "other.json", resources.bundle(*OTHER)), "--id-space", "other")
        sent = [r for path in (*examples, *bundles) for r in resolved(json.loads(path.read_text()))] + ODD
        kept = {("Patient", row["id"]) for row in lake.read("silver.patient").to_pylist() if not row["id_space"]}
        for table in ("silver.observation", "silver.vital_sign"):
            kept |= {("Observation", row["id"]) for row in lake.read(table).to_pylist() if not row["id_space"]}
        self.all = [r for r in sent if (r["resourceType"], r.get("id")) in kept]
        self.http.start()

    def get(self, path, expect=200, **headers):
        answer = self.http.ask("GET", f"/fhir/{path}", headers=headers)
        assert answer.status == expect, (path, answer.status, answer.body[:1000])
        return answer

    def pages(self, path, count=7, beside=0):
        """All entries of a search; every page is visited, and no match comes twice. `beside`: matches that do not count."""
        base = f"http://{self.http.host}/fhir/"
        url = f"{path}{'&' if '?' in path else '?'}_count={count}"
        entries, seen = [], set()
        while url:
            bundle = self.get(url).json()
            assert bundle["resourceType"] == "Bundle" and bundle["type"] == "searchset"
            matches = [e for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]
            assert len(matches) <= count + beside
            for entry in matches:
                assert entry["fullUrl"] not in seen, entry["fullUrl"]
                seen.add(entry["fullUrl"])
            entries += bundle.get("entry", [])
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            url = links.get("next", "").removeprefix(base)
        return entries

    def ids(self, kind, criteria):
        query = "&".join(f"{name}={urllib.parse.quote(value)}" for name, value in criteria)
        found = {e["resource"]["id"] for e in self.pages(f"{kind}?{query}", count=100) if e["resource"]["resourceType"] == kind}
        return {i for i in found if not i.startswith("other.")}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, bundle_files):
    bundles = sorted(bundle_files, key=lambda f: f.stat().st_size)[:1]
    one = Corpus(tmp_path_factory.mktemp("fhir"), bundles)
    yield one
    one.http.end()


CRITERIA = {
    "Patient": [
        [("family", "m")], [("family", "muller")], [("family:exact", "Müller-Lüdenscheidt")], [("family:exact", "muller")],
        [("family:contains", "berg")], [("family:missing", "true")], [("given", "anna")], [("given", "zoe,peter")],
        [("given:exact", "Anna")], [("name", "chal")], [("name", "anna"), ("gender", "female")], [("gender", "male")],
        [("gender", "male,other")], [("gender:not", "male")], [("gender:missing", "true")], [("gender:missing", "false")],
        [("gender", "http://hl7.org/fhir/administrative-gender|female")], [("gender", "urn:none|female")],
        [("birthdate", "1985-02-28")], [("birthdate", "1985")], [("birthdate", "ge1970"), ("birthdate", "lt1990-06")],
        [("birthdate", "ne1985")], [("birthdate", "sa1985-02")], [("birthdate", "eb1980-01-01")], [("birthdate", "gt1974-12")],
        [("birthdate", "le1974-12")], [("birthdate", "ap1985")], [("birthdate:missing", "true")], [("active", "true")],
        [("active", "false")], [("active:not", "true")], [("active:missing", "true")], [("address", "pleasant")],
        [("address:contains", "st")], [("address:missing", "true")], [("death-date", "2020")], [("death-date", "ge2015")],
        [("identifier", "urn:oid:1.2.36.146.595.217.0.1|12345")], [("identifier", "12345")], [("identifier", "urn:oid:1.2.36.146.595.217.0.1|")],
        [("identifier:missing", "true")], [("_id", "zoe")], [("_id", "zoe,yan,none")], [("_id:not", "zoe")],
    ],
    "Observation": [
        [("patient", "zoe")], [("patient", "Patient/zoe")], [("subject", "Patient/zoe"), ("code", "8867-4")], [("subject", "Group/zoe")],
        [("patient:missing", "true")], [("code", "8867-4")], [("code", "http://loinc.org|8867-4")], [("code", "urn:no|8867-4")],
        [("code", "|8867-4")], [("code", "8867-4,29463-7")], [("code:not", "8867-4")], [("code", "85354-9")],
        [("code", "http://snomed.info/sct|")], [("component-code", "8480-6")], [("component-code", "http://loinc.org|8462-4")],
        [("component-code:missing", "true")], [("combo-code", "8480-6")], [("combo-code", "8867-4,8480-6")],
        [("category", "vital-signs")], [("category", "laboratory")], [("category:not", "vital-signs")], [("category:missing", "true")],
        [("category", "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs")],
        [("date", "2026-01-05")], [("date", "2026-01-05T08:00:00Z")], [("date", "2026-01")], [("date", "ge2026-01-06")],
        [("date", "gt2026-01-05")], [("date", "lt2026-01-06")], [("date", "le2012-09-17")], [("date", "ne2026-01-05")],
        [("date", "sa2026-01-05")], [("date", "eb2026-01-06")], [("date", "ap2012-09-17")], [("date", "ge2010"), ("date", "lt2016")],
        [("status", "final")], [("status", "entered-in-error")], [("status", "cancelled,amended")], [("status:not", "final")],
        [("value-quantity", "72")], [("value-quantity", "72|http://unitsofmeasure.org|/min")], [("value-quantity", "gt70||/min")],
        [("value-quantity", "80.25||kg")], [("value-quantity", "80||kg")], [("value-quantity", "gt80000||g")],
        [("value-quantity", "180||[lb_av]")], [("value-quantity", "ap70||/min")], [("value-quantity", "ne72||/min")],
        [("value-quantity", "ge185||cm")], [("component-value-quantity", "le80||mm[Hg]")], [("component-value-quantity", "131.5")],
        [("combo-value-quantity", "ge100||mm[Hg]")], [("code-value-quantity", "8867-4$gt70")],
        [("code-value-quantity", "http://loinc.org|29463-7$80.25||kg")], [("combo-code-value-quantity", "8480-6$ge120||mm[Hg]")],
        [("combo-code-value-quantity", "8462-4$lt80||mm[Hg]"), ("patient", "yan")], [("encounter", "e1")], [("encounter", "Encounter/e1")],
        [("encounter:missing", "false")], [("device", "d1")], [("device:missing", "false")], [("_id", "w1,w2,zoe")], [("date:missing", "true")],
    ],
}


@pytest.mark.parametrize("kind", list(CRITERIA))
def test_searches_find_what_the_specification_says(corpus, kind):
    wrong, hits = [], 0
    for criteria in CRITERIA[kind]:
        expected = fhir_search.search(corpus.all, kind, criteria)
        found = corpus.ids(kind, criteria)
        hits += len(expected) > 0
        if found != expected:
            wrong.append((criteria, "missing", sorted(expected - found)[:5], "too many", sorted(found - expected)[:5]))
    assert not wrong, "\n".join(map(str, wrong))
    assert hits > len(CRITERIA[kind]) * 2 / 3  # a search that finds nothing proves little


def test_pages_totals_and_sorting(corpus):
    every = corpus.pages("Observation", count=5)
    total = corpus.get("Observation?_summary=count").json()
    assert total["total"] == len(every) and "entry" not in total
    assert corpus.get("Observation?_total=accurate&_count=1").json()["total"] == len(every)
    for order in ("date", "-date", "_id", "-_id", "patient,-date", "subject,-date", "status,_id"):
        ids = [e["resource"]["id"] for e in corpus.pages(f"Observation?_sort={order}", count=11)]
        assert sorted(ids) == sorted(e["resource"]["id"] for e in every), order
    dates = [fhir_search.effective(e["resource"]) for e in corpus.pages("Observation?_sort=-date&patient=zoe")]
    assert dates == sorted(dates, key=lambda d: d[0], reverse=True) and len(dates) >= 5
    by_patient, by_subject = ([e["resource"]["id"] for e in corpus.pages(f"Observation?_sort={key},_id")] for key in ("patient", "subject"))
    assert by_patient == by_subject
    names = [e["resource"]["id"] for e in corpus.pages("Patient?_sort=_id")]
    assert names == sorted(names)
    assert corpus.pages("Patient?_sort=-death-date")[0]["resource"]["id"] == "yan"


def test_a_cursor_stays_where_it_is_while_others_come_in(corpus):
    first = corpus.get("Patient?_sort=_id&_count=2").json()
    following = next(link["url"] for link in first["link"] if link["relation"] == "next").split("/fhir/")[1]
    before = [e["resource"]["id"] for e in corpus.get(following).json()["entry"]]
    corpus.http.post(resources.patient("0-first"))
    assert [e["resource"]["id"] for e in corpus.get(following).json()["entry"]] == before
    corpus.all.append(resources.patient("0-first"))


def without_served(resource):
    return {k: v for k, v in resource.items() if k != "meta"}


def test_reads_give_what_was_received(corpus):
    for resource in [*corpus.all[::3], *ODD]:
        kind, name = resource["resourceType"], resource["id"]
        answer = corpus.get(f"{kind}/{name}")
        served = answer.json()
        assert served["meta"]["versionId"] and served["meta"]["lastUpdated"]
        assert answer.headers["ETag"] == f'W/"{served["meta"]["versionId"]}"'
        if name == "bp3":
            assert served["component"][0]["valueQuantity"]["value"] == 118  # sent as text
            continue
        assert without_served(served) == without_served(resource), name
        for key, value in resource.get("meta", {}).items():
            assert served["meta"][key] == value, name
    raw = corpus.get("Observation/bp1").json()["meta"]["versionId"]
    assert corpus.http.ask("GET", f"/raw/Observation/bp1/{raw}").json() == next(r for r in ODD if r["id"] == "bp1")


def test_two_id_spaces_are_two_people(corpus):
    assert corpus.get("Patient/zoe").json()["name"][0]["family"] == "Müller-Lüdenscheidt"
    other = corpus.get("Patient/other.zoe").json()
    assert other["id"] == "other.zoe" and other["name"][0]["family"] == "Other"
    served = corpus.get("Observation/other.h1").json()
    assert served["subject"]["reference"] == "Patient/other.zoe"
    found = {e["resource"]["id"] for e in corpus.pages("Observation?patient=other.zoe")}
    assert found == {"other.h1"}


def test_versions_of_a_resource(corpus):
    first = resources.vital("v1", "8867-4", 70, "/min", subject="Patient/bare", meta={"versionId": "1"})
    second = resources.vital("v1", "8867-4", 75, "/min", subject="Patient/bare", meta={"versionId": "2"})
    for version in (first, second):
        assert corpus.http.post(version).status == 202
    tag = corpus.get("Observation/v1").headers["ETag"]
    assert tag == 'W/"2"'
    assert corpus.get("Observation/v1", 304, **{"If-None-Match": tag}).body == b""
    assert corpus.get("Observation/v1", **{"If-None-Match": 'W/"1"'}).json()["valueQuantity"]["value"] == 75
    assert corpus.get("Observation/v1/_history/1").json()["valueQuantity"]["value"] == 70
    assert corpus.get("Observation/v1/_history/2").json()["valueQuantity"]["value"] == 75
    history = corpus.get("Observation/v1/_history").json()
    assert history["type"] == "history" and history["total"] == 2
    assert [e["resource"]["meta"]["versionId"] for e in history["entry"]] == ["2", "1"]
    corpus.get("Observation/v1/_history/9", 404)
    raw = corpus.http.ask("GET", "/raw/Observation/v1/1")
    assert raw.json() == first
    corpus.all.append(second)


def test_retracted_and_deleted_resources(corpus):
    assert corpus.get("Observation/wrong").json()["status"] == "entered-in-error"
    assert "wrong" not in corpus.ids("Observation", [("patient", "zoe")])
    assert "wrong" in corpus.ids("Observation", [("patient", "zoe"), ("status", "entered-in-error")])
    assert corpus.http.post(resources.vital("gone", "8867-4", 70, "/min", subject="Patient/zoe")).status == 202
    assert "gone" in corpus.ids("Observation", [("patient", "zoe")])
    delete = {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": {"method": "DELETE", "url": "Observation/gone"}}]}
    assert corpus.http.post(delete).status == 202
    assert corpus.get("Observation/gone", 410).json()["resourceType"] == "OperationOutcome"
    assert "gone" not in corpus.ids("Observation", [("patient", "zoe")])


def test_parts_and_includes(corpus):
    served = corpus.get("Patient?_id=zoe&_elements=gender").json()["entry"][0]["resource"]
    assert set(served) == {"resourceType", "id", "meta", "gender"}
    assert any(tag["code"] == "SUBSETTED" for tag in served["meta"]["tag"])
    served = corpus.get("Observation?_id=bp1&_elements=subject").json()["entry"][0]["resource"]
    assert set(served) == {"resourceType", "id", "meta", "status", "code", "subject"}
    entries = corpus.pages("Observation?_id=bp1,bp3&_include=Observation:subject")
    assert {(e["resource"]["id"], e["search"]["mode"]) for e in entries} == {
        ("bp1", "match"), ("bp3", "match"), ("zoe", "include"), ("yan", "include")}
    entries = corpus.pages("Patient?_id=yan&_revinclude=Observation:patient")
    assert {(e["resource"]["id"], e["search"]["mode"]) for e in entries} == {
        ("yan", "match"), ("bp3", "include"), ("w2", "include")}


def test_everything_and_lastn(corpus):
    found = {e["resource"]["id"] for e in corpus.pages("Patient/yan/$everything", count=1, beside=1)}
    assert found == {"yan", "bp3", "w2"}
    assert {e["resource"]["id"] for e in corpus.pages("Patient/yan/$everything?_type=Observation&start=2026-02-01")} == {"bp3"}
    assert {e["resource"]["id"] for e in corpus.pages("Patient/yan/$everything?end=2026-01-31")} == {"yan", "w2"}
    corpus.get("Patient/nobody/$everything", 404)
    newest = corpus.get("Observation/$lastn?patient=zoe&category=vital-signs").json()
    ids = {e["resource"]["id"] for e in newest["entry"]}
    # Ties come together; bp1 and bp2 were taken at the same moment.
    assert {"h2", "h3", "w1", "bp1", "bp2"} <= ids and "h1" not in ids
    two = corpus.get("Observation/$lastn?patient=zoe&code=8867-4&max=3").json()
    assert {"h2", "h3", "h1"} <= {e["resource"]["id"] for e in two["entry"]}
    corpus.get("Observation/$lastn?patient=zoe", 400)
    corpus.get("Observation/$lastn?code=8867-4", 400)


def test_merged_patients_are_found_together(corpus):
    """By the person's id all readings of those merged into it; by a member's own id that member's."""
    link = [{"other": {"reference": "Patient/now"}, "type": "replaced-by"}]
    for sent in (person("now"), person("then", link=link),
                 resources.vital("n1", "8867-4", 70, "/min", subject="Patient/now", time="2026-03-01T08:00:00Z"),
                 resources.pressure("n2", 120, 80, subject="Patient/now", time="2026-03-02T08:00:00Z"),
                 resources.vital("t1", "8867-4", 80, "/min", subject="Patient/then", time="2026-03-03T08:00:00Z")):
        assert corpus.http.post(sent).status == 202
    def found(path):
        return {e["resource"]["id"] for e in corpus.pages(path) if e["resource"]["resourceType"] == "Observation"}
    assert found("Observation?patient=now") == {"n1", "n2", "t1"}
    assert found("Observation?patient=then") == {"t1"}
    assert found("Observation?subject=Patient/now&_sort=-date&code=8867-4") == {"n1", "t1"}
    assert found("Observation?patient=now,yan&date=ge2026-02-01") == {"n1", "n2", "t1", "bp3"}
    assert found("Observation?patient=now&subject=then") == {"t1"}
    assert found("Patient/now/$everything") == {"n1", "n2", "t1"}
    newest = corpus.get("Observation/$lastn?patient=now&category=vital-signs").json()["entry"]
    assert {e["resource"]["id"] for e in newest} == {"n2", "t1"}
    assert corpus.get("Observation?patient=now&_summary=count").json()["total"] == 3
    # Taken apart again, they are two people.
    assert corpus.http.post(person("then", meta={"versionId": "2"})).status == 202
    assert found("Observation?patient=now") == {"n1", "n2"}
    corpus.all += [person("now"), person("then")]
    corpus.all += [corpus.get(f"Observation/{key}").json() for key in ("n1", "n2", "t1")]


def test_an_id_space_with_dots(corpus, tmp_path):
    path = write(tmp_path / "dots.json", resources.bundle(
        person("a.b"), resources.vital("x.1", "8867-4", 61, "/min", subject="Patient/a.b"),
        person("b"), resources.vital("y", "8867-4", 62, "/min", subject="Patient/b")))
    corpus.http.lake.run("ingest", path, "--id-space", "other.north.a")
    for patient, reading in (("other.north.a.a.b", "other.north.a.x.1"), ("other.north.a.b", "other.north.a.y")):
        assert corpus.get(f"Patient/{patient}").json()["id"] == patient
        assert [e["resource"]["id"] for e in corpus.pages(f"Observation?patient={patient}")] == [reading]
        served = corpus.get(f"Observation/{reading}?_elements=subject").json()
        assert served["subject"]["reference"] == f"Patient/{patient}"
        (count,) = [c["valueQuantity"]["value"] for p in corpus.get(
            f"Observation/$stats?subject={patient}&code=8867-4&statistic=count").json()["parameter"] for c in p["resource"]["component"]]
        assert count == 1
    corpus.get("Patient/north.a.b", 404)
    assert corpus.pages("Observation?patient=a.b") == []


def test_a_patients_readings_in_many_files(corpus):
    """Each post is a file of its own; all answers are found by the index, which is there beside the lake."""
    assert corpus.http.post(person("many")).status == 202
    times = [f"2026-04-{day:02}T08:00:00Z" for day in range(1, 13)]
    for day, time in enumerate(times):
        assert corpus.http.post(resources.vital(f"m{day}", "8867-4", 60 + day, "/min", subject="Patient/many", time=time)).status == 202
    entries = corpus.pages("Observation?patient=many&_sort=-date", count=5)
    assert [e["resource"]["id"] for e in entries] == [f"m{day}" for day in range(11, -1, -1)]
    assert [e["resource"]["valueQuantity"]["value"] for e in entries] == [60 + day for day in range(11, -1, -1)]
    newest = corpus.pages("Observation?code=8867-4&date=ge2026-04&_sort=-date", count=5)
    assert [e["resource"]["id"] for e in newest] == [e["resource"]["id"] for e in entries]
    assert list((corpus.http.lake.path / "_vitalake/rows/silver.vital_sign").glob("*.rows"))
    corpus.all += [person("many")] + [e["resource"] for e in entries]


def test_statistics_are_those_of_the_values(corpus):
    asked = ("Observation/$stats?subject=Patient/zoe&system=http://loinc.org&code=8867-4,8480-6&start=2026-01-05&end=2026-01-07"
             "&statistic=average,minimum,maximum,count,median,sum,std-dev")
    told = [p["resource"] for p in corpus.get(asked).json()["parameter"]]
    values = {"8867-4": [72, 64, 65], "8480-6": [131.5, 120]}
    assert [o["code"]["coding"][0]["code"] for o in told] == list(values)
    for observation in told:
        of = values[observation["code"]["coding"][0]["code"]]
        found = {c["code"]["coding"][0]["code"]: c["valueQuantity"]["value"] for c in observation["component"]}
        expected = {"average": statistics.mean(of), "minimum": min(of), "maximum": max(of), "count": len(of), "sum": sum(of),
                    "median": statistics.median(of), "std-dev": statistics.stdev(of)}
        assert found == pytest.approx(expected)
    corpus.get("Observation/$stats?subject=Patient/zoe&code=8867-4", 400)
    corpus.get("Observation/$stats?subject=Patient/zoe&code=8867-4&statistic=mode", 400)


def test_search_by_a_form_is_the_same(corpus):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = corpus.http.ask("POST", "/fhir/Observation/_search", "code=8867-4&patient=zoe&_count=50", form)
    assert posted.status == 200, posted.body
    asked = corpus.get("Observation?code=8867-4&patient=zoe&_count=50").json()
    assert [e["fullUrl"] for e in posted.json()["entry"]] == [e["fullUrl"] for e in asked["entry"]]
    assert corpus.http.ask("POST", "/fhir/Observation/_search", "<a/>", {"Content-Type": "application/fhir+xml"}).status == 415
    without = corpus.http.ask("POST", "/fhir/Observation/_search?code=8867-4&patient=zoe&_count=50", None, {})
    assert without.status == 200 and [e["fullUrl"] for e in without.json()["entry"]] == [e["fullUrl"] for e in asked["entry"]]


def test_operations_take_a_body(corpus):
    """A Parameters resource or a form says the same as the query does."""
    parts = {"max": {"valueInteger": 2}, "patient": {"valueReference": {"reference": "Patient/zoe"}}, "start": {"valueDate": "2026-01-05"},
             "statistic": {"valueCode": "average"}, "_count": {"valueInteger": 100}}
    for path, query in (("Patient/yan/$everything", {"start": "2026-01-05", "_type": "Observation", "_count": "100"}),
                        ("Observation/$lastn", {"patient": "Patient/zoe", "category": "vital-signs", "max": "2"}),
                        ("Observation/$stats", {"subject": "Patient/zoe", "code": "8867-4", "system": "http://loinc.org",
                                                "statistic": "average", "start": "2026-01-05"})):
        form = urllib.parse.urlencode(query)
        asked = corpus.get(f"{path}?{form}").json()
        body = {"resourceType": "Parameters", "parameter": [
            {"name": name} | parts.get(name, {"valueString": value}) for name, value in query.items()]}
        for content, kind in ((json.dumps(body), FHIR), (json.dumps(body), "application/json"),
                              (form, "application/x-www-form-urlencoded")):
            answer = corpus.http.ask("POST", f"/fhir/{path}", content, {"Content-Type": kind})
            assert answer.status == 200, answer.body
            assert answer.json().get("entry", answer.json().get("parameter")) == asked.get("entry", asked.get("parameter"))
        assert corpus.http.ask("POST", f"/fhir/{path}?{form}", None, {}).status == 200
        assert corpus.http.ask("POST", f"/fhir/{path}", '{"resourceType":"Patient"}', {"Content-Type": FHIR}).status == 400
        assert corpus.http.ask("POST", f"/fhir/{path}", "<a/>", {"Content-Type": "application/fhir+xml"}).status == 415


def test_errors_are_operation_outcomes(corpus):
    unknown = corpus.get("Patient?shoe-size=44&gender=male").json()
    (self_link,) = [link["url"] for link in unknown["link"] if link["relation"] == "self"]
    assert "shoe-size" not in self_link and "gender=male" in self_link
    for path, status, headers in (
            ("Patient?shoe-size=44", 400, {"Prefer": "handling=strict"}), ("Patient/none", 404, {}), ("Patient?birthdate=soon", 400, {}),
            ("Patient?gender:above=male", 400, {}), ("Patient?_cursor=x", 400, {}), ("Observation?value-quantity=high", 400, {}),
            ("Patient", 406, {"Accept": "application/fhir+xml"}), ("Patient?_format=xml", 406, {}), ("Practitioner", 404, {}),
            ("Patient?_count=x", 400, {}), ("Patient/zoe/_history/none", 404, {})):
        answer = corpus.get(path, status, **headers)
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome" and outcome["issue"][0]["diagnostics"], path
        assert answer.headers["Content-Type"].startswith(FHIR)
    corpus.get("Patient?gender=male", **{"Accept": "text/html, application/fhir+json"})
    corpus.get("Patient?gender=male&_format=json")


def test_the_capability_statement_is_true(corpus):
    statement = corpus.get("metadata").json()
    assert statement["resourceType"] == "CapabilityStatement" and statement["fhirVersion"] == "4.0.1"
    (rest,) = statement["rest"]
    assert {r["type"] for r in rest["resource"]} == {"Patient", "Observation"}
    strict = {"Prefer": "handling=strict"}
    values = {"token": "x", "string": "x", "date": "2026", "reference": "x", "quantity": "5", "composite": "x$5"}
    for one in rest["resource"]:
        kind = one["type"]
        name = "zoe" if kind == "Patient" else "bp1"
        assert {i["code"] for i in one["interaction"]} == {"read", "vread", "history-instance", "search-type"}
        version = corpus.get(f"{kind}/{name}").json()["meta"]["versionId"]
        corpus.get(f"{kind}/{name}/_history/{version}")
        corpus.get(f"{kind}/{name}/_history")
        for key in one["documentation"].removeprefix("_sort: ").split(", "):
            corpus.get(f"{kind}?_sort={key}", **strict)
        for parameter in one["searchParam"]:
            value = "true" if parameter["name"] == "active" else values[parameter["type"]]
            corpus.get(f"{kind}?{parameter['name']}={value}", **strict)
            for modifier in parameter.get("documentation", "").replace(";", " ").split():
                if modifier.startswith(":"):
                    fitting = {":missing": "true", ":Patient": "zoe"}.get(modifier, value)
                    corpus.get(f"{kind}?{parameter['name']}{modifier}={fitting}", **strict)
        for include in one.get("searchInclude", []):
            corpus.get(f"{kind}?_include={include}&_count=3", **strict)
        for include in one.get("searchRevInclude", []):
            corpus.get(f"{kind}?_revinclude={include}&_count=3", **strict)
        for operation in one.get("operation", []):
            path = {"everything": "Patient/zoe/$everything", "lastn": "Observation/$lastn?patient=zoe&code=8867-4",
                    "stats": "Observation/$stats?subject=Patient/zoe&code=8867-4&statistic=average"}[operation["name"]]
            corpus.get(path)
