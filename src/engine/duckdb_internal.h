// DuckDB's C handles as owners, and its errors as ours. For this module alone.
#pragma once

#include <duckdb.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "engine/engine.h"

namespace vitalake::engine {

// Owns one C handle; `Destroy` takes its address, as DuckDB's destroy functions do.
template <class Handle, auto Destroy>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle) {}
  ~Owned() { Reset(); }
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    if (this != &other) {
      Reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  explicit operator bool() const { return handle_ != nullptr; }
  Handle get() const { return handle_; }
  // For functions that fill in a handle.
  Handle* out() {
    Reset();
    return &handle_;
  }
  void Reset() {
    if (handle_) Destroy(&handle_);
    handle_ = nullptr;
  }

 private:
  Handle handle_ = nullptr;
};

using OwnedType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using OwnedValue = Owned<duckdb_value, duckdb_destroy_value>;
using OwnedChunk = Owned<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using OwnedStatements = Owned<duckdb_extracted_statements, duckdb_destroy_extracted>;
using OwnedPrepared = Owned<duckdb_prepared_statement, duckdb_destroy_prepare>;
using OwnedPending = Owned<duckdb_pending_result, duckdb_destroy_pending>;
using OwnedAppender = Owned<duckdb_appender, duckdb_appender_destroy>;
using OwnedScalarFunction = Owned<duckdb_scalar_function, duckdb_destroy_scalar_function>;
using OwnedCopyFunction = Owned<duckdb_copy_function, duckdb_destroy_copy_function>;
using OwnedTableFunction = Owned<duckdb_table_function, duckdb_destroy_table_function>;

// A char* DuckDB allocated, as a string; null is "".
std::string TakeText(char* text);

// Lives as long as the value's vector.
inline std::string_view TextOf(const duckdb_string_t& value) {
  const uint32_t size = value.value.inlined.length;
  return {size <= 12 ? value.value.inlined.inlined : value.value.pointer.ptr, size};
}

// DuckDB's words ("Binder Error: ...") as an Error of the fitting kind.
Error ErrorFromDuckDb(std::string_view message);

inline duckdb_connection Native(Connection& connection) {
  return static_cast<duckdb_connection>(connection.native());
}

}  // namespace vitalake::engine
