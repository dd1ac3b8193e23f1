#include "collector/cli/output.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "collector/cli/screen_text.h"
#include "google/protobuf/util/json_util.h"

namespace forewarn::cli {

void Output::Show(const JsonValue& document) {
  out_ << (format_ == OutputFormat::kYaml ? ToYaml(document)
                                          : ToJson(document));
}

void Output::Show(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  auto document = ParseJson(json);
  if (status.ok() && document.ok()) Show(*document);
}

void Output::Show(const TextTable& table) {
  out_ << table.Render(color_, width_);
}

void Output::ShowText(absl::string_view text) {
  out_ << InertLines(absl::StripSuffix(text, "\n")) << "\n";
}

void Output::Say(absl::string_view line) { err_ << InertLines(line) << "\n"; }

std::string ShowTime(const google::protobuf::Timestamp& time, bool is_set) {
  if (!is_set) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ",
                          absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

std::string ShowEnum(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  return absl::AsciiStrToLower(name);
}

TextTable::Cell PriorityCell(v1::Priority priority) {
  const Mark mark = priority == v1::P1   ? Mark::kBad
                    : priority == v1::P2 ? Mark::kWarn
                    : priority == v1::P3 ? Mark::kNone
                                         : Mark::kDim;
  if (priority == v1::INFO) return {"info", mark};
  return {v1::Priority_Name(priority), mark};
}

}  // namespace forewarn::cli
