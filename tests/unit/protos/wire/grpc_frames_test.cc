#include "protos/wire/grpc_frames.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::wire {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;

TEST(GrpcFramesTest, MessagesComeBackHoweverTheyAreCut) {
  std::string all;
  for (const char* text : {"", "one", "second message", "x"}) {
    AppendGrpcFrame(text, all);
  }
  for (size_t piece = 1; piece <= all.size(); ++piece) {
    GrpcFrames frames(100);
    std::vector<std::string> found;
    for (size_t at = 0; at < all.size(); at += piece) {
      ASSERT_THAT(frames.Append(absl::string_view(all).substr(at, piece)),
                  IsOk());
      absl::string_view message;
      while (frames.Next(message)) found.emplace_back(message);
    }
    EXPECT_THAT(found,
                ::testing::ElementsAre("", "one", "second message", "x"));
  }
}

TEST(GrpcFramesTest, ATooLargeOneIsRefusedWhenItIsAnnounced) {
  GrpcFrames frames(10);
  EXPECT_THAT(frames.Append(absl::string_view("\0\0\0\0\x0b", 5)),
              StatusIs(absl::StatusCode::kResourceExhausted));
  absl::string_view message;
  EXPECT_FALSE(frames.Next(message));
}

TEST(GrpcFramesTest, ACompressedOneIsRefused) {
  GrpcFrames frames(10);
  EXPECT_THAT(frames.Append(absl::string_view("\1\0\0\0\1x", 6)),
              StatusIs(absl::StatusCode::kUnimplemented));
}

TEST(GrpcFramesTest, AStatusMessageSurvivesItsCoding) {
  const std::string text = "100 % of disk\n\xc3\xa9 \x01";
  EXPECT_EQ(PercentDecoded(PercentEncoded(text)), text);
  EXPECT_EQ(PercentEncoded("plain text"), "plain text");
  EXPECT_EQ(PercentDecoded("a%2"), "a%2");
  EXPECT_EQ(PercentDecoded("%zz"), "%zz");
}

}  // namespace
}  // namespace forewarn::wire
