#include "delta/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitalake::delta {
namespace {

// The example of the protocol's "Schema Serialization Format", without white space.
constexpr std::string_view kNested =
    R"J({"type":"struct","fields":[)J"
    R"J({"name":"a","type":"integer","nullable":false,"metadata":{}},)J"
    R"J({"name":"b","type":{"type":"struct","fields":[)J"
    R"J({"name":"d","type":"integer","nullable":false,"metadata":{}}]},"nullable":true,"metadata":{}},)J"
    R"J({"name":"c","type":{"type":"array","elementType":"integer","containsNull":false},)J"
    R"J("nullable":true,"metadata":{"comment":"x \"y\"","n":[1,2.50,null]}},)J"
    R"J({"name":"e","type":{"type":"array","elementType":{"type":"struct","fields":[)J"
    R"J({"name":"d","type":"decimal(38,18)","nullable":false,"metadata":{}}]},"containsNull":true},)J"
    R"J("nullable":true,"metadata":{}},)J"
    R"J({"name":"f","type":{"type":"map","keyType":"string","valueType":"timestamp_ntz",)J"
    R"J("valueContainsNull":true},"nullable":true,"metadata":{}}]})J";

TEST(SchemaTest, NestedSchemaKeepsItsStructureAndText) {
  const auto schema = Schema::FromJson(kNested);
  ASSERT_TRUE(schema) << schema.error().ToString();
  ASSERT_EQ(schema->fields().size(), 5u);
  EXPECT_FALSE(schema->fields()[0].nullable);
  EXPECT_EQ(schema->fields()[1].type.fields()[0].name, "d");
  EXPECT_EQ(schema->fields()[2].type.element().kind(), TypeKind::kInteger);
  EXPECT_FALSE(schema->fields()[2].type.contains_null());
  EXPECT_EQ(schema->fields()[2].metadata, R"J({"comment":"x \"y\"","n":[1,2.50,null]})J");
  EXPECT_EQ(schema->fields()[3].type.element().fields()[0].type.precision(), 38);
  EXPECT_EQ(schema->fields()[3].type.element().fields()[0].type.scale(), 18);
  EXPECT_EQ(schema->fields()[4].type.value().kind(), TypeKind::kTimestampNtz);
  EXPECT_EQ(schema->ToJson(), kNested);
}

TEST(SchemaTest, FlatSchemaIsWrittenAsTheProtocolSpellsIt) {
  const Column columns[] = {{"id", DeltaType(TypeKind::kString), false},
                            {"n", DeltaType(TypeKind::kLong)},
                            {"v", DeltaType::Decimal(10, 2)}};
  EXPECT_EQ(Schema::Flat(columns).ToJson(),
            R"J({"type":"struct","fields":[)J"
            R"J({"name":"id","type":"string","nullable":false,"metadata":{}},)J"
            R"J({"name":"n","type":"long","nullable":true,"metadata":{}},)J"
            R"J({"name":"v","type":"decimal(10,2)","nullable":true,"metadata":{}}]})J");
}

TEST(SchemaTest, EqualityLooksInside) {
  const auto one = DeltaType::Array(DeltaType(TypeKind::kLong), true);
  EXPECT_EQ(one, DeltaType::Array(DeltaType(TypeKind::kLong), true));
  EXPECT_NE(one, DeltaType::Array(DeltaType(TypeKind::kLong), false));
  EXPECT_NE(one, DeltaType::Array(DeltaType(TypeKind::kInteger), true));
  EXPECT_NE(DeltaType::Struct({{"a", DeltaType(TypeKind::kLong)}}),
            DeltaType::Struct({{"b", DeltaType(TypeKind::kLong)}}));
  EXPECT_NE(DeltaType::Decimal(10, 2), DeltaType::Decimal(10, 3));
}

TEST(SchemaTest, FindFieldPrefersTheExactName) {
  const Schema schema({{"ID", DeltaType(TypeKind::kLong)}, {"id", DeltaType()}});
  EXPECT_EQ(schema.FindField("id")->type.kind(), TypeKind::kString);
  EXPECT_EQ(schema.FindField("Id")->name, "ID");
  EXPECT_EQ(schema.FindField("ids"), nullptr);
}

TEST(SchemaTest, UnknownTypesAreNamedAndBrokenOnesRefused) {
  const auto with_type = [](std::string_view type) {
    return Schema::FromJson(R"J({"type":"struct","fields":[{"name":"x","type":)J" +
                            std::string(type) + "}]}");
  };
  const auto unknown = with_type(R"J("variant")J");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(unknown.error().ToString(),
              testing::AllOf(testing::HasSubstr("variant"), testing::HasSubstr("column x")));
  for (const auto* broken : {R"J("decimal(39,1)")J", R"J("decimal(5,6)")J", R"J("decimal(5)")J",
                             R"J("decimal(5,1)x")J"}) {
    EXPECT_FALSE(with_type(broken)) << broken;
  }
  EXPECT_EQ(with_type(R"J("decimal")J")->fields()[0].type, DeltaType::Decimal(10, 0));
  for (const auto* broken : {"7", "{}", R"J({"type":"array"})J", R"J({"type":"struct"})J",
                             R"J({"type":"map","keyType":"string"})J"}) {
    ASSERT_FALSE(with_type(broken)) << broken;
    EXPECT_EQ(with_type(broken).error().kind, ErrorKind::kCorrupt) << broken;
  }
  for (const auto* broken : {"", "{", "[]", R"J({"type":"array"})J", R"J({"type":"struct"})J",
                             R"J({"type":"struct","fields":[{"type":"long"}]})J"}) {
    ASSERT_FALSE(Schema::FromJson(broken)) << broken;
    EXPECT_EQ(Schema::FromJson(broken).error().kind, ErrorKind::kCorrupt) << broken;
  }
}

}  // namespace
}  // namespace vitalake::delta
