#include "cli/row_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitalake::cli {
namespace {

TEST(RowListTest, ShowsANameThatIsNotUtf8) {
  RowList rows({{"file"}});
  rows.Add({"bad\xff.ndjson"});
  EXPECT_THAT(rows.ToSql(), testing::HasSubstr("'bad\xef\xbf\xbd.ndjson'"));
}

}  // namespace
}  // namespace vitalake::cli
