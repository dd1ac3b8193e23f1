#include "agent/sources/network_protocols.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/sources/growth.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr double kMinSegmentsPerSecond = 10;  // as the catalogue says

// One wanted number of a file and where it goes.
struct Wanted {
  absl::string_view key;
  std::optional<uint64_t>* value;
};

void Keep(absl::string_view key, absl::string_view text,
          std::initializer_list<Wanted> wanted) {
  for (const Wanted& want : wanted) {
    if (want.key != key) continue;
    uint64_t value = 0;
    if (ParseCount(text, value)) *want.value = value;
    return;
  }
}

// snmp and netstat: a line of names and a line of values for each protocol.
void ReadPairs(absl::string_view text, absl::string_view protocol,
               std::initializer_list<Wanted> wanted) {
  absl::string_view names;
  absl::string_view line;
  while (NextLine(text, line)) {
    if (NextField(line) != protocol) continue;
    if (names.empty()) {
      names = line;
      continue;
    }
    while (true) {
      const absl::string_view name = NextField(names);
      const absl::string_view value = NextField(line);
      if (name.empty() || value.empty()) return;
      Keep(name, value, wanted);
    }
  }
}

// sockstat: "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 194".
void ReadSockets(absl::string_view text, absl::string_view protocol,
                 std::initializer_list<Wanted> wanted) {
  absl::string_view line;
  while (NextLine(text, line)) {
    if (NextField(line) != protocol) continue;
    while (true) {
      const absl::string_view name = NextField(line);
      const absl::string_view value = NextField(line);
      if (value.empty()) return;
      Keep(name, value, wanted);
    }
  }
}

void AcceptIf(ReadingSink& sink, absl::string_view metric,
              const std::optional<uint64_t>& value) {
  if (value.has_value()) sink.Accept(metric, static_cast<double>(*value));
}

void AcceptConnections(ReadingSink& sink, absl::string_view state,
                       absl::string_view transport,
                       const std::optional<uint64_t>& count) {
  if (!count.has_value()) return;
  sink.Accept(
      "system.network.connection.count",
      {{"network.connection.state", state}, {"network.transport", transport}},
      static_cast<double>(*count));
}

}  // namespace

absl::Status NetworkProtocols::Sample(const SampleTime& now,
                                      ReadingSink& sink) {
  absl::Status status = SampleSnmp(now, sink);
  status.Update(SampleNetstat(sink));
  status.Update(SampleSockets(sink));
  SampleConntrack(sink);
  return status;
}

absl::Status NetworkProtocols::SampleSnmp(const SampleTime& now,
                                          ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                            files_.Read("/proc/net/snmp"));
  std::optional<uint64_t> sent, resent, fails, resets, established;
  ReadPairs(text, "Tcp:",
            {{"OutSegs", &sent},
             {"RetransSegs", &resent},
             {"AttemptFails", &fails},
             {"OutRsts", &resets},
             {"CurrEstab", &established}});
  AcceptIf(sink, "forewarn.network.tcp.segments.sent", sent);
  AcceptIf(sink, "forewarn.network.tcp.retransmits", resent);
  AcceptIf(sink, "forewarn.network.tcp.attempt_fails", fails);
  AcceptIf(sink, "forewarn.network.tcp.resets.sent", resets);
  AcceptConnections(sink, "established", "tcp", established);

  std::optional<uint64_t> receive_buffer, send_buffer, no_port, checksum;
  ReadPairs(text, "Udp:",
            {{"RcvbufErrors", &receive_buffer},
             {"SndbufErrors", &send_buffer},
             {"NoPorts", &no_port},
             {"InCsumErrors", &checksum}});
  const auto accept_udp = [&](absl::string_view type,
                              const std::optional<uint64_t>& count) {
    if (!count.has_value()) return;
    sink.Accept("forewarn.network.udp.errors", {{"forewarn.error.type", type}},
                static_cast<double>(*count));
  };
  accept_udp("checksum", checksum);
  accept_udp("no_port", no_port);
  accept_udp("receive_buffer", receive_buffer);
  accept_udp("send_buffer", send_buffer);

  if (!sent.has_value() || !resent.has_value()) {
    has_before_ = false;
    return absl::DataLossError(
        "read /proc/net/snmp: OutSegs or RetransSegs is missing or no number");
  }
  const double seconds =
      absl::ToDoubleSeconds(now.since_boot - last_since_boot_);
  const auto sent_grown = Growth(sent_, *sent);
  const auto resent_grown = Growth(resent_, *resent);
  if (has_before_ && seconds > 0 && sent_grown.has_value() &&
      resent_grown.has_value() &&
      static_cast<double>(*sent_grown) >= kMinSegmentsPerSecond * seconds) {
    sink.Accept("forewarn.network.tcp.retransmit.ratio",
                std::min(1.0, static_cast<double>(*resent_grown) /
                                  static_cast<double>(*sent_grown)));
  }
  has_before_ = true;
  sent_ = *sent;
  resent_ = *resent;
  last_since_boot_ = now.since_boot;
  return absl::OkStatus();
}

