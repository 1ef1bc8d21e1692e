// One wrapper for all: a C++ function of optionals becomes a scalar function over vectors. Its
// parameter types are deduced; `first` of its trailing parameters may be left out in SQL.
#include "engine/sql_functions.h"

#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "clinical/sql_functions.h"
#include "engine/cell_text_internal.h"

namespace vitalake::engine {
namespace {

namespace sql = clinical::sql;

template <class T>
struct Bare {
  using Type = T;
};
template <class T>
struct Bare<std::optional<T>> {
  using Type = T;
};
template <class T>
inline constexpr bool kIsOptional = !std::is_same_v<typename Bare<T>::Type, T>;

// How a C++ type lies in a vector. Micros is int64_t as well: times are told apart by MomentTag.
template <class T>
duckdb_type TypeOf() {
  if constexpr (std::is_same_v<T, bool>) return DUCKDB_TYPE_BOOLEAN;
  if constexpr (std::is_same_v<T, double>) return DUCKDB_TYPE_DOUBLE;
  if constexpr (std::is_same_v<T, int32_t>) return DUCKDB_TYPE_INTEGER;
  if constexpr (std::is_same_v<T, int64_t>) return DUCKDB_TYPE_BIGINT;
  return DUCKDB_TYPE_VARCHAR;
}

struct Input {
  const void* data = nullptr;
  const uint64_t* validity = nullptr;

  bool IsNull(uint64_t row) const { return validity && !(validity[row / 64] >> (row % 64) & 1); }
};

std::string_view TextAt(const Input& input, uint64_t row) {
  const auto& value = static_cast<const duckdb_string_t*>(input.data)[row];
  if (value.value.inlined.length <= 12) {
    return {value.value.inlined.inlined, value.value.inlined.length};
  }
  return {value.value.pointer.ptr, value.value.pointer.length};
}

// The argument as the function wants it; absent (beyond the SQL arity) and NULL are nullopt.
template <class Parameter>
Parameter Argument(const Input& input, uint64_t row) {
  using T = typename Bare<Parameter>::Type;
  if (!input.data || input.IsNull(row)) return Parameter{};
  if constexpr (std::is_same_v<T, std::string_view>) {
    return Parameter{TextAt(input, row)};
  } else {
    return Parameter{static_cast<const T*>(input.data)[row]};
  }
}

class Output {
 public:
  explicit Output(duckdb_vector vector) : vector_(vector), data_(duckdb_vector_get_data(vector)) {}

  template <class T>
  void Put(uint64_t row, const T& value) {
    if constexpr (kIsOptional<T>) {
      if (value) {
        Put(row, *value);
      } else {
        PutNull(row);
      }
    } else if constexpr (std::is_same_v<T, std::string>) {
      duckdb_unsafe_vector_assign_string_element_len(vector_, row, value.data(), value.size());
    } else {
      static_cast<T*>(data_)[row] = value;
    }
  }
  void PutNull(uint64_t row) {
    duckdb_vector_ensure_validity_writable(vector_);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector_), row);
  }

 private:
  duckdb_vector vector_;
  void* data_;
};

template <auto Function, size_t Arity, class Return, class... Parameters, size_t... I>
void RunOver(duckdb_data_chunk chunk, duckdb_vector out, Return (*)(Parameters...),
             std::index_sequence<I...>) {
  std::array<Input, sizeof...(Parameters) + 1> inputs;
  for (size_t i = 0; i < Arity; ++i) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
    inputs[i] = {duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector)};
  }
  // A parameter that cannot be NULL makes the result NULL when its argument is.
  constexpr std::array<bool, sizeof...(Parameters) + 1> kNeeded = {!kIsOptional<Parameters>...,
                                                                   false};
  Output output(out);
  const uint64_t rows = duckdb_data_chunk_get_size(chunk);
  for (uint64_t row = 0; row < rows; ++row) {
    bool missing = false;
    for (size_t i = 0; i < sizeof...(Parameters); ++i) {
      missing |= kNeeded[i] && (!inputs[i].data || inputs[i].IsNull(row));
    }
    if (missing) {
      output.PutNull(row);
    } else {
      output.Put(row, Function(Argument<Parameters>(inputs[I], row)...));
    }
  }
}

