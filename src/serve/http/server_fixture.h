// A client that sends exactly the bytes it is told to.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <string>
#include <string_view>

namespace vitalake::serve {

class RawClient {
 public:
  // `url` as HttpServer gives it.
  explicit RawClient(std::string_view url) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    uint16_t port = 0;
    const std::string_view digits = url.substr(url.rfind(':') + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
    address.sin_port = htons(port);
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(fd_); }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // closed by the server: what it said first can still be read
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  // Nothing more will be sent; answers are still read.
  void HalfClose() { shutdown(fd_, SHUT_WR); }
  // Reads until `enough` holds of all that came, the server closes, or 10 s passed.
  template <class Enough>
  const std::string& ReadUntil(const Enough& enough) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    char piece[4096];
    while (!closed_ && !enough(received_) && std::chrono::steady_clock::now() < deadline) {
      pollfd waiting{fd_, POLLIN, 0};
      if (poll(&waiting, 1, 100) <= 0) continue;
      const ssize_t got = recv(fd_, piece, sizeof piece, 0);
      closed_ = got <= 0;
      if (got > 0) received_.append(piece, static_cast<size_t>(got));
    }
    return received_;
  }
  // Everything until the server closes.
  const std::string& ReadAll() {
    return ReadUntil([](const std::string&) { return false; });
  }
  const std::string& ReadUntilHas(std::string_view text) {
    return ReadUntil([&](const std::string& all) { return all.find(text) != std::string::npos; });
  }
  bool closed() const { return closed_; }

 private:
  int fd_ = -1;
  bool closed_ = false;
  std::string received_;
};

}  // namespace vitalake::serve
