#include "serve/postgres/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace vitalake::serve {
namespace {

struct KnownSetting {
  std::string_view name;
  std::string_view value;
  bool fixed = false;
};

constexpr std::array kKnownSettings = {
    KnownSetting{"application_name", ""},
    KnownSetting{"bytea_output", "hex"},
    KnownSetting{"client_encoding", "UTF8"},
    KnownSetting{"client_min_messages", "notice"},
    KnownSetting{"DateStyle", "ISO, MDY"},
    KnownSetting{"default_transaction_deferrable", "off"},
    KnownSetting{"default_transaction_isolation", "read committed"},
    KnownSetting{"default_transaction_read_only", "on"},
    KnownSetting{"escape_string_warning", "on"},
    KnownSetting{"extra_float_digits", "1"},
    KnownSetting{"idle_in_transaction_session_timeout", "0"},
    KnownSetting{"in_hot_standby", "off", true},
    KnownSetting{"integer_datetimes", "on", true},
    KnownSetting{"IntervalStyle", "postgres"},
    KnownSetting{"is_superuser", "off", true},
    KnownSetting{"jit", "off"},
    KnownSetting{"lc_collate", "C", true},
    KnownSetting{"lc_ctype", "C", true},
    KnownSetting{"lc_messages", "C"},
    KnownSetting{"lc_monetary", "C"},
    KnownSetting{"lock_timeout", "0"},
    KnownSetting{"max_connections", "256", true},
    KnownSetting{"max_identifier_length", "63", true},
    KnownSetting{"max_index_keys", "32", true},
    KnownSetting{"role", "none"},
    KnownSetting{"row_security", "on"},
    KnownSetting{"search_path", "\"$user\", public"},
    KnownSetting{"server_encoding", "UTF8", true},
    KnownSetting{"server_version", "15.0 (Vitalake)", true},
    KnownSetting{"server_version_num", "150000", true},
    KnownSetting{"session_authorization", "default"},
    KnownSetting{"standard_conforming_strings", "on"},
    KnownSetting{"statement_timeout", "0"},
    KnownSetting{"synchronize_seqscans", "on"},
    KnownSetting{"TimeZone", "UTC"},
    KnownSetting{"transaction_deferrable", "off"},
    KnownSetting{"transaction_isolation", "read committed"},
    KnownSetting{"transaction_read_only", "on"},
};

char LowerChar(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string LowerText(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), LowerChar);
  return out;
}

std::unexpected<Error> NoSuchSetting(std::string_view name) {
  return Fail(ErrorKind::kNotFound,
              fmt::format("unrecognized configuration parameter \"{}\"", name));
}

std::unexpected<Error> BadValue(std::string_view name, std::string_view value) {
  return Fail(ErrorKind::kInvalidArgument,
              fmt::format("invalid value for parameter \"{}\": \"{}\"", name, value));
}

// "30s", "500", "'1 min'" as milliseconds.
std::optional<std::chrono::milliseconds> ParseTimeout(std::string_view text) {
  int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  if (read.ec != std::errc() || count < 0 || count > INT32_MAX) return std::nullopt;
  std::string_view unit(read.ptr, static_cast<size_t>(text.data() + text.size() - read.ptr));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.empty() || unit == "ms") return std::chrono::milliseconds(count);
  if (unit == "s") return std::chrono::seconds(count);
  if (unit == "min") return std::chrono::minutes(count);
  if (unit == "h") return std::chrono::hours(count);
  if (unit == "d") return std::chrono::days(count);
  return std::nullopt;
}

bool IsUtc(std::string_view zone) {
  const std::string lower = LowerText(zone);
  return lower == "utc" || lower == "gmt" || lower == "etc/utc" || lower == "etc/gmt" ||
         lower == "z" || lower == "zulu" || lower == "uct" || lower == "0" || lower == "+00" ||
         lower == "+00:00" || lower == "default" || lower == "local";
}

// What is one value of a setting in another spelling, or not supported.
Result<std::string> Normalised(std::string_view name, std::string_view value) {
  const std::string lower = LowerText(value);
  if (name == "client_encoding") {
    if (lower == "utf8" || lower == "utf-8" || lower == "unicode" || lower == "default") {
      return "UTF8";
    }
    return Fail(ErrorKind::kUnsupported,
                fmt::format("client_encoding \"{}\" is not supported: only UTF8 is", value));
  }
  if (name == "TimeZone") {
    if (IsUtc(value)) return "UTC";
    return Fail(ErrorKind::kUnsupported,
                fmt::format("time zone \"{}\" is not supported: times are given in UTC", value));
  }
  if (name == "DateStyle") {
    if (lower.starts_with("iso") || lower == "default") return "ISO, MDY";
    return Fail(ErrorKind::kUnsupported,
                fmt::format("DateStyle \"{}\" is not supported: only ISO is", value));
  }
  if (name == "IntervalStyle" && lower != "postgres") {
    return Fail(ErrorKind::kUnsupported,
                fmt::format("IntervalStyle \"{}\" is not supported: only postgres is", value));
  }
  if (name == "standard_conforming_strings" && lower != "on" && lower != "true" && lower != "1") {
    return Fail(ErrorKind::kUnsupported, "standard_conforming_strings cannot be off");
  }
  if (name == "bytea_output" && lower != "hex") {
    return Fail(ErrorKind::kUnsupported, "bytea_output can only be hex");
  }
  return std::string(value);
}

}  // namespace

