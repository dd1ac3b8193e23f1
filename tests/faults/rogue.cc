#include "tests/faults/rogue.h"

#include <sys/socket.h>

#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/uplink/grpc_transport.h"
#include "protos/base/descriptor.h"
#include "protos/net/socket_address.h"
#include "protos/wire/batch_codec.h"

namespace forewarn::faults {
namespace {

// However long nobody stops it.
constexpr uint64_t kMostConnections = 200000;
constexpr uint64_t kMostBatches = 2000000;

}  // namespace

Rogue::Rogue(int port, const agent::Identity& identity, uint64_t seed)
    : port_(port), proxy_(port, "127.0.0.3"), identity_(identity) {
  threads_.emplace_back([this, seed] { Flood(seed); });
  threads_.emplace_back([this, seed] { MakeNoise(seed + 1); });
}

Rogue::~Rogue() { Stop(); }

void Rogue::Stop() {
  stopping_ = true;
  {
    // A write that nobody takes would wait for ever.
    base::MutexLock lock(&mutex_);
    if (open_ != nullptr) open_->Cancel();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Rogue::Flood(uint64_t seed) {
  std::mt19937_64 random(seed);
  agent::GrpcTransport transport;
  while (!done() && batches_ < kMostBatches) {
    const std::unique_ptr<agent::Stream> stream =
        transport.Open(absl::StrCat("127.0.0.1:", proxy_.port()), identity_);
    {
      base::MutexLock lock(&mutex_);
      open_ = stream.get();
    }
    std::thread reader;
    wire::RunId run{};
    for (uint8_t& byte : run) byte = static_cast<uint8_t>(random());
    v1::AgentMessage hello;
    hello.mutable_hello()->set_protocol(1);
    hello.mutable_hello()->set_run_id(run.data(), run.size());
    if (stream->Write(hello)) {
      reader = std::thread([&stream] {
        v1::CollectorMessage message;
        while (stream->Read(message)) {
        }
      });
      ++connections_;
      wire::SeriesDictionary dictionary;
      wire::BatchEncoder encoder(&dictionary);
      for (uint64_t sequence = 1; !done(); ++sequence) {
        wire::Batch batch;
        batch.run_id = run;
        batch.sequence = sequence;
        wire::Tick tick{.time = absl::Now(), .samples = {}};
        for (int i = 0; i < 100; ++i) {
          wire::SeriesDefinition definition;
          definition.metric = absl::StrCat("rogue.", random() % 100000);
          tick.samples.push_back(
              {dictionary.Intern(definition), static_cast<double>(random())});
        }
        batch.ticks.push_back(std::move(tick));
        v1::AgentMessage message;
        encoder.Encode(batch, run, *message.mutable_batch());
        // Now and then what no decoder should believe.
        if (random() % 1000 == 0) {
          message.mutable_batch()->mutable_ticks(0)->set_values(
              std::string(random() % 5000, '\xff'));
        }
        if (!stream->Write(message)) break;
        ++batches_;
      }
    }
    {
      base::MutexLock lock(&mutex_);
      open_ = nullptr;
    }
    stream->Cancel();
    if (reader.joinable()) reader.join();
    stream->Finish().IgnoreError();
  }
}

void Rogue::MakeNoise(uint64_t seed) {
  std::mt19937_64 random(seed);
  const net::SocketAddress from = net::ParseAddress("127.0.0.4", 0).value();
  const net::SocketAddress to =
      net::ParseAddress("127.0.0.1", static_cast<uint16_t>(port_)).value();
  for (uint64_t i = 0; i < kMostConnections && !done(); ++i) {
    const base::Descriptor socket(
        ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bind(socket.get(), from.get(), from.length) != 0 ||
        connect(socket.get(), to.get(), to.length) != 0) {
      continue;
    }
    ++connections_;
    std::string noise(random() % 4096, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    // Half of it looks like a beginning of TLS.
    if (random() % 2 == 0) noise.insert(0, "\x16\x03\x01\x02", 4);
    if (send(socket.get(), noise.data(), noise.size(), MSG_NOSIGNAL) < 0) {
      continue;
    }
  }
}

}  // namespace forewarn::faults
