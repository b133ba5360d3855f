#include "sight/reading/holding.h"

#include <algorithm>

#include "sight/reading/bad_snapshot.h"

namespace tarn::sight::reading {
namespace {

// Kinds of roots that are a reference of their own, which no object's references show: frames of CPython 3.11 and
// later aren't objects.
bool is_own_reference(const Root& root) {
  return root.kind == "local" || root.kind == "interpreter" || root.kind == "type";
}

bool is_unexplained(const Root& root) { return root.kind == "unknown" || root.kind == "garbage"; }

void reach(const Graph& graph, std::vector<std::uint32_t>& from, std::vector<bool>& seen) {
  while (!from.empty()) {
    const std::uint32_t node = from.back();
    from.pop_back();
    for (const std::uint32_t target : graph.edges(node)) {
      if (!seen[target]) {
        seen[target] = true;
        from.push_back(target);
      }
    }
  }
}

}  // namespace

Holding::Holding(HeapImage& image)
    : image_(image),
      blocks_(static_cast<std::uint32_t>(image.blocks.size())),
      is_exact_(image.facts.has_references) {
  if (is_exact_) {
    find_tree_by_references();
  } else {
    find_tree_by_holders();
  }
}

std::span<const std::uint32_t> Holding::referrers(std::uint32_t block) const {
  return is_exact_ ? reverse_.edges(node_of_block(block)) : std::span<const std::uint32_t>();
}

void Holding::add_roots(std::vector<Edge>& edges) const {
  for (std::uint32_t i = 0; i < image_.roots.size(); ++i) {
    const std::uint32_t node = blocks_ + 1 + i;
    edges.emplace_back(0, node);
    if (image_.roots[i].block != no_index) {
      edges.emplace_back(node, node_of_block(image_.roots[i].block));
    }
  }
}

void Holding::add_what_is_held_elsewhere(std::vector<Edge>& edges,
                                         const std::vector<std::uint32_t>& found) const {
  std::vector<std::uint32_t> explained = found;
  std::vector<bool> has_root_that_says_so(blocks_, false);
  for (const Root& root : image_.roots) {
    if (root.block != no_index) {
      explained[root.block] += is_own_reference(root) ? 1 : 0;
      has_root_that_says_so[root.block] = has_root_that_says_so[root.block] || is_unexplained(root);
    }
  }
  for (std::uint32_t i = 0; i < blocks_; ++i) {
    const Block& block = image_.blocks[i];
    if (block.content == Content::part && block.holder != no_index) {
      continue;
    }
    const bool is_object = block.content == Content::object;
    if (!is_object || block.is_immortal ||
        (block.refcount > explained[i] && !has_root_that_says_so[i])) {
      edges.emplace_back(0, node_of_block(i));
    }
  }
}

// A cycle that nothing leads to: it has to hang somewhere.
void Holding::add_unreached(std::vector<Edge>& edges) const {
  const Graph graph =
      make_graph(blocks_ + 1 + static_cast<std::uint32_t>(image_.roots.size()), edges);
  std::vector<bool> seen(graph.nodes(), false);
  std::vector<std::uint32_t> from{0};
  seen[0] = true;
  reach(graph, from, seen);
  for (std::uint32_t node = 1; node <= blocks_; ++node) {
    if (!seen[node]) {
      edges.emplace_back(0, node);
      seen[node] = true;
      from.push_back(node);
      reach(graph, from, seen);
    }
  }
}

void Holding::find_tree_by_references() {
  std::vector<bool> is_global(blocks_, false);
  std::vector<bool> is_module(blocks_, false);
  for (const Root& root : image_.roots) {
    if (root.block != no_index) {
      is_global[root.block] = is_global[root.block] || root.kind == "global";
      is_module[root.block] = is_module[root.block] || root.kind == "module";
    }
  }
  std::vector<std::uint32_t> found(blocks_, 0);
  std::vector<Edge> edges;
  edges.reserve(image_.references.size() + blocks_ / 2);
  for (const auto& [from, to] : image_.references) {
    found[to] += found[to] != no_index ? 1 : 0;
    if (!(is_module[from] && is_global[to] &&
          type_name(image_, image_.blocks[from].type) == "dict")) {
      edges.emplace_back(node_of_block(from), node_of_block(to));
    }
  }
  std::vector<Edge>().swap(image_.references);
  for (std::uint32_t i = 0; i < blocks_; ++i) {
    const Block& block = image_.blocks[i];
    if (block.content == Content::part && block.holder != no_index) {
      edges.emplace_back(node_of_block(block.holder), node_of_block(i));
    }
  }
  add_roots(edges);
  add_what_is_held_elsewhere(edges, found);
  add_unreached(edges);
  graph_ = make_graph(blocks_ + 1 + static_cast<std::uint32_t>(image_.roots.size()), edges);
  std::vector<Edge>().swap(edges);
  reverse_ = reversed(graph_);
  tree_ = find_dominators(graph_, reverse_);
}

void Holding::find_tree_by_holders() {
  const auto nodes = blocks_ + 1 + static_cast<std::uint32_t>(image_.roots.size());
  tree_.parent.assign(nodes, 0);
  tree_.parent[0] = no_index;
  tree_.order.reserve(nodes);
  tree_.order.push_back(0);
  for (std::uint32_t node = blocks_ + 1; node < nodes; ++node) {
    tree_.order.push_back(node);
  }
  // Parents first: up from each block to one that has its place already, and then down again.
  enum class State : std::uint8_t { untouched, on_the_way, placed };
  std::vector<State> states(blocks_, State::untouched);
  std::vector<std::uint32_t> way;
  for (std::uint32_t first = 0; first < blocks_; ++first) {
    for (std::uint32_t at = first; at != no_index && states[at] != State::placed;
         at = image_.blocks[at].holder) {
      if (states[at] == State::on_the_way) {
        throw BadSnapshot("table block: holders go round in a circle");
      }
      states[at] = State::on_the_way;
      way.push_back(at);
    }
    for (; !way.empty(); way.pop_back()) {
      const std::uint32_t at = way.back();
      const Block& block = image_.blocks[at];
      states[at] = State::placed;
      tree_.order.push_back(node_of_block(at));
      const bool is_part = block.content == Content::part;
      if (!is_part &&
          (block.content != Content::object || block.is_immortal || block.refcount > 1)) {
        continue;  // its parent is node 0
      }
      if (block.holder != no_index) {
        tree_.parent[node_of_block(at)] = node_of_block(block.holder);
      } else if (block.root != no_index && image_.roots[block.root].block == at) {
        tree_.parent[node_of_block(at)] = blocks_ + 1 + block.root;
      }
    }
  }
}

Holding::Freed Holding::freed_with(const std::vector<bool>& marked) const {
  if (!is_exact_) {
    return {freed_by_holders(marked, 1), freed_by_holders(marked, no_index)};
  }
  std::vector<bool> seen(graph_.nodes(), false);
  for (std::uint32_t i = 0; i < blocks_; ++i) {
    seen[node_of_block(i)] = marked[i];
  }
  std::vector<std::uint32_t> from{0};
  reach(graph_, from, seen);
  Freed freed;
  freed.least.resize(blocks_);
  for (std::uint32_t i = 0; i < blocks_; ++i) {
    freed.least[i] = marked[i] || !seen[node_of_block(i)];
  }
  return freed;
}

std::vector<bool> Holding::freed_by_holders(const std::vector<bool>& marked,
                                            std::uint32_t most_references) const {
  std::vector<bool> freed(blocks_, false);
  for (const std::uint32_t node : tree_.order) {
    if (!is_block(node)) {
      continue;
    }
    const std::uint32_t i = block_of(node);
    const Block& block = image_.blocks[i];
    const bool may_go =
        block.content == Content::part || (block.content == Content::object && !block.is_immortal &&
                                           block.refcount <= most_references);
    freed[i] = marked[i] || (may_go && block.holder != no_index && freed[block.holder]);
  }
  return freed;
}

}  // namespace tarn::sight::reading
