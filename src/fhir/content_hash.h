// Content hash: two resources with the same content have the same one, however they are written.
#pragma once

#include "base/hash.h"
#include "base/json_tree.h"

namespace vitalake::fhir {

// The hash of a value. White space, the order of members and escapes in strings do not matter; the
// order of array items does; numbers count by their text (1.0 is not 1). References should have
// been resolved before. Stable: the same on every machine and in every version of the product.
Hash128 ValueHash(JsonValue value);

// The hash of a resource without its top-level `meta` and `text`.
Hash128 ContentHash(JsonValue resource);

// The sum of hashes of members of one object, in any order. For hashes over chosen members.
class MemberHash {
 public:
  // Adds `value` under a name of the caller's choice.
  void Add(std::string_view name, const Hash128& value);
  // Adds a member under its own name.
  void Add(JsonValue member);
  Hash128 Value() const;

 private:
  Hash128 sum_;
  uint64_t count_ = 0;
};

}  // namespace vitalake::fhir
