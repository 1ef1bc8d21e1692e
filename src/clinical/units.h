// Units of the vital signs: how they are written, and conversion to the canonical one.
// Source: The Unified Code for Units of Measure (https://ucum.org/ucum).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vitalake::clinical {

enum class Unit : uint8_t {
  kUnknown,
  kMmHg,
  kCmHg,
  kKPa,
  kPerMinute,
  kPerSecond,
  kPercent,
  kCelsius,
  kFahrenheit,
  kKelvin,
  kKilogram,
  kGram,
  kPound,
  kOunce,
  kCentimetre,
  kMetre,
  kMillimetre,
  kInch,
  kFoot,
  kKilogramPerSquareMetre,
  kMilligramPerDecilitre,
  kGramPerLitre,
  kMillimolePerLitre,
  kMicromolePerLitre,
  kLitrePerMinute,
  kMillilitrePerMinute,
};

// The unit meant by a UCUM code or a usual spelling ("mm[Hg]", "mmHg", "beats/minute", "degrees
// C"). Case, blanks and UCUM annotations ("{beats}/min") do not matter. kUnknown for all others and
// "".
Unit ParseUnit(std::string_view text);

// The UCUM code: "mm[Hg]". Empty for kUnknown.
std::string_view ToString(Unit unit);

// `value` in another unit; nullopt when they measure different things. kPa x 7.50062 = mm[Hg].
// Glucose in mg/dL and in mmol/L count as different things: each is compared in the unit sent.
std::optional<double> Convert(double value, Unit from, Unit to);

// The text that names the unit of a Quantity: its code when that is UCUM or of no stated system and
// not empty, else its unit, else its code. Empty when no unit was sent.
std::string_view UnitSent(std::string_view system, std::string_view code, std::string_view unit);

}  // namespace vitalake::clinical
