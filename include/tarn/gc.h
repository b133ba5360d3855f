// Collector: frees what reference counts can't, the cycles that nobody refers to any longer.
//
//   tarn::ObjectHeap heap;
//   tarn::Collector collector(heap);            collects by itself from now on, while objects are made
//
//   collector.collect();                        all that is garbage, now
//   while (!collector.collect(1ms)) { … }       the same in slices of a millisecond, the program in between
//
// An object is garbage when all references to it come from other garbage. Whatever a program uses while a
// collection may run (whenever it makes an object, too) has to be held by a Ref, or to be reachable from one:
// a Borrowed or a plain pointer doesn't count.
//
// Garbage dies in this order, as in CPython: weak references to it are cleared; their callbacks run; finalizers run,
// once in an object's life; what they have made reachable again lives on; the rest lets go of its references, and
// dies. The collector needs no memory for any of that, and so can't fail.
//
// Thread rules: as the heap's; where there are several threads, the one that calls holds the heap's gil().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <tarn/object.h>

namespace tarn {

namespace gc {
class CollectorState;
}

// young: the objects made since the last collection, others count as alive. full: all.
enum class Generation : std::uint8_t { young, full };

// When collections begin by themselves: src/gc/pacing_rule.h has the rule and what it promises.
struct CollectorThresholds {
  // A young collection comes after so many bytes were allocated; between these, by what the last ones found. On a
  // large heap a 32nd of it is the least, a quarter the most.
  std::size_t least_young_bytes = std::size_t{512} * 1024;
  std::size_t most_young_bytes = std::size_t{8} * 1024 * 1024;
  // A full collection comes at the latest when the heap has grown by the larger of the two: so many bytes, or so
  // many percent of what it was after the last one.
  std::size_t garbage_floor = std::size_t{32} * 1024 * 1024;
  unsigned garbage_percent = 100;
};

// For debugging; to be combined with |.
enum class CollectorDebug : std::uint8_t {
  nothing = 0,
  statistics = 1,   // a line on standard error for each collection
  collectable = 2,  // … and for each object that's found to be garbage
  save_all = 4,     // garbage isn't freed: see Collector::for_each_saved
  leaks = 8,  // when the collector is destroyed: a report of the cycles left, on standard error
};
[[nodiscard]] constexpr CollectorDebug operator|(CollectorDebug left,
                                                 CollectorDebug right) noexcept {
  return static_cast<CollectorDebug>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}
[[nodiscard]] constexpr bool has(CollectorDebug flags, CollectorDebug flag) noexcept {
  return (static_cast<unsigned>(flags) & static_cast<unsigned>(flag)) != 0;
}

struct CollectorOptions {
  bool automatic = true;  // whether collections begin by themselves
  CollectorThresholds thresholds = {};
  CollectorDebug debug = CollectorDebug::nothing;
};

// One collection, as callbacks and statistics see it.
struct Collection {
  Generation generation = Generation::full;
  std::size_t examined = 0;           // objects
  std::size_t unreachable = 0;        // objects that died of it, or were saved
  std::size_t resurrected = 0;        // objects that finalizers made reachable again
  std::size_t slices = 0;             // 1: without interruption
  std::chrono::nanoseconds pause{0};  // the longest slice
  std::chrono::nanoseconds total{0};  // of all slices
  // A collection in slices that left what it had found to a later one, since the program didn't let go of it, or
  // since too much had to be looked at in one go. A collection without a budget never gives up.
  bool gave_up = false;
};

struct CollectorStatistics {
  struct Of {
    std::size_t collections = 0;
    std::size_t examined = 0;
    std::size_t unreachable = 0;
  };
  Of young;
  Of full;
  std::size_t gave_up = 0;
  std::size_t pauses = 0;
  std::chrono::nanoseconds longest_pause{0};
  std::chrono::nanoseconds total_pause{0};
};

// Cycles that nobody collected.
struct LeakReport {
  struct OfType {
    std::string type;
    std::size_t objects = 0;
    std::size_t bytes = 0;
  };
  std::size_t objects = 0;
  std::size_t bytes = 0;
  std::vector<OfType> types;      // the largest first
  std::vector<std::string> path;  // the types along one cycle; the first is where it comes back to
  [[nodiscard]] std::string text() const;
};

class Collector {
 public:
  // One for a heap, which outlives it. std::bad_alloc.
  explicit Collector(ObjectHeap& heap, const CollectorOptions& options = {});
  // Finishes a collection that's under way. Garbage that is left stays in the heap.
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // Collects without interruption, linear in the objects of the generation (a young one looks at two bits of
  // each other object, too). One that's under way in slices is finished first. From within a collection or
  // the death of an object (a finalizer, a weak callback, a destructor) it does nothing: there a container may be
  // half cleared. Those that are due by themselves wait as well.
  Collection collect(Generation generation = Generation::full) noexcept;

