#include "ingest/record_stager.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "fhir/content_hash.h"
#include "fhir/datetime.h"
#include "fhir/element_path.h"
#include "fhir/record_key.h"
#include "fhir/references.h"
#include "lake/key_index.h"

namespace vitalake::ingest {
namespace {

using fhir::Issue;
using lake::CellRow;

constexpr size_t kPayloadBytes = 64 << 10;

std::vector<view::ColumnSpec> Columns(
    std::initializer_list<std::pair<const char*, view::ColumnType>> list) {
  std::vector<view::ColumnSpec> columns;
  for (const auto& [name, type] : list) columns.push_back({name, type, "", ""});
  return columns;
}

std::string Position(const fhir::Record& record, const RecordSource& source) {
  const fhir::RecordPlace& place = record.place;
  const std::string of_line =
      place.in_lines && place.entry >= 0 ? fmt::format("{}/", place.line) : "";
  if (source.message) {
    const int64_t offset = source.message->offset;
    return place.entry >= 0
               ? fmt::format("{}/{}:{}{}", source.file->path, offset, of_line, place.entry)
               : fmt::format("{}/{}", source.file->path, offset);
  }
  return fmt::format("{}:{}{}", source.file->path, of_line,
                     place.entry >= 0 ? place.entry : place.line);
}

// Where a resource's version, last update and status stand, as rank and row need them.
struct RecordHead {
  std::string_view id, version_id, status;
  std::optional<Micros> last_updated;
  bool retraction = false;
};

RecordHead HeadOf(JsonValue resource) {
  RecordHead head;
  head.id = resource.String("id");
  head.status = resource.String("status");
  const JsonValue meta = resource.Find("meta");
  head.version_id = meta.String("versionId");
  if (const auto time = fhir::ParseDateTime(meta.String("lastUpdated")))
    head.last_updated = time->Utc();
  head.retraction = head.status == "entered-in-error" || head.status == "cancelled";
  return head;
}

// Whether what it says of its version can be read: what cannot would rank above all.
bool CanBeRanked(JsonValue resource) {
  const JsonValue meta = resource.Find("meta");
  if (!meta) return true;
  const JsonValue version = meta.Find("versionId"), updated = meta.Find("lastUpdated");
  return meta.is_object() && (!version || version.is_string()) &&
         (!updated || fhir::ParseDateTime(updated.is_string() ? updated.text() : "").has_value());
}

// Whether an Observation says nothing of what it measured.
bool SaysNothing(JsonValue resource) {
  if (resource.Find("component")) return false;
  for (const JsonValue coding : resource.Find("code").Find("coding").children()) {
    if (!coding.String("code").empty()) return false;
  }
  return true;
}

// Empty strings are taken as absent, so said the remark.
void MakeEmptyNull(JsonValue resource, const std::vector<Issue>& issues) {
  if (std::ranges::find(issues, "empty", &Issue::rule) == issues.end()) return;
  const JsonNode* const end = resource.node() + resource.node()->skip;
  for (const JsonNode* node = resource.node(); node != end; ++node) {
    const JsonValue value(node);
    if (value.is_string() && value.text().empty()) JsonParser::MakeNull(value);
  }
}

fhir::KeyRule KeyRuleOf(const RecordSource& source) {
  return source.file->key_mode == "identifier" ? fhir::KeyRule::kIdentifier : fhir::KeyRule::kId;
}

// The first member that stands twice in its object.
JsonValue FirstDuplicate(JsonValue value) {
  for (JsonValue child : value.children()) {
    if (child.duplicate_key()) return child;
    if (const JsonValue inner = FirstDuplicate(child)) return inner;
  }
  return {};
}

Result<std::unique_ptr<engine::ColumnAppender>> MakeAppender(
    engine::Connection& connection, const std::string& table,
    const std::vector<view::ColumnSpec>& columns) {
  std::vector<view::ColumnType> types;
  for (const auto& column : columns) types.push_back(column.type);
  VL_TRY(auto appender, engine::ColumnAppender::Make(connection, table, types));
  return std::make_unique<engine::ColumnAppender>(std::move(appender));
}

}  // namespace

const std::vector<view::ColumnSpec>& QuarantineColumns() {
  using enum view::ColumnType;
  static const std::vector<view::ColumnSpec> columns = Columns({{"id", kVarchar},
                                                                {"run", kVarchar},
                                                                {"source", kVarchar},
                                                                {"position", kVarchar},
                                                                {"reason", kVarchar},
                                                                {"element_path", kVarchar},
                                                                {"message", kVarchar},
                                                                {"payload", kVarchar},
                                                                {"received_at", kTimestamp},
                                                                {"replayed_at", kTimestamp},
                                                                {"id_space", kVarchar},
                                                                {"key_mode", kVarchar},
                                                                {"source_partition", kVarchar},
                                                                {"source_offset", kBigint},
                                                                {"source_length", kBigint}});
  return columns;
}

const std::vector<view::ColumnSpec>& IssueColumns() {
  using enum view::ColumnType;
  static const std::vector<view::ColumnSpec> columns = Columns({{"run", kVarchar},
                                                                {"source", kVarchar},
                                                                {"position", kVarchar},
                                                                {"severity", kVarchar},
                                                                {"rule", kVarchar},
                                                                {"element_path", kVarchar},
                                                                {"message", kVarchar},
                                                                {"resource_type", kVarchar},
                                                                {"id", kVarchar}});
  return columns;
}

Result<std::unique_ptr<RecordStager>> RecordStager::Make(engine::Engine& engine,
                                                         engine::Engine& writer,
                                                         const StagerContext& context,
                                                         const StagingPlaces* places) {
  std::unique_ptr<RecordStager> stager(new RecordStager(context));
  if (context.watched) stager->watcher_.emplace(context.views);
  for (size_t i = 0; i < context.views.size(); ++i) {
    std::vector<bool> needed = context.views[i].UsedColumns();
    if (context.watched) stager->watcher_->MarkNeeded(i, needed);
    stager->runners_.emplace_back(context.views[i].view, std::move(needed));
  }
  if (places == nullptr) return stager;
  stager->places_ = places;
  for (const lake::SilverView& view : context.views) {
    stager->buffers_.push_back(view.StagingBuffer(writer));
  }
  stager->stray_rows_ =
      context.views[static_cast<size_t>(Silver::kVitalSign)].StagingBuffer(writer);
  // An appender holds its connection's transaction: each needs its own.
  stager->connections_.reserve(3);
  for (engine::Engine* of : {&writer, &engine, &engine}) {
    VL_TRY(engine::Connection connection, of->Connect());
    stager->connections_.push_back(std::move(connection));
  }
  VL_RETURN_IF_ERROR(stager->OpenAppenders());
  return stager;
}

Status RecordStager::OpenAppenders() {
  VL_TRY(quarantine_, MakeAppender(connections_[1], places_->quarantine, QuarantineColumns()));
  VL_TRY(issue_, MakeAppender(connections_[2], places_->issue, IssueColumns()));
  return {};
}

Status RecordStager::Reuse(const StagingPlaces& places) {
  places_ = &places;
  staged_ = {};
  key_hashes_ = {};
  strays_ = {};
  tallies_.clear();
  tally_ = nullptr;
  reasons_.clear();
  problems_.clear();
  issues_ = 0;
  return OpenAppenders();
}

Status RecordStager::Close(const Wait& wait) {
  VL_RETURN_IF_ERROR(WriteFiles(wait));
  for (auto* const appender : {&quarantine_, &issue_}) {
    if (*appender) VL_RETURN_IF_ERROR((*appender)->Close());
    appender->reset();
  }
  return {};
}

Status RecordStager::WriteFiles(const Wait& wait) {
  for (size_t i = 0; i < buffers_.size(); ++i) {
    VL_RETURN_IF_ERROR(WriteRows(*buffers_[i], i, staged_[i].files, wait));
  }
  if (!stray_rows_) return {};
  return WriteRows(*stray_rows_, static_cast<size_t>(Silver::kVitalSign), strays_.files, wait);
}

Status RecordStager::WriteRows(engine::RowBuffer& rows, size_t table,
                               std::vector<engine::WrittenFile>& files, const Wait& wait) {
  if (rows.rows() == 0) return {};
  const lake::SilverView& view = context_.views[table];
  VL_RETURN_IF_ERROR(rows.SortBy(view.SortColumns()));
  engine::ParquetOptions options;
  options.stats_columns = view.clustered_by;
  options.row_group_rows = kStagedGroupRows;
  const std::string sql = view.RowsSql(rows.sql(), places_->ingestion_date);
  const std::string place = fmt::format("table {}", view.table);
  if (file_columns_[table].empty()) {
    auto columns = engine::WritableColumns(connections_[0], sql, wait);
    if (!columns) return Because(std::move(columns).error(), place);
    file_columns_[table] = *std::move(columns);
  }
  options.columns = file_columns_[table];
  auto written = engine::WriteParquet(connections_[0], sql, places_->folder, options, wait);
  if (!written) return Because(std::move(written).error(), place);
  std::ranges::move(*written, std::back_inserter(files));
  rows.Clear();
  return {};
}

void RecordStager::AppendRow(size_t table, std::span<const view::Cell> row) {
  if (!buffers_.empty()) buffers_[table]->Append(row, record_cells_.cells());
}

void RecordStager::CountStaged(size_t table, const RecordSource& source, std::string_view key) {
  ++staged_[table].records;
  key_hashes_[table].push_back(lake::KeyHash(source.file->id_space, key));
}

void RecordStager::Locate(const fhir::Record& record, const RecordSource& source, int64_t nth) {
  place_.partition = source.partition;
  place_.nth = nth;
  place_.offset = record.place.byte_offset;
  place_.received_at = source.file->received_at;
  if (!source.message) return;
  place_.offset = source.message->offset;
  place_.received_at = source.message->received_at;
  if (record.place.entry >= 0 || nth > 0) place_.partition += fmt::format("#{:06}", nth);
}

Result<int64_t> RecordStager::StageBlock(fhir::RecordBlock& block, const RecordSource& source,
                                         const Wait& wait) {
  tally_ = &tallies_[source.file->ordinal];
  context_.assess.received =
      source.message ? source.message->received_at : source.file->received_at;
  int64_t records = 0;
  int64_t nth = 0;
  for (const fhir::Record& record : block.Split(parser_)) {
    Locate(record, source, nth++);
    if (context_.wanted && !context_.wanted(place_.partition, place_.offset)) continue;
    ++records;
    VL_RETURN_IF_ERROR(Stage(record, source));
  }
  tally_->received += records;
  int64_t bytes = 0;
  for (const auto& buffer : buffers_) bytes += buffer->bytes();
  if (stray_rows_) bytes += stray_rows_->bytes();
  if (bytes > 0 && bytes >= places_->buffer_bytes) VL_RETURN_IF_ERROR(WriteFiles(wait));
  return records;
}

Status RecordStager::QuarantineOf(fhir::RecordBlock& block, const RecordSource& source,
                                  const FindRefusal& refused) {
  tally_ = &tallies_[source.file->ordinal];
  int64_t nth = 0;
  for (const fhir::Record& record : block.Split(parser_)) {
    Locate(record, source, nth++);
    if (const lake::RefusedRecord* why = refused(place_.partition, place_.offset)) {
      VL_RETURN_IF_ERROR(Quarantine(record, source, {why->reason, "", why->message}));
    }
  }
  return {};
}

Status RecordStager::Stage(const fhir::Record& record, const RecordSource& source) {
  if (record.fault) {
    return Quarantine(record, source,
                      {record.fault->rule, record.fault->element_path, record.fault->message});
  }
  if (!record.delete_target.empty()) return StageDelete(record, source);
  const auto tree = parser_.ParsePadded(record.text, fhir::RecordLimits(context_.limits));
  if (!tree) {
    const Issue issue = fhir::JsonIssue(tree.error(), record.text, record.place);
    return Quarantine(record, source, {issue.rule, issue.element_path, issue.message});
  }
  if (!tree->is_object() || !tree->Find("resourceType").is_string()) {
    return Quarantine(record, source,
                      {"type", "", "not a FHIR resource: no resourceType at its top"});
  }
  if (parser_.has_duplicate_key()) {
    const JsonValue twice = FirstDuplicate(*tree);
    return Quarantine(record, source,
                      {"duplicate-key", fhir::ElementPath(*tree, twice),
                       fmt::format("the property '{}' stands twice in one object", twice.key())});
  }
  return StageResource(record, source, *tree);
}

Status RecordStager::StageResource(const fhir::Record& record, const RecordSource& source,
                                   JsonValue resource) {
  fhir::ResolveReferences(resource, record.references);
  clinical::Assessment assessment = clinical::Assess(resource, context_.assess);
  // Its id tells what it retracts: with a version of its own it has a rank among the others.
  if (assessment.retracted && !assessment.rejection && SaysNothing(resource)) {
    const std::string_view id = resource.String("id");
    if (fhir::CheckId(id) != fhir::IdSyntax::kInvalid) {
      if (HeadOf(resource).version_id.empty()) {
        return StageRetraction(record, source, Silver::kObservation, id, resource.String("status"));
      }
      assessment.home = clinical::Home::kVitalSign;
    }
  }
  if (assessment.home == clinical::Home::kOutOfScope && !assessment.rejection) {
    ++tally_->out_of_scope;
    if (assessment.retracted) StageStray(record, source, resource);
    return {};
  }
  if (assessment.rejection) {
    const auto& rejection = *assessment.rejection;
    if (watcher_ && assessment.critical) {
      watcher_->TakeQuarantined(PlaceToWatch(source), resource, Position(record, source));
    }
    return Quarantine(record, source,
                      {rejection.reason, rejection.element_path, rejection.message});
  }
  return StageRows(record, source, resource, assessment);
}

void RecordStager::StageStray(const fhir::Record& record, const RecordSource& source,
                              JsonValue resource) {
  const auto [key, origin] = fhir::ReadingKey(resource, KeyRuleOf(source), record.full_url);
  if (origin == fhir::KeyOrigin::kId && fhir::CheckId(key) == fhir::IdSyntax::kInvalid) return;
  if (!CanBeRanked(resource)) return;
  if (watcher_) watcher_->TakeRetraction(PlaceToWatch(source), resource, key);
  if (!stray_rows_) return;
  GatherRecordCells(record, source, resource, key, "", Silver::kVitalSign);
  // Of what it names no table tells: it is as one that names nothing.
  const auto& columns = context_.views[static_cast<size_t>(Silver::kVitalSign)].view->columns();
  stray_rows_->Append(std::vector<view::Cell>(columns.size()), record_cells_.cells());
  const std::string& space = source.file->id_space;
  strays_.records.push_back(
      {space, key, lake::KeyHash(space, key), source.file->ordinal, place_.offset});
}

Status RecordStager::StageRows(const fhir::Record& record, const RecordSource& source,
                               JsonValue resource, const clinical::Assessment& assessment) {
  const fhir::KeyRule rule = KeyRuleOf(source);
  const fhir::RecordKey key = fhir::ReadingKey(resource, rule, record.full_url);
  const bool pressure = assessment.home == clinical::Home::kBloodPressure;
  const Silver home = assessment.home == clinical::Home::kPatient ? Silver::kPatient
                      : pressure                                  ? Silver::kObservation
                                                                  : Silver::kVitalSign;
  const std::string quality = assessment.quality.ToString();
  GatherRecordCells(record, source, resource, key.key, quality, home);
  MakeEmptyNull(resource, assessment.issues);
  if (watcher_) watcher_->Begin(PlaceToWatch(source), resource, key.key, assessment);
  // What a retraction holds does not matter: it reaches the rows of its key.
  const view::OnFault on_fault =
      assessment.retracted ? view::OnFault::kNull : view::OnFault::kNoRows;
  // The pressures of a panel are vital signs as well.
  for (const size_t at : {static_cast<size_t>(home), static_cast<size_t>(Silver::kVitalSign)}) {
    const bool is_home = at == static_cast<size_t>(home);
    int64_t rows = 0;
    const auto take = [&](std::span<const view::Cell> row) {
      ++rows;
      AppendRow(at, row);
      if (watcher_) Watch(at, row);
    };
    const auto ran = runners_[at].Run(resource, take, on_fault);
    if (rows > 0) CountStaged(at, source, key.key);
    if (is_home && (!ran || rows == 0)) {
      return Quarantine(record, source,
                        {"view", "",
                         ran ? fmt::format("the view of {} gives no row", context_.views[at].table)
                             : fmt::format("{}: {}", ran.error().place, ran.error().message)});
    }
    if (!ran) {
      const Issue issue{fhir::Severity::kError, "view", "",
                        fmt::format("no rows in {}: {}: {}", context_.views[at].table,
                                    ran.error().place, ran.error().message)};
      VL_RETURN_IF_ERROR(
          AppendIssue(record, source, issue, resource.String("resourceType"), key.key));
    }
    if (!pressure) break;
  }
  if (watcher_) watcher_->End();
  ++tally_->home[static_cast<size_t>(home)];

  const std::string_view type = resource.String("resourceType");
  for (const Issue& issue : assessment.issues) {
    VL_RETURN_IF_ERROR(AppendIssue(record, source, issue, type, key.key));
  }
  const fhir::KeyOrigin expected = rule == fhir::KeyRule::kIdentifier && home != Silver::kPatient
                                       ? fhir::KeyOrigin::kIdentifier
                                       : fhir::KeyOrigin::kId;
  if (key.origin != expected) {
    const Issue issue{fhir::Severity::kWarning, "key", fmt::format("{}.id", type),
                      fmt::format("the record has no key of its own; its key is made from its {}",
                                  fhir::ToString(key.origin))};
    VL_RETURN_IF_ERROR(AppendIssue(record, source, issue, type, key.key));
  }
  return {};
}

WatchedPlace RecordStager::PlaceToWatch(const RecordSource& source) const {
  return {static_cast<int32_t>(source.file->ordinal), place_.offset, place_.nth,
          place_.received_at};
}

void RecordStager::Watch(size_t table, std::span<const view::Cell> row) {
  switch (static_cast<Silver>(table)) {
    case Silver::kPatient:
      return watcher_->TakePatient(row);
    case Silver::kObservation:
      return watcher_->TakePressure(row);
    case Silver::kVitalSign:
      return watcher_->TakeVital(row);
  }
}

std::vector<WatchedRecord> RecordStager::TakeWatched() {
  return watcher_ ? watcher_->Take() : std::vector<WatchedRecord>();
}

// The cells of lake::RecordColumns(), in their order.
void RecordStager::GatherRecordCells(const fhir::Record& record, const RecordSource& source,
                                     JsonValue resource, std::string_view key,
                                     std::string_view quality, Silver home) {
  const RecordHead head = HeadOf(resource);
  hash_text_ = fhir::ContentHash(resource).ToHex();
  record_cells_.Clear();
  record_cells_.Text(key).Text(source.file->id_space).TextOrNull(head.id);
  record_cells_.TextOrNull(fhir::UriIdentifier(resource)).TextOrNull(head.status);
  record_cells_.TextOrNull(head.version_id).Int(head.last_updated).Text(hash_text_);
  record_cells_.Bool(head.retraction).Bool(false).Text(quality).Text(source.file->source);
  record_cells_.Text(place_.partition).Int(place_.offset).Int(record.place.byte_length);
  record_cells_.Int(place_.received_at).Text(context_.views[static_cast<size_t>(home)].table);
}

Status RecordStager::StageDelete(const fhir::Record& record, const RecordSource& source) {
  const fhir::ReferenceTarget target = fhir::ParseReference(record.delete_target);
  const bool patient = target.type == "Patient";
  if (target.id.empty() || (!patient && target.type != "Observation")) {
    ++tally_->out_of_scope;
    return {};
  }
  return StageRetraction(record, source, patient ? Silver::kPatient : Silver::kObservation,
                         target.id, patient ? "" : "entered-in-error");
}

Status RecordStager::StageRetraction(const fhir::Record& record, const RecordSource& source,
                                     Silver home, std::string_view id, std::string_view status) {
  const bool patient = home == Silver::kPatient;
  record_cells_.Clear();
  record_cells_.Text(id).Text(source.file->id_space).Text(id).Null().TextOrNull(status);
  record_cells_.Null().Null().Null().Bool(true).Bool(true).Text("").Text(source.file->source);
  record_cells_.Text(place_.partition).Int(place_.offset).Int(record.place.byte_length);
  record_cells_.Int(place_.received_at).Text(context_.views[static_cast<size_t>(home)].table);
  ++tally_->home[static_cast<size_t>(home)];
  if (watcher_) watcher_->TakeDelete(PlaceToWatch(source), id, patient);
  for (const Silver table : {home, Silver::kVitalSign}) {
    const size_t at = static_cast<size_t>(table);
    CountStaged(at, source, id);
    ++staged_[at].deletes;
    AppendRow(at, std::vector<view::Cell>(context_.views[at].view->columns().size()));
    if (patient) break;
  }
  return {};
}

Status RecordStager::Quarantine(const fhir::Record& record, const RecordSource& source,
                                const Refusal& refusal) {
  ++tally_->quarantined;
  ++reasons_[refusal.reason];
  const std::string position = Position(record, source);
  if (problems_.size() < context_.problems_kept) {
    problems_.push_back(fmt::format("{}: {}{}{}", position, refusal.element_path,
                                    refusal.element_path.empty() ? "" : ": ", refusal.message));
  }
  if (!quarantine_) return {};
  const std::string id = fmt::format(
      "{:016x}",
      Hash64(fmt::format("{}\n{}\n{}", source.run->run.value, place_.partition, place_.offset)));
  const std::string_view payload =
      (record.text.empty() ? record.payload : record.text).substr(0, kPayloadBytes);
  const std::string valid = ValidUtf8(payload);
  CellRow row;
  row.Text(id).Text(source.run->run.value).Text(source.file->source).Text(position);
  row.Text(refusal.reason).TextOrNull(refusal.element_path).Text(refusal.message).Text(valid);
  row.Int(place_.received_at).Null().Text(source.file->id_space).Text(source.file->key_mode);
  row.Text(place_.partition).Int(place_.offset).Int(record.place.byte_length);
  return quarantine_->Append(row.cells());
}

Status RecordStager::AppendIssue(const fhir::Record& record, const RecordSource& source,
                                 const Issue& issue, std::string_view type, std::string_view id) {
  ++issues_;
  if (!issue_) return {};
  const std::string position = Position(record, source);
  CellRow row;
  row.Text(source.run->run.value).Text(source.file->source).Text(position);
  row.Text(fhir::ToString(issue.severity)).Text(issue.rule).TextOrNull(issue.element_path);
  row.Text(issue.message).Text(type).Text(id);
  return issue_->Append(row.cells());
}

}  // namespace vitalake::ingest
