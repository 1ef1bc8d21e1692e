#include "cli/doctor_streams.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cli/quantity.h"
#include "cli/run_settings.h"
#include "ingest/kafka/probe.h"
#include "ingest/stream/position.h"
#include "serve/server_tls.h"

namespace vitalake::cli {
namespace {

using ingest::KafkaProbe;
using ingest::ProbedGroup;
using ingest::ProbedPartition;

// A broker's time is told by its messages alone: those of now are not later than now.
constexpr Micros kClockTolerance = 1'000'000;
// A certificate that expires sooner should be renewed now.
constexpr Micros kRenewCertificate = Micros{14} * 86'400 * 1'000'000;

// "what is wrong; what to do": errors of brokers and settings are worded so.
Finding FindingOf(std::string check, const Error& error) {
  const std::string text = error.ToString();
  const size_t cut = text.find("; ");
  Finding finding{std::move(check), Health::kFault, text.substr(0, cut), ""};
  if (cut != std::string::npos) finding.advice = text.substr(cut + 2);
  return finding;
}

Finding CheckPartitions(std::string check, const std::string& topic,
                        const std::vector<ProbedPartition>& partitions) {
  int64_t messages = 0;
  for (const ProbedPartition& one : partitions) messages += one.high - one.low;
  return {std::move(check), Health::kGood,
          fmt::format("{}: {} partitions, {} messages", topic, partitions.size(),
                      FormatCount(messages)),
          ""};
}

Finding CheckBrokerClock(std::string check, std::optional<Micros> newest, Micros now) {
  if (!newest) {
    return {std::move(check), Health::kGood, "no message yet whose time could be compared", ""};
  }
  const double seconds = static_cast<double>(now - *newest) / 1e6;
  if (*newest - now > kClockTolerance) {
    return {std::move(check), Health::kWarning,
            fmt::format("the newest message is {:.1f} s ahead of this machine's clock", -seconds),
            "set both clocks by one source (NTP): how late a reading is goes by them"};
  }
  return {std::move(check), Health::kGood,
          fmt::format("the newest message is {:.1f} s old by this machine's clock", seconds), ""};
}

Finding CheckGroup(std::string check, const std::string& name, const ProbedGroup& group,
                   size_t partitions) {
  Finding finding{std::move(check), Health::kGood, "", ""};
  if (group.members.empty()) {
    finding.detail = fmt::format("{}: free", name);
    return finding;
  }
  finding.detail = fmt::format("{}: {}, {} members ({})", name, group.state, group.members.size(),
                               fmt::join(group.members, ", "));
  if (group.members.size() > partitions) {
    finding.health = Health::kWarning;
    finding.advice = fmt::format(
        "of more members than the {} partitions some have nothing to do; other lakes and programs "
        "need groups of their own",
        partitions);
  }
  return finding;
}

// The lake's position in each partition of its newest epoch, against what the topic has.
Finding CheckPosition(std::string check, lake::Lake& lake, const StreamSetup& stream,
                      const std::vector<ProbedPartition>& partitions) {
  Finding finding{std::move(check), Health::kGood, "nothing read yet", ""};
  const auto bronze = lake.Latest(ingest::kBronzeStream);
  int64_t waiting = 0;
  bool begun = false;
  for (const ProbedPartition& one : partitions) {
    std::map<int64_t, int64_t> epochs;
    if (bronze) {
      epochs = ingest::EpochsIn(**bronze, stream.settings.name, stream.kafka.topic, one.partition);
    }
    const int64_t next = epochs.empty() ? one.low : epochs.rbegin()->second;
    begun |= !epochs.empty();
    if (next < one.low) {
      return {finding.check, Health::kFault,
              fmt::format("partition {}: the lake has read up to {}, the topic begins at {}: {} "
                          "messages are gone",
                          one.partition, next, one.low, one.low - next),
              "`run` goes on behind the gap and names it; send them again, and let the topic keep "
              "messages for longer"};
    }
    if (next > one.high) {
      return {finding.check, Health::kWarning,
              fmt::format("partition {}: the lake has read up to {}, the topic ends at {}",
                          one.partition, next, one.high),
              "a topic made anew is read from its beginning, as a new epoch; if it is not, check "
              "that `brokers` and `topic` name the right one"};
    }
    waiting += one.high - next;
  }
  if (begun || waiting > 0) {
    finding.detail = fmt::format("{} messages wait to be read", FormatCount(waiting));
  }
  return finding;
}

void CheckKafkaStream(const StreamSetup& stream, lake::Lake& lake, Micros now,
                      std::vector<Finding>& findings) {
  const auto check = [&](const char* what) {
    return fmt::format("stream {}: {}", stream.settings.name, what);
  };
  const auto add = [&](Finding finding) { findings.push_back(std::move(finding)); };
  const auto probe = KafkaProbe::Open(stream.kafka);
  const auto brokers = probe ? (*probe)->Brokers() : std::unexpected(probe.error());
  if (!brokers) return add(FindingOf(check("broker"), brokers.error()));
  add({check("broker"), Health::kGood,
       fmt::format("{} answers, {} in all", stream.kafka.brokers, *brokers), ""});
  const auto partitions = (*probe)->Partitions();
  if (!partitions) return add(FindingOf(check("topic"), partitions.error()));
  add(CheckPartitions(check("topic"), stream.kafka.topic, *partitions));
  if (const auto newest = (*probe)->NewestMessage(*partitions)) {
    add({check("permission"), Health::kGood,
         *newest ? "the newest message can be read" : "no message there to try it on", ""});
    add(CheckBrokerClock(check("clock"), *newest, now));
  } else {
    add(FindingOf(check("permission"), newest.error()));
  }
  if (const auto group = (*probe)->Group(*partitions)) {
    add(CheckGroup(check("group"), stream.kafka.group, *group, partitions->size()));
  } else {
    add(FindingOf(check("group"), group.error()));
  }
  add(CheckPosition(check("position"), lake, stream, *partitions));
}

Finding CheckFollowedFile(const StreamSetup& stream) {
  Finding finding{fmt::format("stream {}: file", stream.settings.name), Health::kGood, stream.file,
                  ""};
  if (access(stream.file.c_str(), R_OK) == 0) return finding;
  const bool missing = errno == ENOENT;
  finding.health = missing ? Health::kWarning : Health::kFault;
  finding.detail = fmt::format("{}: {}", stream.file, std::strerror(errno));
  finding.advice = missing ? "`run` waits for it; or mend `file.path`"
                           : "give the user of this program the right to read it";
  return finding;
}

void CheckTopic(const char* name, const std::optional<ingest::KafkaOptions>& kafka,
                std::vector<Finding>& findings) {
  if (!kafka) return;
  const std::string check = fmt::format("outbound {}", name);
  const auto probe = KafkaProbe::Open(*kafka);
  const auto partitions = probe ? (*probe)->Partitions() : std::unexpected(probe.error());
  findings.push_back(partitions ? CheckPartitions(check, kafka->topic, *partitions)
                                : FindingOf(check, partitions.error()));
}

}  // namespace

std::vector<Finding> CheckRules(const Config& config) {
  const auto rules = ReadMonitorRules(config);
  const auto versions = rules ? rules->Versions() : std::unexpected(rules.error());
  if (!versions) {
    Finding fault = FindingOf("rules", versions.error());
    if (fault.advice.empty()) fault.advice = "mend the file; `run` refuses to start with it";
    return {std::move(fault)};
  }
  return {
      {"rules", Health::kGood, fmt::format("{} files: {}", rules->files.size(), *versions), ""}};
}

std::vector<Finding> CheckStreams(const Config& config, lake::Lake& lake, Micros now) {
  const auto streams = ReadStreams(config);
  if (!streams) return {FindingOf("streams", streams.error())};
  std::vector<Finding> findings;
  for (const StreamSetup& stream : *streams) {
    if (stream.source == StreamKind::kKafka) CheckKafkaStream(stream, lake, now, findings);
    if (stream.source == StreamKind::kFile) findings.push_back(CheckFollowedFile(stream));
  }
  return findings;
}

std::vector<Finding> CheckOutbound(const Config& config) {
  const auto outbound = ReadOutbound(config);
  if (!outbound) return {FindingOf("outbound", outbound.error())};
  std::vector<Finding> findings;
  CheckTopic("observations", outbound->observations, findings);
  CheckTopic("alerts", outbound->alerts, findings);
  return findings;
}

std::vector<Finding> CheckHttp(const Config& config, Micros now) {
  const auto streams = ReadStreams(config);
  if (!streams) return {};  // told of the streams
  const auto http = ReadHttp(config, *streams);
  if (!http) return {FindingOf("http", http.error())};
  if (!*http) return {{"http", Health::kGood, "off", ""}};
  const serve::HttpOptions& options = (*http)->options;
  const std::string who = options.users.empty() ? "anybody on this machine"
                                                : fmt::format("{} users", options.users.size());
  if (options.certificate_file.empty()) {
    return {{"http", Health::kGood, fmt::format("http://{} for {}", options.address, who), ""}};
  }
  const auto tls = serve::ServerTls::Load(options.certificate_file, options.key_file);
  if (!tls) return {FindingOf("http", tls.error())};
  const Micros expires = (*tls)->expires();
  const Health health = expires <= now                      ? Health::kFault
                        : expires - now < kRenewCertificate ? Health::kWarning
                                                            : Health::kGood;
  return {{"http", health,
           fmt::format("https://{} for {}; the certificate holds until {}", options.address, who,
                       FormatUtc(expires)),
           health == Health::kGood
               ? ""
               : fmt::format("renew {} and start `run` again", options.certificate_file)}};
}

}  // namespace vitalake::cli
