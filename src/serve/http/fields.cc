#include "serve/http/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <cctype>
#include <chrono>
#include <optional>

namespace vitalake::serve {
namespace {

constexpr std::string_view kBlank = " \t";

std::string_view Opaque(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

void SkipAny(std::string_view& text, std::string_view characters) {
  text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
}

// Takes the first tag, without its W/, off the list; commas may be inside its quotes.
std::optional<std::string_view> TakeTag(std::string_view& list) {
  SkipAny(list, " \t,");
  list = Opaque(list);
  if (!list.starts_with('"')) return std::nullopt;
  const size_t end = list.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view tag = list.substr(0, end + 1);
  list.remove_prefix(tag.size());
  SkipAny(list, kBlank);
  if (!list.empty() && !list.starts_with(',')) return std::nullopt;
  return tag;
}

bool HasTag(std::string_view list, std::string_view opaque) {
  SkipAny(list, kBlank);
  if (list.starts_with('*')) return list.find_first_not_of(kBlank, 1) == std::string_view::npos;
  while (const auto tag = TakeTag(list)) {
    if (*tag == opaque) return true;
  }
  return false;
}

}  // namespace

std::string HttpDate(Micros time) {
  const std::chrono::sys_seconds seconds{
      std::chrono::floor<std::chrono::seconds>(std::chrono::microseconds(time))};
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date{day};
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::chrono::hh_mm_ss clock{seconds - day};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays.substr(size_t{3} * std::chrono::weekday(day).c_encoding(), 3),
                     static_cast<unsigned>(date.day()),
                     kMonths.substr(size_t{3} * (static_cast<unsigned>(date.month()) - 1), 3),
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

bool KnowsTag(const Request& request, std::string_view etag) {
  return std::ranges::any_of(request.headers, [&](const auto& field) {
    return field.first == "if-none-match" && HasTag(field.second, Opaque(etag));
  });
}

bool IsLoopbackHost(std::string_view host) {
  const size_t bracket = host.find(']');
  const size_t colon = host.find(':', bracket == host.npos ? 0 : bracket);
  std::string name(host.substr(0, colon));
  if (colon != host.npos && host.find_first_not_of("0123456789", colon + 1) != host.npos) {
    return false;
  }
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  if (name == "localhost" || name == "[::1]") return true;
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address_v4(name, failed);
  return !failed && address.is_loopback();
}

bool SendsJson(const Request& request) {
  const std::string* const type = request.Header("content-type");
  if (type == nullptr) return false;
  std::string name = type->substr(0, type->find(';'));
  name.erase(name.find_last_not_of(" \t") + 1);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name == "application/json";
}

}  // namespace vitalake::serve
