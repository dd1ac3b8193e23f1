#include "collector/fleet/cohort.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Endpoint At(const std::string& id, const std::string& site) {
  v1::Endpoint endpoint;
  endpoint.set_id(id);
  endpoint.mutable_facts()->set_site(site);
  endpoint.mutable_facts()->set_model("box");
  return endpoint;
}

TEST(CohortTest, FactsThatAreKnownMakeCohorts) {
  v1::EndpointFacts facts;
  EXPECT_THAT(CohortsOf(facts), IsEmpty());
  facts.set_site("oslo");
  facts.set_model("T14");
  facts.set_os_name("Debian GNU/Linux");
  facts.set_os_version("12");
  facts.add_tags("kiosk");
  EXPECT_THAT(CohortsOf(facts),
              ElementsAre(Cohort{"site", "oslo"}, Cohort{"model", "T14"},
                          Cohort{"os", "Debian GNU/Linux 12"},
                          Cohort{"tag", "kiosk"}));
}

TEST(CohortIndexTest, CountsEndpointsByTheirLatestFacts) {
  CohortIndex index;
  index.Put(At("a", "oslo"));
  index.Put(At("b", "oslo"));
  index.Put(At("c", "milano"));
  index.Put(At("c", "milano"));  // again: still one
  EXPECT_EQ(index.CountAll().fleet, 3u);
  EXPECT_EQ(index.CountAll().cohorts.at({"site", "oslo"}), 2u);
  EXPECT_EQ(index.CountAll().cohorts.at({"model", "box"}), 3u);
  index.Put(At("b", "milano"));  // moved
  EXPECT_EQ(index.CountAll().cohorts.at({"site", "oslo"}), 1u);
  EXPECT_EQ(index.CountAll().cohorts.at({"site", "milano"}), 2u);
  v1::Endpoint revoked = At("a", "oslo");
  revoked.mutable_revoked_at()->set_seconds(1);
  index.Put(revoked);
  EXPECT_EQ(index.CountAll().fleet, 2u);
  EXPECT_FALSE(index.CountAll().cohorts.contains({"site", "oslo"}));
  EXPECT_THAT(index.Of("b"),
              ElementsAre(Cohort{"site", "milano"}, Cohort{"model", "box"}));
  EXPECT_THAT(index.Of("nobody"), IsEmpty());
}

}  // namespace
}  // namespace forewarn::fleet
