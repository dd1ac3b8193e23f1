#include "agent/sources/filesystem_source.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxPath = 200;  // bytes of a mount point that are kept
constexpr size_t kMaxType = 32;
constexpr size_t kMaxBtrfsDevices = 64;

// Their number of inodes moves with the space that is left.
constexpr absl::string_view kNoFixedInodes[] = {"bcachefs", "btrfs", "xfs",
                                                "zfs"};

bool HasFixedInodes(absl::string_view type) {
  return std::find(std::begin(kNoFixedInodes), std::end(kNoFixedInodes),
                   type) == std::end(kNoFixedInodes);
}

}  // namespace

absl::Status FilesystemSource::Sample(const SampleTime&, ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(std::string mountinfo,
                            files_.Read("/proc/self/mountinfo"));
  if (mountinfo != mountinfo_) {
    mounts_ = WatchedMounts(mountinfo);
    mountinfo_ = std::move(mountinfo);
  }
  if (mounts_.empty()) return absl::NotFoundError("no file system to watch");
  ++reading_;
  absl::Status failure;
  size_t failures = 0;
  bool has_btrfs = false;
  for (const Mount& mount : mounts_) {
    State& state = states_[mount.device];
    if (!(state.mount == mount)) {
      // A remount keeps what is known of the file system.
      const bool was_writable = state.was_writable &&
                                state.mount.mountpoint == mount.mountpoint &&
                                state.mount.source == mount.source;
      state = Inspect(mount);
      state.was_writable = was_writable;
    }
    state.seen = reading_;
    has_btrfs = has_btrfs || mount.type == "btrfs";
    const absl::Status status = SampleOne(state, sink);
    if (status.ok()) continue;
    failure = status;
    ++failures;
  }
  absl::erase_if(states_, [this](const auto& entry) {
    return entry.second.seen != reading_;
  });
  if (has_btrfs) SampleBtrfs(sink);
  // One that cannot be asked (another user's, just unmounted) is no failure
  // of the rest.
  return failures == mounts_.size() ? failure : absl::OkStatus();
}

FilesystemSource::State FilesystemSource::Inspect(const Mount& mount) const {
  State state;
  state.mount = mount;
  state.device = CleanText(mount.source, kMaxPath);
  state.mountpoint = CleanText(mount.mountpoint, kMaxPath);
  state.type = CleanText(mount.type, kMaxType);
  if (absl::StartsWith(mount.type, "ext")) {
    // sysfs knows it by the kernel's name: /dev/mapper/x is dm-0 there.
    const auto link =
        files_.ReadLink(absl::StrCat("/sys/dev/block/", mount.device));
    if (link.ok()) {
      const std::string path = absl::StrCat(
          "/sys/fs/ext4/", link->substr(link->rfind('/') + 1), "/errors_count");
      if (files_.Exists(path)) state.errors_path = path;
    }
  }
  return state;
}

absl::Status FilesystemSource::SampleOne(State& state,
                                         ReadingSink& sink) const {
  const auto accept = [&](absl::string_view metric, double value) {
    sink.Accept(metric,
                {{"system.device", state.device},
                 {"system.filesystem.mountpoint", state.mountpoint},
                 {"system.filesystem.type", state.type}},
                value);
  };
  bool has_errors = false;
  if (!state.errors_path.empty()) {
    const auto errors = files_.ReadNumber(state.errors_path);
    if (errors.ok() && *errors >= 0) {
      has_errors = *errors > 0;
      accept("forewarn.filesystem.errors", *errors);
    }
  }
  const bool read_only = state.mount.read_only;
  if (!read_only) state.was_writable = true;
  const bool turned = read_only && (state.was_writable || has_errors);
  accept("forewarn.filesystem.readonly", read_only ? 1 : 0);
  accept("forewarn.filesystem.readonly.turned", turned ? 1 : 0);
  if (read_only && !turned) return absl::OkStatus();
  FOREWARN_ASSIGN_OR_RETURN(const FilesystemUsage usage,
                            files_.Usage(state.mount.mountpoint));
  SampleUsage(state, usage, sink);
  return absl::OkStatus();
}

