#include <gtest/gtest.h>

#include <tarn/gil.h>
#include <tarn/object.h>

namespace tarn::test {
namespace {

struct Node : Object {
  Member<Node> next;
  std::vector<Member<Node>> children;
  Weak<Node> parent;
  int value = 0;
  static constexpr auto members = tarn::members(&Node::next, &Node::children);
};

struct Tree final : Object {
  Member<Tree> left;
  Member<Tree> right;
  static constexpr auto members = tarn::members(&Tree::left, &Tree::right);
};

struct Tuple final : Sized<Tuple, Member<Object>> {};

Ref<Tree> tree_of(ObjectHeap& heap, int depth) {
  Ref<Tree> tree = heap.make<Tree>();
  if (depth > 0) {
    tree->left = tree_of(heap, depth - 1);
    tree->right = tree_of(heap, depth - 1);
  }
  return tree;
}

TEST(ObjectSmoke, ObjectsLiveAndDie) {
  ObjectHeap heap;
  heap.verify();
  const std::size_t before = heap.statistics().objects;
  {
    Ref<Node> node = heap.make<Node>();
    Ref<Node> child = heap.make<Node>();
    child->parent = node;
    node->children.push_back(child);
    node->next = child;
    EXPECT_EQ(child->reference_count(), 3);
    EXPECT_EQ(child->parent.lock(), node);
    heap.verify();
    node = nullptr;
    EXPECT_EQ(child->parent.lock(), nullptr);
    EXPECT_EQ(child->reference_count(), 1);
    Ref<Tree> tree = tree_of(heap, 10);
    EXPECT_EQ(heap.statistics().objects, before + 2047 + 1 + 2);  // and two types
    heap.verify();
    Ref<Tuple> tuple = heap.make_sized<Tuple>(3);
    tuple->items()[1] = tree;
    tree = nullptr;
    heap.verify();
    EXPECT_EQ(repr(*child).substr(0, 6), "<tarn:");
  }
  heap.verify();
  EXPECT_EQ(heap.statistics().objects, before + 3);
}

TEST(ObjectSmoke, LongChainsDieWithoutRecursion) {
  ObjectHeap heap;
  Ref<Node> chain;
  for (int i = 0; i < 1000000; ++i) {
    Ref<Node> node = heap.make<Node>();
    node->next = std::move(chain);
    chain = std::move(node);
  }
  chain = nullptr;
  heap.verify();
}

}  // namespace
}  // namespace tarn::test
