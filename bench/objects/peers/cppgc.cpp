// cppgc, V8's collector for C++ (Oilpan), on its own: no isolate, the default platform, and the heap as
// HeapOptions::Default() has it. Objects are plain pointers on the stack, which is scanned conservatively, and
// cppgc::Member in objects.
//
// The variant `large-heap` lets the heap grow to 256 MiB before its first collection, which the documentation of
// ResourceConstraints advises where an application is known to need it; `atomic` marks and sweeps in one go instead
// of incrementally and on other threads.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cppgc/allocation.h>
#include <cppgc/default-platform.h>
#include <cppgc/garbage-collected.h>
#include <cppgc/heap.h>
#include <cppgc/member.h>
#include <cppgc/persistent.h>
#include <cppgc/visitor.h>
#include <v8-initialization.h>

#include "../json_nodes.h"
#include "../program.h"

namespace tarn::bench::objects {

struct Cppgc {
  // A traced object gets its Trace of its list of members.
  template <typename T>
  struct Base : cppgc::GarbageCollected<T> {
    void Trace(cppgc::Visitor* visitor) const {
      each_member(static_cast<const T&>(*this), [&](const auto& field) { visitor->Trace(field); });
    }
  };
  template <typename T>
  using Owner = T*;
  template <typename T>
  using Field = cppgc::Member<T>;
  template <typename T>
  using Back = cppgc::Member<T>;
  template <typename T>
  using Borrowed = T*;
  template <typename T>
  class Array;
  template <typename T>
  using Vector = std::vector<T>;
  using String = std::string;
  using Doubles = std::vector<double>;
  using Json = JsonNodes<Cppgc>;

  static constexpr bool collects = true;
  static constexpr bool frees_at_once = false;

  static bool start(std::string_view variant) {
    constexpr std::size_t large_heap = std::size_t{256} << 20U;
    auto platform = std::make_shared<cppgc::DefaultPlatform>();
    // V8 asks its own platform, not the heap's, whether anyone traces; without one a collection crashes.
    v8::V8::InitializePlatform(platform->GetV8Platform());
    cppgc::InitializeProcess(platform->GetPageAllocator());
    cppgc::Heap::HeapOptions options = cppgc::Heap::HeapOptions::Default();
    if (variant == "large-heap") {
      options.resource_constraints.initial_heap_size_bytes = large_heap;
    } else if (variant == "atomic") {
      options.marking_support = cppgc::Heap::MarkingType::kAtomic;
      options.sweeping_support = cppgc::Heap::SweepingType::kAtomic;
    }
    heap_ = cppgc::Heap::Create(std::move(platform), std::move(options));
    allocation_ = &heap_->GetAllocationHandle();
    return variant.empty() || variant == "large-heap" || variant == "atomic";
  }

  static void collect() {
    heap_->ForceGarbageCollectionSlow("bench", "asked for",
                                      cppgc::Heap::StackState::kMayContainHeapPointers);
  }

  static cppgc::AllocationHandle& allocation() { return *allocation_; }

  template <typename T, typename... Arguments>
  static T* make(Arguments&&... arguments) {
    return cppgc::MakeGarbageCollected<T>(allocation(), std::forward<Arguments>(arguments)...);
  }
  template <typename T>
  static T* get(const cppgc::Member<T>& reference) {
    return reference.Get();
  }
  template <typename T>
  static T* get(T* reference) {
    return reference;
  }
  template <typename T>
  static void set_back(T& node, T* target) {
    node.previous = target;
  }

 private:
  static inline std::unique_ptr<cppgc::Heap> heap_;
  static inline cppgc::AllocationHandle* allocation_ = nullptr;
};

// An object with the members behind it, as AdditionalBytes is for.
template <typename T>
class Slots : public cppgc::GarbageCollected<Slots<T>> {
 public:
  explicit Slots(std::size_t count) : count_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      new (first() + i) cppgc::Member<T>();
    }
  }

  cppgc::Member<T>* first() { return reinterpret_cast<cppgc::Member<T>*>(this + 1); }
  const cppgc::Member<T>* first() const {
    return reinterpret_cast<const cppgc::Member<T>*>(this + 1);
  }

  void Trace(cppgc::Visitor* visitor) const {
    for (std::size_t i = 0; i < count_; ++i) {
      visitor->Trace(first()[i]);
    }
  }

 private:
  std::size_t count_;
};

template <typename T>
class Cppgc::Array {
 public:
  explicit Array(std::size_t count)
      : slots_(cppgc::MakeGarbageCollected<Slots<T>>(
            Cppgc::allocation(), cppgc::AdditionalBytes(count * sizeof(cppgc::Member<T>)), count)) {
  }

  void set(std::size_t index, T* object) { slots_->first()[index] = object; }
  [[nodiscard]] T* copy(std::size_t index) const { return at(index); }
  [[nodiscard]] T* borrow(std::size_t index) const { return at(index); }
  [[nodiscard]] T* at(std::size_t index) const { return slots_->first()[index].Get(); }
  void clear() { slots_.Clear(); }

 private:
  cppgc::Persistent<Slots<T>> slots_;
};

}  // namespace tarn::bench::objects

int main(int count, char** words) {
  return tarn::bench::objects::run_program<tarn::bench::objects::Cppgc>(count, words);
}
