#include <algorithm>

#include "cli/command.h"
#include "cli/doctor.h"
#include "cli/doctor_streams.h"
#include "cli/row_list.h"

namespace vitalake::cli {
namespace {

std::string_view ToText(Health health) {
  switch (health) {
    case Health::kGood:
      return "ok";
    case Health::kWarning:
      return "warning";
    case Health::kFault:
      break;
  }
  return "FAULT";
}

Result<std::vector<Finding>> Examine(Context& context) {
  VL_TRY(lake::LakeOptions options, context.lake_options());
  std::vector<Finding> findings = {CheckWritable(options.location), CheckDisk(options.location),
                                   CheckMemory(options.memory_bytes),
                                   CheckThreads(options.threads)};
  VL_TRY(lake::Lake * lake, context.lake());
  findings.push_back(CheckEngine(*lake));
  Micros newest_commit = 0;
  std::vector<Finding> tables = CheckTables(*lake, newest_commit);
  findings.push_back(CheckClock(context.clock().NowMicros(), newest_commit));
  VL_TRY(const Config* config, context.config());
  for (const std::vector<Finding>& more :
       {tables, CheckRules(*config), CheckStreams(*config, *lake, context.clock().NowMicros()),
        CheckOutbound(*config), CheckHttp(*config, context.clock().NowMicros())}) {
    findings.insert(findings.end(), more.begin(), more.end());
  }
  return findings;
}

Result<int> RunDoctor(Context& context, const RowOptions& options) {
  VL_TRY(std::vector<Finding> findings, Examine(context));
  RowList rows({{"check"}, {"result"}, {"detail"}, {"advice"}});
  for (const Finding& finding : findings) {
    rows.Add({finding.check, std::string(ToText(finding.health)), finding.detail,
              finding.advice.empty() ? RowCell() : RowCell(finding.advice)});
  }
  VL_RETURN_IF_ERROR(GiveRows(context, rows.ToSql(), options));
  bool faulty =
      std::ranges::any_of(findings, [](const Finding& f) { return f.health == Health::kFault; });
  return faulty ? kExitFailed : kExitDone;
}

}  // namespace

void AddDoctorCommand(CommandLine& line) {
  auto options = std::make_shared<RowOptions>();
  CLI::App* command =
      line.Add(nullptr, "doctor", "Disk, memory, clock, tables, rules, brokers: is all well?",
               [options](Context& context) { return RunDoctor(context, *options); });
  AddRowOptions(command, *options);
  AddExamples(command, {"doctor", "doctor --json"});
}

}  // namespace vitalake::cli
