#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

namespace vitalake::cli {

struct Signals::State {
  std::stop_source source;
  std::atomic<int> received{0};
  std::mutex mutex;
  std::function<void()> on_interrupt;  // guarded by mutex

  void Receive(int signal) {
    if (signal == SIGINT) {
      std::lock_guard lock(mutex);
      if (on_interrupt) return on_interrupt();
    }
    if (received.exchange(signal) != 0) _exit(128 + signal);
    source.request_stop();
  }
};

Signals& Signals::Install() {
  static auto* signals = new Signals();
  return *signals;
}

Signals::Signals() : state_(new State()) {
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
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

}  // namespace vitalake::cli
