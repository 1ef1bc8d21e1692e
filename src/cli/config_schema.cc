#include "cli/config_schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "cli/quantity.h"

namespace vitalake::cli {
namespace {

KeySpec Key(std::string name, KeyType type, std::string default_text = {}) {
  KeySpec key;
  key.name = std::move(name);
  key.type = type;
  key.default_text = std::move(default_text);
  return key;
}

KeySpec Choice(std::string name, std::vector<std::string> choices, std::string default_text) {
  KeySpec key = Key(std::move(name), KeyType::kChoice, std::move(default_text));
  key.choices = std::move(choices);
  return key;
}

KeySpec Section(std::string name, std::vector<KeySpec> children) {
  KeySpec key = Key(std::move(name), KeyType::kSection);
  key.children = std::move(children);
  return key;
}

KeySpec Optional(KeySpec section) {
  section.off_when_absent = true;
  return section;
}

KeySpec Required(KeySpec key) {
  key.required = true;
  return key;
}

KeySpec Secret(KeySpec key) {
  key.secret = true;
  return key;
}

KeySpec OrAuto(KeySpec key) {
  key.auto_allowed = true;
  return key;
}

KeySpec OrOff(KeySpec key) {
  key.off_allowed = true;
  return key;
}

KeySpec KafkaSecurity() {
  return Optional(
      Section("security",
              {Choice("protocol", {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}, ""),
               Choice("mechanism", {"plain", "scram-sha-256", "scram-sha-512", "oauthbearer"}, ""),
               Key("username", KeyType::kText), Secret(Key("password", KeyType::kText)),
               Secret(Key("connection_string", KeyType::kText)), Key("token_url", KeyType::kText),
               Key("scope", KeyType::kText), Key("ca_file", KeyType::kPath),
               Key("certificate_file", KeyType::kPath), Key("key_file", KeyType::kPath)}));
}

KeySpec Streams() {
  KeySpec kafka = Optional(Section(
      "kafka", {Required(Key("brokers", KeyType::kText)), Required(Key("topic", KeyType::kText)),
                Key("group", KeyType::kText, "vitalake"),
                Choice("preset", {"kafka", "eventhubs"}, "kafka"), KafkaSecurity()}));
  KeySpec generator = Optional(Section(
      "generator", {Key("patients", KeyType::kCount, "200"), Key("rate", KeyType::kCount, "50"),
                    Key("seed", KeyType::kCount, "1"), Key("anomalies", KeyType::kShare, "0")}));
  KeySpec streams = Key("streams", KeyType::kList);
  streams.off_when_absent = true;
  streams.children = {Required(Key("name", KeyType::kText)),
                      Key("id_space", KeyType::kText),
                      Choice("key", {"id", "identifier"}, "id"),
                      Choice("time", {"effective", "received"}, "effective"),
                      std::move(kafka),
                      Optional(Section("http", {})),
                      Optional(Section("file", {Required(Key("path", KeyType::kPath))})),
                      std::move(generator),
                      Section("commit", {Key("every", KeyType::kDuration, "400ms"),
                                         Key("rows", KeyType::kCount, "50000"),
                                         Key("bytes", KeyType::kSize, "64MB"),
                                         Key("merge_every", KeyType::kDuration, "5s")})};
  return streams;
}

KeySpec Landing() {
  return Optional(Section(
      "landing", {Required(Key("path", KeyType::kPath)), Key("watch", KeyType::kFlag, "true"),
                  Key("settle", KeyType::kDuration, "10s"), Key("sweep", KeyType::kDuration, "24h"),
                  Key("source", KeyType::kText), Key("id_space", KeyType::kText),
                  Choice("key", {"id", "identifier"}, "id")}));
}

KeySpec Outbound() {
  return Optional(Section(
      "outbound",
      {Optional(
           Section("kafka", {Required(Key("brokers", KeyType::kText)),
                             Key("observations", KeyType::kText), Key("alerts", KeyType::kText),
                             Choice("preset", {"kafka", "eventhubs"}, "kafka"), KafkaSecurity()})),
       Optional(Section(
           "webhook", {Required(Key("url", KeyType::kText)), Secret(Key("secret", KeyType::kText)),
                       Key("ca_file", KeyType::kPath)})),
       Key("names", KeyType::kFlag, "true")}));
}

KeySpec Users(const char* name, const char* secret) {
  KeySpec users = Key(name, KeyType::kList);
  users.off_when_absent = true;
  users.children = {Required(Key("name", KeyType::kText)),
                    Required(Secret(Key(secret, KeyType::kText)))};
  return users;
}

KeySpec Tls(const char* name) {
  return Optional(Section(name, {Required(Key("certificate_file", KeyType::kPath)),
                                 Required(Key("key_file", KeyType::kPath))}));
}

KeySpec BuildSchema() {
  return Section("",
                 {Key("lake", KeyType::kPath, "./lake"), Key("memory", KeyType::kSize, "1GB"),
                  Choice("log_level", {"trace", "debug", "info", "warn", "error", "off"}, "warn"),
                  Key("views", KeyType::kPath), Key("models", KeyType::kPath), Landing(), Streams(),
                  Outbound(),
                  Section("monitor", {Key("rules", KeyType::kPath, "rules/"),
                                      Key("guideline", KeyType::kText, "aha-acc-2025"),
                                      Key("late_after", KeyType::kDuration, "15m"),
                                      Key("late_critical_within", KeyType::kDuration, "24h")}),
                  Section("serve", {OrOff(Key("http", KeyType::kAddress, "127.0.0.1:8080")),
                                    OrOff(Key("postgres", KeyType::kAddress, "127.0.0.1:5439")),
                                    Users("http_users", "token"), Tls("http_tls"),
                                    Users("postgres_users", "password"), Tls("postgres_tls")}),
                  Section("engine", {OrAuto(Key("threads", KeyType::kCount, "auto")),
                                     OrAuto(Key("spill", KeyType::kPath, "auto"))}),
                  Section("maintain", {Key("small_files", KeyType::kCount, "32"),
                                       Key("target_rows", KeyType::kCount, "400000"),
                                       Key("target_file", KeyType::kSize, "128MB"),
                                       Key("checkpoint_every", KeyType::kCount, "100"),
                                       Key("retain", KeyType::kDuration, "168h")})});
}

template <class T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool IsAddress(std::string_view text) {
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  auto port = ParseNumber<int>(text.substr(colon + 1));
  return port && *port >= 0 && *port <= 65535;
}

std::unexpected<Error> NotA(std::string_view text, std::string_view what) {
  return Fail(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is not {}", text, what));
}

}  // namespace

const KeySpec& ConfigSchema() {
  static const KeySpec kSchema = BuildSchema();
  return kSchema;
}

Status CheckValue(const KeySpec& key, std::string_view text) {
  if (key.auto_allowed && text == "auto") return {};
  if (key.off_allowed && text == "off") return {};
  switch (key.type) {
    case KeyType::kSize: {
      VL_RETURN_IF_ERROR(ParseSize(text));
      return {};
    }
    case KeyType::kDuration: {
      VL_RETURN_IF_ERROR(ParseDuration(text));
      return {};
    }
    case KeyType::kFlag:
      if (text != "true" && text != "false") return NotA(text, "true or false");
      return {};
    case KeyType::kCount: {
      auto value = ParseNumber<int64_t>(text);
      if (!value || *value < 0) {
        return NotA(text, key.auto_allowed ? "a whole number or auto" : "a whole number");
      }
      return {};
    }
    case KeyType::kShare: {
      auto value = ParseNumber<double>(text);
      if (!value || !(*value >= 0 && *value <= 1)) return NotA(text, "a number from 0 to 1");
      return {};
    }
    case KeyType::kChoice:
      if (std::ranges::find(key.choices, text) == key.choices.end()) {
        return NotA(text, fmt::format("one of {}", fmt::join(key.choices, ", ")));
      }
      return {};
    case KeyType::kAddress:
      if (!IsAddress(text)) {
        return NotA(text, key.off_allowed ? "an address like 127.0.0.1:8080, or off"
                                          : "an address like 127.0.0.1:8080");
      }
      return {};
    default:
      return {};
  }
}

}  // namespace vitalake::cli
