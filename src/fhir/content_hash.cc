#include "fhir/content_hash.h"

#include <array>
#include <atomic>
#include <memory>

// 1. A scalar's hash is that of its text, seeded with its type.
// 2. An array's folds its items' hashes in order.
// 3. An object's adds up (modulo 2^64, so that order does not matter) a mixture of name and value
//    for each member, and mixes the sum with the number of members.
namespace vitalake::fhir {
namespace {

// Seeds and factors: any odd numbers would do, but stored hashes depend on them.
constexpr uint64_t kNameSeed = 0x9E3779B97F4A7C15;
constexpr uint64_t kArraySeed = 0xC2B2AE3D27D4EB4F;
constexpr uint64_t kObjectSeed = 0x165667B19E3779F9;
constexpr uint64_t kHighFactor = 0xD6E8FEB86659FD93;
constexpr uint64_t kLowFactor = 0xA0761D6478BD642F;

__extension__ using Wide = unsigned __int128;

// The two halves of a product, folded: every bit of the result depends on all bits of both.
uint64_t Fold(uint64_t a, uint64_t b) {
  const Wide product = Wide{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

Hash128 Mix(const Hash128& a, const Hash128& b) {
  return {Fold(a.high ^ kHighFactor, b.high + kLowFactor) ^ b.low,
          Fold(a.low ^ kLowFactor, b.low + kHighFactor) + b.high};
}

// Hashes of interned names, filled when first asked for; 0 is "not yet". A name's hash depends on
// its text alone, so threads that race write the same value.
uint64_t NameHash(JsonValue member) {
  static const auto known = std::make_unique<std::atomic<uint64_t>[]>(65536);
  const Symbol symbol = member.symbol();
  if (symbol == 0) return Hash64(member.key(), kNameSeed);
  std::atomic<uint64_t>& slot = known[symbol];
  uint64_t hash = slot.load(std::memory_order_relaxed);
  if (hash == 0) {
    hash = Hash64(member.key(), kNameSeed);
    slot.store(hash, std::memory_order_relaxed);
  }
  return hash;
}

Hash128 MemberOf(uint64_t name, const Hash128& value) { return Mix({name, ~name}, value); }

Hash128 ScalarHash(JsonValue value) {
  return HashBytes(value.text(), static_cast<uint64_t>(value.type()) + 1);
}

Hash128 ArrayHash(JsonValue array) {
  Hash128 hash{kArraySeed, array.size()};
  for (const JsonValue item : array.children()) hash = Mix(hash, ValueHash(item));
  return hash;
}

}  // namespace

void MemberHash::Add(std::string_view name, const Hash128& value) {
  const Hash128 mixed = MemberOf(Hash64(name, kNameSeed), value);
  sum_.high += mixed.high;
  sum_.low += mixed.low;
  ++count_;
}

void MemberHash::Add(JsonValue member) {
  const Hash128 mixed = MemberOf(NameHash(member), ValueHash(member));
  sum_.high += mixed.high;
  sum_.low += mixed.low;
  ++count_;
}

Hash128 MemberHash::Value() const { return Mix({kObjectSeed, count_}, sum_); }

Hash128 ValueHash(JsonValue value) {
  switch (value.type()) {
    case JsonType::kObject: {
      MemberHash members;
      for (const JsonValue member : value.children()) members.Add(member);
      return members.Value();
    }
    case JsonType::kArray:
      return ArrayHash(value);
    default:
      return ScalarHash(value);
  }
}

Hash128 ContentHash(JsonValue resource) {
  if (!resource.is_object()) return ValueHash(resource);
  MemberHash members;
  for (const JsonValue member : resource.children()) {
    if (member.key() != "meta" && member.key() != "text") members.Add(member);
  }
  return members.Value();
}

}  // namespace vitalake::fhir
