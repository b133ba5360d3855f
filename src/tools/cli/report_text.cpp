#include "tools/cli/report_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/cli/sites_text.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

constexpr std::size_t name_width = 30;
constexpr std::size_t line_width = 80;
constexpr std::size_t most_further_lines = 8;

std::string name_of(const Report& report) {
  const std::string program = report.program.empty() ? "a Python" : report.program;
  return fmt::format("{} (process {})", shorten(program, name_width), report.pid);
}

void add_lines(std::string& text, const Table& table, const Style& style) {
  bool is_heading = true;
  text += '\n';
  for (const std::string& line : table.lines()) {
    text += is_heading ? style.heading(line) : line;
    text += '\n';
    is_heading = false;
  }
}

// A row of counts, and below it the bytes that they come to.
void add_counts(Table& table, const std::string& label, std::initializer_list<std::uint64_t> counts,
                std::uint64_t size) {
  std::vector<std::string> count_row{label};
  std::vector<std::string> byte_row{""};
  for (const std::uint64_t count : counts) {
    count_row.push_back(count_text(count));
    byte_row.push_back(bytes_text(count * size));
  }
  table.add(std::move(count_row));
  table.add(std::move(byte_row));
}

struct BlockTotals {
  std::uint64_t allocated = 0, allocated_bytes = 0;
  std::uint64_t free = 0, free_bytes = 0;
  std::uint64_t untouched = 0, untouched_bytes = 0;
};

BlockTotals totals_of(const Report& report) {
  BlockTotals totals;
  for (const SizeClassReport& size_class : report.classes) {
    totals.allocated += size_class.blocks_allocated;
    totals.allocated_bytes += size_class.blocks_allocated * size_class.block_size;
    totals.free += size_class.blocks_free;
    totals.free_bytes += size_class.blocks_free * size_class.block_size;
    totals.untouched += size_class.blocks_untouched;
    totals.untouched_bytes += size_class.blocks_untouched * size_class.block_size;
  }
  return totals;
}

std::string header(const Report& report, const Style& style) {
  std::string text = style.heading(
      fmt::format("tarn: {} on Python {}", name_of(report), shorten(report.python, 20)));
  text += fmt::format("\n      geometry {}: arenas of {}, pools of {}, blocks up to {}\n",
                      report.geometry, bytes_text(report.arena_size), bytes_text(report.pool_size),
                      bytes_text(report.small_request_max));
  text += fmt::format(
      "      addresses by {}, {}{}\n", report.address_map == "range" ? "range" : "page map",
      report.synchronisation == "caller" ? "under the caller's lock" : "under a lock of its own",
      report.checks == "debug" ? ", with debug checks" : "");
  return text;
}

Table size_class_table(const Report& report) {
  std::vector<SizeClassReport> classes;
  std::ranges::copy_if(report.classes, std::back_inserter(classes), [](const auto& size_class) {
    return size_class.pools_used + size_class.pools_full > 0;
  });
  std::ranges::sort(classes, {}, [](const SizeClassReport& size_class) {
    return std::tuple(size_class.domain != "obj", size_class.domain, size_class.szidx);
  });
  Table table;
  if (!classes.empty()) {
    table.add({"domain", "szidx", "block", "used", "full", "allocated", "free", "untouched"});
  }
  for (const SizeClassReport& size_class : classes) {
    table.add({size_class.domain, std::to_string(size_class.szidx),
               count_text(size_class.block_size), count_text(size_class.pools_used),
               count_text(size_class.pools_full), count_text(size_class.blocks_allocated),
               count_text(size_class.blocks_free), count_text(size_class.blocks_untouched)});
  }
  return table;
}

// "12 ns", "1.5 ms", "2.0 s".
std::string duration_text(std::uint64_t nanoseconds) {
  const auto amount = static_cast<double>(nanoseconds);
  if (amount < 1e6) {
    return fmt::format("{:.1f} us", amount / 1e3);
  }
  return amount < 1e9 ? fmt::format("{:.1f} ms", amount / 1e6)
                      : fmt::format("{:.1f} s", amount / 1e9);
}

std::string pacing_text(const Report& report) {
  std::string text = "collections of cycles: ";
  if (report.gc_state == "pacing") {
    // From so many on the youngest generation is left alone.
    constexpr std::uint64_t never = std::uint64_t{1} << 30;
    const std::string containers =
        report.gc_threshold_young < never
            ? fmt::format("{} containers or ", count_text(report.gc_threshold_young))
            : "";
    text += fmt::format("paced by Tarn, after {}{}", containers, bytes_text(report.gc_allowance));
  } else if (report.gc_state == "yielded") {
    text += fmt::format("left alone: {}", shorten(report.gc_reason, line_width - 35));
  } else {
    text += "CPython's pace";
  }
  if (report.gc_disabled != 0) {
    text += "\nthe program has disabled them";
  }
  if (report.gc_by_program != 0) {
    text += fmt::format("\nfull ones by the program itself: {}", count_text(report.gc_by_program));
  }
  return text + '\n';
}

