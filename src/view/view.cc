#include "view/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <unordered_set>
#include <utility>

#include "view/fhir_types.h"
#include "view/temporal.h"
#include "view/view_internal.h"

namespace vitalake::view {
namespace {

std::unexpected<Error> Bad(std::string_view place, std::string_view what) {
  return Fail(ErrorKind::kInvalidArgument, fmt::format("{}: {}", place, what));
}

// SQL on FHIR: a letter, then letters, digits and '_'.
bool IsName(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_';
  });
}

std::optional<ColumnType> TypeOfAnsi(std::string_view name) {
  static constexpr std::pair<std::string_view, ColumnType> kTypes[] = {
      {"BOOLEAN", ColumnType::kBoolean},
      {"INTEGER", ColumnType::kInteger},
      {"INT", ColumnType::kInteger},
      {"SMALLINT", ColumnType::kInteger},
      {"BIGINT", ColumnType::kBigint},
      {"DOUBLE", ColumnType::kDouble},
      {"DOUBLE PRECISION", ColumnType::kDouble},
      {"FLOAT", ColumnType::kDouble},
      {"REAL", ColumnType::kDouble},
      {"DATE", ColumnType::kDate},
      {"TIMESTAMP", ColumnType::kTimestamp},
      {"TIMESTAMP WITH TIME ZONE", ColumnType::kTimestamp},
      {"CHARACTER VARYING", ColumnType::kVarchar},
      {"VARCHAR", ColumnType::kVarchar},
      {"CHARACTER", ColumnType::kVarchar},
      {"CHAR", ColumnType::kVarchar},
      {"TEXT", ColumnType::kVarchar}};
  std::string upper(name.substr(0, name.find('(')));
  while (!upper.empty() && upper.back() == ' ') upper.pop_back();
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const auto& [ansi, type] : kTypes) {
    if (upper == ansi) return type;
  }
  return std::nullopt;
}

ColumnType TypeOfFhir(std::string_view type) {
  if (const size_t slash = type.rfind('/'); slash != std::string_view::npos) {
    type = type.substr(slash + 1);  // a type given by its URL
  }
  if (type == "boolean") return ColumnType::kBoolean;
  if (IsSubtype(type, "integer")) return ColumnType::kInteger;
  return type == "integer64" ? ColumnType::kBigint : ColumnType::kVarchar;
}

class Compiler {
 public:
  Result<ViewPlan> Run(JsonValue definition);

 private:
  Status AddConstants(JsonValue list);
  Result<Constant> ReadConstant(JsonValue element, std::string_view place) const;
  Status AddWheres(JsonValue list);
  Result<SelectPlan> Select(JsonValue element, const std::string& place);
  Status Iterate(JsonValue element, const std::string& place, SelectPlan& plan);
  Result<ColumnPlan> Column(JsonValue element, std::string_view place);
  Result<ColumnSpec> Spec(JsonValue element, std::string_view place) const;
  Status AddUnion(JsonValue list, const std::string& place, SelectPlan& plan);
  Result<Path> Parse(JsonValue path, std::string_view place) const;

  ViewPlan plan_;
  // Columns of the union branch being compiled take the numbers of the first branch's columns.
  std::optional<std::pair<size_t, size_t>> reuse_;  // next, end
};

Result<Path> Compiler::Parse(JsonValue path, std::string_view place) const {
  if (!path.is_string()) return Bad(place, "must be a FHIRPath expression (a string)");
  auto parsed = ParsePath(path.text(), plan_.constants);
  if (!parsed) {
    return Bad(place, fmt::format("{}, in '{}'", parsed.error().message, path.text()));
  }
  return parsed;
}

Result<Constant> Compiler::ReadConstant(JsonValue element, std::string_view place) const {
  JsonValue value;
  for (JsonValue member : element.children()) {
    if (!member.key().starts_with("value")) continue;
    if (value) return Bad(place, "has more than one value[x]");
    value = member;
  }
  if (!value) return Bad(place, "has no value[x]");
  const Symbol type = TypeOfSuffix(value.key().substr(5));
  const std::string_view name = SymbolName(type);
  if (type == 0 || (name[0] >= 'A' && name[0] <= 'Z')) {
    return Bad(place, fmt::format("{} is not a primitive value[x]", value.key()));
  }
  Constant out{std::string(value.text()), Atom(Item::Node(value, type))};
  const bool boolean = name == "boolean";
  const bool number = name == "decimal" || name == "integer64" || IsSubtype(name, "integer");
  if (boolean != value.is_bool() || number != value.is_number() ||
      (!boolean && !number && !value.is_string())) {
    return Bad(place, fmt::format("{} holds no {}", value.key(), name));
  }
  const ItemKind kind = out.item.kind;
  const bool moment = kind == ItemKind::kDate || kind == ItemKind::kDateTime;
  if ((moment && !ParseMoment(out.text)) || (kind == ItemKind::kTime && !ParseTime(out.text))) {
    return Bad(place, fmt::format("'{}' is no valid {}", out.text, name));
  }
  // A declared string type must not keep an untyped element from being equal to it.
  out.item.type = 0;
  return out;
}

