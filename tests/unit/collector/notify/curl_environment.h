#ifndef FOREWARN_TESTS_UNIT_COLLECTOR_NOTIFY_CURL_ENVIRONMENT_H_
#define FOREWARN_TESTS_UNIT_COLLECTOR_NOTIFY_CURL_ENVIRONMENT_H_

#include <curl/curl.h>

#include "gtest/gtest.h"

namespace forewarn::notify {

// libcurl's start and end around all tests of a program, as main does it.
class CurlEnvironment final : public ::testing::Environment {
 public:
  void SetUp() override { curl_global_init(CURL_GLOBAL_DEFAULT); }
  void TearDown() override { curl_global_cleanup(); }
};

inline ::testing::Environment* const kCurl =
    ::testing::AddGlobalTestEnvironment(new CurlEnvironment);

}  // namespace forewarn::notify

#endif  // FOREWARN_TESTS_UNIT_COLLECTOR_NOTIFY_CURL_ENVIRONMENT_H_
