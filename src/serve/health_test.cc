#include "serve/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace vitalake::serve {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

// Polls for up to ten seconds.
HealthState Await(const Health& health, bool ready) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  HealthState state = health.state();
  while (state.ready != ready && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
    state = health.state();
  }
  EXPECT_EQ(state.ready, ready);
  return state;
}

TEST(HealthTest, IsReadyOnlyWhenEverythingIs) {
  SystemClock clock;
  std::atomic<bool> good = true;
  const Health health(
      clock,
      {{"always", [](const Wait&) { return Status(); }},
       {"sometimes",
        [&](const Wait&) { return good ? Status() : Fail(ErrorKind::kIo, "it broke"); }}},
      1ms, 1s);
  EXPECT_EQ(
      Health::Json(Await(health, true)),
      R"({"ready":true,"checks":[{"name":"always","ok":true},{"name":"sometimes","ok":true}]})");
  good = false;
  EXPECT_EQ(Health::Json(Await(health, false)),
            R"({"ready":false,"checks":[{"name":"always","ok":true},)"
            R"({"name":"sometimes","ok":false,"fault":"it broke"}]})");
}

TEST(HealthTest, ARemarkIsNoFault) {
  SystemClock clock;
  std::atomic<bool> reached = false;
  const Health health(clock,
                      {{"stream v", [](const Wait&) { return Status(); },
                        [&] { return reached ? "" : "no broker answers"; }}},
                      1ms, 1s);
  EXPECT_EQ(
      Health::Json(Await(health, true)),
      R"({"ready":true,"checks":[{"name":"stream v","ok":true,"remark":"no broker answers"}]})");
  reached = true;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!health.state().items.front().remark.empty()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
}

TEST(HealthTest, ACheckThatHangsIsAFaultWithoutItsAnswer) {
  SystemClock clock;
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<bool> hangs = false;
  const Health health(clock,
                      {{"engine",
                        [&](const Wait&) {
                          if (hangs) released.wait();
                          return Status();
                        }}},
                      1ms, 20ms);
  Await(health, true);
  hangs = true;
  const HealthState state = Await(health, false);
  EXPECT_THAT(state.items.back().fault, HasSubstr("(at engine)"));
  hangs = false;
  release.set_value();
  Await(health, true);
}

}  // namespace
}  // namespace vitalake::serve
