# Headers that nearly every source reads, parsed once: half of the time of a build is reading them.
# A source still includes what it uses (clang-tidy and editors know nothing of this).
set(VL_STANDARD_HEADERS <algorithm> <array> <chrono> <cstdint> <expected> <filesystem> <fstream>
  <functional> <map> <memory> <mutex> <optional> <set> <span> <stop_token> <string> <string_view>
  <thread> <utility> <variant> <vector> <fmt/format.h>)

# Objects that hold one precompiled header each: `headers` for the product, `test_headers` for tests.
file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cc "")
# Tests are built with less optimisation: they are built more often than they run.
# (A debug build says itself how much.)
set(VL_TEST_OPTIONS $<$<CONFIG:Release>:-O1>)
foreach(KIND headers test_headers)
  add_library(vl_${KIND} OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
  target_link_libraries(vl_${KIND} PRIVATE fmt::fmt)
  target_compile_options(vl_${KIND} PRIVATE -fpch-preprocess)
endforeach()
target_precompile_headers(vl_headers PRIVATE ${VL_STANDARD_HEADERS})
target_compile_options(vl_test_headers PRIVATE ${VL_TEST_OPTIONS})
target_link_libraries(vl_test_headers PRIVATE GTest::gtest GTest::gmock)
target_precompile_headers(vl_test_headers PRIVATE ${VL_STANDARD_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)

# vl_precompiled(TARGET KIND): has TARGET read them precompiled.
function(vl_precompiled TARGET KIND)
  target_precompile_headers(${TARGET} REUSE_FROM vl_${KIND})
  target_compile_options(${TARGET} PRIVATE -fpch-preprocess)
endfunction()
