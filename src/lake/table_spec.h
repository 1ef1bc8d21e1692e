// TableSpec: what Vitalake knows of one of its tables beyond what Delta stores.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vitalake::lake {

struct TableColumn {
  std::string name;
  std::string type;  // Delta's: string, long, integer, double, boolean, date, timestamp,
                     // binary
};

struct TableSpec {
  std::string name;  // "silver.patient"
  std::string path;  // "silver/patient": key prefix in the store
  std::vector<TableColumn> columns;
  // Columns that name a row. Empty: rows are only appended.
  std::vector<std::string> key;
  // Rows of one file lie in this order; these columns have min/max statistics.
  std::vector<std::string> clustered_by;
  bool change_feed = false;
  // Rows of a file at most, where that is less than `maintain.target_rows`; 0: no such limit.
  int64_t rows_per_file = 0;
};

}  // namespace vitalake::lake
