#include "lake/feed_consumers.h"

#include <fmt/format.h>

#include <algorithm>

#include "lake/gold_model.h"
#include "lake/gold_refresh.h"
#include "lake/published.h"

namespace vitalake::lake {

Result<std::vector<FeedConsumer>> ConsumersOf(Lake& lake, std::string_view table) {
  VL_TRY(const std::vector<GoldModel> models, LoadGoldModels(lake.options().models_folder));
  std::vector<FeedConsumer> consumers;
  for (const GoldModel& model : models) {
    const auto source = std::ranges::find(model.sources, table, &GoldSource::table);
    if (model.is_view || source == model.sources.end()) continue;
    const auto gold = lake.Latest(model.table);
    if (!gold && gold.error().kind == ErrorKind::kNotFound) continue;
    if (!gold) return std::unexpected(gold.error());
    const auto seen = SeenVersion(**gold, model, *source);
    if (seen)
      consumers.push_back({model.table, Version{*seen}, "`vitalake gold` brings it up to date"});
  }
  VL_TRY(const auto published, AllPublished(lake));
  for (const auto& [place, positions] : published) {
    const auto seen = positions.find(table);
    if (seen == positions.end()) continue;
    consumers.push_back(
        {"outbound " + place, Version{seen->second},
         fmt::format("`vitalake run` reads on while it publishes there; a topic that is not "
                     "published any more is forgotten by deleting {} in the lake",
                     PublishedKey(place))});
  }
  std::ranges::sort(consumers, {}, &FeedConsumer::seen);
  return consumers;
}

}  // namespace vitalake::lake
