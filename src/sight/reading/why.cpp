#include "sight/reading/why.h"

#include <algorithm>
#include <map>

namespace tarn::sight::reading {
namespace {

constexpr std::size_t most_shares = 5;
constexpr std::size_t longest_chain = 12;
// What returns less than this part of the heap isn't worth a line.
constexpr std::uint64_t least_share = 1000;
constexpr std::uint32_t most_asked_for_referrers = 1000;

template <class Share>
void keep_the_most(std::vector<Share>& shares, std::uint64_t Share::*by) {
  std::ranges::stable_sort(shares, std::greater(), by);
  if (shares.size() > most_shares) {
    shares.resize(most_shares);
  }
}

class Finder {
 public:
  Finder(HeapImage& image, const WhyOptions& options)
      : image_(image),
        options_(options),
        holding_(image),
        groups_(make_groups(image, holding_, options.by)) {}

  Why find() {
    Why why;
    why.is_exact = holding_.is_exact();
    why.live = image_.live;
    why.pinned = image_.pinned();
    why.empty = image_.empty_pages;
    why.large = image_.large;
    std::vector<std::uint32_t> candidates =
        options_.by == GroupBy::holder ? speaking_groups(groups_) : labels_that_return();
    // A group's own count is a lower bound; the graph may say more. So some more than asked for are looked at.
    const std::uint64_t least = (image_.live_pages + image_.large) / least_share;
    std::erase_if(candidates,
                  [&](std::uint32_t candidate) { return returns_at_least(candidate) < least; });
    const std::size_t looked_at = std::min(candidates.size(), options_.most_answers + 3);
    why.has_more = candidates.size() > options_.most_answers;
    candidates.resize(looked_at);
    std::vector<std::pair<Answer, std::uint32_t>> found;
    found.reserve(candidates.size());
    for (const std::uint32_t candidate : candidates) {
      found.emplace_back(answer(candidate), candidate);
    }
    std::ranges::stable_sort(found, [](const auto& left, const auto& right) {
      return left.first.returns.least > right.first.returns.least;
    });
    if (found.size() > options_.most_answers) {
      found.resize(options_.most_answers);
    }
    std::vector<bool> marked(image_.blocks.size(), false);
    for (auto& [one, candidate] : found) {
      mark(candidate, marked);
      why.answers.push_back(std::move(one));
    }
    if (!found.empty()) {
      why.together = returns_of(holding_.freed_with(marked));
    }
    return why;
  }

 private:
  [[nodiscard]] bool is_of(std::uint32_t candidate, std::uint32_t block) const {
    const Block& here = image_.blocks[block];
    switch (options_.by) {
      case GroupBy::holder:
        return groups_.of_block[block] == candidate;
      case GroupBy::type:
        return here.type == candidate &&
               (here.content == Content::object || here.content == Content::part);
      case GroupBy::site:
        return here.site == candidate;
    }
    return false;
  }

  [[nodiscard]] std::uint64_t returns_at_least(std::uint32_t candidate) const {
    return options_.by == GroupBy::holder ? groups_.groups[candidate].returns
                                          : groups_.by_label[candidate];
  }

  void mark(std::uint32_t candidate, std::vector<bool>& marked) const {
    for (std::uint32_t block = 0; block < marked.size(); ++block) {
      if (is_of(candidate, block)) {
        marked[block] = true;
      }
    }
  }

  std::vector<std::uint32_t> labels_that_return() const {
    std::vector<std::uint32_t> labels;
    for (std::uint32_t label = 0; label < groups_.by_label.size(); ++label) {
      if (groups_.by_label[label] != 0) {
        labels.push_back(label);
      }
    }
    std::ranges::stable_sort(labels, std::greater(),
                             [&](std::uint32_t label) { return groups_.by_label[label]; });
    return labels;
  }

  std::uint64_t returned(const std::vector<bool>& freed) const {
    std::uint64_t bytes = 0;
    for (const Extent& extent : image_.extents) {
      bool goes = true;
      for (std::uint32_t block = extent.first; goes && block < extent.last; ++block) {
        goes = freed[block];
      }
      bytes += goes ? extent.bytes : 0;
    }
    return bytes;
  }

