// The shape of FHIR R4's Patient, Observation and their data types, as tables.
//
// The types are written down as text in validate_types.cc and compiled once into an array indexed
// by (type, symbol of the member name), so that the walk over a resource looks nothing up by text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/symbols.h"
#include "fhir/issue.h"

namespace vitalake::fhir {

using TypeId = uint8_t;

enum class Primitive : uint8_t {
  kBoolean,
  kInteger,
  kString,
  kDecimal,
  kUri,
  kBase64,
  kInstant,
  kDate,
  kDateTime,
  kTime,
  kCode,
  kId,
  kUnsignedInt,
  kPositiveInt,
  kXhtml,
};

enum class SlotKind : uint8_t {
  kUnknown,             // no such member
  kPrimitive,           // Slot::primitive, Slot::binding
  kPrimitiveExtension,  // `_name`: an Element with id and extension
  kComplex,             // Slot::type
  kOpen,                // an object whose inside is not checked
  kResource,            // a contained resource
  kResourceType,        // the member resourceType
};

// One member of one type.
struct Slot {
  SlotKind kind = SlotKind::kUnknown;
  Primitive primitive = Primitive::kString;
  TypeId type = 0;
  uint8_t binding = 0;  // number of a code list; 0 = any code
  uint8_t ordinal = 0;  // of the element in its type; all choices of one x[x] share it
  bool array = false;
  bool used = false;  // the silver tables read it
  bool required = false;
  bool choice = false;  // one of an x[x]
};

// "When one of `when` is there (always, if 0), one of `need` must be and none of `forbid` may be."
// Bits are 1 << ordinal.
struct Invariant {
  std::string_view rule;
  std::string_view message;
  uint64_t when = 0;
  uint64_t need = 0;
  uint64_t forbid = 0;
};

// Checks that need more than the presence of members.
enum class Special : uint8_t { kNone, kPeriod, kReference, kNarrative, kObservation };

struct TypeInfo {
  std::string_view name;
  std::vector<std::string_view> elements;  // by ordinal, as FHIR writes them: "value[x]"
  uint64_t required = 0;                   // bits of elements with a minimum of 1
  std::vector<Invariant> invariants;
  Special special = Special::kNone;

  // The bit of an element; the element must exist.
  uint64_t Bit(std::string_view element) const;
};

// Immutable; one per process.
class Structure {
 public:
  static const Structure& Get();

  // The type of that name; the name must exist.
  TypeId Find(std::string_view type) const;
  const TypeInfo& type(TypeId id) const { return types_[id]; }
  const Slot& At(TypeId type, Symbol symbol) const {
    return slots_[type * width_ + (symbol < width_ ? symbol : 0)];
  }
  // The codes of a binding.
  std::span<const std::string_view> codes(uint8_t binding) const { return codes_[binding]; }

 private:
  Structure();
  void AddElements(TypeId id, std::string_view text);
  void AddElement(TypeId id, std::string_view text);
  void AddSlot(TypeId id, std::string_view name, std::string_view type, Slot slot);
  void AddInvariants();

  struct Named {
    TypeId type;
    Symbol symbol;
    Slot slot;
  };
  std::vector<TypeInfo> types_;
  std::vector<std::vector<std::string_view>> codes_;
  std::vector<std::string_view> code_names_;
  std::vector<Named> named_;  // while compiling
  std::vector<Slot> slots_;   // [type][symbol]; symbol 0 is kUnknown
  size_t width_ = 1;
};

}  // namespace vitalake::fhir
