#include "serve/fhir/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/fhir/search_sql.h"

namespace vitalake::serve {
namespace {

using testing::HasSubstr;
using testing::Not;

FhirSearch Read(FhirType type, const QueryList& parameters) {
  auto search = ReadFhirSearch(type, parameters, false);
  EXPECT_TRUE(search) << search.error().ToString();
  return search ? std::move(*search) : FhirSearch{};
}

bool IsRefused(FhirType type, const QueryList& parameters, bool strict = false) {
  const auto search = ReadFhirSearch(type, parameters, strict);
  return !search || !CompileFhirSearch(*search, 0);
}

TEST(FhirSearchTest, ReadsCriteriaWithTheirAlternatives) {
  const auto search =
      Read(FhirType::kPatient, {{"family:exact", "Doe,O\\,Neil"}, {"gender", "male"}});
  ASSERT_EQ(search.criteria.size(), 2u);
  EXPECT_EQ(search.criteria[0].modifier, "exact");
  EXPECT_EQ(search.criteria[0].values, (std::vector<std::string>{"Doe", "O\\,Neil"}));
  EXPECT_EQ(search.known.size(), 2u);
}

TEST(FhirSearchTest, LeavesOutWhatIsUnknownUnlessStrict) {
  const QueryList parameters = {{"gender", "male"}, {"shoe-size", "44"}};
  EXPECT_EQ(Read(FhirType::kPatient, parameters).known.size(), 1u);
  EXPECT_TRUE(IsRefused(FhirType::kPatient, parameters, true));
  EXPECT_TRUE(IsRefused(FhirType::kPatient, {{"gender:above", "male"}}));
  for (const std::string nothing : {"", ","}) {
    const auto search = Read(FhirType::kPatient, {{"gender", nothing}});
    EXPECT_TRUE(search.criteria.empty() && search.known.empty());
    EXPECT_TRUE(IsRefused(FhirType::kPatient, {{"gender", nothing}}, true));
  }
}

// The next page is sorted by them, too.
TEST(FhirSearchTest, KeepsTheSortKeysThatAreServed) {
  const auto search = Read(FhirType::kObservation, {{"_sort", "-date,code,status"}});
  EXPECT_EQ(search.sort.size(), 2u);
  EXPECT_EQ(search.known, (QueryList{{"_sort", "-date,status"}}));
  EXPECT_TRUE(Read(FhirType::kObservation, {{"_sort", "code"}}).known.empty());
  EXPECT_TRUE(IsRefused(FhirType::kObservation, {{"_sort", "-date,code"}}, true));
}

TEST(FhirSearchTest, RefusesValuesThatAreNone) {
  EXPECT_TRUE(IsRefused(FhirType::kPatient, {{"birthdate", "soon"}}));
  EXPECT_TRUE(IsRefused(FhirType::kPatient, {{"active", "perhaps"}}));
  EXPECT_TRUE(IsRefused(FhirType::kPatient, {{"name", "\xff"}}));
  EXPECT_TRUE(IsRefused(FhirType::kPatient, {{"gender:missing", "x"}}));
  EXPECT_TRUE(IsRefused(FhirType::kPatient, {{"_count", "-1"}}));
  EXPECT_TRUE(IsRefused(FhirType::kPatient, {{"_cursor", "x"}}));
  EXPECT_TRUE(IsRefused(FhirType::kObservation, {{"value-quantity", "high"}}));
  EXPECT_TRUE(IsRefused(FhirType::kObservation, {{"code-value-quantity", "8867-4"}}));
  EXPECT_TRUE(IsRefused(FhirType::kObservation, {{"_summary", "some"}}));
}

// Nothing of a request may stand in the statement.
TEST(FhirSearchTest, ValuesAreParametersAndNeverText) {
  const std::string evil = "x'); DROP TABLE silver.patient; --";
  for (const SearchParameter& parameter : SearchParameters()) {
    std::vector<std::string> values = {evil, "http://" + evil + "|" + evil};
    if (parameter.match == Match::kCodedQuantity) values = {evil + "$5||" + evil};
    if (parameter.match == Match::kQuantity) values = {"5|" + evil + "|" + evil};
    if (parameter.match == Match::kRange || parameter.match == Match::kFlag) continue;
    for (const std::string& value : values) {
      const auto search = Read(parameter.type, {{std::string(parameter.name), value}});
      const auto sql = CompileFhirSearch(search, 0);
      ASSERT_TRUE(sql) << parameter.name << ": " << sql.error().ToString();
      EXPECT_THAT(sql->text, Not(HasSubstr("DROP"))) << parameter.name;
      size_t marks = 0;
      for (size_t i = 1; i <= sql->parameters.size(); ++i) {
        marks += sql->text.find("$" + std::to_string(i)) != std::string::npos ? 1 : 0;
      }
      EXPECT_EQ(marks, sql->parameters.size()) << sql->text;
    }
  }
}

TEST(FhirSearchTest, LeavesOutRetractedOnesUnlessAskedByStatus) {
  const auto usual = CompileFhirSearch(Read(FhirType::kObservation, {{"code", "8867-4"}}), 0);
  EXPECT_THAT(usual->text, HasSubstr("r.retracted_at IS NULL"));
  const auto by_status =
      CompileFhirSearch(Read(FhirType::kObservation, {{"status", "entered-in-error"}}), 0);
  EXPECT_THAT(by_status->text, Not(HasSubstr("r.retracted_at IS NULL")));
}

TEST(FhirSearchTest, TakesACursorOfItsOwnSortAlone) {
  const std::string cursor = EncodeCursor({"17", "o1", ""});
  EXPECT_FALSE(IsRefused(FhirType::kObservation, {{"_sort", "-date"}, {"_cursor", cursor}}));
  EXPECT_TRUE(IsRefused(FhirType::kObservation, {{"_cursor", cursor}}));
  const std::string text = EncodeCursor({"final", "o1", ""});
  EXPECT_FALSE(IsRefused(FhirType::kObservation, {{"_sort", "status"}, {"_cursor", text}}));
  EXPECT_TRUE(IsRefused(FhirType::kObservation, {{"_sort", "-date"}, {"_cursor", text}}));
}

}  // namespace
}  // namespace vitalake::serve
