#include "engine/thrift_compact.h"

#include <algorithm>

namespace vitalake::engine {
namespace {

constexpr int kMaxDepth = 32;

std::unexpected<Error> Corrupt() {
  return Fail(ErrorKind::kCorrupt, "not a Thrift struct: it is cut off or damaged");
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  size_t at() const { return at_; }
  bool at_end() const { return at_ == bytes_.size(); }

  Result<ThriftValue> Read(ThriftType type, int depth) {
    if (depth > kMaxDepth) return Corrupt();
    ThriftValue value;
    value.type = type;
    switch (type) {
      case ThriftType::kTrue:
      case ThriftType::kFalse:
        return value;
      case ThriftType::kI8: {
        VL_TRY(const uint8_t byte, Byte());
        value.number = static_cast<int8_t>(byte);
        return value;
      }
      case ThriftType::kI16:
      case ThriftType::kI32:
      case ThriftType::kI64: {
        VL_TRY(value.number, Zigzag());
        return value;
      }
      case ThriftType::kDouble: {
        VL_TRY(value.bytes, Take(8));
        return value;
      }
      case ThriftType::kBinary: {
        VL_TRY(const uint64_t size, Varint());
        VL_TRY(value.bytes, Take(size));
        return value;
      }
      case ThriftType::kList:
      case ThriftType::kSet:
        return ReadItems(std::move(value), depth);
      case ThriftType::kStruct:
        return ReadFields(std::move(value), depth);
      case ThriftType::kMap:
        return Fail(ErrorKind::kUnsupported, "a Thrift map is not supported");
    }
    return Corrupt();
  }

 private:
  Result<uint8_t> Byte() {
    if (at_end()) return Corrupt();
    return static_cast<uint8_t>(bytes_[at_++]);
  }
  Result<std::string> Take(uint64_t size) {
    if (size > bytes_.size() - at_) return Corrupt();
    std::string out(bytes_.substr(at_, size));
    at_ += size;
    return out;
  }
  Result<uint64_t> Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      VL_TRY(const uint8_t byte, Byte());
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return Corrupt();
  }
  Result<int64_t> Zigzag() {
    VL_TRY(const uint64_t value, Varint());
    return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }

  Result<ThriftValue> ReadItems(ThriftValue value, int depth) {
    VL_TRY(const uint8_t head, Byte());
    value.item_type = static_cast<ThriftType>(head & 0x0f);
    uint64_t count = head >> 4;
    if (count == 15) {
      VL_TRY(count, Varint());
    }
    if (count > bytes_.size() - at_) return Corrupt();
    const bool flags =
        value.item_type == ThriftType::kTrue || value.item_type == ThriftType::kFalse;
    for (uint64_t i = 0; i < count; ++i) {
      ThriftType type = value.item_type;
      if (flags) {
        VL_TRY(const uint8_t byte, Byte());
        type = byte == 1 ? ThriftType::kTrue : ThriftType::kFalse;
      }
      VL_TRY(ThriftValue item, Read(type, depth + 1));
      value.items.push_back(std::move(item));
    }
    return value;
  }

  Result<ThriftValue> ReadFields(ThriftValue value, int depth) {
    int64_t id = 0;
    for (;;) {
      VL_TRY(const uint8_t head, Byte());
      if (head == 0) return value;
      if (head >> 4 != 0) {
        id += head >> 4;
      } else {
        VL_TRY(id, Zigzag());
      }
      VL_TRY(ThriftValue field, Read(static_cast<ThriftType>(head & 0x0f), depth + 1));
      value.fields.emplace_back(static_cast<int16_t>(id), std::move(field));
    }
  }

