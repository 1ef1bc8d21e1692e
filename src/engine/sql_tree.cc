#include "engine/sql_tree_internal.h"

namespace vitalake::engine {

void SqlTreeCopy::Copy(JsonValue value) {
  if (value.is_object()) {
    if (CopyOtherwise(value)) {
      changed_ = true;
      return;
    }
    const TableName* renamed = nullptr;
    if (names_) {
      const auto found = names_->find(value.node());
      if (found != names_->end()) renamed = &found->second;
    }
    writer_.BeginObject();
    for (const JsonValue member : value.children()) {
      writer_.Key(member.key());
      if (!renamed || !CopyRenamed(value, member, *renamed)) Copy(member);
    }
    writer_.EndObject();
    changed_ |= renamed != nullptr;
  } else if (value.is_array()) {
    writer_.BeginArray();
    for (const JsonValue item : value.children()) Copy(item);
    writer_.EndArray();
  } else if (value.is_string()) {
    writer_.String(TextOf(value));
  } else {
    writer_.Raw(value.text());
  }
}

// Members of a renamed table that change; its old name stays as alias, so columns keep theirs.
bool SqlTreeCopy::CopyRenamed(JsonValue table, JsonValue member, const TableName& name) {
  if (member.key() == "schema_name") {
    writer_.String(name.schema);
  } else if (member.key() == "table_name") {
    writer_.String(name.table);
  } else if (member.key() == "catalog_name") {
    writer_.String("");
  } else if (member.key() == "at_clause") {
    writer_.Null();
  } else if (member.key() == "alias" && member.text().empty()) {
    writer_.String(table.String("table_name"));
  } else {
    return false;
  }
  return true;
}

}  // namespace vitalake::engine
