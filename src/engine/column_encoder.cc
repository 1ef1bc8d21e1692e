#include "engine/column_encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "engine/parquet_fields_internal.h"

namespace vitalake::engine {
namespace {

// A dictionary that grows past either of these is left, and one that more than half of the values
// are new to, after so many.
constexpr uint32_t kMaxDictionary = 4096;
constexpr size_t kMaxDictionaryBytes = 1 << 20;
constexpr size_t kTrialValues = 1024;
constexpr size_t kFirstSlots = 64;
constexpr size_t kPageBytes = 1 << 20;
constexpr size_t kMaxBoundBytes = 256;

template <class T>
int Compare(std::string_view a, std::string_view b) {
  const T left = NumberAt<T>(a, 0), right = NumberAt<T>(b, 0);
  return left < right ? -1 : right < left ? 1 : 0;
}

bool IsNan(ParquetType type, std::string_view value) {
  if (type == ParquetType::kFloat) return std::isnan(NumberAt<float>(value, 0));
  return type == ParquetType::kDouble && std::isnan(NumberAt<double>(value, 0));
}

bool HasOrder(ParquetType type) {
  return type != ParquetType::kInt96 && type != ParquetType::kFixed;
}

int BitsFor(size_t values) { return values < 2 ? 0 : static_cast<int>(std::bit_width(values - 1)); }

// As `compare`, for texts that mostly differ in their first bytes: those are compared in place.
int CompareTexts(std::string_view a, std::string_view b) {
  if (std::min(a.size(), b.size()) >= sizeof(uint64_t)) {
    const uint64_t left = __builtin_bswap64(NumberAt<uint64_t>(a, 0));
    const uint64_t right = __builtin_bswap64(NumberAt<uint64_t>(b, 0));
    if (left != right) return left < right ? -1 : 1;
  }
  return a.compare(b);
}

uint32_t HashNumber(uint64_t bits) {
  return static_cast<uint32_t>((bits * 0x9e3779b97f4a7c15ull) >> 32);
}

}  // namespace

int ComparePlain(ParquetType type, std::string_view a, std::string_view b) {
  switch (type) {
    case ParquetType::kInt32:
      return Compare<int32_t>(a, b);
    case ParquetType::kInt64:
      return Compare<int64_t>(a, b);
    case ParquetType::kFloat:
      return Compare<float>(a, b);
    case ParquetType::kDouble:
      return Compare<double>(a, b);
    default:
      return CompareTexts(a, b);
  }
}

Result<ColumnEncoder> ColumnEncoder::Make(const ChunkShape& shape, bool values_repeat,
                                          PageCodec& codec) {
  VL_TRY(const int64_t width, WidthOf(shape));
  return ColumnEncoder(shape, static_cast<size_t>(width), values_repeat, codec);
}

ColumnEncoder::ColumnEncoder(const ChunkShape& shape, size_t width, bool values_repeat,
                             PageCodec& codec)
    : shape_(shape),
      width_(width),
      values_repeat_(values_repeat && shape.type != ParquetType::kBoolean),
      codec_(&codec),
      dictionary_(values_repeat_),
      unordered_(!HasOrder(shape.type)) {}

void ColumnEncoder::PutNulls(size_t count) {
  if (count == 0) return;
  VL_CHECK(shape_.optional);
  if (nulls_ == 0 && rows_ > 0) {
    present_.assign((rows_ + 63) / 64, ~uint64_t{0});
    if (rows_ % 64 != 0) present_.back() = (uint64_t{1} << (rows_ % 64)) - 1;
  }
  rows_ += count;
  nulls_ += count;
  if (nulls_ < rows_) present_.resize((rows_ + 63) / 64);
}

void ColumnEncoder::AddPresent() {
  if (nulls_ > 0) {
    present_.resize(rows_ / 64 + 1);
    present_.back() |= uint64_t{1} << (rows_ % 64);
  }
  ++rows_;
}

template <class T>
void ColumnEncoder::PutNumber(T value) {
  AddPresent();
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(value));
  PutValue({reinterpret_cast<const char*>(&value), sizeof(value)}, HashNumber(bits));
}

void ColumnEncoder::PutBool(bool value) {
  AddPresent();
  places_.push_back(value);
}

void ColumnEncoder::PutInt(int64_t value) {
  if (shape_.type == ParquetType::kInt64) return PutNumber(value);
  PutNumber(static_cast<int32_t>(value));
}

void ColumnEncoder::PutFloat(float value) { PutNumber(value); }
void ColumnEncoder::PutDouble(double value) { PutNumber(value); }

