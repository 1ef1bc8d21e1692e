#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "fhir/block_internal.h"
#include "fhir/references.h"

namespace vitalake::fhir {
namespace {

constexpr int kMaxNesting = 8;  // Bundles and arrays inside each other

// What an object's text says about itself. Views of the text, which hold no escapes.
struct Identity {
  std::string_view resource_type;
  std::string_view id;
};

// Reads the members in front of an object's text as long as they are plain strings: enough for
// nearly every resource, at no cost. Nothing is checked; what is not found there may come later.
class LeadingStrings {
 public:
  explicit LeadingStrings(std::string_view object) : rest_(object.substr(1)) {}

  std::string_view ReadType() {
    std::string_view key, value;
    while (Member(key, value)) {
      if (key == "resourceType") return value;
      if (!Take(',')) break;
    }
    return {};
  }

  Identity Read() {
    Identity found;
    std::string_view key, value;
    while (Member(key, value)) {
      if (key == "resourceType") found.resource_type = value;
      if (key == "id") found.id = value;
      if (!found.resource_type.empty() && !found.id.empty()) break;
      if (!Take(',')) break;
    }
    return found;
  }

 private:
  bool Member(std::string_view& key, std::string_view& value) {
    return String(key) && Take(':') && String(value);
  }
  bool Take(char c) {
    while (!rest_.empty() && IsBlank(rest_.front())) rest_.remove_prefix(1);
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool String(std::string_view& out) {
    if (!Take('"')) return false;
    size_t end = 0;
    while (end < rest_.size() && rest_[end] != '"' && rest_[end] != '\\') ++end;
    if (end == rest_.size() || rest_[end] != '"') return false;
    out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return true;
  }

  std::string_view rest_;
};

// Whether `word` is in the text; looks for its second byte, which should be a rare one.
bool Contains(std::string_view text, std::string_view word) {
  const char* at = text.data() + 1;
  const char* end = text.data() + text.size();
  while (at < end) {
    at = static_cast<const char*>(std::memchr(at, word[1], static_cast<size_t>(end - at)));
    if (at == nullptr) return false;
    if (std::string_view(at - 1, static_cast<size_t>(end - at) + 1).starts_with(word)) return true;
    ++at;
  }
  return false;
}

enum class Kind { kResource, kBundle, kArray, kOther };

struct Scope {
  int level = 0;  // Bundles and arrays around
  const BundleReferences* references = nullptr;
  std::string_view full_url;
};

struct Entry {
  std::string_view extent;  // of what stands for the entry: its resource, else all of it
  std::string_view full_url;
  std::string_view resource;  // an object, or empty
  std::string_view request;   // an object, or empty
  std::optional<Issue> fault;
};

class Splitter {
 public:
  Splitter(RecordBlock::Impl& block, JsonParser& parser)
      : block_(block), parser_(parser), cursor_(block.text.data()), line_(block.line) {}

  std::vector<Record> Run() {
    if (block_.kind == RecordBlock::Impl::Kind::kLines) {
      SplitLines();
    } else if (const std::string_view text = TrimBlanks(block_.text); !text.empty()) {
      SplitValue(text, {});
    }
    if (block_.tail) records_.push_back(std::move(*block_.tail));
    return std::move(records_);
  }

 private:
  void SplitLines() {
    records_.reserve(block_.newlines.size() + 2);
    size_t begin = 0;
    for (const uint32_t newline : block_.newlines) {
      SplitLine(block_.text.substr(begin, newline - begin));
      begin = newline + 1;
      ++line_;
      cursor_ = block_.text.data() + begin;
    }
    SplitLine(block_.text.substr(begin));
  }

  void SplitLine(std::string_view line) {
    line = TrimBlanks(line);
    if (line.starts_with("\xef\xbb\xbf")) line = TrimBlanks(line.substr(3));  // of a joined file
    if (line.empty()) return;
    next_entry_ = 0;
    if (CheckSize(line, {})) SplitValue(line, {});
  }

  void SplitValue(std::string_view text, const Scope& scope) {
    const Kind kind = KindOf(text);
    if (kind == Kind::kOther) {
      return AddFault(
          text, scope, "json",
          text.front() == '<' ? "XML or HTML; FHIR JSON is needed" : "no JSON object begins here");
    }
    if (kind == Kind::kResource) {
      if (CheckSize(text, scope)) AddResource(text, scope);
    } else if (scope.level >= kMaxNesting) {
      AddFault(
          text, scope, "limit",
          fmt::format("Bundles or arrays inside each other, more than {} levels", kMaxNesting));
    } else if (kind == Kind::kArray) {
      SplitArray(text, scope);
    } else {
      SplitBundle(text, scope);
    }
  }

