// boost::intrusive_ptr over boost's own counter without atomic operations. It has no weak references: a plain pointer
// leads back.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "../json_nodes.h"
#include "../owners.h"
#include "../program.h"

namespace tarn::bench::objects {

struct IntrusivePtr {
  template <typename T>
  using Base = boost::intrusive_ref_counter<T, boost::thread_unsafe_counter>;
  template <typename T>
  using Owner = boost::intrusive_ptr<T>;
  template <typename T>
  using Field = boost::intrusive_ptr<T>;
  template <typename T>
  using Back = T*;
  template <typename T>
  using Borrowed = T*;
  template <typename T>
  class Array : public Owners<boost::intrusive_ptr<T>> {
   public:
    using Owners<boost::intrusive_ptr<T>>::Owners;
    [[nodiscard]] T* borrow(std::size_t index) const { return this->at(index); }
  };
  template <typename T>
  using Vector = std::vector<T>;
  using String = std::string;
  using Doubles = std::vector<double>;
  using Json = JsonNodes<IntrusivePtr>;

  static constexpr bool collects = false;
  static constexpr bool frees_at_once = true;

  static bool start(std::string_view variant) { return variant.empty(); }
  static void collect() {}

  template <typename T, typename... Arguments>
  static boost::intrusive_ptr<T> make(Arguments&&... arguments) {
    return boost::intrusive_ptr<T>(new T(std::forward<Arguments>(arguments)...));
  }
  template <typename T>
  static T* get(const boost::intrusive_ptr<T>& reference) {
    return reference.get();
  }
  template <typename T>
  static T* get(T* reference) {
    return reference;
  }
  template <typename T>
  static void set_back(T& node, const boost::intrusive_ptr<T>& target) {
    node.previous = target.get();
  }
};

}  // namespace tarn::bench::objects

int main(int count, char** words) {
  return tarn::bench::objects::run_program<tarn::bench::objects::IntrusivePtr>(count, words);
}
