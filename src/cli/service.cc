#include "cli/service.h"

#include <chrono>
#include <limits>
#include <thread>

#include "base/log.h"
#include "base/turns.h"
#include "ingest/alerts/publisher.h"
#include "ingest/file_source.h"
#include "ingest/kafka/sink.h"
#include "ingest/kafka/source.h"
#include "ingest/monitoring/follower.h"
#include "ingest/pause.h"
#include "ingest/post_source.h"
#include "lake/compaction.h"
#include "lake/gold.h"

namespace vitalake::cli {
namespace {

constexpr std::chrono::seconds kTellEvery{10};
constexpr std::chrono::seconds kSampleEvery{2};
constexpr std::chrono::seconds kRecallPatience{20};
// Least time between two passes of what is sent on: changes of tables, alerts.
constexpr std::chrono::milliseconds kChangeRest{100}, kAlertRest{1};

Result<std::filesystem::path> SlotFolder(lake::Lake& lake) {
  VL_TRY(const std::filesystem::path staging, lake.store().StagingFolder());
  return staging.parent_path() / "slots";
}

// Five sixths of the time at most: a pass takes what processor others leave it, but the disk,
// too.
constexpr ingest::CommitFollower::Pace kGoldPace{.every = std::chrono::seconds(1), .rest = 0.2};

// Small files become few, so that there are never many more than `maintain.small_files` of a table.
constexpr ingest::CommitFollower::Pace kUpkeepPace{.every = std::chrono::seconds(3), .rest = 1};

Status CompactSmallFiles(lake::CompactionRounds& compaction, const std::stop_token& stop) {
  auto done = compaction.Run(Wait{.stop = stop});
  if (!done && done.error().kind != ErrorKind::kCancelled) {
    return std::unexpected(std::move(done).error());
  }
  return {};
}

Status FollowWithGold(lake::Lake& lake) {
  VL_TRY(const auto results, lake::RefreshGold(lake));
  for (const lake::GoldResult& result : results) {
    log::Debug("gold: {} at version {}, {} persons", result.table, result.version,
               result.keys_touched);
  }
  return {};
}

}  // namespace

Service::Service(lake::Lake& lake, RunSetup setup)
    : lake_(lake),
      setup_(std::move(setup)),
      compaction_(lake),
      gold_("gold", lake.clock(), kGoldPace, [this] { return FollowWithGold(lake_); }),
      upkeep_("upkeep", lake.clock(), kUpkeepPace,
              [this] { return CompactSmallFiles(compaction_, ended_.get_token()); }),
      board_(lake, alerts_),
      desk_(lake),
      live_(lake, board_, readings_),
      alert_metrics_(metrics_) {
  alerts_.Listen([this](const auto alerts) { alert_metrics_.Count(alerts); });
}

Result<std::unique_ptr<ingest::StreamSource>> Service::OpenSource(const StreamSetup& setup) {
  if (setup.source == StreamKind::kFile) {
    log::Info("stream {}: file {}", setup.settings.name, setup.file);
    return std::make_unique<ingest::FileSource>(setup.file, lake_.clock());
  }
  VL_TRY(const std::filesystem::path slots, SlotFolder(lake_));
  if (setup.source == StreamKind::kHttp) {
    log::Info("stream {}: posts", setup.settings.name);
    return ingest::PostSource::Open(http_->box(setup.settings.name), setup.settings.name, slots,
                                    lake_.clock());
  }
  if (setup.source == StreamKind::kGenerator) {
    log::Info("stream {}: generated, {} a second", setup.settings.name, setup.generator.rate);
    return ingest::GenerateSource::Open(setup.generator, setup.settings.name, slots, lake_.clock());
  }
  log::Info("stream {}: topic {} at {}, group {}", setup.settings.name, setup.kafka.topic,
            setup.kafka.brokers, setup.kafka.group);
  return ingest::KafkaSource::Open(setup.kafka, setup.settings.name, slots, lake_.clock());
}

Status Service::CheckStream(const StreamSetup& stream) {
  {
    // The server answers from the moment it is opened: no part runs then, and http_ is not set.
    const std::lock_guard lock(mutex_);
    if (!running_.contains("stream " + stream.settings.name)) {
      return Fail(ErrorKind::kNotFound, "it does not run");
    }
  }
  if (stream.source == StreamKind::kHttp && !http_->box(stream.settings.name).is_open()) {
    return Fail(ErrorKind::kNotFound, "it does not take posts yet");
  }
  return {};
}

std::string Service::RemarkOn(const StreamSetup& stream) {
  const std::lock_guard lock(mutex_);
  const auto sampled = sampled_.find(stream.settings.name);
  if (sampled == sampled_.end() || sampled->second.source == nullptr) return {};
  return sampled->second.source->Hindrance();
}

Status Service::OpenHttp() {
  if (!setup_.http) return {};
  std::vector<serve::HealthCheck> checks = LakeChecks(lake_);
  for (const StreamSetup& stream : setup_.streams) {
    checks.push_back({"stream " + stream.settings.name,
                      [this, &stream](const Wait&) { return CheckStream(stream); },
                      [this, &stream] { return RemarkOn(stream); }});
  }
  auto opened = HttpService::Open(lake_, metrics_, *setup_.http, setup_.streams, std::move(checks),
                                  {board_, desk_, readings_, [this] { return StatusJson(); }});
  if (opened) {
    http_ = std::move(*opened);
    return {};
  }
  Error error = std::move(opened).error();
  error.context.push_back("serve.http");
  if (setup_.http->asked_for || error.kind != ErrorKind::kAlreadyExists) {
    return std::unexpected(std::move(error));
  }
  log::Warn("nothing is served over HTTP: {}", error.ToString());
  return {};
}

Status Service::OpenBox(const StreamSetup& setup, const std::stop_token& stop) {
  VL_TRY(auto kept, ingest::KeptKeys(lake_, setup.settings.name, Wait{.stop = stop}));
  http_->box(setup.settings.name)
      .Open(std::move(kept), [this, settings = setup.settings](const ingest::PostBox::Kept& one) {
        return ingest::RecallMessage(lake_, views_, settings, one,
                                     Wait::For(lake_.clock(), kRecallPatience));
      });
  return {};
}

Status Service::RunStream(const StreamSetup& setup, const std::stop_token& stop) {
  VL_TRY(const std::unique_ptr<ingest::StreamSource> source, OpenSource(setup));
  ingest::StreamSettings settings = setup.settings;
  ingest::BatchLimits limits = setup.limits;
  ingest::PostBox* const box =
      setup.source == StreamKind::kHttp ? &http_->box(settings.name) : nullptr;
  if (box != nullptr) {
    settings.listener = box;
    settings.started = [this, &setup, stop] { return OpenBox(setup, stop); };
    limits.at_once = true;  // callers wait
  }
  const std::stop_callback refuse(stop, [box] {
    if (box != nullptr) box->Refuse();
  });
  StreamMetrics& metrics = *[&] {
    const std::lock_guard lock(mutex_);
    running_.insert("stream " + settings.name);
    Sampled& sampled = sampled_[settings.name];
    sampled.source = source.get();
    sampled.metrics = std::make_unique<StreamMetrics>(metrics_, settings.name, lake_.clock());
    return sampled.metrics.get();
  }();
  alert_metrics_.Follow(settings.name);
  ingest::StreamProgress before;
  ingest::MonitorFollower monitor(
      lake_, views_, setup.settings, RulesOf(setup), alerts_,
      box == nullptr ? ingest::Tell::kAtOnce : ingest::Tell::kOnceInBronze);
  {
    const std::lock_guard lock(mutex_);
    Sampled& sampled = sampled_.at(settings.name);
    sampled.monitor = &monitor;
    sampled.by_arrival = setup.by_arrival;
  }
  monitor.OfferRules(RulesOf(setup));  // others may have come meanwhile
  monitor.Connect(readings_, desk_);
  ingest::StreamPipeline pipeline(
      lake_, views_, settings, limits, *source, &monitor,
      [&](const ingest::StreamProgress& progress) {
        messages_ += progress.messages - before.messages;
        records_ += progress.outcomes.received - before.outcomes.received;
        before = progress;
        metrics.Committed(progress);
        using After = ingest::CommitFollower::After;
        Touch(progress.catching_up ? After::kCatchingUp : After::kCommit);
      });
  const auto asked = desk_.Join([&pipeline] { pipeline.Nudge(); });
  Status ran = pipeline.Run(stop);
  const std::lock_guard lock(mutex_);
  sampled_.at(settings.name).source = nullptr;
  sampled_.at(settings.name).monitor = nullptr;
  return ran;
}

ingest::MonitorRules Service::RulesOf(const StreamSetup& setup) {
  const std::lock_guard lock(mutex_);
  ingest::MonitorRules rules = setup_.monitor;
  rules.by_arrival = setup.by_arrival;
  return rules;
}

void Service::UseRules(ingest::MonitorRules rules) {
  const std::lock_guard lock(mutex_);
  setup_.monitor = std::move(rules);
  for (const auto& [_, sampled] : sampled_) {
    if (sampled.monitor == nullptr) continue;
    ingest::MonitorRules of_stream = setup_.monitor;
    of_stream.by_arrival = sampled.by_arrival;
    sampled.monitor->OfferRules(std::move(of_stream));
  }
}

Status Service::RunLanding(const std::stop_token& stop) {
  ingest::LandingWatch watch(lake_, *setup_.landing, [&](const ingest::BatchSummary& summary) {
    files_ += static_cast<int64_t>(summary.files.size());
    file_records_ += summary.counts.received;
    metrics_.Counter("vitalake_landing_files_total", "Files taken in from the landing folder.")
        .Add(static_cast<int64_t>(summary.files.size()));
    metrics_.Counter("vitalake_landing_records_total", "Records in them.")
        .Add(summary.counts.received);
    log::Info("landing: run {} took in {} files: {} records, {} written, {} quarantined",
              summary.run, summary.files.size(), summary.counts.received, summary.counts.written,
              summary.counts.quarantined);
    Touch(ingest::CommitFollower::After::kCommit);
  });
  return watch.Run(stop);
}

Status Service::OpenPlace(std::unique_ptr<ingest::OutboundWork> work,
                          std::chrono::nanoseconds rest) {
  outbound_.push_back(std::make_unique<ingest::OutboundFollower>(lake_, std::move(work), rest));
  return outbound_.back()->Begin();
}

// Alerts leave as soon as they are on the board.
Status Service::OpenAlertPlace(std::string place, std::unique_ptr<ingest::OutboundSink> sink) {
  VL_RETURN_IF_ERROR(
      OpenPlace(std::make_unique<ingest::AlertPublisher>(lake_, board_, std::move(place),
                                                         std::move(sink), setup_.outbound.names),
                kAlertRest));
  board_.Listen([follower = outbound_.back().get()](const auto&) { follower->Touch(); });
  return {};
}

Status Service::OpenOutbound() {
  const OutboundSetup& outbound = setup_.outbound;
  if (const auto& topic = outbound.observations) {
    VL_TRY(auto feeds, ingest::ReadingFeeds(lake_));
    VL_RETURN_IF_ERROR(
        OpenPlace(std::make_unique<ingest::OutboundPublisher>(
                      lake_, topic->topic, std::move(feeds),
                      std::make_unique<ingest::KafkaSink>(*topic, lake_.clock()), outbound.names),
                  kChangeRest));
  }
  if (const auto& topic = outbound.alerts) {
    VL_RETURN_IF_ERROR(
        OpenAlertPlace(topic->topic, std::make_unique<ingest::KafkaSink>(*topic, lake_.clock())));
  }
  if (const auto& webhook = outbound.webhook) {
    VL_TRY(auto sink, ingest::WebhookSink::Open(*webhook, lake_.clock()));
    VL_RETURN_IF_ERROR(OpenAlertPlace("webhook", std::move(sink)));
  }
  return {};
}

void Service::Touch(ingest::CommitFollower::After after) {
  gold_.Touch(after);
  upkeep_.Touch(after);
  for (const auto& place : outbound_) place->Touch();
}

void Service::Part(const std::string& name, const std::function<Status()>& run) {
  Status done = run();
  const std::lock_guard lock(mutex_);
  running_.erase(name);
  if (done) return;
  log::Fault("{} ended: {}", name, done.error().ToString());
  if (failed_) failed_ = Because(std::move(done).error(), name);
  ended_.request_stop();
}

void Service::Sample() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [_, sampled] : sampled_) sampled.metrics->Sample(sampled.source);
  }
  const auto catalogue = lake_.Catalogue();
  if (!catalogue) return;
  for (const lake::TableSpec* const spec : *catalogue) {
    const auto snapshot = lake_.Latest(spec->name);
    if (!snapshot) continue;  // a gold table that no refresh made yet
    metrics_
        .Gauge("vitalake_table_updated_timestamp_seconds", "Time of the table's last commit.",
               {{"table", spec->name}})
        .Set(static_cast<double>((*snapshot)->timestamp()) / 1e6);
  }
}

