// A type's relation, named r in every condition, has one row per resource:
//   Patient       silver.patient
//   Observation   silver.observation (blood pressure), and of silver.vital_sign what is at home
//                 there: the row of the Observation's own value, else that of its first component
// An Observation's own codings and value are columns of r; its components are looked up in
// silver.vital_sign, named c. A blood-pressure panel has one coding, and no JSON of it is made for
// each row: `panel_code` and `panel_system`, null where silver keeps a code without its system.
#include "serve/fhir/search_sql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <set>

#include "base/check.h"
#include "base/json_writer.h"
#include "clinical/codes.h"
#include "clinical/units.h"
#include "fhir/references.h"
#include "serve/fhir/search_value.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kUcum = "http://unitsofmeasure.org";

constexpr std::string_view kRowList =
    "r.id_space, r.id, r.version_id, epoch_us(r.last_updated), epoch_us(r.received_at), "
    "r.content_hash, r.source_partition, r.source_offset, r.source_length, "
    "coalesce(r.deleted, false), r.patient_id, epoch_us(r.retracted_at)";

constexpr std::string_view kShared =
    "id_space, id, status, version_id, last_updated, received_at, content_hash, retracted_at, "
    "deleted, identifier, source_partition, source_offset, source_length, patient_id, device, "
    "encounter, category_code, "
    "coalesce(epoch_us(effective_time), epoch_us(CAST(effective_date AS TIMESTAMP))) AS begins, "
    "CASE WHEN effective_end IS NOT NULL THEN epoch_us(effective_end) + 1000000 "
    "WHEN effective_time IS NULL THEN epoch_us(CAST(effective_date AS TIMESTAMP)) + 86400000000 "
    "ELSE epoch_us(effective_time) + CASE effective_precision WHEN 'minute' THEN 60000000 "
    "WHEN 'second' THEN 1000000 ELSE 1 END END AS ends";

constexpr std::string_view kPanelSystem =
    "code AS panel_code, "
    "CASE WHEN code IN ('85354-9', '55284-4') THEN 'http://loinc.org' END AS panel_system";

// What a measured value is of: the vital sign by silver's code, else all its codings, else its
// text.
std::string KindOf(std::string_view row) {
  std::vector<std::string_view> known;
  for (const clinical::VitalCode& one : clinical::CodeTable::Builtin()->codes()) {
    known.push_back(one.code);
  }
  return fmt::format(
      "CASE WHEN {0}.code IN ('{1}') THEN {0}.code WHEN {0}.codings <> '[]' THEN CAST(list_sort("
      "list_distinct(list_transform(from_json({0}.codings, '[{{\"system\":\"VARCHAR\",\"code\":"
      "\"VARCHAR\"}}]'), lambda x: concat(x.system, '|', x.code)))) AS VARCHAR) ELSE "
      "concat('text ', {0}.display) END",
      row, fmt::join(known, "', '"));
}

// The same of a blood pressure, of which silver keeps one code; without any it is still one.
std::string KindOfPressure() {
  const auto& table = *clinical::CodeTable::Builtin();
  const auto panel =
      std::ranges::find(table.codes(), clinical::Role::kPressurePanel, &clinical::VitalCode::role);
  VL_CHECK(panel != table.codes().end());
  return fmt::format("CASE WHEN code IS NULL OR code IN ('{}') THEN '{}' ELSE code END",
                     fmt::join(table.CodesOf(*panel), "', '"), panel->code);
}

// The same of an Observation that has components alone: what these are of.
std::string KindOfComponents(const FhirTables& tables) {
  return fmt::format(
      "(SELECT concat('of ', CAST(list_sort(list(DISTINCT {})) AS VARCHAR)) FROM {} c WHERE "
      "c.id_space = v.id_space AND c.id = v.id)",
      KindOf("c"), tables.vital_sign);
}

enum class With { kNoKind, kKind };  // r.kind: what Observations are of, never null

std::string ObservationRelation(const FhirTables& tables, With with) {
  const auto kind = [&](const std::string& sql) {
    return with == With::kKind ? fmt::format(", {} AS kind", sql) : std::string();
  };
  std::string parts = fmt::format(
      "SELECT {}, practitioner AS performer, code, {}, CAST(NULL AS VARCHAR) AS codings, "
      "CAST(NULL AS DOUBLE) AS value, CAST(NULL AS VARCHAR) AS unit, "
      "CAST(NULL AS VARCHAR) AS unit_sent, CAST(NULL AS VARCHAR) AS comparator{} FROM {}",
      kShared, kPanelSystem, kind(KindOfPressure()), tables.observation);
  if (tables.own_values) {
    parts += fmt::format(
        " UNION ALL SELECT {}, performer, code, NULL, NULL, codings, value, unit, unit_sent, "
        "comparator{} FROM {} v WHERE panel IS NULL AND component IS NULL",
        kShared, kind(KindOf("v")), tables.vital_sign);
  }
  if (tables.components) {
    parts += fmt::format(
        " UNION ALL SELECT {0}, performer, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL{2} FROM "
        "{1} v "
        "WHERE panel IS NULL AND component = '0' AND NOT EXISTS (SELECT 1 FROM {1} o WHERE o.id = "
        "v.id "
        "AND o.id_space = v.id_space AND o.component IS NULL)",
        kShared, tables.vital_sign, kind(KindOfComponents(tables)));
  }
  return fmt::format("({}) r", parts);
}

