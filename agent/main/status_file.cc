#include "agent/main/status_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "agent/main/json_text.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

std::string TextOf(absl::Time time) {
  return time <= absl::UnixEpoch()
             ? ""
             : absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

absl::Time TimeOf(const std::string& text) {
  absl::Time time;
  std::string error;
  return absl::ParseTime(absl::RFC3339_full, text, &time, &error)
             ? time
             : absl::UnixEpoch();
}

class Reader {
 public:
  explicit Reader(const Struct& object) : object_(object) {}
  std::string Text(const char* key) const { return At(key).string_value(); }
  double Number(const char* key) const { return At(key).number_value(); }
  uint64_t Count(const char* key) const {
    const double number = Number(key);
    return number > 0 && number < 1e18 ? static_cast<uint64_t>(number) : 0;
  }
  const Value& At(const char* key) const {
    const auto it = object_.fields().find(key);
    return it == object_.fields().end() ? Value::default_instance()
                                        : it->second;
  }

 private:
  const Struct& object_;
};

}  // namespace

std::string AgentStatus::ToJson(bool running, int pid) const {
  std::vector<std::string> list;
  for (const SourceStatus& source : sources) {
    list.push_back(JsonObject(
        {{"name", JsonText(source.name)},
         {"failures", absl::StrCat(source.failures)},
         {"age_seconds", JsonNumber(absl::ToDoubleSeconds(source.age))},
         {"interval_seconds",
          JsonNumber(absl::ToDoubleSeconds(source.interval))}}));
  }
  return absl::StrCat(
      JsonObject(
          {{"running", running ? "true" : "false"},
           {"pid", absl::StrCat(pid)},
           {"written_at", JsonText(TextOf(written_at))},
           {"version", JsonText(version)},
           {"endpoint_id", JsonText(endpoint_id)},
           {"phase", JsonText(phase)},
           {"collector", JsonText(collector)},
           {"since", JsonText(TextOf(since))},
           {"last_ack", JsonText(TextOf(last_ack))},
           {"last_error", JsonText(last_error)},
           {"certificate_expires", JsonText(TextOf(certificate_expires))},
           {"tick_seconds", JsonNumber(absl::ToDoubleSeconds(tick))},
           {"series", absl::StrCat(series)},
           {"spool_bytes", absl::StrCat(spool_bytes)},
           {"spool_limit_bytes", absl::StrCat(spool_limit_bytes)},
           {"spool_batches", absl::StrCat(spool_batches)},
           {"dropped_samples", absl::StrCat(dropped_samples)},
           {"spool_error", JsonText(spool_error)},
           {"sources", JsonArray(list)}}),
      "\n");
}

absl::StatusOr<AgentStatus> ReadStatusFile(base::Files& files,
                                           const std::string& path) {
  constexpr uint64_t kMaxFile = 1 << 20;
  FOREWARN_ASSIGN_OR_RETURN(const std::string json, files.Read(path, kMaxFile));
  Struct object;
  if (!google::protobuf::util::JsonStringToMessage(json, &object).ok()) {
    return absl::DataLossError(absl::StrCat("read ", path, ": not JSON"));
  }
  const Reader in(object);
  AgentStatus status;
  status.written_at = TimeOf(in.Text("written_at"));
  status.version = in.Text("version");
  status.endpoint_id = in.Text("endpoint_id");
  status.phase = in.Text("phase");
  status.collector = in.Text("collector");
  status.since = TimeOf(in.Text("since"));
  status.last_ack = TimeOf(in.Text("last_ack"));
  status.last_error = in.Text("last_error");
  status.certificate_expires = TimeOf(in.Text("certificate_expires"));
  status.tick = absl::Seconds(in.Number("tick_seconds"));
  status.series = in.Count("series");
  status.spool_bytes = in.Count("spool_bytes");
  status.spool_limit_bytes = in.Count("spool_limit_bytes");
  status.spool_batches = in.Count("spool_batches");
  status.dropped_samples = in.Count("dropped_samples");
  status.spool_error = in.Text("spool_error");
  for (const Value& value : in.At("sources").list_value().values()) {
    const Reader item(value.struct_value());
    status.sources.push_back(
        {.name = item.Text("name"),
         .failures = item.Count("failures"),
         .age = absl::Seconds(item.Number("age_seconds")),
         .interval = absl::Seconds(item.Number("interval_seconds"))});
  }
  return status;
}

absl::Status WriteStatusFile(const std::string& path,
                             const AgentStatus& status) {
  const std::string fresh = absl::StrCat(path, ".new");
  const std::string json = status.ToJson(true, getpid());
  const int file =
      open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
           0600);
  if (file < 0) return base::ErrnoStatus(errno, absl::StrCat("open ", fresh));
  const ssize_t written = write(file, json.data(), json.size());
  const int error = errno;
  close(file);
  if (written != static_cast<ssize_t>(json.size())) {
    return base::ErrnoStatus(written < 0 ? error : ENOSPC,
                             absl::StrCat("write ", fresh));
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("rename ", fresh));
  }
  return absl::OkStatus();
}

}  // namespace forewarn::agent
