// What the control channel answers to "pulse": lines "key value", cheap enough for twice a second.
//
//   tarn-pulse 1
//   pid N
//   turn N            counts the pulses: which arenas were looked at (heap/pulse.h)
//   held NS           how long the pulse held Python's lock
//   allocated BYTES   in live blocks, as the meter has it: behind by up to an eighth of each pool
//   handed_out BYTES  ever
//   large_blocks N, large_bytes BYTES, large_kept BYTES
//   tier INDEX ARENA_SIZE POOL_SIZE POOLS_PER_ARENA ARENAS POOLS_TAKEN SAMPLED_ARENAS SAMPLED_TAKEN
//   arena TIER ADDRESS ARENAS POOLS_TAKEN SAMPLED LIVE        a group of neighbours, in order of addresses
//   class TIER SZIDX BLOCK_SIZE POOLS ALLOCATED FREE UNTOUCHED   of the arenas looked at in this turn
//   gc …              as in a report
//   end
#pragma once

#include <cstdint>

#include "heap/pulse.h"
#include "integrations/python/lines.h"

namespace tarn::python {

struct PulseFigures {
  heap::Pulse heap;
  std::size_t allocated;
  std::size_t handed_out;
  std::uint64_t held;  // nanoseconds
};

// Needs the GIL. The next turn.
void take_pulse(PulseFigures& figures) noexcept;

void write_pulse_lines(Lines& lines, const PulseFigures& figures) noexcept;

}  // namespace tarn::python
