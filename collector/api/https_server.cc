// The only unit that includes Beast and Asio: it takes most of a minute and
// over a gigabyte to compile.
#define BOOST_ASIO_DISABLE_CO_AWAIT 1

#include "collector/api/https_server.h"

#include <openssl/rand.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "collector/api/problem.h"
#include "collector/api/tls_context.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// Our pages load nothing by themselves and are framed by nobody.
constexpr std::pair<const char*, const char*> kSecurityHeaders[] = {
    {"Content-Security-Policy",
     "default-src 'none'; base-uri 'none'; form-action 'none'; "
     "frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

std::string NewRequestId() {
  unsigned char bytes[8] = {};
  RAND_bytes(bytes, sizeof(bytes));
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<char*>(bytes), sizeof(bytes)));
}

std::string ToString(beast::string_view text) {
  return std::string(text.data(), text.size());
}

std::string HttpDate() {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(),
                          absl::UTCTimeZone());
}

// What a peer did wrong, as an answer; 0 when no answer makes sense.
int StatusOfReadError(const error_code& error) {
  if (error == http::error::header_limit ||
      error == http::error::buffer_overflow) {
    return 431;
  }
  if (error == http::error::body_limit) return 413;
  if (error == http::error::end_of_stream ||
      error == http::error::partial_message) {
    return 0;
  }
  static const boost::system::error_category& http_errors =
      make_error_code(http::error::bad_target).category();
  return error.category() == http_errors ? 400 : 0;
}

}  // namespace

