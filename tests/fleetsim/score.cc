#include "tests/fleetsim/score.h"

#include <algorithm>
#include <set>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace forewarn::fleetsim {
namespace {

constexpr Minute kGrace = 2 * kHour;

struct Known {  // a ticket
  const OpenedTicket* source = nullptr;
  uint32_t machine = 0;
  Minute opened = 0;
  bool used = false;
};

std::string When(Minute minute) {
  return absl::StrFormat("day %d %02d:%02d", minute / kDay, minute % kDay / 60,
                         minute % 60);
}

std::string Describe(const Known& ticket, absl::Span<const Machine> fleet) {
  std::vector<std::string> rules;
  for (const v1::Symptom& symptom : ticket.source->symptoms) {
    rules.push_back(absl::StrCat(symptom.rule(),
                                 symptom.detector() == v1::DETECTOR_KIND_ANOMALY
                                     ? absl::StrCat("(", symptom.metric(), ")")
                                     : ""));
  }
  return absl::StrCat(fleet[ticket.machine].host, ", ", When(ticket.opened),
                      ": P", static_cast<int>(ticket.source->ticket.priority()),
                      " ", ticket.source->ticket.subsystem(), ": ",
                      absl::StrJoin(rules, " "));
}

bool Fits(const Mishap& mishap, const Mishap::Member& member,
          const Known& ticket) {
  if (member.machine != ticket.machine || ticket.opened < member.start ||
      ticket.opened > std::min(member.ended, kNever - kGrace) + kGrace) {
    return false;
  }
  return absl::c_linear_search(SubsystemsOf(mishap.cause),
                               ticket.source->ticket.subsystem());
}

class Scorer {
 public:
  Scorer(absl::Span<const Machine> fleet, absl::Span<const Mishap> mishaps,
         absl::Span<const OpenedTicket> tickets, absl::Time start)
      : fleet_(fleet), mishaps_(mishaps), start_(start) {
    absl::flat_hash_map<std::string, uint32_t> numbers;
    for (const Machine& machine : fleet) {
      numbers[EndpointId(machine.number)] = machine.number;
    }
    for (const OpenedTicket& ticket : tickets) {
      if (ticket.ticket.kind() == v1::PROBLEM) {
        problems_[ticket.ticket.id()] = &ticket.ticket;
        continue;
      }
      const Minute opened = MinuteOf(ticket.ticket.opened_at().seconds());
      by_machine_[numbers[ticket.ticket.endpoint_id()]].push_back(
          {&ticket, numbers[ticket.ticket.endpoint_id()], opened, false});
    }
  }

  Score Run(Minute length) {
    score_.endpoint_days =
        static_cast<double>(fleet_.size()) * static_cast<double>(length) / kDay;
    // Those of one machine first: they are the better explanation.
    for (const bool common : {false, true}) {
      for (const Mishap& mishap : mishaps_) {
        if (IsCommon(mishap.cause) != common) continue;
        if (!IsFault(mishap.cause)) {
          ++score_.look_alikes;
        } else if (common) {
          Common(mishap);
        } else {
          Single(mishap);
        }
      }
    }
    FalseOnes();
    score_.tickets_per_fault =
        single_ticketed_ == 0
            ? 0
            : static_cast<double>(single_tickets_) / single_ticketed_;
    if (!leads_.empty()) {
      std::sort(leads_.begin(), leads_.end());
      score_.median_lead_hours = leads_[leads_.size() / 2];
    }
    return std::move(score_);
  }

 private:
  Minute MinuteOf(int64_t seconds) const {
    return (seconds - absl::ToUnixSeconds(start_)) / 60;
  }

  // Marks them; the first one's time, or kNever. With `problems`, those under
  // a problem are counted there.
  Minute TicketsOf(const Mishap& mishap, const Mishap::Member& member,
                   int& count, std::map<uint32_t, int>* problems = nullptr) {
    Minute first = kNever;
    for (Known& ticket : by_machine_[member.machine]) {
      if (ticket.used || !Fits(mishap, member, ticket)) continue;
      ticket.used = true;
      if (const uint32_t problem = ticket.source->ticket.problem();
          problem != 0 && problems != nullptr) {
        ++(*problems)[problem];
      } else {
        ++count;
      }
      first = std::min(first, ticket.opened);
    }
    return first;
  }

  void Judge(const Mishap& mishap, Minute first, Minute noticed,
             Score::ByCause& row) {
    if (first == kNever && noticed == kNever) return;  // it never mattered
    ++score_.faults;
    ++row.faults;
    const std::string where = absl::StrCat(
        Name(mishap.cause), " on ", fleet_[mishap.members[0].machine].host,
        mishap.members.size() > 1
            ? absl::StrCat(" and ", mishap.members.size() - 1)
            : "",
        ", shape ", mishap.shape, ", from ", When(mishap.members[0].start),
        ", noticed ", noticed == kNever ? "never" : When(noticed));
    if (first == kNever) {
      score_.remarks.push_back(absl::StrCat("missed: ", where));
      return;
    }
    ++score_.ticketed;
    ++row.ticketed;
    if (first <= noticed) {
      ++score_.before_notice;
      ++row.before;
      if (noticed != kNever) {
        leads_.push_back(static_cast<double>(noticed - first) / kHour);
      }
    } else {
      score_.remarks.push_back(
          absl::StrCat("late: ", where, ", ticket ", When(first)));
    }
  }

