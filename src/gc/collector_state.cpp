#include "gc/collector_state.h"

#include "base/assert.h"
#include "base/message.h"

namespace tarn::gc {

namespace {
// A claim that has been false so often is given up; in slices only.
constexpr std::size_t most_rounds = 8;
}  // namespace

CollectorState::CollectorState(ObjectHeap& heap, const CollectorOptions& given)
    : options(given),
      heap_(HeapState::of(heap)),
      sides_(heap_.sides()),
      base_(heap_.pools().range().base()),
      span_(heap_.pools().range().span()),
      rule_(given.thresholds) {
  kinds_ = static_cast<PoolKind*>(os::map(kinds_size(), os::page_size()));
  if (kinds_ == nullptr) {
    tarn::detail::throw_bad_alloc();
  }
  stack_.open(span_);
  TARN_CHECK(heap_.hooks().context, ==, nullptr, "a heap has one collector");
  heap_.hooks() = {.context = this,
                   .allocating = &hear_allocating,
                   .released = &hear_released,
                   .stored = &hear_stored};
  rule_.begin(figures());
}

CollectorState::~CollectorState() {
  TARN_CHECK(is_running_, ==, false, "a collector isn't destroyed by what it collects");
  finish_slices();
  collect_at_allocations(0);
  drop_saved();
  heap_.hooks() = object::CollectorHooks();
  stack_.close();
  os::release(kinds_, kinds_size());
}

PacingRule::Heap CollectorState::figures() const noexcept {
  const object::ObjectPools& pools = heap_.pools();
  return {.taken = pools.counters().pools_now * ObjectGeometry::pool_size + heap_.large_bytes(),
          .allocated = pools.handed_out() + large_allocated_};
}

void CollectorState::hear_allocating(void* context, Type* /*type*/, std::size_t bytes) noexcept {
  static_cast<CollectorState*>(context)->allocating(bytes);
}

void CollectorState::allocating(std::size_t bytes) noexcept {
  large_allocated_ += bytes > tarn::detail::largest_pooled ? bytes : 0;
  if (is_running_) {
    return;
  }
  if (stress_every_ != 0) {
    if (++stress_count_ % stress_every_ == 0) {
      collect(Generation::full);
    }
    return;
  }
  if (!options.automatic) {
    return;
  }
  const PacingRule::Want want = rule_.look(figures());
  if (want == PacingRule::Want::nothing || heap_.is_anyone_dying()) {
    return;  // who is due while somebody dies waits until that's over
  }
  switch (want) {
    case PacingRule::Want::nothing:
      break;
    case PacingRule::Want::young:
      // One under way has been given time already.
      if (!is_under_way() && rule_.is_worthwhile(figures(), heap_.held_bytes())) {
        collect(Generation::young);
      }
      break;
    case PacingRule::Want::full:
      if (is_under_way()) {
        finish_slices();
      } else {
        collect(Generation::full);
      }
      break;
  }
}

void CollectorState::collect_at_allocations(std::size_t every) noexcept {
  stress_every_ = every;
  stress_count_ = 0;
  heap_.pools().hear_of_all(every != 0);
}

Collection CollectorState::collect(Generation generation) noexcept {
  if (is_running_ || heap_.is_anyone_dying()) {
    return {};
  }
  finish_slices();
  begin(generation, false);
  run(Deadline());
  return last_;
}

bool CollectorState::collect(std::chrono::nanoseconds budget) noexcept {
  if (is_running_ || heap_.is_anyone_dying()) {
    return true;  // whoever asks again and again must not do so for ever
  }
  const Deadline deadline(budget);
  if (!is_under_way()) {
    begin(Generation::full, true);
  }
  run(deadline);
  return !is_under_way();
}

void CollectorState::finish_slices() noexcept {
  if (is_under_way() && !is_running_) {
    run(Deadline());
  }
}

void CollectorState::refuse_while_anyone_dies(const char* function) const noexcept {
  if (heap_.is_anyone_dying()) {
    base::fail(base::Message().text("tarn: ").text(function).text(
        " was called while an object dies (from a destructor, a finalizer, or the "
        "callback of a weak reference), where a container may be half cleared; call "
        "it when that's over\n"));
  }
}

void CollectorState::begin(Generation generation, bool in_slices) noexcept {
  current_ = Collection{.generation = generation};
  is_running_ = true;
  // NOLINTNEXTLINE(modernize-loop-convert): one may add another meanwhile
  for (std::size_t i = 0, count = before.size(); i < count; ++i) {
    before[i](current_);
  }
  is_running_ = false;
  figures_before_ = figures();
  phase_ = Phase::prepare;
  in_slices_ = in_slices;
  is_rechecking_ = false;
  program_ran_ = false;
  is_retry_ = false;
  has_containers_ = false;
  has_weak_ = false;
  rounds_ = 0;
  rescued_ = 0;
  stack_.reset();
  heap_.pools().hold_arenas(true);
}

void CollectorState::run(const Deadline& deadline) noexcept {
  const Clock::time_point start = Clock::now();
  is_running_ = true;
  must_yield_ = false;
  stale_ = stack_.size();
  while (phase_ != Phase::idle) {
    if (!step(deadline) && (deadline.has_passed() || must_yield_) && deadline.is_limited()) {
      break;
    }
  }
  const auto pause = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start);
  ++current_.slices;
  current_.total += pause;
  current_.pause = std::max(current_.pause, pause);
  ++statistics.pauses;
  statistics.total_pause += pause;
  statistics.longest_pause = std::max(statistics.longest_pause, pause);
  if (phase_ == Phase::idle) {
    end();
  }
  is_running_ = false;
}