class HttpsServer::Impl {
 public:
  Impl(HttpsServerOptions options, HttpHandler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        acceptor_(io_),
        accept_retry_(io_),
        certificate_timer_(io_),
        drain_timer_(io_),
        handlers_(static_cast<size_t>(options_.handler_threads)) {}
  ~Impl() { Stop(); }

  absl::Status Start();
  void Stop();

  uint16_t port() const { return port_; }
  HttpsServerStats stats() const;

 private:
  class Connection;
  friend class Connection;

  struct Counters {
    std::atomic<uint64_t> open{0}, connections{0}, refused{0};
    std::atomic<uint64_t> handshakes_failed{0}, requests{0};
    std::atomic<uint64_t> requests_refused{0}, reloads{0};
  };

  absl::Status LoadCertificate();
  void Accept();
  void Take(tcp::socket socket);
  void CheckCertificateLater();
  void Drain();
  void Forget(const std::shared_ptr<Connection>& connection);

  const HttpsServerOptions options_;
  const HttpHandler handler_;
  Counters counters_;

  // Everything below belongs to the thread that runs io_.
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer accept_retry_;
  asio::steady_timer certificate_timer_;
  asio::steady_timer drain_timer_;
  // Shared with the connections that began under it.
  std::shared_ptr<asio::ssl::context> tls_;
  std::string certificate_stamp_;
  absl::flat_hash_set<std::shared_ptr<Connection>> connections_;
  absl::flat_hash_map<std::string, size_t> connections_by_peer_;
  bool draining_ = false;

  uint16_t port_ = 0;
  asio::thread_pool handlers_;
  std::thread thread_;
};

// One connection: handshake, then requests one after the other. Owned by the
// operation that is pending and by the server's set.
class HttpsServer::Impl::Connection
    : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Impl& server, tcp::socket socket, std::string peer)
      : server_(server),
        tls_(server.tls_),
        stream_(std::move(socket), *tls_),
        deadline_(server.io_),
        buffer_(server.options_.header_bytes + 128 * 1024),
        peer_(std::move(peer)) {}

  const std::string& peer() const { return peer_; }

  void Start() {
    SetDeadline(server_.options_.handshake_timeout);
    stream_.async_handshake(
        asio::ssl::stream_base::server,
        [self = shared_from_this()](const error_code& error) {
          if (error) {
            ++self->server_.counters_.handshakes_failed;
            return self->Close();
          }
          self->AwaitRequest();
        });
  }

  // The server stops: an idle connection ends now, a busy one after its
  // answer, and with `now` all of them.
  void Drain(bool now) {
    if (now || idle_) Close();
  }

 private:
  void SetDeadline(absl::Duration after) {
    timed_out_ = false;
    deadline_.expires_after(absl::ToChronoNanoseconds(after));
    deadline_.async_wait([weak = weak_from_this()](const error_code& error) {
      auto self = weak.lock();
      if (error || self == nullptr) return;
      // A wait that was set anew while this one was already on its way.
      if (self->deadline_.expiry() > std::chrono::steady_clock::now()) return;
      self->timed_out_ = true;
      error_code ignored;
      self->stream_.next_layer().cancel(ignored);
    });
  }

  void AwaitRequest() {
    if (server_.draining_) return Close();
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(server_.options_.header_bytes));
    parser_->body_limit(server_.options_.body_bytes);
    request_ = std::make_shared<HttpRequest>();
    request_->id = NewRequestId();
    request_->peer = peer_;
    head_ = false;
    if (buffer_.size() > 0) return ReadHeader();
    idle_ = true;
    SetDeadline(server_.options_.idle_timeout);
    stream_.async_read_some(
        buffer_.prepare(4096),
        [self = shared_from_this()](const error_code& error, size_t count) {
          self->idle_ = false;
          if (error) return self->Close();
          self->buffer_.commit(count);
          self->ReadHeader();
        });
  }

  void ReadHeader() {
    SetDeadline(server_.options_.read_timeout);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](const error_code& error, size_t) {
          if (error) return self->Refuse(error);
          self->CheckHeader();
        });
  }

  void CheckHeader() {
    const auto& message = parser_->get();
    request_->method = ToString(message.method_string());
    request_->target = ToString(message.target());
    head_ = request_->method == "HEAD";
    size_t count = 0;
    size_t hosts = 0;
    size_t lengths = 0;
    bool expects = false;
    for (const auto& field : message) {
      ++count;
      const std::string name =
          absl::AsciiStrToLower(ToString(field.name_string()));
      std::string value = ToString(field.value());
      if (name == "host") ++hosts;
      // A list of equal lengths counts as several: nobody needs it.
      if (name == "content-length") {
        lengths += absl::StrContains(value, ',') ? 2 : 1;
      }
      // Whatever else a proxy may understand by it, we do not: this is how
      // requests get smuggled.
      if (name == "transfer-encoding" &&
          !absl::EqualsIgnoreCase(value, "chunked")) {
        return Answer(400, "transfer-encoding other than chunked");
      }
      if (name == "expect") {
        if (!absl::EqualsIgnoreCase(value, "100-continue")) {
          return Answer(400, "unknown expectation");
        }
        expects = true;
      }
      request_->headers.emplace_back(name, std::move(value));
    }
    if (count > server_.options_.header_count) {
      return Answer(431,
                    absl::StrCat("more than ", server_.options_.header_count,
                                 " header fields"));
    }
    if (hosts > 1 || (hosts == 0 && message.version() >= 11)) {
      return Answer(400, "exactly one Host header is needed");
    }
    if (lengths > 1) return Answer(400, "more than one Content-Length");
    if (parser_->is_done()) return Dispatch();
    expects ? Continue() : ReadBody();
  }

  void Continue() {
    static constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(
        stream_, asio::buffer(kContinue, sizeof(kContinue) - 1),
        [self = shared_from_this()](const error_code& error, size_t) {
          if (error) return self->Close();
          self->ReadBody();
        });
  }

  void ReadBody() {
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](const error_code& error, size_t) {
          if (error) return self->Refuse(error);
          self->Dispatch();
        });
  }

  void Refuse(const error_code& error) {
    if (timed_out_) {
      return Answer(408, "the request did not arrive in time");
    }
    const int status = StatusOfReadError(error);
    if (status == 0) return Close();
    const size_t limit = status == 413   ? server_.options_.body_bytes
                         : status == 431 ? server_.options_.header_bytes
                                         : 0;
    Answer(status, limit == 0
                       ? absl::StrCat("malformed HTTP: ", error.message())
                       : absl::StrCat("more than ", limit, " bytes of ",
                                      status == 413 ? "body" : "header"));
  }

  // The peer broke a rule of HTTP or a limit: an answer, then the end.
  void Answer(int status, absl::string_view detail) {
    ++server_.counters_.requests_refused;
    keep_alive_ = false;
    unread_ = true;
    Write(ProblemResponse(status, detail, request_->id));
  }

  void Dispatch() {
    deadline_.cancel();
    ++server_.counters_.requests;
    keep_alive_ = parser_->get().keep_alive();
    request_->body = std::move(parser_->get().body());
    asio::post(server_.handlers_,
               [self = shared_from_this(),
                guard = asio::make_work_guard(server_.io_)]() mutable {
                 auto response = std::make_shared<HttpResponse>(self->Handle());
                 asio::post(guard.get_executor(),
                            [self = std::move(self), response] {
                              self->Write(std::move(*response));
                            });
               });
  }

  // On a handler's thread; the connection waits meanwhile.
  HttpResponse Handle() const {
    try {
      return server_.handler_(*request_);
    } catch (const std::exception& error) {
      base::Log(base::LogLevel::kError, "request handler threw",
                {{"request", request_->id}, {"error", error.what()}});
      return ProblemResponse(500, "the collector failed", request_->id);
    }
  }

  void Write(HttpResponse response) {
    if (server_.draining_) keep_alive_ = false;
    response_.emplace();
    response_->result(static_cast<unsigned>(response.status));
    response_->reason(ReasonPhrase(response.status).data());
    response_->set("Date", HttpDate());
    response_->set("X-Request-Id", request_->id);
    for (const auto& [name, value] : kSecurityHeaders) {
      response_->set(name, value);
    }
    if (!response.content_type.empty()) {
      response_->set(http::field::content_type, response.content_type);
    }
    for (const auto& [name, value] : response.headers) {
      response_->set(name, value);
    }
    response_->keep_alive(keep_alive_);
    if (response.status != 204) {
      response_->content_length(response.body.size());
      if (!head_) response_->body() = std::move(response.body);
    }
    SetDeadline(server_.options_.write_timeout);
    http::async_write(
        stream_, *response_,
        [self = shared_from_this()](const error_code& error, size_t) {
          if (error) return self->Close();
          if (self->keep_alive_) return self->AwaitRequest();
          self->unread_ ? self->Discard() : self->Shutdown();
        });
  }

  // A peer that is still sending would get a reset instead of our answer:
  // swallow a little more before closing.
  void Discard() {
    buffer_.clear();
    SetDeadline(server_.options_.linger_timeout);
    DiscardSome();
  }
  void DiscardSome() {
    stream_.async_read_some(
        buffer_.prepare(16 * 1024),
        [self = shared_from_this()](const error_code& error, size_t count) {
          self->discarded_ += count;
          const size_t most = 4 * self->server_.options_.body_bytes;
          if (self->timed_out_) return self->Shutdown();
          if (error || self->discarded_ > most) return self->Close();
          self->DiscardSome();
        });
  }

  void Shutdown() {
    SetDeadline(absl::Seconds(2));
    stream_.async_shutdown(
        [self = shared_from_this()](const error_code&) { self->Close(); });
  }

  void Close() {
    if (closed_) return;
    closed_ = true;
    deadline_.cancel();
    error_code ignored;
    stream_.next_layer().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.next_layer().close(ignored);
    server_.Forget(shared_from_this());
  }

  Impl& server_;
  const std::shared_ptr<asio::ssl::context> tls_;
  asio::ssl::stream<tcp::socket> stream_;
  asio::steady_timer deadline_;
  beast::flat_buffer buffer_;
  const std::string peer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::shared_ptr<HttpRequest> request_;  // shared with the running handler
  std::optional<http::response<http::string_body>> response_;
  bool idle_ = false;
  bool head_ = false;
  bool keep_alive_ = false;
  bool unread_ = false;
  bool timed_out_ = false;
  bool closed_ = false;
  size_t discarded_ = 0;
};

