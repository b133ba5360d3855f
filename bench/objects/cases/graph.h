// A graph of four million nodes with two references each, to nodes far away in memory: built, collected entirely
// while all of it is alive, dropped. A peer that collects no cycles has no collection here, and the case breaks its
// cycles by hand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../meter.h"
#include "../peer.h"
#include "../random.h"

namespace tarn::bench::objects {

inline constexpr std::size_t nodes_a_step = 1024;

// Each node's `next` goes to the one after it in a random order of all, so the whole is one cycle; `other` anywhere.
template <Peer P>
[[gnu::noinline]] void build_graph(typename P::template Array<Vertex<P>>& nodes, std::size_t count,
                                   const std::vector<std::uint32_t>& order, Random& random,
                                   Meter& meter) {
  for (std::size_t i = 0; i < count; ++i) {
    nodes.set(i, P::template make<Vertex<P>>(i));
    if (i % nodes_a_step == 0) {
      meter.step();
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    Vertex<P>* const node = nodes.at(order[i]);
    node->next = nodes.copy(order[i + 1 < count ? i + 1 : 0]);
    node->other = nodes.copy(random.below(count));
    if (i % nodes_a_step == 0) {
      meter.step();
    }
  }
}

template <Peer P>
[[gnu::noinline]] std::uint64_t walk_graph(const Vertex<P>* first, Meter& meter) {
  std::uint64_t sum = 0;
  std::size_t steps = 0;
  const Vertex<P>* node = first;
  do {
    sum = sum * 31 + node->value + P::get(node->other)->value;
    node = P::get(node->next);
    if (++steps % nodes_a_step == 0) {
      meter.step();
    }
  } while (node != first);
  return sum;
}

template <Peer P>
[[gnu::noinline]] void drop_graph(typename P::template Array<Vertex<P>>& nodes, std::size_t count,
                                  Meter& meter) {
  if constexpr (!P::collects) {
    for (std::size_t i = 0; i < count; ++i) {
      nodes.at(i)->next = nullptr;
      nodes.at(i)->other = nullptr;
      if (i % nodes_a_step == 0) {
        meter.step();
      }
    }
  }
  nodes.clear();
}

template <Peer P>
std::uint64_t run_graph(Meter& meter, double scale) {
  const std::size_t count =
      std::max<std::size_t>(1000, static_cast<std::size_t>(4'000'000 * scale));
  Random random(4);
  const std::vector<std::uint32_t> order = shuffled(count, random);
  typename P::template Array<Vertex<P>> nodes(count);
  meter.part("build", count, [&] { build_graph<P>(nodes, count, order, random, meter); });
  std::uint64_t sum = 0;
  meter.part("walk", count, [&] { sum = walk_graph<P>(nodes.at(0), meter); });
  if constexpr (P::collects) {
    meter.part("collection", count, [] { P::collect(); });
  }
  meter.part("drop", count, [&] {
    drop_graph<P>(nodes, count, meter);
    if constexpr (P::collects) {
      P::collect();
    }
  });
  return sum;
}

}  // namespace tarn::bench::objects
