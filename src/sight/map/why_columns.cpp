#include "sight/map/why_columns.h"

#include <algorithm>
#include <new>
#include <optional>

#include "sight/reading/bad_snapshot.h"
#include "sight/reading/groups.h"
#include "sight/reading/holding.h"
#include "sight/reading/snapshot_reader.h"

namespace tarn::sight {
namespace {

using reading::GroupBy;

struct Grouping {
  const char* name;
  GroupBy by;
};
constexpr std::array<Grouping, 3> all_groupings = {
    {{"holder", GroupBy::holder}, {"type", GroupBy::type}, {"site", GroupBy::site}}};
constexpr std::size_t most_answers = 10;
constexpr std::uint64_t most_count = std::uint64_t{1} << 62;

std::uint32_t block_at(const reading::HeapImage& image, std::uint64_t address) {
  const auto found = std::ranges::lower_bound(image.blocks, address, {}, &reading::Block::address);
  return found == image.blocks.end() || found->address != address
             ? reading::no_index
             : static_cast<std::uint32_t>(found - image.blocks.begin());
}

// What the blocks of an answer have in common, and no others: an answer's first block tells it.
class Members {
 public:
  Members(const reading::HeapImage& image, GroupBy by, const std::vector<std::uint32_t>& groups)
      : image_(image), by_(by), groups_(groups) {}

  [[nodiscard]] std::optional<std::uint32_t> key_of(std::uint32_t block) const {
    const reading::Block& here = image_.blocks[block];
    switch (by_) {
      case GroupBy::holder:
        return groups_[block];
      case GroupBy::type:
        if (here.content != Content::object && here.content != Content::part) {
          return std::nullopt;
        }
        return here.type;
      case GroupBy::site:
        if (here.site == reading::no_index) {
          return std::nullopt;
        }
        return image_.sites[here.site].place;
    }
    return std::nullopt;
  }

 private:
  const reading::HeapImage& image_;
  GroupBy by_;
  const std::vector<std::uint32_t>& groups_;
};

std::vector<std::uint8_t> answers_of_slots(const reading::HeapImage& image, const Members& members,
                                           const reading::Why& why, const Slots& slots) {
  std::map<std::uint32_t, std::uint8_t> numbers;
  for (std::size_t i = 0; i < why.answers.size(); ++i) {
    const std::uint32_t first = block_at(image, why.answers[i].first);
    if (first == reading::no_index) {
      continue;
    }
    if (const auto key = members.key_of(first)) {
      numbers.emplace(*key, static_cast<std::uint8_t>(i + 1));
    }
  }
  std::vector<std::uint8_t> of_slot(slots.size());
  for (std::uint32_t block = 0; block < image.blocks.size(); ++block) {
    const auto key = members.key_of(block);
    const auto number = key ? numbers.find(*key) : numbers.end();
    if (number != numbers.end()) {
      if (const auto slot = slots.slot_at(image.blocks[block].address)) {
        of_slot[*slot] = number->second;
      }
    }
  }
  return of_slot;
}

}  // namespace

void WhyColumns::choose(const std::string& file, const SnapshotDatabase& database,
                        const std::vector<std::int64_t>& ids) {
  file_ = file;
  chosen_.clear();
  std::uint64_t blocks = 0;
  for (std::size_t i = ids.size(); i-- > 0;) {
    const std::int64_t id = ids[i];
    if (!known_.contains(id)) {
      Rows rows(database, "block", "SELECT count(*) FROM block WHERE snapshot = ?", id);
      blocks += rows.next() ? rows.number(0, most_count) : 0;
      if (!chosen_.empty() && blocks > most_blocks_) {
        break;
      }
    }
    chosen_.push_back(id);
  }
}

void WhyColumns::find(std::int64_t id, const Slots& slots, Answers& answers) const {
  try {
    const reading::SnapshotReader reader(file_);
    reading::HeapImage image =
        reading::load_heap_image(reader, static_cast<std::uint64_t>(id), reading::References::all);
    // Each question takes the references away.
    const std::vector<reading::Edge> references = image.references;
    std::vector<std::uint32_t> groups;
    {
      const reading::Holding holding(image);
      groups = reading::make_groups(image, holding, GroupBy::holder).of_block;
    }
    for (std::size_t i = 0; i < all_groupings.size(); ++i) {
      const GroupBy by = all_groupings[i].by;
      if (by == GroupBy::site && image.sites.empty()) {
        continue;
      }
      image.references = references;
      const reading::Why why = reading::find_why(image, {by, most_answers});
      answers.texts[i] = json_(image, why);
      answers.of_slot[i] = answers_of_slots(image, Members(image, by, groups), why, slots);
    }
  } catch (const reading::BadSnapshot& bad) {
    answers = {};
    answers.problem = std::string("It can't be told: ") + bad.what();
  } catch (const std::bad_alloc&) {
    answers = {};
    answers.problem = "It can't be told: there isn't memory enough.";
  }
}

void WhyColumns::add_to(Columns& columns, std::int64_t id, const Slots& slots) {
  const bool is_chosen = std::ranges::find(chosen_, id) != chosen_.end();
  const Answers none;
  const Answers* answers = &none;
  std::string problem =
      "It was worked out for the newest snapshots of the file only. tarn map --snapshot=" +
      std::to_string(id) + " makes a page that tells it of this one.";
  if (is_chosen) {
    const auto [found, is_new] = known_.try_emplace(id);
    if (is_new) {
      find(id, slots, found->second);
    }
    answers = &found->second;
    problem = answers->problem;
  }
  for (std::size_t i = 0; i < groupings; ++i) {
    const std::string name = std::string("why.") + all_groupings[i].name;
    columns.add(name, std::vector<std::string>{answers->texts[i]});
    columns.add(name + ".answer", answers->of_slot[i]);
  }
  columns.add("why.problem", std::vector<std::string>{problem});
}

}  // namespace tarn::sight
