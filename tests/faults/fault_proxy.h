#ifndef FOREWARN_TESTS_FAULTS_FAULT_PROXY_H_
#define FOREWARN_TESTS_FAULTS_FAULT_PROXY_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

#include "protos/base/bell.h"
#include "protos/base/descriptor.h"

namespace forewarn::faults {

// The network between agents and collector: passes bytes on, until told to
// misbehave. One thread.
class FaultProxy {
 public:
  enum class Mode {
    kPass,
    kStall,           // half-open: takes nothing, says nothing
    kSwallowAnswers,  // what the collector says is lost
  };

  // `source`: the address it connects from, of the loopback network.
  explicit FaultProxy(int target_port, std::string source = "127.0.0.1");
  ~FaultProxy();

  int port() const { return port_; }
  void Set(Mode mode);
  // Every connection ends after so many more bytes, either way.
  void CutAfter(int64_t bytes);

 private:
  struct Pair {
    base::Descriptor agent;
    base::Descriptor collector;
    std::string to_agent;
    std::string to_collector;
    int64_t cut_after = -1;
  };

  void Run();
  void Accept();
  bool Pump(Pair& pair, bool from_agent);
  static bool Drain(const base::Descriptor& to, std::string& bytes);

  const int target_port_;
  const std::string source_;
  const base::Descriptor listener_;
  int port_ = 0;
  std::atomic<Mode> mode_ = Mode::kPass;
  std::atomic<int64_t> cut_after_ = -1;
  std::atomic<bool> stopping_ = false;
  const base::Bell bell_;
  std::map<int, Pair> pairs_;  // the thread's
  int next_ = 0;
  std::thread thread_;
};

}  // namespace forewarn::faults

#endif  // FOREWARN_TESTS_FAULTS_FAULT_PROXY_H_
