"""What is easily got wrong of FHIR R4: requests and resources at the edges of the specification, each with the answer that it
gives. The answers are written down by hand."""

import datetime
import urllib.parse

import pytest

import resources
from fhir_service import FhirService as Service

LOINC = "http://loinc.org"
STRICT = {"Prefer": "handling=strict"}


def person(key, *names, **more):
    return resources.patient(key, **more) | {"name": list(names)}


def pulse(name, subject, value=70, time="2026-01-05T08:00:00Z", **more):
    return resources.vital(name, "8867-4", value, "/min", subject=f"Patient/{subject}", time=time, **more)


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


SENT += [person("crowd"), person("couple"), *(pulse(f"crowd{i}", "crowd") for i in range(1_001)), pulse("couple1", "couple")]


def test_a_page_tells_what_it_does_not_include(service):
    def modes(path):
        entries = service.get(path)["entry"]
        return [e["search"]["mode"] for e in entries], entries[-1]
    told, last = modes("Patient?_id=crowd&_revinclude=Observation:subject")
    assert told == ["match", *["include"] * 1_000, "outcome"]
    assert last["resource"]["resourceType"] == "OperationOutcome" and "1000" in last["resource"]["issue"][0]["diagnostics"]
    assert "fullUrl" not in last
    assert modes("Patient?_id=solo,couple&_revinclude=Observation:subject")[0] == ["match"] * 2 + ["include"] * 3


def test_an_unknown_sort_key_among_known_ones_pages_on(service):
    path = "Observation?patient=solo&_sort=-date,code&_count=1"
    _, links, _ = service.bundle(path)
    assert "_sort=-date&" in links["self"].replace("%2D", "-") and "code" not in links["self"]
    assert service.ids(path) == ["solo2", "solo1"]
    service.get(path, 400, **STRICT)


def merged_into(key):
    return {"link": [{"other": {"reference": f"Patient/{key}"}, "type": "replaced-by"}]}


SENT += [person("chain1"), person("chain2", **merged_into("chain1")), person("chain3", **merged_into("chain2")),
         person("chain4", **merged_into("chain3")), *(pulse(f"link{i}", f"chain{i}", 60 + i) for i in (1, 2, 3, 4)),
         person("round1", **merged_into("round2")), person("round2", **merged_into("round1")),
         *(pulse(f"r{i}", f"round{i}", 80 + i) for i in (1, 2))]


def statistic(service, path, code):
    told = service.get(f"Observation/$stats?{path}&statistic={code}").get("parameter", [])
    return [c["valueQuantity"]["value"] for p in told for c in p["resource"]["component"]]


def test_merges_are_followed_over_several_links(service):
    # A cursor and no ids at all beside: found by the rows of these patients, and by scan.
    for path in ("Observation?patient={}", "Observation?patient={}&code=8867-4&_sort=-date&_count=1",
                 "Observation?patient:missing=false&subject={}"):
        assert sorted(service.ids(path.format("chain1"))) == ["link1", "link2", "link3", "link4"], path
        assert sorted(service.ids(path.format("chain3"))) == ["link3", "link4"], path
        assert sorted(service.ids(path.format("round1"))) == ["r1", "r2"], path
        assert sorted(service.ids(path.format("round2"))) == ["r1", "r2"], path
    assert service.get("Observation?patient=chain1&_summary=count")["total"] == 4
    assert sorted(service.ids("Patient/chain2/$everything?_type=Observation")) == ["link2", "link3", "link4"]
    assert sorted(service.ids("Observation/$lastn?patient=chain1&code=8867-4")) == ["link1", "link2", "link3", "link4"]
    for patient, values in (("chain1", [61, 62, 63, 64]), ("chain4", [64]), ("round1", [81, 82])):
        assert statistic(service, f"subject=Patient/{patient}&code=8867-4", "sum,count") == [sum(values), len(values)]
    # What was retracted links no more.
    service.post(person("chain2", **merged_into("chain1"), meta={"versionId": "2"}))
    assert len(service.ids("Observation?patient=chain1")) == 4
    service.delete("Patient/chain2")
    assert service.ids("Observation?patient=chain1") == ["link1"]


