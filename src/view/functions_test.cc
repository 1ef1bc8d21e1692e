#include "view/functions.h"

#include <gtest/gtest.h>

#include "view/parser.h"

namespace vitalake::view {
namespace {

TEST(ReferenceKey, OfLiteralReferencesOnly) {
  EXPECT_EQ(ReferenceKey("Patient/x", ""), "x");
  EXPECT_EQ(ReferenceKey("Patient/x", "Patient"), "x");
  EXPECT_EQ(ReferenceKey("Patient/x", "Group"), "");
  EXPECT_EQ(ReferenceKey("Patient/x/_history/3", "Patient"), "x");
  EXPECT_EQ(ReferenceKey("http://h.org/fhir/Patient/x", "Patient"), "x");
  EXPECT_EQ(ReferenceKey("https://h.org:8080/Patient/x/_history/1", "Patient"), "x");
  for (std::string_view none :
       {"", "x", "#x", "/x", "Patient/", "urn:uuid:1-2", "urn:oid:1.2", "Patient?identifier=a/b",
        "Patient/x?y=z", "http://h.org", "patient/x"}) {
    EXPECT_EQ(ReferenceKey(none, ""), "") << none;
  }
}

// What the expression gives over the resource, items joined by ';'; "fault: ..." when it fails.
std::string Evaluate(std::string_view expression, std::string_view resource = R"({"a":1})") {
  const auto path = ParsePath(expression, {});
  if (!path) return "error: " + path.error().message;
  JsonParser parser;
  Env env;
  env.focus = env.resource = Item::Node(*parser.Parse(resource));
  std::string out;
  for (const Item& item : Collect(*path->expr, env)) {
    const Item atom = Atom(item);
    if (!out.empty()) out += ';';
    if (atom.kind == ItemKind::kBoolean)
      out += atom.integer ? "true" : "false";
    else if (atom.kind == ItemKind::kInteger)
      out += std::to_string(atom.integer);
    else
      out += atom.text;
  }
  return env.failed() ? "fault: " + env.fault() : out;
}

// FHIRPath 2.0, union and first(): the union keeps the order of what was not there before.
TEST(FhirPath, FirstOfAUnionIsTheFirstItemOfTheFirstThatHasOne) {
  const std::string_view resource = R"({"a":[],"b":["x","y"],"c":"z","d":[["p"],["q"]]})";
  EXPECT_EQ(Evaluate("(a | b | c).first()", resource), "x");
  EXPECT_EQ(Evaluate("(none | c | b)[0]", resource), "z");
  EXPECT_EQ(Evaluate("(none | (a | c)).first()", resource), "z");
  EXPECT_EQ(Evaluate("(b.where($this = 'y') | c).first()", resource), "y");
  EXPECT_EQ(Evaluate("(b.skip(1) | b).first()", resource), "y");
  EXPECT_EQ(Evaluate("(d | c).first()", resource), "p");
  EXPECT_EQ(Evaluate("(a | none).first()", resource), "");
  EXPECT_EQ(Evaluate("(a | none).first().exists()", resource), "false");
  EXPECT_EQ(Evaluate("(c | b).first() & (b | c).first()", resource), "zx");
  EXPECT_EQ(Evaluate("(b | c | b).count()", resource), "3");
}

// FHIRPath 2.0, Boolean logic: the tables of and, or, xor, implies.
TEST(FhirPath, ThreeValuedLogic) {
  const std::string_view values[] = {"true", "false", "{}"};
  const std::string_view expected_and[] = {"true",  "false", "",      "false", "false",
                                           "false", "",      "false", ""};
  const std::string_view expected_or[] = {"true", "true", "true", "true", "false",
                                          "",     "true", "",     ""};
  const std::string_view expected_xor[] = {"false", "true", "", "true", "false", "", "", "", ""};
  const std::string_view expected_implies[] = {"true", "false", "", "true", "true",
                                               "true", "true",  "", ""};
  for (size_t i = 0; i < 9; ++i) {
    const std::string a(values[i / 3]), b(values[i % 3]);
    EXPECT_EQ(Evaluate(a + " and " + b), expected_and[i]) << a << " and " << b;
    EXPECT_EQ(Evaluate(a + " or " + b), expected_or[i]) << a << " or " << b;
    EXPECT_EQ(Evaluate(a + " xor " + b), expected_xor[i]) << a << " xor " << b;
    EXPECT_EQ(Evaluate(a + " implies " + b), expected_implies[i]) << a << " implies " << b;
  }
}

TEST(FhirPath, ChoiceElements) {
  constexpr std::string_view kResource = R"({"valueCode":"c","extension":[
      {"url":"q","valueQuantity":{"value":1.20,"unit":"g"}},{"url":"s","valueString":"t"}]})";
  EXPECT_EQ(Evaluate("value", kResource), "c");
  EXPECT_EQ(Evaluate("value.ofType(string)", kResource), "c");  // code is a string
  EXPECT_EQ(Evaluate("value.ofType(Quantity)", kResource), "");
  EXPECT_EQ(Evaluate("value is code", kResource), "true");
  EXPECT_EQ(Evaluate("extension.value.ofType(Quantity).value", kResource), "1.20");
  EXPECT_EQ(Evaluate("extension('s').value", kResource), "t");
  EXPECT_EQ(Evaluate("(extension('q').value as Quantity).unit", kResource), "g");
}

