#include "tests/fleetsim/strain.h"

#include <algorithm>
#include <cmath>

namespace forewarn::fleetsim {
namespace {

constexpr double kDayMinutes = 24 * 60;

// How far it has come, in parts of its span: 1 at its end, and on from there.
// Never goes back.
double Progress(int shape, double part) {
  switch (shape) {
    case 1:  // faster and faster
      return 0.3 * part + 0.7 * part * std::abs(part);
    case 2:  // in twelve bursts
      return part - std::sin(2 * M_PI * 12 * part) / (2 * M_PI * 12) * 0.95;
    case 3:  // rests for a fifth of the time, half way
      return part < 0.4 ? part * 1.25 : part < 0.6 ? 0.5 : (part - 0.2) * 1.25;
    default:
      return part;
  }
}

// Up in the first third, there until the second, down again in the last.
double Hump(double part) {
  return std::clamp(std::min(part * 3, (1 - part) * 3), 0.0, 1.0);
}

void AddFailingDisk(const Mishap& mishap, double part, Strain& strain) {
  // Sectors go bad at a growing pace; each costs retries. The rates follow no
  // drive in particular: a few sectors at first, thousands at the end.
  strain.pending += std::floor(std::expm1(7.5 * part));
  strain.slower_disk *= 1 + 400 * std::pow(std::min(part, 1.2), 5);
  strain.io_errors += part > 0.5 ? 3 * std::pow(part, 6) : 0;
  if (part > 0.9 + 0.05 * mishap.size) strain.drive_gives_up = true;
}

void AddFault(const Mishap& mishap, const Machine& machine, double age,
              double since_restart, Strain& strain) {
  const double part = age / mishap.span;
  const double come = Progress(mishap.shape, part);
  switch (mishap.cause) {
    case Cause::kDiskFill:
      if (mishap.data) {
        strain.data += come * (1 - machine.data_used);
      } else {
        strain.root += come * (1 - machine.root_used);
      }
      break;
    case Cause::kInodes:
      strain.root_inodes += come * 0.9;
      break;
    case Cause::kLeak:
      strain.memory += Progress(mishap.shape, since_restart / mishap.span) *
                       (1 - machine.memory_used);
      break;
    case Cause::kRunaway:
      // Ever more copies that never end; six for each core at its worst.
      strain.threads += std::floor(come * 6 * machine.cores + 1);
      break;
    case Cause::kFailingDisk:
      AddFailingDisk(mishap, part, strain);
      break;
    case Cause::kThrottling:
      strain.cooling = std::max(0.3, 1 - 0.65 * come);
      break;
    case Cause::kFlakyNetwork:
      strain.loss += 0.25 * std::pow(std::min(part, 1.3), 2);
      strain.flaps += 0.5 * std::pow(std::min(part, 1.3), 3);
      break;
    case Cause::kCertificate:
      strain.certificate_days = (mishap.span - age) / kDayMinutes;
      break;
    case Cause::kClockDrift:
      // Half a minute off, where one-time codes fail, at the end.
      strain.clock += 30 * part;
      strain.clock_unkept = mishap.shape >= 2;
      break;
    case Cause::kBattery:
      strain.battery_lost += std::min(0.75, 0.6 * come);
      break;
    case Cause::kCrashLoop:
      // From a crash in half an hour to three a minute.
      strain.crashes += std::min(3.0, std::exp(-3.4 + 4.5 * part));
      break;
    case Cause::kSwitchDown: {
      // Half of them fail bit by bit before they fail.
      const double ailing = mishap.shape >= 2 ? 0.4 * mishap.span : 0;
      strain.loss += age < ailing ? 0.3 * age / ailing : 0;
      strain.flaps += age < ailing ? 0.4 * age / ailing : 0;
      strain.cut_off = age >= ailing && age < mishap.span + ailing;
      break;
    }
    case Cause::kDnsOutage:
      // The resolver gets slower before it gives up; comes back at the end.
      if (age < mishap.span) {
        strain.resolver_seconds += 6 * std::pow(std::min(1.0, part / 0.4), 3);
        strain.resolver_fails += part < 0.3 ? 0 : part < 0.4 ? 0.3 : 1;
      }
      break;
    case Cause::kBadUpdate:
      if (mishap.shape == 0) {
        strain.threads += std::floor(come * 5 * machine.cores + 1);
      } else {
        strain.memory +=
            since_restart / mishap.span * (1 - machine.memory_used);
      }
      break;
    default:
      break;
  }
}

void AddLookAlike(const Mishap& mishap, const Machine& machine, double age,
                  Strain& strain) {
  const double part = age / mishap.span;
  if (part > 1 && mishap.cause != Cause::kGrownDisk &&
      mishap.cause != Cause::kCacheWarm) {
    return;
  }
  switch (mishap.cause) {
    case Cause::kBigCopy: {
      // To at most 86 %, then it is moved on.
      const double used = mishap.data ? machine.data_used : machine.root_used;
      const double room =
          std::max(0.0, 0.86 - used) * std::min(1.0, mishap.size);
      (mishap.data ? strain.data : strain.root) += Hump(part) * room;
      strain.io += part < 0.34 ? 0.4 : 0;
      break;
    }
    case Cause::kLogRotation: {
      // A saw tooth up to 78 %, of a day.
      const double used = mishap.data ? machine.data_used : machine.root_used;
      const double room = std::max(0.0, 0.78 - used);
      const double tooth = std::fmod(age / kDayMinutes + 0.3, 1.0);
      (mishap.data ? strain.data : strain.root) += tooth * room;
      break;
    }
    case Cause::kCacheWarm:
      // A heap that grows to what it was given; with the day's work on top
      // there is room left.
      strain.memory +=
          std::max(0.0, 0.72 - machine.memory_used) * (1 - std::exp(-3 * part));
      break;
    case Cause::kLongBatch:
    case Cause::kBuild:
      // What is left over and no more: nobody waits for it.
      strain.threads += machine.cores * 0.97 *
                        std::max(0.0, 1 - machine.cpu_busy - machine.cpu_work);
      strain.io += 0.2;
      break;
    case Cause::kReboot:
      strain.restart = true;
      break;
    case Cause::kWalkAway:
      strain.cut_off = true;
      break;
    case Cause::kWeakWifi:
      strain.loss += 0.08 * mishap.size * Hump(part);
      break;
    case Cause::kDnsBlip:
      strain.resolver_fails += 1;
      break;
    case Cause::kRenewal:
      // From 22 days down to 15, then renewed for 90 by the usual program.
      strain.certificate_days = age < 7 * kDayMinutes
                                    ? 22 - age / kDayMinutes
                                    : 90 - (age / kDayMinutes - 7);
      break;
    case Cause::kDeploy:
      strain.crashes += age < 2 ? 1 : 0;
      break;
    case Cause::kHotDay:
      strain.warmer += 0.05 * mishap.size * Hump(part);
      break;
    case Cause::kRaidCheck:
      strain.io += 0.75;
      break;
    case Cause::kClockStep:
      strain.clock += 0.03 * mishap.size * (1 - part);
      break;
    case Cause::kFullButSteady:
      strain.root_steady = 0.78;
      break;
    case Cause::kGrownDisk:
      // Half of the rest fills in the span; doubled at 70 % of it.
      strain.data += std::min(part, 1.0) * 0.5 * (1 - machine.data_used);
      if (part > 0.7) strain.data_growth = 2;
      break;
    default:
      break;
  }
}

}  // namespace

void AddStrain(const Mishap& mishap, const Machine& machine, double age,
               double since_restart, Strain& strain) {
  if (IsFault(mishap.cause)) {
    AddFault(mishap, machine, age, since_restart, strain);
  } else {
    AddLookAlike(mishap, machine, age, strain);
  }
}

}  // namespace forewarn::fleetsim
