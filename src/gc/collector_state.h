// A collector: one collection at a time, in one go or in slices.
//
//   prepare ──► tally ──► mark ──► condemn ──► weak ──► settle ──► callbacks ──► finalize ──► clear ──► let_go ──► finish
//                                     │          ▲                                  │
//                                     │ slices   │                                  │ the program's code has run
//                                     ▼          │                                  ▼
//                        containers ──► edges ──► check ◄────────────────────── grip
//                             ▲            │ something is in use, or is reachable from what is
//                             └── reset ◄── rescue
//
//   prepare     old and frozen objects count as marked: they are not looked at
//   tally       for each object: its references counted, less those seen from others
//   mark        who has references that nobody was seen to own is alive, and so is what it reaches
//   condemn     all others are: C1 they can't die from here on, since we hold them
//   weak        weak references to them are cleared, all at once
//   settle      tallies are zero again
//   callbacks, finalize     code of the program's own
//   clear       references of the condemned are let go, then
//   let_go      the condemned themselves: they die
//   finish      who was marked is old
//
// In one go, nobody can interfere before `callbacks`, and what is condemned is garbage. In slices the program runs in
// between, and tally and mark are only good guesses: whom they condemn has to be checked. Checked is a closed claim:
// all references to the condemned are from the condemned. It's sound for any set of objects, as long as it holds for
// all of them at one moment, T. Hence:
//
//   C2  the counts of the condemned are biased before T, so that letting go of a reference to one is heard of;
//       references that are added show in the count in the end
//   C3  from T on the barrier is up: storing a reference to one in an object is heard of
//   C4  at T, all containers of the condemned are seen in one go: one that is moved to another object as a whole
//       isn't heard of. References in objects themselves can only be removed, or stored by C3, and are seen later
//   C5  whoever is heard of is rescued, with what it reaches, and then the claim is checked anew for the others
//
// If no one was heard of, references seen to each of the condemned equal its count in the end, which can only have
// risen since T, and each reference seen was there at T: so at T there were no others. And garbage stays
// garbage. (Weak references could yet give it away: so they're cleared at once, after seeing that none did.)
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include <tarn/gc.h>

#include "gc/blocks.h"
#include "gc/deadline.h"
#include "gc/mark_stack.h"
#include "gc/pacing_rule.h"
#include "gc/tally.h"
#include "object/edges.h"
#include "object/heap_state.h"

namespace tarn::gc {

using object::HeapState;
using object::LargeObject;

// Of a pool in a collection. A tallied one has objects that aren't marked from the first: nobody else is looked for,
// and has a tally.
enum class PoolKind : std::uint8_t { no_references, has_references, tallied };

class CollectorState {
 public:
  // std::bad_alloc.
  CollectorState(ObjectHeap& heap, const CollectorOptions& given);
  ~CollectorState();
  CollectorState(const CollectorState&) = delete;
  CollectorState& operator=(const CollectorState&) = delete;

  Collection collect(Generation generation) noexcept;
  bool collect(std::chrono::nanoseconds budget) noexcept;
  // Goes on with what is under way until it's over.
  void finish_slices() noexcept;
  // Aborts with a message while an object dies: a container that is being cleared may hold what is gone, and `function`
  // would look at it.
  void refuse_while_anyone_dies(const char* function) const noexcept;
  [[nodiscard]] bool is_under_way() const noexcept { return phase_ != Phase::idle; }
  [[nodiscard]] const Collection& last() const noexcept { return last_; }

  void freeze() noexcept;
  void unfreeze() noexcept;
  [[nodiscard]] std::size_t frozen() const noexcept;
  void visit_saved(void (*visit)(void* context, Object& object), void* context) const;
  void drop_saved() noexcept;
  [[nodiscard]] LeakReport find_leaks();
  void verify() const;

  void collect_at_allocations(std::size_t every) noexcept;

  [[nodiscard]] HeapState& heap() const noexcept { return heap_; }
  [[nodiscard]] PacingRule& rule() noexcept { return rule_; }
  [[nodiscard]] PacingRule::Heap figures() const noexcept;
  [[nodiscard]] MarkStack& stack() noexcept { return stack_; }
  // For tests: more than so many objects waiting are many, whatever the heap.
  void mark_in_order_beyond(std::size_t objects) noexcept { least_many_ = objects; }

