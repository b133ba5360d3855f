#include "sight/reading/graph.h"

namespace tarn::sight::reading {

Graph make_graph(std::uint32_t nodes, std::span<const Edge> edges) {
  Graph graph;
  graph.first.assign(std::size_t{nodes} + 1, 0);
  for (const Edge& edge : edges) {
    ++graph.first[edge.first + 1];
  }
  for (std::uint32_t node = 0; node < nodes; ++node) {
    graph.first[node + 1] += graph.first[node];
  }
  graph.targets.resize(edges.size());
  std::vector<std::uint32_t> next(graph.first.begin(), graph.first.end() - 1);
  for (const Edge& edge : edges) {
    graph.targets[next[edge.first]++] = edge.second;
  }
  return graph;
}

Graph reversed(const Graph& graph) {
  Graph reverse;
  const std::uint32_t nodes = graph.nodes();
  reverse.first.assign(std::size_t{nodes} + 1, 0);
  for (const std::uint32_t target : graph.targets) {
    ++reverse.first[target + 1];
  }
  for (std::uint32_t node = 0; node < nodes; ++node) {
    reverse.first[node + 1] += reverse.first[node];
  }
  reverse.targets.resize(graph.targets.size());
  std::vector<std::uint32_t> next(reverse.first.begin(), reverse.first.end() - 1);
  for (std::uint32_t node = 0; node < nodes; ++node) {
    for (const std::uint32_t target : graph.edges(node)) {
      reverse.targets[next[target]++] = node;
    }
  }
  return reverse;
}

namespace {

// Everything in here is by number: a node's place in the order of a depth-first search.
class SemiNca {
 public:
  SemiNca(const Graph& graph, const Graph& reverse) : reverse_(reverse) { search(graph); }

  Dominators result() {
    const auto count = static_cast<std::uint32_t>(order_.size());
    std::vector<std::uint32_t> dominator = ancestor_;  // the search's parents, to begin with
    semi_.resize(count);
    label_.resize(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      semi_[i] = label_[i] = i;
    }
    for (std::uint32_t i = count; i-- > 1;) {
      semi_[i] = dominator[i];
      for (const std::uint32_t node : reverse_.edges(order_[i])) {
        if (const std::uint32_t from = number_[node]; from != no_index) {
          semi_[i] = std::min(semi_[i], semi_[least_label(from, i + 1)]);
        }
      }
    }
    Dominators dominators;
    dominators.parent.assign(number_.size(), no_index);
    for (std::uint32_t i = 1; i < count; ++i) {
      while (dominator[i] > semi_[i]) {
        dominator[i] = dominator[dominator[i]];
      }
      dominators.parent[order_[i]] = order_[dominator[i]];
    }
    dominators.order = std::move(order_);
    return dominators;
  }

 private:
  void search(const Graph& graph) {
    number_.assign(graph.nodes(), no_index);
    struct Step {
      std::uint32_t node;
      std::uint32_t edge;
    };
    std::vector<Step> way;
    const auto enter = [&](std::uint32_t node, std::uint32_t parent) {
      number_[node] = static_cast<std::uint32_t>(order_.size());
      order_.push_back(node);
      ancestor_.push_back(parent);
      way.push_back({node, graph.first[node]});
    };
    enter(0, 0);
    while (!way.empty()) {
      Step& step = way.back();
      if (step.edge == graph.first[step.node + 1]) {
        way.pop_back();
        continue;
      }
      const std::uint32_t target = graph.targets[step.edge++];
      if (number_[target] == no_index) {
        enter(target, number_[step.node]);
      }
    }
  }

  // Of those on the way from `from` up to the first below `linked`: the one with the least semi. Shortens the way.
  std::uint32_t least_label(std::uint32_t from, std::uint32_t linked) {
    if (ancestor_[from] < linked) {
      return label_[from];
    }
    std::uint32_t top = from;
    do {
      way_.push_back(top);
      top = ancestor_[top];
    } while (ancestor_[top] >= linked);
    std::uint32_t above = top;
    std::uint32_t best = label_[top];
    do {
      const std::uint32_t at = way_.back();
      way_.pop_back();
      ancestor_[at] = ancestor_[above];
      if (semi_[best] < semi_[label_[at]]) {
        label_[at] = best;
      } else {
        best = label_[at];
      }
      above = at;
    } while (!way_.empty());
    return label_[from];
  }

  const Graph& reverse_;
  std::vector<std::uint32_t> number_;  // of a node; no_index: not reached
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> ancestor_;
  std::vector<std::uint32_t> semi_;
  std::vector<std::uint32_t> label_;
  std::vector<std::uint32_t> way_;
};

}  // namespace

Dominators find_dominators(const Graph& graph, const Graph& reverse) {
  return SemiNca(graph, reverse).result();
}

}  // namespace tarn::sight::reading
