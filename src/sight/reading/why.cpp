#include "sight/reading/why.h"

#include <algorithm>
#include <map>

#include "sight/reading/kinds.h"
#include "sight/reading/places.h"

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

// Adds up blocks by their places.
class SiteCount {
 public:
  explicit SiteCount(const HeapImage& image) : image_(image) {}

  void add(std::uint32_t index, bool is_object) {
    const Block& block = image_.blocks[index];
    if (block.site == no_index) {
      return;
    }
    const double weight = weight_of(image_, index);
    PlaceCount& place = places_[image_.sites[block.site].place];
    place.share.objects += is_object ? weight : 0;
    place.share.bytes += weight * static_cast<double>(block.size);
    ++place.share.samples;
    place.stacks[block.site] += weight;
  }

  [[nodiscard]] Sites sum_up(double SiteShare::*by) const {
    Sites sites;
    std::vector<const PlaceCount*> counts;
    for (const auto& [number, place] : places_) {
      sites.objects += place.share.objects;
      sites.bytes += place.share.bytes;
      sites.samples += place.share.samples;
      counts.push_back(&place);
    }
    std::ranges::stable_sort(counts, std::greater(),
                             [by](const PlaceCount* place) { return place->share.*by; });
    counts.resize(std::min(counts.size(), most_shares));
    for (const PlaceCount* const place : counts) {
      sites.shares.push_back(with_stack(*place));
    }
    return sites;
  }

 private:
  struct PlaceCount {
    SiteShare share;
    std::map<std::uint32_t, double> stacks;  // by site
  };

  [[nodiscard]] SiteShare with_stack(const PlaceCount& place) const {
    const auto most =
        std::ranges::max_element(place.stacks, {}, [](const auto& entry) { return entry.second; });
    const Site& site = image_.sites[most->first];
    const std::uint32_t own = image_.places[site.place].own;
    SiteShare share = place.share;
    share.has_no_room = site.has_no_room;
    for (const std::uint32_t frame : site.frames) {
      if (frame == own && share.own == no_index) {
        share.own = static_cast<std::uint32_t>(share.frames.size());
      }
      share.frames.push_back(image_.frames[frame]);
    }
    return share;
  }

  const HeapImage& image_;
  std::map<std::uint32_t, PlaceCount> places_;
};

class Finder {
 public:
  Finder(HeapImage& image, const WhyOptions& options)
      : image_(image),
        options_(options),
        holding_(image),
        groups_(make_groups(image, holding_, options.by)) {}

  Why find() {
    Why why;
    why.by = options_.by;
    why.is_exact = holding_.is_exact();
    why.live = image_.live;
    why.pinned = image_.pinned();
    why.empty = image_.empty_pages;
    why.large = image_.large;
    std::vector<Speaker> candidates =
        options_.by == GroupBy::holder ? speaking_groups(groups_) : labels_that_return();
    // A group's own count is a lower bound; the graph may say more. So some more than asked for are looked at.
    const std::uint64_t least = (image_.live_pages + image_.large) / least_share;
    std::erase_if(candidates, [&](const Speaker& candidate) {
      return returns_at_least(candidate.group) < least;
    });
    const std::size_t looked_at = std::min(candidates.size(), options_.most_answers + 3);
    why.has_more = candidates.size() > options_.most_answers;
    candidates.resize(looked_at);
    std::vector<std::pair<Answer, std::uint32_t>> found;
    found.reserve(candidates.size());
    for (const Speaker& candidate : candidates) {
      found.emplace_back(answer(candidate), candidate.group);
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
        return here.site != no_index && image_.sites[here.site].place == candidate;
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

  std::vector<Speaker> labels_that_return() const {
    std::vector<std::uint32_t> labels;
    for (std::uint32_t label = 0; label < groups_.by_label.size(); ++label) {
      if (groups_.by_label[label] != 0) {
        labels.push_back(label);
      }
    }
    std::ranges::stable_sort(labels, std::greater(),
                             [&](std::uint32_t label) { return groups_.by_label[label]; });
    std::vector<Speaker> speakers;
    for (const std::uint32_t label : labels) {
      speakers.push_back({label, label});
    }
    return speakers;
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

  Answer answer(const Speaker& candidate) const {
    std::vector<bool> marked(image_.blocks.size(), false);
    mark(candidate.group, marked);
    Answer answer;
    const Holding::Freed freed = holding_.freed_with(marked);
    answer.returns = returns_of(freed);
    if (candidate.spokesman != candidate.group) {
      answer.container = type_name(image_, groups_.groups[candidate.group].label);
      answer.containers = groups_.groups[candidate.group].objects;
      marked.assign(marked.size(), false);
      mark(candidate.spokesman, marked);
    }
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
      find_other_ways(candidate.group, answer);
      describe_whole(candidate.group, answer);
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
    SiteCount sites(image_);
    std::map<std::uint32_t, std::uint64_t> roots;
    std::map<std::uint32_t, std::uint32_t> first_of_root;
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
      sites.add(i, true);
    }
    const auto most_of = [](const auto& counts) {
      return std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; })
          ->first;
    };
    if (answer.objects == 0) {
      return;
    }
    const std::uint32_t type = speaking_type(types, answer.objects);
    answer.type = type_name(image_, type);
    answer.of_type = types.at(type);
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
    answer.sites = sites.sum_up(&SiteShare::objects);
  }

  // What a line allocates is known by somebody's own class, if it's a fair part, and not by what that is named by.
  std::uint32_t speaking_type(const std::map<std::uint32_t, std::uint64_t>& types,
                              std::uint64_t objects) const {
    constexpr std::uint64_t fair_part = 10;
    std::pair<bool, std::uint64_t> best;
    std::uint32_t speaking = types.begin()->first;
    for (const auto& [type, count] : types) {
      const bool is_own =
          count >= objects / fair_part && kind_of(type_name(image_, type)) == TypeKind::own;
      if (const std::pair here(is_own, count); here > best) {
        best = here;
        speaking = type;
      }
    }
    return speaking;
  }

  // Where a group hangs from node 0, something besides the holder that's told keeps it.
  void find_other_ways(std::uint32_t group, Answer& answer) const {
    answer.is_shared =
        groups_.tops[groups_.groups[group].top].is_shared && groups_.groups[group].depth == 2;
    if (!answer.is_shared) {
      return;
    }
    std::map<std::string, HolderShare> ways;
    std::size_t asked = 0;
    for (std::uint32_t member = 0;
         member < image_.blocks.size() && asked < most_asked_for_referrers; ++member) {
      const Block& block = image_.blocks[member];
      if (!is_of(group, member) || (block.content == Content::part && block.holder != no_index)) {
        continue;
      }
      ++asked;
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
        if (!answer.holders.empty() && answer.holders.front().name == share.name) {
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
    SiteCount sites(image_);
    for (std::uint32_t i = 0; i < freed.size(); ++i) {
      const Block& block = image_.blocks[i];
      if (!freed[i] || block.place == Place::outside) {
        continue;
      }
      TypeShare& share = shares[std::min<std::size_t>(block.type, image_.types.size())];
      share.objects += block.content == Content::part ? 0 : 1;
      share.bytes += block.size;
      answer.freed_bytes += block.size;
      sites.add(i, block.content != Content::part);
    }
    for (std::uint32_t type = 0; type < shares.size(); ++type) {
      if (shares[type].bytes != 0) {
        shares[type].type = type_name(image_, type);
        answer.freed.push_back(std::move(shares[type]));
      }
    }
    keep_the_most(answer.freed, &TypeShare::bytes);
    answer.freed_sites = sites.sum_up(&SiteShare::bytes);
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
