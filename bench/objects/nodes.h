// The objects that the cases are made of, the same for every peer. `each_field` names the references once: peers
// that trace make their tracing of it.
#pragma once

#include <cstdint>
#include <utility>

namespace tarn::bench::objects {

template <typename P>
struct Tree : P::template Base<Tree<P>> {
  using Owner = typename P::template Owner<Tree>;

  Tree(Owner left_tree, Owner right_tree) : left(std::move(left_tree)), right(std::move(right_tree)) {}

  template <typename Self, typename Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit(self.left);
    visit(self.right);
  }

  typename P::template Field<Tree> left;
  typename P::template Field<Tree> right;
};

// GCBench's node: two references and two numbers.
template <typename P>
struct BenchNode : P::template Base<BenchNode<P>> {
  using Owner = typename P::template Owner<BenchNode>;

  BenchNode() = default;
  BenchNode(Owner left_tree, Owner right_tree) : left(std::move(left_tree)), right(std::move(right_tree)) {}

  template <typename Self, typename Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit(self.left);
    visit(self.right);
  }

  typename P::template Field<BenchNode> left{};
  typename P::template Field<BenchNode> right{};
  std::int32_t i = 0;
  std::int32_t j = 0;
};

// A node of the shuffled graph.
template <typename P>
struct Vertex : P::template Base<Vertex<P>> {
  explicit Vertex(std::uint64_t its_value) : value(its_value) {}

  template <typename Self, typename Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit(self.next);
    visit(self.other);
  }

  typename P::template Field<Vertex> next{};
  typename P::template Field<Vertex> other{};
  std::uint64_t value;
};

// A node of a doubly linked list, and of a ring.
template <typename P>
struct Link : P::template Base<Link<P>> {
  explicit Link(std::uint64_t its_value) : value(its_value) {}

  template <typename Self, typename Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit(self.next);
    visit(self.previous);
  }

  typename P::template Field<Link> next{};
  typename P::template Back<Link> previous{};
  std::uint64_t value;
};

}  // namespace tarn::bench::objects
