#include "ingest/alerts/action_desk.h"

namespace vitalake::ingest {
namespace {

// Answers that nobody came for are forgotten.
constexpr size_t kAnswers = 1'000;

}  // namespace

Result<std::string> ActionDesk::Ask(RecordedAction request, const Wait& wait) {
  VL_TRY(const std::vector<std::string> ids, AppendRequests(lake_, {&request, 1}, wait));
  ++asked_;
  const std::lock_guard lock(mutex_);
  for (const auto& [_, nudge] : nudges_) nudge();
  return ids.front();
}

std::optional<Status> ActionDesk::AwaitAnswer(const std::string& request,
                                              std::chrono::nanoseconds patience,
                                              const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, patience, [&] { return answers_.contains(request); });
  const auto found = answers_.find(request);
  return found == answers_.end() ? std::nullopt : std::optional(found->second);
}

std::shared_ptr<void> ActionDesk::Join(std::function<void()> nudge) {
  const std::lock_guard lock(mutex_);
  const uint64_t number = next_++;
  nudges_.emplace(number, std::move(nudge));
  return {nullptr, [this, number](void*) {
            const std::lock_guard leaving(mutex_);
            nudges_.erase(number);
          }};
}

void ActionDesk::Answer(const std::string& request, Status said) {
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = answers_.try_emplace(request, said);
  if (!fresh) {
    if (said) at->second = {};  // of several monitors one obeyed
  } else {
    order_.push_back(request);
    if (order_.size() > kAnswers) {
      answers_.erase(order_.front());
      order_.pop_front();
    }
  }
  changed_.notify_all();
}

}  // namespace vitalake::ingest