void ColumnEncoder::PutText(std::string_view value) {
  AddPresent();
  if (!dictionary_) return PutIntoPlain(value);
  // Often the same as the one before.
  if (!places_.empty() && DictionaryValue(last_) == value) {
    places_.push_back(last_);
    return;
  }
  PutValue(value, static_cast<uint32_t>(Hash64(value)));
}

void ColumnEncoder::PutPlain(std::string_view value) {
  VL_CHECK(width_ == 0 || width_ == value.size());
  if (shape_.type == ParquetType::kBoolean) return PutBool(value[0] != 0);
  if (width_ == 0) return PutText(value);
  AddPresent();
  PutValue(value, static_cast<uint32_t>(Hash64(value)));
}

void ColumnEncoder::PutValue(std::string_view value, uint32_t hash) {
  if (!dictionary_) return PutIntoPlain(value);
  const uint32_t known = values_in_dictionary_;
  last_ = PlaceOf(value, hash);
  places_.push_back(last_);
  if (values_in_dictionary_ == known) return;
  const bool repeats = places_.size() < kTrialValues || known < places_.size() / 2;
  if (!repeats || known == kMaxDictionary || dictionary_bytes_.size() > kMaxDictionaryBytes) {
    LeaveDictionary();
  }
}

void ColumnEncoder::PutIntoPlain(std::string_view value) {
  Bound(value);
  if (width_ == 0) AppendNumber(plain_, static_cast<uint32_t>(value.size()));
  plain_ += value;
  if (plain_.size() < kPageBytes) return;
  Note(EndPlainPage());
}

std::string_view ColumnEncoder::DictionaryValue(uint32_t place) const {
  const std::string_view bytes = dictionary_bytes_;
  if (width_ > 0) return bytes.substr(place * width_, width_);
  const size_t begin = begins_[place];
  return bytes.substr(begin + 4, NumberAt<uint32_t>(bytes.substr(begin), 0));
}

uint32_t ColumnEncoder::PlaceOf(std::string_view value, uint32_t hash) {
  if (size_t{values_in_dictionary_} * 2 >= slots_.size()) GrowSlots();
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  for (; slots_[at].place != 0; at = (at + 1) & mask) {
    const uint32_t place = slots_[at].place - 1;
    if (slots_[at].hash == hash && DictionaryValue(place) == value) return place;
  }
  if (width_ == 0) {
    begins_.push_back(static_cast<uint32_t>(dictionary_bytes_.size()));
    AppendNumber(dictionary_bytes_, static_cast<uint32_t>(value.size()));
  }
  dictionary_bytes_ += value;
  Bound(value);
  slots_[at] = {hash, ++values_in_dictionary_};
  return values_in_dictionary_ - 1;
}

