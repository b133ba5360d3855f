#include "tools/cli/report_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <span>
#include <tuple>

#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

constexpr std::string_view first_line = "tarn-report 1";
constexpr std::string_view last_line = "end";
constexpr std::size_t most_classes_per_domain = 64;
constexpr std::size_t most_ranges = 1024;

// Which reports have to have a fact. Figures are there together or not at all.
enum class Needed { always, when_on, with_figures, with_residency, with_gc, never };

struct NumberFact {
  std::string_view key;
  std::uint64_t Report::*member;
  Needed needed;
};
constexpr NumberFact number_facts[] = {
    {"pid", &Report::pid, Needed::always},
    {"parent", &Report::parent, Needed::never},
    {"arena_size", &Report::arena_size, Needed::with_figures},
    {"pool_size", &Report::pool_size, Needed::with_figures},
    {"alignment", &Report::alignment, Needed::with_figures},
    {"small_request_max", &Report::small_request_max, Needed::with_figures},
    {"arenas_now", &Report::arenas_now, Needed::with_figures},
    {"arenas_peak", &Report::arenas_peak, Needed::with_figures},
    {"arenas_mapped", &Report::arenas_mapped, Needed::with_figures},
    {"arenas_released", &Report::arenas_released, Needed::with_figures},
    {"pools_used", &Report::pools_used, Needed::with_figures},
    {"pools_full", &Report::pools_full, Needed::with_figures},
    {"pools_empty", &Report::pools_empty, Needed::with_figures},
    {"pools_untouched", &Report::pools_untouched, Needed::with_figures},
    {"pools_peak", &Report::pools_peak, Needed::with_figures},
    {"medium_arena_size", &Report::medium_arena_size, Needed::never},
    {"medium_pool_size", &Report::medium_pool_size, Needed::never},
    {"medium_request_max", &Report::medium_request_max, Needed::never},
    {"medium_arenas_now", &Report::medium_arenas_now, Needed::never},
    {"medium_arenas_peak", &Report::medium_arenas_peak, Needed::never},
    {"medium_arenas_mapped", &Report::medium_arenas_mapped, Needed::never},
    {"medium_arenas_released", &Report::medium_arenas_released, Needed::never},
    {"medium_pools_used", &Report::medium_pools_used, Needed::never},
    {"medium_pools_full", &Report::medium_pools_full, Needed::never},
    {"medium_pools_empty", &Report::medium_pools_empty, Needed::never},
    {"medium_pools_untouched", &Report::medium_pools_untouched, Needed::never},
    {"medium_pools_peak", &Report::medium_pools_peak, Needed::never},
    {"large_now", &Report::large_now, Needed::with_figures},
    {"large_requests", &Report::large_requests, Needed::with_figures},
    {"large_blocks", &Report::large_blocks, Needed::never},
    {"large_bytes", &Report::large_bytes, Needed::never},
    {"large_mappings", &Report::large_mappings, Needed::never},
    {"large_kept_bytes", &Report::large_kept_bytes, Needed::never},
    {"large_resized", &Report::large_resized, Needed::never},
    {"resident_pools", &Report::resident_pools, Needed::with_residency},
    {"resident_live_raw", &Report::resident_live_raw, Needed::with_residency},
    {"resident_live_mem", &Report::resident_live_mem, Needed::with_residency},
    {"resident_live_obj", &Report::resident_live_obj, Needed::with_residency},
    {"resident_free", &Report::resident_free, Needed::with_residency},
    {"resident_untouched", &Report::resident_untouched, Needed::with_residency},
    {"resident_empty", &Report::resident_empty, Needed::with_residency},
    {"resident_live_pages", &Report::resident_live_pages, Needed::with_residency},
    {"resident_large", &Report::resident_large, Needed::never},
    {"resident_large_kept", &Report::resident_large_kept, Needed::never},
    {"resident_descriptors", &Report::resident_descriptors, Needed::with_residency},
    {"resident", &Report::resident, Needed::never},
    {"page_floor", &Report::page_floor, Needed::never},
    {"gc_threshold_young", &Report::gc_threshold_young, Needed::never},
    {"gc_threshold_middle", &Report::gc_threshold_middle, Needed::never},
    {"gc_allowance", &Report::gc_allowance, Needed::never},
    {"gc_disabled", &Report::gc_disabled, Needed::never},
    {"gc_by_program", &Report::gc_by_program, Needed::with_gc},
};

// "gc_young_pauses" and the like.
struct GenerationName {
  std::string_view key;
  Report::Generation Report::*member;
};
constexpr GenerationName generation_names[] = {{"gc_young_", &Report::gc_young},
                                               {"gc_middle_", &Report::gc_middle},
                                               {"gc_full_", &Report::gc_full}};
struct GenerationFact {
  std::string_view key;
  std::uint64_t Report::Generation::*member;
};
constexpr GenerationFact generation_facts[] = {{"pauses", &Report::Generation::pauses},
                                               {"started", &Report::Generation::started},
                                               {"longest", &Report::Generation::longest},
                                               {"total", &Report::Generation::total},
                                               {"collected", &Report::Generation::collected}};

