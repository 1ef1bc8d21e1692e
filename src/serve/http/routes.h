// Routes: one table of what the server answers, and where.
//
// From the table follow 404 (no path fits), 405 with Allow (the path has other methods), the answer
// to OPTIONS, and HEAD where there is GET.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/json_shape.h"
#include "serve/http/message.h"

namespace vitalake::serve {

using Handler = std::function<void(Request request, Reply reply)>;

enum class RunsOn {
  kLoop,  // the event loop: must not block
  kPool,  // a thread of the pool: may block for a while
};

enum class Access {
  kUsers,    // of the server, where there are any
  kAnybody,  // nothing of a patient is told there
};

// A parameter of a route's query or a header field, as clients are told of it.
struct QueryParameter {
  std::string name;
  std::string summary;
  std::string type = "string";  // of JSON: string, integer, boolean
};

struct Route {
  std::string method;
  std::string path;  // "/ingest/{stream}": a part in braces takes any one segment
  std::string summary;
  std::vector<QueryParameter> query = {};
  std::vector<QueryParameter> headers = {};  // that the route looks at
  std::vector<std::string> takes = {};       // media types of the body
  std::vector<std::string> gives = {};       // media types of a good answer
  shape::Shape body = shape::Anything();     // where it is JSON
  shape::Shape answer = shape::Anything();
  int good_status = 200;
  // Answers with other statuses that are no problem details, in the first of `gives`.
  std::vector<std::pair<int, shape::Shape>> also = {};
  Access access = Access::kUsers;
  RunsOn runs_on = RunsOn::kLoop;
  int64_t max_body = 0;  // bytes as sent; more is a 413
  // Without an answer by then the client gets a 503.
  std::chrono::milliseconds patience = std::chrono::seconds(30);
  Handler handler;
};

// A route that answers there; what else it is told is set on it.
Route MakeRoute(std::string method, std::string path, std::string summary, Handler handler);

class Routes {
 public:
  void Add(Route route);
  const std::vector<Route>& all() const { return routes_; }

  struct Match {
    const Route* route = nullptr;  // null: `allowed` says which methods the path has; none: 404
    std::vector<std::string> allowed;
  };
  // Fills request.parameters. HEAD finds GET's route.
  Match Find(Request& request) const;

 private:
  std::vector<Route> routes_;
};

// Splits a request target into path and query; false when it is none we take (no leading slash, a
// bad escape).
bool ParseTarget(std::string_view target, Request& request);

}  // namespace vitalake::serve
