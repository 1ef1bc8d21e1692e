// The reading key: what makes two records the same thing.
//
// A record is identified by (id_space, reading key); id_space is set per source and none of this
// module's business. The key is read from one place per source, never the best one per record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_tree.h"

namespace vitalake::fhir {

// Where a source's keys are.
enum class KeyRule : uint8_t {
  kId,          // the resource's id
  kIdentifier,  // its first urn:ietf:rfc:3986 identifier (senders with one constant id).
                // Observations only: a Patient's key is its id under either rule, because
                // references name that.
};

// Where one record's key came from. The last two mean that it lacks what the rule asks for, which
// is to be noted.
enum class KeyOrigin : uint8_t { kId, kIdentifier, kFullUrl, kHash };

// "id", "identifier", "fullUrl", "hash".
std::string_view ToString(KeyOrigin origin);

struct RecordKey {
  std::string key;  // never empty
  KeyOrigin origin = KeyOrigin::kId;
};

// The key of a resource under a rule. An identifier is taken without its "urn:uuid:". A record
// without the id or identifier asked for is known by its Bundle entry's fullUrl (empty: none; see
// IdFromFullUrl), else by 32 hex digits: of an Observation the hash of subject, device, code, time
// and values, of anything else that of the content without meta and text. The id's syntax is not
// checked (CheckId in references.h). References should have been resolved before.
RecordKey ReadingKey(JsonValue resource, KeyRule rule, std::string_view full_url);

// The value of the first identifier whose system is urn:ietf:rfc:3986, without "urn:uuid:"; empty
// when there is none. Also for noticing a known id that comes with another identifier.
std::string_view UriIdentifier(JsonValue resource);

// What a versionId ranks by: digits alone, as a number; nullopt for any other. Numbers too large
// for 64 bits are one, the largest there is below what stands for "above all".
inline constexpr int64_t kLargestVersion = INT64_MAX - 1;
std::optional<int64_t> VersionNumber(std::string_view version_id);

}  // namespace vitalake::fhir
