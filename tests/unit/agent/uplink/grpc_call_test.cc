#include "agent/uplink/grpc_call.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::testing::HasSubstr;

// RFC 9113, section 4.1: a frame of HTTP/2.
std::string Frame(uint8_t type, uint8_t flags, uint32_t stream,
                  const std::string& payload) {
  std::string out;
  for (const int shift : {16, 8, 0}) {
    out += static_cast<char>(payload.size() >> shift & 0xff);
  }
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) {
    out += static_cast<char>(stream >> shift & 0xff);
  }
  return out + payload;
}

// RFC 7541, section 6.2.2: a header not indexed, neither name nor value coded.
std::string Field(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name +
         static_cast<char>(value.size()) + value;
}

std::string Message(const std::string& text) {
  return std::string(4, '\0') + static_cast<char>(text.size()) + text;
}

constexpr uint8_t kData = 0;
constexpr uint8_t kHeaders = 1;
constexpr uint8_t kReset = 3;
constexpr uint8_t kSettings = 4;
constexpr uint8_t kPing = 6;
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kEndHeaders = 4;

class GrpcCallTest : public ::testing::Test {
 protected:
  GrpcCallTest() { call_.Receive(Frame(kSettings, 0, 0, "")).IgnoreError(); }
  std::string Output() {
    std::string all;
    std::string bytes;
    while (call_.TakeOutput(bytes)) all += bytes;
    return all;
  }
  // The request is open before the peer may answer.
  void Answer(const std::string& bytes) {
    Output();
    call_.Receive(bytes).IgnoreError();
  }
  std::string Headers(const std::string& fields, uint8_t flags = 0) {
    return Frame(kHeaders, kEndHeaders | flags, 1, fields);
  }

  GrpcCall call_{"collector:8461", "/a.B/C", 1000};
  const std::string begin_ = Headers(Field(":status", "200") +
                                     Field("content-type", "application/grpc"));
};

TEST_F(GrpcCallTest, PutsItsPrefixBeforeAMessage) {
  call_.Send("payload");
  EXPECT_THAT(Output(), HasSubstr(Message("payload")));
  EXPECT_EQ(call_.unsent_bytes(), 0u);
}

TEST_F(GrpcCallTest, JoinsAMessageThatComesInPieces) {
  const std::string message = Message("abcdef");
  Answer(begin_ + Frame(kData, 0, 1, message.substr(0, 3)));
  EXPECT_EQ(call_.NextMessage(), std::nullopt);
  Answer(Frame(kData, 0, 1, message.substr(3) + Message("next")));
  EXPECT_EQ(call_.NextMessage(), "abcdef");
  EXPECT_EQ(call_.NextMessage(), "next");
  EXPECT_EQ(call_.NextMessage(), std::nullopt);
  EXPECT_FALSE(call_.ended());
}

TEST_F(GrpcCallTest, KeepsBackWhatFlowControlForbids) {
  const std::string much(100000, 'x');
  call_.Send(much);
  // RFC 9113, section 6.9.2: 65,535 bytes until the peer says more.
  Output();
  EXPECT_EQ(call_.unsent_bytes(), much.size() + 5 - 65535);
}

TEST_F(GrpcCallTest, TellsThePeersStatus) {
  Answer(begin_ + Headers(Field("grpc-status", "8") +
                              Field("grpc-message", "too%20much%21"),
                          kEndStream));
  EXPECT_THAT(call_.status(),
              StatusIs(absl::StatusCode::kResourceExhausted, "too much!"));
}

TEST_F(GrpcCallTest, EndsWellWithStatusZero) {
  Answer(begin_ + Headers(Field("grpc-status", "0"), kEndStream));
  ASSERT_TRUE(call_.ended());
  FOREWARN_EXPECT_OK(call_.status());
}

TEST_F(GrpcCallTest, TakesAnUnknownStatusForUnknown) {
  Answer(begin_ + Headers(Field("grpc-status", "77"), kEndStream));
  EXPECT_THAT(call_.status(), StatusIs(absl::StatusCode::kUnknown));
}

TEST_F(GrpcCallTest, TellsAProxysAnswerByItsHttpStatus) {
  Answer(Headers(Field(":status", "503"), kEndStream));
  EXPECT_THAT(call_.status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("503")));
}

TEST_F(GrpcCallTest, TellsAReset) {
  Answer(begin_ + Frame(kReset, 0, 1, std::string("\0\0\0\x7", 4)));
  EXPECT_THAT(call_.status(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(GrpcCallTest, EndsAtWhatIsNoHttp2) {
  Answer(std::string(100, 'z'));
  Output();
  EXPECT_THAT(call_.status(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(GrpcCallTest, RefusesATooLargeMessageWhenItIsAnnounced) {
  Answer(begin_ + Frame(kData, 0, 1, std::string("\0\0\0\x4\0", 5)));
  EXPECT_THAT(call_.status(), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(GrpcCallTest, RefusesCompression) {
  Answer(begin_ + Frame(kData, 0, 1, std::string("\x1\0\0\0\x1x", 6)));
  EXPECT_EQ(call_.NextMessage(), std::nullopt);
  EXPECT_THAT(call_.status(), StatusIs(absl::StatusCode::kUnimplemented));
}

TEST_F(GrpcCallTest, KnowsItsPingIsAnswered) {
  call_.Ping();
  EXPECT_TRUE(call_.pinging());
  Answer(Frame(kPing, 1, 0, std::string(8, '\0')));
  EXPECT_FALSE(call_.pinging());
}

TEST_F(GrpcCallTest, CancelEndsIt) {
  Output();
  call_.Cancel();
  EXPECT_THAT(call_.status(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_FALSE(Output().empty());
}

TEST_F(GrpcCallTest, HalfCloseEndsOurSideAfterTheLastMessage) {
  call_.Send("last");
  call_.HalfClose();
  const std::string output = Output();
  const size_t at = output.find(Message("last"));
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(output[at - 5], kEndStream);
  EXPECT_FALSE(call_.ended());
}

}  // namespace
}  // namespace forewarn::agent
