// Bytes of a snapshot: numbers and plain structs as they lie in memory (little endian, this
// machine's layout), texts and lists with their length before them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vitalake::monitor {

class ByteWriter {
 public:
  // How many bytes come, about: what grows by doubling holds twice as much, and more while it does.
  void Reserve(size_t size) { bytes_.reserve(size); }
  template <class T>
  void Number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    Append(&value, sizeof value);
  }
  // Of a type without padding, or whose padding is never written.
  template <class T>
  void Plain(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    Append(&value, sizeof value);
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

 private:
  void Append(const void* from, size_t size) {
    bytes_.append(static_cast<const char*>(from), size);
  }
  std::string bytes_;
};

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
    if (!Number(count) || count > left() / sizeof(T)) return false;
    values.assign(count, T());
    for (T& value : values) {
      if (!Plain(value)) return false;
    }
    return true;
  }
  bool Text(std::string& text) {
    uint64_t size = 0;
    if (!Number(size) || size > left()) return false;
    text = bytes_.substr(0, size);
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

}  // namespace vitalake::monitor
