// A lake in a folder of its own, for tests of the batch path.
// The folder's name holds what file patterns are made of: a path is never one.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "ingest/batch_run.h"
#include "lake/queries.h"

namespace vitalake::ingest {

class TestLake {
 public:
  // `clock` must outlive it; null: the machine's.
  explicit TestLake(Clock* clock = nullptr) : clock_(clock == nullptr ? system_ : *clock) {
    folder_ = std::filesystem::temp_directory_path() / ("vitalake-[t]est*-" + random_.Uuid());
    std::filesystem::create_directories(folder_ / "in");
    Reopen();
  }
  ~TestLake() {
    lake_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Reopen() {
    lake_.reset();
    lake::LakeOptions options;
    options.location = (folder_ / "lake").string();
    options.threads = 2;
    auto opened = lake::Lake::Open(options, clock_, random_);
    EXPECT_TRUE(opened.has_value()) << opened.error().ToString();
    lake_ = std::move(*opened);
  }

  lake::Lake& lake() { return *lake_; }
  const std::filesystem::path& folder() const { return folder_; }

  // Writes the files and takes them in with one run.
  BatchSummary Ingest(const std::vector<std::pair<std::string, std::string>>& files,
                      BatchOptions options = {}) {
    for (const auto& [name, text] : files) {
      std::ofstream(folder_ / "in" / name, std::ios::binary) << text;
      options.paths.push_back((folder_ / "in" / name).string());
    }
    auto summary = RunBatch(*lake_, options);
    EXPECT_TRUE(summary.has_value()) << (summary ? "" : summary.error().ToString());
    return summary ? std::move(*summary) : BatchSummary{};
  }

  // All rows as "a,b\n", NULL as nothing.
  std::string Rows(std::string_view sql) {
    auto session = lake::OpenSqlSession(*lake_);
    if (!session) return session.error().ToString();
    auto result = (*session)->Query(sql);
    if (!result) return result.error().ToString();
    std::string out;
    for (;;) {
      const auto more = result->Next();
      if (!more) return more.error().ToString();
      if (!*more) return out;
      for (size_t i = 0; i < result->columns().size(); ++i) {
        if (i > 0) out += ',';
        result->AppendText(i, out);
      }
      out += '\n';
    }
  }

 private:
  SystemClock system_;
  Clock& clock_;
  SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<lake::Lake> lake_;
};

}  // namespace vitalake::ingest