  CollectorOptions options;
  CollectorStatistics statistics;
  // Deques: a callback may add others while it runs.
  std::deque<Collector::Callback> before;
  std::deque<Collector::Callback> after;

 private:
  enum class Phase : std::uint8_t {
    idle,
    prepare,
    tally,
    mark,
    condemn,
    grip,
    containers,
    edges,
    check,
    rescue,
    reset,
    weak,
    settle,
    callbacks,
    finalize,
    clear,
    let_go,
    give_up,
    finish
  };
  using Pool = alloc::Pool;

  static void hear_allocating(void* context, Type* type, std::size_t bytes) noexcept;
  static bool hear_released(void* context, Object& object) noexcept;
  static void hear_stored(void* context, Object& object) noexcept;
  void allocating(std::size_t bytes) noexcept;

  void begin(Generation generation, bool in_slices) noexcept;
  void run(const Deadline& deadline) noexcept;
  // One phase, or as much of it as fits. False: the deadline has passed.
  [[nodiscard]] bool step(const Deadline& deadline) noexcept;
  void end() noexcept;

  // trial.cpp: who's garbage.
  void use_large_pages() noexcept;
  [[nodiscard]] bool prepare(const Deadline& deadline) noexcept;
  [[nodiscard]] bool tally(const Deadline& deadline) noexcept;
  template <bool some_are_marked>
  void tally_pool(const Pool& pool, std::size_t index, SeenReferences& seen) noexcept;
  void tally_large() noexcept;
  [[nodiscard]] bool mark(const Deadline& deadline) noexcept;
  void mark_at_once() noexcept;
  void mark_in_order() noexcept;
  [[nodiscard]] std::size_t most_waiting() const noexcept;
  void fold_scratches(const std::byte* arena) noexcept;
  void push_roots(std::byte* arena) noexcept;
  [[nodiscard]] std::size_t mark_roots(const std::byte* arena) noexcept;
  template <typename Reach>
  void see_roots(std::byte* arena, Reach reach) noexcept;
  void mark_object(Object& object) noexcept;
  template <typename Reach>
  [[nodiscard]] bool drain(const Deadline& deadline, Reach reach,
                           std::size_t most = SIZE_MAX) noexcept;
  template <typename Reach>
  void make_up_for_overflow(Reach reach) noexcept;
  [[nodiscard]] bool condemn(const Deadline& deadline) noexcept;
  [[nodiscard]] bool is_candidate(const Object& object) const noexcept;

  // verification.cpp: whether the condemned are garbage still.
  [[nodiscard]] bool grip(const Deadline& deadline) noexcept;
  [[nodiscard]] bool see_containers(const Deadline& deadline) noexcept;
  [[nodiscard]] bool see_edges(const Deadline& deadline) noexcept;
  void see_edges_of_pool(const Pool& pool, std::size_t index, SeenReferences& seen) noexcept;
  [[nodiscard]] bool check(const Deadline& deadline) noexcept;
  [[nodiscard]] bool is_accounted_for(const Object& object) const noexcept;
  void rescue(Object& object) noexcept;
  [[nodiscard]] bool rescue_reachable(const Deadline& deadline) noexcept;
  [[nodiscard]] bool reset(const Deadline& deadline) noexcept;
  [[nodiscard]] bool clear_weak(const Deadline& deadline) noexcept;
  void raise_barrier() noexcept;
  void lower_barrier() noexcept;

  // disposal.cpp: how the condemned die.
  [[nodiscard]] bool settle(const Deadline& deadline) noexcept;
  [[nodiscard]] bool run_callbacks(const Deadline& deadline) noexcept;
  [[nodiscard]] bool finalize(const Deadline& deadline) noexcept;
  [[nodiscard]] bool clear(const Deadline& deadline) noexcept;
  [[nodiscard]] bool let_go(const Deadline& deadline) noexcept;
  [[nodiscard]] bool give_up(const Deadline& deadline) noexcept;
  [[nodiscard]] bool finish(const Deadline& deadline) noexcept;
  void save() noexcept;
  void zero_tallies(const std::byte* arena) noexcept;
  void hold(Object& object) noexcept;

  void tell_of(const Object& object) const noexcept;
  void tell_of_collection() const noexcept;

