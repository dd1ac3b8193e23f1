#include "tests/fleetsim/endpoint_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace forewarn::fleetsim {
namespace {

// How much of the way to its mark an average of so many minutes goes in one.
double Step1(double minutes) { return 1 - std::exp(-1 / minutes); }

double Positive(double value) { return std::max(0.0, value); }

// Goes on in the world, whether the machine is up or not.
bool RunsByTheClock(Cause cause) {
  return IsCommon(cause) || cause == Cause::kCertificate ||
         cause == Cause::kClockDrift || cause == Cause::kBattery ||
         cause == Cause::kRenewal || cause == Cause::kWalkAway ||
         cause == Cause::kReboot;
}

constexpr double kFlashLatency = 0.0004;
constexpr double kSpinningLatency = 0.006;

}  // namespace

EndpointModel::EndpointModel(const Machine& machine, std::vector<Case> cases)
    : machine_(machine),
      cases_(std::move(cases)),
      routine_(machine),
      draw_(machine.seed ^ 0xe4d) {
  swap_used_ = draw_.Between(0, 0.08);
  uptime_ = draw_.Between(60, 20000);
  heat_ = machine.heat_idle;
  charge_ = draw_.Between(0.5, 1.0);
}

void EndpointModel::Boot() {
  uptime_ = 0;
  load1_ = load15_ = 0;
  swap_used_ = 0;
  switches_ = reads_ = writes_ = swapped_out_ = major_faults_ = 0;
  oom_kills_ = throttles_ = io_errors_ = segfaults_ = 0;
  restarts_[0] = restarts_[1] = 0;
  for (Case& one : cases_) one.since_restart = 0;
}

void EndpointModel::Gather(Minute now) {
  strain_ = Strain();
  for (Case& one : cases_) {
    const bool bad_update = one.mishap->cause == Cause::kBadUpdate;
    one.active = now >= one.member->start && now < one.member->ended;
    if (!one.active) continue;
    const auto wall = static_cast<double>(now - one.member->start);
    const bool by_clock = RunsByTheClock(one.mishap->cause) && !bad_update;
    AddStrain(*one.mishap, machine_, by_clock ? wall : one.lived,
              one.since_restart, strain_);
  }
}

Power EndpointModel::Step(Minute now, Values& values) {
  Gather(now);
  Demand demand = routine_.Next(now);
  const Power before = power_;
  without_word_ = false;
  battery_died_ = false;
  // Three minutes of power are not enough to work with.
  if (machine_.battery && !demand.on_mains && charge_ < 0.03) {
    battery_died_ = demand.on && demand.in_use;
    demand.on = false;
  }
  if (demand.planned_down || strain_.restart) {
    power_ = Power::kDown;
  } else if (!demand.on) {
    power_ = machine_.battery ? Power::kAsleep : Power::kDown;
  } else {
    power_ = Power::kOn;
  }
  if (power_ != Power::kOn) {
    if (machine_.battery && demand.on_mains)
      charge_ = std::min(1.0, charge_ + 1 / 90.0);
    Feel(now, demand);
    return power_;
  }
  if (before == Power::kDown && now > 0) Boot();
  uptime_ += 1;
  for (Case& one : cases_) {
    if (!one.active) continue;
    one.lived += 1;
    one.since_restart += 1;
  }
  values.fill(kAbsent);
  Memory(demand, values);
  Disk(demand, values);
  Cpu(demand, values);
  Files(now, values);
  Network(demand, values);
  Heat(demand, now, values);
  Battery(demand, values);
  Clock(values);
  Services(values);
  if (now % kSlowMinutes == machine_.number % kSlowMinutes ||
      before != Power::kOn) {
    Slow(now, values);
  }
  Feel(now, demand);
  return power_;
}

