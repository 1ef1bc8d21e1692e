#include "cli/statement.h"

#include <gtest/gtest.h>

#include <vector>

namespace vitalake::cli {
namespace {

std::vector<std::string> Statements(std::vector<std::string> lines) {
  StatementReader reader;
  std::vector<std::string> found;
  for (const std::string& line : lines) {
    reader.AddLine(line);
    while (auto statement = reader.Next()) found.push_back(*statement);
  }
  return found;
}

using Texts = std::vector<std::string>;

TEST(StatementReader, EndsAtSemicolons) {
  EXPECT_EQ(Statements({"select 1; select", "2;"}), (Texts{"select 1", " select\n2"}));
  EXPECT_EQ(Statements({";; ;select 1;"}), (Texts{"select 1"}));
  EXPECT_EQ(Statements({"select 1"}), Texts{});
}

TEST(StatementReader, PassesOverQuotesAndComments) {
  EXPECT_EQ(Statements({"select 'a;''b;', \"c;d\";"}), (Texts{"select 'a;''b;', \"c;d\""}));
  EXPECT_EQ(Statements({"select 1 -- no; end", ";"}), (Texts{"select 1 -- no; end\n"}));
  EXPECT_EQ(Statements({"select /* a; /* b; */ c; */ 1;"}),
            (Texts{"select /* a; /* b; */ c; */ 1"}));
  EXPECT_EQ(Statements({"select $$a;b$$, $x$;$$;$x$;"}), (Texts{"select $$a;b$$, $x$;$$;$x$"}));
  EXPECT_EQ(Statements({"select $1;", "select $2;"}), (Texts{"select $1", "\nselect $2"}));
  EXPECT_EQ(Statements({"select 'open;"}), Texts{});
}

TEST(StatementReader, TellsWhatIsLeft) {
  StatementReader reader;
  EXPECT_TRUE(reader.empty());
  reader.AddLine("select 1; select 2 -- rest");
  EXPECT_EQ(*reader.Next(), "select 1");
  EXPECT_FALSE(reader.empty());
  EXPECT_EQ(reader.Rest(), " select 2 -- rest\n");
  EXPECT_TRUE(reader.empty());
  reader.AddLine("-- nothing /* but */ a comment");
  EXPECT_EQ(reader.Rest(), "");
}

}  // namespace
}  // namespace vitalake::cli
