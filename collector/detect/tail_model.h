#ifndef FOREWARN_COLLECTOR_DETECT_TAIL_MODEL_H_
#define FOREWARN_COLLECTOR_DETECT_TAIL_MODEL_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace forewarn::detect {

// How often distances of a size occur, learnt from those that were seen: a
// histogram of their logarithm that forgets slowly; beyond its last fiftieth
// a power law, whose exponent is a heavy-tailed prior's until enough was seen.
//
// Cost     some nanoseconds a distance; 60 bytes.
// Source   Tail: Hill, Ann. Statist. 3(5), 1975, 1163-1174, on bins; the prior
//          is worth so many distances seen.
// Threads  thread-compatible.
class TailModel {
 public:
  struct Prior {
    float exponent;
    float weight;
  };

  // -log10 of how probable a distance at least as far is; 0 for those that
  // are among the nearer nine tenths. Without bound.
  double Surprise(double distance) const;

  // Many odd ones in a row are one event and say little about how often such
  // events occur: from the fifth on one in twenty counts. `odd` is for the
  // caller to say.
  void Learn(double distance, bool odd, const Prior& prior);

  // The distance of which that is the surprise, of 1 or more.
  double DistanceOf(double surprise) const;

  uint32_t seen() const { return total_ / kUnit; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.counts_, self.total_, self.tail_surprise_, self.slope_,
            self.body_, self.tail_, self.stale_, self.run_, self.late_);
  }

 private:
  // Two bins an octave, from 2^-1 to 2^9; what is farther is in the last.
  static constexpr int kBinsAnOctave = 2;
  static constexpr int kFirstOctave = -1;
  static constexpr size_t kBins = 20;
  // A distance counts so much, so that halving keeps single ones a while.
  static constexpr uint32_t kUnit = 3;
  static constexpr uint32_t kMost = 20000 * kUnit;

  static float Position(double distance);
  void Fit(const Prior& prior);
  void Halve();

  std::array<uint16_t, kBins> counts_{};
  uint32_t total_ = 0;
  // Of the last fit: where the farthest tenth begins, where the tail does,
  // in bins; the surprise there, and more of it by the bin.
  float tail_surprise_ = 0;
  float slope_ = 0;
  uint8_t body_ = 0;
  uint8_t tail_ = kBins;
  uint8_t stale_ = 0;
  uint8_t run_ = 0;
  uint8_t late_ = 0;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_TAIL_MODEL_H_
