// Request, Response, Reply: HTTP as handlers see it, without the library that speaks it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitalake::serve {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;           // "GET"
  std::string scheme = "http";  // "https" over TLS
  std::string path;             // as sent: still percent-encoded, without the query
  HeaderList headers;           // names in lower case, in order of arrival
  std::string body;             // as sent: a content coding is not undone
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::map<std::string, std::string> parameters;           // of the route's path, decoded

  // The first of that name (lower case); null when there is none.
  const std::string* Header(std::string_view name) const;
  const std::string* Query(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type;
  std::string body;
  HeaderList headers = {};  // beside Content-Type, Content-Length, Date and Connection
};

// A good answer in JSON that is not to be kept: it is of the moment.
Response JsonResponse(std::string json, int status = 200);

class BodyQueue;
class BodyStream;
struct StreamHead;
struct StreamLimits;

// Takes the answer to one request, on any thread, once. Copies are one and the same; when the last
// goes without an answer, the client gets a 500.
class Reply {
 public:
  using BeginBody = std::function<std::shared_ptr<BodyQueue>(StreamHead, StreamLimits)>;
  // Without `begin` a body in pieces has nobody to go to.
  explicit Reply(std::function<void(Response)> send, BeginBody begin = {},
                 std::stop_token gone = {});
  // Further calls are ignored.
  void operator()(Response response) const;
  // Answers with a body that comes in pieces (http/body_stream.h). After another answer, or once
  // the route's patience is over, the client is gone from the begin.
  BodyStream Begin(StreamHead head, StreamLimits limits) const;
  // Stopped once the client has closed the connection before it had an answer: work that only
  // reads is of no use then. (Of a body in pieces: BodyStream::gone_token.)
  const std::stop_token& gone() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vitalake::serve
