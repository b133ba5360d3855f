#include "sight/reading/comparison.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "sight/reading/groups.h"
#include "sight/reading/holding.h"
#include "sight/reading/places.h"
#include "sight/reading/why.h"

namespace tarn::sight::reading {
namespace {

std::string class_name(const Block& block) {
  return block.place == Place::large ? "over 32 KiB" : std::to_string(block.size);
}

std::string line_text(const FrameRow& frame) {
  return frame.file + ':' + std::to_string(frame.line) + " in " + frame.function;
}

std::string place_name(const HeapImage& image, const AllocationPlace& place) {
  if (place.frame == no_index) {
    return place.has_no_room ? "(not known: too many places)" : "(no Python stack)";
  }
  std::string name = line_text(image.frames[place.frame]);
  if (place.own != no_index) {
    name += ", for " + line_text(image.frames[place.own]);
  }
  return name;
}

struct Estimate {
  double objects = 0;
  double bytes = 0;
};

void sum_up_blocks(const HeapImage& image, Summary& summary) {
  std::vector<Amount> types(image.types.size() + 1);
  std::vector<Estimate> places(image.places.size());
  for (std::uint32_t i = 0; i < image.blocks.size(); ++i) {
    const Block& block = image.blocks[i];
    if (block.place == Place::outside) {
      continue;
    }
    const std::uint64_t one = block.content == Content::part ? 0 : 1;
    Amount& type = types[std::min<std::size_t>(block.type, image.types.size())];
    type.objects += one;
    type.bytes += block.size;
    if (block.site != no_index) {
      const double weight = weight_of(image, i);
      Estimate& place = places[image.sites[block.site].place];
      place.objects += weight * static_cast<double>(one);
      place.bytes += weight * static_cast<double>(block.size);
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
  const auto rounded = [](double value) {
    constexpr double most = 0x1p62;  // a file may say anything
    return static_cast<std::uint64_t>(std::llround(std::min(value, most)));
  };
  for (std::size_t i = 0; i < places.size(); ++i) {
    name(summary.sites, place_name(image, image.places[i]),
         {rounded(places[i].objects), rounded(places[i].bytes)});
  }
}

void sum_up_pins(HeapImage& image, Summary& summary) {
  const Holding holding(image);
  const Groups groups = make_groups(image, holding, GroupBy::holder);
  for (const Speaker& speaker : speaking_groups(groups)) {
    const Group& known_by = groups.groups[speaker.spokesman];
    Amount& pin = summary.pins[type_name(image, known_by.label) + ", held by " +
                               root_text(image, groups.tops[known_by.top])];
    pin.objects += known_by.objects;
    pin.bytes += groups.groups[speaker.group].returns;
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
  summary.sites_rate = image.sites_rate;
  sum_up_blocks(image, summary);
  sum_up_pins(image, summary);
  return summary;
}

Comparison compare(const Summary& before, const Summary& after) {
  const bool have_sites = before.sites_rate != 0 && after.sites_rate != 0;
  return {ledger_changes(before, after), changes(before.types, after.types),
          have_sites ? changes(before.sites, after.sites) : std::vector<Change>(),
          changes(before.classes, after.classes), changes(before.pins, after.pins)};
}

}  // namespace tarn::sight::reading
