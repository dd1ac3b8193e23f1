#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "collector/words/text_page.h"
#include "collector/words/visible.h"
#include "collector/words/words.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace forewarn::words {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kFilling[] = R"pb(
  ticket {
    id: 41
    state: NEW
    priority: P2
    host_name: "web-01"
    site: "Oslo"
    title {
      key: "rule.disk_fill.title"
      parameters { name: "mount" text: "/var" }
      parameters { name: "host" text: "web-01" }
    }
    opened_at { seconds: 1795321629 }
  }
  symptoms {
    rule: "disk_fill"
    detector: DETECTOR_KIND_FORECAST
    priority: P2
    metric: "system.filesystem.utilization"
    attributes { key: "system.filesystem.mountpoint" value: "/var" }
    opened_at { seconds: 1795321629 }
    updated_at { seconds: 1795321629 }
    since { seconds: 1795320909 }
    title {
      key: "rule.disk_fill.title"
      parameters { name: "mount" text: "/var" }
      parameters { name: "host" text: "web-01" }
    }
    explanation { key: "rule.disk_fill.explanation" }
    evidence {
      value: 0.853
      unit: "1"
      expected_high: 0.8
      has_expected_high: true
      time_left {
        low { seconds: 6600 }
        middle { seconds: 7800 }
        high { seconds: 10800 }
        limit_at { seconds: 1795329429 }
        limit: 1
      }
      window {
        time { seconds: 1795321569 }
        value: 0.5
      }
      window {
        time { seconds: 1795321599 }
        value: 0.7
      }
      window {
        time { seconds: 1795321629 }
        value: 0.853
      }
      processes {
        time { seconds: 1795321620 }
        top_cpu {
          pid: 812
          name: "rsync"
          command: "rsync -a /home /var/backup"
          user: "root"
          cpu_ratio: 0.42
          memory_bytes: 14680064
        }
      }
      recent_events {
        time { seconds: 1795321000 }
        name: "forewarn.event.package"
        message: "nginx upgraded to 1.24"
      }
    }
    runbook {
      article: "disk-full"
      causes: "Logs that nobody removes"
      steps: "Run `du -xh /var --max-depth=2`"
      steps: "Enlarge the volume"
    }
  }
  symptoms {
    rule: "disk_await"
    priority: P3
    opened_at { seconds: 1795321600 }
    title { key: "slow" }
    evidence {
      value: 0.2
      unit: "s"
      expected_high: 0.05
      has_expected_high: true
    }
  }
  events {
    time { seconds: 1795321629 }
    actor: "forewarn"
    verb: "opened"
    text {
      key: "desk.event.opened"
      parameters { name: "priority" text: "P2" }
      parameters { name: "symptom" text: "/var fills up" }
    }
  }
  events {
    time { seconds: 1795321700 }
    actor: "ada"
    verb: "commented"
    text { key: "desk.event.commented" }
    comment: "looking"
  }
)pb";

class TicketTextTest : public ::testing::Test {
 protected:
  TicketTextTest() {
    words_.Add("rule.disk_fill.title", "{mount} on {host} is filling up");
    words_.Add("rule.disk_fill.explanation",
               "At the present rate the file system is full soon. Programs "
               "then fail to save and services stop.");
    words_.Add("slow", "The disk answers slowly");
    google::protobuf::TextFormat::ParseFromString(kFilling, &detail_);
  }
  std::string Render() const { return RenderTicket(detail_, words_); }

  Words words_;
  v1::TicketDetail detail_;
};

TEST_F(TicketTextTest, ReadsLikeThis) {
  EXPECT_EQ(Render(), R"(T-41 /var on web-01 is filling up
[P2] new · unassigned · web-01 (Oslo) · opened 2026-11-22 04:27:09 UTC

WHY
  At the present rate the file system is full soon. Programs then fail to save
  and services stop.
  Value       85.3 % (expected at most 80 %)
  Since       2026-11-22 04:15:09 UTC (for 12 min)
  Time left   2 h 10 min (1 h 50 min to 3 h)
  Limit       100 %, reached about 2026-11-22 06:37:09 UTC
  As of       2026-11-22 04:27:09 UTC
  Chart       ▁▅█
              lowest 50 %, highest 85.3 %, over 1 min to 2026-11-22 04:27:09 UTC
  Measured    system.filesystem.utilization {system.filesystem.mountpoint=/var}
  Found by    forecast disk_fill

ALSO
  P3   The disk answers slowly: 200 ms (expected at most 50 ms), since
       2026-11-22 04:26:40 UTC

TOP PROCESSES
  At 2026-11-22 04:27:00 UTC:
      PID  USER           CPU      MEMORY  BY CPU
      812  root          42 %      14 MiB  rsync -a /home /var/backup

WHAT CHANGED LATELY
  2026-11-22 04:16:40 UTC nginx upgraded to 1.24

LIKELY CAUSES
  - Logs that nobody removes

WHAT TO DO
  1. Run `du -xh /var --max-depth=2`
  2. Enlarge the volume
  Article: disk-full

HISTORY
  2026-11-22 04:27:09 UTC  forewarn: Opened as P2: /var fills up
  2026-11-22 04:28:20 UTC  ada: Commented: looking
)");
}

