// A resource is in a file (by its bytes' place in the plain text of the file) or in a message of a
// stream (by its number in the message, which stands behind '#' in the position). Its bytes alone
// are enough when their hash is the one that silver keeps: then neither compression nor a Bundle's
// references lie in between.
#include "serve/fhir/resources.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "fhir/content_hash.h"
#include "fhir/decode.h"
#include "fhir/references.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kBronzeFolder = "bronze/";
constexpr size_t kVersionDigits = 16;  // of the content's hash, where no version was sent

// What was taken in is read back whatever its size was.
fhir::DecodeLimits StoredLimits() {
  fhir::DecodeLimits limits;
  limits.max_message_bytes = limits.max_document_bytes;
  return limits;
}

// "app#000003" -> {"app", 3}; without '#' the first.
std::pair<std::string, int64_t> MessagePlace(const std::string& partition) {
  const size_t mark = partition.rfind('#');
  int64_t nth = 0;
  if (mark == std::string::npos) return {partition, nth};
  std::from_chars(partition.data() + mark + 1, partition.data() + partition.size(), nth);
  return {partition.substr(0, mark), nth};
}

std::string OptionalText(const engine::QueryResult& result, size_t column) {
  return result.IsNull(column) ? std::string() : result.Text(column);
}

}  // namespace

std::string ResourceRow::ServedVersion() const {
  return version_id.empty() ? content_hash.substr(0, kVersionDigits) : version_id;
}

ResourceRow ResourceRowOf(FhirType type, const engine::QueryResult& result) {
  ResourceRow row;
  row.type = type;
  row.id_space = OptionalText(result, 0);
  row.id = OptionalText(result, 1);
  row.version_id = OptionalText(result, 2);
  if (!result.IsNull(3)) row.last_updated = result.GetInt64(3);
  row.received_at = result.GetInt64(4);
  row.content_hash = OptionalText(result, 5);
  row.partition = OptionalText(result, 6);
  row.offset = result.GetInt64(7);
  row.length = result.GetInt64(8);
  row.deleted = result.GetBool(9);
  row.patient_id = OptionalText(result, 10);
  if (!result.IsNull(11)) row.retracted_at = result.GetInt64(11);
  return row;
}

Status ResourceLoader::Load(std::span<const ResourceRow> rows, const Use& use) {
  std::map<std::string, Places> files;
  std::map<std::string, std::map<int64_t, Places>> messages;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].partition.starts_with(kBronzeFolder)) {
      files[rows[i].partition].push_back(i);
    } else if (!rows[i].partition.empty()) {
      messages[MessagePlace(rows[i].partition).first][rows[i].offset].push_back(i);
    }
  }
  for (const auto& [path, places] : files) {
    VL_RETURN_IF_ERROR(LoadFile(path, rows, places, use));
  }
  for (const auto& [app, offsets] : messages) {
    VL_RETURN_IF_ERROR(LoadMessages(rows, app, offsets, use));
  }
  return {};
}

Result<ResourceLoader::Places> ResourceLoader::LoadPieces(const std::string& path,
                                                          std::span<const ResourceRow> rows,
                                                          const Places& places, const Use& use) {
  Places left;
  VL_TRY(const auto reader, lake_.store().OpenReader(path));
  for (const size_t i : places) reader->WillRead(rows[i].offset, rows[i].length);
  for (const size_t i : places) {
    VL_RETURN_IF_ERROR(wait_.Check(lake_.clock(), "reading resources"));
    VL_TRY(const std::string bytes, reader->ReadRange(rows[i].offset, rows[i].length));
    const auto tree = parser_.Parse(bytes, fhir::RecordLimits(StoredLimits()));
    if (tree && tree->is_object() && fhir::ContentHash(*tree).ToHex() == rows[i].content_hash) {
      VL_RETURN_IF_ERROR(use(i, *tree, bytes));
    } else {
      left.push_back(i);
    }
  }
  return left;
}

Status ResourceLoader::LoadFile(const std::string& path, std::span<const ResourceRow> rows,
                                const Places& places, const Use& use) {
  auto pieces = LoadPieces(path, rows, places, use);
  if (!pieces && pieces.error().kind == ErrorKind::kNotFound) return {};
  if (!pieces) return std::unexpected(pieces.error());
  if (pieces->empty()) return {};
  std::multimap<int64_t, size_t> wanted;  // by byte offset
  for (const size_t i : *pieces) wanted.emplace(rows[i].offset, i);
  VL_TRY(const std::filesystem::path file, lake_.store().LocalPath(path));
  VL_TRY(const auto reader, fhir::RecordReader::Open(file, StoredLimits()));
  JsonParser splitter;
  while (!wanted.empty()) {
    VL_RETURN_IF_ERROR(wait_.Check(lake_.clock(), "reading resources"));
    VL_TRY(auto block, reader->Next());
    if (!block) break;
    for (const fhir::Record& record : block->Split(splitter)) {
      const auto [begin, end] = wanted.equal_range(record.place.byte_offset);
      if (begin == end || record.fault || record.text.empty()) continue;
      const auto tree = parser_.ParsePadded(record.text, fhir::RecordLimits(StoredLimits()));
      if (!tree) continue;
      fhir::ResolveReferences(*tree, record.references);
      for (auto at = begin; at != end; ++at) {
        VL_RETURN_IF_ERROR(use(at->second, *tree, record.text));
      }
      wanted.erase(begin, end);
    }
  }
  return {};
}

Status ResourceLoader::LoadMessages(std::span<const ResourceRow> rows, const std::string& app,
                                    const std::map<int64_t, Places>& offsets, const Use& use) {
  std::vector<engine::Parameter> parameters = {app};
  std::vector<std::string> marks;
  for (const auto& [offset, _] : offsets) {
    parameters.emplace_back(offset);
    marks.push_back(fmt::format("${}", parameters.size()));
  }
  VL_TRY(engine::QueryResult found,
         session_.Query(fmt::format("SELECT \"offset\", payload FROM bronze.observation_stream "
                                    "WHERE \"partition\" = $1 AND \"offset\" IN ({})",
                                    fmt::join(marks, ", ")),
                        parameters, wait_));
  JsonParser splitter;
  while (true) {
    VL_TRY(const bool more, found.Next());
    if (!more) return {};
    const Places& places = offsets.at(found.GetInt64(0));
    fhir::RecordBlock block =
        fhir::BlockFromMessage(std::string(found.GetString(1)), StoredLimits());
    const auto records = block.Split(splitter);
    for (const size_t i : places) {
      const auto nth = static_cast<size_t>(MessagePlace(rows[i].partition).second);
      if (nth >= records.size() || records[nth].fault || records[nth].text.empty()) continue;
      const auto tree = parser_.ParsePadded(records[nth].text, fhir::RecordLimits(StoredLimits()));
      if (!tree) continue;
      fhir::ResolveReferences(*tree, records[nth].references);
      VL_RETURN_IF_ERROR(use(i, *tree, records[nth].text));
    }
  }
}

}  // namespace vitalake::serve
