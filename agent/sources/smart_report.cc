#include "agent/sources/smart_report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/sources/text.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace forewarn::agent {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

constexpr size_t kMaxDevices = 64;

struct AttributeName {
  int id;
  absl::string_view name;
};
// Vendors agree on the meaning of these.
constexpr AttributeName kAttributes[] = {
    {5, "reallocated_sectors"}, {10, "spin_retry"},
    {184, "end_to_end_error"},  {187, "reported_uncorrectable"},
    {188, "command_timeout"},   {196, "reallocation_events"},
    {197, "pending_sectors"},   {198, "offline_uncorrectable"},
    {199, "crc_errors"}};

absl::StatusOr<Struct> ParseJson(absl::string_view json) {
  Struct parsed;
  const auto status =
      google::protobuf::util::JsonStringToMessage(std::string(json), &parsed);
  if (!status.ok()) {
    return absl::DataLossError("read smartctl's answer: it is no JSON");
  }
  return parsed;
}

const Value* Find(const Struct& object, const char* key) {
  const auto found = object.fields().find(key);
  return found == object.fields().end() ? nullptr : &found->second;
}

// The object under `key`; an empty one when there is none.
const Struct& Object(const Struct& object, const char* key) {
  const Value* value = Find(object, key);
  return value != nullptr && value->has_struct_value()
             ? value->struct_value()
             : Struct::default_instance();
}

const ListValue& List(const Struct& object, const char* key) {
  const Value* value = Find(object, key);
  return value != nullptr && value->has_list_value()
             ? value->list_value()
             : ListValue::default_instance();
}

std::optional<double> Number(const Struct& object, const char* key) {
  const Value* value = Find(object, key);
  if (value == nullptr || value->kind_case() != Value::kNumberValue ||
      !std::isfinite(value->number_value())) {
    return std::nullopt;
  }
  return value->number_value();
}

std::string String(const Struct& object, const char* key) {
  const Value* value = Find(object, key);
  return value != nullptr && value->kind_case() == Value::kStringValue
             ? value->string_value()
             : "";
}

std::optional<double> Percent(const Struct& object, const char* key) {
  const std::optional<double> percent = Number(object, key);
  if (!percent.has_value()) return std::nullopt;
  return *percent / 100;
}

// Nothing that a program could take for an option or a path elsewhere.
bool IsPlain(absl::string_view text) {
  return !text.empty() && text.size() <= 128 && text[0] != '-' &&
         !absl::StrContains(text, "..") &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  absl::StrContains("/_.,:+-", absl::string_view(&c, 1));
         });
}

// What smartctl said when it could not do its work.
absl::Status CheckMessages(const Struct& report) {
  const Struct& smartctl = Object(report, "smartctl");
  const double exit = Number(smartctl, "exit_status").value_or(0);
  // Bit 0: command line; bit 1: the device could not be opened.
  if ((static_cast<int>(exit) & 3) == 0) return absl::OkStatus();
  std::string words = "it gave no reason";
  for (const Value& message : List(smartctl, "messages").values()) {
    if (message.has_struct_value()) {
      words = CleanText(String(message.struct_value(), "string"), 200);
    }
  }
  const std::string text = absl::StrCat("ask drive: ", words);
  return absl::StrContains(words, "Permission denied") ||
                 absl::StrContains(words, "Operation not permitted")
             ? absl::PermissionDeniedError(text)
             : absl::UnavailableError(text);
}

// Attributes that tell the life of a solid-state drive: the normalised value
// counts down from 100.
bool TellsLifeLeft(absl::string_view name) {
  return name == "Wear_Leveling_Count" || name == "Media_Wearout_Indicator" ||
         name == "SSD_Life_Left" || name == "Percent_Lifetime_Remain" ||
         name == "Remaining_Lifetime_Perc";
}

void ReadAtaAttributes(const Struct& report, SmartReport& out) {
  for (const Value& row :
       List(Object(report, "ata_smart_attributes"), "table").values()) {
    const Struct& attribute = row.struct_value();
    const double id = Number(attribute, "id").value_or(0);
    const std::optional<double> raw = Number(Object(attribute, "raw"), "value");
    const std::optional<double> left = Number(attribute, "value");
    if (TellsLifeLeft(String(attribute, "name")) && left.has_value() &&
        *left <= 100 && !out.endurance_used_ratio.has_value()) {
      out.endurance_used_ratio = (100 - *left) / 100;
    }
    for (const AttributeName& known : kAttributes) {
      if (known.id != id || !raw.has_value()) continue;
      double value = *raw;
      // Seagate packs three counters of 16 bits into one; the lowest counts
      // all time-outs.
      if (known.id == 188) value = std::fmod(value, 65536);
      out.attributes.emplace_back(known.name, value);
    }
  }
}

