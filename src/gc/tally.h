// The tally of an object: what its count says, less the references that were seen. It's kept beside the objects, in
// 8 bits, so that those of four million objects fit into the processor's cache. What doesn't fit goes to 32 bits
// of its own, and a bit says so:
//
//   T1  references seen - references counted = tally + (wide ? scratch : 0)
//   T2  between two collections all tallies and scratches are zero, and nobody is wide
//   T3  a scratch of never_zero stays so: more references than anybody can see
//
// Large objects have 32 bits in their record, never_zero likewise.
#pragma once

#include <cstdint>
#include <limits>

#include "object/side_tables.h"

namespace tarn::gc {

using object::SideBit;
using object::SideTables;

inline constexpr std::int32_t never_zero = std::numeric_limits<std::int32_t>::min();
inline constexpr Count most_tallied = Count{1} << 30;

[[nodiscard]] inline std::int32_t& signed_scratch(std::uint32_t& scratch) noexcept {
  return reinterpret_cast<std::int32_t&>(scratch);
}

inline void add_wide(std::int32_t& scratch, std::int32_t number) noexcept {
  if (scratch != never_zero && scratch <= std::numeric_limits<std::int32_t>::max() - number) {
    scratch += number;
  }
}

// So many references are counted.
inline void subtract(const SideTables& sides, std::int8_t& tally, Object& object,
                     Count references) noexcept {
  if (references <= 127) [[likely]] {
    tally = static_cast<std::int8_t>(tally - references);
    return;
  }
  std::int32_t& scratch = signed_scratch(sides.scratch(&object));
  scratch = references > most_tallied || scratch == never_zero
                ? never_zero
                : scratch - static_cast<std::int32_t>(references);
  sides.set(SideBit::wide, &object);
}

// References that are seen, a few steps later: until then the cache line has come.
class SeenReferences {
 public:
  explicit SeenReferences(const SideTables& sides) noexcept : sides_(sides) {
    for (std::int8_t*& tally : waiting_) {
      tally = &nobody_;
    }
  }
  ~SeenReferences() {
    for (std::int8_t* const tally : waiting_) {
      add(tally);
    }
  }
  SeenReferences(const SeenReferences&) = delete;
  SeenReferences& operator=(const SeenReferences&) = delete;

  void operator()(std::int8_t* tally) noexcept {
    __builtin_prefetch(tally, 1);
    add(waiting_[next_]);
    waiting_[next_] = tally;
    next_ = (next_ + 1) % length;
  }

 private:
  static constexpr unsigned length = 32;

  void add(std::int8_t* tally) noexcept {
    if (*tally == 127) [[unlikely]] {
      widen(tally);
    } else {
      ++*tally;
    }
  }
  [[gnu::noinline]] void widen(std::int8_t* tally) noexcept {
    *tally = 0;
    if (tally != &nobody_) {
      const void* const granule = sides_.address_of(*tally);
      add_wide(signed_scratch(sides_.scratch(granule)), 128);
      sides_.set(SideBit::wide, granule);
    }
  }

  SideTables sides_;
  std::int8_t* waiting_[length];
  unsigned next_ = 0;
  std::int8_t nobody_ = 0;
};

}  // namespace tarn::gc
