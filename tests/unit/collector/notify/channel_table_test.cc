#include "collector/notify/channel_table.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace forewarn::notify {
namespace {

using ::forewarn::testing::FakeClock;
using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::testing::HasSubstr;

v1::NotifyConfig Config() {
  v1::NotifyConfig config;
  config.mutable_mail()->set_server("smtp://mail.example.com:25");
  config.mutable_mail()->set_from("fw@example.com");
  config.mutable_mail()->add_to("oncall@example.com");
  config.mutable_mail()->set_lowest_priority("P2");
  v1::WebhookConfig& webhook = *config.add_webhooks();
  webhook.set_name("chat");
  webhook.set_url("https://chat.example.com/hook");
  return config;
}

TEST(ChannelTableTest, DeskAndDispatcherAgreeOnNames) {
  FakeClock clock;
  const auto rows = OutboxChannels(Config());
  const auto channels = MakeChannels(Config(), clock);
  ASSERT_THAT(channels, IsOk());
  ASSERT_EQ(rows.size(), 2u);
  ASSERT_EQ(channels->size(), 2u);
  EXPECT_EQ(rows[0].name, (*channels)[0]->name());
  EXPECT_EQ(rows[1].name, (*channels)[1]->name());
  EXPECT_EQ(rows[0].lowest_priority, v1::P2);
  EXPECT_EQ(rows[1].lowest_priority, v1::P4);
}

TEST(ChannelTableTest, NothingConfiguredIsNoChannel) {
  FakeClock clock;
  EXPECT_TRUE(OutboxChannels(v1::NotifyConfig()).empty());
  const auto channels = MakeChannels(v1::NotifyConfig(), clock);
  ASSERT_THAT(channels, IsOk());
  EXPECT_TRUE(channels->empty());
}

TEST(ChannelTableTest, NamesTheChannelThatIsWrong) {
  FakeClock clock;
  v1::NotifyConfig config = Config();
  *config.add_webhooks() = config.webhooks(0);
  EXPECT_THAT(MakeChannels(config, clock),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("chat")));
  config = Config();
  config.mutable_webhooks(0)->set_url("ftp://x");
  EXPECT_THAT(
      MakeChannels(config, clock),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("webhook chat")));
}

TEST(ChannelTableTest, TakesTimesFromTheConfiguration) {
  v1::NotifyConfig config;
  EXPECT_EQ(OptionsOf(config).first_retry, absl::Seconds(5));
  EXPECT_EQ(OptionsOf(config).give_up_after, absl::Hours(24));
  config.mutable_first_retry()->set_seconds(2);
  config.mutable_give_up_after()->set_seconds(60);
  EXPECT_EQ(OptionsOf(config).first_retry, absl::Seconds(2));
  EXPECT_EQ(OptionsOf(config).give_up_after, absl::Minutes(1));
}

}  // namespace
}  // namespace forewarn::notify