void ReadNvme(const Struct& report, SmartReport& out) {
  const Struct& log = Object(report, "nvme_smart_health_information_log");
  out.critical_warning = Number(log, "critical_warning");
  out.media_errors = Number(log, "media_errors");
  out.spare_ratio = Percent(log, "available_spare");
  out.spare_threshold_ratio = Percent(log, "available_spare_threshold");
  if (const auto used = Percent(log, "percentage_used"); used.has_value()) {
    out.endurance_used_ratio = used;
  }
}

void ReadScsi(const Struct& report, SmartReport& out) {
  if (const auto defects = Number(report, "scsi_grown_defect_list")) {
    out.attributes.emplace_back("reallocated_sectors", *defects);
  }
  double uncorrected = 0;
  bool is_counted = false;
  const Struct& log = Object(report, "scsi_error_counter_log");
  for (const char* deed : {"read", "write", "verify"}) {
    const auto errors = Number(Object(log, deed), "total_uncorrected_errors");
    if (!errors.has_value()) continue;
    uncorrected += *errors;
    is_counted = true;
  }
  if (is_counted) {
    out.attributes.emplace_back("reported_uncorrectable", uncorrected);
  }
}

// The label's own words: a technician finds the drive by them, and they stay
// when device names change.
std::string DriveName(const Struct& report) {
  std::string model = String(report, "model_name");
  if (model.empty()) model = String(report, "scsi_model_name");
  const std::string serial = String(report, "serial_number");
  const std::string name =
      serial.empty() ? std::string(absl::StripPrefix(
                           String(Object(report, "device"), "name"), "/dev/"))
                     : absl::StrCat(model, " ", serial);
  return CleanText(absl::StripAsciiWhitespace(name), 128);
}

}  // namespace

absl::StatusOr<std::vector<SmartDevice>> ParseSmartScan(
    absl::string_view json) {
  const absl::StatusOr<Struct> scan = ParseJson(json);
  if (!scan.ok()) return scan.status();
  std::vector<SmartDevice> devices;
  for (const Value& row : List(*scan, "devices").values()) {
    if (devices.size() >= kMaxDevices) break;
    const Struct& device = row.struct_value();
    SmartDevice found = {.name = String(device, "name"),
                         .type = String(device, "type")};
    if (absl::StartsWith(found.name, "/dev/") && IsPlain(found.name) &&
        IsPlain(found.type)) {
      devices.push_back(std::move(found));
    }
  }
  return devices;
}

absl::StatusOr<SmartReport> ParseSmartReport(absl::string_view json) {
  const absl::StatusOr<Struct> parsed = ParseJson(json);
  if (!parsed.ok()) return parsed.status();
  const Struct& report = *parsed;

  SmartReport out;
  out.drive = DriveName(report);
  for (const Value& message :
       List(Object(report, "smartctl"), "messages").values()) {
    const std::string words = String(message.struct_value(), "string");
    if (absl::StrContains(words, "STANDBY mode") ||
        absl::StrContains(words, "SLEEP mode")) {
      out.asleep = true;
      return out;
    }
  }
  if (const absl::Status status = CheckMessages(report); !status.ok()) {
    return status;
  }
  if (const Value* passed = Find(Object(report, "smart_status"), "passed");
      passed != nullptr && passed->kind_case() == Value::kBoolValue) {
    out.passed = passed->bool_value();
  }
  const Struct& power = Object(report, "power_on_time");
  if (const auto hours = Number(power, "hours"); hours.has_value()) {
    out.power_on_seconds =
        *hours * 3600 + Number(power, "minutes").value_or(0) * 60;
  }
  // Zero is what drives without a sensor say.
  if (const auto degrees = Number(Object(report, "temperature"), "current");
      degrees.has_value() && *degrees != 0) {
    out.temperature_celsius = degrees;
  }
  ReadAtaAttributes(report, out);
  ReadNvme(report, out);
  ReadScsi(report, out);
  if (const auto used =
          Percent(Object(report, "endurance_used"), "current_percent");
      used.has_value()) {
    out.endurance_used_ratio = used;
  }
  return out;
}

}  // namespace forewarn::agent