struct WordFact {
  std::string_view key;
  std::string Report::*member;
  Needed needed;
  std::array<std::string_view, 3> allowed;  // all empty: any word
};
constexpr WordFact word_facts[] = {
    {"program", &Report::program, Needed::never, {}},
    {"python", &Report::python, Needed::when_on, {}},
    {"geometry", &Report::geometry, Needed::with_figures, {"tarn", "classic", "modern"}},
    {"address_map", &Report::address_map, Needed::with_figures, {"range", "page_map"}},
    {"synchronisation", &Report::synchronisation, Needed::with_figures, {"caller", "locked"}},
    {"checks", &Report::checks, Needed::with_figures, {"none", "debug"}},
    {"gc", &Report::gc, Needed::with_gc, {"adaptive", "stock"}},
    {"gc_state", &Report::gc_state, Needed::with_gc, {"stock", "pacing", "yielded"}},
};

constexpr std::array<std::string_view, 3> domains = {"raw", "mem", "obj"};

// In messages a value is shown, but no more of it than tells which it is.
std::string shown(std::string_view value) { return shorten(escape(value.substr(0, 200)), 40); }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Report read() {
    if (text_.size() > report_size_limit) {
      throw BadReport(fmt::format("longer than {}", bytes_text(report_size_limit)));
    }
    const std::vector<std::string_view> lines = lines_of(text_);
    check_frame(lines);
    for (line_ = 2; line_ < lines.size(); ++line_) {
      take(lines[line_ - 1]);
    }
    line_ = 0;
    check_all_there();
    check_amounts();
    return std::move(report_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw BadReport(line_ == 0 ? what : fmt::format("line {}: {}", line_, what));
  }

  void check_frame(const std::vector<std::string_view>& lines) {
    line_ = 1;
    const std::string_view first = lines.empty() ? std::string_view() : lines.front();
    if (lines.size() == 1 && first_line.starts_with(first) && !text_.ends_with('\n')) {
      throw IncompleteReport();
    }
    if (first != first_line) {
      if (lines.empty()) {
        throw IncompleteReport();
      }
      refuse(fmt::format("not '{}' but '{}'", first_line, shown(first)));
    }
    const auto end = std::ranges::find(lines, last_line);
    if (end == lines.end()) {
      throw IncompleteReport();
    }
    if (end + 1 != lines.end()) {
      line_ = static_cast<std::size_t>(end - lines.begin()) + 2;
      refuse("something stands behind 'end'");
    }
  }

  void take(std::string_view line) {
    if (line.size() > report_line_limit) {
      refuse(fmt::format("longer than {} bytes", report_line_limit));
    }
    if (std::ranges::any_of(line, [](char c) { return c < 0x20 || c > 0x7e; })) {
      refuse("a byte that isn't printable");
    }
    const std::size_t space = line.find(' ');
    const std::string_view key = line.substr(0, space);
    if (space == std::string_view::npos || space + 1 == line.size()) {
      refuse(fmt::format("'{}' has no value", shown(key)));
    }
    const std::string_view value = line.substr(space + 1);
    if (key == "class") {
      take_class(value);
      return;
    }
    if (key == "range") {
      take_range(value);
      return;
    }
    if (!keys_.insert(key).second) {
      refuse(fmt::format("{} occurs twice", shown(key)));
    }
    if (key == "state") {
      report_.on = word(key, value, std::array<std::string_view, 2>{"on", "off"}) == "on";
    } else if (key == "reason") {
      report_.reason = value;
    } else if (key == "gc_reason") {
      report_.gc_reason = value;
    } else if (const auto* number_fact = find(number_facts, key)) {
      report_.*number_fact->member = number(key, value);
    } else if (const auto* word_fact = find(word_facts, key)) {
      report_.*word_fact->member = word(key, value, word_fact->allowed);
    } else {
      take_generation(key, value);
    }
  }

  void take_generation(std::string_view key, std::string_view value) {
    for (const GenerationName& name : generation_names) {
      if (!key.starts_with(name.key)) {
        continue;
      }
      if (const auto* fact = find(generation_facts, key.substr(name.key.size()))) {
        report_.*name.member.*fact->member = number(key, value);
      }
    }
  }

  template <typename Fact, std::size_t size>
  static const Fact* find(const Fact (&facts)[size], std::string_view key) {
    const auto* found = std::ranges::find(facts, key, &Fact::key);
    return found == std::end(facts) ? nullptr : found;
  }

  std::uint64_t number(std::string_view key, std::string_view value) const {
    std::uint64_t result = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (end != value.data() + value.size() || error == std::errc::invalid_argument) {
      refuse(fmt::format("{}: '{}' is not a number", key, shown(value)));
    }
    if (error != std::errc() || result > report_count_limit) {
      refuse(fmt::format("{}: {} is too large", key, shown(value)));
    }
    return result;
  }

  std::string word(std::string_view key, std::string_view value,
                   std::span<const std::string_view> allowed) const {
    if (value.find(' ') != std::string_view::npos) {
      refuse(fmt::format("{}: '{}' is more than one word", key, shown(value)));
    }
    if (!allowed.empty() && !allowed.front().empty() &&
        std::ranges::find(allowed, value) == allowed.end()) {
      refuse(fmt::format("{}: '{}' is unknown", key, shown(value)));
    }
    return std::string(value);
  }

  void take_class(std::string_view value) {
    std::vector<std::string_view> words;
    for (std::string_view rest = value;;) {
      const std::size_t space = rest.find(' ');
      words.push_back(rest.substr(0, space));
      if (space == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(space + 1);
    }
    if (words.size() != 8) {
      refuse(fmt::format("class: {} values instead of 8", words.size()));
    }
    SizeClassReport size_class;
    size_class.domain = word("class", words[0], domains);
    size_class.szidx = number("class", words[1]);
    size_class.block_size = number("class", words[2]);
    size_class.pools_used = number("class", words[3]);
    size_class.pools_full = number("class", words[4]);
    size_class.blocks_allocated = number("class", words[5]);
    size_class.blocks_free = number("class", words[6]);
    size_class.blocks_untouched = number("class", words[7]);
    if (size_class.szidx >= most_classes_per_domain) {
      refuse(fmt::format("class: szidx {} is too large", size_class.szidx));
    }
    if (!classes_.insert({size_class.domain, size_class.szidx}).second) {
      refuse(fmt::format("class {} {} occurs twice", size_class.domain, size_class.szidx));
    }
    report_.classes.push_back(std::move(size_class));
  }

  // "0x7ed32d000000 117440512"
  void take_range(std::string_view value) {
    const std::size_t space = value.find(' ');
    if (!value.starts_with("0x") || space == std::string_view::npos) {
      refuse("range: not an address and a size");
    }
    AddressRange range;
    const char* const last = value.data() + space;
    const auto [end, error] = std::from_chars(value.data() + 2, last, range.start, 16);
    if (end != last || error != std::errc()) {
      refuse(fmt::format("range: '{}' is not an address", shown(value.substr(0, space))));
    }
    range.size = number("range", value.substr(space + 1));
    if (report_.ranges.size() == most_ranges) {
      refuse(fmt::format("range: more than {} of them", most_ranges));
    }
    if (range.start > ~range.size) {
      refuse("range: it reaches over the end of all addresses");
    }
    report_.ranges.push_back(range);
  }

  void check_all_there() {
    need("state");
    if (!report_.on) {
      need("reason");
    }
    report_.has_figures = report_.on && (keys_.contains("arena_size") || !report_.classes.empty());
    report_.has_residency = report_.has_figures && keys_.contains("resident_pools");
    has_gc_ = report_.has_figures && keys_.contains("gc");
    need_those_of(number_facts);
    need_those_of(word_facts);
  }

  void need(std::string_view key) const {
    if (!keys_.contains(key)) {
      refuse(fmt::format("{} is missing", key));
    }
  }

  template <typename Facts>
  void need_those_of(const Facts& facts) const {
    for (const auto& fact : facts) {
      if (fact.needed == Needed::always || (fact.needed == Needed::when_on && report_.on) ||
          (fact.needed == Needed::with_figures && report_.has_figures) ||
          (fact.needed == Needed::with_residency && report_.has_residency) ||
          (fact.needed == Needed::with_gc && has_gc_)) {
        need(fact.key);
      }
    }
  }

  void check_product(std::string_view key, std::uint64_t count, std::uint64_t size) const {
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > report_bytes_limit) {
      refuse(fmt::format("{}: {} times {} bytes is more than a machine has", key, count, size));
    }
  }

  void check_amounts() const {
    for (const NumberFact& fact : number_facts) {
      if (fact.key.starts_with("arenas_")) {
        check_product(fact.key, report_.*fact.member, report_.arena_size);
      } else if (fact.key.starts_with("pools_")) {
        check_product(fact.key, report_.*fact.member, report_.pool_size);
      } else if (fact.key.starts_with("medium_arenas_")) {
        check_product(fact.key, report_.*fact.member, report_.medium_arena_size);
      } else if (fact.key.starts_with("medium_pools_")) {
        check_product(fact.key, report_.*fact.member, report_.medium_pool_size);
      }
    }
    if (report_.resident_live_pages > report_.resident_pools) {
      refuse("resident_live_pages: more than resident_pools");
    }
    for (const SizeClassReport& size_class : report_.classes) {
      for (const std::uint64_t blocks :
           {size_class.blocks_allocated, size_class.blocks_free, size_class.blocks_untouched}) {
        check_product("class", blocks, size_class.block_size);
      }
    }
  }

  std::string_view text_;
  std::size_t line_ = 0;  // 1 is the first; 0 when the report as a whole is meant
  Report report_;
  bool has_gc_ = false;
  std::set<std::string_view> keys_;
  std::set<std::pair<std::string, std::uint64_t>> classes_;
};

}  // namespace

Report read_report(std::string_view text) { return Reader(text).read(); }

}  // namespace tarn::cli
