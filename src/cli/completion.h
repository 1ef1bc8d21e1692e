// Completion scripts for shells, made from the command line itself.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"

namespace vitalake::cli {

// `shell` is bash, zsh or fish; kInvalidArgument for others. Commands, their options and the words
// an option takes are completed, file names everywhere else.
Result<std::string> CompletionScript(const CLI::App& app, const std::string& shell);

}  // namespace vitalake::cli
