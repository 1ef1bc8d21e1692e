#include "serve/postgres/rewrite.h"

#include <gtest/gtest.h>

namespace vitalake::serve {
namespace {

TEST(PostgresRewrite, LeavesOutWhatTheEngineDoesNotKnow) {
  EXPECT_EQ(EngineSql("select * from pg_catalog.pg_class"), "select * from            pg_class");
  EXPECT_EQ(EngineSql("a OPERATOR(pg_catalog.~) b"), "a ~                      b");
  EXPECT_EQ(EngineSql("select 'pg_catalog.x'"), "select 'pg_catalog.x'");
}

TEST(PostgresRewrite, NamesTheCatalogueTypesWhereTypesStand) {
  EXPECT_EQ(EngineSql("select 1::oid, oid::oid[] as oid"), "select 1::u32, oid::u32[] as oid");
  EXPECT_EQ(EngineSql("select cast(x as oid), (select y as oid)"),
            "select cast(x as u32), (select y as oid)");
  EXPECT_EQ(EngineSql("cast((select oid as oid) as pg_catalog.oid)"),
            "cast((select oid as oid) as            u32)");
  EXPECT_EQ(EngineSql("'r'::\"char\", \"char\" from t"), "'r'::pgchar, \"char\" from t");
}

TEST(PostgresRewrite, FoldsNamesWithoutQuotes) {
  EXPECT_EQ(EngineSql("Select Name, \"Name\", 'Name', E'Name', $1 From \"T\" -- Name"),
            "select name, \"Name\", 'Name', E'Name', $1 from \"T\" -- Name");
  EXPECT_EQ(EngineSql("select \xC3\x84rger From T"), "select \xC3\x84rger from t");
}

TEST(PostgresRewrite, WritesOperatorsAndColumnsThatTheEngineDoesNotRead) {
  EXPECT_EQ(EngineSql("select a #>> b"), "select a @>> b");
  EXPECT_EQ(EngineSql("select '#>>'"), "select '#>>'");
  EXPECT_EQ(EngineSql("from pg_description d where d.classoid = c.tableoid"),
            "from pg_description d where d.classoid = 0::u32    ");
  EXPECT_EQ(EngineSql("select c.tableoid from c"), "select c.tableoid from c");
}

}  // namespace
}  // namespace vitalake::serve