absl::Status HttpsServer::Impl::LoadCertificate() {
  const std::string stamp =
      FilesStamp(options_.certificate_path, options_.key_path);
  FOREWARN_ASSIGN_OR_RETURN(
      TlsContext context,
      MakeTlsContext(options_.certificate_path, options_.key_path));
  tls_ = std::make_shared<asio::ssl::context>(context.release());
  certificate_stamp_ = stamp;
  return absl::OkStatus();
}

absl::Status HttpsServer::Impl::Start() {
  FOREWARN_RETURN_IF_ERROR(LoadCertificate());
  error_code error;
  const auto address = asio::ip::make_address(options_.address, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen on ", options_.address, ": not an IP address"));
  }
  const tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(128, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("listen on ", options_.address,
                                               ":", options_.port, ": ",
                                               error.message()));
  }
  port_ = acceptor_.local_endpoint(error).port();
  Accept();
  CheckCertificateLater();
  thread_ = std::thread([this] { io_.run(); });
  return absl::OkStatus();
}

void HttpsServer::Impl::Stop() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] { Drain(); });
  thread_.join();
  handlers_.join();
}

HttpsServerStats HttpsServer::Impl::stats() const {
  return {.open_connections = counters_.open,
          .connections = counters_.connections,
          .connections_refused = counters_.refused,
          .handshakes_failed = counters_.handshakes_failed,
          .requests = counters_.requests,
          .requests_refused = counters_.requests_refused,
          .certificate_reloads = counters_.reloads};
}

