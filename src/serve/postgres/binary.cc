// Cells in PostgreSQL's binary format: as its *_send functions write them.
#include <bit>
#include <limits>

#include "serve/postgres/message.h"
#include "serve/postgres/types.h"

namespace vitalake::serve {
namespace {

using engine::Int128;
using engine::ResultCell;
using engine::ResultType;
using engine::TypeId;

__extension__ using UInt128 = unsigned __int128;

constexpr int32_t kDaysTo2000 = 10'957;
constexpr int64_t kMicrosTo2000 = int64_t{kDaysTo2000} * 86'400 * 1'000'000;

int32_t PgDate(int64_t days) {
  constexpr int64_t kInfinity = std::numeric_limits<int32_t>::max();
  if (days == kInfinity) return std::numeric_limits<int32_t>::max();
  if (days == -kInfinity) return std::numeric_limits<int32_t>::min();
  return static_cast<int32_t>(days - kDaysTo2000);
}

int64_t PgMoment(int64_t micros) {
  constexpr int64_t kInfinity = std::numeric_limits<int64_t>::max();
  if (micros == kInfinity) return kInfinity;
  if (micros == -kInfinity) return std::numeric_limits<int64_t>::min();
  return micros - kMicrosTo2000;
}

// Digits of base 10,000, the first one's weight, a sign, the digits behind the point.
void AppendNumeric(Int128 value, uint8_t scale, MessageWriter& out) {
  constexpr int kDigitsEach = 4;
  UInt128 units = value < 0 ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
  // The last group is filled up, so that groups begin at the point.
  int behind = (scale + kDigitsEach - 1) / kDigitsEach;
  std::vector<int16_t> groups;  // last first
  int missing = behind * kDigitsEach - scale;
  if (missing > 0 && units > 0) {
    // The lowest group alone: multiplying all could overflow.
    constexpr unsigned kPowers[] = {1, 10, 100, 1'000};
    const unsigned power = kPowers[kDigitsEach - missing];
    groups.push_back(static_cast<int16_t>(static_cast<unsigned>(units % power) * kPowers[missing]));
    units /= power;
  }
  for (; units > 0; units /= 10'000) groups.push_back(static_cast<int16_t>(units % 10'000));
  const int weight = static_cast<int>(groups.size()) - 1 - behind;
  size_t last = 0;
  while (last < groups.size() && groups[last] == 0) ++last;
  const size_t count = groups.size() - last;
  out.Int16(static_cast<int16_t>(count)).Int16(static_cast<int16_t>(count == 0 ? 0 : weight));
  out.Int16(value < 0 ? 0x4000 : 0).Int16(scale);
  for (size_t i = groups.size(); i-- > last;) out.Int16(groups[i]);
}

void AppendArray(const ResultCell& cell, const ResultType& type, std::string& out) {
  MessageWriter writer(out);
  const uint64_t items = cell.items();
  bool nulls = false;
  for (uint64_t i = 0; i < items; ++i) nulls |= cell.Item(i).is_null();
  writer.Int32(items == 0 ? 0 : 1).Int32(nulls ? 1 : 0);
  writer.Int32(PgColumnOf("", type.children[0]).oid);
  if (items == 0) return;
  writer.Int32(static_cast<int32_t>(items)).Int32(1);
  for (uint64_t i = 0; i < items; ++i) {
    AppendPgField(cell.Item(i), type.children[0], PgFormat::kBinary, out);
  }
}

}  // namespace

void AppendPgBinary(const ResultCell& cell, const ResultType& type, std::string& out) {
  MessageWriter writer(out);
  switch (type.id) {
    case TypeId::kBoolean:
      writer.Byte(cell.Bool() ? 1 : 0);
      return;
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kUTinyInt:
      writer.Int16(static_cast<int16_t>(cell.Int64()));
      return;
    case TypeId::kInteger:
    case TypeId::kUSmallInt:
    case TypeId::kUInteger:
      writer.Int32(static_cast<int32_t>(cell.Int64()));
      return;
    case TypeId::kBigInt:
    case TypeId::kTime:
      writer.Int64(cell.Int64());
      return;
    case TypeId::kUBigInt:
      return AppendNumeric(static_cast<Int128>(cell.UInt64()), 0, writer);
    case TypeId::kHugeInt:
      return AppendNumeric(cell.Wide(), 0, writer);
    case TypeId::kDecimal:
      return AppendNumeric(cell.Wide(), type.scale, writer);
    case TypeId::kFloat:
      writer.Int32(std::bit_cast<int32_t>(static_cast<float>(cell.Double())));
      return;
    case TypeId::kDouble:
      writer.Int64(std::bit_cast<int64_t>(cell.Double()));
      return;
    case TypeId::kDate:
      writer.Int32(PgDate(cell.Int64()));
      return;
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      writer.Int64(PgMoment(cell.Int64()));
      return;
    case TypeId::kInterval: {
      const engine::IntervalValue value = cell.Interval();
      writer.Int64(value.micros).Int32(value.days).Int32(value.months);
      return;
    }
    case TypeId::kUuid: {
      const Int128 bits = cell.Wide();
      writer.Int64(static_cast<int64_t>(bits >> 64)).Int64(static_cast<int64_t>(bits));
      return;
    }
    case TypeId::kEnum:
      writer.Bytes(cell.String());
      if (type.letters && cell.String().empty()) writer.Byte('\0');
      return;
    case TypeId::kJson:
      writer.Bytes(cell.String());
      return;
    case TypeId::kBlob:
      writer.Bytes(cell.String());
      return;
    case TypeId::kList:
      if (IsPgArray(type)) return AppendArray(cell, type, out);
      [[fallthrough]];
    default:
      return AppendPgText(cell, type, out);
  }
}

void AppendPgField(const ResultCell& cell, const ResultType& type, PgFormat format,
                   std::string& out) {
  MessageWriter writer(out);
  if (cell.is_null()) {
    writer.Int32(-1);
    return;
  }
  if (type.id == TypeId::kVarchar) {
    writer.BytesField(cell.String());
    return;
  }
  if (format == PgFormat::kBinary) {
    // What most cells are, at once.
    switch (type.id) {
      case TypeId::kInteger:
        writer.NumberField(static_cast<int32_t>(cell.Int64()));
        return;
      case TypeId::kBigInt:
        writer.NumberField(cell.Int64());
        return;
      case TypeId::kDouble:
        writer.NumberField(std::bit_cast<int64_t>(cell.Double()));
        return;
      case TypeId::kDate:
        writer.NumberField(PgDate(cell.Int64()));
        return;
      case TypeId::kTimestamp:
      case TypeId::kTimestampTz:
        writer.NumberField(PgMoment(cell.Int64()));
        return;
      default:
        break;
    }
  }
  writer.BeginField();
  if (format == PgFormat::kText) {
    AppendPgText(cell, type, out);
  } else {
    AppendPgBinary(cell, type, out);
  }
  writer.EndField();
}

}  // namespace vitalake::serve
