// Gathers generated lines into blocks of about 1 MB for a sink.
#pragma once

#include <cstdint>
#include <string>

#include "ingest/generate/generate.h"

namespace vitalake::ingest {

// "pat-000042".
std::string GeneratedPatientId(int64_t index);

class BlockBuffer {
 public:
  // `sink` must outlive the buffer; an empty one swallows all.
  explicit BlockBuffer(const GenerateSink& sink) : sink_(sink) {}

  std::string& text() { return text_; }
  int64_t flushed_bytes() const { return flushed_bytes_; }
  Status FlushWhenFull() { return text_.size() < kBlockBytes ? Status{} : Flush(); }
  Status Flush() {
    if (text_.empty()) return {};
    if (sink_) VL_RETURN_IF_ERROR(sink_(text_));
    flushed_bytes_ += static_cast<int64_t>(text_.size());
    text_.clear();
    return {};
  }

 private:
  static constexpr size_t kBlockBytes = 1 << 20;

  const GenerateSink& sink_;
  std::string text_;
  int64_t flushed_bytes_ = 0;
};

}  // namespace vitalake::ingest
