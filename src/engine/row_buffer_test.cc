#include "engine/row_buffer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/engine_fixture.h"

namespace vitalake::engine {
namespace {

using view::Cell;
using view::ColumnSpec;
using enum view::ColumnType;

Cell Text(std::string_view text) {
  Cell cell;
  cell.is_null = false;
  cell.text = text;
  return cell;
}

Cell Int(int64_t value) {
  Cell cell;
  cell.is_null = false;
  cell.integer = value;
  return cell;
}

class RowBufferTest : public EngineFixture {
 protected:
  // The rows of `sql`, cells joined by '|', rows by newlines.
  std::string Rows(const std::string& sql) {
    auto result = connection_->Query(sql);
    EXPECT_TRUE(result) << result.error().ToString();
    if (!result) return "";
    std::string out;
    for (;;) {
      const auto more = result->Next();
      EXPECT_TRUE(more);
      if (!more || !*more) return out;
      if (!out.empty()) out += '\n';
      for (size_t i = 0; i < result->columns().size(); ++i) {
        out += (i ? "|" : "") + (result->IsNull(i) ? "-" : result->Text(i));
      }
    }
  }
};

TEST_F(RowBufferTest, HoldsOtherRowsAfterItShrank) {
  RowBuffer rows(*engine_, {{"i", kBigint, "", ""}, {"t", kVarchar, "", ""}});
  const std::string text(1'000, 'x');
  for (int64_t i = 0; i < 20'000; ++i) rows.Append(std::vector{Int(i), Text(text)});
  rows.Shrink();
  EXPECT_EQ(rows.rows(), 0);
  EXPECT_EQ(rows.bytes(), 0);
  for (int64_t i = 0; i < 3; ++i) rows.Append(std::vector{Int(i), Text("a text of more than 12")});
  EXPECT_EQ(Rows("SELECT sum(i), min(t), count(*) FROM " + rows.sql()),
            "3|a text of more than 12|3");
}

TEST_F(RowBufferTest, GivesEveryTypeAndNull) {
  RowBuffer rows(*engine_, {{"b", kBoolean, "", ""},
                            {"i", kInteger, "", ""},
                            {"l", kBigint, "", ""},
                            {"d", kDouble, "", ""},
                            {"t", kVarchar, "", ""},
                            {"day", kDate, "", ""},
                            {"at", kTimestamp, "", ""}});
  Cell yes, half;
  yes.is_null = half.is_null = false;
  yes.boolean = true;
  half.number = 0.5;
  const std::vector<Cell> first = {
      yes, Int(-7), Int(1LL << 40), half, Text("a text longer than 12"), Int(1), Int(1'000'001)};
  rows.Append(first);
  rows.Append(std::vector<Cell>(7));
  EXPECT_EQ(rows.rows(), 2);
  EXPECT_EQ(
      Rows("SELECT * FROM " + rows.sql()),
      "true|-7|1099511627776|0.5|a text longer than 12|1970-01-02|1970-01-01 00:00:01.000001+00\n"
      "-|-|-|-|-|-|-");
}

TEST_F(RowBufferTest, TakesOnlyHeldColumnsOfBothParts) {
  RowBuffer rows(*engine_,
                 {{"a", kVarchar, "", ""}, {"b", kVarchar, "", ""}, {"c", kBigint, "", ""}},
                 {true, false, true});
  const std::vector<Cell> row = {Text("x"), Text("unseen")};
  const std::vector<Cell> rest = {Int(3)};
  rows.Append(row, rest);
  EXPECT_EQ(Rows("SELECT * FROM " + rows.sql()), "x|3");
  EXPECT_FALSE(connection_->Query("SELECT b FROM " + rows.sql()));
}

TEST_F(RowBufferTest, SortsByTextThenNumberNullsLastAndKeepsOrderOfArrivalAmongEquals) {
  RowBuffer rows(*engine_,
                 {{"name", kVarchar, "", ""}, {"at", kTimestamp, "", ""}, {"n", kBigint, "", ""}});
  const std::vector<std::vector<Cell>> cells = {{Text("patient-number-2"), Int(5), Int(0)},
                                                {Text("patient-number-10"), Int(9), Int(1)},
                                                {Cell(), Int(1), Int(2)},
                                                {Text("patient-number-10"), Int(-9), Int(3)},
                                                {Text("patient-number-2"), Cell(), Int(4)},
                                                {Text("patient-number-2"), Int(5), Int(5)}};
  for (const auto& row : cells) rows.Append(row);
  ASSERT_TRUE(rows.SortBy(std::vector<std::string>{"name", "at"}));
  EXPECT_EQ(Rows("SELECT n FROM " + rows.sql()), "3\n1\n0\n5\n4\n2");
  EXPECT_FALSE(rows.SortBy(std::vector<std::string>{"nowhere"}));
}

TEST_F(RowBufferTest, HoldsMoreRowsThanAChunkAndBeginsAnewAfterClear) {
  RowBuffer rows(*engine_, {{"id", kVarchar, "", ""}, {"n", kBigint, "", ""}});
  for (int64_t round = 0; round < 2; ++round) {
    for (int64_t i = 0; i < 10'000; ++i) {
      const std::string id = "a-name-that-is-long-" + std::to_string(i / 3);
      const std::vector<Cell> row = {Text(id), i % 5 == 0 ? Cell() : Int(i)};
      rows.Append(row);
    }
    // 0 + 1 + ... + 9999 less the multiples of 5.
    EXPECT_EQ(
        Rows("SELECT count(*), count(n), sum(n), count(DISTINCT id), max(id) FROM " + rows.sql()),
        "10000|8000|40000000|3334|a-name-that-is-long-999");
    rows.Clear();
    EXPECT_EQ(rows.rows(), 0);
    EXPECT_EQ(Rows("SELECT count(*) FROM " + rows.sql()), "0");
  }
  const std::vector<Cell> only = {Cell(), Cell()};
  rows.Append(only);
  EXPECT_EQ(Rows("SELECT * FROM " + rows.sql()), "-|-");
}

TEST_F(RowBufferTest, MakesTextUtf8AndKeepsHugeOnes) {
  RowBuffer rows(*engine_, {{"t", kVarchar, "", ""}});
  const std::string huge(300'000, 'h');
  for (const std::string& text : {std::string("bad \xff byte, long enough"), huge}) {
    rows.Append(std::vector<Cell>{Text(text)});
  }
  EXPECT_EQ(Rows("SELECT left(t, 5), length(t) FROM " + rows.sql()),
            "bad \xef\xbf\xbd|23\nhhhhh|300000");
  EXPECT_GE(rows.bytes(), 300'000);
}

TEST_F(RowBufferTest, ReadsBorrowedTextWhereItIs) {
  const std::string longer = "a text that is longer than twelve bytes";
  std::string changing(200, 'x');
  RowBuffer rows(*engine_, {{"t", kVarchar, "", ""}}, {}, RowBuffer::Texts::kBorrowed);
  for (const std::string_view text :
       {std::string_view(longer), std::string_view("short"), std::string_view(changing)}) {
    rows.Append(std::vector<Cell>{Text(text)});
  }
  changing.back() = 'y';
  EXPECT_EQ(Rows("FROM " + rows.sql()), longer + "\nshort\n" + changing);
}

TEST_F(RowBufferTest, IsUnknownToSqlWhenItIsGone) {
  std::string sql;
  {
    RowBuffer rows(*engine_, {{"t", kVarchar, "", ""}});
    sql = rows.sql();
    EXPECT_EQ(Rows("SELECT count(*) FROM " + sql), "0");
  }
  EXPECT_FALSE(connection_->Query("SELECT count(*) FROM " + sql));
}

}  // namespace
}  // namespace vitalake::engine
