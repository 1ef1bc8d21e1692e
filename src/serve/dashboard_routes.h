// GET / and /assets/{name}: the dashboard of web/, as it is compiled into the binary.
//
// Everything it shows comes by the documented routes; nothing here reads the lake. Pages are cached
// until the binary changes: the one document is asked for again with its ETag, all else has a name
// that holds its content's hash.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/embedded.h"
#include "base/result.h"
#include "serve/http/routes.h"

namespace vitalake::serve {

// One file of the dashboard, ready to be sent.
struct DashboardFile {
  std::string path;  // "/assets/app-5F2C9A.js"
  std::string content_type;
  std::string etag;          // quoted, of the plain text
  std::string_view gzipped;  // in the binary
  std::string plain;         // for clients that do not take gzip
  bool is_document = false;  // the page itself: everything else never changes under its name
};

// Reads `assets.txt` (lines of path, file, content type) and what it names.
// kCorrupt: the bundle was not built as web/build.mjs builds it.
Result<std::vector<DashboardFile>> ReadDashboard(std::span<const EmbeddedFile> files);

// 304 when the request has the file's ETag; gzip when it takes it.
Response DashboardResponse(const DashboardFile& file, const Request& request);

// Adds GET / and GET /assets/{name}.
void AddDashboardRoutes(Routes& routes);

}  // namespace vitalake::serve
