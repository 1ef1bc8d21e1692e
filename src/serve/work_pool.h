// WorkPool: a few threads for handlers that block, with a bounded queue before them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vitalake::serve {

// Thread-safe.
class WorkPool {
 public:
  WorkPool(size_t threads, size_t most_waiting);
  // What waits is dropped; what runs is waited for.
  ~WorkPool();

  // False when too much waits already. `work` must not throw.
  bool TryAdd(std::function<void()> work);

 private:
  void Run();

  const size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool ended_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace vitalake::serve
