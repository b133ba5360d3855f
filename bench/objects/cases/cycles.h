// A loop that makes rings of 1,000 objects and forgets each: ten million objects. Who collects cycles has to keep up
// with it. Where none are collected, the link that would close the ring is a weak one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "../meter.h"
#include "../peer.h"

namespace tarn::bench::objects {

inline constexpr std::size_t ring_size = 1000;

template <Peer P>
[[gnu::noinline]] std::uint64_t make_ring_and_forget_it(std::uint64_t seed) {
  const auto first = P::template make<Link<P>>(seed);
  auto last = first;
  for (std::size_t i = 1; i < ring_size; ++i) {
    auto link = P::template make<Link<P>>(seed + i);
    last->next = link;
    last = std::move(link);
  }
  if constexpr (P::collects) {
    last->next = first;
  } else {
    P::set_back(*first, last);
  }
  return first->value + last->value;
}

template <Peer P>
std::uint64_t run_cycles(Meter& meter, double scale) {
  const std::size_t rings = std::max<std::size_t>(10, static_cast<std::size_t>(10'000 * scale));
  std::uint64_t sum = 0;
  meter.part("all", rings * ring_size, [&] {
    for (std::size_t i = 0; i < rings; ++i) {
      sum += make_ring_and_forget_it<P>(i);
      meter.step();
    }
  });
  return sum;
}

}  // namespace tarn::bench::objects
