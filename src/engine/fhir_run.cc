#include <fmt/format.h>

#include <utility>

#include "engine/fhir_run_internal.h"

namespace vitalake::engine {
namespace {

std::string PlaceOf(const std::string& path, const fhir::RecordPlace& place) {
  if (place.entry < 0) return fmt::format("{}:{}", path, place.line);
  return fmt::format("{}:{}[{}]", path, place.line, place.entry);
}

}  // namespace

Result<std::optional<FhirBlocks::Block>> FhirBlocks::Take() {
  while (true) {
    VL_TRY(std::shared_ptr<OpenFile> file, Current());
    if (!file) return std::nullopt;
    auto block = file->reader->Next();
    if (!block) return Because(std::move(block.error()), *file->path);
    if (*block) return Block{file->path, std::move(**block)};
    Finish(file);
  }
}

Result<std::shared_ptr<FhirBlocks::OpenFile>> FhirBlocks::Current() {
  std::lock_guard lock(mutex_);
  if (current_ || next_file_ == input_.files.size()) return current_;
  const std::string& path = input_.files[next_file_++];
  auto reader = fhir::RecordReader::Open(path, input_.options->limits);
  if (!reader) return Because(std::move(reader.error()), path);
  current_ = std::make_shared<OpenFile>(
      OpenFile{std::make_shared<const std::string>(path), std::move(*reader)});
  return current_;
}

void FhirBlocks::Finish(const std::shared_ptr<OpenFile>& file) {
  std::lock_guard lock(mutex_);
  if (current_ == file) current_ = nullptr;
}

FhirRun::FhirRun(const FhirInput& input, FhirBlocks& blocks, std::vector<bool> needed)
    : input_(input), blocks_(blocks), runner_(input.view, std::move(needed)) {
  limits_ = fhir::RecordLimits(input.options->limits);
  limits_.kept = &runner_.selection();
}

Result<bool> FhirRun::Next(const view::RowCallback& row) {
  while (next_ == records_.size()) {
    VL_TRY(const bool more, NextBlock());
    if (!more) return false;
  }
  const fhir::Record& record = records_[next_++];
  if (record.fault) {
    Report(record, record.fault->message);
    return true;
  }
  if (record.text.empty()) return true;  // a deletion has no resource
  const auto resource = parser_.ParsePadded(record.text, limits_);
  if (!resource) {
    Report(record, resource.error().message);
    return true;
  }
  const auto done = runner_.Run(*resource, row);
  if (!done) Report(record, done.error().place + ": " + done.error().message);
  return true;
}

Result<bool> FhirRun::NextBlock() {
  records_.clear();
  next_ = 0;
  VL_TRY(auto next, blocks_.Take());
  if (!next) return false;
  block_ = std::move(*next);
  records_ = block_.records.Split(parser_);
  if (input_.options->report) {
    input_.options->report->AddRecords(static_cast<int64_t>(records_.size()));
  }
  return true;
}

void FhirRun::Report(const fhir::Record& record, std::string message) {
  if (!input_.options->report) return;
  input_.options->report->AddFault({PlaceOf(*block_.path, record.place), std::move(message)});
}

}  // namespace vitalake::engine
