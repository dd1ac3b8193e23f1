#include "tests/fleetsim/routine.h"

#include <algorithm>
#include <cmath>

namespace forewarn::fleetsim {
namespace {

bool Within(double hour, double begin, double length) {
  return hour >= begin && hour < begin + length;
}

}  // namespace

void Routine::BeginDay(const LocalTime& local) {
  day_ = local.day;
  works_ = local.weekend ? draw_.Chance(0.04) : draw_.Chance(0.93);
  away_ = draw_.Chance(machine_.roams);
  begins_ = machine_.arrives + 0.3 * draw_.Normal();
  ends_ = std::max(begins_ + 1, machine_.leaves + 0.5 * draw_.Normal());
  evening_ = draw_.Chance(0.15) ? draw_.Between(0.3, 2.0) : 0;
  meeting_at_ = draw_.Between(begins_, std::max(begins_ + 0.5, ends_ - 2));
  meeting_hours_ = draw_.Chance(0.6) ? draw_.Between(0.5, 2.5) : 0;
  // The same amount each night, more or less.
  backup_hours_ =
      (0.3 + 0.9 * (machine_.backup_at / 4)) * std::exp(0.1 * draw_.Normal());
  factor_ = std::exp(0.12 * draw_.Normal());
}

Demand Routine::Next(Minute now) {
  const LocalTime local = AtSite(now, machine_.zone_hours);
  if (local.day != day_) BeginDay(local);
  Demand demand;
  if (machine_.person()) {
    Desk(local, demand);
  } else {
    Server(local, demand);
  }
  noise_ = 0.9 * noise_ + 0.4359 * draw_.Normal();
  demand.load = std::clamp(
      demand.load * factor_ * std::exp(0.2 * noise_ - 0.02), 0.0, 1.3);
  const double wait = machine_.person() ? 45 : 300;
  if (burst_left_ <= 0 && demand.in_use && draw_.Chance(1 / wait)) {
    burst_left_ = draw_.LogBetween(1, 8);
    burst_cores_ = machine_.cores * draw_.Between(0.15, 0.9);
  }
  if (burst_left_ > 0) {
    burst_left_ -= 1;
    demand.burst = burst_cores_ * draw_.Between(0.8, 1.0);
  }
  return demand;
}

void Routine::Desk(const LocalTime& local, Demand& demand) {
  const bool lunch = Within(local.hour, 12.0, 0.6);
  const bool evening = works_ && Within(local.hour, 20, evening_);
  const bool working =
      works_ && local.hour >= begins_ && local.hour < ends_ && !lunch;
  demand.in_use = working || evening;
  demand.away = machine_.battery && (away_ || evening);
  const bool laptop = machine_.battery;
  // A laptop sleeps a while after its owner went; lunch is too short.
  const bool near = works_ && local.hour >= begins_ && local.hour < ends_ + 0.2;
  demand.on = near || evening || (!laptop && machine_.stays_on);
  if (demand.in_use) demand.load = 0.45 + 0.35 * OfficeLoad(local);
  const bool meeting = Within(local.hour, meeting_at_, meeting_hours_);
  if (demand.in_use && meeting) demand.load += 0.25;
  demand.on_mains = !laptop || !(meeting || (away_ && local.hour < 11));
  if (local.weekday == 2 && demand.on && Within(local.hour, 12.0, 0.6)) {
    demand.job_cores = 0.25 * machine_.cores;  // the weekly scan
    demand.job_io = 0.45;
  }
  if (PatchDay(local) && Within(local.hour, 12.2, 0.1)) {
    demand.planned_down = true;
  }
}

void Routine::Server(const LocalTime& local, Demand& demand) {
  switch (machine_.work) {
    case Work::kWeb:
      demand.load = PublicLoad(local);
      break;
    case Work::kDatabase:
      demand.load = 0.25 + 0.6 * OfficeLoad(local);
      break;
    case Work::kFiles:
      demand.load = 0.05 + 0.8 * OfficeLoad(local);
      break;
    case Work::kBatch:
      demand.load = local.hour < 5 || local.hour >= 22 ? 0.9 : 0.1;
      break;
    default:
      demand.load = 0.5;
  }
  demand.in_use = machine_.work == Work::kWeb || demand.load > 0.2;
  if (machine_.work != Work::kDevice &&
      Within(local.hour, machine_.backup_at, backup_hours_)) {
    demand.job_cores = 0.12 * machine_.cores;
    demand.job_io = 0.65;
    demand.job_net = 0.5;
  }
  if (PatchDay(local) &&
      Within(local.hour, 3 + static_cast<double>(machine_.number % 60) / 60,
             0.08)) {
    demand.planned_down = true;
  }
}

}  // namespace forewarn::fleetsim
