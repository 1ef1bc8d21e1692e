#include "ingest/alerts/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/log.h"
#include "ingest/alerts/log.h"
#include "ingest/alerts/table.h"

namespace vitalake::ingest {
namespace {

constexpr size_t kHeard = 65'536;
constexpr size_t kSteps = 4'096;
constexpr size_t kEarly = 16'384;
constexpr size_t kDelays = 1'000;
constexpr std::chrono::seconds kBoardLookEvery{1}, kBoardLookPatience{30};

AlertStepPtr StepOf(const PublishedAlert& alert, int64_t number) {
  return std::make_shared<const AlertStep>(AlertStep{alert, AlertJson(alert), number});
}

}  // namespace

AlertBoard::AlertBoard(lake::Lake& lake, AlertFeed& feed)
    : lake_(lake), heard_(feed.Subscribe(kHeard)) {}

Status AlertBoard::Open(const Wait& wait) {
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(kAlerts));
  AlertQuery query;
  query.on = true;
  VL_TRY(const auto alerts, ReadAlertsNow(lake_, snapshot, query, wait));
  const std::lock_guard lock(mutex_);
  next_ = AlertPositionsIn(*snapshot);
  for (const PublishedAlert& alert : alerts) on_[alert.alert_id] = StepOf(alert, 0);
  looked_at_ = snapshot->version();
  return {};
}

void AlertBoard::Listen(Listener told) { listeners_.push_back(std::move(told)); }

Status AlertBoard::Run(const std::stop_token& stop) {
  auto looked = lake_.clock().Steady();
  for (bool last = false; !last;) {
    last = stop.stop_requested();
    std::vector<AlertStepPtr> fresh;
    for (const auto& alert : heard_->Take(last ? std::chrono::seconds(0) : kBoardLookEvery, stop)) {
      Accept(*alert, fresh);
    }
    TellListeners(fresh);
    const auto now = lake_.clock().Steady();
    if (now - looked < kBoardLookEvery) continue;
    looked = now;
    fresh.clear();
    if (auto done = LookAtTable(fresh, Wait::For(lake_.clock(), kBoardLookPatience, stop)); !done) {
      if (done.error().kind != ErrorKind::kCancelled) {
        log::Warn("alerts: cannot look at {}: {}", kAlerts, done.error().ToString());
      }
    }
    TellListeners(fresh);
  }
  return {};
}

void AlertBoard::TellListeners(std::span<const AlertStepPtr> fresh) {
  if (fresh.empty()) return;
  for (const Listener& told : listeners_) told(fresh);
}

void AlertBoard::Accept(const PublishedAlert& alert, std::vector<AlertStepPtr>& fresh) {
  const std::lock_guard lock(mutex_);
  int64_t& next = next_.try_emplace(alert.source_partition, 0).first->second;
  if (alert.sequence < next) return;
  auto& early = early_[alert.source_partition];
  if (alert.sequence > next) {
    // What does not fit any more comes from the table.
    if (early_count_ < kEarly && early.emplace(alert.sequence, alert).second) ++early_count_;
    return;
  }
  Append(alert, fresh);
  while (!early.empty() && early.begin()->first <= next) {
    const PublishedAlert one = std::move(early.extract(early.begin()).mapped());
    --early_count_;
    if (one.sequence == next) Append(one, fresh);
  }
}

void AlertBoard::Append(const PublishedAlert& alert, std::vector<AlertStepPtr>& fresh) {
  NoteDelay(alert);
  next_[alert.source_partition] = alert.sequence + 1;
  auto step = StepOf(alert, ++number_);
  if (IsOn(alert.state)) {
    on_[alert.alert_id] = step;
  } else {
    on_.erase(alert.alert_id);
  }
  steps_.push_back(step);
  if (steps_.size() > kSteps) steps_.pop_front();
  fresh.push_back(std::move(step));
  changed_.notify_all();
}

void AlertBoard::NoteDelay(const PublishedAlert& alert) {
  if (alert.change != "opened" || alert.heard_at == 0) return;
  delays_us_.push_back(std::max<int64_t>(lake_.clock().NowMicros() - alert.heard_at, 0));
  if (delays_us_.size() > kDelays) delays_us_.pop_front();
}

Status AlertBoard::LookAtTable(std::vector<AlertStepPtr>& fresh, const Wait& wait) {
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(kAlerts));
  if (snapshot->version() == looked_at_) return {};
  AlertPositions lacking;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [app, end] : AlertPositionsIn(*snapshot)) {
      const auto known = next_.find(app);
      const int64_t next = known == next_.end() ? 0 : known->second;
      if (end > next) lacking[app] = next;
    }
  }
  if (!lacking.empty()) {
    VL_TRY(const auto alerts, ReadAlertsFrom(lake_, snapshot, lacking, 0, wait));
    for (const PublishedAlert& alert : alerts) Accept(alert, fresh);
  }
  looked_at_ = snapshot->version();
  return {};
}