void EndpointModel::Memory(const Demand& demand, Values& values) {
  memory_noise_ = 0.97 * memory_noise_ + 0.0024 * draw_.Normal();
  // Programs open their windows over the first hour.
  const double warm = machine_.person() ? 1 - 0.3 * std::exp(-uptime_ / 40) : 1;
  double used = machine_.memory_used * warm + 0.1 * demand.load +
                memory_noise_ + strain_.memory + 0.02 * (demand.job_cores > 0);
  const double over =
      Positive(used - 0.95) * machine_.memory_bytes / machine_.swap_bytes;
  used = std::clamp(used, 0.02, 0.985);
  const double before = swap_used_;
  swap_used_ = std::clamp(std::max(over, swap_used_ * 0.9995), 0.0, 1.0);
  // What is not asked for goes first; it hurts when the rest has to go.
  const double thrash = Positive(over - 0.35);
  swap_stall_ = std::min(0.95, 1.5 * thrash);
  const double pages =
      Positive(swap_used_ - before) * machine_.swap_bytes / 4096 +
      thrash * 40000;
  swapped_out_ += std::floor(pages);
  major_faults_ += std::floor(draw_.Between(0, 30) + thrash * 60000);
  killed_ = over >= 1;
  if (killed_) {
    oom_kills_ += 1;
    for (Case& one : cases_) one.since_restart = 0;
  }
  stall_[0] += (swap_stall_ - stall_[0]) * Step1(5);
  values[kMemoryUsed] = used;
  values[kMemoryAvailableShare] = 1 - used;
  values[kMemoryAvailable] = std::floor((1 - used) * machine_.memory_bytes);
  values[kSwapUsed] = swap_used_;
  values[kSwapFree] = 1 - swap_used_;
  values[kSwapOut] = swapped_out_;
  values[kMajorFaults] = major_faults_;
  values[kOomKills] = oom_kills_;
  values[kMemoryPressure] = stall_[0];
  values[kTopMemory] = std::clamp(
      0.06 + 0.2 * machine_.memory_used + strain_.memory + memory_noise_ / 2,
      0.0, 0.98);
}

void EndpointModel::Disk(const Demand& demand, Values& values) {
  const double asked = 0.02 + 0.15 * demand.load + demand.job_io + strain_.io +
                       0.6 * swap_stall_ + 0.02 * std::abs(draw_.Normal());
  const double at_rest = machine_.spinning ? kSpinningLatency : kFlashLatency;
  // Work takes longer on a slow disk, and more of it is under way at once.
  const double busy = std::min(0.995, asked * std::sqrt(strain_.slower_disk));
  const double wait = std::min(busy, 0.97);
  io_seconds_ = at_rest * (1 + 0.25 * wait / (1 - wait)) * strain_.slower_disk *
                std::exp(0.15 * draw_.Normal());
  const double done = std::min(1.0, busy / std::max(asked, 1e-6));
  reads_ += std::floor(60 * (4 + 300 * asked) * done);
  writes_ += std::floor(60 * (6 + 200 * asked) * done);
  stall_[1] += (Positive(busy - 0.75) * 1.2 - stall_[1]) * Step1(5);
  values[kDiskUtilization] = busy;
  values[kDiskQueue] = 0.4 * busy / (1.003 - busy);
  values[kReadLatency] = io_seconds_;
  values[kWriteLatency] = io_seconds_ * draw_.Between(0.6, 1.1);
  values[kReads] = reads_;
  values[kWrites] = writes_;
  values[kIoPressure] = stall_[1];
  io_errors_ += std::floor(strain_.io_errors + draw_.Share());
  values[kIoErrors] = io_errors_;
}