void HttpsServer::Impl::Accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (draining_) return;
    if (!error) {
      Take(std::move(socket));
      return Accept();
    }
    // Out of descriptors, most likely: give them a moment to come back.
    accept_retry_.expires_after(std::chrono::milliseconds(100));
    accept_retry_.async_wait([this](const error_code& cancelled) {
      if (!cancelled) Accept();
    });
  });
}

void HttpsServer::Impl::Take(tcp::socket socket) {
  error_code error;
  auto address = socket.remote_endpoint(error).address();
  if (error) return;  // gone already
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  std::string peer = address.to_string();
  size_t& of_peer = connections_by_peer_[peer];
  if (connections_.size() >= options_.connections ||
      of_peer >= options_.connections_per_peer) {
    if (of_peer == 0) connections_by_peer_.erase(peer);
    ++counters_.refused;
    return;
  }
  ++of_peer;
  ++counters_.connections;
  ++counters_.open;
  socket.set_option(tcp::no_delay(true), error);
  auto connection =
      std::make_shared<Connection>(*this, std::move(socket), std::move(peer));
  connections_.insert(connection);
  connection->Start();
}

void HttpsServer::Impl::Forget(const std::shared_ptr<Connection>& connection) {
  if (connections_.erase(connection) == 0) return;
  --counters_.open;
  const auto of_peer = connections_by_peer_.find(connection->peer());
  if (--of_peer->second == 0) connections_by_peer_.erase(of_peer);
  if (draining_ && connections_.empty()) drain_timer_.cancel();
}

void HttpsServer::Impl::CheckCertificateLater() {
  certificate_timer_.expires_after(
      absl::ToChronoNanoseconds(options_.certificate_check));
  certificate_timer_.async_wait([this](const error_code& cancelled) {
    if (cancelled || draining_) return;
    if (FilesStamp(options_.certificate_path, options_.key_path) !=
        certificate_stamp_) {
      // Certificate and key are two files: between the two writes they do
      // not fit, so keep the old pair and look again.
      if (absl::Status status = LoadCertificate(); status.ok()) {
        ++counters_.reloads;
        base::Log(base::LogLevel::kInfo, "server certificate reloaded");
      } else {
        base::Log(base::LogLevel::kWarning, "server certificate not reloaded",
                  {{"error", base::ToLine(status)}});
      }
    }
    CheckCertificateLater();
  });
}

void HttpsServer::Impl::Drain() {
  draining_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  accept_retry_.cancel();
  certificate_timer_.cancel();
  const auto all = connections_;
  for (const auto& connection : all) connection->Drain(/*now=*/false);
  drain_timer_.expires_after(absl::ToChronoNanoseconds(options_.drain_timeout));
  drain_timer_.async_wait([this](const error_code& cancelled) {
    if (cancelled) return;
    const auto rest = connections_;
    for (const auto& connection : rest) connection->Drain(/*now=*/true);
  });
  if (connections_.empty()) drain_timer_.cancel();
}

HttpsServer::HttpsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpsServer::~HttpsServer() = default;

absl::StatusOr<std::unique_ptr<HttpsServer>> HttpsServer::Start(
    HttpsServerOptions options, HttpHandler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler));
  FOREWARN_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<HttpsServer>(new HttpsServer(std::move(impl)));
}

uint16_t HttpsServer::port() const { return impl_->port(); }
HttpsServerStats HttpsServer::stats() const { return impl_->stats(); }
void HttpsServer::Stop() { impl_->Stop(); }

}  // namespace forewarn::api
