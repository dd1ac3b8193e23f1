#include "tests/faults/fault_disk.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "protos/base/descriptor.h"
#include "protos/base/status.h"
#include "tests/e2e/child.h"

namespace forewarn::faults {
namespace {

// include/uapi/linux/ext4.h, which Debian 12 does not have yet.
constexpr unsigned long kExt4Shutdown = _IOR('X', 125, uint32_t);
constexpr uint32_t kWithoutFlushing = 2;

absl::Status Run(const std::vector<std::string>& command) {
  const e2e::Output output = e2e::RunProgram(command);
  if (output.code == 0) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(command[0], ": ", output.code, " ", output.err));
}

}  // namespace

absl::StatusOr<std::unique_ptr<FaultDisk>> FaultDisk::Make(
    const std::string& folder, const std::string& name, int megabytes) {
  const std::string image = absl::StrCat(folder, "/", name, ".img");
  const base::Descriptor file(
      open(image.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (ftruncate(file.get(), off_t{megabytes} << 20) != 0) {
    return base::ErrnoStatus(errno, "make an image");
  }
  FOREWARN_RETURN_IF_ERROR(
      Run({"/usr/sbin/mkfs.ext4", "-q", "-F", "-m", "0", image}));
  std::unique_ptr<FaultDisk> disk(
      new FaultDisk(image, absl::StrCat(folder, "/", name)));
  mkdir(disk->path_.c_str(), 0700);
  FOREWARN_RETURN_IF_ERROR(disk->Mount());
  return disk;
}

FaultDisk::~FaultDisk() { Unmount(); }

absl::Status FaultDisk::Mount() {
  return Run({"/usr/bin/mount", "-o", "loop,errors=remount-ro", image_, path_});
}

void FaultDisk::Unmount() { umount2(path_.c_str(), MNT_DETACH); }

absl::Status FaultDisk::CutPower() {
  const base::Descriptor root(
      open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  uint32_t how = kWithoutFlushing;
  if (ioctl(root.get(), kExt4Shutdown, &how) != 0) {
    return base::ErrnoStatus(errno, "cut the power");
  }
  return absl::OkStatus();
}

absl::Status FaultDisk::TurnReadOnly() {
  struct stat facts {};
  if (stat(path_.c_str(), &facts) != 0) {
    return base::ErrnoStatus(errno, path_);
  }
  const std::string trigger = absl::StrCat(
      "/sys/fs/ext4/loop", minor(facts.st_dev), "/trigger_fs_error");
  const base::Descriptor file(open(trigger.c_str(), O_WRONLY | O_CLOEXEC));
  if (write(file.get(), "rig", 3) != 3) {
    return base::ErrnoStatus(errno, trigger);
  }
  return absl::OkStatus();
}

absl::Status FaultDisk::Remount() {
  // Not lazily: the image must be free before it is mounted again.
  if (umount(path_.c_str()) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("unmount ", path_));
  }
  FOREWARN_RETURN_IF_ERROR(Mount());
  Free();  // it may have come back
  return absl::OkStatus();
}

void FaultDisk::Fill() {
  const base::Descriptor file(open(absl::StrCat(path_, "/filler").c_str(),
                                   O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  for (off_t step : {off_t{1} << 20, off_t{4096}}) {
    off_t size = lseek(file.get(), 0, SEEK_END);
    while (posix_fallocate(file.get(), size, step) == 0) size += step;
  }
}

void FaultDisk::Free() { unlink(absl::StrCat(path_, "/filler").c_str()); }

}  // namespace forewarn::faults