void FilesystemSource::SampleUsage(const State& state,
                                   const FilesystemUsage& usage,
                                   ReadingSink& sink) const {
  const auto accept = [&](absl::string_view metric, double value) {
    sink.Accept(metric,
                {{"system.device", state.device},
                 {"system.filesystem.mountpoint", state.mountpoint},
                 {"system.filesystem.type", state.type}},
                value);
  };
  const auto accept_state = [&](absl::string_view metric,
                                absl::string_view which, double value) {
    sink.Accept(metric,
                {{"system.device", state.device},
                 {"system.filesystem.mountpoint", state.mountpoint},
                 {"system.filesystem.state", which},
                 {"system.filesystem.type", state.type}},
                value);
  };
  const auto block_bytes = static_cast<double>(usage.block_bytes);
  const double limit = static_cast<double>(usage.blocks) * block_bytes;
  if (limit > 0) {
    const uint64_t unused = std::min(usage.blocks_free, usage.blocks);
    const uint64_t free = std::min(usage.blocks_available, unused);
    const double used_bytes =
        static_cast<double>(usage.blocks - unused) * block_bytes;
    const double free_bytes = static_cast<double>(free) * block_bytes;
    accept("system.filesystem.limit", limit);
    accept_state("system.filesystem.usage", "used", used_bytes);
    accept_state("system.filesystem.usage", "free", free_bytes);
    accept_state("system.filesystem.usage", "reserved",
                 static_cast<double>(unused - free) * block_bytes);
    accept("forewarn.filesystem.available", free_bytes);
    if (used_bytes + free_bytes > 0) {
      accept("system.filesystem.utilization",
             used_bytes / (used_bytes + free_bytes));
    }
  }
  if (usage.inodes > 0 && HasFixedInodes(state.type)) {
    const auto inodes = static_cast<double>(usage.inodes);
    const auto free =
        static_cast<double>(std::min(usage.inodes_free, usage.inodes));
    accept_state("forewarn.filesystem.inodes.usage", "used", inodes - free);
    accept_state("forewarn.filesystem.inodes.usage", "free", free);
    accept("forewarn.filesystem.inodes.utilization", (inodes - free) / inodes);
  }
}

void FilesystemSource::SampleBtrfs(ReadingSink& sink) const {
  constexpr absl::string_view kFolder = "/sys/fs/btrfs";
  const auto systems = files_.List(kFolder);
  if (!systems.ok()) return;
  size_t devices = 0;
  for (const std::string& system : *systems) {
    const std::string folder = absl::StrCat(kFolder, "/", system);
    const auto ids = files_.List(absl::StrCat(folder, "/devinfo"));
    if (!ids.ok()) continue;
    const auto names = files_.List(absl::StrCat(folder, "/devices"));
    for (const std::string& id : *ids) {
      const auto text =
          files_.Read(absl::StrCat(folder, "/devinfo/", id, "/error_stats"));
      if (!text.ok() || ++devices > kMaxBtrfsDevices) continue;
      // Which of several devices has which id, sysfs does not tell.
      const std::string device =
          CleanText(names.ok() && names->size() == 1 && ids->size() == 1
                        ? absl::StrCat("/dev/", names->front())
                        : absl::StrCat("btrfs ", system, " device ", id),
                    kMaxPath);
      absl::string_view rest = *text;
      absl::string_view line;
      while (NextLine(rest, line)) {
        absl::string_view type = NextField(line);
        uint64_t count = 0;
        if (!absl::ConsumeSuffix(&type, "_errs") ||
            !ParseCount(NextField(line), count)) {
          continue;
        }
        if (type != "write" && type != "read" && type != "flush" &&
            type != "corruption" && type != "generation") {
          continue;
        }
        sink.Accept("forewarn.filesystem.btrfs.errors",
                    {{"forewarn.error.type", type}, {"system.device", device}},
                    static_cast<double>(count));
      }
    }
  }
}

}  // namespace forewarn::agent
