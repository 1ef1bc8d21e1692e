#include <fmt/format.h>

#include <chrono>

#include "cli/alert_rows.h"
#include "cli/command.h"
#include "cli/quantity.h"
#include "fhir/datetime.h"
#include "ingest/alerts/action_log.h"
#include "ingest/alerts/table.h"
#include "lake/queries.h"

namespace vitalake::cli {
namespace {

struct AlertOptions {
  CLI::App* command = nullptr;
  AlertFilter filter;
  bool follow = false;
  RowOptions rows;
  // Of what people do with one.
  std::string id, actor, reason, until, duration;
};

Result<int> ShowAlerts(Context& context, const AlertOptions& options) {
  VL_TRY(lake::Lake * lake, context.existing_lake());
  if (options.follow) {
    const Status ended = FollowAlerts(context, *lake, options.filter, options.rows);
    // The signal that ends it may come in the middle of a statement.
    if (ended || ended.error().kind == ErrorKind::kCancelled) return kExitDone;
    return std::unexpected(ended.error());
  }
  VL_TRY(const std::string sql, CurrentAlertsSql(*lake, options.filter, context.wait()));
  VL_TRY(auto session, lake::OpenSqlSession(*lake));
  return GiveStatement(context, *session, sql, options.rows);
}

// When a snooze ends.
Result<Micros> ExpiryOf(Context& context, const AlertOptions& options) {
  if (options.until.empty() == options.duration.empty()) {
    return Usage(context, "say when it ends: --until TIME or --for DURATION");
  }
  const Micros now = context.clock().NowMicros();
  Micros end = 0;
  if (!options.duration.empty()) {
    const auto duration = ParseDuration(options.duration);
    if (!duration) return Usage(context, fmt::format("--for: {}", duration.error().message));
    end = now + std::chrono::duration_cast<std::chrono::microseconds>(*duration).count();
  } else {
    const auto time = fhir::ParseDateTime(options.until);
    const auto utc = time ? time->Utc() : std::nullopt;
    if (!utc) {
      return Usage(context, fmt::format("--until: \"{}\" is no time with an offset, like "
                                        "2026-11-22T17:00:00Z",
                                        options.until));
    }
    end = *utc;
  }
  if (end <= now) return Usage(context, "the snooze would have ended already");
  return end;
}

// Writes down what a person wants; a running service takes it from there.
Result<int> Ask(Context& context, const AlertOptions& options, std::string action,
                std::optional<Micros> expiry) {
  VL_TRY(lake::Lake * lake, context.existing_lake());
  const auto alert = ingest::ReadAlertNow(*lake, options.id, context.wait());
  if (!alert && alert.error().kind == ErrorKind::kNotFound) {
    return Fail(ErrorKind::kNotFound,
                fmt::format("there is no alert {}; `vitalake alerts` shows them", options.id));
  }
  if (!alert) return std::unexpected(alert.error());
  if (!ingest::IsOn(alert->state)) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("alert {} is {}: there is nothing to do", options.id, alert->state));
  }
  ingest::RecordedAction request;
  request.partition = alert->source_partition;
  request.actor = options.actor;
  request.action = std::move(action);
  request.target = options.id;
  request.reason = options.reason;
  request.payload = ingest::PatientPayload(alert->patient_id);
  request.time = context.clock().NowMicros();
  request.expiry = expiry;
  VL_RETURN_IF_ERROR(ingest::AppendRequests(*lake, {&request, 1}, context.wait()));
  Say(fmt::format("recorded; the service that watches {} takes it up within a second",
                  alert->source_partition));
  return kExitDone;
}

// `alerts` itself, or what stands behind it: its own callback comes last either way.
Result<int> RunAlerts(Context& context, const AlertOptions& options) {
  if (options.command->got_subcommand("ack")) {
    return Ask(context, options, "acknowledge", std::nullopt);
  }
  if (options.command->got_subcommand("snooze")) {
    VL_TRY(const Micros end, ExpiryOf(context, options));
    return Ask(context, options, "snooze", end);
  }
  return ShowAlerts(context, options);
}

}  // namespace

void AddAlertCommands(CommandLine& line) {
  auto options = std::make_shared<AlertOptions>();
  const auto run = [options](Context& context) { return RunAlerts(context, *options); };
  CLI::App* command = options->command = line.Add(
      nullptr, "alerts", "What was raised: each alert as it stands, or as it changes", run);
  command->add_flag("--follow", options->follow,
                    "Print each change as it is committed, until SIGINT or SIGTERM");
  command
      ->add_option("--patient", options->filter.patient,
                   "Only of this patient, and of those merged into them [all]")
      ->type_name("ID");
  command->require_subcommand(0, 1);
  AddRowOptions(command, options->rows);
  AddExamples(command, {"alerts", "alerts --patient p1 --format json", "alerts --follow",
                        "alerts ack 0123456789abcdef0123456789abcdef --actor nurse-7"});

  const auto add = [&](const char* name, const char* about) {
    CLI::App* sub = line.Add(command, name, about, run);
    sub->add_option("ID", options->id, "The alert's id")->required();
    sub->add_option("--actor", options->actor, "Who does it")->required()->type_name("NAME");
    sub->add_option("--reason", options->reason, "Why")->type_name("TEXT");
    return sub;
  };
  CLI::App* ack = add("ack", "Acknowledge an alert: it is not told again");
  AddExamples(ack, {"alerts ack 0123456789abcdef0123456789abcdef --actor nurse-7"});
  CLI::App* snooze = add("snooze", "Silence an alert for a while, or until it becomes graver");
  snooze->add_option("--for", options->duration, "How long")->type_name("DURATION");
  snooze->add_option("--until", options->until, "When it ends")->type_name("TIME");
  AddExamples(snooze, {"alerts snooze 0123456789abcdef0123456789abcdef --actor nurse-7 --for 2h"});
}

}  // namespace vitalake::cli
