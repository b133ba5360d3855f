// Whether the condemned are garbage: they are if all references to them are from them. (C1 to C5.)
#include "base/assert.h"
#include "gc/collector_state.h"
#include "os/mutex.h"

namespace tarn::gc {

using detail::Access;

namespace {

// The barrier is there for all heaps.
constinit os::Mutex barrier_mutex;
constinit std::size_t barriers = 0;

constexpr std::chrono::microseconds grace{400};

void change_barriers(int by) noexcept {
  const os::Locked locked(barrier_mutex);
  barriers = by > 0 ? barriers + 1 : barriers - 1;
  detail::barrier_is_up.store(barriers != 0, std::memory_order_relaxed);
}

// Ranges that lie in the object itself, and can't be moved to another one.
class OwnRanges : public Visitor {
 public:
  OwnRanges(const Object& object, std::size_t size, void (*see)(void* context, Object& target),
            void* context) noexcept
      : Visitor(&each),
        start_(base::address_of(&object)),
        size_(size),
        see_(see),
        context_(context) {}

 private:
  static void each(Visitor& visitor, Object* const* first, std::size_t count) {
    auto& self = static_cast<OwnRanges&>(visitor);
    if (base::address_of(first) - self.start_ >= self.size_) {
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (first[i] != nullptr) {
        self.see_(self.context_, *first[i]);
      }
    }
  }