void EndpointModel::Cpu(const Demand& demand, Values& values) {
  const double cores = machine_.cores;
  const double wanted =
      cores * (machine_.cpu_busy + machine_.cpu_work * demand.load) +
      demand.burst + demand.job_cores + strain_.threads +
      cores * 0.02 * std::abs(draw_.Normal());
  // A throttled processor needs longer for the same.
  threads_ = wanted / cores / speed_;
  const double waiting = Positive(values[kDiskUtilization] - 0.6);
  busy_ = std::min(0.998, threads_) * (1 - 0.3 * waiting);
  slowdown_ = std::max(1.0, threads_) / speed_;
  load1_ += (threads_ + waiting - load1_) * Step1(1);
  load15_ += (threads_ + waiting - load15_) * Step1(15);
  switches_ += std::floor(60 * cores * (300 + 4000 * busy_) *
                          std::exp(0.1 * draw_.Normal()));
  values[kCpuBusy] = busy_;
  values[kCpuIowait] =
      std::min(1 - busy_, 0.02 * values[kDiskUtilization] + 0.8 * waiting);
  values[kCoreBusyMax] = std::min(
      1.0, busy_ + draw_.Between(0.05, 0.3) + (strain_.threads >= 1 ? 1 : 0));
  values[kLoad1] = load1_;
  values[kLoad15] = load15_;
  values[kContextSwitches] = switches_;
  values[kProcesses] = std::round(140 + 12 * cores + 60 * demand.load +
                                  strain_.threads + 2 * draw_.Normal());
  values[kFilesUsed] = 0.02 + 0.02 * demand.load;
  values[kTopFiles] = 0.05 + 0.1 * demand.load + 0.01 * draw_.Normal();
  values[kUptime] = uptime_ * 60;
}

void EndpointModel::Files(Minute now, Values& values) {
  const double days = static_cast<double>(now) / kDay;
  const double tooth = std::fmod(days + machine_.backup_at / 24, 1.0);
  const auto set = [this](double used, double bytes, Signal share,
                          Signal available, Values& out) {
    used = std::clamp(used, 0.0, 1.0);
    // In blocks, as a file system counts.
    used = std::round(used * bytes / 4096) * 4096 / bytes;
    out[share] = used;
    out[available] = std::round((1 - used) * bytes);
    full_ = std::max(full_, used);
  };
  full_ = 0;
  double root = machine_.root_used + 0.0004 * days + 0.008 * tooth +
                0.0004 * draw_.Normal() + strain_.root;
  if (strain_.root_steady > 0) {
    root = strain_.root_steady + 0.003 * tooth + 0.0004 * draw_.Normal();
  }
  set(root, machine_.root_bytes, kRootUsed, kRootAvailable, values);
  const double inodes = 0.25 * machine_.root_used + strain_.root_inodes;
  values[kRootInodes] = std::min(1.0, inodes);
  full_ = std::max(full_, values[kRootInodes]);
  if (machine_.data_bytes > 0) {
    const double data = machine_.data_used + 0.001 * days + 0.004 * tooth +
                        0.0003 * draw_.Normal() + strain_.data;
    set(data / strain_.data_growth, machine_.data_bytes * strain_.data_growth,
        kDataUsed, kDataAvailable, values);
    values[kDataInodes] = 0.02 + 0.05 * machine_.data_used;
  }
}

void EndpointModel::Network(const Demand& demand, Values& values) {
  const bool wireless = machine_.battery;
  loss_noise_ = 0.9 * loss_noise_ + 0.1 * draw_.Normal();
  // Now and then a radio has a bad quarter of an hour; a line far away more.
  double loss = wireless ? 0.03 * Positive(loss_noise_ - 0.45) : 0;
  if (demand.away) loss += 0.04 * Positive(loss_noise_ - 0.35);
  loss = std::min(1.0, loss + strain_.loss * std::exp(0.3 * draw_.Normal()));
  const double work = 0.01 + 0.08 * demand.load + demand.job_net;
  values[kNetReceive] = std::min(0.98, work * draw_.LogBetween(0.6, 1.4));
  values[kNetTransmit] = std::min(0.98, work * draw_.LogBetween(0.3, 1.2));
  const bool faulty = strain_.loss > 0 && !wireless;
  values[kNetErrors] = faulty ? loss * draw_.Between(0.5, 0.9) : 0;
  values[kNetDrops] = draw_.Chance(0.02) ? 0.0002 : 0;
  values[kRetransmits] =
      std::min(0.9, 0.001 + 1.6 * loss + 0.0008 * std::abs(draw_.Normal()));
  values[kLinkUp] = 1;
  if (draw_.Chance(std::min(1.0, strain_.flaps))) changes_ += 2;
  values[kLinkChanges] = changes_;
  int lost = 0;
  for (int i = 0; i < 30; ++i) lost += draw_.Chance(loss) ? 1 : 0;
  values[kGatewayLoss] = lost / 30.0;
  const double rtt = wireless ? (demand.away ? 0.012 : 0.004) : 0.0005;
  if (lost < 30) {
    values[kGatewayRtt] =
        rtt * std::exp(0.35 * draw_.Normal()) * (1 + 3 * loss);
  }
  const bool answered = !draw_.Chance(strain_.resolver_fails);
  values[kResolverUp] = answered ? 1 : 0;
  const double took =
      (demand.away ? 0.025 : 0.004) * std::exp(0.6 * draw_.Normal()) +
      strain_.resolver_seconds * draw_.Between(0.5, 1.2);
  if (answered) values[kResolverDuration] = took;
}

