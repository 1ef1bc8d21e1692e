#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.h"
#include "cli/completion.h"

namespace vitalake::cli {
namespace {

using testing::HasSubstr;

// Parses and gives the lake named, or the fault.
std::string LakeOf(const std::vector<std::string>& arguments) {
  CommandLine line;
  AddAllCommands(line);
  std::string fault = line.Parse(arguments);
  return fault.empty() ? line.globals().lake : "fault: " + fault;
}

TEST(CommandLine, TakesGlobalOptionsBeforeAndAfterTheCommand) {
  EXPECT_EQ(LakeOf({"--lake", "x", "sql", "select 1"}), "x");
  EXPECT_EQ(LakeOf({"sql", "--lake", "x", "select 1"}), "x");
  EXPECT_EQ(LakeOf({"sql", "select 1", "--lake=x"}), "x");
  EXPECT_EQ(LakeOf({"table", "--lake", "x", "read", "silver.patient"}), "x");
  EXPECT_EQ(LakeOf({"table", "read", "silver.patient", "--lake", "x", "--json"}), "x");
  EXPECT_EQ(LakeOf({"table", "read", "--columns", "id,gender", "silver.patient", "--lake", "x"}),
            "x");
  EXPECT_EQ(LakeOf({"ingest", "a.json", "b.json", "--lake", "x", "c.json"}), "x");
}

TEST(CommandLine, TakesArgumentsThatLookLikeCommands) {
  EXPECT_EQ(LakeOf({"ingest", "demo", "sql", "table"}), "");
  EXPECT_EQ(LakeOf({"sql", "init"}), "");
  EXPECT_EQ(LakeOf({"ingest", "--", "--lake"}), "");
  EXPECT_EQ(LakeOf({"table", "show", "list"}), "");
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(LakeOf({"ingset"}), HasSubstr("fault"));
  EXPECT_THAT(LakeOf({}), HasSubstr("fault"));
  EXPECT_THAT(LakeOf({"ingest"}), HasSubstr("PATH"));
  EXPECT_THAT(LakeOf({"ingest", "--nonsense", "x"}), HasSubstr("--nonsense"));
  EXPECT_THAT(LakeOf({"table"}), HasSubstr("fault"));
  EXPECT_THAT(LakeOf({"table", "polish", "silver.patient"}), HasSubstr("fault"));
  EXPECT_THAT(LakeOf({"table", "restore", "silver.patient"}), HasSubstr("--version"));
  EXPECT_THAT(LakeOf({"sql", "select 1", "--format", "xml"}), HasSubstr("--format"));
  EXPECT_THAT(LakeOf({"table", "read", "t", "--version", "1", "--timestamp", "2026-01-01"}),
              HasSubstr("--timestamp"));
}

TEST(CommandLine, AnAlertsCommandMayStandAlone) {
  EXPECT_EQ(LakeOf({"alerts", "--lake", "x"}), "x");
  EXPECT_EQ(LakeOf({"alerts", "--follow", "--patient", "ack"}), "");
  EXPECT_EQ(LakeOf({"alerts", "ack", "a1", "--actor", "nurse-7", "--lake", "x"}), "x");
  EXPECT_THAT(LakeOf({"alerts", "ack", "a1"}), HasSubstr("--actor"));
  EXPECT_THAT(LakeOf({"alerts", "snooze", "--actor", "nurse-7"}), HasSubstr("ID"));
}

TEST(CommandLine, EveryCommandHasHelpWithExamples) {
  CommandLine line;
  AddAllCommands(line);
  for (CLI::App* command : line.app().get_subcommands({})) {
    EXPECT_FALSE(command->get_description().empty()) << command->get_name();
    std::vector<CLI::App*> leaves = command->get_subcommands({});
    if (leaves.empty()) leaves = {command};
    for (CLI::App* leaf : leaves) {
      EXPECT_THAT(leaf->help(), HasSubstr("Examples:\n  vitalake ")) << leaf->get_name();
    }
  }
}

TEST(Completion, KnowsCommandsAndOptions) {
  CommandLine line;
  AddAllCommands(line);
  for (const char* shell : {"bash", "zsh", "fish"}) {
    auto script = CompletionScript(line.app(), shell);
    ASSERT_TRUE(script) << shell;
    EXPECT_THAT(*script, HasSubstr("ingest")) << shell;
    EXPECT_THAT(*script, HasSubstr("changes")) << shell;
    EXPECT_THAT(*script, HasSubstr("dry-run")) << shell;
  }
  EXPECT_EQ(CompletionScript(line.app(), "csh").error().kind, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace vitalake::cli
