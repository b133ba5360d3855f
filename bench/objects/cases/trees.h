// Binary trees, after the Computer Language Benchmarks Game: a tree of depth + 1 is built and dropped, one of the
// full depth lives through it all, and many smaller ones come and go. At depth 20: 308 million nodes, of which at
// most 4.2 million live at once.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "../meter.h"
#include "../peer.h"

namespace tarn::bench::objects {

// A tree below this is built and counted without a step of the meter between: about a thousand nodes.
inline constexpr int depth_of_a_step = 9;

template <Peer P>
typename P::template Owner<Tree<P>> small_tree(int depth) {
  if (depth == 0) {
    return P::template make<Tree<P>>(nullptr, nullptr);
  }
  auto left = small_tree<P>(depth - 1);
  auto right = small_tree<P>(depth - 1);
  return P::template make<Tree<P>>(std::move(left), std::move(right));
}

template <Peer P>
typename P::template Owner<Tree<P>> tree_of(int depth, Meter& meter) {
  if (depth <= depth_of_a_step) {
    auto tree = small_tree<P>(depth);
    if (depth == depth_of_a_step) {
      meter.step();
    }
    return tree;
  }
  auto left = tree_of<P>(depth - 1, meter);
  auto right = tree_of<P>(depth - 1, meter);
  return P::template make<Tree<P>>(std::move(left), std::move(right));
}

template <Peer P>
std::uint64_t count_nodes(const Tree<P>* tree) {
  return P::get(tree->left) == nullptr
             ? 1
             : 1 + count_nodes<P>(P::get(tree->left)) + count_nodes<P>(P::get(tree->right));
}

template <Peer P>
[[gnu::noinline]] std::uint64_t build_count_and_drop(int depth, Meter& meter) {
  const auto tree = tree_of<P>(depth, meter);
  return count_nodes<P>(P::get(tree));
}

template <Peer P>
std::uint64_t run_trees(Meter& meter, double scale) {
  constexpr int least = 4;
  constexpr int full = 20;
  const int most = std::max(least + 2, full + static_cast<int>(std::lround(std::log2(scale))));
  const std::uint64_t nodes_a_depth = std::uint64_t{1} << static_cast<unsigned>(most + least + 1);
  std::uint64_t count = 0;
  meter.part("all", nodes_a_depth * static_cast<std::uint64_t>((most - least) / 2 + 1), [&] {
    count += build_count_and_drop<P>(most + 1, meter);
    const auto long_lived = tree_of<P>(most, meter);
    for (int depth = least; depth <= most; depth += 2) {
      const std::uint64_t trees = std::uint64_t{1} << static_cast<unsigned>(most - depth + least);
      const std::uint64_t trees_a_step =
          std::uint64_t{1} << static_cast<unsigned>(std::max(0, depth_of_a_step - depth));
      for (std::uint64_t i = 0; i < trees; ++i) {
        count += build_count_and_drop<P>(depth, meter);
        if (i % trees_a_step == 0) {
          meter.step();
        }
      }
    }
    count += count_nodes<P>(P::get(long_lived));
  });
  return count;
}

}  // namespace tarn::bench::objects