def coded(*codings, **more):
    return {"code": {"coding": [{"system": s, "code": c} if s else {"code": c} for s, c in codings], **more}}


def at(day):
    return f"2026-02-{day:02}T08:00:00Z"


SNOMED = "http://snomed.info/sct"
PARTS = {"w": ("8867-4", "/min"), "x": ("9279-1", "/min"), "y": ("8310-5", "Cel")}


def panel(name, day, parts, subject="panels"):
    """Components alone, under a code of their own."""
    sent = resources.pressure(name, subject=f"Patient/{subject}", time=at(day))
    return sent | coded((LOINC, "85353-1")) | {"component": [
        {"code": {"coding": [{"system": LOINC, "code": PARTS[part][0]}]}, "valueQuantity": resources.quantity(37, PARTS[part][1])} for part in parts]}


SENT += [
    person("panels"), panel("wx1", 1, "wx"), panel("wx2", 2, "xw"), panel("xy1", 1, "xy"), panel("y1", 1, "y"), panel("y2", 2, "y"),
    # One vital sign by two of its codes, and what no table knows by its codings.
    resources.pressure("bp-old", subject="Patient/panels", time=at(1)) | coded((LOINC, "55284-4")),
    resources.pressure("bp-new", subject="Patient/panels", time=at(2)),
    resources.pressure("bp-other", subject="Patient/panels", time=at(1)) | coded((LOINC, "1111-2")),
    pulse("pulse-old", "panels", time=at(1)), pulse("pulse-new", "panels", time=at(2)) | coded((SNOMED, "364075005")),
    pulse("a1", "panels", time=at(1)) | coded(("urn:a", "1"), ("urn:b", "2")), pulse("a2", "panels", time=at(2)) | coded(("urn:b", "2"), ("urn:a", "1")),
    pulse("b1", "panels", time=at(1)) | coded(("urn:c", "1"), ("urn:b", "2")), pulse("c1", "panels", time=at(1)) | coded(("urn:a", "1"))]


def test_the_newest_of_each_code_is_by_all_codings(service):
    newest = ["wx2", "xy1", "y2", "bp-new", "bp-other", "pulse-new", "a2", "b1", "c1"]
    assert sorted(service.ids("Observation/$lastn?patient=panels&category=vital-signs")) == sorted(newest)
    both = service.ids("Observation/$lastn?patient=panels&category=vital-signs&max=2")
    assert sorted(both) == sorted([*newest, "wx1", "y1", "bp-old", "pulse-old", "a1"])


SENT += [{"resourceType": "Patient", "id": name, **more, "active": True, "gender": "other"} for name, more in (
    ("born-none", {}), ("born-1950", {"birthDate": "1950-03-01"}), ("born-1990", {"birthDate": "1990-03-01"}))]
SENT += [person("ages"), pulse("age-1960", "ages", time="1960-01-01T00:00:00Z"), pulse("age-2000", "ages", time="2000-01-01T00:00:00Z"),
         {k: v for k, v in pulse("age-none", "ages").items() if k != "effectiveDateTime"}]


def test_what_is_missing_is_at_one_end(service):
    for patients in ("gender=other&active=true", "_id=born-none,born-1950,born-1990"):
        assert service.ids(f"Patient?{patients}&_sort=birthdate&_count=1") == ["born-none", "born-1950", "born-1990"]
        assert service.ids(f"Patient?{patients}&_sort=-birthdate&_count=1") == ["born-1990", "born-1950", "born-none"]
    assert service.ids("Observation?patient=ages&_sort=date&_count=1") == ["age-none", "age-1960", "age-2000"]
    assert service.ids("Observation?patient=ages&_sort=-date&_count=1") == ["age-2000", "age-1960", "age-none"]
    assert service.ids("Observation/$lastn?patient=ages&code=8867-4&max=3") == ["age-2000", "age-1960", "age-none"]


def period(name, **bounds):
    sent = {k: v for k, v in pulse(name, "periods").items() if k != "effectiveDateTime"}
    return sent | {"effectivePeriod": bounds}


SENT += [person("periods"), period("until", end="2024-03-10T12:00:00Z"),
         period("both", start="2024-03-10T08:00:00Z", end="2024-03-11T08:00:00Z")]


