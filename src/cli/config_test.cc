#include "cli/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/config_text.h"

namespace vitalake::cli {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// The message of a fault, or "" when the file is good.
std::string FaultOf(std::string_view yaml, const ConfigSources& sources = {}) {
  auto config = Config::Parse(yaml, "v.yaml", sources);
  return config ? "" : config.error().message;
}

// The page on configuration, as it stands there.
constexpr std::string_view kWhole = R"(lake: ./lake
memory: 1GB                      # of the whole process
landing: {path: ./landing, watch: true, settle: 10s, sweep: 24h, source: patient, id_space: "", key: id}
streams:
  - name: observations
    id_space: ""
    key: id
    time: effective
    kafka: {brokers: "localhost:9092", topic: observations, group: vitalake, preset: kafka, security: {protocol: sasl_ssl}}
    commit: {every: 400ms, rows: 50000, merge_every: 5s}
outbound: {kafka: {brokers: "b:9092", observations: observations-enriched, alerts: alerts}, webhook: {url: "https://x", secret: "${env:HOOK_SECRET}"}, names: true}
monitor: {rules: rules/, guideline: aha-acc-2025, late_after: 15m, late_critical_within: 24h}
serve: {http: "127.0.0.1:8080", postgres: "127.0.0.1:5439"}
engine: {threads: auto, spill: auto}
maintain: {small_files: 32, target_rows: 400000, target_file: 128MB, checkpoint_every: 100, retain: 168h}
)";

TEST(Config, TakesTheWholeDocumentedFile) {
  auto config = Config::Parse(kWhole, "v.yaml", {});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->Size("memory").value(), 1'000'000'000);
  EXPECT_EQ(config->Text("landing.source").value(), "patient");
  EXPECT_EQ(config->Text("streams[0].kafka.topic").value(), "observations");
  EXPECT_EQ(config->Find("streams[0].commit.rows")->origin, "v.yaml:10");
  EXPECT_EQ(config->Count("engine.threads").value(), 0);
  EXPECT_EQ(config->Text("outbound.kafka.alerts").value(), "alerts");
  EXPECT_THAT(config->remarks(), Not(Contains(HasSubstr("landing"))));
}

TEST(Config, HasDefaultsAndLeavesSectionsOff) {
  auto config = Config::Parse("", "", {});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->Text("lake").value(), "./lake");
  EXPECT_EQ(config->Text("serve.http").value(), "127.0.0.1:8080");
  EXPECT_EQ(config->Find("landing.path"), nullptr);
  EXPECT_EQ(config->Find("outbound.names"), nullptr);
  EXPECT_TRUE(config->remarks().empty());
}

TEST(Config, FlagWinsOverEnvironmentOverFileOverDefault) {
  ConfigSources sources;
  auto lake = [&] { return Config::Parse("lake: file\n", "v.yaml", sources)->Find("lake")->text; };
  EXPECT_EQ(lake(), "file");
  sources.environment["VITALAKE_LAKE"] = "environment";
  EXPECT_EQ(lake(), "environment");
  sources.flags["lake"] = "flag";
  EXPECT_EQ(lake(), "flag");
}

TEST(Config, EnvironmentReachesEveryKeyAndTurnsSectionsOn) {
  ConfigSources sources;
  sources.environment = {{"VITALAKE_LANDING_PATH", "/in"},
                         {"VITALAKE_LANDING_ID_SPACE", "a"},
                         {"VITALAKE_ENGINE_THREADS", "3"},
                         {"VITALAKE_MEMROY", "1GB"}};
  auto config = Config::Parse("", "", sources);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->Text("landing.id_space").value(), "a");
  EXPECT_EQ(config->Text("landing.settle").value(), "10s");
  EXPECT_EQ(config->Count("engine.threads").value(), 3);
  EXPECT_THAT(config->remarks(), Contains("environment variable VITALAKE_MEMROY names no setting; "
                                          "did you mean VITALAKE_MEMORY?"));
}

TEST(Config, NamesPlaceAndNearestKeyOfAnUnknownOne) {
  EXPECT_EQ(FaultOf("lake: x\nmemroy: 1GB\n"),
            "v.yaml:2: unknown key `memroy`; did you mean `memory`?");
  EXPECT_EQ(FaultOf("landing:\n  path: x\n  setle: 1s\n"),
            "v.yaml:3: unknown key `setle` in `landing`; did you mean `settle`?");
  EXPECT_THAT(FaultOf("zzzzzzzzz: 1\n"),
              HasSubstr("v.yaml:1: unknown key `zzzzzzzzz`; known are lake, memory"));
  EXPECT_EQ(FaultOf("streams:\n - name: a\n   http: {port: 1}\n"),
            "v.yaml:3: unknown key `port` in `streams[0].http`: it takes none");
}

TEST(Config, ChecksTypes) {
  EXPECT_THAT(FaultOf("memory: lots\n"), HasSubstr("v.yaml:1: `memory`: \"lots\" is no size"));
  EXPECT_THAT(FaultOf("landing: {path: x, settle: 10}\n"), HasSubstr("is no duration"));
  EXPECT_THAT(FaultOf("landing: {path: x, watch: yes}\n"), HasSubstr("not true or false"));
  EXPECT_THAT(FaultOf("landing: {path: x, key: uuid}\n"), HasSubstr("not one of id, identifier"));
  EXPECT_THAT(FaultOf("serve: {http: 8080}\n"), HasSubstr("not an address"));
  EXPECT_THAT(FaultOf("engine: {threads: -1}\n"), HasSubstr("not a whole number or auto"));
  EXPECT_THAT(FaultOf("lake: {a: b}\n"), HasSubstr("`lake` takes one value"));
  EXPECT_THAT(FaultOf("landing: x\n"), HasSubstr("`landing` is a section"));
  EXPECT_THAT(FaultOf("streams: {name: x}\n"), HasSubstr("`streams` is a list"));
  EXPECT_THAT(FaultOf("- a\n"), HasSubstr("v.yaml:1: the file is no list of `key: value` lines"));
}