  Kind KindOf(std::string_view text) {
    if (text.front() == '[') return Kind::kArray;
    if (text.front() != '{') return Kind::kOther;
    return TypeOf(text) == "Bundle" ? Kind::kBundle : Kind::kResource;
  }

  // The resourceType of an object, when that is at hand or may be Bundle.
  std::string_view TypeOf(std::string_view object) {
    const std::string_view leading = LeadingStrings(object).ReadType();
    if (!leading.empty() || !Contains(object, "\"Bundle\"")) return leading;
    return ParseIdentity(object).resource_type;
  }

  Identity ParseIdentity(std::string_view object) {
    const auto tree = parser_.ParsePadded(object, Expand(object, 1));
    if (!tree) return {};
    return {Keep(tree->String("resourceType")), Keep(tree->String("id"))};
  }

  void SplitArray(std::string_view text, const Scope& scope) {
    const auto tree = parser_.ParsePadded(text, Expand(text, 1));
    if (!tree) return AddFault(text, scope, tree.error());
    std::vector<std::string_view> items;
    for (const JsonValue item : tree->children()) items.push_back(ExtentOf(item, text));
    for (const std::string_view item : items) {
      const Scope inside{scope.level + 1, scope.references, {}};
      if (item.empty() || (item.front() != '{' && item.front() != '[')) {
        AddFault(item, inside, "json", "the array's item is no JSON object");
      } else {
        SplitValue(item, inside);
      }
    }
  }

  void SplitBundle(std::string_view text, const Scope& scope) {
    std::vector<Entry> entries;
    if (!ReadEntries(text, entries)) {
      auto slowly = ReadEntriesOneByOne(text, entries);
      if (!slowly) return AddFault(text, scope, std::move(slowly.error()));
    }
    const BundleReferences* references = CollectReferences(entries, scope);
    for (size_t i = 0; i < entries.size(); ++i) {
      EmitEntry(entries[i], i, {scope.level + 1, references, entries[i].full_url});
    }
  }

  // Reads all entries in one parse; false when any of them is unusual or broken.
  bool ReadEntries(std::string_view text, std::vector<Entry>& entries) {
    const auto tree = parser_.ParsePadded(text, Expand(text, 3));
    if (!tree) return false;
    const JsonValue list = tree->Find("entry");
    if (EntryFault(*tree)) return false;
    for (const JsonValue item : list.children()) {
      if (!item.is_object()) return false;
      Entry entry = ReadEntry(item, {});
      if (entry.resource.empty()) return false;
      entry.extent = entry.resource;
      entries.push_back(std::move(entry));
    }
    return true;
  }

  // Reads entries with a parse of their own, so that a broken one is broken alone.
  std::expected<void, Issue> ReadEntriesOneByOne(std::string_view text,
                                                 std::vector<Entry>& entries) {
    entries.clear();
    const auto tree = parser_.ParsePadded(text, Expand(text, 2));
    if (!tree) return std::unexpected(JsonIssue(tree.error(), text, PlaceOf(text)));
    if (auto fault = EntryFault(*tree)) return std::unexpected(std::move(*fault));
    const JsonValue list = tree->Find("entry");
    for (const JsonValue item : list.children())
      entries.emplace_back().extent = ExtentOf(item, text);
    for (Entry& entry : entries) {
      if (entry.extent.empty() || entry.extent.front() != '{') continue;
      const auto object = parser_.ParsePadded(entry.extent, Expand(entry.extent, 1));
      if (!object) {
        entry.fault = JsonIssue(object.error(), entry.extent, PlaceOf(entry.extent));
        continue;
      }
      entry = ReadEntry(*object, entry.extent);
      if (!entry.resource.empty()) entry.extent = entry.resource;
    }
    return {};
  }

  // Why a Bundle's entries cannot be found.
  static std::optional<Issue> EntryFault(JsonValue bundle) {
    if (const JsonValue list = bundle.Find("entry")) {
      if (list.is_array()) return std::nullopt;
      return Issue{Severity::kFatal, "type", "Bundle.entry", "Bundle.entry is no array"};
    }
    for (const JsonValue member : bundle.children()) {
      if (!IsBundleMember(member.key())) {
        return Issue{Severity::kFatal, "unknown-property", "Bundle",
                     "the Bundle has no entry, but a member that no Bundle has"};
      }
    }
    return std::nullopt;
  }

