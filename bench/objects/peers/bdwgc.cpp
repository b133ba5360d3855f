// bdwgc, the Boehm-Demers-Weiser collector. Objects are plain pointers, found on the stack and in objects by their
// looks; memory without pointers is told apart (gc_allocator does that by type).
//
// The variant `bases` tells it that objects point only to the starts of others: then a block needs no byte more
// than the object, and a tree's node of 16 bytes takes 16 instead of 32.

#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The Debian library is built with threads, and a program that uses them has to say so.
#define GC_THREADS
#include <gc/gc.h>
#include <gc/gc_allocator.h>

#include "../json_nodes.h"
#include "../program.h"

namespace tarn::bench::objects {

// The owners are in memory that is scanned; its address is on the stack.
template <typename T>
class ScannedArray {
 public:
  explicit ScannedArray(std::size_t count)
      : first_(static_cast<T**>(GC_MALLOC_IGNORE_OFF_PAGE(count * sizeof(T*)))) {}

  void set(std::size_t index, T* object) { first_[index] = object; }
  [[nodiscard]] T* copy(std::size_t index) const { return first_[index]; }
  [[nodiscard]] T* borrow(std::size_t index) const { return first_[index]; }
  [[nodiscard]] T* at(std::size_t index) const { return first_[index]; }
  void clear() { first_ = nullptr; }

 private:
  T** first_;
};

struct Bdwgc {
  template <typename T>
  struct Base {};
  template <typename T>
  using Owner = T*;
  template <typename T>
  using Field = T*;
  template <typename T>
  using Back = T*;
  template <typename T>
  using Borrowed = T*;
  template <typename T>
  using Array = ScannedArray<T>;
  template <typename T>
  using Vector = std::vector<T, gc_allocator<T>>;
  using String = std::basic_string<char, std::char_traits<char>, gc_allocator<char>>;
  using Doubles = std::vector<double, gc_allocator<double>>;
  using Json = JsonNodes<Bdwgc>;

  static constexpr bool collects = true;
  static constexpr bool frees_at_once = false;

  static bool start(std::string_view variant) {
    if (variant == "bases") {
      GC_set_all_interior_pointers(0);
    }
    GC_INIT();
    return variant.empty() || variant == "bases";
  }

  static void collect() { GC_gcollect(); }

  template <typename T, typename... Arguments>
  static T* make(Arguments&&... arguments) {
    void* const block = GC_MALLOC(sizeof(T));
    if (block == nullptr) {
      throw std::bad_alloc();
    }
    return new (block) T(std::forward<Arguments>(arguments)...);
  }
  template <typename T>
  static T* get(T* reference) {
    return reference;
  }
  template <typename T>
  static void set_back(T& node, T* target) {
    node.previous = target;
  }
};

}  // namespace tarn::bench::objects

int main(int count, char** words) {
  return tarn::bench::objects::run_program<tarn::bench::objects::Bdwgc>(count, words);
}
