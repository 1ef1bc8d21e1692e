#include "ingest/monitoring/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "base/json_tree.h"
#include "base/json_writer.h"
#include "clinical/rule_check.h"

namespace vitalake::embedded {
std::span<const EmbeddedFile> rules();
}

namespace vitalake::ingest {
namespace {

constexpr std::string_view kCodes = "codes.yaml";  // no rules: which codes are vital signs

Result<std::string> ReadText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file.good() && !file.eof()) {
    return Fail(ErrorKind::kIo, fmt::format("cannot read {}", path.string()));
  }
  return text;
}

Result<std::map<std::string, std::filesystem::path>> RuleFilesIn(
    const std::filesystem::path& folder) {
  std::map<std::string, std::filesystem::path> files;
  if (folder.empty()) return files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") files[entry.path().filename()] = entry.path();
  }
  if (error) {
    return Fail(ErrorKind::kIo, fmt::format("{}: {}", folder.string(), error.message()));
  }
  return files;
}

Result<std::shared_ptr<const clinical::RuleBook>> BookOf(
    const std::vector<MonitorRules::File>& files) {
  std::vector<EmbeddedFile> views;
  for (const MonitorRules::File& file : files) views.push_back({file.name, file.text});
  return clinical::RuleBook::Make(views);
}

}  // namespace

Result<MonitorRules> MonitorRules::Load(const std::filesystem::path& folder,
                                        std::string_view guideline) {
  VL_TRY(const auto own, RuleFilesIn(folder));
  std::map<std::string, std::string> texts;
  for (const EmbeddedFile& file : embedded::rules()) {
    texts.emplace(file.name, file.text);
  }
  for (const auto& [name, path] : own) {
    VL_TRY(texts[name], ReadText(path));
  }
  texts.erase(std::string(kCodes));
  MonitorRules rules;
  rules.guideline = guideline;
  std::vector<File> named;  // as messages name them
  for (auto& [name, text] : texts) {
    const auto path = own.find(name);
    named.push_back({path == own.end() ? name : path->second.string(), text});
    rules.files.push_back({name, std::move(text)});
  }
  VL_TRY(const auto book, BookOf(named));
  for (const File& file : named) {
    VL_RETURN_IF_ERROR(
        clinical::CheckRuleFile(file.name, file.text, *clinical::CodeTable::Builtin()));
  }
  VL_TRY([[maybe_unused]] const monitor::RuleTable table,
         monitor::RuleTable::Make(*book, guideline));
  return rules;
}

std::string MonitorRules::ToJson() const {
  JsonWriter json;
  json.BeginObject().Key("late_after_us").Int(late_after);
  json.Key("late_critical_within_us").Int(late_critical_within);
  if (by_arrival) json.Key("by_arrival").Bool(true);
  if (guideline != clinical::RuleBook::kDefault) json.Key("guideline").String(guideline);
  json.Key("files").BeginArray();
  for (const File& file : files) {
    json.BeginObject().Key("name").String(file.name).Key("text").String(file.text).EndObject();
  }
  json.EndArray().EndObject();
  return json.Take();
}

Result<MonitorRules> MonitorRules::FromJson(std::string_view text) {
  const auto corrupt = [] {
    return Fail(ErrorKind::kCorrupt, "an activation of rules cannot be read");
  };
  JsonParser parser;
  const auto json = parser.Parse(text);
  if (!json) return corrupt();
  MonitorRules rules;
  const auto late = json->Find("late_after_us"), critical = json->Find("late_critical_within_us");
  if (!late || !critical || !late.AsInt() || !critical.AsInt()) return corrupt();
  rules.late_after = *late.AsInt();
  rules.late_critical_within = *critical.AsInt();
  const JsonValue by_arrival = json->Find("by_arrival");
  rules.by_arrival = by_arrival && by_arrival.type() == JsonType::kTrue;
  if (const auto guideline = json->String("guideline"); !guideline.empty()) {
    rules.guideline = guideline;
  }
  for (const JsonValue file : json->Find("files").children()) {
    rules.files.push_back({std::string(file.String("name")), std::string(file.String("text"))});
  }
  return rules;
}

Result<monitor::MonitorOptions> MonitorRules::Options() const {
  monitor::MonitorOptions options;
  VL_TRY(options.rules, BookOf(files));
  options.pressure_rules = guideline;
  options.late_after = late_after;
  options.late_critical_within = late_critical_within;
  return options;
}

Result<std::string> MonitorRules::Versions() const {
  VL_TRY(const auto book, BookOf(files));
  std::string text;
  std::vector<std::string_view> names = book->names();
  if (guideline != clinical::RuleBook::kDefault) {
    std::ranges::stable_partition(names, [&](std::string_view name) { return name == guideline; });
  }
  for (const std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", name, book->Find(name)->version);
  }
  return text;
}

}  // namespace vitalake::ingest
