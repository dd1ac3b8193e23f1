#ifndef FOREWARN_PROTOS_BASE_STRONG_ID_H_
#define FOREWARN_PROTOS_BASE_STRONG_ID_H_

#include <compare>
#include <cstdint>
#include <utility>

namespace forewarn::base {

// A number that cannot be mixed up with another: StrongId<struct TicketTag>.
template <typename Tag, typename Number = uint32_t>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(Number value) : value_(value) {}
  constexpr Number value() const { return value_; }
  constexpr auto operator<=>(const StrongId&) const = default;

  template <typename H>
  friend H AbslHashValue(H state, StrongId id) {
    return H::combine(std::move(state), id.value_);
  }

 private:
  Number value_ = 0;
};

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_STRONG_ID_H_
