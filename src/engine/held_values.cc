#include "engine/held_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>

#include "base/check.h"
#include "base/random.h"
#include "engine/duckdb_internal.h"

namespace vitalake::engine {
namespace {

// Of the process: the numbers are drawn at random, so that no statement of a client finds another's
// values.
struct AllHeld {
  std::mutex mutex;
  std::map<int64_t, const std::vector<Parameter>*> values;

  static AllHeld& Get() {
    static AllHeld all;
    return all;
  }
};

int64_t DrawNumber() {
  const std::string digits = SystemRandom().Uuid();
  uint64_t number = 0;
  std::from_chars(digits.data() + 24, digits.data() + 36, number, 16);  // 48 random bits
  return static_cast<int64_t>(number);
}

std::string_view FunctionOf(const Parameter& value) {
  constexpr std::string_view kNames[] = {"", "held_flag", "held_integer", "held_number",
                                         "held_text"};
  return kNames[value.index()];
}

template <class T>
void GiveHeld(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const uint64_t count = duckdb_data_chunk_get_size(input);
  if (count == 0) return;
  const auto argument = [&](uint64_t i) {
    return *static_cast<const int64_t*>(
        duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, i)));
  };
  const int64_t number = argument(0), place = argument(1);
  AllHeld& all = AllHeld::Get();
  const std::lock_guard lock(all.mutex);
  const auto found = all.values.find(number);
  const T* value = nullptr;
  if (found != all.values.end() && place >= 1 &&
      place <= static_cast<int64_t>(found->second->size())) {
    value = std::get_if<T>(&(*found->second)[static_cast<size_t>(place - 1)]);
  }
  if (value == nullptr) {
    duckdb_scalar_function_set_error(info, "there is no such value");
    return;
  }
  for (uint64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, std::string>) {
      duckdb_vector_assign_string_element_len(output, i, value->data(), value->size());
    } else {
      static_cast<T*>(duckdb_vector_get_data(output))[i] = *value;
    }
  }
}

template <class T>
Status RegisterHeld(Connection& connection, duckdb_type type) {
  const OwnedScalarFunction function(duckdb_create_scalar_function());
  const OwnedType integer(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  const OwnedType gives(duckdb_create_logical_type(type));
  const std::string name(FunctionOf(Parameter(T{})));
  duckdb_scalar_function_set_name(function.get(), name.c_str());
  duckdb_scalar_function_add_parameter(function.get(), integer.get());
  duckdb_scalar_function_add_parameter(function.get(), integer.get());
  duckdb_scalar_function_set_return_type(function.get(), gives.get());
  duckdb_scalar_function_set_volatile(function.get());  // computed when run, not when planned
  duckdb_scalar_function_set_function(function.get(), GiveHeld<T>);
  if (duckdb_register_scalar_function(Native(connection), function.get()) == DuckDBSuccess) {
    return {};
  }
  return Fail(ErrorKind::kInternal, fmt::format("{} cannot be registered", name));
}

}  // namespace

HeldValues::HeldValues() : number_(DrawNumber()) {
  AllHeld& all = AllHeld::Get();
  const std::lock_guard lock(all.mutex);
  all.values[number_] = &values_;
}

HeldValues::~HeldValues() {
  AllHeld& all = AllHeld::Get();
  const std::lock_guard lock(all.mutex);
  all.values.erase(number_);
}

bool HeldValues::CanHold(const std::vector<Parameter>& values) {
  return std::ranges::none_of(
      values, [](const Parameter& value) { return std::holds_alternative<std::monostate>(value); });
}

void HeldValues::Set(std::vector<Parameter> values) {
  const std::lock_guard lock(AllHeld::Get().mutex);
  values_ = std::move(values);
}

std::string HeldValues::Sql(size_t place) const {
  VL_CHECK(place >= 1 && place <= values_.size());
  return fmt::format("{}({}, {})", FunctionOf(values_[place - 1]), number_, place);
}

std::string HeldValues::Text(std::string_view sql) const {
  std::string out;
  while (true) {
    const size_t mark = sql.find('$');
    out += sql.substr(0, mark);
    if (mark == sql.npos) return out;
    sql.remove_prefix(mark + 1);
    size_t place = 0;
    const auto [end, error] = std::from_chars(sql.data(), sql.data() + sql.size(), place);
    sql.remove_prefix(static_cast<size_t>(end - sql.data()));
    out += Sql(place);
  }
}

Status RegisterHeldValues(Connection& connection) {
  VL_RETURN_IF_ERROR(RegisterHeld<bool>(connection, DUCKDB_TYPE_BOOLEAN));
  VL_RETURN_IF_ERROR(RegisterHeld<int64_t>(connection, DUCKDB_TYPE_BIGINT));
  VL_RETURN_IF_ERROR(RegisterHeld<double>(connection, DUCKDB_TYPE_DOUBLE));
  return RegisterHeld<std::string>(connection, DUCKDB_TYPE_VARCHAR);
}

}  // namespace vitalake::engine
