#ifndef FOREWARN_TESTS_UNIT_COLLECTOR_API_TLS_CLIENT_H_
#define FOREWARN_TESTS_UNIT_COLLECTOR_API_TLS_CLIENT_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace forewarn::api {

// A TLS client that sends whatever bytes a test likes. Trusts everyone: what
// is tested here is the other side.
class TlsClient {
 public:
  explicit TlsClient(uint16_t port, int newest = TLS1_3_VERSION) {
    signal(SIGPIPE, SIG_IGN);
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address),
                sizeof(address)) != 0) {
      return;
    }
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, newest);
    SSL_CTX_set_security_level(context_, 0);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_);
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    close(socket_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  std::string cipher() const { return SSL_get_cipher_name(ssl_); }

  // Serial number of the server's certificate.
  std::string ServerSerial() const {
    X509* certificate = SSL_get1_peer_certificate(ssl_);
    if (certificate == nullptr) return "";
    BIGNUM* number =
        ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), nullptr);
    char* text = BN_bn2hex(number);
    std::string serial = text;
    OPENSSL_free(text);
    BN_free(number);
    X509_free(certificate);
    return serial;
  }

  // False when the other side closed.
  bool Send(absl::string_view bytes) {
    while (!bytes.empty()) {
      const int count =
          SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // Everything until the server closes.
  std::string ReadAll() {
    while (Fill()) {
    }
    return std::move(buffer_);
  }

  // One answer, header and body; `has_body` is false after HEAD.
  std::string ReadAnswer(bool has_body = true) {
    size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) return std::move(buffer_);
    }
    end += 4;
    static constexpr char kLength[] = "Content-Length: ";
    size_t length = 0;
    const size_t at = buffer_.substr(0, end).find(kLength);
    if (has_body && at != std::string::npos) {
      const size_t begin = at + sizeof(kLength) - 1;
      (void)absl::SimpleAtoi(
          buffer_.substr(begin, buffer_.find('\r', begin) - begin), &length);
    }
    while (buffer_.size() < end + length && Fill()) {
    }
    std::string answer = buffer_.substr(0, end + length);
    buffer_.erase(0, answer.size());
    return answer;
  }

 private:
  bool Fill() {
    char bytes[4096];
    const int count = SSL_read(ssl_, bytes, sizeof(bytes));
    if (count <= 0) return false;
    buffer_.append(bytes, static_cast<size_t>(count));
    return true;
  }

  int socket_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace forewarn::api

#endif  // FOREWARN_TESTS_UNIT_COLLECTOR_API_TLS_CLIENT_H_
