# vl_module(NAME DEPS a b LIBS x y ALONE c.cc): one static library per folder of src/, its *_test.cc
# beside the sources as one test binary labelled `fast`, and embedded files where a module needs them.
# Sources are compiled a few together (CMAKE_UNITY_BUILD in the presets); those under ALONE are not,
# because they give a name of their own to what a neighbour calls the same.
add_compile_options(-Wall -Wextra -Wpedantic -Werror)
# What the optimiser guesses is told, but fails no build: g++ 12 sees overlapping and overlong copies in
# `"text" + std::string` where there are none (GCC bug 105329).
foreach(GUESS array-bounds dangling-pointer free-nonheap-object maybe-uninitialized nonnull
    null-dereference restrict stringop-overflow stringop-overread use-after-free)
  add_compile_options(-Wno-error=${GUESS})
endforeach()

add_custom_target(unit_tests)

function(vl_module NAME)
  cmake_parse_arguments(M "" "" "DEPS;LIBS;TEST_DEPS;ALONE" ${ARGN})
  set_source_files_properties(${M_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  file(GLOB_RECURSE SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(TESTS ${SOURCES})
  list(FILTER TESTS INCLUDE REGEX "_test\\.cc$")
  list(FILTER SOURCES EXCLUDE REGEX "_test\\.cc$")
  list(FILTER SOURCES EXCLUDE REGEX "/main\\.cc$")
  if(NOT SOURCES)  # a folder that holds only headers: a library must have a source
    set(SOURCES ${CMAKE_CURRENT_BINARY_DIR}/no_sources.cc)
    file(WRITE ${SOURCES} "")
  endif()
  add_library(vl_${NAME} STATIC ${SOURCES})
  vl_precompiled(vl_${NAME} headers)
  target_include_directories(vl_${NAME} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  foreach(DEP ${M_DEPS})
    target_link_libraries(vl_${NAME} PUBLIC vl_${DEP})
  endforeach()
  target_link_libraries(vl_${NAME} PUBLIC ${M_LIBS})
  if(TESTS)
    add_executable(${NAME}_test ${TESTS})
    vl_precompiled(${NAME}_test test_headers)
    target_compile_options(${NAME}_test PRIVATE ${VL_TEST_OPTIONS})
    target_link_libraries(${NAME}_test PRIVATE vl_${NAME} GTest::gtest GTest::gmock GTest::gtest_main)
    foreach(DEP ${M_TEST_DEPS})
      target_link_libraries(${NAME}_test PRIVATE vl_${DEP})
    endforeach()
    target_compile_definitions(${NAME}_test PRIVATE VITALAKE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${NAME} COMMAND ${NAME}_test)
    add_dependencies(unit_tests ${NAME}_test)
    set_tests_properties(${NAME} PROPERTIES LABELS fast)
  endif()
endfunction()

# vl_embed(TARGET NAME files...): compiles the files into TARGET as
# `std::span<const EmbeddedFile> vitalake::embedded::NAME()` (base/embedded.h).
function(vl_embed TARGET NAME)
  set(OUT ${CMAKE_CURRENT_BINARY_DIR}/embedded_${NAME}.cc)
  add_custom_command(OUTPUT ${OUT}
    COMMAND ${CMAKE_COMMAND} -DOUT=${OUT} -DNAME=${NAME} "-DFILES=${ARGN}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(${TARGET} PRIVATE ${OUT})
  set_source_files_properties(${OUT} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# vl_embed_bytes(TARGET NAME files...): the same for files that are no text.
function(vl_embed_bytes TARGET NAME)
  set(OUT ${CMAKE_CURRENT_BINARY_DIR}/embedded_${NAME}.cc)
  add_custom_command(OUTPUT ${OUT}
    COMMAND ${CMAKE_COMMAND} -DOUT=${OUT} -DNAME=${NAME} "-DFILES=${ARGN}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_bytes.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/embed_bytes.cmake VERBATIM)
  target_sources(${TARGET} PRIVATE ${OUT})
  set_source_files_properties(${OUT} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# vl_executable(NAME SOURCES main.cc DEPS cli LIBS CLI11::CLI11): a program in the root of the build
# folder with libduckdb.so copied beside it, found through $ORIGIN: the pair can be moved anywhere.
function(vl_executable NAME)
  cmake_parse_arguments(E "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_executable(${NAME} ${E_SOURCES})
  foreach(DEP ${E_DEPS})
    target_link_libraries(${NAME} PRIVATE vl_${DEP})
  endforeach()
  target_link_libraries(${NAME} PRIVATE ${E_LIBS})
  set_target_properties(${NAME} PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN")
  add_custom_command(TARGET ${NAME} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E copy_if_different ${DUCKDB_DIR}/libduckdb.so $<TARGET_FILE_DIR:${NAME}>
    VERBATIM)
endfunction()
