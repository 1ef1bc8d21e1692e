// Where the bytes of a file or message come from: plain, gzip or zstd, told by their first bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "fhir/decode.h"
#include "fhir/issue.h"

namespace vitalake::fhir {

// A sequence of bytes, read once from front to back. Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `out` from the front and returns the number of bytes written, which is less than
  // out.size() only when the bytes have ended. kIo when the operating system fails, or when a file
  // holds fewer bytes than it had when it was opened.
  virtual Result<size_t> Read(std::span<char> out) = 0;
  // Set once the bytes ended too early: a broken or cut-off compressed stream, or max_ratio.
  virtual const std::optional<Issue>& fault() const = 0;
  // Bytes taken from the file or message so far.
  virtual int64_t bytes_in() const = 0;
  // How many bytes Read will give in all; nullopt for compressed ones.
  virtual std::optional<int64_t> total_bytes() const = 0;
};

// kNotFound, kPermission, kIo. The source reads the bytes that the file has now, not those
// appended later.
Result<std::unique_ptr<ByteSource>> OpenFileSource(const std::filesystem::path& path,
                                                   const DecodeLimits& limits);

std::unique_ptr<ByteSource> OpenMessageSource(std::string message, const DecodeLimits& limits);

}  // namespace vitalake::fhir
