#include "fhir/validate_types.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace vitalake::fhir {
namespace {

// Elements are separated by blanks: [+][!]name:type[*][=binding]
//   +  read by a silver view     !  minimum 1     *  repeats     x[x]:A|B  a choice
// A type whose text begins with "@" names the base whose elements it has too.
// Source: the StructureDefinitions' snapshots of FHIR 4.0.1.
struct TypeText {
  std::string_view name;
  std::string_view elements;
};

constexpr std::string_view kAnyValue =
    "base64Binary|boolean|canonical|code|date|dateTime|decimal|id|instant|integer|markdown|oid|"
    "positiveInt|string|time|unsignedInt|uri|url|uuid|Address|Age|Annotation|Attachment|"
    "CodeableConcept|Coding|ContactPoint|Count|Distance|Duration|HumanName|Identifier|Money|Period|"
    "Quantity|Range|Ratio|Reference|SampledData|Signature|Timing|ContactDetail|Contributor|"
    "DataRequirement|Expression|ParameterDefinition|RelatedArtifact|TriggerDefinition|UsageContext|"
    "Dosage|Meta";

constexpr TypeText kTypes[] = {
    {"Element", "id:string extension:Extension*"},
    {"BackboneElement", "@Element modifierExtension:Extension*"},
    {"DomainResource",
     "+id:id +meta:Meta implicitRules:uri language:code text:Narrative contained:Resource* "
     "extension:Extension* modifierExtension:Extension*"},
    {"Extension", "@Element !url:uri value[x]:any"},
    {"Meta",
     "@Element +versionId:id +lastUpdated:instant source:uri profile:uri* security:Coding* "
     "+tag:Coding*"},
    {"Narrative", "@Element !status:code=narrative-status !div:xhtml"},
    {"Coding",
     "@Element +system:uri version:string +code:code +display:string userSelected:boolean"},
    {"CodeableConcept", "@Element +coding:Coding* +text:string"},
    {"Identifier",
     "@Element +use:code=identifier-use +type:CodeableConcept +system:uri +value:string "
     "period:Period assigner:Reference"},
    {"HumanName",
     "@Element +use:code=name-use +text:string +family:string +given:string* prefix:string* "
     "suffix:string* period:Period"},
    {"ContactPoint",
     "@Element +system:code=contact-point-system +value:string +use:code=contact-point-use "
     "+rank:positiveInt period:Period"},
    {"Address",
     "@Element +use:code=address-use +type:code=address-type +text:string +line:string* "
     "+city:string +district:string +state:string +postalCode:string +country:string "
     "period:Period"},
    {"Quantity",
     "@Element +value:decimal +comparator:code=quantity-comparator +unit:string +system:uri "
     "+code:code"},
    {"SimpleQuantity", "@Element +value:decimal +unit:string +system:uri +code:code"},
    {"Money", "@Element value:decimal currency:code"},
    {"Period", "@Element +start:dateTime +end:dateTime"},
    {"Reference", "@Element +reference:string type:uri +identifier:Identifier +display:string"},
    {"Attachment",
     "@Element contentType:code language:code data:base64Binary url:uri size:unsignedInt "
     "hash:base64Binary title:string creation:dateTime"},
    {"Annotation", "@Element author[x]:Reference|string time:dateTime !text:markdown"},
    {"Range", "@Element low:SimpleQuantity high:SimpleQuantity"},
    {"Ratio", "@Element numerator:Quantity denominator:Quantity"},
    {"SampledData",
     "@Element !origin:SimpleQuantity !period:decimal factor:decimal lowerLimit:decimal "
     "upperLimit:decimal !dimensions:positiveInt data:string"},
    {"Timing", "@BackboneElement +event:dateTime* repeat:Timing.repeat code:CodeableConcept"},
    {"Timing.repeat",
     "@Element bounds[x]:Duration|Range|Period count:positiveInt countMax:positiveInt "
     "duration:decimal durationMax:decimal durationUnit:code=units-of-time frequency:positiveInt "
     "frequencyMax:positiveInt period:decimal periodMax:decimal periodUnit:code=units-of-time "
     "dayOfWeek:code*=days-of-week timeOfDay:time* when:code* offset:unsignedInt"},
    {"Signature",
     "@Element !type:Coding* !when:instant !who:Reference onBehalfOf:Reference targetFormat:code "
     "sigFormat:code data:base64Binary"},
    {"ContactDetail", "@Element name:string telecom:ContactPoint*"},
    {"Patient.contact",
     "@BackboneElement relationship:CodeableConcept* name:HumanName telecom:ContactPoint* "
     "address:Address gender:code=administrative-gender organization:Reference period:Period"},
    {"Patient.communication", "@BackboneElement !language:CodeableConcept preferred:boolean"},
    {"Patient.link", "@BackboneElement +!other:Reference +!type:code=link-type"},
    {"Patient",
     "@DomainResource +identifier:Identifier* +active:boolean +name:HumanName* "
     "+telecom:ContactPoint* +gender:code=administrative-gender +birthDate:date "
     "+deceased[x]:boolean|dateTime +address:Address* maritalStatus:CodeableConcept "
     "multipleBirth[x]:boolean|integer photo:Attachment* contact:Patient.contact* "
     "communication:Patient.communication* generalPractitioner:Reference* "
     "+managingOrganization:Reference +link:Patient.link*"},
    {"Observation.referenceRange",
     "@BackboneElement low:SimpleQuantity high:SimpleQuantity type:CodeableConcept "
     "appliesTo:CodeableConcept* age:Range text:string"},
    {"Observation.component",
     "@BackboneElement +!code:CodeableConcept "
     "+value[x]:Quantity|CodeableConcept|string|boolean|integer|Range|Ratio|SampledData|time|"
     "dateTime|Period "
     "+dataAbsentReason:CodeableConcept +interpretation:CodeableConcept* "
     "referenceRange:Observation.referenceRange*"},
    {"Observation",
     "@DomainResource +identifier:Identifier* basedOn:Reference* partOf:Reference* "
     "+!status:code=observation-status +category:CodeableConcept* +!code:CodeableConcept "
     "+subject:Reference focus:Reference* +encounter:Reference "
     "+effective[x]:dateTime|Period|Timing|instant issued:instant +performer:Reference* "
     "+value[x]:Quantity|CodeableConcept|string|boolean|integer|Range|Ratio|SampledData|time|"
     "dateTime|Period "
     "+dataAbsentReason:CodeableConcept +interpretation:CodeableConcept* note:Annotation* "
     "+bodySite:CodeableConcept +method:CodeableConcept specimen:Reference +device:Reference "
     "referenceRange:Observation.referenceRange* hasMember:Reference* derivedFrom:Reference* "
     "+component:Observation.component*"},
};

// Names of types that are another one under the JSON member's suffix.
struct Alias {
  std::string_view name, same_as;
};
constexpr Alias kAliases[] = {
    {"Age", "Quantity"}, {"Count", "Quantity"}, {"Distance", "Quantity"}, {"Duration", "Quantity"}};

struct PrimitiveName {
  std::string_view name;
  Primitive primitive;
};
constexpr PrimitiveName kPrimitives[] = {{"boolean", Primitive::kBoolean},
                                         {"integer", Primitive::kInteger},
                                         {"string", Primitive::kString},
                                         {"decimal", Primitive::kDecimal},
                                         {"uri", Primitive::kUri},
                                         {"url", Primitive::kUri},
                                         {"canonical", Primitive::kUri},
                                         {"oid", Primitive::kUri},
                                         {"uuid", Primitive::kUri},
                                         {"base64Binary", Primitive::kBase64},
                                         {"instant", Primitive::kInstant},
                                         {"date", Primitive::kDate},
                                         {"dateTime", Primitive::kDateTime},
                                         {"time", Primitive::kTime},
                                         {"code", Primitive::kCode},
                                         {"id", Primitive::kId},
                                         {"markdown", Primitive::kString},
                                         {"unsignedInt", Primitive::kUnsignedInt},
                                         {"positiveInt", Primitive::kPositiveInt},
                                         {"xhtml", Primitive::kXhtml}};

struct CodeList {
  std::string_view name;
  std::string_view codes;
};
// Source: the required bindings' value sets of FHIR 4.0.1.
constexpr CodeList kCodeLists[] = {
    {"observation-status",
     "final registered preliminary amended corrected cancelled entered-in-error unknown"},
    {"administrative-gender", "male female other unknown"},
    {"contact-point-system", "phone fax email pager url sms other"},
    {"contact-point-use", "home work temp old mobile"},
    {"name-use", "usual official temp nickname anonymous old maiden"},
    {"address-use", "home work temp old billing"},
    {"address-type", "postal physical both"},
    {"identifier-use", "usual official temp secondary old"},
    {"quantity-comparator", "< <= >= >"},
    {"narrative-status", "generated extensions additional empty"},
    {"link-type", "replaced-by replaces refer seealso"},
    {"units-of-time", "s min h d wk mo a"},
    {"days-of-week", "mon tue wed thu fri sat sun"},
};

struct InvariantText {
  std::string_view type, rule, when, need, forbid, message;
};
// Element names separated by blanks. Source: the invariants of FHIR 4.0.1.
constexpr InvariantText kInvariants[] = {
    {"Extension", "ext-1", "", "extension value[x]", "", "neither a value nor extensions"},
    {"Extension", "ext-1", "extension", "", "value[x]", "both a value and extensions"},
    {"ContactPoint", "cpt-2", "value", "system", "", "a value without a system"},
    {"Quantity", "qty-3", "code", "system", "", "a unit code without its system"},
    {"SimpleQuantity", "qty-3", "code", "system", "", "a unit code without its system"},
    {"Attachment", "att-1", "data", "contentType", "", "data without a content type"},
    {"Ratio", "rat-1", "numerator", "denominator", "", "a numerator without a denominator"},
    {"Ratio", "rat-1", "denominator", "numerator", "", "a denominator without a numerator"},
    {"Patient.contact", "pat-1", "", "name telecom address organization", "",
     "no name, telecom, address or organization"},
    {"Observation.referenceRange", "obs-3", "", "low high text", "", "no low, high or text"},
    {"Observation", "obs-6", "dataAbsentReason", "", "value[x]",
     "a data absent reason beside a value"},
};

struct SpecialText {
  std::string_view type;
  Special special;
};
constexpr SpecialText kSpecials[] = {{"Period", Special::kPeriod},
                                     {"Reference", Special::kReference},
                                     {"Narrative", Special::kNarrative},
                                     {"Observation", Special::kObservation}};

template <class Each>
void ForEachWord(std::string_view text, char separator, Each each) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) each(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool TakePrefix(std::string_view& text, char c) {
  const bool found = text.starts_with(c);
  if (found) text.remove_prefix(1);
  return found;
}

// "value[x]" and "Quantity" -> "valueQuantity".
std::string ChoiceName(std::string_view element, std::string_view type) {
  std::string name(element.substr(0, element.size() - 3));
  name += static_cast<char>(type[0] >= 'a' ? type[0] - 'a' + 'A' : type[0]);
  return name.append(type.substr(1));
}

}  // namespace