  Returns returns_of(const Holding::Freed& freed) const {
    Returns returns;
    returns.least = returned(freed.least);
    returns.most = freed.most.empty() ? returns.least : returned(freed.most);
    return returns;
  }

  Answer answer(std::uint32_t candidate) const {
    std::vector<bool> marked(image_.blocks.size(), false);
    mark(candidate, marked);
    Answer answer;
    const Holding::Freed freed = holding_.freed_with(marked);
    answer.returns = returns_of(freed);
    describe_members(marked, answer);
    for (const Extent& extent : image_.extents) {
      for (std::uint32_t block = extent.first; block < extent.last; ++block) {
        if (freed.least[block]) {
          answer.pages += extent.bytes;
          break;
        }
      }
    }
    describe_freed(freed.least, answer);
    if (options_.by == GroupBy::holder) {
      describe_whole(candidate, answer);
    }
    return answer;
  }

  void describe_whole(std::uint32_t group, Answer& answer) const {
    std::uint32_t top = group;
    while (groups_.groups[top].depth > 2) {
      top = groups_.groups[top].parent;
    }
    if (top == group || groups_.groups[top].objects != 1) {
      return;
    }
    std::vector<bool> marked(image_.blocks.size(), false);
    mark(top, marked);
    answer.whole_type = type_name(image_, groups_.groups[top].label);
    answer.whole = returns_of(holding_.freed_with(marked));
  }

  void describe_members(const std::vector<bool>& marked, Answer& answer) const {
    std::map<std::uint32_t, std::uint64_t> types;
    std::map<std::string, HolderShare> holders;
    std::map<std::uint32_t, std::uint64_t> sites;
    std::map<std::uint32_t, std::uint64_t> roots;
    std::map<std::uint32_t, std::uint32_t> first_of_root;
    std::vector<std::uint32_t> asked;
    for (std::uint32_t i = 0; i < marked.size(); ++i) {
      if (!marked[i]) {
        continue;
      }
      const Block& block = image_.blocks[i];
      if (block.place != Place::outside) {
        answer.bytes += block.size;
      }
      if (block.content == Content::part && block.holder != no_index && marked[block.holder]) {
        continue;
      }
      if (answer.objects++ == 0) {
        answer.first = block.address;
      }
      ++types[block.type];
      ++roots[block.root];
      first_of_root.try_emplace(block.root, i);
      if (block.site != no_index) {
        ++sites[block.site];
      }
      if (asked.size() < most_asked_for_referrers) {
        asked.push_back(i);
      }
    }
    const auto most_of = [](const auto& counts) {
      return std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; })
          ->first;
    };
    if (answer.objects == 0) {
      return;
    }
    answer.type = type_name(image_, most_of(types));
    for (const auto& [root, count] : roots) {
      HolderShare share = holder_of(root);
      share.objects = count;
      const auto [found, is_new] = holders.try_emplace(share.kind + '\n' + share.name, share);
      if (!is_new) {
        found->second.objects += count;
      }
    }
    for (auto& [key, share] : holders) {
      answer.holders.push_back(std::move(share));
    }
    keep_the_most(answer.holders, &HolderShare::objects);
    answer.chain = chain_of(first_of_root.at(most_of(roots)));
    for (const auto& [site, count] : sites) {
      SiteShare share;
      share.objects = count;
      for (const std::uint32_t frame : image_.sites[site]) {
        share.frames.push_back(image_.frames[frame]);
      }
      answer.sites.push_back(std::move(share));
    }
    keep_the_most(answer.sites, &SiteShare::objects);
    if (options_.by == GroupBy::holder) {
      find_other_ways(asked, answer);
    }
  }