Status Compiler::AddConstants(JsonValue list) {
  if (!list) return {};
  if (!list.is_array()) return Bad("constant", "must be an array");
  size_t index = 0;
  for (JsonValue element : list.children()) {
    const std::string place = fmt::format("constant[{}]", index++);
    const std::string name(element.String("name"));
    if (!IsName(name)) return Bad(place, "needs a name of letters, digits and '_'");
    VL_TRY(Constant constant, ReadConstant(element, place));
    const auto [at, added] = plan_.constants.emplace(name, std::move(constant));
    if (!added) return Bad(place, fmt::format("the name '{}' is taken", name));
    if (!at->second.item.text.empty()) at->second.item.text = at->second.text;
  }
  return {};
}

Status Compiler::AddWheres(JsonValue list) {
  if (!list) return {};
  if (!list.is_array()) return Bad("where", "must be an array");
  size_t index = 0;
  for (JsonValue element : list.children()) {
    const std::string place = fmt::format("where[{}].path", index++);
    VL_TRY(Path path, Parse(element.Find("path"), place));
    if (path.expr->kind() == StaticKind::kNotBoolean) return Bad(place, "is not a boolean");
    plan_.wheres.push_back(std::move(path));
  }
  return {};
}

Result<ColumnSpec> Compiler::Spec(JsonValue element, std::string_view place) const {
  ColumnSpec spec;
  spec.name = element.String("name");
  if (!IsName(spec.name)) return Bad(place, "needs a name of letters, digits and '_'");
  spec.fhir_type = element.String("type");
  spec.description = element.String("description");
  spec.type = TypeOfFhir(spec.fhir_type);
  for (JsonValue tag : element.Find("tag").children()) {
    if (tag.String("name") != "ansi/type") continue;
    const auto type = TypeOfAnsi(tag.String("value"));
    if (!type) return Bad(place, fmt::format("unknown ansi/type '{}'", tag.String("value")));
    spec.type = *type;
  }
  return spec;
}

Result<ColumnPlan> Compiler::Column(JsonValue element, std::string_view place) {
  ColumnPlan plan;
  VL_TRY(ColumnSpec spec, Spec(element, place));
  plan.place = fmt::format("{} ({})", place, spec.name);
  VL_TRY(plan.path, Parse(element.Find("path"), fmt::format("{}.path", place)));
  const JsonValue collection = element.Find("collection");
  if (collection && !collection.is_bool()) return Bad(place, "collection must be true or false");
  plan.collection = collection && collection.type() == JsonType::kTrue;
  if (plan.collection) spec.type = ColumnType::kVarchar;
  if (reuse_) {
    auto& [next, end] = *reuse_;
    if (next == end) return Bad(place, "a unionAll branch has more columns than the first");
    const ColumnSpec& first = plan_.columns[next];
    if (first.name != spec.name || first.type != spec.type ||
        plan_.collections[next] != plan.collection) {
      return Bad(place, fmt::format("column '{}' of a unionAll branch does not match '{}' of the "
                                    "first in name, order or type",
                                    spec.name, first.name));
    }
    plan.index = next++;
    return plan;
  }
  for (const ColumnSpec& other : plan_.columns) {
    if (other.name == spec.name) return Bad(place, fmt::format("'{}' is there twice", spec.name));
  }
  plan.index = plan_.columns.size();
  plan_.columns.push_back(std::move(spec));
  plan_.collections.push_back(plan.collection);
  return plan;
}

Status Compiler::Iterate(JsonValue element, const std::string& place, SelectPlan& plan) {
  static constexpr std::pair<std::string_view, Iteration> kKinds[] = {
      {"forEach", Iteration::kForEach},
      {"forEachOrNull", Iteration::kForEachOrNull},
      {"repeat", Iteration::kRepeat}};
  for (const auto& [key, iteration] : kKinds) {
    const JsonValue given = element.Find(key);
    if (!given) continue;
    if (plan.iteration != Iteration::kOnce) {
      return Bad(place, "only one of forEach, forEachOrNull and repeat may be given");
    }
    plan.iteration = iteration;
    plan.place = fmt::format("{}.{}", place, key);
    if (iteration != Iteration::kRepeat) {
      VL_TRY(Path path, Parse(given, plan.place));
      plan.paths.push_back(std::move(path));
      continue;
    }
    if (!given.is_array() || given.size() == 0) {
      return Bad(plan.place, "must be an array of FHIRPath expressions");
    }
    for (JsonValue text : given.children()) {
      VL_TRY(Path path, Parse(text, plan.place));
      plan.paths.push_back(std::move(path));
    }
  }
  return {};
}