  // Walks. Each goes on where the last one stopped, and begins anew when it has come to the end (true).
  [[nodiscard]] std::size_t arena_count() const noexcept;
  [[nodiscard]] const alloc::Arena* arena_at(std::size_t index) const noexcept;
  template <typename Visit>  // visit(std::byte* arena)
  [[nodiscard]] bool for_each_arena(const Deadline& deadline, Visit visit) noexcept;
  template <typename Visit>  // visit(const Pool&, its number in the arena)
  [[nodiscard]] bool for_each_pool(const Deadline& deadline, Visit visit) noexcept;
  // visit(Object&); objects may be made and die, but for the condemned. Those in pools only.
  template <typename Visit>
  [[nodiscard]] bool for_each_condemned(const Deadline& deadline, Visit visit) noexcept;
  // visit(LargeObject&), in one go; objects may be made and die, but for the condemned.
  template <typename Visit>
  void for_each_condemned_large(Visit visit) noexcept;

  // Calls visit(first word, end) for the parts of an arena, in words of its tables, where tallies may be other than
  // zero. In slices: all of it, since pools come and go meanwhile.
  template <typename Visit>
  void for_each_tallied(const std::byte* arena, Visit visit) const noexcept;

  // Of any address in a pool.
  [[nodiscard]] PoolKind& kind_of(const void* address) const noexcept {
    return kinds_[(base::address_of(address) - base_) >> ObjectGeometry::pool_shift];
  }
  [[nodiscard]] std::size_t kinds_size() const noexcept {
    return base::round_up(span_ >> ObjectGeometry::pool_shift, os::page_size());
  }
  [[nodiscard]] bool is_pooled(const Object& object) const noexcept {
    return heap_.is_pooled(&object);
  }
  [[nodiscard]] bool is_condemned(const Object& object) const noexcept {
    return heap_.test(SideBit::condemned, object);
  }
  // Which granules have their object in the middle, of the 64 that a word of an arena's tables stands for: those of one
  // pool, which has been used.
  [[nodiscard]] std::uint64_t in_middle(const std::byte* arena, std::size_t word) noexcept {
    const Pool& pool = *heap_.pools().range().lookup().pool_at(arena + word * 64 * granule_size);
    return starts_.of(pool.block_size).in_middle[word % words_per_pool];
  }
  // Whether a block that may have been freed in the meantime holds an object.
  [[nodiscard]] bool is_object(const Object& object) const noexcept;

  // What holds the condemned: a biased count, or one more.
  static constexpr Count bias = count_bias;
  [[nodiscard]] static bool is_biased(Count count) noexcept { return count < biased_most; }
  // References that aren't ours.
  [[nodiscard]] static Count references(const Object& object) noexcept {
    const Count count = detail::Access::count(object);
    return is_biased(count) ? count + bias + 1 : count;
  }
  static void unbias_or_drop(Count& count) noexcept { count += is_biased(count) ? bias : -1; }

  HeapState& heap_;
  const SideTables sides_;
  const std::uintptr_t base_;  // of all arenas
  const std::size_t span_;
  PoolKind* kinds_ = nullptr;  // of each pool
  PacingRule rule_;
  MarkStack stack_;
  StartsOfBlocks starts_;

  Phase phase_ = Phase::idle;
  Phase after_reset_ = Phase::idle;
  bool is_running_ = false;
  bool in_slices_ = false;
  bool is_rechecking_ = false;  // after code of the program's own has run
  bool program_ran_ = false;
  bool some_are_marked_ = false;  // before marking begins
  bool is_retry_ = false;         // of a phase that must be done in one go, at a slice's start
  bool must_yield_ = false;
  bool barrier_is_up_ = false;
  bool has_containers_ = false;  // the condemned
  bool has_weak_ = false;
  bool has_frozen_ = false;
  bool has_saved_ = false;
  std::size_t stress_every_ = 0;
  std::size_t stress_count_ = 0;
  std::size_t large_allocated_ = 0;  // bytes, ever
  std::size_t least_many_ = std::size_t{64} * 1024;

