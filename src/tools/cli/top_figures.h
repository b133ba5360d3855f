// What `tarn top` knows of a process: made of one pulse after the other. Pure: times are the caller's.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/cli/pulse_answer.h"
#include "tools/cli/report.h"

namespace tarn::cli {

// By which column the size classes are sorted, most first.
enum class TopOrder { live, blocks, free, change, size };
[[nodiscard]] TopOrder next(TopOrder order);
[[nodiscard]] const char* name_of(TopOrder order);

struct TopClass {
  std::uint64_t block_size = 0;
  std::uint64_t pools = 0;
  std::uint64_t blocks = 0;      // live ones
  std::uint64_t live_bytes = 0;  // in them
  std::uint64_t free_bytes = 0;  // in blocks that aren't
  double change = 0;             // of live_bytes, in a second
};

struct TopTier {
  std::uint64_t arenas = 0;
  std::uint64_t arena_size = 0;
  double full = 0;            // live bytes of all bytes
  std::vector<double> cells;  // the same for each group of neighbours, in order of addresses
};

struct TopCollections {
  double per_second = 0;
  double share = 0;             // of the time
  std::uint64_t longest = 0;    // nanoseconds, ever
  std::uint64_t collected = 0;  // objects, ever
};

// From a walk over all blocks, which is taken rarely.
struct TopResidency {
  double time = 0;             // when
  double seconds = 0;          // how long the process stood still for it
  std::uint64_t retained = 0;  // resident bytes of pools and kept large blocks in no live block
  std::uint64_t pinned = 0;    // of them in pages with a live block
};
[[nodiscard]] TopResidency residency_of(const Report& report);

struct TopFigures {
  bool has_pulse = false;
  bool is_estimate = false;  // of size classes and blocks
  std::uint64_t resident = 0;
  std::uint64_t peak = 0;  // of `resident`, seen
  std::uint64_t live = 0;
  std::uint64_t blocks = 0;
  double handed_out = 0;   // bytes a second
  double growth = 0;       // of live bytes, a second
  std::uint64_t held = 0;  // nanoseconds of the last pulse
  std::array<TopCollections, 3> collections;
  std::vector<TopClass> classes;
  std::vector<TopTier> tiers;
  std::uint64_t large_blocks = 0;
  std::uint64_t large_bytes = 0;
  std::uint64_t large_kept = 0;
  std::optional<TopResidency> residency;
  // Of the last minute: the oldest first, one for each half second.
  std::vector<std::uint64_t> resident_history;
  std::vector<std::uint64_t> live_history;
};

class TopHistory {
 public:
  static constexpr double kept_seconds = 60;
  static constexpr double step_seconds = 0.5;

  void add_resident(double time, std::uint64_t bytes);
  void add_pulse(double time, const Pulse& pulse);
  void set_residency(const TopResidency& residency) { figures_.residency = residency; }

  [[nodiscard]] TopFigures figures(TopOrder order) const;

 private:
  struct Turn {
    double time = 0;
    Pulse pulse;
  };
  struct Point {
    double time = 0;
    std::uint64_t resident = 0;
    std::uint64_t live = 0;
  };

  void count_classes();
  void fill_tiers(const Pulse& pulse);
  void count_rates();

  TopFigures figures_;
  std::deque<Turn> turns_;
  std::deque<Point> points_;
  std::map<std::uint64_t, double> fill_;  // of groups that were looked at, by address
  std::deque<std::pair<double, std::map<std::uint64_t, std::uint64_t>>> live_by_class_;
};

}  // namespace tarn::cli
