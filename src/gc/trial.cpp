// Who is garbage: trial deletion, as CPython's, with the counts beside the objects and without lists.
#include "gc/collector_state.h"

namespace tarn::gc {

using detail::Access;

namespace {

constexpr std::size_t least_page = 4096;

// Passed by value: what is stored through a tally may alias anything else.
struct Range {
  SideTables sides;
  const PoolKind* kinds;
  std::uintptr_t base;
  std::size_t span;
  bool sees_large;
};

template <bool some_are_marked>
[[gnu::always_inline]] inline void see(const Range range, SeenReferences& seen,
                                       Object& target) noexcept {
  const std::size_t offset = base::address_of(&target) - range.base;
  if (offset >= range.span) [[unlikely]] {
    LargeObject& large = LargeObject::of(&target);
    if (range.sees_large && ((large.bits >> static_cast<unsigned>(SideBit::mark)) & 1U) == 0) {
      add_wide(signed_scratch(large.scratch), 1);
    }
    return;
  }
  if (range.kinds[offset >> ObjectGeometry::pool_shift] == PoolKind::no_references) {
    return;
  }
  if constexpr (some_are_marked) {
    if (range.sides.test(SideBit::mark, &target)) {
      return;
    }
  }
  seen(&range.sides.tally(&target));
}

constexpr std::uint64_t signs = 0x8080808080808080U;

// Of 64 tallies, eight a word: a bit for each that's below zero.
[[nodiscard]] inline std::uint64_t roots_among(const std::uint64_t* tallies) noexcept {
  constexpr std::uint64_t gather = 0x0102040810204080U;  // the nth byte's lowest bit to bit 56 + n
  std::uint64_t any = 0;
  for (unsigned i = 0; i < 8; ++i) {
    any |= tallies[i];
  }
  std::uint64_t roots = 0;
  for (unsigned i = 0; (any & signs) != 0 && i < 8; ++i) {
    roots |= ((tallies[i] & signs) >> 7U) * gather >> 56U << 8 * i;
  }
  return roots;
}

}  // namespace

// Where a large page of tallies has all of its arenas. They are zero in between (T2).
void CollectorState::use_large_pages() noexcept {
  constexpr std::size_t group = SideTables::arenas_per_large_page;
  for (std::size_t first = 0; first + group <= arena_count(); first += group) {
    std::size_t count = 0;
    while (count < group && arena_at(first + count) != nullptr) {
      ++count;
    }
    if (count == group) {
      sides_.back_by_large_pages(arena_at(first)->address);
    }
  }
}

bool CollectorState::prepare(const Deadline& deadline) noexcept {
  const bool is_young = current_.generation == Generation::young;
  some_are_marked_ = is_young || has_frozen_;
  if (arena_ == 0 && !in_slices_) {
    for (LargeObject* large = heap_.large_objects().first(); large != nullptr;
         large = large->next) {
      const auto bit = [&](SideBit which) {
        return (large->bits >> static_cast<unsigned>(which)) & 1U;
      };
      const std::uint32_t marked = (is_young ? bit(SideBit::old) : 0U) | bit(SideBit::frozen);
      constexpr auto mark = static_cast<unsigned>(SideBit::mark);
      large->bits = (large->bits & ~(1U << mark)) | (marked << mark);
    }
    if (!is_young) {
      use_large_pages();
    }
  }
  return for_each_arena(deadline, [&](const std::byte* start) {
    std::uint64_t* const marks = sides_.table(SideBit::mark, start);
    const std::uint64_t* const old = sides_.table(SideBit::old, start);
    const std::uint64_t* const frozen = sides_.table(SideBit::frozen, start);
    for (std::size_t word = 0; word < words_per_arena; ++word) {
      marks[word] = (is_young ? old[word] : 0) | (has_frozen_ ? frozen[word] : 0);
    }
    if (in_slices_) {
      // Now rather than in the middle of a slice: whose tallies are touched first is anybody's guess.
      volatile std::int8_t* const tallies = sides_.tallies(start);
      for (std::size_t i = 0; i < SideTables::tally_size; i += least_page) {
        tallies[i] = 0;
      }
    }
    const alloc::Arena* const arena = heap_.pools().range().find_arena(start);
    for (std::size_t i = 0; i < ObjectGeometry::pools_per_arena; ++i) {
      const Pool& pool = arena->pools[i];
      const std::byte* const address = start + i * ObjectGeometry::pool_size;
      PoolKind& kind = kind_of(address);
      kind = PoolKind::no_references;
      if (i < arena->first_untouched &&
          (pool.state == PoolState::used || pool.state == PoolState::full)) {
        const Type* const type = sides_.record(address).family->type;
        kind = type == nullptr || type->has_references() ? PoolKind::has_references
                                                         : PoolKind::no_references;
      }
    }
  });
}

bool CollectorState::is_candidate(const Object& object) const noexcept {
  const Type* const type = Access::type(object);
  return type != nullptr && !Access::is_dying(object) && type->has_references();
}

bool CollectorState::tally(const Deadline& deadline) noexcept {
  SeenReferences seen(sides_);
  const bool done = for_each_pool(deadline, [&](const Pool& pool, std::size_t index) {
    if (some_are_marked_) {
      tally_pool<true>(pool, index, seen);
    } else {
      tally_pool<false>(pool, index, seen);
    }
  });
  if (done && !in_slices_) {
    for (LargeObject* large = heap_.large_objects().first(); large != nullptr;
         large = large->next) {
      Object& object = *large->object();
      if (!is_candidate(object) || heap_.test(SideBit::mark, object)) {
        continue;
      }
      ++current_.examined;
      std::int32_t& scratch = signed_scratch(large->scratch);
      const Count references = Access::count(object) + 1;
      scratch = references > most_tallied || scratch == never_zero
                    ? never_zero
                    : scratch - static_cast<std::int32_t>(references);
      const Range range{sides_, kinds_, base_, span_, true};
      object::for_each_edge(object, [&, range](Object& target) { see<true>(range, seen, target); });
    }
  }
  return done;
}

template <bool some_are_marked>
void CollectorState::tally_pool(const Pool& pool, std::size_t index,
                                SeenReferences& seen) noexcept {
  const std::byte* const start = pool.start();
  const std::byte* const arena = start - index * ObjectGeometry::pool_size;
  const Range range{sides_, kinds_, base_, span_, !in_slices_};
  const BlockStarts& starts = starts_.of(pool.block_size);
  const std::uint64_t* const marks = sides_.table(SideBit::mark, arena) + index * words_per_pool;
  const Type* const common = sides_.record(start).family->type;
  const bool in_slices = in_slices_;
  std::size_t examined = 0;
  if constexpr (some_are_marked) {
    std::uint64_t unmarked = 0;
    for (std::size_t word = 0; word < words_per_pool; ++word) {
      unmarked |= starts.words[word] & ~marks[word];
    }
    if (unmarked == 0) {
      return;
    }
  }
  kind_of(start) = PoolKind::tallied;
  if (common != nullptr && common->slots().traverse_rest == nullptr) {
    // What most objects are: so many references, at known places.
    const std::uint16_t* const offsets = common->member_offsets();
    const std::size_t count = common->member_count();
    for_each_block(pool, starts, marks, [&](Object& object) {
      if (Access::type(object) == nullptr || Access::is_dying(object)) {
        return;
      }
      ++examined;
      if (in_slices) {
        range.sides.set(SideBit::visited, &object);
      }
      subtract(range.sides, range.sides.tally(&object), object, Access::count(object) + 1);
      const auto* const address = reinterpret_cast<const std::byte*>(&object);
      for (std::size_t i = 0; i < count; ++i) {
        if (Object* const target = *reinterpret_cast<Object* const*>(address + offsets[i])) {
          see<some_are_marked>(range, seen, *target);
        }
      }
    });
  } else {
    for_each_block(pool, starts, marks, [&](Object& object) {
      if (!is_candidate(object)) {
        return;
      }
      ++examined;
      if (in_slices) {
        range.sides.set(SideBit::visited, &object);
      }
      subtract(range.sides, range.sides.tally(&object), object, Access::count(object) + 1);
      object::for_each_edge(object,
                            [&](Object& target) { see<some_are_marked>(range, seen, target); });
    });
  }
  current_.examined += examined;
}

[[gnu::always_inline]] inline void CollectorState::mark_object(Object& object) noexcept {
  if (!is_pooled(object)) [[unlikely]] {
    if (!in_slices_ && !heap_.test(SideBit::mark, object)) {
      heap_.set(SideBit::mark, object);
      stack_.push(object);
    }
    return;
  }
  if (kind_of(&object) != PoolKind::no_references && !sides_.test(SideBit::mark, &object)) {
    sides_.set(SideBit::mark, &object);
    stack_.push(object);
  }
}

bool CollectorState::is_object(const Object& object) const noexcept {
  if (!is_pooled(object)) {
    return true;  // in one go, where none is freed
  }
  const alloc::Arena* const arena = heap_.pools().range().find_arena(&object);
  if (arena == nullptr) {
    return false;
  }
  const std::size_t offset = base::address_of(&object) - base::address_of(arena->address);
  const Pool& pool = arena->pools[offset >> ObjectGeometry::pool_shift];
  return (pool.state == PoolState::used || pool.state == PoolState::full) &&
         offset % ObjectGeometry::pool_size % pool.block_size == 0 &&
         base::address_of(&object) < base::address_of(pool.untouched) &&
         Access::type(object) != nullptr;
}

// Calls reach(Object&) for what the objects on the stack refer to, and so on. A few objects are on their way from
// memory at a time. False: time is over, or more than `most` are waiting.
template <typename Reach>
bool CollectorState::drain(const Deadline& deadline, Reach reach, std::size_t most) noexcept {
  constexpr std::size_t length = 16;
  Object* coming[length];
  std::size_t first = 0;
  std::size_t count = 0;
  const unsigned looks = most < 256 ? 1 : 256;
  unsigned until_look = looks;
  for (;;) {
    // Where little waits, as along a chain, nothing waits for company.
    while (count < length && !stack_.is_empty()) {
      Object& object = stack_.pop();
      if (stack_.size() >= stale_ || is_object(object)) {
        __builtin_prefetch(&object);
        coming[(first + count++) % length] = &object;
      }
      stale_ = stack_.size() < stale_ ? stack_.size() : stale_;
    }
    if (count == 0) {
      return true;
    }
    const Object& due = *coming[first];
    first = (first + 1) % length;
    --count;
    if (Access::type(due) != nullptr && !Access::is_dying(due)) {
      unmarked_ -= due.type().has_references() ? 1U : 0U;
      object::for_each_edge(due, reach);
    }
    if (--until_look == 0) {
      until_look = looks;
      if (stack_.size() + count > most || deadline.has_passed()) {
        while (count != 0) {
          stack_.push(*coming[(first + --count) % length]);
        }
        return false;
      }
    }
  }
}

// In one go only: the edges of all that's marked are seen again. (Those marked before don't count.)
template <typename Reach>
void CollectorState::make_up_for_overflow(Reach reach) noexcept {
  const bool is_young = current_.generation == Generation::young;
  while (stack_.overflowed()) {
    stack_.forget_overflow();
    const std::size_t arena = std::exchange(arena_, 0);
    const std::size_t place = std::exchange(place_, 0);
    (void)for_each_pool(Deadline(), [&](const Pool& pool, std::size_t index) {
      const std::byte* const start = pool.start() - index * ObjectGeometry::pool_size;
      const auto words = [&](SideBit bit) {
        return sides_.table(bit, start) + index * words_per_pool;
      };
      std::uint64_t skipped[words_per_pool];
      for (std::size_t word = 0; word < words_per_pool; ++word) {
        skipped[word] = ~words(SideBit::mark)[word] | (is_young ? words(SideBit::old)[word] : 0) |
                        (has_frozen_ ? words(SideBit::frozen)[word] : 0);
      }
      for_each_block(pool, starts_.of(pool.block_size), skipped, [&](Object& object) {
        if (is_candidate(object)) {
          object::for_each_edge(object, reach);
        }
      });
      (void)drain(Deadline(), reach);
    });
    arena_ = arena;
    place_ = place;
    for (LargeObject* large = heap_.large_objects().first(); large != nullptr;
         large = large->next) {
      Object& object = *large->object();
      if (is_candidate(object) && heap_.test(SideBit::mark, object) &&
          !heap_.test(SideBit::frozen, object) && !(is_young && heap_.test(SideBit::old, object))) {
        object::for_each_edge(object, reach);
        (void)drain(Deadline(), reach);
      }
    }
  }
}

// Whose tally is below zero has references that weren't seen: the tallies with a scratch say so too, from here on.
void CollectorState::fold_scratches(const std::byte* arena) noexcept {
  const SideTables sides = sides_;
  std::uint64_t* const wide = sides.table(SideBit::wide, arena);
  for (std::size_t word = 0; word < words_per_arena; ++word) {
    for (std::uint64_t bits = std::exchange(wide[word], 0); bits != 0; bits &= bits - 1) {
      const std::byte* const granule =
          arena + (word * 64 + static_cast<std::size_t>(std::countr_zero(bits))) * granule_size;
      std::int8_t& tally = sides.tally(granule);
      const std::int32_t scratch = std::exchange(signed_scratch(sides.scratch(granule)), 0);
      tally = scratch == never_zero || std::int64_t{scratch} + tally < 0 ? -1 : 0;
    }
  }
}

// In slices. All tallies are zero again.
void CollectorState::push_roots(std::byte* arena) noexcept {
  const SideTables sides = sides_;
  fold_scratches(arena);
  auto* const tallies = reinterpret_cast<std::uint64_t*>(sides.tallies(arena));
  for (std::size_t word = 0; word < SideTables::tally_size / 8; ++word) {
    if (tallies[word] == 0) {
      continue;
    }
    for (std::uint64_t bits = std::exchange(tallies[word], 0) & signs; bits != 0;
         bits &= bits - 1) {
      const std::size_t bit = word % 8 * 8 + static_cast<std::size_t>(std::countr_zero(bits)) / 8;
      Object& object =
          object_of_bit(arena + word / 8 * 64 * granule_size, bit, in_middle(arena, word / 8));
      // Between slices its pool may have been given to objects of another size.
      if (is_object(object) && !sides.test(SideBit::mark, &object)) {
        sides.set(SideBit::mark, &object);
        stack_.push(object);
      }
    }
  }
}

// In one go: as bits alone, eight at a time. Returns how many weren't marked before.
std::size_t CollectorState::mark_roots(const std::byte* arena) noexcept {
  fold_scratches(arena);
  const auto* const tallies = reinterpret_cast<const std::uint64_t*>(sides_.tallies(arena));
  std::uint64_t* const marks = sides_.table(SideBit::mark, arena);
  std::size_t count = 0;
  for_each_tallied(arena, [&](std::size_t first, std::size_t end) {
    for (std::size_t word = first; word < end; ++word) {
      if (const std::uint64_t roots = roots_among(tallies + word * 8) & ~marks[word]; roots != 0) {
        marks[word] |= roots;
        count += static_cast<std::size_t>(std::popcount(roots));
      }
    }
  });
  return count;
}

// What those roots refer to is marked. All tallies are zero again.
template <typename Reach>
void CollectorState::see_roots(std::byte* arena, Reach reach) noexcept {
  const auto* const tallies = reinterpret_cast<const std::uint64_t*>(sides_.tallies(arena));
  for_each_tallied(arena, [&](std::size_t first, std::size_t end) {
    for (std::size_t word = first; word < end; ++word) {
      const std::uint64_t roots = roots_among(tallies + word * 8);
      const std::uint64_t middle = roots != 0 ? in_middle(arena, word) : 0;
      for_each_bit(roots, [&](std::size_t bit) {
        object::for_each_edge(object_of_bit(arena + word * 64 * granule_size, bit, middle), reach);
      });
    }
  });
  zero_tallies(arena);
}

bool CollectorState::mark(const Deadline& deadline) noexcept {
  if (!in_slices_) {
    mark_at_once();
    return true;
  }
  const auto reach = [this](Object& object) { mark_object(object); };
  for (; arena_ < arena_count(); ++arena_) {
    if (!drain(deadline, reach) || deadline.has_passed()) {
      return false;
    }
    if (const alloc::Arena* const arena = arena_at(arena_)) {
      push_roots(arena->address);
    }
  }
  if (!drain(deadline, reach)) {
    return false;
  }
  arena_ = 0;
  return true;
}

// First all roots, then what they reach, for as long as somebody is left that isn't marked: where all are held from
// outside nobody's edges need be seen a second time.
void CollectorState::mark_at_once() noexcept {
  const auto reach = [this](Object& object) { mark_object(object); };
  unmarked_ = current_.examined;
  (void)for_each_arena(Deadline(), [&](const std::byte* arena) { unmarked_ -= mark_roots(arena); });
  for (LargeObject* large = heap_.large_objects().first(); large != nullptr; large = large->next) {
    if (std::exchange(signed_scratch(large->scratch), 0) < 0) {
      mark_object(*large->object());
    }
  }
  const std::size_t most = some_are_marked_ ? SIZE_MAX : most_waiting();
  bool too_many = !drain(Deadline(), reach, most);
  (void)for_each_arena(Deadline(), [&](std::byte* arena) {
    if (unmarked_ == 0 || too_many) {
      zero_tallies(arena);
      return;
    }
    see_roots(arena, reach);
    too_many = !drain(Deadline(), reach, most);
  });
  if (too_many) {
    mark_in_order();
    (void)drain(Deadline(), reach);
  } else if (unmarked_ == 0) {
    stack_.forget_overflow();
  }
  make_up_for_overflow(reach);
}

std::size_t CollectorState::most_waiting() const noexcept {
  return current_.examined / 32 > least_many_ ? current_.examined / 32 : least_many_;
}

// Where many wait, and lie anywhere, memory is read faster in order of addresses than in the graph's: whoever is marked and
// hasn't been visited, over and over, as long as there are many. Nothing is marked from before. What's on the stack is among
// them, and what is left in the end is put there.
void CollectorState::mark_in_order() noexcept {
  constexpr auto mark_bit = std::uint32_t{1} << static_cast<unsigned>(SideBit::mark);
  constexpr auto visited_bit = std::uint32_t{1} << static_cast<unsigned>(SideBit::visited);
  stack_.reset();
  stale_ = 0;
  unmarked_ = SIZE_MAX / 2;  // nobody counts
  const auto reach = [this](Object& object) {
    if (!is_pooled(object)) [[unlikely]] {
      LargeObject::of(&object).bits |= mark_bit;
    } else if (kind_of(&object) != PoolKind::no_references) {
      sides_.set(SideBit::mark, &object);
    }
  };
  const auto see = [&](Object& object) {
    if (Access::type(object) != nullptr && !Access::is_dying(object)) {
      object::for_each_edge(object, reach);
    }
  };
  std::size_t seen = 0;
  do {
    seen = 0;
    (void)for_each_pool(Deadline(), [&](const Pool& pool, std::size_t index) {
      std::byte* const start = pool.start();
      const std::byte* const arena = start - index * ObjectGeometry::pool_size;
      const std::uint64_t* const marks =
          sides_.table(SideBit::mark, arena) + index * words_per_pool;
      std::uint64_t* const visited = sides_.table(SideBit::visited, arena) + index * words_per_pool;
      const BlockStarts& starts = starts_.of(pool.block_size);
      for (std::size_t word = 0; word < words_per_pool; ++word) {
        std::byte* const first = start + word * 64 * granule_size;
        const std::uint64_t middle = starts.in_middle[word];
        while (const std::uint64_t due = marks[word] & ~visited[word]) {
          visited[word] |= due;
          for_each_bit(due, [&](std::size_t bit) {
            __builtin_prefetch(&object_of_bit(first, bit, middle));
          });
          for_each_bit(due, [&](std::size_t bit) {
            see(object_of_bit(first, bit, middle));
            ++seen;
          });
        }
      }
    });
    for (LargeObject* large = heap_.large_objects().first(); large != nullptr;
         large = large->next) {
      if ((large->bits & (mark_bit | visited_bit)) == mark_bit) {
        large->bits |= visited_bit;
        see(*large->object());
      }
    }
  } while (seen > most_waiting() / 2);
  (void)for_each_arena(Deadline(), [&](std::byte* arena) {
    const std::uint64_t* const marks = sides_.table(SideBit::mark, arena);
    std::uint64_t* const visited = sides_.table(SideBit::visited, arena);
    for (std::size_t word = 0; word < words_per_arena; ++word) {
      if ((marks[word] | visited[word]) == 0) {
        continue;  // a store would bring memory that isn't there yet
      }
      const std::uint64_t left = marks[word] & ~std::exchange(visited[word], 0);
      const std::uint64_t middle = left != 0 ? in_middle(arena, word) : 0;
      for_each_bit(left, [&](std::size_t bit) {
        stack_.push(object_of_bit(arena + word * 64 * granule_size, bit, middle));
      });
    }
  });
  for (LargeObject* large = heap_.large_objects().first(); large != nullptr; large = large->next) {
    if ((large->bits & (mark_bit | visited_bit)) == mark_bit) {
      stack_.push(*large->object());
    }
    large->bits &= ~visited_bit;
  }
}

bool CollectorState::condemn(const Deadline& deadline) noexcept {
  if (!in_slices_ && unmarked_ == 0) {
    return true;
  }
  const auto condemn_one = [this](Object& object) {
    heap_.set(SideBit::condemned, object);
    has_weak_ = has_weak_ || heap_.test(SideBit::weak, object);
    Access::count(object) += in_slices_ ? -bias : 1;
    ++condemned_;
  };
  const bool done = for_each_pool(deadline, [&](const Pool& pool, std::size_t index) {
    if (!in_slices_ && kind_of(pool.start()) != PoolKind::tallied) {
      return;
    }
    const std::byte* const start = pool.start() - index * ObjectGeometry::pool_size;
    const std::uint64_t* const marks = sides_.table(SideBit::mark, start) + index * words_per_pool;
    const std::uint64_t* const visited =
        sides_.table(SideBit::visited, start) + index * words_per_pool;
    const Type* const common = sides_.record(pool.start()).family->type;
    const bool are_containers = common != nullptr && common->slots().traverse_rest != nullptr;
    std::uint64_t skipped[words_per_pool];
    for (std::size_t word = 0; word < words_per_pool; ++word) {
      skipped[word] = marks[word] | (in_slices_ ? ~visited[word] : 0);
    }
    for_each_block(pool, starts_.of(pool.block_size), skipped, [&](Object& object) {
      if (is_candidate(object) && Access::count(object) < most_tallied) {
        condemn_one(object);
        has_containers_ = has_containers_ || are_containers;
      }
    });
  });
  if (done && !in_slices_) {
    for (LargeObject* large = heap_.large_objects().first(); large != nullptr;
         large = large->next) {
      Object& object = *large->object();
      if (is_candidate(object) && !heap_.test(SideBit::mark, object)) {
        condemn_one(object);
      }
    }
  }
  return done;
}

// How the condemned that somebody has come back to pass it on.
bool CollectorState::rescue_reachable(const Deadline& deadline) noexcept {
  const auto reach = [this](Object& object) {
    if (is_condemned(object)) {
      rescue(object);
    }
  };
  if (!drain(deadline, reach)) {
    return false;
  }
  if (!in_slices_) {
    make_up_for_overflow(reach);
  }
  return true;
}

}  // namespace tarn::gc
