// Thrift's compact protocol as a tree of values: enough to change some fields of a Parquet footer
// and write everything else back as it was.
// Source: Apache Thrift, "Thrift Compact protocol encoding".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vitalake::engine {

enum class ThriftType : uint8_t {
  kTrue = 1,
  kFalse = 2,
  kI8 = 3,
  kI16 = 4,
  kI32 = 5,
  kI64 = 6,
  kDouble = 7,
  kBinary = 8,
  kList = 9,
  kSet = 10,
  kMap = 11,
  kStruct = 12,
};

struct ThriftValue {
  ThriftType type = ThriftType::kStruct;
  int64_t number = 0;                                     // kI8 to kI64
  std::string bytes{};                                    // kBinary; kDouble: its 8 bytes
  ThriftType item_type = ThriftType::kTrue;               // kList, kSet
  std::vector<ThriftValue> items{};                       // kList, kSet
  std::vector<std::pair<int16_t, ThriftValue>> fields{};  // kStruct, ascending by id

  bool operator==(const ThriftValue&) const = default;

  // Of a struct: the field, or null.
  const ThriftValue* Find(int16_t id) const;
  ThriftValue* Find(int16_t id);
  // Of a struct: an integer field, nullopt when it is missing or none.
  std::optional<int64_t> Int(int16_t id) const;
  // Sets an integer field that is there.
  void SetInt(int16_t id, int64_t value);
  // Adds a field, or puts it in the place of the one that is there.
  void Put(int16_t id, ThriftValue field);
  void Erase(int16_t id);
};

ThriftValue ThriftInt(ThriftType type, int64_t value);
inline ThriftValue ThriftInt32(int64_t value) { return ThriftInt(ThriftType::kI32, value); }
inline ThriftValue ThriftInt64(int64_t value) { return ThriftInt(ThriftType::kI64, value); }
ThriftValue ThriftBinary(std::string bytes);
ThriftValue ThriftBool(bool value);
ThriftValue ThriftList(ThriftType item_type, std::vector<ThriftValue> items);
// With this field alone: a value of a union.
ThriftValue ThriftUnion(int16_t id, ThriftValue field);

// A struct that fills `bytes`. kCorrupt when it does not parse; kUnsupported for maps.
Result<ThriftValue> ReadThriftStruct(std::string_view bytes);
// The struct at the beginning of some bytes, and how many it takes. Errors as above.
struct ThriftHead {
  ThriftValue value;
  size_t bytes = 0;
};
Result<ThriftHead> ReadThriftHead(std::string_view bytes);
std::string WriteThriftStruct(const ThriftValue& value);

}  // namespace vitalake::engine