  // Source: FHIR R4, Bundle, without `entry`.
  static bool IsBundleMember(std::string_view name) {
    static constexpr std::string_view kNames[] = {
        "resourceType", "id",        "meta",  "implicitRules", "language", "identifier",
        "type",         "timestamp", "total", "link",          "signature"};
    if (name.starts_with('_')) name.remove_prefix(1);
    return std::ranges::find(kNames, name) != std::end(kNames);
  }

  Entry ReadEntry(JsonValue object, std::string_view extent) {
    const auto raw_object = [&](std::string_view name) {
      const JsonValue member = object.Find(name);
      const bool is_object = member && member.type() == JsonType::kRaw && member.text()[0] == '{';
      return is_object ? member.text() : std::string_view();
    };
    return {extent, Keep(object.String("fullUrl")), raw_object("resource"), raw_object("request"),
            std::nullopt};
  }

  const BundleReferences* CollectReferences(const std::vector<Entry>& entries, const Scope& scope) {
    BundleReferences& map = block_.references.emplace_back();
    std::vector<std::string_view> ambiguous;  // of two resources: none is taken
    for (const Entry& entry : entries) {
      if (entry.resource.empty() || entry.full_url.empty()) continue;
      Identity identity = LeadingStrings(entry.resource).Read();
      if (identity.resource_type.empty() || identity.id.empty()) {
        identity = ParseIdentity(entry.resource);
      }
      if (identity.id.empty()) identity.id = IdFromFullUrl(entry.full_url);
      if (identity.resource_type.empty() || identity.id.empty()) continue;
      std::string named = fmt::format("{}/{}", identity.resource_type, identity.id);
      // (try_emplace leaves `named` alone where it adds nothing.)
      const auto [at, added] = map.try_emplace(std::string(entry.full_url), std::move(named));
      if (!added && at->second != named) ambiguous.push_back(entry.full_url);
    }
    if (scope.references != nullptr) map.insert(scope.references->begin(), scope.references->end());
    for (const std::string_view full_url : ambiguous) map.erase(std::string(full_url));
    return &map;
  }

  void EmitEntry(Entry& entry, size_t index, const Scope& scope) {
    if (entry.fault) return AddFault(entry.extent, scope, std::move(*entry.fault));
    std::string method, url;
    if (!entry.request.empty() &&
        (entry.resource.empty() || Contains(entry.request, "\"DELETE\""))) {
      if (const auto request = parser_.ParsePadded(entry.request, Expand(entry.request, 1))) {
        method = request->String("method");
        url = request->String("url");
      }
    }
    if (method == "DELETE") return AddDelete(entry, index, url, scope);
    if (!entry.resource.empty()) return SplitValue(entry.resource, scope);
    Issue issue{Severity::kFatal, "bundle-entry", fmt::format("Bundle.entry[{}]", index),
                "the entry holds no resource"};
    if (IsMethod(method)) issue.message += fmt::format(" (its request is a {})", method);
    AddFault(entry.extent, scope, std::move(issue));
  }

  static bool IsMethod(std::string_view text) {  // http-verb; other text may be anybody's name
    return text == "GET" || text == "HEAD" || text == "POST" || text == "PUT" || text == "PATCH";
  }

  void AddDelete(const Entry& entry, size_t index, const std::string& url, const Scope& scope) {
    const auto known = scope.references->find(url);
    const std::string& named = known == scope.references->end() ? url : known->second;
    const ReferenceTarget target = ParseReference(named);
    if (target.type.empty() || target.id.empty()) {
      return AddFault(entry.extent, scope,
                      Issue{Severity::kFatal, "bundle-entry",
                            fmt::format("Bundle.entry[{}].request.url", index),
                            "a DELETE must name one resource as Type/id"});
    }
    Record& record = Add(entry.extent, scope);
    record.payload = PayloadOf(entry.extent);
    record.delete_target = fmt::format("{}/{}", target.type, target.id);
  }

  bool CheckSize(std::string_view text, const Scope& scope) {
    if (static_cast<int64_t>(text.size()) <= block_.limits.max_record_bytes) return true;
    AddFault(text, scope, SizeIssue(static_cast<int64_t>(text.size()), block_.limits));
    return false;
  }