  // Goes on with a full collection for so long, or begins one. True: it's finished, what was garbage when it
  // began is gone. The budget is kept but for the edges of one object, one finalizer, callback or destructor of
  // the program's own, and up to half a millisecond for what must be looked at in one go. Cycles through large
  // objects (over 4 KiB) are left to collect(). Each call gets on a little, even without a budget; where collect()
  // does nothing, neither does this, and says true.
  bool collect(std::chrono::nanoseconds budget) noexcept;
  // Whether one is under way in slices.
  [[nodiscard]] bool is_under_way() const noexcept;
  [[nodiscard]] const Collection& last() const noexcept;

  // All objects there are count as alive until unfreeze(), and collections don't look at them (and so don't touch
  // their pages, which matters before a fork). Linear in the heap. A collection that's under way in slices is finished
  // first; from within the death of an object it can't be, and goes on as it began.
  void freeze() noexcept;
  void unfreeze() noexcept;
  [[nodiscard]] std::size_t frozen() const noexcept;

  void set_automatic(bool on) noexcept;
  [[nodiscard]] bool is_automatic() const noexcept;
  void set_thresholds(const CollectorThresholds& thresholds) noexcept;
  [[nodiscard]] const CollectorThresholds& thresholds() const noexcept;
  void set_debug(CollectorDebug flags) noexcept;
  [[nodiscard]] CollectorDebug debug() const noexcept;
  // A stress mode: before every nth allocation everything is collected. 0: no longer.
  void collect_at_allocations(std::size_t every) noexcept;

  // Called when a collection begins, and when it has ended. They must not throw; what they do may run
  // in the middle of an allocation. std::bad_alloc.
  using Callback = std::function<void(const Collection&)>;
  void call_before(Callback callback);
  void call_after(Callback callback);

  [[nodiscard]] const CollectorStatistics& statistics() const noexcept;

  // Calls visit(Object&) for each object that refers to this one, once, or that this one refers to, once for each
  // reference. `visit` must not make or free objects. Linear in the heap; in the object. Referrers
  // aren't looked for while an object dies (see collect): that aborts with a message.
  template <typename Visit>
  void for_each_referrer(const Object& object, Visit visit) const {
    visit_referrers(
        object, [](void* context, Object& other) { (*static_cast<Visit*>(context))(other); },
        &visit);
  }
  template <typename Visit>
  void for_each_referent(const Object& object, Visit visit) const {
    visit_referents(
        object, [](void* context, Object& other) { (*static_cast<Visit*>(context))(other); },
        &visit);
  }
  // std::bad_alloc.
  [[nodiscard]] std::vector<Ref<Object>> referrers(const Object& object) const;
  [[nodiscard]] std::vector<Ref<Object>> referents(const Object& object) const;

  // With CollectorDebug::save_all: the garbage that was found. It is kept until drop_saved().
  template <typename Visit>
  void for_each_saved(Visit visit) const {
    visit_saved([](void* context, Object& other) { (*static_cast<Visit*>(context))(other); },
                &visit);
  }
  void drop_saved() noexcept;

  // Looks for garbage and frees none. Linear in the heap. std::bad_alloc. Not while an object dies (see collect): that
  // aborts with a message.
  [[nodiscard]] LeakReport find_leaks();

  // Checks the collector's own invariants; aborts with a message. Linear in the heap.
  void verify() const;

 private:
  friend struct CollectorTestAccess;
  using VisitObject = void (*)(void* context, Object& object);

  void visit_referrers(const Object& object, VisitObject visit, void* context) const;
  static void visit_referents(const Object& object, VisitObject visit, void* context);
  void visit_saved(VisitObject visit, void* context) const;

  gc::CollectorState* state_;
};

}  // namespace tarn
