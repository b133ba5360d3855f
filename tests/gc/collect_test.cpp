#include <gtest/gtest.h>

#include <tarn/gc.h>

namespace tarn {
namespace {

struct Node final : Object {
  Member<Node> next;
  Member<Node> other;
  static constexpr auto members = tarn::members(&Node::next, &Node::other);
};

TEST(Collect, AnUnreachableCycleDies) {
  ObjectHeap heap;
  Collector collector(heap, {.automatic = false});
  {
    Ref<Node> a = heap.make<Node>();
    a->next = heap.make<Node>();
    a->next->next = a;
  }
  const std::size_t before = heap.statistics().objects;
  const Collection collection = collector.collect();
  EXPECT_EQ(collection.unreachable, 2);
  EXPECT_EQ(heap.statistics().objects, before - 2);
  heap.verify();
  collector.verify();
}

}  // namespace
}  // namespace tarn
