#include "cli/doctor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

#include "base/parallel.h"
#include "cli/quantity.h"
#include "cli/table_about.h"
#include "lake/queries.h"

namespace vitalake::cli {
namespace {

namespace fs = std::filesystem;

constexpr Micros kYear2024 = 1'704'067'200'000'000;
constexpr Micros kYear2100 = 4'102'444'800'000'000;

fs::path NearestFolder(fs::path folder) {
  std::error_code error;
  folder = fs::absolute(folder, error);
  while (!fs::is_directory(folder, error) && folder.has_parent_path() &&
         folder != folder.parent_path()) {
    folder = folder.parent_path();
  }
  return folder;
}

// Seconds that a write of 4 KB with fsync takes; -1 and errno when it fails.
double SyncedWriteSeconds(const fs::path& file) {
  auto began = std::chrono::steady_clock::now();
  int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return -1;
  std::string bytes(4096, 'x');
  bool good = write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
              fsync(descriptor) == 0;
  int code = errno;
  close(descriptor);
  unlink(file.c_str());
  errno = code;
  if (!good) return -1;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

// Bytes of memory the process may use: the smaller of the machine's and its control group's.
int64_t MemoryOfMachine() {
  int64_t pages = sysconf(_SC_PHYS_PAGES);
  int64_t bytes = pages * sysconf(_SC_PAGE_SIZE);
  for (const char* file :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(file);
    int64_t limit = 0;
    if (in >> limit && limit > 0) bytes = std::min(bytes, limit);
  }
  return bytes;
}

Result<int64_t> CountRows(engine::SqlSession& session, const std::string& table) {
  VL_TRY(engine::QueryResult result, session.Query("SELECT count(*) FROM " + table));
  VL_RETURN_IF_ERROR(result.Next());
  return result.GetInt64(0);
}

Finding CheckTable(lake::Lake& lake, engine::SqlSession& session, const std::string& name,
                   Micros& newest_commit) {
  Finding finding{"table " + name, Health::kGood, "", ""};
  auto snapshot = lake.Latest(name);
  if (!snapshot && snapshot.error().kind == ErrorKind::kNotFound) {
    finding.detail = "not there yet";
    return finding;
  }
  auto rows =
      snapshot ? CountRows(session, name) : Result<int64_t>(std::unexpected(snapshot.error()));
  if (!rows) {
    finding.health = Health::kFault;
    finding.detail = rows.error().ToString();
    finding.advice = "see `vitalake table history " + name + "`; an older version may be readable";
    return finding;
  }
  newest_commit = std::max(newest_commit, (*snapshot)->timestamp());
  finding.detail = fmt::format("version {}, {} rows in {} files", (*snapshot)->version().value,
                               FormatCount(*rows), (*snapshot)->files().size());
  return finding;
}

}  // namespace

Finding CheckWritable(const fs::path& folder) {
  fs::path at = NearestFolder(folder);
  std::string name = at == fs::absolute(folder)
                         ? at.string()
                         : fmt::format("{} (the lake is not there yet)", at.string());
  double seconds = SyncedWriteSeconds(at / fmt::format(".vitalake-doctor-{}", getpid()));
  if (seconds < 0) {
    return {"folder writable", Health::kFault, fmt::format("{}: {}", name, std::strerror(errno)),
            "give the user of this program the right to write there, or name another --lake"};
  }
  bool slow = seconds > 0.1;
  return {"folder writable", slow ? Health::kWarning : Health::kGood,
          fmt::format("{}; a synced write takes {:.1f} ms", name, seconds * 1e3),
          slow ? "commits wait for the disk: a faster one helps" : ""};
}

Finding CheckDisk(const fs::path& folder) {
  struct statvfs info{};
  if (statvfs(NearestFolder(folder).c_str(), &info) != 0) {
    return {"free disk", Health::kWarning, std::strerror(errno), ""};
  }
  auto free_bytes = static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
  Health health = free_bytes < 100'000'000     ? Health::kFault
                  : free_bytes < 1'000'000'000 ? Health::kWarning
                                               : Health::kGood;
  return {"free disk", health, FormatSize(free_bytes),
          health == Health::kGood ? "" : "make room before the next run"};
}

Finding CheckMemory(int64_t memory_bytes) {
  int64_t there = MemoryOfMachine();
  bool good = memory_bytes <= there;
  return {"memory", good ? Health::kGood : Health::kFault,
          fmt::format("{} set, {} there", FormatSize(memory_bytes), FormatSize(there)),
          good ? "" : "lower `memory` (or VITALAKE_MEMORY)"};
}

Finding CheckThreads(int wanted) {
  const int there = MachineThreads();
  bool good = wanted <= there;
  return {"threads", good ? Health::kGood : Health::kWarning,
          fmt::format("{} used, {} there", wanted == 0 ? there : wanted, there),
          good ? "" : "more threads than cores only cost memory: lower `engine.threads`"};
}

Finding CheckClock(Micros now, Micros newest_commit) {
  if (now < kYear2024 || now > kYear2100) {
    return {"clock", Health::kFault, FormatUtc(now), "set the machine's clock"};
  }
  if (now < newest_commit) {
    return {
        "clock", Health::kWarning,
        fmt::format("{}, before the newest commit ({})", FormatUtc(now), FormatUtc(newest_commit)),
        "set the machine's clock: time travel goes by it"};
  }
  return {"clock", Health::kGood, FormatUtc(now), ""};
}

Finding CheckEngine(lake::Lake& lake) {
  auto version = [&]() -> Result<std::string> {
    VL_TRY(engine::Connection connection, lake.engine().Connect());
    return connection.Scalar("SELECT version()");
  }();
  if (!version) return {"engine", Health::kFault, version.error().ToString(), ""};
  return {"engine", Health::kGood, "DuckDB " + *version, ""};
}

std::vector<Finding> CheckTables(lake::Lake& lake, Micros& newest_commit) {
  auto exists = lake.Exists();
  if (!exists) return {{"tables", Health::kFault, exists.error().ToString(), ""}};
  if (!*exists) {
    return {{"tables", Health::kGood, "no lake here yet", "`vitalake init` makes one"}};
  }
  auto catalogue = lake.Catalogue();
  auto session = lake::OpenSqlSession(lake);
  if (!catalogue || !session) {
    const Error& error = catalogue ? session.error() : catalogue.error();
    return {{"tables", Health::kFault, error.ToString(), ""}};
  }
  std::vector<Finding> findings;
  for (const lake::TableSpec* spec : *catalogue) {
    findings.push_back(CheckTable(lake, **session, spec->name, newest_commit));
  }
  return findings;
}

}  // namespace vitalake::cli
