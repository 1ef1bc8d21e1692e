// The schema of a Delta table: types, fields, and their JSON form (metaData.schemaString).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::delta {

enum class TypeKind : uint8_t {
  kString,
  kLong,     // 64 bits
  kInteger,  // 32 bits
  kShort,
  kByte,
  kFloat,
  kDouble,
  kDecimal,
  kBoolean,
  kBinary,
  kDate,
  kTimestamp,     // microseconds, UTC
  kTimestampNtz,  // microseconds, no time zone
  kStruct,
  kArray,
  kMap,
};

struct Field;

// A type, nested ones with what they hold. A value: copy freely (children are shared and never
// change). Made by the factories below, so that each kind has exactly its own parts.
class DeltaType {
 public:
  DeltaType() = default;  // string
  // A kind without parts: everything but decimal, struct, array and map.
  explicit DeltaType(TypeKind primitive);
  // precision 1..38, scale 0..precision.
  static DeltaType Decimal(int precision, int scale);
  static DeltaType Struct(std::vector<Field> fields);
  static DeltaType Array(DeltaType element, bool contains_null);
  static DeltaType Map(DeltaType key, DeltaType value, bool value_contains_null);

  TypeKind kind() const { return kind_; }
  bool is_primitive() const { return kind_ < TypeKind::kStruct; }
  int precision() const { return precision_; }  // kDecimal
  int scale() const { return scale_; }          // kDecimal
  std::span<const Field> fields() const;        // kStruct
  const DeltaType& element() const;             // kArray
  const DeltaType& key() const;                 // kMap
  const DeltaType& value() const;               // kMap
  // kArray: elements may be null; kMap: values may be null.
  bool contains_null() const { return contains_null_; }

  // As Delta writes a primitive ("long", "decimal(10,2)"); "struct", "array", "map" for the rest.
  std::string name() const;
  // Same kind, parts, names, nullability and field metadata.
  bool operator==(const DeltaType& other) const;

 private:
  TypeKind kind_ = TypeKind::kString;
  bool contains_null_ = false;
  int precision_ = 0;
  int scale_ = 0;
  std::shared_ptr<const std::vector<Field>> fields_;        // kStruct
  std::shared_ptr<const std::vector<DeltaType>> children_;  // kArray: element; kMap: key, value
};

struct Field {
  std::string name{};
  DeltaType type{};
  bool nullable = true;
  std::string metadata = "{}";  // a JSON object, as text without needless white space

  bool operator==(const Field&) const = default;
};

// One column of a flat schema, for tables made in code.
struct Column {
  std::string name{};
  DeltaType type{};
  bool nullable = true;
};

class Schema {
 public:
  Schema() = default;
  explicit Schema(std::vector<Field> fields) : fields_(std::move(fields)) {}
  static Schema Flat(std::span<const Column> columns);

  // From schemaString. kCorrupt when it is not a schema; kUnsupported naming a type we do not know.
  // Source: Delta PROTOCOL, "Schema Serialization Format".
  static Result<Schema> FromJson(std::string_view json);
  std::string ToJson() const;

  std::span<const Field> fields() const { return fields_; }
  // The top-level field of that name, compared without regard to ASCII case as Delta's readers do;
  // an exact match is preferred. Null when there is none.
  const Field* FindField(std::string_view name) const;

  bool operator==(const Schema&) const = default;

 private:
  std::vector<Field> fields_;
};

}  // namespace vitalake::delta
