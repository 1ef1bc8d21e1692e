// BodyStream: the body of an answer that is sent piece by piece, from any thread, over time.
//
//   const BodyStream body = reply.Begin({200, "text/csv", {}}, limits);   // the head is on its way
//   while (more) VL_RETURN_IF_ERROR(body.Send(piece, wait));             // waits for room
//   body.End();
//
// What waits to be sent is bounded, per client and for all together. A producer that can wait for
// its client uses Send; one that serves many (events) uses TrySend, and cuts off a client that does
// not keep up. A client that takes nothing for HttpOptions::write_time is cut off anyway.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/result.h"
#include "serve/http/message.h"

namespace vitalake::serve {

struct StreamHead {
  int status = 200;
  std::string content_type;
  HeaderList headers = {};  // as Response::headers, without Content-Length
};

struct StreamLimits {
  size_t waiting_bytes = 1 << 20;  // more: TrySend says kFull, Send waits
  // Where nothing was sent for so long `heartbeat` is; 0: never.
  std::chrono::milliseconds heartbeat_every{0};
  std::string heartbeat = {};
  // What HttpServer::Drain does: a stream without an end of its own is ended there.
  enum class AtDrain { kAwait, kEnd };
  AtDrain at_drain = AtDrain::kAwait;
};

using SharedPiece = std::shared_ptr<const std::string>;

class BodyQueue;

// Thread-safe; copies are one and the same. When the last goes without End, the client is cut off:
// it can tell that the body is not whole. May outlive the server.
class BodyStream {
 public:
  // Made by Reply::Begin.
  explicit BodyStream(std::shared_ptr<BodyQueue> queue);

  enum class Sent {
    kTaken,
    kFull,  // nothing was taken: too much waits
    kGone,  // the client is, or the server ends
  };
  // Never waits. A piece larger than the limit is taken where nothing else waits.
  Sent TrySend(SharedPiece piece) const;
  Sent TrySend(std::string piece) const;
  // TrySend for what must come: a client without room for it is cut off. Whether it was taken.
  bool SendOrCut(SharedPiece piece) const;
  // Waits for room. kCancelled: the client is gone, the server ends, or `wait.stop`; kDeadline.
  Status Send(SharedPiece piece, const Wait& wait) const;
  Status Send(std::string piece, const Wait& wait) const;
  // What waits is sent, then the body is whole. `trailers` come behind it (not for HTTP/1.0); the
  // head's `Trailer` should name them.
  void End(HeaderList trailers = {}) const;
  // What waits is dropped, and the connection closed.
  void CutOff() const;

  size_t waiting_bytes() const;
  bool gone() const { return gone_token().stop_requested(); }
  // Stopped once the client is gone or the server ends: work for it is of no use then.
  std::stop_token gone_token() const;

 private:
  struct Owner;
  std::shared_ptr<BodyQueue> queue_;
  std::shared_ptr<Owner> owner_;
};

}  // namespace vitalake::serve
