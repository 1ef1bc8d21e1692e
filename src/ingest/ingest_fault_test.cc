// The n-th call to the store fails, for every n; the run is finished on a healthy store. The tables
// are the same as if nothing had happened, and every record is accounted for. Gold is left out: it
// is recomputed from these tables.
//
// By default every 37th call is tried, beginning elsewhere for each way to fail; with
// VITALAKE_EVERY_CALL=1 each one (minutes).

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "ingest/test_lake.h"
#include "storage/faulty_store.h"
#include "storage/local_store.h"

namespace vitalake::ingest {
namespace {

namespace fs = std::filesystem;
using storage::FaultEffect;
using storage::FaultTimes;

std::string Panel(std::string_view id, int version, int systolic) {
  return fmt::format(
      R"({{"resourceType":"Observation","id":"{}","meta":{{"versionId":"{}"}},"status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},"subject":{{"reference":"Patient/p1"}},"effectiveDateTime":"2026-01-01T08:00:00Z","component":[{{"code":{{"coding":[{{"system":"http://loinc.org","code":"8480-6"}}]}},"valueQuantity":{{"value":{},"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}]}})"
      "\n",
      id, version, systolic);
}

std::string HeartRate(std::string_view id, int version, int rate) {
  return fmt::format(
      R"({{"resourceType":"Observation","id":"{}","meta":{{"versionId":"{}"}},"status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4"}}]}},"subject":{{"reference":"Patient/p1"}},"effectiveDateTime":"2026-01-01T09:00:00Z","valueQuantity":{{"value":{},"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}}})"
      "\n",
      id, version, rate);
}

std::string Patient(std::string_view id, int version, std::string_view family) {
  return fmt::format(
      R"({{"resourceType":"Patient","id":"{}","meta":{{"versionId":"{}"}},"name":[{{"family":"{}"}}],"gender":"female","birthDate":"1980-02-03"}})"
      "\n",
      id, version, family);
}

std::string Delete(std::string_view id) {
  return fmt::format(
      R"({{"resourceType":"Bundle","type":"transaction","entry":[{{"request":{{"method":"DELETE","url":"Observation/{}"}}}}]}})"
      "\n",
      id);
}

const std::string kBefore = Patient("p1", 1, "Old") + Panel("corrected", 1, 120) +
                            Panel("kept", 1, 130) + Panel("becomes-rate", 1, 131) +
                            HeartRate("rate", 1, 60) + HeartRate("gone", 1, 61);
const std::string kThen = Patient("p1", 2, "New") + Patient("p2", 1, "Second") +
                          Panel("corrected", 2, 125) + Panel("new", 1, 140) +
                          HeartRate("becomes-rate", 2, 70) + HeartRate("rate", 1, 60) +
                          HeartRate("new-rate", 1, 80) + Delete("gone") + "not json\n" +
                          R"({"resourceType":"Encounter","id":"e"})" + "\n";

struct Mode {
  const char* name;
  FaultTimes times;
  FaultEffect effect;
  ErrorKind kind;
  int64_t first;  // call tried
};
void PrintTo(const Mode& mode, std::ostream* out) { *out << mode.name; }

class IngestFault : public testing::TestWithParam<Mode> {
 protected:
  // All that does not name a run or the time of one.
  static std::string Tables(TestLake& lake) {
    std::string out = lake.Rows(
        "SELECT id, version_id, family_name, retracted_at IS NOT NULL FROM silver.patient "
        "ORDER BY ALL");
    out += lake.Rows(
        "SELECT id, version_id, status, systolic_pressure_value, deleted FROM silver.observation "
        "ORDER BY ALL");
    out += lake.Rows(
        "SELECT id, component, version_id, status, code, value, deleted FROM silver.vital_sign "
        "ORDER BY ALL");
    out += lake.Rows("SELECT reason, payload FROM ops.quarantine ORDER BY ALL");
    return out;
  }
};

TEST_P(IngestFault, EndsInTheSameTablesAtEveryCall) {
  TestLake base;
  BatchOptions silver_only;
  silver_only.refresh_gold = false;
  base.Ingest({{"before.ndjson", kBefore}}, silver_only);
  const fs::path in = base.folder() / "in/then.ndjson";
  std::ofstream(in, std::ios::binary) << kThen;

  const int64_t step = std::getenv("VITALAKE_EVERY_CALL") != nullptr ? 1 : 37;
  const int64_t first = step == 1 ? 1 : GetParam().first;
  std::string expected;
  for (int64_t nth = 0;; nth = nth == 0 ? first : nth + step) {  // 0: no fault, what is expected
    SCOPED_TRACE(fmt::format("{}: call {}", GetParam().name, nth));
    ASSERT_LT(nth, 1000) << "the run never ends";
    TestLake lake;
    fs::copy(base.folder() / "lake", lake.folder() / "lake",
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    int64_t calls = 0;
    {
      const auto disk = storage::LocalStore::Open(lake.folder() / "lake");
      storage::FaultyStore store(**disk, /*seed=*/static_cast<uint64_t>(nth));
      SystemClock clock;
      SystemRandom random;
      lake::LakeOptions options;
      options.location = (lake.folder() / "lake").string();
      options.threads = 2;
      auto opened = lake::Lake::Over(store, options, clock, random);
      ASSERT_TRUE(opened) << opened.error().ToString();
      if (nth > 0) {
        store.Add({.nth = nth,
                   .call = std::nullopt,
                   .times = GetParam().times,
                   .kind = GetParam().kind,
                   .effect = GetParam().effect});
      }
      BatchOptions batch;
      batch.refresh_gold = false;
      batch.paths = {in.string()};
      (void)RunBatch(**opened, batch);  // ends as it may
      calls = store.calls();
    }
    BatchOptions again;
    again.refresh_gold = false;
    again.paths = {in.string()};
    const auto summary = RunBatch(lake.lake(), again);
    ASSERT_TRUE(summary) << summary.error().ToString();
    EXPECT_TRUE(summary->counts.Balances());
    EXPECT_EQ(lake.Rows("SELECT count(*) FROM ops.ledger WHERE finished_at IS NULL OR received <> "
                        "written + superseded + duplicate + quarantined + out_of_scope"),
              "0\n");
    if (nth == 0) {
      expected = Tables(lake);
      continue;
    }
    ASSERT_EQ(Tables(lake), expected);
    if (nth > calls) return;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Modes, IngestFault,
    testing::Values(Mode{"Once", FaultTimes::kOnce, FaultEffect::kNothing, ErrorKind::kIo, 1},
                    Mode{"Gone", FaultTimes::kForEver, FaultEffect::kNothing, ErrorKind::kIo, 13},
                    Mode{"AnswerLost", FaultTimes::kOnce, FaultEffect::kDone,
                         ErrorKind::kUnknownOutcome, 26}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace vitalake::ingest
