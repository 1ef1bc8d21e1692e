// The upsert of silver.observation by itself: from staged rows to the commit.
//
//   bench_upsert stage LAKE FILE.ndjson FOLDER   stages FILE as `vitalake ingest` does, into FOLDER
//   bench_upsert merge LAKE FOLDER               upserts what lies there, as `vitalake ingest`
//   does;
//                                                prints seconds and rows as JSON
//
// `merge` opens the lake and reads the log inside the measured time; of the staged records it knows
// only the files.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>

#include "base/json_tree.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "ingest/group_stage.h"
#include "ingest/input_files.h"
#include "lake/silver_view.h"
#include "lake/upsert.h"
#include "storage/sha256.h"

namespace vitalake {
namespace {

namespace fs = std::filesystem;
using ingest::Silver;

SystemClock system_clock;
SystemRandom system_random;

fs::path NotesOf(const fs::path& folder) { return folder / "staged.json"; }

// The view of `table` in LoadSilverViews' order.
const lake::SilverView& ViewOf(const std::vector<lake::SilverView>& views, Silver table) {
  return views[static_cast<size_t>(table)];
}

Result<std::unique_ptr<lake::Lake>> Open(const std::string& location) {
  lake::LakeOptions options;
  options.location = location;
  return lake::Lake::Open(options, system_clock, system_random);
}

// Moves one table's staged files to `folder` and notes what they are.
void Keep(const lake::SilverView& view, const lake::StagedRecords& staged, const fs::path& folder,
          JsonWriter& notes) {
  notes.Key(view.table).BeginObject();
  notes.Key("records").Int(staged.records).Key("deletes").Int(staged.deletes);
  notes.Key("files").BeginArray();
  for (const engine::WrittenFile& file : staged.files) {
    const fs::path kept = folder / (view.table + "-" + file.path.filename().string());
    fs::rename(file.path, kept);
    notes.BeginObject().Key("name").String(kept.filename().string());
    notes.Key("rows").Int(file.rows).Key("bytes").Int(file.size_bytes);
    notes.Key("stats").String(file.stats_json).EndObject();
  }
  notes.EndArray().EndObject();
}

Status Stage(const std::string& location, const std::string& input, const fs::path& folder) {
  VL_TRY(const auto lake, Open(location));
  VL_TRY(const auto views, lake::LoadSilverViews({}));
  lake::LedgerRun run{{"bench"}, system_clock.NowMicros(), {}};
  VL_TRY(run.files, ingest::DescribeFiles(*lake, {}, run.run, run.started_at, {input},
                                          [](const lake::LedgerFile& file) {
                                            return storage::Sha256OfFile(file.path);
                                          }));
  const ingest::StagerContext context{views, {}, {}};
  ingest::GroupStage stage(*lake, context, run, folder / "work", false);
  VL_RETURN_IF_ERROR(stage.Read({{&run.files.front(), run.files.front().bronze_path, input}},
                                [](int64_t, int64_t) {}, {}));
  JsonWriter notes;
  notes.BeginObject();
  for (const Silver table : {Silver::kObservation, Silver::kVitalSign}) {
    Keep(ViewOf(views, table), stage.staged()[static_cast<size_t>(table)], folder, notes);
  }
  std::ofstream(NotesOf(folder)) << notes.EndObject().Take();
  return {};
}

lake::StagedRecords Kept(JsonValue notes, const fs::path& folder) {
  lake::StagedRecords staged;
  staged.records = notes.Find("records").AsInt().value_or(0);
  staged.deletes = notes.Find("deletes").AsInt().value_or(0);
  for (const JsonValue file : notes.Find("files").children()) {
    staged.files.push_back({folder / file.String("name"), file.Find("bytes").AsInt().value_or(0),
                            file.Find("rows").AsInt().value_or(0),
                            std::string(file.String("stats"))});
  }
  return staged;
}

Result<lake::UpsertResult> Merge(const std::string& location, const fs::path& folder) {
  std::ifstream in(NotesOf(folder));
  const std::string text(std::istreambuf_iterator<char>(in), {});
  JsonParser parser;
  const auto notes = parser.Parse(text);
  if (!notes) return Fail(ErrorKind::kInvalidArgument, "nothing is staged there");
  VL_TRY(const auto lake, Open(location));
  VL_TRY(const auto views, lake::LoadSilverViews({}));
  const lake::SilverView& view = ViewOf(views, Silver::kObservation);
  const lake::SilverView& other = ViewOf(views, Silver::kVitalSign);
  const lake::StagedRecords own = Kept(notes->Find(view.table), folder);
  const lake::StagedRecords elsewhere = Kept(notes->Find(other.table), folder);
  lake::UpsertRequest request{
      view, own, [](const auto&) { return lake::CommitNote{{{"bench", 1}}, {}}; }};
  request.elsewhere = &other;
  request.staged_elsewhere = &elsewhere;
  return lake::Upsert(*lake, request, {});
}

int Run(std::span<char*> arguments) {
  // The steps of the upsert are told at level debug.
  if (const char* level = std::getenv("VITALAKE_LOG_LEVEL")) (void)log::SetLevel(level);
  const std::vector<std::string> words(arguments.begin(), arguments.end());
  Status status;
  if (words.size() == 5 && words[1] == "stage") {
    status = Stage(words[2], words[3], words[4]);
  } else if (words.size() == 4 && words[1] == "merge") {
    const auto begin = std::chrono::steady_clock::now();
    const auto result = Merge(words[2], words[3]);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (result) {
      fmt::print("{{\"seconds\": {:.3f}, \"updated\": {}, \"inserted\": {}}}\n", seconds.count(),
                 result->rows_updated, result->rows_inserted);
    } else {
      status = std::unexpected(result.error());
    }
  } else {
    fmt::print(stderr, "bench_upsert stage LAKE FILE FOLDER | merge LAKE FOLDER\n");
    return 2;
  }
  if (!status) fmt::print(stderr, "{}\n", status.error().ToString());
  return status ? 0 : 1;
}

}  // namespace
}  // namespace vitalake

int main(int argc, char** argv) { return vitalake::Run({argv, static_cast<size_t>(argc)}); }
