// The reference count, and who may change it.
//
// The threading policy is chosen when a program is compiled: GilPolicy (the count is a plain number, and whoever
// changes it holds the lock) is the only one so far. A free-threaded policy, with counts biased to an object's
// own thread, takes its place here; nothing else changes a count.
#pragma once

#include <cstdint>

// Checks that cost time on every use of a reference, in builds without NDEBUG. All files of a program need the
// same answer.
#ifndef TARN_CHECK_OBJECTS
#ifdef NDEBUG
#define TARN_CHECK_OBJECTS 0
#else
#define TARN_CHECK_OBJECTS 1
#endif
#endif

namespace tarn {

inline constexpr bool check_objects = TARN_CHECK_OBJECTS != 0;

// A count is the number of references beyond the first: so that a release is one subtraction, whose sign says
// whether there's more to do.
//
//   count                   the object
//     immortal_least …      never dies
//     0 …                   is alive, and has one reference more than that
//     dying_least … -1      is dying: its destructor runs (-1), or it waits for that (a link is in the count)
//     … biased_most         is alive; a collection under way wants to hear of each release
using Count = std::int64_t;

inline constexpr Count last_reference = 0;
inline constexpr Count no_reference = -1;
inline constexpr Count immortal_count = Count{1} << 61;
inline constexpr Count immortal_least = Count{1} << 60;
inline constexpr Count biased_most = -(Count{1} << 60);
inline constexpr Count count_bias = Count{1} << 61;  // what a biased count lacks
inline constexpr Count dying_least = -(Count{1} << 48);

struct GilPolicy {
  static void increment(Count& count) noexcept { ++count; }
  // Whether there is more to do than that.
  [[nodiscard]] static bool decrement(Count& count) noexcept { return --count < 0; }
};

using CountPolicy = GilPolicy;

}  // namespace tarn