uint64_t TypeInfo::Bit(std::string_view element) const {
  const auto at = std::find(elements.begin(), elements.end(), element);
  VL_CHECK(at != elements.end());
  return uint64_t{1} << (at - elements.begin());
}

const Structure& Structure::Get() {
  static const Structure& structure = *new Structure;
  return structure;
}

TypeId Structure::Find(std::string_view type) const {
  for (size_t i = 0; i < types_.size(); ++i) {
    if (types_[i].name == type) return static_cast<TypeId>(i);
  }
  VL_CHECK(false);
  return 0;
}

Structure::Structure() : codes_(1), code_names_(1) {
  for (const CodeList& list : kCodeLists) {
    code_names_.push_back(list.name);
    ForEachWord(list.codes, ' ', [&, &codes = codes_.emplace_back()](std::string_view code) {
      codes.push_back(code);
    });
  }
  for (const TypeText& text : kTypes) types_.emplace_back().name = text.name;
  for (size_t id = 0; id < std::size(kTypes); ++id) {
    AddElements(static_cast<TypeId>(id), kTypes[id].elements);
  }
  AddInvariants();
  for (const SpecialText& text : kSpecials) types_[Find(text.type)].special = text.special;
  for (const Named& named : named_) width_ = std::max<size_t>(width_, named.symbol + 1u);
  slots_.resize(types_.size() * width_);
  for (const Named& named : named_) slots_[named.type * width_ + named.symbol] = named.slot;
  named_ = {};
}

