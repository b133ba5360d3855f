#include "tools/cli/ledger_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/cli/report_json.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

struct Sums {
  std::uint64_t all = 0;
  std::uint64_t tarn = 0;
  std::uint64_t other_heaps = 0;
  std::uint64_t files = 0;
  std::uint64_t stacks = 0;
};

// What of the mapping lies at Tarn's addresses and is resident.
std::uint64_t tarns_part(const Mapping& mapping, const std::vector<AddressRange>& ranges,
                         const ResidentBetween& resident_between) {
  std::uint64_t bytes = 0;
  for (const AddressRange& range : ranges) {
    const std::uint64_t start = std::max(mapping.start, range.start);
    const std::uint64_t end = std::min(mapping.end, range.start + range.size);
    if (start >= end) {
      continue;
    }
    if (start == mapping.start && end == mapping.end) {
      return mapping.resident;
    }
    bytes += resident_between(start, end);
  }
  return std::min(bytes, mapping.resident);
}

bool holds_any(const Mapping& mapping, const std::vector<std::uint64_t>& addresses) {
  return std::ranges::any_of(addresses, [&](std::uint64_t address) {
    return mapping.start <= address && address < mapping.end;
  });
}

Sums sum_up(const Report& report, const std::vector<Mapping>& mappings,
            const std::vector<std::uint64_t>& stack_pointers,
            const ResidentBetween& resident_between) {
  Sums sums;
  for (const Mapping& mapping : mappings) {
    const std::string_view name = mapping.name;
    sums.all += mapping.resident;
    if (mapping.resident == 0) {
      continue;
    }
    if (name.starts_with("/")) {
      sums.files += mapping.resident;
    } else if (name.starts_with("[stack")) {
      sums.stacks += mapping.resident;
    } else if (name == "[heap]") {
      sums.other_heaps += mapping.resident;
    } else if (name.empty() || name.starts_with("[anon")) {
      const std::uint64_t tarn = tarns_part(mapping, report.ranges, resident_between);
      sums.tarn += tarn;
      (tarn == 0 && holds_any(mapping, stack_pointers) ? sums.stacks : sums.other_heaps) +=
          mapping.resident - tarn;
    }
  }
  return sums;
}

std::string signed_bytes_text(std::int64_t bytes) {
  return bytes < 0 ? "-" + bytes_text(static_cast<std::uint64_t>(-bytes))
                   : bytes_text(static_cast<std::uint64_t>(bytes));
}

}  // namespace

Ledger make_ledger(const Report& report, const std::vector<Mapping>& mappings,
                   const std::vector<std::uint64_t>& stack_pointers,
                   const ResidentBetween& resident_between) {
  const Sums sums = sum_up(report, mappings, stack_pointers, resident_between);
  Ledger ledger;
  ledger.resident = sums.all;
  const auto add = [&](const char* key, const char* name, std::uint64_t bytes) {
    ledger.lines.push_back({key, name, static_cast<std::int64_t>(bytes)});
  };
  add("live_obj", "live blocks, objects (obj)", report.resident_live_obj);
  add("live_mem", "live blocks, buffers (mem)", report.resident_live_mem);
  if (report.resident_live_raw != 0) {
    add("live_raw", "live blocks, general (raw)", report.resident_live_raw);
  }
  add("free", "free blocks", report.resident_free);
  add("untouched", "untouched blocks, ends of pools", report.resident_untouched);
  add("empty", "empty pools", report.resident_empty);
  add("large", "large blocks", report.resident_large);
  add("large_kept", "large blocks, freed and kept", report.resident_large_kept);
  add("descriptors", "descriptors of arenas and pools", report.resident_descriptors);
  add("other_heaps", "other heaps, anonymous memory", sums.other_heaps);
  add("files", "mapped files and libraries", sums.files);
  add("stacks", "stacks", sums.stacks);
  std::int64_t rest = static_cast<std::int64_t>(sums.all);
  for (const LedgerLine& line : ledger.lines) {
    rest -= line.bytes;
  }
  ledger.lines.push_back({"rest", "the rest", rest});
  ledger.can_go =
      std::min(report.resident_pools - report.resident_live_pages + report.resident_large_kept,
               ledger.resident);
  ledger.page_floor = ledger.resident - ledger.can_go;
  ledger.pools_page_floor = report.resident_live_pages;
  ledger.drift =
      static_cast<std::int64_t>(sums.tarn) -
      static_cast<std::int64_t>(report.resident_pools + report.resident_large +
                                report.resident_large_kept + report.resident_descriptors);
  return ledger;
}

std::string ledger_text(const Ledger& ledger, const Report& report, const Style& style) {
  const std::string program = report.program.empty() ? "a Python" : report.program;
  std::string text = style.heading(fmt::format("{} (process {}) on Python {}", shorten(program, 40),
                                               report.pid, shorten(report.python, 20)));
  text += "\n\n";
  const double whole = std::max(static_cast<double>(ledger.resident), 1.0);
  Table table;
  const auto add = [&](const char* name, std::int64_t bytes) {
    table.add({name, signed_bytes_text(bytes),
               fmt::format("{:.1f} %", 100.0 * static_cast<double>(bytes) / whole)});
  };
  for (const LedgerLine& line : ledger.lines) {
    add(line.name, line.bytes);
  }
  add("resident, as the kernel has it", static_cast<std::int64_t>(ledger.resident));
  for (const std::string& line : table.lines()) {
    text += line + '\n';
  }
  text += fmt::format(
      "\n{} are in pages without a live block. The page floor, the least that\n"
      "can be kept, is {}, {} of it in pools.\n",
      bytes_text(ledger.can_go), bytes_text(ledger.page_floor),
      bytes_text(ledger.pools_page_floor));
  if (report.checks == "debug") {
    text += "A heap with debug checks gives back whole arenas only.\n";
  }
  return text;
}

std::string ledger_json(const Ledger& ledger, const Report& report) {
  nlohmann::ordered_json json = {{"tarn_ledger", 1},
                                 {"pid", report.pid},
                                 {"program", report.program},
                                 {"python", report.python},
                                 {"resident", ledger.resident}};
  for (const LedgerLine& line : ledger.lines) {
    json["lines"][line.key] = line.bytes;
  }
  json["can_go"] = ledger.can_go;
  json["page_floor"] = ledger.page_floor;
  json["pools_page_floor"] = ledger.pools_page_floor;
  return json_text(json);
}

}  // namespace tarn::cli
