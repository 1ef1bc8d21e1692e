#include "cli/live_status.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/json_writer.h"

namespace vitalake::cli {
namespace {

constexpr std::chrono::milliseconds kRateOver{900};

struct LayerAge {
  Micros updated_at = 0;
  int64_t version = 0;
};

// Of each layer the commit that came last.
std::map<std::string, LayerAge> LayersOf(lake::Lake& lake) {
  std::map<std::string, LayerAge> layers;
  const auto catalogue = lake.Catalogue();
  if (!catalogue) return layers;
  for (const lake::TableSpec* const spec : *catalogue) {
    const std::string layer = spec->name.substr(0, spec->name.find('.'));
    if (layer == "ops") continue;
    const auto snapshot = lake.Latest(spec->name);
    if (!snapshot) continue;  // a gold table that no refresh made yet
    const Micros time = (*snapshot)->timestamp();
    LayerAge& age = layers[layer];
    if (time >= age.updated_at) age = {time, (*snapshot)->version().value};
  }
  return layers;
}

void AppendNumber(JsonWriter& json, double value) {
  std::isnan(value) ? json.Null() : json.Double(value);
}

void AppendLayers(JsonWriter& json, lake::Lake& lake) {
  const auto layers = LayersOf(lake);
  json.Key("layers").BeginArray();
  for (const char* const name : {"bronze", "silver", "gold"}) {
    const auto layer = layers.find(name);
    if (layer == layers.end()) continue;
    const Micros age = std::max<Micros>(lake.clock().NowMicros() - layer->second.updated_at, 0);
    const int64_t age_ms = age / 1000;
    json.BeginObject().Key("layer").String(name);
    json.Key("updated_at").String(FormatUtc(layer->second.updated_at));
    json.Key("age_seconds").Double(static_cast<double>(age_ms) / 1000);
    json.Key("version").Int(layer->second.version).EndObject();
  }
  json.EndArray();
}

void AppendAlerts(JsonWriter& json, const ingest::AlertBoard::Summary& alerts) {
  json.Key("alerts").BeginObject().Key("on").Int(alerts.on).Key("critical").Int(alerts.critical);
  json.Key("told_milliseconds");
  if (alerts.p50_ms) {
    json.BeginObject().Key("p50").Double(*alerts.p50_ms).Key("p99").Double(*alerts.p99_ms);
    json.EndObject();
  } else {
    json.Null();
  }
  json.EndObject();
}

}  // namespace

LiveStatus::LiveStatus(lake::Lake& lake, const ingest::AlertBoard& board,
                       const ingest::ReadingFeed& readings)
    : lake_(lake),
      board_(board),
      readings_(readings),
      began_(lake.clock().Steady()),
      counted_at_(began_) {}

double LiveStatus::Rate(std::chrono::nanoseconds now, int64_t count) {
  const std::lock_guard lock(mutex_);
  if (now - counted_at_ >= kRateOver) {
    rate_ = static_cast<double>(count - counted_) /
            std::chrono::duration<double>(now - counted_at_).count();
    counted_at_ = now;
    counted_ = count;
  }
  return std::round(rate_ * 10) / 10;
}

std::string LiveStatus::Json(const std::vector<StreamStatus>& streams) {
  const auto now = lake_.clock().Steady();
  const int64_t count = readings_.count();
  const double uptime = std::chrono::duration<double>(now - began_).count();
  JsonWriter json;
  json.BeginObject().Key("time").String(FormatUtc(lake_.clock().NowMicros()));
  json.Key("uptime_seconds").Double(std::round(uptime * 10) / 10);
  json.Key("readings_per_second").Double(Rate(now, count)).Key("readings").Int(count);
  json.Key("streams").BeginArray();
  for (const StreamStatus& stream : streams) {
    json.BeginObject().Key("stream").String(stream.stream);
    json.Key("running").Bool(stream.running).Key("lag_messages");
    AppendNumber(json, stream.lag_messages);
    json.Key("lag_seconds");
    AppendNumber(json, stream.lag_seconds);
    json.Key("remark");
    stream.remark.empty() ? json.Null() : json.String(stream.remark);
    json.EndObject();
  }
  json.EndArray();
  AppendLayers(json, lake_);
  AppendAlerts(json, board_.Summarise());
  const auto quarantine = lake_.Latest("ops.quarantine");
  const auto rows = quarantine ? (*quarantine)->NumRecords() : std::nullopt;
  json.Key("quarantined");
  rows ? json.Int(*rows) : json.Null();
  json.EndObject();
  return json.Take();
}

}  // namespace vitalake::cli
