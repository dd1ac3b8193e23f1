#include "protos/base/bounded_queue.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::base {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kLong = absl::Minutes(5);

TEST(BoundedQueueTest, RefusesAndCountsWhatIsOverItsBound) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.TryPush(1));
  EXPECT_TRUE(queue.TryPush(2));
  EXPECT_FALSE(queue.TryPush(3));
  EXPECT_EQ(queue.refused(), 1u);
  EXPECT_THAT(queue.PopAll(kLong), ElementsAre(1, 2));
  EXPECT_THAT(queue.PopAll(absl::ZeroDuration()), IsEmpty());
}

TEST(BoundedQueueTest, APusherWaitsForRoom) {
  BoundedQueue<int> queue(1);
  queue.Push(1);
  std::thread pusher([&] { queue.Push(2); });
  EXPECT_THAT(queue.PopAll(kLong), ElementsAre(1));
  EXPECT_THAT(queue.PopAll(kLong), ElementsAre(2));
  pusher.join();
}

TEST(BoundedQueueTest, APopperIsWokenByTheFirst) {
  BoundedQueue<int> queue(8);
  std::thread pusher([&] { queue.Push(1); });
  EXPECT_THAT(queue.PopAll(kLong), ElementsAre(1));
  pusher.join();
}

TEST(BoundedQueueTest, GatherEndsWhenThereAreEnough) {
  BoundedQueue<int> queue(8);
  std::thread pusher([&] {
    for (int i = 0; i < 3; ++i) queue.Push(i);
  });
  EXPECT_THAT(queue.Gather(kLong, kLong, 3), SizeIs(3));
  pusher.join();
}

TEST(BoundedQueueTest, GatherGivesWhatCameInItsTime) {
  BoundedQueue<int> queue(8);
  queue.Push(1);
  EXPECT_THAT(queue.Gather(kLong, absl::Milliseconds(1), 3), SizeIs(1));
}

TEST(BoundedQueueTest, GatherNeverWaitsForMoreThanFits) {
  BoundedQueue<int> queue(2);
  queue.Push(1);
  queue.Push(2);
  EXPECT_THAT(queue.Gather(kLong, kLong, 100), SizeIs(2));
}

TEST(BoundedQueueTest, CloseEndsEveryWait) {
  BoundedQueue<int> queue(1);
  queue.Push(1);
  std::thread pusher([&] { EXPECT_FALSE(queue.Push(2)); });
  queue.Close();
  pusher.join();
  EXPECT_THAT(queue.PopAll(kLong), ElementsAre(1));
  EXPECT_THAT(queue.PopAll(kLong), IsEmpty());
}

}  // namespace
}  // namespace forewarn::base