std::string RelationOf(FhirType type, const FhirTables& tables) {
  if (type == FhirType::kObservation) return ObservationRelation(tables, With::kNoKind);
  return fmt::format("(SELECT *, CAST(NULL AS VARCHAR) AS patient_id FROM {}) r", tables.patient);
}

class Compiler {
 public:
  Compiler(Micros now, const FhirTables& tables) : now_(now), tables_(tables) {}

  std::string Bind(engine::Parameter value) {
    parameters_.push_back(std::move(value));
    return fmt::format("${}", parameters_.size());
  }
  std::string BindText(std::string_view text) { return Bind(engine::Parameter(std::string(text))); }

  Result<std::string> Where(const FhirSearch& search);
  Result<std::string> After(const FhirSearch& search);
  // Whether `column` of r holds the key of what is served under this id.
  std::string IsServed(std::string_view column, std::string_view served_id);
  // Whether `column` of r holds the key of a Patient served under this id, or of one merged with
  // it.
  std::string IsOfPatient(std::string_view column, std::string_view served_id);
  // Whether `codings` of a row has the token.
  std::string HasCoding(std::string_view row, std::string_view value);
  // The same of r and of a panel's one coding.
  std::string HasOwnCoding(std::string_view value);
  std::vector<engine::Parameter> Take() { return std::move(parameters_); }

 private:
  Result<std::string> Holds(const Criterion& criterion);
  Result<std::string> Matches(const SearchParameter& parameter, const std::string& modifier,
                              std::string_view value);
  Result<std::string> IsMissing(const Criterion& criterion);
  std::string Starts(const SearchParameter& parameter, const std::string& modifier,
                     std::string_view value);
  std::string HasIdentifier(std::string_view column, std::string_view value);
  std::string HasContact(const SearchParameter& parameter, std::string_view value);
  Result<std::string> InRange(const SearchParameter& parameter, std::string_view value);
  std::string RefersTo(const SearchParameter& parameter, std::string_view modifier,
                       std::string_view value);
  std::string NamesResource(std::string_view column, std::string_view type, std::string_view id);
  std::string HasCode(const SearchParameter& parameter, std::string_view system,
                      const SearchToken& token);
  Result<std::string> HasQuantity(std::string_view row, std::string_view value);
  Result<std::string> HasCodedQuantity(std::string_view row, std::string_view value);
  std::string Compared(std::string_view row, Prefix prefix, const NumberRange& range);
  std::string OpenCompared(std::string_view row, Prefix prefix, const NumberRange& range);
  std::string ExactCompared(std::string_view row, Prefix prefix, const NumberRange& range);
  template <class Of>
  Result<std::string> OfValues(std::string_view whose, const Of& of);

  const Micros now_;
  const FhirTables& tables_;
  std::vector<engine::Parameter> parameters_;
};

std::string OneOf(const std::vector<std::string>& conditions) {
  return fmt::format("({})", fmt::join(conditions, " OR "));
}

std::string Compiler::IsServed(std::string_view column, std::string_view served_id) {
  const std::string whole = BindText(served_id);
  if (served_id.find('.') == served_id.npos) {
    return fmt::format("({} = {} AND r.id_space = '')", column, whole);
  }
  // Every way to split it, so that the statistics of files can tell; then the one that is meant.
  std::vector<std::string> keys;
  for (const std::string& id : IdsServedAs(served_id)) keys.push_back(BindText(id));
  return fmt::format(
      "({0} IN ({1}) AND CASE WHEN r.id_space = '' THEN {0} ELSE concat(r.id_space, '.', {0}) END "
      "= {2})",
      column, fmt::join(keys, ", "), whole);
}

// Without case and accents: letters that have one case alone are those of the other's.
std::string Plain(std::string_view sql) {
  return fmt::format("replace(replace(strip_accents(lower({})), 'ß', 'ss'), 'ς', 'σ')", sql);
}

