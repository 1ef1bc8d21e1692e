// Decode: finds the records in a file (or one message) of FHIR JSON.
//
// Shapes: one resource, a JSON array of resources, a Bundle, NDJSON (each line any of the former);
// each plain, gzip or zstd (known by magic bytes, not by name); BOM, CRLF and blank lines allowed.
// A *record* is one resource (file, line, array item, Bundle entry) or one unreadable line or file.
// A Bundle or array inside another counts with its own entries (to 8 levels), whose `entry` goes on
// counting through all of them; an empty one has no records, like an empty file. An entry without
// resource that is no DELETE is a record with a fault.
// NDJSON is told by content (first line a whole JSON value, more after it) or by a name ending in
// .ndjson or .jsonl; any other file is one JSON document. A broken array item or Bundle entry is
// one record with a fault as long as the brackets around it match; else the whole document is.
// Reading is streaming: memory is bounded by the limits, whatever the size of the file.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json_tree.h"
#include "base/result.h"
#include "fhir/issue.h"

namespace vitalake::fhir {

// A text that begins with it is NDJSON, whatever follows. (As RFC 7464 begins its texts.)
inline constexpr std::string_view kLinesMark = "\x1e\n";

struct DecodeLimits {
  int64_t max_record_bytes = 16 << 20;     // one resource, or one NDJSON line
  int64_t max_document_bytes = 128 << 20;  // one JSON document (Bundle, array), decompressed
  int64_t max_message_bytes = 1 << 20;     // one message of a stream, as it came
  uint32_t max_depth = 64;                 // nested objects and arrays in one resource
  int64_t max_ratio = 200;                 // decompressed : compressed, once past 1 MB
  int64_t block_bytes = 256 << 10;         // NDJSON is handed out in blocks of about this size
};

// What a JsonParser is to be given for one record's text.
JsonLimits RecordLimits(const DecodeLimits& limits);

// Where a record lies in its file.
struct RecordPlace {
  int64_t line = 0;         // 1-based line of its first byte in the decompressed file
  int64_t entry = -1;       // 0-based place in the Bundle or array; -1 when there is none
  int64_t byte_offset = 0;  // of its first byte in the decompressed file (a BOM counts)
  int64_t byte_length = 0;
  bool in_lines = false;  // of NDJSON: `entry` counts within the line
};

// The issue for a record whose text is not JSON or breaks a limit: kFatal, rule "json" or "limit";
// the message names line and byte in the decompressed file where the parser stopped.
Issue JsonIssue(const JsonFault& fault, std::string_view text, const RecordPlace& place);

// What references inside a Bundle mean: fullUrl -> "Type/id", for every entry with a resource and
// an id (of the resource, else one that fullUrl itself names); not for one that two resources have.
// A nested Bundle's holds also those around it. Empty outside Bundles.
using BundleReferences = std::unordered_map<std::string, std::string>;

// One record. Text lives as long as the block it came from.
struct Record {
  RecordPlace place;
  // The resource's text, with JsonParser::kPadding readable bytes behind it. Empty when `fault`.
  std::string_view text;
  // Set when the record cannot be read (not JSON, cut off, over a limit, no object): why.
  std::optional<Issue> fault;
  // What can be shown of an unreadable record or a DELETE (at most 64 KB; the bronze copy has the
  // rest). Bytes as they came: not always UTF-8.
  std::string_view payload;
  std::string_view full_url;                     // Bundle entry's fullUrl; empty when absent
  const BundleReferences* references = nullptr;  // of its Bundle; null outside Bundles
  // A Bundle entry whose request.method is DELETE: the target as "Type/id". `text` is empty.
  std::string delete_target;
};

// A part of a file: whole records only. Owns their text. Move-only; may go to another thread.
class RecordBlock {
 public:
  struct Impl;  // of this module

  RecordBlock();
  explicit RecordBlock(std::unique_ptr<Impl> impl);
  ~RecordBlock();
  RecordBlock(RecordBlock&&) noexcept;
  RecordBlock& operator=(RecordBlock&&) noexcept;

  int64_t sequence() const;  // 0, 1, 2, ... in file order
  // Splits the block into its records, in file order. `parser` is used to find Bundle and array
  // entries and is free for other use after the call. Call once.
  std::vector<Record> Split(JsonParser& parser);

 private:
  std::unique_ptr<Impl> impl_;
};

// Reads one file, block by block. Next is thread-safe: several workers may pull from one reader.
class RecordReader {
 public:
  struct Impl;  // of this module

  // kNotFound, kPermission, kIo. An empty file is fine (no records). `name`: of the file that the
  // one at `path` is a copy of; empty: its own.
  static Result<std::unique_ptr<RecordReader>> Open(const std::filesystem::path& path,
                                                    const DecodeLimits& limits = {},
                                                    std::string_view name = {});
  ~RecordReader();

  // The next block, or nullopt at the end. A file that is cut off inside a compressed stream, or
  // that breaks a limit, ends with a block whose last record carries the fault. kIo when reading
  // fails or the file shrinks while being read.
  Result<std::optional<RecordBlock>> Next();

  // Decompressed bytes handed out so far, and bytes of the file read so far (for progress).
  int64_t bytes_out() const;
  int64_t bytes_in() const;

 private:
  RecordReader();
  std::unique_ptr<Impl> impl_;
};

// Splits one message (already in memory, any shape, optionally gzip or zstd) into a block. An empty
// message has no records; one over max_message_bytes or max_document_bytes is one faulted record.
RecordBlock BlockFromMessage(std::string message, const DecodeLimits& limits = {});

}  // namespace vitalake::fhir
