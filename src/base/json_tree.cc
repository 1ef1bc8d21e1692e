#include "base/json_tree.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <deque>

namespace vitalake {
namespace {

// RFC 8259 section 6.
bool IsNumber(std::string_view s) {
  size_t i = 0;
  const auto digit = [&] { return i < s.size() && s[i] >= '0' && s[i] <= '9'; };
  if (i < s.size() && s[i] == '-') ++i;
  if (!digit()) return false;
  if (s[i] == '0') {
    ++i;
  } else {
    while (digit()) ++i;
  }
  if (i < s.size() && s[i] == '.') {
    ++i;
    if (!digit()) return false;
    while (digit()) ++i;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    if (!digit()) return false;
    while (digit()) ++i;
  }
  return i == s.size();
}

std::string_view TrimRight(std::string_view s) {
  while (!s.empty() &&
         (s.back() == ' ' || s.back() == '\n' || s.back() == '\r' || s.back() == '\t'))
    s.remove_suffix(1);
  return s;
}

bool ReadHex4(std::string_view s, size_t& at, uint32_t& out) {
  if (at + 4 > s.size()) return false;
  const auto [end, error] = std::from_chars(s.data() + at, s.data() + at + 4, out, 16);
  if (error != std::errc() || end != s.data() + at + 4) return false;
  at += 4;
  return true;
}

void AppendUtf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

// RFC 8259 section 7; surrogates must come in pairs.
bool Unescape(std::string_view s, std::string& out) {
  out.reserve(s.size());
  for (size_t i = 0; i < s.size();) {
    if (s[i] != '\\') {
      out += s[i++];
      continue;
    }
    if (i + 1 >= s.size()) return false;
    const char kind = s[i + 1];
    i += 2;
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (const size_t k = kFrom.find(kind); k != std::string_view::npos) {
      out += kTo[k];
      continue;
    }
    uint32_t c = 0;
    if (kind != 'u' || !ReadHex4(s, i, c) || (c >= 0xDC00 && c < 0xE000)) return false;
    if (c >= 0xD800 && c < 0xDC00) {
      uint32_t low = 0;
      if (s.substr(i, 2) != "\\u") return false;
      i += 2;
      if (!ReadHex4(s, i, low) || low < 0xDC00 || low >= 0xE000) return false;
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    AppendUtf8(out, c);
  }
  return true;
}

// The first 16 bytes of a member name, filled up with zeros.
struct KeyBytes {
  uint64_t head = 0;
  uint64_t tail = 0;
  bool operator==(const KeyBytes&) const = default;
};
constexpr size_t kKeyBytes = 16;

constexpr auto kKeyMasks = [] {
  std::array<KeyBytes, kKeyBytes + 1> masks{};
  for (size_t n = 0; n <= kKeyBytes; ++n) {
    masks[n].head = n >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * n)) - 1;
    masks[n].tail = n == 16 ? ~uint64_t{0} : n > 8 ? (uint64_t{1} << (8 * (n - 8))) - 1 : 0;
  }
  return masks;
}();

// That many bytes must be readable, whatever the size.
inline KeyBytes LoadKey(const char* data, size_t size) {
  const KeyBytes& mask = kKeyMasks[std::min(size, kKeyBytes)];
  KeyBytes bytes;
  std::memcpy(&bytes.head, data, 8);
  std::memcpy(&bytes.tail, data + 8, 8);
  bytes.head &= mask.head;
  bytes.tail &= mask.tail;
  return bytes;
}

// A member name met before.
struct KnownKey {
  KeyBytes bytes;
  uint32_t size = UINT32_MAX;
  JsonSelection::Place place = JsonSelection::kNone;
  Symbol symbol = 0;
  uint16_t next = 0;  // what came behind it last, when not its neighbour in the list
};

inline bool Same(const KnownKey& known, const KeyBytes& bytes, size_t size) {
  return known.bytes.head == bytes.head && known.bytes.tail == bytes.tail && known.size == size;
}

constexpr size_t kKnownKeys = 256;

size_t SlotOf(const KeyBytes& bytes, size_t size) {
  const uint64_t h =
      (bytes.head ^ (bytes.tail * 0x9E3779B97F4A7C15ULL) ^ size) * 0xD6E8FEB86659FD93ULL;
  return (h >> 32) % kKnownKeys;
}

// The member names met in the objects at one place of a selection, and what is kept of them.
// Objects of one sender name their members in one order, so the next one is guessed.
class KnownMembers {
 public:
  KnownMembers() : keys_(1), names_(1) {}  // the first stands for the beginning of an object

