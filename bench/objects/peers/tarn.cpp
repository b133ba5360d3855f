// Tarn's objects: Ref on the stack, Member in objects, one heap, whose lock this thread holds. The collector runs as it
// comes; links back are ordinary members.
//
// The variant `off` has a collector that collects only where a case asks for it.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <tarn/gc.h>
#include <tarn/gil.h>
#include <tarn/object.h>

#include "../json_nodes.h"
#include "../owners.h"
#include "../program.h"

namespace tarn::bench::objects {

// Of a pointer to a data member.
template <typename Pointer>
inline constexpr bool is_to_reference = false;
template <typename Node, typename Target>
inline constexpr bool is_to_reference<Member<Target> Node::*> = true;

struct Tarn {
  template <typename T>
  using Base = Object;
  template <typename T>
  using Owner = Ref<T>;
  template <typename T>
  using Field = Member<T>;
  template <typename T>
  using Back = Member<T>;
  template <typename T>
  using Borrowed = tarn::Borrowed<T>;
  template <typename T>
  using Array = Owners<Ref<T>>;
  template <typename T>
  using Vector = std::vector<T>;
  using String = std::string;
  using Doubles = std::vector<double>;
  using Json = JsonNodes<Tarn>;

  static constexpr bool collects = true;
  static constexpr bool frees_at_once = true;

  static ObjectHeap heap;
  static std::optional<Collector> collector;

  template <typename... Pointers>
  static constexpr auto members(Pointers... pointers) {
    // Nodes whose references are all there is to destroy say so; a document's have strings beside them.
    if constexpr ((is_to_reference<Pointers> && ...)) {
      return tarn::only_members(pointers...);
    } else {
      return tarn::members(pointers...);
    }
  }

  static bool start(std::string_view variant) {
    heap.gil().acquire();
    collector.emplace(heap, CollectorOptions{.automatic = variant != "off"});
    return variant.empty() || variant == "off";
  }
  static void collect() { collector->collect(); }

  template <typename T, typename... Arguments>
  static Ref<T> make(Arguments&&... arguments) {
    return heap.make<T>(std::forward<Arguments>(arguments)...);
  }
  template <typename Reference>
  static auto* get(const Reference& reference) {
    return reference.get();
  }
  template <typename T>
  static void set_back(T& node, const Ref<T>& target) {
    node.previous = target;
  }
};

ObjectHeap Tarn::heap;
std::optional<Collector> Tarn::collector;

}  // namespace tarn::bench::objects

// The content of a JSON node: whichever alternative it is.
template <>
struct tarn::Traced<tarn::bench::objects::JsonNode<tarn::bench::objects::Tarn>::Content> {
  using Node = tarn::bench::objects::JsonNode<tarn::bench::objects::Tarn>;
  using Content = Node::Content;

  static void traverse(const Content& content, Visitor& visitor) {
    visit(content, [&](const auto& held) {
      Traced<std::remove_cvref_t<decltype(held)>>::traverse(held, visitor);
    });
  }
  static void clear(Content& content) noexcept {
    const Content old = std::exchange(content, std::monostate{});
  }
  template <typename Each>
  static void each_member(const Content& content, Each each) {
    visit(content, [&](const auto& held) {
      Traced<std::remove_cvref_t<decltype(held)>>::each_member(held, each);
    });
  }

 private:
  template <typename Function>
  static void visit(const Content& content, Function function) {
    if (const auto* const array = std::get_if<Node::Array>(&content)) {
      function(*array);
    } else if (const auto* const object = std::get_if<Node::Object>(&content)) {
      function(*object);
    }
  }
};

int main(int count, char** words) {
  return tarn::bench::objects::run_program<tarn::bench::objects::Tarn>(count, words);
}
