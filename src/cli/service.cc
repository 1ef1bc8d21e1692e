#include "cli/service.h"

#include <chrono>
#include <thread>

#include "base/log.h"
#include "ingest/file_source.h"
#include "ingest/kafka_source.h"
#include "ingest/pause.h"

namespace vitalake::cli {
namespace {

constexpr std::chrono::seconds kTellEvery{10};

}  // namespace

Result<std::unique_ptr<ingest::StreamSource>> Service::OpenSource(const StreamSetup& setup) {
  if (!setup.file.empty()) {
    log::Info("stream {}: file {}", setup.settings.name, setup.file);
    return std::make_unique<ingest::FileSource>(setup.file, lake_.clock());
  }
  VL_TRY(const std::filesystem::path staging, lake_.store().StagingFolder());
  log::Info("stream {}: topic {} at {}, group {}", setup.settings.name, setup.kafka.topic,
            setup.kafka.brokers, setup.kafka.group);
  return ingest::KafkaSource::Open(setup.kafka, setup.settings.name,
                                   staging.parent_path() / "slots", lake_.clock());
}

Status Service::RunStream(const StreamSetup& setup, const std::stop_token& stop) {
  VL_TRY(const std::unique_ptr<ingest::StreamSource> source, OpenSource(setup));
  ingest::StreamProgress before;
  ingest::StreamPipeline pipeline(
      lake_, views_, setup.settings, setup.limits, *source, nullptr,
      [&](const ingest::StreamProgress& progress) {
        messages_ += progress.messages - before.messages;
        records_ += progress.records - before.records;
        before = progress;
        using After = ingest::GoldFollower::After;
        gold_.Touch(progress.catching_up ? After::kCatchingUp : After::kCommit);
      });
  return pipeline.Run(stop);
}

Status Service::RunLanding(const std::stop_token& stop) {
  ingest::LandingWatch watch(lake_, *setup_.landing, [&](const ingest::BatchSummary& summary) {
    files_ += static_cast<int64_t>(summary.files.size());
    file_records_ += summary.counts.received;
    log::Info("landing: run {} took in {} files: {} records, {} written, {} quarantined",
              summary.run, summary.files.size(), summary.counts.received, summary.counts.written,
              summary.counts.quarantined);
    gold_.Touch();
  });
  return watch.Run(stop);
}

void Service::Part(const std::string& name, Status done) {
  if (done) return;
  const std::lock_guard lock(mutex_);
  log::Fault("{} ended: {}", name, done.error().ToString());
  if (failed_) failed_ = Because(std::move(done).error(), name);
  ended_.request_stop();
}

void Service::Tell() {
  int64_t last_messages = 0, last_files = 0;
  while (!ended_.stop_requested()) {
    ingest::PauseUntilStop(ended_.get_token(), kTellEvery);
    if (messages_ == last_messages && files_ == last_files) continue;
    log::Info("{} messages ({} a second), {} files taken in", messages_.load(),
              (messages_ - last_messages) / kTellEvery.count(), files_.load());
    last_messages = messages_;
    last_files = files_;
  }
}

Result<ServiceSummary> Service::Run(const std::stop_token& stop) {
  const auto begin = lake_.clock().Steady();
  VL_RETURN_IF_ERROR(lake_.CreateMissingTables());
  VL_TRY(views_, lake::LoadSilverViews(lake_.options().views_folder));
  const std::stop_callback forward(stop, [&] { ended_.request_stop(); });
  {
    std::jthread gold([&] { Part("gold", gold_.Run({})); });
    {
      std::vector<std::jthread> parts;
      for (const StreamSetup& stream : setup_.streams) {
        parts.emplace_back([&, this] {
          Part("stream " + stream.settings.name, RunStream(stream, ended_.get_token()));
        });
      }
      if (setup_.landing) {
        parts.emplace_back([this] { Part("landing", RunLanding(ended_.get_token())); });
      }
      Tell();
    }
    gold_.Finish();
  }
  VL_RETURN_IF_ERROR(std::move(failed_));
  ServiceSummary summary;
  summary.messages = messages_;
  summary.records = records_;
  summary.files = files_;
  summary.file_records = file_records_;
  summary.seconds = std::chrono::duration<double>(lake_.clock().Steady() - begin).count();
  return summary;
}

}  // namespace vitalake::cli
