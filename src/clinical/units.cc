#include "clinical/units.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace vitalake::clinical {
namespace {

enum class Dimension : uint8_t {
  kNone,
  kPressure,
  kRate,
  kShare,
  kTemperature,
  kMass,
  kLength,
  kMassByArea,
  kMassConcentration,
  kMolarConcentration,
  kFlow,
};

// base = (value - zero) x numerator / denominator: exact where the definition is.
struct UnitInfo {
  Unit unit;
  std::string_view ucum;
  Dimension dimension;
  double numerator = 1, denominator = 1, zero = 0;
};

constexpr UnitInfo kUnits[] = {
    {Unit::kUnknown, "", Dimension::kNone},
    {Unit::kMmHg, "mm[Hg]", Dimension::kPressure},
    {Unit::kCmHg, "cm[Hg]", Dimension::kPressure, 10},
    {Unit::kKPa, "kPa", Dimension::kPressure, 7.50062},
    {Unit::kPerMinute, "/min", Dimension::kRate},
    {Unit::kPerSecond, "/s", Dimension::kRate, 60},
    {Unit::kPercent, "%", Dimension::kShare},
    {Unit::kCelsius, "Cel", Dimension::kTemperature},
    {Unit::kFahrenheit, "[degF]", Dimension::kTemperature, 5, 9, 32},
    {Unit::kKelvin, "K", Dimension::kTemperature, 1, 1, 273.15},
    {Unit::kKilogram, "kg", Dimension::kMass},
    {Unit::kGram, "g", Dimension::kMass, 1, 1000},
    {Unit::kPound, "[lb_av]", Dimension::kMass, 0.45359237},
    {Unit::kOunce, "[oz_av]", Dimension::kMass, 0.45359237, 16},
    {Unit::kCentimetre, "cm", Dimension::kLength},
    {Unit::kMetre, "m", Dimension::kLength, 100},
    {Unit::kMillimetre, "mm", Dimension::kLength, 1, 10},
    {Unit::kInch, "[in_i]", Dimension::kLength, 2.54},
    {Unit::kFoot, "[ft_i]", Dimension::kLength, 30.48},
    {Unit::kKilogramPerSquareMetre, "kg/m2", Dimension::kMassByArea},
    {Unit::kMilligramPerDecilitre, "mg/dL", Dimension::kMassConcentration},
    {Unit::kGramPerLitre, "g/L", Dimension::kMassConcentration, 100},
    {Unit::kMillimolePerLitre, "mmol/L", Dimension::kMolarConcentration},
    {Unit::kMicromolePerLitre, "umol/L", Dimension::kMolarConcentration, 1, 1000},
    {Unit::kLitrePerMinute, "L/min", Dimension::kFlow},
    {Unit::kMillilitrePerMinute, "mL/min", Dimension::kFlow, 1, 1000},
};

constexpr const UnitInfo& Info(Unit unit) { return kUnits[static_cast<size_t>(unit)]; }

constexpr bool InOrder() {
  for (size_t i = 0; i < std::size(kUnits); ++i) {
    if (static_cast<size_t>(kUnits[i].unit) != i) return false;
  }
  return true;
}
static_assert(InOrder());

// Spellings beside the UCUM code, in lower case and without blanks.
struct Spelling {
  std::string_view text;
  Unit unit;
};
constexpr Spelling kSpellings[] = {
    {"mmhg", Unit::kMmHg},
    {"millimeterofmercury", Unit::kMmHg},
    {"millimetersofmercury", Unit::kMmHg},
    {"millimetreofmercury", Unit::kMmHg},
    {"millimetresofmercury", Unit::kMmHg},
    {"torr", Unit::kMmHg},
    {"cmhg", Unit::kCmHg},
    {"kilopascal", Unit::kKPa},
    {"1/min", Unit::kPerMinute},
    {"min-1", Unit::kPerMinute},
    {"/minute", Unit::kPerMinute},
    {"perminute", Unit::kPerMinute},
    {"permin", Unit::kPerMinute},
    {"bpm", Unit::kPerMinute},
    {"beats/min", Unit::kPerMinute},
    {"beats/minute", Unit::kPerMinute},
    {"beatsperminute", Unit::kPerMinute},
    {"breaths/min", Unit::kPerMinute},
    {"breaths/minute", Unit::kPerMinute},
    {"breathsperminute", Unit::kPerMinute},
    {"1/s", Unit::kPerSecond},
    {"hz", Unit::kPerSecond},
    {"percent", Unit::kPercent},
    {"c", Unit::kCelsius},
    {"\u00b0c", Unit::kCelsius},
    {"degc", Unit::kCelsius},
    {"degreec", Unit::kCelsius},
    {"degreesc", Unit::kCelsius},
    {"celsius", Unit::kCelsius},
    {"degreecelsius", Unit::kCelsius},
    {"degreescelsius", Unit::kCelsius},
    {"f", Unit::kFahrenheit},
    {"\u00b0f", Unit::kFahrenheit},
    {"degf", Unit::kFahrenheit},
    {"degreef", Unit::kFahrenheit},
    {"degreesf", Unit::kFahrenheit},
    {"fahrenheit", Unit::kFahrenheit},
    {"degreefahrenheit", Unit::kFahrenheit},
    {"degreesfahrenheit", Unit::kFahrenheit},
    {"kelvin", Unit::kKelvin},
    {"kgs", Unit::kKilogram},
    {"kilogram", Unit::kKilogram},
    {"kilograms", Unit::kKilogram},
    {"gram", Unit::kGram},
    {"grams", Unit::kGram},
    {"lb", Unit::kPound},
    {"lbs", Unit::kPound},
    {"pound", Unit::kPound},
    {"pounds", Unit::kPound},
    {"oz", Unit::kOunce},
    {"ounce", Unit::kOunce},
    {"ounces", Unit::kOunce},
    {"centimeter", Unit::kCentimetre},
    {"centimeters", Unit::kCentimetre},
    {"centimetre", Unit::kCentimetre},
    {"centimetres", Unit::kCentimetre},
    {"meter", Unit::kMetre},
    {"meters", Unit::kMetre},
    {"metre", Unit::kMetre},
    {"metres", Unit::kMetre},
    {"millimeter", Unit::kMillimetre},
    {"millimetre", Unit::kMillimetre},
    {"in", Unit::kInch},
    {"inch", Unit::kInch},
    {"inches", Unit::kInch},
    {"ft", Unit::kFoot},
    {"feet", Unit::kFoot},
    {"kg/m^2", Unit::kKilogramPerSquareMetre},
    {"kg/m*2", Unit::kKilogramPerSquareMetre},
    {"kg/m\u00b2", Unit::kKilogramPerSquareMetre},
    {"kg.m-2", Unit::kKilogramPerSquareMetre},
    {"mg/100ml", Unit::kMilligramPerDecilitre},
    {"liter/min", Unit::kLitrePerMinute},
    {"liters/min", Unit::kLitrePerMinute},
    {"litre/min", Unit::kLitrePerMinute},
    {"litres/min", Unit::kLitrePerMinute},
    {"liters/minute", Unit::kLitrePerMinute},
    {"litres/minute", Unit::kLitrePerMinute},
    {"lpm", Unit::kLitrePerMinute},
};

constexpr size_t kLongest = 32;

// In lower case, without blanks and UCUM annotations ("{beats}/min" is "/min"), in `buffer`; empty
// when longer than any spelling.
std::string_view Fold(std::string_view text, std::array<char, kLongest>& buffer) {
  size_t size = 0;
  bool annotation = false;
  for (const char c : text) {
    annotation |= c == '{';
    const bool skip = annotation || c == ' ' || c == '\t';
    annotation &= c != '}';
    if (skip) continue;
    if (size == buffer.size()) return {};
    buffer[size++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return {buffer.data(), size};
}

Unit ParseFolded(std::string_view text) {
  std::array<char, kLongest> buffer, other;
  const std::string_view folded = Fold(text, buffer);
  if (folded.empty()) return Unit::kUnknown;
  for (const UnitInfo& info : kUnits) {
    if (Fold(info.ucum, other) == folded) return info.unit;
  }
  for (const Spelling& spelling : kSpellings) {
    if (spelling.text == folded) return spelling.unit;
  }
  return Unit::kUnknown;
}

}  // namespace

Unit ParseUnit(std::string_view text) {
  if (text.empty()) return Unit::kUnknown;
  for (const UnitInfo& info : kUnits) {
    if (info.ucum == text) return info.unit;
  }
  return ParseFolded(text);
}

std::string_view ToString(Unit unit) { return Info(unit).ucum; }

std::optional<double> Convert(double value, Unit from, Unit to) {
  const UnitInfo &a = Info(from), &b = Info(to);
  if (a.dimension != b.dimension || a.dimension == Dimension::kNone) return std::nullopt;
  if (from == to) return value;
  const double base = (value - a.zero) * a.numerator / a.denominator;
  return base * b.denominator / b.numerator + b.zero;
}

std::string_view UnitSent(std::string_view system, std::string_view code, std::string_view unit) {
  const bool ucum = system.empty() || system == "http://unitsofmeasure.org";
  if (!code.empty() && (ucum || unit.empty())) return code;
  return unit;
}

}  // namespace vitalake::clinical
