// Objects that several tests use.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include <tarn/object.h>

namespace tarn::test {

struct Leaf : Object {
  explicit Leaf(int number = 0) noexcept : value(number) {}
  int value;
};

struct Node : Object {
  Node() = default;
  explicit Node(int number) noexcept : value(number) {}

  Member<Node> next;
  std::vector<Member<Node>> children;
  Weak<Node> parent;
  int value = 0;
  static constexpr auto members = tarn::members(&Node::next, &Node::children);
};

struct Pair final : Object {
  Pair() = default;
  Pair(Ref<Pair> l, Ref<Pair> r) noexcept : left(std::move(l)), right(std::move(r)) {}

  Member<Pair> left;
  Member<Pair> right;
  static constexpr auto members = tarn::members(&Pair::left, &Pair::right);
};

struct Tuple final : Sized<Tuple, Member<Object>> {};
struct Text final : Sized<Text, char> {};

// Says when it dies.
struct Witness : Object {
  explicit Witness(std::function<void()> at_death) : at_death_(std::move(at_death)) {}
  ~Witness() { at_death_(); }

  std::function<void()> at_death_;
};

[[nodiscard]] inline std::size_t live(const ObjectHeap& heap) {
  const ObjectHeapStatistics statistics = heap.statistics();
  return statistics.objects - statistics.types;
}

}  // namespace tarn::test
