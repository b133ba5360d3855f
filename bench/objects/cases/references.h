// What a reference costs: copied and released, passed to a function that owns its argument, passed to one that
// borrows it. A thousand objects in turn, so that no operation waits for the one before.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "../meter.h"
#include "../peer.h"

namespace tarn::bench::objects {

// Makes the compiler believe that someone looks at the object here, and at all memory.
template <typename T>
inline void look_at(T* object) {
  asm volatile("" : : "r"(object) : "memory");
}

template <Peer P>
[[gnu::noinline]] std::uint64_t take_owned(typename P::template Owner<Link<P>> link) {
  return P::get(link)->value;
}

template <Peer P>
[[gnu::noinline]] std::uint64_t take_borrowed(typename P::template Borrowed<Link<P>> link) {
  return P::get(link)->value;
}

template <Peer P>
std::uint64_t run_references(Meter& meter, double scale) {
  constexpr std::size_t objects = 1024;
  const std::size_t rounds = std::max<std::size_t>(100, static_cast<std::size_t>(50'000 * scale));
  typename P::template Array<Link<P>> links(objects);
  for (std::size_t i = 0; i < objects; ++i) {
    links.set(i, P::template make<Link<P>>(i));
  }
  std::uint64_t sum = 0;
  const auto each = [&](auto&& operation) {
    return [&, operation] {
      for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < objects; ++i) {
          operation(i);
        }
        meter.step();
      }
    };
  };
  meter.part("copy", rounds * objects, each([&](std::size_t i) {
               const typename P::template Owner<Link<P>> copy = links.copy(i);
               look_at(P::get(copy));
             }));
  meter.part("owned", rounds * objects,
             each([&](std::size_t i) { sum += take_owned<P>(links.copy(i)); }));
  meter.part("borrowed", rounds * objects,
             each([&](std::size_t i) { sum += take_borrowed<P>(links.borrow(i)); }));
  return sum;
}

}  // namespace tarn::bench::objects
