// What a body in JSON looks like, as clients are told of it: JSON Schemas, put together.
//
//   Object({{"name", Text()}, {"changed", OrNull(Text())}, {"reason?", Text()}})
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitalake::serve::shape {

// A JSON Schema as text. Source: JSON Schema 2020-12.
struct Shape {
  std::string schema;
};

Shape Text();
Shape TextOf(const std::vector<std::string_view>& words);  // one of them
Shape Whole();
Shape Number();
Shape Flag();
Shape Anything();
Shape OrNull(const Shape& of);
Shape List(const Shape& of);
// Any names, values of one shape.
Shape MapOf(const Shape& of);
using Members = std::vector<std::pair<std::string_view, Shape>>;
// These members and no others; those whose name ends in "?" may be absent.
Shape Object(const Members& members);
Shape Either(const Shape& one, const Shape& other);

// A FHIR resource, of that type where one is named.
Shape Resource(std::string_view type = {});

}  // namespace vitalake::serve::shape
