#include "sight/reading/groups.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

namespace tarn::sight::reading {
namespace {

constexpr std::uint32_t most_depth = 8;
constexpr std::size_t most_groups = 200'000;
// A group below speaks for the one above it if it returns this much of what that does. Half: with a dict's values go
// most of its pages, but its keys lie in many of them too.
constexpr double share_that_speaks = 0.5;

class Maker {
 public:
  Maker(const HeapImage& image, const Holding& holding, GroupBy by)
      : image_(image), holding_(holding), by_(by) {}

  Groups make() {
    result_.groups.emplace_back();
    assign_blocks();
    count_extents();
    sum_up();
    return std::move(result_);
  }

 private:
  std::uint32_t top_group(Top top) {
    const bool has_frame = top.frame != no_index;
    auto key = std::tuple(top.is_shared, top.kind, top.name,
                          has_frame ? image_.frames[top.frame].function : std::string(),
                          has_frame ? image_.frames[top.frame].file : std::string());
    const auto [found, is_new] = tops_.try_emplace(std::move(key), 0);
    if (is_new) {
      Group group;
      group.top = static_cast<std::uint32_t>(result_.tops.size());
      group.depth = 1;
      found->second = static_cast<std::uint32_t>(result_.groups.size());
      result_.groups.push_back(group);
      result_.tops.push_back(std::move(top));
    }
    return found->second;
  }

  std::uint32_t group_of_root(std::uint32_t root, bool is_shared) {
    const Root& here = image_.roots[root];
    return top_group({here.kind, here.name, here.frame, is_shared});
  }

  // Of a block that hangs from node 0.
  std::uint32_t group_of_free_end(const Block& block) {
    if (block.content == Content::spare) {
      return top_group({"spare", "", no_index, false});
    }
    if (block.content == Content::unknown) {
      return top_group({"none", "", no_index, false});
    }
    return block.root == no_index ? top_group({"unknown", "", no_index, true})
                                  : group_of_root(block.root, true);
  }

  std::uint32_t below(std::uint32_t above, std::uint32_t label) {
    // A linked list is one group. A dict of dicts is two: what's in it, and it.
    const Group& upper = result_.groups[above];
    if (upper.label == label && upper.depth > 1 && upper.kind != TypeKind::container) {
      return above;
    }
    if (result_.groups[above].depth >= most_depth) {
      return above;
    }
    const std::uint64_t key = std::uint64_t{above} << 32 | label;
    const auto [found, is_new] =
        below_.try_emplace(key, static_cast<std::uint32_t>(result_.groups.size()));
    if (is_new) {
      if (result_.groups.size() >= most_groups) {
        below_.erase(found);
        return above;
      }
      Group group = result_.groups[above];
      group.parent = above;
      group.label = label;
      group.kind = by_ == GroupBy::site ? TypeKind::plain : kind_of(type_name(image_, label));
      ++group.depth;
      group.objects = group.bytes = 0;
      result_.groups.push_back(group);
      return group_count() - 1;
    }
    return found->second;
  }

  [[nodiscard]] std::uint32_t group_count() const {
    return static_cast<std::uint32_t>(result_.groups.size());
  }

  void assign_blocks() {
    result_.of_block.assign(image_.blocks.size(), 0);
    for (const std::uint32_t node : holding_.order()) {
      if (!holding_.is_block(node)) {
        continue;
      }
      const std::uint32_t at = holding_.block_of(node);
      const Block& block = image_.blocks[at];
      const std::uint32_t parent = holding_.parent(node);
      const std::uint32_t above =
          holding_.is_block(parent)  ? result_.of_block[holding_.block_of(parent)]
          : holding_.is_root(parent) ? group_of_root(holding_.root_of(parent), false)
                                     : group_of_free_end(block);
      std::uint32_t group = above;
      if (by_ == GroupBy::site) {
        group = block.site == no_index ? above : below(above, image_.sites[block.site].place);
      } else if (block.content != Content::part || !holding_.is_block(parent)) {
        group = below(above, block.type);
      }
      result_.of_block[at] = group;
      if (block.place != Place::outside) {
        result_.groups[group].objects += block.content == Content::part ? 0 : 1;
        result_.groups[group].bytes += block.size;
      }
    }
  }

