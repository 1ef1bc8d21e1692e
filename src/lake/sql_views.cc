#include "lake/sql_views.h"

#include <fmt/format.h>

#include <span>

#include "base/embedded.h"
#include "lake/catalogue.h"
#include "lake/gold.h"

namespace vitalake::embedded {
std::span<const EmbeddedFile> reference_views();
}  // namespace vitalake::embedded

namespace vitalake::lake {
namespace {

constexpr std::string_view kFolder = "views/";
constexpr std::string_view kEnding = ".sql";

std::string KeyOf(std::string_view name) { return fmt::format("{}{}{}", kFolder, name, kEnding); }

}  // namespace

Result<std::map<std::string, std::string>> SqlViews(Lake& lake) {
  VL_TRY(auto views, GoldViews(lake));
  VL_TRY(const std::vector<std::string> files, lake.store().ListFolder(kFolder));
  for (const std::string& file : files) {
    if (!file.ends_with(kEnding)) continue;
    const std::string name = file.substr(0, file.size() - kEnding.size());
    if (!IsPlainName(name)) continue;
    VL_TRY(views[name], lake.store().Read(KeyOf(name)));
  }
  return views;
}

Result<std::optional<std::string>> FindSqlView(Lake& lake, std::string_view name) {
  if (name.starts_with("gold.")) {
    VL_TRY(const auto views, GoldViews(lake));
    const auto view = views.find(std::string(name));
    return view == views.end() ? std::nullopt : std::optional(view->second);
  }
  if (!IsPlainName(name)) return std::nullopt;
  auto sql = lake.store().Read(KeyOf(name));
  if (!sql && sql.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!sql) return Because(std::move(sql).error(), fmt::format("view {}", name));
  return std::move(*sql);
}

Result<std::vector<std::string>> KeepReferenceViews(Lake& lake) {
  std::vector<std::string> kept;
  for (const EmbeddedFile& file : embedded::reference_views()) {
    const std::string_view name = file.name.substr(0, file.name.size() - kEnding.size());
    VL_TRY(const storage::PutOutcome outcome, lake.store().PutIfAbsent(KeyOf(name), file.text));
    if (outcome == storage::PutOutcome::kUnknown) {
      return Fail(ErrorKind::kIo,
                  fmt::format("it is not known whether {} was written: run again", KeyOf(name)));
    }
    if (outcome == storage::PutOutcome::kCreated) kept.emplace_back(name);
  }
  return kept;
}

}  // namespace vitalake::lake