std::string Compiler::Starts(const SearchParameter& parameter, const std::string& modifier,
                             std::string_view value) {
  const std::string text = BindText(Unescaped(value));
  std::vector<std::string> conditions;
  for (const std::string_view column : parameter.columns) {
    const std::string plain = Plain(column), wanted = Plain(text);
    if (modifier == "exact") {
      // Given names are joined: where one of them ends is not known.
      conditions.push_back(
          column == kGivenNames
              ? fmt::format("contains(concat(' ', {}, ' '), concat(' ', {}, ' '))", column, text)
              : fmt::format("{} = {}", column, text));
    } else if (modifier == "contains") {
      conditions.push_back(fmt::format("contains({}, {})", plain, wanted));
    } else {
      conditions.push_back(fmt::format("starts_with({}, {})", plain, wanted));
      if (parameter.match == Match::kWordStart) {
        conditions.push_back(fmt::format("contains({}, concat(' ', {}))", plain, wanted));
      }
    }
  }
  return OneOf(conditions);
}

// A token of a JSON array of {system, <member>}.
std::string HasIn(std::string_view json, std::string_view member, const SearchToken& token,
                  const std::function<std::string(std::string_view)>& bind) {
  const std::string list =
      fmt::format("from_json({}, '[{{\"system\":\"VARCHAR\",\"{}\":\"VARCHAR\"}}]')", json, member);
  if (!token.system) {
    return fmt::format("list_contains(list_transform({}, lambda x: x.{}), {})", list, member,
                       bind(token.code));
  }
  if (token.code.empty()) {
    return fmt::format("list_contains(list_transform({}, lambda x: x.system), {})", list,
                       bind(*token.system));
  }
  return fmt::format("list_contains(list_transform({}, lambda x: concat(x.system, '|', x.{})), {})",
                     list, member, bind(fmt::format("{}|{}", *token.system, token.code)));
}

std::string Compiler::HasIdentifier(std::string_view column, std::string_view value) {
  return fmt::format("({})", HasIn(column, "value", ParseSearchToken(value),
                                   [this](std::string_view text) { return BindText(text); }));
}

std::string Compiler::HasContact(const SearchParameter& parameter, std::string_view value) {
  const SearchToken token = ParseSearchToken(value);
  std::vector<std::string> conditions = {"false"};
  for (const std::string_view column : parameter.columns) {
    const bool mail = column == parameter.columns.back();
    if (token.system && *token.system != (mail ? "email" : "phone")) continue;
    conditions.push_back(token.code.empty()
                             ? fmt::format("{} IS NOT NULL", column)
                             : fmt::format("lower({}) = lower({})", column, BindText(token.code)));
  }
  return OneOf(conditions);
}

// Source: FHIR R4, search.html, 3.1.1.4.5 (prefixes): [low, high) is the resource's range.
Result<std::string> Compiler::InRange(const SearchParameter& parameter, std::string_view value) {
  const Prefixed prefixed = TakePrefix(value);
  VL_TRY(const TimeRange range, ParseSearchDate(prefixed.rest));
  const std::string_view low = parameter.columns[0], high = parameter.columns[1];
  const auto begin = [&] { return Bind(engine::Parameter(range.begin)); };
  const auto end = [&] { return Bind(engine::Parameter(range.end)); };
  const auto inside = [&] {
    return fmt::format("({} >= {} AND {} <= {})", low, begin(), high, end());
  };
  switch (prefixed.prefix) {
    case Prefix::kEq:
      return inside();
    case Prefix::kNe:
      return fmt::format("(NOT {})", inside());
    case Prefix::kGt:
      return fmt::format("({} > {})", high, end());
    case Prefix::kLt:
      return fmt::format("({} < {})", low, begin());
    case Prefix::kGe:
      return fmt::format("({} > {} OR {})", high, end(), inside());
    case Prefix::kLe:
      return fmt::format("({} < {} OR {})", low, begin(), inside());
    case Prefix::kSa:
      return fmt::format("({} >= {})", low, end());
    case Prefix::kEb:
      return fmt::format("({} <= {})", high, begin());
    case Prefix::kAp:
      break;
  }
  // Ten per cent of the time between now and the value, as the specification suggests.
  const Micros tolerance = std::abs(now_ - (range.begin + (range.end - range.begin) / 2)) / 10;
  return fmt::format("({} < {} AND {} > {})", low, Bind(engine::Parameter(range.end + tolerance)),
                     high, Bind(engine::Parameter(range.begin - tolerance)));
}

// The id of a reference's value, whatever it refers to.
std::string_view ReferencedId(std::string_view text, const fhir::ReferenceTarget& target) {
  return target.id.empty() ? text : target.id;
}

bool MayBePatient(const fhir::ReferenceTarget& target) {
  return target.type.empty() || target.type == "Patient";
}