bool PostgresSettings::Less::operator()(std::string_view a, std::string_view b) const {
  return std::ranges::lexicographical_compare(
      a, b, [](char x, char y) { return LowerChar(x) < LowerChar(y); });
}

PostgresSettings::PostgresSettings() {
  Values values;
  for (const KnownSetting& known : kKnownSettings) values.emplace(known.name, known.value);
  now_ = lasting_ = defaults_ = std::make_shared<const Values>(std::move(values));
}

Result<std::string> PostgresSettings::Get(std::string_view name) const {
  const auto found = now_->find(name);
  if (found == now_->end()) return NoSuchSetting(name);
  return found->second;
}

std::string PostgresSettings::Spelling(std::string_view name) const {
  const auto found = now_->find(name);
  return found == now_->end() ? std::string(name) : found->first;
}

Status PostgresSettings::Put(Values& values, std::string_view name, std::string_view value) const {
  auto found = values.find(name);
  if (found == values.end()) {
    if (!name.contains('.')) return NoSuchSetting(name);
    values.emplace(name, value);
    return {};
  }
  const auto known = std::ranges::find(kKnownSettings, found->first, &KnownSetting::name);
  if (known != kKnownSettings.end() && known->fixed) {
    return Fail(ErrorKind::kPermission,
                fmt::format("parameter \"{}\" cannot be changed", found->first));
  }
  if (LowerText(value) == "default") return PutDefault(values, name);
  if (found->first == "statement_timeout" && !ParseTimeout(value)) return BadValue(name, value);
  VL_TRY(found->second, Normalised(found->first, value));
  return {};
}

Status PostgresSettings::PutDefault(Values& values, std::string_view name) const {
  if (LowerText(name) == "all") {
    values = *defaults_;
    return {};
  }
  const auto found = defaults_->find(name);
  if (found == defaults_->end()) return NoSuchSetting(name);
  values[found->first] = found->second;
  return {};
}

template <class Change>
Status PostgresSettings::Apply(For how_long, const Change& change) {
  const auto changed = [&](const ValuesPtr& values) -> Result<ValuesPtr> {
    Values copy = *values;
    VL_RETURN_IF_ERROR(change(copy));
    return std::make_shared<const Values>(std::move(copy));
  };
  const bool same = now_ == lasting_;
  VL_TRY(now_, changed(now_));
  if (how_long == For::kTransaction) return {};
  if (same) {
    lasting_ = now_;
  } else {
    VL_TRY(lasting_, changed(lasting_));
  }
  return {};
}

Status PostgresSettings::Set(std::string_view name, std::string_view value, For how_long) {
  return Apply(how_long, [&](Values& values) { return Put(values, name, value); });
}

Status PostgresSettings::Reset(std::string_view name) {
  return Apply(For::kSession, [&](Values& values) { return PutDefault(values, name); });
}

void PostgresSettings::Begin() { marks_ = {{"", now_, lasting_}}; }

void PostgresSettings::Commit() {
  now_ = lasting_;
  marks_.clear();
}

void PostgresSettings::Rollback() {
  if (!marks_.empty()) now_ = lasting_ = marks_.front().lasting;
  marks_.clear();
}

void PostgresSettings::Savepoint(std::string name) {
  marks_.push_back({std::move(name), now_, lasting_});
}

std::vector<PostgresSettings::Mark>::iterator PostgresSettings::Find(std::string_view savepoint) {
  for (auto mark = marks_.end(); mark != marks_.begin();) {
    // The first is the transaction's own.
    if ((--mark)->name == savepoint && mark != marks_.begin()) return mark;
  }
  return marks_.end();
}

bool PostgresSettings::RollbackTo(std::string_view name) {
  const auto mark = Find(name);
  if (mark == marks_.end()) return false;
  now_ = mark->now;
  lasting_ = mark->lasting;
  marks_.erase(mark + 1, marks_.end());
  return true;
}

bool PostgresSettings::Release(std::string_view name) {
  const auto mark = Find(name);
  if (mark == marks_.end()) return false;
  marks_.erase(mark, marks_.end());
  return true;
}

std::chrono::milliseconds PostgresSettings::statement_timeout() const {
  return ParseTimeout(now_->find("statement_timeout")->second)
      .value_or(std::chrono::milliseconds(0));
}

const std::vector<std::string_view>& PostgresSettings::Reported() {
  static const std::vector<std::string_view> kReported = {"application_name",
                                                          "client_encoding",
                                                          "DateStyle",
                                                          "default_transaction_read_only",
                                                          "in_hot_standby",
                                                          "integer_datetimes",
                                                          "IntervalStyle",
                                                          "is_superuser",
                                                          "server_encoding",
                                                          "server_version",
                                                          "session_authorization",
                                                          "standard_conforming_strings",
                                                          "TimeZone"};
  return kReported;
}

std::vector<std::pair<std::string, std::string>> PostgresSettings::All() const {
  return {now_->begin(), now_->end()};
}

std::vector<std::pair<std::string, std::string>> StartupOptions(std::string_view text) {
  std::vector<std::string> words(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      words.back() += text[++i];
    } else if (text[i] == ' ') {
      words.emplace_back();
    } else {
      words.back() += text[i];
    }
  }
  std::vector<std::pair<std::string, std::string>> settings;
  for (std::string_view word : words) {
    if (word.starts_with("-c") || word.starts_with("--")) word.remove_prefix(2);
    const size_t equals = word.find('=');
    if (equals == word.npos) continue;
    settings.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return settings;
}

}  // namespace vitalake::serve