std::string Service::StatusJson() {
  std::vector<StreamStatus> streams;
  {
    const std::lock_guard lock(mutex_);
    for (const StreamSetup& setup : setup_.streams) {
      const std::string& name = setup.settings.name;
      StreamStatus& status = streams.emplace_back(StreamStatus{name});
      status.running = running_.contains("stream " + name);
      status.lag_messages = status.lag_seconds = std::numeric_limits<double>::quiet_NaN();
      const auto sampled = sampled_.find(name);
      if (sampled == sampled_.end() || !sampled->second.metrics) continue;
      if (sampled->second.source != nullptr) status.remark = sampled->second.source->Hindrance();
      if (!status.remark.empty()) continue;
      status.lag_messages = sampled->second.metrics->lag_messages();
      status.lag_seconds = sampled->second.metrics->lag_seconds();
    }
  }
  return live_.Json(streams);
}

void Service::Tell() {
  int64_t last_messages = 0, last_files = 0;
  auto told_at = lake_.clock().Steady();
  while (!ended_.stop_requested()) {
    if (http_) Sample();
    ingest::PauseUntilStop(ended_.get_token(), kSampleEvery);
    const auto now = lake_.clock().Steady();
    if (now - told_at < kTellEvery && !ended_.stop_requested()) continue;
    const double seconds = std::chrono::duration<double>(now - told_at).count();
    told_at = now;
    if (messages_ == last_messages && files_ == last_files) continue;
    log::Info("{} messages ({:.0f} a second), {} files taken in", messages_.load(),
              static_cast<double>(messages_ - last_messages) / seconds, files_.load());
    last_messages = messages_;
    last_files = files_;
  }
}