  std::size_t arena_ = 0;     // where a walk has stopped
  std::size_t place_ = 0;     // in the arena: a pool, or a word
  std::size_t stale_ = 0;     // so many entries of the stack are from before this slice
  std::size_t unmarked_ = 0;  // candidates that nobody has reached yet; in one go
  std::size_t condemned_ = 0;
  std::size_t rescued_ = 0;  // since T
  std::size_t rounds_ = 0;
  std::size_t weak_limit_ = 0;
  object::PendingCallbacks callbacks_;
  Collection current_;
  Collection last_;
  PacingRule::Heap figures_before_;
};

inline std::size_t CollectorState::arena_count() const noexcept {
  std::size_t bytes = 0;
  heap_.pools().range().for_each_range([&](const std::byte*, std::size_t size, alloc::Holds holds) {
    bytes = holds == alloc::Holds::arenas ? size : bytes;
  });
  return bytes >> ObjectGeometry::arena_shift;
}

inline const alloc::Arena* CollectorState::arena_at(std::size_t index) const noexcept {
  return heap_.pools().range().find_arena(
      reinterpret_cast<const void*>(base_ + (index << ObjectGeometry::arena_shift)));
}

template <typename Visit>
bool CollectorState::for_each_arena(const Deadline& deadline, Visit visit) noexcept {
  for (; arena_ < arena_count(); ++arena_) {
    if (deadline.has_passed()) {
      return false;
    }
    if (const alloc::Arena* const arena = arena_at(arena_)) {
      visit(arena->address);
    }
  }
  arena_ = 0;
  return true;
}

template <typename Visit>
bool CollectorState::for_each_pool(const Deadline& deadline, Visit visit) noexcept {
  for (; arena_ < arena_count(); ++arena_, place_ = 0) {
    const alloc::Arena* const arena = arena_at(arena_);
    if (arena == nullptr) {
      continue;
    }
    while (place_ < arena->first_untouched) {
      const std::size_t index = place_;
      const Pool& pool = arena->pools[index];
      const std::byte* const start = arena->address + index * ObjectGeometry::pool_size;
      if ((pool.state == PoolState::used || pool.state == PoolState::full) &&
          kind_of(start) != PoolKind::no_references) {
        if (deadline.has_passed()) {
          return false;
        }
        visit(pool, index);
      }
      ++place_;
    }
  }
  arena_ = 0;
  place_ = 0;
  return true;
}

template <typename Visit>
void CollectorState::for_each_tallied(const std::byte* arena, Visit visit) const noexcept {
  if (in_slices_) {
    visit(std::size_t{0}, words_per_arena);
    return;
  }
  for (std::size_t i = 0; i < ObjectGeometry::pools_per_arena; ++i) {
    if (kind_of(arena + i * ObjectGeometry::pool_size) == PoolKind::tallied) {
      visit(i * words_per_pool, (i + 1) * words_per_pool);
    }
  }
}

template <typename Visit>
bool CollectorState::for_each_condemned(const Deadline& deadline, Visit visit) noexcept {
  unsigned seen = 0;
  for (; arena_ < arena_count(); ++arena_, place_ = 0) {
    const alloc::Arena* const arena = arena_at(arena_);
    if (arena == nullptr) {
      continue;
    }
    if (place_ == 0 && deadline.has_passed()) {
      return false;
    }
    std::byte* const start = arena->address;
    const std::uint64_t* const words = sides_.table(SideBit::condemned, start);
    for (; place_ < words_per_arena; ++place_) {
      // Those that are seen to stay in the word, or leave it; as long as there's one its pool stays what it is.
      const std::uint64_t middle = words[place_] != 0 ? in_middle(start, place_) : 0;
      for (std::uint64_t left = ~std::uint64_t{0}; (words[place_] & left) != 0;) {
        const auto bit = static_cast<std::size_t>(std::countr_zero(words[place_] & left));
        left = bit == 63 ? 0 : ~std::uint64_t{0} << (bit + 1);
        visit(object_of_bit(start + place_ * 64 * granule_size, bit, middle));
        ++seen;
      }
      if (seen >= 16) {
        seen = 0;
        if (deadline.has_passed()) {
          ++place_;
          return false;
        }
      }
    }
  }
  arena_ = 0;
  place_ = 0;
  return true;
}

template <typename Visit>
void CollectorState::for_each_condemned_large(Visit visit) noexcept {
  const auto next_of = [](LargeObject* large) {
    constexpr std::uint32_t bit = 1U << static_cast<unsigned>(SideBit::condemned);
    while (large != nullptr && (large->bits & bit) == 0) {
      large = large->next;
    }
    return large;
  };
  for (LargeObject* large = next_of(heap_.large_objects().first()); large != nullptr;) {
    // The next one is held by us, and stays whatever happens now.
    LargeObject* const next = next_of(large->next);
    visit(*large);
    large = next;
  }
}

}  // namespace tarn::gc