void EndpointModel::Heat(const Demand& demand, Minute now, Values& values) {
  const LocalTime local = AtSite(now, machine_.zone_hours);
  const double room = 0.25 +
                      0.015 * std::sin((local.hour - 9) / 24 * 2 * M_PI) +
                      strain_.warmer + (demand.on_mains ? 0.01 : 0);
  const double work = busy_ * speed_;
  const double target =
      room + (machine_.heat_idle - 0.25 + 0.36 * work) / strain_.cooling;
  heat_ += (target - heat_) * Step1(4);
  // Above the critical temperature the processor slows down by itself.
  if (heat_ > 0.99) {
    speed_ = std::max(0.2, speed_ - 0.08);
    throttles_ += std::floor(draw_.Between(5, 60));
  } else if (heat_ < 0.96) {
    speed_ = std::min(1.0, speed_ + 0.04);
  }
  values[kHeat] = heat_ + 0.004 * draw_.Normal();
  values[kThrottles] = throttles_;
}

void EndpointModel::Battery(const Demand& demand, Values& values) {
  if (!machine_.battery) return;
  const double health = machine_.battery_health * (1 - strain_.battery_lost);
  if (demand.on_mains) {
    charge_ = std::min(1.0, charge_ + 1 / 90.0);
  } else {
    // Six hours of light work when it was new.
    charge_ = Positive(charge_ - (0.7 + 0.9 * busy_) / (360 * health));
  }
  values[kBatteryCharge] = charge_;
  values[kDischarging] = demand.on_mains ? 0 : 1;
}

void EndpointModel::Clock(Values& values) {
  unkept_ = strain_.clock_unkept ? unkept_ + 1 : 0;
  // The kernel lets its bound grow by 500 parts in a million.
  const double bound = 0.02 + 0.0005 * 60 * unkept_;
  values[kClockSynchronised] = bound < 16 ? 1 : 0;
  values[kClockMaxError] = std::min(bound, 16.0);
  values[kClockOffset] =
      0.0004 * draw_.Normal() + (strain_.clock_unkept ? 0 : strain_.clock);
}

void EndpointModel::Services(Values& values) {
  double crashes = std::floor(strain_.crashes);
  if (draw_.Chance(strain_.crashes - crashes)) crashes += 1;
  restarts_[0] += crashes;
  segfaults_ += crashes;
  // Twelve seconds to come up again.
  const double down = std::min(1.0, crashes * 12 / 60);
  outage_ += (down - outage_) * Step1(10);
  values[kServiceRestarts] = restarts_[0];
  values[kHelperRestarts] = restarts_[1];
  values[kServiceFailed] = 0;
  values[kSegfaults] = segfaults_;
  if (!machine_.has_probe) return;
  const bool up = !draw_.Chance(down);
  values[kProbeUp] = up ? 1 : 0;
  if (up) {
    values[kProbeDuration] = 0.03 * slowdown_ * std::exp(0.2 * draw_.Normal()) +
                             4 * io_seconds_ + swap_stall_;
  }
}

