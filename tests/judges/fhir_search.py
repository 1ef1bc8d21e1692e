"""FHIR search as its specification says, evaluated over resources in memory: what the product's answers are held against.

Each function of MATCH takes a resource and one value of the parameter. What the CapabilityStatement says of a parameter's
limits (the official name, the first category, canonical units) is followed here, too.
"""

import datetime
import re
import unicodedata

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)
# How many of the unit the stored one makes, and the unit values are stored in.
UNITS = {"kg": (1, "kg"), "g": (0.001, "kg"), "[lb_av]": (0.45359237, "kg"), "cm": (1, "cm"), "m": (100, "cm"),
         "[in_i]": (2.54, "cm"), "mm[Hg]": (1, "mm[Hg]"), "kPa": (7.50062, "mm[Hg]"), "/min": (1, "/min"),
         "{beats}/min": (1, "/min"), "%": (1, "%"), "Cel": (1, "Cel")}


def plain(text):
    """Without case and accents."""
    text = unicodedata.normalize("NFD", text.lower())
    return "".join(c for c in text if not unicodedata.combining(c))


def moment(text):
    """[begin, end) of a FHIR date or time; without an offset in UTC."""
    if len(text) == 4:
        return datetime.datetime(int(text), 1, 1, tzinfo=UTC), datetime.datetime(int(text) + 1, 1, 1, tzinfo=UTC)
    if len(text) == 7:
        year, month = map(int, text.split("-"))
        return (datetime.datetime(year, month, 1, tzinfo=UTC),
                datetime.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC))
    if len(text) == 10:
        begin = datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)
        return begin, begin + DAY
    begin = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    begin = begin if begin.tzinfo else begin.replace(tzinfo=UTC)
    clock = text[11:19]
    step = datetime.timedelta(microseconds=1) if "." in text[19:] else (
        datetime.timedelta(seconds=1) if re.fullmatch(r"\d\d:\d\d:\d\d", clock) else datetime.timedelta(minutes=1))
    return begin, begin + step


