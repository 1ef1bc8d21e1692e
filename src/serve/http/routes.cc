#include "serve/http/routes.h"

#include <algorithm>
#include <ranges>

#include "base/percent.h"

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
