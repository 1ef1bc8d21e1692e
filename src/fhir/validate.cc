// Steps: 1. every member of the resource is looked up in the type's table (validate_types.h) and
// its value checked; 2. per object the set of members seen gives what is missing and which
// invariants fail; 3. the few checks that need more than presence follow (Special).
#include "fhir/validate.h"

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>

#include "fhir/datetime.h"
#include "fhir/element_path.h"
#include "fhir/validate_narrative.h"
#include "fhir/validate_primitives.h"
#include "fhir/validate_types.h"

namespace vitalake::fhir {
namespace {

using enum Severity;

// The types and bits that the special checks need, looked up once.
struct Known {
  const Structure& structure = Structure::Get();
  TypeId patient = structure.Find("Patient");
  TypeId observation = structure.Find("Observation");
  TypeId component = structure.Find("Observation.component");
  uint64_t value = Bit("value[x]"), absent = Bit("dataAbsentReason"),
           effective = Bit("effective[x]"), category = Bit("category"),
           has_member = Bit("hasMember"), components = Bit("component");
  uint64_t component_value = structure.type(component).Bit("value[x]");
  uint64_t component_absent = structure.type(component).Bit("dataAbsentReason");
  Symbol resource_type = InternSymbol("resourceType"), contained = InternSymbol("contained"),
         id = InternSymbol("id"), start = InternSymbol("start"), end = InternSymbol("end"),
         reference = InternSymbol("reference"), div = InternSymbol("div"),
         category_name = InternSymbol("category"), component_name = InternSymbol("component"),
         code = InternSymbol("code"), coding = InternSymbol("coding"),
         system = InternSymbol("system"), effective_date_time = InternSymbol("effectiveDateTime");

  uint64_t Bit(std::string_view element) const { return structure.type(observation).Bit(element); }
};

const Known& TheKnown() {
  static const Known& known = *new Known;
  return known;
}

// Names must have their symbols before the first text is parsed.
[[maybe_unused]] const Known& kPrepared = TheKnown();

class Walk {
 public:
  explicit Walk(JsonValue root) : root_(root) {}

  // Returns the bits of the elements that `object` has.
  uint64_t Object(JsonValue object, TypeId type, bool used);
  std::vector<Finding> Take() { return std::move(findings_); }

 private:
  void Member(JsonValue value, const Slot& slot, bool used);
  void Array(JsonValue array, const Slot& slot, bool used);
  void Item(JsonValue value, const Slot& slot, bool used);
  void PrimitiveItem(JsonValue value, const Slot& slot, bool used);
  void ExtensionItem(JsonValue value, const Slot& slot);
  void ResourceItem(JsonValue value);
  void Presence(JsonValue object, const TypeInfo& info, uint64_t seen);
  void Specials(JsonValue object, Special special, uint64_t seen);
  void Period(JsonValue period);
  void Reference(JsonValue reference);
  void Narrative(JsonValue narrative);
  void Observation(JsonValue observation, uint64_t seen);
  void VitalSign(JsonValue observation, uint64_t seen);
  void RepeatedCode(JsonValue observation);
  uint64_t ComponentBits(JsonValue component) const;

  void Add(JsonValue element, Severity severity, std::string_view rule, std::string_view message,
           Effect effect = Effect::kRemark, std::string_view below = {});