// Whether a literal reference names a resource of this id, as its reference is served; with a type,
// one of that type.
std::string Compiler::NamesResource(std::string_view column, std::string_view type,
                                    std::string_view id) {
  // (A dollar sign would be a parameter's.)
  constexpr std::string_view kLiteral =
      R"('^(?:https?://[^?]*/)?([A-Z][A-Za-z]*)/([A-Za-z0-9._-]+)(?:/_history/[^/?]*)?\z')";
  const std::string of_type = fmt::format("regexp_extract({}, {}, 1)", column, kLiteral);
  const std::string key = fmt::format("regexp_extract({}, {}, 2)", column, kLiteral);
  // What has none of them is not taken apart.
  std::string named = fmt::format(
      "contains({0}, '/') AND CASE WHEN r.id_space <> '' AND {1} = 'Patient' "
      "THEN concat(r.id_space, '.', {2}) ELSE {2} END = {3}",
      column, of_type, key, BindText(id));
  if (!type.empty()) named += fmt::format(" AND {} = {}", of_type, BindText(type));
  return fmt::format("({})", named);
}

// Source: FHIR R4, search.html#reference: an id, type/id or a URL; a modifier is a
// type. Of a URL the base does not count, as silver keeps none.
std::string Compiler::RefersTo(const SearchParameter& parameter, std::string_view modifier,
                               std::string_view value) {
  const std::string text = Unescaped(value);
  const fhir::ReferenceTarget target = fhir::ParseReference(text);
  const std::string_view id = ReferencedId(text, target);
  const std::string_view column = parameter.columns.front();
  if (parameter.match == Match::kPatient) {
    return MayBePatient(target) ? IsOfPatient(column, id) : "false";
  }
  using enum fhir::ReferenceForm;
  // They name no resource: they are kept as they were sent.
  if (target.form == kContained || target.form == kConditional) {
    return fmt::format("({} = {})", column, BindText(text));
  }
  if (!modifier.empty() && !target.type.empty() && modifier != target.type) return "false";
  const std::string_view type = modifier.empty() ? target.type : modifier;
  const std::string_view kept_by_id = parameter.types.front();
  if (type == kept_by_id) return fmt::format("({} = {})", column, BindText(id));
  if (!type.empty()) return NamesResource(column, type, id);
  return fmt::format("({} IN ({}, {}) OR {})", column, BindText(id), BindText(text),
                     NamesResource(column, {}, id));
}

// Links are followed over several, not those of a retracted Patient, and a round of them ends where
// it began; `replaces` of a survivor is not (gold does: lake/person_link.h).
std::string Compiler::IsOfPatient(std::string_view column, std::string_view served_id) {
  std::string itself = IsServed(column, served_id);
  if (!tables_.merged) return itself;
  return fmt::format(
      "({0} OR (r.id_space, {1}) IN (WITH RECURSIVE link AS MATERIALIZED (SELECT id_space, id, "
      "person_id FROM {2} WHERE person_id <> id AND retracted_at IS NULL), merged AS (SELECT "
      "id_space, id FROM link WHERE CASE WHEN id_space = '' THEN person_id ELSE concat(id_space, "
      "'.', person_id) END = {3} UNION SELECT l.id_space, l.id FROM merged m JOIN link l ON "
      "l.id_space = m.id_space AND l.person_id = m.id) SELECT (m.id_space, m.id) FROM merged m))",
      itself, column, tables_.patient, BindText(served_id));
}

std::string Compiler::HasCoding(std::string_view row, std::string_view value) {
  const SearchToken token = ParseSearchToken(value);
  const std::string column = fmt::format("{}.codings", row);
  const std::string has =
      HasIn(column, "code", token, [this](std::string_view text) { return BindText(text); });
  if (token.code.empty()) return fmt::format("({})", has);
  // Cheap, before JSON is parsed.
  std::string quoted;
  AppendJsonString(quoted, token.code);
  return fmt::format("(contains({}, {}) AND {})", column, BindText(quoted), has);
}

bool MeansPressurePanel(const SearchToken& token) {
  const auto* const vital = clinical::CodeTable::Builtin()->Find(*token.system, token.code);
  return vital != nullptr && vital->role == clinical::Role::kPressurePanel;
}

std::string Compiler::HasOwnCoding(std::string_view value) {
  const SearchToken token = ParseSearchToken(value);
  std::vector<std::string> panel;
  if (!token.code.empty()) panel.push_back(fmt::format("r.panel_code = {}", BindText(token.code)));
  // A code that the table knows of that system is not looked at again.
  if (token.system && !MeansPressurePanel(token)) {
    panel.push_back(fmt::format("r.panel_system = {}", BindText(*token.system)));
  }
  if (panel.empty()) panel = {"false"};
  return fmt::format("(({}) OR {})", fmt::join(panel, " AND "), HasCoding("r", value));
}

// A value that was sent with a comparator is all numbers below or above it.
// Source: FHIR R4, search.html, 3.1.1.4.5 (prefixes): ranges are compared with ranges.
std::string Compiler::Compared(std::string_view row, Prefix prefix, const NumberRange& range) {
  const std::string exact = ExactCompared(row, prefix, range);
  if (prefix == Prefix::kEq) return fmt::format("{}.comparator IS NULL AND {}", row, exact);
  return fmt::format(
      "{0}.value IS NOT NULL AND CASE WHEN {0}.comparator IS NULL THEN {1} ELSE {2} END", row,
      exact, OpenCompared(row, prefix, range));
}

