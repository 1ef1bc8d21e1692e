#include "delta/json_copy.h"

namespace vitalake::delta {

void CopyJson(JsonWriter& out, JsonValue value) {
  switch (value.type()) {
    case JsonType::kObject:
      out.BeginObject();
      for (const JsonValue member : value.children()) CopyJson(out.Key(member.key()), member);
      out.EndObject();
      return;
    case JsonType::kArray:
      out.BeginArray();
      for (const JsonValue element : value.children()) CopyJson(out, element);
      out.EndArray();
      return;
    case JsonType::kString:
      out.String(value.text());
      return;
    default:
      out.Raw(value.text());
  }
}

std::string CopyJson(JsonValue value) {
  JsonWriter out;
  CopyJson(out, value);
  return out.Take();
}

}  // namespace vitalake::delta