  std::uint32_t lowest_common(std::uint32_t left, std::uint32_t right) const {
    while (left != right) {
      if (result_.groups[left].depth < result_.groups[right].depth) {
        std::swap(left, right);
      }
      left = result_.groups[left].parent;
    }
    return left;
  }

  void count_extents() {
    const std::size_t labels = by_ == GroupBy::site ? image_.places.size() : image_.types.size();
    result_.by_label.assign(labels, 0);
    std::vector<std::uint32_t> seen_at(result_.groups.size(), no_index);
    std::vector<std::uint32_t> listed_at(result_.groups.size(), no_index);
    std::vector<std::uint32_t> hits(labels, 0);
    std::vector<std::uint32_t> distinct;
    std::vector<std::uint32_t> hit;
    for (std::uint32_t i = 0; i < image_.extents.size(); ++i) {
      const Extent& extent = image_.extents[i];
      std::uint32_t common = result_.of_block[extent.first];
      distinct.clear();
      for (std::uint32_t block = extent.first; block < extent.last; ++block) {
        const std::uint32_t group = result_.of_block[block];
        if (listed_at[group] != i) {
          listed_at[group] = i;
          distinct.push_back(group);
          common = lowest_common(common, group);
        }
        for (std::uint32_t at = group; seen_at[at] != i; at = result_.groups[at].parent) {
          seen_at[at] = i;
          result_.groups[at].pages += extent.bytes;
          if (at == 0) {
            break;
          }
        }
      }
      result_.groups[common].returns += extent.bytes;
      count_labels(extent, distinct, hits, hit);
    }
  }

  // Whether the way from `group` up to `at` has the label already.
  [[nodiscard]] bool is_below(std::uint32_t group, std::uint32_t at, std::uint32_t label) const {
    for (; group != at; group = result_.groups[group].parent) {
      if (result_.groups[group].label == label) {
        return true;
      }
    }
    return false;
  }

  void count_labels(const Extent& extent, const std::vector<std::uint32_t>& distinct,
                    std::vector<std::uint32_t>& hits, std::vector<std::uint32_t>& hit) {
    hit.clear();
    for (const std::uint32_t group : distinct) {
      for (std::uint32_t at = group; at != 0; at = result_.groups[at].parent) {
        const std::uint32_t label = result_.groups[at].label;
        if (label < hits.size() && !is_below(group, at, label) && hits[label]++ == 0) {
          hit.push_back(label);
        }
      }
    }
    for (const std::uint32_t label : hit) {
      if (hits[label] == distinct.size()) {
        result_.by_label[label] += extent.bytes;
      }
      hits[label] = 0;
    }
  }

  void sum_up() {
    for (std::uint32_t group = group_count(); group-- > 1;) {
      result_.groups[result_.groups[group].parent].returns += result_.groups[group].returns;
    }
  }

  const HeapImage& image_;
  const Holding& holding_;
  GroupBy by_;
  Groups result_;
  std::map<std::tuple<bool, std::string, std::string, std::string, std::string>, std::uint32_t>
      tops_;
  std::unordered_map<std::uint64_t, std::uint32_t> below_;
};

class SpeakerSearch {
 public:
  explicit SpeakerSearch(const std::vector<Group>& groups)
      : groups_(groups),
        next_(groups.size(), 0),
        child_(groups.size(), 0),
        best_(groups.size(), 0),
        heaviest_(groups.size(), 0),
        bytes_(groups.size(), 0) {
    for (std::uint32_t group = static_cast<std::uint32_t>(groups.size()); group-- > 1;) {
      const std::uint32_t parent = groups[group].parent;
      next_[group] = child_[parent];
      child_[parent] = group;
      if (best_[parent] == 0 || groups[group].returns >= groups[best_[parent]].returns) {
        best_[parent] = group;
      }
      bytes_[group] += groups[group].bytes;
      bytes_[parent] += bytes_[group];
      if (heaviest_[parent] == 0 || bytes_[group] >= bytes_[heaviest_[parent]]) {
        heaviest_[parent] = group;
      }
    }
  }