void CollectorState::end() noexcept {
  heap_.pools().hold_arenas(false);
  stack_.reset();
  last_ = current_;
  CollectorStatistics::Of& of =
      current_.generation == Generation::young ? statistics.young : statistics.full;
  ++of.collections;
  of.examined += current_.examined;
  of.unreachable += current_.unreachable;
  statistics.gave_up += current_.gave_up ? 1U : 0U;
  rule_.collected(last_, figures_before_, figures(), heap_.held_bytes());
  if (has(options.debug, CollectorDebug::statistics)) {
    tell_of_collection();
  }
  // NOLINTNEXTLINE(modernize-loop-convert): one may add another meanwhile
  for (std::size_t i = 0, count = after.size(); i < count; ++i) {
    after[i](last_);
  }
}

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a table of phases, to be read line by line
bool CollectorState::step(const Deadline& deadline) noexcept {
  const auto next = [this](Phase phase) {
    phase_ = phase;
    return true;
  };
  // Of a phase that can't be taken up again: the claim is false if it was made too often.
  switch (phase_) {
    case Phase::idle:
      return true;
    case Phase::prepare:
      return prepare(deadline) && next(Phase::tally);
    case Phase::tally:
      return tally(deadline) && next(Phase::mark);
    case Phase::mark:
      return mark(deadline) && next(Phase::condemn);
    case Phase::condemn:
      if (!condemn(deadline)) {
        return false;
      }
      if (stack_.overflowed()) {
        return next(Phase::give_up);  // too much would be condemned
      }
      if (condemned_ == 0) {
        return next(Phase::finish);
      }
      return next(in_slices_ ? Phase::containers : Phase::weak);
    case Phase::grip:
      return grip(deadline) && next(Phase::containers);
    case Phase::containers:
      return see_containers(deadline) && next(Phase::edges);
    case Phase::edges:
      return see_edges(deadline) && next(Phase::check);
    case Phase::check:
      return check(deadline) && next(rescued_ == 0 ? Phase::weak : Phase::rescue);
    case Phase::rescue:
      if (!rescue_reachable(deadline)) {
        return false;
      }
      ++rounds_;
      if (in_slices_ && (stack_.overflowed() || rounds_ == most_rounds)) {
        return next(Phase::give_up);
      }
      after_reset_ = Phase::containers;
      return next(Phase::reset);
    case Phase::reset:
      return reset(deadline) && next(after_reset_);
    case Phase::weak:
      return clear_weak(deadline) && next(rescued_ == 0 ? Phase::settle : Phase::rescue);
    case Phase::settle:
      return settle(deadline) && next(Phase::callbacks);
    case Phase::callbacks:
      return run_callbacks(deadline) && next(Phase::finalize);
    case Phase::finalize:
      if (!finalize(deadline)) {
        return false;
      }
      if (program_ran_) {
        is_rechecking_ = true;
        rounds_ = 0;
        return next(Phase::grip);
      }
      current_.unreachable = condemned_;
      if (has(options.debug, CollectorDebug::collectable)) {
        (void)for_each_condemned(Deadline(), [this](Object& object) { tell_of(object); });
        for_each_condemned_large([this](LargeObject& large) { tell_of(*large.object()); });
      }
      if (has(options.debug, CollectorDebug::save_all)) {
        save();
        return next(Phase::finish);
      }
      return next(Phase::clear);
    case Phase::clear:
      return clear(deadline) && next(Phase::let_go);
    case Phase::let_go:
      return let_go(deadline) && next(Phase::finish);
    case Phase::give_up:
      if (!give_up(deadline)) {
        return false;
      }
      after_reset_ = Phase::finish;
      return next(Phase::reset);
    case Phase::finish:
      return finish(deadline) && next(Phase::idle);
  }
  return true;
}

