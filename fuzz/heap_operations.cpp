// A sequence of operations on a heap of any kind, beside a model that knows contents, overlaps, places and
// statistics. The first bytes choose the heap.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "operations.h"
#include "support/combinations.h"
#include "support/failing_allocator.h"
#include "support/heap_model.h"

namespace tarn::fuzz {
namespace {

struct State {
  test::HeapModel& model;
  test::FailingAllocator& general;
};

// Mostly small; sometimes up to 64 KiB, or so much that it must be refused.
std::size_t read_size(Bytes& bytes) {
  const auto value = bytes.number<std::uint16_t>();
  if ((value & 0x8000U) == 0) {
    return value % 600;
  }
  return (value & 0x4000U) == 0 ? value % 65536 : SIZE_MAX - value % 64;
}

Domain read_domain(Bytes& bytes) { return static_cast<Domain>(bytes.number<std::uint8_t>() % 3); }

struct Allocate {
  explicit Allocate(Bytes& bytes) : size(read_size(bytes)), domain(read_domain(bytes)) {}
  void perform(State& state) const { state.model.allocate(size, domain); }

  std::size_t size;
  Domain domain;
};

// Alike blocks fill pools, and draining them empties pools and arenas; single operations rarely do.
struct AllocateMany {
  explicit AllocateMany(Bytes& bytes)
      : size(read_size(bytes) % 600),
        count(bytes.number<std::uint8_t>()),
        domain(read_domain(bytes)) {}
  void perform(State& state) const {
    for (std::size_t i = 0; i < count && state.model.live() < 3000; ++i) {
      state.model.allocate(size, domain);
    }
  }

  std::size_t size;
  std::size_t count;
  Domain domain;
};

struct AllocateZeroed {
  explicit AllocateZeroed(Bytes& bytes)
      : count(bytes.number<std::uint8_t>()), size(read_size(bytes)), domain(read_domain(bytes)) {}
  void perform(State& state) const { state.model.allocate_zeroed(count, size, domain); }

  std::size_t count;
  std::size_t size;
  Domain domain;
};

struct AllocateAligned {
  explicit AllocateAligned(Bytes& bytes)
      : alignment(std::size_t{1} << (bytes.number<std::uint8_t>() % 21)),
        size(read_size(bytes)),
        domain(read_domain(bytes)) {}
  void perform(State& state) const { state.model.allocate_aligned(alignment, size, domain); }

  std::size_t alignment;
  std::size_t size;
  Domain domain;
};

struct Reallocate {
  explicit Reallocate(Bytes& bytes)
      : index(bytes.number<std::uint16_t>()), size(read_size(bytes)) {}
  void perform(State& state) const { state.model.reallocate(index, size); }

  std::size_t index;
  std::size_t size;
};

struct Free {
  explicit Free(Bytes& bytes) : index(bytes.number<std::uint16_t>()) {}
  void perform(State& state) const { state.model.free(index); }

  std::size_t index;
};

struct FreeMany {
  explicit FreeMany(Bytes& bytes)
      : first(bytes.number<std::uint16_t>()),
        step(bytes.number<std::uint8_t>()),
        count(bytes.number<std::uint8_t>()) {}
  void perform(State& state) const {
    for (std::size_t i = 0; i < count; ++i) {
      state.model.free(first + i * step);
    }
  }

  std::size_t first;
  std::size_t step;
  std::size_t count;
};

struct FreeSized {
  explicit FreeSized(Bytes& bytes) : index(bytes.number<std::uint16_t>()) {}
  void perform(State& state) const { state.model.free_sized(index); }

  std::size_t index;
};

struct ReleaseEmptyArenas {
  explicit ReleaseEmptyArenas(Bytes&) {}
  void perform(State& state) const { state.model.release_empty_arenas(); }
};

struct FailTheNextRequestBelow {
  explicit FailTheNextRequestBelow(Bytes& bytes) : nth(bytes.number<std::uint8_t>()) {}
  void perform(State& state) const { state.general.fail_the(nth); }

  std::size_t nth;
};

struct Verify {
  explicit Verify(Bytes&) {}
  void perform(State& state) const { state.model.verify(); }
};

void run(Bytes bytes) {
  static const std::vector<test::Combination> combinations = test::all_combinations_and_stress();
  test::FailingAllocator general;
  HeapOptions options = combinations[bytes.number<std::uint8_t>() % combinations.size()].options();
  options.general = general.interface();
  // Few arenas, so that the range is used up too.
  options.reserved_bytes = std::size_t{1} << (16 + bytes.number<std::uint8_t>() % 8);
  {
    Heap heap(options);
    test::HeapModel model(heap, options);
    model.expect_failures(true);  // sizes that must be refused, and failures below
    State state{model, general};
    run_operations<Allocate, AllocateMany, AllocateZeroed, AllocateAligned, Reallocate, Free,
                   FreeMany, FreeSized, ReleaseEmptyArenas, FailTheNextRequestBelow, Verify>(bytes,
                                                                                             state);
    model.verify();
    model.free_all();
    model.verify();
    model.release_empty_arenas();
  }
  if (general.live() != 0) {
    throw test::ModelError(std::to_string(general.live()) +
                           " blocks of the general allocator are left");
  }
}

}  // namespace
}  // namespace tarn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    tarn::fuzz::run({data, size});
  } catch (const tarn::test::ModelError& error) {
    std::fprintf(stderr, "finding: %s\n", error.what());
    std::abort();
  }
  return 0;
}
