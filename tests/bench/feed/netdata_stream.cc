#include "tests/bench/feed/netdata_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "protos/base/status.h"
#include "protos/net/socket_address.h"
#include "protos/net/tcp_connect.h"

namespace forewarn::bench {
namespace {

const absl::Duration kPatience = absl::Seconds(20);
// Netdata takes whole numbers, and divides.
constexpr int kDivisor = 100;

std::string DimensionsOf(const wire::SeriesDictionary& dictionary) {
  std::string text =
      "CHART \"load.all\" \"\" \"Load\" \"units\" \"load\" \"load.all\" line "
      "1000 1 \"\" \"bench\" \"bench\"\n";
  for (uint32_t i = 0; i < dictionary.size(); ++i) {
    const bool is_counter =
        dictionary.definition(i).kind == wire::MetricKind::kCounter;
    absl::StrAppend(&text, "DIMENSION \"s", i, "\" \"s", i, "\" ",
                    is_counter ? "incremental" : "absolute", " 1 ", kDivisor,
                    " \"\"\n");
  }
  return text;
}

}  // namespace

NetdataStream::NetdataStream(int port, std::string api_key)
    : port_(port), api_key_(std::move(api_key)) {}

absl::Status NetdataStream::Connect(size_t endpoint) {
  FOREWARN_ASSIGN_OR_RETURN(
      base::Descriptor socket,
      net::TcpConnect(
          net::ParseAddress("127.0.0.1", static_cast<uint16_t>(port_)).value(),
          base::Deadline(kPatience)));
  sockets_.push_back(std::move(socket));
  const std::string id =
      absl::StrFormat("00000000-0000-4000-8000-%012x", endpoint + 1);
  FOREWARN_RETURN_IF_ERROR(Send(
      endpoint,
      absl::StrCat("STREAM key=", api_key_, "&hostname=host-", endpoint,
                   "&registry_hostname=host-", endpoint, "&machine_guid=", id,
                   "&update_every=1&os=linux&timezone=UTC&hops=1&tags=&ver=1 "
                   "HTTP/1.1\r\nUser-Agent: netdata/1.37.1\r\n"
                   "Accept: */*\r\n\r\n")));
  const int fd = sockets_.back().get();
  FOREWARN_RETURN_IF_ERROR(
      net::AwaitReady(fd, POLLIN, base::Deadline(kPatience)));
  char answer[512];
  const ssize_t count = recv(fd, answer, sizeof(answer), 0);
  const std::string text(answer,
                         count > 0 ? static_cast<size_t>(count) : size_t{0});
  if (!absl::StartsWith(text, "Hit me baby")) {
    return absl::InternalError(absl::StrCat("netdata said: ", text));
  }
  return absl::OkStatus();
}

absl::Status NetdataStream::Send(size_t endpoint, const std::string& text) {
  const int fd = sockets_[endpoint].get();
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t count =
        send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return base::ErrnoStatus(errno, "send");
    if (count < 0) {
      FOREWARN_RETURN_IF_ERROR(
          net::AwaitReady(fd, POLLOUT, base::Deadline(kPatience)));
      continue;
    }
    sent += static_cast<size_t>(count);
  }
  bytes_sent_ += text.size();
  return absl::OkStatus();
}

absl::Status NetdataStream::SendTick(
    std::vector<std::unique_ptr<LoadEndpoint>>& endpoints) {
  const bool first = sockets_.empty();
  for (size_t i = 0; i < endpoints.size(); ++i) {
    std::string text;
    if (first) {
      FOREWARN_RETURN_IF_ERROR(Connect(i));
      text = DimensionsOf(endpoints[i]->dictionary());
    }
    const std::vector<double> values = endpoints[i]->NextValues();
    absl::StrAppend(&text, "BEGIN \"load.all\" ", first ? 0 : 1000000, "\n");
    for (size_t s = 0; s < values.size(); ++s) {
      absl::StrAppend(&text, "SET \"s", s,
                      "\" = ", std::llround(values[s] * kDivisor), "\n");
    }
    text += "END\n";
    FOREWARN_RETURN_IF_ERROR(Send(i, text));
  }
  return absl::OkStatus();
}

}  // namespace forewarn::bench