void EndpointModel::Slow(Minute now, Values& values) {
  const auto days = static_cast<double>(now) / kDay;
  values[kRootLimit] = machine_.root_bytes;
  if (machine_.data_bytes > 0) {
    values[kDataLimit] = machine_.data_bytes * strain_.data_growth;
  }
  values[kRotational] = machine_.spinning ? 1 : 0;
  values[kCpuCount] = machine_.cores;
  values[kMemoryLimit] = machine_.memory_bytes;
  if (machine_.kind != v1::ENDPOINT_CLASS_DEVICE) {
    values[kReallocated] = std::floor(strain_.pending / 3);
    values[kPending] = strain_.pending;
    values[kUncorrectable] = std::floor(strain_.pending / 8);
    values[kSmartPassed] = strain_.drive_gives_up ? 0 : 1;
    values[kDriveTemperature] =
        std::round(30 + 12 * values[kDiskUtilization] + 3 * draw_.Share());
    if (!machine_.spinning) {
      values[kEndurance] = machine_.endurance + 0.0001 * days;
    }
  }
  if (machine_.battery) {
    values[kBatteryHealth] =
        machine_.battery_health * (1 - strain_.battery_lost) - 0.00005 * days;
  }
  if (machine_.has_certificate) {
    // Renewed 30 days before its end, at the latest.
    const double left = 30 + std::fmod(machine_.number * 7.3 + 60 - days, 60.0);
    values[kCertificateLeft] =
        kDay * 60 *
        (strain_.certificate_days != 0 ? strain_.certificate_days : left);
  }
}

double EndpointModel::Patience(const Mishap& mishap) const {
  constexpr double kAtOnce = 1;
  switch (mishap.cause) {
    case Cause::kDiskFill:
    case Cause::kInodes:
      return full_ >= 0.999 ? kAtOnce : 0;  // nothing can be saved
    case Cause::kLeak:
    case Cause::kBadUpdate:
      if (killed_) return kAtOnce;
      break;
    case Cause::kFailingDisk:
      if (strain_.drive_gives_up) return kAtOnce;
      break;
    case Cause::kFlakyNetwork:
      return strain_.loss > 0.05 ? 10 : 0;  // nobody can follow a call
    case Cause::kSwitchDown:
      return strain_.cut_off ? 2 : strain_.loss > 0.05 ? 10 : 0;
    case Cause::kDnsOutage:
      // Names are remembered for some minutes.
      return strain_.resolver_fails > 0.5 || strain_.resolver_seconds > 5 ? 4
                                                                          : 0;
    case Cause::kCertificate:
      return strain_.certificate_days < 0 ? kAtOnce : 0;
    case Cause::kClockDrift:
      return strain_.clock > 30 ? kAtOnce : 0;
    case Cause::kBattery:
      return battery_died_ ? kAtOnce : 0;
    case Cause::kCrashLoop:
      return outage_ > 0.15 ? 10 : 0;
    default:
      break;
  }
  // Slowness. Four times the usual is what the Application Performance Index
  // calls frustrated; twice is borne for an hour.
  return response_ > 4 ? 10 : response_ > 2 ? 60 : 0;
}

void EndpointModel::Feel(Minute now, const Demand& demand) {
  const double at_rest = machine_.spinning ? kSpinningLatency : kFlashLatency;
  // Half a second of processor and twenty reads.
  const double usual = 0.5 + 20 * at_rest;
  response_ = power_ != Power::kOn ? 1
                                   : (0.5 * slowdown_ + 20 * io_seconds_) /
                                         (usual * (1 - swap_stall_));
  for (Case& one : cases_) {
    if (!one.active || !IsFault(one.mishap->cause)) continue;
    const bool there = demand.in_use &&
                       (power_ == Power::kOn || battery_died_) &&
                       !(IsCommon(one.mishap->cause) && demand.away);
    const double patience = there ? Patience(*one.mishap) : 0;
    one.hurts_for = patience > 0 ? one.hurts_for + 1 : 0;
    if (patience == 0 || one.hurts_for < patience) continue;
    if (one.member->noticed != kNever) continue;
    one.member->noticed = now;
    // Somebody calls, and it is mended some hours later.
    const bool passes = one.mishap->cause == Cause::kSwitchDown ||
                        one.mishap->cause == Cause::kDnsOutage;
    if (!passes) {
      one.member->ended =
          now + static_cast<Minute>(draw_.Between(2.0 * kHour, 8.0 * kHour));
    }
  }
}

}  // namespace forewarn::fleetsim
