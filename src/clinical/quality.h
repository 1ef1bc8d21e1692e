// Quality tokens: what is to be remarked about a reading that was kept.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace vitalake::clinical {

// In the order in which they are written.
enum class Quality : uint8_t {
  kUnitAssumed,    // no unit was sent; the usual one was taken
  kConverted,      // the value was sent in another unit
  kTextNumber,     // a number was sent as a JSON string
  kTimeImprecise,  // no time, a date only, or a time without offset
  kClockAhead,     // 5 minutes to 26 hours ahead of the time of receipt
  kImplausible,    // kept, but out of baselines and averages
  kUnusual,        // used, but rare
  kPartial,        // systolic or diastolic is missing
  kOffScale,       // with a comparator: beyond what the device can measure
  kRepeatOf,       // the same reading came under another id
};
inline constexpr int kQualityCount = 10;

// A set of tokens. A value; copy freely.
class QualitySet {
 public:
  constexpr QualitySet() = default;
  constexpr QualitySet(std::initializer_list<Quality> tokens) {
    for (const Quality token : tokens) Add(token);
  }
  // Tokens separated by spaces; unknown words are left out.
  static QualitySet Parse(std::string_view text);

  constexpr void Add(Quality token) {
    bits_ |= static_cast<uint16_t>(1u << static_cast<int>(token));
  }
  constexpr void Add(QualitySet other) { bits_ |= other.bits_; }
  constexpr void Remove(Quality token) {
    bits_ &= static_cast<uint16_t>(~(1u << static_cast<int>(token)));
  }
  constexpr bool Has(Quality token) const { return (bits_ >> static_cast<int>(token)) & 1; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const QualitySet&) const = default;

  // "unit_assumed implausible"; "" for the empty set.
  std::string ToString() const;

 private:
  uint16_t bits_ = 0;
};

}  // namespace vitalake::clinical
