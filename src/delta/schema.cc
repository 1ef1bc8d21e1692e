#include "delta/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/check.h"
#include "base/json_tree.h"
#include "base/json_writer.h"
#include "delta/json_copy.h"

namespace vitalake::delta {
namespace {

struct PrimitiveName {
  TypeKind kind;
  std::string_view name;
};
constexpr std::array<PrimitiveName, 12> kPrimitives = {{
    {TypeKind::kString, "string"},
    {TypeKind::kLong, "long"},
    {TypeKind::kInteger, "integer"},
    {TypeKind::kShort, "short"},
    {TypeKind::kByte, "byte"},
    {TypeKind::kFloat, "float"},
    {TypeKind::kDouble, "double"},
    {TypeKind::kBoolean, "boolean"},
    {TypeKind::kBinary, "binary"},
    {TypeKind::kDate, "date"},
    {TypeKind::kTimestamp, "timestamp"},
    {TypeKind::kTimestampNtz, "timestamp_ntz"},
}};

constexpr int kMaxPrecision = 38;

// "(10,2)" -> decimal(10,2).
std::optional<DeltaType> ParseDecimal(std::string_view parts) {
  int precision = 0;
  int scale = 0;
  const char* const end = parts.data() + parts.size();
  const char* at = parts.data();
  const auto expect = [&](char c) { return at != end && *at == c && ++at != nullptr; };
  const auto number = [&](int& out) {
    while (at != end && *at == ' ') ++at;
    const auto result = std::from_chars(at, end, out);
    at = result.ptr;
    while (at != end && *at == ' ') ++at;
    return result.ec == std::errc();
  };
  if (!expect('(') || !number(precision) || !expect(',') || !number(scale) || !expect(')')) {
    return std::nullopt;
  }
  if (at != end || precision < 1 || precision > kMaxPrecision || scale < 0 || scale > precision) {
    return std::nullopt;
  }
  return DeltaType::Decimal(precision, scale);
}

Result<DeltaType> ParsePrimitive(std::string_view name) {
  for (const PrimitiveName& primitive : kPrimitives) {
    if (primitive.name == name) return DeltaType(primitive.kind);
  }
  if (name == "decimal") return DeltaType::Decimal(10, 0);
  if (name.starts_with("decimal")) {
    if (auto decimal = ParseDecimal(name.substr(7))) return *decimal;
  }
  return Fail(ErrorKind::kUnsupported, fmt::format("the column type {} is not supported", name));
}

Result<std::vector<Field>> ParseFields(JsonValue fields);

Result<bool> ParseFlag(JsonValue object, std::string_view name) {
  const JsonValue flag = object.Find(name);
  if (!flag) return true;
  if (!flag.is_bool()) {
    return Fail(ErrorKind::kCorrupt, fmt::format("schema: {} is not a boolean", name));
  }
  return flag.type() == JsonType::kTrue;
}

Result<DeltaType> ParseType(JsonValue type) {
  if (type.is_string()) return ParsePrimitive(type.text());
  const std::string_view kind = type.String("type");
  if (kind == "struct") {
    VL_TRY(std::vector<Field> fields, ParseFields(type.Find("fields")));
    return DeltaType::Struct(std::move(fields));
  }
  if (kind == "array") {
    VL_TRY(DeltaType element, ParseType(type.Find("elementType")));
    VL_TRY(const bool contains_null, ParseFlag(type, "containsNull"));
    return DeltaType::Array(std::move(element), contains_null);
  }
  if (kind == "map") {
    VL_TRY(DeltaType key, ParseType(type.Find("keyType")));
    VL_TRY(DeltaType value, ParseType(type.Find("valueType")));
    VL_TRY(const bool contains_null, ParseFlag(type, "valueContainsNull"));
    return DeltaType::Map(std::move(key), std::move(value), contains_null);
  }
  return Fail(ErrorKind::kCorrupt, "schema: a type is neither a name nor struct, array or map");
}

Result<Field> ParseField(JsonValue json) {
  const JsonValue name = json.Find("name");
  if (!name.is_string()) return Fail(ErrorKind::kCorrupt, "schema: a field has no name");
  Field field{.name = std::string(name.text())};
  auto type = ParseType(json.Find("type"));
  if (!type) return Because(std::move(type).error(), fmt::format("column {}", field.name));
  field.type = *std::move(type);
  VL_TRY(field.nullable, ParseFlag(json, "nullable"));
  if (const JsonValue metadata = json.Find("metadata"); metadata.is_object()) {
    field.metadata = CopyJson(metadata);
  }
  return field;
}

Result<std::vector<Field>> ParseFields(JsonValue fields) {
  if (!fields.is_array()) return Fail(ErrorKind::kCorrupt, "schema: a struct has no fields");
  std::vector<Field> out;
  out.reserve(fields.size());
  for (const JsonValue json : fields.children()) {
    VL_TRY(Field field, ParseField(json));
    out.push_back(std::move(field));
  }
  return out;
}

void WriteType(JsonWriter& out, const DeltaType& type);

void WriteStruct(JsonWriter& out, std::span<const Field> fields) {
  out.BeginObject().Key("type").String("struct").Key("fields").BeginArray();
  for (const Field& field : fields) {
    out.BeginObject().Key("name").String(field.name).Key("type");
    WriteType(out, field.type);
    out.Key("nullable").Bool(field.nullable).Key("metadata").Raw(field.metadata).EndObject();
  }
  out.EndArray().EndObject();
}

void WriteType(JsonWriter& out, const DeltaType& type) {
  switch (type.kind()) {
    case TypeKind::kStruct:
      WriteStruct(out, type.fields());
      return;
    case TypeKind::kArray:
      out.BeginObject().Key("type").String("array").Key("elementType");
      WriteType(out, type.element());
      out.Key("containsNull").Bool(type.contains_null()).EndObject();
      return;
    case TypeKind::kMap:
      out.BeginObject().Key("type").String("map").Key("keyType");
      WriteType(out, type.key());
      out.Key("valueType");
      WriteType(out, type.value());
      out.Key("valueContainsNull").Bool(type.contains_null()).EndObject();
      return;
    default:
      out.String(type.name());
  }
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

DeltaType::DeltaType(TypeKind primitive) : kind_(primitive) {
  VL_CHECK(primitive < TypeKind::kStruct && primitive != TypeKind::kDecimal);
}

DeltaType DeltaType::Decimal(int precision, int scale) {
  VL_CHECK(precision >= 1 && precision <= kMaxPrecision && scale >= 0 && scale <= precision);
  DeltaType type;
  type.kind_ = TypeKind::kDecimal;
  type.precision_ = precision;
  type.scale_ = scale;
  return type;
}

DeltaType DeltaType::Struct(std::vector<Field> fields) {
  DeltaType type;
  type.kind_ = TypeKind::kStruct;
  type.fields_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

DeltaType DeltaType::Array(DeltaType element, bool contains_null) {
  DeltaType type;
  type.kind_ = TypeKind::kArray;
  type.contains_null_ = contains_null;
  type.children_ =
      std::make_shared<const std::vector<DeltaType>>(std::vector<DeltaType>{std::move(element)});
  return type;
}

DeltaType DeltaType::Map(DeltaType key, DeltaType value, bool value_contains_null) {
  DeltaType type;
  type.kind_ = TypeKind::kMap;
  type.contains_null_ = value_contains_null;
  type.children_ = std::make_shared<const std::vector<DeltaType>>(
      std::vector<DeltaType>{std::move(key), std::move(value)});
  return type;
}

std::span<const Field> DeltaType::fields() const {
  VL_CHECK(kind_ == TypeKind::kStruct);
  return *fields_;
}

const DeltaType& DeltaType::element() const {
  VL_CHECK(kind_ == TypeKind::kArray);
  return children_->front();
}

const DeltaType& DeltaType::key() const {
  VL_CHECK(kind_ == TypeKind::kMap);
  return children_->front();
}

const DeltaType& DeltaType::value() const {
  VL_CHECK(kind_ == TypeKind::kMap);
  return children_->back();
}

std::string DeltaType::name() const {
  for (const PrimitiveName& primitive : kPrimitives) {
    if (primitive.kind == kind_) return std::string(primitive.name);
  }
  switch (kind_) {
    case TypeKind::kDecimal:
      return fmt::format("decimal({},{})", precision_, scale_);
    case TypeKind::kArray:
      return "array";
    case TypeKind::kMap:
      return "map";
    default:
      return "struct";
  }
}

bool DeltaType::operator==(const DeltaType& other) const {
  if (kind_ != other.kind_ || contains_null_ != other.contains_null_ ||
      precision_ != other.precision_ || scale_ != other.scale_) {
    return false;
  }
  if (fields_ && *fields_ != *other.fields_) return false;
  return !children_ || *children_ == *other.children_;
}

Schema Schema::Flat(std::span<const Column> columns) {
  std::vector<Field> fields;
  fields.reserve(columns.size());
  for (const Column& column : columns) {
    fields.push_back({column.name, column.type, column.nullable});
  }
  return Schema(std::move(fields));
}

Result<Schema> Schema::FromJson(std::string_view json) {
  JsonParser parser;
  const auto root = parser.Parse(json);
  if (!root) {
    return Fail(ErrorKind::kCorrupt, fmt::format("schema: {}", root.error().message));
  }
  if (root->String("type") != "struct") {
    return Fail(ErrorKind::kCorrupt, "schema: the outermost type is not a struct");
  }
  VL_TRY(std::vector<Field> fields, ParseFields(root->Find("fields")));
  return Schema(std::move(fields));
}

std::string Schema::ToJson() const {
  JsonWriter out;
  WriteStruct(out, fields_);
  return out.Take();
}

const Field* Schema::FindField(std::string_view name) const {
  const auto exact = std::ranges::find(fields_, name, &Field::name);
  if (exact != fields_.end()) return &*exact;
  const auto alike = std::ranges::find_if(
      fields_, [name](const Field& field) { return EqualIgnoringCase(field.name, name); });
  return alike == fields_.end() ? nullptr : &*alike;
}

}  // namespace vitalake::delta