  void Single(const Mishap& mishap) {
    const Mishap::Member& member = mishap.members[0];
    Score::ByCause& row = score_.by_cause[std::string(Name(mishap.cause))];
    int count = 0;
    const Minute first = TicketsOf(mishap, member, count);
    row.tickets += count;
    single_tickets_ += count;
    single_ticketed_ += count > 0 ? 1 : 0;
    if (count > 1) {
      std::vector<std::string> lines;
      for (const Known& ticket : by_machine_[member.machine]) {
        if (ticket.used) lines.push_back(Describe(ticket, fleet_));
      }
      score_.remarks.push_back(absl::StrCat(count, " tickets for ",
                                            Name(mishap.cause), ": ",
                                            absl::StrJoin(lines, " | ")));
    }
    Judge(mishap, first, member.noticed, row);
  }

  void Common(const Mishap& mishap) {
    Score::ByCause& row = score_.by_cause[std::string(Name(mishap.cause))];
    Minute noticed = kNever;
    Minute first = kNever;
    int alone = 0;
    std::map<uint32_t, int> problems;
    for (const Mishap::Member& member : mishap.members) {
      noticed = std::min(noticed, member.noticed);
      first = std::min(first, TicketsOf(mishap, member, alone, &problems));
    }
    int most = 0;
    for (const auto& [problem, count] : problems) {
      most = std::max(most, count);
      used_problems_.insert(problem);
    }
    const int told = alone + static_cast<int>(problems.size());
    row.tickets += told;
    score_.common_tickets += told;
    ++score_.common_causes;
    if (problems.size() == 1 && most > alone) ++score_.common_found;
    if (told > 1) {
      std::string which;
      for (const auto& [problem, count] : problems) {
        const v1::Ticket& ticket = *problems_.at(problem);
        absl::StrAppend(&which, " #", problem, " (", count, " of it, ",
                        ticket.subsystem(), ", ",
                        When(MinuteOf(ticket.opened_at().seconds())), ")");
      }
      score_.remarks.push_back(
          absl::StrCat(told, " tickets for ", Name(mishap.cause), ", ", alone,
                       " of them alone; problems:", which));
    }
    Judge(mishap, first, noticed, row);
  }

  void FalseOnes() {
    for (auto& [machine, tickets] : by_machine_) {
      for (const Known& ticket : tickets) {
        if (ticket.used) continue;
        // False ones under one problem are one.
        if (const uint32_t problem = ticket.source->ticket.problem();
            problem != 0 && !used_problems_.insert(problem).second) {
          continue;
        }
        ++score_.false_tickets;
        std::string like;
        for (const Mishap& mishap : mishaps_) {
          for (const Mishap::Member& member : mishap.members) {
            if (member.machine != machine) continue;
            absl::StrAppend(&like, " [", Name(mishap.cause), " from ",
                            When(member.start), "]");
            if (!IsFault(mishap.cause)) ++score_.on_look_alikes;
          }
        }
        score_.remarks.push_back(
            absl::StrCat("false: ", Describe(ticket, fleet_), like));
      }
    }
  }

  const absl::Span<const Machine> fleet_;
  const absl::Span<const Mishap> mishaps_;
  std::map<uint32_t, std::vector<Known>> by_machine_;
  const absl::Time start_;
  std::map<uint32_t, const v1::Ticket*> problems_;  // by number
  std::set<uint32_t> used_problems_;
  std::vector<double> leads_;
  int single_tickets_ = 0;
  int single_ticketed_ = 0;
  Score score_;
};

double Share(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

Score ScoreOf(absl::Span<const Machine> fleet, absl::Span<const Mishap> mishaps,
              absl::Span<const OpenedTicket> tickets, absl::Time start,
              Minute length) {
  return Scorer(fleet, mishaps, tickets, start).Run(length);
}

std::string ToJson(const Score& score) {
  std::vector<std::string> causes;
  for (const auto& [name, row] : score.by_cause) {
    causes.push_back(absl::StrFormat(
        R"("%s":{"faults":%d,"ticketed":%d,"before_notice":%d,"tickets":%d})",
        name, row.faults, row.ticketed, row.before, row.tickets));
  }
  return absl::StrFormat(
      R"({"endpoint_days":%.0f,"faults":%d,"ticketed":%.3f,"before_notice":%.3f,)"
      R"("median_lead_hours":%.2f,"false_tickets":%d,)"
      R"("false_per_1000_endpoint_days":%.3f,"look_alikes":%d,)"
      R"("false_on_look_alikes":%d,"tickets_per_fault":%.3f,)"
      R"("common_causes":%d,"common_found":%d,"common_tickets":%d,)"
      R"("by_cause":{%s}})",
      score.endpoint_days, score.faults, Share(score.ticketed, score.faults),
      Share(score.before_notice, score.faults), score.median_lead_hours,
      score.false_tickets,
      Share(1000.0 * score.false_tickets, score.endpoint_days),
      score.look_alikes, score.on_look_alikes, score.tickets_per_fault,
      score.common_causes, score.common_found, score.common_tickets,
      absl::StrJoin(causes, ","));
}

}  // namespace forewarn::fleetsim
