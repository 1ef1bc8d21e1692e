// View: a SQL-on-FHIR v2 ViewDefinition, compiled once, run over resources into rows.
// Source: SQL on FHIR v2 (https://build.fhir.org/ig/FHIR/sql-on-fhir-v2/), FHIRPath 2.0.
//
// Compiling checks everything that does not depend on data. Running never fails on a bad record:
// an expression that cannot be evaluated for a resource gives a RowFault for that resource.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_tree.h"
#include "base/result.h"

namespace vitalake::view {

// How a column is stored. From the column's `tags` entry named `ansi/type` where there is one
// (BOOLEAN, INTEGER, BIGINT, DOUBLE [PRECISION], DATE, TIMESTAMP, CHARACTER VARYING / VARCHAR),
// else from its FHIR `type` (boolean -> kBoolean; integer, positiveInt, unsignedInt -> kInteger;
// integer64 -> kBigint; all others -> kVarchar, so decimals and dates keep their text).
// A column with `collection: true` is kVarchar holding a JSON array.
enum class ColumnType : uint8_t {
  kBoolean,
  kInteger,
  kBigint,
  kDouble,
  kVarchar,
  kDate,       // days since 1970-01-01; of a dateTime: its local date as written; null if only
               // year or month was given
  kTimestamp,  // Micros UTC; null when the value is no moment (see fhir::DateTime::Utc)
};

struct ColumnSpec {
  std::string name;
  ColumnType type = ColumnType::kVarchar;
  std::string fhir_type;  // as declared; empty when absent
  std::string description;
};

// One cell. `text` is set for kVarchar and lives until the next row or Run call.
struct Cell {
  bool is_null = true;
  union {
    bool boolean;
    int64_t integer = 0;  // kInteger, kBigint, kDate (days), kTimestamp (micros)
    double number;
  };
  std::string_view text;
};

// Called once per row, cells in column order.
using RowCallback = std::function<void(std::span<const Cell> row)>;

class ViewRunner;

// Immutable after Compile; share it among threads. Each thread makes its own ViewRunner.
class View {
 public:
  // `definition` is a ViewDefinition as JSON text. kInvalidArgument names the place ("select[0].
  // column[2].path") and what is wrong there.
  static Result<std::shared_ptr<const View>> Compile(std::string_view definition);
  ~View();

  const std::string& name() const;      // ViewDefinition.name; "" when absent
  const std::string& resource() const;  // the resourceType it applies to
  const std::vector<ColumnSpec>& columns() const;

 private:
  friend class ViewRunner;
  View();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What becomes of the rows of a resource when a cell cannot be filled.
enum class OnFault : uint8_t {
  kNoRows,  // there are none
  kNull,    // that cell is null
};

// Why a resource gave no rows: the column or where clause, and what went wrong.
struct RowFault {
  std::string place;  // "select[0].column[2] (family_name)"
  std::string message;
};

// Runs one View on one thread.
class ViewRunner {
 public:
  // `needed` (by column index; empty = all): other columns are not evaluated and come as null.
  explicit ViewRunner(std::shared_ptr<const View> view, std::vector<bool> needed = {});
  ~ViewRunner();
  ViewRunner(ViewRunner&&) noexcept;

  // Rows of one resource; none when its resourceType is another or a `where` is not true. After a
  // fault no row of this resource was given (rows are gathered first, then handed on). With kNull a
  // `where` or an iteration that cannot be evaluated is one still.
  std::expected<void, RowFault> Run(JsonValue resource, const RowCallback& row,
                                    OnFault on_fault = OnFault::kNoRows);

  // What Run looks at: a resource parsed with it as JsonLimits::kept gives the same rows as one
  // parsed in full. Lives as long as the runner.
  const JsonSelection& selection() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitalake::view
