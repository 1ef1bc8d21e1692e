"""layers.py ROOT: checks that the modules of ROOT/src know only what docs/ARCHITECTURE.md allows.

The module table of that page is the rule: a row `| line | module | job | libraries |` per folder of
src/. Reported, one line each, with exit code 1:
  - a folder without a row, a row without a folder;
  - an include of a module on the same or a later line (a test may not either);
  - an include of another module's *_internal.h;
  - a library's header in a module whose row does not name the library;
  - a header that is neither ours, the standard library's, the system's nor a known library's.
"""

import pathlib
import re
import sys

# Which headers belong to which library of the table's last column.
LIBRARIES = {
    "fmt": r"fmt/.*",
    "spdlog": r"spdlog/.*",
    "simdjson": r"simdjson\.h",
    "xxhash": r"xxhash\.h",
    "OpenSSL": r"openssl/.*",
    "zlib": r"zlib\.h",
    "zstd": r"zstd\.h|zstd_errors\.h",
    "yaml-cpp": r"yaml-cpp/.*",
    "CRoaring": r"roaring/.*",
    "DuckDB": r"duckdb\.h",
    "CLI11": r"CLI/.*",
    "libedit": r"histedit\.h",
    "librdkafka": r"librdkafka/.*",
    "libcurl": r"curl/.*",
    "Boost": r"boost/.*",
    "GoogleTest": r"gtest/.*|gmock/.*",
}
EVERYWHERE = {"fmt"}          # formatting: std::format is not there yet
IN_TESTS = {"GoogleTest"}
TEST_FILE = re.compile(r".*_test\.(cc|h)|.*_fixture\.h|(.*/)?test_\w+\.h")
STANDARD = re.compile(r"[a-z_0-9]+")
SYSTEM = re.compile(
    r"(sys/.*|linux/.*|arpa/inet|netinet/(in|tcp)|fcntl|unistd|dirent|stdlib|string|stdint|stdio|errno|signal|glob|poll|pthread|termios|"
    r"time|pwd|grp|dlfcn|spawn|fnmatch|malloc|strings|sched)(\.h)?")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
ROW = re.compile(r"^\|\s*(\d+)\s*\|\s*`([a-z]+)`\s*\|[^|]*\|([^|]*)\|\s*$", re.MULTILINE)


def read_table(page):
    """{module: (line, {library, ...})} of the module table."""
    table = {}
    for line, module, libraries in ROW.findall(page):
        names = {name.strip() for name in libraries.split(",") if name.strip()}
        table[module] = (int(line), names)
    return table


def library_of(header):
    for name, pattern in LIBRARIES.items():
        if re.fullmatch(pattern, header):
            return name
    return None


def include_fault(table, module, file_name, quoted, header):
    """Why `module` may not include `header`, or None."""
    library = library_of(header)
    is_test = bool(TEST_FILE.fullmatch(file_name))
    if TEST_FILE.fullmatch(header) and not is_test:
        return "it belongs to the tests"
    if library:
        if library in table[module][1] | EVERYWHERE or (library in IN_TESTS and is_test):
            return None
        return f"{library} is not among the libraries {module} may know of"
    if not quoted:
        if STANDARD.fullmatch(header) or SYSTEM.fullmatch(header):
            return None
        return "belongs to no known library (tests/layers/layers.py lists them)"
    other, slash, name = header.partition("/")
    if not slash:
        return 'own headers are included as "module/header.h"'
    if other not in table:
        return f"there is no module {other}"
    if other == module:
        return None
    if name.endswith("_internal.h"):
        return f"{name} is internal to {other}"
    if table[other][0] >= table[module][0]:
        return f"{other} is not on a line above {module}"
    return None


def check(root):
    """The faults of the tree under `root`, as text."""
    root = pathlib.Path(root)
    table = read_table((root / "docs" / "ARCHITECTURE.md").read_text())
    folders = {p.name for p in (root / "src").iterdir() if p.is_dir()}
    faults = [f"src/{name}: no row in the module table of docs/ARCHITECTURE.md" for name in sorted(folders - set(table))]
    faults += [f"docs/ARCHITECTURE.md: module {name} has no folder in src/" for name in sorted(set(table) - folders)]
    for module, (_, libraries) in table.items():
        faults += [f"docs/ARCHITECTURE.md: {module} names the unknown library {name}"
                   for name in sorted(libraries - set(LIBRARIES))]
    for path in sorted((root / "src").rglob("*")):
        module = path.relative_to(root / "src").parts[0]
        if path.suffix not in (".h", ".cc") or module not in table:
            continue
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            fault = include_fault(table, module, path.name, match[1] == '"', match[2])
            if fault:
                line = text.count("\n", 0, match.start(2)) + 1
                faults.append(f"{path.relative_to(root)}:{line}: includes {match[2]}: {fault}")
    return faults


if __name__ == "__main__":
    found = check(sys.argv[1])
    print("\n".join(found))
    sys.exit(1 if found else 0)
