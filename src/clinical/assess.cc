#include "clinical/assess.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "clinical/observation_parts.h"
#include "clinical/plausibility.h"
#include "fhir/datetime.h"
#include "fhir/element_path.h"
#include "fhir/references.h"
#include "fhir/resource_types.h"
#include "fhir/validate.h"

namespace vitalake::clinical {
namespace {

using fhir::Severity;

constexpr Micros kMinute = 60'000'000;
constexpr Micros kAheadNoted = 5 * kMinute;
constexpr Micros kAheadRefused = 26 * 60 * kMinute;

bool Inside(JsonValue container, JsonValue element) {
  return container && element && element.node() >= container.node() &&
         element.node() < container.node() + container.node()->skip;
}

// Calls each(system, code) for the codings of a CodeableConcept that have a code.
template <class Each>
void ForEachCoding(JsonValue concept_value, Each each) {
  const PartSymbols& s = PartSymbols::Get();
  ForEachItem(concept_value.Find(s.coding), [&](JsonValue coding) {
    const std::string_view code = TextOf(coding, s.code);
    if (!code.empty()) each(TextOf(coding, s.system), code);
  });
}

bool IsVitalCategory(JsonValue category) {
  bool found = false;
  ForEachItem(category, [&](JsonValue concept_value) {
    ForEachCoding(concept_value, [&](std::string_view system, std::string_view code) {
      found |= fhir::IsVitalSignsCategory(system, code);
    });
  });
  return found;
}

std::string PathBelow(JsonValue resource, JsonValue element, std::string_view member) {
  std::string path = fhir::ElementPath(resource, element);
  if (!member.empty()) path.append(".").append(member);
  return path;
}

class Assessor {
 public:
  Assessor(JsonValue resource, const AssessContext& context)
      : resource_(resource), context_(context) {}

  Assessment Run();

 private:
  void Patient();
  void Observation();
  Home Scope(const ObservationParts& parts);
  void GatherComponents(JsonValue component);
  const VitalCode* VitalOf(JsonValue code) const;
  const VitalCode* VitalInScope(JsonValue code) const;
  void NoteSystems(JsonValue code);

  bool NamesOrRanks(const ObservationParts& parts, JsonValue element) const;
  void TakeFindings(const ObservationParts* parts);
  void TakeId(JsonValue id);
  void TakeSubject(const ObservationParts& parts);
  void NoteUnresolved(std::string_view reference, JsonValue subject);
  void TakeCode(const ObservationParts& parts);
  void TakeTime(const ObservationParts& parts);
  void NoteImprecise(JsonValue element);
  void TakeMoment(const fhir::DateTime& at, JsonValue element);
  void BloodPressure(const ObservationParts& parts);
  void VitalSign(const ObservationParts& parts);
  bool OtherComponents(JsonValue components);
  std::optional<Measured> Value(const ObservationParts& parts, const VitalCode* vital);
  void TakeValue(const Measured& value, const ObservationParts& parts);
  void TakePair(const std::optional<Measured>& systolic, const std::optional<Measured>& diastolic);
  void NoteValueFault(ValueFault fault, JsonValue quantity);

  void Reject(std::string_view reason, JsonValue element, std::string_view message,
              std::string_view below = {});
  void Note(Severity severity, std::string_view rule, JsonValue element, std::string_view message,
            std::string_view below = {});