absl::Status NetworkProtocols::SampleNetstat(ReadingSink& sink) const {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                            files_.Read("/proc/net/netstat"));
  std::optional<uint64_t> overflows, drops;
  ReadPairs(text, "TcpExt:",
            {{"ListenOverflows", &overflows}, {"ListenDrops", &drops}});
  AcceptIf(sink, "forewarn.network.tcp.listen.overflows", overflows);
  AcceptIf(sink, "forewarn.network.tcp.listen.drops", drops);
  if (!overflows.has_value() || !drops.has_value()) {
    return absl::DataLossError(
        "read /proc/net/netstat: ListenOverflows or ListenDrops is missing or "
        "no number");
  }
  return absl::OkStatus();
}

absl::Status NetworkProtocols::SampleSockets(ReadingSink& sink) const {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                            files_.Read("/proc/net/sockstat"));
  std::optional<uint64_t> orphan, time_wait, allocated, pages, udp, udp6;
  ReadSockets(text, "TCP:",
              {{"orphan", &orphan},
               {"tw", &time_wait},
               {"alloc", &allocated},
               {"mem", &pages}});
  ReadSockets(text, "UDP:", {{"inuse", &udp}});
  if (const auto text6 = files_.Read("/proc/net/sockstat6"); text6.ok()) {
    ReadSockets(*text6, "UDP6:", {{"inuse", &udp6}});
  }
  AcceptConnections(sink, "orphan", "tcp", orphan);
  AcceptConnections(sink, "time_wait", "tcp", time_wait);
  AcceptConnections(sink, "allocated", "tcp", allocated);
  if (udp.has_value()) *udp += udp6.value_or(0);
  AcceptConnections(sink, "in_use", "udp", udp);
  if (!pages.has_value()) {
    return absl::DataLossError(
        "read /proc/net/sockstat: TCP memory is missing or no number");
  }
  // "low pressure high", in pages as well.
  const auto limits = files_.ReadLine("/proc/sys/net/ipv4/tcp_mem");
  std::array<absl::string_view, 3> fields;
  uint64_t limit = 0;
  if (limits.ok() && SplitFields(*limits, fields) == fields.size() &&
      ParseCount(fields[2], limit) && limit > 0) {
    sink.Accept("forewarn.network.tcp.memory.utilization",
                static_cast<double>(*pages) / static_cast<double>(limit));
  }
  return absl::OkStatus();
}

void NetworkProtocols::SampleConntrack(ReadingSink& sink) const {
  const auto count =
      files_.ReadNumber("/proc/sys/net/netfilter/nf_conntrack_count");
  if (!count.ok() || *count < 0) return;  // not loaded
  sink.Accept("forewarn.network.conntrack.usage", *count);
  const auto limit =
      files_.ReadNumber("/proc/sys/net/netfilter/nf_conntrack_max");
  if (limit.ok() && *limit > 0) {
    sink.Accept("forewarn.network.conntrack.utilization", *count / *limit);
  }
}

}  // namespace forewarn::agent