  // `at`: the place of the name before; then of this one. kKeyBytes must be readable at the key.
  const KnownKey& Find(const JsonSelection& kept, JsonSelection::Place object, std::string_view key,
                       size_t& at) {
    const KeyBytes bytes = LoadKey(key.data(), key.size());
    // The first guess depends on nothing in memory: the processor need not wait for the last one.
    if (at + 1 < keys_.size() && Is(at + 1, bytes, key)) return keys_[++at];
    const size_t guess = keys_[at].next;
    if (!Is(guess, bytes, key)) return Search(kept, object, key, bytes, at);
    at = guess;
    return keys_[guess];
  }

 private:
  static constexpr size_t kMost = 128;

  bool Is(size_t i, const KeyBytes& bytes, std::string_view key) const {
    return Same(keys_[i], bytes, key.size()) && (key.size() <= kKeyBytes || names_[i] == key);
  }

  const KnownKey& Search(const JsonSelection& kept, JsonSelection::Place object,
                         std::string_view key, const KeyBytes& bytes, size_t& at) {
    uint8_t& slot = slots_[SlotOf(bytes, key.size())];
    size_t found = slot;
    if (!Is(found, bytes, key)) {
      found = 1;
      while (found < keys_.size() && !Is(found, bytes, key)) ++found;
    }
    if (found == keys_.size()) {
      if (found == kMost) {
        other_ = {bytes, 0, kept.Find(object, key), FindSymbol(key), 0};
        return other_;
      }
      keys_.push_back(
          {bytes, static_cast<uint32_t>(key.size()), kept.Find(object, key), FindSymbol(key), 0});
      names_.emplace_back(key);
    }
    slot = static_cast<uint8_t>(found);
    keys_[at].next = static_cast<uint16_t>(found);
    at = found;
    return keys_[found];
  }

  std::vector<KnownKey> keys_;
  std::vector<std::string> names_;
  std::array<uint8_t, kKnownKeys> slots_{};  // by SlotOf: a place in keys_ to look at first
  KnownKey other_;                           // the last one found when the list was full
};

}  // namespace

std::string_view JsonValue::text() const {
  switch (node_->type) {
    case JsonType::kArray:
    case JsonType::kObject:
      return {};
    default:
      return {node_->data, node_->size};
  }
}

JsonValue JsonValue::Find(std::string_view name) const {
  for (JsonValue child : is_object() ? children() : JsonChildren(nullptr, nullptr)) {
    if (child.key() == name) return child;
  }
  return {};
}

