// Independent pieces of work on several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace vitalake {

// Threads that this process can run at once; at least 1.
inline int MachineThreads() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Calls work(0) ... work(count - 1), each once and begun in this order, on up to `threads` threads,
// the caller's among them; returns when all have ended. After one gave false no further is begun.
inline void ForEachIndex(size_t count, size_t threads, const std::function<bool(size_t)>& work) {
  std::atomic<size_t> next = 0;
  const auto run = [&] {
    for (size_t i = next++; i < count; i = next++) {
      if (!work(i)) next = count;
    }
  };
  std::vector<std::jthread> others;
  for (size_t i = 1; i < std::min(count, threads); ++i) others.emplace_back(run);
  run();
}

}  // namespace vitalake
