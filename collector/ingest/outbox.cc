#include "collector/ingest/outbox.h"

#include <string>
#include <utility>

#include "protos/wire/proto_time.h"

namespace forewarn::ingest {

void Outbox::Put(Word word) {
  bool ring = false;
  {
    base::MutexLock lock(&mutex_);
    ring = words_.empty();
    words_.push_back(std::move(word));
  }
  if (ring) bell_.Ring();
}

std::vector<Outbox::Word> Outbox::TakeAll() {
  std::vector<Word> words;
  base::MutexLock lock(&mutex_);
  words.swap(words_);
  return words;
}

void OutboxLink::Acknowledge(const wire::RunId& run, uint64_t sequence,
                             std::vector<wire::DroppedSample> dropped) {
  Outbox::Word word;
  word.connection = connection_;
  word.run = run;
  word.sequence = sequence;
  word.dropped = std::move(dropped);
  outbox_->Put(std::move(word));
}

void OutboxLink::SetPace(absl::Duration tick, absl::Duration lasting,
                         absl::string_view reason) {
  Outbox::Word word;
  word.connection = connection_;
  v1::Pace& pace = *word.message.emplace().mutable_pace();
  *pace.mutable_tick() = wire::ToProtoDuration(tick);
  *pace.mutable_lasting() = wire::ToProtoDuration(lasting);
  pace.set_reason(std::string(reason));
  outbox_->Put(std::move(word));
}

void OutboxLink::Fail(const absl::Status& status) {
  Outbox::Word word;
  word.connection = connection_;
  word.failure = status;
  outbox_->Put(std::move(word));
}

}  // namespace forewarn::ingest
