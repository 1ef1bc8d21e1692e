// Where a server listens, as the configuration names it.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "base/result.h"

namespace vitalake::serve {

// "127.0.0.1:5439", "[::1]:0", "localhost:8080", "0.0.0.0:5439". kInvalidArgument.
Result<boost::asio::ip::tcp::endpoint> ParseListenAddress(const std::string& text);

// Why nothing can be listened to there, with what helps.
std::unexpected<Error> ListenError(const std::string& address,
                                   const boost::system::error_code& failed);

// Opens, binds and listens.
Status Listen(boost::asio::ip::tcp::acceptor& acceptor, const std::string& address);

// kInvalidArgument unless the address is on loopback or both TLS and users are configured; the
// message names what is missing of `<section>_tls` and `<section>_users`.
Status CheckExposure(const std::string& address, bool has_tls, bool has_users,
                     std::string_view section);

}  // namespace vitalake::serve