def prefix(value):
    found = re.fullmatch(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?([-+.\d].*)", value)
    return found[1] or "eq", found[2]


def in_range(target, value):
    if target is None:
        return False
    how, text = prefix(value)
    (low, high), (begin, end) = target, moment(text)
    inside = low >= begin and high <= end
    if how == "ap":
        around = abs(datetime.datetime.now(UTC) - (begin + (end - begin) / 2)) / 10
        return low < end + around and high > begin - around
    return {"eq": inside, "ne": not inside, "gt": high > end, "lt": low < begin, "ge": high > end or inside,
            "le": low < begin or inside, "sa": low >= end, "eb": high <= begin}[how]


def official_name(patient):
    names = patient.get("name", [])
    return next((n for n in names if n.get("use") == "official"), next((n for n in names if n.get("use") != "old"), {}))


def home_address(patient):
    addresses = patient.get("address", [])
    return next((a for a in addresses if a.get("use") == "home"), next((a for a in addresses if a.get("use") != "old"), {}))


def texts(patient, parameter):
    name, address = official_name(patient), home_address(patient)
    family = [name["family"]] if name.get("family") else []
    return {"family": family, "given": name.get("given", []), "name": family + name.get("given", []),
            "address": [a for a in [*address.get("line", [])[:1], *(address.get(k) for k in (
                "city", "district", "state", "postalCode", "country"))] if a]}[parameter]


def words(parameter):
    """Names begin at any word, the rest at its begin."""
    return parameter in ("given", "name")


def string(parameter):
    def match(resource, value, modifier=""):
        for text in texts(resource, parameter):
            if modifier == "exact":
                if text == value:
                    return True
            elif modifier == "contains":
                if plain(value) in plain(text):
                    return True
            elif plain(text).startswith(plain(value)) or (words(parameter) and " " + plain(value) in plain(text)):
                return True
        return False
    return match


def token(system, code, value):
    """One coding against `system|code`, `code`, `|code`, `system|`."""
    if "|" not in value:
        return code == value
    wanted, what = value.split("|", 1)
    return (system or "") == wanted and (what == "" or code == what)


def any_coding(codings, value):
    return any(token(c.get("system"), c.get("code"), value) for c in codings)


LOINC = "http://loinc.org"


def own_codings(observation):
    codings = observation.get("code", {}).get("coding", [])
    components = [c.get("code") for part in observation.get("component", []) for c in part["code"].get("coding", [])]
    if any(c.get("code") in ("85354-9", "55284-4") for c in codings) or {"8480-6", "8462-4"} & set(components):
        panel = [c for c in codings if c.get("code") in ("85354-9", "55284-4")] or codings[:1]
        return panel[:1]  # of a blood pressure the panel's code alone is kept
    return codings


def component_codings(observation):
    return [c for part in observation.get("component", []) for c in part["code"].get("coding", [])]


def number(value):
    """The value and [low, high) of what rounds to it as written."""
    mantissa, _, exponent = value.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    half = 0.5 * 10.0 ** (int(exponent or 0) - decimals)
    return float(value), float(value) - half, float(value) + half


def quantity(target, value):
    if not target or target.get("value") is None:
        return False
    parts = value.split("|")
    how, text = prefix(parts[0])
    wanted, low, high = number(text)
    factor, stored = UNITS.get(target.get("code") or target.get("unit"), (1, target.get("code")))
    is_value = float(target["value"]) * factor
    if len(parts) == 3 and parts[2]:
        scale, unit = UNITS[parts[2]]
        if unit != stored:
            return False
        wanted, low, high = wanted * scale, low * scale, high * scale
    if how == "ap":
        return abs(is_value - wanted) <= abs(wanted) / 10
    return {"eq": low <= is_value < high, "ne": not low <= is_value < high, "gt": is_value > wanted, "sa": is_value > wanted,
            "lt": is_value < wanted, "eb": is_value < wanted, "ge": is_value >= wanted, "le": is_value <= wanted}[how]


def coded(code, target, value):
    what, how_much = value.split("$")
    return any_coding(code.get("coding", []), what) and quantity(target, how_much)


def effective(observation):
    if text := observation.get("effectiveDateTime") or observation.get("effectiveInstant"):
        return moment(text) if len(text) >= 10 else None
    if period := observation.get("effectivePeriod"):
        begin = moment(period["start"])
        return begin[0], (moment(period["end"]) if "end" in period else begin)[1]
    return None


def refers(reference, kind, value):
    return bool(reference) and reference.get("reference", "").split("/_history")[0].endswith(f"{kind}/{value.removeprefix(kind + '/')}")


PATIENT = {
    "_id": lambda r, v: r["id"] == v,
    "identifier": lambda r, v: any(token(i.get("system"), i.get("value"), v) for i in r.get("identifier", [])),
    "name": string("name"), "family": string("family"), "given": string("given"), "address": string("address"),
    "birthdate": lambda r, v: in_range(moment(r["birthDate"]) if len(r.get("birthDate", "")) == 10 else None, v),
    "gender": lambda r, v: token("http://hl7.org/fhir/administrative-gender", r.get("gender"), v),
    "active": lambda r, v: "active" in r and r["active"] == (v == "true"),
    "death-date": lambda r, v: in_range(moment(r["deceasedDateTime"]) if len(r.get("deceasedDateTime", "")) > 10 else None, v),
}

OBSERVATION = {
    "_id": lambda r, v: r["id"] == v,
    "patient": lambda r, v: refers(r.get("subject"), "Patient", v),
    "subject": lambda r, v: refers(r.get("subject"), "Patient", v),
    "encounter": lambda r, v: refers(r.get("encounter"), "Encounter", v),
    "device": lambda r, v: refers(r.get("device"), "Device", v),
    "code": lambda r, v: any_coding(own_codings(r), v),
    "component-code": lambda r, v: any_coding(component_codings(r), v),
    "combo-code": lambda r, v: any_coding(own_codings(r) + component_codings(r), v),
    "category": lambda r, v: token("http://terminology.hl7.org/CodeSystem/observation-category",
                                   next((c.get("code") for k in r.get("category", []) for c in k.get("coding", [])), None), v),
    "date": lambda r, v: in_range(effective(r), v),
    "status": lambda r, v: token("http://hl7.org/fhir/observation-status", r["status"], v),
    "value-quantity": lambda r, v: quantity(r.get("valueQuantity"), v),
    "component-value-quantity": lambda r, v: any(quantity(c.get("valueQuantity"), v) for c in r.get("component", [])),
    "combo-value-quantity": lambda r, v: quantity(r.get("valueQuantity"), v) or any(
        quantity(c.get("valueQuantity"), v) for c in r.get("component", [])),
    "code-value-quantity": lambda r, v: coded(r["code"], r.get("valueQuantity"), v),
    "combo-code-value-quantity": lambda r, v: coded(r["code"], r.get("valueQuantity"), v) or any(
        coded(c["code"], c.get("valueQuantity"), v) for c in r.get("component", [])),
}

MATCH = {"Patient": PATIENT, "Observation": OBSERVATION}


def is_there(resource, parameter):
    """Whether the element behind a parameter has a value, for :missing."""
    kind = resource["resourceType"]
    if kind == "Patient":
        return {"family": lambda r: bool(texts(r, "family")), "given": lambda r: bool(texts(r, "given")),
                "birthdate": lambda r: len(r.get("birthDate", "")) == 10, "gender": lambda r: "gender" in r,
                "active": lambda r: "active" in r, "identifier": lambda r: bool(r.get("identifier")),
                "address": lambda r: bool(texts(r, "address"))}[parameter](resource)
    return {"encounter": lambda r: "encounter" in r, "device": lambda r: "device" in r, "patient": lambda r: "Patient/" in r.get(
        "subject", {}).get("reference", ""), "category": lambda r: bool(r.get("category")),
            "component-code": lambda r: bool(component_codings(r)), "date": lambda r: effective(r) is not None}[parameter](resource)


def search(resources, kind, criteria):
    """Ids of the resources of a kind for which all criteria (name[:modifier], value) hold."""
    found = set()
    by_status = any(name.split(":")[0] == "status" for name, _ in criteria)
    for resource in resources:
        if resource["resourceType"] != kind:
            continue
        if kind == "Observation" and not by_status and resource["status"] in ("entered-in-error", "cancelled"):
            continue
        if all(holds(resource, kind, *criterion) for criterion in criteria):
            found.add(resource["id"])
    return found


def holds(resource, kind, name, value):
    name, _, modifier = name.partition(":")
    if modifier == "missing":
        return is_there(resource, name) != (value == "true")
    match = MATCH[kind][name]
    extra = (modifier,) if modifier in ("exact", "contains") else ()
    any_value = any(match(resource, one, *extra) for one in value.split(","))
    return any_value != (modifier == "not")