std::string Compiler::OpenCompared(std::string_view row, Prefix prefix, const NumberRange& range) {
  // Whether values reach below the number, or above it; with `it`, the number counts, too.
  const auto reaches = [&](bool below, bool it, double number) {
    const std::string value = Bind(engine::Parameter(number));
    return below ? fmt::format("({0}.comparator IN ('<', '<=') OR {0}.value < {1}{2})", row, value,
                               it ? fmt::format(" OR ({}.comparator = '>=' AND {}.value = {})", row,
                                                row, value)
                                  : "")
                 : fmt::format("({0}.comparator IN ('>', '>=') OR {0}.value > {1}{2})", row, value,
                               it ? fmt::format(" OR ({}.comparator = '<=' AND {}.value = {})", row,
                                                row, value)
                                  : "");
  };
  switch (prefix) {
    case Prefix::kEq:
      return "false";  // no number is all that it may be
    case Prefix::kNe:
      return "true";
    case Prefix::kGt:
      return reaches(false, false, range.value);
    case Prefix::kGe:
      return reaches(false, true, range.value);
    case Prefix::kLt:
      return reaches(true, false, range.value);
    case Prefix::kLe:
      return reaches(true, true, range.value);
    case Prefix::kSa:
      return fmt::format("NOT {}", reaches(true, true, range.value));
    case Prefix::kEb:
      return fmt::format("NOT {}", reaches(false, true, range.value));
    case Prefix::kAp:
      break;
  }
  const double tolerance = std::abs(range.value) / 10;
  return fmt::format("{} AND {}", reaches(true, true, range.value + tolerance),
                     reaches(false, true, range.value - tolerance));
}

std::string Compiler::ExactCompared(std::string_view row, Prefix prefix, const NumberRange& range) {
  const std::string column = fmt::format("{}.value", row);
  const auto bind = [this](double number) { return Bind(engine::Parameter(number)); };
  switch (prefix) {
    case Prefix::kEq:
      return fmt::format("{} >= {} AND {} < {}", column, bind(range.low), column, bind(range.high));
    case Prefix::kNe:
      return fmt::format("NOT ({} >= {} AND {} < {})", column, bind(range.low), column,
                         bind(range.high));
    case Prefix::kGt:
    case Prefix::kSa:
      return fmt::format("{} > {}", column, bind(range.value));
    case Prefix::kLt:
    case Prefix::kEb:
      return fmt::format("{} < {}", column, bind(range.value));
    case Prefix::kGe:
      return fmt::format("{} >= {}", column, bind(range.value));
    case Prefix::kLe:
      return fmt::format("{} <= {}", column, bind(range.value));
    case Prefix::kAp:
      break;
  }
  const std::string value = bind(range.value);
  return fmt::format("abs({} - {}) <= abs({}) / 10", column, value, value);
}

// The units that values are stored in and that `unit` can be converted to.
std::set<clinical::Unit> StoredUnits(clinical::Unit unit) {
  std::set<clinical::Unit> units;
  for (const clinical::VitalCode& code : clinical::CodeTable::Builtin()->codes()) {
    for (const clinical::VitalCode::Measure& measure : code.measures) {
      if (clinical::Convert(1, unit, measure.unit)) units.insert(measure.unit);
    }
  }
  return units;
}

Result<std::string> Compiler::HasQuantity(std::string_view row, std::string_view value) {
  VL_TRY(const SearchQuantity quantity, ParseSearchQuantity(value));
  // Units are those of UCUM, of which silver keeps no system.
  if (!quantity.system.empty() && quantity.system != kUcum) return "false";
  if (quantity.unit.empty()) {
    return fmt::format("({})", Compared(row, quantity.prefix, quantity.number));
  }
  const clinical::Unit unit = clinical::ParseUnit(quantity.unit);
  std::vector<std::string> conditions;
  for (const clinical::Unit stored : StoredUnits(unit)) {
    const auto converted = [&](double number) { return *clinical::Convert(number, unit, stored); };
    const NumberRange range = {converted(quantity.number.value), converted(quantity.number.low),
                               converted(quantity.number.high)};
    conditions.push_back(fmt::format("{}.unit = {} AND {}", row,
                                     BindText(clinical::ToString(stored)),
                                     Compared(row, quantity.prefix, range)));
  }
  if (conditions.empty()) {
    const std::string name = BindText(quantity.unit);
    conditions.push_back(fmt::format("({0}.unit = {1} OR {0}.unit_sent = {1}) AND {2}", row, name,
                                     Compared(row, quantity.prefix, quantity.number)));
  }
  return OneOf(conditions);
}

