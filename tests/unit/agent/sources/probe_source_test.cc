#include "agent/sources/probe_source.h"

#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;

class FakeCheck final : public ProbeCheck {
 public:
  explicit FakeCheck(ProbeResult result) : result_(std::move(result)) {}
  ProbeResult Run() override { return result_; }

 private:
  const ProbeResult result_;
};

// Hangs until cancelled.
class HangingCheck final : public ProbeCheck {
 public:
  ProbeResult Run() override {
    cancelled_.get_future().wait();
    return {.status = absl::CancelledError("cancelled"),
            .duration = {},
            .http_status = {},
            .certificate_expires = {}};
  }
  void Cancel() override {
    if (!std::exchange(is_cancelled_, true)) cancelled_.set_value();
  }

 private:
  std::promise<void> cancelled_;
  bool is_cancelled_ = false;
};

ProbeResult Good(absl::Duration duration) {
  ProbeResult result;
  result.duration = duration;
  return result;
}
ProbeResult Bad(absl::Status status) {
  ProbeResult result;
  result.status = std::move(status);
  return result;
}

void Add(v1::AgentConfig& config, const std::string& name,
         const std::string& type, int interval_seconds = 0) {
  v1::ProbeConfig* probe = config.add_probes();
  probe->set_name(name);
  probe->set_type(type);
  probe->set_target(name + ".example");
  if (interval_seconds > 0) {
    probe->mutable_interval()->set_seconds(interval_seconds);
  }
  probe->mutable_timeout()->set_seconds(60);
}

class ProbeSourceTest : public ::testing::Test {
 protected:
  ProbeSource::MakeCheck Make() {
    return [this](absl::string_view, const std::string& target,
                  absl::Duration) -> std::unique_ptr<ProbeCheck> {
      asked_.push_back(target);
      return std::make_unique<FakeCheck>(results_[target]);
    };
  }
  absl::Status Sample(ProbeSource& source, double seconds) {
    sink_.Clear();
    asked_.clear();
    return source.Sample({absl::FromUnixSeconds(1000), absl::Seconds(seconds)},
                         sink_);
  }

  v1::AgentConfig config_;
  std::map<std::string, ProbeResult> results_;
  std::vector<std::string> asked_;
  RecordingSink sink_{"probe"};
};

TEST_F(ProbeSourceTest, ReadsSuccessFailureStatusAndExpiry) {
  Add(config_, "web", "http");
  Add(config_, "db", "tcp");
  results_["web.example"] = Good(absl::Milliseconds(30));
  results_["web.example"].http_status = 204;
  results_["web.example"].certificate_expires = absl::FromUnixSeconds(4600);
  results_["db.example"] = Bad(absl::UnavailableError("refused"));
  ProbeSource source(config_, Make());
  FOREWARN_ASSERT_OK(Sample(source, 100));
  EXPECT_EQ(sink_.Value("forewarn.probe.up{forewarn.probe.name=web,"
                        "forewarn.probe.type=http}"),
            1);
  EXPECT_DOUBLE_EQ(
      sink_.Value("forewarn.probe.duration{forewarn.probe.name=web,"
                  "forewarn.probe.type=http}"),
      0.03);
  EXPECT_EQ(sink_.Value("forewarn.probe.http.status{forewarn.probe.name=web}"),
            204);
  EXPECT_EQ(sink_.Value("forewarn.probe.certificate.time_left{"
                        "forewarn.probe.name=web}"),
            3600);
  EXPECT_EQ(sink_.Value("forewarn.probe.up{forewarn.probe.name=db,"
                        "forewarn.probe.type=tcp}"),
            0);
  EXPECT_EQ(sink_.Count("forewarn.probe.duration"), 1);
}

TEST_F(ProbeSourceTest, SaysWhyWhenOneBeginsToFail) {
  Add(config_, "db", "tcp", 10);
  results_["db.example"] = Bad(absl::UnavailableError("connect: refused"));
  ProbeSource source(config_, Make());
  FOREWARN_ASSERT_OK(Sample(source, 0));
  ASSERT_EQ(sink_.events.size(), 1u);
  EXPECT_EQ(sink_.events[0].name(), "forewarn.event.probe_failed");
  EXPECT_EQ(sink_.events[0].message(), "connect: refused");
  FOREWARN_ASSERT_OK(Sample(source, 10));
  EXPECT_TRUE(sink_.events.empty());
  results_["db.example"] = Good(absl::Milliseconds(1));
  FOREWARN_ASSERT_OK(Sample(source, 20));
  results_["db.example"] = Bad(absl::UnavailableError("again"));
  FOREWARN_ASSERT_OK(Sample(source, 30));
  EXPECT_EQ(sink_.events.size(), 1u);
}

