// It takes most of a minute to compile: keep Beast and Asio here.
#define BOOST_ASIO_DISABLE_CO_AWAIT 1

#include "protos/http/http_exchange.h"

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <exception>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protos/base/status.h"
#include "protos/net/localhost.h"
#include "protos/net/peer_name.h"

namespace forewarn::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Message = beast::http::request<beast::http::string_body>;
using Parser = beast::http::response_parser<beast::http::string_body>;

std::string Authority(const Request& request) {
  const bool bare_v6 = absl::StrContains(request.host, ':');
  return absl::StrCat(bare_v6 ? "[" : "", request.host, bare_v6 ? "]" : "",
                      request.port == (request.tls ? 443 : 80)
                          ? ""
                          : absl::StrCat(":", request.port));
}

Message MessageOf(const Request& request) {
  Message message;
  message.method_string(request.method);
  message.target(request.target);
  message.version(11);
  message.set(beast::http::field::host, Authority(request));
  message.set(beast::http::field::connection, "close");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  if (!request.body.empty() || request.method == "POST") {
    message.prepare_payload();
  }
  return message;
}

std::string FieldOf(const Parser& parser, const char* name) {
  const auto value = parser.get()[name];
  return std::string(value.data(), value.size());
}

}  // namespace

struct Exchange::Core {
  // One step: starts an operation and runs until it has ended, or the
  // deadline, or Cancel.
  template <typename Start>
  absl::Status Await(const char* deed, Start start) {
    std::optional<error_code> ended;
    start([&ended](const error_code& error, const auto&...) { ended = error; });
    context.restart();
    while (!ended.has_value() && !cancelled) {
      if (context.run_one_until(deadline) == 0) break;
    }
    if (cancelled) return absl::CancelledError(absl::StrCat(deed, ": stopped"));
    if (!ended.has_value()) {
      return absl::DeadlineExceededError(
          absl::StrCat(deed, ": no answer in time"));
    }
    last = *ended;
    if (!last.failed()) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(deed, ": ", last.message()));
  }

  absl::Status LookUp(const Request& request,
                      std::vector<tcp::endpoint>& addresses) {
    tcp::resolver resolver(context);
    return Await("look up the name", [&](auto handler) {
      resolver.async_resolve(
          request.host, absl::StrCat(request.port),
          [&addresses, handler](const error_code& error,
                                const tcp::resolver::results_type& found) {
            addresses.assign(found.begin(), found.end());
            handler(error);
          });
    });
  }

  absl::Status Connect(const Request& request, tcp::socket& socket) {
    std::vector<tcp::endpoint> addresses;
    if (net::IsLocalhost(request.host)) {
      for (const char* address : net::kLoopback) {
        addresses.emplace_back(asio::ip::make_address(address),
                               static_cast<uint16_t>(request.port));
      }
    } else {
      FOREWARN_RETURN_IF_ERROR(LookUp(request, addresses));
    }
    return Await("connect", [&](auto handler) {
      asio::async_connect(socket, addresses, handler);
    });
  }

  template <typename Stream>
  absl::StatusOr<Reply> Talk(const Request& request, Stream& stream) {
    const Message message = MessageOf(request);
    FOREWARN_RETURN_IF_ERROR(Await("send the request", [&](auto handler) {
      beast::http::async_write(stream, message, handler);
    }));
    beast::flat_buffer buffer;
    Parser parser;
    parser.body_limit(request.max_body_bytes);
    if (request.method == "HEAD") parser.skip(true);
    const absl::Status read = Await("read the answer", [&](auto handler) {
      beast::http::async_read(stream, buffer, parser, handler);
    });
    Reply reply;
    if (!read.ok()) {
      if (last != beast::http::error::body_limit) return read;
      reply.truncated = true;
    }
    reply.status = static_cast<int>(parser.get().result_int());
    reply.content_type = FieldOf(parser, "Content-Type");
    reply.request_id = FieldOf(parser, "X-Request-Id");
    reply.body = std::move(parser.get().body());
    return reply;
  }

  absl::StatusOr<Reply> TalkTls(const Request& request, tcp::socket& socket) {
    asio::ssl::context tls(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
    tls.set_default_verify_paths();
    tls.set_verify_mode(asio::ssl::verify_peer);
    if (request.prepare_tls) request.prepare_tls(tls.native_handle());
    asio::ssl::stream<tcp::socket&> stream(socket, tls);
    SSL* const session = stream.native_handle();
    if (!net::ExpectPeer(session, request.host)) {
      return absl::InvalidArgumentError(
          absl::StrCat("agree on TLS: ", request.host, " is no host name"));
    }
    absl::Status shaken = Await("agree on TLS", [&](auto handler) {
      stream.async_handshake(asio::ssl::stream_base::client, handler);
    });
    const long verdict = SSL_get_verify_result(session);
    if (absl::IsUnavailable(shaken) && verdict != X509_V_OK) {
      shaken = absl::UnauthenticatedError(
          absl::StrCat("the server is not trusted: ",
                       X509_verify_cert_error_string(verdict)));
    }
    FOREWARN_RETURN_IF_ERROR(shaken);
    return Talk(request, stream);
  }

  absl::StatusOr<Reply> Run(const Request& request) {
    deadline = std::chrono::steady_clock::now() +
               absl::ToChronoNanoseconds(request.timeout);
    tcp::socket socket(context);
    FOREWARN_RETURN_IF_ERROR(Connect(request, socket));
    return request.tls ? TalkTls(request, socket) : Talk(request, socket);
  }

  asio::io_context context{1};
  std::chrono::steady_clock::time_point deadline;
  error_code last;
  std::atomic<bool> cancelled = false;
};

Exchange::Exchange() : core_(std::make_unique<Core>()) {}
Exchange::~Exchange() = default;

absl::StatusOr<Reply> Exchange::Run(const Request& request) {
  try {
    return core_->Run(request);
  } catch (const std::exception& error) {
    return absl::UnavailableError(error.what());
  }
}

void Exchange::Cancel() {
  core_->cancelled = true;
  core_->context.stop();
}

}  // namespace forewarn::http
