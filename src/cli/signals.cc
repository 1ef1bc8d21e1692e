#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

namespace vitalake::cli {
namespace {

// `timeout` and some shells send a signal to the process and to its group at once: that is one
// request.
constexpr std::chrono::milliseconds kSameRequest{500};

}  // namespace

struct Signals::State {
  std::stop_source source;
  std::atomic<int> received{0};
  std::chrono::steady_clock::time_point first{};  // of the signal thread
  std::mutex mutex;
  std::function<void()> on_interrupt;  // guarded by mutex
  std::function<void()> on_hangup;     // guarded by mutex
  bool ignores_hangup = false;

  void Receive(int signal) {
    if (signal == SIGINT) {
      std::lock_guard lock(mutex);
      if (on_interrupt) return on_interrupt();
    }
    if (signal == SIGHUP) {
      std::lock_guard lock(mutex);
      if (on_hangup) return on_hangup();
      if (ignores_hangup) return;
    }
    auto now = std::chrono::steady_clock::now();
    if (received.exchange(signal) == 0) {
      first = now;
      source.request_stop();
    } else if (now - first > kSameRequest) {
      _exit(128 + signal);
    }
  }
};

Signals& Signals::Install() {
  static auto* signals = new Signals();
  return *signals;
}

Signals::Signals() : state_(new State()) {
  signal(SIGPIPE, SIG_IGN);
  struct sigaction hangup{};
  state_->ignores_hangup = sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set, state = state_] {
    int signal = 0;
    while (sigwait(&set, &signal) == 0) state->Receive(signal);
  }).detach();
}

std::stop_token Signals::stop() const { return state_->source.get_token(); }

int Signals::received() const { return state_->received.load(); }

void Signals::OnInterrupt(std::function<void()> handler) {
  std::lock_guard lock(state_->mutex);
  state_->on_interrupt = std::move(handler);
}

void Signals::OnHangup(std::function<void()> handler) {
  std::lock_guard lock(state_->mutex);
  state_->on_hangup = std::move(handler);
}

}  // namespace vitalake::cli