Result<std::string> Compiler::HasCodedQuantity(std::string_view row, std::string_view value) {
  const auto parts = SplitEscaped(value, '$');
  if (parts.size() != 2) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{} is not code$quantity", value.substr(0, 100)));
  }
  const std::string coding = HasCoding(row, parts[0]);
  VL_TRY(const std::string quantity, HasQuantity(row, parts[1]));
  return fmt::format("({} AND {})", coding, quantity);
}

// `of(row)` of the Observation's own value, of any component's, or of either.
template <class Of>
Result<std::string> Compiler::OfValues(std::string_view whose, const Of& of) {
  std::vector<std::string> conditions;
  if (whose != kComponents) {
    VL_TRY(std::string own, of("r"));
    conditions.push_back(std::move(own));
  }
  if (whose != kOwn) {
    VL_TRY(const std::string component, of("c"));
    conditions.push_back(
        fmt::format("EXISTS (SELECT 1 FROM {} c WHERE c.id_space = r.id_space AND c.id = r.id AND "
                    "c.component IS NOT NULL AND {})",
                    tables_.vital_sign, component));
  }
  return OneOf(conditions);
}

// A code of the one system that the parameter's codes are of.
std::string Compiler::HasCode(const SearchParameter& parameter, std::string_view system,
                              const SearchToken& token) {
  const std::string_view column = parameter.columns.front();
  if (token.system && *token.system != system) return "false";
  return token.code.empty() ? fmt::format("({} IS NOT NULL)", column)
                            : fmt::format("({} = {})", column, BindText(token.code));
}

Result<std::string> Compiler::Matches(const SearchParameter& parameter, const std::string& modifier,
                                      std::string_view value) {
  switch (parameter.match) {
    case Match::kId:
      return IsServed("r.id", Unescaped(value));
    case Match::kStart:
    case Match::kWordStart:
      return Starts(parameter, modifier, value);
    case Match::kCode:
      return HasCode(parameter, parameter.detail, ParseSearchToken(value));
    case Match::kFlag:
      if (value != "true" && value != "false") {
        return Fail(ErrorKind::kInvalidArgument,
                    fmt::format("{} is true or false", parameter.name));
      }
      return fmt::format("({} = {})", parameter.columns.front(),
                         Bind(engine::Parameter(value == "true")));
    case Match::kIdentifiers:
      return HasIdentifier(parameter.columns.front(), value);
    case Match::kUri: {
      SearchToken token = ParseSearchToken(value);
      if (token.code.starts_with("urn:uuid:")) token.code.erase(0, 9);
      return HasCode(parameter, "urn:ietf:rfc:3986", token);
    }
    case Match::kContact:
      return HasContact(parameter, value);
    case Match::kRange:
      return InRange(parameter, value);
    case Match::kPatient:
    case Match::kReference:
      return RefersTo(parameter, modifier, value);
    case Match::kCodings:
      return OfValues(parameter.detail, [&](std::string_view row) -> Result<std::string> {
        return row == "r" ? HasOwnCoding(value) : HasCoding(row, value);
      });
    case Match::kQuantity:
      return OfValues(parameter.detail,
                      [&](std::string_view row) { return HasQuantity(row, value); });
    case Match::kCodedQuantity:
      break;
  }
  return OfValues(parameter.detail,
                  [&](std::string_view row) { return HasCodedQuantity(row, value); });
}

Result<std::string> Compiler::IsMissing(const Criterion& criterion) {
  const SearchParameter& parameter = *criterion.parameter;
  const std::string& value = criterion.values.front();
  if (criterion.values.size() != 1 || (value != "true" && value != "false")) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}:missing is true or false", parameter.name));
  }
  std::string there;
  if (parameter.match == Match::kCodings || parameter.match == Match::kQuantity) {
    const bool codings = parameter.match == Match::kCodings;
    VL_TRY(there, OfValues(parameter.detail, [&](std::string_view row) -> Result<std::string> {
             if (!codings) return fmt::format("({}.value IS NOT NULL)", row);
             return fmt::format("({}nullif({}.codings, '[]') IS NOT NULL)",
                                row == "r" ? "r.panel_code IS NOT NULL OR " : "", row);
           }));
  } else {
    std::vector<std::string> columns;
    for (const std::string_view column : parameter.columns) {
      columns.push_back(fmt::format("{} IS NOT NULL", column));
    }
    there = OneOf(columns);
  }
  return value == "true" ? fmt::format("(NOT {})", there) : there;
}

Result<std::string> Compiler::Holds(const Criterion& criterion) {
  if (criterion.modifier == "missing") return IsMissing(criterion);
  std::vector<std::string> conditions;
  for (const std::string& value : criterion.values) {
    VL_TRY(std::string condition, Matches(*criterion.parameter, criterion.modifier, value));
    conditions.push_back(std::move(condition));
  }
  if (criterion.modifier != "not") return OneOf(conditions);
  return fmt::format("(NOT coalesce({}, false))", OneOf(conditions));
}

