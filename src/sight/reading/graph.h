// A directed graph as two arrays, and who dominates whom in it.
//
//   first     0   2   3        the edges of node n are targets[first[n]] to targets[first[n + 1]]
//   targets   1 2 2
//
// A node d dominates a node n if every way from node 0 to n leads through d. So if node 0 is all that a program
// can't let go of, and nodes are objects, then what d dominates is what goes when d does.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace tarn::sight::reading {

inline constexpr std::uint32_t no_index = std::numeric_limits<std::uint32_t>::max();

struct Graph {
  std::vector<std::uint32_t> first;  // one more than there are nodes
  std::vector<std::uint32_t> targets;

  [[nodiscard]] std::uint32_t nodes() const { return static_cast<std::uint32_t>(first.size() - 1); }
  [[nodiscard]] std::span<const std::uint32_t> edges(std::uint32_t node) const {
    return {targets.data() + first[node], targets.data() + first[node + 1]};
  }
};

using Edge = std::pair<std::uint32_t, std::uint32_t>;  // from, to

// The edges may be in any order and may occur twice. Linear.
[[nodiscard]] Graph make_graph(std::uint32_t nodes, std::span<const Edge> edges);
[[nodiscard]] Graph reversed(const Graph& graph);

struct Dominators {
  std::vector<std::uint32_t>
      parent;  // of each node its nearest dominator; no_index: node 0, unreachable
  std::vector<std::uint32_t>
      order;  // reachable nodes, each behind its dominators; node 0 is the first
};

// Semi-NCA (Georgiadis: Linear-Time Algorithms for Dominators and Related Problems, 2005), without recursion.
// Nearly linear in practice, quadratic at worst. Takes 24 bytes a node.
[[nodiscard]] Dominators find_dominators(const Graph& graph, const Graph& reverse);

}  // namespace tarn::sight::reading
