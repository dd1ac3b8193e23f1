#ifndef FOREWARN_TESTS_SUPPORT_FAKE_MAIL_SERVER_H_
#define FOREWARN_TESTS_SUPPORT_FAKE_MAIL_SERVER_H_

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protos/base/mutex.h"
#include "tests/support/loopback_server.h"

namespace forewarn::testing {

struct ReceivedMail {
  std::string from;             // MAIL FROM:<...>
  std::vector<std::string> to;  // RCPT TO:<...>
  std::vector<std::string> lines;
};

// A mail server without TLS that takes every mail, unless told otherwise.
class FakeMailServer {
 public:
  int port() const { return server_.port(); }
  std::string Url() const { return absl::StrCat("smtp://127.0.0.1:", port()); }

  // Answers the next such command ("RCPT", "DATA", "." for the mail itself)
  // with this line; "hang" never answers.
  void AnswerOnce(const std::string& command, const std::string& reply) {
    base::MutexLock lock(&mutex_);
    replies_[command].push_back(reply);
  }

  // Waits until so many mails were taken; at most ten seconds.
  std::vector<ReceivedMail> WaitFor(size_t count) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    base::MutexLock lock(&mutex_);
    while (mails_.size() < count) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      came_.WaitFor(&mutex_, left);
    }
    return mails_;
  }
  // Every command of every session.
  std::vector<std::string> commands() {
    base::MutexLock lock(&mutex_);
    return commands_;
  }

 private:
  void Serve(Connection& connection) {
    if (!connection.Write("220 fake ESMTP\r\n")) return;
    ReceivedMail mail;
    while (true) {
      const auto line = connection.ReadLine();
      if (!line.has_value()) return;
      const std::string command =
          absl::AsciiStrToUpper(line->substr(0, line->find(' ')));
      std::string reply = Note(*line, command);
      if (command == "DATA" && absl::StartsWith(reply, "3")) {
        if (!connection.Write(reply + "\r\n") || !Read(connection, mail)) {
          return;
        }
        reply = ReplyTo(".", "250 taken");
        if (absl::StartsWith(reply, "2")) Take(std::move(mail));
        mail = ReceivedMail();
      }
      if (command == "MAIL") mail.from = *line;
      if (command == "RCPT" && absl::StartsWith(reply, "2")) {
        mail.to.push_back(*line);
      }
      if (reply == "hang") return connection.Hang();
      if (!connection.Write(reply + "\r\n") || command == "QUIT") return;
    }
  }
  static bool Read(Connection& connection, ReceivedMail& mail) {
    while (true) {
      auto line = connection.ReadLine();
      if (!line.has_value()) return false;
      if (*line == ".") return true;
      if (absl::StartsWith(*line, "..")) line->erase(0, 1);
      mail.lines.push_back(*std::move(line));
    }
  }
  std::string Note(const std::string& line, const std::string& command) {
    base::MutexLock lock(&mutex_);
    commands_.push_back(line);
    return LockedReplyTo(command, command == "DATA" ? "354 go" : "250 ok");
  }
  std::string ReplyTo(const std::string& command, const std::string& usual) {
    base::MutexLock lock(&mutex_);
    return LockedReplyTo(command, usual);
  }
  std::string LockedReplyTo(const std::string& command,
                            const std::string& usual)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<std::string>& planned = replies_[command];
    if (planned.empty()) return usual;
    std::string reply = planned.front();
    planned.erase(planned.begin());
    return reply;
  }
  void Take(ReceivedMail mail) {
    base::MutexLock lock(&mutex_);
    mails_.push_back(std::move(mail));
    came_.NotifyAll();
  }

  base::Mutex mutex_;
  base::CondVar came_;
  std::vector<std::string> commands_ ABSL_GUARDED_BY(mutex_);
  std::vector<ReceivedMail> mails_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<std::string>> replies_
      ABSL_GUARDED_BY(mutex_);
  // Last, so that it stops first.
  LoopbackServer server_{[this](Connection& connection) { Serve(connection); }};
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_FAKE_MAIL_SERVER_H_
