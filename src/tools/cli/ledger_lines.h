// Where a process's resident memory is: what it says of its heap, put together with what the kernel says of
// its mappings. Pure.
//
//   the kernel's mappings   │ arenas, descriptors │ [heap], anonymous │ files │ [stack], threads' │ [vdso] … │
//                                     │                   │              │            │                │
//   what the process says   live, free, untouched, empty  │              │            │                │
//                                     ▼                   ▼              ▼            ▼                ▼
//   lines                   seven of Tarn's            other heaps     files       stacks          the rest
//
// The rest is what remains to the kernel's sum, so the lines add up to it always. A program that runs on
// between the two looks makes it larger, or less than nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/cli/console.h"
#include "tools/cli/memory_map.h"
#include "tools/cli/report.h"

namespace tarn::cli {

struct LedgerLine {
  const char* key;   // in JSON
  const char* name;  // for people
  std::int64_t bytes;
};

struct Ledger {
  std::uint64_t resident = 0;     // the kernel's sum
  std::vector<LedgerLine> lines;  // add up to it
  std::uint64_t can_go = 0;       // in pages of pools without an allocated block
  std::uint64_t page_floor = 0;   // the least that can be kept: resident - can_go
  std::uint64_t pools_page_floor = 0;
  std::int64_t drift = 0;  // what the kernel says of Tarn's addresses, less what the process said
};

// How much of [start, end) is resident: asked where a mapping is Tarn's in part.
using ResidentBetween = std::function<std::uint64_t(std::uint64_t start, std::uint64_t end)>;

[[nodiscard]] Ledger make_ledger(const Report& report, const std::vector<Mapping>& mappings,
                                 const std::vector<std::uint64_t>& stack_pointers,
                                 const ResidentBetween& resident_between);

// Ends with a newline.
[[nodiscard]] std::string ledger_text(const Ledger& ledger, const Report& report,
                                      const Style& style);
[[nodiscard]] std::string ledger_json(const Ledger& ledger, const Report& report);

}  // namespace tarn::cli
