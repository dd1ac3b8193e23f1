#include "collector/store/sqlite_endpoint_store.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::store {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;

v1::Endpoint Named(const std::string& id) {
  v1::Endpoint endpoint;
  endpoint.set_id(id);
  endpoint.mutable_facts()->set_host_name("host-" + id);
  return endpoint;
}

TEST(SqliteEndpointStoreTest, GivesNumbersAndKeepsEndpointsOverARestart) {
  const TemporaryFolder folder;
  {
    const auto database = SqliteDatabase::Open(folder / "desk.db");
    FOREWARN_ASSERT_OK(database);
    SqliteEndpointStore store(**database);
    v1::Endpoint one = Named("a");
    v1::Endpoint two = Named("b");
    FOREWARN_ASSERT_OK(store.SaveEndpoint(one));
    FOREWARN_ASSERT_OK(store.SaveEndpoint(two));
    EXPECT_EQ(one.number(), 1u);
    EXPECT_EQ(two.number(), 2u);
    two.set_presence(v1::PRESENCE_ONLINE);
    FOREWARN_ASSERT_OK(store.SaveEndpoint(two));
  }
  const auto database = SqliteDatabase::Open(folder / "desk.db");
  FOREWARN_ASSERT_OK(database);
  const auto loaded = SqliteEndpointStore(**database).LoadEndpoints();
  FOREWARN_ASSERT_OK(loaded);
  ASSERT_EQ(loaded->size(), 2u);
  EXPECT_EQ((*loaded)[0].facts().host_name(), "host-a");
  EXPECT_EQ((*loaded)[1].number(), 2u);
  EXPECT_EQ((*loaded)[1].presence(), v1::PRESENCE_ONLINE);
}

TEST(SqliteEndpointStoreTest, AnIdIsTakenOnce) {
  const auto database = SqliteDatabase::Open(":memory:");
  FOREWARN_ASSERT_OK(database);
  SqliteEndpointStore store(**database);
  v1::Endpoint one = Named("a");
  v1::Endpoint same = Named("a");
  FOREWARN_ASSERT_OK(store.SaveEndpoint(one));
  EXPECT_THAT(store.SaveEndpoint(same),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(same.number(), 0u);
}

TEST(SqliteEndpointStoreTest, ANumberThatWasNeverGivenIsNotFound) {
  const auto database = SqliteDatabase::Open(":memory:");
  FOREWARN_ASSERT_OK(database);
  v1::Endpoint stray = Named("a");
  stray.set_number(7);
  EXPECT_THAT(SqliteEndpointStore(**database).SaveEndpoint(stray),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace forewarn::store
