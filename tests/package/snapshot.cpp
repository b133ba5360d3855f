// Writes a snapshot with an installed Tarn.

#include <cstdio>

#include <tarn/object.h>
#include <tarn/snapshot.h>

struct Node : tarn::Object {
  tarn::Member<Node> next;
  static constexpr auto members = tarn::members(&Node::next);
};

int main() {
  tarn::ObjectHeap heap;
  tarn::Ref<Node> node = heap.make<Node>();
  std::remove("node.tarn.sqlite");
  std::printf("%d\n", static_cast<int>(tarn::write_snapshot(heap, "node.tarn.sqlite")));
  std::remove("node.tarn.sqlite");
}