Result<std::string> Compiler::Where(const FhirSearch& search) {
  std::string where = "NOT coalesce(r.deleted, false)";
  const bool by_status = std::ranges::any_of(search.criteria, [](const Criterion& criterion) {
    return criterion.parameter->name == "status";
  });
  if (!by_status) where += " AND r.retracted_at IS NULL";
  for (const Criterion& criterion : search.criteria) {
    auto condition = Holds(criterion);
    if (!condition) return Because(condition.error(), std::string(criterion.parameter->name));
    where += " AND " + *condition;
  }
  return where;
}

std::unexpected<Error> AnotherCursor() {
  return Fail(ErrorKind::kInvalidArgument,
              "the cursor is none of this search: begin at its first page");
}

bool IsBigInt(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// (k1 beyond p1) or (k1 = p1 and (k2 beyond p2 or ...)), the id last.
Result<std::string> Compiler::After(const FhirSearch& search) {
  if (search.after.empty()) return "true";
  if (search.after.size() != search.sort.size() + 2) return AnotherCursor();
  const size_t last = search.sort.size();
  const std::string id = BindText(search.after[last]), space = BindText(search.after[last + 1]);
  std::string condition = fmt::format("(r.id, r.id_space) > ({}, {})", id, space);
  for (size_t i = last; i-- > 0;) {
    const SortBy& by = search.sort[i];
    if (by.key->number && !IsBigInt(search.after[i])) return AnotherCursor();
    const std::string value = by.key->number
                                  ? fmt::format("CAST({} AS BIGINT)", BindText(search.after[i]))
                                  : BindText(search.after[i]);
    condition = fmt::format("({0} {1} {2} OR ({0} = {2} AND {3}))", by.key->sql,
                            by.descending ? "<" : ">", value, condition);
  }
  return condition;
}

}  // namespace

std::string ServedId(std::string_view id_space, std::string_view id) {
  return id_space.empty() ? std::string(id) : fmt::format("{}.{}", id_space, id);
}

std::vector<std::string> IdsServedAs(std::string_view served_id) {
  std::vector<std::string> ids = {std::string(served_id)};
  for (size_t dot = served_id.find('.'); dot != served_id.npos;
       dot = served_id.find('.', dot + 1)) {
    ids.emplace_back(served_id.substr(dot + 1));
  }
  return ids;
}

FhirKeys KeysOf(FhirType type, std::vector<std::string> served_ids) {
  return {.of = type == FhirType::kPatient ? FhirKeys::Of::kPatients : FhirKeys::Of::kObservations,
          .served_ids = std::move(served_ids)};
}

std::optional<FhirKeys> KeysOf(const FhirSearch& search) {
  FhirKeys subjects{FhirKeys::Of::kSubjects};
  std::optional<FhirKeys> own;
  bool by_subject = false;
  for (const Criterion& criterion : search.criteria) {
    const Match match = criterion.parameter->match;
    if (match == Match::kPatient && criterion.modifier != "missing") {
      by_subject = true;
      for (const std::string& value : criterion.values) {
        const std::string text = Unescaped(value);
        const fhir::ReferenceTarget target = fhir::ParseReference(text);
        if (MayBePatient(target)) subjects.served_ids.emplace_back(ReferencedId(text, target));
      }
    } else if (match == Match::kId && criterion.modifier.empty() && !own) {
      own = KeysOf(search.type, {});
      own->include_subjects = search.include_patient;
      for (const std::string& value : criterion.values) own->served_ids.push_back(Unescaped(value));
    }
  }
  // Every subject's Patients are needed, where it names Patients at all.
  if (by_subject) return subjects;
  return own;
}

namespace {

struct PageSql {
  std::string places, text;  // the parts of cursors; from FROM on
};

Result<PageSql> CompilePage(Compiler& compiler, const FhirSearch& search,
                            const FhirTables& tables) {
  VL_TRY(const std::string where, compiler.Where(search));
  VL_TRY(const std::string after, compiler.After(search));
  std::string places, order;
  for (const SortBy& by : search.sort) {
    places += fmt::format("CAST({} AS VARCHAR), ", by.key->sql);
    order += fmt::format("{}{}, ", by.key->sql, by.descending ? " DESC" : "");
  }
  return PageSql{places + "r.id, r.id_space",
                 fmt::format("FROM {} WHERE {} AND {} ORDER BY {}r.id, r.id_space{}",
                             RelationOf(search.type, tables), where, after, order,
                             tables.few ? "" : fmt::format(" LIMIT {}", search.count + 1))};
}

}  // namespace

Result<SqlQuery> CompileFhirSearch(const FhirSearch& search, Micros now, const FhirTables& tables) {
  Compiler compiler(now, tables);
  VL_TRY(const PageSql page, CompilePage(compiler, search, tables));
  return SqlQuery{fmt::format("SELECT {}, {} {}", kRowList, page.places, page.text),
                  compiler.Take()};
}

