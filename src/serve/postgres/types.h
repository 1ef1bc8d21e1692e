// What PostgreSQL calls the types of results, and cells in its text and binary formats.
//
// Source: PostgreSQL documentation, "Data Types" and "Protocol: Formats and Format Codes"; binary
// formats as its *_send functions document them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace vitalake::serve {

// Object ids of types, as in PostgreSQL's pg_type.
enum class PgType : int32_t {
  kUnspecified = 0,
  kBool = 16,
  kBytea = 17,
  kChar = 18,
  kName = 19,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kRegproc = 24,
  kText = 25,
  kOid = 26,
  kXid = 28,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kUnknown = 705,
  kBpchar = 1042,
  kVarchar = 1043,
  kDate = 1082,
  kTime = 1083,
  kTimestamp = 1114,
  kTimestampTz = 1184,
  kInterval = 1186,
  kNumeric = 1700,
  kRegclass = 2205,
  kRegtype = 2206,
  kUuid = 2950,
  kJsonb = 3802,
};

// A column of a result as RowDescription tells it.
struct PgColumn {
  std::string name;
  int32_t oid = 0;
  int16_t size = -1;  // in bytes; -1: it varies
  int32_t modifier = -1;
};

// A type without a counterpart is given as text; STRUCT and MAP, and lists of those, as json. Of
// the engine's types UINTEGER is oid, and an ENUM of single characters "char"
// (catalog/30_types.sql).
PgColumn PgColumnOf(std::string name, const engine::ResultType& type);

// Whether a list is an array in PostgreSQL's sense here.
bool IsPgArray(const engine::ResultType& type);

// The oid of an array of such items, and the other way round; 0 when there is none.
int32_t PgArrayOf(int32_t item);
int32_t PgItemOf(int32_t array);

enum class PgFormat : int16_t { kText = 0, kBinary = 1 };

// Appends the value of a cell that is not null, without a length before it.
void AppendPgText(const engine::ResultCell& cell, const engine::ResultType& type, std::string& out);
// In binary; `oid` as PgColumnOf gave it.
void AppendPgBinary(const engine::ResultCell& cell, const engine::ResultType& type,
                    std::string& out);
// The value with its length before it, or -1: a cell that is null.
void AppendPgField(const engine::ResultCell& cell, const engine::ResultType& type, PgFormat format,
                   std::string& out);

// The oid of a type by its name of one word; 0 when it is not known here.
int32_t PgTypeNamed(std::string_view name);

// The SQL name of a type a client gave for a parameter; "" when it is not known here.
std::string_view SqlTypeOf(int32_t oid);
// A parameter's value as a client sent it, as the engine takes it. kInvalidArgument: it is not a
// value of the type; kUnsupported: no binary format is known for it.
Result<engine::Parameter> ReadPgParameter(std::string_view bytes, PgFormat format, int32_t oid);

}  // namespace vitalake::serve
