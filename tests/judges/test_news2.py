"""gold.news2 against the chart of the Royal College of Physicians (NEWS2, 2017), value by value, typed in from the chart."""

import datetime
import json

import deltalake
import pyarrow

import resources
from product import Lake, write

# Per parameter: LOINC code, unit, and (from, to, points), both ends included, as the chart's boxes read.
CHART = {
    "respiratory_rate": ("9279-1", "/min", [(2, 8, 3), (9, 11, 1), (12, 20, 0), (21, 24, 2), (25, 60, 3)]),
    "oxygen_saturation": ("2708-6", "%", [(60, 91, 3), (92, 93, 2), (94, 95, 1), (96, 100, 0)]),
    "systolic": ("8480-6", "mm[Hg]", [(50, 90, 3), (91, 100, 2), (101, 110, 1), (111, 219, 0), (220, 290, 3)]),
    "pulse": ("8867-4", "/min", [(25, 40, 3), (41, 50, 1), (51, 90, 0), (91, 110, 1), (111, 130, 2), (131, 250, 3)]),
    "temperature": ("8310-5", "Cel", [(30.0, 35.0, 3), (35.1, 36.0, 1), (36.1, 38.0, 0), (38.1, 39.0, 1), (39.1, 42.0, 2)]),
}
# SpO2 scale 2: from 93 % up it matters whether oxygen is given.
SCALE_TWO_AIR = [(60, 83, 3), (84, 85, 2), (86, 87, 1), (88, 100, 0)]
SCALE_TWO_OXYGEN = [(60, 83, 3), (84, 85, 2), (86, 87, 1), (88, 92, 0), (93, 94, 1), (95, 96, 2), (97, 100, 3)]
TIME = "2026-01-05T08:00:00Z"


def vital(patient, code, value, unit, time=TIME):
    return {"resourceType": "Observation", "id": f"{patient}-{code}-{time[11:13]}{time[14:16]}", "status": "final",
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": time,
            "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}}


def consciousness(patient, answer, display):
    level = vital(patient, "67775-7", 0, "1")
    del level["valueQuantity"]
    level["valueCodeableConcept"] = {"coding": [{"system": "http://loinc.org", "code": answer, "display": display}]}
    return level


def rows(lake):
    return {row["patient_id"]: row for row in lake.read("gold.news2").to_pylist()}


def boundaries(bands):
    """Both ends of every box, and halfway to the next one: rounded half up to the chart's precision."""
    for (low, high, points), following in zip(bands, [*bands[1:], None]):
        yield low, points
        yield high, points
        if following:
            middle = round((high + following[0]) / 2, 2)
            yield middle, following[2]
            yield round(middle - 0.01, 2), points


def test_every_box_of_the_chart(lake, tmp_path):
    records, wanted = [], {}

    def person(name, points, *measured):
        records.extend([resources.patient(name, birthDate="1960-01-01"), *measured])
        wanted[name] = points

    for parameter, (code, unit, bands) in CHART.items():
        for value, points in boundaries(bands):
            name = f"{parameter.replace('_', '-')}-{value}"
            # Of systolic pressure and pulse alone there is no score: an ordinary breath beside them.
            beside = [vital(name, "9279-1", 16, "/min")] if code in ("8480-6", "8867-4") else []
            person(name, (points, 1 + len(beside), 1), vital(name, code, value, unit), *beside)
    person("air", (0, 1, 1), vital("air", "3151-8", 0, "L/min"))
    person("flow", (2, 1, 1), vital("flow", "3151-8", 1, "L/min"))
    person("room-air", (0, 1, 1), vital("room-air", "3150-6", 21, "%"))
    person("rich-air", (2, 1, 1), vital("rich-air", "3150-6", 28, "%"))
    person("alert", (0, 1, 1), consciousness("alert", "LA9340-6", "Alert"))
    person("voice", (3, 1, 1), consciousness("voice", "LA9341-4", "Responds to voice"))
    for oxygen, bands in ((0, SCALE_TWO_AIR), (2, SCALE_TWO_OXYGEN)):
        for value, points in boundaries(bands):
            name = f"two-{oxygen}-{value}"
            person(name, (points + oxygen, 2, 2), vital(name, "2708-6", value, "%"), vital(name, "3151-8", oxygen, "L/min"))
    for value, points in ((92, 0), (87, 1)):
        person(f"two-unknown-{value}", (points, 1, 2), vital(f"two-unknown-{value}", "2708-6", value, "%"))
    person("two-unknown-93", (0, 0, 2), vital("two-unknown-93", "2708-6", 93, "%"))
    lake.ingest(write(tmp_path / "vitals.json", resources.bundle(*records)))
    # Scale 2 is ordered for a patient: what the service keeps of it in ops.action.
    orders = [name for name in wanted if name.startswith("two-")]
    since = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    schema = pyarrow.schema(lake.delta("ops.action").schema().to_arrow())
    order = [{"id": f"{i:032x}", "action": "settings", "actor": "dr", "target": name, "time": since, "id_space": "",
              "payload": json.dumps({"oxygen_scale": 2})} for i, name in enumerate(orders)]
    deltalake.write_deltalake(str(lake.folder("ops.action")), pyarrow.Table.from_pylist(order, schema=schema), mode="append")
    lake.run("gold")
    found = {name: (row["total"], row["parameters"], row["scale"]) for name, row in rows(lake).items()}
    assert found == wanted


def test_a_whole_score_and_what_is_missing(lake, tmp_path):
    people = [resources.patient(name, birthDate=born) for name, born in (("grown", "1960-01-01"), ("child", "2012-01-01"))]
    measured = [("9279-1", 25, "/min"), ("2708-6", 91, "%"), ("3151-8", 4, "L/min"), ("8480-6", 90, "mm[Hg]"),
                ("8867-4", 131, "/min"), ("8310-5", 39.1, "Cel")]
    readings = [vital(name, *one, time=f"2026-01-05T08:{5 * i:02d}:00Z") for name in ("grown", "child") for i, one in enumerate(measured)]
    lake.ingest(write(tmp_path / "a.json", resources.bundle(*people, *readings)))
    found = lake.read("gold.news2").to_pylist()
    assert {row["patient_id"] for row in found} == {"grown"}, "not under 16"
    last = max(found, key=lambda row: row["time"])
    assert (last["total"], last["parameters"], last["complete"], last["response"]) == (3 + 3 + 2 + 3 + 3 + 2, 6, False, "emergency")
    assert last["respiratory_rate_age_s"] == 25 * 60 and last["temperature_age_s"] == 0 and last["alert"] is None
    voice = consciousness("grown", "LA9341-4", "Responds to voice")
    voice["effectiveDateTime"] = "2026-01-05T08:30:00Z"
    lake.ingest(write(tmp_path / "b.json", resources.bundle(voice)))
    last = max(lake.read("gold.news2").to_pylist(), key=lambda row: row["time"])
    assert (last["total"], last["parameters"], last["complete"]) == (19, 7, True)
    # The same from nothing.
    before = lake.read("gold.news2").to_pylist()
    lake.run("gold", "--full")
    key = lambda row: (row["patient_id"], row["time"])
    assert sorted(before, key=key) == sorted(lake.read("gold.news2").to_pylist(), key=key)