Result<SqlQuery> CompileFhirPlaces(const FhirSearch& search, Micros now) {
  const FhirTables tables;
  Compiler compiler(now, tables);
  VL_TRY(const PageSql page, CompilePage(compiler, search, tables));
  return SqlQuery{fmt::format("SELECT {} {}", page.places, page.text), compiler.Take()};
}

Result<SqlQuery> CompileFhirCount(const FhirSearch& search, Micros now, const FhirTables& tables) {
  Compiler compiler(now, tables);
  VL_TRY(const std::string where, compiler.Where(search));
  return SqlQuery{
      fmt::format("SELECT count(*) FROM {} WHERE {}", RelationOf(search.type, tables), where),
      compiler.Take()};
}

SqlQuery CompileFhirRead(FhirType type, const std::vector<std::string>& served_ids,
                         const FhirTables& tables) {
  Compiler compiler(0, tables);
  std::vector<std::string> conditions = {"false"};
  for (const std::string& id : served_ids) conditions.push_back(compiler.IsServed("r.id", id));
  return {fmt::format("SELECT {} FROM {} WHERE {} ORDER BY coalesce(r.deleted, false), r.id",
                      kRowList, RelationOf(type, tables), OneOf(conditions)),
          compiler.Take()};
}

SqlQuery CompileFhirVersions(FhirType type, std::string_view changes_sql, bool of_vital_signs,
                             const std::string& served_id) {
  const FhirTables tables;
  Compiler compiler(0, tables);
  const std::string which = compiler.IsServed("r.id", served_id);
  return {fmt::format(
              "SELECT {}, epoch_us(r._commit_timestamp) FROM (SELECT *{} FROM ({})) r WHERE "
              "r._change_type IN ('insert', 'update_postimage') AND {}{} "
              "ORDER BY r._commit_version DESC",
              kRowList, type == FhirType::kPatient ? ", CAST(NULL AS VARCHAR) AS patient_id" : "",
              changes_sql, which, of_vital_signs ? " AND r.panel IS NULL" : ""),
          compiler.Take()};
}

Result<SqlQuery> CompileFhirLast(const FhirSearch& search, size_t most, Micros now,
                                 const FhirTables& tables) {
  Compiler compiler(now, tables);
  VL_TRY(const std::string where, compiler.Where(search));
  return SqlQuery{
      fmt::format("SELECT {0} FROM (SELECT r.*, rank() OVER (PARTITION BY r.kind ORDER BY r.begins "
                  "DESC NULLS LAST) AS place FROM {1} WHERE {2}) r WHERE r.place <= {3} "
                  "ORDER BY r.begins DESC NULLS LAST, r.id, r.id_space",
                  kRowList, ObservationRelation(tables, With::kKind), where, most),
      compiler.Take()};
}

SqlQuery CompileFhirStats(const StatsRequest& request, const std::vector<std::string>& statistics,
                          const FhirTables& tables) {
  Compiler compiler(0, tables);
  const std::string patient = compiler.IsOfPatient("r.patient_id", request.patient);
  const std::string coding = compiler.HasCoding("r", request.coding);
  return {fmt::format(
              "SELECT r.unit, min(r.begins), max(r.begins), {} FROM (SELECT *, value AS v, "
              "coalesce(epoch_us(effective_time), epoch_us(CAST(effective_date AS TIMESTAMP))) AS "
              "begins FROM {} WHERE value IS NOT NULL AND retracted_at IS NULL AND "
              "NOT coalesce(deleted, false) AND quality NOT LIKE '%implausible%') r WHERE {} AND "
              "{} AND r.begins >= {} AND r.begins < {} GROUP BY 1 ORDER BY 1",
              fmt::join(statistics, ", "), tables.vital_sign, patient, coding,
              compiler.Bind(engine::Parameter(request.begin)),
              compiler.Bind(engine::Parameter(request.end))),
          compiler.Take()};
}

SqlQuery CompileObservationsOf(const std::vector<std::pair<std::string, std::string>>& patients,
                               size_t most, const FhirTables& tables) {
  Compiler compiler(0, tables);
  std::vector<std::string> conditions = {"false"};
  for (const auto& [space, id] : patients) {
    conditions.push_back(fmt::format("(r.patient_id = {} AND r.id_space = {})",
                                     compiler.BindText(id), compiler.BindText(space)));
  }
  return {
      fmt::format("SELECT {} FROM {} WHERE NOT coalesce(r.deleted, false) AND r.retracted_at "
                  "IS NULL AND {} ORDER BY r.id, r.id_space LIMIT {}",
                  kRowList, RelationOf(FhirType::kObservation, tables), OneOf(conditions), most),
      compiler.Take()};
}

}  // namespace vitalake::serve
