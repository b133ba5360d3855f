// The debug heap's table of addresses against a standard set.

#include <cstdio>
#include <cstdlib>
#include <unordered_set>

#include "heap/address_table.h"
#include "operations.h"

namespace tarn::fuzz {
namespace {

struct State {
  heap::AddressTable table;
  std::unordered_set<const void*> model;
};

void expect(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "finding: %s\n", what);
    std::abort();
  }
}

// Few addresses, so that they meet; never null, which the table doesn't hold.
const void* read_address(Bytes& bytes) {
  return reinterpret_cast<const void*>((std::size_t{bytes.number<std::uint16_t>()} + 1) * 16);
}

struct Insert {
  explicit Insert(Bytes& bytes) : address(read_address(bytes)) {}
  void perform(State& state) const {
    expect(state.table.insert(address), "no memory for the table");
    state.model.insert(address);
  }

  const void* address;
};

struct InsertMany {
  explicit InsertMany(Bytes& bytes)
      : first(bytes.number<std::uint16_t>()), count(bytes.number<std::uint8_t>()) {}
  void perform(State& state) const {
    for (std::size_t i = 0; i < count; ++i) {
      const void* const address = reinterpret_cast<const void*>((first + i + 1) * 16);
      expect(state.table.insert(address), "no memory for the table");
      state.model.insert(address);
    }
  }

  std::size_t first;
  std::size_t count;
};

struct Remove {
  explicit Remove(Bytes& bytes) : address(read_address(bytes)) {}
  void perform(State& state) const {
    expect(state.table.remove(address) == (state.model.erase(address) == 1), "remove disagrees");
  }

  const void* address;
};

struct RemoveMany {
  explicit RemoveMany(Bytes& bytes)
      : first(bytes.number<std::uint16_t>()), count(bytes.number<std::uint8_t>()) {}
  void perform(State& state) const {
    for (std::size_t i = 0; i < count; ++i) {
      const void* const address = reinterpret_cast<const void*>((first + i + 1) * 16);
      expect(state.table.remove(address) == (state.model.erase(address) == 1), "remove disagrees");
    }
  }

  std::size_t first;
  std::size_t count;
};

struct Look {
  explicit Look(Bytes& bytes) : address(read_address(bytes)) {}
  void perform(State& state) const {
    expect(state.table.contains(address) == (state.model.count(address) == 1),
           "contains disagrees");
  }

  const void* address;
};

struct Compare {
  explicit Compare(Bytes&) {}
  void perform(State& state) const {
    expect(state.table.size() == state.model.size(), "size disagrees");
    std::size_t visited = 0;
    state.table.for_each([&](const void* address) {
      expect(state.model.count(address) == 1, "for_each shows what isn't there");
      ++visited;
    });
    expect(visited == state.model.size(), "for_each doesn't show all");
    for (const void* const address : state.model) {
      expect(state.table.contains(address), "an address is lost");
    }
  }
};

struct Close {
  explicit Close(Bytes&) {}
  void perform(State& state) const {
    state.table.close();
    state.model.clear();
  }
};

}  // namespace
}  // namespace tarn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tarn::fuzz;
  State state;
  Bytes bytes(data, size);
  run_operations<Insert, InsertMany, Remove, RemoveMany, Look, Compare, Close>(bytes, state);
  Bytes nothing(nullptr, 0);
  Compare(nothing).perform(state);
  state.table.close();
  return 0;
}
