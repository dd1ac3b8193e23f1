#include "tests/bench/feed/remote_write.h"

#include <httplib.h>
#include <snappy.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace forewarn::bench {
namespace {

constexpr int kSamplesARequest = 500;

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// A length-delimited field.
void AppendField(int number, const std::string& value, std::string& out) {
  out += static_cast<char>(number << 3 | 2);
  AppendVarint(value.size(), out);
  out += value;
}

std::string Label(const std::string& name, const std::string& value) {
  std::string label;
  AppendField(1, name, label);
  AppendField(2, value, label);
  std::string field;
  AppendField(1, label, field);
  return field;
}

// The labels of a TimeSeries, in order as the protocol wants them.
std::string LabelsOf(const wire::SeriesDefinition& definition, size_t host) {
  const auto underscored = [](const std::string& name) {
    return absl::StrReplaceAll(name, {{".", "_"}});
  };
  std::string labels = Label("__name__", underscored(definition.metric));
  labels += Label("host", absl::StrCat("host-", host));
  for (const auto& [key, value] : definition.attributes) {
    labels += Label("x_" + underscored(key), value);
  }
  return labels;
}

std::string SampleOf(double value, int64_t ms) {
  std::string sample(1, 1 << 3 | 1);
  sample.append(reinterpret_cast<const char*>(&value), sizeof(value));
  sample += static_cast<char>(2 << 3);
  AppendVarint(static_cast<uint64_t>(ms), sample);
  std::string field;
  AppendField(2, sample, field);
  return field;
}

}  // namespace

struct RemoteWrite::Client {
  explicit Client(int port) : http("127.0.0.1", port) {
    http.set_keep_alive(true);
    http.set_tcp_nodelay(true);
    http.set_read_timeout(60);
  }
  httplib::Client http;
};

RemoteWrite::RemoteWrite(int port, std::string path)
    : path_(std::move(path)), client_(std::make_unique<Client>(port)) {}

RemoteWrite::~RemoteWrite() = default;

absl::Status RemoteWrite::Post(const std::string& request) {
  std::string packed;
  snappy::Compress(request.data(), request.size(), &packed);
  const httplib::Headers headers = {
      {"Content-Encoding", "snappy"},
      {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
  const auto reply =
      client_->http.Post(path_, headers, packed, "application/x-protobuf");
  if (!reply) return absl::UnavailableError("no answer to a remote write");
  if (reply->status / 100 != 2) {
    return absl::InternalError(
        absl::StrCat("remote write: ", reply->status, " ", reply->body));
  }
  // The headers that httplib sends come to about so many bytes.
  constexpr uint64_t kHeaders = 250;
  bytes_sent_ += packed.size() + kHeaders;
  return absl::OkStatus();
}

absl::Status RemoteWrite::SendTick(
    std::vector<std::unique_ptr<LoadEndpoint>>& endpoints, absl::Time time) {
  if (labels_.empty()) {
    for (size_t i = 0; i < endpoints.size(); ++i) {
      std::vector<std::string>& own = labels_.emplace_back();
      const wire::SeriesDictionary& dictionary = endpoints[i]->dictionary();
      for (uint32_t s = 0; s < dictionary.size(); ++s) {
        own.push_back(LabelsOf(dictionary.definition(s), i));
      }
    }
  }
  const int64_t ms = absl::ToUnixMillis(time);
  std::string request;
  int samples = 0;
  for (size_t i = 0; i < endpoints.size(); ++i) {
    const std::vector<double> values = endpoints[i]->NextValues();
    for (size_t s = 0; s < values.size(); ++s) {
      AppendField(1, labels_[i][s] + SampleOf(values[s], ms), request);
      if (++samples < kSamplesARequest) continue;
      if (absl::Status sent = Post(request); !sent.ok()) return sent;
      request.clear();
      samples = 0;
    }
  }
  return samples == 0 ? absl::OkStatus() : Post(request);
}

}  // namespace forewarn::bench
