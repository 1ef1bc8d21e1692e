// Cells of a QueryResult as they lie in the engine's vectors, for writers of other formats: no text
// is made on the way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitalake::engine {

struct TypeInfo;

__extension__ using Int128 = __int128;

enum class TypeId : uint8_t {
  kNull,  // the type of a bare NULL
  kBoolean,
  kTinyInt,
  kSmallInt,
  kInteger,
  kBigInt,
  kUTinyInt,
  kUSmallInt,
  kUInteger,
  kUBigInt,
  kHugeInt,
  kUHugeInt,
  kFloat,
  kDouble,
  kDecimal,
  kVarchar,
  kJson,
  kBlob,
  kEnum,
  kDate,
  kTime,
  kTimestamp,    // of any unit
  kTimestampTz,  // a moment
  kInterval,
  kUuid,
  kList,  // and arrays of a fixed size
  kStruct,
  kMap,
  kUnknown,  // not known before the statement runs, or of no use outside the engine
};

struct ResultType {
  TypeId id = TypeId::kUnknown;
  uint8_t width = 0;                      // kDecimal: digits in all
  uint8_t scale = 0;                      // kDecimal: digits behind the point
  bool letters = false;                   // kEnum: each of its values is one character, or none
  std::vector<ResultType> children = {};  // kList: of its items
};

struct IntervalValue {
  int32_t months = 0;
  int32_t days = 0;
  int64_t micros = 0;
};

// One cell of the current row (or an item of a list in it); copy freely, gone with the next row.
// A getter of another type than the cell's is a bug.
class ResultCell {
 public:
  ResultCell(const TypeInfo* type, void* vector, uint64_t row);
  // `data` and `validity` are the vector's.
  ResultCell(const TypeInfo* type, void* vector, const void* data, const uint64_t* validity,
             uint64_t row);

  bool is_null() const {
    return is_bare_null_ || (validity_ && !(validity_[row_ / 64] >> (row_ % 64) & 1));
  }
  bool Bool() const;
  // Integers that fit; kDate: days, kTime and timestamps: microseconds (of the day, since 1970).
  int64_t Int64() const;
  uint64_t UInt64() const;  // kUBigInt
  // kHugeInt: the value; kDecimal: value * 10^scale; kUuid: its 128 bits.
  Int128 Wide() const;
  double Double() const;            // kFloat (exact), kDouble
  std::string_view String() const;  // kVarchar, kJson, kBlob, kEnum
  IntervalValue Interval() const;
  uint64_t items() const;  // kList
  ResultCell Item(uint64_t i) const;
  // As QueryResult does it.
  void AppendText(std::string& out) const;
  void AppendJson(std::string& out) const;

 private:
  const TypeInfo* type_;
  void* vector_;
  const void* data_;
  const uint64_t* validity_;
  uint64_t row_;
  bool is_bare_null_;  // of a type without values
};

}  // namespace vitalake::engine
