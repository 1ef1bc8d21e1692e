// Steps: 1. choose the lake and settle what to make; 2. generate patients and readings as NDJSON;
// 3. one batch run over them; 4. show counts, the gold table, one patient's pressure, commands;
// 5. a stream of new readings, and the alerts they raise.
#include "cli/demo.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "base/json_tree.h"
#include "base/log.h"
#include "cli/chart.h"
#include "cli/progress.h"
#include "cli/quantity.h"
#include "cli/row_list.h"
#include "cli/service.h"
#include "cli/table_about.h"
#include "engine/result_format.h"
#include "ingest/batch_run.h"
#include "ingest/generate/generate.h"
#include "ingest/pause.h"
#include "lake/queries.h"

namespace vitalake::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kDays = 14;
constexpr int64_t kReadingsPerPatient = 42;  // three a day
constexpr double kAnomalyShare = 0.01;
constexpr double kLiveAnomalyShare = 0.05;
constexpr double kOtherShare = 0.2;    // of the readings: no blood pressure
constexpr size_t kAlertsHeld = 1'000;  // not yet written to the terminal
constexpr Micros kHour = 3'600'000'000;
constexpr std::string_view kMarkerKey = "_vitalake/demo.json";

// This program as a person would type it here.
std::string ProgramName() {
  std::error_code error;
  fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return "vitalake";
  fs::path near = fs::proximate(self, error);
  bool below = !error && !near.empty() && *near.begin() != "..";
  return below ? "./" + near.string() : self.string();
}

