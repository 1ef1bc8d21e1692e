#include "serve/http/json_shape.h"

#include "base/json_writer.h"

namespace vitalake::serve::shape {
namespace {

Shape OfType(std::string_view type) {
  JsonWriter json;
  json.BeginObject().Key("type").String(type).EndObject();
  return {json.Take()};
}

Shape AnyOf(const std::vector<Shape>& shapes) {
  JsonWriter json;
  json.BeginObject().Key("anyOf").BeginArray();
  for (const Shape& one : shapes) json.Raw(one.schema);
  json.EndArray().EndObject();
  return {json.Take()};
}

}  // namespace

Shape Text() { return OfType("string"); }
Shape Whole() { return OfType("integer"); }
Shape Number() { return OfType("number"); }
Shape Flag() { return OfType("boolean"); }
Shape Anything() { return {"{}"}; }

Shape TextOf(const std::vector<std::string_view>& words) {
  JsonWriter json;
  json.BeginObject().Key("type").String("string").Key("enum").BeginArray();
  for (const std::string_view word : words) json.String(word);
  json.EndArray().EndObject();
  return {json.Take()};
}

Shape OrNull(const Shape& of) { return AnyOf({of, OfType("null")}); }

Shape Either(const Shape& one, const Shape& other) { return AnyOf({one, other}); }

Shape List(const Shape& of) {
  JsonWriter json;
  json.BeginObject().Key("type").String("array").Key("items").Raw(of.schema).EndObject();
  return {json.Take()};
}

Shape MapOf(const Shape& of) {
  JsonWriter json;
  json.BeginObject().Key("type").String("object");
  json.Key("additionalProperties").Raw(of.schema).EndObject();
  return {json.Take()};
}

Shape Object(const Members& members) {
  JsonWriter json;
  json.BeginObject().Key("type").String("object").Key("properties").BeginObject();
  for (const auto& [name, of] : members) {
    json.Key(name.ends_with('?') ? name.substr(0, name.size() - 1) : name).Raw(of.schema);
  }
  json.EndObject().Key("required").BeginArray();
  for (const auto& [name, _] : members) {
    if (!name.ends_with('?')) json.String(name);
  }
  json.EndArray().Key("additionalProperties").Bool(false).EndObject();
  return {json.Take()};
}

// Resources have members of many kinds, which are FHIR's to say.
Shape Resource(std::string_view type) {
  const Shape named = type.empty() ? Text() : TextOf({type});
  JsonWriter json;
  json.BeginObject().Key("type").String("object").Key("properties").BeginObject();
  json.Key("resourceType").Raw(named.schema).EndObject();
  json.Key("required").BeginArray().String("resourceType").EndArray().EndObject();
  return {json.Take()};
}

}  // namespace vitalake::serve::shape