def test_a_period_without_start_is_found_at_its_end(service):
    for asked, found in (("lt2024-03-10", []), ("le2024-03-10", ["until"]), ("2024-03-10", ["until"]), ("2024", ["both", "until"]),
                         ("ge2024-03-10", ["both", "until"]), ("gt2024-03-10", ["both"]), ("eb2024-03-11", ["until"]), ("eb2024-03-10", []),
                         ("sa2000", ["both", "until"]), ("gt2024-03-12", []), ("ne2024-03-10", ["both"]), ("lt1900", [])):
        assert sorted(service.ids(f"Observation?patient=periods&date={asked}")) == found, asked
    assert sorted(service.ids("Observation?patient=periods&date:missing=false")) == ["both", "until"]
    assert service.ids("Patient/periods/$everything?_type=Observation&end=2024-03-09") == []
    assert service.ids("Observation?patient=periods&_sort=date&_count=1") == ["both", "until"]


def compared(name, comparator, value):
    sent = resources.vital(name, "29463-7", value, "kg", subject="Patient/scales")
    return sent | {"valueQuantity": sent["valueQuantity"] | ({"comparator": comparator} if comparator else {})}


# All that the value may be, as [low, high] with whether the ends count.
SPANS = {"": lambda v: (v, True, v, True), "<": lambda v: (0, False, v, False), "<=": lambda v: (0, False, v, True),
         ">": lambda v: (v, False, 1e9, False), ">=": lambda v: (v, True, 1e9, False)}
WEIGHTS = {f"s{i}": (comparator, value) for i, (comparator, value) in enumerate((c, v) for c in SPANS for v in (70, 80, 90))}


def weighs(comparator, value, prefix, wanted):
    low, low_counts, high, high_counts = SPANS[comparator](value)
    exact = wanted - 0.5 <= low and high < wanted + 0.5
    above = high > wanted
    below = low < wanted
    may_be = (low < wanted or low == wanted and low_counts) and (wanted < high or high == wanted and high_counts)
    near = (low < wanted * 1.1 or low == wanted * 1.1 and low_counts) and (high > wanted * 0.9 or high == wanted * 0.9 and high_counts)
    return {"eq": exact, "ne": not exact, "gt": above, "lt": below, "ge": above or may_be, "le": below or may_be,
            "sa": not below and not may_be, "eb": not above and not may_be, "ap": near}[prefix]


SENT += [person("scales"), *(compared(name, *weight) for name, weight in WEIGHTS.items()),
         resources.pressure("s-bp", subject="Patient/scales") | {"component": [
             resources.component("8480-6", 180) | {"valueQuantity": resources.quantity(180) | {"comparator": ">"}}, resources.component("8462-4", 90)]}]


def test_a_value_with_a_comparator_is_a_range(service):
    for prefix in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"):
        expected = sorted(name for name, weight in WEIGHTS.items() if weighs(*weight, prefix, 80))
        for unit in ("80||kg", "80"):
            found = sorted(service.ids(f"Observation?patient=scales&value-quantity={prefix}{unit}"))
            assert found == expected, (prefix, unit)
    for asked, found in (("gt180", ["s-bp"]), ("gt200", ["s-bp"]), ("180", []), ("lt180", []), ("sa200", []), ("sa179", ["s-bp"])):
        assert service.ids(f"Observation?patient=scales&combo-code-value-quantity=8480-6${asked}||mm[Hg]") == found, asked


SENT += [person("coder"), resources.pressure("p-snomed", subject="Patient/coder", time=at(1)) | coded((SNOMED, "75367002")),
         resources.pressure("p-local", subject="Patient/coder", time=at(1)) | coded(("urn:local", "bp")),
         resources.pressure("p-loinc", subject="Patient/coder", time=at(1))]
PANELS = {"p-snomed", "p-local", "p-loinc"}


def test_the_system_of_a_panels_code_is_not_made_up(service):
    for token, found in ((f"{SNOMED}|75367002", ["p-snomed"]), ("75367002", ["p-snomed"]), ("|75367002", []), ("urn:a|75367002", []),
                         ("bp", ["p-local"]), ("|bp", []), (f"{LOINC}|85354-9", ["p-loinc"]), ("|85354-9", []), (f"{LOINC}|bp", [])):
        assert service.ids(f"Observation?patient=coder&code={token}") == found, token
        assert set(service.ids(f"Observation?combo-code={token}&encounter:missing=true")) & PANELS == set(found), token
    assert len(service.ids("Observation?patient=coder&code:missing=false")) == 3


