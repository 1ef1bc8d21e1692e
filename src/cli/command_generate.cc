#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/quantity.h"
#include "ingest/generate/generate.h"
#include "ingest/http_post.h"
#include "ingest/kafka/producer.h"
#include "ingest/pause.h"

namespace vitalake::cli {
namespace {

struct GenerateOptions {
  int64_t count = 0;
  uint64_t seed = ingest::kDefaultSeed;
  std::string patients_file;
  int64_t patients = 0;
  int64_t days = 90;
  double rate = 0;
  double anomalies = 0;
  bool device_types = false;
  double other = 0;
  std::string to;
  std::string labels;
};

// A post's body at most: the service takes 16 MiB.
constexpr size_t kPostBytes = 8 << 20;
// The service answers within 60 s, that it does not know if nothing else.
constexpr std::chrono::seconds kPostPatience{90};
constexpr std::chrono::milliseconds kPostPause{500};

bool IsKafka(std::string_view target) { return target.starts_with("kafka://"); }

bool IsFile(std::string_view target) {
  return !target.empty() && !IsKafka(target) && !ingest::IsHttpUrl(target);
}

Status CheckTarget(Context& context, const GenerateOptions& options) {
  const size_t scheme = options.to.find("://");
  if (scheme != std::string::npos && IsFile(options.to)) {
    return Fail(ErrorKind::kUnsupported,
                fmt::format("--to {}: sending to {} is not supported in this version; give a file, "
                            "kafka://host:port/topic, http://host:port/ingest, or nothing for "
                            "standard output",
                            options.to, options.to.substr(0, scheme)));
  }
  if (options.rate < 0) return Usage(context, "--rate must be above 0");
  return {};
}

// "readings.ndjson" -> "readings.labels.ndjson".
std::string LabelFile(const std::string& data_file) {
  std::filesystem::path path(data_file);
  std::string name = path.stem().string() + ".labels" + path.extension().string();
  return (path.parent_path() / name).string();
}

void Tell(Context& context, const GenerateOptions& options, const ingest::GenerateSummary& done,
          const std::string& labels) {
  if (options.to.empty()) return;
  if (context.json()) {
    JsonWriter writer;
    writer.BeginObject().Key("file").String(options.to).Key("records").Int(done.records);
    writer.Key("bytes").Int(done.bytes).Key("labels").Int(done.labels);
    if (done.labels > 0) writer.Key("label_file").String(labels);
    if (!WriteStdout(writer.EndObject().Take() + "\n")) return;
    return;
  }
  Say(fmt::format("{} records, {} -> {}", FormatCount(done.records), FormatSize(done.bytes),
                  options.to));
  if (done.labels > 0) Say(fmt::format("{} labels -> {}", FormatCount(done.labels), labels));
}

// Lines as the bodies of posts to a service's /ingest, each until it is taken.
class PostedLines {
 public:
  static Result<PostedLines> Open(const std::string& url, Random& random) {
    VL_TRY(ingest::HttpPoster poster, ingest::HttpPoster::Open(kPostPatience));
    return PostedLines(url, fmt::format("generate-{:016x}", random.Next()), std::move(poster));
  }

  Status Write(Context& context, std::string_view block) {
    while (!block.empty()) {
      size_t end = block.size();
      if (end > kPostBytes) end = block.rfind('\n', kPostBytes) + 1;
      VL_RETURN_IF_ERROR(Post(context, block.substr(0, end)));
      block.remove_prefix(end);
    }
    return {};
  }

 private:
  PostedLines(std::string url, std::string name, ingest::HttpPoster poster)
      : url_(std::move(url)), name_(std::move(name)), poster_(std::move(poster)) {}

  Status Post(Context& context, std::string_view lines) {
    // The key makes it safe to send again what may have been taken.
    const std::string headers[] = {"Content-Type: application/fhir+ndjson",
                                   fmt::format("Idempotency-Key: {}-{}", name_, posts_++)};
    for (bool connected = posts_ > 1;; connected = true) {
      const ingest::HttpPoster::Answer answer = poster_.Post(url_, lines, headers);
      if (answer.is_good()) return {};
      if (!answer.is_passing() || (answer.status == 0 && !connected)) {
        return Fail(ErrorKind::kIo,
                    fmt::format("cannot post to {}: {}; it must be the /ingest of a `run` with an "
                                "http stream",
                                url_, answer.ToString()));
      }
      if (auto time = context.wait().Check(context.clock(), "posting"); !time) {
        return Because(std::move(time).error(), answer.ToString());
      }
      ingest::PauseUntilStop(context.stop(), kPostPause);
    }
  }