AlertBoard::Standing AlertBoard::Now() const {
  Standing standing;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [_, step] : on_) standing.on.push_back(step);
    standing.positions = next_;
    standing.number = number_;
  }
  std::ranges::sort(standing.on, {}, [](const AlertStepPtr& step) {
    return std::tie(step->alert.opened_at, step->alert.alert_id);
  });
  return standing;
}

Result<AlertBoard::Missed> AlertBoard::Since(const AlertPositions& from, size_t most,
                                             const Wait& wait) const {
  Missed missed;
  AlertPositions lacking;
  size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    missed.positions = next_;
    missed.number = number_;
    for (const auto& [app, end] : next_) {
      const auto at = from.find(app);
      const int64_t begin = at == from.end() ? 0 : at->second;
      if (begin >= end) continue;
      lacking[app] = begin;
      count += static_cast<size_t>(end - begin);
    }
    if (count > most) {
      return Fail(ErrorKind::kLimit, fmt::format("{} steps of alerts were missed", count));
    }
    const auto is_missed = [&](const PublishedAlert& alert) {
      const auto at = lacking.find(alert.source_partition);
      return at != lacking.end() && alert.sequence >= at->second;
    };
    for (const AlertStepPtr& step : steps_) {
      if (is_missed(step->alert)) missed.steps.push_back(step);
    }
  }
  if (missed.steps.size() == count) return missed;
  VL_TRY(std::vector<AlertStepPtr> older, ReadBefore(missed, lacking, wait));
  missed.steps.insert(missed.steps.begin(), older.begin(), older.end());
  if (missed.steps.size() == count) return missed;
  return Fail(ErrorKind::kConflict, "the table of alerts is behind; try again later");
}

// From the table, those before the ones kept here.
Result<std::vector<AlertStepPtr>> AlertBoard::ReadBefore(const Missed& kept,
                                                         const AlertPositions& from,
                                                         const Wait& wait) const {
  AlertPositions first;
  for (const AlertStepPtr& step : kept.steps) {
    first.try_emplace(step->alert.source_partition, step->alert.sequence);
  }
  AlertPositions lacking;
  for (const auto& [app, begin] : from) {
    const auto at = first.find(app);
    if (at == first.end() || begin < at->second) lacking[app] = begin;
  }
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(kAlerts));
  VL_TRY(const auto alerts, ReadAlertsFrom(lake_, snapshot, lacking, 0, wait));
  std::vector<AlertStepPtr> steps;
  for (const PublishedAlert& alert : alerts) {
    const auto at = first.find(alert.source_partition);
    const int64_t end = at == first.end() ? kept.positions.at(alert.source_partition) : at->second;
    if (alert.sequence < end) steps.push_back(StepOf(alert, 0));
  }
  return steps;
}

std::optional<std::vector<AlertStepPtr>> AlertBoard::After(int64_t number) const {
  const std::lock_guard lock(mutex_);
  if (number >= number_) return std::vector<AlertStepPtr>();
  if (steps_.empty() || steps_.front()->number > number + 1) return std::nullopt;
  const auto first = steps_.begin() + (number + 1 - steps_.front()->number);
  return std::vector<AlertStepPtr>(first, steps_.end());
}

AlertPositions AlertBoard::positions() const {
  const std::lock_guard lock(mutex_);
  return next_;
}

AlertStepPtr AlertBoard::FindHere(std::string_view alert_id) const {
  if (const auto found = on_.find(alert_id); found != on_.end()) return found->second;
  const auto last = std::find_if(steps_.rbegin(), steps_.rend(), [&](const AlertStepPtr& step) {
    return step->alert.alert_id == alert_id;
  });
  return last == steps_.rend() ? nullptr : *last;
}

AlertStepPtr AlertBoard::Find(std::string_view alert_id) const {
  const std::lock_guard lock(mutex_);
  return FindHere(alert_id);
}

AlertStepPtr AlertBoard::AwaitStep(std::string_view alert_id, int64_t number,
                                   std::chrono::nanoseconds patience,
                                   const std::stop_token& stop) const {
  std::unique_lock lock(mutex_);
  AlertStepPtr step;
  changed_.wait_for(lock, stop, patience, [&] {
    step = FindHere(alert_id);
    return step != nullptr && step->number > number;
  });
  return step != nullptr && step->number > number ? step : nullptr;
}

AlertBoard::Summary AlertBoard::Summarise() const {
  Summary summary;
  std::vector<int64_t> delays;
  {
    const std::lock_guard lock(mutex_);
    summary.on = static_cast<int64_t>(on_.size());
    summary.critical = std::ranges::count_if(
        on_, [](const auto& one) { return one.second->alert.severity == "critical"; });
    delays.assign(delays_us_.begin(), delays_us_.end());
  }
  if (delays.empty()) return summary;
  std::ranges::sort(delays);
  const auto at = [&](size_t percent) {
    return static_cast<double>(delays[(delays.size() - 1) * percent / 100]) / 1000;
  };
  summary.p50_ms = at(50);
  summary.p99_ms = at(99);
  return summary;
}

}  // namespace vitalake::ingest