  JsonValue resource_;
  const AssessContext& context_;
  Assessment out_;
  // The components that are 8480-6 and 8462-4 by the code table, and one that repeats either.
  JsonValue systolic_, diastolic_, repeated_;
  bool coded_component_ = false;  // some component is of a listed vital sign
};

void Assessor::Reject(std::string_view reason, JsonValue element, std::string_view message,
                      std::string_view below) {
  if (out_.rejection) return;
  out_.rejection =
      Rejection{std::string(reason), PathBelow(resource_, element, below), std::string(message)};
}

void Assessor::Note(Severity severity, std::string_view rule, JsonValue element,
                    std::string_view message, std::string_view below) {
  out_.issues.push_back(
      {severity, std::string(rule), PathBelow(resource_, element, below), std::string(message)});
}

Assessment Assessor::Run() {
  const JsonValue type = resource_.Find(PartSymbols::Get().resource_type);
  if (!resource_.is_object() || !type.is_string()) {
    out_.rejection = Rejection{"type", resource_.is_object() ? "resourceType" : "",
                               resource_.is_object() ? "no resourceType" : "not a JSON object"};
  } else if (type.text() == "Patient") {
    Patient();
  } else if (type.text() == "Observation") {
    Observation();
  } else if (!fhir::IsResourceType(type.text())) {
    out_.rejection = Rejection{"type", "resourceType", fhir::UnknownTypeMessage(type.text())};
  }
  return std::move(out_);
}

void Assessor::Patient() {
  out_.home = Home::kPatient;
  TakeFindings(nullptr);
  TakeId(resource_.Find(PartSymbols::Get().id));
}

void Assessor::Observation() {
  const ObservationParts parts(resource_);
  GatherComponents(parts.component);
  out_.home = Scope(parts);
  const std::string_view status = parts.status.is_string() ? parts.status.text() : "";
  out_.retracted = status == "entered-in-error" || status == "cancelled";
  TakeFindings(&parts);
  if (out_.home == Home::kOutOfScope) return;
  TakeId(parts.id);
  if (!out_.retracted) {
    TakeSubject(parts);
    TakeCode(parts);
  }
  TakeTime(parts);
  if (out_.retracted) return;
  out_.home == Home::kBloodPressure ? BloodPressure(parts) : VitalSign(parts);
}

// What a value is measured by: as clinical::sql::VitalCodeOfCodings says, too.
const VitalCode* Assessor::VitalOf(JsonValue code) const {
  const VitalCode* found = nullptr;
  ForEachCoding(code, [&](std::string_view system, std::string_view text) {
    if (found == nullptr) found = context_.codes->Find(system, text);
  });
  return found;
}

const VitalCode* Assessor::VitalInScope(JsonValue code) const {
  const VitalCode* found = nullptr;
  ForEachCoding(code, [&](std::string_view system, std::string_view text) {
    if (found != nullptr) return;
    const VitalCode* vital = context_.codes->Find(system, text);
    if (vital && (!vital->only_cgm || context_.cgm_source)) found = vital;
  });
  return found;
}

// LOINC codes of vital signs that come without a system, or in another one.
void Assessor::NoteSystems(JsonValue code) {
  const PartSymbols& s = PartSymbols::Get();
  ForEachItem(code.Find(s.coding), [&](JsonValue coding) {
    const std::string_view system = TextOf(coding, s.system), text = TextOf(coding, s.code);
    if (context_.codes->Find({}, text) == nullptr) return;
    if (system.empty()) {
      Note(Severity::kInformation, "code", coding, "a code without a system; taken as LOINC's");
    } else if (VitalOf(code) == nullptr) {
      Note(Severity::kWarning, "code", coding,
           "LOINC's code of a vital sign, but in another system; not taken as one");
    }
  });
}

void Assessor::GatherComponents(JsonValue component) {
  ForEachItem(component, [&](JsonValue item) {
    const VitalCode* vital = VitalInScope(item.Find(PartSymbols::Get().code));
    coded_component_ |= vital != nullptr;
    const Role role = vital ? vital->role : Role::kNone;
    if (role != Role::kSystolic && role != Role::kDiastolic) return;
    JsonValue& part = role == Role::kSystolic ? systolic_ : diastolic_;
    (part ? repeated_ : part) = item;
  });
}

Home Assessor::Scope(const ObservationParts& parts) {
  if (systolic_ || diastolic_) return Home::kBloodPressure;
  const VitalCode* vital = VitalInScope(parts.code);
  if (vital && vital->role == Role::kPressurePanel) return Home::kBloodPressure;
  const bool in_scope = vital || coded_component_ || IsVitalCategory(parts.category);
  return in_scope ? Home::kVitalSign : Home::kOutOfScope;
}

// Whether the element tells which record, or which version of it, is retracted.
bool Assessor::NamesOrRanks(const ObservationParts& parts, JsonValue element) const {
  return Inside(parts.id, element) || Inside(parts.status, element) ||
         Inside(resource_.Find("meta"), element);
}

// What Validate found: rejections, tokens, remarks. `parts` is null for a Patient.
void Assessor::TakeFindings(const ObservationParts* parts) {
  const bool in_scope = out_.home != Home::kOutOfScope;
  for (fhir::Finding& finding : fhir::Validate(resource_)) {
    bool unusable = finding.effect == fhir::Effect::kUnusable;
    if (!context_.underscore_in_id && finding.issue.rule == "id" &&
        finding.element == resource_.Find(PartSymbols::Get().id)) {
      unusable = true;
    }
    if (in_scope && unusable && !out_.rejection &&
        (!out_.retracted || NamesOrRanks(*parts, finding.element))) {
      const std::string_view rule = finding.issue.rule;
      out_.rejection =
          Rejection{rule == "cardinality" ? "type" : std::string(rule),
                    std::move(finding.issue.element_path), std::move(finding.issue.message)};
      continue;
    }
    if (in_scope && finding.effect == fhir::Effect::kTextNumber && !out_.retracted &&
        (!Inside(parts->component, finding.element) || Inside(systolic_, finding.element) ||
         Inside(diastolic_, finding.element))) {
      out_.quality.Add(Quality::kTextNumber);
    }
    out_.issues.push_back(std::move(finding.issue));
  }
}

void Assessor::TakeId(JsonValue id) {
  if (id) return;
  Note(Severity::kInformation, "id", resource_, "no id: the key is made from other elements", "id");
}

void Assessor::TakeSubject(const ObservationParts& parts) {
  const PartSymbols& s = PartSymbols::Get();
  if (!parts.subject) return Reject("subject", resource_, "no subject", "subject");
  const std::string_view text = TextOf(parts.subject, s.reference);
  if (!text.empty() && text != "#") {
    const fhir::ReferenceTarget target = fhir::ParseReference(text);
    if (target.type.empty()) return NoteUnresolved(text, parts.subject);
    if (target.type == "Patient") return;
    return Reject("subject", parts.subject, "the subject is no patient");
  }
  if (!TextOf(parts.subject.Find(s.identifier), s.value).empty()) return;
  Reject("subject", parts.subject, "the subject has neither a reference nor an identifier");
}

// A subject that is no patient's id: of what came with it, it names a contained resource at most.
void Assessor::NoteUnresolved(std::string_view reference, JsonValue subject) {
  if (reference.starts_with('#')) {
    for (const JsonValue inner : resource_.Find("contained").children()) {
      if (inner.String("id") == reference.substr(1)) return;
    }
  }
  // Cut where no character is.
  constexpr size_t kShown = 200;
  size_t end = std::min(reference.size(), kShown);
  while (end < reference.size() && end > 0 && IsInsideCharacter(reference[end])) --end;
  std::string message = "nothing that came with it is '";
  message.append(reference.substr(0, end)).append("'; kept without a patient");
  Note(Severity::kWarning, "reference", subject, message, "reference");
}

void Assessor::TakeCode(const ObservationParts& parts) {
  bool coded = coded_component_;
  ForEachCoding(parts.code, [&](std::string_view, std::string_view) { coded = true; });
  if (!coded) Reject("code", resource_, "no coding with a code", "code");
  NoteSystems(parts.code);
  ForEachItem(parts.component,
              [&](JsonValue item) { NoteSystems(item.Find(PartSymbols::Get().code)); });
}

void Assessor::TakeTime(const ObservationParts& parts) {
  const PartSymbols& s = PartSymbols::Get();
  JsonValue at = parts.effective;
  if (at && parts.effective_name == s.effective_period) {
    const JsonValue start = at.Find(s.start);
    at = start.is_string() ? start : at.Find(s.end);
  } else if (at && parts.effective_name == s.effective_timing) {
    const JsonValue events = at.Find(s.event);
    at = JsonValue();
    ForEachItem(events, [&](JsonValue event) {
      if (!at && event.is_string()) at = event;
    });
  }
  const auto time = at.is_string() ? fhir::ParseDateTime(at.text()) : std::nullopt;
  if (time) return TakeMoment(*time, at);
  NoteImprecise(parts.effective);
}

// Null: none was sent, which Validate remarks of what says that it is a vital sign.
void Assessor::NoteImprecise(JsonValue element) {
  out_.quality.Add(Quality::kTimeImprecise);
  if (out_.retracted) return;
  constexpr std::string_view kMessage = "no moment; judged at the time of receipt";
  if (element) return Note(Severity::kInformation, "time", element, kMessage);
  if (std::ranges::find(out_.issues, "vs-1", &fhir::Issue::rule) != out_.issues.end()) return;
  Note(Severity::kInformation, "time", resource_, kMessage, "effective[x]");
}

void Assessor::TakeMoment(const fhir::DateTime& at, JsonValue element) {
  const auto utc = at.Utc();
  if (!utc) NoteImprecise(element);
  if (!context_.received) return;
  const Micros ahead = utc.value_or(at.LocalBegin()) - *context_.received;
  if (ahead > kAheadRefused && !out_.retracted) {
    Reject("time", element, "more than 26 hours ahead of the time of receipt");
  } else if (utc && ahead >= kAheadNoted) {
    out_.quality.Add(Quality::kClockAhead);
    Note(Severity::kWarning, "time", element, "ahead of the time of receipt; judged at that time");
  }
}

// The measured value of an element with a Quantity that has a value; nullopt when it has none.
std::optional<Measured> Assessor::Value(const ObservationParts& parts, const VitalCode* vital) {
  const PartSymbols& s = PartSymbols::Get();
  const JsonValue value = parts.quantity.Find(s.value);
  if (!value || value.is_null()) return std::nullopt;
  const Comparator comparator = ParseComparator(TextOf(parts.quantity, s.comparator));
  if (vital != nullptr && !vital->measures.empty()) {
    return Measure(*vital, value.text(),
                   UnitSent(TextOf(parts.quantity, s.system), TextOf(parts.quantity, s.code),
                            TextOf(parts.quantity, s.unit)),
                   comparator);
  }
  Measured out;
  const auto number = ParseNumber(value.text());
  if (!number) out.fault = ValueFault::kNotNumber;
  out.value = number.value_or(0);
  if (comparator != Comparator::kNone) out.quality.Add(Quality::kOffScale);
  return out;
}

void Assessor::NoteValueFault(ValueFault fault, JsonValue quantity) {
  switch (fault) {
    case ValueFault::kNone:
      return;
    case ValueFault::kNotNumber:
      return Reject("value", quantity, "not a number that can be used", "value");
    case ValueFault::kImpossible:
      return Reject("impossible", quantity, "a value that cannot be", "value");
    case ValueFault::kUnknownUnit:
      return Reject("unit", quantity, "a unit that is not known for this vital sign");
    case ValueFault::kAbsentUnit:
      return Reject("unit", quantity, "no unit, and none may be assumed");
  }
}

void Assessor::BloodPressure(const ObservationParts& parts) {
  const ObservationParts systolic(systolic_), diastolic(diastolic_);
  const auto& codes = *context_.codes;
  std::optional<Measured> high, low;
  if (systolic_) high = Value(systolic, codes.Canonical("8480-6"));
  if (diastolic_) low = Value(diastolic, codes.Canonical("8462-4"));
  for (const auto& [value, component] :
       {std::pair{&high, &systolic}, std::pair{&low, &diastolic}}) {
    if (!*value) continue;
    TakeValue(**value, *component);
    out_.quality.Add((*value)->quality);
  }
  TakePair(high, low);
  const bool others = OtherComponents(parts.component);
  if (!high && !low && !others && !parts.absent_reason && !systolic.absent_reason &&
      !diastolic.absent_reason) {
    Reject("value", resource_, "neither a value that can be used nor a reason why it is absent");
  }
  const bool unexplained = (!high && !systolic.absent_reason) || (!low && !diastolic.absent_reason);
  if ((!high || !low) && !out_.rejection) {
    Note(unexplained && !parts.absent_reason ? Severity::kWarning : Severity::kInformation,
         "partial", resource_, "systolic or diastolic is missing");
  }
}

void Assessor::TakePair(const std::optional<Measured>& systolic,
                        const std::optional<Measured>& diastolic) {
  const QualitySet pair =
      JudgePair(systolic ? &*systolic : nullptr, diastolic ? &*diastolic : nullptr);
  if (pair.Has(Quality::kImplausible) && !out_.quality.Has(Quality::kImplausible)) {
    Note(Severity::kWarning, "implausible", resource_,
         "systolic and diastolic do not fit; check the reading");
  }
  out_.quality.Add(pair);
  if (repeated_) {
    out_.quality.Add(Quality::kImplausible);
    Note(Severity::kWarning, "implausible", repeated_,
         "the same component twice; check the reading");
  }
  if (out_.quality.Has(Quality::kImplausible)) out_.quality.Remove(Quality::kUnusual);
}

// One value's share in the decision, but for its tokens, which are those of its row alone.
void Assessor::TakeValue(const Measured& value, const ObservationParts& parts) {
  out_.critical |= value.critical;
  NoteValueFault(value.fault, parts.quantity);
  if (!value.usable()) return;
  if (value.quality.Has(Quality::kUnitAssumed)) {
    Note(Severity::kWarning, "unit", parts.quantity, "no unit; the usual one was taken");
  }
  if (value.quality.Has(Quality::kImplausible)) {
    Note(Severity::kWarning, "implausible", parts.quantity, "check the reading");
  }
  if (value.quality.Has(Quality::kConverted)) {
    Note(Severity::kInformation, "converted", parts.quantity, "sent in another unit; converted");
  }
  if (value.quality.Has(Quality::kUnusual)) {
    Note(Severity::kInformation, "unusual", parts.quantity, "a rare value; used");
  }
  if (value.quality.Has(Quality::kOffScale)) {
    Note(Severity::kInformation, "off-scale", parts.quantity,
         "beyond what the device can measure; the limit is kept as the value", "comparator");
  }
}

// Judges the components beside systolic and diastolic; whether one has a value or a reason.
bool Assessor::OtherComponents(JsonValue components) {
  bool found = false;
  ForEachItem(components, [&](JsonValue component) {
    if (component == systolic_ || component == diastolic_) return;
    const ObservationParts parts(component);
    const auto value = Value(parts, VitalOf(parts.code));
    found |= value || parts.absent_reason || parts.other_value;
    if (value) TakeValue(*value, parts);
  });
  return found;
}

void Assessor::VitalSign(const ObservationParts& parts) {
  const VitalCode* vital = VitalOf(parts.code);
  const auto value = Value(parts, vital);
  if (value) {
    TakeValue(*value, parts);
    out_.quality.Add(value->quality);
  }
  if (parts.other_value && vital && !vital->measures.empty()) {
    Note(Severity::kWarning, "value", parts.other_value, "not a Quantity; kept as text");
  }
  const bool components = OtherComponents(parts.component);
  if (!value && !parts.other_value && !parts.absent_reason && !components) {
    Reject("value", resource_, "neither a value that can be used nor a reason why it is absent");
  }
}

}  // namespace

std::string_view ToString(Home home) {
  switch (home) {
    case Home::kPatient:
      return "patient";
    case Home::kBloodPressure:
      return "blood-pressure";
    case Home::kVitalSign:
      return "vital-sign";
    case Home::kOutOfScope:
      return "out-of-scope";
  }
  return "out-of-scope";
}

Assessment Assess(JsonValue resource, const AssessContext& context) {
  return Assessor(resource, context).Run();
}

}  // namespace vitalake::clinical