Status Compiler::AddUnion(JsonValue list, const std::string& place, SelectPlan& plan) {
  if (!list.is_array() || list.size() == 0) return Bad(place, "must be an array of selects");
  SelectPlan::Part part;
  const size_t begin = reuse_ ? reuse_->first : plan_.columns.size();
  const auto outer = reuse_;
  size_t end = 0, index = 0;
  for (JsonValue element : list.children()) {
    const std::string branch = fmt::format("{}[{}]", place, index);
    if (index++ > 0) reuse_ = {begin, end};
    VL_TRY(SelectPlan made, Select(element, branch));
    if (index == 1) {
      end = outer ? reuse_->first : plan_.columns.size();
    } else if (reuse_->first != end) {
      return Bad(branch, "a unionAll branch has fewer columns than the first");
    }
    part.branches.push_back(std::move(made));
  }
  reuse_ = outer;
  if (outer) reuse_->first = end;
  plan.parts.push_back(std::move(part));
  return {};
}

Result<SelectPlan> Compiler::Select(JsonValue element, const std::string& place) {
  if (!element.is_object()) return Bad(place, "must be an object");
  SelectPlan plan;
  const size_t begin = reuse_ ? reuse_->first : plan_.columns.size();
  VL_RETURN_IF_ERROR(Iterate(element, place, plan));
  const JsonValue columns = element.Find("column"), selects = element.Find("select");
  const JsonValue unions = element.Find("unionAll");
  if (!columns && !selects && !unions) return Bad(place, "needs column, select or unionAll");
  if ((columns && !columns.is_array()) || (selects && !selects.is_array())) {
    return Bad(place, "column and select must be arrays");
  }
  size_t index = 0;
  std::string_view path_before;
  for (JsonValue column : columns.children()) {
    VL_TRY(ColumnPlan made, Column(column, fmt::format("{}.column[{}]", place, index++)));
    made.repeats = column.String("path") == path_before;
    path_before = column.String("path");
    plan.columns.push_back(std::move(made));
  }
  index = 0;
  for (JsonValue nested : selects.children()) {
    VL_TRY(SelectPlan made, Select(nested, fmt::format("{}.select[{}]", place, index++)));
    plan.parts.emplace_back().branches.push_back(std::move(made));
  }
  if (unions) VL_RETURN_IF_ERROR(AddUnion(unions, place + ".unionAll", plan));
  const size_t end = reuse_ ? reuse_->first : plan_.columns.size();
  for (size_t i = begin; i < end; ++i) plan.all_columns.push_back(i);
  return plan;
}

Result<ViewPlan> Compiler::Run(JsonValue definition) {
  if (!definition.is_object()) return Bad("ViewDefinition", "must be a JSON object");
  plan_.name = definition.String("name");
  plan_.resource = definition.String("resource");
  if (plan_.resource.empty()) return Bad("resource", "must name the resource type");
  VL_RETURN_IF_ERROR(AddConstants(definition.Find("constant")));
  VL_RETURN_IF_ERROR(AddWheres(definition.Find("where")));
  const JsonValue selects = definition.Find("select");
  if (!selects.is_array() || selects.size() == 0) return Bad("select", "must be a non-empty array");
  size_t index = 0;
  for (JsonValue element : selects.children()) {
    VL_TRY(SelectPlan plan, Select(element, fmt::format("select[{}]", index++)));
    plan_.root.parts.emplace_back().branches.push_back(std::move(plan));
  }
  for (size_t i = 0; i < plan_.columns.size(); ++i) plan_.root.all_columns.push_back(i);
  return std::move(plan_);
}

}  // namespace

bool SelectPlan::IsOneRow() const {
  if (iteration == Iteration::kForEach || iteration == Iteration::kRepeat) return false;
  if (iteration == Iteration::kForEachOrNull && !paths[0].expr->at_most_one()) return false;
  return std::all_of(parts.begin(), parts.end(), [](const Part& part) {
    return part.branches.size() == 1 && part.branches[0].IsOneRow();
  });
}

View::View() = default;
View::~View() = default;

Result<std::shared_ptr<const View>> View::Compile(std::string_view definition) {
  JsonParser parser;
  const auto parsed = parser.Parse(definition);
  if (!parsed) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("the ViewDefinition is not JSON: {} at byte {}", parsed.error().message,
                            parsed.error().offset));
  }
  VL_TRY(ViewPlan plan, Compiler().Run(*parsed));
  std::shared_ptr<View> view(new View);
  view->impl_ = std::make_unique<Impl>(std::move(plan));
  return view;
}

const std::string& View::name() const { return impl_->plan.name; }
const std::string& View::resource() const { return impl_->plan.resource; }
const std::vector<ColumnSpec>& View::columns() const { return impl_->plan.columns; }

}  // namespace vitalake::view
