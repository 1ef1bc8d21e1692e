// What the tests of this module share: an engine of two threads with a connection, and a folder of
// the test's own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "engine/engine.h"

namespace vitalake::engine {

class EngineFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    auto engine = Engine::Open({.threads = 2});
    ASSERT_TRUE(engine) << engine.error().ToString();
    engine_ = std::move(*engine);
    auto connection = engine_->Connect();
    ASSERT_TRUE(connection) << connection.error().ToString();
    connection_.emplace(std::move(*connection));
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / "engine" / info->test_suite_name() /
              info->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Engine> engine_;
  std::optional<Connection> connection_;
  std::filesystem::path folder_;
};

}  // namespace vitalake::engine
