#include "serve/fhir/condition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <set>

#include "base/json_writer.h"
#include "clinical/codes.h"
#include "clinical/units.h"
#include "serve/fhir/served_id.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kUcum = "http://unitsofmeasure.org";

// Without case and accents: letters that have one case alone are those of the other's.
std::string Plain(std::string_view sql) {
  return fmt::format("replace(replace(strip_accents(lower({})), 'ß', 'ss'), 'ς', 'σ')", sql);
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

bool MeansPressurePanel(const SearchToken& token) {
  if (token.system->empty()) return false;  // it is to have none
  const auto* const vital = clinical::CodeTable::Builtin()->Find(*token.system, token.code);
  return vital != nullptr && vital->role == clinical::Role::kPressurePanel;
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

std::unexpected<Error> AnotherCursor() {
  return Fail(ErrorKind::kInvalidArgument,
              "the cursor is none of this search: begin at its first page");
}

bool IsBigInt(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string_view ReferencedId(std::string_view text, const fhir::ReferenceTarget& target) {
  return target.id.empty() ? text : target.id;
}

bool MayBePatient(const fhir::ReferenceTarget& target) {
  return target.type.empty() || target.type == "Patient";
}

std::string OneOf(const std::vector<std::string>& conditions) {
  return fmt::format("({})", fmt::join(conditions, " OR "));
}

std::string ConditionCompiler::Bind(engine::Parameter value) {
  parameters_.push_back(std::move(value));
  return fmt::format("${}", parameters_.size());
}

std::string ConditionCompiler::IsServed(std::string_view column, std::string_view served_id) {
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

std::string ConditionCompiler::Starts(const SearchParameter& parameter, const std::string& modifier,
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

std::string ConditionCompiler::HasIdentifier(std::string_view column, std::string_view value) {
  return fmt::format("({})", HasIn(column, "value", ParseSearchToken(value),
                                   [this](std::string_view text) { return BindText(text); }));
}

std::string ConditionCompiler::HasContact(const SearchParameter& parameter,
                                          std::string_view value) {
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
Result<std::string> ConditionCompiler::InRange(const SearchParameter& parameter,
                                               std::string_view value) {
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

// Whether a literal reference names a resource of this id, as its reference is served; with a type,
// one of that type.
std::string ConditionCompiler::NamesResource(std::string_view column, std::string_view type,
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
std::string ConditionCompiler::RefersTo(const SearchParameter& parameter, std::string_view modifier,
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
std::string ConditionCompiler::IsOfPatient(std::string_view column, std::string_view served_id) {
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

std::string ConditionCompiler::HasCoding(std::string_view row, std::string_view value) {
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

std::string ConditionCompiler::HasOwnCoding(std::string_view value) {
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
std::string ConditionCompiler::Compared(std::string_view row, Prefix prefix,
                                        const NumberRange& range) {
  const std::string exact = ExactCompared(row, prefix, range);
  if (prefix == Prefix::kEq) return fmt::format("{}.comparator IS NULL AND {}", row, exact);
  return fmt::format(
      "{0}.value IS NOT NULL AND CASE WHEN {0}.comparator IS NULL THEN {1} ELSE {2} END", row,
      exact, OpenCompared(row, prefix, range));
}

std::string ConditionCompiler::OpenCompared(std::string_view row, Prefix prefix,
                                            const NumberRange& range) {
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

std::string ConditionCompiler::ExactCompared(std::string_view row, Prefix prefix,
                                             const NumberRange& range) {
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

Result<std::string> ConditionCompiler::HasQuantity(std::string_view row, std::string_view value) {
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

Result<std::string> ConditionCompiler::HasCodedQuantity(std::string_view row,
                                                        std::string_view value) {
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
Result<std::string> ConditionCompiler::OfValues(std::string_view whose, const Of& of) {
  std::vector<std::string> conditions;
  if (whose != kComponents) {
    VL_TRY(std::string own, of("r"));
    conditions.push_back(std::move(own));
  }
  if (whose != kOwn) {
    VL_TRY(const std::string component, of("c"));
    reads_parts_ = true;
    conditions.push_back(
        fmt::format("EXISTS (SELECT 1 FROM {} c WHERE c.id_space = r.id_space AND c.id = r.id AND "
                    "c.component IS NOT NULL AND {})",
                    tables_.vital_sign, component));
  }
  return OneOf(conditions);
}

// A code of the one system that the parameter's codes are of.
std::string ConditionCompiler::HasCode(const SearchParameter& parameter, std::string_view system,
                                       const SearchToken& token) {
  const std::string_view column = parameter.columns.front();
  if (token.system && *token.system != system) return "false";
  return token.code.empty() ? fmt::format("({} IS NOT NULL)", column)
                            : fmt::format("({} = {})", column, BindText(token.code));
}

Result<std::string> ConditionCompiler::Matches(const SearchParameter& parameter,
                                               const std::string& modifier,
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

Result<std::string> ConditionCompiler::IsMissing(const Criterion& criterion) {
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

Result<std::string> ConditionCompiler::Holds(const Criterion& criterion) {
  if (criterion.modifier == "missing") return IsMissing(criterion);
  std::vector<std::string> conditions;
  for (const std::string& value : criterion.values) {
    VL_TRY(std::string condition, Matches(*criterion.parameter, criterion.modifier, value));
    conditions.push_back(std::move(condition));
  }
  if (criterion.modifier != "not") return OneOf(conditions);
  return fmt::format("(NOT coalesce({}, false))", OneOf(conditions));
}

Result<std::string> ConditionCompiler::Where(const FhirSearch& search) {
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

// (k1 beyond p1) or (k1 = p1 and (k2 beyond p2 or ...)), the id last.
Result<std::string> ConditionCompiler::After(const FhirSearch& search) {
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

}  // namespace vitalake::serve