SENT += [person("berg", {"family": "van der Berg", "given": ["Jörg", "Hans Peter"]})]


def test_exact_is_the_whole_text(service):
    for name, found in (("name:exact=van", 0), ("name:exact=Berg", 0), ("name:exact=van der Berg", 1), ("family:exact=van der Berg", 1),
                        ("family:exact=van der", 0), ("given:exact=Hans Peter", 1), ("given:exact=Jörg", 1), ("name:exact=Hans Peter", 1),
                        ("given:exact=jörg", 0), ("given:exact=Pet", 0), ("given:exact=Peter Jörg", 0)):
        key, _, value = name.partition("=")
        assert service.ids(f"Patient?{key}={urllib.parse.quote(value)}") == ["berg"] * found, name


def test_the_history_is_in_order_whatever_a_resource_was(service):
    for version in ("1", "2", "3", "4"):
        meta = {"meta": {"versionId": version}}
        service.post((pulse("turns", "turner") if version in "13" else resources.pressure("turns", subject="Patient/turner")) | meta)
    history = service.get("Observation/turns/_history")
    assert [e["resource"]["meta"]["versionId"] for e in history["entry"]] == ["4", "3", "2", "1"]
    assert history["total"] == 4


def test_a_deletion_is_of_its_own_time(service):
    service.post(pulse("gone", "ages", meta={"versionId": "1", "lastUpdated": "2020-01-01T00:00:00Z"}))
    before = datetime.datetime.now(datetime.timezone.utc)
    service.delete("Observation/gone")
    deleted, made = service.get("Observation/gone/_history")["entry"]
    assert deleted["request"]["method"] == "DELETE" and made["request"]["method"] == "PUT"
    assert made["response"]["lastModified"].startswith("2020-01-01T00:00:00")
    then = datetime.datetime.fromisoformat(deleted["response"]["lastModified"].replace("Z", "+00:00"))
    # A deletion's time is kept to a microsecond or two.
    tick = datetime.timedelta(milliseconds=1)
    assert before - tick <= then <= datetime.datetime.now(datetime.timezone.utc) + tick


def test_a_history_has_pages_and_a_beginning(service):
    for version in range(1, 6):
        service.post(pulse("aged", "ages", meta={"versionId": str(version), "lastUpdated": f"2020-01-0{version}T00:00:00Z"}))

    def page(path, **headers):
        told = service.get(path, **headers)
        links = {link["relation"]: link["url"].split("/fhir/")[1] for link in told["link"]}
        return [e["resource"]["meta"]["versionId"] for e in told.get("entry", [])], links.get("next"), told["total"]
    assert page("Observation/aged/_history") == (["5", "4", "3", "2", "1"], None, 5)
    first, following, total = page("Observation/aged/_history?_count=2")
    assert (first, total) == (["5", "4"], 5)
    # A page is where it was when another version comes in.
    service.post(pulse("aged", "ages", meta={"versionId": "6", "lastUpdated": "2020-01-06T00:00:00Z"}))
    second, following, total = page(following)
    assert (second, total) == (["3", "2"], 6)
    assert page(following) == (["1"], None, 6)
    assert page("Observation/aged/_history?_since=2020-01-04T00:00:00Z&_count=2")[0] == ["6", "5"]
    assert page("Observation/aged/_history?_since=2020-01-05&_at=2020") == (["6", "5"], None, 2)
    assert page("Observation/aged/_history?_since=2030-01-01") == ([], None, 0)
    assert page("Observation/aged/_history?_count=0") == ([], None, 6)
    assert page("Observation/aged/_history?_format=json", **STRICT)[2] == 6
    assert "_at" in service.refused("Observation/aged/_history?_at=2020", **STRICT)
    for wrong in ("_count=x", "_count=-1", "_since=soon", "_cursor=x"):
        service.refused(f"Observation/aged/_history?{wrong}")


