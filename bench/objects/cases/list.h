// A doubly linked list of two million nodes: built from the front, walked, dropped. Its links back are strong where
// cycles are collected, and weak where they aren't; there the case also takes the list apart node by node, since
// freeing its head would free the rest by recursion.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "../meter.h"
#include "../peer.h"
#include "graph.h"

namespace tarn::bench::objects {

template <Peer P>
[[gnu::noinline]] typename P::template Owner<Link<P>> build_list(std::size_t count, Meter& meter) {
  auto first = P::template make<Link<P>>(std::uint64_t{0});
  auto last = first;
  for (std::size_t i = 1; i < count; ++i) {
    auto link = P::template make<Link<P>>(i);
    P::set_back(*link, last);
    last->next = link;
    last = std::move(link);
    if (i % nodes_a_step == 0) {
      meter.step();
    }
  }
  return first;
}

template <Peer P>
[[gnu::noinline]] std::uint64_t walk_list(const Link<P>* first, Meter& meter) {
  std::uint64_t sum = 0;
  for (const Link<P>* link = first; link != nullptr; link = P::get(link->next)) {
    sum = sum * 31 + link->value;
    if (link->value % nodes_a_step == 0) {
      meter.step();
    }
  }
  return sum;
}

template <Peer P>
[[gnu::noinline]] void drop_list(typename P::template Owner<Link<P>>& first, Meter& meter) {
  if constexpr (!P::collects) {
    std::size_t count = 0;
    while (first) {
      typename P::template Owner<Link<P>> rest = std::move(first->next);
      first = std::move(rest);
      if (++count % nodes_a_step == 0) {
        meter.step();
      }
    }
  }
  first = nullptr;
}

template <Peer P>
std::uint64_t run_list(Meter& meter, double scale) {
  const std::size_t count =
      std::max<std::size_t>(1000, static_cast<std::size_t>(2'000'000 * scale));
  typename P::template Owner<Link<P>> first = nullptr;
  meter.part("build", count, [&] { first = build_list<P>(count, meter); });
  std::uint64_t sum = 0;
  meter.part("walk", count, [&] { sum = walk_list<P>(P::get(first), meter); });
  meter.part("drop", count, [&] {
    drop_list<P>(first, meter);
    if constexpr (P::collects) {
      P::collect();
    }
  });
  return sum;
}

}  // namespace tarn::bench::objects
