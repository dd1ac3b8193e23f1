#ifndef FOREWARN_AGENT_BATCHER_BATCH_SINK_H_
#define FOREWARN_AGENT_BATCHER_BATCH_SINK_H_

#include "protos/wire/batch.h"
#include "protos/wire/series.h"

namespace forewarn::agent {

// Takes finished batches; run and sequence are the taker's to give.
class BatchSink {
 public:
  virtual ~BatchSink() = default;

  // `dictionary` has the definitions of the batch's samples, and may change
  // once the call has returned.
  virtual void Accept(wire::Batch batch,
                      const wire::SeriesDictionary& dictionary) = 0;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_BATCHER_BATCH_SINK_H_
