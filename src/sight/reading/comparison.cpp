#include "sight/reading/comparison.h"

#include <algorithm>
#include <set>

#include "sight/reading/groups.h"
#include "sight/reading/holding.h"
#include "sight/reading/why.h"

namespace tarn::sight::reading {
namespace {

std::string class_name(const Block& block) {
  return block.place == Place::large ? "over 32 KiB" : std::to_string(block.size);
}

std::string site_name(const HeapImage& image, std::uint32_t site) {
  const std::vector<std::uint32_t>& frames = image.sites[site];
  if (frames.empty()) {
    return "an unknown place";
  }
  const FrameRow& frame = image.frames[frames.front()];
  return frame.function + " (" + frame.file + ':' + std::to_string(frame.line) + ')';
}

void sum_up_blocks(const HeapImage& image, Summary& summary) {
  std::vector<Amount> types(image.types.size() + 1);
  std::vector<Amount> sites(image.sites.size());
  for (const Block& block : image.blocks) {
    if (block.place == Place::outside) {
      continue;
    }
    const std::uint64_t one = block.content == Content::part ? 0 : 1;
    Amount& type = types[std::min<std::size_t>(block.type, image.types.size())];
    type.objects += one;
    type.bytes += block.size;
    if (block.site != no_index) {
      sites[block.site].objects += one;
      sites[block.site].bytes += block.size;
    }
    Amount& size_class = summary.classes[class_name(block)];
    ++size_class.objects;
    size_class.bytes += block.size;
  }
  const auto name = [](std::map<std::string, Amount>& into, std::string key, const Amount& amount) {
    if (amount.bytes != 0) {
      Amount& here = into[std::move(key)];
      here.objects += amount.objects;
      here.bytes += amount.bytes;
    }
  };
  for (std::uint32_t type = 0; type < types.size(); ++type) {
    name(summary.types, type_name(image, type), types[type]);
  }
  for (std::uint32_t site = 0; site < sites.size(); ++site) {
    name(summary.sites, site_name(image, site), sites[site]);
  }
}

void sum_up_pins(HeapImage& image, Summary& summary) {
  const Holding holding(image);
  const Groups groups = make_groups(image, holding, GroupBy::holder);
  for (const std::uint32_t speaker : speaking_groups(groups)) {
    const Group& group = groups.groups[speaker];
    Amount& pin = summary.pins[type_name(image, group.label) + ", held by " +
                               root_text(image, groups.tops[group.top])];
    pin.objects += group.objects;
    pin.bytes += group.returns;
  }
}

std::vector<Change> changes(const std::map<std::string, Amount>& before,
                            const std::map<std::string, Amount>& after) {
  std::vector<Change> all;
  const auto amount = [](const std::map<std::string, Amount>& in, const std::string& name) {
    const auto found = in.find(name);
    return found == in.end() ? Amount() : found->second;
  };
  all.reserve(before.size() + after.size());
  for (const auto& [name, now] : after) {
    all.push_back({name, amount(before, name), now});
  }
  for (const auto& [name, then] : before) {
    if (!after.contains(name)) {
      all.push_back({name, then, {}});
    }
  }
  std::erase_if(all,
                [](const Change& change) { return change.bytes() == 0 && change.objects() == 0; });
  std::ranges::stable_sort(all, std::greater(), &Change::bytes);
  return all;
}

std::vector<Change> ledger_changes(const Summary& before, const Summary& after) {
  std::vector<Change> lines;
  const auto bytes_of = [](const Summary& side, const std::string& key) {
    const auto line = std::ranges::find(side.ledger, key, &LedgerRow::key);
    return line == side.ledger.end() || line->bytes < 0 ? 0
                                                        : static_cast<std::uint64_t>(line->bytes);
  };
  std::set<std::string> seen;
  for (const Summary* side : {&after, &before}) {
    for (const LedgerRow& line : side->ledger) {
      if (seen.insert(line.key).second) {
        lines.push_back(
            {line.name, {0, bytes_of(before, line.key)}, {0, bytes_of(after, line.key)}});
      }
    }
  }
  return lines;
}

}  // namespace

Summary sum_up(HeapImage& image) {
  Summary summary;
  summary.facts = image.facts;
  summary.ledger = image.ledger;
  sum_up_blocks(image, summary);
  sum_up_pins(image, summary);
  return summary;
}

Comparison compare(const Summary& before, const Summary& after) {
  return {ledger_changes(before, after), changes(before.types, after.types),
          changes(before.sites, after.sites), changes(before.classes, after.classes),
          changes(before.pins, after.pins)};
}

}  // namespace tarn::sight::reading
