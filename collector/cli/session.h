#ifndef FOREWARN_COLLECTOR_CLI_SESSION_H_
#define FOREWARN_COLLECTOR_CLI_SESSION_H_

#include <cstdint>
#include <istream>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "collector/cli/api_client.h"
#include "collector/cli/client_config.h"
#include "collector/cli/json_value.h"
#include "collector/cli/output.h"
#include "google/protobuf/message.h"

namespace forewarn::cli {

// What a command has at hand. The configuration is read when the collector is
// first needed, so that `--help` and a wrong command line need none.
// Thread-compatible.
class Session {
 public:
  // All must outlive it.
  Session(Environment environment, std::istream& in, Output& output)
      : environment_(std::move(environment)), in_(in), output_(output) {}

  Output& output() { return output_; }
  std::istream& in() { return in_; }

  // Reads the configuration; the errors of ReadClientConfig.
  absl::StatusOr<ClientConfig> Config();

  // The errors of ApiClient, and kDataLoss when the answer is not JSON.
  absl::StatusOr<JsonValue> Get(const std::string& path);
  absl::StatusOr<JsonValue> Post(const std::string& path,
                                 const google::protobuf::Message& body);
  absl::Status Delete(const std::string& path);
  // An answer that is text.
  absl::StatusOr<std::string> GetText(const std::string& path);

  // Follows cursors until `limit` rows of `field` are there; says so when
  // more follow. `path` may have a query already.
  absl::StatusOr<JsonValue> GetList(const std::string& path,
                                    absl::string_view field, uint32_t limit);

 private:
  absl::StatusOr<const ApiClient*> Client();

  const Environment environment_;
  std::istream& in_;
  Output& output_;
  std::optional<ApiClient> client_;
};

// `document` as the message it is; fields that this program does not know are
// left out. kDataLoss when it is another one.
absl::Status ReadMessage(const JsonValue& document,
                         google::protobuf::Message& message);

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_SESSION_H_