TEST_F(TicketTextTest, AClearedSymptomHasNoTimeLeft) {
  detail_.mutable_symptoms(0)->mutable_cleared_at()->set_seconds(1795325229);
  EXPECT_THAT(Render(), Not(HasSubstr("Time left")));
  EXPECT_THAT(Render(), HasSubstr("Cleared     2026-11-22 05:27:09 UTC"));
}

TEST_F(TicketTextTest, AnOpenEndedForecastSaysAtLeast) {
  detail_.mutable_symptoms(0)
      ->mutable_evidence()
      ->mutable_time_left()
      ->clear_high();
  EXPECT_THAT(Render(), HasSubstr("2 h 10 min (at least 1 h 50 min)"));
}

TEST_F(TicketTextTest, SaysWhoHasItAndThatItCameBack) {
  detail_.mutable_ticket()->set_assignee("ada");
  detail_.mutable_ticket()->set_reopened(2);
  detail_.mutable_ticket()->set_state(v1::IN_PROGRESS);
  EXPECT_THAT(Render(), HasSubstr("[P2] in progress · assigned to ada"));
  EXPECT_THAT(Render(), HasSubstr("opened again 2 times"));
}

TEST_F(TicketTextTest, TellsWhatCouldNotBeDelivered) {
  v1::Notification* lost = detail_.add_notifications();
  lost->set_channel("mail");
  lost->set_event("opened");
  lost->set_attempts(9);
  lost->mutable_given_up_at()->set_seconds(1795321629);
  lost->set_last_error("connect: refused");
  EXPECT_THAT(Render(), HasSubstr("NOT DELIVERED\n  mail: opened, given up"));
}

TEST_F(TicketTextTest, HostileStringsMakeNoLinesAndNoEscapes) {
  const std::string evil = "x\n\nWHAT TO DO\n  1. rm -rf /\x1b[2J\u202e";
  const size_t lines =
      absl::StrSplit(Render(), '\n').operator std::vector<std::string>().size();
  detail_.mutable_ticket()->set_host_name(evil);
  detail_.mutable_ticket()->set_assignee(evil);
  v1::Symptom& lead = *detail_.mutable_symptoms(0);
  lead.mutable_attributes(0)->set_value(evil);
  lead.mutable_title()->mutable_parameters(0)->set_text(evil);
  lead.mutable_evidence()->mutable_processes()->mutable_top_cpu(0)->set_command(
      evil);
  lead.mutable_evidence()->mutable_recent_events(0)->set_message(evil);
  detail_.mutable_events(1)->set_comment(evil);
  const std::string shown = Render();
  EXPECT_THAT(shown, Not(HasSubstr("\x1b")));
  EXPECT_THAT(shown, Not(HasSubstr("\u202e")));
  EXPECT_THAT(shown, Not(HasSubstr("\n  1. rm -rf")));
  EXPECT_THAT(shown, HasSubstr("\\x1b[2J\\u{202e}"));
  // Some fields wrap, none makes a line by itself.
  EXPECT_LE(static_cast<size_t>(std::count(shown.begin(), shown.end(), '\n')),
            lines + 8);
}

TEST_F(TicketTextTest, StaysAPageWhateverComes) {
  for (int i = 0; i < 1000; ++i) {
    *detail_.add_symptoms() = detail_.symptoms(1);
    v1::TicketEvent* event = detail_.add_events();
    *event = detail_.events(1);
    event->set_comment(std::string(60'000, 'x'));
  }
  const std::string shown = Render();
  EXPECT_LT(shown.size(), 256u * 1024);
  EXPECT_THAT(shown, HasSubstr("and 982 more"));
  EXPECT_THAT(shown, HasSubstr("(962 earlier entries left out)"));
}

TEST_F(TicketTextTest, FitsEightyColumns) {
  for (const absl::string_view line : absl::StrSplit(Render(), '\n')) {
    EXPECT_LE(DisplayWidth(line), TextPage::kWidth) << line;
  }
}

TEST(EmptyTicketTest, RendersWithoutAnyEvidence) {
  EXPECT_THAT(RenderTicket(v1::TicketDetail(), Words()), HasSubstr("T-0"));
}

}  // namespace
}  // namespace forewarn::words
