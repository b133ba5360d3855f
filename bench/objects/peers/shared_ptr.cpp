// std::shared_ptr, made by std::make_shared. libstdc++ counts with plain instructions until the process has started
// its first thread, and atomically ever after, also when that thread has ended: the variant `threads`.

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "../json_nodes.h"
#include "../owners.h"
#include "../program.h"

namespace tarn::bench::objects {

struct SharedPtr {
  template <typename T>
  struct Base {};
  template <typename T>
  using Owner = std::shared_ptr<T>;
  template <typename T>
  using Field = std::shared_ptr<T>;
  template <typename T>
  using Back = std::weak_ptr<T>;
  template <typename T>
  using Borrowed = const std::shared_ptr<T>&;
  template <typename T>
  using Array = Owners<std::shared_ptr<T>>;
  template <typename T>
  using Vector = std::vector<T>;
  using String = std::string;
  using Doubles = std::vector<double>;
  using Json = JsonNodes<SharedPtr>;

  static constexpr bool collects = false;
  static constexpr bool frees_at_once = true;

  static bool start(std::string_view variant) {
    if (variant == "threads") {
      std::thread([] {}).join();
    }
    return variant.empty() || variant == "threads";
  }
  static void collect() {}

  template <typename T, typename... Arguments>
  static std::shared_ptr<T> make(Arguments&&... arguments) {
    return std::make_shared<T>(std::forward<Arguments>(arguments)...);
  }
  template <typename T>
  static T* get(const std::shared_ptr<T>& reference) {
    return reference.get();
  }
  template <typename T>
  static void set_back(T& node, const std::shared_ptr<T>& target) {
    node.previous = target;
  }
};

}  // namespace tarn::bench::objects

int main(int count, char** words) {
  return tarn::bench::objects::run_program<tarn::bench::objects::SharedPtr>(count, words);
}
