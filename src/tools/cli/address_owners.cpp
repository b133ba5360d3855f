#include "tools/cli/address_owners.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "sight/clean_text.h"

namespace tarn::cli {
namespace {

// A stretch of Tarn's.
struct Stretch {
  std::uint64_t end = 0;
  std::uint64_t resident = 0;
  const char* owner = "";
};

// Arenas and large blocks, those that touch as one; by their starts.
std::map<std::uint64_t, Stretch> stretches_of(const sight::Capture& capture) {
  std::map<std::uint64_t, Stretch> stretches;
  for (const sight::Arena& arena : capture.arenas) {
    stretches[arena.address] = {arena.address + arena.size, arena.resident, "arenas"};
  }
  for (const sight::LargeRecord& large : capture.large) {
    stretches[large.address] = {large.address + large.size, large.resident, "large"};
  }
  for (auto at = stretches.begin(); at != stretches.end();) {
    const auto next = std::next(at);
    if (next != stretches.end() && next->first <= at->second.end &&
        std::string_view(next->second.owner) == at->second.owner) {
      at->second.end = std::max(at->second.end, next->second.end);
      at->second.resident += next->second.resident;
      stretches.erase(next);
    } else {
      at = next;
    }
  }
  return stretches;
}

bool is_tarns(const Report& report, std::uint64_t start, std::uint64_t end) {
  return std::ranges::any_of(report.ranges, [&](const AddressRange& range) {
    return start < range.start + range.size && range.start < end;
  });
}

const char* owner_of(const Mapping& mapping, const std::vector<std::uint64_t>& stack_pointers) {
  const std::string_view name = mapping.name;
  if (name.starts_with("/")) {
    return "file";
  }
  if (name == "[heap]") {
    return "heap";
  }
  if (name.starts_with("[stack") || std::ranges::any_of(stack_pointers, [&](std::uint64_t pointer) {
        return mapping.start <= pointer && pointer < mapping.end;
      })) {
    return "stack";
  }
  if (mapping.permissions.starts_with("---")) {
    return "reserved";
  }
  return name.empty() || name.starts_with("[anon") ? "anonymous" : "kernel";
}

}  // namespace

std::vector<sight::MappingRow> find_owners(const std::vector<Mapping>& mappings,
                                           const sight::Capture& capture, const Report& report,
                                           const std::vector<std::uint64_t>& stack_pointers) {
  const std::map<std::uint64_t, Stretch> stretches = stretches_of(capture);
  std::vector<sight::MappingRow> rows;
  std::uint64_t behind = 0;
  for (const Mapping& mapping : mappings) {
    if (mapping.start < behind || mapping.start >= mapping.end) {
      continue;  // nobody's: the kernel has them in order
    }
    behind = mapping.end;
    const std::size_t first = rows.size();
    std::uint64_t left = mapping.resident;
    const auto add = [&](std::uint64_t start, std::uint64_t end, const char* owner,
                         std::uint64_t resident) {
      if (start < end) {
        resident = std::min({resident, left, end - start});
        left -= resident;
        rows.push_back({start, end - start, resident, sight::clean_text(mapping.permissions), owner,
                        sight::clean_text(mapping.name)});
      }
    };
    const bool is_file = mapping.name.starts_with("/");
    const auto rest = [&](std::uint64_t start, std::uint64_t end) {
      const bool is_ours = !is_file && is_tarns(report, start, end);
      add(start, end, is_ours ? "descriptors" : owner_of(mapping, stack_pointers), 0);
    };
    std::uint64_t at = mapping.start;
    auto stretch = stretches.upper_bound(at);
    if (stretch != stretches.begin() && std::prev(stretch)->second.end > at) {
      --stretch;
    }
    for (; !is_file && stretch != stretches.end() && stretch->first < mapping.end; ++stretch) {
      const std::uint64_t start = std::max(stretch->first, at);
      const std::uint64_t end = std::min(stretch->second.end, mapping.end);
      if (start >= end) {
        continue;
      }
      rest(at, start);
      add(start, end, stretch->second.owner, stretch->second.resident);
      at = end;
    }
    rest(at, mapping.end);
    // What is resident besides lies in the rest, as far as that is large enough.
    for (const bool is_rest : {true, false}) {
      for (std::size_t i = first; i < rows.size() && left != 0; ++i) {
        const bool is_of_rest = rows[i].owner != "arenas" && rows[i].owner != "large";
        if (is_of_rest == is_rest) {
          const std::uint64_t more = std::min(left, rows[i].size - rows[i].resident);
          rows[i].resident += more;
          left -= more;
        }
      }
    }
  }
  return rows;
}

}  // namespace tarn::cli
