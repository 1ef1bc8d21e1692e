#include "serve/postgres/types.h"

#include <algorithm>
#include <array>

namespace vitalake::serve {
namespace {

using engine::ResultType;
using engine::TypeId;

struct TypeRow {
  PgType type;
  int16_t size;
  int32_t array;
  std::string_view sql;  // the engine's name, for parameters
};

// Source: pg_type of PostgreSQL 15.
constexpr std::array kTypes = {
    TypeRow{PgType::kBool, 1, 1000, "BOOLEAN"},
    TypeRow{PgType::kBytea, -1, 1001, "BLOB"},
    TypeRow{PgType::kChar, 1, 1002, "VARCHAR"},
    TypeRow{PgType::kName, 64, 1003, "VARCHAR"},
    TypeRow{PgType::kInt8, 8, 1016, "BIGINT"},
    TypeRow{PgType::kInt2, 2, 1005, "SMALLINT"},
    TypeRow{PgType::kInt4, 4, 1007, "INTEGER"},
    TypeRow{PgType::kRegproc, 4, 1008, "VARCHAR"},
    TypeRow{PgType::kText, -1, 1009, "VARCHAR"},
    TypeRow{PgType::kOid, 4, 1028, "UINTEGER"},
    TypeRow{PgType::kXid, 4, 1011, "UINTEGER"},
    TypeRow{PgType::kJson, -1, 199, "JSON"},
    TypeRow{PgType::kFloat4, 4, 1021, "FLOAT"},
    TypeRow{PgType::kFloat8, 8, 1022, "DOUBLE"},
    TypeRow{PgType::kBpchar, -1, 1014, "VARCHAR"},
    TypeRow{PgType::kVarchar, -1, 1015, "VARCHAR"},
    TypeRow{PgType::kDate, 4, 1182, "DATE"},
    TypeRow{PgType::kTime, 8, 1183, "TIME"},
    TypeRow{PgType::kTimestamp, 8, 1115, "TIMESTAMP"},
    TypeRow{PgType::kTimestampTz, 8, 1185, "TIMESTAMP WITH TIME ZONE"},
    TypeRow{PgType::kInterval, 16, 1187, "INTERVAL"},
    TypeRow{PgType::kNumeric, -1, 1231, "DECIMAL(38,10)"},
    TypeRow{PgType::kRegclass, 4, 2210, "UINTEGER"},
    TypeRow{PgType::kRegtype, 4, 2211, "UINTEGER"},
    TypeRow{PgType::kUuid, 16, 2951, "UUID"},
    TypeRow{PgType::kJsonb, -1, 3807, "JSON"},
};

constexpr std::array kArrayNames = {
    "BOOLEAN[]",
    "BLOB[]",
    "VARCHAR[]",
    "BIGINT[]",
    "UINTEGER[]",
    "SMALLINT[]",
    "INTEGER[]",
    "FLOAT[]",
    "DOUBLE[]",
    "DATE[]",
    "TIME[]",
    "TIMESTAMP[]",
    "TIMESTAMP WITH TIME ZONE[]",
    "INTERVAL[]",
    "UUID[]",
    "JSON[]",
    "DECIMAL(38,10)[]",
};

const TypeRow* Find(int32_t oid) {
  for (const TypeRow& row : kTypes) {
    if (static_cast<int32_t>(row.type) == oid) return &row;
  }
  return nullptr;
}

PgType PgTypeOf(const ResultType& type) {
  switch (type.id) {
    case TypeId::kBoolean:
      return PgType::kBool;
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kUTinyInt:
      return PgType::kInt2;
    case TypeId::kInteger:
    case TypeId::kUSmallInt:
      return PgType::kInt4;
    case TypeId::kBigInt:
      return PgType::kInt8;
    case TypeId::kUInteger:
      return PgType::kOid;
    case TypeId::kEnum:
      return type.letters ? PgType::kChar : PgType::kText;
    case TypeId::kUBigInt:
    case TypeId::kHugeInt:
    case TypeId::kDecimal:
      return PgType::kNumeric;
    case TypeId::kFloat:
      return PgType::kFloat4;
    case TypeId::kDouble:
      return PgType::kFloat8;
    case TypeId::kJson:
    case TypeId::kStruct:
    case TypeId::kMap:
      return PgType::kJson;
    case TypeId::kBlob:
      return PgType::kBytea;
    case TypeId::kDate:
      return PgType::kDate;
    case TypeId::kTime:
      return PgType::kTime;
    case TypeId::kTimestamp:
      return PgType::kTimestamp;
    case TypeId::kTimestampTz:
      return PgType::kTimestampTz;
    case TypeId::kInterval:
      return PgType::kInterval;
    case TypeId::kUuid:
      return PgType::kUuid;
    default:
      return PgType::kText;
  }
}

}  // namespace

bool IsPgArray(const ResultType& type) {
  if (type.id != TypeId::kList) return false;
  const TypeId item = type.children[0].id;
  return item != TypeId::kList && item != TypeId::kStruct && item != TypeId::kMap;
}

PgColumn PgColumnOf(std::string name, const ResultType& type) {
  PgColumn column{.name = std::move(name)};
  if (IsPgArray(type)) {
    column.oid = PgArrayOf(static_cast<int32_t>(PgTypeOf(type.children[0])));
    return column;
  }
  const PgType known = type.id == TypeId::kList ? PgType::kJson : PgTypeOf(type);
  column.oid = static_cast<int32_t>(known);
  column.size = Find(column.oid)->size;
  if (type.id == TypeId::kDecimal) column.modifier = (type.width << 16 | type.scale) + 4;
  return column;
}

int32_t PgArrayOf(int32_t item) {
  const TypeRow* const row = Find(item);
  return row ? row->array : 0;
}

int32_t PgItemOf(int32_t array) {
  for (const TypeRow& row : kTypes) {
    if (row.array == array) return static_cast<int32_t>(row.type);
  }
  return 0;
}

int32_t PgTypeNamed(std::string_view name) {
  struct NamedType {
    std::string_view name;
    PgType type;
  };
  constexpr std::array kNames = {
      NamedType{"bool", PgType::kBool},
      NamedType{"boolean", PgType::kBool},
      NamedType{"bytea", PgType::kBytea},
      NamedType{"name", PgType::kName},
      NamedType{"int8", PgType::kInt8},
      NamedType{"bigint", PgType::kInt8},
      NamedType{"int2", PgType::kInt2},
      NamedType{"smallint", PgType::kInt2},
      NamedType{"int4", PgType::kInt4},
      NamedType{"int", PgType::kInt4},
      NamedType{"integer", PgType::kInt4},
      NamedType{"text", PgType::kText},
      NamedType{"oid", PgType::kOid},
      NamedType{"xid", PgType::kXid},
      NamedType{"json", PgType::kJson},
      NamedType{"float4", PgType::kFloat4},
      NamedType{"real", PgType::kFloat4},
      NamedType{"float8", PgType::kFloat8},
      NamedType{"bpchar", PgType::kBpchar},
      NamedType{"varchar", PgType::kVarchar},
      NamedType{"date", PgType::kDate},
      NamedType{"time", PgType::kTime},
      NamedType{"timestamp", PgType::kTimestamp},
      NamedType{"timestamptz", PgType::kTimestampTz},
      NamedType{"interval", PgType::kInterval},
      NamedType{"numeric", PgType::kNumeric},
      NamedType{"decimal", PgType::kNumeric},
      NamedType{"uuid", PgType::kUuid},
      NamedType{"jsonb", PgType::kJsonb},
  };
  const auto found = std::ranges::find(kNames, name, &NamedType::name);
  return found == kNames.end() ? 0 : static_cast<int32_t>(found->type);
}

std::string_view SqlTypeOf(int32_t oid) {
  if (const TypeRow* const row = Find(oid)) return row->sql;
  const TypeRow* const item = Find(PgItemOf(oid));
  if (!item) return {};
  for (const std::string_view name : kArrayNames) {
    if (name.substr(0, name.size() - 2) == item->sql) return name;
  }
  return {};
}

}  // namespace vitalake::serve
