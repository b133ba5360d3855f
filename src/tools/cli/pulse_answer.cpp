#include "tools/cli/pulse_answer.h"

#include <fmt/format.h>

#include <charconv>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>

#include "tools/cli/report_reader.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

// So that sums and products of a few of them stay in range.
constexpr std::uint64_t most = std::uint64_t{1} << 48U;
constexpr std::size_t most_tiers = 2;
constexpr std::size_t most_groups = 1024;
constexpr std::size_t most_classes = 128;
constexpr const char* generation_names[] = {"young", "middle", "full"};

class Reader {
 public:
  explicit Reader(std::string_view body) : lines_(lines_of(body)) {}

  Pulse read() {
    if (lines_.empty() || lines_.front() != "tarn-pulse 1") {
      refuse("not 'tarn-pulse 1'");
    }
    for (at_ = 1; at_ + 1 < lines_.size(); ++at_) {
      const std::string_view line = lines_[at_];
      const std::size_t space = line.find(' ');
      const std::string_view key = line.substr(0, space);
      rest_ = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
      if (key == "tier") {
        read_tier();
      } else if (key == "arena") {
        read_group();
      } else if (key == "class") {
        read_class();
      } else if (key.starts_with("gc")) {
        read_collections(key);
      } else {
        read_fact(key);
      }
    }
    for (const char* const key : {"pid", "turn", "held", "allocated", "handed_out", "large_blocks",
                                  "large_bytes", "large_kept"}) {
      if (!facts_.contains(key)) {
        refuse(fmt::format("{} is missing", key));
      }
    }
    pulse_.pid = facts_["pid"];
    pulse_.turn = facts_["turn"];
    pulse_.held = facts_["held"];
    pulse_.allocated = facts_["allocated"];
    pulse_.handed_out = facts_["handed_out"];
    pulse_.large_blocks = facts_["large_blocks"];
    pulse_.large_bytes = facts_["large_bytes"];
    pulse_.large_kept = facts_["large_kept"];
    if (pulse_.tiers.empty()) {
      refuse("no tier of pools");
    }
    return std::move(pulse_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw BadAnswer(fmt::format("line {}: {}", at_ + 1, what));
  }

  std::uint64_t number(int base = 10, std::uint64_t limit = most) {
    if (base == 16) {
      if (!rest_.starts_with("0x")) {
        refuse("no address");
      }
      rest_.remove_prefix(2);
    }
    std::uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, base);
    if (error != std::errc() || value > limit) {
      refuse(
          fmt::format("no number, or too large: '{}'", shorten(escape(rest_.substr(0, 100)), 40)));
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    if (!rest_.empty()) {
      if (rest_.front() != ' ' || rest_.size() == 1) {
        refuse(fmt::format("'{}' behind a number", shorten(escape(rest_.substr(0, 100)), 40)));
      }
      rest_.remove_prefix(1);
    }
    return value;
  }
  void take(std::initializer_list<std::uint64_t*> values) {
    for (std::uint64_t* const value : values) {
      *value = number();
    }
    end_line();
  }
  void end_line() const {
    if (!rest_.empty()) {
      refuse("too many words");
    }
  }

  void read_fact(std::string_view key) {
    if (facts_.contains(key)) {
      refuse(fmt::format("'{}' twice", shorten(escape(key.substr(0, 100)), 40)));
    }
    const std::uint64_t value = number(10, UINT64_MAX);
    end_line();
    // What is handed out ever may be more than any memory holds; its differences are taken modulo 2^64.
    if (key != "handed_out" && value > most) {
      refuse("too large");
    }
    facts_.emplace(key, value);
  }

  Pulse::Tier& tier_of(std::uint64_t index) {
    if (index >= pulse_.tiers.size()) {
      refuse("of no tier");
    }
    return pulse_.tiers[index];
  }

  void read_tier() {
    if (number() != pulse_.tiers.size() || pulse_.tiers.size() == most_tiers) {
      refuse("tiers out of order");
    }
    Pulse::Tier tier;
    take({&tier.arena_size, &tier.pool_size, &tier.pools_per_arena, &tier.arenas, &tier.pools_taken,
          &tier.sampled_arenas, &tier.sampled_taken});
    if (tier.arena_size == 0 || tier.pool_size == 0 || tier.pools_per_arena == 0 ||
        tier.pools_per_arena > 65536 || tier.arenas > most / tier.arena_size ||
        tier.pools_taken > tier.arenas * tier.pools_per_arena ||
        tier.sampled_arenas > tier.arenas || tier.sampled_taken > tier.pools_taken) {
      refuse("its figures contradict each other");
    }
    pulse_.tiers.push_back(std::move(tier));
  }

  void read_group() {
    Pulse::Tier& tier = tier_of(number());
    Pulse::Group group;
    group.address = number(16, UINT64_MAX);
    take({&group.arenas, &group.pools_taken, &group.sampled, &group.live});
    if (group.arenas == 0 || group.arenas > tier.arenas ||
        group.pools_taken > group.arenas * tier.pools_per_arena || group.sampled > group.arenas ||
        group.live > group.sampled * tier.arena_size) {
      refuse("its figures contradict each other");
    }
    if (tier.groups.size() == most_groups) {
      refuse("too many arenas");
    }
    tier.groups.push_back(group);
  }

  void read_class() {
    Pulse::SizeClass size_class;
    take({&size_class.tier, &size_class.szidx, &size_class.block_size, &size_class.pools,
          &size_class.allocated, &size_class.free, &size_class.untouched});
    const Pulse::Tier& tier = tier_of(size_class.tier);
    const std::uint64_t bytes = size_class.pools * tier.pool_size;
    if (size_class.block_size == 0 || size_class.block_size > tier.pool_size ||
        size_class.pools > tier.sampled_taken || size_class.allocated > bytes ||
        size_class.free > bytes || size_class.untouched > bytes) {
      refuse("its figures contradict each other");
    }
    if (pulse_.classes.size() == most_classes) {
      refuse("too many size classes");
    }
    pulse_.classes.push_back(size_class);
  }

  // What isn't known here is passed over: a report has more of them.
  void read_collections(std::string_view key) {
    for (std::size_t i = 0; i < pulse_.generations.size(); ++i) {
      Pulse::Generation& generation = pulse_.generations[i];
      const std::string prefix = fmt::format("gc_{}_", generation_names[i]);
      if (!key.starts_with(prefix)) {
        continue;
      }
      const std::string_view fact = key.substr(prefix.size());
      if (fact == "pauses") {
        take({&generation.pauses});
      } else if (fact == "longest") {
        take({&generation.longest});
      } else if (fact == "total") {
        generation.total = number(10, UINT64_MAX >> 2U);
        end_line();
      } else if (fact == "collected") {
        take({&generation.collected});
      }
    }
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  std::string_view rest_;
  Pulse pulse_;
  std::map<std::string, std::uint64_t, std::less<>> facts_;
};

}  // namespace

Pulse read_pulse(std::string_view text) { return Reader(read_body(text)).read(); }

}  // namespace tarn::cli
