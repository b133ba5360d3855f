// The floor: the least code that counts references. A count in the object, a free list for each type in front of
// chunks from malloc, nothing checked, nothing given back, no cycles, no weak references, one thread.
//
// TARN_FLOOR_BARE: the count alone. Without it an object has two words, count and type, as Python's and Tarn's have.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../json_nodes.h"
#include "../owners.h"
#include "../program.h"

namespace tarn::bench::objects {

// The free list of T's, last freed first.
template <typename T>
class FreeList {
 public:
  static void* allocate() {
    if (head_ == nullptr) [[unlikely]] {
      refill();
    }
    Free* const block = head_;
    head_ = block->next;
    return block;
  }

  static void free(void* object) { head_ = new (object) Free{head_}; }

 private:
  struct Free {
    Free* next;
  };

  [[gnu::noinline]] static void refill() {
    constexpr std::size_t chunk = 64 * 1024;
    constexpr std::size_t count = chunk / sizeof(T);
    auto* const first = static_cast<std::byte*>(std::malloc(count * sizeof(T)));
    if (first == nullptr) {
      std::abort();
    }
    for (std::size_t i = count; i > 0; --i) {
      free(first + (i - 1) * sizeof(T));
    }
  }

  static inline Free* head_ = nullptr;
};

// Stands for the type object.
template <typename T>
inline constexpr char type_of = 0;

template <typename T>
struct CountAndType {
  std::size_t count = 0;
  const void* type = &type_of<T>;
};

template <typename T>
struct CountAlone {
  std::size_t count = 0;
};

template <typename T>
class Counted {
 public:
  Counted() = default;
  Counted(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as std::shared_ptr's
  explicit Counted(T* object) : object_(object) { ++object->count; }
  Counted(const Counted& other) : object_(other.object_) {
    if (object_ != nullptr) {
      ++object_->count;
    }
  }
  Counted(Counted&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Counted& operator=(Counted other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Counted() {
    if (object_ != nullptr && --object_->count == 0) {
      object_->~T();
      FreeList<T>::free(object_);
    }
  }

  [[nodiscard]] T* get() const { return object_; }
  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

struct Floor {
  template <typename T>
#ifdef TARN_FLOOR_BARE
  using Base = CountAlone<T>;
#else
  using Base = CountAndType<T>;
#endif
  template <typename T>
  using Owner = Counted<T>;
  template <typename T>
  using Field = Counted<T>;
  template <typename T>
  using Back = T*;
  template <typename T>
  using Borrowed = T*;
  template <typename T>
  class Array : public Owners<Counted<T>> {
   public:
    using Owners<Counted<T>>::Owners;
    [[nodiscard]] T* borrow(std::size_t index) const { return this->at(index); }
  };
  template <typename T>
  using Vector = std::vector<T>;
  using String = std::string;
  using Doubles = std::vector<double>;
  using Json = JsonNodes<Floor>;

  static constexpr bool collects = false;
  static constexpr bool frees_at_once = true;

  static bool start(std::string_view variant) { return variant.empty(); }
  static void collect() {}

  template <typename T, typename... Arguments>
  static Counted<T> make(Arguments&&... arguments) {
    return Counted<T>(new (FreeList<T>::allocate()) T(std::forward<Arguments>(arguments)...));
  }
  template <typename T>
  static T* get(const Counted<T>& reference) {
    return reference.get();
  }
  template <typename T>
  static T* get(T* reference) {
    return reference;
  }
  template <typename T>
  static void set_back(T& node, const Counted<T>& target) {
    node.previous = target.get();
  }
};

}  // namespace tarn::bench::objects

int main(int count, char** words) {
  return tarn::bench::objects::run_program<tarn::bench::objects::Floor>(count, words);
}
