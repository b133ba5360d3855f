// Pools taken from an arena set and returned, in any order, for each geometry and address map: what is
// handed out must be the pool that a plain model says, and the address map must know it.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "alloc/arena_set.h"
#include "alloc/geometry.h"
#include "alloc/page_map.h"
#include "alloc/reserved_range.h"
#include "operations.h"

namespace tarn::fuzz {
namespace {

void expect(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "finding: %s\n", what);
    std::abort();
  }
}

template <typename Geometry, typename Map>
struct State {
  alloc::ArenaSet<Geometry, Map> set;
  std::vector<alloc::Pool*> taken;

  // The least number of free pools of an arena that has any; zero when there's none.
  [[nodiscard]] std::size_t fewest_free() const {
    std::size_t fewest = 0;
    set.map().for_each([&](const alloc::Arena& arena) {
      if (arena.nfreepools != 0 && (fewest == 0 || arena.nfreepools < fewest)) {
        fewest = arena.nfreepools;
      }
    });
    return fewest;
  }

  void take() {
    // Looking at all arenas is slow.
    const bool is_compared = taken.size() % 8 == 0;
    const std::size_t fewest = is_compared ? fewest_free() : 0;
    alloc::Pool* const pool = set.take_pool();
    if (pool == nullptr) {
      expect(fewest == 0, "no pool, though an arena has one");
      return;
    }
    const std::size_t before = fewest == 0 ? Geometry::pools_per_arena : fewest;
    expect(!is_compared || pool->arena->nfreepools + 1 == before,
           "the pool isn't the fullest arena's");
    expect(std::find(taken.begin(), taken.end(), pool) == taken.end(),
           "a pool is handed out twice");
    const std::byte* const address = set.address_of(*pool);
    expect(set.map().find_arena(address) == pool->arena, "the map doesn't find the arena");
    expect(set.map().lookup().covers(address), "the lookup doesn't cover the pool");
    expect(set.map().lookup().pool_at(address + Geometry::pool_size - 1) == pool,
           "the lookup finds another pool");
    pool->state = PoolState::used;
    taken.push_back(pool);
  }

  void give_back(std::size_t index) {
    if (taken.empty()) {
      return;
    }
    std::swap(taken[index % taken.size()], taken.back());
    set.return_pool(*taken.back());
    taken.pop_back();
  }

  void check() const {
    set.verify([](const alloc::Pool&) {});
    expect(set.counters().pools_now == taken.size(), "the pools are miscounted");
    std::size_t empty = 0;
    set.map().for_each([&](const alloc::Arena& arena) {
      empty += arena.nfreepools == Geometry::pools_per_arena ? 1U : 0U;
    });
    expect(empty <= 1, "more than one empty arena is kept");
  }
};

template <typename State>
struct Take {
  explicit Take(Bytes& bytes) : count(1 + bytes.number<std::uint8_t>() % 80) {}
  void perform(State& state) const {
    for (std::size_t i = 0; i < count && state.taken.size() < 600; ++i) {
      state.take();
    }
  }

  std::size_t count;
};

template <typename State>
struct GiveBack {
  explicit GiveBack(Bytes& bytes)
      : first(bytes.number<std::uint16_t>()), count(1 + bytes.number<std::uint8_t>() % 80) {}
  void perform(State& state) const {
    for (std::size_t i = 0; i < count; ++i) {
      state.give_back(first);
    }
  }

  std::size_t first;
  std::size_t count;
};

template <typename State>
struct ReleaseEmptyArenas {
  explicit ReleaseEmptyArenas(Bytes&) {}
  void perform(State& state) const {
    state.set.release_empty_arenas();
    expect(!state.taken.empty() || state.set.counters().now == 0, "an empty arena wasn't released");
  }
};

template <typename State>
struct Check {
  explicit Check(Bytes&) {}
  void perform(State& state) const { state.check(); }
};

template <typename Geometry, typename Map>
void run(Bytes bytes) {
  State<Geometry, Map> state;
  using S = State<Geometry, Map>;
  // Few arenas, so that the range is used up too.
  expect(state.set.open(5 * Geometry::arena_size), "no addresses");
  run_operations<Take<S>, GiveBack<S>, ReleaseEmptyArenas<S>, Check<S>>(bytes, state);
  state.check();
  state.set.close();
}

template <typename Geometry>
void run_either_map(Bytes bytes) {
  if (bytes.number<std::uint8_t>() % 2 == 0) {
    run<Geometry, alloc::ReservedRange<Geometry>>(bytes);
  } else {
    run<Geometry, alloc::PageMap<Geometry>>(bytes);
  }
}

}  // namespace
}  // namespace tarn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tarn;
  fuzz::Bytes bytes(data, size);
  switch (bytes.number<std::uint8_t>() % 3) {
    case 0:
      fuzz::run_either_map<alloc::TarnGeometry>(bytes);
      break;
    case 1:
      fuzz::run_either_map<alloc::ClassicGeometry>(bytes);
      break;
    default:
      fuzz::run_either_map<alloc::ModernGeometry>(bytes);
  }
  return 0;
}
