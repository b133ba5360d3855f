// Reports for the tests of their readers and renderers.
#pragma once

#include <string>

namespace tarn::cli {

inline const std::string sample_report_text =
    "tarn-report 1\n"
    "pid 4711\n"
    "parent 4700\n"
    "program python3\n"
    "python 3.11.2\n"
    "state on\n"
    "geometry tarn\n"
    "arena_size 1048576\n"
    "pool_size 16384\n"
    "alignment 16\n"
    "small_request_max 512\n"
    "address_map range\n"
    "synchronisation caller\n"
    "checks none\n"
    "arenas_now 12\n"
    "arenas_peak 40\n"
    "arenas_mapped 55\n"
    "arenas_released 43\n"
    "pools_used 100\n"
    "pools_full 600\n"
    "pools_empty 20\n"
    "pools_untouched 44\n"
    "pools_peak 2000\n"
    "large_now 321\n"
    "large_requests 100000\n"
    "class obj 3 64 12 80 20000 400 100\n"
    "class mem 0 16 1 0 900 100 24\n"
    "class obj 31 512 0 0 0 0 0\n"
    "large_blocks 20\n"
    "large_bytes 5000000\n"
    "large_mappings 3\n"
    "large_kept_bytes 700000\n"
    "large_resized 12\n"
    "end\n";

inline const std::string sample_gc_text =
    "gc adaptive\n"
    "gc_state pacing\n"
    "gc_threshold_young 10000\n"
    "gc_threshold_middle 419\n"
    "gc_allowance 16777216\n"
    "gc_disabled 0\n"
    "gc_by_program 0\n"
    "gc_young_pauses 1234\n"
    "gc_young_started 0\n"
    "gc_young_longest 1500000\n"
    "gc_young_total 2500000000\n"
    "gc_young_collected 987654\n"
    "gc_middle_pauses 5\n"
    "gc_middle_started 2\n"
    "gc_middle_longest 900\n"
    "gc_middle_total 1900\n"
    "gc_middle_collected 0\n"
    "gc_full_pauses 3\n"
    "gc_full_started 3\n"
    "gc_full_longest 60000000\n"
    "gc_full_total 150000000\n"
    "gc_full_collected 12\n";

inline const std::string sample_off_report_text =
    "tarn-report 1\n"
    "pid 4712\n"
    "parent 4700\n"
    "program python3\n"
    "python 3.11.2\n"
    "state off\n"
    "reason PYTHONMALLOC=malloc chooses another allocator\n"
    "end\n";

// The text with the first occurrence of `old_part` replaced; the test is wrong if there is none.
inline std::string with(std::string text, const std::string& old_part,
                        const std::string& new_part) {
  return text.replace(text.find(old_part), old_part.size(), new_part);
}

}  // namespace tarn::cli