Table pauses_table(const Report& report) {
  Table table;
  table.add({"", "pauses", "by Tarn", "longest", "total", "objects freed"});
  const auto add = [&table](const char* name, const Report::Generation& generation) {
    table.add({name, count_text(generation.pauses), count_text(generation.started),
               duration_text(generation.longest), duration_text(generation.total),
               count_text(generation.collected)});
  };
  add("young", report.gc_young);
  add("middle", report.gc_middle);
  add("full", report.gc_full);
  return table;
}

std::string further_line(const Report& report) {
  const std::string name = name_of(report);
  if (!report.on) {
    const std::string start = fmt::format("tarn: {}: off: ", name);
    return start + shorten(report.reason, line_width - std::min(start.size(), line_width - 20)) +
           '\n';
  }
  if (!report.has_figures) {
    return fmt::format("tarn: {}: on, without figures\n", name);
  }
  return fmt::format("tarn: {}: arenas peak {} ({})\n", name, count_text(report.arenas_peak),
                     bytes_text(report.arenas_peak * report.arena_size));
}

std::string further_lines(const CollectedReports& reports, std::size_t first) {
  std::string text;
  std::size_t room = most_further_lines;
  std::size_t not_shown = reports.left_out;
  for (std::size_t index = first; index < reports.further.size(); ++index) {
    if (room == 0) {
      ++not_shown;
      continue;
    }
    --room;
    text += further_line(reports.further[index]);
  }
  for (const UnusableReport& unusable : reports.unusable) {
    if (room == 0) {
      ++not_shown;
      continue;
    }
    --room;
    text += fmt::format("tarn: process {}: its report can't be used: {}\n", unusable.pid,
                        unusable.problem);
  }
  if (not_shown > 0) {
    text += fmt::format("tarn: and {} more\n", count_text(not_shown));
  }
  return text;
}

}  // namespace

std::string report_text(const Report& report, const Style& style) {
  if (!report.on) {
    return fmt::format("tarn: {} was {} Tarn: {}\n", name_of(report), style.trouble("not on"),
                       report.reason);
  }
  if (!report.has_figures) {
    return fmt::format("tarn: {} was on Tarn, but ended where its heap could not be read\n",
                       name_of(report));
  }
  std::string text = header(report, style);

  Table arenas;
  arenas.add({"", "now", "peak", "mapped", "given back"});
  add_counts(arenas, "arenas",
             {report.arenas_now, report.arenas_peak, report.arenas_mapped, report.arenas_released},
             report.arena_size);
  if (report.medium_arena_size != 0) {
    add_counts(arenas, "medium",
               {report.medium_arenas_now, report.medium_arenas_peak, report.medium_arenas_mapped,
                report.medium_arenas_released},
               report.medium_arena_size);
  }
  add_lines(text, arenas, style);

  Table pools;
  pools.add({"", "used", "full", "empty", "untouched", "peak used or full"});
  add_counts(pools, "pools",
             {report.pools_used, report.pools_full, report.pools_empty, report.pools_untouched,
              report.pools_peak},
             report.pool_size);
  if (report.medium_arena_size != 0) {
    add_counts(pools, "medium",
               {report.medium_pools_used, report.medium_pools_full, report.medium_pools_empty,
                report.medium_pools_untouched, report.medium_pools_peak},
               report.medium_pool_size);
  }
  add_lines(text, pools, style);

  const BlockTotals totals = totals_of(report);
  Table blocks;
  blocks.add({"", "allocated", "free", "untouched"});
  blocks.add({"blocks", count_text(totals.allocated), count_text(totals.free),
              count_text(totals.untouched)});
  blocks.add({"", bytes_text(totals.allocated_bytes), bytes_text(totals.free_bytes),
              bytes_text(totals.untouched_bytes)});
  add_lines(text, blocks, style);

  add_lines(text, size_class_table(report), style);
  text += fmt::format("\nrequests over {} and first ones: {} ever, {} live now\n",
                      bytes_text(std::max(report.small_request_max, report.medium_request_max)),
                      count_text(report.large_requests), count_text(report.large_now));
  if (report.large_blocks + report.large_kept_bytes != 0) {
    text += fmt::format("Tarn's own: {} in {}, {} of them mappings; {} of freed ones kept\n",
                        count_text(report.large_blocks), bytes_text(report.large_bytes),
                        count_text(report.large_mappings), bytes_text(report.large_kept_bytes));
  }
  if (!report.gc.empty()) {
    text += '\n' + pacing_text(report);
    add_lines(text, pauses_table(report), style);
  }
  return text;
}

std::string outcome_text(const RunOutcome& outcome, const Style& style) {
  const CollectedReports& reports = outcome.reports;
  if (reports.own) {
    const std::string sites =
        outcome.sites ? '\n' + sites_text(*outcome.sites, SitesView(), style) : std::string();
    return report_text(*reports.own, style) + sites + further_lines(reports, 0);
  }
  const std::string name = shorten(escape(outcome.command.front()), name_width);
  std::string text = fmt::format("tarn: {} from {} (process {}): {}\n", style.trouble("no report"),
                                 name, outcome.pid, outcome.no_report);
  // Typically a shell script that starts a Python: then that is what was asked for.
  if (!reports.further.empty()) {
    return text + report_text(reports.further.front(), style) + further_lines(reports, 1);
  }
  return text + further_lines(reports, 0);
}

}  // namespace tarn::cli
