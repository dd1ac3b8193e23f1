#include "protos/base/record_log.h"

#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_files.h"
#include "tests/support/status_matchers.h"

namespace forewarn::base {
namespace {

using ::forewarn::testing::FakeFiles;
using ::forewarn::testing::StatusIs;
using ::testing::ElementsAre;

std::string LogOf(const std::vector<std::string>& records) {
  FakeFiles files;
  auto writer = RecordWriter::Create(files, "/log");
  FOREWARN_EXPECT_OK(writer);
  for (const std::string& record : records) {
    FOREWARN_EXPECT_OK((*writer)->Append(record));
  }
  FOREWARN_EXPECT_OK((*writer)->Sync());
  std::string bytes = *files.Read("/log", 1 << 30);
  EXPECT_EQ(bytes.size(), (*writer)->bytes());
  return bytes;
}

struct ReadBack {
  std::vector<std::string> records;
  uint64_t damaged = 0;
  uint64_t torn = 0;
};

ReadBack Read(absl::string_view bytes) {
  ReadBack back;
  auto reader = RecordReader::Open(bytes);
  FOREWARN_EXPECT_OK(reader);
  if (!reader.ok()) return back;
  absl::string_view payload;
  while (reader->Next(payload)) back.records.emplace_back(payload);
  back.damaged = reader->damaged_bytes();
  back.torn = reader->torn_bytes();
  return back;
}

TEST(RecordLogTest, GivesBackWhatWasWritten) {
  const ReadBack back = Read(LogOf({"one", std::string(70000, 'x'), "three"}));
  EXPECT_THAT(back.records,
              ElementsAre("one", std::string(70000, 'x'), "three"));
  EXPECT_EQ(back.damaged, 0u);
  EXPECT_EQ(back.torn, 0u);
}

TEST(RecordLogTest, CutsATornTailAtEveryLength) {
  const std::string whole = LogOf({"first", "second"});
  const size_t first_end = LogOf({"first"}).size();
  for (size_t size = first_end; size < whole.size(); ++size) {
    const ReadBack back = Read(whole.substr(0, size));
    EXPECT_THAT(back.records, ElementsAre("first")) << size;
    EXPECT_EQ(back.damaged, 0u);
    EXPECT_EQ(back.torn, size - first_end);
  }
}

TEST(RecordLogTest, LosesOneRecordAtMostToAnyFlippedByte) {
  const std::string whole = LogOf({"first", "second", "third", "fourth"});
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] ^= 0x20;
    const ReadBack back = Read(bytes);
    EXPECT_GE(back.records.size(), at < kRecordLogHeaderBytes ? 4u : 3u) << at;
    for (const std::string& record : back.records) {
      EXPECT_THAT(record,
                  ::testing::AnyOf("first", "second", "third", "fourth"));
    }
  }
}

TEST(RecordLogTest, CountsWhatDamageCost) {
  std::string bytes = LogOf({"first", "second", "third"});
  bytes[kRecordLogHeaderBytes + kRecordHeadBytes] ^= 1;
  const ReadBack back = Read(bytes);
  EXPECT_THAT(back.records, ElementsAre("second", "third"));
  EXPECT_EQ(back.damaged, kRecordHeadBytes + 5);
}

TEST(RecordLogTest, FindsRecordsBehindGarbage) {
  const std::string one = LogOf({"one"});
  std::string bytes = LogOf({"one", "two"});
  bytes.insert(one.size(), "garbage that somebody put between");
  EXPECT_THAT(Read(bytes).records, ElementsAre("one", "two"));
}

TEST(RecordLogTest, DoesNotTakeUpARecordHiddenInADamagedPayload) {
  // A whole log, records and all, as the payload of another log's record.
  const std::string forged = LogOf({"forged"});
  std::string bytes = LogOf({forged, "honest"});
  bytes[kRecordLogHeaderBytes + 4] ^= 1;  // the outer head's length
  EXPECT_THAT(Read(bytes).records, ElementsAre("honest"));
}

TEST(RecordLogTest, RefusesAFileWithoutAGoodHeader) {
  std::string bytes = LogOf({"one"});
  bytes[1] ^= 1;
  bytes[17] ^= 1;
  EXPECT_THAT(RecordReader::Open(bytes), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(RecordReader::Open(""), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(RecordLogTest, ReadsAZeroFilledTailAsTorn) {
  const std::string one = LogOf({"one"});
  const ReadBack back = Read(one + std::string(4096, '\0'));
  EXPECT_THAT(back.records, ElementsAre("one"));
  EXPECT_EQ(back.damaged, 0u);
  EXPECT_EQ(back.torn, 4096u);
}

TEST(RecordLogTest, SurvivesRandomGarbage) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = LogOf({"one", "two", "three"});
    for (int change = 0; change < 20; ++change) {
      bytes[16 + random() % (bytes.size() - 16)] = static_cast<char>(random());
    }
    for (const std::string& record : Read(bytes).records) {
      EXPECT_THAT(record, ::testing::AnyOf("one", "two", "three"));
    }
  }
}

TEST(RecordWriterTest, RefusesAnEmptyOrOversizeRecord) {
  FakeFiles files;
  auto writer = RecordWriter::Create(files, "/log");
  FOREWARN_ASSERT_OK(writer);
  EXPECT_THAT((*writer)->Append(""),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT((*writer)->Append(std::string(kMaxRecordBytes + 1, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument));
  FOREWARN_EXPECT_OK((*writer)->Append("fine"));
}

TEST(RecordWriterTest, DoesNotWriteOverAnExistingFile) {
  FakeFiles files;
  FOREWARN_ASSERT_OK(files.OpenAppend("/log"));
  EXPECT_THAT(RecordWriter::Create(files, "/log"),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST(RecordWriterTest, StaysBrokenAfterAFailedSync) {
  FakeFiles files;
  auto writer = RecordWriter::Create(files, "/log");
  FOREWARN_ASSERT_OK(writer);
  files.FailAt(2);
  FOREWARN_ASSERT_OK((*writer)->Append("one"));
  EXPECT_FALSE((*writer)->Sync().ok());
  EXPECT_FALSE((*writer)->Append("two").ok());
}

}  // namespace
}  // namespace forewarn::base