void ColumnEncoder::GrowSlots() {
  std::vector<Slot> old = std::exchange(slots_, {});
  slots_.resize(std::max(kFirstSlots, old.size() * 2));
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.place == 0) continue;
    size_t at = slot.hash & mask;
    while (slots_[at].place != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

// What is there stays in the dictionary where values repeat; then the rest is PLAIN.
void ColumnEncoder::LeaveDictionary() {
  dictionary_ = false;
  if (size_t{values_in_dictionary_} * 2 < places_.size()) {
    return Note(EndDictionary());
  }
  // The next chunk's values will not repeat either.
  values_repeat_ = false;
  for (const uint32_t place : std::exchange(places_, {})) {
    const std::string_view value = DictionaryValue(place);
    if (width_ == 0) AppendNumber(plain_, static_cast<uint32_t>(value.size()));
    plain_ += value;
  }
}

// Keeps the first error for Finish.
void ColumnEncoder::Note(Status done) {
  if (!done && failed_) failed_ = std::move(done);
}

void ColumnEncoder::Bound(std::string_view value) {
  if (unordered_) return;
  if (IsNan(shape_.type, value)) {
    unordered_ = true;
    return;
  }
  if (!out_.min || ComparePlain(shape_.type, value, *out_.min) < 0) out_.min = value;
  if (!out_.max || ComparePlain(shape_.type, value, *out_.max) > 0) out_.max = value;
}

// Whether each of the rows has a value, with the size in front.
std::string ColumnEncoder::Levels(size_t from, size_t to) const {
  std::string runs;
  if (nulls_ == 0 || nulls_ == rows_) {
    runs = EncodeRun(nulls_ == 0 ? 1 : 0, to - from, 1);
  } else {
    runs = EncodeBits(present_, from, to);
  }
  std::string out;
  AppendNumber(out, static_cast<uint32_t>(runs.size()));
  return out + runs;
}

Status ColumnEncoder::AddDataPage(std::string_view values, size_t from, size_t to,
                                  int64_t encoding) {
  std::string body;
  if (shape_.optional) body = Levels(from, to);
  body += values;
  ThriftValue head;
  head.Put(page_head::kValues, ThriftInt32(static_cast<int64_t>(to - from)));
  head.Put(page_head::kEncoding, ThriftInt32(encoding));
  head.Put(page_head::kDefinitionEncoding, ThriftInt32(encoding::kRle));
  head.Put(page_head::kRepetitionEncoding, ThriftInt32(encoding::kRle));
  VL_TRY(const int64_t size, AppendPage(out_.bytes, page::kDataPage, page::kData, std::move(head),
                                        body, shape_.codec, *codec_));
  out_.uncompressed_bytes += size;
  page_from_ = to;
  return {};
}

// The dictionary and the values that are in it.
Status ColumnEncoder::EndDictionary() {
  ThriftValue head;
  head.Put(page_head::kValues, ThriftInt32(values_in_dictionary_));
  head.Put(page_head::kEncoding, ThriftInt32(encoding::kPlain));
  VL_TRY(out_.uncompressed_bytes,
         AppendPage(out_.bytes, page::kDictionaryPage, page::kDictionary, std::move(head),
                    dictionary_bytes_, shape_.codec, *codec_));
  out_.dictionary_bytes = static_cast<int64_t>(out_.bytes.size());
  const int width = BitsFor(values_in_dictionary_);
  std::string values(1, static_cast<char>(width));
  values += EncodeHybrid(places_, width);
  places_.clear();
  return AddDataPage(values, 0, rows_, encoding::kRleDictionary);
}

void ColumnEncoder::PackBooleans() {
  plain_.assign((places_.size() + 7) / 8, '\0');
  for (size_t i = 0; i < places_.size(); ++i) {
    plain_[i / 8] = static_cast<char>(plain_[i / 8] | places_[i] << (i % 8));
  }
  if (!places_.empty()) {
    const auto [min, max] = std::ranges::minmax_element(places_);
    out_.min = std::string(1, static_cast<char>(*min));
    out_.max = std::string(1, static_cast<char>(*max));
  }
  places_.clear();
}

// Of zeros only the value is compared, so bounds that are zero hold both.
void ColumnEncoder::WidenZeros(EncodedChunk& out) const {
  const auto widen = [&]<class T>(T zero) {
    const auto set = [](std::string& bound, T value) {
      std::memcpy(bound.data(), &value, sizeof(value));
    };
    if (NumberAt<T>(*out.min, 0) == zero) set(*out.min, -zero);
    if (NumberAt<T>(*out.max, 0) == zero) set(*out.max, zero);
  };
  if (!out.min) return;
  if (shape_.type == ParquetType::kFloat) widen(0.0f);
  if (shape_.type == ParquetType::kDouble) widen(0.0);
}

Status ColumnEncoder::EndPlainPage() {
  if (shape_.type == ParquetType::kBoolean) PackBooleans();
  const Status done = AddDataPage(plain_, page_from_, rows_, encoding::kPlain);
  plain_.clear();
  return done;
}

Result<EncodedChunk> ColumnEncoder::Finish() {
  VL_RETURN_IF_ERROR(std::exchange(failed_, {}));
  if (values_in_dictionary_ > 0 && !places_.empty()) {
    VL_RETURN_IF_ERROR(EndDictionary());
  } else if (page_from_ < rows_) {
    VL_RETURN_IF_ERROR(EndPlainPage());
  }
  EncodedChunk out = std::exchange(out_, {});
  out.rows = static_cast<int64_t>(rows_);
  out.nulls = static_cast<int64_t>(nulls_);
  if (unordered_ || (out.min && std::max(out.min->size(), out.max->size()) > kMaxBoundBytes)) {
    out.min = out.max = std::nullopt;
  }
  WidenZeros(out);
  rows_ = nulls_ = page_from_ = 0;
  present_.clear();
  dictionary_ = values_repeat_;
  places_.clear();
  dictionary_bytes_.clear();
  begins_.clear();
  std::ranges::fill(slots_, Slot());
  values_in_dictionary_ = 0;
  unordered_ = !HasOrder(shape_.type);
  return out;
}

}  // namespace vitalake::engine