std::string ShellWord(const std::string& text) {
  if (text.find_first_of(" '\"$&;()*?\\") == std::string::npos) return text;
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

Result<std::string> RenderTable(engine::SqlSession& session, const std::string& statement,
                                const Wait& wait) {
  VL_TRY(engine::QueryResult result, session.Query(statement, {}, wait));
  std::string text;
  engine::FormatOptions layout;
  layout.table_max_width = 32;
  VL_RETURN_IF_ERROR(engine::WriteResult(
      result, engine::ResultFormat::kTable,
      [&](std::string_view piece) -> Status {
        text.append(piece);
        return {};
      },
      layout));
  if (size_t count = text.rfind("\n("); count != std::string::npos) text.resize(count + 1);
  return text;
}

std::string Indented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size() - 1);
    out.append("  ").append(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

Demo::Demo(Context& context, const DemoOptions& options) : context_(context), options_(options) {
  wait_ = context.wait();
  if (options.seconds > 0) {
    auto limit = std::chrono::duration<double>(options.seconds);
    wait_ = Wait::For(context.clock(), std::chrono::duration_cast<std::chrono::nanoseconds>(limit),
                      context.stop());
  }
}

std::string Demo::Heading(std::string_view text) const {
  return "\n" + Paint(context_.out(), Colour::kBold, text) + "\n";
}

Status Demo::Run() {
  VL_RETURN_IF_ERROR(ChooseLake());
  VL_RETURN_IF_ERROR(SettlePlan());
  VL_RETURN_IF_ERROR(Load());
  VL_TRY(session_, lake::OpenSqlSession(*lake_));
  VL_RETURN_IF_ERROR(ShowCounts());
  VL_RETURN_IF_ERROR(ShowGold());
  VL_RETURN_IF_ERROR(ShowChart());
  VL_RETURN_IF_ERROR(ShowCommands());
  session_.reset();
  return Stream();
}

// Only a lake named on the command line is used: the usual one may hold real data.
Status Demo::ChooseLake() {
  if (context_.globals().lake.empty()) {
    std::error_code error;
    std::string pattern = (fs::temp_directory_path(error) / "vitalake-demo-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      return Fail(ErrorKind::kIo, "cannot make a folder for the demo's lake");
    context_.set_lake_location(pattern);
  }
  VL_TRY(lake_, context_.lake());
  VL_TRY(bool exists, lake_->Exists());
  auto marker = lake_->store().Head(kMarkerKey);
  if (exists && !marker) {
    return Fail(
        ErrorKind::kAlreadyExists,
        fmt::format("{} is a lake already, and not the demo's: sample patients do not belong "
                    "among others; name another folder with --lake, or leave it out",
                    lake_->options().location));
  }
  return {};
}

Status Demo::SettlePlan() {
  auto written = lake_->store().Read(kMarkerKey);
  if (written) {
    JsonParser parser;
    auto plan = parser.Parse(*written);
    auto end = plan ? plan->Find("end").AsInt() : std::nullopt;
    if (!end) return Fail(ErrorKind::kCorrupt, fmt::format("{} is damaged", kMarkerKey));
    end_ = *end;
    return {};
  }
  if (written.error().kind != ErrorKind::kNotFound) return std::unexpected(written.error());
  end_ = context_.clock().NowMicros() / kHour * kHour;
  VL_TRY(storage::PutOutcome outcome,
         lake_->store().PutIfAbsent(kMarkerKey, fmt::format("{{\"end\":{}}}\n", end_)));
  if (outcome == storage::PutOutcome::kCreated) return {};
  return Fail(ErrorKind::kConflict, "another demo is being made in this folder");
}

Status Demo::Load() {
  VL_RETURN_IF_ERROR(
      WriteStdout(Paint(context_.out(), Colour::kBold, "Vitalake demo") +
                  fmt::format("  {} sample patients, {} days of blood pressure, in {}\n",
                              FormatCount(options_.patients), kDays, lake_->options().location)));
  VL_TRY(lake::Lake::WorkFolder folder, lake_->MakeWorkFolder("demo"));
  VL_RETURN_IF_ERROR(MakeFiles(folder.path()));
  return Ingest(folder.path());
}

Status Demo::MakeFiles(const fs::path& folder) {
  VL_TRY(OutputTarget patient_file, OutputTarget::Open(folder / "patients.ndjson"));
  VL_TRY(OutputTarget reading_file, OutputTarget::Open(folder / "readings.ndjson"));
  ingest::PatientOptions patients;
  patients.count = options_.patients;
  patients.now = end_;
  VL_RETURN_IF_ERROR(ingest::GeneratePatients(
      patients, [&](std::string_view block) { return patient_file.Write(block); }));
  VL_RETURN_IF_ERROR(patient_file.Finish());
  ingest::ObservationOptions readings;
  readings.count = options_.patients * kReadingsPerPatient;
  readings.patients = options_.patients;
  readings.end = end_;
  readings.days = kDays;
  readings.anomaly_share = kAnomalyShare;
  readings.other_share = kOtherShare;
  readings.device_types = true;
  auto write = [&](std::string_view block) -> Status {
    VL_RETURN_IF_ERROR(wait_.Check(context_.clock(), "making readings"));
    return reading_file.Write(block);
  };
  VL_RETURN_IF_ERROR(ingest::GenerateObservations(readings, write, {}));
  return reading_file.Finish();
}

Status Demo::Ingest(const fs::path& folder) {
  ingest::BatchOptions batch;
  batch.paths = {(folder / "patients.ndjson").string(), (folder / "readings.ndjson").string()};
  batch.source = "demo";
  Result<ingest::BatchSummary> summary = [&] {
    ProgressBar bar;
    return ingest::RunBatch(
        *lake_, batch,
        [&](const ingest::BatchProgress& progress) {
          bar.Update({std::string(progress.step), progress.bytes_done, progress.bytes_total,
                      progress.records, 0, 0});
        },
        wait_);
  }();
  if (!summary) return std::unexpected(std::move(summary).error());
  const lake::OutcomeCounts& counts = summary->counts;
  std::string text = fmt::format("  {} records ({}) from files to bronze, silver and gold in {}\n",
                                 FormatCount(counts.received), FormatSize(counts.bytes),
                                 FormatSeconds(summary->seconds));
  text += fmt::format(
      "  {} written, {} superseded, {} duplicate, {} quarantined, {} out of scope\n",
      FormatCount(counts.written), FormatCount(counts.superseded), FormatCount(counts.duplicate),
      FormatCount(counts.quarantined), FormatCount(counts.out_of_scope));
  return WriteStdout(text);
}

Status Demo::ShowCounts() {
  RowList rows(
      {{"table"}, {"version", "BIGINT"}, {"rows", "BIGINT"}, {"files", "BIGINT"}, {"size"}});
  VL_TRY(auto catalogue, lake_->Catalogue());
  for (const lake::TableSpec* spec : catalogue) {
    auto snapshot = lake_->Latest(spec->name);
    if (!snapshot) continue;
    auto count = (*snapshot)->NumRecords();
    if (!count || *count == 0) continue;
    rows.Add({spec->name, Cell((*snapshot)->version().value), Cell(*count),
              Cell(static_cast<int64_t>((*snapshot)->files().size())),
              FormatSize((*snapshot)->size_bytes())});
  }
  VL_TRY(std::string table, RenderTable(*session_, rows.ToSql(), wait_));
  return WriteStdout(Heading("Delta tables") + Indented(table));
}

Status Demo::ShowGold() {
  VL_TRY(std::string table,
         RenderTable(*session_,
                     "SELECT concat_ws(' ', given_name, family_name) AS name, readings, "
                     "round(avg_systolic_pressure, 1) AS sys, "
                     "round(avg_diastolic_pressure, 1) AS dia, category "
                     "FROM gold.patient_observations WHERE readings > 0 "
                     "ORDER BY avg_systolic_pressure DESC, id LIMIT 8",
                     wait_));
  return WriteStdout(Heading("gold.patient_observations, highest average first") + Indented(table));
}

Status Demo::ShowChart() {
  VL_TRY(engine::QueryResult chosen,
         session_->Query(
             "SELECT id, concat_ws(' ', given_name, family_name) FROM gold.patient_observations "
             "WHERE avg_systolic_pressure < 150 "
             "ORDER BY readings DESC, max_systolic_pressure DESC, id LIMIT 1",
             {}, wait_));
  VL_TRY(bool found, chosen.Next());
  if (!found) return {};
  std::string id = chosen.Text(0);
  std::string name = chosen.Text(1);
  VL_TRY(engine::QueryResult rows,
         session_->Query(
             fmt::format("SELECT epoch_us(effective_time), systolic_pressure_value, "
                         "diastolic_pressure_value FROM silver.observation "
                         "WHERE patient_id = {} AND effective_time IS NOT NULL "
                         "AND retracted_at IS NULL AND systolic_pressure_value IS NOT NULL "
                         "ORDER BY effective_time, id",
                         engine::QuoteLiteral(id)),
             {}, wait_));
  std::vector<ChartSeries> series = {{"systolic", Colour::kCyan, {}},
                                     {"diastolic", Colour::kBlue, {}}};
  while (true) {
    VL_TRY(bool more, rows.Next());
    if (!more) break;
    series[0].points.push_back({rows.GetInt64(0), rows.GetDouble(1)});
    if (!rows.IsNull(2)) series[1].points.push_back({rows.GetInt64(0), rows.GetDouble(2)});
  }
  ChartOptions layout;
  layout.terminal = context_.out();
  std::string chart = RenderChart(series, {{"140 mmHg", 140}}, layout);
  return WriteStdout(Heading(fmt::format("Blood pressure of {} ({}), mmHg", name, id)) + chart);
}

Status Demo::ShowCommands() {
  std::string program = ShellWord(ProgramName());
  std::string lake = ShellWord(lake_->options().location);
  std::string at = fmt::format("{} --lake {}", program, lake);
  std::string text = Heading("Try");
  for (std::string_view command :
       {"sql  # a shell; \\? helps",
        "sql \"SELECT category, count(*) AS patients FROM gold.patient_observations GROUP BY ALL\"",
        "table history silver.observation", "quarantine list", "ledger"}) {
    text += fmt::format("  {} {}\n", at, command);
  }
  // DeltaTable.to_pyarrow_table() is shorter, but Arrow's threads call Python for its files: one
  // process in twelve ends with SIGABRT after the answer (deltalake 1.6, pyarrow 26, busy machine).
  text += fmt::format(
      "  python3 -c 'import deltalake, pyarrow; tables = deltalake.QueryBuilder()"
      ".register(\"daily\", deltalake.DeltaTable(\"{}/gold/bp_daily\")); "
      "print(pyarrow.table(tables.execute(\"SELECT * FROM daily\")))'\n",
      lake_->options().location);
  if (context_.globals().lake.empty())
    text += fmt::format("The lake stays until you remove it: rm -r {}\n", lake);
  return WriteStdout(text);
}

Result<RunSetup> Demo::StreamSettings() {
  RunSetup setup;
  VL_TRY(setup.monitor, ingest::MonitorRules::Load({}));
  if (options_.serve) {
    setup.http.emplace().options.address = fmt::format("127.0.0.1:{}", options_.port);
    setup.http->on_listen = [this](const std::string& url) { ShowHttp(url); };
    setup.postgres = PostgresSetup{.asked_for = options_.postgres_port_asked_for};
    setup.postgres->on_listen = [this](const std::string& address) { ShowPostgres(address); };
    setup.postgres->options.address = fmt::format("127.0.0.1:{}", options_.postgres_port);
  }
  StreamSetup stream;
  stream.settings.name = "demo";
  stream.source = StreamKind::kGenerator;
  stream.generator.rate = options_.rate;
  stream.generator.seed = ingest::kDefaultSeed + 1;     // other readings than those of the history
  stream.generator.person_seed = ingest::kDefaultSeed;  // but of the same people
  stream.generator.anomalies = kLiveAnomalyShare;
  stream.generator.other_share = kOtherShare;
  stream.generator.device_types = true;
  VL_TRY(auto session, lake::OpenSqlSession(*lake_));
  VL_TRY(engine::QueryResult ids,
         session->Query("SELECT id FROM silver.patient WHERE retracted_at IS NULL ORDER BY id", {},
                        wait_));
  for (;;) {
    VL_TRY(const bool more, ids.Next());
    if (!more) break;
    stream.generator.patient_ids.push_back(ids.Text(0));
  }
  setup.streams.push_back(std::move(stream));
  return setup;
}

void Demo::ShowHttp(const std::string& url) {
  const std::string lines = fmt::format(
      "  Dashboard: {}\n"
      "  curl '{}/fhir/Observation?code=85354-9&_sort=-date&_count=1'\n"
      "  curl -H 'Content-Type: application/json' {}/sql -d '{{\"query\": \"SELECT category, "
      "sum(patients) AS patients FROM gold.bp_population GROUP BY ALL\"}}'\n",
      Paint(context_.out(), Colour::kBold, url + "/"), url, url);
  if (!WriteStdout(lines)) log::Warn("dashboard: {}/", url);
}

void Demo::ShowPostgres(const std::string& address) {
  const size_t colon = address.rfind(':');
  const std::string line = fmt::format("  psql \"host={} port={} dbname=lake\" -c '\\d+'\n",
                                       address.substr(0, colon), address.substr(colon + 1));
  if (!WriteStdout(line)) log::Warn("PostgreSQL protocol: {}", address);
}

Status Demo::Stream() {
  VL_TRY(RunSetup setup, StreamSettings());
  VL_RETURN_IF_ERROR(WriteStdout(
      Heading(fmt::format("Live: {} new readings a second, alerts as they come", options_.rate)) +
      (options_.seconds > 0 ? "" : "  (Ctrl-C ends)\n")));
  Service service(*lake_, std::move(setup));
  const auto alerts = service.alerts().Subscribe(kAlertsHeld);
  std::stop_source ended;
  const std::stop_callback forward(context_.stop(), [&] { ended.request_stop(); });
  std::jthread timer;
  if (options_.seconds > 0) {
    timer = std::jthread([&, rest = wait_.until - context_.clock().Steady()] {
      ingest::PauseUntilStop(ended.get_token(), rest);
      ended.request_stop();
    });
  }
  std::jthread teller([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (const auto& alert : alerts->Take(std::chrono::milliseconds(200), stop)) Tell(*alert);
    }
  });
  Result<ServiceSummary> summary = service.Run(ended.get_token());
  ended.request_stop();
  if (!summary) return std::unexpected(std::move(summary).error());
  return WriteStdout(fmt::format("  {} readings taken in live, {} steps of alerts\n",
                                 FormatCount(summary->records), FormatCount(summary->alerts)));
}

// One line for what a person is to be told.
void Demo::Tell(const ingest::PublishedAlert& alert) {
  if (!alert.notify) return;
  const bool grave = alert.severity == "critical" || alert.severity == "high";
  const std::string line =
      fmt::format("  {}  {:8}  {:11}  {:10}  {}\n", FormatUtc(alert.updated_at).substr(11, 8),
                  alert.severity, alert.state, alert.patient_id, alert.explanation);
  const Status shown = WriteStdout(grave ? Paint(context_.out(), Colour::kRed, line) : line);
  if (!shown) log::Warn("cannot show an alert: {}", shown.error().ToString());
}

}  // namespace vitalake::cli