  const Known& known_ = TheKnown();
  const Structure& structure_ = known_.structure;
  JsonValue root_;
  std::vector<Finding> findings_;
};

Effect UnusableIf(bool used) { return used ? Effect::kUnusable : Effect::kRemark; }

void Walk::Add(JsonValue element, Severity severity, std::string_view rule,
               std::string_view message, Effect effect, std::string_view below) {
  std::string path = ElementPath(root_, element);
  if (!below.empty()) path.append(".").append(below);
  findings_.push_back(
      {{severity, std::string(rule), std::move(path), std::string(message)}, effect, element});
}

uint64_t Walk::Object(JsonValue object, TypeId type, bool used) {
  uint64_t seen = 0;
  for (const JsonValue member : object.children()) {
    const Symbol symbol = member.symbol() ? member.symbol() : FindSymbol(member.key());
    const Slot& slot = structure_.At(type, symbol);
    if (slot.kind == SlotKind::kUnknown) {
      Add(member, kWarning, "unknown-property", "not a property of this type; ignored");
      continue;
    }
    if (slot.kind == SlotKind::kResourceType) continue;
    if (member.is_null()) {
      Add(member, kError, "null", "null is not allowed here; taken as absent");
      continue;
    }
    const uint64_t bit = uint64_t{1} << slot.ordinal;
    const bool element_used = used && slot.used;
    if (member.duplicate_key()) {
      Add(member, kError, "duplicate-key", "the object has this member twice",
          UnusableIf(element_used));
    } else if (slot.choice && (seen & bit) && slot.kind != SlotKind::kPrimitiveExtension) {
      Add(member, kError, "choice", "more than one of the choice types of this element",
          UnusableIf(element_used));
    }
    seen |= bit;
    Member(member, slot, element_used);
  }
  if (object.size() == 0) {
    Add(object, kError, "ele-1", "an empty object");
    return 0;
  }
  const TypeInfo& info = structure_.type(type);
  Presence(object, info, seen);
  if (info.special != Special::kNone) Specials(object, info.special, seen);
  return seen;
}

void Walk::Presence(JsonValue object, const TypeInfo& info, uint64_t seen) {
  for (uint64_t missing = info.required & ~seen; missing != 0; missing &= missing - 1) {
    Add(object, kError, "required", "a required element is missing", Effect::kRemark,
        info.elements[static_cast<size_t>(std::countr_zero(missing))]);
  }
  for (const Invariant& rule : info.invariants) {
    if (rule.when != 0 && !(seen & rule.when)) continue;
    if ((rule.need != 0 && !(seen & rule.need)) || (seen & rule.forbid)) {
      Add(object, kError, rule.rule, rule.message);
    }
  }
}

void Walk::Member(JsonValue value, const Slot& slot, bool used) {
  if (value.type() == JsonType::kRaw && slot.kind != SlotKind::kPrimitive) return;
  if (slot.array) {
    if (value.is_array()) return Array(value, slot, used);
    Add(value, kError, "cardinality", "must be a JSON array", UnusableIf(used));
  } else if (value.is_array()) {
    Add(value, kError, "cardinality", "must be one value, not an array", UnusableIf(used));
    return Array(value, slot, false);
  }
  Item(value, slot, used);
}

void Walk::Array(JsonValue array, const Slot& slot, bool used) {
  if (array.size() == 0) Add(array, kError, "empty", "an empty array");
  const bool may_be_null =
      slot.kind == SlotKind::kPrimitive || slot.kind == SlotKind::kPrimitiveExtension;
  for (const JsonValue item : array.children()) {
    if (!item.is_null()) {
      Item(item, slot, used);
    } else if (!may_be_null) {
      Add(item, kError, "null", "null is not allowed here; taken as absent");
    }
  }
}

void Walk::Item(JsonValue value, const Slot& slot, bool used) {
  if (slot.kind == SlotKind::kPrimitive) return PrimitiveItem(value, slot, used);
  if (value.type() == JsonType::kRaw) return;
  if (!value.is_object()) {
    return Add(value, kError, "type", "must be a JSON object", UnusableIf(used));
  }
  switch (slot.kind) {
    case SlotKind::kComplex:
      Object(value, slot.type, used);
      break;
    case SlotKind::kPrimitiveExtension:
      ExtensionItem(value, slot);
      break;
    case SlotKind::kResource:
      ResourceItem(value);
      break;
    default:
      break;
  }
}

void Walk::PrimitiveItem(JsonValue value, const Slot& slot, bool used) {
  if (const PrimitiveFault* fault = CheckPrimitive(slot.primitive, value)) {
    Add(value, fault->severity, fault->rule, fault->message,
        used ? fault->effect : Effect::kRemark);
    return;
  }
  if (slot.binding == 0) return;
  const auto codes = structure_.codes(slot.binding);
  if (std::find(codes.begin(), codes.end(), value.text()) != codes.end()) return;
  Add(value, kError, "code", "not a code of the required value set",
      UnusableIf(used && slot.required));
}

void Walk::ExtensionItem(JsonValue value, const Slot& slot) { Object(value, slot.type, false); }

void Walk::ResourceItem(JsonValue value) {
  if (!value.Find(known_.resource_type).is_string()) {
    Add(value, kError, "required", "a contained resource needs a resourceType", Effect::kRemark,
        "resourceType");
  }
  if (const JsonValue nested = value.Find(known_.contained)) {
    Add(nested, kError, "dom-2", "a contained resource must not contain another");
  }
}

void Walk::Specials(JsonValue object, Special special, uint64_t seen) {
  switch (special) {
    case Special::kPeriod:
      return Period(object);
    case Special::kReference:
      return Reference(object);
    case Special::kNarrative:
      return Narrative(object);
    case Special::kObservation:
      return Observation(object, seen);
    case Special::kNone:
      return;
  }
}

void Walk::Period(JsonValue period) {
  const JsonValue start = period.Find(known_.start), end = period.Find(known_.end);
  if (!start.is_string() || !end.is_string()) return;
  const auto first = ParseDateTime(start.text()), last = ParseDateTime(end.text());
  if (!first || !last) return;
  const auto first_utc = first->Utc(), last_utc = last->Utc();
  const bool backwards =
      first_utc && last_utc ? *first_utc > *last_utc : first->LocalBegin() >= last->LocalEnd();
  if (backwards) Add(period, kError, "per-1", "the period ends before it starts");
}

void Walk::Reference(JsonValue reference) {
  const JsonValue target = reference.Find(known_.reference);
  if (!target.is_string() || target.size() < 2 || target.text().front() != '#') return;
  for (const JsonValue resource : root_.Find(known_.contained).children()) {
    const JsonValue id = resource.Find(known_.id);
    if (id.is_string() && id.text() == target.text().substr(1)) return;
  }
  Add(target, kError, "ref-1", "no contained resource has this id");
}

void Walk::Narrative(JsonValue narrative) {
  const JsonValue div = narrative.Find(known_.div);
  if (!div.is_string() || div.size() == 0) return;
  switch (CheckNarrative(div.text())) {
    case NarrativeFault::kNone:
      return;
    case NarrativeFault::kNotDiv:
      return Add(div, kWarning, "txt-1", "does not begin with <div>");
    case NarrativeFault::kForbidden:
      return Add(div, kWarning, "txt-1",
                 "has elements or attributes that a narrative must not have");
    case NarrativeFault::kEmpty:
      return Add(div, kWarning, "txt-2", "has no content");
  }
}

uint64_t Walk::ComponentBits(JsonValue component) const {
  uint64_t seen = 0;
  for (const JsonValue member : component.children()) {
    const Slot& slot = structure_.At(known_.component, member.symbol());
    if (slot.kind != SlotKind::kUnknown) seen |= uint64_t{1} << slot.ordinal;
  }
  return seen;
}

// Whether two CodeableConcepts have a coding in common.
bool SharesCoding(const Known& known, JsonValue a, JsonValue b) {
  for (const JsonValue x : a.Find(known.coding).children()) {
    const JsonValue code = x.Find(known.code);
    if (!code.is_string()) continue;
    for (const JsonValue y : b.Find(known.coding).children()) {
      const JsonValue other = y.Find(known.code);
      if (!other.is_string() || other.text() != code.text()) continue;
      const JsonValue left = x.Find(known.system), right = y.Find(known.system);
      if ((left ? left.text() : "") == (right ? right.text() : "")) return true;
    }
  }
  return false;
}

bool IsVitalSign(const Known& known, JsonValue observation) {
  for (const JsonValue category : observation.Find(known.category_name).children()) {
    for (const JsonValue coding : category.Find(known.coding).children()) {
      const JsonValue code = coding.Find(known.code), system = coding.Find(known.system);
      if (code.is_string() && (!system || system.is_string()) &&
          IsVitalSignsCategory(system ? system.text() : "", code.text())) {
        return true;
      }
    }
  }
  return false;
}

void Walk::Observation(JsonValue observation, uint64_t seen) {
  if ((seen & known_.value) && (seen & known_.components)) RepeatedCode(observation);
  if ((seen & known_.category) && IsVitalSign(known_, observation)) VitalSign(observation, seen);
}

void Walk::RepeatedCode(JsonValue observation) {
  const JsonValue code = observation.Find(known_.code);
  for (const JsonValue component : observation.Find(known_.component_name).children()) {
    if (SharesCoding(known_, code, component.Find(known_.code))) {
      Add(component, kError, "obs-7", "a component has the observation's own code beside a value");
    }
  }
}

void Walk::VitalSign(JsonValue observation, uint64_t seen) {
  if (!(seen & known_.effective)) {
    Add(observation, kWarning, "vs-1", "a vital sign needs the time it was taken", Effect::kRemark,
        "effective[x]");
  } else if (const JsonValue at = observation.Find(known_.effective_date_time); at.is_string()) {
    const auto time = ParseDateTime(at.text());
    if (time && time->precision < DatePrecision::kDay) {
      Add(at, kWarning, "vs-1", "the time of a vital sign needs at least a day");
    }
  }
  if (!(seen & (known_.value | known_.absent | known_.components | known_.has_member))) {
    Add(observation, kWarning, "vs-2", "neither a value nor a reason why it is absent");
  }
  if (!(seen & known_.components)) return;
  for (const JsonValue component : observation.Find(known_.component_name).children()) {
    if (!component.is_object()) continue;
    if (!(ComponentBits(component) & (known_.component_value | known_.component_absent))) {
      Add(component, kWarning, "vs-3", "neither a value nor a reason why it is absent");
    }
  }
}

}  // namespace

bool IsVitalSignsCategory(std::string_view system, std::string_view code) {
  return code == "vital-signs" &&
         (system.empty() ||
          system == "http://terminology.hl7.org/CodeSystem/observation-category" ||
          system == "http://hl7.org/fhir/observation-category");
}

std::vector<Finding> Validate(JsonValue resource) {
  const Known& known = TheKnown();
  const JsonValue name = resource.Find(known.resource_type);
  if (!name.is_string()) return {};
  Walk walk(resource);
  if (name.text() == "Observation") walk.Object(resource, known.observation, true);
  if (name.text() == "Patient") walk.Object(resource, known.patient, true);
  return walk.Take();
}

}  // namespace vitalake::fhir