  std::vector<Speaker> search() {
    for (std::uint32_t top = child_[0]; top != 0; top = next_[top]) {
      if (groups_[top].returns != 0) {
        go_down(top);
      }
    }
    std::ranges::stable_sort(speakers_, std::greater(), [&](const Speaker& speaker) {
      return groups_[speaker.group].returns;
    });
    return std::move(speakers_);
  }

 private:
  [[nodiscard]] static bool is_most(std::uint64_t part, std::uint64_t whole) {
    return static_cast<double>(part) >= share_that_speaks * static_cast<double>(whole);
  }
  [[nodiscard]] bool are_many(std::uint32_t at) const { return groups_[at].objects > 1; }
  [[nodiscard]] bool are_own(std::uint32_t at) const {
    return are_many(at) && groups_[at].kind == TypeKind::own;
  }
  // Whether what is below may be what people mean.
  [[nodiscard]] bool leads_on(std::uint32_t at) const {
    return !are_many(at) || groups_[at].kind == TypeKind::container;
  }

  void go_down(std::uint32_t at) {
    // A name's own group has no objects: several types right below it speak for themselves.
    if (best_[at] == 0 || !is_most(groups_[best_[at]].returns, groups_[at].returns)) {
      for (std::uint32_t group = child_[at]; group != 0; group = next_[group]) {
        if (groups_[group].returns != 0) {
          add(group);
        }
      }
      return;
    }
    std::uint32_t first_many = 0;
    at = best_[at];
    while (!are_own(at)) {
      first_many = first_many == 0 && are_many(at) ? at : first_many;
      const std::uint32_t below = best_[at];
      if (!leads_on(at) || below == 0 || !is_most(groups_[below].returns, groups_[at].returns)) {
        at = first_many != 0 ? first_many : at;
        break;
      }
      at = below;
    }
    add(at);
  }

  void add(std::uint32_t group) { speakers_.push_back({group, spokesman_of(group)}); }

  // By bytes: pages may be others' too.
  [[nodiscard]] std::uint32_t spokesman_of(std::uint32_t group) const {
    if (are_own(group)) {
      return group;
    }
    const std::uint64_t whole = bytes_[group] - groups_[group].bytes;
    std::uint32_t first_many = 0;
    for (std::uint32_t at = group; leads_on(at);) {
      at = heaviest_[at];
      if (at == 0 || !is_most(bytes_[at], whole)) {
        break;
      }
      if (are_own(at)) {
        return at;
      }
      first_many = first_many == 0 && are_many(at) ? at : first_many;
    }
    // A container is known by what is in it, whatever that is; another object by itself.
    const bool is_one_container = !are_many(group) && groups_[group].kind == TypeKind::container;
    return is_one_container && first_many != 0 ? first_many : group;
  }

  const std::vector<Group>& groups_;
  std::vector<std::uint32_t> next_;
  std::vector<std::uint32_t> child_;
  std::vector<std::uint32_t> best_;      // child that returns the most
  std::vector<std::uint32_t> heaviest_;  // child that holds the most
  std::vector<std::uint64_t> bytes_;     // with those below
  std::vector<Speaker> speakers_;
};

}  // namespace

std::vector<Speaker> speaking_groups(const Groups& groups) {
  return SpeakerSearch(groups.groups).search();
}

Groups make_groups(const HeapImage& image, const Holding& holding, GroupBy by) {
  return Maker(image, holding, by).make();
}

}  // namespace tarn::sight::reading