void Structure::AddElements(TypeId id, std::string_view text) {
  ForEachWord(text, ' ', [&](std::string_view element) {
    if (!TakePrefix(element, '@')) return AddElement(id, element);
    AddElements(id, kTypes[Find(element)].elements);
    if (element != "DomainResource") return;
    named_.push_back(
        {id, InternSymbol("resourceType"), {.kind = SlotKind::kResourceType, .ordinal = 63}});
  });
}

void Structure::AddElement(TypeId id, std::string_view text) {
  Slot slot;
  slot.used = TakePrefix(text, '+');
  slot.required = TakePrefix(text, '!');
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::string_view type = text.substr(colon + 1);
  if (const size_t equals = type.find('='); equals != type.npos) {
    const auto at = std::find(code_names_.begin(), code_names_.end(), type.substr(equals + 1));
    VL_CHECK(at != code_names_.end());
    slot.binding = static_cast<uint8_t>(at - code_names_.begin());
    type = type.substr(0, equals);
  }
  slot.array = type.ends_with('*');
  if (slot.array) type.remove_suffix(1);
  TypeInfo& info = types_[id];
  slot.ordinal = static_cast<uint8_t>(info.elements.size());
  info.elements.push_back(name);
  VL_CHECK(info.elements.size() < 63);
  if (slot.required) info.required |= uint64_t{1} << slot.ordinal;
  slot.choice = name.ends_with("[x]");
  if (!slot.choice) return AddSlot(id, name, type, slot);
  ForEachWord(type == "any" ? kAnyValue : type, '|', [&](std::string_view choice) {
    AddSlot(id, ChoiceName(name, choice), choice, slot);
  });
}

