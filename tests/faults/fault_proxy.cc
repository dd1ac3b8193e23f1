#include "tests/faults/fault_proxy.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "protos/net/socket_address.h"

namespace forewarn::faults {
namespace {

constexpr size_t kMostWaiting = 256 << 10;

}  // namespace

FaultProxy::FaultProxy(int target_port, std::string source)
    : target_port_(target_port),
      source_(std::move(source)),
      listener_(
          socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  net::SocketAddress own = net::ParseAddress("127.0.0.1", 0).value();
  if (bind(listener_.get(), own.get(), own.length) != 0 ||
      listen(listener_.get(), 64) != 0) {
    std::abort();
  }
  own.length = sizeof(own.storage);
  getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&own.storage),
              &own.length);
  port_ = ntohs(reinterpret_cast<const sockaddr_in*>(own.get())->sin_port);
  thread_ = std::thread([this] { Run(); });
}

FaultProxy::~FaultProxy() {
  stopping_ = true;
  bell_.Ring();
  thread_.join();
}

void FaultProxy::Set(Mode mode) {
  mode_ = mode;
  bell_.Ring();
}

void FaultProxy::CutAfter(int64_t bytes) {
  cut_after_ = bytes;
  bell_.Ring();
}

void FaultProxy::Accept() {
  base::Descriptor agent(
      accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (agent.get() < 0) return;
  base::Descriptor collector(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const net::SocketAddress from = net::ParseAddress(source_, 0).value();
  const net::SocketAddress to =
      net::ParseAddress("127.0.0.1", static_cast<uint16_t>(target_port_))
          .value();
  // Everybody else waits meanwhile: not for long.
  const timeval patience = {.tv_sec = 1, .tv_usec = 0};
  setsockopt(collector.get(), SOL_SOCKET, SO_SNDTIMEO, &patience,
             sizeof(patience));
  if (bind(collector.get(), from.get(), from.length) != 0 ||
      connect(collector.get(), to.get(), to.length) != 0) {
    return;  // the agent sees its connection closed
  }
  fcntl(collector.get(), F_SETFL, O_NONBLOCK);
  Pair& pair = pairs_[next_++];
  pair.agent = std::move(agent);
  pair.collector = std::move(collector);
}

bool FaultProxy::Drain(const base::Descriptor& to, std::string& bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    bytes.erase(0, static_cast<size_t>(sent));
  }
  return true;
}

// False: the connection is over.
bool FaultProxy::Pump(Pair& pair, bool from_agent) {
  const base::Descriptor& from = from_agent ? pair.agent : pair.collector;
  const base::Descriptor& to = from_agent ? pair.collector : pair.agent;
  std::string& waiting = from_agent ? pair.to_collector : pair.to_agent;
  char bytes[16 << 10];
  size_t most = sizeof(bytes);
  if (pair.cut_after >= 0) {
    most = std::min(most, static_cast<size_t>(pair.cut_after));
  }
  if (most == 0) return false;
  const ssize_t count = recv(from.get(), bytes, most, 0);
  if (count == 0) return false;
  if (count < 0) return errno == EAGAIN;
  if (pair.cut_after >= 0) pair.cut_after -= count;
  if (!from_agent && mode_ == Mode::kSwallowAnswers) return true;
  waiting.append(bytes, static_cast<size_t>(count));
  return Drain(to, waiting);
}

void FaultProxy::Run() {
  while (!stopping_) {
    if (const int64_t cut = cut_after_.exchange(-1); cut >= 0) {
      for (auto& [id, pair] : pairs_) pair.cut_after = cut;
    }
    std::vector<pollfd> waiting = {{bell_.fd(), POLLIN, 0},
                                   {listener_.get(), POLLIN, 0}};
    std::vector<int> ids;
    const bool stalled = mode_ == Mode::kStall;
    for (auto& [id, pair] : pairs_) {
      ids.push_back(id);
      const auto events = [&](const std::string& in, const std::string& out) {
        short wanted = 0;
        if (!stalled && out.size() < kMostWaiting) wanted |= POLLIN;
        if (!stalled && !in.empty()) wanted |= POLLOUT;
        return wanted;
      };
      waiting.push_back(
          {pair.agent.get(), events(pair.to_agent, pair.to_collector), 0});
      waiting.push_back(
          {pair.collector.get(), events(pair.to_collector, pair.to_agent), 0});
    }
    poll(waiting.data(), waiting.size(), -1);
    bell_.Silence();
    for (size_t i = 0; i < ids.size(); ++i) {
      Pair& pair = pairs_[ids[i]];
      const short agent = waiting[2 + 2 * i].revents;
      const short collector = waiting[3 + 2 * i].revents;
      bool alive = true;
      if (!stalled && agent != 0) {
        alive = Drain(pair.agent, pair.to_agent) && Pump(pair, true);
      }
      if (!stalled && alive && collector != 0) {
        alive = Drain(pair.collector, pair.to_collector) && Pump(pair, false);
      }
      // A stalled peer's end is not passed on either, but must not spin.
      if (stalled && ((agent | collector) & (POLLERR | POLLHUP)) != 0) {
        alive = false;
      }
      if (!alive) pairs_.erase(ids[i]);
    }
    if (waiting[1].revents != 0) Accept();
  }
}

}  // namespace forewarn::faults
