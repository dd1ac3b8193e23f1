#ifndef FOREWARN_TESTS_SUPPORT_FAKE_HTTP_SERVER_H_
#define FOREWARN_TESTS_SUPPORT_FAKE_HTTP_SERVER_H_

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "protos/base/mutex.h"
#include "tests/support/loopback_server.h"

namespace forewarn::testing {

struct HttpRequest {
  std::string line;                            // POST /x HTTP/1.1
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct HttpReply {
  int status = 200;
  std::vector<std::string> headers;
  std::string body;
  bool hang = false;  // never answers
};

// Records requests and answers as told, 200 once nothing is left to tell.
class FakeHttpServer {
 public:
  int port() const { return server_.port(); }
  std::string Url(const std::string& path = "/hook") const {
    return absl::StrCat("http://127.0.0.1:", port(), path);
  }
  void Answer(HttpReply reply) {
    base::MutexLock lock(&mutex_);
    replies_.push_back(std::move(reply));
  }
  // From now on it answers 200, whatever else it was to tell.
  void TakeAll() {
    base::MutexLock lock(&mutex_);
    replies_.clear();
  }
  // Waits until so many requests have come; at most ten seconds.
  std::vector<HttpRequest> WaitFor(size_t count) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    base::MutexLock lock(&mutex_);
    while (requests_.size() < count) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      came_.WaitFor(&mutex_, left);
    }
    return requests_;
  }
  std::vector<HttpRequest> requests() { return WaitFor(0); }

 private:
  void Serve(Connection& connection) {
    while (true) {
      HttpRequest request;
      auto line = connection.ReadLine();
      if (!line.has_value()) return;
      request.line = *line;
      while (true) {
        line = connection.ReadLine();
        if (!line.has_value()) return;
        if (line->empty()) break;
        const size_t colon = line->find(':');
        request.headers[absl::AsciiStrToLower(line->substr(0, colon))] =
            std::string(absl::StripAsciiWhitespace(line->substr(colon + 1)));
      }
      size_t size = 0;
      if (absl::SimpleAtoi(request.headers["content-length"], &size)) {
        request.body = connection.ReadBytes(size).value_or("");
      }
      const HttpReply reply = Record(std::move(request));
      if (reply.hang) return connection.Hang();
      std::string answer = absl::StrCat("HTTP/1.1 ", reply.status, " X\r\n");
      for (const std::string& header : reply.headers) {
        absl::StrAppend(&answer, header, "\r\n");
      }
      absl::StrAppend(&answer, "Content-Length: ", reply.body.size(),
                      "\r\n\r\n", reply.body);
      if (!connection.Write(answer)) return;
    }
  }
  HttpReply Record(HttpRequest request) {
    base::MutexLock lock(&mutex_);
    requests_.push_back(std::move(request));
    came_.NotifyAll();
    if (replies_.empty()) return HttpReply();
    HttpReply reply = std::move(replies_.front());
    replies_.pop_front();
    return reply;
  }

  base::Mutex mutex_;
  base::CondVar came_;
  std::vector<HttpRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::deque<HttpReply> replies_ ABSL_GUARDED_BY(mutex_);
  // Last, so that it stops first.
  LoopbackServer server_{[this](Connection& connection) { Serve(connection); }};
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_FAKE_HTTP_SERVER_H_
