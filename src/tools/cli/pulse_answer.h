// Reads a process's answer to "pulse", which src/integrations/python/pulse.h describes: hostile until it has been
// checked here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tools/cli/control_answer.h"

namespace tarn::cli {

struct Pulse {
  // Neighbours in order of addresses.
  struct Group {
    std::uint64_t address = 0;
    std::uint64_t arenas = 0;
    std::uint64_t pools_taken = 0;
    std::uint64_t sampled = 0;  // arenas of it that were looked at in this turn
    std::uint64_t live = 0;     // bytes in live blocks of those
  };
  struct Tier {
    std::uint64_t arena_size = 0;
    std::uint64_t pool_size = 0;
    std::uint64_t pools_per_arena = 0;
    std::uint64_t arenas = 0;
    std::uint64_t pools_taken = 0;
    std::uint64_t sampled_arenas = 0;
    std::uint64_t sampled_taken = 0;
    std::vector<Group> groups{};
  };
  // In the arenas looked at.
  struct SizeClass {
    std::uint64_t tier = 0;
    std::uint64_t szidx = 0;
    std::uint64_t block_size = 0;
    std::uint64_t pools = 0;
    std::uint64_t allocated = 0;
    std::uint64_t free = 0;
    std::uint64_t untouched = 0;
  };
  struct Generation {
    std::uint64_t pauses = 0;
    std::uint64_t longest = 0;  // nanoseconds
    std::uint64_t total = 0;
    std::uint64_t collected = 0;
  };

  std::uint64_t pid = 0;
  std::uint64_t turn = 0;
  std::uint64_t held = 0;  // nanoseconds
  std::uint64_t allocated = 0;
  std::uint64_t handed_out = 0;
  std::uint64_t large_blocks = 0;
  std::uint64_t large_bytes = 0;
  std::uint64_t large_kept = 0;
  std::vector<Tier> tiers;
  std::vector<SizeClass> classes;
  std::array<Generation, 3> generations;  // young, middle, full
};

// Throws BadAnswer.
[[nodiscard]] Pulse read_pulse(std::string_view text);

}  // namespace tarn::cli