  std::string_view bytes_;
  size_t at_ = 0;
};

void PutVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

void PutZigzag(std::string& out, int64_t value) {
  PutVarint(out, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

void Put(std::string& out, const ThriftValue& value) {
  switch (value.type) {
    case ThriftType::kTrue:
    case ThriftType::kFalse:
    case ThriftType::kMap:
      return;
    case ThriftType::kI8:
      out += static_cast<char>(value.number);
      return;
    case ThriftType::kI16:
    case ThriftType::kI32:
    case ThriftType::kI64:
      PutZigzag(out, value.number);
      return;
    case ThriftType::kDouble:
      out += value.bytes;
      return;
    case ThriftType::kBinary:
      PutVarint(out, value.bytes.size());
      out += value.bytes;
      return;
    case ThriftType::kList:
    case ThriftType::kSet:
      if (value.items.size() < 15) {
        out += static_cast<char>(value.items.size() << 4 | static_cast<uint8_t>(value.item_type));
      } else {
        out += static_cast<char>(0xf0 | static_cast<uint8_t>(value.item_type));
        PutVarint(out, value.items.size());
      }
      for (const ThriftValue& item : value.items) {
        if (item.type == ThriftType::kTrue || item.type == ThriftType::kFalse) {
          out += static_cast<char>(item.type);
        } else {
          Put(out, item);
        }
      }
      return;
    case ThriftType::kStruct: {
      int16_t last = 0;
      for (const auto& [id, field] : value.fields) {
        const int step = id - last;
        if (step > 0 && step <= 15) {
          out += static_cast<char>(step << 4 | static_cast<uint8_t>(field.type));
        } else {
          out += static_cast<char>(field.type);
          PutZigzag(out, id);
        }
        last = id;
        Put(out, field);
      }
      out += '\0';
      return;
    }
  }
}

}  // namespace

const ThriftValue* ThriftValue::Find(int16_t id) const {
  const auto found = std::ranges::find(fields, id, &std::pair<int16_t, ThriftValue>::first);
  return found == fields.end() ? nullptr : &found->second;
}

ThriftValue* ThriftValue::Find(int16_t id) {
  return const_cast<ThriftValue*>(std::as_const(*this).Find(id));
}

std::optional<int64_t> ThriftValue::Int(int16_t id) const {
  const ThriftValue* field = Find(id);
  if (!field || field->type < ThriftType::kI8 || field->type > ThriftType::kI64) {
    return std::nullopt;
  }
  return field->number;
}

void ThriftValue::SetInt(int16_t id, int64_t value) {
  if (ThriftValue* field = Find(id)) field->number = value;
}

void ThriftValue::Put(int16_t id, ThriftValue field) {
  const auto place =
      std::ranges::lower_bound(fields, id, {}, &std::pair<int16_t, ThriftValue>::first);
  if (place != fields.end() && place->first == id) {
    place->second = std::move(field);
  } else {
    fields.emplace(place, id, std::move(field));
  }
}

ThriftValue ThriftInt(ThriftType type, int64_t value) {
  ThriftValue made;
  made.type = type;
  made.number = value;
  return made;
}

ThriftValue ThriftBinary(std::string bytes) {
  ThriftValue made;
  made.type = ThriftType::kBinary;
  made.bytes = std::move(bytes);
  return made;
}

ThriftValue ThriftBool(bool value) {
  ThriftValue made;
  made.type = value ? ThriftType::kTrue : ThriftType::kFalse;
  return made;
}

ThriftValue ThriftList(ThriftType item_type, std::vector<ThriftValue> items) {
  ThriftValue made;
  made.type = ThriftType::kList;
  made.item_type = item_type;
  made.items = std::move(items);
  return made;
}

ThriftValue ThriftUnion(int16_t id, ThriftValue field) {
  ThriftValue made;
  made.Put(id, std::move(field));
  return made;
}

void ThriftValue::Erase(int16_t id) {
  std::erase_if(fields, [id](const auto& field) { return field.first == id; });
}

Result<ThriftValue> ReadThriftStruct(std::string_view bytes) {
  Reader reader(bytes);
  VL_TRY(ThriftValue value, reader.Read(ThriftType::kStruct, 0));
  if (!reader.at_end()) return Corrupt();
  return value;
}

Result<ThriftHead> ReadThriftHead(std::string_view bytes) {
  Reader reader(bytes);
  VL_TRY(ThriftValue value, reader.Read(ThriftType::kStruct, 0));
  return ThriftHead{std::move(value), reader.at()};
}

std::string WriteThriftStruct(const ThriftValue& value) {
  std::string out;
  Put(out, value);
  return out;
}

}  // namespace vitalake::engine
