#include "collector/notify/mail_channel.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_mail_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/collector/notify/curl_environment.h"
#include "tests/unit/collector/notify/example_ticket.h"

namespace forewarn::notify {
namespace {

using ::forewarn::testing::FakeClock;
using ::forewarn::testing::FakeMailServer;
using ::forewarn::testing::IsOk;
using ::forewarn::testing::ReceivedMail;
using ::forewarn::testing::StatusIs;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The value of a header, folded lines joined; empty when it is not there.
std::string Header(const std::vector<std::string>& lines,
                   const std::string& name) {
  std::string value;
  bool inside = false;
  for (const std::string& line : lines) {
    if (line.empty()) break;
    if (line[0] == ' ') {
      if (inside) value += line;
      continue;
    }
    inside = absl::StartsWith(line, name + ": ");
    if (inside) value = line.substr(name.size() + 2);
  }
  return value;
}

std::vector<std::string> LinesOf(const std::string& mail) {
  return absl::StrSplit(mail, "\r\n");
}

std::string BodyOf(const std::vector<std::string>& lines) {
  std::string encoded;
  bool body = false;
  for (const std::string& line : lines) {
    if (body) encoded += line;
    if (line.empty()) body = true;
  }
  std::string text;
  EXPECT_TRUE(absl::Base64Unescape(encoded, &text));
  return text;
}

// What a mail program shows for an encoded subject.
std::string Decoded(const std::string& subject) {
  std::string shown;
  for (absl::string_view word : absl::StrSplit(subject, ' ')) {
    EXPECT_LE(word.size(), 75u);
    EXPECT_TRUE(absl::ConsumePrefix(&word, "=?UTF-8?B?"));
    EXPECT_TRUE(absl::ConsumeSuffix(&word, "?="));
    std::string part;
    EXPECT_TRUE(absl::Base64Unescape(word, &part));
    shown += part;
  }
  return shown;
}

TEST(EncodeSubjectTest, LeavesShortAsciiAlone) {
  EXPECT_EQ(EncodeSubject("[P2] /var fills up (T-41)"),
            "[P2] /var fills up (T-41)");
}

TEST(EncodeSubjectTest, EncodesOtherTextInShortWords) {
  std::string text = "[P1] Größe — 磁盘 ";
  for (int i = 0; i < 20; ++i) text += "änderung ";
  std::string folded = EncodeSubject(text);
  for (absl::string_view line : absl::StrSplit(folded, "\r\n")) {
    EXPECT_LE(line.size(), 76u);
  }
  folded.erase(std::remove(folded.begin(), folded.end(), '\r'), folded.end());
  folded.erase(std::remove(folded.begin(), folded.end(), '\n'), folded.end());
  EXPECT_EQ(Decoded(folded), text);
}

TEST(EncodeSubjectTest, LineBreaksNeverComeOut) {
  for (const std::string& text :
       {std::string("a\r\nBcc: x@y"), std::string("ü\r\nBcc: x@y"),
        std::string("a\0b", 3)}) {
    for (absl::string_view line :
         absl::StrSplit(EncodeSubject(text), "\r\n ")) {
      EXPECT_THAT(std::string(line), Not(HasSubstr("\n")));
      EXPECT_THAT(std::string(line), Not(HasSubstr("Bcc")));
    }
  }
}

TEST(EncodeSubjectTest, TextCannotPassForAnEncodedWord) {
  EXPECT_THAT(EncodeSubject("=?UTF-8?B?QmNj?="), StartsWith("=?UTF-8?B?PT9V"));
}

TEST(ComposeMailTest, MailsOfATicketAreOneThread) {
  const absl::Time now = absl::FromUnixSeconds(1'795'321'700);
  const auto opened = LinesOf(
      ComposeMail(ExampleMessage("opened"), "fw@example.com", {"a@b"}, now));
  const auto resolved = LinesOf(
      ComposeMail(ExampleMessage("resolved"), "fw@example.com", {"a@b"}, now));
  const std::string root = Header(opened, "Message-ID");
  EXPECT_EQ(root, "<forewarn.t41.1795321629@example.com>");
  EXPECT_EQ(Header(opened, "In-Reply-To"), "");
  EXPECT_EQ(Header(resolved, "In-Reply-To"), root);
  EXPECT_EQ(Header(resolved, "References"), root);
  EXPECT_THAT(Header(resolved, "Message-ID"),
              StartsWith("<forewarn.t41.1795321629."));
}

TEST(ComposeMailTest, AttemptsOfOneNotificationHaveOneMessageId) {
  const auto first = LinesOf(ComposeMail(ExampleMessage("updated"), "a@b",
                                         {"c@d"}, absl::FromUnixSeconds(1)));
  const auto second = LinesOf(ComposeMail(ExampleMessage("updated"), "a@b",
                                          {"c@d"}, absl::FromUnixSeconds(2)));
  EXPECT_EQ(Header(first, "Message-ID"), Header(second, "Message-ID"));
  EXPECT_NE(Header(first, "Date"), Header(second, "Date"));
}

TEST(ComposeMailTest, SaysThatAMachineWroteIt) {
  const auto lines = LinesOf(ComposeMail(ExampleMessage(), "fw@x.y", {"a@b"},
                                         absl::FromUnixSeconds(1'795'321'700)));
  EXPECT_EQ(Header(lines, "Auto-Submitted"), "auto-generated");
  EXPECT_EQ(Header(lines, "X-Forewarn-Key"), "key-7");
  EXPECT_EQ(Header(lines, "Date"), "Sun, 22 Nov 2026 04:28:20 +0000");
  EXPECT_EQ(Header(lines, "From"), "Forewarn <fw@x.y>");
  EXPECT_EQ(BodyOf(lines), ExampleMessage().text);
}

TEST(ComposeMailTest, NothingFromOutsideMakesAHeader) {
  Message message =
      ExampleMessage("updated", "x\r\nBcc: evil@example.com\r\n\r\nbody");
  message.notification.set_idempotency_key("k\r\nBcc: evil@example.com");
  const std::string mail =
      ComposeMail(message, "fw@x.y", {"a@b"}, absl::FromUnixSeconds(1));
  std::vector<std::string> lines = LinesOf(mail);
  lines.erase(std::find(lines.begin(), lines.end(), ""), lines.end());
  EXPECT_THAT(lines, Each(Not(StartsWith("Bcc"))));
  for (const std::string& line : LinesOf(mail)) {
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    EXPECT_LE(line.size(), 998u);
  }
}

class MailChannelTest : public ::testing::Test {
 protected:
  v1::MailConfig Config() const {
    v1::MailConfig config;
    config.set_server(server_.Url());
    config.set_from("forewarn@example.com");
    config.add_to("oncall@example.com");
    config.add_to("desk@example.com");
    config.set_tls("none");
    return config;
  }
  std::unique_ptr<MailChannel> Make(
      const v1::MailConfig& config,
      absl::Duration timeout = absl::Seconds(30)) {
    auto channel = MailChannel::Create(config, clock_, timeout);
    EXPECT_THAT(channel, IsOk());
    return channel.ok() ? *std::move(channel) : nullptr;
  }

  FakeClock clock_;
  FakeMailServer server_;
};

TEST_F(MailChannelTest, DeliversToEveryRecipient) {
  const auto channel = Make(Config());
  ASSERT_THAT(channel->Send(ExampleMessage()), IsOk());
  const std::vector<ReceivedMail> mails = server_.WaitFor(1);
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_THAT(mails[0].from, HasSubstr("<forewarn@example.com>"));
  EXPECT_THAT(mails[0].to, ElementsAre(HasSubstr("<oncall@example.com>"),
                                       HasSubstr("<desk@example.com>")));
  EXPECT_EQ(Header(mails[0].lines, "Subject"), "[P2] /var fills up (T-41)");
  EXPECT_EQ(BodyOf(mails[0].lines), ExampleMessage().text);
}

TEST_F(MailChannelTest, SendsNothingInTheClearUnlessTold) {
  v1::MailConfig config = Config();
  config.clear_tls();
  const auto channel = Make(config);
  EXPECT_THAT(channel->Send(ExampleMessage()),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(server_.commands(), Not(Contains(StartsWith("MAIL"))));
}

TEST_F(MailChannelTest, TellsWhatMayPassFromWhatIsRefused) {
  const auto channel = Make(Config());
  server_.AnswerOnce("MAIL", "451 try later");
  EXPECT_THAT(channel->Send(ExampleMessage()),
              StatusIs(absl::StatusCode::kUnavailable));
  server_.AnswerOnce(".", "452 disk full");
  EXPECT_THAT(channel->Send(ExampleMessage()),
              StatusIs(absl::StatusCode::kUnavailable));
  server_.AnswerOnce("MAIL", "550 go away");
  EXPECT_THAT(channel->Send(ExampleMessage()),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("550")));
  EXPECT_TRUE(server_.WaitFor(0).empty());
}

TEST_F(MailChannelTest, OneLostMailboxDoesNotSilenceTheOthers) {
  const auto channel = Make(Config());
  server_.AnswerOnce("RCPT", "550 no such user");
  ASSERT_THAT(channel->Send(ExampleMessage()), IsOk());
  const auto mails = server_.WaitFor(1);
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_THAT(mails[0].to, ElementsAre(HasSubstr("<desk@example.com>")));
}

TEST_F(MailChannelTest, DoesNotWaitForEver) {
  const auto channel = Make(Config(), absl::Milliseconds(200));
  server_.AnswerOnce("DATA", "hang");
  EXPECT_THAT(channel->Send(ExampleMessage()),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(MailChannelTest, CancelEndsASendInProgress) {
  const auto channel = Make(Config(), absl::Minutes(1));
  server_.AnswerOnce("MAIL", "hang");
  absl::Status sent;
  std::thread sender([&] { sent = channel->Send(ExampleMessage()); });
  channel->Cancel();
  sender.join();
  EXPECT_THAT(sent, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(MailChannelTest, AServerThatIsDownMayComeBack) {
  v1::MailConfig config = Config();
  {
    FakeMailServer gone;
    config.set_server(gone.Url());
  }
  EXPECT_THAT(Make(config)->Send(ExampleMessage()),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(MailChannelTest, RefusesBadConfigurations) {
  const auto create = [this](auto change) {
    v1::MailConfig config = Config();
    change(config);
    return MailChannel::Create(config, clock_).status();
  };
  const auto is_wrong = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(create([](auto& c) { c.set_server("http://x"); }), is_wrong);
  EXPECT_THAT(create([](auto& c) { c.set_server("smtp://"); }), is_wrong);
  EXPECT_THAT(create([](auto& c) { c.set_server("smtp://a b"); }), is_wrong);
  EXPECT_THAT(create([](auto& c) { c.set_server("smtp://u:p@host"); }),
              is_wrong);
  EXPECT_THAT(create([](auto& c) { c.set_from("a@b>\r\nRCPT TO:<x@y"); }),
              is_wrong);
  EXPECT_THAT(create([](auto& c) { c.set_to(0, "nobody"); }), is_wrong);
  EXPECT_THAT(create([](auto& c) { c.set_to(0, "a@b,c@d"); }), is_wrong);
  EXPECT_THAT(create([](auto& c) { c.clear_to(); }), is_wrong);
  EXPECT_THAT(create([](auto& c) {
                c.set_server("smtp://mail.example.com:25");
                c.set_username("u");
              }),
              is_wrong);
}

TEST_F(MailChannelTest, ReadsThePasswordOnceAndPrivately) {
  testing::TemporaryFolder folder;
  folder.Write("password", "secret\n");
  v1::MailConfig config = Config();
  config.set_username("forewarn");
  config.set_password_file(folder / "password");
  std::filesystem::permissions(folder / "password",
                               std::filesystem::perms(0644));
  EXPECT_THAT(MailChannel::Create(config, clock_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  std::filesystem::permissions(folder / "password",
                               std::filesystem::perms(0600));
  EXPECT_THAT(MailChannel::Create(config, clock_), IsOk());
}

}  // namespace
}  // namespace forewarn::notify
