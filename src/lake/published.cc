#include "lake/published.h"

#include <fmt/format.h>

#include "base/json_tree.h"
#include "base/json_writer.h"

namespace vitalake::lake {
namespace {

constexpr std::string_view kFolder = "_vitalake/outbound/";
constexpr std::string_view kSuffix = ".json";

std::unexpected<Error> Damaged(const std::string& key) {
  return Fail(
      ErrorKind::kCorrupt,
      fmt::format("{} does not say how far was published; delete it to begin at the present", key));
}

}  // namespace

std::string PublishedKey(std::string_view place) {
  return fmt::format("{}{}{}", kFolder, place, kSuffix);
}

Result<std::optional<FeedPositions>> ReadPublished(Lake& lake, std::string_view place) {
  const std::string key = PublishedKey(place);
  const auto text = lake.store().Read(key);
  if (!text && text.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  JsonParser parser;
  const auto parsed = parser.Parse(*text);
  if (!parsed || !parsed->is_object()) return Damaged(key);
  FeedPositions positions;
  for (const JsonValue table : parsed->children()) {
    const auto version = table.AsInt();
    if (!version) return Damaged(key);
    positions.emplace(table.key(), *version);
  }
  return positions;
}

Status WritePublished(Lake& lake, std::string_view place, const FeedPositions& positions) {
  JsonWriter json;
  json.BeginObject();
  for (const auto& [table, version] : positions) json.Key(table).Int(version);
  json.EndObject();
  return lake.store().Put(PublishedKey(place), json.text());
}

Result<std::map<std::string, FeedPositions>> AllPublished(Lake& lake) {
  VL_TRY(const auto objects, lake.store().List(kFolder));
  std::map<std::string, FeedPositions> all;
  for (const storage::ObjectInfo& object : objects) {
    std::string_view place = std::string_view(object.key).substr(kFolder.size());
    if (!place.ends_with(kSuffix)) continue;
    place.remove_suffix(kSuffix.size());
    VL_TRY(auto positions, ReadPublished(lake, place));
    if (positions) all.emplace(place, std::move(*positions));
  }
  return all;
}

}  // namespace vitalake::lake
