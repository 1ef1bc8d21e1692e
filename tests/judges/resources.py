"""Small FHIR resources, written down as a sender would."""


def patient(name="p1", **more):
    return {"resourceType": "Patient", "id": name, "name": [{"family": "Doe", "given": ["Jo"]}],
            "gender": "female", "birthDate": "1970-01-02", **more}


def quantity(value, unit="mm[Hg]"):
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def component(code, value, **more):
    return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": quantity(value), **more}


VITAL_SIGNS = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}]


def pressure(name="o1", systolic=120, diastolic=80, subject="Patient/p1", time="2026-01-05T08:00:00Z", **more):
    return {"resourceType": "Observation", "id": name, "status": "final", "category": VITAL_SIGNS,
            "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
            "subject": {"reference": subject}, "effectiveDateTime": time,
            "component": [component("8480-6", systolic), component("8462-4", diastolic)], **more}


def vital(name, code, value, unit, subject="Patient/p1", time="2026-01-05T08:00:00Z", **more):
    return {"resourceType": "Observation", "id": name, "status": "final", "category": VITAL_SIGNS,
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": subject}, "effectiveDateTime": time, "valueQuantity": quantity(value, unit), **more}


def bundle(*entries):
    return {"resourceType": "Bundle", "type": "transaction",
            "entry": [e if "resource" in e or "request" in e else {"resource": e} for e in entries]}
