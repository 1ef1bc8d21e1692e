#include "fhir/references.h"

#include <gtest/gtest.h>

namespace vitalake::fhir {
namespace {

void ExpectTarget(std::string_view text, ReferenceForm form, std::string_view type,
                  std::string_view id) {
  const ReferenceTarget target = ParseReference(text);
  EXPECT_EQ(target.form, form) << text;
  EXPECT_EQ(target.type, type) << text;
  EXPECT_EQ(target.id, id) << text;
}

TEST(References, HaveAStatedResultInEveryForm) {
  using enum ReferenceForm;
  ExpectTarget("Patient/x", kRelative, "Patient", "x");
  ExpectTarget("Patient/patient_01_id", kRelative, "Patient", "patient_01_id");
  ExpectTarget("Patient/x/_history/2", kRelative, "Patient", "x");
  ExpectTarget("https://host/base/Patient/x", kAbsolute, "Patient", "x");
  ExpectTarget("http://host:8080/Patient/x/_history/2", kAbsolute, "Patient", "x");
  ExpectTarget("urn:uuid:6c8f3e83-c351-ed33-c38d-6be101c275d2", kUrn, "",
               "6c8f3e83-c351-ed33-c38d-6be101c275d2");
  ExpectTarget("urn:oid:1.2.3", kUrn, "", "urn:oid:1.2.3");
  ExpectTarget("#x", kContained, "", "");
  ExpectTarget("#", kContained, "", "");
  ExpectTarget("Patient?identifier=http://a/b|1", kConditional, "Patient", "");
  ExpectTarget("https://host/base/Patient?identifier=1", kConditional, "Patient", "");
}

TEST(References, ThatNameNothingAreOther) {
  for (const char* text :
       {"", "x", "Patient", "Patient/", "/", "patient/x", "Patient/a b", "a/b/Patient/x",
        "http://host/x", "http://Patient/x", "ftp://h/Patient/x", "?x=1", "a/Patient?x=1",
        "Patient/x/y", "mailto:x"}) {
    ExpectTarget(text, ReferenceForm::kOther, "", "");
  }
}

TEST(References, GiveEntriesTheIdOfTheirFullUrl) {
  EXPECT_EQ(IdFromFullUrl("urn:uuid:abc"), "abc");
  EXPECT_EQ(IdFromFullUrl("https://host/fhir/Patient/7"), "7");
  EXPECT_EQ(IdFromFullUrl("urn:oid:1.2"), "urn:oid:1.2");
  EXPECT_EQ(IdFromFullUrl("https://host/7"), "https://host/7");
}

// Source: FHIR R4, Data Types, id: [A-Za-z0-9\-\.]{1,64}.
TEST(References, CheckIds) {
  EXPECT_EQ(CheckId("aZ09-."), IdSyntax::kValid);
  EXPECT_EQ(CheckId(std::string(64, 'a')), IdSyntax::kValid);
  EXPECT_EQ(CheckId(std::string(65, 'a')), IdSyntax::kInvalid);
  EXPECT_EQ(CheckId("a_b"), IdSyntax::kUnderscore);
  for (const char* id : {"", "a b", "a/b", "é", "a\n", "a:b"}) {
    EXPECT_EQ(CheckId(id), IdSyntax::kInvalid) << id;
  }
}

TEST(References, AreReplacedInTheTree) {
  const BundleReferences map = {{"urn:uuid:a", "Patient/1"}, {"http://h/Device/2", "Device/2"}};
  JsonParser parser;
  const auto tree = parser.Parse(
      R"({"subject":{"reference":"urn:uuid:a"},"device":{"reference":"http:\/\/h\/Device\/2"},
          "list":[{"reference":"urn:uuid:a"},{"reference":"urn:uuid:b"}],
          "note":"urn:uuid:a","reference":7})");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(ResolveReferences(*tree, nullptr), 0u);
  EXPECT_EQ(tree->Find("subject").String("reference"), "urn:uuid:a");
  EXPECT_EQ(ResolveReferences(*tree, &map), 3u);
  EXPECT_EQ(tree->Find("subject").String("reference"), "Patient/1");
  EXPECT_EQ(tree->Find("device").String("reference"), "Device/2");
  const JsonChildren list = tree->Find("list").children();
  EXPECT_EQ((*list.begin()).String("reference"), "Patient/1");
  EXPECT_EQ((*++list.begin()).String("reference"), "urn:uuid:b");
  EXPECT_EQ(tree->String("note"), "urn:uuid:a");
}

TEST(PatientIdentifier, AnIdentifierIsSystemAndValue) {
  EXPECT_EQ(PatientIdentifier({"", "", "urn:mrn", "7"}), "urn:mrn|7");
  EXPECT_EQ(PatientIdentifier({"", "Patient", "", "7"}), "|7");
  EXPECT_EQ(PatientIdentifier({"", "", "urn:mrn", ""}), "");
  EXPECT_EQ(PatientIdentifier({"", "Device", "urn:mrn", "7"}), "");
}

TEST(PatientIdentifier, AConditionalReferenceIsWhatItAsksFor) {
  EXPECT_EQ(PatientIdentifier({"Patient?identifier=urn:mrn|7", "", "", ""}), "urn:mrn|7");
  EXPECT_EQ(PatientIdentifier({"Patient?identifier=urn%3Amrn%7C7", "", "", ""}), "urn:mrn|7");
  EXPECT_EQ(PatientIdentifier({"https://a.org/fhir/Patient?identifier=7", "", "", ""}), "7");
}

TEST(PatientIdentifier, OthersNameNone) {
  for (const char* const text :
       {"", "Patient/7", "Patient?name=x", "Patient?identifier=", "Patient?identifier=urn:mrn|",
        "Patient?identifier=7&birthdate=1900", "Patient?active=true&identifier=7",
        "Group?identifier=7", "Patient?identifier=%zz", "#p", "urn:uuid:7"}) {
    EXPECT_EQ(PatientIdentifier({text, "", "", ""}), "") << text;
  }
}

}  // namespace
}  // namespace vitalake::fhir
