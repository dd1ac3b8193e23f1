#include "collector/detect/symptom.h"

#include "gtest/gtest.h"

namespace forewarn::detect {
namespace {

TEST(FingerprintTest, IsSixteenHexDigitsAndStable) {
  // From: printf 'e\0r\0s' | sha256sum. Written in databases: never changes.
  EXPECT_EQ(Fingerprint("e", "r", "s"), "87b3a03a5979bd36");
}

TEST(FingerprintTest, TellsEndpointRuleAndSeriesApart) {
  const std::string one = Fingerprint("e", "r", "s");
  EXPECT_NE(one, Fingerprint("e2", "r", "s"));
  EXPECT_NE(one, Fingerprint("e", "r2", "s"));
  EXPECT_NE(one, Fingerprint("e", "r", "s2"));
  EXPECT_NE(Fingerprint("ab", "c", "d"), Fingerprint("a", "bc", "d"));
}

}  // namespace
}  // namespace forewarn::detect