TEST(FhirPath, FirstIsOfEverythingSoFar) {
  constexpr std::string_view kResource =
      R"({"a":[{"b":[]},{"b":[{"c":[1,2]},{"c":[3]}]},{"b":[{"c":4}]}]})";
  EXPECT_EQ(Evaluate("a.b.c", kResource), "1;2;3;4");
  EXPECT_EQ(Evaluate("a.b.first().c", kResource), "1;2");
  EXPECT_EQ(Evaluate("a.first().b.c", kResource), "");
  EXPECT_EQ(Evaluate("a.b.c.first()", kResource), "1");
  EXPECT_EQ(Evaluate("a[1].b[0].c[1]", kResource), "2");
  EXPECT_EQ(Evaluate("a.b.c[0]", kResource), "1");
  EXPECT_EQ(Evaluate("a.b.c.last()", kResource), "4");
}

TEST(FhirPath, ExtensionsOfPrimitives) {
  constexpr std::string_view kResource = R"({"birthDate":"1974-12-25","_birthDate":{"extension":[
      {"url":"time","valueDateTime":"1974-12-25T14:35:45-05:00"}]},
      "given":["A",null],"_given":[null,{"extension":[{"url":"why","valueCode":"masked"}]}]})";
  EXPECT_EQ(Evaluate("birthDate.extension('time').value", kResource), "1974-12-25T14:35:45-05:00");
  EXPECT_EQ(Evaluate("given.extension('why').value", kResource), "masked");
  EXPECT_EQ(Evaluate("given", kResource), "A");
}

TEST(FhirPath, DatesCompareUnderPartialPrecision) {
  EXPECT_EQ(Evaluate("@2018-03 = @2018-03-01"), "");
  EXPECT_EQ(Evaluate("@2018-03 < @2018-04-01"), "true");
  EXPECT_EQ(Evaluate("@2018-03-01T10:00:00+02:00 = @2018-03-01T08:00:00Z"), "true");
  EXPECT_EQ(Evaluate("@2018-03-01T10:00:00 = @2018-03-01T10:00:00Z"), "");
  EXPECT_EQ(Evaluate("d < @2018-01-01", R"({"d":"2017-12-31"})"), "true");
  EXPECT_EQ(Evaluate("d < e", R"({"d":"2018-01-01T01:00:00+02:00","e":"2018-01-01T00:00:00Z"})"),
            "true");
  EXPECT_EQ(Evaluate("@T10:30 < @T10:30:01"), "");
}

TEST(FhirPath, DecimalsAreExact) {
  EXPECT_EQ(Evaluate("0.1 + 0.2 = 0.3"), "true");
  EXPECT_EQ(Evaluate("1.0 + 2"), "3.0");
  EXPECT_EQ(Evaluate("7 / 2"), "3.5");
  EXPECT_EQ(Evaluate("1 / 3"), "0.333333333333");
  EXPECT_EQ(Evaluate("-7 div 2"), "-3");
  EXPECT_EQ(Evaluate("-7 mod 2"), "-1");
  EXPECT_EQ(Evaluate("1 / 0"), "");
  EXPECT_EQ(Evaluate("v = 1.5", R"({"v":1.500})"), "true");
  EXPECT_EQ(Evaluate("v.lowBoundary()", R"({"v":1.0})"), "0.95");
  EXPECT_EQ(Evaluate("2.5.round() = 3 and (-2.5).round() = -3"), "true");
}

TEST(FhirPath, Precedence) {
  EXPECT_EQ(Evaluate("1 + 2 * 3"), "7");
  EXPECT_EQ(Evaluate("-1 + 2"), "1");
  EXPECT_EQ(Evaluate("1 | 2 | 1 = 1"), "false");
  EXPECT_EQ(Evaluate("true or true and false"), "true");
  EXPECT_EQ(Evaluate("false implies false or true"), "true");
  EXPECT_EQ(Evaluate("1 > 2 is Boolean"), "fault: integer and boolean cannot be compared");
}

TEST(FhirPath, FaultsNameWhatIsWrong) {
  constexpr std::string_view kResource = R"({"a":[1,2],"s":"x"})";
  EXPECT_EQ(Evaluate("a + 1", kResource), "fault: an operand has several items");
  EXPECT_EQ(Evaluate("s > 1", kResource), "fault: string and integer cannot be compared");
  EXPECT_EQ(Evaluate("a.single()", kResource), "fault: single() of several items");
  EXPECT_EQ(Evaluate("a.where($this.startsWith('x'))", kResource),
            "fault: expected a string, not integer");
}

}  // namespace
}  // namespace vitalake::view
