#include "agent/main/power_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "protos/base/files.h"
#include "protos/base/logging.h"

namespace forewarn::agent {
namespace {

using base::Log;
using base::LogLevel;

constexpr char kLogin[] = "org.freedesktop.login1";
constexpr char kLoginPath[] = "/org/freedesktop/login1";
constexpr char kLoginManager[] = "org.freedesktop.login1.Manager";
constexpr uint64_t kCallTimeoutUs = 2'000'000;

sd_bus* OpenSystemBus() {
  sd_bus* bus = nullptr;
  if (sd_bus_open_system(&bus) < 0) return nullptr;
  sd_bus_set_method_call_timeout(bus, kCallTimeoutUs);
  return bus;
}

// True in "true", false in "false" and in anything unreadable.
bool FlagOf(sd_bus_message* message) {
  int flag = 0;
  return sd_bus_message_read(message, "b", &flag) >= 0 && flag != 0;
}

}  // namespace

PowerWatch::PowerWatch(Options options) : options_(std::move(options)) {}

PowerWatch::~PowerWatch() { Stop(); }

void PowerWatch::Start() {
  stop_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  bus_ = OpenSystemBus();
  if (stop_ < 0 || bus_ == nullptr) {
    Log(LogLevel::kDebug, "no system bus; sleep is noticed afterwards only");
    return;
  }
  thread_ = std::thread([this] { Run(); });
}

void PowerWatch::Stop() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_, &one, sizeof(one));
    thread_.join();
  }
  LetSleep();
  if (bus_ != nullptr) bus_ = sd_bus_flush_close_unref(bus_);
  if (stop_ >= 0) close(std::exchange(stop_, -1));
}

void PowerWatch::Run() {
  const auto sleep = [](sd_bus_message* m, void* self, sd_bus_error* e) {
    return OnSleep(m, self, e);
  };
  const auto shutdown = [](sd_bus_message* m, void* self, sd_bus_error* e) {
    return OnShutdown(m, self, e);
  };
  if (sd_bus_match_signal(bus_, nullptr, kLogin, kLoginPath, kLoginManager,
                          "PrepareForSleep", sleep, this) < 0 ||
      sd_bus_match_signal(bus_, nullptr, kLogin, kLoginPath, kLoginManager,
                          "PrepareForShutdown", shutdown, this) < 0) {
    Log(LogLevel::kDebug, "no logind; sleep is noticed afterwards only");
    return;
  }
  HoldSleepBack(bus_);
  listening_ = inhibitor_ >= 0;
  Listen(bus_);
  listening_ = false;
}

void PowerWatch::Listen(sd_bus* bus) {
  for (;;) {
    const int processed = sd_bus_process(bus, nullptr);
    if (processed < 0) return;  // the bus is gone
    if (processed > 0) continue;
    const int events = sd_bus_get_events(bus);
    if (events < 0) return;
    uint64_t until_us = UINT64_MAX;
    sd_bus_get_timeout(bus, &until_us);
    pollfd waits[2] = {{.fd = sd_bus_get_fd(bus),
                        .events = static_cast<short>(events),
                        .revents = 0},
                       {.fd = stop_, .events = POLLIN, .revents = 0}};
    // A time-out of the bus's own is for calls under way, of which there are
    // none between two signals.
    if (poll(waits, 2, until_us == UINT64_MAX ? -1 : 1000) < 0) continue;
    if (waits[1].revents != 0) return;
  }
}

void PowerWatch::HoldSleepBack(sd_bus* bus) {
  sd_bus_message* reply = nullptr;
  sd_bus_error error = SD_BUS_ERROR_NULL;
  int descriptor = -1;
  if (sd_bus_call_method(bus, kLogin, kLoginPath, kLoginManager, "Inhibit",
                         &error, &reply, "ssss", "sleep", "Forewarn agent",
                         "tells the collector that this machine sleeps",
                         "delay") >= 0 &&
      sd_bus_message_read(reply, "h", &descriptor) >= 0) {
    // The message owns its descriptor.
    inhibitor_ = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  }
  sd_bus_error_free(&error);
  sd_bus_message_unref(reply);
}

void PowerWatch::LetSleep() {
  if (inhibitor_ >= 0) close(std::exchange(inhibitor_, -1));
}

int PowerWatch::OnSleep(sd_bus_message* message, void* self, void*) {
  auto& watch = *static_cast<PowerWatch*>(self);
  if (FlagOf(message)) {
    if (watch.options_.before_sleep) watch.options_.before_sleep();
    watch.LetSleep();
  } else {
    if (watch.options_.after_sleep) watch.options_.after_sleep();
    watch.HoldSleepBack(watch.bus_);
  }
  return 0;
}

int PowerWatch::OnShutdown(sd_bus_message* message, void* self, void*) {
  static_cast<PowerWatch*>(self)->shutting_down_ = FlagOf(message);
  return 0;
}

bool SystemIsStopping() {
  bool stopping = false;
  if (sd_bus* bus = OpenSystemBus(); bus != nullptr) {
    char* state = nullptr;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    if (sd_bus_get_property_string(bus, "org.freedesktop.systemd1",
                                   "/org/freedesktop/systemd1",
                                   "org.freedesktop.systemd1.Manager",
                                   "SystemState", &error, &state) >= 0) {
      stopping = absl::string_view(state) == "stopping";
    }
    free(state);
    sd_bus_error_free(&error);
    sd_bus_flush_close_unref(bus);
  }
  if (stopping) return true;
  const absl::StatusOr<std::string> scheduled =
      base::Files::Posix().Read("/run/systemd/shutdown/scheduled", 4096);
  return scheduled.ok() && ShutdownIsDue(*scheduled, absl::Now());
}

bool ShutdownIsDue(absl::string_view scheduled, absl::Time now) {
  constexpr absl::Duration kSoon = absl::Minutes(1);
  for (absl::string_view line : absl::StrSplit(scheduled, '\n')) {
    int64_t us = 0;
    if (absl::ConsumePrefix(&line, "USEC=") && absl::SimpleAtoi(line, &us)) {
      return absl::FromUnixMicros(us) < now + kSoon;
    }
  }
  return false;
}

}  // namespace forewarn::agent
