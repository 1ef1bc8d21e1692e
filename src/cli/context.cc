#include <fmt/format.h>

#include "base/log.h"
#include "cli/command.h"

namespace vitalake::cli {
namespace {

constexpr int64_t kLeastMemory = 128'000'000;

// Of `maintain`; all but small_files and retain must be more than 0.
Result<lake::MaintainOptions> MaintainOf(const Config& config) {
  lake::MaintainOptions maintain;
  VL_TRY(maintain.small_files, config.Count("maintain.small_files"));
  VL_TRY(maintain.target_rows, config.Count("maintain.target_rows"));
  VL_TRY(maintain.target_bytes, config.Size("maintain.target_file"));
  VL_TRY(maintain.checkpoint_every, config.Count("maintain.checkpoint_every"));
  for (const auto& [key, value] :
       {std::pair("maintain.target_rows", maintain.target_rows),
        std::pair("maintain.target_file", maintain.target_bytes),
        std::pair("maintain.checkpoint_every", maintain.checkpoint_every)}) {
    if (value > 0) continue;
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}: `{}`: must be more than 0", config.Find(key)->origin, key));
  }
  VL_TRY(const std::chrono::nanoseconds retain, config.Duration("maintain.retain"));
  maintain.retain = std::chrono::duration_cast<std::chrono::microseconds>(retain).count();
  return maintain;
}

}  // namespace

std::unexpected<Error> Usage(Context& context, std::string message) {
  context.usage_fault_ = true;
  return Fail(ErrorKind::kInvalidArgument, std::move(message));
}

Result<const Config*> Context::config() {
  if (config_) return &*config_;
  ConfigSources sources;
  sources.environment = ReadEnvironment();
  sources.file = globals_.config;
  if (!globals_.lake.empty()) sources.flags["lake"] = globals_.lake;
  if (!globals_.log_level.empty()) sources.flags["log_level"] = globals_.log_level;
  usage_fault_ = true;  // until all of it was read
  VL_TRY(Config config, Config::Load(sources));
  VL_TRY(std::string level, config.Text("log_level"));
  VL_RETURN_IF_ERROR(log::SetLevel(level));
  usage_fault_ = false;
  config_ = std::move(config);
  return &*config_;
}

Result<lake::LakeOptions> Context::lake_options() {
  VL_TRY(const Config* config, config());
  usage_fault_ = true;
  lake::LakeOptions options;
  VL_TRY(options.location, config->Path("lake"));
  if (location_) options.location = *location_;
  VL_TRY(options.memory_bytes, config->Size("memory"));
  if (options.memory_bytes < kLeastMemory) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}: `memory`: {} is too little to work with; give at least 128MB",
                            config->Find("memory")->origin, config->Find("memory")->text));
  }
  VL_TRY(int64_t threads, config->Count("engine.threads"));
  if (threads > 1024) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("{}: `engine.threads`: more than 1024",
                                                         config->Find("engine.threads")->origin));
  }
  options.threads = static_cast<int>(threads);
  VL_TRY(std::string spill, config->Path("engine.spill"));
  VL_TRY(std::string views, config->Path("views"));
  VL_TRY(std::string models, config->Path("models"));
  options.spill_folder = spill;
  options.views_folder = views;
  options.models_folder = models;
  VL_TRY(options.maintain, MaintainOf(*config));
  usage_fault_ = false;
  return options;
}

Result<lake::Lake*> Context::lake() {
  if (lake_) return lake_.get();
  VL_TRY(const lake::LakeOptions options, lake_options());
  VL_TRY(lake_, lake::Lake::Open(options, clock_, random_));
  return lake_.get();
}

Result<lake::Lake*> Context::lake_of_service() {
  VL_TRY(lake::LakeOptions options, lake_options());
  options.upkeep_apart = true;
  VL_TRY(lake_, lake::Lake::Open(options, clock_, random_));
  return lake_.get();
}

Result<lake::Lake*> Context::existing_lake() {
  VL_TRY(lake::Lake * lake, lake());
  VL_TRY(bool exists, lake->Exists());
  if (exists) return lake;
  return Fail(ErrorKind::kNotFound,
              fmt::format("there is no lake at {}; make one with `vitalake init`, or name another "
                          "with --lake",
                          lake->options().location));
}

}  // namespace vitalake::cli