def test_a_unit_is_of_its_system(service):
    for asked, found in (("80|http://unitsofmeasure.org|kg", 1), ("80||kg", 1), ("80", 1), ("80|http://foo.org|kg", 0), ("80|urn:oid:1.2|kg", 0)):
        assert len(service.ids(f"Observation?patient=scales&value-quantity={asked}")) == found, asked
    assert "quantity" in service.refused("Observation?patient=scales&value-quantity=80|kg")


def test_statistics_are_of_patients(service):
    assert statistic(service, "subject=solo&code=8867-4", "count") == statistic(service, "subject=Patient/solo&code=8867-4", "count") == [2]
    for subject in ("Device/solo", "Group/solo", "Practitioner/solo"):
        assert statistic(service, f"subject={subject}&code=8867-4", "count") == []


def test_statistics_of_nothing_are_fhir_still(service):
    asked = "Observation/$stats?subject=nobody&code=8867-4&statistic=count"
    assert service.get(asked) == {"resourceType": "Parameters"}
    assert service.get(f"{asked}&_format=json", **STRICT) == {"resourceType": "Parameters"}
    assert service.get(f"{asked}&shoe-size=44") == {"resourceType": "Parameters"}
    assert "shoe-size" in service.refused(f"{asked}&shoe-size=44", **STRICT)


def test_everything_of_the_types_that_are_named(service):
    def found(query):
        return sorted(service.ids(f"Patient/solo/$everything?{query}"))
    both = ["solo", "solo1", "solo2"]
    for query, expected in (("", both), ("_type=", both), ("_type=Patient,Observation", both), ("_type=Patient&_type=Observation", both),
                            ("_type=Observation&_type=Condition", both[1:]), ("_type=Patient", both[:1]), ("_type=Condition", [])):
        assert found(query) == expected, query
    for query, total in (("", 3), ("&_type=Patient", 1), ("&_type=Observation", 2), ("&_type=Condition", 0)):
        assert service.bundle(f"Patient/solo/$everything?_count=0{query}")[::2] == ([], total)
    assert len(service.get("Patient/solo/$everything?_format=json", **STRICT)["entry"]) == 3
    service.get("Patient/solo/$everything?shoe-size=44", 400, **STRICT)


def test_the_newest_say_what_was_done(service):
    asked = "Observation/$lastn?patient=solo&code=8867-4&max=2"
    assert service.bundle(asked)[::2] == (["solo2", "solo1"], 2)
    ids, links, total = service.bundle(f"{asked}&_count=1&_sort=date&_include=Observation:subject&_elements=status")
    assert (ids, total) == (["solo2", "solo1"], 2)
    assert not any(name in links["self"] for name in ("_count", "_sort", "_include")) and "_elements=status" in links["self"]
    assert service.bundle(f"{asked}&_summary=count")[::2] == ([], 2)
    for more in ("_count=1", "_sort=date", "_include=Observation:subject"):
        assert more.split("=")[0] in service.refused(f"{asked}&{more}", **STRICT)


def test_what_is_wrong_is_told_in_the_words_of_the_request(service):
    _, links, _ = service.bundle("Observation?patient=solo&_sort=status&_count=1")
    cursor = links["next"].partition("_cursor=")[2]
    for path, word in ((f"Observation?patient=solo&_sort=date&_count=1&_cursor={cursor}", "cursor"), ("Patient?name=%FF", "name"),
                       ("Patient?_id=%FF", "_id"), ("Patient/%FF", "id"), ("Observation/$stats?subject=%FF&code=1&statistic=count", "subject"),
                       ("Observation/$stats?subject=a&code=%FF&statistic=count", "code"), ("Patient/solo/$everything?start=bogus", "bogus is no date")):
        told = service.refused(path)
        assert word in told and not any(inside in told for inside in ("gebogus", "CAST", "parameter", "LINE")), told


def test_a_parameter_without_a_value_says_nothing(service):
    for kind, name in (("Patient", "name"), ("Observation", "patient"), ("Observation", "status"), ("Patient", "birthdate")):
        _, links, _ = service.bundle(f"{kind}?_id=solo,solo1&{name}=")
        assert "_id=" in links["self"] and f"{name}=" not in links["self"]
        assert name in service.refused(f"{kind}?{name}=", **STRICT)