  std::string url_, name_;
  ingest::HttpPoster poster_;
  int64_t posts_ = 0;
};

// Where the lines go: a file, standard output, a topic, or a service.
class Target {
 public:
  static Result<Target> Open(Context& context, const std::string& to) {
    Target target;
    if (ingest::IsHttpUrl(to)) {
      VL_TRY(PostedLines posts, PostedLines::Open(to, context.random()));
      target.posts_.emplace(std::move(posts));
    } else if (IsKafka(to)) {
      VL_TRY(const ingest::KafkaOptions options, ingest::ParseKafkaUrl(to));
      VL_TRY(target.producer_, ingest::KafkaProducer::Open(options));
    } else {
      VL_TRY(OutputTarget file, OutputTarget::Open(to));
      target.file_.emplace(std::move(file));
    }
    return target;
  }
  Status Write(Context& context, std::string_view block) {
    if (posts_) return posts_->Write(context, block);
    return producer_ ? producer_->SendLines(block, context.wait(), context.clock())
                     : file_->Write(block);
  }
  Status Finish(Context& context) {
    if (posts_) return {};
    return producer_ ? producer_->Flush(context.wait(), context.clock()) : file_->Finish();
  }

 private:
  std::optional<OutputTarget> file_;
  std::optional<PostedLines> posts_;
  std::unique_ptr<ingest::KafkaProducer> producer_;
};

// A sink that writes, counts lines for the bar, and ends on a stop request.
class Writer {
 public:
  Writer(Context& context, Target& target, int64_t expected)
      : context_(context), target_(target), expected_(expected) {}

  Status Write(std::string_view block) {
    if (context_.stop().stop_requested())
      return Fail(ErrorKind::kCancelled, "stopped; nothing was kept");
    VL_RETURN_IF_ERROR(target_.Write(context_, block));
    for (char c : block) lines_ += c == '\n';
    ProgressState state;
    state.step = "making";
    state.records = lines_;
    state.records_total = expected_;
    bar_.Update(std::move(state));
    return {};
  }

