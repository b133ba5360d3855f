#include "sight/reading/graph.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace tarn::sight::reading {
namespace {

std::set<std::uint32_t> reachable(const Graph& graph, std::uint32_t without) {
  std::set<std::uint32_t> seen{0};
  std::vector<std::uint32_t> from{0};
  while (!from.empty()) {
    const std::uint32_t node = from.back();
    from.pop_back();
    for (const std::uint32_t target : graph.edges(node)) {
      if (target != without && seen.insert(target).second) {
        from.push_back(target);
      }
    }
  }
  return seen;
}

std::vector<std::uint32_t> dominators_of(std::uint32_t nodes, const std::vector<Edge>& edges) {
  const Graph graph = make_graph(nodes, edges);
  return find_dominators(graph, reversed(graph)).parent;
}

TEST(Dominators, OfADiamondAreItsUpperCorner) {
  EXPECT_EQ(dominators_of(5, {{0, 1}, {1, 2}, {1, 3}, {2, 4}, {3, 4}}),
            (std::vector<std::uint32_t>{no_index, 0, 1, 1, 1}));
}

TEST(Dominators, OfWhatCantBeReachedAreNone) {
  EXPECT_EQ(dominators_of(4, {{0, 1}, {2, 3}, {3, 2}, {2, 1}}),
            (std::vector<std::uint32_t>{no_index, 0, no_index, no_index}));
}

TEST(Dominators, OfALongChainWithLinksBackTakeNoStack) {
  constexpr std::uint32_t count = 300'000;
  std::vector<Edge> edges;
  for (std::uint32_t node = 0; node + 1 < count; ++node) {
    edges.emplace_back(node, node + 1);
    edges.emplace_back(node + 1, node);
  }
  const std::vector<std::uint32_t> parents = dominators_of(count, edges);
  for (std::uint32_t node = 1; node < count; ++node) {
    ASSERT_EQ(parents[node], node - 1);
  }
}

// By definition: d dominates n if n can't be reached without d. The nearest is the one all others dominate.
TEST(Dominators, OfRandomGraphsAreWhatRemovingEachNodeShows) {
  std::mt19937 random(20261126);
  for (int round = 0; round < 400; ++round) {
    const auto count = static_cast<std::uint32_t>(2 + random() % 14);
    std::vector<Edge> edges;
    const auto most = static_cast<std::uint32_t>(random() % (3 * count));
    for (std::uint32_t i = 0; i < most; ++i) {
      edges.emplace_back(random() % count, random() % count);
    }
    const Graph graph = make_graph(count, edges);
    const Dominators found = find_dominators(graph, reversed(graph));
    const std::set<std::uint32_t> all = reachable(graph, no_index);
    ASSERT_EQ(found.order.size(), all.size());
    std::vector<std::set<std::uint32_t>> dominators(count);
    for (std::uint32_t node = 1; node < count; ++node) {
      const std::set<std::uint32_t> without = reachable(graph, node);
      for (const std::uint32_t other : all) {
        if (other != node && !without.contains(other)) {
          dominators[other].insert(node);
        }
      }
    }
    for (std::uint32_t node = 1; node < count; ++node) {
      if (!all.contains(node)) {
        ASSERT_EQ(found.parent[node], no_index);
        continue;
      }
      std::set<std::uint32_t> chain;
      for (std::uint32_t at = found.parent[node]; at != 0; at = found.parent[at]) {
        chain.insert(at);
      }
      ASSERT_EQ(chain, dominators[node]) << "round " << round << ", node " << node;
    }
    std::vector<bool> placed(count, false);
    for (const std::uint32_t node : found.order) {
      ASSERT_TRUE(node == 0 || placed[found.parent[node]]) << "parents come first";
      placed[node] = true;
    }
  }
}

}  // namespace
}  // namespace tarn::sight::reading
