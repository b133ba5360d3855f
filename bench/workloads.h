// What is measured: each workload as a function over any peer. The first word of each block is written,
// as every program does, and an item is one block allocated and freed (or reallocated).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <benchmark/benchmark.h>

#include "size_mix.h"

namespace tarn::bench {

inline void touch(void* block) { *static_cast<std::uintptr_t*>(block) = 1; }

struct Slot {
  void* block;
  std::size_t size;
};

template <typename Calls>
void fill(const Calls& calls, Slot& slot, std::size_t size) {
  slot = {calls.allocate(size), size};
  touch(slot.block);
}

// 0 … count-1 in the order in which blocks are freed.
enum class Order { lifo, fifo, random };

inline std::vector<std::uint32_t> make_order(Order order, std::size_t count) {
  std::vector<std::uint32_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0U);
  if (order == Order::lifo) {
    std::reverse(indices.begin(), indices.end());
  } else if (order == Order::random) {
    Random random;
    for (std::size_t i = count; i > 1; --i) {
      std::swap(indices[i - 1], indices[random.below(i)]);
    }
  }
  return indices;
}

inline void count_items(benchmark::State& state, std::size_t items_per_iteration) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(items_per_iteration));
}

// A block is allocated and freed at once, while other blocks of its size are alive, as in any program.
template <typename Calls>
void pairs(benchmark::State& state, const Calls calls, std::size_t size) {
  std::vector<Slot> alive(100);
  for (Slot& slot : alive) {
    fill(calls, slot, size);
  }
  for (auto _ : state) {
    void* const block = calls.allocate(size);
    touch(block);
    calls.free(block, size);
  }
  for (const Slot& slot : alive) {
    calls.free(slot.block, slot.size);
  }
  count_items(state, 1);
}

// `count` blocks of a size are allocated, then all are freed.
template <typename Calls>
void batches(benchmark::State& state, const Calls calls, std::size_t size, std::size_t count,
             Order order) {
  std::vector<void*> blocks(count);
  const std::vector<std::uint32_t> indices = make_order(order, count);
  for (auto _ : state) {
    for (void*& block : blocks) {
      block = calls.allocate(size);
      touch(block);
    }
    for (const std::uint32_t index : indices) {
      calls.free(blocks[index], size);
    }
  }
  count_items(state, count);
}

// `live` blocks of mixed sizes; again and again a random one is freed and another allocated.
template <typename Calls>
void replacement(benchmark::State& state, const Calls calls, std::size_t live) {
  const SizeMix mix;
  Random random;
  std::vector<Slot> slots(live);
  for (Slot& slot : slots) {
    fill(calls, slot, mix.draw(random));
  }
  const auto replace = [&] {
    Slot& slot = slots[random.below(live)];
    calls.free(slot.block, slot.size);
    fill(calls, slot, mix.draw(random));
  };
  for (std::size_t i = 0; i < live; ++i) {
    replace();
  }
  for (auto _ : state) {
    replace();
  }
  for (const Slot& slot : slots) {
    calls.free(slot.block, slot.size);
  }
  count_items(state, 1);
}

// Mixed sizes: of three steps two allocate and one frees a random block, until `most` are alive; then
// two free and one allocates, until none is.
template <typename Calls>
void growth_and_drain(benchmark::State& state, const Calls calls, std::size_t most) {
  const SizeMix mix;
  Random random;
  std::vector<Slot> slots(most);
  std::size_t items = 0;
  for (auto _ : state) {
    std::size_t alive = 0;
    const auto grow = [&] {
      fill(calls, slots[alive++], mix.draw(random));
      ++items;
    };
    const auto shrink = [&] {
      Slot& slot = slots[random.below(alive)];
      calls.free(slot.block, slot.size);
      slot = slots[--alive];
    };
    while (alive + 2 <= most) {
      grow();
      grow();
      shrink();
    }
    while (alive >= 2) {
      shrink();
      shrink();
      grow();
    }
    while (alive > 0) {
      shrink();
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(items));
}

// A hundred blocks side by side, each grown from 16 bytes to `largest` by an eighth at a time, as
// list.append and bytes concatenation do. An item is one reallocation.
template <typename Calls>
void reallocation(benchmark::State& state, const Calls calls, std::size_t largest) {
  std::vector<Slot> slots(100);
  std::size_t items = 0;
  for (auto _ : state) {
    for (Slot& slot : slots) {
      fill(calls, slot, 16);
    }
    for (std::size_t size = 24; size <= largest; size = (size + size / 8 + 15) / 8 * 8) {
      for (Slot& slot : slots) {
        slot.block = calls.reallocate(slot.block, slot.size, size);
        slot.size = size;
        touch(slot.block);
      }
      items += slots.size();
    }
    for (const Slot& slot : slots) {
      calls.free(slot.block, slot.size);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(items));
}

}  // namespace tarn::bench