void CollectorState::freeze() noexcept {
  if (is_running_) {
    return;
  }
  if (!heap_.is_anyone_dying()) {
    finish_slices();
  }
  heap_.for_each_object([this](Object& object) {
    if (!tarn::detail::Access::is_dying(object) && object.type().has_references()) {
      heap_.set(SideBit::frozen, object);
      tarn::detail::TypeAccess::add_watch(object.type(), tarn::detail::watch_frozen);
    }
  });
  has_frozen_ = true;
}

void CollectorState::unfreeze() noexcept {
  if (is_running_ || !has_frozen_) {
    return;
  }
  if (!heap_.is_anyone_dying()) {
    finish_slices();
  }
  heap_.for_each_object([this](Object& object) { heap_.clear(SideBit::frozen, object); });
  has_frozen_ = false;
}

std::size_t CollectorState::frozen() const noexcept {
  std::size_t count = 0;
  if (has_frozen_) {
    heap_.for_each_object(
        [&](Object& object) { count += heap_.test(SideBit::frozen, object) ? 1U : 0U; });
  }
  return count;
}

void CollectorState::tell_of(const Object& object) const noexcept {
  base::Message()
      .text("tarn: garbage: an object of type ")
      .escaped(object.type().name())
      .text(" at ")
      .address(&object)
      .text("\n")
      .write_to(base::standard_error);
}

void CollectorState::tell_of_collection() const noexcept {
  base::Message()
      .text(last_.generation == Generation::young ? "tarn: young collection: "
                                                  : "tarn: full collection: ")
      .number(last_.examined)
      .text(" objects examined, ")
      .number(last_.unreachable)
      .text(" unreachable, ")
      .number(last_.resurrected)
      .text(" resurrected; ")
      .number(static_cast<std::uint64_t>(last_.total.count()) / 1000)
      .text(" microseconds in ")
      .number(last_.slices)
      .text(last_.gave_up ? " slices; gave up\n" : " slices\n")
      .write_to(base::standard_error);
}

// Between two collections: T2, nobody is condemned, and all counts are as the object layer wants them. While one
// is under way in slices: as many are condemned as counted, and each is held.
void CollectorState::verify() const {
  std::size_t condemned = 0;
  const bool is_idle = phase_ == Phase::idle;
  heap_.for_each_object([&](Object& object) {
    const bool is_one = is_condemned(object);
    condemned += is_one ? 1U : 0U;
    const Count count = tarn::detail::Access::count(object);
    if (is_biased(count)) {
      TARN_CHECK(is_one, ==, true, "C1: only the condemned have a biased count");
    }
    if (is_idle && !is_pooled(object)) {
      TARN_CHECK(LargeObject::of(&object).scratch, ==, 0U, "T2: tallies are zero in between");
    }
  });
  TARN_CHECK(condemned, ==, condemned_, "as many are condemned as counted");
  if (!is_idle) {
    return;
  }
  TARN_CHECK(condemned_, ==, 0U, "nobody is condemned in between");
  TARN_CHECK(stack_.is_empty(), ==, true, "nobody is on the stack in between");
  for (std::size_t index = 0; index < arena_count(); ++index) {
    const alloc::Arena* const arena = arena_at(index);
    if (arena == nullptr) {
      continue;
    }
    for (std::size_t granule = 0; granule < SideTables::granules; ++granule) {
      TARN_CHECK(sides_.tallies(arena->address)[granule], ==, 0, "T2: tallies are zero in between");
    }
    for (std::size_t word = 0; word < words_per_arena; ++word) {
      TARN_CHECK(sides_.table(SideBit::wide, arena->address)[word], ==, 0U,
                 "T2: nobody is wide in between");
      TARN_CHECK(sides_.table(SideBit::condemned, arena->address)[word], ==, 0U,
                 "the bits of the condemned are those of objects");
      TARN_CHECK(sides_.table(SideBit::visited, arena->address)[word], ==, 0U,
                 "nobody has been visited in between");
    }
  }
}

}  // namespace tarn::gc
