// systemd's manager object over sd-bus, apart from the source so that only
// this file needs the bus.

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "agent/sources/systemd_source.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr char kService[] = "org.freedesktop.systemd1";
constexpr char kManagerPath[] = "/org/freedesktop/systemd1";
constexpr char kManager[] = "org.freedesktop.systemd1.Manager";
constexpr char kServiceUnit[] = "org.freedesktop.systemd1.Service";
constexpr uint64_t kTimeoutMicroseconds = 5'000'000;
// How often a service's Restart= is asked again.
constexpr int kReadingsPerSetting = 20;

struct CloseBus {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct FreeMessage {
  void operator()(sd_bus_message* message) const {
    sd_bus_message_unref(message);
  }
};
using Message = std::unique_ptr<sd_bus_message, FreeMessage>;

struct BusError {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  ~BusError() { sd_bus_error_free(&error); }
};

// What the bus says, where it says more than a number.
absl::Status Failed(int result, absl::string_view deed,
                    const sd_bus_error* error = nullptr) {
  const absl::Status status = base::ErrnoStatus(-result, deed);
  if (error == nullptr || error->message == nullptr) return status;
  return absl::Status(status.code(), absl::StrCat(deed, ": ", error->message));
}

struct Unit {
  std::string name;
  std::string path;
};

class SystemdManager final : public ServiceManager {
 public:
  absl::StatusOr<ServiceManagerState> Read() override {
    if (sd_booted() <= 0) {
      return absl::NotFoundError("read units: systemd does not run");
    }
    absl::Status connected = Connect();
    if (!connected.ok()) return connected;
    absl::StatusOr<ServiceManagerState> state = ReadConnected();
    if (!state.ok()) bus_.reset();
    return state;
  }

 private:
  absl::Status Connect() {
    if (bus_ != nullptr) return absl::OkStatus();
    sd_bus* bus = nullptr;
    const int result = sd_bus_open_system(&bus);
    if (result < 0) {
      return absl::NotFoundError(
          Failed(result, "open the system bus").message());
    }
    bus_.reset(bus);
    sd_bus_set_method_call_timeout(bus, kTimeoutMicroseconds);
    return absl::OkStatus();
  }

  absl::StatusOr<ServiceManagerState> ReadConnected() {
    ServiceManagerState state;
    FOREWARN_ASSIGN_OR_RETURN(
        state.system_state,
        StringProperty(kManagerPath, kManager, "SystemState"));
    FOREWARN_ASSIGN_OR_RETURN(state.jobs,
                              NumberProperty(kManagerPath, kManager, "NJobs"));
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<Unit> failed,
                              Units({"failed", nullptr}, {nullptr, nullptr}));
    for (const Unit& unit : failed) state.failed.push_back(unit.name);
    FOREWARN_ASSIGN_OR_RETURN(
        const std::vector<Unit> services,
        Units({nullptr, nullptr}, {"*.service", nullptr}));
    AskSettingsAgain();
    for (const Unit& unit : services) {
      if (!Restarts(unit)) continue;
      // A unit may be unloaded between the two calls.
      const auto count =
          NumberProperty(unit.path.c_str(), kServiceUnit, "NRestarts");
      if (count.ok() && *count > 0) {
        state.restarts.emplace_back(unit.name, *count);
      }
    }
    return state;
  }

  // Lists are of one element and the terminating nullptr.
  absl::StatusOr<std::vector<Unit>> Units(std::array<const char*, 2> states,
                                          std::array<const char*, 2> patterns) {
    sd_bus_message* raw = nullptr;
    int result =
        sd_bus_message_new_method_call(bus_.get(), &raw, kService, kManagerPath,
                                       kManager, "ListUnitsByPatterns");
    const Message call(raw);
    if (result >= 0) {
      result =
          sd_bus_message_append_strv(raw, const_cast<char**>(states.data()));
    }
    if (result >= 0) {
      result =
          sd_bus_message_append_strv(raw, const_cast<char**>(patterns.data()));
    }
    if (result < 0) return Failed(result, "ask for units");
    BusError error;
    sd_bus_message* raw_reply = nullptr;
    result = sd_bus_call(bus_.get(), raw, 0, &error.error, &raw_reply);
    const Message reply(raw_reply);
    if (result < 0) return Failed(result, "list units", &error.error);

    std::vector<Unit> units;
    result = sd_bus_message_enter_container(raw_reply, 'a', "(ssssssouso)");
    while (result >= 0 && units.size() < kMaxUnits) {
      const char* name = nullptr;
      const char* path = nullptr;
      result = sd_bus_message_read(raw_reply, "(ssssssouso)", &name, nullptr,
                                   nullptr, nullptr, nullptr, nullptr, &path,
                                   nullptr, nullptr, nullptr);
      if (result <= 0) break;
      units.push_back({.name = name, .path = path});
    }
    if (result < 0) return Failed(result, "read the list of units");
    return units;
  }

  absl::StatusOr<std::string> StringProperty(const char* path,
                                             const char* interface,
                                             const char* property) {
    BusError error;
    char* text = nullptr;
    const int result = sd_bus_get_property_string(
        bus_.get(), kService, path, interface, property, &error.error, &text);
    if (result < 0) {
      return Failed(result, absl::StrCat("read ", property), &error.error);
    }
    std::string value = text;
    free(text);
    return value;
  }

  absl::StatusOr<uint32_t> NumberProperty(const char* path,
                                          const char* interface,
                                          const char* property) {
    BusError error;
    uint32_t number = 0;
    const int result =
        sd_bus_get_property_trivial(bus_.get(), kService, path, interface,
                                    property, &error.error, 'u', &number);
    if (result < 0) {
      return Failed(result, absl::StrCat("read ", property), &error.error);
    }
    return number;
  }

  // Restart= changes with unit files only: it is asked once in ten minutes,
  // which spares most calls.
  bool Restarts(const Unit& unit) {
    const auto known = restarts_.find(unit.name);
    if (known != restarts_.end()) return known->second;
    const auto setting =
        StringProperty(unit.path.c_str(), kServiceUnit, "Restart");
    const bool restarts = setting.ok() && *setting != "no";
    restarts_.emplace(unit.name, restarts);
    return restarts;
  }

  void AskSettingsAgain() {
    if (++readings_ % kReadingsPerSetting == 0) restarts_.clear();
  }

  std::unique_ptr<sd_bus, CloseBus> bus_;
  absl::flat_hash_map<std::string, bool> restarts_;  // by unit
  int readings_ = 0;
};

}  // namespace

std::unique_ptr<ServiceManager> MakeSystemdManager() {
  return std::make_unique<SystemdManager>();
}

}  // namespace forewarn::agent
