#ifndef FOREWARN_COLLECTOR_CLI_OUTPUT_H_
#define FOREWARN_COLLECTOR_CLI_OUTPUT_H_

#include <cstddef>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/cli/json_value.h"
#include "collector/cli/text_table.h"
#include "forewarn/v1/desk.pb.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"

namespace forewarn::cli {

enum class OutputFormat { kTable, kJson, kYaml };

// Where results and talk go: results to `out`, so that a pipe gets nothing
// else, talk to `err`. Thread-compatible.
class Output {
 public:
  // `color` and `width` (0: as wide as it gets) are for a terminal. Both
  // streams must outlive it.
  Output(std::ostream& out, std::ostream& err, bool color, size_t width)
      : out_(out), err_(err), color_(color), width_(width) {}

  void set_format(OutputFormat format) { format_ = format; }
  bool table() const { return format_ == OutputFormat::kTable; }
  bool color() const { return color_; }

  // The collector's document, as JSON or YAML.
  void Show(const JsonValue& document);
  void Show(const google::protobuf::Message& message);
  void Show(const TextTable& table);
  // Lines of a result for people; made inert.
  void ShowText(absl::string_view text);
  // A line for whoever watches; made inert.
  void Say(absl::string_view line);

 private:
  std::ostream& out_;
  std::ostream& err_;
  const bool color_;
  const size_t width_;
  OutputFormat format_ = OutputFormat::kTable;
};

// "2026-11-22 04:27:09Z"; "-" for a time that is not set.
std::string ShowTime(const google::protobuf::Timestamp& time, bool is_set);

// "in_progress" for IN_PROGRESS, without a prefix of the enum's own.
std::string ShowEnum(absl::string_view name, absl::string_view prefix = "");

// A priority in its colour.
TextTable::Cell PriorityCell(v1::Priority priority);

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_OUTPUT_H_
