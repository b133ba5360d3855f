// Where a process's blocks were allocated, as it says itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::cli {

// A line of Python. Strings are what the program has: any bytes.
struct SiteFrame {
  std::string function;
  std::string file;
  std::uint64_t line = 0;
};

// A stack and what was allocated there: estimates, but with a rate of 1.
struct AllocationSite {
  std::uint64_t live_bytes = 0;
  std::uint64_t live_blocks = 0;
  std::uint64_t retained_bytes = 0;   // its blocks' share of the free blocks in their pools
  std::uint64_t allocated_bytes = 0;  // ever: handed out, or grown by
  std::uint64_t allocated_blocks = 0;
  std::uint64_t samples = 0;
  std::uint64_t live_samples = 0;
  bool is_cut = false;                // the stack is deeper
  std::vector<std::uint32_t> frames;  // of SitesReport::frames, the innermost first
};

struct SitesReport {
  std::uint64_t pid = 0;
  std::string program;  // printable
  std::string python;
  std::uint64_t rate = 0;  // one block in so many bytes
  std::uint64_t most_frames = 0;
  std::uint64_t samples = 0;
  std::uint64_t not_followed = 0;  // samples of which it isn't known whether they live
  std::vector<SiteFrame> frames;
  // The first is that of blocks without a Python stack, the second that of stacks for which there was no room.
  std::vector<AllocationSite> sites;
};

// What a report is sorted by, and a picture drawn of.
enum class SiteMeasure { live, retained, allocated };
[[nodiscard]] std::uint64_t measure_of(const AllocationSite& site, SiteMeasure measure);

// "Cache.get app.py:88": for a line of text, unescaped.
[[nodiscard]] std::string frame_text(const SiteFrame& frame);

// What stands in place of a stack of a site that has none.
[[nodiscard]] std::string stackless_text(const SitesReport& report, const AllocationSite& site);

// Any bytes as UTF-8 without control characters; what is neither is shown as \xNN.
[[nodiscard]] std::string clean_utf8(std::string_view bytes);

}  // namespace tarn::cli
