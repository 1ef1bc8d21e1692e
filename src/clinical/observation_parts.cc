#include "clinical/observation_parts.h"

#include "base/check.h"

namespace vitalake::clinical {
namespace {

// Symbols of every value[x] beside valueQuantity.
constexpr std::string_view kOtherValues[] = {
    "valueCodeableConcept", "valueString",      "valueBoolean", "valueInteger",  "valueRange",
    "valueRatio",           "valueSampledData", "valueTime",    "valueDateTime", "valuePeriod"};

enum class Part : uint8_t {
  kNone,
  kId,
  kStatus,
  kCategory,
  kSubject,
  kComponent,
  kEffective,
  kCode,
  kQuantity,
  kAbsentReason,
  kOtherValue,
};

// Symbol -> part; symbols past the end are none.
struct PartTable {
  static constexpr size_t kSize = 4096;
  Part parts[kSize] = {};

  PartTable() {
    const PartSymbols& s = PartSymbols::Get();
    const auto set = [&](Symbol symbol, Part part) {
      VL_CHECK(symbol < kSize);
      parts[symbol] = part;
    };
    set(s.id, Part::kId);
    set(s.status, Part::kStatus);
    set(s.category, Part::kCategory);
    set(s.subject, Part::kSubject);
    set(s.component, Part::kComponent);
    set(s.effective_date_time, Part::kEffective);
    set(s.effective_instant, Part::kEffective);
    set(s.effective_period, Part::kEffective);
    set(s.effective_timing, Part::kEffective);
    set(s.code, Part::kCode);
    set(s.value_quantity, Part::kQuantity);
    set(s.data_absent_reason, Part::kAbsentReason);
    for (const std::string_view name : kOtherValues) set(InternSymbol(name), Part::kOtherValue);
  }
};

const PartTable& TheTable() {
  static const PartTable& table = *new PartTable;
  return table;
}

// Names must have their symbols before the first text is parsed.
[[maybe_unused]] const PartTable& kPrepared = TheTable();

void Set(JsonValue& part, JsonValue member) {
  if (!part && !member.is_null()) part = member;
}

}  // namespace

const PartSymbols& PartSymbols::Get() {
  static const PartSymbols symbols{InternSymbol("resourceType"),
                                   InternSymbol("id"),
                                   InternSymbol("status"),
                                   InternSymbol("category"),
                                   InternSymbol("code"),
                                   InternSymbol("coding"),
                                   InternSymbol("system"),
                                   InternSymbol("subject"),
                                   InternSymbol("reference"),
                                   InternSymbol("identifier"),
                                   InternSymbol("value"),
                                   InternSymbol("unit"),
                                   InternSymbol("comparator"),
                                   InternSymbol("component"),
                                   InternSymbol("dataAbsentReason"),
                                   InternSymbol("effectiveDateTime"),
                                   InternSymbol("effectiveInstant"),
                                   InternSymbol("effectivePeriod"),
                                   InternSymbol("effectiveTiming"),
                                   InternSymbol("start"),
                                   InternSymbol("end"),
                                   InternSymbol("event"),
                                   InternSymbol("valueQuantity")};
  return symbols;
}

ObservationParts::ObservationParts(JsonValue object) {
  const PartTable& table = TheTable();
  for (const JsonValue member : object.children()) {
    const Symbol symbol = member.symbol();
    switch (symbol < PartTable::kSize ? table.parts[symbol] : Part::kNone) {
      case Part::kNone:
        break;
      case Part::kId:
        Set(id, member);
        break;
      case Part::kStatus:
        Set(status, member);
        break;
      case Part::kCategory:
        Set(category, member);
        break;
      case Part::kSubject:
        Set(subject, member);
        break;
      case Part::kComponent:
        Set(component, member);
        break;
      case Part::kCode:
        Set(code, member);
        break;
      case Part::kQuantity:
        Set(quantity, member);
        break;
      case Part::kAbsentReason:
        Set(absent_reason, member);
        break;
      case Part::kOtherValue:
        Set(other_value, member);
        break;
      case Part::kEffective:
        Set(effective, member);
        if (effective == member) effective_name = symbol;
        break;
    }
  }
}

std::string_view TextOf(JsonValue object, Symbol member) {
  const JsonValue value = object.Find(member);
  return value.is_string() ? value.text() : std::string_view();
}

}  // namespace vitalake::clinical