 private:
  Context& context_;
  Target& target_;
  int64_t expected_;
  int64_t lines_ = 0;
  ProgressBar bar_;
};

Result<int> GeneratePatients(Context& context, const GenerateOptions& options) {
  VL_RETURN_IF_ERROR(CheckTarget(context, options));
  VL_TRY(Target target, Target::Open(context, options.to));
  ingest::PatientOptions wanted;
  wanted.count = options.count;
  wanted.seed = options.seed;
  Result<ingest::GenerateSummary> done = [&] {
    Writer writer(context, target, options.count);
    return ingest::GeneratePatients(wanted,
                                    [&](std::string_view block) { return writer.Write(block); });
  }();
  if (!done) return std::unexpected(std::move(done).error());
  VL_RETURN_IF_ERROR(target.Finish(context));
  Tell(context, options, *done, "");
  return kExitDone;
}

Result<ingest::ObservationOptions> Wanted(const GenerateOptions& options) {
  ingest::ObservationOptions wanted;
  wanted.count = options.count;
  wanted.seed = options.seed;
  wanted.patients = options.patients;
  wanted.days = options.days;
  wanted.anomaly_share = options.anomalies;
  wanted.other_share = options.other;
  wanted.device_types = options.device_types;
  if (!options.patients_file.empty()) {
    VL_TRY(wanted.patient_ids, ingest::ReadPatientIds(options.patients_file));
  }
  return wanted;
}

// `rate` lines a second, at least one write every 100 ms.
Result<ingest::GenerateSummary> GeneratePaced(Context& context,
                                              const ingest::ObservationOptions& wanted, double rate,
                                              const ingest::GenerateSink& sink,
                                              const ingest::GenerateSink& label_sink) {
  VL_TRY(ingest::ObservationStream stream, ingest::ObservationStream::Make(wanted));
  ingest::GenerateSummary summary;
  auto began = context.clock().Steady();
  std::string block;
  std::string labels;
  while (!stream.done()) {
    double elapsed = std::chrono::duration<double>(context.clock().Steady() - began).count();
    auto due = static_cast<int64_t>(elapsed * rate) + 1;
    block.clear();
    labels.clear();
    for (; summary.records < due && !stream.done(); ++summary.records) {
      summary.labels += stream.Next(block, labels);
    }
    summary.bytes += static_cast<int64_t>(block.size());
    VL_RETURN_IF_ERROR(sink(block));
    if (label_sink && !labels.empty()) VL_RETURN_IF_ERROR(label_sink(labels));
    double next = static_cast<double>(summary.records) / rate - elapsed;
    if (!stream.done()) {
      auto pause = std::chrono::duration<double>(std::clamp(next, 0.0, 0.1));
      context.clock().SleepFor(std::chrono::duration_cast<std::chrono::nanoseconds>(pause));
    }
  }
  return summary;
}

Result<int> GenerateObservations(Context& context, const GenerateOptions& options) {
  VL_RETURN_IF_ERROR(CheckTarget(context, options));
  VL_TRY(ingest::ObservationOptions wanted, Wanted(options));
  std::string label_file = options.labels;
  if (label_file.empty() && IsFile(options.to) && options.anomalies > 0)
    label_file = LabelFile(options.to);
  VL_TRY(Target target, Target::Open(context, options.to));
  std::optional<OutputTarget> labels;
  ingest::GenerateSink label_sink;
  if (!label_file.empty()) {
    VL_TRY(OutputTarget opened, OutputTarget::Open(label_file));
    labels.emplace(std::move(opened));
    label_sink = [&labels](std::string_view block) { return labels->Write(block); };
  }
  Result<ingest::GenerateSummary> done = [&] {
    Writer writer(context, target, options.count);
    auto sink = [&](std::string_view block) { return writer.Write(block); };
    return options.rate > 0 ? GeneratePaced(context, wanted, options.rate, sink, label_sink)
                            : ingest::GenerateObservations(wanted, sink, label_sink);
  }();
  if (!done) return std::unexpected(std::move(done).error());
  if (labels) VL_RETURN_IF_ERROR(labels->Finish());
  VL_RETURN_IF_ERROR(target.Finish(context));
  Tell(context, options, *done, label_file);
  return kExitDone;
}

// CLI11 prints the largest double as the end of its range.
CLI::Validator NotNegative() {
  return CLI::Validator(
      [](std::string& text) {
        return text.starts_with('-') ? text + " is below 0" : std::string();
      },
      "");
}

void AddCommon(CLI::App* command, const std::shared_ptr<GenerateOptions>& options) {
  command->add_option("N", options->count, "How many")->required()->check(NotNegative());
  command->add_option("--seed", options->seed, "The same seed gives the same bytes [1]")
      ->type_name("S");
  command
      ->add_option("--to,-o,--output", options->to,
                   "NDJSON file to write, kafka://host:port/topic, or http://host:port/ingest of a "
                   "service [standard output]")
      ->type_name("FILE");
}

}  // namespace

void AddGenerateCommands(CommandLine& line) {
  CLI::App* group = line.AddGroup("generate", "Synthetic FHIR as NDJSON: patients, observations");
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* patients = line.Add(group, "patients", "N Patients", [options](Context& context) {
    return GeneratePatients(context, *options);
  });
  AddCommon(patients, options);
  AddExamples(patients, {"generate patients 200 --to patients.ndjson"});
  CLI::App* observations =
      line.Add(group, "observations", "N blood-pressure Observations in order of arrival",
               [options](Context& context) { return GenerateObservations(context, *options); });
  AddCommon(observations, options);
  observations
      ->add_option(
          "--patients", options->patients_file,
          "Subjects: the Patients of this NDJSON file [those of `generate patients`, same seed]")
      ->type_name("FILE");
  observations
      ->add_option("--patient-count", options->patients,
                   "Without --patients: how many subjects [one for 25 observations]")
      ->type_name("N")
      ->check(NotNegative());
  observations->add_option("--days", options->days, "Days the arrivals are spread over [90]")
      ->type_name("D")
      ->check(CLI::PositiveNumber);
  observations->add_option("--rate", options->rate, "Observations a second [as fast as possible]")
      ->type_name("R")
      ->check(NotNegative());
  observations
      ->add_option(
          "--anomalies", options->anomalies,
          "Share of lines with an injected anomaly, 0 to 0.5 [0]; labels go to a side file")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 0.5));
  observations
      ->add_option("--other", options->other,
                   "Share of heart rate, oxygen saturation, temperature instead, 0 to 1 [0]")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0));
  observations->add_flag("--device-types", options->device_types,
                         "Home pressures say that a cuff took them, at home [device only named]");
  observations
      ->add_option("--labels", options->labels,
                   "File for the labels [FILE.labels.ndjson beside --to]")
      ->type_name("FILE");
  AddExamples(observations,
              {"generate observations 5000 --patients patients.ndjson --to readings.ndjson",
               "generate observations 500000 --anomalies 0.01 --to readings.ndjson"});
}

}  // namespace vitalake::cli
