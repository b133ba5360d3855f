// GCBench, by John Ellis, Pete Kovac and Hans Boehm: trees built from the root down and from the leaves up, while a
// tree of depth 16 and an array of half a million numbers stay alive. With its own parameters.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "../meter.h"
#include "../peer.h"
#include "trees.h"

namespace tarn::bench::objects {

// Gives `node` children to the depth.
template <Peer P>
void populate(int depth, BenchNode<P>* node, Meter& meter) {
  if (depth <= 0) {
    return;
  }
  node->left = P::template make<BenchNode<P>>();
  node->right = P::template make<BenchNode<P>>();
  populate<P>(depth - 1, P::get(node->left), meter);
  populate<P>(depth - 1, P::get(node->right), meter);
  if (depth == depth_of_a_step) {
    meter.step();
  }
}

template <Peer P>
typename P::template Owner<BenchNode<P>> bottom_up(int depth, Meter& meter) {
  if (depth <= 0) {
    return P::template make<BenchNode<P>>();
  }
  auto left = bottom_up<P>(depth - 1, meter);
  auto right = bottom_up<P>(depth - 1, meter);
  if (depth == depth_of_a_step) {
    meter.step();
  }
  return P::template make<BenchNode<P>>(std::move(left), std::move(right));
}

template <Peer P>
[[gnu::noinline]] std::uint64_t top_down_once(int depth, Meter& meter) {
  const auto root = P::template make<BenchNode<P>>();
  populate<P>(depth, P::get(root), meter);
  return P::get(P::get(root)->left) != nullptr ? 1 : 0;
}

template <Peer P>
[[gnu::noinline]] std::uint64_t bottom_up_once(int depth, Meter& meter) {
  const auto root = bottom_up<P>(depth, meter);
  return P::get(P::get(root)->left) != nullptr ? 1 : 0;
}

template <Peer P>
std::uint64_t run_gcbench(Meter& meter, double scale) {
  constexpr int least = 4;
  constexpr int least_scaled = 8;
  constexpr std::size_t numbers_at_full_size = 500'000;
  const int most = std::max(least_scaled, 16 + static_cast<int>(std::lround(std::log2(scale))));
  const int stretch = most + 2;
  const auto tree_size = [](int depth) {
    return (std::uint64_t{1} << static_cast<unsigned>(depth + 1)) - 1;
  };
  std::uint64_t operations = tree_size(stretch) + tree_size(most);
  for (int depth = least; depth <= most; depth += 2) {
    operations += 2 * (2 * tree_size(stretch) / tree_size(depth)) * tree_size(depth);
  }
  std::uint64_t checksum = 0;
  meter.part("all", operations, [&] {
    checksum += bottom_up_once<P>(stretch, meter);
    const auto long_lived = P::template make<BenchNode<P>>();
    populate<P>(most, P::get(long_lived), meter);
    typename P::Doubles numbers(numbers_at_full_size);
    for (std::size_t i = 0; i < numbers_at_full_size / 2; ++i) {
      numbers[i] = 1.0 / static_cast<double>(i + 1);
    }
    for (int depth = least; depth <= most; depth += 2) {
      const std::uint64_t trees = 2 * tree_size(stretch) / tree_size(depth);
      const std::uint64_t trees_a_step =
          std::uint64_t{1} << static_cast<unsigned>(std::max(0, depth_of_a_step - depth));
      for (std::uint64_t i = 0; i < trees; ++i) {
        checksum += top_down_once<P>(depth, meter);
        if (i % trees_a_step == 0) {
          meter.step();
        }
      }
      for (std::uint64_t i = 0; i < trees; ++i) {
        checksum += bottom_up_once<P>(depth, meter);
        if (i % trees_a_step == 0) {
          meter.step();
        }
      }
    }
    checksum +=
        P::get(P::get(long_lived)->left) != nullptr && numbers[1000] == 1.0 / 1001 ? 1000 : 0;
  });
  return checksum;
}

}  // namespace tarn::bench::objects
