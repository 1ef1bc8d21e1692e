// Pieces of SQL text and of files that hold it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "lake/table_spec.h"

namespace vitalake::lake {

// Runs statements for their effect.
Status RunSql(engine::Connection& connection, const std::string& sql, const Wait& wait = {});

// The first column of a query's rows, which must be text.
Result<std::vector<std::string>> ReadStrings(engine::Connection& connection, const std::string& sql,
                                             const Wait& wait = {});

std::vector<std::string_view> Lines(std::string_view text);

// "a, b ,c" -> a, b, c; empty parts are left out.
std::vector<std::string_view> SplitList(std::string_view text);

// Whether `word` stands in `text` by itself.
bool HasWord(std::string_view text, std::string_view word);

// "\"a\", t.\"b\"": names quoted and joined; `prefix` ("t.") before each.
std::string NameList(const std::vector<std::string>& names, std::string_view prefix = {});

// "a.x IS NOT DISTINCT FROM b.x AND ..." over `columns`.
std::string SameKey(const std::vector<std::string>& columns, std::string_view left,
                    std::string_view right);

// SELECT over Parquet files; an empty list is an error of ours.
std::string ReadParquetSql(const std::vector<std::string>& paths);

// The columns a SELECT gives, as Delta types. kUnsupported for types our tables do not use.
Result<std::vector<TableColumn>> DescribeColumns(engine::Connection& connection,
                                                 const std::string& select);

}  // namespace vitalake::lake
