// References between resources: what a reference's text names, and those of a Bundle made plain.
// Source: FHIR R4, References (https://hl7.org/fhir/R4/references.html), conditional references
// (https://hl7.org/fhir/R4/http.html#trules) and Bundle, "Resolving references in Bundles"
// (https://hl7.org/fhir/R4/bundle.html#references).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_tree.h"
#include "fhir/decode.h"

namespace vitalake::fhir {

enum class ReferenceForm : uint8_t {
  kRelative,     // "Patient/x", "Patient/x/_history/2"
  kAbsolute,     // "https://host/base/Patient/x", also with /_history/2
  kUrn,          // "urn:uuid:...", "urn:oid:..."
  kContained,    // "#x", "#"
  kConditional,  // "Patient?identifier=...", also behind a base URL
  kOther,        // anything else: text that names nothing we can follow
};

// What a reference names. Views of the text parsed.
//   form           type      id
//   kRelative      Patient   x       (the version is left out)
//   kAbsolute      Patient   x       (the base too: the source's id_space stands for it)
//   kUrn           -         the uuid without "urn:uuid:"; any other urn in full
//   kContained     -         -       (no record of its own)
//   kConditional   Patient   -       (a search, not an identity)
//   kOther         -         -
struct ReferenceTarget {
  ReferenceForm form = ReferenceForm::kOther;
  std::string_view type;
  std::string_view id;
};

// Never fails: see the table above.
ReferenceTarget ParseReference(std::string_view text);

// The id that an entry's fullUrl gives to a resource without one: that of "https://host/Patient/x",
// the uuid of "urn:uuid:...", else the whole text.
std::string_view IdFromFullUrl(std::string_view full_url);

enum class IdSyntax : uint8_t {
  kValid,       // [A-Za-z0-9\-\.]{1,64}
  kUnderscore,  // the same with '_' in it: accepted, to be remarked
  kInvalid,
};

// Source: FHIR R4, Data Types, id.
IdSyntax CheckId(std::string_view id);

// A reference that names no resource, but may say by which identifier one is known.
struct LogicalReference {
  std::string_view reference, type, system, value;  // type, identifier.system, identifier.value
};

// By which identifier it means a Patient: "system|value", "|value" where it has no system; of a
// conditional reference ("Patient?identifier=..." and no more) what is asked for, which may also be
// "value" of whatever system. Empty: by none.
std::string PatientIdentifier(const LogicalReference& subject);

// Replaces every string member named "reference" that is a key of `references` by what it maps to,
// in the tree under `resource`, which then refers to the map's strings (both must outlive its use).
// Returns how many were replaced. Free when `references` is null or empty. The tree must be the
// parser's own, not a constant.
size_t ResolveReferences(JsonValue resource, const BundleReferences* references);

}  // namespace vitalake::fhir
