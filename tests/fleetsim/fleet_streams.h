#ifndef FOREWARN_TESTS_FLEETSIM_FLEET_STREAMS_H_
#define FOREWARN_TESTS_FLEETSIM_FLEET_STREAMS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/identity/key_store.h"
#include "agent/uplink/grpc_call.h"
#include "agent/uplink/tls_connection.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/base/descriptor.h"
#include "protos/wire/batch.h"
#include "protos/wire/batch_codec.h"
#include "protos/wire/series.h"

namespace forewarn::fleetsim {

// One stream for each made endpoint, over the agent's own HTTP/2 and TLS, in
// one thread. Time is simulated, so a stream that the collector ends is an
// error of the simulation.
class FleetStreams {
 public:
  FleetStreams(std::string collector, std::vector<agent::Identity> identities,
               std::vector<v1::EndpointFacts> facts,
               const wire::SeriesDictionary& dictionary);

  // Opens a stream and waits for its Welcome.
  absl::Status Connect(uint32_t index, absl::Time clock);
  bool connected(uint32_t index) const {
    return streams_[index].connection != nullptr;
  }
  // `ticks` as one batch.
  absl::Status Send(uint32_t index, std::vector<wire::Tick> ticks);
  // Ends a stream in good order.
  absl::Status Leave(uint32_t index, v1::Goodbye::Reason reason);
  // Forgets a stream that the other end takes for alive.
  void Abandon(uint32_t index);
  // Ends a round: returns when all that was sent in rounds before it is
  // acknowledged.
  absl::Status EndRound();

 private:
  struct Stream {
    agent::Identity identity;
    wire::RunId run{};
    uint64_t sequence = 0;
    std::unique_ptr<agent::TlsConnection> connection;
    std::unique_ptr<agent::GrpcCall> call;
    std::optional<wire::BatchEncoder> encoder;
    std::string output;
    size_t written = 0;
    bool welcomed = false;
    uint64_t acked = 0;
    uint64_t last_round = 0;  // sent up to its end
  };

  absl::Status Flush(Stream& stream);
  absl::Status Take(Stream& stream);
  absl::Status Turn(absl::Duration wait);

  const std::string collector_;
  const std::vector<v1::EndpointFacts> facts_;
  const wire::SeriesDictionary& dictionary_;
  std::vector<Stream> streams_;
  base::Descriptor epoll_;
  std::vector<char> input_;
  std::vector<uint32_t> sent_;  // streams, in this round
  std::vector<uint32_t> sent_before_;
};

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_FLEET_STREAMS_H_
