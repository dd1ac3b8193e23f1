#ifndef FOREWARN_TESTS_SUPPORT_LOOPBACK_SERVER_H_
#define FOREWARN_TESTS_SUPPORT_LOOPBACK_SERVER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "protos/base/mutex.h"

namespace forewarn::testing {

// One accepted connection of a LoopbackServer.
class Connection {
 public:
  explicit Connection(int file) : file_(file) {}

  // Without its line break; nullopt once the peer is gone.
  std::optional<std::string> ReadLine() {
    while (true) {
      const size_t end = buffer_.find('\n');
      if (end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return line;
      }
      if (!Fill()) return std::nullopt;
    }
  }
  std::optional<std::string> ReadBytes(size_t count) {
    while (buffer_.size() < count) {
      if (!Fill()) return std::nullopt;
    }
    std::string bytes = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return bytes;
  }
  bool Write(absl::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(file_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  // Says nothing until the peer, or the test, has had enough.
  void Hang() {
    while (Fill()) buffer_.clear();
  }

 private:
  bool Fill() {
    char bytes[4096];
    const ssize_t got = recv(file_, bytes, sizeof(bytes), 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  const int file_;
  std::string buffer_;
};

// Accepts on 127.0.0.1, port 0, and serves each connection on a thread of its
// own until Stop.
class LoopbackServer {
 public:
  explicit LoopbackServer(std::function<void(Connection&)> serve)
      : serve_(std::move(serve)),
        listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) == 0 && listen(listener_, 16) == 0 &&
        getsockname(listener_, generic, &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~LoopbackServer() { Stop(); }

  int port() const { return port_; }

  void Stop() {
    if (!acceptor_.joinable()) return;
    {
      base::MutexLock lock(&mutex_);
      stopping_ = true;
      for (const int file : open_) shutdown(file, SHUT_RDWR);
    }
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    close(listener_);
  }

 private:
  void Accept() {
    while (true) {
      const int file = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (file < 0) return;
      {
        base::MutexLock lock(&mutex_);
        if (stopping_) {
          close(file);
          return;
        }
        open_.insert(file);
      }
      threads_.emplace_back([this, file] {
        Connection connection(file);
        serve_(connection);
        base::MutexLock lock(&mutex_);
        open_.erase(file);
        close(file);
      });
    }
  }

  const std::function<void(Connection&)> serve_;
  const int listener_;
  int port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> threads_;  // the acceptor's, then Stop's
  base::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<int> open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_LOOPBACK_SERVER_H_
