#include "serve/postgres/message.h"

#include <gtest/gtest.h>

namespace vitalake::serve {
namespace {

using std::string_literals::operator""s;

// Bytes as the documentation's "Message Formats" lays them out.
TEST(PostgresMessageTest, WritesTypeLengthAndBody) {
  std::string out;
  MessageWriter writer(out);
  writer.Begin('Z').Byte('I').End();
  EXPECT_EQ(out, "Z\0\0\0\5I"s);
  writer.Begin('C').Text("SELECT 1").End();
  EXPECT_EQ(out.substr(6), "C\0\0\0\15SELECT 1\0"s);
}

TEST(PostgresMessageTest, WritesFieldsWithTheirLength) {
  std::string out;
  MessageWriter writer(out);
  writer.Begin('D').Int16(2);
  writer.BeginField().Bytes("ab").EndField();
  writer.Int32(-1).End();
  EXPECT_EQ(out, "D\0\0\0\20\0\2\0\0\0\2ab\xff\xff\xff\xff"s);
}

TEST(PostgresMessageTest, TextEndsAtAZeroByte) {
  std::string out;
  MessageWriter(out).Begin('S').Text("a\0b"s).End();
  EXPECT_EQ(out, "S\0\0\0\6a\0"s);
}

TEST(PostgresMessageTest, ReadsWhatWasWritten) {
  std::string out;
  MessageWriter(out).Int16(-2).Int32(1 << 30).Int64(-5).Text("name").Bytes("xyz");
  MessageReader reader(out);
  EXPECT_EQ(reader.Int16(), -2);
  EXPECT_EQ(reader.Int32(), 1 << 30);
  EXPECT_EQ(reader.Int64(), -5);
  EXPECT_EQ(reader.Text(), "name");
  EXPECT_FALSE(reader.Whole());
  EXPECT_EQ(reader.Bytes(3), "xyz");
  EXPECT_TRUE(reader.Whole());
}

TEST(PostgresMessageTest, ReadsPastTheEndAreRemembered) {
  MessageReader reader("\0\1"s);
  EXPECT_EQ(reader.Int32(), 0);
  EXPECT_TRUE(reader.ran_out());
  EXPECT_FALSE(reader.Whole());
  MessageReader text("no end");
  EXPECT_EQ(text.Text(), "");
  EXPECT_TRUE(text.ran_out());
  MessageReader bytes("abc");
  EXPECT_EQ(bytes.Bytes(-1), "");
  EXPECT_TRUE(bytes.ran_out());
}

}  // namespace
}  // namespace vitalake::serve