Result<ServiceSummary> Service::Run(const std::stop_token& stop) {
  const auto begin = lake_.clock().Steady();
  // An alert's way leads over several threads; what commits, refreshes and compacts does otherwise.
  TakeShortTurns();
  VL_RETURN_IF_ERROR(lake_.CreateMissingTables());
  VL_RETURN_IF_ERROR(lake_.AddMissingColumns(ingest::kBronzeStream));
  VL_TRY(views_, lake::LoadSilverViews(lake_.options().views_folder));
  for (const lake::SilverView& view : views_) {
    VL_RETURN_IF_ERROR(lake_.AddMissingColumns(view.table));
  }
  VL_RETURN_IF_ERROR(board_.Open(Wait{.stop = stop}));
  VL_RETURN_IF_ERROR(OpenOutbound());
  VL_RETURN_IF_ERROR(OpenHttp());
  VL_TRY(postgres_, OpenPostgres(lake_, metrics_, setup_.postgres));
  const std::stop_callback forward(stop, [&] { ended_.request_stop(); });
  {
    std::jthread gold([&] {
      GiveWay();
      Part("gold", [&] { return gold_.Run({}); });
    });
    std::jthread upkeep([&] {
      GiveWay();
      Part("upkeep", [&] { return upkeep_.Run(ended_.get_token()); });
    });
    std::jthread board(
        [&](const std::stop_token& end) { Part("alerts", [&] { return board_.Run(end); }); });
    std::vector<std::jthread> outbound;
    for (const auto& place : outbound_) {
      outbound.emplace_back([&] {
        Part("outbound " + place->place(), [&] { return place->Run(ended_.get_token()); });
      });
    }
    {
      std::vector<std::jthread> parts;
      for (const StreamSetup& stream : setup_.streams) {
        parts.emplace_back([&, this] {
          Part("stream " + stream.settings.name,
               [&] { return RunStream(stream, ended_.get_token()); });
        });
      }
      if (setup_.landing) {
        parts.emplace_back(
            [this] { Part("landing", [this] { return RunLanding(ended_.get_token()); }); });
      }
      Tell();
    }
    board.request_stop();
    board.join();
    if (http_) http_->Drain();
    if (postgres_) postgres_->Drain();
    gold_.Finish();
    for (const auto& place : outbound_) place->Finish();
  }
  VL_RETURN_IF_ERROR(std::move(failed_));
  ServiceSummary summary;
  summary.messages = messages_;
  summary.records = records_;
  summary.files = files_;
  summary.file_records = file_records_;
  summary.alerts = alerts_.published();
  summary.seconds = std::chrono::duration<double>(lake_.clock().Steady() - begin).count();
  return summary;
}

}  // namespace vitalake::cli
