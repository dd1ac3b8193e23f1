#include "collector/correlate/subsystem_relation.h"

#include "gtest/gtest.h"

namespace forewarn::correlate {
namespace {

TEST(SubsystemRelationTest, EverySubsystemIsRelatedToItself) {
  EXPECT_TRUE(Related("cpu", "cpu"));
  EXPECT_TRUE(Related("agent", "agent"));
}

TEST(SubsystemRelationTest, ReadsEitherWay) {
  EXPECT_TRUE(Related("disk", "filesystem"));
  EXPECT_TRUE(Related("filesystem", "disk"));
}

TEST(SubsystemRelationTest, ASlowAnswerBelongsToAMachineOutOfBreath) {
  EXPECT_TRUE(Related("probe", "cpu"));
  EXPECT_TRUE(Related("memory", "probe"));
  EXPECT_FALSE(Related("probe", "filesystem"));
}

TEST(SubsystemRelationTest, IsNotTransitive) {
  EXPECT_TRUE(Related("memory", "process"));
  EXPECT_TRUE(Related("process", "thermal"));
  EXPECT_FALSE(Related("memory", "thermal"));
}

TEST(SubsystemRelationTest, CertificateAndAgentStandAlone) {
  for (const char* other : {"cpu", "network", "probe", "system"}) {
    EXPECT_FALSE(Related("certificate", other));
    EXPECT_FALSE(Related("agent", other));
  }
  EXPECT_FALSE(FoldsByTime("certificate"));
  EXPECT_FALSE(FoldsByTime("agent"));
  EXPECT_TRUE(FoldsByTime("cpu"));
}

}  // namespace
}  // namespace forewarn::correlate
