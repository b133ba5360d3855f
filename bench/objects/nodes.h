// The objects that the cases are made of, the same for every peer. `members` names a node's references once: a peer
// that traces makes its tracing of it. One that wants the list in a form of its own has a function P::members.
#pragma once

#include <cstdint>
#include <tuple>
#include <utility>

namespace tarn::bench::objects {

template <typename P, typename... Pointers>
constexpr auto members_of(Pointers... pointers) {
  if constexpr (requires { P::members(pointers...); }) {
    return P::members(pointers...);
  } else {
    return std::tuple(pointers...);
  }
}

// visit(member) for each reference in `node`.
template <typename Node, typename Visit>
void each_member(Node& node, Visit&& visit) {
  if constexpr (requires { node.visit_members(visit); }) {
    node.visit_members(visit);
  } else {
    std::apply([&](auto... pointers) { (visit(node.*pointers), ...); }, Node::members);
  }
}

template <typename P>
struct Tree final : P::template Base<Tree<P>> {
  using Owner = typename P::template Owner<Tree>;

  Tree(Owner left_tree, Owner right_tree)
      : left(std::move(left_tree)), right(std::move(right_tree)) {}

  typename P::template Field<Tree> left;
  typename P::template Field<Tree> right;

  static constexpr auto members = members_of<P>(&Tree::left, &Tree::right);
};

// GCBench's node: two references and two numbers.
template <typename P>
struct BenchNode final : P::template Base<BenchNode<P>> {
  using Owner = typename P::template Owner<BenchNode>;

  BenchNode() = default;
  BenchNode(Owner left_tree, Owner right_tree)
      : left(std::move(left_tree)), right(std::move(right_tree)) {}

  typename P::template Field<BenchNode> left{};
  typename P::template Field<BenchNode> right{};
  std::int32_t i = 0;
  std::int32_t j = 0;

  static constexpr auto members = members_of<P>(&BenchNode::left, &BenchNode::right);
};

// A node of the shuffled graph.
template <typename P>
struct Vertex final : P::template Base<Vertex<P>> {
  explicit Vertex(std::uint64_t its_value) : value(its_value) {}

  typename P::template Field<Vertex> next{};
  typename P::template Field<Vertex> other{};
  std::uint64_t value;

  static constexpr auto members = members_of<P>(&Vertex::next, &Vertex::other);
};

// A node of a doubly linked list, and of a ring.
template <typename P>
struct Link final : P::template Base<Link<P>> {
  explicit Link(std::uint64_t its_value) : value(its_value) {}

  typename P::template Field<Link> next{};
  typename P::template Back<Link> previous{};
  std::uint64_t value;

  static constexpr auto members = members_of<P>(&Link::next, &Link::previous);
};

}  // namespace tarn::bench::objects
