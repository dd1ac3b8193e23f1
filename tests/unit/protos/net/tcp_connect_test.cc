#include "protos/net/tcp_connect.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "gtest/gtest.h"
#include "protos/base/bell.h"
#include "tests/support/status_matchers.h"

namespace forewarn::net {
namespace {

using ::forewarn::testing::StatusIs;

// Listens on loopback; `accepts` or only owns the port.
class Listener {
 public:
  explicit Listener(bool accepts) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const SocketAddress any = ParseAddress("127.0.0.1", 0).value();
    bind(socket_.get(), any.get(), any.length);
    if (accepts) listen(socket_.get(), 1);
  }
  SocketAddress address() const {
    SocketAddress own;
    own.length = sizeof(own.storage);
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&own.storage),
                &own.length);
    return own;
  }

 private:
  const base::Descriptor socket_;
};

TEST(TcpConnectTest, ConnectsToWhatListens) {
  const Listener listener(true);
  FOREWARN_EXPECT_OK(
      TcpConnect(listener.address(), base::Deadline(absl::Seconds(10))));
}

TEST(TcpConnectTest, SaysThatNobodyListens) {
  const Listener deaf(false);
  const auto socket =
      TcpConnect(deaf.address(), base::Deadline(absl::Seconds(10)));
  ASSERT_FALSE(socket.ok());
  EXPECT_NE(socket.status().message().find("127.0.0.1"), std::string::npos);
}

TEST(TcpConnectTest, WaitingEndsAtTheDeadlineOrTheInterrupt) {
  const base::Bell silent;
  EXPECT_THAT(
      AwaitReady(silent.fd(), POLLIN, base::Deadline(absl::Milliseconds(1))),
      StatusIs(absl::StatusCode::kDeadlineExceeded));
  const base::Bell interrupt;
  interrupt.Ring();
  EXPECT_THAT(
      AwaitReady(silent.fd(), POLLIN, base::Deadline(absl::InfiniteDuration()),
                 interrupt.fd()),
      StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace forewarn::net
