#include "collector/fleet/endpoint_registry.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_endpoint_store.h"
#include "tests/support/status_matchers.h"

namespace forewarn::fleet {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::testing::SizeIs;

constexpr absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class EndpointRegistryTest : public ::testing::Test {
 protected:
  v1::EndpointFacts Facts(const std::string& host) {
    v1::EndpointFacts facts;
    facts.set_host_name(host);
    return facts;
  }
  v1::Endpoint Enroll(const std::string& id, const std::string& host) {
    auto enrolled =
        registry_.Enroll(id, Facts(host), "01", kNow + absl::Hours(1), kNow);
    EXPECT_THAT(enrolled, IsOk());
    return *enrolled;
  }

  testing::MemoryEndpointStore store_;
  EndpointRegistry registry_{store_};
};

TEST_F(EndpointRegistryTest, EnrolledEndpointsAreFoundByIdNumberAndName) {
  const v1::Endpoint endpoint = Enroll("u-1", "alpha");
  EXPECT_EQ(endpoint.number(), 1u);
  EXPECT_EQ(registry_.Find("u-1")->number(), 1u);
  EXPECT_EQ(registry_.Find("1")->id(), "u-1");
  EXPECT_EQ(registry_.Find("alpha")->id(), "u-1");
  EXPECT_EQ(registry_.Find("beta"), std::nullopt);
}

TEST_F(EndpointRegistryTest, ANameThatTwoBearFindsNeither) {
  Enroll("u-1", "alpha");
  Enroll("u-2", "alpha");
  EXPECT_EQ(registry_.Find("alpha"), std::nullopt);
  EXPECT_THAT(registry_.List(), SizeIs(2));
}

TEST_F(EndpointRegistryTest, SiteFromEnrolmentOutranksTheAgentsClaim) {
  v1::EndpointFacts facts = Facts("alpha");
  facts.set_site("oslo");
  FOREWARN_ASSERT_OK(registry_.Enroll("u-1", facts, "01", kNow, kNow));
  facts.set_site("elsewhere");
  facts.set_kernel("6.1");
  FOREWARN_ASSERT_OK(registry_.Connected("u-1", facts, "0.1", "boot", kNow));
  EXPECT_EQ(registry_.Find("u-1")->facts().site(), "oslo");
  EXPECT_EQ(registry_.Find("u-1")->facts().kernel(), "6.1");
  EXPECT_EQ(registry_.Find("u-1")->presence(), v1::PRESENCE_ONLINE);
}

TEST_F(EndpointRegistryTest, SeenIsKeptInMemoryUntilFlushed) {
  Enroll("u-1", "alpha");
  const int before = store_.saves();
  registry_.Seen("u-1", kNow + absl::Seconds(5), 250);
  EXPECT_EQ(store_.saves(), before);
  FOREWARN_ASSERT_OK(registry_.Flush());  // nothing but a sample came
  EXPECT_EQ(store_.saves(), before);
  FOREWARN_ASSERT_OK(registry_.FlushAll());
  EXPECT_EQ(store_.saves(), before + 1);
  FOREWARN_ASSERT_OK(registry_.FlushAll());
  EXPECT_EQ(store_.saves(), before + 1);
  FOREWARN_ASSERT_OK(registry_.SetPresence("u-1", v1::PRESENCE_LOST, kNow));
  FOREWARN_ASSERT_OK(registry_.Flush());
  EXPECT_EQ(store_.saves(), before + 2);
  EndpointRegistry again(store_);
  FOREWARN_ASSERT_OK(again.Load());
  EXPECT_EQ(again.Find("u-1")->series_count(), 250u);
}

TEST_F(EndpointRegistryTest, WhatTheStoreRefusesIsNotKept) {
  store_.Fail(true);
  EXPECT_THAT(registry_.Enroll("u-1", Facts("a"), "01", kNow, kNow),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(registry_.Find("u-1"), std::nullopt);
}

TEST_F(EndpointRegistryTest, UnknownEndpointsAreRefused) {
  EXPECT_THAT(registry_.Connected("u-9", Facts("a"), "", "", kNow),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(registry_.Revoke("u-9", kNow),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace forewarn::fleet
