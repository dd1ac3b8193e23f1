#ifndef FOREWARN_AGENT_MAIN_POWER_WATCH_H_
#define FOREWARN_AGENT_MAIN_POWER_WATCH_H_

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct sd_bus;
struct sd_bus_message;

namespace forewarn::agent {

// Hears from logind that the machine goes to sleep, wakes up or shuts down,
// and holds sleep back until the goodbye is said. Does nothing, quietly,
// where there is no system bus or no logind.
class PowerWatch {
 public:
  struct Options {
    // Called by the own thread. `before_sleep` may take a few seconds: sleep
    // waits for it.
    std::function<void()> before_sleep;
    std::function<void()> after_sleep;
  };

  explicit PowerWatch(Options options);
  ~PowerWatch();

  void Start();
  void Stop();

  // logind has announced that the machine shuts down.
  bool shutting_down() const { return shutting_down_; }

  // Whether there is a logind to listen to.
  bool listening() const { return listening_; }

 private:
  void Run();
  void Listen(sd_bus* bus);
  void HoldSleepBack(sd_bus* bus);
  void LetSleep();
  static int OnSleep(sd_bus_message* message, void* self, void* error);
  static int OnShutdown(sd_bus_message* message, void* self, void* error);

  const Options options_;
  std::atomic<bool> shutting_down_ = false;
  std::atomic<bool> listening_ = false;
  int stop_ = -1;       // an eventfd
  int inhibitor_ = -1;  // the own thread's
  sd_bus* bus_ = nullptr;
  std::thread thread_;
};

// Whether systemd is taking the machine down: its own state, else a shutdown
// scheduled within the next minute. False without systemd.
bool SystemIsStopping();

// The same for the text of /run/systemd/shutdown/scheduled.
bool ShutdownIsDue(absl::string_view scheduled, absl::Time now);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_POWER_WATCH_H_