TEST_F(ProbeSourceTest, EachRunsAtItsOwnInterval) {
  Add(config_, "often", "tcp", 10);
  Add(config_, "seldom", "tcp", 30);
  Add(config_, "default", "tcp");
  ProbeSource source(config_, Make());
  EXPECT_EQ(source.interval(), absl::Seconds(10));
  FOREWARN_ASSERT_OK(Sample(source, 100));
  EXPECT_THAT(asked_, ::testing::ElementsAre("often.example", "seldom.example",
                                             "default.example"));
  FOREWARN_ASSERT_OK(Sample(source, 109.8));
  EXPECT_THAT(asked_, ::testing::ElementsAre("often.example"));
  FOREWARN_ASSERT_OK(Sample(source, 112));
  EXPECT_TRUE(asked_.empty());
  FOREWARN_ASSERT_OK(Sample(source, 130));
  EXPECT_THAT(asked_,
              ::testing::ElementsAre("often.example", "seldom.example"));
  FOREWARN_ASSERT_OK(Sample(source, 160));
  EXPECT_THAT(asked_, ::testing::ElementsAre("often.example", "seldom.example",
                                             "default.example"));
}

TEST_F(ProbeSourceTest, OneThatHangsIsDownAndHoldsUpNoOther) {
  Add(config_, "stuck", "tcp", 10);
  Add(config_, "good", "tcp", 10);
  config_.mutable_probes(0)->mutable_timeout()->set_seconds(0);
  config_.mutable_probes(0)->mutable_timeout()->set_nanos(1'000'000);
  ProbeSource source(
      config_,
      [](absl::string_view, const std::string& target,
         absl::Duration) -> std::unique_ptr<ProbeCheck> {
        if (target == "stuck.example") return std::make_unique<HangingCheck>();
        return std::make_unique<FakeCheck>(Good(absl::Milliseconds(1)));
      });
  FOREWARN_ASSERT_OK(Sample(source, 0));
  EXPECT_EQ(sink_.Value("forewarn.probe.up{forewarn.probe.name=stuck,"
                        "forewarn.probe.type=tcp}"),
            0);
  EXPECT_EQ(sink_.Value("forewarn.probe.up{forewarn.probe.name=good,"
                        "forewarn.probe.type=tcp}"),
            1);
}

TEST_F(ProbeSourceTest, WhatIsNotPermittedSaysNothing) {
  Add(config_, "ping", "ping");
  results_["ping.example"] = Bad(absl::UnimplementedError("no ICMP"));
  ProbeSource source(config_, Make());
  FOREWARN_ASSERT_OK(Sample(source, 0));
  EXPECT_TRUE(sink_.readings.empty());
  EXPECT_TRUE(sink_.events.empty());
}

TEST_F(ProbeSourceTest, AnUnknownTypeIsDown) {
  Add(config_, "odd", "smtp");
  ProbeSource source(config_);
  FOREWARN_ASSERT_OK(Sample(source, 0));
  EXPECT_EQ(sink_.Value("forewarn.probe.up{forewarn.probe.name=odd,"
                        "forewarn.probe.type=smtp}"),
            0);
}

TEST_F(ProbeSourceTest, NamesCountOnceAndProbesAreBounded) {
  for (int i = 0; i < 100; ++i) Add(config_, absl::StrCat("p", i / 2), "tcp");
  for (int i = 0; i < 100; ++i) Add(config_, absl::StrCat("q", i), "tcp");
  ProbeSource source(config_, Make());
  FOREWARN_ASSERT_OK(Sample(source, 0));
  EXPECT_EQ(sink_.Count("forewarn.probe.up"), 64);
}

TEST_F(ProbeSourceTest, WithoutProbesThereIsNothing) {
  ProbeSource source(config_);
  EXPECT_THAT(Sample(source, 0), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace forewarn::agent