void Structure::AddSlot(TypeId id, std::string_view name, std::string_view type, Slot slot) {
  const auto primitive = std::find_if(std::begin(kPrimitives), std::end(kPrimitives),
                                      [&](const PrimitiveName& p) { return p.name == type; });
  if (primitive != std::end(kPrimitives)) {
    slot.kind = SlotKind::kPrimitive;
    slot.primitive = primitive->primitive;
    Slot extension = slot;
    extension.kind = SlotKind::kPrimitiveExtension;
    extension.type = Find("Element");
    extension.used = false;
    named_.push_back({id, InternSymbol("_" + std::string(name)), extension});
  } else {
    for (const Alias& alias : kAliases) {
      if (alias.name == type) type = alias.same_as;
    }
    const auto known = std::find_if(types_.begin(), types_.end(),
                                    [&](const TypeInfo& t) { return t.name == type; });
    slot.kind = type == "Resource"      ? SlotKind::kResource
                : known != types_.end() ? SlotKind::kComplex
                                        : SlotKind::kOpen;
    if (known != types_.end()) slot.type = static_cast<TypeId>(known - types_.begin());
  }
  named_.push_back({id, InternSymbol(name), slot});
}

void Structure::AddInvariants() {
  for (const InvariantText& text : kInvariants) {
    TypeInfo& info = types_[Find(text.type)];
    const auto bits = [&](std::string_view elements) {
      uint64_t sum = 0;
      ForEachWord(elements, ' ', [&](std::string_view element) { sum |= info.Bit(element); });
      return sum;
    };
    info.invariants.push_back(
        {text.rule, text.message, bits(text.when), bits(text.need), bits(text.forbid)});
  }
}

}  // namespace vitalake::fhir
