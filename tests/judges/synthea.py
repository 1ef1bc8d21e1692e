"""What the Synthea bundles say, worked out from the JSON alone."""

import collections
import datetime
import json
import pathlib

SYSTOLIC, DIASTOLIC, PANEL = "8480-6", "8462-4", "85354-9"
# Vital signs by code where a sender gives no category (units and codes of the domain notes).
LISTED = {"8867-4", "9279-1", "2708-6", "59408-5", "8310-5", "29463-7", "8478-0", "3151-8", "3150-6", "2339-0", "2345-7",
          "41653-7", "2340-8", "15074-8", "14749-6", "14743-9", "99504-3", "105272-9", SYSTOLIC, DIASTOLIC, PANEL}


def codes(concept):
    return [coding.get("code") for coding in concept.get("coding", []) if coding.get("system") == "http://loinc.org"]


def is_vital(observation):
    categories = [c.get("code") for group in observation.get("category", []) for c in group.get("coding", [])]
    return "vital-signs" in categories or bool(LISTED & set(codes(observation.get("code", {}))))


def utc(text):
    return datetime.datetime.fromisoformat(text).astimezone(datetime.timezone.utc)


def number(quantity):
    return None if quantity is None or "value" not in quantity else float(quantity["value"])


class Bundles:
    """Everything in a list of Bundle files that the tables should hold."""

    def __init__(self, files):
        self.entries = 0
        self.observations = 0
        self.patients = {}   # id: what silver.patient should say
        self.panels = {}     # id: what silver.observation should say
        self.vitals = collections.defaultdict(collections.Counter)  # resource id: Counter of (code, value, unit)
        self.in_scope = set()  # ids of the Observations that have a home in silver
        for file in files:
            self.add(json.loads(pathlib.Path(file).read_text()))

    def add(self, bundle):
        targets = {e["fullUrl"]: e["resource"]["id"] for e in bundle["entry"] if "fullUrl" in e}
        for entry in bundle["entry"]:
            self.entries += 1
            resource = entry["resource"]
            if resource["resourceType"] == "Patient":
                self.add_patient(resource)
            elif resource["resourceType"] == "Observation":
                self.observations += 1
                if is_vital(resource):
                    self.add_observation(resource, targets[resource["subject"]["reference"]])

    def add_patient(self, p):
        name = next((n for n in p["name"] if n.get("use") == "official"), p["name"][0])
        address = p["address"][0]
        self.patients[p["id"]] = {
            "family_name": name["family"], "given_name": " ".join(name["given"]), "gender": p["gender"],
            "birth_date": datetime.date.fromisoformat(p["birthDate"]), "line": address["line"][0],
            "city": address["city"], "state": address["state"], "country": address["country"],
            "postal_code": address.get("postalCode"),
            "deceased_time": utc(p["deceasedDateTime"]) if "deceasedDateTime" in p else None,
        }

    def add_observation(self, o, patient):
        self.in_scope.add(o["id"])
        parts = {code: c for c in o.get("component", []) for code in codes(c["code"])}
        if PANEL in codes(o["code"]):
            systolic, diastolic = (parts.get(code, {}).get("valueQuantity", {}) for code in (SYSTOLIC, DIASTOLIC))
            self.panels[o["id"]] = {
                "patient_id": patient, "status": o["status"], "effective_time": utc(o["effectiveDateTime"]),
                "effective_date": o["effectiveDateTime"][:10],
                "effective_offset_minutes": int(datetime.datetime.fromisoformat(o["effectiveDateTime"]).utcoffset().total_seconds() // 60),
                "systolic_pressure_value": number(systolic), "diastolic_pressure_value": number(diastolic),
            }
        if "valueQuantity" in o:
            self.vitals[o["id"]][(o["code"]["coding"][0]["code"], number(o["valueQuantity"]), o["valueQuantity"].get("code"))] += 1
        for code, part in parts.items():
            if "valueQuantity" in part:
                self.vitals[o["id"]][(code, number(part["valueQuantity"]), part["valueQuantity"].get("code"))] += 1
