# Everything Vitalake links, in one place. Versions of what does not come from Debian 12 are pinned
# in versions.env; the reason for each choice is beside it here.
find_package(fmt 9 REQUIRED)              # std::format is not in g++ 12
find_package(spdlog REQUIRED)             # logging
find_package(simdjson 3 REQUIRED)         # JSON at gigabytes per second, UTF-8 checked
find_package(yaml-cpp REQUIRED)           # configuration and rule files
find_package(CLI11 REQUIRED)              # command line
find_package(ZLIB REQUIRED)               # .gz input
find_package(OpenSSL 3 REQUIRED)          # SHA-256 of received files
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)    # .zst input
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)  # content and key hashes
pkg_check_modules(LIBEDIT REQUIRED IMPORTED_TARGET libedit)  # line editing and history (BSD; readline is GPL)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)      # webhooks
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)  # streams from Kafka and Event Hubs
find_package(Boost 1.81 REQUIRED)        # Beast and Asio: HTTP (headers only)
find_package(roaring REQUIRED)            # deletion vectors
find_package(GTest REQUIRED)              # unit tests

# DuckDB: SQL, Parquet, ICU. One shared library with a C API; `make setup` puts it here.
set(DUCKDB_DIR ${CMAKE_SOURCE_DIR}/.deps/duckdb CACHE PATH "folder with libduckdb.so and duckdb.h")
if(NOT EXISTS ${DUCKDB_DIR}/libduckdb.so)
  message(FATAL_ERROR "DuckDB is missing from ${DUCKDB_DIR}: run `make setup` first")
endif()
add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${DUCKDB_DIR}/libduckdb.so
  IMPORTED_NO_SONAME OFF
  INTERFACE_INCLUDE_DIRECTORIES ${DUCKDB_DIR})
