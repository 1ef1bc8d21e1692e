#include "fhir/references.h"

#include <algorithm>
#include <string>

#include "base/percent.h"

namespace vitalake::fhir {
namespace {

constexpr std::string_view kUrnUuid = "urn:uuid:";
constexpr std::string_view kIdentifierParameter = "identifier=";

bool IsLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

bool IsTypeName(std::string_view text) {
  return !text.empty() && text.front() >= 'A' && text.front() <= 'Z' &&
         std::ranges::all_of(text, IsLetter);
}

// Splits `text` at its last '/': returns what is behind it and leaves what is before.
std::string_view TakeLastSegment(std::string_view& text) {
  const size_t slash = text.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? text : text.substr(slash + 1);
  text = slash == std::string_view::npos ? std::string_view() : text.substr(0, slash);
  return last;
}

bool IsWebUrl(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

ReferenceTarget ParseConditional(std::string_view before_query) {
  const bool absolute = IsWebUrl(before_query);
  const std::string_view type = TakeLastSegment(before_query);
  if (!IsTypeName(type) || (!absolute && !before_query.empty())) return {};
  return {ReferenceForm::kConditional, type, {}};
}

ReferenceTarget ParseRest(std::string_view text) {
  const bool absolute = IsWebUrl(text);
  text = text.substr(0, text.find("/_history/"));
  const std::string_view id = TakeLastSegment(text);
  const std::string_view type = TakeLastSegment(text);
  const bool base_fits = absolute ? IsWebUrl(text) : text.empty();
  if (!base_fits || !IsTypeName(type) || CheckId(id) == IdSyntax::kInvalid) return {};
  return {absolute ? ReferenceForm::kAbsolute : ReferenceForm::kRelative, type, id};
}

}  // namespace

ReferenceTarget ParseReference(std::string_view text) {
  if (text.starts_with('#')) return {ReferenceForm::kContained, {}, {}};
  if (text.starts_with(kUrnUuid)) {
    return {ReferenceForm::kUrn, {}, text.substr(kUrnUuid.size())};
  }
  if (text.starts_with("urn:")) return {ReferenceForm::kUrn, {}, text};
  if (const size_t query = text.find('?'); query != std::string_view::npos) {
    return ParseConditional(text.substr(0, query));
  }
  return ParseRest(text);
}

std::string_view IdFromFullUrl(std::string_view full_url) {
  const ReferenceTarget target = ParseReference(full_url);
  return target.id.empty() ? full_url : target.id;
}

IdSyntax CheckId(std::string_view id) {
  if (id.empty() || id.size() > 64) return IdSyntax::kInvalid;
  bool underscore = false;
  for (const char c : id) {
    const bool plain = IsLetter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!plain && c != '_') return IdSyntax::kInvalid;
    underscore |= !plain;
  }
  return underscore ? IdSyntax::kUnderscore : IdSyntax::kValid;
}

std::string PatientIdentifier(const LogicalReference& subject) {
  if (!subject.type.empty() && subject.type != "Patient") return {};
  if (!subject.value.empty()) {
    return std::string(subject.system).append("|").append(subject.value);
  }
  const ReferenceTarget target = ParseReference(subject.reference);
  if (target.form != ReferenceForm::kConditional || target.type != "Patient") return {};
  const std::string_view query = subject.reference.substr(subject.reference.find('?') + 1);
  // Of more criteria it would be a guess.
  if (!query.starts_with(kIdentifierParameter) || query.find('&') != query.npos) return {};
  std::string token = PercentDecoded(query.substr(kIdentifierParameter.size()), true).value_or("");
  const bool names_none = token.empty() || token.ends_with('|');  // of a system, no value
  return names_none ? std::string() : token;
}

size_t ResolveReferences(JsonValue resource, const BundleReferences* references) {
  if (references == nullptr || references->empty() || !resource) return 0;
  static const Symbol kReference = InternSymbol("reference");
  size_t replaced = 0;
  std::string key;
  const JsonNode* end = resource.node() + resource.node()->skip;
  for (const JsonNode* node = resource.node(); node != end; ++node) {
    const JsonValue value(node);
    if (!value.is_string() || (node->symbol != kReference && value.key() != "reference")) continue;
    key.assign(value.text());
    const auto found = references->find(key);
    if (found == references->end()) continue;
    JsonParser::ReplaceText(value, found->second);
    ++replaced;
  }
  return replaced;
}

}  // namespace vitalake::fhir
