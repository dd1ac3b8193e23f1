#ifndef FOREWARN_TESTS_FAULTS_FAULT_DISK_H_
#define FOREWARN_TESTS_FAULTS_FAULT_DISK_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace forewarn::faults {

// A disk of its own in a file, with ext4 on it: it can lose its power and be
// full. Needs root and loop devices.
class FaultDisk {
 public:
  // `folder` must be there; the disk is at folder/NAME.
  static absl::StatusOr<std::unique_ptr<FaultDisk>> Make(
      const std::string& folder, const std::string& name, int megabytes);
  ~FaultDisk();

  const std::string& path() const { return path_; }

  // From now on nothing reaches the disk, and what had not is gone:
  // EXT4_IOC_SHUTDOWN without flushing its log.
  absl::Status CutPower();
  // From now on every write fails: ext4's answer to an error of its own.
  absl::Status TurnReadOnly();
  // Whoever had files open must have ended.
  absl::Status Remount();

  // Leaves no byte.
  void Fill();
  void Free();

 private:
  FaultDisk(std::string image, std::string path)
      : image_(std::move(image)), path_(std::move(path)) {}
  absl::Status Mount();
  void Unmount();

  const std::string image_;
  const std::string path_;
};

}  // namespace forewarn::faults

#endif  // FOREWARN_TESTS_FAULTS_FAULT_DISK_H_
