#include "serve/http/routes.h"

#include <algorithm>
#include <ranges>

namespace vitalake::serve {
namespace {

std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> segments;
  for (const auto part : std::views::split(path, '/'))
    segments.emplace_back(part.begin(), part.end());
  return segments;
}

bool IsParameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// Fits `path` to a route's; nullopt when it does not.
std::optional<std::map<std::string, std::string>> Fit(std::string_view pattern,
                                                      std::string_view path) {
  const auto wanted = Segments(pattern);
  const auto given = Segments(path);
  if (wanted.size() != given.size()) return std::nullopt;
  std::map<std::string, std::string> parameters;
  for (size_t i = 0; i < wanted.size(); ++i) {
    auto text = PercentDecoded(given[i], false);
    if (!text) return std::nullopt;
    if (IsParameter(wanted[i])) {
      if (text->empty()) return std::nullopt;
      parameters.emplace(wanted[i].substr(1, wanted[i].size() - 2), std::move(*text));
    } else if (*text != wanted[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Route MakeRoute(std::string method, std::string path, std::string summary, Handler handler) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.summary = std::move(summary);
  route.handler = std::move(handler);
  return route;
}

void Routes::Add(Route route) { routes_.push_back(std::move(route)); }

Routes::Match Routes::Find(Request& request) const {
  Match match;
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  for (const Route& route : routes_) {
    auto parameters = Fit(route.path, request.path);
    if (!parameters) continue;
    if (route.method == method) {
      request.parameters = std::move(*parameters);
      match.route = &route;
      return match;
    }
    match.allowed.push_back(route.method);
    if (route.method == "GET") match.allowed.emplace_back("HEAD");
  }
  if (!match.allowed.empty()) match.allowed.emplace_back("OPTIONS");
  std::ranges::sort(match.allowed);
  const auto again = std::ranges::unique(match.allowed);
  match.allowed.erase(again.begin(), again.end());
  return match;
}

std::optional<std::string> PercentDecoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]), low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

bool ParseTarget(std::string_view target, Request& request) {
  target = target.substr(0, target.find('#'));
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (!request.path.starts_with('/') || !PercentDecoded(request.path, false)) return false;
  if (mark == std::string_view::npos) return true;
  for (const auto part : std::views::split(target.substr(mark + 1), '&')) {
    const std::string_view pair(part.begin(), part.end());
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    auto name = PercentDecoded(pair.substr(0, equals), true);
    auto value = PercentDecoded(
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    request.query.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

}  // namespace vitalake::serve
