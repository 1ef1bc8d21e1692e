#include "serve/fhir/page.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "ingest/batch_run.h"
#include "lake/queries.h"
#include "storage/faulty_store.h"
#include "storage/local_store.h"

namespace vitalake::serve {
namespace {

using storage::StoreCall;
using testing::Contains;

constexpr int kReadings = 8;
constexpr int kCorrected = 3;  // the first ones

// One lake, opened by the one that serves and by another that takes in.
class FhirPageTest : public testing::Test {
 protected:
  FhirPageTest() {
    folder_ = std::filesystem::temp_directory_path() / ("vitalake-page-" + random_.Uuid());
    std::filesystem::create_directories(folder_ / "in");
    local_ = std::move(*storage::LocalStore::Open(folder_ / "lake"));
    store_ = std::make_unique<storage::FaultyStore>(*local_);
    ours_ = OpenLake(*store_);
    rival_ = OpenLake(*local_);
    EXPECT_TRUE(rival_->CreateMissingTables());
    session_ = std::move(*lake::OpenSqlSession(*ours_));
  }
  ~FhirPageTest() override {
    session_.reset();
    ours_.reset();
    rival_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<lake::Lake> OpenLake(storage::ObjectStore& store) {
    lake::LakeOptions options;
    options.location = (folder_ / "lake").string();
    options.threads = 2;
    auto opened = lake::Lake::Over(store, options, clock_, random_);
    EXPECT_TRUE(opened) << opened.error().ToString();
    return std::move(*opened);
  }

  // The next version of the first `count` readings, "h0" of January 10th and so on.
  void TakeIn(int count, int year, std::string_view status) {
    ++version_;
    const auto path = folder_ / "in" / fmt::format("{}.ndjson", version_);
    std::ofstream out(path, std::ios::binary);
    for (int i = 0; i < count; ++i) {
      out << fmt::format(
          R"({{"resourceType":"Observation","id":"h{0}","meta":{{"versionId":"{1}"}},)"
          R"("status":"{2}","code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},)"
          R"("subject":{{"reference":"Patient/p{0}"}},"effectiveDateTime":"{3}-01-1{0}T08:00:00Z",)"
          R"("component":[{{"code":{{"coding":[{{"system":"http://loinc.org","code":"8480-6"}}]}},)"
          R"("valueQuantity":{{"value":12{0},"code":"mm[Hg]"}}}},)"
          R"({{"code":{{"coding":[{{"system":"http://loinc.org","code":"8462-4"}}]}},)"
          R"("valueQuantity":{{"value":8{0},"code":"mm[Hg]"}}}}]}})"
          "\n",
          i, version_, status, year);
    }
    out.close();
    ingest::BatchOptions options;
    options.paths = {path.string()};
    options.refresh_gold = false;
    const auto summary = ingest::RunBatch(*rival_, options);
    ASSERT_TRUE(summary) << summary.error().ToString();
  }
  void TakeInAll() { TakeIn(kReadings, 2024, "final"); }

  // One page; where the next one begins, if there is one.
  FhirBundle Page(const CursorParts& after, std::string* next_cursor) {
    auto search = ReadFhirSearch(FhirType::kObservation,
                                 {{"code", "85354-9"}, {"_sort", "date"}, {"_count", "2"}}, true);
    EXPECT_TRUE(search) << search.error().ToString();
    search->after = after;
    auto page = SearchPage({*ours_, *session_, {}, "http://x/fhir"}, *search, "Observation");
    EXPECT_TRUE(page) << page.error().ToString();
    next_cursor->clear();
    if (!page) return {};
    for (const auto& [relation, url] : page->links) {
      constexpr std::string_view kCursor = "_cursor=";
      if (relation == "next") *next_cursor = url.substr(url.find(kCursor) + kCursor.size());
    }
    return std::move(*page);
  }

  // How often each reading stands on the pages; `correct` runs before the first page looks for
  // newer versions of a table for the nth time.
  std::map<std::string, int> PageThrough(int64_t nth, const std::function<void()>& correct) {
    std::map<std::string, int> found;
    CursorParts after;
    std::string next;
    store_->ResetCounts();
    store_->Before(nth, correct, StoreCall::kHead);
    do {
      for (const BundleEntry& entry : Page(after, &next).entries) ++found[entry.row.id];
      store_->ClearFaults();
      if (!next.empty()) after = *DecodeCursor(next, 3);
    } while (!next.empty());
    return found;
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<storage::LocalStore> local_;
  std::unique_ptr<storage::FaultyStore> store_;
  std::unique_ptr<lake::Lake> ours_, rival_;
  std::unique_ptr<engine::SqlSession> session_;
  int version_ = 0;
};

// Whenever the first readings are corrected while the first page is made, the others are all found.
TEST_F(FhirPageTest, CorrectionsInBetweenHideNoOtherResource) {
  TakeInAll();
  ours_->row_index().Enable();
  ours_->row_index().Finish();
  std::string next;
  store_->ResetCounts();
  Page({}, &next);
  const int64_t looks = store_->calls(StoreCall::kHead);  // for newer versions of tables
  EXPECT_GE(looks, 3);
  ASSERT_GT(ours_->row_index().answered(), 0) << "the page is not found by its ids";
  for (const auto& [year, status] :
       {std::pair(2024, "entered-in-error"), std::pair(2025, "amended")}) {
    for (int64_t nth = 1; nth <= looks; ++nth) {
      TakeInAll();
      Page({}, &next);
      const auto found = PageThrough(nth, [&] { TakeIn(kCorrected, year, status); });
      for (int i = kCorrected; i < kReadings; ++i) {
        EXPECT_THAT(found, Contains(std::pair(fmt::format("h{}", i), 1)))
            << status << " before call " << nth;
      }
    }
  }
}

}  // namespace
}  // namespace vitalake::serve
