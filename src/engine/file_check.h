// Whether the rows in a table's files are what the log says of them.
//
//   file   the file can be read to the end and has numRecords rows
//   stats  no value lies outside minValues and maxValues, and nullCount counts the nulls
//   key    no two rows have one key
//   changes  the change files of a commit insert and delete as many rows as the table gained
// Files that are missing or cut are told by delta::CheckLog, and are passed over here.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "delta/log_check.h"
#include "engine/engine.h"
#include "engine/relation.h"

namespace vitalake::engine {

// Reads every file whole, several at a time; `progress` is told the bytes that are done, from one
// thread at a time. Errors only for what keeps it from looking.
Result<std::vector<delta::Finding>> CheckFiles(
    Engine& engine, const TableFiles& table, const Wait& wait = {},
    const std::function<void(int64_t bytes_done)>& progress = {});

// `key`: SQL expressions over the table's columns. Names ten keys at most. Not for a table with
// findings of CheckFiles.
Result<std::vector<delta::Finding>> CheckKey(Engine& engine, const TableFiles& table,
                                             std::span<const std::string> key,
                                             const Wait& wait = {});

Result<std::vector<delta::Finding>> CheckChanges(Engine& engine, const TableFiles& table,
                                                 std::span<const delta::ChangeCount> changes,
                                                 const Wait& wait = {});

}  // namespace vitalake::engine
