// Bytes of our own files: numbers and plain structs as they lie in memory (little endian, this
// machine's layout), texts and lists with their length before them.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace vitalake {

static_assert(std::endian::native == std::endian::little);

template <class T>
void AppendNumber(std::string& out, T value) {
  static_assert(std::is_arithmetic_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
// Of bytes that reach so far.
template <class T>
T NumberAt(std::string_view bytes, size_t offset) {
  static_assert(std::is_arithmetic_v<T>);
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

class ByteWriter {
 public:
  // How many bytes come, about: what grows by doubling holds twice as much, and more while it does.
  void Reserve(size_t size) { bytes_.reserve(size); }
  template <class T>
  void Number(T value) {
    AppendNumber(bytes_, value);
  }
  // Of a type without padding, or whose padding is never written.
  template <class T>
  void Plain(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <class T>
  void Plains(const std::vector<T>& values) {
    Number(static_cast<uint64_t>(values.size()));
    for (const T& value : values) Plain(value);
  }
  void Text(std::string_view text) {
    Number(static_cast<uint64_t>(text.size()));
    bytes_.append(text);
  }
  std::string Take() { return std::move(bytes_); }
  // With a checksum behind them.
  std::string TakeSealed() {
    Number(Hash64(bytes_));
    return Take();
  }

 private:
  std::string bytes_;
};

// What TakeSealed gave, without the checksum; nullopt: it is cut off or was changed.
inline std::optional<std::string_view> Unseal(std::string_view sealed) {
  if (sealed.size() < sizeof(uint64_t)) return std::nullopt;
  const std::string_view bytes = sealed.substr(0, sealed.size() - sizeof(uint64_t));
  if (Hash64(bytes) != NumberAt<uint64_t>(sealed, bytes.size())) return std::nullopt;
  return bytes;
}

// Each read is false when too few bytes are left; the value is then as before.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  bool Number(T& value) {
    return Take(&value, sizeof value);
  }
  template <class T>
  bool Plain(T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return Take(&value, sizeof value);
  }
  template <class T>
  bool Plains(std::vector<T>& values) {
    uint64_t count = 0;
    if (!Count(count, sizeof(T))) return false;
    values.assign(count, T());
    for (T& value : values) {
      if (!Plain(value)) return false;
    }
    return true;
  }
  // How many of something that takes `each` bytes at least: no more than there is room for.
  bool Count(uint64_t& count, size_t each) { return Number(count) && count <= left() / each; }
  bool Text(std::string& text) {
    uint64_t size = 0;
    std::string_view view;
    if (!Number(size) || !View(view, size)) return false;
    text = view;
    return true;
  }
  // The next `size` bytes, where they lie.
  bool View(std::string_view& view, uint64_t size) {
    if (size > left()) return false;
    view = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }
  size_t left() const { return bytes_.size(); }

 private:
  bool Take(void* to, size_t size) {
    if (bytes_.size() < size) return false;
    std::memcpy(to, bytes_.data(), size);
    bytes_.remove_prefix(size);
    return true;
  }
  std::string_view bytes_;
};

}  // namespace vitalake
