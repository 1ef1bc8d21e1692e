// Reading JSON: one parse of a text into a flat tree of nodes, cheap enough for the ingest path.
//
// Numbers keep their text ("1.0" stays "1.0"), member order is kept, duplicate member names are
// noticed. Built on simdjson (structure and UTF-8 are checked at its speed); the tree is ours, so
// that one pass serves validation, hashing and every view.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_selection.h"
#include "base/result.h"
#include "base/symbols.h"

namespace vitalake {

enum class JsonType : uint8_t {
  kNull,
  kFalse,
  kTrue,
  kNumber,
  kString,
  kArray,
  kObject,
  kRaw,  // an object or array left unparsed because it lies deeper than `expand_depth`
};

// One value. Children of an object or array follow it; `skip` nodes further is its next sibling.
struct JsonNode {
  JsonType type;
  bool duplicate_key;  // an earlier member of the same object has this name
  Symbol symbol;       // of key; 0 when the key is not interned or there is none
  uint32_t skip;       // nodes in this subtree, this one included
  uint32_t key_size;
  uint32_t size;  // kArray, kObject: number of children; else bytes of text
  const char* key_data;
  const char* data;  // kString: unescaped text; kArray, kObject: null; else the text as written
};

class JsonChildren;

// A pointer to one node of a tree; copy freely. Valid as long as the tree's parser holds it.
class JsonValue {
 public:
  JsonValue() = default;
  explicit JsonValue(const JsonNode* node) : node_(node) {}

  explicit operator bool() const { return node_ != nullptr; }
  bool operator==(const JsonValue&) const = default;
  JsonType type() const { return node_->type; }
  bool is_object() const { return node_ && node_->type == JsonType::kObject; }
  bool is_array() const { return node_ && node_->type == JsonType::kArray; }
  bool is_string() const { return node_ && node_->type == JsonType::kString; }
  bool is_number() const { return node_ && node_->type == JsonType::kNumber; }
  bool is_null() const { return node_ && node_->type == JsonType::kNull; }
  bool is_bool() const {
    return node_ && (node_->type == JsonType::kTrue || node_->type == JsonType::kFalse);
  }
  // kString: unescaped; kNumber, kRaw: as written; "true" / "false" / "null"; empty for containers.
  std::string_view text() const;
  std::string_view key() const { return {node_->key_data, node_->key_size}; }
  Symbol symbol() const { return node_->symbol; }
  bool duplicate_key() const { return node_->duplicate_key; }
  // Number of children of an array or object.
  size_t size() const { return node_->size; }
  // Children of an array or object in order; nothing for other types and for a null JsonValue.
  JsonChildren children() const;
  // The first member of that name; a null JsonValue when absent or when this is no object.
  JsonValue Find(std::string_view name) const;
  JsonValue Find(Symbol symbol) const;
  // The value as a number; nullopt when it is none or out of range.
  std::optional<int64_t> AsInt() const;
  std::optional<double> AsDouble() const;
  // The member's text when it is a string, else `otherwise`.
  std::string_view String(std::string_view name, std::string_view otherwise = {}) const;
  const JsonNode* node() const { return node_; }

 private:
  const JsonNode* node_ = nullptr;
};

class JsonChildren {
 public:
  class Iterator {
   public:
    using value_type = JsonValue;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;
    Iterator() = default;
    explicit Iterator(const JsonNode* at) : at_(at) {}
    JsonValue operator*() const { return JsonValue(at_); }
    Iterator& operator++() {
      at_ += at_->skip;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const JsonNode* at_ = nullptr;
  };
  JsonChildren(const JsonNode* begin, const JsonNode* end) : begin_(begin), end_(end) {}
  Iterator begin() const { return Iterator(begin_); }
  Iterator end() const { return Iterator(end_); }

 private:
  const JsonNode* begin_;
  const JsonNode* end_;
};

inline JsonChildren JsonValue::children() const {
  if (!is_object() && !is_array()) return {nullptr, nullptr};
  return {node_ + 1, node_ + node_->skip};
}

inline JsonValue JsonValue::Find(Symbol symbol) const {
  if (is_object() && symbol != 0) {
    for (const JsonNode *at = node_ + 1, *end = node_ + node_->skip; at != end; at += at->skip) {
      if (at->symbol == symbol) return JsonValue(at);
    }
  }
  return {};
}

struct JsonLimits {
  size_t max_bytes = 64 << 20;  // of one text
  uint32_t max_depth = 64;      // nested objects and arrays; the outermost is 1
  // Objects and arrays deeper than this become kRaw nodes (their inside is only skimmed: brackets
  // are matched, nothing else is checked).
  uint32_t expand_depth = UINT32_MAX;
  // Members that this leaves out are not in the tree, and nothing is known of duplicates; of their
  // values only the brackets, their depth and what holds for the whole text (UTF-8, closed strings)
  // are checked. Null: every member is kept.
  const JsonSelection* kept = nullptr;
};

// Why a text is not JSON, and at which byte of it.
struct JsonFault {
  ErrorKind kind = ErrorKind::kCorrupt;  // kCorrupt, or kLimit (size, depth)
  std::string message;
  size_t offset = 0;
};

// Parses one text after the other, reusing its memory. Not thread-safe; one per thread.
class JsonParser {
 public:
  // Bytes that must be readable behind a text given to ParsePadded (their content is ignored).
  static constexpr size_t kPadding = 64;

  JsonParser();
  ~JsonParser();
  JsonParser(JsonParser&&) noexcept;
  JsonParser& operator=(JsonParser&&) noexcept;

  // Parses one JSON value with nothing but white space around it. The tree refers to `text` (which
  // the caller keeps, with kPadding readable bytes behind it) and lives until the next Parse.
  std::expected<JsonValue, JsonFault> ParsePadded(std::string_view text,
                                                  const JsonLimits& limits = {});
  // The same for any text: copied first; the tree refers to the copy.
  std::expected<JsonValue, JsonFault> Parse(std::string_view text, const JsonLimits& limits = {});

  // Makes `value`, a kString node of a living tree, read `text`, which must outlive the tree.
  static void ReplaceText(JsonValue value, std::string_view text) {
    JsonNode& node = const_cast<JsonNode&>(*value.node());  // nodes belong to a parser, never const
    node.data = text.data();
    node.size = static_cast<uint32_t>(text.size());
  }

  // Makes a string null. The tree must be this class's own.
  static void MakeNull(JsonValue value) {
    ReplaceText(value, "null");
    const_cast<JsonNode&>(*value.node()).type = JsonType::kNull;
  }

  // Whether the last tree has an object with two members of one name.
  bool has_duplicate_key() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitalake
