#include "serve/server_tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <system_error>

namespace vitalake::serve {
namespace {

std::unexpected<Error> Unusable(std::string why) {
  return Fail(ErrorKind::kInvalidArgument, std::move(why));
}

Status CheckReadable(const std::string& file) {
  if (std::ifstream(file, std::ios::binary).peek() != std::ifstream::traits_type::eof()) return {};
  return Unusable(fmt::format("cannot read {}: {}; it must be a PEM file that this user may read",
                              file,
                              errno == 0 ? "it is empty" : std::generic_category().message(errno)));
}

}  // namespace

std::string TlsFault() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

struct ServerTls::Impl {
  SSL_CTX* context = nullptr;
  ~Impl() { SSL_CTX_free(context); }
};

ServerTls::ServerTls(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServerTls::~ServerTls() = default;
void* ServerTls::native() const { return impl_->context; }

Result<std::shared_ptr<ServerTls>> ServerTls::Load(const std::string& certificate_file,
                                                   const std::string& key_file) {
  for (const std::string& file : {certificate_file, key_file}) {
    errno = 0;
    VL_RETURN_IF_ERROR(CheckReadable(file));
  }
  auto impl = std::make_unique<Impl>();
  impl->context = SSL_CTX_new(TLS_server_method());
  if (!impl->context) return Fail(ErrorKind::kInternal, "TLS does not start: " + TlsFault());
  SSL_CTX_set_min_proto_version(impl->context, TLS1_2_VERSION);
  SSL_CTX_set_options(impl->context, SSL_OP_NO_RENEGOTIATION);
  // Never asks at the terminal.
  SSL_CTX_set_default_passwd_cb(impl->context, [](char*, int, int, void*) { return 0; });
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(impl->context, certificate_file.c_str()) != 1) {
    return Unusable(
        fmt::format("{} is no certificate in PEM (\"-----BEGIN CERTIFICATE-----\"), the "
                    "server's own first: {}",
                    certificate_file, TlsFault()));
  }
  if (SSL_CTX_use_PrivateKey_file(impl->context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Unusable(
        fmt::format("{} is not the key of {} in PEM, without a passphrase (`openssl pkey "
                    "-in {} -out plain.key` takes one off): {}",
                    key_file, certificate_file, key_file, TlsFault()));
  }
  if (SSL_CTX_check_private_key(impl->context) != 1) {
    return Unusable(fmt::format("{} is the key of another certificate than {}: {}", key_file,
                                certificate_file, TlsFault()));
  }
  return std::shared_ptr<ServerTls>(new ServerTls(std::move(impl)));
}

Micros ServerTls::expires() const {
  std::tm parts = {};
  const X509* const certificate = SSL_CTX_get0_certificate(impl_->context);
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return 0;
  return static_cast<Micros>(timegm(&parts)) * 1'000'000;
}

}  // namespace vitalake::serve
