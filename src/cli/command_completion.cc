#include "cli/command.h"
#include "cli/completion.h"

namespace vitalake::cli {

void AddCompletionCommand(CommandLine& line) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = line.Add(nullptr, "completion", "Completion script for bash, zsh or fish",
                               [&line, shell](Context&) -> Result<int> {
                                 VL_TRY(std::string script, CompletionScript(line.app(), *shell));
                                 VL_RETURN_IF_ERROR(WriteStdout(script));
                                 return kExitDone;
                               });
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  AddExamples(command, {"completion bash > /etc/bash_completion.d/vitalake",
                        "completion fish > ~/.config/fish/completions/vitalake.fish"});
}

}  // namespace vitalake::cli
