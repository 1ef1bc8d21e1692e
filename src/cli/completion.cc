#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace vitalake::cli {
namespace {

struct Option {
  std::vector<std::string> names;  // with dashes
  std::string description;
  bool takes_value = false;
};

// One command: "" for the program, "table read" below it.
struct Command {
  std::string path;
  std::vector<std::pair<std::string, std::string>> commands;  // name, description
  std::vector<Option> options;
};

std::vector<Option> OptionsOf(const CLI::App& app) {
  std::vector<Option> options;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() && option->get_lnames().empty()) continue;
    Option found;
    for (const std::string& name : option->get_snames()) found.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) found.names.push_back("--" + name);
    found.description = option->get_description();
    found.takes_value = option->get_expected_max() > 0 && option->get_type_size() > 0;
    options.push_back(std::move(found));
  }
  return options;
}

void Collect(const CLI::App& app, const std::string& path, std::vector<Command>& out) {
  Command command{path, {}, OptionsOf(app)};
  for (const CLI::App* child : app.get_subcommands({})) {
    command.commands.emplace_back(child->get_name(), child->get_description());
  }
  out.push_back(std::move(command));
  for (const CLI::App* child : app.get_subcommands({})) {
    Collect(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), out);
  }
}

std::string Words(const Command& command, const Command& global) {
  std::vector<std::string> words;
  for (const auto& [name, description] : command.commands) words.push_back(name);
  for (const Option& option : command.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
  }
  if (&command != &global) {
    for (const Option& option : global.options) {
      for (const std::string& name : option.names) {
        if (std::ranges::find(words, name) == words.end() && name != "--version")
          words.push_back(name);
      }
    }
  }
  return fmt::format("{}", fmt::join(words, " "));
}

constexpr std::string_view kFormats = "table csv json ndjson parquet";
constexpr std::string_view kLevels = "trace debug info warn error off";

// The function finds the command typed so far, then completes its words.
std::string Bash(const std::vector<Command>& commands) {
  std::string cases;
  std::string paths;
  for (const Command& command : commands) {
    cases += fmt::format("    '{}') words='{}' ;;\n", command.path, Words(command, commands[0]));
    if (!command.path.empty()) paths += fmt::format("'{}'|", command.path);
  }
  if (!paths.empty()) paths.pop_back();
  return fmt::format(
      R"(# bash completion for vitalake; load it with: source <(vitalake completion bash)
_vitalake() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local path='' words='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case "${{path:+$path }}$word" in
      {}) path="${{path:+$path }}$word" ;;
    esac
  done
  case $previous in
    --format) COMPREPLY=($(compgen -W '{}' -- "$current")); return ;;
    --log-level) COMPREPLY=($(compgen -W '{}' -- "$current")); return ;;
    --lake|--config|-o|--output|--to|--patients) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case $path in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ ${{#COMPREPLY[@]}} -eq 0 ] && COMPREPLY=($(compgen -f -- "$current"))
}}
complete -o filenames -F _vitalake vitalake
)",
      paths, kFormats, kLevels, cases);
}

std::string Zsh(const std::vector<Command>& commands) {
  return "#compdef vitalake\n# zsh completion for vitalake; load it with: source <(vitalake "
         "completion zsh)\n"
         "autoload -U +X compinit bashcompinit\ncompinit -u\nbashcompinit\n" +
         Bash(commands);
}

std::string FishQuote(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string FishOption(const Option& option, const std::string& condition) {
  std::string line = "complete -c vitalake" + condition;
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (option.takes_value) line += " -r";
  if (std::ranges::find(option.names, "--format") != option.names.end()) {
    line += " -a " + FishQuote(kFormats);
  }
  if (std::ranges::find(option.names, "--log-level") != option.names.end()) {
    line += " -a " + FishQuote(kLevels);
  }
  return line + " -d " + FishQuote(option.description) + "\n";
}

std::string Fish(const std::vector<Command>& commands) {
  std::string out =
      "# fish completion for vitalake; load it with: vitalake completion fish | source\n"
      "function __vitalake_at  # whether the commands typed so far are these\n"
      "  set -l typed (string match -v -- '-*' (commandline -opc)[2..-1])\n"
      "  set -l count (count $argv)\n"
      "  test $count -eq 0; and test (count $typed) -eq 0; and return 0\n"
      "  test $count -gt 0; and test (count $typed) -ge $count; and test \"$typed[1..$count]\" = "
      "\"$argv\"\n"
      "end\n";
  for (const Command& command : commands) {
    std::string condition =
        " -n " + FishQuote("__vitalake_at" + (command.path.empty() ? "" : " " + command.path));
    for (const auto& [name, description] : command.commands) {
      out += fmt::format("complete -c vitalake{} -f -a {} -d {}\n", condition, name,
                         FishQuote(description));
    }
    // The program's options hold everywhere.
    for (const Option& option : command.options) {
      out += FishOption(option, command.path.empty() ? "" : condition);
    }
  }
  return out;
}

}  // namespace

Result<std::string> CompletionScript(const CLI::App& app, const std::string& shell) {
  std::vector<Command> commands;
  Collect(app, "", commands);
  if (shell == "bash") return Bash(commands);
  if (shell == "zsh") return Zsh(commands);
  if (shell == "fish") return Fish(commands);
  return Fail(ErrorKind::kInvalidArgument,
              fmt::format("no completion for \"{}\"; there is bash, zsh, fish", shell));
}

}  // namespace vitalake::cli
