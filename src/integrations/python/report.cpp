#include "integrations/python/report.h"

#include <cstdint>
#include <cstdio>
#include <initializer_list>

#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/message.h"
#include "integrations/python/hook.h"
#include "integrations/python/pacer.h"
#include "integrations/python/sites.h"

namespace tarn::python {

namespace {

constexpr Domain python_domains[] = {Domain::mem, Domain::obj};
constexpr Domain all_domains[] = {Domain::raw, Domain::mem, Domain::obj};
constexpr const char* domain_names[] = {"raw", "mem", "obj"};

constinit Figures remembered = {};
constinit bool has_remembered = false;

void size_class(Lines& lines, const char* domain, std::size_t szidx,
                const SizeClassStatistics& of_class) noexcept {
  base::Message message;
  message.text("class ").text(domain).text(" ").number(szidx);
  for (const std::size_t value :
       {of_class.block_size, of_class.pools_used, of_class.pools_full, of_class.blocks_allocated,
        of_class.blocks_free, of_class.blocks_untouched}) {
    message.text(" ").number(value);
  }
  lines.add(message.text("\n"));
}

std::size_t pools_of(const SizeClassStatistics& of_class) noexcept {
  return of_class.pools_used + of_class.pools_full;
}

void add(TierStatistics& sum, const TierStatistics& other) noexcept {
  sum.arenas_now += other.arenas_now;
  sum.arenas_peak += other.arenas_peak;
  sum.arenas_mapped += other.arenas_mapped;
  sum.arenas_released += other.arenas_released;
  sum.pools_used += other.pools_used;
  sum.pools_full += other.pools_full;
  sum.pools_empty += other.pools_empty;
  sum.pools_untouched += other.pools_untouched;
  sum.pools_peak += other.pools_peak;
}

// What the raw domain's heap has, whose peaks may have been at another time.
void add_raw(HeapStatistics& sum) noexcept {
  HeapStatistics raw;
  hook.raw_heap->operations->collect_statistics(*hook.raw_heap, raw);
  sum.arenas_now += raw.arenas_now;
  sum.arenas_peak += raw.arenas_peak;
  sum.arenas_mapped += raw.arenas_mapped;
  sum.arenas_released += raw.arenas_released;
  sum.pools_used += raw.pools_used;
  sum.pools_full += raw.pools_full;
  sum.pools_empty += raw.pools_empty;
  sum.pools_untouched += raw.pools_untouched;
  sum.pools_peak += raw.pools_peak;
  add(sum.medium, raw.medium);
  sum.large_now += raw.large_now;
  sum.large_requests += raw.large_requests;
  sum.large.blocks += raw.large.blocks;
  sum.large.bytes += raw.large.bytes;
  sum.large.mappings += raw.large.mappings;
  sum.large.mapping_bytes += raw.large.mapping_bytes;
  sum.large.kept_bytes += raw.large.kept_bytes;
  sum.large.resized += raw.large.resized;
  constexpr auto domain = static_cast<std::size_t>(Domain::raw);
  for (std::size_t szidx = 0; szidx < raw.size_classes; ++szidx) {
    sum.classes[domain][szidx] = raw.classes[domain][szidx];
  }
}

void collect(HeapStatistics& statistics) noexcept {
  hook.heap->operations->collect_statistics(*hook.heap, statistics);
  if (hook.raw_heap != nullptr) {
    add_raw(statistics);
  }
}

void write_medium_tier(Lines& lines, const TierStatistics& medium) noexcept {
  lines.number("medium_arena_size", medium.arena_size);
  lines.number("medium_pool_size", medium.pool_size);
  lines.number("medium_request_max", medium.request_max);
  lines.number("medium_arenas_now", medium.arenas_now);
  lines.number("medium_arenas_peak", medium.arenas_peak);
  lines.number("medium_arenas_mapped", medium.arenas_mapped);
  lines.number("medium_arenas_released", medium.arenas_released);
  lines.number("medium_pools_used", medium.pools_used);
  lines.number("medium_pools_full", medium.pools_full);
  lines.number("medium_pools_empty", medium.pools_empty);
  lines.number("medium_pools_untouched", medium.pools_untouched);
  lines.number("medium_pools_peak", medium.pools_peak);
}

void write_heap(Lines& lines, const HeapStatistics& statistics) noexcept {
  lines.words("geometry", name_of(statistics.geometry));
  lines.number("arena_size", statistics.arena_size);
  lines.number("pool_size", statistics.pool_size);
  lines.number("alignment", statistics.alignment);
  lines.number("small_request_max", statistics.small_request_max);
  lines.words("address_map", statistics.address_map == AddressMap::range ? "range" : "page_map");
  lines.words("synchronisation",
              statistics.synchronisation == Synchronisation::locked ? "locked" : "caller");
  lines.words("checks", name_of(statistics.checks));
  lines.number("arenas_now", statistics.arenas_now);
  lines.number("arenas_peak", statistics.arenas_peak);
  lines.number("arenas_mapped", statistics.arenas_mapped);
  lines.number("arenas_released", statistics.arenas_released);
  lines.number("pools_used", statistics.pools_used);
  lines.number("pools_full", statistics.pools_full);
  lines.number("pools_empty", statistics.pools_empty);
  lines.number("pools_untouched", statistics.pools_untouched);
  lines.number("pools_peak", statistics.pools_peak);
  if (statistics.medium.arena_size != 0) {
    write_medium_tier(lines, statistics.medium);
  }
  lines.number("large_now", statistics.large_now);
  lines.number("large_requests", statistics.large_requests);
  lines.number("large_blocks", statistics.large.blocks);
  lines.number("large_bytes", statistics.large.bytes);
  lines.number("large_mappings", statistics.large.mappings);
  lines.number("large_kept_bytes", statistics.large.kept_bytes);
  lines.number("large_resized", statistics.large.resized);
  for (const Domain domain : all_domains) {
    const auto index = static_cast<std::size_t>(domain);
    for (std::size_t szidx = 0; szidx < statistics.size_classes; ++szidx) {
      const SizeClassStatistics& of_class = statistics.classes[index][szidx];
      if (pools_of(of_class) != 0) {
        size_class(lines, domain_names[index], szidx, of_class);
      }
    }
  }
}

void write_residency(Lines& lines, const Figures& figures, Ranges ranges) noexcept {
  const heap::Residency& residency = figures.residency;
  lines.number("resident_pools", residency.pools);
  lines.number("resident_live_raw", residency.live[static_cast<std::size_t>(Domain::raw)]);
  lines.number("resident_live_mem", residency.live[static_cast<std::size_t>(Domain::mem)]);
  lines.number("resident_live_obj", residency.live[static_cast<std::size_t>(Domain::obj)]);
  lines.number("resident_free", residency.free);
  lines.number("resident_untouched", residency.untouched);
  lines.number("resident_empty", residency.empty);
  lines.number("resident_large", residency.large);
  lines.number("resident_large_kept", residency.large_kept);
  lines.number("resident_descriptors", residency.descriptors);
  lines.number("resident_live_pages", residency.live_pages);
  if (figures.resident != 0) {
    lines.number("resident", figures.resident);
    lines.number("page_floor", figures.resident - (residency.pools - residency.live_pages) -
                                   residency.large_kept);
  }
  if (ranges == Ranges::shown) {
    for (std::size_t i = 0; i < residency.range_count; ++i) {
      const heap::Residency::Range& range = residency.ranges[i];
      lines.add(base::Message()
                    .text("range ")
                    .address(range.start)
                    .text(" ")
                    .number(range.size)
                    .text("\n"));
    }
    lines.number("ranges_left_out", residency.ranges_left_out);
  }
}

// The name of the program as it was started, for people; null when the system doesn't tell.
const char* program_name() noexcept {
  const char* const path = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  return path == nullptr || *path == '\0' ? nullptr : path;
}

// "3.11.2" of "3.11.2 (main, …)".
void version_number(char (&text)[16]) noexcept {
  const char* const version = Py_GetVersion();
  std::size_t i = 0;
  for (; i < sizeof(text) - 1 && version[i] != '\0' && version[i] != ' '; ++i) {
    text[i] = version[i];
  }
  text[i] = '\0';
}

}  // namespace

std::size_t allocated_blocks() noexcept {
  HeapStatistics statistics;
  collect(statistics);
  std::size_t blocks = 0;
  for (const Domain domain : python_domains) {
    for (const SizeClassStatistics& of_class :
         statistics.classes[static_cast<std::size_t>(domain)]) {
      blocks += of_class.blocks_allocated;
    }
  }
  return blocks + statistics.large.blocks;
}

void write_statistics(int descriptor) noexcept {
  HeapStatistics statistics;
  collect(statistics);
  base::Message head;
  // pymalloc's first line, which tools look for.
  head.text("Small block threshold = ").number(statistics.small_request_max).text(", in ");
  head.number(statistics.size_classes).text(" size classes.\n\n");
  head.text("Tarn: ").number(statistics.arenas_now).text(" arenas of ");
  head.number(statistics.arena_size).text(" bytes (peak ").number(statistics.arenas_peak);
  head.text(", taken from the system ").number(statistics.arenas_mapped).text(", given back ");
  head.number(statistics.arenas_released).text(")\nTarn: pools of ").number(statistics.pool_size);
  head.text(" bytes: ").number(statistics.pools_used).text(" used, ").number(statistics.pools_full);
  head.text(" full, ").number(statistics.pools_empty).text(" empty, ");
  head.number(statistics.pools_untouched).text(" untouched\n");
  if (const TierStatistics& medium = statistics.medium; medium.arena_size != 0) {
    head.text("Tarn: requests up to ").number(medium.request_max).text(" bytes from ");
    head.number(medium.arenas_now).text(" arenas of ").number(medium.arena_size);
    head.text(" bytes, pools of ").number(medium.pool_size).text(": ");
    head.number(medium.pools_used).text(" used, ").number(medium.pools_full).text(" full, ");
    head.number(medium.pools_empty).text(" empty, ");
    head.number(medium.pools_untouched).text(" untouched\n");
  }
  if (const LargeStatistics& large = statistics.large; large.blocks + large.kept_bytes != 0) {
    head.text("Tarn: larger requests: ").number(large.blocks).text(" blocks of ");
    head.number(large.bytes).text(" bytes, ").number(large.mappings);
    head.text(" of them mappings of their own; ").number(large.kept_bytes);
    head.text(" bytes of freed ones kept\n");
  }
  head.text("\n");
  head.text("class  domain  size   pools  allocated       free  untouched\n");
  head.text("-----  ------  ----   -----  ---------       ----  ---------\n");
  head.write_to(descriptor);
  for (const Domain domain : all_domains) {
    const auto index = static_cast<std::size_t>(domain);
    for (std::size_t szidx = 0; szidx < statistics.size_classes; ++szidx) {
      const SizeClassStatistics& of_class = statistics.classes[index][szidx];
      if (pools_of(of_class) == 0) {
        continue;
      }
      char line[128];
      std::snprintf(line, sizeof(line), "%5zu  %6s %5zu %7zu %10zu %10zu %10zu\n", szidx,
                    domain_names[index], of_class.block_size, pools_of(of_class),
                    of_class.blocks_allocated, of_class.blocks_free, of_class.blocks_untouched);
      base::Message().text(line).write_to(descriptor);
    }
  }
  base::Message().text("\n").write_to(descriptor);
}

void collect_figures(Figures& figures) noexcept {
  collect(figures.statistics);
  hook.heap->operations->collect_residency(*hook.heap, figures.residency);
  if (hook.raw_heap != nullptr) {
    static constinit heap::Residency of_raw = {};
    hook.raw_heap->operations->collect_residency(*hook.raw_heap, of_raw);
    figures.residency.add(of_raw);
  }
  figures.resident = 0;
}

void remember_statistics() noexcept {
  collect_figures(remembered);
  remembered.resident = os::resident_bytes_of_process();
  has_remembered = true;
}

void forget_statistics() noexcept { has_remembered = false; }

void write_identity(Lines& lines) noexcept {
  lines.number("pid", static_cast<std::uint64_t>(::getpid()));
  lines.number("parent", static_cast<std::uint64_t>(::getppid()));
  if (const char* const program = program_name()) {
    lines.escaped("program", program);
  }
  char version[16];
  version_number(version);
  lines.escaped("python", version);
}

void write_report_lines(Lines& lines, const Figures* figures, Ranges ranges) noexcept {
  lines.number("tarn-report", 1);
  write_identity(lines);
  if (hook.state == State::off) {
    lines.words("state", "off");
    lines.words("reason", hook.reason);
  } else {
    lines.words("state", "on");
  }
  if (figures != nullptr) {
    write_heap(lines, figures->statistics);
    write_residency(lines, *figures, ranges);
    write_pacing_lines(lines);
  }
  lines.end();
}

void write_report() noexcept {
  if (hook.settings.report_folder[0] == '\0' || hook.state == State::absent) {
    return;
  }
  char path[4096];
  const int length = std::snprintf(path, sizeof(path), "%s/%ld", hook.settings.report_folder,
                                   static_cast<long>(::getpid()));
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof(path)) {
    return;
  }
  const int file = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) {
    return;
  }
  const bool has_heap = hook.heap != nullptr && hook.state != State::off;
  // exit() called in the middle of a running interpreter: another thread may be in the heap.
  if (has_heap && !has_remembered && (Py_IsInitialized() == 0 || PyGILState_Check() != 0)) {
    remember_statistics();
    write_sites_report();
  }
  static constinit char bytes[most_report_bytes] = {};
  Lines lines(bytes, sizeof(bytes));
  write_report_lines(lines, has_heap && has_remembered ? &remembered : nullptr, Ranges::hidden);
  lines.write_to(file);
  ::close(file);
}

}  // namespace tarn::python