  std::uintptr_t start_;
  std::size_t size_;
  void (*see_)(void* context, Object& target);
  void* context_;
};

}  // namespace

void CollectorState::raise_barrier() noexcept {
  if (in_slices_ && !barrier_is_up_) {
    barrier_is_up_ = true;
    change_barriers(1);
  }
}

void CollectorState::lower_barrier() noexcept {
  if (barrier_is_up_) {
    barrier_is_up_ = false;
    change_barriers(-1);
  }
}

bool CollectorState::hear_released(void* context, Object& object) noexcept {
  auto& self = *static_cast<CollectorState*>(context);
  Count& count = Access::count(object);
  count += bias;
  self.heap_.clear(SideBit::condemned, object);
  --self.condemned_;
  ++self.rescued_;
  if (count < 0) {
    return true;
  }
  self.heap_.set(SideBit::mark, object);
  self.stack_.push(object);
  return false;
}

void CollectorState::hear_stored(void* context, Object& object) noexcept {
  auto& self = *static_cast<CollectorState*>(context);
  if (self.barrier_is_up_ && self.is_condemned(object)) {
    self.rescue(object);
  }
}

// It's alive; what it refers to will be, too.
void CollectorState::rescue(Object& object) noexcept {
  unbias_or_drop(Access::count(object));
  heap_.clear(SideBit::condemned, object);
  heap_.set(SideBit::mark, object);
  --condemned_;
  ++rescued_;
  current_.resurrected += is_rechecking_ ? 1U : 0U;
  stack_.push(object);
}

// From held to biased: until then the program's finalizers could use them as they liked.
bool CollectorState::grip(const Deadline& deadline) noexcept {
  return !in_slices_ || for_each_condemned(deadline, [](Object& object) {
    Count& count = Access::count(object);
    // Who has become immortal is none of ours any longer, which its count says later.
    count -= is_biased(count) || count >= most_tallied ? 0 : 1 + bias;
  });
}

// The moment T. In slices it has to be done in one.
bool CollectorState::see_containers(const Deadline& deadline) noexcept {
  raise_barrier();
  rescued_ = 0;
  has_weak_ = false;
  if (!in_slices_ || !has_containers_) {
    return true;
  }
  bool is_late = false;
  {
    SeenReferences seen(sides_);
    (void)for_each_pool(Deadline(), [&](const Pool& pool, std::size_t index) {
      const Type* const type = sides_.record(pool.start()).family->type;
      if (!is_late && type != nullptr && type->slots().traverse_rest != nullptr) {
        see_edges_of_pool(pool, index, seen);
        is_late = deadline.has_passed(grace);
      }
    });
  }
  if (!is_late) {
    is_retry_ = false;
    return true;
  }
  if (is_retry_) {
    phase_ = Phase::give_up;  // not even with a whole budget
    return false;
  }
  is_retry_ = true;
  must_yield_ = true;
  phase_ = Phase::reset;
  after_reset_ = Phase::containers;
  return false;
}

bool CollectorState::see_edges(const Deadline& deadline) noexcept {
  bool done = false;
  {
    SeenReferences seen(sides_);
    done = for_each_pool(deadline, [&](const Pool& pool, std::size_t index) {
      const Type* const type = sides_.record(pool.start()).family->type;
      if (!in_slices_ || type == nullptr || type->slots().traverse_rest == nullptr) {
        see_edges_of_pool(pool, index, seen);
      }
    });
    if (done && !in_slices_) {
      for_each_condemned_large([&](LargeObject& large) {
        object::for_each_edge(*large.object(), [&](Object& target) {
          if (!is_condemned(target)) {
            return;
          }
          if (is_pooled(target)) {
            seen(&sides_.tally(&target));
          } else {
            add_wide(signed_scratch(LargeObject::of(&target).scratch), 1);
          }
        });
      });
    }
  }
  return done;
}

void CollectorState::see_edges_of_pool(const Pool& pool, std::size_t index,
                                       SeenReferences& seen) noexcept {
  const std::byte* const start = pool.start();
  const std::uint64_t* const condemned =
      sides_.table(SideBit::condemned, start - index * ObjectGeometry::pool_size) +
      index * words_per_pool;
  std::uint64_t skipped[words_per_pool];
  std::uint64_t any = 0;
  for (std::size_t word = 0; word < words_per_pool; ++word) {
    skipped[word] = ~condemned[word];
    any |= condemned[word];
  }
  if (any == 0) {
    return;
  }
  auto see = [&](Object& target) {
    if (!is_condemned(target)) {
      return;
    }
    if (is_pooled(target)) {
      seen(&sides_.tally(&target));
    } else {
      add_wide(signed_scratch(LargeObject::of(&target).scratch), 1);
    }
  };
  const bool has_items = sides_.record(start).family->type == nullptr;
  for_each_block(pool, starts_.of(pool.block_size), skipped, [&](Object& object) {
    if (!in_slices_ || !has_items) {
      object::for_each_edge(object, see);
      return;
    }
    const Type& type = object.type();
    for (std::size_t i = 0; i < type.member_count(); ++i) {
      if (Object* const target = *reinterpret_cast<Object* const*>(
              reinterpret_cast<const std::byte*>(&object) + type.member_offsets()[i])) {
        see(*target);
      }
    }
    if (type.slots().traverse_rest != nullptr) {
      OwnRanges ranges(
          object, pool.block_size,
          [](void* context, Object& target) { (*static_cast<decltype(see)*>(context))(target); },
          &see);
      type.slots().traverse_rest(object, ranges);
    }
  });
}

bool CollectorState::is_accounted_for(const Object& object) const noexcept {
  if (!is_pooled(object)) {
    return signed_scratch(LargeObject::of(&object).scratch) == references(object);
  }
  // NOLINTNEXTLINE(bugprone-signed-char-misuse): a tally may be below zero
  Count seen = sides_.tally(&object);
  if (sides_.test(SideBit::wide, &object)) {
    seen += signed_scratch(sides_.scratch(&object));
  }
  return seen == references(object);
}

bool CollectorState::check(const Deadline& deadline) noexcept {
  const auto check_one = [this](Object& object) {
    has_weak_ = has_weak_ || heap_.test(SideBit::weak, object);
    if (!is_accounted_for(object)) {
      rescue(object);
    }
  };
  const bool done = for_each_condemned(deadline, check_one);
  if (done && !in_slices_) {
    for_each_condemned_large([&](LargeObject& large) { check_one(*large.object()); });
  }
  return done;
}

bool CollectorState::reset(const Deadline& deadline) noexcept {
  const bool done =
      for_each_arena(deadline, [this](const std::byte* arena) { zero_tallies(arena); });
  if (done && !in_slices_) {
    for_each_condemned_large([](LargeObject& large) { large.scratch = 0; });
  }
  return done;
}

void CollectorState::zero_tallies(const std::byte* arena) noexcept {
  std::uint64_t* const wide = sides_.table(SideBit::wide, arena);
  for (std::size_t word = 0; word < words_per_arena; ++word) {
    for (std::uint64_t bits = std::exchange(wide[word], 0); bits != 0; bits &= bits - 1) {
      sides_.scratch(arena + (word * 64 + static_cast<std::size_t>(std::countr_zero(bits))) *
                                 granule_size) = 0;
    }
  }
  auto* const tallies = reinterpret_cast<std::uint64_t*>(sides_.tallies(arena));
  for_each_tallied(arena, [&](std::size_t first, std::size_t end) {
    // What is zero isn't written to: it may have no memory yet.
    for (std::size_t word = first * 8; word < end * 8; ++word) {
      if (tallies[word] != 0) {
        tallies[word] = 0;
      }
    }
  });
}

// All at once: nobody may get hold of one of the condemned when weak references to others are cleared already.
bool CollectorState::clear_weak(const Deadline& deadline) noexcept {
  if (!has_weak_) {
    return true;
  }
  std::size_t count = 0;
  const auto for_each_weak = [this](auto visit) {
    for (std::size_t index = 0; index < arena_count(); ++index) {
      const alloc::Arena* const arena = arena_at(index);
      if (arena == nullptr) {
        continue;
      }
      const std::uint64_t* const weak = sides_.table(SideBit::weak, arena->address);
      const std::uint64_t* const condemned = sides_.table(SideBit::condemned, arena->address);
      for (std::size_t word = 0; word < words_per_arena; ++word) {
        const std::uint64_t bits = weak[word] & condemned[word];
        const std::uint64_t middle = bits != 0 ? in_middle(arena->address, word) : 0;
        for_each_bit(bits, [&](std::size_t bit) {
          visit(object_of_bit(arena->address + word * 64 * granule_size, bit, middle));
        });
      }
    }
  };
  if (in_slices_) {
    for_each_weak([&](Object& object) {
      ++count;
      if (!is_accounted_for(object)) {
        rescue(object);
      }
    });
    if (rescued_ != 0) {
      return true;
    }
    if (count > 64 && deadline.has_passed(grace - std::chrono::nanoseconds(count * 100))) {
      if (is_retry_) {
        phase_ = Phase::give_up;
      }
      is_retry_ = true;
      must_yield_ = true;
      return false;
    }
    is_retry_ = false;
  }
  for_each_weak([this](Object& object) { heap_.clear_weak_references(object, callbacks_); });
  if (!in_slices_) {
    for_each_condemned_large([this](LargeObject& large) {
      if (heap_.test(SideBit::weak, *large.object())) {
        heap_.clear_weak_references(*large.object(), callbacks_);
      }
    });
  }
  return true;
}

}  // namespace tarn::gc