template <auto Function, size_t Arity, class Return, class... Parameters>
void Run(duckdb_function_info info, duckdb_data_chunk chunk, duckdb_vector out,
         Return (*pointer)(Parameters...)) {
  try {
    RunOver<Function, Arity>(chunk, out, pointer, std::index_sequence_for<Parameters...>());
  } catch (const std::exception& error) {
    duckdb_scalar_function_set_error(info, error.what());
  }
}

template <auto Function, size_t Arity>
void Trampoline(duckdb_function_info info, duckdb_data_chunk chunk, duckdb_vector out) {
  Run<Function, Arity>(info, chunk, out, Function);
}

// What the overload of `Arity` arguments looks like to DuckDB. `moments`: bits of parameters, and
// bit 31 of the result, that are times.
inline constexpr uint32_t kMomentResult = 1u << 31;

template <class Return, class... Parameters>
void Describe(duckdb_scalar_function function, size_t arity, uint32_t moments,
              Return (*)(Parameters...)) {
  const std::array<duckdb_type, sizeof...(Parameters) + 1> types = {
      TypeOf<typename Bare<Parameters>::Type>()..., DUCKDB_TYPE_INVALID};
  for (size_t i = 0; i < arity; ++i) {
    OwnedType type(
        duckdb_create_logical_type(moments >> i & 1 ? DUCKDB_TYPE_TIMESTAMP_TZ : types[i]));
    duckdb_scalar_function_add_parameter(function, type.get());
  }
  OwnedType result(duckdb_create_logical_type(
      moments & kMomentResult ? DUCKDB_TYPE_TIMESTAMP_TZ : TypeOf<typename Bare<Return>::Type>()));
  duckdb_scalar_function_set_return_type(function, result.get());
}

using OwnedFunctionSet = Owned<duckdb_scalar_function_set, duckdb_destroy_scalar_function_set>;

// One SQL name with all its overloads.
class FunctionSet {
 public:
  explicit FunctionSet(const char* name)
      : name_(name), set_(duckdb_create_scalar_function_set(name)) {}

  template <auto Function, size_t Arity>
  FunctionSet& Add(uint32_t moments = 0) {
    OwnedScalarFunction function(duckdb_create_scalar_function());
    duckdb_scalar_function_set_name(function.get(), name_);
    Describe(function.get(), Arity, moments, Function);
    duckdb_scalar_function_set_special_handling(function.get());  // NULL arguments are passed on
    duckdb_scalar_function_set_function(function.get(), Trampoline<Function, Arity>);
    duckdb_add_scalar_function_to_set(set_.get(), function.get());
    return *this;
  }

  Status Register(Connection& connection) {
    if (duckdb_register_scalar_function_set(Native(connection), set_.get()) == DuckDBSuccess)
      return {};
    return Fail(ErrorKind::kInternal, std::string("function cannot be registered: ") + name_);
  }

 private:
  const char* name_;
  OwnedFunctionSet set_;
};

Status RegisterVitalFunctions(Connection& connection) {
  VL_RETURN_IF_ERROR(FunctionSet("vital_code")
                         .Add<&sql::VitalCodeOf, 2>()
                         .Add<&sql::VitalCodeOfCodings, 1>()
                         .Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("vital_listed").Add<&sql::VitalListed, 2>().Register(connection));
  VL_RETURN_IF_ERROR(
      FunctionSet("vital_display").Add<&sql::VitalDisplay, 1>().Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("vital_unit").Add<&sql::VitalUnit, 2>().Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("unit_sent").Add<&sql::UnitSentOf, 3>().Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("vital_value").Add<&sql::VitalValue, 3>().Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("vital_interpretation")
                         .Add<&sql::VitalInterpretation, 4>()
                         .Add<&sql::VitalInterpretation, 5>()
                         .Register(connection));
  return FunctionSet("vital_quality").Add<&sql::VitalQuality, 4>().Register(connection);
}

