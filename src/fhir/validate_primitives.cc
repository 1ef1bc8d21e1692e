#include "fhir/validate_primitives.h"

#include <charconv>
#include <cstring>
#include <string>

#include "fhir/datetime.h"
#include "fhir/references.h"

namespace vitalake::fhir {
namespace {

using enum Severity;
using enum Effect;

constexpr PrimitiveFault kNotString{kError, "type", "must be a JSON string", kUnusable};
constexpr PrimitiveFault kNotBoolean{kError, "type", "must be true or false", kUnusable};
constexpr PrimitiveFault kNotNumber{kError, "type", "must be a JSON number", kUnusable};
constexpr PrimitiveFault kTextForNumber{
    kWarning, "text_number", "a number given as a string; read as a number", kTextNumber};
constexpr PrimitiveFault kEmpty{kError, "empty", "an empty string; taken as absent", kRemark};
constexpr PrimitiveFault kEmptyText{kError, "empty", "an empty string is no value of this type",
                                    kUnusable};
constexpr PrimitiveFault kBlankUri{kError, "uri", "a URI must not contain white space", kRemark};
constexpr PrimitiveFault kBlankCode{
    kError, "code", "a code must not begin or end with white space or have two in a row", kRemark};
constexpr PrimitiveFault kBadId{kError, "id", "an id has 1 to 64 of A-Z, a-z, 0-9, '-' and '.'",
                                kUnusable};
constexpr PrimitiveFault kUnderscoreId{kWarning, "id", "'_' is not allowed in an id; accepted",
                                       kRemark};
constexpr PrimitiveFault kBadDate{kError, "date", "not a date (YYYY, YYYY-MM or YYYY-MM-DD)",
                                  kUnusable};
constexpr PrimitiveFault kBadDateTime{kError, "date", "not a date or time as FHIR writes them",
                                      kUnusable};
constexpr PrimitiveFault kNoSeconds{kWarning, "date", "a time needs seconds", kRemark};
constexpr PrimitiveFault kNoOffset{kWarning, "date", "a time needs an offset (Z or +hh:mm)",
                                   kRemark};
constexpr PrimitiveFault kNoInstant{kWarning, "date", "an instant needs time and offset", kRemark};
constexpr PrimitiveFault kBadTime{kError, "date", "not a time (hh:mm:ss)", kUnusable};
constexpr PrimitiveFault kNotInteger{kError, "number", "not a whole number of 32 bits", kUnusable};
constexpr PrimitiveFault kNegative{kError, "number", "must not be negative", kUnusable};
constexpr PrimitiveFault kNotPositive{kError, "number", "must be 1 or more", kUnusable};
constexpr PrimitiveFault kBadBase64{kError, "base64", "not base64", kRemark};

// Whether a byte of `text` is a control character or a blank.
bool HasBlank(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    if ((word - kOnes * 0x21) & ~word & kHighs) return true;
  }
  for (; left > 0; ++at, --left) {
    if (static_cast<unsigned char>(*at) <= 0x20) return true;
  }
  return false;
}

bool IsBlank(char c) { return static_cast<unsigned char>(c) <= 0x20; }

bool IsCode(std::string_view text) {
  if (!HasBlank(text)) return true;
  if (IsBlank(text.front()) || IsBlank(text.back())) return false;
  for (size_t i = 1; i < text.size(); ++i) {
    if (IsBlank(text[i]) && IsBlank(text[i - 1])) return false;
  }
  return true;
}

const PrimitiveFault* IdFault(std::string_view text) {
  switch (CheckId(text)) {
    case IdSyntax::kValid:
      return nullptr;
    case IdSyntax::kUnderscore:
      return &kUnderscoreId;
    case IdSyntax::kInvalid:
      return &kBadId;
  }
  return &kBadId;
}

const PrimitiveFault* CheckDateTime(Primitive primitive, std::string_view text) {
  const auto at = ParseDateTime(text);
  if (!at) return primitive == Primitive::kDate ? &kBadDate : &kBadDateTime;
  if (at->precision <= DatePrecision::kDay) {
    return primitive == Primitive::kInstant ? &kNoInstant : nullptr;
  }
  if (primitive == Primitive::kDate) return &kBadDate;
  if (at->precision == DatePrecision::kMinute) return &kNoSeconds;
  return at->offset_minutes ? nullptr : &kNoOffset;
}

bool IsTime(std::string_view text) {
  if (text.size() < 8) return false;
  const auto at = ParseDateTime("2000-01-01T" + std::string(text));
  return at && !at->offset_minutes && at->precision >= DatePrecision::kSecond;
}

const PrimitiveFault* CheckInteger(Primitive primitive, std::string_view text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return &kNotInteger;
  if (primitive == Primitive::kPositiveInt && value < 1) return &kNotPositive;
  return primitive == Primitive::kUnsignedInt && value < 0 ? &kNegative : nullptr;
}

const PrimitiveFault* CheckNumber(Primitive primitive, JsonValue value) {
  const bool text = value.is_string();
  if (!value.is_number() && !(text && IsNumberText(value.text()))) return &kNotNumber;
  if (primitive != Primitive::kDecimal) {
    if (const auto* fault = CheckInteger(primitive, value.text())) return fault;
  }
  return text ? &kTextForNumber : nullptr;
}

bool IsBase64(std::string_view text) {
  size_t symbols = 0, padding = 0;
  for (const char c : text) {
    if (IsBlank(c)) continue;
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                        (c >= '0' && c <= '9') || c == '+' || c == '/';
    if (c == '=' ? ++padding > 2 : !letter || padding > 0) return false;
    ++symbols;
  }
  return symbols % 4 == 0;
}

// Whether an empty text breaks the type's own syntax, beyond the rule that no value is empty.
bool HasSyntax(Primitive primitive) {
  return primitive == Primitive::kId || primitive == Primitive::kDate ||
         primitive == Primitive::kDateTime || primitive == Primitive::kInstant ||
         primitive == Primitive::kTime;
}

const PrimitiveFault* CheckText(Primitive primitive, std::string_view text) {
  if (text.empty()) return HasSyntax(primitive) ? &kEmptyText : &kEmpty;
  switch (primitive) {
    case Primitive::kUri:
      return HasBlank(text) ? &kBlankUri : nullptr;
    case Primitive::kCode:
      return IsCode(text) ? nullptr : &kBlankCode;
    case Primitive::kId:
      return IdFault(text);
    case Primitive::kDate:
    case Primitive::kDateTime:
    case Primitive::kInstant:
      return CheckDateTime(primitive, text);
    case Primitive::kTime:
      return IsTime(text) ? nullptr : &kBadTime;
    case Primitive::kBase64:
      return IsBase64(text) ? nullptr : &kBadBase64;
    default:
      return nullptr;
  }
}

}  // namespace

const PrimitiveFault* CheckPrimitive(Primitive primitive, JsonValue value) {
  switch (primitive) {
    case Primitive::kBoolean:
      return value.is_bool() ? nullptr : &kNotBoolean;
    case Primitive::kDecimal:
    case Primitive::kInteger:
    case Primitive::kUnsignedInt:
    case Primitive::kPositiveInt:
      return CheckNumber(primitive, value);
    default:
      return value.is_string() ? CheckText(primitive, value.text()) : &kNotString;
  }
}

bool IsNumberText(std::string_view text) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t from = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - from;
  };
  const auto take = [&](char c) { return at < text.size() && text[at] == c && ++at > 0; };
  take('-');
  const size_t first = at;
  const size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (take('.') && digits() == 0) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    if (digits() == 0) return false;
  }
  return at == text.size();
}

}  // namespace vitalake::fhir
