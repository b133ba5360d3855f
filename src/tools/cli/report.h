// What one process that lived on Tarn says about itself when it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tarn::cli {

// At which addresses a heap lies.
struct AddressRange {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
};

struct SizeClassReport {
  std::string domain;  // raw, mem or obj
  std::uint64_t szidx = 0;
  std::uint64_t block_size = 0;
  std::uint64_t pools_used = 0;
  std::uint64_t pools_full = 0;
  std::uint64_t blocks_allocated = 0;
  std::uint64_t blocks_free = 0;
  std::uint64_t blocks_untouched = 0;
};

// The strings consist of printable ASCII: what isn't has been escaped by who wrote the report, and
// the reader has checked that.
struct Report {
  std::uint64_t pid = 0;
  std::uint64_t parent = 0;
  std::string program;  // empty when the process couldn't tell
  std::string python;   // "3.11.2"; may be empty when Tarn was off
  bool on = false;
  std::string reason;  // why it was off

  // False when it was off, or ended at a point where its heap could not be read: the rest then means
  // nothing.
  bool has_figures = false;
  std::string geometry;
  std::string address_map;
  std::string synchronisation;
  std::string checks;
  std::uint64_t arena_size = 0;
  std::uint64_t pool_size = 0;
  std::uint64_t alignment = 0;
  std::uint64_t small_request_max = 0;
  std::uint64_t arenas_now = 0;
  std::uint64_t arenas_peak = 0;
  std::uint64_t arenas_mapped = 0;
  std::uint64_t arenas_released = 0;
  std::uint64_t pools_used = 0;
  std::uint64_t pools_full = 0;
  std::uint64_t pools_empty = 0;
  std::uint64_t pools_untouched = 0;
  std::uint64_t pools_peak = 0;
  // Of the second tier of pools; zeroes when there's none.
  std::uint64_t medium_arena_size = 0;
  std::uint64_t medium_pool_size = 0;
  std::uint64_t medium_request_max = 0;
  std::uint64_t medium_arenas_now = 0;
  std::uint64_t medium_arenas_peak = 0;
  std::uint64_t medium_arenas_mapped = 0;
  std::uint64_t medium_arenas_released = 0;
  std::uint64_t medium_pools_used = 0;
  std::uint64_t medium_pools_full = 0;
  std::uint64_t medium_pools_empty = 0;
  std::uint64_t medium_pools_untouched = 0;
  std::uint64_t medium_pools_peak = 0;
  std::uint64_t large_now = 0;
  std::uint64_t large_requests = 0;
  // Of those in pages of Tarn's own; zeroes when there are none.
  std::uint64_t large_blocks = 0;
  std::uint64_t large_bytes = 0;
  std::uint64_t large_mappings = 0;
  std::uint64_t large_kept_bytes = 0;  // freed, and kept for the next ones
  std::uint64_t large_resized = 0;
  std::vector<SizeClassReport> classes;

  // In bytes. False: it doesn't say what of it is resident.
  bool has_residency = false;
  std::uint64_t resident_pools = 0;     // in arenas; the sum of the next six
  std::uint64_t resident_live_raw = 0;  // in allocated blocks
  std::uint64_t resident_live_mem = 0;
  std::uint64_t resident_live_obj = 0;
  std::uint64_t resident_free = 0;       // in free blocks
  std::uint64_t resident_untouched = 0;  // in untouched ones, and behind a pool's last block
  std::uint64_t resident_empty = 0;      // in empty pools
  std::uint64_t resident_live_pages =
      0;                             // in pages of pools that hold a part of an allocated block
  std::uint64_t resident_large = 0;  // in large blocks
  std::uint64_t resident_large_kept = 0;   // in freed ones
  std::uint64_t resident_descriptors = 0;  // outside of arenas

  // Of the whole process, in bytes; zero where it doesn't say.
  std::uint64_t resident = 0;
  std::uint64_t page_floor = 0;  // `resident`, less pages of pools without an allocated block

  // Collections of cycles. `gc` is empty when it doesn't say.
  struct Generation {
    std::uint64_t pauses = 0;
    std::uint64_t started = 0;  // of them by Tarn, not by CPython or the program
    std::uint64_t longest = 0;  // nanoseconds
    std::uint64_t total = 0;
    std::uint64_t collected = 0;  // objects
  };
  std::string gc;         // adaptive or stock
  std::string gc_state;   // stock, pacing or yielded
  std::string gc_reason;  // of having yielded
  std::uint64_t gc_threshold_young = 0;
  std::uint64_t gc_threshold_middle = 0;
  std::uint64_t gc_allowance = 0;  // bytes
  std::uint64_t gc_disabled = 0;   // 1: by the program
  std::uint64_t gc_by_program = 0;
  Generation gc_young;
  Generation gc_middle;
  Generation gc_full;

  std::vector<AddressRange> ranges;  // only in what a living process says
};

}  // namespace tarn::cli
