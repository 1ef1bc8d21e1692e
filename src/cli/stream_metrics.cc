#include "cli/stream_metrics.h"

#include <algorithm>
#include <limits>

namespace vitalake::cli {
namespace {

const std::vector<double>& CountBounds() {
  static const std::vector<double> bounds = {1, 10, 100, 1000, 5000, 10'000, 50'000, 100'000};
  return bounds;
}

}  // namespace

StreamMetrics::StreamMetrics(Metrics& metrics, const std::string& stream, Clock& clock)
    : clock_(clock),
      messages_(metrics.Counter("vitalake_stream_messages_total",
                                "Messages committed to every table.", {{"stream", stream}})),
      batches_(metrics.Counter("vitalake_stream_batches_total", "Batches committed.",
                               {{"stream", stream}})),
      batch_messages_(metrics.Histogram("vitalake_stream_batch_messages", "Messages of a batch.",
                                        CountBounds(), {{"stream", stream}})),
      commit_seconds_(metrics.Histogram("vitalake_stream_commit_duration_seconds",
                                        "Time from a batch to its commit in every table.",
                                        DurationBounds(), {{"stream", stream}})),
      lag_messages_(metrics.Gauge("vitalake_stream_lag_messages",
                                  "Messages the source has that were not read yet.",
                                  {{"stream", stream}})),
      lag_seconds_(metrics.Gauge("vitalake_stream_lag_seconds",
                                 "Age of the last committed message while more of them wait.",
                                 {{"stream", stream}})) {
  using lake::OutcomeCounts;
  for (const auto& [outcome, member] : {std::pair("written", &OutcomeCounts::written),
                                        std::pair("superseded", &OutcomeCounts::superseded),
                                        std::pair("duplicate", &OutcomeCounts::duplicate),
                                        std::pair("quarantined", &OutcomeCounts::quarantined),
                                        std::pair("out_of_scope", &OutcomeCounts::out_of_scope)}) {
    outcomes_.emplace_back(
        member, &metrics.Counter("vitalake_stream_records_total", "Records by what became of them.",
                                 {{"stream", stream}, {"outcome", outcome}}));
  }
}

void StreamMetrics::Committed(const ingest::StreamProgress& progress) {
  const int64_t messages = progress.messages - before_.messages;
  messages_.Add(messages);
  batches_.Add(progress.batches - before_.batches);
  batch_messages_.Observe(static_cast<double>(messages));
  commit_seconds_.Observe(progress.commit_seconds);
  for (const auto& [member, counter] : outcomes_) {
    counter->Add(progress.outcomes.*member - before_.outcomes.*member);
  }
  received_at_ = progress.received_at;
  before_ = progress;
}

void StreamMetrics::Sample(ingest::StreamSource* source) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  const auto waiting = source == nullptr ? std::nullopt : source->Waiting();
  lag_messages_.Set(waiting ? static_cast<double>(*waiting) : kUnknown);
  const Micros received = received_at_;
  if (!waiting || (*waiting > 0 && received == 0)) return lag_seconds_.Set(kUnknown);
  const double age = static_cast<double>(clock_.NowMicros() - received) / 1e6;
  lag_seconds_.Set(*waiting > 0 ? std::max(age, 0.0) : 0);
}

}  // namespace vitalake::cli