std::optional<int64_t> JsonValue::AsInt() const {
  if (!is_number()) return std::nullopt;
  int64_t value = 0;
  const char* end = node_->data + node_->size;
  const auto [at, error] = std::from_chars(node_->data, end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

std::optional<double> JsonValue::AsDouble() const {
  if (!is_number()) return std::nullopt;
  double value = 0;
  const char* end = node_->data + node_->size;
  const auto [at, error] = std::from_chars(node_->data, end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

std::string_view JsonValue::String(std::string_view name, std::string_view otherwise) const {
  const JsonValue member = Find(name);
  return member.is_string() ? member.text() : otherwise;
}

// One pass over simdjson's structural index: the positions of every bracket, colon, comma and the
// first byte of every scalar. Stage 1 has checked UTF-8, closed strings and control characters.
struct JsonParser::Impl {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage1;
  size_t capacity = 0;
  std::unique_ptr<JsonNode[]> nodes;  // room for one node per structural and one more
  size_t room = 0;
  size_t count = 0;            // nodes written
  std::vector<uint64_t> seen;  // by symbol, of those met: last object holding it
  uint64_t objects = 0;        // objects opened so far, ever
  bool duplicates = false;
  std::vector<KnownKey> known = std::vector<KnownKey>(kKnownKeys);
  std::vector<KnownMembers> selected;  // by place of the selection `selected_id`
  uint64_t selected_id = 0;
  std::string copy;
  std::deque<std::string> unescaped;  // texts of strings that held escapes
  JsonLimits limits;
  JsonFault fault;

  const char* text = nullptr;
  bool escapes = false;            // whether the text has any backslash
  const uint32_t* next = nullptr;  // the structural to read
  const uint32_t* end = nullptr;

  bool Fault(ErrorKind kind, std::string message, size_t offset) {
    fault = {kind, std::move(message), offset};
    return false;
  }
  bool Expected(std::string_view what) {
    return Fault(ErrorKind::kCorrupt,
                 next == end ? fmt::format("the text ends where {} should be", what)
                             : fmt::format("expected {}", what),
                 Place());
  }
  size_t Place() const { return next == end ? *end : *next; }
  char Peek() const { return next == end ? '\0' : text[*next]; }
  // The scalar at `next`, without the white space before the next structural. Moves past it.
  std::string_view Token() {
    const uint32_t from = *next++;
    return TrimRight({text + from, *next - from});
  }

  Status Index(std::string_view input) {
    if (input.size() > capacity || !stage1) {
      const size_t wanted = std::max<size_t>(input.size(), 64 << 10);
      const auto error =
          stage1 ? stage1->allocate(wanted, 4)
                 : simdjson::get_active_implementation()->create_dom_parser_implementation(
                       wanted, 4, stage1);
      if (error) return Fail(ErrorKind::kLimit, simdjson::error_message(error));
      capacity = wanted;
    }
    const auto error = stage1->stage1(reinterpret_cast<const uint8_t*>(input.data()), input.size(),
                                      simdjson::stage1_mode::regular);
    if (error) return Fail(ErrorKind::kCorrupt, simdjson::error_message(error));
    text = input.data();
    escapes = std::memchr(text, '\\', input.size()) != nullptr;
    next = stage1->structural_indexes.get();
    end = next + stage1->n_structural_indexes;
    // One more than there are structurals: a node is begun before it shows that its value is
    // missing.
    const size_t wanted = size_t{stage1->n_structural_indexes} + 1;
    if (wanted > room) {
      room = wanted + wanted / 2;
      nodes = std::make_unique_for_overwrite<JsonNode[]>(room);
    }
    return {};
  }

  // Reads the string at `next`. Those without escapes (nearly all) are views of the text.
  bool ReadString(std::string_view& out) {
    const uint32_t from = next[0], to = next[1];
    if (!escapes && to - from >= 2 && text[to - 1] == '"') {
      out = {text + from + 1, to - from - 2};
      ++next;
      return true;
    }
    return ReadUnusualString(out);
  }

  bool ReadUnusualString(std::string_view& out) {
    const size_t at = *next;
    const std::string_view token = Token();
    if (token.size() < 2 || token.back() != '"') {
      return Fault(ErrorKind::kCorrupt, "a string is not closed", at);
    }
    out = token.substr(1, token.size() - 2);
    if (!escapes || std::memchr(out.data(), '\\', out.size()) == nullptr) return true;
    std::string& plain = unescaped.emplace_back();
    if (!Unescape(out, plain)) return Fault(ErrorKind::kCorrupt, "bad escape in a string", at);
    out = plain;
    return true;
  }

  // Reads a member's name and passes over the colon.
  bool ReadKey(std::string_view& key) {
    if (Peek() != '"') return Expected("a member name in quotes");
    if (!ReadString(key)) return false;
    if (Peek() != ':') return Expected("':'");
    ++next;
    return true;
  }

  // Names that held escapes lie elsewhere, with nothing readable behind them.
  bool IsInText(std::string_view key) const {
    return key.data() > text && key.data() <= text + *end;
  }

  Symbol SymbolOf(std::string_view key) {
    if (key.size() > kKeyBytes || !IsInText(key)) return FindSymbol(key);
    const KeyBytes bytes = LoadKey(key.data(), key.size());
    KnownKey& slot = known[SlotOf(bytes, key.size())];
    if (Same(slot, bytes, key.size())) return slot.symbol;
    const Symbol symbol = FindSymbol(key);
    if (symbol != 0) {
      slot = {bytes, static_cast<uint32_t>(key.size()), JsonSelection::kWhole, symbol, 0};
    }
    return symbol;
  }

  void UseSelection() {
    if (limits.kept == nullptr || selected_id == limits.kept->id()) return;
    selected_id = limits.kept->id();
    selected.clear();
    selected.resize(limits.kept->size());
  }

  // Appends the subtree of the value at `next`; false after a fault. `depth` is its container's.
  // `place`: what is kept of the objects it holds.
  bool Append(uint32_t depth, std::string_view key, Symbol symbol, bool duplicate,
              JsonSelection::Place place) {
    const size_t at = count++;
    nodes[at] = {JsonType::kNull, duplicate, symbol, 1, static_cast<uint32_t>(key.size()), 0,
                 key.data(),      nullptr};
    switch (Peek()) {
      case '{':
      case '[':
        return AppendContainer(depth + 1, at, place);
      case '"': {
        std::string_view value;
        if (!ReadString(value)) return false;
        SetText(nodes[at], JsonType::kString, value);
        return true;
      }
      case '-':
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9': {
        const size_t place = *next;
        const std::string_view token = Token();
        if (!IsNumber(token)) return Fault(ErrorKind::kCorrupt, "not a JSON number", place);
        SetText(nodes[at], JsonType::kNumber, token);
        return true;
      }
      case 't':
      case 'f':
      case 'n': {
        const size_t place = *next;
        const std::string_view token = Token();
        if (token != "true" && token != "false" && token != "null") {
          return Fault(ErrorKind::kCorrupt, "not a JSON value", place);
        }
        SetText(nodes[at],
                token == "true"    ? JsonType::kTrue
                : token == "false" ? JsonType::kFalse
                                   : JsonType::kNull,
                token);
        return true;
      }
      default:
        return Expected("a JSON value");
    }
  }

  static void SetText(JsonNode& node, JsonType type, std::string_view value) {
    node.type = type;
    node.data = value.data();
    node.size = static_cast<uint32_t>(value.size());
  }

  bool AppendContainer(uint32_t depth, size_t at, JsonSelection::Place place) {
    if (depth > limits.max_depth) return TooDeep();
    const bool object = Peek() == '{';
    if (depth > limits.expand_depth) return SkipContainer(at);
    const char closing = object ? '}' : ']';
    const uint64_t stamp = ++objects;
    uint32_t size = 0;
    size_t before = 0;
    ++next;
    if (Peek() != closing) {
      for (;;) {
        if (!object) {
          if (!Append(depth, {}, 0, false, place)) return false;
          ++size;
        } else if (place == JsonSelection::kWhole) {
          if (!AppendMember(depth, at, stamp)) return false;
          ++size;
        } else if (!AppendIfKept(depth, place, before, size)) {
          return false;
        }
        if (Peek() != ',') break;
        ++next;
      }
    }
    if (Peek() != closing) return Expected(object ? "',' or '}'" : "',' or ']'");
    ++next;
    JsonNode& node = nodes[at];
    node.type = object ? JsonType::kObject : JsonType::kArray;
    node.size = size;
    node.skip = static_cast<uint32_t>(count - at);
    return true;
  }

  bool AppendMember(uint32_t depth, size_t parent, uint64_t stamp) {
    std::string_view key;
    if (!ReadKey(key)) return false;
    const Symbol symbol = SymbolOf(key);
    if (symbol >= seen.size()) seen.resize(std::bit_ceil(size_t{symbol} + 1));
    // A later stamp is that of an object nested in this one: only then look at the siblings.
    const bool duplicate = symbol == 0 || seen[symbol] > stamp ? HasMember(parent, symbol, key)
                                                               : seen[symbol] == stamp;
    if (symbol != 0) seen[symbol] = stamp;
    duplicates |= duplicate;
    return Append(depth, key, symbol, duplicate, JsonSelection::kWhole);
  }

  // The member at `next` of an object at `place`, if it is kept: then `size` counts it. `before`:
  // of the member before, see KnownMembers.
  bool AppendIfKept(uint32_t depth, JsonSelection::Place place, size_t& before, uint32_t& size) {
    std::string_view key;
    if (!ReadKey(key)) return false;
    JsonSelection::Place inside = JsonSelection::kNone;
    Symbol symbol = 0;
    if (!IsInText(key)) {
      inside = limits.kept->Find(place, key);
      symbol = FindSymbol(key);
    } else {
      const KnownKey& found = selected[place].Find(*limits.kept, place, key, before);
      inside = found.place;
      symbol = found.symbol;
    }
    if (inside == JsonSelection::kNone) return SkipValue(depth);
    ++size;
    return Append(depth, key, symbol, false, inside);
  }

  // Passes over a value inside a container at `depth`.
  bool SkipValue(uint32_t depth) {
    const char c = Peek();
    if (c == '{' || c == '[') return SkipNested(depth);
    if (next == end || c == ',' || c == ':' || c == '}' || c == ']') {
      return Expected("a JSON value");
    }
    ++next;
    return true;
  }

  bool SkipNested(uint32_t depth) {
    uint32_t open = 0;
    uint64_t objects_open = 0;  // by level, the innermost lowest: whether it is an object
    bool known_kinds = true;
    for (; next != end; ++next) {
      const char c = text[*next];
      if ((c | 0x26) != 0x7F) continue;  // no bracket
      if (c == '{' || c == '[') {
        if (depth + ++open > limits.max_depth) return TooDeep();
        objects_open = objects_open << 1 | (c == '{');
        known_kinds = known_kinds && open <= 64;
      } else if (c == '}' || c == ']') {
        if (known_kinds && (objects_open & 1) != (c == '}')) break;
        objects_open >>= 1;
        if (--open > 0) continue;
        ++next;
        return true;
      }
    }
    return Expected("a closing bracket");
  }

  bool TooDeep() {
    return Fault(ErrorKind::kLimit, fmt::format("nested deeper than {} levels", limits.max_depth),
                 *next);
  }

  bool HasMember(size_t parent, Symbol symbol, std::string_view key) const {
    for (size_t i = parent + 1; i < count; i += nodes[i].skip) {
      const JsonNode& node = nodes[i];
      if (node.symbol != symbol) continue;
      if (symbol != 0 || std::string_view(node.key_data, node.key_size) == key) return true;
    }
    return false;
  }

  bool SkipContainer(size_t at) {
    const uint32_t from = *next;
    size_t open = 0;
    for (; next != end; ++next) {
      const char c = text[*next];
      if (c == '{' || c == '[') ++open;
      if ((c == '}' || c == ']') && --open == 0) {
        SetText(nodes[at], JsonType::kRaw, {text + from, *next - from + 1});
        ++next;
        return true;
      }
    }
    return Expected("a closing bracket");
  }
};

JsonParser::JsonParser() : impl_(std::make_unique<Impl>()) {}
JsonParser::~JsonParser() = default;
JsonParser::JsonParser(JsonParser&&) noexcept = default;
JsonParser& JsonParser::operator=(JsonParser&&) noexcept = default;

std::expected<JsonValue, JsonFault> JsonParser::ParsePadded(std::string_view text,
                                                            const JsonLimits& limits) {
  static_assert(kPadding >= simdjson::SIMDJSON_PADDING);
  Impl& impl = *impl_;
  impl.count = 0;
  impl.duplicates = false;
  impl.unescaped.clear();
  impl.limits = limits;
  if (text.size() > limits.max_bytes) {
    return std::unexpected(JsonFault{
        ErrorKind::kLimit,
        fmt::format("{} bytes, more than the limit of {}", text.size(), limits.max_bytes), 0});
  }
  if (auto indexed = impl.Index(text); !indexed) {
    return std::unexpected(JsonFault{indexed.error().kind, std::move(indexed.error().message), 0});
  }
  impl.UseSelection();
  const bool all = limits.kept == nullptr || limits.kept->keeps_all();
  const auto place = all ? JsonSelection::kWhole : JsonSelection::kRoot;
  if (!impl.Append(0, {}, 0, false, place)) return std::unexpected(std::move(impl.fault));
  if (impl.next != impl.end) {
    impl.Fault(ErrorKind::kCorrupt, "text after the end of the JSON value", *impl.next);
    return std::unexpected(std::move(impl.fault));
  }
  return JsonValue(impl.nodes.get());
}

std::expected<JsonValue, JsonFault> JsonParser::Parse(std::string_view text,
                                                      const JsonLimits& limits) {
  std::string& copy = impl_->copy;
  copy.reserve(text.size() + kPadding);
  copy.assign(text);
  return ParsePadded(copy, limits);
}

bool JsonParser::has_duplicate_key() const { return impl_->duplicates; }

}  // namespace vitalake
