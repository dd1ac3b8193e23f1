#include "protos/base/crc32c.h"

#include <string>

#include "gtest/gtest.h"

namespace forewarn::base {
namespace {

TEST(Crc32cTest, AgreesWithTheStandardsExamples) {
  // RFC 3720, B.4.
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), 0xE3069283u);
}

TEST(Crc32cTest, InstructionAndTableAgreeAtEveryLengthAndPlace) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += static_cast<char>(i * 37 + 11);
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t size = 0; begin + size <= bytes.size(); ++size) {
      const absl::string_view part(bytes.data() + begin, size);
      EXPECT_EQ(Crc32c(part, 12345), internal::Crc32cByTable(part, 12345));
    }
  }
}

}  // namespace
}  // namespace forewarn::base
