#include "agent/sources/source_event.h"

#include <string>

#include "gtest/gtest.h"

namespace forewarn::agent {
namespace {

TEST(SourceEventTest, CleansAndCutsItsTexts) {
  const v1::Event event =
      MakeEvent(absl::FromUnixMillis(1500), "oom_kill",
                {{"process.pid", ""}, {"system.device", std::string(500, 'd')}},
                "a\nb" + std::string(1000, 'x'));
  EXPECT_EQ(event.name(), "forewarn.event.oom_kill");
  EXPECT_EQ(event.time().seconds(), 1);
  EXPECT_EQ(event.time().nanos(), 500'000'000);
  ASSERT_EQ(event.attributes_size(), 1);
  EXPECT_EQ(event.attributes(0).value(), std::string(256, 'd'));
  EXPECT_EQ(event.message().substr(0, 5),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(event.message().size(), 512u);
}

}  // namespace
}  // namespace forewarn::agent
