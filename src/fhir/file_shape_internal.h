// What kind of content a file has, told from its first lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vitalake::fhir {

enum class FileShape {
  kUndecided,  // more bytes are needed
  kLines,      // NDJSON
  kDocument,   // one JSON value
};

// `head` is the file's beginning without byte order mark; `complete` when it is the whole file.
// NDJSON is a file whose first line with anything on it
//  1. is one complete JSON value, with something but white space after it, or
//  2. cannot stand before its next line in any JSON text, and that is a complete object (so that
//     one broken first line does not spoil a file of good ones).
FileShape DetectShape(std::string_view head, bool complete);

// Whether the file's name says NDJSON: .ndjson or .jsonl, also with .gz or .zst behind.
bool IsNdjsonName(std::string_view name);

// What stands in the way of reading `head` as UTF-8 JSON at all ("UTF-16 ...", "a zip archive");
// nullopt when nothing is seen.
std::optional<std::string> ForeignFormat(std::string_view head);

// Whether there is a NUL in its first four bytes. No JSON text holds one; in UTF-16 and UTF-32 half
// of an ASCII text's bytes are NULs. But it may be the first line alone that is broken.
bool BeginsWithNul(std::string_view head);

// Length of a UTF-8 byte order mark at the front: 3 or 0.
size_t ByteOrderMark(std::string_view head);

}  // namespace vitalake::fhir
