#include "collector/cli/client_config.h"

#include <sys/stat.h>

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::cli {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kGood[] =
    "url: https://localhost:8460\ntoken: fwa1.secret\nca_file: ca.pem\n";

class ClientConfigTest : public ::testing::Test {
 protected:
  Environment Env() {
    return [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    };
  }

  absl::StatusOr<ClientConfig> Read(const std::string& text,
                                    mode_t mode = 0600) {
    folder_.Write("cli.yaml", text);
    chmod((folder_ / "cli.yaml").c_str(), mode);
    variables_["FOREWARN_CONFIG"] = folder_ / "cli.yaml";
    return ReadClientConfig(Env());
  }

  TemporaryFolder folder_;
  std::map<std::string, std::string> variables_;
};

TEST_F(ClientConfigTest, LooksInThreePlacesInOrder) {
  EXPECT_EQ(ClientConfigPath(Env()), "");
  variables_["HOME"] = "/home/ann";
  EXPECT_EQ(ClientConfigPath(Env()), "/home/ann/.config/forewarn/cli.yaml");
  variables_["XDG_CONFIG_HOME"] = "/xdg";
  EXPECT_EQ(ClientConfigPath(Env()), "/xdg/forewarn/cli.yaml");
  variables_["FOREWARN_CONFIG"] = "/etc/mine.yaml";
  EXPECT_EQ(ClientConfigPath(Env()), "/etc/mine.yaml");
}

TEST_F(ClientConfigTest, ReadsItWithTheAuthorityBesideIt) {
  const auto config = Read(kGood);
  FOREWARN_ASSERT_OK(config);
  EXPECT_EQ(config->url, "https://localhost:8460");
  EXPECT_EQ(config->token, "fwa1.secret");
  EXPECT_EQ(config->ca_file, folder_ / "ca.pem");
}

TEST_F(ClientConfigTest, RefusesAFileThatOthersMayRead) {
  for (const mode_t mode : {0644, 0640, 0604, 0620}) {
    const auto config = Read(kGood, mode);
    EXPECT_THAT(config.status(), StatusIs(absl::StatusCode::kPermissionDenied,
                                          HasSubstr("chmod 600")));
  }
}

TEST_F(ClientConfigTest, AsksToSignInWhenThereIsNone) {
  variables_["FOREWARN_CONFIG"] = folder_ / "missing.yaml";
  EXPECT_THAT(
      ReadClientConfig(Env()).status(),
      StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("missing.yaml")));
}

TEST_F(ClientConfigTest, SaysWhereAnErrorIs) {
  EXPECT_THAT(Read("url: https://a:1\ntokens: x\n").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("cli.yaml:2:1: unknown key")));
  EXPECT_THAT(Read("url: https://a:1\ntoken: x\n").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("ca_file is missing")));
  EXPECT_THAT(Read("url: http://a:1\ntoken: x\nca_file: y\n").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("never plain http")));
  EXPECT_THAT(
      Read("url: [1, 2\n").status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cli.yaml:")));
  EXPECT_THAT(Read("just text").status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ClientConfigTest, NeverRepeatsTheToken) {
  EXPECT_THAT(
      std::string(Read("token: fwa1.secret\nurl: [\n").status().message()),
      Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace forewarn::cli
