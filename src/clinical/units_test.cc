#include "clinical/units.h"

#include <gtest/gtest.h>

namespace vitalake::clinical {
namespace {

TEST(UnitsTest, ReadsUcumCodesAndSpellings) {
  const struct {
    std::string_view text;
    Unit unit;
  } cases[] = {{"mm[Hg]", Unit::kMmHg},
               {"mmHg", Unit::kMmHg},
               {"mm Hg", Unit::kMmHg},
               {"MMHG", Unit::kMmHg},
               {"kPa", Unit::kKPa},
               {"cm[Hg]", Unit::kCmHg},
               {"/min", Unit::kPerMinute},
               {"{beats}/min", Unit::kPerMinute},
               {"beats/minute", Unit::kPerMinute},
               {"bpm", Unit::kPerMinute},
               {"breaths/minute", Unit::kPerMinute},
               {"%", Unit::kPercent},
               {"%{oxygen}", Unit::kPercent},
               {"Cel", Unit::kCelsius},
               {"C", Unit::kCelsius},
               {"\u00b0C", Unit::kCelsius},
               {"degrees C", Unit::kCelsius},
               {"F", Unit::kFahrenheit},
               {"[degF]", Unit::kFahrenheit},
               {"kg", Unit::kKilogram},
               {"lbs", Unit::kPound},
               {"[lb_av]", Unit::kPound},
               {"[in_i]", Unit::kInch},
               {"in", Unit::kInch},
               {"kg/m2", Unit::kKilogramPerSquareMetre},
               {"mmol/l", Unit::kMillimolePerLitre},
               {"mg/dL", Unit::kMilligramPerDecilitre},
               {"L/min", Unit::kLitrePerMinute},
               {"", Unit::kUnknown},
               {"{score}", Unit::kUnknown},
               {"furlong", Unit::kUnknown},
               {"mm[Hg]2", Unit::kUnknown},
               {"a unit much longer than every spelling there is", Unit::kUnknown}};
  for (const auto& c : cases) EXPECT_EQ(ParseUnit(c.text), c.unit) << c.text;
}

TEST(UnitsTest, Converts) {
  const struct {
    double value;
    Unit from, to;
    double wanted;
  } cases[] = {{16, Unit::kKPa, Unit::kMmHg, 120.00992},
               {12, Unit::kCmHg, Unit::kMmHg, 120},
               {98.6, Unit::kFahrenheit, Unit::kCelsius, 37},
               {212, Unit::kFahrenheit, Unit::kCelsius, 100},
               {310.15, Unit::kKelvin, Unit::kCelsius, 37},
               {185, Unit::kPound, Unit::kKilogram, 83.91458845},
               {3500, Unit::kGram, Unit::kKilogram, 3.5},
               {16, Unit::kOunce, Unit::kKilogram, 0.45359237},
               {66.9, Unit::kInch, Unit::kCentimetre, 169.926},
               {1.82, Unit::kMetre, Unit::kCentimetre, 182},
               {6, Unit::kFoot, Unit::kCentimetre, 182.88},
               {1, Unit::kPerSecond, Unit::kPerMinute, 60},
               {1, Unit::kGramPerLitre, Unit::kMilligramPerDecilitre, 100},
               {5500, Unit::kMicromolePerLitre, Unit::kMillimolePerLitre, 5.5},
               {500, Unit::kMillilitrePerMinute, Unit::kLitrePerMinute, 0.5}};
  for (const auto& c : cases) {
    const auto value = Convert(c.value, c.from, c.to);
    ASSERT_TRUE(value) << ToString(c.from);
    EXPECT_NEAR(*value, c.wanted, 1e-9 * c.wanted) << ToString(c.from);
    EXPECT_NEAR(*Convert(*value, c.to, c.from), c.value, 1e-9 * c.value) << ToString(c.from);
  }
}

TEST(UnitsTest, DoesNotConvertAcrossDimensions) {
  EXPECT_FALSE(Convert(100, Unit::kMilligramPerDecilitre, Unit::kMillimolePerLitre));
  EXPECT_FALSE(Convert(1, Unit::kMmHg, Unit::kCelsius));
  EXPECT_FALSE(Convert(1, Unit::kUnknown, Unit::kUnknown));
}

TEST(UnitsTest, PrefersTheUcumCode) {
  EXPECT_EQ(UnitSent("http://unitsofmeasure.org", "kPa", "mmHg"), "kPa");
  EXPECT_EQ(UnitSent("", "kPa", "mmHg"), "kPa");
  EXPECT_EQ(UnitSent("urn:iso:std:iso:11073:10101", "266016", "mmHg"), "mmHg");
  EXPECT_EQ(UnitSent("urn:iso:std:iso:11073:10101", "266016", ""), "266016");
  EXPECT_EQ(UnitSent("http://unitsofmeasure.org", "", "mmHg"), "mmHg");
  EXPECT_EQ(UnitSent("http://unitsofmeasure.org", "", ""), "");
}

}  // namespace
}  // namespace vitalake::clinical