Status RegisterPressureFunctions(Connection& connection) {
  VL_RETURN_IF_ERROR(FunctionSet("bp_value").Add<&sql::BpValue, 3>().Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("bp_quality").Add<&sql::BpQuality, 6>().Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("bp_interpretation")
                         .Add<&sql::BpInterpretation, 2>()
                         .Add<&sql::BpInterpretation, 3>()
                         .Add<&sql::BpInterpretation, 4>(1u << 3)
                         .Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("bp_certain_interpretation")
                         .Add<&sql::BpCertainInterpretation, 4>()
                         .Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("bp_interpretation_for_age")
                         .Add<&sql::BpInterpretationForAge, 3>()
                         .Add<&sql::BpInterpretationForAge, 4>()
                         .Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("bp_rule_set").Add<&sql::BpRuleSet, 0>().Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("bp_rule_version")
                         .Add<&sql::BpRuleVersion, 0>()
                         .Add<&sql::BpRuleVersion, 1>()
                         .Add<&sql::BpRuleVersion, 2>(1u << 1)
                         .Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("bp_band")
                         .Add<&sql::BpBand, 2>()
                         .Add<&sql::BpBand, 3>()
                         .Add<&sql::BpBand, 4>()
                         .Register(connection));
  return FunctionSet("bp_category")
      .Add<&sql::BpCategory, 7>()
      .Add<&sql::BpCategory, 8>()
      .Register(connection);
}

Status RegisterNews2Functions(Connection& connection) {
  VL_RETURN_IF_ERROR(FunctionSet("news2_total").Add<&sql::News2Total, 8>().Register(connection));
  VL_RETURN_IF_ERROR(
      FunctionSet("news2_parameters").Add<&sql::News2Parameters, 8>().Register(connection));
  VL_RETURN_IF_ERROR(
      FunctionSet("news2_response").Add<&sql::News2ResponseTo, 8>().Register(connection));
  VL_RETURN_IF_ERROR(
      FunctionSet("news2_on_oxygen").Add<&sql::News2OnOxygen, 2>().Register(connection));
  return FunctionSet("news2_alert").Add<&sql::News2Alert, 1>().Register(connection);
}

Status RegisterTimeFunctions(Connection& connection) {
  VL_RETURN_IF_ERROR(
      FunctionSet("fhir_time").Add<&sql::FhirTime, 1>(kMomentResult).Register(connection));
  VL_RETURN_IF_ERROR(
      FunctionSet("fhir_precision").Add<&sql::FhirPrecision, 1>().Register(connection));
  VL_RETURN_IF_ERROR(
      FunctionSet("patient_identifier").Add<&sql::PatientIdentifier, 4>().Register(connection));
  VL_RETURN_IF_ERROR(
      FunctionSet("fhir_offset_minutes").Add<&sql::FhirOffsetMinutes, 1>().Register(connection));
  VL_RETURN_IF_ERROR(FunctionSet("time_quality").Add<&sql::TimeQuality, 1>().Register(connection));
  return FunctionSet("merge_tokens").Add<&sql::MergeTokens, 2>().Register(connection);
}

// fhir_date gives days, which C++ cannot tell from other 32-bit numbers.
void RunFhirDate(duckdb_function_info info, duckdb_data_chunk chunk, duckdb_vector out) {
  Trampoline<&sql::FhirDate, 1>(info, chunk, out);
}

Status RegisterFhirDate(Connection& connection) {
  OwnedScalarFunction function(duckdb_create_scalar_function());
  OwnedType text(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  OwnedType date(duckdb_create_logical_type(DUCKDB_TYPE_DATE));
  duckdb_scalar_function_set_name(function.get(), "fhir_date");
  duckdb_scalar_function_add_parameter(function.get(), text.get());
  duckdb_scalar_function_set_return_type(function.get(), date.get());
  duckdb_scalar_function_set_special_handling(function.get());
  duckdb_scalar_function_set_function(function.get(), RunFhirDate);
  if (duckdb_register_scalar_function(Native(connection), function.get()) == DuckDBSuccess)
    return {};
  return Fail(ErrorKind::kInternal, "function cannot be registered: fhir_date");
}

}  // namespace

Status RegisterSqlFunctions(Connection& connection) {
  VL_RETURN_IF_ERROR(RegisterVitalFunctions(connection));
  VL_RETURN_IF_ERROR(RegisterPressureFunctions(connection));
  VL_RETURN_IF_ERROR(RegisterNews2Functions(connection));
  VL_RETURN_IF_ERROR(RegisterTimeFunctions(connection));
  return RegisterFhirDate(connection);
}

}  // namespace vitalake::engine