  // Where a group hangs from node 0, something besides the holder that's told keeps it.
  void find_other_ways(const std::vector<std::uint32_t>& asked, Answer& answer) const {
    const std::uint32_t group = groups_.of_block[asked.front()];
    answer.is_shared =
        groups_.tops[groups_.groups[group].top].is_shared && groups_.groups[group].depth == 2;
    if (!answer.is_shared) {
      return;
    }
    std::map<std::string, HolderShare> ways;
    for (const std::uint32_t member : asked) {
      for (const std::uint32_t node : holding_.referrers(member)) {
        HolderShare share;
        if (node == 0) {
          share = {"what Python doesn't show", "unknown", 0};
        } else if (holding_.is_root(node)) {
          share = holder_of(holding_.root_of(node));
        } else {
          const std::uint32_t holder = holding_.block_of(node);
          if (holder == image_.blocks[member].holder) {
            continue;
          }
          share = holder_of(image_.blocks[holder].root);
          share.name += " -> " + type_name(image_, image_.blocks[holder].type);
        }
        if (answer.holders.front().name == share.name) {
          continue;
        }
        HolderShare& way = ways.try_emplace(share.kind + '\n' + share.name, share).first->second;
        ++way.objects;
      }
    }
    for (auto& [key, way] : ways) {
      answer.shared.push_back(std::move(way));
    }
    keep_the_most(answer.shared, &HolderShare::objects);
  }

  HolderShare holder_of(std::uint32_t root) const {
    if (root == no_index) {
      return {"", "none", 0};
    }
    const Root& here = image_.roots[root];
    return {root_text(image_, {here.kind, here.name, here.frame, false}), here.kind, 0};
  }

  // Types from what the root names down to the block; those that repeat at once are told once.
  std::vector<std::string> chain_of(std::uint32_t block) const {
    std::vector<std::string> chain;
    std::size_t steps = 0;
    for (std::uint32_t at = block; at != no_index && steps < most_steps;
         at = image_.blocks[at].holder, ++steps) {
      std::string type = type_name(image_, image_.blocks[at].type);
      if (image_.blocks[at].content == Content::part) {
        continue;
      }
      if (chain.empty() || chain.back() != type) {
        chain.push_back(std::move(type));
      }
    }
    std::ranges::reverse(chain);
    if (chain.size() > longest_chain) {
      chain.erase(chain.begin() + longest_chain / 2, chain.end() - longest_chain / 2);
      chain.insert(chain.begin() + longest_chain / 2, "...");
    }
    return chain;
  }

  void describe_freed(const std::vector<bool>& freed, Answer& answer) const {
    std::vector<TypeShare> shares(image_.types.size() + 1);
    for (std::uint32_t i = 0; i < freed.size(); ++i) {
      const Block& block = image_.blocks[i];
      if (!freed[i] || block.place == Place::outside) {
        continue;
      }
      TypeShare& share = shares[std::min<std::size_t>(block.type, image_.types.size())];
      share.objects += block.content == Content::part ? 0 : 1;
      share.bytes += block.size;
      answer.freed_bytes += block.size;
    }
    for (std::uint32_t type = 0; type < shares.size(); ++type) {
      if (shares[type].bytes != 0) {
        shares[type].type = type_name(image_, type);
        answer.freed.push_back(std::move(shares[type]));
      }
    }
    keep_the_most(answer.freed, &TypeShare::bytes);
  }

  static constexpr std::size_t most_steps =
      1'000'000;  // holders of a loaded image end, but they may be many

  HeapImage& image_;
  WhyOptions options_;
  Holding holding_;
  Groups groups_;
};

}  // namespace

Why find_why(HeapImage& image, const WhyOptions& options) { return Finder(image, options).find(); }

std::string root_text(const HeapImage& image, const Top& top) {
  if (top.kind == "local") {
    if (top.frame == no_index) {
      return "local " + top.name;
    }
    const FrameRow& frame = image.frames[top.frame];
    return top.name + " in " + frame.function + " (" + frame.file + ':' +
           std::to_string(frame.line) + ')';
  }
  if (top.kind == "garbage") {
    return "a cycle that nothing reaches";
  }
  if (top.kind == "unknown") {
    return "what Python doesn't show";
  }
  if (top.kind == "spare") {
    return "a type's free list";
  }
  if (top.kind == "none") {
    return "C code";
  }
  if (top.kind == "module") {
    return "module " + top.name;
  }
  if (top.kind == "type") {
    return "type " + top.name;
  }
  return top.name;
}

}  // namespace tarn::sight::reading
