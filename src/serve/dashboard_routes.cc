#include "serve/dashboard_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ranges>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "serve/http/fields.h"
#include "serve/http/gzip.h"
#include "serve/http/problem.h"

namespace vitalake::embedded {
std::span<const EmbeddedFile> dashboard();
}

namespace vitalake::serve {
namespace {

constexpr std::string_view kManifest = "assets.txt";
// No inline script or style, and nothing from or to anywhere else.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for "
    "'script'";
constexpr std::string_view kForever = "public, max-age=31536000, immutable";
constexpr std::string_view kAskAgain = "no-cache";

HeaderList CommonHeaders(const DashboardFile& file) {
  HeaderList headers = {{"ETag", file.etag},
                        {"Cache-Control", std::string(file.is_document ? kAskAgain : kForever)},
                        {"Vary", "Accept-Encoding"},
                        {"X-Content-Type-Options", "nosniff"}};
  if (file.is_document) {
    headers.emplace_back("Content-Security-Policy", kContentPolicy);
    headers.emplace_back("Referrer-Policy", "no-referrer");
    headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    headers.emplace_back("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
  }
  return headers;
}

}  // namespace

Result<std::vector<DashboardFile>> ReadDashboard(std::span<const EmbeddedFile> files) {
  const auto find = [&](std::string_view name) -> Result<std::string_view> {
    const auto found = std::ranges::find(files, name, &EmbeddedFile::name);
    if (found != files.end()) return found->text;
    return Fail(ErrorKind::kCorrupt, fmt::format("the dashboard has no {}: build it again", name));
  };
  VL_TRY(const std::string_view manifest, find(kManifest));
  std::vector<DashboardFile> read;
  for (const auto part : std::views::split(manifest, '\n')) {
    const std::string_view line(part.begin(), part.end());
    if (line.empty()) continue;
    const size_t first = line.find(' ');
    const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) {
      return Fail(ErrorKind::kCorrupt, fmt::format("{}: bad line: {}", kManifest, line));
    }
    DashboardFile file;
    file.path = line.substr(0, first);
    file.content_type = line.substr(second + 1);
    VL_TRY(file.gzipped, find(line.substr(first + 1, second - first - 1)));
    VL_TRY(file.plain, Gunzipped(file.gzipped));
    file.etag = fmt::format("\"{}\"", HashBytes(file.plain).ToHex());
    file.is_document = file.path == "/";
    read.push_back(std::move(file));
  }
  return read;
}

Response DashboardResponse(const DashboardFile& file, const Request& request) {
  Response response;
  response.headers = CommonHeaders(file);
  if (KnowsTag(request, file.etag)) {
    response.status = 304;
    return response;
  }
  response.content_type = file.content_type;
  const std::string* accepts = request.Header("accept-encoding");
  if (accepts != nullptr && TakesGzip(*accepts)) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = file.gzipped;
  } else {
    response.body = file.plain;
  }
  return response;
}

void AddDashboardRoutes(Routes& routes) {
  auto read = ReadDashboard(embedded::dashboard());
  VL_CHECK(read);  // the build's own files
  const auto files = std::make_shared<const std::vector<DashboardFile>>(*std::move(read));
  const Handler handler = [files](const Request& request, const Reply& reply) {
    const auto file = std::ranges::find(*files, request.path, &DashboardFile::path);
    if (file != files->end()) {
      reply(DashboardResponse(*file, request));
    } else {
      reply(ProblemResponse({404, "the dashboard has no such file", request.path}));
    }
  };
  for (const auto& [path, summary] :
       {std::pair("/", "The dashboard"), std::pair("/assets/{name}", "What its page names")}) {
    Route route = MakeRoute("GET", path, summary, handler);
    route.gives = {std::string_view(path) == "/" ? "text/html" : "*/*"};
    route.access = Access::kAnybody;  // it asks for the token itself
    routes.Add(std::move(route));
  }
}

}  // namespace vitalake::serve