TEST(Config, ChecksWhatBelongsTogether) {
  EXPECT_THAT(FaultOf("landing: {watch: true}\n"), HasSubstr("`landing.path` is missing"));
  EXPECT_THAT(FaultOf("streams:\n  - name: a\n"),
              HasSubstr("v.yaml:2: `streams[0]` needs exactly one of"));
  EXPECT_THAT(FaultOf("streams:\n  - {name: a, http: {}, generator: {}}\n"),
              HasSubstr("exactly one"));
  EXPECT_EQ(FaultOf("streams:\n  - {name: a, http: {}}\n"), "");
  EXPECT_THAT(FaultOf("lake: a\nlake: b\n"), HasSubstr("v.yaml:2: `lake` is given twice"));
}

TEST(Config, NamesTheLineOfBrokenYaml) {
  EXPECT_THAT(FaultOf("lake: a\n  memory: [1\n"), HasSubstr("v.yaml:2: "));
  EXPECT_THAT(FaultOf("lake: a\n---\nlake: b\n"), HasSubstr("more than one document"));
}

TEST(Config, ReplacesReferencesOnlyWhenUsed) {
  ASSERT_EQ(setenv("CONFIG_TEST_SECRET", "s3cret", 1), 0);
  fs::path folder = fs::path(testing::TempDir()) / "config_test_references";
  fs::create_directories(folder);
  std::ofstream(folder / "key") << "from file\n";
  ConfigSources sources;
  sources.working_folder = folder;
  auto config = Config::Parse(
      "lake: \"/data/${env:CONFIG_TEST_SECRET}\"\n"
      "outbound: {webhook: {url: \"${env:CONFIG_TEST_MISSING}\", secret: \"${file:key}\"}}\n",
      "v.yaml", sources);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->Path("lake").value(), "/data/s3cret");
  EXPECT_EQ(config->Text("outbound.webhook.secret").value(), "from file");
  auto missing = config->ResolveAll();
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().ToString(), HasSubstr("CONFIG_TEST_MISSING is not set"));
  EXPECT_THAT(missing.error().ToString(), HasSubstr("outbound.webhook.url at v.yaml:2"));
}

TEST(Config, ShowsNoSecret) {
  auto config = Config::Parse(
      "streams:\n  - name: a\n    kafka: {brokers: b, topic: t, security: {username: u, password: "
      "hidden}}\n"
      "outbound: {webhook: {url: u, secret: \"${env:HOOK_SECRET}\"}}\n",
      "v.yaml", {});
  ASSERT_TRUE(config) << config.error().message;
  for (const std::string& shown : {ConfigYaml(*config), ConfigJson(*config)}) {
    EXPECT_THAT(shown, Not(HasSubstr("hidden")));
    EXPECT_THAT(shown, HasSubstr("********"));
    EXPECT_THAT(shown, HasSubstr("${env:HOOK_SECRET}"));
  }
}

TEST(Config, PrintsWhatItCanReadBack) {
  auto config = Config::Parse(kWhole, "v.yaml", {});
  ASSERT_TRUE(config);
  auto again = Config::Parse(ConfigYaml(*config), "printed.yaml", {});
  ASSERT_TRUE(again) << again.error().message << "\n" << ConfigYaml(*config);
  ASSERT_EQ(again->settings().size(), config->settings().size());
  for (size_t i = 0; i < config->settings().size(); ++i) {
    EXPECT_EQ(again->settings()[i].path, config->settings()[i].path);
    EXPECT_EQ(again->settings()[i].text, config->settings()[i].text);
  }
}

TEST(Config, PathsGoByTheFilesFolderOrTheWorkingFolder) {
  fs::path folder = fs::path(testing::TempDir()) / "config_test_paths";
  fs::create_directories(folder / "etc");
  std::ofstream(folder / "etc" / "v.yaml") << "lake: ../data\n";
  ConfigSources sources;
  sources.working_folder = folder;
  sources.file = "etc/v.yaml";
  EXPECT_EQ(Config::Load(sources)->Path("lake").value(), (folder / "data").string());
  sources.flags["lake"] = "data";
  EXPECT_EQ(Config::Load(sources)->Path("lake").value(), (folder / "data").string());
  sources.flags["lake"] = "s3://bucket/lake";
  EXPECT_EQ(Config::Load(sources)->Path("lake").value(), "s3://bucket/lake");
  std::ofstream(folder / "etc" / "v.yaml") << "engine: {spill: ../fast}\n";
  EXPECT_EQ(Config::Load(sources)->Path("engine.spill").value(), (folder / "fast").string());
  std::ofstream(folder / "etc" / "v.yaml") << "engine: {spill: auto}\n";
  EXPECT_EQ(Config::Load(sources)->Path("engine.spill").value(), "");
  sources.file = "missing.yaml";
  EXPECT_EQ(Config::Load(sources).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace vitalake::cli
