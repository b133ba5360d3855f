// How the condemned die, and what's put in order after that.
#include "gc/collector_state.h"

namespace tarn::gc {

using detail::Access;

// Garbage for sure: from here on they're held by one more reference, so that nothing is in the way of clearing.
bool CollectorState::settle(const Deadline& deadline) noexcept {
  const bool done = for_each_arena(deadline, [this](std::byte* arena) {
    zero_tallies(arena);
    const std::uint64_t* const condemned = sides_.table(SideBit::condemned, arena);
    for_each_tallied(arena, [&](std::size_t first, std::size_t end) {
      for (std::size_t word = first; word < end; ++word) {
        const std::uint64_t middle = condemned[word] != 0 ? in_middle(arena, word) : 0;
        for_each_bit(condemned[word], [&](std::size_t bit) {
          Count& count =
              Access::count(object_of_bit(arena + word * 64 * granule_size, bit, middle));
          count += is_biased(count) ? bias + 1 : 0;
        });
      }
    });
  });
  if (done) {
    if (!in_slices_) {
      for_each_condemned_large([](LargeObject& large) { large.scratch = 0; });
    }
    lower_barrier();
    program_ran_ = false;
  }
  return done;
}

bool CollectorState::run_callbacks(const Deadline& deadline) noexcept {
  while (callbacks_.run_next()) {
    program_ran_ = true;
    if (deadline.has_passed()) {
      return false;
    }
  }
  return true;
}

bool CollectorState::finalize(const Deadline& deadline) noexcept {
  const auto finalize_one = [this](Object& object) {
    const auto slot = object.type().slots().finalize;
    if (slot != nullptr && !heap_.test(SideBit::finalized, object)) {
      heap_.set(SideBit::finalized, object);
      program_ran_ = true;
      slot(object);
    }
  };
  bool any = false;
  for (const Type* type = heap_.types(); type != nullptr; type = HeapState::next_type(*type)) {
    any = any || type->slots().finalize != nullptr;
  }
  if (!any) {
    return true;
  }
  const bool done = for_each_condemned(deadline, finalize_one);
  if (done && !in_slices_) {
    for_each_condemned_large([&](LargeObject& large) { finalize_one(*large.object()); });
  }
  return done;
}

bool CollectorState::clear(const Deadline& deadline) noexcept {
  const auto clear_one = [](Object& object) {
    if (const auto slot = object.type().slots().clear) {
      slot(object);
    }
  };
  const bool done = for_each_condemned(deadline, clear_one);
  if (done && !in_slices_) {
    for_each_condemned_large([&](LargeObject& large) { clear_one(*large.object()); });
  }
  return done;
}

bool CollectorState::let_go(const Deadline& deadline) noexcept {
  const auto let_one_go = [this](Object& object) {
    heap_.clear(SideBit::condemned, object);
    --condemned_;
    if (CountPolicy::decrement(Access::count(object))) {
      detail::release_last(object);
    }
  };
  const bool done = for_each_condemned(deadline, let_one_go);
  if (done && !in_slices_) {
    for_each_condemned_large([&](LargeObject& large) { let_one_go(*large.object()); });
  }
  return done;
}

// What was condemned is left to a later collection.
bool CollectorState::give_up(const Deadline& deadline) noexcept {
  if (!for_each_condemned(deadline, [this](Object& object) {
        heap_.clear(SideBit::condemned, object);
        heap_.set(SideBit::mark, object);
        --condemned_;
        Count& count = Access::count(object);
        unbias_or_drop(count);
        if (count < 0) {  // a finalizer has let go of the last reference
          detail::release_last(object);
        }
      })) {
    return false;
  }
  lower_barrier();
  current_.gave_up = true;
  return true;
}

void CollectorState::save() noexcept {
  const auto save_one = [this](Object& object) {
    heap_.clear(SideBit::condemned, object);
    heap_.set(SideBit::saved, object);
    heap_.set(SideBit::mark, object);
    --condemned_;
  };
  (void)for_each_condemned(Deadline(), save_one);
  for_each_condemned_large([&](LargeObject& large) { save_one(*large.object()); });
  has_saved_ = true;
}

void CollectorState::visit_saved(void (*visit)(void* context, Object& object),
                                 void* context) const {
  if (!has_saved_) {
    return;
  }
  heap_.for_each_object([&](Object& object) {
    if (heap_.test(SideBit::saved, object)) {
      visit(context, object);
    }
  });
}

void CollectorState::drop_saved() noexcept {
  if (!has_saved_ || is_running_) {
    return;
  }
  // As if they were condemned; those that form cycles are garbage for the next collection.
  finish_slices();
  has_saved_ = false;
  is_running_ = true;
  heap_.pools().hold_arenas(true);
  in_slices_ = false;
  heap_.for_each_object([&](Object& object) {
    if (heap_.test(SideBit::saved, object)) {
      heap_.clear(SideBit::saved, object);
      heap_.set(SideBit::condemned, object);
      ++condemned_;
    }
  });
  (void)let_go(Deadline());
  heap_.pools().hold_arenas(false);
  is_running_ = false;
}

// Who was marked is old. A block that was freed keeps its bit, until the next collection of all.
bool CollectorState::finish(const Deadline& deadline) noexcept {
  stack_.reset();
  while (!stack_.shrink()) {
    if (deadline.has_passed()) {
      return false;
    }
  }
  const bool done = for_each_arena(deadline, [this](const std::byte* arena) {
    std::uint64_t* const old = sides_.table(SideBit::old, arena);
    const std::uint64_t* const marks = sides_.table(SideBit::mark, arena);
    std::uint64_t* const visited = sides_.table(SideBit::visited, arena);
    for (std::size_t word = 0; word < words_per_arena; ++word) {
      old[word] = marks[word];
    }
    if (in_slices_) {
      for (std::size_t word = 0; word < words_per_arena; ++word) {
        visited[word] = 0;
      }
    }
  });
  if (done && !in_slices_) {
    for (LargeObject* large = heap_.large_objects().first(); large != nullptr;
         large = large->next) {
      constexpr auto mark = static_cast<unsigned>(SideBit::mark);
      constexpr auto old = static_cast<unsigned>(SideBit::old);
      large->bits = (large->bits & ~(1U << old)) | (((large->bits >> mark) & 1U) << old);
    }
  }
  return done;
}

}  // namespace tarn::gc