  Record& Add(std::string_view extent, const Scope& scope) {
    Record& record = records_.emplace_back();
    record.place = PlaceOf(extent);
    if (scope.level > 0) record.place.entry = next_entry_++;
    record.full_url = scope.full_url;
    record.references = scope.references;
    return record;
  }
  void AddResource(std::string_view text, const Scope& scope) { Add(text, scope).text = text; }
  void AddFault(std::string_view extent, const Scope& scope, Issue issue) {
    Record& record = Add(extent, scope);
    record.payload = PayloadOf(extent);
    record.fault = std::move(issue);
  }
  void AddFault(std::string_view extent, const Scope& scope, const JsonFault& fault) {
    AddFault(extent, scope, JsonIssue(fault, extent, PlaceOf(extent)));
  }
  void AddFault(std::string_view extent, const Scope& scope, std::string rule,
                std::string message) {
    AddFault(extent, scope, Issue{Severity::kFatal, std::move(rule), {}, std::move(message)});
  }

  RecordPlace PlaceOf(std::string_view extent) {
    return {LineAt(extent.data()), -1, block_.offset + (extent.data() - block_.text.data()),
            static_cast<int64_t>(extent.size()), block_.kind == RecordBlock::Impl::Kind::kLines};
  }

  // The line of a byte. Cheap as long as the bytes asked for come in the text's order.
  int64_t LineAt(const char* at) {
    if (at < cursor_) {
      cursor_ = block_.text.data();
      line_ = block_.line;
    }
    line_ += std::count(cursor_, at, '\n');
    cursor_ = at;
    return line_;
  }

  // The text of a value that was left raw; of others what is at hand, which lies inside `whole`.
  std::string_view ExtentOf(JsonValue value, std::string_view whole) const {
    const std::string_view text = value.text();
    const bool inside = text.data() >= whole.data() && text.data() < whole.data() + whole.size();
    return inside ? text : whole.substr(0, 0);
  }

  // A string of the tree that outlives the tree.
  std::string_view Keep(std::string_view text) {
    const std::string_view& whole = block_.text;
    if (text.data() >= whole.data() && text.data() < whole.data() + whole.size()) return text;
    return text.empty() ? text : block_.strings.emplace_back(text);
  }

  static JsonLimits Expand(std::string_view text, uint32_t depth) {
    return {.max_bytes = text.size(), .expand_depth = depth};
  }

  RecordBlock::Impl& block_;
  JsonParser& parser_;
  std::vector<Record> records_;
  int64_t next_entry_ = 0;
  const char* cursor_;  // `line_` is the line of this byte
  int64_t line_;
};

// The first byte that is no part of a UTF-8 character; text.size() when there is none.
// Source: RFC 3629 section 4.
size_t FirstBadByte(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto byte = [&](size_t i) {
      return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
    };
    const unsigned lead = byte(0);
    const size_t length = lead < 0x80   ? 1
                          : lead < 0xC2 ? 0
                          : lead < 0xE0 ? 2
                          : lead < 0xF0 ? 3
                          : lead < 0xF5 ? 4
                                        : 0;
    const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    bool good = length > 0 && (length < 2 || (byte(1) >= low && byte(1) <= high));
    for (size_t i = 2; i < length; ++i) good = good && byte(i) >= 0x80 && byte(i) <= 0xBF;
    if (!good) return at;
    at += length;
  }
  return at;
}

}  // namespace

std::vector<Record> SplitBlock(RecordBlock::Impl& block, JsonParser& parser) {
  return Splitter(block, parser).Run();
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view PayloadOf(std::string_view text) {
  if (text.size() <= kMaxPayloadBytes) return text;
  size_t end = kMaxPayloadBytes;
  for (int back = 0; back < 3 && IsInsideCharacter(text[end]); ++back) --end;
  return text.substr(0, end);
}

Issue SizeIssue(int64_t bytes, const DecodeLimits& limits) {
  return {Severity::kFatal,
          "limit",
          {},
          fmt::format("the record has {} bytes, more than the limit of {}", bytes,
                      limits.max_record_bytes)};
}

JsonLimits RecordLimits(const DecodeLimits& limits) {
  return {.max_bytes = static_cast<size_t>(limits.max_record_bytes), .max_depth = limits.max_depth};
}

Issue JsonIssue(const JsonFault& fault, std::string_view text, const RecordPlace& place) {
  const bool limit = fault.kind == ErrorKind::kLimit;
  std::string message = fault.message;
  size_t offset = std::min(fault.offset, text.size());
  if (!limit) {
    if (const size_t bad = FirstBadByte(text); bad < text.size()) {
      offset = bad;
      message = "the text is not UTF-8";
    } else {
      message = "not JSON: " + message;
    }
  }
  const int64_t line =
      place.line +
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  return {Severity::kFatal,
          limit ? "limit" : "json",
          {},
          fmt::format("{} (line {}, byte {})", message, line,
                      place.byte_offset + static_cast<int64_t>(offset))};
}

}  // namespace vitalake::fhir
