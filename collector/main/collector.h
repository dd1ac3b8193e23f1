#ifndef FOREWARN_COLLECTOR_MAIN_COLLECTOR_H_
#define FOREWARN_COLLECTOR_MAIN_COLLECTOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "collector/main/settings.h"
#include "protos/base/clock.h"

namespace forewarn::main {

// All rooms of a collector, built in the order of the data and stopped in
// reverse. The only object that knows the whole.
class Collector {
 public:
  // Opens everything and starts to listen. `clock` must outlive it. Errors
  // name what could not be opened: kAlreadyExists when another collector has
  // the state folder, kDataLoss when the desk database is damaged,
  // kInvalidArgument for rules that are wrong.
  static absl::StatusOr<std::unique_ptr<Collector>> Start(
      const Settings& settings, base::Clock& clock);
  // Stops.
  ~Collector();

  int https_port() const;
  int agents_port() const;

 private:
  class Rooms;
  explicit Collector(std::unique_ptr<Rooms> rooms);
  std::unique_ptr<Rooms> rooms_;
};

}  // namespace forewarn::main

#endif  // FOREWARN_COLLECTOR_MAIN_COLLECTOR_H_
