#ifndef FOREWARN_TESTS_FLEETSIM_DRAW_H_
#define FOREWARN_TESTS_FLEETSIM_DRAW_H_

#include <cmath>
#include <cstdint>

namespace forewarn::fleetsim {

// Random draws of one endpoint: small, fast and the same everywhere, which
// the standard library's distributions are not. SplitMix64 (Steele, Lea,
// Flood, OOPSLA 2014).
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}

  uint64_t Bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // In [0, 1).
  double Share() { return static_cast<double>(Bits() >> 11) * 0x1p-53; }
  double Between(double low, double high) {
    return low + (high - low) * Share();
  }
  // Between two positive bounds, each octave as likely as another.
  double LogBetween(double low, double high) {
    return low * std::pow(high / low, Share());
  }
  uint32_t Below(uint32_t count) {
    return static_cast<uint32_t>(Share() * count);
  }
  bool Chance(double share) { return Share() < share; }
  // Nearly normal, of mean 0 and deviation 1, within 3.5: a sum of four.
  double Normal() {
    const uint64_t bits = Bits();
    const double sum =
        static_cast<double>((bits & 0xffff) + ((bits >> 16) & 0xffff) +
                            ((bits >> 32) & 0xffff) + (bits >> 48));
    return (sum / 65536.0 - 2.0) * 1.7320508;
  }

 private:
  uint64_t state_;
};

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_DRAW_H_