SENT += [person("greek", {"family": "Παπαδόπουλος", "given": ["ΣΩΣΟΣ"]}, telecom=[
            {"system": "email", "value": "Some.Body@Example.org"}, {"system": "phone", "use": "work", "value": "+30 1 EXT 5"}]),
         person("street", {"family": "Groß", "given": ["STRASSER"]})]


def test_case_does_not_count(service):
    for name, value, found in (("family", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "greek"), ("family", "παπαδοπουλος", "greek"), ("given", "σωσος", "greek"),
                               ("family:contains", "ΟΥΛΟΣ", "greek"), ("family", "GROSS", "street"), ("family", "groß", "street"),
                               ("family", "GROẞ", "street"), ("given", "straßer", "street"), ("family:exact", "GROSS", None),
                               ("telecom", "some.body@example.ORG", "greek"), ("telecom", "email|SOME.BODY@EXAMPLE.ORG", "greek"),
                               ("telecom", "phone|+30 1 ext 5", "greek"), ("telecom", "phone|some.body@example.org", None)):
        assert service.ids(f"Patient?{name}={urllib.parse.quote(value)}") == ([found] if found else []), (name, value)


def by(*performers):
    return {"performer": [{"reference": one} for one in performers]}


SENT += [person("cared"), pulse("by-practitioner", "cared", **by("Practitioner/carer")), pulse("by-patient", "cared", **by("Patient/carer")),
         pulse("by-url", "cared", **by("https://elsewhere.org/fhir/Patient/carer/_history/2")),
         pulse("by-organization", "cared", **by("Organization/carer")), pulse("by-two", "cared", **by("Organization/house", "Practitioner/carer")),
         resources.pressure("bp-by-patient", subject="Patient/cared", **by("Patient/carer")),
         resources.pressure("bp-by-practitioner", subject="Patient/cared", **by("http://h.org/Practitioner/carer")),
         pulse("by-device", "cared", device={"reference": "Device/meter"}),
         pulse("by-metric", "cared", device={"reference": "DeviceMetric/meter"}),
         pulse("met", "cared", encounter={"reference": "Encounter/met"})]

PRACTITIONERS = {"by-practitioner", "by-two", "bp-by-practitioner"}
PATIENTS = {"by-patient", "by-url", "bp-by-patient"}
ANY = {*PRACTITIONERS, *PATIENTS, "by-organization"}


# https://hl7.org/fhir/R4/search.html#reference
def test_a_reference_is_of_its_type(service):
    for name, value, found in (
            ("performer", "Practitioner/carer", PRACTITIONERS), ("performer", "Patient/carer", PATIENTS),
            ("performer", "Organization/carer", {"by-organization"}), ("performer", "RelatedPerson/carer", set()),
            ("performer", "carer", ANY), ("performer", "care", set()), ("performer", "Patient/care", set()), ("performer", "arer", set()),
            ("performer", "https://elsewhere.org/fhir/Patient/carer", PATIENTS), ("performer", "http://h.org/Practitioner/carer", PRACTITIONERS),
            ("performer:Patient", "carer", PATIENTS), ("performer:Practitioner", "carer", PRACTITIONERS),
            ("performer:Patient", "Patient/carer", PATIENTS), ("performer:Patient", "Practitioner/carer", set()),
            ("performer:PractitionerRole", "carer", set()), ("performer", "Organization/carer,Patient/carer", PATIENTS | {"by-organization"}),
            ("device", "Device/meter", {"by-device"}), ("device", "DeviceMetric/meter", {"by-metric"}), ("device", "meter", {"by-device", "by-metric"}),
            ("device:Device", "meter", {"by-device"}), ("device:DeviceMetric", "meter", {"by-metric"}),
            ("encounter", "Encounter/met", {"met"}), ("encounter", "met", {"met"}), ("encounter:Encounter", "met", {"met"}),
            ("encounter", "EpisodeOfCare/met", set())):
        for also in ("", "&patient=cared"):
            assert set(service.ids(f"Observation?{name}={urllib.parse.quote(value)}{also}")) == found, (name, value, also)
    assert "Organization" in service.refused("Observation?performer:Location=carer")
